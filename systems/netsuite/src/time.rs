//! Reading what changed, by the service's clock alone (README §Changes).
//!
//! Times come as text in the session's zone, whichever that is. The mark of a read is the latest change it
//! has seen; the next read starts seventy minutes before it, which covers the hour that is repeated when
//! summer time ends. What is read twice because of that is recognised by its version and dropped, unless it
//! was changed in the very seconds of the earlier read.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use tieout_domain::Fault;
use tieout_domain::code::Code;
use tieout_domain::port::{Depth, Mark, PageToken};

use crate::suiteql::Row;

/// How far before the mark the next read starts, in minutes.
const OVERLAP_MINUTES: i64 = 70;
/// A change this close to the moment of reading may be followed by another within the same second.
const SETTLED_SECONDS: i64 = 2;
/// So many versions are remembered at most; beyond that they are simply read again.
const SEEN_MAX: usize = 2000;

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// A moment as a literal of a query.
pub(crate) fn timestamp_literal(text: &str) -> String {
    format!("TO_TIMESTAMP('{text}', 'YYYY-MM-DD HH24:MI:SS')")
}

fn parse(text: &str) -> Option<DateTime> {
    DateTime::strptime(FORMAT, text).ok()
}

/// How long after one moment another is, both in the session's zone: only their distance counts. `None` where either
/// is no moment.
pub(crate) fn distance(from: &str, to: &str) -> Option<SignedDuration> {
    Some(parse(to)?.duration_since(parse(from)?))
}

/// This much earlier, as text; the text itself if it is no moment.
pub(crate) fn minutes_before(text: &str, minutes: i64) -> Option<String> {
    let at = parse(text)?
        .checked_sub(SignedDuration::from_mins(minutes))
        .ok()?;
    Some(at.strftime(FORMAT).to_string())
}

/// The second after this one, as text.
pub(crate) fn second_after(text: &str) -> Option<String> {
    let at = parse(text)?
        .checked_add(SignedDuration::from_secs(1))
        .ok()?;
    Some(at.strftime(FORMAT).to_string())
}

/// What a finished read leaves for the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// The latest change seen.
    at: String,
    /// The latest deletion seen.
    deleted: String,
    /// Versions of what lies in the overlap.
    #[serde(default)]
    versions: BTreeMap<String, String>,
}

/// A read under way: travels from page to page in the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The start of the window; nothing if everything is read.
    since: Option<String>,
    before: Seen,
    now: Seen,
    /// The last id read.
    last: String,
    /// The service's clock at the first page.
    asked: String,
}

impl Progress {
    /// Begins a read, or goes on with it.
    pub(crate) fn of(
        depth: Depth,
        mark: Option<&Mark>,
        token: Option<&PageToken>,
    ) -> Result<Self, Fault> {
        if let Some(token) = token {
            return serde_json::from_str(&token.0).map_err(|error| Fault::Drift {
                code: Code::new("drift"),
                cause: format!("a page token can't be read back: {error}"),
            });
        }
        // A mark of another version of this program is as good as none: everything is read.
        let before: Seen = mark
            .and_then(|mark| serde_json::from_str(&mark.0).ok())
            .unwrap_or_default();
        let since = match depth {
            Depth::Changes => minutes_before(&before.at, OVERLAP_MINUTES),
            Depth::Whole => None,
        };
        let now = Seen {
            versions: BTreeMap::new(),
            ..before.clone()
        };
        Ok(Self {
            since,
            before,
            now,
            last: String::new(),
            asked: String::new(),
        })
    }

    pub(crate) fn first_page(&self) -> bool {
        self.last.is_empty()
    }

    /// The start of the window, if only changes are read.
    pub(crate) fn since(&self) -> Option<&str> {
        self.since.as_deref()
    }

    /// From where deletions are of interest; nothing on a first read, which knows no record yet.
    pub(crate) fn deleted_since(&self) -> Option<String> {
        minutes_before(&self.before.deleted, OVERLAP_MINUTES)
    }

    pub(crate) fn deletions_seen(&mut self, latest: &str) {
        if latest > self.now.deleted.as_str() {
            latest.clone_into(&mut self.now.deleted);
        }
    }

    /// The condition that goes on after the last id.
    pub(crate) fn after(&self, key: &str) -> String {
        if self.last.is_empty() {
            String::new()
        } else {
            format!(" AND {key} > {}", self.last)
        }
    }

    /// Whether a page that ends with this id brings the read further.
    pub(crate) fn goes_on(&self, id: &str) -> bool {
        let number = |text: &str| text.parse::<i64>().ok();
        match (number(id), number(&self.last)) {
            (Some(id), Some(last)) => id > last,
            (id, _) => id.is_some(),
        }
    }

    /// Whether the read has found no moment to count from.
    pub(crate) fn lacks_a_moment(&self) -> bool {
        self.now.at.is_empty() || self.now.deleted.is_empty() && self.asked.is_empty()
    }

    /// The service's clock, where no row told a moment.
    pub(crate) fn set_moment(&mut self, asked: &str) {
        if parse(asked).is_none() {
            return;
        }
        if self.now.at.is_empty() {
            asked.clone_into(&mut self.now.at);
        }
        if self.asked.is_empty() {
            asked.clone_into(&mut self.asked);
        }
    }

    /// Takes note of a row; says whether it is new, in this version. The row has its `modified` moment and
    /// the moment it was `asked` for.
    pub(crate) fn take(&mut self, id: &str, version: &str, row: &Row) -> bool {
        id.clone_into(&mut self.last);
        let (modified, asked) = (row.text("modified"), row.text("asked"));
        if self.asked.is_empty() && parse(asked).is_some() {
            asked.clone_into(&mut self.asked);
        }
        let moment = parse(modified);
        if moment.is_some() && modified > self.now.at.as_str() {
            modified.clone_into(&mut self.now.at);
        }
        let settled = match (moment, parse(asked)) {
            (Some(modified), Some(asked)) => {
                asked.duration_since(modified).as_secs() > SETTLED_SECONDS
            }
            _ => false,
        };
        if settled {
            self.now.versions.insert(id.to_owned(), version.to_owned());
        }
        let known = self.since.is_some()
            && self
                .before
                .versions
                .get(id)
                .is_some_and(|seen| seen == version);
        !known
    }

    /// Ends a page: where to go on, or the mark of the finished read.
    pub(crate) fn end(mut self, more: bool) -> (Option<PageToken>, Option<Mark>) {
        if !more && parse(&self.asked).is_some() && self.asked < self.now.at {
            // A later page may show a change that is younger than the read itself. What changed meanwhile on the pages
            // before it has not been seen: the next read starts from where this one began.
            self.now.at.clone_from(&self.asked);
        }
        self.forget_old();
        if more {
            return (serde_json::to_string(&self).ok().map(PageToken), None);
        }
        if self.now.deleted.is_empty() {
            let first = if self.asked.is_empty() {
                &self.now.at
            } else {
                &self.asked
            };
            self.now.deleted = first.clone();
        }
        (None, serde_json::to_string(&self.now).ok().map(Mark))
    }

    /// Of a whole read as much is remembered as will fit: all of it, or what lies in the next overlap. A
    /// read of changes returns all of the overlap, so all of what it saw is worth remembering.
    fn forget_old(&mut self) {
        if self.since.is_none() && self.now.versions.len() > SEEN_MAX {
            let from = minutes_before(&self.now.at, OVERLAP_MINUTES).unwrap_or_default();
            self.now
                .versions
                .retain(|_, version| version.as_str() >= from.as_str());
        }
        if self.now.versions.len() > SEEN_MAX {
            self.now.versions.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    fn changed(id: &str, modified: &str, asked: &str) -> (String, Row) {
        (
            id.to_owned(),
            row(&[("id", id), ("modified", modified), ("asked", asked)]),
        )
    }

    fn read(mark: Option<&Mark>, rows: &[(String, Row)]) -> (Vec<String>, Mark) {
        let mut progress = Progress::of(Depth::Changes, mark, None).unwrap();
        let mut new = Vec::new();
        for (id, row) in rows {
            if progress.take(id, row.text("modified"), row) {
                new.push(id.clone());
            }
        }
        (new, progress.end(false).1.unwrap())
    }

    #[test]
    fn s231_records_changed_within_one_second_are_not_missed() {
        let asked = "2026-06-12 10:00:01";
        let (_, mark) = read(None, &[changed("1", "2026-06-12 10:00:00", asked)]);
        // Changed again within the same second, and another one beside it: both are read.
        let again = [
            changed("1", "2026-06-12 10:00:00", "2026-06-12 10:15:00"),
            changed("2", "2026-06-12 10:00:00", "2026-06-12 10:15:00"),
        ];
        let (new, mark) = read(Some(&mark), &again);
        assert_eq!(new, ["1", "2"]);
        // By now they have settled and are known.
        let (new, _) = read(Some(&mark), &again);
        assert!(new.is_empty());
    }

    #[test]
    fn the_window_starts_seventy_minutes_before_the_latest_change() {
        let (_, mark) = read(
            None,
            &[changed("1", "2026-11-01 01:30:00", "2026-11-01 01:40:00")],
        );
        let progress = Progress::of(Depth::Changes, Some(&mark), None).unwrap();
        assert_eq!(progress.since(), Some("2026-11-01 00:20:00"));
        assert_eq!(
            progress.deleted_since().as_deref(),
            Some("2026-11-01 00:30:00")
        );
        let whole = Progress::of(Depth::Whole, Some(&mark), None).unwrap();
        assert_eq!(whole.since(), None);
        let (new, unchanged) = read(Some(&mark), &[]);
        assert!(new.is_empty());
        let later = Progress::of(Depth::Changes, Some(&unchanged), None).unwrap();
        assert_eq!(later.since(), Some("2026-11-01 00:20:00"));
    }

    #[test]
    fn what_changes_behind_a_long_read_is_in_the_next_one() {
        let mut progress = Progress::of(Depth::Whole, None, None).unwrap();
        let (id, row) = changed("5", "2026-06-12 09:00:00", "2026-06-12 10:00:00");
        assert!(progress.take(&id, "v", &row));
        let (token, _) = progress.end(true);
        // Two hours later the last page is read. Number 5 was changed at 10:05, and lies behind.
        let mut progress = Progress::of(Depth::Whole, None, token.as_ref()).unwrap();
        let (id, row) = changed("6", "2026-06-12 11:58:00", "2026-06-12 12:00:00");
        assert!(progress.take(&id, "v", &row));
        let (_, mark) = progress.end(false);
        let next = Progress::of(Depth::Changes, mark.as_ref(), None).unwrap();
        assert_eq!(next.since(), Some("2026-06-12 08:50:00"));
    }

    #[test]
    fn a_read_goes_on_from_its_token() {
        let mut progress = Progress::of(Depth::Whole, None, None).unwrap();
        assert_eq!(progress.after("t.id"), "");
        let (id, row) = changed("41", "2026-06-12 10:00:00", "2026-06-12 10:00:01");
        assert!(progress.take(&id, "v", &row));
        let (token, mark) = progress.end(true);
        assert!(mark.is_none());
        let progress = Progress::of(Depth::Whole, None, token.as_ref()).unwrap();
        assert_eq!(progress.after("t.id"), " AND t.id > 41");
        assert!(!progress.first_page());
    }
}
