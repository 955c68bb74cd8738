//! The clients of an integrator: each a group of its own, with an account of NetSuite, a developer key of BILL, and a
//! subsidiary and an organization for each entity.

use std::path::Path;

use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};

use crate::home::{Home, credential};
use crate::panel::Caller;
use crate::sandbox::Sandbox;

/// So many entities at most share a developer key, which allows 200 sign-ins an hour.
const ENTITIES_MAX: usize = 150;

/// Every world has these subsidiaries; the branches come after them.
const SUBSIDIARIES: usize = 3;

/// How many vendors each entity has.
const VENDORS: usize = 2;

/// How long an unanswered write may be running over there: longer than any call of the sandbox.
const SETTLE: &str = "2 seconds";

/// How a trial's connections run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rhythm {
    /// Every how many seconds each connection is due.
    pub(crate) pace: u64,
    /// How many runs a node has on at once.
    pub(crate) workers: u64,
}

/// A group.
pub(crate) struct Tenant {
    pub(crate) name: String,
    pub(crate) sandbox: Sandbox,
    pub(crate) entities: Vec<Entity>,
}

/// An entity of a group: one connection.
#[derive(Debug, Clone)]
pub(crate) struct Entity {
    /// The connection's name.
    pub(crate) connection: String,
    pub(crate) subsidiary: String,
    pub(crate) organization: String,
    /// Its vendors in the ledger.
    pub(crate) vendors: Vec<String>,
}

/// Starts the services of as many groups as so many connections need, two at least.
pub(crate) fn found(
    program: &Path,
    caller: &Caller,
    connections: usize,
    latency: u64,
) -> Result<Vec<Tenant>> {
    let groups = connections.div_ceil(ENTITIES_MAX).max(2).min(connections);
    let mut tenants = Vec::new();
    let mut left = connections;
    for number in 0..groups {
        let entities = left.div_ceil(groups - number);
        left -= entities;
        tenants.push(Tenant::found(
            program,
            caller,
            number + 1,
            entities,
            latency,
        )?);
    }
    Ok(tenants)
}

impl Tenant {
    fn found(
        program: &Path,
        caller: &Caller,
        number: usize,
        entities: usize,
        latency: u64,
    ) -> Result<Self> {
        let world = [
            "--empty".to_owned(),
            format!("--seed={number}"),
            format!("--account={}_SB1", 1_000_000 + number),
            format!("--branches={entities}"),
            format!("--latency={latency}ms"),
        ];
        let sandbox = Sandbox::start(program, &world)?;
        let post = |path: &str, body: &Value| sandbox.panel(caller, Method::POST, path, Some(body));
        let expenses = json!({"acctNumber": "6000", "acctName": "Office", "acctType": "Expense"});
        post("netsuite/account", &expenses)?;
        let made = post("bill/organizations", &json!({"count": entities}))?;
        let organizations = made["organizations"].as_array().cloned();
        let organizations = organizations.context("the sandbox made no organizations")?;
        let name = format!("client-{number}");
        let mut all = Vec::new();
        for (place, organization) in organizations.iter().enumerate() {
            let subsidiary = (SUBSIDIARIES + 1 + place).to_string();
            let mut vendors = Vec::new();
            for vendor in 0..VENDORS {
                let fields = json!({"subsidiary": subsidiary,
                    "companyName": format!("Supplier {} of branch {}", vendor + 1, place + 1)});
                let made = post("netsuite/vendor", &fields)?;
                vendors.push(made["id"].as_str().unwrap_or_default().to_owned());
            }
            all.push(Entity {
                connection: format!("{name}-{:04}", place + 1),
                subsidiary,
                organization: organization.as_str().unwrap_or_default().to_owned(),
                vendors,
            });
        }
        Ok(Self {
            name,
            sandbox,
            entities: all,
        })
    }

    /// Gives the store the group's credentials.
    pub(crate) fn seal(&self, home: &Home) -> Result<()> {
        for system in ["netsuite", "bill"] {
            let (kind, fields) = credential(&self.sandbox.described[system])
                .with_context(|| format!("the sandbox told no credentials for {system}"))?;
            let name = self.credential(system);
            let set = ["credentials", "set", &name, "--kind", kind];
            home.must(&set, Some(&fields.to_string()))?;
        }
        Ok(())
    }

    fn credential(&self, system: &str) -> String {
        format!("{}-{system}", self.name)
    }

    /// What its connections share.
    fn template(&self, pace: u64) -> toml::Table {
        let mut template = toml::Table::new();
        template.insert("pair".to_owned(), "netsuite-bill".into());
        template.insert(
            "schedule".to_owned(),
            format!("every {pace} seconds").into(),
        );
        template.insert("whole".to_owned(), "never".into());
        for system in ["netsuite", "bill"] {
            let mut settings = toml::Table::new();
            for name in ["account", "base_url", "events_url"] {
                if let Some(text) = self.sandbox.described[system][name].as_str() {
                    settings.insert(name.to_owned(), text.into());
                }
            }
            settings.insert("credential".to_owned(), self.credential(system).into());
            settings.insert("settle".to_owned(), SETTLE.into());
            if system == "bill" {
                settings.insert("environment".to_owned(), "sandbox".into());
            }
            template.insert(system.to_owned(), settings.into());
        }
        let lists = toml::Table::from_iter([("create_missing".to_owned(), true.into())]);
        let accounts = [("payment_account".to_owned(), "1090".into())];
        let preferences = toml::Table::from_iter([
            ("lists".to_owned(), lists.into()),
            (
                "transactions".to_owned(),
                toml::Table::from_iter(accounts).into(),
            ),
        ]);
        template.insert("preferences".to_owned(), preferences.into());
        template
    }
}

/// The configuration of a node that finds the store at this address.
pub(crate) fn configuration(tenants: &[Tenant], store: &str, rhythm: Rhythm) -> Result<String> {
    let (mut templates, mut connections) = (toml::Table::new(), toml::Table::new());
    for tenant in tenants {
        templates.insert(tenant.name.clone(), tenant.template(rhythm.pace).into());
        for entity in &tenant.entities {
            let own = |name: &str, value: &str| -> toml::Value {
                toml::Table::from_iter([(name.to_owned(), value.into())]).into()
            };
            let connection = toml::Table::from_iter([
                ("template".to_owned(), tenant.name.as_str().into()),
                ("netsuite".to_owned(), own("subsidiary", &entity.subsidiary)),
                ("bill".to_owned(), own("organization", &entity.organization)),
            ]);
            connections.insert(entity.connection.clone(), connection.into());
        }
    }
    let workers = i64::try_from(rhythm.workers)?;
    let server = toml::Table::from_iter([
        ("listen".to_owned(), "127.0.0.1:0".into()),
        ("workers".to_owned(), workers.into()),
    ]);
    let store = toml::Table::from_iter([("url".to_owned(), store.into())]);
    let root = toml::Table::from_iter([
        ("store".to_owned(), store.into()),
        ("server".to_owned(), server.into()),
        ("templates".to_owned(), templates.into()),
        ("connections".to_owned(), connections.into()),
    ]);
    Ok(toml::to_string(&root)?)
}
