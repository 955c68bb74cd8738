//! What is checked of bills and their payments.

use serde_json::json;
use tieout_domain::code::Code;
use tieout_domain::{Kind, Outcome, RecordRef, Side, State};
use tieout_sim::check::{Items, Links, Seen, Snapshot};
use tieout_sim::payables::check;

use crate::{names, push};

const ORGANIZATION: &str = "00801ABC";

/// A bill that came to the platform, was paid there, and whose payment was posted; and one more that is open.
fn sound() -> Snapshot {
    Snapshot {
        account: ORGANIZATION.to_owned(),
        ledger_writes: Vec::new(),
        most_a_second: 0,
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
            "files": [{"id": "70", "transaction": "2", "name": "scan.pdf", "content": "a page"}],
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
                {"id": "b2", "vendor": "v1", "archived": false, "total": "50", "due": "50", "description": "ns:1_SB1:2"},
            ],
            "documents": [{"bill": "b2", "name": "scan.pdf", "content": "a page"}],
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
    let of = [
        ("bills", Side::Ledger, Kind::Bill, "1"),
        ("bills", Side::Ledger, Kind::Bill, "2"),
        ("bill-payments", Side::Platform, Kind::Payment, "stp1"),
    ];
    crate::items(of, &Outcome::done())
}

fn checks(after: &Snapshot, items: &Items) -> Vec<&'static str> {
    let before = sound_before();
    let links: Links = [("1", "b1"), ("2", "b2")]
        .map(|(here, there)| {
            let record = RecordRef::new(Side::Ledger, Kind::Bill, here);
            let target = RecordRef::new(Side::Platform, Kind::Bill, there);
            (("bills".to_owned(), record, String::new()), target)
        })
        .into();
    let seen = Seen {
        before: &before,
        after,
        items,
        links: &links,
    };
    names(check::servers(&seen))
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
    let mut overlooked = sound();
    overlooked.platform["payments"][0]["stage"] = json!("Dead");
    assert_eq!(checks(&overlooked, &items()), ["posted"]);
}

#[test]
fn a_posting_of_no_payment_and_a_second_reversal_are_found() {
    let posting = json!({"id": "12", "type": "VendPymt", "external_id": "bill_00801ABC_stp9", "voided": "F",
        "total": "0", "currency": "1"});
    let mut after = sound();
    push(&mut after.ledger, "transactions", posting);
    assert_eq!(checks(&after, &items()), ["conserved"]);
    let reversal = |id: &str| {
        json!({"id": id, "type": "Journal", "external_id": format!("bill_00801ABC_stp1_void-{id}"),
            "voided": "F", "total": "0", "currency": "1"})
    };
    let mut after = sound();
    push(&mut after.ledger, "transactions", reversal("13"));
    assert_eq!(checks(&after, &items()), Vec::<&str>::new());
    push(&mut after.ledger, "transactions", reversal("14"));
    assert_eq!(checks(&after, &items()), ["once"]);
}

#[test]
fn a_bill_that_can_be_paid_twice_is_found_unless_a_person_was_told() {
    let mut after = sound();
    after.platform["bills"][0]["due"] = json!("0.01");
    assert_eq!(checks(&after, &items()), ["owed"]);
    let mut voided = sound();
    voided.ledger["transactions"][1]["voided"] = json!("T");
    assert!(checks(&voided, &items()).contains(&"owed"));
    let told = Outcome::because(State::Blocked, Code::new("already-paid"), "paid here too");
    for of in ["1", "stp1"] {
        let mut items = items();
        for ((_, record), item) in &mut items {
            if record.id.as_str() == of {
                item.outcome = told.clone();
            }
        }
        assert_eq!(checks(&after, &items), Vec::<&str>::new(), "{of}");
    }
}

#[test]
fn a_file_that_is_there_twice_or_not_at_all_is_found() {
    let mut after = sound();
    let again = json!({"bill": "b2", "name": "other.pdf", "content": "a page"});
    push(&mut after.platform, "documents", again);
    assert_eq!(checks(&after, &items()), ["once"]);
    let mut after = sound();
    after.platform["documents"][0]["content"] = json!("an older page");
    assert_eq!(checks(&after, &items()), ["lost"]);
}

#[test]
fn a_table_that_is_not_shown_is_found() {
    for table in ["applications", "files"] {
        let mut after = sound();
        after.ledger[table] = json!(null);
        assert!(checks(&after, &items()).contains(&"shape"), "{table}");
    }
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

#[test]
fn a_credit_or_a_payment_without_a_state_is_found() {
    for sort in ["VendCred", "VendPymt"] {
        let mut after = sound();
        let forgotten =
            json!({"id": "5", "type": sort, "total": "0", "subsidiary": "3", "voided": "F"});
        push(&mut after.ledger, "transactions", forgotten);
        assert_eq!(checks(&after, &items()), ["lost"], "{sort}");
    }
    let mut forgotten = items();
    forgotten.retain(|(_, record), _| record.id.as_str() != "stp1");
    assert_eq!(checks(&sound(), &forgotten), ["lost"]);
}
