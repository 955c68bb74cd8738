//! A disk that fills up in the middle of a sync, with the real program: what stands before libc is compiled by the
//! test. `cargo xtask disk` walks over every change that a sync makes; this is one of them, told in full.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tieout::sandbox::{Panel, Sandbox, SandboxOptions};

const FAULT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../xtask/src/disk/fault.c");

struct Done {
    status: i32,
    out: String,
    err: String,
}

/// A home that is connected to a sandbox.
struct Home {
    folder: TempDir,
    sandbox: Sandbox,
}

impl Home {
    async fn connected() -> Self {
        let options = SandboxOptions {
            vendors: Some(5),
            bills: Some(12),
            ..SandboxOptions::default()
        };
        let home = Self {
            folder: tempfile::tempdir().unwrap(),
            sandbox: Sandbox::start(&options).await.unwrap(),
        };
        let told = &home.sandbox.description;
        let text = |side: &str, name: &str| told[side][name].as_str().unwrap().to_owned();
        let config = format!(
            "[connections.acme]\npair = \"netsuite-bill\"\n\
             [connections.acme.netsuite]\naccount = \"{}\"\nsubsidiary = \"{}\"\ncredential = \"n\"\n\
             base_url = \"{}\"\nsettle = \"1 second\"\n\
             [connections.acme.bill]\norganization = \"{}\"\nenvironment = \"sandbox\"\ncredential = \"b\"\n\
             base_url = \"{}\"\nsettle = \"1 second\"\n\
             [connections.acme.preferences]\nlists.create_missing = true\n\
             transactions.payment_account = \"1090\"\n",
            text("netsuite", "account"),
            text("netsuite", "subsidiary"),
            text("netsuite", "base_url"),
            text("bill", "organization"),
            text("bill", "base_url"),
        );
        std::fs::write(home.folder.path().join("tieout.toml"), config).unwrap();
        home.well(&["init"], "").await;
        let fields = told["netsuite"]["netsuite-m2m"].to_string();
        home.well(
            &["credentials", "set", "n", "--kind", "netsuite-m2m"],
            &fields,
        )
        .await;
        let fields = told["bill"]["bill"].to_string();
        home.well(&["credentials", "set", "b", "--kind", "bill"], &fields)
            .await;
        home.well(&["map", "suggest", "acme", "--confirm-exact"], "")
            .await;
        home
    }

    /// Runs a command that does its work.
    async fn well(&self, args: &[&str], input: &str) -> Done {
        let done = self.run(args, input, &[]).await;
        assert!([0, 3].contains(&done.status), "{args:?}: {}", done.err);
        done
    }

    async fn run(&self, args: &[&str], input: &str, environment: &[(&str, &Path)]) -> Done {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tieout"))
            .arg("--home")
            .arg(self.folder.path())
            .args(args)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("USER", "tester")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = input.to_owned();
        // The sandbox answers on this runtime: the command is waited for beside it.
        tokio::task::spawn_blocking(move || {
            let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
            let output = child.wait_with_output().unwrap();
            Done {
                status: output.status.code().expect("it ended by itself"),
                out: String::from_utf8(output.stdout).unwrap(),
                err: String::from_utf8(output.stderr).unwrap(),
            }
        })
        .await
        .unwrap()
    }

    /// A sync on a disk that is full from this change of the store on; with how many changes there were.
    async fn sync_on(&self, disk: &Path, step: u64) -> (Done, u64) {
        let store = self.folder.path().join("tieout.db");
        let count = self.folder.path().join("count");
        let step = PathBuf::from(step.to_string());
        let environment: [(&str, &Path); 5] = [
            ("LD_PRELOAD", disk),
            ("DISK_FILES", &store),
            ("DISK_STEP", &step),
            ("DISK_ERROR", Path::new("full")),
            ("DISK_COUNT", &count),
        ];
        let done = self
            .run(&["sync", "acme", "--json"], "", &environment)
            .await;
        let told = std::fs::read_to_string(count).unwrap();
        (done, told.split(' ').next().unwrap().parse().unwrap())
    }

    /// How many writes are on record as attempted, in all runs.
    async fn attempted(&self) -> u64 {
        let runs = self.well(&["runs", "--json"], "").await;
        let runs: Value = serde_json::from_str(&runs.out).unwrap();
        let mut attempted = 0;
        for run in runs["runs"].as_array().unwrap() {
            let id = run["run"]["id"].as_str().unwrap();
            let shown = self.well(&["show", id, "--json"], "").await;
            attempted += writes(&serde_json::from_str(&shown.out).unwrap());
        }
        attempted
    }

    /// How many bills BILL has, and how many writing calls it has taken.
    async fn in_bill(&self) -> (u64, u64) {
        let panel = Panel::new(&self.sandbox.description).unwrap();
        let state = panel.get("/control/state").await.unwrap();
        let calls = panel.get("/control/calls").await.unwrap();
        let writes = calls["bill"]["by_path"].as_object().unwrap().iter();
        let writes = writes.filter(|(path, _)| !path.starts_with("GET") && !path.contains("login"));
        let writes = writes.map(|(_, count)| count.as_u64().unwrap()).sum();
        (state["bill"]["bills"]["count"].as_u64().unwrap(), writes)
    }
}

/// How many writes the attempts in this JSON are of.
fn writes(value: &Value) -> u64 {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::Array(writes) if name == "writes" => writes.len() as u64,
                other => writes(other),
            })
            .sum(),
        Value::Array(values) => values.iter().map(writes).sum(),
        _ => 0,
    }
}

/// Compiles what stands before libc; nothing where there is no C compiler.
fn disk(folder: &TempDir) -> Option<PathBuf> {
    let library = folder.path().join("fault.so");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .args([FAULT, "-ldl"])
        .status();
    match compiled {
        Ok(status) => {
            assert!(status.success(), "{FAULT} doesn't compile");
            Some(library)
        }
        Err(error) => {
            eprintln!("skipped: no C compiler: {error}");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s235_a_full_disk_stops_the_sync_before_anything_unrecorded_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = disk(&folder) else { return };
    let undisturbed = Home::connected().await;
    let (done, changes) = undisturbed.sync_on(&disk, 0).await;
    assert!([0, 3].contains(&done.status), "{}", done.err);
    let wanted = undisturbed.in_bill().await;

    // Full before the first call, in the midst of writing, and near the end.
    for step in [1, changes / 3, changes / 2, changes * 2 / 3] {
        let home = Home::connected().await;
        let (done, _) = home.sync_on(&disk, step).await;
        assert_eq!(done.status, 1, "change {step}: {}{}", done.out, done.err);
        assert!(done.err.contains("error[store-"), "{}", done.err);
        assert!(done.err.contains("fix:"), "{}", done.err);

        // Each writing call to BILL carries at least one write that was on record as attempted before it.
        let (_, sent) = home.in_bill().await;
        let attempted = home.attempted().await;
        assert!(
            sent <= attempted,
            "{sent} calls, {attempted} attempts on record"
        );
        home.well(&["audit", "verify"], "").await;

        // Room was made.
        home.well(&["sync", "acme"], "").await;
        assert_eq!(home.in_bill().await.0, wanted.0, "change {step}");
        home.well(&["audit", "verify"], "").await;
    }
}
