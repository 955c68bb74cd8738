//! SuiteQL that lags: while it is switched on, queries see the books as they were a while ago.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::suiteql::{self, Engine};

/// The books as they were at one time, with an engine of their own: it keeps answers.
struct View {
    since: Timestamp,
    changes: u64,
    books: Connection,
    engine: Engine,
}

/// The books as they were after each change, as far back as queries may lag.
#[derive(Default)]
pub(crate) struct Views(VecDeque<View>);

impl Views {
    /// Takes note of the books after they were used.
    pub(crate) fn remember(
        &mut self,
        books: &Connection,
        now: Timestamp,
        lag: SignedDuration,
    ) -> rusqlite::Result<()> {
        if lag.is_zero() {
            self.0.clear();
            return Ok(());
        }
        let changes = books.total_changes();
        if self.0.back().is_none_or(|last| last.changes != changes) {
            self.0.push_back(View {
                // What was there when the switch was turned has long been shown.
                since: if self.0.is_empty() {
                    Timestamp::MIN
                } else {
                    now
                },
                changes,
                books: copy(books)?,
                engine: Engine::default(),
            });
        }
        // The latest view that is old enough is shown, those before it never again.
        while self.0.get(1).is_some_and(|view| is_shown(view, now, lag)) {
            self.0.pop_front();
        }
        Ok(())
    }

    /// What queries see now, if they lag.
    pub(crate) fn shown(
        &self,
        now: Timestamp,
        lag: SignedDuration,
    ) -> Option<(&Connection, &Engine)> {
        let newest = self.0.iter().rev().find(|view| is_shown(view, now, lag));
        newest.map(|view| (&view.books, &view.engine))
    }
}

fn is_shown(view: &View, now: Timestamp, lag: SignedDuration) -> bool {
    now.checked_sub(lag).is_ok_and(|ago| view.since <= ago)
}

fn copy(books: &Connection) -> rusqlite::Result<Connection> {
    let mut copy = Connection::open_in_memory()?;
    Backup::new(books, &mut copy)?.run_to_completion(10_000, Duration::ZERO, None)?;
    suiteql::install(&copy)?;
    Ok(copy)
}
