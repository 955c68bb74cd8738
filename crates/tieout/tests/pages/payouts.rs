//! The set-up of a platform that pays out, clicked through as its own description tells it: both sides are allowed, the
//! accounts are chosen, and it is pending until all history is through.

use serde_json::{Value, json};
use tieout::sandbox::SandboxOptions;

use crate::accessible::assert_shuts_nobody_out;
use crate::browser::Browser;
use crate::connecting::assert_tells_none;
use crate::live::Live;
use crate::screens::assert_fits;

/// The platform, as the sandbox and the pages name it.
const SERVICE: &str = "alternative-payments";

/// The pages of the connection.
const CONNECTION: &str = "/connections/acme-us";
const ACCOUNTS: &str = "/connections/acme-us/accounts";

/// The accounts that are chosen, by what for.
const CHOSEN: [(&str, &str); 5] = [
    ("receivables.deposit_accounts", "undeposited"),
    ("receivables.bank_account", "1000"),
    ("receivables.fee_account", "6900"),
    ("receivables.clearing_account", "2100"),
    ("receivables.standalone_account", "2100"),
];

/// A company that sells a little: the service takes five calls a second.
fn selling() -> SandboxOptions {
    SandboxOptions {
        bills: Some(2),
        vendors: Some(2),
        customers: Some(6),
        invoices: Some(10),
        ..SandboxOptions::default()
    }
}

/// Gives a field, or a list's choice, this value. Gives what it then has: nothing, where a list doesn't offer it.
async fn set(browser: &Browser, id: &str, value: &str) -> Value {
    let script = format!(
        "const field = document.getElementById({id:?}); field.value = {value:?}; return field.value"
    );
    browser.run(&script).await
}

async fn pick(browser: &Browser, id: &str, value: &str) {
    assert_eq!(set(browser, id, value).await, json!(value), "{id}");
}

/// The facts that a part of the page tells, by label.
async fn told(browser: &Browser, part: &str) -> Value {
    let script = format!(
        "const told = {{}}; \
         document.querySelectorAll('#{part} dl.facts dt').forEach(it => {{ told[it.textContent] = it.nextElementSibling.textContent; }}); \
         return told"
    );
    browser.run(&script).await
}

/// How far the page of the connection says that the initial sync is.
async fn assert_initial(browser: &Browser, words: &str) {
    let facts = told(browser, "live").await;
    let said = facts["Initial sync"].as_str();
    assert!(said.is_some_and(|said| said.contains(words)), "{facts}");
}

async fn assert_says(browser: &Browser, all: &[&str]) {
    let text = browser.text().await;
    for said in all {
        assert!(text.contains(said), "{said} is not in {text}");
    }
}

/// Keeps the page as pictures, and sees that it fits and shuts nobody out.
async fn seen(live: &Live, browser: &Browser, name: &str) {
    live.keep(name, browser).await;
    assert_fits(browser, name).await;
    assert_shuts_nobody_out(browser, name).await;
}

/// How many invoices the platform has.
async fn invoices_there(live: &Live) -> u64 {
    let state = live.state().await;
    state[SERVICE]["invoices"]["count"].as_u64().unwrap()
}

/// Both sides let us in, each says which company and account it is, and a person stores it.
async fn allow(live: &Live, browser: &Browser) {
    live.go(browser, "/connect").await;
    browser.type_into("#connection-name", "acme-us").await;
    pick(browser, "pair", "netsuite-alternative-payments").await;
    pick(browser, "template", "payouts").await;
    browser.press("form[action='/connect'] button").await;
    let account = live.given("netsuite", "account");
    browser
        .type_into("#netsuite-account", account.as_str().unwrap())
        .await;
    browser
        .press("#netsuite form[action$='/settings'] button")
        .await;
    let token = live.given("netsuite", "netsuite-tba");
    live.enter(browser, "netsuite", "netsuite-tba", &token)
        .await;
    let subsidiary = live.given("netsuite", "subsidiary");
    let subsidiary = subsidiary.as_str().unwrap();
    pick(browser, "netsuite-subsidiary", subsidiary).await;
    browser
        .press("#netsuite form[action$='/choose'] button")
        .await;

    // It has two worlds, and no third.
    let environment = "#alternative-payments-environment";
    let go_on = "#alternative-payments form[action$='/settings'] button";
    browser.type_into(environment, "sandbox").await;
    browser.press(go_on).await;
    assert_says(browser, &["What to do:"]).await;
    live.go(browser, "/connect/acme-us").await;
    browser.type_into(environment, "demo").await;
    browser.press(go_on).await;
    let keys = live.given(SERVICE, SERVICE);
    live.enter(browser, SERVICE, SERVICE, &keys).await;
    assert_says(browser, &["It signs in, and is sealed", "Allow it only if"]).await;
    let secret = keys["client_secret"].as_str().unwrap();
    assert_tells_none(browser, &[secret.to_owned()]).await;

    let ledger = told(browser, "netsuite").await;
    assert_eq!(ledger["account"], account, "{ledger}");
    for label in ["company", "environment"] {
        assert!(
            ledger[label].as_str().is_some_and(|it| !it.is_empty()),
            "{label}: {ledger}"
        );
    }
    let part = ledger["subsidiary"].as_str().unwrap();
    assert!(part.starts_with(subsidiary), "{ledger}");
    let platform = told(browser, SERVICE).await;
    assert_eq!(
        (
            &platform["company"],
            &platform["account"],
            &platform["environment"]
        ),
        (
            &json!("Alternative Payments account (demo)"),
            &json!("demo"),
            &json!("demo")
        )
    );
    seen(live, browser, "payouts-allow").await;

    browser.press("form[action$='/store'] button").await;
    let stored = [
        "It is stored",
        "Stored and paused",
        "in order",
        "Set Up Accounts",
        "Is what customers pay to be written to the ledger?",
    ];
    assert_says(browser, &stored).await;
    let text = browser.text().await;
    assert!(
        !text.contains("go to BILL"),
        "it is asked about another platform: {text}"
    );
    let stops = live.store().stops().await.unwrap();
    assert_eq!(stops[0].actor, "user:casey");
    seen(live, browser, "payouts-stored").await;
}

/// The accounts of payments and payouts: what doesn't fit isn't offered, and is told where it was written by hand.
async fn set_up_accounts(live: &Live, browser: &Browser) {
    let (bank, fees) = (CHOSEN[1].0, "6900");
    live.go(browser, ACCOUNTS).await;
    assert_eq!(
        set(browser, bank, fees).await,
        json!(""),
        "no bank account, and offered as one"
    );
    live.go(browser, "/connections/acme-us/preferences").await;
    pick(browser, bank, fees).await;
    browser.press("form.preferences button").await;
    assert_says(browser, &["1 changed"]).await;
    live.go(browser, CONNECTION).await;
    assert_says(browser, &["5 open", "Nothing is posted or deposited"]).await;
    live.go(browser, ACCOUNTS).await;
    assert_says(
        browser,
        &["is of another type: an account of type Bank is needed"],
    )
    .await;
    seen(live, browser, "accounts-wrong").await;

    live.go(browser, ACCOUNTS).await;
    for (purpose, account) in CHOSEN {
        pick(browser, purpose, account).await;
    }
    browser.press("form.preferences button").await;
    assert_says(browser, &["Set Up Accounts", "5 chosen"]).await;
    let text = browser.text().await;
    assert!(!text.contains("of another type"), "{text}");
    seen(live, browser, "accounts").await;
}

/// Writing to the ledger is switched on, once it was shown how much that is.
async fn reconcile(live: &Live, browser: &Browser) {
    live.go(browser, "/connect/acme-us").await;
    pick(browser, "receivables.reconcile", "true").await;
    browser.press("form.preferences button").await;
    assert_says(browser, &["The first sync to"]).await;
    seen(live, browser, "payouts-first-sync").await;
    browser
        .press("form:has(input[name='preference.receivables.first_sync']) button")
        .await;
    assert_says(browser, &["preferences are changed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s170_the_set_up_of_alternative_payments_ends_in_connected() {
    let Some((live, browser)) = Live::arrived_in(&selling()).await else {
        return;
    };
    let before = invoices_there(&live).await;
    allow(&live, &browser).await;

    // The first sync reads both sides, and writes nothing yet: it is pending.
    live.go(&browser, CONNECTION).await;
    browser
        .press("form[action='/connections/acme-us/sync'] button")
        .await;
    assert_says(&browser, &["A sync was asked for"]).await;
    live.ended(1).await;
    live.go(&browser, CONNECTION).await;
    assert_initial(&browser, "pending the last twelve months first").await;
    assert_eq!(invoices_there(&live).await, before);
    seen(&live, &browser, "payouts-pending").await;
    live.go(&browser, "/").await;
    assert_says(&browser, &["Initial sync", "pending"]).await;

    set_up_accounts(&live, &browser).await;
    reconcile(&live, &browser).await;
    live.go_live(&browser).await;
    // The page is told by itself.
    browser.until("all history is through").await;
    let status = live.ended(2).await;
    assert!(
        ["done", "exceptions"].contains(&status.as_str()),
        "{status}"
    );
    live.go(&browser, CONNECTION).await;
    assert_initial(&browser, "connected all history is through").await;
    assert_says(
        &browser,
        &["Every account is chosen, and of the right type"],
    )
    .await;
    let text = browser.text().await;
    assert!(
        !text.contains("Open bills"),
        "nobody pays bills here: {text}"
    );
    assert!(live.store().stops().await.unwrap().is_empty());
    assert!(invoices_there(&live).await > before, "invoices are there");
    seen(&live, &browser, "payouts-connected").await;
}
