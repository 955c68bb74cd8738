//! What people do, and what of it they do in the ledger beyond the acts of any receivables.

use anyhow::Result;
use serde_json::json;

use crate::people::{Act, People, ids};

/// The month that the world begins in.
const MONTH: &str = "Jun 2026";

/// What people do on both sides, and how often each is chosen.
pub(super) const ACTS: [Act; 38] = [
    ("enter an invoice", 6),
    ("enter a customer with an invoice", 2),
    ("edit an invoice's amount", 2),
    ("edit an invoice's memo", 1),
    ("edit an invoice's due date", 1),
    ("void an invoice", 1),
    ("delete an invoice", 1),
    ("receive a payment", 3),
    ("receive one payment for several", 2),
    ("receive a part", 2),
    ("receive more than is owed", 1),
    ("void a received payment", 1),
    ("delete a received payment", 1),
    ("deposit a received payment", 1),
    ("delete a deposit", 1),
    ("enter a credit memo", 2),
    ("apply a credit memo", 2),
    ("rename a customer", 1),
    ("inactivate a customer", 1),
    ("close the month", 1),
    ("open the month", 2),
    ("make a customer there", 1),
    ("make an invoice there", 2),
    ("carry an invoice there", 3),
    ("edit a copy there", 1),
    ("archive an invoice there", 1),
    ("pay by card there", 7),
    ("pay by bank debit there", 5),
    ("pay in part there", 2),
    ("pay several there", 2),
    ("pay and cover the fee there", 2),
    ("a bank debit arrives there", 3),
    ("fail a payment there", 2),
    ("refund there", 2),
    ("charge back there", 2),
    ("win a dispute there", 2),
    ("pay out there", 5),
    ("a payout arrives there", 5),
];

/// What another system has carried before tieout is set up, where one does.
pub(super) const BEGINNING: [&str; 2] = ["carry an invoice there", "carry an invoice there"];

/// What people do before each sync of a walk.
pub(super) const CHAPTERS: [&[&str]; 4] = [
    &[
        "enter an invoice",
        "enter an invoice",
        "enter a credit memo",
        "enter a customer with an invoice",
        "make an invoice there",
    ],
    &[
        "pay by card there",
        "pay and cover the fee there",
        "pay for what began there",
        "pay by bank debit there",
        "receive a payment",
        "receive a part",
        "apply a credit memo",
        "edit an invoice's amount",
        "pay out there",
    ],
    &[
        "a payout arrives there",
        "a bank debit arrives there",
        "charge back there",
        "refund there",
        "void a received payment",
        "delete an invoice",
        "rename a customer",
        "pay by card there",
        "pay out with an adjustment there",
    ],
    &[
        "a payout arrives there",
        "win a dispute there",
        "fail a payment there",
        "void an invoice",
        "pay out there",
        "a payout arrives there",
    ],
];

/// People among the ledger's records.
pub(super) struct At<'a>(pub(super) &'a People<'a>);

impl At<'_> {
    /// Somebody does this; nothing where it isn't done in the ledger.
    pub(super) async fn done(&self, name: &str) -> Result<Option<bool>> {
        let people = self.0;
        let done = match name {
            "edit an invoice's due date" => {
                let day = people.dice.between(1, 29);
                let edit =
                    json!({"action": "edit", "fields": {"dueDate": format!("2026-09-{day:02}")}});
                people.in_ledger("invoice", &self.open(), edit).await?
            }
            "delete a deposit" => {
                let delete = json!({"action": "delete"});
                people
                    .in_ledger("deposit", &self.of("Deposit"), delete)
                    .await?
            }
            "close the month" => self.period("closed").await?,
            "open the month" => self.period("open").await?,
            _ => return Ok(None),
        };
        Ok(Some(done))
    }

    fn of(&self, sort: &str) -> Vec<String> {
        let mut all = self.0.ledger("transactions");
        all.retain(|one| one["type"] == sort && one["voided"] != "T");
        ids(all.into_iter())
    }

    fn open(&self) -> Vec<String> {
        let mut open = self.0.ledger("transactions");
        open.retain(|one| one["type"] == "CustInvc" && crate::people::positive(&one["unpaid"]));
        ids(open.into_iter())
    }

    async fn period(&self, state: &str) -> Result<bool> {
        let body = json!({"state": state});
        let world = self.0.world;
        world.act("netsuite", &["periods", MONTH], body).await?;
        Ok(true)
    }
}
