//! Writing: one record a call, changes that look first, endings (README §Writing).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use serde_json::Value;
use serde_json::value::RawValue;
use tieout_domain::code::Code;
use tieout_domain::document::InvoiceStatus;
use tieout_domain::port::{Action, Answer, Observed, Order, Receipt, Write};
use tieout_domain::{Document, Fault, Fingerprint, RemoteId, Timestamp};

use crate::call::{Asked, Client, Sent, parse, taken};
use crate::list::{Room, all, before, by_id, by_ids, observe, unreadable};
use crate::problem::Effect;
use crate::wire::Head;
use crate::{customers, invoices};

/// More creations than this are looked for among what was made lately alone, and not each by its own words.
const SEARCHED_MAX: usize = 10;

/// How a kind of record is written.
pub(crate) trait Writable: Room<Beside = ()> {
    /// Whether this is done to such records at all.
    fn takes(&self, client: &Client, action: Action) -> bool;

    /// The JSON that creates it.
    ///
    /// # Errors
    /// [`Fault::Refused`] for a document that the service can't hold.
    fn creation(&self, client: &Client, wanted: &Document) -> Result<String, Fault>;

    /// Whether this is what that creation made.
    fn made(&self, client: &Client, wanted: &Document, shown: &Self::Shown) -> bool;

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

    /// Whether deleting it archives it.
    fn archives(&self) -> bool {
        false
    }

    /// The filters under which what an order may have made is found, whenever it was made.
    fn search(&self, client: &Client, order: &Order) -> Vec<String>;

    /// The filter for what may be of an order, among what was made lately; empty where there is none.
    fn belongs(&self, _order: &Order) -> String {
        String::new()
    }
}

/// A refusal by this program, before anything was sent.
pub(crate) fn refused(code: Code, field: &str, cause: String) -> Fault {
    let field = (!field.is_empty()).then(|| field.to_owned());
    Fault::Refused { code, field, cause }
}

/// A document of another kind came: the engine is wired wrongly.
pub(crate) fn wrong_kind(document: &Document) -> Fault {
    let cause = format!(
        "Alternative Payments: a {} was given to the writer of another kind",
        document.kind()
    );
    refused(Code::new("refused-there"), "", cause)
}

/// An action that a kind doesn't have.
pub(crate) fn cannot(noun: &str, action: Action) -> Fault {
    let cause = format!(
        "Alternative Payments: a {noun} can't be the object of `{}`",
        action.as_str()
    );
    refused(Code::new("irreversible"), "", cause)
}

/// The record that an order names.
///
/// # Errors
/// [`Fault::Refused`] where it names none.
pub(crate) fn target<'a>(noun: &str, order: &'a Order) -> Result<&'a RemoteId, Fault> {
    order.target.as_ref().ok_or_else(|| {
        let cause = format!(
            "Alternative Payments: `{}` of a {noun} names no record",
            order.action.as_str()
        );
        refused(Code::new("refused-there"), "", cause)
    })
}

/// JSON of something that serialises.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| {
        let cause = format!("Alternative Payments: a record can't be written as JSON: {error}");
        refused(Code::new("refused-there"), "", cause)
    })
}

/// A text that is worth writing.
pub(crate) fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// A text that differs, where it does.
pub(crate) fn differing<'a>(wanted: &'a str, there: &str) -> Option<&'a str> {
    let wanted = wanted.trim();
    (wanted != there.trim()).then_some(wanted)
}

/// The written part of a document, in a form that compares.
fn projected(document: &Document) -> Value {
    match document {
        Document::Customer(customer) => customers::projected(customer),
        Document::Invoice(invoice) => invoices::projected(invoice),
        // Nothing else is written over.
        _ => Value::Null,
    }
}

fn status(document: &Document) -> Option<&InvoiceStatus> {
    match document {
        Document::Invoice(invoice) => Some(&invoice.status),
        _ => None,
    }
}

/// Whether nobody changed it between the decision and now.
fn untouched(expected: &Document, there: &Document) -> bool {
    projected(expected) == projected(there) && status(expected) == status(there)
}

/// Whether what is wanted is there already, its mark included.
fn as_wanted(wanted: &Document, there: &Document) -> bool {
    let marked = wanted.marker().is_none() || wanted.marker() == there.marker();
    marked && projected(wanted) == projected(there)
}

/// It was as wanted already.
pub(crate) fn adopted(there: Observed) -> Receipt {
    Receipt {
        id: there.id.clone(),
        observed: Some(there),
        adopted: true,
    }
}

/// A record whose new state no answer shows: it is what was there, changed by what was done.
pub(crate) fn changed(there: Observed, document: Document) -> Observed {
    Observed {
        version: Fingerprint::of(&document).as_str().to_owned(),
        document,
        ..there
    }
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

    fn takes(&self, action: Action) -> bool {
        self.room.takes(&self.client, action)
    }

    fn repeatable(&self, action: Action) -> bool {
        // Everything else looks first.
        action != Action::Create
    }

    fn settle(&self) -> Duration {
        self.client.settings.settle
    }

    async fn write(&self, orders: &[Order]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(orders.len());
        for order in orders {
            let done = match order.action {
                action if !self.takes(action) => Err(cannot(self.noun(), action)),
                Action::Create => self.create(order).await,
                Action::Amend => self.amend(order).await,
                Action::Archive | Action::Void => self.archive(order).await,
                Action::Restore => Err(cannot(self.noun(), order.action)),
            };
            answers.push(done.map_or_else(Answer::Failed, Answer::Applied));
        }
        tieout_domain::port::told_apart(answers)
    }

    async fn candidates(&self, orders: &[Order], since: Timestamp) -> Result<Vec<Observed>, Fault> {
        let (client, shelf) = (&*self.client, self.room.shelf());
        let targets = orders.iter().filter_map(|order| order.target.as_ref());
        let mut raws = by_ids(client, shelf, targets).await?;
        let made: Vec<&Order> = orders
            .iter()
            .filter(|order| order.target.is_none())
            .collect();
        let lately = self.room.made_since(before(client, since));
        let mut filters = BTreeSet::new();
        if made.len() <= SEARCHED_MAX {
            for order in &made {
                let of_it = [lately.clone(), self.room.belongs(order)];
                let of_it = of_it.into_iter().filter(|part| !part.is_empty());
                filters.insert(of_it.collect::<Vec<_>>().join("&"));
                filters.extend(self.room.search(client, order));
            }
        } else {
            filters.insert(lately);
        }
        for filter in filters {
            raws.extend(all(client, shelf, &filter).await?);
        }
        // One that can't be read might be the one looked for: "not found" would be a guess.
        observe(client, &*self.room, &raws).await?.whole(shelf)
    }
}

impl<R: Writable> Writer<R> {
    fn noun(&self) -> &'static str {
        self.room.shelf().noun
    }

    async fn create(&self, order: &Order) -> Result<Receipt, Fault> {
        let shelf = self.room.shelf();
        let what = format!("creating {} {}", shelf.noun, order.document.label());
        let body = self.room.creation(&self.client, &order.document)?;
        let asked = Asked {
            method: &Method::POST,
            path: shelf.path,
            body: Sent::Json(&body),
        };
        let bytes = match self.client.write(asked, &what).await {
            Ok(bytes) => bytes,
            Err(fault) if taken(&fault) => {
                let ours = self.ours(order).await?;
                return ours.map(adopted).ok_or(fault);
            }
            Err(fault) => return Err(fault),
        };
        let raw: Box<RawValue> = parse(&bytes, Effect::Write, &what)?;
        let head: Head = parse(raw.get().as_bytes(), Effect::Write, &what)?;
        let shown: R::Shown = parse(raw.get().as_bytes(), Effect::Write, &what)?;
        if !self.room.made(&self.client, &order.document, &shown) {
            return Err(Fault::Unknown {
                cause: format!(
                    "Alternative Payments: {what}: the answer shows another {}, `{}`",
                    shelf.noun, head.id
                ),
            });
        }
        Ok(self.receipt(head.id, raw, &order.document).await)
    }

    /// The record that has the external id already, where it is the one that this order would make: our mark is unique
    /// among what isn't archived.
    async fn ours(&self, order: &Order) -> Result<Option<Observed>, Fault> {
        let (client, shelf) = (&*self.client, self.room.shelf());
        let mut raws = Vec::new();
        for filter in self.room.search(client, order) {
            raws.extend(all(client, shelf, &filter).await?);
        }
        let sight = observe(client, &*self.room, &raws).await?;
        let marker = order.document.marker();
        Ok(sight.observed.into_iter().find(|observed| {
            let there = &observed.document;
            marker.is_some() && there.marker() == marker && !is_archived(there)
        }))
    }

    /// What is there now, if it can be read.
    async fn looked_at(&self, order: &Order) -> Result<(Observed, R::Shown), Fault> {
        let shelf = self.room.shelf();
        let id = target(shelf.noun, order)?;
        let raw = by_id(&self.client, shelf, id).await?;
        let shown = serde_json::from_str(raw.get())
            .map_err(|error| unreadable(shelf, id, &error.to_string()))?;
        let mut sight = observe(&self.client, &*self.room, &[raw]).await?;
        match (sight.observed.pop(), sight.unreadable.pop()) {
            (Some(observed), _) => Ok((observed, shown)),
            (None, why) => Err(unreadable(
                shelf,
                id,
                &why.map(|(_, why)| why).unwrap_or_default(),
            )),
        }
    }

    /// Nobody has changed it since the order was decided on.
    fn guard(&self, order: &Order, there: &Observed) -> Result<(), Fault> {
        match &order.expect {
            Some(expected) if !untouched(expected, &there.document) => Err(refused(
                Code::new("edited-there"),
                "",
                format!(
                    "Alternative Payments: {} {} ({}) was changed there since this was decided on, so it is left as it is",
                    self.noun(),
                    there.document.label(),
                    there.id
                ),
            )),
            _ => Ok(()),
        }
    }

    async fn amend(&self, order: &Order) -> Result<Receipt, Fault> {
        let (there, shown) = self.looked_at(order).await?;
        if as_wanted(&order.document, &there.document) {
            return Ok(adopted(there));
        }
        self.guard(order, &there)?;
        let (wanted, document) = (&order.document, &there.document);
        let amendment = self
            .room
            .amendment(&self.client, wanted, document, &shown)?;
        let Some(body) = amendment else {
            return Ok(adopted(there));
        };
        let what = format!("changing {} {}", self.noun(), order.document.label());
        let asked = Asked {
            method: &Method::PATCH,
            path: &self.room.shelf().one(there.id.as_str()),
            body: Sent::Json(&body),
        };
        let bytes = self.client.write(asked, &what).await?;
        let raw: Option<Box<RawValue>> = serde_json::from_slice(&bytes).ok();
        let of_it = raw.filter(|raw| {
            let head = serde_json::from_str::<Head>(raw.get());
            head.is_ok_and(|head| head.id == there.id)
        });
        let Some(raw) = of_it else {
            // A success that shows something else proves nothing.
            let noun = self.noun();
            let cause =
                format!("Alternative Payments: {what}: the answer doesn't show this {noun}");
            return Err(Fault::Unknown { cause });
        };
        let receipt = self.receipt(there.id, raw, &order.document).await;
        // Without the service's word on when it changed, a list that lags behind would look like somebody's edit.
        let dated = |observed: &Observed| observed.version.parse::<Timestamp>().is_ok();
        Ok(Receipt {
            observed: receipt.observed.filter(dated),
            ..receipt
        })
    }

    async fn archive(&self, order: &Order) -> Result<Receipt, Fault> {
        if !self.room.archives() {
            return Err(cannot(self.noun(), order.action));
        }
        let (there, _) = self.looked_at(order).await?;
        if is_archived(&there.document) {
            return Ok(adopted(there));
        }
        self.guard(order, &there)?;
        let what = format!("archiving {} {}", self.noun(), order.document.label());
        let path = self.room.shelf().one(there.id.as_str());
        self.client.delete(&path, &what).await?;
        let mut document = there.document.clone();
        if let Document::Invoice(invoice) = &mut document {
            invoice.status = InvoiceStatus::Voided;
        }
        Ok(Receipt {
            id: there.id.clone(),
            observed: Some(changed(there, document)),
            adopted: false,
        })
    }

    /// The receipt of what was done, with what the service showed if it can be read.
    async fn receipt(&self, id: RemoteId, raw: Box<RawValue>, wanted: &Document) -> Receipt {
        // It is done: whatever can't be read of it now, the next read shows.
        let sight = observe(&self.client, &*self.room, &[raw]).await;
        let observed = sight.unwrap_or_default().observed;
        let observed = observed.into_iter().find(|observed| observed.id == id);
        if let Some(observed) = &observed
            && observed.document.amount() != wanted.amount()
        {
            tracing::warn!(
                noun = self.noun(), %id,
                "Alternative Payments shows another total than was written; the next look decides"
            );
        }
        Receipt {
            id,
            observed,
            adopted: false,
        }
    }
}

fn is_archived(document: &Document) -> bool {
    match document {
        Document::Invoice(invoice) => invoice.status == InvoiceStatus::Voided,
        Document::Customer(customer) => customer.inactive,
        _ => false,
    }
}
