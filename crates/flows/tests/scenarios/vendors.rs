use tieout_domain::document::{Address, BillStatus, Vendor};
use tieout_domain::{Currency, Document, Kind, Side, State};
use tieout_flows::Decided;

use crate::world::*;

fn there(world: &World, id: &str) -> Vendor {
    let target = world.target("vendors", &ledger(Kind::Vendor, id)).unwrap();
    let Document::Vendor(vendor) = world.at(&target) else {
        panic!()
    };
    vendor.clone()
}

#[test]
fn s001_a_vendor_is_made_just_before_its_first_bill() {
    let mut world = World::new();
    world.sync();
    assert_eq!(
        world.state("vendors", &ledger(Kind::Vendor, "12")),
        "SKIPPED(not-used)"
    );
    let (bill, there) = world.sent("4711", "INV-1", "100.00");
    assert_eq!(world.writes[0].document.kind(), Kind::Vendor);
    assert_eq!(world.writes[1].document.kind(), Kind::Bill);
    assert_eq!(
        world.bill_at(&there).vendor,
        world
            .target("vendors", &ledger(Kind::Vendor, "12"))
            .unwrap()
            .id
    );
    assert_eq!(world.state("bills", &bill), "DONE");
    assert_eq!(world.state("vendors", &ledger(Kind::Vendor, "12")), "DONE");
}

#[test]
fn s002_a_vendor_typed_by_hand_is_linked_only_if_two_strong_keys_agree() {
    let mut world = World::new();
    world.put(platform(Kind::Vendor, "009a"), vendor("ACME  ltd"));
    world.sent("4711", "INV-1", "100.00");
    assert_eq!(world.made(Side::Platform, Kind::Vendor), 0);
    assert_eq!(
        world
            .target("vendors", &ledger(Kind::Vendor, "12"))
            .unwrap()
            .id
            .as_str(),
        "009a"
    );

    let mut world = World::new();
    world.put(platform(Kind::Vendor, "009a"), vendor("Acme Ltd"));
    world.vendor(&platform(Kind::Vendor, "009a"), |it| {
        it.tax_id_last4 = "9999".into();
        it.account_number.clear();
    });
    world.put(ledger(Kind::Bill, "4711"), bill("INV-1", "100.00"));
    world.sync();
    let vendor = ledger(Kind::Vendor, "12");
    assert_eq!(world.state("vendors", &vendor), "BLOCKED(choose-vendor)");
    assert_eq!(world.made(Side::Platform, Kind::Vendor), 0);
    world.decide(
        "vendors",
        vendor.clone(),
        Decided::Link(platform(Kind::Vendor, "009a")),
    );
    world.sync();
    assert_eq!(world.state("bills", &ledger(Kind::Bill, "4711")), "DONE");
}

#[test]
fn s003_namesakes_stay_two_vendors() {
    let mut world = World::new();
    world.put(ledger(Kind::Vendor, "13"), vendor("ACME LTD"));
    world.vendor(&ledger(Kind::Vendor, "13"), |it| it.number = "V-13".into());
    world.put(ledger(Kind::Bill, "1"), bill("A", "1.00"));
    world.put(ledger(Kind::Bill, "2"), bill("B", "2.00"));
    world.bill(&ledger(Kind::Bill, "2"), |it| it.vendor = "13".into());
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Vendor), 2);
    assert_eq!(
        (
            there(&world, "12").name.as_str(),
            there(&world, "13").name.as_str()
        ),
        ("Acme Ltd", "ACME LTD (V-13)")
    );
}

#[test]
fn s004_a_renamed_vendor_is_renamed_in_place() {
    let mut world = World::new();
    world.sent("1", "A", "1.00");
    world.vendor(&ledger(Kind::Vendor, "12"), |it| {
        it.name = "Acme Group".into()
    });
    world.sync();
    assert_eq!(there(&world, "12").name, "Acme Group");
    assert_eq!(there(&world, "12").payee, None);
    assert_eq!(world.made(Side::Platform, Kind::Vendor), 1);
}

#[test]
fn s005_a_rename_on_the_platform_is_shown_and_never_loops() {
    let mut world = World::new();
    world.sent("1", "A", "1.00");
    let target = world
        .target("vendors", &ledger(Kind::Vendor, "12"))
        .unwrap();
    world.vendor(&target, |it| it.name = "Acme, Inc.".into());
    let writes = world.writes.len();
    world.sync();
    assert_eq!(world.writes.len(), writes);
    assert_eq!(
        world.state("vendors", &ledger(Kind::Vendor, "12")),
        "NOOP(platform-drift)"
    );
    world.vendor(&ledger(Kind::Vendor, "12"), |it| it.phone = "555".into());
    world.sync();
    assert_eq!(there(&world, "12").name, "Acme Ltd");
}

#[test]
fn s006_a_merged_vendor_is_never_archived_under_open_bills() {
    let mut world = World::new();
    world.sent("1", "A", "1.00");
    world.delete(&ledger(Kind::Vendor, "12"));
    world.sync();
    assert_eq!(
        world.state("vendors", &ledger(Kind::Vendor, "12")),
        "BLOCKED(vendor-merged)"
    );
    assert!(!there(&world, "12").inactive);
}

#[test]
fn s007_an_inactive_vendor_without_open_bills_is_archived() {
    let mut world = World::new();
    let (_, bill_there) = world.sent("1", "A", "1.00");
    world.bill(&bill_there, |it| {
        (it.open, it.status) = (amount("0"), BillStatus::Paid)
    });
    world.bill(&ledger(Kind::Bill, "1"), |it| {
        (it.open, it.status) = (amount("0"), BillStatus::Paid)
    });
    world.vendor(&ledger(Kind::Vendor, "12"), |it| it.inactive = true);
    world.sync();
    assert!(there(&world, "12").inactive);
    assert_eq!(world.state("vendors", &ledger(Kind::Vendor, "12")), "DONE");
}

#[test]
fn s008_an_inactive_vendor_with_open_bills_waits() {
    let mut world = World::new();
    world.sent("1", "A", "1.00");
    world.vendor(&ledger(Kind::Vendor, "12"), |it| it.inactive = true);
    world.sync();
    assert!(!there(&world, "12").inactive);
    assert_eq!(
        world.state("vendors", &ledger(Kind::Vendor, "12")),
        "HOLD(vendor-has-open-bills)"
    );
}

#[test]
fn s009_a_vendor_archived_on_the_platform_is_restored_with_one_yes() {
    let mut world = World::new();
    world.sent("1", "A", "1.00");
    let target = world
        .target("vendors", &ledger(Kind::Vendor, "12"))
        .unwrap();
    world.vendor(&target, |it| it.inactive = true);
    world.put(ledger(Kind::Bill, "2"), bill("B", "2.00"));
    world.sync();
    assert_eq!(
        world.state("vendors", &ledger(Kind::Vendor, "12")),
        "BLOCKED(vendor-archived)"
    );
    assert_eq!(
        world.state("bills", &ledger(Kind::Bill, "2")),
        "BLOCKED(vendor-archived)"
    );
    assert_eq!(world.made(Side::Platform, Kind::Vendor), 1);
    world.decide(
        "vendors",
        ledger(Kind::Vendor, "12"),
        accept("vendor-archived"),
    );
    world.sync();
    assert_eq!(world.state("bills", &ledger(Kind::Bill, "2")), "DONE");
    assert_eq!(world.made(Side::Platform, Kind::Vendor), 1);
}

#[test]
fn s010_a_vendor_that_is_active_again_is_restored() {
    let mut world = World::new();
    let (record, bill_there) = world.sent("1", "A", "1.00");
    for it in [&record, &bill_there] {
        world.bill(it, |it| {
            (it.open, it.status) = (amount("0"), BillStatus::Paid)
        });
    }
    world.vendor(&ledger(Kind::Vendor, "12"), |it| it.inactive = true);
    world.sync();
    world.vendor(&ledger(Kind::Vendor, "12"), |it| it.inactive = false);
    world.sync();
    assert!(!there(&world, "12").inactive);
    assert_eq!(world.made(Side::Platform, Kind::Vendor), 1);
}

#[test]
fn s011_a_deleted_vendor_is_archived_and_its_link_stays() {
    let mut world = World::new();
    let (record, bill_there) = world.sent("1", "A", "1.00");
    world.bill(&bill_there, |it| {
        (it.open, it.status) = (amount("0"), BillStatus::Paid)
    });
    world.bill(&record, |it| {
        (it.open, it.status) = (amount("0"), BillStatus::Paid)
    });
    world.sync();
    world.delete(&ledger(Kind::Vendor, "12"));
    world.sync();
    assert!(there(&world, "12").inactive);
}

#[test]
fn s014_a_self_managed_vendor_is_left_alone_and_its_bills_go_on() {
    let mut world = World::new();
    world.sent("1", "A", "1.00");
    let target = world
        .target("vendors", &ledger(Kind::Vendor, "12"))
        .unwrap();
    world.vendor(&target, |it| it.self_managed = true);
    world.vendor(&ledger(Kind::Vendor, "12"), |it| {
        it.email = "new@acme.example".into()
    });
    let (bill, _) = world.sent("2", "B", "2.00");
    assert_eq!(
        world.state("vendors", &ledger(Kind::Vendor, "12")),
        "NOOP(self-managed)"
    );
    assert_eq!(world.state("bills", &bill), "DONE");
}

#[test]
fn s015_nothing_is_ever_written_to_the_ledgers_vendors() {
    let flows = tieout_flows::payables();
    let writes = flows.iter().flat_map(|flow| flow.writes());
    assert!(
        writes
            .into_iter()
            .all(|it| *it != (Side::Ledger, Kind::Vendor))
    );
}

#[test]
fn s031_s018_a_vendor_out_of_scope_gets_no_new_bills_but_keeps_its_link() {
    let mut world = World::new();
    let (_, there) = world.sent("1", "A", "1.00");
    world.vendor(&ledger(Kind::Vendor, "12"), |it| {
        it.category = "Intercompany".into()
    });
    world.put(ledger(Kind::Bill, "2"), bill("B", "2.00"));
    world.sync();
    assert_eq!(
        world.state("bills", &ledger(Kind::Bill, "2")),
        "SKIPPED(out-of-scope)"
    );
    let payment = world.pays("stp1", payment(&[(&there, "1.00")]));
    world.sync();
    assert_eq!(world.state("bill-payments", &payment), "DONE");
}

#[test]
fn s018_a_vendor_of_another_subsidiary_keeps_its_old_bills() {
    let mut world = World::new();
    let (old, _) = world.sent("1", "A", "1.00");
    world.vendor(&ledger(Kind::Vendor, "12"), |it| {
        it.subsidiaries = vec!["9".into()]
    });
    world.put(ledger(Kind::Bill, "2"), bill("B", "2.00"));
    world.sync();
    assert_eq!(
        world.state("bills", &ledger(Kind::Bill, "2")),
        "SKIPPED(other-subsidiary)"
    );
    assert_eq!(world.state("bills", &old), "DONE");
}

#[test]
fn s031_a_vendor_moved_out_of_scope_stops_new_bills_only() {
    let mut world = World::new();
    let (old, _) = world.sent("1", "A", "1.00");
    world.vendor(&ledger(Kind::Vendor, "12"), |it| {
        it.category = "employee".into()
    });
    world.put(ledger(Kind::Bill, "2"), bill("B", "2.00"));
    world.sync();
    assert_eq!(
        world.state("bills", &ledger(Kind::Bill, "2")),
        "SKIPPED(out-of-scope)"
    );
    assert_eq!(world.state("bills", &old), "DONE");
}

#[test]
fn s019_a_currency_the_platform_cant_pay_stays_out() {
    let mut world = World::new();
    let yen: Currency = "JPY".parse().unwrap();
    world.vendor(&ledger(Kind::Vendor, "12"), |it| it.currency = Some(yen));
    world.put(ledger(Kind::Bill, "1"), bill("A", "10000"));
    world.bill(&ledger(Kind::Bill, "1"), |it| it.currency = yen);
    world.sync();
    assert_eq!(
        world.state("bills", &ledger(Kind::Bill, "1")),
        "SKIPPED(currency)"
    );
    assert!(world.writes.is_empty());
}

#[test]
fn s020_a_second_currency_gets_a_second_vendor() {
    let mut world = World::new();
    let euro: Currency = "EUR".parse().unwrap();
    world.preferences.transactions.currencies.push(euro);
    let (first, _) = world.sent("1", "A", "1.00");
    world.put(ledger(Kind::Bill, "2"), bill("B", "2.00"));
    world.bill(&ledger(Kind::Bill, "2"), |it| it.currency = euro);
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Vendor), 2);
    let there = |id| {
        world
            .bill_at(&world.target("bills", &ledger(Kind::Bill, id)).unwrap())
            .vendor
            .clone()
    };
    assert_ne!(there("1"), there("2"));
    assert_eq!(world.state("bills", &first), "DONE");
    let second = platform(Kind::Vendor, there("2").as_str());
    let Document::Vendor(second) = world.at(&second) else {
        panic!()
    };
    assert_eq!(
        (second.name.as_str(), second.currency),
        ("Acme Ltd (EUR)", Some(euro))
    );
    // After the links are lost each is known again by its name, also where no bill bears a mark.
    world
        .links
        .retain(|link| link.flow != "vendors" && link.flow != "bills");
    for copy in world.of(Side::Platform, Kind::Bill) {
        world.bill(&copy, |it| it.marker = None);
    }
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Vendor), 2);
    assert_eq!(world.made(Side::Platform, Kind::Bill), 2);
}

#[test]
fn s021_long_names_fit_and_stay_two() {
    let mut world = World::new();
    let long = "THE BISHOP KONSTANT CATHOLIC ACADEMY TRUST T/A ST THOMAS A BECKETCATHOLIC SCHOOL, A VOLUNTARY ACADEMÉÉÉ";
    for (id, end) in [("12", " ONE"), ("13", " TWO")] {
        world.put(ledger(Kind::Vendor, id), vendor(&format!("{long}{end}")));
        world.put(ledger(Kind::Bill, id), bill(id, "1.00"));
        world.bill(&ledger(Kind::Bill, id), |it| it.vendor = id.into());
    }
    world.sync();
    let (a, b) = (there(&world, "12").name, there(&world, "13").name);
    assert_eq!((a.chars().count(), b.chars().count()), (100, 100));
    assert_ne!(a, b);
    assert_eq!(world.state("vendors", &ledger(Kind::Vendor, "12")), "DONE");
}

#[test]
fn s022_s032_odd_and_short_names_are_sent_as_they_are() {
    for name in [
        "MSFT *<E0200B8X0P>",
        "TOYS ''R\" US LIMITED",
        "M\\cr",
        "RÖCHLING",
        "-PEACHES  CREAM",
        "3663",
        "EY",
        "",
    ] {
        let mut world = World::new();
        world.put(ledger(Kind::Vendor, "12"), vendor(name));
        world.sent("1", "A", "1.00");
        let expected = if name.is_empty() { "V-12" } else { name };
        assert_eq!(there(&world, "12").name, expected);
    }
}

#[test]
fn s032_a_nameless_vendor_is_accepted_under_its_number() {
    let mut world = World::new();
    world.put(platform(Kind::Vendor, "009x"), vendor(""));
    world.put(ledger(Kind::Vendor, "12"), vendor(""));
    world.sent("1", "A", "1.00");
    assert_eq!(there(&world, "12").name, "V-12");
}

#[test]
fn s024_variants_of_a_name_are_never_linked_by_themselves() {
    let mut world = World::new();
    world.put(platform(Kind::Vendor, "009a"), vendor("Acme Limited"));
    world.sent("1", "A", "1.00");
    assert_ne!(
        world
            .target("vendors", &ledger(Kind::Vendor, "12"))
            .unwrap()
            .id
            .as_str(),
        "009a"
    );
}

#[test]
fn s025_a_person_keeps_first_and_last_name() {
    let mut world = World::new();
    world.vendor(&ledger(Kind::Vendor, "12"), |it| {
        it.person = Some(("Ada".into(), "Miller".into()))
    });
    world.sent("1", "A", "1.00");
    assert_eq!(
        there(&world, "12").person,
        Some(("Ada".into(), "Miller".into()))
    );
}

#[test]
fn s026_tax_data_is_not_pushed() {
    let mut world = World::new();
    world.vendor(&ledger(Kind::Vendor, "12"), |it| it.form_1099 = true);
    world.sent("1", "A", "1.00");
    assert_eq!(
        (
            there(&world, "12").tax_id_last4.as_str(),
            there(&world, "12").form_1099
        ),
        ("", false)
    );
}

#[test]
fn s027_a_vendor_without_address_is_made_and_marked() {
    let mut world = World::new();
    let vendor = ledger(Kind::Vendor, "12");
    world.vendor(&vendor, |it| it.address = None);
    world.sent("1", "A", "1.00");
    let outcome = world.rest("vendors", &vendor);
    assert_eq!(outcome.to_string(), "DONE(not-payable-by-check)");
    assert!(
        outcome
            .cause
            .contains("street, city and postal code are missing"),
        "{}",
        outcome.cause
    );
    // A country is named, since the platform takes no vendor without an address; nothing else is made up.
    let there = world.target("vendors", &vendor).unwrap();
    let Document::Vendor(made) = world.at(&there) else {
        panic!()
    };
    let made = made.address.clone().unwrap();
    assert_eq!((made.country.as_str(), made.line1.as_str()), ("US", ""));
    // What a person completes there is kept; what the ledger says later prevails.
    world.vendor(&there, |it| {
        let address = it.address.as_mut().unwrap();
        (address.line1, address.city) = ("1 Rue Lepic".into(), "Paris".into());
        (address.zip, address.country) = ("75018".into(), "FR".into());
    });
    world.sync();
    assert_eq!(world.state("vendors", &vendor), "DONE");
    world.vendor(&vendor, |it| {
        it.address = Some(Address {
            line1: "2 Main St".into(),
            city: "Springfield".into(),
            zip: "01101".into(),
            ..Address::default()
        });
    });
    world.sync();
    let Document::Vendor(now) = world.at(&there) else {
        panic!()
    };
    let now = now.address.clone().unwrap();
    assert_eq!(
        (now.line1.as_str(), now.country.as_str()),
        ("2 Main St", "FR")
    );
    assert_eq!(world.state("vendors", &vendor), "DONE");
}

#[test]
fn s028_s089_sister_companies_and_employees_stay_out() {
    let mut world = World::new();
    world.vendor(&ledger(Kind::Vendor, "12"), |it| {
        it.category = "Intercompany".into()
    });
    world.put(ledger(Kind::Bill, "1"), bill("A", "1.00"));
    world.sync();
    assert_eq!(
        world.state("bills", &ledger(Kind::Bill, "1")),
        "SKIPPED(out-of-scope)"
    );
    assert!(world.writes.is_empty());
    assert_eq!(world.count(State::Blocked), 0);
}

#[test]
fn s089_an_employees_payable_stays_out() {
    let mut world = World::new();
    world.vendor(&ledger(Kind::Vendor, "12"), |it| {
        it.category = "Employee".into()
    });
    world.put(ledger(Kind::Bill, "1"), bill("A", "1.00"));
    world.sync();
    assert_eq!(
        world.state("bills", &ledger(Kind::Bill, "1")),
        "SKIPPED(out-of-scope)"
    );
}

#[test]
fn s029_a_bill_on_hold_is_not_sent_and_one_that_is_there_is_reported() {
    let mut world = World::new();
    world.put(ledger(Kind::Bill, "1"), bill("A", "1.00"));
    world.bill(&ledger(Kind::Bill, "1"), |it| it.payment_hold = true);
    world.sync();
    assert_eq!(
        world.state("bills", &ledger(Kind::Bill, "1")),
        "HOLD(payment-hold)"
    );
    let (record, there) = world.sent("2", "B", "2.00");
    world.bill(&record, |it| it.payment_hold = true);
    world.bill(&there, |it| {
        (it.open, it.scheduled) = (amount("0"), amount("2.00"))
    });
    assert_eq!(world.state("bills", &record), "BLOCKED(hold-but-scheduled)");
}

/// What was free when a person named it may have been taken since, and two vendors are never paid as one.
#[test]
fn a_named_vendor_that_is_gone_or_another_s_is_not_linked() {
    let mut world = World::new();
    world.sent("4711", "INV-1", "100.00");
    let taken = world
        .target("vendors", &ledger(Kind::Vendor, "12"))
        .unwrap();
    let other = ledger(Kind::Vendor, "13");
    world.put(other.clone(), vendor("Baker Ltd"));
    world.put(ledger(Kind::Bill, "2"), bill("B", "2.00"));
    world.bill(&ledger(Kind::Bill, "2"), |it| it.vendor = "13".into());
    world.decide("vendors", other.clone(), Decided::Link(taken));
    world.sync();
    assert_eq!(world.state("vendors", &other), "BLOCKED(link-refused)");
    assert_eq!(world.target("vendors", &other), None);
    let gone = platform(Kind::Vendor, "009a");
    world.put(gone.clone(), vendor("Baker"));
    world.delete(&gone);
    world.decide("vendors", other.clone(), Decided::Link(gone.clone()));
    world.sync();
    assert_eq!(world.state("vendors", &other), "BLOCKED(link-refused)");
    world.records.get_mut(&gone).unwrap().gone = false;
    world.sync();
    assert_eq!(world.target("vendors", &other), Some(gone));
}
