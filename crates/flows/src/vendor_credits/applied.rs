//! What the ledger has applied of a credit that is not on the platform (scenario 48): either it was before the bills came
//! over, or they are open over there for too much.

use tieout_domain::document::{Application, Bill, BillStatus, VendorCredit};
use tieout_domain::{Outcome, State, WaitsFor};

use super::APPLIED_IN_LEDGER;
use crate::bills::{OPENING, settled};
use crate::{Books, Link, Need, Verdict};

/// What must be loaded to know of the bills that it is applied to.
pub(super) fn needs(credit: &VendorCredit, books: &Books) -> Vec<Need> {
    let bills = of_bills(credit).map(|one| &one.document);
    bills.flat_map(|bill| settled::needs(books, bill)).collect()
}

fn of_bills(credit: &VendorCredit) -> impl Iterator<Item = &Application> {
    let parts = credit.applications.iter();
    // What is applied to a line is applied to a journal entry.
    parts.filter(|one| one.line.is_none() && one.amount.is_positive())
}

/// The bills it is applied to that can be paid on the platform.
fn payable<'a>(
    credit: &'a VendorCredit,
    books: &'a Books,
) -> impl Iterator<Item = (&'a Application, &'a Link, &'a Bill)> {
    of_bills(credit)
        .filter_map(|one| {
            let (link, there) = settled::copy(books, &one.document)?;
            Some((one, link, there))
        })
        .filter(|(_, _, there)| there.status != BillStatus::Archived)
}

/// Stops it where a bill that it settles is open on the platform for too much.
pub(super) fn in_ledger_only(label: &str, credit: &VendorCredit, books: &Books) -> Option<Verdict> {
    let (one, _, there) =
        payable(credit, books).find(|(one, _, there)| !settled::reflected(one, there, books))?;
    let cause = format!(
        "{label} is applied in the ledger with {} to bill {}, of which {} is open on the platform and {} scheduled: so much \
         of it may be paid for nothing",
        one.amount, there.number, there.open, there.scheduled
    );
    let outcome = Outcome::because(State::Blocked, APPLIED_IN_LEDGER, cause);
    Some(Verdict::Rest(outcome.until(settled::until(&one.document))))
}

/// What stays out is looked at again when one of its bills comes to the platform, or as what is under way over there ends:
/// until then it may hide that a bill is open for too much. What came over with its balance counts it for good.
pub(super) fn waiting(verdict: Verdict, credit: &VendorCredit, books: &Books) -> Verdict {
    match verdict {
        Verdict::Rest(outcome) if outcome.state == State::Skipped => {
            Verdict::Rest(match waits(credit, books) {
                Some(waits) => outcome.until(waits),
                None => outcome,
            })
        }
        other => other,
    }
}

fn waits(credit: &VendorCredit, books: &Books) -> Option<WaitsFor> {
    let under_way = payable(credit, books).find(|(_, link, there)| {
        let unpaid = there.open.is_positive() || there.scheduled.is_positive();
        link.role != OPENING && unpaid
    });
    let under_way = under_way.map(|(one, ..)| settled::until(&one.document));
    under_way.or_else(|| settled::until_linked(&credit.applications, books))
}
