//! Bills and their payments, between NetSuite and BILL.

pub mod check;
mod files;
mod people;

use anyhow::Result;
use async_trait::async_trait;
use serde_json::Value;
use tieout_kit::fake::world::generate::Shape;

use crate::check::{Seen, Violation};
use crate::dice::Dice;
use crate::pair::Pair;
use crate::people::{Act, People};
use crate::world::{NAME, Plan, World};

/// The pair.
#[derive(Debug, Clone, Copy)]
pub struct Payables;

#[async_trait(?Send)]
impl Pair for Payables {
    fn name(&self) -> &'static str {
        "netsuite-bill"
    }

    fn platform(&self) -> &'static str {
        "bill"
    }

    fn credential(&self) -> &'static str {
        "bill"
    }

    fn hinted(&self) -> &'static str {
        "bill-payments"
    }

    fn at_once(&self) -> usize {
        3
    }

    fn closes(&self) -> bool {
        true
    }

    fn drawn(&self, seed: u64, dice: &Dice) -> Plan {
        Plan {
            seed,
            parties: dice.between(4, 10),
            documents: dice.between(8, 22),
            one_world: dice.chance(0.5),
            tokens: dice.chance(0.5),
            writes_ledger: true,
        }
    }

    fn walked(&self, seed: u64) -> Plan {
        Plan {
            seed,
            parties: 8,
            documents: 16,
            one_world: true,
            tokens: true,
            writes_ledger: true,
        }
    }

    fn furnish(&self, plan: &Plan, shape: &mut Shape) {
        shape.vendors = plan.parties();
        shape.bills = plan.documents();
    }

    async fn configuration(&self, _: &World, sandbox: &Value) -> Result<String> {
        let bill = |key: &str| sandbox["bill"][key].as_str().unwrap_or_default();
        Ok(format!(
            "pdf_script = \"customscript_tieout_files\"\n\
             [connections.{NAME}.bill]\norganization = \"{organization}\"\nenvironment = \"sandbox\"\n\
             credential = \"bill\"\nbase_url = \"{base}\"\nevents_url = \"{events}\"\n\
             [connections.{NAME}.preferences.lists]\ncreate_missing = true\n\
             [connections.{NAME}.preferences.transactions]\npayment_account = \"{payment_account}\"\n",
            payment_account = check::PAYMENT_ACCOUNT,
            organization = bill("organization"),
            base = bill("base_url"),
            events = bill("events_url"),
        ))
    }

    fn acts(&self) -> &'static [Act] {
        &people::ACTS
    }

    async fn act(&self, people: &People<'_>, name: &str) -> Result<bool> {
        people::At(people).done(name).await
    }

    fn chapters(&self) -> &'static [&'static [&'static str]] {
        &people::CHAPTERS
    }

    fn servers(&self, _: &Plan, seen: &Seen<'_>) -> Vec<Violation> {
        check::servers(seen)
    }
}
