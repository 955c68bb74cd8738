//! Customer refunds on their way out.

use tieout_domain::document::CustomerRefund;
use tieout_domain::port::Action;
use tieout_domain::{Document, Fault};

use super::super::refunds::Refunds;
use super::Head;
use crate::call::Client;
use crate::form::{Form, listed_names};
use crate::probe::Shape;
use crate::records::{Body, reference};
use crate::vendor_payments::{apply_item, same_applications};

/// Customer refunds, as they are written.
pub(crate) struct CustomerRefundForm;

impl Form for CustomerRefundForm {
    type Document = CustomerRefund;
    type Source = Refunds;

    const SOURCE: Refunds = Refunds;
    const RECORD: &'static str = "customerRefund";
    const ACTIONS: &'static [Action] = &[Action::Create];

    fn of(document: &Document) -> Option<&CustomerRefund> {
        match document {
            Document::CustomerRefund(found) => Some(found),
            _ => None,
        }
    }

    /// Its total follows from what it pays back.
    fn body(client: &Client, shape: &Shape, refund: &CustomerRefund) -> Result<Body, Fault> {
        let head = Head {
            date: refund.date,
            currency: refund.currency,
            subsidiary: refund.subsidiary.as_ref(),
            period: refund.period.as_ref(),
            memo: &refund.memo,
        };
        let mut body = head.body(client, shape)?;
        body.set("customer", reference(&refund.customer));
        body.reference("account", refund.account.as_ref());
        body.reference("arAcct", refund.receivables_account.as_ref());
        body.text("tranId", &refund.number);
        let paid_back = refund.applications.iter().map(|one| apply_item(one, true));
        body.items("apply", paid_back.collect());
        Ok(body)
    }

    fn same(there: &CustomerRefund, wanted: &CustomerRefund) -> bool {
        there.customer == wanted.customer
            && there.currency == wanted.currency
            && there.total == wanted.total
            && there.date == wanted.date
            && there.voided == wanted.voided
            && same_applications(&there.applications, &wanted.applications)
    }

    fn names(refund: &CustomerRefund) -> Vec<String> {
        listed_names(&refund.number, &["Customer Refund"])
    }
}
