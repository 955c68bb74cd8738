//! A steady pace, counted in elapsed time: no setting of clocks changes it.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ScheduleError;

/// The slowest pace.
const MOST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Every so often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Every {
    pace: Duration,
    text: String,
}

impl Every {
    /// Reads the words after `every`: a number and a unit, or a unit alone.
    ///
    /// # Errors
    /// [`ScheduleError::Pace`] and [`ScheduleError::PaceBounds`].
    pub fn parse(words: &[&str]) -> Result<Self, ScheduleError> {
        let text = words.join(" ");
        let unknown = || ScheduleError::Pace(text.clone());
        let (number, unit) = match words {
            [unit] => ("1", *unit),
            [number, unit] => (*number, *unit),
            _ => return Err(unknown()),
        };
        let number: u64 = number.parse().map_err(|_| unknown())?;
        let unit = match unit {
            "second" | "seconds" => 1,
            "minute" | "minutes" => 60,
            "hour" | "hours" => 3600,
            "day" | "days" => 24 * 3600,
            _ => return Err(unknown()),
        };
        let pace = Duration::from_secs(number.saturating_mul(unit));
        if pace.is_zero() || pace > MOST {
            return Err(ScheduleError::PaceBounds(text));
        }
        Ok(Self { pace, text })
    }

    /// From one start to the next.
    #[must_use]
    pub fn pace(&self) -> Duration {
        self.pace
    }

    /// The first start after a moment. All starts lie the same distance past a whole number of paces since 1970;
    /// `share`, between 0 and 1, says how far: whoever runs at the same pace with another share starts at another
    /// moment.
    #[must_use]
    pub fn after(&self, moment: Timestamp, share: f64) -> Timestamp {
        let pace = i64::try_from(self.pace.as_micros()).unwrap_or(i64::MAX);
        let offset = i64::try_from(self.pace.mul_f64(share.clamp(0.0, 1.0)).as_micros());
        let offset = offset.unwrap_or(0).rem_euclid(pace);
        let since = moment.as_microsecond().saturating_sub(offset);
        let left = pace - since.rem_euclid(pace);
        moment
            .checked_add(SignedDuration::from_micros(left))
            .map_or(Timestamp::MAX, whole_micros)
    }
}

/// Starts are told to the microsecond, as the store keeps them.
fn whole_micros(moment: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(moment.as_microsecond()).unwrap_or(moment)
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "every {}", self.text)
    }
}
