//! The worked example of the definition: subsidiary 3, USD, June 2026.

use tieout_domain::subledger::PostingKind;
use tieout_domain::{Amount, Side, State};
use tieout_flows::tie_out::input::{EffectKind, Input};
use tieout_flows::tie_out::{Category, Leg, Report, Status, report};

use crate::make::{
    amount, bill, cleared, effect, empty, flow, held, linked, note, only_here, pair, payment,
    posting, standing,
};

fn input() -> Input {
    let mut input = empty();
    input.control = amount("412,906.18");
    input.loose.push(posting(
        "1187",
        PostingKind::Journal,
        "2026-06-30",
        "-3,000.00",
    ));
    input.loose[0].number = "JE-1187".to_owned();
    // What is the same on both sides.
    input
        .pairs
        .push(linked("1", "359,690.43", "359,690.43", "359,690.43"));
    let scope = |code: &str| standing(State::Skipped, code);
    for (id, open) in [("11", "6,000.00"), ("12", "3,400.00"), ("13", "2,000.00")] {
        input.pairs.push(only_here(id, open, scope("other-kind")));
    }
    input
        .pairs
        .push(only_here("14", "1,000.00", scope("excluded-category")));
    for (id, open) in [("21", "4,000.00"), ("22", "4,000.00"), ("23", "22.50")] {
        input.pairs.push(only_here(id, open, scope("currency")));
    }
    for at in 0..6 {
        let open = if at == 0 { "4,815.25" } else { "1,000.00" };
        let queued = standing(State::Hold, "settling");
        input.pairs.push(only_here(&format!("3{at}"), open, queued));
    }
    for at in 0..11 {
        let paid = if at == 0 { "5,668.00" } else { "1,000.00" };
        let id = format!("4{at}");
        input.pairs.push(linked(&id, paid, paid, "0.00"));
        let parts = [(format!("b{id}"), paid)];
        let parts: Vec<(&str, &str)> = parts.iter().map(|(id, paid)| (&**id, *paid)).collect();
        let hold = standing(State::Hold, "settling");
        input.effects.push(effect(
            EffectKind::PaidOnPlatform,
            &format!("stp{at}"),
            &parts,
            Some(hold),
        ));
    }
    for (id, open) in [("51", "4,000.00"), ("52", "310.00")] {
        let blocked = standing(State::Blocked, "mapped-to-archived");
        input.pairs.push(only_here(id, open, blocked));
    }
    for (id, open) in [("61", "6,000.00"), ("62", "500.00")] {
        let typed = held(Side::Platform, id, amount(open), amount(open));
        let orphan = standing(State::Orphan, "only-on-platform");
        input.pairs.push(pair(None, Some(typed), Some(orphan)));
    }
    input
        .pairs
        .push(linked("71", "5,000.00", "0.00", "5,000.00"));
    input.effects.push(effect(
        EffectKind::PaidInLedger,
        "8001",
        &[("71", "5,000.00")],
        None,
    ));
    for (id, date, credit) in [
        ("901", "2026-06-30", "-18,940.00"),
        ("902", "2026-06-29", "-3,200.00"),
    ] {
        input.cleared.push(cleared(
            posting(id, PostingKind::Payment, date, credit),
            true,
        ));
    }
    input.clearing = amount("-22,140.00");
    input.roll_forward.opening = amount("388,120.44");
    input.roll_forward.flows = vec![
        flow("bills", 143, "214,775.90"),
        flow("credits", 5, "-3,210.00"),
        flow("payments", 97, "-189,780.16"),
    ];
    let records = [
        bill(Side::Ledger, "51"),
        bill(Side::Ledger, "52"),
        bill(Side::Platform, "61"),
        bill(Side::Platform, "62"),
        payment(Side::Ledger, "8001"),
    ];
    for record in records {
        input
            .notes
            .insert(record, note("ap@example.com", "asked the vendor"));
    }
    input
}

fn of(report: &Report, category: Category) -> (usize, Amount) {
    let amounts: Vec<Amount> = report
        .items
        .iter()
        .filter(|item| item.category == category)
        .map(|item| item.amount)
        .collect();
    (amounts.len(), amounts.into_iter().sum())
}

#[test]
fn the_worked_example_closes_to_the_cent() {
    let made = report(input()).unwrap();
    let figures = |at: usize| {
        let leg = &made.legs[at];
        (
            leg.left.amount,
            leg.right.amount,
            leg.difference,
            leg.residual,
        )
    };
    let zero = Amount::ZERO;
    assert_eq!(
        figures(0),
        (
            amount("412,906.18"),
            amount("409,906.18"),
            amount("3,000.00"),
            zero
        )
    );
    assert_eq!(
        figures(1),
        (
            amount("409,906.18"),
            amount("371,190.43"),
            amount("38,715.75"),
            zero
        )
    );
    assert_eq!(
        figures(2),
        (amount("-22,140.00"), amount("-22,140.00"), zero, zero)
    );
    assert_eq!(
        figures(3),
        (amount("409,906.18"), amount("409,906.18"), zero, zero)
    );
    for (category, count, sum) in [
        (Category::Journal, 1, "3,000.00"),
        (Category::Excluded, 4, "12,400.00"),
        (Category::Currency, 3, "8,022.50"),
        (Category::Queue, 6, "9,815.25"),
        (Category::InFlight, 11, "15,668.00"),
        (Category::Blocked, 2, "4,310.00"),
        (Category::BillOnly, 2, "-6,500.00"),
        (Category::PaidOut, 1, "-5,000.00"),
        (Category::Transit, 2, "22,140.00"),
    ] {
        assert_eq!(of(&made, category), (count, amount(sum)), "{category}");
    }
    let counted: usize = made.items.len();
    assert_eq!(counted, 1 + 4 + 3 + 6 + 11 + 2 + 2 + 1 + 2);
    assert_eq!(
        made.status,
        Status::TiedWithExceptions,
        "{:?}",
        made.reasons
    );
    assert!(made.residuals.values().all(|left| left.is_zero()));
}

#[test]
fn an_error_that_nobody_owns_is_not_tied() {
    let mut input = input();
    input.notes.clear();
    let made = report(input).unwrap();
    assert_eq!(made.status, Status::NotTied);
    assert_eq!(made.reasons, ["5 error items have no owner and comment"]);
}

#[test]
fn a_cent_that_nothing_explains_is_left_and_not_plugged() {
    let legs = Leg::ALL.into_iter().filter(|leg| *leg != Leg::Payouts);
    for leg in legs {
        let mut input = input();
        match leg {
            Leg::Ledger => input.control = amount("412,906.19"),
            Leg::Platform => {
                let held = input.pairs[0].platform.as_mut().unwrap();
                held.open = amount("359,690.42");
            }
            Leg::Clearing => input.clearing = amount("-22,139.99"),
            Leg::RollForward => input.roll_forward.opening = amount("388,120.43"),
            Leg::Payouts => unreachable!("payables have none"),
        }
        let made = report(input).unwrap();
        assert_eq!(made.status, Status::NotTied, "{leg:?}");
        assert_eq!(made.residual(leg), amount("0.01"), "{leg:?}");
        let others = Leg::ALL.into_iter().filter(|other| *other != leg);
        for other in others {
            assert!(made.residual(other).is_zero(), "{leg:?} {other:?}");
        }
    }
}
