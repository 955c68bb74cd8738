//! A new user's first hour: `connect --guided`, answered by somebody who knows nothing but what is on the
//! screen and the credentials that the two services gave.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tieout::sandbox::{Panel, Sandbox};

use super::{Connectable, Done, Machine, connectable};

/// Answers the last question on the screen; `None` goes away.
type Answers<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Starts the command and answers each question as it comes. Gives all that was on the screen.
fn talk(machine: &Machine, args: &[&str], answers: Answers<'_>) -> (i32, String) {
    let mut child: Child = Command::new(env!("CARGO_BIN_EXE_tieout"))
        .args(args)
        .env_clear()
        .env("HOME", machine.folder.path())
        .env("TIEOUT_HOME", machine.home())
        .env("USER", "tester")
        .envs(&machine.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take();
    let mut screen = Vec::new();
    let mut asked = 0;
    let mut error = child.stderr.take().unwrap();
    let mut byte = [0];
    while error.read(&mut byte).unwrap() == 1 {
        screen.push(byte[0]);
        if !screen.ends_with(b"\n> ") {
            continue;
        }
        let text = String::from_utf8_lossy(&screen[asked..]).into_owned();
        asked = screen.len();
        match answers(&text) {
            Some(answer) => {
                let _ = writeln!(input.as_mut().unwrap(), "{answer}");
            }
            None => input = None,
        }
    }
    let mut out = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    let status = child.wait().unwrap().code().unwrap();
    (status, format!("{}{out}", String::from_utf8_lossy(&screen)))
}

/// What the services gave, by the words that are asked with.
fn given(world: &Connectable) -> Vec<(&'static str, String)> {
    let told = &world.sandbox.description;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let key = world.machine.folder.path().join("key.pem");
    std::fs::write(
        &key,
        text(&told["netsuite"]["netsuite-m2m"]["private_key_pem"]),
    )
    .unwrap();
    let account = text(&told["netsuite"]["account"])
        .to_lowercase()
        .replace('_', "-");
    vec![
        (
            "Account ID",
            format!("https://{account}.app.netsuite.com/app/center/card.nl"),
        ),
        ("Which kind of credential", "netsuite-m2m".to_owned()),
        (
            "Client ID",
            text(&told["netsuite"]["netsuite-m2m"]["client_id"]),
        ),
        (
            "Certificate ID",
            text(&told["netsuite"]["netsuite-m2m"]["certificate_id"]),
        ),
        ("Private key", key.display().to_string()),
        ("Organization ID", text(&told["bill"]["organization"])),
        ("Environment", "sandbox".to_owned()),
        ("Developer key", text(&told["bill"]["bill"]["dev_key"])),
        ("User name", text(&told["bill"]["bill"]["username"])),
        ("Password", text(&told["bill"]["bill"]["password"])),
    ]
}

/// A world whose machine knows nothing but where the stand-ins are.
async fn bare() -> (Connectable, Vec<(&'static str, String)>, Vec<String>) {
    let mut world = connectable().await;
    let addresses = |world: &Connectable, name: &str| world.machine.environment[name].clone();
    let sets = vec![
        format!(
            "netsuite.base_url={}",
            addresses(&world, "TIEOUT_NETSUITE_BASE_URL")
        ),
        format!(
            "bill.base_url={}",
            addresses(&world, "TIEOUT_BILL_BASE_URL")
        ),
    ];
    world.machine.environment.clear();
    let given = given(&world);
    (world, given, sets)
}

/// The line before the prompt that asks.
fn question(text: &str) -> &str {
    text.trim_end_matches("> ")
        .trim_end()
        .lines()
        .last()
        .unwrap_or_default()
}

/// The id of what the screen lists under this name.
fn listed<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text
        .lines()
        .find(|line| line.contains(" = ") && line.ends_with(name))?;
    Some(line.trim().split(" = ").next()?.trim())
}

fn answer(given: &[(&'static str, String)], subsidiary: &str, text: &str) -> Option<String> {
    let question = question(text);
    if question.starts_with("Which subsidiary") {
        return listed(text, subsidiary).map(str::to_owned);
    }
    if question.contains("posted from") {
        // A number from the list of bank accounts above.
        let line = text
            .lines()
            .find(|line| line.contains("learing") && line.contains("internal id"))?;
        return Some(line.split_whitespace().next()?.to_owned());
    }
    if question.starts_with("Should accounts and dimensions") {
        return Some("true".to_owned());
    }
    let known = given.iter().find(|(label, _)| question.starts_with(label));
    Some(known.map(|(_, value)| value.clone()).unwrap_or_default())
}

async fn writes(sandbox: &Sandbox) -> Value {
    let panel = Panel::new(&sandbox.description).unwrap();
    panel.get("/control/state").await.unwrap()
}

async fn control(sandbox: &Sandbox, path: &str, body: Value) -> Value {
    let panel = Panel::new(&sandbox.description).unwrap();
    panel
        .post(&format!("/control/{path}"), &body.to_string())
        .await
        .unwrap()
}

/// What the subsidiary of the sandbox is called, as the screen will show it.
async fn subsidiary_name(world: &Connectable) -> String {
    let id = world.sandbox.description["netsuite"]["subsidiary"]
        .as_str()
        .unwrap();
    let sql = format!("SELECT name FROM subsidiary WHERE id = {id}");
    let found = control(&world.sandbox, "netsuite/query", json!({ "q": sql })).await;
    let text = found.to_string();
    let name = text.split("\"name\":\"").nth(1).unwrap();
    name.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn s202_s228_a_new_user_gets_to_a_first_plan_by_reading_only_the_screen() {
    let (world, given, sets) = bare().await;
    let subsidiary = subsidiary_name(&world).await;
    let before = (world.config(), writes(&world.sandbox).await);
    let args = [
        "connect", "acme-us", "--guided", "--set", &sets[0], "--set", &sets[1],
    ];
    let (status, screen) = tokio::task::block_in_place(|| {
        talk(&world.machine, &args, &|text| {
            answer(&given, &subsidiary, text)
        })
    });
    assert_eq!(status, 0, "{screen}");
    for number in 1..=9 {
        assert!(
            screen.contains(&format!("Step {number} of 9")),
            "{number}: {screen}"
        );
    }
    // The account in both forms, and the plan before anything is stored.
    let account = world.sandbox.description["netsuite"]["account"]
        .as_str()
        .unwrap();
    assert!(
        screen.contains(&format!("account ID: {account}")),
        "{screen}"
    );
    assert!(
        screen.contains("writes") && screen.contains("what to do next"),
        "{screen}"
    );
    assert!(
        world.config().starts_with(&before.0) && world.config().contains("[connections.acme-us")
    );
    assert_eq!(
        writes(&world.sandbox).await,
        before.1,
        "nothing was written to either side"
    );
    for (label, secret) in &given {
        if ["Developer key", "Password"].contains(label) {
            assert!(
                !screen.contains(secret.as_str()),
                "{label} is on the screen"
            );
            assert!(!world.config().contains(secret.as_str()));
        }
    }
    let left = std::fs::read_dir(world.machine.home()).unwrap();
    let left: Vec<_> = left
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        left.iter().all(|name| !name.starts_with("connecting-")),
        "{left:?}"
    );
    world.tieout(&["ping", "acme-us"]).await.went_well();
    let plan: Done = world.tieout(&["plan", "acme-us", "--json"]).await;
    assert!(
        !plan.went_well().json()["plans"][0]["steps"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

/// The file that the screen names after these words.
fn file_after(screen: &str, words: &str) -> String {
    let line = screen.lines().find(|line| line.contains(words));
    let (_, path) = line.unwrap().split_once(words).unwrap();
    std::fs::read_to_string(path.trim()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn s204_a_new_user_needs_no_key_of_their_own_and_may_come_back_after_the_upload() {
    let (world, given, sets) = bare().await;
    let subsidiary = subsidiary_name(&world).await;
    let args = [
        "connect", "acme-us", "--guided", "--set", &sets[0], "--set", &sets[1],
    ];
    // The person goes to NetSuite to upload the certificate.
    let (status, screen) = tokio::task::block_in_place(|| {
        talk(&world.machine, &args, &|text| match question(text) {
            asked if asked.starts_with("Private key") => Some(String::new()),
            asked if asked.starts_with("Certificate ID") => None,
            _ => answer(&given, &subsidiary, text),
        })
    });
    assert_eq!(status, 2, "{screen}");
    let certificate = file_after(&screen, "The certificate for the upload: ");
    let client_id = world.sandbox.description["netsuite"]["netsuite-m2m"]["client_id"].clone();
    let upload = json!({"action": "upload", "client_id": client_id, "certificate": certificate});
    let uploaded = control(&world.sandbox, "netsuite/certificates", upload).await;
    let id = uploaded["certificate_id"].as_str().unwrap().to_owned();
    let (status, screen) = tokio::task::block_in_place(|| {
        talk(&world.machine, &args, &|text| match question(text) {
            asked if asked.starts_with("Certificate ID") => Some(id.clone()),
            asked if asked.starts_with("Private key") || asked.starts_with("Client ID") => {
                panic!("asked again: {asked}")
            }
            _ => answer(&given, &subsidiary, text),
        })
    });
    assert_eq!(status, 0, "{screen}");
    assert_eq!(world.credentials(), ["acme-us-bill", "acme-us-netsuite"]);
    world.tieout(&["ping", "acme-us"]).await.went_well();
    let listed = world.tieout(&["credentials", "list", "--json"]).await;
    let listed = listed.went_well().json();
    let days = listed["credentials"][1]["days_left"].as_u64().unwrap();
    assert!((700..=730).contains(&days), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_connect_goes_on_where_it_was_and_keeps_no_secret() {
    let (world, given, sets) = bare().await;
    let subsidiary = subsidiary_name(&world).await;
    let before = world.config();
    let args = [
        "connect", "acme-us", "--guided", "--set", &sets[0], "--set", &sets[1],
    ];
    // The person goes away when BILL's password is asked for.
    let (status, screen) = tokio::task::block_in_place(|| {
        talk(&world.machine, &args, &|text| match question(text) {
            asked if asked.starts_with("Password") => None,
            _ => answer(&given, &subsidiary, text),
        })
    });
    assert_eq!(status, 2, "{screen}");
    assert!(screen.contains("error[connect-stopped]"), "{screen}");
    assert_eq!(world.config(), before);
    assert_eq!(world.credentials(), ["acme-us-netsuite"]);
    let kept =
        std::fs::read_to_string(world.machine.home().join("connecting-acme-us.json")).unwrap();
    let key = world.sandbox.description["bill"]["bill"]["dev_key"]
        .as_str()
        .unwrap();
    assert!(
        kept.contains("\"organization\"") && !kept.contains(key) && !kept.contains("PRIVATE"),
        "{kept}"
    );

    let (status, screen) = tokio::task::block_in_place(|| {
        talk(&world.machine, &args, &|text| {
            let asked = question(text);
            assert!(
                !asked.starts_with("Account ID") && !asked.starts_with("Client ID"),
                "asked again: {asked}"
            );
            answer(&given, &subsidiary, text)
        })
    });
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("Going on with `acme-us`"), "{screen}");
    assert_eq!(world.credentials(), ["acme-us-bill", "acme-us-netsuite"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn s210_bills_own_preferences_are_offered_and_nothing_of_them_is_dropped() {
    let (world, given, sets) = bare().await;
    let subsidiary = subsidiary_name(&world).await;
    control(
        &world.sandbox,
        "netsuite/bundle",
        json!({"action": "install", "active": false}),
    )
    .await;
    let args = [
        "connect", "acme-us", "--guided", "--set", &sets[0], "--set", &sets[1],
    ];
    let (status, screen) = tokio::task::block_in_place(|| {
        talk(&world.machine, &args, &|text| {
            answer(&given, &subsidiary, text)
        })
    });
    assert_eq!(status, 0, "{screen}");
    assert!(
        screen.contains("Bill.com Preferences (customrecord_"),
        "{screen}"
    );
    assert!(
        screen.contains("custrecord_billcom_po_prefix = PO-: not known"),
        "{screen}"
    );
    assert!(
        world.config().contains("default_department = "),
        "{}",
        world.config()
    );
    // Who set what and when is known, and an earlier version can be compared with.
    let told = world
        .tieout(&["preferences", "history", "acme-us", "--json"])
        .await
        .went_well()
        .json();
    assert_eq!(told["versions"][0]["who"], "user:tester", "{told}");
    let set = [
        "preferences",
        "set",
        "acme-us",
        "transactions.bills_from",
        "2026-01-01",
    ];
    world.tieout(&set).await.went_well();
    let args = ["preferences", "diff", "acme-us", "--version", "1", "--json"];
    let differs = world.tieout(&args).await.went_well().json();
    assert_eq!(
        differs["differences"].as_array().unwrap().len(),
        1,
        "{differs}"
    );
    assert_eq!(differs["differences"][0]["here"], "2026-01-01");
    let args = ["preferences", "diff", "acme-us", "--version", "9"];
    world.tieout(&args).await.failed(2, &["error[usage]"]);

    // The same record read again: shown, and taken over only when told to.
    let unset = [
        "preferences",
        "set",
        "acme-us",
        "miscellaneous.default_department",
        "",
    ];
    world.tieout(&unset).await.went_well();
    let args = ["preferences", "import", "acme-us", "--from-netsuite"];
    let shown = world.tieout(&args).await.went_well();
    assert!(
        shown.out.contains("nothing was changed") && shown.out.contains("po_prefix"),
        "{}",
        shown.out
    );
    let args = [
        "preferences",
        "import",
        "acme-us",
        "--from-netsuite",
        "--yes",
        "--json",
    ];
    let taken = world.tieout(&args).await.went_well().json();
    assert_eq!(
        taken["changes"][0]["key"], "miscellaneous.default_department",
        "{taken}"
    );
    let args = [
        "preferences",
        "import",
        "acme-us",
        "--from-netsuite",
        "--json",
    ];
    assert_eq!(
        world.tieout(&args).await.went_well().json()["changes"],
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s249_nothing_is_written_while_bills_own_sync_is_on() {
    let (world, given, sets) = bare().await;
    let subsidiary = subsidiary_name(&world).await;
    control(
        &world.sandbox,
        "netsuite/bundle",
        json!({"action": "install", "active": true}),
    )
    .await;
    let before = writes(&world.sandbox).await;
    let args = [
        "connect", "acme-us", "--guided", "--set", &sets[0], "--set", &sets[1],
    ];
    let (status, screen) = tokio::task::block_in_place(|| {
        talk(&world.machine, &args, &|text| {
            answer(&given, &subsidiary, text)
        })
    });
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("`acme-us` is paused"), "{screen}");
    let sync = world.tieout(&["sync", "acme-us"]).await;
    assert_eq!(sync.status, 5, "{}{}", sync.out, sync.err);
    assert_eq!(writes(&world.sandbox).await, before);
    let resume = ["resume", "acme-us", "--reason", "let it go"];
    let refused = world.tieout(&resume).await;
    refused.failed(5, &["error[other-sync-active]", "customrecord_", "fix:"]);
    let off = json!({"action": "install", "active": false});
    control(&world.sandbox, "netsuite/bundle", off).await;
    world.tieout(&resume).await.went_well();
}

#[tokio::test(flavor = "multi_thread")]
async fn s249_a_script_connects_nothing_beside_bills_own_sync() {
    let world = connectable().await;
    let on = json!({"action": "install", "active": true});
    control(&world.sandbox, "netsuite/bundle", on).await;
    let before = world.config();
    let refused = world.tieout(&["connect", "acme-us"]).await;
    refused.failed(5, &["error[other-sync-active]", "nothing was stored"]);
    assert_eq!(world.config(), before);
    assert!(world.credentials().is_empty());
    let gone = json!({"action": "uninstall"});
    control(&world.sandbox, "netsuite/bundle", gone).await;
    world.tieout(&["connect", "acme-us"]).await.went_well();
}

#[tokio::test(flavor = "multi_thread")]
async fn s229_many_are_connected_from_one_file_and_one_that_fails_stops_no_other() {
    let world = connectable().await;
    let table = |organization: &str| json!({"bill": {"organization": organization}});
    let organization = world.sandbox.description["bill"]["organization"]
        .as_str()
        .unwrap();
    let file = world.machine.folder.path().join("entities.json");
    let all = json!({"connections": {"a-wrong": table("00800000000000000000"), "b-right": table(organization)}});
    std::fs::write(&file, all.to_string()).unwrap();
    let args = ["connect", "--all", "--from", file.to_str().unwrap()];
    let done = world.tieout(&args).await;
    done.failed(4, &["1 of 2 connected"]);
    assert!(world.config().contains("[connections.b-right") && !world.config().contains("a-wrong"));
}
