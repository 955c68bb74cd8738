//! Each category by an example of it.

use tieout_domain::subledger::PostingKind;
use tieout_domain::{Amount, Kind, RecordRef, Side, State};
use tieout_flows::tie_out::input::{EffectKind, Input, Presence};
use tieout_flows::tie_out::{Category, Check, Leg, Report, Status, report};

use crate::make::{
    amount, bill, cleared, close, day, effect, empty, held, linked, note, only_here, pair, posting,
    standing,
};

fn made(mut input: Input) -> Report {
    close(&mut input);
    let made = report(input).unwrap();
    for (leg, residual) in &made.residuals {
        assert!(residual.is_zero(), "{leg:?} leaves {residual}: {made:#?}");
    }
    made
}

/// The categories and amounts of leg 2.
fn found(input: Input) -> Vec<(Category, Amount)> {
    made(input)
        .items
        .iter()
        .map(|item| (item.category, item.amount))
        .collect()
}

fn with(change: impl FnOnce(&mut Input)) -> Input {
    let mut input = empty();
    change(&mut input);
    input
}

#[test]
fn what_is_the_same_on_both_sides_is_tied() {
    let made = made(with(|input| {
        input.pairs.push(linked("1", "100.00", "60.00", "60.00"));
    }));
    assert_eq!(made.status, Status::Tied);
    assert!(made.items.is_empty() && made.reasons.is_empty());
}

#[test]
fn a_bill_of_the_ledger_alone_is_named_by_what_was_decided_of_it() {
    for (state, code, category) in [
        (State::Skipped, "currency", Category::Currency),
        (State::Skipped, "before-cut-over", Category::CutOver),
        (State::Skipped, "partly-paid", Category::CutOver),
        (State::Skipped, "zero", Category::Zero),
        (State::Skipped, "other-subsidiary", Category::Excluded),
        (State::Hold, "settling", Category::Queue),
        (State::Hold, "waits-for-vendor", Category::Blocked),
        (State::Blocked, "unmapped-account", Category::Blocked),
        (State::Blocked, "possible-duplicate", Category::Duplicate),
        (State::Blocked, "ambiguous-match", Category::Link),
        (State::Conflict, "both-changed", Category::Blocked),
    ] {
        let input = with(|input| {
            input
                .pairs
                .push(only_here("1", "10.00", standing(state, code)))
        });
        assert_eq!(
            found(input),
            [(category, amount("10.00"))],
            "{state} {code}"
        );
    }
    let never_looked_at = with(|input| {
        let held = held(Side::Ledger, "1", amount("10.00"), amount("10.00"));
        input.pairs.push(pair(Some(held), None, None));
    });
    assert_eq!(found(never_looked_at), [(Category::Queue, amount("10.00"))]);
}

#[test]
fn what_waits_for_too_long_becomes_an_error() {
    let mut waits = standing(State::Hold, "settling");
    waits.since = day("2026-06-24");
    let input = with(|input| input.pairs.push(only_here("1", "10.00", waits)));
    assert_eq!(found(input), [(Category::Blocked, amount("10.00"))]);
    let mut old = effect(
        EffectKind::PaidOnPlatform,
        "stp1",
        &[("b1", "10.00")],
        Some(standing(State::Hold, "settling")),
    );
    old.date = day("2026-06-24");
    let input = with(|input| {
        input.pairs.push(linked("1", "10.00", "10.00", "0.00"));
        input.effects.push(old);
    });
    assert_eq!(found(input), [(Category::Unposted, amount("10.00"))]);
}

#[test]
fn a_bill_of_the_platform_alone_is_typed_there_or_left_behind() {
    for (presence, category) in [
        (Some(Presence::Gone), Category::Ghost),
        (Some(Presence::Later), Category::CutOff),
        (None, Category::BillOnly),
    ] {
        let there = held(Side::Platform, "b1", amount("10.00"), amount("10.00"));
        let here = presence.map(|presence| {
            let mut here = held(Side::Ledger, "1", amount("10.00"), Amount::ZERO);
            here.presence = presence;
            here
        });
        let input = with(|input| {
            input.pairs.push(pair(here, Some(there), None));
        });
        assert_eq!(found(input), [(category, amount("-10.00"))]);
    }
    let sent_later = with(|input| {
        let mut pair = linked("1", "10.00", "10.00", "10.00");
        pair.platform.as_mut().unwrap().presence = Presence::Later;
        input.pairs.push(pair);
    });
    assert_eq!(found(sent_later), [(Category::Queue, amount("10.00"))]);
}

#[test]
fn a_payment_that_one_side_counts_is_named_by_what_became_of_it() {
    let hold = |code: &str| Some(standing(State::Hold, code));
    let blocked = |code: &str| Some(standing(State::Blocked, code));
    for (kind, standing, category) in [
        (
            EffectKind::PaidOnPlatform,
            hold("settling"),
            Category::InFlight,
        ),
        (EffectKind::PaidOnPlatform, None, Category::InFlight),
        (
            EffectKind::PaidOnPlatform,
            blocked("payment-account-missing"),
            Category::Blocked,
        ),
        (
            EffectKind::PaidOnPlatform,
            hold("closed-period"),
            Category::CutOff,
        ),
        (EffectKind::PaidOnPlatform, hold("returned"), Category::Void),
        (EffectKind::PostedLater, None, Category::CutOff),
        (EffectKind::PaidInLedger, None, Category::PaidOut),
        (EffectKind::PaidLaterOnPlatform, None, Category::CutOff),
        (
            EffectKind::UndoneOnPlatform,
            hold("void-pending"),
            Category::Void,
        ),
        (
            EffectKind::UndoneOnPlatform,
            blocked("reversal-forbidden"),
            Category::Revived,
        ),
        (EffectKind::UndoneLater, None, Category::CutOff),
        (EffectKind::CreditOnPlatform, None, Category::Credit),
        (EffectKind::CreditInLedger, None, Category::Credit),
    ] {
        let of_platform = matches!(
            kind,
            EffectKind::PaidOnPlatform | EffectKind::PostedLater | EffectKind::CreditOnPlatform
        );
        let input = with(|input| {
            let (here, there) = if of_platform {
                ("100.00", "60.00")
            } else {
                ("60.00", "100.00")
            };
            input.pairs.push(linked("1", "100.00", here, there));
            let id = if of_platform { "b1" } else { "1" };
            input
                .effects
                .push(effect(kind, "9", &[(id, "40.00")], standing.clone()));
        });
        let signed = if of_platform { "40.00" } else { "-40.00" };
        assert_eq!(found(input), [(category, amount(signed))], "{kind:?}");
    }
}

#[test]
fn s120_a_bill_that_was_paid_on_both_sides_is_one_critical_item() {
    let input = with(|input| {
        input.pairs.push(linked("1", "100.00", "0.00", "0.00"));
        input.effects.push(effect(
            EffectKind::PaidInLedger,
            "8001",
            &[("1", "100.00")],
            None,
        ));
        let blocked = standing(State::Blocked, "already-paid");
        input.effects.push(effect(
            EffectKind::PaidOnPlatform,
            "stp1",
            &[("b1", "100.00")],
            Some(blocked),
        ));
    });
    let made = made(input);
    assert_eq!(made.items.len(), 1);
    let item = &made.items[0];
    assert_eq!(
        (item.category, item.amount),
        (Category::Double, Amount::ZERO)
    );
    assert!(item.ledger.is_some() && item.platform.is_some());
    assert_eq!(
        made.status,
        Status::NotTied,
        "a critical item is acknowledged first"
    );
}

#[test]
fn two_part_payments_on_different_sides_are_no_double() {
    let input = with(|input| {
        input.pairs.push(linked("1", "100.00", "60.00", "60.00"));
        input.effects.push(effect(
            EffectKind::PaidInLedger,
            "8001",
            &[("1", "40.00")],
            None,
        ));
        input.effects.push(effect(
            EffectKind::PaidOnPlatform,
            "stp1",
            &[("b1", "40.00")],
            None,
        ));
    });
    assert_eq!(
        found(input),
        [
            (Category::PaidOut, amount("-40.00")),
            (Category::InFlight, amount("40.00"))
        ]
    );
}

#[test]
fn an_edited_total_is_an_error_and_a_cent_is_rounding_up_to_five() {
    let differing = |id: &str, here: &str, there: &str| {
        let ledger = held(Side::Ledger, id, amount(here), amount(here));
        let platform = held(
            Side::Platform,
            &format!("b{id}"),
            amount(there),
            amount(there),
        );
        pair(Some(ledger), Some(platform), None)
    };
    let input = with(|input| input.pairs.push(differing("1", "100.00", "99.00")));
    assert_eq!(found(input), [(Category::Amount, amount("1.00"))]);
    let input = with(|input| {
        for at in 0..7 {
            input
                .pairs
                .push(differing(&at.to_string(), "100.01", "100.00"));
        }
    });
    let categories: Vec<_> = found(input).into_iter().map(|(one, _)| one).collect();
    let count = |of: Category| categories.iter().filter(|one| **one == of).count();
    assert_eq!((count(Category::Rounding), count(Category::Amount)), (5, 2));
}

#[test]
fn s085_a_discount_of_one_side_is_told_from_an_edited_total() {
    let offering = |here: &str, there: &str| {
        let ledger = held(Side::Ledger, "1", amount("100.00"), amount(here));
        let platform = held(Side::Platform, "b1", amount(there), amount(there));
        let mut pair = pair(Some(ledger), Some(platform), None);
        pair.discount = amount("2.00");
        pair
    };
    // Somebody lowered the platform's bill by it.
    let input = with(|input| input.pairs.push(offering("100.00", "98.00")));
    assert_eq!(found(input), [(Category::Discount, amount("2.00"))]);
    let input = with(|input| input.pairs.push(offering("100.00", "98.01")));
    assert_eq!(found(input), [(Category::Amount, amount("1.99"))]);
    // The ledger took it with a payment that both sides count.
    let input = with(|input| {
        input.pairs.push(linked("1", "100.00", "0.00", "2.00"));
        let taken = effect(EffectKind::DiscountInLedger, "9", &[("1", "2.00")], None);
        input.effects.push(taken);
    });
    assert_eq!(found(input), [(Category::Discount, amount("-2.00"))]);
}

#[test]
fn a_credit_that_was_used_on_one_side_moves_nothing_in_total() {
    let credit = |side: Side, id: &str, open: &str| {
        let mut credit = held(side, id, amount("-50.00"), amount(open));
        credit.kind = PostingKind::VendorCredit;
        credit.record = RecordRef::new(side, Kind::VendorCredit, id);
        credit
    };
    let input = with(|input| {
        input.pairs.push(linked("1", "100.00", "100.00", "70.00"));
        input.pairs.push(pair(
            Some(credit(Side::Ledger, "2", "-50.00")),
            Some(credit(Side::Platform, "c2", "-20.00")),
            None,
        ));
        let mut used = effect(EffectKind::CreditOnPlatform, "c2", &[("b1", "30.00")], None);
        let of_credit = RecordRef::new(Side::Platform, Kind::VendorCredit, "c2");
        used.parts.push((of_credit, amount("-30.00")));
        input.effects.push(used);
    });
    assert_eq!(found(input), [(Category::Credit, Amount::ZERO)]);
}

#[test]
fn a_credit_that_is_only_in_the_ledger_explains_what_its_bills_are_open_for_too_much() {
    let apart = |input: &mut Input, amounts: [&str; 2]| {
        let mut credit = effect(
            EffectKind::CreditInLedger,
            "9",
            &[],
            Some(standing(State::Blocked, "credit-applied-in-ledger")),
        );
        let on = |id: &str, of: &str| (bill(Side::Ledger, id), amount(of));
        credit.supposed = vec![on("1", amounts[0]), on("2", amounts[1])];
        input.effects.push(credit);
    };
    // The second bill came over with its balance, which counts the credit already.
    let input = with(|input| {
        input.pairs.push(linked("1", "100.00", "60.00", "100.00"));
        input.pairs.push(linked("2", "100.00", "70.00", "70.00"));
        apart(input, ["40.00", "30.00"]);
    });
    assert_eq!(found(input), [(Category::Credit, amount("-40.00"))]);
    // It explains no more than it is applied with, and nothing that is open here alone.
    for (here, there, left) in [("50.00", "100.00", "-10.00"), ("100.00", "60.00", "40.00")] {
        let report = report(with(|input| {
            input.pairs.push(linked("1", "100.00", here, there));
            apart(input, ["40.00", "30.00"]);
        }))
        .unwrap();
        assert_eq!(report.residual(Leg::Platform), amount(left));
        assert_eq!(report.status, Status::NotTied);
    }
}

#[test]
fn a_credit_that_the_ledger_alone_applies_is_an_error_after_the_grace() {
    let asks = |since: &str| {
        let mut asks = standing(State::Blocked, "credit-applied-in-ledger");
        asks.since = day(since);
        asks
    };
    let done = || standing(State::Done, "");
    let (here, there) = (EffectKind::CreditInLedger, EffectKind::CreditOnPlatform);
    for (kind, date, standing, category, status) in [
        // Since when somebody is asked counts, where that is known; else the day of the credit.
        (
            here,
            "2026-06-01",
            asks("2026-06-25"),
            Category::Credit,
            Status::Tied,
        ),
        (
            here,
            "2026-06-01",
            asks("2026-06-24"),
            Category::Blocked,
            Status::NotTied,
        ),
        (here, "2026-06-25", done(), Category::Credit, Status::Tied),
        (
            here,
            "2026-06-24",
            done(),
            Category::Blocked,
            Status::NotTied,
        ),
        // Set aside for a bill that is not paid yet.
        (there, "2026-06-01", done(), Category::Credit, Status::Tied),
    ] {
        let input = with(|input| {
            let (open_here, open_there, id) = match kind {
                EffectKind::CreditOnPlatform => ("100.00", "60.00", "b1"),
                _ => ("60.00", "100.00", "1"),
            };
            input
                .pairs
                .push(linked("1", "100.00", open_here, open_there));
            let mut used = effect(kind, "7", &[(id, "40.00")], Some(standing.clone()));
            used.date = day(date);
            input.effects.push(used);
        });
        let made = made(input);
        let found: Vec<_> = made.items.iter().map(|item| item.category).collect();
        assert_eq!(
            (found, made.status),
            (vec![category], status),
            "{kind:?} {date} {standing:?}"
        );
        if let (EffectKind::CreditInLedger, Category::Credit) = (kind, category) {
            assert_eq!(made.items[0].clears_by, Some(day("2026-06-30")));
        }
    }
}

#[test]
fn s128_a_withdrawal_stands_for_the_payments_of_one_day() {
    let ours = |id: &str, date: &str, credit: &str| {
        cleared(posting(id, PostingKind::Payment, date, credit), true)
    };
    let lump = |id: &str, date: &str, debit: &str| {
        cleared(posting(id, PostingKind::Journal, date, debit), false)
    };
    // One withdrawal for one day, two for another, none yet for the last.
    let input = with(|input| {
        input.cleared = vec![
            ours("1", "2026-06-10", "-30.00"),
            ours("2", "2026-06-10", "-12.00"),
            lump("3", "2026-06-11", "42.00"),
            ours("4", "2026-06-20", "-50.00"),
            lump("5", "2026-06-20", "20.00"),
            lump("6", "2026-06-21", "30.00"),
            ours("7", "2026-06-30", "-5.00"),
        ];
    });
    assert_eq!(found(input), [(Category::Transit, amount("5.00"))]);
}

#[test]
fn s130_what_does_not_belong_on_the_clearing_account_is_named() {
    let input = with(|input| {
        input.cleared = vec![
            cleared(
                posting("1", PostingKind::Payment, "2026-06-10", "-30.00"),
                false,
            ),
            cleared(
                posting("2", PostingKind::Journal, "2026-06-11", "-1.25"),
                false,
            ),
        ];
    });
    assert_eq!(
        found(input),
        [
            (Category::Fee, amount("-1.25")),
            (Category::Offline, amount("-30.00"))
        ]
    );
}

#[test]
fn s116_what_the_platform_is_owed_is_expected_on_the_clearing_account() {
    let input = with(|input| {
        let mut owed = cleared(
            posting("1", PostingKind::Payment, "2026-06-10", "-30.00"),
            true,
        );
        owed.owed = true;
        input.cleared.push(owed);
    });
    let made = made(input);
    assert_eq!(made.legs[2].right.amount, amount("-30.00"));
    assert_eq!(made.items[0].category, Category::FundingFailed);
}

#[test]
fn figures_that_are_not_known_to_be_whole_are_incomplete_whatever_they_say() {
    let mut input = empty();
    input.completeness.checks.push(Check {
        what: "rows of open items".to_owned(),
        expected: "12".to_owned(),
        found: "11".to_owned(),
        holds: false,
    });
    let made = made(input);
    assert_eq!(made.status, Status::Incomplete);
    assert_eq!(
        made.reasons,
        ["rows of open items: 12 was expected, and 11 found"]
    );
}

#[test]
fn an_owner_without_a_comment_does_not_count() {
    let input = with(|input| {
        let blocked = standing(State::Blocked, "unmapped-account");
        input.pairs.push(only_here("1", "10.00", blocked));
        input
            .notes
            .insert(bill(Side::Ledger, "1"), note("robin", ""));
    });
    assert_eq!(made(input).status, Status::NotTied);
}

#[test]
fn aging_is_by_the_due_day() {
    let input = with(|input| {
        for (id, due) in [
            ("1", "2026-07-01"),
            ("2", "2026-06-29"),
            ("3", "2026-03-01"),
        ] {
            let mut pair = linked(id, "10.00", "10.00", "10.00");
            for held in [&mut pair.ledger, &mut pair.platform] {
                held.as_mut().unwrap().due = Some(day(due));
            }
            input.pairs.push(pair);
        }
    });
    let aging = made(input).aging;
    let ledger: Vec<_> = aging.iter().map(|one| one.ledger).collect();
    let ten = amount("10.00");
    assert_eq!(ledger, [ten, ten, Amount::ZERO, Amount::ZERO, ten]);
}
