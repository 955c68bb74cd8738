//! The command line as people and scripts meet it: what is refused and how it is told, what is never
//! overwritten, and what is never shown.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

#[path = "cli/guided.rs"]
mod guided;

use clap::CommandFactory;
use serde_json::{Value, json};
use tempfile::TempDir;
use tieout::sandbox::{Panel, Sandbox, SandboxOptions};
use tieout_store::testing::{TestStore, write_out};

#[path = "cli/import.rs"]
mod import;
#[path = "cli/many.rs"]
mod many;
#[path = "cli/moving.rs"]
mod moving;
#[path = "cli/packaging.rs"]
mod packaging;
#[path = "cli/renewal.rs"]
mod renewal;
#[path = "cli/secrets.rs"]
mod secrets;
#[path = "cli/serve.rs"]
mod serve;
#[path = "cli/store.rs"]
mod store;
#[path = "cli/tenants.rs"]
mod tenants;
#[path = "cli/tls.rs"]
mod tls;
#[path = "cli/users.rs"]
mod users;

/// A folder that stands for a user's machine: nothing of the real environment is seen.
struct Machine {
    folder: TempDir,
    environment: BTreeMap<String, String>,
    /// Where the store of a home that names none lies, if not in it.
    database: TestStore,
}

/// What a command left behind.
struct Done {
    status: i32,
    out: String,
    err: String,
}

impl Done {
    fn json(&self) -> Value {
        assert_eq!(
            self.out.trim_end().lines().count(),
            1,
            "one document: {}",
            self.out
        );
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// Asserts the exit status, and that each of these words is told on standard error.
    #[track_caller]
    fn failed(&self, status: i32, words: &[&str]) {
        assert_eq!(self.status, status, "{}{}", self.out, self.err);
        for word in words {
            assert!(
                self.err.contains(word),
                "`{word}` is missing in: {}",
                self.err
            );
        }
    }

    #[track_caller]
    fn went_well(self) -> Self {
        assert_eq!(self.status, 0, "{}{}", self.out, self.err);
        self
    }
}

impl Machine {
    fn new() -> Self {
        let database = TestStore::new();
        let mut environment = BTreeMap::new();
        if database.is_on_server() {
            environment.insert("TIEOUT_STORE_URL".to_owned(), database.url().to_owned());
        }
        Self {
            folder: tempfile::tempdir().unwrap(),
            environment,
            database,
        }
    }

    /// What a program that is started by hand must know to find the store.
    fn store_environment(&self) -> Option<(&String, &String)> {
        self.environment.get_key_value("TIEOUT_STORE_URL")
    }

    /// Whether the store is a file; a test of what is done to files has nothing to look at otherwise.
    fn has_file(&self) -> bool {
        let is_file = !self.database.is_on_server();
        if !is_file {
            eprintln!("skipped: the store is no file");
        }
        is_file
    }

    /// A machine with a home as `init` makes it.
    fn with_home() -> Self {
        let machine = Self::new();
        machine.tieout(&["init", "--quiet"]).went_well();
        machine
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn config(&self) -> PathBuf {
        self.home().join("tieout.toml")
    }

    fn write_config(&self, text: &str) {
        std::fs::write(self.config(), text).unwrap();
    }

    fn tieout(&self, args: &[&str]) -> Done {
        self.tieout_reading(args, "")
    }

    fn tieout_reading(&self, args: &[&str], input: &str) -> Done {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tieout"))
            .args(args)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TIEOUT_HOME", self.home())
            .env("USER", "tester")
            .envs(&self.environment)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that doesn't read closes its end: that is its right.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().unwrap();
        Done {
            status: status.code().expect("it ended by itself"),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }
}

/// Every command and action there is, as words.
fn every_command() -> Vec<Vec<String>> {
    fn below(command: &clap::Command, path: &[String], into: &mut Vec<Vec<String>>) {
        for inner in command
            .get_subcommands()
            .filter(|inner| inner.get_name() != "help")
        {
            let mut path = path.to_vec();
            path.push(inner.get_name().to_owned());
            into.push(path.clone());
            below(inner, &path, into);
        }
    }
    let mut all = vec![Vec::new()];
    below(&tieout::cli::Cli::command(), &[], &mut all);
    all
}

#[test]
fn every_command_says_how_it_is_used() {
    let machine = Machine::new();
    let commands = every_command();
    for command in ["demo", "connect", "sync", "explain", "sandbox"] {
        assert!(commands.contains(&vec![command.to_owned()]), "{command}");
    }
    for path in commands {
        let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
        args.push("--help");
        let done = machine.tieout(&args).went_well();
        let usage = format!(
            "Usage: {}",
            [&["tieout".to_owned()], path.as_slice()].concat().join(" ")
        );
        assert!(done.out.contains(&usage), "{path:?}: {}", done.out);
        assert!(done.err.is_empty(), "{path:?}: {}", done.err);
    }
    let version = machine.tieout(&["--version"]).went_well();
    assert!(version.out.starts_with("tieout "), "{}", version.out);
    assert!(!machine.home().exists(), "asking for help makes nothing");
}

/// The lines of a file are of a company that sells nothing: its payables are shown alone.
#[test]
fn a_demo_of_a_files_lines_ties_out() {
    let machine = Machine::new();
    let file = machine.folder.path().join("lines.csv");
    let mut lines = String::from(
        "payment_date,vendor,amount,account,account_name,center,center_name,fund,fund_name\n",
    );
    for day in 1..=28 {
        lines.push_str(&format!(
            "2026-06-{day:02},Hollow Oak Paving {},{day}0.25,6110,Office Supplies,,,,\n",
            day % 5
        ));
    }
    std::fs::write(&file, lines).unwrap();
    let file = file.to_str().unwrap();
    let shown = machine.tieout(&["demo", "--once", "--json", "--dataset", file]);
    let shown = shown.went_well().json();
    assert_eq!(shown["nothing_left_to_write"], true);
    assert!(shown.get("receivables").is_none());
    let reports = shown["tie_out"].as_array().unwrap();
    assert!(!reports.is_empty());
    for report in reports {
        assert_eq!(report["status"], "TIED", "{report}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_leaves_standard_output_alone() {
    let machine = Machine::new();
    for args in [
        &[][..],
        &["synk"],
        &["sync", "--no-such-flag"],
        &["sync", "--plan"],
        &["show"],
        &["audit"],
        &["explain", "a", "b"],
        &["replay", "x"],
        &["exceptions", "ignore", "x"],
        &[
            "exceptions",
            "resolve",
            "x",
            "--create",
            "--accept",
            "--reason",
            "r",
        ],
        &[
            "exceptions",
            "resolve",
            "x",
            "--link",
            "nonsense",
            "--reason",
            "r",
        ],
        &["preferences", "set", "acme"],
        &["credentials", "set", "acme"],
        &["sandbox", "--port", "many"],
        &["sandbox", "--latency", "soon"],
        &["sandbox", "--one-world", "perhaps"],
    ] {
        let done = machine.tieout(args);
        assert_eq!(done.status, 2, "{args:?}: {}", done.err);
        assert!(done.out.is_empty(), "{args:?}: {}", done.out);
        assert!(!done.err.trim().is_empty(), "{args:?}");
    }
}

#[test]
fn a_command_without_a_home_names_the_file_that_is_missing() {
    let machine = Machine::new();
    for args in [
        &["sync"][..],
        &["ping"],
        &["runs"],
        &["credentials", "list"],
        &["connect", "a"],
    ] {
        let done = machine.tieout(args);
        done.failed(2, &["error[config-missing]", "tieout.toml", "fix:"]);
    }
    let done = machine.tieout(&["sync", "--json"]);
    done.failed(2, &["config-missing"]);
    assert_eq!(done.json()["error"]["code"], "config-missing");
    assert!(!machine.home().exists());
}

/// The connection that the malformed ones are made from.
const CONNECTION: &str = r#"[connections.acme]
pair = "netsuite-bill"
[connections.acme.netsuite]
account = "1234567"
credential = "a"
[connections.acme.bill]
organization = "008"
environment = "sandbox"
credential = "b"
"#;

#[test]
fn a_malformed_configuration_is_refused_with_the_line_and_the_nearest_key() {
    let machine = Machine::with_home();
    let with = |before: &str, after: &str| {
        assert!(CONNECTION.contains(before));
        CONNECTION.replace(before, after)
    };
    let cases: [(String, &str, &[&str]); 13] = [
        (
            "[store]\nurl = \"x\n".to_owned(),
            "config-syntax",
            &["tieout.toml:2"],
        ),
        (
            "a = 1\na = 2\n".to_owned(),
            "config-syntax",
            &["tieout.toml:2"],
        ),
        (
            "[sotre]\nurl = \"x\"\n".to_owned(),
            "config-unknown-key",
            &["tieout.toml:1", "`store`"],
        ),
        (
            with("account = ", "acount = "),
            "config-unknown-key",
            &[
                "tieout.toml:4",
                "`connections.acme.netsuite.acount`",
                "did you mean `account`?",
            ],
        ),
        (
            with("[connections.acme.bill]", "[connections.acme.bil]"),
            "config-unknown-key",
            &["tieout.toml:6", "did you mean `bill`?"],
        ),
        (
            format!(
                "{CONNECTION}[connections.acme.preferences.transactions]\npayment_acount = \"1\"\n"
            ),
            "config-unknown-key",
            &["tieout.toml:11", "did you mean `payment_account`?"],
        ),
        (
            "[store]\n\nurl = 5\n".to_owned(),
            "config-value",
            &["tieout.toml:3", "text", "integer"],
        ),
        (
            "connections = 5\n".to_owned(),
            "config-value",
            &["tieout.toml:1", "must be a table"],
        ),
        (
            with("netsuite-bill", "netsuite-bank"),
            "config-value",
            &[
                "tieout.toml:2",
                "`netsuite-bank` is no pair",
                "netsuite-bill",
            ],
        ),
        (
            with("pair = \"netsuite-bill\"\n", ""),
            "config-value",
            &["tieout.toml:1", "`pair` is missing"],
        ),
        (
            CONNECTION
                .split("[connections.acme.bill]")
                .next()
                .unwrap()
                .to_owned(),
            "config-value",
            &["tieout.toml:1", "`[connections.acme.bill]` is missing"],
        ),
        (
            with("account = \"1234567\"\n", ""),
            "config-value",
            &["tieout.toml:3", "`account` is missing"],
        ),
        (
            format!(
                "{CONNECTION}[connections.acme.preferences.transactions]\nbills_from = \"May\"\n"
            ),
            "config-value",
            &["tieout.toml:11", "bills_from"],
        ),
    ];
    for (text, code, words) in cases {
        machine.write_config(&text);
        for command in ["sync", "ping", "credentials list"] {
            let args: Vec<_> = command.split(' ').collect();
            let done = machine.tieout(&args);
            done.failed(2, words);
            done.failed(2, &[&format!("error[{code}]"), "fix:"]);
            assert!(done.out.is_empty(), "{}", done.out);
        }
        let done = machine.tieout(&["sync", "--json"]);
        assert_eq!(
            (done.status, done.json()["error"]["code"].as_str()),
            (2, Some(code))
        );
    }
}

#[test]
fn a_wrong_value_of_a_side_is_refused_before_anything_is_sent() {
    let machine = Machine::with_home();
    machine.write_config(CONNECTION);
    seal(&machine, "a", "netsuite-tba", &token_credential());
    seal(
        &machine,
        "b",
        "bill",
        &json!({"dev_key": "k", "username": "u", "password": "p"}),
    );
    for (before, after, word) in [
        ("account = \"1234567\"", "account = \"a b\"", "`account`"),
        (
            "account = \"1234567\"",
            "account = \"1\"\nbase_url = \"http://example.com\"",
            "base_url",
        ),
        (
            "environment = \"sandbox\"",
            "environment = \"test\"",
            "environment",
        ),
        (
            "organization = \"008\"",
            "organization = \"008\"\nsettle = \"soon\"",
            "settle",
        ),
    ] {
        machine.write_config(&CONNECTION.replace(before, after));
        machine
            .tieout(&["ping"])
            .failed(2, &["error[config-value]", word]);
    }
    machine.write_config(&CONNECTION.replace("credential = \"a\"", "credential = \"b\""));
    machine
        .tieout(&["ping"])
        .failed(2, &["error[credential-kind]", "netsuite-m2m"]);
    machine.write_config(&CONNECTION.replace("credential = \"a\"", "credential = \"c\""));
    machine
        .tieout(&["ping"])
        .failed(2, &["error[credential-missing]", "`c`"]);
}

#[test]
fn an_unknown_connection_is_refused_with_those_there_are() {
    let machine = Machine::with_home();
    for command in ["sync", "ping", "plan", "exceptions"] {
        machine
            .tieout(&[command])
            .failed(2, &["error[no-connection]", "tieout.toml", "fix:"]);
    }
    machine.write_config(CONNECTION);
    for args in [
        &["sync", "amce"][..],
        &["ping", "amce"],
        &["plan", "amce"],
        &["exceptions", "amce"],
        &["runs", "amce"],
        &["preferences", "show", "amce"],
        &["map", "list", "amce"],
    ] {
        let done = machine.tieout(args);
        done.failed(2, &["error[unknown-connection]", "`amce`", "acme", "fix:"]);
    }
}

#[test]
fn init_never_overwrites_what_is_there() {
    let machine = Machine::new();
    let made = machine.tieout(&["init", "--json"]).went_well().json();
    let mut expected = vec!["tieout.toml", "tieout.key"];
    if machine.has_file() {
        expected.push("the store");
    }
    assert_eq!(made["made"], json!(expected));
    let key = std::fs::read(machine.home().join("tieout.key")).unwrap();
    let text = std::fs::read_to_string(machine.config()).unwrap();
    assert!(
        text.contains("# [connections.acme-us]"),
        "every part is there, commented: {text}"
    );
    seal(
        &machine,
        "b",
        "bill",
        &json!({"dev_key": "k", "username": "u", "password": "p"}),
    );

    let mine = format!("# mine\n{text}");
    machine.write_config(&mine);
    let again = machine.tieout(&["init", "--json"]).went_well().json();
    assert_eq!(again["made"], json!([]));
    assert_eq!(std::fs::read_to_string(machine.config()).unwrap(), mine);
    assert_eq!(
        std::fs::read(machine.home().join("tieout.key")).unwrap(),
        key
    );
    let kept = machine
        .tieout(&["credentials", "check", "--json"])
        .went_well()
        .json();
    assert_eq!(kept["credentials"][0]["status"], "ok");

    // What is missing is made, and nothing else.
    std::fs::remove_file(machine.config()).unwrap();
    let made = machine.tieout(&["init", "--json"]).went_well().json();
    assert_eq!(made["made"], json!(["tieout.toml"]));
    assert_eq!(
        std::fs::read(machine.home().join("tieout.key")).unwrap(),
        key
    );
}

#[cfg(unix)]
#[test]
fn the_home_and_its_key_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let machine = Machine::with_home();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&machine.home()), 0o700);
    let key = machine.home().join("tieout.key");
    assert_eq!(mode(&key), 0o600);
    seal(
        &machine,
        "b",
        "bill",
        &json!({"dev_key": "k", "username": "u", "password": "p"}),
    );
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    machine
        .tieout(&["credentials", "check"])
        .failed(2, &["error[vault-key-missing]", "tieout.key"]);
}

#[test]
fn a_lost_or_exchanged_key_is_told_apart() {
    let machine = Machine::with_home();
    seal(
        &machine,
        "b",
        "bill",
        &json!({"dev_key": "k", "username": "u", "password": "p"}),
    );
    let key = machine.home().join("tieout.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    machine
        .tieout(&["credentials", "check"])
        .failed(2, &["error[vault-key-missing]", "fix:"]);
    let other = Machine::with_home();
    std::fs::copy(other.home().join("tieout.key"), &key).unwrap();
    machine
        .tieout(&["credentials", "check"])
        .failed(2, &["error[vault-key-wrong]", "fix:"]);
    // Elsewhere and named, it opens again.
    std::fs::rename(&key, machine.home().join("wrong")).unwrap();
    let elsewhere = machine.folder.path().join("my.key");
    std::fs::write(&elsewhere, kept).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(
        &elsewhere,
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    let path = elsewhere.display().to_string();
    machine
        .tieout(&["credentials", "check", "--key-file", &path])
        .went_well();
}

fn token_credential() -> Value {
    json!({"consumer_key": "ck", "consumer_secret": "cs", "token_id": "ti", "token_secret": "ts"})
}

fn seal(machine: &Machine, name: &str, kind: &str, fields: &Value) {
    let args = ["credentials", "set", name, "--kind", kind, "--quiet"];
    machine
        .tieout_reading(&args, &fields.to_string())
        .went_well();
}

#[test]
fn a_credential_with_a_wrong_field_is_refused_by_the_fields_name() {
    let machine = Machine::with_home();
    let secret = "hunter2-hunter2";
    let whole = json!({"dev_key": secret, "username": secret, "password": secret});
    let changed = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut fields = whole.as_object().unwrap().clone();
        change(&mut fields);
        Value::Object(fields).to_string()
    };
    let cases = [
        (
            changed(&|f| drop(f.remove("password"))),
            "`password` is missing",
        ),
        (
            changed(&|f| drop(f.insert("pasword".into(), secret.into()))),
            "`pasword`",
        ),
        (
            changed(&|f| drop(f.insert("password".into(), " ".into()))),
            "`password` is empty",
        ),
        (
            changed(&|f| drop(f.insert("password".into(), 5.into()))),
            "`password` must be text",
        ),
        (format!("{secret} {{"), "line 1"),
        (format!("[\"{secret}\"]"), "JSON object"),
        (String::new(), "JSON object"),
    ];
    let set = ["credentials", "set", "acme-bill", "--kind", "bill"];
    for (input, word) in cases {
        let done = machine.tieout_reading(&set, &input);
        done.failed(2, &["error[credential-malformed]", word, "fix:"]);
        assert!(
            !done.err.contains(secret) && !done.out.contains(secret),
            "{}",
            done.err
        );
    }
    let wrong_kind = ["credentials", "set", "acme-bill", "--kind", "bank"];
    machine
        .tieout_reading(&wrong_kind, &whole.to_string())
        .failed(2, &["error[credential-kind]", "netsuite-m2m", "bill"]);
    let listed = machine
        .tieout(&["credentials", "list", "--json"])
        .went_well()
        .json();
    assert_eq!(listed["credentials"], json!([]), "nothing was sealed");

    let sealed = machine.tieout_reading(&set, &whole.to_string()).went_well();
    assert!(sealed.out.contains("version 1"), "{}", sealed.out);
    let file = machine.folder.path().join("new.json");
    std::fs::write(&file, whole.to_string()).unwrap();
    let path = file.display().to_string();
    let from_file = [&set[..], &["--file", &path, "--json"]].concat();
    assert_eq!(machine.tieout(&from_file).went_well().json()["version"], 2);
    let listed = machine
        .tieout(&["credentials", "list", "--json"])
        .went_well()
        .json();
    assert_eq!(listed["credentials"][0]["kind"], "bill");
    assert_eq!(listed["credentials"][0]["version"], 2);
}

#[test]
fn a_credential_in_use_is_not_removed() {
    let machine = Machine::with_home();
    machine.write_config(CONNECTION);
    seal(&machine, "a", "netsuite-tba", &token_credential());
    seal(&machine, "unused", "netsuite-tba", &token_credential());
    machine
        .tieout(&["credentials", "remove", "a"])
        .failed(2, &["error[credential-in-use]", "acme"]);
    machine
        .tieout(&["credentials", "remove", "unused"])
        .went_well();
    let listed = machine
        .tieout(&["credentials", "list", "--json"])
        .went_well()
        .json();
    let names: Vec<_> = listed["credentials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["name"])
        .collect();
    assert_eq!(names, ["a"]);
}

#[test]
fn a_secret_is_never_shown_and_never_on_the_disk_in_the_clear() {
    let machine = Machine::with_home();
    // Nobody listens on port 1: both sides fail, in all words there are.
    machine.write_config(
        &CONNECTION
            .replace(
                "account = \"1234567\"",
                "account = \"1234567\"\nbase_url = \"http://127.0.0.1:1\"",
            )
            .replace(
                "organization = \"008\"",
                "organization = \"008\"\nbase_url = \"http://127.0.0.1:1\"",
            ),
    );
    let secrets = [
        "s3cret-consumer",
        "s3cret-token",
        "s3cret-developer-key",
        "s3cret-password",
    ];
    seal(
        &machine,
        "a",
        "netsuite-tba",
        &json!({
            "consumer_key": secrets[0], "consumer_secret": secrets[0],
            "token_id": secrets[1], "token_secret": secrets[1],
        }),
    );
    seal(
        &machine,
        "b",
        "bill",
        &json!({
            "dev_key": secrets[2], "username": "ap@example.com", "password": secrets[3],
        }),
    );
    let mut said = String::new();
    for args in [
        &["credentials", "list"][..],
        &["credentials", "list", "--json", "-vv"],
        &["credentials", "check", "-vv"],
        &["ping", "-vv"],
        &["ping", "--json"],
        &["preferences", "show"],
    ] {
        let done = machine.tieout(args);
        said.push_str(&done.out);
        said.push_str(&done.err);
    }
    for secret in secrets {
        assert!(!said.contains(secret), "{secret} was shown: {said}");
    }
    for entry in std::fs::read_dir(machine.home()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for secret in secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {}", path.display());
        }
    }
}

#[test]
fn a_side_that_cant_be_reached_ends_with_4_and_doesnt_hide_the_other() {
    let machine = Machine::with_home();
    machine.write_config(
        &CONNECTION
            .replace(
                "account = \"1234567\"",
                "account = \"1234567\"\nbase_url = \"http://127.0.0.1:1\"",
            )
            .replace(
                "organization = \"008\"",
                "organization = \"008\"\nbase_url = \"http://127.0.0.1:1\"",
            ),
    );
    seal(&machine, "a", "netsuite-tba", &token_credential());
    seal(
        &machine,
        "b",
        "bill",
        &json!({"dev_key": "k", "username": "u", "password": "p"}),
    );
    let done = machine.tieout(&["ping", "--json"]);
    assert_eq!(done.status, 4, "{}", done.err);
    let pings = done.json()["pings"].as_array().unwrap().clone();
    assert_eq!(pings.len(), 2);
    for ping in pings {
        assert_eq!(
            (&ping["status"], &ping["code"]),
            (&json!("failed"), &json!("unreachable"))
        );
        assert!(!ping["fix"].as_str().unwrap().is_empty());
    }
}

#[test]
fn every_code_is_explained() {
    let machine = Machine::new();
    let all = machine.tieout(&["explain", "--json"]).went_well().json();
    let codes = all["codes"].as_array().unwrap();
    assert!(codes.len() > 100, "{}", codes.len());
    for entry in codes {
        let code = entry["code"].as_str().unwrap();
        let page = machine
            .tieout(&["explain", code, "--json"])
            .went_well()
            .json();
        for part in ["title", "who", "fix", "text"] {
            let text = page[part].as_str().unwrap();
            assert!(!text.trim().is_empty(), "{code} has no {part}");
        }
        for heading in ["## Means", "## Causes", "## Fix"] {
            assert!(
                page["text"].as_str().unwrap().contains(heading),
                "{code} lacks {heading}"
            );
        }
        let shown = machine.tieout(&["explain", code]).went_well().out;
        assert!(shown.starts_with(&format!("# {code}: ")), "{shown}");
    }
}

#[test]
fn a_code_is_explained_however_it_was_copied() {
    let machine = Machine::new();
    for asked in [
        "unmapped-account",
        "BLOCKED(unmapped-account)",
        "UNMAPPED_ACCOUNT",
    ] {
        let shown = machine.tieout(&["explain", asked]).went_well().out;
        assert!(
            shown.starts_with("# unmapped-account: "),
            "{asked}: {shown}"
        );
    }
    let done = machine.tieout(&["explain", "unmaped-acount"]);
    done.failed(2, &["error[unknown-code]", "unmapped-account", "fix:"]);
    assert!(done.out.is_empty());
}

/// Every `Code::new` of the sources has a page, so that whatever is shown can be explained.
#[test]
fn every_code_in_the_sources_has_a_page() {
    fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in ["crates", "systems"] {
        sources(&root.join(folder), &mut files);
    }
    let mut codes = 0;
    for file in files
        .iter()
        .filter(|file| file.components().any(|part| part.as_os_str() == "src"))
    {
        let text = std::fs::read_to_string(file).unwrap();
        for rest in text.split("Code::new(").skip(1) {
            let Some(name) = rest.trim_start().strip_prefix('"') else {
                continue;
            };
            let name = name.split('"').next().unwrap();
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
                continue;
            }
            let page = root.join(format!("docs/errors/{name}.md"));
            assert!(page.exists(), "{}: `{name}` has no page", file.display());
            codes += 1;
        }
    }
    assert!(codes > 100, "{codes}");
}

/// A small sandbox, and a machine with a home whose environment holds what a connection to it needs.
struct Connectable {
    machine: Machine,
    sandbox: Sandbox,
}

async fn connectable() -> Connectable {
    connectable_to(5, 10).await
}

async fn connectable_to(vendors: usize, bills: usize) -> Connectable {
    let options = SandboxOptions {
        vendors: Some(vendors),
        bills: Some(bills),
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(&options).await.unwrap();
    let mut machine = Machine::with_home();
    let told = &sandbox.description;
    for (variable, value) in [
        ("TIEOUT_NETSUITE_ACCOUNT", &told["netsuite"]["account"]),
        (
            "TIEOUT_NETSUITE_SUBSIDIARY",
            &told["netsuite"]["subsidiary"],
        ),
        ("TIEOUT_NETSUITE_BASE_URL", &told["netsuite"]["base_url"]),
        (
            "TIEOUT_NETSUITE_CLIENT_ID",
            &told["netsuite"]["netsuite-m2m"]["client_id"],
        ),
        (
            "TIEOUT_NETSUITE_CERTIFICATE_ID",
            &told["netsuite"]["netsuite-m2m"]["certificate_id"],
        ),
        (
            "TIEOUT_NETSUITE_PRIVATE_KEY_PEM",
            &told["netsuite"]["netsuite-m2m"]["private_key_pem"],
        ),
        ("TIEOUT_BILL_ORGANIZATION", &told["bill"]["organization"]),
        ("TIEOUT_BILL_ENVIRONMENT", &json!("sandbox")),
        ("TIEOUT_BILL_BASE_URL", &told["bill"]["base_url"]),
        ("TIEOUT_BILL_DEV_KEY", &told["bill"]["bill"]["dev_key"]),
        ("TIEOUT_BILL_USERNAME", &told["bill"]["bill"]["username"]),
        ("TIEOUT_BILL_PASSWORD", &told["bill"]["bill"]["password"]),
    ] {
        machine
            .environment
            .insert(variable.to_owned(), value.as_str().unwrap().to_owned());
    }
    Connectable { machine, sandbox }
}

impl Connectable {
    /// Runs the command beside the sandbox, which lives in this process.
    async fn tieout(&self, args: &[&str]) -> Done {
        tokio::task::block_in_place(|| self.machine.tieout(args))
    }

    fn config(&self) -> String {
        std::fs::read_to_string(self.machine.config()).unwrap()
    }

    fn credentials(&self) -> Vec<String> {
        let listed = self
            .machine
            .tieout(&["credentials", "list", "--json"])
            .went_well()
            .json();
        let rows = listed["credentials"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_signs_in_on_both_sides_and_stores() {
    let world = connectable().await;
    let before = world.config();
    let done = world.tieout(&["connect", "acme-us"]).await.went_well();
    assert!(
        done.out.contains("acme-us: netsuite ok") && done.out.contains("acme-us: bill ok"),
        "{}",
        done.out
    );
    assert!(done.out.contains("tieout plan acme-us"), "{}", done.out);
    assert!(
        world.config().starts_with(&before),
        "what was there stays: {}",
        world.config()
    );
    assert_eq!(world.credentials(), ["acme-us-bill", "acme-us-netsuite"]);
    world.tieout(&["ping", "acme-us"]).await.went_well();
    for secret in ["TIEOUT_BILL_PASSWORD", "TIEOUT_BILL_DEV_KEY"] {
        let secret = &world.machine.environment[secret];
        assert!(!world.config().contains(secret.as_str()) && !done.out.contains(secret.as_str()));
    }

    // The same name again is refused, and nothing is touched; asked for, only what is given changes.
    let stored = world.config();
    let again = world.tieout(&["connect", "acme-us"]).await;
    again.failed(2, &["error[connection-exists]", "--replace"]);
    assert_eq!(world.config(), stored);
    let args = [
        "connect",
        "acme-us",
        "--replace",
        "--json",
        "--set",
        "bill.bulk:=50",
        "--set",
        "preferences.transactions.payment_account=1090",
    ];
    let changed = world.tieout(&args).await.went_well().json();
    assert_eq!(
        (&changed["stored"], &changed["checked"]),
        (&json!(true), &json!(true))
    );
    let text = world.config();
    assert!(
        text.contains("bulk = 50") && text.contains("payment_account = \"1090\""),
        "{text}"
    );
    assert_eq!(world.credentials(), ["acme-us-bill", "acme-us-netsuite"]);
    world.tieout(&["ping"]).await.went_well();

    // A second entity shares the credentials by their names.
    let args = [
        "connect",
        "acme-too",
        "--ledger-credential",
        "acme-us-netsuite",
        "--platform-credential",
        "acme-us-bill",
    ];
    world.tieout(&args).await.went_well();
    assert_eq!(world.credentials(), ["acme-us-bill", "acme-us-netsuite"]);
    drop(world.sandbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn s202_oneworld_without_a_subsidiary_is_refused_at_set_up_with_the_list() {
    let mut world = connectable().await;
    world
        .machine
        .environment
        .remove("TIEOUT_NETSUITE_SUBSIDIARY");
    let before = world.config();
    let done = world.tieout(&["connect", "acme-us", "--json"]).await;
    assert_eq!(done.status, 4, "{}{}", done.out, done.err);
    let told = done.json();
    assert_eq!(told["stored"], false);
    assert_eq!(told["sides"][0]["code"], "subsidiary-missing");
    let cause = told["sides"][0]["cause"].as_str().unwrap();
    assert!(cause.contains("3 = "), "the list: {cause}");
    assert_eq!(
        told["sides"][1]["status"], "ok",
        "the other side is told all the same"
    );
    assert_eq!(world.config(), before);
    assert!(world.credentials().is_empty(), "{:?}", world.credentials());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cant_sign_in_is_not_stored() {
    for (variable, value, side, status) in [
        ("TIEOUT_BILL_PASSWORD", "wrong", "bill", 4),
        ("TIEOUT_BILL_DEV_KEY", "wrong", "bill", 4),
        ("TIEOUT_NETSUITE_ACCOUNT", "7654321", "netsuite", 4),
        ("TIEOUT_NETSUITE_CLIENT_ID", "wrong", "netsuite", 4),
        ("TIEOUT_BILL_BASE_URL", "http://127.0.0.1:1", "bill", 4),
        (
            "TIEOUT_NETSUITE_BASE_URL",
            "http://example.com",
            "base_url",
            2,
        ),
        ("TIEOUT_BILL_ENVIRONMENT", "test", "environment", 2),
    ] {
        let mut world = connectable().await;
        world
            .machine
            .environment
            .insert(variable.to_owned(), value.to_owned());
        let before = world.config();
        let done = world.tieout(&["connect", "acme-us"]).await;
        let said = format!("{}{}", done.out, done.err);
        assert_eq!(done.status, status, "{variable}: {said}");
        assert!(
            said.contains(side) && said.contains("fix:"),
            "{variable}: {said}"
        );
        assert_eq!(world.config(), before, "{variable}");
        assert!(
            world.credentials().is_empty(),
            "{variable}: {:?}",
            world.credentials()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_is_not_connected_with_a_production_organization() {
    let mut world = connectable().await;
    world.machine.environment.insert(
        "TIEOUT_BILL_ENVIRONMENT".to_owned(),
        "production".to_owned(),
    );
    let before = world.config();
    let done = world.tieout(&["connect", "acme-us"]).await;
    done.failed(
        2,
        &["error[environments-mixed]", "production", "sandbox", "fix:"],
    );
    assert_eq!(world.config(), before);
    assert!(world.credentials().is_empty());
}

#[test]
fn what_connect_lacks_is_named() {
    let machine = Machine::with_home();
    machine
        .tieout(&["connect"])
        .failed(2, &["error[connect-incomplete]", "tieout connect NAME"]);
    machine
        .tieout(&["connect", "a b"])
        .failed(2, &["error[config-value]", "a b"]);
    machine.tieout(&["connect", "acme"]).failed(
        2,
        &[
            "error[connect-incomplete]",
            "`--pair` is missing",
            "netsuite-bill",
        ],
    );
    machine
        .tieout(&["connect", "acme", "--pair", "netsuite-bill"])
        .failed(
            2,
            &[
                "error[connect-incomplete]",
                "netsuite.account",
                "TIEOUT_NETSUITE_ACCOUNT",
            ],
        );
    machine
        .tieout(&["connect", "acme", "--pair", "netsuite-bank"])
        .failed(2, &["error[config-value]", "netsuite-bill"]);
    let sides = [
        "connect",
        "acme",
        "--set",
        "netsuite.account=1",
        "--set",
        "bill.organization=008",
        "--set",
        "bill.environment=sandbox",
    ];
    machine.tieout(&sides).failed(
        2,
        &[
            "error[connect-incomplete]",
            "--ledger-credential",
            "TIEOUT_NETSUITE_PRIVATE_KEY_PEM",
        ],
    );
    let named = [&sides[..], &["--ledger-credential", "none"]].concat();
    machine
        .tieout(&named)
        .failed(2, &["error[credential-missing]", "none"]);
    let unknown = [
        &sides[..],
        &[
            "--set",
            "netsuite.acount=1",
            "--no-check",
            "--ledger-credential",
            "n",
        ],
    ];
    seal(&machine, "n", "netsuite-tba", &token_credential());
    seal(
        &machine,
        "b",
        "bill",
        &json!({"dev_key": "k", "username": "u", "password": "p"}),
    );
    let unknown = [&unknown.concat()[..], &["--platform-credential", "b"]].concat();
    machine
        .tieout(&unknown)
        .failed(2, &["error[config-unknown-key]", "did you mean `account`?"]);
    let exchanged = [&sides[..], &["--ledger-credential", "b"]].concat();
    machine
        .tieout(&exchanged)
        .failed(2, &["error[credential-kind]", "netsuite-m2m"]);
}

#[test]
fn a_connections_table_comes_from_a_file_or_standard_input() {
    let machine = Machine::with_home();
    seal(&machine, "a", "netsuite-tba", &token_credential());
    seal(
        &machine,
        "b",
        "bill",
        &json!({"dev_key": "k", "username": "u", "password": "p"}),
    );
    // The whole configuration of another home will do.
    let args = ["connect", "acme", "--from", "-", "--no-check", "--json"];
    let done = machine.tieout_reading(&args, CONNECTION).went_well().json();
    assert_eq!(
        (&done["stored"], &done["checked"]),
        (&json!(true), &json!(false))
    );
    let table = json!({
        "pair": "netsuite-bill",
        "netsuite": {"account": "2", "credential": "a"},
        "bill": {"organization": "009", "environment": "sandbox", "credential": "b"},
        "preferences": {"lists": {"create_missing": true}},
    });
    let file = machine.folder.path().join("table.json");
    std::fs::write(&file, table.to_string()).unwrap();
    let path = file.display().to_string();
    machine
        .tieout(&["connect", "other", "--from", &path, "--no-check"])
        .went_well();
    let shown = machine
        .tieout(&["preferences", "show", "other", "--json"])
        .went_well()
        .json();
    let preferences = shown["connections"][0]["preferences"].as_array().unwrap();
    let named = preferences
        .iter()
        .find(|p| p["key"] == "lists.create_missing")
        .unwrap();
    assert_eq!(
        (&named["value"], &named["from"]),
        (&json!(true), &json!("tieout.toml"))
    );
    std::fs::write(&file, "pair = \"netsuite-bill\"\nnetsuite = {\n").unwrap();
    machine
        .tieout(&["connect", "third", "--from", &path])
        .failed(2, &["error[config-syntax]", "line "]);
}

#[test]
fn preferences_are_changed_in_the_file_without_losing_a_comment() {
    let machine = Machine::with_home();
    machine.write_config(&format!("# mine\n{CONNECTION}"));
    let set = |key: &str, value: &str| machine.tieout(&["preferences", "set", "acme", key, value]);
    set("transactions.payment_account", "1090").went_well();
    let text = std::fs::read_to_string(machine.config()).unwrap();
    assert!(
        text.starts_with("# mine\n") && text.contains("payment_account = \"1090\""),
        "{text}"
    );
    set("transactions.payment_acount", "1090")
        .failed(2, &["error[config-value]", "payment_acount"]);
    set("transactions.bills_from", "May").failed(2, &["error[config-value]", "bills_from"]);
    assert_eq!(std::fs::read_to_string(machine.config()).unwrap(), text);

    let file = machine
        .folder
        .path()
        .join("preferences.toml")
        .display()
        .to_string();
    machine
        .tieout(&["preferences", "export", "acme", &file])
        .went_well();
    set("transactions.payment_account", "2000").went_well();
    let differences = machine
        .tieout(&["preferences", "diff", "acme", &file, "--json"])
        .went_well()
        .json();
    assert_eq!(
        differences["differences"][0]["key"],
        "transactions.payment_account"
    );
    machine
        .tieout(&["preferences", "import", "acme", &file])
        .went_well();
    let differences = machine
        .tieout(&["preferences", "diff", "acme", &file, "--json"])
        .went_well()
        .json();
    assert_eq!(differences["differences"], json!([]));
}

#[test]
fn a_preference_changed_by_hand_is_a_version_of_the_files() {
    let machine = Machine::with_home();
    let with = |value: &str| {
        format!(
            "{CONNECTION}[connections.acme.preferences.transactions]\nmarker = \"none\"\npartly_paid = \"{value}\"\n"
        )
    };
    let history = || {
        let told = machine.tieout(&["preferences", "history", "acme", "--json"]);
        told.went_well().json()["versions"]
            .as_array()
            .unwrap()
            .clone()
    };
    machine.write_config(&with("skip"));
    let versions = history();
    assert_eq!(versions.len(), 1, "{versions:?}");
    assert_eq!(versions[0]["who"], "file");
    assert_eq!(
        versions[0]["changes"],
        json!([{"key": "transactions.marker", "before": "description", "after": "none"}])
    );
    machine.write_config(&with("balance"));
    machine
        .tieout(&["preferences", "set", "acme", "lists.create_missing", "true"])
        .went_well();
    let versions = history();
    let who: Vec<_> = versions
        .iter()
        .map(|one| one["who"].as_str().unwrap())
        .collect();
    assert_eq!(who, ["file", "file", "user:tester"], "{versions:?}");
    assert_eq!(versions[1]["changes"][0]["after"], "balance");
    assert_eq!(history().len(), 3, "looking changes nothing");

    // What each does is told where it is set, and an export is taken back.
    let exported = machine
        .tieout(&["preferences", "export", "acme"])
        .went_well()
        .out;
    assert!(
        exported.contains("\npartly_paid = \"balance\"\n") && exported.contains("# bills_from ="),
        "{exported}"
    );
    for line in exported.lines().filter(|line| line.contains(" = ")) {
        assert!(!line.starts_with('#'), "{line}");
    }
    let file = machine.folder.path().join("exported.toml");
    std::fs::write(&file, &exported).unwrap();
    machine
        .tieout(&["preferences", "import", "acme", file.to_str().unwrap()])
        .went_well();
    assert_eq!(history().len(), 3);
}

#[test]
fn a_configuration_that_cant_be_read_is_what_doctor_finds() {
    let machine = Machine::with_home();
    machine.write_config("[connections.acme\n");
    let done = machine.tieout(&["doctor", "--json"]);
    assert_eq!(done.status, 4, "{}{}", done.out, done.err);
    let check = &done.json()["checks"][0];
    assert_eq!(check["code"], "config-syntax");
    assert_eq!(check["status"], "failed");
    assert!(
        check["cause"].as_str().unwrap().contains("tieout.toml:1"),
        "{check}"
    );
    assert_ne!(check["fix"], "");
    machine.write_config(&CONNECTION.replace("account", "acount"));
    let done = machine.tieout(&["doctor"]);
    assert_eq!(done.status, 4);
    assert!(
        done.out.contains("[config-unknown-key]") && done.out.contains("did you mean `account`?"),
        "{}",
        done.out
    );
}

#[test]
fn s239_the_kill_switch_says_who_when_and_why_and_asks_a_reason_only_to_go_on() {
    let machine = Machine::with_home();
    machine.write_config(CONNECTION);
    let paused = machine.tieout(&["pause", "--json"]).went_well().json();
    assert_eq!(paused["stops"][0]["connection"], Value::Null);
    assert_eq!(paused["stops"][0]["actor"], "user:tester");
    assert_eq!(paused["under_way"], json!([]));
    let one = machine.tieout(&["pause", "acme", "--reason", "the bank called"]);
    let text = one.went_well().out;
    for part in [
        "all remote writes",
        "acme",
        "user:tester",
        "the bank called",
        "no call is under way",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let again = machine
        .tieout(&["pause", "acme", "--reason", "other"])
        .went_well()
        .out;
    assert!(
        again.contains("the bank called") && !again.contains("other"),
        "{again}"
    );
    assert_eq!(machine.tieout(&["resume"]).status, 2);
    let resumed = machine
        .tieout(&["resume", "--reason", "it is well", "--json"])
        .went_well()
        .json();
    assert_eq!(resumed["resumed"], 1);
    let resumed = machine
        .tieout(&["resume", "acme", "--reason", "it is well"])
        .went_well()
        .out;
    assert!(
        resumed.contains("go on") && !resumed.contains("still in force"),
        "{resumed}"
    );
    let nothing = machine
        .tieout(&["resume", "acme", "--reason", "again"])
        .went_well()
        .out;
    assert!(nothing.contains("nothing was paused"), "{nothing}");
    machine.tieout(&["pause", "acne"]).failed(2, &["acme"]);
    machine.tieout(&["audit", "verify"]).went_well();
}

#[test]
fn s234_one_changed_byte_of_the_history_is_named_and_fails_the_command() {
    let machine = Machine::with_home();
    if !machine.has_file() {
        return;
    }
    machine.write_config(CONNECTION);
    machine.tieout(&["pause"]).went_well();
    // Said again and again: the end of a page may cut one of them in two.
    let reason = "looked at the ledger; ".repeat(8);
    machine.tieout(&["resume", "--reason", &reason]).went_well();
    machine.tieout(&["audit", "verify"]).went_well();
    let file = machine.home().join("tieout.db");
    write_out(&file);
    let mut bytes = std::fs::read(&file).unwrap();
    let was = b"looked at the ledger";
    // The file may hold what nothing leads to any more, beside what counts.
    let is_here = |place: &usize| bytes[*place..].starts_with(was);
    let places: Vec<usize> = (0..bytes.len() - was.len()).filter(is_here).collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place] ^= 1;
    }
    std::fs::write(&file, bytes).unwrap();
    let verified = machine.tieout(&["audit", "verify"]);
    assert_eq!(verified.status, 1, "{}{}", verified.out, verified.err);
    let said = format!("{}{}", verified.out, verified.err);
    assert!(said.contains("entry 2"), "{said}");
}

#[test]
fn a_backup_holds_all_but_the_key_and_overwrites_nothing() {
    let machine = Machine::with_home();
    if !machine.has_file() {
        return;
    }
    let folder = machine.folder.path().join("copies").join("june");
    let place = folder.to_str().unwrap();
    let made = machine.tieout(&["backup", place]).went_well().out;
    assert!(
        made.contains("checked") && made.contains("the key"),
        "{made}"
    );
    let names = |folder: &Path| {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        names(&folder),
        ["manifest.json", "tieout.db", "tieout.toml"]
    );
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert!(manifest["chains"].is_array() && manifest["bytes"].as_u64().unwrap() > 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    // Into a folder that is there: under a name of the moment, beside what is in it.
    machine
        .tieout(&["backup", folder.parent().unwrap().to_str().unwrap()])
        .went_well();
    assert_eq!(names(folder.parent().unwrap()).len(), 2);
    let file = machine.folder.path().join("a-file");
    std::fs::write(&file, "mine").unwrap();
    let refused = machine.tieout(&["backup", file.to_str().unwrap()]);
    refused.failed(2, &["error[backup-exists]", "a-file", "fix:"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    // The copy is a home by itself.
    std::fs::copy(machine.home().join("tieout.key"), folder.join("tieout.key")).unwrap();
    machine
        .tieout(&["audit", "verify", "--home", place])
        .went_well();
}

#[tokio::test(flavor = "multi_thread")]
async fn s225_a_recovery_is_asked_for_made_and_released_from_the_command_line() {
    let stage = connectable_to(20, 60).await;
    let machine = &stage.machine;
    machine.tieout(&["connect", "acme"]).went_well();
    machine
        .tieout(&["map", "suggest", "--confirm-exact"])
        .went_well();
    assert_eq!(
        machine.tieout(&["recover", "acme", "--release"]).status,
        2,
        "it wants a reason"
    );
    let release = ["recover", "acme", "--release", "--reason", "looked at it"];
    assert!(
        machine
            .tieout(&release)
            .went_well()
            .out
            .contains("in no recovery")
    );
    let told = machine.tieout(&["recover", "acme", "--json"]);
    assert!([0, 3].contains(&told.status), "{}", told.err);
    let recovery = &told.json()["recovery"];
    assert_eq!(recovery["connection"], "acme");
    assert_eq!(recovery["written"], 0);
    let steps = recovery["plan"]["steps"].as_array().unwrap();
    assert!(!steps.is_empty(), "{recovery:#}");
    let sync = machine.tieout(&["sync"]);
    assert_eq!(sync.status, 5);
    assert!(
        sync.out.contains("stopped[recovering]") && sync.out.contains("--release"),
        "{}",
        sync.out
    );
    assert!(
        machine
            .tieout(&["plan"])
            .went_well()
            .out
            .contains("nothing of it is written")
    );
    let shown = machine.tieout(&["recover", "acme"]).out;
    for part in [
        "once this is released",
        "--release --reason TEXT",
        "nothing was written",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    machine.tieout(&release).went_well();
    let synced = machine.tieout(&["sync", "--json"]);
    assert!([0, 3].contains(&synced.status), "{}", synced.err);
    assert!(synced.json()["runs"][0]["written"].as_u64().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tie_out_is_made_owned_signed_by_two_and_watched_for_drift() {
    let mut stage = connectable_to(20, 60).await;
    let panel = Panel::new(&stage.sandbox.description).unwrap();
    let machine = &mut stage.machine;
    machine.tieout(&["connect", "acme"]).went_well();
    machine
        .tieout(&["map", "suggest", "--confirm-exact"])
        .went_well();
    assert_eq!(machine.tieout(&["sync", "--quiet"]).status, 3);

    let made = machine
        .tieout(&["tie-out", "acme", "--json"])
        .went_well()
        .json();
    assert_eq!(made["status"], "NOT TIED", "{}", made["reasons"]);
    for (leg, left) in made["residuals"].as_object().unwrap() {
        assert_eq!(left, "0", "leg {leg}");
    }
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::get("US/Pacific").unwrap());
    let month = now.strftime("%Y-%m").to_string();
    let sign = |role: &'static str| {
        let month = month.as_str();
        ["tie-out", "sign", "acme", "--period", month, "--as", role]
    };
    machine
        .tieout(&sign("reviewer"))
        .failed(2, &["error[not-signed]"]);
    machine
        .tieout(&sign("preparer"))
        .failed(5, &["error[not-tied]", "fix:"]);
    // Each form says the same, and none of them is empty.
    let folder = machine.folder.path().join("papers");
    std::fs::create_dir(&folder).unwrap();
    for (format, begins) in [
        ("text", ""),
        ("csv", "row,"),
        ("html", "<!DOCTYPE html>"),
        ("pdf", "%PDF-"),
    ] {
        let file = folder.join(format);
        let place = file.to_str().unwrap();
        let command = ["tie-out", "acme", "--format", format, "--out", place];
        machine.tieout(&command).went_well();
        let bytes = std::fs::read(&file).unwrap();
        assert!(
            bytes.starts_with(begins.as_bytes()) && bytes.len() > 1000,
            "{format}"
        );
    }

    let own = |what: &[&str]| {
        let said = ["--owner", "robin", "--comment", "asked the vendor"];
        let command = [&["tie-out", "own", "acme"], what, &said].concat();
        machine.tieout(&command).went_well();
    };
    let categories: std::collections::BTreeSet<&str> = made["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["category"].as_str())
        .filter(|category| category.starts_with("E-"))
        .collect();
    for category in categories {
        own(&["--category", category]);
    }
    let typed = made["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["category"] == "E-BILLONLY");
    own(&[typed.unwrap()["platform"]["record"].as_str().unwrap()]);
    machine
        .tieout(&[
            "tie-out",
            "own",
            "acme",
            "no-such",
            "--owner",
            "a",
            "--comment",
            "b",
        ])
        .failed(2, &["error[unknown-record]"]);
    let text = machine.tieout(&["tie-out", "acme"]).went_well().out;
    assert!(
        text.contains("TIED WITH EXCEPTIONS") && text.contains("robin"),
        "{text}"
    );
    machine.tieout(&sign("preparer")).went_well();
    machine
        .tieout(&sign("reviewer"))
        .failed(5, &["error[same-person]"]);
    machine
        .environment
        .insert("USER".to_owned(), "reviewer".to_owned());
    machine.tieout(&sign("reviewer")).went_well();
    let frozen = machine
        .tieout(&["tie-out", "acme", "--signed", "--period", &month, "--json"])
        .went_well()
        .json();
    let roles: Vec<_> = frozen["signatures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["role"].as_str().unwrap(), one["who"].as_str().unwrap()))
        .collect();
    assert_eq!(
        roles,
        [("preparer", "user:tester"), ("reviewer", "user:reviewer")]
    );
    let html = machine.tieout(&[
        "tie-out", "acme", "--signed", "--period", &month, "--format", "html",
    ]);
    assert!(html.went_well().out.contains("user:reviewer"));

    machine
        .tieout(&["tie-out", "acme", "--signed"])
        .failed(2, &["--period"]);
    let quiet = machine
        .tieout(&["tie-out", "drift", "acme"])
        .went_well()
        .out;
    assert!(quiet.contains("nothing has changed since"), "{quiet}");
    let owed = made["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["category"] == "S-SCOPE");
    let record = owed.unwrap()["ledger"]["record"].as_str().unwrap();
    let id = record.rsplit('/').next().unwrap();
    let edit = json!({"action": "edit", "fields": {"amount": 1.11}}).to_string();
    panel
        .post(&format!("/control/netsuite/vendorbill/{id}"), &edit)
        .await
        .unwrap();
    let drift = machine
        .tieout(&["tie-out", "drift", "acme"])
        .went_well()
        .out;
    assert!(
        drift.contains("CHANGED SINCE SIGN-OFF") && drift.contains(record),
        "{drift}"
    );
    machine.tieout(&["audit", "verify"]).went_well();
    machine
        .tieout(&["tie-out", "acme", "--period", "June"])
        .failed(2, &["no month", "2026-06"]);
    machine
        .tieout(&["tie-out", "acme", "--day", "2999-01-01"])
        .failed(2, &["2999-01-01 is yet to come"]);
    machine
        .tieout(&["tie-out", "acme", "--day", "2026-06-15", "--period", &month])
        .failed(2, &["--day", "--period"]);
    let yesterday = now.date().yesterday().unwrap().to_string();
    let rolled = machine
        .tieout(&["tie-out", "acme", "--day", &yesterday])
        .went_well()
        .out;
    let told = format!("as of {yesterday}, rolled back from ");
    assert!(rolled.contains(&told), "{rolled}");
    machine
        .tieout(&["tie-out", "acme", "--period", "1999-01"])
        .failed(2, &["error[unknown-period]", "1999-01"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn s247_a_person_is_erased_from_the_history_and_it_still_verifies() {
    let stage = connectable_to(20, 60).await;
    let machine = &stage.machine;
    machine.tieout(&["connect", "acme"]).went_well();
    machine
        .tieout(&["map", "suggest", "--confirm-exact"])
        .went_well();
    assert_eq!(machine.tieout(&["sync", "--quiet"]).status, 3);
    let history = |record: &str| {
        let life = machine
            .tieout(&["audit", record, "--json"])
            .went_well()
            .json();
        life["records"][0]["history"].to_string()
    };
    // A vendor whose address of mail was sent over there, and so is told in the history.
    let record = (1001..1020)
        .map(|id| format!("ledger/vendor/{id}"))
        .find(|record| history(record).contains('@'))
        .unwrap();
    machine
        .tieout(&["audit", "erase", "no-such", "--reason", "a demand"])
        .failed(2, &["error[unknown-record]"]);
    let erased = machine
        .tieout(&["audit", "erase", &record, "--reason", "a demand", "--json"])
        .went_well()
        .json();
    assert!(erased["entries"].as_u64().unwrap() > 0, "{erased}");
    let left = history(&record);
    assert!(!left.contains('@'), "{left}");
    assert!(left.contains("a demand"), "{left}");
    machine.tieout(&["audit", "verify"]).went_well();
}
