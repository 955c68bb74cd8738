//! What a first sync takes at least: the calls that have to be made, by what has to be read and made, and the longest
//! chain of those that wait for each other.
//!
//! The limits are the services' own: BILL takes three calls at once, a hundred bills, fifty credits, classifications and
//! twenty vendors in one, and gives a hundred records on a page, whose address is told by the page before it. NetSuite
//! gives a thousand rows on a page, and takes five calls at once.

use serde_json::{Value, json};

const BILL_AT_ONCE: f64 = 3.0;
const BILL_PAGE: u64 = 100;
const BILLS_A_CALL: u64 = 100;
const VENDORS_A_CALL: u64 = 20;
const OTHERS_A_CALL: u64 = 50;
/// The lists of BILL that are read before anything is decided.
const BILL_LISTS: u64 = 9;
const NETSUITE_AT_ONCE: f64 = 5.0;
const NETSUITE_PAGE: u64 = 1000;

/// What lies on both sides, and what the sync made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Amounts {
    /// Rows of each list of NetSuite, lines included.
    pub(crate) ledger_rows: Vec<u64>,
    /// Bills that were made.
    pub(crate) bills: u64,
    /// Vendors that were made.
    pub(crate) vendors: u64,
    /// Vendor credits that were made.
    pub(crate) credits: u64,
    /// Accounts, departments, classes and locations that were made, each list for itself.
    pub(crate) classifications: Vec<u64>,
    /// How many levels they have: what lies below another is made after it.
    pub(crate) levels: u64,
}

/// A part of the bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    /// What it is.
    pub(crate) what: &'static str,
    /// Calls.
    pub(crate) calls: u64,
    /// How long they take at least.
    pub(crate) seconds: f64,
    /// Whether it lies in the longest chain.
    pub(crate) in_chain: bool,
}

/// What it takes at least.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    /// Its parts.
    pub(crate) terms: Vec<Term>,
    /// Of them, the longest chain.
    pub(crate) seconds: f64,
    /// All calls.
    pub(crate) calls: u64,
}

impl Bound {
    /// With calls of so many seconds.
    pub(crate) fn of(amounts: &Amounts, call: f64) -> Self {
        let classifications: u64 = amounts
            .classifications
            .iter()
            .map(|made| made.div_ceil(OTHERS_A_CALL))
            .sum();
        // Each list's deepest level takes a round of its own.
        let classifications = classifications.max(amounts.levels);
        let creations = amounts.bills.div_ceil(BILLS_A_CALL)
            + amounts.vendors.div_ceil(VENDORS_A_CALL)
            + amounts.credits.div_ceil(OTHERS_A_CALL);
        let back = amounts.bills.div_ceil(BILL_PAGE);
        let beside = amounts.vendors.div_ceil(BILL_PAGE) + amounts.credits.div_ceil(BILL_PAGE);
        let pages: u64 = amounts
            .ledger_rows
            .iter()
            .map(|rows| rows.div_ceil(NETSUITE_PAGE).max(1))
            .sum();
        let term = |what, calls, rounds: f64, in_chain| Term {
            what,
            calls,
            seconds: rounds * call,
            in_chain,
        };
        let terms = vec![
            term("sign-ins (kept from the mapping before)", 0, 0.0, true),
            term(
                "BILL's lists before anything is decided",
                BILL_LISTS,
                float(BILL_LISTS) / BILL_AT_ONCE,
                true,
            ),
            term(
                "levels of accounts and classifications, one after the other",
                classifications,
                float(amounts.levels),
                true,
            ),
            term(
                "vendors, bills and credits, three calls at once",
                creations,
                float(creations) / BILL_AT_ONCE,
                true,
            ),
            term("bills read back, page after page", back, float(back), true),
            term(
                "vendors and credits read back beside them",
                beside,
                float(beside) / BILL_AT_ONCE,
                false,
            ),
            term(
                "NetSuite's lists and lines, five calls at once, beside the rest",
                pages,
                float(pages) / NETSUITE_AT_ONCE,
                false,
            ),
        ];
        let chain: f64 = terms
            .iter()
            .filter(|term| term.in_chain)
            .map(|term| term.seconds)
            .sum();
        let seconds = terms
            .iter()
            .filter(|term| !term.in_chain)
            .fold(chain, |most, term| most.max(term.seconds));
        Self {
            seconds,
            calls: terms.iter().map(|term| term.calls).sum(),
            terms,
        }
    }

    /// As it is kept.
    pub(crate) fn kept(&self) -> Value {
        let terms: Vec<Value> = self
            .terms
            .iter()
            .map(|term| {
                json!({
                    "what": term.what,
                    "calls": term.calls,
                    "seconds": term.seconds,
                    "in_chain": term.in_chain,
                })
            })
            .collect();
        json!({"terms": terms, "seconds": self.seconds, "calls": self.calls})
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of calls")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_the_bound_unless_something_beside_it_is_longer() {
        let mut amounts = Amounts {
            ledger_rows: vec![10_000, 20_000],
            bills: 4_200,
            vendors: 1_000,
            credits: 30,
            classifications: vec![50, 9],
            levels: 3,
        };
        let bound = Bound::of(&amounts, 0.15);
        // Three rounds of lists, three levels, 93 creations by three, 42 pages.
        let rounds = 3.0 + 3.0 + 93.0 / 3.0 + 42.0;
        assert!((bound.seconds - rounds * 0.15).abs() < 1e-9, "{bound:?}");
        assert_eq!(bound.calls, 9 + 3 + 93 + 42 + 11 + 30);
        amounts.ledger_rows = vec![1_000_000];
        assert!((Bound::of(&amounts, 0.15).seconds - 1000.0 / 5.0 * 0.15).abs() < 1e-9);
    }
}
