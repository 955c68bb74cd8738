//! What must be true of the files of bills: each is on its bill's copy, and none is there twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tieout_domain::{Kind, RecordRef, RemoteId, Side};

use crate::check::{Seen, Violation, list, text, violation};

/// All checks of files.
pub(super) fn followed_once(seen: &Seen<'_>) -> Vec<Violation> {
    let mut found = twice(seen);
    found.extend(lost(seen));
    found
}

/// No copy has the same content twice, nor a name.
fn twice(seen: &Seen<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for field in ["name", "content"] {
        let mut known = BTreeSet::new();
        for document in list(&seen.after.platform, "documents") {
            let (bill, what) = (text(document, "bill"), text(document, field));
            if !known.insert((bill, what)) {
                let what = format!("bill {bill} has two documents of the {field} `{what}`");
                found.push(violation("once", what));
            }
        }
    }
    found
}

/// A file of a bill that is open on both sides is there as it is now.
fn lost(seen: &Seen<'_>) -> Vec<Violation> {
    let after = seen.after;
    let mut there: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for document in list(&after.platform, "documents") {
        let contents = there.entry(text(document, "bill")).or_default();
        contents.insert(text(document, "content"));
    }
    let mut found = Vec::new();
    for file in list(&after.ledger, "files") {
        let bill = text(file, "transaction");
        let Some(copy) = copy_of(seen, bill) else {
            continue;
        };
        let contents = there.get(copy);
        if !contents.is_some_and(|contents| contents.contains(text(file, "content"))) {
            let what = format!(
                "file {} of bill {bill} is not on {copy}",
                text(file, "name")
            );
            found.push(violation("lost", what));
        }
    }
    found
}

/// The copy of a bill that is open on both sides.
fn copy_of<'a>(seen: &'a Seen<'_>, bill: &str) -> Option<&'a str> {
    let open = |one: &&Value| {
        text(one, "id") == bill && one["voided"] != "T" && text(one, "unpaid") != "0"
    };
    list(&seen.after.ledger, "transactions").find(open)?;
    let record = RecordRef::new(Side::Ledger, Kind::Bill, RemoteId::from(bill));
    let link = ("bills".to_owned(), record, String::new());
    let copy = seen.links.get(&link)?.id.as_str();
    let stands = |one: &&Value| text(one, "id") == copy && one["archived"] == false;
    list(&seen.after.platform, "bills").find(stands)?;
    Some(copy)
}
