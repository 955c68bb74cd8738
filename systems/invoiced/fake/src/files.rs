//! Files, and what they are attached to (README §Files).

use bytes::Bytes;

use crate::account::Account;
use crate::call::{Answer, Call, Content, Reply};
use crate::documents::object;
use crate::json::Json;
use crate::kind::Kind;
use crate::pages::{self, Habits};
use crate::problem::Problem;
use crate::shape::{Field, Rule, take};
use crate::show::plain_object;
use crate::table::plain;

static FIELDS: &[Field] = &[
    ("url", Rule::Text),
    ("name", Rule::Text),
    ("size", Rule::Id),
    ("type", Rule::Text),
];

/// `POST /files`: a form with the part `file`, or, as in earlier days, an address with name, size and type.
pub(crate) fn create(account: &mut Account, call: &Call<'_>) -> Result<i64, Problem> {
    let Some(upload) = &call.upload else {
        let given = object(take(FIELDS, &call.body)?);
        if given.text("url").is_none() || given.text("name").is_none() {
            return Err(Problem::param("file", "File is missing"));
        }
        let mut file = Json::Object(Vec::new());
        for (name, _) in FIELDS {
            file.put(name, given.get(name).cloned().unwrap_or(Json::Null));
        }
        return Ok(account.insert(Kind::File, file));
    };
    let token = account.random.token(32);
    let size = i64::try_from(upload.content.len()).unwrap_or(i64::MAX);
    let file = Json::whole([
        ("name", upload.name.as_str().into()),
        ("size", size.into()),
        ("type", upload.kind.as_str().into()),
        ("url", format!("/files/{token}/content").into()),
    ]);
    let content = (upload.kind.clone(), upload.content.clone());
    account.contents.insert(token, content);
    Ok(account.insert(Kind::File, file))
}

/// The bytes behind a file's address; the address is the secret.
pub(crate) fn content(account: &Account, token: &str) -> Option<(String, Bytes)> {
    account.contents.get(token).cloned()
}

/// `GET /invoices/:id/attachments`.
pub(crate) fn attachments(account: &Account, kind: Kind, place: i64, call: &Call<'_>) -> Answer {
    let document = account.get(kind, place)?;
    let files = document.list("_attachments").iter();
    let files: Vec<Json> = files
        .filter_map(|file| account.table(Kind::File).get(plain(file)?.parse().ok()?))
        .map(|file| {
            // An attachment has no identifier of its own.
            Json::object([
                ("object", "attachment".into()),
                ("file", plain_object(Kind::File, file, &call.base)),
            ])
        })
        .collect();
    let habits = Habits {
        sequential: account.switches.sequential_pages,
        next_is_self: account.switches.next_is_self,
    };
    pages::page(call, &habits, files.len(), |index| files[index].clone())
}

/// A document as a page of paper: what it is, its number and its total.
pub(crate) fn pdf(account: &Account, kind: Kind, place: i64) -> Answer {
    let document = account.get(kind, place)?;
    let field = |name: &str| {
        document
            .get(name)
            .and_then(plain)
            .unwrap_or_default()
            .to_owned()
    };
    let shown = match kind {
        Kind::Payment => format!("Receipt {place}: {} {}", field("amount"), field("currency")),
        _ => format!(
            "{} {}: {} {}",
            kind.title(),
            field("number"),
            field("total"),
            field("currency")
        ),
    };
    let content = Content::Bytes("application/pdf".to_owned(), paper(&shown).into());
    Ok(Reply {
        status: 200,
        content,
    })
}

/// A PDF with one line of text.
fn paper(text: &str) -> String {
    let safe: String = text
        .chars()
        .map(|c| {
            if c.is_ascii() && !"()\\".contains(c) && !c.is_control() {
                c
            } else {
                '?'
            }
        })
        .collect();
    let stream = format!("BT /F1 14 Tf 72 720 Td ({safe}) Tj ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>"
            .to_owned(),
        format!("<</Length {}>>stream\n{stream}\nendstream", stream.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(format!("{:010} 00000 n \n", pdf.len()));
        pdf.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
    }
    let start = pdf.len();
    pdf.push_str(&format!(
        "xref\n0 6\n0000000000 65535 f \n{}trailer<</Size 6/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n",
        places.concat()
    ));
    pdf
}
