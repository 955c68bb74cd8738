//! What moving over tells: its steps, what was found, and what a person has to do next.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tieout_domain::ConnectionName;
use tieout_engine::Plan;
use tieout_engine::recovery::Recovery;
use tieout_engine::tie_out::TiedOut;

use super::Step;
use super::state::State;
use crate::cli::Global;
use crate::output;

/// Where it stands.
pub(super) fn status(global: &Global, name: &ConnectionName, state: Option<&State>) {
    if global.json {
        output::json(&json!({ "moving_over": document(name, state, &json!({})) }));
        return;
    }
    let Some(state) = state else {
        output::line(&format!("`{name}` is not moving over"));
        return;
    };
    let next = state.next();
    for step in Step::ALL {
        let done = state.done.iter().find(|done| done.step == step);
        let stands = match done {
            Some(done) => format!("done {:.0} by {}: {}", done.at, done.by, done.evidence),
            None if next == Some(step) => "next".to_owned(),
            None => String::new(),
        };
        output::line(&format!("{:<12} {}  {stands}", step.id(), step.title()));
    }
}

/// The steps, and what was found on the way, for scripts.
pub(super) fn document(name: &ConnectionName, state: Option<&State>, found: &Value) -> Value {
    let Some(state) = state else {
        return Value::Null;
    };
    let steps: Vec<_> = Step::ALL
        .into_iter()
        .map(|step| {
            let done = state.done.iter().find(|done| done.step == step);
            json!({
                "id": step.id(), "title": step.title(), "done": done.is_some(),
                "at": done.map(|done| done.at), "by": done.map(|done| &done.by),
                "evidence": done.map(|done| &done.evidence),
            })
        })
        .collect();
    json!({
        "connection": name, "steps": steps, "next": state.next().map(Step::id), "found": found,
    })
}

/// How much of a plan is linked and how much created, flow by flow.
pub(super) fn links_and_creations(plan: &Plan) -> BTreeMap<&str, (usize, usize)> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for step in &plan.steps {
        let count = counts.entry(&step.flow).or_default();
        match step.action.as_str() {
            "link" => count.0 += 1,
            "create" => count.1 += 1,
            _ => {}
        }
    }
    counts
}

/// What would be linked, before it is.
pub(super) fn dry(plan: &Plan) {
    output::line("what is there on both sides, by your rules; nothing of it is done yet:");
    for (flow, (linked, created)) in links_and_creations(plan) {
        output::line(&format!(
            "  {flow}: {linked} to be linked, {created} to be created once it is live"
        ));
    }
    for choice in &plan.choices {
        output::line(&format!(
            "  to decide: {} ({}): {} [{}]",
            choice.label, choice.record, choice.cause, choice.code
        ));
    }
}

/// What was linked.
pub(super) fn linked(recovery: &Recovery) {
    for linked in &recovery.linked {
        output::line(&format!(
            "  {}: {} linked by {} ({})",
            linked.flow,
            linked.count,
            linked.how,
            linked.tier.as_str()
        ));
    }
    for group in &recovery.waiting {
        let code = group.code.as_ref().map_or("", |code| code.as_str());
        output::line(&format!(
            "  waits: {} {} [{code}]: {}",
            group.count, group.flow, group.cause
        ));
    }
}

/// The reports of a tie-out, in full.
pub(super) fn reports(made: &[TiedOut]) {
    for one in made {
        let text = tieout_report::text(&one.report, output::width());
        output::line(text.trim_end());
    }
}
