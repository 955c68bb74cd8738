//! The history in words: one line for each entry that says something about a record.

use tieout_store::{Entry, Fact};

/// An entry of the history in one line; `None` for what says nothing about a record.
pub fn sentence(entry: &Entry) -> Option<String> {
    let at = format!("{:.0}", entry.at);
    let what = match &entry.fact {
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
        Fact::Signed {
            report,
            period,
            currency,
            role,
            status,
            sha256,
            comment,
            ..
        } => {
            let said = if comment.is_empty() {
                String::new()
            } else {
                format!(": {comment}")
            };
            format!(
                "{} signs the {report} of {period} in {currency}, {status}, as {role} ({sha256}){said}",
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
        _ => return None,
    };
    Some(format!("{at}  {what}"))
}
