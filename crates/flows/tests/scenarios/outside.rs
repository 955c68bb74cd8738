use tieout_domain::document::{Application, BillStatus, Method, Payment, PaymentStatus};
use tieout_domain::port::{Action, Observed, Order};
use tieout_domain::{Amount, Document, Key, Kind, RecordRef, Side};
use tieout_flows::matching::{Judgement, judge};

use crate::world::*;

/// A bill of 100.00, sent, and paid in the ledger by a check of this much.
fn checked(text: &str) -> (World, RecordRef, RecordRef) {
    let mut world = World::new();
    let (record, there) = world.sent("1", "INV-1", "100.00");
    let check = ledger_check(&[(&record, text)]);
    world.pay(Side::Ledger, &check, true);
    let payment = ledger(Kind::Payment, "77");
    world.put(payment.clone(), Document::Payment(check));
    world.sync();
    (world, payment, there)
}

#[test]
fn s121_a_payment_of_the_ledger_is_recorded_under_its_key() {
    let (world, payment, there) = checked("100.00");
    let record = world.target("bill-payments", &payment).unwrap();
    let it = world.payment_at(&record);
    assert!(it.outside);
    assert_eq!(it.reference, "ns_1234567_SB1_77");
    assert_eq!(world.bill_at(&there).open, Amount::ZERO);
    assert_eq!(world.state("bill-payments", &payment), "DONE");
    assert_eq!(world.state("bills", &ledger(Kind::Bill, "1")), "DONE");
}

#[test]
fn s124_a_journal_entry_that_closes_a_bill_is_recorded_like_a_payment() {
    let mut world = World::new();
    let (record, there) = world.sent("1", "INV-1", "100.00");
    let journal = Payment {
        number: "JE-9".into(),
        check_number: String::new(),
        method: Method::Other("journal entry".into()),
        account: None,
        payables_account: None,
        ..ledger_check(&[(&record, "40.00")])
    };
    world.pay(Side::Ledger, &journal, true);
    let entry = ledger(Kind::Payment, "77");
    world.put(entry.clone(), Document::Payment(journal.clone()));
    world.sync();
    assert_eq!(world.bill_at(&there).open, amount("60"));
    let target = world.target("bill-payments", &entry).unwrap();
    let it = world.payment_at(&target).clone();
    assert!(it.outside && it.memo.contains("JE-9"), "{}", it.memo);
    assert_eq!((it.method, it.total), (Method::Offline, amount("40")));
    assert_eq!(world.state("bill-payments", &entry), "DONE");
    assert_eq!(world.state("bill-payments", &target), "NOOP(echo)");
    assert_eq!(world.state("bills", &record), "DONE");
    // The entry is voided or taken off the bill: its record follows.
    world.pay(Side::Ledger, &journal, false);
    world.payment(&entry, |it| it.status = PaymentStatus::LedgerVoided);
    world.sync();
    assert_eq!(world.payment_at(&target).status, PaymentStatus::Voided);
    assert_eq!(world.bill_at(&there).open, amount("100"));
    assert_eq!(world.state("bill-payments", &entry), "REVERSED(reversed)");
}

#[test]
fn s122_only_the_linked_bills_are_recorded_with_their_amounts() {
    let mut world = World::new();
    let (record, there) = world.sent("1", "INV-1", "100.00");
    let stranger = ledger(Kind::Bill, "2");
    world.put(stranger.clone(), bill("OLD", "50.00"));
    world.bill(&stranger, |it| {
        (it.status, it.open) = (BillStatus::Paid, Amount::ZERO)
    });
    let check = ledger_check(&[(&record, "60.00"), (&stranger, "50.00")]);
    world.pay(Side::Ledger, &ledger_check(&[(&record, "60.00")]), true);
    world.put(ledger(Kind::Payment, "77"), Document::Payment(check));
    world.sync();
    assert_eq!(world.bill_at(&there).open, amount("40"));
    let target = world
        .target("bill-payments", &ledger(Kind::Payment, "77"))
        .unwrap();
    assert_eq!(world.payment_at(&target).total, amount("60"));
    let none = ledger(Kind::Payment, "78");
    world.put(
        none.clone(),
        Document::Payment(ledger_check(&[(&stranger, "50.00")])),
    );
    world.sync();
    assert_eq!(
        world.state("bill-payments", &none),
        "SKIPPED(no-linked-bills)"
    );
}

#[test]
fn s123_a_check_voided_in_the_ledger_voids_its_record() {
    let (mut world, payment, there) = checked("100.00");
    let check = world.payment_at(&payment).clone();
    world.pay(Side::Ledger, &check, false);
    world.payment(&payment, |it| it.status = PaymentStatus::LedgerVoided);
    world.sync();
    assert_eq!(world.writes.last().unwrap().action, Action::Void);
    assert_eq!(world.bill_at(&there).open, amount("100"));
    assert_eq!(world.state("bill-payments", &payment), "REVERSED(reversed)");
}

#[test]
fn s126_echoes_are_recognised_by_link_by_reference_and_by_external_id() {
    let (mut world, payment, _) = checked("100.00");
    let record = world.target("bill-payments", &payment).unwrap();
    assert_eq!(world.state("bill-payments", &record), "NOOP(echo)");
    world.links.retain(|link| link.flow != "bill-payments");
    assert_eq!(world.state("bill-payments", &record), "NOOP(echo)");

    let mut world = World::new();
    let (_, there) = world.sent("1", "INV-1", "100.00");
    let paid = world.pays("stp1", crate::world::payment(&[(&there, "100.00")]));
    world.sync();
    let posted = world.target("bill-payments", &paid).unwrap();
    world.links.retain(|link| link.flow != "bill-payments");
    assert_eq!(world.state("bill-payments", &posted), "NOOP(echo)");
}

#[test]
fn a_bill_paid_on_both_sides_is_told_not_recorded() {
    let mut world = World::new();
    let (record, there) = world.sent("1", "INV-1", "100.00");
    world.bill(&there, |it| {
        (it.open, it.scheduled) = (Amount::ZERO, amount("100"))
    });
    let check = ledger_check(&[(&record, "100.00")]);
    world.pay(Side::Ledger, &check, true);
    world.put(ledger(Kind::Payment, "77"), Document::Payment(check));
    world.sync();
    assert_eq!(
        world.state("bill-payments", &ledger(Kind::Payment, "77")),
        "BLOCKED(already-paid-on-platform)"
    );
}

#[test]
fn what_was_paid_before_the_balance_went_over_is_not_recorded_again() {
    let mut world = World::new();
    world
        .preferences
        .set("transactions.partly_paid", "balance")
        .unwrap();
    let record = ledger(Kind::Bill, "1");
    world.put(record.clone(), bill("INV-1", "100.00"));
    let check = ledger_check(&[(&record, "70.00")]);
    world.pay(Side::Ledger, &check, true);
    world.put(ledger(Kind::Payment, "77"), Document::Payment(check));
    world.sync();
    assert_eq!(
        world.state("bill-payments", &ledger(Kind::Payment, "77")),
        "SKIPPED(paid-at-cut-over)"
    );
    let later = ledger_check(&[(&record, "30.00")]);
    world.pay(Side::Ledger, &later, true);
    world.put(ledger(Kind::Payment, "78"), Document::Payment(later));
    world.sync();
    assert_eq!(
        world.state("bill-payments", &ledger(Kind::Payment, "78")),
        "DONE"
    );
}

fn order(world: &World, at: usize) -> Order {
    let step = world.writes[at].clone();
    Order {
        key: step.key,
        action: step.action,
        target: step.target,
        document: step.document,
        expect: step.expect,
        file: None,
    }
}

fn seen(id: &str, document: Document) -> Observed {
    Observed {
        id: id.into(),
        version: String::new(),
        created: None,
        document,
    }
}

#[test]
fn what_a_lost_creation_made_is_found_or_certainly_absent() {
    let mut world = World::new();
    world.sent("1", "INV-1", "100.00");
    let made = order(&world, 1);
    assert_eq!(judge(&made, &[]), Judgement::Absent);
    let there = seen("00n1", made.document.clone());
    assert_eq!(
        judge(&made, std::slice::from_ref(&there)),
        Judgement::Found("00n1".into())
    );
    let Document::Bill(mut unmarked) = made.document.clone() else {
        panic!()
    };
    unmarked.marker = None;
    let unmarked = Document::Bill(unmarked);
    let one = seen("00n2", unmarked.clone());
    assert_eq!(
        judge(&made, std::slice::from_ref(&one)),
        Judgement::Found("00n2".into())
    );
    assert_eq!(
        judge(&made, &[one.clone(), there]),
        Judgement::Found("00n1".into())
    );
    let two = seen("00n3", unmarked);
    assert!(matches!(judge(&made, &[one, two]), Judgement::Ambiguous(ids) if ids.len() == 2));
    let vendor = order(&world, 0);
    assert_eq!(
        judge(&vendor, &[seen("009", vendor.document.clone())]),
        Judgement::Found("009".into())
    );
}

#[test]
fn a_posting_is_found_by_its_external_id() {
    let mut world = World::new();
    let (_, there) = world.sent("1", "INV-1", "100.00");
    world.pays("stp1", payment(&[(&there, "100.00")]));
    world.sync();
    let made = order(&world, 2);
    assert_eq!(
        judge(&made, &[seen("9", made.document.clone())]),
        Judgement::Found("9".into())
    );
    let Document::Payment(mut other) = made.document.clone() else {
        panic!()
    };
    other.external_id = None;
    assert_eq!(
        judge(&made, &[seen("9", Document::Payment(other))]),
        Judgement::Absent
    );
}

#[test]
fn s222_the_use_of_a_credit_is_judged_by_what_it_is_applied_to() {
    let credit = |used: &[(&str, &str)], number: &str| {
        let Document::VendorCredit(mut credit) = vendor_credit(number, "40.00") else {
            panic!()
        };
        let used = used.iter().map(|(bill, used)| Application {
            document: (*bill).into(),
            line: None,
            amount: amount(used),
            discount: Amount::ZERO,
            credits: Vec::new(),
        });
        credit.applications = used.collect();
        Document::VendorCredit(credit)
    };
    let order = |document: Document| Order {
        key: Key::of(["k"]),
        action: Action::Amend,
        target: Some("7".into()),
        document,
        expect: Some(credit(&[("1", "10.00")], "VC-1")),
        file: None,
    };
    let applies = order(credit(&[("1", "10.00"), ("2", "30.00")], "VC-1"));
    let not_yet = seen("7", credit(&[("1", "10.00")], "VC-1"));
    assert_eq!(judge(&applies, &[not_yet]), Judgement::Absent);
    let done = seen("7", credit(&[("2", "30.00"), ("1", "10.00")], "VC-1"));
    assert_eq!(judge(&applies, &[done]), Judgement::Found("7".into()));
    // Another amendment doesn't ask what the credit is applied to meanwhile.
    let renumbers = order(credit(&[], "VC-2"));
    let used = seen("7", credit(&[("1", "10.00")], "VC-2"));
    assert_eq!(judge(&renumbers, &[used]), Judgement::Found("7".into()));
}
