use tieout_domain::document::{InvoiceStatus, SalesLine, SalesLineKind};
use tieout_domain::{Amount, Document, Kind, Side};
use tieout_flows::Decided;
use tieout_flows::preferences::FirstSync;

use super::books::*;
use crate::world::*;

#[test]
fn an_open_invoice_of_the_ledger_goes_over_once_with_its_mark() {
    let mut world = World::receivables();
    let (record, there) = world.invoiced("1", "100.00");
    assert_eq!(world.state("invoices", &record), "DONE");
    let copy = world.invoice_at(&there);
    assert_eq!(copy.number, "INV-1");
    assert_eq!(
        copy.marker.as_ref().unwrap().to_string(),
        "ns:1234567_SB1:1"
    );
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 1);
    // Without its link it is known again by the mark, and made no second time.
    world.links.clear();
    world.sync();
    assert_eq!(world.target("invoices", &record), Some(there));
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 1);
}

#[test]
fn only_what_is_outstanding_is_imported() {
    let mut world = World::receivables();
    let record = ledger(Kind::Invoice, "1");
    world.put(record.clone(), invoice("7", "INV-1", "100.00"));
    world.invoice(&record, |it| it.status = InvoiceStatus::Voided);
    world.sync();
    assert_eq!(world.state("invoices", &record), "NOOP(voided)");
    world.put(record.clone(), invoice("7", "INV-1", "100.00"));
    let Document::Invoice(it) = &mut world.records.get_mut(&record).unwrap().document else {
        panic!()
    };
    (it.open, it.status) = (Amount::ZERO, InvoiceStatus::Paid);
    assert_eq!(
        world.state("invoices", &record),
        "SKIPPED(paid-at-cut-over)"
    );
}

#[test]
fn s197_drafts_and_what_waits_for_approval_are_not_sent() {
    let mut world = World::receivables();
    let here = ledger(Kind::Invoice, "1");
    world.put(here.clone(), invoice("7", "INV-1", "100.00"));
    world.invoice(&here, |it| it.status = InvoiceStatus::PendingApproval);
    let there = platform(Kind::Invoice, "80");
    world.put(
        platform(Kind::Customer, "70"),
        customer("New Ltd", "CUST-1"),
    );
    world.put(there.clone(), invoice("70", "P-1", "50.00"));
    world.invoice(&there, |it| it.status = InvoiceStatus::Draft);
    world.sync();
    assert_eq!(world.state("invoices", &here), "HOLD(pending-approval)");
    assert_eq!(world.state("invoices", &there), "SKIPPED(draft)");
    assert!(world.writes.is_empty());
}

#[test]
fn s171_what_began_on_the_platform_waits_until_its_extent_is_confirmed() {
    let mut world = World::receivables();
    world.preferences.receivables.reconcile = false;
    world.preferences.receivables.first_sync = FirstSync::Ask;
    world.put(
        platform(Kind::Customer, "70"),
        customer("New Ltd", "CUST-1"),
    );
    let there = platform(Kind::Invoice, "80");
    world.put(there.clone(), invoice("70", "P-1", "50.00"));
    world.sync();
    assert_eq!(world.state("invoices", &there), "SKIPPED(reconcile-off)");
    world.preferences.receivables.reconcile = true;
    world.sync();
    assert_eq!(world.state("invoices", &there), "BLOCKED(first-sync)");
    assert!(world.writes.is_empty());
    world.preferences.receivables.first_sync = FirstSync::All;
    world.sync();
    assert_eq!(world.state("invoices", &there), "DONE");
    assert_eq!(world.made(Side::Ledger, Kind::Invoice), 1);
}

#[test]
fn taxes_and_discounts_of_the_platform_come_to_the_same_cent() {
    let mut world = World::receivables();
    world.put(
        platform(Kind::Customer, "70"),
        customer("New Ltd", "CUST-1"),
    );
    let there = platform(Kind::Invoice, "80");
    world.put(there.clone(), invoice("70", "P-1", "55.00"));
    let line = |kind, text: &str| SalesLine {
        line_kind: kind,
        ..sold(text)
    };
    world.invoice(&there, |it| {
        it.lines.push(line(SalesLineKind::Tax, "3.85"));
        it.lines.push(line(SalesLineKind::Discount, "-5.00"));
        it.total = amount("53.85");
    });
    world.preferences.receivables.tax_item = String::new();
    world.sync();
    assert_eq!(world.state("invoices", &there), "BLOCKED(tax-item-missing)");
    world.preferences.receivables.tax_item = "501".into();
    world.sync();
    let made = world.target("invoices", &there).unwrap();
    let made = world.invoice_at(&made);
    let items: Vec<_> = made
        .lines
        .iter()
        .map(|it| it.item.clone().unwrap())
        .collect();
    assert_eq!(items, ["500".into(), "501".into(), "502".into()]);
    assert_eq!(made.total, amount("53.85"));
    // Lines that don't come to the total are never written.
    world.invoice(&there, |it| it.total = amount("51.15"));
    world.sync();
    assert_eq!(world.state("invoices", &there), "BLOCKED(total-mismatch)");
}

#[test]
fn s175_an_unpaid_copy_follows_the_ledger() {
    let mut world = World::receivables();
    let (record, there) = world.invoiced("1", "100.00");
    world.invoice(&record, |it| {
        it.total = amount("80.00");
        it.lines = vec![sold("80.00")];
        it.due = Some(day("2026-08-01"));
    });
    world.sync();
    let copy = world.invoice_at(&there);
    assert_eq!(
        (copy.total, copy.due),
        (amount("80.00"), Some(day("2026-08-01")))
    );
    assert_eq!(world.state("invoices", &record), "DONE");
}

#[test]
fn s176_an_edited_copy_is_shown_and_not_written_back() {
    let mut world = World::receivables();
    let (record, there) = world.invoiced("1", "100.00");
    world.invoice(&there, |it| it.due = Some(day("2026-09-09")));
    world.sync();
    assert_eq!(world.state("invoices", &record), "NOOP(copy-edited)");
    assert_eq!(world.invoice_at(&record).due, Some(day("2026-07-01")));
    // The next change of the original prevails.
    world.invoice(&record, |it| it.due = Some(day("2026-07-15")));
    world.sync();
    assert_eq!(world.invoice_at(&there).due, Some(day("2026-07-15")));
}

#[test]
fn s177_a_change_after_payment_is_a_conflict_and_changes_nothing() {
    let mut world = World::receivables();
    let (record, there) = world.invoiced("1", "100.00");
    let payer = platform(Kind::Customer, world.invoice_at(&there).customer.as_str());
    world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    // Somebody frees the ledger's invoice of its payment, to be able to edit it.
    let posted = world.of(Side::Ledger, Kind::CustomerPayment);
    world.receipt(&posted[0], |it| {
        it.uses.clear();
        it.unapplied = it.total;
    });
    world.invoice(&record, |it| {
        it.total = amount("80.00");
        it.lines = vec![sold("80.00")];
    });
    world.sync();
    assert_eq!(
        world.state("invoices", &record),
        "CONFLICT(changed-after-payment)"
    );
    assert_eq!(world.invoice_at(&there).total, amount("100.00"));
}

#[test]
fn s193_a_voided_invoice_is_voided_over_there_unless_money_is_on_it() {
    let mut world = World::receivables();
    let (record, there) = world.invoiced("1", "100.00");
    world.preferences.receivables.archive = false;
    world.invoice(&record, |it| it.status = InvoiceStatus::Voided);
    world.sync();
    assert_eq!(world.state("invoices", &record), "SKIPPED(archive-off)");
    world.preferences.receivables.archive = true;
    world.sync();
    assert_eq!(world.invoice_at(&there).status, InvoiceStatus::Voided);
    assert_eq!(
        world.state("invoices", &record),
        "NOOP(closed-on-both-sides)"
    );

    let (record, there) = world.invoiced("2", "100.00");
    let payer = platform(Kind::Customer, world.invoice_at(&there).customer.as_str());
    world.preferences.receivables.reconcile = false;
    world.receives("90", receipt(&payer, &[(pays(&there), "40.00")]));
    world.delete(&record);
    world.sync();
    assert_eq!(
        world.state("invoices", &record),
        "BLOCKED(paid-invoice-deleted)"
    );
    assert_eq!(world.invoice_at(&there).status, InvoiceStatus::Open);
}

#[test]
fn s199_what_is_written_off_is_closed_over_there_and_never_paid() {
    let mut world = World::receivables();
    let (record, there) = world.invoiced("1", "100.00");
    world.invoice(&record, |it| it.status = InvoiceStatus::WrittenOff);
    world.sync();
    assert_eq!(world.invoice_at(&there).status, InvoiceStatus::WrittenOff);
    assert_eq!(world.state("invoices", &record), "DONE");
}

#[test]
fn s177_s199_what_is_written_off_after_it_was_changed_and_paid_is_still_told() {
    let mut world = World::receivables();
    world.put(
        platform(Kind::Customer, "70"),
        customer("New Ltd", "CUST-1"),
    );
    let theirs = platform(Kind::Invoice, "80");
    world.put(theirs.clone(), invoice("70", "P-1", "100.00"));
    world.sync();
    let made = world.target("invoices", &theirs).unwrap();
    world.preferences.receivables.reconcile = false;
    let payer = ledger(Kind::Customer, world.invoice_at(&made).customer.as_str());
    let payment = Document::CustomerPayment(receipt(&payer, &[(pays(&made), "100.00")]));
    world.put(ledger(Kind::CustomerPayment, "60"), payment);
    world.invoice(&theirs, |it| {
        it.total = amount("60.00");
        it.lines = vec![sold("60.00")];
        it.status = InvoiceStatus::WrittenOff;
    });
    world.sync();
    assert_eq!(
        world.state("invoices", &theirs),
        "CONFLICT(changed-after-payment)"
    );
}

#[test]
fn s199_a_copy_of_the_balance_alone_that_is_paid_is_done_when_the_invoice_is_written_off() {
    let mut world = World::receivables();
    let (record, there) = world.invoiced("1", "100.00");
    world.invoice(&there, |it| {
        it.total = amount("60.00");
        it.lines = vec![sold("60.00")];
    });
    world.invoice(&record, |it| it.status = InvoiceStatus::WrittenOff);
    world.preferences.receivables.reconcile = false;
    let payer = platform(Kind::Customer, world.invoice_at(&there).customer.as_str());
    world.receives("90", receipt(&payer, &[(pays(&there), "60.00")]));
    assert_eq!(world.invoice_at(&there).status, InvoiceStatus::Paid);
    assert_eq!(world.state("invoices", &record), "DONE");
}

#[test]
fn a_number_that_is_taken_is_never_written_over() {
    let mut world = World::receivables();
    world.invoiced("1", "100.00");
    let payer = world
        .target("customers", &ledger(Kind::Customer, "7"))
        .unwrap();
    let theirs = platform(Kind::Invoice, "80");
    world.preferences.receivables.reconcile = false;
    world.put(theirs.clone(), invoice(payer.id.as_str(), "INV-2", "70.00"));
    let record = ledger(Kind::Invoice, "2");
    world.put(record.clone(), invoice("7", "INV-2", "100.00"));
    world.sync();
    assert_eq!(world.state("invoices", &record), "BLOCKED(number-taken)");
    world.decide("invoices", record.clone(), Decided::Link(theirs.clone()));
    world.sync();
    assert_eq!(world.target("invoices", &record), Some(theirs.clone()));
    // The ledger is master: the copy is brought to its amount.
    assert_eq!(world.invoice_at(&theirs).total, amount("100.00"));
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 1);
}

#[test]
fn an_invoice_of_the_platform_follows_it_into_the_ledger_and_out_again() {
    let mut world = World::receivables();
    world.put(
        platform(Kind::Customer, "70"),
        customer("New Ltd", "CUST-1"),
    );
    let theirs = platform(Kind::Invoice, "80");
    world.put(theirs.clone(), invoice("70", "P-1", "50.00"));
    world.sync();
    let made = world.target("invoices", &theirs).unwrap();
    let key = world.invoice_at(&made).external_id.clone().unwrap();
    assert_eq!(key.as_str(), "invoiced_acme_invoice_80");
    world.invoice(&theirs, |it| {
        it.total = amount("60.00");
        it.lines = vec![sold("60.00")];
    });
    world.sync();
    assert_eq!(world.invoice_at(&made).total, amount("60.00"));
    world.invoice(&theirs, |it| it.status = InvoiceStatus::Voided);
    world.sync();
    assert_eq!(world.state("invoices", &theirs), "BLOCKED(void-in-ledger)");
    world.invoice(&made, |it| it.status = InvoiceStatus::Voided);
    world.sync();
    assert_eq!(
        world.state("invoices", &theirs),
        "NOOP(closed-on-both-sides)"
    );
    assert_eq!(world.made(Side::Ledger, Kind::Invoice), 1);
}

#[test]
fn a_closed_period_holds_what_would_be_posted_into_it() {
    let mut world = World::receivables();
    world.periods[4].receivables = tieout_domain::PeriodState::Closed;
    world.put(
        platform(Kind::Customer, "70"),
        customer("New Ltd", "CUST-1"),
    );
    let theirs = platform(Kind::Invoice, "80");
    world.put(theirs.clone(), invoice("70", "P-1", "50.00"));
    world.invoice(&theirs, |it| it.date = day("2026-05-10"));
    world.sync();
    assert_eq!(world.state("invoices", &theirs), "HOLD(closed-period)");
    // Payables are locked by themselves.
    world.periods[4].receivables = tieout_domain::PeriodState::Open;
    world.periods[4].payables = tieout_domain::PeriodState::Closed;
    world.sync();
    assert_eq!(world.state("invoices", &theirs), "DONE");
}

#[test]
fn s200_nothing_is_imported_that_the_platform_would_remind_of_or_charge_by_itself() {
    for (reminders, automatic_payment) in [(true, false), (false, true)] {
        let mut world = World::receivables();
        let there = platform(Kind::Customer, "70");
        let Document::Customer(mut known) = customer("Acme Ltd", "CUST-1") else {
            panic!()
        };
        (known.reminders, known.automatic_payment) = (reminders, automatic_payment);
        world.put(there.clone(), Document::Customer(known));
        let record = ledger(Kind::Invoice, "1");
        world.put(record.clone(), invoice("7", "INV-1", "100.00"));
        world.sync();
        let state = world.state("invoices", &record);
        assert_eq!(state, "BLOCKED(customer-automation)");
        assert_eq!(world.made(Side::Platform, Kind::Invoice), 0);
        // Switched off over there, or accepted here.
        if reminders {
            let Document::Customer(it) = &mut world.records.get_mut(&there).unwrap().document
            else {
                panic!()
            };
            it.reminders = false;
        } else {
            world.decide("invoices", record.clone(), accept("customer-automation"));
        }
        world.sync();
        assert_eq!(world.state("invoices", &record), "DONE");
    }
}

#[test]
fn a_named_invoice_that_is_gone_or_another_s_is_not_linked() {
    let mut world = World::receivables();
    let (first, taken) = world.invoiced("1", "100.00");
    let second = ledger(Kind::Invoice, "2");
    world.put(second.clone(), invoice("7", "INV-2", "100.00"));
    world.decide("invoices", second.clone(), Decided::Link(taken.clone()));
    world.sync();
    assert_eq!(world.state("invoices", &second), "BLOCKED(link-refused)");
    assert_eq!(world.target("invoices", &second), None);
    assert_eq!(world.target("invoices", &first), Some(taken));
    let gone = platform(Kind::Invoice, "none");
    world.decide("invoices", second.clone(), Decided::Link(gone));
    world.sync();
    assert_eq!(world.state("invoices", &second), "BLOCKED(link-refused)");
}
