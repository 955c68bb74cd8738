//! Every page, audited by axe-core: no violations, wide and narrow, light and dark. `cargo xtask test` brings
//! axe-core into `target/axe`; where it is not there, the test says so and is skipped.

use std::path::PathBuf;

use serde_json::Value;

use crate::browser::Browser;
use crate::house::House;

fn axe() -> Option<String> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/axe/node_modules/axe-core/axe.min.js");
    let text = std::fs::read_to_string(file);
    if text.is_err() {
        println!("skipped: axe-core is not in target/axe");
    }
    text.ok()
}

/// What the auditor finds wrong with the page that is open, in words.
async fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    browser.run(axe).await;
    let found = browser
        .run_promise(
            "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)",
        )
        .await;
    let Value::Array(found) = found else {
        return vec![found.to_string()];
    };
    let each = found.iter().flat_map(|violation| {
        let nodes = violation["nodes"].as_array().into_iter().flatten();
        nodes.map(|node| {
            format!(
                "{}: {} {}",
                violation["id"], node["html"], node["failureSummary"]
            )
        })
    });
    each.collect()
}

/// Widths and colours in which pages are audited.
const LOOKS: [(u32, bool); 4] = [(1280, false), (1280, true), (375, false), (375, true)];

/// Opens what is folded: it is read too.
const UNFOLD: &str = "document.querySelectorAll('details').forEach(it => { it.open = true; })";

/// Sees that the auditor finds nothing wrong with the page that is open. Leaves it unfolded.
pub(crate) async fn assert_shuts_nobody_out(browser: &Browser, name: &str) {
    let Some(axe) = axe() else { return };
    browser.run(UNFOLD).await;
    for (width, dark) in LOOKS {
        browser.look(width, dark).await;
        let found = violations(browser, &axe).await;
        assert!(
            found.is_empty(),
            "{name} at {width}, dark {dark}:\n{}",
            found.join("\n")
        );
    }
    browser.look(LOOKS[0].0, false).await;
}

/// The auditor is at work: it finds a picture without words, and a field without a name.
async fn assert_awake(browser: &Browser, axe: &str) {
    let wrong = "document.body.innerHTML += '<img src=\"/assets/logo.svg\"><input type=\"text\">'";
    browser.run(wrong).await;
    let found = violations(browser, axe).await.join(" ");
    assert!(
        found.contains("image-alt") && found.contains("label"),
        "{found}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_finds_no_page_that_shuts_anybody_out() {
    let (Some(browser), Some(axe)) = (Browser::start().await, axe()) else {
        return;
    };
    let house = House::new().await;
    house.sign_in(&browser, "casey").await;
    let mut wrong = Vec::new();
    for (name, path) in house.pages().await {
        for (width, dark) in LOOKS {
            browser.look(width, dark).await;
            browser.go(&format!("{}{path}", house.base)).await;
            browser.run(UNFOLD).await;
            for violation in violations(&browser, &axe).await {
                wrong.push(format!("{name} at {width}, dark {dark}: {violation}"));
            }
        }
    }
    assert_awake(&browser, &axe).await;
    assert!(
        wrong.is_empty(),
        "{} violations:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
