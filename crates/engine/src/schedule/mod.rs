//! When what is due. Pure: the present moment is always passed in.
//!
//! A [`Schedule`] is what a person writes: `every 15 minutes`, five cron fields, or `never`. A [`Timetable`] is a
//! schedule of one connection: with its time zone, its quiet hours, and a place of its own among the many that run
//! at the same pace.
//!
//! The parser of the cron fields is our own: the grammar is small, and what a schedule must do when clocks are set
//! is most of the work. Libraries of the kind either bring a second library of time or decide those hours otherwise.

mod cron;
mod error;
mod every;
mod quiet;
mod timetable;
mod zone;

pub use cron::Cron;
pub use error::ScheduleError;
pub use every::Every;
pub use quiet::Quiet;
pub use timetable::Timetable;

/// What a person writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// Never by itself: by hand, by the page, or when a webhook tells of a change.
    Never,
    /// At a steady pace.
    Every(Every),
    /// By the clock on the wall.
    Cron(Cron),
}

impl Schedule {
    /// Once a night, between one and five by the clock on the wall; each name at a minute of its own.
    ///
    /// # Errors
    /// None that can happen: the fields are made here.
    pub fn nightly(name: &str) -> Result<Self, ScheduleError> {
        let (from, minutes) = (60.0, 240.0);
        let at = from
            + (timetable::share_of(name) * minutes)
                .floor()
                .min(minutes - 1.0);
        let text = format!("{:.0} {:.0} * * *", at % 60.0, (at / 60.0).floor());
        text.parse()
    }
}

impl std::str::FromStr for Schedule {
    type Err = ScheduleError;

    /// Reads `never`, `every 15 minutes`, or five cron fields.
    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let words: Vec<_> = text.split_whitespace().collect();
        match words.as_slice() {
            ["never"] => Ok(Self::Never),
            ["every", rest @ ..] => Ok(Self::Every(Every::parse(rest)?)),
            [minute, hour, day, month, weekday] => {
                let fields = [*minute, *hour, *day, *month, *weekday];
                Ok(Self::Cron(Cron::parse(fields)?))
            }
            _ => Err(ScheduleError::Unknown(text.to_owned())),
        }
    }
}

impl std::fmt::Display for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Every(every) => every.fmt(f),
            Self::Cron(cron) => cron.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
