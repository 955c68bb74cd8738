//! Many entities: connected from one file, checked in bulk, and restarted together without using up what they share.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tieout::sandbox::Panel;

use super::{Connectable, connectable_to};

/// Connections of the test: organizations on one developer key.
const COUNT: usize = 100;

/// So many of them are also synced.
const SYNCED: usize = 8;

struct Many {
    world: Connectable,
    panel: Panel,
    organizations: Vec<String>,
}

impl Many {
    /// A home with a template and two shared credentials, and so many organizations beside the first.
    async fn new(count: usize) -> Self {
        let mut world = connectable_to(8, 16).await;
        let panel = Panel::new(&world.sandbox.description).unwrap();
        let body = json!({"count": count - 1}).to_string();
        let made = panel
            .post("/control/bill/organizations", &body)
            .await
            .unwrap();
        let told = world.sandbox.description.clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut organizations = vec![text(&told["bill"]["organization"])];
        organizations.extend(made["organizations"].as_array().unwrap().iter().map(text));
        world.machine.environment.clear();
        let template = format!(
            "{}\n[templates.entity]\npair = \"netsuite-bill\"\n\
             netsuite = {{ account = {}, credential = \"n\", base_url = {}, settle = \"1 second\" }}\n\
             bill = {{ environment = \"sandbox\", credential = \"b\", base_url = {}, settle = \"1 second\" }}\n\
             [templates.entity.preferences.lists]\ncreate_missing = true\n",
            world.config(),
            told["netsuite"]["account"],
            told["netsuite"]["base_url"],
            told["bill"]["base_url"]
        );
        world.machine.write_config(&template);
        for (name, system, kind) in [("n", "netsuite", "netsuite-m2m"), ("b", "bill", "bill")] {
            let fields = told[system][kind].to_string();
            let args = ["credentials", "set", name, "--kind", kind];
            tokio::task::block_in_place(|| world.machine.tieout_reading(&args, &fields))
                .went_well();
        }
        Self {
            world,
            panel,
            organizations,
        }
    }

    /// The file of all entities.
    fn file(&self) -> String {
        let subsidiary = self.world.sandbox.description["netsuite"]["subsidiary"]
            .as_str()
            .unwrap();
        let mut text = "name,template,subsidiary,organization\n".to_owned();
        for (number, organization) in self.organizations.iter().enumerate() {
            text.push_str(&format!(
                "e{number:03},entity,{subsidiary},{organization}\n"
            ));
        }
        let file = self.world.machine.folder.path().join("entities.csv");
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    fn started(&self, args: &[&str]) -> Child {
        let machine = &self.world.machine;
        Command::new(env!("CARGO_BIN_EXE_tieout"))
            .args(args)
            .env_clear()
            .env("HOME", machine.folder.path())
            .env("TIEOUT_HOME", machine.home())
            .env("USER", "tester")
            .envs(machine.store_environment())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Starts a command, and kills it where it stands once so many calls have written something.
    async fn killed_at(&self, args: &[&str], writes: u64) {
        let mut child = self.started(args);
        loop {
            let calls = self.panel.get("/control/calls").await.unwrap();
            let paths = calls["bill"]["by_path"].as_object().unwrap();
            let made = paths
                .iter()
                .filter(|(path, _)| path.starts_with("POST /v3/") && !path.ends_with("login"));
            if made.filter_map(|(_, count)| count.as_u64()).sum::<u64>() >= writes {
                break;
            }
            assert_eq!(
                child.try_wait().unwrap(),
                None,
                "{args:?} ended before it was killed: {calls}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts a command, and kills it where it stands once it has said so many lines.
    fn killed_after(&self, args: &[&str], lines: usize) {
        let mut child = self.started(args);
        let mut out = child.stdout.take().unwrap();
        let (mut byte, mut said) = ([0], 0);
        while said < lines && out.read(&mut byte).unwrap() == 1 {
            said += usize::from(byte[0] == b'\n');
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(said, lines, "{args:?} ended before it was killed");
    }

    async fn logins(&self) -> u64 {
        let calls = self.panel.get("/control/calls").await.unwrap();
        assert_eq!(calls["bill"]["refused"], 0, "{calls}");
        assert_eq!(calls["netsuite"]["refused"], 0, "{calls}");
        calls["bill"]["by_path"]["POST /v3/login"]
            .as_u64()
            .unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s229_a_hundred_connections_on_one_developer_key_are_restarted_and_lose_nothing() {
    let many = Many::new(COUNT).await;
    let file = many.file();
    let args = ["connect", "--all", "--no-check", "--from", &file];
    let done = many.world.tieout(&args).await.went_well();
    assert!(done.err.contains("100 of 100 connected"), "{}", done.err);

    // All of them at once, killed wherever they are, again and again.
    for lines in [10, 60, 120] {
        tokio::task::block_in_place(|| many.killed_after(&["ping"], lines));
    }
    let done = many.world.tieout(&["ping", "--json"]).await.went_well();
    let pings = done.json()["pings"].as_array().unwrap().clone();
    assert_eq!(pings.len(), 2 * COUNT);
    let names: Vec<_> = pings
        .iter()
        .map(|ping| ping["connection"].clone())
        .collect();
    assert!(names.is_sorted_by_key(|name| name.to_string()), "{names:?}");
    let logins = many.logins().await;
    assert!((100..=110).contains(&logins), "{logins}");

    // The same with runs that write: what was begun is found, and nothing is made twice.
    let names: Vec<_> = (0..SYNCED).map(|number| format!("e{number:03}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    for name in &names {
        let map = ["map", "suggest", name, "--confirm-exact"];
        many.world.tieout(&map).await.went_well();
    }
    let sync = [&["sync", "--quiet"], &names[..]].concat();
    for writes in [2, 12] {
        many.killed_at(&sync, writes).await;
    }
    let sync = [&["sync", "--json"], &names[..]].concat();
    let done = many.world.tieout(&sync).await;
    assert!([0, 3].contains(&done.status), "{}{}", done.out, done.err);
    assert_eq!(done.json()["runs"].as_array().unwrap().len(), SYNCED);
    let state = many.panel.get("/control/state").await.unwrap();
    let others = state["bill"]["organizations"].as_array().unwrap();
    let held = |other: &Value| format!("{} bills, {} vendors", other["bills"], other["vendors"]);
    let counts: BTreeSet<String> = others[..SYNCED - 1].iter().map(held).collect();
    assert_eq!(counts.len(), 1, "each has the same: {counts:?}");
    assert_ne!(
        counts.first(),
        Some(&held(&others[SYNCED])),
        "and more than before"
    );
    let logins = many.logins().await;
    assert!(logins <= 110, "{logins}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s229_rows_rest_on_a_template_and_are_checked_in_bulk() {
    let many = Many::new(5).await;
    let file = many.file();
    let wrong = std::fs::read_to_string(&file).unwrap() + "wrong,entity,3,00800000000000000000\n";
    std::fs::write(&file, wrong).unwrap();
    let args = ["connect", "--all", "--from", &file];
    let done = many.world.tieout(&args).await;
    done.failed(4, &["5 of 6 connected"]);
    let config = many.world.config();
    assert!(
        config.contains("[connections.e004]\ntemplate = \"entity\""),
        "{config}"
    );
    assert!(!config.contains("wrong"), "{config}");
    let done = many.world.tieout(&["doctor", "--json"]).await.went_well();
    let checks = done.json()["checks"].as_array().unwrap().clone();
    let mut names: Vec<_> = checks
        .iter()
        .map(|check| check["connection"].to_string())
        .collect();
    names.dedup();
    assert_eq!(names.len(), 5, "in order: {names:?}");
    let done = many.world.tieout(&["credentials", "check", "--json"]).await;
    let told = done.went_well().json();
    for credential in told["credentials"].as_array().unwrap() {
        assert_eq!(
            credential["connections"].as_array().unwrap().len(),
            5,
            "{told}"
        );
    }
    // A template that the file brings along is taken into the configuration.
    let toml = many.world.machine.folder.path().join("more.toml");
    let organization = many.organizations[0].as_str();
    let text = format!(
        "[templates.other]\npair = \"netsuite-bill\"\n\
         netsuite = {{ account = {0}, credential = \"n\", base_url = {1}, subsidiary = \"3\" }}\n\
         bill = {{ environment = \"sandbox\", credential = \"b\", base_url = {2} }}\n\
         [connections.more]\ntemplate = \"other\"\nbill = {{ organization = \"{organization}\" }}\n",
        many.world.sandbox.description["netsuite"]["account"],
        many.world.sandbox.description["netsuite"]["base_url"],
        many.world.sandbox.description["bill"]["base_url"],
    );
    std::fs::write(&toml, text).unwrap();
    let args = ["connect", "--all", "--from", toml.to_str().unwrap()];
    many.world.tieout(&args).await.went_well();
    many.world.tieout(&["ping", "more"]).await.went_well();
}
