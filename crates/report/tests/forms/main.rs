//! The forms of a report, on a worked example.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../sample/mod.rs"]
mod sample;

mod base;
mod csv;
mod html;
mod pdf;
mod properties;
mod text;

use std::collections::BTreeSet;

use tieout_domain::Amount;
use tieout_flows::tie_out::{Leg, Report};

/// How many further items the large report has.
const MANY: u32 = 5_000;

/// A report that can't be signed, with harmful texts.
fn spoiled() -> Report {
    let mut report = sample::report();
    sample::spoil(&mut report);
    report
}

/// The numbers of the further items that stand in a text.
fn found(text: &str) -> BTreeSet<u32> {
    let numbers = text.split("LARGE-").skip(1).map(|rest| rest[..5].parse());
    numbers.map(Result::unwrap).collect()
}

#[test]
fn the_example_is_a_report_that_ties() {
    let report = sample::report();
    for leg in &report.legs {
        let difference = leg.left.amount.plus(-leg.right.amount).unwrap();
        assert_eq!(leg.difference, difference, "{:?}", leg.leg);
        let explained: Amount = match leg.leg {
            Leg::Ledger | Leg::Platform => report.items_of(leg.leg).map(|item| item.amount).sum(),
            _ => Amount::ZERO,
        };
        assert_eq!(leg.explained, explained, "{:?}", leg.leg);
        assert_eq!(leg.residual, Amount::ZERO);
    }
    assert_eq!(report.items_of(Leg::Platform).count(), 29);
}
