use tieout_domain::document::{Discount, Payment, PaymentStatus, Void, VoidKind};
use tieout_domain::{Amount, Kind, RecordRef, Side};

use crate::world::*;

/// A bill of 100.00 whose terms offer 2.00 until the 11th, sent; the ids here and there.
fn offered() -> (World, RecordRef, RecordRef) {
    let mut world = World::new();
    let (here, there) = world.sent("1", "INV-1", "100.00");
    world.bill(&here, |it| {
        it.discount = Some(Discount {
            amount: amount("2.00"),
            until: day("2026-06-11"),
        });
    });
    (world, here, there)
}

/// What the one payment of this much was posted as, and what is left open here and there.
fn paid(text: &str, on: &str, policy: &str) -> (Payment, Amount, Amount) {
    let (mut world, here, there) = offered();
    world
        .preferences
        .set("transactions.discounts", policy)
        .unwrap();
    let record = world.pays(
        "stp1",
        Payment {
            date: day(on),
            ..payment(&[(&there, text)])
        },
    );
    world.sync();
    assert_eq!(world.state("bill-payments", &record), "DONE");
    let posting = world.target("bill-payments", &record).unwrap();
    let posted = world.payment_at(&posting).clone();
    (
        posted,
        world.bill_at(&here).open,
        world.bill_at(&there).open,
    )
}

#[test]
fn s085_a_discount_is_booked_if_the_payment_is_short_by_just_that_and_in_time() {
    let (posted, here, there) = paid("98.00", "2026-06-11", "terms");
    assert_eq!(posted.total, amount("98.00"), "cash alone");
    assert_eq!(posted.applications[0].amount, amount("98.00"));
    assert_eq!(posted.applications[0].discount, amount("2.00"));
    assert_eq!((here, there), (Amount::ZERO, amount("2.00")));
    for (text, on, policy) in [
        ("98.00", "2026-06-12", "terms"),
        ("97.99", "2026-06-10", "terms"),
        ("98.01", "2026-06-10", "terms"),
        ("98.00", "2026-06-10", "none"),
    ] {
        let (posted, here, there) = paid(text, on, policy);
        let left = amount("100.00").minus(amount(text)).unwrap();
        assert_eq!(posted.applications[0].discount, Amount::ZERO, "{text} {on}");
        assert_eq!((here, there), (left, left), "{text} {on}");
    }
    let (posted, here, there) = paid("100.00", "2026-06-10", "terms");
    assert_eq!(posted.applications[0].discount, Amount::ZERO);
    assert_eq!((here, there), (Amount::ZERO, Amount::ZERO));
}

#[test]
fn s085_s107_a_voided_payment_gives_its_discount_back() {
    let (mut world, here, there) = offered();
    let record = world.pays("stp1", payment(&[(&there, "98.00")]));
    world.sync();
    let old = world.payment_at(&record).clone();
    world.pay(Side::Platform, &old, false);
    world.payment(&record, |it| {
        it.status = PaymentStatus::Voided;
        it.void = Some(Void {
            void_kind: VoidKind::Credit,
            accepted: true,
            rejected: false,
        });
    });
    world.sync();
    let state = world.state("bill-payments", &record);
    assert!(state.starts_with("REVERSED"), "{state}");
    let posting = world
        .links
        .iter()
        .find(|link| link.record == record && link.target.kind == Kind::Payment)
        .unwrap();
    let moved = &world.payment_at(&posting.target).applications;
    assert_eq!(moved.len(), 1);
    assert_eq!(
        (moved[0].amount, moved[0].discount),
        (amount("98.00"), Amount::ZERO)
    );
    assert_eq!(world.bill_at(&here).open, amount("100.00"));
    assert_eq!(world.made(Side::Ledger, Kind::Journal), 1);
}

#[test]
fn s085_a_discount_taken_in_the_ledger_is_recorded_as_the_cash_alone() {
    let (mut world, here, there) = offered();
    let mut check = ledger_check(&[(&here, "98.00")]);
    check.applications[0].discount = amount("2.00");
    let record = ledger(Kind::Payment, "7001");
    world.pay(Side::Ledger, &check, true);
    world.put(record.clone(), tieout_domain::Document::Payment(check));
    world.sync();
    assert_eq!(world.state("bill-payments", &record), "DONE");
    let recorded = world.target("bill-payments", &record).unwrap();
    assert_eq!(world.payment_at(&recorded).total, amount("98.00"));
    assert_eq!(world.bill_at(&there).open, amount("2.00"));
}
