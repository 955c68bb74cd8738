//! The sandbox: every system's fake on loopback, and the control panel that drives them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use tieout_domain::code::Code;
use tieout_kit::fake::world::World;
use tieout_kit::fake::world::dataset;
use tieout_kit::fake::world::generate::{Shape, generate};
use tieout_kit::fake::{Chassis, Fake, FakeClock, control_router, dress, serve};
use tieout_kit::transport::{Network, Transport};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::failure::Failure;

/// What kind of sandbox.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// The control panel's port; the services follow it. `None`: any free ports.
    pub port: Option<u16>,
    /// What chance starts from.
    pub seed: u64,
    /// How many of each; the generator's own if not given.
    pub vendors: Option<usize>,
    /// See `vendors`.
    pub bills: Option<usize>,
    /// See `vendors`.
    pub customers: Option<usize>,
    /// See `vendors`.
    pub invoices: Option<usize>,
    /// A file of real payables lines to start from.
    pub dataset: Option<PathBuf>,
    /// How long each call takes at least.
    pub latency: Duration,
    /// Whether the ledger's account has subsidiaries.
    pub one_world: bool,
    /// The company's time zone.
    pub time_zone: String,
    /// Starts bare.
    pub empty: bool,
    /// The ledger's account id; the generator's own if not given.
    pub account: Option<String>,
    /// So many subsidiaries beside those that every world has.
    pub branches: usize,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            port: None,
            seed: 1,
            vendors: None,
            bills: None,
            customers: None,
            invoices: None,
            dataset: None,
            latency: Duration::ZERO,
            one_world: true,
            time_zone: "America/New_York".to_owned(),
            empty: false,
            account: None,
            branches: 0,
        }
    }
}

/// A running sandbox. Stops when it is dropped or told to.
pub struct Sandbox {
    /// What it prints: addresses and credentials.
    pub description: Value,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Sandbox {
    /// Makes the world and starts every service. All of them answer when this returns.
    pub async fn start(options: &SandboxOptions) -> Result<Self, Failure> {
        let clock = FakeClock::wall();
        let world = world(options, &clock)?;
        let chassis = Chassis::new(clock, options.seed).with_latency(options.latency);
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut description = Map::new();
        let panel = bind(options.port, 0).await?;
        description.insert("control".to_owned(), Value::String(address(&panel)?));
        description.insert("time_zone".to_owned(), options.time_zone.clone().into());
        let mut fakes: Vec<Arc<dyn Fake>> = Vec::new();
        for entry in tieout_systems::ALL {
            let fake = (entry.fake)(chassis.clone(), &world, options.seed);
            let listener = bind(options.port, entry.port).await?;
            let base = address(&listener)?;
            description.insert(fake.service().to_owned(), fake.describe(&base));
            let router = dress(&chassis, fake.service(), Arc::clone(&fake).router());
            tasks.spawn(serve(listener, router, until(stopped.clone())));
            fakes.push(fake);
        }
        tasks.spawn(serve(panel, control_router(chassis, fakes), until(stopped)));
        Ok(Self {
            description: Value::Object(description),
            stop,
            tasks,
        })
    }

    /// Serves until the process is told to stop.
    pub async fn serve_until_told(mut self) {
        told_to_stop().await;
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Resolves on an interrupt or a termination signal.
pub async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sandbox itself is gone.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

fn world(options: &SandboxOptions, clock: &FakeClock) -> Result<World, Failure> {
    let zone = TimeZone::get(&options.time_zone).map_err(|_| {
        let cause = format!("--time-zone: `{}` is no time zone", options.time_zone);
        Failure::usage(Code::new("usage"), cause)
    })?;
    let mut shape = Shape::new(clock.today(&zone));
    shape.seed = options.seed;
    shape.one_world = options.one_world;
    shape.time_zone.clone_from(&options.time_zone);
    shape.empty = options.empty;
    for (asked, place) in [
        (options.vendors, &mut shape.vendors),
        (options.bills, &mut shape.bills),
        (options.customers, &mut shape.customers),
        (options.invoices, &mut shape.invoices),
    ] {
        if let Some(asked) = asked {
            *place = asked;
        }
    }
    let mut world = match &options.dataset {
        None => generate(&shape),
        Some(path) => dataset::load(path, &shape).map_err(|error| {
            Failure::usage(Code::from_text(error.code().to_string()), error.to_string())
        })?,
    };
    world.found_branches(options.branches);
    if let Some(account) = &options.account {
        world.account_id.clone_from(account);
    }
    Ok(world)
}

async fn bind(base: Option<u16>, offset: u16) -> Result<TcpListener, Failure> {
    let port = base.map_or(0, |base| base.saturating_add(offset));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| {
        let cause = format!("can't listen on {address}: {error}");
        Failure::failed(Code::new("port-taken"), cause)
    })
}

fn address(listener: &TcpListener) -> Result<String, Failure> {
    let address = listener.local_addr().map_err(|error| {
        Failure::failed(
            Code::new("port-taken"),
            format!("the listener has no address: {error}"),
        )
    })?;
    Ok(format!("http://{address}"))
}

/// The sandbox's control panel.
pub struct Panel {
    /// Its address.
    pub base: String,
    transport: Network,
}

impl Panel {
    /// The panel of a sandbox that described itself so.
    pub fn new(sandbox: &Value) -> Result<Self, Failure> {
        let transport = Network::new()
            .map_err(|cause| Failure::failed(Code::new("tls"), format!("TLS: {cause}")))?;
        let base = sandbox["control"].as_str().unwrap_or_default().to_owned();
        Ok(Self { base, transport })
    }

    /// Sends a JSON body to a path of the panel and gives its JSON answer.
    pub async fn post(&self, path: &str, body: &str) -> Result<Value, Failure> {
        self.send(http::Method::POST, path, body).await
    }

    /// What a path of the panel shows.
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(http::Method::GET, path, "").await
    }

    /// Deletes what a path of the panel stands for: faults, counts.
    pub async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.send(http::Method::DELETE, path, "").await
    }

    async fn send(&self, method: http::Method, path: &str, body: &str) -> Result<Value, Failure> {
        let failed = |cause: String| {
            Failure::failed(
                Code::new("sandbox"),
                format!("the sandbox's {path}: {cause}"),
            )
        };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("content-type", "application/json")
            .body(body.to_owned().into())
            .map_err(|error| failed(error.to_string()))?;
        let answer = self
            .transport
            .send(request, Duration::from_secs(60))
            .await
            .map_err(|lost| failed(lost.to_string()))?;
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        if !answer.status().is_success() {
            return Err(failed(format!("{} {text}", answer.status())));
        }
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
    }
}
