//! Money is neither made nor lost: what a payment on one side settles on the other, and what lies in the accounts.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::Value;
use tieout_domain::{Kind, RecordRef, RemoteId, Side, State};

use super::check::{is_ours, is_voided, key, linked_invoices, mark};
use crate::check::{Seen, Snapshot, Violation, amount, list, text, violation};

/// Undeposited funds, by its number.
const UNDEPOSITED: &str = "1099";

/// The flow that carries payments.
const FLOW: &str = "payments";

/// What of a payment of the platform goes onto invoices, its surcharge included.
fn onto_invoices(payment: &Value) -> Decimal {
    list(payment, "applied_to")
        .filter(|part| part["type"] == "invoice" || part["type"] == "convenience_fee")
        .map(|part| amount(part, "amount"))
        .sum()
}

/// What of a payment's money went back to the customer.
fn refunded(payment: &Value) -> Decimal {
    list(&payment["charge"], "refunds")
        .filter(|refund| refund["status"] == "succeeded")
        .map(|refund| amount(refund, "amount"))
        .sum()
}

/// What of a transaction of the ledger settles these invoices.
fn settles(after: &Snapshot, payment: &Value, invoices: &BTreeSet<&str>) -> Decimal {
    let id = text(payment, "id");
    list(&after.ledger, "applications")
        .filter(|one| text(one, "from") == id && invoices.contains(text(one, "to")))
        .map(|one| amount(one, "amount").abs())
        .sum()
}

fn transactions<'a>(after: &'a Snapshot, sort: &'a str) -> impl Iterator<Item = &'a Value> {
    list(&after.ledger, "transactions").filter(move |one| one["type"] == sort)
}

/// All invoices of the ledger.
fn invoices(after: &Snapshot) -> BTreeSet<&str> {
    transactions(after, "CustInvc")
        .map(|one| text(one, "id"))
        .collect()
}

/// What was booked for a payment of the platform: live payments, and live refunds of them.
struct Booked<'a> {
    payments: Vec<&'a Value>,
    refunds: Vec<&'a Value>,
}

impl<'a> Booked<'a> {
    fn of(after: &'a Snapshot, payment: &Value) -> Self {
        let key = key(after, Kind::CustomerPayment, text(payment, "id"));
        let keyed = |sort: &'a str| {
            let all = transactions(after, sort).filter(|one| !is_voided(one));
            all.filter(|one| {
                let external = text(one, "external_id").to_lowercase();
                let rest = external.strip_prefix(&key);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
            })
            .collect()
        };
        Self {
            payments: keyed("CustPymt"),
            refunds: keyed("CustRfnd"),
        }
    }

    /// What of it is kept in the ledger.
    fn kept(&self) -> Decimal {
        let sum =
            |of: &[&Value]| -> Decimal { of.iter().map(|one| amount(one, "total").abs()).sum() };
        sum(&self.payments) - sum(&self.refunds)
    }
}

/// What is posted for a payment of the platform is its money, settles what it pays and never more, and nothing once
/// it is undone.
#[must_use]
pub(super) fn posted_right(seen: &Seen<'_>) -> Vec<Violation> {
    let after = seen.after;
    let invoices = invoices(after);
    let mut found = Vec::new();
    for payment in list(&after.platform, "payments").filter(|one| mark(one).is_none()) {
        let id = text(payment, "id");
        let booked = Booked::of(after, payment);
        let settled: Decimal = booked
            .payments
            .iter()
            .map(|one| settles(after, one, &invoices))
            .sum();
        let (kept, total) = (booked.kept(), amount(payment, "amount"));
        if settled > total || kept > total || kept.is_sign_negative() && !kept.is_zero() {
            let what =
                format!("payment {id} of {total} settles {settled}, and {kept} of it is kept");
            found.push(violation("posted", what));
        }
        let record = RecordRef::new(Side::Platform, Kind::CustomerPayment, RemoteId::from(id));
        let Some(item) = seen.items.get(&(FLOW.to_owned(), record)) else {
            continue;
        };
        let (asked, back) = (onto_invoices(payment), refunded(payment));
        let right = match item.outcome.state {
            State::Done if !is_voided(payment) => {
                settled <= asked && settled >= asked - back && kept == total - back
            }
            // Whoever calls it done and has it posted all the same has overlooked that it was undone.
            State::Done | State::Reversed => settled.is_zero() && kept.is_zero(),
            _ => true,
        };
        if !right {
            let what = format!(
                "payment {id} of {total} is {}: it pays {asked}, {back} went back; it settles {settled}, and {kept} is kept",
                item.outcome
            );
            found.push(violation("posted", what));
        }
    }
    found
}

/// What is recorded on the platform for a payment of the ledger pays there what it pays in the ledger, and nothing
/// once it is undone.
#[must_use]
pub(super) fn recorded_right(seen: &Seen<'_>) -> Vec<Violation> {
    let after = seen.after;
    let linked = linked_invoices(seen.links);
    let mut found = Vec::new();
    for copy in list(&after.platform, "payments") {
        let Some(of) = mark(copy) else { continue };
        let id = text(copy, "id");
        let recorded: Decimal = list(copy, "applied_to")
            .filter(|part| part["type"] == "invoice")
            .map(|part| amount(part, "amount"))
            .sum();
        let mut all = list(&after.ledger, "transactions");
        let origin = all.find(|one| text(one, "id") == of);
        let origin = origin.filter(|one| !is_voided(one));
        let paid = origin.map_or(Decimal::ZERO, |one| settles(after, one, &linked));
        let record = RecordRef::new(Side::Ledger, Kind::CustomerPayment, RemoteId::from(of));
        let item = seen.items.get(&(FLOW.to_owned(), record));
        let waits = item.is_some_and(|item| {
            let state = item.outcome.state;
            matches!(state, State::Blocked | State::Conflict | State::Hold)
        });
        if recorded != paid && !waits {
            let outcome = item
                .map(|item| item.outcome.to_string())
                .unwrap_or_default();
            let what = format!(
                "payment {of} of the ledger pays {paid}; its record {id} pays {recorded}: {outcome}"
            );
            found.push(violation("recorded", what));
        }
    }
    found
}

/// Money is conserved in each currency: what came into the accounts that customers' money is kept in, undeposited
/// funds and banks, is what people booked there and what stands there for the platform's payments.
#[must_use]
pub(super) fn conserved(before: &Snapshot, after: &Snapshot) -> Vec<Violation> {
    let mut left = held(after);
    subtract(&mut left, held(before));
    subtract(&mut left, by_people(after));
    let mut was = by_people(before);
    was.values_mut().for_each(|amount| *amount = -*amount);
    subtract(&mut left, was);
    for payment in list(&after.platform, "payments") {
        let booked = Booked::of(after, payment);
        let first = booked.payments.first().or(booked.refunds.first());
        if let Some(first) = first {
            *left.entry(text(first, "currency").to_owned()).or_default() -= booked.kept();
        }
    }
    left.into_iter()
        .filter(|(_, left)| !left.is_zero())
        .map(|(currency, left)| {
            let what = format!("{left} of currency {currency} came in that nobody paid");
            violation("conserved", what)
        })
        .collect()
}

fn subtract(from: &mut BTreeMap<String, Decimal>, less: BTreeMap<String, Decimal>) {
    for (currency, amount) in less {
        *from.entry(currency).or_default() -= amount;
    }
}

/// What lies in the accounts, by currency.
fn held(snapshot: &Snapshot) -> BTreeMap<String, Decimal> {
    let mut held = BTreeMap::new();
    for one in list(&snapshot.ledger, "balances") {
        if one["type"] == "Bank" || one["number"] == UNDEPOSITED {
            *held.entry(text(one, "currency").to_owned()).or_default() += amount(one, "foreign");
        }
    }
    held
}

/// What people booked in: their payments less their refunds, by currency.
fn by_people(snapshot: &Snapshot) -> BTreeMap<String, Decimal> {
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for (sort, sign) in [
        ("CustPymt", Decimal::ONE),
        ("CustRfnd", Decimal::NEGATIVE_ONE),
    ] {
        let live = transactions(snapshot, sort).filter(|one| !is_voided(one));
        for one in live.filter(|one| !is_ours(snapshot, one)) {
            *sums.entry(text(one, "currency").to_owned()).or_default() +=
                sign * amount(one, "total").abs();
        }
    }
    sums
}
