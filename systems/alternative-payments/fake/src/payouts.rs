//! Payouts: what is held goes to the partner's bank (README §Payouts).

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::account::Account;
use crate::call::{Answer, Call};
use crate::capability::{Capabilities, Capability};
use crate::fees::{self, Fee};
use crate::held::{self, Cause};
use crate::json::Json;
use crate::money::number;
use crate::pages;
use crate::problem::Problem;
use crate::table::{Record as _, Stamp, record};
use crate::webhooks::{self, Topic};

/// How long a payout is under way.
const UNDER_WAY: SignedDuration = SignedDuration::from_hours(24);

/// A payout.
#[derive(Debug, Clone)]
pub(crate) struct Payout {
    pub(crate) stamp: Stamp,
    pub(crate) status: Status,
    arrival: Date,
    pub(crate) transactions: Vec<String>,
    fees: Vec<Fee>,
    sub_total: Decimal,
    pub(crate) total: Decimal,
}

record!(Payout, "pyt");

/// Where a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Unspecified,
    Creating,
    Processing,
    Analyzing,
    Succeeded,
    Scheduled,
    Approved,
    Canceled,
    Pending,
    Failed,
}

impl Status {
    const ALL: [Self; 10] = [
        Self::Unspecified,
        Self::Creating,
        Self::Processing,
        Self::Analyzing,
        Self::Succeeded,
        Self::Scheduled,
        Self::Approved,
        Self::Canceled,
        Self::Pending,
        Self::Failed,
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Creating => "creating",
            Self::Processing => "processing",
            Self::Analyzing => "analyzing",
            Self::Succeeded => "succeeded",
            Self::Scheduled => "scheduled",
            Self::Approved => "approved",
            Self::Canceled => "canceled",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }

    /// The status of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether it came to nothing.
    pub(crate) fn is_void(self) -> bool {
        matches!(self, Self::Failed | Self::Canceled)
    }

    fn topic(self) -> Option<Topic> {
        match self {
            Self::Succeeded => Some(Topic::PayoutPaid),
            Self::Failed => Some(Topic::PayoutFailed),
            Self::Processing => Some(Topic::PayoutProcessing),
            Self::Scheduled => Some(Topic::PayoutScheduled),
            _ => None,
        }
    }
}

/// Makes a payout of all that waits, and gives its identifier. There is none of nothing, or of less.
pub(crate) fn create(account: &mut Account) -> Result<String, Problem> {
    let mut waiting = account.held.waiting.clone();
    let total = held::net(account.held.of(&waiting));
    if total <= Decimal::ZERO {
        let message = format!("What waits for a payout comes to {total}");
        return Err(Problem::bad(message));
    }
    account.held.waiting.clear();
    waiting.sort_by_cached_key(|id| {
        let place = account.held.transactions.get(id).map(|one| one.place());
        place.map(|(at, id)| (at, id.to_owned()))
    });
    let transactions = || account.held.of(&waiting);
    let payments = transactions().filter(|one| one.cause == Cause::Payment);
    let sub_total = payments.map(|one| one.amount).sum();
    let fees = fees::together(transactions().flat_map(|one| &one.fees));
    let stamp = account.stamp::<Payout>();
    let arrives = account.later(UNDER_WAY);
    let payout = Payout {
        status: Status::Creating,
        arrival: arrives.to_zoned(TimeZone::UTC).date(),
        transactions: waiting,
        fees,
        sub_total,
        total,
        stamp,
    };
    let id = payout.stamp.id.clone();
    account.payouts.insert(payout);
    turn(account, &id, Status::Processing)?;
    Ok(id)
}

/// Moves a payout to a status. One that comes to nothing gives its transactions back to the next.
pub(crate) fn turn(account: &mut Account, id: &str, status: Status) -> Result<(), Problem> {
    let payout = account.payouts.get(id).ok_or_else(Problem::missing)?;
    if payout.status.is_void() {
        return Err(Problem::bad("A payout that came to nothing stays so"));
    }
    let transactions = payout.transactions.clone();
    account.held.arriving.retain(|(_, payout)| payout != id);
    if status == Status::Processing {
        let arrives = account.later(UNDER_WAY);
        account.held.arriving.insert((arrives, id.to_owned()));
    }
    if status.is_void() {
        account.held.waiting.splice(0..0, transactions);
        account.held.since = Some(account.now());
    }
    let today = account.today();
    account.change(
        |all| &mut all.payouts,
        id,
        |payout| {
            payout.status = status;
            if status == Status::Succeeded {
                payout.arrival = today;
            }
        },
    );
    if let Some(topic) = status.topic() {
        webhooks::tell(account, topic, id);
    }
    Ok(())
}

/// `GET /payouts`.
pub(crate) fn list(account: &Account, call: &Call<'_>) -> Answer {
    let query = &call.query;
    let (from, to) = (query.day("start_date")?, query.day("end_date")?);
    let found = account.payouts.rows().filter(|payout| {
        from.is_none_or(|from| payout.arrival >= from)
            && to.is_none_or(|to| payout.arrival <= to)
            && query.allows("status", payout.status.name())
            && query
                .get("customer_id")
                .is_none_or(|id| pays(account, payout, |payment| payment.customer == id))
            && query
                .get("invoice_id")
                .is_none_or(|id| pays(account, payout, |payment| !payment.share(id).is_zero()))
    });
    pages::page(account, call, found, |one| {
        show(one, account.switches.capabilities)
    })
}

/// Whether a payout has something of a payment that is as wanted.
fn pays(
    account: &Account,
    payout: &Payout,
    is_wanted: impl Fn(&crate::payments::Payment) -> bool,
) -> bool {
    let mut payments = account
        .held
        .of(&payout.transactions)
        .filter_map(|transaction| account.payments.get(transaction.payment()?));
    payments.any(is_wanted)
}

/// `GET /payouts/{id}/transactions`.
pub(crate) fn transactions(account: &Account, call: &Call<'_>, id: &str) -> Answer {
    let payout = account.payouts.get(id).ok_or_else(Problem::missing)?;
    let all = account.held.of(&payout.transactions);
    pages::page(account, call, all, held::Transaction::show)
}

/// One as it is answered.
pub(crate) fn show(payout: &Payout, capabilities: Capabilities) -> Json {
    let fees = payout.fees.iter().map(Fee::of_payout);
    let mut shown = Json::whole([
        ("id", payout.id().into()),
        ("arrival_date", payout.arrival.into()),
        ("customer_id", Json::Null),
        ("fees", fees.collect::<Vec<_>>().into()),
        ("status", payout.status.name().into()),
        ("sub_total", number(payout.sub_total)),
        ("total", number(payout.total)),
        ("created_at", pages::time(payout.stamp.created_at)),
    ]);
    if capabilities.has(Capability::ChangedSince) {
        shown.put("updated_at", pages::time(payout.stamp.updated_at));
    }
    shown
}
