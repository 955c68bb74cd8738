//! No check that can't fail: a sound world is broken in one place, and the check that is there for it complains.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_domain::document::{Account, AccountKind};
use tieout_domain::port::{Action, Order};
use tieout_domain::{
    Amount, Clock, ConnectionName, Currency, Document, Key, Kind, Outcome, RecordRef, Side, State,
    Timestamp,
};
use tieout_engine::{Plan, PlannedStep, Problem, RunReport, RunStatus};
use tieout_flows::tie_out::{Check, Completeness, Leg, Method, Party, PeriodName, Report, Status};
use tieout_sim::check::{self, Items, Snapshot};
use tieout_store::{Commit, Fact, Item, Stop, StopKind, Store};

const ORGANIZATION: &str = "00801ABC";

/// A bill that came to the platform, was paid there, and whose payment was posted; and one more that is open.
fn sound() -> Snapshot {
    Snapshot {
        organization: ORGANIZATION.to_owned(),
        subsidiary: Some("3".to_owned()),
        ledger: json!({
            "transactions": [
                {"id": "1", "type": "VendBill", "total": "100", "unpaid": "0", "subsidiary": "3"},
                {"id": "2", "type": "VendBill", "total": "50", "unpaid": "50", "subsidiary": "3"},
                {"id": "9", "type": "VendPymt", "external_id": "bill_00801ABC_stp1", "currency": "1", "total": "-100",
                    "voided": "F"},
            ],
            "applications": [{"from": "9", "to": "1", "amount": "100"}],
            "vendors": [{"id": "7", "name": "Acme"}],
            "balances": [
                {"number": "1090", "currency": "1", "amount": "-100", "foreign": "-100"},
                {"number": "2000", "currency": "1", "amount": "-50", "foreign": "-50"},
                {"number": "5000", "currency": "1", "amount": "150", "foreign": "150"},
            ],
        }),
        platform: json!({
            "vendors": [{"id": "v1", "name": "Acme"}],
            "bills": [
                {"id": "b1", "vendor": "v1", "archived": false, "total": "100", "description": "ns:1_SB1:1"},
                {"id": "b2", "vendor": "v1", "archived": false, "total": "50", "description": "ns:1_SB1:2"},
            ],
            "vendor_credits": [
                {"id": "c1", "vendor": "v1", "archived": false, "description": "ns:1_SB1:3"},
            ],
            "payments": [
                {"id": "stp1", "recorded": false, "stage": "Paid", "parts": [{"bill": "b1", "amount": "100"}]},
                {"id": "stp2", "recorded": true, "stage": "Paid", "sync_reference": "ns_1-SB1_8", "parts": []},
            ],
        }),
    }
}

fn items() -> Items {
    let mut items = Items::new();
    for (flow, side, kind, id) in [
        ("bills", Side::Ledger, Kind::Bill, "1"),
        ("bills", Side::Ledger, Kind::Bill, "2"),
        ("bill-payments", Side::Platform, Kind::Payment, "stp1"),
    ] {
        let record = RecordRef::new(side, kind, id);
        let item = Item {
            flow: flow.to_owned(),
            record: record.clone(),
            outcome: Outcome::done(),
            label: String::new(),
            amount: None,
            since: jiff::Timestamp::UNIX_EPOCH,
            at: jiff::Timestamp::UNIX_EPOCH,
            seq: 1,
        };
        items.insert((flow.to_owned(), record), item);
    }
    items
}

fn checks(after: &Snapshot, items: &Items) -> Vec<&'static str> {
    let counterparts =
        [("1", "b1"), ("2", "b2")].map(|(here, there)| (here.to_owned(), there.to_owned()));
    let mut found: Vec<_> = check::servers(&sound_before(), after, items, &counterparts.into())
        .into_iter()
        .map(|violation| violation.check)
        .collect();
    found.dedup();
    found
}

/// Before tieout had done anything.
fn sound_before() -> Snapshot {
    let mut before = sound();
    before.ledger["balances"] = json!([]);
    for table in ["vendors", "bills", "vendor_credits", "payments"] {
        before.platform[table] = json!([]);
    }
    before
}

fn push(records: &mut Value, table: &str, record: Value) {
    records[table].as_array_mut().unwrap().push(record);
}

#[test]
fn a_sound_world_gives_nothing_to_complain_of() {
    assert_eq!(checks(&sound(), &items()), Vec::<&str>::new());
}

#[test]
fn a_bill_or_credit_that_is_there_twice_is_found() {
    for (table, marker) in [("bills", "ns:1_SB1:1"), ("vendor_credits", "ns:1_SB1:3")] {
        for archived in [false, true] {
            let mut after = sound();
            let twin = json!({"id": "x", "vendor": "v1", "archived": archived, "total": "100",
                "description": format!("{marker}, copied")});
            push(&mut after.platform, table, twin);
            assert!(
                checks(&after, &items()).contains(&"once"),
                "{table} {archived}"
            );
        }
    }
}

#[test]
fn a_bill_that_moved_to_another_payee_is_no_twin() {
    let mut after = sound();
    let moved = json!({"id": "b0", "vendor": "v0", "archived": true, "total": "100", "description": "ns:1_SB1:1"});
    push(&mut after.platform, "bills", moved);
    assert_eq!(checks(&after, &items()), Vec::<&str>::new());
}

#[test]
fn a_second_payee_of_a_name_is_found() {
    let mut after = sound();
    push(
        &mut after.platform,
        "vendors",
        json!({"id": "v2", "name": "ACME"}),
    );
    assert_eq!(checks(&after, &items()), ["once"]);
}

#[test]
fn a_second_posting_or_record_of_a_payment_is_found() {
    let mut after = sound();
    let twin = json!({"id": "10", "type": "VendPymt", "external_id": "BILL_00801ABC_STP1"});
    push(&mut after.ledger, "transactions", twin);
    assert_eq!(checks(&after, &items()), ["once"]);
    let mut after = sound();
    let twin = json!({"id": "stp3", "recorded": true, "stage": "Paid", "sync_reference": "ns_1-SB1_8", "parts": []});
    push(&mut after.platform, "payments", twin);
    assert_eq!(checks(&after, &items()), ["once"]);
}

#[test]
fn money_posted_twice_too_little_or_for_a_payment_that_is_undone_is_found() {
    let mut after = sound();
    push(
        &mut after.ledger,
        "transactions",
        json!({"id": "10", "type": "VendPymt", "external_id": "bill_00801ABC_stp1_a2"}),
    );
    push(
        &mut after.ledger,
        "applications",
        json!({"from": "10", "to": "2", "amount": "50"}),
    );
    assert_eq!(checks(&after, &items()), ["posted"]);
    let mut after = sound();
    after.ledger["applications"][0]["amount"] = json!("99.99");
    assert_eq!(checks(&after, &items()), ["posted"]);
    let mut undone = items();
    for ((flow, _), item) in &mut undone {
        if flow == "bill-payments" {
            item.outcome = Outcome::because(State::Reversed, Code::new("reversed"), "voided");
        }
    }
    assert_eq!(checks(&sound(), &undone), ["posted"]);
}

#[test]
fn an_echo_is_found_in_either_direction() {
    let mut after = sound();
    push(
        &mut after.ledger,
        "transactions",
        json!({"id": "11", "type": "VendPymt", "external_id": "bill_00801ABC_stp2"}),
    );
    assert_eq!(checks(&after, &items()), ["echo"]);
    let mut after = sound();
    let back = json!({"id": "stp3", "recorded": true, "stage": "Paid", "sync_reference": "ns_1-SB1_9", "parts": []});
    push(&mut after.platform, "payments", back);
    assert_eq!(checks(&after, &items()), ["echo"]);
}

#[test]
fn books_that_do_not_balance_are_found() {
    let mut after = sound();
    push(&mut after.ledger, "balances", json!({"amount": "0.01"}));
    assert_eq!(checks(&after, &items()), ["balanced"]);
}

#[test]
fn money_that_left_the_account_without_a_posting_is_found() {
    let moved = |currency: &str, from_there: &str| {
        json!([
            {"number": "1090", "currency": "1", "amount": "-100", "foreign": "-100"},
            {"number": "1090", "currency": currency, "amount": "-1", "foreign": from_there},
            {"number": "5000", "currency": "1", "amount": "101", "foreign": "101"},
        ])
    };
    for (currency, amount) in [("1", "-0.01"), ("1", "0.01"), ("2", "-1.30")] {
        let mut after = sound();
        after.ledger["balances"] = moved(currency, amount);
        assert_eq!(
            checks(&after, &items()),
            ["conserved"],
            "{currency} {amount}"
        );
    }
    let mut reversed = sound();
    let journal = json!({"id": "10", "type": "Journal", "external_id": "bill_00801ABC_stp1_reversal",
        "currency": "1", "total": "100", "voided": "F"});
    push(&mut reversed.ledger, "transactions", journal);
    assert_eq!(checks(&reversed, &items()), ["conserved"]);
    let mut voided = sound();
    voided.ledger["transactions"][2]["voided"] = json!("T");
    assert_eq!(checks(&voided, &items()), ["conserved"]);
}

fn report() -> RunReport {
    RunReport {
        id: "01".to_owned(),
        connection: "acme".to_owned(),
        status: RunStatus::Done,
        flows: BTreeMap::new(),
        calls: BTreeMap::new(),
        seconds: 0.0,
        written: 0,
        joined: false,
        hindered: Vec::new(),
        problems: Vec::new(),
        stopped: None,
    }
}

fn plan() -> Plan {
    Plan {
        connection: "acme".to_owned(),
        flows: vec!["bills".to_owned()],
        steps: Vec::new(),
        states: BTreeMap::new(),
        choices: Vec::new(),
        first_sync: Vec::new(),
        stops: Vec::new(),
    }
}

#[test]
fn a_world_that_does_not_come_to_rest_is_found() {
    assert_eq!(check::quiet(&report(), &plan()), []);
    let mut writing = report();
    writing.written = 1;
    assert_eq!(check::quiet(&writing, &plan())[0].check, "rest");
    let mut problem = report();
    problem.problems.push(Problem {
        code: Code::new("maintenance"),
        cause: "closed".to_owned(),
        side_failed: true,
    });
    assert_eq!(check::quiet(&problem, &plan())[0].check, "rest");
    let stop = Stop {
        connection: None,
        kind: StopKind::Paused,
        reason: "look first".to_owned(),
        actor: "user:robin".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        seq: 1,
    };
    let mut stopped = plan();
    stopped.stops.push(stop);
    assert_eq!(check::quiet(&report(), &stopped)[0].check, "rest");
    let mut due = plan();
    due.steps.push(PlannedStep {
        flow: "bills".to_owned(),
        record: RecordRef::new(Side::Ledger, Kind::Bill, "2"),
        label: "INV-2".to_owned(),
        amount: String::new(),
        action: "create".to_owned(),
        side: Side::Platform,
        kind: Kind::Bill,
        target: String::new(),
        role: String::new(),
        key: "ns_1_2".to_owned(),
        because: "it is approved".to_owned(),
        fingerprint: String::new(),
    });
    assert_eq!(check::quiet(&report(), &due)[0].check, "rest");
}

fn tied() -> Report {
    let party = || Party {
        system: "netsuite".to_owned(),
        account: "1".to_owned(),
        part: String::new(),
    };
    let day = Timestamp::UNIX_EPOCH
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    Report {
        status: Status::Tied,
        reasons: Vec::new(),
        connection: "acme".to_owned(),
        ledger: party(),
        platform: party(),
        accounts: Vec::new(),
        clearing: Vec::new(),
        currency: Currency::USD,
        period: PeriodName {
            id: "1".into(),
            name: "Jan 1970".to_owned(),
            start: day,
            end: day,
            state: "open".to_owned(),
        },
        day,
        method: Method::AsOfNow,
        made_at: Timestamp::UNIX_EPOCH,
        residuals: Leg::ALL.map(|leg| (leg, Amount::ZERO)).into(),
        legs: Vec::new(),
        items: Vec::new(),
        basis: Vec::new(),
        basis_difference: Amount::ZERO,
        advisories: Vec::new(),
        aging: Vec::new(),
        base: None,
        completeness: Completeness::default(),
        signatures: Vec::new(),
        notices: Vec::new(),
    }
}

#[test]
fn a_tie_out_that_does_not_close_or_is_not_whole_is_found() {
    assert_eq!(check::closes(&[tied(), tied()]), []);
    for leg in Leg::ALL {
        let mut off = tied();
        off.residuals.insert(leg, "0.01".parse().unwrap());
        assert_eq!(check::closes(&[tied(), off])[0].check, "tie-out");
    }
    let mut part = tied();
    part.completeness.checks.push(Check {
        what: "rows".to_owned(),
        expected: "2".to_owned(),
        found: "1".to_owned(),
        holds: false,
    });
    assert_eq!(check::closes(&[part])[0].check, "tie-out");
}

/// The machine's clock.
struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// What the checks of a store say, once these facts are in it and its file was changed by `break_file`.
async fn store_checks(
    facts: Vec<Fact>,
    break_file: impl FnOnce(&mut Vec<u8>),
) -> Vec<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tieout.db");
    let url = format!("sqlite:{}", path.display());
    let name: ConnectionName = "acme".parse().unwrap();
    let store = Store::open(&url, Arc::new(Wall)).await.unwrap();
    let commit = Commit {
        actor: "engine".to_owned(),
        facts,
        ..Commit::default()
    };
    store.connection(&name).commit(commit).await.unwrap();
    store.close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    break_file(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    let store = Store::open(&url, Arc::new(Wall)).await.unwrap();
    let connection = store.connection(&name);
    let items = check::items(&connection).await.unwrap();
    let found = check::store(&store, &connection, &items).await.unwrap();
    found.into_iter().map(|violation| violation.check).collect()
}

fn stated(outcome: Outcome) -> Fact {
    Fact::Stated {
        flow: "bills".to_owned(),
        record: RecordRef::new(Side::Ledger, Kind::Bill, "1"),
        outcome,
        label: "INV-1-as-it-was".to_owned(),
        amount: None,
    }
}

fn intended() -> Fact {
    Fact::Intended {
        flow: "bills".to_owned(),
        record: RecordRef::new(Side::Ledger, Kind::Bill, "1"),
        role: String::new(),
        order: Order {
            key: Key::of(["ns", "1", "1"]),
            action: Action::Create,
            target: None,
            document: Document::Account(Account {
                number: "6100".to_owned(),
                name: "Rent".to_owned(),
                path: "Rent".to_owned(),
                account_kind: AccountKind::Expense,
                parent: None,
                summary: false,
                inactive: false,
                subsidiaries: Vec::new(),
                description: String::new(),
            }),
            expect: None,
        },
        because: "it is approved".to_owned(),
    }
}

#[tokio::test]
async fn a_sound_store_gives_nothing_to_complain_of() {
    let found = store_checks(vec![stated(Outcome::done())], |_| ()).await;
    assert_eq!(found, Vec::<&str>::new());
}

#[tokio::test]
async fn a_write_that_is_left_open_is_found() {
    assert_eq!(store_checks(vec![intended()], |_| ()).await, ["open"]);
    let attempted = Fact::Attempted {
        writes: vec![1],
        there: None,
    };
    let unknown = Fact::Unknown {
        write: 1,
        cause: "no answer came".to_owned(),
    };
    let facts = vec![intended(), attempted, unknown];
    assert_eq!(store_checks(facts, |_| ()).await, ["open"]);
}

#[tokio::test]
async fn a_record_that_settles_for_ever_is_found() {
    let outcome = Outcome::because(State::Hold, Code::new("settling"), "not yet known");
    assert_eq!(store_checks(vec![stated(outcome)], |_| ()).await, ["open"]);
}

#[tokio::test]
async fn a_history_with_a_changed_byte_is_found() {
    let found = store_checks(vec![stated(Outcome::done())], |bytes| {
        let was = b"INV-1-as-it-was";
        let places: Vec<usize> = (0..bytes.len() - was.len())
            .filter(|place| bytes[*place..].starts_with(was))
            .collect();
        assert!(!places.is_empty());
        for place in places {
            bytes[place] = b'J';
        }
    })
    .await;
    assert!(found.contains(&"history"), "{found:?}");
}

#[test]
fn a_pair_that_is_said_to_be_done_and_differs_is_found() {
    let mut after = sound();
    after.platform["bills"][1]["total"] = json!("50.01");
    assert_eq!(checks(&after, &items()), ["equal"]);
}

#[test]
fn a_bill_without_a_state_or_without_its_counterpart_is_found() {
    let mut forgotten = items();
    forgotten.retain(|(_, record), _| record.id.as_str() != "2");
    assert_eq!(checks(&sound(), &forgotten), ["lost"]);
    let mut after = sound();
    after.platform["bills"].as_array_mut().unwrap().remove(1);
    assert_eq!(checks(&after, &items()), ["lost"]);
    let mut elsewhere = sound();
    push(
        &mut elsewhere.ledger,
        "transactions",
        json!({"id": "5", "type": "VendBill", "total": "1", "unpaid": "1", "subsidiary": "1"}),
    );
    assert_eq!(checks(&elsewhere, &items()), Vec::<&str>::new());
}
