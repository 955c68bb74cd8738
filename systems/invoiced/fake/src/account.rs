//! An account of Invoiced: all objects, and the clock they live by.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::Decimal;
use tieout_kit::fake::FakeClock;

use crate::auth::Keys;
use crate::events;
use crate::json::Json;
use crate::kind::Kind;
use crate::outbound::Outbound;
use crate::problem::Problem;
use crate::random::Random;
use crate::switches::Switches;
use crate::table::Table;
use crate::webhooks::Webhooks;

/// The currency of an account that doesn't say.
pub(crate) const CURRENCY: &str = "usd";

/// An account.
#[derive(Clone)]
pub(crate) struct Account {
    clock: Arc<FakeClock>,
    /// Makes keys and tokens.
    pub(crate) random: Random,
    /// Who may call.
    pub(crate) keys: Keys,
    /// How it behaves.
    pub(crate) switches: Switches,
    tables: Vec<Table>,
    /// What was applied to each document.
    pub(crate) applied: BTreeMap<(Kind, i64), Decimal>,
    /// Credit that customers have, by currency.
    pub(crate) credits: BTreeMap<(i64, String), Decimal>,
    /// Payments in flight, by the document that they are to.
    pub(crate) in_flight: BTreeSet<(Kind, i64, i64)>,
    /// Endpoints, and what has to go to them.
    pub(crate) webhooks: Webhooks,
    /// What the service would have sent or charged.
    pub(crate) outbound: Outbound,
    /// The bytes of files.
    pub(crate) contents: BTreeMap<String, (String, bytes::Bytes)>,
    /// While the world is loaded: the moment it is loaded as of. Nothing is told of then.
    pub(crate) loading: Option<Timestamp>,
    /// Grows with every change.
    pub(crate) changes: u64,
    /// The earliest due date that hasn't been looked at.
    pub(crate) next_due: i64,
}

impl Account {
    /// An account without objects.
    pub(crate) fn new(clock: Arc<FakeClock>, seed: u64) -> Self {
        let mut random = Random::new(seed);
        Self {
            clock,
            keys: Keys::new(&mut random),
            random,
            switches: Switches::default(),
            tables: Kind::ALL.into_iter().map(Table::new).collect(),
            applied: BTreeMap::new(),
            credits: BTreeMap::new(),
            in_flight: BTreeSet::new(),
            webhooks: Webhooks::default(),
            outbound: Outbound::default(),
            contents: BTreeMap::new(),
            loading: None,
            changes: 0,
            next_due: i64::MAX,
        }
    }

    /// The present moment.
    pub(crate) fn time(&self) -> Timestamp {
        self.loading.unwrap_or_else(|| self.clock.now())
    }

    /// The present moment in seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.time().as_second()
    }

    /// All objects of a kind.
    pub(crate) fn table(&self, kind: Kind) -> &Table {
        &self.tables[kind as usize]
    }

    /// All objects of a kind, to change them without telling anybody.
    pub(crate) fn table_mut(&mut self, kind: Kind) -> &mut Table {
        self.changes += 1;
        &mut self.tables[kind as usize]
    }

    /// The object at a place.
    pub(crate) fn get(&self, kind: Kind, place: i64) -> Result<&Json, Problem> {
        let found = self.table(kind).get(place);
        found.ok_or_else(|| Problem::missing(kind, &place.to_string()))
    }

    /// The place of an identifier.
    pub(crate) fn find(&self, kind: Kind, id: &str) -> Result<i64, Problem> {
        let found = self.table(kind).find(id);
        found.ok_or_else(|| Problem::missing(kind, id))
    }

    /// The place of the object that a parameter of a request names.
    pub(crate) fn reference(
        &self,
        kind: Kind,
        param: &'static str,
        place: i64,
    ) -> Result<i64, Problem> {
        if self.table(kind).get(place).is_some() {
            return Ok(place);
        }
        let message = format!("No such {}: {place}", kind.object().replace('_', " "));
        Err(Problem::param(param, message))
    }

    /// Adds an object, stamps it, and tells of it.
    pub(crate) fn insert(&mut self, kind: Kind, mut fields: Json) -> i64 {
        let now = self.now();
        fields.put("created_at", now.into());
        fields.put("updated_at", now.into());
        let place = self.table_mut(kind).push(fields);
        self.tell(kind, place, "created", Json::Null);
        place
    }

    /// Changes an object, stamps it, and tells of it; nothing happens if nothing differs afterwards.
    pub(crate) fn change(&mut self, kind: Kind, place: i64, work: impl FnOnce(&mut Json)) {
        let Some(before) = self.table(kind).get(place).cloned() else {
            return;
        };
        let mut after = before.clone();
        work(&mut after);
        if after == before {
            return;
        }
        after.put("updated_at", self.now().into());
        let previous = events::previous(&before, &after);
        self.table_mut(kind).replace(place, after);
        self.tell(kind, place, "updated", previous);
    }

    /// Changes an object and tells nobody, not even by `updated_at`.
    pub(crate) fn change_quietly(&mut self, kind: Kind, place: i64, work: impl FnOnce(&mut Json)) {
        if let Some(mut fields) = self.table(kind).get(place).cloned() {
            work(&mut fields);
            self.table_mut(kind).replace(place, fields);
        }
    }

    /// Takes an object away and tells of it.
    pub(crate) fn remove(&mut self, kind: Kind, place: i64) {
        self.tell(kind, place, "deleted", Json::Null);
        self.table_mut(kind).remove(place);
    }

    /// Tells what happened to an object.
    pub(crate) fn tell(&mut self, kind: Kind, place: i64, what: &str, previous: Json) {
        if kind.has_events() && self.loading.is_none() {
            let name = format!("{}.{what}", kind.object());
            events::emit(self, &name, kind, place, previous);
        }
    }

    /// A number that nobody has, where none was given; a given one must be free.
    pub(crate) fn number(
        &mut self,
        kind: Kind,
        given: Option<&str>,
        own: Option<i64>,
    ) -> Result<String, Problem> {
        if let Some(given) = given {
            let others = self.table(kind).having("number", given);
            if others.iter().any(|other| Some(*other) != own) {
                let message = format!(
                    "The given {} number has already been taken: {given}",
                    kind.object()
                );
                return Err(Problem::param("number", message));
            }
            return Ok(given.to_owned());
        }
        let prefix = kind.number_prefix().unwrap_or_default();
        loop {
            let table = self.table_mut(kind);
            table.numbered += 1;
            let number = format!("{prefix}-{:04}", table.numbered);
            if table.having("number", &number).is_empty() {
                return Ok(number);
            }
        }
    }

    /// What credit a customer has.
    pub(crate) fn credit(&self, customer: i64, currency: &str) -> Decimal {
        let key = (customer, currency.to_owned());
        self.credits.get(&key).copied().unwrap_or_default()
    }

    /// Gives a customer credit, or takes it.
    pub(crate) fn add_credit(&mut self, customer: i64, currency: &str, amount: Decimal) {
        let key = (customer, currency.to_owned());
        *self.credits.entry(key).or_default() += amount;
    }
}
