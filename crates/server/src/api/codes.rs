//! Codes: what one means, its causes, and the fix. The `type` of every problem leads here.

use axum::Json;
use axum::routing::get;
use http::Method;
use serde_json::{Value, json};
use tieout_domain::code::{Code, Page};

use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, list, object, of, text};
use super::taking::{Asked, Named, Nothing};

/// What can be asked of codes.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            ("listCodes", Method::GET, "/codes"),
            "CodeList",
            "All codes.",
            get(all),
        ),
        Operation::new(
            ("getCode", Method::GET, "/codes/{code}"),
            "CodePage",
            "What a code means, its causes, and the fix.",
            get(one),
        ),
    ]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let page = json!({
        "code": of("Code"), "title": text(), "who": text(), "fix": text(),
        "text": {"type": "string", "description": "The whole page, in Markdown."},
    });
    vec![
        ("CodeList", object(json!({"items": list(of("Code"))}), &[])),
        ("CodePage", object(page, &[])),
    ]
}

async fn all(Asked(Nothing {}): Asked<Nothing>) -> Json<Value> {
    Json(json!({"items": Page::names()}))
}

async fn one(
    Named(code): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Json<Value>, Problem> {
    let code = Code::from_text(code);
    let Some(page) = code.page() else {
        let cause = format!("`{code}` is no code");
        return Err(Problem::missing(Code::new("unknown-code"), cause));
    };
    Ok(Json(json!({
        "code": code, "title": page.title(), "who": page.who(), "fix": page.fix(), "text": page.text(),
    })))
}
