//! Credentials: names, kinds, who uses them, when they end. Their values never come back out.

use axum::Json;
use axum::routing::get;
use http::Method;
use serde_json::{Value, json};

use super::operation::Operation;
use super::problem::Problem;
use super::schema::{Schema, all_of, count, instant, list, maybe, object, text};
use super::taking::{Asked, Nothing};
use crate::view::View;

/// What can be asked of credentials.
pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::new(
        ("listCredentials", Method::GET, "/credentials"),
        "CredentialList",
        "The credentials by name, without their values: which connections use them, when they end.",
        get(all),
    )]
}

/// Their schemas.
pub(super) fn schemas() -> Vec<Schema> {
    let credential = json!({
        "name": text(), "kind": text(), "version": count(), "set_at": instant(), "set_by": text(),
        "used_by": list(text()), "serves": list(text()), "last_used": maybe(instant()),
        "expires": maybe(json!({"type": "string", "format": "date"})), "days_left": maybe(json!({"type": "integer"})),
    });
    vec![
        ("Credential", object(credential, &[])),
        ("CredentialList", all_of("Credential")),
    ]
}

async fn all(view: View, Asked(Nothing {}): Asked<Nothing>) -> Result<Json<Value>, Problem> {
    let credentials = view.program.credentials().await?;
    Ok(Json(json!({ "items": credentials })))
}
