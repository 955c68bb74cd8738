use tieout_domain::document::*;
use tieout_domain::port::Action;
use tieout_domain::{Amount, Currency, Document, Kind, RecordRef, Side};
use tieout_flows::Decided;

use super::books::*;
use crate::world::*;

/// An invoice of 100.00, sent, with its copy and the platform's customer.
fn owed() -> (World, RecordRef, RecordRef, RecordRef) {
    let mut world = World::receivables();
    let (record, there) = world.invoiced("1", "100.00");
    let payer = platform(Kind::Customer, world.invoice_at(&there).customer.as_str());
    (world, record, there, payer)
}

fn posting(world: &World, payment: &RecordRef) -> RecordRef {
    let target = world.target("payments", payment);
    target.unwrap_or_else(|| panic!("{:#?}", world.outcomes))
}

#[test]
fn s180_a_payment_is_posted_once_to_undeposited_funds_under_the_platform_s_id() {
    let (mut world, record, there, payer) = owed();
    let payment = world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    assert_eq!(world.state("payments", &payment), "DONE");
    let posted = world.receipt_at(&posting(&world, &payment)).clone();
    assert_eq!(
        posted.external_id.unwrap().as_str(),
        "invoiced_acme_customer-payment_90"
    );
    assert_eq!(posted.kept_in, Some(KeptIn::UndepositedFunds));
    assert_eq!(world.invoice_at(&record).open, Amount::ZERO);
    // Neither its posting nor its absence from the links makes a second one, here or there.
    world.links.retain(|link| link.flow != "payments");
    world.sync();
    assert_eq!(world.made(Side::Ledger, Kind::CustomerPayment), 1);
    assert_eq!(world.made(Side::Platform, Kind::CustomerPayment), 0);
    assert_eq!(world.state("payments", &payment), "DONE");
}

#[test]
fn nothing_is_posted_before_somebody_has_chosen_where_it_is_kept() {
    let (mut world, _, there, payer) = owed();
    world.preferences.receivables.deposit_accounts = vec!["check=1000".into(), "*:EUR=1010".into()];
    let payment = world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(deposit-account-missing)"
    );
    world.preferences.receivables.deposit_accounts =
        vec!["undeposited".into(), "card:USD=1020".into()];
    world.sync();
    let posted = world.receipt_at(&posting(&world, &payment));
    assert_eq!(posted.kept_in, Some(KeptIn::Account("1020".into())));
}

#[test]
fn accounts_are_named_by_number_as_well_as_by_id() {
    let (mut world, _, there, payer) = owed();
    world.put(
        ledger(Kind::Account, "70"),
        account("1200", "Trade debtors", AccountKind::AccountsReceivable),
    );
    world.put(
        ledger(Kind::Account, "71"),
        account("1020", "Lockbox", AccountKind::Bank),
    );
    let preferences = &mut world.preferences.receivables;
    preferences.receivables_account = "1200".into();
    preferences.deposit_accounts = vec!["1020".into()];
    let payment = world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    let posted = posting(&world, &payment);
    let at = world.receipt_at(&posted);
    assert_eq!(at.receivables_account, Some("70".into()));
    assert_eq!(at.kept_in, Some(KeptIn::Account("71".into())));
    world.receipt(&payment, |it| it.status = ReceiptStatus::Voided);
    world.sync();
    let refunds = world.of(Side::Ledger, Kind::CustomerRefund);
    let Document::CustomerRefund(refund) = world.at(&refunds[0]) else {
        panic!()
    };
    assert_eq!(refund.account, Some("71".into()));
}

#[test]
fn s181_one_payment_of_two_invoices_is_applied_as_stated() {
    let (mut world, first, there, payer) = owed();
    let (second, other) = world.invoiced("2", "50.00");
    let uses = [(pays(&there), "100.00"), (pays(&other), "30.00")];
    let payment = world.receives("90", receipt(&payer, &uses));
    assert_eq!(world.state("payments", &payment), "DONE");
    assert_eq!(world.invoice_at(&first).open, Amount::ZERO);
    assert_eq!(world.invoice_at(&second).open, amount("20.00"));
    // Moved on the platform: so it is in the ledger.
    world.receipt(&payment, |it| {
        it.uses[0].amount = amount("80.00");
        it.uses[1].amount = amount("50.00");
    });
    world.sync();
    assert_eq!(world.invoice_at(&first).open, amount("20.00"));
    assert_eq!(world.invoice_at(&second).open, Amount::ZERO);
    assert_eq!(world.made(Side::Ledger, Kind::CustomerPayment), 1);
}

#[test]
fn s182_what_is_paid_above_stays_on_account() {
    let (mut world, _, there, payer) = owed();
    let uses = [(pays(&there), "100.00"), (UseOf::Credit, "25.00")];
    let payment = world.receives("90", receipt(&payer, &uses));
    assert_eq!(world.state("payments", &payment), "DONE");
    let posted = world.receipt_at(&posting(&world, &payment));
    assert_eq!(
        (posted.total, posted.unapplied),
        (amount("125.00"), amount("25.00"))
    );
}

#[test]
fn s183_a_surcharge_is_billed_on_an_invoice_of_its_own() {
    let (mut world, record, there, payer) = owed();
    world.preferences.receivables.fee_item = String::new();
    let uses = [(pays(&there), "100.00"), (UseOf::ConvenienceFee, "3.00")];
    let payment = world.receives("90", receipt(&payer, &uses));
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(fee-item-missing)"
    );
    world.preferences.receivables.fee_item = "503".into();
    world.sync();
    assert_eq!(world.state("payments", &payment), "DONE");
    let fees = world.of(Side::Ledger, Kind::Invoice);
    let fee = fees.iter().find(|it| **it != record).unwrap();
    assert_eq!(
        (world.invoice_at(fee).total, world.invoice_at(fee).open),
        (amount("3.00"), Amount::ZERO)
    );
    assert_eq!(world.invoice_at(&record).open, Amount::ZERO);
    // It is nothing that the platform should collect.
    assert_eq!(world.made(Side::Platform, Kind::Invoice), 1);
}

#[test]
fn s178_a_payment_of_the_ledger_lowers_what_is_open_on_the_platform() {
    let (mut world, record, there, _) = owed();
    let check = ledger(Kind::CustomerPayment, "60");
    let mut paid = receipt(&ledger(Kind::Customer, "7"), &[(pays(&record), "40.00")]);
    paid.method = ReceiptMethod::Check;
    world.put(check.clone(), Document::CustomerPayment(paid));
    world.settle_receivables();
    world.sync();
    assert_eq!(world.state("payments", &check), "DONE");
    assert_eq!(world.invoice_at(&there).open, amount("60.00"));
    // It doesn't come back as a payment of the platform.
    world.sync();
    assert_eq!(world.made(Side::Ledger, Kind::CustomerPayment), 0);
    assert_eq!(world.made(Side::Platform, Kind::CustomerPayment), 1);
    // Voided in the ledger: so is its record.
    world.receipt(&check, |it| it.status = ReceiptStatus::Voided);
    world.sync();
    assert_eq!(world.invoice_at(&there).open, amount("100.00"));
    assert_eq!(
        world.state("payments", &check),
        "NOOP(closed-on-both-sides)"
    );
}

#[test]
fn s178_a_payment_is_completed_when_another_of_its_invoices_reaches_the_platform() {
    let (mut world, first, there, _) = owed();
    let later = ledger(Kind::Invoice, "2");
    let settled = ledger(Kind::Invoice, "3");
    let check = ledger(Kind::CustomerPayment, "60");
    let uses = [
        (pays(&settled), "5.00"),
        (pays(&first), "40.00"),
        (pays(&later), "30.00"),
    ];
    let paid = receipt(&ledger(Kind::Customer, "7"), &uses);
    world.put(check.clone(), Document::CustomerPayment(paid));
    world.put(settled, invoice("7", "INV-3", "5.00"));
    world.put(later.clone(), invoice("7", "INV-2", "100.00"));
    world.invoice(&later, |it| it.status = InvoiceStatus::PendingApproval);
    world.invoice(&later, |it| it.open = amount("70.00"));
    world.sync();
    let outcome = world.rest("payments", &check);
    assert_eq!(outcome.to_string(), "DONE");
    assert_eq!(world.invoice_at(&there).open, amount("60.00"));
    // The one that is open is waited for, not the one that is settled and stays.
    let waits = outcome.waits_for.map(|it| it.to_string());
    assert_eq!(waits.as_deref(), Some("link:invoices:ledger/invoice/2"));

    world.invoice(&later, |it| it.status = InvoiceStatus::Open);
    world.sync();
    let copy = world.target("invoices", &later).unwrap();
    assert_eq!(world.invoice_at(&copy).open, amount("70.00"));
    assert_eq!(world.rest("payments", &check).to_string(), "DONE");
    assert_eq!(world.made(Side::Platform, Kind::CustomerPayment), 1);
}

#[test]
fn s178_what_tieout_took_back_itself_is_recorded_again_once_it_pays_something() {
    let (mut world, record, there, _) = owed();
    let check = ledger(Kind::CustomerPayment, "60");
    let paid = receipt(&ledger(Kind::Customer, "7"), &[(pays(&record), "40.00")]);
    world.put(check.clone(), Document::CustomerPayment(paid));
    world.settle_receivables();
    world.sync();
    for made in 1..=3 {
        assert_eq!(world.state("payments", &check), "DONE");
        assert_eq!(world.invoice_at(&there).open, amount("60.00"));
        assert_eq!(world.made(Side::Platform, Kind::CustomerPayment), made);
        // Un-applied in the ledger: the record is voided. Applied again: there is a new one.
        world.receipt(&check, |it| it.uses.clear());
        world.sync();
        assert_eq!(
            world.state("payments", &check),
            "SKIPPED(no-linked-invoices)"
        );
        assert_eq!(world.invoice_at(&there).open, amount("100.00"));
        world.receipt(&check, |it| {
            it.uses = vec![PaymentUse {
                of: pays(&record),
                amount: amount("40.00"),
            }];
        });
        world.sync();
    }
    // With the links lost, the one that stands is known again by the mark.
    world.links.retain(|link| link.flow != "payments");
    world.sync();
    assert_eq!(world.state("payments", &check), "DONE");
    assert_eq!(world.made(Side::Platform, Kind::CustomerPayment), 4);
}

#[test]
fn s178_somebody_else_s_void_of_a_record_waits_for_a_person_who_may_name_another() {
    let (mut world, record, there, payer) = owed();
    let check = ledger(Kind::CustomerPayment, "60");
    let paid = receipt(&ledger(Kind::Customer, "7"), &[(pays(&record), "40.00")]);
    world.put(check.clone(), Document::CustomerPayment(paid));
    world.settle_receivables();
    world.sync();
    let copy = world.target("payments", &check).unwrap();
    world.receipt(&copy, |it| it.status = ReceiptStatus::Voided);
    world.sync();
    let blocked = "BLOCKED(recorded-payment-voided)";
    assert_eq!(world.state("payments", &check), blocked);
    assert_eq!(world.made(Side::Platform, Kind::CustomerPayment), 1);
    // What is not there can't be it.
    let typed = platform(Kind::CustomerPayment, "70");
    world.decide("payments", check.clone(), Decided::Link(typed.clone()));
    world.sync();
    assert_eq!(world.state("payments", &check), blocked);
    let payment = receipt(&payer, &[(pays(&there), "40.00")]);
    world.preferences.receivables.reconcile = false;
    world.receives("70", payment);
    world.sync();
    assert_eq!(world.state("payments", &check), "DONE");
    assert_eq!(world.target("payments", &check), Some(typed));
    // Nor may it be money that is posted.
    world.preferences.receivables.reconcile = true;
    world.sync();
    assert_eq!(world.made(Side::Ledger, Kind::CustomerPayment), 0);
}

#[test]
fn a_payment_of_no_invoice_that_is_there_stays_out() {
    let mut world = World::receivables();
    let check = ledger(Kind::CustomerPayment, "60");
    let paid = receipt(&ledger(Kind::Customer, "7"), &[(UseOf::Credit, "40.00")]);
    world.put(check.clone(), Document::CustomerPayment(paid));
    world.sync();
    assert_eq!(
        world.state("payments", &check),
        "SKIPPED(no-linked-invoices)"
    );
}

#[test]
fn s195_paid_both_ways_stays_on_account_and_asks_for_a_refund() {
    let (mut world, record, there, payer) = owed();
    // The check is in the ledger, and the card is charged before the record of it arrives.
    let check = ledger(Kind::CustomerPayment, "60");
    let paid = receipt(&ledger(Kind::Customer, "7"), &[(pays(&record), "100.00")]);
    world.put(check.clone(), Document::CustomerPayment(paid));
    world.settle_receivables();
    let payment = world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    assert_eq!(world.state("payments", &payment), "BLOCKED(paid-both-ways)");
    let posted = world.receipt_at(&posting(&world, &payment));
    assert_eq!(posted.unapplied, amount("100.00"));
    assert_eq!(
        world.state("payments", &check),
        "BLOCKED(already-paid-on-platform)"
    );
    assert_eq!(world.made(Side::Platform, Kind::CustomerPayment), 0);
}

#[test]
fn s188_a_failure_after_success_is_a_task_or_is_reversed() {
    let (mut world, record, there, payer) = owed();
    world.preferences.receivables.deposit_accounts = vec!["1020".into()];
    let payment = world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    world.receipt(&payment, |it| it.status = ReceiptStatus::Failed);
    world.sync();
    assert_eq!(world.state("payments", &payment), "BLOCKED(payment-failed)");
    assert_eq!(world.invoice_at(&record).open, Amount::ZERO);
    world
        .preferences
        .set("receivables.failed_payments", "reverse")
        .unwrap();
    world.sync();
    assert_eq!(world.state("payments", &payment), "REVERSED(reversed)");
    assert_eq!(world.invoice_at(&record).open, amount("100.00"));
}

#[test]
fn s192_a_void_of_what_has_reached_the_bank_is_paid_back_with_a_link() {
    let (mut world, record, there, payer) = owed();
    world.preferences.receivables.deposit_accounts = vec!["1020".into()];
    let payment = world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    let posted = posting(&world, &payment);
    world.receipt(&payment, |it| it.status = ReceiptStatus::Voided);
    world.sync();
    assert_eq!(world.state("payments", &payment), "REVERSED(reversed)");
    assert_eq!(world.invoice_at(&record).open, amount("100.00"));
    assert_eq!(world.receipt_at(&posted).status, ReceiptStatus::Received);
    let refunds = world.of(Side::Ledger, Kind::CustomerRefund);
    let Document::CustomerRefund(refund) = world.at(&refunds[0]) else {
        panic!()
    };
    assert_eq!((refunds.len(), refund.total), (1, amount("100.00")));
    assert_eq!(refund.applications[0].document, posted.id);
    assert_eq!(refund.account, Some("1020".into()));
}

#[test]
fn s188_a_payment_that_was_accepted_as_paid_both_ways_asks_again_when_it_fails() {
    let (mut world, record, there, payer) = owed();
    world.preferences.receivables.deposit_accounts = vec!["1020".into()];
    let check = ledger(Kind::CustomerPayment, "60");
    let paid = receipt(&ledger(Kind::Customer, "7"), &[(pays(&record), "100.00")]);
    world.put(check, Document::CustomerPayment(paid));
    world.settle_receivables();
    let payment = world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    assert_eq!(world.state("payments", &payment), "BLOCKED(paid-both-ways)");
    world.decide("payments", payment.clone(), accept("paid-both-ways"));
    world.sync();
    assert_eq!(world.state("payments", &payment), "DONE(paid-both-ways)");

    world.receipt(&payment, |it| it.status = ReceiptStatus::Failed);
    world.sync();
    assert_eq!(world.state("payments", &payment), "BLOCKED(payment-failed)");
    assert_eq!(world.made(Side::Ledger, Kind::CustomerRefund), 0);
    world.decide("payments", payment.clone(), accept("payment-failed"));
    world.sync();
    assert_eq!(world.state("payments", &payment), "REVERSED(reversed)");
}

#[test]
fn s190_a_refund_is_linked_to_its_payment_and_made_once() {
    let (mut world, record, there, payer) = owed();
    let payment = world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    let refund = ChargeRefund {
        id: "5".into(),
        amount: amount("30.00"),
        date: day("2026-06-15"),
        succeeded: true,
    };
    world.receipt(&payment, |it| {
        it.charge = Some(Charge {
            id: "3".into(),
            gateway: "test".into(),
            refunds: vec![refund],
            disputed: false,
        });
    });
    world.sync();
    assert_eq!(world.state("payments", &payment), "BLOCKED(refund-applied)");
    world.decide("payments", payment.clone(), accept("refund-applied"));
    world.sync();
    world.sync();
    assert_eq!(world.made(Side::Ledger, Kind::CustomerRefund), 1);
    assert_eq!(world.invoice_at(&record).open, amount("30.00"));
}

#[test]
fn s190_two_refunds_at_once_are_paid_out_of_what_is_on_account_only_once() {
    let (mut world, record, there, payer) = owed();
    let uses = [(pays(&there), "70.00"), (UseOf::Credit, "30.00")];
    let payment = world.receives("90", receipt(&payer, &uses));
    let refund = |id: &str, text: &str| ChargeRefund {
        id: id.into(),
        amount: amount(text),
        date: day("2026-06-15"),
        succeeded: true,
    };
    world.receipt(&payment, |it| {
        it.charge = Some(Charge {
            id: "3".into(),
            gateway: "test".into(),
            refunds: vec![refund("5", "20.00"), refund("6", "25.00")],
            disputed: false,
        });
    });
    // The ledger's payment, as it was last read, still shows 30.00 on account when the second is looked at.
    world.sync();
    assert_eq!(world.made(Side::Ledger, Kind::CustomerRefund), 1);
    let outcome = world.rest("payments", &payment);
    assert_eq!(outcome.to_string(), "BLOCKED(refund-applied)");
    assert!(
        outcome.cause.contains("and 10 of it is on account"),
        "{}",
        outcome.cause
    );
    world.decide("payments", payment.clone(), accept("refund-applied"));
    world.sync();
    assert_eq!(world.made(Side::Ledger, Kind::CustomerRefund), 2);
    assert_eq!(world.invoice_at(&record).open, amount("45.00"));
}

#[test]
fn s189_a_disputed_charge_waits_for_a_person() {
    let (mut world, _, there, payer) = owed();
    let payment = world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    world.receipt(&payment, |it| {
        it.charge = Some(Charge {
            id: "3".into(),
            gateway: "test".into(),
            refunds: Vec::new(),
            disputed: true,
        });
    });
    world.sync();
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(charge-disputed)"
    );
}

#[test]
fn s191_a_posting_that_was_deleted_in_the_ledger_is_not_posted_again() {
    let (mut world, _, there, payer) = owed();
    let payment = world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    let posted = posting(&world, &payment);
    world.delete(&posted);
    world.settle_receivables();
    world.sync();
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(posted-payment-deleted)"
    );
    assert_eq!(world.made(Side::Ledger, Kind::CustomerPayment), 1);
}

#[test]
fn a_payment_of_another_currency_than_its_invoice_is_refused() {
    let (mut world, _, there, payer) = owed();
    let mut paid = receipt(&payer, &[(pays(&there), "100.00")]);
    paid.currency = "EUR".parse::<Currency>().unwrap();
    let payment = world.receives("90", paid);
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(currency-mismatch)"
    );
}

#[test]
fn s179_a_credit_that_is_not_applied_stays_available_and_one_that_is_follows() {
    let (mut world, record, there, payer) = owed();
    let memo = ledger(Kind::CreditMemo, "30");
    world.put(memo.clone(), credit_memo("7", "CM-1", "40.00"));
    world.sync();
    let note = world.target("credit-memos", &memo).unwrap();
    assert_eq!(world.invoice_at(&record).open, amount("100.00"));
    assert!(world.of(Side::Ledger, Kind::CustomerPayment).is_empty());
    // Applied on the platform, by a payment of nothing.
    let of = UseOf::CreditMemo {
        credit: note.id.clone(),
        invoice: there.id.clone(),
    };
    let payment = world.receives("91", receipt(&payer, &[(of, "40.00")]));
    assert_eq!(world.state("payments", &payment), "DONE");
    assert_eq!(world.invoice_at(&record).open, amount("60.00"));
    let amends = world
        .writes
        .iter()
        .filter(|step| step.action == Action::Amend);
    assert_eq!(amends.count(), 1);
    assert_eq!(world.made(Side::Ledger, Kind::CustomerPayment), 0);
}

#[test]
fn s192_a_void_of_what_is_not_deposited_yet_is_a_person_s() {
    let (mut world, record, there, payer) = owed();
    let payment = world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    let posted = posting(&world, &payment);
    world.receipt(&payment, |it| it.status = ReceiptStatus::Voided);
    world.sync();
    assert_eq!(
        world.state("payments", &payment),
        "BLOCKED(reverse-by-hand)"
    );
    world.receipt(&posted, |it| it.status = ReceiptStatus::Voided);
    world.sync();
    assert_eq!(world.state("payments", &payment), "REVERSED(reversed)");
    assert_eq!(world.invoice_at(&record).open, amount("100.00"));
}

#[test]
fn a_record_whose_original_is_gone_is_never_posted_as_new_money() {
    let (mut world, record, _, _) = owed();
    let check = ledger(Kind::CustomerPayment, "60");
    let paid = receipt(&ledger(Kind::Customer, "7"), &[(pays(&record), "40.00")]);
    world.put(check.clone(), Document::CustomerPayment(paid));
    world.settle_receivables();
    world.sync();
    let copy = world.target("payments", &check).unwrap();
    // The links are lost, and the original with them.
    world.links.retain(|link| link.flow != "payments");
    world.delete(&check);
    world.settle_receivables();
    world.sync();
    assert_eq!(world.state("payments", &copy), "ORPHAN(origin-gone)");
    assert_eq!(world.made(Side::Ledger, Kind::CustomerPayment), 0);
}

#[test]
fn what_was_refunded_does_not_go_back_again_when_the_payment_is_voided() {
    let (mut world, record, there, payer) = owed();
    world.preferences.receivables.deposit_accounts = vec!["1020".into()];
    let payment = world.receives("90", receipt(&payer, &[(pays(&there), "100.00")]));
    let refund = ChargeRefund {
        id: "5".into(),
        amount: amount("30.00"),
        date: day("2026-06-15"),
        succeeded: true,
    };
    world.receipt(&payment, |it| {
        it.charge = Some(Charge {
            id: "3".into(),
            gateway: "test".into(),
            refunds: vec![refund],
            disputed: false,
        });
    });
    world.decide("payments", payment.clone(), accept("refund-applied"));
    world.sync();
    world.receipt(&payment, |it| it.status = ReceiptStatus::Voided);
    world.sync();
    assert_eq!(world.state("payments", &payment), "REVERSED(reversed)");
    let back = world.of(Side::Ledger, Kind::CustomerRefund);
    let back: Amount = back
        .iter()
        .map(|it| world.at(it).amount().unwrap().amount)
        .sum();
    assert_eq!(back, amount("100.00"));
    assert_eq!(world.invoice_at(&record).open, amount("100.00"));
}

#[test]
fn s195_a_recorded_payment_is_not_moved_onto_what_the_platform_has_been_paid() {
    let (mut world, first, _, payer) = owed();
    let (second, other) = world.invoiced("2", "100.00");
    let check = ledger(Kind::CustomerPayment, "60");
    let paid = receipt(&ledger(Kind::Customer, "7"), &[(pays(&first), "40.00")]);
    world.put(check.clone(), Document::CustomerPayment(paid));
    world.settle_receivables();
    world.sync();
    world.preferences.receivables.reconcile = false;
    world.receives("90", receipt(&payer, &[(pays(&other), "100.00")]));
    world.receipt(&check, |it| it.uses[0].of = pays(&second));
    world.sync();
    assert_eq!(
        world.state("payments", &check),
        "BLOCKED(already-paid-on-platform)"
    );
}
