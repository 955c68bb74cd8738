//! The services, the machine that tieout runs on, and how a process of it is started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tieout::assemble::{self, Shared};
use tieout::commands::credentials;
use tieout::home::{CONFIG, Home, KEY, Place};
use tieout_domain::ConnectionName;
use tieout_engine::{Connection, Quiet};
use tieout_kit::fake::world::generate::{Shape, generate};
use tieout_kit::fake::{Chassis, Fake, FakeClock, dress};
use tieout_kit::governor::Governors;
use tieout_store::{Seams, Store, Vault};
use tieout_systems::Entry;

use crate::check::Snapshot;
use crate::dice::Dice;
use crate::figures::Figures;
use crate::gate::Gate;
use crate::pace::Pace;
use crate::pair::Pair;
use crate::process::{Fate, Process, Watched};
use crate::run::Host;
use crate::time::{MachineClock, Time};
use crate::weather::{Hosts, Sky, Weather};

/// The name of the one connection.
pub(crate) const NAME: &str = "acme";
/// The moment at which every world begins: a working day, in the middle of a month.
const BEGINNING: &str = "2026-06-17T14:00:00Z";
/// The port that hosts are counted from; nothing listens there.
const PORT: u16 = 9100;

/// What a world is like.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Decides everything.
    pub seed: u64,
    /// Vendors in the ledger, or customers.
    pub parties: u64,
    /// Bills in the ledger, or invoices.
    pub documents: u64,
    /// Whether the ledger's account has subsidiaries.
    pub one_world: bool,
    /// Whether tieout signs in by tokens instead of a certificate.
    pub tokens: bool,
    /// Whether tieout may write to the ledger.
    pub writes_ledger: bool,
}

impl Plan {
    /// [`parties`](Self::parties), as a size.
    #[must_use]
    pub fn parties(&self) -> usize {
        usize::try_from(self.parties).unwrap_or_default()
    }

    /// [`documents`](Self::documents), as a size.
    #[must_use]
    pub fn documents(&self) -> usize {
        usize::try_from(self.documents).unwrap_or_default()
    }
}

/// A world: the services, and the machine that tieout runs on.
pub struct World {
    /// Which ledger and platform are connected.
    pub pair: &'static dyn Pair,
    /// What it is like.
    pub plan: Plan,
    /// Its time.
    pub time: Arc<Time>,
    /// What happened.
    pub figures: Arc<Figures>,
    /// How bad the network is.
    pub sky: Arc<Mutex<Sky>>,
    /// The turns at the store.
    pub gate: Arc<Gate>,
    fakes: Vec<Arc<dyn Fake>>,
    /// At which port each service is.
    ports: BTreeMap<String, u16>,
    pace: Arc<Pace>,
    chassis: Chassis,
    hosts: Arc<Hosts>,
    folder: tempfile::TempDir,
    /// Where it is kept, if it is.
    keep: Option<PathBuf>,
    ahead_us: Arc<AtomicI64>,
    weather_dice: Arc<Dice>,
    machine_dice: Arc<Dice>,
}

/// A process that has been started: its connection, and what stands between it and its end.
pub struct Started {
    /// What it works with.
    pub connection: Connection,
    /// It.
    pub process: Arc<Process>,
    /// Its store.
    pub store: Store,
}

impl World {
    /// Makes the world, and a home on its machine.
    ///
    /// # Errors
    /// What keeps a home from being made: no place on the disk.
    pub async fn new(
        systems: &[Entry],
        pair: &'static dyn Pair,
        plan: &Plan,
        host: &Host,
    ) -> Result<Self> {
        let clock = FakeClock::at(BEGINNING.parse::<Timestamp>()?);
        let mut chassis = Chassis::new(clock, plan.seed);
        let wall = Arc::clone(&chassis.clock);
        chassis.wall_clock = Arc::new(move || wall.now());
        let time = Time::new(Arc::clone(&chassis.clock));
        host.time_goes_on(&time);
        let mut shape = Shape::new(
            BEGINNING
                .parse::<Timestamp>()?
                .to_zoned(jiff::tz::TimeZone::UTC)
                .date(),
        );
        shape.seed = plan.seed;
        pair.furnish(plan, &mut shape);
        shape.one_world = plan.one_world;
        let generated = generate(&shape);
        let mut fakes = Vec::new();
        let mut ports = BTreeMap::new();
        let mut hosts = Hosts::new();
        let mut description = serde_json::Map::new();
        for entry in systems {
            let fake = (entry.fake)(chassis.clone(), &generated, plan.seed);
            let host = format!("127.0.0.1:{}", PORT + entry.port);
            description.insert(
                fake.service().to_owned(),
                fake.describe(&format!("http://{host}")),
            );
            let router = dress(&chassis, fake.service(), Arc::clone(&fake).router());
            hosts.insert(host, router);
            ports.insert(fake.service().to_owned(), PORT + entry.port);
            fakes.push(fake);
        }
        let world = Self {
            pair,
            plan: *plan,
            time,
            figures: Arc::default(),
            sky: Arc::new(Mutex::new(Sky::CALM)),
            gate: Arc::clone(&host.gate),
            fakes,
            ports,
            pace: Arc::default(),
            chassis,
            hosts: Arc::new(hosts),
            folder: folder(host.keep.as_deref())?,
            keep: host.keep.clone(),
            ahead_us: Arc::default(),
            weather_dice: Arc::new(Dice::of(plan.seed, "weather")),
            machine_dice: Arc::new(Dice::of(plan.seed, "machine")),
        };
        world.set_up(&Value::Object(description)).await?;
        Ok(world)
    }

    async fn set_up(&self, description: &Value) -> Result<()> {
        let mut text = ledger_configuration(self.pair.name(), description);
        text.push_str(&self.pair.configuration(self, description).await?);
        std::fs::write(self.path(CONFIG), text)?;
        Vault::create_key_file(&self.path(KEY))?;
        let process = Process::new(&self.time, Fate::default());
        let home = Home::open_among(&self.place(), self.seams(&process)).await?;
        let netsuite = if self.plan.tokens {
            "netsuite-tba"
        } else {
            "netsuite-m2m"
        };
        let platform = (self.pair.platform(), self.pair.credential());
        for (system, kind) in [("netsuite", netsuite), platform] {
            let fields = description[system][kind].to_string();
            let known = credentials::known_kind(kind)?;
            credentials::seal(&home, system, known, fields.into(), "user:sim").await?;
        }
        home.store.close().await;
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn place(&self) -> Place {
        Place {
            home: Some(self.folder.path().to_owned()),
            key_file: Some(self.path(KEY)),
        }
    }

    fn clock(&self, process: &Arc<Process>) -> Arc<MachineClock> {
        Arc::new(MachineClock {
            time: Arc::clone(&self.time),
            ahead_us: Arc::clone(&self.ahead_us),
            process: Arc::clone(process),
        })
    }

    fn seams(&self, process: &Arc<Process>) -> Seams {
        Seams {
            clock: self.clock(process),
            own_time: true,
            salts: Arc::clone(&self.machine_dice) as Arc<dyn tieout_store::Salts>,
            watch: Some(Arc::new(Watched {
                process: Arc::clone(process),
                gate: Arc::clone(&self.gate),
                dice: Arc::clone(&self.machine_dice),
            })),
        }
    }

    /// Starts a process with this fate: opens the home and puts the connection together, as the program does.
    ///
    /// # Errors
    /// What the program itself would have said.
    pub async fn start(&self, fate: Fate, holder: &str) -> Result<Started> {
        let process = Process::new(&self.time, fate);
        self.start_as(&process, holder).await
    }

    /// Starts a process that is known already.
    ///
    /// # Errors
    /// See [`start`](Self::start).
    pub async fn start_as(&self, process: &Arc<Process>, holder: &str) -> Result<Started> {
        let home = Home::open_among(&self.place(), self.seams(process)).await?;
        let vault = home.vault().await?;
        let shared = Shared {
            transport: Arc::new(Weather {
                hosts: Arc::clone(&self.hosts),
                time: Arc::clone(&self.time),
                process: Arc::clone(process),
                dice: Arc::clone(&self.weather_dice),
                sky: Arc::clone(&self.sky),
                figures: Arc::clone(&self.figures),
                pace: Arc::clone(&self.pace),
                gate: Arc::clone(&self.gate),
            }),
            timer: self.clock(process),
            entropy: Arc::clone(&self.machine_dice) as Arc<dyn tieout_kit::Entropy>,
            governors: Arc::new(Governors::default()),
            instead: None,
        };
        let (name, config) = home
            .config
            .connections
            .iter()
            .next()
            .context("the home has a connection")?;
        let mut connection =
            assemble::connection(&home, &vault, &shared, name, config, Arc::new(Quiet)).await?;
        connection.actor = "engine".to_owned();
        connection.holder = holder.to_owned();
        Ok(Started {
            connection,
            process: Arc::clone(process),
            store: home.store.clone(),
        })
    }

    /// What tieout's machine takes for a lock of the operating system is no longer one: as on two machines
    /// that share a database.
    pub fn lose_lock(&self) {
        let lock = self.path(&format!("tieout.db.{NAME}.lock"));
        drop(std::fs::remove_file(lock));
    }

    /// The name of the connection.
    ///
    /// # Panics
    /// Never: the name is a good one.
    #[must_use]
    pub fn name(&self) -> ConnectionName {
        NAME.parse().expect("a connection's name")
    }

    /// Sets the machine's clock ahead of the world's, or behind it.
    pub fn step_clock(&self, ahead: SignedDuration) {
        let ahead = i64::try_from(ahead.as_micros()).unwrap_or_default();
        self.ahead_us.store(ahead, Ordering::Relaxed);
    }

    /// Makes the network so bad.
    pub fn set_sky(&self, sky: Sky) {
        *self.sky.lock().unwrap_or_else(PoisonError::into_inner) = sky;
    }

    /// Every record of a service.
    #[must_use]
    pub fn records(&self, service: &str) -> Value {
        self.fake(service)
            .map_or(Value::Null, |fake| fake.records())
    }

    /// What a person does in a service's own screens.
    ///
    /// # Errors
    /// What the service says to that person.
    pub async fn act(&self, service: &str, path: &[&str], body: Value) -> Result<Value> {
        let fake = self.fake(service).context("a service")?;
        let done = fake.control(path, body).await?;
        Ok(done)
    }

    /// Makes a sign-in fail, or work again.
    pub fn credential(&self, kind: &str, action: &str) {
        for fake in &self.fakes {
            drop(fake.credential(kind, &json!({"action": action})));
        }
    }

    /// What is to be counted of the calls, by the service's own count.
    #[must_use]
    pub fn calls(&self, service: &str) -> u64 {
        self.chassis.calls.of(service).total
    }

    /// The routes by which a service's records were written, by its own count.
    #[must_use]
    pub fn writes(&self, service: &str) -> Vec<String> {
        let routes = self.chassis.calls.of(service).by_path.into_keys();
        routes.filter(|route| writes(route)).collect()
    }

    /// How often each service's records were written, by its own count.
    #[must_use]
    pub fn writes_counted(&self) -> BTreeMap<String, u64> {
        let services = ["netsuite", self.pair.platform()];
        let counts = services.into_iter().flat_map(|service| {
            let routes = self.chassis.calls.of(service).by_path.into_iter();
            routes.filter(|(route, _)| writes(route))
        });
        counts.collect()
    }

    /// Keeps what the services hold, where this world is kept.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn keep(&self, held: &Snapshot) -> Result<()> {
        let Some(folder) = &self.keep else {
            return Ok(());
        };
        for (service, records) in [
            ("netsuite", &held.ledger),
            (self.pair.platform(), &held.platform),
        ] {
            let text = serde_json::to_string_pretty(records)?;
            std::fs::write(folder.join(format!("{service}.json")), text)?;
        }
        Ok(())
    }

    /// The most requests that left for a service in any second so far.
    #[must_use]
    pub fn most_a_second(&self, service: &str) -> usize {
        let port = self.ports.get(service);
        port.map_or(0, |port| self.pace.most(*port))
    }

    /// The most requests to a service that were under way at once so far.
    #[must_use]
    pub fn most_at_once(&self, service: &str) -> usize {
        let port = self.ports.get(service);
        port.map_or(0, |port| self.pace.most_at_once(*port))
    }

    fn fake(&self, service: &str) -> Option<&Arc<dyn Fake>> {
        self.fakes.iter().find(|fake| fake.service() == service)
    }

    /// Lets time pass.
    pub async fn pass(&self, time: Duration) {
        self.time.sleep(time).await;
        for fake in &self.fakes {
            fake.clock_moved();
        }
    }
}

/// Whether a route writes records: whoever signs in or asks writes none.
fn writes(route: &str) -> bool {
    let reads = ["/suiteql", "/token", "/login", "/logout"];
    !route.starts_with("GET ") && !reads.iter().any(|end| route.ends_with(end))
}

/// A folder that is as fast as there is: what a simulation writes need not outlive the machine, unless it is kept.
fn folder(keep: Option<&Path>) -> Result<tempfile::TempDir> {
    if let Some(keep) = keep {
        std::fs::create_dir_all(keep)?;
        let mut builder = tempfile::Builder::new();
        return Ok(builder
            .prefix("home-")
            .disable_cleanup(true)
            .tempdir_in(keep)?);
    }
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("tieout-sim-");
    Ok(if memory.is_dir() {
        builder.tempdir_in(memory)?
    } else {
        builder.tempdir()?
    })
}

/// The connection, and its ledger's table.
fn ledger_configuration(pair: &str, sandbox: &Value) -> String {
    let text = |key: &str| sandbox["netsuite"][key].as_str().unwrap_or_default();
    let subsidiary = match text("subsidiary") {
        "" => String::new(),
        id => format!("subsidiary = \"{id}\"\n"),
    };
    format!(
        "[connections.{NAME}]\npair = \"{pair}\"\ntime_zone = \"America/New_York\"\n\
         [connections.{NAME}.netsuite]\naccount = \"{account}\"\n{subsidiary}credential = \"netsuite\"\n\
         base_url = \"{base}\"\n",
        account = text("account"),
        base = text("base_url"),
    )
}
