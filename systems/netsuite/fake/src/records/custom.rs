//! Custom records: types that a customer defined, fields under their script ids.
//!
//! They are kept as they were sent; SuiteQL knows their types (`customrecordtype`), not their rows.

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::response::Response;
use http::{Method, StatusCode};

use crate::auth::Caller;
use crate::auth::role::Level;
use crate::http_surface::{COLLECTION, Call, SINGULAR, json_response, no_content};
use crate::json::Json;
use crate::problem::{Place, Problem};
use crate::query::{self, count};
use crate::schema::stamp;
use crate::{NetSuiteFake, lock};

const PERMISSION: &str = "Lists -> Custom Record Entries";

/// A record's fields, by script id.
pub(crate) type Fields = Vec<(String, Json)>;

/// The records of one type: id and fields.
type Records = BTreeMap<i64, Fields>;

/// The custom records of the account, by type.
#[derive(Debug, Default)]
pub(crate) struct CustomRecords(Mutex<BTreeMap<String, Records>>);

impl CustomRecords {
    /// Puts these in the place of all records of a type.
    pub(crate) fn replace(&self, kind: &str, rows: Vec<Fields>) {
        lock(&self.0).insert(kind.to_owned(), (1..).zip(rows).collect());
    }

    /// Sets a field of the record that is meant; false where there is no such record.
    pub(crate) fn change(
        &self,
        kind: &str,
        is_meant: impl Fn(&Fields) -> bool,
        name: &str,
        value: Json,
    ) -> bool {
        let mut all = lock(&self.0);
        let mut records = all.get_mut(kind).into_iter().flat_map(BTreeMap::values_mut);
        let Some(fields) = records.find(|fields| is_meant(fields)) else {
            return false;
        };
        fields.retain(|(known, _)| known != name);
        fields.push((name.to_owned(), value));
        true
    }
}

/// `/services/rest/record/v1/customrecord_…`
pub(crate) fn dispatch(
    fake: &NetSuiteFake,
    call: &Call,
    caller: &Caller,
    name: &str,
    rest: &[&str],
) -> Result<Response, Problem> {
    let kind = name.to_ascii_lowercase();
    let known = fake.with_books(|books| {
        books
            .prepare_cached("SELECT 1 FROM customrecordtype WHERE scriptid = ?1 COLLATE NOCASE")
            .and_then(|mut statement| statement.exists([&kind]))
    });
    if !known.unwrap_or(false) {
        return Err(
            Problem::missing(format!("Record type '{name}' does not exist."))
                .at(Place::Address(name.to_owned())),
        );
    }
    if !caller.role.may(PERMISSION, Level::Edit) {
        return Err(Problem::forbidden(PERMISSION));
    }
    let base = format!("{}/services/rest/record/v1/{kind}", call.origin());
    let mut all = lock(&fake.custom.0);
    let records = all.entry(kind).or_default();
    match (&call.method, rest) {
        (&Method::GET, []) => list(call, records, &base),
        (&Method::POST, []) => {
            let id = records.keys().next_back().map_or(1, |last| last + 1);
            let fields = changed(fake, Vec::new(), &call.json()?, None)?;
            refuse_taken(records, &fields, id)?;
            records.insert(id, fields);
            Ok(no_content(Some(format!("{base}/{id}"))))
        }
        (&Method::PUT, [address]) => {
            let external = address.strip_prefix("eid:").ok_or_else(|| {
                Problem::new(
                    400,
                    "INVALID_URL",
                    "PUT needs eid:<external ID> in the request URL.",
                )
            })?;
            let id = find(records, address)
                .unwrap_or_else(|| records.keys().next_back().map_or(1, |last| last + 1));
            let old = records.get(&id).cloned().unwrap_or_default();
            records.insert(id, changed(fake, old, &call.json()?, Some(external))?);
            Ok(no_content(Some(format!("{base}/{id}"))))
        }
        (method, [address]) => {
            let id = find(records, address).ok_or_else(|| {
                Problem::missing(
                    "The record instance does not exist. Provide a valid record instance ID.",
                )
            })?;
            match *method {
                Method::GET => {
                    let mut fields = vec![("id".to_owned(), Json::text(id.to_string()))];
                    fields.extend(records.get(&id).cloned().unwrap_or_default());
                    Ok(json_response(
                        StatusCode::OK,
                        SINGULAR,
                        &Json::Object(fields),
                    ))
                }
                Method::PATCH => {
                    let old = records.get(&id).cloned().unwrap_or_default();
                    let fields = changed(fake, old, &call.json()?, None)?;
                    refuse_taken(records, &fields, id)?;
                    records.insert(id, fields);
                    Ok(no_content(Some(format!("{base}/{id}"))))
                }
                Method::DELETE => {
                    records.remove(&id);
                    Ok(no_content(None))
                }
                _ => Err(Problem::method(method)),
            }
        }
        (method, _) => Err(Problem::method(method)),
    }
}

fn external_id(fields: &[(String, Json)]) -> Option<&str> {
    fields
        .iter()
        .find(|(name, _)| name == "externalId")
        .and_then(|(_, value)| value.as_text())
}

fn find(records: &Records, address: &str) -> Option<i64> {
    match address.strip_prefix("eid:") {
        Some(external) => records
            .iter()
            .find(|(_, fields)| {
                external_id(fields).is_some_and(|taken| taken.eq_ignore_ascii_case(external))
            })
            .map(|(id, _)| *id),
        None => address.parse().ok().filter(|id| records.contains_key(id)),
    }
}

fn refuse_taken(records: &Records, fields: &[(String, Json)], id: i64) -> Result<(), Problem> {
    let taken = external_id(fields)
        .and_then(|external| find(records, &format!("eid:{external}")))
        .is_some_and(|other| other != id);
    if taken {
        Err(Problem::user("This record already exists"))
    } else {
        Ok(())
    }
}

fn changed(
    fake: &NetSuiteFake,
    mut fields: Vec<(String, Json)>,
    body: &Json,
    external: Option<&str>,
) -> Result<Vec<(String, Json)>, Problem> {
    let Json::Object(sent) = body else {
        return Err(Problem::new(
            400,
            "INVALID_CONTENT",
            "Invalid content in the request body.",
        ));
    };
    let mut set = |name: &str, value: Json| {
        fields.retain(|(other, _)| other != name);
        if value != Json::Null {
            fields.push((name.to_owned(), value));
        }
    };
    for (name, value) in sent {
        if !matches!(name.as_str(), "id" | "links" | "lastModified") {
            set(name, value.clone());
        }
    }
    if let Some(external) = external {
        set("externalId", Json::text(external));
    }
    set(
        "lastModified",
        Json::text(format!("{}Z", stamp(fake.now()).replace(' ', "T"))),
    );
    Ok(fields)
}

fn list(call: &Call, records: &Records, base: &str) -> Result<Response, Problem> {
    let page = query::page(call, 1000)?;
    let items: Vec<Json> = records
        .keys()
        .skip(page.offset)
        .take(page.limit)
        .map(|id| {
            let link = Json::object([
                ("rel", Json::text("self")),
                ("href", Json::text(format!("{base}/{id}"))),
            ]);
            Json::object([
                ("links", Json::Array(vec![link])),
                ("id", Json::text(id.to_string())),
            ])
        })
        .collect();
    let body = Json::object([
        ("links", query::links(base, page, records.len(), None)),
        ("count", count(items.len())),
        (
            "hasMore",
            Json::Bool(page.offset + items.len() < records.len()),
        ),
        ("items", Json::Array(items)),
        ("offset", count(page.offset)),
        ("totalResults", count(records.len())),
    ]);
    Ok(json_response(StatusCode::OK, COLLECTION, &body))
}
