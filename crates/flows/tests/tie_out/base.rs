//! The base page: the same documents in base currency, at each side's own rate.

use std::collections::BTreeMap;

use tieout_domain::{Amount, Currency, ExchangeRate, Side};
use tieout_flows::tie_out::input::{Input, Pair, Valuation};
use tieout_flows::tie_out::{BasePage, Category, Leg, Status, report};

use crate::make::{amount, bill, close, empty, linked};

fn cad() -> Currency {
    "CAD".parse().unwrap()
}

/// Bills in Canadian dollars, with the rates by which the ledger and the platform value each; an empty one isn't told.
fn input(bills: Vec<(Pair, &str, &str)>) -> Input {
    let mut input = empty();
    input.scope.currency = cad();
    let mut rates = BTreeMap::new();
    for (pair, here, there) in bills {
        for (held, rate) in [(&pair.ledger, here), (&pair.platform, there)] {
            if let (Some(held), false) = (held, rate.is_empty()) {
                let rate = ExchangeRate::new(amount(rate), Currency::USD).unwrap();
                rates.insert(held.record.clone(), rate);
            }
        }
        input.pairs.push(pair);
    }
    let base = Currency::USD;
    input.valuation = Some(Valuation { base, rates });
    close(&mut input);
    input
}

fn page(input: Input) -> BasePage {
    report(input).unwrap().base.unwrap()
}

#[test]
fn s053_a_bill_that_is_the_same_in_its_currency_differs_by_its_rates_and_ties_all_the_same() {
    let made = report(input(vec![
        (linked("1", "200", "200", "200"), "0.73", "0.71"),
        (linked("2", "99.99", "99.99", "99.99"), "0.73", "0.73"),
    ]))
    .unwrap();
    assert_eq!(made.status, Status::Tied);
    assert!(Leg::ALL.iter().all(|leg| made.residual(*leg).is_zero()));
    assert!(made.items.is_empty(), "{:?}", made.items);

    let page = made.base.unwrap();
    assert_eq!(page.currency, Currency::USD);
    assert_eq!(
        (page.ledger, page.platform),
        (amount("218.99"), amount("214.99"))
    );
    assert_eq!((page.difference, page.exchange), (amount("4"), amount("4")));
    assert_eq!(page.in_currency, Amount::ZERO);
    let differing = &page.lines[0];
    assert_eq!(differing.category, Some(Category::Exchange));
    assert_eq!(differing.amount, amount("4"));
    assert_eq!(differing.ledger.record, bill(Side::Ledger, "1"));
    assert_eq!(differing.platform.record, bill(Side::Platform, "b1"));
    assert_eq!(differing.ledger.base, amount("146"));
    assert_eq!(differing.platform.base, amount("142"));
    assert_eq!(page.lines[1].category, None);
}

#[test]
fn what_one_side_alone_has_open_is_no_difference_of_rates() {
    // Half of it is paid on the platform and not posted: 100 × 0.71 of 200 × 0.73 are open there.
    let page = page(input(vec![(
        linked("1", "200", "200", "100"),
        "0.73",
        "0.71",
    )]));
    assert_eq!(page.difference, amount("75"));
    assert_eq!(
        (page.in_currency, page.exchange),
        (amount("73"), amount("2"))
    );
}

#[test]
fn s053_where_a_side_tells_no_rate_nothing_is_guessed() {
    let page = page(input(vec![
        (linked("1", "10", "10", "10"), "0.73", ""),
        (linked("2", "10", "10", "10"), "", "0.73"),
        (linked("3", "10", "10", "10"), "", ""),
        (linked("4", "10", "0", "10"), "", ""),
    ]));
    assert!(page.lines.is_empty());
    let causes: Vec<&str> = page.untold.iter().map(|one| one.cause.as_str()).collect();
    assert_eq!(
        causes,
        [
            "the platform tells no rate",
            "the ledger tells no rate",
            "the ledger tells no rate, and the platform tells no rate",
        ]
    );
    assert_eq!(page.untold[0].platform.record, bill(Side::Platform, "b1"));
}

#[test]
fn rates_into_another_currency_are_not_compared() {
    let mut input = input(vec![(linked("1", "10", "10", "10"), "0.73", "0.73")]);
    let euro = ExchangeRate::new(amount("0.68"), "EUR".parse().unwrap()).unwrap();
    let rates = &mut input.valuation.as_mut().unwrap().rates;
    rates.insert(bill(Side::Ledger, "1"), euro);
    let page = page(input);
    assert!(page.lines.is_empty());
    assert_eq!(
        page.untold[0].cause,
        "the ledger values it in EUR, not in USD"
    );
}

#[test]
fn a_report_in_base_currency_has_no_base_page() {
    let mut input = empty();
    input.pairs.push(linked("1", "10", "10", "10"));
    close(&mut input);
    let made = report(input).unwrap();
    assert_eq!(made.base, None);
    assert!(!serde_json::to_string(&made).unwrap().contains("\"base\""));
}
