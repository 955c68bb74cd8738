use tieout_domain::document::{AccountKind, Dimension};
use tieout_domain::port::{Observed, Ways};
use tieout_domain::{Document, Kind, RecordRef, Side};
use tieout_flows::matching::{Confidence, suggest};

use crate::world::*;

fn dimension(axis: Kind, name: &str, path: &str, parent: Option<&str>) -> Document {
    Document::Dimension(Dimension {
        axis,
        name: name.into(),
        path: path.into(),
        parent: parent.map(Into::into),
        inactive: false,
        subsidiaries: Vec::new(),
    })
}

fn observed(world: &World, side: Side, kind: Kind) -> Vec<Observed> {
    let of = |record: RecordRef| Observed {
        document: world.at(&record).clone(),
        id: record.id,
        version: String::new(),
        created: None,
    };
    world.of(side, kind).into_iter().map(of).collect()
}

#[test]
fn s152_a_map_is_proposed_and_nothing_unconfirmed_is_used() {
    let mut world = World::new();
    for side in [
        ledger(Kind::Account, "59"),
        platform(Kind::Account, "0ca59"),
    ] {
        world.put(side, account("6020", "Rail", AccountKind::Expense));
    }
    world.put(
        ledger(Kind::Account, "60"),
        account("6030", "Sea", AccountKind::Expense),
    );
    world.put(
        platform(Kind::Account, "0ca60"),
        account("6030", "Ships", AccountKind::Expense),
    );
    world.put(
        ledger(Kind::Account, "61"),
        account("6040", "Road", AccountKind::Expense),
    );
    world.put(
        platform(Kind::Account, "0ca61"),
        account("6041", "Road", AccountKind::Expense),
    );
    let (here, there) = (
        observed(&world, Side::Ledger, Kind::Account),
        observed(&world, Side::Platform, Kind::Account),
    );
    let suggestions = suggest(Kind::Account, &here, &there, &world.maps);
    let of = |id: &str| {
        suggestions
            .iter()
            .find(|it| it.from.as_str() == id)
            .unwrap()
    };
    assert_eq!(
        (of("59").confidence, of("59").to.as_ref().unwrap().as_str()),
        (Confidence::Exact, "0ca59")
    );
    assert_eq!(of("60").confidence, Confidence::Number);
    assert_eq!(of("61").confidence, Confidence::Name);
    assert_eq!(of("90").confidence, Confidence::Missing);
    assert!(
        suggestions.iter().all(|it| it.from.as_str() != "58"),
        "what is mapped is not proposed"
    );
    let record = ledger(Kind::Bill, "1");
    world.put(record.clone(), bill("A", "1.00"));
    world.bill(&record, |it| it.lines[0].account = Some("59".into()));
    world.sync();
    assert_eq!(world.state("bills", &record), "BLOCKED(unmapped-account)");
}

#[test]
fn s153_a_missing_account_is_created_where_allowed_else_it_is_one_exception() {
    let mut world = World::new();
    let record = ledger(Kind::Account, "59");
    world.put(
        record.clone(),
        account("6020", "Rail", AccountKind::Expense),
    );
    world.sync();
    assert_eq!(world.state("accounts", &record), "SKIPPED(not-used)");
    world.preferences.lists.create_missing = true;
    world.sync();
    assert_eq!(world.state("accounts", &record), "DONE");
    let made = world.made(Side::Platform, Kind::Account);
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::Account), made);
}

#[test]
fn s153_what_resembles_it_is_never_made_a_second_time() {
    let mut world = World::new();
    world.preferences.lists.create_missing = true;
    world.put(
        ledger(Kind::Account, "59"),
        account("6020", "Rail", AccountKind::Expense),
    );
    world.put(
        platform(Kind::Account, "0ca59"),
        account("6020", "Railways", AccountKind::Expense),
    );
    world.sync();
    assert_eq!(
        world.state("accounts", &ledger(Kind::Account, "59")),
        "SKIPPED(not-used)"
    );
}

#[test]
fn s154_what_only_the_platform_has_is_left_alone() {
    let mut world = World::new();
    world.put(
        platform(Kind::Account, "0ca99"),
        account("9999", "Old", AccountKind::Expense),
    );
    world.sync();
    assert!(world.writes.is_empty());
    assert!(
        !world
            .outcomes
            .keys()
            .any(|(_, record)| record.id.as_str() == "0ca99")
    );
}

#[test]
fn s157_a_renumbered_account_keeps_its_map_and_one_we_made_follows() {
    let mut world = World::new();
    world.account(&ledger(Kind::Account, "58"), |it| it.number = "7010".into());
    let (bill, _) = world.sent("1", "A", "1.00");
    assert_eq!(world.state("bills", &bill), "DONE");
    world.preferences.lists.create_missing = true;
    let record = ledger(Kind::Account, "59");
    world.put(
        record.clone(),
        account("6020", "Rail", AccountKind::Expense),
    );
    world.sync();
    world.account(&record, |it| it.name = "Railways".into());
    world.sync();
    let target = world.target("accounts", &record).unwrap();
    assert_eq!(world.at(&target).label(), "6020 Railways");
}

#[test]
fn s158_parents_are_made_first() {
    let mut world = World::new();
    world.preferences.lists.create_missing = true;
    let (child, parent) = (ledger(Kind::Department, "1"), ledger(Kind::Department, "2"));
    world.put(
        child.clone(),
        dimension(Kind::Department, "Air", "Travel : Air", Some("2")),
    );
    world.put(
        parent.clone(),
        dimension(Kind::Department, "Travel", "Travel", None),
    );
    assert_eq!(world.state("dimensions", &child), "HOLD(waits-for-parent)");
    world.sync();
    let Document::Dimension(made) = world.at(&world.target("dimensions", &child).unwrap()) else {
        panic!()
    };
    assert_eq!(
        made.parent,
        Some(world.target("dimensions", &parent).unwrap().id)
    );
}

#[test]
fn s159_a_heading_is_left_out_unless_an_account_below_it_needs_it() {
    let mut world = World::new();
    let record = ledger(Kind::Account, "60");
    world.put(
        record.clone(),
        account("6000", "Travel", AccountKind::Expense),
    );
    world.account(&record, |it| it.summary = true);
    world.sync();
    assert_eq!(world.state("accounts", &record), "SKIPPED(heading)");
    world.preferences.lists.create_missing = true;
    world.put(
        ledger(Kind::Account, "61"),
        account("6020", "Rail", AccountKind::Expense),
    );
    world.account(&ledger(Kind::Account, "61"), |it| {
        it.parent = Some("60".into())
    });
    world.sync();
    assert_eq!(world.state("accounts", &record), "DONE");
    assert_eq!(
        world.state("accounts", &ledger(Kind::Account, "61")),
        "DONE"
    );
}

#[test]
fn s160_an_account_of_other_subsidiaries_stays_out() {
    let mut world = World::new();
    world.preferences.lists.create_missing = true;
    let record = ledger(Kind::Account, "59");
    world.put(
        record.clone(),
        account("6020", "Rail", AccountKind::Expense),
    );
    world.account(&record, |it| it.subsidiaries = vec!["9".into()]);
    world.sync();
    assert_eq!(
        world.state("accounts", &record),
        "SKIPPED(other-subsidiary)"
    );
}

#[test]
fn s165_a_dimension_without_counterpart_stops_the_bill_with_its_name() {
    let mut world = World::new();
    world.put(
        ledger(Kind::Location, "4"),
        dimension(Kind::Location, "Oslo", "Nordics : Oslo", None),
    );
    let record = ledger(Kind::Bill, "1");
    world.put(record.clone(), bill("A", "1.00"));
    world.bill(&record, |it| it.lines[0].location = Some("4".into()));
    world.sync();
    let outcome = world.rest("bills", &record);
    assert_eq!(outcome.to_string(), "BLOCKED(unmapped-dimension)");
    assert!(outcome.cause.contains("Nordics : Oslo"));
    // Departments and classes count their ids on their own: department 4 is another cause.
    assert_eq!(outcome.group, "unmapped-dimension:location:4");
    world.map(Kind::Location, "4", "loc4");
    world.sync();
    assert_eq!(world.state("bills", &record), "DONE");
}

#[test]
fn s167_a_new_mapping_touches_open_bills_only() {
    let mut world = World::new();
    let (open, there) = world.sent("1", "A", "1.00");
    let (paid, paid_there) = world.sent("2", "B", "2.00");
    world.bill(&paid_there, |it| it.open = amount("0"));
    world.map(Kind::Account, "58", "0ca77");
    world.sync();
    assert_eq!(
        world.bill_at(&there).lines[0]
            .account
            .as_ref()
            .unwrap()
            .as_str(),
        "0ca77"
    );
    assert_eq!(
        world.bill_at(&paid_there).lines[0]
            .account
            .as_ref()
            .unwrap()
            .as_str(),
        "0ca58"
    );
    assert_eq!(world.state("bills", &open), "DONE");
    assert_eq!(world.state("bills", &paid), "NOOP(edited-after-payment)");
}

#[test]
fn s152_items_and_terms_are_proposed_by_name_and_inactive_ones_are_not() {
    use tieout_domain::document::{Item, Terms};
    use tieout_domain::port::Observed;

    let of = |id: &str, document: Document| Observed {
        id: id.into(),
        version: String::new(),
        created: None,
        document,
    };
    let item = |id: &str, name: &str, inactive| {
        let item = Item {
            name: name.to_owned(),
            description: String::new(),
            item_type: "Service".to_owned(),
            subsidiaries: Vec::new(),
            inactive,
        };
        of(id, Document::Item(item))
    };
    let here = [
        item("1", "Consulting hour", false),
        item("2", "Old", true),
        item("3", "Alone", false),
    ];
    let there = [
        item("consulting", "consulting  HOUR", false),
        item("old", "Old", false),
    ];
    let maps = World::new().maps;
    let found = suggest(Kind::Item, &here, &there, &maps);
    let told: Vec<_> = found
        .iter()
        .map(|it| {
            (
                it.from.as_str(),
                it.to.as_ref().map(|to| to.as_str()),
                it.confidence,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("1", Some("consulting"), Confidence::Exact),
            ("3", None, Confidence::Missing),
        ]
    );
    let terms = |id: &str, name: &str| {
        let terms = Terms {
            name: name.to_owned(),
            days: Some(30),
            inactive: false,
        };
        of(id, Document::Terms(terms))
    };
    let found = suggest(
        Kind::Terms,
        &[terms("4", "Net 30")],
        &[terms("NET 30", "NET 30")],
        &maps,
    );
    assert_eq!(found[0].confidence, Confidence::Exact);
}

#[test]
fn what_is_mapped_follows_from_the_flows() {
    let mapped = |flows: Vec<Box<dyn tieout_flows::Flow>>| {
        tieout_flows::mapped(flows.iter().map(AsRef::as_ref))
    };
    assert_eq!(
        mapped(tieout_flows::payables()),
        [
            Kind::Account,
            Kind::Department,
            Kind::Class,
            Kind::Location,
            Kind::FundingAccount
        ]
    );
    assert_eq!(
        mapped(tieout_flows::receivables(Ways::ALL)),
        [Kind::Item, Kind::Terms]
    );
}
