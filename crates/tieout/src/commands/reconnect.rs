//! `tieout reconnect`: the renewal of a credential in the one safe order (scenarios 205 to 211). Each step is verified
//! before the next, and may be the last for today: whoever runs the command again goes on from there.
//!
//! The steps themselves are data of the systems (`guides`); here is what it takes to carry them out.

mod entered;
mod preferences;
mod proofs;
mod renewal;
mod show;
pub(crate) mod steps;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_kit::guide::{Guide, Step};

use self::entered::Entered;
use self::renewal::Renewal;
pub(crate) use self::renewal::leave_paused;
use super::credentials::certificate::MakingArgs;
use crate::assemble::{actor, credential_name};
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::output;
use crate::trial::refusal;

/// What `reconnect` takes.
#[derive(Debug, Args)]
pub struct ReconnectArgs {
    /// The connection.
    #[arg(value_name = "CONN")]
    pub connection: String,
    /// The side whose credential is renewed, such as bill; the ledger's if not given.
    #[arg(long, value_name = "SYSTEM")]
    pub system: Option<String>,
    /// How it goes on.
    #[command(flatten)]
    pub renewal: RenewalArgs,
}

/// How a renewal goes on.
#[derive(Debug, Default, Args)]
pub struct RenewalArgs {
    /// The kind of the new credential, such as netsuite-m2m; the same kind if not given.
    #[arg(long, value_name = "KIND")]
    pub to: Option<String>,
    /// The bundle of BILL's own sync is uninstalled for good.
    #[arg(long)]
    pub moving_over: bool,
    /// Do only this step; refused where an earlier one isn't done.
    #[arg(long, value_name = "STEP")]
    pub step: Option<String>,
    /// A person has done this step over there. May be given more than once.
    #[arg(long = "confirm", value_name = "STEP")]
    pub confirmed: Vec<String>,
    /// The new credential's fields as JSON; standard input if not given.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Say yes to what is shown: preferences put back, the plan.
    #[arg(long)]
    pub yes: bool,
    /// Show where the renewal stands, and do nothing.
    #[arg(long, conflicts_with_all = ["step", "confirmed", "yes", "abandon"])]
    pub status: bool,
    /// Give the renewal up; the credential in use stays.
    #[arg(long, conflicts_with_all = ["step", "confirmed"])]
    pub abandon: bool,
    #[command(flatten)]
    making: MakingArgs,
}

/// Renews the credential of a connection's side.
pub async fn run(global: &Global, args: &ReconnectArgs) -> Result<Exit, Failure> {
    let home = Home::open(&global.place()).await?;
    let names = [args.connection.clone()];
    let chosen = home.config.chosen(&names)?;
    let mut sides = chosen.iter().flat_map(|(_, config)| {
        [
            (config.ledger.system, &config.ledger_settings),
            (config.platform.system, &config.platform_settings),
        ]
    });
    let wanted = args.system.as_deref();
    let side = sides.find(|(system, _)| wanted.is_none_or(|wanted| system.id.as_str() == wanted));
    let Some((system, settings)) = side else {
        let cause = format!("`{}` has no side of that name", args.connection);
        return Err(Failure::usage(Code::new("config-value"), cause));
    };
    let Some(credential) = credential_name(settings) else {
        let cause = format!(
            "`connections.{}.{}.credential` is missing",
            args.connection, system.id
        );
        return Err(Failure::usage(Code::new("config-value"), cause));
    };
    rotate(global, &home, credential, &args.renewal).await
}

/// Renews a credential, for all connections that use it.
pub(super) async fn rotate(
    global: &Global,
    home: &Home,
    credential: &str,
    args: &RenewalArgs,
) -> Result<Exit, Failure> {
    let renewal = Renewal::load(home, credential).await?;
    if args.status || args.abandon {
        return match renewal {
            None => {
                show::none(global, credential);
                Ok(Exit::Done)
            }
            Some(renewal) if args.abandon => abandon(global, home, &renewal).await,
            Some(renewal) => {
                let guide = renewal::guide(&renewal.from, &renewal.to)?;
                show::status(global, home, &renewal, guide);
                Ok(Exit::Done)
            }
        };
    }
    let fresh = renewal.is_none();
    let (from, to) = kinds(home, credential, renewal.as_ref(), args).await?;
    let guide = renewal::guide(&from, &to)?;
    // Refused before anything is begun or paused.
    in_order(guide, renewal.as_ref(), args)?;
    let by = actor();
    let renewal = match renewal {
        Some(renewal) => {
            renewal.pause(home, &by).await?;
            renewal
        }
        None => Renewal::begin(home, credential, (&from, &to), args.moving_over, &by).await?,
    };
    let mut walk = Walk {
        global,
        home,
        args,
        guide,
        renewal,
        entered: Entered::new(args.file.clone()),
        by,
        told: Vec::new(),
        shown: json!({}),
    };
    if fresh {
        walk.announce();
    }
    match walk.on().await? {
        Ended::Before(step) => {
            walk.tell_already(&step);
            Ok(Exit::Done)
        }
        Ended::Waits(step, what) => {
            walk.tell_waiting(step, &what);
            Ok(Exit::Exceptions)
        }
        Ended::Through => {
            walk.tell_end();
            Ok(walk.exit())
        }
    }
}

/// From which kind to which. A renewal that is under way has decided it.
async fn kinds(
    home: &Home,
    credential: &str,
    renewal: Option<&Renewal>,
    args: &RenewalArgs,
) -> Result<(String, String), Failure> {
    if let Some(renewal) = renewal {
        if let Some(to) = args.to.as_ref().filter(|to| **to != renewal.to) {
            let cause = format!(
                "a renewal of `{credential}` to {} is under way; one to {to} would be another",
                renewal.to
            );
            return Err(refusal(Code::new("renewal-under-way"), cause));
        }
        return Ok((renewal.from.clone(), renewal.to.clone()));
    }
    let rows = home.store.credentials().list().await?;
    let Some(row) = rows.into_iter().find(|row| row.name == credential) else {
        return Err(tieout_store::StoreError::CredentialMissing {
            name: credential.to_owned(),
        }
        .into());
    };
    let to = args.to.clone().unwrap_or_else(|| row.kind.clone());
    Ok((row.kind, to))
}

/// Refuses a step, or the word that it was done, before those that come first.
fn in_order(
    guide: &'static Guide,
    renewal: Option<&Renewal>,
    args: &RenewalArgs,
) -> Result<(), Failure> {
    for named in args.step.iter().chain(&args.confirmed) {
        if !guide.steps.iter().any(|step| step.id == named) {
            let ids: Vec<_> = guide.steps.iter().map(|step| step.id).collect();
            let cause = format!(
                "`{named}` is no step of this renewal; there are {}",
                ids.join(", ")
            );
            return Err(Failure::usage(Code::new("usage"), cause));
        }
    }
    let next = match renewal {
        Some(renewal) => renewal.next(guide),
        None => guide.steps.first(),
    };
    match (&args.step, next) {
        (Some(asked), Some(next)) if asked != next.id => {
            let done = renewal.is_some_and(|renewal| renewal.is_done(asked));
            if done {
                Ok(())
            } else {
                Err(out_of_order(asked, next))
            }
        }
        _ => Ok(()),
    }
}

fn out_of_order(asked: &str, next: &Step) -> Failure {
    let cause = format!(
        "`{asked}` can't be done yet: `{}` comes first ({})",
        next.id, next.title
    );
    refusal(Code::new("step-out-of-order"), cause)
}

async fn abandon(global: &Global, home: &Home, renewal: &Renewal) -> Result<Exit, Failure> {
    renewal.end(home, "given up", &actor()).await?;
    show::abandoned(global, renewal);
    Ok(Exit::Done)
}

/// How far a step came.
enum Reached {
    /// It is done, and this is how that is known.
    Done(String),
    /// A person has something to do first.
    Waits(String),
}

/// How a walk ended.
enum Ended {
    /// The step that was asked for had been done before.
    Before(String),
    /// A person has something to do first.
    Waits(&'static Step, String),
    /// What was asked for is done.
    Through,
}

/// A walk through the steps. It prints nothing but what it asks and, on the command line, what it has done.
struct Walk<'a> {
    global: &'a Global,
    home: &'a Home,
    args: &'a RenewalArgs,
    guide: &'static Guide,
    renewal: Renewal,
    entered: Entered,
    /// Who goes, as the history names them.
    by: String,
    /// The steps that this command has done.
    told: Vec<Value>,
    /// What was shown on the way: plan, runs, differences.
    shown: Value,
}

impl Walk<'_> {
    /// Goes on until a person has something to do, or all is done.
    async fn on(&mut self) -> Result<Ended, Failure> {
        let asked = self.args.step.as_deref();
        if let Some(asked) = asked.filter(|asked| self.renewal.is_done(asked)) {
            return Ok(Ended::Before(asked.to_owned()));
        }
        while let Some(step) = self.renewal.next(self.guide) {
            match self.carry_out(step).await? {
                Reached::Done(evidence) => {
                    self.renewal
                        .finish(self.home, step, evidence.clone(), &self.by)
                        .await?;
                    self.tell_done(step, &evidence);
                }
                Reached::Waits(what) => {
                    self.refuse_early_word(step)?;
                    return Ok(Ended::Waits(step, what));
                }
            }
            if asked.is_some() {
                break;
            }
        }
        if self.renewal.next(self.guide).is_none() {
            self.renewal.end(self.home, "ended", &self.by).await?;
        }
        Ok(Ended::Through)
    }

    /// A person's word on a step that is not reached is a step out of order.
    fn refuse_early_word(&self, next: &Step) -> Result<(), Failure> {
        let early = |id: &&String| **id != next.id && !self.renewal.is_done(id);
        match self.args.confirmed.iter().find(early) {
            Some(early) => Err(out_of_order(early, next)),
            None => Ok(()),
        }
    }

    /// A person says that a step was done over there.
    fn word(&self, step: &Step) -> Result<bool, Failure> {
        if self.args.confirmed.iter().any(|id| id == step.id) {
            return Ok(true);
        }
        if !self.entered.terminal() {
            return Ok(false);
        }
        self.show_step(step);
        self.entered.asks("done? [y/N] ")
    }

    /// A person agrees to what was shown.
    fn agrees(&self, question: &str) -> Result<bool, Failure> {
        if self.args.yes {
            return Ok(true);
        }
        Ok(self.entered.terminal() && self.entered.asks(question)?)
    }

    fn exit(&self) -> Exit {
        match self.shown.get("exit").and_then(Value::as_u64) {
            Some(3) => Exit::Exceptions,
            _ => Exit::Done,
        }
    }
}

/// Prints a line for people, unless they want none.
fn line(global: &Global, text: &str) {
    if !global.json && !global.quiet {
        output::line(text);
    }
}
