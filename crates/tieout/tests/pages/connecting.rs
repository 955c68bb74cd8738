//! The first connection and the renewal of a token, clicked through from the first page to a sync that works.

use serde_json::{Value, json};
use tieout_store::Fact;

use crate::browser::Browser;
use crate::live::Live;

/// What of a credential must never come back to a page.
fn secrets(fields: &Value) -> Vec<String> {
    let fields = fields.as_object().unwrap();
    let values = fields.values().map(|value| value.as_str().unwrap());
    values.map(str::to_owned).collect()
}

/// Sees that none of these is anywhere in the page.
pub(crate) async fn assert_tells_none(browser: &Browser, secrets: &[String]) {
    let page = browser
        .run("return document.documentElement.outerHTML")
        .await;
    let page = page.as_str().unwrap();
    for secret in secrets {
        assert!(!page.contains(secret), "{secret} is in the page");
    }
}

/// All notes of the installation's history by a person.
async fn notes(live: &Live, by: &str) -> String {
    let entries = live
        .home
        .store
        .installation()
        .entries_after(0, 1000)
        .await
        .unwrap();
    let mine = entries.into_iter().filter(|entry| entry.actor == by);
    let notes = mine.filter_map(|entry| match entry.fact {
        Fact::Note { text } => Some(text),
        _ => None,
    });
    notes.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_connection_is_made_looked_at_and_goes_live() {
    let Some((live, browser)) = Live::arrived().await else {
        return;
    };
    let before = live.state().await;
    assert!(browser.text().await.contains("No connection yet"));
    browser.press("a[href='/connect']").await;
    live.keep("connect", &browser).await;
    browser.type_into("#connection-name", "acme-us").await;
    browser
        .run("document.querySelector('#template').value = 'sandbox'")
        .await;
    browser.press("form[action='/connect'] button").await;
    live.keep("connect-account", &browser).await;
    // What can't be right is said before anybody signs in.
    browser
        .type_into("#netsuite-account", "not an account")
        .await;
    browser
        .press("#netsuite form[action$='/settings'] button")
        .await;
    assert!(browser.text().await.contains("What to do:"));
    live.go(&browser, "/connect/acme-us").await;
    let account = live.given("netsuite", "account");
    browser
        .type_into("#netsuite-account", account.as_str().unwrap())
        .await;
    browser
        .press("#netsuite form[action$='/settings'] button")
        .await;
    live.keep("connect-credential", &browser).await;

    // The key pair is made here, and its certificate uploaded over there.
    browser.press("#netsuite form[action$='/key'] button").await;
    let certificate = browser
        .run("return document.querySelector('#certificate').value")
        .await;
    let pem = certificate.as_str().unwrap();
    assert!(
        pem.contains("BEGIN CERTIFICATE") && !pem.contains("PRIVATE"),
        "{pem}"
    );
    let integration = live
        .in_netsuite("integrations", json!({"action": "new"}))
        .await;
    let client = integration["client_id"].clone();
    let upload = json!({"action": "upload", "client_id": client, "certificate": pem});
    let mapped = live.in_netsuite("certificates", upload).await;
    live.keep("connect-certificate", &browser).await;
    let fields = json!({"client_id": client, "certificate_id": "not this one"});
    live.enter(&browser, "netsuite", "netsuite-m2m", &fields)
        .await;
    let text = browser.text().await;
    assert!(
        text.contains("What to do:"),
        "a wrong id is refused: {text}"
    );
    live.go(&browser, "/connect/acme-us").await;
    let fields = json!({"client_id": client, "certificate_id": mapped["certificate_id"]});
    live.enter(&browser, "netsuite", "netsuite-m2m", &fields)
        .await;
    assert!(browser.text().await.contains("It signs in, and is sealed"));
    live.keep("connect-part", &browser).await;
    let subsidiary = live.given("netsuite", "subsidiary");
    let choose = format!("document.querySelector('#netsuite-subsidiary').value = {subsidiary}");
    browser.run(&choose).await;
    browser
        .press("#netsuite form[action$='/choose'] button")
        .await;

    // Left at any step, it is gone on with.
    live.go(&browser, "/connect").await;
    browser.press("main ul a").await;
    let organization = live.given("bill", "organization");
    browser
        .type_into("#bill-organization", organization.as_str().unwrap())
        .await;
    browser.type_into("#bill-environment", "sandbox").await;
    browser
        .press("#bill form[action$='/settings'] button")
        .await;
    let bill = live.given("bill", "bill");
    live.enter(&browser, "bill", "bill", &bill).await;
    assert_tells_none(&browser, &secrets(&bill)[..1]).await;
    live.keep("connect-both", &browser).await;
    browser.press("form[action$='/store'] button").await;
    let text = browser.text().await;
    for said in [
        "It is stored",
        "Stored and paused",
        "What was seen",
        "in order",
        "Go live",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    let stops = live.store().stops().await.unwrap();
    assert_eq!(stops[0].actor, "user:casey");

    // Mappings, preferences, the first plan: nothing is written by any of it.
    live.decide(&browser).await;
    live.go(&browser, "/connect/acme-us").await;
    live.keep("connect-ready", &browser).await;
    browser.press("a[href='/connections/acme-us/plan']").await;
    let text = browser.text().await;
    for said in ["What a sync would do", "create bill", "not live yet"] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    live.keep("plan", &browser).await;
    let figure = |state: &Value| state["bill"]["bills"].clone();
    assert_eq!(
        figure(&live.state().await),
        figure(&before),
        "nothing is written yet"
    );

    live.go_live(&browser).await;
    assert!(browser.address().await.contains("/connections/acme-us"));
    let status = live.ended(1).await;
    assert!(
        ["done", "exceptions"].contains(&status.as_str()),
        "{status}"
    );
    assert_ne!(
        figure(&live.state().await),
        figure(&before),
        "bills are in BILL"
    );
    assert!(live.store().stops().await.unwrap().is_empty());
    let notes = notes(&live, "user:casey").await;
    for said in ["begun", "signs in to", "is chosen", "connected `acme-us`"] {
        assert!(notes.contains(said), "{said} is not in {notes}");
    }
    live.go(&browser, "/connect/acme-us").await;
    assert!(browser.text().await.contains("acme-us is connected"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_is_given_up_and_leaves_no_secret() {
    let Some((live, browser)) = Live::arrived().await else {
        return;
    };
    live.go(&browser, "/connect").await;
    browser.type_into("#connection-name", "acme-us").await;
    browser
        .run("document.querySelector('#template').value = 'sandbox'")
        .await;
    browser.press("form[action='/connect'] button").await;
    let account = live.given("netsuite", "account");
    browser
        .type_into("#netsuite-account", account.as_str().unwrap())
        .await;
    browser
        .press("#netsuite form[action$='/settings'] button")
        .await;
    let token = live.given("netsuite", "netsuite-tba");
    live.enter(&browser, "netsuite", "netsuite-tba", &token)
        .await;
    let credentials = live.home.store.credentials();
    assert_eq!(credentials.list().await.unwrap().len(), 1);
    browser.press("main > details.act > summary").await;
    browser.press("form[action$='/abandon'] button").await;
    assert!(browser.text().await.contains("What was given is forgotten"));
    assert!(credentials.list().await.unwrap().is_empty());
    assert!(!live.folder.path().join("connecting-acme-us.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn s211_a_token_is_renewed_step_by_step_and_the_links_stay() {
    let Some((live, browser)) = Live::arrived().await else {
        return;
    };
    let token = live.given("netsuite", "netsuite-tba");
    live.connect(&browser, "netsuite-tba", &token).await;
    live.decide(&browser).await;
    live.go_live(&browser).await;
    live.ended(1).await;
    let figures = live.state().await;
    let links = live
        .store()
        .links_page("bills", None, 1000)
        .await
        .unwrap()
        .len();
    assert!(links > 0);

    live.go(&browser, "/credentials").await;
    browser
        .press("a[href='/credentials/renewals/acme-us-netsuite']")
        .await;
    live.keep("renewal-begin", &browser).await;
    browser
        .run("document.querySelector('#to').value = 'netsuite-tba'")
        .await;
    browser
        .press("form[action='/credentials/renewals/acme-us-netsuite'] button")
        .await;
    let go_on = "form[action$='/step'] button";
    // A word isn't believed where it can be seen.
    browser.press(go_on).await;
    assert!(browser.text().await.contains("still signs in"));
    live.go(&browser, "/credentials/renewals/acme-us-netsuite")
        .await;
    live.keep("renewal", &browser).await;
    let key = json!({"action": "block", "consumer_key": token["consumer_key"]});
    live.in_netsuite("integrations", key).await;
    browser.press(go_on).await;
    let revoked = json!({"action": "revoke", "token_id": token["token_id"]});
    live.in_netsuite("tokens", revoked).await;
    browser.press(go_on).await;
    // There is no bundle of BILL's own sync here: its steps go by themselves.
    let integration = live
        .in_netsuite("integrations", json!({"action": "new"}))
        .await;
    for field in ["consumer_key", "consumer_secret"] {
        browser
            .fill(
                &format!("#field-{field}"),
                integration[field].as_str().unwrap(),
            )
            .await;
    }
    live.keep("renewal-fields", &browser).await;
    browser.press(go_on).await;
    let made = json!({"action": "new", "consumer_key": integration["consumer_key"]});
    let fresh = live.in_netsuite("tokens", made).await;
    browser
        .fill("#field-token_id", fresh["token_id"].as_str().unwrap())
        .await;
    browser.fill("#field-token_secret", "not this one").await;
    browser.press(go_on).await;
    assert!(browser.text().await.contains("doesn't sign in"));
    live.go(&browser, "/credentials/renewals/acme-us-netsuite")
        .await;
    for field in ["token_id", "token_secret"] {
        browser
            .fill(&format!("#field-{field}"), fresh[field].as_str().unwrap())
            .await;
    }
    browser.press(go_on).await;
    let told = [&integration["consumer_secret"], &fresh["token_secret"]];
    let told = told.map(|secret| secret.as_str().unwrap().to_owned());
    assert_tells_none(&browser, &told).await;
    // It is in use by now; the plan is shown and waits for a yes.
    browser.press(go_on).await;
    assert!(browser.text().await.contains("What a sync would do"));
    live.keep("renewal-plan", &browser).await;
    browser.press(go_on).await;
    assert!(browser.text().await.contains("It is renewed"));
    live.ended(2).await;

    assert_eq!(live.state().await, figures, "nothing was made twice");
    let after = live
        .store()
        .links_page("bills", None, 1000)
        .await
        .unwrap()
        .len();
    assert_eq!(after, links);
    assert!(live.store().stops().await.unwrap().is_empty());
    let notes = notes(&live, "user:casey").await;
    for said in [
        "begun, from netsuite-tba to netsuite-tba",
        "block-consumer-key done",
        "switch done",
        "ended",
    ] {
        assert!(notes.contains(said), "{said} is not in {notes}");
    }
}
