//! Kinds of records that are written by external id: each is a form, and one writer fills the port for all.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tieout_domain::code::Code;
use tieout_domain::port::{Action, Answer, Observed, Order, Write};
use tieout_domain::{Document, Fault, Kind, Timestamp};

use crate::call::Client;
use crate::probe::Shape;
use crate::reader::{Reader, Source};
use crate::records::Body;
use crate::upsert::{Amend, BULK, Upsert, amend, candidates, create, not_supported};

/// How the documents of one kind become bodies, and when two of them are the same.
pub(crate) trait Form: Send + Sync + 'static {
    /// What is written.
    type Document;
    /// How it is read back.
    type Source: Source + Copy;

    const SOURCE: Self::Source;
    /// The record's name in addresses.
    const RECORD: &'static str;
    /// What this program may ask of such records.
    const ACTIONS: &'static [Action];
    /// A sublist that a creation replaces as a whole: a repeated write must not append to it once more.
    const REPLACES: Option<&'static str> = None;
    /// The same for a change that sends it.
    const REPLACES_IN_CHANGE: Option<&'static str> = None;
    /// Names are unique over there, so that a refusal because of one that exists needn't be about our own record.
    const UNIQUE_NAME: bool = false;
    /// A receipt has to show the record.
    const SHOWS_WHAT_WAS_MADE: bool = false;

    /// The document, if it is of this kind.
    fn of(document: &Document) -> Option<&Self::Document>;

    /// What is sent to create this document.
    fn body(client: &Client, shape: &Shape, document: &Self::Document) -> Result<Body, Fault> {
        let _ = (client, shape, document);
        Err(unsupported(Self::SOURCE.kind()))
    }

    /// Whether what is there is what was to be written.
    fn same(there: &Self::Document, wanted: &Self::Document) -> bool;

    /// Names under which a deleted record of this document may be listed.
    fn names(_document: &Self::Document) -> Vec<String> {
        Vec::new()
    }

    /// Whether what is there is what it was when a change was decided.
    fn unchanged(_there: &Self::Document, _expected: &Self::Document) -> bool {
        false
    }

    /// What is sent to change `there` into `wanted`.
    fn difference(
        there: &Self::Document,
        expected: Option<&Self::Document>,
        wanted: &Self::Document,
    ) -> Result<Body, Fault> {
        let _ = (there, expected, wanted);
        Err(unsupported(Self::SOURCE.kind()))
    }
}

fn unsupported(kind: Kind) -> Fault {
    Fault::Refused {
        code: Code::new("not-supported"),
        field: None,
        cause: format!("a {kind} can't be written this way"),
    }
}

/// The names under which a transaction with this number may be listed once it is deleted.
pub(crate) fn listed_names(number: &str, titles: &[&str]) -> Vec<String> {
    if number.is_empty() {
        return Vec::new();
    }
    let titled = titles.iter().map(|title| format!("{title} #{number}"));
    std::iter::once(number.to_owned()).chain(titled).collect()
}

/// Writes the records of a form.
pub(crate) struct Writer<F> {
    client: Arc<Client>,
    form: PhantomData<fn() -> F>,
}

impl<F: Form> Writer<F> {
    /// The port, with the kind that it is of.
    pub(crate) fn port(client: &Arc<Client>) -> (Kind, Arc<dyn Write>) {
        let writer = Self {
            client: Arc::clone(client),
            form: PhantomData,
        };
        (writer.kind(), Arc::new(writer))
    }

    fn need(document: &Document) -> Result<&F::Document, Fault> {
        F::of(document).ok_or_else(|| unsupported(document.kind()))
    }

    /// Whether two documents, if they are of this kind, are alike.
    fn alike(
        one: &Document,
        other: &Document,
        judge: impl Fn(&F::Document, &F::Document) -> bool,
    ) -> bool {
        let both = F::of(one).zip(F::of(other));
        both.is_some_and(|(one, other)| judge(one, other))
    }
}

#[async_trait]
impl<F: Form> Upsert for Writer<F> {
    fn client(&self) -> &Client {
        &self.client
    }

    fn record(&self) -> &'static str {
        F::RECORD
    }

    fn kind(&self) -> Kind {
        F::SOURCE.kind()
    }

    fn replaces(&self) -> Option<&'static str> {
        F::REPLACES
    }

    fn has_a_unique_name(&self) -> bool {
        F::UNIQUE_NAME
    }

    fn shows_what_was_made(&self) -> bool {
        F::SHOWS_WHAT_WAS_MADE
    }

    fn body(&self, shape: &Shape, document: &Document) -> Result<Body, Fault> {
        F::body(&self.client, shape, Self::need(document)?)
    }

    async fn found(&self, condition: &str, parameters: &[String]) -> Result<Vec<Observed>, Fault> {
        let reader = Reader::new(&self.client, F::SOURCE);
        reader.matching(condition, parameters).await
    }

    fn same(&self, there: &Document, wanted: &Document) -> bool {
        Self::alike(there, wanted, F::same)
    }

    fn names(&self, document: &Document) -> Vec<String> {
        F::of(document).map(F::names).unwrap_or_default()
    }
}

impl<F: Form> Amend for Writer<F> {
    fn unchanged(&self, there: &Document, expected: &Document) -> bool {
        Self::alike(there, expected, F::unchanged)
    }

    fn difference(
        &self,
        there: &Document,
        expected: Option<&Document>,
        wanted: &Document,
    ) -> Result<Body, Fault> {
        let expected = expected.and_then(F::of);
        F::difference(Self::need(there)?, expected, Self::need(wanted)?)
    }

    fn replaces_in_change(&self) -> Option<&'static str> {
        F::REPLACES_IN_CHANGE
    }
}

#[async_trait]
impl<F: Form> Write for Writer<F> {
    fn bulk_max(&self, _action: Action) -> usize {
        BULK
    }

    /// Each says what is to be, never what to add.
    fn repeatable(&self, action: Action) -> bool {
        F::ACTIONS.contains(&action)
    }

    fn settle(&self) -> Duration {
        self.client.settings.settle
    }

    async fn write(&self, orders: &[Order]) -> Vec<Answer> {
        let action = orders.first().map(|order| order.action);
        match action.filter(|action| F::ACTIONS.contains(action)) {
            Some(Action::Create) => create(self, orders).await,
            Some(Action::Amend) => amend(self, orders).await,
            _ => not_supported(orders),
        }
    }

    async fn candidates(
        &self,
        orders: &[Order],
        _since: Timestamp,
    ) -> Result<Vec<Observed>, Fault> {
        candidates(self, orders).await
    }
}
