//! Terms: the discount that a bill offers for paying it early (README §Terms).

use std::collections::BTreeMap;

use jiff::Span;
use rust_decimal::{Decimal, RoundingStrategy};
use tieout_domain::document::{Bill, Discount};
use tieout_domain::{Amount, Fault, RemoteId};

use crate::call::Client;
use crate::suiteql::Row;

/// Terms that offer a discount, by id: how much in per cent, and within how many days of the bill's date.
#[derive(Debug, Default)]
pub(crate) struct Terms(BTreeMap<RemoteId, (Decimal, i64)>);

impl Terms {
    /// The terms that bills can have, if any of these has terms at all. A role that may not list them knows of
    /// no discount, and all else works.
    pub(crate) async fn of(client: &Client, bills: &[Row]) -> Result<Self, Fault> {
        if bills.iter().all(|row| row.id("terms").is_none()) {
            return Ok(Self::default());
        }
        let sql = "SELECT t.id AS id, t.discountpercent AS percent, t.daysuntilexpiry AS days \
                   FROM term t WHERE t.discountpercent > 0 ORDER BY t.id";
        match client.query(sql, &[]).await {
            Ok(answer) => Ok(Self(answer.rows.iter().filter_map(term).collect())),
            Err(Fault::Denied { code, .. }) if code.as_str() == "permission-missing" => {
                Ok(Self::default())
            }
            Err(fault) => Err(fault),
        }
    }

    /// What a bill with these terms offers: of its total, as the ledger reckons.
    pub(crate) fn discount(&self, terms: Option<RemoteId>, bill: &Bill) -> Option<Discount> {
        let (percent, days) = self.0.get(&terms?)?;
        let digits = bill.currency.digits();
        let exact = bill.total.decimal() * percent / Decimal::ONE_HUNDRED;
        let amount = exact.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
        let until = bill.date.checked_add(Span::new().try_days(*days).ok()?);
        let discount = Discount {
            amount: Amount::new(amount),
            until: until.ok()?,
        };
        discount.amount.is_positive().then_some(discount)
    }
}

fn term(row: &Row) -> Option<(RemoteId, (Decimal, i64))> {
    let percent: Decimal = row.text("percent").trim_end_matches('%').parse().ok()?;
    let sensible = percent > Decimal::ZERO && percent < Decimal::ONE_HUNDRED;
    let days = row.number("days").filter(|days| *days >= 0)?;
    sensible.then_some((row.id("id")?, (percent, days)))
}
