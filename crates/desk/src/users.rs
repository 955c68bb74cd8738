//! Users who are here for a while: support, an auditor (scenario 240).

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use tieout_domain::code::Code;
use tieout_domain::{Date, Timestamp};
use tieout_store::User;

use crate::DeskError;

/// The moment at which the time of a user is over whose last day this is. Days are in UTC: an installation has no
/// company.
///
/// # Errors
/// `request-malformed` for what is no day.
pub fn until(last_day: &str) -> Result<Timestamp, DeskError> {
    let end = |day: Date| {
        let midnight = day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?;
        Some(midnight.timestamp())
    };
    last_day.trim().parse().ok().and_then(end).ok_or_else(|| {
        let cause = format!("`{last_day}` is no day; write one such as 2027-06-30");
        DeskError::usage(Code::new("request-malformed"), cause)
    })
}

/// The last day of a user whose time is over at this moment.
#[must_use]
pub fn last_day(until: Timestamp) -> Date {
    let before = until.checked_sub(SignedDuration::from_secs(1));
    before.unwrap_or(until).to_zoned(TimeZone::UTC).date()
}

/// Whether somebody may sign in, and until when, in words.
#[must_use]
pub fn standing(user: &User, now: Timestamp) -> String {
    match user.until {
        _ if user.disabled => "disabled".to_owned(),
        None => "active".to_owned(),
        Some(until) if until <= now => format!("over since {}", last_day(until)),
        Some(until) => format!("active until {}", last_day(until)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_day_is_over_when_it_is_over() {
        let end = until("2027-06-30").unwrap();
        assert_eq!(end, "2027-07-01T00:00:00Z".parse().unwrap());
        assert_eq!(last_day(end), "2027-06-30".parse().unwrap());
        assert!(until("June").is_err());
    }
}
