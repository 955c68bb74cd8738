//! How far a connection has come in moving over: the steps that are done, by whom and when. It lies in the store, each
//! step with its entry in the installation's history, so that whoever goes on finds it where it was left.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::{Clock as _, ConnectionName};
use tieout_store::Fact;

use super::Step;
use crate::assemble::actor;
use crate::failure::Failure;
use crate::home::Home;
use crate::seams::WallClock;

/// A connection that is moving over.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// The steps that are done, in order.
    pub(super) done: Vec<Finished>,
}

/// A step that is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Finished {
    /// Which.
    pub(super) step: Step,
    /// When.
    pub(super) at: Timestamp,
    /// By whom.
    pub(super) by: String,
    /// How it is known.
    pub(super) evidence: String,
}

impl State {
    /// How far it has come; `None` where nobody has begun, or it was given up.
    pub(super) async fn load(home: &Home, name: &ConnectionName) -> Result<Option<Self>, Failure> {
        let installation = home.store.installation();
        let text = installation.remembered(&remembered_as(name)).await?;
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        serde_json::from_str(&text).map(Some).map_err(|error| {
            let cause = format!("how far `{name}` has moved over can't be read: {error}");
            Failure::failed(Code::new("store-corrupt"), cause)
        })
    }

    /// The first step that isn't done.
    pub(super) fn next(&self) -> Option<Step> {
        Step::ALL.into_iter().find(|step| !self.is_done(*step))
    }

    pub(super) fn is_done(&self, step: Step) -> bool {
        self.done.iter().any(|done| done.step == step)
    }

    /// Begins it.
    pub(super) async fn begin(home: &Home, name: &ConnectionName) -> Result<Self, Failure> {
        let state = Self::default();
        state.save(home, name, "begun").await?;
        Ok(state)
    }

    /// A step is done: said in the history, and from here on gone past.
    pub(super) async fn finish(
        &mut self,
        home: &Home,
        name: &ConnectionName,
        step: Step,
        evidence: String,
    ) -> Result<(), Failure> {
        let said = format!("{} done: {evidence}", step.id());
        self.done.push(Finished {
            step,
            at: WallClock.now(),
            by: actor(),
            evidence,
        });
        self.save(home, name, &said).await
    }

    /// It is given up.
    pub(super) async fn give_up(home: &Home, name: &ConnectionName) -> Result<(), Failure> {
        remember(home, name, "given up", String::new()).await
    }

    async fn save(&self, home: &Home, name: &ConnectionName, said: &str) -> Result<(), Failure> {
        let text = serde_json::to_string(self)
            .map_err(|error| Failure::failed(Code::new("store-corrupt"), error.to_string()))?;
        remember(home, name, said, text).await
    }
}

async fn remember(
    home: &Home,
    name: &ConnectionName,
    said: &str,
    text: String,
) -> Result<(), Failure> {
    let note = Fact::Note {
        text: format!("moving `{name}` over from BILL's own sync: {said}"),
    };
    let installation = home.store.installation();
    let remembered = (remembered_as(name), text);
    Ok(installation
        .remember(&actor(), vec![note], remembered)
        .await?)
}

fn remembered_as(name: &ConnectionName) -> String {
    format!("moving-over/{name}")
}
