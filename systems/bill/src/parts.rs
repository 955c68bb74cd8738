//! Reading the rest of a long list in several parts at once.
//!
//! A page names the next one, so that a list is read one page after the other, however many calls may be under way. What
//! was changed within a span of time is a list of its own, though: the rest of a long list is cut into spans, and
//! each is read beside the others.

use std::cmp::Ordering;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tieout_domain::{Fault, Timestamp};

use crate::list::{Shelf, circle};

/// So many parts: as many as calls may be under way.
const PARTS: i32 = 3;

/// After so many pages it is looked whether the rest is long.
const LOOK_AFTER: u32 = 3;

/// So many pages are worth more than the call or two by which parts are dearer.
const LONG: f64 = 9.0;

/// The most precise time that a filter takes.
const TICK: SignedDuration = SignedDuration::from_millis(1);

/// The way through a list from page to page.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Trail {
    /// The cursor to go on from; empty at the start.
    pub(crate) cursor: String,
    /// Pages read so far.
    pub(crate) pages: u32,
    /// An earlier cursor. To meet it again means to go in circles (Brent's method: it is renewed after 1,
    /// 2, 4, 8, … pages, so that a circle of any length is noticed).
    earlier: String,
}

impl Trail {
    /// Goes on to the page of this name.
    pub(crate) fn on(&mut self, shelf: &Shelf, next: String) -> Result<(), Fault> {
        if next == self.cursor || next == self.earlier {
            return Err(circle(shelf, &next));
        }
        self.pages += 1;
        if self.pages.is_power_of_two() {
            self.earlier.clone_from(&next);
        }
        self.cursor = next;
        Ok(())
    }
}

/// What was changed within a span of time, its end not included.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    from: Timestamp,
    to: Timestamp,
    pub(crate) trail: Trail,
}

impl Part {
    /// What a list is asked for to show it.
    pub(crate) fn filters(&self) -> [String; 2] {
        let bound = |word: &str, at: Timestamp| {
            let at = at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
            format!("updatedTime:{word}:\"{at}\"")
        };
        [bound("gte", self.from), bound("lt", self.to)]
    }

    /// Cuts what is left of a list: changes from `oldest`, down to which the pages so far have come, to `until`.
    ///
    /// Empty if the rest doesn't seem to be long. That is reckoned from the pages so far, which began at `newest`.
    pub(crate) fn of_rest(
        pages: u32,
        newest: Timestamp,
        oldest: Timestamp,
        until: Timestamp,
    ) -> Vec<Self> {
        let (seen, rest) = (newest.duration_since(oldest), oldest.duration_since(until));
        let is_long = rest.as_secs_f64() * f64::from(pages) >= LONG * seen.as_secs_f64();
        let span = rest / PARTS;
        if pages != LOOK_AFTER || span < TICK || !is_long {
            return Vec::new();
        }
        let Ok(end) = oldest.checked_add(TICK) else {
            return Vec::new();
        };
        let start = |part: i32| match part.cmp(&PARTS) {
            Ordering::Less => until.checked_add(span * part).unwrap_or(end),
            _ => end,
        };
        let part = |number| Self {
            from: start(number),
            to: start(number + 1),
            trail: Trail::default(),
        };
        (0..PARTS).map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn parts_touch_and_leave_nothing_out() {
        let parts = Part::of_rest(LOOK_AFTER, at(1000), at(900), at(0));
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0].from, at(0));
        assert!(parts.windows(2).all(|two| two[0].to == two[1].from));
        // What was changed in the same moment as the last record seen may be on the next page.
        assert!(parts[2].to > at(900));
    }

    #[test]
    fn a_short_rest_is_not_cut() {
        assert!(Part::of_rest(LOOK_AFTER, at(1000), at(900), at(800)).is_empty());
        assert!(Part::of_rest(LOOK_AFTER, at(1000), at(900), at(900)).is_empty());
        assert!(Part::of_rest(LOOK_AFTER - 1, at(1000), at(900), at(0)).is_empty());
    }

    #[test]
    fn a_span_is_asked_for_with_its_start_and_without_its_end() {
        let part = Part {
            from: at(0),
            to: at(1),
            trail: Trail::default(),
        };
        assert_eq!(
            part.filters(),
            [
                "updatedTime:gte:\"1970-01-01T00:00:00.000Z\"",
                "updatedTime:lt:\"1970-01-01T00:00:01.000Z\""
            ]
        );
    }
}
