//! Why a schedule can't be understood. Each says what to write instead.

/// Why a schedule, or quiet hours, can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Neither a pace nor five fields.
    #[error(
        "`{0}` is no schedule; write \"every 15 minutes\", five cron fields such as \"0 6 * * mon-fri\", or \"never\""
    )]
    Unknown(String),
    /// A pace that can't be read.
    #[error(
        "`every {0}` is no pace; write a number and seconds, minutes, hours or days, such as \"every 15 minutes\""
    )]
    Pace(String),
    /// A pace that is too quick or too slow.
    #[error("`every {0}` is out of bounds; between a second and seven days is possible")]
    PaceBounds(String),
    /// A cron field that can't be read.
    #[error("`{given}` is no {field}; {fix}")]
    Field {
        /// What the field is for: `minute`, `day of the month`.
        field: &'static str,
        /// What was written.
        given: String,
        /// What to write.
        fix: String,
    },
    /// A day that no year has.
    #[error(
        "no year has a day {days} in month {months}; it would never run. Write \"never\" for that"
    )]
    NoSuchDay {
        /// The days of the month that were written.
        days: String,
        /// The months that were written.
        months: String,
    },
    /// Quiet hours that can't be read.
    #[error("`{0}` are no quiet hours; write from when until when, such as \"22:00-06:00\"")]
    Quiet(String),
}
