//! PDF. What stands on the pages is read with `pdftotext`, where it is installed.

use std::process::Command;

use tieout_flows::tie_out::Report;
use tieout_report::pdf;

use crate::{MANY, found, sample, spoiled};

/// The text of the pages, each ended by a form feed; `None` without the tool, which is then said.
fn read(report: &Report) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.pdf");
    std::fs::write(&path, pdf(report).unwrap()).unwrap();
    let read = Command::new("pdftotext")
        .args(["-raw", "-enc", "UTF-8"])
        .arg(&path)
        .arg("-")
        .output();
    let Ok(output) = read else {
        println!("skipped: pdftotext is not installed");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Without what breaking lines does to a text.
fn joined(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let report = sample::report();
    let bytes = pdf(&report).unwrap();
    assert!(bytes.starts_with(b"%PDF-"));
    assert!(bytes == pdf(&report).unwrap());
    let mut other = report;
    other.made_at = "2026-07-01T06:01:13Z".parse().unwrap();
    assert!(bytes != pdf(&other).unwrap());
}

#[test]
fn every_item_is_on_the_pages_with_ids_cause_and_owner() {
    let report = sample::report();
    let Some(text) = read(&report) else { return };
    let text = joined(&text);
    for item in &report.items {
        for words in [&item.vendor, &item.cause, &item.owner, &item.comment] {
            assert!(text.contains(&joined(words)), "{words}");
        }
        for document in [&item.ledger, &item.platform].into_iter().flatten() {
            assert!(text.contains(document.record.id.as_str()), "{document:?}");
        }
    }
    let advisory = &report.advisories[0];
    let (signal, words) = (advisory.signal.code(), joined(&advisory.words));
    assert!(text.contains(signal) && text.contains(&words), "{words}");
    for figure in ["412,906.18", "38,715.75", "-22,140.00", "-189,780.16"] {
        assert!(text.contains(figure), "{figure}");
    }
    for extract in &report.completeness.extracts {
        assert!(text.contains(&joined(&extract.query)), "{}", extract.query);
        assert!(text.contains(&extract.sha256));
    }
}

#[test]
fn each_page_says_which_it_is_of_how_many() {
    let Some(text) = read(&sample::report()) else {
        return;
    };
    let pages: Vec<_> = text.trim_end_matches('\u{c}').split('\u{c}').collect();
    for (at, page) in pages.iter().enumerate() {
        let number = format!("page {} of {}", at + 1, pages.len());
        assert!(page.contains(&number), "{number}");
    }
    assert!(pages[0].contains("TIED WITH EXCEPTIONS"));
    assert!(pages[0].contains("Prepared by"));
}

#[test]
fn nothing_is_cut_off_however_long_it_is() {
    let report = spoiled();
    let Some(text) = read(&report) else { return };
    let text = joined(&text);
    assert!(text.contains(&joined(&report.items[0].cause)));
    assert!(text.contains("-12,345,678,901,234.56"));
    assert!(text.contains(&"X".repeat(60)));
    assert!(text.contains("!!NOTEXPLAINED"));
    assert!(text.contains("!!NOTSEEN"));
    assert!(text.contains("<script>alert('x')</script>&\"Co\"[2J??Ltd"));
}

#[test]
fn a_cause_longer_than_a_page_goes_on_over_the_next_ones() {
    let mut report = sample::report();
    report.items[0].cause = (0..4_000).map(|number| format!("w{number} ")).collect();
    let Some(text) = read(&report) else { return };
    for number in [0, 1_000, 2_000, 3_999] {
        assert!(text.contains(&format!("w{number}")), "{number}");
    }
}

#[test]
fn items_of_a_leg_that_is_not_compared_are_shown_all_the_same() {
    let mut report = sample::report();
    report.legs.remove(2);
    let Some(text) = read(&report) else { return };
    assert!(text.contains("Leg 3: Clearing account, not compared"));
    assert!(text.contains("W-0701"));
}

#[test]
fn no_item_is_lost() {
    let Some(text) = read(&sample::large(MANY)) else {
        return;
    };
    assert_eq!(found(&text).len(), MANY as usize);
}
