//! Every payout that arrived is one deposit, to the cent, or a person was told why there is none.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;
use tieout_domain::{Kind, Outcome, RecordRef, RemoteId, Side, State};

use super::records::{alone, is_told, key, outcome, stands, transactions};
use crate::check::{Seen, Snapshot, Violation, amount, list, text, violation};

/// The flow.
const FLOW: &str = "deposits";

/// Each payout has the deposit that it must have.
pub(super) fn made_right(writes_ledger: bool, seen: &Seen<'_>) -> Vec<Violation> {
    let payouts = list(&seen.after.platform, "payouts");
    let mut found = Vec::new();
    for payout in payouts {
        let id = text(payout, "id");
        let record = RecordRef::new(Side::Platform, Kind::Payout, RemoteId::from(id));
        // That one without a state is lost is said elsewhere.
        let Some(said) = outcome(seen, FLOW, &record) else {
            continue;
        };
        let deposit = deposit(seen, &record);
        let made = deposit.map(|one| amount(one, "total"));
        let arrived = amount(payout, "total") - deposited_alone(seen.after, payout);
        let right = if payout["status"] == "succeeded" {
            is_right(said, made, arrived, writes_ledger)
        } else {
            made.is_none() || is_told(said)
        };
        if !right {
            let status = text(payout, "status");
            let what = format!(
                "payout {id}, {status}, is {said}: {arrived} arrived for a deposit of {made:?}"
            );
            found.push(violation("deposited", what));
        }
    }
    found
}

/// Whether what tieout says of a payout that arrived is so.
fn is_right(said: &Outcome, made: Option<Decimal>, arrived: Decimal, writes_ledger: bool) -> bool {
    let code = said.code.as_ref().map(|code| code.as_str());
    match said.state {
        State::Done => made == Some(arrived),
        State::Noop => code == Some("deposited-by-payment") && made.is_none() && arrived.is_zero(),
        State::Skipped => !writes_ledger && made.is_none(),
        State::Reversed => false,
        _ => is_told(said),
    }
}

/// The deposit of a payout: the one that it is linked to, or that bears its key.
fn deposit<'a>(seen: &Seen<'a>, payout: &RecordRef) -> Option<&'a Value> {
    let link = (FLOW.to_owned(), payout.clone(), String::new());
    let linked = seen.links.get(&link).map(|target| target.id.as_str());
    let key = key(seen.after, Kind::Payout, payout.id.as_str());
    let mut all = transactions(seen.after, "Deposit").filter(|one| stands(one));
    all.find(|one| Some(text(one, "id")) == linked || super::records::external(one) == key)
}

/// What of a payout was deposited payment by payment.
fn deposited_alone(after: &Snapshot, payout: &Value) -> Decimal {
    let parts = list(payout, "transactions").filter(|one| one["type"] == "payment");
    let alone = parts.filter(|one| alone(after, text(one, "payment_id")).is_some());
    alone.map(|one| amount(one, "amount")).sum()
}

/// No payment is in two deposits, and no deposit is that of two payouts.
pub(super) fn taken_once(seen: &Seen<'_>) -> Vec<Violation> {
    let mut takers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let taken = list(&seen.after.ledger, "applications").filter(|one| one["type"] == "Deposit");
    for one in taken {
        takers
            .entry(text(one, "to"))
            .or_default()
            .push(text(one, "from"));
    }
    let links = seen.links.iter().filter(|((flow, ..), _)| flow == FLOW);
    for ((_, payout, _), deposit) in links {
        takers
            .entry(deposit.id.as_str())
            .or_default()
            .push(payout.id.as_str());
    }
    let twice = takers.into_iter().filter(|(_, by)| by.len() > 1);
    twice
        .map(|(one, by)| violation("deposited-twice", format!("{one} is in {by:?}")))
        .collect()
}
