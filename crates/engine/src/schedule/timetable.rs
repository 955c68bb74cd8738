//! A schedule of one connection.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

use super::{Quiet, Schedule};

/// When a connection runs: its schedule in its time zone, outside its quiet hours.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable {
    schedule: Schedule,
    zone: TimeZone,
    quiet: Option<Quiet>,
    share: f64,
}

impl Timetable {
    /// The timetable of whoever has this name. Those that run at the same pace start at moments of their own,
    /// spread over the pace by their names and always the same.
    #[must_use]
    pub fn new(schedule: Schedule, zone: TimeZone, quiet: Option<Quiet>, name: &str) -> Self {
        Self {
            schedule,
            zone,
            quiet,
            share: share_of(name),
        }
    }

    /// The first start after a moment: the next one of the schedule, or the end of the quiet hours that it falls
    /// into. So all that fall into quiet hours are made up for by one. `None` if it never starts by itself.
    #[must_use]
    pub fn after(&self, moment: Timestamp) -> Option<Timestamp> {
        let start = match &self.schedule {
            Schedule::Never => None,
            Schedule::Every(every) => Some(every.after(moment, self.share)),
            Schedule::Cron(cron) => cron.after(moment, &self.zone),
        }?;
        Some(self.release(start))
    }

    /// The moment itself, or the end of the quiet hours that it lies in.
    #[must_use]
    pub fn release(&self, moment: Timestamp) -> Timestamp {
        match &self.quiet {
            Some(quiet) => quiet.release(moment, &self.zone),
            None => moment,
        }
    }

    /// What a person wrote.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }
}

/// A share between 0 and 1 that follows from a name alone.
#[must_use]
pub(super) fn share_of(name: &str) -> f64 {
    let digest = Sha256::digest(name.as_bytes());
    let first = digest
        .iter()
        .take(4)
        .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    f64::from(first) / f64::from(u32::MAX)
}
