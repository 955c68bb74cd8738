//! The proof: every entry's hash, number and personal values, and the state folded again from the entries
//! and compared with the one that lies beside them.
//!
//! All of it is read in one moment's state and streamed: the new fold goes into a scratch database in the
//! system's folder for temporary files, so that memory stays flat however long the history is.

use std::sync::Arc;

use futures::TryStreamExt as _;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::chain::Stored;
use crate::fold::Recorded;
use crate::seams::Seams;
use crate::sql::{self, cells, count, text, with};
use crate::store::Store;
use crate::{ChainHead, Fact, StoreError, Verification, VerificationFault, batch, frozen};

/// How many entries are folded in one go.
const GROUP: usize = 512;

/// A table of the state: its name, what reads it in the order of its keys, and how many columns are its key.
const STATE: [(&str, &str, usize); 10] = [
    ("item", sql::ALL_ITEMS, 2),
    ("link", sql::ALL_LINKS, 3),
    ("mapping", sql::ALL_MAPS, 2),
    ("write", sql::ALL_WRITES, 1),
    ("decision", sql::ALL_DECISIONS, 2),
    ("run", sql::ALL_RUNS, 1),
    ("stop", sql::ALL_STOPS, 1),
    ("user", sql::ALL_USERS, 1),
    ("token", sql::ALL_TOKENS, 1),
    ("approval", sql::ALL_APPROVALS, 1),
];

impl Store {
    /// Checks the file, every chain, and the state beside it. What is found wrong with a chain is in the answer,
    /// not an error.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a file that is damaged: no chain can be trusted to be all of it. Also what a
    /// database can answer.
    pub async fn verify(&self) -> Result<Verification, StoreError> {
        self.check_file().await?;
        let folder = tempfile::tempdir()
            .map_err(|error| crate::store::cannot_open(&std::env::temp_dir(), &error))?;
        let seams = Seams::of(Arc::clone(&self.inner.seams.clock));
        let scratch = Self::scratch(&folder.path().join("fold.db"), seams).await?;
        let mut snapshot = self.snapshot().await?;
        let mut found = Verification::default();
        let mut heads = Vec::new();
        for row in with(sql::CHAINS, cells![]).fetch_all(&mut snapshot).await? {
            heads.push((text(&row, 0)?, count(&row, 1)?, text(&row, 2)?));
        }
        for head in heads {
            check_chain(&mut snapshot, &scratch, head, &mut found).await?;
        }
        drop(snapshot);
        scratch.close().await;
        Ok(found)
    }
}

impl Store {
    /// A damaged page may be one that no chain is read from: an index, say, that the next look-up goes by.
    async fn check_file(&self) -> Result<(), StoreError> {
        let Some(check) = self.inner.dialect.check_file() else {
            return Ok(());
        };
        let mut reader = self.reader().await?;
        let row = sqlx::query(check).fetch_one(&mut *reader).await?;
        match text(&row, 0)?.as_str() {
            "ok" => Ok(()),
            wrong => Err(StoreError::corrupt(wrong.trim())),
        }
    }
}

async fn check_chain(
    snapshot: &mut AnyConnection,
    scratch: &Store,
    (chain, length, last): (String, u64, String),
    found: &mut Verification,
) -> Result<(), StoreError> {
    let mut walk = Walk::new(scratch, &chain);
    let fault = walk.entries(snapshot).await?.or_else(|| {
        (walk.seq != length || walk.hash != last).then(|| VerificationFault {
            chain: chain.clone(),
            seq: Some(walk.seq.min(length)),
            cause: format!(
                "the chain is said to end with entry {length}, and ends with {}",
                walk.seq
            ),
        })
    });
    let fault = fault.or_else(|| {
        (walk.erased != walk.erasures).then(|| VerificationFault {
            chain: chain.clone(),
            seq: None,
            cause: format!(
                "the personal values of {} entries are erased, and the history tells of {}",
                walk.erased, walk.erasures
            ),
        })
    });
    let head = ChainHead {
        chain: chain.clone(),
        entries: length,
        erased: walk.erased,
        hash: last,
    };
    found.chains.push(head);
    if let Some(fault) = fault {
        found.faults.push(fault);
        return Ok(());
    }
    for (seq, fact) in walk.signed {
        if let Some(cause) = frozen::fault(snapshot, &chain, &fact).await? {
            found.faults.push(VerificationFault {
                chain: chain.clone(),
                seq: Some(seq),
                cause,
            });
        }
    }
    let mut folded = scratch.reader().await?;
    for (what, statement, keys) in STATE {
        let fault = compare(snapshot, &mut folded, &chain, what, statement, keys).await?;
        let fault = fault.map(|cause| VerificationFault {
            chain: chain.clone(),
            seq: None,
            cause,
        });
        found.faults.extend(fault);
    }
    Ok(())
}

/// A walk along one chain.
struct Walk<'a> {
    scratch: &'a Store,
    chain: &'a str,
    seq: u64,
    hash: String,
    erased: u64,
    /// From how many entries the history itself says that values were erased.
    erasures: u64,
    group: Vec<(Stored, Fact)>,
    /// What was signed, and in which entry.
    signed: Vec<(u64, Fact)>,
}

impl<'a> Walk<'a> {
    fn new(scratch: &'a Store, chain: &'a str) -> Self {
        Self {
            scratch,
            chain,
            seq: 0,
            hash: String::new(),
            erased: 0,
            erasures: 0,
            group: Vec::new(),
            signed: Vec::new(),
        }
    }

    /// Checks every entry and folds it; returns the first fault.
    async fn entries(
        &mut self,
        snapshot: &mut AnyConnection,
    ) -> Result<Option<VerificationFault>, StoreError> {
        let mut rows = with(sql::ENTRIES_ALL, cells![self.chain]).fetch(snapshot);
        while let Some(row) = rows.try_next().await? {
            let stored = Stored::read(&row)?;
            if let Some(cause) = self.fault(&stored) {
                return Ok(Some(self.at(stored.envelope.seq, cause)));
            }
            self.seq = stored.envelope.seq;
            self.hash.clone_from(&stored.hash);
            self.erased += u64::from(stored.erased());
            match stored.fact() {
                Ok(fact) => {
                    if let Fact::Erased { entries, .. } | Fact::UserErased { entries, .. } = fact {
                        self.erasures += entries;
                    }
                    if matches!(fact, Fact::Signed { .. }) {
                        self.signed.push((self.seq, fact.clone()));
                    }
                    self.group.push((stored, fact));
                }
                Err(error) => return Ok(Some(self.at(self.seq, error.to_string()))),
            }
            if self.group.len() == GROUP
                && let Some(fault) = self.fold().await?
            {
                return Ok(Some(fault));
            }
        }
        self.fold().await
    }

    fn at(&self, seq: u64, cause: String) -> VerificationFault {
        VerificationFault {
            chain: self.chain.to_owned(),
            seq: Some(seq),
            cause,
        }
    }

    fn fault(&self, stored: &Stored) -> Option<String> {
        let envelope = &stored.envelope;
        if envelope.seq != self.seq + 1 {
            return Some(format!("entry {} is missing", self.seq + 1));
        }
        if envelope.hash(self.chain, &self.hash) != stored.hash {
            return Some("its content is not what its hash was made of".to_owned());
        }
        stored.private_fault()
    }

    /// Folds the group into the scratch database.
    async fn fold(&mut self) -> Result<Option<VerificationFault>, StoreError> {
        let group = std::mem::take(&mut self.group);
        let mut transaction = self.scratch.begin().await?;
        let facts = group
            .iter()
            .map(|(stored, fact)| (stored.envelope.seq, fact));
        let writes = batch::load_writes(&mut transaction, self.chain, facts).await?;
        let recorded: Vec<_> = group
            .iter()
            .map(|(stored, fact)| Recorded {
                seq: stored.envelope.seq,
                at_us: stored.envelope.at_us,
                actor: &stored.envelope.actor,
                run: stored.envelope.run.as_deref(),
                fact,
            })
            .collect();
        match batch::apply(&mut transaction, self.chain, &recorded, &writes).await {
            Ok(_) => {}
            Err(StoreError::Contradiction { cause }) => {
                let first = recorded.first().map_or(0, |recorded| recorded.seq);
                let cause = format!("the entries from {first} on contradict each other: {cause}");
                return Ok(Some(self.at(first, cause)));
            }
            Err(error) => return Err(error),
        }
        transaction.commit().await?;
        Ok(None)
    }
}

/// Reads a table of both in step and returns the first difference.
async fn compare(
    kept: &mut AnyConnection,
    folded: &mut AnyConnection,
    chain: &str,
    what: &str,
    statement: &'static str,
    keys: usize,
) -> Result<Option<String>, StoreError> {
    let mut kept = with(statement, cells![chain]).fetch(kept);
    let mut folded = with(statement, cells![chain]).fetch(folded);
    loop {
        let kept = kept.try_next().await?.as_ref().map(columns).transpose()?;
        let folded = folded.try_next().await?.as_ref().map(columns).transpose()?;
        let name = |row: &[Option<String>]| {
            let key: Vec<_> = row
                .iter()
                .take(keys)
                .flatten()
                .map(String::as_str)
                .collect();
            key.join(" ")
        };
        match (kept, folded) {
            (None, None) => return Ok(None),
            (Some(kept), Some(folded)) if kept == folded => {}
            (Some(kept), Some(folded)) if kept[..keys] == folded[..keys] => {
                let name = name(&kept);
                let at = (0..kept.len())
                    .find(|at| kept[*at] != folded[*at])
                    .unwrap_or_default();
                let show = |row: &[Option<String>]| {
                    row[at].clone().unwrap_or_else(|| "nothing".to_owned())
                };
                return Ok(Some(format!(
                    "the {what} {name} holds `{:.80}`, and by the history it is `{:.80}`",
                    show(&kept),
                    show(&folded)
                )));
            }
            (Some(kept), None) => {
                return Ok(Some(format!(
                    "the {what} {} does not follow from the history",
                    name(&kept)
                )));
            }
            (None, Some(folded)) => {
                return Ok(Some(format!("the {what} {} is missing", name(&folded))));
            }
            (Some(kept), Some(folded)) => {
                return Ok(Some(format!(
                    "the {what} {} is there where the history has {}",
                    name(&kept),
                    name(&folded)
                )));
            }
        }
    }
}

fn columns(row: &AnyRow) -> Result<Vec<Option<String>>, StoreError> {
    (0..row.len()).map(|at| Ok(row.try_get(at)?)).collect()
}
