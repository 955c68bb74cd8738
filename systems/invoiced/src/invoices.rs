//! Invoices (README §Invoices).

use tieout_domain::document::Invoice;
use tieout_domain::port::Order;
use tieout_domain::{Document, Fault};

use crate::call::Client;
use crate::documents::{Shown, Wanted};
use crate::list::{Room, Shelf};
use crate::write::{Ending, Writable, by_number, wrong_kind};

/// Invoices.
pub(crate) const INVOICES: Shelf = Shelf {
    path: "/invoices",
    noun: "invoice",
    include: "",
    of_customer: true,
};

/// Invoices.
#[derive(Debug, Default)]
pub(crate) struct Invoices;

/// The part of an invoice that is written.
pub(crate) fn wanted(invoice: &Invoice) -> Wanted<'_> {
    Wanted {
        noun: INVOICES.noun,
        customer: &invoice.customer,
        number: &invoice.number,
        date: invoice.date,
        due: invoice.due,
        terms: invoice.terms.as_ref(),
        currency: invoice.currency,
        lines: &invoice.lines,
        total: invoice.total,
        memo: &invoice.memo,
        purchase_order: &invoice.purchase_order,
        marker: invoice.marker.as_ref(),
    }
}

fn invoice(document: &Document) -> Result<Wanted<'_>, Fault> {
    match document {
        Document::Invoice(invoice) => Ok(wanted(invoice)),
        _ => Err(wrong_kind(document)),
    }
}

impl Room for Invoices {
    type Shown = Shown;

    fn shelf(&self) -> &'static Shelf {
        &INVOICES
    }

    fn document(&self, client: &Client, shown: &Shown) -> Result<Document, String> {
        let days = &client.settings.days;
        Ok(Document::Invoice(Invoice {
            customer: shown.customer()?,
            number: shown.number.clone(),
            date: shown.date(days)?,
            due: shown.due(days)?,
            terms: client.named_terms(&shown.payment_terms),
            currency: shown.currency()?,
            receivables_account: None,
            subsidiary: None,
            period: None,
            lines: shown.lines()?,
            total: shown.total.0,
            open: shown.balance.0,
            status: shown.status(),
            memo: shown.notes.clone(),
            purchase_order: shown.purchase_order.clone(),
            marker: shown.metadata.marker(),
            external_id: None,
        }))
    }
}

impl Writable for Invoices {
    fn creation(&self, client: &Client, wanted: &Document) -> Result<String, Fault> {
        invoice(wanted)?.creation(&client.settings.days, true)
    }

    fn made(&self, wanted: &Document, shown: &Shown) -> bool {
        invoice(wanted).is_ok_and(|wanted| wanted.is(shown))
    }

    fn amendment(
        &self,
        client: &Client,
        wanted: &Document,
        there: &Document,
        shown: &Shown,
    ) -> Result<Option<String>, Fault> {
        invoice(wanted)?.amendment(&client.settings.days, &invoice(there)?, shown)
    }

    fn ending(&self) -> Option<Ending> {
        Some(Ending::Void)
    }

    /// Closing an invoice is writing it off: nobody pays it any more.
    fn closes(&self) -> bool {
        true
    }

    fn search(&self, order: &Order) -> Vec<String> {
        by_number(order)
    }
}
