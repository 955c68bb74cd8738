//! What is written: customers, invoices, what came another way, PDFs; each found again where the answer was lost.

use std::sync::Arc;

use serde_json::json;
use tieout_domain::document::{CustomerPayment, Invoice, InvoicePdf, InvoiceStatus, SalesLineKind};
use tieout_domain::port::{Action, File, Observed};
use tieout_domain::{Document, Fault, Fingerprint, Kind};

use crate::stage::{Stage, amount, change, creation, customer, external, invoice, line, marker};

fn as_invoice(observed: &Observed) -> &Invoice {
    match &observed.document {
        Document::Invoice(invoice) => invoice,
        other => panic!("{other:?}"),
    }
}

fn as_payment(observed: &Observed) -> &CustomerPayment {
    match &observed.document {
        Document::CustomerPayment(payment) => payment,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_invoice_comes_back_as_it_was_written_with_its_mark() {
    for stage in [Stage::new().await, Stage::documented().await] {
        let of = stage.create(Document::Customer(customer("4"))).await;
        let Document::Customer(there) = &of.document else {
            panic!()
        };
        assert_eq!(there.marker, marker("4"));
        let mut wanted = invoice(&of.id, "9", "100.00");
        wanted.lines.push(line(SalesLineKind::Tax, "", "8.25"));
        (wanted.total, wanted.open) = (amount("108.25"), amount("108.25"));
        let made = stage.create(Document::Invoice(wanted.clone())).await;
        let there = as_invoice(&made);
        assert_eq!((there.total, there.due), (wanted.total, wanted.due));
        assert_eq!((&there.number, &there.customer), (&wanted.number, &of.id));
        assert_eq!(there.marker, marker("9"));
        assert_eq!(there.status, InvoiceStatus::Open);
        let all = stage.read(Kind::Invoice, None).await;
        assert_eq!(all.records, [made]);
    }
}

#[tokio::test]
async fn an_unpaid_invoice_is_amended_where_that_is() {
    let stage = Stage::new().await;
    let (of, made) = stage.billed("9", "100.00").await;
    let mut wanted = invoice(&of, "9", "80.00");
    wanted.due = Some(jiff::civil::date(2026, 5, 1));
    let order = change(Action::Amend, &made, Document::Invoice(wanted.clone()));
    stage.write(order).await.unwrap();
    let read = stage.fetch(Kind::Invoice, &made.id).await.unwrap();
    let there = as_invoice(&read);
    assert_eq!((there.total, there.due), (amount("80.00"), wanted.due));
    stage.pays(&made.id, &json!({"amount": "10.00"})).await;
    wanted.due = Some(jiff::civil::date(2026, 6, 1));
    let read = stage.fetch(Kind::Invoice, &made.id).await.unwrap();
    let order = change(Action::Amend, &read, Document::Invoice(wanted));
    let refused = stage.write(order).await.unwrap_err();
    assert!(matches!(refused, Fault::Refused { .. }), "{refused:?}");
    assert!(!Stage::documented().await.ports.write[&Kind::Invoice].takes(Action::Amend));
}

#[tokio::test]
async fn an_invoice_is_archived_unless_it_was_paid() {
    for stage in [Stage::new().await, Stage::documented().await] {
        let (of, made) = stage.billed("9", "100.00").await;
        let order = change(Action::Archive, &made, made.document.clone());
        stage.write(order).await.unwrap();
        let read = stage.fetch(Kind::Invoice, &made.id).await.unwrap();
        assert_eq!(as_invoice(&read).status, InvoiceStatus::Voided);
        let paid = stage
            .create(Document::Invoice(invoice(&of, "10", "50.00")))
            .await;
        stage.pays(&paid.id, &json!({})).await;
        let read = stage.fetch(Kind::Invoice, &paid.id).await.unwrap();
        let order = change(Action::Archive, &read, read.document.clone());
        let refused = stage.write(order).await.unwrap_err();
        assert!(matches!(refused, Fault::Refused { .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn an_archived_invoice_is_made_anew_though_its_mark_is_taken() {
    for stage in [Stage::new().await, Stage::documented().await] {
        let (of, made) = stage.billed("9", "100.00").await;
        let order = change(Action::Archive, &made, made.document.clone());
        stage.write(order).await.unwrap();
        let anew = stage
            .create(Document::Invoice(invoice(&of, "9", "80.00")))
            .await;
        assert_ne!(anew.id, made.id);
        assert_eq!(as_invoice(&anew).total, amount("80.00"));
        assert_eq!(as_invoice(&anew).marker, marker("9"));
    }
}

#[tokio::test]
async fn what_came_another_way_is_told_and_taken_back() {
    let stage = Stage::new().await;
    let (of, made) = stage.billed("9", "100.00").await;
    let told = stage.create(external(&of, &made.id, "5", "60.00")).await;
    assert_eq!(as_payment(&told).total, amount("60.00"));
    assert_eq!(as_payment(&told).date, jiff::civil::date(2026, 2, 27));
    let read = stage.fetch(Kind::Invoice, &made.id).await.unwrap();
    assert_eq!(as_invoice(&read).open, amount("40.00"));
    let order = change(Action::Void, &told, told.document.clone());
    stage.write(order).await.unwrap();
    let read = stage.fetch(Kind::Invoice, &made.id).await.unwrap();
    assert_eq!(as_invoice(&read).open, amount("100.00"));
    let documented = Stage::documented().await;
    assert!(!documented.ports.write.contains_key(&Kind::CustomerPayment));
}

#[tokio::test]
async fn s222_a_creation_without_an_answer_is_found_and_never_made_twice() {
    for stage in [Stage::new().await, Stage::documented().await] {
        let (of, made) = stage.billed("9", "100.00").await;
        let mut lost = vec![
            ("/customers", Document::Customer(customer("5"))),
            ("/invoices", Document::Invoice(invoice(&of, "10", "50.00"))),
        ];
        let tells = stage.ports.write.contains_key(&Kind::CustomerPayment);
        if tells {
            lost.push((
                "/invoices/{id}/external-payments",
                external(&of, &made.id, "5", "60.00"),
            ));
        }
        for (path, document) in lost {
            let kind = document.kind();
            let since = stage.chassis.clock.now();
            stage.cut("POST", path);
            let order = creation(document);
            let unknown = stage.write(order.clone()).await.unwrap_err();
            assert!(matches!(unknown, Fault::Unknown { .. }), "{unknown:?}");
            let orders = std::slice::from_ref(&order);
            let found = stage.ports.write[&kind]
                .candidates(orders, since)
                .await
                .unwrap();
            let mark = |of: &Document| (of.marker().cloned(), of.external_id().cloned());
            let ours = found
                .iter()
                .filter(|one| mark(&one.document) == mark(&order.document));
            assert_eq!(ours.count(), 1, "{path}: {found:?}");
        }
        let records = stage.records();
        assert_eq!(records["customers"].as_array().unwrap().len(), 2);
        assert_eq!(records["invoices"].as_array().unwrap().len(), 2);
        assert_eq!(
            records["payments"].as_array().unwrap().len(),
            usize::from(tells)
        );
    }
}

#[tokio::test]
async fn a_pdf_arrives_to_the_byte() {
    let stage = Stage::new().await;
    let (_, made) = stage.billed("9", "100.00").await;
    let pdf = Document::InvoicePdf(InvoicePdf {
        invoice: made.id.clone(),
        printed: "9".into(),
        name: "INV-9.pdf".to_owned(),
        shows: Fingerprint::of(&made.document),
    });
    let mut order = creation(pdf);
    order.file = Some(Arc::new(File {
        name: "INV-9.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        bytes: b"%PDF-1.7 ours".to_vec(),
    }));
    stage.write(order).await.unwrap();
    let kept = stage.records()["pdfs"][0].clone();
    assert_eq!(kept["invoice_id"], made.id.as_str());
    assert_eq!(kept["bytes"], "13");
    let documented = Stage::documented().await;
    assert!(!documented.ports.write.contains_key(&Kind::InvoicePdf));
}
