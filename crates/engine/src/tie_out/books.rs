//! What the documents of the two books are, and what they are worth.

use tieout_domain::document::{BillStatus, InvoiceStatus};
use tieout_domain::subledger::{Book, PostingKind};
use tieout_domain::{
    Amount, Currency, Date, Document as AnyDocument, Kind, RecordRef, RemoteId, Side,
};
use tieout_flows::receivables::sales::{CREDIT_MEMOS, INVOICES};
use tieout_flows::{Flow as _, bill_payments, bills, receivables, vendor_credits};
use tieout_store::{Link, Mirrored};

/// Documents of a book.
pub(super) struct Documents {
    pub(super) kind: Kind,
    /// The flow that carries them.
    pub(super) flow: &'static str,
    /// What they are called in the roll-forward.
    pub(super) label: &'static str,
    /// What those of the platform are called.
    pub(super) title: &'static str,
}

/// The documents of a book: those that are owed, then the credits.
pub(super) fn documents_of(book: Book) -> [Documents; 2] {
    let documents = |kind, flow, label, title| Documents {
        kind,
        flow,
        label,
        title,
    };
    match book {
        Book::Payables => [
            documents(Kind::Bill, bills::NAME, "bills", "bills of the platform"),
            documents(
                Kind::VendorCredit,
                vendor_credits::NAME,
                "credits",
                "vendor credits of the platform",
            ),
        ],
        Book::Receivables => [
            documents(
                Kind::Invoice,
                INVOICES.name(),
                "invoices",
                "invoices of the platform",
            ),
            documents(
                Kind::CreditMemo,
                CREDIT_MEMOS.name(),
                "credits",
                "credit notes of the platform",
            ),
        ],
    }
}

/// The vendors or customers of a book.
pub(super) fn party_of(book: Book) -> Kind {
    match book {
        Book::Payables => Kind::Vendor,
        Book::Receivables => Kind::Customer,
    }
}

/// The flow that carries a book's payments, and their kind.
pub(super) fn payments_of(book: Book) -> (&'static str, Kind) {
    match book {
        Book::Payables => (bill_payments::NAME, Kind::Payment),
        Book::Receivables => (receivables::payments::NAME, Kind::CustomerPayment),
    }
}

/// What stands for a platform's document in the ledger, whichever of the two began.
pub(super) struct Twin {
    pub(super) ledger: RecordRef,
    pub(super) link: Link,
}

impl Twin {
    /// The platform's document and what stands for it, if the link joins the two sides as one event.
    pub(super) fn of(link: Link) -> Option<(RecordRef, Self)> {
        let (ledger, platform) = match (link.record.side, link.target.side) {
            (Side::Ledger, Side::Platform) => (link.record.clone(), link.target.clone()),
            (Side::Platform, Side::Ledger) => (link.target.clone(), link.record.clone()),
            _ => return None,
        };
        let whole = link.role.is_empty() || link.role == bills::OPENING;
        let document = |kind| {
            matches!(
                kind,
                Kind::Bill | Kind::VendorCredit | Kind::Invoice | Kind::CreditMemo
            )
        };
        (whole && document(ledger.kind) && document(platform.kind))
            .then_some((platform, Self { ledger, link }))
    }
}

/// Currency, total and open amount of a document, as its book counts it: what is owed is positive.
pub(super) fn worth(document: &AnyDocument) -> Option<(Currency, Amount, Amount)> {
    match document {
        AnyDocument::Bill(bill) => Some((bill.currency, bill.total, bill.open)),
        AnyDocument::VendorCredit(credit) => Some((credit.currency, -credit.total, -credit.open)),
        AnyDocument::Invoice(invoice) => {
            let open = left(&invoice.status, invoice.open);
            Some((invoice.currency, invoice.total, open))
        }
        AnyDocument::CreditMemo(memo) => {
            let open = left(&memo.status, memo.open);
            Some((memo.currency, -memo.total, -open))
        }
        _ => None,
    }
}

/// What a paid one shows as its balance says nothing.
fn left(status: &InvoiceStatus, open: Amount) -> Amount {
    match status {
        InvoiceStatus::Paid => Amount::ZERO,
        _ => open,
    }
}

/// The early-payment discount that a bill offers.
pub(super) fn offered(mirrored: &Mirrored) -> Amount {
    match &mirrored.observed.document {
        AnyDocument::Bill(bill) => bill
            .discount
            .as_ref()
            .map_or(Amount::ZERO, |one| one.amount),
        _ => Amount::ZERO,
    }
}

/// When it is due.
pub(super) fn due(document: &AnyDocument) -> Option<Date> {
    match document {
        AnyDocument::Bill(bill) => bill.due,
        AnyDocument::Invoice(invoice) => invoice.due,
        _ => None,
    }
}

/// Whether the platform no longer counts it: archived, voided, closed, or not yet issued.
pub(super) fn has_ended(document: &AnyDocument) -> bool {
    match document {
        AnyDocument::Bill(bill) => bill.status == BillStatus::Archived,
        AnyDocument::VendorCredit(credit) => credit.status == BillStatus::Archived,
        AnyDocument::Invoice(invoice) => is_closed(&invoice.status),
        AnyDocument::CreditMemo(memo) => is_closed(&memo.status),
        _ => false,
    }
}

fn is_closed(status: &InvoiceStatus) -> bool {
    matches!(
        status,
        InvoiceStatus::Voided
            | InvoiceStatus::Rejected
            | InvoiceStatus::WrittenOff
            | InvoiceStatus::Draft
    )
}

/// How the ledger has a document in its books: in which posting period, and whether it is no longer there, or not
/// yet.
pub(super) struct Booked<'a> {
    pub(super) period: Option<&'a RemoteId>,
    pub(super) voided: bool,
    pub(super) waits: bool,
}

/// See [`Booked`].
pub(super) fn booked(document: &AnyDocument) -> Booked<'_> {
    let bill = |period, status: &BillStatus| Booked {
        period,
        voided: matches!(
            status,
            BillStatus::Voided | BillStatus::Cancelled | BillStatus::Rejected
        ),
        waits: *status == BillStatus::PendingApproval,
    };
    let sale = |period, status: &InvoiceStatus| Booked {
        period,
        voided: matches!(status, InvoiceStatus::Voided | InvoiceStatus::Rejected),
        waits: *status == InvoiceStatus::PendingApproval,
    };
    match document {
        AnyDocument::Bill(it) => bill(it.period.as_ref(), &it.status),
        AnyDocument::VendorCredit(it) => bill(it.period.as_ref(), &it.status),
        AnyDocument::Invoice(it) => sale(it.period.as_ref(), &it.status),
        AnyDocument::CreditMemo(it) => sale(it.period.as_ref(), &it.status),
        _ => Booked {
            period: None,
            voided: false,
            waits: false,
        },
    }
}

/// What kind of posting a document is.
pub(super) fn posting_kind(kind: Kind) -> PostingKind {
    match kind {
        Kind::Bill => PostingKind::Bill,
        Kind::VendorCredit => PostingKind::VendorCredit,
        Kind::Payment => PostingKind::Payment,
        Kind::Invoice => PostingKind::Invoice,
        Kind::CreditMemo => PostingKind::CreditMemo,
        Kind::CustomerPayment => PostingKind::CustomerPayment,
        Kind::CustomerRefund => PostingKind::CustomerRefund,
        other => PostingKind::Other(other.to_string()),
    }
}
