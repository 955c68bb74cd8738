//! Whatever others wrote, there is a form of it, and it does no harm.

use proptest::prelude::*;
use tieout_flows::tie_out::Report;
use tieout_report::{csv, html, pdf, text};

use crate::sample;

/// The example with this text wherever somebody else's may stand.
fn written_by_others(words: &str) -> Report {
    let mut report = sample::report();
    let leg = &mut report.legs[1];
    let item = &mut report.items[0];
    let advisory = &mut report.advisories[0];
    let extract = &mut report.completeness.extracts[0];
    for text in [
        &mut report.connection,
        &mut report.ledger.account,
        &mut report.platform.part,
        &mut report.period.name,
        &mut report.reasons[0],
        &mut leg.left.label,
        &mut leg.right.symbol,
        &mut item.vendor,
        &mut item.cause,
        &mut item.owner,
        &mut item.comment,
        &mut report.aging[0].bucket,
        &mut advisory.vendor,
        &mut advisory.words,
        &mut report.basis[0].vendor,
        &mut extract.query,
        &mut extract.sha256,
    ] {
        words.clone_into(text);
    }
    report
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_others_wrote_can_be_printed(words in "\\PC*|(.|\n|\r|\t|=|<|&|'|\")*", width in 0_usize..200) {
        let report = written_by_others(&words);

        let shown = text(&report, width);
        prop_assert!(!shown.contains(|c: char| c.is_control() && c != '\n'));

        let page = html(&report);
        let plain = html(&written_by_others("x"));
        let tags = |page: &str| page.matches('<').count();
        prop_assert!(tags(&page).abs_diff(tags(&plain)) < 8, "only our own tags come and go with an empty text");

        let table = csv(&report);
        let mut reader = ::csv::Reader::from_reader(table.as_bytes());
        let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(rows.len(), 4 + 3 + 32 + 1 + 1 + 4 + 3);

        let bytes = pdf(&report);
        prop_assert!(bytes.is_ok_and(|bytes| bytes.starts_with(b"%PDF-")));
    }
}
