use tieout_domain::{Document, Kind, Side};
use tieout_flows::Decided;

use super::books::*;
use crate::world::*;

#[test]
fn s172_only_customers_with_invoices_go_over_unless_all_are_wanted() {
    let mut world = World::receivables();
    world.put(ledger(Kind::Customer, "8"), customer("Quiet Ltd", "C-8"));
    world.invoiced("1", "100.00");
    assert_eq!(world.made(Side::Platform, Kind::Customer), 1);
    let quiet = ledger(Kind::Customer, "8");
    assert_eq!(world.state("customers", &quiet), "SKIPPED(not-used)");
    world
        .preferences
        .set("receivables.customers", "all")
        .unwrap();
    world.sync();
    assert_eq!(world.state("customers", &quiet), "DONE");
    assert_eq!(world.made(Side::Platform, Kind::Customer), 2);
}

#[test]
fn s172_an_inactive_customer_goes_over_with_no_list_and_stops_an_invoice() {
    let mut world = World::receivables();
    world
        .preferences
        .set("receivables.customers", "all")
        .unwrap();
    let Document::Customer(mut gone) = customer("Gone Ltd", "C-8") else {
        panic!()
    };
    gone.inactive = true;
    let record = ledger(Kind::Customer, "8");
    world.put(record.clone(), Document::Customer(gone));
    world.sync();
    assert_eq!(world.state("customers", &record), "SKIPPED(inactive)");
    world.put(ledger(Kind::Invoice, "1"), invoice("8", "INV-1", "100.00"));
    world.sync();
    let state = world.state("customers", &record);
    assert_eq!(state, "BLOCKED(customer-inactive)");
}

#[test]
fn s173_one_of_that_name_is_linked_and_several_wait_for_a_person() {
    let mut world = World::receivables();
    let there = platform(Kind::Customer, "70");
    world.put(there.clone(), customer("ACME  Ltd", "CUST-1"));
    world.invoiced("1", "100.00");
    assert_eq!(world.made(Side::Platform, Kind::Customer), 0);
    let acme = ledger(Kind::Customer, "7");
    assert_eq!(world.target("customers", &acme), Some(there));

    let mut world = World::receivables();
    for id in ["70", "71"] {
        let document = customer("Acme Ltd", &format!("CUST-{id}"));
        world.put(platform(Kind::Customer, id), document);
    }
    let record = ledger(Kind::Invoice, "1");
    world.put(record.clone(), invoice("7", "INV-1", "100.00"));
    world.sync();
    assert_eq!(world.state("customers", &acme), "BLOCKED(choose-customer)");
    assert_eq!(world.state("invoices", &record), "HOLD(waits-for-customer)");
    world.decide(
        "customers",
        acme.clone(),
        Decided::Link(platform(Kind::Customer, "71")),
    );
    world.sync();
    assert_eq!(world.state("invoices", &record), "DONE");
}

#[test]
fn s173_two_of_one_name_in_the_ledger_are_never_merged() {
    let mut world = World::receivables();
    world.put(ledger(Kind::Customer, "8"), customer("Acme Ltd", "C-8"));
    world.put(
        platform(Kind::Customer, "70"),
        customer("Acme Ltd", "CUST-1"),
    );
    let record = ledger(Kind::Invoice, "1");
    world.put(record, invoice("7", "INV-1", "100.00"));
    world.sync();
    let state = world.state("customers", &ledger(Kind::Customer, "7"));
    assert_eq!(state, "BLOCKED(choose-customer)");
    // A number that both sides know settles it.
    world.put(platform(Kind::Customer, "71"), customer("Acme Ltd", "C-7"));
    world.sync();
    let target = world.target("customers", &ledger(Kind::Customer, "7"));
    assert_eq!(target, Some(platform(Kind::Customer, "71")));
}

#[test]
fn s173_a_sub_customer_keeps_its_path() {
    let mut world = World::receivables();
    let Document::Customer(mut child) = customer("Acme Ltd", "C-9") else {
        panic!()
    };
    child.parent = Some("7".into());
    world.put(ledger(Kind::Customer, "9"), Document::Customer(child));
    world.put(ledger(Kind::Invoice, "1"), invoice("9", "INV-1", "100.00"));
    world.sync();
    let parent = world
        .target("customers", &ledger(Kind::Customer, "7"))
        .unwrap();
    let child = world
        .target("customers", &ledger(Kind::Customer, "9"))
        .unwrap();
    assert_ne!(parent, child);
    let Document::Customer(it) = world.at(&child) else {
        panic!()
    };
    assert_eq!(it.parent.as_ref(), Some(&parent.id));
}

#[test]
fn s174_a_customer_of_the_platform_goes_to_the_ledger_only_with_an_invoice() {
    let mut world = World::receivables();
    let theirs = platform(Kind::Customer, "70");
    world.put(theirs.clone(), customer("New Ltd", "CUST-1"));
    world.sync();
    assert_eq!(
        world.state("customers", &theirs),
        "SKIPPED(only-on-platform)"
    );
    world.put(platform(Kind::Invoice, "80"), invoice("70", "P-1", "50.00"));
    world.sync();
    assert_eq!(world.state("customers", &theirs), "DONE");
    assert_eq!(world.made(Side::Ledger, Kind::Customer), 1);
    // What was made for it is no second member of the population.
    let made = world.target("customers", &theirs).unwrap();
    assert!(!world.outcomes.contains_key(&("customers".into(), made)));
}

#[test]
fn a_merged_customer_waits_for_a_person_who_says_into_which() {
    let mut world = World::receivables();
    let (record, _) = world.invoiced("1", "100.00");
    let acme = ledger(Kind::Customer, "7");
    let there = world.target("customers", &acme).unwrap();
    world.put(
        platform(Kind::Customer, "99"),
        customer("Acme Group", "CUST-9"),
    );
    world.delete(&there);
    world.sync();
    assert_eq!(world.state("customers", &acme), "BLOCKED(counterpart-gone)");
    // Meanwhile nothing is sent to whom nobody over there knows any more.
    let second = ledger(Kind::Invoice, "2");
    world.put(second.clone(), invoice("7", "INV-2", "50.00"));
    world.sync();
    assert_eq!(world.state("invoices", &second), "HOLD(waits-for-customer)");
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 1);
    let survivor = platform(Kind::Customer, "99");
    world.decide("customers", acme.clone(), Decided::Link(survivor.clone()));
    world.sync();
    assert_eq!(world.target("customers", &acme), Some(survivor));
    assert_eq!(world.made(Side::Platform, Kind::Customer), 1);
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 2);
    drop(record);
}

/// What was free when a person named it may have been taken since.
#[test]
fn a_named_customer_that_is_gone_or_another_s_is_not_linked() {
    let mut world = World::receivables();
    world.invoiced("1", "100.00");
    let (acme, baker) = (ledger(Kind::Customer, "7"), ledger(Kind::Customer, "8"));
    let taken = world.target("customers", &acme).unwrap();
    world.put(baker.clone(), customer("Baker Ltd", "C-8"));
    world.put(ledger(Kind::Invoice, "2"), invoice("8", "INV-2", "50.00"));
    world.decide("customers", baker.clone(), Decided::Link(taken.clone()));
    world.sync();
    assert_eq!(world.state("customers", &baker), "BLOCKED(link-refused)");
    assert_eq!(world.target("customers", &baker), None);
    // Nor one of the ledger that has its copy already, named for one that began on the platform.
    let theirs = platform(Kind::Customer, "70");
    world.put(theirs.clone(), customer("Acme Group", "CUST-70"));
    world.put(platform(Kind::Invoice, "80"), invoice("70", "P-1", "20.00"));
    world.decide("customers", theirs.clone(), Decided::Link(acme.clone()));
    world.sync();
    assert_eq!(world.state("customers", &theirs), "BLOCKED(link-refused)");
    assert_eq!(world.target("customers", &theirs), None);
    // Nor in the place of one that is gone.
    let free = platform(Kind::Customer, "71");
    world.put(free.clone(), customer("Baker", "CUST-71"));
    world.decide("customers", baker.clone(), Decided::Link(free.clone()));
    world.sync();
    assert_eq!(world.target("customers", &baker), Some(free.clone()));
    world.delete(&free);
    world.decide("customers", baker.clone(), Decided::Link(taken));
    world.sync();
    assert_eq!(world.state("customers", &baker), "BLOCKED(link-refused)");
    assert_eq!(world.target("customers", &baker), Some(free));
}
