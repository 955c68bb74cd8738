//! What both sides hold, item by item, in words that are the same in every world made from one seed.
//!
//! Ids that a service draws differ from world to world, and so do the keys that are derived from them: an item is
//! told by what it is for (the bill's marker, the ledger's own id), what it is worth and what it is applied to.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::panel::{Caller, Platform, marker};
use crate::sandbox::Sandbox;

/// One record of one side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item {
    /// Whose and what: `netsuite payment`.
    pub(crate) kind: &'static str,
    /// What identifies it in this world; no two items of a kind may share it. Empty for what has no identity of
    /// its own.
    pub(crate) identity: String,
    /// What it is, the same in every world.
    pub(crate) says: String,
}

/// Everything that must be there once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Books {
    /// The records of both sides.
    pub(crate) items: Vec<Item>,
    /// The ledger's accounts: number and currency, and what was posted to it.
    pub(crate) money: BTreeMap<String, String>,
}

impl Books {
    /// Reads both sides, past tieout: the ledger by SuiteQL on the panel, BILL by its own lists.
    pub(crate) fn read(sandbox: &Sandbox, caller: &Caller) -> Result<Self> {
        let mut books = Self::default();
        ledger(sandbox, caller, &mut books)?;
        platform(sandbox, caller, &mut books)?;
        books.items.sort();
        Ok(books)
    }
}

/// A field as text; empty if it isn't there.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The rows of a query.
pub(crate) fn rows(sandbox: &Sandbox, caller: &Caller, sql: &str) -> Result<Vec<Value>> {
    let body = json!({"q": sql});
    let answer = sandbox.panel(caller, http::Method::POST, "netsuite/query", Some(&body))?;
    let items = answer.get("items").and_then(Value::as_array);
    Ok(items.context("the query gave no items")?.clone())
}

/// Several parts in an order of their own.
fn sorted(mut parts: Vec<String>) -> String {
    parts.sort();
    parts.join(", ")
}

fn ledger(sandbox: &Sandbox, caller: &Caller, books: &mut Books) -> Result<()> {
    let documents = rows(
        sandbox,
        caller,
        "SELECT t.id AS id, t.type AS type, t.tranid AS number, t.entity AS entity, t.status AS status, \
         t.foreigntotal AS total, t.foreignamountunpaid AS open, t.foreignpaymentamountunused AS unused, \
         t.externalid AS external, t.currency AS currency, t.voided AS voided \
         FROM transaction t WHERE t.type IN ('VendBill', 'VendCred', 'VendPymt', 'Journal')",
    )?;
    let types: BTreeMap<String, String> = documents
        .iter()
        .map(|row| (text(row, "/id"), text(row, "/type")))
        .collect();
    let mut applied: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for link in rows(
        sandbox,
        caller,
        "SELECT l.previousdoc AS to_id, l.nextdoc AS from_id, l.linktype AS link, l.foreignamount AS amount \
         FROM nexttransactionlinelink l",
    )? {
        let to = text(&link, "/to_id");
        // Bills and credits have the same id in every world, what tieout makes has not.
        let to = match types.get(&to).map(String::as_str) {
            Some("VendBill" | "VendCred") | None => to,
            Some(other) => other.to_owned(),
        };
        let part = format!("{} {to} {}", text(&link, "/link"), text(&link, "/amount"));
        applied
            .entry(text(&link, "/from_id"))
            .or_default()
            .push(part);
    }
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in rows(
        sandbox,
        caller,
        "SELECT tal.transaction AS id, tal.account AS account, tal.amount AS amount, tl.entity AS entity \
         FROM transactionaccountingline tal JOIN transactionline tl ON tl.transaction = tal.transaction \
         AND tl.id = tal.transactionline JOIN transaction t ON t.id = tal.transaction \
         WHERE t.type IN ('VendPymt', 'Journal')",
    )? {
        let part = format!(
            "{} {} {}",
            text(&line, "/account"),
            text(&line, "/amount"),
            text(&line, "/entity")
        );
        lines.entry(text(&line, "/id")).or_default().push(part);
    }
    for row in &documents {
        let id = text(row, "/id");
        let is_own = matches!(types[&id].as_str(), "VendBill" | "VendCred");
        let mut says = Vec::new();
        if is_own {
            says.push(format!("{id} {}", text(row, "/number")));
        }
        for field in [
            "entity", "currency", "status", "total", "open", "unused", "voided",
        ] {
            says.push(format!("{field} {}", text(row, &format!("/{field}"))));
        }
        says.push(format!(
            "applied [{}]",
            sorted(applied.remove(&id).unwrap_or_default())
        ));
        says.push(format!(
            "lines [{}]",
            sorted(lines.remove(&id).unwrap_or_default())
        ));
        books.items.push(Item {
            kind: match types[&id].as_str() {
                "VendBill" => "netsuite bill",
                "VendCred" => "netsuite credit",
                "VendPymt" => "netsuite payment",
                _ => "netsuite journal entry",
            },
            identity: text(row, "/external").to_ascii_lowercase(),
            says: says.join(", "),
        });
    }
    for row in rows(
        sandbox,
        caller,
        "SELECT a.acctnumber AS account, t.currency AS currency, SUM(tal.amount) AS amount \
         FROM transactionaccountingline tal JOIN transaction t ON t.id = tal.transaction \
         JOIN account a ON a.id = tal.account GROUP BY a.acctnumber, t.currency",
    )? {
        let place = format!(
            "account {} in currency {}",
            text(&row, "/account"),
            text(&row, "/currency")
        );
        books.money.insert(place, text(&row, "/amount"));
    }
    Ok(())
}

/// What a record of BILL is known by in every world: its marker, or else its number.
fn known_by(record: &Value, number: &str) -> String {
    marker(&text(record, "/description"))
        .unwrap_or_else(|| format!("{} of {}", text(record, number), text(record, "/vendorId")))
}

fn platform(sandbox: &Sandbox, caller: &Caller, books: &mut Books) -> Result<()> {
    let service = Platform::sign_in(caller, &sandbox.described["bill"])?;
    let vendors = service.list("vendors")?;
    let accounts = service.list("classifications/chart-of-accounts")?;
    let bills = service.list("bills")?;
    let names: BTreeMap<String, String> = vendors
        .iter()
        .chain(&accounts)
        .map(|record| (text(record, "/id"), text(record, "/name")))
        .chain(bills.iter().map(|bill| {
            let known = known_by(bill, "/invoice/invoiceNumber");
            (text(bill, "/id"), known)
        }))
        .collect();
    let name = |id: String| names.get(&id).cloned().unwrap_or(id);
    for vendor in &vendors {
        books.items.push(Item {
            kind: "bill vendor",
            identity: String::new(),
            says: format!(
                "{}, archived {}",
                text(vendor, "/name"),
                text(vendor, "/archived")
            ),
        });
    }
    for bill in &bills {
        let lines = parts(bill, "billLineItems", |line| {
            let account = name(text(line, "/classifications/chartOfAccountId"));
            format!("{account} {}", text(line, "/amount"))
        });
        let mut says = vec![
            name(text(bill, "/id")),
            name(text(bill, "/vendorId")),
            text(bill, "/invoice/invoiceNumber"),
        ];
        for field in [
            "amount",
            "paidAmount",
            "scheduledAmount",
            "creditAmount",
            "dueAmount",
            "archived",
        ] {
            says.push(format!("{field} {}", text(bill, &format!("/{field}"))));
        }
        says.push(format!("lines [{lines}]"));
        books.items.push(Item {
            kind: "bill bill",
            identity: live_marker(bill),
            says: says.join(", "),
        });
    }
    for credit in &service.list("vendor-credits")? {
        let usage = parts(credit, "usage", |used| {
            format!("{} {}", name(text(used, "/billId")), text(used, "/amount"))
        });
        books.items.push(Item {
            kind: "bill credit",
            identity: live_marker(credit),
            says: format!(
                "{}, {}, amount {}, applied {}, used [{usage}]",
                text(credit, "/referenceNumber"),
                name(text(credit, "/vendorId")),
                text(credit, "/amount"),
                text(credit, "/appliedAmount"),
            ),
        });
    }
    for payment in &service.list("payments")? {
        let paid = parts(payment, "billPayments", |part| {
            let credits = parts(part, "vendorCredits", |used| text(used, "/amount"));
            format!(
                "{} {} credits [{credits}]",
                name(text(part, "/billId")),
                text(part, "/amount")
            )
        });
        books.items.push(Item {
            kind: "bill payment",
            identity: text(payment, "/syncReference"),
            says: format!(
                "{}, amount {}, {}, online {}, pays [{paid}]",
                name(text(payment, "/vendorId")),
                text(payment, "/amount"),
                text(payment, "/singleStatus"),
                text(payment, "/onlinePayment"),
            ),
        });
    }
    Ok(())
}

/// What is archived may be followed by a new one of the same mark.
fn live_marker(record: &Value) -> String {
    if record.get("archived") == Some(&Value::Bool(true)) {
        return String::new();
    }
    marker(&text(record, "/description")).unwrap_or_default()
}

fn parts(record: &Value, list: &str, tell: impl Fn(&Value) -> String) -> String {
    let parts = record.get(list).and_then(Value::as_array);
    sorted(parts.into_iter().flatten().map(tell).collect())
}
