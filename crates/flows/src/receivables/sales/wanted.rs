//! A document in the other side's terms.

use tieout_domain::document::{Invoice, InvoiceStatus};
use tieout_domain::{Document, Kind, Outcome, RemoteId, Side};

use super::paper::rebuilt;
use super::{Paper, This, lines};
use crate::period::{self, Book};
use crate::receivables::account;

/// The number that it bears on both sides. A platform's may not be empty, and is the same each time.
pub(super) fn number(this: &This<'_>) -> String {
    match (this.paper.number.trim(), this.record.side) {
        ("", Side::Ledger) => format!("NS-{}", this.record.id),
        (number, _) => number.to_owned(),
    }
}

/// The document to be written for this customer over there, or what it waits for.
pub(super) fn document(
    this: &This<'_>,
    customer: RemoteId,
    there: Option<&Paper<'_>>,
) -> Result<Document, Outcome> {
    let paper = &this.paper;
    let (subsidiary, account, period, date) = match this.record.side {
        Side::Ledger => (None, None, None, paper.date),
        Side::Platform => {
            let posting = match there {
                // What stands in the books stays where it is.
                Some(there) if there.date == paper.date => None,
                _ => Some(period::of_posting(
                    Book::Receivables,
                    &this.label(),
                    paper.date,
                    this.books,
                )?),
            };
            let date = posting.as_ref().map_or(paper.date, |posting| posting.date);
            let named = &this.books.preferences.receivables.receivables_account;
            (
                this.books.connection.subsidiary.clone(),
                account::named(this.books, named),
                posting.and_then(|posting| posting.period),
                date,
            )
        }
    };
    let maps = &this.books.maps;
    let terms = paper.terms.and_then(|terms| match this.record.side {
        Side::Ledger => maps.confirmed(Kind::Terms, terms),
        Side::Platform => maps.back(Kind::Terms, terms),
    });
    let to_platform = this.record.side == Side::Ledger;
    let invoice = Invoice {
        customer,
        number: number(this),
        date,
        due: paper.due,
        terms: terms.cloned(),
        currency: paper.currency,
        receivables_account: account,
        subsidiary,
        period,
        lines: lines::wanted(this)?,
        total: paper.total,
        open: paper.total,
        status: InvoiceStatus::Open,
        memo: paper.memo.trim().to_owned(),
        purchase_order: paper.purchase_order.trim().to_owned(),
        marker: to_platform.then(|| this.books.connection.marker(&this.record.id)),
        external_id: (!to_platform).then(|| this.key()),
    };
    Ok(rebuilt(this.record.kind, invoice))
}
