//! What must hold of any world and any history: both sides are built from what happened, each on its own, and
//! the arithmetic must find its way back.

use proptest::prelude::*;
use tieout_domain::{Side, State};
use tieout_flows::tie_out::input::{EffectKind, Input, Presence};
use tieout_flows::tie_out::{Status, report};

use crate::holds::{cents, closes, never_ties};
use crate::make::{close, effect, empty, held, pair, standing};

/// A bill's life, in cents.
#[derive(Debug, Clone)]
struct Life {
    total: i64,
    /// How much more the platform's copy comes to.
    edited: i64,
    /// Whether it is there: in the ledger, on the platform.
    there: (bool, bool),
    /// Whether the side where it isn't has it gone or later, or never had it.
    absent: u8,
    /// Payments: who counts them, and how much.
    payments: Vec<(Counted, i64)>,
    state: (State, &'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Both,
    Platform(EffectKind),
    Ledger(EffectKind),
}

fn counted() -> impl Strategy<Value = Counted> {
    prop_oneof![
        Just(Counted::Both),
        prop_oneof![
            Just(EffectKind::PaidOnPlatform),
            Just(EffectKind::PostedLater),
            Just(EffectKind::CreditOnPlatform),
        ]
        .prop_map(Counted::Platform),
        prop_oneof![
            Just(EffectKind::PaidInLedger),
            Just(EffectKind::PaidLaterOnPlatform),
            Just(EffectKind::UndoneOnPlatform),
            Just(EffectKind::UndoneLater),
            Just(EffectKind::CreditInLedger),
            Just(EffectKind::DiscountInLedger),
        ]
        .prop_map(Counted::Ledger),
    ]
}

fn life() -> impl Strategy<Value = Life> {
    let state = prop_oneof![
        Just((State::Done, "")),
        Just((State::Skipped, "currency")),
        Just((State::Skipped, "before-cut-over")),
        Just((State::Hold, "settling")),
        Just((State::Hold, "returned")),
        Just((State::Blocked, "unmapped-account")),
        Just((State::Blocked, "possible-duplicate")),
        Just((State::Conflict, "both-changed")),
        Just((State::Orphan, "only-on-platform")),
        Just((State::Noop, "cancelled")),
    ];
    (
        1_i64..1_000_000,
        prop_oneof![4 => Just(0_i64), 1 => -3_i64..3, 1 => -500_i64..500],
        prop_oneof![
            6 => Just((true, true)),
            1 => Just((true, false)),
            1 => Just((false, true)),
        ],
        0_u8..3,
        prop::collection::vec((counted(), 1_i64..400_000), 0..4),
        state,
    )
        .prop_map(|(total, edited, there, absent, payments, state)| Life {
            total,
            edited,
            there,
            absent,
            payments,
            state,
        })
}

/// Both sides as they came to be.
fn world(lives: &[Life]) -> Input {
    let mut input = empty();
    for (at, life) in lives.iter().enumerate() {
        let (here, there) = (format!("{at}"), format!("b{at}"));
        let paid = |of: Side| -> i64 {
            life.payments
                .iter()
                .filter(|(counted, _)| match counted {
                    Counted::Both => true,
                    Counted::Platform(_) => of == Side::Platform,
                    Counted::Ledger(_) => of == Side::Ledger,
                })
                .map(|(_, amount)| amount)
                .sum()
        };
        let mut ledger = held(
            Side::Ledger,
            &here,
            cents(life.total),
            cents(life.total - paid(Side::Ledger)),
        );
        let platform_total = life.total + life.edited;
        let mut platform = held(
            Side::Platform,
            &there,
            cents(platform_total),
            cents(platform_total - paid(Side::Platform)),
        );
        let absent = [None, Some(Presence::Gone), Some(Presence::Later)][usize::from(life.absent)];
        let mut sides = (Some(ledger.clone()), Some(platform.clone()));
        if !life.there.0 {
            sides.0 = absent.map(|presence| {
                ledger.presence = presence;
                ledger.clone()
            });
        }
        if !life.there.1 {
            sides.1 = absent.map(|presence| {
                platform.presence = presence;
                platform.clone()
            });
        }
        let (state, code) = life.state;
        let mut both = pair(sides.0, sides.1, Some(standing(state, code)));
        // Of some, the platform is short by just the discount that the ledger's bill offers.
        if life.edited < 0 && at % 2 == 0 {
            both.discount = cents(-life.edited);
        }
        input.pairs.push(both);
        for (number, (counted, amount)) in life.payments.iter().enumerate() {
            let (kind, id) = match counted {
                Counted::Both => continue,
                Counted::Platform(kind) => (*kind, &there),
                Counted::Ledger(kind) => (*kind, &here),
            };
            let text = cents(*amount).decimal().to_string();
            let payment = format!("{at}.{number}");
            input.effects.push(effect(
                kind,
                &payment,
                &[(id, &text)],
                Some(standing(state, code)),
            ));
        }
    }
    close(&mut input);
    input
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_difference_lands_in_one_category_and_the_legs_close(
        lives in prop::collection::vec(life(), 0..12),
    ) {
        closes(world(&lives))?;
    }

    #[test]
    fn what_nothing_explains_is_never_tied(
        lives in prop::collection::vec(life(), 1..12),
        at in any::<prop::sample::Index>(),
        off in prop_oneof![-5000_i64..-1, 1_i64..5000],
        of_ledger in any::<bool>(),
    ) {
        never_ties(world(&lives), close, at, (off, of_ledger))?;
    }

    #[test]
    fn any_figure_that_is_off_is_seen(
        lives in prop::collection::vec(life(), 0..12),
        off in prop_oneof![-5000_i64..-1, 1_i64..5000],
        which in 0_u8..3,
    ) {
        let mut input = world(&lives);
        let figure = match which {
            0 => &mut input.control,
            1 => &mut input.clearing,
            _ => &mut input.roll_forward.opening,
        };
        *figure = [*figure, cents(off)].into_iter().sum();
        let made = report(input).unwrap();
        prop_assert_eq!(made.status, Status::NotTied);
    }
}
