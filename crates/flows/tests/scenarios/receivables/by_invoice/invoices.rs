use tieout_domain::document::*;
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Kind, RecordRef, Side};
use tieout_flows::Link;

use super::*;

fn edit(world: &mut World, record: &RecordRef, total: &str) {
    world.invoice(record, |it| {
        it.total = amount(total);
        it.lines = vec![sold(total)];
    });
    world.sync();
}

#[test]
fn s175_amount_and_due_date_follow_while_it_is_unpaid() {
    let mut world = World::alternative();
    let (record, copy) = world.invoiced("1", "100.00");
    edit(&mut world, &record, "120.00");
    world.invoice(&record, |it| it.due = Some(day("2026-08-01")));
    world.sync();
    let it = world.invoice_at(&copy);
    assert_eq!(
        (it.total, it.due),
        (amount("120.00"), Some(day("2026-08-01")))
    );
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 1);
}

#[test]
fn s175_where_nothing_can_be_changed_it_is_archived_and_made_anew() {
    let mut world = World::documented();
    let (record, old) = world.invoiced("1", "100.00");
    edit(&mut world, &record, "120.00");
    let copy = world.copy_of(&record);
    assert_eq!(world.invoice_at(&old).status, InvoiceStatus::Voided);
    assert_eq!(world.invoice_at(&copy).total, amount("120.00"));
    assert_eq!(world.state("invoices", &record), "DONE");
    // Back again, and once more.
    edit(&mut world, &record, "100.00");
    edit(&mut world, &record, "120.00");
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 4);
    // A memo alone is no reason to make it anew.
    world.invoice(&record, |it| it.memo = "Thank you".into());
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 4);
}

/// The store was put back from between the two: its link leads to the copy that was archived.
#[test]
fn s175_s225_a_copy_that_was_made_anew_is_found_by_its_mark_and_not_made_again() {
    let mut world = World::documented();
    let (record, old) = world.invoiced("1", "100.00");
    edit(&mut world, &record, "120.00");
    let copy = world.copy_of(&record);
    let archived = world.at(&old).clone();
    let of_invoice = |link: &Link| link.flow == "invoices" && link.record == record;
    world
        .links
        .retain(|link| !of_invoice(link) || link.role.is_empty());
    let link = world
        .links
        .iter_mut()
        .find(|link| of_invoice(link))
        .unwrap();
    (link.target, link.applied) = (old, Some(archived));
    world.sync();
    assert_eq!(world.copy_of(&record), copy);
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 2);
    assert_eq!(world.state("invoices", &record), "DONE");
}

#[test]
fn s175_another_customer_or_number_makes_it_anew_everywhere() {
    let mut world = World::alternative();
    world.put(ledger(Kind::Customer, "8"), customer("Other Ltd", "C-8"));
    let (record, old) = world.invoiced("1", "100.00");
    world.invoice(&record, |it| it.customer = "8".into());
    world.sync();
    let copy = world.copy_of(&record);
    assert_ne!(copy, old);
    assert_eq!(world.invoice_at(&old).status, InvoiceStatus::Voided);
    assert_ne!(
        world.invoice_at(&copy).customer,
        world.invoice_at(&old).customer
    );
}

#[test]
fn s176_an_edit_on_the_platform_is_shown_and_not_written_back() {
    let mut world = World::alternative();
    let (record, copy) = world.invoiced("1", "100.00");
    world.invoice(&copy, |it| {
        it.total = amount("80.00");
        it.lines = vec![sold("80.00")];
    });
    world.sync();
    assert_eq!(world.state("invoices", &record), "NOOP(copy-edited)");
    assert_eq!(world.invoice_at(&record).total, amount("100.00"));
}

#[test]
fn s177_once_anything_was_paid_through_the_platform_edits_are_not_sent() {
    for (documented, paid) in [
        (false, "40.00"),
        (true, "40.00"),
        (false, "100.00"),
        (true, "100.00"),
    ] {
        let mut world = if documented {
            World::documented()
        } else {
            World::alternative()
        };
        let (record, copy) = world.invoiced("1", "100.00");
        world.pays_there("90", &copy, paid);
        assert_eq!(world.state("invoices", &record), "DONE");
        edit(&mut world, &record, "120.00");
        assert_eq!(
            world.state("invoices", &record),
            "CONFLICT(changed-after-payment)"
        );
        assert_eq!(world.invoice_at(&copy).total, amount("100.00"));
        let written = world.writes.iter();
        let written = written.filter(|step| step.document.kind() == Kind::Invoice);
        assert_eq!(written.count(), 1);
        world.decide("invoices", record.clone(), accept("changed-after-payment"));
        world.sync();
        assert_eq!(
            world.state("invoices", &record),
            "NOOP(changed-after-payment)"
        );
    }
}

#[test]
fn s177_what_was_recorded_from_the_ledger_keeps_no_edit_away() {
    let mut world = World::alternative();
    let (record, copy) = world.invoiced("1", "100.00");
    world.pays_here("60", &record, "40.00");
    edit(&mut world, &record, "120.00");
    let it = world.invoice_at(&copy);
    assert_eq!((it.total, it.open), (amount("120.00"), amount("80.00")));
    assert_eq!(world.state("invoices", &record), "DONE");
}

#[test]
fn s193_what_is_voided_is_archived_unless_a_person_wants_it_left_or_it_is_paid() {
    for documented in [false, true] {
        let mut world = if documented {
            World::documented()
        } else {
            World::alternative()
        };
        let (record, copy) = world.invoiced("1", "100.00");
        world.preferences.receivables.archive = false;
        world.invoice(&record, |it| it.status = InvoiceStatus::Voided);
        world.sync();
        assert_eq!(world.state("invoices", &record), "SKIPPED(archive-off)");
        world.preferences.receivables.archive = true;
        world.sync();
        assert_eq!(
            world.state("invoices", &record),
            "NOOP(closed-on-both-sides)"
        );
        assert_eq!(world.invoice_at(&copy).status, InvoiceStatus::Voided);

        let (record, copy) = world.invoiced("2", "100.00");
        world.preferences.receivables.reconcile = false;
        world.pays_there("90", &copy, "40.00");
        world.delete(&record);
        world.sync();
        assert_eq!(
            world.state("invoices", &record),
            "BLOCKED(paid-invoice-deleted)"
        );
        assert_ne!(world.invoice_at(&copy).status, InvoiceStatus::Voided);
    }
}

#[test]
fn a_copy_that_somebody_archived_is_a_person_s() {
    let mut world = World::documented();
    let (record, copy) = world.invoiced("1", "100.00");
    world.invoice(&copy, |it| it.status = InvoiceStatus::Voided);
    world.sync();
    assert_eq!(world.state("invoices", &record), "BLOCKED(copy-voided)");
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 1);
}

#[test]
fn a_copy_is_not_touched_while_a_payment_of_it_is_under_way() {
    let mut world = World::documented();
    let (record, copy) = world.invoiced("1", "100.00");
    let payer = world.payer(&copy);
    let mut debit = receipt(&payer, &[(pays(&copy), "100.00")]);
    debit.status = ReceiptStatus::Pending;
    let payment = platform(Kind::CustomerPayment, "90");
    world.put(payment.clone(), Document::CustomerPayment(debit));
    world.invoice(&copy, |it| it.status = InvoiceStatus::PaymentPending);
    world.pays_here("60", &record, "100.00");
    assert_eq!(world.state("invoices", &record), "HOLD(payment-under-way)");
    assert_eq!(world.state("payments", &payment), "HOLD(payment-under-way)");
    let archived = world.writes.iter();
    let archived = archived.filter(|step| step.action == Action::Archive);
    assert_eq!(archived.count(), 0);
}

#[test]
fn an_invoice_whose_payment_failed_waits_for_the_posting_and_is_not_archived() {
    let mut world = World::documented();
    let (record, copy) = world.invoiced("1", "100.00");
    let payment = world.pays_there("90", &copy, "100.00");
    world.receipt(&payment, |it| it.status = ReceiptStatus::Failed);
    world.sync();
    assert_eq!(world.state("payments", &payment), "BLOCKED(payment-failed)");
    assert_eq!(world.state("invoices", &record), "HOLD(payment-failed)");
    assert_eq!(world.invoice_at(&copy).status, InvoiceStatus::Open);
    assert_eq!(world.invoice_at(&copy).open, amount("100.00"));
    // Voided in the ledger, it is owed again on both sides.
    let posted = world.target("payments", &payment).unwrap();
    world.receipt(&posted, |it| it.status = ReceiptStatus::Voided);
    world.sync();
    assert_eq!(world.state("invoices", &record), "DONE");
    assert_eq!(world.invoice_at(&record).open, amount("100.00"));
    assert_ne!(world.invoice_at(&copy).open, Amount::ZERO);
}

/// A failed payment's posting was un-applied a moment ago, and the ledger's invoice was read before that.
#[test]
fn s188_a_copy_is_not_archived_on_what_was_read_before_its_payment_was_taken_out() {
    for documented in [true, false] {
        let mut world = if documented {
            World::documented()
        } else {
            World::alternative()
        };
        let (record, copy) = world.invoiced("1", "100.00");
        let payment = world.pays_there("90", &copy, "100.00");
        let posted = world.target("payments", &payment).unwrap();
        world.receipt(&payment, |it| it.status = ReceiptStatus::Failed);
        world.receipt(&posted, |it| it.status = ReceiptStatus::Voided);
        // As it was read before.
        let Document::Invoice(it) = &mut world.records.get_mut(&record).unwrap().document else {
            panic!()
        };
        (it.open, it.status) = (Amount::ZERO, InvoiceStatus::Paid);
        world.outdated.insert(record.clone());
        world.sync();
        assert_eq!(world.state("invoices", &record), "HOLD(read-first)");
        assert_eq!(world.invoice_at(&copy).status, InvoiceStatus::Open);
        // Read again, it is owed on both sides; or it was settled otherwise, and then nobody may pay it there.
        world.outdated.clear();
        let mut settled = world;
        settled.sync();
        assert_eq!(settled.invoice_at(&copy).status, InvoiceStatus::Voided);
    }
}

#[test]
fn s188_a_copy_is_not_made_anew_on_what_was_read_before_a_payment_was_posted() {
    let mut world = World::documented();
    let (record, old) = world.invoiced("1", "100.00");
    let check = world.pays_here("60", &record, "100.00");
    assert_eq!(world.invoice_at(&old).status, InvoiceStatus::Voided);
    world.receipt(&check, |it| it.status = ReceiptStatus::Voided);
    world.outdated.insert(record.clone());
    world.sync();
    assert_eq!(world.state("invoices", &record), "HOLD(read-first)");
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 1);
    world.outdated.clear();
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 2);
}

#[test]
fn taxes_and_discounts_go_over_as_plain_lines() {
    let mut world = World::alternative();
    let record = ledger(Kind::Invoice, "1");
    world.put(record.clone(), invoice("7", "INV-1", "55.00"));
    let line = |kind, text: &str| SalesLine {
        line_kind: kind,
        item: Some("9".into()),
        ..sold(text)
    };
    world.invoice(&record, |it| {
        it.lines.push(line(SalesLineKind::Tax, "3.85"));
        it.lines.push(line(SalesLineKind::Discount, "-5.00"));
        it.total = amount("53.85");
    });
    world.sync();
    assert_eq!(world.state("invoices", &record), "DONE");
    let copy = world.copy_of(&record);
    let lines = &world.invoice_at(&copy).lines;
    assert_eq!(lines.len(), 3);
    assert!(
        lines
            .iter()
            .all(|line| line.item.is_none() && line.line_kind == SalesLineKind::Item)
    );
}
