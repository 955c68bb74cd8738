//! Advisories: each by example, and that nothing of the tie-out depends on them.

use tieout_domain::Side;
use tieout_flows::tie_out::input::{Input, Spent};
use tieout_flows::tie_out::{Advisory, Document, Signal, report};

use crate::make::{amount, day, empty, payment};

/// A payment of 120.00 on a Wednesday, posted, with nothing remarkable about it.
fn payout(id: &str) -> Spent {
    let document = |side, label: &str| Document {
        record: payment(side, id),
        label: label.to_owned(),
        amount: amount("120"),
    };
    Spent {
        ledger: Some(document(Side::Ledger, "CHK-1")),
        platform: document(Side::Platform, &format!("P-{id}")),
        vendor: "v1".into(),
        vendor_name: "Acme Paper".to_owned(),
        date: day("2026-06-17"),
        is_first: false,
        bills_of_the_day: Vec::new(),
        shares_address_with: Vec::new(),
    }
}

fn advisories(payouts: Vec<Spent>) -> Vec<Advisory> {
    let input = Input { payouts, ..empty() };
    report(input).unwrap().advisories
}

/// The one advisory: what it signals, and its words.
fn only(payouts: Vec<Spent>) -> (Signal, String) {
    let mut found = advisories(payouts);
    assert_eq!(found.len(), 1, "{found:#?}");
    let found = found.remove(0);
    (found.signal, found.words)
}

#[test]
fn an_ordinary_payment_is_passed_over() {
    assert_eq!(advisories(vec![payout("1")]), []);
}

#[test]
fn the_same_amount_to_the_same_vendor_is_told_with_both_payments() {
    let on = |id: &str, date: &str| Spent {
        date: day(date),
        ..payout(id)
    };
    let (signal, words) = only(vec![on("2", "2026-06-17"), on("1", "2026-05-04")]);
    assert_eq!(signal, Signal::SameAmount);
    assert_eq!(
        words,
        "120.00 USD went to the same vendor on 2026-05-04 already, as payment P-1"
    );
    // Too long ago, to somebody else, of another amount, before the period.
    let mut elsewhere = on("1", "2026-06-10");
    elsewhere.vendor = "v2".into();
    let mut other = on("1", "2026-06-10");
    other.platform.amount = amount("120.01");
    for before in [on("1", "2026-05-01"), elsewhere, other] {
        assert_eq!(advisories(vec![on("2", "2026-06-17"), before]), []);
    }
    let earlier = [on("1", "2026-05-04"), on("2", "2026-05-20")];
    assert_eq!(advisories(earlier.into()), []);
}

#[test]
fn a_first_payment_a_bill_of_the_day_a_weekend_and_an_address_are_told() {
    let first = Spent {
        is_first: true,
        ..payout("1")
    };
    let (signal, words) = only(vec![first]);
    assert_eq!(signal, Signal::FirstPayment);
    assert_eq!(words, "the first payment to this vendor on the platform");
    let same_day = Spent {
        bills_of_the_day: vec!["INV-1".to_owned(), "INV-2".to_owned()],
        ..payout("1")
    };
    let (signal, words) = only(vec![same_day]);
    assert_eq!(signal, Signal::SameDay);
    assert_eq!(
        words,
        "bills INV-1, INV-2 came to the platform on the day of the payment"
    );
    let weekend = Spent {
        date: day("2026-06-20"),
        ..payout("1")
    };
    let expected = (Signal::Weekend, "paid on a Saturday".to_owned());
    assert_eq!(only(vec![weekend]), expected);
    let shared = Spent {
        shares_address_with: ["A", "B", "C", "D"].map(str::to_owned).into(),
        ..payout("1")
    };
    let (signal, words) = only(vec![shared]);
    assert_eq!(signal, Signal::SharedAddress);
    assert_eq!(
        words,
        "the payee has its address in common with A, B, C and 1 more"
    );
}

#[test]
fn an_advisory_names_both_documents_and_changes_nothing_else() {
    let remarkable = Spent {
        is_first: true,
        date: day("2026-06-21"),
        ..payout("1")
    };
    let made = report(Input {
        payouts: vec![remarkable.clone()],
        ..empty()
    });
    let mut made = made.unwrap();
    let signals: Vec<_> = made.advisories.iter().map(|one| one.signal).collect();
    assert_eq!(signals, [Signal::FirstPayment, Signal::Weekend]);
    for advisory in &made.advisories {
        assert_eq!(advisory.ledger, remarkable.ledger);
        assert_eq!(advisory.platform.as_ref(), Some(&remarkable.platform));
        assert_eq!(advisory.vendor, "Acme Paper");
    }
    made.advisories.clear();
    assert_eq!(made, report(empty()).unwrap());
}

#[test]
fn a_signal_is_written_as_its_code() {
    for signal in Signal::ALL {
        let json = serde_json::to_value(signal).unwrap();
        assert_eq!(json, signal.code());
        assert_eq!(serde_json::from_value::<Signal>(json).unwrap(), signal);
    }
}
