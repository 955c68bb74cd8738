//! Leg 3: the clearing account against the payments whose money is under way.
//!
//! Each payment that goes through the platform credits the account, and each lump sum that the platform
//! withdraws from the bank debits it: up to two of them a day (scenario 128). A withdrawal names no payments, so
//! it is taken for those of one process date whose amounts add up to it.

use std::collections::BTreeMap;

use tieout_domain::subledger::PostingKind;
use tieout_domain::{Amount, Date, MoneyError, RecordRef, Side};

use super::input::{Cleared, Input, Scope};
use super::platform_leg::note;
use super::rules::age;
use super::{Category, Document, Item};

/// For how many days after the process date a withdrawal is looked for.
const WITHIN_DAYS: i64 = 10;

/// What leg 3 comes to.
pub(super) struct ClearingLeg {
    /// `C`.
    pub(super) balance: Amount,
    /// `K`.
    pub(super) expected: Amount,
    /// What makes up `K`, and then what explains `C − K`.
    pub(super) items: Vec<Item>,
    /// How many of the items make up `K`.
    pub(super) makes_up: usize,
}

/// Works it out.
pub(super) fn work(input: &Input) -> Result<ClearingLeg, MoneyError> {
    let scope = &input.scope;
    let mut days: BTreeMap<Date, Vec<&Cleared>> = BTreeMap::new();
    let mut withdrawals: Vec<&Cleared> = Vec::new();
    let mut others: Vec<&Cleared> = Vec::new();
    let mut owed: Vec<&Cleared> = Vec::new();
    for one in &input.cleared {
        let lump_sum =
            one.posting.amount.is_positive() && !matches!(one.posting.kind, PostingKind::Payment);
        match (one.ours, lump_sum) {
            (true, _) if one.owed => owed.push(one),
            (true, _) => days.entry(one.posting.date).or_default().push(one),
            (false, true) => withdrawals.push(one),
            (false, false) => others.push(one),
        }
    }
    withdrawals.sort_by_key(|one| (one.posting.date, one.posting.id.clone()));
    let left = match_withdrawals(&mut days, withdrawals)?;
    others.extend(left);

    let mut leg = ClearingLeg {
        balance: input.clearing,
        expected: Amount::ZERO,
        items: Vec::new(),
        makes_up: 0,
    };
    for (date, payments) in &days {
        let sum = Amount::total(payments.iter().map(|one| one.posting.amount))?;
        leg.expected = leg.expected.plus(sum)?;
        if payments.is_empty() || sum.is_zero() {
            continue;
        }
        let count = payments.len();
        let what = if count == 1 {
            "1 payment".to_owned()
        } else {
            format!("{count} payments")
        };
        let cause = format!("{what} of {date}, whose money is not withdrawn yet");
        let first = payments.first().copied();
        leg.items
            .extend(first.map(|one| item(one, Category::Transit, -sum, cause, scope)));
    }
    for one in owed {
        leg.expected = leg.expected.plus(one.posting.amount)?;
        let cause = "the platform could not be funded for it, and has paid: it is owed the money";
        leg.items.push(item(
            one,
            Category::FundingFailed,
            -one.posting.amount,
            cause.to_owned(),
            scope,
        ));
    }
    leg.makes_up = leg.items.len();
    for one in others {
        let category = stranger(one);
        leg.items.push(item(
            one,
            category,
            one.posting.amount,
            category.title().to_owned(),
            scope,
        ));
    }
    for one in &mut leg.items {
        note(one, &input.notes);
    }
    Ok(leg)
}

/// Takes away the days that a withdrawal stands for; gives the withdrawals that none was found for.
fn match_withdrawals<'a>(
    days: &mut BTreeMap<Date, Vec<&'a Cleared>>,
    withdrawals: Vec<&'a Cleared>,
) -> Result<Vec<&'a Cleared>, MoneyError> {
    let mut left = Vec::new();
    let mut parts: BTreeMap<Date, Vec<&'a Cleared>> = BTreeMap::new();
    for withdrawal in withdrawals {
        let until = withdrawal.posting.date;
        let mut found = None;
        for (date, payments) in days.range(..=until).rev() {
            if age(*date, until) > WITHIN_DAYS {
                break;
            }
            let sum = Amount::total(payments.iter().map(|one| one.posting.amount))?;
            if sum.is_zero() {
                continue;
            }
            if withdrawal.posting.amount == -sum {
                found = Some((*date, true));
                break;
            }
            let so_far = parts.get(date).map_or(&[][..], Vec::as_slice);
            let collected = Amount::total(so_far.iter().map(|one| one.posting.amount))?
                .plus(withdrawal.posting.amount)?;
            if collected == -sum {
                found = Some((*date, true));
                break;
            }
            // The first of two lump sums of a day.
            if found.is_none() && withdrawal.posting.amount.is_positive() && collected < -sum {
                found = Some((*date, false));
            }
        }
        match found {
            Some((date, true)) => {
                days.remove(&date);
                parts.remove(&date);
            }
            Some((date, false)) => parts.entry(date).or_default().push(withdrawal),
            None => left.push(withdrawal),
        }
    }
    // A first half whose second never came stands for nothing that can be named.
    left.extend(parts.into_values().flatten());
    Ok(left)
}

/// What a posting is that stands for no payment of the platform.
pub(super) fn stranger(one: &Cleared) -> Category {
    match &one.posting.kind {
        PostingKind::Payment => Category::Offline,
        PostingKind::Revaluation => Category::ClearingExchange,
        PostingKind::CustomerPayment => Category::Offline,
        PostingKind::Bill
        | PostingKind::VendorCredit
        | PostingKind::Invoice
        | PostingKind::CreditMemo
        | PostingKind::CustomerRefund
        | PostingKind::Deposit
        | PostingKind::Journal
        | PostingKind::Other(_) => Category::Fee,
    }
}

pub(super) fn item(
    one: &Cleared,
    category: Category,
    amount: Amount,
    cause: String,
    scope: &Scope,
) -> Item {
    let posting = &one.posting;
    Item {
        category,
        ledger: Some(Document {
            record: RecordRef::new(Side::Ledger, posting.kind.record(), posting.id.clone()),
            label: posting.number.clone(),
            amount: posting.amount,
        }),
        platform: None,
        vendor: posting.party_name.clone(),
        amount,
        date: posting.date,
        age_days: age(posting.date, scope.day),
        cause,
        code: None,
        clears_by: None,
        owner: String::new(),
        comment: String::new(),
    }
}
