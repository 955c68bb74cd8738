//! One world from its beginning to its rest: what befalls it is drawn from its seed.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use jiff::SignedDuration;
use tieout::failure::Failure;
use tieout_desk::replay;
use tieout_engine::tie_out::{AsOf, TieOutOptions, tie_out};
use tieout_engine::{Connection, EngineError, RunOptions, RunReport, mapping};
use tieout_store::{Fact, Store};
use tieout_systems::Entry;

use crate::check::{self, Seen, Snapshot, Violation};
use crate::dice::Dice;
use crate::figures::Figures;
use crate::pair::Pair;
use crate::people::People;
use crate::process::{Fate, Process};
use crate::run::Host;
use crate::weather::Sky;
use crate::world::World;

/// How many syncs may pass until nothing is left to write, once nothing goes wrong any more: by what the sides say that
/// changed, and then by a night's whole read.
const LAST_SYNCS_MAX: usize = 8;

/// How a world ended.
#[derive(Debug)]
pub struct Ended {
    /// What must not be and is.
    pub violations: Vec<Violation>,
    /// What happened.
    pub figures: Arc<Figures>,
    /// The end of the history: the same for the same seed.
    pub head: String,
}

/// Lives through the world of a seed.
///
/// # Errors
/// What keeps the simulation itself from going on.
pub async fn live(
    systems: &[Entry],
    pair: &'static dyn Pair,
    seed: u64,
    host: &Host,
) -> Result<Ended> {
    let dice = Dice::of(seed, "story");
    let plan = pair.drawn(seed, &dice);
    let world = World::new(systems, pair, &plan, host).await?;
    let story = Story {
        world: &world,
        dice: &dice,
        people_dice: Dice::of(seed, "people"),
        runs: std::sync::atomic::AtomicU64::new(0),
    };
    pair.beginning(&story.people()).await;
    let before = story.snapshot().await?;
    story.set_up().await?;
    story.trouble().await?;
    let (violations, head) = story.rest(&before).await?;
    for service in ["netsuite", pair.platform()] {
        let name = format!("{service}, by its own count");
        world.figures.add("calls", &name, world.calls(service));
    }
    Ok(Ended {
        violations,
        figures: Arc::clone(&world.figures),
        head,
    })
}

/// A world, and how it is told.
pub(crate) struct Story<'a> {
    pub(crate) world: &'a World,
    pub(crate) dice: &'a Dice,
    pub(crate) people_dice: Dice,
    pub(crate) runs: std::sync::atomic::AtomicU64,
}

impl Story<'_> {
    /// A run's name: the same in the same world.
    pub(crate) fn run_id(&self) -> String {
        let number = self.runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        format!("run-{number:04}")
    }

    pub(crate) fn people(&self) -> People<'_> {
        People {
            world: self.world,
            dice: &self.people_dice,
        }
    }

    /// The services' records now.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot> {
        let started = self.world.start(Fate::default(), "checker").await?;
        let sides = &started.connection.sides;
        let account = sides.platform.account.clone();
        let subsidiary = sides.ledger.subsidiary.as_ref().map(ToString::to_string);
        started.store.close().await;
        Ok(Snapshot {
            ledger: self.world.records("netsuite"),
            platform: self.world.records(self.world.pair.platform()),
            account,
            subsidiary,
            ledger_writes: self.world.writes("netsuite"),
            most_a_second: self.world.most_a_second(self.world.pair.platform()),
        })
    }

    /// The mapping is made, as a person does before the first sync.
    pub(crate) async fn set_up(&self) -> Result<()> {
        let started = self.world.start(Fate::default(), "set-up").await?;
        mapping::propose(&started.connection, true, &self.run_id()).await?;
        started.store.close().await;
        Ok(())
    }

    /// Everything goes wrong for a while.
    async fn trouble(&self) -> Result<()> {
        let steps = self.dice.between(4, 10);
        for _ in 0..steps {
            self.change_the_weather();
            if self.dice.chance(0.15) {
                self.step_the_clock("clock stepped");
            }
            if self.dice.chance(0.08) {
                self.revoke("credential revoked");
            } else {
                self.restore_credentials();
            }
            for _ in 0..self.dice.between(0, 4) {
                self.people().act().await;
            }
            match self.dice.between(0, 11) {
                0..3 => self.sync_and_die().await?,
                3 => self.several_workers().await?,
                4 => self.a_day_passes().await,
                5 => self.hints().await?,
                6 => self.crowd().await?,
                _ => self.sync_among_people().await?,
            }
        }
        Ok(())
    }

    fn change_the_weather(&self) {
        let shares = [0.0, 0.02, 0.05, 0.1, 0.25];
        let trouble = self.dice.pick(&shares).copied().unwrap_or_default();
        self.world.set_sky(Sky {
            trouble,
            late: Duration::from_secs(240),
        });
    }

    /// The kinds of credentials by which anybody signs in.
    fn credentials(&self) -> [&'static str; 2] {
        let ledger = if self.world.plan.tokens {
            "netsuite-tba"
        } else {
            "netsuite-m2m"
        };
        [ledger, self.world.pair.credential()]
    }

    fn step_the_clock(&self, named: &str) {
        let seconds = i64::try_from(self.dice.between(0, 7200)).unwrap_or_default() - 3600;
        self.world.step_clock(SignedDuration::from_secs(seconds));
        self.world.figures.count("machine", named);
    }

    fn revoke(&self, named: &str) {
        let kinds = self.credentials();
        let kind = self.dice.pick(&kinds).copied().unwrap_or(kinds[0]);
        self.world.credential(kind, "revoke");
        self.world.figures.count("machine", named);
    }

    /// What befalls the machine and its credentials in the middle of a run.
    async fn meanwhile(&self) {
        let (steps, revokes) = (self.dice.chance(0.1), self.dice.chance(0.05));
        if !steps && !revokes {
            return;
        }
        let soon = Duration::from_secs(8);
        let after = self.dice.time(Duration::from_millis(1), soon);
        self.world.time.sleep(after).await;
        if steps {
            self.step_the_clock("clock stepped in a run");
        }
        if revokes {
            self.revoke("credential revoked in a run");
        }
    }

    fn restore_credentials(&self) {
        for kind in self.credentials() {
            self.world.credential(kind, "restore");
        }
    }

    async fn a_day_passes(&self) {
        let hours = self.dice.between(1, 72);
        self.world.pass(Duration::from_secs(hours * 3600)).await;
        self.world.figures.count("machine", "time passed");
    }

    /// A process starts, syncs, and goes on until its end, whatever that is. Tells how far it came.
    async fn sync(
        &self,
        fate: Fate,
        holder: &str,
    ) -> Result<Option<Result<RunReport, EngineError>>> {
        let process = Process::new(&self.world.time, fate);
        self.sync_in(&process, holder, self.options()).await
    }

    /// A sync that happens to read what changed, or everything, in pages of whatever size.
    fn options(&self) -> RunOptions {
        RunOptions {
            whole: self.dice.chance(0.1),
            page: u32::try_from(self.dice.between(2, 40)).unwrap_or(u32::MAX),
            ..RunOptions::new(self.run_id(), "test")
        }
    }

    async fn sync_in(
        &self,
        process: &Arc<Process>,
        holder: &str,
        options: RunOptions,
    ) -> Result<Option<Result<RunReport, EngineError>>> {
        let work = async {
            let started = self.world.start_as(process, holder).await?;
            let result = tieout_engine::sync(&started.connection, options).await;
            anyhow::Ok((started.store.clone(), result))
        };
        let lived = process.live(work).await;
        let figures = &self.world.figures;
        figures.add("boundaries", "reached", process.reached());
        match lived {
            None => {
                let at = process
                    .died_at()
                    .map(|at| format!("{at:?}"))
                    .unwrap_or_default();
                figures.count("crashes", &at);
                Ok(None)
            }
            Some(Err(error)) => {
                // A process that can't even start: its disk is full.
                let code = error
                    .downcast_ref::<Failure>()
                    .map(|failure| failure.code.as_str());
                figures.count(
                    "syncs",
                    &format!("could not start: {}", code.unwrap_or("?")),
                );
                Ok(None)
            }
            Some(Ok((store, result))) => {
                store.close().await;
                match &result {
                    Ok(report) if report.joined => figures.count("syncs", "joined"),
                    Ok(report) => figures.count("syncs", report.status.as_str()),
                    Err(error) => figures.count("syncs", error.code().as_str()),
                }
                Ok(Some(result))
            }
        }
    }

    /// A sync in calm weather with this fate; gives the process, whether it is alive or not.
    pub(crate) async fn sync_as(&self, fate: Fate) -> Result<Arc<Process>> {
        let process = Process::new(&self.world.time, fate);
        let options = RunOptions::new(self.run_id(), "test");
        self.sync_in(&process, "worker", options).await?;
        Ok(process)
    }

    fn disk(&self) -> f64 {
        if self.dice.chance(0.05) { 0.05 } else { 0.0 }
    }

    async fn sync_among_people(&self) -> Result<()> {
        let fate = Fate {
            disk_full: self.disk(),
            ..Fate::default()
        };
        let times = self.dice.between(0, 3);
        let people = self.people();
        let acts = people.go_on(times, Duration::from_secs(8));
        let work = self.sync(fate, "worker");
        let (result, (), ()) = futures::future::join3(work, acts, self.meanwhile()).await;
        result.map(drop)
    }

    /// Dies, starts again, and may die again right away.
    async fn sync_and_die(&self) -> Result<()> {
        // A first sync has several hundred boundaries, and a later one a few dozen.
        let most = if self.dice.chance(0.3) { 480 } else { 160 };
        for _ in 0..self.dice.between(1, 4) {
            let fate = Fate {
                dies_at: Some(self.dice.between(1, most)),
                disk_full: self.disk(),
                ..Fate::default()
            };
            if self.sync(fate, "worker").await?.is_some() {
                break;
            }
            if self.dice.chance(0.3) {
                self.people().act().await;
            }
        }
        Ok(())
    }

    /// A webhook carries no data: it says that something may be due. It comes once, twice, out of order with
    /// others, long after, or before what it tells of; or never.
    async fn hints(&self) -> Result<()> {
        // Whoever waits for another's run looks again and again: it isn't to be a long one.
        self.world.set_sky(Sky {
            trouble: 0.02,
            late: Duration::from_secs(240),
        });
        let mut moments: Vec<(Duration, &str)> = Vec::new();
        for _ in 0..self.dice.between(1, 4) {
            let soon = || {
                self.dice
                    .time(Duration::from_millis(1), Duration::from_secs(20))
            };
            match self.dice.between(0, 5) {
                0 => self.world.figures.count("hints", "never"),
                1 => moments.push((Duration::ZERO, "early")),
                2 => moments.push((soon() + Duration::from_secs(1800), "late")),
                3 => moments.extend([(soon(), "twice"), (soon(), "twice")]),
                _ => moments.push((soon(), "once")),
            }
        }
        let runs = moments.into_iter().map(|(after, name)| async move {
            self.world.time.sleep(after).await;
            self.world.figures.count("hints", name);
            let process = Process::new(&self.world.time, Fate::default());
            let options = RunOptions {
                flows: vec![self.world.pair.hinted().to_owned()],
                ..RunOptions::new(self.run_id(), "webhook")
            };
            self.sync_in(&process, "hinted", options).await
        });
        let people = self.people();
        let meanwhile = people.go_on(self.dice.between(1, 4), Duration::from_secs(10));
        let (runs, ()) = futures::future::join(futures::future::join_all(runs), meanwhile).await;
        runs.into_iter().try_for_each(|run| run.map(drop))
    }

    /// Two or three workers on machines that share a store: one is paused for longer than its lease, another takes
    /// over, and the first wakes up and knows nothing of it. Perhaps the second fares no better.
    async fn several_workers(&self) -> Result<()> {
        let (one, pause) = self.pausing();
        let soon = Duration::from_secs(45);
        let (second, again) = self.pausing();
        let second = if self.dice.chance(0.5) {
            self.world.figures.count("machine", "three workers");
            Some(second)
        } else {
            self.world.figures.count("machine", "two workers");
            None
        };
        let after = self.dice.time(soon, pause);
        let third_after = after + self.dice.time(soon, again);
        let other = async {
            self.world.time.sleep(after).await;
            self.world.lose_lock();
            let fate = second.unwrap_or_default();
            self.sync(fate, "the other").await
        };
        let third = async {
            if second.is_none() {
                return anyhow::Ok(None);
            }
            self.world.time.sleep(third_after).await;
            self.world.lose_lock();
            self.sync(Fate::default(), "the third").await
        };
        let all = futures::future::join3(self.sync(one, "the one"), other, third);
        let (one, other, third) = all.await;
        one.and(other).and(third).map(drop)
    }

    /// A worker that is paused somewhere, and for how long.
    fn pausing(&self) -> (Fate, Duration) {
        let pause = self
            .dice
            .time(Duration::from_secs(400), Duration::from_secs(3000));
        let fate = Fate {
            pauses_at: Some((self.dice.between(30, 140), pause)),
            ..Fate::default()
        };
        (fate, pause)
    }

    /// Everybody calls at once: while a sync is on, others check the connection, which needs no lease. One of them may
    /// be paused with the slots that it holds.
    async fn crowd(&self) -> Result<()> {
        self.world.figures.count("machine", "crowd");
        let checks = (0..self.dice.between(3, 7)).map(|_| {
            let fate = if self.dice.chance(0.3) {
                self.pausing().0
            } else {
                Fate::default()
            };
            self.check(fate)
        });
        let checks: Vec<_> = checks.collect();
        let checks = futures::future::join_all(checks);
        let (synced, checked) =
            futures::future::join(self.sync(Fate::default(), "worker"), checks).await;
        synced?;
        checked.into_iter().collect()
    }

    /// A process that checks the platform several times, without the lease.
    async fn check(&self, fate: Fate) -> Result<()> {
        let process = Process::new(&self.world.time, fate);
        let work = async {
            let started = self.world.start_as(&process, "checker").await?;
            let platform = &started.connection.sides.platform.whole;
            for _ in 0..6 {
                drop(platform.ping().await);
            }
            (started.connection.at_rest)().await;
            started.store.close().await;
            anyhow::Ok(())
        };
        // One that can't even start has a full disk: that is another story.
        process.live(work).await.transpose().map(drop)
    }

    /// Nothing goes wrong any more: everything comes to rest, and is looked at.
    pub(crate) async fn rest(&self, before: &Snapshot) -> Result<(Vec<Violation>, String)> {
        self.world.set_sky(Sky::CALM);
        self.world.step_clock(SignedDuration::ZERO);
        self.restore_credentials();
        self.replay_declined().await?;
        let mut ended = None;
        let mut night = false;
        let mut written = Vec::new();
        for _ in 0..LAST_SYNCS_MAX {
            // Longer than any window, and than any allowance is used up.
            self.world.pass(Duration::from_secs(2 * 3600)).await;
            let wrote = self.world.writes_counted();
            let process = Process::new(&self.world.time, Fate::default());
            let mut options = self.options();
            options.whole |= night;
            let last = match self.sync_in(&process, "last", options).await? {
                Some(Ok(report)) => report,
                Some(Err(error)) => bail!("a sync in calm weather: {error}"),
                None => bail!("a sync in calm weather did not end"),
            };
            written = check::more(&wrote, &self.world.writes_counted());
            let started = self.world.start(Fate::default(), "checker").await?;
            let options = RunOptions::new(self.run_id(), "test");
            let plan = tieout_engine::plan(&started.connection, options).await?;
            // A vendor whose last open bill was closed by this very sync is put away by the next one.
            let at_rest = last.written == 0 && plan.steps.is_empty();
            if let Some((_, earlier, _)) = ended.replace((last, started, plan)) {
                earlier.store.close().await;
            }
            if at_rest && night {
                break;
            }
            // Not every list shows every change: what is left over comes with the night.
            night |= at_rest;
        }
        let (last, started, plan) = ended.context("there was a last sync")?;
        let mut violations = check::quiet(&last, &plan);
        violations.extend(check::wrote_nothing(&written));
        let (platform, most) = (self.world.pair.platform(), self.world.pair.at_once());
        violations.extend(check::at_once(self.world.most_at_once(platform), most));
        let contradictions = self.world.figures.of("syncs", "store-contradiction");
        violations.extend(check::heard(contradictions));
        if self.world.pair.closes() {
            violations.extend(self.tie_out(&started.connection).await?);
        }
        let connection = &started.connection.store;
        let items = check::items(connection).await?;
        violations.extend(check::store(&started.store, connection, &items).await?);
        violations.extend(check::replayed(&items));
        let after = self.snapshot().await?;
        self.world.keep(&after)?;
        let flows = started.connection.flows.iter().map(|flow| flow.name());
        let links = check::links(connection, &flows.collect::<Vec<_>>()).await?;
        let seen = Seen {
            before,
            after: &after,
            items: &items,
            links: &links,
        };
        violations.extend(self.world.pair.servers(&self.world.plan, &seen));
        self.count_writes(&started.store, connection).await?;
        let head = head(&started.store, connection.name().as_str()).await?;
        for item in items.values() {
            let outcome = item.outcome.to_string();
            self.world
                .figures
                .count("ends", &format!("{} {outcome}", item.flow));
        }
        started.store.close().await;
        Ok((violations, head))
    }

    /// Somebody has all done again that a service declined for no reason: nothing of it may be left.
    async fn replay_declined(&self) -> Result<()> {
        let started = self.world.start(Fate::default(), "replay").await?;
        let store = &started.connection.store;
        for (_, record) in check::declined(&check::items(store).await?) {
            let failed = replay::failed_writes(store, &record.to_string()).await?;
            self.world.figures.count("people", "replay");
            replay::prepare(store, &failed, "once more", "a person").await?;
        }
        started.store.close().await;
        Ok(())
    }

    /// The month that it is by now, tied out.
    async fn tie_out(&self, connection: &Connection) -> Result<Vec<Violation>> {
        let now = connection.timer.now();
        let today = now.to_zoned(connection.time_zone.clone()).date();
        let options = TieOutOptions {
            as_of: AsOf::PeriodEnd(today),
            id: self.run_id(),
            notes: std::collections::BTreeMap::new(),
            notices: Vec::new(),
        };
        let made = tie_out(connection, &options).await?;
        let reports: Vec<_> = made.into_iter().map(|made| made.report).collect();
        for item in reports.iter().flat_map(|report| &report.items) {
            self.world.figures.count("tie-out", item.category.code());
        }
        Ok(check::closes(&reports))
    }

    /// Unknown outcomes, and what became of them, out of the history.
    async fn count_writes(
        &self,
        _store: &Store,
        connection: &tieout_store::ConnectionStore,
    ) -> Result<()> {
        let mut after = 0;
        let mut attempts: std::collections::BTreeMap<u64, u32> = std::collections::BTreeMap::new();
        loop {
            let page = connection.entries_after(after, 1000).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for entry in &page {
                let name = match &entry.fact {
                    Fact::Unknown { .. } => "unknown outcomes",
                    Fact::Abandoned { .. } => "given back",
                    Fact::Applied { adopted: true, .. } => "adopted",
                    Fact::Applied { .. } => "applied",
                    Fact::Refused { .. } => "refused",
                    Fact::Later { .. } => "put off",
                    Fact::Attempted { writes, .. } => {
                        for write in writes {
                            *attempts.entry(*write).or_default() += 1;
                        }
                        continue;
                    }
                    _ => continue,
                };
                self.world.figures.count("writes", name);
            }
        }
        let again = attempts.values().filter(|count| **count > 1).count();
        self.world.figures.add("writes", "sent again", again as u64);
        Ok(())
    }
}

/// The end of a connection's history.
async fn head(store: &Store, chain: &str) -> Result<String> {
    let verification = store.verify().await?;
    let found = verification.chains.iter().find(|head| head.chain == chain);
    Ok(found.context("the connection has a history")?.hash.clone())
}
