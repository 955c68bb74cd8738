//! Leg 5: payouts against deposits, and the worked example of a payout.

use tieout_domain::document::{PartOf, Payout, PayoutPart, PayoutStatus};
use tieout_domain::subledger::Book;
use tieout_domain::{Amount, Currency, Kind, RecordRef, RemoteId, Side, State};
use tieout_flows::tie_out::input::{Deposited, Input, Settlement};
use tieout_flows::tie_out::{Category, Document, Leg, Report, Status, report};

use crate::make::{amount, day, empty, standing};

fn part(of: PartOf, sum: &str) -> PayoutPart {
    PayoutPart {
        of,
        amount: amount(sum),
        memo: String::new(),
    }
}

/// 14 payments, gross 10,000.00; fees, a refund, a chargeback and what the dispute costs.
fn golden() -> Payout {
    let mut parts: Vec<PayoutPart> = (1..=13)
        .map(|n| part(PartOf::Payment(RemoteId::from(format!("p{n}"))), "700.00"))
        .collect();
    parts.push(part(PartOf::Payment("p14".into()), "900.00"));
    parts.push(part(PartOf::Fee, "-245.60"));
    parts.push(part(PartOf::Refund { payment: None }, "-300.00"));
    parts.push(part(PartOf::Chargeback { payment: None }, "-1,200.00"));
    parts.push(part(PartOf::DisputeFee, "-15.00"));
    Payout {
        number: String::new(),
        date: day("2026-06-12"),
        currency: Currency::USD,
        parts,
        total: amount("8,239.40"),
        status: PayoutStatus::Paid,
    }
}

fn deposit(id: &str, sum: &str, later: bool) -> Deposited {
    Deposited {
        document: Document {
            record: RecordRef::new(Side::Ledger, Kind::Deposit, id),
            label: format!("DEP-{id}"),
            amount: amount(sum),
        },
        later,
    }
}

fn settled(payout: Payout, deposits: Vec<Deposited>) -> Settlement {
    Settlement {
        record: RecordRef::new(Side::Platform, Kind::Payout, "pyt_1"),
        payout,
        deposits,
        standing: None,
    }
}

fn made(settlements: Vec<Settlement>) -> Report {
    let mut input = Input {
        settlements: Some(settlements),
        ..empty()
    };
    input.scope.book = Book::Receivables;
    input.scope.platform.system = "alternative-payments".to_owned();
    report(input).unwrap()
}

fn found(report: &Report) -> Vec<(Category, Amount)> {
    let items = report.items_of(Leg::Payouts);
    items.map(|item| (item.category, item.amount)).collect()
}

#[test]
fn s184_the_golden_payout_is_its_deposit_and_the_bank_line_to_the_cent() {
    let report = made(vec![settled(
        golden(),
        vec![deposit("1", "8,239.40", false)],
    )]);
    assert_eq!(report.status, Status::Tied, "{:?}", report.reasons);
    let leg = report.legs.last().unwrap();
    assert_eq!(leg.leg, Leg::Payouts);
    let net = amount("8,239.40");
    assert_eq!((leg.left.amount, leg.right.amount), (net, net));
    assert_eq!(report.residual(Leg::Payouts), Amount::ZERO);
    let [flow] = &leg.flows[..] else {
        panic!("{:?}", leg.flows)
    };
    assert_eq!(
        flow.label,
        "2026-06-12 pyt_1: payments 10,000.00 USD, fees -245.60 USD, refunds -300.00 USD, chargebacks -1,200.00 USD, \
         dispute fees -15.00 USD"
    );
    assert_eq!((flow.platform_count, flow.ledger_count), (18, 1));
    assert!(
        report.notices.is_empty(),
        "nothing is missing from it: {:?}",
        report.notices
    );
}

#[test]
fn s185_what_was_deposited_payment_by_payment_counts_for_its_payout() {
    let deposits = vec![
        deposit("1", "7,539.40", false),
        deposit("2", "700.00", false),
    ];
    let report = made(vec![settled(golden(), deposits)]);
    assert_eq!(report.status, Status::Tied, "{:?}", report.reasons);
}

#[test]
fn s184_a_payout_without_its_deposit_is_an_error_after_a_few_days() {
    let mut late = golden();
    late.date = day("2026-06-28");
    let report = made(vec![settled(golden(), Vec::new())]);
    let net = amount("8,239.40");
    assert_eq!(found(&report), [(Category::PayoutMissing, net)]);
    assert_eq!(report.status, Status::NotTied);
    let report = made(vec![settled(late, Vec::new())]);
    assert_eq!(found(&report), [(Category::PayoutOpen, net)]);
    assert_eq!(report.status, Status::Tied);
}

#[test]
fn s184_a_deposit_of_another_amount_shows_by_how_much_and_why() {
    let mut one = settled(golden(), vec![deposit("1", "8,239.00", false)]);
    one.standing = Some(standing(State::Conflict, "copy-edited"));
    let report = made(vec![one]);
    assert_eq!(found(&report), [(Category::PayoutAmount, amount("0.40"))]);
    assert_eq!(report.items[0].cause, "because of copy-edited");
    assert_eq!(report.residual(Leg::Payouts), Amount::ZERO);
}

#[test]
fn s187_a_deposit_in_the_next_period_is_a_matter_of_timing() {
    let report = made(vec![settled(
        golden(),
        vec![deposit("1", "8,239.40", true)],
    )]);
    assert_eq!(
        found(&report),
        [(Category::PayoutLater, amount("8,239.40"))]
    );
    assert_eq!(report.status, Status::Tied, "{:?}", report.reasons);
}

#[test]
fn what_the_parts_of_a_payout_do_not_come_to_is_explained_by_nothing() {
    let mut payout = golden();
    payout.parts.pop();
    let report = made(vec![settled(payout, vec![deposit("1", "8,239.40", false)])]);
    assert_eq!(report.residual(Leg::Payouts), amount("15.00"));
    assert_eq!(report.status, Status::NotTied);
}
