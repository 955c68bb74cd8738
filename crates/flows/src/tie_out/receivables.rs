//! Which of the closed list's categories a difference of receivables belongs to.

use tieout_domain::subledger::PostingKind;
use tieout_domain::{Amount, Date, MoneyError, State};

use super::clearing::ClearingLeg;
use super::input::{Effect, EffectKind, Input, Pair, Presence, Scope, Standing};
use super::on_its_way::Codes;
use super::rules::{Rules, Symbols, age};
use super::{Category, Leg, undeposited};

/// Codes of what is left out by the cut-over.
const BEFORE: &[&str] = &["before-cut-over", "paid-at-cut-over"];
/// Codes of invoices and credit memos.
const CODES: Codes = Codes {
    twin: &[],
    unlinked: &[
        "counterpart-gone",
        "number-taken",
        "origin-gone",
        "several-copies",
    ],
    before: BEFORE,
    before_is: Category::PreCut,
    held_up: &[
        "waits-for-customer",
        "waits-for-invoice",
        "credit-not-linked",
    ],
};
/// Codes of a payment that waits for the posting period.
const PERIOD: &[&str] = &["closed-period", "locked-period", "period-missing"];
/// Codes of a payment that paid what was paid otherwise already (scenario 195).
const PAID_TWICE: &[&str] = &["paid-both-ways", "already-paid-on-platform"];
/// Codes of credit that one side alone keeps.
const ON_ACCOUNT: &[&str] = &["kept-credit", "unidentified-payment"];

/// What customers owe the company.
pub(super) struct Receivables;

impl Rules for Receivables {
    fn symbols(&self) -> Symbols {
        Symbols {
            platform: "I",
            clearing: "U",
            expected: "Ku",
            under_way: "payments of the platform that are not deposited",
        }
    }

    fn title(&self, leg: Leg) -> &'static str {
        match leg {
            Leg::Clearing => "Undeposited funds",
            other => other.title(),
        }
    }

    fn only_in_ledger(&self, pair: &Pair, day: Date, grace: i64) -> Category {
        let Some(held) = &pair.ledger else {
            return Category::Link;
        };
        let there = pair.platform.as_ref().map(|there| there.presence);
        match &held.kind {
            PostingKind::Invoice if pair.posted_by_us => return Category::Surcharge,
            PostingKind::Invoice | PostingKind::CreditMemo => match there {
                Some(Presence::Later) => return Category::Queue,
                Some(Presence::Gone) => return Category::Archived,
                Some(Presence::There) | None => {}
            },
            PostingKind::CustomerPayment if is(pair, BEFORE) => return Category::PreCut,
            PostingKind::CustomerPayment | PostingKind::CustomerRefund => {
                return Category::Unapplied;
            }
            PostingKind::Bill
            | PostingKind::VendorCredit
            | PostingKind::Payment
            | PostingKind::Deposit
            | PostingKind::Journal
            | PostingKind::Revaluation
            | PostingKind::Other(_) => return Category::Excluded,
        }
        let credit = held.kind == PostingKind::CreditMemo;
        let way = CODES.on_its_way(pair, (held.date, credit), day, grace);
        way.unwrap_or(Category::Excluded)
    }

    fn only_on_platform(&self, pair: &Pair, day: Date, grace: i64) -> Category {
        match pair.ledger.as_ref().map(|held| held.presence) {
            Some(Presence::Gone) => return Category::Ghost,
            Some(Presence::Later) => return Category::CutOff,
            Some(Presence::There) | None => {}
        }
        let Some(held) = &pair.platform else {
            return Category::Link;
        };
        if held.kind == PostingKind::CustomerPayment {
            return if is(pair, BEFORE) {
                Category::PreCut
            } else {
                Category::Unapplied
            };
        }
        if is(pair, &["first-sync", "platform-only", "reconcile-off"]) {
            return Category::StandAlone;
        }
        let credit = held.kind == PostingKind::CreditMemo;
        match CODES.on_its_way(pair, (held.date, credit), day, grace) {
            // Nobody has said of it that the ledger need not know.
            Some(Category::Blocked) if pair.standing.is_none() => Category::StandAlone,
            Some(category) => category,
            None => Category::StandAlone,
        }
    }

    fn differing_totals(&self, pair: &Pair, _: Amount, day: Date, grace: i64) -> Category {
        match &pair.standing {
            Some(standing) if standing.is(&["changed-after-payment"]) => Category::LateEdit,
            Some(standing)
                if standing.state == State::Hold && age(standing.since, day) <= grace =>
            {
                Category::Queue
            }
            _ => Category::Amount,
        }
    }

    fn effect(&self, effect: &Effect, day: Date, grace: i64) -> Category {
        let standing = effect.standing.as_ref();
        let is = |codes: &[&str]| standing.is_some_and(|standing| standing.is(codes));
        let state = standing.map(|standing: &Standing| standing.state);
        let waits = matches!(state, None | Some(State::Hold | State::Done));
        match effect.kind {
            EffectKind::PostedLater | EffectKind::PaidLaterOnPlatform | EffectKind::UndoneLater => {
                Category::CutOff
            }
            EffectKind::DiscountInLedger => Category::Discount,
            EffectKind::ReturnedToCustomer => Category::ChargeBack,
            EffectKind::FailedOnPlatform => Category::Failed,
            _ if is(PAID_TWICE) => Category::Double,
            _ if is(BEFORE) => Category::PreCut,
            EffectKind::CreditKeptInLedger | EffectKind::CreditOnPlatform
                if age(effect.date, day) > grace =>
            {
                Category::OneSided
            }
            EffectKind::CreditInLedger
            | EffectKind::CreditKeptInLedger
            | EffectKind::CreditOnPlatform => Category::Credit,
            EffectKind::UndoneOnPlatform if state == Some(State::Hold) => Category::Void,
            EffectKind::UndoneOnPlatform => Category::Revived,
            EffectKind::PaidInLedger if waits && age(effect.date, day) <= grace => Category::Queue,
            EffectKind::PaidInLedger => Category::PaidOut,
            EffectKind::PaidOnPlatform | EffectKind::AppliedOtherwise if is(PERIOD) => {
                Category::CutOff
            }
            EffectKind::PaidOnPlatform | EffectKind::AppliedOtherwise if is(ON_ACCOUNT) => {
                Category::Unapplied
            }
            EffectKind::AppliedOtherwise if state != Some(State::Hold) => Category::Amount,
            EffectKind::PaidOnPlatform | EffectKind::AppliedOtherwise => match state {
                Some(State::Blocked | State::Conflict | State::Orphan) => Category::Blocked,
                _ if age(effect.date, day) > grace => Category::Unposted,
                _ => Category::InFlight,
            },
        }
    }

    fn clearing(&self, input: &Input) -> Result<ClearingLeg, MoneyError> {
        undeposited::work(input)
    }

    fn notice(&self, scope: &Scope) -> Option<String> {
        Some(format!(
            "{} pays nothing out: no leg compares payouts with deposits and the bank",
            scope.platform.system
        ))
    }
}

fn is(pair: &Pair, codes: &[&str]) -> bool {
    pair.standing
        .as_ref()
        .is_some_and(|standing| standing.is(codes))
}
