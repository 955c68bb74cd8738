//! How soon every connection was served again: what the runs in the store tell, held against when nodes were struck.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::misfortunes::Blow;

/// A run, as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) connection: String,
    /// In microseconds since 1970.
    pub(crate) started: i64,
    pub(crate) ended: Option<i64>,
    pub(crate) status: String,
}

/// What is asked of the store.
pub(crate) const RUNS: &str = "SELECT connection, started_us, COALESCE(ended_us, -1), status FROM runs \
                               ORDER BY connection, started_us";

/// The runs in what the store answered.
pub(crate) fn runs(answer: &str) -> Result<Vec<Run>> {
    let read = |line: &str| {
        let mut fields = line.split('\t');
        let connection = fields.next()?.to_owned();
        let started = fields.next()?.parse().ok()?;
        let ended = Some(fields.next()?.parse().ok()?).filter(|ended| *ended >= 0);
        let status = fields.next()?.to_owned();
        Some(Run {
            connection,
            started,
            ended,
            status,
        })
    };
    let lines = answer.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| read(line).with_context(|| format!("no run: {line}")))
        .collect()
}

/// How long connections waited whose run a blow had cut off, in seconds, by the kind of blow; and the longest time that a
/// connection was without a run of its own.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    pub(crate) after: BTreeMap<&'static str, Vec<f64>>,
    pub(crate) longest: f64,
}

/// Finds them. `runs` are in the order of their connections and starts.
pub(crate) fn waits(runs: &[Run], blows: &[Blow]) -> Waits {
    let mut waits = Waits::default();
    for pair in runs.windows(2) {
        let [run, next] = pair else { continue };
        if run.connection != next.connection {
            continue;
        }
        let ended = run.ended.unwrap_or(next.started).min(next.started);
        if run.status != "killed" {
            waits.longest = waits.longest.max(seconds(next.started - ended));
            continue;
        }
        waits.longest = waits.longest.max(seconds(next.started - run.started));
        // Of the blows that may have cut it off, the last one before somebody went on.
        let cause = blows
            .iter()
            .rfind(|blow| blow.cuts_runs && (run.started..=next.started).contains(&blow.at));
        if let Some(blow) = cause {
            let waited = seconds(next.started - blow.at);
            waits.after.entry(blow.kind).or_default().push(waited);
        }
    }
    for list in waits.after.values_mut() {
        list.sort_by(f64::total_cmp);
    }
    waits
}

#[allow(clippy::cast_precision_loss, reason = "spans of a trial, for people")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_counted_from_the_last_blow_that_may_have_cut_the_run_off() {
        let answer = "a\t1000000\t40000000\tkilled\na\t31000000\t32000000\tdone\n\
                      b\t1000000\t2000000\tdone\nb\t50000000\t-1\trunning\n";
        let runs = runs(answer).unwrap();
        assert_eq!(runs[3].ended, None);
        let blow = |at, kind, cuts_runs| Blow {
            at,
            kind,
            cuts_runs,
        };
        let blows = [
            blow(2_000_000, "killed", true),
            blow(11_000_000, "killed", true),
            blow(12_000_000, "database", false),
            blow(45_000_000, "killed", true),
        ];
        let waits = waits(&runs, &blows);
        assert_eq!(waits.after["killed"], [20.0]);
        assert!((waits.longest - 48.0).abs() < 1e-9, "{}", waits.longest);
    }
}
