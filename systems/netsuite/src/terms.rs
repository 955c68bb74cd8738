//! Terms: the discount that a bill offers for paying it early (README §Terms).

use std::collections::BTreeMap;

use jiff::Span;
use rust_decimal::{Decimal, RoundingStrategy};
use tieout_domain::code::Code;
use tieout_domain::document::{Bill, Discount};
use tieout_domain::{Amount, Fault, RemoteId};

use crate::call::Client;
use crate::suiteql::{Row, Rows};

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
        let mut answer = client.query(sql, &[]).await;
        // A bill's version is known once it has been read, also without its discount: what is said once may pass.
        if shows_none(&answer) {
            answer = client.query(sql, &[]).await;
        }
        match answer {
            Ok(answer) => Ok(Self(answer.rows.iter().filter_map(term).collect())),
            Err(fault) if may_not_list(&fault) => Ok(Self::default()),
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

fn shows_none(answer: &Result<Rows, Fault>) -> bool {
    match answer {
        Ok(answer) => answer.rows.is_empty(),
        Err(fault) => may_not_list(fault),
    }
}

fn may_not_list(fault: &Fault) -> bool {
    fault.code() == Code::new("permission-missing")
}

fn term(row: &Row) -> Option<(RemoteId, (Decimal, i64))> {
    let percent: Decimal = row.text("percent").trim_end_matches('%').parse().ok()?;
    let sensible = percent > Decimal::ZERO && percent < Decimal::ONE_HUNDRED;
    let days = row.number("days").filter(|days| *days >= 0)?;
    sensible.then_some((row.id("id")?, (percent, days)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{Stage, client, refusal, row};

    #[tokio::test]
    async fn s085_that_no_terms_offer_a_discount_has_to_be_said_twice() {
        let stage = Stage::new();
        let client = client(&stage, &json!({"account": "1234567"}));
        let bills = [row(&[("id", "4001"), ("terms", "5")])];
        let closed = include_str!("../fixtures/record_not_found.json");
        let none = json!({"items": [], "hasMore": false}).to_string();
        let offered = json!([{"id": "5", "percent": "2", "days": "10"}]);
        for (status, said) in [(400, closed), (200, none.as_str())] {
            stage.script.answer(status, said);
            stage.script.rows(&offered);
            assert_eq!(Terms::of(&client, &bills).await.unwrap().0.len(), 1);
            stage.script.answer(status, said);
            stage.script.answer(status, said);
            assert!(Terms::of(&client, &bills).await.unwrap().0.is_empty());
            stage.script.answer(status, said);
            stage.script.answer(400, &refusal("Declined."));
            assert!(Terms::of(&client, &bills).await.is_err());
        }
        assert!(stage.script.used_up());
    }
}
