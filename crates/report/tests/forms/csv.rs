//! CSV, read back.

use std::collections::HashMap;

use tieout_flows::tie_out::Report;
use tieout_report::csv;

use crate::{MANY, sample, spoiled};

fn rows(report: &Report) -> Vec<HashMap<String, String>> {
    let text = csv(report);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
fn every_row_says_what_it_is_and_comes_back_as_it_was() {
    let report = sample::report();
    let rows = rows(&report);
    let of = |kind: &str| -> Vec<_> { rows.iter().filter(|row| row["row"] == kind).collect() };
    let counts =
        ["leg", "flow", "item", "advisory", "basis", "aging", "check"].map(|kind| of(kind).len());
    assert_eq!(counts, [4, 3, 32, 1, 1, 4, 3]);
    assert_eq!(rows.len(), counts.iter().sum::<usize>());

    let leg = of("leg")[1];
    assert_eq!(leg["ledger_amount"], "409906.18");
    assert_eq!(leg["platform_amount"], "371190.43");
    assert_eq!(leg["difference"], "38715.75");
    assert_eq!(leg["residual"], "0.00");
    assert_eq!(leg["status"], "TIED WITH EXCEPTIONS");
    assert_eq!(of("leg")[2]["ledger_amount"], "-22140.00");
    assert_eq!(of("flow")[2]["ledger_amount"], "-189780.16");
    assert_eq!(of("flow")[2]["ledger_count"], "97");

    let advisory = of("advisory")[0];
    assert_eq!(advisory["category"], "A-SAME-AMOUNT");
    assert_eq!(advisory["platform_id"], "payment/stp01xyz");
    assert_eq!(advisory["ledger_document"], "P2201");
    assert_eq!(advisory["cause"], report.advisories[0].words);
    assert_eq!(advisory["difference"], "");

    for (row, item) in of("item").iter().zip(&report.items) {
        assert_eq!(row["category"], item.category.code());
        assert_eq!(row["gravity"], item.category.gravity().as_str());
        assert_eq!(row["leg"], item.category.leg().number().to_string());
        assert_eq!(row["difference"].parse(), Ok(item.amount));
        assert_eq!(row["vendor"], item.vendor);
        assert_eq!(row["cause"], item.cause);
        assert_eq!(row["owner"], item.owner);
        assert_eq!(row["comment"], item.comment);
        assert_eq!(row["age_days"], item.age_days.to_string());
        for (side, document) in [("ledger", &item.ledger), ("platform", &item.platform)] {
            let expected = document.as_ref().map_or(String::new(), |document| {
                format!("{}/{}", document.record.kind, document.record.id)
            });
            assert_eq!(row[&format!("{side}_id")], expected);
        }
    }
}

#[test]
fn a_spreadsheet_reckons_nothing_that_somebody_wrote() {
    let rows = rows(&spoiled());
    let item = rows.iter().find(|row| row["row"] == "item").unwrap();
    assert_eq!(item["owner"], "'=HYPERLINK(\"http://example.com\")");
    assert_eq!(item["comment"], "'@SUM(1+1)*cmd|' /C calc'!A0");
    assert_eq!(item["ledger_document"], "'-2+3");
    assert_eq!(item["difference"], "-12345678901234.56");
    for (column, cell) in rows.iter().flatten() {
        if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            assert!(
                cell.parse::<tieout_domain::Amount>().is_ok(),
                "{column}: {cell}"
            );
        }
    }
}

#[test]
fn lines_end_as_the_format_says_and_breaks_within_a_cell_are_kept() {
    let mut report = sample::report();
    report.items[0].comment = "first line\nsecond, with \"quotes\"".to_owned();
    assert!(csv(&report).ends_with("\r\n"));
    let rows = rows(&report);
    let item = rows.iter().find(|row| row["row"] == "item").unwrap();
    assert_eq!(item["comment"], report.items[0].comment);
}

#[test]
fn no_item_is_lost() {
    let rows = rows(&sample::large(MANY));
    let items = rows.iter().filter(|row| row["row"] == "item").count();
    assert_eq!(items, 32 + MANY as usize);
}
