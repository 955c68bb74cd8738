//! What must hold of the report of any world, of whichever book.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use tieout_domain::Amount;
use tieout_flows::tie_out::input::{Held, Input, Presence};
use tieout_flows::tie_out::{Leg, Status, report};

pub(crate) fn cents(cents: i64) -> Amount {
    Amount::new(rust_decimal::Decimal::new(cents, 2))
}

/// All legs close, and no record is told twice under one leg.
pub(crate) fn closes(input: Input) -> Result<(), TestCaseError> {
    let made = report(input).unwrap();
    for leg in Leg::ALL {
        prop_assert!(made.residual(leg).is_zero(), "{leg:?}: {made:#?}");
    }
    let mut named = BTreeSet::new();
    for item in made.items_of(Leg::Platform) {
        let record = |document: &Option<tieout_flows::tie_out::Document>| {
            document.as_ref().map(|one| one.record.clone())
        };
        let name = (record(&item.ledger), record(&item.platform));
        prop_assert!(named.insert(name), "twice: {item:?}");
    }
    Ok(())
}

/// What one side of one pair has open that nothing explains is left over, to the cent, and the report is not tied.
pub(crate) fn never_ties(
    mut input: Input,
    close: impl Fn(&mut Input),
    at: prop::sample::Index,
    (off, of_ledger): (i64, bool),
) -> Result<(), TestCaseError> {
    let there = |held: &Option<Held>| {
        let held = held.as_ref();
        held.is_some_and(|held| held.presence == Presence::There)
    };
    let mut both: Vec<_> = input
        .pairs
        .iter_mut()
        .filter(|pair| there(&pair.ledger) && there(&pair.platform))
        .collect();
    prop_assume!(!both.is_empty());
    let at = at.index(both.len());
    let pair = &mut both[at];
    let held = if of_ledger {
        &mut pair.ledger
    } else {
        &mut pair.platform
    };
    let held = held.as_mut().unwrap();
    held.open = [held.open, cents(off)].into_iter().sum();
    close(&mut input);
    let made = report(input).unwrap();
    prop_assert_eq!(made.status, Status::NotTied);
    let signed = if of_ledger { off } else { -off };
    prop_assert_eq!(made.residual(Leg::Platform), cents(signed));
    Ok(())
}
