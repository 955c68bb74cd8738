//! What people do on both sides while tieout works: they enter, approve, edit, pay, void and delete, and ask
//! nobody. Which acts there are is a [pair](crate::pair)'s.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::dice::Dice;
use crate::world::World;

/// People. What they do is drawn; what a service refuses them is no fault of anybody's.
pub struct People<'a> {
    /// Where they are.
    pub world: &'a World,
    /// What they feel like.
    pub dice: &'a Dice,
}

/// An act: its name, and how often it is chosen.
pub type Act = (&'static str, u64);

impl People<'_> {
    /// Somebody does something.
    pub async fn act(&self) {
        let acts = self.world.pair.acts();
        let all: u64 = acts.iter().map(|(_, weight)| weight).sum();
        let mut at = self.dice.between(0, all);
        for (name, weight) in acts {
            if at < *weight {
                return self.does(name).await;
            }
            at -= weight;
        }
    }

    /// A little later, somebody does something; so many times.
    pub async fn go_on(&self, times: u64, within: Duration) {
        for _ in 0..times {
            let after = self.dice.time(Duration::from_millis(1), within);
            self.world.time.sleep(after).await;
            self.act().await;
        }
    }

    /// Somebody does this.
    pub async fn does(&self, name: &str) {
        let what = match self.world.pair.act(self, name).await {
            Ok(true) => "people",
            Ok(false) => "people: nothing to do it to",
            Err(_) => "people: refused",
        };
        self.world.figures.count(what, name);
    }

    /// An amount with cents.
    pub(crate) fn amount(&self) -> f64 {
        // A JSON number with cents; a person's hand is no wire of ours.
        f64::from(u32::try_from(self.dice.between(1_000, 900_000)).unwrap_or(1_000)) / 100.0
    }

    /// The ledger's records of a table.
    pub(crate) fn ledger(&self, table: &str) -> Vec<Value> {
        list(&self.world.records("netsuite"), table)
    }

    /// The platform's records of a table.
    pub(crate) fn platform(&self, table: &str) -> Vec<Value> {
        list(&self.world.records(self.world.pair.platform()), table)
    }

    /// Somebody acts on one of these records of the ledger.
    pub(crate) async fn in_ledger(&self, record: &str, of: &[String], body: Value) -> Result<bool> {
        let Some(id) = self.dice.pick(of) else {
            return Ok(false);
        };
        self.world.act("netsuite", &[record, id], body).await?;
        Ok(true)
    }
}

pub(crate) fn list(records: &Value, table: &str) -> Vec<Value> {
    records[table].as_array().cloned().unwrap_or_default()
}

/// Their ids.
pub(crate) fn ids(of: impl Iterator<Item = Value>) -> Vec<String> {
    of.filter_map(|one| one["id"].as_str().map(str::to_owned))
        .collect()
}

/// Whether it is an amount above zero.
pub(crate) fn positive(amount: &Value) -> bool {
    let amount = amount
        .as_str()
        .and_then(|text| text.parse::<rust_decimal::Decimal>().ok());
    amount.is_some_and(|amount| amount > rust_decimal::Decimal::ZERO)
}
