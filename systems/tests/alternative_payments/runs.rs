//! What a later run reads, with all that is missing in the documented API and without any of it.

use serde_json::json;
use tieout_domain::document::{PayoutStatus, ReceiptStatus};
use tieout_domain::port::Depth;
use tieout_domain::{Document, Fault, Kind, RemoteId};

use crate::stage::{Stage, amount};

/// A customer pays so much of an invoice.
async fn paid(stage: &Stage, invoice: &RemoteId, amount: &str) -> RemoteId {
    let body = json!({"invoice": invoice.as_str(), "amount": amount});
    let made = stage.person("pay", body).await;
    made["id"].as_str().unwrap().into()
}

#[tokio::test]
async fn what_changed_after_a_mark_is_read_though_it_was_made_before() {
    for capabilities in [&["all"][..], &[]] {
        let stage = Stage::new(capabilities).await;
        let of = stage.customer().await;
        let invoice = stage.invoiced(&of, "INV-1", "100").await.id;
        let first = paid(&stage, &invoice, "10").await;
        let mark = stage.whole(Kind::CustomerPayment).await.mark;
        stage.advance(20);
        let second = paid(&stage, &invoice, "40").await;
        let depth = Depth::Changes;
        let changed = stage.read(Kind::CustomerPayment, depth, mark.as_ref());
        let changed = changed.await;
        assert!(changed.records.iter().any(|one| one.id == second));
        stage.advance(3);
        let act = format!("payments/{first}");
        stage.person(&act, json!({"status": "failed"})).await;
        let changed = stage.read(Kind::CustomerPayment, depth, changed.mark.as_ref());
        let changed = changed.await.records;
        let failed = changed.into_iter().find(|one| one.id == first).unwrap();
        let Document::CustomerPayment(failed) = failed.document else {
            panic!()
        };
        assert_eq!(failed.status, ReceiptStatus::Failed);
    }
}

#[tokio::test]
async fn a_payout_by_itself_is_read_on_its_way_and_when_it_has_arrived() {
    for capabilities in [&["all"][..], &[]] {
        let stage = Stage::new(capabilities).await;
        let of = stage.customer().await;
        let invoice = stage.invoiced(&of, "INV-1", "100").await.id;
        paid(&stage, &invoice, "100").await;
        stage.advance(1);
        let whole = stage.whole(Kind::Payout).await;
        let on_its_way = match &whole.records[0].document {
            Document::Payout(payout) => payout.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(on_its_way.status, PayoutStatus::UnderWay);
        assert_eq!(on_its_way.total, amount("96.80"));
        stage.advance(1);
        let changed = stage.read(Kind::Payout, Depth::Changes, whole.mark.as_ref());
        let changed = changed.await;
        let arrived = match &changed.records[0].document {
            Document::Payout(payout) => payout.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(arrived.status, PayoutStatus::Paid);
        assert_eq!(arrived.date, jiff::civil::date(2026, 3, 4));
        assert_eq!(arrived.parts, on_its_way.parts);
    }
}

#[tokio::test]
async fn a_token_that_is_over_or_was_ended_is_taken_anew() {
    let stage = Stage::new(&["all"]).await;
    let tokens = || stage.calls("POST /oauth/token");
    stage.whole(Kind::Customer).await;
    assert_eq!(tokens(), 1);
    stage.advance(1);
    stage.whole(Kind::Customer).await;
    assert_eq!(tokens(), 2, "an hour had passed");
    let key = |action: &str| {
        let body = json!({"action": action});
        stage.fake.credential("alternative-payments", &body)
    };
    key("expire").unwrap().unwrap();
    stage.whole(Kind::Customer).await;
    assert_eq!(tokens(), 3, "it was refused");
    key("revoke").unwrap().unwrap();
    let page = stage.ports.read[&Kind::Customer].page(Depth::Whole, None, None);
    let fault = page.await.unwrap_err();
    assert!(matches!(fault, Fault::Denied { .. }), "{fault:?}");
}
