//! Reading: pages, marks, what is read again, payments and payouts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tieout_domain::document::{
    CustomerPayment, InvoiceStatus, PartOf, Payout, PayoutStatus, ReceiptMethod, ReceiptStatus,
    SalesLineKind, UseOf,
};
use tieout_domain::port::Depth;
use tieout_domain::{Amount, Document, Fault, Kind};

use super::{
    CUSTOMER, INVOICE, PAYMENT, PAYOUT, REFUND, Reply, Stage, TRANSACTIONS, list, ok, page, with,
};

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

async fn only(stage: &Stage, kind: Kind) -> Result<Document, String> {
    let mut page = stage.read(kind, Depth::Whole, None).await;
    match (page.records.pop(), page.unreadable.pop()) {
        (Some(record), None) => Ok(record.document),
        (None, Some((_, why))) => Err(why),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_shared_fixtures_are_read_whole() {
    let stage = Stage::new("", |_| list(&[CUSTOMER]));
    let Ok(Document::Customer(customer)) = only(&stage, Kind::Customer).await else {
        panic!()
    };
    assert_eq!(customer.name, "Rivera Studio LLC");
    assert_eq!(customer.marker.unwrap().to_string(), "ns:1234567_SB1:4");
    assert_eq!(customer.address.unwrap().zip, "78701");
    assert!(!customer.inactive);

    let stage = Stage::new("", |_| list(&[INVOICE]));
    let Ok(Document::Invoice(invoice)) = only(&stage, Kind::Invoice).await else {
        panic!()
    };
    assert_eq!(
        (invoice.number.as_str(), invoice.memo.as_str()),
        ("INV-1001", "Second delivery")
    );
    assert_eq!(invoice.date.to_string(), "2026-06-01");
    assert_eq!(invoice.purchase_order, "88");
    assert_eq!(invoice.marker.unwrap().id.as_str(), "4711");
    assert_eq!(
        (invoice.total, invoice.open, invoice.status),
        (amount("1081.5"), amount("1081.5"), InvoiceStatus::Open)
    );
    let kinds: Vec<SalesLineKind> = invoice.lines.iter().map(|line| line.line_kind).collect();
    assert_eq!(
        kinds,
        [
            SalesLineKind::Item,
            SalesLineKind::Discount,
            SalesLineKind::Tax
        ]
    );
    assert_eq!(invoice.lines[0].rate, amount("250"));
}

#[tokio::test]
async fn what_is_open_is_believed_only_where_it_is_told() {
    let open = async |capabilities: &str, fields: serde_json::Value| {
        let invoice = with(INVOICE, fields);
        let stage = Stage::new(capabilities, move |_| list(&[&invoice]));
        match only(&stage, Kind::Invoice).await {
            Ok(Document::Invoice(invoice)) => Ok((invoice.open, invoice.status)),
            Ok(other) => panic!("{other:?}"),
            Err(why) => Err(why),
        }
    };
    let part = json!({"balance": 81.5, "status": "overdue"});
    assert_eq!(
        open("balances", part.clone()).await,
        Ok((amount("81.5"), InvoiceStatus::Open))
    );
    assert_eq!(
        open("", part).await,
        Ok((amount("1081.5"), InvoiceStatus::Open))
    );
    assert_eq!(
        open("", json!({"status": "paid"})).await,
        Ok((Amount::ZERO, InvoiceStatus::Paid))
    );
    assert!(open("balances", json!({})).await.is_err());
    for (word, wanted) in [
        ("processing", InvoiceStatus::PaymentPending),
        ("archived", InvoiceStatus::Voided),
        ("settled", InvoiceStatus::Other("settled".to_owned())),
    ] {
        assert_eq!(open("", json!({"status": word})).await.unwrap().1, wanted);
    }
}

#[tokio::test]
async fn a_list_is_read_to_its_end_and_one_bad_record_hides_no_other() {
    let broken = r#"{"id":"inv_x","created_at":"2026-06-03T00:00:00Z"}"#;
    let stage = Stage::new("", move |seen| match seen.call.as_str() {
        "GET /invoices?limit=100" => page(&[INVOICE, broken], Some("a")),
        "GET /invoices?limit=100&after=a" => {
            let nested = with(INVOICE, json!({"id": "inv_2"}));
            ok(format!(
                r#"{{"data":[{nested}],"pagination":{{"end_cursor":"b","has_next_page":true}}}}"#
            ))
        }
        // A cursor that was seen before: a circle.
        "GET /invoices?limit=100&after=b" => page(&[INVOICE], Some("a")),
        other => panic!("{other}"),
    });
    let page = stage.read(Kind::Invoice, Depth::Whole, None).await;
    assert!(stage.calls().len() <= 6, "{:?}", stage.calls());
    assert!(page.records.len() >= 3);
    assert_eq!(page.unreadable[0].0.as_str(), "inv_x");
    assert!(page.mark.is_some());
}

#[tokio::test]
async fn a_page_that_promises_more_and_leads_nowhere_is_no_end_of_a_list() {
    let drifts = async |kind: Kind, invoices: String, payments: String| {
        let stage = Stage::new("", move |seen| match seen.call.as_str() {
            call if call.starts_with("GET /invoices") => ok(invoices.clone()),
            _ => ok(payments.clone()),
        });
        let page = stage.ports.read[&kind].page(Depth::Whole, None, None);
        let fault = page.await.unwrap_err();
        assert!(matches!(fault, Fault::Drift { .. }), "{fault:?}");
        assert!(fault.to_string().contains("and not where"), "{fault}");
    };
    let more =
        |records: &str| format!(r#"{{"data":[{records}],"end_cursor":null,"has_next_page":true}}"#);
    let payments = format!(r#"{{"data":[{PAYMENT}],"has_next_page":false}}"#);
    for invoices in [more(INVOICE), more("")] {
        drifts(Kind::Invoice, invoices.clone(), payments.clone()).await;
        // What is asked for beside a list is a list, too.
        drifts(Kind::CustomerPayment, invoices, payments.clone()).await;
    }
}

#[tokio::test]
async fn changes_are_asked_for_where_the_account_can_tell_them() {
    let stage = Stage::new("changed-since", |_| {
        let changed = json!({"updated_at": "2026-06-12T10:00:00Z"});
        list(&[&with(INVOICE, changed)]).with("date", "Fri, 12 Jun 2026 11:00:00 GMT")
    });
    let mark = stage.read(Kind::Invoice, Depth::Whole, None).await.mark;
    let page = stage
        .read(Kind::Invoice, Depth::Changes, mark.as_ref())
        .await;
    assert_eq!(page.records[0].version, "2026-06-12T10:00:00Z");
    assert_eq!(
        stage.calls(),
        [
            "GET /invoices?limit=100",
            "GET /invoices?limit=100&updated_at_start=2026-06-12T09:55:00Z"
        ]
    );
}

#[tokio::test]
async fn a_mark_never_passes_the_moment_at_which_a_read_began() {
    // What changed while the second page was read may be missing on the first.
    let late = json!({"id": "inv_2", "updated_at": "2026-06-12T10:30:00Z"});
    let late = with(INVOICE, late);
    let stage = Stage::new("changed-since", move |seen| {
        let reply = match seen.call.contains("after") {
            false => page(&[INVOICE], Some("a")),
            true => list(&[&late]),
        };
        reply.with("date", "Fri, 12 Jun 2026 10:00:00 GMT")
    });
    let mark = stage.read(Kind::Invoice, Depth::Whole, None).await.mark;
    stage
        .read(Kind::Invoice, Depth::Changes, mark.as_ref())
        .await;
    let last = stage.calls().pop().unwrap();
    let first_of_second = stage
        .calls()
        .into_iter()
        .find(|call| call.contains("updated_at_start"))
        .unwrap();
    assert!(first_of_second.contains("2026-06-12T09:55:00Z"), "{last}");
}

#[tokio::test]
async fn without_it_the_new_is_read_and_the_past_in_turn() {
    let old = with(
        INVOICE,
        json!({"id": "inv_0", "created_at": "2026-01-01T00:00:00Z"}),
    );
    let stage = Stage::new("", move |_| list(&[&old, INVOICE]));
    let mut mark = stage.read(Kind::Invoice, Depth::Whole, None).await.mark;
    let mut turns = Vec::new();
    for _ in 0..7 {
        let before = stage.calls().len();
        mark = stage
            .read(Kind::Invoice, Depth::Changes, mark.as_ref())
            .await
            .mark;
        let calls = stage.calls().split_off(before);
        assert_eq!(
            calls[0],
            "GET /invoices?limit=100&created_at_start=2026-06-02T00:05:00Z"
        );
        turns.push(
            calls[1]
                .rsplit_once("created_at_start=")
                .unwrap()
                .1
                .to_owned(),
        );
    }
    assert_eq!(
        turns,
        [
            "2026-01-01T00:00:00Z&created_at_end=2026-01-31T00:00:00Z",
            "2026-01-31T00:00:00Z&created_at_end=2026-03-02T00:00:00Z",
            "2026-03-02T00:00:00Z&created_at_end=2026-04-01T00:00:00Z",
            "2026-04-01T00:00:00Z&created_at_end=2026-05-01T00:00:00Z",
            "2026-05-01T00:00:00Z&created_at_end=2026-05-31T00:00:00Z",
            "2026-05-31T00:00:00Z&created_at_end=2026-06-02T00:05:00Z",
            "2026-01-01T00:00:00Z&created_at_end=2026-01-31T00:00:00Z",
        ]
    );
}

async fn payment(stage: &Stage) -> Result<CustomerPayment, String> {
    match only(stage, Kind::CustomerPayment).await? {
        Document::CustomerPayment(payment) => Ok(payment),
        other => panic!("{other:?}"),
    }
}

fn allocated(fields: serde_json::Value) -> Stage {
    let allocations = json!({"allocations": [{"invoice_id": "inv_51a0", "amount": 1081.5}]});
    let payment = with(&with(PAYMENT, allocations), fields);
    Stage::new("allocations", move |seen| match seen.call.as_str() {
        call if call.starts_with("GET /payments") => list(&[&payment]),
        _ => list(&[&with(REFUND, json!({"payment_id": "pay_77"}))]),
    })
}

#[tokio::test]
async fn s183_what_settles_the_invoice_is_without_the_fees_that_came_on_top() {
    let read = payment(&allocated(json!({}))).await.unwrap();
    assert_eq!(
        (read.total, read.unapplied),
        (amount("1081.5"), Amount::ZERO)
    );
    assert_eq!(read.uses[0].of, UseOf::Invoice("inv_51a0".into()));
    assert_eq!(read.uses[0].amount, amount("1081.5"));
    assert_eq!(
        (read.method, read.status),
        (ReceiptMethod::Card, ReceiptStatus::Received)
    );
    assert!(
        read.charge
            .is_some_and(|charge| charge.refunds.is_empty() && !charge.disputed)
    );
    let why = payment(&allocated(json!({"total": 1113.17})))
        .await
        .unwrap_err();
    assert!(why.contains("1113.17") && why.contains("31.66"), "{why}");
}

#[tokio::test]
async fn a_payment_that_does_not_tell_what_it_pays_is_unreadable_where_it_was_to() {
    let read = async |capabilities: &str, shown: String| {
        let stage = Stage::new(capabilities, move |seen| match seen.call.as_str() {
            call if call.starts_with("GET /payments") => list(&[&shown]),
            _ => list(&[]),
        });
        payment(&stage).await.map(|payment| payment.uses)
    };
    for shown in [
        PAYMENT.to_owned(),
        with(PAYMENT, json!({"allocations": null})),
    ] {
        let why = read("allocations", shown.clone()).await.unwrap_err();
        assert!(why.contains("`allocations` is missing"), "{why}");
        assert_eq!(read("", shown).await, Ok(Vec::new()));
    }
    // It says that it pays nothing.
    let nothing = with(PAYMENT, json!({"allocations": []}));
    assert_eq!(read("allocations", nothing).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_word_that_is_not_known_is_never_taken_for_received() {
    for (word, wanted) in [
        ("pending", ReceiptStatus::Pending),
        ("processing", ReceiptStatus::Pending),
        ("failed", ReceiptStatus::Failed),
        ("captured", ReceiptStatus::Other("captured".to_owned())),
    ] {
        let read = payment(&allocated(json!({"status": word}))).await.unwrap();
        assert_eq!(read.status, wanted);
    }
    let disputed = payment(&allocated(json!({"status": "chargeback"})))
        .await
        .unwrap();
    assert!(disputed.charge.unwrap().disputed);
    assert_eq!(disputed.status, ReceiptStatus::Received);
}

#[tokio::test]
async fn s190_a_refund_is_found_and_stays_the_same_one() {
    let told = payment(&allocated(json!({"status": "refunded"})))
        .await
        .unwrap();
    let refund = told.charge.unwrap().refunds.remove(0);
    assert_eq!(
        (refund.id.as_str(), refund.amount, refund.date.to_string()),
        ("rfd_3", amount("1081.5"), "2026-06-14".to_owned())
    );
    // Two payments of one amount: the first refund is the second payment's, and stays so when the first is refunded too.
    let first = json!({"id": "pay_1", "created_at": "2026-06-01T00:00:00Z", "status": "refunded"});
    let first = with(PAYMENT, first);
    let second = with(PAYMENT, json!({"status": "refunded"}));
    let later = json!({"id": "rfd_9", "created_at": "2026-06-20T00:00:00Z"});
    let later = with(REFUND, later);
    let both = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen_both = std::sync::Arc::clone(&both);
    let mut stage = Stage::new("", move |seen| {
        let both = seen_both.load(std::sync::atomic::Ordering::SeqCst);
        match seen.call.as_str() {
            call if call.starts_with("GET /payments") && both => list(&[&first, &second]),
            call if call.starts_with("GET /payments") => list(&[&second]),
            call if call.starts_with("GET /refunds") && both => list(&[REFUND, &later]),
            call if call.starts_with("GET /refunds") => list(&[REFUND]),
            _ => list(&[]),
        }
    });
    let mark = stage
        .read(Kind::CustomerPayment, Depth::Whole, None)
        .await
        .mark;
    both.store(true, std::sync::atomic::Ordering::SeqCst);
    stage.next_run();
    let page = stage
        .read(Kind::CustomerPayment, Depth::Whole, mark.as_ref())
        .await;
    let refunds: Vec<(String, String)> = page
        .records
        .iter()
        .map(|record| match &record.document {
            Document::CustomerPayment(it) => {
                let refund = &it.charge.as_ref().unwrap().refunds[0];
                (record.id.to_string(), refund.id.to_string())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(refunds, [pair("pay_1", "rfd_9"), pair("pay_77", "rfd_3")]);
    // Money went back, and nobody can say when.
    let lost = with(PAYMENT, json!({"status": "refunded"}));
    let stage = Stage::new("", move |seen| match seen.call.as_str() {
        call if call.starts_with("GET /payments") => list(&[&lost]),
        _ => list(&[]),
    });
    assert!(payment(&stage).await.unwrap_err().contains("refunded"));
}

/// Three invoices of a customer; the payment pays the second.
fn asked(seen: &super::Seen) -> Reply {
    let invoice = |id: &str, total: f64, status: &str| {
        with(INVOICE, json!({"id": id, "total": total, "status": status}))
    };
    match seen.call.as_str() {
        "GET /invoices?limit=100&customer_id=cus_9f2c" => list(&[
            &invoice("inv_1", 5.0, "paid"),
            &invoice("inv_2", 1081.5, "paid"),
            &invoice("inv_3", 1081.5, "open"),
        ]),
        "GET /payments?limit=100&invoice_id=inv_2" => list(&[PAYMENT]),
        call if call.contains("invoice_id") => list(&[]),
        call if call.starts_with("GET /payments") => list(&[PAYMENT]),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn which_invoice_a_payment_pays_is_asked_once_the_likely_ones_first() {
    let mut stage = Stage::new("", asked);
    let page = stage.read(Kind::CustomerPayment, Depth::Whole, None).await;
    let Document::CustomerPayment(read) = &page.records[0].document else {
        panic!()
    };
    assert_eq!(read.uses[0].of, UseOf::Invoice("inv_2".into()));
    assert_eq!(
        stage.calls(),
        [
            "GET /payments?limit=100",
            "GET /invoices?limit=100&customer_id=cus_9f2c",
            "GET /payments?limit=100&invoice_id=inv_2",
        ]
    );
    for depth in [Depth::Changes, Depth::Whole] {
        stage.next_run();
        let again = stage
            .read(Kind::CustomerPayment, depth, page.mark.as_ref())
            .await;
        assert_eq!(again.records[0].document, page.records[0].document);
        assert_eq!(stage.calls().len(), 1, "{:?}", stage.calls());
    }
    stage.next_run();
    stage
        .read(Kind::CustomerPayment, Depth::Changes, page.mark.as_ref())
        .await;
    assert_eq!(
        stage.calls(),
        ["GET /payments?limit=100&created_at_start=2026-03-14T10:40:00Z"]
    );
}

#[tokio::test]
async fn a_payment_of_several_invoices_is_parted_only_where_it_comes_out_to_the_cent() {
    let uses = async |first: f64| {
        let stage = Stage::new("", move |seen| {
            let invoice = |id: &str, total: f64| {
                with(INVOICE, json!({"id": id, "total": total, "status": "paid"}))
            };
            match seen.call.as_str() {
                call if call.starts_with("GET /invoices") => {
                    list(&[&invoice("inv_1", first), &invoice("inv_2", 81.5)])
                }
                _ => list(&[PAYMENT]),
            }
        });
        let paid = payment(&stage).await.unwrap();
        let mut uses: Vec<String> = paid
            .uses
            .iter()
            .map(|part| format!("{} {}", part.of.invoice().unwrap(), part.amount))
            .collect();
        uses.sort();
        uses
    };
    assert_eq!(uses(1000.0).await, ["inv_1 1000", "inv_2 81.5"]);
    // Which of the two was paid in part, nobody tells.
    assert!(uses(1000.5).await.is_empty());
}

#[tokio::test]
async fn a_payment_whose_invoice_nobody_tells_has_no_use_and_is_asked_about_again_by_a_whole_read()
{
    let mut stage = Stage::new("", |seen| match seen.call.as_str() {
        "GET /payments?limit=100&invoice_id=inv_2" => list(&[]),
        _ => asked(seen),
    });
    // A day after it was made.
    stage.at("2026-06-13T10:40:00Z");
    let page = stage.read(Kind::CustomerPayment, Depth::Whole, None).await;
    let Document::CustomerPayment(read) = &page.records[0].document else {
        panic!()
    };
    assert!(read.uses.is_empty());
    assert_eq!(read.unapplied, amount("1081.5"));
    stage.next_run();
    stage
        .read(Kind::CustomerPayment, Depth::Changes, page.mark.as_ref())
        .await;
    assert_eq!(stage.calls().len(), 1);
    stage.next_run();
    stage
        .read(Kind::CustomerPayment, Depth::Whole, page.mark.as_ref())
        .await;
    assert_eq!(stage.calls().len(), 5);
}

/// A list may be late to show what pays an invoice.
#[tokio::test]
async fn a_young_payment_whose_invoice_nobody_tells_yet_is_asked_about_by_the_next_run() {
    let shows = Arc::new(AtomicBool::new(false));
    let shown = Arc::clone(&shows);
    let mut stage = Stage::new("", move |seen| match seen.call.as_str() {
        "GET /payments?limit=100&invoice_id=inv_2" if !shown.load(Ordering::SeqCst) => list(&[]),
        _ => asked(seen),
    });
    let uses = |document: &Document| match document {
        Document::CustomerPayment(payment) => payment.uses.clone(),
        other => panic!("{other:?}"),
    };
    stage.at("2026-06-13T10:00:00Z");
    let page = stage.read(Kind::CustomerPayment, Depth::Whole, None).await;
    assert!(uses(&page.records[0].document).is_empty());
    shows.store(true, Ordering::SeqCst);
    stage.next_run();
    let page = stage
        .read(Kind::CustomerPayment, Depth::Changes, page.mark.as_ref())
        .await;
    let used = uses(&page.records[0].document);
    assert_eq!(used[0].of, UseOf::Invoice("inv_2".into()));
}

fn paid_out(payout: String, transactions: &'static str) -> Stage {
    Stage::new("", move |seen| match seen.call.as_str() {
        "GET /payouts/pyt_12/transactions?limit=100" => ok(transactions),
        call if call.starts_with("GET /payouts?") => list(&[&payout]),
        other => panic!("{other}"),
    })
}

async fn payout(stage: &Stage) -> Result<Payout, String> {
    match only(stage, Kind::Payout).await? {
        Document::Payout(payout) => Ok(payout),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn s184_a_payout_is_made_of_its_transactions_and_the_fees_that_are_taken_off() {
    let read = payout(&paid_out(PAYOUT.to_owned(), TRANSACTIONS))
        .await
        .unwrap();
    assert_eq!(
        (read.total, read.status.clone()),
        (amount("8239.4"), PayoutStatus::Paid)
    );
    assert_eq!(read.date.to_string(), "2026-06-16");
    let paid: Vec<String> = read.payments().map(|(id, _)| id.to_string()).collect();
    assert_eq!(paid, ["pay_77", "pay_78"]);
    let of = |wanted: &PartOf| {
        let part = read.parts.iter().find(|part| part.of == *wanted);
        part.map(|part| part.amount.to_string())
    };
    assert_eq!(of(&PartOf::Fee).as_deref(), Some("-245.6"));
    assert_eq!(of(&PartOf::DisputeFee).as_deref(), Some("-15"));
    assert_eq!(
        of(&PartOf::Refund { payment: None }).as_deref(),
        Some("-300")
    );
    let payment = Some("pay_70".into());
    assert_eq!(
        of(&PartOf::Chargeback { payment }).as_deref(),
        Some("-1200")
    );
}

#[tokio::test]
async fn a_payout_that_does_not_add_up_is_named_and_not_believed() {
    let wrong = with(PAYOUT, json!({"total": 8239.41}));
    let why = payout(&paid_out(wrong, TRANSACTIONS)).await.unwrap_err();
    assert!(why.contains("8239.4") && why.contains("8239.41"), "{why}");
    let nameless = r#"{"data":[{"id":"x","type":"payment","amount":1}]}"#;
    let why = payout(&paid_out(PAYOUT.to_owned(), nameless))
        .await
        .unwrap_err();
    assert!(why.contains("names no payment"), "{why}");
    let strange = r#"{"data":[{"id":"x","type":"bonus","amount":8485}]}"#;
    let read = payout(&paid_out(PAYOUT.to_owned(), strange)).await.unwrap();
    assert_eq!(read.parts[0].of, PartOf::Other("bonus".to_owned()));
    for (word, wanted) in [
        ("scheduled", PayoutStatus::UnderWay),
        ("failed", PayoutStatus::Failed),
        ("canceled", PayoutStatus::Canceled),
        ("sent", PayoutStatus::Other("sent".to_owned())),
    ] {
        let payout_ = with(PAYOUT, json!({"status": word}));
        assert_eq!(
            payout(&paid_out(payout_, TRANSACTIONS))
                .await
                .unwrap()
                .status,
            wanted
        );
    }
}

#[tokio::test]
async fn the_transactions_of_what_has_arrived_are_read_once() {
    let mut stage = paid_out(PAYOUT.to_owned(), TRANSACTIONS);
    let mark = stage.read(Kind::Payout, Depth::Whole, None).await.mark;
    stage.next_run();
    let page = stage
        .read(Kind::Payout, Depth::Changes, mark.as_ref())
        .await;
    assert!(page.records.is_empty());
    assert_eq!(
        stage.calls(),
        ["GET /payouts?limit=100&start_date=2026-02-15"]
    );
    stage.next_run();
    let page = stage.read(Kind::Payout, Depth::Whole, mark.as_ref()).await;
    assert_eq!((page.records.len(), stage.calls().len()), (1, 2));
}
