//! Which documents take part: scope rules and what is not ready yet (scenarios 171, 197).

use tieout_domain::Side;
use tieout_domain::code::Code;
use tieout_domain::document::InvoiceStatus;

use super::This;
use crate::Verdict;
use crate::receivables::origin;
use crate::verdict::{blocked, hold, noop, skipped};

/// What keeps a document that was never linked from going to the other side, if something does.
pub(super) fn rule(this: &This<'_>) -> Option<Verdict> {
    let (label, paper) = (this.label(), &this.paper);
    if let Some(verdict) = not_ready(this) {
        return Some(verdict);
    }
    let connection = &this.books.connection;
    if let (Some(ours), Some(theirs)) = (connection.subsidiary.as_ref(), paper.subsidiary)
        && ours != theirs
    {
        let cause = format!("{label} belongs to subsidiary {theirs}, this connection to {ours}");
        return Some(skipped(Code::new("other-subsidiary"), cause));
    }
    let preferences = &this.books.preferences.receivables;
    if this.is_carried() && this.record.side == Side::Platform {
        let cause = format!("{label} is carried by another system; only payments come back");
        return Some(skipped(Code::new("payments-only"), cause));
    }
    if let Some(from) = preferences.go_live.filter(|from| paper.date < *from) {
        let cause = format!("{label} is dated {}, before {from}", paper.date);
        return Some(skipped(Code::new("before-cut-over"), cause));
    }
    if paper.total.is_zero() {
        return Some(skipped(Code::new("zero"), format!("{label} comes to 0.00")));
    }
    match this.record.side {
        // Only what is outstanding is imported.
        Side::Ledger if paper.open.is_zero() && !this.is_carried() => {
            let cause = format!("{label} was settled before it reached the platform");
            Some(skipped(Code::new("paid-at-cut-over"), cause))
        }
        Side::Ledger => None,
        Side::Platform => origin::not_to_ledger(this.books, &label),
    }
}

fn not_ready(this: &This<'_>) -> Option<Verdict> {
    let label = this.label();
    match this.paper.status {
        InvoiceStatus::Draft => Some(skipped(Code::new("draft"), format!("{label} is a draft"))),
        InvoiceStatus::PendingApproval => {
            let cause = format!("{label} waits for approval in the ledger");
            Some(hold(Code::new("pending-approval"), cause))
        }
        InvoiceStatus::Rejected => {
            let cause = format!("{label} was rejected in the ledger");
            Some(noop(Code::new("rejected"), cause))
        }
        InvoiceStatus::Voided => {
            let cause = format!("{label} was voided before it was sent");
            Some(noop(Code::new("voided"), cause))
        }
        InvoiceStatus::Other(word) => {
            let cause = format!("{label} has the status `{word}`, which tieout doesn't know");
            Some(blocked(Code::new("unknown-status"), cause))
        }
        InvoiceStatus::Open
        | InvoiceStatus::PaymentPending
        | InvoiceStatus::Paid
        | InvoiceStatus::WrittenOff => None,
    }
}
