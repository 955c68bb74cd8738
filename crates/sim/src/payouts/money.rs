//! Money is neither made nor lost: what a payment on the platform settles in the ledger, and what lies in the accounts.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::Value;
use tieout_domain::{Kind, RecordRef, RemoteId, Side, State};

use super::records::{
    alone, copies, external, is_external, is_ours, key, outcome, share, stands, transactions,
};
use super::{FEES, STAND_ALONE};
use crate::check::{Seen, Snapshot, Violation, amount, list, text, violation};

/// Undeposited funds, by its number.
const UNDEPOSITED: &str = "1099";

/// What was booked for a payment of the platform, as far as it stands: payments, and refunds of them.
struct Booked<'a> {
    payments: Vec<&'a Value>,
    refunds: Vec<&'a Value>,
}

impl<'a> Booked<'a> {
    fn of(after: &'a Snapshot, payment: &str) -> Self {
        let key = key(after, Kind::CustomerPayment, payment);
        let keyed = |sort: &'a str| {
            let all = transactions(after, sort).filter(|one| stands(one));
            all.filter(|one| {
                let external = external(one);
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
        total(&self.payments) - total(&self.refunds)
    }

    /// What of it settles these invoices.
    fn settles(&self, after: &Snapshot, invoices: &BTreeSet<&str>) -> Decimal {
        let ids: BTreeSet<&str> = self.payments.iter().map(|one| text(one, "id")).collect();
        list(&after.ledger, "applications")
            .filter(|one| ids.contains(text(one, "from")) && invoices.contains(text(one, "to")))
            .map(|one| amount(one, "amount").abs())
            .sum()
    }
}

fn total(of: &[&Value]) -> Decimal {
    of.iter().map(|one| amount(one, "total").abs()).sum()
}

/// What of a payment's money went back to the customer.
fn refunded(after: &Snapshot, payment: &str) -> Decimal {
    list(&after.platform, "refunds")
        .filter(|one| text(one, "payment_id") == payment)
        .map(|one| amount(one, "total"))
        .sum()
}

/// What stands in the ledger for a payment of the platform is its money, once, settles what it pays and never more, and is
/// nothing while the money is under way, or once it is undone.
pub(super) fn posted_right(seen: &Seen<'_>) -> Vec<Violation> {
    let after = seen.after;
    let copies = copies(seen, "invoices");
    let linked: BTreeSet<&str> = copies.values().copied().collect();
    let invoices: BTreeSet<&str> = transactions(after, "CustInvc")
        .map(|one| text(one, "id"))
        .collect();
    let mut found = Vec::new();
    for payment in list(&after.platform, "payments").filter(|one| !is_external(one)) {
        let id = text(payment, "id");
        let booked = Booked::of(after, id);
        let settled = booked.settles(after, &invoices);
        let by_itself = alone(after, id).map_or(Decimal::ZERO, |one| amount(one, "total"));
        let (kept, total) = (booked.kept(), amount(payment, "sub_total"));
        let most = if payment["status"] == "processing" {
            Decimal::ZERO
        } else {
            total
        };
        let record = RecordRef::new(Side::Platform, Kind::CustomerPayment, RemoteId::from(id));
        let outcome = outcome(seen, "payments", &record);
        let state = outcome.filter(|it| it.code.is_none() || it.state != State::Done);
        let asked: Decimal = linked.iter().map(|invoice| share(payment, invoice)).sum();
        let back = refunded(after, id);
        let right = match state.map(|it| it.state) {
            // Whoever calls it done and has it booked all the same has overlooked that it was undone.
            Some(State::Done) if payment["status"] == "failed" => {
                settled.is_zero() && kept.is_zero() && by_itself.is_zero()
            }
            Some(State::Done) if by_itself.is_zero() => {
                kept == total - back && settled >= asked - back
            }
            Some(State::Done) => by_itself == total && kept.is_zero(),
            Some(State::Reversed) => settled.is_zero() && kept.is_zero(),
            _ => true,
        };
        let sane = settled <= most && kept >= Decimal::ZERO && kept + by_itself <= most;
        if !right || !sane {
            let said = outcome.map(ToString::to_string).unwrap_or_default();
            let what = format!(
                "payment {id} of {total}, {}, is {said}: {back} went back; {settled} of {asked} is settled, {kept} is kept, \
                 {by_itself} was deposited by itself",
                text(payment, "status")
            );
            found.push(violation("posted", what));
        }
    }
    found
}

/// Money is conserved in the ledger, in each currency: what is in the accounts that it passes through is what was
/// received, less what was given back. A deposit only moves it among them.
pub(super) fn conserved(before: &Snapshot, after: &Snapshot) -> Vec<Violation> {
    let mut left: BTreeMap<String, Decimal> = BTreeMap::new();
    for (moment, sign) in [(after, Decimal::ONE), (before, Decimal::NEGATIVE_ONE)] {
        for one in list(&moment.ledger, "balances").filter(|one| is_passed_through(one)) {
            *left.entry(text(one, "currency").to_owned()).or_default() +=
                sign * amount(one, "foreign");
        }
        for (sort, direction) in [("CustPymt", sign), ("CustRfnd", -sign)] {
            for one in transactions(moment, sort).filter(|one| stands(one)) {
                *left.entry(text(one, "currency").to_owned()).or_default() -=
                    direction * amount(one, "total").abs();
            }
        }
    }
    let off = left.into_iter().filter(|(_, left)| !left.is_zero());
    let mut found: Vec<Violation> = off
        .map(|(currency, left)| {
            let what = format!("{left} of currency {currency} came in that nobody paid");
            violation("conserved", what)
        })
        .collect();
    found.extend(unpaid_for(after));
    found
}

fn is_passed_through(account: &Value) -> bool {
    let number = text(account, "number");
    account["type"] == "Bank" || [UNDEPOSITED, FEES, STAND_ALONE].contains(&number)
}

/// What tieout received in the ledger that no payment of the platform stands behind.
fn unpaid_for(after: &Snapshot) -> Vec<Violation> {
    let payments = list(&after.platform, "payments");
    let keys: BTreeSet<String> = payments
        .map(|one| key(after, Kind::CustomerPayment, text(one, "id")))
        .collect();
    let ours = transactions(after, "CustPymt").filter(|one| is_ours(after, one));
    ours.filter(|one| !keys.contains(&external(one)))
        .map(|one| {
            let what = format!("{} is of no payment of the platform", external(one));
            violation("conserved", what)
        })
        .collect()
}

/// Money is conserved on the platform: what came, less what went, was paid out or is held.
pub(super) fn conserved_there(after: &Snapshot) -> Vec<Violation> {
    let money = &after.platform["money"];
    let of = |fields: &[&str]| -> Decimal { fields.iter().map(|it| amount(money, it)).sum() };
    let came = of(&["received", "adjusted"]);
    let went = of(&["refunded", "failed", "charged_back", "fees", "dispute_fees"]);
    let there = of(&["paid_out", "held"]);
    if came - went == there {
        return Vec::new();
    }
    let what = format!("{came} came to the platform, {went} went back, and {there} is there");
    vec![violation("conserved-there", what)]
}
