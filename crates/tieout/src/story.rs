//! The history in words: one line for each entry.

use tieout_store::{Entry, Fact};

/// An entry of the history in one line, with its time; `None` for what says nothing about a record.
#[must_use]
pub fn sentence(entry: &Entry) -> Option<String> {
    let silent = matches!(
        entry.fact,
        Fact::RunStarted { .. }
            | Fact::RunEnded { .. }
            | Fact::Attempted { .. }
            | Fact::Forgotten { .. }
            | Fact::Credential { .. }
            | Fact::Preference { .. }
    );
    (!silent).then(|| format!("{:.0}  {}", entry.at, words(entry)))
}

/// What an entry says, whatever it is about. What became of a write is set in by two spaces.
#[must_use]
pub fn words(entry: &Entry) -> String {
    match &entry.fact {
        Fact::Intended {
            flow,
            record,
            order,
            because,
            ..
        } => format!(
            "{flow}: {} {} for {record} ({}): {because}, under {}",
            order.action.as_str(),
            order.document.kind(),
            order.document.label(),
            order.key
        ),
        Fact::Applied {
            write,
            target,
            adopted,
        } => {
            let how = if *adopted {
                "was there already"
            } else {
                "applied"
            };
            format!("  write {write}: {how}: {target}")
        }
        Fact::Unknown { write, cause } => format!("  write {write}: outcome unknown: {cause}"),
        Fact::Later { write, code, cause } => format!("  write {write}: later ({code}): {cause}"),
        Fact::Refused {
            write, code, cause, ..
        } => {
            format!("  write {write}: refused ({code}): {cause}")
        }
        Fact::Abandoned { write, cause } => format!("  write {write}: given up: {cause}"),
        Fact::Linked {
            flow,
            record,
            target,
            how,
            ..
        } => {
            format!("{flow}: {record} linked to {target} by {how}")
        }
        Fact::Unlinked {
            flow,
            record,
            cause,
            ..
        } => format!("{flow}: {record} unlinked: {cause}"),
        Fact::Stated {
            flow,
            record,
            outcome,
            label,
            amount,
        } => {
            let amount = amount
                .map(|amount| format!(", {amount}"))
                .unwrap_or_default();
            let cause = if outcome.cause.is_empty() {
                String::new()
            } else {
                format!(": {}", outcome.cause)
            };
            format!("{flow}: {label} ({record}{amount}) is {outcome}{cause}")
        }
        Fact::Mapped {
            kind,
            label_from,
            label_to,
            status,
            ..
        } => {
            format!(
                "map: {kind} {label_from} to {label_to}: {}",
                status.as_str()
            )
        }
        Fact::Confirmed { record, .. } => format!("  {record} was read back as written"),
        Fact::Drifted { record, cause, .. } => {
            format!("  {record} was read back otherwise: {cause}")
        }
        Fact::Decided {
            flow,
            record,
            decision,
            reason,
        } if decision.is_empty() => {
            format!(
                "{flow}: {} takes back what was decided about {record}: {reason}",
                entry.actor
            )
        }
        Fact::Decided {
            flow,
            record,
            decision,
            reason,
        } => {
            format!(
                "{flow}: {} decides `{decision}` about {record}: {reason}",
                entry.actor
            )
        }
        Fact::Erased {
            record,
            entries,
            reason,
        } => {
            format!(
                "{}: personal values of {record} erased from {entries} entries: {reason}",
                entry.actor
            )
        }
        Fact::Paused { reason } => {
            format!("{} pauses remote writes: {reason}", entry.actor)
        }
        Fact::Resumed { reason } => {
            format!("{} lets remote writes go on: {reason}", entry.actor)
        }
        Fact::RecoveryNeeded { cause } => format!("the connection is in recovery: {cause}"),
        Fact::Released { reason } => {
            format!("{} ends the recovery: {reason}", entry.actor)
        }
        Fact::Note { text } => format!("{}: {text}", entry.actor),
        Fact::RunStarted { trigger, flows } => {
            format!("run started by {trigger}: {}", flows.join(", "))
        }
        Fact::RunEnded {
            status,
            flows,
            calls,
            cause,
        } => {
            let records: u64 = flows.values().flat_map(|states| states.values()).sum();
            let calls: u64 = calls.values().sum();
            let cause = if cause.is_empty() {
                String::new()
            } else {
                format!(": {cause}")
            };
            format!("run ended: {status}, {records} records looked after, {calls} calls{cause}")
        }
        Fact::Attempted { writes, .. } => {
            let writes: Vec<String> = writes.iter().map(ToString::to_string).collect();
            format!("  about to be sent: write {}", writes.join(", "))
        }
        Fact::Forgotten { flow, record } => format!("{flow}: {record} leaves the population"),
        Fact::Credential { name, kind, change } => {
            format!("{}: credential {name} ({kind}) {change}", entry.actor)
        }
        Fact::Preference {
            connection,
            name,
            before,
            after,
        } => format!(
            "{}: preference {name} of {connection} changed from `{before}` to `{after}`",
            entry.actor
        ),
    }
}
