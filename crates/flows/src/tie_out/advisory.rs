//! What an experienced eye would stop at among the payments of the period. An advisory says that something is worth
//! a look, never that it is wrong: it is no difference, and no status or residual depends on it.

use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};
use tieout_domain::{Amount, Currency, Date};

use super::Document;
use super::input::{Scope, Spent};
use super::rules::age;

/// For how many days before a payment the same amount to the same vendor is remarkable.
pub const SAME_AMOUNT_DAYS: i64 = 45;

/// How many vendors of a shared address are named.
const NAMED: usize = 3;

/// What is remarkable about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Signal {
    /// The same amount went to the same vendor a few weeks before.
    #[serde(rename = "A-SAME-AMOUNT")]
    SameAmount,
    /// The payee has its address in common with another vendor.
    #[serde(rename = "A-ADDRESS")]
    SharedAddress,
    /// The vendor was never paid on the platform before.
    #[serde(rename = "A-FIRST")]
    FirstPayment,
    /// A bill came to the platform on the day on which it was paid.
    #[serde(rename = "A-SAME-DAY")]
    SameDay,
    /// The money went on a Saturday or Sunday.
    #[serde(rename = "A-WEEKEND")]
    Weekend,
}

impl Signal {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::SameAmount,
        Self::SharedAddress,
        Self::FirstPayment,
        Self::SameDay,
        Self::Weekend,
    ];

    /// Its code, as printed: `A-SAME-AMOUNT`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SameAmount => "A-SAME-AMOUNT",
            Self::SharedAddress => "A-ADDRESS",
            Self::FirstPayment => "A-FIRST",
            Self::SameDay => "A-SAME-DAY",
            Self::Weekend => "A-WEEKEND",
        }
    }
}

/// A payment that is worth a look, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// What is remarkable.
    pub signal: Signal,
    /// The payment in the ledger, if it is posted.
    pub ledger: Option<Document>,
    /// The payment on the platform.
    pub platform: Option<Document>,
    /// The vendor, by name.
    pub vendor: String,
    /// The payment's day.
    pub date: Date,
    /// Why, in a sentence.
    pub words: String,
}

/// The advisories on the payments of the period: by signal, then the latest first.
pub(super) fn advisories(payouts: &[Spent], scope: &Scope) -> Vec<Advisory> {
    let mut by_amount: Vec<&Spent> = payouts.iter().collect();
    by_amount.sort_by_key(|payout| same(payout));
    let mut found = Vec::new();
    for (at, payout) in by_amount.iter().enumerate() {
        if payout.date < scope.period.start || payout.date > scope.day {
            continue;
        }
        let before = at.checked_sub(1).map(|before| by_amount[before]);
        let signals = [
            (
                Signal::SameAmount,
                same_amount(payout, before, scope.currency),
            ),
            (Signal::SharedAddress, shared_address(payout)),
            (Signal::FirstPayment, first(payout)),
            (Signal::SameDay, same_day(payout)),
            (Signal::Weekend, weekend(payout.date)),
        ];
        found.extend(signals.into_iter().filter_map(|(signal, words)| {
            Some(Advisory {
                signal,
                ledger: payout.ledger.clone(),
                platform: Some(payout.platform.clone()),
                vendor: payout.vendor_name.clone(),
                date: payout.date,
                words: words?,
            })
        }));
    }
    found.sort_by(|a, b| order(a).cmp(&order(b)));
    found
}

fn order(advisory: &Advisory) -> (Signal, std::cmp::Reverse<Date>, Option<&Document>) {
    (
        advisory.signal,
        std::cmp::Reverse(advisory.date),
        advisory.platform.as_ref(),
    )
}

/// Payments of one amount to one vendor lie beside each other, by day.
fn same(payout: &Spent) -> (tieout_domain::RemoteId, Amount, Date, Document) {
    (
        payout.vendor.clone(),
        payout.platform.amount,
        payout.date,
        payout.platform.clone(),
    )
}

fn same_amount(payout: &Spent, before: Option<&Spent>, currency: Currency) -> Option<String> {
    let before = before.filter(|before| {
        before.vendor == payout.vendor && before.platform.amount == payout.platform.amount
    })?;
    let days = age(before.date, payout.date);
    let (label, amount) = (&before.platform.label, payout.platform.amount);
    (amount.is_positive() && days <= SAME_AMOUNT_DAYS).then(|| {
        format!(
            "{} went to the same vendor on {} already, as payment {label}",
            amount.of(currency),
            before.date
        )
    })
}

fn shared_address(payout: &Spent) -> Option<String> {
    let others = &payout.shares_address_with;
    let named: Vec<&str> = others.iter().take(NAMED).map(String::as_str).collect();
    let more = match others.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!named.is_empty()).then(|| {
        format!(
            "the payee has its address in common with {}{more}",
            named.join(", ")
        )
    })
}

fn first(payout: &Spent) -> Option<String> {
    payout
        .is_first
        .then(|| "the first payment to this vendor on the platform".to_owned())
}

fn same_day(payout: &Spent) -> Option<String> {
    let bills = &payout.bills_of_the_day;
    let word = if bills.len() == 1 { "bill" } else { "bills" };
    (!bills.is_empty()).then(|| {
        format!(
            "{word} {} came to the platform on the day of the payment",
            bills.join(", ")
        )
    })
}

fn weekend(date: Date) -> Option<String> {
    let day = match date.weekday() {
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
        _ => return None,
    };
    Some(format!("paid on a {day}"))
}
