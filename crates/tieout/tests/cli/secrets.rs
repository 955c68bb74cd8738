//! No secret anywhere: everything that is known to be one is looked for in all that the program says and
//! leaves behind. And the vault's key, which can be another at any moment.

use std::collections::HashMap;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use serde_json::Value;

use super::*;

/// A secret in every form in which it could lie about.
fn forms(secret: &str) -> Vec<String> {
    let escaped = serde_json::to_string(secret).unwrap();
    let each = |write: fn(u8) -> String| secret.bytes().map(write).collect::<String>();
    let mut forms = vec![
        secret.to_owned(),
        escaped.trim_matches('"').to_owned(),
        each(|byte| format!("{byte:02x}")),
        each(|byte| format!("{byte:02X}")),
        each(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        }),
    ];
    // Base64 has three forms, by where in the whole it begins; what stands at the seams is left out.
    for before in 0..3 {
        let text = [&b"xx"[..before], secret.as_bytes()].concat();
        for engine in [BASE64_STANDARD, BASE64_URL_SAFE] {
            let whole = engine.encode(&text);
            forms.push(whole[4..whole.len() - 4].to_owned());
        }
    }
    forms
}

/// Everything secret of the sandbox's connection and of the home.
fn known(world: &Connectable) -> Vec<String> {
    let environment = &world.machine.environment;
    let mut secrets: Vec<String> = ["TIEOUT_BILL_DEV_KEY", "TIEOUT_BILL_PASSWORD"]
        .iter()
        .map(|name| environment[*name].clone())
        .collect();
    let pem = &environment["TIEOUT_NETSUITE_PRIVATE_KEY_PEM"];
    secrets.extend(
        pem.lines()
            .filter(|line| !line.starts_with("---"))
            .map(str::to_owned),
    );
    for path in keys(&world.machine) {
        secrets.push(std::fs::read_to_string(path).unwrap().trim().to_owned());
    }
    assert!(secrets.len() > 6 && secrets.iter().all(|secret| secret.len() > 12));
    secrets
}

/// The files that hold the vault's key, or held it.
fn keys(machine: &Machine) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(machine.home()).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("tieout.key")
        })
        .collect()
}

/// Every file below a folder.
fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else {
            into.push(path);
        }
    }
}

/// How many bytes of a form are looked up at once; every form has more.
const NEEDLE: usize = 8;

fn assert_none(secrets: &[String], bytes: &[u8], place: &str) {
    let forms: Vec<String> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    let mut by_start: HashMap<&[u8], Vec<&[u8]>> = HashMap::new();
    for form in forms.iter().map(String::as_bytes) {
        by_start.entry(&form[..NEEDLE]).or_default().push(form);
    }
    for at in 0..(bytes.len() + 1).saturating_sub(NEEDLE) {
        let found = by_start.get(&bytes[at..at + NEEDLE]);
        for form in found.into_iter().flatten() {
            let around = String::from_utf8_lossy(&bytes[at.saturating_sub(300)..at]);
            assert!(
                !bytes[at..].starts_with(form),
                "a secret is in {place}, after: {around}"
            );
        }
    }
}

/// Answers that give back what was sent, as some services do.
async fn echo(panel: &Panel, world: &Connectable, service: &str, path: &str, status: u16) {
    let of = |name: &str| &world.machine.environment[name];
    let message = if service == "bill" {
        let (key, password) = (of("TIEOUT_BILL_DEV_KEY"), of("TIEOUT_BILL_PASSWORD"));
        format!("refused: devKey={key} password={password}")
    } else {
        format!("refused: {}", of("TIEOUT_NETSUITE_PRIVATE_KEY_PEM"))
    };
    let body = json!([{"code": "BDC_1119", "severity": "ERROR", "category": "REQUEST",
        "message": message, "error": message, "title": message, "detail": message}]);
    let fault = json!({"service": service, "path": path, "effect": "status", "status": status,
        "body": body});
    panel
        .post("/control/faults", &fault.to_string())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_output_or_file() {
    let world = connectable().await;
    if !world.machine.has_file() {
        return;
    }
    let panel = Panel::new(&world.sandbox.description).unwrap();
    let mut said = String::new();
    let mut run = |args: &[&str], input: &str| {
        let done = tokio::task::block_in_place(|| world.machine.tieout_reading(args, input));
        said.push_str(&done.out);
        said.push_str(&done.err);
        done.status
    };
    assert_eq!(run(&["connect", "acme", "-vv"], ""), 0);
    run(&["map", "suggest", "--confirm-exact", "-vv"], "");
    run(&["sync", "-vv"], "");

    // Refused in every way, by services that give back what they were sent.
    for (service, path, status) in [
        ("bill", "/v3", 400),
        ("bill", "/v3", 500),
        ("bill", "/v3/login", 401),
        ("netsuite", "/services", 401),
        ("netsuite", "/services", 400),
    ] {
        echo(&panel, &world, service, path, status).await;
        run(&["ping", "-vv"], "");
        run(&["sync", "-vv", "--json"], "");
        panel.delete("/control/faults").await.unwrap();
    }
    // Malformed, and wrong.
    let password = &world.machine.environment["TIEOUT_BILL_PASSWORD"];
    let set = ["credentials", "set", "acme-bill", "--kind", "bill", "-vv"];
    assert_eq!(run(&set, &format!("{password} {{")), 2);
    let wrong = json!({"dev_key": world.machine.environment["TIEOUT_BILL_DEV_KEY"],
        "username": "nobody@example.com", "password": password});
    assert_eq!(
        run(&set, &wrong.to_string()),
        4,
        "tried before it is sealed"
    );
    let unseen = [&set[..], &["--no-check"]].concat();
    assert_eq!(run(&unseen, &wrong.to_string()), 0);
    run(&["sync", "-vv"], "");

    // Every command there is but those that don't end by themselves.
    for words in every_command() {
        if !["", "demo", "sandbox", "serve"].contains(&words.first().map_or("", String::as_str)) {
            let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
            args.extend(["-vv", "--json"]);
            run(&args, "");
        }
    }
    assert_eq!(run(&["backup", "copy", "-vv"], ""), 0);
    let bundle = [
        "support-bundle",
        "--with-records",
        "--out",
        "help.json",
        "-vv",
    ];
    assert_eq!(run(&bundle, ""), 0);
    run(
        &[
            "audit", "export", "acme", "--period", "2026-06", "--out", "evidence", "-vv",
        ],
        "",
    );

    assert!(said.contains("[redacted]"), "no echo has come back");
    let secrets = known(&world);
    assert_none(&secrets, said.as_bytes(), "what was said");
    let mut left = Vec::new();
    files(world.machine.folder.path(), &mut left);
    let keys = keys(&world.machine);
    assert!(keys.len() >= 2, "the key was rotated on the way");
    for path in left.iter().filter(|path| !keys.contains(path)) {
        let bytes = std::fs::read(path).unwrap();
        assert_none(&secrets, &bytes, &path.display().to_string());
    }
    let copied = world.machine.folder.path().join("copy");
    assert!(copied.join("tieout.db").exists() && !copied.join("tieout.key").exists());
}

fn bill(machine: &Machine) {
    let fields = json!({"dev_key": "k", "username": "u", "password": "p"});
    seal(machine, "b", "bill", &fields);
}

fn opens(machine: &Machine) {
    machine.tieout(&["credentials", "check"]).went_well();
}

#[test]
fn a_backup_of_the_home_is_useless_without_the_key() {
    let machine = Machine::with_home();
    if !machine.has_file() {
        return;
    }
    bill(&machine);
    machine.tieout(&["backup", "copy"]).went_well();
    let copy = machine.folder.path().join("copy").display().to_string();
    let check = ["credentials", "check", "--home", &copy];
    machine
        .tieout(&check)
        .failed(2, &["error[vault-key-missing]"]);
    let key = machine.home().join("tieout.key").display().to_string();
    machine
        .tieout(&[&check[..], &["--key-file", &key]].concat())
        .went_well();
}

#[test]
fn the_homes_key_is_rotated_and_the_old_one_kept_for_old_backups() {
    let machine = Machine::with_home();
    if !machine.has_file() {
        return;
    }
    bill(&machine);
    machine.tieout(&["backup", "copy"]).went_well();
    machine.tieout(&["credentials", "rotate-key"]).went_well();
    opens(&machine);
    let keys = keys(&machine);
    assert_eq!(keys.len(), 2, "{keys:?}");
    let old = keys
        .iter()
        .find(|path| path.to_str().unwrap().contains("before"));
    let old = old.unwrap().display().to_string();
    machine
        .tieout(&["credentials", "check", "--key-file", &old])
        .failed(2, &["error[vault-key-wrong]"]);
    let copy = machine.folder.path().join("copy").display().to_string();
    machine
        .tieout(&["credentials", "check", "--home", &copy, "--key-file", &old])
        .went_well();
}

#[test]
fn a_rotation_that_was_killed_loses_nothing_wherever_it_was() {
    // Killed before the store took the new key: the old one is the key, and the next rotation goes on.
    let machine = Machine::with_home();
    bill(&machine);
    let (key, next) = (
        machine.home().join("tieout.key"),
        machine.home().join("tieout.key.next"),
    );
    let other = Machine::with_home();
    std::fs::copy(other.home().join("tieout.key"), &next).unwrap();
    opens(&machine);
    machine.tieout(&["credentials", "rotate-key"]).went_well();
    opens(&machine);
    assert!(!next.exists());

    // Killed after that, before the files took their new names.
    let to_next = [
        "credentials",
        "rotate-key",
        "--to-key-file",
        next.to_str().unwrap(),
    ];
    machine.tieout(&to_next).went_well();
    assert!(key.exists() && next.exists());
    opens(&machine);
    assert!(!next.exists());

    // Killed between the two names.
    machine.tieout(&to_next).went_well();
    std::fs::remove_file(&key).unwrap();
    opens(&machine);
    assert!(key.exists() && !next.exists());
}

#[test]
fn from_a_file_to_a_passphrase_and_back() {
    let mut machine = Machine::with_home();
    bill(&machine);
    let set = |machine: &mut Machine, name: &str, value: &str| {
        machine
            .environment
            .insert(name.to_owned(), value.to_owned());
    };
    set(&mut machine, "TIEOUT_NEW_PASSPHRASE", "open sesame");
    machine
        .tieout(&["credentials", "rotate-key", "--to-passphrase"])
        .went_well();
    machine
        .tieout(&["credentials", "check"])
        .failed(2, &["error[vault-key-wrong]"]);
    set(&mut machine, "TIEOUT_PASSPHRASE", "open sesame");
    opens(&machine);
    machine
        .tieout(&["credentials", "rotate-key"])
        .failed(2, &["error[usage]", "--to-key-file"]);
    let file = machine.folder.path().join("new.key").display().to_string();
    machine
        .tieout(&["credentials", "rotate-key", "--to-key-file", &file])
        .went_well();
    machine.environment.clear();
    machine
        .tieout(&["credentials", "check", "--key-file", &file])
        .went_well();
    let told = machine.tieout(&["audit", "verify", "--key-file", &file]);
    told.went_well();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_support_bundle_names_nobody_unless_asked() {
    let world = connectable_to(10, 30).await;
    world.tieout(&["connect", "acme"]).await.went_well();
    world.tieout(&["sync", "--quiet"]).await;
    let made = |args: &'static [&'static str], file: &'static str| {
        let world = &world;
        async move {
            world.tieout(args).await.went_well();
            let text = std::fs::read_to_string(world.machine.folder.path().join(file)).unwrap();
            serde_json::from_str::<Value>(&text).unwrap()
        }
    };
    let plain = made(&["support-bundle", "--out", "a.json"], "a.json").await;
    let whole = made(
        &["support-bundle", "--out", "b.json", "--with-records"],
        "b.json",
    )
    .await;
    assert_eq!(plain["store"]["verify"]["holds"], true, "{plain}");
    assert_eq!(
        plain["connections"]["acme"]["runs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert!(
        !plain["connections"]["acme"]["exceptions"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let checks = plain["doctor"].as_array().unwrap();
    assert!(
        checks.iter().any(|check| check["code"] == "sign-in"),
        "{plain}"
    );
    assert!(checks.iter().all(|check| check.get("cause").is_none()));
    assert!(plain["log"]["lines"].is_u64() && whole["log"].is_array());
    let labels = |bundle: &Value| bundle.to_string().contains("\"labels\"");
    assert!(!labels(&plain) && labels(&whole));
    let organization = &world.machine.environment["TIEOUT_BILL_ORGANIZATION"];
    assert!(!whole.to_string().contains(organization.as_str()));
    world
        .tieout(&["support-bundle", "--out", "a.json"])
        .await
        .failed(1, &["error[file]", "a.json"]);
}

#[test]
fn the_words_of_other_programs_lead_to_the_causes() {
    let machine = Machine::new();
    let asked = "Sync didn't finish successfully! Your login credentials are invalid/expired";
    let shown = machine.tieout(&["explain", asked]).went_well().out;
    for code in [
        "invalid-login",
        "wrong-password",
        "subsidiary-missing",
        "permission-missing",
    ] {
        assert!(shown.contains(&format!("\n{code}: ")), "{code}: {shown}");
    }
    let told = machine
        .tieout(&["explain", "--json", "BDC_1144"])
        .went_well()
        .json();
    assert_eq!(told["codes"][0]["code"], "hourly-limit");
}
