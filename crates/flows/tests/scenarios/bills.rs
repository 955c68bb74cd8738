use tieout_domain::document::{Approval, BillStatus, Line, LineKind};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Kind, PeriodState, RecordRef, Side};
use tieout_flows::Decided;
use tieout_flows::preferences::PartlyPaid;

use crate::world::*;

fn bill_ref(id: &str) -> RecordRef {
    ledger(Kind::Bill, id)
}

/// A world in which one bill was booked and changed, and everything was synced.
fn with(change: impl FnOnce(&mut tieout_domain::document::Bill)) -> World {
    let mut world = World::new();
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.bill(&bill_ref("1"), change);
    world.sync();
    world
}

fn state(world: &World) -> String {
    world.state("bills", &bill_ref("1"))
}

fn lines(world: &mut World, amounts: &[&str]) {
    world.bill(&bill_ref("1"), |it| {
        it.lines = amounts.iter().map(|text| line(text)).collect();
        it.total = it.lines.iter().map(|line| line.amount).sum();
        it.open = it.total;
    });
}

/// A bill of these lines, sent.
fn lined(amounts: &[&str]) -> World {
    let mut world = World::new();
    world.put(bill_ref("1"), bill("INV-1", "1.00"));
    lines(&mut world, amounts);
    world.sync();
    world
}

fn there(world: &World) -> RecordRef {
    world.target("bills", &bill_ref("1")).unwrap()
}

/// A world with vendor 12 linked and a bill typed by hand on the platform.
fn with_typed(number: &str, total: &str) -> World {
    let mut world = World::new();
    world.put(platform(Kind::Vendor, "009"), vendor("Acme Ltd"));
    world.link(
        "vendors",
        ledger(Kind::Vendor, "12"),
        platform(Kind::Vendor, "009"),
    );
    world.put(platform(Kind::Bill, "00n1"), typed("009", number, total));
    world
}

#[test]
fn s033_approved_bill_is_created_once() {
    let mut world = World::new();
    let (record, there) = world.sent("4711", "INV-1", "100.00");
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Bill), 1);
    assert_eq!(world.state("bills", &record), "DONE");
    let there = world.bill_at(&there);
    assert_eq!(
        (there.number.as_str(), there.total),
        ("INV-1", amount("100"))
    );
    assert_eq!(there.lines[0].account.as_ref().unwrap().as_str(), "0ca58");
    assert_eq!(
        there.marker.as_ref().unwrap().to_string(),
        "ns:1234567_SB1:4711"
    );
}

#[test]
fn s034_a_bill_pending_approval_waits() {
    assert_eq!(
        state(&with(|it| it.status = BillStatus::PendingApproval)),
        "HOLD(pending-approval)"
    );
    assert!(with(|it| it.approval = Approval::Pending).writes.is_empty());
}

#[test]
fn s035_a_bill_rejected_or_cancelled_before_it_was_sent_is_dropped() {
    assert_eq!(
        state(&with(|it| it.status = BillStatus::Rejected)),
        "NOOP(rejected)"
    );
    assert_eq!(
        state(&with(|it| it.status = BillStatus::Cancelled)),
        "NOOP(cancelled)"
    );
}

#[test]
fn s036_an_edit_that_needs_approval_again_is_not_sent() {
    let mut world = with(|_| {});
    lines(&mut world, &["150.00"]);
    world.bill(&bill_ref("1"), |it| it.status = BillStatus::PendingApproval);
    world.sync();
    assert_eq!(state(&world), "HOLD(back-to-pending)");
    let there = there(&world);
    assert_eq!(world.bill_at(&there).total, amount("100"));
    world.bill(&there, |it| {
        (it.open, it.scheduled) = (Amount::ZERO, amount("100"))
    });
    assert_eq!(state(&world), "BLOCKED(pending-but-scheduled)");
}

#[test]
fn s037_the_platforms_approval_is_shown() {
    let mut world = with(|_| {});
    let there = there(&world);
    world.bill(&there, |it| it.approval = Approval::Pending);
    assert_eq!(state(&world), "DONE(awaits-approval-on-platform)");
}

#[test]
fn s038_a_bill_denied_on_the_platform_is_reported() {
    let mut world = with(|_| {});
    let there = there(&world);
    world.bill(&there, |it| it.approval = Approval::Denied);
    assert_eq!(state(&world), "BLOCKED(denied-on-platform)");
}

#[test]
fn s039_s041_expense_item_and_tax_lines_all_go_and_the_total_is_the_bills() {
    let mut world = World::new();
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.bill(&bill_ref("1"), |it| {
        it.lines = vec![
            line("60.00"),
            Line {
                line_kind: LineKind::Item,
                ..line("35.00")
            },
            Line {
                line_kind: LineKind::Tax,
                ..line("5.00")
            },
        ];
    });
    world.sync();
    let there = world.bill_at(&there(&world)).clone();
    assert_eq!((there.lines.len(), there.total), (3, amount("100")));
}

#[test]
fn s041_a_bill_whose_visible_lines_lack_the_tax_is_not_sent() {
    assert_eq!(
        state(&with(|it| it.lines = vec![line("95.00")])),
        "BLOCKED(total-mismatch)"
    );
}

#[test]
fn s040_the_purchase_order_is_noted() {
    let world = with(|it| it.purchase_order = "PO-9".into());
    assert_eq!(world.bill_at(&there(&world)).purchase_order, "PO-9");
}

#[test]
fn s042_s043_s044_negative_and_tiny_lines_are_kept_exactly() {
    let world = lined(&["100.00", "-20.00", "0.01", "-0.03"]);
    let there = world.bill_at(&there(&world)).clone();
    assert_eq!(there.total, amount("79.98"));
    assert_eq!(
        there
            .lines
            .iter()
            .map(|line| line.amount)
            .collect::<Vec<_>>()[3],
        amount("-0.03")
    );
}

#[test]
fn s043_a_negative_line_goes_as_it_is() {
    assert_eq!(state(&lined(&["100.00", "-20.00"])), "DONE");
}

#[test]
fn s044_rounding_lines_are_exact() {
    let world = lined(&["10.01", "0.01", "-0.01"]);
    assert_eq!(world.bill_at(&there(&world)).total, amount("10.01"));
}

#[test]
fn s045_a_negative_bill_becomes_a_vendor_credit() {
    let world = lined(&["-30.00", "5.00"]);
    let there = there(&world);
    assert_eq!(there.kind, Kind::VendorCredit);
    let Document::VendorCredit(credit) = world.at(&there) else {
        panic!()
    };
    assert_eq!(credit.total, amount("25"));
    assert_eq!(state(&world), "DONE");
}

#[test]
fn s046_zero_is_skipped() {
    assert_eq!(state(&lined(&["10.00", "-10.00"])), "SKIPPED(zero)");
}

#[test]
fn s047_an_unapplied_vendor_credit_is_created() {
    let mut world = World::new();
    world.put(
        ledger(Kind::VendorCredit, "7"),
        vendor_credit("VC-1", "40.00"),
    );
    world.sync();
    assert_eq!(
        world.state("vendor-credits", &ledger(Kind::VendorCredit, "7")),
        "DONE"
    );
    assert_eq!(world.made(Side::Platform, Kind::VendorCredit), 1);
}

#[test]
fn s048_of_a_partly_applied_credit_at_most_the_rest_goes() {
    let record = ledger(Kind::VendorCredit, "7");
    let mut world = World::new();
    world.put(record.clone(), vendor_credit("VC-1", "40.00"));
    world.credit(&record, |it| it.open = amount("15"));
    world.sync();
    assert_eq!(
        world.state("vendor-credits", &record),
        "SKIPPED(partly-applied)"
    );
    world.preferences.transactions.partly_paid = PartlyPaid::Balance;
    world.sync();
    let Document::VendorCredit(there) = world.at(&world.target("vendor-credits", &record).unwrap())
    else {
        panic!()
    };
    assert_eq!(there.total, amount("15"));
    assert_eq!(world.state("vendor-credits", &record), "DONE");
    world.credit(&record, |it| it.open = Amount::ZERO);
    let mut other = World::new();
    other.put(record.clone(), vendor_credit("VC-1", "40.00"));
    other.credit(&record, |it| it.open = Amount::ZERO);
    other.sync();
    assert_eq!(
        other.state("vendor-credits", &record),
        "SKIPPED(applied-at-cut-over)"
    );
}

#[test]
fn s048_what_is_applied_in_the_ledger_alone_of_a_credit_that_came_with_its_balance_is_asked_about()
{
    let record = ledger(Kind::VendorCredit, "7");
    let mut world = World::new();
    world.preferences.transactions.partly_paid = PartlyPaid::Balance;
    world.put(record.clone(), vendor_credit("VC-1", "40.00"));
    world.credit(&record, |it| it.open = amount("15"));
    world.sync();
    assert_eq!(world.state("vendor-credits", &record), "DONE");
    world.credit(&record, |it| it.open = amount("10"));
    let outcome = world.rest("vendor-credits", &record);
    assert_eq!(outcome.to_string(), "BLOCKED(credit-applied-in-ledger)");
    assert!(
        outcome.cause.contains("10 left") && outcome.cause.contains("15 on"),
        "{}",
        outcome.cause
    );
    // What the platform alone has used is on its way.
    world.credit(&record, |it| it.open = amount("15"));
    let there = world.target("vendor-credits", &record).unwrap();
    world.credit(&there, |it| it.open = amount("10"));
    assert_eq!(world.state("vendor-credits", &record), "DONE");
}

#[test]
fn s052_a_credit_is_never_archived_without_a_person() {
    let record = ledger(Kind::VendorCredit, "7");
    let mut world = World::new();
    world.put(record.clone(), vendor_credit("VC-1", "40.00"));
    world.sync();
    world.delete(&record);
    world.sync();
    assert_eq!(
        world.state("vendor-credits", &record),
        "BLOCKED(credit-deleted)"
    );
    world.decide("vendor-credits", record.clone(), accept("credit-deleted"));
    world.sync();
    assert_eq!(world.writes.last().unwrap().action, Action::Archive);
    assert_eq!(
        world.state("vendor-credits", &record),
        "NOOP(closed-on-both-sides)"
    );
}

#[test]
fn s053_a_foreign_bill_goes_in_its_own_currency() {
    let mut world = World::new();
    let euro = "EUR".parse().unwrap();
    world.preferences.transactions.currencies = vec![euro];
    world.vendor(&ledger(Kind::Vendor, "12"), |it| it.currency = Some(euro));
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.bill(&bill_ref("1"), |it| it.currency = euro);
    world.sync();
    let there = world.bill_at(&there(&world));
    assert_eq!((there.currency, there.total), (euro, amount("100")));
}

#[test]
fn s054_a_partly_paid_bill_is_skipped_or_goes_as_its_balance() {
    let mut world = with(|it| it.open = amount("30"));
    assert_eq!(state(&world), "SKIPPED(partly-paid)");
    world.preferences.transactions.partly_paid = PartlyPaid::Balance;
    world.sync();
    let there = world.bill_at(&there(&world)).clone();
    assert_eq!((there.total, there.lines.len()), (amount("30"), 1));
    assert!(there.lines[0].memo.contains("100"));
    assert_eq!(state(&world), "DONE");
}

#[test]
fn s055_a_paid_bill_is_never_sent() {
    let world = with(|it| (it.open, it.status) = (Amount::ZERO, BillStatus::Paid));
    assert_eq!(state(&world), "SKIPPED(paid-at-cut-over)");
    assert!(world.writes.is_empty());
}

#[test]
fn s057_a_new_due_date_is_sent_while_unpaid_and_noted_once_scheduled() {
    let mut world = with(|_| {});
    let there = there(&world);
    world.bill(&bill_ref("1"), |it| it.due = Some(day("2026-08-01")));
    world.sync();
    assert_eq!(world.bill_at(&there).due, Some(day("2026-08-01")));
    world.bill(&there, |it| {
        (it.open, it.scheduled) = (Amount::ZERO, amount("100"))
    });
    world.bill(&bill_ref("1"), |it| it.due = Some(day("2026-09-01")));
    let writes = world.writes.len();
    world.sync();
    assert_eq!(
        (world.writes.len(), state(&world).as_str()),
        (writes, "NOOP(edited-after-payment)")
    );
}

#[test]
fn s058_a_new_amount_is_sent_with_the_lines_ids() {
    let mut world = with(|_| {});
    let there = there(&world);
    world.bill(&there, |it| it.lines[0].id = Some("bli1".into()));
    lines(&mut world, &["80.00", "40.00"]);
    world.sync();
    let now = world.bill_at(&there);
    assert_eq!((now.total, now.lines.len()), (amount("120"), 2));
    assert_eq!(now.lines[0].id.as_ref().unwrap().as_str(), "bli1");
    assert_eq!(state(&world), "DONE");
}

#[test]
fn s059_an_amount_edited_while_a_payment_is_scheduled_is_a_conflict() {
    let mut world = with(|_| {});
    let there = there(&world);
    world.bill(&there, |it| {
        (it.open, it.scheduled) = (Amount::ZERO, amount("100"))
    });
    lines(&mut world, &["90.00"]);
    assert_eq!(state(&world), "CONFLICT(amount-edited-while-scheduled)");
}

#[test]
fn s060_an_amount_below_what_was_paid_is_an_overpayment() {
    let mut world = with(|_| {});
    let there = there(&world);
    world.bill(&there, |it| it.open = amount("20"));
    lines(&mut world, &["70.00"]);
    assert_eq!(state(&world), "BLOCKED(over-payment)");
}

#[test]
fn s060_an_amount_edited_after_payment_is_a_conflict_also_where_its_coding_has_no_counterpart() {
    for (open, scheduled, total, expected) in [
        ("0", "0", "140.00", "CONFLICT(amount-edited-after-payment)"),
        ("0", "0", "70.00", "BLOCKED(over-payment)"),
        (
            "0",
            "100",
            "140.00",
            "CONFLICT(amount-edited-while-scheduled)",
        ),
        ("100", "0", "140.00", "BLOCKED(unmapped-account)"),
        ("0", "0", "100.00", "DONE"),
    ] {
        let mut world = with(|_| {});
        let there = there(&world);
        world.bill(&there, |it| {
            (it.open, it.scheduled) = (amount(open), amount(scheduled));
        });
        world.put(
            ledger(Kind::Account, "59"),
            account(
                "6020",
                "Rail",
                tieout_domain::document::AccountKind::Expense,
            ),
        );
        lines(&mut world, &[total]);
        world.bill(&bill_ref("1"), |it| {
            it.lines[0].account = Some("59".into());
        });
        assert_eq!(state(&world), expected, "{open} {scheduled} {total}");
    }
}

#[test]
fn s061_new_coding_is_sent_while_unpaid_and_no_matter_afterwards() {
    let mut world = with(|_| {});
    world.put(
        ledger(Kind::Account, "59"),
        account(
            "6020",
            "Rail",
            tieout_domain::document::AccountKind::Expense,
        ),
    );
    world.map(Kind::Account, "59", "0ca59");
    world.bill(&bill_ref("1"), |it| it.lines[0].account = Some("59".into()));
    world.sync();
    let there = there(&world);
    assert_eq!(
        world.bill_at(&there).lines[0]
            .account
            .as_ref()
            .unwrap()
            .as_str(),
        "0ca59"
    );
    world.bill(&there, |it| it.open = Amount::ZERO);
    world.bill(&bill_ref("1"), |it| it.lines[0].account = Some("58".into()));
    world.sync();
    assert_eq!(state(&world), "NOOP(edited-after-payment)");
}

#[test]
fn s062_a_new_date_or_period_is_no_matter_of_payment() {
    let mut world = with(|_| {});
    world.bill(&bill_ref("1"), |it| {
        (it.date, it.period) = (day("2026-05-30"), Some("p5".into()))
    });
    let writes = world.writes.len();
    world.sync();
    assert_eq!(
        (world.writes.len(), state(&world).as_str()),
        (writes, "NOOP(not-material)")
    );
}

#[test]
fn s063_a_new_vendor_means_archive_and_create_if_no_money_moved() {
    let mut world = with(|_| {});
    let old = there(&world);
    world.put(ledger(Kind::Vendor, "13"), vendor("Other Inc"));
    world.bill(&bill_ref("1"), |it| it.vendor = "13".into());
    world.sync();
    let new = there(&world);
    assert_ne!(old, new);
    assert_eq!(world.bill_at(&old).status, BillStatus::Archived);
    assert_eq!(state(&world), "DONE");
    assert_eq!(world.state("bills", &old), "SKIPPED(archived)");
    world.bill(&new, |it| it.open = amount("1"));
    world.bill(&bill_ref("1"), |it| it.vendor = "12".into());
    world.sync();
    assert_eq!(state(&world), "BLOCKED(vendor-changed)");
}

/// The store was put back from before the bill was made anew for its new vendor: the link leads to the old one still.
#[test]
fn s063_s225_what_was_made_for_the_new_vendor_is_found_by_its_mark_and_not_made_again() {
    let mut world = with(|_| {});
    let before = world.links.clone();
    world.put(ledger(Kind::Vendor, "13"), vendor("Other Inc"));
    world.bill(&bill_ref("1"), |it| it.vendor = "13".into());
    world.sync();
    let (new, writes) = (there(&world), world.writes.len());
    world.links.retain(|link| link.flow != "bills");
    world
        .links
        .extend(before.into_iter().filter(|link| link.flow == "bills"));
    assert_ne!(there(&world), new);
    world.sync();
    assert_eq!((there(&world), world.writes.len()), (new, writes));
    assert_eq!(state(&world), "DONE");
}

/// A person archived the bill on the platform and typed it in for its new vendor.
#[test]
fn s063_s078_what_a_person_made_for_the_new_vendor_is_taken_and_not_made_again() {
    let mut world = with(|_| {});
    let old = there(&world);
    world.put(ledger(Kind::Vendor, "13"), vendor("Other Inc"));
    world.put(ledger(Kind::Bill, "2"), bill("INV-2", "5.00"));
    world.bill(&bill_ref("2"), |it| it.vendor = "13".into());
    world.sync();
    let other = world
        .target("vendors", &ledger(Kind::Vendor, "13"))
        .unwrap();
    world.bill(&old, |it| it.status = BillStatus::Archived);
    let mut typed = world.bill_at(&old).clone();
    (typed.vendor, typed.marker) = (other.id, None);
    typed.status = BillStatus::Open;
    let typed_in = platform(Kind::Bill, "00ntyped");
    world.put(typed_in.clone(), Document::Bill(typed));
    world.bill(&bill_ref("1"), |it| it.vendor = "13".into());
    let writes = world.writes.len();
    world.sync();
    assert_eq!((there(&world), world.writes.len()), (typed_in, writes));
    assert_eq!(state(&world), "DONE");
}

#[test]
fn s064_a_deleted_bill_is_archived_while_unpaid() {
    let mut world = with(|_| {});
    world.delete(&bill_ref("1"));
    world.sync();
    assert_eq!(world.bill_at(&there(&world)).status, BillStatus::Archived);
    assert_eq!(state(&world), "NOOP(closed-on-both-sides)");
}

#[test]
fn s065_a_deleted_bill_with_money_on_it_is_a_persons_matter() {
    let mut world = with(|_| {});
    let there = there(&world);
    world.bill(&there, |it| {
        (it.open, it.scheduled) = (Amount::ZERO, amount("100"))
    });
    world.delete(&bill_ref("1"));
    world.sync();
    assert_eq!(state(&world), "BLOCKED(paid-bill-deleted)");
}

#[test]
fn s066_a_voided_bill_is_archived_with_its_number_kept() {
    let mut world = with(|_| {});
    world.bill(&bill_ref("1"), |it| {
        it.status = BillStatus::Voided;
        (it.total, it.open) = (Amount::ZERO, Amount::ZERO);
        it.lines.clear();
    });
    world.sync();
    let there = world.bill_at(&there(&world));
    assert_eq!(
        (&there.status, there.number.as_str(), there.total),
        (&BillStatus::Archived, "INV-1", amount("100"))
    );
}

#[test]
fn s067_s068_a_bill_archived_on_the_platform_is_asked_about_and_never_made_again() {
    let mut world = with(|_| {});
    let there = there(&world);
    world.bill(&there, |it| it.status = BillStatus::Archived);
    world.sync();
    assert_eq!(state(&world), "BLOCKED(archived-on-platform)");
    assert_eq!(world.made(Side::Platform, Kind::Bill), 1);
    world.decide("bills", bill_ref("1"), accept("archived-on-platform"));
    world.sync();
    assert_eq!(world.bill_at(&there).status, BillStatus::Open);
}

#[test]
fn s067_a_yes_to_one_warning_is_none_to_the_next() {
    let mut world = with(|_| {});
    let there = there(&world);
    world.bill(&there, |it| it.status = BillStatus::Archived);
    world.sync();
    world.decide("bills", bill_ref("1"), accept("archived-on-platform"));
    world.sync();
    assert_eq!(state(&world), "DONE");
    world.bill(&there, |it| {
        (it.total, it.open) = (amount("90"), amount("90"));
        it.lines[0].amount = amount("90");
    });
    world.sync();
    assert_eq!(state(&world), "BLOCKED(amount-changed-on-platform)");
    assert_eq!(world.bill_at(&there).total, amount("90"));
}

#[test]
fn s068_a_bill_restored_on_the_platform_is_the_same_bill() {
    let mut world = with(|_| {});
    let there = there(&world);
    world.bill(&there, |it| it.status = BillStatus::Archived);
    world.sync();
    world.bill(&there, |it| it.status = BillStatus::Open);
    world.sync();
    assert_eq!(state(&world), "DONE");
}

fn two(first: (&str, &str), second: (&str, &str)) -> World {
    let mut world = World::new();
    world.put(bill_ref("1"), bill(first.0, first.1));
    world.put(bill_ref("2"), bill(second.0, second.1));
    world.sync();
    world
}

#[test]
fn s069_the_second_bill_of_one_number_is_stopped() {
    let mut world = two(("INV-1", "100.00"), ("INV-1", "100.00"));
    assert_eq!(state(&world), "DONE");
    assert_eq!(
        world.state("bills", &bill_ref("2")),
        "BLOCKED(possible-duplicate)"
    );
    world.decide("bills", bill_ref("2"), Decided::Create);
    world.sync();
    assert_eq!(world.state("bills", &bill_ref("2")), "DONE");
}

#[test]
fn s069_an_accepted_instalment_goes() {
    let mut world = two(("INV-1", "100.00"), ("INV-1", "50.00"));
    assert_eq!(
        world.state("bills", &bill_ref("2")),
        "BLOCKED(possible-duplicate)"
    );
    world.decide("bills", bill_ref("2"), Decided::Create);
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Bill), 2);
}

#[test]
fn s070_nearly_the_same_number_and_amount_is_stopped_but_not_another_amount() {
    for (a, b) in [("10 FF", "10FF"), ("022589801001", "22589801001")] {
        assert_eq!(
            two((a, "5.00"), (b, "5.00")).state("bills", &bill_ref("2")),
            "BLOCKED(possible-duplicate)"
        );
        assert_eq!(
            two((a, "5.00"), (b, "6.00")).made(Side::Platform, Kind::Bill),
            2
        );
    }
    assert_eq!(
        two(("INV-1", "5.00"), ("1", "5.00")).made(Side::Platform, Kind::Bill),
        2
    );
}

#[test]
fn s071_the_same_number_of_two_vendors_is_fine() {
    let mut world = World::new();
    world.put(ledger(Kind::Vendor, "13"), vendor("Other Inc"));
    world.put(bill_ref("1"), bill("INV-1", "5.00"));
    world.put(bill_ref("2"), bill("INV-1", "5.00"));
    world.bill(&bill_ref("2"), |it| it.vendor = "13".into());
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Bill), 2);
}

#[test]
fn s072_odd_numbers_are_kept_byte_for_byte() {
    for number in [
        "2.86E+11",
        "0910*001",
        "LS08001:8/4",
        "1014684228+101421992",
        "15NOV-12DEC",
        "007",
    ] {
        let world = with(|it| it.number = number.into());
        assert_eq!(world.bill_at(&there(&world)).number, number);
    }
}

#[test]
fn s073_a_blank_number_gets_the_same_substitute_each_time() {
    let mut world = with(|it| it.number = " ".into());
    assert_eq!(world.bill_at(&there(&world)).number, "NS-1");
    world.put(bill_ref("2"), bill("", "100.00"));
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Bill), 2);
}

#[test]
fn s074_all_lines_of_a_long_bill_go() {
    let world = lined(&vec!["1.01"; 156]);
    let there = world.bill_at(&there(&world));
    assert_eq!((there.lines.len(), there.total), (156, amount("157.56")));
}

#[test]
fn s075_a_long_memo_is_cut_and_leaves_room_for_the_mark() {
    let mut world = with(|it| it.memo = "ü\n".repeat(4000));
    let there = world.bill_at(&there(&world)).clone();
    let mark = there.marker.unwrap().to_string().chars().count();
    assert!(there.memo.chars().count() + mark < 4000);
    world.sync();
    assert_eq!(state(&world), "DONE");
}

#[test]
fn s078_a_bill_typed_on_the_platform_is_adopted() {
    let mut world = with_typed("INV-1", "100.00");
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Bill), 0);
    assert_eq!(there(&world).id.as_str(), "00n1");
    assert_eq!(state(&world), "DONE");
}

#[test]
fn s078_differences_are_a_conflict_and_likenesses_a_question() {
    let mut world = with_typed("INV-1", "110.00");
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.sync();
    assert_eq!(state(&world), "CONFLICT(adopt-differs)");
    let mut world = with_typed("inv 1", "100.00");
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.sync();
    assert_eq!(state(&world), "BLOCKED(resembles)");
    world.decide(
        "bills",
        bill_ref("1"),
        Decided::Link(platform(Kind::Bill, "00n1")),
    );
    world.sync();
    assert_eq!(there(&world).id.as_str(), "00n1");
}

#[test]
fn s078_a_paid_candidate_is_never_linked_unseen() {
    let mut world = with_typed("INV-1", "100.00");
    world.bill(&platform(Kind::Bill, "00n1"), |it| it.open = amount("40"));
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.sync();
    assert_eq!(state(&world), "BLOCKED(adopt-paid)");
    assert!(world.rest("bills", &bill_ref("1")).cause.contains("60"));
}

#[test]
fn s079_a_bill_on_the_platform_only_is_an_orphan() {
    let mut world = with_typed("INV-9", "100.00");
    world.sync();
    assert_eq!(
        world.state("bills", &platform(Kind::Bill, "00n1")),
        "ORPHAN(only-on-platform)"
    );
    world.decide("bills", platform(Kind::Bill, "00n1"), Decided::Ignore);
    world.sync();
    assert_eq!(
        world.state("bills", &platform(Kind::Bill, "00n1")),
        "SKIPPED(ignored)"
    );
}

#[test]
fn s080_two_for_one_is_for_a_person() {
    let mut world = with_typed("INV-1", "100.00");
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.put(bill_ref("2"), bill("INV-1", "100.00"));
    world.sync();
    assert_eq!(state(&world), "BLOCKED(ambiguous-match)");
    assert_eq!(
        world.state("bills", &bill_ref("2")),
        "BLOCKED(ambiguous-match)"
    );
    let mut world = with_typed("INV-1", "100.00");
    world.put(
        platform(Kind::Bill, "00n2"),
        typed("009", "INV-1", "100.00"),
    );
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.sync();
    assert_eq!(state(&world), "BLOCKED(ambiguous-match)");
}

#[test]
fn s081_s082_the_period_of_a_bill_doesnt_keep_it_from_being_paid() {
    let mut world = World::new();
    world
        .periods
        .iter_mut()
        .for_each(|period| period.payables = PeriodState::Closed);
    world.sent("1", "INV-1", "100.00");
    assert_eq!(state(&world), "DONE");
}

#[test]
fn s084_instalment_terms_make_one_bill_with_the_first_due_date() {
    let world = with(|it| it.due = Some(day("2026-06-15")));
    assert_eq!(world.made(Side::Platform, Kind::Bill), 1);
    assert_eq!(world.bill_at(&there(&world)).due, Some(day("2026-06-15")));
}

#[test]
fn s087_a_bill_that_recurs_each_month_is_no_duplicate() {
    assert_eq!(
        two(("RENT-05", "900.00"), ("RENT-06", "900.00")).made(Side::Platform, Kind::Bill),
        2
    );
}

#[test]
fn s091_forty_blocked_bills_are_one_cause_and_all_go_once_it_is_mapped() {
    let mut world = World::new();
    world.put(
        ledger(Kind::Account, "59"),
        account(
            "6020",
            "Rail",
            tieout_domain::document::AccountKind::Expense,
        ),
    );
    for id in 1..=40 {
        let record = bill_ref(&id.to_string());
        world.put(record.clone(), bill(&format!("N-{id}x"), "1.00"));
        world.bill(&record, |it| it.lines[0].account = Some("59".into()));
    }
    world.sync();
    let groups: std::collections::BTreeSet<_> = world
        .outcomes
        .values()
        .filter(|outcome| outcome.state.needs_a_person())
        .map(|outcome| outcome.group.clone())
        .collect();
    assert_eq!(
        groups.into_iter().collect::<Vec<_>>(),
        ["unmapped-account:59"]
    );
    assert_eq!(
        world.state("accounts", &ledger(Kind::Account, "59")),
        "BLOCKED(unmapped-account)"
    );
    world.map(Kind::Account, "59", "0ca59");
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Bill), 40);
}

#[test]
fn s092_bills_from_before_the_cut_over_stay_out() {
    let mut world = World::new();
    world
        .preferences
        .set("transactions.bills_from", "2026-06-02")
        .unwrap();
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.sync();
    assert_eq!(state(&world), "SKIPPED(before-cut-over)");
}

#[test]
fn s155_an_inactive_account_of_an_open_bill_is_used_as_mapped() {
    let mut world = World::new();
    world.account(&ledger(Kind::Account, "58"), |it| it.inactive = true);
    world.sent("1", "INV-1", "100.00");
    assert_eq!(state(&world), "DONE");
}

#[test]
fn s156_an_account_archived_on_the_platform_is_one_question() {
    let mut world = World::new();
    world.account(&platform(Kind::Account, "0ca58"), |it| it.inactive = true);
    world.put(bill_ref("1"), bill("INV-1", "100.00"));
    world.sync();
    assert_eq!(state(&world), "BLOCKED(mapped-to-archived)");
    assert_eq!(
        world.state("accounts", &ledger(Kind::Account, "58")),
        "BLOCKED(mapped-to-archived)"
    );
    world.account(&platform(Kind::Account, "0ca58"), |it| it.inactive = false);
    world.sync();
    assert_eq!(state(&world), "DONE");
}

#[test]
fn s162_the_control_account_never_stands_on_a_line() {
    assert_eq!(
        state(&with(|it| it.lines[0].account = Some("20".into()))),
        "BLOCKED(control-account-on-line)"
    );
}

#[test]
fn s169_nothing_is_ever_written_to_the_ledgers_bills() {
    let flows = tieout_flows::payables();
    assert!(
        flows
            .iter()
            .flat_map(|flow| flow.writes())
            .all(|it| *it != (Side::Ledger, Kind::Bill))
    );
}

#[test]
fn s226_a_lost_memory_is_rebuilt_from_the_marks() {
    let mut world = with(|_| {});
    let there = there(&world);
    world.links.retain(|link| link.flow != "bills");
    world.bill(&there, |it| it.open = amount("40"));
    world.sync();
    assert_eq!(world.target("bills", &bill_ref("1")), Some(there));
    assert_eq!(world.made(Side::Platform, Kind::Bill), 1);
}

#[test]
fn an_amount_changed_on_the_platform_is_never_overwritten_unseen() {
    let mut world = with(|_| {});
    let there = there(&world);
    world.bill(&there, |it| {
        (it.total, it.open) = (amount("120"), amount("120"));
        it.lines[0].amount = amount("120");
    });
    assert_eq!(state(&world), "BLOCKED(amount-changed-on-platform)");
    lines(&mut world, &["130.00"]);
    assert_eq!(state(&world), "CONFLICT(both-changed)");
}

#[test]
fn a_named_credit_that_is_another_s_is_not_linked() {
    let mut world = World::new();
    let (first, second) = (
        ledger(Kind::VendorCredit, "7"),
        ledger(Kind::VendorCredit, "8"),
    );
    world.put(first.clone(), vendor_credit("VC-7", "50.00"));
    world.sync();
    let taken = world.target("vendor-credits", &first).unwrap();
    world.put(second.clone(), vendor_credit("VC-8", "50.00"));
    world.decide(
        "vendor-credits",
        second.clone(),
        Decided::Link(taken.clone()),
    );
    world.sync();
    assert_eq!(
        world.state("vendor-credits", &second),
        "BLOCKED(link-refused)"
    );
    assert_eq!(world.target("vendor-credits", &second), None);
    assert_eq!(world.target("vendor-credits", &first), Some(taken));
}
