//! What is in each register.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tieout::sandbox::Panel;
use tieout_domain::code::Code;
use tieout_domain::{
    Amount, Clock, Currency, Kind, Outcome, RecordRef, RemoteId, Side, State, Timestamp,
};
use tieout_store::{Commit, Fact, MapStatus, RunId, Store};

use crate::machine::{
    CONNECTION, Machine, check_chains, check_sums, connected, files, has, month, rows,
};

/// A clock that stands.
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Puts facts into the history of `acme`, as of this moment.
async fn happened(machine: &Machine, at: Timestamp, run: Option<&str>, facts: Vec<Fact>) {
    let url = format!("sqlite:{}", machine.home().join("tieout.db").display());
    let store = Store::open(&url, Arc::new(At(at))).await.unwrap();
    let commit = Commit {
        actor: "user:ann".to_owned(),
        run: run.map(RunId::new),
        facts,
        ..Commit::default()
    };
    let acme = store.connection(&"acme".parse().unwrap());
    acme.commit(commit).await.unwrap();
    store.close().await;
}

fn mapped(to: &str, status: MapStatus) -> Fact {
    Fact::Mapped {
        kind: "account".to_owned(),
        from: RemoteId::from("11"),
        to: (!to.is_empty()).then(|| RemoteId::from(to)),
        status,
        label_from: "6100 Rent".to_owned(),
        label_to: to.to_uppercase(),
        why: "the same number".to_owned(),
    }
}

fn stated(record: &RecordRef, state: State, code: &str, cause: &str) -> Fact {
    Fact::Stated {
        flow: "bills".to_owned(),
        record: record.clone(),
        outcome: Outcome {
            state,
            code: Some(Code::from_text(code)),
            cause: cause.to_owned(),
            group: String::new(),
            waits_for: None,
        },
        label: format!("INV-{}", record.id),
        amount: Some("12.50".parse::<Amount>().unwrap().of(Currency::USD)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_register_holds_what_it_is_for_and_a_change_is_told_with_what_was_before() {
    let machine = Machine::with(CONNECTION);
    let now = Timestamp::now();
    let bill = |id: &str| RecordRef::new(Side::Ledger, Kind::Bill, RemoteId::from(id));
    let decided = |id: &str, flow: &str, decision: &str, reason: &str| Fact::Decided {
        flow: flow.to_owned(),
        record: bill(id),
        decision: decision.to_owned(),
        reason: reason.to_owned(),
    };
    let started = |trigger: &str| Fact::RunStarted {
        trigger: trigger.to_owned(),
        flows: vec!["bills".to_owned()],
        limited: false,
    };
    // So long ago that it is in an earlier month, whatever day it is.
    let earlier = now - jiff::SignedDuration::from_hours(40 * 24);
    let old = vec![started("schedule"), mapped("a", MapStatus::Suggested)];
    happened(&machine, earlier, Some("run-1"), old).await;
    let flows = BTreeMap::from([(
        "bills".to_owned(),
        BTreeMap::from([("DONE".to_owned(), 3), ("BLOCKED".to_owned(), 1)]),
    )]);
    let ended = Fact::RunEnded {
        status: "exceptions".to_owned(),
        flows,
        calls: BTreeMap::from([("bill".to_owned(), 5)]),
        cause: String::new(),
        codes: Vec::new(),
    };
    happened(&machine, now, Some("run-1"), vec![ended]).await;
    let facts = vec![
        mapped("b", MapStatus::Confirmed),
        mapped("", MapStatus::Removed),
        stated(
            &bill("1"),
            State::Blocked,
            "unmapped-account",
            "no account for 6100",
        ),
        stated(
            &bill("2"),
            State::Reversed,
            "voided",
            "payment 9 was voided",
        ),
        decided("1", "bills", "", "replay (write 7): the bank is back"),
        decided("1", "bills", "ignore", "paid by hand"),
        decided("2", "tie-out", "owned by Bo", "asks the vendor"),
        Fact::ApprovalAsked {
            what: "mapping".to_owned(),
            subject: "funding/9".to_owned(),
            proposal: json!({}),
            user: "jo".to_owned(),
            reason: "new bank".to_owned(),
        },
    ];
    happened(&machine, now, None, facts).await;
    happened(&machine, now, Some("run-2"), vec![started("command")]).await;
    tokio::task::block_in_place(|| machine.export(&month(0), "now").went_well());
    let pack = machine.pack("now");

    let mappings = rows(&pack, "mappings");
    let told: Vec<_> = mappings
        .iter()
        .map(|row| ["before_to", "before_status", "after_to", "after_status"].map(|at| &row[at]))
        .collect();
    assert_eq!(
        told,
        [
            [
                &json!("a"),
                &json!("suggested"),
                &json!("b"),
                &json!("confirmed")
            ],
            [
                &json!("b"),
                &json!("confirmed"),
                &Value::Null,
                &json!("removed")
            ],
        ],
        "what an earlier month left is what was before"
    );
    assert_eq!(mappings[0]["actor"], "user:ann");

    let runs = rows(&pack, "runs");
    assert_eq!(runs.len(), 2, "{runs:?}");
    assert_eq!(
        [
            "run", "trigger", "flow", "records", "done", "blocked", "orphan", "calls"
        ]
        .map(|at| runs[0][at].clone()),
        [
            json!("run-1"),
            json!("schedule"),
            json!("bills"),
            json!(4),
            json!(3),
            json!(1),
            json!(0),
            json!(5)
        ]
    );
    assert!(runs[0]["started"].as_str() < runs[0]["ended"].as_str());
    assert_eq!(runs[1]["run"], "run-2");
    assert_eq!(runs[1]["ended"], Value::Null);

    let replays = rows(&pack, "replays");
    assert_eq!(replays.len(), 1, "{replays:?}");
    assert_eq!(replays[0]["reason"], "replay (write 7): the bank is back");
    let decisions = rows(&pack, "decisions");
    let told: Vec<_> = decisions
        .iter()
        .map(|row| (&row["about"], &row["decision"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("exception"), &json!("ignore")),
            (&json!("difference"), &json!("owned by Bo")),
        ]
    );
    let reversals = rows(&pack, "reversals");
    assert_eq!(reversals.len(), 1, "{reversals:?}");
    assert_eq!(reversals[0]["label"], "INV-2");
    assert_eq!(reversals[0]["cause"], "payment 9 was voided");
    let exceptions = rows(&pack, "exceptions");
    assert_eq!(exceptions.len(), 1, "{exceptions:?}");
    assert_eq!(exceptions[0]["record"], "ledger/bill/1");
    assert_eq!(
        (&exceptions[0]["amount"], &exceptions[0]["currency"]),
        (&json!("12.50"), &json!("USD"))
    );
    assert_eq!(exceptions[0]["title"], "an account has no counterpart");
    let approvals = rows(&pack, "approvals");
    assert_eq!(approvals.len(), 1, "{approvals:?}");
    assert_eq!(
        (
            &approvals[0]["event"],
            &approvals[0]["user"],
            &approvals[0]["reason"]
        ),
        (&json!("asked"), &json!("jo"), &json!("new bank"))
    );
    let entries = rows(&pack, "entries");
    assert_eq!(entries.len(), 10, "two are of an earlier month");
    assert_eq!(entries[0]["seq"], 3);
    if has("python3") {
        check_chains(&pack).went_well();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_and_no_bank_or_tax_number_of_the_sandbox_is_in_a_pack() {
    let (machine, sandbox) = connected().await;
    let panel = Panel::new(&sandbox.description).unwrap();
    let all = json!({"q": "SELECT id, email FROM vendor"}).to_string();
    let vendors = panel.post("/control/netsuite/query", &all).await.unwrap();
    let vendors = vendors["items"].as_array().unwrap().clone();
    assert!(!vendors.is_empty());
    for vendor in &vendors {
        let path = format!(
            "/control/netsuite/vendor/{}",
            vendor["id"].as_str().unwrap()
        );
        let fields = json!({"taxIdNum": "912-34-5678", "email": "private.person@example.com"});
        let body = json!({"action": "edit", "fields": fields}).to_string();
        panel.post(&path, &body).await.unwrap();
    }
    let pack = machine.pack("now");
    tokio::task::block_in_place(|| {
        machine
            .tieout(&["map", "suggest", "--confirm-exact"])
            .went_well();
        for _ in 0..2 {
            let synced = machine.tieout(&["sync"]);
            assert!([0, 3].contains(&synced.status), "{}", synced.err);
        }
        machine.export(&month(0), "now").went_well();
    });
    let secrets = [
        "TIEOUT_NETSUITE_PRIVATE_KEY_PEM",
        "TIEOUT_BILL_DEV_KEY",
        "TIEOUT_BILL_PASSWORD",
    ];
    let mut never: Vec<&str> = secrets
        .iter()
        .flat_map(|name| machine.environment[*name].lines())
        .filter(|line| !line.starts_with("-----"))
        .collect();
    // The organization's bank account, as the sandbox has it, and what the vendors were just given.
    never.extend(["000000004321", "912-34-5678", "912345678", "34-5678"]);
    never.push("private.person@example.com");
    for file in files(&pack) {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in &never {
            assert!(!text.contains(word), "{word} is in {}", file.display());
        }
    }
    // It is no empty pack that holds nothing of this.
    let runs = rows(&pack, "runs");
    assert!(!runs.is_empty());
    for run in &runs {
        let states = [
            "done", "noop", "skipped", "hold", "blocked", "conflict", "reversed", "orphan",
        ];
        let sum: u64 = states
            .iter()
            .map(|state| run[state].as_u64().unwrap())
            .sum();
        assert_eq!(run["records"], sum, "{run}");
        assert!(
            run["started"].is_string() && run["ended"].is_string(),
            "{run}"
        );
    }
    let mappings = rows(&pack, "mappings");
    assert!(
        mappings
            .iter()
            .any(|row| row["after_status"] == "confirmed")
    );
    let writes = rows(&pack, "writes");
    let of = |event: &str| writes.iter().filter(|row| row["event"] == event).count();
    assert!(of("intended") > 0 && of("applied") > 0, "{writes:?}");
    let credentials = rows(&pack, "credentials");
    assert_eq!(credentials.len(), 2, "{credentials:?}");
    let entries = rows(&pack, "entries");
    assert!(entries.iter().all(|row| row["words"] != ""));
    assert!(entries.len() > 250, "more than a page: {}", entries.len());
    if has("python3") {
        check_chains(&pack).went_well();
    }
    if has("sha256sum") {
        check_sums(&pack).went_well();
    }
    drop(sandbox);
}
