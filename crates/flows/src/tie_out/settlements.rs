//! Leg 5: what the platform has paid out, payout by payout, against the ledger's deposits of it. A payout is a line on
//! the bank statement: what it is made of comes to what arrived, and that is what was deposited (scenario 184).

use std::collections::BTreeMap;

use tieout_domain::document::{PartOf, Payout};
use tieout_domain::{Amount, Currency, MoneyError};

use super::input::{Deposited, Input, Scope, Settlement};
use super::platform_leg::note;
use super::rules::age;
use super::{Category, Document, Flow, Item};

/// What leg 5 comes to.
pub(super) struct SettlementLeg {
    /// What the payouts are made of.
    pub(super) paid_out: Amount,
    /// What was deposited for them.
    pub(super) deposited: Amount,
    /// The payouts that were not deposited as they arrived.
    pub(super) items: Vec<Item>,
    /// Each payout, with its deposits.
    pub(super) flows: Vec<Flow>,
}

/// Works it out; `None` for a platform that pays nothing out.
pub(super) fn work(input: &Input) -> Result<Option<SettlementLeg>, MoneyError> {
    let Some(settlements) = &input.settlements else {
        return Ok(None);
    };
    let mut leg = SettlementLeg {
        paid_out: Amount::ZERO,
        deposited: Amount::ZERO,
        items: Vec::new(),
        flows: Vec::new(),
    };
    for one in settlements {
        let parts = Amount::total(one.payout.parts.iter().map(|part| part.amount))?;
        let counted = || one.deposits.iter().filter(|deposit| !deposit.later);
        let deposited = Amount::total(counted().map(|deposit| deposit.document.amount))?;
        leg.paid_out = leg.paid_out.plus(parts)?;
        leg.deposited = leg.deposited.plus(deposited)?;
        leg.flows.push(Flow {
            label: made_of(one, input.scope.currency)?,
            ledger_count: number(counted().count()),
            ledger_amount: deposited,
            platform_count: number(one.payout.parts.len()),
            platform_amount: parts,
        });
        // By what arrived, not by the parts: what these don't come to is explained by nothing.
        let missing = one.payout.total.minus(deposited)?;
        if !missing.is_zero() {
            leg.items.push(item(one, missing, &input.scope));
        }
    }
    for item in &mut leg.items {
        note(item, &input.notes);
    }
    Ok(Some(leg))
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Why a payout was not deposited as it arrived.
fn category(one: &Settlement, missing: Amount, scope: &Scope) -> Category {
    let later: Amount = later(one).map(|deposit| deposit.document.amount).sum();
    if later == missing {
        Category::PayoutLater
    } else if !one.deposits.is_empty() {
        Category::PayoutAmount
    } else if age(one.payout.date, scope.day) <= scope.grace_days {
        Category::PayoutOpen
    } else {
        Category::PayoutMissing
    }
}

fn later(one: &Settlement) -> impl Iterator<Item = &Deposited> {
    one.deposits.iter().filter(|deposit| deposit.later)
}

fn item(one: &Settlement, missing: Amount, scope: &Scope) -> Item {
    let category = category(one, missing, scope);
    let standing = one.standing.as_ref();
    let said = standing.map(|standing| standing.cause.clone());
    let cause = said.filter(|cause| !cause.is_empty() && category != Category::PayoutLater);
    let days = jiff::Span::new().days(scope.grace_days);
    let clears_by = (category == Category::PayoutOpen)
        .then(|| one.payout.date.checked_add(days).ok())
        .flatten();
    Item {
        category,
        ledger: one.deposits.first().map(|deposit| deposit.document.clone()),
        platform: Some(Document {
            record: one.record.clone(),
            label: name(one),
            amount: one.payout.total,
        }),
        vendor: String::new(),
        amount: missing,
        date: one.payout.date,
        age_days: age(one.payout.date, scope.day),
        cause: cause.unwrap_or_else(|| category.title().to_owned()),
        code: standing.and_then(|standing| standing.code.clone()),
        clears_by,
        owner: String::new(),
        comment: String::new(),
    }
}

/// What people call a payout: its number, or the platform's id.
fn name(one: &Settlement) -> String {
    match one.payout.number.as_str() {
        "" => one.record.id.to_string(),
        number => number.to_owned(),
    }
}

/// `2026-06-12 pyt_1: payments 10,000.00 USD, fees -245.60 USD`.
fn made_of(one: &Settlement, currency: Currency) -> Result<String, MoneyError> {
    let sums = sums(&one.payout)?.into_iter();
    let sums: Vec<String> = sums
        .map(|(what, sum)| format!("{what} {}", sum.of(currency)))
        .collect();
    let (date, name) = (one.payout.date, name(one));
    Ok(format!("{date} {name}: {}", sums.join(", ")))
}

/// What a payout is made of, sort by sort: gross first, and what is netted off after it.
fn sums(payout: &Payout) -> Result<BTreeMap<Sort, Amount>, MoneyError> {
    let mut sums: BTreeMap<Sort, Amount> = BTreeMap::new();
    for part in &payout.parts {
        let sum = sums.entry(Sort::of(&part.of)).or_default();
        *sum = sum.plus(part.amount)?;
    }
    Ok(sums)
}

/// A sort of parts, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Payments,
    Fees,
    Refunds,
    Failures,
    Chargebacks,
    ChargebacksWon,
    DisputeFees,
    Adjustments,
    Others,
}

impl Sort {
    fn of(part: &PartOf) -> Self {
        match part {
            PartOf::Payment(_) => Self::Payments,
            PartOf::Fee => Self::Fees,
            PartOf::Refund { .. } => Self::Refunds,
            PartOf::Failure { .. } => Self::Failures,
            PartOf::Chargeback { .. } => Self::Chargebacks,
            PartOf::ChargebackWon { .. } => Self::ChargebacksWon,
            PartOf::DisputeFee => Self::DisputeFees,
            PartOf::Adjustment => Self::Adjustments,
            PartOf::Other(_) => Self::Others,
        }
    }
}

impl std::fmt::Display for Sort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Payments => "payments",
            Self::Fees => "fees",
            Self::Refunds => "refunds",
            Self::Failures => "failed payments",
            Self::Chargebacks => "chargebacks",
            Self::ChargebacksWon => "chargebacks won",
            Self::DisputeFees => "dispute fees",
            Self::Adjustments => "adjustments",
            Self::Others => "others",
        })
    }
}
