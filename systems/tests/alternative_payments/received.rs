//! What is read: payments, payouts, notifications; and how calls are spaced.

use serde_json::json;
use tieout_domain::document::{
    CustomerPayment, InvoiceStatus, PartOf, Payout, PayoutStatus, ReceiptStatus, UseOf,
};
use tieout_domain::{Amount, Document, Kind, RemoteId};
use tieout_kit::webhooks::{SecurityKeys, Webhooks};

use crate::stage::{SERVICE, Stage, amount, id};

async fn payment(stage: &Stage, id: &RemoteId) -> CustomerPayment {
    let found = stage.read(Kind::CustomerPayment, None).await;
    assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
    let found = found.records.into_iter().find(|one| one.id == *id);
    match found.unwrap().document {
        Document::CustomerPayment(payment) => payment,
        other => panic!("{other:?}"),
    }
}

async fn payout(stage: &Stage, id: &RemoteId) -> Payout {
    let found = stage.read(Kind::Payout, None).await;
    assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
    let found = found.records.into_iter().find(|one| one.id == *id);
    match found.unwrap().document {
        Document::Payout(payout) => payout,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_payment_is_read_with_its_invoice_also_where_it_doesn_t_name_it() {
    for stage in [Stage::new().await, Stage::documented().await] {
        let (of, invoice) = stage.billed("7", "100.00").await;
        let more = json!({"amount": "40.00", "covers_fees": true});
        let paid = stage.pays(&invoice.id, &more).await;
        let read = payment(&stage, &paid).await;
        assert_eq!(read.customer.as_ref(), Some(&of));
        assert_eq!(read.total, amount("40.00"), "without the fee on top");
        assert_eq!(read.status, ReceiptStatus::Received);
        let [part] = read.uses.as_slice() else {
            panic!("{:?}", read.uses)
        };
        assert_eq!(part.of, UseOf::Invoice(invoice.id.clone()));
        assert_eq!(part.amount, amount("40.00"));
    }
}

#[tokio::test]
async fn what_becomes_of_a_payment_is_read() {
    for stage in [Stage::new().await, Stage::documented().await] {
        let (_, invoice) = stage.billed("7", "100.00").await;
        let debit = json!({"amount": "10.00", "method": "standard_ach"});
        let debit = stage.pays(&invoice.id, &debit).await;
        assert_eq!(payment(&stage, &debit).await.status, ReceiptStatus::Pending);
        stage.advance(48);
        assert_eq!(
            payment(&stage, &debit).await.status,
            ReceiptStatus::Received
        );
        stage
            .person(&format!("payments/{debit}"), json!({"status": "failed"}))
            .await;
        assert_eq!(payment(&stage, &debit).await.status, ReceiptStatus::Failed);

        let disputed = stage.pays(&invoice.id, &json!({"amount": "20.00"})).await;
        stage
            .person(
                &format!("payments/{disputed}"),
                json!({"status": "chargeback"}),
            )
            .await;
        let read = payment(&stage, &disputed).await;
        assert_eq!(read.status, ReceiptStatus::Received);
        assert!(read.charge.unwrap().disputed);

        let refunded = stage.pays(&invoice.id, &json!({"amount": "30.00"})).await;
        stage
            .person("refunds", json!({"payment": refunded.as_str()}))
            .await;
        let read = payment(&stage, &refunded).await;
        assert_eq!(read.status, ReceiptStatus::Received);
        let refund = &read.charge.unwrap().refunds[0];
        assert_eq!((refund.amount, refund.succeeded), (amount("30.00"), true));
    }
}

#[tokio::test]
async fn an_invoice_says_what_is_open_where_balances_are_told() {
    let stage = Stage::new().await;
    let (_, invoice) = stage.billed("7", "100.00").await;
    stage.pays(&invoice.id, &json!({"amount": "40.00"})).await;
    let read = stage.fetch(Kind::Invoice, &invoice.id).await.unwrap();
    let Document::Invoice(read) = read.document else {
        panic!()
    };
    assert_eq!(read.open, amount("60.00"));
    stage.pays(&invoice.id, &json!({})).await;
    let read = stage.fetch(Kind::Invoice, &invoice.id).await.unwrap();
    let Document::Invoice(read) = read.document else {
        panic!()
    };
    assert_eq!((read.open, read.status), (amount("0"), InvoiceStatus::Paid));
}

/// The example of the books: 10,000.00 of 14 payments − 245.60 of fees − a refund of 300.00 − a chargeback of 1,200.00
/// − 15.00 for the dispute = 8,239.40.
#[tokio::test]
async fn a_payout_is_read_with_all_that_it_is_made_of() {
    for stage in [Stage::new().await, Stage::documented().await] {
        let (_, before) = stage.billed("1", "1500.00").await;
        let refunded = stage.pays(&before.id, &json!({"amount": "300.00"})).await;
        let disputed = stage.pays(&before.id, &json!({"amount": "1200.00"})).await;
        stage.advance(48);
        stage
            .person("refunds", json!({"payment": refunded.as_str()}))
            .await;
        stage
            .person(
                &format!("payments/{disputed}"),
                json!({"status": "chargeback"}),
            )
            .await;
        let (_, invoice) = stage.billed("2", "10000.00").await;
        for index in 0..14 {
            let (part, fee) = if index < 13 {
                ("700.00", "17.20")
            } else {
                ("900.00", "22.00")
            };
            stage
                .pays(&invoice.id, &json!({"amount": part, "fees": fee}))
                .await;
        }
        let made = id(&stage.person("payouts", json!({})).await);
        let read = payout(&stage, &made).await;
        assert_eq!(read.status, PayoutStatus::UnderWay);
        assert_eq!(read.total, amount("8239.40"));
        assert_eq!(read.payments().count(), 14);
        let sum = |is: fn(&PartOf) -> bool| {
            let parts = read.parts.iter().filter(|part| is(&part.of));
            Amount::total(parts.map(|part| part.amount)).unwrap()
        };
        assert_eq!(
            sum(|of| matches!(of, PartOf::Payment(_))),
            amount("10000.00")
        );
        assert_eq!(sum(|of| *of == PartOf::Fee), amount("-245.60"));
        assert_eq!(sum(|of| *of == PartOf::DisputeFee), amount("-15.00"));
        assert_eq!(
            sum(|of| matches!(of, PartOf::Refund { .. })),
            amount("-300.00")
        );
        let of = PartOf::Chargeback {
            payment: Some(disputed.clone()),
        };
        let chargeback = read.parts.iter().find(|part| part.of == of);
        assert_eq!(chargeback.unwrap().amount, amount("-1200.00"));
        stage.advance(24);
        let read = payout(&stage, &made).await;
        assert_eq!(read.status, PayoutStatus::Paid);
    }
}

#[tokio::test]
async fn changes_are_read_from_a_mark_on() {
    for stage in [Stage::new().await, Stage::documented().await] {
        let (_, invoice) = stage.billed("7", "100.00").await;
        stage.pays(&invoice.id, &json!({"amount": "10.00"})).await;
        let whole = stage.read(Kind::CustomerPayment, None).await;
        assert_eq!(whole.records.len(), 1);
        let mark = whole.mark.unwrap();
        stage.advance(24 * 20);
        let paid = stage.pays(&invoice.id, &json!({"amount": "40.00"})).await;
        let changed = stage.read(Kind::CustomerPayment, Some(&mark)).await;
        assert!(changed.records.iter().any(|one| one.id == paid));
        let mark = changed.mark.unwrap();
        stage.advance(24 * 3);
        stage
            .person(&format!("payments/{paid}"), json!({"status": "failed"}))
            .await;
        let changed = stage.read(Kind::CustomerPayment, Some(&mark)).await;
        let found = changed.records.iter().find(|one| one.id == paid);
        let found = found.unwrap_or_else(|| panic!("{changed:?}"));
        let Document::CustomerPayment(payment) = &found.document else {
            panic!()
        };
        assert_eq!(payment.status, ReceiptStatus::Failed);
    }
}

#[tokio::test]
async fn pages_are_read_in_every_shape_and_no_call_is_one_too_many() {
    let stage = Stage::new().await;
    for nth in 0..230 {
        let body = json!({"name": format!("Customer {nth}")});
        stage.person("customers", body).await;
    }
    for (paging, newest_first) in [("flat", false), ("nested", false), ("flat", true)] {
        stage.switch("paging", paging).await;
        stage.switch("newest_first", newest_first).await;
        let all = stage.read(Kind::Customer, None).await;
        assert_eq!(all.records.len(), 230, "{paging}");
    }
    // The limit of five calls a second is on, by a clock that whoever waits moves on.
    let calls = stage.chassis.calls.of(SERVICE);
    assert!(calls.total > 9, "{calls:?}");
    assert_eq!(calls.refused, 0);
}

#[tokio::test]
async fn a_token_that_ended_or_was_ended_is_taken_anew() {
    let stage = Stage::new().await;
    stage.read(Kind::Customer, None).await;
    stage.advance(2);
    stage.read(Kind::Customer, None).await;
    stage.key(&json!({"action": "expire"}));
    stage.read(Kind::Customer, None).await;
    stage.key(&json!({"action": "revoke"}));
    let page =
        stage.ports.read[&Kind::Customer].page(tieout_domain::port::Depth::Whole, None, None);
    let fault = page.await.unwrap_err();
    assert!(
        matches!(fault, tieout_domain::Fault::Denied { .. }),
        "{fault:?}"
    );
}

#[tokio::test]
async fn a_notification_is_proven_by_the_secret_that_comes_back() {
    for stage in [Stage::new().await, Stage::documented().await] {
        let system = tieout_systems::find(SERVICE).unwrap().system;
        let Some(Webhooks::Signed(signed)) = system.webhooks else {
            panic!()
        };
        let keeper = (signed.subscriptions)(&stage.table, stage.credential(), stage.kit.clone());
        let keeper = keeper.unwrap();
        let url = "https://tieout.example.com/webhooks/alternative-payments/a";
        let (subscription, secret) = keeper.subscribe(url).await.unwrap();
        let listed = keeper.list().await.unwrap();
        assert!(
            listed
                .iter()
                .any(|one| one.id == subscription && one.url == url && one.enabled)
        );
        let (_, invoice) = stage.billed("7", "100.00").await;
        stage.told.0.lock().unwrap().clear();
        stage.pays(&invoice.id, &json!({})).await;
        let told = loop {
            if let Some(told) = stage.told.0.lock().unwrap().pop() {
                break told;
            }
            tokio::task::yield_now().await;
        };
        let proof = told
            .headers()
            .get(signed.header)
            .map(|value| value.as_bytes());
        let keys = |key: &str| SecurityKeys {
            current: key.to_owned().into(),
            previous: None,
        };
        let ours = SecurityKeys {
            current: secret,
            previous: None,
        };
        assert!((signed.receive)(&ours, proof, told.body()).is_ok());
        assert!((signed.receive)(&keys("another"), proof, told.body()).is_err());
        keeper.unsubscribe(&subscription).await.unwrap();
        assert!(keeper.list().await.unwrap().is_empty());
    }
}
