//! How each set was read: what makes a report one that an auditor can rely on.

use serde::Serialize;
use tieout_domain::subledger::Told;
use tieout_domain::{Amount, RowsHash, Timestamp};
use tieout_flows::tie_out::{Check, Extract};

/// A set being read, with its evidence so far.
pub(super) struct Reading<T> {
    pub(super) rows: Vec<T>,
    extract: Extract,
    hash: RowsHash,
}

impl<T: Serialize> Reading<T> {
    /// Nothing read yet.
    pub(super) fn begin(what: &str, now: Timestamp) -> Self {
        Self {
            rows: Vec::new(),
            extract: Extract {
                what: what.to_owned(),
                query: String::new(),
                started: now,
                ended: now,
                server_time: String::new(),
                rows: 0,
                total: Amount::ZERO,
                last_page_seen: false,
                sha256: String::new(),
            },
            hash: RowsHash::default(),
        }
    }

    /// Takes a page in; the query shown is the first page's.
    pub(super) fn take(&mut self, told: Told<T>, amount: impl Fn(&T) -> Amount, now: Timestamp) {
        if self.extract.query.is_empty() {
            self.extract.query = told.asked.query;
        }
        self.extract.server_time = told.asked.server_time;
        self.extract.last_page_seen = told.next.is_none();
        self.extract.ended = now;
        for row in &told.rows {
            self.count(row, amount(row));
        }
        self.rows.extend(told.rows);
    }

    fn count(&mut self, row: &T, amount: Amount) {
        self.hash.add(row);
        self.extract.rows += 1;
        self.extract.total = [self.extract.total, amount].into_iter().sum();
    }

    /// The rows, and the evidence.
    pub(super) fn end(mut self) -> (Vec<T>, Extract) {
        self.extract.sha256 = self.hash.digits();
        (self.rows, self.extract)
    }
}

/// A set of the mirror, counted as it is gone through: its rows are not kept.
pub(super) struct Counting {
    extract: Extract,
    hash: RowsHash,
}

impl Counting {
    /// Nothing counted yet.
    pub(super) fn begin(what: &str, query: &str, now: Timestamp) -> Self {
        let reading: Reading<()> = Reading::begin(what, now);
        Self {
            extract: Extract {
                query: query.to_owned(),
                ..reading.extract
            },
            hash: RowsHash::default(),
        }
    }

    /// One row.
    pub(super) fn add<T: Serialize>(&mut self, row: &T, amount: Amount) {
        self.hash.add(row);
        self.extract.rows += 1;
        self.extract.total = [self.extract.total, amount].into_iter().sum();
    }

    /// All of it, read to its end at this moment; the service's own time as it said it.
    pub(super) fn end(mut self, now: Timestamp, server_time: Option<Timestamp>) -> Extract {
        self.extract.ended = now;
        self.extract.server_time = server_time.map(|time| time.to_string()).unwrap_or_default();
        self.extract.last_page_seen = true;
        self.extract.sha256 = self.hash.digits();
        self.extract
    }
}

/// A check that two things are the same.
pub(super) fn same(
    what: impl Into<String>,
    expected: impl ToString,
    found: impl ToString,
) -> Check {
    let (expected, found) = (expected.to_string(), found.to_string());
    Check {
        what: what.into(),
        holds: expected == found,
        expected,
        found,
    }
}
