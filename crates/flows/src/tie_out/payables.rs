//! Which of the closed list's categories a difference of payables belongs to.

use tieout_domain::subledger::PostingKind;
use tieout_domain::{Amount, Date, MoneyError, State};

use super::Category;
use super::clearing::{self, ClearingLeg};
use super::input::{Effect, EffectKind, Input, Pair, Presence, Scope, Standing};
use super::on_its_way::Codes;
use super::rules::{Rules, Symbols, age};

/// Codes of what is left out by the cut-over.
const CUT_OVER: &[&str] = &[
    "before-cut-over",
    "paid-at-cut-over",
    "partly-paid",
    "applied-at-cut-over",
    "partly-applied",
];
/// Codes of a suspected twin.
const TWIN: &[&str] = &["possible-duplicate", "resembles"];
/// Codes of a link that can't be told.
const UNLINKED: &[&str] = &[
    "ambiguous-match",
    "marked-elsewhere",
    "adopt-paid",
    "adopt-differs",
    "counterpart-gone",
    "closed-on-both-sides",
    "vendor-merged",
];
/// Codes of bills and vendor credits.
const CODES: Codes = Codes {
    twin: TWIN,
    unlinked: UNLINKED,
    before: CUT_OVER,
    before_is: Category::CutOver,
    held_up: &["waits-for-vendor", "waits-for-parent", "waits-for-bill"],
};
/// Codes of a payment that waits for the posting period.
const PERIOD: &[&str] = &["closed-period", "locked-period", "period-missing"];
/// Codes of a payment whose fate on the platform is open.
const UNDECIDED: &[&str] = &["returned", "void-pending"];

/// What the company owes.
pub(super) struct Payables;

impl Rules for Payables {
    fn symbols(&self) -> Symbols {
        Symbols {
            platform: "B",
            clearing: "C",
            expected: "K",
            under_way: "payments whose money is under way",
        }
    }

    fn only_in_ledger(&self, pair: &Pair, day: Date, grace: i64) -> Category {
        let Some(held) = &pair.ledger else {
            return Category::Link;
        };
        if pair
            .platform
            .as_ref()
            .is_some_and(|there| there.presence == Presence::Later)
        {
            return Category::Queue;
        }
        match &held.kind {
            // Its application has moved to the journal that reverses it, in a later period.
            PostingKind::Payment
                if pair.posted_by_us
                    && pair
                        .standing
                        .as_ref()
                        .is_some_and(|standing| standing.state == State::Reversed) =>
            {
                return Category::CutOff;
            }
            PostingKind::Payment if pair.posted_by_us => return Category::Amount,
            PostingKind::Payment => return Category::CutOver,
            PostingKind::Bill | PostingKind::VendorCredit => {}
            PostingKind::Invoice
            | PostingKind::CreditMemo
            | PostingKind::CustomerPayment
            | PostingKind::CustomerRefund
            | PostingKind::Deposit
            | PostingKind::Journal
            | PostingKind::Revaluation
            | PostingKind::Other(_) => return Category::Excluded,
        }
        let credit = held.kind == PostingKind::VendorCredit;
        let way = CODES.on_its_way(pair, (held.date, credit), day, grace);
        way.unwrap_or(Category::Excluded)
    }

    fn only_on_platform(&self, pair: &Pair, _: Date, _: i64) -> Category {
        match pair.ledger.as_ref().map(|held| held.presence) {
            Some(Presence::Gone) => return Category::Ghost,
            Some(Presence::Later) => return Category::CutOff,
            Some(Presence::There) | None => {}
        }
        let is_credit = pair
            .platform
            .as_ref()
            .is_some_and(|held| held.kind == PostingKind::VendorCredit);
        match &pair.standing {
            Some(standing) if standing.is(TWIN) => Category::Duplicate,
            Some(standing) if standing.is(UNLINKED) => Category::Link,
            Some(standing) if standing.state == State::Hold && is_credit => Category::Credit,
            _ => Category::BillOnly,
        }
    }

    fn differing_totals(&self, pair: &Pair, more: Amount, day: Date, grace: i64) -> Category {
        match &pair.standing {
            Some(standing) if standing.is(TWIN) => Category::Duplicate,
            // The platform has no terms: there a discount is a lower total (fact F11).
            _ if more == pair.discount => Category::Discount,
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
        match effect.kind {
            EffectKind::PostedLater | EffectKind::PaidLaterOnPlatform | EffectKind::UndoneLater => {
                Category::CutOff
            }
            EffectKind::PaidInLedger => Category::PaidOut,
            EffectKind::AppliedOtherwise => Category::Amount,
            EffectKind::DiscountInLedger => Category::Discount,
            // Nothing carries it over: somebody applies it on the platform too, or takes it back.
            EffectKind::CreditInLedger | EffectKind::CreditKeptInLedger
                if age(self.waits_since(effect), day) > grace =>
            {
                Category::Blocked
            }
            EffectKind::CreditInLedger
            | EffectKind::CreditKeptInLedger
            | EffectKind::CreditOnPlatform => Category::Credit,
            EffectKind::UndoneOnPlatform if is(UNDECIDED) || state == Some(State::Hold) => {
                Category::Void
            }
            EffectKind::UndoneOnPlatform
            | EffectKind::FailedOnPlatform
            | EffectKind::ReturnedToCustomer => Category::Revived,
            EffectKind::PaidOnPlatform if is(UNDECIDED) => Category::Void,
            EffectKind::PaidOnPlatform if is(PERIOD) => Category::CutOff,
            EffectKind::PaidOnPlatform => match state {
                Some(State::Blocked | State::Conflict | State::Orphan) => Category::Blocked,
                _ if age(effect.date, day) > grace => Category::Unposted,
                _ => Category::InFlight,
            },
        }
    }

    /// The application of a credit has no day of its own in the ledger: that of the credit, or the one since which the flow
    /// asks for somebody.
    fn waits_since(&self, effect: &Effect) -> Date {
        let of_credit = effect.kind == EffectKind::CreditInLedger;
        let standing = effect.standing.as_ref();
        let asks = |it: &&Standing| matches!(it.state, State::Blocked | State::Conflict);
        standing
            .filter(|it| of_credit && asks(it))
            .map_or(effect.date, |standing| standing.since)
    }

    fn clearing(&self, input: &Input) -> Result<ClearingLeg, MoneyError> {
        clearing::work(input)
    }

    fn notice(&self, _: &Scope) -> Option<String> {
        None
    }
}
