//! Money that came another way, told so that nobody pays twice (README §Writing): one external payment for each of the
//! ledger's settlements of an invoice. It moves no money.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use serde::Serialize;
use serde_json::value::RawValue;
use tieout_domain::code::Code;
use tieout_domain::document::{CustomerPayment, ReceiptStatus, UseOf};
use tieout_domain::port::{Action, Answer, Observed, Order, Receipt, Write};
use tieout_domain::{Document, Fault, RemoteId, Timestamp};
use tieout_kit::wire::{Exact, escaped};

use crate::call::{Asked, Client, Sent, absent, parse, taken};
use crate::invoices::INVOICES;
use crate::list::{all, by_id, by_ids, observe, unreadable};
use crate::payments::{EXTERNAL, PAYMENTS, Payments};
use crate::problem::Effect;
use crate::wire::Head;
use crate::write::{adopted, cannot, changed, json, refused, target, wrong_kind};

/// Tells of payments, and takes it back.
pub(crate) struct ExternalPayments {
    pub(crate) client: Arc<Client>,
    pub(crate) room: Arc<Payments>,
}

/// The JSON of a creation.
#[derive(Debug, Serialize)]
struct Written<'a> {
    amount: Exact,
    /// Noon, so that it is the same day wherever it is looked at.
    paid_at: String,
    external_id: &'a str,
}

fn payment(document: &Document) -> Result<&CustomerPayment, Fault> {
    match document {
        Document::CustomerPayment(payment) => Ok(payment),
        _ => Err(wrong_kind(document)),
    }
}

/// The one invoice that it settles.
///
/// # Errors
/// [`Fault::Refused`] for a payment that isn't of one invoice, and of all of it.
fn settled(payment: &CustomerPayment) -> Result<&RemoteId, Fault> {
    if let [part] = payment.uses.as_slice()
        && let UseOf::Invoice(invoice) = &part.of
        && part.amount == payment.total
        && payment.total.is_positive()
    {
        return Ok(invoice);
    }
    let cause = format!(
        "Alternative Payments: payment {} of {} can't be told there: it must settle one invoice, and nothing else",
        payment.label(),
        payment.total.of(payment.currency)
    );
    Err(refused(Code::new("refused-there"), "", cause))
}

/// Whether a payment shows that it settles something else.
fn is_of_another(document: &Document, invoice: &RemoteId) -> bool {
    let is_ours = |of: &UseOf| matches!(of, UseOf::Invoice(it) if it == invoice);
    payment(document).is_ok_and(|shown| shown.uses.iter().any(|part| !is_ours(&part.of)))
}

/// The text by which it is found again.
fn external_id(order: &Order) -> &str {
    order.document.external_id().unwrap_or(&order.key).as_str()
}

fn path(invoice: &RemoteId) -> String {
    format!("{}/external-payments", INVOICES.one(invoice.as_str()))
}

impl ExternalPayments {
    async fn create(&self, order: &Order) -> Result<Receipt, Fault> {
        let wanted = payment(&order.document)?;
        let invoice = settled(wanted)?;
        let body = json(&Written {
            amount: Exact(wanted.total),
            paid_at: format!("{}T12:00:00Z", wanted.date),
            external_id: external_id(order),
        })?;
        let what = format!("telling of payment {}", wanted.label());
        let asked = Asked {
            method: &Method::POST,
            path: &path(invoice),
            body: Sent::Json(&body),
        };
        let bytes = match self.client.write(asked, &what).await {
            Ok(bytes) => bytes,
            Err(fault) if taken(&fault) => {
                let there = self.of_invoice(invoice).await?;
                let ours = there.into_iter().find(|it| told(order, &it.document));
                return ours.map(adopted).ok_or(fault);
            }
            Err(fault) => return Err(fault),
        };
        let raw: Box<RawValue> = parse(&bytes, Effect::Write, &what)?;
        let head: Head = parse(raw.get().as_bytes(), Effect::Write, &what)?;
        self.room.note(head.id.clone(), invoice.clone());
        let sight = observe(&self.client, &*self.room, &[raw]).await;
        let observed = sight.unwrap_or_default().observed.pop();
        if let Some(observed) = &observed
            && (observed.document.amount() != order.document.amount()
                || is_of_another(&observed.document, invoice))
        {
            let cause = format!(
                "Alternative Payments: {what}: the answer shows another payment, `{}`",
                observed.id
            );
            return Err(Fault::Unknown { cause });
        }
        Ok(Receipt {
            id: head.id,
            observed,
            adopted: false,
        })
    }

    /// The external payments of an invoice.
    async fn of_invoice(&self, invoice: &RemoteId) -> Result<Vec<Observed>, Fault> {
        let filter = format!("type={EXTERNAL}&invoice_id={}", escaped(invoice.as_str()));
        let raws = all(&self.client, &PAYMENTS, &filter).await?;
        for raw in &raws {
            if let Ok(head) = serde_json::from_str::<Head>(raw.get()) {
                self.room.note(head.id, invoice.clone());
            }
        }
        let sight = observe(&self.client, &*self.room, &raws).await?;
        sight.whole(&PAYMENTS)
    }

    /// Takes it back. One that isn't there any more has been.
    async fn void(&self, order: &Order) -> Result<Receipt, Fault> {
        let id = target(PAYMENTS.noun, order)?;
        let decided_on = order.expect.as_ref().unwrap_or(&order.document);
        let invoice = settled(payment(decided_on)?)?;
        let there = match by_id(&self.client, &PAYMENTS, id).await {
            Ok(raw) => raw,
            Err(fault) if absent(&fault) => {
                return Ok(Receipt {
                    id: id.clone(),
                    observed: Some(gone(id, decided_on)),
                    adopted: true,
                });
            }
            Err(fault) => return Err(fault),
        };
        self.room.note(id.clone(), invoice.clone());
        let mut sight = observe(&self.client, &*self.room, &[there]).await?;
        let there = match (sight.observed.pop(), sight.unreadable.pop()) {
            (Some(there), _) => there,
            (None, why) => {
                let why = why.map(|(_, why)| why).unwrap_or_default();
                return Err(unreadable(&PAYMENTS, id, &why));
            }
        };
        let is_external =
            matches!(&there.document, Document::CustomerPayment(it) if it.charge.is_none());
        if !is_external {
            let cause = format!(
                "Alternative Payments: payment {id} is money that the service moved itself, and is not deleted from here"
            );
            return Err(refused(Code::new("irreversible"), "", cause));
        }
        let what = format!("taking back payment {}", order.document.label());
        let path = format!("{}/{}", path(invoice), escaped(id.as_str()));
        let adopted = match self.client.delete(&path, &what).await {
            Ok(()) => false,
            // Somebody else was quicker, if it is gone. What isn't served at all is answered so too.
            Err(fault) if absent(&fault) => match by_id(&self.client, &PAYMENTS, id).await {
                Err(again) if absent(&again) => true,
                looked => {
                    let seen = match looked {
                        Ok(_) => "it is there".to_owned(),
                        Err(again) => again.to_string(),
                    };
                    let cause = format!("{fault}; looked at again: {seen}");
                    return Err(Fault::Unknown { cause });
                }
            },
            Err(fault) => return Err(fault),
        };
        let document = voided(&there.document);
        Ok(Receipt {
            id: id.clone(),
            observed: Some(changed(there, document)),
            adopted,
        })
    }
}

/// Whether this is what an order told.
fn told(order: &Order, there: &Document) -> bool {
    there.external_id().map(tieout_domain::Key::as_str) == Some(external_id(order))
        && there.amount() == order.document.amount()
}

fn voided(document: &Document) -> Document {
    let mut document = document.clone();
    if let Document::CustomerPayment(payment) = &mut document {
        payment.status = ReceiptStatus::Voided;
    }
    document
}

/// What was there, as far as anyone remembers.
fn gone(id: &RemoteId, document: &Document) -> Observed {
    let there = Observed {
        id: id.clone(),
        version: String::new(),
        created: None,
        document: document.clone(),
    };
    changed(there, voided(document))
}

#[async_trait]
impl Write for ExternalPayments {
    fn bulk_max(&self, _action: Action) -> usize {
        1
    }

    fn takes(&self, action: Action) -> bool {
        matches!(action, Action::Create | Action::Void)
    }

    fn repeatable(&self, action: Action) -> bool {
        // Its external id is unique only among what isn't deleted.
        action != Action::Create
    }

    fn settle(&self) -> Duration {
        self.client.settings.settle
    }

    async fn write(&self, orders: &[Order]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(orders.len());
        for order in orders {
            let done = match order.action {
                Action::Create => self.create(order).await,
                Action::Void => self.void(order).await,
                action => Err(cannot(PAYMENTS.noun, action)),
            };
            answers.push(done.map_or_else(Answer::Failed, Answer::Applied));
        }
        tieout_domain::port::told_apart(answers)
    }

    async fn candidates(&self, orders: &[Order], _: Timestamp) -> Result<Vec<Observed>, Fault> {
        let targets = orders.iter().filter_map(|order| order.target.as_ref());
        let raws = by_ids(&self.client, &PAYMENTS, targets).await?;
        let sight = observe(&self.client, &*self.room, &raws).await?;
        let mut found = sight.whole(&PAYMENTS)?;
        let mut invoices = BTreeSet::new();
        for order in orders.iter().filter(|order| order.target.is_none()) {
            invoices.insert(settled(payment(&order.document)?)?);
        }
        for invoice in invoices {
            found.extend(self.of_invoice(invoice).await?);
        }
        Ok(found)
    }
}
