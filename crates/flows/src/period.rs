//! Into which posting period a posting goes (scenarios 108, 131–134).

use tieout_domain::code::Code;
use tieout_domain::{Date, Outcome, PeriodState, RemoteId, State};

pub(crate) use tieout_domain::Book;

use crate::Books;
use crate::preferences::ClosedPeriod;

/// The day and period of a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Posting {
    pub date: Date,
    /// `None` where the ledger has no periods.
    pub period: Option<RemoteId>,
    /// The true date, where it is another.
    pub moved_from: Option<Date>,
}

/// Where what is dated on this day goes.
pub(crate) fn of_posting(
    book: Book,
    label: &str,
    date: Date,
    books: &Books,
) -> Result<Posting, Outcome> {
    if books.periods.is_empty() {
        return Ok(Posting {
            date,
            period: None,
            moved_from: None,
        });
    }
    let Some(period) = books.period(date) else {
        let cause =
            format!("{label} is dated {date}, and the ledger has no posting period for that day");
        return Err(
            Outcome::because(State::Hold, Code::new("period-missing"), cause)
                .grouped("period-missing"),
        );
    };
    if period.is_open(book) {
        return Ok(Posting {
            date,
            period: Some(period.id.clone()),
            moved_from: None,
        });
    }
    let next = books
        .periods
        .iter()
        .filter(|next| next.start > date && next.is_open(book))
        .min_by_key(|next| next.start);
    match (books.preferences.transactions.closed_period, next) {
        (ClosedPeriod::NextOpen, Some(next)) => Ok(Posting {
            date: next.start,
            period: Some(next.id.clone()),
            moved_from: Some(date),
        }),
        (ClosedPeriod::NextOpen, None) => {
            let cause = format!(
                "{label} is dated {date}; {} and every later period is closed",
                period.name
            );
            Err(
                Outcome::because(State::Hold, Code::new("period-missing"), cause)
                    .grouped("period-missing"),
            )
        }
        (ClosedPeriod::Hold, _) => {
            let (code, word) = match period.state_of(book) {
                PeriodState::Locked => (Code::new("locked-period"), "locked"),
                _ => (Code::new("closed-period"), "closed"),
            };
            let cause = format!("{label} is dated {date}, and {} is {word}", period.name);
            let group = format!("{code}:{}", period.id);
            Err(Outcome::because(State::Hold, code, cause).grouped(group))
        }
    }
}

/// Where a reversal goes: today if that is open, else the first open period after the payment.
pub(crate) fn of_reversal(book: Book, payment_date: Date, books: &Books) -> Option<Posting> {
    let today = books.connection.today;
    if books.periods.is_empty() {
        return Some(Posting {
            date: today,
            period: None,
            moved_from: None,
        });
    }
    if let Some(period) = books.period(today).filter(|period| period.is_open(book)) {
        return Some(Posting {
            date: today,
            period: Some(period.id.clone()),
            moved_from: None,
        });
    }
    let first = books
        .periods
        .iter()
        .filter(|period| period.is_open(book) && period.end >= payment_date)
        .min_by_key(|period| period.start)?;
    Some(Posting {
        date: first.start.max(payment_date),
        period: Some(first.id.clone()),
        moved_from: None,
    })
}

/// Whether applications of a document of this day may still be moved.
pub(crate) fn applications_may_move(book: Book, date: Date, books: &Books) -> Result<(), String> {
    match books.period(date) {
        Some(period)
            if period.state_of(book) == PeriodState::Closed && !period.non_ledger_changes =>
        {
            Err(format!(
                "{} is closed, and doesn't allow changes without effect on the ledger",
                period.name
            ))
        }
        _ => Ok(()),
    }
}

/// Whether text on a document of this day may still be changed.
pub(crate) fn text_may_change(book: Book, date: Date, books: &Books) -> bool {
    books.periods.is_empty()
        || books
            .period(date)
            .is_some_and(|period| period.is_open(book))
}
