//! What time brings: bank debits succeed, payouts are made and arrive, each at its own moment, in their order.

use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::{Weekday, time};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::account::Account;
use crate::{held, payments, payouts};

/// The hour, by UTC, at which a weekday's payout is made.
const PAYOUT_HOUR: i8 = 6;

/// What happens next by itself.
enum Next {
    Payment(String),
    PayoutArrives(String),
    Payout,
}

/// Lets happen what is due by now.
pub(crate) fn catch_up(account: &mut Account) {
    let (now, before) = (account.now(), account.as_of);
    while let Some((moment, next)) = next(account)
        && moment <= now
    {
        account.as_of = Some(moment);
        // What can't be done is passed over: it was done by hand meanwhile.
        match next {
            Next::Payment(id) => {
                account.held.under_way.retain(|(_, payment)| *payment != id);
                drop(payments::succeed(account, &id));
            }
            Next::PayoutArrives(id) => {
                account.held.arriving.retain(|(_, payout)| *payout != id);
                drop(payouts::turn(account, &id, payouts::Status::Succeeded));
            }
            Next::Payout => drop(payouts::create(account)),
        }
    }
    account.as_of = before;
}

fn next(account: &Account) -> Option<(Timestamp, Next)> {
    let held = &account.held;
    let payment = held.under_way.first().cloned();
    let payout = held.arriving.first().cloned();
    let all = [
        payment.map(|(at, id)| (at, Next::Payment(id))),
        payout.map(|(at, id)| (at, Next::PayoutArrives(id))),
        next_payout(account).map(|at| (at, Next::Payout)),
    ];
    all.into_iter().flatten().min_by_key(|(at, _)| *at)
}

/// When the next payout is made: the first morning of a weekday after something began to wait. What comes to nothing or
/// less goes on waiting.
fn next_payout(account: &Account) -> Option<Timestamp> {
    let held = &account.held;
    let since = held.since?;
    if held::net(held.of(&held.waiting)) <= Decimal::ZERO {
        return None;
    }
    let mut morning = since.to_zoned(TimeZone::UTC).date();
    loop {
        let at = morning.to_datetime(time(PAYOUT_HOUR, 0, 0, 0));
        let at = at.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let is_weekday = !matches!(morning.weekday(), Weekday::Saturday | Weekday::Sunday);
        if is_weekday && at > since {
            return Some(at);
        }
        morning = morning.checked_add(1.day()).ok()?;
    }
}
