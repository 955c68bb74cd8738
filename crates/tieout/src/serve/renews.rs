//! Renewing credentials by pages. The steps are those of the command.

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tieout_desk::DeskError;
use tieout_desk::preferences::plain;
use tieout_kit::guide::{Guide, Proof, Purpose, Step};
use tieout_server::program::{
    Differs, RenewalAsks, RenewalReached, RenewalSent, RenewalStanding, RenewalState, RenewalStep,
    Renews,
};

use super::{Service, settings};
use crate::commands::credentials::known_kind;
use crate::commands::reconnect::steps::{self, Reached, Sent, Standing, State};
use crate::failure::Failure;
use crate::home::Home;
use crate::pending::Fields;
use crate::trial::uses;

#[async_trait]
impl Renews for Service {
    fn ways(&self, from: &str) -> Vec<&'static str> {
        let systems = tieout_systems::ALL.iter();
        let leads = |guide: &&Guide| guide.purpose == Purpose::Renewal && guide.from == from;
        let guides = systems.flat_map(|entry| entry.system.guides).filter(leads);
        guides.map(|guide| guide.credential).collect()
    }

    async fn renewal(&self, credential: &str) -> Result<Option<RenewalStanding>, DeskError> {
        let home = self.as_it_is()?;
        let Some(standing) = Standing::of(&home, credential).await? else {
            return Ok(None);
        };
        Ok(Some(told(&home, credential, &standing)?))
    }

    async fn begin(
        &self,
        credential: &str,
        to: &str,
        moving_over: bool,
        by: &str,
    ) -> Result<(), DeskError> {
        let home = self.as_it_is()?;
        Ok(steps::begin(&home, credential, to, moving_over, by).await?)
    }

    async fn go_on(
        &self,
        credential: &str,
        sent: RenewalSent,
        by: &str,
    ) -> Result<RenewalReached, DeskError> {
        let home = self.as_it_is()?;
        let sent = Sent {
            fields: fields(&sent.fields)?,
            step: sent.step,
            yes: sent.yes,
        };
        let reached = steps::go_on(&home, credential, sent, by).await?;
        // Preferences may have been put back.
        self.read_again(&home.config.path).await;
        Ok(seen(reached))
    }

    async fn abandon(&self, credential: &str, by: &str) -> Result<(), DeskError> {
        let home = self.as_it_is()?;
        Ok(steps::abandon(&home, credential, by).await?)
    }
}

fn fields(sent: &SecretString) -> Result<Fields, Failure> {
    Fields::read(sent.expose_secret())
}

fn told(home: &Home, credential: &str, standing: &Standing) -> Result<RenewalStanding, Failure> {
    let (from, to) = standing.kinds();
    let mut connections: Vec<_> = uses(home, credential)
        .iter()
        .map(|user| user.connection.clone())
        .collect();
    connections.dedup();
    let mut steps = Vec::new();
    let mut certified = false;
    for (step, state) in standing.steps() {
        certified |= step.proof == Proof::Certified && matches!(state, State::Done(..));
        steps.push(one(to, step, &state)?);
    }
    let file = home.folder.join(format!("{credential}.pem"));
    Ok(RenewalStanding {
        from: from.to_owned(),
        to: to.to_owned(),
        connections,
        steps,
        certificate: certified
            .then(|| std::fs::read_to_string(file).ok())
            .flatten(),
    })
}

fn one(kind: &str, step: &'static Step, state: &State<'_>) -> Result<RenewalStep, Failure> {
    let fields = known_kind(kind)?.fields.iter();
    Ok(RenewalStep {
        id: step.id,
        guide: settings::step(step),
        yields: fields
            .filter(|field| step.yields.contains(&field.name))
            .map(settings::field)
            .collect(),
        asks: asks(step),
        state: match state {
            State::Done(at, by, evidence) => RenewalState::Done {
                at: *at,
                by: (*by).to_owned(),
                evidence: (*evidence).to_owned(),
            },
            State::Next => RenewalState::Next,
            State::Later => RenewalState::Later,
        },
    })
}

fn asks(step: &Step) -> RenewalAsks {
    match step.proof {
        Proof::Said | Proof::OldRefused | Proof::BundleGone | Proof::BundleBack => {
            RenewalAsks::Word
        }
        Proof::Given | Proof::NewSignsIn => RenewalAsks::Fields,
        Proof::Restored => RenewalAsks::Preferences,
        Proof::Synced => RenewalAsks::Plan,
        Proof::Noted | Proof::Certified | Proof::Switched => RenewalAsks::Nothing,
    }
}

/// What was shown, out of what the command line would print.
fn seen(reached: Reached) -> RenewalReached {
    let preferences = &reached.shown["preferences"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let ours = list(&preferences["ours"]).into_iter().map(|one| Differs {
        connection: text(&one["connection"]),
        ours: true,
        name: text(&one["preference"]),
        before: plain(&one["noted"]),
        now: plain(&one["now"]),
    });
    let theirs = list(&preferences["other"]).into_iter().map(|one| Differs {
        connection: text(&one[0]),
        ours: false,
        name: text(&one[1]),
        before: text(&one[2]),
        now: text(&one[3]),
    });
    RenewalReached {
        waits: reached.waits,
        differs: ours.chain(theirs).collect(),
        plans: serde_json::from_value(reached.shown["plans"].clone()).unwrap_or_default(),
    }
}
