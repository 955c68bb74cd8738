//! Writing: what is sent, what an answer proves, and what is looked at first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tieout_domain::document::{
    Customer, CustomerPayment, Invoice, InvoicePdf, InvoiceStatus, PaymentUse, ReceiptMethod,
    ReceiptStatus, SalesLine, SalesLineKind, UseOf,
};
use tieout_domain::port::{Action, Answer, File, Order, Receipt};
use tieout_domain::{Amount, Currency, Document, Fault, Fingerprint, Key, Kind, Marker};

use super::{CUSTOMER, INVOICE, NOBODY, Reply, Seen, Stage, TAKEN, list, ok, status, with};

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn order(action: Action, document: Document) -> Order {
    Order {
        key: Key::of(["ns", "1234567-SB1", "4711", "1"]),
        action,
        target: None,
        document,
        expect: None,
        file: None,
    }
}

fn customer() -> Document {
    Document::Customer(Customer {
        name: "Rivera Studio LLC".to_owned(),
        number: "C-4".to_owned(),
        person: None,
        email: "ap@rivera.example".to_owned(),
        phone: "555".to_owned(),
        address: None,
        currency: None,
        terms: None,
        parent: None,
        subsidiaries: Vec::new(),
        inactive: false,
        automatic_payment: false,
        reminders: false,
        marker: Marker::find_in("ns:1234567_SB1:4"),
        external_id: None,
    })
}

fn line(kind: SalesLineKind, name: &str, quantity: &str, price: &str) -> SalesLine {
    SalesLine {
        id: None,
        line_kind: kind,
        item: None,
        name: name.to_owned(),
        description: String::new(),
        quantity: amount(quantity),
        rate: amount(price),
        amount: amount(price),
        department: None,
        class: None,
        location: None,
    }
}

/// The invoice of the fixture, as the ledger wants it.
fn invoice() -> Invoice {
    Invoice {
        customer: "cus_9f2c".into(),
        number: "INV-1001".to_owned(),
        date: "2026-06-01".parse().unwrap(),
        due: "2026-07-01".parse().ok(),
        terms: None,
        currency: Currency::USD,
        receivables_account: None,
        subsidiary: None,
        period: None,
        lines: vec![
            line(SalesLineKind::Item, "Chair", "4", "1000"),
            line(SalesLineKind::Discount, "loyal", "1", "-0.5"),
            line(SalesLineKind::Tax, "", "1", "82"),
        ],
        total: amount("1081.5"),
        open: amount("1081.5"),
        status: InvoiceStatus::Open,
        memo: "Second delivery".to_owned(),
        purchase_order: "88".to_owned(),
        marker: Marker::find_in("ns:1234567_SB1:4711"),
        external_id: None,
    }
}

fn told() -> CustomerPayment {
    CustomerPayment {
        customer: Some("cus_9f2c".into()),
        number: String::new(),
        date: "2026-06-10".parse().unwrap(),
        currency: Currency::USD,
        total: amount("81.5"),
        unapplied: Amount::ZERO,
        uses: vec![PaymentUse {
            of: UseOf::Invoice("inv_51a0".into()),
            amount: amount("81.5"),
        }],
        method: ReceiptMethod::Other("external".to_owned()),
        status: ReceiptStatus::Received,
        charge: None,
        kept_in: None,
        receivables_account: None,
        subsidiary: None,
        period: None,
        memo: String::new(),
        marker: None,
        external_id: Some(Key::of(["ns", "1234567-SB1", "900", "1"])),
    }
}

const EXTERNAL: &str = r#"{"id":"pay_9","customer_id":"cus_9f2c","type":"external","payment_method":"external",
    "status":"succeeded","sub_total":81.5,"total":81.5,"fees":[],"external_id":"ns_1234567-SB1_900_1",
    "paid_at":"2026-06-10T12:00:00Z","created_at":"2026-06-12T10:00:00Z"}"#;

async fn write(stage: &Stage, order: Order) -> Result<Receipt, Fault> {
    let writer = &stage.ports.write[&order.document.kind()];
    match writer.write(&[order]).await.remove(0) {
        Answer::Applied(receipt) => Ok(receipt),
        Answer::Failed(fault) => Err(fault),
    }
}

fn code(result: Result<Receipt, Fault>) -> String {
    result.unwrap_err().code().as_str().to_owned()
}

#[tokio::test]
async fn what_is_taken_follows_from_the_capabilities() {
    let takes = |capabilities: &str| {
        let stage = Stage::new(capabilities, |_| list(&[]));
        let lacks = stage.ports.lacks();
        move |kind, action| !lacks.contains(&(kind, action))
    };
    let (all, none) = (takes("all"), takes(""));
    for (kind, action, with_all, without) in [
        (Kind::Customer, Action::Create, true, true),
        (Kind::Customer, Action::Amend, true, false),
        (Kind::Customer, Action::Archive, false, false),
        (Kind::Invoice, Action::Create, true, true),
        (Kind::Invoice, Action::Amend, true, false),
        (Kind::Invoice, Action::Archive, true, true),
        (Kind::Invoice, Action::Void, true, true),
        (Kind::Invoice, Action::Restore, false, false),
        (Kind::CustomerPayment, Action::Create, true, false),
        (Kind::CustomerPayment, Action::Void, true, false),
        (Kind::CustomerPayment, Action::Amend, false, false),
        (Kind::InvoicePdf, Action::Create, true, false),
        (Kind::InvoicePdf, Action::Amend, true, false),
        (Kind::Payout, Action::Create, false, false),
    ] {
        assert_eq!(all(kind, action), with_all, "{kind} {action:?}");
        assert_eq!(none(kind, action), without, "{kind} {action:?}");
    }
    // What isn't taken is not sent, whoever asks.
    let stage = Stage::new("", |_| list(&[]));
    let mut change = order(Action::Amend, Document::Invoice(invoice()));
    change.target = Some("inv_51a0".into());
    assert_eq!(code(write(&stage, change).await), "irreversible");
    assert!(stage.seen().is_empty());
}

#[tokio::test]
async fn a_customer_is_made_with_the_mark_as_its_external_id() {
    let stage = Stage::new("", |_| status(201, CUSTOMER));
    let receipt = write(&stage, order(Action::Create, customer()))
        .await
        .unwrap();
    assert_eq!((receipt.id.as_str(), receipt.adopted), ("cus_9f2c", false));
    assert_eq!(
        stage.seen()[0].json(),
        json!({"name": "Rivera Studio LLC", "email": "ap@rivera.example", "external_id": "ns:1234567_SB1:4"})
    );
}

#[tokio::test]
async fn a_customer_that_was_made_before_is_found_by_its_mark() {
    let stage = Stage::new("", |seen| match seen.call.as_str() {
        "POST /customers" => status(400, TAKEN),
        "GET /customers?limit=100&company_name=Rivera Studio LLC" => list(&[CUSTOMER]),
        other => panic!("{other}"),
    });
    let receipt = write(&stage, order(Action::Create, customer()))
        .await
        .unwrap();
    assert!(receipt.adopted);
    // Another one of the same name is another one.
    let other = with(CUSTOMER, json!({"external_id": "ns:1234567_SB1:5"}));
    let stage = Stage::new("", move |seen| match seen.call.as_str() {
        "POST /customers" => status(400, TAKEN),
        _ => list(&[&other]),
    });
    assert_eq!(
        code(write(&stage, order(Action::Create, customer())).await),
        "number-taken"
    );
}

#[tokio::test]
async fn what_may_have_been_made_is_unknown_and_not_sent_again() {
    for (reply, part) in [
        (
            status(500, r#"{"code":"internal_error","message":"oops"}"#),
            "oops",
        ),
        (status(502, "<html>"), "HTTP 502"),
        (ok(""), "no whole JSON"),
        (ok("{}"), "not as documented"),
        (
            ok(CUSTOMER.replace("Rivera", "Riviera")),
            "shows another customer",
        ),
    ] {
        let body = reply.body.clone();
        let stage = Stage::new("", move |_| reply.clone());
        let fault = write(&stage, order(Action::Create, customer()))
            .await
            .unwrap_err();
        assert!(matches!(fault, Fault::Unknown { .. }), "{body}: {fault:?}");
        assert!(fault.to_string().contains(part), "{body}: {fault}");
        assert_eq!(stage.seen().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn an_invoice_is_written_to_the_cent_with_what_has_no_field_in_its_memo() {
    let stage = Stage::new("", |_| status(201, INVOICE));
    let create = order(Action::Create, Document::Invoice(invoice()));
    let receipt = write(&stage, create).await.unwrap();
    let there = receipt.observed.unwrap().document;
    let Document::Invoice(there) = there else {
        panic!()
    };
    let wanted = invoice();
    assert_eq!(
        (there.date, there.memo, there.purchase_order, there.marker),
        (
            wanted.date,
            wanted.memo,
            wanted.purchase_order,
            wanted.marker
        )
    );
    assert_eq!(
        stage.seen()[0].body,
        "{\"customer_id\":\"cus_9f2c\",\"currency\":\"USD\",\"due_date\":\"2026-07-01\",\
         \"invoice_number\":\"INV-1001\",\"memo\":\"Second delivery [dated 2026-06-01; ns:1234567_SB1:4711; PO 88]\",\
         \"line_items\":[{\"description\":\"Chair\",\"quantity\":4,\"amount\":1000},\
         {\"description\":\"Discount: loyal\",\"quantity\":1,\"amount\":-0.5},\
         {\"description\":\"Tax\",\"quantity\":1,\"amount\":82}]}"
    );
    let mut short = invoice();
    short.lines.pop();
    let stage = Stage::new("", |_| status(201, INVOICE));
    let create = order(Action::Create, Document::Invoice(short));
    assert_eq!(code(write(&stage, create).await), "refused-there");
    assert!(stage.seen().is_empty());
}

#[tokio::test]
async fn the_mark_of_an_invoice_is_its_external_id_and_an_archived_one_is_never_adopted() {
    let outside = with(
        INVOICE,
        json!({"memo": "Second delivery [dated 2026-06-01; PO 88]", "external_id": "ns:1234567_SB1:4711"}),
    );
    let archived = with(&outside, json!({"id": "inv_0", "status": "archived"}));
    let made = outside.clone();
    let stage = Stage::new("invoice-external-id", move |_| status(201, made.as_str()));
    let create = order(Action::Create, Document::Invoice(invoice()));
    write(&stage, create.clone()).await.unwrap();
    let sent = stage.seen()[0].json();
    assert_eq!(sent["external_id"], "ns:1234567_SB1:4711");
    assert_eq!(sent["memo"], "Second delivery [dated 2026-06-01; PO 88]");

    let stage = Stage::new("invoice-external-id", move |seen| {
        match seen.call.as_str() {
            "POST /invoices" => status(400, TAKEN),
            "GET /invoices?limit=100&external_id=ns:1234567_SB1:4711" => list(&[&archived]),
            other => panic!("{other}"),
        }
    });
    assert_eq!(code(write(&stage, create.clone()).await), "number-taken");
    let stage = Stage::new("invoice-external-id", move |seen| {
        match seen.call.as_str() {
            "POST /invoices" => status(400, TAKEN),
            _ => list(&[&outside]),
        }
    });
    assert!(write(&stage, create).await.unwrap().adopted);
}

/// A change of the fixture's invoice, decided on when it was as the fixture shows it.
fn change(action: Action, wanted: Invoice) -> Order {
    Order {
        target: Some("inv_51a0".into()),
        expect: Some(Document::Invoice(invoice())),
        ..order(action, Document::Invoice(wanted))
    }
}

fn there(invoice: String) -> impl Fn(&Seen) -> Reply + Send + Sync {
    move |seen| match seen.call.as_str() {
        "GET /invoices/inv_51a0" => ok(invoice.clone()),
        "PATCH /invoices/inv_51a0" => ok(with(&invoice, json!({"due_date": "2026-08-01"}))),
        "DELETE /invoices/inv_51a0" => status(204, ""),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn s175_only_what_differs_is_changed_and_nothing_that_a_person_changed() {
    let mut later = invoice();
    later.due = "2026-08-01".parse().ok();
    let stage = Stage::new(
        "all",
        there(INVOICE.replace("\"status\"", "\"balance\":1081.5,\"status\"")),
    );
    write(&stage, change(Action::Amend, later.clone()))
        .await
        .unwrap();
    assert_eq!(stage.seen()[1].json(), json!({"due_date": "2026-08-01"}));

    let full = |fields| with(&with(INVOICE, json!({"balance": 1081.5})), fields);
    // As wanted already: nothing is sent.
    let stage = Stage::new("all", there(full(json!({"due_date": "2026-08-01"}))));
    assert!(
        write(&stage, change(Action::Amend, later.clone()))
            .await
            .unwrap()
            .adopted
    );
    assert_eq!(stage.seen().len(), 1);
    // Paid, or edited, since.
    for fields in [json!({"status": "paid"}), json!({"due_date": "2026-07-15"})] {
        let stage = Stage::new("all", there(full(fields)));
        let done = write(&stage, change(Action::Amend, later.clone())).await;
        assert_eq!(code(done), "edited-there");
        assert_eq!(stage.seen().len(), 1);
    }
    let paid = r#"{"code":"invoice_paid","message":"It is paid"}"#;
    let stage = Stage::new("all", move |seen| match seen.call.starts_with("GET") {
        true => ok(with(INVOICE, json!({"balance": 1081.5}))),
        false => status(409, paid),
    });
    assert_eq!(
        code(write(&stage, change(Action::Amend, later.clone())).await),
        "edited-there"
    );
    later.customer = "cus_2".into();
    let stage = Stage::new("all", there(full(json!({}))));
    assert_eq!(
        code(write(&stage, change(Action::Amend, later)).await),
        "refused-there"
    );
}

#[tokio::test]
async fn s193_archiving_deletes_once_and_shows_it_as_voided() {
    for action in [Action::Archive, Action::Void] {
        let stage = Stage::new("", there(INVOICE.to_owned()));
        let receipt = write(&stage, change(action, invoice())).await.unwrap();
        let Document::Invoice(shown) = receipt.observed.unwrap().document else {
            panic!()
        };
        assert_eq!(
            (shown.status, receipt.adopted),
            (InvoiceStatus::Voided, false)
        );
        let stage = Stage::new("", there(with(INVOICE, json!({"status": "archived"}))));
        assert!(
            write(&stage, change(action, invoice()))
                .await
                .unwrap()
                .adopted
        );
        assert_eq!(stage.seen().len(), 1);
        // Somebody pays it right now.
        let stage = Stage::new("", there(with(INVOICE, json!({"status": "processing"}))));
        assert_eq!(
            code(write(&stage, change(action, invoice())).await),
            "edited-there"
        );
    }
}

#[tokio::test]
async fn what_came_another_way_is_told_once_and_taken_back() {
    let create = || order(Action::Create, Document::CustomerPayment(told()));
    let stage = Stage::new("external-payments", |_| status(201, EXTERNAL));
    let receipt = write(&stage, create()).await.unwrap();
    let there = receipt.observed.unwrap();
    let Document::CustomerPayment(shown) = &there.document else {
        panic!()
    };
    assert_eq!(
        (shown.uses.clone(), shown.charge.clone()),
        (told().uses, None)
    );
    assert_eq!(shown.date, told().date);
    assert_eq!(shown.external_id, told().external_id);
    let sent = &stage.seen()[0];
    assert_eq!(sent.call, "POST /invoices/inv_51a0/external-payments");
    assert_eq!(
        sent.body,
        r#"{"amount":81.5,"paid_at":"2026-06-10T12:00:00Z","external_id":"ns_1234567-SB1_900_1"}"#
    );
    // It was told before: it is found by its external id.
    let stage = Stage::new("external-payments", |seen| match seen.call.as_str() {
        "POST /invoices/inv_51a0/external-payments" => status(400, TAKEN),
        "GET /payments?limit=100&type=external&invoice_id=inv_51a0" => list(&[EXTERNAL]),
        other => panic!("{other}"),
    });
    assert!(write(&stage, create()).await.unwrap().adopted);
    let since = "2026-06-10T00:00:00Z".parse().unwrap();
    let found = stage.ports.write[&Kind::CustomerPayment]
        .candidates(&[create()], since)
        .await
        .unwrap();
    assert_eq!(found[0].document.external_id(), told().external_id.as_ref());

    let void = || Order {
        target: Some("pay_9".into()),
        expect: Some(there.document.clone()),
        ..order(Action::Void, Document::CustomerPayment(told()))
    };
    let stage = Stage::new("external-payments", |seen| match seen.call.as_str() {
        "GET /payments/pay_9" => ok(EXTERNAL),
        "DELETE /invoices/inv_51a0/external-payments/pay_9" => status(204, ""),
        other => panic!("{other}"),
    });
    let receipt = write(&stage, void()).await.unwrap();
    let status_of = |receipt: &Receipt| match &receipt.observed.as_ref().unwrap().document {
        Document::CustomerPayment(payment) => payment.status.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(status_of(&receipt), ReceiptStatus::Voided);
    let stage = Stage::new("external-payments", |_| status(404, NOBODY));
    let receipt = write(&stage, void()).await.unwrap();
    assert_eq!(
        (status_of(&receipt), receipt.adopted),
        (ReceiptStatus::Voided, true)
    );
    // Money that the service moved itself is nobody's to delete.
    let card = with(
        EXTERNAL,
        json!({"type": "payment", "payment_method": "card"}),
    );
    let stage = Stage::new("external-payments", move |_| ok(card.clone()));
    assert_eq!(code(write(&stage, void()).await), "irreversible");
    assert_eq!(stage.seen().len(), 1);
}

#[tokio::test]
async fn a_404_to_taking_back_counts_only_where_the_payment_is_gone() {
    let taken_back = async |after: Reply| {
        let asked = AtomicBool::new(false);
        let stage = Stage::new("external-payments", move |seen| match seen.call.as_str() {
            "GET /payments/pay_9" if asked.load(Ordering::SeqCst) => after.clone(),
            "GET /payments/pay_9" => ok(EXTERNAL),
            "DELETE /invoices/inv_51a0/external-payments/pay_9" => {
                asked.store(true, Ordering::SeqCst);
                status(404, NOBODY)
            }
            other => panic!("{other}"),
        });
        let void = Order {
            target: Some("pay_9".into()),
            expect: Some(Document::CustomerPayment(told())),
            ..order(Action::Void, Document::CustomerPayment(told()))
        };
        write(&stage, void).await
    };
    let receipt = taken_back(status(404, NOBODY)).await.unwrap();
    assert!(receipt.adopted);
    for (after, part) in [
        (ok(EXTERNAL), "it is there"),
        (status(503, ""), "HTTP 503"),
        (
            status(403, r#"{"code":"forbidden","message":"no"}"#),
            "HTTP 403",
        ),
    ] {
        let fault = taken_back(after).await.unwrap_err();
        assert!(matches!(fault, Fault::Unknown { .. }), "{fault:?}");
        assert!(fault.to_string().contains(part), "{fault}");
    }
}

#[tokio::test]
async fn a_payment_that_is_not_of_one_invoice_is_not_told() {
    let mut twice = told();
    twice.uses.push(twice.uses[0].clone());
    let mut part = told();
    part.total = amount("90");
    let mut nothing = told();
    (nothing.total, nothing.uses[0].amount) = (Amount::ZERO, Amount::ZERO);
    for payment in [twice, part, nothing] {
        let stage = Stage::new("external-payments", |_| status(201, EXTERNAL));
        let create = order(Action::Create, Document::CustomerPayment(payment));
        assert_eq!(code(write(&stage, create).await), "refused-there");
        assert!(stage.seen().is_empty());
    }
}

#[tokio::test]
async fn s196_a_pdf_is_put_with_its_bytes_and_never_without() {
    let document = Document::InvoicePdf(InvoicePdf {
        invoice: "inv_51a0".into(),
        printed: "4711".into(),
        name: "INV-1001.pdf".to_owned(),
        shows: Fingerprint::of(&["a"][..]),
    });
    let file = |bytes: &[u8], media: &str| {
        Some(Arc::new(File {
            name: "INV-1001.pdf".to_owned(),
            media_type: media.to_owned(),
            bytes: bytes.to_vec(),
        }))
    };
    let put = |file| Order {
        file,
        ..order(Action::Create, document.clone())
    };
    let stage = Stage::new("invoice-pdf", |_| status(204, ""));
    let receipt = write(&stage, put(file(b"%PDF-1.7 x", "application/pdf")))
        .await
        .unwrap();
    assert_eq!(receipt.id.as_str(), "inv_51a0");
    assert_eq!(stage.seen()[0].call, "PUT /invoices/inv_51a0/pdf");
    assert_eq!(stage.seen()[0].body, "%PDF-1.7 x");
    for none in [
        None,
        file(b"<html>", "application/pdf"),
        file(b"%PDF-1.7", "text/html"),
    ] {
        assert_eq!(code(write(&stage, put(none)).await), "refused-there");
    }
    assert_eq!(stage.seen().len(), 1);
}

#[tokio::test]
async fn what_became_of_a_creation_is_looked_for_by_mark_customer_and_time() {
    let create = order(Action::Create, Document::Invoice(invoice()));
    let since = "2026-06-02T00:10:00Z".parse().unwrap();
    let stage = Stage::new("invoice-external-id", |_| list(&[INVOICE]));
    let found = stage.ports.write[&Kind::Invoice]
        .candidates(&[create], since)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    let mut calls = stage.calls();
    calls.sort();
    assert_eq!(
        calls,
        [
            "GET /invoices?limit=100&created_at_start=2026-06-02T00:05:00Z&customer_id=cus_9f2c",
            "GET /invoices?limit=100&external_id=ns:1234567_SB1:4711",
        ]
    );
}
