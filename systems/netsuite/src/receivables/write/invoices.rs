//! Invoices on their way out.

use serde_json::json;
use tieout_domain::document::Invoice;
use tieout_domain::port::Action;
use tieout_domain::{Document, Fault};

use super::super::invoices::Invoices;
use super::{Head, changed_reference, changed_text, fits, sales_lines};
use crate::call::Client;
use crate::form::{Form, listed_names};
use crate::probe::Shape;
use crate::records::{Body, reference};

/// Whether two invoices are of the same money.
fn same_money(there: &Invoice, other: &Invoice) -> bool {
    there.customer == other.customer
        && there.currency == other.currency
        && there.date == other.date
        && there.total == other.total
        && sales_lines::same(&there.lines, &other.lines)
}

/// Invoices, as they are written.
pub(crate) struct InvoiceForm;

impl Form for InvoiceForm {
    type Document = Invoice;
    type Source = Invoices;

    const SOURCE: Invoices = Invoices;
    const RECORD: &'static str = "invoice";
    const ACTIONS: &'static [Action] = &[Action::Create, Action::Amend];
    const REPLACES: Option<&'static str> = Some("item");
    const REPLACES_IN_CHANGE: Option<&'static str> = Some("item");

    fn of(document: &Document) -> Option<&Invoice> {
        match document {
            Document::Invoice(found) => Some(found),
            _ => None,
        }
    }

    fn body(client: &Client, shape: &Shape, invoice: &Invoice) -> Result<Body, Fault> {
        let head = Head {
            date: invoice.date,
            currency: invoice.currency,
            subsidiary: invoice.subsidiary.as_ref(),
            period: invoice.period.as_ref(),
            memo: &invoice.memo,
        };
        let mut body = head.body(client, shape)?;
        body.set("entity", reference(&invoice.customer));
        body.reference("account", invoice.receivables_account.as_ref());
        body.text("tranId", &invoice.number);
        if let Some(due) = invoice.due {
            body.set("dueDate", json!(due.to_string()));
        }
        body.reference("terms", invoice.terms.as_ref());
        body.text("otherRefNum", &invoice.purchase_order);
        // The platform has sent it already; a form may have this ticked.
        body.set("toBeEmailed", json!(false));
        body.items("item", sales_lines::items(&invoice.lines)?);
        Ok(body)
    }

    fn same(there: &Invoice, wanted: &Invoice) -> bool {
        same_money(there, wanted)
            && (wanted.number.is_empty() || there.number == wanted.number)
            && fits(there.due.as_ref(), wanted.due.as_ref())
            && (wanted.memo.is_empty() || there.memo == wanted.memo)
            && (wanted.purchase_order.is_empty() || there.purchase_order == wanted.purchase_order)
    }

    fn names(invoice: &Invoice) -> Vec<String> {
        listed_names(&invoice.number, &["Invoice"])
    }

    fn unchanged(there: &Invoice, expected: &Invoice) -> bool {
        same_money(there, expected)
            && there.number == expected.number
            && there.due == expected.due
            && there.memo == expected.memo
            && there.purchase_order == expected.purchase_order
    }

    fn difference(
        there: &Invoice,
        _expected: Option<&Invoice>,
        wanted: &Invoice,
    ) -> Result<Body, Fault> {
        let mut body = Body::default();
        if there.customer != wanted.customer {
            body.set("entity", reference(&wanted.customer));
        }
        if there.date != wanted.date {
            body.set("tranDate", json!(wanted.date.to_string()));
        }
        if let Some(due) = wanted.due
            && there.due != wanted.due
        {
            body.set("dueDate", json!(due.to_string()));
        }
        if !wanted.number.is_empty() {
            changed_text(&mut body, "tranId", &there.number, &wanted.number);
        }
        let (old, new) = (there.terms.as_ref(), wanted.terms.as_ref());
        changed_reference(&mut body, "terms", old, new);
        changed_text(&mut body, "memo", &there.memo, &wanted.memo);
        let (old, new) = (&there.purchase_order, &wanted.purchase_order);
        changed_text(&mut body, "otherRefNum", old, new);
        if !sales_lines::same(&there.lines, &wanted.lines) {
            body.items("item", sales_lines::items(&wanted.lines)?);
        }
        if !body.is_empty() {
            body.set("toBeEmailed", json!(false));
        }
        Ok(body)
    }
}
