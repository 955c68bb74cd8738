//! Why a document has not reached the other side: told alike in both books, but for the codes that their flows use.

use tieout_domain::{Date, State};

use super::Category;
use super::input::Pair;
use super::rules::age;

/// The codes by which a book's flows tell what is the matter with a document.
pub(super) struct Codes {
    /// It may be the twin of another.
    pub(super) twin: &'static [&'static str],
    /// Its link can't be told.
    pub(super) unlinked: &'static [&'static str],
    /// It is left out by the cut-over.
    pub(super) before: &'static [&'static str],
    /// What the book calls those.
    pub(super) before_is: Category,
    /// It waits for something that a person has to put right: whatever could be made of it was.
    pub(super) held_up: &'static [&'static str],
}

impl Codes {
    /// Why a document of this day, a credit or what is owed, is still under way; `None` for what nobody waits for.
    pub(super) fn on_its_way(
        &self,
        pair: &Pair,
        (date, credit): (Date, bool),
        day: Date,
        grace: i64,
    ) -> Option<Category> {
        let waiting = |since: Date| match credit {
            _ if age(since, day) > grace => Category::Blocked,
            true => Category::Credit,
            false => Category::Queue,
        };
        let Some(standing) = &pair.standing else {
            return Some(waiting(date));
        };
        Some(match standing.state {
            State::Skipped if standing.is(&["currency"]) => Category::Currency,
            State::Skipped if standing.is(&["zero"]) => Category::Zero,
            State::Skipped if standing.is(self.before) => self.before_is,
            State::Skipped => Category::Excluded,
            State::Noop => return None,
            State::Blocked | State::Conflict | State::Orphan if standing.is(self.twin) => {
                Category::Duplicate
            }
            State::Blocked | State::Conflict if standing.is(self.unlinked) => Category::Link,
            State::Blocked | State::Conflict => Category::Blocked,
            State::Orphan | State::Reversed => Category::Link,
            State::Hold if standing.is(self.held_up) => Category::Blocked,
            State::Hold | State::Done => waiting(standing.since),
        })
    }
}
