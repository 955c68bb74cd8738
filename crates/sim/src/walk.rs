//! Nothing left to chance: one story, and a process that dies at each of its boundaries in turn; then the same
//! story with the answer to each of its writes lost, before and after it was carried out.
//!
//! The story is told by what people do, not by flows: a flow that is added later is walked through as soon as
//! people give it something to write, and a flow that is never given anything fails the walk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Context as _, Result};
use tieout_store::Fact;
use tieout_systems::Entry;

use crate::check::Violation;
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
    /// The process dies at this boundary.
    Death(usize, u64),
    /// The answer to this write is lost, before or after it was carried out.
    Lost(usize, u64, Lost),
}

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

/// All mishaps of a story that has these lengths, each `step`-th of a sort.
#[must_use]
pub fn mishaps(lengths: &[(u64, u64)], step: u64) -> Vec<Mishap> {
    let mut all = Vec::new();
    for (chapter, (boundaries, writes)) in lengths.iter().enumerate() {
        let every = |most: u64| (1..=most).step_by(usize::try_from(step).unwrap_or(1).max(1));
        all.extend(every(*boundaries).map(|at| Mishap::Death(chapter, at)));
        for lost in [Lost::Before, Lost::After] {
            all.extend(every(*writes).map(|at| Mishap::Lost(chapter, at, lost)));
        }
    }
    all
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
    let mut lengths = Vec::new();
    for (chapter, acts) in pair.chapters().iter().enumerate() {
        for act in *acts {
            story.people().does(act).await;
        }
        let fate = match mishap {
            Mishap::Death(of, at) if of == chapter => Fate {
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
        if mishap != Mishap::None {
            // What was left open is closed before people go on: the end is the same for all.
            world.pass(std::time::Duration::from_secs(3600)).await;
            story.sync_as(Fate::default()).await?;
        }
    }
    let (violations, _) = story.rest(&before).await?;
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

/// The flows of a story that could write and never did: the walk would prove nothing about them.
#[must_use]
pub fn unwritten(told: &Told) -> Vec<Violation> {
    let flows: BTreeSet<&str> = told.covered.keys().map(|(flow, _)| flow.as_str()).collect();
    flows
        .into_iter()
        .filter(|flow| {
            !told
                .covered
                .iter()
                .any(|((of, _), written)| of == flow && *written)
        })
        .map(|flow| Violation {
            check: "walk",
            what: format!("the story gives {flow} nothing to write"),
        })
        .collect()
}
