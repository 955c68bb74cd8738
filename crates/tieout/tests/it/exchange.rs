//! Rates: the same bill, valued differently on the two sides.

use serde_json::json;
use tieout_domain::{Currency, Kind, Side};
use tieout_flows::tie_out::{Category, Leg, Report};

use crate::acts::{amount, ledger};
use crate::stage::Stage;

/// The report of this currency, with every leg closed.
async fn closed(stage: &Stage, currency: Currency) -> Report {
    let reports = stage.tie_out().await;
    let report = reports.into_iter().find(|one| one.currency == currency);
    let report = report.unwrap();
    for leg in Leg::ALL {
        assert!(report.residual(leg).is_zero(), "{leg:?} {report:#?}");
    }
    report
}

#[tokio::test]
async fn s053_another_rate_on_the_platform_is_an_exchange_difference_of_its_document_and_no_more() {
    let mut stage = Stage::new().await;
    let cad: Currency = "CAD".parse().unwrap();
    let transactions = &mut stage.connection.preferences.transactions;
    transactions.currencies.push(cad);
    stage.sync().await;
    let (_, _, vendor) = stage.an_open_bill().await;
    let fields = json!({
        "entity": vendor, "tranId": "MAPLE-1", "amount": 200, "currency": "2",
        "exchangeRate": 0.73,
    });
    let here = stage.enter("vendorbill", fields).await;
    stage.sync().await;
    let record = ledger(Kind::Bill, &here);
    let there = stage.target("bills", &record).await.unwrap();

    // Both sides value it alike: it is on the page, and differs in nothing.
    stage
        .in_bill("rates", json!({"currency": "CAD", "dollars": "0.73"}))
        .await;
    let before = closed(&stage, cad).await;
    let page = before.base.clone().unwrap();
    assert_eq!(page.currency, Currency::USD);
    let line = page.lines.iter().find(|one| one.ledger.record == record);
    assert_eq!(line.unwrap().category, None);

    stage
        .in_bill("rates", json!({"currency": "CAD", "dollars": "0.71"}))
        .await;
    let after = closed(&stage, cad).await;
    let page = after.base.clone().unwrap();
    let line = page.lines.iter().find(|one| one.ledger.record == record);
    let line = line.unwrap();
    assert_eq!(line.category, Some(Category::Exchange));
    assert_eq!(line.platform.record, there);
    assert_eq!(
        (line.ledger.base, line.platform.base),
        (amount("146"), amount("142"))
    );
    assert_eq!(line.amount, amount("4"));
    // It is a matter of valuation: the report in its own currency is what it was.
    assert_eq!((before.status, before.items), (after.status, after.items));

    // A rate that moved is nothing to write, and nobody has to look at it.
    assert_eq!(stage.sync().await.written, 0);
    let state = stage.state_of("bills", &record).await;
    assert!(state.starts_with("DONE"), "{state}");
    let home = stage.tie_out().await.remove(0);
    assert_eq!((home.currency, home.base), (Currency::USD, None));
    let mirrored = stage.records(Side::Platform, Kind::Bill).await;
    let seen = mirrored.iter().find(|one| one.record() == there).unwrap();
    let rate = seen.observed.document.exchange_rate().unwrap();
    assert_eq!(rate.rate(), amount("0.71"));
}
