use tieout_domain::document::*;
use tieout_domain::{Document, Kind, RecordRef, Side};

use super::*;

fn change(world: &mut World, record: &RecordRef, change: impl FnOnce(&mut Customer)) {
    let Document::Customer(it) = &mut world.records.get_mut(record).unwrap().document else {
        panic!("{record} is no customer")
    };
    change(it);
}

#[test]
fn s174_customers_and_invoices_of_the_platform_stay_there_and_are_visible() {
    let mut world = World::alternative();
    let customer_there = platform(Kind::Customer, "70");
    world.put(customer_there.clone(), customer("New Ltd", ""));
    let there = platform(Kind::Invoice, "80");
    world.put(there.clone(), invoice("70", "P-1", "50.00"));
    world.sync();
    assert_eq!(
        world.state("customers", &customer_there),
        "SKIPPED(platform-only)"
    );
    assert_eq!(world.state("invoices", &there), "SKIPPED(platform-only)");
    assert!(world.writes.is_empty());
}

#[test]
fn s194_a_customer_archived_in_the_ledger_is_a_task_until_it_is_archived_there() {
    let mut world = World::alternative();
    let (_, copy) = world.invoiced("1", "100.00");
    let (here, there) = (ledger(Kind::Customer, "7"), world.payer(&copy));
    change(&mut world, &here, |it| it.inactive = true);
    world.sync();
    assert_eq!(world.state("customers", &here), "BLOCKED(archive-by-hand)");
    change(&mut world, &there, |it| it.inactive = true);
    world.sync();
    assert_eq!(world.state("customers", &here), "NOOP(inactive)");
    assert_eq!(world.made(Side::Platform, Kind::Customer), 1);
}

#[test]
fn s194_a_deleted_customer_is_a_task_too_also_where_archived_ones_vanish() {
    let mut world = World::alternative();
    let (_, copy) = world.invoiced("1", "100.00");
    let (here, there) = (ledger(Kind::Customer, "7"), world.payer(&copy));
    world.delete(&here);
    world.sync();
    assert_eq!(world.state("customers", &here), "BLOCKED(archive-by-hand)");
    world.delete(&there);
    world.sync();
    assert_eq!(
        world.state("customers", &here),
        "NOOP(closed-on-both-sides)"
    );
}

#[test]
fn a_change_that_the_platform_takes_of_no_customer_is_shown() {
    for documented in [false, true] {
        let mut world = if documented {
            World::documented()
        } else {
            World::alternative()
        };
        world.invoiced("1", "100.00");
        let here = ledger(Kind::Customer, "7");
        // It has no place for a telephone number.
        change(&mut world, &here, |it| it.phone = "555".into());
        world.sync();
        assert_eq!(world.state("customers", &here), "DONE");
        change(&mut world, &here, |it| it.email = "new@acme.example".into());
        world.sync();
        let expected = if documented {
            "NOOP(customer-not-amendable)"
        } else {
            "DONE"
        };
        assert_eq!(world.state("customers", &here), expected);
    }
}
