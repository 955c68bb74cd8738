use tieout_domain::document::*;
use tieout_domain::{Amount, Currency, Document, Kind, PeriodState, RecordRef, Side};

use super::*;

/// Two invoices that were paid through the platform, 100.00 and 50.00.
fn paid() -> (World, RecordRef, RecordRef) {
    let mut world = World::alternative();
    let (_, first) = world.invoiced("1", "100.00");
    let (_, second) = world.invoiced("2", "50.00");
    let first = world.pays_there("90", &first, "100.00");
    let second = world.pays_there("91", &second, "50.00");
    (world, first, second)
}

fn refund(payment: &RecordRef) -> PartOf {
    PartOf::Refund {
        payment: Some(payment.id.clone()),
    }
}

/// A deposit that somebody made in the ledger.
fn by_hand(world: &mut World, id: &str, payments: &[(&RecordRef, &str)]) -> RecordRef {
    let record = ledger(Kind::Deposit, id);
    let payments: Vec<_> = payments
        .iter()
        .map(|(payment, text)| Deposited {
            payment: world.target("payments", payment).unwrap().id,
            amount: amount(text),
        })
        .collect();
    for it in &payments {
        let posted = ledger(Kind::CustomerPayment, it.payment.as_str());
        world.receipt(&posted, |it| it.status = ReceiptStatus::Deposited);
    }
    let deposit = Deposit {
        number: "7".into(),
        date: day("2026-06-13"),
        currency: Currency::USD,
        account: "10".into(),
        total: payments.iter().map(|it| it.amount).sum(),
        payments,
        lines: Vec::new(),
        memo: String::new(),
        subsidiary: None,
        period: None,
        external_id: None,
    };
    world.put(record.clone(), Document::Deposit(deposit));
    record
}

#[test]
fn s184_a_payout_is_one_deposit_equal_to_the_line_on_the_bank_statement() {
    let (mut world, first, second) = paid();
    let parts = [
        (of(&first), "100.00"),
        (of(&second), "50.00"),
        (PartOf::Fee, "-4.35"),
        (refund(&first), "-20.00"),
        (PartOf::DisputeFee, "-15.00"),
        (PartOf::Adjustment, "0.50"),
    ];
    let record = world.payout("p_1", &parts);
    assert_eq!(world.state("deposits", &record), "DONE");
    let deposit = world.deposit_of(&record);
    assert_eq!(deposit.total, amount("111.15"));
    assert_eq!(deposit.date, day("2026-06-12"));
    assert_eq!(
        deposit.external_id.as_ref().unwrap().as_str(),
        "ap_demo_payout_p_1"
    );
    assert_eq!(deposit.payments.len(), 2);
    let booked: Vec<_> = deposit
        .lines
        .iter()
        .map(|line| (line.account.as_str(), line.amount))
        .collect();
    assert_eq!(
        booked,
        [
            ("11", amount("-4.35")),
            ("11", amount("-15.00")),
            ("12", amount("-20.00")),
            ("12", amount("0.50"))
        ]
    );
    // Once, whatever becomes of the links.
    world.links.retain(|link| link.flow != "deposits");
    world.sync();
    assert_eq!(world.state("deposits", &record), "DONE");
    assert_eq!(world.made(Side::Ledger, Kind::Deposit), 1);
}

#[test]
fn s184_the_golden_payout_comes_to_its_net() {
    let mut world = World::alternative();
    let mut parts = Vec::new();
    for at in 0..14 {
        let total = if at == 0 { "900.00" } else { "700.00" };
        let (_, copy) = world.invoiced(&format!("{}", at + 1), total);
        let payment = world.pays_there(&format!("{}", at + 100), &copy, total);
        parts.push((of(&payment), total));
    }
    parts.extend([
        (PartOf::Fee, "-245.60"),
        (PartOf::Refund { payment: None }, "-300.00"),
        (PartOf::Chargeback { payment: None }, "-1200.00"),
        (PartOf::DisputeFee, "-15.00"),
    ]);
    let record = world.payout("1", &parts);
    let deposit = world.deposit_of(&record);
    assert_eq!(deposit.total, amount("8239.40"));
    assert_eq!(deposit.payments.len(), 14);
}

#[test]
fn s184_a_payment_that_comes_twice_in_a_payout_is_deposited_once() {
    let (mut world, first, _) = paid();
    let failed = PartOf::Failure {
        payment: Some(first.id.clone()),
    };
    let again = [
        (of(&first), "100.00"),
        (failed, "-100.00"),
        (of(&first), "100.00"),
    ];
    let record = world.payout("1", &again);
    assert_eq!(world.state("deposits", &record), "DONE");
    let deposit = world.deposit_of(&record);
    assert_eq!(
        (deposit.total, deposit.payments.len()),
        (amount("100.00"), 1)
    );
    let lines: Vec<_> = deposit.lines.iter().map(|line| line.amount).collect();
    assert_eq!(lines, [amount("-100.00"), amount("100.00")]);
    // Twice without having failed in between is no payment of ours.
    let (mut world, first, _) = paid();
    let record = world.payout("1", &[(of(&first), "100.00"), (of(&first), "100.00")]);
    assert_eq!(
        world.state("deposits", &record),
        "BLOCKED(payout-does-not-add-up)"
    );
    assert_eq!(world.made(Side::Ledger, Kind::Deposit), 0);
}

#[test]
fn s184_only_what_has_arrived_is_deposited() {
    let (mut world, first, _) = paid();
    let record = platform(Kind::Payout, "1");
    let mut on_its_way = payout(&[(of(&first), "100.00")]);
    on_its_way.status = PayoutStatus::UnderWay;
    world.put(record.clone(), Document::Payout(on_its_way));
    world.sync();
    assert_eq!(world.state("deposits", &record), "HOLD(payout-under-way)");
    world.change_payout(&record, |it| it.status = PayoutStatus::Other("new".into()));
    assert_eq!(world.state("deposits", &record), "BLOCKED(unknown-status)");
    for status in [PayoutStatus::Failed, PayoutStatus::Canceled] {
        world.change_payout(&record, |it| it.status = status);
        assert_eq!(world.state("deposits", &record), "NOOP(payout-not-paid)");
    }
    assert_eq!(world.made(Side::Ledger, Kind::Deposit), 0);
    world.change_payout(&record, |it| it.status = PayoutStatus::Paid);
    world.sync();
    assert_eq!(world.state("deposits", &record), "DONE");
    world.change_payout(&record, |it| it.status = PayoutStatus::Failed);
    world.sync();
    assert_eq!(world.state("deposits", &record), "BLOCKED(payout-failed)");
}

#[test]
fn s184_what_does_not_add_up_is_no_deposit() {
    let (mut world, first, second) = paid();
    let record = world.payout("1", &[(of(&first), "90.00")]);
    let state = "BLOCKED(payout-does-not-add-up)";
    assert_eq!(world.state("deposits", &record), state);
    let other = platform(Kind::Payout, "2");
    let mut wrong = payout(&[(of(&second), "50.00")]);
    wrong.total = amount("49.00");
    world.put(other.clone(), Document::Payout(wrong));
    world.sync();
    assert_eq!(world.state("deposits", &other), state);
    let below = world.payout("3", &[(of(&first), "100.00"), (PartOf::Fee, "-101.00")]);
    assert_eq!(
        world.state("deposits", &below),
        "BLOCKED(payout-below-zero)"
    );
    let unknown = world.payout("4", &[(PartOf::Other("bonus".into()), "1.00")]);
    assert_eq!(
        world.state("deposits", &unknown),
        "BLOCKED(unknown-payout-part)"
    );
    assert_eq!(world.made(Side::Ledger, Kind::Deposit), 0);
}

#[test]
fn s184_each_account_is_chosen_before_the_first_deposit() {
    let (mut world, first, _) = paid();
    let preferences = &mut world.preferences.receivables;
    preferences.fee_account.clear();
    preferences.clearing_account.clear();
    let parts = [
        (of(&first), "100.00"),
        (PartOf::Fee, "-3.00"),
        (PartOf::Adjustment, "-1.00"),
    ];
    let record = world.payout("1", &parts);
    assert_eq!(
        world.state("deposits", &record),
        "BLOCKED(fee-account-missing)"
    );
    world.preferences.receivables.fee_account = "11".into();
    world.sync();
    assert_eq!(
        world.state("deposits", &record),
        "BLOCKED(clearing-account-missing)"
    );
    world.preferences.receivables.clearing_account = "12".into();
    world.sync();
    assert_eq!(world.state("deposits", &record), "DONE");
}

#[test]
fn s184_it_waits_for_each_payment_to_be_posted() {
    let (mut world, first, _) = paid();
    world.preferences.receivables.deposit_accounts.clear();
    let (_, third) = world.invoiced("3", "30.00");
    let late = world.pays_there("92", &third, "30.00");
    let record = world.payout("1", &[(of(&first), "100.00"), (of(&late), "30.00")]);
    assert_eq!(world.state("deposits", &record), "HOLD(waits-for-payment)");
    let waits = world.rest("deposits", &record).waits_for.unwrap();
    assert_eq!(
        waits.to_string(),
        "link:payments:platform/customer-payment/92"
    );
    world.preferences.receivables.deposit_accounts = vec!["undeposited".into()];
    world.sync();
    assert_eq!(world.deposit_of(&record).total, amount("130.00"));
}

#[test]
fn s184_a_payment_in_another_deposit_is_not_deposited_again() {
    let (mut world, first, second) = paid();
    by_hand(&mut world, "50", &[(&first, "100.00")]);
    let record = world.payout("1", &[(of(&first), "100.00"), (of(&second), "50.00")]);
    assert_eq!(
        world.state("deposits", &record),
        "BLOCKED(payment-already-deposited)"
    );
    assert_eq!(world.made(Side::Ledger, Kind::Deposit), 0);
}

#[test]
fn s184_a_deposit_made_by_hand_of_the_same_payments_and_total_is_adopted() {
    let (mut world, first, second) = paid();
    let hand = by_hand(&mut world, "50", &[(&second, "50.00"), (&first, "100.00")]);
    let record = world.payout("1", &[(of(&first), "100.00"), (of(&second), "50.00")]);
    assert_eq!(world.state("deposits", &record), "DONE");
    assert_eq!(world.target("deposits", &record), Some(hand));
    assert_eq!(world.made(Side::Ledger, Kind::Deposit), 0);
}

#[test]
fn s185_a_stand_alone_deposit_is_left_out_and_the_bank_still_agrees() {
    let (mut world, first, _) = paid();
    let there = platform(Kind::Invoice, "80");
    world.put(platform(Kind::Customer, "70"), customer("New Ltd", ""));
    world.put(there.clone(), invoice("70", "P-1", "50.00"));
    let alone = world.pays_there("95", &there, "50.00");
    let parts = [
        (of(&first), "100.00"),
        (of(&alone), "50.00"),
        (PartOf::Fee, "-3.00"),
    ];
    let record = world.payout("1", &parts);
    assert_eq!(world.state("deposits", &record), "DONE");
    let deposit = world.deposit_of(&record);
    assert_eq!(deposit.total, amount("97.00"));
    assert!(deposit.memo.contains("95"), "{}", deposit.memo);
    let only = world.payout("2", &[(of(&alone), "50.00")]);
    assert_eq!(world.state("deposits", &only), "NOOP(deposited-by-payment)");
    let below = world.payout("3", &[(of(&alone), "50.00"), (PartOf::Fee, "-1.00")]);
    assert_eq!(
        world.state("deposits", &below),
        "BLOCKED(payout-below-zero)"
    );
}

#[test]
fn s186_what_is_from_before_go_live_passes_through_clearing() {
    let mut world = World::alternative();
    world.preferences.receivables.go_live = Some(day("2026-06-11"));
    let record = ledger(Kind::Invoice, "2");
    world.put(record.clone(), invoice("7", "INV-2", "60.00"));
    world.invoice(&record, |it| it.date = day("2026-06-11"));
    world.sync();
    let copy = world.copy_of(&record);
    let payer = world.payer(&copy);
    let mut new = receipt(&payer, &[(pays(&copy), "60.00")]);
    new.date = day("2026-06-12");
    let new = world.receives("91", new);
    let old = receipt(&payer, &[(pays(&platform(Kind::Invoice, "old")), "40.00")]);
    let old = world.receives("90", old);
    let record = world.payout("1", &[(of(&new), "60.00"), (of(&old), "40.00")]);
    let deposit = world.deposit_of(&record);
    assert_eq!(deposit.total, amount("100.00"));
    assert_eq!(deposit.lines[0].account.as_str(), "12");
    assert!(deposit.lines[0].memo.contains("before go-live"));
}

#[test]
fn s187_a_payout_in_a_closed_period_waits_or_moves_by_preference() {
    let (mut world, first, _) = paid();
    world.periods[5].receivables = PeriodState::Closed;
    let record = world.payout("1", &[(of(&first), "100.00")]);
    assert_eq!(world.state("deposits", &record), "HOLD(closed-period)");
    world
        .preferences
        .set("transactions.closed_period", "next-open")
        .unwrap();
    world.sync();
    let deposit = world.deposit_of(&record);
    assert_eq!(deposit.date, day("2026-07-01"));
    assert!(deposit.memo.contains("2026-06-12"), "{}", deposit.memo);
}

#[test]
fn a_deposit_that_was_edited_or_deleted_is_a_person_s() {
    let (mut world, first, _) = paid();
    let record = world.payout("1", &[(of(&first), "100.00")]);
    let made = world.target("deposits", &record).unwrap();
    let Document::Deposit(it) = &mut world.records.get_mut(&made).unwrap().document else {
        panic!()
    };
    it.account = "14".into();
    world.sync();
    assert_eq!(world.state("deposits", &record), "CONFLICT(deposit-edited)");
    world.decide("deposits", record.clone(), accept("deposit-edited"));
    world.sync();
    assert_eq!(world.state("deposits", &record), "NOOP(deposit-edited)");
    world.delete(&made);
    world.sync();
    assert_eq!(world.state("deposits", &record), "BLOCKED(deposit-deleted)");
    assert_eq!(world.made(Side::Ledger, Kind::Deposit), 1);
}

#[test]
fn s188_a_payment_voided_before_its_payout_passes_through_clearing() {
    let (mut world, first, second) = paid();
    world.receipt(&first, |it| it.status = ReceiptStatus::Failed);
    let posted = world.target("payments", &first).unwrap();
    world.receipt(&posted, |it| it.status = ReceiptStatus::Voided);
    world.sync();
    let failure = PartOf::Failure {
        payment: Some(first.id.clone()),
    };
    let parts = [
        (of(&first), "100.00"),
        (of(&second), "50.00"),
        (failure, "-100.00"),
    ];
    let record = world.payout("1", &parts);
    let deposit = world.deposit_of(&record);
    assert_eq!(deposit.total, amount("50.00"));
    let cleared: Amount = deposit.lines.iter().map(|line| line.amount).sum();
    assert_eq!(cleared, Amount::ZERO);
}

#[test]
fn s198_a_payment_of_another_currency_than_its_payout_is_told_with_both() {
    let (mut world, first, _) = paid();
    let record = platform(Kind::Payout, "1");
    let mut foreign = payout(&[(of(&first), "100.00")]);
    foreign.currency = "CAD".parse().unwrap();
    world.put(record.clone(), Document::Payout(foreign));
    world.sync();
    let outcome = world.rest("deposits", &record);
    assert_eq!(outcome.to_string(), "BLOCKED(currency-mismatch)");
    assert!(outcome.cause.contains("CAD") && outcome.cause.contains("USD"));
}

#[test]
fn nothing_is_deposited_while_writing_to_the_ledger_is_off() {
    let (mut world, first, _) = paid();
    world.preferences.receivables.reconcile = false;
    let record = world.payout("1", &[(of(&first), "100.00")]);
    assert_eq!(world.state("deposits", &record), "SKIPPED(reconcile-off)");
}
