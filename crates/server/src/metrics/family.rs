//! The families of metrics there are, and how they are written.

use std::collections::BTreeMap;

/// A family: one name, one unit, one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What its labels are called.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

impl Family {
    /// What a monitor may do with it: a counter only grows, until the process begins anew.
    fn sort(&self) -> &'static str {
        if self.name.ends_with("_total") {
            "counter"
        } else {
            "gauge"
        }
    }
}

macro_rules! families {
    ($($(#[$doc:meta])* $id:ident = $name:literal [$($label:literal),*] $help:literal;)*) => {
        $($(#[$doc])* pub(super) const $id: Family = Family {
            name: $name,
            labels: &[$($label),*],
            help: $help,
        };)*
        /// All families. Each is a gauge, for what it tells can go down again, but those that end in `_total`.
        pub const FAMILIES: &[Family] = &[$($id),*];
    };
}

families! {
    BUILD = "tieout_build_info" ["version"] "1, with the version as a label.";
    RECORDS = "tieout_records" ["connection", "flow", "state"] "Records by flow and state.";
    EXCEPTIONS = "tieout_exceptions" ["connection", "code"] "Records that wait for a person, by code.";
    DUE = "tieout_due_records" ["connection", "flow"] "Records that a flow must look at again.";
    OPEN_WRITES = "tieout_open_writes" ["connection", "status"]
        "Writes without an outcome: intended, attempted, unknown.";
    RUNNING = "tieout_run_running" ["connection"] "1 while a run is on.";
    RUN_ENDED = "tieout_run_last_timestamp_seconds" ["connection", "status"]
        "When a run last ended so, in seconds since 1970.";
    RUN_SECONDS = "tieout_run_last_duration_seconds" ["connection"] "How long the last run took.";
    RUN_CALLS = "tieout_run_last_calls" ["connection", "system"] "How many calls the last run made.";
    LAG = "tieout_flow_lag_seconds" ["connection", "flow"]
        "How long ago a flow was last gone through to its end.";
    STOPPED = "tieout_stopped" ["connection", "kind"] "1 while remote writes are stopped.";
    CREDENTIAL = "tieout_credential_days_left" ["name", "kind"] "Days until a credential ends.";
    CREDENTIAL_REFUSED = "tieout_credentials_refused_total" ["system"]
        "Sign-ins at a service that were refused, since the process began.";
    SIGN_INS_REFUSED = "tieout_sign_ins_refused_total" ["code"]
        "Sign-ins of people that were refused, by why, since the process began.";
    WEBHOOKS = "tieout_webhooks_total" ["outcome"]
        "Notifications that came, by what became of them (taken, repeated, or why not), since the process began.";
    WEBHOOK_AGE = "tieout_webhook_oldest_unheeded_seconds" ["connection"]
        "How long the oldest notification has waited that no run has heeded; 0 if none waits.";
    BUDGET_USED = "tieout_hourly_calls_used" ["system", "key"]
        "Calls of this process in this clock hour, by what the service counts them by.";
    BUDGET_MOST = "tieout_hourly_calls_allowed" ["system", "key"] "Calls that the service allows in an hour.";
    BACKUP = "tieout_backup_last_timestamp_seconds" []
        "When the last backup was made and checked, in seconds since 1970; not told while there is none.";
    OUTBOX = "tieout_outbox_letters" ["status"] "Mails and hooks: waiting, given-up.";
    NODE_ALIVE = "tieout_node_alive" ["node", "version"]
        "1 for a node that serves from the same store, 0 for one that is silent; forgotten after a day.";
    NODE_DRAINED = "tieout_node_drained" ["node"] "1 while a node is to begin nothing new.";
    NODE_RUNS = "tieout_node_runs" ["node"] "Runs that a node makes now.";
    STORE = "tieout_store_bytes" [] "How many bytes the store takes.";
    MEMORY = "tieout_process_resident_memory_bytes" [] "How much memory the process holds.";
}

/// Samples, family by family.
#[derive(Debug, Default)]
pub(super) struct Samples(BTreeMap<&'static str, Vec<String>>);

impl Samples {
    /// Adds a sample; the labels' values are in the family's order.
    pub(super) fn add(&mut self, family: Family, values: &[&str], value: f64) {
        debug_assert_eq!(family.labels.len(), values.len(), "{}", family.name);
        let labels: Vec<String> = family
            .labels
            .iter()
            .zip(values)
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        let line = format!("{}{labels} {value}", family.name);
        self.0.entry(family.name).or_default().push(line);
    }

    /// As a monitor reads it.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for family in FAMILIES {
            let Some(lines) = self.0.get(family.name) else {
                continue;
            };
            text.push_str(&format!("# HELP {} {}\n", family.name, family.help));
            text.push_str(&format!("# TYPE {} {}\n", family.name, family.sort()));
            for line in lines {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

/// A label's value as the format wants it.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_label_holds_stays_in_its_quotes() {
        let mut samples = Samples::default();
        samples.add(EXCEPTIONS, &["a\"b\\c\nd", "paused"], 3.0);
        let text = samples.text();
        let line = text.lines().last().unwrap();
        assert_eq!(
            line,
            "tieout_exceptions{connection=\"a\\\"b\\\\c\\nd\",code=\"paused\"} 3"
        );
    }
}
