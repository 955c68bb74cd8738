//! Every page, wide and narrow, light and dark: none scrolls sideways, and each is kept as a picture.

use std::path::PathBuf;

use serde_json::json;

use crate::browser::Browser;
use crate::house::House;

/// Widths of a window and of a phone.
const WIDTHS: [(&str, u32); 2] = [("wide", 1280), ("narrow", 375)];

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_seen_without_scrolling_sideways() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let house = House::new().await;
    for (name, path) in house.pages().await {
        for (word, width) in WIDTHS {
            for dark in [false, true] {
                browser.look(width, dark).await;
                browser.go(&format!("{}{path}", house.base)).await;
                let scheme = if dark { "dark" } else { "light" };
                let file = folder().join(format!("{name}-{word}-{scheme}.png"));
                std::fs::write(file, browser.screenshot().await).unwrap();
                let broken = browser.run("return document.documentElement.scrollWidth > document.documentElement.clientWidth").await;
                assert_eq!(broken, json!(false), "{path} is wider than {width}");
            }
        }
    }
}
