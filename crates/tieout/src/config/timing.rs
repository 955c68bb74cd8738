//! When a connection runs by itself.

use std::collections::BTreeMap;
use std::str::FromStr;

use tieout_engine::schedule::{Quiet, Schedule, ScheduleError};

use super::Reader;
use crate::failure::Failure;
use tieout_desk::record::flow_names;

/// What a connection that names no schedule has.
const SCHEDULE: &str = "every 15 minutes";
/// How many connections run at once, unless the file says.
const WORKERS: i64 = 8;
/// More of them would only wait for the store and for the services' limits.
const WORKERS_MAX: i64 = 64;

/// When a connection runs by itself, under `serve`.
#[derive(Debug, Clone)]
pub struct Timing {
    /// All of its flows.
    pub schedule: Schedule,
    /// Flows with a schedule of their own, beside that.
    pub flows: BTreeMap<String, Schedule>,
    /// When everything is read again; once a night at a time of its own if none is named.
    pub whole: Option<Schedule>,
    /// When nothing starts by itself.
    pub quiet: Option<Quiet>,
}

impl Reader<'_> {
    /// `schedule`, `schedules`, `whole` and `quiet` of a connection.
    pub(super) fn timing(&self, at: &str, table: &toml::Table) -> Result<Timing, Failure> {
        let mut flows = BTreeMap::new();
        let named = self.table(table, at, "schedules")?;
        let place = format!("{at}.schedules");
        self.only_known(&place, &named, &flow_names())?;
        for flow in named.keys() {
            if let Some(schedule) = self.parsed(&named, &place, flow)? {
                flows.insert(flow.clone(), schedule);
            }
        }
        let schedule = match self.parsed(table, at, "schedule")? {
            Some(schedule) => schedule,
            None => SCHEDULE
                .parse()
                .map_err(|error: ScheduleError| self.wrong(at, &error.to_string()))?,
        };
        Ok(Timing {
            schedule,
            flows,
            whole: self.parsed(table, at, "whole")?,
            quiet: self.parsed(table, at, "quiet")?,
        })
    }

    /// `[server] workers`.
    pub(super) fn workers(&self, server: &toml::Table) -> Result<usize, Failure> {
        let number = match server.get("workers") {
            None => WORKERS,
            Some(toml::Value::Integer(number)) if (1..=WORKERS_MAX).contains(number) => *number,
            Some(_) => {
                let why = format!("it must be a number from 1 to {WORKERS_MAX}");
                return Err(self.wrong("server.workers", &why));
            }
        };
        Ok(usize::try_from(number).unwrap_or(1))
    }

    fn parsed<T>(&self, table: &toml::Table, at: &str, key: &str) -> Result<Option<T>, Failure>
    where
        T: FromStr<Err = ScheduleError>,
    {
        let Some(text) = self.optional_text(table, at, key)? else {
            return Ok(None);
        };
        let parsed = text.parse();
        parsed
            .map(Some)
            .map_err(|error: ScheduleError| self.wrong(&format!("{at}.{key}"), &error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tieout_domain::ConnectionName;

    use crate::config::{Config, ConnectionConfig};
    use crate::failure::Failure;

    fn read(keys: &str) -> Result<ConnectionConfig, Failure> {
        let text = format!(
            "[server]\nworkers = 3\n[connections.acme]\npair = \"netsuite-bill\"\n{keys}\n\
             netsuite = {{ account = \"1\", credential = \"n\" }}\n\
             bill = {{ organization = \"0081\", environment = \"sandbox\", credential = \"b\" }}\n"
        );
        let config = Config::parse(&text, Path::new("tieout.toml"))?;
        assert_eq!(config.workers, 3);
        let name: ConnectionName = "acme".parse().unwrap();
        Ok(config.connections[&name].clone())
    }

    #[test]
    fn a_connection_runs_every_quarter_of_an_hour_unless_it_says_otherwise() {
        assert_eq!(
            read("").unwrap().timing.schedule.to_string(),
            "every 15 minutes"
        );
        let keys = "schedule = \"never\"\nschedules.bill-payments = \"every 5 minutes\"\n\
                    whole = \"30 3 * * sun\"\nquiet = \"22:00-06:00\"";
        let timing = read(keys).unwrap().timing;
        assert_eq!(timing.schedule.to_string(), "never");
        assert_eq!(timing.flows["bill-payments"].to_string(), "every 5 minutes");
        assert_eq!(timing.whole.unwrap().to_string(), "30 3 * * sun");
        assert_eq!(timing.quiet.unwrap().to_string(), "22:00-06:00");
    }

    #[test]
    fn a_bad_schedule_is_refused_with_its_place_and_what_to_write() {
        for (keys, says) in [
            (
                "schedule = \"hourly\"",
                [
                    "tieout.toml:5: `connections.acme.schedule`",
                    "every 15 minutes",
                ],
            ),
            (
                "schedule = \"0 25 * * *\"",
                [
                    "tieout.toml:5:",
                    "`25` is no hour; write `*` or numbers from 0 to 23",
                ],
            ),
            (
                "schedule = 15",
                ["tieout.toml:5:", "it must be text in quotes"],
            ),
            (
                "quiet = \"night\"",
                ["`connections.acme.quiet`", "22:00-06:00"],
            ),
            (
                "schedules.bill-payment = \"never\"",
                ["no known key", "did you mean `bill-payments`?"],
            ),
            (
                "schedules.bills = \"now\"",
                ["`connections.acme.schedules.bills`", "is no schedule"],
            ),
        ] {
            let failure = read(keys).unwrap_err();
            for says in says {
                assert!(failure.cause.contains(says), "{keys}: {}", failure.cause);
            }
        }
    }
}
