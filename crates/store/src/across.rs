//! Reading over many connections at once, in as many statements as over one: an installation may have ten thousand.
//!
//! What is asked of all of them is answered from an index that has only what waits or what came last, so that a
//! connection that is quiet costs next to nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt as _;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use tieout_domain::{ConnectionName, State, Timestamp};

use crate::browse::tally_row;
use crate::chain::{INSTALLATION, Stored};
use crate::history::run_row;
use crate::sql::{self, Cell, In, cells, count, maybe_text, parse, text, with};
use crate::state::{gather, item};
use crate::stops::stop_row;
use crate::store::Store;
use crate::{Entry, ExceptionGroup, RunRow, Stop, StoreError, Tally};

/// Beyond so many it is cheaper to ask for all and leave the others out.
const NAMED_MAX: usize = 1024;

/// Which connections a question is about.
#[derive(Debug, Clone, Copy)]
pub enum Among<'a> {
    /// All there are.
    All,
    /// These alone.
    These(&'a BTreeSet<ConnectionName>),
}

impl Among<'_> {
    fn includes(&self, name: &ConnectionName) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => names.contains(name),
        }
    }

    /// Their names, where they are few enough to be named.
    fn names(&self) -> Option<Vec<Cell>> {
        match self {
            Self::These(names) if names.len() <= NAMED_MAX => Some(named(names.iter())),
            _ => None,
        }
    }

    /// What a row is about, if it is about one of them. The installation is none.
    fn of(&self, row: &AnyRow, at: usize) -> Result<Option<ConnectionName>, StoreError> {
        let name = text(row, at)?;
        if name == INSTALLATION {
            return Ok(None);
        }
        let name = parse(&name)?;
        Ok(self.includes(&name).then_some(name))
    }
}

/// What tells how connections stand, without what each of them has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulses {
    /// What stops remote writes, of all and of each, the oldest first.
    pub stops: Vec<Stop>,
    /// The connections that a run holds now, in whichever process.
    pub running: BTreeSet<ConnectionName>,
    /// How the last run that ended of each came out; those that have had none are absent.
    pub last_ends: BTreeMap<ConnectionName, String>,
    /// How many records wait for a person; those in which none does are absent.
    pub waiting: BTreeMap<ConnectionName, u64>,
}

fn named<'a>(names: impl IntoIterator<Item = &'a ConnectionName>) -> Vec<Cell> {
    names.into_iter().map(|name| name.as_str().into()).collect()
}

/// All rows of a question about some connections, which is written for all and for those named.
async fn rows_of(
    reader: &mut AnyConnection,
    among: Among<'_>,
    all: &'static str,
    these: &'static In,
) -> Result<Vec<AnyRow>, StoreError> {
    match among.names() {
        Some(names) => these.fetch(reader, cells![], &names).await,
        None => with(all, cells![]).fetch_all(reader).await,
    }
}

impl Store {
    /// How connections stand: a handful of statements, however many they are.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn pulses(&self, among: Among<'_>) -> Result<Pulses, StoreError> {
        let mut reader = self.reader().await?;
        let mut pulses = Pulses::default();
        let stops = with(sql::STOPS_OF_ALL, cells![])
            .fetch_all(&mut reader)
            .await?;
        for row in &stops {
            let stop = stop_row(row)?;
            let of = stop.connection.as_ref();
            if of.is_none_or(|name| among.includes(name)) {
                pulses.stops.push(stop);
            }
        }
        let now_us = self.time_us(&mut reader).await?;
        let running = with(sql::RUNNING, cells![now_us])
            .fetch_all(&mut reader)
            .await?;
        for row in &running {
            pulses.running.extend(among.of(row, 0)?);
        }
        let ends = (sql::LAST_ENDS_OF_ALL, &sql::LAST_ENDS_AMONG);
        for row in rows_of(&mut reader, among, ends.0, ends.1).await? {
            if let (Some(name), Some(status)) = (among.of(&row, 0)?, maybe_text(&row, 1)?) {
                pulses.last_ends.insert(name, status);
            }
        }
        drop(reader);
        pulses.waiting = self.waiting_for_people(among).await?;
        Ok(pulses)
    }

    /// How many records wait for a person, by connection; those in which none does are absent.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn waiting_for_people(
        &self,
        among: Among<'_>,
    ) -> Result<BTreeMap<ConnectionName, u64>, StoreError> {
        let mut reader = self.reader().await?;
        let (all, these) = (sql::WAITING_OF_ALL, &sql::WAITING_AMONG);
        let mut waiting = BTreeMap::new();
        for row in rows_of(&mut reader, among, all, these).await? {
            if let Some(name) = among.of(&row, 0)? {
                waiting.insert(name, count(&row, 1)?);
            }
        }
        Ok(waiting)
    }

    /// What waits for a person, by connection and cause, and on request what is on HOLD: see
    /// [`ConnectionStore::exceptions`](crate::ConnectionStore::exceptions). Connections in which nothing does are
    /// absent.
    ///
    /// # Errors
    /// What a database can answer; [`StoreError::Corrupt`] if a sum has more than 28 digits.
    pub async fn exceptions_of(
        &self,
        among: Among<'_>,
        holds: bool,
    ) -> Result<BTreeMap<ConnectionName, Vec<ExceptionGroup>>, StoreError> {
        let mut all = BTreeMap::new();
        let mut reader = self.reader().await?;
        let questions = [
            (sql::EXCEPTIONS_OF_ALL, &sql::EXCEPTIONS_AMONG),
            (sql::HOLDS_OF_ALL, &sql::HOLDS_AMONG),
        ];
        for (every, these) in questions.into_iter().take(if holds { 2 } else { 1 }) {
            if let Some(names) = among.names() {
                for row in these.fetch(&mut reader, cells![], &names).await? {
                    gather_of(&mut all, among, &row)?;
                }
                continue;
            }
            let mut rows = with(every, cells![]).fetch(&mut reader);
            while let Some(row) = rows.try_next().await? {
                gather_of(&mut all, among, &row)?;
            }
        }
        Ok(all)
    }

    /// Each flow's population by state, of each of these connections: see
    /// [`ConnectionStore::counts`](crate::ConnectionStore::counts).
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn counts_of(
        &self,
        names: &[ConnectionName],
    ) -> Result<BTreeMap<ConnectionName, BTreeMap<String, [u64; 8]>>, StoreError> {
        let mut reader = self.reader().await?;
        let mut all: BTreeMap<ConnectionName, BTreeMap<String, [u64; 8]>> = BTreeMap::new();
        let rows = sql::ITEM_COUNTS_AMONG
            .fetch(&mut reader, cells![], &named(names))
            .await?;
        for row in &rows {
            let state: State = parse(&text(row, 2)?)?;
            let at = State::ALL.iter().position(|other| *other == state);
            let flows = all.entry(parse(&text(row, 0)?)?).or_default();
            let counts = flows.entry(text(row, 1)?).or_default();
            counts[at.unwrap_or_default()] = count(row, 3)?;
        }
        Ok(all)
    }

    /// The latest runs of each of these connections, at most so many of each, the latest first.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn runs_of(
        &self,
        names: &[ConnectionName],
        most: u32,
    ) -> Result<BTreeMap<ConnectionName, Vec<RunRow>>, StoreError> {
        let mut reader = self.reader().await?;
        let mut all: BTreeMap<ConnectionName, Vec<RunRow>> = BTreeMap::new();
        let before = i64::from(most.max(1)) - 1;
        let rows = sql::RUNS_AMONG
            .fetch(&mut reader, cells![before], &named(names))
            .await?;
        for row in &rows {
            let runs = all.entry(parse(&text(row, 11)?)?).or_default();
            runs.push(run_row(row)?);
        }
        Ok(all)
    }

    /// How many runs there were of these connections together since a moment, by status: see
    /// [`ConnectionStore::run_tally`](crate::ConnectionStore::run_tally).
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn run_tally_of(
        &self,
        names: &[ConnectionName],
        since: Timestamp,
    ) -> Result<Vec<Tally>, StoreError> {
        let mut reader = self.reader().await?;
        let since = cells![since.as_microsecond()];
        let rows = sql::RUN_TALLY_AMONG
            .fetch(&mut reader, since, &named(names))
            .await?;
        rows.iter().map(tally_row).collect()
    }

    /// What was signed last of each of these connections; those of which nothing was are absent.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn last_signatures_of(
        &self,
        names: &[ConnectionName],
    ) -> Result<BTreeMap<ConnectionName, Entry>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = sql::SIGNED_AMONG
            .fetch(&mut reader, cells![], &named(names))
            .await?;
        let signed = |row: &AnyRow| {
            let chain = text(row, 12)?;
            Ok((parse(&chain)?, Stored::read(row)?.entry(&chain)?))
        };
        rows.iter().map(signed).collect()
    }

    /// What these connections remember under a name; those that remember nothing are absent.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn remembered_of(
        &self,
        names: &[ConnectionName],
        name: &str,
    ) -> Result<BTreeMap<ConnectionName, String>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = sql::REMEMBERED_AMONG
            .fetch(&mut reader, cells![name], &named(names))
            .await?;
        let kept = |row: &AnyRow| Ok((parse(&text(row, 0)?)?, text(row, 1)?));
        rows.iter().map(kept).collect()
    }

    /// The connections that remember something under a name in which this text is not.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn remember_without(
        &self,
        name: &str,
        lacking: &str,
    ) -> Result<BTreeSet<ConnectionName>, StoreError> {
        let mut reader = self.reader().await?;
        let cells = cells![name, format!("%{lacking}%")];
        let rows = with(sql::REMEMBERED_LACKING, cells)
            .fetch_all(&mut reader)
            .await?;
        rows.iter().map(|row| parse(&text(row, 0)?)).collect()
    }

    /// Up to which entry others have heard of each chain, and how many entries it has by now. Chains of which nobody
    /// has been told anything are absent.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn heard_of_all(&self) -> Result<BTreeMap<String, (u64, u64)>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = with(sql::HEARD_OF_ALL, cells![])
            .fetch_all(&mut reader)
            .await?;
        let heard = |row: &AnyRow| Ok((text(row, 0)?, (count(row, 1)?, count(row, 2)?)));
        rows.iter().map(heard).collect()
    }
}

/// Adds an item to its connection's groups: the rows of one come in the order of their groups.
fn gather_of(
    all: &mut BTreeMap<ConnectionName, Vec<ExceptionGroup>>,
    among: Among<'_>,
    row: &AnyRow,
) -> Result<(), StoreError> {
    match among.of(row, 13)? {
        Some(name) => gather(all.entry(name).or_default(), item(row)?),
        None => Ok(()),
    }
}
