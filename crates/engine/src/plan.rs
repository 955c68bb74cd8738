//! Plans: what a run would do, record by record.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use tieout_domain::port::Action;
use tieout_domain::{Fingerprint, Kind, Money, RecordRef, RemoteId, Side};
use tieout_flows::{Link, Seen, Step, Verdict};

use crate::apply::Intent;
use crate::decide::Decision;
use crate::overlay::Overlay;
use crate::rounds::{Adopted, is_choice};

/// One thing that would be done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Which flow.
    pub flow: String,
    /// On account of which record.
    pub record: RecordRef,
    /// What people call it.
    pub label: String,
    /// What it is worth, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub amount: String,
    /// `create`, `amend`, `archive`, `restore`, `void`, or `link` for what is there already.
    pub action: String,
    /// Where.
    pub side: Side,
    /// What kind of record would be written or linked.
    pub kind: Kind,
    /// The record that would be changed or linked; empty for a creation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// Which of the record's counterparts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// The idempotency key.
    pub key: String,
    /// Why.
    pub because: String,
    /// The fingerprint of what would be written.
    pub fingerprint: String,
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The connection.
    pub connection: String,
    /// The flows it is of.
    pub flows: Vec<String>,
    /// What would be done, in a stable order.
    pub steps: Vec<PlannedStep>,
    /// How the records that nothing would be written for stand, by flow and state.
    pub states: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Plan {
    /// Whether another plan would do exactly the same.
    ///
    /// # Errors
    /// The first difference, in words.
    pub fn compare(&self, now: &Self) -> Result<(), String> {
        if self.connection != now.connection {
            return Err(format!(
                "it is for connection `{}`, not `{}`",
                self.connection, now.connection
            ));
        }
        let key = |step: &PlannedStep| {
            let mut step = step.clone();
            // What people read may be reworded between versions; what is done may not.
            step.because.clear();
            step.label.clear();
            step.amount.clear();
            step
        };
        let planned: BTreeSet<_> = self.steps.iter().map(key).collect();
        let present: BTreeSet<_> = now.steps.iter().map(key).collect();
        let describe =
            |step: &PlannedStep| format!("{} {} for {}", step.action, step.kind, step.record);
        if let Some(step) = planned.difference(&present).next() {
            return Err(format!("`{}` would no longer be done so", describe(step)));
        }
        if let Some(step) = present.difference(&planned).next() {
            return Err(format!(
                "`{}` would be done too, and is not in it",
                describe(step)
            ));
        }
        Ok(())
    }
}

/// Pretends, and takes notes.
#[derive(Debug, Default)]
pub(crate) struct Planner {
    steps: Vec<PlannedStep>,
    states: BTreeMap<String, BTreeMap<String, u64>>,
    rested: HashSet<(String, RecordRef)>,
    /// Records that came out blocked, and how: they may be looked at again.
    blocked: BTreeMap<String, BTreeMap<RecordRef, String>>,
    /// A write pretended twice for one record in one role would go on for ever.
    pretended: HashSet<(String, RecordRef, String, String)>,
}

impl Planner {
    /// Whether a record needs no further look.
    pub(crate) fn has_rested(&self, key: &(String, RecordRef)) -> bool {
        self.rested.contains(key)
    }

    /// The records of a flow that came out blocked over a choice.
    pub(crate) fn blocked(&self, flow: &str) -> Vec<RecordRef> {
        self.blocked
            .get(flow)
            .into_iter()
            .flat_map(BTreeMap::keys)
            .cloned()
            .collect()
    }

    /// Takes a page of decisions. Gives the records for which something was pretended.
    pub(crate) fn pretend(
        &mut self,
        flow: &str,
        overlay: &mut Overlay,
        rested: Vec<Decision>,
        intents: Vec<Intent>,
        adopted: Vec<Adopted>,
    ) -> Vec<RecordRef> {
        for decision in rested {
            let before = self.no_longer_blocked(flow, &decision.record);
            let new = self
                .rested
                .insert((flow.to_owned(), decision.record.clone()));
            let Verdict::Rest(outcome) = decision.verdict else {
                continue;
            };
            let states = self.states.entry(flow.to_owned()).or_default();
            if new || before {
                *states.entry(outcome.to_string()).or_default() += 1;
            }
            if is_choice(&outcome) {
                let blocked = self.blocked.entry(flow.to_owned()).or_default();
                blocked.insert(decision.record, outcome.to_string());
            }
        }
        let mut again = Vec::new();
        for Adopted {
            label,
            amount,
            how,
            link,
        } in adopted
        {
            again.push(link.record.clone());
            if is_list(link.record.kind) {
                overlay.map(
                    link.record.kind,
                    link.record.id.clone(),
                    link.target.id.clone(),
                );
            }
            self.steps.push(PlannedStep {
                flow: link.flow.clone(),
                record: link.record.clone(),
                label,
                amount: amount.map(|money| money.to_string()).unwrap_or_default(),
                action: "link".to_owned(),
                side: link.target.side,
                kind: link.target.kind,
                target: link.target.id.to_string(),
                role: link.role.clone(),
                key: link
                    .key
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                because: how.to_owned(),
                fingerprint: String::new(),
            });
            overlay.link(link, None);
        }
        for intent in intents {
            let record = intent.record.clone();
            if self.pretend_write(overlay, intent) {
                again.push(record);
            }
        }
        again
    }

    /// Takes back that a record came out blocked, if it did.
    fn no_longer_blocked(&mut self, flow: &str, record: &RecordRef) -> bool {
        let Some(before) = self
            .blocked
            .get_mut(flow)
            .and_then(|blocked| blocked.remove(record))
        else {
            return false;
        };
        if let Some(states) = self.states.get_mut(flow)
            && let Some(count) = states.get_mut(&before)
        {
            *count -= 1;
            states.retain(|_, count| *count > 0);
        }
        true
    }

    fn pretend_write(&mut self, overlay: &mut Overlay, intent: Intent) -> bool {
        self.no_longer_blocked(intent.flow, &intent.record);
        let step = &intent.step;
        let once = (
            intent.flow.to_owned(),
            intent.record.clone(),
            step.role.clone(),
            format!("{}{}", step.action.as_str(), step.key),
        );
        if !self.pretended.insert(once) {
            self.rested.insert((intent.flow.to_owned(), intent.record));
            return false;
        }
        self.steps.push(planned(&intent));
        let kind = step.document.kind();
        let id = match (&step.target, step.action) {
            (Some(target), _) => target.clone(),
            (None, _) => RemoteId::new(format!("new:{}", step.key)),
        };
        let target = RecordRef {
            side: step.side,
            kind,
            id,
        };
        let seen = Seen {
            document: step.document.clone(),
            created: None,
            gone: false,
        };
        if matches!(step.action, Action::Create | Action::Amend) {
            if is_list(intent.record.kind) && step.action == Action::Create {
                overlay.map(
                    intent.record.kind,
                    intent.record.id.clone(),
                    target.id.clone(),
                );
            }
            let link = Link {
                flow: intent.flow.to_owned(),
                record: intent.record,
                role: intent.step.role.clone(),
                target,
                key: Some(intent.step.key.clone()),
                applied: Some(intent.step.document),
            };
            overlay.link(link, Some(seen));
        } else {
            // What an archived or voided record looks like is the far side's to say.
            overlay.record(target, seen);
            self.rested.insert((intent.flow.to_owned(), intent.record));
        }
        true
    }

    /// The plan, in a stable order.
    pub(crate) fn finish(self, connection: &str, flows: &[&str]) -> Plan {
        let mut steps = self.steps;
        let place = |name: &str| flows.iter().position(|flow| *flow == name);
        steps.sort_by(|a, b| {
            (place(&a.flow), &a.record, &a.role).cmp(&(place(&b.flow), &b.record, &b.role))
        });
        Plan {
            connection: connection.to_owned(),
            flows: flows.iter().map(|flow| (*flow).to_owned()).collect(),
            steps,
            states: self.states,
        }
    }
}

fn is_list(kind: Kind) -> bool {
    kind == Kind::Account || Kind::DIMENSIONS.contains(&kind)
}

fn planned(intent: &Intent) -> PlannedStep {
    let Step {
        side,
        action,
        role,
        target,
        document,
        key,
        because,
        ..
    } = &intent.step;
    PlannedStep {
        flow: intent.flow.to_owned(),
        record: intent.record.clone(),
        label: intent.label.clone(),
        amount: intent
            .amount
            .map(|money: Money| money.to_string())
            .unwrap_or_default(),
        action: action.as_str().to_owned(),
        side: *side,
        kind: document.kind(),
        target: target.as_ref().map(ToString::to_string).unwrap_or_default(),
        role: role.clone(),
        key: key.to_string(),
        because: because.clone(),
        fingerprint: Fingerprint::of(document).to_string(),
    }
}
