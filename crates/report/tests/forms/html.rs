//! HTML.

use tieout_report::html;

use crate::{MANY, found, sample, spoiled};

#[test]
fn all_that_a_controller_looks_for_is_there() {
    let report = sample::report();
    let page = html(&report);
    for text in [
        "TIED WITH EXCEPTIONS",
        "Prepared by",
        "Reviewed by",
        "Jun 2026",
        "netsuite 1234567, subsidiary 3",
        "412,906.18",
        "38,715.75",
        "-22,140.00",
        "214,775.90",
        "SHA-256",
        "Bäckerei Müller &amp; Söhne GmbH",
        "<svg",
        "A-SAME-AMOUNT",
        "640.00 USD went to the same vendor on 2026-06-03 already, as payment P2107",
        "platform: payment stp01xyz P2201; ledger: payment 7412 P2201",
    ] {
        assert!(page.contains(text), "{text}");
    }
    for item in &report.items {
        for document in [&item.ledger, &item.platform].into_iter().flatten() {
            assert!(page.contains(document.record.id.as_str()));
        }
    }
    for extract in &report.completeness.extracts {
        let query = extract.query.replace('&', "&amp;");
        let query = query.replace('<', "&lt;").replace('>', "&gt;");
        assert!(page.contains(&query), "{query}");
    }
}

#[test]
fn nothing_that_others_wrote_becomes_a_part_of_the_page() {
    let page = html(&spoiled());
    assert!(!page.contains("<script"));
    assert!(page.contains("&lt;script&gt;alert('x')&lt;/script&gt; &amp; &quot;Co&quot;"));
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn nothing_is_fetched() {
    let page = html(&spoiled());
    for word in ["src=", "href=", "url(", "@import", "<link", "<iframe"] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn what_is_not_explained_is_said_in_words() {
    assert!(!html(&sample::report()).contains("!! NOT"));
    let page = html(&spoiled());
    assert!(page.contains("!! NOT EXPLAINED -1,250,000.01"));
    assert!(page.contains("!! NOT SEEN"));
    assert!(page.contains("!! FAILS"));
}

#[test]
fn a_report_that_is_not_whole_is_not_to_be_signed() {
    assert!(!html(&sample::report()).contains("NOT TO BE SIGNED"));
    assert!(html(&spoiled()).contains("!! NOT TO BE SIGNED"));
}

#[test]
fn items_of_a_leg_that_is_not_compared_are_shown_all_the_same() {
    let mut report = sample::report();
    report.legs.remove(2);
    let page = html(&report);
    assert!(page.contains("Leg 3: Clearing account, not compared"));
    assert!(page.contains("W-0701"));
}

#[test]
fn no_item_is_lost() {
    let page = html(&sample::large(MANY));
    assert_eq!(found(&page).len(), MANY as usize);
}
