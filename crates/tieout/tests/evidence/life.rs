//! `tieout audit RECORD`: from any name of a record, of either side, its life with who, when, why, and what changed.

use serde_json::{Value, json};
use tieout::sandbox::Panel;

use crate::machine::{Machine, connected};

/// The life as it is printed, and what it is made of.
fn life(machine: &Machine, name: &str) -> (String, Value) {
    let text = machine.tieout(&["audit", name]).went_well().out;
    let told = machine.tieout(&["audit", name, "--json"]).went_well().out;
    (text, serde_json::from_str(&told).unwrap())
}

fn sync(machine: &Machine) {
    let synced = machine.tieout(&["sync"]);
    assert!([0, 3].contains(&synced.status), "{}", synced.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_is_found_by_any_name_and_told_with_who_when_why_and_what_changed() {
    let (machine, sandbox) = connected().await;
    let panel = Panel::new(&sandbox.description).unwrap();
    tokio::task::block_in_place(|| {
        machine
            .tieout(&["map", "suggest", "--confirm-exact"])
            .went_well();
        sync(&machine);
        sync(&machine);
    });
    // A bill that was written, its number, and what stands for it.
    let runs = machine.tieout(&["runs", "--json"]).went_well().out;
    let runs: Value = serde_json::from_str(&runs).unwrap();
    let run = runs["runs"][1]["run"]["id"].as_str().unwrap().to_owned();
    let shown = machine.tieout(&["show", &run, "--json"]).went_well().out;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let entries = shown["entries"].as_array().unwrap();
    let is = |entry: &Value, fact: &str| entry["fact"]["fact"] == fact;
    let intended = |flow: &str| {
        entries
            .iter()
            .find(|entry| is(entry, "intended") && entry["fact"]["is"]["flow"] == flow)
            .unwrap_or_else(|| panic!("no write of {flow}"))
    };
    let applied = |write: &Value| {
        let of =
            |entry: &&Value| is(entry, "applied") && entry["fact"]["is"]["write"] == write["seq"];
        let target = &entries.iter().find(of).unwrap()["fact"]["is"]["target"];
        target.as_str().unwrap().to_owned()
    };
    // Some lie in periods that are closed: a person edits the first that can be.
    let body = json!({"action": "edit", "fields": {"amount": 123.45}}).to_string();
    let mut edited = None;
    for bill in entries
        .iter()
        .filter(|entry| is(entry, "intended") && entry["fact"]["is"]["flow"] == "bills")
    {
        let ledger = bill["record"].as_str().unwrap();
        let id = ledger.rsplit('/').next().unwrap();
        let path = format!("/control/netsuite/vendorbill/{id}");
        if panel.post(&path, &body).await.is_ok() {
            edited = Some((bill, ledger));
            break;
        }
    }
    let (bill, ledger) = edited.unwrap();
    let platform = applied(bill);
    tokio::task::block_in_place(|| {
        sync(&machine);
        sync(&machine);
    });
    let (text, told) = life(&machine, ledger);
    let key = bill["fact"]["is"]["order"]["key"].as_str().unwrap();
    let write = bill["seq"].as_u64().unwrap();
    for words in [
        format!("bills: create bill for {ledger}"),
        format!("under {key}, by user:tester"),
        format!("write {write}: about to be sent"),
        format!("write {write}: applied: {platform}"),
        format!("bills: amend bill for {ledger}"),
        " → 123.45".to_owned(),
        "DONE".to_owned(),
    ] {
        assert!(text.contains(&words), "`{words}` is missing in: {text}");
    }
    let before = bill["fact"]["is"]["order"]["document"]["is"]["total"].as_str();
    let change = format!("    total: {} → 123.45", before.unwrap());
    assert!(text.contains(&change), "`{change}` is missing in: {text}");
    let sent = text.matches("about to be sent").count();
    assert_eq!(
        sent, 2,
        "the other writes of a batch are not its own: {text}"
    );

    // The same life by its number, its ids, and from the other side.
    let history = &told["records"][0]["history"];
    assert!(history.as_array().unwrap().len() > 5, "{history:#}");
    let label = told["records"][0]["now"]["observed"]["document"]["is"]["number"].as_str();
    let bare = |record: &str| record.rsplit('/').next().unwrap().to_owned();
    for name in [label.unwrap(), &bare(ledger), &platform, &bare(&platform)] {
        let (_, told) = life(&machine, name);
        let records = told["records"].as_array().unwrap();
        assert!(
            records.iter().any(|record| record["history"] == *history),
            "{name} leads to it"
        );
    }

    // A list's record is told with its mapping, from both sides; a vendor with what it waited for.
    let account = intended("accounts");
    for name in [account["record"].as_str().unwrap(), &applied(account)] {
        let (text, _) = life(&machine, name);
        for words in ["map: account", ": confirmed (", "), by user:tester", "DONE"] {
            assert!(text.contains(words), "`{words}` is missing in: {text}");
        }
    }
    let vendor = intended("vendors");
    let (text, _) = life(&machine, &applied(vendor));
    for words in [
        "vendors: create vendor",
        "an approved bill needs it",
        "DONE",
    ] {
        assert!(text.contains(words), "`{words}` is missing in: {text}");
    }

    // A payment of the platform and what was posted for it are one life.
    let body = json!({
        "bills": [bare(&platform)], "amount": null, "method": "ACH", "status": "PAID",
    });
    let paid = panel.post("/control/bill/pay", &body.to_string()).await;
    let payment = format!("platform/payment/{}", paid.unwrap()["id"].as_str().unwrap());
    tokio::task::block_in_place(|| {
        sync(&machine);
        sync(&machine);
    });
    // It comes back: what was posted is backed out, and the life goes on to that.
    let path = format!("/control/bill/payments/{}", bare(&payment));
    let body = json!({"status": "VOIDED"}).to_string();
    panel.post(&path, &body).await.unwrap();
    tokio::task::block_in_place(|| {
        sync(&machine);
        sync(&machine);
    });
    let (text, told) = life(&machine, &payment);
    let links = told["records"][0]["links"].as_array().unwrap();
    let targets: Vec<&str> = links
        .iter()
        .map(|link| link["target"].as_str().unwrap())
        .collect();
    let [posted, reversal] = targets[..] else {
        panic!("a posting and its reversal: {targets:?}");
    };
    for words in [
        format!("bill-payments: create payment for {payment}"),
        "the platform has paid it".to_owned(),
        format!("applied: {posted}"),
        "is DONE".to_owned(),
        "is REVERSED".to_owned(),
        ", by user:tester".to_owned(),
    ] {
        assert!(text.contains(&words), "`{words}` is missing in: {text}");
    }
    let history = &told["records"][0]["history"];
    for name in [posted, reversal] {
        let (_, there) = life(&machine, name);
        assert_eq!(there["records"][0]["history"], *history, "{name}");
    }
    drop(sandbox);
}
