//! A home with two connections to one sandbox account: `demo` signs in with a certificate, `tba` with a token.

use serde::Deserialize;
use serde_json::{Value, json};
use tieout::assemble::Shared;
use tieout::commands::{demo, doctor};
use tieout::failure::Exit;
use tieout::home::{CONFIG, Home, KEY, Place};
use tieout::sandbox::{Panel, Sandbox, SandboxOptions};

use super::table::Trouble;
use crate::stage::options;

/// A check, as scripts see it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    pub(super) connection: String,
    pub(super) code: String,
    pub(super) status: String,
    pub(super) cause: String,
    pub(super) fix: String,
    pub(super) who: String,
}

/// All checks of one run.
#[derive(Debug, Clone)]
pub(super) struct Found(pub(super) Vec<Told>);

impl Found {
    /// Those that are failed; where none is, those that warn.
    pub(super) fn bad(&self) -> impl Iterator<Item = &Told> {
        let failed = self.0.iter().any(|check| check.status == "failed");
        let wanted = if failed { "failed" } else { "warning" };
        self.0.iter().filter(move |check| check.status == wanted)
    }
}

pub(super) struct Bench {
    pub(super) panel: Panel,
    folder: tempfile::TempDir,
    sandbox: Sandbox,
}

const KINDS: [(&str, &str, &str); 3] = [
    ("demo-netsuite", "netsuite", "netsuite-m2m"),
    ("demo-tba", "netsuite", "netsuite-tba"),
    ("demo-bill", "bill", "bill"),
];

impl Bench {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(&SandboxOptions {
            bills: Some(5),
            vendors: Some(3),
            ..options()
        })
        .await
        .unwrap();
        demo::set_up(folder.path(), &sandbox.description)
            .await
            .unwrap();
        let bench = Self {
            panel: Panel::new(&sandbox.description).unwrap(),
            folder,
            sandbox,
        };
        bench.restore("demo-tba").await;
        bench.append_connection("tba", "demo-tba").await;
        bench
    }

    pub(super) fn address(&self, system: &str) -> String {
        self.sandbox.description[system]["base_url"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn home(&self) -> Home {
        let place = Place {
            home: Some(self.folder.path().to_owned()),
            key_file: Some(self.folder.path().join(KEY)),
        };
        Home::open(&place).await.unwrap()
    }

    pub(super) async fn doctor(&self, names: &[&str]) -> (Exit, Found) {
        self.doctor_with(names, None).await
    }

    pub(super) async fn doctor_with(&self, names: &[&str], auditor: Option<&str>) -> (Exit, Found) {
        let shared = Shared::new().unwrap();
        self.doctor_among(&shared, names, auditor).await
    }

    /// As a new process would.
    pub(super) async fn doctor_among(
        &self,
        shared: &Shared,
        names: &[&str],
        auditor: Option<&str>,
    ) -> (Exit, Found) {
        let home = self.home().await;
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let examined = doctor::examine(&home, shared, &names, auditor)
            .await
            .unwrap();
        let document = doctor::document(&examined);
        let checks = serde_json::from_value(document["checks"].clone()).unwrap();
        (doctor::exit(&examined), Found(checks))
    }

    pub(super) async fn assert_well(&self, when: &str) {
        let (exit, found) = self.doctor(&[]).await;
        assert_eq!(exit, Exit::Done, "{when}: {found:#?}");
        assert_eq!(found.bad().count(), 0, "{when}: {found:#?}");
    }

    pub(super) async fn make(&self, trouble: &Trouble) {
        match trouble {
            Trouble::Panel(steps, _) => self.steps(steps).await,
            Trouble::Fault(fault) => {
                let body = fault.to_string();
                self.panel.post("/control/faults", &body).await.unwrap();
            }
            Trouble::Config(from, to) => self.edit(from, to).await,
            Trouble::Credential(name, field, value) => self.set(name, field, value).await,
            Trouble::Document(record, fields) => {
                let path = format!("/control/netsuite/{record}");
                self.panel.post(&path, &fields.to_string()).await.unwrap();
            }
        }
    }

    pub(super) async fn undo(&self, trouble: &Trouble) {
        match trouble {
            Trouble::Panel(_, steps) => self.steps(steps).await,
            Trouble::Fault(_) => {
                self.panel.delete("/control/faults").await.unwrap();
            }
            Trouble::Config(from, to) => self.edit(to, from).await,
            Trouble::Credential(name, ..) => self.restore(name).await,
            Trouble::Document(record, _) => {
                let query = json!({"q": "SELECT MAX(id) AS id FROM transaction"}).to_string();
                let path = "/control/netsuite/query";
                let answer = self.panel.post(path, &query).await.unwrap();
                let id = answer["items"][0]["id"].as_str().unwrap();
                let path = format!("/control/netsuite/{record}/{id}");
                let body = json!({"action": "delete"}).to_string();
                self.panel.post(&path, &body).await.unwrap();
            }
        }
    }

    /// A vendor that has bills in the connection's subsidiary.
    pub(super) async fn vendor(&self) -> String {
        let sql = "SELECT MIN(t.entity) AS id FROM transaction t \
                   JOIN transactionline l ON l.transaction = t.id \
                   WHERE t.type = 'VendBill' AND l.subsidiary = 3";
        let query = json!({ "q": sql }).to_string();
        let path = "/control/netsuite/query";
        let answer = self.panel.post(path, &query).await.unwrap();
        answer["items"][0]["id"].as_str().unwrap().to_owned()
    }

    async fn steps(&self, steps: &[(&str, Value)]) {
        for (path, body) in steps {
            let path = format!("/control/{path}");
            self.panel.post(&path, &body.to_string()).await.unwrap();
        }
    }

    /// Changes the configuration.
    pub(super) async fn edit(&self, from: &str, to: &str) {
        let path = self.folder.path().join(CONFIG);
        let text = tokio::fs::read_to_string(&path).await.unwrap();
        assert!(text.contains(from), "{from} in {text}");
        tokio::fs::write(&path, text.replacen(from, to, 1))
            .await
            .unwrap();
    }

    /// One more connection to the same two accounts.
    pub(super) async fn append_connection(&self, name: &str, credential: &str) {
        let path = self.folder.path().join(CONFIG);
        let text = tokio::fs::read_to_string(&path).await.unwrap();
        let first = &text[text.find("[connections.acme-us]").unwrap()..];
        let first = first
            .split("\n[connections.acme-us.preferences")
            .next()
            .unwrap();
        let more = first
            .replace("connections.acme-us", &format!("connections.{name}"))
            .replace("demo-netsuite", credential);
        tokio::fs::write(&path, format!("{text}\n{more}\n"))
            .await
            .unwrap();
    }

    /// Takes the connection away that signs in with a certificate.
    pub(super) async fn forget_witness(&self) {
        let path = self.folder.path().join(CONFIG);
        let text = tokio::fs::read_to_string(&path).await.unwrap();
        let rest = &text[text.find("[connections.tba]").unwrap()..];
        tokio::fs::write(&path, rest).await.unwrap();
    }

    /// Changes a field of a credential.
    pub(super) async fn set(&self, name: &str, field: &str, value: &str) {
        let (_, system, kind) = KINDS.into_iter().find(|row| row.0 == name).unwrap();
        let mut fields = self.sandbox.description[system][kind].clone();
        if !field.is_empty() {
            fields[field] = value.into();
        }
        let home = self.home().await;
        let vault = home.vault().await.unwrap();
        let credentials = home.store.credentials();
        credentials
            .set(&vault, name, kind, fields.to_string().into(), "test")
            .await
            .unwrap();
    }

    /// The credential as the sandbox gave it out.
    pub(super) async fn restore(&self, name: &str) {
        self.set(name, "", "").await;
    }
}
