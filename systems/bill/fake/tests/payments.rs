//! Payments, credits, voids, notifications.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use support::Client;
use tieout_bill_fake::Options;
use tieout_kit::fake::Fake;
use tieout_kit::transport::Transport;

#[tokio::test]
async fn a_payment_moves_with_the_clock_and_tells_its_check_number_late() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let payment = bill.payment_of_a_new_bill("228.99").await;
    let made = bill.post("/v3/payments", payment).await;
    assert_eq!(
        (made.status, &made.body["singleStatus"]),
        (201, &json!("SCHEDULED"))
    );
    assert!(made.text.contains("\"amount\":228.99"));
    let path = format!("/v3/payments/{}", made.body["id"].as_str().unwrap());
    let mut seen = vec!["SCHEDULED".to_owned()];
    for _ in 0..40 {
        bill.wait_minutes(8 * 60);
        bill.login().await;
        let now = bill.get(&path).await.body;
        let number = &now["disbursementInfo"]["checkDisbursement"]["checkNumber"];
        let status = now["singleStatus"].as_str().unwrap().to_owned();
        let numbered = matches!(&*status, "SENT" | "DELIVERED" | "CLEARED");
        assert_eq!(number.is_string(), numbered, "{status}");
        if seen.last() != Some(&status) {
            seen.push(status);
        }
    }
    let whole = [
        "SCHEDULED",
        "FUNDING_STARTED",
        "PROCESSED",
        "SENT",
        "DELIVERED",
        "CLEARED",
    ];
    assert_eq!(seen, whole);
    let id = made.body["billPayments"][0]["billId"].as_str().unwrap();
    let paid = bill.get(&format!("/v3/bills/{id}")).await;
    assert_eq!(paid.body["paymentStatus"], "PAID");
    assert!(paid.text.contains("\"paidAmount\":228.99"));
    assert!(paid.body["updatedTime"].as_str() > paid.body["createdTime"].as_str());
}

#[tokio::test]
async fn a_vendor_that_combines_gets_payments_of_35_bills() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let vendor = bill.new_vendor("Combined Co").await;
    let combine = json!({"additionalInfo": {"combinePayments": true}});
    bill.patch(&format!("/v3/vendors/{vendor}"), combine).await;
    let one = support::bill_body(&vendor, "C", "2.00");
    let made = bill.post("/v3/bills/bulk", json!(vec![one; 40])).await.body;
    let parts: Vec<Value> = made
        .as_array()
        .unwrap()
        .iter()
        .map(|made| json!({"billId": made["id"], "amount": 2}))
        .collect();
    let bank = bill.bank().await;
    let order = json!({"fundingAccount": {"type": "BANK_ACCOUNT", "id": bank}, "payments": parts});
    let paid = bill.post("/v3/payments/bulk", order).await;
    let payments = paid.body["payments"].as_array().unwrap();
    let sizes: Vec<usize> = payments
        .iter()
        .map(|one| one["billPayments"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [35, 5]);
    assert!(payments[0].get("billId").is_none());
}

#[tokio::test]
async fn a_payment_made_elsewhere_is_recorded_with_credits() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let vendor = bill.new_vendor("Recorded Co").await;
    let id = bill.new_bill(&vendor, "R-1", "75.00").await;
    let credit = json!({"vendorId": vendor, "referenceNumber": "CR-1", "creditDate": "2026-01-05",
        "vendorCreditLineItems": [{"amount": 8}]});
    let credit = bill.post("/v3/vendor-credits", credit).await;
    assert_eq!(credit.status, 201);
    let credit = credit.body["id"].as_str().unwrap().to_owned();
    let body = json!({"vendorId": vendor, "processDate": "2026-01-10", "toPrintCheck": false,
        "payments": [{"billId": id, "amount": 70, "vendorCredits": [{"id": credit, "amount": 5}]}],
        "syncReference": "check 1001", "allowExport": false});
    let recorded = bill.post("/v3/bills/record-payment", body.clone()).await;
    assert_eq!(recorded.status, 200);
    assert_eq!(recorded.body["onlinePayment"], false);
    assert_eq!(recorded.body["syncReference"], "check 1001");
    assert_eq!(recorded.body["allowExport"], false);
    let path = format!("/v3/bills/{id}");
    let shown = bill.get(&path).await.body;
    assert_eq!(shown["paymentStatus"], "PAID");
    assert_eq!(shown["creditAmount"], json!(5.0));
    assert_eq!(
        bill.post("/v3/bills/record-payment", body).await.status,
        422
    );
    let credit_path = format!("/v3/vendor-credits/{credit}");
    assert_eq!(
        bill.get(&credit_path).await.body["status"],
        "PARTIALLY_APPLIED"
    );
    assert_eq!(
        bill.post_empty(&format!("{credit_path}/archive"))
            .await
            .status,
        422
    );
    assert_eq!(
        bill.post_empty(&format!("{credit_path}/restore"))
            .await
            .status,
        404
    );

    let payment = recorded.body["id"].as_str().unwrap();
    let void = json!({"type": "VOID_ONLY", "reason": "typed twice"});
    let asked = bill
        .post(&format!("/v3/payments/{payment}/void"), void)
        .await
        .body;
    assert_eq!(asked["voidInfo"][0]["status"], "TO_BE_PROCESSED");
    assert_eq!(asked["singleStatus"], "VOID_PENDING");
    bill.wait_minutes(1);
    let voided = bill.get(&format!("/v3/payments/{payment}")).await.body;
    assert_eq!(
        (&voided["singleStatus"], &voided["status"]),
        (&json!("VOIDED"), &json!("VOID"))
    );
    assert_eq!(bill.get(&path).await.body["paymentStatus"], "UNPAID");
    assert_eq!(bill.get(&credit_path).await.body["status"], "NOT_APPLIED");
}

#[tokio::test]
async fn cancel_and_void_have_their_own_moments_and_a_reissue_is_a_new_payment() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let order = bill.payment_of_a_new_bill("30.00").await;
    let made = bill.post("/v3/payments", order).await.body;
    let path = format!("/v3/payments/{}", made["id"].as_str().unwrap());
    let void = json!({"type": "VOID_AND_REISSUE", "reason": "lost"});
    assert_eq!(
        bill.post(&format!("{path}/void"), void.clone())
            .await
            .status,
        422
    );
    let canceled = bill.post_empty(&format!("{path}/cancel")).await.body;
    assert_eq!(canceled["status"], "CANCELLED");
    assert_eq!(canceled["singleStatus"], "CANCELED");

    let vendor = made["vendorId"].as_str().unwrap().to_owned();
    let id = made["billId"].as_str().unwrap().to_owned();
    let paid = json!({"bills": [id], "method": "CHECK", "status": "SENT"});
    let paid = bill.fake.control(&["pay"], paid).await.unwrap();
    let path = format!("/v3/payments/{}", paid["id"].as_str().unwrap());
    assert_eq!(bill.post_empty(&format!("{path}/cancel")).await.status, 422);
    assert_eq!(bill.post(&format!("{path}/void"), void).await.status, 200);
    bill.wait_minutes(1);
    assert_eq!(bill.get(&path).await.body["singleStatus"], "VOIDED");
    let all = bill
        .get(&format!("/v3/payments?filters=vendorId:eq:{vendor}"))
        .await;
    let live: Vec<&Value> = all
        .results()
        .iter()
        .filter(|payment| payment["singleStatus"] == "SCHEDULED")
        .collect();
    assert_eq!(live.len(), 1);
    assert_eq!(live[0]["billId"], json!(id));
    assert_eq!(
        bill.get(&format!("/v3/bills/{id}")).await.body["paymentStatus"],
        "SCHEDULED"
    );
}

#[tokio::test]
async fn any_status_can_be_set_and_an_unknown_one_holds_its_money() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let vendor = bill.new_vendor("Odd Co").await;
    let first = bill.new_bill(&vendor, "1", "10.00").await;
    let second = bill
        .new_bill(&bill.new_vendor("Other Co").await, "2", "20.00")
        .await;
    let pay = json!({"bills": [first, second], "amount": "25.00", "method": "VIRTUAL_CARD",
        "status": "PROCESSED"});
    let paid = bill.fake.control(&["pay"], pay).await.unwrap();
    assert_eq!(paid["payments"].as_array().unwrap().len(), 2);
    let id = paid["payments"][0]["id"].as_str().unwrap().to_owned();
    let card = bill.get(&format!("/v3/payments/{id}")).await.body;
    let card = card["disbursementInfo"]["vcardDisbursement"]["last4CardNumber"].clone();
    assert_eq!(card.as_str().unwrap().len(), 4);
    let status = json!({"status": "SOMETHING_NEW"});
    bill.fake.control(&["payments", &id], status).await.unwrap();
    let shown = bill.get(&format!("/v3/bills/{first}")).await.body;
    assert_eq!(shown["paymentStatus"], "PAID");
    bill.fake
        .control(&["payments", &id], json!({"status": "VOIDED"}))
        .await
        .unwrap();
    let shown = bill.get(&format!("/v3/bills/{first}")).await.body;
    assert_eq!(shown["paymentStatus"], "UNPAID");
    let partly = bill.get(&format!("/v3/bills/{second}")).await.body;
    assert_eq!(partly["paymentStatus"], "PARTIALLY_PAID");
    let wrong = json!({"bills": ["00n"]});
    assert_eq!(
        bill.fake.control(&["pay"], wrong).await.unwrap_err().status,
        404
    );
}

/// An endpoint that remembers what it got and answers what it is told.
#[derive(Default)]
struct Endpoint {
    got: Mutex<Vec<http::Request<Bytes>>>,
    fails: std::sync::atomic::AtomicBool,
}

#[async_trait::async_trait]
impl Transport for Endpoint {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _: Duration,
    ) -> Result<http::Response<Bytes>, tieout_domain::Lost> {
        self.got
            .lock()
            .expect("no test panics in between")
            .push(request);
        let fails = self.fails.load(std::sync::atomic::Ordering::Relaxed);
        let mut answer = http::Response::new(Bytes::new());
        *answer.status_mut() = if fails {
            http::StatusCode::INTERNAL_SERVER_ERROR
        } else {
            http::StatusCode::OK
        };
        Ok(answer)
    }
}

#[tokio::test]
async fn notifications_are_signed_repeated_and_given_up() {
    let endpoint = Arc::new(Endpoint::default());
    let transport: Arc<dyn Transport> = endpoint.clone();
    let mut bill = Client::start(Options {
        transport: Some(transport),
        retry_unit: Duration::from_millis(1),
        ..Options::default()
    });
    bill.login().await;
    let subscription = json!({"name": "s", "status": {"enabled": true},
        "events": [{"type": "bill.created", "version": "1"}],
        "notificationUrl": "http://127.0.0.1:1/hook"});
    let unkeyed = bill
        .events("POST", "/v3/subscriptions", None, subscription.clone())
        .await;
    assert_eq!(unkeyed.status, 400);
    let key = Some("5f8f7d5e-3c2b-4a56-9d7e-1f2a3b4c5d6e");
    let made = bill
        .events("POST", "/v3/subscriptions", key, subscription.clone())
        .await;
    assert_eq!(made.status, 200);
    let again = bill
        .events("POST", "/v3/subscriptions", key, subscription.clone())
        .await;
    assert_eq!(again.body, made.body);
    let other = Some("7f8f7d5e-3c2b-4a56-9d7e-1f2a3b4c5d6e");
    let twin = bill
        .events("POST", "/v3/subscriptions", other, subscription)
        .await;
    assert_eq!(twin.status, 422);
    let id = made.body["id"].as_str().unwrap().to_owned();
    let path = format!("/v3/subscriptions/{id}");
    let shown = bill.events("GET", &path, None, Value::Null).await.body;
    assert!(shown.get("securityKey").is_none());

    let vendor = bill.new_vendor("Hook Co").await;
    bill.new_bill(&vendor, "H-1", "12.30").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    {
        let got = endpoint.got.lock().unwrap();
        assert_eq!(got.len(), 1);
        let body = std::str::from_utf8(got[0].body()).unwrap();
        assert!(body.contains("\"amount\":12.30"));
        assert!(body.contains("+00:00"));
        let key = made.body["securityKey"].as_str().unwrap();
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key.as_bytes());
        let signed = aws_lc_rs::hmac::sign(&key, body.as_bytes());
        use base64::Engine as _;
        let signed = base64::engine::general_purpose::STANDARD.encode(signed);
        assert_eq!(got[0].headers()["x-bill-sha-signature"], *signed);
    }
    let test = bill
        .events("POST", &format!("{path}/test"), None, json!({}))
        .await
        .body;
    assert_eq!(test["statusCode"], 200);
    assert!(test["payload"].is_string());

    endpoint
        .fails
        .store(true, std::sync::atomic::Ordering::Relaxed);
    endpoint.got.lock().unwrap().clear();
    bill.new_bill(&vendor, "H-2", "1.00").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(endpoint.got.lock().unwrap().len(), 5);
    let shown = bill.events("GET", &path, None, Value::Null).await.body;
    assert_eq!(shown["status"]["enabled"], false);
    let history = format!("/v3/events/subscription/{id}");
    let history = bill.events("GET", &history, None, Value::Null).await.body;
    assert_eq!(history["results"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn control_types_bills_in_and_edits_them() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    bill.new_vendor("Typed Co").await;
    let typed = json!({"bills": [
        {"vendor": "Typed Co", "number": "T-1", "amount": "10.10", "date": "2026-01-02"},
        {"vendor": "Typed Co", "number": "T-2", "amount": "20.20"}]});
    let typed = bill.fake.control(&["type-in"], typed).await.unwrap();
    let id = typed["bills"][0]["id"].as_str().unwrap().to_owned();
    let edit = json!({"action": "edit", "fields": {"amount": "11.11"}});
    let edited = bill.fake.control(&["bills", &id], edit).await.unwrap();
    assert_eq!(edited["amount"], "11.11");
    for (action, field, value) in [
        ("approve", "approvalStatus", json!("APPROVED")),
        ("archive", "archived", json!(true)),
    ] {
        let done = bill
            .fake
            .control(&["bills", &id], json!({"action": action}))
            .await
            .unwrap();
        assert_eq!(done[field], value);
    }
    let state = bill.fake.state();
    assert_eq!(state["bills"]["total"], "20.20");
    assert_eq!(state["bills"]["archived"], 1);
}

#[tokio::test]
async fn a_document_is_an_upload_before_it_is_a_document() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let vendor = bill.new_vendor("Paper Co").await;
    let id = bill.new_bill(&vendor, "D-1", "1.00").await;
    let up = bill
        .raw(
            "POST",
            &format!("/v3/documents/bills/{id}?name=a.pdf"),
            "%PDF",
        )
        .await
        .body;
    let upload = up["uploadId"].as_str().unwrap().to_owned();
    assert!(upload.starts_with("0du"));
    let status = format!("/v3/documents/upload-status?ids={upload}");
    assert_eq!(bill.get(&status).await.body[0]["status"], "IN_PROGRESS");
    bill.wait_minutes(1);
    let done = bill.get(&status).await.body;
    assert!(done[0]["documentId"].as_str().unwrap().starts_with("00h"));
    let listed = bill.get(&format!("/v3/documents/bills/{id}")).await;
    assert_eq!(listed.results().len(), 1);
}
