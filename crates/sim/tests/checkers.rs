//! No check that can't fail: a sound world is broken in one place, and the check that is there for it complains.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_domain::{Kind, Outcome, RecordRef, Side, State};
use tieout_sim::check::{self, Items, Snapshot};
use tieout_store::Item;

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
                {"id": "9", "type": "VendPymt", "external_id": "bill_00801ABC_stp1"},
            ],
            "applications": [{"from": "9", "to": "1", "amount": "100"}],
            "vendors": [{"id": "7", "name": "Acme"}],
            "balances": [{"amount": "-50"}, {"amount": "50"}],
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
