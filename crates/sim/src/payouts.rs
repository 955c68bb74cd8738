//! Invoices that customers pay on a page of the platform's, which pays them out, between NetSuite and Alternative
//! Payments.

pub mod check;
mod deposits;
mod manner;
mod money;
mod pdfs;
mod people;
mod records;
mod there;

use anyhow::Result;
use async_trait::async_trait;
use serde_json::Value;
use tieout_kit::fake::world::generate::Shape;

pub use self::manner::Manner;
pub(crate) use self::records::mark;
use crate::check::{Seen, Violation};
use crate::dice::Dice;
use crate::pair::Pair;
use crate::people::{Act, People};
use crate::receivables::people::At as InLedger;
use crate::world::{NAME, Plan, World};

/// The platform.
const PLATFORM: &str = "alternative-payments";

/// The accounts, by their numbers: where payouts arrive, what the platform keeps, what passes through, and what was paid
/// for invoices that the ledger doesn't know.
const BANK: &str = "1000";
const FEES: &str = "6900";
const CLEARING: &str = "1090";
const STAND_ALONE: &str = "2100";

/// The pair.
#[derive(Debug, Clone, Copy)]
pub struct Payouts;

#[async_trait(?Send)]
impl Pair for Payouts {
    fn name(&self) -> &'static str {
        "netsuite-alternative-payments"
    }

    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn credential(&self) -> &'static str {
        PLATFORM
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
        let manner = Manner::of(plan.seed);
        world
            .act(PLATFORM, &["switches"], manner.switches())
            .await?;
        let base = sandbox[PLATFORM]["base_url"].as_str().unwrap_or_default();
        Ok(format!(
            "receivables = true\npdf_script = \"customscript_tieout_files\"\n\
             [connections.{NAME}.{PLATFORM}]\nenvironment = \"demo\"\ncredential = \"{PLATFORM}\"\n\
             base_url = \"{base}\"\ncapabilities = {capabilities:?}\n\
             [connections.{NAME}.preferences.receivables]\nreconcile = {reconcile}\nmode = \"{mode}\"\n\
             customers = \"{customers}\"\nfailed_payments = \"{failed}\"\ndeposit_accounts = [\"undeposited\"]\n\
             bank_account = \"{BANK}\"\nfee_account = \"{FEES}\"\nclearing_account = \"{CLEARING}\"\n\
             standalone_account = \"{STAND_ALONE}\"\n",
            capabilities = manner.capabilities,
            reconcile = plan.writes_ledger,
            mode = manner.mode(),
            customers = manner.customers(),
            failed = manner.failed_payments(),
        ))
    }

    async fn beginning(&self, people: &People<'_>) {
        for act in people::BEGINNING {
            people.does(act).await;
        }
    }

    fn acts(&self) -> &'static [Act] {
        &people::ACTS
    }

    async fn act(&self, people: &People<'_>, name: &str) -> Result<bool> {
        if let Some(done) = InLedger(people).done(name).await? {
            return Ok(done);
        }
        match people::At(people).done(name).await? {
            Some(done) => Ok(done),
            None => there::At(people).done(name).await,
        }
    }

    fn chapters(&self) -> &'static [&'static [&'static str]] {
        &people::CHAPTERS
    }

    fn servers(&self, plan: &Plan, seen: &Seen<'_>) -> Vec<Violation> {
        check::servers(&Manner::of(plan.seed), plan.writes_ledger, seen)
    }
}
