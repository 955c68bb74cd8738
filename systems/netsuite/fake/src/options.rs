//! How a sandbox account is set up, and the switches for what no source settles.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::suiteql::DateFormat;

/// How the account is set up.
#[derive(Clone)]
pub struct Options {
    /// The account id, for example `1234567_SB1`.
    pub account: String,
    /// Whether the account has subsidiaries, given that the world has them.
    pub one_world: bool,
    /// Identifiers of credentials follow from it.
    pub seed: u64,
    /// The time zone of API sessions, an IANA name: a company or user preference, rarely UTC.
    pub session_time_zone: String,
    /// How users see dates: `M/D/YYYY`, `D/M/YYYY`, `DD.MM.YYYY` or `YYYY-MM-DD`.
    pub date_format: String,
    /// How many calls the account runs at once.
    pub concurrency: usize,
    /// What no source settles.
    pub quirks: Quirks,
    /// The clock that signatures are judged by; the real one unless a simulation brings its own.
    pub wall_clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            account: "1234567_SB1".to_owned(),
            one_world: true,
            seed: 1,
            session_time_zone: "America/Los_Angeles".to_owned(),
            date_format: "M/D/YYYY".to_owned(),
            concurrency: 5,
            quirks: Quirks::default(),
            wall_clock: Arc::new(Timestamp::now),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("account", &self.account)
            .field("one_world", &self.one_world)
            .field("seed", &self.seed)
            .field("session_time_zone", &self.session_time_zone)
            .field("concurrency", &self.concurrency)
            .field("quirks", &self.quirks)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// The session's zone; UTC when the name is unknown.
    pub(crate) fn session_zone(&self) -> TimeZone {
        TimeZone::get(&self.session_time_zone).unwrap_or(TimeZone::UTC)
    }

    pub(crate) fn date_format(&self) -> DateFormat {
        match self.date_format.as_str() {
            "D/M/YYYY" => DateFormat::DayMonthYear,
            "DD.MM.YYYY" => DateFormat::DotDayMonthYear,
            "YYYY-MM-DD" => DateFormat::YearMonthDay,
            _ => DateFormat::MonthDayYear,
        }
    }
}

/// Switches for what no source settles, and for preferences that differ between accounts. All can be
/// changed while the sandbox runs: `POST /control/netsuite/switches`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    /// `PUT eid:` answers with a `Location`.
    pub put_location: bool,
    /// `!transform` answers with a `Location`.
    pub transform_location: bool,
    /// What a second use of an external id is told, on transactions.
    pub duplicate_external_id: String,
    /// What a posting into a closed period is told.
    pub closed_period: String,
    /// What a posting into a locked period is told.
    pub locked_period: String,
    /// The code of a write that met another one.
    pub record_changed_code: String,
    /// Applying a payment bumps the bill's `lastmodifieddate`.
    pub payment_touches_bill: bool,
    /// Voiding posts a reversing journal instead of emptying the original.
    pub void_by_journal: bool,
    /// A payment's application may be moved to a line of a journal entry.
    pub apply_to_journal_lines: bool,
    /// Departments are mandatory on lines and on payments.
    pub mandatory_department: bool,
    /// Overload answers 401, looking like a failed sign-in.
    pub overload_as_401: bool,
    /// SuiteQL takes `WITH`.
    pub allow_with: bool,
    /// For so many seconds SuiteQL shows the books as they were before a change. Records that are asked for by id
    /// are shown as they are.
    pub suiteql_lag_seconds: u32,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            put_location: true,
            transform_location: true,
            duplicate_external_id: "This record already exists".to_owned(),
            closed_period:
                "The transaction date you specified is not within the date range of your \
                            accounting period."
                    .to_owned(),
            locked_period:
                "The transaction date you specified is not within the date range of your \
                            accounting period. The period is locked."
                    .to_owned(),
            record_changed_code: "RCRD_HAS_BEEN_CHANGED".to_owned(),
            payment_touches_bill: true,
            void_by_journal: false,
            apply_to_journal_lines: true,
            mandatory_department: false,
            overload_as_401: false,
            allow_with: false,
            suiteql_lag_seconds: 0,
        }
    }
}
