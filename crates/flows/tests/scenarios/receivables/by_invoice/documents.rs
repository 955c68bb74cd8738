use tieout_domain::document::*;
use tieout_domain::{Document, Kind, Side};

use super::*;

fn sent(world: &World) -> usize {
    let pdfs = world.writes.iter();
    pdfs.filter(|step| step.document.kind() == Kind::InvoicePdf)
        .count()
}

#[test]
fn s196_the_pdf_goes_with_the_copy_and_again_when_what_it_shows_has_changed() {
    let mut world = World::alternative();
    let (record, copy) = world.invoiced("1", "100.00");
    assert_eq!(world.state("documents", &record), "DONE");
    let pdf = world.target("documents", &record).unwrap();
    let Document::InvoicePdf(pdf) = world.at(&pdf) else {
        panic!()
    };
    assert_eq!((&pdf.invoice, &pdf.printed), (&copy.id, &record.id));
    assert_eq!(pdf.name, "INV-1.pdf");
    // A payment changes nothing that is printed.
    world.pays_here("60", &record, "40.00");
    assert_eq!(sent(&world), 1);
    world.invoice(&record, |it| it.memo = "Thank you".into());
    world.sync();
    assert_eq!(sent(&world), 2);
    world.sync();
    assert_eq!(sent(&world), 2);
    assert_eq!(world.made(Side::Platform, Kind::InvoicePdf), 1);
}

#[test]
fn s196_a_copy_that_is_made_anew_gets_its_pdf_too() {
    let mut world = World::alternative();
    world.put(ledger(Kind::Customer, "8"), customer("Other Ltd", "C-8"));
    let (record, _) = world.invoiced("1", "100.00");
    world.invoice(&record, |it| it.customer = "8".into());
    world.sync();
    assert_eq!(world.made(Side::Platform, Kind::InvoicePdf), 2);
    assert_eq!(world.state("documents", &record), "DONE");
    // The copy may be made anew when nothing of the invoice changes any more: where archiving it had no answer at first.
    let waits = world.rest("documents", &record).waits_for.unwrap();
    assert_eq!(waits.to_string(), format!("link:invoices:{record}"));
}

#[test]
fn s196_pdfs_are_left_out_by_choice_or_where_none_is_taken_and_the_invoice_goes() {
    let mut world = World::documented();
    let (record, _) = world.invoiced("1", "100.00");
    assert_eq!(world.state("documents", &record), "SKIPPED(pdf-not-taken)");
    assert_eq!(world.state("invoices", &record), "DONE");
    let mut world = World::alternative();
    world.preferences.receivables.documents = false;
    let (record, _) = world.invoiced("1", "100.00");
    assert_eq!(world.state("documents", &record), "SKIPPED(documents-off)");
    assert_eq!(sent(&world), 0);
}

#[test]
fn s196_an_invoice_without_a_copy_waits_for_it_without_a_task() {
    let mut world = World::alternative();
    world.preferences.receivables.go_live = Some(day("2026-06-15"));
    let record = ledger(Kind::Invoice, "1");
    world.put(record.clone(), invoice("7", "INV-1", "100.00"));
    world.sync();
    assert_eq!(
        world.state("documents", &record),
        "SKIPPED(waits-for-invoice)"
    );
    world.invoice(&record, |it| it.status = InvoiceStatus::Voided);
    world.sync();
    assert!(
        !world
            .outcomes
            .contains_key(&("documents".to_owned(), record))
    );
}
