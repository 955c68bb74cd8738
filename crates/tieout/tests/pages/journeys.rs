//! What people do, clicked through as they do it.

use serde_json::json;
use tieout_domain::Kind;
use tieout_domain::Side;

use crate::browser::Browser;
use crate::house::House;

/// A house, and a browser that shows its overview; nothing where there is no browser.
async fn arrived() -> Option<(House, Browser)> {
    let browser = Browser::start().await?;
    let house = House::new().await;
    browser.look(1280, false).await;
    house.sign_in(&browser, "casey").await;
    Some((house, browser))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_is_offered_nothing_to_do() {
    let Some((house, browser)) = arrived().await else {
        return;
    };
    assert!(browser.text().await.contains("Sync now"));
    browser.press(".who form button").await;
    house.sign_in(&browser, "val").await;
    for path in ["/", "/connections/acme-us"] {
        browser.go(&format!("{}{path}", house.base)).await;
        let text = browser.text().await;
        assert!(
            text.contains("acme-us") && text.contains("val, viewer"),
            "{text}"
        );
        for act in ["Sync now", "Pause", "Sync chosen"] {
            assert!(!text.contains(act), "{act} is in {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daily_check_goes_from_the_overview_to_what_waits_and_asks_for_a_sync() {
    let Some((house, browser)) = arrived().await else {
        return;
    };
    let text = browser.text().await;
    for said in ["acme-us", "exceptions", "at stake", "USD", "Next sync"] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    browser.press(".tile h2 a").await;
    let text = browser.text().await;
    for said in [
        "Recent syncs",
        "Waiting for a person",
        "What to do",
        "Last success",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    browser
        .press("form[action='/connections/acme-us/sync'] button")
        .await;
    assert!(browser.text().await.contains("A sync was asked for"));
    let asked = house.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].by, "user:casey");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_few_records_and_chosen_flows_are_synced_by_themselves() {
    let Some((house, browser)) = arrived().await else {
        return;
    };
    browser
        .go(&format!("{}/connections/acme-us", house.base))
        .await;
    browser.press("details.act:nth-of-type(3) > summary").await;
    browser.type_into("#only", "INV-1\n\n  INV-2 ").await;
    browser.press("details.act:nth-of-type(3) button").await;
    browser.press("details.act:nth-of-type(2) > summary").await;
    browser.press("input[value='bills']").await;
    browser.press("input[value='vendors']").await;
    browser.press("details.act:nth-of-type(2) button").await;
    assert!(browser.text().await.contains("A sync was asked for"));
    let asked = house.asked();
    assert_eq!(asked[0].only, ["INV-1", "INV-2"]);
    assert_eq!(asked[1].flows, ["vendors", "bills"]);
    assert!(asked[1].only.is_empty() && !asked[1].whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn s239_a_person_stops_the_writes_of_a_connection_and_lets_them_go_on() {
    let Some((house, browser)) = arrived().await else {
        return;
    };
    let store = house.stage.connection.store.clone();
    browser.press(".tile details.act > summary").await;
    browser
        .type_into("#pause-acme-us", "a strange payee <b>")
        .await;
    browser.press(".tile details.act button").await;
    let text = browser.text().await;
    assert!(
        text.contains("paused") && text.contains("a strange payee <b>"),
        "{text}"
    );
    let stops = store.stops().await.unwrap();
    assert_eq!(stops[0].actor, "user:casey");
    assert_eq!(stops[0].reason, "a strange payee <b>");
    browser.press("details.act > summary").await;
    browser
        .type_into("#resume-acme-us", "the payee is known")
        .await;
    browser.press("details.act button").await;
    assert!(browser.text().await.contains("go on"));
    assert!(store.stops().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_is_found_by_its_number_and_told_on_both_sides() {
    let Some((house, browser)) = arrived().await else {
        return;
    };
    let (ledger, platform) = house.pair().await;
    let number = house.label(&ledger).await;
    browser.type_into(".find input", &number).await;
    browser
        .run_away("document.querySelector('.find').requestSubmit()")
        .await;
    assert!(browser.address().await.contains("/records?q="));
    let link = format!("a[href='/records/acme-us/ledger/bill/{}']", ledger.id);
    browser.press(&link).await;
    let text = browser.text().await;
    for said in [
        number.as_str(),
        ledger.id.as_str(),
        platform.id.as_str(),
        "Timeline",
        "create bill",
        "Lines in Oracle NetSuite",
        "Lines in BILL",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    assert_eq!((ledger.kind, platform.side), (Kind::Bill, Side::Platform));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_names_what_went_wrong_and_the_remedy() {
    let Some((house, browser)) = arrived().await else {
        return;
    };
    house
        .stage
        .panel
        .post("/control/credentials/bill", r#"{"action":"lock"}"#)
        .await
        .unwrap();
    // A session is kept from run to run, and a locked user's is cut off with it.
    let fault = json!({"service": "bill", "share": 1.0, "effect": "expire-session"});
    house.stage.fault(fault).await;
    house.stage.try_sync().await;
    browser
        .go(&format!("{}/connections/acme-us", house.base))
        .await;
    let text = browser.text().await;
    assert!(text.contains("last sync failed"), "{text}");
    let cell = browser
        .run("return document.querySelector('#recent tbody tr td:last-child').innerText")
        .await;
    let cell = cell.as_str().unwrap();
    assert!(
        cell.contains("bill:") && cell.contains("What to do:"),
        "{cell}"
    );
    house.keep("connection-failed", &browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_on_is_watched_and_its_end_is_seen_without_a_click() {
    let Some((house, browser)) = arrived().await else {
        return;
    };
    let slow = json!({"service": "netsuite", "effect": "latency", "latency": "1s", "share": 1.0});
    house.stage.fault(slow).await;
    let address = format!("{}/connections/acme-us", house.base);
    browser.go(&address).await;
    let watch = async {
        let mut begun = false;
        for _ in 0..600 {
            let seen = browser
                .run("return document.querySelector('#live').innerText")
                .await;
            let seen = seen.as_str().unwrap_or_default().to_owned();
            if seen.contains("Set off by test") {
                if !begun {
                    house.keep("connection-running", &browser).await;
                }
                begun = true;
            } else if begun && seen.contains("No sync is on") {
                return;
            } else if !begun {
                // The page asks anew only while it knows of a run: this one comes from elsewhere.
                browser.go(&address).await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("the run, or its end, was not seen");
    };
    tokio::join!(house.stage.try_sync(), watch);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_checks_the_chain_and_takes_the_log_along() {
    let Some((house, browser)) = arrived().await else {
        return;
    };
    browser.go(&format!("{}/audit", house.base)).await;
    assert!(browser.text().await.contains("never checked"));
    browser.press("form[action='/audit/check'] button").await;
    let text = browser.text().await;
    assert!(
        text.contains("chain verified") && text.contains("by user:casey"),
        "{text}"
    );
    let csv = browser
        .run_promise("fetch(document.querySelector('a.csv').href).then(answer => answer.text())")
        .await;
    let csv = csv.as_str().unwrap();
    assert!(
        csv.starts_with("\"Entry\",\"When\",\"Who\",\"What\""),
        "{csv:.80}"
    );
    assert!(csv.lines().count() > 100);
    // A line for each entry and no more on the page than fit it.
    let rows = browser
        .run("return document.querySelectorAll('#audit tbody tr').length")
        .await;
    assert_eq!(rows, json!(100));
}
