//! What services told without being asked: kept until a run has looked, and remembered a while longer so that an event
//! which comes again does nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use tieout_domain::{ConnectionName, Timestamp};

use crate::StoreError;
use crate::sql::{self, Cell, cells, maybe_int, text, with};
use crate::store::{ConnectionStore, Store};

/// That something may have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewHint {
    /// For which connection.
    pub connection: ConnectionName,
    /// Which system told.
    pub system: String,
    /// The event's id.
    pub event: String,
    /// What it is about, for people: `bill 00n1`. Nothing is decided by it.
    pub record: String,
    /// When it came.
    pub at: Timestamp,
}

/// How the hints of a connection and a system stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HintsSeen {
    /// When the last one came.
    pub last: Option<Timestamp>,
    /// When the oldest came that no run has heeded yet.
    pub waiting_since: Option<Timestamp>,
}

impl Store {
    /// Keeps hints, all of them in one commit, and tells of each whether it is new. Once this has returned they are
    /// durable, and other nodes are told. Where machines share the database, they came by its clock, by which runs begin
    /// too.
    ///
    /// # Errors
    /// What a database can answer: then none is kept.
    pub async fn keep_hints(&self, hints: &[NewHint]) -> Result<Vec<bool>, StoreError> {
        let mut sources: BTreeMap<(&str, &str), Vec<Cell>> = BTreeMap::new();
        for hint in hints {
            let source = (hint.connection.as_str(), hint.system.as_str());
            sources
                .entry(source)
                .or_default()
                .push(Cell::from(hint.event.as_str()));
        }
        let mut transaction = self.begin().await?;
        let came = match self.goes_by_its_own_clock() {
            true => None,
            false => Some(self.time_us(&mut transaction).await?),
        };
        let mut known = HashSet::new();
        for ((connection, system), events) in sources {
            let fixed = cells![connection, system];
            for row in sql::HINTS_KNOWN
                .fetch(&mut transaction, fixed, &events)
                .await?
            {
                known.insert((connection.to_owned(), system.to_owned(), text(&row, 0)?));
            }
        }
        let mut rows = Vec::new();
        let mut are_new = Vec::with_capacity(hints.len());
        for hint in hints {
            let connection = hint.connection.as_str();
            let id = (
                connection.to_owned(),
                hint.system.clone(),
                hint.event.clone(),
            );
            let is_new = known.insert(id);
            are_new.push(is_new);
            if is_new {
                let NewHint {
                    system,
                    event,
                    record,
                    at,
                    ..
                } = hint;
                rows.push(cells![
                    connection,
                    system.as_str(),
                    event.as_str(),
                    record.as_str(),
                    came.unwrap_or(at.as_microsecond())
                ]);
            }
        }
        // In one order: two nodes that are told the same don't wait for each other in a circle.
        rows.sort_unstable();
        let told: BTreeSet<&str> = hints
            .iter()
            .zip(&are_new)
            .filter(|(_, is_new)| **is_new)
            .map(|(hint, _)| hint.connection.as_str())
            .collect();
        sql::HINTS_PUT.write(&mut transaction, rows).await?;
        for connection in told {
            self.tell_hinted(&mut transaction, connection).await?;
        }
        transaction.commit().await?;
        Ok(are_new)
    }

    /// The connections that hints wait for.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn hinted(&self) -> Result<Vec<ConnectionName>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = with(sql::HINTED, cells![]).fetch_all(&mut reader).await?;
        rows.iter().map(|row| sql::parse(&text(row, 0)?)).collect()
    }

    /// Forgets the hints that came and were heeded before a moment.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn forget_hints(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let forgotten = with(sql::HINTS_FORGET, cells![before.as_microsecond()])
            .execute(&mut transaction)
            .await?
            .rows_affected();
        transaction.commit().await?;
        Ok(forgotten)
    }
}

impl ConnectionStore {
    /// A run that began at this moment has looked: what came before is heeded.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn heed_hints(&self, began: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.store.begin().await?;
        let cells = cells![
            self.store.now_us(),
            self.name.as_str(),
            began.as_microsecond()
        ];
        let heeded = with(sql::HINTS_HEED, cells)
            .execute(&mut transaction)
            .await?
            .rows_affected();
        transaction.commit().await?;
        Ok(heeded)
    }

    /// How a system's hints stand.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn hints_seen(&self, system: &str) -> Result<HintsSeen, StoreError> {
        let mut reader = self.store.reader().await?;
        let row = with(sql::HINTS_SEEN, cells![self.name.as_str(), system])
            .fetch_one(&mut reader)
            .await?;
        let at = |place| -> Result<Option<Timestamp>, StoreError> {
            let micros = maybe_int(&row, place)?;
            Ok(micros.and_then(|micros| Timestamp::from_microsecond(micros).ok()))
        };
        Ok(HintsSeen {
            last: at(0)?,
            waiting_since: at(1)?,
        })
    }

    /// When the oldest hint came that no run has heeded yet, of whatever system.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn hints_waiting_since(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut reader = self.store.reader().await?;
        let row = with(sql::HINTS_WAITING_SINCE, cells![self.name.as_str()])
            .fetch_one(&mut reader)
            .await?;
        let micros = maybe_int(&row, 0)?;
        Ok(micros.and_then(|micros| Timestamp::from_microsecond(micros).ok()))
    }

    /// Which of these events of a system are known.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn hints_known(
        &self,
        system: &str,
        events: &[String],
    ) -> Result<HashSet<String>, StoreError> {
        let mut reader = self.store.reader().await?;
        let ids: Vec<Cell> = events
            .iter()
            .map(|event| Cell::from(event.as_str()))
            .collect();
        let fixed = cells![self.name.as_str(), system];
        let rows = sql::HINTS_KNOWN.fetch(&mut reader, fixed, &ids).await?;
        rows.iter().map(|row| text(row, 0)).collect()
    }
}
