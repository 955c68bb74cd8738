//! Names and texts from outside that would be markup, script or a formula: nothing of them gets into a page or a file.
//! Every page is found by following the links from the overview, so that a new one is looked at too.

use std::collections::{BTreeSet, VecDeque};

use http::StatusCode;
use serde_json::json;
use tieout_domain::{Kind, Side};
use tieout_server::people::Role;

use crate::office::{Answer, Office};
use crate::stage::Stage;

const ADA: (&str, Role) = ("ada", Role::Admin);

/// So many pages are enough to see each kind of them.
const PAGES_MAX: usize = 400;

const MARKUP: &str = "<img src=x onerror=alert(1)>\"'";
const FORMULA: &str = "=HYPERLINK(\"http://127.0.0.1\")";

/// The addresses that a page leads to on this site.
fn links(page: &str) -> Vec<String> {
    page.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| link.starts_with('/') && !link.starts_with("//"))
        .map(|link| {
            link.split('#')
                .next()
                .unwrap_or_default()
                .replace("&amp;", "&")
        })
        .collect()
}

/// A field that a spreadsheet would run.
fn is_formula(field: &str) -> bool {
    let begins = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    begins && field.parse::<rust_decimal::Decimal>().is_err()
}

fn assert_harmless(path: &str, answer: &Answer) {
    if answer.kind.starts_with("text/html") {
        for raw in ["<img src=x", "onerror=alert(1)>\"'"] {
            assert!(!answer.text.contains(raw), "{path}: {raw} is markup there");
        }
    }
    if answer.kind.starts_with("text/csv") {
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(answer.text.as_bytes());
        for row in rows.records() {
            let row = row.unwrap();
            let formula = row.iter().find(|field| is_formula(field));
            assert_eq!(formula, None, "{path}");
        }
    }
}

#[tokio::test]
async fn s023_what_comes_from_outside_is_text_on_every_page_and_in_every_file() {
    let stage = Stage::new().await;
    stage.try_sync().await;
    for (number, vendor) in stage
        .records(Side::Ledger, Kind::Vendor)
        .await
        .iter()
        .enumerate()
    {
        let name = format!("{MARKUP} {number}");
        let edit = json!({"action": "edit", "fields": {"companyName": name}});
        stage.in_netsuite("vendor", &vendor.observed.id, edit).await;
    }
    let mut edited = 0;
    for (number, (bill, _)) in stage.open_pairs().await.iter().enumerate() {
        let fields =
            json!({"tranId": format!("{FORMULA} {number}"), "memo": format!("{FORMULA}{MARKUP}")});
        let edit = json!({"action": "edit", "fields": fields}).to_string();
        // Those of closed periods can't be edited.
        let path = format!("/control/netsuite/vendorBill/{bill}");
        edited += usize::from(stage.panel.post(&path, &edit).await.is_ok());
    }
    assert!(edited > 3, "{edited} bills were edited");
    stage.try_sync().await;
    let office = Office::over(stage).await;
    let month = office.stage.today().await.strftime("%Y-%m").to_string();
    office
        .post(
            ADA,
            "/tie-out/acme-us/make",
            &[("period", &month), ("currency", "USD")],
        )
        .await
        .done();
    let mut waiting = VecDeque::from(["/".to_owned(), "/records?q=onerror".to_owned()]);
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    let (mut hostile, mut files, mut looked_at) = (0, 0, 0);
    while let Some(path) = waiting.pop_front() {
        if looked_at == PAGES_MAX {
            break;
        }
        looked_at += 1;
        let answer = office.get(ADA, &path).await;
        assert!(
            answer.status == StatusCode::OK || answer.status.is_redirection(),
            "{path}: {}",
            answer.status
        );
        assert_harmless(&path, &answer);
        hostile += usize::from(answer.text.contains("&lt;img src=x"));
        files += usize::from(answer.kind.starts_with("text/csv"));
        if answer.kind.starts_with("text/html") {
            for link in links(&answer.text) {
                if seen.insert(link.clone()) {
                    waiting.push_back(link);
                }
            }
        }
    }
    // Otherwise it would prove nothing.
    assert!(
        hostile > 10 && files > 5,
        "{hostile} pages, {files} files of {looked_at}"
    );
}

#[tokio::test]
async fn no_address_leads_out_of_what_is_served() {
    let office = Office::over(Stage::bare().await).await;
    for path in [
        "/assets/../tieout.toml",
        "/assets/..%2ftieout.toml",
        "/assets/%2e%2e/%2e%2e/tieout.key",
        "/assets/..%5c..%5ctieout.key",
        "/connections/..%2f..%2ftieout.toml",
        "/records/acme-us/ledger/bill/..%2f..%2ftieout.key",
        "/tie-out/..%2f..%2ftieout.key",
        "/webhooks/bill/..%2facme-us",
    ] {
        let answer = office.get(ADA, path).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert!(!answer.text.contains("[connections"), "{path}");
    }
}

#[test]
fn a_page_and_a_file_that_let_it_through_are_seen() {
    let of = |kind: &str, text: &str| Answer {
        status: StatusCode::OK,
        to: String::new(),
        kind: kind.to_owned(),
        text: text.to_owned(),
    };
    for bad in [
        of("text/html; charset=utf-8", &format!("<td>{MARKUP}</td>")),
        of("text/csv; charset=utf-8", "a,=1+1\r\n"),
        of("text/csv; charset=utf-8", "a,@SUM(A1)\r\n"),
    ] {
        let seen = std::panic::catch_unwind(|| assert_harmless("/", &bad));
        assert!(seen.is_err(), "{bad:?}");
    }
    assert_harmless("/", &of("text/csv; charset=utf-8", "a,-5.00,'=1+1\r\n"));
}
