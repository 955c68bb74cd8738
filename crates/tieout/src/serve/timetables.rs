//! The schedules of the configuration, with when each was last kept.

use tieout_domain::{ConnectionName, Timestamp};
use tieout_engine::schedule::{Schedule, Timetable};
use tieout_engine::scheduler::{Entry, Line, Work};
use tieout_engine::whole_read_at;
use tieout_store::RunRow;

use super::Service;
use crate::assemble;
use crate::config::{Config, ConnectionConfig};
use crate::failure::Failure;

/// So many runs are looked through for the last one of each flow. A schedule whose last run lies further back starts
/// anew.
const RUNS: u32 = 50;

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

/// When the last run that did all of these flows began.
fn last(runs: &[RunRow], flows: &[&str]) -> Option<Timestamp> {
    let did = |run: &&RunRow| {
        flows
            .iter()
            .all(|flow| run.flows.iter().any(|did| did == flow))
    };
    runs.iter().filter(did).map(|run| run.started).max()
}
