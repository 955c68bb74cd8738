//! What people do in the ledger with customers, invoices, credit memos and payments.

use anyhow::Result;
use serde_json::{Value, json};

use crate::people::{Act, People, ids, positive};

/// What people do on both sides, and how often each is chosen.
pub(super) const ACTS: [Act; 44] = [
    ("enter an invoice", 6),
    ("enter a customer with an invoice", 2),
    ("edit an invoice's amount", 2),
    ("edit an invoice's memo", 1),
    ("void an invoice", 1),
    ("delete an invoice", 1),
    ("receive a payment", 4),
    ("receive one payment for several", 2),
    ("receive a part", 2),
    ("receive more than is owed", 1),
    ("void a received payment", 1),
    ("delete a received payment", 1),
    ("deposit a received payment", 2),
    ("settle an invoice with a deposit", 1),
    ("enter a credit memo", 2),
    ("apply a credit memo", 2),
    ("rename a customer", 1),
    ("inactivate a customer", 1),
    ("merge customers", 1),
    ("make a customer there", 1),
    ("issue an invoice there", 5),
    ("issue a draft there", 2),
    ("edit an invoice there", 2),
    ("edit a copy there", 1),
    ("void an invoice there", 1),
    ("delete an invoice there", 1),
    ("write off an invoice there", 1),
    ("pay there", 6),
    ("pay in part there", 3),
    ("pay several there", 3),
    ("overpay there", 2),
    ("pay with a fee there", 2),
    ("pay for nothing there", 1),
    ("move a payment there", 2),
    ("void a payment there", 3),
    ("refund there", 2),
    ("fail a payment there", 2),
    ("clear a payment there", 2),
    ("dispute a payment there", 1),
    ("issue a credit note there", 3),
    ("apply a credit note there", 2),
    ("rename a customer there", 1),
    ("merge customers there", 1),
    ("delete a customer there", 1),
];

/// The ledger's record of a payment that somebody receives.
const BY_CHECK: &str = "customerpayment";

/// The ledger's record of the use of what a customer paid beforehand.
const BEFOREHAND: &str = "depositapplication";

/// What people do before each sync.
pub(super) const CHAPTERS: [&[&str]; 4] = [
    &[
        "enter an invoice",
        "enter an invoice",
        "enter a credit memo",
        "enter a customer with an invoice",
        "issue an invoice there",
        "issue a credit note there",
    ],
    &[
        "pay there",
        "pay in part there",
        "pay several there",
        "overpay there",
        "pay with a fee there",
        "receive a payment",
        "settle an invoice with a deposit",
        "enter an invoice",
        "edit an invoice's amount",
    ],
    &[
        "void a payment there",
        "void a payment there",
        "refund there",
        "move a payment there",
        "apply a credit note there",
        "void a received payment",
        "edit an invoice there",
        "delete an invoice",
        "rename a customer",
    ],
    &[
        "pay there",
        "void a payment there",
        "void an invoice",
        "fail a payment there",
    ],
];

/// People among the ledger's invoices.
pub(crate) struct At<'a>(pub(crate) &'a People<'a>);

impl<'a> std::ops::Deref for At<'a> {
    type Target = People<'a>;

    fn deref(&self) -> &People<'a> {
        self.0
    }
}

impl At<'_> {
    /// Somebody does this; nothing where it isn't done in the ledger.
    pub(crate) async fn done(&self, name: &str) -> Result<Option<bool>> {
        let amend = |fields: Value| json!({"action": "edit", "fields": fields});
        let done = match name {
            "enter an invoice" => self.enter("invoice", None).await?,
            "enter a credit memo" => self.enter("creditmemo", None).await?,
            "enter a customer with an invoice" => self.enter_customer().await?,
            "edit an invoice's amount" => {
                let edit = amend(json!({"amount": self.amount()}));
                self.in_ledger("invoice", &self.open_ids(), edit).await?
            }
            "edit an invoice's memo" => {
                let memo = format!("memo {}", self.dice.between(0, 1000));
                let edit = amend(json!({"memo": memo}));
                self.in_ledger("invoice", &self.open_ids(), edit).await?
            }
            "void an invoice" => {
                let void = json!({"action": "void"});
                self.in_ledger("invoice", &self.open_ids(), void).await?
            }
            "delete an invoice" => {
                let delete = json!({"action": "delete"});
                self.in_ledger("invoice", &self.open_ids(), delete).await?
            }
            "receive a payment" => self.receive(BY_CHECK, 1, None).await?,
            "receive one payment for several" => self.receive(BY_CHECK, 3, None).await?,
            "receive a part" => self.receive(BY_CHECK, 1, Some("0.01")).await?,
            "receive more than is owed" => self.receive(BY_CHECK, 1, Some("100000")).await?,
            "settle an invoice with a deposit" => self.receive(BEFOREHAND, 1, Some("0.03")).await?,
            "void a received payment" => {
                let void = json!({"action": "void"});
                let payments = self.received();
                self.in_ledger("customerpayment", &payments, void).await?
            }
            "delete a received payment" => {
                let delete = json!({"action": "delete"});
                let payments = self.received();
                self.in_ledger("customerpayment", &payments, delete).await?
            }
            "deposit a received payment" => self.deposit().await?,
            "apply a credit memo" => self.apply_credit().await?,
            "rename a customer" => {
                let name = format!("Renamed {}", self.dice.between(0, 1_000_000));
                let edit = amend(json!({"companyName": name}));
                self.in_ledger("customer", &self.customers(), edit).await?
            }
            "inactivate a customer" => {
                let put_away = json!({"action": "inactivate"});
                self.in_ledger("customer", &self.customers(), put_away)
                    .await?
            }
            "merge customers" => self.merge().await?,
            _ => return Ok(None),
        };
        Ok(Some(done))
    }

    fn transactions(&self, sort: &str) -> Vec<Value> {
        let mut all = self.ledger("transactions");
        all.retain(|one| one["type"] == sort && one["voided"] != "T");
        all
    }

    /// Invoices that are open.
    fn open(&self) -> Vec<Value> {
        let mut open = self.transactions("CustInvc");
        open.retain(|one| positive(&one["unpaid"]));
        open
    }

    /// Open invoices, mostly those that people entered here.
    fn open_ids(&self) -> Vec<String> {
        let also_ours = self.dice.chance(0.2);
        let open = self.open().into_iter();
        ids(open.filter(|one| also_ours || one["external_id"].is_null()))
    }

    /// Payments that people received here, and now and then one of tieout's.
    fn received(&self) -> Vec<String> {
        let also_ours = self.dice.chance(0.3);
        let all = self.transactions("CustPymt").into_iter();
        ids(all.filter(|one| also_ours || one["external_id"].is_null()))
    }

    fn customers(&self) -> Vec<String> {
        let all = self.ledger("customers").into_iter();
        ids(all.filter(|one| one["inactive"] != "T"))
    }

    async fn enter(&self, record: &str, customer: Option<String>) -> Result<bool> {
        let Some(customer) = customer.or_else(|| self.dice.pick(&self.customers()).cloned()) else {
            return Ok(false);
        };
        let number = format!("P-{}", self.dice.between(0, 1_000_000));
        let fields = json!({"entity": customer, "tranId": number, "amount": self.amount()});
        self.world.act("netsuite", &[record], fields).await?;
        Ok(true)
    }

    async fn enter_customer(&self) -> Result<bool> {
        let name = format!("Newcomer {} LLC", self.dice.between(0, 1_000_000));
        let fields = json!({"companyName": name});
        let made = self.world.act("netsuite", &["customer"], fields).await?;
        self.enter("invoice", made["id"].as_str().map(str::to_owned))
            .await
    }

    /// A payment, or the use of one that was made beforehand, for up to so many invoices of one customer: all that is
    /// owed, or so much.
    async fn receive(&self, record: &str, most: usize, amount: Option<&str>) -> Result<bool> {
        let open = self.open();
        let Some(first) = self.dice.pick(&open) else {
            return Ok(false);
        };
        let others = open
            .iter()
            .filter(|one| one["entity"] == first["entity"] && one["id"] != first["id"]);
        let invoices: Vec<&Value> = std::iter::once(first)
            .chain(others)
            .take(most)
            .map(|one| &one["id"])
            .collect();
        let fields = json!({"invoices": invoices, "amount": amount});
        self.world.act("netsuite", &[record], fields).await?;
        Ok(true)
    }

    /// What lies among undeposited funds goes to the bank.
    async fn deposit(&self) -> Result<bool> {
        let balances = self.ledger("balances");
        let bank = balances.iter().find(|one| one["number"] == super::BANK);
        let payments = ids(self.transactions("CustPymt").into_iter());
        let (Some(bank), Some(payment)) = (bank, self.dice.pick(&payments)) else {
            return Ok(false);
        };
        let payment: i64 = payment.parse()?;
        let fields = json!({"account": bank["id"], "payment": [{"id": payment, "deposit": true}]});
        self.world.act("netsuite", &["deposit"], fields).await?;
        Ok(true)
    }

    async fn apply_credit(&self) -> Result<bool> {
        let mut credits = self.transactions("CustCred");
        credits.retain(|one| positive(&one["unused"]));
        let open = self.open();
        let fits = credits.iter().find_map(|credit| {
            let invoice = open.iter().find(|one| one["entity"] == credit["entity"])?;
            Some((credit, invoice))
        });
        let Some((credit, invoice)) = fits else {
            return Ok(false);
        };
        let id = credit["id"].as_str().unwrap_or_default();
        let part = json!({"doc": invoice["id"], "apply": true, "amount": 0.05});
        let edit = json!({"action": "edit", "fields": {"apply": [part]}});
        self.world
            .act("netsuite", &["creditmemo", id], edit)
            .await?;
        Ok(true)
    }

    async fn merge(&self) -> Result<bool> {
        let customers = self.customers();
        let (Some(gone), Some(into)) = (self.dice.pick(&customers), self.dice.pick(&customers))
        else {
            return Ok(false);
        };
        let merge = json!({"action": "merge", "into": into});
        self.world
            .act("netsuite", &["customer", gone], merge)
            .await?;
        Ok(true)
    }
}
