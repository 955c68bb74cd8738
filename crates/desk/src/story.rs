//! The history in words: one line for each entry.

use std::collections::BTreeSet;

use serde_json::Value;
use tieout_domain::TenantName;
use tieout_domain::port::Order;
use tieout_store::{Entry, Fact};

/// An entry of the history in one line, with its time; `None` for what says nothing about a record.
#[must_use]
pub fn sentence(entry: &Entry) -> Option<String> {
    let silent = matches!(
        entry.fact,
        Fact::RunStarted { .. }
            | Fact::RunEnded { .. }
            | Fact::Attempted { .. }
            | Fact::Credential { .. }
            | Fact::Preference { .. }
            | Fact::User { .. }
            | Fact::UserErased { .. }
            | Fact::Token { .. }
            | Fact::ApprovalAsked { .. }
            | Fact::ApprovalDecided { .. }
            | Fact::HistoryDeleted { .. }
    );
    // The others name who it was in their own words, or follow from one that does.
    let by = matches!(
        entry.fact,
        Fact::Intended { .. } | Fact::Linked { .. } | Fact::Mapped { .. }
    );
    let by = if by {
        format!(", by {}", entry.actor)
    } else {
        String::new()
    };
    (!silent).then(|| format!("{:.0}  {}{by}", entry.at, words(entry)))
}

/// A record's life, entry by entry: what [`sentence`] says, when its writes were sent, and what a write changes,
/// before and after.
#[must_use]
pub fn life(history: &[Entry]) -> Vec<String> {
    let own: BTreeSet<u64> = history
        .iter()
        .filter(|entry| matches!(entry.fact, Fact::Intended { .. }))
        .map(|entry| entry.seq)
        .collect();
    let mut lines = Vec::new();
    for entry in history {
        lines.extend(sentence(entry));
        match &entry.fact {
            // An attempt names every write of its batch, and most are of other records.
            Fact::Attempted { writes, .. } => {
                for write in writes.iter().filter(|write| own.contains(write)) {
                    lines.push(format!(
                        "{:.0}    write {write}: about to be sent",
                        entry.at
                    ));
                }
            }
            _ => lines.extend(changed(entry).into_iter().map(|line| format!("    {line}"))),
        }
    }
    lines
}

/// What a write that an entry decides changes in what was there, field by field, before and after.
#[must_use]
pub fn changed(entry: &Entry) -> Vec<String> {
    match &entry.fact {
        Fact::Intended { order, .. } => changes(order),
        _ => Vec::new(),
    }
}

/// What a write changes in what was there, field by field. Nothing for a creation: all of it is new.
fn changes(order: &Order) -> Vec<String> {
    let Some(expect) = &order.expect else {
        return Vec::new();
    };
    let (Ok(before), Ok(after)) = (
        serde_json::to_value(expect),
        serde_json::to_value(&order.document),
    ) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    // A document is written as its kind and what it is; the kinds are the same.
    differences(&before["is"], &after["is"], "", &mut lines);
    lines
}

fn differences(before: &Value, after: &Value, place: &str, lines: &mut Vec<String>) {
    let inner = |step: &str| match place {
        "" => step.to_owned(),
        place => format!("{place}.{step}"),
    };
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let (old, new) = (old.get(key), new.get(key));
                let (old, new) = (old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
                differences(old, new, &inner(key), lines);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            for at in 0..old.len().max(new.len()) {
                let (old, new) = (old.get(at), new.get(at));
                let (old, new) = (old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
                differences(old, new, &inner(&(at + 1).to_string()), lines);
            }
        }
        _ => lines.push(format!("{place}: {} → {}", shown(before), shown(after))),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) if text.is_empty() => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
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
            why,
            ..
        } => {
            let to = if label_to.is_empty() {
                String::new()
            } else {
                format!(" to {label_to}")
            };
            let why = if why.is_empty() {
                String::new()
            } else {
                format!(" ({why})")
            };
            format!("map: {kind} {label_from}{to}: {}{why}", status.as_str())
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
        Fact::UserErased { user, entries } => format!(
            "{}: name, mail and subject of user {user} erased from {entries} entries",
            entry.actor
        ),
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
        Fact::Imported { list, counts, .. } => {
            format!("import of {list}: {}", crate::import::summary(counts))
        }
        Fact::Note { text } => format!("{}: {text}", entry.actor),
        Fact::RunStarted { trigger, flows, .. } => {
            format!("run started by {trigger}: {}", flows.join(", "))
        }
        Fact::RunEnded {
            status,
            flows,
            calls,
            cause,
            ..
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
        Fact::HistoryDeleted {
            connection,
            tenant,
            entries,
            hash,
            reason,
            ..
        } => {
            let whose = tenant.as_ref().map(|it| format!(" of tenant {it}"));
            format!(
                "{}: connection {connection}{} deleted with its {entries} entries, the last of them {hash:.12}: {reason}",
                entry.actor,
                whose.unwrap_or_default()
            )
        }
        Fact::User {
            user,
            change,
            role,
            disabled,
            tenants,
            ..
        } => {
            let off = if *disabled { ", disabled" } else { "" };
            let only = only(tenants);
            format!(
                "{}: user {user} ({role}{only}{off}) {}",
                entry.actor,
                change.as_str()
            )
        }
        Fact::Token {
            token,
            user,
            change,
            scope,
            tenants,
            ..
        } => format!(
            "{}: token {token} of {user} ({scope}{}) {}",
            entry.actor,
            only(tenants),
            change.as_str()
        ),
        Fact::ApprovalAsked {
            what,
            subject,
            user,
            reason,
            ..
        } => format!("{user} asks for approval of {what} {subject}: {reason}"),
        Fact::ApprovalDecided {
            request,
            decision,
            user,
            reason,
        } => format!(
            "request {request} {} by {user}: {reason}",
            decision.as_str()
        ),
    }
}

/// To which tenants somebody is limited; nothing for everybody else.
fn only(tenants: &[TenantName]) -> String {
    if tenants.is_empty() {
        return String::new();
    }
    let names: Vec<_> = tenants.iter().map(TenantName::as_str).collect();
    format!(", only {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_changed_is_told_field_by_field() {
        let before = json!({"memo": "", "total": "8.53", "same": [1], "lines": [{"amount": "5"}, {"amount": "3"}]});
        let after = json!({"memo": "rent", "total": "9", "same": [1], "lines": [{"amount": "9"}], "hold": true});
        let mut lines = Vec::new();
        differences(&before, &after, "", &mut lines);
        assert_eq!(
            lines,
            [
                "hold: nothing → true",
                "lines.1.amount: 5 → 9",
                "lines.2: {\"amount\":\"3\"} → nothing",
                "memo: nothing → rent",
                "total: 8.53 → 9",
            ]
        );
    }
}
