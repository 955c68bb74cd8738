//! Imports: asking for one, how far it is, and what it came to.

use std::collections::BTreeMap;

use serde::Serialize;
use tieout_domain::Timestamp;
use tieout_domain::code::Code;
use tieout_engine::import;
use tieout_store::{ConnectionStore, Entry, Fact, RunId};

use crate::error::DeskError;
use crate::health::is_running;

pub use tieout_engine::import::{Came, Import, Row, Standing};

/// The word of an import's end in the history.
const IMPORTED: &str = "imported";

/// How many entries are read at once.
const PAGE: u32 = 500;

/// An import that has come to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// The entry that says so: its number is the import's.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Of what.
    pub list: Import,
    /// Who had asked for it.
    pub asked_by: String,
    /// The runs that it took.
    pub runs: Vec<RunId>,
    /// How many records came to what, by the words of [`Came`]; and how many `customers` its invoices brought along.
    pub counts: BTreeMap<String, u64>,
}

impl Ended {
    fn of(entry: Entry) -> Option<Self> {
        match entry.fact {
            Fact::Imported {
                list,
                asked_by,
                runs,
                counts,
            } => Some(Self {
                seq: entry.seq,
                at: entry.at,
                list: list.parse().ok()?,
                asked_by,
                runs,
                counts,
            }),
            _ => None,
        }
    }
}

/// What an import came to, in words: `12 made, 3 linked, 40 there before, 2 skipped, 1 waiting`.
#[must_use]
pub fn summary(counts: &BTreeMap<String, u64>) -> String {
    let count = |name: &str| counts.get(name).copied().unwrap_or_default();
    let told = Came::ALL.map(|came| {
        let word = match came {
            Came::Present => "there before",
            other => other.as_str(),
        };
        format!("{} {word}", count(came.as_str()))
    });
    let mut text = told.join(", ");
    let brought = count(Import::Customers.as_str());
    if brought > 0 {
        let noun = if brought == 1 {
            "customer"
        } else {
            "customers"
        };
        text.push_str(&format!("; {brought} {noun} brought along"));
    }
    text
}

/// What can be imported where these flows are.
#[must_use]
pub fn offered(flows: &[String]) -> Vec<Import> {
    let has = |import: &Import| flows.iter().any(|flow| flow == import.as_str());
    Import::ALL.into_iter().filter(has).collect()
}

/// Asks for an import of a list, where these flows are. One that has not come to its end is the one that is meant.
///
/// # Errors
/// `usage`, with what can be imported; the store's.
pub async fn ask(
    store: &ConnectionStore,
    flows: &[String],
    list: &str,
    by: &str,
    now: Timestamp,
) -> Result<Standing, DeskError> {
    let usage = |cause: String| DeskError::usage(Code::new("usage"), cause);
    let import: Import = list.parse().map_err(usage)?;
    if !offered(flows).contains(&import) {
        let name = store.name();
        let cause = format!("`{name}` is of payables: there are no {import} to be imported");
        return Err(usage(cause));
    }
    Ok(import::ask(store, import, by, now).await?)
}

/// The imports that have not come to their end.
///
/// # Errors
/// The store's.
pub async fn pending(store: &ConnectionStore) -> Result<Vec<Standing>, DeskError> {
    let mut pending = Vec::new();
    for import in Import::ALL {
        pending.extend(import::standing(store, import).await?);
    }
    Ok(pending)
}

/// Nobody goes on with an import; what it has made stays. Tells whether there was one.
///
/// # Errors
/// `connection-busy` while a run is on; the store's.
pub async fn abandon(store: &ConnectionStore, import: Import, by: &str) -> Result<bool, DeskError> {
    if is_running(store).await? {
        let cause = format!("a run of `{}` is on: let it end first", store.name());
        return Err(DeskError::refused(Code::new("connection-busy"), cause));
    }
    Ok(import::abandon(store, import, by).await?)
}

/// The imports that came to their end after this entry, in their order.
///
/// # Errors
/// The store's.
pub async fn ended_after(store: &ConnectionStore, seq: u64) -> Result<Vec<Ended>, DeskError> {
    let mut all = Vec::new();
    let mut after = seq;
    loop {
        let page = store.entries_of(IMPORTED, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        after = last.seq;
        all.extend(page.into_iter().filter_map(Ended::of));
    }
}

/// The import of this number.
///
/// # Errors
/// The store's.
pub async fn find(store: &ConnectionStore, seq: u64) -> Result<Option<Ended>, DeskError> {
    let page = store.entries_of(IMPORTED, seq.saturating_sub(1), 1).await?;
    let found = page.into_iter().next().and_then(Ended::of);
    Ok(found.filter(|ended| ended.seq == seq))
}

/// What became of each record.
///
/// # Errors
/// The store's.
pub async fn rows(store: &ConnectionStore, ended: &Ended) -> Result<Vec<Row>, DeskError> {
    Ok(import::rows(store, ended.list, &ended.runs).await?)
}
