//! Invoiced's client against Invoiced's sandbox over real sockets: two programs written from one page, and never from
//! each other.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod stage;

use serde_json::json;
use tieout_domain::code::Code;
use tieout_domain::document::{CreditMemo, InvoiceStatus, ReceiptStatus, SalesLineKind, UseOf};
use tieout_domain::port::Action;
use tieout_domain::{Currency, Document, Fault, Kind, RemoteId};
use tieout_kit::webhooks::{SecurityKeys, Webhooks};

use stage::{Stage, amount, change, creation, customer, invoice, line, marker, payment, started};

fn refused(answer: Result<impl std::fmt::Debug, Fault>) -> String {
    match answer {
        Err(fault @ Fault::Refused { .. }) => fault.code().as_str().to_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

fn text(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[tokio::test]
async fn a_list_is_read_in_as_few_calls_as_its_pages_and_then_in_one() {
    let stage = Stage::new().await;
    for nth in 0..230 {
        stage
            .person("customers", json!({"name": format!("Customer {nth}")}))
            .await;
    }
    let before = stage.meter.sent();
    let (all, pages) = stage.read(Kind::Customer, None).await;
    assert_eq!((all.records.len(), pages), (230, 3));
    // One more call asks for the newest event.
    assert_eq!(stage.meter.sent() - before, 4);
    stage.advance(1);
    let mark = all.mark.unwrap();
    let before = stage.meter.sent();
    let (none, _) = stage.read(Kind::Customer, Some(&mark)).await;
    // The overlap holds all that was made at once: three pages, and three of what events tell of them.
    assert_eq!(stage.meter.sent() - before, 6);
    assert_eq!(none.mark, Some(mark.clone()));
    let changed = stage.person("customers", json!({"name": "One more"})).await;
    let (one, _) = stage.read(Kind::Customer, Some(&mark)).await;
    assert!(
        one.records
            .iter()
            .any(|record| record.id.as_str() == text(&changed["id"]))
    );
    let before = stage.meter.sent();
    let (few, _) = stage.read(Kind::Customer, one.mark.as_ref()).await;
    assert_eq!((few.records.len(), stage.meter.sent() - before), (1, 2));
}

#[tokio::test]
async fn s200_nothing_is_charged_mailed_or_reminded_for_what_is_written() {
    let stage = Stage::new().await;
    let of = stage.customer().await;
    let made = stage.create(Document::Invoice(invoice(&of, "INV-1"))).await;
    stage.advance(90);
    let there = stage.fetch(Kind::Invoice, &made.id).await;
    let Document::Invoice(there) = there.document else {
        panic!()
    };
    assert_eq!(there.status, InvoiceStatus::Open);
    let started = started(&*stage.fake);
    assert_eq!(started["charges"], 0);
    assert_eq!(started["messages"], 0);
}

#[tokio::test]
async fn an_invoice_comes_back_as_it_was_written_to_the_cent_and_to_the_day() {
    let stage = Stage::new().await;
    let of = stage.customer().await;
    let wanted = invoice(&of, "INV-1");
    let made = stage.create(Document::Invoice(wanted.clone())).await;
    let Document::Invoice(there) = &made.document else {
        panic!()
    };
    assert_eq!(
        (there.total, there.open),
        (amount("40.35"), amount("40.35"))
    );
    assert_eq!((there.date, there.due), (wanted.date, wanted.due));
    assert_eq!(
        (&there.marker, &there.number),
        (&wanted.marker, &wanted.number)
    );
    let read = stage.fetch(Kind::Invoice, &made.id).await;
    assert_eq!(read.document, made.document);
    let (all, _) = stage.read(Kind::Invoice, None).await;
    assert_eq!(all.records, std::slice::from_ref(&read));
    // Once more changes nothing.
    let order = change(Action::Amend, &read, Document::Invoice(wanted.clone()));
    assert!(stage.write(order).await.unwrap().adopted);
    // Other lines make another total, and the mark stays beside what others keep there.
    let edit = json!({"action": "edit", "fields": {"metadata": {"theirs": "1", "netsuite_id": "1",
        "netsuite_account": "1234567_SB1"}}});
    stage.person(&format!("invoices/{}", made.id), edit).await;
    let mut new = wanted.clone();
    new.lines[0] = line(SalesLineKind::Item, "2", "50", "100");
    new.lines
        .push(line(SalesLineKind::Shipping, "1", "9.5", "9.5"));
    (new.total, new.marker) = (amount("112.81"), marker("2"));
    let order = change(Action::Amend, &read, Document::Invoice(new.clone()));
    let amended = stage.write(order).await.unwrap().observed.unwrap();
    let Document::Invoice(there) = &amended.document else {
        panic!()
    };
    assert_eq!(
        (there.total, &there.marker),
        (amount("112.81"), &new.marker)
    );
    let records = stage.fake.records();
    assert!(records.to_string().contains("theirs"), "{records}");
}

#[tokio::test]
async fn s222_a_creation_without_an_answer_is_found_and_never_made_twice() {
    let stage = Stage::new().await;
    let of = stage.customer().await;
    let since = stage.now();
    for (path, document) in [
        ("/customers", Document::Customer(customer("9"))),
        ("/invoices", Document::Invoice(invoice(&of, "INV-9"))),
        (
            "/payments",
            Document::CustomerPayment(payment(&of, Vec::new(), "12.50")),
        ),
    ] {
        stage.fault(
            json!({"service": "invoiced", "method": "POST", "path": path, "share": 1.0, "times": 1,
            "effect": "drop-after-commit"}),
        );
        let order = creation(document);
        let lost = stage.write(order.clone()).await;
        assert!(
            matches!(lost, Err(Fault::Unknown { .. })),
            "{path}: {lost:?}"
        );
        let writer = &stage.ports.write[&order.document.kind()];
        assert!(!writer.repeatable(Action::Create));
        let found = writer
            .candidates(std::slice::from_ref(&order), since)
            .await
            .unwrap();
        let marked = found
            .iter()
            .filter(|one| one.document.marker() == order.document.marker());
        assert_eq!(marked.count(), 1, "{path}: {found:?}");
    }
    // And what never got there is not found.
    stage.fault(json!({"service": "invoiced", "method": "POST", "path": "/invoices", "share": 1.0, "times": 1,
        "effect": "drop-before-commit"}));
    let order = creation(Document::Invoice(invoice(&of, "INV-10")));
    assert!(matches!(
        stage.write(order.clone()).await,
        Err(Fault::Unknown { .. })
    ));
    let found = stage.ports.write[&Kind::Invoice]
        .candidates(&[order], since)
        .await
        .unwrap();
    assert!(
        found
            .iter()
            .all(|one| one.document.marker() != marker("10").as_ref())
    );
}

#[tokio::test]
async fn a_number_that_is_taken_is_refused_by_its_own_code() {
    let stage = Stage::new().await;
    let of = stage.customer().await;
    stage.create(Document::Invoice(invoice(&of, "INV-1"))).await;
    let again = creation(Document::Invoice(invoice(&of, "INV-1")));
    assert_eq!(refused(stage.write(again).await), "number-taken");
    let again = creation(Document::Customer(customer("4")));
    assert_eq!(refused(stage.write(again).await), "number-taken");
    // In every shape that an error of the service may have.
    for shape in ["error-field", "documented"] {
        stage.switch("errors", shape).await;
        let again = creation(Document::Invoice(invoice(&of, "INV-1")));
        assert_eq!(refused(stage.write(again).await), "number-taken", "{shape}");
    }
}

#[tokio::test]
async fn s178_a_payment_is_recorded_moved_and_voided() {
    let stage = Stage::new().await;
    let of = stage.customer().await;
    let one = stage
        .create(Document::Invoice(invoice(&of, "INV-1")))
        .await
        .id;
    let two = stage
        .create(Document::Invoice(invoice(&of, "INV-2")))
        .await
        .id;
    let parts = vec![(UseOf::Invoice(one.clone()), "40.35")];
    let wanted = payment(&of, parts, "9.65");
    let made = stage
        .create(Document::CustomerPayment(wanted.clone()))
        .await;
    let Document::CustomerPayment(there) = &made.document else {
        panic!()
    };
    assert_eq!(
        (there.total, there.unapplied),
        (amount("50"), amount("9.65"))
    );
    assert_eq!((&there.uses, there.date), (&wanted.uses, wanted.date));
    assert_eq!(
        (&there.marker, &there.method),
        (&wanted.marker, &wanted.method)
    );
    let open = async |id: &RemoteId| {
        let Document::Invoice(invoice) = stage.fetch(Kind::Invoice, id).await.document else {
            panic!()
        };
        (invoice.open, invoice.status)
    };
    assert_eq!(open(&one).await, (amount("0"), InvoiceStatus::Paid));
    // Moved to another invoice.
    let parts = vec![
        (UseOf::Invoice(two.clone()), "40.35"),
        (UseOf::Credit, "9.65"),
    ];
    let order = change(
        Action::Amend,
        &made,
        Document::CustomerPayment(payment(&of, parts, "0")),
    );
    let moved = stage.write(order).await.unwrap().observed.unwrap();
    assert_eq!(open(&one).await, (amount("40.35"), InvoiceStatus::Open));
    assert_eq!(open(&two).await, (amount("0"), InvoiceStatus::Paid));
    // Voided, and voiding again changes nothing.
    for nothing in [false, true] {
        stage.switch("delete_answers_nothing", nothing).await;
        let order = change(Action::Void, &moved, moved.document.clone());
        assert_eq!(stage.write(order).await.unwrap().adopted, nothing);
    }
    let there = stage.fetch(Kind::CustomerPayment, &made.id).await;
    let Document::CustomerPayment(there) = there.document else {
        panic!()
    };
    assert_eq!(there.status, ReceiptStatus::Voided);
    assert_eq!(open(&two).await, (amount("40.35"), InvoiceStatus::Open));
}

#[tokio::test]
async fn s179_credit_that_a_new_invoice_takes_shows_in_its_receipt() {
    let stage = Stage::new().await;
    let of = stage.customer().await;
    let body = json!({"customer": of.as_str(), "amount": 15});
    stage.person("credit_balance_adjustments", body).await;
    let made = stage.create(Document::Invoice(invoice(&of, "INV-1"))).await;
    let Document::Invoice(there) = &made.document else {
        panic!()
    };
    assert_eq!(
        (there.total, there.open),
        (amount("40.35"), amount("25.35"))
    );
    let (payments, _) = stage.read(Kind::CustomerPayment, None).await;
    for record in &payments.records {
        let Document::CustomerPayment(payment) = &record.document else {
            panic!()
        };
        assert!(
            payment.uses.iter().all(|part| !part.of.is_cash()),
            "{payment:?}"
        );
    }
}

#[tokio::test]
async fn credit_memos_are_written_applied_and_voided() {
    let stage = Stage::new().await;
    let of = stage.customer().await;
    let owed = stage
        .create(Document::Invoice(invoice(&of, "INV-1")))
        .await
        .id;
    let memo = CreditMemo {
        customer: of.clone(),
        number: "CN-1".to_owned(),
        date: jiff::civil::date(2026, 2, 3),
        currency: Currency::USD,
        receivables_account: None,
        subsidiary: None,
        period: None,
        lines: vec![line(SalesLineKind::Item, "1", "8", "8")],
        total: amount("8"),
        open: amount("8"),
        applications: Vec::new(),
        status: InvoiceStatus::Open,
        memo: String::new(),
        marker: marker("31"),
        external_id: None,
    };
    let made = stage.create(Document::CreditMemo(memo.clone())).await;
    let Document::CreditMemo(there) = &made.document else {
        panic!()
    };
    assert_eq!(
        (there.open, &there.status, there.date),
        (amount("8"), &InvoiceStatus::Open, memo.date)
    );
    // Applying it is a payment of nothing.
    let uses = vec![(
        UseOf::CreditMemo {
            credit: made.id.clone(),
            invoice: owed.clone(),
        },
        "8",
    )];
    let applied = stage
        .create(Document::CustomerPayment(payment(&of, uses.clone(), "0")))
        .await;
    let Document::CustomerPayment(there) = &applied.document else {
        panic!()
    };
    assert_eq!(
        (there.total, there.uses[0].of.clone()),
        (amount("0"), uses[0].0.clone())
    );
    let there = stage.fetch(Kind::CreditMemo, &made.id).await;
    let Document::CreditMemo(there) = there.document else {
        panic!()
    };
    assert_eq!(
        (there.open, there.status),
        (amount("0"), InvoiceStatus::Paid)
    );
    let other = stage
        .create(Document::CreditMemo(CreditMemo {
            number: "CN-2".to_owned(),
            marker: marker("32"),
            ..memo
        }))
        .await;
    let order = change(Action::Void, &other, other.document.clone());
    let voided = stage.write(order).await.unwrap().observed.unwrap();
    let Document::CreditMemo(there) = voided.document else {
        panic!()
    };
    assert_eq!(there.status, InvoiceStatus::Voided);
}

#[tokio::test]
async fn s193_s199_an_invoice_is_voided_or_closed_and_never_shown_as_paid() {
    let stage = Stage::new().await;
    let of = stage.customer().await;
    let made = stage.create(Document::Invoice(invoice(&of, "INV-1"))).await;
    let order = |action| change(action, &made, made.document.clone());
    let status = |document: &Document| match document {
        Document::Invoice(invoice) => (invoice.status.clone(), invoice.open),
        other => panic!("{other:?}"),
    };
    let closed = stage
        .write(order(Action::Archive))
        .await
        .unwrap()
        .observed
        .unwrap();
    assert_eq!(status(&closed.document).0, InvoiceStatus::WrittenOff);
    assert!(stage.write(order(Action::Archive)).await.unwrap().adopted);
    let there = stage.fetch(Kind::Invoice, &made.id).await;
    let restore = change(Action::Restore, &there, there.document.clone());
    let opened = stage.write(restore).await.unwrap().observed.unwrap();
    assert_eq!(status(&opened.document).0, InvoiceStatus::Open);
    let voided = stage
        .write(order(Action::Void))
        .await
        .unwrap()
        .observed
        .unwrap();
    assert_eq!(
        status(&voided.document),
        (InvoiceStatus::Voided, amount("40.35"))
    );
    assert!(stage.write(order(Action::Void)).await.unwrap().adopted);
    let of = stage.fetch(Kind::Customer, &of).await;
    let end = change(Action::Void, &of, of.document.clone());
    assert_eq!(refused(stage.write(end).await), "irreversible");
}

#[tokio::test]
async fn what_a_person_changed_meanwhile_is_left_as_it_is() {
    let stage = Stage::new().await;
    let of = stage.customer().await;
    let made = stage.create(Document::Invoice(invoice(&of, "INV-1"))).await;
    let edit = json!({"action": "edit", "fields": {"notes": "Edited by hand"}});
    stage.person(&format!("invoices/{}", made.id), edit).await;
    let wanted = Document::Invoice(tieout_domain::document::Invoice {
        purchase_order: "PO-8".to_owned(),
        ..invoice(&of, "INV-1")
    });
    let order = change(Action::Amend, &made, wanted.clone());
    assert_eq!(refused(stage.write(order).await), "edited-there");
    let there = stage.fetch(Kind::Invoice, &made.id).await;
    let done = stage
        .write(change(Action::Amend, &there, wanted))
        .await
        .unwrap();
    let Document::Invoice(there) = done.observed.unwrap().document else {
        panic!()
    };
    assert_eq!(
        (there.purchase_order.as_str(), there.memo.as_str()),
        ("PO-8", "Thank you")
    );
}

#[tokio::test]
async fn metadata_of_others_that_leaves_no_room_is_told() {
    let stage = Stage::new().await;
    let keys: serde_json::Map<_, _> = (0..9).map(|nth| (format!("k{nth}"), json!("1"))).collect();
    let there = stage
        .person("customers", json!({"name": "Acme", "metadata": keys}))
        .await;
    let there = stage
        .fetch(Kind::Customer, &text(&there["id"]).into())
        .await;
    let order = change(Action::Amend, &there, Document::Customer(customer("4")));
    assert_eq!(refused(stage.write(order).await), "metadata-full");
}

#[tokio::test]
async fn what_is_gone_or_merged_is_told_by_events() {
    let stage = Stage::new().await;
    let kept = stage.customer().await;
    let lost = stage.create(Document::Customer(customer("5"))).await.id;
    let moved = stage
        .create(Document::Invoice(invoice(&lost, "INV-1")))
        .await
        .id;
    let (customers, _) = stage.read(Kind::Customer, None).await;
    let (invoices, _) = stage.read(Kind::Invoice, None).await;
    stage.advance(1);
    let merge = json!({"action": "merge", "into": kept.as_str()});
    stage.person(&format!("customers/{lost}"), merge).await;
    let (customers, _) = stage.read(Kind::Customer, customers.mark.as_ref()).await;
    assert_eq!(customers.gone, std::slice::from_ref(&lost));
    assert!(customers.records.iter().any(|record| record.id == kept));
    let (invoices, _) = stage.read(Kind::Invoice, invoices.mark.as_ref()).await;
    let record = invoices
        .records
        .iter()
        .find(|record| record.id == moved)
        .unwrap();
    assert_eq!(record.document.customer(), Some(&kept));
    stage.advance(1);
    stage
        .person(&format!("invoices/{moved}"), json!({"action": "delete"}))
        .await;
    let (after, _) = stage.read(Kind::Invoice, invoices.mark.as_ref()).await;
    assert_eq!(after.gone, [moved]);
    // A voided payment that is told of as deleted is there, and says so.
    let paid = stage
        .create(Document::CustomerPayment(payment(&kept, Vec::new(), "5")))
        .await;
    let (payments, _) = stage.read(Kind::CustomerPayment, None).await;
    stage.advance(1);
    stage.switch("void_is_deleted", true).await;
    stage
        .person(&format!("payments/{}", paid.id), json!({"action": "void"}))
        .await;
    let (payments, _) = stage
        .read(Kind::CustomerPayment, payments.mark.as_ref())
        .await;
    assert!(payments.gone.is_empty());
    let Document::CustomerPayment(there) = &payments.records[0].document else {
        panic!()
    };
    assert_eq!(there.status, ReceiptStatus::Voided);
}

#[tokio::test]
async fn s189_s190_refunds_and_disputes_are_seen_and_money_that_moved_is_not_voided() {
    let stage = Stage::new().await;
    let of = stage.customer().await;
    let owed = stage
        .create(Document::Invoice(invoice(&of, "INV-1")))
        .await
        .id;
    let pay = json!({"invoices": [owed.as_str()], "method": "credit_card"});
    let paid: RemoteId = text(&stage.person("pay", pay).await["id"]).into();
    let there = stage.fetch(Kind::CustomerPayment, &paid).await;
    let Document::CustomerPayment(before) = &there.document else {
        panic!()
    };
    assert!(before.charge.as_ref().unwrap().refunds.is_empty());
    let order = change(Action::Void, &there, there.document.clone());
    assert_eq!(refused(stage.write(order).await), "irreversible");
    stage
        .person(
            &format!("payments/{paid}"),
            json!({"action": "refund", "amount": 10}),
        )
        .await;
    stage
        .person(&format!("payments/{paid}"), json!({"action": "dispute"}))
        .await;
    let there = stage.fetch(Kind::CustomerPayment, &paid).await;
    let Document::CustomerPayment(after) = &there.document else {
        panic!()
    };
    let charge = after.charge.as_ref().unwrap();
    assert!(charge.disputed);
    assert_eq!(
        (charge.refunds.len(), charge.refunds[0].amount),
        (1, amount("10"))
    );
}

#[tokio::test]
async fn s140_a_notification_of_the_service_is_taken_in_both_ways_of_writing() {
    let stage = Stage::new().await;
    let made = stage
        .person(
            "webhooks",
            json!({"url": "https://tieout.example.com/webhooks/invoiced/a"}),
        )
        .await;
    let secret = made[0]["secret"].as_str().unwrap().to_owned();
    let keys = SecurityKeys {
        current: secret.into(),
        previous: None,
    };
    let system = tieout_systems::find("invoiced").unwrap().system;
    let Some(Webhooks::ByHand(by_hand)) = system.webhooks else {
        panic!()
    };
    for form in ["hex", "base64"] {
        stage.switch("signature", form).await;
        stage.told.0.lock().unwrap().clear();
        let made = stage.person("customers", json!({"name": form})).await;
        let told = loop {
            if let Some(told) = stage.told.0.lock().unwrap().pop() {
                break told;
            }
            tokio::task::yield_now().await;
        };
        let signature = told
            .headers()
            .get(by_hand.header)
            .map(|value| value.as_bytes());
        let hint = (by_hand.receive)(&keys, signature, told.body()).unwrap();
        assert_eq!(hint.kind, Some(Kind::Customer), "{form}");
        assert_eq!(hint.id, Some(text(&made["id"]).into()), "{form}");
    }
}

#[tokio::test]
async fn a_check_tells_a_good_key_from_one_that_was_taken_back() {
    let stage = Stage::new().await;
    let codes = async || {
        let checks = stage.ports.whole.examine().await;
        checks
            .iter()
            .map(|check| check.code.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(codes().await, ["sign-in", "checked"]);
    assert_eq!(stage.ports.whole.ping().await.unwrap().id, "sandbox");
    stage.fault(
        json!({"service": "invoiced", "method": "GET", "path": "/customers", "share": 1.0,
        "effect": "status", "status": 404, "body": "<html>"}),
    );
    assert_eq!(codes().await, ["proxy"]);
    stage.calm();
    stage
        .fake
        .credential("invoiced", &json!({"action": "revoke"}))
        .unwrap()
        .unwrap();
    assert_eq!(codes().await, ["api-key-refused"]);
    let fault = stage.ports.whole.ping().await.unwrap_err();
    assert!(
        matches!(fault, Fault::Denied { ref code, .. } if *code == Code::new("api-key-refused")),
        "{fault:?}"
    );
}
