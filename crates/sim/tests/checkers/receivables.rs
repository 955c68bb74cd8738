//! What is checked of invoices and of what customers pay.

use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_domain::{Kind, Outcome, RecordRef, Side, State};
use tieout_sim::check::{Items, Links, Seen, Snapshot};
use tieout_sim::receivables::check;

use crate::{names, push};

/// An invoice of the ledger that went to the platform and was paid there by check; one of the platform that went to the
/// ledger and was paid there; and a payment of the platform into the bank, half of which was paid back.
fn sound() -> Snapshot {
    Snapshot {
        account: "sandbox".to_owned(),
        subsidiary: Some("3".to_owned()),
        ledger_writes: Vec::new(),
        most_a_second: 0,
        ledger: json!({
            "transactions": [
                {"id": "1", "type": "CustInvc", "total": "100", "unpaid": "0", "subsidiary": "3", "voided": "F"},
                {"id": "2", "type": "CustInvc", "total": "50", "unpaid": "50", "subsidiary": "3", "voided": "F"},
                {"id": "3", "type": "CustInvc", "total": "30", "unpaid": "0", "subsidiary": "3", "voided": "F",
                    "external_id": "invoiced_sandbox_invoice_13"},
                {"id": "4", "type": "CustCred", "total": "-5", "unused": "5", "subsidiary": "3", "voided": "F"},
                {"id": "8", "type": "CustPymt", "total": "-30", "currency": "1", "subsidiary": "3", "voided": "F"},
                {"id": "9", "type": "CustPymt", "total": "-100", "currency": "1", "subsidiary": "3", "voided": "F",
                    "external_id": "invoiced_sandbox_customer-payment_21"},
                {"id": "10", "type": "CustPymt", "total": "-40", "currency": "1", "subsidiary": "3", "voided": "F",
                    "external_id": "invoiced_sandbox_customer-payment_22"},
                {"id": "11", "type": "CustRfnd", "total": "20", "currency": "1", "subsidiary": "3", "voided": "F",
                    "external_id": "invoiced_sandbox_customer-payment_22_refund_7"},
            ],
            "applications": [
                {"from": "9", "to": "1", "amount": "100"},
                {"from": "8", "to": "3", "amount": "30"},
                {"from": "10", "to": "11", "amount": "20"},
            ],
            "customers": [{"id": "7", "name": "Acme"}],
            "balances": [
                {"number": "1000", "type": "Bank", "currency": "1", "amount": "20", "foreign": "20"},
                {"number": "1099", "type": "OthCurrAsset", "currency": "1", "amount": "130", "foreign": "130"},
                {"number": "1100", "type": "AcctRec", "currency": "1", "amount": "25", "foreign": "25"},
                {"number": "4000", "type": "Income", "currency": "1", "amount": "-175", "foreign": "-175"},
            ],
        }),
        platform: json!({
            "customers": [{"id": "5", "name": "Acme", "metadata": {"netsuite_id": "7"}}],
            "invoices": [
                {"id": "11", "status": "paid", "total": "100", "metadata": {"netsuite_id": "1"}},
                {"id": "12", "status": "not_sent", "total": "50", "metadata": {"netsuite_id": "2"}},
                {"id": "13", "status": "paid", "total": "30", "metadata": []},
            ],
            "credit_notes": [{"id": "14", "status": "open", "total": "5", "metadata": {"netsuite_id": "4"}}],
            "payments": [
                {"id": "20", "amount": "30", "voided": false, "metadata": {"netsuite_id": "8"},
                    "applied_to": [{"type": "invoice", "invoice": "13", "amount": "30"}]},
                {"id": "21", "amount": "100", "voided": false, "metadata": [],
                    "applied_to": [{"type": "invoice", "invoice": "11", "amount": "100"}]},
                {"id": "22", "amount": "40", "voided": false, "metadata": [], "applied_to": [],
                    "charge": {"refunds": [{"id": "7", "status": "succeeded", "amount": "20"}]}},
            ],
            "messages": [{"about": "invoice", "about_id": "13", "why": "reminder"}],
            "charges": [{"customer": "5", "why": "customer"}],
        }),
    }
}

const STATED: [(&str, Side, Kind, &str); 8] = [
    ("customers", Side::Ledger, Kind::Customer, "7"),
    ("invoices", Side::Ledger, Kind::Invoice, "1"),
    ("invoices", Side::Ledger, Kind::Invoice, "2"),
    ("invoices", Side::Platform, Kind::Invoice, "13"),
    ("credit-memos", Side::Ledger, Kind::CreditMemo, "4"),
    ("payments", Side::Ledger, Kind::CustomerPayment, "8"),
    ("payments", Side::Platform, Kind::CustomerPayment, "21"),
    ("payments", Side::Platform, Kind::CustomerPayment, "22"),
];

/// What the records of [`STATED`] lead to.
const TARGETS: [&str; 8] = ["5", "11", "12", "3", "14", "20", "9", "10"];

fn items() -> Items {
    crate::items(STATED, &Outcome::done())
}

fn links() -> Links {
    let stated = STATED.into_iter().zip(TARGETS);
    stated
        .map(|((flow, side, kind, id), target)| {
            let record = RecordRef::new(side, kind, id);
            let target = RecordRef::new(side.other(), kind, target);
            ((flow.to_owned(), record, String::new()), target)
        })
        .collect()
}

/// Before tieout had done anything.
fn sound_before() -> Snapshot {
    let mut before = sound();
    before.ledger["balances"] = json!([]);
    before.ledger["transactions"] = json!([]);
    for table in ["customers", "invoices", "credit_notes", "payments"] {
        before.platform[table] = json!([]);
    }
    before
}

fn checks(after: &Snapshot, items: &Items) -> Vec<&'static str> {
    checked(true, after, items)
}

fn checked(writes_ledger: bool, after: &Snapshot, items: &Items) -> Vec<&'static str> {
    let (before, links) = (sound_before(), links());
    let seen = Seen {
        before: &before,
        after,
        items,
        links: &links,
    };
    names(check::servers(writes_ledger, &seen))
}

/// The sound world with one thing otherwise.
fn with(change: impl FnOnce(&mut Snapshot)) -> Snapshot {
    let mut after = sound();
    change(&mut after);
    after
}

fn stating(outcome: &Outcome, id: &str) -> Items {
    let mut items = items();
    for ((_, record), item) in &mut items {
        if record.id.as_str() == id {
            item.outcome = outcome.clone();
        }
    }
    items
}

/// The one record of this id.
fn one<'a>(records: &'a mut Value, table: &str, id: &str) -> &'a mut Value {
    let mut all = records[table].as_array_mut().unwrap().iter_mut();
    all.find(|one| one["id"] == id).unwrap()
}

#[test]
fn a_sound_world_gives_nothing_to_complain_of() {
    assert_eq!(checks(&sound(), &items()), Vec::<&str>::new());
}

#[test]
fn a_copy_that_is_on_the_platform_twice_is_found_even_where_one_is_voided() {
    for (table, of) in [
        ("customers", "7"),
        ("invoices", "2"),
        ("credit_notes", "4"),
        ("payments", "8"),
    ] {
        let twin = json!({"id": "99", "status": "voided", "voided": true, "metadata": {"netsuite_id": of}});
        let after = with(|it| push(&mut it.platform, table, twin));
        assert!(checks(&after, &items()).contains(&"once"), "{table}");
    }
}

#[test]
fn what_is_in_the_ledger_twice_is_found() {
    let twin = json!({"id": "99", "type": "CustInvc", "total": "0", "voided": "T",
        "external_id": "INVOICED_sandbox_invoice_13"});
    let after = with(|it| push(&mut it.ledger, "transactions", twin));
    assert_eq!(checks(&after, &items()), ["once"]);
    let customer = |id: &str| json!({"id": id, "external_id": "invoiced_sandbox_customer_6"});
    let after = with(|it| {
        push(&mut it.ledger, "customers", customer("98"));
        push(&mut it.ledger, "customers", customer("99"));
    });
    assert_eq!(checks(&after, &items()), ["once"]);
}

#[test]
fn a_second_customer_of_a_name_is_found_on_either_side() {
    let twin = json!({"id": "99", "name": "ACME", "external_id": "invoiced_sandbox_customer_6"});
    let there = with(|it| push(&mut it.ledger, "customers", twin));
    assert_eq!(
        checks(&there, &items()),
        Vec::<&str>::new(),
        "it was there before"
    );
    let twin = json!({"id": "99", "name": "acme", "metadata": {"netsuite_id": "70"}});
    let after = with(|it| push(&mut it.platform, "customers", twin));
    assert_eq!(checks(&after, &items()), ["once"]);
}

#[test]
fn money_posted_twice_too_little_or_for_a_payment_that_is_undone_is_found() {
    let more = with(|it| it.ledger["applications"][0]["amount"] = json!("100.01"));
    assert_eq!(checks(&more, &items()), ["posted"]);
    let less = with(|it| it.ledger["applications"][0]["amount"] = json!("99.99"));
    assert_eq!(checks(&less, &items()), ["posted"]);
    let reversed = Outcome::because(State::Reversed, Code::new("reversed"), "voided");
    assert_eq!(checks(&sound(), &stating(&reversed, "21")), ["posted"]);
    assert_eq!(checks(&sound(), &stating(&reversed, "22")), ["posted"]);
    let overlooked = with(|it| one(&mut it.platform, "payments", "21")["voided"] = json!(true));
    assert!(checks(&overlooked, &items()).contains(&"posted"));
    let unseen = with(|it| it.platform["charges"] = json!(null));
    assert!(checks(&unseen, &items()).contains(&"shape"));
}

#[test]
fn a_refund_that_went_back_twice_or_not_at_all_is_found() {
    let refund =
        |it: &mut Snapshot| one(&mut it.ledger, "transactions", "11")["total"] = json!("40");
    assert!(checks(&with(refund), &items()).contains(&"posted"));
    let none = |it: &mut Snapshot| one(&mut it.ledger, "transactions", "11")["voided"] = json!("T");
    assert!(checks(&with(none), &items()).contains(&"posted"));
}

#[test]
fn a_record_of_a_payment_that_pays_otherwise_or_outlives_it_is_found() {
    let other = |it: &mut Snapshot| {
        one(&mut it.platform, "payments", "20")["applied_to"][0]["amount"] = json!("29.99");
    };
    assert_eq!(checks(&with(other), &items()), ["recorded"]);
    let voided = with(|it| {
        one(&mut it.ledger, "transactions", "8")["voided"] = json!("T");
        it.ledger["balances"][1]["foreign"] = json!("100");
        it.ledger["balances"][1]["amount"] = json!("100");
        it.ledger["balances"][2]["amount"] = json!("55");
    });
    assert_eq!(checks(&voided, &items()), ["recorded"]);
    let known = Outcome::because(State::Blocked, Code::new("already-paid-on-platform"), "ask");
    assert_eq!(checks(&voided, &stating(&known, "8")), Vec::<&str>::new());
}

#[test]
fn money_that_came_in_without_a_payment_is_found() {
    let more = with(|it| {
        it.ledger["balances"][0]["foreign"] = json!("20.01");
    });
    assert_eq!(checks(&more, &items()), ["conserved"]);
    let elsewhere = with(|it| {
        let other = json!({"type": "Bank", "currency": "2", "amount": "0", "foreign": "-1"});
        push(&mut it.ledger, "balances", other);
    });
    assert_eq!(checks(&elsewhere, &items()), ["conserved"]);
}

#[test]
fn books_that_do_not_balance_are_found() {
    let after = with(|it| push(&mut it.ledger, "balances", json!({"amount": "0.01"})));
    assert_eq!(checks(&after, &items()), ["balanced"]);
}

#[test]
fn an_echo_is_found_in_either_direction() {
    let again =
        json!({"id": "99", "status": "not_sent", "total": "30", "metadata": {"netsuite_id": "3"}});
    let after = with(|it| push(&mut it.platform, "invoices", again));
    assert_eq!(checks(&after, &items()), ["echo"]);
    let back = json!({"id": "99", "type": "CustInvc", "total": "50", "unpaid": "50", "subsidiary": "3",
        "external_id": "invoiced_sandbox_invoice_12"});
    let after = with(|it| push(&mut it.ledger, "transactions", back));
    assert_eq!(checks(&after, &items()), ["echo"]);
}

#[test]
fn a_pair_that_is_said_to_be_done_and_differs_is_found() {
    for (table, id) in [
        ("invoices", "12"),
        ("invoices", "13"),
        ("credit_notes", "14"),
    ] {
        let after = with(|it| one(&mut it.platform, table, id)["total"] = json!("50.01"));
        assert_eq!(checks(&after, &items()), ["equal"], "{table} {id}");
    }
}

#[test]
fn a_record_without_a_state_or_without_its_counterpart_is_found() {
    for id in ["2", "13", "21", "4", "7"] {
        let mut forgotten = items();
        forgotten.retain(|(_, record), _| record.id.as_str() != id);
        assert!(checks(&sound(), &forgotten).contains(&"lost"), "{id}");
    }
    let gone = with(|it| {
        it.platform["invoices"].as_array_mut().unwrap().remove(1);
    });
    assert_eq!(checks(&gone, &items()), ["lost"]);
    let voided = with(|it| one(&mut it.platform, "invoices", "12")["status"] = json!("voided"));
    assert_eq!(checks(&voided, &items()), ["lost"]);
    let elsewhere =
        json!({"id": "99", "type": "CustInvc", "total": "1", "unpaid": "1", "subsidiary": "1"});
    let after = with(|it| push(&mut it.ledger, "transactions", elsewhere));
    assert_eq!(checks(&after, &items()), Vec::<&str>::new());
}

#[test]
fn a_mail_or_a_charge_for_what_was_imported_is_found() {
    let mail = json!({"about": "invoice", "about_id": "12", "why": "reminder"});
    let after = with(|it| push(&mut it.platform, "messages", mail));
    assert_eq!(checks(&after, &items()), ["started"]);
    let charge = json!({"customer": "5", "why": "autopay"});
    let after = with(|it| push(&mut it.platform, "charges", charge));
    assert_eq!(checks(&after, &items()), ["started"]);
}

#[test]
fn a_write_to_the_ledger_while_that_is_switched_off_is_found() {
    assert_eq!(checked(false, &sound(), &items()), ["switched-off"]);
    let mut nothing = sound();
    let ours = |it: &Value| it["external_id"].is_string();
    nothing.ledger["transactions"]
        .as_array_mut()
        .unwrap()
        .retain(|it| !ours(it));
    nothing.ledger_writes = vec!["PATCH /services/rest/record/v1/invoice/{id}".to_owned()];
    assert!(checked(false, &nothing, &items()).contains(&"switched-off"));
}
