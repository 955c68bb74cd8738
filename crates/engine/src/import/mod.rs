//! One-time imports: a whole list of the ledger goes to the platform, also what a sync would leave out.
//!
//! An import is one more scope of a run, not a second engine. Every record of the list is looked at, whether it was
//! before or not; the flows decide as ever, and only on what began in the ledger, so that nothing is written there. What
//! was asked for is [kept](Standing) in the store until the import has come to its end: one that was killed goes on
//! where it was, because what is linked is not made again. What became of each record is told by the history
//! ([`rows`]).

mod result;
mod standing;

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tieout_domain::{Kind, RecordRef, Side};
use tieout_flows::preferences::CustomerScope;
use tieout_flows::{Flow, Preferences};
use tieout_store::{Commit, Fact, RunId};

use crate::Connection;
use crate::error::EngineError;
use crate::join::last_report;
use crate::report::RunReport;
use crate::run::Run;

pub use result::{Came, Row, counted, rows};
pub use standing::{Standing, abandon, ask, name, standing};

/// What stands before the list in what set off a run.
const TRIGGER: &str = "import ";

/// A list of the ledger that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Import {
    /// All customers, also those without an invoice (scenario 172).
    Customers,
    /// The outstanding invoices, with their customers.
    Invoices,
}

impl Import {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Customers, Self::Invoices];

    /// The list's name, which is that of its flow too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Invoices => "invoices",
        }
    }

    /// What the list is of.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Customers => Kind::Customer,
            Self::Invoices => Kind::Invoice,
        }
    }

    /// The flows that carry it: invoices bring their customers along.
    #[must_use]
    pub fn flows(self) -> Vec<String> {
        let flows: &[Self] = match self {
            Self::Customers => &[Self::Customers],
            Self::Invoices => &[Self::Customers, Self::Invoices],
        };
        flows.iter().map(|list| list.as_str().to_owned()).collect()
    }

    /// What its runs say that set them off.
    #[must_use]
    pub fn trigger(self) -> String {
        format!("{TRIGGER}{self}")
    }

    /// Whether a run is one of an import: it does only a part of what its flows do otherwise.
    pub(crate) fn set_off(trigger: &str) -> bool {
        trigger.starts_with(TRIGGER)
    }

    /// Whether a record is on the list.
    fn lists(self, record: &RecordRef) -> bool {
        (record.side, record.kind) == (Side::Ledger, self.kind())
    }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Import {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|list| list.as_str() == text);
        found.ok_or_else(|| format!("`{text}` can't be imported: customers or invoices can"))
    }
}

/// An import under way, as its run knows it.
pub(crate) struct Importing {
    standing: Standing,
    /// Records of which the run has said what became of them.
    told: HashSet<RecordRef>,
}

impl Importing {
    pub(crate) fn new(standing: Standing) -> Self {
        Self {
            standing,
            told: HashSet::new(),
        }
    }

    /// Whether a record's state is to be said although it was said before: the history of an import tells of every
    /// record of the list.
    pub(crate) fn says(&self, record: &RecordRef) -> bool {
        self.standing.import.lists(record) && !self.told.contains(record)
    }

    /// It was said what became of a record.
    fn tell(&mut self, record: &RecordRef, written: bool) {
        let listed = self.standing.import.lists(record);
        if (listed || written) && self.told.insert(record.clone()) {
            let count = if listed {
                &mut self.standing.done
            } else {
                &mut self.standing.brought
            };
            *count += 1;
        }
    }
}

impl Run<'_> {
    /// Whether this record has a part in the run's import, if it is one: nothing goes to the ledger.
    pub(crate) fn imports(&self, record: &RecordRef) -> bool {
        self.importing.is_none() || record.side == Side::Ledger
    }

    /// What the flows decide by: the connection's preferences, and for an import of customers all of them.
    pub(crate) fn preferences(&self) -> Preferences {
        let mut preferences = self.connection.preferences.clone();
        if let Some(importing) = &self.importing
            && importing.standing.import == Import::Customers
        {
            preferences.receivables.customers = CustomerScope::All;
        }
        preferences
    }

    /// It was said what became of these records, or that they were written. How far the import is goes into the
    /// same commit.
    pub(crate) fn imported<'a>(
        &mut self,
        records: impl IntoIterator<Item = &'a RecordRef>,
        written: bool,
        commit: &mut Commit,
    ) {
        let Some(importing) = &mut self.importing else {
            return;
        };
        for record in records {
            importing.tell(record, written);
        }
        commit.remember.push(importing.standing.kept());
    }

    /// Goes on with an import that was asked for, or begins one. Gives the report of the run that has brought it to
    /// its end meanwhile, if one has.
    pub(crate) async fn take_up(
        &mut self,
        import: Import,
    ) -> Result<Option<RunReport>, EngineError> {
        let Connection {
            store,
            actor,
            timer,
            ..
        } = self.connection;
        let asked = match standing(store, import).await? {
            Some(asked) => asked,
            None => match last_report(self.connection, &import.trigger()).await? {
                Some(report) => return Ok(Some(report)),
                None => Standing::new(import, actor, timer.now()),
            },
        };
        let standing = asked.taken_up(self.id.as_str());
        let remember = vec![standing.kept()];
        self.importing = Some(Importing::new(standing));
        store
            .commit(Commit {
                remember,
                ..self.commit()
            })
            .await?;
        Ok(None)
    }

    /// Makes the whole list due, as it was read just now.
    pub(crate) async fn begin_import(&mut self) -> Result<(), EngineError> {
        let Some(importing) = &mut self.importing else {
            return Ok(());
        };
        let store = &self.connection.store;
        let import = importing.standing.import;
        store
            .mark_records_due(import.as_str(), Side::Ledger, import.kind())
            .await?;
        let totals = store.totals(Side::Ledger, import.kind()).await?;
        importing.standing.total = Some(totals.count);
        let remember = vec![importing.standing.kept()];
        store
            .commit(Commit {
                remember,
                ..self.commit()
            })
            .await?;
        Ok(())
    }

    /// Whether something of the list must be looked at again: a write without an answer, or one to be sent later.
    async fn has_more(&self, import: Import) -> Result<bool, EngineError> {
        let store = &self.connection.store;
        let flows = import.flows();
        let open = store.open_writes().await?;
        let ours =
            |flow: &String, record: &RecordRef| flows.contains(flow) && record.side == Side::Ledger;
        if open.iter().any(|write| ours(&write.flow, &write.record)) {
            return Ok(true);
        }
        for flow in &flows {
            // The ledger's records come first.
            let due = store.due_page(flow, None, 1).await?;
            if due.iter().any(|(record, _)| ours(flow, record)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Says that the import has come to its end, if nothing kept it from that; else it goes on another time.
    pub(crate) async fn end_import(&self, flows: &[&dyn Flow]) -> Result<(), EngineError> {
        let Some(Importing { standing, .. }) = &self.importing else {
            return Ok(());
        };
        let went = |name: &String| flows.iter().any(|flow| flow.name() == name);
        let all_went = standing.import.flows().iter().all(went);
        if !all_went || self.stopped.is_some() || !self.faults().is_empty() {
            return Ok(());
        }
        if self.has_more(standing.import).await? {
            return Ok(());
        }
        let store = &self.connection.store;
        let runs: Vec<RunId> = standing.runs.iter().map(RunId::new).collect();
        let rows = rows(store, standing.import, &runs).await?;
        let ended = Fact::Imported {
            list: standing.import.as_str().to_owned(),
            asked_by: standing.by.clone(),
            counts: counted(standing.import, &rows),
            runs,
        };
        store
            .commit(Commit {
                facts: vec![ended],
                remember: vec![standing::nothing(standing.import)],
                ..self.commit()
            })
            .await?;
        Ok(())
    }
}
