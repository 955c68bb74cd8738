//! A home that has synced, and its pages on a port of loopback.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tieout::seams::WallClock;
use tieout::serve::Service;
use tieout_domain::{Kind, RecordRef, Side};
use tieout_server::app::Outside;
use tieout_server::people::Role;
use tieout_server::{App, SyncAsked};
use tieout_store::NewUser;

use crate::browser::Browser;
use crate::stage::Stage;

/// Widths of a window and of a phone.
pub(crate) const WIDTHS: [(&str, u32); 2] = [("wide", 1280), ("narrow", 375)];

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Where pictures of the pages go.
pub(crate) fn pictures() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A stage with its pages.
pub(crate) struct House {
    pub(crate) stage: Stage,
    pub(crate) base: String,
    asked: Asked,
}

/// The runs that were asked for.
type Asked = Arc<Mutex<Vec<SyncAsked>>>;

impl House {
    /// A small world after a sync, some payments and one more sync, and two people who may sign in.
    pub(crate) async fn new() -> Self {
        let stage = Stage::new().await;
        stage.try_sync().await;
        let pairs = stage.open_pairs().await;
        let bills: Vec<_> = pairs.iter().take(3).map(|(_, bill)| bill.clone()).collect();
        for bill in bills {
            stage.pay(&[bill], None, "PROCESSED").await;
        }
        stage.try_sync().await;
        Self::over(stage).await
    }

    /// The pages over a stage of the caller's.
    pub(crate) async fn over(stage: Stage) -> Self {
        let asked = Asked::default();
        let base = serve(&stage, Arc::clone(&asked)).await;
        Self { stage, base, asked }
    }

    /// Every page, by a name for its picture.
    pub(crate) async fn pages(&self) -> Vec<(&'static str, String)> {
        let run = &self.stage.connection.store.runs(10).await.unwrap();
        let (run, quiet) = (run.last().unwrap(), run.first().unwrap());
        let (bill, _) = self.pair().await;
        let blocked = self.stage.connection.store.exceptions(false).await.unwrap();
        let payment = self.stage.records(Side::Platform, Kind::Payment).await;
        let payment = payment.last().unwrap().record();
        let vendor = self.stage.records(Side::Ledger, Kind::Vendor).await;
        let vendor = vendor.first().unwrap().record();
        let record = |record: &RecordRef| format!("/records/acme-us/{record}");
        let mut pages = vec![
            ("overview", "/".to_owned()),
            ("connection", "/connections/acme-us".to_owned()),
            ("payable", "/connections/acme-us/payable".to_owned()),
            ("runs", "/runs".to_owned()),
            ("run", format!("/runs/{}", run.id)),
            ("run-last", format!("/runs/{}", quiet.id)),
            ("search", "/records?q=INV".to_owned()),
            ("search-empty", "/records".to_owned()),
            ("bill", record(&bill)),
            ("blocked", record(&blocked[0].records[0])),
            ("payment", record(&payment)),
            ("vendor", record(&vendor)),
            ("audit", "/audit".to_owned()),
            ("missing", "/runs/none".to_owned()),
            ("account", "/account".to_owned()),
            ("users", "/users".to_owned()),
            ("approvals", "/approvals".to_owned()),
            ("connect", "/connect".to_owned()),
            ("plan", "/connections/acme-us/plan".to_owned()),
            (
                "renewal-begin",
                "/credentials/renewals/demo-netsuite".to_owned(),
            ),
        ];
        pages.extend(crate::deciding::pages(self).await);
        pages
    }

    /// Signs in through the page: `casey` may do everything, `robin` reviews, `val` may only look.
    pub(crate) async fn sign_in(&self, browser: &Browser, name: &str) {
        sign_in(browser, &self.base, name).await;
    }

    /// Keeps what the browser shows as a picture, in both sizes and colours.
    pub(crate) async fn keep(&self, name: &str, browser: &Browser) {
        keep(name, browser).await;
    }

    /// A bill of the ledger that is linked, and its counterpart.
    pub(crate) async fn pair(&self) -> (RecordRef, RecordRef) {
        let links = self
            .stage
            .connection
            .store
            .links_page("bills", None, 1)
            .await
            .unwrap();
        (links[0].record.clone(), links[0].target.clone())
    }

    /// What people call a record.
    pub(crate) async fn label(&self, record: &RecordRef) -> String {
        self.stage.record(record).await.observed.document.label()
    }

    /// The runs that were asked for, in their order.
    pub(crate) fn asked(&self) -> Vec<SyncAsked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Signs in through the page.
pub(crate) async fn sign_in(browser: &Browser, base: &str, name: &str) {
    browser.go(&format!("{base}/sign-in")).await;
    browser.type_into("#name", name).await;
    browser.type_into("#password", PASSWORD).await;
    browser.press("main form button").await;
    assert!(browser.text().await.contains("Overview"));
}

/// Keeps what the browser shows as a picture, in both sizes and colours.
pub(crate) async fn keep(name: &str, browser: &Browser) {
    for (word, width) in WIDTHS {
        for (scheme, dark) in [("light", false), ("dark", true)] {
            browser.look(width, dark).await;
            let file = pictures().join(format!("{name}-{word}-{scheme}.png"));
            std::fs::write(file, browser.screenshot().await).unwrap();
        }
    }
    browser.look(WIDTHS[0].1, false).await;
}

async fn serve(stage: &Stage, asked: Asked) -> String {
    let store = &stage.home.store;
    let people = [
        ("casey", Role::Admin),
        ("robin", Role::Approver),
        ("val", Role::Viewer),
    ];
    for (name, role) in people {
        let new = NewUser {
            name: name.to_owned(),
            display: name.to_owned(),
            mail: String::new(),
            role,
            subject: None,
            until: None,
            tenants: Vec::new(),
        };
        let password = store.hash_password(name, &PASSWORD.into()).unwrap();
        let added = store.people().add(&new, Some(&password), "user:test").await;
        added.unwrap();
    }
    let service = Service::new(stage.restarted_home().await).await.unwrap();
    let app = App {
        store: stage.home.store.clone(),
        program: Arc::new(program::Stand { service, asked }),
        clock: Arc::new(WallClock),
        outside: Arc::new(Outside::default()),
        counts: Arc::default(),
    };
    let router = tieout_server::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    base
}

mod program {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use async_trait::async_trait;
    use secrecy::SecretString;
    use serde_json::Value;
    use tieout::serve::Service;
    use tieout_desk::DeskError;
    use tieout_desk::preferences::Standing;
    use tieout_desk::tie_out::{Made, Scope};
    use tieout_domain::check::Check;
    use tieout_domain::{ConnectionName, RecordRef};
    use tieout_engine::Plan;
    use tieout_server::program::{
        Connects, CredentialInfo, CredentialKindInfo, CredentialSet, Renews,
    };
    use tieout_server::{ConnectionInfo, Program, SyncAsked};

    /// The program as it is, but for runs: they are only noted down.
    pub(super) struct Stand {
        pub(super) service: Arc<Service>,
        pub(super) asked: super::Asked,
    }

    #[async_trait]
    impl Program for Stand {
        fn connections(&self) -> Vec<ConnectionInfo> {
            self.service.connections()
        }

        async fn sync(&self, _: &ConnectionName, asked: SyncAsked) -> Result<(), DeskError> {
            self.asked.lock().unwrap().push(asked);
            Ok(())
        }

        async fn plan(&self, name: &ConnectionName, asked: SyncAsked) -> Result<Plan, DeskError> {
            self.service.plan(name, asked).await
        }

        fn preferences(&self, name: &ConnectionName) -> Result<Vec<Standing>, DeskError> {
            self.service.preferences(name)
        }

        async fn change_preferences(
            &self,
            name: &ConnectionName,
            values: BTreeMap<String, Value>,
            by: &str,
        ) -> Result<(), DeskError> {
            self.service.change_preferences(name, values, by).await
        }

        async fn credentials(&self) -> Result<Vec<CredentialInfo>, DeskError> {
            self.service.credentials().await
        }

        async fn propose_mappings(&self, name: &ConnectionName) -> Result<usize, DeskError> {
            self.service.propose_mappings(name).await
        }

        fn credential_kinds(&self) -> Vec<CredentialKindInfo> {
            self.service.credential_kinds()
        }

        async fn set_credential(
            &self,
            name: &str,
            kind: &str,
            fields: SecretString,
            by: &str,
        ) -> Result<CredentialSet, DeskError> {
            self.service.set_credential(name, kind, fields, by).await
        }

        fn connects(&self) -> Option<&dyn Connects> {
            self.service.connects()
        }

        fn renews(&self) -> Option<&dyn Renews> {
            self.service.renews()
        }

        async fn examine(&self, name: &ConnectionName) -> Result<Vec<(String, Check)>, DeskError> {
            self.service.examine(name).await
        }

        async fn tie_out(&self, name: &ConnectionName, scope: &Scope) -> Result<Made, DeskError> {
            self.service.tie_out(name, scope).await
        }

        fn address(&self, _: &ConnectionName, _: &RecordRef) -> Option<String> {
            None
        }

        async fn not_ready(&self) -> Vec<String> {
            Vec::new()
        }
    }
}
