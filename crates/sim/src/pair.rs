//! What is of one pair of systems alone: what its worlds hold, what people do in them, and what must be true of the
//! services' records in the end. All else is told once, for whichever pair.

use anyhow::Result;
use async_trait::async_trait;
use serde_json::Value;
use tieout_kit::fake::world::generate::Shape;

use crate::check::{Seen, Violation};
use crate::dice::Dice;
use crate::payables::Payables;
use crate::payouts::Payouts;
use crate::people::{Act, People};
use crate::receivables::Receivables;
use crate::world::{Plan, World};

/// A ledger and a platform, and the doubt that is theirs alone.
#[async_trait(?Send)]
pub trait Pair: std::fmt::Debug + Sync {
    /// As the configuration names it.
    fn name(&self) -> &'static str;

    /// The platform's service.
    fn platform(&self) -> &'static str;

    /// The kind of the platform's credential.
    fn credential(&self) -> &'static str;

    /// The flow that the platform's webhooks hint at.
    fn hinted(&self) -> &'static str;

    /// How many calls to the platform may be under way at once, of all processes together.
    fn at_once(&self) -> usize;

    /// Whether its months are tied out.
    fn closes(&self) -> bool;

    /// What a world is like, drawn from chance.
    fn drawn(&self, seed: u64, dice: &Dice) -> Plan;

    /// What the world of a walk is like.
    fn walked(&self, seed: u64) -> Plan;

    /// Says how much the services hold in the beginning.
    fn furnish(&self, plan: &Plan, shape: &mut Shape);

    /// The connection's configuration but for the ledger's table.
    ///
    /// # Errors
    /// What a service says to whoever looks up in it what the configuration names.
    async fn configuration(&self, world: &World, sandbox: &Value) -> Result<String>;

    /// What people do before tieout is set up.
    async fn beginning(&self, _people: &People<'_>) {}

    /// What people do, and how often each act is chosen.
    fn acts(&self) -> &'static [Act];

    /// Somebody does this; `false` where there is nothing to do it to.
    ///
    /// # Errors
    /// What the service refuses them.
    async fn act(&self, people: &People<'_>, name: &str) -> Result<bool>;

    /// What people do in a walk, before each of its syncs.
    fn chapters(&self) -> &'static [&'static [&'static str]];

    /// All checks of the services' records.
    fn servers(&self, plan: &Plan, seen: &Seen<'_>) -> Vec<Violation>;
}

/// All pairs.
pub static ALL: [&dyn Pair; 3] = [&Payables, &Receivables, &Payouts];

/// The pair of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Pair> {
    ALL.into_iter().find(|pair| pair.name() == name)
}
