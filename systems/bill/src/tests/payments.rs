//! Payments: their statuses, and recording those made elsewhere.

use tieout_domain::document::{Application, Method, Payment, PaymentStatus, VoidKind};
use tieout_domain::{Kind, Timestamp};

use super::*;

const RECORDED: &str = include_str!("../../fixtures/recorded-payment.json");

async fn read(json: String) -> Payment {
    let id = id_of(&json);
    let stage = Stage::new(move |_| ok(json.clone()));
    let found = stage.ports().read[&Kind::Payment]
        .fetch(&[id])
        .await
        .unwrap();
    let Document::Payment(payment) = found[0].document.clone() else {
        panic!()
    };
    payment
}

fn online(single: &str, coarse: &str, more: &str) -> String {
    format!(
        r#"{{"id":"stp1","vendorId":"009V","billPayments":[{{"billId":"00n1","amount":10}}],"amount":10,
            "fundingAmount":10,"processDate":"2026-06-15","onlinePayment":true,
            "singleStatus":{single},"status":{coarse},"updatedTime":"2026-06-15T10:00:00Z"{more}}}"#
    )
}

#[tokio::test]
async fn every_status_has_its_word_and_an_unknown_one_is_never_paid() {
    use PaymentStatus::*;
    for (single, coarse, expected) in [
        ("SCHEDULED", "APPROVING", Approving),
        ("SCHEDULED", "SCHEDULED", Scheduled),
        ("READY_TO_FUND", "SCHEDULED", Funding),
        ("FUNDING_STARTED", "SCHEDULED", Funding),
        ("PROCESSED", "PAID", Processed),
        ("SENT", "PAID", Processed),
        ("DELIVERED", "PAID", Processed),
        ("CLEARED", "PAID", Cleared),
        ("DISBURSEMENT_ON_HOLD", "PAID", OnHold),
        ("VOID_PENDING", "PAID", VoidPending),
        ("CANCELLATION_IN_PROGRESS", "SCHEDULED", VoidPending),
        ("CANCELED", "CANCELLED", Canceled),
        ("VOIDED", "VOID", Voided),
        ("FUNDING_FAILED_VOIDED", "VOID", FundingFailedVoided),
        ("FUNDING_FAILED_ACTION_NEEDED", "PAID", FundingFailedOwed),
        ("DISBURSEMENT_FAILED_ACTION_NEEDED", "PAID", Returned),
        ("DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED", "PAID", Returned),
        ("EXPIRING", "PAID", Expiring),
        ("FUNDS_ESCHEATED", "PAID", Escheated),
        ("UNDEFINED", "PAID", Other("UNDEFINED".to_owned())),
        (
            "PARTIALLY_CLAIMED",
            "PAID",
            Other("PARTIALLY_CLAIMED".to_owned()),
        ),
        (
            "SENT_TO_THE_MOON",
            "PAID",
            Other("SENT_TO_THE_MOON".to_owned()),
        ),
    ] {
        let json = online(&format!("\"{single}\""), &format!("\"{coarse}\""), "");
        assert_eq!(read(json).await.status, expected, "{single}/{coarse}");
    }
    assert_eq!(read(online("null", "\"PAID\"", "")).await.status, Processed);
    assert_eq!(
        read(online("null", "\"MAYBE\"", "")).await.status,
        Other("MAYBE".to_owned())
    );
}

#[tokio::test]
async fn s100_numbers_of_check_and_trace() {
    let json = online(
        "\"SENT\"",
        "\"PAID\"",
        r#","disbursementType":"CHECK","disbursementInfo":{"checkDisbursement":{"checkNumber":1001,"sentDate":"2026-06-16"}}"#,
    );
    let check = read(json).await;
    assert_eq!(
        (check.method, check.check_number.as_str()),
        (Method::Check, "1001")
    );
    let json = online(
        "\"SENT\"",
        "\"PAID\"",
        r#","disbursementType":"RPPS","confirmationNumber":"C-1","disbursementInfo":{"rppsDisbursement":{"traceNumber":"T-9"}}"#,
    );
    let rpps = read(json).await;
    assert_eq!(
        (rpps.method, rpps.confirmation.as_str()),
        (Method::Rpps, "T-9")
    );
    let json = online(
        "\"SENT\"",
        "\"PAID\"",
        r#","disbursementType":"PIGEON","confirmationNumber":"C-1""#,
    );
    let other = read(json).await;
    assert_eq!(other.method, Method::Other("PIGEON".to_owned()));
    assert_eq!(other.confirmation, "C-1");
}

#[tokio::test]
async fn voids_say_what_they_leave_and_whether_they_were_taken() {
    let void = |kind: &str, status: &str| {
        format!(
            r#","voidInfo":[{{"type":"VOID_ONLY","status":"REJECTED","createdTime":"2026-06-01T00:00:00Z"}},
                            {{"type":"{kind}","status":"{status}","createdTime":"2026-06-02T00:00:00Z"}}]"#
        )
    };
    let pending = read(online(
        "\"VOID_PENDING\"",
        "\"PAID\"",
        &void("VOID_AND_CREDIT", "TO_BE_PROCESSED"),
    ));
    let void_of = pending.await.void.unwrap();
    assert_eq!(
        (void_of.void_kind, void_of.accepted, void_of.rejected),
        (VoidKind::Credit, false, false)
    );
    let reissued = read(online(
        "\"VOIDED\"",
        "\"VOID\"",
        &void("VOID_AND_REISSUE_VCARD", "ACCEPTED"),
    ));
    let void_of = reissued.await.void.unwrap();
    assert_eq!(
        (void_of.void_kind, void_of.accepted),
        (VoidKind::Reissue, true)
    );
    let refused = read(online(
        "\"SENT\"",
        "\"PAID\"",
        &void("VOID_ONLY", "REJECTED"),
    ))
    .await;
    assert!(refused.void.unwrap().rejected);
    assert_eq!(refused.status, PaymentStatus::Processed);
}

fn outside(parts: &[(&str, &str)]) -> Payment {
    Payment {
        vendor: "009AAAAAAAAAAAAAAA01".into(),
        number: String::new(),
        date: "2026-06-20".parse().unwrap(),
        currency: Currency::USD,
        total: Amount::total(parts.iter().map(|(_, text)| amount(text))).unwrap(),
        funded: None,
        applications: parts
            .iter()
            .map(|(bill, text)| Application {
                document: (*bill).into(),
                line: None,
                amount: amount(text),
                discount: Amount::ZERO,
                credits: Vec::new(),
            })
            .collect(),
        method: Method::Offline,
        status: PaymentStatus::Processed,
        outside: true,
        reference: String::new(),
        funding: None,
        check_number: "1001".to_owned(),
        confirmation: String::new(),
        card_last4: String::new(),
        cleared: None,
        void: None,
        account: None,
        payables_account: None,
        subsidiary: None,
        period: None,
        department: None,
        class: None,
        location: None,
        memo: "check 1001".to_owned(),
        posted: true,
        external_id: None,
    }
}

#[tokio::test]
async fn s121_a_payment_made_in_the_ledger_is_recorded_with_its_key_and_not_exported() {
    // The fixture's payment is of 70 for one bill.
    let shown = RECORDED.replacen(r#""amount":70}]"#, r#""amount":70.30}]"#, 1);
    let shown = shown.replace(r#""amount":70,"#, r#""amount":70.30,"#);
    let stage = Stage::new(move |_| ok(shown.clone()));
    let payment = Document::Payment(outside(&[("00n1", "70.10"), ("00n2", "0.20")]));
    let mut order = order(Action::Create, None, payment);
    order.key = Key::of(["ns", "1234567-SB1", "900"]);
    let answers = stage.ports().write[&Kind::Payment].write(&[order]).await;
    let receipt = applied(&answers[0]);
    assert_eq!(receipt.id.as_str(), "stpAAAAAAAAAAAAAAA09");
    assert!(receipt.observed.is_some());
    assert_eq!(stage.calls(), ["POST /v3/bills/record-payment"]);
    assert_eq!(
        stage.transport.seen()[0].body,
        concat!(
            r#"{"vendorId":"009AAAAAAAAAAAAAAA01","processDate":"2026-06-20","toPrintCheck":false,"#,
            r#""payments":[{"billId":"00n1","amount":70.1},{"billId":"00n2","amount":0.2}],"#,
            r#""description":"check 1001","syncReference":"ns_1234567-SB1_900","allowExport":false}"#
        )
    );
}

#[tokio::test]
async fn a_record_whose_parts_dont_add_up_is_never_sent_and_an_unanswered_one_never_twice() {
    let stage = Stage::new(|_| dropped());
    let ports = stage.ports();
    let mut wrong = outside(&[("00n1", "70")]);
    wrong.total = amount("71");
    let wrong = [order(Action::Create, None, Document::Payment(wrong))];
    let answers = ports.write[&Kind::Payment].write(&wrong).await;
    assert_eq!(fault(&answers[0]).code().as_str(), "refused-there");
    assert_eq!(stage.calls().len(), 0);
    let payment = Document::Payment(outside(&[("00n1", "70")]));
    let answers = ports.write[&Kind::Payment]
        .write(&[order(Action::Create, None, payment)])
        .await;
    assert!(matches!(fault(&answers[0]), Fault::Unknown { .. }));
    assert_eq!(stage.calls().len(), 1);
    assert!(!ports.write[&Kind::Payment].repeatable(Action::Create));
}

#[tokio::test]
async fn s123_a_recorded_payment_is_voided_and_a_real_one_is_not() {
    let void = || {
        let payment = Document::Payment(outside(&[("00n1", "70")]));
        order(Action::Void, Some("stpAAAAAAAAAAAAAAA09"), payment)
    };
    let stage = Stage::new(|_| ok(RECORDED));
    let answers = stage.ports().write[&Kind::Payment].write(&[void()]).await;
    assert!(!applied(&answers[0]).adopted);
    let seen = stage.transport.seen();
    assert_eq!(seen[1].path, "/v3/payments/stpAAAAAAAAAAAAAAA09/void");
    assert_eq!(
        seen[1].body,
        r#"{"type":"VOID_ONLY","reason":"Voided in the ledger (ns_1234567-SB1_1)"}"#
    );
    for (single, adopted) in [("VOIDED", true), ("SENT", false)] {
        let stage = Stage::new(move |_| {
            let shown = online(&format!("\"{single}\""), "\"PAID\"", "");
            ok(shown.replace("\"stp1\"", "\"stpAAAAAAAAAAAAAAA09\""))
        });
        let answers = stage.ports().write[&Kind::Payment].write(&[void()]).await;
        if adopted {
            assert!(applied(&answers[0]).adopted);
        } else {
            assert_eq!(fault(&answers[0]).code().as_str(), "irreversible");
        }
        assert_eq!(stage.calls().len(), 1, "{single}");
    }
}

#[tokio::test]
async fn candidates_of_a_record_are_payments_made_since() {
    let page = format!(r#"{{"results":[{RECORDED}]}}"#);
    let stage = Stage::new(move |_| ok(page.clone()));
    let since: Timestamp = "2026-06-20T07:59:00Z".parse().unwrap();
    let orders = [order(
        Action::Create,
        None,
        Document::Payment(outside(&[("00n1", "70")])),
    )];
    let found = stage.ports().write[&Kind::Payment]
        .candidates(&orders, since)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert!(stage.calls()[0].contains(r#"filters=createdTime:gte:"2026-06-20T07:54:00.000Z""#));
}
