//! What both sides hold, item by item, in words that are the same in every world made from one seed: the platform draws
//! its ids as records come.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::{PLATFORM, Records, mark};
use crate::crash::books::{Books, Item, text};
use crate::crash::receivables::{fields, joined, ledger};
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

fn platform(records: &Records, books: &mut Books) {
    let numbers: BTreeMap<String, String> = records
        .of(PLATFORM, "invoices")
        .map(|one| (text(one, "/id"), text(one, "/invoice_number")))
        .collect();
    for customer in records.of(PLATFORM, "customers") {
        books.items.push(Item {
            kind: "customer there",
            identity: mark(customer).unwrap_or_default(),
            says: fields(customer, &["name"]).join(", "),
        });
    }
    for invoice in records.of(PLATFORM, "invoices") {
        let archived = invoice["status"] == "archived";
        // An archived copy may have been made anew.
        let identity = mark(invoice).filter(|_| !archived);
        let told = ["invoice_number", "status", "total", "balance"];
        books.items.push(Item {
            kind: "invoice there",
            identity: identity.unwrap_or_default(),
            says: fields(invoice, &told).join(", "),
        });
    }
    for payment in records.of(PLATFORM, "payments") {
        books.items.push(Item {
            kind: "payment there",
            identity: text(payment, "/external_id"),
            says: payment_says(payment, &numbers),
        });
    }
    for payout in records.of(PLATFORM, "payouts") {
        books.items.push(Item {
            kind: "payout there",
            identity: String::new(),
            says: fields(payout, &["status", "total"]).join(", "),
        });
    }
}

fn payment_says(payment: &Value, numbers: &BTreeMap<String, String>) -> String {
    let parts = payment["allocations"].as_array().into_iter().flatten();
    let parts = parts.map(|part| {
        let number = numbers.get(&text(part, "/invoice_id"));
        let number = number.map_or("", String::as_str);
        format!("{number} {}", text(part, "/amount"))
    });
    let mut says = fields(payment, &["payment_method", "status", "sub_total"]);
    says.push(format!("pays [{}]", joined(parts.collect())));
    says.join(", ")
}
