//! Lists and look-ups that lag behind a write: what was just written is not shown yet, or is shown as it was before.
//! That is neither a deletion nor somebody's edit.
//!
//! Of two versions that are instants the earlier one is the older. Where they are not, and the answer to a change
//! showed nothing, the mirror keeps what was written under a version of its own, which remembers the one it was
//! written over: for as long as a write may take to settle, that one is old news.

use std::time::Duration;

use tieout_domain::{Kind, Side, Timestamp};

use crate::run::Run;
use crate::settle::window;

/// How the version of what was written and is not shown yet begins. No system's own version does.
const WRITTEN: &str = "written ";
const OVER: &str = " over ";

/// The version of what is written at this moment over that version.
pub(crate) fn written(at: Timestamp, over: &str) -> String {
    let over = unseen(over).map_or(over, |(_, over)| over);
    format!("{WRITTEN}{at}{OVER}{over}")
}

/// When it was written, and over which version, if a version is one of what is not shown yet.
fn unseen(version: &str) -> Option<(Timestamp, &str)> {
    let (at, over) = version.strip_prefix(WRITTEN)?.split_once(OVER)?;
    Some((at.parse().ok()?, over))
}

/// What one side can show late.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lag {
    now: Timestamp,
    window: Duration,
}

impl Lag {
    /// Of a kind of record, now.
    pub(crate) fn of(run: &Run<'_>, side: Side, kind: Kind) -> Self {
        let writer = run.connection.sides.writer(side, kind);
        let settle = writer.map_or(Duration::ZERO, |writer| writer.settle());
        let now = run.connection.timer.uptime();
        Self {
            now: run.connection.time_there(side, now),
            window: window(settle),
        }
    }

    /// Whether the version that is known was written a moment ago and may not be shown yet.
    pub(crate) fn is_unseen(self, known: &str) -> bool {
        unseen(known).is_some_and(|(at, _)| self.lasts_from(at))
    }

    /// Whether what is shown is older than what is known.
    pub(crate) fn is_behind(self, shown: &str, known: &str) -> bool {
        if let Some((at, over)) = unseen(known) {
            return shown == over && self.lasts_from(at);
        }
        let instant = |version: &str| version.parse::<Timestamp>().ok();
        match (instant(shown), instant(known)) {
            (Some(shown), Some(known)) => shown < known,
            _ => false,
        }
    }

    fn lasts_from(self, at: Timestamp) -> bool {
        at.checked_add(self.window)
            .is_ok_and(|until| self.now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag() -> Lag {
        Lag {
            now: at("10:05:00"),
            window: Duration::from_secs(600),
        }
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-06-12T{time}Z").parse().unwrap()
    }

    #[test]
    fn of_two_instants_the_earlier_one_is_behind() {
        let (early, late) = ("2026-06-12T10:00:00.100Z", "2026-06-12T12:00:00.200+02:00");
        assert!(lag().is_behind(early, late));
        assert!(!lag().is_behind(late, early));
        assert!(!lag().is_behind(early, early));
        assert!(!lag().is_behind("7", "8"));
    }

    #[test]
    fn what_a_write_went_over_is_behind_it_until_it_has_settled() {
        let known = written(at("10:00:00"), "2026-06-12 02:00:00/A");
        assert!(lag().is_unseen(&known));
        assert!(lag().is_behind("2026-06-12 02:00:00/A", &known));
        assert!(!lag().is_behind("2026-06-12 03:00:01/A", &known));
        let settled = Lag {
            now: at("10:10:00"),
            ..lag()
        };
        assert!(!settled.is_unseen(&known));
        assert!(!settled.is_behind("2026-06-12 02:00:00/A", &known));
    }

    #[test]
    fn a_second_write_went_over_the_same_version() {
        let twice = written(at("10:01:00"), &written(at("10:00:00"), "v1"));
        assert!(lag().is_behind("v1", &twice));
    }
}
