use tieout_domain::document::*;
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Kind, Side};

use super::*;

#[test]
fn s178_a_payment_in_the_ledger_lowers_what_is_open_there_and_follows_it() {
    let mut world = World::alternative();
    let (record, copy) = world.invoiced("1", "100.00");
    let check = world.pays_here("60", &record, "40.00");
    assert_eq!(world.state("payments", &check), "DONE");
    assert_eq!(world.told(), [amount("40.00")]);
    assert_eq!(world.invoice_at(&copy).open, amount("60.00"));
    let told = world.target("payments", &check).unwrap();
    let key = world.receipt_at(&told).external_id.clone().unwrap();
    assert_eq!(key.as_str(), "ns_1234567_SB1_customer-payment_60_1_1");
    // Another amount takes it back and makes the next.
    world.receipt(&check, |it| {
        it.uses[0].amount = amount("30.00");
        it.unapplied = amount("10.00");
    });
    world.sync();
    assert_eq!(world.told(), [amount("30.00")]);
    assert_eq!(world.made(Side::Platform, Kind::CustomerPayment), 2);
    // Voided in the ledger: so it is there.
    world.receipt(&check, |it| it.status = ReceiptStatus::Voided);
    world.sync();
    assert_eq!(world.told(), []);
    assert_eq!(world.invoice_at(&copy).open, amount("100.00"));
    assert_eq!(
        world.state("payments", &check),
        "NOOP(closed-on-both-sides)"
    );
    assert_eq!(world.made(Side::Ledger, Kind::CustomerPayment), 0);
}

#[test]
fn s178_a_payment_of_two_invoices_is_told_by_invoice() {
    let mut world = World::alternative();
    let (first, _) = world.invoiced("1", "100.00");
    let (second, copy) = world.invoiced("2", "50.00");
    let check = ledger(Kind::CustomerPayment, "60");
    let uses = [(pays(&first), "100.00"), (pays(&second), "20.00")];
    let paid = receipt(&ledger(Kind::Customer, "7"), &uses);
    world.put(check.clone(), Document::CustomerPayment(paid));
    world.settle_receivables();
    world.sync();
    assert_eq!(world.told(), [amount("100.00"), amount("20.00")]);
    assert_eq!(world.invoice_at(&copy).open, amount("30.00"));
    // Un-applied from one, what is told of the other stands.
    world.receipt(&check, |it| {
        it.uses.remove(1);
        it.unapplied = amount("20.00");
    });
    world.sync();
    assert_eq!(world.told(), [amount("100.00")]);
    world.delete(&check);
    world.settle_receivables();
    world.sync();
    assert_eq!(world.told(), []);
}

#[test]
fn s178_a_credit_memo_lowers_it_once_it_is_applied_and_s179_not_before() {
    let mut world = World::alternative();
    let (record, copy) = world.invoiced("1", "100.00");
    let memo = ledger(Kind::CreditMemo, "30");
    world.put(memo.clone(), credit_memo("7", "CM-1", "40.00"));
    world.sync();
    assert_eq!(
        world.state("payments", &memo),
        "SKIPPED(no-linked-invoices)"
    );
    assert_eq!(world.told(), []);
    let Document::CreditMemo(it) = &mut world.records.get_mut(&memo).unwrap().document else {
        panic!()
    };
    it.applications = vec![Application {
        document: record.id.clone(),
        line: None,
        amount: amount("40.00"),
        discount: Amount::ZERO,
        credits: Vec::new(),
    }];
    world.settle_receivables();
    world.sync();
    assert_eq!(world.state("payments", &memo), "DONE");
    assert_eq!(world.invoice_at(&copy).open, amount("60.00"));
    // Its invoice is not closed by that.
    assert_eq!(world.state("invoices", &record), "DONE");
}

#[test]
fn s178_what_settles_an_invoice_that_is_still_on_its_way_is_looked_at_once_it_is_there() {
    let mut world = World::alternative();
    let (first, _) = world.invoiced("1", "100.00");
    let check = ledger(Kind::CustomerPayment, "60");
    // Settled by it alone, the one never goes over; the other is open, and will.
    let (settled, open) = (ledger(Kind::Invoice, "2"), ledger(Kind::Invoice, "3"));
    let uses = [
        (pays(&first), "100.00"),
        (pays(&settled), "50.00"),
        (pays(&open), "20.00"),
    ];
    let paid = receipt(&ledger(Kind::Customer, "7"), &uses);
    world.put(check.clone(), Document::CustomerPayment(paid));
    world.settle_receivables();
    world.sync();
    assert_eq!(world.told(), [amount("100.00")]);
    let mut later = world.invoice_at(&first).clone();
    (later.number, later.open) = ("INV-3".to_owned(), amount("30.00"));
    later.status = InvoiceStatus::PendingApproval;
    world.put(open.clone(), Document::Invoice(later));
    world.sync();
    let outcome = &world.outcomes[&("payments".to_owned(), check)];
    let waits = outcome.waits_for.as_ref().map(ToString::to_string);
    let awaited = tieout_domain::WaitsFor::Link("invoices".to_owned(), open);
    assert_eq!(waits, Some(awaited.to_string()));
}

#[test]
fn s178_what_was_told_waits_for_a_copy_that_is_made_anew() {
    let mut world = World::alternative();
    let (record, _) = world.invoiced("1", "100.00");
    let check = world.pays_here("60", &record, "40.00");
    assert_eq!(world.told(), [amount("40.00")]);
    let outcome = &world.outcomes[&("payments".to_owned(), check)];
    let waits = outcome.waits_for.as_ref().map(ToString::to_string);
    let awaited = tieout_domain::WaitsFor::Link("invoices".to_owned(), record);
    assert_eq!(waits, Some(awaited.to_string()));
}

#[test]
fn what_was_told_is_known_again_without_its_link() {
    let mut world = World::alternative();
    let (record, _) = world.invoiced("1", "100.00");
    let check = world.pays_here("60", &record, "40.00");
    world.receipt(&check, |it| {
        it.uses[0].amount = amount("30.00");
        it.unapplied = amount("10.00");
    });
    world.sync();
    world.links.retain(|link| link.flow != "payments");
    world.sync();
    assert_eq!(world.state("payments", &check), "DONE");
    assert_eq!(world.told(), [amount("30.00")]);
    assert_eq!(world.made(Side::Platform, Kind::CustomerPayment), 2);
}

#[test]
fn what_somebody_took_back_there_is_not_told_again() {
    let mut world = World::alternative();
    let (record, _) = world.invoiced("1", "100.00");
    let check = world.pays_here("60", &record, "40.00");
    let told = world.target("payments", &check).unwrap();
    world.delete(&told);
    world.settle_receivables();
    world.sync();
    assert_eq!(
        world.state("payments", &check),
        "BLOCKED(recorded-payment-voided)"
    );
    assert_eq!(world.told(), []);
}

#[test]
fn s195_never_more_is_told_than_is_open_there() {
    let mut world = World::alternative();
    let (record, copy) = world.invoiced("1", "100.00");
    // The card is charged before the check is told.
    let check = ledger(Kind::CustomerPayment, "60");
    let paid = receipt(&ledger(Kind::Customer, "7"), &[(pays(&record), "100.00")]);
    world.put(check.clone(), Document::CustomerPayment(paid));
    world.settle_receivables();
    let payment = world.pays_there("90", &copy, "100.00");
    assert_eq!(
        world.state("payments", &check),
        "BLOCKED(already-paid-on-platform)"
    );
    assert_eq!(world.state("payments", &payment), "BLOCKED(paid-both-ways)");
    assert_eq!(world.told(), []);
}

#[test]
fn an_invoice_paid_in_the_ledger_is_paid_there_too_and_not_archived() {
    let mut world = World::alternative();
    let (record, copy) = world.invoiced("1", "100.00");
    world.pays_here("60", &record, "100.00");
    assert_eq!(world.invoice_at(&copy).status, InvoiceStatus::Paid);
    assert_eq!(world.state("invoices", &record), "DONE");
    let archived = world.writes.iter();
    assert_eq!(
        archived
            .filter(|step| step.action == Action::Archive)
            .count(),
        0
    );
}

#[test]
fn a_write_off_or_a_journal_entry_archives_it_there() {
    let mut world = World::alternative();
    let (record, copy) = world.invoiced("1", "100.00");
    let Document::Invoice(it) = &mut world.records.get_mut(&record).unwrap().document else {
        panic!()
    };
    (it.open, it.status) = (Amount::ZERO, InvoiceStatus::WrittenOff);
    world.sync();
    assert_eq!(world.invoice_at(&copy).status, InvoiceStatus::Voided);

    // What is applied is kept where no flow looks.
    let (record, copy) = world.invoiced("2", "50.00");
    let applied = receipt(&ledger(Kind::Customer, "7"), &[(pays(&record), "50.00")]);
    let journal = ledger(Kind::Journal, "70");
    world.put(journal, Document::CustomerPayment(applied));
    world.settle_receivables();
    world.sync();
    assert_eq!(world.invoice_at(&copy).status, InvoiceStatus::Voided);
    assert_eq!(
        world.state("invoices", &record),
        "NOOP(archived-as-settled)"
    );
}

#[test]
fn s178_without_payments_from_elsewhere_the_copy_is_made_anew_over_the_balance() {
    let mut world = World::documented();
    let (record, old) = world.invoiced("1", "100.00");
    let check = world.pays_here("60", &record, "40.00");
    assert_eq!(world.state("payments", &check), "NOOP(not-recorded-there)");
    assert_eq!(world.state("invoices", &record), "DONE(balance-only)");
    assert_eq!(world.invoice_at(&old).status, InvoiceStatus::Voided);
    let copy = world.copy_of(&record);
    let it = world.invoice_at(&copy);
    assert_eq!((it.total, it.number.as_str()), (amount("60.00"), "INV-1"));
    assert_eq!(it.lines[0].name, "Balance of invoice INV-1");
    assert_eq!(it.lines.len(), 1);
    // The old one is no invoice of the platform's own.
    world.sync();
    assert!(
        !world
            .outcomes
            .contains_key(&("invoices".to_owned(), old.clone()))
    );
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 2);
    // Paid through the platform: posted, and both are settled.
    let payment = world.pays_there("90", &copy, "60.00");
    assert_eq!(world.state("payments", &payment), "DONE");
    assert_eq!(world.invoice_at(&record).open, Amount::ZERO);
    assert_eq!(world.state("invoices", &record), "DONE(balance-only)");
}

#[test]
fn s195_without_payments_from_elsewhere_a_paid_invoice_is_archived_and_made_anew_when_it_is_owed_again()
 {
    let mut world = World::documented();
    let (record, old) = world.invoiced("1", "100.00");
    let check = world.pays_here("60", &record, "100.00");
    assert_eq!(world.invoice_at(&old).status, InvoiceStatus::Voided);
    assert_eq!(
        world.state("invoices", &record),
        "NOOP(archived-as-settled)"
    );
    world.receipt(&check, |it| it.status = ReceiptStatus::Voided);
    world.sync();
    assert_eq!(world.state("invoices", &record), "DONE");
    let copy = world.copy_of(&record);
    assert_ne!(copy, old);
    assert_eq!(world.invoice_at(&copy).total, amount("100.00"));
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 2);
}

#[test]
fn a_payment_of_a_copy_that_was_put_away_still_finds_its_invoice() {
    for marks in [true, false] {
        let mut world = World::documented();
        let (record, old) = world.invoiced("1", "100.00");
        world.pays_here("60", &record, "40.00");
        if marks {
            // Links may be lost, and the mark found.
            world.links.retain(|link| link.target != old);
        } else {
            world.invoice(&old, |it| it.marker = None);
        }
        let payer = world.payer(&old);
        let late = receipt(&payer, &[(pays(&old), "100.00")]);
        let payment = world.receives("90", late);
        assert_eq!(world.state("payments", &payment), "BLOCKED(paid-both-ways)");
        let posted = world.target("payments", &payment).unwrap();
        assert_eq!(world.receipt_at(&posted).unapplied, amount("40.00"));
        assert_eq!(world.made(Side::Ledger, Kind::Deposit), 0);
    }
}

#[test]
fn a_partly_paid_invoice_is_sent_over_its_balance_from_the_start() {
    let mut world = World::documented();
    let record = ledger(Kind::Invoice, "1");
    world.put(record.clone(), invoice("7", "INV-1", "100.00"));
    world.pays_here("60", &record, "40.00");
    assert_eq!(
        world.invoice_at(&world.copy_of(&record)).total,
        amount("60.00")
    );
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 1);
}
