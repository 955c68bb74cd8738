//! A user's machine, and what is done with a pack on an auditor's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tempfile::TempDir;
use tieout::sandbox::{Sandbox, SandboxOptions};

/// A user's machine with a home, of whose real environment nothing is seen.
pub(crate) struct Machine {
    pub(crate) folder: TempDir,
    pub(crate) environment: BTreeMap<String, String>,
}

/// What a command left behind.
pub(crate) struct Done {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    #[track_caller]
    pub(crate) fn went_well(self) -> Self {
        assert_eq!(self.status, 0, "{}{}", self.out, self.err);
        self
    }

    /// Asserts the exit status, and that each of these words is told.
    #[track_caller]
    pub(crate) fn failed(&self, status: i32, words: &[&str]) {
        let said = format!("{}{}", self.out, self.err);
        assert_eq!(self.status, status, "{said}");
        for word in words {
            assert!(said.contains(word), "`{word}` is missing in: {said}");
        }
    }
}

impl Machine {
    /// With a home that has this configuration.
    pub(crate) fn with(config: &str) -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
            environment: BTreeMap::new(),
        };
        machine.tieout(&["init", "--quiet"]).went_well();
        std::fs::write(machine.home().join("tieout.toml"), config).unwrap();
        machine
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Where a pack of this name is to be.
    pub(crate) fn pack(&self, name: &str) -> PathBuf {
        self.folder.path().join("packs").join(name)
    }

    pub(crate) fn tieout(&self, args: &[&str]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tieout"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TIEOUT_HOME", self.home())
            .env("USER", "tester")
            .envs(&self.environment);
        done(&mut command, self.folder.path())
    }

    pub(crate) fn export(&self, period: &str, name: &str) -> Done {
        let folder = self.pack(name);
        let folder = folder.to_str().unwrap();
        self.tieout(&["audit", "export", "--period", period, "--out", folder])
    }
}

pub(crate) fn done(command: &mut Command, folder: &Path) -> Done {
    let output = command.current_dir(folder).output().unwrap();
    Done {
        status: output.status.code().expect("it ended by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) const CONNECTION: &str = "[connections.acme]\npair = \"netsuite-bill\"\n\
    [connections.acme.netsuite]\naccount = \"1234567\"\ncredential = \"a\"\n\
    [connections.acme.bill]\nenvironment = \"sandbox\"\norganization = \"008\"\ncredential = \"b\"\n";

/// The company's present month; months from here on are counted from it.
pub(crate) fn month(from_now: i64) -> String {
    let zone = TimeZone::get("America/Los_Angeles").unwrap();
    let today = jiff::Timestamp::now().to_zoned(zone).date();
    let first = today.first_of_month();
    let month = first.saturating_add(jiff::Span::new().months(from_now));
    month.strftime("%Y-%m").to_string()
}

pub(crate) fn rows(pack: &Path, register: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(pack.join(format!("{register}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub(crate) fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output();
    let there = there.is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped what needs {program}: it is not here");
    }
    there
}

/// The lines of the index that check the chains, as somebody would type them.
pub(crate) fn typed_from_the_index(pack: &Path) -> String {
    let index = std::fs::read_to_string(pack.join("README.txt")).unwrap();
    let (_, after) = index.split_once("typed anew:\n").unwrap();
    let lines = after
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("    "));
    lines.fold(String::new(), |text, line| {
        text + line.strip_prefix("    ").unwrap_or_default() + "\n"
    })
}

/// Runs the index's own lines over a pack.
pub(crate) fn check_chains(pack: &Path) -> Done {
    let lines = typed_from_the_index(pack);
    done(Command::new("python3").args(["-c", &lines]), pack)
}

pub(crate) fn check_sums(pack: &Path) -> Done {
    done(
        Command::new("sha256sum").args(["-c", "manifest.sha256"]),
        pack,
    )
}

pub(crate) fn edit(path: &Path, change: impl Fn(String) -> String) {
    let before = std::fs::read_to_string(path).unwrap();
    let after = change(before.clone());
    assert_ne!(before, after, "the test must change something");
    std::fs::write(path, after).unwrap();
}

/// A sandbox, and a machine with a connection to it.
pub(crate) async fn connected() -> (Machine, Sandbox) {
    let options = SandboxOptions {
        vendors: Some(20),
        bills: Some(60),
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(&options).await.unwrap();
    let mut machine = Machine::with("");
    let told = &sandbox.description;
    let (ledger, bill) = (&told["netsuite"], &told["bill"]);
    let m2m = &ledger["netsuite-m2m"];
    for (variable, value) in [
        ("TIEOUT_NETSUITE_ACCOUNT", &ledger["account"]),
        ("TIEOUT_NETSUITE_SUBSIDIARY", &ledger["subsidiary"]),
        ("TIEOUT_NETSUITE_BASE_URL", &ledger["base_url"]),
        ("TIEOUT_NETSUITE_CLIENT_ID", &m2m["client_id"]),
        ("TIEOUT_NETSUITE_CERTIFICATE_ID", &m2m["certificate_id"]),
        ("TIEOUT_NETSUITE_PRIVATE_KEY_PEM", &m2m["private_key_pem"]),
        ("TIEOUT_BILL_ORGANIZATION", &bill["organization"]),
        ("TIEOUT_BILL_ENVIRONMENT", &json!("sandbox")),
        ("TIEOUT_BILL_BASE_URL", &bill["base_url"]),
        ("TIEOUT_BILL_DEV_KEY", &bill["bill"]["dev_key"]),
        ("TIEOUT_BILL_USERNAME", &bill["bill"]["username"]),
        ("TIEOUT_BILL_PASSWORD", &bill["bill"]["password"]),
    ] {
        let value = value.as_str().unwrap().to_owned();
        machine.environment.insert(variable.to_owned(), value);
    }
    let args = [
        "connect",
        "acme",
        "--set",
        "preferences.lists.create_missing:=true",
        "--set",
        "preferences.transactions.payment_account=1090",
    ];
    machine.tieout(&args).went_well();
    (machine, sandbox)
}
