//! What invoices and credit memos have in common.

use tieout_domain::document::{CreditMemo, Invoice, InvoiceStatus, SalesLine};
use tieout_domain::{Amount, Currency, Date, Document, Kind, RecordRef, RemoteId};

/// An invoice or a credit memo.
pub(in crate::receivables) struct Paper<'a> {
    pub(in crate::receivables) noun: &'static str,
    pub(in crate::receivables) customer: &'a RemoteId,
    pub(in crate::receivables) number: &'a str,
    pub(in crate::receivables) date: Date,
    pub(in crate::receivables) due: Option<Date>,
    pub(in crate::receivables) terms: Option<&'a RemoteId>,
    pub(in crate::receivables) currency: Currency,
    pub(in crate::receivables) subsidiary: Option<&'a RemoteId>,
    pub(in crate::receivables) lines: &'a [SalesLine],
    pub(in crate::receivables) total: Amount,
    pub(in crate::receivables) open: Amount,
    pub(in crate::receivables) status: &'a InvoiceStatus,
    pub(in crate::receivables) memo: &'a str,
    pub(in crate::receivables) purchase_order: &'a str,
}

impl<'a> Paper<'a> {
    pub(in crate::receivables) fn of(document: &'a Document) -> Option<Self> {
        match document {
            Document::Invoice(invoice) => Some(Self::of_invoice(invoice)),
            Document::CreditMemo(memo) => Some(Self::of_credit(memo)),
            _ => None,
        }
    }

    fn of_invoice(invoice: &'a Invoice) -> Self {
        Self {
            noun: "invoice",
            customer: &invoice.customer,
            number: &invoice.number,
            date: invoice.date,
            due: invoice.due,
            terms: invoice.terms.as_ref(),
            currency: invoice.currency,
            subsidiary: invoice.subsidiary.as_ref(),
            lines: &invoice.lines,
            total: invoice.total,
            open: invoice.open,
            status: &invoice.status,
            memo: &invoice.memo,
            purchase_order: &invoice.purchase_order,
        }
    }

    fn of_credit(memo: &'a CreditMemo) -> Self {
        Self {
            noun: "credit memo",
            customer: &memo.customer,
            number: &memo.number,
            date: memo.date,
            due: None,
            terms: None,
            currency: memo.currency,
            subsidiary: memo.subsidiary.as_ref(),
            lines: &memo.lines,
            total: memo.total,
            open: memo.open,
            status: &memo.status,
            memo: &memo.memo,
            purchase_order: "",
        }
    }

    /// What it is called in messages.
    pub(in crate::receivables) fn label(&self, record: &RecordRef) -> String {
        match self.number.trim() {
            "" => format!("{} {}", self.noun, record.id),
            number => format!("{} {number}", self.noun),
        }
    }

    /// Whether nobody owes it any more, nor ever will.
    pub(in crate::receivables) fn is_voided(&self) -> bool {
        matches!(self.status, InvoiceStatus::Voided | InvoiceStatus::Rejected)
    }

    /// What of it is paid or applied. A voided one may show anything.
    pub(in crate::receivables) fn used(&self) -> Amount {
        match self.status {
            InvoiceStatus::Paid => self.total,
            InvoiceStatus::Voided => Amount::ZERO,
            _ => self.total.minus(self.open).unwrap_or(self.total),
        }
    }

    /// Whether money has reached it or is on its way.
    pub(in crate::receivables) fn is_touched(&self) -> bool {
        !self.used().is_zero() || *self.status == InvoiceStatus::PaymentPending
    }
}

/// The kind of a document of this shape, made anew.
pub(in crate::receivables) fn rebuilt(kind: Kind, invoice: Invoice) -> Document {
    if kind == Kind::Invoice {
        return Document::Invoice(invoice);
    }
    Document::CreditMemo(CreditMemo {
        customer: invoice.customer,
        number: invoice.number,
        date: invoice.date,
        currency: invoice.currency,
        receivables_account: invoice.receivables_account,
        subsidiary: invoice.subsidiary,
        period: invoice.period,
        lines: invoice.lines,
        total: invoice.total,
        open: invoice.open,
        applications: Vec::new(),
        status: invoice.status,
        memo: invoice.memo,
        marker: invoice.marker,
        external_id: invoice.external_id,
    })
}
