//! The schedules of the configuration, with when each was last kept.

use tieout_domain::{ConnectionName, Timestamp};
use tieout_engine::schedule::{Schedule, Timetable};
use tieout_engine::scheduler::{Entry, Line, Work};
use tieout_engine::{KILLED, whole_read_at};
use tieout_store::RunRow;

use super::Service;
use crate::assemble;
use crate::config::{Config, ConnectionConfig};
use crate::failure::Failure;

/// So many runs are looked through for the last one of each flow. A schedule whose last run lies further back starts
/// anew.
const RUNS: u32 = 50;

/// How runs end that did not do their work.
const FELL_SHORT: [&str; 2] = ["failed", KILLED];

impl Service {
    /// The connections that are switched on, with their timetables.
    pub(super) async fn timetables(&self, config: &Config) -> Result<Vec<Entry>, Failure> {
        let mut entries = Vec::new();
        for (name, connection) in &config.connections {
            if connection.enabled {
                entries.push(self.entry(name, connection).await?);
            }
        }
        Ok(entries)
    }

    async fn entry(
        &self,
        name: &ConnectionName,
        config: &ConnectionConfig,
    ) -> Result<Entry, Failure> {
        let store = self.home.store.connection(name);
        let runs = store.runs(RUNS).await?;
        let timing = &config.timing;
        let times = |schedule: Schedule, name: &str| {
            Timetable::new(schedule, config.time_zone.clone(), timing.quiet, name)
        };
        let flows = config.flow_names();
        let flows: Vec<&str> = flows.iter().map(String::as_str).collect();
        let mut lines = vec![Line {
            work: Work::Everything,
            times: times(timing.schedule.clone(), name.as_str()),
            last: last(&runs, &flows),
        }];
        for (flow, schedule) in &timing.flows {
            lines.push(Line {
                work: Work::Flow(flow.clone()),
                times: times(schedule.clone(), &format!("{name}/{flow}")),
                last: last(&runs, &[flow]),
            });
        }
        if let Some(schedule) = nightly(name, config) {
            lines.push(Line {
                work: Work::Whole,
                times: times(schedule, &format!("{name}/whole")),
                last: whole_read_at(&store).await?,
            });
        }
        Ok(Entry {
            connection: name.clone(),
            tenant: tenant(name, config),
            lines,
            urgent: assemble::money_flows(config),
            quiet: times(Schedule::Never, name.as_str()),
        })
    }
}

/// Whose a connection is: a tenant's, where it names one; else those that use one credential of the platform are limited
/// together.
fn tenant(name: &ConnectionName, config: &ConnectionConfig) -> String {
    if let Some(tenant) = &config.tenant {
        return format!("tenant/{tenant}");
    }
    let credential = assemble::credential_name(&config.platform_settings);
    credential.unwrap_or(name.as_str()).to_owned()
}

/// When everything is read again. What never runs by itself doesn't do this either, unless the file says so.
fn nightly(name: &ConnectionName, config: &ConnectionConfig) -> Option<Schedule> {
    match &config.timing.whole {
        Some(schedule) => Some(schedule.clone()),
        None if config.timing.schedule == Schedule::Never => None,
        None => Schedule::nightly(name.as_str()).ok(),
    }
}

/// When the last run that did all of these flows began. One that failed, or did a part of them alone, kept no start. If
/// none of these runs did, what was missed since the first of them is made up for.
fn last(runs: &[RunRow], flows: &[&str]) -> Option<Timestamp> {
    let names = |run: &&RunRow| {
        !run.limited
            && flows
                .iter()
                .all(|flow| run.flows.iter().any(|did| did == flow))
    };
    let did = |run: &&RunRow| run.ended.is_some() && !FELL_SHORT.contains(&run.status.as_str());
    let tried = || runs.iter().filter(names);
    let kept = tried().filter(did).map(|run| run.started).max();
    kept.or_else(|| tried().map(|run| run.started).min())
}

#[cfg(test)]
mod tests {
    use tieout_store::RunId;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + 60 * minute).unwrap()
    }

    fn run(minute: i64, status: &str) -> RunRow {
        RunRow {
            id: RunId::new(format!("run {minute}")),
            trigger: "schedule".to_owned(),
            flows: vec!["vendors".to_owned(), "bills".to_owned()],
            actor: "service".to_owned(),
            started: at(minute),
            ended: (status != "running").then(|| at(minute + 1)),
            status: status.to_owned(),
            counts: std::collections::BTreeMap::new(),
            calls: std::collections::BTreeMap::new(),
            cause: String::new(),
            limited: false,
        }
    }

    #[test]
    fn a_start_was_kept_only_by_a_run_that_did_its_work() {
        let kept = [run(1, "done"), run(2, "exceptions")];
        assert_eq!(last(&kept, &["bills"]), Some(at(2)));
        assert_eq!(last(&kept, &["bills", "bill-payments"]), None);
        let only = RunRow {
            limited: true,
            ..run(9, "done")
        };
        for fell_short in [run(9, "failed"), run(9, "killed"), run(9, "running"), only] {
            let runs = [fell_short, run(2, "exceptions"), run(1, "done")];
            assert_eq!(last(&runs, &["vendors", "bills"]), Some(at(2)));
        }
    }

    #[test]
    fn where_every_run_failed_the_start_is_missed_since_the_first_of_them() {
        let failed = [run(3, "failed"), run(2, "killed"), run(1, "failed")];
        assert_eq!(last(&failed, &["bills"]), Some(at(1)));
    }
}
