//! The only place where everything is put together: configuration, store, vault, systems, engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use tieout_domain::code::Code;
use tieout_domain::port::Ports;
use tieout_domain::{ConnectionName, Currency, Holding, Kind, Timer};
use tieout_engine::{Connection, Progress, Sent, Sides};
use tieout_flows::Flow;
use tieout_kit::echo::WithoutEcho;
use tieout_kit::governor::Governors;
use tieout_kit::guard::{FarClock, Guarded};
use tieout_kit::seams::{Entropy, SystemEntropy};
use tieout_kit::transport::{Metered, Network};
use tieout_kit::webhooks::{ByHand, History, Signed, Subscriptions};
use tieout_kit::{ConnectError, Credential, Kept, Kit, Meter, System, Transport};
use tieout_store::Vault;

use crate::config::ConnectionConfig;
use crate::failure::Failure;
use crate::home::Home;
use crate::seams::{SealedInStore, WallClock};
use crate::subscriptions::Side;
use crate::telemetry::{RunTrace, Traced};

/// What all connections of this process share.
pub struct Shared {
    /// Sends requests.
    pub transport: Arc<dyn Transport>,
    /// Tells the time, and waits.
    pub timer: Arc<dyn Timer>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The limits that everything in this process keeps together.
    pub governors: Arc<Governors>,
    /// A credential that is used in the place of the sealed one of its name.
    pub instead: Option<Instead>,
}

/// A credential that is not in use yet, with what is kept of its sessions.
pub struct Instead {
    /// The name under which connections refer to it.
    pub name: String,
    /// The credential.
    pub credential: Credential,
    /// Its sessions and tokens.
    pub kept: Arc<dyn Kept>,
}

impl Shared {
    /// The network, the machine's clock, and the operating system's randomness.
    pub fn new() -> Result<Self, Failure> {
        let network = Network::new()
            .map_err(|cause| Failure::failed(Code::new("tls"), format!("TLS: {cause}")))?;
        Ok(Self {
            transport: Arc::new(network),
            timer: Arc::new(WallClock),
            entropy: Arc::new(SystemEntropy),
            governors: Arc::new(Governors::default()),
            instead: None,
        })
    }

    /// The same for a run whose calls are traced.
    #[must_use]
    pub fn traced(&self, run: &Arc<RunTrace>) -> Self {
        let transport = Traced::new(Arc::clone(&self.transport), Arc::clone(run));
        Self {
            transport: Arc::new(transport),
            timer: Arc::clone(&self.timer),
            entropy: Arc::clone(&self.entropy),
            governors: Arc::clone(&self.governors),
            instead: None,
        }
    }
}

/// A connection, put together.
pub async fn connection(
    home: &Home,
    vault: &Vault,
    shared: &Shared,
    name: &ConnectionName,
    config: &ConnectionConfig,
    progress: Arc<dyn Progress>,
) -> Result<Connection, Failure> {
    let holding = Arc::new(Holding::default());
    let ledger = side(
        (home, vault, shared),
        &holding,
        name,
        config.ledger.system,
        &config.ledger_settings,
    );
    let (ledger, ledger_meter) = ledger.await?;
    let platform = side(
        (home, vault, shared),
        &holding,
        name,
        config.platform.system,
        &config.platform_settings,
    );
    let (platform, platform_meter) = platform.await?;
    let meters = [
        (ledger.system, ledger_meter),
        (platform.system, platform_meter),
    ];
    let sent = move || -> BTreeMap<String, Sent> {
        let sent = |meter: &Meter| Sent {
            calls: meter.sent(),
            took: meter.took(),
        };
        meters
            .iter()
            .map(|(system, meter)| (system.to_string(), sent(meter)))
            .collect()
    };
    let home_currency = config
        .preferences
        .transactions
        .currencies
        .first()
        .copied()
        .unwrap_or(Currency::USD);
    let governors = Arc::clone(&shared.governors);
    let at_rest = move || -> BoxFuture<'static, ()> {
        let governors = Arc::clone(&governors);
        async move { governors.rest().await }.boxed()
    };
    Ok(Connection {
        sides: Sides { ledger, platform },
        flows: config.flows().into_iter().map(Arc::from).collect(),
        preferences: config.preferences.clone(),
        home_currency,
        time_zone: config.time_zone.clone(),
        store: home.store.connection(name),
        timer: Arc::clone(&shared.timer),
        holding,
        progress,
        sent: Arc::new(sent),
        allowances: config.allowances(),
        at_rest: Arc::new(at_rest),
        actor: actor(),
        holder: holder(),
    })
}

/// One side of a connection, put together by itself. Sends nothing.
pub async fn one_side(
    home: &Home,
    vault: &Vault,
    shared: &Shared,
    name: &ConnectionName,
    system: &System,
    settings: &Map<String, Value>,
) -> Result<Ports, Failure> {
    let holding = Arc::new(Holding::default());
    let (ports, _) = side((home, vault, shared), &holding, name, system, settings).await?;
    Ok(ports)
}

/// The flows of a connection that move money: they come first where calls are scarce.
#[must_use]
pub fn money_flows(config: &ConnectionConfig) -> Vec<String> {
    let moves_money = |flow: &dyn Flow| {
        let mut kinds = flow.writes().iter().map(|(_, kind)| *kind);
        kinds.any(|kind| matches!(kind, Kind::Payment | Kind::CustomerPayment))
    };
    let flows = config.flows();
    let money = flows.iter().filter(|flow| moves_money(flow.as_ref()));
    money.map(|flow| flow.name().to_owned()).collect()
}

async fn side(
    (home, vault, shared): (&Home, &Vault, &Shared),
    holding: &Arc<Holding>,
    name: &ConnectionName,
    system: &System,
    settings: &Map<String, Value>,
) -> Result<(Ports, Arc<Meter>), Failure> {
    let Some(credential_name) = credential_name(settings) else {
        let place = format!("connections.{name}.{}", system.id);
        let cause = format!("`{place}.credential` is missing: the name of a sealed credential");
        return Err(Failure::usage(Code::new("config-value"), cause));
    };
    let kept: Arc<dyn Kept> = Arc::new(SealedInStore::new(
        home.store.kept(vault),
        system.id.to_string(),
    ));
    if let Some(instead) = shared
        .instead
        .as_ref()
        .filter(|it| it.name == credential_name)
    {
        let credential = instead.credential.clone();
        let kept = Arc::clone(&instead.kept);
        return ports(shared, (holding, kept), name, system, settings, credential);
    }
    let (row, fields) = home.store.credentials().get(vault, credential_name).await?;
    check_kind(system, credential_name, &row.kind)?;
    home.store.credential_used(credential_name).await?;
    let credential = Credential {
        kind: row.kind,
        fields,
    };
    ports(shared, (holding, kept), name, system, settings, credential)
}

/// The name of the credential that a side's table names.
pub fn credential_name(settings: &Map<String, Value>) -> Option<&str> {
    settings.get("credential").and_then(Value::as_str)
}

/// Puts one side together. Sends nothing.
pub(crate) fn ports(
    shared: &Shared,
    (holding, kept): (&Arc<Holding>, Arc<dyn Kept>),
    name: &ConnectionName,
    system: &System,
    settings: &Map<String, Value>,
    credential: Credential,
) -> Result<(Ports, Arc<Meter>), Failure> {
    let (kit, meter) = kit(shared, (holding, kept), &credential);
    let ports = (system.connect)(settings, credential, kit).map_err(|error| {
        let place = format!("connections.{name}.{}", system.id);
        Failure::usage(error.code, format!("`{place}`: {}", error.cause))
    })?;
    Ok((ports, meter))
}

/// What keeps the subscriptions of a side. Sends nothing. Nothing of it needs a lease.
pub async fn subscriptions(
    (home, vault, shared): (&Home, &Vault, &Shared),
    side: Side<'_>,
    signed: Signed,
) -> Result<Arc<dyn Subscriptions>, Failure> {
    let (credential, kit) = seams((home, vault, shared), side).await?;
    (signed.subscriptions)(side.settings, credential, kit).map_err(|error| malformed(side, error))
}

/// What tells the past events of a side whose address a person enters over there. Sends nothing, and needs no lease.
pub async fn past(
    (home, vault, shared): (&Home, &Vault, &Shared),
    side: Side<'_>,
    by_hand: ByHand,
) -> Result<Arc<dyn History>, Failure> {
    let (credential, kit) = seams((home, vault, shared), side).await?;
    (by_hand.past)(side.settings, credential, kit).map_err(|error| malformed(side, error))
}

/// The credential of a side, in the clear.
pub async fn credential(home: &Home, vault: &Vault, side: Side<'_>) -> Result<Credential, Failure> {
    let Some(name) = credential_name(side.settings) else {
        let place = place(side);
        let cause = format!("`{place}.credential` is missing: the name of a sealed credential");
        return Err(Failure::usage(Code::new("config-value"), cause));
    };
    let (row, fields) = home.store.credentials().get(vault, name).await?;
    check_kind(side.system, name, &row.kind)?;
    Ok(Credential {
        kind: row.kind,
        fields,
    })
}

/// A side's credential, and its seams without a lease.
async fn seams(
    (home, vault, shared): (&Home, &Vault, &Shared),
    side: Side<'_>,
) -> Result<(Credential, Kit), Failure> {
    let credential = credential(home, vault, side).await?;
    let kept = SealedInStore::new(home.store.kept(vault), side.system.id.to_string());
    let holding = Arc::new(Holding::default());
    let (kit, _) = kit(shared, (&holding, Arc::new(kept)), &credential);
    Ok((credential, kit))
}

fn place(side: Side<'_>) -> String {
    format!("connections.{}.{}", side.connection, side.system.id)
}

fn malformed(side: Side<'_>, error: ConnectError) -> Failure {
    Failure::usage(error.code, format!("`{}`: {}", place(side), error.cause))
}

/// The seams of one side.
fn kit(
    shared: &Shared,
    (holding, kept): (&Arc<Holding>, Arc<dyn Kept>),
    credential: &Credential,
) -> (Kit, Arc<Meter>) {
    let meter = Arc::new(Meter::default());
    let metered = Metered::new(
        Arc::clone(&shared.transport),
        Arc::clone(&meter),
        Arc::clone(&shared.timer),
    );
    let timer = Arc::clone(&shared.timer);
    let far_clock = Arc::new(FarClock::default());
    let transport = Guarded::new(
        Arc::new(metered),
        Arc::clone(holding),
        Arc::clone(&far_clock),
        Arc::clone(&timer),
    );
    let transport = WithoutEcho::new(Arc::new(transport), credential.fields.expose_secret());
    let kit = Kit {
        transport: Arc::new(transport),
        timer,
        entropy: Arc::clone(&shared.entropy),
        kept,
        governors: Arc::clone(&shared.governors),
        far_clock,
    };
    (kit, meter)
}

fn check_kind(system: &System, name: &str, kind: &str) -> Result<(), Failure> {
    if system.credentials.iter().any(|known| known.name == kind) {
        return Ok(());
    }
    let known: Vec<_> = system.credentials.iter().map(|kind| kind.name).collect();
    let cause = format!(
        "credential `{name}` is of kind `{kind}`; {} takes {}",
        system.title,
        known.join(" or ")
    );
    Err(Failure::usage(Code::new("credential-kind"), cause))
}

/// Who is at work, for the history: the operating system's user.
pub fn actor() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    format!("user:{}", user.unwrap_or_else(|_| "unknown".to_owned()))
}

/// Names this process among those that may hold a connection.
fn holder() -> String {
    format!("{} process {}", actor(), std::process::id())
}
