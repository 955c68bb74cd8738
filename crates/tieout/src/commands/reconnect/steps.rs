//! A renewal that goes on by pages: one step for each form that a person sends, and tieout's own steps right after it.
//! It is the same renewal as the command line's: whoever began it there goes on here, and the other way round.

use serde_json::{Value, json};
use tieout_kit::guide::{Guide, Step};

use super::entered::Entered;
use super::renewal::{self, Renewal};
use super::{Ended, RenewalArgs, Walk, in_order, kinds};
use crate::cli::Global;
use crate::failure::Failure;
use crate::home::Home;
use crate::pending::Fields;

/// A renewal as it stands.
pub(crate) struct Standing {
    renewal: Renewal,
    guide: &'static Guide,
}

/// How a step stands.
pub(crate) enum State<'a> {
    /// It is done: when, by whom, and how that is known.
    Done(jiff::Timestamp, &'a str, &'a str),
    /// It is the first that isn't done.
    Next,
    /// It can't be done yet.
    Later,
}

impl Standing {
    /// The renewal of a credential that is under way.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn of(home: &Home, credential: &str) -> Result<Option<Self>, Failure> {
        let Some(renewal) = Renewal::load(home, credential).await? else {
            return Ok(None);
        };
        let guide = renewal::guide(&renewal.from, &renewal.to)?;
        Ok(Some(Self { renewal, guide }))
    }

    /// The kinds of credential that it leads from and to.
    pub(crate) fn kinds(&self) -> (&str, &str) {
        (&self.renewal.from, &self.renewal.to)
    }

    /// The steps, in order, each with how it stands.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (&'static Step, State<'_>)> {
        let next = self.renewal.next(self.guide).map(|step| step.id);
        self.guide.steps.iter().map(move |step| {
            let done = self.renewal.done.iter().find(|done| done.step == step.id);
            let state = match done {
                Some(done) => State::Done(done.at, &done.by, &done.evidence),
                None if next == Some(step.id) => State::Next,
                None => State::Later,
            };
            (step, state)
        })
    }
}

/// What a person sends with a step.
pub(crate) struct Sent {
    /// The step that they were shown.
    pub(crate) step: String,
    /// The fields that it yields.
    pub(crate) fields: Fields,
    /// Whether they say yes to what was shown: preferences put back, the plan.
    pub(crate) yes: bool,
}

/// How far it came.
pub(crate) struct Reached {
    /// What a person has to do first; nothing where it is over.
    pub(crate) waits: Option<String>,
    /// What was shown on the way: `preferences`, `plans`, `runs`.
    pub(crate) shown: Value,
}

/// Begins a renewal: writes of every connection that uses the credential are paused until it ends.
///
/// # Errors
/// `renewal-under-way`; kinds that no guide leads between.
pub(crate) async fn begin(
    home: &Home,
    credential: &str,
    to: &str,
    moving_over: bool,
    by: &str,
) -> Result<(), Failure> {
    let args = RenewalArgs {
        to: Some(to.to_owned()),
        ..RenewalArgs::default()
    };
    let under_way = Renewal::load(home, credential).await?;
    let (from, to) = kinds(home, credential, under_way.as_ref(), &args).await?;
    renewal::guide(&from, &to)?;
    if under_way.is_none() {
        Renewal::begin(home, credential, (&from, &to), moving_over, by).await?;
        go_by_itself(home, credential, by).await?;
    }
    Ok(())
}

/// Does the step that a person was shown, and then what needs nobody.
///
/// # Errors
/// `step-out-of-order`; what proves a step says that it isn't done.
pub(crate) async fn go_on(
    home: &Home,
    credential: &str,
    sent: Sent,
    by: &str,
) -> Result<Reached, Failure> {
    let args = RenewalArgs {
        step: Some(sent.step.clone()),
        confirmed: vec![sent.step],
        yes: sent.yes,
        ..RenewalArgs::default()
    };
    let reached = walk(home, credential, &args, sent.fields, by).await?;
    if reached.waits.is_some() {
        return Ok(reached);
    }
    let further = go_by_itself(home, credential, by).await?;
    Ok(Reached {
        waits: further.waits,
        shown: merged(reached.shown, further.shown),
    })
}

/// Goes through tieout's own steps, up to the first that needs a person.
async fn go_by_itself(home: &Home, credential: &str, by: &str) -> Result<Reached, Failure> {
    let mut reached = Reached {
        waits: None,
        shown: json!({}),
    };
    while let Some(standing) = Standing::of(home, credential).await? {
        let Some(next) = standing.renewal.next(standing.guide) else {
            break;
        };
        if !standing.renewal.goes_by_itself(next) {
            reached.waits = Some(next.title.to_owned());
            break;
        }
        let args = RenewalArgs {
            step: Some(next.id.to_owned()),
            ..RenewalArgs::default()
        };
        let further = walk(home, credential, &args, Fields::default(), by).await?;
        reached.shown = merged(reached.shown, further.shown);
        if further.waits.is_some() {
            reached.waits = further.waits;
            break;
        }
    }
    Ok(reached)
}

/// Gives a renewal up; the credential in use stays. Nothing to do where none is under way.
///
/// # Errors
/// The store's.
pub(crate) async fn abandon(home: &Home, credential: &str, by: &str) -> Result<(), Failure> {
    match Renewal::load(home, credential).await? {
        Some(renewal) => renewal.end(home, "given up", by).await,
        None => Ok(()),
    }
}

async fn walk(
    home: &Home,
    credential: &str,
    args: &RenewalArgs,
    fields: Fields,
    by: &str,
) -> Result<Reached, Failure> {
    let Some(renewal) = Renewal::load(home, credential).await? else {
        // Somebody else has ended it meanwhile.
        return Ok(Reached {
            waits: None,
            shown: json!({}),
        });
    };
    let guide = renewal::guide(&renewal.from, &renewal.to)?;
    in_order(guide, Some(&renewal), args)?;
    renewal.pause(home, by).await?;
    let silent = Global {
        home: None,
        key_file: None,
        json: true,
        quiet: true,
        verbose: 0,
    };
    let mut walk = Walk {
        global: &silent,
        home,
        args,
        guide,
        renewal,
        entered: Entered::sent(fields),
        by: by.to_owned(),
        told: Vec::new(),
        shown: json!({}),
    };
    let waits = match walk.on().await? {
        Ended::Waits(_, what) => Some(what),
        Ended::Before(_) | Ended::Through => None,
    };
    Ok(Reached {
        waits,
        shown: walk.shown,
    })
}

/// What was shown by both, the later one's where both show the same.
fn merged(mut first: Value, second: Value) -> Value {
    if let (Value::Object(first), Value::Object(second)) = (&mut first, second) {
        first.extend(second);
    }
    first
}
