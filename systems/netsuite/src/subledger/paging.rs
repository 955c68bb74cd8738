//! How far a page of postings reaches.
//!
//! Pages end at a number of rows, stretches at a transaction's id. How many transactions hold one open item
//! differs between accounts by orders of magnitude and isn't known beforehand: each stretch is as long as the
//! one before suggests, so that it fills most of a page.

use serde::{Deserialize, Serialize};
use tieout_domain::Fault;
use tieout_domain::port::PageToken;

use super::drift;
use super::text::{After, Stretch};

/// The share of a page that a stretch is meant to fill, as a fraction.
const FILLED: (i64, i64) = (4, 5);

/// By how much a stretch grows at most from one page to the next.
const GROWTH_MAX: i64 = 16;

/// Where reading goes on: what a page token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The last posting seen.
    after: After,
    /// How many transaction ids the next stretch takes.
    span: i64,
    /// The newest transaction when reading began.
    newest: i64,
}

impl Place {
    /// Before the first posting.
    pub(super) fn first(newest: i64, page: usize) -> Self {
        Self {
            after: start_of(0),
            span: 4 * rows(page),
            newest,
        }
    }

    pub(super) fn read(token: &PageToken) -> Result<Self, Fault> {
        serde_json::from_str(&token.0)
            .map_err(|error| drift(format!("a page token can't be read back: {error}")))
    }

    pub(super) fn token(&self) -> Result<PageToken, Fault> {
        serde_json::to_string(self)
            .map(PageToken)
            .map_err(|error| drift(format!("a page token can't be written: {error}")))
    }

    /// What to ask for.
    pub(super) fn stretch(&self) -> Stretch {
        Stretch {
            after: self.after.clone(),
            end: self.end(),
        }
    }

    /// The first id that isn't asked for. The last stretch has no end: what is booked meanwhile belongs to it.
    fn end(&self) -> Option<i64> {
        let end = self.after.id.saturating_add(self.span);
        (end <= self.newest).then_some(end)
    }

    /// Where to go on after this many rows; from the last of them where the page was cut off. `None` at the end.
    pub(super) fn next(&self, found: usize, cut_off: Option<After>, page: usize) -> Option<Self> {
        let after = cut_off.or_else(|| self.end().map(start_of))?;
        let seen = (after.id - self.after.id).max(1);
        let wanted = rows(page) * FILLED.0 / FILLED.1;
        let span = seen
            .saturating_mul(wanted)
            .checked_div(rows(found))
            .unwrap_or(i64::MAX);
        Some(Self {
            after,
            span: span.clamp(1, self.span.saturating_mul(GROWTH_MAX)),
            newest: self.newest,
        })
    }
}

/// Before the first posting of a transaction: accounts have ids from 1 on.
fn start_of(id: i64) -> After {
    After {
        id,
        account: 0,
        party: 0,
    }
}

fn rows(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads postings at these transaction ids, and gives them with the number of queries.
    fn read(ids: &[i64], page: usize) -> (Vec<i64>, usize) {
        let mut place = Some(Place::first(ids.last().copied().unwrap_or(0), page));
        let (mut seen, mut queries) = (Vec::new(), 0);
        while let Some(at) = place {
            let Stretch { after, end } = at.stretch();
            let fits =
                |id: &i64| (*id, 1) > (after.id, after.account) && end.is_none_or(|end| *id < end);
            let found: Vec<i64> = ids.iter().copied().filter(fits).take(page).collect();
            let cut_off = (found.len() >= page).then(|| After {
                id: found[found.len() - 1],
                account: 1,
                party: 0,
            });
            place = at.next(found.len(), cut_off, page);
            seen.extend(found);
            queries += 1;
        }
        (seen, queries)
    }

    #[test]
    fn every_posting_comes_once_however_dense_they_are() {
        let everywhere: Vec<i64> = (1..=20_000).collect();
        let rare: Vec<i64> = (1..=2_000).map(|n| n * 997).collect();
        let late: Vec<i64> = (5_000_000..5_000_500).collect();
        let mixed: Vec<i64> = (1..3_000).chain(900_000..903_000).collect();
        for (ids, at_most) in [
            (everywhere, 30),
            (rare, 12),
            (late, 8),
            (mixed, 20),
            (vec![], 1),
        ] {
            let (seen, queries) = read(&ids, 1_000);
            assert_eq!(seen, ids);
            assert!(
                queries <= at_most,
                "{queries} queries for {} postings",
                ids.len()
            );
        }
    }

    #[test]
    fn the_last_stretch_has_no_end() {
        let place = Place::first(10, 1_000);
        assert_eq!(place.stretch().end, None);
        assert!(place.next(999, None, 1_000).is_none());
    }
}
