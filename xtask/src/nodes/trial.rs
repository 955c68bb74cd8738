//! One trial: set up, lived through, judged.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::books;
use super::misfortunes::{Blow, Misfortunes};
use super::node::Node;
use super::people::{Done, People};
use super::promised::{ENTRIES, Promised};
use super::relay::Exchange;
use super::served::{RUNS, Waits, runs, waits};
use super::tenants::{Rhythm, Tenant, configuration, found};
use crate::crash::killing::Dice;
use crate::home::Home;
use crate::panel::Caller;

/// How many runs a node has on at once.
pub(crate) const WORKERS: u64 = 8;

/// So many bills wait for each entity's first run.
const AT_FIRST: usize = 2;

/// So soon every connection whose node has died must be served again, in seconds.
const SERVED_MAX: f64 = 60.0;

/// How long nodes may take to listen, and to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// How many findings are printed.
const TOLD_MAX: usize = 40;

/// What a trial goes by.
#[derive(Debug, Clone)]
pub(crate) struct Conditions {
    pub(crate) nodes: usize,
    pub(crate) connections: usize,
    pub(crate) seconds: u64,
    pub(crate) every: u64,
    pub(crate) strikes: u64,
    pub(crate) pause: u64,
    pub(crate) pace: u64,
    pub(crate) latency: u64,
    pub(crate) seed: u64,
    pub(crate) one_address: bool,
}

/// The database under trial.
pub(crate) trait Database {
    /// The ports of its servers, whoever leads.
    fn ports(&self) -> Vec<u16>;

    /// The port of the one that takes writes.
    fn primary_port(&self) -> Result<u16>;

    /// Asks the one that takes writes; a line a row, columns parted by tabs.
    fn ask(&self, sql: &str) -> Result<String>;

    /// How much of a processor's time it has used, in seconds, where that can be told.
    fn processor(&self) -> Result<f64> {
        Ok(0.0)
    }

    /// Does it harm, waits until it takes writes again, and says what it was.
    fn strike(&mut self, nth: u64, dice: &mut Dice) -> Result<String>;
}

/// A trial that is set up: services, store and nodes.
pub(crate) struct Trial<'a> {
    conditions: Conditions,
    database: &'a mut dyn Database,
    caller: Caller,
    tenants: Vec<Tenant>,
    nodes: Vec<Node>,
    /// With the database's own address: for questions, when the nodes are gone.
    home: Home,
    // Dropped last: the nodes' lines.
    _exchange: Exchange,
}

impl<'a> Trial<'a> {
    /// Starts the services, makes the store, maps every connection, and prepares the nodes.
    pub(crate) fn set_up(
        program: &Path,
        conditions: &Conditions,
        database: &'a mut dyn Database,
    ) -> Result<Self> {
        let start = Instant::now();
        let caller = Caller::new()?;
        let tenants = found(program, &caller, conditions.connections, conditions.latency)?;
        let rhythm = Rhythm {
            pace: conditions.pace,
            workers: WORKERS,
        };
        let address = store_at(&database.ports());
        let home = Home::of_configuration(program, &configuration(&tenants, &address, rhythm)?)?;
        for tenant in &tenants {
            tenant.seal(&home)?;
        }
        home.must(&["map", "suggest", "--confirm-exact", "--quiet"], None)?;
        let exchange = Exchange::new()?;
        let mut nodes = Vec::new();
        for number in 1..=conditions.nodes {
            let targets = match conditions.one_address {
                true => vec![database.primary_port()?],
                false => database.ports(),
            };
            let relays: Result<Vec<_>> = targets.iter().map(|port| exchange.line(*port)).collect();
            let relays = relays?;
            let ports: Vec<u16> = relays.iter().map(|relay| relay.port).collect();
            let text = configuration(&tenants, &store_at(&ports), rhythm)?;
            let beside = home.beside(&text)?;
            nodes.push(Node::new(format!("node-{number}"), beside, relays));
        }
        println!(
            "{} connections of {} clients are set up in {} s; each is due every {} s",
            conditions.connections,
            tenants.len(),
            start.elapsed().as_secs(),
            conditions.pace
        );
        Ok(Self {
            conditions: conditions.clone(),
            database,
            caller,
            tenants,
            nodes,
            home,
            _exchange: exchange,
        })
    }

    /// Enters so many bills of each entity.
    pub(crate) fn enter(&self, bills: usize) -> Result<()> {
        People::new(&self.tenants, self.conditions.seed)?.begin(bills)
    }

    /// Starts all nodes.
    pub(crate) fn start_nodes(&mut self) -> Result<()> {
        self.nodes.iter_mut().try_for_each(Node::start)
    }

    /// How many nodes.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// How many entities each client has.
    pub(crate) fn entities(&self) -> impl Iterator<Item = usize> {
        self.tenants.iter().map(|tenant| tenant.entities.len())
    }

    /// How many calls each client's NetSuite and BILL have had.
    pub(crate) fn calls_so_far(&self) -> Result<Vec<[u64; 2]>> {
        let of = |tenant: &Tenant| {
            let calls = tenant.sandbox.calls(&self.caller)?;
            Ok(["netsuite", "bill"].map(|system| calls[system]["total"].as_u64().unwrap_or(0)))
        };
        self.tenants.iter().map(of).collect()
    }

    /// How many bills BILL has, over all organizations.
    pub(crate) fn bills_there(&self) -> Result<usize> {
        let mut sum = 0;
        for tenant in &self.tenants {
            let state = tenant.sandbox.state(&self.caller)?;
            let all = state["bill"]["organizations"].as_array();
            let counts = all
                .into_iter()
                .flatten()
                .filter_map(|one| one["bills"].as_u64());
            sum += usize::try_from(counts.sum::<u64>())?;
        }
        Ok(sum)
    }

    /// Asks the database.
    pub(crate) fn ask(&self, sql: &str) -> Result<String> {
        self.database.ask(sql)
    }

    /// How much of a processor's time the database has used, in seconds.
    pub(crate) fn database_processor(&self) -> Result<f64> {
        self.database.processor()
    }

    /// Lives through it, and judges.
    pub(crate) fn live(mut self) -> Result<bool> {
        let tenants = std::mem::take(&mut self.tenants);
        let mut people = People::new(&tenants, self.conditions.seed)?;
        people.begin(AT_FIRST)?;
        self.start_nodes()?;
        self.until_all_listen()?;
        let pause = Duration::from_secs(self.conditions.pause);
        let mut misfortunes = Misfortunes::new(self.conditions.seed, pause);
        let over = AtomicBool::new(false);
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let rate =
            (self.conditions.connections as f64 / self.conditions.pace as f64).clamp(1.0, 8.0);
        let lived = std::thread::scope(|scope| {
            let living = scope.spawn(|| people.live(rate, &over));
            let suffered = self.suffer(&mut misfortunes);
            over.store(true, Ordering::Relaxed);
            let lived = living.join();
            suffered.and(lived.unwrap_or_else(|_| bail!("the people of the trial panicked")))
        });
        lived?;
        misfortunes.mend(&mut self.nodes, true)?;
        self.until_all_have_run()?;
        let memory = self.nodes.iter().filter_map(Node::used).collect::<Vec<_>>();
        let mut in_order = true;
        for node in &mut self.nodes {
            in_order &= node.stop(PATIENCE)?;
        }
        for (node, (processor, held)) in self.nodes.iter().zip(memory) {
            let (name, ended) = (&node.name, node.ended);
            println!(
                "{name}: {held} MB, {processor:.0} s of a processor in its last life, ended by itself {ended} times"
            );
        }
        let done = people.done;
        let good = self.judge(&tenants, &misfortunes, &done)?;
        if !in_order {
            println!("a node did not end when it was told to");
        }
        Ok(good && in_order)
    }

    fn until_all_listen(&mut self) -> Result<()> {
        let start = Instant::now();
        while self.nodes.iter().any(|node| node.listening().is_none()) {
            if start.elapsed() > PATIENCE {
                let log = std::fs::read_to_string(self.nodes[0].log()).unwrap_or_default();
                bail!("a node doesn't listen: {log:.2000}");
            }
            for node in &mut self.nodes {
                node.look_after()?;
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Lets things go wrong.
    fn suffer(&mut self, misfortunes: &mut Misfortunes) -> Result<()> {
        let start = Instant::now();
        let every = Duration::from_secs(self.conditions.every);
        let length = Duration::from_secs(self.conditions.seconds);
        let (mut next, mut strikes) = (every, 0);
        while start.elapsed() < length {
            std::thread::sleep(LOOK);
            for node in &mut self.nodes {
                node.look_after()?;
            }
            misfortunes.mend(&mut self.nodes, false)?;
            let strike_at =
                length * u32::try_from(strikes + 1)? / u32::try_from(self.conditions.strikes + 1)?;
            if strikes < self.conditions.strikes && start.elapsed() >= strike_at {
                let mut dice = Dice(self.conditions.seed ^ strikes);
                // Told before it is over: runs that it holds up begin to wait now.
                let blow = Blow::now("database struck", false);
                let told = self.database.strike(strikes, &mut dice)?;
                misfortunes.note(blow, &told);
                if self.conditions.one_address {
                    let port = self.database.primary_port()?;
                    self.nodes.iter().for_each(|node| node.lead_to(port));
                }
                strikes += 1;
            }
            if start.elapsed() >= next {
                next = start.elapsed() + every;
                misfortunes.strike(&mut self.nodes)?;
            }
        }
        Ok(())
    }

    /// Waits until every connection has had a run of its own, from beginning to end, since everything was mended.
    fn until_all_have_run(&mut self) -> Result<()> {
        let start = Instant::now();
        let since = Blow::now("", false).at;
        let patience = Duration::from_secs(180 + self.conditions.pace * 4);
        let sql = format!(
            "SELECT count(DISTINCT connection) FROM runs WHERE started_us > {since} \
             AND ended_us IS NOT NULL AND status IN ('done', 'exceptions')"
        );
        loop {
            for node in &mut self.nodes {
                node.look_after()?;
            }
            let have = self.database.ask(&sql)?;
            let have: usize = have.trim().parse().context("a count of connections")?;
            if have == self.conditions.connections {
                println!(
                    "all is quiet: every connection has run again after {} s",
                    start.elapsed().as_secs()
                );
                return Ok(());
            }
            if start.elapsed() > patience {
                println!(
                    "{have} of {} connections have run again",
                    self.conditions.connections
                );
                return Ok(());
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    fn judge(&self, tenants: &[Tenant], misfortunes: &Misfortunes, done: &Done) -> Result<bool> {
        let findings = books::compare(tenants, &self.caller, done)?;
        for told in findings.told().iter().take(TOLD_MAX) {
            println!("  {told}");
        }
        let mut promised = Promised::default();
        for node in &self.nodes {
            promised.read(node.log())?;
        }
        let missing = promised.missing(&self.database.ask(ENTRIES)?);
        for told in missing.iter().take(TOLD_MAX) {
            println!("  {told}");
        }
        let verified = self.home.run(&["audit", "verify"], None)?;
        if verified.status != 0 {
            println!("  audit verify: {}{}", verified.stdout, verified.stderr);
        }
        let refused = self.calls(tenants)?;
        let runs = runs(&self.database.ask(RUNS)?)?;
        let waits = waits(&runs, &misfortunes.blows);
        let ended_well = |status: &str| status == "done" || status == "exceptions";
        let well = runs.iter().filter(|run| ended_well(&run.status)).count();
        for (kind, count) in misfortunes.counts() {
            println!("  {count:>6}  times {kind}");
        }
        for (count, what) in [
            (done.bills.len(), "bills were entered"),
            (done.there.len(), "payments were made in BILL"),
            (done.here.len(), "payments were made in the ledger"),
            (runs.len(), "runs"),
            (well, "of them ended well"),
            (promised.len(), "commits were acknowledged to a node"),
            (missing.len(), "of them are not there"),
            (findings.duplicates.len(), "duplicates"),
            (findings.lost.len(), "lost"),
            (findings.differences.len(), "other differences"),
            (refused, "calls were beyond a service's limit"),
        ] {
            println!("  {count:>6}  {what}");
        }
        let soon = told(&waits);
        println!(
            "  {:>6.1}  s without a commit, at the longest",
            promised.longest_gap()
        );
        Ok(findings.none() && missing.is_empty() && verified.status == 0 && refused == 0 && soon)
    }

    /// How many calls the services turned away because of a limit.
    fn calls(&self, tenants: &[Tenant]) -> Result<usize> {
        let mut refused = 0;
        for tenant in tenants {
            let calls = tenant.sandbox.calls(&self.caller)?;
            for system in ["netsuite", "bill"] {
                let count = |name: &str| calls[system][name].as_u64().unwrap_or_default();
                println!(
                    "{} {system}: {} calls, {} at once at most, {} refused",
                    tenant.name,
                    count("total"),
                    count("max_in_flight"),
                    count("refused")
                );
                refused += usize::try_from(count("refused"))?;
            }
        }
        Ok(refused)
    }
}

/// Prints how long connections waited; true if those whose node was killed were served again soon enough.
fn told(waits: &Waits) -> bool {
    for (kind, list) in &waits.after {
        let (middle, longest) = (list[list.len() / 2], list[list.len() - 1]);
        println!(
            "  {:>6}  runs were cut off ({kind}); their connections were served again after {middle:.1} s in the middle, {longest:.1} s at most",
            list.len()
        );
    }
    println!(
        "  {:>6.1}  s without a run of a connection, at the longest",
        waits.longest
    );
    let killed = waits.after.get("killed").and_then(|list| list.last());
    let soon = killed.is_none_or(|longest| *longest <= SERVED_MAX);
    if !soon {
        println!("that is more than {SERVED_MAX} s after a node's death");
    }
    soon
}

/// The address of a store whose servers listen there.
fn store_at(ports: &[u16]) -> String {
    let hosts: Vec<String> = ports
        .iter()
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    format!("postgres://tieout@{}/postgres", hosts.join(","))
}
