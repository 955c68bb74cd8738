//! What people put right, clicked through as they do it: an exception of each kind, a counterpart named, a replay by two
//! people, preferences as they were, and the mapping of a funding account. After each, a sync shows that it holds.

use serde_json::json;
use tieout_desk::mapping::{self, Said};
use tieout_domain::{Kind, RecordRef, RemoteId, Side, State, WaitsFor};
use tieout_store::{Item, ItemFilter};

use crate::acts::{ledger, platform};
use crate::browser::Browser;
use crate::house::House;
use crate::stage::Stage;

/// A house over a stage, and a browser in which `casey` has signed in.
async fn arrived(stage: Stage) -> Option<(House, Browser)> {
    let browser = Browser::start().await?;
    let house = House::over(stage).await;
    browser.look(1280, false).await;
    house.sign_in(&browser, "casey").await;
    Some((house, browser))
}

/// A synced world, and a vendor of an open bill.
async fn synced() -> (Stage, RemoteId) {
    let stage = Stage::new().await;
    stage.try_sync().await;
    let (_, _, vendor) = stage.an_open_bill().await;
    (stage, vendor)
}

/// A bill typed by hand in BILL for the counterpart of a ledger's vendor.
async fn typed(stage: &Stage, vendor: &RemoteId, number: &str, total: f64) -> RecordRef {
    let vendor = stage
        .target("vendors", &ledger(Kind::Vendor, vendor))
        .await
        .unwrap();
    let body = json!({"vendor": vendor.id, "number": number, "amount": total});
    let made = stage.in_bill("type-in", body).await;
    platform(
        Kind::Bill,
        &RemoteId::from(made["bills"][0]["id"].as_str().unwrap()),
    )
}

async fn entered(stage: &Stage, vendor: &RemoteId, number: &str, total: f64) -> RecordRef {
    let fields = json!({"entity": vendor, "tranId": number, "amount": total});
    ledger(Kind::Bill, &stage.enter("vendorbill", fields).await)
}

async fn unfold(browser: &Browser) {
    browser
        .run("document.querySelectorAll('details').forEach(it => { it.open = true; })")
        .await;
}

async fn with_code(stage: &Stage, code: &'static str) -> Vec<Item> {
    let filter = ItemFilter {
        code: Some(tieout_domain::code::Code::new(code)),
        ..ItemFilter::default()
    };
    stage
        .connection
        .store
        .items_page(&filter, None, 1000)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_blocked_goes_on_once_its_cause_is_mapped() {
    let mut stage = Stage::new().await;
    stage.connection.preferences.lists.create_missing = false;
    let store = stage.connection.store.clone();
    for entry in store
        .maps()
        .await
        .unwrap()
        .iter()
        .filter(|entry| entry.to.is_none())
    {
        let said = Said {
            kind: entry.kind.parse().unwrap(),
            from: entry.from.as_str(),
            to: None,
            why: "not to be created",
        };
        mapping::set(&store, &said, "user:ole").await.unwrap();
    }
    stage.try_sync().await;
    let blocked = with_code(&stage, "unmapped-account").await;
    let bill = blocked
        .iter()
        .find(|item| item.flow == "bills")
        .unwrap()
        .clone();
    let Some(WaitsFor::Map(_, account)) = &bill.outcome.waits_for else {
        panic!("{bill:?}")
    };
    let Some((house, browser)) = arrived(stage).await else {
        return;
    };
    browser.go(&format!("{}/exceptions", house.base)).await;
    let row = format!("a[href='/mappings/acme-us/account/{account}']");
    browser.press(&row).await;
    browser
        .run_away("const list = document.querySelector('#to'); list.selectedIndex = 1; list.form.requestSubmit()")
        .await;
    browser
        .type_into("#mapping-reason", "it was open after all")
        .await;
    browser
        .press("form[action='/mappings/acme-us/set'] button")
        .await;
    assert!(browser.text().await.contains("The mapping is set"));
    house.stage.try_sync().await;
    let after = house.stage.item("bills", &bill.record).await.outcome;
    assert_ne!(after.group, bill.outcome.group, "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s078_what_conflicts_is_linked_with_the_one_that_it_is() {
    let (stage, vendor) = synced().await;
    let there = typed(&stage, &vendor, "HAND-2", 77.7).await;
    let here = entered(&stage, &vendor, "HAND-2", 78.7).await;
    stage.try_sync().await;
    assert_eq!(
        stage.item("bills", &here).await.outcome.state,
        State::Conflict
    );
    let Some((house, browser)) = arrived(stage).await else {
        return;
    };
    browser.go(&format!("{}/exceptions", house.base)).await;
    assert!(browser.text().await.contains("HAND-2"));
    let link = format!("/exceptions/acme-us/link?flow=bills&record={here}");
    browser.go(&format!("{}{link}", house.base)).await;
    house.keep("link-candidates", &browser).await;
    browser
        .press(&format!("input[name='target'][value='{there}']"))
        .await;
    browser
        .type_into("#link-reason", "the same invoice, mistyped")
        .await;
    browser.press("form.decide button.main").await;
    house.stage.try_sync().await;
    house.stage.try_sync().await;
    assert_eq!(house.stage.target("bills", &here).await, Some(there));
    assert_eq!(
        house.stage.item("bills", &here).await.outcome.state,
        State::Done
    );
    house.stage.assert_no_duplicates().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s079_what_only_bill_has_is_left_alone_with_a_reason() {
    let (stage, vendor) = synced().await;
    let there = typed(&stage, &vendor, "HAND-1", 77.7).await;
    stage.try_sync().await;
    assert_eq!(
        stage.item("bills", &there).await.outcome.state,
        State::Orphan
    );
    let Some((house, browser)) = arrived(stage).await else {
        return;
    };
    browser.go(&format!("{}/exceptions", house.base)).await;
    browser.press("a[href*='code=only-on-platform']").await;
    browser.press("input[name='all']").await;
    browser.type_into("#decide-reason", "paid by card").await;
    browser.press("button[value='ignore']").await;
    house.stage.try_sync().await;
    let outcome = house.stage.item("bills", &there).await.outcome;
    assert_eq!(outcome.state, State::Skipped, "{outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s143_a_replay_is_asked_for_by_one_and_approved_by_another() {
    let stage = Stage::new().await;
    stage
        .fault(json!({"service": "bill", "method": "POST", "path": "/v3/bills", "effect": "status", "status": 400,
            "body": [{"code": "BDC_1999", "severity": "ERROR", "message": "not today"}]}))
        .await;
    stage.try_sync().await;
    stage.no_faults().await;
    let refused = stage
        .connection
        .store
        .entries_of("refused", 0, 1000)
        .await
        .unwrap();
    let refused = refused[0].record.clone().unwrap();
    let waits = stage.item("bills", &refused).await.outcome;
    let Some((house, browser)) = arrived(stage).await else {
        return;
    };
    let code = waits.code.as_ref().unwrap();
    let cause = format!(
        "/exceptions/acme-us/cause?code={code}&group={}",
        waits.group
    );
    browser.go(&format!("{}{cause}", house.base)).await;
    let escaped = refused.to_string().replace('/', "%2F");
    let replay = format!("a[href='/replay/acme-us?what={escaped}']");
    browser.press(&replay).await;
    house.keep("replay", &browser).await;
    browser
        .type_into("#replay-reason", "BILL was in a mood")
        .await;
    browser.press("form[action='/replay/acme-us'] button").await;
    unfold(&browser).await;
    let own = browser.run("return document.querySelector(\"form[action$='/approve']\") === null");
    assert_eq!(
        own.await,
        json!(true),
        "nobody approves what they asked for"
    );
    house.sign_in(&browser, "robin").await;
    browser.go(&format!("{}/approvals", house.base)).await;
    unfold(&browser).await;
    house.keep("approvals-open", &browser).await;
    browser.press("form[action$='/approve'] button").await;
    house.stage.try_sync().await;
    assert_eq!(
        house.stage.item("bills", &refused).await.outcome.state,
        State::Done
    );
    house.stage.assert_no_duplicates().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn preferences_go_back_to_an_earlier_version_by_a_button() {
    let Some((house, browser)) = arrived(Stage::bare().await).await else {
        return;
    };
    let page = format!("{}/connections/acme-us/preferences", house.base);
    browser.go(&page).await;
    let change = "document.getElementById('transactions.post_payments_at').value = 'cleared'; \
                  document.getElementById('lists.create_missing').value = 'false';";
    browser.run(change).await;
    browser.press("form.preferences button").await;
    assert!(browser.text().await.contains("2 changed"));
    house.keep("preferences-versions", &browser).await;
    unfold(&browser).await;
    browser
        .press("form[action$='/preferences/back'] button")
        .await;
    assert!(browser.text().await.contains("2 put back"));
    let value = "return document.getElementById('transactions.post_payments_at').value";
    assert_eq!(browser.run(value).await, json!("processed"));
    let versions = tieout_desk::preferences::versions(&house.stage.home.store, "acme-us");
    let versions = versions.await.unwrap();
    assert_eq!(versions.last().unwrap().actor, "user:casey");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_funding_account_shows_the_payments_that_rest_on_it() {
    let (stage, _) = synced().await;
    let (_, bill) = stage.open_pairs().await.pop().unwrap();
    stage.pay(&[bill], None, "SCHEDULED").await;
    stage.try_sync().await;
    let store = &stage.connection.store;
    let uses = mapping::uses(store, Kind::FundingAccount).await.unwrap();
    let (account, used) = uses.iter().next().unwrap();
    let account = account.clone();
    let payments = stage.records(Side::Platform, Kind::Payment).await.len() as u64;
    assert!(used.count > 0 && used.count <= payments);
    let Some((house, browser)) = arrived(stage).await else {
        return;
    };
    browser
        .go(&format!("{}/mappings/acme-us?kind=funding", house.base))
        .await;
    assert!(browser.text().await.contains("Paid from it"));
    house.keep("mappings-funding", &browser).await;
    browser
        .press(&format!("a[href='/mappings/acme-us/funding/{account}']"))
        .await;
    let text = browser.text().await;
    assert!(
        text.contains("Payments from it that are not posted"),
        "{text}"
    );
    let rows = "return document.querySelectorAll('#bills tbody tr').length";
    assert_eq!(
        browser.run(rows).await,
        json!(1),
        "what is scheduled is not posted yet"
    );
}
