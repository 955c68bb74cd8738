//! Lists and look-ups that lag behind a write: what was just written is not shown yet, or is shown as it was before.
//! That is neither a deletion nor somebody's edit.
//!
//! Of two versions that are instants the earlier one is the older. Where they are not, and the answer to a change
//! showed nothing, the mirror keeps what was written under a version of its own, which remembers the one it was
//! written over: for as long as a write may take to settle, that one is old news.

use std::time::Duration;

use tieout_domain::port::Observed;
use tieout_domain::{Fingerprint, Kind, Side, Timestamp};
use tieout_store::Known;

use crate::run::Run;
use crate::settle::window;

/// How the version of what was written and is not shown yet begins. No system's own version does.
const WRITTEN: &str = "written ";
const OVER: &str = " over ";

/// The version of what is written at this moment over what is known.
pub(crate) fn written(at: Timestamp, known: &Known) -> String {
    let over = match unseen(&known.version) {
        Some((_, over)) => over.to_owned(),
        None => looks(&known.fingerprint, &known.version),
    };
    format!("{WRITTEN}{at}{OVER}{over}")
}

/// A record in one version. A system that tells whole seconds may show two states of it under the same version.
fn looks(fingerprint: &Fingerprint, version: &str) -> String {
    format!("{} {version}", fingerprint.as_str())
}

/// When it was written, and over what, if a version is one of what is not shown yet.
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
    pub(crate) fn is_behind(self, shown: &Observed, known: &Known) -> bool {
        if let Some((at, over)) = unseen(&known.version) {
            return looks(&shown.fingerprint(), &shown.version) == over && self.lasts_from(at);
        }
        let instant = |version: &str| version.parse::<Timestamp>().ok();
        match (instant(&shown.version), instant(&known.version)) {
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
    use tieout_domain::Document;
    use tieout_domain::document::Dimension;

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

    fn shown(name: &str, version: &str) -> Observed {
        Observed {
            id: "7".into(),
            version: version.to_owned(),
            created: None,
            document: Document::Dimension(Dimension {
                axis: Kind::Class,
                name: name.to_owned(),
                path: name.to_owned(),
                parent: None,
                inactive: false,
                subsidiaries: Vec::new(),
            }),
        }
    }

    fn known(name: &str, version: &str) -> Known {
        Known {
            version: version.to_owned(),
            fingerprint: shown(name, version).fingerprint(),
            gone: false,
        }
    }

    #[test]
    fn of_two_instants_the_earlier_one_is_behind() {
        let (early, late) = ("2026-06-12T10:00:00.100Z", "2026-06-12T12:00:00.200+02:00");
        for (earlier, later, is_behind) in [
            (early, late, true),
            (late, early, false),
            (early, early, false),
            ("7", "8", false),
        ] {
            let behind = lag().is_behind(&shown("a", earlier), &known("b", later));
            assert_eq!(behind, is_behind, "{earlier} and {later}");
        }
    }

    #[test]
    fn what_a_write_went_over_is_behind_it_until_it_has_settled() {
        let version = written(at("10:00:00"), &known("old", "02:00:00/A"));
        let known = known("new", &version);
        assert!(lag().is_unseen(&version));
        assert!(lag().is_behind(&shown("old", "02:00:00/A"), &known));
        assert!(!lag().is_behind(&shown("old", "02:00:01/A"), &known));
        // Changed within the same second.
        assert!(!lag().is_behind(&shown("new", "02:00:00/A"), &known));
        let settled = Lag {
            now: at("10:10:00"),
            ..lag()
        };
        assert!(!settled.is_unseen(&version));
        assert!(!settled.is_behind(&shown("old", "02:00:00/A"), &known));
    }

    #[test]
    fn a_second_write_went_over_the_same_version() {
        let first = known("new", &written(at("10:00:00"), &known("old", "v1")));
        let second = known("newer", &written(at("10:01:00"), &first));
        assert!(lag().is_behind(&shown("old", "v1"), &second));
    }
}
