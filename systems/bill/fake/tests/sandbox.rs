//! The sandbox as a client meets it.

mod support;

use serde_json::{Value, json};
use support::Client;
use tieout_bill_fake::{MFA_CODE, Options};
use tieout_kit::fake::Fake;

#[tokio::test]
async fn a_session_lives_35_minutes_from_its_last_use_and_a_sync_token_48_hours() {
    let mut bill = Client::start(Options::default());
    assert_eq!(bill.get("/v3/vendors").await.code(), (401, "BDC_1109"));
    bill.login().await;
    for _ in 0..3 {
        bill.wait_minutes(34);
        assert_eq!(bill.get("/v3/vendors").await.status, 200);
    }
    bill.wait_minutes(36);
    assert_eq!(bill.get("/v3/vendors").await.code(), (401, "BDC_1109"));

    let (name, value) = bill.fake.sync_token();
    bill.login_as(&name, &value).await;
    bill.wait_minutes(47 * 60);
    assert_eq!(bill.get("/v3/vendors").await.status, 200);
    let refused = bill.post("/v3/payments", json!({})).await;
    assert_eq!(refused.code(), (403, "BDC_1150"));
    bill.wait_minutes(49 * 60);
    assert_eq!(bill.get("/v3/vendors").await.code(), (401, "BDC_1109"));
}

#[tokio::test]
async fn each_wrong_credential_has_its_own_code() {
    let mut bill = Client::start(Options::default());
    let good = bill.credentials();
    for (field, code) in [
        ("devKey", "BDC_1102"),
        ("organizationId", "BDC_1123"),
        ("password", "BDC_1101"),
    ] {
        let mut wrong = good.clone();
        wrong[field] = json!("wrong");
        assert_eq!(bill.post("/v3/login", wrong).await.code().1, code);
    }
    bill.login().await;
    bill.dev_key = "another".to_owned();
    assert_eq!(bill.get("/v3/vendors").await.code(), (401, "BDC_1102"));

    let mut locked = Client::start(Options::default());
    let mut wrong = good.clone();
    wrong["password"] = json!("wrong");
    for _ in 0..5 {
        assert_eq!(
            locked.post("/v3/login", wrong.clone()).await.code().1,
            "BDC_1101"
        );
    }
    assert_eq!(
        locked.post("/v3/login", good.clone()).await.code().1,
        "BDC_1110"
    );
    locked.wait_minutes(31);
    locked.login().await;
    for (action, status, code) in [
        ("revoke", 401, "BDC_1111"),
        ("block", 401, "BDC_1103"),
        ("expire", 401, "BDC_1101"),
        ("lock", 401, "BDC_1110"),
    ] {
        let done = locked
            .fake
            .credential("bill", &json!({"action": action}))
            .unwrap();
        done.unwrap();
        let refused = locked.post("/v3/login", good.clone()).await;
        assert_eq!(refused.code(), (status, code), "{action}");
    }
    let locked_out = json!({"action": "lock", "what": "organization"});
    locked
        .fake
        .credential("bill", &locked_out)
        .unwrap()
        .unwrap();
    assert_eq!(
        locked.post("/v3/login", good.clone()).await.code(),
        (423, "BDC_1107")
    );
    locked
        .fake
        .credential("bill", &json!({"action": "restore"}))
        .unwrap()
        .unwrap();
    locked.login().await;
    let auditor = json!({"action": "role", "role": "AUDITOR"});
    locked.fake.credential("bill", &auditor).unwrap().unwrap();
    assert_eq!(locked.get("/v3/vendors").await.status, 200);
    assert_eq!(locked.post("/v3/vendors", json!({})).await.status, 403);
}

#[tokio::test]
async fn production_wants_a_trusted_session_for_payments() {
    let options = Options {
        production: true,
        ..Options::default()
    };
    let mut bill = Client::start(options);
    bill.login().await;
    let payment = bill.payment_of_a_new_bill("10.00").await;
    assert_eq!(bill.post("/v3/payments", payment.clone()).await.status, 403);
    let challenge = bill
        .post("/v3/mfa/challenge", json!({"useBackup": false}))
        .await;
    let answer = json!({"challengeId": challenge.body["challengeId"], "token": MFA_CODE,
        "device": "server", "rememberMe": true});
    let remembered = bill.post("/v3/mfa/challenge/validate", answer).await;
    assert_eq!(bill.post("/v3/payments", payment).await.status, 201);
    let mut again = bill.credentials();
    again["rememberMeId"] = remembered.body["rememberMeId"].clone();
    again["device"] = json!("server");
    assert_eq!(bill.post("/v3/login", again).await.body["trusted"], true);
}

#[tokio::test]
async fn a_fourth_call_at_a_time_is_refused() {
    let mut bill = Client::slow(Options::default(), std::time::Duration::from_millis(200));
    bill.login().await;
    let (a, b, c, d) = tokio::join!(
        bill.get("/v3/vendors"),
        bill.get("/v3/vendors"),
        bill.get("/v3/vendors"),
        bill.get("/v3/vendors"),
    );
    let all = [a, b, c, d];
    let refused: Vec<_> = all.iter().filter(|answer| answer.status == 422).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].code(), (422, "BDC_1322"));
    assert!(refused[0].refused);
    assert_eq!(bill.get("/v3/vendors").await.status, 200);
}

#[tokio::test]
async fn the_hourly_allowance_returns_with_the_next_clock_hour() {
    let options = Options {
        calls_per_hour: 5,
        logins_per_hour: 2,
        ..Options::default()
    };
    let mut bill = Client::start(options);
    bill.login().await;
    for _ in 0..4 {
        assert_eq!(bill.get("/v3/vendors").await.status, 200);
    }
    let refused = bill.get("/v3/vendors").await;
    assert_eq!(refused.code(), (422, "BDC_1144"));
    assert!(refused.refused);
    bill.wait_minutes(60);
    bill.login().await;
    bill.login().await;
    let third = bill.credentials();
    assert_eq!(
        bill.post("/v3/login", third).await.code(),
        (422, "BDC_1144")
    );
}

#[tokio::test]
async fn lists_page_both_ways_and_refuse_what_they_do_not_know() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let vendor = bill.new_vendor("Paging Co").await;
    for number in 0..45 {
        bill.new_bill(&vendor, &format!("P-{number:02}"), "1.00")
            .await;
    }
    for path in [
        "/v3/bills?max=0",
        "/v3/bills?max=101",
        "/v3/bills?page=nonsense",
    ] {
        assert_eq!(bill.get(path).await.code(), (400, "BDC_1129"), "{path}");
    }
    for (query, code) in [
        ("filters=invoice.invoiceNumber:eq:x", "BDC_1130"),
        ("filters=vendorId:gt:x", "BDC_1131"),
        ("filters=dueDate:gt:soon", "BDC_1129"),
        ("sort=vendorName:asc", "BDC_1130"),
    ] {
        assert_eq!(
            bill.get(&format!("/v3/bills?{query}")).await.code(),
            (400, code),
            "{query}"
        );
    }
    // What nobody documents, nobody may rely on: a payment isn't found by its own number.
    let unfound = bill
        .get("/v3/payments?filters=transactionNumber:eq:x")
        .await;
    assert_eq!(unfound.code(), (400, "BDC_1130"));
    assert_eq!(bill.get("/v3/bills").await.results().len(), 20);

    for sort in [
        "createdTime:asc",
        "updatedTime:desc",
        "dueDate:asc,createdTime:desc",
    ] {
        let start = format!("/v3/bills?max=10&sort={sort}&filters=vendorId:eq:{vendor}");
        let first = bill.get(&start).await;
        assert!(first.body.get("prevPage").is_none());
        let (mut page, mut seen, mut last_but_one) = (first.body.clone(), Vec::new(), Value::Null);
        loop {
            seen.extend(support::ids(&page));
            let Some(next) = page["nextPage"].as_str().map(str::to_owned) else {
                break;
            };
            last_but_one = page;
            page = bill.get(&format!("/v3/bills?page={next}")).await.body;
        }
        assert_eq!(seen.len(), 45, "{sort}");
        let mut unique = seen.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), 45, "{sort}");
        let back = page["prevPage"].as_str().unwrap();
        let back = bill.get(&format!("/v3/bills?page={back}")).await.body;
        assert_eq!(support::ids(&back), support::ids(&last_but_one), "{sort}");
    }
    let quoted = "/v3/bills?filters=updatedTime:gte:%222020-01-01T00:00:00.000Z%22&max=100";
    let plain = "/v3/bills?filters=updatedTime:gte:2020-01-01T00:00:00.000Z&max=100";
    assert_eq!(
        bill.get(quoted).await.body["results"],
        bill.get(plain).await.body["results"]
    );
}

#[tokio::test]
async fn a_record_that_changes_while_someone_pages_is_not_skipped() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let vendor = bill.new_vendor("Moving Co").await;
    let mut made = Vec::new();
    for number in 0..6 {
        made.push(bill.new_bill(&vendor, &format!("M-{number}"), "1.00").await);
    }
    let filter = format!("filters=vendorId:eq:{vendor}&sort=updatedTime:asc&max=2");
    let mut page = bill.get(&format!("/v3/bills?{filter}")).await.body;
    let mut seen = support::ids(&page);
    bill.patch(
        &format!("/v3/bills/{}", made[0]),
        json!({"description": "changed"}),
    )
    .await;
    while let Some(next) = page["nextPage"].as_str() {
        page = bill.get(&format!("/v3/bills?page={next}")).await.body;
        seen.extend(support::ids(&page));
    }
    assert!(made.iter().all(|id| seen.contains(id)));
    assert_eq!(seen.len(), 7);
}

#[tokio::test]
async fn archived_records_are_listed_unless_filtered_or_switched_off() {
    for (shown, expected) in [(true, 1), (false, 0)] {
        let options = Options {
            archived_in_lists: shown,
            ..Options::default()
        };
        let mut bill = Client::start(options);
        bill.login().await;
        let vendor = bill.new_vendor("Gone Co").await;
        let path = format!("/v3/vendors/{vendor}/archive");
        for _ in 0..2 {
            assert_eq!(bill.post_empty(&path).await.body["archived"], true);
        }
        let list = bill
            .get("/v3/vendors?filters=name:eq:%22Gone%20Co%22")
            .await;
        assert_eq!(list.results().len(), expected);
        let open = bill
            .get("/v3/vendors?filters=name:eq:Gone%20Co,archived:eq:false")
            .await;
        assert!(open.results().is_empty());
    }
}

#[tokio::test]
async fn errors_are_arrays_with_and_without_codes() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let invalid = bill
        .post("/v3/vendors", json!({"name": "No Address"}))
        .await;
    assert_eq!(invalid.status, 400);
    assert_eq!(invalid.body[0]["message"], "address: must not be null");
    assert!(invalid.body[0].get("code").is_none());
    let many = bill.post("/v3/bills", json!({})).await;
    assert_eq!(many.body.as_array().unwrap().len(), 4);
    assert_eq!(
        bill.raw("POST", "/v3/bills", "{\"vendorId\":").await.code(),
        (400, "BDC_1122")
    );
    assert_eq!(
        bill.get("/v3/bills/00n01ABCDEF123456789").await.code(),
        (404, "BDC_1205")
    );
    assert_eq!(
        bill.get("/v3/no-such-thing").await.code(),
        (404, "BDC_1121")
    );
}

#[tokio::test]
async fn bulk_calls_are_all_or_nothing_and_answer_in_their_own_shapes() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let address =
        json!({"line1": "1 Main", "city": "Reno", "zipOrPostalCode": "89501", "country": "US"});
    let vendor = json!({"name": "Bulk", "address": address});
    let before = bill.get("/v3/vendors?max=100").await.results().len();
    let bad = bill
        .post("/v3/vendors/bulk", json!([vendor, {"name": "x"}]))
        .await;
    assert_eq!(bad.body[0]["message"], "[1].address: must not be null");
    assert_eq!(
        bill.get("/v3/vendors?max=100").await.results().len(),
        before
    );
    let many: Vec<Value> = (0..21).map(|_| vendor.clone()).collect();
    assert_eq!(bill.post("/v3/vendors/bulk", json!(many)).await.status, 400);
    let made = bill.post("/v3/vendors/bulk", json!(many[..20])).await;
    assert_eq!(
        (made.status, made.body["vendors"].as_array().unwrap().len()),
        (201, 20)
    );

    let id = made.body["vendors"][0]["id"].as_str().unwrap().to_owned();
    let one = support::bill_body(&id, "B-1", "5.00");
    let made = bill
        .post("/v3/bills/bulk", json!(vec![one.clone(); 100]))
        .await;
    assert_eq!(
        (made.status, made.body.as_array().unwrap().len()),
        (201, 100)
    );
    assert!(made.body[0].get("vendorName").is_none());
    assert_eq!(
        bill.post("/v3/bills/bulk", json!(vec![one; 101]))
            .await
            .status,
        400
    );

    let accounts = json!([{"name": "A"}, {"name": "B", "account": {"type": "EXPENSE"}}]);
    let made = bill
        .post("/v3/classifications/chart-of-accounts/bulk", accounts)
        .await;
    let ids: Vec<&str> = made.body["chartOfAccounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account["id"].as_str().unwrap())
        .collect();
    let path = format!(
        "/v3/classifications/chart-of-accounts/bulk/archive?ids={}&ids={}",
        ids[0], ids[1]
    );
    let archived = bill.post_empty(&path).await;
    assert_eq!(archived.body["chartOfAccounts"][1]["archived"], true);
    let path = format!(
        "/v3/classifications/chart-of-accounts/bulk/restore?ids={},{}",
        ids[0], ids[1]
    );
    assert_eq!(
        bill.post_empty(&path).await.body["chartOfAccounts"][0]["archived"],
        false
    );
}

#[tokio::test]
async fn put_removes_lines_without_id_and_patch_keeps_them() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let vendor = bill.new_vendor("Lines Co").await;
    let mut body = support::bill_body(&vendor, "L-1", "10.00");
    body["billLineItems"] = json!([{"amount": 10}, {"quantity": 3, "price": 1.5}]);
    let made = bill.post("/v3/bills", body.clone()).await.body;
    assert_eq!(made["billLineItems"][1]["amount"].to_string(), "4.5");
    let path = format!("/v3/bills/{}", made["id"].as_str().unwrap());
    let second = made["billLineItems"][1]["id"].clone();

    let line = json!({"billLineItems": [{"id": second, "amount": 6}]});
    let patched = bill.patch(&path, line).await.body;
    assert_eq!(patched["billLineItems"].as_array().unwrap().len(), 2);
    assert_eq!(patched["amount"], json!(16.0));
    let without_id = bill
        .patch(&path, json!({"billLineItems": [{"amount": 6}]}))
        .await;
    assert_eq!(without_id.status, 400);

    body["billLineItems"] = json!([{"id": second, "amount": 7}, {"amount": 1}]);
    let replaced = bill.put(&path, body.clone()).await.body;
    assert_eq!(replaced["billLineItems"][0]["id"], second);
    assert_ne!(
        replaced["billLineItems"][1]["id"],
        made["billLineItems"][0]["id"]
    );
    body["billLineItems"] = json!([{"amount": -1}]);
    assert_eq!(bill.put(&path, body).await.status, 422);
}

#[tokio::test]
async fn a_paid_bill_keeps_its_vendor_and_total_and_is_not_archived() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let vendor = bill.new_vendor("Lock Co").await;
    let id = bill.new_bill(&vendor, "K-1", "100.00").await;
    let pay = json!({"bills": [id], "method": "CHECK", "status": "SCHEDULED"});
    bill.fake.control(&["pay"], pay).await.unwrap();
    let path = format!("/v3/bills/{id}");
    let shown = bill.get(&path).await.body;
    assert_eq!(shown["paymentStatus"], "SCHEDULED");
    assert_eq!(shown["scheduledAmount"], json!(100.0));
    assert_eq!(shown["dueAmount"], json!(0.0));
    let line = shown["billLineItems"][0]["id"].clone();
    let change = json!({"billLineItems": [{"id": line, "amount": 90}]});
    assert_eq!(bill.patch(&path, change).await.code(), (422, "BDC_1116"));
    assert_eq!(
        bill.post_empty(&format!("{path}/archive")).await.status,
        422
    );
    assert_eq!(
        bill.patch(&path, json!({"description": "ok"})).await.status,
        200
    );
}

#[tokio::test]
async fn archived_vendors_and_accounts_refuse_new_bills() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let vendor = bill.new_vendor("Old Co").await;
    let account = bill
        .post(
            "/v3/classifications/chart-of-accounts",
            json!({"name": "Old"}),
        )
        .await;
    let account = account.body["id"].as_str().unwrap().to_owned();
    let mut body = support::bill_body(&vendor, "O-1", "1.00");
    body["billLineItems"][0]["classifications"] = json!({"chartOfAccountId": account});
    let path = format!("/v3/classifications/chart-of-accounts/{account}/archive");
    bill.post_empty(&path).await;
    assert_eq!(bill.post("/v3/bills", body.clone()).await.status, 422);
    bill.post_empty(&path.replace("archive", "restore")).await;
    assert_eq!(bill.post("/v3/bills", body.clone()).await.status, 201);
    bill.post_empty(&format!("/v3/vendors/{vendor}/archive"))
        .await;
    assert_eq!(bill.post("/v3/bills", body).await.status, 422);
}

#[tokio::test]
async fn invoice_numbers_are_unique_only_where_switched_on() {
    for (unique, status) in [(false, 201), (true, 422)] {
        let options = Options {
            unique_invoice_numbers: unique,
            ..Options::default()
        };
        let mut bill = Client::start(options);
        bill.login().await;
        let vendor = bill.new_vendor("Same Co").await;
        bill.new_bill(&vendor, "S-1", "1.00").await;
        let second = bill
            .post("/v3/bills", support::bill_body(&vendor, "S-1", "1.00"))
            .await;
        assert_eq!(second.status, status);
    }
}

#[tokio::test]
async fn people_act_in_the_organization_that_they_name() {
    let mut bill = Client::start(Options::default());
    bill.login().await;
    let made = bill.fake.control(&["organizations"], json!({"count": 2}));
    let made = made.await.unwrap();
    let ids: Vec<&str> = made["organizations"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let records = bill.fake.records();
    let vendors = |records: &Value, id: &str| records["organizations"][id]["vendors"].clone();
    for id in &ids {
        assert_eq!(
            vendors(&records, id),
            records["vendors"],
            "each has what the first one had"
        );
    }
    let named = json!({"organization": ids[1], "books_closed": "2026-01-31"});
    let closed = bill.fake.control(&["organization"], named).await.unwrap();
    assert_eq!(closed["books_closed"], "2026-01-31");
    let typed = json!({"organization": ids[1], "vendor": "Nobody", "number": "A-1", "amount": "5"});
    let refused = bill.fake.control(&["type-in"], typed).await;
    assert!(refused.is_err(), "it has no vendor of that name");
}
