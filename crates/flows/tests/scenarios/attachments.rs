//! Files of bills: each follows its bill once, whatever becomes of the other files (scenarios 76 and 77).

use tieout_domain::document::*;
use tieout_domain::port::Action;
use tieout_domain::{Document, Kind, RecordRef, Side};

use crate::world::*;

/// Somebody attaches a file to a bill, or puts another content in its place.
fn attach(world: &mut World, bill: &str, file: &str, name: &str, content: &str) -> RecordRef {
    let record = ledger(Kind::Attachment, &format!("{bill}-{file}"));
    world.put(
        record.clone(),
        Document::Attachment(Attachment {
            bill: bill.into(),
            file: Some(file.into()),
            name: name.into(),
            media_type: "application/pdf".into(),
            size: 100,
            sha256: content.into(),
        }),
    );
    record
}

fn billed() -> World {
    let mut world = World::new();
    world.put(ledger(Kind::Bill, "1"), bill("INV-1", "100.00"));
    world
}

/// The files that were sent, by bill, name and content.
fn sent(world: &World) -> Vec<(String, String, String)> {
    let files = world.writes.iter().filter_map(|step| match &step.document {
        Document::Attachment(file) => Some(file),
        _ => None,
    });
    let told = |file: &Attachment| {
        (
            file.bill.to_string(),
            file.name.clone(),
            file.sha256.clone(),
        )
    };
    files.map(told).collect()
}

fn copy(world: &World) -> String {
    let target = world.target("bills", &ledger(Kind::Bill, "1"));
    target.unwrap().id.to_string()
}

#[test]
fn s076_a_file_follows_its_bill_once_and_never_keeps_it_waiting() {
    let mut world = World::new();
    let file = attach(&mut world, "1", "901", "scan.pdf", "aa");
    world.sync();
    assert_eq!(world.state("documents", &file), "SKIPPED(waits-for-bill)");
    world.put(ledger(Kind::Bill, "1"), bill("INV-1", "100.00"));
    world.sync();
    world.sync();
    assert_eq!(world.state("bills", &ledger(Kind::Bill, "1")), "DONE");
    assert_eq!(world.state("documents", &file), "DONE");
    let there = copy(&world);
    assert_eq!(
        sent(&world),
        [(there, "scan.pdf".to_owned(), "aa".to_owned())]
    );
    let step = world.writes.last().unwrap();
    assert_eq!((step.side, step.action), (Side::Platform, Action::Create));
    let key = step.key.as_str();
    assert!(key.starts_with("ns_1234567_SB1_1_file_901_aa"), "{key}");
}

#[test]
fn s077_what_is_attached_or_replaced_later_follows_and_the_same_content_never_twice() {
    let mut world = billed();
    attach(&mut world, "1", "901", "scan.pdf", "aa");
    world.sync();
    let names = |world: &World| -> Vec<String> {
        sent(world).into_iter().map(|(_, name, _)| name).collect()
    };
    // Replaced: BILL takes nothing away, so that the new one has a name of its own.
    attach(&mut world, "1", "901", "scan.pdf", "bb");
    world.sync();
    assert_eq!(names(&world), ["scan.pdf", "scan (2).pdf"]);
    // As it was before: that is there.
    let first = attach(&mut world, "1", "901", "scan.pdf", "aa");
    world.sync();
    assert_eq!(world.state("documents", &first), "DONE");
    // Another file of the same name, and one of the same content.
    attach(&mut world, "1", "1002", "Scan.PDF", "cc");
    let twin = attach(&mut world, "1", "1003", "copy.pdf", "aa");
    world.sync();
    world.sync();
    assert_eq!(names(&world)[2..], ["Scan [1002].PDF"]);
    assert_eq!(world.state("documents", &twin), "NOOP(same-file)");
}

#[test]
fn s077_files_may_be_kept_back_and_the_bill_goes() {
    let mut world = billed();
    let file = attach(&mut world, "1", "901", "scan.pdf", "aa");
    world
        .preferences
        .set("transactions.attachments", "false")
        .unwrap();
    world.sync();
    assert_eq!(world.state("documents", &file), "SKIPPED(documents-off)");
    assert_eq!(world.state("bills", &ledger(Kind::Bill, "1")), "DONE");
    assert!(sent(&world).is_empty());
    world
        .preferences
        .set("transactions.attachments", "true")
        .unwrap();
    world.sync();
    assert_eq!(world.state("documents", &file), "DONE");
}

#[test]
fn s076_no_file_goes_to_an_archived_bill() {
    let mut world = billed();
    world.sync();
    let there = platform(Kind::Bill, &copy(&world));
    let Document::Bill(it) = &mut world.records.get_mut(&there).unwrap().document else {
        panic!()
    };
    it.status = BillStatus::Archived;
    let file = attach(&mut world, "1", "901", "scan.pdf", "aa");
    world.sync();
    assert_eq!(world.state("documents", &file), "SKIPPED(waits-for-bill)");
}

#[test]
fn s076_no_file_of_a_bill_that_was_voided_is_sent() {
    let mut world = billed();
    world.sync();
    let here = ledger(Kind::Bill, "1");
    let Document::Bill(it) = &mut world.records.get_mut(&here).unwrap().document else {
        panic!()
    };
    it.status = BillStatus::Voided;
    let file = attach(&mut world, "1", "901", "scan.pdf", "aa");
    world.sync();
    assert_eq!(world.state("documents", &file), "NOOP(voided)");
    assert_eq!(sent(&world), []);
}
