//! Every page, wide and narrow, light and dark: none scrolls sideways, and each is kept as a picture.

use serde_json::json;

use crate::browser::Browser;
use crate::house::{House, WIDTHS};

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
        for (_, width) in WIDTHS {
            browser.look(width, false).await;
            let page = "document.documentElement";
            let wider = format!("return {page}.scrollWidth > {page}.clientWidth");
            assert_eq!(
                browser.run(&wider).await,
                json!(false),
                "{path} is wider than {width}"
            );
        }
    }
}
