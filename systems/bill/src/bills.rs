//! Vendor bills (README §Bills).

use std::collections::BTreeSet;

use async_trait::async_trait;
use http::Method;
use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::document::{Bill, BillStatus};
use tieout_domain::port::Order;
use tieout_domain::{Amount, Currency, Date, Document, Fault, RemoteId};
use tieout_kit::wire::Exact;

use crate::call::Client;
use crate::currencies::{Valued, evident, rate_told, valued};
use crate::list::{Room, Shelf, any_of};
use crate::text::{description, memo_and_marker};
use crate::wire::{self, Head, LineShown, LineWritten, day, reference, under_their_ids};
use crate::write::{Writable, json, refused, wrong_kind};

const BILLS: Shelf = Shelf {
    path: "/v3/bills",
    noun: "bill",
    wrapped: "bills",
    bulk_max: 100,
    by_change: true,
    archives: true,
    restores: true,
};

/// More vendors than this aren't named in a search: the time alone narrows it.
const SEARCHED_VENDORS_MAX: usize = 50;

/// Bills.
#[derive(Debug, Default)]
pub(crate) struct Bills;

/// A bill as BILL shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    vendor_id: String,
    #[serde(default)]
    invoice: Option<InvoiceShown>,
    #[serde(default, deserialize_with = "wire::text")]
    due_date: String,
    #[serde(default, deserialize_with = "wire::list")]
    bill_line_items: Vec<LineShown>,
    #[serde(default, deserialize_with = "wire::text")]
    description: String,
    #[serde(default, deserialize_with = "wire::text")]
    purchase_order_number: String,
    #[serde(default, deserialize_with = "wire::text")]
    pay_from_chart_of_account_id: String,
    #[serde(default)]
    amount: Option<Exact>,
    #[serde(default)]
    due_amount: Option<Exact>,
    #[serde(default)]
    scheduled_amount: Option<Exact>,
    #[serde(default)]
    funding_amount: Option<Exact>,
    #[serde(default)]
    exchange_rate: Option<Exact>,
    #[serde(default, deserialize_with = "wire::text")]
    payment_status: String,
    #[serde(default, deserialize_with = "wire::text")]
    approval_status: String,
    #[serde(default)]
    archived: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InvoiceShown {
    #[serde(default, deserialize_with = "wire::text")]
    invoice_number: String,
    #[serde(default, deserialize_with = "wire::text")]
    invoice_date: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    vendor_id: &'a RemoteId,
    due_date: Date,
    invoice: InvoiceWritten<'a>,
    bill_line_items: Vec<LineWritten>,
    description: String,
    purchase_order_number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_from_chart_of_account_id: Option<&'a RemoteId>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InvoiceWritten<'a> {
    invoice_number: &'a str,
    invoice_date: Date,
}

fn bill(document: &Document) -> Result<&Bill, Fault> {
    if let Document::Bill(bill) = document {
        Ok(bill)
    } else {
        Err(wrong_kind(document))
    }
}

fn written(bill: &Bill, lines: Vec<LineWritten>) -> Result<String, Fault> {
    let cannot = |field: &str, why: &str| {
        let cause = format!("BILL: bill `{}` {why}", bill.number);
        Err(refused(Code::new("refused-there"), field, cause))
    };
    if bill.number.is_empty() {
        return cannot("invoice.invoiceNumber", "has no number, which BILL demands");
    }
    if lines.is_empty() {
        return cannot("billLineItems", "has no lines, which BILL demands");
    }
    if Amount::total(bill.lines.iter().map(|line| line.amount)) != Ok(bill.total) {
        // BILL would take the sum of the lines for the total (scenario 74).
        return cannot("billLineItems", "has lines whose sum is not its total");
    }
    json(&Written {
        vendor_id: &bill.vendor,
        due_date: bill.due.unwrap_or(bill.date),
        invoice: InvoiceWritten {
            invoice_number: &bill.number,
            invoice_date: bill.date,
        },
        bill_line_items: lines,
        description: description(&bill.memo, bill.marker.as_ref()),
        purchase_order_number: bill.purchase_order.trim(),
        pay_from_chart_of_account_id: bill.payables_account.as_ref(),
    })
}

impl Shown {
    fn bill(&self, currency: Currency) -> Result<Bill, String> {
        let invoice = self.invoice.as_ref().ok_or("`invoice` is missing")?;
        let lines = wire::lines(&self.bill_line_items)?;
        let total = wire::total(self.amount, &lines)?;
        let (memo, marker) = memo_and_marker(&self.description);
        let archived = self.archived.unwrap_or(false);
        let paid = self.payment_status == "PAID";
        let open = match self.due_amount {
            Some(due) => due.0,
            None if paid => Amount::ZERO,
            None if self.payment_status == "UNPAID" => total,
            None => return Err("`dueAmount` is missing".to_owned()),
        };
        Ok(Bill {
            vendor: reference(&self.vendor_id).ok_or("`vendorId` is empty")?,
            number: invoice.invoice_number.clone(),
            transaction_number: String::new(),
            date: day(&invoice.invoice_date, "invoice.invoiceDate")?,
            due: match self.due_date.as_str() {
                "" => None,
                due => Some(day(due, "dueDate")?),
            },
            discount: None,
            currency,
            exchange_rate: rate_told(currency, self.exchange_rate),
            payables_account: reference(&self.pay_from_chart_of_account_id),
            subsidiary: None,
            period: None,
            lines,
            total,
            open,
            scheduled: self.scheduled_amount.unwrap_or_default().0,
            status: match self.payment_status.as_str() {
                _ if archived => BillStatus::Archived,
                "PAID" => BillStatus::Paid,
                "UNPAID" | "PARTIALLY_PAID" | "SCHEDULED" | "IN_PROCESS" => BillStatus::Open,
                other => BillStatus::Other(other.to_owned()),
            },
            approval: wire::approval(&self.approval_status),
            memo,
            purchase_order: self.purchase_order_number.clone(),
            payment_hold: false,
            marker,
            external_id: None,
        })
    }
}

impl Valued for Shown {
    fn evident_currency(&self) -> Option<Currency> {
        evident(self.amount, self.funding_amount, self.exchange_rate)
    }

    fn vendor_id(&self) -> &str {
        &self.vendor_id
    }

    fn document(&self, _head: &Head, currency: Currency) -> Result<Document, String> {
        self.bill(currency).map(Document::Bill)
    }
}

#[async_trait]
impl Room for Bills {
    type Shown = Shown;

    fn shelf(&self) -> &Shelf {
        &BILLS
    }

    async fn documents(
        &self,
        client: &Client,
        shown: &[(Head, Shown)],
    ) -> Result<Vec<Result<Document, String>>, Fault> {
        valued(client, shown).await
    }
}

impl Writable for Bills {
    fn creation(&self, wanted: &Document) -> Result<String, Fault> {
        let wanted = bill(wanted)?;
        written(
            wanted,
            wanted
                .lines
                .iter()
                .map(|line| LineWritten::new(line, None))
                .collect(),
        )
    }

    fn made(&self, wanted: &Document, shown: &Shown) -> bool {
        let Ok(wanted) = bill(wanted) else {
            return false;
        };
        let number = shown
            .invoice
            .as_ref()
            .map_or("", |invoice| invoice.invoice_number.as_str());
        let (_, marker) = memo_and_marker(&shown.description);
        wanted.vendor.as_str() == shown.vendor_id
            && wanted.number == number
            && wire::may_total(shown.amount, &shown.bill_line_items, wanted.total)
            && wanted.marker == marker
    }

    /// PATCH where the same lines remain; PUT, with the ids of the lines that stay, where they don't.
    fn amendment(
        &self,
        wanted: &Document,
        there: &Document,
    ) -> Result<Option<(Method, String)>, Fault> {
        let (wanted, there) = (bill(wanted)?, bill(there)?);
        let (lines, patch) = under_their_ids(&wanted.lines, &there.lines);
        let method = if patch { Method::PATCH } else { Method::PUT };
        Ok(Some((method, written(wanted, lines)?)))
    }

    fn search(&self, orders: &[Order]) -> Vec<String> {
        let vendors: BTreeSet<_> = orders
            .iter()
            .filter_map(|order| order.document.vendor())
            .collect();
        if vendors.is_empty() || vendors.len() > SEARCHED_VENDORS_MAX {
            return Vec::new();
        }
        vec![any_of("vendorId", vendors)]
    }
}
