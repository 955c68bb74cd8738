//! The preferences of BILL's own sync: the custom record "Bill.com Preferences" that its bundle installs, one
//! row for each subsidiary. Read, and never written (README §BILL's own sync).
//!
//! The ids of the record and of its fields are not public. The record is found by its name, or by the script
//! id that a connection names; a field is known by the words in its id, and one that isn't known is shown all
//! the same.

use std::collections::BTreeMap;

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;
use tieout_domain::code::Code;
use tieout_domain::other_sync::{Meaning, OtherField, OtherSync};
use tieout_domain::{Fault, RemoteId};

use crate::call::{Call, Client};
use crate::problem::{Aim, not_there};

/// Finds the record type by the name that the bundle gives it.
const TYPES: &str = "SELECT scriptid AS scriptid, name AS name FROM customrecordtype \
                     WHERE LOWER(name) LIKE '%bill.com preferences%'";

/// The most rows that are looked at: an account has one for each subsidiary.
const ROWS_MAX: usize = 300;

/// What is known of a field: all of these words are in its id, and this is what it amounts to.
struct Known {
    words: &'static [&'static str],
    amounts_to: Amounts,
}

/// What a known field amounts to.
enum Amounts {
    /// A preference that takes the value as it is.
    Preference(&'static str),
    /// A preference that takes the id of what the field refers to.
    Reference(&'static str),
    /// Nothing to set; tieout's way, in words.
    Settled(&'static str),
}

/// The first row whose words are all in a field's id is its meaning. The behaviours are those that BILL's help
/// describes (README §BILL's own sync).
const FIELDS: &[Known] = &[
    Known {
        words: &["department", "default"],
        amounts_to: Amounts::Reference("miscellaneous.default_department"),
    },
    Known {
        words: &["location", "default"],
        amounts_to: Amounts::Reference("miscellaneous.default_location"),
    },
    Known {
        words: &["class", "default"],
        amounts_to: Amounts::Reference("miscellaneous.default_class"),
    },
    Known {
        words: &["clearing", "account"],
        amounts_to: Amounts::Reference("transactions.payment_account"),
    },
    Known {
        words: &["payment", "account"],
        amounts_to: Amounts::Reference("transactions.payment_account"),
    },
    Known {
        words: &["start", "date"],
        amounts_to: Amounts::Preference("transactions.bills_from"),
    },
    Known {
        words: &["approved", "only"],
        amounts_to: Amounts::Settled(
            "tieout always sends approved bills and credits only; who approves in BILL is BILL's to say",
        ),
    },
    Known {
        words: &["no_bills"],
        amounts_to: Amounts::Settled(
            "tieout sends bills from NetSuite to BILL; to keep that off, leave the flow `bills` out",
        ),
    },
    Known {
        words: &["no_credits"],
        amounts_to: Amounts::Settled(
            "tieout sends vendor credits to BILL; to keep that off, leave the flow `vendor-credits` out",
        ),
    },
    Known {
        words: &["attachment"],
        amounts_to: Amounts::Settled("tieout leaves attachments where they are"),
    },
];

/// Fields that every record has, or that are read for what they are.
const FRAME: [&str; 8] = [
    "id",
    "links",
    "name",
    "externalId",
    "created",
    "lastModified",
    "owner",
    "isInactive",
];

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    items: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
}

impl Client {
    /// The rows of the record: all that are for the connection's subsidiary, or for none. Empty where the
    /// account has no such record.
    pub(crate) async fn bundle_preferences(&self) -> Result<Vec<OtherSync>, Fault> {
        let types = match self.preference_records().await {
            // Without custom records there are none of BILL's.
            Err(Fault::Refused { code, .. }) if code == Code::new("feature-off") => Vec::new(),
            types => types?,
        };
        let mut found = self.all_bundle_preferences(&types).await?;
        found.retain(|row| self.is_for_us(row));
        Ok(found)
    }

    /// Whether a row is for the connection's subsidiary, or for none.
    pub(crate) fn is_for_us(&self, row: &OtherSync) -> bool {
        let own = self.settings.subsidiary.as_ref();
        own.is_none() || row.subsidiary.is_none() || row.subsidiary.as_ref() == own
    }

    /// The rows of these types, whichever subsidiary they are for.
    pub(crate) async fn all_bundle_preferences(
        &self,
        types: &[(String, String)],
    ) -> Result<Vec<OtherSync>, Fault> {
        let mut found = Vec::new();
        for (script_id, title) in types {
            let path = format!("/services/rest/record/v1/{script_id}");
            let list: List = match self.get(&path, vec![("limit", ROWS_MAX.to_string())]).await {
                // A type that is named in the configuration need not be there (any more).
                Err(Fault::Refused { code, .. }) if code.as_str() == "gone-there" => continue,
                other => read(other?)?,
            };
            for listed in list.items.iter().take(ROWS_MAX) {
                let id = utf8_percent_encode(&listed.id, NON_ALPHANUMERIC);
                let fields: BTreeMap<String, Value> =
                    read(self.get(&format!("{path}/{id}"), Vec::new()).await?)?;
                found.push(row(title, script_id, &listed.id, fields));
            }
        }
        Ok(found)
    }

    /// Script id and name of the record types that hold the preferences; `feature-off` in an account that has no custom
    /// records.
    pub(crate) async fn preference_records(&self) -> Result<Vec<(String, String)>, Fault> {
        if let Some(named) = &self.settings.preferences_record {
            return Ok(vec![(named.clone(), "Bill.com Preferences".to_owned())]);
        }
        let found = self.query(TYPES, &[]).await;
        let rows = found.map_err(without_types)?.rows;
        let named = rows.iter().map(|row| {
            (
                row.string("scriptid").to_ascii_lowercase(),
                row.string("name"),
            )
        });
        // The script id becomes part of an address.
        let fits = |id: &str| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        Ok(named.filter(|(id, _)| !id.is_empty() && fits(id)).collect())
    }

    async fn get(&self, path: &str, query: Vec<(&'static str, String)>) -> Result<Vec<u8>, Fault> {
        let call = Call {
            method: Method::GET,
            path: path.to_owned(),
            query,
            body: None,
            aim: Aim::Read,
        };
        Ok(self.send(&call).await?.body.to_vec())
    }
}

/// An account without custom records has no table of their types. What is refused in other words may be there.
fn without_types(fault: Fault) -> Fault {
    match fault {
        Fault::Refused { field, cause, .. } if not_there(&cause) => Fault::Refused {
            code: Code::new("feature-off"),
            field,
            cause: format!("the account shows no types of custom records: {cause}"),
        },
        other => other,
    }
}

fn read<T: for<'a> Deserialize<'a>>(bytes: Vec<u8>) -> Result<T, Fault> {
    serde_json::from_slice(&bytes).map_err(|error| Fault::Drift {
        code: Code::new("drift"),
        cause: format!("a custom record isn't as documented: {error}"),
    })
}

fn row(title: &str, script_id: &str, id: &str, fields: BTreeMap<String, Value>) -> OtherSync {
    let mut subsidiary = None;
    let mut active = switch(fields.get("isInactive")).and_then(|off| off.then_some(false));
    let mut shown = Vec::new();
    for (name, value) in &fields {
        let words = name.to_ascii_lowercase();
        if words.contains("subsidiary") {
            subsidiary = reference(value).map(RemoteId::new);
        } else if words.contains("active") && !FRAME.contains(&name.as_str()) {
            active = active.or_else(|| switch(Some(value)));
        }
        if !FRAME.contains(&name.as_str()) {
            shown.push(OtherField {
                name: name.clone(),
                value: plain(value),
                meaning: meaning(&words, value),
            });
        }
    }
    OtherSync {
        title: format!("{title} ({script_id})"),
        id: RemoteId::new(id),
        subsidiary,
        active,
        fields: shown,
    }
}

fn meaning(words: &str, value: &Value) -> Meaning {
    if words.contains("subsidiary") || words.contains("active") {
        return Meaning::Settled("says for whom it is, and whether it is on".to_owned());
    }
    let known = FIELDS
        .iter()
        .find(|known| known.words.iter().all(|word| words.contains(word)));
    match known.map(|known| &known.amounts_to) {
        None => Meaning::Unknown,
        Some(Amounts::Settled(why)) => Meaning::Settled((*why).to_owned()),
        Some(Amounts::Preference(key)) => Meaning::Preference((*key).to_owned(), plain(value)),
        Some(Amounts::Reference(key)) => match reference(value) {
            Some(id) => Meaning::Preference((*key).to_owned(), id),
            None => Meaning::Preference((*key).to_owned(), plain(value)),
        },
    }
}

/// The id that a field refers to.
fn reference(value: &Value) -> Option<String> {
    Some(value.get("id")?.as_str()?.to_owned())
}

fn switch(value: Option<&Value>) -> Option<bool> {
    match value? {
        Value::Bool(switch) => Some(*switch),
        Value::String(text) => match text.as_str() {
            "T" | "true" => Some(true),
            "F" | "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A value as people read it: a reference by its name.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Object(fields) => fields
            .get("refName")
            .or_else(|| fields.get("id"))
            .map(plain)
            .unwrap_or_default(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> OtherSync {
        let fields = serde_json::from_value(value).unwrap();
        row("Bill.com Preferences", "customrecord_x", "7", fields)
    }

    #[test]
    fn s210_fields_are_known_by_their_words_and_none_is_dropped() {
        let row = of(json!({
            "id": "7", "links": [], "custrecord_b_subsidiary": {"id": "3", "refName": "Acme US"},
            "custrecord_b_active": true, "custrecord_b_default_department": {"id": "12", "refName": "AP"},
            "custrecord_b_only_approved": true, "custrecord_b_colour": "blue",
        }));
        assert_eq!(row.subsidiary, Some(RemoteId::new("3")));
        assert_eq!(row.active, Some(true));
        let meaning = |name: &str| {
            let field = row.fields.iter().find(|field| field.name.contains(name));
            field.map(|field| field.meaning.clone()).unwrap()
        };
        assert_eq!(
            meaning("department"),
            Meaning::Preference(
                "miscellaneous.default_department".to_owned(),
                "12".to_owned()
            )
        );
        assert!(matches!(meaning("approved"), Meaning::Settled(_)));
        assert_eq!(meaning("colour"), Meaning::Unknown);
        assert_eq!(row.fields.len(), 5, "{:?}", row.fields);
    }

    #[test]
    fn s249_a_record_that_doesnt_say_so_is_not_taken_to_be_off() {
        assert!(of(json!({"id": "7"})).may_be_active());
        assert!(of(json!({"id": "7", "custrecord_b_active": "T"})).may_be_active());
        assert!(!of(json!({"id": "7", "custrecord_b_active": false})).may_be_active());
        assert!(
            !of(json!({"id": "7", "isInactive": true, "custrecord_b_active": true}))
                .may_be_active()
        );
    }
}
