//! Every page, wide and narrow, light and dark: none scrolls sideways, and each is kept as a picture.

use serde_json::json;

use crate::browser::Browser;
use crate::house::{House, WIDTHS, pictures};

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_seen_without_scrolling_sideways() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let house = House::new().await;
    browser.go(&format!("{}/sign-in", house.base)).await;
    house.keep("sign-in", &browser).await;
    house.sign_in(&browser, "casey").await;
    for (name, path) in house.pages().await {
        browser.go(&format!("{}{path}", house.base)).await;
        house.keep(name, &browser).await;
        assert_fits(&browser, &path).await;
    }
}

/// Sees that the page that is open scrolls sideways at no width.
pub(crate) async fn assert_fits(browser: &Browser, name: &str) {
    for (_, width) in WIDTHS {
        browser.look(width, false).await;
        let page = "document.documentElement";
        let wider = format!("return {page}.scrollWidth > {page}.clientWidth");
        assert_eq!(
            browser.run(&wider).await,
            json!(false),
            "{name} is wider than {width}"
        );
    }
    browser.look(WIDTHS[0].1, false).await;
}

/// What people print: a month's report, a record for an auditor, what waits.
const PRINTED: [&str; 5] = ["tie-out", "bill", "payment", "exceptions", "plan"];

/// A4 upright between its margins, in CSS pixels.
const PAPER: u32 = 703;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_fits_the_paper_and_brings_no_buttons_along() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let house = House::new().await;
    house.sign_in(&browser, "casey").await;
    let pages = house.pages().await;
    let printed = pages.iter().filter(|(name, _)| PRINTED.contains(name));
    for (name, path) in printed {
        browser.go(&format!("{}{path}", house.base)).await;
        browser.on_paper(PAPER).await;
        let shot = browser.screenshot().await;
        std::fs::write(pictures().join(format!("{name}-paper.png")), shot).unwrap();
        let wider = "return [...document.querySelectorAll('main *')].filter(it => \
                     it.getBoundingClientRect().right > document.documentElement.clientWidth + 1).length";
        assert_eq!(
            browser.run(wider).await,
            json!(0),
            "{path} is cut at the right"
        );
        let seen = "return [...document.querySelectorAll('button, input:not([type=hidden]), nav')].filter(it => \
                    it.getClientRects().length > 0).map(it => it.outerHTML)";
        assert_eq!(
            browser.run(seen).await,
            json!([]),
            "{path} prints what can't be pressed"
        );
        browser.on_screen().await;
        let pdf = browser.printed().await;
        assert!(pdf.starts_with(b"%PDF"), "{path}");
        std::fs::write(pictures().join(format!("{name}.pdf")), pdf).unwrap();
    }
}
