//! The client of Alternative Payments against its sandbox over real sockets: two programs written from one page, and
//! never from each other.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod runs;
mod stage;

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tieout_domain::document::{
    InvoicePdf, InvoiceStatus, PartOf, Payout, PayoutStatus, ReceiptStatus, SalesLineKind, UseOf,
};
use tieout_domain::port::{Action, Depth, File};
use tieout_domain::{Amount, Document, Fault, Fingerprint, Kind, RemoteId};
use tieout_kit::webhooks::{SecurityKeys, Webhooks};

use stage::{Stage, amount, change, creation, customer, invoice, line, marker, told};

fn id(value: &Value) -> RemoteId {
    RemoteId::from(value["id"].as_str().unwrap())
}

fn code(answer: Result<impl std::fmt::Debug, Fault>) -> String {
    answer.unwrap_err().code().as_str().to_owned()
}

#[tokio::test]
async fn call_after_call_is_never_too_many_in_a_second() {
    let stage = Stage::new(&["all"]).await;
    for _ in 0..30 {
        stage.ports.whole.ping().await.unwrap();
    }
    let sent = stage.sent.calls.lock().unwrap().clone();
    assert_eq!(sent.len(), 31);
    assert!(sent.iter().all(|(_, status)| *status == 200), "{sent:?}");
    assert_eq!(stage.calls("POST /oauth/token"), 1);
}

#[tokio::test]
async fn a_customer_and_an_invoice_come_back_as_they_were_written() {
    for capabilities in [&["all"][..], &[]] {
        let stage = Stage::new(capabilities).await;
        let made = stage.create(Document::Customer(customer("4"))).await;
        let Document::Customer(there) = &made.document else {
            panic!()
        };
        assert_eq!(
            (&there.name, &there.marker),
            (&customer("4").name, &marker("4"))
        );
        let mut wanted = invoice(&made.id, "INV-4711", "40.35");
        wanted.lines = vec![
            line(SalesLineKind::Item, "2.5", "37.04"),
            line(SalesLineKind::Discount, "1", "-1.04"),
            line(SalesLineKind::Tax, "1", "4.35"),
        ];
        let made = stage.create(Document::Invoice(wanted.clone())).await;
        let there = stage.invoice(&made.id).await;
        assert_eq!(made.document, Document::Invoice(there.clone()));
        assert_eq!((there.total, there.open), (wanted.total, wanted.open));
        assert_eq!((there.date, there.due), (wanted.date, wanted.due));
        assert_eq!(
            (
                &there.number,
                &there.memo,
                &there.purchase_order,
                &there.marker
            ),
            (
                &wanted.number,
                &wanted.memo,
                &wanted.purchase_order,
                &wanted.marker
            )
        );
        let kinds = |lines: &[tieout_domain::document::SalesLine]| {
            let lines = lines.iter().map(|line| (line.line_kind, line.amount));
            lines.collect::<Vec<_>>()
        };
        assert_eq!(kinds(&there.lines), kinds(&wanted.lines));
        let all = stage.whole(Kind::Invoice).await;
        assert_eq!(all.records, std::slice::from_ref(&made));
        if capabilities == ["all"] {
            // Once more changes nothing, and nothing is sent for it.
            let order = change(Action::Amend, &made, Document::Invoice(wanted));
            assert!(stage.write(order).await.unwrap().adopted);
            let path = format!("PATCH /invoices/{}", made.id);
            assert_eq!(stage.calls(&path), 0);
        }
    }
}

#[tokio::test]
async fn s175_an_unpaid_invoice_follows_and_a_paid_one_is_left() {
    let stage = Stage::new(&["all"]).await;
    let of = stage.customer().await;
    let made = stage.invoiced(&of, "INV-1", "100").await;
    let mut more = invoice(&of, "INV-1", "120.5");
    more.due = Some(jiff::civil::date(2026, 4, 1));
    let order = change(Action::Amend, &made, Document::Invoice(more.clone()));
    let receipt = stage.write(order).await.unwrap();
    let there = stage.invoice(&made.id).await;
    assert_eq!((there.total, there.due), (more.total, more.due));
    assert_eq!(there.marker, more.marker);
    let there = receipt.observed.unwrap();
    stage.person("pay", json!({"invoice": made.id})).await;
    let order = change(
        Action::Amend,
        &there,
        Document::Invoice(invoice(&of, "INV-1", "90")),
    );
    assert_eq!(code(stage.write(order).await), "edited-there");
    let order = change(Action::Archive, &there, there.document.clone());
    assert_eq!(code(stage.write(order).await), "edited-there");
    let there = stage.invoice(&made.id).await;
    assert_eq!(
        (there.open, there.status),
        (Amount::ZERO, InvoiceStatus::Paid)
    );
}

#[tokio::test]
async fn s193_an_archived_invoice_is_voided_and_may_be_made_anew_under_its_mark() {
    for capabilities in [&["invoice-external-id"][..], &[]] {
        let stage = Stage::new(capabilities).await;
        let of = stage.customer().await;
        let made = stage.invoiced(&of, "INV-1", "100").await;
        let order = change(Action::Archive, &made, made.document.clone());
        let receipt = stage.write(order.clone()).await.unwrap();
        let shown = receipt.observed.unwrap();
        assert_eq!(stage.invoice(&made.id).await.status, InvoiceStatus::Voided);
        let again = stage.invoiced(&of, "INV-1", "110").await;
        assert_ne!(again.id, made.id);
        assert_eq!(again.document.marker(), shown.document.marker());
        // Once more is no second effect.
        assert!(stage.write(order).await.unwrap().adopted);
        assert_eq!(stage.calls(&format!("DELETE /invoices/{}", made.id)), 1);
    }
}

#[tokio::test]
async fn what_was_made_without_an_answer_is_found_again() {
    for capabilities in [&["all"][..], &[]] {
        let stage = Stage::new(capabilities).await;
        let since = stage.now();
        let lost = |path: &str| {
            stage.fault(
                json!({"service": "alternative-payments", "method": "POST", "path": path,
                "share": 1.0,
                "times": 1, "effect": "drop-after-commit"}),
            );
        };
        lost("/customers");
        let order = creation(Document::Customer(customer("4")));
        let answer = stage.write(order.clone()).await;
        stage.calm();
        assert!(matches!(answer, Err(Fault::Unknown { .. })), "{answer:?}");
        let writer = &stage.ports.write[&Kind::Customer];
        let found = writer
            .candidates(std::slice::from_ref(&order), since)
            .await
            .unwrap();
        let found: Vec<_> = found
            .iter()
            .filter(|it| it.document.marker() == marker("4").as_ref())
            .collect();
        assert!(!found.is_empty());
        // Sent again all the same, it is the same one.
        let receipt = stage.write(order).await.unwrap();
        assert_eq!((receipt.id, receipt.adopted), (found[0].id.clone(), true));
        assert_eq!(stage.whole(Kind::Customer).await.records.len(), 1);
    }
}

#[tokio::test]
async fn s183_a_payment_settles_without_the_fees_that_the_customer_covers() {
    for capabilities in [&["all"][..], &[]] {
        let stage = Stage::new(capabilities).await;
        let of = stage.customer().await;
        for nth in 1..=3 {
            stage.invoiced(&of, &format!("INV-{nth}"), "100").await;
        }
        let made = stage.invoiced(&of, "INV-4", "250.75").await;
        let pays = json!({"invoice": made.id, "method": "card", "covers_fees": true});
        stage.person("pay", pays).await;
        let payment = stage.payment().await;
        assert_eq!(payment.total, amount("250.75"));
        assert_eq!(payment.uses[0].of, UseOf::Invoice(made.id.clone()));
        assert_eq!(payment.uses[0].amount, amount("250.75"));
        assert_eq!(payment.status, ReceiptStatus::Received);
        assert!(payment.charge.is_some());
    }
}

#[tokio::test]
async fn which_invoice_is_paid_is_asked_once() {
    let mut stage = Stage::new(&[]).await;
    let of = stage.customer().await;
    let mut invoices = Vec::new();
    for nth in 1..=6 {
        let total = format!("{}", 100 + nth);
        let made = stage.invoiced(&of, &format!("INV-{nth}"), &total).await;
        invoices.push(made.id);
    }
    for invoice in &invoices[..4] {
        stage.person("pay", json!({"invoice": invoice})).await;
    }
    let page = stage.whole(Kind::CustomerPayment).await;
    let mut used: Vec<_> = page
        .records
        .iter()
        .map(|it| match &it.document {
            Document::CustomerPayment(payment) => payment.uses[0].of.invoice().unwrap().clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    used.sort();
    let mut paid = invoices[..4].to_vec();
    paid.sort();
    assert_eq!(used, paid);
    let asked = stage.calls("GET /payments");
    assert_eq!(asked, 5, "the list, and each paid invoice");
    for depth in [Depth::Changes, Depth::Whole] {
        stage.next_run();
        let before = stage.sent.calls.lock().unwrap().len();
        let again = stage
            .read(Kind::CustomerPayment, depth, page.mark.as_ref())
            .await;
        assert_eq!(again.records, page.records);
        // A sign-in and the list.
        assert_eq!(stage.sent.calls.lock().unwrap().len() - before, 2);
    }
}

#[tokio::test]
async fn s188_s189_s190_what_becomes_of_a_payment_is_seen() {
    for capabilities in [&["all"][..], &[]] {
        let stage = Stage::new(capabilities).await;
        let of = stage.customer().await;
        let mut payments = Vec::new();
        for nth in 1..=3 {
            let made = stage.invoiced(&of, &format!("INV-{nth}"), "100").await;
            let paid = stage.person("pay", json!({"invoice": made.id})).await;
            payments.push(id(&paid));
        }
        let before = stage.whole(Kind::CustomerPayment).await;
        stage.advance(1);
        stage
            .person(
                &format!("payments/{}", payments[0]),
                json!({"status": "failed"}),
            )
            .await;
        stage
            .person(
                &format!("payments/{}", payments[1]),
                json!({"status": "chargeback"}),
            )
            .await;
        let refund = stage
            .person("refunds", json!({"payment": payments[2]}))
            .await;
        let after = stage
            .read(Kind::CustomerPayment, Depth::Changes, before.mark.as_ref())
            .await;
        let of_payment = |wanted: &RemoteId| {
            let record = after.records.iter().find(|it| it.id == *wanted);
            match &record.unwrap().document {
                Document::CustomerPayment(payment) => payment.clone(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(of_payment(&payments[0]).status, ReceiptStatus::Failed);
        assert!(of_payment(&payments[1]).charge.unwrap().disputed);
        let charge = of_payment(&payments[2]).charge.unwrap();
        assert_eq!(charge.refunds[0].id, id(&refund));
        assert_eq!(charge.refunds[0].amount, amount("100"));
    }
}

async fn payouts(stage: &Stage) -> Vec<Payout> {
    let page = stage.whole(Kind::Payout).await;
    let payouts = page.records.into_iter().map(|it| match it.document {
        Document::Payout(payout) => payout,
        other => panic!("{other:?}"),
    });
    payouts.collect()
}

#[tokio::test]
async fn s184_a_payout_adds_up_to_what_arrives() {
    for capabilities in [&["all"][..], &[]] {
        let stage = Stage::new(capabilities).await;
        let of = stage.customer().await;
        let mut paid = Vec::new();
        for (nth, total) in ["1200", "300", "812.34"].iter().enumerate() {
            let made = stage.invoiced(&of, &format!("INV-{nth}"), total).await;
            let payment = stage
                .person("pay", json!({"invoice": made.id, "fees": "10"}))
                .await;
            paid.push(id(&payment));
        }
        stage.person("payouts", json!({})).await;
        stage
            .person(
                &format!("payments/{}", paid[0]),
                json!({"status": "chargeback"}),
            )
            .await;
        stage.person("refunds", json!({"payment": paid[1]})).await;
        let made = stage.invoiced(&of, "INV-9", "5000").await;
        let last = stage
            .person("pay", json!({"invoice": made.id, "fees": "45.6"}))
            .await;
        let second = stage.person("payouts", json!({})).await;
        let all = payouts(&stage).await;
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].total, amount("2282.34"));
        assert_eq!(all[0].status, PayoutStatus::UnderWay);
        let has = |wanted: PartOf, text: &str| {
            let mut parts = all[1].parts.iter();
            assert!(
                parts.any(|part| part.of == wanted && part.amount == amount(text)),
                "{wanted:?} {text}: {:?}",
                all[1].parts
            );
        };
        has(PartOf::Payment(id(&last)), "5000");
        has(PartOf::Fee, "-45.6");
        has(PartOf::DisputeFee, "-15");
        let (disputed, refunded) = (Some(paid[0].clone()), Some(paid[1].clone()));
        has(PartOf::Chargeback { payment: disputed }, "-1200");
        has(PartOf::Refund { payment: refunded }, "-300");
        assert_eq!(all[1].total, amount("3439.4"));
        let path = format!("payouts/{}", id(&second));
        stage.person(&path, json!({"status": "succeeded"})).await;
        assert_eq!(payouts(&stage).await[1].status, PayoutStatus::Paid);
    }
}

#[tokio::test]
async fn a_settlement_of_the_ledger_lowers_what_is_open_and_is_taken_back() {
    for capabilities in [&["all"][..], &["external-payments", "balances"]] {
        let stage = Stage::new(capabilities).await;
        let of = stage.customer().await;
        let made = stage.invoiced(&of, "INV-1", "100").await;
        let wanted = told(&of, &made.id, "40.25", "900-1");
        let there = stage
            .create(Document::CustomerPayment(wanted.clone()))
            .await;
        assert_eq!(stage.invoice(&made.id).await.open, amount("59.75"));
        let read = stage.payment().await;
        assert_eq!(
            (&read.external_id, &read.uses, read.date, &read.charge),
            (&wanted.external_id, &wanted.uses, wanted.date, &None)
        );
        // Sent again, it is the same one.
        let again = stage
            .write(creation(Document::CustomerPayment(wanted.clone())))
            .await;
        assert!(again.unwrap().adopted);
        let too_much = told(&of, &made.id, "60", "901-1");
        let refused = stage
            .write(creation(Document::CustomerPayment(too_much)))
            .await;
        assert_eq!(code(refused), "refused-there");
        let order = change(Action::Void, &there, Document::CustomerPayment(wanted));
        for adopted in [false, true] {
            let receipt = stage.write(order.clone()).await.unwrap();
            assert_eq!(receipt.adopted, adopted);
        }
        assert_eq!(stage.invoice(&made.id).await.open, amount("100"));
        assert!(stage.whole(Kind::CustomerPayment).await.records.is_empty());
    }
}

#[tokio::test]
async fn s196_a_pdf_lies_beside_its_invoice() {
    let stage = Stage::new(&["invoice-pdf"]).await;
    let of = stage.customer().await;
    let made = stage.invoiced(&of, "INV-1", "100").await;
    let mut order = creation(Document::InvoicePdf(InvoicePdf {
        invoice: made.id.clone(),
        printed: "4711".into(),
        name: "INV-1.pdf".to_owned(),
        shows: Fingerprint::of(&["a"][..]),
    }));
    let bytes = b"%PDF-1.7\nInvoice\n%%EOF\n".to_vec();
    order.file = Some(Arc::new(File {
        name: "INV-1.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        bytes,
    }));
    for _ in 0..2 {
        let receipt = stage.write(order.clone()).await.unwrap();
        assert_eq!(receipt.id, made.id);
    }
    let pdfs = stage.fake.records()["pdfs"].as_array().unwrap().len();
    assert_eq!(pdfs, 1);
}

#[tokio::test]
async fn lists_are_read_whole_however_they_are_paged() {
    for (name, value) in [
        ("paging", json!("nested")),
        ("newest_first", json!(true)),
        ("paging", json!("flat")),
    ] {
        let stage = Stage::new(&["changed-since"]).await;
        stage.switch(name, value).await;
        for nth in 0..230 {
            let name = format!("Customer {nth}");
            stage.person("customers", json!({"name": name})).await;
        }
        let all = stage.whole(Kind::Customer).await;
        assert_eq!(all.records.len(), 230);
        assert_eq!(stage.calls("GET /customers"), 3);
        stage.advance(1);
        let added = stage.person("customers", json!({"name": "One more"})).await;
        let few = stage
            .read(Kind::Customer, Depth::Changes, all.mark.as_ref())
            .await;
        assert!(few.records.iter().any(|it| it.id == id(&added)));
        let few = stage
            .read(Kind::Customer, Depth::Changes, few.mark.as_ref())
            .await;
        assert_eq!(few.records.len(), 1);
    }
}

#[tokio::test]
async fn s194_a_customer_that_was_archived_there_is_inactive() {
    for capabilities in [&["all"][..], &[]] {
        let stage = Stage::new(capabilities).await;
        let of = stage.customer().await;
        let before = stage.whole(Kind::Customer).await;
        stage.advance(2);
        stage
            .person(&format!("customers/{of}"), json!({"action": "archive"}))
            .await;
        // A second customer, so that the past is a part that is read in turn.
        stage.person("customers", json!({"name": "New"})).await;
        let mut mark = before.mark;
        let mut seen = false;
        for _ in 0..3 {
            let page = stage
                .read(Kind::Customer, Depth::Changes, mark.as_ref())
                .await;
            seen |= page.records.iter().any(|it| {
                it.id == of && matches!(&it.document, Document::Customer(it) if it.inactive)
            });
            mark = page.mark;
        }
        assert!(seen, "{capabilities:?}");
    }
}

#[tokio::test]
async fn a_notification_is_proven_by_its_secret_and_whatever_it_says_is_a_hint() {
    for (capabilities, told) in [(&["all"][..], true), (&[], false)] {
        let stage = Stage::new(capabilities).await;
        let there = stage.subscriptions();
        let url = "https://tieout.example/webhooks/alternative-payments/acme";
        let (subscription, secret) = there.subscribe(url).await.unwrap();
        let all = there.list().await.unwrap();
        assert_eq!(
            (all[0].id.as_str(), all[0].enabled),
            (subscription.as_str(), true)
        );
        let of = stage.customer().await;
        let made = stage.invoiced(&of, "INV-1", "100").await;
        stage.person("pay", json!({"invoice": made.id})).await;
        for _ in 0..100 {
            if !stage.told.0.lock().unwrap().is_empty() {
                break;
            }
            stage.advance(0);
            tokio::task::yield_now().await;
        }
        let sent = stage.told.0.lock().unwrap().first().cloned();
        let sent = sent.expect("something was told");
        let Some(Webhooks::Signed(signed)) = tieout_systems::find("alternative-payments")
            .unwrap()
            .system
            .webhooks
        else {
            panic!()
        };
        let keys = |secret: &str| SecurityKeys {
            current: secret.to_owned().into(),
            previous: None,
        };
        let proof = sent.headers().get(signed.header).map(|it| it.as_bytes());
        let hint = (signed.receive)(&keys(secret.expose_secret()), proof, sent.body()).unwrap();
        assert_eq!(hint.kind.is_some(), told);
        assert_eq!(hint.event.is_empty(), !told);
        assert!((signed.receive)(&keys("another"), proof, sent.body()).is_err());
        there.unsubscribe(&subscription).await.unwrap();
        assert!(there.list().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn s201_each_cause_of_a_refusal_is_told_apart() {
    let stage = Stage::new(&["all"]).await;
    let codes = async |stage: &Stage| {
        let checks = stage.ports.whole.examine().await;
        checks
            .iter()
            .map(|check| check.code.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(codes(&stage).await, ["sign-in", "checked"]);
    let credential = |body: Value| {
        stage
            .fake
            .credential("alternative-payments", &body)
            .unwrap()
            .unwrap();
    };
    credential(json!({"action": "expire"}));
    assert_eq!(codes(&stage).await, ["sign-in", "checked"]);
    assert_eq!(stage.calls("POST /oauth/token"), 2);
    credential(
        json!({"action": "role", "role": "customers:read,invoices:read,payments:read,refunds:read,webhooks:read"}),
    );
    assert_eq!(codes(&stage).await, ["sign-in", "permission-missing"]);
    credential(json!({"action": "revoke"}));
    assert_eq!(codes(&stage).await, ["api-key-refused"]);
}
