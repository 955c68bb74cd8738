//! Invoices as PDF: put beside the invoice, over the one before (README §Writing).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use tieout_domain::code::Code;
use tieout_domain::port::{Action, Answer, Observed, Order, Receipt, Write};
use tieout_domain::{Document, Fault, Timestamp};

use crate::call::{Asked, Client, Sent};
use crate::invoices::INVOICES;
use crate::write::{cannot, refused, wrong_kind};

const NOUN: &str = "PDF";
/// What the service takes.
const PDF: &str = "application/pdf";

/// Puts invoices as PDF.
pub(crate) struct Pdfs {
    pub(crate) client: Arc<Client>,
}

impl Pdfs {
    async fn put(&self, order: &Order) -> Result<Receipt, Fault> {
        let Document::InvoicePdf(pdf) = &order.document else {
            return Err(wrong_kind(&order.document));
        };
        let file = order
            .file
            .as_ref()
            .filter(|file| file.media_type == PDF && file.bytes.starts_with(b"%PDF-"));
        let file = file.ok_or_else(|| {
            let cause = format!(
                "Alternative Payments: what was to be put as {} is no PDF, or wasn't there",
                pdf.name
            );
            refused(Code::new("refused-there"), "", cause)
        })?;
        let what = format!("putting {}", pdf.name);
        let asked = Asked {
            method: &Method::PUT,
            path: &format!("{}/pdf", INVOICES.one(pdf.invoice.as_str())),
            body: Sent::File(&file.bytes, PDF),
        };
        self.client.write(asked, &what).await?;
        Ok(Receipt {
            // There is one for each invoice, and it has no id of its own.
            id: pdf.invoice.clone(),
            observed: None,
            adopted: false,
        })
    }
}

#[async_trait]
impl Write for Pdfs {
    fn bulk_max(&self, _action: Action) -> usize {
        1
    }

    fn takes(&self, action: Action) -> bool {
        matches!(action, Action::Create | Action::Amend)
    }

    fn repeatable(&self, _action: Action) -> bool {
        // The second is put over the first.
        true
    }

    fn settle(&self) -> Duration {
        self.client.settings.settle
    }

    async fn write(&self, orders: &[Order]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(orders.len());
        for order in orders {
            let done = match order.action {
                Action::Create | Action::Amend => self.put(order).await,
                action => Err(cannot(NOUN, action)),
            };
            answers.push(done.map_or_else(Answer::Failed, Answer::Applied));
        }
        answers
    }

    /// What is put shows nowhere as it was put; it is put again.
    async fn candidates(&self, _: &[Order], _: Timestamp) -> Result<Vec<Observed>, Fault> {
        Ok(Vec::new())
    }
}
