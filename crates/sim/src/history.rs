//! A company's whole history, synced to a platform that takes five calls a second, in stages and across processes that
//! die on the way: the last twelve months first, then all that is older (scenario 170).
//!
//! What takes most of three hours there takes minutes here, because time is virtual; nothing else is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tieout_domain::{Date, Kind, RecordRef, Side, State};
use tieout_engine::{InitialSync, initial_sync};
use tieout_systems::Entry;

use crate::check::{self, Items, Violation, list, text, violation};
use crate::dice::Dice;
use crate::payouts::{Manner, Payouts};
use crate::process::Fate;
use crate::run::Host;
use crate::story::Story;
use crate::world::{Plan, World};

/// How old the world grows before the first sync, so that some of its year is history by then.
const GROWS_OLDER: Duration = Duration::from_secs(150 * 24 * 3600);
/// How many requests the service takes of one key in any second.
const CALLS_A_SECOND: usize = 5;
/// How many invoices there are to a customer.
const TO_A_CUSTOMER: u64 = 25;
/// How many creations may be under way when a process dies: so many may come after their stage, once it is known that
/// they were not made.
const UNDER_WAY_MAX: u64 = 4;
/// What looks for a world: one seed in a few gives the account everything.
const SEEDS: u64 = 200;

/// How much, and how often the process dies.
#[derive(Debug, Clone, Copy)]
pub struct History {
    /// Invoices of the ledger.
    pub invoices: u64,
    /// Deaths.
    pub kills: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Told {
    /// What must not be and is.
    pub violations: Vec<Violation>,
    /// Invoices of the ledger that went over.
    pub made: u64,
    /// How many of these are of the last twelve months.
    pub recent: u64,
    /// How many died.
    pub deaths: u64,
    /// Where the stages stood after each death.
    pub stood: Vec<String>,
    /// Where they stand in the end.
    pub ended: String,
    /// How long it took in the world.
    pub took: Duration,
    /// The most requests that left in one second.
    pub most_a_second: usize,
    /// Requests that the platform counted.
    pub calls: u64,
}

/// Syncs it.
///
/// # Errors
/// What keeps the simulation itself from going on.
pub async fn sync(systems: &[Entry], history: History, host: &Host) -> Result<Told> {
    let plan = plan(history)?;
    let world = World::new(systems, &Payouts, &plan, host).await?;
    let dice = Dice::of(plan.seed, "history");
    let story = Story {
        world: &world,
        dice: &dice,
        people_dice: Dice::of(plan.seed, "people"),
        runs: std::sync::atomic::AtomicU64::new(0),
    };
    world.pass(GROWS_OLDER).await;
    story.set_up().await?;
    let began = world.time.now();
    let mut told = Told::default();
    for _ in 0..history.kills {
        let fate = Fate {
            // Two boundaries to a call at least: each process does less than a quarter of the work.
            dies_at: Some(history.invoices / 4 + dice.between(1, history.invoices / 4 + 2)),
            ..Fate::default()
        };
        let process = story.sync_as(fate).await?;
        told.deaths += u64::from(process.died_at().is_some());
        let initial = standing(&world).await?;
        let words = initial
            .as_ref()
            .map_or_else(String::new, InitialSync::words);
        if initial.is_some_and(|initial| !initial.is_pending()) {
            let what = format!("connected before all of it was through: {words}");
            told.violations.push(violation("stages", what));
        }
        told.stood.push(words);
        // Longer than the lease of the one that died, and than its last call may take.
        world.pass(Duration::from_secs(900)).await;
    }
    story.sync_as(Fate::default()).await?;
    told.took = Duration::try_from(world.time.now().duration_since(began)).unwrap_or_default();
    // What a death left open was looked for once its time was over.
    world.pass(Duration::from_secs(900)).await;
    story.sync_as(Fate::default()).await?;
    told.most_a_second = world.most_a_second(world.pair.platform());
    told.calls = world.calls(world.pair.platform());
    judge(&world, history, &mut told).await?;
    Ok(told)
}

/// A world whose account was given everything, and whose invoices tieout carries.
fn plan(history: History) -> Result<Plan> {
    let full = |seed: &u64| {
        let manner = Manner::of(*seed);
        !manner.payments_only && manner.capabilities.len() == Manner::full().capabilities.len()
    };
    let seed = (1..SEEDS).find(full).context("a seed gives everything")?;
    Ok(Plan {
        seed,
        parties: (history.invoices / TO_A_CUSTOMER).max(4),
        documents: history.invoices,
        one_world: false,
        tokens: true,
        writes_ledger: true,
    })
}

async fn standing(world: &World) -> Result<Option<InitialSync>> {
    let started = world.start(Fate::default(), "checker").await?;
    let initial = initial_sync(&started.connection.store).await?;
    started.store.close().await;
    Ok(initial)
}

async fn judge(world: &World, history: History, told: &mut Told) -> Result<()> {
    let initial = standing(world)
        .await?
        .context("there was an initial sync")?;
    told.ended = format!("{}: {}", initial.as_str(), initial.words());
    let started = world.start(Fate::default(), "checker").await?;
    let items = check::items(&started.connection.store).await?;
    started.store.close().await;
    let synced = Synced {
        pending: initial.is_pending(),
        recent: initial.recent,
        items,
        ledger: world.records("netsuite"),
        platform: world.records(world.pair.platform()),
    };
    synced.judge(history, told);
    Ok(())
}

/// What there is when all is through.
#[derive(Debug, Clone)]
pub struct Synced {
    /// Whether the initial sync says that something is left.
    pub pending: bool,
    /// The first day of the last twelve months.
    pub recent: Date,
    /// What became of each record.
    pub items: Items,
    /// The ledger's records.
    pub ledger: Value,
    /// The platform's records.
    pub platform: Value,
}

impl Synced {
    /// Tells what must not be, and how much went over.
    pub fn judge(&self, history: History, told: &mut Told) {
        if self.pending {
            told.violations
                .push(violation("stages", told.ended.clone()));
        }
        if told.deaths < history.kills {
            let what = format!("{} of {} processes died", told.deaths, history.kills);
            told.violations.push(violation("kills", what));
        }
        if told.most_a_second > CALLS_A_SECOND {
            let what = format!("{} requests left in one second", told.most_a_second);
            told.violations.push(violation("pace", what));
        }
        let copies: Vec<&Value> = list(&self.platform, "invoices").collect();
        let of = |copy: &Value| crate::payouts::mark(copy);
        let made: BTreeMap<String, &Value> = copies
            .iter()
            .filter_map(|copy| Some((of(copy)?, *copy)))
            .collect();
        let marked = copies.iter().filter(|copy| of(copy).is_some()).count();
        if marked != made.len() {
            let what = format!("{marked} copies stand for {} invoices", made.len());
            told.violations.push(violation("once", what));
        }
        told.made = made.len() as u64;
        told.violations.extend(lost(
            &self.items,
            &made.keys().map(String::as_str).collect(),
        ));
        in_stages(&self.ledger, self.recent, &made, told);
    }
}

/// What tieout says went over is there.
fn lost(items: &Items, made: &BTreeSet<&str>) -> Vec<Violation> {
    let done = items.iter().filter(|((flow, record), item)| {
        let invoice = flow == "invoices" && record.side == Side::Ledger;
        invoice && record.kind == Kind::Invoice && item.outcome.state == State::Done
    });
    let records = done.map(|((_, record), _)| record);
    let missing = records.filter(|record: &&RecordRef| !made.contains(record.id.as_str()));
    missing
        .map(|record| violation("lost", format!("{record} is not on the platform")))
        .collect()
}

/// The last twelve months went first.
fn in_stages(ledger: &Value, since: Date, made: &BTreeMap<String, &Value>, told: &mut Told) {
    let (mut recent, mut older) = (Vec::new(), Vec::new());
    for invoice in list(ledger, "transactions") {
        let Some(copy) = made.get(text(invoice, "id")) else {
            continue;
        };
        let is_recent = text(invoice, "date")
            .get(..10)
            .is_some_and(|day| day.parse::<Date>().is_ok_and(|day| day >= since));
        let stage = if is_recent { &mut recent } else { &mut older };
        stage.push(text(copy, "created_at"));
    }
    told.recent = recent.len() as u64;
    let first_older = older.iter().min().copied().unwrap_or("~");
    let late = recent
        .iter()
        .filter(|created| **created > first_older)
        .count() as u64;
    if late > told.deaths * UNDER_WAY_MAX {
        let what = format!("{late} invoices of the last twelve months came after older ones");
        told.violations.push(violation("stages", what));
    }
    if older.is_empty() || recent.is_empty() {
        told.violations
            .push(violation("stages", "there is but one stage".to_owned()));
    }
}
