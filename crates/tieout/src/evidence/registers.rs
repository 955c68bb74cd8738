//! Filling the registers: which entry of the history goes into which.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_domain::{Money, State, Timestamp};
use tieout_report::Format;
use tieout_store::{Exported, Fact, Item, MapStatus};

use super::catalogue::REGISTERS;
use super::files::Pack;
use super::table::Table;
use crate::failure::Failure;
use tieout_desk::story::words;
use tieout_desk::tie_out::NOTES;

/// The span of time that a pack tells of: the first moment in it, and the first after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From, included.
    pub from: Timestamp,
    /// Until, excluded.
    pub until: Timestamp,
}

impl Span {
    fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// The registers in the making.
pub struct Registers {
    tables: BTreeMap<&'static str, Table>,
    /// The runs of the present chain that have not ended yet.
    open_runs: BTreeMap<String, Started>,
    /// The mappings of the present chain, as they stand.
    mappings: BTreeMap<(String, String), Mapping>,
}

struct Started {
    at: Timestamp,
    trigger: String,
    actor: String,
}

struct Mapping {
    to: Option<String>,
    label: String,
    status: MapStatus,
}

impl Registers {
    /// Begins all of them.
    pub fn begin(pack: &Pack) -> Result<Self, Failure> {
        let mut tables = BTreeMap::new();
        for register in REGISTERS {
            let table = Table::begin(pack, register.name, register.columns)?;
            tables.insert(register.name, table);
        }
        Ok(Self {
            tables,
            open_runs: BTreeMap::new(),
            mappings: BTreeMap::new(),
        })
    }

    /// Takes the next entry of a chain. Those before the period tell what was there at its beginning.
    pub fn take(&mut self, exported: &Exported, span: Span) -> Result<(), Failure> {
        let entry = &exported.entry;
        let within = span.holds(entry.at);
        if within {
            self.entry(exported)?;
        }
        match &entry.fact {
            Fact::RunStarted { trigger, .. } => {
                let started = Started {
                    at: entry.at,
                    trigger: trigger.clone(),
                    actor: entry.actor.clone(),
                };
                self.open_runs.insert(run(exported), started);
            }
            Fact::RunEnded { .. } => {
                let started = self.open_runs.remove(&run(exported));
                if within {
                    self.run(exported, started.as_ref())?;
                }
            }
            Fact::Mapped { .. } => self.mapping(exported, within)?,
            _ if within => self.put(exported)?,
            _ => {}
        }
        Ok(())
    }

    /// The end of a chain: what began in the period and has no end is told as such.
    pub fn end_chain(&mut self, chain: &str, span: Span) -> Result<(), Failure> {
        self.mappings.clear();
        for (run, started) in std::mem::take(&mut self.open_runs) {
            if span.holds(started.at) {
                let mut row = vec![
                    json!(chain),
                    json!(run),
                    json!(started.trigger),
                    json!(started.actor),
                    json!(started.at),
                    Value::Null,
                    json!("no end in the period"),
                ];
                row.resize(19, Value::Null);
                self.row("runs", &row)?;
            }
        }
        Ok(())
    }

    /// Takes a record that waits for a person.
    pub fn exception(&mut self, connection: &str, item: &Item) -> Result<(), Failure> {
        let code = item.outcome.code.as_ref();
        let title = code.and_then(Code::page).map(|page| page.title());
        let (amount, currency) = money(item.amount);
        self.row(
            "exceptions",
            &[
                json!(connection),
                json!(item.flow),
                json!(item.record.to_string()),
                json!(item.label),
                amount,
                currency,
                json!(item.outcome.state.as_str()),
                json!(code),
                json!(title),
                json!(item.outcome.cause),
                json!(item.since),
            ],
        )
    }

    /// Ends all of them and says how many rows each has.
    pub fn end(self, pack: &mut Pack) -> Result<BTreeMap<&'static str, u64>, Failure> {
        let mut rows = BTreeMap::new();
        for (name, table) in self.tables {
            rows.insert(name, table.rows());
            table.end(pack)?;
        }
        Ok(rows)
    }

    fn row(&mut self, register: &str, values: &[Value]) -> Result<(), Failure> {
        match self.tables.get_mut(register) {
            Some(table) => table.row(values),
            None => Ok(()),
        }
    }

    fn entry(&mut self, exported: &Exported) -> Result<(), Failure> {
        let sealed = &exported.sealed;
        let row = [
            json!(sealed.chain),
            json!(sealed.seq),
            json!(exported.entry.at),
            json!(sealed.actor),
            json!(sealed.run),
            json!(sealed.fact),
            json!(sealed.flow),
            json!(sealed.record),
            json!(words(&exported.entry).trim_start()),
            json!(sealed.hash),
        ];
        self.row("entries", &row)
    }

    fn run(&mut self, exported: &Exported, started: Option<&Started>) -> Result<(), Failure> {
        let entry = &exported.entry;
        let Fact::RunEnded {
            status,
            flows,
            calls,
            cause,
            ..
        } = &entry.fact
        else {
            return Ok(());
        };
        let row = vec![
            json!(entry.chain),
            json!(entry.run),
            json!(started.map(|started| &started.trigger)),
            json!(started.map_or(&entry.actor, |started| &started.actor)),
            json!(started.map(|started| started.at)),
            json!(entry.at),
            json!(status),
            json!(calls.values().sum::<u64>()),
            json!(cause),
        ];
        if flows.is_empty() {
            let mut row = row.clone();
            row.resize(19, Value::Null);
            self.row("runs", &row)?;
        }
        for (flow, states) in flows {
            let mut row = row.clone();
            row.push(json!(flow));
            row.push(json!(states.values().sum::<u64>()));
            row.extend(State::ALL.map(|state| json!(states.get(state.as_str()).unwrap_or(&0))));
            self.row("runs", &row)?;
        }
        Ok(())
    }

    fn mapping(&mut self, exported: &Exported, within: bool) -> Result<(), Failure> {
        let entry = &exported.entry;
        let Fact::Mapped {
            kind,
            from,
            to,
            status,
            label_from,
            label_to,
            why,
        } = &entry.fact
        else {
            return Ok(());
        };
        let since = Mapping {
            to: to.as_ref().map(ToString::to_string),
            label: label_to.clone(),
            status: *status,
        };
        let row = [
            json!(since.to),
            json!(since.label),
            json!(since.status.as_str()),
            json!(why),
        ];
        let before = self
            .mappings
            .insert((kind.clone(), from.to_string()), since);
        if !within {
            return Ok(());
        }
        let mut full = about(exported);
        full.extend([
            json!(kind),
            json!(from.to_string()),
            json!(label_from),
            json!(before.as_ref().and_then(|before| before.to.as_ref())),
            json!(before.as_ref().map(|before| &before.label)),
            json!(before.as_ref().map(|before| before.status.as_str())),
        ]);
        full.extend(row);
        self.row("mappings", &full)
    }

    /// An entry of the period that goes into a register as it is.
    fn put(&mut self, exported: &Exported) -> Result<(), Failure> {
        let entry = &exported.entry;
        let reason_of = |event: &str, reason: &str| {
            let mut row = about(exported);
            row.extend([json!(event), json!(reason)]);
            row
        };
        match &entry.fact {
            Fact::Decided {
                flow,
                record,
                decision,
                reason,
            } => {
                let mut row = about(exported);
                let record = json!(record.to_string());
                // What `replay` writes: an empty decision, so that the engine looks again, and this word.
                if decision.is_empty() && reason.starts_with("replay") {
                    row.extend([json!(flow), record, json!(reason)]);
                    return self.row("replays", &row);
                }
                let about = if flow == NOTES {
                    "difference"
                } else {
                    "exception"
                };
                row.extend([
                    json!(about),
                    json!(flow),
                    record,
                    json!(decision),
                    json!(reason),
                ]);
                self.row("decisions", &row)
            }
            Fact::Paused { reason } => self.row("stops", &reason_of("paused", reason)),
            Fact::Resumed { reason } => self.row("stops", &reason_of("resumed", reason)),
            Fact::RecoveryNeeded { cause } => self.row("stops", &reason_of("recovery", cause)),
            Fact::Released { reason } => self.row("stops", &reason_of("released", reason)),
            Fact::Credential { name, kind, change } => {
                let mut row = about(exported).split_off(1);
                row.extend([json!(name), json!(kind), json!(change)]);
                self.row("credentials", &row)
            }
            Fact::User { .. } | Fact::UserErased { .. } | Fact::Token { .. } => {
                self.access(exported)
            }
            Fact::ApprovalAsked { .. } | Fact::ApprovalDecided { .. } => self.approval(exported),
            Fact::Preference {
                connection,
                name,
                before,
                after,
            } => {
                let mut row = about(exported).split_off(1);
                row.extend([json!(connection), json!(name), json!(before), json!(after)]);
                self.row("preferences", &row)
            }
            Fact::Stated {
                outcome,
                label,
                amount,
                ..
            } if outcome.state == State::Reversed => {
                let sealed = &exported.sealed;
                let (amount, currency) = money(*amount);
                let row = [
                    json!(sealed.chain),
                    json!(sealed.seq),
                    json!(entry.at),
                    json!(sealed.run),
                    json!(sealed.flow),
                    json!(sealed.record),
                    json!(label),
                    amount,
                    currency,
                    json!(outcome.code),
                    json!(outcome.cause),
                ];
                self.row("reversals", &row)
            }
            _ => self.write(exported),
        }
    }

    /// A change of who may do what.
    fn access(&mut self, exported: &Exported) -> Result<(), Failure> {
        let mut row = about(exported).split_off(1);
        match &exported.entry.fact {
            Fact::User {
                user,
                change,
                role,
                disabled,
                ..
            } => row.extend([
                json!("user"),
                json!(user),
                Value::Null,
                json!(change),
                json!(role),
                json!(disabled),
            ]),
            Fact::UserErased { user, .. } => row.extend([
                json!("user"),
                json!(user),
                Value::Null,
                json!("erased"),
                Value::Null,
                Value::Null,
            ]),
            Fact::Token {
                token,
                user,
                change,
                scope,
                ..
            } => row.extend([
                json!("token"),
                json!(token),
                json!(user),
                json!(change),
                json!(scope),
                Value::Null,
            ]),
            _ => return Ok(()),
        }
        self.row("access", &row)
    }

    /// A step of what takes two people.
    fn approval(&mut self, exported: &Exported) -> Result<(), Failure> {
        let mut row = about(exported);
        match &exported.entry.fact {
            Fact::ApprovalAsked {
                what,
                subject,
                user,
                reason,
                ..
            } => row.extend([
                json!(exported.entry.seq),
                json!("asked"),
                json!(user),
                json!(what),
                json!(subject),
                json!(reason),
            ]),
            Fact::ApprovalDecided {
                request,
                decision,
                user,
                reason,
            } => row.extend([
                json!(request),
                json!(decision),
                json!(user),
                Value::Null,
                Value::Null,
                json!(reason),
            ]),
            _ => return Ok(()),
        }
        self.row("approvals", &row)
    }

    /// A step of a write, if that is what the entry is.
    fn write(&mut self, exported: &Exported) -> Result<(), Failure> {
        let sealed = &exported.sealed;
        let mut step = Step {
            write: exported.entry.fact.write(),
            ..Step::default()
        };
        match &exported.entry.fact {
            Fact::Intended { order, because, .. } => {
                step.write = Some(sealed.seq);
                step.action = Some(order.action.as_str());
                let (kind, label) = (order.document.kind(), order.document.label());
                step.document = Some(format!("{kind} {label}"));
                step.target = order.target.as_ref().map(ToString::to_string);
                step.key = Some(order.key.to_string());
                step.cause.clone_from(because);
            }
            Fact::Applied {
                target, adopted, ..
            } => {
                step.target = Some(target.to_string());
                let how = if *adopted { "was there already" } else { "" };
                how.clone_into(&mut step.cause);
            }
            Fact::Later { code, cause, .. } | Fact::Refused { code, cause, .. } => {
                step.code = Some(code.clone());
                step.cause.clone_from(cause);
            }
            Fact::Unknown { cause, .. }
            | Fact::Abandoned { cause, .. }
            | Fact::Drifted { cause, .. } => step.cause.clone_from(cause),
            Fact::Confirmed { .. } => {}
            _ => return Ok(()),
        }
        let row = [
            json!(sealed.chain),
            json!(sealed.seq),
            json!(exported.entry.at),
            json!(sealed.actor),
            json!(sealed.run),
            json!(step.write),
            json!(sealed.fact),
            json!(sealed.flow),
            json!(sealed.record),
            json!(step.action),
            json!(step.document),
            json!(step.target),
            json!(step.key),
            json!(step.code),
            json!(step.cause),
        ];
        self.row("writes", &row)
    }
}

/// What a step of a write adds to the entry that tells of it.
#[derive(Default)]
struct Step {
    write: Option<u64>,
    action: Option<&'static str>,
    document: Option<String>,
    target: Option<String>,
    key: Option<String>,
    code: Option<Code>,
    cause: String,
}

/// Connection, number, time and actor: what most rows begin with.
fn about(exported: &Exported) -> Vec<Value> {
    let entry = &exported.entry;
    vec![
        json!(entry.chain),
        json!(entry.seq),
        json!(entry.at),
        json!(entry.actor),
    ]
}

fn run(exported: &Exported) -> String {
    exported.sealed.run.clone().unwrap_or_default()
}

/// A plain number with the currency's digits, and the currency.
fn money(money: Option<Money>) -> (Value, Value) {
    let plain = |money: Money| Format::of(money.currency).plain(money.amount);
    (
        json!(money.map(plain)),
        json!(money.map(|money| money.currency.to_string())),
    )
}
