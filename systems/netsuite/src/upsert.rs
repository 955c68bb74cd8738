//! Creating by external id: look first, create what isn't there, never overwrite (README §Writing).
//!
//! `PUT …/eid:` makes a record or changes the one that is there. A look-up in the same attempt comes first:
//! what is there and equal is adopted, what a person has edited there is refused (scenario 144), what a
//! person has deleted there is not made again (scenario 145). A request that is repeated after an unknown
//! outcome meets its own record and changes nothing.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::StreamExt as _;
use tieout_domain::code::Code;
use tieout_domain::port::{Answer, Observed, Order, Receipt, told_apart};
use tieout_domain::{Document, Fault, Kind, RemoteId};

use crate::call::Client;
use crate::probe::Shape;
use crate::records::Body;
use crate::suiteql::{id_list, placeholders};

/// Orders of one batch: one look-up serves them all.
pub(crate) const BULK: usize = 100;

/// A kind of record that is written by external id.
#[async_trait]
pub(crate) trait Upsert: Send + Sync {
    fn client(&self) -> &Client;

    /// The record's name in addresses.
    fn record(&self) -> &'static str;

    fn kind(&self) -> Kind;

    /// A sublist that is replaced as a whole.
    fn replaces(&self) -> Option<&'static str>;

    /// What is sent to create this document.
    fn body(&self, shape: &Shape, document: &Document) -> Result<Body, Fault>;

    /// Records that meet a condition.
    async fn found(&self, condition: &str, parameters: &[String]) -> Result<Vec<Observed>, Fault>;

    /// Whether what is there is what was to be written.
    fn same(&self, there: &Document, wanted: &Document) -> bool;

    /// Names under which a deleted record of this document may be listed.
    fn names(&self, document: &Document) -> Vec<String>;

    /// Whether names are unique over there, so that a refusal because of one that exists needn't be about our
    /// own record.
    fn has_a_unique_name(&self) -> bool;

    /// Whether a receipt has to show the record.
    fn shows_what_was_made(&self) -> bool;
}

/// The external id that an order's record has or is to have.
fn external_id(order: &Order) -> String {
    let own = order.document.external_id();
    own.unwrap_or(&order.key).as_str().to_owned()
}

fn external_id_there(document: &Document) -> String {
    // External ids are compared without regard to case over there.
    document
        .external_id()
        .map(|id| id.as_str().to_ascii_lowercase())
        .unwrap_or_default()
}

pub(crate) fn all_failed(orders: &[Order], fault: &Fault) -> Vec<Answer> {
    orders
        .iter()
        .map(|_| Answer::Failed(fault.clone()))
        .collect()
}

pub(crate) fn not_supported(orders: &[Order]) -> Vec<Answer> {
    orders
        .iter()
        .map(|order| {
            Answer::Failed(Fault::Refused {
                code: Code::new("not-supported"),
                field: None,
                cause: format!(
                    "a {} can't be asked to {} in NetSuite by this program",
                    order.document.kind(),
                    order.action.as_str()
                ),
            })
        })
        .collect()
}

/// Records of these orders' external ids; of their targets where they have one.
pub(crate) async fn candidates(
    writer: &dyn Upsert,
    orders: &[Order],
) -> Result<Vec<Observed>, Fault> {
    let mut all = Vec::new();
    for orders in orders.chunks(BULK) {
        all.extend(by_external_id(writer, orders).await?);
        let targets: Vec<RemoteId> = orders
            .iter()
            .filter_map(|order| order.target.clone())
            .filter(|id| !all.iter().any(|found: &Observed| found.id == *id))
            .collect();
        if !targets.is_empty() {
            let condition = format!("t.id IN ({})", id_list(&targets));
            all.extend(writer.found(&condition, &[]).await?);
        }
    }
    Ok(all)
}

async fn by_external_id(writer: &dyn Upsert, orders: &[Order]) -> Result<Vec<Observed>, Fault> {
    let ids: Vec<String> = orders.iter().map(external_id).collect();
    let condition = format!("t.externalid IN ({})", placeholders(ids.len()));
    writer.found(&condition, &ids).await
}

/// Creates a batch and answers for each order.
pub(crate) async fn create(writer: &dyn Upsert, orders: &[Order]) -> Vec<Answer> {
    let client = writer.client();
    let prepared = async {
        let shape = client.shape().await?;
        let there = by_external_id(writer, orders).await?;
        let deleted = deleted(writer, orders, &there).await?;
        Ok::<_, Fault>((shape, there, deleted))
    };
    let (shape, there, deleted) = match prepared.await {
        Ok(prepared) => prepared,
        // A record under one of the external ids can't be read: that order alone fails by it.
        Err(Fault::Drift { .. }) if orders.len() > 1 => {
            let (left, right) = orders.split_at(orders.len() / 2);
            let mut answers = Box::pin(create(writer, left)).await;
            answers.extend(Box::pin(create(writer, right)).await);
            return answers;
        }
        // Nothing was sent yet that writes.
        Err(fault) => return all_failed(orders, &fault),
    };
    let writes: Vec<_> = orders
        .iter()
        .zip(&deleted)
        .map(|(order, deleted)| create_one(writer, &shape, order, &there, deleted.as_deref()))
        .collect();
    let answers: Vec<_> = futures::stream::iter(writes)
        .buffered(client.settings.concurrency)
        .collect()
        .await;
    complete(writer, orders, answers).await
}

/// For each order: the name under which its record seems to have been deleted.
async fn deleted(
    writer: &dyn Upsert,
    orders: &[Order],
    there: &[Observed],
) -> Result<Vec<Option<String>>, Fault> {
    let there: Vec<String> = there
        .iter()
        .map(|found| external_id_there(&found.document))
        .collect();
    let names: Vec<Vec<String>> = orders
        .iter()
        .map(|order| {
            let known = there.contains(&external_id(order).to_ascii_lowercase());
            if known {
                Vec::new()
            } else {
                writer.names(&order.document)
            }
        })
        .collect();
    let all: Vec<String> = names.iter().flatten().cloned().collect();
    let gone = writer.client().deleted_by_name(&all).await?;
    Ok(names
        .iter()
        .map(|names| {
            gone.iter()
                .find(|record| record.may_be(writer.kind()) && names.contains(&record.name))
                .map(|record| format!("{} (id {}, {})", record.name, record.id, record.deleted))
        })
        .collect())
}

/// What one creation came to; nothing if a record was made without saying its id.
type Made = Option<Answer>;

async fn create_one(
    writer: &dyn Upsert,
    shape: &Shape,
    order: &Order,
    there: &[Observed],
    deleted: Option<&str>,
) -> Made {
    let external_id = external_id(order);
    let low = external_id.to_ascii_lowercase();
    if let Some(found) = there
        .iter()
        .find(|found| external_id_there(&found.document) == low)
    {
        return Some(adopt(writer, order, found));
    }
    if let Some(deleted) = deleted {
        return Some(Answer::Failed(Fault::Refused {
            code: Code::new("deleted-there"),
            field: None,
            cause: format!("it was in NetSuite and somebody deleted it there: {deleted}"),
        }));
    }
    let body = match writer.body(shape, &order.document) {
        Ok(body) => body,
        Err(fault) => return Some(Answer::Failed(fault)),
    };
    let put =
        writer
            .client()
            .put_by_external_id(writer.record(), &external_id, writer.replaces(), &body);
    match put.await {
        Ok(Some(id)) => Some(Answer::Applied(Receipt {
            id,
            observed: None,
            adopted: false,
        })),
        Ok(None) => None,
        // Our own key is taken: by an earlier sending of this very write, which the look-up didn't show yet.
        Err(Fault::Refused { code, cause, field }) if code.as_str() == "exists-there" => {
            let own = !writer.has_a_unique_name()
                || by_external_id(writer, std::slice::from_ref(order))
                    .await
                    // While it can't be looked for, nobody knows.
                    .map_or(true, |found| !found.is_empty());
            Some(Answer::Failed(if own {
                Fault::Unknown { cause }
            } else {
                Fault::Refused { code, field, cause }
            }))
        }
        Err(fault) => Some(Answer::Failed(fault)),
    }
}

fn adopt(writer: &dyn Upsert, order: &Order, found: &Observed) -> Answer {
    if writer.same(&found.document, &order.document) {
        return Answer::Applied(Receipt {
            id: found.id.clone(),
            observed: Some(found.clone()),
            adopted: true,
        });
    }
    Answer::Failed(edited(
        &found.id,
        &format!("under the external id {}", external_id(order)),
    ))
}

/// A person has changed what is there.
pub(crate) fn edited(id: &RemoteId, how: &str) -> Fault {
    Fault::Refused {
        code: Code::new("edited-there"),
        field: None,
        cause: format!(
            "NetSuite has record {id} {how}, and it differs from what was last agreed: it was edited \
             there and is not overwritten"
        ),
    }
}

/// Finds the ids of records that were made without one in the answer, and shows what was made where the
/// caller needs it: one query each for the whole batch.
async fn complete(writer: &dyn Upsert, orders: &[Order], made: Vec<Made>) -> Vec<Answer> {
    let nameless: Vec<Order> = orders
        .iter()
        .zip(&made)
        .filter(|(_, made)| made.is_none())
        .map(|(order, _)| order.clone())
        .collect();
    let found = if nameless.is_empty() {
        Ok(Vec::new())
    } else {
        by_external_id(writer, &nameless).await
    };
    let mut answers = told_apart(
        orders
            .iter()
            .zip(made)
            .map(|(order, made)| match made {
                Some(answer) => answer,
                None => named(order, &found),
            })
            .collect(),
    );
    if writer.shows_what_was_made() {
        show(writer, orders, &mut answers).await;
    }
    answers
}

fn named(order: &Order, found: &Result<Vec<Observed>, Fault>) -> Answer {
    let unknown = |cause: String| Answer::Failed(Fault::Unknown { cause });
    let found = match found {
        Ok(found) => found,
        Err(fault) => {
            return unknown(format!(
                "it was written, and looking up its id failed: {fault}"
            ));
        }
    };
    let low = external_id(order).to_ascii_lowercase();
    match found
        .iter()
        .find(|found| external_id_there(&found.document) == low)
    {
        Some(found) => Answer::Applied(Receipt {
            id: found.id.clone(),
            observed: Some(found.clone()),
            adopted: false,
        }),
        None => unknown("it was answered as written, and isn't found yet".to_owned()),
    }
}

async fn show(writer: &dyn Upsert, orders: &[Order], answers: &mut [Answer]) {
    let ids: Vec<RemoteId> = answers
        .iter()
        .filter_map(|answer| match answer {
            Answer::Applied(receipt) if receipt.observed.is_none() => Some(receipt.id.clone()),
            _ => None,
        })
        .collect();
    if ids.is_empty() {
        return;
    }
    let condition = format!("t.id IN ({})", id_list(&ids));
    let shown: BTreeMap<RemoteId, Observed> = match writer.found(&condition, &[]).await {
        Ok(found) => found
            .into_iter()
            .map(|found| (found.id.clone(), found))
            .collect(),
        Err(fault) => {
            // The write is done; what it looks like is read again when it is needed.
            tracing::warn!(%fault, "what was written could not be read back");
            return;
        }
    };
    for (order, answer) in orders.iter().zip(answers) {
        let Answer::Applied(receipt) = answer else {
            continue;
        };
        if receipt.observed.is_some() {
            continue;
        }
        let Some(there) = shown.get(&receipt.id) else {
            continue;
        };
        let key = external_id_there(&there.document);
        if key.is_empty() || key == external_id(order).to_ascii_lowercase() {
            receipt.observed = Some(there.clone());
        } else {
            let id = &receipt.id;
            let cause = format!("it was answered as written, as {id}, which is another's record");
            *answer = Answer::Failed(Fault::Unknown { cause });
        }
    }
}

/// How a change of an existing record is decided.
pub(crate) trait Amend: Upsert {
    /// Whether what is there is what it was when the change was decided.
    fn unchanged(&self, there: &Document, expected: &Document) -> bool;

    /// What is sent to change `there` into `wanted`.
    fn difference(
        &self,
        there: &Document,
        expected: Option<&Document>,
        wanted: &Document,
    ) -> Result<Body, Fault>;

    /// A sublist that a change replaces as a whole, where it sends it.
    fn replaces_in_change(&self) -> Option<&'static str>;
}

/// Changes a batch: reads all targets in one go, refuses what a person has changed since, and sends only
/// what differs.
pub(crate) async fn amend<W: Amend>(writer: &W, orders: &[Order]) -> Vec<Answer> {
    let targets: Vec<RemoteId> = orders
        .iter()
        .filter_map(|order| order.target.clone())
        .collect();
    let condition = format!("t.id IN ({})", id_list(&targets));
    let there = match writer.found(&condition, &[]).await {
        Ok(there) => there,
        Err(fault) => return all_failed(orders, &fault),
    };
    let writes: Vec<_> = orders
        .iter()
        .map(|order| amend_one(writer, order, &there))
        .collect();
    futures::stream::iter(writes)
        .buffered(writer.client().settings.concurrency)
        .collect()
        .await
}

async fn amend_one<W: Amend>(writer: &W, order: &Order, there: &[Observed]) -> Answer {
    let found = there
        .iter()
        .find(|found| Some(&found.id) == order.target.as_ref());
    let Some(found) = found else {
        let id = order.target.as_ref().map_or("none", RemoteId::as_str);
        return Answer::Failed(Fault::Refused {
            code: Code::new("gone-there"),
            field: None,
            cause: format!(
                "the {} to change (id {id}) isn't in NetSuite",
                writer.kind()
            ),
        });
    };
    if writer.same(&found.document, &order.document) {
        return Answer::Applied(Receipt {
            id: found.id.clone(),
            observed: Some(found.clone()),
            adopted: true,
        });
    }
    let expected = order.expect.as_ref();
    if expected.is_some_and(|expected| !writer.unchanged(&found.document, expected)) {
        return Answer::Failed(edited(&found.id, "to change"));
    }
    let body = match writer.difference(&found.document, expected, &order.document) {
        Ok(body) => body,
        Err(fault) => return Answer::Failed(fault),
    };
    let receipt = |adopted| {
        Answer::Applied(Receipt {
            id: found.id.clone(),
            observed: None,
            adopted,
        })
    };
    if body.is_empty() {
        return receipt(true);
    }
    let replaces = writer
        .replaces_in_change()
        .filter(|sublist| body.has(sublist));
    match writer
        .client()
        .patch(writer.record(), &found.id, replaces, &body)
        .await
    {
        Ok(()) => receipt(false),
        Err(fault) => Answer::Failed(fault),
    }
}
