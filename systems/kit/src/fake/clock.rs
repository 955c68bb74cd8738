//! The sandbox's clock.

use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// The machine's time.
pub(super) fn machine() -> Timestamp {
    Timestamp::now()
}

/// A clock that can be moved. Started at the wall clock it keeps running; started at a moment it stands
/// still until it is moved, which is what a simulation wants.
#[derive(Debug)]
pub struct FakeClock {
    reading: Mutex<Reading>,
}

#[derive(Debug, Clone, Copy)]
enum Reading {
    /// Runs with the wall clock, this much ahead of it.
    Running(SignedDuration),
    /// Stands still here.
    Fixed(Timestamp),
}

impl FakeClock {
    /// A clock that starts at the wall clock and runs.
    #[must_use]
    pub fn wall() -> Self {
        Self {
            reading: Mutex::new(Reading::Running(SignedDuration::ZERO)),
        }
    }

    /// A clock that stands at `moment` until it is moved.
    #[must_use]
    pub fn at(moment: Timestamp) -> Self {
        Self {
            reading: Mutex::new(Reading::Fixed(moment)),
        }
    }

    /// The present moment of the sandbox.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match *self.reading.lock().unwrap_or_else(PoisonError::into_inner) {
            Reading::Running(ahead) => shifted(Timestamp::now(), ahead),
            Reading::Fixed(moment) => moment,
        }
    }

    /// The present day in a time zone.
    #[must_use]
    pub fn today(&self, zone: &TimeZone) -> Date {
        self.now().to_zoned(zone.clone()).date()
    }

    /// Moves the clock forward (or back, if the duration is negative) by a `std` or a `jiff` duration.
    /// It stops at the ends of time.
    pub fn advance(&self, by: impl TryInto<SignedDuration>) {
        let by = by.try_into().unwrap_or(SignedDuration::MAX);
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        *reading = match *reading {
            Reading::Running(ahead) => Reading::Running(ahead.saturating_add(by)),
            Reading::Fixed(moment) => Reading::Fixed(shifted(moment, by)),
        };
    }

    /// Sets the clock to a moment; a running clock runs on from there.
    pub fn set(&self, moment: Timestamp) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        *reading = match *reading {
            Reading::Running(_) => Reading::Running(Timestamp::now().duration_until(moment)),
            Reading::Fixed(_) => Reading::Fixed(moment),
        };
    }
}

impl tieout_domain::Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }
}

fn shifted(moment: Timestamp, by: SignedDuration) -> Timestamp {
    let end = if by.is_negative() {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    moment.checked_add(by).unwrap_or(end)
}

/// Reads a duration as people write it: `120ms`, `36h`, `2d`, `1h 30m`, or ISO 8601. A day has 24 hours.
///
/// # Errors
/// A sentence that says what is accepted.
pub(super) fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    text.parse::<Span>()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .map_err(|error| {
            format!("`{text}` is no duration ({error}); write for example 120ms, 36h, 2d or 1h 30m")
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_fixed_clock_moves_only_when_moved() {
        let clock = FakeClock::at(moment("2026-07-01T00:00:00Z"));
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_secs(36 * 3600));
        assert_eq!(clock.now(), moment("2026-07-02T12:00:00Z"));
        clock.advance(SignedDuration::from_hours(-12));
        assert_eq!(clock.now(), moment("2026-07-02T00:00:00Z"));
        clock.set(moment("2026-01-01T00:00:00Z"));
        assert_eq!(clock.now(), moment("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn a_running_clock_runs_on_from_where_it_is_set() {
        let clock = FakeClock::wall();
        let there = moment("2031-07-01T00:00:00Z");
        clock.set(there);
        let first = clock.now();
        assert!(first >= there && first < shifted(there, SignedDuration::from_hours(1)));
        clock.advance(SignedDuration::from_hours(48));
        assert!(clock.now() >= shifted(there, SignedDuration::from_hours(48)));
    }

    #[test]
    fn it_stops_at_the_ends_of_time() {
        let clock = FakeClock::at(Timestamp::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
        clock.advance(SignedDuration::MIN);
        assert_eq!(clock.now(), Timestamp::MIN);
    }

    #[test]
    fn the_day_depends_on_the_zone() {
        let clock = FakeClock::at(moment("2026-07-01T03:00:00Z"));
        assert_eq!(clock.today(&TimeZone::UTC), jiff::civil::date(2026, 7, 1));
        let west = TimeZone::fixed(jiff::tz::offset(-7));
        assert_eq!(clock.today(&west), jiff::civil::date(2026, 6, 30));
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(
            parse_duration("120ms").unwrap(),
            SignedDuration::from_millis(120)
        );
        assert_eq!(
            parse_duration("36h").unwrap(),
            SignedDuration::from_hours(36)
        );
        assert_eq!(
            parse_duration("2d").unwrap(),
            SignedDuration::from_hours(48)
        );
        assert_eq!(
            parse_duration("PT90S").unwrap(),
            SignedDuration::from_secs(90)
        );
        assert!(parse_duration("soon").unwrap_err().contains("36h"));
        assert!(parse_duration("1 month").is_err());
    }
}
