//! The metadata catalogue: which record types there are, and the fields of each.

use axum::response::Response;
use http::{Method, StatusCode};

use super::catalog::{RECORD_TYPES, RecordType};
use crate::NetSuiteFake;
use crate::auth::Caller;
use crate::auth::role::Level;
use crate::http_surface::{COLLECTION, Call, json_response};
use crate::json::Json;
use crate::problem::{Place, Problem};
use crate::query::count;
use crate::schema::{Display, Kind};

/// `GET /services/rest/record/v1/metadata-catalog[/{type}][?select=…]`
pub(crate) fn dispatch(
    fake: &NetSuiteFake,
    call: &Call,
    caller: &Caller,
    rest: &[&str],
) -> Result<Response, Problem> {
    if call.method != Method::GET {
        return Err(Problem::method(&call.method));
    }
    let open_api = call
        .header("accept")
        .is_some_and(|media| media.contains("swagger"));
    match rest {
        [] if open_api => Ok(description(fake, &selected(fake, call, caller)?)),
        [] => Ok(list(fake, call, caller)),
        [name] => {
            let record = find(fake, caller, name)?;
            if open_api {
                Ok(description(fake, &[record]))
            } else {
                Ok(json_response(
                    StatusCode::OK,
                    "application/schema+json; charset=UTF-8",
                    &schema(fake, record),
                ))
            }
        }
        _ => Err(Problem::new(404, "INVALID_URL", "Resource does not exist.")),
    }
}

/// The record types that the role can open: the catalogue depends on it.
fn visible<'a>(
    fake: &NetSuiteFake,
    caller: &'a Caller,
) -> impl Iterator<Item = &'static RecordType> + use<'a> {
    let one_world = fake.one_world;
    RECORD_TYPES
        .iter()
        .filter(move |record| one_world || record.name != "subsidiary")
        .filter(|record| caller.role.may(record.permission, Level::Edit))
}

fn find(fake: &NetSuiteFake, caller: &Caller, name: &str) -> Result<&'static RecordType, Problem> {
    visible(fake, caller)
        .find(|record| record.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| {
            Problem::missing(format!("Record type '{name}' does not exist."))
                .at(Place::Address(name.to_owned()))
        })
}

fn selected(
    fake: &NetSuiteFake,
    call: &Call,
    caller: &Caller,
) -> Result<Vec<&'static RecordType>, Problem> {
    match call.parameter("select") {
        None => Ok(visible(fake, caller).collect()),
        Some(names) => names
            .split(',')
            .map(|name| find(fake, caller, name.trim()))
            .collect(),
    }
}

fn list(fake: &NetSuiteFake, call: &Call, caller: &Caller) -> Response {
    let items: Vec<Json> = visible(fake, caller)
        .map(|record| {
            let href = format!(
                "{}/services/rest/record/v1/metadata-catalog/{}",
                call.origin(),
                record.name
            );
            let link = Json::object([("rel", Json::text("canonical")), ("href", Json::text(href))]);
            Json::object([
                ("name", Json::text(record.name)),
                ("links", Json::Array(vec![link])),
            ])
        })
        .collect();
    let body = Json::object([
        ("totalResults", count(items.len())),
        ("items", Json::Array(items)),
    ]);
    json_response(StatusCode::OK, COLLECTION, &body)
}

fn schema(fake: &NetSuiteFake, record: &RecordType) -> Json {
    let mut properties = Vec::new();
    for field in record.fields() {
        let hidden = !fake.one_world && matches!(field.column, Some("subsidiary" | "x_subsidiary"));
        if hidden {
            continue;
        }
        let kind = match record.column(field) {
            Some(column) => match (column.kind, column.display) {
                (Kind::Int, Display::Of(..)) => "object",
                (Kind::Int, _) if field.refers.is_some() => "object",
                (Kind::Amount, _) => "number",
                (Kind::Flag, _) => "boolean",
                (Kind::Int, Display::Plain) if field.name != "id" => "integer",
                _ => "string",
            },
            None => "string",
        };
        properties.push((
            field.name.to_owned(),
            Json::object([
                ("type", Json::text(kind)),
                ("nullable", Json::Bool(true)),
                ("readOnly", Json::Bool(!field.writable)),
                ("x-ns-custom-field", Json::Bool(false)),
                ("x-ns-filterable", Json::Bool(field.column.is_some())),
            ]),
        ));
    }
    for sublist in record.sublists {
        properties.push((
            sublist.name.to_owned(),
            Json::object([("type", Json::text("object"))]),
        ));
    }
    Json::object([
        ("type", Json::text("object")),
        ("properties", Json::Object(properties)),
        ("x-ns-filterable", Json::Array(Vec::new())),
    ])
}

/// An OpenAPI document whose description names account and role, as the service's does.
fn description(fake: &NetSuiteFake, records: &[&'static RecordType]) -> Response {
    let told = format!(
        "This document was generated on {} for account {} with role {}.",
        fake.now(),
        fake.account.realm(),
        fake.credentials.role().name()
    );
    let schemas = records
        .iter()
        .map(|record| (record.name.to_owned(), schema(fake, record)))
        .collect();
    let paths = records
        .iter()
        .map(|record| (format!("/{}", record.name), Json::Object(Vec::new())))
        .collect();
    let body = Json::object([
        ("openapi", Json::text("3.0.1")),
        (
            "info",
            Json::object([
                ("title", Json::text("NetSuite REST Record API")),
                ("version", Json::text("2026.1")),
                ("description", Json::text(told)),
            ]),
        ),
        ("paths", Json::Object(paths)),
        (
            "components",
            Json::object([("schemas", Json::Object(schemas))]),
        ),
    ]);
    json_response(
        StatusCode::OK,
        "application/swagger+json; charset=UTF-8",
        &body,
    )
}
