//! A sandbox, a home, and a connection between them.

use serde_json::{Value, json};
use tieout::cli::Global;
use tieout::commands::{demo, sync};
use tieout::home::Home;
use tieout::sandbox::{Panel, Sandbox, SandboxOptions};
use tieout_domain::{Document, Kind, RecordRef, RemoteId, Side, State};
use tieout_engine::{Connection, Plan, RunOptions, RunReport, mapping};
use tieout_store::testing::TestStore;
use tieout_store::{Item, Mirrored};

/// A stage.
pub(crate) struct Stage {
    pub(crate) panel: Panel,
    pub(crate) home: Home,
    pub(crate) connection: Connection,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) sandbox: Sandbox,
    /// Where the store lies, if not in the folder.
    database: TestStore,
}

/// The sealed credentials of the connection of payables.
const PAYABLES: [(&str, &str, &str); 2] = [
    ("netsuite", "demo-netsuite", "netsuite-m2m"),
    ("bill", "demo-bill", "bill"),
];

impl Stage {
    /// A small world, mapped and not yet synced.
    pub(crate) async fn new() -> Self {
        Self::with(SandboxOptions {
            bills: Some(60),
            vendors: Some(20),
            ..options()
        })
        .await
    }

    /// A bare world: accounts only.
    pub(crate) async fn bare() -> Self {
        Self::with(SandboxOptions {
            empty: true,
            ..options()
        })
        .await
    }

    pub(crate) async fn with(options: SandboxOptions) -> Self {
        let stage = Self::set_up(options).await;
        mapping::propose(&stage.connection, true, &sync::run_id())
            .await
            .unwrap();
        stage
    }

    async fn set_up(options: SandboxOptions) -> Self {
        let sandbox = Sandbox::start(&options).await.unwrap();
        let configuration = demo::configuration(&sandbox.description);
        Self::over(sandbox, &configuration, &PAYABLES).await
    }

    /// A home with this configuration on the sandbox, and its only connection.
    async fn over(
        sandbox: Sandbox,
        configuration: &str,
        credentials: &[(&str, &str, &str)],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = TestStore::new();
        let text = database.table() + configuration;
        let home = demo::set_up_with(folder.path(), &sandbox.description, &text, credentials)
            .await
            .unwrap();
        let panel = Panel::new(&sandbox.description).unwrap();
        let connection = connect(&home).await;
        Self {
            panel,
            home,
            connection,
            folder,
            sandbox,
            database,
        }
    }

    /// Whether the store is a file; a test of what is done to files has nothing to look at otherwise.
    pub(crate) fn has_file(&self) -> bool {
        let is_file = !self.database.is_on_server();
        if !is_file {
            eprintln!("skipped: the store is no file");
        }
        is_file
    }

    /// The same kind of world, where the script for files is set.
    pub(crate) async fn with_files(options: SandboxOptions) -> Self {
        let mut stage = Self::with(options).await;
        let script = "pdf_script = \"customscript_tieout_files\"\n";
        stage.add_to(".netsuite]\n", script).await;
        stage
    }

    /// Adds lines to the first table of the configuration whose head ends so, as a person would.
    pub(crate) async fn add_to(&mut self, head: &str, lines: &str) {
        let path = self.folder.path().join(tieout::home::CONFIG);
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(written.contains(head), "{written}");
        let added = written.replacen(head, &format!("{head}{lines}"), 1);
        std::fs::write(&path, added).unwrap();
        self.connection = self.restarted().await;
    }

    /// A company that sells, between NetSuite and Invoiced. Nothing is written to the ledger until that is
    /// [switched on](Self::reconcile).
    pub(crate) async fn selling(options: SandboxOptions) -> Self {
        let sandbox = Sandbox::start(&SandboxOptions {
            time_zone: "America/New_York".to_owned(),
            ..options
        })
        .await
        .unwrap();
        let description = &sandbox.description;
        let text = |system: &str, key: &str| description[system][key].as_str().unwrap().to_owned();
        let configuration = format!(
            r#"[connections.demo]
pair = "netsuite-invoiced"
time_zone = "America/New_York"
[connections.demo.netsuite]
account = "{}"
subsidiary = "{}"
credential = "netsuite"
base_url = "{}"
settle = "1 second"
[connections.demo.invoiced]
environment = "sandbox"
time_zone = "America/New_York"
credential = "invoiced"
base_url = "{}"
settle = "1 second"
[connections.demo.preferences.receivables]
first_sync = "all"
deposit_accounts = ["undeposited"]
"#,
            text("netsuite", "account"),
            text("netsuite", "subsidiary"),
            text("netsuite", "base_url"),
            text("invoiced", "base_url"),
        );
        let credentials = [
            ("netsuite", "netsuite", "netsuite-m2m"),
            ("invoiced", "invoiced", "invoiced"),
        ];
        Self::over(sandbox, &configuration, &credentials).await
    }

    /// A company whose customers pay on Alternative Payments, as far as its account has been given capabilities. Every
    /// account is set up, and the ledger is written to.
    pub(crate) async fn paid_there(options: SandboxOptions, capabilities: &str) -> Self {
        let sandbox = Sandbox::start(&SandboxOptions {
            time_zone: "UTC".to_owned(),
            ..options
        })
        .await
        .unwrap();
        let description = &sandbox.description;
        let text = |system: &str, key: &str| description[system][key].as_str().unwrap().to_owned();
        let configuration = format!(
            r#"[connections.demo]
pair = "netsuite-alternative-payments"
time_zone = "UTC"
[connections.demo.netsuite]
account = "{}"
subsidiary = "{}"
credential = "netsuite"
base_url = "{}"
settle = "1 second"
[connections.demo.alternative-payments]
environment = "demo"
credential = "pay"
base_url = "{}"
settle = "1 second"
capabilities = "{capabilities}"
[connections.demo.preferences.receivables]
reconcile = true
first_sync = "all"
deposit_accounts = ["undeposited"]
bank_account = "1000"
fee_account = "6900"
clearing_account = "1200"
standalone_account = "2100"
"#,
            text("netsuite", "account"),
            text("netsuite", "subsidiary"),
            text("netsuite", "base_url"),
            text("alternative-payments", "base_url"),
        );
        let credentials = [
            ("netsuite", "netsuite", "netsuite-m2m"),
            ("alternative-payments", "pay", "alternative-payments"),
        ];
        Self::over(sandbox, &configuration, &credentials).await
    }

    /// Chooses the ledger's items for what comes from Invoiced, and lets it be written. The items must have been read.
    pub(crate) async fn reconcile(&mut self) {
        let items = self.records(Side::Ledger, Kind::Item).await;
        let named = |name: &str| {
            let item = items.iter().find(|it| it.observed.document.label() == name);
            item.unwrap_or_else(|| panic!("no item {name}"))
                .observed
                .id
                .to_string()
        };
        let receivables = &mut self.connection.preferences.receivables;
        receivables.default_item = named("Consulting hour");
        receivables.tax_item = named("Sales tax");
        receivables.discount_item = named("Discount");
        receivables.fee_item = named("Freight to customer");
        receivables.reconcile = true;
    }

    /// A small world of which nothing is mapped yet.
    pub(crate) async fn unmapped() -> Self {
        Self::set_up(SandboxOptions {
            bills: Some(60),
            vendors: Some(20),
            ..options()
        })
        .await
    }

    /// The same home, as a new process would open it.
    pub(crate) async fn restarted_home(&self) -> Home {
        self.reopened().await
    }

    /// The same home's connection, as a new process would put it together.
    pub(crate) async fn restarted(&self) -> Connection {
        connect(&self.reopened().await).await
    }

    /// The store is lost: a new one is made and given the credentials again; nothing else is left.
    pub(crate) async fn lose_store(&mut self) {
        self.remove_store().await;
        for name in self.witnesses() {
            std::fs::remove_file(name).unwrap();
        }
        if self.database.is_on_server() {
            self.database = TestStore::new();
        }
        let description = &self.sandbox.description;
        let text = self.database.table() + &demo::configuration(description);
        self.home = demo::set_up_with(self.folder.path(), description, &text, &PAYABLES)
            .await
            .unwrap();
        self.connection = connect(&self.home).await;
    }

    /// An old copy of the store takes the place of the present one.
    pub(crate) async fn put_back(&mut self, copy: &std::path::Path) {
        self.remove_store().await;
        std::fs::copy(copy, self.folder.path().join("tieout.db")).unwrap();
        self.home = self.reopened().await;
        self.connection = connect(&self.home).await;
    }

    async fn remove_store(&self) {
        self.home.store.close().await;
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if ["tieout.db", "tieout.db-wal", "tieout.db-shm"].contains(&name) {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    /// The files beside the store that tell how far each history had come.
    pub(crate) fn witnesses(&self) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == "witness"))
            .collect()
    }

    async fn reopened(&self) -> Home {
        let place = tieout::home::Place {
            home: Some(self.folder.path().to_owned()),
            key_file: Some(self.folder.path().join(tieout::home::KEY)),
        };
        Home::open(&place).await.unwrap()
    }

    pub(crate) async fn sync(&self) -> RunReport {
        let report = self.try_sync().await;
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        report
    }

    pub(crate) async fn try_sync(&self) -> RunReport {
        let options = RunOptions::new(sync::run_id(), "test");
        tieout_engine::sync(&self.connection, options)
            .await
            .unwrap()
    }

    pub(crate) async fn plan(&self) -> Plan {
        let options = RunOptions::new(sync::run_id(), "plan");
        tieout_engine::plan(&self.connection, options)
            .await
            .unwrap()
    }

    /// Nothing is left to write.
    pub(crate) async fn assert_quiet(&self) {
        let plan = self.plan().await;
        assert!(plan.steps.is_empty(), "{:#?}", plan.steps);
    }

    pub(crate) async fn fault(&self, fault: Value) {
        self.panel
            .post("/control/faults", &fault.to_string())
            .await
            .unwrap();
    }

    pub(crate) async fn no_faults(&self) {
        self.panel.delete("/control/faults").await.unwrap();
    }

    pub(crate) async fn state(&self) -> Value {
        self.panel.get("/control/state").await.unwrap()
    }

    pub(crate) async fn advance(&self, by: &str) {
        self.panel
            .post("/control/clock", &json!({"advance": by}).to_string())
            .await
            .unwrap();
    }

    /// Pays bills as a person in BILL would; gives the payments' ids.
    pub(crate) async fn pay(
        &self,
        bills: &[RemoteId],
        amount: Option<&str>,
        status: &str,
    ) -> Vec<String> {
        let amount = amount.unwrap_or("null");
        let body = format!(
            r#"{{"bills":{},"amount":{amount},"method":"ACH","status":"{status}"}}"#,
            json!(bills)
        );
        let answer = self.panel.post("/control/bill/pay", &body).await.unwrap();
        let payments = answer["payments"].as_array().unwrap();
        payments
            .iter()
            .map(|payment| {
                payment
                    .get("id")
                    .unwrap_or(payment)
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    }

    /// Moves a payment in BILL.
    pub(crate) async fn move_payment(&self, id: &str, body: Value) {
        let path = format!("/control/bill/payments/{id}");
        self.panel.post(&path, &body.to_string()).await.unwrap();
    }

    /// What a person in NetSuite does to a record.
    pub(crate) async fn in_netsuite(&self, record: &str, id: &RemoteId, body: Value) -> Value {
        let path = format!("/control/netsuite/{record}/{id}");
        self.panel.post(&path, &body.to_string()).await.unwrap()
    }

    /// All records of a side and kind, as last seen.
    pub(crate) async fn records(&self, side: Side, kind: Kind) -> Vec<Mirrored> {
        self.connection
            .store
            .records_page(side, kind, None, 100_000)
            .await
            .unwrap()
    }

    /// Ledger and platform ids of linked bills that are open on both sides, and equal.
    pub(crate) async fn open_pairs(&self) -> Vec<(RemoteId, RemoteId)> {
        let links = self
            .connection
            .store
            .links_page("bills", None, 100_000)
            .await
            .unwrap();
        let mut pairs = Vec::new();
        for link in links {
            let there = self.record(&link.target).await;
            if let Document::Bill(bill) = there.observed.document
                && bill.open.is_positive()
                && bill.open == bill.total
            {
                pairs.push((link.record.id, link.target.id));
            }
        }
        pairs
    }

    pub(crate) async fn record(&self, record: &RecordRef) -> Mirrored {
        let ids = [record.id.clone()];
        let mut found = self
            .connection
            .store
            .records(record.side, record.kind, &ids)
            .await
            .unwrap();
        found.remove(&record.id).unwrap()
    }

    pub(crate) async fn item(&self, flow: &str, record: &RecordRef) -> Item {
        let one = std::slice::from_ref(record);
        self.connection
            .store
            .items(flow, one)
            .await
            .unwrap()
            .remove(record)
            .unwrap()
    }

    /// No ledger bill has two bills on the platform, judged by what the platform itself holds.
    pub(crate) async fn assert_no_duplicates(&self) {
        let mut seen = std::collections::HashMap::new();
        for kind in [Kind::Bill, Kind::VendorCredit] {
            for record in self.records(Side::Platform, kind).await {
                let marker = match &record.observed.document {
                    Document::Bill(bill) => bill.marker.clone(),
                    Document::VendorCredit(credit) => credit.marker.clone(),
                    _ => None,
                };
                if let Some(marker) = marker {
                    let other = seen.insert(marker.clone(), record.observed.id.clone());
                    assert_eq!(other, None, "{marker} is there twice");
                }
            }
        }
    }
}

/// A world in the time zone of BILL's days: at whatever hour a test runs, both sides live on one day.
pub(crate) fn options() -> SandboxOptions {
    SandboxOptions {
        time_zone: "America/Los_Angeles".to_owned(),
        ..SandboxOptions::default()
    }
}

async fn connect(home: &Home) -> Connection {
    let global = Global {
        home: None,
        key_file: None,
        json: true,
        quiet: true,
        verbose: 0,
    };
    sync::connections(&global, home, &[])
        .await
        .unwrap()
        .pop()
        .unwrap()
}

/// How many records of a flow are in a state.
pub(crate) fn count(report: &RunReport, flow: &str, state: State) -> u64 {
    report.flows[flow].of_state(state)
}
