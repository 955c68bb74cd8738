//! The bundle of BILL's own sync: the custom record "Bill.com Preferences" that comes and goes with it, one row for
//! each subsidiary.
//!
//! Its real script id and field ids are not public: these are invented, and a client must find the record by its name
//! (README, section *BILL's own sync*).

use serde_json::{Value, json};
use tieout_kit::fake::ControlError;

use crate::json::Json;
use crate::{NetSuiteFake, lock};

/// The record's invented script id.
const SCRIPT_ID: &str = "customrecord_bdc_preferences";
/// The name by which people and clients find it.
const NAME: &str = "Bill.com Preferences";

/// `bundle`: `{"action": "install"}`, `uninstall`, or `set` with `subsidiary` and `fields`: what a person does on the
/// bundle's page and on the record's. Installing starts with the preferences' defaults: the old ones are lost.
pub(crate) fn control(fake: &NetSuiteFake, body: &Value) -> Result<Value, ControlError> {
    match body.get("action").and_then(Value::as_str) {
        Some("install") => install(fake),
        Some("uninstall") => uninstall(fake),
        Some("set") => set(fake, body),
        _ => Err(ControlError::bad(
            "bundle: needs \"action\": install, uninstall or set",
        )),
    }
}

fn install(fake: &NetSuiteFake) -> Result<Value, ControlError> {
    uninstall(fake)?;
    let subsidiaries = fake
        .with_books(|books| {
            books.execute(
                "INSERT INTO customrecordtype (internalid, name, scriptid, description, isinactive)
                 VALUES (901, ?1, ?2, '', 'F')",
                [NAME, SCRIPT_ID],
            )?;
            let mut statement = books.prepare("SELECT id, name FROM subsidiary ORDER BY id")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<Vec<(i64, String)>, _>>()
        })
        .map_err(|error| ControlError::bad(format!("bundle: {error}")))?;
    let rows = subsidiaries.len();
    for (id, name) in subsidiaries {
        let reference = Json::object([
            ("id", Json::text(id.to_string())),
            ("refName", Json::text(name)),
        ]);
        let fields = [
            ("custrecord_bdc_subsidiary", reference),
            ("custrecord_bdc_sync_active", Json::Bool(true)),
            ("custrecord_bdc_only_approved", Json::Bool(false)),
            ("custrecord_bdc_start_date", Json::text("")),
            ("custrecord_bdc_memo_prefix", Json::text("BILL")),
        ];
        let fields = fields
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec();
        fake.custom.put(SCRIPT_ID, id, fields);
    }
    Ok(json!({"record": SCRIPT_ID, "rows": rows}))
}

fn uninstall(fake: &NetSuiteFake) -> Result<Value, ControlError> {
    fake.with_books(|books| {
        books.execute(
            "DELETE FROM customrecordtype WHERE scriptid = ?1",
            [SCRIPT_ID],
        )
    })
    .map_err(|error| ControlError::bad(format!("bundle: {error}")))?;
    fake.custom.forget(SCRIPT_ID);
    Ok(json!({"record": Value::Null}))
}

/// `{"action": "set", "subsidiary": "3", "fields": {"custrecord_bdc_only_approved": true}}`
fn set(fake: &NetSuiteFake, body: &Value) -> Result<Value, ControlError> {
    let subsidiary = body.get("subsidiary").and_then(Value::as_str);
    let id = subsidiary
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| ControlError::bad("bundle: set needs \"subsidiary\": an id"))?;
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
        if !fake.custom.change(SCRIPT_ID, id, name, value) {
            return Err(ControlError::missing("bundle: there is no such row"));
        }
    }
    Ok(json!({"id": id.to_string()}))
}

impl super::custom::CustomRecords {
    /// One record, whole.
    fn put(&self, kind: &str, id: i64, fields: Vec<(String, Json)>) {
        lock(&self.0)
            .entry(kind.to_owned())
            .or_default()
            .insert(id, fields);
    }

    /// One field of a record; false where there is no such record.
    fn change(&self, kind: &str, id: i64, name: &str, value: Json) -> bool {
        let mut all = lock(&self.0);
        let Some(fields) = all.get_mut(kind).and_then(|records| records.get_mut(&id)) else {
            return false;
        };
        fields.retain(|(known, _)| known != name);
        fields.push((name.to_owned(), value));
        true
    }

    /// All records of a type.
    fn forget(&self, kind: &str) {
        lock(&self.0).remove(kind);
    }
}
