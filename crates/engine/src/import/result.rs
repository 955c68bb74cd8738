//! What an import came to, record by record: told from the history of its runs.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use tieout_domain::code::Code;
use tieout_domain::port::Action;
use tieout_domain::{Kind, Money, RecordRef, Side, State};
use tieout_store::{ConnectionStore, Entry, Fact, RunId, StoreError};

use super::Import;

/// How many entries, or links, are read at once.
const PAGE: u32 = 500;

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Came {
    /// It was made on the platform.
    Made,
    /// It was there, and is linked now.
    Linked,
    /// It was there and linked before.
    Present,
    /// It is out of scope, by a rule or a preference.
    Skipped,
    /// It waits, most often for a person.
    Waiting,
}

impl Came {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 5] = [
        Self::Made,
        Self::Linked,
        Self::Present,
        Self::Skipped,
        Self::Waiting,
    ];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Linked => "linked",
            Self::Present => "present",
            Self::Skipped => "skipped",
            Self::Waiting => "waiting",
        }
    }

    /// What a state says of a record that was neither made nor linked by the import.
    fn of(state: State) -> Self {
        match state {
            State::Done | State::Noop => Self::Present,
            State::Skipped | State::Reversed => Self::Skipped,
            State::Hold | State::Blocked | State::Conflict | State::Orphan => Self::Waiting,
        }
    }
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The ledger's record.
    pub record: RecordRef,
    /// What people call it.
    pub label: String,
    /// What it is worth.
    pub amount: Option<Money>,
    /// What became of it.
    pub came: Came,
    /// What stands for it on the platform.
    pub target: Option<RecordRef>,
    /// Why it was skipped, or waits.
    pub code: Option<Code>,
    /// The same in words.
    pub cause: String,
}

impl Row {
    fn new(record: &RecordRef) -> Self {
        Self {
            record: record.clone(),
            label: String::new(),
            amount: None,
            came: Came::Present,
            target: None,
            code: None,
            cause: String::new(),
        }
    }
}

/// Every record of the list, and of the customers that it brought along those that something was done for; in the
/// order of what became of them and of their names.
///
/// # Errors
/// The store's.
pub async fn rows(
    store: &ConnectionStore,
    import: Import,
    runs: &[RunId],
) -> Result<Vec<Row>, StoreError> {
    let mut told = Told::default();
    for run in runs {
        let mut after = 0;
        loop {
            let page = store.run_facts(run, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            page.iter().for_each(|entry| told.take(entry));
        }
    }
    let mut rows: Vec<Row> = told.rows.into_values().collect();
    find_targets(store, &mut rows).await?;
    rows.retain(|row| {
        let passed_over = matches!(row.came, Came::Present | Came::Skipped);
        import.lists(&row.record) || (row.record.kind == Kind::Customer && !passed_over)
    });
    rows.sort_by(|a, b| (a.came, &a.label, &a.record).cmp(&(b.came, &b.label, &b.record)));
    Ok(rows)
}

/// How many records of the list came to what; and how many customers its invoices brought along, as `customers`.
#[must_use]
pub fn counted(import: Import, rows: &[Row]) -> BTreeMap<String, u64> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for came in Came::ALL {
        counts.insert(came.as_str().to_owned(), 0);
    }
    for row in rows {
        let name = if import.lists(&row.record) {
            row.came.as_str()
        } else if row.came == Came::Waiting {
            continue;
        } else {
            Import::Customers.as_str()
        };
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

/// What the entries have told so far.
#[derive(Default)]
struct Told {
    rows: BTreeMap<RecordRef, Row>,
    /// Writes that only change what is there.
    changes: HashSet<u64>,
}

impl Told {
    fn row(&mut self, record: &RecordRef) -> &mut Row {
        let row = self.rows.entry(record.clone());
        row.or_insert_with(|| Row::new(record))
    }

    fn take(&mut self, entry: &Entry) {
        let Some(record) = entry.record.as_ref().filter(|it| it.side == Side::Ledger) else {
            return;
        };
        match &entry.fact {
            Fact::Intended { order, .. } => {
                if order.action != Action::Create {
                    self.changes.insert(entry.seq);
                }
                self.row(record).label = order.document.label();
            }
            Fact::Applied { write, target, .. } if !self.changes.contains(write) => {
                let row = self.row(record);
                (row.came, row.target) = (Came::Made, Some(target.clone()));
            }
            Fact::Linked { role, target, .. } if role.is_empty() => {
                let row = self.row(record);
                (row.came, row.target) = (Came::Linked, Some(target.clone()));
            }
            Fact::Stated {
                outcome,
                label,
                amount,
                ..
            } => {
                let row = self.row(record);
                row.label.clone_from(label);
                row.amount = *amount;
                row.code.clone_from(&outcome.code);
                row.cause.clone_from(&outcome.cause);
                if !matches!(row.came, Came::Made | Came::Linked) {
                    row.came = Came::of(outcome.state);
                }
            }
            _ => {}
        }
    }
}

/// What stood for them before: the links of those that the import did nothing for. What has no counterpart, and needs
/// none, was passed over.
async fn find_targets(store: &ConnectionStore, rows: &mut [Row]) -> Result<(), StoreError> {
    let mut targets = BTreeMap::new();
    for list in Import::ALL {
        let of_list = |row: &&Row| row.target.is_none() && list.lists(&row.record);
        let records = rows.iter().filter(of_list).map(|row| row.record.clone());
        let records: Vec<RecordRef> = records.collect();
        for some in records.chunks(PAGE as usize) {
            let links = store.links(list.as_str(), some).await?;
            let own = links.into_iter().filter(|link| link.role.is_empty());
            targets.extend(own.map(|link| (link.record, link.target)));
        }
    }
    for row in rows.iter_mut().filter(|row| row.target.is_none()) {
        row.target = targets.remove(&row.record);
        if row.target.is_none() && row.came == Came::Present {
            row.came = Came::Skipped;
        }
    }
    Ok(())
}
