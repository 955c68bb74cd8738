//! The body of a call: JSON, a form with brackets, or a form with a file.

use bytes::Bytes;

use crate::json::Json;
use crate::problem::Problem;

/// How deep the brackets of a form may go.
const DEPTH: usize = 16;

/// A file that came in a form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Upload {
    /// Its name.
    pub(crate) name: String,
    /// Its media type.
    pub(crate) kind: String,
    /// Its bytes.
    pub(crate) content: Bytes,
}

/// A body that was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    /// Its fields; an empty object if there are none.
    pub(crate) fields: Option<Json>,
    /// Its file.
    pub(crate) upload: Option<Upload>,
}

/// Reads a body by its media type; what says nothing is JSON.
pub(crate) fn read(kind: &str, content: &Bytes) -> Result<Body, Problem> {
    if kind.starts_with("multipart/form-data") {
        let upload = upload(kind, content)?;
        return Ok(Body {
            fields: None,
            upload: Some(upload),
        });
    }
    let fields = if content.iter().all(u8::is_ascii_whitespace) {
        None
    } else if kind.starts_with("application/x-www-form-urlencoded") {
        Some(form(content))
    } else {
        let text = std::str::from_utf8(content).ok();
        let json = text.and_then(|text| Json::parse(text).ok());
        let wrong = || Problem::request("We could not parse the JSON in the request body");
        Some(json.ok_or_else(wrong)?)
    };
    Ok(Body {
        fields,
        upload: None,
    })
}

/// A form: `applied_to[0][type]=invoice`, `attachments[]=1`.
fn form(content: &[u8]) -> Json {
    let mut root = Json::Object(Vec::new());
    for (key, value) in form_urlencoded::parse(content) {
        let (first, rest) = key.split_once('[').unwrap_or((&key, ""));
        let mut path = vec![first];
        path.extend(rest.split('[').map(|part| part.trim_end_matches(']')));
        if rest.is_empty() {
            path.truncate(1);
        }
        if path.len() <= DEPTH {
            place(&mut root, &path, &value);
        }
    }
    listed(root)
}

fn place(node: &mut Json, path: &[&str], value: &str) {
    let Json::Object(fields) = node else { return };
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    let name = match *name {
        "" => open_place(fields, rest),
        name => name.to_owned(),
    };
    let index = fields.iter().position(|(field, _)| *field == name);
    let index = index.unwrap_or_else(|| {
        fields.push((name.into(), Json::Object(Vec::new())));
        fields.len() - 1
    });
    if rest.is_empty() {
        fields[index].1 = value.into();
    } else {
        place(&mut fields[index].1, rest, value);
    }
}

/// Which entry `[]` means: the last one until it has the field that comes, then a new one.
fn open_place(fields: &[(std::borrow::Cow<'static, str>, Json)], rest: &[&str]) -> String {
    let next = fields.len();
    let takes = |(_, last): &(_, Json)| rest.first().is_some_and(|name| last.get(name).is_none());
    match fields.last() {
        Some(last) if takes(last) => (next - 1).to_string(),
        _ => next.to_string(),
    }
}

/// Objects whose fields are numbered from 0 are lists.
fn listed(node: Json) -> Json {
    let Json::Object(fields) = node else {
        return node;
    };
    let numbered = |(index, (name, _)): (usize, &(_, _))| {
        let name: &std::borrow::Cow<'static, str> = name;
        *name == index.to_string()
    };
    if !fields.is_empty() && fields.iter().enumerate().all(numbered) {
        return Json::List(fields.into_iter().map(|(_, value)| listed(value)).collect());
    }
    let fields = fields
        .into_iter()
        .map(|(name, value)| (name, listed(value)));
    Json::Object(fields.collect())
}

/// The part `file` of a form.
fn upload(kind: &str, content: &Bytes) -> Result<Upload, Problem> {
    let wrong = || Problem::param("file", "The form has no part named file");
    let boundary = kind.split("boundary=").nth(1).ok_or_else(wrong)?;
    let boundary = boundary.split(';').next().unwrap_or(boundary);
    let mark = format!("--{}", boundary.trim().trim_matches('"'));
    let mut at = find(content, mark.as_bytes(), 0).ok_or_else(wrong)?;
    loop {
        let start = at + mark.len() + 2;
        let head = find(content, b"\r\n\r\n", start).ok_or_else(wrong)?;
        let delimiter = format!("\r\n{mark}");
        let end = find(content, delimiter.as_bytes(), head + 2).ok_or_else(wrong)?;
        let headers = String::from_utf8_lossy(&content[start..head]).into_owned();
        if parameter(&headers, "name").as_deref() == Some("file") {
            let name = parameter(&headers, "filename").unwrap_or_else(|| "file".to_owned());
            return Ok(Upload {
                name,
                kind: media_type(&headers),
                content: content.slice((head + 4).min(end)..end),
            });
        }
        at = end + 2;
    }
}

fn find(within: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let rest = within.get(from..)?;
    let found = rest.windows(what.len()).position(|part| part == what);
    found.map(|at| at + from)
}

fn parameter(headers: &str, name: &str) -> Option<String> {
    let lead = format!(" {name}=\"");
    let start = headers.find(&lead)? + lead.len();
    let rest = &headers[start..];
    Some(rest[..rest.find('"')?].to_owned())
}

fn media_type(headers: &str) -> String {
    let line = headers
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("content-type:"));
    let kind = line.and_then(|line| line.split_once(':'));
    kind.map_or("application/octet-stream", |(_, kind)| kind.trim())
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_nest_and_number_lists() {
        let read = form(b"customer=5&applied_to[0][type]=invoice&applied_to%5B0%5D%5Bamount%5D=1.50&ids[]=1&ids[]=2");
        assert_eq!(
            read.to_text(),
            r#"{"customer":"5","applied_to":[{"type":"invoice","amount":"1.50"}],"ids":["1","2"]}"#
        );
    }

    #[test]
    fn unnumbered_brackets_open_an_entry_when_a_field_comes_again() {
        let read = form(b"items[][name]=a&items[][quantity]=1&items[][name]=b");
        assert_eq!(
            read.to_text(),
            r#"{"items":[{"name":"a","quantity":"1"},{"name":"b"}]}"#
        );
    }

    #[test]
    fn a_form_s_file_keeps_its_bytes() {
        let content = Bytes::from_static(
            b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n\x00--\r\n--x--\r\n",
        );
        let found = upload("multipart/form-data; boundary=x", &content).unwrap();
        assert_eq!((&*found.name, &*found.kind), ("a.pdf", "application/pdf"));
        assert_eq!(&*found.content, b"%PDF\r\n\x00--");
    }
}
