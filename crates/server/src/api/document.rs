//! The OpenAPI document, made of the table that the router is made of.

use axum::Json;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::operation::{BASE, Operation};
use super::problem::MEDIA_TYPE;
use super::schema::of;

/// What stands in an address.
const IN_PATH: [(&str, &str); 9] = [
    ("code", "A code, such as `unmapped-account`."),
    ("connection", "A connection's name."),
    ("id", "The record's id on its side."),
    ("kind", "A kind of record, such as `bill`."),
    ("run", "A run's id."),
    ("sha256", "The SHA-256 of what was signed."),
    ("side", "`ledger` or `platform`."),
    ("token", "A token's name."),
    ("user", "A user's name."),
];

/// Serves the document.
pub(super) async fn serve() -> Json<Value> {
    Json(document(&super::operations()))
}

/// The document of these operations.
pub(super) fn document(operations: &[Operation]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let path = format!("{BASE}{}", operation.path);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[operation.method.as_str().to_lowercase()] = described(operation);
    }
    let schemas: Map<String, Value> = super::schemas()
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "tieout", "version": env!("CARGO_PKG_VERSION"),
            "description": "All that the pages can do. Amounts are exact decimals in texts; instants are UTC.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
            "responses": {"Problem": {
                "description": "What went wrong: its code, its cause, its fix.",
                "content": {MEDIA_TYPE: {"schema": of("Problem")}},
            }},
        },
    })
}

fn described(operation: &Operation) -> Value {
    let mut parameters: Vec<Value> = operation
        .path_names()
        .into_iter()
        .map(|name| {
            let about = IN_PATH.iter().find(|(known, _)| *known == name);
            json!({
                "name": name, "in": "path", "required": true,
                "description": about.map_or("", |(_, about)| about),
                "schema": {"type": "string", "minLength": 1},
            })
        })
        .collect();
    parameters.extend(operation.query.iter().map(|parameter| {
        json!({
            "name": parameter.name, "in": "query", "description": parameter.about, "schema": parameter.schema,
        })
    }));
    if operation.method == Method::POST {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header",
            "description": "Asked again under the same key within a day, the first answer is given again and \
                            nothing is done twice.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        }));
    }
    if operation
        .refusals
        .contains(&StatusCode::PRECONDITION_FAILED)
    {
        parameters.push(json!({
            "name": "If-Match", "in": "header",
            "description": "The ETag of what was read: another version is refused.",
            "schema": {"type": "string", "pattern": "^(\\*|\"[!#-~]*\")$"},
        }));
    }
    let (status, schema) = operation.answer;
    let mut responses = Map::new();
    for refused in refusals(operation) {
        let problem = json!({"$ref": "#/components/responses/Problem"});
        responses.insert(refused.as_str().to_owned(), problem);
    }
    responses.insert(
        status.as_str().to_owned(),
        json!({
            "description": "Done.", "content": {"application/json": {"schema": of(schema)}},
        }),
    );
    let mut told = json!({
        "operationId": operation.id,
        "summary": operation.about,
        "description": format!("For a role of {} or more.", operation.role),
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(body) = operation.body {
        told["requestBody"] = json!({
            "required": true, "content": {"application/json": {"schema": of(body)}},
        });
    }
    told
}

/// Every refusal that an operation can give.
pub(super) fn refusals(operation: &Operation) -> Vec<StatusCode> {
    let mut all = vec![
        StatusCode::BAD_REQUEST,
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::INTERNAL_SERVER_ERROR,
    ];
    if !operation.path_names().is_empty() {
        all.push(StatusCode::NOT_FOUND);
    }
    if operation.changes() {
        all.push(StatusCode::UNPROCESSABLE_ENTITY);
        all.push(StatusCode::PAYLOAD_TOO_LARGE);
    }
    if operation.body.is_some() {
        all.push(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    if operation.method == Method::POST {
        all.push(StatusCode::CONFLICT);
    }
    all.extend(&operation.refusals);
    all.sort_unstable();
    all.dedup();
    all
}
