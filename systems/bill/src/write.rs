//! Writing: bulk creation with its narrowing, amendments that look first, the archive (README §Writing).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use serde_json::value::RawValue;
use tieout_domain::code::Code;
use tieout_domain::port::{Action, Answer, Observed, Order, Receipt, Write, told_apart};
use tieout_domain::{Document, Fault, RemoteId, Timestamp};

use crate::call::{Client, Failed, not_sent, parse};
use crate::list::{Room, by_id, by_ids, made_since, observe, one};
use crate::problem::Effect;
use crate::projection::{as_wanted, untouched};
use crate::wire::Head;

/// How a kind of record is written.
pub(crate) trait Writable: Room {
    /// The JSON that creates it.
    ///
    /// # Errors
    /// [`Fault::Refused`] for a document that BILL can't hold.
    fn creation(&self, wanted: &Document) -> Result<String, Fault>;

    /// Whether this is what that creation made: an answer to a bulk call must say which is which.
    fn made(&self, wanted: &Document, shown: &Self::Shown) -> bool;

    /// The call that changes what is there into what is wanted; `None` if nothing is left to write.
    ///
    /// # Errors
    /// As [`creation`](Self::creation).
    fn amendment(
        &self,
        wanted: &Document,
        there: &Document,
    ) -> Result<Option<(Method, String)>, Fault>;

    /// What narrows a search for what these orders may have made, besides the time.
    fn search(&self, _orders: &[Order]) -> Vec<String> {
        Vec::new()
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
        "BILL: a {} was given to the writer of another kind",
        document.kind()
    );
    refused(Code::new("refused-there"), "", cause)
}

/// JSON of something that serialises.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| {
        let cause = format!("BILL: a record can't be written as JSON: {error}");
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
    fn bulk_max(&self, action: Action) -> usize {
        match action {
            Action::Create => self
                .room
                .shelf()
                .bulk_max
                .min(self.client.settings.bulk)
                .max(1),
            // One call each; the caller overlaps them.
            Action::Amend | Action::Archive | Action::Restore | Action::Void => 1,
        }
    }

    fn repeatable(&self, action: Action) -> bool {
        // Amendments look first, the archive is idempotent (README §Writing).
        matches!(action, Action::Amend | Action::Archive | Action::Restore)
    }

    fn settle(&self) -> Duration {
        self.client.settings.settle
    }

    async fn write(&self, orders: &[Order]) -> Vec<Answer> {
        if orders
            .first()
            .is_some_and(|order| order.action == Action::Create)
        {
            return self.create(orders).await;
        }
        let mut answers = Vec::with_capacity(orders.len());
        for order in orders {
            let done = match order.action {
                Action::Amend => self.amend(order).await,
                Action::Archive => self.shelve(order, "archive").await,
                Action::Restore => self.shelve(order, "restore").await,
                Action::Create | Action::Void => Err(cannot(self.room.shelf().noun, order.action)),
            };
            answers.push(done.map_or_else(Answer::Failed, Answer::Applied));
        }
        answers
    }

    async fn candidates(&self, orders: &[Order], since: Timestamp) -> Result<Vec<Observed>, Fault> {
        let shelf = self.room.shelf();
        let targets: Vec<RemoteId> = orders.iter().filter_map(|o| o.target.clone()).collect();
        let mut raws = by_ids(&self.client, shelf, &targets).await?;
        if orders.iter().any(|order| order.target.is_none()) {
            let filters = self.room.search(orders);
            raws.extend(made_since(&self.client, shelf, filters, since).await?);
        }
        let sight = observe(&self.client, &*self.room, &raws).await?;
        match sight.unreadable.into_iter().next() {
            None => Ok(sight.observed),
            // It might be the one looked for: "not found" would be a guess.
            Some((id, why)) => Err(Fault::Drift {
                code: Code::new("drift"),
                cause: format!("BILL: {} {id} can't be read: {why}", shelf.noun),
            }),
        }
    }
}

/// An action that this kind doesn't have.
pub(crate) fn cannot(noun: &str, action: Action) -> Fault {
    let cause = format!(
        "BILL: a {noun} can't be the object of `{}`",
        action.as_str()
    );
    refused(Code::new("irreversible"), "", cause)
}

/// A target that a write needs.
pub(crate) fn target<'a>(order: &'a Order, noun: &str) -> Result<&'a RemoteId, Fault> {
    order.target.as_ref().ok_or_else(|| {
        let cause = format!(
            "BILL: `{}` of a {noun} names no record",
            order.action.as_str()
        );
        refused(Code::new("refused-there"), "", cause)
    })
}

impl<R: Writable> Writer<R> {
    /// Creates all of them in few calls. A refused bulk call made nothing, so it is cut smaller until the
    /// bad ones stand alone; an unanswered one may have made everything, so none of it is sent again.
    async fn create(&self, orders: &[Order]) -> Vec<Answer> {
        let mut answers: Vec<Option<Answer>> = vec![None; orders.len()];
        let mut bodies = Vec::with_capacity(orders.len());
        let mut good = Vec::new();
        for (at, order) in orders.iter().enumerate() {
            let body = self.room.creation(&order.document).unwrap_or_else(|fault| {
                answers[at] = Some(Answer::Failed(fault));
                String::new()
            });
            if answers[at].is_none() {
                good.push(at);
            }
            bodies.push(body);
        }
        let max = self.bulk_max(Action::Create);
        let mut groups: Vec<Vec<usize>> = good.chunks(max).rev().map(<[usize]>::to_vec).collect();
        let mut halted: Option<Fault> = None;
        while let Some(group) = groups.pop() {
            if let Some(fault) = &halted {
                for at in group {
                    answers[at] = Some(Answer::Failed(fault.clone()));
                }
                continue;
            }
            let sent = match group.as_slice() {
                [at] => self
                    .create_one(&orders[*at], &bodies[*at])
                    .await
                    .map(|answer| vec![answer]),
                _ => self.create_bulk(orders, &bodies, &group).await,
            };
            match sent {
                Ok(made) => {
                    for (at, answer) in group.into_iter().zip(made) {
                        answers[at] = Some(answer);
                    }
                }
                Err(failed) if group.len() > 1 && narrows(&failed.fault) => {
                    groups.extend(narrowed(group, &failed));
                }
                Err(failed) => {
                    if matches!(failed.fault, Fault::Later { .. } | Fault::Denied { .. }) {
                        halted = Some(failed.fault.clone());
                    }
                    for at in group {
                        answers[at] = Some(Answer::Failed(failed.fault.clone()));
                    }
                }
            }
        }
        let lost = || {
            Answer::Failed(Fault::Unknown {
                cause: "BILL: no answer was kept".to_owned(),
            })
        };
        told_apart(
            answers
                .into_iter()
                .map(|answer| answer.unwrap_or_else(lost))
                .collect(),
        )
    }

    async fn create_one(&self, order: &Order, body: &str) -> Result<Answer, Failed> {
        let shelf = self.room.shelf();
        let what = format!("creating {} {}", shelf.noun, order.document.label());
        let bytes = self
            .client
            .write(&Method::POST, shelf.path, Some(body), &what)
            .await?;
        let raw: Box<RawValue> = parse(&bytes, Effect::Write, &what)?;
        let made = self.receipts(&[&*raw]).await.pop();
        Ok(match made {
            Some((Some(shown), answer)) if self.room.made(&order.document, &shown) => answer,
            _ => unknown(&what, "the answer doesn't hold this record"),
        })
    }

    async fn create_bulk(
        &self,
        orders: &[Order],
        bodies: &[String],
        group: &[usize],
    ) -> Result<Vec<Answer>, Failed> {
        let shelf = self.room.shelf();
        let what = format!("creating {} {}", group.len(), shelf.nouns());
        let mut body = String::from("[");
        for (nth, at) in group.iter().enumerate() {
            if nth > 0 {
                body.push(',');
            }
            body.push_str(&bodies[*at]);
        }
        body.push(']');
        let path = format!("{}/bulk", shelf.path);
        let bytes = self
            .client
            .write(&Method::POST, &path, Some(&body), &what)
            .await?;
        let raws = unwrapped(&bytes, shelf.wrapped).ok_or_else(|| {
            Failed::from(Fault::Unknown {
                cause: format!(
                    "BILL: {what}: the answer holds no list of {}",
                    shelf.wrapped
                ),
            })
        })?;
        let raws: Vec<&RawValue> = raws.iter().map(|raw| &**raw).collect();
        let mut made: Vec<Option<(R::Shown, Answer)>> = self
            .receipts(&raws)
            .await
            .into_iter()
            .map(|(shown, answer)| shown.map(|shown| (shown, answer)))
            .collect();
        // Answers come in the order of the request, as far as anyone knows: so each is first looked for in
        // its own place, and only then elsewhere. What isn't in the answer may still have been made.
        let mut answers: Vec<Option<Answer>> = vec![None; group.len()];
        for own_place in [true, false] {
            for (nth, at) in group.iter().enumerate() {
                if answers[nth].is_some() {
                    continue;
                }
                let fits = |slot: &Option<(R::Shown, Answer)>| {
                    slot.as_ref()
                        .is_some_and(|(shown, _)| self.room.made(&orders[*at].document, shown))
                };
                let place = if own_place {
                    made.get(nth).is_some_and(fits).then_some(nth)
                } else {
                    made.iter().position(fits)
                };
                answers[nth] = place
                    .and_then(|place| made[place].take())
                    .map(|(_, answer)| answer);
            }
        }
        let missing = || unknown(&what, "the answer doesn't hold this record");
        Ok(answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(missing))
            .collect())
    }

    /// A receipt for each record of an answer.
    async fn receipts(&self, raws: &[&RawValue]) -> Vec<(Option<R::Shown>, Answer)> {
        let owned: Vec<Box<RawValue>> = raws.iter().map(|raw| (*raw).to_owned()).collect();
        // The records are made: whatever can't be read of them now, the next read shows.
        let mut observed = match observe(&self.client, &*self.room, &owned).await {
            Ok(sight) => sight.observed,
            Err(fault) => {
                tracing::warn!(%fault, "what BILL answered to a creation can't be read yet");
                Vec::new()
            }
        };
        let shown_ids: Vec<RemoteId> = raws
            .iter()
            .filter_map(|raw| serde_json::from_str::<Head>(raw.get()).ok())
            .map(|head| head.id.into())
            .collect();
        let receipt = |raw: &&RawValue| {
            let shown = serde_json::from_str(raw.get()).ok();
            let Ok(head) = serde_json::from_str::<Head>(raw.get()) else {
                return (
                    shown,
                    unknown("creating", "the answer holds a record without an id"),
                );
            };
            let id = RemoteId::from(head.id);
            if shown_ids.iter().filter(|shown| **shown == id).count() > 1 {
                let why = format!("the answer holds record `{id}` twice");
                return (shown, unknown("creating", &why));
            }
            let place = observed.iter().position(|observed| observed.id == id);
            let observed = place.map(|place| observed.swap_remove(place));
            (
                shown,
                Answer::Applied(Receipt {
                    id,
                    observed,
                    adopted: false,
                }),
            )
        };
        raws.iter().map(receipt).collect()
    }

    /// What is there now, if nobody changed it since the order was decided on.
    async fn looked_at(&self, order: &Order) -> Result<Observed, Fault> {
        let shelf = self.room.shelf();
        let id = target(order, shelf.noun)?;
        let raw = by_id(&self.client, shelf, id.as_str()).await;
        let raw = raw.map_err(not_sent)?;
        let mut sight = observe(&self.client, &*self.room, &[raw]).await?;
        sight.observed.pop().ok_or_else(|| {
            let why = sight
                .unreadable
                .pop()
                .map(|(_, why)| why)
                .unwrap_or_default();
            let cause = format!("BILL: {} {id} can't be read: {why}", shelf.noun);
            Fault::Drift {
                code: Code::new("drift"),
                cause,
            }
        })
    }

    fn guard(&self, order: &Order, there: &Observed) -> Result<(), Fault> {
        match &order.expect {
            Some(expected) if !untouched(expected, &there.document) => Err(refused(
                Code::new("edited-there"),
                "",
                format!(
                    "BILL: {} {} ({}) was changed there since this was decided on, so it is left as \
                     it is",
                    self.room.shelf().noun,
                    there.document.label(),
                    there.id
                ),
            )),
            _ => Ok(()),
        }
    }

    async fn amend(&self, order: &Order) -> Result<Receipt, Fault> {
        let there = self.looked_at(order).await?;
        let adopted = |there: Observed| Receipt {
            id: there.id.clone(),
            observed: Some(there),
            adopted: true,
        };
        if as_wanted(&order.document, &there.document) {
            return Ok(adopted(there));
        }
        self.guard(order, &there)?;
        let Some((method, body)) = self.room.amendment(&order.document, &there.document)? else {
            return Ok(adopted(there));
        };
        let shelf = self.room.shelf();
        let what = format!("changing {} {}", shelf.noun, order.document.label());
        let path = one(shelf, there.id.as_str());
        let bytes = self
            .client
            .write(&method, &path, Some(&body), &what)
            .await?;
        self.changed(there.id, &bytes, &order.document).await
    }

    async fn shelve(&self, order: &Order, verb: &'static str) -> Result<Receipt, Fault> {
        let shelf = self.room.shelf();
        if !shelf.archives || !shelf.restores {
            // What can't be taken out of the archive again is not put there (scenario 52).
            return Err(cannot(shelf.noun, order.action));
        }
        let id = target(order, shelf.noun)?.clone();
        if order.expect.is_some() {
            self.guard(order, &self.looked_at(order).await?)?;
        }
        let what = format!("{verb} of {} {}", shelf.noun, order.document.label());
        let path = format!("{}/{verb}", one(shelf, id.as_str()));
        let bytes = self.client.write(&Method::POST, &path, None, &what).await?;
        self.changed(id, &bytes, &order.document).await
    }

    /// The receipt of a change, with what the service showed if it showed anything. A success that shows
    /// something else than the record proves nothing.
    async fn changed(
        &self,
        id: RemoteId,
        bytes: &[u8],
        wanted: &Document,
    ) -> Result<Receipt, Fault> {
        let mut observed = None;
        if !bytes.is_empty() {
            let raw = shown_of(bytes, &id, self.room.shelf().noun)?;
            if let Ok(mut sight) = observe(&self.client, &*self.room, &[raw]).await {
                observed = sight.observed.pop();
            }
        }
        if let Some(observed) = &observed
            && observed.document.amount() != wanted.amount()
        {
            tracing::warn!(
                noun = self.room.shelf().noun, %id,
                "BILL shows another total than was written; the next look decides"
            );
        }
        Ok(Receipt {
            id,
            observed,
            adopted: false,
        })
    }
}

/// The record that the answer to a change shows.
///
/// # Errors
/// `Unknown` if it is not that record.
pub(crate) fn shown_of(bytes: &[u8], id: &RemoteId, noun: &str) -> Result<Box<RawValue>, Fault> {
    let raw: Option<Box<RawValue>> = serde_json::from_slice(bytes).ok();
    let of_it = raw.filter(|raw| {
        let head = serde_json::from_str::<Head>(raw.get());
        head.is_ok_and(|head| head.id == id.as_str())
    });
    of_it.ok_or_else(|| Fault::Unknown {
        cause: format!("BILL: changing {noun} {id}: the answer doesn't show this {noun}"),
    })
}

fn unknown(what: &str, why: &str) -> Answer {
    Answer::Failed(Fault::Unknown {
        cause: format!("BILL: {what}: {why}"),
    })
}

/// Whether a refusal of many may be the fault of one.
fn narrows(fault: &Fault) -> bool {
    matches!(fault, Fault::Refused { .. })
}

/// Smaller groups, the first to try last: the named one alone and the rest together, or two halves.
fn narrowed(group: Vec<usize>, failed: &Failed) -> Vec<Vec<usize>> {
    let named = failed
        .problem
        .as_ref()
        .and_then(|problem| problem.index(group.len()));
    match named {
        Some(nth) => {
            let mut rest = group;
            let bad = rest.remove(nth);
            vec![rest, vec![bad]]
        }
        None => {
            let (left, right) = group.split_at(group.len() / 2);
            vec![right.to_vec(), left.to_vec()]
        }
    }
}

/// The records of a bulk answer: a bare list, or one wrapped in an object.
fn unwrapped(bytes: &[u8], name: &str) -> Option<Vec<Box<RawValue>>> {
    if let Ok(list) = serde_json::from_slice(bytes) {
        return Some(list);
    }
    let mut object: std::collections::BTreeMap<String, Box<RawValue>> =
        serde_json::from_slice(bytes).ok()?;
    serde_json::from_str(object.remove(name)?.get()).ok()
}
