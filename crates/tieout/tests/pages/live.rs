//! A service at work beside a sandbox: what people do on its pages has the effect that it has in a company.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tieout::commands::init;
use tieout::home::{CONFIG, Home, KEY, Place};
use tieout::sandbox::{Panel, Sandbox, SandboxOptions};
use tieout::serve::Service;
use tieout_domain::ConnectionName;
use tieout_server::people::Role;
use tieout_store::{ConnectionStore, KeySource, NewUser};

use crate::browser::Browser;
use crate::house::{self, PASSWORD, sign_in};

/// So often, and so long between, it is looked whether a run has ended.
const LOOKS: u32 = 1200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// A home without a connection, and the service over it.
pub(crate) struct Live {
    pub(crate) panel: Panel,
    pub(crate) base: String,
    pub(crate) home: Home,
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: tempfile::TempDir,
    service: Arc<Service>,
}

impl Live {
    /// A world, a home whose configuration knows only where the stand-ins are, and one administrator: `casey`.
    async fn new(world: &SandboxOptions) -> Self {
        let sandbox = Sandbox::start(world).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let configuration = configuration(&sandbox.description);
        std::fs::write(folder.path().join(CONFIG), configuration).unwrap();
        let key = folder.path().join(KEY);
        init::create(folder.path(), &KeySource::File(key))
            .await
            .unwrap();
        let home = open(&folder).await;
        let casey = NewUser {
            name: "casey".to_owned(),
            display: "casey".to_owned(),
            mail: String::new(),
            role: Role::Admin,
            subject: None,
            until: None,
            tenants: Vec::new(),
        };
        let password = home.store.hash_password("casey", &PASSWORD.into()).unwrap();
        let people = home.store.people();
        people
            .add(&casey, Some(&password), "user:test")
            .await
            .unwrap();
        let service = Service::new(open(&folder).await).await.unwrap();
        let router = service.router();
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let runs = Arc::clone(&service);
        tokio::spawn(async move { runs.scheduler.work(runs.clone(), Duration::ZERO).await });
        Self {
            panel: Panel::new(&sandbox.description).unwrap(),
            base,
            home,
            sandbox,
            folder,
            service,
        }
    }

    /// A small world that buys, and a browser in which `casey` has signed in; nothing where there is no browser.
    pub(crate) async fn arrived() -> Option<(Self, Browser)> {
        let world = SandboxOptions {
            bills: Some(60),
            vendors: Some(20),
            ..SandboxOptions::default()
        };
        Self::arrived_in(&world).await
    }

    /// The same in another world.
    pub(crate) async fn arrived_in(world: &SandboxOptions) -> Option<(Self, Browser)> {
        let browser = Browser::start().await?;
        let live = Self::new(world).await;
        browser.look(1280, false).await;
        sign_in(&browser, &live.base, "casey").await;
        Some((live, browser))
    }

    /// Keeps what the browser shows as a picture, wide, narrow, light and dark.
    pub(crate) async fn keep(&self, name: &str, browser: &Browser) {
        house::keep(name, browser).await;
    }

    /// What the sandbox gave for a side.
    pub(crate) fn given(&self, system: &str, key: &str) -> Value {
        self.sandbox.description[system][key].clone()
    }

    pub(crate) async fn go(&self, browser: &Browser, path: &str) {
        browser.go(&format!("{}{path}", self.base)).await;
    }

    /// A person in NetSuite does something.
    pub(crate) async fn in_netsuite(&self, path: &str, body: Value) -> Value {
        let path = format!("/control/netsuite/{path}");
        self.panel.post(&path, &body.to_string()).await.unwrap()
    }

    pub(crate) async fn state(&self) -> Value {
        self.panel.get("/control/state").await.unwrap()
    }

    pub(crate) fn store(&self) -> ConnectionStore {
        let name: ConnectionName = "acme-us".parse().unwrap();
        self.home.store.connection(&name)
    }

    /// Waits until so many runs have ended, and gives how the last one did.
    pub(crate) async fn ended(&self, runs: usize) -> String {
        for _ in 0..LOOKS {
            let all = self.store().runs(100).await.unwrap();
            let ended = all.iter().filter(|run| run.ended.is_some()).count();
            if ended >= runs {
                return all[0].status.clone();
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        panic!("the run has not ended");
    }

    /// A connection as the pages make it, by what is typed on them.
    pub(crate) async fn connect(&self, browser: &Browser, kind: &str, fields: &Value) {
        self.go(browser, "/connect").await;
        browser.type_into("#connection-name", "acme-us").await;
        browser
            .run("document.querySelector('#template').value = 'sandbox'")
            .await;
        browser.press("form[action='/connect'] button").await;
        let account = self.given("netsuite", "account");
        browser
            .type_into("#netsuite-account", account.as_str().unwrap())
            .await;
        browser
            .press("#netsuite form[action$='/settings'] button")
            .await;
        self.enter(browser, "netsuite", kind, fields).await;
        let subsidiary = self.given("netsuite", "subsidiary");
        let choose = format!("document.querySelector('#netsuite-subsidiary').value = {subsidiary}");
        browser.run(&choose).await;
        browser
            .press("#netsuite form[action$='/choose'] button")
            .await;
        let organization = self.given("bill", "organization");
        browser
            .type_into("#bill-organization", organization.as_str().unwrap())
            .await;
        browser.type_into("#bill-environment", "sandbox").await;
        browser
            .press("#bill form[action$='/settings'] button")
            .await;
        self.enter(browser, "bill", "bill", &self.given("bill", "bill"))
            .await;
        browser.press("form[action$='/store'] button").await;
        assert!(browser.text().await.contains("Stored and paused"));
    }

    /// Preferences and mappings of a connection that is not live yet.
    pub(crate) async fn decide(&self, browser: &Browser) {
        let answers = "document.getElementById('transactions.payment_account').value = '1090'; \
                       document.getElementById('lists.create_missing').value = 'true';";
        browser.run(answers).await;
        browser.press("form.preferences button").await;
        let text = browser.text().await;
        assert!(text.contains("2 preferences are changed"), "{text}");
        browser
            .press("form[action='/mappings/acme-us/propose'] button")
            .await;
        for kind in ["account", "department", "class", "location"] {
            self.go(browser, &format!("/mappings/acme-us?kind={kind}"))
                .await;
            let suggested = browser
                .run("return document.querySelector('input[name=all]') !== null")
                .await;
            if suggested == json!(true) {
                browser.press("input[name=all]").await;
                browser.press("form#confirm button").await;
                browser
                    .press("form[action='/mappings/acme-us/confirm'] button")
                    .await;
            }
        }
    }

    /// Lets a connection go live.
    pub(crate) async fn go_live(&self, browser: &Browser) {
        self.go(browser, "/connect/acme-us").await;
        browser.press("main > details.act > summary").await;
        browser.press("form[action$='/live'] button").await;
    }

    /// Types a credential's fields and sends them.
    pub(crate) async fn enter(&self, browser: &Browser, system: &str, kind: &str, fields: &Value) {
        let form = format!(
            "form:has(> input[value='{kind}']):has(#{kind}-{})",
            first(fields)
        );
        // Whichever kind it is: its fields may be folded.
        let unfold = format!("#{system} details");
        browser
            .run(&format!(
                "document.querySelectorAll({unfold:?}).forEach(it => {{ it.open = true; }})"
            ))
            .await;
        for (name, value) in fields.as_object().unwrap() {
            browser
                .fill(&format!("#{kind}-{name}"), value.as_str().unwrap())
                .await;
        }
        browser.press(&format!("{form} button")).await;
    }
}

fn first(fields: &Value) -> &str {
    fields.as_object().unwrap().keys().next().unwrap()
}

impl Drop for Live {
    fn drop(&mut self) {
        self.service.scheduler.drain();
    }
}

async fn open(folder: &tempfile::TempDir) -> Home {
    let place = Place {
        home: Some(folder.path().to_owned()),
        key_file: Some(folder.path().join(KEY)),
    };
    Home::open(&place).await.unwrap()
}

/// A template for each pair with the stand-ins' addresses: those are set in the file alone.
fn configuration(sandbox: &Value) -> String {
    let address = |system: &str, key: &str| json!(sandbox[system][key]).to_string();
    format!(
        "[templates.sandbox]\npair = \"netsuite-bill\"\nschedule = \"never\"\n\
         [templates.sandbox.netsuite]\nbase_url = {}\nsettle = \"1 second\"\n\
         [templates.sandbox.bill]\nbase_url = {}\nevents_url = {}\nsettle = \"1 second\"\n\
         [templates.payouts]\npair = \"netsuite-alternative-payments\"\nschedule = \"never\"\n\
         [templates.payouts.netsuite]\nbase_url = {}\nsettle = \"1 second\"\n\
         [templates.payouts.alternative-payments]\nbase_url = {}\ncapabilities = \"all\"\nsettle = \"1 second\"\n",
        address("netsuite", "base_url"),
        address("bill", "base_url"),
        address("bill", "events_url"),
        address("netsuite", "base_url"),
        address("alternative-payments", "base_url"),
    )
}
