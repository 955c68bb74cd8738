//! Credit memos, which Invoiced calls credit notes (README §Credit notes).

use tieout_domain::document::CreditMemo;
use tieout_domain::port::Order;
use tieout_domain::{Document, Fault};

use crate::call::Client;
use crate::documents::{Shown, Wanted};
use crate::list::{Room, Shelf};
use crate::write::{Ending, Writable, by_number, wrong_kind};

/// Credit memos.
pub(crate) const CREDIT_MEMOS: Shelf = Shelf {
    path: "/credit_notes",
    noun: "credit note",
    include: "",
    of_customer: true,
};

/// Credit memos.
#[derive(Debug, Default)]
pub(crate) struct CreditMemos;

/// The part of a credit memo that is written.
pub(crate) fn wanted(memo: &CreditMemo) -> Wanted<'_> {
    Wanted {
        noun: CREDIT_MEMOS.noun,
        customer: &memo.customer,
        number: &memo.number,
        date: memo.date,
        due: None,
        terms: None,
        currency: memo.currency,
        lines: &memo.lines,
        total: memo.total,
        memo: &memo.memo,
        purchase_order: "",
        marker: memo.marker.as_ref(),
    }
}

fn credit_memo(document: &Document) -> Result<Wanted<'_>, Fault> {
    match document {
        Document::CreditMemo(memo) => Ok(wanted(memo)),
        _ => Err(wrong_kind(document)),
    }
}

impl Room for CreditMemos {
    type Shown = Shown;

    fn shelf(&self) -> &'static Shelf {
        &CREDIT_MEMOS
    }

    fn document(&self, client: &Client, shown: &Shown) -> Result<Document, String> {
        Ok(Document::CreditMemo(CreditMemo {
            customer: shown.customer()?,
            number: shown.number.clone(),
            date: shown.date(&client.settings.days)?,
            currency: shown.currency()?,
            receivables_account: None,
            subsidiary: None,
            period: None,
            lines: shown.lines()?,
            total: shown.total.0,
            open: shown.balance.0,
            // Payments tell what it is applied to.
            applications: Vec::new(),
            status: shown.status(),
            memo: shown.notes.clone(),
            marker: shown.metadata.marker(),
            external_id: None,
        }))
    }
}

impl Writable for CreditMemos {
    fn creation(&self, client: &Client, wanted: &Document) -> Result<String, Fault> {
        credit_memo(wanted)?.creation(&client.settings.days, false)
    }

    fn made(&self, wanted: &Document, shown: &Shown) -> bool {
        credit_memo(wanted).is_ok_and(|wanted| wanted.is(shown))
    }

    fn amendment(
        &self,
        client: &Client,
        wanted: &Document,
        there: &Document,
        shown: &Shown,
    ) -> Result<Option<String>, Fault> {
        credit_memo(wanted)?.amendment(&client.settings.days, &credit_memo(there)?, shown)
    }

    fn ending(&self) -> Option<Ending> {
        Some(Ending::Void)
    }

    fn search(&self, order: &Order) -> Vec<String> {
        by_number(order)
    }
}
