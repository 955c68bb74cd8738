//! What the panel shows of the account: counts and totals, and every record that money hangs on.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::json::Json;
use crate::kind::Kind;
use crate::money::amount;
use crate::show::plain_object;
use crate::webhooks;

/// `GET /control/state`.
pub(crate) fn state(account: &Account) -> Value {
    let mut state = Map::new();
    for kind in Kind::ALL {
        let count = account.table(kind).len();
        let shown = match kind {
            Kind::Invoice | Kind::CreditNote => json!({
                "count": count,
                "total": sum(account, kind, "total"),
                "balance": sum(account, kind, "balance"),
                "by_status": by_status(account, kind),
            }),
            Kind::Payment => json!({
                "count": count,
                "amount": sum(account, kind, "amount"),
                "unapplied": sum(account, kind, "balance"),
                "voided": account.table(kind).rows().filter(|(_, one)| is_void(one)).count(),
            }),
            _ => json!(count),
        };
        state.insert(kind.path().to_owned(), shown);
    }
    let credit: Decimal = account.credits.values().sum();
    state.insert("credit".to_owned(), json!(credit.normalize().to_string()));
    state.insert(
        "messages".to_owned(),
        json!(account.outbound.messages.len()),
    );
    state.insert("charges".to_owned(), json!(account.outbound.charges.len()));
    state.insert(
        "webhooks".to_owned(),
        webhooks::endpoints(account).to_panel(),
    );
    Value::Object(state)
}

fn is_void(fields: &Json) -> bool {
    fields.flag("voided") == Some(true) || fields.text("status") == Some("voided")
}

/// The sum of a field over all that isn't void.
fn sum(account: &Account, kind: Kind, field: &str) -> String {
    let rows = account.table(kind).rows().filter(|(_, one)| !is_void(one));
    let sum: Decimal = rows.map(|(_, one)| amount(one, field)).sum();
    sum.normalize().to_string()
}

fn by_status(account: &Account, kind: Kind) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (_, one) in account.table(kind).rows() {
        let status = one.text("status").unwrap_or_default().to_owned();
        *counts.entry(status).or_default() += 1;
    }
    counts
}

/// `GET /control/records`.
pub(crate) fn records(account: &Account) -> Value {
    let mut records = Map::new();
    for kind in [
        Kind::Customer,
        Kind::Invoice,
        Kind::Payment,
        Kind::CreditNote,
        Kind::Adjustment,
    ] {
        let rows = account.table(kind).rows();
        let rows: Vec<Value> = rows
            .map(|(_, one)| plain_object(kind, one, "").to_panel())
            .collect();
        records.insert(kind.path().to_owned(), rows.into());
    }
    let list = |entries: &[Json]| entries.iter().map(Json::to_panel).collect::<Value>();
    records.insert("messages".to_owned(), list(&account.outbound.messages));
    records.insert("charges".to_owned(), list(&account.outbound.charges));
    Value::Object(records)
}
