//! The connection's table in `tieout.toml`. What a person wrote there, comments included, stays.

use std::path::Path;

use serde_json::Value;
use tieout_domain::code::Code;
use toml_edit::{DocumentMut, Item, Table, TableLike};

use super::Values;
use super::given::Given;
use crate::failure::Failure;

/// The file's text with the connection in it. Nothing is written yet.
pub(super) fn written(path: &Path, given: &Given) -> Result<String, Failure> {
    let text =
        std::fs::read_to_string(path).map_err(|error| Failure::file("can't read", path, &error))?;
    with(&text, given.name.as_str(), &given.values).map_err(|cause| {
        Failure::usage(
            Code::new("config-syntax"),
            format!("{}: {cause}", path.display()),
        )
    })
}

/// The file's text with these templates in it, where it has none of the name. Nothing is written yet.
pub(super) fn with_templates(path: &Path, templates: &Values) -> Result<String, Failure> {
    let text =
        std::fs::read_to_string(path).map_err(|error| Failure::file("can't read", path, &error))?;
    let wrong = |cause: String| {
        let cause = format!("{}: {cause}", path.display());
        Failure::usage(Code::new("config-syntax"), cause)
    };
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| wrong(error.to_string()))?;
    if document.get("templates").is_none() {
        let mut all = Table::new();
        all.set_implicit(true);
        document.insert("templates", Item::Table(all));
    }
    let all = table_like(document.get_mut("templates"), "templates").map_err(wrong)?;
    for (name, values) in templates {
        let Value::Object(values) = values else {
            continue;
        };
        if all.get(name).is_none() {
            all.insert(name, Item::Table(Table::new()));
            let table = table_like(all.get_mut(name), name).map_err(wrong)?;
            merge(table, values, false).map_err(wrong)?;
        }
    }
    Ok(document.to_string())
}

fn with(text: &str, name: &str, values: &Values) -> Result<String, String> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| error.to_string())?;
    let is_new = document
        .get("connections")
        .and_then(|all| all.get(name))
        .is_none();
    // Comments at the end of the file stay before what is added after them.
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    if document.get("connections").is_none() {
        let mut all = Table::new();
        all.set_implicit(true);
        document.insert("connections", Item::Table(all));
    }
    let all = table_like(document.get_mut("connections"), "connections")?;
    if is_new {
        let mut table = Table::new();
        table.set_position(Some(LAST));
        let blank = if trailing.is_empty() || trailing.ends_with("\n\n") {
            ""
        } else {
            "\n"
        };
        table.decor_mut().set_prefix(format!("{trailing}{blank}"));
        all.insert(name, Item::Table(table));
    }
    merge(table_like(all.get_mut(name), name)?, values, is_new)?;
    if is_new {
        document.set_trailing("");
    }
    Ok(document.to_string())
}

/// After every table of the file.
const LAST: isize = isize::MAX;

fn table_like<'a>(item: Option<&'a mut Item>, name: &str) -> Result<&'a mut dyn TableLike, String> {
    item.and_then(Item::as_table_like_mut)
        .ok_or_else(|| format!("`{name}` is no table"))
}

fn merge(into: &mut dyn TableLike, values: &Values, last: bool) -> Result<(), String> {
    // Plain values first: below a table's heading they would belong to that table.
    let (tables, plain): (Vec<_>, Vec<_>) = values.iter().partition(|(_, v)| v.is_object());
    let pair_first = |key: &String| key.as_str() != "pair";
    let mut plain = plain;
    plain.sort_by_key(|(key, _)| pair_first(key));
    for (key, value) in plain {
        match edited(value) {
            Some(value) => match into.get_mut(key) {
                Some(Item::Value(there)) => {
                    let decor = there.decor().clone();
                    *there = value;
                    *there.decor_mut() = decor;
                }
                _ => {
                    into.insert(key, Item::Value(value));
                }
            },
            None => {
                into.remove(key);
            }
        }
    }
    for (key, value) in tables {
        let Value::Object(inner) = value else {
            continue;
        };
        if into.get(key).is_none() {
            let mut table = Table::new();
            // A heading of its own only where there is something under it.
            table.set_implicit(inner.values().all(Value::is_object) && !inner.is_empty());
            if last {
                table.set_position(Some(LAST));
            }
            into.insert(key, Item::Table(table));
        }
        merge(table_like(into.get_mut(key), key)?, inner, last)?;
    }
    Ok(())
}

/// A plain value as TOML; nothing (null) takes the key out.
fn edited(value: &Value) -> Option<toml_edit::Value> {
    match value {
        Value::String(text) => Some(text.as_str().into()),
        Value::Bool(switch) => Some((*switch).into()),
        Value::Number(number) => number.as_i64().map(Into::into),
        Value::Array(items) => Some(
            items
                .iter()
                .filter_map(edited)
                .collect::<toml_edit::Array>()
                .into(),
        ),
        Value::Null | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(value: Value) -> Values {
        let Value::Object(values) = value else {
            panic!("an object")
        };
        values
    }

    #[test]
    fn a_new_connection_comes_last_and_comments_stay() {
        let text = "# mine\n[connections.a]\npair = \"x\" # keep\n\n[server]\nlisten = \"l\"\n\n# an example\n# [x]\n";
        let new = values(json!({
            "netsuite": {"account": "1", "subsidiary": null}, "pair": "netsuite-bill",
            "bill": {"organization": "008", "bulk": 50},
            "preferences": {"lists": {"create_missing": true}},
        }));
        let written = with(text, "b", &new).unwrap();
        assert!(written.starts_with(text), "{written}");
        assert_eq!(
            written.strip_prefix(text).unwrap(),
            "\n[connections.b]\npair = \"netsuite-bill\"\n\n[connections.b.bill]\nbulk = 50\n\
             organization = \"008\"\n\n[connections.b.netsuite]\naccount = \"1\"\n\n\
             [connections.b.preferences.lists]\ncreate_missing = true\n"
        );
    }

    #[test]
    fn a_change_touches_only_what_was_given() {
        let text = "[connections.a]\npair = \"netsuite-bill\"\n# the account\n[connections.a.netsuite]\n\
                    account = \"1\" # theirs\nsubsidiary = \"3\"\n[server]\n";
        let change = values(json!({"netsuite": {"account": "2", "subsidiary": null}}));
        assert_eq!(
            with(text, "a", &change).unwrap(),
            "[connections.a]\npair = \"netsuite-bill\"\n# the account\n[connections.a.netsuite]\n\
             account = \"2\" # theirs\n[server]\n"
        );
    }

    #[test]
    fn the_first_connection_of_an_empty_file() {
        let written = with("", "a", &values(json!({"pair": "netsuite-bill"}))).unwrap();
        assert_eq!(written, "[connections.a]\npair = \"netsuite-bill\"\n");
    }
}
