//! The memory is lost: what was made is known again by its marks and keys, and nothing is made twice
//! (scenarios 225 and 226).

use tieout_domain::{Document, Kind, RecordRef, Side};
use tieout_flows::Decided;
use tieout_flows::preferences::PartlyPaid;

use crate::world::*;

fn bill_ref(id: &str) -> RecordRef {
    ledger(Kind::Bill, id)
}

fn vendor_ref() -> RecordRef {
    ledger(Kind::Vendor, "12")
}

/// Bills of vendor 12, sent; then every link is lost.
fn lost(ids: &[&str]) -> (World, Vec<RecordRef>, RecordRef) {
    let mut world = World::new();
    let mut there = Vec::new();
    for id in ids {
        there.push(world.sent(id, &format!("INV-{id}"), "100.00").1);
    }
    let payee = world.target("vendors", &vendor_ref()).unwrap();
    forget(&mut world);
    (world, there, payee)
}

fn forget(world: &mut World) {
    world.links.clear();
    world.outcomes.clear();
    world.writes.clear();
}

/// A copy of a record of the platform, made by a person.
fn copy(world: &mut World, of: &RecordRef, id: &str, vendor: &str) -> RecordRef {
    let copy = RecordRef::new(of.side, of.kind, id);
    world.put(copy.clone(), world.at(of).clone());
    world.bill(&copy, |it| it.vendor = vendor.into());
    copy
}

#[test]
fn s226_a_vendor_is_known_by_its_marked_bills_whatever_it_is_called() {
    let (mut world, there, payee) = lost(&["1", "2"]);
    world.vendor(&payee, |it| it.name = "Acme, as people call it".into());
    world.sync();
    assert_eq!(world.target("vendors", &vendor_ref()), Some(payee));
    for (id, there) in ["1", "2"].iter().zip(there) {
        assert_eq!(world.target("bills", &bill_ref(id)), Some(there));
    }
    assert_eq!(world.made(Side::Platform, Kind::Vendor), 0);
    assert_eq!(world.made(Side::Platform, Kind::Bill), 0);
}

#[test]
fn a_bill_copied_to_another_vendor_mark_and_all_misleads_nobody() {
    let (mut world, there, payee) = lost(&["1", "2"]);
    world.put(platform(Kind::Vendor, "009other"), vendor("Other Ltd"));
    copy(&mut world, &there[0], "00ncopy", "009other");
    world.sync();
    assert_eq!(world.target("vendors", &vendor_ref()), Some(payee));
    assert_eq!(
        world.target("bills", &bill_ref("1")),
        Some(there[0].clone())
    );
}

#[test]
fn where_marked_bills_disagree_the_name_decides_and_else_a_person() {
    let (mut world, there, payee) = lost(&["1", "2"]);
    world.put(platform(Kind::Vendor, "009other"), vendor("Other Ltd"));
    world.bill(&there[0], |it| it.vendor = "009other".into());
    let mut named = lost(&["1", "2"]).0;
    named.put(platform(Kind::Vendor, "009other"), vendor("Other Ltd"));
    named.bill(&there[0], |it| it.vendor = "009other".into());
    named.sync();
    assert_eq!(named.target("vendors", &vendor_ref()), Some(payee.clone()));
    assert_eq!(
        named.state("bills", &bill_ref("1")),
        "BLOCKED(marked-elsewhere)"
    );
    assert_eq!(named.state("bills", &bill_ref("2")), "DONE");
    assert_eq!(named.made(Side::Platform, Kind::Bill), 0);

    world.vendor(&payee, |it| it.name = "Nobody knows".into());
    world.sync();
    assert_eq!(
        world.state("vendors", &vendor_ref()),
        "BLOCKED(choose-vendor)"
    );
    assert_eq!(
        world.state("bills", &bill_ref("2")),
        "HOLD(waits-for-vendor)"
    );
    world.decide("vendors", vendor_ref(), Decided::Link(payee.clone()));
    world.sync();
    assert_eq!(
        world.target("bills", &bill_ref("2")),
        Some(there[1].clone())
    );
    assert_eq!(world.made(Side::Platform, Kind::Bill), 0);
}

#[test]
fn two_vendors_with_marked_bills_at_one_payee_are_a_persons_to_tell_apart() {
    let (mut world, there, payee) = lost(&["1"]);
    world.put(ledger(Kind::Vendor, "13"), vendor("Acme Ltd"));
    world.put(bill_ref("3"), bill("INV-3", "100.00"));
    world.bill(&bill_ref("3"), |it| it.vendor = "13".into());
    let second = copy(&mut world, &there[0], "00nsecond", payee.id.as_str());
    world.bill(&second, |it| {
        it.number = "INV-3".into();
        it.marker.as_mut().unwrap().id = "3".into();
    });
    world.sync();
    assert_eq!(
        world.state("vendors", &vendor_ref()),
        "BLOCKED(choose-vendor)"
    );
    assert_eq!(world.made(Side::Platform, Kind::Bill), 0);
}

#[test]
fn s226_a_bill_that_is_paid_by_now_is_known_by_its_mark() {
    let (mut world, there, _) = lost(&["1"]);
    world.bill(&bill_ref("1"), |it| {
        it.open = amount("0");
        it.status = tieout_domain::document::BillStatus::Paid;
    });
    world.sync();
    assert_eq!(
        world.target("bills", &bill_ref("1")),
        Some(there[0].clone())
    );
}

#[test]
fn what_was_sent_as_a_balance_stays_one() {
    let mut world = World::new();
    world.preferences.transactions.partly_paid = PartlyPaid::Balance;
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.bill(&bill_ref("1"), |it| it.open = amount("30"));
    world.sync();
    let there = world.target("bills", &bill_ref("1")).unwrap();
    forget(&mut world);
    world.bill(&bill_ref("1"), |it| it.open = amount("20"));
    world.sync();
    assert_eq!(world.target("bills", &bill_ref("1")), Some(there.clone()));
    assert_eq!(
        world.bill_at(&there).total,
        amount("30"),
        "never raised to the whole"
    );
    assert!(world.writes.is_empty(), "{:?}", world.writes);
}

#[test]
fn s226_postings_records_and_reversals_are_known_by_their_keys() {
    let mut world = World::new();
    let (_, there) = world.sent("1", "INV-1", "100.00");
    let (paid_here, _) = world.sent("2", "INV-2", "50.00");
    let payment = world.pays("stp1", payment(&[(&there, "100.00")]));
    let outside = ledger_check(&[(&paid_here, "50.00")]);
    world.pay(Side::Ledger, &outside, true);
    let outside_ref = ledger(Kind::Payment, "777");
    world.put(outside_ref.clone(), Document::Payment(outside));
    world.sync();
    world.payment(&payment, |it| {
        it.status = tieout_domain::document::PaymentStatus::Voided
    });
    world.sync();
    assert_eq!(world.state("bill-payments", &payment), "REVERSED(reversed)");
    let before: std::collections::BTreeSet<_> = world
        .links
        .iter()
        .map(|link| {
            (
                link.flow.clone(),
                link.record.clone(),
                link.role.clone(),
                link.target.clone(),
            )
        })
        .collect();
    assert!(before.iter().any(|(_, _, role, _)| role == "reversal"));
    assert!(before.iter().any(|(_, record, ..)| *record == outside_ref));
    forget(&mut world);
    world.sync();
    let after: std::collections::BTreeSet<_> = world
        .links
        .iter()
        .map(|link| {
            (
                link.flow.clone(),
                link.record.clone(),
                link.role.clone(),
                link.target.clone(),
            )
        })
        .collect();
    let missing: Vec<_> = before
        .difference(&after)
        .filter(|(flow, ..)| flow != "accounts")
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(world.writes.is_empty(), "{:?}", world.writes);
}

/// A bill that was paid on both sides, by the same amount on the same day: a person says whether it is one payment or two,
/// before the store was lost and after.
#[test]
fn s225_what_somebody_paid_in_the_ledger_is_not_taken_for_the_posting_of_a_payment() {
    let both_ways = || {
        let mut world = World::new();
        let (here, there) = world.sent("1", "INV-1", "100.00");
        let there = world.pays("stp1", payment(&[(&there, "100.00")]));
        let mut check = ledger_check(&[(&here, "100.00")]);
        check.date = world.payment_at(&there).date;
        world.pay(Side::Ledger, &check, true);
        let check_ref = ledger(Kind::Payment, "777");
        world.put(check_ref.clone(), Document::Payment(check));
        world.recovering = true;
        (world, there, check_ref)
    };
    let (mut world, there, _) = both_ways();
    world.sync();
    assert_eq!(
        world.state("bill-payments", &there),
        "BLOCKED(ambiguous-match)"
    );
    assert_eq!(world.target("bill-payments", &there), None);
    // Another payment's posting is nobody else's.
    let (mut world, there, check) = both_ways();
    world.taking_over = true;
    let anothers = world.connection.platform_key(&"stp2".into());
    world.payment(&check, |it| it.external_id = Some(anothers));
    world.sync();
    assert_eq!(world.target("bill-payments", &there), None);
    // The sync that was at work before left no such id.
    let (mut world, there, check) = both_ways();
    world.taking_over = true;
    world.sync();
    assert_eq!(world.target("bill-payments", &there), Some(check));
}
