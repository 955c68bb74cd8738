//! From BILL's own sync to this one: what that made is linked, the balance is agreed, and nothing is made twice.

use serde_json::{Value, json};
use tieout::sandbox::Panel;

use super::{Connectable, Machine, connectable_to};

/// A world in which BILL's own sync has been at work: bills without our mark, payments on both sides.
struct Moved {
    world: Connectable,
    panel: Panel,
}

impl Moved {
    async fn new() -> Self {
        let world = connectable_to(12, 40).await;
        let panel = Panel::new(&world.sandbox.description).unwrap();
        let moved = Self { world, panel };
        moved.let_theirs_work().await;
        moved
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let path = format!("/control/{path}");
        self.panel.post(&path, &body.to_string()).await.unwrap()
    }

    /// Stands in for theirs: another home that leaves no marks, and a person for the payments that it posts.
    async fn let_theirs_work(&self) {
        let mut theirs = Machine::with_home();
        theirs.environment = self.world.machine.environment.clone();
        let links = tokio::task::block_in_place(|| {
            let unmarked = "preferences.transactions.marker=none";
            let create = "preferences.lists.create_missing=true";
            theirs
                .tieout(&["connect", "theirs", "--set", unmarked, "--set", create])
                .went_well();
            theirs
                .tieout(&["map", "suggest", "--confirm-exact"])
                .went_well();
            theirs.tieout(&["sync", "--quiet"]);
            theirs.tieout(&["sync", "--json"]).json()
        });
        assert!(links["runs"][0]["flows"]["bills"]["DONE"].as_u64().unwrap() > 5);
        // Of three vendors' bills: one paid whole, one in part, one in two equal parts on two days.
        let open = self.open_pairs().await;
        for ((here, there, total), parts) in open.iter().zip([1, 2, 2]) {
            let amount = format!("{:.2}", total / f64::from(parts));
            let paid = json!({"bills": [there], "amount": amount.parse::<f64>().unwrap(),
                "method": "ACH", "status": "PROCESSED"});
            let made = self.post("bill/pay", paid).await;
            let date = made["payments"][0]["processDate"].as_str().unwrap();
            self.post(
                "netsuite/vendorPayment",
                json!({"bills": [here], "amount": amount, "date": date, "memo": "Bill.com Sync"}),
            )
            .await;
        }
        self.post(
            "netsuite/bundle",
            json!({"action": "install", "active": true}),
        )
        .await;
    }

    /// Bills that are open on both sides and agree in number and amount: id here, id there, amount.
    async fn open_pairs(&self) -> Vec<(String, String, f64)> {
        let sql = "SELECT t.id AS id, t.tranid AS number, t.foreigntotal AS total FROM transaction t \
                   WHERE t.type = 'VendBill' AND t.foreignamountunpaid = ABS(t.foreigntotal)";
        let here = self.post("netsuite/query", json!({ "q": sql })).await;
        let there = self.bills().await;
        let mut pairs = Vec::new();
        for row in here["items"].as_array().unwrap() {
            let total: f64 = row["total"].as_str().unwrap().parse::<f64>().unwrap().abs();
            let fits = |bill: &&Value| {
                let amount = |name: &str| bill[name].as_str().unwrap().parse().ok();
                bill["number"] == row["number"]
                    && amount("total") == Some(total)
                    && amount("due") == Some(total)
            };
            if let Some(bill) = there.iter().find(fits) {
                let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
                pairs.push((id(row), id(bill), total));
            }
        }
        assert!(pairs.len() > 3, "{pairs:?}");
        pairs
    }

    /// BILL's bills, by its own account.
    async fn bills(&self) -> Vec<Value> {
        let all = self.panel.get("/control/records").await.unwrap();
        all["bill"]["bills"].as_array().unwrap().clone()
    }

    /// How many payments each side has.
    async fn payments(&self) -> (Value, Value) {
        let state = self.panel.get("/control/state").await.unwrap();
        let sql = "SELECT COUNT(*) AS n FROM transaction t WHERE t.type = 'VendPymt'";
        let here = self.post("netsuite/query", json!({ "q": sql })).await;
        (
            here["items"][0]["n"].clone(),
            state["bill"]["payments"]["count"].clone(),
        )
    }

    /// Decides which of the vendors that a choice names it is, as a person would: by the bills of each. What is left
    /// then is that of the last one.
    async fn decide_vendors(&self, told: &Value) {
        let bills = self.bills().await;
        let mut taken: Vec<String> = Vec::new();
        let mut unclear = Vec::new();
        for choice in told["moving_over"]["found"]["plan"]["choices"]
            .as_array()
            .unwrap()
        {
            let record = choice["record"].as_str().unwrap();
            let (_, id) = record.rsplit_once('/').unwrap();
            let sql = format!("SELECT t.tranid AS number FROM transaction t WHERE t.entity = {id}");
            let here = self.post("netsuite/query", json!({ "q": sql })).await;
            let rows = here["items"].as_array().unwrap();
            let numbers: Vec<_> = rows.iter().map(|row| &row["number"]).collect();
            let candidates = candidates(choice["cause"].as_str().unwrap());
            let fits = |bill: &&Value| {
                candidates.iter().any(|one| bill["vendor"] == **one)
                    && numbers.contains(&&bill["number"])
            };
            match bills.iter().find(fits) {
                Some(bill) => {
                    let vendor = bill["vendor"].as_str().unwrap();
                    self.decide(record, vendor).await;
                    taken.push(vendor.to_owned());
                }
                None => unclear.push((record, candidates)),
            }
        }
        for (record, candidates) in unclear {
            let free = candidates.iter().find(|one| !taken.contains(one)).unwrap();
            self.decide(record, free).await;
        }
    }

    async fn decide(&self, record: &str, vendor: &str) {
        let target = format!("platform/vendor/{vendor}");
        let resolve = ["exceptions", "resolve", record, "--link", &target];
        let args = [&resolve[..], &["--reason", "the same bills"]].concat();
        self.world.tieout(&args).await.went_well();
    }

    async fn go_on(&self, more: &[&str]) -> super::Done {
        let args = [&["connect", "acme", "--moving-over"], more].concat();
        self.world.tieout(&args).await
    }
}

/// The ids of vendors that a text names.
fn candidates(text: &str) -> Vec<String> {
    let parts = text.split(['(', ')']);
    parts
        .filter(|part| part.starts_with("009"))
        .map(str::to_owned)
        .collect()
}

fn next(told: &Value) -> &str {
    told["moving_over"]["next"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn s249_moving_over_links_what_the_other_sync_made_and_makes_nothing_twice() {
    let moved = Moved::new().await;
    let payments = moved.payments().await;
    let bills = moved.bills().await.len();

    // Stored, and stopped: neither a sync nor a person lets it go before its end.
    let create = "preferences.lists.create_missing=true";
    let done = moved.go_on(&["--set", create]).await;
    assert_eq!(done.status, 3, "{}{}", done.out, done.err);
    assert!(done.out.contains("Settings > Sync > Setup > Disconnect"));
    let refused = moved.world.tieout(&["sync", "acme"]).await;
    assert_eq!(refused.status, 5, "{}{}", refused.out, refused.err);
    let resume = ["resume", "acme", "--reason", "let it go"];
    let refused = moved.world.tieout(&resume).await;
    refused.failed(5, &["error[moving-over-unfinished]", "stop-theirs"]);

    // A person's word alone is not enough.
    let refused = moved.go_on(&["--stopped"]).await;
    refused.failed(5, &["error[other-sync-active]"]);
    let off = json!({"action": "install", "active": false});
    moved.post("netsuite/bundle", off).await;
    let told = moved.go_on(&["--stopped", "--json"]).await;
    assert_eq!(told.status, 3, "{}{}", told.out, told.err);
    assert_eq!(next(&told.json()), "link", "{}", told.out);
    assert_eq!(moved.payments().await, payments);

    // What belongs together is linked, the payments too.
    moved
        .world
        .tieout(&["map", "suggest", "acme", "--confirm-exact"])
        .await
        .went_well();
    let told = moved.go_on(&["--yes", "--json"]).await;
    assert_eq!(told.status, 3, "{}{}", told.out, told.err);
    // Equal names are no proof: a person decides, and it goes on.
    assert_eq!(next(&told.json()), "link", "{}", told.out);
    moved.decide_vendors(&told.json()).await;
    let told = moved.go_on(&["--yes", "--json"]).await;
    assert_eq!(told.status, 3, "{}{}", told.out, told.err);
    let told = told.json();
    let linked = told["moving_over"]["found"]["linked"].as_array().unwrap();
    let of = |flow: &str| -> u64 {
        let rows = linked.iter().filter(|row| row["flow"] == flow);
        rows.map(|row| row["count"].as_u64().unwrap()).sum()
    };
    assert_eq!(of("bill-payments"), 3, "{told}");
    assert!(of("bills") > 5, "{told}");
    assert_eq!(next(&told), "balance", "{told}");
    assert_eq!(
        told["moving_over"]["found"]["balance"][0]["status"],
        "NOT TIED"
    );

    // Every difference is somebody's, and it goes live.
    let report = moved
        .world
        .tieout(&["tie-out", "acme", "--json"])
        .await
        .went_well()
        .json();
    let mut categories: Vec<_> = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["category"].as_str())
        .filter(|category| category.starts_with("E-"))
        .collect();
    categories.sort_unstable();
    categories.dedup();
    for category in categories {
        let own = ["tie-out", "own", "acme", "--category", category];
        let said = ["--owner", "robin", "--comment", "known at cut-over"];
        moved
            .world
            .tieout(&[&own[..], &said].concat())
            .await
            .went_well();
    }
    let done = moved.go_on(&["--yes"]).await.went_well();
    assert!(
        done.out.contains("TIED WITH EXCEPTIONS") && done.out.contains("`acme` is live"),
        "{}",
        done.out
    );

    for _ in 0..2 {
        let done = moved.world.tieout(&["sync", "acme", "--json"]).await;
        assert!([0, 3].contains(&done.status), "{}{}", done.out, done.err);
    }
    assert_eq!(moved.payments().await, payments, "nothing is paid twice");
    // What the other sync had left out follows; what it had made isn't made again.
    let mut seen = std::collections::BTreeSet::new();
    for bill in moved.bills().await {
        let name = format!("{} {} {}", bill["vendor"], bill["number"], bill["total"]);
        assert!(seen.insert(name), "{bill} is there twice");
    }
    assert!(seen.len() > bills);
    let status = moved
        .go_on(&["--status", "--json"])
        .await
        .went_well()
        .json();
    assert_eq!(status["moving_over"]["next"], Value::Null);
    assert_eq!(status["moving_over"]["steps"][3]["by"], "user:tester");
    // Gone through once, it is not gone through again.
    moved.go_on(&["--yes"]).await.went_well();
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_over_is_given_up_and_the_connection_stays_stopped() {
    let moved = Moved::new().await;
    assert_eq!(moved.go_on(&[]).await.status, 3);
    moved.go_on(&["--abandon"]).await.went_well();
    let refused = moved.world.tieout(&["sync", "acme"]).await;
    assert_eq!(refused.status, 5, "{}{}", refused.out, refused.err);
}
