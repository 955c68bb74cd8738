//! Writing receivables, each under its external id. Nothing written here mails anything to a customer, and nothing
//! charges one.

mod credit_memos;
mod customers;
mod deposits;
mod invoices;
mod payments;
mod refunds;
mod sales_lines;

use std::sync::Arc;

use serde_json::json;
use tieout_domain::port::Write;
use tieout_domain::{Currency, Date, Fault, Kind, RemoteId};

use crate::call::Client;
use crate::form::Writer;
use crate::probe::Shape;
use crate::records::{Body, reference};

/// The writers of receivables.
pub(super) fn writers(client: &Arc<Client>) -> [(Kind, Arc<dyn Write>); 6] {
    [
        Writer::<customers::CustomerForm>::port(client),
        Writer::<invoices::InvoiceForm>::port(client),
        Writer::<credit_memos::CreditMemoForm>::port(client),
        Writer::<payments::CustomerPaymentForm>::port(client),
        Writer::<refunds::CustomerRefundForm>::port(client),
        Writer::<deposits::DepositForm>::port(client),
    ]
}

/// What every transaction of sales begins with.
struct Head<'a> {
    date: Date,
    currency: Currency,
    subsidiary: Option<&'a RemoteId>,
    period: Option<&'a RemoteId>,
    memo: &'a str,
}

impl Head<'_> {
    fn body(&self, client: &Client, shape: &Shape) -> Result<Body, Fault> {
        let currency = shape.need_currency(self.currency)?;
        let mut body = Body::default();
        body.set("currency", reference(currency));
        let subsidiary = self.subsidiary.or(client.settings.subsidiary.as_ref());
        body.reference("subsidiary", subsidiary);
        body.set("tranDate", json!(self.date.to_string()));
        body.reference("postingPeriod", self.period);
        body.text("memo", self.memo);
        Ok(body)
    }
}

/// Sets a text that has changed: the empty one clears.
fn changed_text(body: &mut Body, name: &str, there: &str, wanted: &str) {
    if there != wanted {
        body.set(name, json!(wanted));
    }
}

/// Sets a reference that has changed. One that isn't wanted is left as it is: what a person has chosen there stays.
fn changed_reference(
    body: &mut Body,
    name: &str,
    there: Option<&RemoteId>,
    wanted: Option<&RemoteId>,
) {
    if there != wanted {
        body.reference(name, wanted);
    }
}

/// Whether what is there is what is wanted, where something is wanted.
fn fits<T: PartialEq>(there: Option<&T>, wanted: Option<&T>) -> bool {
    wanted.is_none() || there == wanted
}
