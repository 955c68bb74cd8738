//! A surcharge that the customer paid with the invoice (scenario 183): billed on an invoice of its own, so that it
//! is income and never more than the customer owes.

use tieout_domain::code::Code;
use tieout_domain::document::{Invoice, InvoiceStatus, SalesLine, SalesLineKind, UseOf};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Outcome, RemoteId, Side, State};

use super::{This, posting};
use crate::period::{self, Book};
use crate::{Step, Verdict};

/// The role of the link to the surcharge's invoice.
pub const FEE: &str = "fee";

fn amount(this: &This<'_>) -> Amount {
    let fees = this.payment.uses.iter();
    fees.filter(|part| part.of == UseOf::ConvenienceFee)
        .map(|part| part.amount)
        .sum()
}

/// The invoice of the surcharge, once it is there.
pub(super) fn invoice<'a>(this: &This<'a>) -> Option<&'a RemoteId> {
    let link = this.books.link(super::NAME, this.record, FEE)?;
    Some(&link.target.id)
}

/// What must be done before the payment can take the surcharge in; nothing if there is none, or if it is billed.
pub(super) fn billed(this: &This<'_>) -> Option<Verdict> {
    let fee = amount(this);
    if fee.is_zero() || invoice(this).is_some() {
        return None;
    }
    Some(match document(this, fee) {
        Ok(document) => Verdict::Write(Box::new(Step {
            side: Side::Ledger,
            action: Action::Create,
            role: FEE.to_owned(),
            target: None,
            document: Document::Invoice(document),
            expect: None,
            key: this.key().with(FEE),
            because: "the customer paid a surcharge".to_owned(),
        })),
        Err(outcome) => Verdict::Rest(outcome),
    })
}

fn document(this: &This<'_>, fee: Amount) -> Result<Invoice, Outcome> {
    let preferences = &this.books.preferences.receivables;
    let item = preferences.fee_item.trim();
    if item.is_empty() {
        let cause = format!(
            "{} holds a surcharge of {}: no item of the ledger stands for surcharges",
            this.label(),
            fee.of(this.payment.currency)
        );
        let code = Code::new("fee-item-missing");
        return Err(Outcome::because(State::Blocked, code, cause).grouped("fee-item-missing"));
    }
    // The surcharge is billed only once all else of the payment can be posted.
    let paid = posting::document(this, None)?;
    let label = this.label();
    let posting = period::of_posting(Book::Receivables, &label, this.payment.date, this.books)?;
    Ok(Invoice {
        customer: posting::payer(this)?,
        number: format!("FEE-{}", this.record.id),
        date: posting.date,
        due: Some(posting.date),
        terms: None,
        currency: this.payment.currency,
        receivables_account: paid.receivables_account,
        subsidiary: paid.subsidiary,
        period: posting.period,
        lines: vec![SalesLine {
            id: None,
            line_kind: SalesLineKind::Item,
            item: Some(RemoteId::from(item)),
            name: "Convenience fee".to_owned(),
            description: format!("Surcharge of platform payment {}", this.record.id),
            quantity: Amount::ONE,
            rate: fee,
            amount: fee,
            department: None,
            class: None,
            location: None,
        }],
        total: fee,
        open: fee,
        status: InvoiceStatus::Open,
        memo: format!("Surcharge of platform payment {}", this.record.id),
        purchase_order: String::new(),
        marker: None,
        external_id: Some(this.key().with(FEE)),
    })
}
