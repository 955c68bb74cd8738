//! `tenants`: who is whose, all of one as files, and its end.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::Machine;

const PASSWORD: &str = "correct horse battery\n";

/// Two tenants with a connection each, of which a person has said something.
fn two_tenants() -> Machine {
    let machine = Machine::with_home();
    let connection = |name: &str, tenant: &str, organization: &str| {
        format!(
            "\n# The books of {tenant}.\n[connections.{name}]\ntenant = \"{tenant}\"\npair = \"netsuite-bill\"\n\
             netsuite = {{ account = \"1234567\", subsidiary = \"1\", credential = \"{tenant}-netsuite\" }}\n\
             bill = {{ environment = \"sandbox\", organization = \"{organization}\", credential = \"shared-bill\" }}\n"
        )
    };
    let before = fs::read_to_string(machine.config()).unwrap();
    let text = format!(
        "{before}{}{}",
        connection("acme-us", "acme", "00801ABCDEFGHIJKLMNO"),
        connection("zeta-us", "zeta", "00802ABCDEFGHIJKLMNO")
    );
    machine.write_config(&text);
    let bill = json!({
        "username": "u@example.com", "password": "a long password", "dev_key": "k",
    });
    {
        let name = "shared-bill";
        let args = [
            "credentials",
            "set",
            name,
            "--kind",
            "bill",
            "--no-check",
            "--no-sync",
        ];
        machine.tieout_reading(&args, &bill.to_string()).went_well();
    }
    let netsuite = json!({
        "consumer_key": "a", "consumer_secret": "b", "token_id": "c", "token_secret": "d",
    });
    for name in ["acme-netsuite", "zeta-netsuite"] {
        let args = [
            "credentials",
            "set",
            name,
            "--kind",
            "netsuite-tba",
            "--no-check",
            "--no-sync",
        ];
        machine
            .tieout_reading(&args, &netsuite.to_string())
            .went_well();
    }
    for name in ["acme-us", "zeta-us"] {
        let reason = format!("the auditors of {name} are in the house");
        machine
            .tieout(&["pause", name, "--reason", &reason])
            .went_well();
    }
    for (name, tenants) in [
        ("ada", &[][..]),
        ("al", &["--tenant", "acme"]),
        ("both", &["--tenant", "acme", "--tenant", "zeta"]),
    ] {
        let role = if tenants.is_empty() {
            "admin"
        } else {
            "viewer"
        };
        let mail = format!("{name}@acme.example.com");
        let add = ["users", "add", name, "--role", role, "--mail", &mail];
        let args = [&add[..], tenants].concat();
        machine.tieout_reading(&args, PASSWORD).went_well();
    }
    machine
}

/// Whether a word is in any file of a folder.
fn holds(folder: &Path, word: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, word);
        }
        let bytes = fs::read(&path).unwrap();
        let found = bytes
            .windows(word.len())
            .any(|part| part == word.as_bytes());
        if found {
            eprintln!("{word} is in {}", path.display());
        }
        found
    })
}

#[test]
fn a_tenant_is_listed_exported_and_leaves_nothing_but_the_proof() {
    let machine = two_tenants();
    let listed = machine.tieout(&["tenants", "--json"]).went_well().json();
    let acme = &listed["tenants"][1];
    assert_eq!(acme["tenant"], "acme", "{listed}");
    assert_eq!(acme["connections"], json!(["acme-us"]));
    assert_eq!(acme["users"], json!(["al", "both"]));
    assert_eq!(acme["size"]["entries"], 1);
    let shown = machine.tieout(&["tenants", "list"]).went_well().out;
    assert!(
        shown.contains("zeta-us") && shown.contains("ada"),
        "{shown}"
    );

    let out = machine.folder.path().join("acme");
    let out = out.to_str().unwrap();
    machine
        .tieout(&["tenants", "export", "nobody", "--out", out])
        .failed(2, &["unknown-tenant"]);
    machine
        .tieout(&["tenants", "export", "acme", "--out", out])
        .went_well();
    let pack = Path::new(out);
    for (file, word) in [
        ("tieout.toml", "acme-us"),
        ("users.json", "al@acme.example.com"),
        ("README.txt", "All that tieout keeps of acme"),
        ("stops.csv", "the auditors of acme-us"),
        ("chain/acme-us.jsonl", "paused"),
    ] {
        let text = fs::read_to_string(pack.join(file)).unwrap();
        assert!(text.contains(word), "{file}: {text}");
    }
    assert!(!holds(pack, "zeta") && !holds(pack, "a long password"));
    let checked = Command::new("python3")
        .arg("verify.py")
        .current_dir(pack)
        .output();
    if let Ok(checked) = checked {
        let told = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(told.contains("the chains hold"), "{told}");
    }

    let delete = [
        "tenants",
        "delete",
        "acme",
        "--reason",
        "the contract ended",
    ];
    machine
        .tieout(&delete)
        .failed(5, &["tenant-connected", "acme-us"]);
    let args = ["disconnect", "acme-us", "--yes", "--keep-credentials"];
    machine.tieout(&args).went_well();
    machine.tieout(&delete).failed(2, &["not-confirmed"]);
    let done = [&delete[..], &["--yes", "--json"]].concat();
    let done = machine.tieout(&done).went_well().json();
    assert_eq!(
        done["credentials"],
        json!(["acme-netsuite"]),
        "the other is shared"
    );
    assert_eq!(done["users"], json!(["al"]));
    assert_eq!(done["connections"][0]["deleted"]["entries"], 1);

    let verified = machine.tieout(&["audit", "verify"]).went_well().out;
    assert!(verified.contains("the history holds"), "{verified}");
    assert!(!verified.contains("acme-us"), "{verified}");
    for gone in ["the auditors of acme-us", "\"al@acme.example.com"] {
        assert!(!holds(&machine.home(), gone));
    }
    assert!(!machine.home().join("tieout.db.acme-us.witness").exists());
    let config = fs::read_to_string(machine.config()).unwrap();
    let has = |text: &str| config.lines().any(|line| line == text);
    assert!(has("[connections.zeta-us]"), "{config}");
    assert!(
        !has("[connections.acme-us]") && !has("# The books of acme."),
        "{config}"
    );
    assert!(
        has(
            "# A connection: one NetSuite account and subsidiary with one organization of a platform."
        ),
        "what stood above stays: {config}"
    );
    let users = machine
        .tieout(&["users", "list", "--json"])
        .went_well()
        .json();
    let both = &users["users"][1];
    assert_eq!(
        (&both["name"], &both["tenants"]),
        (&json!("both"), &json!(["zeta"]))
    );
    machine.tieout(&delete).failed(2, &["unknown-tenant"]);
    // The proof is told with the evidence of the month, which begins in the companies' own time zone.
    let zone = jiff::tz::TimeZone::get("America/Los_Angeles").unwrap();
    let now = jiff::Timestamp::now().to_zoned(zone);
    let month = now.strftime("%Y-%m").to_string();
    let june = machine.folder.path().join("june");
    let args = [
        "audit",
        "export",
        "--period",
        &month,
        "--out",
        june.to_str().unwrap(),
    ];
    machine.tieout(&args).went_well();
    let told = fs::read_to_string(june.join("entries.csv")).unwrap();
    assert!(
        told.contains("connection acme-us of tenant acme deleted with its 1 entries"),
        "{told}"
    );
}

#[test]
fn a_user_is_limited_to_tenants_that_there_are() {
    let machine = two_tenants();
    let args = ["users", "change", "al", "--tenant", "acne"];
    machine.tieout(&args).failed(2, &["unknown-tenant"]);
    let args = ["users", "change", "al", "--tenant", "zeta", "--json"];
    let al = machine.tieout(&args).went_well().json();
    assert_eq!(al["tenants"], json!(["zeta"]));
    let args = ["users", "change", "al", "--all-tenants", "--json"];
    let al = machine.tieout(&args).went_well().json();
    assert_eq!(al["tenants"], json!([]));
    let args = ["users", "change", "ada", "--tenant", "zeta"];
    machine.tieout(&args).failed(5, &["last-admin"]);
}
