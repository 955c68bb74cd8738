//! What the ledger has settled of bills without the platform: told there, counted there already, or a person's matter.

use tieout_domain::document::{Application, BillStatus, VendorCredit};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Kind, RecordRef, Side, WaitsFor};
use tieout_flows::Decided;
use tieout_flows::preferences::PartlyPaid;

use crate::world::*;

const PAYMENTS: &str = "bill-payments";
const CREDITS: &str = "vendor-credits";

fn bill_ref(id: &str) -> RecordRef {
    ledger(Kind::Bill, id)
}

fn until(id: &str) -> Option<WaitsFor> {
    Some(WaitsFor::Link("bills".into(), bill_ref(id)))
}

fn part(bill: &str, text: &str) -> Application {
    Application {
        document: bill.into(),
        line: None,
        amount: amount(text),
        discount: Amount::ZERO,
        credits: Vec::new(),
    }
}

/// Books bill 1 of 100.00, of which only so much is open.
fn booked(world: &mut World, open: &str) {
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.bill(&bill_ref("1"), |it| {
        it.open = amount(open);
        if it.open.is_zero() {
            it.status = BillStatus::Paid;
        }
    });
}

/// Enters vendor credit 7 of 40.00 in the ledger, of which so much is applied to bill 1.
fn credited(world: &mut World, applied: &str) -> RecordRef {
    let record = ledger(Kind::VendorCredit, "7");
    world.put(record.clone(), vendor_credit("VC-1", "40.00"));
    world.credit(&record, |it| {
        it.open = amount("40").minus(amount(applied)).unwrap();
        it.applications = vec![part("1", applied)];
    });
    record
}

/// Enters a check of the ledger that has paid these bills already.
fn check(world: &mut World, id: &str, paid: &[(&str, &str)]) -> RecordRef {
    let bills: Vec<_> = paid.iter().map(|(bill, _)| bill_ref(bill)).collect();
    let paid: Vec<_> = bills
        .iter()
        .zip(paid.iter().map(|(_, text)| *text))
        .collect();
    let record = ledger(Kind::Payment, id);
    world.put(record.clone(), Document::Payment(ledger_check(&paid)));
    record
}

/// A bill of the platform, typed there by hand for the same vendor.
fn typed_there(world: &mut World, total: &str) -> RecordRef {
    let vendor_there = platform(Kind::Vendor, "009");
    world.put(vendor_there.clone(), vendor("Acme Ltd"));
    world.link("vendors", ledger(Kind::Vendor, "12"), vendor_there);
    let record = platform(Kind::Bill, "00n1");
    world.put(record.clone(), typed("009", "TYPED", total));
    record
}

fn link(world: &mut World, target: &RecordRef) {
    world.decide("bills", bill_ref("1"), Decided::Link(target.clone()));
    world.sync();
    assert_eq!(world.target("bills", &bill_ref("1")).as_ref(), Some(target));
}

fn role(world: &World) -> &str {
    let links = &world.links;
    let found = links.iter().find(|link| link.record == bill_ref("1"));
    &found.unwrap().role
}

#[test]
fn s048_a_credit_that_was_applied_before_it_was_seen_to_a_bill_of_the_platform_is_told() {
    let mut world = World::new();
    let (here, there) = world.sent("1", "INV-1", "100.00");
    let credit = credited(&mut world, "40.00");
    world.bill(&here, |it| it.open = amount("60"));
    world.sync();
    let outcome = world.rest(CREDITS, &credit);
    assert_eq!(outcome.to_string(), "BLOCKED(credit-applied-in-ledger)");
    assert_eq!(outcome.waits_for, until("1"));
    assert!(outcome.cause.contains("40") && outcome.cause.contains("100"));
    // The platform is paying the whole of it: still too much.
    world.bill(&there, |it| {
        (it.open, it.scheduled) = (Amount::ZERO, amount("100"));
    });
    let state = world.state(CREDITS, &credit);
    assert_eq!(state, "BLOCKED(credit-applied-in-ledger)");
    // Somebody did the same there. What else is open may still hide it.
    world.bill(&there, |it| {
        (it.open, it.scheduled) = (amount("60"), Amount::ZERO);
    });
    let outcome = world.rest(CREDITS, &credit);
    assert_eq!(outcome.to_string(), "SKIPPED(applied-at-cut-over)");
    assert_eq!(outcome.waits_for, until("1"));
    // Paid there: nothing is left to pay for nothing.
    world.bill(&there, |it| {
        (it.open, it.status) = (Amount::ZERO, BillStatus::Paid);
    });
    let outcome = world.rest(CREDITS, &credit);
    assert_eq!(outcome.to_string(), "SKIPPED(applied-at-cut-over)");
    assert_eq!(outcome.waits_for, None);
}

#[test]
fn s048_what_a_payment_under_way_hides_of_an_applied_credit_is_told_once_that_is_posted() {
    let mut world = World::new();
    let (here, there) = world.sent("1", "INV-1", "100.00");
    let credit = credited(&mut world, "40.00");
    world.bill(&here, |it| it.open = amount("60"));
    world.pays("stp1", payment(&[(&there, "50.00")]));
    let outcome = world.rest(CREDITS, &credit);
    assert_eq!(outcome.to_string(), "SKIPPED(applied-at-cut-over)");
    assert_eq!(outcome.waits_for, until("1"));
    world.sync();
    assert_eq!(world.bill_at(&here).open, amount("10"));
    let state = world.state(CREDITS, &credit);
    assert_eq!(state, "BLOCKED(credit-applied-in-ledger)");
}

#[test]
fn s048_a_credit_that_was_partly_applied_to_a_bill_of_the_platform_is_told_and_its_rest_waits() {
    for preference in [PartlyPaid::Skip, PartlyPaid::Balance] {
        let mut world = World::new();
        world.preferences.transactions.partly_paid = preference;
        let (here, there) = world.sent("1", "INV-1", "100.00");
        let credit = credited(&mut world, "25.00");
        world.bill(&here, |it| it.open = amount("75"));
        world.sync();
        let state = world.state(CREDITS, &credit);
        assert_eq!(state, "BLOCKED(credit-applied-in-ledger)");
        assert_eq!(world.made(Side::Platform, Kind::VendorCredit), 0);
        world.bill(&there, |it| it.open = amount("75"));
        world.sync();
        let goes = preference == PartlyPaid::Balance;
        let made = world.made(Side::Platform, Kind::VendorCredit);
        assert_eq!(made, usize::from(goes));
    }
}

#[test]
fn s048_s092_an_old_credit_counts_too_where_it_is_applied_to_a_bill_of_the_platform() {
    let mut world = World::new();
    let (here, _) = world.sent("1", "INV-1", "100.00");
    world.preferences.transactions.bills_from = Some(day("2026-06-10"));
    let credit = credited(&mut world, "40.00");
    assert_eq!(world.state(CREDITS, &credit), "SKIPPED(before-cut-over)");
    world.bill(&here, |it| it.open = amount("60"));
    let state = world.state(CREDITS, &credit);
    assert_eq!(state, "BLOCKED(credit-applied-in-ledger)");
}

#[test]
fn s048_s054_what_was_applied_at_the_cut_over_stays_so() {
    // Its bill isn't on the platform: it may get there.
    let mut world = World::new();
    booked(&mut world, "60");
    let credit = credited(&mut world, "40.00");
    world.sync();
    let outcome = world.rest(CREDITS, &credit);
    assert_eq!(outcome.to_string(), "SKIPPED(applied-at-cut-over)");
    assert_eq!(outcome.waits_for, until("1"));
    // It comes with what is left of it.
    world.preferences.transactions.partly_paid = PartlyPaid::Balance;
    world.sync();
    let there = world.target("bills", &bill_ref("1")).unwrap();
    assert_eq!(world.bill_at(&there).open, amount("60"));
    let outcome = world.rest(CREDITS, &credit);
    assert_eq!(outcome.to_string(), "SKIPPED(applied-at-cut-over)");
    assert_eq!(outcome.waits_for, None);
    // Another one, applied afterwards.
    let later = ledger(Kind::VendorCredit, "8");
    let Document::VendorCredit(it) = vendor_credit("VC-2", "30.00") else {
        unreachable!()
    };
    let it = VendorCredit {
        open: Amount::ZERO,
        applications: vec![part("1", "30.00")],
        ..it
    };
    world.put(later.clone(), Document::VendorCredit(it));
    world.bill(&bill_ref("1"), |it| it.open = amount("30"));
    let state = world.state(CREDITS, &later);
    assert_eq!(state, "BLOCKED(credit-applied-in-ledger)");
    let state = world.state(CREDITS, &credit);
    assert_eq!(state, "SKIPPED(applied-at-cut-over)");
}

#[test]
fn s048_s078_a_bill_that_a_credit_has_settled_is_told_when_it_is_linked_to_its_unpaid_twin() {
    let mut world = World::new();
    let there = typed_there(&mut world, "100.00");
    booked(&mut world, "60");
    let credit = credited(&mut world, "40.00");
    world.sync();
    assert_eq!(
        world.state(CREDITS, &credit),
        "SKIPPED(applied-at-cut-over)"
    );
    link(&mut world, &there);
    assert_eq!(
        world.state(CREDITS, &credit),
        "BLOCKED(credit-applied-in-ledger)"
    );
}

#[test]
fn s122_one_more_bill_of_a_payment_that_is_recorded_is_a_conflict() {
    let mut world = World::new();
    world.sent("1", "INV-1", "100.00");
    let (here, there) = world.sent("2", "INV-2", "50.00");
    let check = check(&mut world, "77", &[("1", "100.00")]);
    world.bill(&bill_ref("1"), |it| it.open = Amount::ZERO);
    world.sync();
    assert_eq!(world.state(PAYMENTS, &check), "DONE");
    world.payment(&check, |it| {
        it.applications.push(part("2", "50.00"));
        it.total = amount("150");
    });
    world.bill(&here, |it| it.open = Amount::ZERO);
    let writes = world.writes.len();
    world.sync();
    let outcome = world.rest(PAYMENTS, &check);
    assert_eq!(outcome.to_string(), "CONFLICT(recorded-payment-edited)");
    assert_eq!(outcome.waits_for, until("2"));
    assert!(outcome.cause.contains("INV-2"), "{}", outcome.cause);
    assert_eq!(world.writes.len(), writes);
    // Somebody said so there.
    world.bill(&there, |it| {
        (it.open, it.status) = (Amount::ZERO, BillStatus::Paid);
    });
    assert_eq!(world.state(PAYMENTS, &check), "DONE");
}

#[test]
fn s122_the_bill_that_a_recorded_payment_could_not_be_recorded_on_is_waited_for() {
    let mut world = World::new();
    let there = typed_there(&mut world, "100.00");
    world.sent("2", "INV-2", "50.00");
    booked(&mut world, "0");
    let check = check(&mut world, "77", &[("1", "100.00"), ("2", "50.00")]);
    world.bill(&bill_ref("2"), |it| it.open = Amount::ZERO);
    world.sync();
    let outcome = world.rest(PAYMENTS, &check);
    assert_eq!(outcome.to_string(), "DONE");
    assert_eq!(outcome.waits_for, until("1"));
    link(&mut world, &there);
    let outcome = world.rest(PAYMENTS, &check);
    assert_eq!(outcome.to_string(), "CONFLICT(recorded-payment-edited)");
    assert_eq!(outcome.waits_for, until("1"));
}

#[test]
fn s122_a_payment_of_unknown_bills_waits_for_one_that_may_still_come() {
    let mut world = World::new();
    booked(&mut world, "0");
    world.put(bill_ref("2"), bill("INV-2", "50.00"));
    world.bill(&bill_ref("2"), |it| it.open = amount("10"));
    let both = check(&mut world, "77", &[("1", "100.00"), ("2", "40.00")]);
    let closed = check(&mut world, "78", &[("1", "100.00")]);
    world.sync();
    for (record, bill) in [(both, "2"), (closed, "1")] {
        let outcome = world.rest(PAYMENTS, &record);
        assert_eq!(outcome.to_string(), "SKIPPED(no-linked-bills)");
        assert_eq!(outcome.waits_for, until(bill));
    }
}

#[test]
fn s078_s121_a_paid_bill_that_is_linked_to_its_unpaid_twin_has_its_payments_recorded() {
    let mut world = World::new();
    let there = typed_there(&mut world, "100.00");
    booked(&mut world, "0");
    let check = check(&mut world, "77", &[("1", "100.00")]);
    world.sync();
    assert_eq!(world.state(PAYMENTS, &check), "SKIPPED(no-linked-bills)");
    link(&mut world, &there);
    assert_eq!(world.state(PAYMENTS, &check), "DONE");
    assert_eq!(world.bill_at(&there).total, amount("100"));
    assert_eq!(world.bill_at(&there).open, Amount::ZERO);
    assert_eq!(world.made(Side::Platform, Kind::Payment), 1);
}

#[test]
fn s078_s054_a_partly_paid_bill_that_is_linked_to_what_is_left_of_it_is_not_raised() {
    let mut world = World::new();
    let there = typed_there(&mut world, "60.00");
    booked(&mut world, "60");
    let check = check(&mut world, "77", &[("1", "40.00")]);
    world.sync();
    assert_eq!(world.state(PAYMENTS, &check), "SKIPPED(no-linked-bills)");
    link(&mut world, &there);
    assert_eq!(role(&world), "opening");
    let it = world.bill_at(&there);
    assert_eq!((it.total, it.open), (amount("60"), amount("60")));
    assert_eq!(world.state(PAYMENTS, &check), "SKIPPED(paid-at-cut-over)");
    assert_eq!(world.made(Side::Platform, Kind::Payment), 0);
    assert_eq!(world.state("bills", &bill_ref("1")), "DONE");
}

#[test]
fn s078_s121_a_partly_paid_bill_that_is_linked_to_another_amount_has_all_of_its_payments_recorded()
{
    let mut world = World::new();
    let there = typed_there(&mut world, "80.00");
    booked(&mut world, "60");
    let check = check(&mut world, "77", &[("1", "40.00")]);
    world.sync();
    link(&mut world, &there);
    assert_eq!(role(&world), "");
    let it = world.bill_at(&there);
    assert_eq!((it.total, it.open), (amount("100"), amount("60")));
    assert_eq!(world.state(PAYMENTS, &check), "DONE");
}

#[test]
fn s054_s058_a_new_amount_of_what_was_linked_to_the_rest_of_it_is_asked_about() {
    let mut world = World::new();
    let there = typed_there(&mut world, "60.00");
    booked(&mut world, "60");
    // With another number it would be written, and its lines would tell.
    world.bill(&there, |it| it.number = "INV-1".into());
    link(&mut world, &there);
    assert!(world.writes.is_empty());
    grows(&mut world, "20");
    world.sync();
    let outcome = world.rest("bills", &bill_ref("1"));
    assert_eq!(outcome.to_string(), "CONFLICT(both-changed)");
    assert!(world.writes.is_empty());
    world.decide("bills", bill_ref("1"), accept("both-changed"));
    world.sync();
    assert_eq!(world.bill_at(&there).total, amount("80"));
    assert_eq!(world.state("bills", &bill_ref("1")), "DONE");
    // From now on its lines tell.
    grows(&mut world, "5");
    world.sync();
    assert_eq!(world.bill_at(&there).total, amount("85"));
}

/// Somebody changes the amount of bill 1 in the ledger.
fn grows(world: &mut World, text: &str) {
    let more = amount(text);
    world.bill(&bill_ref("1"), |it| {
        it.total = it.total.plus(more).unwrap();
        it.open = it.open.plus(more).unwrap();
        it.lines[0].amount = it.total;
    });
}

/// Bill 1 of 100.00, sent with the 60.00 that were open of it.
fn opened() -> (World, RecordRef) {
    let mut world = World::new();
    world.preferences.transactions.partly_paid = PartlyPaid::Balance;
    booked(&mut world, "60");
    world.sync();
    let there = world.target("bills", &bill_ref("1")).unwrap();
    assert_eq!(world.bill_at(&there).total, amount("60"));
    (world, there)
}

#[test]
fn s054_s058_a_new_amount_of_a_bill_that_went_as_its_balance_goes_over() {
    let (mut world, there) = opened();
    for (more, total) in [("20", "80"), ("-35.50", "44.50")] {
        grows(&mut world, more);
        world.sync();
        let it = world.bill_at(&there);
        assert_eq!((it.total, it.open), (amount(total), amount(total)));
        assert_eq!(world.state("bills", &bill_ref("1")), "DONE");
    }
    // What the ledger pays of it is none.
    let check = check(&mut world, "77", &[("1", "30.00")]);
    world.bill(&bill_ref("1"), |it| it.open = amount("14.50"));
    world.sync();
    assert_eq!(world.state(PAYMENTS, &check), "DONE");
    let it = world.bill_at(&there);
    assert_eq!((it.total, it.open), (amount("44.50"), amount("14.50")));
    grows(&mut world, "1");
    assert_eq!(
        world.state("bills", &bill_ref("1")),
        "CONFLICT(amount-edited-after-payment)"
    );
}

#[test]
fn s054_s226_a_new_amount_of_a_balance_whose_link_was_lost_goes_over_by_what_its_lines_tell() {
    let (mut world, there) = opened();
    world.links.retain(|link| link.flow != "bills");
    world.sync();
    assert_eq!(role(&world), "opening");
    grows(&mut world, "20");
    world.sync();
    assert_eq!(world.bill_at(&there).total, amount("80"));
    assert_eq!(world.made(Side::Platform, Kind::Bill), 1);
}

#[test]
fn s054_less_than_was_settled_before_is_a_persons_matter() {
    let (mut world, _) = opened();
    grows(&mut world, "-70");
    let state = world.state("bills", &bill_ref("1"));
    assert_eq!(state, "BLOCKED(sign-changed)");
}

#[test]
fn s048_a_new_amount_of_a_credit_that_went_as_its_rest_goes_over() {
    let mut world = World::new();
    world.preferences.transactions.partly_paid = PartlyPaid::Balance;
    booked(&mut world, "0");
    let credit = credited(&mut world, "25.00");
    world.sync();
    let there = world.target(CREDITS, &credit).unwrap();
    world.credit(&credit, |it| {
        (it.total, it.open) = (amount("35"), amount("10"));
        it.lines[0].amount = amount("35");
    });
    world.sync();
    let Document::VendorCredit(it) = world.at(&there) else {
        panic!()
    };
    assert_eq!((it.total, it.open), (amount("10"), amount("10")));
    assert_eq!(world.writes.last().unwrap().action, Action::Amend);
    assert_eq!(world.state(CREDITS, &credit), "DONE");
}

#[test]
fn s079_an_orphan_says_that_it_is_linked_from_the_ledger() {
    let mut world = World::new();
    let there = typed_there(&mut world, "100.00");
    let credit = platform(Kind::VendorCredit, "00v1");
    world.put(credit.clone(), {
        let Document::VendorCredit(it) = vendor_credit("VC-9", "5.00") else {
            unreachable!()
        };
        Document::VendorCredit(VendorCredit {
            vendor: "009".into(),
            ..it
        })
    });
    for (flow, record, from) in [
        ("bills", &there, "ledger/bill/ID"),
        (CREDITS, &credit, "ledger/vendor-credit/ID"),
    ] {
        let outcome = world.rest(flow, record);
        assert_eq!(outcome.to_string(), "ORPHAN(only-on-platform)");
        assert!(outcome.cause.contains(from), "{}", outcome.cause);
    }
    // Decided here, it is told where it belongs.
    booked(&mut world, "0");
    world.decide("bills", there.clone(), Decided::Link(bill_ref("1")));
    let outcome = world.rest("bills", &there);
    assert_eq!(outcome.to_string(), "ORPHAN(only-on-platform)");
    assert!(outcome.cause.contains("no effect") && outcome.cause.contains("ledger/bill/1"));
}
