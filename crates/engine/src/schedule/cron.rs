//! Five cron fields: minute, hour, day of the month, month, day of the week.
//!
//! The fields are those of every cron: `*`, numbers, names of months and days, lists, ranges, and steps. Where both
//! days are named, either will do. On the two nights on which clocks are set:
//!
//! - With every hour in the hour field, the schedule is a pace: it runs whenever the clock on the wall shows a
//!   minute of it, in a doubled hour both times, and a skipped hour leaves nothing to make up for.
//! - With hours named, it is an appointment: a time that the clock skips is kept at the moment it is set, once
//!   however many were skipped; a time that comes twice is kept the first time.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::ScheduleError;
use super::zone::{Moments, first, moments};

/// The 29th of February on one weekday is at most forty years away.
const DAYS_MAX: usize = 41 * 366;

/// Minutes, hours or days as the bits of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Set(u64);

impl Set {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.0 >> value & 1 == 1)
    }

    fn values(self) -> impl Iterator<Item = i8> {
        (0..60).filter(move |value| self.has(*value))
    }
}

/// What a field may hold.
struct Field {
    what: &'static str,
    from: u8,
    until: u8,
    names: &'static [&'static str],
}

const MINUTE: Field = Field {
    what: "minute",
    from: 0,
    until: 59,
    names: &[],
};
const HOUR: Field = Field {
    what: "hour",
    from: 0,
    until: 23,
    names: &[],
};
const DAY: Field = Field {
    what: "day of the month",
    from: 1,
    until: 31,
    names: &[],
};
const MONTH: Field = Field {
    what: "month",
    from: 1,
    until: 12,
    names: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
};
/// Sunday is 0 and 7.
const WEEKDAY: Field = Field {
    what: "day of the week",
    from: 0,
    until: 7,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

/// A schedule by the clock on the wall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    weekdays: Set,
    /// Whether every hour will do.
    paced: bool,
    /// Whether every day of the month, or of the week, will do.
    any_day: bool,
    any_weekday: bool,
    text: String,
}

impl Cron {
    /// Reads the five fields.
    ///
    /// # Errors
    /// [`ScheduleError::Field`], and [`ScheduleError::NoSuchDay`] for one that would never run.
    pub fn parse(fields: [&str; 5]) -> Result<Self, ScheduleError> {
        let [minute, hour, day, month, weekday] = fields;
        let mut weekdays = WEEKDAY.read(weekday)?;
        if weekdays.has(7) {
            weekdays.0 |= 1;
        }
        let hours = HOUR.read(hour)?;
        let cron = Self {
            minutes: MINUTE.read(minute)?,
            hours,
            days: DAY.read(day)?,
            months: MONTH.read(month)?,
            weekdays,
            paced: hours.values().count() == 24,
            any_day: day.starts_with('*'),
            any_weekday: weekday.starts_with('*'),
            text: fields.join(" "),
        };
        // Where a day of the week is named too, either will do, and every month has that.
        if cron.any_weekday && !cron.has_a_day() {
            return Err(ScheduleError::NoSuchDay {
                days: day.to_owned(),
                months: month.to_owned(),
            });
        }
        Ok(cron)
    }

    fn has_a_day(&self) -> bool {
        let longest = |month| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let mut months = self.months.values();
        months.any(|month| self.days.values().any(|day| day <= longest(month)))
    }

    /// Whether it runs on a day at all.
    fn on(&self, date: Date) -> bool {
        if !self.months.has(date.month()) {
            return false;
        }
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().to_sunday_zero_offset());
        if self.any_day || self.any_weekday {
            day && weekday
        } else {
            day || weekday
        }
    }

    /// The first start after a moment. `None` where there is none in all the years that can be told.
    #[must_use]
    pub fn after(&self, moment: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = moment.to_zoned(zone.clone()).date();
        // What the clock skips, up to a whole day, is kept afterwards.
        let mut date = today.checked_sub(jiff::Span::new().days(2)).ok()?;
        let mut found: Option<Timestamp> = None;
        for _ in 0..DAYS_MAX {
            if self.on(date) {
                let starts = self.starts(date, zone);
                let next = starts.filter(|start| *start > moment).min();
                found = [found, next].into_iter().flatten().min();
            }
            // A clock that is set back over midnight brings starts of a day after starts of the next.
            if found.is_some_and(|found| found.to_zoned(zone.clone()).date() < date) {
                return found;
            }
            date = date.tomorrow().ok()?;
        }
        found
    }

    /// All starts of a day, in no order.
    fn starts<'a>(
        &'a self,
        date: Date,
        zone: &'a TimeZone,
    ) -> impl Iterator<Item = Timestamp> + 'a {
        let hours = self.hours.values();
        let times = hours.flat_map(|hour| self.minutes.values().map(move |minute| (hour, minute)));
        times.flat_map(move |(hour, minute)| {
            let shown = date.at(hour, minute, 0, 0);
            if !self.paced {
                return [first(zone, shown), None].into_iter().flatten();
            }
            let both = match moments(zone, shown) {
                Some(Moments::Once(at)) => [Some(at), None],
                Some(Moments::Twice(once, again)) => [Some(once), Some(again)],
                Some(Moments::Skipped(_)) | None => [None, None],
            };
            both.into_iter().flatten()
        })
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Field {
    /// Reads a list of parts.
    fn read(&self, text: &str) -> Result<Set, ScheduleError> {
        let mut set = 0;
        for part in text.split(',') {
            for value in self.part(part, text)? {
                set |= 1 << value;
            }
        }
        Ok(Set(set))
    }

    /// The values of one part: `*`, a value or a range, with or without a step.
    fn part(&self, part: &str, whole: &str) -> Result<Vec<u8>, ScheduleError> {
        let (range, step) = match part.split_once('/') {
            None => (part, None),
            Some((range, step)) => (range, Some(step)),
        };
        let (from, until) = match range.split_once('-') {
            _ if range == "*" => (self.from, self.until),
            Some((from, until)) => (self.value(from, whole)?, self.value(until, whole)?),
            None => {
                let value = self.value(range, whole)?;
                if step.is_some() {
                    let fix = format!("a step wants a range: write {value}-{}/…", self.until);
                    return Err(self.wrong(whole, fix));
                }
                (value, value)
            }
        };
        if from > until {
            let fix = format!(
                "a range goes upwards: write {from}-{},{}-{until}",
                self.until, self.from
            );
            return Err(self.wrong(whole, fix));
        }
        let step = match step.map(str::parse::<u8>) {
            None => 1,
            Some(Ok(step)) if (1..=self.until).contains(&step) => step,
            Some(_) => {
                let fix = format!("a step is a number from 1 to {}", self.until);
                return Err(self.wrong(whole, fix));
            }
        };
        Ok((from..=until).step_by(usize::from(step)).collect())
    }

    fn value(&self, text: &str, whole: &str) -> Result<u8, ScheduleError> {
        let lower = text.to_ascii_lowercase();
        if let Some(at) = self.names.iter().position(|name| *name == lower) {
            return Ok(self.from + u8::try_from(at).unwrap_or(0));
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = text.parse::<u8>().ok().filter(|_| digits);
        value
            .filter(|value| (self.from..=self.until).contains(value))
            .ok_or_else(|| {
                let names = match self.names {
                    [first, .., last] => format!(", or a name from {first} to {last}"),
                    _ => String::new(),
                };
                let fix = format!(
                    "write `*` or numbers from {} to {}{names}",
                    self.from, self.until
                );
                self.wrong(whole, fix)
            })
    }

    fn wrong(&self, given: &str, fix: String) -> ScheduleError {
        ScheduleError::Field {
            field: self.what,
            given: given.to_owned(),
            fix,
        }
    }
}
