//! `import`, and the question of the first sync, through the real program and against the sandbox.

use std::time::Duration;

use super::serve::Serving;
use super::*;

/// A connection `ar` between NetSuite and Invoiced of which nothing was read yet.
async fn receiving() -> Connectable {
    let options = SandboxOptions {
        vendors: Some(2),
        bills: Some(2),
        customers: Some(12),
        invoices: Some(30),
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(&options).await.unwrap();
    let machine = Machine::with_home();
    let told = &sandbox.description;
    let text = |system: &str, key: &str| told[system][key].as_str().unwrap().to_owned();
    machine.write_config(&format!(
        r#"[server]
listen = "127.0.0.1:0"
[connections.ar]
pair = "netsuite-invoiced"
schedule = "never"
[connections.ar.netsuite]
account = "{}"
subsidiary = "{}"
credential = "netsuite"
base_url = "{}"
settle = "1 second"
[connections.ar.invoiced]
environment = "sandbox"
time_zone = "America/New_York"
credential = "invoiced"
base_url = "{}"
settle = "1 second"
"#,
        text("netsuite", "account"),
        text("netsuite", "subsidiary"),
        text("netsuite", "base_url"),
        text("invoiced", "base_url"),
    ));
    for (name, kind) in [("netsuite", "netsuite-m2m"), ("invoiced", "invoiced")] {
        let fields = told[name][kind].to_string();
        let set = ["credentials", "set", name, "--kind", kind, "--no-check"];
        machine.tieout_reading(&set, &fields).went_well();
    }
    Connectable { machine, sandbox }
}

fn came(result: &Value, what: &str) -> Vec<Value> {
    let rows = result["rows"].as_array().unwrap();
    let rows = rows.iter().filter(|row| row["result"] == what);
    rows.cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_tells_every_record_and_again_makes_none() {
    let world = receiving().await;
    let done = world.tieout(&["import", "customers", "ar", "--json"]).await;
    assert!([0, 3].contains(&done.status), "{}{}", done.out, done.err);
    let result = done.json();
    assert_eq!(result["ended"], true, "{result}");
    let made = came(&result, "made");
    assert!(!made.is_empty(), "{result}");
    assert_eq!(result["counts"]["made"], made.len());
    for row in &made {
        assert!(
            row["record"]
                .as_str()
                .unwrap()
                .starts_with("ledger/customer/")
        );
        assert!(
            row["target"]
                .as_str()
                .unwrap()
                .starts_with("platform/customer/")
        );
    }
    for row in came(&result, "skipped")
        .iter()
        .chain(&came(&result, "waiting"))
    {
        assert!(!row["cause"].as_str().unwrap().is_empty(), "{row}");
    }
    let again = world
        .tieout(&["import", "customers", "ar", "--json"])
        .await
        .json();
    assert_eq!(again["counts"]["made"], 0, "{again}");
    assert_ne!(again["import"], result["import"]);
    let last = world
        .tieout(&["import", "customers", "ar", "--last", "--json"])
        .await
        .json();
    assert_eq!(last, again);
    let told = world.tieout(&["import", "invoices", "ar"]).await;
    assert!(
        told.out.contains("import of invoices into ar: "),
        "{}",
        told.out
    );
    world
        .tieout(&["import", "bills", "ar"])
        .await
        .failed(2, &["customers", "invoices"]);
    world
        .tieout(&["import", "customers", "ra"])
        .await
        .failed(2, &["unknown-connection"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_at_work_imports_and_the_command_watches() {
    let world = receiving().await;
    let _serving = tokio::task::block_in_place(|| Serving::begin(&world.machine));
    // It says that it is at work as soon as it is.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let done = world.tieout(&["import", "invoices", "ar", "--json"]).await;
    assert!(done.err.contains("the service imports"), "{}", done.err);
    let result = done.json();
    assert_eq!(result["ended"], true, "{result}{}", done.err);
    assert!(!came(&result, "made").is_empty(), "{result}");
    let runs = world.tieout(&["runs", "ar", "--json"]).await.json();
    let run = &runs["runs"][0]["run"];
    assert_eq!(run["trigger"], "import invoices");
    assert_eq!(run["actor"], "user:tester");
    assert_eq!(run["id"], result["runs"][0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn s171_switching_on_shows_how_much_the_first_sync_takes_and_asks_once() {
    let world = receiving().await;
    let set = ["preferences", "set", "ar", "receivables.reconcile"];
    let switch = |value: &'static str| [set.as_slice(), &[value]].concat();
    let done = world.tieout(&switch("true")).await.went_well();
    assert!(
        done.err.contains("the first sync takes to the ledger: "),
        "{}",
        done.err
    );
    assert!(done.err.contains(" invoice"), "{}", done.err);
    assert!(
        done.err.contains("waits until somebody says yes"),
        "{}",
        done.err
    );
    let value = |world: &Connectable, key: &str| {
        let shown = world
            .machine
            .tieout(&["preferences", "show", "ar", "--json"]);
        let shown = shown.went_well().json();
        let all = shown["connections"][0]["preferences"].as_array().unwrap();
        let one = all.iter().find(|it| it["key"] == key).unwrap();
        one["value"].clone()
    };
    assert_eq!(value(&world, "receivables.reconcile"), true);
    assert_eq!(value(&world, "receivables.first_sync"), "ask");
    // Nobody is there to say yes: it holds, as one exception.
    world.tieout(&["sync", "ar"]).await.failed(3, &[]);
    let waits = world.tieout(&["exceptions", "ar", "--json"]).await;
    assert!(waits.out.contains("first-sync"), "{}", waits.out);

    world.tieout(&switch("false")).await.went_well();
    let mut yes = switch("true");
    yes.push("--yes");
    world.tieout(&yes).await.went_well();
    assert_eq!(value(&world, "receivables.first_sync"), "all");
}
