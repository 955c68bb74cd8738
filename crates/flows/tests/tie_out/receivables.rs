//! Receivables: each category by an example of it, undeposited funds, and what must hold of any world.

use proptest::prelude::*;
use tieout_domain::subledger::{Book, Posting, PostingKind};
use tieout_domain::{Amount, Kind, RecordRef, Side, State};
use tieout_flows::tie_out::input::{
    Effect, EffectKind, Held, Input, Pair, Presence, RollForward, Standing,
};
use tieout_flows::tie_out::{Category, Document, Leg, Report, Status, report};

use crate::holds::{cents, closes, never_ties};
use crate::make::{amount, cleared, day, empty, flow, pair, posting, standing};

fn nothing() -> Input {
    let mut input = empty();
    input.scope.book = Book::Receivables;
    input.scope.platform.system = "invoiced".to_owned();
    input.scope.accounts[0].label = "1100 Accounts Receivable".to_owned();
    input.scope.clearing[0].label = "1099 Undeposited Funds".to_owned();
    input
}

fn with(change: impl FnOnce(&mut Input)) -> Input {
    let mut input = nothing();
    change(&mut input);
    close(&mut input);
    input
}

/// The control account, the roll-forward and the account of undeposited funds that go with what is there.
fn close(input: &mut Input) {
    let open: Amount = input
        .pairs
        .iter()
        .filter_map(|pair| pair.ledger.as_ref())
        .filter(|held| held.presence == Presence::There)
        .map(|held| held.open)
        .sum();
    let loose: Amount = input.loose.iter().map(|one| one.amount).sum();
    input.control = [open, loose].into_iter().sum();
    input.roll_forward.opening = open;
    input.clearing = input.cleared.iter().map(|one| one.posting.amount).sum();
}

fn made(input: Input) -> Report {
    let made = report(input).unwrap();
    for (leg, residual) in &made.residuals {
        assert!(residual.is_zero(), "{leg:?} leaves {residual}: {made:#?}");
    }
    made
}

fn found(input: Input) -> Vec<(Category, Amount)> {
    let items = made(input).items;
    items
        .iter()
        .map(|item| (item.category, item.amount))
        .collect()
}

fn record(side: Side, kind: Kind, id: &str) -> RecordRef {
    RecordRef::new(side, kind, id)
}

fn held(side: Side, kind: PostingKind, id: &str, total: &str, open: &str) -> Held {
    Held {
        record: record(side, kind.record(), id),
        kind,
        label: format!("S-{id}"),
        date: day("2026-06-28"),
        due: Some(day("2026-07-28")),
        total: amount(total),
        open: amount(open),
        presence: Presence::There,
    }
}

/// An invoice: what is open of it in the ledger and on the platform, where it is.
fn invoice(here: Option<&str>, there: Option<&str>, standing: Option<Standing>) -> Pair {
    let held = |side, id, open: &str| held(side, PostingKind::Invoice, id, "100.00", open);
    pair(
        here.map(|open| held(Side::Ledger, "1", open)),
        there.map(|open| held(Side::Platform, "p1", open)),
        standing,
    )
}

fn gone(held: &mut Option<Held>) {
    held.as_mut().unwrap().presence = Presence::Gone;
}

/// A payment of the invoice that one side counts, or that is counted otherwise.
fn paid(kind: EffectKind, parts: &[(RecordRef, &str)], standing: Option<Standing>) -> Effect {
    let document = |side, id: &str| Document {
        record: record(side, Kind::CustomerPayment, id),
        label: format!("check {id}"),
        amount: amount("100.00"),
    };
    Effect {
        kind,
        ledger: Some(document(Side::Ledger, "9")),
        platform: Some(document(Side::Platform, "p9")),
        vendor: "Acme Retail".to_owned(),
        date: day("2026-06-29"),
        parts: parts
            .iter()
            .map(|(record, part)| (record.clone(), amount(part)))
            .collect(),
        unplaced: None,
        supposed: Vec::new(),
        standing,
    }
}

fn the_invoice() -> RecordRef {
    record(Side::Platform, Kind::Invoice, "p1")
}

#[test]
fn what_is_the_same_on_both_sides_is_tied_and_the_report_speaks_of_receivables() {
    let made = made(with(|input| {
        input.pairs.push(invoice(
            Some("60.00"),
            Some("60.00"),
            Some(standing(State::Done, "")),
        ));
        input.roll_forward = RollForward {
            flows: vec![flow("invoices", 1, "0.00")],
            ..RollForward::default()
        };
    }));
    assert_eq!(made.status, Status::Tied);
    let symbols: Vec<&str> = made
        .legs
        .iter()
        .flat_map(|leg| [leg.left.symbol.as_str(), leg.right.symbol.as_str()])
        .collect();
    assert_eq!(symbols, ["G", "A", "A", "I", "U", "Ku", "A", ""]);
    assert_eq!(made.legs[2].title, "Undeposited funds");
    assert!(
        made.notices[0].contains("pays nothing out"),
        "{:?}",
        made.notices
    );
}

#[test]
fn an_invoice_of_one_side_is_named_by_what_was_decided_of_it() {
    for (state, code, category) in [
        (State::Skipped, "before-cut-over", Category::PreCut),
        (State::Skipped, "paid-at-cut-over", Category::PreCut),
        (State::Skipped, "other-subsidiary", Category::Excluded),
        (State::Skipped, "payments-only", Category::Excluded),
        (State::Skipped, "currency", Category::Currency),
        (State::Hold, "pending-approval", Category::Queue),
        (State::Hold, "waits-for-customer", Category::Blocked),
        (State::Blocked, "customer-automation", Category::Blocked),
        (State::Blocked, "number-taken", Category::Link),
        (State::Blocked, "counterpart-gone", Category::Link),
    ] {
        let input = with(|input| {
            let standing = Some(standing(state, code));
            input.pairs.push(invoice(Some("100.00"), None, standing));
        });
        assert_eq!(found(input), [(category, amount("100.00"))], "{code}");
    }
}

#[test]
fn s185_what_exists_on_the_platform_only_stands_alone_unless_it_is_on_its_way() {
    for (standing, category) in [
        (
            Some(standing(State::Skipped, "reconcile-off")),
            Category::StandAlone,
        ),
        (
            Some(standing(State::Hold, "first-sync")),
            Category::StandAlone,
        ),
        (Some(standing(State::Noop, "ignored")), Category::StandAlone),
        (
            Some(standing(State::Blocked, "default-item-missing")),
            Category::Blocked,
        ),
        (
            Some(standing(State::Hold, "closed-period")),
            Category::Queue,
        ),
        (
            Some(standing(State::Skipped, "before-cut-over")),
            Category::PreCut,
        ),
        (Some(standing(State::Orphan, "origin-gone")), Category::Link),
        (None, Category::Queue),
    ] {
        let code = standing.as_ref().and_then(|it| it.code.clone());
        let input = with(|input| input.pairs.push(invoice(None, Some("100.00"), standing)));
        assert_eq!(found(input), [(category, amount("-100.00"))], "{code:?}");
    }
}

#[test]
fn s193_s199_what_ended_on_one_side_is_archived_there_or_a_ghost() {
    let both = || {
        invoice(
            Some("100.00"),
            Some("100.00"),
            Some(standing(State::Blocked, "copy-voided")),
        )
    };
    let ended_there = with(|input| {
        let mut pair = both();
        gone(&mut pair.platform);
        input.pairs.push(pair);
    });
    assert_eq!(found(ended_there), [(Category::Archived, amount("100.00"))]);
    let ended_here = with(|input| {
        let mut pair = both();
        gone(&mut pair.ledger);
        input.pairs.push(pair);
    });
    assert_eq!(found(ended_here), [(Category::Ghost, amount("-100.00"))]);
}

#[test]
fn s177_a_total_that_changed_after_it_was_paid_is_a_late_edit() {
    for (code, category) in [
        ("changed-after-payment", Category::LateEdit),
        ("copy-edited", Category::Amount),
    ] {
        let input = with(|input| {
            let mut pair = invoice(
                Some("20.00"),
                Some("0.00"),
                Some(standing(State::Conflict, code)),
            );
            pair.ledger.as_mut().unwrap().total = amount("120.00");
            input.pairs.push(pair);
        });
        assert_eq!(found(input), [(category, amount("20.00"))], "{code}");
    }
}

#[test]
fn a_payment_that_is_not_counted_alike_is_named_by_what_became_of_it() {
    let hold = || Some(standing(State::Hold, "payment-under-way"));
    let blocked = |code: &str| Some(standing(State::Blocked, code));
    for (kind, standing, here, there, category) in [
        (
            EffectKind::PaidOnPlatform,
            hold(),
            "100.00",
            "0.00",
            Category::InFlight,
        ),
        (
            EffectKind::PaidOnPlatform,
            blocked("deposit-account-missing"),
            "100.00",
            "0.00",
            Category::Blocked,
        ),
        (
            EffectKind::PaidOnPlatform,
            Some(standing(State::Hold, "closed-period")),
            "100.00",
            "0.00",
            Category::CutOff,
        ),
        (
            EffectKind::PaidOnPlatform,
            blocked("kept-credit"),
            "100.00",
            "0.00",
            Category::Unapplied,
        ),
        (
            EffectKind::PostedLater,
            None,
            "100.00",
            "0.00",
            Category::CutOff,
        ),
        (
            EffectKind::PaidInLedger,
            None,
            "0.00",
            "100.00",
            Category::Queue,
        ),
        (
            EffectKind::PaidInLedger,
            blocked("cannot-apply"),
            "0.00",
            "100.00",
            Category::PaidOut,
        ),
        (
            EffectKind::PaidInLedger,
            blocked("already-paid-on-platform"),
            "0.00",
            "100.00",
            Category::Double,
        ),
        (
            EffectKind::UndoneOnPlatform,
            blocked("reverse-by-hand"),
            "0.00",
            "100.00",
            Category::Revived,
        ),
        (
            EffectKind::FailedOnPlatform,
            blocked("payment-failed"),
            "0.00",
            "100.00",
            Category::Failed,
        ),
        (
            EffectKind::ReturnedToCustomer,
            None,
            "100.00",
            "0.00",
            Category::ChargeBack,
        ),
        (
            EffectKind::AppliedOtherwise,
            blocked("paid-both-ways"),
            "100.00",
            "0.00",
            Category::Double,
        ),
        (
            EffectKind::AppliedOtherwise,
            Some(standing(State::Conflict, "edited-by-hand")),
            "100.00",
            "0.00",
            Category::Amount,
        ),
        (
            EffectKind::AppliedOtherwise,
            Some(standing(State::Done, "")),
            "100.00",
            "0.00",
            Category::Amount,
        ),
        (
            EffectKind::CreditInLedger,
            None,
            "0.00",
            "100.00",
            Category::Credit,
        ),
        (
            EffectKind::CreditInLedger,
            Some(standing(State::Skipped, "paid-at-cut-over")),
            "0.00",
            "100.00",
            Category::PreCut,
        ),
    ] {
        let input = with(|input| {
            input.pairs.push(invoice(Some(here), Some(there), None));
            let parts = [(the_invoice(), "100.00")];
            input.effects.push(paid(kind, &parts, standing));
        });
        let sign = if here == "0.00" { "-100.00" } else { "100.00" };
        assert_eq!(found(input), [(category, amount(sign))], "{kind:?}");
    }
}

#[test]
fn a_payment_that_waits_too_long_to_be_posted_is_an_error() {
    let input = with(|input| {
        input
            .pairs
            .push(invoice(Some("100.00"), Some("0.00"), None));
        let mut effect = paid(
            EffectKind::PaidOnPlatform,
            &[(the_invoice(), "100.00")],
            None,
        );
        effect.date = day("2026-06-20");
        input.effects.push(effect);
    });
    assert_eq!(found(input), [(Category::Unposted, amount("100.00"))]);
}

#[test]
fn s178_a_credit_that_is_applied_on_one_side_and_goes_nowhere_is_an_error() {
    let used = |kind, date: &str| {
        with(|input| {
            let (here, there) = match kind {
                EffectKind::CreditOnPlatform => ("100.00", "0.00"),
                _ => ("0.00", "100.00"),
            };
            input.pairs.push(invoice(Some(here), Some(there), None));
            let standing = Some(standing(State::Done, ""));
            let mut effect = paid(kind, &[(the_invoice(), "100.00")], standing);
            effect.date = day(date);
            input.effects.push(effect);
        })
    };
    let (kept, there) = (EffectKind::CreditKeptInLedger, EffectKind::CreditOnPlatform);
    for (kind, date, category, status) in [
        (kept, "2026-06-20", Category::OneSided, Status::NotTied),
        (kept, "2026-06-28", Category::Credit, Status::Tied),
        (there, "2026-06-20", Category::OneSided, Status::NotTied),
        (there, "2026-06-28", Category::Credit, Status::Tied),
        // It is told by invoice, with the next run.
        (
            EffectKind::CreditInLedger,
            "2026-06-20",
            Category::Credit,
            Status::Tied,
        ),
    ] {
        let report = made(used(kind, date));
        let found: Vec<_> = report.items.iter().map(|item| item.category).collect();
        assert_eq!(
            (found, report.status),
            (vec![category], status),
            "{kind:?} {date}"
        );
    }
}

#[test]
fn s189_a_disputed_payment_is_seen_though_both_sides_still_count_it() {
    let input = with(|input| {
        input.pairs.push(invoice(Some("0.00"), Some("0.00"), None));
        let standing = standing(State::Blocked, "charge-disputed");
        let effect = paid(EffectKind::ReturnedToCustomer, &[], Some(standing));
        input.effects.push(effect);
    });
    let made = made(input);
    assert_eq!(made.items[0].category, Category::ChargeBack);
    assert_eq!(made.items[0].amount, Amount::ZERO);
    assert_eq!(made.status, Status::NotTied, "nobody looks after it");
}

#[test]
fn s182_what_is_on_account_on_one_side_alone_is_unapplied_and_nothing_need_be_wrong() {
    let account = |side, id| held(side, PostingKind::CustomerPayment, id, "-50.00", "-50.00");
    let skipped = || Some(standing(State::Skipped, "no-linked-invoices"));
    let input = with(|input| {
        input
            .pairs
            .push(pair(Some(account(Side::Ledger, "9")), None, skipped()));
        input
            .pairs
            .push(pair(None, Some(account(Side::Platform, "p8")), None));
    });
    let made = made(input);
    let found: Vec<_> = made
        .items
        .iter()
        .map(|item| (item.category, item.amount))
        .collect();
    let (here, there) = (amount("-50.00"), amount("50.00"));
    assert_eq!(
        found,
        [(Category::Unapplied, there), (Category::Unapplied, here)]
    );
    assert_eq!(made.status, Status::Tied);
}

#[test]
fn what_a_payment_has_on_account_is_told_with_the_payment() {
    // 100.00 pays the invoice, 20.00 is over; nothing of it is posted.
    let input = with(|input| {
        input
            .pairs
            .push(invoice(Some("100.00"), Some("0.00"), None));
        let over = held(
            Side::Platform,
            PostingKind::CustomerPayment,
            "p9",
            "-120.00",
            "-20.00",
        );
        let own = over.record.clone();
        input.pairs.push(pair(None, Some(over), None));
        let parts = [(the_invoice(), "100.00"), (own, "20.00")];
        input
            .effects
            .push(paid(EffectKind::PaidOnPlatform, &parts, None));
    });
    assert_eq!(found(input), [(Category::InFlight, amount("120.00"))]);
}

/// A platform that doesn't tell which invoices a payment pays has taken it off them all the same.
#[test]
fn a_payment_whose_invoices_are_not_told_explains_what_its_customer_s_invoices_lack_and_no_more() {
    let untold = |unplaced: &str| {
        let blocked = standing(State::Blocked, "unidentified-invoice");
        Effect {
            unplaced: Some(("c1".into(), amount(unplaced))),
            ..paid(EffectKind::PaidOnPlatform, &[], Some(blocked))
        }
    };
    let residual = |unplaced: &str, customer: &str| {
        let made = report(with(|input| {
            let mut pair = invoice(Some("100.00"), Some("40.00"), None);
            pair.customer = Some(customer.into());
            input.pairs.push(pair);
            input.effects.push(untold(unplaced));
        }))
        .unwrap();
        let items = made.items.iter().map(|item| (item.category, item.amount));
        (items.collect::<Vec<_>>(), made.residuals[&Leg::Platform])
    };
    let blocked = |told: &str| vec![(Category::Blocked, amount(told))];
    assert_eq!(residual("60.00", "c1"), (blocked("60.00"), Amount::ZERO));
    // What it pays elsewhere makes no difference here, and what it doesn't come to is explained by nothing.
    assert_eq!(residual("75.00", "c1"), (blocked("60.00"), Amount::ZERO));
    assert_eq!(residual("50.00", "c1"), (blocked("50.00"), amount("10.00")));
    assert_eq!(residual("60.00", "c2"), (vec![], amount("60.00")));
}

#[test]
fn s183_a_surcharge_that_is_billed_and_not_paid_yet_is_the_ledger_s_alone() {
    let input = with(|input| {
        let mut fee = invoice(Some("5.00"), None, None);
        fee.posted_by_us = true;
        input.pairs.push(fee);
    });
    assert_eq!(found(input), [(Category::Surcharge, amount("5.00"))]);
}

#[test]
fn a_line_without_a_customer_is_in_the_general_ledger_alone() {
    let made = made(with(|input| {
        input
            .loose
            .push(posting("7", PostingKind::Journal, "2026-06-11", "12.50"));
    }));
    let item = &made.items[0];
    assert_eq!(
        (item.category, item.amount),
        (Category::Journal, amount("12.50"))
    );
    assert!(item.cause.contains("customer"), "{}", item.cause);
    assert_eq!(made.legs[0].difference, amount("12.50"));
}

fn money(id: &str, debit: &str, deposit: Option<&str>) -> Posting {
    let kind = if debit.starts_with('-') {
        PostingKind::Deposit
    } else {
        PostingKind::CustomerPayment
    };
    Posting {
        deposit: deposit.map(Into::into),
        ..posting(id, kind, "2026-06-10", debit)
    }
}

#[test]
fn s184_undeposited_funds_are_the_payments_that_no_deposit_has_taken() {
    let made = made(with(|input| {
        input.cleared = vec![
            cleared(money("1", "30.00", None), true),
            cleared(money("2", "40.00", None), true),
            cleared(money("3", "50.00", Some("80")), true),
            cleared(money("80", "-50.00", None), false),
        ];
    }));
    let leg = &made.legs[2];
    assert_eq!(
        (leg.left.amount, leg.right.amount),
        (amount("70.00"), amount("70.00"))
    );
    assert_eq!(made.status, Status::Tied);
    let found: Vec<_> = made
        .items
        .iter()
        .map(|item| (item.category, item.amount))
        .collect();
    assert_eq!(found, [(Category::Transit, amount("70.00"))]);
}

#[test]
fn what_does_not_belong_among_undeposited_funds_is_named() {
    let input = with(|input| {
        input.cleared = vec![
            // Received by somebody in the ledger.
            cleared(money("1", "30.00", None), false),
            // A deposit of less than the payment that it takes.
            cleared(money("2", "40.00", Some("80")), true),
            cleared(money("80", "-38.00", None), false),
            cleared(
                posting("9", PostingKind::Journal, "2026-06-11", "-1.25"),
                false,
            ),
        ];
    });
    let made = made(input);
    assert_eq!(made.legs[2].difference, amount("30.75"));
    let mut found: Vec<_> = made
        .items
        .iter()
        .map(|item| (item.category, item.amount))
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            (Category::Fee, amount("-1.25")),
            (Category::Fee, amount("2.00")),
            (Category::Offline, amount("30.00")),
        ]
    );
}

/// The life of an invoice, in cents.
#[derive(Debug, Clone)]
struct Life {
    total: i64,
    /// How much more the platform's copy comes to.
    edited: i64,
    there: (bool, bool),
    /// Whether the side where it isn't had it before.
    ended: bool,
    /// Who counts a payment, how much it pays, and how much of it is on account.
    payments: Vec<(EffectKind, i64, i64)>,
    state: (State, &'static str),
}

fn life() -> impl Strategy<Value = Life> {
    let kind = prop_oneof![
        Just(EffectKind::PaidOnPlatform),
        Just(EffectKind::PostedLater),
        Just(EffectKind::CreditOnPlatform),
        Just(EffectKind::ReturnedToCustomer),
        Just(EffectKind::AppliedOtherwise),
        Just(EffectKind::PaidInLedger),
        Just(EffectKind::PaidLaterOnPlatform),
        Just(EffectKind::UndoneOnPlatform),
        Just(EffectKind::FailedOnPlatform),
        Just(EffectKind::CreditInLedger),
        Just(EffectKind::CreditKeptInLedger),
    ];
    let state = prop_oneof![
        Just((State::Done, "")),
        Just((State::Skipped, "reconcile-off")),
        Just((State::Skipped, "before-cut-over")),
        Just((State::Hold, "first-sync")),
        Just((State::Hold, "closed-period")),
        Just((State::Blocked, "payment-failed")),
        Just((State::Blocked, "paid-both-ways")),
        Just((State::Conflict, "changed-after-payment")),
        Just((State::Orphan, "origin-gone")),
        Just((State::Noop, "copy-edited")),
    ];
    (
        1_i64..1_000_000,
        prop_oneof![4 => Just(0_i64), 1 => -500_i64..500],
        prop_oneof![6 => Just((true, true)), 1 => Just((true, false)), 1 => Just((false, true))],
        any::<bool>(),
        prop::collection::vec(
            (kind, 1_i64..400_000, prop_oneof![Just(0_i64), 1_i64..9_000]),
            0..4,
        ),
        state,
    )
        .prop_map(|(total, edited, there, ended, payments, state)| Life {
            total,
            edited,
            there,
            ended,
            payments,
            state,
        })
}

/// Both sides as they came to be, each on its own.
fn world(lives: &[Life]) -> Input {
    let mut input = nothing();
    for (at, life) in lives.iter().enumerate() {
        let (here, there) = (format!("{at}"), format!("p{at}"));
        let counted = |side: Side| -> i64 {
            let counted = life.payments.iter();
            counted
                .filter(|(kind, ..)| kind.is_of_platform() == (side == Side::Platform))
                .map(|(_, amount, _)| amount)
                .sum()
        };
        let mut sides = [
            (Side::Ledger, &here, 0),
            (Side::Platform, &there, life.edited),
        ]
        .map(|(side, id, more)| {
            let mut held = held(side, PostingKind::Invoice, id, "0", "0");
            held.total = cents(life.total + more);
            held.open = cents(life.total + more - counted(side));
            Some(held)
        });
        for (held, is_there) in sides.iter_mut().zip([life.there.0, life.there.1]) {
            if !is_there {
                match life.ended {
                    true => gone(held),
                    false => *held = None,
                }
            }
        }
        let (state, code) = life.state;
        let [ledger, platform] = sides;
        input
            .pairs
            .push(pair(ledger, platform, Some(standing(state, code))));
        for (number, (kind, paid_off, over)) in life.payments.iter().enumerate() {
            let of_platform = kind.is_of_platform();
            let (side, of) = if of_platform {
                (Side::Platform, &there)
            } else {
                (Side::Ledger, &here)
            };
            let id = format!("{at}.{number}");
            let own = record(side, Kind::CustomerPayment, &id);
            let mut parts = vec![(record(side, Kind::Invoice, of), cents(*paid_off))];
            if *over > 0 {
                let mut held = held(side, PostingKind::CustomerPayment, &id, "0", "0");
                held.total = cents(-paid_off - over);
                held.open = cents(-over);
                let (ledger, platform) = match side {
                    Side::Ledger => (Some(held), None),
                    Side::Platform => (None, Some(held)),
                };
                input.pairs.push(pair(ledger, platform, None));
                parts.push((own.clone(), cents(*over)));
            }
            let document = Document {
                record: own,
                label: id,
                amount: cents(paid_off + over),
            };
            input.effects.push(Effect {
                kind: *kind,
                ledger: (!of_platform).then(|| document.clone()),
                platform: of_platform.then_some(document),
                vendor: "Acme Retail".to_owned(),
                date: day("2026-06-29"),
                parts,
                unplaced: None,
                supposed: Vec::new(),
                standing: Some(standing(state, code)),
            });
        }
    }
    close(&mut input);
    input
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_difference_of_receivables_lands_in_one_category_and_the_legs_close(
        lives in prop::collection::vec(life(), 0..12),
    ) {
        closes(world(&lives))?;
    }

    #[test]
    fn what_nothing_explains_of_receivables_is_never_tied(
        lives in prop::collection::vec(life(), 1..12),
        at in any::<prop::sample::Index>(),
        off in prop_oneof![-5000_i64..-1, 1_i64..5000],
        of_ledger in any::<bool>(),
    ) {
        never_ties(world(&lives), close, at, (off, of_ledger))?;
    }
}
