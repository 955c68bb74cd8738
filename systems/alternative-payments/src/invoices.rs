//! Invoices (README §Invoices).

use async_trait::async_trait;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::document::{Invoice, InvoiceStatus};
use tieout_domain::port::{Action, Order};
use tieout_domain::{Amount, Document, Fault, Marker, RemoteId};
use tieout_kit::wire::{Exact, escaped};

use crate::call::Client;
use crate::capabilities::Capability;
use crate::customers::ARCHIVED;
use crate::lines::{LineShown, LineWritten, written};
use crate::list::{Again, Room, Shelf};
use crate::memo::Memo;
use crate::wire::{Head, currency, day, list, reference, text};
use crate::write::{Writable, given, json, refused, wrong_kind};

/// Invoices.
pub(crate) const INVOICES: Shelf = Shelf {
    path: "/invoices",
    noun: "invoice",
};

/// Invoices.
#[derive(Debug, Default)]
pub(crate) struct Invoices;

/// An invoice as the service shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    #[serde(default, deserialize_with = "reference")]
    customer_id: Option<RemoteId>,
    #[serde(default, deserialize_with = "text")]
    currency: String,
    #[serde(default, deserialize_with = "day")]
    due_date: Option<Date>,
    #[serde(default, deserialize_with = "text")]
    invoice_number: String,
    #[serde(default, deserialize_with = "text")]
    memo: String,
    #[serde(default, deserialize_with = "text")]
    status: String,
    total: Exact,
    #[serde(default)]
    balance: Option<Exact>,
    #[serde(default, deserialize_with = "text")]
    external_id: String,
    #[serde(default, deserialize_with = "list")]
    line_items: Vec<LineShown>,
}

/// The JSON of a creation or of a change; what isn't in it is left as it is.
#[derive(Debug, Default, Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_items: Option<Vec<LineWritten>>,
}

impl Shown {
    /// Where it stands. A word that nobody knows is never taken for paid.
    fn status(&self) -> InvoiceStatus {
        match self.status.as_str() {
            "open" | "overdue" => InvoiceStatus::Open,
            "processing" => InvoiceStatus::PaymentPending,
            "paid" => InvoiceStatus::Paid,
            ARCHIVED => InvoiceStatus::Voided,
            other => InvoiceStatus::Other(other.to_owned()),
        }
    }

    /// What is open, as far as it is told.
    fn open(&self, client: &Client, status: &InvoiceStatus) -> Result<Amount, String> {
        if client.settings.has(Capability::Balances) {
            let missing = "`balance` is missing, though `balances` is among the capabilities";
            return self
                .balance
                .map(|balance| balance.0)
                .ok_or_else(|| missing.to_owned());
        }
        Ok(match status {
            InvoiceStatus::Paid => Amount::ZERO,
            _ => self.total.0,
        })
    }

    /// Its memo taken apart, with the mark wherever it stands.
    fn memo(&self) -> Memo {
        let mut memo = Memo::read(&self.memo);
        memo.marker = Marker::find_in(&self.external_id).or(memo.marker);
        memo
    }
}

/// The memo of an invoice as it is written. The mark stands in it, or outside.
fn memo(invoice: &Invoice, outside: bool) -> String {
    Memo {
        text: invoice.memo.clone(),
        date: Some(invoice.date),
        purchase_order: invoice.purchase_order.clone(),
        marker: invoice.marker.clone().filter(|_| !outside),
    }
    .written()
}

fn invoice(document: &Document) -> Result<&Invoice, Fault> {
    match document {
        Document::Invoice(invoice) => Ok(invoice),
        _ => Err(wrong_kind(document)),
    }
}

/// The lines as they are written.
///
/// # Errors
/// [`Fault::Refused`] where their sum isn't the total: the service would take the sum for it.
fn lines(invoice: &Invoice) -> Result<Vec<LineWritten>, Fault> {
    let sum = Amount::total(invoice.lines.iter().map(|line| line.amount));
    if sum == Ok(invoice.total) {
        return Ok(written(&invoice.lines));
    }
    let cause = format!(
        "Alternative Payments: invoice {} has lines whose sum is not its total of {}",
        invoice.number,
        invoice.total.of(invoice.currency)
    );
    Err(refused(Code::new("refused-there"), "line_items", cause))
}

/// What of an invoice compares: what can be written over.
pub(crate) fn projected(invoice: &Invoice) -> serde_json::Value {
    serde_json::json!([
        invoice.customer,
        invoice.currency,
        invoice.due,
        invoice.date,
        invoice.memo.trim(),
        invoice.purchase_order.trim(),
        written(&invoice.lines),
    ])
}

#[async_trait]
impl Room for Invoices {
    type Shown = Shown;
    type Beside = ();

    fn shelf(&self) -> &'static Shelf {
        &INVOICES
    }

    fn again(&self) -> Again {
        Again::InTurn
    }

    async fn beside(&self, _: &Client, _: &[(Head, Shown)]) -> Result<(), Fault> {
        Ok(())
    }

    fn document(
        &self,
        client: &Client,
        head: &Head,
        shown: &Shown,
        (): &(),
    ) -> Result<Document, String> {
        let status = shown.status();
        let memo = shown.memo();
        let customer = shown.customer_id.clone();
        let made = || head.day();
        Ok(Document::Invoice(Invoice {
            customer: customer.ok_or("`customer_id` is missing")?,
            number: shown.invoice_number.clone(),
            date: memo.date.map_or_else(made, Ok)?,
            due: shown.due_date,
            terms: None,
            currency: currency(&shown.currency)?,
            receivables_account: None,
            subsidiary: None,
            period: None,
            lines: shown.line_items.iter().map(LineShown::line).collect(),
            total: shown.total.0,
            open: shown.open(client, &status)?,
            status,
            memo: memo.text,
            purchase_order: memo.purchase_order,
            marker: memo.marker,
            external_id: None,
        }))
    }
}

#[async_trait]
impl Writable for Invoices {
    /// To void one there is to archive it, and what is archived stays so.
    fn takes(&self, client: &Client, action: Action) -> bool {
        match action {
            Action::Create | Action::Archive | Action::Void => true,
            Action::Amend => client.settings.has(Capability::AmendInvoices),
            Action::Restore => false,
        }
    }

    fn creation(&self, client: &Client, wanted: &Document) -> Result<String, Fault> {
        let wanted = invoice(wanted)?;
        let outside = client.settings.has(Capability::InvoiceExternalId);
        let marker = wanted.marker.as_ref().filter(|_| outside);
        json(&Written {
            customer_id: Some(wanted.customer.as_str()),
            currency: Some(wanted.currency.code().to_owned()),
            // The service asks for one: what says nothing is due at once.
            due_date: Some(wanted.due.unwrap_or(wanted.date)),
            invoice_number: given(&wanted.number),
            memo: Some(memo(wanted, outside)),
            external_id: marker.map(Marker::to_string),
            line_items: Some(lines(wanted)?),
        })
    }

    /// The service may number it by itself, and then keeps no memo either (README §Invoices).
    fn made(&self, _: &Client, wanted: &Document, shown: &Shown) -> bool {
        invoice(wanted).is_ok_and(|wanted| {
            let marker = shown.memo().marker;
            shown.customer_id.as_ref() == Some(&wanted.customer)
                && shown.total.0 == wanted.total
                && (wanted.marker.is_none() || marker.is_none() || marker == wanted.marker)
        })
    }

    fn amendment(
        &self,
        client: &Client,
        wanted: &Document,
        there: &Document,
        shown: &Shown,
    ) -> Result<Option<String>, Fault> {
        let (wanted, there) = (invoice(wanted)?, invoice(there)?);
        if (&wanted.customer, wanted.currency) != (&there.customer, there.currency) {
            let cause = format!(
                "Alternative Payments: invoice {} can't be given to another customer or another currency",
                wanted.number
            );
            return Err(refused(Code::new("refused-there"), "customer_id", cause));
        }
        // An external id is given when an invoice is made, and never after: a mark that stands in the memo stays there.
        let outside = client.settings.has(Capability::InvoiceExternalId)
            && Memo::read(&shown.memo).marker.is_none();
        let same_lines = written(&wanted.lines) == written(&there.lines);
        let body = json(&Written {
            due_date: wanted.due.filter(|due| Some(*due) != there.due),
            memo: Some(memo(wanted, outside)).filter(|wanted| *wanted != memo(there, outside)),
            line_items: (!same_lines).then(|| lines(wanted)).transpose()?,
            ..Written::default()
        })?;
        Ok((body != "{}").then_some(body))
    }

    fn archives(&self) -> bool {
        true
    }

    fn search(&self, client: &Client, order: &Order) -> Vec<String> {
        let marker = order.document.marker();
        let outside = client.settings.has(Capability::InvoiceExternalId);
        let marker = marker.filter(|_| outside);
        let filter = marker.map(|marker| format!("external_id={}", escaped(&marker.to_string())));
        filter.into_iter().collect()
    }

    fn belongs(&self, order: &Order) -> String {
        order
            .document
            .customer()
            .map_or_else(String::new, |customer| {
                format!("customer_id={}", escaped(customer.as_str()))
            })
    }
}
