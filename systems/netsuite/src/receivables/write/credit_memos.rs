//! Credit memos on their way out: made with their lines, and applied to other invoices later.

use serde_json::json;
use tieout_domain::document::CreditMemo;
use tieout_domain::port::Action;
use tieout_domain::{Document, Fault};

use super::super::credit_memos::CreditMemos;
use super::{Head, sales_lines};
use crate::call::Client;
use crate::form::{Form, listed_names};
use crate::probe::Shape;
use crate::records::{Body, reference};
use crate::vendor_payments::{apply_item, moved, same_applications};

/// Credit memos, as they are written.
pub(crate) struct CreditMemoForm;

impl Form for CreditMemoForm {
    type Document = CreditMemo;
    type Source = CreditMemos;

    const SOURCE: CreditMemos = CreditMemos;
    const RECORD: &'static str = "creditMemo";
    const ACTIONS: &'static [Action] = &[Action::Create, Action::Amend];
    const REPLACES: Option<&'static str> = Some("item");

    fn of(document: &Document) -> Option<&CreditMemo> {
        match document {
            Document::CreditMemo(found) => Some(found),
            _ => None,
        }
    }

    fn body(client: &Client, shape: &Shape, memo: &CreditMemo) -> Result<Body, Fault> {
        let head = Head {
            date: memo.date,
            currency: memo.currency,
            subsidiary: memo.subsidiary.as_ref(),
            period: memo.period.as_ref(),
            memo: &memo.memo,
        };
        let mut body = head.body(client, shape)?;
        body.set("entity", reference(&memo.customer));
        body.reference("account", memo.receivables_account.as_ref());
        body.text("tranId", &memo.number);
        body.set("toBeEmailed", json!(false));
        // Left on, it would settle the oldest invoices first (scenario 179).
        body.set("autoApply", json!(false));
        body.items("item", sales_lines::items(&memo.lines)?);
        let applied = memo.applications.iter().map(|one| apply_item(one, true));
        body.items("apply", applied.collect());
        Ok(body)
    }

    fn same(there: &CreditMemo, wanted: &CreditMemo) -> bool {
        there.customer == wanted.customer
            && there.currency == wanted.currency
            && there.date == wanted.date
            && there.total == wanted.total
            && sales_lines::same(&there.lines, &wanted.lines)
            && same_applications(&there.applications, &wanted.applications)
    }

    fn names(memo: &CreditMemo) -> Vec<String> {
        listed_names(&memo.number, &["Credit Memo"])
    }

    fn unchanged(there: &CreditMemo, expected: &CreditMemo) -> bool {
        there.customer == expected.customer
            && there.total == expected.total
            && same_applications(&there.applications, &expected.applications)
    }

    /// What it is applied to, and nothing else of it.
    fn difference(
        there: &CreditMemo,
        _expected: Option<&CreditMemo>,
        wanted: &CreditMemo,
    ) -> Result<Body, Fault> {
        let mut body = Body::default();
        if !same_applications(&there.applications, &wanted.applications) {
            body.items("apply", moved(&there.applications, &wanted.applications));
        }
        Ok(body)
    }
}
