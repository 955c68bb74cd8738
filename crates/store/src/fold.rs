//! What each fact does to the state. Pure: the only place where the meaning of a fact is written, used by a
//! commit and by the verification alike.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::any::AnyRow;
use tieout_domain::{Key, Kind, RecordRef, WaitsFor};

use crate::StoreError;
use crate::facts::{Fact, MapStatus};
use crate::people;
use crate::sql::{self, Cell, cells, count, int, maybe_int, parse, text, to_json};
use crate::stops::StopKind;

/// A fact with what the fold needs of its entry.
pub(crate) struct Recorded<'a> {
    pub(crate) seq: u64,
    pub(crate) at_us: i64,
    pub(crate) actor: &'a str,
    pub(crate) run: Option<&'a str>,
    pub(crate) fact: &'a Fact,
}

/// A write as the state knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WriteRow {
    pub(crate) id: u64,
    pub(crate) flow: String,
    pub(crate) record: String,
    pub(crate) role: String,
    pub(crate) order: String,
    pub(crate) status: String,
    pub(crate) attempted_us: Option<i64>,
    pub(crate) attempts: i64,
    pub(crate) attempt_seqs: String,
}

impl WriteRow {
    pub(crate) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: count(row, 0)?,
            flow: text(row, 1)?,
            record: text(row, 2)?,
            role: text(row, 3)?,
            order: text(row, 4)?,
            status: text(row, 5)?,
            attempted_us: maybe_int(row, 6)?,
            attempts: int(row, 7)?,
            attempt_seqs: text(row, 8)?,
        })
    }

    /// Whether its outcome is still to be told. What it was to write is kept for as long.
    fn is_open(&self) -> bool {
        matches!(self.status.as_str(), "intended" | "attempted" | "unknown")
    }

    /// The entry that told of its first attempt.
    pub(crate) fn first_attempt(&self) -> Result<Option<u64>, StoreError> {
        let mut seqs = self.attempt_seqs.split(',').filter(|seq| !seq.is_empty());
        seqs.next().map(parse).transpose()
    }

    /// The write that an intention makes.
    pub(crate) fn intended(id: u64, fact: &Fact) -> Option<Self> {
        let Fact::Intended {
            flow,
            record,
            role,
            order,
            ..
        } = fact
        else {
            return None;
        };
        Some(Self {
            id,
            flow: flow.clone(),
            record: record.to_string(),
            role: role.clone(),
            order: to_json(order),
            status: "intended".to_owned(),
            attempted_us: None,
            attempts: 0,
            attempt_seqs: String::new(),
        })
    }

    pub(crate) fn cells(self, connection: &str) -> Vec<Cell> {
        cells![
            connection,
            self.id,
            self.flow,
            self.record,
            self.role,
            self.order,
            self.status,
            self.attempted_us,
            self.attempts,
            self.attempt_seqs
        ]
    }
}

/// What of an order becomes part of a link. The document's text is canonical already: it is a part of the order's.
#[derive(Deserialize)]
struct Written<'a> {
    key: Key,
    #[serde(borrow)]
    document: &'a RawValue,
}

/// The writes that a group of facts speaks of.
pub(crate) type Writes = HashMap<u64, WriteRow>;

/// A change of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    StartRun(Vec<Cell>),
    EndRun(Vec<Cell>),
    PutWrite(Vec<Cell>),
    /// Writes are about to be sent: ids, moment, entry.
    Attempt(Vec<u64>, i64, u64),
    /// What became of a write: its new status.
    Tell(u64, &'static str),
    PutLink(Vec<Cell>),
    /// Confirmed, drifted or dropped: a statement about one link.
    AlterLink(&'static str, Vec<Cell>),
    PutItem(Vec<Cell>),
    DropItem(Vec<Cell>),
    PutMap(Vec<Cell>),
    PutDecision(Vec<Cell>),
    DropDecision(Vec<Cell>),
    PutStop(Vec<Cell>),
    DropStop(Vec<Cell>),
    /// A statement that changes one row, and what contradicts the history where it changes none.
    Sure(&'static str, Vec<Cell>, &'static str),
    /// Items that wait for this become due.
    Wake(String),
}

/// A change with the row it touches: no statement may touch a row twice.
pub(crate) type Keyed = (String, Change);

/// What a fact changes.
#[allow(clippy::too_many_lines, reason = "one arm for each fact")]
pub(crate) fn fold(
    connection: &str,
    recorded: &Recorded<'_>,
    writes: &Writes,
) -> Result<Vec<Keyed>, StoreError> {
    let seq = recorded.seq;
    let link_key = |flow: &str, record: &dyn std::fmt::Display, role: &str| {
        format!("link\n{flow}\n{record}\n{role}")
    };
    Ok(match recorded.fact {
        Fact::RunStarted { trigger, flows, .. } => {
            let run = run_of(recorded)?;
            let cells = cells![
                connection,
                run,
                trigger.as_str(),
                to_json(flows),
                recorded.actor,
                recorded.at_us,
                None::<i64>,
                "running",
                "{}",
                "{}",
                "",
                seq
            ];
            vec![(format!("run\n{run}"), Change::StartRun(cells))]
        }
        Fact::RunEnded {
            status,
            flows,
            calls,
            cause,
            ..
        } => {
            let run = run_of(recorded)?;
            let cells = cells![
                recorded.at_us,
                status.as_str(),
                to_json(flows),
                to_json(calls),
                cause.as_str(),
                connection,
                run
            ];
            vec![(format!("run\n{run}"), Change::EndRun(cells))]
        }
        Fact::Intended { .. } => {
            let write = known(writes, seq)?.clone();
            vec![(
                format!("write\n{seq}"),
                Change::PutWrite(write.cells(connection)),
            )]
        }
        Fact::Attempted { writes, there } => {
            let at_us = there.map_or(recorded.at_us, |there| there.as_microsecond());
            let unique: HashSet<u64> = writes.iter().copied().collect();
            if unique.len() != writes.len() {
                return Err(contradiction("an attempt names a write twice"));
            }
            writes
                .iter()
                .map(|id| {
                    (
                        format!("write\n{id}"),
                        Change::Attempt(vec![*id], at_us, seq),
                    )
                })
                .collect()
        }
        Fact::Applied {
            write,
            target,
            adopted,
        } => {
            let row = known(writes, *write)?;
            if !row.is_open() {
                return Err(contradiction(format!("write {write} is closed")));
            }
            let order: Written<'_> = serde_json::from_str(&row.order)
                .map_err(|error| StoreError::corrupt(format!("{error} in {:.200}", row.order)))?;
            let how = if *adopted { "adopted" } else { "applied" };
            let cells = cells![
                connection,
                row.flow.as_str(),
                row.record.as_str(),
                row.role.as_str(),
                target.to_string(),
                Some(order.key.as_str().to_owned()),
                how,
                Some(order.document.get().to_owned()),
                0_i64,
                None::<String>,
                seq
            ];
            let mut changes = vec![
                (format!("write\n{write}"), Change::Tell(*write, "applied")),
                (
                    link_key(&row.flow, &row.record, &row.role),
                    Change::PutLink(cells),
                ),
            ];
            changes.extend(wakes(&row.flow, &row.record, target));
            changes
        }
        Fact::Unknown { write, .. } => told(*write, "unknown"),
        Fact::Later { write, .. } => told(*write, "later"),
        Fact::Refused { write, .. } => told(*write, "refused"),
        Fact::Abandoned { write, .. } => told(*write, "abandoned"),
        Fact::Linked {
            flow,
            record,
            role,
            target,
            key,
            how,
            applied,
        } => {
            let cells = cells![
                connection,
                flow.as_str(),
                record.to_string(),
                role.as_str(),
                target.to_string(),
                key.as_ref().map(|key| key.as_str().to_owned()),
                how.as_str(),
                applied.as_ref().map(to_json),
                0_i64,
                None::<String>,
                seq
            ];
            let mut changes = vec![(link_key(flow, record, role), Change::PutLink(cells))];
            changes.extend(wakes(flow, &record.to_string(), target));
            changes
        }
        Fact::Unlinked {
            flow, record, role, ..
        } => {
            let cells = cells![connection, flow.as_str(), record.to_string(), role.as_str()];
            vec![(
                link_key(flow, record, role),
                Change::AlterLink(sql::LINK_DROP, cells),
            )]
        }
        Fact::Confirmed { flow, record, role } => {
            let cells = cells![
                seq,
                connection,
                flow.as_str(),
                record.to_string(),
                role.as_str()
            ];
            vec![(
                link_key(flow, record, role),
                Change::AlterLink(sql::LINK_CONFIRM, cells),
            )]
        }
        Fact::Drifted {
            flow,
            record,
            role,
            cause,
        } => {
            let cells = cells![
                cause.as_str(),
                seq,
                connection,
                flow.as_str(),
                record.to_string(),
                role.as_str()
            ];
            vec![(
                link_key(flow, record, role),
                Change::AlterLink(sql::LINK_DRIFT, cells),
            )]
        }
        Fact::Stated {
            flow,
            record,
            outcome,
            label,
            amount,
        } => {
            let cells = cells![
                connection,
                flow.as_str(),
                record.to_string(),
                outcome.state.as_str(),
                outcome.code.as_ref().map_or("", |code| code.as_str()),
                outcome.cause.as_str(),
                outcome.group.as_str(),
                outcome.waits_for.as_ref().map(ToString::to_string),
                label.as_str(),
                amount.map(|money| money.amount.to_string()),
                amount.map(|money| money.currency.code().to_owned()),
                recorded.at_us,
                recorded.at_us,
                seq
            ];
            vec![(format!("item\n{flow}\n{record}"), Change::PutItem(cells))]
        }
        Fact::Forgotten { flow, record } => {
            let cells = cells![connection, flow.as_str(), record.to_string()];
            vec![(format!("item\n{flow}\n{record}"), Change::DropItem(cells))]
        }
        Fact::Mapped {
            kind,
            from,
            to,
            status,
            label_from,
            label_to,
            why,
        } => {
            let cells = cells![
                connection,
                kind.as_str(),
                from.as_str(),
                to.as_ref().map(|to| to.as_str().to_owned()),
                status.as_str(),
                label_from.as_str(),
                label_to.as_str(),
                why.as_str(),
                recorded.actor,
                recorded.at_us,
                seq
            ];
            let mut changes = vec![(format!("map\n{kind}\n{from}"), Change::PutMap(cells))];
            if *status == MapStatus::Confirmed {
                for id in std::iter::once(from).chain(to) {
                    let wait = WaitsFor::Map(kind.clone(), id.clone()).to_string();
                    changes.push((format!("wake\n{wait}"), Change::Wake(wait)));
                }
            }
            changes
        }
        Fact::Decided {
            flow,
            record,
            decision,
            reason,
        } => {
            let key = format!("decision\n{flow}\n{record}");
            if decision.is_empty() {
                let cells = cells![connection, flow.as_str(), record.to_string()];
                return Ok(vec![(key, Change::DropDecision(cells))]);
            }
            let cells = cells![
                connection,
                flow.as_str(),
                record.to_string(),
                decision.as_str(),
                reason.as_str(),
                recorded.actor,
                recorded.at_us,
                seq
            ];
            vec![(key, Change::PutDecision(cells))]
        }
        Fact::Paused { reason } => {
            vec![stop(connection, StopKind::Paused, reason, recorded)]
        }
        Fact::RecoveryNeeded { cause } => {
            vec![stop(connection, StopKind::Recovering, cause, recorded)]
        }
        Fact::Resumed { .. } => vec![no_stop(connection, StopKind::Paused)],
        Fact::Released { .. } => vec![no_stop(connection, StopKind::Recovering)],
        Fact::User { .. }
        | Fact::Token { .. }
        | Fact::ApprovalAsked { .. }
        | Fact::ApprovalDecided { .. } => people::fold(connection, recorded).into_iter().collect(),
        Fact::Erased { .. }
        | Fact::UserErased { .. }
        | Fact::Signed { .. }
        | Fact::Credential { .. }
        | Fact::Preference { .. }
        | Fact::Imported { .. }
        | Fact::HistoryDeleted { .. }
        | Fact::Note { .. } => Vec::new(),
    })
}

/// The first reason to stop counts until the stop is lifted.
fn stop(connection: &str, kind: StopKind, reason: &str, recorded: &Recorded<'_>) -> Keyed {
    let cells = cells![
        connection,
        kind.as_str(),
        reason,
        recorded.actor,
        recorded.at_us,
        recorded.seq
    ];
    (format!("stop\n{}", kind.as_str()), Change::PutStop(cells))
}

fn no_stop(connection: &str, kind: StopKind) -> Keyed {
    let cells = cells![connection, kind.as_str()];
    (format!("stop\n{}", kind.as_str()), Change::DropStop(cells))
}

fn run_of<'a>(recorded: &Recorded<'a>) -> Result<&'a str, StoreError> {
    recorded
        .run
        .ok_or_else(|| contradiction("a run begins or ends without its id"))
}

fn known(writes: &Writes, id: u64) -> Result<&WriteRow, StoreError> {
    writes
        .get(&id)
        .ok_or_else(|| contradiction(format!("write {id} was never intended")))
}

fn told(write: u64, status: &'static str) -> Vec<Keyed> {
    vec![(format!("write\n{write}"), Change::Tell(write, status))]
}

/// A link may be waited for by either of its ends. A credit may have come of a bill below zero: then the
/// bills' link is what the users of the credit wait for.
fn wakes(flow: &str, from: &str, target: &RecordRef) -> Vec<Keyed> {
    let target_text = target.to_string();
    let mut waits = vec![(flow, from), (flow, target_text.as_str())];
    if target.kind == Kind::VendorCredit && flow != CREDITS {
        waits.push((CREDITS, target_text.as_str()));
    }
    waits
        .into_iter()
        .map(|(flow, record)| {
            // The form of `WaitsFor::Link`, whose record is a text here.
            let wait = format!("link:{flow}:{record}");
            (format!("wake\n{wait}"), Change::Wake(wait))
        })
        .collect()
}

/// The flow of vendor credits.
const CREDITS: &str = "vendor-credits";

pub(crate) fn contradiction(cause: impl Into<String>) -> StoreError {
    StoreError::Contradiction {
        cause: cause.into(),
    }
}
