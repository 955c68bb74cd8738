//! What is checked of invoices that customers pay on the platform, and of what it pays out.

use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_domain::{Kind, Outcome, RecordRef, Side, State};
use tieout_sim::check::{Items, Links, Seen, Snapshot};
use tieout_sim::payouts::{Manner, check};

use crate::{names, push};

/// An invoice of the ledger, paid there in part and on the platform; one that is open on both sides; one that was paid by
/// card, refunded, and put away by a first copy that was made anew; one of the platform's own, paid and deposited by
/// itself; and a payout of the two payments with a fee.
fn sound() -> Snapshot {
    Snapshot {
        account: "demo".to_owned(),
        subsidiary: Some("3".to_owned()),
        ledger_writes: Vec::new(),
        most_a_second: 5,
        ledger: json!({
            "transactions": [
                {"id": "1", "type": "CustInvc", "total": "100", "unpaid": "0", "subsidiary": "3", "voided": "F"},
                {"id": "2", "type": "CustInvc", "number": "INV-2", "total": "50", "unpaid": "50", "subsidiary": "3",
                    "voided": "F"},
                {"id": "4", "type": "CustCred", "total": "-5", "unused": "5", "subsidiary": "3", "voided": "F"},
                {"id": "8", "type": "CustPymt", "total": "-30", "currency": "1", "subsidiary": "3", "voided": "F"},
                {"id": "9", "type": "CustPymt", "total": "-70", "currency": "1", "subsidiary": "3", "voided": "F",
                    "external_id": "ap_demo_customer-payment_pay_21"},
                {"id": "10", "type": "Deposit", "total": "68", "currency": "1", "subsidiary": "3", "voided": "F",
                    "external_id": "ap_demo_payout_pyt_31"},
                {"id": "11", "type": "Deposit", "total": "20", "currency": "1", "subsidiary": "3", "voided": "F",
                    "external_id": "ap_demo_customer-payment_pay_22_stand-alone"},
            ],
            "applications": [
                {"from": "8", "to": "1", "type": "Payment", "amount": "30"},
                {"from": "9", "to": "1", "type": "Payment", "amount": "70"},
                {"from": "10", "to": "9", "type": "Deposit", "amount": "70"},
            ],
            "customers": [{"id": "7", "name": "Acme"}],
            "balances": [
                {"number": "1000", "type": "Bank", "currency": "1", "amount": "88", "foreign": "88"},
                {"number": "1099", "type": "OthCurrAsset", "currency": "1", "amount": "30", "foreign": "30"},
                {"number": "1100", "type": "AcctRec", "currency": "1", "amount": "45", "foreign": "45"},
                {"number": "2100", "type": "OthCurrLiab", "currency": "1", "amount": "-20", "foreign": "-20"},
                {"number": "4000", "type": "Income", "currency": "1", "amount": "-145", "foreign": "-145"},
                {"number": "6900", "type": "Expense", "currency": "1", "amount": "2", "foreign": "2"},
            ],
        }),
        platform: json!({
            "customers": [
                {"id": "cus_5", "name": "Acme", "external_id": "ns:1:7"},
                {"id": "cus_6", "name": "Walk-in"},
            ],
            "invoices": [
                {"id": "inv_11", "status": "paid", "total": "100", "balance": "0", "external_id": "ns:1:1"},
                {"id": "inv_12", "status": "open", "total": "50", "balance": "50",
                    "memo": "[dated 2026-06-01; ns:1:2]"},
                {"id": "inv_10", "status": "archived", "total": "40", "balance": "40", "external_id": "ns:1:2"},
                {"id": "inv_13", "status": "paid", "total": "20", "balance": "0"},
            ],
            "payments": [
                {"id": "pay_20", "status": "succeeded", "payment_method": "external", "sub_total": "30",
                    "external_id": "ns_1_SB1_customer-payment_8_1_1",
                    "allocations": [{"invoice_id": "inv_11", "amount": "30"}]},
                {"id": "pay_21", "status": "succeeded", "payment_method": "card", "sub_total": "70",
                    "allocations": [{"invoice_id": "inv_11", "amount": "70"}]},
                {"id": "pay_22", "status": "succeeded", "payment_method": "card", "sub_total": "20",
                    "allocations": [{"invoice_id": "inv_13", "amount": "20"}]},
            ],
            "refunds": [],
            "pdfs": [{"invoice_id": "inv_12", "text": "(Invoice INV-2) (Total: 50 USD)"}],
            "payouts": [
                {"id": "pyt_31", "status": "succeeded", "total": "88", "transactions": [
                    {"type": "payment", "payment_id": "pay_21", "amount": "70"},
                    {"type": "payment", "payment_id": "pay_22", "amount": "20"},
                ]},
            ],
            "money": {"received": "90", "refunded": "0", "failed": "0", "charged_back": "0", "fees": "2",
                "dispute_fees": "0", "adjusted": "0", "paid_out": "88", "held": "0"},
        }),
    }
}

const STATED: [(&str, Side, Kind, &str); 10] = [
    ("customers", Side::Ledger, Kind::Customer, "7"),
    ("customers", Side::Platform, Kind::Customer, "cus_6"),
    ("invoices", Side::Ledger, Kind::Invoice, "1"),
    ("invoices", Side::Ledger, Kind::Invoice, "2"),
    ("invoices", Side::Platform, Kind::Invoice, "inv_13"),
    ("payments", Side::Ledger, Kind::CreditMemo, "4"),
    ("payments", Side::Ledger, Kind::CustomerPayment, "8"),
    ("payments", Side::Platform, Kind::CustomerPayment, "pay_21"),
    ("payments", Side::Platform, Kind::CustomerPayment, "pay_22"),
    ("deposits", Side::Platform, Kind::Payout, "pyt_31"),
];

/// Flow, record, role, and what it leads to.
const LINKED: [(&str, Side, Kind, &str, &str, &str); 8] = [
    ("customers", Side::Ledger, Kind::Customer, "7", "", "cus_5"),
    ("invoices", Side::Ledger, Kind::Invoice, "1", "", "inv_11"),
    ("invoices", Side::Ledger, Kind::Invoice, "2", "", "inv_12"),
    (
        "invoices",
        Side::Ledger,
        Kind::Invoice,
        "2",
        "retired-inv_10",
        "inv_10",
    ),
    (
        "payments",
        Side::Ledger,
        Kind::CustomerPayment,
        "8",
        "1.1",
        "pay_20",
    ),
    (
        "payments",
        Side::Platform,
        Kind::CustomerPayment,
        "pay_21",
        "",
        "9",
    ),
    (
        "payments",
        Side::Platform,
        Kind::CustomerPayment,
        "pay_22",
        "stand-alone",
        "11",
    ),
    ("deposits", Side::Platform, Kind::Payout, "pyt_31", "", "10"),
];

fn items() -> Items {
    crate::items(STATED, &Outcome::done())
}

fn links() -> Links {
    let link = |(flow, side, kind, id, role, target): (&str, Side, Kind, &str, &str, &str)| {
        let record = RecordRef::new(side, kind, id);
        let target = RecordRef::new(side.other(), kind, target);
        ((flow.to_owned(), record, role.to_owned()), target)
    };
    LINKED.into_iter().map(link).collect()
}

/// Before tieout had done anything.
fn sound_before() -> Snapshot {
    let mut before = sound();
    before.ledger["balances"] = json!([]);
    before.ledger["transactions"] = json!([]);
    for table in ["customers", "invoices", "payments", "payouts"] {
        before.platform[table] = json!([]);
    }
    before
}

fn checks(after: &Snapshot, items: &Items) -> Vec<&'static str> {
    checked(true, after, items, &links())
}

fn checked(ledger: bool, after: &Snapshot, items: &Items, links: &Links) -> Vec<&'static str> {
    let before = sound_before();
    let seen = Seen {
        before: &before,
        after,
        items,
        links,
    };
    names(check::servers(&Manner::full(), ledger, &seen))
}

/// What is found in the sound world with one thing otherwise.
fn with(change: impl FnOnce(&mut Snapshot)) -> Vec<&'static str> {
    let mut after = sound();
    change(&mut after);
    checks(&after, &items())
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

fn told() -> Outcome {
    Outcome::because(State::Blocked, Code::new("ask"), "ask")
}

/// The one record of this id.
fn one<'a>(records: &'a mut Value, table: &str, id: &str) -> &'a mut Value {
    let mut all = records[table].as_array_mut().unwrap().iter_mut();
    all.find(|one| one["id"] == id).unwrap()
}

#[test]
fn a_sound_world_gives_nothing_to_complain_of() {
    assert_eq!(with(|_| {}), Vec::<&str>::new());
}

#[test]
fn a_copy_that_is_on_the_platform_twice_is_found_even_where_one_is_archived() {
    let twin = json!({"id": "inv_99", "status": "archived", "memo": "ns:1:2"});
    assert_eq!(
        with(|it| push(&mut it.platform, "invoices", twin)),
        ["once"]
    );
    let twin = json!({"id": "cus_99", "name": "Other", "external_id": "ns:1:7"});
    assert_eq!(
        with(|it| push(&mut it.platform, "customers", twin)),
        ["once"]
    );
    let twin = json!({"id": "cus_99", "name": "ACME", "external_id": "ns:1:70"});
    assert_eq!(
        with(|it| push(&mut it.platform, "customers", twin)),
        ["once"]
    );
}

#[test]
fn what_is_in_the_ledger_twice_is_found() {
    let twin = json!({"id": "99", "type": "Deposit", "total": "0", "voided": "F",
        "external_id": "AP_demo_payout_pyt_31"});
    assert_eq!(
        with(|it| push(&mut it.ledger, "transactions", twin)),
        ["once"]
    );
    let twin = json!({"id": "99", "type": "Deposit", "total": "0", "voided": "F",
        "external_id": "ap_demo_customer-payment_pay_22_stand-alone"});
    assert_eq!(
        with(|it| push(&mut it.ledger, "transactions", twin)),
        ["once"]
    );
}

#[test]
fn an_invoice_that_is_open_for_more_than_is_owed_is_found() {
    let owed =
        |it: &mut Snapshot| one(&mut it.ledger, "transactions", "2")["unpaid"] = json!("49.99");
    assert_eq!(with(owed), ["owed"]);
    let paid = |it: &mut Snapshot| one(&mut it.ledger, "transactions", "2")["unpaid"] = json!("0");
    assert_eq!(with(paid), ["payable"]);
    let voided =
        |it: &mut Snapshot| one(&mut it.ledger, "transactions", "2")["voided"] = json!("T");
    assert_eq!(with(voided), ["payable"]);
    let mut after = sound();
    paid(&mut after);
    assert_eq!(checks(&after, &stating(&told(), "2")), Vec::<&str>::new());
    let edited = Outcome::because(State::Noop, Code::new("copy-edited"), "shown");
    assert_eq!(checks(&after, &stating(&edited, "2")), Vec::<&str>::new());
}

#[test]
fn what_is_under_way_can_not_be_paid_again() {
    let paying = json!({"id": "pay_23", "status": "processing", "payment_method": "standard_ach", "sub_total": "50",
        "allocations": [{"invoice_id": "inv_12", "amount": "50"}]});
    let mut after = sound();
    one(&mut after.ledger, "transactions", "2")["unpaid"] = json!("0");
    push(&mut after.platform, "payments", paying);
    let mut items = items();
    let under_way = crate::items(
        [("payments", Side::Platform, Kind::CustomerPayment, "pay_23")],
        &Outcome::because(State::Skipped, Code::new("x"), "x"),
    );
    items.extend(under_way);
    assert_eq!(checks(&after, &items), Vec::<&str>::new());
}

#[test]
fn a_settlement_that_is_told_otherwise_or_outlives_it_is_found() {
    let less = |it: &mut Snapshot| {
        one(&mut it.platform, "payments", "pay_20")["sub_total"] = json!("29.99")
    };
    assert_eq!(with(less), ["told"]);
    let untold = |it: &mut Snapshot| {
        it.platform["payments"].as_array_mut().unwrap().remove(0);
    };
    assert_eq!(with(untold), ["told"]);
    let moved = |it: &mut Snapshot| it.ledger["applications"][0]["to"] = json!("2");
    assert_eq!(with(moved), ["told"]);
    let mut after = sound();
    less(&mut after);
    assert_eq!(checks(&after, &stating(&told(), "8")), Vec::<&str>::new());
}

#[test]
fn money_posted_twice_too_little_or_for_a_payment_that_is_undone_is_found() {
    let more = |it: &mut Snapshot| it.ledger["applications"][1]["amount"] = json!("70.01");
    assert_eq!(with(more), ["posted"]);
    let less = |it: &mut Snapshot| it.ledger["applications"][1]["amount"] = json!("69.99");
    assert_eq!(with(less), ["posted"]);
    let early = |it: &mut Snapshot| {
        one(&mut it.platform, "payments", "pay_21")["status"] = json!("processing")
    };
    assert_eq!(with(early), ["posted"]);
    let reversed = Outcome::because(State::Reversed, Code::new("reversed"), "failed");
    assert_eq!(checks(&sound(), &stating(&reversed, "pay_21")), ["posted"]);
    for overlooked in ["pay_21", "pay_22"] {
        let found = with(|it| {
            one(&mut it.platform, "payments", overlooked)["status"] = json!("failed");
        });
        assert!(found.contains(&"posted"), "{overlooked} {found:?}");
    }
    let refund = json!({"id": "rfd_1", "payment_id": "pay_21", "total": "70"});
    assert_eq!(
        with(|it| push(&mut it.platform, "refunds", refund)),
        ["posted"]
    );
}

#[test]
fn a_payment_that_is_both_posted_and_deposited_by_itself_is_found() {
    let both = json!({"id": "99", "type": "CustPymt", "total": "-20", "currency": "1", "voided": "F",
        "external_id": "ap_demo_customer-payment_pay_22"});
    let found = with(|it| push(&mut it.ledger, "transactions", both));
    assert!(found.contains(&"posted"), "{found:?}");
}

#[test]
fn a_payout_whose_deposit_differs_or_is_missing_is_found() {
    let other =
        |it: &mut Snapshot| one(&mut it.ledger, "transactions", "10")["total"] = json!("68.01");
    assert_eq!(with(other), ["deposited"]);
    let gone = |it: &mut Snapshot| {
        it.ledger["transactions"]
            .as_array_mut()
            .unwrap()
            .retain(|one| one["id"] != "10")
    };
    assert_eq!(with(gone), ["deposited"]);
    let early =
        |it: &mut Snapshot| one(&mut it.platform, "payouts", "pyt_31")["status"] = json!("failed");
    assert_eq!(with(early), ["deposited"]);
    let mut after = sound();
    gone(&mut after);
    assert_eq!(
        checks(&after, &stating(&told(), "pyt_31")),
        Vec::<&str>::new()
    );
    let skipped = Outcome::because(State::Skipped, Code::new("reconcile-off"), "off");
    assert_eq!(checks(&after, &stating(&skipped, "pyt_31")), ["deposited"]);
}

#[test]
fn a_payment_in_two_deposits_and_a_deposit_of_two_payouts_are_found() {
    let again = json!({"from": "11", "to": "9", "type": "Deposit", "amount": "70"});
    assert_eq!(
        with(|it| push(&mut it.ledger, "applications", again)),
        ["deposited-twice"]
    );
    let mut links = links();
    let other = RecordRef::new(Side::Platform, Kind::Payout, "pyt_32");
    let deposit = RecordRef::new(Side::Ledger, Kind::Deposit, "10");
    links.insert(("deposits".to_owned(), other, String::new()), deposit);
    assert_eq!(
        checked(true, &sound(), &items(), &links),
        ["deposited-twice"]
    );
}

#[test]
fn money_that_nobody_paid_is_found_on_either_side() {
    let here = |it: &mut Snapshot| it.ledger["balances"][0]["foreign"] = json!("88.01");
    assert_eq!(with(here), ["conserved"]);
    let of_nobody = |it: &mut Snapshot| {
        one(&mut it.platform, "payments", "pay_21")["id"] = json!("pay_29");
    };
    assert!(with(of_nobody).contains(&"conserved"));
    let there = |it: &mut Snapshot| it.platform["money"]["held"] = json!("0.01");
    assert_eq!(with(there), ["conserved-there"]);
}

#[test]
fn books_that_do_not_balance_are_found() {
    let off = |it: &mut Snapshot| push(&mut it.ledger, "balances", json!({"amount": "0.01"}));
    assert_eq!(with(off), ["balanced"]);
}

#[test]
fn an_echo_is_found_in_either_direction() {
    let own = json!({"id": "99", "type": "CustInvc", "total": "20", "unpaid": "0", "subsidiary": "3", "voided": "F",
        "external_id": "ap_demo_invoice_inv_13"});
    assert_eq!(
        with(|it| push(&mut it.ledger, "transactions", own)),
        ["echo"]
    );
    let back = json!({"id": "pay_99", "status": "succeeded", "payment_method": "external", "sub_total": "0",
        "external_id": "ns_1_SB1_customer-payment_9_1_1"});
    assert_eq!(
        with(|it| push(&mut it.platform, "payments", back)),
        ["echo"]
    );
    let posted = |it: &mut Snapshot| {
        let external = json!("ap_demo_customer-payment_pay_20");
        one(&mut it.ledger, "transactions", "8")["external_id"] = external;
    };
    assert!(with(posted).contains(&"echo"));
}

#[test]
fn a_record_without_a_state_or_without_its_counterpart_is_found() {
    for (_, _, _, id) in STATED.into_iter().filter(|(.., id)| *id != "1") {
        let mut forgotten = items();
        forgotten.retain(|(_, record), _| record.id.as_str() != id);
        assert!(checks(&sound(), &forgotten).contains(&"lost"), "{id}");
    }
    let archived = |it: &mut Snapshot| {
        one(&mut it.platform, "invoices", "inv_12")["status"] = json!("archived")
    };
    assert_eq!(with(archived), ["lost"]);
    let elsewhere =
        json!({"id": "99", "type": "CustInvc", "total": "1", "unpaid": "1", "subsidiary": "1"});
    assert_eq!(
        with(|it| push(&mut it.ledger, "transactions", elsewhere)),
        Vec::<&str>::new()
    );
}

#[test]
fn a_pdf_that_is_missing_or_shows_what_was_is_found() {
    let shown = ("documents", Side::Ledger, Kind::Invoice, "2");
    let mut items = items();
    items.extend(crate::items([shown], &Outcome::done()));
    assert_eq!(checks(&sound(), &items), Vec::<&str>::new());
    let mut after = sound();
    after.platform["pdfs"][0]["text"] = json!("(Invoice INV-2) (Total: 49 USD)");
    assert_eq!(checks(&after, &items), ["pdf"]);
    after.platform["pdfs"] = json!([]);
    assert_eq!(checks(&after, &items), ["pdf"]);
}

#[test]
fn a_sixth_request_in_a_second_is_found() {
    assert_eq!(with(|it| it.most_a_second = 6), ["pace"]);
}

#[test]
fn a_write_to_the_ledger_while_that_is_switched_off_is_found() {
    let found = checked(false, &sound(), &items(), &links());
    assert!(found.contains(&"switched-off"), "{found:?}");
}
