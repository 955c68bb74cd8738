//! Leg 3 of receivables: undeposited funds against the platform's payments that no deposit has taken yet.
//!
//! Each payment debits the account, and the deposit that takes it to the bank credits it. The ledger tells which
//! deposit that was, so that nothing has to be guessed from amounts.

use std::collections::{BTreeMap, HashSet};

use tieout_domain::subledger::PostingKind;
use tieout_domain::{Amount, Date, MoneyError, RemoteId};

use super::Category;
use super::clearing::{ClearingLeg, item, stranger};
use super::input::{Cleared, Input};
use super::platform_leg::note;

/// Works it out.
pub(super) fn work(input: &Input) -> Result<ClearingLeg, MoneyError> {
    let scope = &input.scope;
    let taking = deposits(&input.cleared);
    let mut deposited: BTreeMap<&RemoteId, Vec<&Cleared>> = BTreeMap::new();
    let mut days: BTreeMap<Date, Vec<&Cleared>> = BTreeMap::new();
    let mut others: Vec<&Cleared> = Vec::new();
    for one in &input.cleared {
        let posting = &one.posting;
        match &posting.deposit {
            Some(deposit) => deposited.entry(deposit).or_default().push(one),
            None if taking.contains(&posting.id) => {
                deposited.entry(&posting.id).or_default().push(one);
            }
            None if one.ours && posting.kind == PostingKind::CustomerPayment => {
                days.entry(posting.date).or_default().push(one);
            }
            None => others.push(one),
        }
    }
    let mut leg = ClearingLeg {
        balance: input.clearing,
        expected: Amount::ZERO,
        items: Vec::new(),
        makes_up: 0,
    };
    for (date, payments) in &days {
        let sum = Amount::total(payments.iter().map(|one| one.posting.amount))?;
        leg.expected = leg.expected.plus(sum)?;
        let what = match payments.len() {
            1 => "1 payment".to_owned(),
            count => format!("{count} payments"),
        };
        let cause = format!("{what} of {date}, which no deposit has taken yet");
        let first = payments.first().copied();
        leg.items
            .extend(first.map(|one| item(one, Category::Transit, sum, cause, scope)));
    }
    leg.makes_up = leg.items.len();
    for (deposit, postings) in deposited {
        let rest = Amount::total(postings.iter().map(|one| one.posting.amount))?;
        let own = postings.iter().find(|one| one.posting.id == *deposit);
        let Some(named) = own.or(postings.first()).filter(|_| !rest.is_zero()) else {
            continue;
        };
        let cause =
            format!("deposit {deposit} is of another amount than the payments that it takes");
        leg.items
            .push(item(named, Category::Fee, rest, cause, scope));
    }
    for one in others {
        let category = stranger(one);
        let cause = category.title_in(scope.book).to_owned();
        leg.items
            .push(item(one, category, one.posting.amount, cause, scope));
    }
    for one in &mut leg.items {
        note(one, &input.notes);
    }
    Ok(leg)
}

/// The deposits that have taken any of these payments.
fn deposits(postings: &[Cleared]) -> HashSet<&RemoteId> {
    let taken = postings.iter();
    taken
        .filter_map(|one| one.posting.deposit.as_ref())
        .collect()
}
