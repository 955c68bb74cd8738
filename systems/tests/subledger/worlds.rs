//! Generated worlds: all that was said by example must hold of a year of payables.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use tieout_domain::subledger::Basis;
use tieout_kit::fake::world::generate::{Shape, generate};
use tieout_kit::fake::world::{Vendor, World};

use crate::stage::{Stage, TODAY, bare, opens};

fn world(seed: u64, one_world: bool, bills: usize) -> World {
    generate(&Shape {
        seed,
        one_world,
        vendors: 30,
        bills,
        ..Shape::new(TODAY)
    })
}

/// Vendors' documents and what is open of them, worked out from the books' own tables one by one.
async fn expected(
    stage: &Stage,
    subsidiary: &str,
    until: &str,
    by_day: bool,
) -> Vec<(String, String)> {
    let documents = stage
        .books(&format!(
            "SELECT t.id AS id, TO_CHAR(t.trandate, 'YYYY-MM-DD') AS day, \
             TO_CHAR(p.enddate, 'YYYY-MM-DD') AS periodend, tl.foreignamount AS amount \
             FROM transaction t JOIN accountingperiod p ON p.id = t.postingperiod \
             JOIN transactionline tl ON tl.transaction = t.id \
             JOIN transactionaccountingline a ON a.transaction = t.id AND a.transactionline = tl.id \
             JOIN account c ON c.id = a.account \
             WHERE c.accttype = 'AcctPay' AND a.posting = 'T' {subsidiary}"
        ))
        .await;
    let mut open: BTreeMap<i64, Decimal> = BTreeMap::new();
    for row in &documents {
        let at = if by_day {
            &row["day"]
        } else {
            &row["periodend"]
        };
        if at.as_str() <= until {
            *open.entry(row["id"].parse().unwrap()).or_default() +=
                row["amount"].parse::<Decimal>().unwrap();
        }
    }
    let links = stage
        .books("SELECT previousdoc AS paid, nextdoc AS payer, foreignamount AS amount FROM nexttransactionlinelink")
        .await;
    for row in &links {
        let (paid, payer): (i64, i64) =
            (row["paid"].parse().unwrap(), row["payer"].parse().unwrap());
        let amount: Decimal = row["amount"].parse().unwrap();
        if open.contains_key(&paid) && open.contains_key(&payer) {
            *open.entry(paid).or_default() += amount;
            *open.entry(payer).or_default() -= amount;
        }
    }
    open.retain(|_, amount| !amount.is_zero());
    open.into_iter()
        .map(|(id, amount)| (id.to_string(), amount.normalize().to_string()))
        .collect()
}

#[tokio::test]
async fn every_month_end_of_a_generated_year_ties_and_is_what_the_tables_say() {
    for (seed, one_world) in [(1, true), (2, true), (3, false)] {
        let world = world(seed, one_world, 150);
        let stage = Stage::new(&world).await;
        let subsidiary = if one_world {
            "AND tl.subsidiary = 3"
        } else {
            ""
        };
        let mut seen = 0;
        for period in &world.periods {
            let until = period.end.to_string();
            stage.assert_ties(&until).await;
            for (basis, by_day) in [(Basis::Period, false), (Basis::Day, true)] {
                let found = opens(&stage.open(&until, basis).await);
                seen += found.len();
                let expected = expected(&stage, subsidiary, &until, by_day).await;
                assert_eq!(found, expected, "{seed} {until} {basis:?}");
            }
        }
        assert!(seen > 100, "{seen}");
    }
}

/// When all that is applied lies within the day, it is what the service itself calls unpaid.
#[tokio::test]
async fn at_the_end_of_all_time_a_bill_is_open_with_what_is_unpaid() {
    let stage = Stage::new(&world(4, true, 150)).await;
    let open = stage.open("2027-12-31", Basis::Period).await;
    let unpaid = stage
        .books(
            "SELECT t.id AS id, t.foreignamountunpaid AS amount FROM transaction t \
             JOIN transactionline ml ON ml.transaction = t.id AND ml.mainline = 'T' \
             WHERE t.type = 'VendBill' AND t.posting = 'T' AND ml.subsidiary = 3 \
             AND t.foreignamountunpaid <> 0 ORDER BY t.id",
        )
        .await;
    let unpaid: Vec<(String, String)> = unpaid
        .iter()
        .map(|row| (row["id"].clone(), format!("-{}", row["amount"])))
        .collect();
    let bills: Vec<_> = open
        .iter()
        .filter(|row| row.kind == tieout_domain::subledger::PostingKind::Bill)
        .cloned()
        .collect();
    assert!(bills.len() > 10);
    assert_eq!(opens(&bills), unpaid);
}

#[tokio::test]
async fn pages_lose_nothing_and_double_nothing() {
    let mut world = world(5, true, 4200);
    // Half of the payments were never made, so that more is open than a page holds.
    let mut nth = 0;
    world.payments.retain(|_| {
        nth += 1;
        nth % 2 == 0
    });
    let stage = Stage::new(&world).await;
    let until = "2027-12-31";
    let all = stage.postings(&stage.payables, until).await;
    assert!(all.len() > 2000, "{}", all.len());
    let counted: usize = stage
        .value(
            "SELECT COUNT(DISTINCT t.id) AS documents FROM transaction t \
             JOIN transactionline tl ON tl.transaction = t.id \
             JOIN transactionaccountingline a ON a.transaction = t.id AND a.transactionline = tl.id \
             JOIN account c ON c.id = a.account \
             WHERE c.accttype = 'AcctPay' AND a.posting = 'T' AND tl.subsidiary = 3",
        )
        .await
        .parse()
        .unwrap();
    assert_eq!(all.len(), counted);
    let open = stage.open(until, Basis::Period).await;
    assert!(open.len() > 1000, "{}", open.len());
    let found = opens(&open);
    let tables = expected(&stage, "AND tl.subsidiary = 3", until, false).await;
    assert_eq!(found, tables);
    stage.assert_ties("2026-05-31").await;
}

/// A page may end within a transaction.
#[tokio::test]
async fn an_entry_of_more_rows_than_a_page_is_read_whole() {
    let mut world = bare(true);
    let vendor = world.vendors[0].clone();
    for nth in 0..600 {
        world.vendors.push(Vendor {
            number: format!("MANY-{nth}"),
            ..vendor.clone()
        });
    }
    let stage = Stage::new(&world).await;
    let (payable, other) = (stage.account("2000").await, stage.account("2001").await);
    let vendors = stage.books("SELECT id FROM vendor ORDER BY id").await;
    let mut lines = Vec::new();
    for vendor in &vendors {
        lines.push((payable.as_str(), "-1", Some(vendor["id"].as_str())));
        lines.push((other.as_str(), "1", Some(vendor["id"].as_str())));
    }
    stage.journal("2026-05-05", &lines).await;
    let open = stage.open("2026-05-31", Basis::Period).await;
    assert_eq!(open.len(), 2 * vendors.len());
    let rows: BTreeSet<_> = open
        .iter()
        .map(|row| (row.account.clone(), row.party.clone()))
        .collect();
    assert_eq!(rows.len(), open.len());
    stage.assert_ties("2026-05-31").await;
}
