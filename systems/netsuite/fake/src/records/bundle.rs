//! BILL's own sync, as far as an account shows it: the custom record "Bill.com Preferences" that its bundle
//! installs, one row for each subsidiary. The real ids are not public; these are invented.

use rusqlite::Connection;
use serde_json::{Value, json};
use tieout_kit::fake::ControlError;

use super::custom::Fields;
use crate::NetSuiteFake;
use crate::json::Json;

/// The record type's script id. Invented.
const SCRIPT_ID: &str = "customrecord_billcom_preferences";

/// The field that says whose row it is. Invented, as all of them.
const SUBSIDIARY: &str = "custrecord_billcom_subsidiary";

/// `POST /control/netsuite/bundle`: `{"action": "install", "active": true}`, `uninstall`, or `set` with
/// `subsidiary` and `fields`: what a person does on the bundle's page and on the record's. Installing starts with
/// the preferences' defaults: the old ones are lost.
pub(crate) fn control(fake: &NetSuiteFake, body: &Value) -> Result<Value, ControlError> {
    let wrong = |error: rusqlite::Error| ControlError::bad(format!("bundle: {error}"));
    let rows = match body.get("action").and_then(Value::as_str) {
        Some("install") => {
            let active = body.get("active").and_then(Value::as_bool).unwrap_or(true);
            fake.with_books(|books| {
                uninstall(books)?;
                install(books)?;
                rows(books, fake.one_world, active)
            })
            .map_err(wrong)?
        }
        Some("uninstall") => {
            fake.with_books(uninstall).map_err(wrong)?;
            Vec::new()
        }
        Some("set") => return set(fake, body),
        _ => return Err(ControlError::bad("action: use install, uninstall or set")),
    };
    let count = rows.len();
    fake.custom.replace(SCRIPT_ID, rows);
    Ok(json!({"record": SCRIPT_ID, "rows": count}))
}

/// `{"action": "set", "subsidiary": "3", "fields": {"custrecord_billcom_only_approved": true}}`
fn set(fake: &NetSuiteFake, body: &Value) -> Result<Value, ControlError> {
    let subsidiary = body.get("subsidiary").and_then(Value::as_str);
    let subsidiary =
        subsidiary.ok_or_else(|| ControlError::bad("bundle: set needs \"subsidiary\": an id"))?;
    let fields = body
        .get("fields")
        .and_then(Value::as_object)
        .ok_or_else(|| ControlError::bad("bundle: set needs \"fields\""))?;
    for (name, value) in fields {
        let value = match value {
            Value::Bool(value) => Json::Bool(*value),
            Value::String(text) => Json::text(text.as_str()),
            _ => {
                return Err(ControlError::bad(format!(
                    "bundle: {name} must be text or true or false"
                )));
            }
        };
        let is_meant = |fields: &Fields| {
            fields.iter().any(|(name, value)| {
                name == SUBSIDIARY && value.get("id").and_then(Json::as_text) == Some(subsidiary)
            })
        };
        if !fake.custom.change(SCRIPT_ID, is_meant, name, value) {
            return Err(ControlError::missing("bundle: there is no such row"));
        }
    }
    Ok(json!({"subsidiary": subsidiary}))
}

fn install(books: &Connection) -> rusqlite::Result<()> {
    books.execute(
        "INSERT INTO customrecordtype (internalid, name, scriptid, description, isinactive) VALUES \
         ((SELECT COALESCE(MAX(internalid), 0) + 1 FROM customrecordtype), 'Bill.com Preferences', ?1, \
         'Bill.com Sync for NetSuite', 'F')",
        [SCRIPT_ID],
    )?;
    Ok(())
}

fn uninstall(books: &Connection) -> rusqlite::Result<()> {
    books.execute(
        "DELETE FROM customrecordtype WHERE scriptid = ?1",
        [SCRIPT_ID],
    )?;
    Ok(())
}

fn rows(books: &Connection, one_world: bool, active: bool) -> rusqlite::Result<Vec<Fields>> {
    if !one_world {
        return Ok(vec![fields(None, active, None)]);
    }
    let department: Option<(i64, String)> = books
        .query_row(
            "SELECT id, name FROM department ORDER BY id LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .ok();
    let mut statement = books.prepare("SELECT id, name FROM subsidiary ORDER BY id")?;
    let named = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    named
        .map(|subsidiary| Ok(fields(Some(subsidiary?), active, department.clone())))
        .collect()
}

fn fields(
    subsidiary: Option<(i64, String)>,
    active: bool,
    department: Option<(i64, String)>,
) -> Fields {
    let reference = |(id, name): (i64, String)| {
        Json::object([
            ("id", Json::text(id.to_string())),
            ("refName", Json::text(name)),
        ])
    };
    let mut fields = vec![
        ("name".to_owned(), Json::text("Bill.com Preferences")),
        ("custrecord_billcom_active".to_owned(), Json::Bool(active)),
        (
            "custrecord_billcom_sync_departments".to_owned(),
            Json::Bool(true),
        ),
        (
            "custrecord_billcom_no_bills_to_billcom".to_owned(),
            Json::Bool(false),
        ),
        (
            "custrecord_billcom_no_credits_to_billcom".to_owned(),
            Json::Bool(false),
        ),
        (
            "custrecord_billcom_only_approved".to_owned(),
            Json::Bool(true),
        ),
        ("custrecord_billcom_po_prefix".to_owned(), Json::text("PO-")),
    ];
    if let Some(subsidiary) = subsidiary {
        fields.push((SUBSIDIARY.to_owned(), reference(subsidiary)));
    }
    if let Some(department) = department {
        fields.push((
            "custrecord_billcom_default_department".to_owned(),
            reference(department),
        ));
    }
    fields
}
