//! What people decide, clicked through as they do it: exceptions, mappings, and a month that two people sign.

use tieout::commands::sync::run_id;
use tieout_desk::tie_out::{self, Scope, sign_off};
use tieout_flows::tie_out::input::Note;
use tieout_store::Fact;

use crate::browser::Browser;
use crate::house::House;

/// The pages on which people decide, by names for their pictures. The month's report is made first.
pub(crate) async fn pages(house: &House) -> Vec<(&'static str, String)> {
    let connection = &house.stage.connection;
    let store = &connection.store;
    let scope = Scope::default();
    let made = tie_out::make(connection, &scope, None, run_id());
    tie_out::keep(store, &made.await.unwrap()).await.unwrap();
    let groups = store.exceptions(false).await.unwrap();
    let group = groups.iter().max_by_key(|group| group.count).unwrap();
    let code = group.code.as_ref().unwrap();
    let cause = format!(
        "/exceptions/acme-us/cause?code={code}&group={}",
        group.group
    );
    let linkable = groups.iter().find(|group| group.flow == "bills").unwrap();
    let link = format!(
        "/exceptions/acme-us/link?flow=bills&record={}",
        linkable.records[0]
    );
    let maps = store.maps().await.unwrap();
    let account = maps.iter().find(|entry| entry.kind == "account");
    let account = account.unwrap().from.to_string();
    let owned = |path: &str| path.to_owned();
    vec![
        ("exceptions", owned("/exceptions")),
        ("exceptions-hold", owned("/exceptions?tab=hold")),
        ("cause", cause),
        ("link", link),
        ("mappings", owned("/mappings")),
        ("mappings-accounts", owned("/mappings/acme-us")),
        ("mapping", format!("/mappings/acme-us/account/{account}")),
        (
            "mapping-preview",
            format!("/mappings/acme-us/preview?kind=account&from={account}&to=none"),
        ),
        ("tie-outs", owned("/tie-out")),
        ("tie-out", owned("/tie-out/acme-us")),
        ("preferences", owned("/connections/acme-us/preferences")),
        ("checks", owned("/connections/acme-us/checks")),
        ("credentials", owned("/credentials")),
        ("credential", owned("/credentials/set?kind=netsuite-m2m")),
        ("guide", owned("/credentials/guides/netsuite-m2m")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_leaves_a_record_alone_and_says_why() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let house = House::new().await;
    house.sign_in(&browser, "casey").await;
    browser.look(1280, false).await;
    browser.go(&format!("{}/exceptions", house.base)).await;
    let text = browser.text().await;
    for said in ["What to do", "Money at stake", "Decide"] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    browser
        .press("section.topic tbody td:last-child a:last-child")
        .await;
    browser.press("input[name='record']").await;
    browser
        .type_into("#decide-reason", "settled by phone")
        .await;
    browser.press("button[value='ignore']").await;
    assert!(browser.text().await.contains("1 are left alone"));
    let store = &house.stage.connection.store;
    let decided = store.entries_of("decided", 0, 100).await.unwrap();
    let last = decided.last().unwrap();
    assert_eq!(last.actor, "user:casey");
    assert!(matches!(&last.fact, Fact::Decided { decision, reason, .. }
        if decision == "ignore" && reason == "settled by phone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_is_changed_after_what_it_touches_was_seen() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let house = House::new().await;
    house.sign_in(&browser, "casey").await;
    browser.look(1280, false).await;
    browser
        .go(&format!("{}/mappings/acme-us", house.base))
        .await;
    browser.press("#mappings tbody td:last-child a").await;
    // The last one in the list, whatever it is.
    browser
        .run_away("const list = document.querySelector('#to'); list.selectedIndex = list.options.length - 2; list.form.requestSubmit()")
        .await;
    assert!(browser.text().await.contains("Set the mapping"));
    browser
        .type_into("#mapping-reason", "the accounts were merged")
        .await;
    browser
        .press("form[action='/mappings/acme-us/set'] button")
        .await;
    let text = browser.text().await;
    assert!(
        text.contains("The mapping is set") && text.contains("user:casey"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_made_owned_and_signed_by_two_people() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let house = House::new().await;
    house.sign_in(&browser, "casey").await;
    let store = &house.stage.connection.store;
    browser.look(1280, false).await;
    browser.go(&format!("{}/tie-out/acme-us", house.base)).await;
    browser
        .press("form[action='/tie-out/acme-us/make'] button")
        .await;
    assert!(browser.text().await.contains("Legs"));
    browser
        .run(
            "document.querySelectorAll('input[name=record]').forEach(it => { it.checked = true; })",
        )
        .await;
    let note = Note {
        owner: "Casey".to_owned(),
        comment: "asked the vendor".to_owned(),
    };
    browser.type_into("#own-comment", &note.comment).await;
    browser.press("form#own button").await;
    browser
        .press("form[action='/tie-out/acme-us/make'] button")
        .await;
    assert!(browser.text().await.contains(&note.comment));
    browser.press(".signatures details.act > summary").await;
    browser.press(".signatures details.act button").await;
    let text = browser.text().await;
    assert!(
        text.contains("Signed as preparer") && text.contains("You prepared it"),
        "{text}"
    );
    house.sign_in(&browser, "robin").await;
    browser.go(&format!("{}/tie-out/acme-us", house.base)).await;
    browser.press(".signatures details.act > summary").await;
    browser.press(".signatures details.act button").await;
    assert!(browser.text().await.contains("Signed as reviewer"));
    house.keep("tie-out-signed", &browser).await;
    let signed = sign_off::signatures(store).await.unwrap();
    let who: Vec<_> = signed
        .iter()
        .map(|one| one.signature.who.as_str())
        .collect();
    assert_eq!(who, ["user:casey", "user:robin"]);
}
