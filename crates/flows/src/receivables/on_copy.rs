//! What was paid on an invoice of a platform that tells it payment by payment.
//!
//! A platform without credit notes is told by payments from elsewhere what was settled in the ledger. Those are told apart
//! here from the payments that it took itself, so that money which is under way or has just been recorded counts, even
//! where the invoice was last read before it.

use tieout_domain::document::{CustomerPayment, InvoiceStatus, ReceiptMethod, ReceiptStatus};
use tieout_domain::{Amount, Document, Kind, RecordRef, Side};

use super::origin;
use super::payments;
use super::sales::Paper;
use crate::matching::invoice_paid_key;
use crate::{Books, Need};

/// What must be loaded to know what was paid on a copy.
pub(super) fn needs(books: &Books, copy: &RecordRef) -> Vec<Need> {
    let mut needs = vec![Need::Matching(
        Side::Platform,
        Kind::CustomerPayment,
        invoice_paid_key(&copy.id),
    )];
    for payment in found(books, copy) {
        needs.push(Need::Record(payment.clone()));
        needs.extend(origin::needs(payments::NAME, payment));
        let posting = books.link(payments::NAME, payment, "");
        needs.extend(posting.map(|link| Need::Record(link.target.clone())));
    }
    needs
}

fn found<'a>(books: &'a Books, copy: &RecordRef) -> impl Iterator<Item = &'a RecordRef> {
    let place = (
        Side::Platform,
        Kind::CustomerPayment,
        invoice_paid_key(&copy.id),
    );
    books.matching.get(&place).into_iter().flatten()
}

/// The payments of one copy.
pub(super) struct OnCopy<'a> {
    books: &'a Books,
    /// Those that exist, with what each pays on the copy.
    payments: Vec<(&'a RecordRef, &'a CustomerPayment, Amount)>,
}

impl<'a> OnCopy<'a> {
    /// The payments of this copy, as far as they are loaded.
    pub(super) fn of(books: &'a Books, copy: &'a RecordRef) -> Self {
        let payments = found(books, copy).filter_map(|record| {
            let seen = books.record(record).filter(|seen| !seen.gone)?;
            let Document::CustomerPayment(payment) = &seen.document else {
                return None;
            };
            let uses = payment.uses.iter();
            let here = uses.filter(|part| part.of.invoice() == Some(&copy.id));
            Some((record, payment, here.map(|part| part.amount).sum()))
        });
        Self {
            books,
            payments: payments.collect(),
        }
    }

    /// Those that tell of what was settled another way, in the ledger as a rule.
    pub(super) fn recorded(
        &self,
    ) -> impl Iterator<Item = (&'a RecordRef, &'a CustomerPayment, Amount)> {
        let all = self.payments.iter().copied();
        all.filter(|(_, payment, _)| is_external(payment) && stands(payment))
    }

    /// Those that customers made on the platform, whatever became of them.
    fn taken(&self) -> impl Iterator<Item = &(&'a RecordRef, &'a CustomerPayment, Amount)> {
        let all = self.payments.iter();
        all.filter(|(_, payment, _)| !is_external(payment))
    }

    /// What of it customers paid on the platform and has not failed, posted or not.
    pub(super) fn live(&self) -> Amount {
        let live = self.taken().filter(|(_, payment, _)| stands(payment));
        live.map(|(.., amount)| *amount).sum()
    }

    /// What of it customers paid or are paying, and is not posted yet.
    pub(super) fn unposted(&self) -> Amount {
        let live = self.taken().filter(|(_, payment, _)| stands(payment));
        live.filter(|(record, ..)| self.books.link(payments::NAME, record, "").is_none())
            .map(|(.., amount)| *amount)
            .sum()
    }

    /// What the postings of those payments have settled on the ledger's invoice.
    pub(super) fn posted(&self, invoice: &RecordRef) -> Amount {
        let all = self.taken();
        all.map(|(record, ..)| self.posted_by(record, invoice))
            .sum()
    }

    fn posted_by(&self, payment: &RecordRef, invoice: &RecordRef) -> Amount {
        let link = self.books.link(payments::NAME, payment, "");
        let seen = link.and_then(|link| self.books.record(&link.target));
        match seen.filter(|seen| !seen.gone).map(|seen| &seen.document) {
            Some(Document::CustomerPayment(there)) if there.status != ReceiptStatus::Voided => {
                let uses = there.uses.iter();
                uses.filter(|part| part.of.invoice() == Some(&invoice.id))
                    .map(|part| part.amount)
                    .sum()
            }
            _ => Amount::ZERO,
        }
    }

    /// Whether a payment that failed over there still stands in the ledger.
    pub(super) fn has_failed(&self, invoice: &RecordRef) -> bool {
        self.taken().any(|(record, payment, _)| {
            !stands(payment) && !self.posted_by(record, invoice).is_zero()
        })
    }

    /// What is left to be collected over there. The platform's own word may be older than the payments.
    pub(super) fn left(&self, paper: &Paper<'_>) -> Amount {
        let told = match paper.status {
            InvoiceStatus::Paid | InvoiceStatus::Voided | InvoiceStatus::WrittenOff => Amount::ZERO,
            _ => paper.open,
        };
        let standing = self.payments.iter();
        let paid: Amount = standing
            .filter(|(_, payment, _)| stands(payment))
            .map(|(_, payment, amount)| amount.minus(back(payment)).unwrap_or_default())
            .sum();
        let reckoned = paper.total.minus(paid).unwrap_or_default();
        told.min(reckoned).max(Amount::ZERO)
    }

    /// Whether customers have paid anything of it over there, or are about to.
    pub(super) fn is_paid_through(&self, paper: &Paper<'_>, invoice: &RecordRef) -> bool {
        let recorded: Amount = self.recorded().map(|(.., amount)| amount).sum();
        *paper.status == InvoiceStatus::PaymentPending
            || paper.used() > recorded
            || self.live().is_positive()
            || self.posted(invoice).is_positive()
    }
}

/// The word for how money came that the platform didn't take itself.
pub(super) const EXTERNAL: &str = "external";

/// Whether a payment of such a platform only tells of money that came another way.
pub(super) fn is_external(payment: &CustomerPayment) -> bool {
    payment.external_id.is_some()
        || matches!(&payment.method, ReceiptMethod::Other(word) if word == EXTERNAL)
}

/// Whether the money is there or on its way.
fn stands(payment: &CustomerPayment) -> bool {
    matches!(
        payment.status,
        ReceiptStatus::Pending
            | ReceiptStatus::PendingApproval
            | ReceiptStatus::Received
            | ReceiptStatus::Deposited
    )
}

/// What of it went back to the customer.
fn back(payment: &CustomerPayment) -> Amount {
    let charges = payment.charge.iter();
    let refunds = charges.flat_map(|charge| &charge.refunds);
    refunds
        .filter(|refund| refund.succeeded)
        .map(|refund| refund.amount)
        .sum()
}
