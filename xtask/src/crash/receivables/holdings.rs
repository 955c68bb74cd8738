//! What both sides hold, item by item, in words that are the same in every world made from one seed.
//!
//! The platform draws its ids as records come, and so do the ledger's for what tieout makes there: a document is told by
//! its number and its customer, a payment by what it is for.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::{Records, mark};
use crate::crash::books::{Books, Item, text};
use crate::panel::Caller;
use crate::sandbox::Sandbox;

/// Reads both sides, past tieout.
pub(crate) fn books(sandbox: &Sandbox, caller: &Caller) -> Result<Books> {
    let records = Records::read(sandbox, caller)?;
    let mut books = Books::default();
    ledger(&records, &mut books);
    platform(&records, &mut books);
    books.items.sort();
    Ok(books)
}

pub(crate) fn joined(mut parts: Vec<String>) -> String {
    parts.sort();
    parts.join(", ")
}

pub(crate) fn fields(record: &Value, names: &[&str]) -> Vec<String> {
    let told = |name: &&str| format!("{name} {}", text(record, &format!("/{name}")));
    names.iter().map(told).collect()
}

/// The kinds of the ledger's transactions that are looked at.
fn kind_of(transaction: &Value) -> Option<&'static str> {
    match transaction["type"].as_str()? {
        "CustInvc" => Some("netsuite invoice"),
        "CustCred" => Some("netsuite credit memo"),
        "CustPymt" => Some("netsuite payment"),
        "CustRfnd" => Some("netsuite refund"),
        "Deposit" => Some("netsuite deposit"),
        "Journal" => Some("netsuite journal entry"),
        _ => None,
    }
}

/// What a transaction is called: what has no number that is the same in every world, by its type alone.
fn called(transaction: &Value) -> String {
    let sort = text(transaction, "/type");
    match sort.as_str() {
        "CustInvc" | "CustCred" => format!("{sort} {}", text(transaction, "/number")),
        _ => sort,
    }
}

pub(crate) fn ledger(records: &Records, books: &mut Books) {
    let transactions = || records.of("netsuite", "transactions");
    let names: BTreeMap<String, String> = transactions()
        .map(|one| (text(one, "/id"), called(one)))
        .collect();
    let name = |id: &str| names.get(id).cloned().unwrap_or_default();
    let mut applied: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for link in records.of("netsuite", "applications") {
        let to = name(&text(link, "/to"));
        let part = format!("{} {to} {}", text(link, "/type"), text(link, "/amount"));
        let parts = applied.entry(text(link, "/from")).or_default();
        parts.push(part);
    }
    for one in transactions() {
        let Some(kind) = kind_of(one) else { continue };
        let id = text(one, "/id");
        let mut says = vec![
            called(one),
            records.customer("netsuite", &text(one, "/entity")),
        ];
        let amounts = ["currency", "total", "unpaid", "unused", "voided"];
        says.extend(fields(one, &amounts));
        let parts = applied.remove(&id).unwrap_or_default();
        says.push(format!("applied [{}]", joined(parts)));
        books.items.push(Item {
            kind,
            identity: text(one, "/external_id").to_ascii_lowercase(),
            says: says.join(", "),
        });
    }
    for customer in records.of("netsuite", "customers") {
        books.items.push(Item {
            kind: "netsuite customer",
            identity: text(customer, "/external_id").to_ascii_lowercase(),
            says: fields(customer, &["name", "inactive"]).join(", "),
        });
    }
    for balance in records.of("netsuite", "balances") {
        let (account, currency) = (text(balance, "/number"), text(balance, "/currency"));
        let place = format!("account {account} in currency {currency}");
        books.money.insert(place, text(balance, "/amount"));
    }
}

fn platform(records: &Records, books: &mut Books) {
    let documents = |table: &str| {
        let all = records.of("invoiced", table);
        all.map(|one| (text(one, "/id"), text(one, "/number")))
            .collect::<BTreeMap<String, String>>()
    };
    let (invoices, notes) = (documents("invoices"), documents("credit_notes"));
    let number = |of: &BTreeMap<String, String>, id: String| of.get(&id).cloned().unwrap_or(id);
    let identity = |one: &Value| mark(one).unwrap_or_default().to_owned();
    for customer in records.of("invoiced", "customers") {
        books.items.push(Item {
            kind: "invoiced customer",
            identity: identity(customer),
            says: fields(customer, &["name", "active", "chase", "autopay"]).join(", "),
        });
    }
    for (table, kind) in [
        ("invoices", "invoiced invoice"),
        ("credit_notes", "invoiced credit note"),
    ] {
        for one in records.of("invoiced", table) {
            let customer = records.customer("invoiced", &text(one, "/customer"));
            let mut says = vec![text(one, "/number"), customer];
            let told = ["currency", "total", "balance", "status", "closed"];
            says.extend(fields(one, &told));
            books.items.push(Item {
                kind,
                identity: identity(one),
                says: says.join(", "),
            });
        }
    }
    for payment in records.of("invoiced", "payments") {
        let parts = payment["applied_to"].as_array().into_iter().flatten();
        let parts = parts.map(|part| {
            let invoice = number(&invoices, text(part, "/invoice"));
            let note = number(&notes, text(part, "/credit_note"));
            let (sort, amount) = (text(part, "/type"), text(part, "/amount"));
            format!("{sort} {note}{invoice} {amount}")
        });
        let parts = joined(parts.collect());
        let customer = records.customer("invoiced", &text(payment, "/customer"));
        let mut says = vec![customer];
        let told = [
            "currency", "amount", "balance", "method", "status", "voided",
        ];
        says.extend(fields(payment, &told));
        says.push(format!("pays [{parts}]"));
        books.items.push(Item {
            kind: "invoiced payment",
            identity: identity(payment),
            says: says.join(", "),
        });
    }
}
