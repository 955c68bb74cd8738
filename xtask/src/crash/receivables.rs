//! Receivables with Invoiced: what a company that sells needs to have chosen, what its people and customers do, and
//! what both services hold in the end.

mod acts;
mod holdings;

use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};

pub(super) use acts::Traders;
pub(super) use holdings::{books, fields, joined, ledger};

use super::books::text;
use crate::panel::Caller;
use crate::sandbox::Sandbox;

/// The preferences that say which of the ledger's items stand on what comes from the platform, and by what name the
/// sandbox's world has them.
const ITEMS: [(&str, &str); 4] = [
    ("default_item", "Consulting hour"),
    ("tax_item", "Sales tax"),
    ("discount_item", "Discount"),
    ("fee_item", "Freight to customer"),
];

/// What has to be chosen before anything is written to the ledger.
pub(super) fn preferences(sandbox: &Sandbox, caller: &Caller) -> Result<toml::Table> {
    let mut chosen: toml::Table =
        "reconcile = true\nfirst_sync = \"all\"\nfailed_payments = \"reverse\"\n\
         bank_account = \"1000\"\ndeposit_accounts = [\"check=undeposited\", \"1000\"]\n"
            .parse()?;
    let known = super::books::rows(sandbox, caller, "SELECT id, itemid FROM item")?;
    for (preference, name) in ITEMS {
        let item = known.iter().find(|row| text(row, "/itemid") == name);
        let item = item.with_context(|| format!("the ledger has no item {name}"))?;
        chosen.insert(preference.to_owned(), text(item, "/id").into());
    }
    let mut preferences = toml::Table::new();
    preferences.insert("receivables".to_owned(), chosen.into());
    Ok(preferences)
}

/// The records that both services hold.
pub(super) struct Records(Value);

impl Records {
    pub(super) fn read(sandbox: &Sandbox, caller: &Caller) -> Result<Self> {
        Ok(Self(sandbox.panel(caller, Method::GET, "records", None)?))
    }

    pub(super) fn of<'a>(
        &'a self,
        service: &str,
        table: &str,
    ) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.0[service][table].as_array().into_iter().flatten()
    }

    /// What a customer of a service is called.
    fn customer(&self, service: &str, id: &str) -> String {
        let customers = self.of(service, "customers");
        let mut named = customers.filter(|one| text(one, "/id") == id);
        named
            .next()
            .map_or_else(String::new, |one| text(one, "/name"))
    }
}

/// The ledger's record that a platform's was made for.
fn mark(record: &Value) -> Option<&str> {
    record["metadata"]["netsuite_id"].as_str()
}

/// A request to the panel in somebody's name.
pub(super) fn act(sandbox: &Sandbox, caller: &Caller, path: &str, body: &Value) -> Result<Value> {
    sandbox.panel(caller, Method::POST, path, Some(body))
}

/// An edit of a record by a person.
pub(super) fn edit(fields: &Value) -> Value {
    json!({"action": "edit", "fields": fields})
}
