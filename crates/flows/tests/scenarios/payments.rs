use tieout_domain::document::{
    AccountKind, Application, Approval, CreditUse, Dimension, Funding, Method, Payment,
    PaymentStatus, Void, VoidKind,
};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Currency, Document, Kind, PeriodState, RecordRef, Side, WaitsFor};
use tieout_flows::{Map, MapStatus};

use crate::world::*;

/// One bill of 100.00, sent and paid on the platform as given.
fn paid(change: impl FnOnce(&mut Payment)) -> (World, RecordRef) {
    let mut world = World::new();
    let (_, there) = world.sent("1", "INV-1", "100.00");
    let mut it = payment(&[(&there, "100.00")]);
    change(&mut it);
    let record = world.pays("stp1", it);
    world.sync();
    (world, record)
}

fn state(world: &World, record: &RecordRef) -> String {
    world.state("bill-payments", record)
}

fn posted(world: &World, record: &RecordRef) -> Payment {
    let to =
        |link: &&tieout_flows::Link| link.record == *record && link.target.kind == Kind::Payment;
    world
        .payment_at(&world.links.iter().find(to).unwrap().target)
        .clone()
}

fn postings(world: &World) -> usize {
    world.made(Side::Ledger, Kind::Payment)
}

fn open(world: &World, id: &str) -> Amount {
    world.bill_at(&ledger(Kind::Bill, id)).open
}

fn moves_to(world: &mut World, record: &RecordRef, status: PaymentStatus) {
    let old = world.payment_at(record).clone();
    let undone = matches!(
        status,
        PaymentStatus::Voided | PaymentStatus::Canceled | PaymentStatus::FundingFailedVoided
    );
    if undone {
        world.pay(Side::Platform, &old, false);
    }
    world.payment(record, |it| it.status = status);
    world.sync();
}

fn void(kind: VoidKind) -> Option<Void> {
    Some(Void {
        void_kind: kind,
        accepted: true,
        rejected: false,
    })
}

#[test]
fn s093_a_processed_payment_is_posted_once_under_its_key() {
    let (mut world, record) = paid(|_| {});
    let it = posted(&world, &record);
    assert_eq!(
        it.external_id.as_ref().unwrap().as_str(),
        "bill_008org_stp1"
    );
    assert_eq!((it.date, it.total), (day("2026-06-10"), amount("100")));
    assert_eq!(
        (
            it.account.unwrap().as_str(),
            it.applications[0].document.as_str()
        ),
        ("90", "1")
    );
    for status in [
        PaymentStatus::Processed,
        PaymentStatus::Cleared,
        PaymentStatus::Processed,
    ] {
        moves_to(&mut world, &record, status);
    }
    assert_eq!(
        (postings(&world), state(&world, &record).as_str()),
        (1, "DONE")
    );
    assert_eq!(open(&world, "1"), Amount::ZERO);
    let echo = world.target("bill-payments", &record).unwrap();
    assert_eq!(state(&world, &echo), "NOOP(echo)");
}

#[test]
fn s093_the_posting_trigger_is_a_preference() {
    for (at, status, posts) in [
        ("scheduled", PaymentStatus::Scheduled, 1),
        ("processed", PaymentStatus::Scheduled, 0),
        ("processed", PaymentStatus::Funding, 0),
        ("cleared", PaymentStatus::Processed, 0),
        ("cleared", PaymentStatus::Cleared, 1),
        ("cleared", PaymentStatus::Approving, 0),
    ] {
        let mut world = World::new();
        world
            .preferences
            .set("transactions.post_payments_at", at)
            .unwrap();
        let (_, there) = world.sent("1", "INV-1", "100.00");
        let record = world.pays(
            "stp1",
            Payment {
                status,
                ..payment(&[(&there, "100.00")])
            },
        );
        world.sync();
        assert_eq!(postings(&world), posts, "{at}");
        if posts == 0 {
            assert_eq!(state(&world, &record), "HOLD(payment-under-way)");
        }
    }
}

#[test]
fn s094_s095_partial_payments_are_separate_and_leave_the_rest_open() {
    let mut world = World::new();
    let (_, there) = world.sent("1", "INV-1", "100.00");
    for (id, part, left) in [
        ("stp1", "40.00", "60"),
        ("stp2", "40.00", "20"),
        ("stp3", "5.00", "15"),
    ] {
        let record = world.pays(id, payment(&[(&there, part)]));
        world.sync();
        assert_eq!(open(&world, "1"), amount(left));
        assert_eq!(state(&world, &record), "DONE");
    }
    assert_eq!(postings(&world), 3);
}

#[test]
fn s095_second_and_third_payments_have_their_own_keys() {
    let mut world = World::new();
    let (_, there) = world.sent("1", "INV-1", "100.00");
    world.pays("stp1", payment(&[(&there, "10.00")]));
    world.pays("stp2", payment(&[(&there, "10.00")]));
    world.sync();
    let keys: std::collections::BTreeSet<_> =
        world.writes.iter().map(|it| it.key.clone()).collect();
    assert_eq!(keys.len(), world.writes.len());
}

fn eight() -> (World, Vec<RecordRef>) {
    let mut world = World::new();
    let there = (1..=8)
        .map(|id| world.sent(&id.to_string(), &format!("N{id}x"), "10.00").1)
        .collect();
    (world, there)
}

#[test]
fn s096_one_payment_of_many_bills_is_one_posting() {
    let (mut world, there) = eight();
    let bills: Vec<_> = there.iter().map(|it| (it, "10.00")).collect();
    let record = world.pays("stp1", payment(&bills));
    world.sync();
    let it = posted(&world, &record);
    assert_eq!(
        (it.applications.len(), it.total, postings(&world)),
        (8, amount("80"), 1)
    );
}

#[test]
fn s097_one_unknown_bill_holds_the_whole_payment() {
    let (mut world, mut there) = eight();
    let stranger = platform(Kind::Bill, "00nX");
    world.put(stranger.clone(), typed("009", "X", "10.00"));
    there[7] = stranger;
    let bills: Vec<_> = there.iter().map(|it| (it, "10.00")).collect();
    let record = world.pays("stp1", payment(&bills));
    world.sync();
    assert_eq!(state(&world, &record), "BLOCKED(bills-not-linked)");
    assert!(
        world
            .rest("bill-payments", &record)
            .cause
            .contains("1 of 8 bills not linked")
    );
    assert_eq!(postings(&world), 0);
}

#[test]
fn s098_s086_bills_of_two_payables_accounts_are_split_under_one_key() {
    let mut world = World::new();
    let (_, a) = world.sent("1", "A", "10.00");
    let (_, b) = world.sent("2", "B", "20.00");
    world.bill(&ledger(Kind::Bill, "2"), |it| {
        it.payables_account = Some("21".into())
    });
    let record = world.pays("stp1", payment(&[(&a, "10.00"), (&b, "20.00")]));
    world.sync();
    let mut made: Vec<_> = world
        .of(Side::Ledger, Kind::Payment)
        .iter()
        .map(|it| world.payment_at(it))
        .map(|it| {
            (
                it.external_id.clone().unwrap().as_str().to_owned(),
                it.total,
                it.payables_account.clone().unwrap(),
            )
        })
        .collect();
    made.sort();
    assert_eq!(made[0].0, "bill_008org_stp1_20-3");
    assert_eq!(made[1].0, "bill_008org_stp1_21-3");
    assert_eq!((made[0].1, made[1].1), (amount("10"), amount("20")));
    assert_eq!(state(&world, &record), "DONE");
}

#[test]
fn s098_s102_each_part_of_a_split_wire_takes_its_share_of_what_was_taken() {
    let mut world = World::new();
    let cad: Currency = "CAD".parse().unwrap();
    let bills = [("1", "100.00"), ("2", "100.00"), ("3", "100.01")];
    let mut paid = Vec::new();
    for (at, (id, cash)) in bills.into_iter().enumerate() {
        let (here, there) = world.sent(id, &format!("INV-{id}"), "200.00");
        world.bill(&here, |it| {
            it.currency = cad;
            it.payables_account = Some(format!("2{at}").as_str().into());
        });
        paid.push((there, cash));
    }
    let paid: Vec<_> = paid.iter().map(|(there, cash)| (there, *cash)).collect();
    let mut it = payment(&paid);
    it.currency = cad;
    it.funded = Some(amount("219.01").of(Currency::USD));
    let record = world.pays("stp1", it);
    world.sync();
    assert_eq!(state(&world, &record), "DONE");
    let mut parts: Vec<_> = world
        .of(Side::Ledger, Kind::Payment)
        .iter()
        .map(|it| world.payment_at(it))
        .map(|it| (it.payables_account.clone(), it.total, it.funded))
        .collect();
    parts.sort_by(|a, b| a.0.cmp(&b.0));
    let of: Vec<(Amount, Amount)> = parts
        .iter()
        .map(|(_, total, funded)| (*total, funded.unwrap().amount))
        .collect();
    let expected = [("100", "73"), ("100", "73"), ("100.01", "73.01")];
    assert_eq!(of, expected.map(|(a, b)| (amount(a), amount(b))));
}

#[test]
fn s086_the_payment_relieves_the_bills_own_payables_account() {
    let (world, record) = paid(|_| {});
    assert_eq!(
        posted(&world, &record).payables_account.unwrap().as_str(),
        "20"
    );
}

#[test]
fn s099_a_check_number_is_added_when_it_is_known() {
    let (mut world, record) =
        paid(|it| (it.method, it.confirmation) = (Method::Check, String::new()));
    world.payment(&record, |it| it.check_number = "1001".into());
    world.sync();
    assert_eq!(
        (posted(&world, &record).number.as_str(), postings(&world)),
        ("1001", 1)
    );
    assert_eq!(state(&world, &record), "DONE");
}

#[test]
fn s100_s101_the_method_is_told_and_no_card_number() {
    let (world, record) = paid(|_| {});
    let it = posted(&world, &record);
    assert!(it.memo.contains("ACH") && it.memo.contains("C-1") && it.number == "C-1");
    let (world, record) = paid(|it| {
        (it.method, it.card_last4) = (Method::VirtualCard, "4111111111111234".into());
    });
    let it = posted(&world, &record);
    assert!(it.memo.contains("ending 1234") && !it.memo.contains("11111"));
    assert!(it.card_last4.is_empty());
}

#[test]
fn s101_a_virtual_card_leaves_four_digits_at_most() {
    let (world, record) =
        paid(|it| (it.method, it.card_last4) = (Method::VirtualCard, "1234".into()));
    assert!(posted(&world, &record).memo.contains("card ending 1234"));
}

#[test]
fn s104_s106_what_was_undone_before_it_was_posted_is_nothing() {
    for status in [
        PaymentStatus::Canceled,
        PaymentStatus::Voided,
        PaymentStatus::FundingFailedVoided,
    ] {
        let (world, record) = paid(|it| it.status = status);
        assert_eq!(
            (state(&world, &record).as_str(), postings(&world)),
            ("NOOP(undone-before-posting)", 0)
        );
    }
}

#[test]
fn s106_scheduled_and_voided_before_it_was_seen_posts_nothing() {
    let (world, _) =
        paid(|it| (it.status, it.void) = (PaymentStatus::Voided, void(VoidKind::Credit)));
    assert_eq!(postings(&world), 0);
}

fn reversed(world: &World, record: &RecordRef) {
    assert_eq!(state(world, record), "REVERSED(reversed)");
    assert_eq!(open(world, "1"), amount("100"), "the bill is open again");
    let it = posted(world, record);
    assert_eq!(it.total, amount("100"), "the payment never changes");
    let journals = world.of(Side::Ledger, Kind::Journal);
    assert_eq!(journals.len(), 1);
    assert_eq!(
        (&it.applications[0].document, it.applications[0].line),
        (&journals[0].id, Some(1))
    );
    let Document::Journal(journal) = world.at(&journals[0]) else {
        panic!()
    };
    assert_eq!(
        journal.external_id.as_ref().unwrap().as_str(),
        "bill_008org_stp1_rev"
    );
    let (cash, payables) = (&journal.lines[0], &journal.lines[1]);
    assert_eq!((cash.account.as_str(), cash.debit), ("90", amount("100")));
    assert_eq!(
        (payables.account.as_str(), payables.credit),
        ("20", amount("100"))
    );
    assert_eq!(payables.vendor.as_ref().unwrap().as_str(), "12");
}

#[test]
fn s105_s107_s117_what_was_undone_after_posting_is_reversed_with_a_link() {
    for status in [
        PaymentStatus::Canceled,
        PaymentStatus::Voided,
        PaymentStatus::FundingFailedVoided,
    ] {
        let (mut world, record) = paid(|_| {});
        moves_to(&mut world, &record, status);
        reversed(&world, &record);
        let writes = world.writes.len();
        world.sync();
        assert_eq!(world.writes.len(), writes, "once");
    }
}

#[test]
fn s107_a_void_with_credit_reopens_the_bill() {
    let (mut world, record) = paid(|_| {});
    world.payment(&record, |it| it.void = void(VoidKind::Credit));
    moves_to(&mut world, &record, PaymentStatus::Voided);
    reversed(&world, &record);
}

#[test]
fn s117_a_failed_funding_reopens_the_bill() {
    let (mut world, record) = paid(|_| {});
    moves_to(&mut world, &record, PaymentStatus::FundingFailedVoided);
    reversed(&world, &record);
}

#[test]
fn s108_a_void_after_the_close_is_dated_in_an_open_period() {
    let (mut world, record) = paid(|it| it.date = day("2026-05-20"));
    (
        world.periods[4].payables,
        world.periods[4].non_ledger_changes,
    ) = (PeriodState::Closed, true);
    moves_to(&mut world, &record, PaymentStatus::Voided);
    reversed(&world, &record);
    let Document::Journal(journal) = world.at(&world.of(Side::Ledger, Kind::Journal)[0]) else {
        panic!()
    };
    assert_eq!(journal.date, day("2026-06-20"));
}

#[test]
fn s108_a_period_that_forbids_it_is_a_persons_matter_and_nothing_floats() {
    let (mut world, record) = paid(|it| it.date = day("2026-05-20"));
    world.periods[4].payables = PeriodState::Closed;
    moves_to(&mut world, &record, PaymentStatus::Voided);
    assert_eq!(state(&world, &record), "BLOCKED(reversal-forbidden)");
    assert!(world.of(Side::Ledger, Kind::Journal).is_empty());
    let (mut world, record) = paid(|_| {});
    world
        .preferences
        .set("transactions.reversals", "person")
        .unwrap();
    moves_to(&mut world, &record, PaymentStatus::Voided);
    assert_eq!(state(&world, &record), "BLOCKED(reverse-by-hand)");
}

#[test]
fn s109_s110_a_reissue_takes_over_the_posting() {
    let (mut world, old) = paid(|_| {});
    world.payment(&old, |it| {
        (it.status, it.void) = (PaymentStatus::Voided, void(VoidKind::Reissue))
    });
    let there = world.target("bills", &ledger(Kind::Bill, "1")).unwrap();
    let new = platform(Kind::Payment, "stp2");
    let mut check = payment(&[(&there, "100.00")]);
    (check.method, check.check_number) = (Method::Check, "2002".into());
    world.put(new.clone(), Document::Payment(check));
    world.sync();
    assert_eq!(postings(&world), 1);
    assert_eq!(
        world.target("bill-payments", &new),
        world.target("bill-payments", &old)
    );
    assert_eq!(
        (state(&world, &old).as_str(), state(&world, &new).as_str()),
        ("NOOP(reissued)", "DONE")
    );
    assert_eq!(posted(&world, &new).number, "2002");
    assert_eq!(open(&world, "1"), Amount::ZERO);
}

#[test]
fn s110_a_reissue_as_a_check_updates_the_number() {
    s109_s110_a_reissue_takes_over_the_posting();
}

#[test]
fn s111_s112_a_pending_void_reverses_nothing_and_a_refused_one_is_paid_again() {
    let (mut world, record) = paid(|_| {});
    moves_to(&mut world, &record, PaymentStatus::VoidPending);
    assert_eq!(state(&world, &record), "HOLD(void-pending)");
    world.payment(&record, |it| {
        it.void = Some(Void {
            void_kind: VoidKind::Credit,
            accepted: false,
            rejected: true,
        });
    });
    moves_to(&mut world, &record, PaymentStatus::Cleared);
    assert_eq!(
        (state(&world, &record).as_str(), open(&world, "1")),
        ("DONE", Amount::ZERO)
    );
}

#[test]
fn s112_a_refused_void_leaves_it_paid() {
    s111_s112_a_pending_void_reverses_nothing_and_a_refused_one_is_paid_again();
}

#[test]
fn s113_a_returned_payment_keeps_its_bills_closed_even_after_it_cleared() {
    let (mut world, record) = paid(|it| it.status = PaymentStatus::Cleared);
    moves_to(&mut world, &record, PaymentStatus::Returned);
    assert_eq!(
        (state(&world, &record).as_str(), open(&world, "1")),
        ("HOLD(returned)", Amount::ZERO)
    );
    let (world, record) = paid(|it| it.status = PaymentStatus::Returned);
    assert_eq!(
        (state(&world, &record).as_str(), postings(&world)),
        ("HOLD(returned)", 0)
    );
}

#[test]
fn s114_s115_expiring_and_escheated_payments_stand() {
    for (status, expected) in [
        (PaymentStatus::Expiring, "DONE(check-expiring)"),
        (PaymentStatus::Escheated, "DONE(escheated)"),
    ] {
        let (world, record) = paid(|it| it.status = status);
        assert_eq!(
            (state(&world, &record).as_str(), postings(&world)),
            (expected, 1)
        );
    }
}

#[test]
fn s115_an_escheated_payment_stays_posted() {
    let (mut world, record) = paid(|_| {});
    moves_to(&mut world, &record, PaymentStatus::Escheated);
    assert_eq!(open(&world, "1"), Amount::ZERO);
}

#[test]
fn s116_a_failed_funding_of_a_paid_vendor_stays_posted_and_alarms() {
    let (mut world, record) = paid(|it| it.status = PaymentStatus::FundingFailedOwed);
    assert_eq!(
        (state(&world, &record).as_str(), postings(&world)),
        ("BLOCKED(owed-to-platform)", 1)
    );
    assert_eq!(open(&world, "1"), Amount::ZERO);
    world.decide("bill-payments", record.clone(), accept("owed-to-platform"));
    assert_eq!(state(&world, &record), "DONE");
}

#[test]
fn s118_an_unknown_status_is_never_paid() {
    let (mut world, record) =
        paid(|it| it.status = PaymentStatus::Other("PARTIALLY_CLAIMED".into()));
    assert_eq!(
        (state(&world, &record).as_str(), postings(&world)),
        ("BLOCKED(unknown-status)", 0)
    );
    moves_to(&mut world, &record, PaymentStatus::Processed);
    moves_to(&mut world, &record, PaymentStatus::Other("NEW".into()));
    assert_eq!(state(&world, &record), "BLOCKED(unknown-status)");
}

/// A rate that nobody stated would be a guess (decision on scenario 103).
#[test]
fn a_payment_in_another_currency_than_its_bill_is_blocked() {
    let (world, record) = paid(|it| it.currency = "EUR".parse().unwrap());
    let outcome = world.rest("bill-payments", &record);
    assert_eq!(outcome.to_string(), "BLOCKED(currency-mismatch)");
    for part in ["EUR", "USD", "INV-1"] {
        assert!(outcome.cause.contains(part), "{}", outcome.cause);
    }
    assert_eq!((postings(&world), open(&world, "1")), (0, amount("100")));
}

#[test]
fn a_payment_beyond_what_is_open_is_a_conflict() {
    let mut world = World::new();
    let (record, there) = world.sent("1", "INV-1", "100.00");
    world.bill(&record, |it| it.open = amount("70"));
    let payment = world.pays("stp1", payment(&[(&there, "100.00")]));
    world.sync();
    assert_eq!(
        (state(&world, &payment).as_str(), postings(&world)),
        ("CONFLICT(over-applied)", 0)
    );
}

#[test]
fn s120_a_bill_already_paid_in_the_ledger_is_not_paid_again() {
    let mut world = World::new();
    let (record, there) = world.sent("1", "INV-1", "100.00");
    let check = ledger_check(&[(&record, "100.00")]);
    world.preferences.transactions.outside_payments = false;
    world.pay(Side::Ledger, &check, true);
    world.put(ledger(Kind::Payment, "77"), Document::Payment(check));
    let payment = world.pays("stp1", payment(&[(&there, "100.00")]));
    world.sync();
    assert_eq!(
        (state(&world, &payment).as_str(), postings(&world)),
        ("BLOCKED(already-paid)", 0)
    );
    assert!(
        world
            .rest("bill-payments", &payment)
            .cause
            .contains("check 1001")
    );
}

#[test]
fn s125_an_offline_payment_goes_against_its_own_account() {
    let offline =
        |it: &mut Payment| (it.outside, it.method, it.funding) = (true, Method::Offline, None);
    let (mut world, record) = paid(offline);
    assert_eq!(state(&world, &record), "BLOCKED(payment-account-missing)");
    world.put(
        ledger(Kind::Account, "95"),
        account("1010", "Petty cash", AccountKind::Bank),
    );
    let map = Map {
        to: Some("95".into()),
        status: MapStatus::Confirmed,
    };
    world.maps.put(Kind::FundingAccount, "offline".into(), map);
    world.sync();
    assert_eq!(posted(&world, &record).account.unwrap().as_str(), "95");
}

#[test]
fn s127_payments_without_an_account_wait_as_one_exception() {
    let mut world = World::new();
    world.preferences.transactions.payment_account = None;
    let (_, there) = world.sent("1", "INV-1", "100.00");
    let records: Vec<_> = ["stp1", "stp2"]
        .into_iter()
        .map(|id| world.pays(id, payment(&[(&there, "50.00")])))
        .collect();
    world.sync();
    let groups: Vec<_> = records
        .iter()
        .map(|it| world.rest("bill-payments", it).group)
        .collect();
    assert_eq!(groups, ["payment-account-missing:bac1"; 2]);
    world.put(
        ledger(Kind::Account, "95"),
        account("1010", "Bank", AccountKind::Bank),
    );
    world.map(Kind::FundingAccount, "bac1", "95");
    world.sync();
    assert_eq!(postings(&world), 2);
}

#[test]
fn s129_card_funded_payments_are_never_booked_against_the_bank() {
    let card = |it: &mut Payment| {
        it.funding = Some(Funding {
            funding_kind: "AP_CARD".into(),
            id: "card1".into(),
        });
    };
    let (mut world, record) = paid(card);
    assert_eq!(state(&world, &record), "BLOCKED(payment-account-missing)");
    world.put(
        ledger(Kind::Account, "96"),
        account("2100", "Card", AccountKind::CreditCard),
    );
    world.map(Kind::FundingAccount, "card1", "96");
    world.sync();
    assert_eq!(posted(&world, &record).account.unwrap().as_str(), "96");
}

#[test]
fn s131_a_closed_period_waits_or_moves_with_the_true_date_in_the_memo() {
    let closed = |world: &mut World| world.periods[4].payables = PeriodState::Closed;
    for (preference, expected) in [("hold", "HOLD(closed-period)"), ("next-open", "DONE")] {
        let mut world = World::new();
        closed(&mut world);
        world
            .preferences
            .set("transactions.closed_period", preference)
            .unwrap();
        let (_, there) = world.sent("1", "INV-1", "100.00");
        let it = Payment {
            date: day("2026-05-20"),
            ..payment(&[(&there, "100.00")])
        };
        let record = world.pays("stp1", it);
        world.sync();
        assert_eq!(state(&world, &record), expected);
        if preference == "next-open" {
            let it = posted(&world, &record);
            assert_eq!(
                (it.date, it.period.unwrap().as_str().to_owned()),
                (day("2026-06-01"), "p6".into())
            );
            assert!(it.memo.contains("2026-05-20"));
        }
    }
}

#[test]
fn s132_a_missing_period_waits() {
    let (world, record) = paid(|it| it.date = day("2027-01-04"));
    assert_eq!(state(&world, &record), "HOLD(period-missing)");
}

#[test]
fn s133_a_locked_period_is_told_apart_from_a_closed_one() {
    let mut world = World::new();
    world.periods[5].payables = PeriodState::Locked;
    let (_, there) = world.sent("1", "INV-1", "100.00");
    let record = world.pays("stp1", payment(&[(&there, "100.00")]));
    world.sync();
    assert_eq!(state(&world, &record), "HOLD(locked-period)");
}

#[test]
fn s134_s135_date_and_period_agree_and_days_stay_days() {
    for date in ["2026-06-30", "2026-07-01", "2026-02-28", "2026-12-31"] {
        let (world, record) = paid(|it| it.date = day(date));
        let it = posted(&world, &record);
        assert_eq!(it.date, day(date));
        assert_eq!(
            it.period.unwrap().as_str(),
            format!("p{}", day(date).month())
        );
    }
}

#[test]
fn s135_the_last_of_june_stays_in_june() {
    let (world, record) = paid(|it| it.date = day("2026-06-30"));
    assert_eq!(posted(&world, &record).date, day("2026-06-30"));
}

#[test]
fn s136_s151_a_payment_that_comes_before_the_link_waits_for_it() {
    let mut world = World::new();
    let (record, there) = world.sent("1", "INV-1", "100.00");
    let link = world
        .links
        .iter()
        .position(|link| link.record == record)
        .unwrap();
    let link = world.links.remove(link);
    let payment = world.pays("stp1", payment(&[(&there, "100.00")]));
    assert_eq!(state(&world, &payment), "HOLD(waits-for-bill)");
    world.links.push(link);
    world.sync();
    assert_eq!(state(&world, &payment), "DONE");
}

#[test]
fn s144_what_a_person_edited_is_never_overwritten() {
    let (mut world, record) = paid(|_| {});
    let there = world.target("bill-payments", &record).unwrap();
    world.payment(&there, |it| it.date = day("2026-06-15"));
    world.payment(&record, |it| it.confirmation = "C-2".into());
    let writes = world.writes.len();
    world.sync();
    assert_eq!(
        (state(&world, &record).as_str(), world.writes.len()),
        ("CONFLICT(edited-by-hand)", writes)
    );
}

#[test]
fn s145_what_a_person_deleted_is_never_resurrected() {
    let (mut world, record) = paid(|_| {});
    let there = world.target("bill-payments", &record).unwrap();
    world.delete(&there);
    world.sync();
    assert_eq!(
        (state(&world, &record).as_str(), postings(&world)),
        ("BLOCKED(posted-payment-deleted)", 1)
    );
}

#[test]
fn s146_a_reversal_never_deletes() {
    let (mut world, record) = paid(|it| it.cleared = Some(day("2026-06-12")));
    moves_to(&mut world, &record, PaymentStatus::Voided);
    reversed(&world, &record);
    assert!(
        world
            .writes
            .iter()
            .all(|it| matches!(it.action, Action::Create | Action::Amend))
    );
}

#[test]
fn s107_a_reversing_entry_whose_posting_somebody_deleted_is_one_too_many() {
    for accepts in [false, true] {
        let (mut world, record) = paid(|_| {});
        moves_to(&mut world, &record, PaymentStatus::Voided);
        reversed(&world, &record);
        let posting = world.of(Side::Ledger, Kind::Payment)[0].clone();
        world.delete(&posting);
        world.sync();
        assert_eq!(state(&world, &record), "BLOCKED(reversal-alone)");
        if accepts {
            world.decide("bill-payments", record.clone(), accept("reversal-alone"));
        } else {
            let entry = world.of(Side::Ledger, Kind::Journal)[0].clone();
            world.delete(&entry);
        }
        world.sync();
        assert_eq!(state(&world, &record), "REVERSED(reversed)");
    }
}

#[test]
fn s149_a_posting_that_waits_for_approval_is_not_done() {
    let (mut world, record) = paid(|_| {});
    let there = world.target("bill-payments", &record).unwrap();
    world.payment(&there, |it| it.posted = false);
    assert_eq!(state(&world, &record), "HOLD(pending-approval)");
}

#[test]
fn s162_the_payment_account_must_be_a_bank_account() {
    let mut world = World::new();
    world.account(&ledger(Kind::Account, "90"), |it| {
        it.account_kind = AccountKind::Expense
    });
    let (_, there) = world.sent("1", "INV-1", "100.00");
    let record = world.pays("stp1", payment(&[(&there, "100.00")]));
    world.sync();
    assert_eq!(state(&world, &record), "BLOCKED(wrong-account-type)");
}

#[test]
fn s017_a_vendor_outside_the_bills_subsidiary_is_named_with_both_ids() {
    let mut world = World::new();
    let (_, there) = world.sent("1", "INV-1", "100.00");
    world.vendor(&ledger(Kind::Vendor, "12"), |it| {
        it.subsidiaries = vec!["9".into()]
    });
    let record = world.pays("stp1", payment(&[(&there, "100.00")]));
    world.sync();
    let outcome = world.rest("bill-payments", &record);
    assert_eq!(outcome.to_string(), "BLOCKED(vendor-not-in-subsidiary)");
    assert!(outcome.cause.contains("id 12") && outcome.cause.contains("subsidiary 3"));
}

fn with_credit(cash: &str, used: &str) -> (World, RecordRef) {
    let mut world = World::new();
    let credit = ledger(Kind::VendorCredit, "7");
    world.put(credit.clone(), vendor_credit("VC-1", "40.00"));
    let (_, there) = world.sent("1", "INV-1", "40.00");
    let there_credit = world.target("vendor-credits", &credit).unwrap();
    let mut it = payment(&[(&there, cash)]);
    it.applications[0].credits = vec![CreditUse {
        credit: there_credit.id.clone(),
        amount: amount(used),
    }];
    let record = world.pays("stp1", it);
    world.sync();
    (world, record)
}

#[test]
fn s049_a_credit_used_in_a_payment_closes_the_bill_and_isnt_cash() {
    let (world, record) = with_credit("30.00", "10.00");
    let it = posted(&world, &record);
    assert_eq!(
        (it.total, it.applications[0].credits[0].credit.as_str()),
        (amount("30"), "7")
    );
    assert_eq!(open(&world, "1"), Amount::ZERO);
    assert_eq!(state(&world, &record), "DONE");
    assert_eq!(
        world.state("vendor-credits", &ledger(Kind::VendorCredit, "7")),
        "DONE"
    );
}

#[test]
fn s050_a_bill_covered_by_a_credit_posts_the_application_only() {
    let (world, record) = with_credit("0", "40.00");
    assert_eq!(postings(&world), 0);
    let Document::VendorCredit(credit) = world.at(&ledger(Kind::VendorCredit, "7")) else {
        panic!()
    };
    assert_eq!((credit.applications.len(), credit.open), (1, Amount::ZERO));
    assert_eq!(state(&world, &record), "DONE");
}

/// A bill of 100.00 and a credit of 40.00, both on the platform.
struct Credited {
    world: World,
    bill: RecordRef,
    credit: RecordRef,
}

impl Credited {
    fn new() -> Self {
        let mut world = World::new();
        let here = ledger(Kind::VendorCredit, "7");
        world.put(here.clone(), vendor_credit("VC-1", "40.00"));
        let (_, bill) = world.sent("1", "INV-1", "100.00");
        let credit = world.target("vendor-credits", &here).unwrap();
        Self {
            world,
            bill,
            credit,
        }
    }

    /// So much of the credit is used on the bill, beside so much cash.
    fn uses(&mut self, id: &str, cash: &str, used: &str) -> RecordRef {
        let mut it = payment(&[(&self.bill, cash)]);
        it.applications[0].credits = vec![CreditUse {
            credit: self.credit.id.clone(),
            amount: amount(used),
        }];
        self.world.pays(id, it)
    }

    /// What of the ledger's credit is applied, and left.
    fn here(&self) -> (Vec<(String, Amount)>, Amount) {
        let Document::VendorCredit(credit) = self.world.at(&ledger(Kind::VendorCredit, "7")) else {
            panic!()
        };
        let parts = credit.applications.iter();
        let parts = parts.map(|part| (part.document.to_string(), part.amount));
        (parts.collect(), credit.open)
    }

    /// So much of the credit is on the bill in the ledger, and so much is left of it.
    fn assert_here(&self, on_bill: &str, left: &str) {
        let expected = (vec![("1".to_owned(), amount(on_bill))], amount(left));
        assert_eq!(self.here(), expected);
    }

    /// Somebody applies so much of it in the ledger.
    fn applied_here(&mut self, what: &str) {
        let open = amount("40").minus(amount(what)).unwrap();
        self.world.credit(&ledger(Kind::VendorCredit, "7"), |it| {
            it.applications = vec![to("1", what)];
            it.open = open;
        });
    }
}

fn to(document: &str, what: &str) -> Application {
    Application {
        document: document.into(),
        line: None,
        amount: amount(what),
        discount: Amount::ZERO,
        credits: Vec::new(),
    }
}

#[test]
fn s050_a_second_use_of_a_credit_on_the_same_bill_is_applied_beside_the_first() {
    let mut it = Credited::new();
    let first = it.uses("stp1", "0", "20.00");
    it.world.sync();
    it.assert_here("20", "20");
    let second = it.uses("stp2", "0", "20.00");
    it.world.sync();
    for record in [&first, &second] {
        assert_eq!(state(&it.world, record), "DONE");
    }
    it.assert_here("40", "0");
    moves_to(&mut it.world, &first, PaymentStatus::Voided);
    assert_eq!(state(&it.world, &first), "REVERSED(reversed)");
    assert_eq!(state(&it.world, &second), "DONE");
    it.assert_here("20", "20");
    // What was freed is no longer the first one's.
    let third = it.uses("stp3", "0", "20.00");
    it.world.sync();
    assert_eq!(state(&it.world, &third), "DONE");
    it.assert_here("40", "0");
}

#[test]
fn s050_what_somebody_has_applied_so_is_not_applied_again() {
    let mut it = Credited::new();
    it.applied_here("20.00");
    let record = it.uses("stp1", "0", "20.00");
    it.world.sync();
    assert_eq!(state(&it.world, &record), "DONE");
    it.assert_here("20", "20");
}

#[test]
fn s049_s050_what_was_used_beside_cash_is_not_taken_for_the_next_use() {
    let mut it = Credited::new();
    let first = it.uses("stp1", "30.00", "20.00");
    it.world.sync();
    // As the ledger has it: the application is the credit's own.
    it.applied_here("20.00");
    let second = it.uses("stp2", "0", "20.00");
    let bill = it.bill.id.to_string();
    let credit = it.credit.clone();
    it.world.credit(&credit, |there| {
        there.applications = vec![to(&bill, "40.00")];
    });
    it.world.sync();
    for record in [&first, &second] {
        assert_eq!(state(&it.world, record), "DONE");
    }
    it.assert_here("40", "0");
}

#[test]
fn s051_a_use_that_is_about_to_be_freed_is_not_taken_for_the_next_one() {
    let mut it = Credited::new();
    it.uses("stp1", "0", "40.00");
    it.world.sync();
    assert_eq!(it.here().1, Amount::ZERO);
    let second = it.uses("stp2", "0", "40.00");
    let outcome = it.world.rest("bill-payments", &second);
    assert_eq!(outcome.to_string(), "BLOCKED(over-applied)");
    // It is looked at again as soon as the credit changes.
    let credit = ledger(Kind::VendorCredit, "7");
    let waits = WaitsFor::Link("vendor-credits".into(), credit);
    assert_eq!(outcome.waits_for, Some(waits));
}

#[test]
fn s051_a_credit_taken_back_on_the_platform_is_free_again_in_the_ledger() {
    let (mut world, record) = with_credit("0", "40.00");
    moves_to(&mut world, &record, PaymentStatus::Voided);
    let Document::VendorCredit(credit) = world.at(&ledger(Kind::VendorCredit, "7")) else {
        panic!()
    };
    assert_eq!((credit.applications.len(), credit.open), (0, amount("40")));
    assert_eq!(state(&world, &record), "REVERSED(reversed)");
}

#[test]
fn s051_a_credit_used_beside_cash_is_taken_off_its_bill_once() {
    let (mut world, record) = with_credit("30.00", "10.00");
    let here = ledger(Kind::VendorCredit, "7");
    // As the ledger has it: the application is the credit's own, and no payment shows it.
    let applied = |what: &str| Application {
        document: "1".into(),
        line: None,
        amount: amount(what),
        discount: Amount::ZERO,
        credits: Vec::new(),
    };
    world.credit(&here, |it| it.applications = vec![applied("15.00")]);
    let posting = world.target("bill-payments", &record).unwrap();
    world.payment(&posting, |it| it.applications[0].credits.clear());
    assert_eq!(state(&world, &record), "DONE");
    moves_to(&mut world, &record, PaymentStatus::Voided);
    assert_eq!(state(&world, &record), "REVERSED(reversed)");
    let left = |world: &World| match world.at(&here) {
        Document::VendorCredit(credit) => credit.applications.clone(),
        _ => panic!(),
    };
    // What the payment used is free; what somebody applied beside it stays, and so does what comes later.
    assert_eq!(left(&world), [applied("5.00")]);
    world.credit(&here, |it| it.applications = vec![applied("15.00")]);
    world.sync();
    assert_eq!(left(&world), [applied("15.00")]);
}

#[test]
fn s049_s051_a_credit_that_the_ledger_gave_to_another_bill_of_the_payment_is_freed_there() {
    let mut world = World::new();
    let here = ledger(Kind::VendorCredit, "7");
    world.put(here.clone(), vendor_credit("VC-1", "40.00"));
    let (_, one) = world.sent("1", "INV-1", "100.00");
    let (_, two) = world.sent("2", "INV-2", "50.00");
    let there = world.target("vendor-credits", &here).unwrap();
    let mut it = payment(&[(&one, "100.00"), (&two, "10.00")]);
    it.applications[1].credits = vec![CreditUse {
        credit: there.id.clone(),
        amount: amount("40.00"),
    }];
    let record = world.pays("stp1", it);
    world.sync();
    let application = |document: &str, what: &str| Application {
        document: document.into(),
        line: None,
        amount: amount(what),
        discount: Amount::ZERO,
        credits: Vec::new(),
    };
    world.credit(&here, |it| {
        it.applications = vec![application("1", "40.00")]
    });
    let posting = world.target("bill-payments", &record).unwrap();
    world.payment(&posting, |it| {
        it.applications = vec![application("1", "60.00"), application("2", "50.00")];
    });
    assert_eq!(state(&world, &record), "DONE");
    moves_to(&mut world, &record, PaymentStatus::Voided);
    assert_eq!(state(&world, &record), "REVERSED(reversed)");
    let Document::VendorCredit(credit) = world.at(&here) else {
        panic!()
    };
    assert_eq!(credit.applications, []);
}

#[test]
fn a_credit_that_somebody_took_off_in_part_is_a_conflict() {
    let (mut world, record) = with_credit("30.00", "10.00");
    world.credit(&ledger(Kind::VendorCredit, "7"), |it| {
        it.applications = vec![Application {
            document: "1".into(),
            line: None,
            amount: amount("4.00"),
            discount: Amount::ZERO,
            credits: Vec::new(),
        }];
    });
    moves_to(&mut world, &record, PaymentStatus::Voided);
    assert_eq!(state(&world, &record), "CONFLICT(edited-by-hand)");
}

#[test]
fn s163_defaults_stand_on_postings_and_on_their_reversals() {
    let mut world = World::new();
    world.put(
        ledger(Kind::Department, "4"),
        Document::Dimension(Dimension {
            axis: Kind::Department,
            name: "Unclassified".into(),
            path: "Finance : Unclassified".into(),
            parent: None,
            inactive: false,
            subsidiaries: Vec::new(),
        }),
    );
    let preferences = &mut world.preferences.miscellaneous;
    preferences.default_department = "finance : unclassified".into();
    preferences.default_location = "9".into();
    let (_, there) = world.sent("1", "INV-1", "100.00");
    let record = world.pays("stp1", payment(&[(&there, "100.00")]));
    world.sync();
    let it = posted(&world, &record);
    let coding = (it.department, it.class, it.location);
    assert_eq!(coding, (Some("4".into()), None, Some("9".into())));
    moves_to(&mut world, &record, PaymentStatus::Voided);
    let journals = world.of(Side::Ledger, Kind::Journal);
    let Document::Journal(journal) = world.at(&journals[0]) else {
        panic!()
    };
    assert_eq!(journal.department, Some("4".into()));
    assert_eq!(journal.location, Some("9".into()));
}

#[test]
fn amounts_that_dont_add_up_are_never_posted() {
    let (world, record) = paid(|it| it.total = amount("100.01"));
    assert_eq!(
        (state(&world, &record).as_str(), postings(&world)),
        ("BLOCKED(total-mismatch)", 0)
    );
}

#[test]
fn a_bill_pending_approval_holds_its_payment() {
    let mut world = World::new();
    let (record, there) = world.sent("1", "INV-1", "100.00");
    world.bill(&record, |it| {
        it.status = tieout_domain::document::BillStatus::PendingApproval;
        it.approval = Approval::Pending;
    });
    let payment = world.pays("stp1", payment(&[(&there, "100.00")]));
    world.sync();
    assert_eq!(state(&world, &payment), "HOLD(pending-approval)");
}

#[test]
fn a_posting_is_known_again_by_its_external_id_and_still_reversed() {
    let (mut world, record) = paid(|_| {});
    world.links.retain(|link| link.flow != "bill-payments");
    world.sync();
    assert_eq!(
        (state(&world, &record).as_str(), postings(&world)),
        ("DONE", 1)
    );
    world.links.retain(|link| link.flow != "bill-payments");
    moves_to(&mut world, &record, PaymentStatus::Voided);
    reversed(&world, &record);
}
