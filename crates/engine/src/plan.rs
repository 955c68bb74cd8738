//! Plans: what a run would do, record by record.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::port::Action;
use tieout_domain::{
    Amount, Currency, Fingerprint, Kind, Money, Outcome, RecordRef, RemoteId, Side,
};
use tieout_flows::{Link, Seen, Step, Verdict};
use tieout_store::Stop;

use crate::apply::Intent;
use crate::cost::Cost;
use crate::decide::Decision;
use crate::initial::Later;
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

/// A record that is left alone until a person says whether it is one that is there already.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlannedChoice {
    /// Which flow.
    pub flow: String,
    /// Which record.
    pub record: RecordRef,
    /// What people call it.
    pub label: String,
    /// Which choice: `resembles`, `choose-vendor`, `ambiguous-match`, `adopt-paid`.
    pub code: Code,
    /// What it resembles, and by what.
    pub cause: String,
}

/// How much of a flow began on the platform before the first write to the ledger, and waits for a person's yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Which flow.
    pub flow: String,
    /// How many records.
    pub count: u64,
    /// What they are worth, by currency.
    pub amounts: Vec<Money>,
}

/// The code of what waits for that yes.
const FIRST_SYNC: &str = "first-sync";

/// The codes of what a person decides by linking, creating or ignoring.
const CHOICES: [&str; 4] = [
    "resembles",
    "choose-vendor",
    "ambiguous-match",
    "adopt-paid",
];

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
    /// What a person may decide before anything is written: records that resemble one over there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<PlannedChoice>,
    /// What the first sync would take to the ledger, as long as nobody has said yes to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_sync: Vec<Extent>,
    /// How much of it comes only when the last twelve months are through, as long as the initial sync is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<Later>,
    /// What stops remote writes at the moment, so that a sync would do nothing of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stops: Vec<Stop>,
    /// What doing it takes, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
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
    /// How the records stood that nothing was written for when they were last looked at; nothing for those
    /// that another record stands for.
    stood: HashMap<(String, RecordRef), Option<String>>,
    /// Records that came out blocked over a choice: they may be looked at again.
    choices: BTreeMap<String, BTreeSet<RecordRef>>,
    /// What a person may decide, as it stood when it was last looked at.
    undecided: BTreeMap<(String, RecordRef), PlannedChoice>,
    /// What waits for a yes to the first sync, with what it is worth.
    held: BTreeMap<(String, RecordRef), Option<Money>>,
    /// A write pretended twice for one record in one role would go on for ever.
    pretended: HashSet<(String, RecordRef, String, String)>,
}

impl Planner {
    /// Whether a record needs no further look.
    pub(crate) fn has_rested(&self, key: &(String, RecordRef)) -> bool {
        self.stood.contains_key(key)
    }

    /// The records of a flow that came out blocked over a choice.
    pub(crate) fn blocked(&self, flow: &str) -> Vec<RecordRef> {
        self.choices
            .get(flow)
            .into_iter()
            .flatten()
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
            let outcome = match decision.verdict {
                Verdict::Rest(outcome) => Some(outcome),
                _ => None,
            };
            let choices = self.choices.entry(flow.to_owned()).or_default();
            if outcome.as_ref().is_some_and(is_choice) {
                choices.insert(decision.record.clone());
            } else {
                choices.remove(&decision.record);
            }
            let key = (flow.to_owned(), decision.record.clone());
            let code = outcome.as_ref().and_then(|outcome| outcome.code.as_ref());
            if code.is_some_and(|code| code.as_str() == FIRST_SYNC) {
                self.held.insert(key.clone(), decision.amount);
            } else {
                self.held.remove(&key);
            }
            match outcome
                .as_ref()
                .and_then(|outcome| choice(flow, &decision.record, &decision.label, outcome))
            {
                Some(choice) => self.undecided.insert(key, choice),
                None => self.undecided.remove(&key),
            };
            let stands = outcome.map(|outcome| outcome.to_string());
            self.stood
                .insert((flow.to_owned(), decision.record), stands);
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

    fn pretend_write(&mut self, overlay: &mut Overlay, intent: Intent) -> bool {
        let key = (intent.flow.to_owned(), intent.record.clone());
        self.stood.remove(&key);
        let step = &intent.step;
        let once = (
            intent.flow.to_owned(),
            intent.record.clone(),
            step.role.clone(),
            format!("{}{}", step.action.as_str(), step.key),
        );
        if !self.pretended.insert(once) {
            self.stood.insert(key, None);
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
            self.stood.insert(key, None);
        }
        true
    }

    /// The plan, in a stable order.
    pub(crate) fn finish(self, connection: &str, flows: &[&str]) -> Plan {
        let mut states: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for ((flow, _), stands) in self.stood {
            if let Some(stands) = stands {
                *states.entry(flow).or_default().entry(stands).or_default() += 1;
            }
        }
        let mut steps = self.steps;
        let place = |name: &str| flows.iter().position(|flow| *flow == name);
        steps.sort_by(|a, b| {
            (place(&a.flow), &a.record, &a.role).cmp(&(place(&b.flow), &b.record, &b.role))
        });
        Plan {
            cost: None,
            connection: connection.to_owned(),
            flows: flows.iter().map(|flow| (*flow).to_owned()).collect(),
            steps,
            states,
            choices: self.undecided.into_values().collect(),
            first_sync: extents(flows, &self.held),
            later: None,
            stops: Vec::new(),
        }
    }
}

/// What is held, summed up flow by flow.
fn extents(flows: &[&str], held: &BTreeMap<(String, RecordRef), Option<Money>>) -> Vec<Extent> {
    let extent = |flow: &&str| {
        let of_flow = held.iter().filter(|((of, _), _)| of == flow);
        let mut count = 0;
        let mut sums: BTreeMap<Currency, Amount> = BTreeMap::new();
        for (_, amount) in of_flow {
            count += 1;
            if let Some(money) = amount {
                let sum = sums.entry(money.currency).or_insert(Amount::ZERO);
                *sum = [*sum, money.amount].into_iter().sum();
            }
        }
        let amounts = sums.into_iter().map(|(currency, sum)| sum.of(currency));
        Extent {
            flow: (*flow).to_owned(),
            count,
            amounts: amounts.collect(),
        }
    };
    let all = flows.iter().map(extent);
    all.filter(|extent| extent.count > 0).collect()
}

/// The choice that a record waits for, if that is what it waits for.
fn choice(flow: &str, record: &RecordRef, label: &str, outcome: &Outcome) -> Option<PlannedChoice> {
    let code = outcome.code.as_ref()?;
    CHOICES.contains(&code.as_str()).then(|| PlannedChoice {
        flow: flow.to_owned(),
        record: record.clone(),
        label: label.to_owned(),
        code: code.clone(),
        cause: outcome.cause.clone(),
    })
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
