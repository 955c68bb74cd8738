//! Invoices and what customers pay, between NetSuite and Invoiced.

pub mod check;
mod money;
pub(crate) mod people;
mod there;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use serde_json::{Value, json};
use tieout_kit::fake::world::generate::Shape;

use crate::check::{Seen, Violation};
use crate::dice::Dice;
use crate::pair::Pair;
use crate::people::{Act, People};
use crate::world::{NAME, Plan, World};

/// The bank account, by its number: all but checks are kept in it, and what is undone is paid back out of it.
const BANK: &str = "1000";

/// The pair.
#[derive(Debug, Clone, Copy)]
pub struct Receivables;

#[async_trait(?Send)]
impl Pair for Receivables {
    fn name(&self) -> &'static str {
        "netsuite-invoiced"
    }

    fn platform(&self) -> &'static str {
        "invoiced"
    }

    fn credential(&self) -> &'static str {
        "invoiced"
    }

    fn hinted(&self) -> &'static str {
        "payments"
    }

    fn at_once(&self) -> usize {
        4
    }

    fn closes(&self) -> bool {
        true
    }

    fn drawn(&self, seed: u64, dice: &Dice) -> Plan {
        Plan {
            seed,
            parties: dice.between(6, 14),
            documents: dice.between(10, 26),
            one_world: dice.chance(0.5),
            tokens: dice.chance(0.5),
            writes_ledger: dice.chance(0.85),
        }
    }

    fn walked(&self, seed: u64) -> Plan {
        Plan {
            seed,
            parties: 10,
            documents: 16,
            one_world: true,
            tokens: true,
            writes_ledger: true,
        }
    }

    fn furnish(&self, plan: &Plan, shape: &mut Shape) {
        shape.vendors = 2;
        shape.bills = 2;
        shape.customers = plan.parties();
        shape.invoices = plan.documents();
    }

    async fn configuration(&self, world: &World, sandbox: &Value) -> Result<String> {
        let plan = &world.plan;
        let base = sandbox["invoiced"]["base_url"].as_str().unwrap_or_default();
        let every_other = plan.seed.is_multiple_of(2);
        let failed = if every_other { "reverse" } else { "task" };
        let customers = if plan.seed.is_multiple_of(3) {
            "all"
        } else {
            "with-invoices"
        };
        let mut items = Vec::new();
        for (key, name) in [
            ("default_item", "Consulting hour"),
            ("tax_item", "Sales tax"),
            ("discount_item", "Discount"),
            ("fee_item", "Freight to customer"),
        ] {
            items.push(format!("{key} = \"{}\"\n", item(world, name).await?));
        }
        Ok(format!(
            "receivables = true\n\
             [connections.{NAME}.invoiced]\nenvironment = \"sandbox\"\ntime_zone = \"America/New_York\"\n\
             credential = \"invoiced\"\nbase_url = \"{base}\"\n\
             [connections.{NAME}.preferences.receivables]\nreconcile = {reconcile}\nfirst_sync = \"all\"\n\
             customers = \"{customers}\"\nfailed_payments = \"{failed}\"\nbank_account = \"{BANK}\"\n\
             deposit_accounts = [\"check=undeposited\", \"{BANK}\"]\n{items}",
            reconcile = plan.writes_ledger,
            items = items.concat(),
        ))
    }

    async fn beginning(&self, people: &People<'_>) {
        people.does("remind a customer there").await;
    }

    fn acts(&self) -> &'static [Act] {
        &people::ACTS
    }

    async fn act(&self, people: &People<'_>, name: &str) -> Result<bool> {
        match people::At(people).done(name).await? {
            Some(done) => Ok(done),
            None => there::At(people).done(name).await,
        }
    }

    fn chapters(&self) -> &'static [&'static [&'static str]] {
        &people::CHAPTERS
    }

    fn servers(&self, plan: &Plan, seen: &Seen<'_>) -> Vec<Violation> {
        check::servers(plan.writes_ledger, seen)
    }
}

/// The id of the ledger's item of this name.
async fn item(world: &World, name: &str) -> Result<String> {
    let query = json!({"q": format!("SELECT id FROM item WHERE itemid = '{name}'")});
    let answer = world.act("netsuite", &["query"], query).await?;
    let id = answer["items"][0]["id"].as_str();
    let id = id.with_context(|| format!("the ledger has no item {name}"))?;
    Ok(id.to_owned())
}
