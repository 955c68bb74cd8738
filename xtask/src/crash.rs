//! Kills syncs with SIGKILL in the middle of their work, again and again, in the phases of a company's life:
//! documents go over, payments come back, payments are voided and documents edited, what is open is paid again. Then
//! compares both sides, item by item, with those of a world that nobody disturbed.

pub(crate) mod acts;
pub(crate) mod books;
pub(crate) mod check;
mod history;
pub(crate) mod killing;
pub(crate) mod pair;
mod payouts;
mod receivables;

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use clap::Args;
use http::Method;
use serde_json::{Value, json};

pub(crate) use crate::crash::acts::People;
pub(crate) use crate::crash::books::Books;
use crate::crash::check::{Findings, left_to_do};
pub(crate) use crate::crash::check::{compare, compare_states};
use crate::crash::history::{Tally, tally};
use crate::crash::killing::{Dice, Killing, Sent};
use crate::crash::pair::{PHASES, Pair};
use crate::home::Manner;
use crate::panel::Caller;
use crate::sandbox::Sandbox;
use crate::workspace::Workspace;

/// How many findings of a round are printed.
const TOLD_MAX: usize = 40;

/// How many rounds in succession may pass without a kill.
const IN_VAIN_MAX: u32 = 5;

/// How many records go into one bulk call, one after the other: fewer make more calls to kill in.
const BULKS: [u32; 4] = [3, 10, 1, 100];

/// How to kill.
#[derive(Debug, Args)]
pub(crate) struct CrashArguments {
    /// Whose syncs.
    #[arg(long, value_enum, default_value = "netsuite-bill")]
    pair: Pair,
    /// How many times.
    #[arg(long, default_value_t = 10)]
    kills: u32,
    /// How many times at most in one world.
    #[arg(long, default_value_t = 100)]
    kills_a_round: u32,
    /// Decides the moments; chosen by the clock, and printed, if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Bills or invoices in the sandbox's world.
    #[arg(long, visible_alias = "invoices", default_value_t = 400)]
    bills: u32,
    /// Vendors or customers in the sandbox's world.
    #[arg(long, visible_alias = "customers", default_value_t = 80)]
    vendors: u32,
    /// Use the release build.
    #[arg(long)]
    release: bool,
    /// Use this program, and build none.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

impl CrashArguments {
    /// A short slice with so many kills.
    pub(crate) fn slice(pair: Pair, kills: u32) -> Self {
        let (bills, vendors) = pair.slice();
        Self {
            pair,
            kills,
            kills_a_round: kills,
            seed: None,
            bills,
            vendors,
            release: false,
            program: None,
        }
    }
}

/// Builds, and walks.
pub(crate) fn run(workspace: &Workspace, arguments: &CrashArguments) -> Result<bool> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => workspace.tieout(arguments.release)?,
    };
    walk(&program, arguments)
}

/// Walks; true if every disturbed world ended as the undisturbed one.
pub(crate) fn walk(program: &Path, arguments: &CrashArguments) -> Result<bool> {
    let seed = seed(arguments.seed);
    println!("seed {seed} (repeat with --seed {seed})");
    let start = Instant::now();
    let caller = Caller::new()?;
    let mut walk = Walk {
        program,
        arguments,
        caller: &caller,
        dice: Dice(seed),
        kills: [0; PHASES],
        tally: Tally::default(),
        findings: Findings::default(),
    };
    let undisturbed = walk.round(BULKS[0], None)?;
    walk.tally = Tally::default();
    println!("undisturbed: {:?}", undisturbed.sent);
    let mut rounds = 0;
    let mut in_vain = 0;
    while walk.killed() < arguments.kills {
        let left = arguments.kills - walk.killed();
        let bulk = BULKS[rounds % BULKS.len()];
        rounds += 1;
        let before = walk.killed();
        let ended = walk.round(
            bulk,
            Some((&undisturbed, left.min(arguments.kills_a_round))),
        )?;
        println!(
            "round {rounds}: {} kills, {} in all, {:.0} s",
            walk.killed() - before,
            walk.killed(),
            start.elapsed().as_secs_f64()
        );
        // The moments are drawn: a sync may get through before its own. Again and again, it is too short.
        in_vain = if walk.killed() == before {
            in_vain + 1
        } else {
            0
        };
        if in_vain == IN_VAIN_MAX {
            bail!("syncs end before they can be killed: use more bills");
        }
        walk.judge(&undisturbed, ended);
    }
    walk.tell(rounds);
    Ok(walk.findings.none())
}

/// A walk under way.
struct Walk<'a> {
    program: &'a Path,
    arguments: &'a CrashArguments,
    caller: &'a Caller,
    dice: Dice,
    kills: [u32; PHASES],
    tally: Tally,
    findings: Findings,
}

/// The seed that was given, or one that the clock chooses.
pub(crate) fn seed(given: Option<u64>) -> u64 {
    given.unwrap_or_else(|| {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        since.as_secs() ^ u64::from(since.subsec_nanos())
    })
}

/// How a round ended.
struct Ended {
    state: Value,
    books: Books,
    /// What each sync sent.
    sent: [Sent; PHASES],
    /// What a plan still finds to write.
    left: Vec<String>,
}

impl Walk<'_> {
    fn killed(&self) -> u32 {
        self.kills.iter().sum()
    }

    /// One world, one home, a sync for each phase. Killed on the way, or not.
    fn round(&mut self, bulk: u32, killing: Option<(&Ended, u32)>) -> Result<Ended> {
        let CrashArguments {
            pair,
            bills,
            vendors,
            ..
        } = *self.arguments;
        let sandbox = Sandbox::start(self.program, &pair.world(bills, vendors))?;
        let manner = Manner {
            bulk,
            settle: "500 milliseconds",
        };
        let home = pair.home(self.program, &sandbox, self.caller, manner)?;
        let mut sent = [Sent::default(); PHASES];
        let mut left = killing.map_or(0, |(_, kills)| kills);
        for (phase, sent) in sent.iter_mut().enumerate() {
            pair.act(phase, &sandbox, self.caller)?;
            if let Some((undisturbed, _)) = killing {
                let phases_left = u32::try_from(PHASES - phase)?;
                let mut killing = Killing {
                    home: &home,
                    sandbox: &sandbox,
                    caller: self.caller,
                    dice: &mut self.dice,
                    undisturbed: undisturbed.sent[phase],
                };
                let kills = killing.kill(left.div_ceil(phases_left))?;
                left -= kills;
                self.kills[phase] += kills;
            }
            let before = Sent::so_far(&sandbox, self.caller)?;
            home.sync()?;
            *sent = Sent::so_far(&sandbox, self.caller)?.since(before);
            // Voids are decided after a while: in every world before the next phase.
            let later = json!({"advance": "1 minute"});
            sandbox.panel(self.caller, Method::POST, "clock", Some(&later))?;
        }
        home.sync()?;
        home.must(&["audit", "verify"], None)?;
        let planned = home.must(&["plan", "--json"], None)?;
        self.tally += tally(&home)?;
        Ok(Ended {
            state: sandbox.state(self.caller)?,
            books: pair.books(&sandbox, self.caller)?,
            sent,
            left: left_to_do(&planned.stdout),
        })
    }

    /// Holds a round's end against the undisturbed one's.
    fn judge(&mut self, undisturbed: &Ended, ended: Ended) {
        let mut findings = compare(&undisturbed.books, &ended.books);
        let others = compare_states(&undisturbed.state, &ended.state);
        findings.differences.extend(others);
        findings.differences.extend(ended.left);
        for told in findings.told().iter().take(TOLD_MAX) {
            println!("  {told}");
        }
        self.findings.duplicates.extend(findings.duplicates);
        self.findings.lost.extend(findings.lost);
        self.findings.differences.extend(findings.differences);
    }

    fn tell(&self, rounds: usize) {
        println!("{} kills in {rounds} rounds:", self.killed());
        for (phase, kills) in self.arguments.pair.phases().iter().zip(self.kills) {
            println!("  {kills:>6}  {phase}");
        }
        let Tally {
            attempted,
            unknown,
            adopted,
            sent_again,
        } = self.tally;
        for (count, what) in [
            (attempted, "writes attempted"),
            (unknown, "of them left without an outcome"),
            (adopted, "of these found over there and adopted"),
            (sent_again, "of these sent again"),
            (self.findings.duplicates.len() as u64, "duplicates"),
            (self.findings.lost.len() as u64, "lost"),
            (self.findings.differences.len() as u64, "other differences"),
        ] {
            println!("  {count:>6}  {what}");
        }
    }
}
