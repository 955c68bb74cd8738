//! What must be true of invoices' PDFs: each that a customer still looks at is there, and shows what is owed now.

use tieout_domain::{Kind, RecordRef, RemoteId, Side};

use super::Manner;
use super::records::{copies, is_told, outcome, stands, there, transactions};
use crate::check::{Seen, Violation, list, text, violation};
use crate::people::positive;

/// The PDF of each open invoice is beside its copy, and it is the newest.
pub(super) fn newest(manner: &Manner, seen: &Seen<'_>) -> Vec<Violation> {
    if manner.payments_only || !manner.shows_pdfs() {
        return Vec::new();
    }
    let after = seen.after;
    let mut found = Vec::new();
    for (of, copy) in copies(seen, "invoices") {
        let mut invoices = transactions(after, "CustInvc");
        let invoice = invoices.find(|one| text(one, "id") == of);
        let Some(invoice) = invoice.filter(|one| stands(one) && positive(&one["unpaid"])) else {
            continue;
        };
        let record = RecordRef::new(Side::Ledger, Kind::Invoice, RemoteId::from(of));
        // What waits for approval again is shown to nobody.
        let Some(said) = outcome(seen, "documents", &record) else {
            continue;
        };
        let archived = there(after, "invoices", copy).is_none_or(|it| it["status"] == "archived");
        if archived || is_told(said) {
            continue;
        }
        let mut pdfs = list(&after.platform, "pdfs");
        let Some(pdf) = pdfs.find(|one| text(one, "invoice_id") == copy) else {
            found.push(violation(
                "pdf",
                format!("invoice {of} has no PDF on {copy}"),
            ));
            continue;
        };
        let number = format!("(Invoice {})", text(invoice, "number"));
        let total = format!("(Total: {} ", text(invoice, "total"));
        if ![number, total]
            .iter()
            .all(|line| text(pdf, "text").contains(line))
        {
            let what = format!("the PDF of invoice {of} on {copy} shows another than it is now");
            found.push(violation("pdf", what));
        }
    }
    found
}
