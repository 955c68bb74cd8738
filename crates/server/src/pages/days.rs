//! What happened over the last thirty days, as charts.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::Markup;
use tieout_domain::{ConnectionName, Timestamp};
use tieout_store::{ConnectionStore, Tally};

use super::PageError;
use super::parts::amount::count;
use super::parts::chart::{self, Bar};
use crate::program::ConnectionInfo;
use crate::view::View;

/// How many days a chart shows.
const DAYS: i64 = 30;

/// How many of them have their name written below.
const NAMED_EVERY: usize = 5;

/// Runs by day and by how they ended, over these connections, each in its own zone.
pub(super) async fn runs(view: &View, all: &[ConnectionInfo]) -> Result<Markup, PageError> {
    let mut days = Days::until(view.clock.now(), all.first().map(|info| &info.time_zone));
    // Those of one zone have their days in common, and are counted together.
    let mut zones: Vec<(&TimeZone, Vec<ConnectionName>)> = Vec::new();
    for info in all {
        match zones.iter_mut().find(|(zone, _)| **zone == info.time_zone) {
            Some((_, names)) => names.push(info.name.clone()),
            None => zones.push((&info.time_zone, vec![info.name.clone()])),
        }
    }
    for (zone, names) in zones {
        days.add_runs(view.store.run_tally(&names, days.since).await?, zone);
    }
    Ok(days.runs_chart())
}

/// The runs of one connection by day, and the writes that were applied.
pub(super) async fn of_connection(
    store: &ConnectionStore,
    info: &ConnectionInfo,
    now: Timestamp,
) -> Result<[Markup; 2], PageError> {
    let zone = &info.time_zone;
    let mut runs = Days::until(now, Some(zone));
    runs.add_runs(store.run_tally(runs.since).await?, zone);
    let mut writes = Days::until(now, Some(zone));
    for tally in store.write_tally(writes.since).await? {
        writes.add(&tally, zone, 0);
    }
    let said = format!(
        "{} in the last {DAYS} days; the most on one day: {}.",
        count(writes.total(0), "write"),
        writes.most()
    );
    let writes = chart::bars(
        "Records written, by day",
        &said,
        &["applied"],
        &writes.bars("write"),
    );
    Ok([runs.runs_chart(), writes])
}

/// Counts by day, in three parts.
struct Days {
    since: Timestamp,
    counts: BTreeMap<Date, [u64; 3]>,
}

impl Days {
    fn until(now: Timestamp, zone: Option<&TimeZone>) -> Self {
        let today = now.to_zoned(zone.cloned().unwrap_or(TimeZone::UTC)).date();
        let counts = (0..DAYS)
            .map(|back| (today.saturating_sub(back.days()), [0; 3]))
            .collect();
        // A day more than is shown: in another zone it may be the first one.
        let since = now.saturating_sub(((DAYS + 1) * 24).hours()).unwrap_or(now);
        Self { since, counts }
    }

    fn add(&mut self, tally: &Tally, zone: &TimeZone, part: usize) {
        let day = tally.at.to_zoned(zone.clone()).date();
        if let Some(counts) = self.counts.get_mut(&day) {
            counts[part] += tally.count;
        }
    }

    fn add_runs(&mut self, tallies: Vec<Tally>, zone: &TimeZone) {
        // What is on hasn't ended one way or the other.
        for tally in tallies.into_iter().filter(|it| it.status != "running") {
            let part = match tally.status.as_str() {
                "exceptions" => 1,
                "failed" => 2,
                _ => 0,
            };
            self.add(&tally, zone, part);
        }
    }

    fn total(&self, part: usize) -> u64 {
        self.counts.values().map(|counts| counts[part]).sum()
    }

    fn most(&self) -> u64 {
        let sums = self.counts.values().map(|counts| counts.iter().sum());
        sums.max().unwrap_or_default()
    }

    fn runs_chart(&self) -> Markup {
        let said = format!(
            "In the last {DAYS} days: {} done, {} with exceptions, {} failed.",
            count(self.total(0), "sync"),
            self.total(1),
            self.total(2)
        );
        let keys = ["done", "with exceptions", "failed"];
        chart::bars("Syncs, by day", &said, &keys, &self.bars("sync"))
    }

    fn bars(&self, noun: &str) -> Vec<Bar> {
        let days = self.counts.iter().enumerate();
        days.map(|(at, (day, parts))| Bar {
            name: format!(
                "{}: {}",
                day.strftime("%-d %b %Y"),
                count(parts.iter().sum(), noun)
            ),
            label: if at % NAMED_EVERY == 0 {
                day.strftime("%-d %b").to_string()
            } else {
                String::new()
            },
            parts: parts.to_vec(),
        })
        .collect()
    }
}
