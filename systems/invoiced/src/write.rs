//! Writing: one record a call, changes that look first, endings (README §Writing).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use serde_json::value::RawValue;
use tieout_domain::code::Code;
use tieout_domain::document::{InvoiceStatus, ReceiptStatus};
use tieout_domain::port::{Action, Answer, Observed, Order, Receipt, Write};
use tieout_domain::{Document, Fault, RemoteId, Timestamp};

use crate::call::{Asked, Client, drift, escaped, parse};
use crate::list::{Room, Sight, all, by_id, by_ids, changed_since, observe};
use crate::problem::Effect;
use crate::projection::{as_wanted, untouched};
use crate::wire::{Head, Metadata};

/// More creations than this are looked for among what was made lately alone, and not each by its number.
const SEARCHED_MAX: usize = 10;

/// How a record is ended over there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By a call of its own.
    Void,
    /// By deleting it, which voids it.
    Delete,
}

/// How a kind of record is written.
pub(crate) trait Writable: Room {
    /// The JSON that creates it.
    ///
    /// # Errors
    /// [`Fault::Refused`] for a document that Invoiced can't hold.
    fn creation(&self, client: &Client, wanted: &Document) -> Result<String, Fault>;

    /// Whether this is what that creation made.
    fn made(&self, wanted: &Document, shown: &Self::Shown) -> bool;

    /// The JSON that changes what is there into what is wanted; `None` if nothing is left to write.
    ///
    /// # Errors
    /// As [`creation`](Self::creation).
    fn amendment(
        &self,
        client: &Client,
        wanted: &Document,
        there: &Document,
        shown: &Self::Shown,
    ) -> Result<Option<String>, Fault>;

    /// How it is ended; `None` where it can't be.
    fn ending(&self) -> Option<Ending>;

    /// Whether this one may be ended from here.
    ///
    /// # Errors
    /// [`Fault::Refused`] if not.
    fn may_end(&self, _there: &Document) -> Result<(), Fault> {
        Ok(())
    }

    /// Whether it can be closed, and opened again.
    fn closes(&self) -> bool {
        false
    }

    /// The filters under which what an order may have made is found, whenever it was made.
    fn search(&self, order: &Order) -> Vec<String>;
}

/// The filter for the mark of an order's document.
pub(crate) fn by_mark(order: &Order) -> Option<String> {
    order.document.marker().map(Metadata::filter)
}

/// The filters for the mark and for the number of an order's document.
pub(crate) fn by_number(order: &Order) -> Vec<String> {
    let number = match &order.document {
        Document::Customer(customer) => customer.number.trim(),
        Document::Invoice(invoice) => invoice.number.trim(),
        Document::CreditMemo(memo) => memo.number.trim(),
        _ => "",
    };
    let numbered = (!number.is_empty()).then(|| format!("filter%5Bnumber%5D={}", escaped(number)));
    by_mark(order).into_iter().chain(numbered).collect()
}

/// A refusal by this program, before anything was sent.
pub(crate) fn refused(code: Code, field: &str, cause: String) -> Fault {
    let field = (!field.is_empty()).then(|| field.to_owned());
    Fault::Refused { code, field, cause }
}

/// A document of another kind came: the engine is wired wrongly.
pub(crate) fn wrong_kind(document: &Document) -> Fault {
    let cause = format!(
        "Invoiced: a {} was given to the writer of another kind",
        document.kind()
    );
    refused(Code::new("refused-there"), "", cause)
}

/// JSON of something that serialises.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| {
        let cause = format!("Invoiced: a record can't be written as JSON: {error}");
        refused(Code::new("refused-there"), "", cause)
    })
}

/// Writes one kind.
pub(crate) struct Writer<R> {
    pub(crate) client: Arc<Client>,
    pub(crate) room: Arc<R>,
}

#[async_trait]
impl<R: Writable> Write for Writer<R> {
    fn bulk_max(&self, _action: Action) -> usize {
        // One call each; the caller overlaps them.
        1
    }

    fn repeatable(&self, action: Action) -> bool {
        // Everything else looks first. A key is sent with a creation, and what it is good for isn't documented.
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
                Action::Amend => self.amend(order).await,
                Action::Archive => self.close(order, true).await,
                Action::Restore => self.close(order, false).await,
                Action::Void => self.end(order).await,
            };
            answers.push(done.map_or_else(Answer::Failed, Answer::Applied));
        }
        tieout_domain::port::told_apart(answers)
    }

    async fn candidates(&self, orders: &[Order], since: Timestamp) -> Result<Vec<Observed>, Fault> {
        let shelf = self.room.shelf();
        let targets = orders.iter().filter_map(|order| order.target.as_ref());
        let mut raws = by_ids(&self.client, shelf, targets).await?;
        let made: Vec<&Order> = orders
            .iter()
            .filter(|order| order.target.is_none())
            .collect();
        if !made.is_empty() {
            raws.extend(changed_since(&self.client, shelf, since).await?);
        }
        if made.len() <= SEARCHED_MAX {
            let filters: BTreeSet<String> = made
                .iter()
                .flat_map(|order| self.room.search(order))
                .collect();
            for filter in filters {
                raws.extend(all(&self.client, shelf, &filter).await?);
            }
        }
        // One that can't be read might be the one looked for: "not found" would be a guess.
        observe(&self.client, &*self.room, &raws)?.whole(shelf)
    }
}

/// What is there now.
struct There<S> {
    observed: Observed,
    shown: S,
}

impl<R: Writable> Writer<R> {
    fn noun(&self) -> &'static str {
        self.room.shelf().noun
    }

    /// An action that this kind doesn't have.
    fn cannot(&self, action: Action) -> Fault {
        let cause = format!(
            "Invoiced: a {} can't be the object of `{}`",
            self.noun(),
            action.as_str()
        );
        refused(Code::new("irreversible"), "", cause)
    }

    async fn create(&self, order: &Order) -> Result<Receipt, Fault> {
        let shelf = self.room.shelf();
        let body = self.room.creation(&self.client, &order.document)?;
        let what = format!("creating {} {}", shelf.noun, order.document.label());
        let asked = Asked {
            method: &Method::POST,
            path: &shelf.place(),
            body: Some(&body),
            key: Some(&order.key),
        };
        let bytes = self.client.write(asked, &what).await?;
        let raw: Box<RawValue> = parse(&bytes, Effect::Write, &what)?;
        let head: Head = parse(raw.get().as_bytes(), Effect::Write, &what)?;
        let shown: R::Shown = parse(raw.get().as_bytes(), Effect::Write, &what)?;
        if !self.room.made(&order.document, &shown) {
            return Err(Fault::Unknown {
                cause: format!(
                    "Invoiced: {what}: the answer shows another {}, `{}`",
                    shelf.noun, head.id
                ),
            });
        }
        Ok(self.receipt(head.id, raw, &order.document))
    }

    /// What is there now, if it can be read.
    async fn looked_at(&self, order: &Order) -> Result<There<R::Shown>, Fault> {
        let shelf = self.room.shelf();
        let id = order.target.as_ref().ok_or_else(|| {
            let cause = format!(
                "Invoiced: `{}` of a {} names no record",
                order.action.as_str(),
                shelf.noun
            );
            refused(Code::new("refused-there"), "", cause)
        })?;
        let raw = by_id(&self.client, shelf, id).await?;
        let unreadable = |why: String| {
            drift(format!(
                "Invoiced: {} {id} can't be read: {why}",
                shelf.noun
            ))
        };
        let shown =
            serde_json::from_str(raw.get()).map_err(|error| unreadable(error.to_string()))?;
        let mut sight = observe(&self.client, &*self.room, &[raw])?;
        match (sight.observed.pop(), sight.unreadable.pop()) {
            (Some(observed), _) => Ok(There { observed, shown }),
            (None, why) => Err(unreadable(why.map(|(_, why)| why).unwrap_or_default())),
        }
    }

    /// Nobody has changed it since the order was decided on.
    fn guard(&self, order: &Order, there: &Observed) -> Result<(), Fault> {
        match &order.expect {
            Some(expected) if !untouched(expected, &there.document) => Err(refused(
                Code::new("edited-there"),
                "",
                format!(
                    "Invoiced: {} {} ({}) was changed there since this was decided on, so it is left as it is",
                    self.noun(),
                    there.document.label(),
                    there.id
                ),
            )),
            _ => Ok(()),
        }
    }

    async fn amend(&self, order: &Order) -> Result<Receipt, Fault> {
        let there = self.looked_at(order).await?;
        if as_wanted(&order.document, &there.observed.document) {
            return Ok(adopted(there.observed));
        }
        self.guard(order, &there.observed)?;
        let room = &self.room;
        let amendment = room.amendment(
            &self.client,
            &order.document,
            &there.observed.document,
            &there.shown,
        )?;
        match amendment {
            None => Ok(adopted(there.observed)),
            Some(body) => {
                let what = format!("changing {} {}", self.noun(), order.document.label());
                self.patch(order, there.observed.id, &body, &what).await
            }
        }
    }

    /// Closing is idempotent, and so is opening again.
    async fn close(&self, order: &Order, closed: bool) -> Result<Receipt, Fault> {
        if !self.room.closes() {
            return Err(self.cannot(order.action));
        }
        let there = self.looked_at(order).await?;
        if is_written_off(&there.observed.document) == closed {
            return Ok(adopted(there.observed));
        }
        self.guard(order, &there.observed)?;
        let verb = if closed { "closing" } else { "opening" };
        let what = format!("{verb} {} {}", self.noun(), order.document.label());
        let body = format!("{{\"closed\":{closed}}}");
        self.patch(order, there.observed.id, &body, &what).await
    }

    async fn patch(
        &self,
        order: &Order,
        id: RemoteId,
        body: &str,
        what: &str,
    ) -> Result<Receipt, Fault> {
        let asked = Asked {
            method: &Method::PATCH,
            path: &self.room.shelf().one(id.as_str()),
            body: Some(body),
            key: None,
        };
        let bytes = self.client.write(asked, what).await?;
        let raw = self.shown_of(&bytes, &id, what)?;
        Ok(self.receipt(id, raw, &order.document))
    }

    async fn end(&self, order: &Order) -> Result<Receipt, Fault> {
        let Some(ending) = self.room.ending() else {
            return Err(self.cannot(order.action));
        };
        let there = self.looked_at(order).await?;
        if has_ended(&there.observed.document) {
            return Ok(adopted(there.observed));
        }
        self.room.may_end(&there.observed.document)?;
        self.guard(order, &there.observed)?;
        let id = there.observed.id;
        let one = self.room.shelf().one(id.as_str());
        let what = format!("voiding {} {}", self.noun(), order.document.label());
        let (method, path) = match ending {
            Ending::Void => (Method::POST, format!("{one}/void")),
            Ending::Delete => (Method::DELETE, one),
        };
        let asked = Asked {
            method: &method,
            path: &path,
            body: None,
            key: None,
        };
        let bytes = self.client.write(asked, &what).await?;
        if bytes.is_empty() {
            return Ok(Receipt {
                id,
                observed: None,
                adopted: false,
            });
        }
        let raw = self.shown_of(&bytes, &id, &what)?;
        let receipt = self.receipt(id, raw, &order.document);
        match &receipt.observed {
            Some(observed) if !has_ended(&observed.document) => Err(Fault::Unknown {
                cause: format!("Invoiced: {what}: the answer doesn't show it voided"),
            }),
            _ => Ok(receipt),
        }
    }

    /// The record that the answer to a change shows. A success that shows something else proves nothing.
    fn shown_of(&self, bytes: &[u8], id: &RemoteId, what: &str) -> Result<Box<RawValue>, Fault> {
        let raw: Option<Box<RawValue>> = serde_json::from_slice(bytes).ok();
        let of_it = raw.filter(|raw| {
            let head = serde_json::from_str::<Head>(raw.get());
            head.is_ok_and(|head| head.id == *id)
        });
        of_it.ok_or_else(|| Fault::Unknown {
            cause: format!(
                "Invoiced: {what}: the answer doesn't show this {}",
                self.noun()
            ),
        })
    }

    /// The receipt of what was done, with what the service showed if it can be read.
    fn receipt(&self, id: RemoteId, raw: Box<RawValue>, wanted: &Document) -> Receipt {
        // It is done: whatever can't be read of it now, the next read shows.
        let sight = observe(&self.client, &*self.room, &[raw]).unwrap_or_default();
        let Sight { observed, .. } = sight;
        let observed = observed.into_iter().find(|observed| observed.id == id);
        if let Some(observed) = &observed
            && observed.document.amount() != wanted.amount()
        {
            tracing::warn!(
                noun = self.noun(), %id,
                "Invoiced shows another total than was written; the next look decides"
            );
        }
        Receipt {
            id,
            observed,
            adopted: false,
        }
    }
}

/// It was as wanted already.
fn adopted(there: Observed) -> Receipt {
    Receipt {
        id: there.id.clone(),
        observed: Some(there),
        adopted: true,
    }
}

fn is_written_off(document: &Document) -> bool {
    matches!(document, Document::Invoice(invoice) if invoice.status == InvoiceStatus::WrittenOff)
}

fn has_ended(document: &Document) -> bool {
    match document {
        Document::Invoice(invoice) => invoice.status == InvoiceStatus::Voided,
        Document::CreditMemo(memo) => memo.status == InvoiceStatus::Voided,
        Document::CustomerPayment(payment) => payment.status == ReceiptStatus::Voided,
        _ => false,
    }
}
