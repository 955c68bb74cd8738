//! What a renewal tells: its steps, where it stands, what a person has to do next.

use serde_json::{Value, json};
use tieout_kit::guide::{Guide, Step};

use super::renewal::Renewal;
use super::{Walk, line};
use crate::cli::Global;
use crate::home::Home;
use crate::output;

/// There is no renewal.
pub(super) fn none(global: &Global, credential: &str) {
    if global.json {
        output::json(&json!({ "renewal": Value::Null }));
    } else {
        output::line(&format!("no renewal of `{credential}` is under way"));
    }
}

/// It was given up.
pub(super) fn abandoned(global: &Global, renewal: &Renewal) {
    if global.json {
        output::json(&json!({ "renewal": Value::Null, "abandoned": renewal.credential }));
        return;
    }
    let name = &renewal.credential;
    output::line(&format!(
        "the renewal of `{name}` is given up; `{name}` is as it is, and writes go on"
    ));
    if renewal
        .done
        .iter()
        .any(|done| done.step != "note-preferences")
    {
        output::line(
            "what was done over there stays done: `tieout credentials check` tells whether it still signs in",
        );
    }
}

/// Where it stands.
pub(super) fn status(global: &Global, home: &Home, renewal: &Renewal, guide: &'static Guide) {
    if global.json {
        output::json(&json!({ "renewal": document(home, renewal, guide) }));
        return;
    }
    output::line(&heading(home, renewal));
    let next = renewal.next(guide).map(|step| step.id);
    for (number, step) in guide.steps.iter().enumerate() {
        let done = renewal.done.iter().find(|done| done.step == step.id);
        let state = match done {
            Some(done) => format!("done {:.0} by {}: {}", done.at, done.by, done.evidence),
            None if next == Some(step.id) => "next".to_owned(),
            None => String::new(),
        };
        output::line(&format!(
            "{:>2} {:<20} {}  {state}",
            number + 1,
            step.id,
            step.title
        ));
    }
}

fn heading(home: &Home, renewal: &Renewal) -> String {
    let names: Vec<_> = renewal
        .connections(home)
        .iter()
        .map(ToString::to_string)
        .collect();
    format!(
        "renewal of `{}` ({} to {}) for {}",
        renewal.credential,
        renewal.from,
        renewal.to,
        names.join(", ")
    )
}

fn document(home: &Home, renewal: &Renewal, guide: &'static Guide) -> Value {
    let next = renewal.next(guide).map(|step| step.id);
    let steps: Vec<_> = guide
        .steps
        .iter()
        .map(|step| {
            let done = renewal.done.iter().find(|done| done.step == step.id);
            let state = match done {
                Some(_) => "done",
                None if next == Some(step.id) => "next",
                None => "later",
            };
            json!({
                "id": step.id, "title": step.title, "state": state,
                "at": done.map(|done| done.at), "by": done.map(|done| &done.by),
                "evidence": done.map(|done| &done.evidence),
            })
        })
        .collect();
    json!({
        "credential": renewal.credential, "from": renewal.from, "to": renewal.to,
        "connections": renewal.connections(home), "next": next, "steps": steps,
    })
}

impl Walk<'_> {
    /// Says at the beginning what it touches, and whom else it may break.
    pub(super) fn announce(&self) {
        line(self.global, &heading(self.home, &self.renewal));
        line(
            self.global,
            "remote writes of these connections are paused until it ends; links and history stay",
        );
        line(
            self.global,
            "other integrations that use the same key or token break with it: make new ones, never reset old ones",
        );
    }

    /// A step with what to do there, the warning first.
    pub(super) fn show_step(&self, step: &Step) {
        let number = self
            .guide
            .steps
            .iter()
            .position(|it| it.id == step.id)
            .map_or(0, |at| at + 1);
        let mut text = format!(
            "step {number} of {}: {} ({})\n",
            self.guide.steps.len(),
            step.title,
            step.id
        );
        if !step.warning.is_empty() {
            text.push_str(&format!("  MIND: {}\n", step.warning));
        }
        if !step.menu.is_empty() {
            text.push_str(&format!("  {}\n", step.menu));
        }
        for instruction in step.instructions {
            text.push_str(&format!("  - {instruction}\n"));
        }
        eprint!("{text}");
    }

    pub(super) fn tell_done(&mut self, step: &Step, evidence: &str) {
        line(self.global, &format!("{}: {evidence}", step.id));
        self.told
            .push(json!({"step": step.id, "evidence": evidence}));
    }

    pub(super) fn tell_already(&self, step: &str) {
        line(self.global, &format!("{step}: done before"));
        self.tell_document(None);
    }

    pub(super) fn tell_waiting(&self, step: &Step, what: &str) {
        if self.global.json {
            self.tell_document(Some((step, what)));
            return;
        }
        self.show_step(step);
        output::line(&format!("waits at `{}`: {what}", step.id));
        let name = &self.renewal.credential;
        let how = match step.yields {
            [] => format!("tieout credentials rotate {name} --confirm {}", step.id),
            fields => format!(
                "tieout credentials rotate {name}, with {} as JSON",
                fields.join(", ")
            ),
        };
        output::line(&format!("then: {how}"));
    }

    pub(super) fn tell_end(&self) {
        if self.renewal.next(self.guide).is_none() {
            line(
                self.global,
                &format!("`{}` is renewed", self.renewal.credential),
            );
        }
        self.tell_document(None);
    }

    fn tell_document(&self, waiting: Option<(&Step, &str)>) {
        if !self.global.json {
            return;
        }
        let waiting = waiting.map(|(step, what)| {
            json!({
                "step": step.id, "title": step.title, "what": what, "menu": step.menu,
                "warning": step.warning, "instructions": step.instructions, "yields": step.yields,
            })
        });
        output::json(&json!({
            "renewal": document(self.home, &self.renewal, self.guide),
            "done": self.told, "waiting": waiting, "shown": self.shown,
        }));
    }
}
