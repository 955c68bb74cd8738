//! The base page, in every form.

use tieout_domain::{Amount, Kind, Side};
use tieout_flows::tie_out::{BaseLine, BasePage, Category, Report, Untold, Valued};
use tieout_report::{csv, html, pdf, text};

use crate::sample::{self, HARM, amount, day, document};

fn valued(side: Side, id: &str, rate: &str, base: &str) -> Valued {
    Valued {
        record: document(side, Kind::Bill, id, "MAPLE-1", "0").record,
        label: "MAPLE-1".to_owned(),
        open: amount("200"),
        rate: amount(rate),
        base: amount(base),
    }
}

/// A report in Canadian dollars, with a bill that is valued differently and one that can't be compared.
fn report() -> Report {
    let mut report = sample::report();
    report.currency = "CAD".parse().unwrap();
    report.base = Some(BasePage {
        currency: tieout_domain::Currency::USD,
        lines: vec![BaseLine {
            category: Some(Category::Exchange),
            ledger: valued(Side::Ledger, "7301", "0.73", "146"),
            platform: valued(Side::Platform, "00n01maple", "0.71", "142"),
            vendor: "Maple Supply".to_owned(),
            date: day("2026-06-20"),
            in_currency: Amount::ZERO,
            amount: amount("4"),
        }],
        ledger: amount("146"),
        platform: amount("142"),
        difference: amount("4"),
        in_currency: Amount::ZERO,
        exchange: amount("4"),
        untold: vec![Untold {
            ledger: document(Side::Ledger, Kind::Bill, "7302", "MAPLE-2", "50"),
            platform: document(Side::Platform, Kind::Bill, "00n02maple", "MAPLE-2", "50"),
            vendor: HARM.to_owned(),
            cause: "the platform tells no rate".to_owned(),
        }],
    });
    report
}

#[test]
fn the_text_names_the_document_both_rates_and_what_they_come_to() {
    let shown = text(&report(), 100);
    for line in [
        "In base currency: USD",
        "ledger: bill 7301: CAD 200.00 at 0.73 is USD 146.00",
        "platform: bill 00n01maple: CAD 200.00 at 0.71 is USD 142.00",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    let differing = shown.lines().find(|line| line.starts_with("V-FX"));
    let differing = differing.unwrap();
    assert!(differing.contains("Maple Supply, MAPLE-1"), "{differing}");
    assert!(differing.ends_with("  4.00"), "{differing}");
    let untold = shown.split("Not compared:").nth(1).unwrap();
    let words: Vec<&str> = untold.split_whitespace().collect();
    let untold = words.join(" ");
    assert!(untold.contains("the platform tells no rate"), "{untold}");
    assert!(!shown.contains(|c: char| c.is_control() && c != '\n'));
    assert!(!text(&sample::report(), 100).contains("In base currency"));
}

#[test]
fn csv_has_its_rows_in_base_currency() {
    let text = csv(&report());
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<std::collections::HashMap<String, String>> =
        reader.deserialize().map(Result::unwrap).collect();
    let of = |kind: &str| rows.iter().find(|row| row["row"] == kind).unwrap();
    let line = of("base");
    assert_eq!(line["category"], "V-FX");
    assert_eq!(line["ledger_id"], "bill/7301");
    assert_eq!(line["platform_amount"], "142.00");
    assert_eq!((&*line["difference"], &*line["currency"]), ("4.00", "USD"));
    let total = of("base-total");
    assert_eq!(&*total["difference"], "4.00");
    let untold = of("base-untold");
    assert_eq!(
        (&*untold["platform_amount"], &*untold["currency"]),
        ("50.00", "CAD")
    );
    assert_eq!(untold["cause"], "the platform tells no rate");
}

#[test]
fn html_and_pdf_have_it_too() {
    let page = html(&report());
    for text in [
        "In base currency: USD",
        "bill 7301: CAD 200.00 at 0.73 is USD 146.00",
        "the platform tells no rate",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<script"));
    let without = pdf(&Report {
        base: None,
        ..report()
    });
    assert!(pdf(&report()).unwrap().len() > without.unwrap().len());
}
