//! Which bills and credits take part: scope rules and what is not ready yet.

use tieout_domain::code::Code;
use tieout_domain::document::{Approval, BillStatus, Vendor};
use tieout_domain::{Amount, Currency, Date, Document, RecordRef, RemoteId, Side};

use crate::verdict::{blocked, hold, noop, skipped};
use crate::{Books, Verdict, vendors};

/// What the rules look at, common to bills and credits.
pub(crate) struct Paper<'a> {
    pub label: String,
    pub vendor: &'a RemoteId,
    pub date: Date,
    pub currency: Currency,
    pub subsidiary: Option<&'a RemoteId>,
    pub total: Amount,
    pub status: &'a BillStatus,
    pub approval: &'a Approval,
}

/// The ledger's vendor of a document.
pub(crate) fn vendor<'a>(books: &'a Books, id: &RemoteId) -> Option<&'a Vendor> {
    let record = RecordRef::new(Side::Ledger, tieout_domain::Kind::Vendor, id.clone());
    match books.record(&record).map(|seen| &seen.document) {
        Some(Document::Vendor(vendor)) => Some(vendor),
        _ => None,
    }
}

/// What keeps a document that was never linked from taking part, if something does.
pub(crate) fn rule(paper: &Paper<'_>, books: &Books) -> Option<Verdict> {
    let label = &paper.label;
    if let Some(verdict) = not_ready(paper) {
        return Some(verdict);
    }
    let ours = books.connection.subsidiary.as_ref();
    if let (Some(ours), Some(theirs)) = (ours, paper.subsidiary)
        && ours != theirs
    {
        let cause = format!("{label} belongs to subsidiary {theirs}, this connection to {ours}");
        return Some(skipped(Code::new("other-subsidiary"), cause));
    }
    let excluded =
        vendor(books, paper.vendor).and_then(|vendor| vendors::out_of_scope(vendor, books));
    if let Some((code, cause)) = excluded {
        return Some(skipped(code, format!("{label}: {cause}")));
    }
    let preferences = &books.preferences.transactions;
    if !preferences.currencies.contains(&paper.currency) {
        let cause = format!(
            "{label} is in {}, which the platform's organization can't pay",
            paper.currency
        );
        return Some(skipped(Code::new("currency"), cause));
    }
    if let Some(from) = preferences.bills_from.filter(|from| paper.date < *from) {
        let cause = format!("{label} is dated {}, before {from}", paper.date);
        return Some(skipped(Code::new("before-cut-over"), cause));
    }
    if paper.total.is_zero() {
        return Some(skipped(Code::new("zero"), format!("{label} comes to 0.00")));
    }
    None
}

fn not_ready(paper: &Paper<'_>) -> Option<Verdict> {
    let label = &paper.label;
    match (paper.status, paper.approval) {
        (BillStatus::PendingApproval, _) | (BillStatus::Open, Approval::Pending) => {
            let cause = format!("{label} waits for approval in the ledger");
            Some(hold(Code::new("pending-approval"), cause))
        }
        (BillStatus::Rejected, _) | (BillStatus::Open, Approval::Denied) => Some(noop(
            Code::new("rejected"),
            format!("{label} was rejected in the ledger"),
        )),
        (BillStatus::Cancelled, _) => Some(noop(
            Code::new("cancelled"),
            format!("{label} was cancelled in the ledger"),
        )),
        (BillStatus::Voided, _) => Some(noop(
            Code::new("voided"),
            format!("{label} was voided in the ledger"),
        )),
        (BillStatus::Archived, _) => Some(noop(
            Code::new("cancelled"),
            format!("{label} is put away in the ledger"),
        )),
        (BillStatus::Other(word), _) => {
            let cause = format!("{label} has the status `{word}`, which tieout doesn't know");
            Some(blocked(Code::new("unknown-status"), cause))
        }
        (BillStatus::Open | BillStatus::Paid, _) => None,
    }
}
