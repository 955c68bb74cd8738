//! A large organization is read page by page without looking at all of it each time.

mod support;

use serde_json::{Value, json};
use support::Client;
use tieout_bill_fake::Options;
use tieout_kit::fake::Fake;

#[tokio::test]
async fn the_newest_page_of_many_bills_is_the_last_one_written() {
    let options = Options {
        concurrency: 100,
        ..Options::default()
    };
    let mut bill = Client::start(options);
    bill.login().await;
    let vendor = bill.new_vendor("Many Co").await;
    let body = Value::from(vec![support::bill_body(&vendor, "N", "1.01"); 100]);
    let mut last = Vec::new();
    for _ in 0..100 {
        let made = bill.post("/v3/bills/bulk", body.clone()).await.body;
        last = support::ids(&json!({"results": made}));
    }
    last.reverse();
    let mut pages = 0;
    let newest = bill
        .get("/v3/bills?max=100&sort=updatedTime:desc")
        .await
        .body;
    assert_eq!(support::ids(&newest), last);
    let mut page = newest;
    while let Some(next) = page["nextPage"].as_str() {
        page = bill.get(&format!("/v3/bills?page={next}")).await.body;
        pages += 1;
    }
    assert_eq!(pages, 99);
    assert_eq!(bill.fake.state()["bills"]["total"], "10100.00");
}
