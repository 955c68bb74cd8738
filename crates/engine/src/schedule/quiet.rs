//! Hours in which nothing starts by itself.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::ScheduleError;
use super::zone::{Moments, moments};

/// On no more days in a row does a clock skip the hours that are not quiet.
const DAYS_SKIPPED: usize = 2;

/// Quiet hours by the clock on the wall: from a time until another, the next morning if that is earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    from: Time,
    until: Time,
}

impl Quiet {
    /// Whether a moment lies in them.
    #[must_use]
    pub fn holds(&self, moment: Timestamp, zone: &TimeZone) -> bool {
        let time = moment.to_zoned(zone.clone()).time();
        if self.from < self.until {
            (self.from..self.until).contains(&time)
        } else {
            time >= self.from || time < self.until
        }
    }

    /// The moment itself, or when the quiet hours that it lies in end. Where the end is a time that the clock
    /// skips, they end when it is set, unless they begin again by then; where it is one that comes twice, with the
    /// first.
    #[must_use]
    pub fn release(&self, moment: Timestamp, zone: &TimeZone) -> Timestamp {
        let mut release = moment;
        // On a day on which the clock skips all that is not quiet, they last until the next one.
        for _ in 0..=DAYS_SKIPPED {
            if !self.holds(release, zone) {
                return release;
            }
            release = self.end_after(release, zone);
        }
        release
    }

    /// The first end after a moment in them.
    fn end_after(&self, moment: Timestamp, zone: &TimeZone) -> Timestamp {
        let today = moment.to_zoned(zone.clone()).date();
        let tomorrow = today.tomorrow().unwrap_or(today);
        let ends = [today, tomorrow].into_iter().flat_map(|day| {
            match moments(zone, day.to_datetime(self.until)) {
                Some(Moments::Once(at) | Moments::Skipped(at)) => vec![at],
                Some(Moments::Twice(first, second)) => vec![first, second],
                None => Vec::new(),
            }
        });
        ends.filter(|end| *end > moment)
            .min()
            .unwrap_or(Timestamp::MAX)
    }
}

impl FromStr for Quiet {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let wrong = || ScheduleError::Quiet(text.to_owned());
        let (from, until) = text.split_once('-').ok_or_else(wrong)?;
        let (from, until) = (
            time(from).ok_or_else(wrong)?,
            time(until).ok_or_else(wrong)?,
        );
        if from == until {
            return Err(wrong());
        }
        Ok(Self { from, until })
    }
}

/// `22:00` or `6:00`.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str, most: usize| {
        let fits = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse::<i8>().ok()).flatten()
    };
    let minute = Some(minute).filter(|minute| minute.len() == 2)?;
    Time::new(digits(hour, 2)?, digits(minute, 2)?, 0, 0).ok()
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |time: Time| time.strftime("%H:%M").to_string();
        write!(f, "{}-{}", text(self.from), text(self.until))
    }
}
