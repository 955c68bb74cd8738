use tieout_domain::{Amount, Kind, RecordRef, Side};

use super::*;

/// A world in which another system has carried invoice 1 to the platform.
fn carried() -> (World, RecordRef, RecordRef) {
    let mut world = World::alternative();
    world
        .preferences
        .set("receivables.mode", "payments-only")
        .unwrap();
    let (here, there) = (ledger(Kind::Invoice, "1"), platform(Kind::Invoice, "80"));
    world.put(here.clone(), invoice("7", "INV-1", "100.00"));
    world.put(platform(Kind::Customer, "70"), customer("ACME ltd", ""));
    world.put(there.clone(), invoice("70", "INV-1", "100.00"));
    world.sync();
    (world, here, there)
}

#[test]
fn what_another_system_carries_is_linked_and_only_payments_and_deposits_come_back() {
    let (mut world, here, there) = carried();
    assert_eq!(world.target("invoices", &here), Some(there.clone()));
    let payment = world.pays_there("90", &there, "100.00");
    assert_eq!(world.state("payments", &payment), "DONE");
    let posted = world.target("payments", &payment).unwrap();
    assert_eq!(world.receipt_at(&posted).customer, Some("7".into()));
    let record = world.payout("1", &[(of(&payment), "100.00")]);
    assert_eq!(world.state("deposits", &record), "DONE");
    assert_eq!(world.invoice_at(&here).open, Amount::ZERO);
    // Nothing was written to the platform, whatever happens in the ledger.
    world.invoice(&here, |it| it.memo = "Edited".into());
    world.sync();
    let there_written = world.writes.iter().filter(|it| it.side == Side::Platform);
    assert_eq!(there_written.count(), 0);
}

#[test]
fn several_that_are_alike_are_for_a_person() {
    let (mut world, here, there) = carried();
    world.links.clear();
    world.put(
        platform(Kind::Invoice, "81"),
        invoice("70", "INV-1", "100.00"),
    );
    world.sync();
    assert_eq!(world.state("invoices", &here), "BLOCKED(ambiguous-match)");
    world.decide(
        "invoices",
        here.clone(),
        tieout_flows::Decided::Link(there.clone()),
    );
    world.sync();
    assert_eq!(world.target("invoices", &here), Some(there));
}

#[test]
fn another_customer_s_invoice_of_that_number_is_not_taken_for_it() {
    let (mut world, here, there) = carried();
    world.links.clear();
    world.put(
        platform(Kind::Customer, "70"),
        customer("Somebody else", ""),
    );
    world.sync();
    assert_eq!(world.state("invoices", &here), "SKIPPED(payments-only)");
    assert_eq!(world.state("invoices", &there), "SKIPPED(payments-only)");
    // Nor is its payment deposited by itself before a person says so.
    let payment = world.pays_there("90", &there, "100.00");
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(invoices-not-linked)"
    );
    assert_eq!(world.made(Side::Ledger, Kind::Deposit), 0);
}

#[test]
fn payments_of_the_ledger_are_told_by_the_other_system() {
    let (mut world, here, _) = carried();
    let check = world.pays_here("60", &here, "40.00");
    assert_eq!(world.state("payments", &check), "SKIPPED(payments-only)");
    assert_eq!(world.told(), []);
    assert_eq!(world.state("documents", &here), "SKIPPED(payments-only)");
}

#[test]
fn what_the_other_system_told_the_platform_is_never_posted_as_money() {
    let (mut world, here, there) = carried();
    let mut told = receipt(&world.payer(&there), &[(pays(&there), "40.00")]);
    told.method = tieout_domain::document::ReceiptMethod::Other("external".into());
    let told = world.receives("90", told);
    assert_eq!(world.state("payments", &told), "SKIPPED(told-to-platform)");
    assert_eq!(world.invoice_at(&here).open, amount("100.00"));
}
