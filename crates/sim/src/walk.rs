//! Nothing left to chance: one story, and a process that dies at each of its boundaries in turn, and every fourth time
//! again right after; then the same story with the answer to each of its writes lost, before and after it was carried out.
//!
//! The story is told by what people do, not by flows: a flow that is added later is walked through as soon as
//! people give it something to write, and a kind that a flow writes and is never given fails the walk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context as _, Result};
use tieout_store::Fact;
use tieout_systems::Entry;

use crate::check::{Violation, violation};
use crate::dice::Dice;
use crate::figures::Figures;
use crate::pair::Pair;
use crate::process::{Fate, Lost};
use crate::run::Host;
use crate::story::Story;
use crate::world::World;

/// Among how many stories the fullest is sought.
const STORIES: u64 = 40;

/// What befalls the story: in which chapter's sync, and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing.
    None,
    /// The process dies at this boundary; and perhaps the next one, which starts at once, dies there too.
    Death(usize, u64, Again),
    /// The answer to this write is lost, before or after it was carried out.
    Lost(usize, u64, Lost),
}

/// Whether a process dies once, or the next one right after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Once.
    No,
    /// Twice.
    Yes,
}

/// How many answers are lost for each death: a story has many more boundaries than writes.
const LOST_TO_A_DEATH: u64 = 12;

/// How a story ended.
#[derive(Debug)]
pub struct Told {
    /// What must not be and is.
    pub violations: Vec<Violation>,
    /// Boundaries and writes of each chapter's sync.
    pub lengths: Vec<(u64, u64)>,
    /// What each flow could write, and whether it did.
    pub covered: Covered,
    /// What happened.
    pub figures: Arc<Figures>,
}

/// What each flow could write, by its name and the kind, and whether it did.
pub type Covered = BTreeMap<(String, String), bool>;

/// All mishaps of a story that has these lengths: each `step`-th death, wherever in the story it is, and of the few lost
/// answers as many more.
#[must_use]
pub fn mishaps(lengths: &[(u64, u64)], step: u64) -> Vec<Mishap> {
    let (mut deaths, mut lost) = (Vec::new(), Vec::new());
    for (chapter, (boundaries, writes)) in lengths.iter().enumerate() {
        deaths.extend((1..=*boundaries).map(|at| {
            let again = if at % 4 == 0 { Again::Yes } else { Again::No };
            Mishap::Death(chapter, at, again)
        }));
        for at in 1..=*writes {
            lost.extend([Lost::Before, Lost::After].map(|how| Mishap::Lost(chapter, at, how)));
        }
    }
    let mut all = every(deaths, step);
    // An odd step: the answers lost before and after alternate.
    all.extend(every(lost, (step / LOST_TO_A_DEATH) | 1));
    all
}

/// Each `step`-th, beginning in the middle of a step.
fn every(all: Vec<Mishap>, step: u64) -> Vec<Mishap> {
    let step = usize::try_from(step).unwrap_or(1).max(1);
    all.into_iter().skip(step / 2).step_by(step).collect()
}

/// Tells the story with this mishap.
///
/// # Errors
/// What keeps the simulation itself from going on.
pub async fn tell(
    systems: &[Entry],
    pair: &'static dyn Pair,
    seed: u64,
    mishap: Mishap,
    host: &Host,
) -> Result<Told> {
    let plan = pair.walked(seed);
    let world = World::new(systems, pair, &plan, host).await?;
    let dice = Dice::of(plan.seed, "walk");
    let story = Story {
        world: &world,
        dice: &dice,
        people_dice: Dice::of(plan.seed, "people"),
        runs: AtomicU64::new(0),
    };
    let before = story.snapshot().await?;
    story.set_up().await?;
    let (mut lengths, mut befell) = (Vec::new(), mishap == Mishap::None);
    for (chapter, acts) in pair.chapters().iter().enumerate() {
        for act in *acts {
            story.people().does(act).await;
        }
        let fate = match mishap {
            Mishap::Death(of, at, _) if of == chapter => Fate {
                dies_at: Some(at),
                ..Fate::default()
            },
            Mishap::Lost(of, at, lost) if of == chapter => Fate {
                loses: Some((at, lost)),
                ..Fate::default()
            },
            _ => Fate::default(),
        };
        let process = story.sync_as(fate).await?;
        lengths.push((process.reached(), process.writes()));
        befell |= match mishap {
            Mishap::Lost(of, at, _) => of == chapter && process.writes() >= at,
            _ => process.died_at().is_some(),
        };
        if let Mishap::Death(of, at, Again::Yes) = mishap
            && of == chapter
        {
            story
                .sync_as(Fate {
                    dies_at: Some(at),
                    ..Fate::default()
                })
                .await?;
        }
        if mishap != Mishap::None {
            // What was left open is closed before people go on: the end is the same for all.
            world.pass(std::time::Duration::from_secs(3600)).await;
            story.sync_as(Fate::default()).await?;
        }
    }
    let (mut violations, _) = story.rest(&before).await?;
    if !befell {
        violations.push(violation("walk", "the story has no such moment"));
    }
    let covered = covered(&world).await?;
    Ok(Told {
        violations,
        lengths,
        covered,
        figures: Arc::clone(&world.figures),
    })
}

/// What was written, out of what could be.
async fn covered(world: &World) -> Result<Covered> {
    let started = world.start(Fate::default(), "checker").await?;
    let connection = &started.connection;
    let mut covered = Covered::new();
    for flow in &connection.flows {
        for (_, kind) in flow.writes() {
            covered.insert((flow.name().to_owned(), kind.as_str().to_owned()), false);
        }
    }
    let mut after = 0;
    loop {
        let page = connection.store.entries_after(after, 1000).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for entry in page {
            if let Fact::Intended { flow, order, .. } = entry.fact {
                let kind = order.document.kind().as_str().to_owned();
                covered.insert((flow, kind), true);
            }
        }
    }
    started.store.close().await;
    Ok(covered)
}

/// The seed whose story, told without a mishap, gives the flows most to write; and that story.
///
/// # Errors
/// What keeps the simulation itself from going on.
pub fn fullest(systems: &'static [Entry], pair: &'static dyn Pair) -> Result<(u64, Told)> {
    let mut fullest: Option<(u64, Told, usize)> = None;
    for seed in 1..=STORIES {
        let told = crate::run::world(|host| async move {
            tell(systems, pair, seed, Mishap::None, &host).await
        })
        .context("the story without a mishap")?;
        let count = told.covered.values().filter(|written| **written).count();
        if fullest.as_ref().is_none_or(|(_, _, most)| count > *most) {
            fullest = Some((seed, told, count));
        }
    }
    let (seed, told, _) = fullest.context("there is a story")?;
    Ok((seed, told))
}

/// What no story gives a flow to write: nobody enters a bill below zero, which goes over as a credit.
const NEVER: [(&str, &str); 1] = [("bills", "vendor-credit")];

/// What a flow of a story could write and never did: the walk would prove nothing about it.
#[must_use]
pub fn unwritten(covered: &Covered) -> Vec<Violation> {
    let is_never =
        |(flow, kind): &(String, String)| NEVER.contains(&(flow.as_str(), kind.as_str()));
    let never = covered
        .iter()
        .filter(|(of, written)| !**written && !is_never(of));
    never
        .map(|((flow, kind), _)| {
            let what = format!("the story gives {flow} no {kind} to write");
            violation("walk", what)
        })
        .collect()
}
