//! Preferences: what their values look like to people, and the versions that the history tells of. What was changed
//! together is one version.

use std::collections::BTreeMap;

use serde_json::Value;
use tieout_domain::code::Code;
use tieout_domain::{Book, Timestamp};
use tieout_flows::Preferences;
use tieout_flows::preferences::{Entry, PreferenceError, catalogue};
use tieout_store::{Fact, Store};

use crate::approval::Proposal;
use crate::error::DeskError;

/// What people read where there is no value.
const NOTHING: &str = "none";

/// How many entries of the history are read at once.
const PAGE: u32 = 1000;

/// The preferences that decide what goes where, each with its question in plain words: who connects two systems that deal
/// with this book is asked them.
#[must_use]
pub fn questions(book: Book) -> &'static [(&'static str, &'static str)] {
    match book {
        Book::Payables => &OF_PAYABLES,
        Book::Receivables => &OF_RECEIVABLES,
    }
}

/// Whether a connection that deals with this book has a use for a preference.
#[must_use]
pub fn concerns(book: Book, key: &str) -> bool {
    let of_payables = key.starts_with("transactions.") || key.starts_with("lists.");
    match book {
        Book::Payables => !key.starts_with("receivables."),
        // Postings of either book fall into closed periods.
        Book::Receivables => !of_payables || key == "transactions.closed_period",
    }
}

const OF_RECEIVABLES: [(&str, &str); 3] = [
    (
        "receivables.go_live",
        "From which day on do invoices take part? Older ones stay out; nothing means all of them",
    ),
    (
        "receivables.customers",
        "Which customers go over: those with an open invoice, or all of them?",
    ),
    (
        "receivables.reconcile",
        "Is what customers pay to be written to the ledger? How much the first sync takes is shown before",
    ),
];

const OF_PAYABLES: [(&str, &str); 6] = [
    (
        "transactions.bills_from",
        "From which day on do bills go to BILL? Older ones stay out. Write a day such as 2026-01-01; nothing \
         means every open bill",
    ),
    (
        "transactions.partly_paid",
        "What becomes of a bill that was partly paid before? `skip` leaves it out, `balance` sends what is left",
    ),
    (
        "lists.create_missing",
        "Should accounts and dimensions that BILL lacks be made there? `false` lets them wait for a person",
    ),
    (
        "transactions.post_payments_at",
        "When is a payment made in BILL posted to NetSuite? `scheduled`, `processed` or `cleared`",
    ),
    (
        "transactions.payment_account",
        "Which NetSuite account are BILL's payments posted from (number or internal id, usually a clearing \
         account of type Bank)? Nothing lets payments wait until you say",
    ),
    (
        "transactions.outside_payments",
        "Are payments that are made in NetSuite to be recorded in BILL?",
    ),
];

/// A preference as it stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What is known about it.
    pub entry: Entry,
    /// Its value.
    pub value: Value,
    /// Where that comes from: `default`, `tieout.toml`, `template NAME`.
    pub from: String,
}

/// A value as people read it.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::String(text) if text.is_empty() => NOTHING.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Keys whose values differ: key, before, after.
#[must_use]
pub fn differences(before: &Preferences, after: &Preferences) -> Vec<(&'static str, Value, Value)> {
    catalogue()
        .into_iter()
        .filter_map(|entry| {
            let before = before.get(entry.key).ok()?;
            let after = after.get(entry.key).ok()?;
            (before != after).then_some((entry.key, before, after))
        })
        .collect()
}

/// What the history says of a change.
#[must_use]
pub fn facts(connection: &str, changes: Vec<(&'static str, Value, Value)>) -> Vec<Fact> {
    let fact = |(key, before, after): (&str, Value, Value)| Fact::Preference {
        connection: connection.to_owned(),
        name: key.to_owned(),
        before: plain(&before),
        after: plain(&after),
    };
    changes.into_iter().map(fact).collect()
}

/// Whether a change of this preference takes two people: it names the account that money is posted through, as a
/// mapping of a funding account does.
#[must_use]
pub fn takes_two(key: &str) -> bool {
    key == "transactions.payment_account"
}

/// The change for another person to approve.
#[must_use]
pub fn proposal(values: BTreeMap<String, Value>) -> Proposal {
    let texts = values
        .iter()
        .map(|(key, value)| format!("`{key}` becomes {}", plain(value)));
    Proposal {
        text: texts.collect::<Vec<_>>().join(", "),
        preferences: values,
        ..Proposal::default()
    }
}

/// A value that a preference can't have.
#[must_use]
pub fn unfit(error: &PreferenceError) -> DeskError {
    DeskError::usage(Code::new("config-value"), error.to_string())
}

/// What was changed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// Key, value before, value since.
    pub changes: Vec<(String, String, String)>,
}

/// The versions of a connection's preferences, the first one first.
///
/// # Errors
/// The store's.
pub async fn versions(store: &Store, connection: &str) -> Result<Vec<Version>, DeskError> {
    let mut versions: Vec<Version> = Vec::new();
    for entry in told(store).await? {
        let Fact::Preference {
            connection: whose,
            name,
            before,
            after,
        } = entry.fact
        else {
            continue;
        };
        if whose != connection {
            continue;
        }
        let change = (name, before, after);
        match versions.last_mut() {
            Some(same) if same.at == entry.at && same.actor == entry.actor => {
                same.changes.push(change);
            }
            _ => versions.push(Version {
                at: entry.at,
                actor: entry.actor,
                changes: vec![change],
            }),
        }
    }
    Ok(versions)
}

/// Every change of preferences that the history tells, of all connections, the first one first.
///
/// # Errors
/// The store's.
pub async fn told(store: &Store) -> Result<Vec<tieout_store::Entry>, DeskError> {
    let store = store.installation();
    let mut told = Vec::new();
    let mut after = 0;
    loop {
        let page = store.entries_after(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(told);
        };
        after = last.seq;
        let changes = page
            .into_iter()
            .filter(|entry| matches!(entry.fact, Fact::Preference { .. }));
        told.extend(changes);
    }
}

/// Sets a preference to what [`plain`] made of its value.
///
/// # Errors
/// If there is no such preference, or it can't be so.
pub fn put(preferences: &mut Preferences, key: &str, text: &str) -> Result<(), PreferenceError> {
    // The word for no value may be a value of its own.
    if text == NOTHING && preferences.set(key, "").is_ok() {
        return Ok(());
    }
    preferences.set(key, text)
}

/// The preferences as they were at a version: what was changed since is taken back, the last change first.
///
/// # Errors
/// `usage` if there is no such version.
pub fn at(
    now: &Preferences,
    versions: &[Version],
    connection: &str,
    version: usize,
) -> Result<Preferences, DeskError> {
    if version > versions.len() {
        let cause = format!(
            "`{connection}` has {} versions, no version {version}",
            versions.len()
        );
        return Err(DeskError::usage(Code::new("usage"), cause));
    }
    let mut preferences = now.clone();
    for later in versions.iter().skip(version).rev() {
        for (key, before, _) in later.changes.iter().rev() {
            put(&mut preferences, key, before).map_err(|error| unfit(&error))?;
        }
    }
    Ok(preferences)
}
