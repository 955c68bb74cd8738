//! What the items of a leg come to, by category.

use std::collections::BTreeMap;

use tieout_domain::Amount;
use tieout_flows::tie_out::{Category, Leg, LegReport, Report};

/// The items of one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CategorySum {
    pub(crate) category: Category,
    pub(crate) count: u64,
    pub(crate) amount: Amount,
}

/// The items of a leg by category, the graver categories first.
pub(crate) fn by_category(report: &Report, leg: Leg) -> Vec<CategorySum> {
    let mut sums: BTreeMap<Category, CategorySum> = BTreeMap::new();
    for item in report.items_of(leg) {
        let sum = sums.entry(item.category).or_insert(CategorySum {
            category: item.category,
            count: 0,
            amount: Amount::ZERO,
        });
        sum.count += 1;
        sum.amount = [sum.amount, item.amount].into_iter().sum();
    }
    sums.into_values().collect()
}

/// Legs that have items and are not in the report: a ledger without a clearing account has no third leg. Their items
/// are shown all the same.
pub(crate) fn legs_aside(report: &Report) -> Vec<Leg> {
    let reported = |leg: &Leg| report.legs.iter().any(|reported| reported.leg == *leg);
    Leg::ALL
        .into_iter()
        .filter(|leg| !reported(leg) && report.items_of(*leg).next().is_some())
        .collect()
}

/// What the items of a leg come to.
pub(crate) fn of_items(report: &Report, leg: Leg) -> Amount {
    report.items_of(leg).map(|item| item.amount).sum()
}

/// What must be said where the items don't come to what they explain of the difference: those of the clearing
/// account also say what its balance is made of.
pub(crate) fn beside_the_difference(report: &Report, leg: &LegReport) -> Option<&'static str> {
    if of_items(report, leg.leg) == leg.explained {
        return None;
    }
    Some(match leg.leg {
        Leg::Clearing => "These items are what the balance is made of; they are not a difference.",
        _ => "!! The items don't come to what is said to be explained.",
    })
}

/// `a - b`.
pub(crate) fn less(a: Amount, b: Amount) -> Amount {
    [a, -b].into_iter().sum()
}
