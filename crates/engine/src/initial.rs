//! The initial sync of receivables, in stages (scenario 170): the last twelve months first, then all history, the newest
//! first. Until all of it is through, the connection is *pending*; then it is *connected*.
//!
//! A stage is no other kind of run. What is older than the stage's day stays due and takes no part yet; when all that
//! is newer has been looked at, the day moves back. Where it stands is [kept](InitialSync) in the store, so that a run that was
//! killed goes on where it was: what is linked is not made again, and what was looked at is not due. Both sides are
//! read at once and whole: what takes hours is the writing, at the pace that the platform allows, and not the reading.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use serde::{Deserialize, Serialize};
use tieout_domain::{ConnectionName, Date, Kind, RecordRef, RemoteId, Side, Timestamp};
use tieout_flows::Flow;
use tieout_flows::receivables::sales::INVOICES;
use tieout_store::{ConnectionStore, Store, StoreError};

use crate::error::EngineError;
use crate::options::RunOptions;
use crate::run::Run;

/// Under this name the store keeps where it stands.
const NAME: &str = "initial-sync";
/// What is in the JSON of one that is through, and of no other.
const ENDED: &str = "\"ended\":";

/// How far the initial sync of a connection is. Its JSON is a contract (`initial` of `tieout sync --json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialSync {
    /// When it began.
    pub began: Timestamp,
    /// The first stage takes what is dated on this day or later.
    pub recent: Date,
    /// Documents of this day and later take part so far.
    pub since: Date,
    /// What waits in the flows that are through with the present stage.
    waiting: BTreeMap<String, Waiting>,
    /// How many records were looked at when the last twelve months were through; `None` before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at_recent: Option<u64>,
    /// How many records were looked at altogether, at the end of the last stage that is through.
    pub looked_at: u64,
    /// When all of it was through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

/// What of a flow is older than the stage's day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    count: u64,
    newest: Option<Date>,
}

impl Waiting {
    /// One more record that waits.
    fn add(&mut self, date: Date) {
        self.count += 1;
        self.newest = self.newest.max(Some(date));
    }
}

impl InitialSync {
    fn new(began: Timestamp, today: Date) -> Self {
        let recent = a_year_before(today);
        Self {
            began,
            recent,
            since: recent,
            waiting: BTreeMap::new(),
            looked_at_recent: None,
            looked_at: 0,
            ended: None,
        }
    }

    /// Whether not all of it is through.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.ended.is_none()
    }

    /// `pending` or `connected`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        if self.is_pending() {
            "pending"
        } else {
            "connected"
        }
    }

    /// How many records wait for their stage, as far as the flows have been through the present one.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting.values().map(|waiting| waiting.count).sum()
    }

    /// How far it is, in a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let (recent, looked_at, waiting) = (self.recent, self.looked_at, self.waiting());
        match (self.is_pending(), self.looked_at_recent) {
            (false, _) => format!("all history is through: {looked_at} records"),
            (true, None) => format!("the last twelve months first, since {recent}"),
            (true, Some(count)) => format!(
                "the last twelve months are through: {count} records; of what is before {}, {waiting} wait",
                self.since
            ),
        }
    }

    /// These flows are through with the present stage. Tells whether all of them are.
    fn through<'f>(
        &mut self,
        flows: impl Iterator<Item = &'f str>,
        aside: &BTreeMap<String, Waiting>,
        all: &[&str],
    ) -> bool {
        for flow in flows {
            let waiting = aside.get(flow).copied().unwrap_or_default();
            self.waiting.insert(flow.to_owned(), waiting);
        }
        all.iter().all(|flow| self.waiting.contains_key(*flow))
    }

    /// Goes on to the year before, or says that nothing is left.
    fn next(&mut self, now: Timestamp, looked_at: u64) {
        self.looked_at = looked_at;
        self.looked_at_recent.get_or_insert(looked_at);
        match self.waiting.values().filter_map(|it| it.newest).max() {
            Some(newest) => {
                self.since = a_year_before(newest);
                self.waiting.clear();
            }
            None => self.ended = Some(now),
        }
    }

    fn kept(&self) -> (String, String) {
        let text = serde_json::to_string(self).unwrap_or_default();
        (NAME.to_owned(), text)
    }
}

fn a_year_before(day: Date) -> Date {
    day.checked_sub(1.year()).unwrap_or(Date::MIN)
}

/// How far a connection's initial sync is; `None` where there is none: for payables, and before the first run.
///
/// # Errors
/// The store's.
pub async fn initial_sync(store: &ConnectionStore) -> Result<Option<InitialSync>, StoreError> {
    let kept = store.remembered(NAME).await?;
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()))
}

/// How far the initial syncs of these connections are, where there are any.
///
/// # Errors
/// The store's.
pub async fn initial_syncs(
    store: &Store,
    names: &[ConnectionName],
) -> Result<BTreeMap<ConnectionName, InitialSync>, StoreError> {
    let kept = store.remembered_of(names, NAME).await?.into_iter();
    let read = |(name, text): (_, String)| Some((name, serde_json::from_str(&text).ok()?));
    Ok(kept.filter_map(read).collect())
}

/// The connections whose initial sync is not through.
///
/// # Errors
/// The store's.
pub async fn pending_initial_syncs(store: &Store) -> Result<BTreeSet<ConnectionName>, StoreError> {
    store.remember_without(NAME, ENDED).await
}

impl Run<'_> {
    /// Takes up the initial sync, if the connection has one that is not through and this run is a part of it. A run for
    /// some records, an import and a recovery are none: they take whatever they were asked for.
    pub(crate) async fn take_up_initial(
        &mut self,
        options: &RunOptions,
    ) -> Result<(), EngineError> {
        let flows = &self.connection.flows;
        let has_stages = flows.iter().any(|flow| flow.name() == INVOICES.name());
        let whole =
            options.only.is_empty() && options.import.is_none() && options.recovers.is_none();
        if !has_stages || !whole {
            return Ok(());
        }
        let store = &self.connection.store;
        self.initial = match initial_sync(store).await? {
            Some(initial) => initial.is_pending().then_some(initial),
            // What has been synced before there were stages has no need of them.
            None if self.population().await? > 0 => None,
            None => {
                let began = self.connection.timer.now();
                Some(InitialSync::new(began, self.facts.today))
            }
        };
        self.keep_initial().await
    }

    async fn keep_initial(&self) -> Result<(), EngineError> {
        if let Some(initial) = &self.initial {
            let mut commit = self.commit();
            commit.remember.push(initial.kept());
            self.connection.store.commit(commit).await?;
        }
        Ok(())
    }

    /// Whether an initial sync is on, and not through.
    pub(crate) fn is_initial(&self) -> bool {
        self.initial.as_ref().is_some_and(InitialSync::is_pending)
    }

    /// How many records the flows have looked at.
    async fn population(&self) -> Result<u64, EngineError> {
        let counts = self.connection.store.counts().await?;
        Ok(counts.values().flatten().sum())
    }

    /// Takes out of a page what the present stage leaves aside. It stays due.
    pub(crate) async fn leave_aside(
        &self,
        page: &mut Vec<RecordRef>,
        aside: &mut Waiting,
    ) -> Result<(), EngineError> {
        let Some(initial) = self.initial.as_ref() else {
            return Ok(());
        };
        if !initial.is_pending() || self.planner.is_some() {
            return Ok(());
        }
        let dates = self.dates(page).await?;
        page.retain(|record| match dates.get(record) {
            Some(date) if *date < initial.since => {
                aside.add(*date);
                false
            }
            _ => true,
        });
        Ok(())
    }

    /// The days of records that have one.
    async fn dates(&self, records: &[RecordRef]) -> Result<BTreeMap<RecordRef, Date>, EngineError> {
        let mut ids: BTreeMap<(Side, Kind), Vec<RemoteId>> = BTreeMap::new();
        for record in records {
            let of_kind = ids.entry((record.side, record.kind)).or_default();
            of_kind.push(record.id.clone());
        }
        let mut dates = BTreeMap::new();
        for ((side, kind), ids) in ids {
            for (id, mirrored) in self.connection.store.records(side, kind, &ids).await? {
                let date = mirrored.observed.document.date();
                dates.extend(date.map(|date| (RecordRef::new(side, kind, id), date)));
            }
        }
        Ok(dates)
    }

    /// The flows have nothing left to do within the present stage: goes on to the next one. Tells whether there is
    /// one to go on with at once.
    pub(crate) async fn next_stage(&mut self, flows: &[&dyn Flow]) -> Result<bool, EngineError> {
        let looked_at = self.population().await?;
        let undisturbed = self.barred.is_empty() && self.faults().is_empty();
        let Some(initial) = self.initial.as_mut().filter(|_| undisturbed) else {
            return Ok(false);
        };
        let all: Vec<&str> = self.connection.flows.iter().map(|it| it.name()).collect();
        let names = flows.iter().map(|flow| flow.name());
        let all_through = initial.through(names, &self.aside, &all);
        if all_through {
            initial.next(self.connection.timer.now(), looked_at);
        }
        self.keep_initial().await?;
        Ok(all_through && self.is_initial())
    }

    /// How many of these records wait until the last twelve months are through, and since which day these are.
    pub(crate) async fn to_come_later(
        &self,
        records: &[RecordRef],
    ) -> Result<Option<Later>, EngineError> {
        let Some(initial) = &self.initial else {
            return Ok(None);
        };
        let dates = self.dates(records).await?;
        let older = dates
            .values()
            .filter(|date| **date < initial.recent)
            .count();
        Ok(Some(Later {
            before: initial.recent,
            count: u64::try_from(older).unwrap_or(u64::MAX),
        }))
    }
}

/// What of a plan comes in a later stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// What is dated before this day.
    pub before: Date,
    /// How many records it is.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn begun() -> InitialSync {
        InitialSync::new(Timestamp::UNIX_EPOCH, day("2026-06-12"))
    }

    fn aside(count: u64, newest: &str) -> Waiting {
        Waiting {
            count,
            newest: Some(day(newest)),
        }
    }

    #[test]
    fn what_is_kept_of_one_that_is_through_tells_it_from_the_others() {
        let mut initial = begun();
        assert!(!initial.kept().1.contains(ENDED));
        initial.ended = Some(Timestamp::UNIX_EPOCH);
        assert!(initial.kept().1.contains(ENDED));
    }

    #[test]
    fn s170_a_stage_is_through_when_every_flow_is() {
        let mut initial = begun();
        assert_eq!(initial.since, day("2025-06-12"));
        let all = ["invoices", "payments"];
        let aside = BTreeMap::from([("payments".to_owned(), aside(7, "2024-02-01"))]);
        assert!(!initial.through(["payments"].into_iter(), &aside, &all));
        assert_eq!((initial.waiting(), initial.as_str()), (7, "pending"));
        assert!(initial.through(["invoices"].into_iter(), &BTreeMap::new(), &all));
    }

    #[test]
    fn s170_history_goes_back_a_year_at_a_time_and_skips_years_without_anything() {
        let mut initial = begun();
        let all = ["invoices"];
        let waits = |newest| BTreeMap::from([("invoices".to_owned(), aside(3, newest))]);
        assert!(initial.through(all.into_iter(), &waits("2021-03-05"), &all));
        initial.next(Timestamp::UNIX_EPOCH, 40);
        assert_eq!(initial.since, day("2020-03-05"));
        assert_eq!(initial.looked_at_recent, Some(40));
        assert!(initial.through(all.into_iter(), &BTreeMap::new(), &all));
        initial.next(Timestamp::UNIX_EPOCH, 43);
        assert_eq!(initial.as_str(), "connected");
        assert_eq!(
            (initial.looked_at_recent, initial.looked_at),
            (Some(40), 43)
        );
        assert_eq!(initial.words(), "all history is through: 43 records");
    }
}
