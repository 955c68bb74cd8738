use tieout_domain::document::*;
use tieout_domain::{Amount, Document, Kind, RecordRef, Side};

use super::*;

fn owed() -> (World, RecordRef, RecordRef) {
    let mut world = World::alternative();
    let (record, copy) = world.invoiced("1", "100.00");
    (world, record, copy)
}

/// An invoice that is on the platform only, of a customer who is too.
fn foreign(world: &mut World) -> RecordRef {
    let there = platform(Kind::Invoice, "80");
    world.put(platform(Kind::Customer, "70"), customer("New Ltd", ""));
    world.put(there.clone(), invoice("70", "P-1", "50.00"));
    there
}

#[test]
fn s180_nothing_is_posted_before_both_accounts_are_chosen() {
    let (mut world, record, copy) = owed();
    let preferences = &mut world.preferences.receivables;
    preferences.deposit_accounts.clear();
    preferences.bank_account.clear();
    let payment = world.pays_there("90", &copy, "100.00");
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(deposit-account-missing)"
    );
    world.preferences.receivables.deposit_accounts = vec!["undeposited".into()];
    world.sync();
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(bank-account-missing)"
    );
    world.preferences.receivables.bank_account = "10".into();
    world.sync();
    assert_eq!(world.state("payments", &payment), "DONE");
    let posted = world.target("payments", &payment).unwrap();
    let posted = world.receipt_at(&posted);
    assert_eq!(posted.kept_in, Some(KeptIn::UndepositedFunds));
    assert_eq!(
        posted.external_id.as_ref().unwrap().as_str(),
        "ap_demo_customer-payment_90"
    );
    assert_eq!(world.invoice_at(&record).open, Amount::ZERO);
}

#[test]
fn s185_a_payment_of_an_invoice_of_the_platform_s_own_is_deposited_by_itself() {
    let mut world = World::alternative();
    let there = foreign(&mut world);
    world.preferences.receivables.standalone_account = String::new();
    let payment = world.pays_there("90", &there, "50.00");
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(standalone-account-missing)"
    );
    world.preferences.receivables.standalone_account = "13".into();
    world.sync();
    assert_eq!(world.state("payments", &payment), "DONE");
    let made = world.of(Side::Ledger, Kind::Deposit);
    let Document::Deposit(deposit) = world.at(&made[0]) else {
        panic!()
    };
    assert_eq!(
        deposit.external_id.as_ref().unwrap().as_str(),
        "ap_demo_customer-payment_90_stand-alone"
    );
    assert_eq!(
        (deposit.account.as_str(), deposit.total),
        ("10", amount("50.00"))
    );
    assert_eq!(deposit.lines[0].account.as_str(), "13");
    assert!(deposit.memo.contains("New Ltd") && deposit.memo.contains("P-1"));
    assert_eq!(world.made(Side::Ledger, Kind::CustomerPayment), 0);
    // Known again without its link, and never made again once it was deleted.
    world.links.retain(|link| link.flow != "payments");
    world.sync();
    assert_eq!(world.state("payments", &payment), "DONE");
    world.delete(&made[0]);
    world.sync();
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(deposit-deleted)"
    );
    assert_eq!(world.made(Side::Ledger, Kind::Deposit), 1);
}

#[test]
fn s185_a_stand_alone_deposit_stays_when_the_payment_is_undone() {
    let mut world = World::alternative();
    let there = foreign(&mut world);
    let payment = world.pays_there("90", &there, "50.00");
    world.receipt(&payment, |it| it.status = ReceiptStatus::Failed);
    world.sync();
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(stand-alone-undone)"
    );
    world.decide("payments", payment.clone(), accept("stand-alone-undone"));
    world.sync();
    assert_eq!(
        world.state("payments", &payment),
        "DONE(stand-alone-undone)"
    );
}

#[test]
fn s185_an_invoice_that_resembles_one_of_the_ledger_waits_for_a_person() {
    let mut world = World::alternative();
    let there = foreign(&mut world);
    let record = ledger(Kind::Invoice, "5");
    world.put(record.clone(), invoice("7", "P-1", "50.00"));
    world.invoice(&record, |it| it.status = InvoiceStatus::PendingApproval);
    let payment = world.pays_there("90", &there, "50.00");
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(invoices-not-linked)"
    );
    world.decide("payments", payment.clone(), accept("invoices-not-linked"));
    world.sync();
    assert_eq!(world.state("payments", &payment), "DONE");
    assert_eq!(world.made(Side::Ledger, Kind::Deposit), 1);
}

#[test]
fn s185_a_payment_of_an_invoice_that_is_not_told_is_never_deposited_by_itself() {
    let (mut world, _, copy) = owed();
    let payer = world.payer(&copy);
    let mut paid = receipt(&payer, &[]);
    (paid.total, paid.unapplied) = (amount("30.00"), amount("30.00"));
    let payment = world.receives("90", paid);
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(unidentified-invoice)"
    );
    assert!(world.of(Side::Ledger, Kind::Deposit).is_empty());
    // A person keeps it on account.
    world.decide("payments", payment.clone(), accept("unidentified-invoice"));
    world.sync();
    assert_eq!(world.state("payments", &payment), "DONE");
    let posted = world.target("payments", &payment).unwrap();
    assert_eq!(world.receipt_at(&posted).unapplied, amount("30.00"));
}

#[test]
fn s186_a_payment_from_before_go_live_is_not_posted() {
    let (mut world, _, copy) = owed();
    world.preferences.receivables.go_live = Some(day("2026-06-11"));
    let payment = world.pays_there("90", &copy, "100.00");
    assert_eq!(
        world.state("payments", &payment),
        "SKIPPED(before-cut-over)"
    );
}

#[test]
fn s188_a_failure_is_reversed_by_a_person_before_the_deposit_and_from_clearing_after_it() {
    for deposited in [false, true] {
        let (mut world, record, copy) = owed();
        let payment = world.pays_there("90", &copy, "100.00");
        if deposited {
            world.payout("1", &[(of(&payment), "100.00")]);
        }
        world.receipt(&payment, |it| it.status = ReceiptStatus::Failed);
        world.sync();
        assert_eq!(world.state("payments", &payment), "BLOCKED(payment-failed)");
        world
            .preferences
            .set("receivables.failed_payments", "reverse")
            .unwrap();
        world.sync();
        if !deposited {
            assert_eq!(
                world.state("payments", &payment),
                "BLOCKED(reverse-by-hand)"
            );
            continue;
        }
        assert_eq!(world.state("payments", &payment), "REVERSED(reversed)");
        assert_eq!(world.invoice_at(&record).open, amount("100.00"));
        let refunds = world.of(Side::Ledger, Kind::CustomerRefund);
        let Document::CustomerRefund(refund) = world.at(&refunds[0]) else {
            panic!()
        };
        assert_eq!(refund.account, Some("12".into()));
        // The next payout takes it off again, by the same account.
        let parts = [(
            PartOf::Failure {
                payment: Some(payment.id.clone()),
            },
            "-100.00",
        )];
        let (_, other) = world.invoiced("2", "300.00");
        let more = world.pays_there("91", &other, "300.00");
        let next = [(of(&more), "300.00"), parts[0].clone()];
        let next = world.payout("2", &next);
        let line = &world.deposit_of(&next).lines[0];
        assert_eq!(
            (line.account.as_str(), line.amount),
            ("12", amount("-100.00"))
        );
    }
}

#[test]
fn s190_a_refund_is_paid_from_clearing() {
    let (mut world, _, copy) = owed();
    let payment = world.pays_there("90", &copy, "100.00");
    world.receipt(&payment, |it| {
        it.charge = Some(Charge {
            id: "90".into(),
            gateway: "card".into(),
            refunds: vec![ChargeRefund {
                id: "5".into(),
                amount: amount("100.00"),
                date: day("2026-06-15"),
                succeeded: true,
            }],
            disputed: false,
        });
    });
    world.decide("payments", payment.clone(), accept("refund-applied"));
    world.preferences.receivables.clearing_account = String::new();
    world.sync();
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(clearing-account-missing)"
    );
    world.preferences.receivables.clearing_account = "12".into();
    world.sync();
    let refunds = world.of(Side::Ledger, Kind::CustomerRefund);
    let Document::CustomerRefund(refund) = world.at(&refunds[0]) else {
        panic!()
    };
    assert_eq!(
        (refund.total, refund.account.clone()),
        (amount("100.00"), Some("12".into()))
    );
}

#[test]
fn s191_a_posting_deleted_in_the_ledger_is_never_made_again_nor_deleted_there() {
    let (mut world, _, copy) = owed();
    let payment = world.pays_there("90", &copy, "100.00");
    let posted = world.target("payments", &payment).unwrap();
    world.delete(&posted);
    world.settle_receivables();
    world.sync();
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(posted-payment-deleted)"
    );
    assert_eq!(world.made(Side::Ledger, Kind::CustomerPayment), 1);
    assert!(!world.records[&payment].gone);
}
