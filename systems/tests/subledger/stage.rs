//! A NetSuite sandbox in this process, and the real client's view of its control accounts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::{Date, date};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tieout_domain::port::Ports;
use tieout_domain::subledger::{Basis, Posting, Subledger, Told};
use tieout_domain::{Amount, Clock, Currency, Fault, Lost, RemoteId, Timer, Timestamp};
use tieout_kit::fake::world::generate::{Shape, generate};
use tieout_kit::fake::world::{Account, PeriodState, World};
use tieout_kit::fake::{Chassis, Fake, FakeClock};
use tieout_kit::governor::Governors;
use tieout_kit::seams::SystemEntropy;
use tieout_kit::transport::InProcess;
use tieout_kit::{Credential, Kept, KeptError, Kit, Transport};
use tieout_systems::find;

/// The day every world ends on.
pub(crate) const TODAY: Date = date(2026, 7, 1);

/// A company with vendors and lists, and nothing booked.
pub(crate) fn bare(one_world: bool) -> World {
    let mut world = generate(&Shape {
        one_world,
        vendors: 10,
        bills: 50,
        ..Shape::new(TODAY)
    });
    world.bills.clear();
    world.credits.clear();
    world.payments.clear();
    world.platform.bills.clear();
    let all = 0..world.subsidiaries.len();
    for vendor in &mut world.vendors {
        vendor.currency = Currency::USD;
        vendor.subsidiaries = all.clone().rev().collect();
        vendor.inactive = false;
    }
    for period in &mut world.periods {
        period.state = PeriodState::Open;
    }
    world.accounts.push(Account {
        number: "2001".to_owned(),
        name: "Accounts Payable, elsewhere".to_owned(),
        kind: "AcctPay".to_owned(),
        parent: None,
        summary: false,
        inactive: false,
    });
    world
}

/// Counts what is sent.
struct Counting {
    inner: InProcess,
    sent: Arc<AtomicUsize>,
}

#[async_trait]
impl Transport for Counting {
    async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
        deadline: Duration,
    ) -> Result<http::Response<bytes::Bytes>, Lost> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.inner.send(request, deadline).await
    }
}

/// A stage.
pub(crate) struct Stage {
    pub(crate) fake: Arc<dyn Fake>,
    pub(crate) ledger: Arc<dyn Subledger>,
    pub(crate) ports: Ports,
    /// How many requests were sent.
    pub(crate) sent: Arc<AtomicUsize>,
    pub(crate) payables: Vec<RemoteId>,
}

impl Stage {
    pub(crate) async fn new(world: &World) -> Self {
        Self::with(world, json!({})).await
    }

    /// With these settings beside those that the sandbox tells.
    pub(crate) async fn with(world: &World, more: Value) -> Self {
        let start: Timestamp = "2026-07-01T16:00:00Z".parse().unwrap();
        let mut chassis = Chassis::new(FakeClock::at(start), 1);
        chassis.wall_clock = Arc::new(move || start);
        let entry = find("netsuite").unwrap();
        let fake = (entry.fake)(chassis, world, 1);
        let told = fake.describe("http://127.0.0.1:9101");
        let mut settings = json!({"account": told["account"], "credential": "a",
            "base_url": told["base_url"]});
        if let Some(id) = told.get("subsidiary") {
            settings["subsidiary"] = id.clone();
        }
        for (name, value) in more.as_object().unwrap() {
            settings[name] = value.clone();
        }
        let credential = Credential {
            kind: "netsuite-m2m".to_owned(),
            fields: told["netsuite-m2m"].to_string().into(),
        };
        let sent = Arc::default();
        let kit = Kit {
            transport: Arc::new(Counting {
                inner: InProcess::new(Arc::clone(&fake).router()),
                sent: Arc::clone(&sent),
            }),
            timer: Arc::new(Still(start)),
            entropy: Arc::new(SystemEntropy),
            kept: Arc::new(Memory::default()),
            governors: Arc::new(Governors::default()),
            far_clock: Arc::default(),
        };
        let settings = settings.as_object().unwrap();
        let ports = (entry.system.connect)(settings, credential, kit).unwrap();
        let ledger = ports.subledger.clone().unwrap();
        let payables = ledger.control_accounts().await.unwrap();
        Self {
            fake,
            ledger,
            ports,
            sent,
            payables: payables.into_iter().map(|(id, _)| id).collect(),
        }
    }

    /// What a person does in NetSuite's pages; gives the record's id.
    pub(crate) async fn person(&self, path: &str, body: Value) -> String {
        let path: Vec<&str> = path.split('/').collect();
        let told = self.fake.control(&path, body).await.unwrap();
        told["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Rows of the books, past the client's reading.
    pub(crate) async fn books(&self, sql: &str) -> Vec<BTreeMap<String, String>> {
        let told = self.fake.control(&["query"], json!({"q": sql})).await;
        let told = told.unwrap();
        let rows = told["items"].as_array().unwrap().iter();
        rows.map(|row| {
            let fields = row.as_object().unwrap().iter();
            fields
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect()
        })
        .collect()
    }

    /// The first value of a query.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let rows = self.books(sql).await;
        rows[0].values().next().cloned().unwrap()
    }

    pub(crate) async fn account(&self, number: &str) -> String {
        self.value(&format!(
            "SELECT id FROM account WHERE acctnumber = '{number}'"
        ))
        .await
    }

    /// The nth vendor, from 0.
    pub(crate) async fn vendor(&self, nth: usize) -> String {
        self.books("SELECT id FROM vendor ORDER BY id").await[nth]["id"].clone()
    }

    pub(crate) async fn bill(&self, vendor: &str, day: &str, amount: &str) -> String {
        let fields = json!({"vendor": vendor, "number": format!("INV {day}"), "date": day,
            "amount": amount});
        self.person("vendorbill", fields).await
    }

    pub(crate) async fn pay(&self, bill: &str, day: &str, amount: &str) -> String {
        let body = json!({"bills": [bill], "date": day, "amount": amount});
        self.person("vendorpayment", body).await
    }

    /// A journal entry of these lines: account, amount (debit positive), entity.
    pub(crate) async fn journal(&self, day: &str, lines: &[(&str, &str, Option<&str>)]) -> String {
        let line = |(account, amount, entity): &(&str, &str, Option<&str>)| {
            let mut line = json!({"account": account});
            match amount.strip_prefix('-') {
                Some(credit) => line["credit"] = json!(credit),
                None => line["debit"] = json!(amount),
            }
            if let Some(entity) = entity {
                line["entity"] = json!(entity);
            }
            line
        };
        let lines: Vec<Value> = lines.iter().map(line).collect();
        self.person("journalentry", json!({"date": day, "lines": lines}))
            .await
    }

    pub(crate) async fn open(&self, until: &str, basis: Basis) -> Vec<Posting> {
        let until = day(until);
        let mut token = None;
        let mut all = Vec::new();
        loop {
            let told = self
                .ledger
                .open_items(&self.payables, until, basis, token.as_ref())
                .await;
            if !further(&mut all, &mut token, told) {
                return all;
            }
        }
    }

    pub(crate) async fn loose(&self, until: &str) -> Vec<Posting> {
        let until = day(until);
        let mut token = None;
        let mut all = Vec::new();
        loop {
            let told = self
                .ledger
                .loose_lines(&self.payables, until, Basis::Period, token.as_ref())
                .await;
            if !further(&mut all, &mut token, told) {
                return all;
            }
        }
    }

    pub(crate) async fn postings(&self, accounts: &[RemoteId], until: &str) -> Vec<Posting> {
        self.postings_by(Basis::Period, accounts, until).await
    }

    /// The same, counted by the period or by the day.
    pub(crate) async fn postings_by(
        &self,
        basis: Basis,
        accounts: &[RemoteId],
        until: &str,
    ) -> Vec<Posting> {
        let until = day(until);
        let mut token = None;
        let mut all = Vec::new();
        loop {
            let told = self
                .ledger
                .postings(accounts, until, basis, token.as_ref())
                .await;
            if !further(&mut all, &mut token, told) {
                return all;
            }
        }
    }

    /// The general ledger is the open items and the lines without a vendor, and the ledger's own sum of the
    /// open items is that of the rows; in each currency.
    pub(crate) async fn assert_ties(&self, until: &str) {
        let basis = Basis::Period;
        let balances = self
            .ledger
            .balances(&self.payables, day(until), basis)
            .await;
        let ledger = by_currency(
            balances
                .unwrap()
                .rows
                .iter()
                .map(|row| (row.currency, row.amount)),
        );
        let open = self.open(until, Basis::Period).await;
        let loose = self.loose(until).await;
        let parts = open.iter().map(|row| (row.currency, row.open));
        let parts = by_currency(parts.chain(loose.iter().map(|row| (row.currency, row.open))));
        assert_eq!(ledger, parts, "{until}: {open:#?} {loose:#?}");

        let totals = self
            .ledger
            .open_totals(&self.payables, day(until), basis)
            .await;
        let totals: BTreeMap<String, (Amount, u64)> = totals
            .unwrap()
            .rows
            .into_iter()
            .map(|row| (row.currency.code().to_owned(), (row.amount, row.count)))
            .collect();
        let mut rows: BTreeMap<String, (Amount, u64)> = BTreeMap::new();
        for row in &open {
            let entry = rows.entry(row.currency.code().to_owned()).or_default();
            *entry = (entry.0.plus(row.open).unwrap(), entry.1 + 1);
        }
        assert_eq!(totals, rows, "{until}");
    }
}

fn further(
    all: &mut Vec<Posting>,
    token: &mut Option<tieout_domain::port::PageToken>,
    told: Result<Told<Posting>, Fault>,
) -> bool {
    let told = told.unwrap();
    assert!(!told.asked.server_time.is_empty());
    all.extend(told.rows);
    *token = told.next;
    token.is_some()
}

/// Sums by currency, without those that are nothing.
fn by_currency(amounts: impl Iterator<Item = (Currency, Amount)>) -> BTreeMap<String, Amount> {
    let mut sums: BTreeMap<String, Amount> = BTreeMap::new();
    for (currency, amount) in amounts {
        let sum = sums.entry(currency.code().to_owned()).or_default();
        *sum = sum.plus(amount).unwrap();
    }
    sums.retain(|_, sum| !sum.is_zero());
    sums
}

pub(crate) fn day(text: &str) -> tieout_domain::Date {
    text.parse().unwrap()
}

/// Transaction and open amount of each row.
pub(crate) fn opens(rows: &[Posting]) -> Vec<(String, String)> {
    rows.iter()
        .map(|row| (row.id.to_string(), row.open.to_string()))
        .collect()
}

struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[async_trait]
impl Timer for Still {
    async fn sleep(&self, _duration: Duration) {}
}

#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, String>>);

#[async_trait]
impl Kept for Memory {
    async fn get(&self, name: &str) -> Result<Option<SecretString>, KeptError> {
        let kept = self.0.lock().unwrap();
        Ok(kept.get(name).map(|value| value.clone().into()))
    }

    async fn put(
        &self,
        name: &str,
        value: &SecretString,
        _expires: Timestamp,
    ) -> Result<(), KeptError> {
        let value = value.expose_secret().to_owned();
        self.0.lock().unwrap().insert(name.to_owned(), value);
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), KeptError> {
        self.0.lock().unwrap().remove(name);
        Ok(())
    }
}
