//! What customers and the partner's people do on the platform, and what the service does by itself.

use anyhow::Result;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Manner, PLATFORM, records};
use crate::check::{amount, list, text};
use crate::people::{People, ids, positive};

/// People on the platform.
pub(super) struct At<'a>(pub(super) &'a People<'a>);

impl<'a> std::ops::Deref for At<'a> {
    type Target = People<'a>;

    fn deref(&self) -> &People<'a> {
        self.0
    }
}

impl At<'_> {
    /// Somebody does this.
    pub(super) async fn done(&self, name: &str) -> Result<bool> {
        match name {
            "make a customer there" => self.make_customer().await,
            "make an invoice there" => self.make_invoice().await,
            "carry an invoice there" => self.carry().await,
            "edit a copy there" => self.edit_copy().await,
            "archive an invoice there" => self.archive().await,
            "pay by card there" => self.pay(1, json!({})).await,
            "pay by bank debit there" => self.pay(1, json!({"method": "standard_ach"})).await,
            "pay in part there" => self.pay(1, json!({"amount": "0.05"})).await,
            "pay several there" => self.pay(3, json!({})).await,
            "pay and cover the fee there" => self.pay(1, json!({"covers_fees": true})).await,
            "pay for what began there" => self.pay_foreign().await,
            "a bank debit arrives there" => self.turn(&["processing"], "succeeded").await,
            "fail a payment there" => self.turn(&["processing", "succeeded"], "failed").await,
            "charge back there" => self.turn(&["succeeded"], "chargeback").await,
            "win a dispute there" => self.turn(&["chargeback"], "chargeback_won").await,
            "refund there" => self.refund().await,
            "pay out there" => self.pay_out().await,
            "pay out with an adjustment there" => self.adjusted(self.correction()).await,
            "a payout arrives there" => {
                let fails = self.dice.chance(0.1);
                self.arrive(if fails { "failed" } else { "succeeded" })
                    .await
            }
            _ => Ok(false),
        }
    }

    async fn act(&self, path: &[&str], body: Value) -> Result<bool> {
        self.world.act(PLATFORM, path, body).await?;
        Ok(true)
    }

    /// Somebody acts on one of these.
    async fn on(&self, path: &str, of: Vec<Value>, body: Value) -> Result<bool> {
        let of = ids(of.into_iter());
        match self.dice.pick(&of) {
            Some(id) => self.act(&[path, id], body).await,
            None => Ok(false),
        }
    }

    async fn make_customer(&self) -> Result<bool> {
        let name = format!("Made there {}", self.dice.between(0, 1_000_000));
        self.act(&["customers"], json!({"name": name})).await
    }

    async fn make_invoice(&self) -> Result<bool> {
        let customers = ids(self.platform("customers").into_iter());
        let Some(customer) = self.dice.pick(&customers) else {
            return Ok(false);
        };
        let number = format!("T-{}", self.dice.between(0, 1_000_000));
        let body = invoice(customer, &number, &self.amount().to_string());
        self.act(&["invoices"], body).await
    }

    /// Where another system carries the invoices, it carries one more, with its customer.
    async fn carry(&self) -> Result<bool> {
        if !Manner::of(self.world.plan.seed).payments_only {
            return Ok(false);
        }
        let there = self.platform("invoices");
        let mut open = self.ledger("transactions");
        open.retain(|one| one["type"] == "CustInvc" && positive(&one["unpaid"]));
        let carried = |one: &Value| {
            let number = text(one, "number");
            number.is_empty() || there.iter().any(|it| it["invoice_number"] == number)
        };
        open.retain(|one| !carried(one));
        let Some(chosen) = self.dice.pick(&open) else {
            return Ok(false);
        };
        let customers = self.ledger("customers");
        let customer = customers.iter().find(|one| one["id"] == chosen["entity"]);
        let name = customer.map_or("", |one| text(one, "name"));
        if name.is_empty() {
            return Ok(false);
        }
        let known = self.platform("customers");
        let known = known.iter().find(|one| one["name"] == name);
        let id = match known {
            Some(known) => text(known, "id").to_owned(),
            None => {
                let fields = json!({"name": name});
                let made = self.world.act(PLATFORM, &["customers"], fields).await?;
                text(&made, "id").to_owned()
            }
        };
        let body = invoice(&id, text(chosen, "number"), text(chosen, "total"));
        self.act(&["invoices"], body).await
    }

    async fn edit_copy(&self) -> Result<bool> {
        let mut open = self.open();
        open.retain(|one| records::mark(one).is_some());
        let lines = json!([line(&self.amount().to_string())]);
        let edit = json!({"action": "edit", "fields": {"line_items": lines}});
        self.on("invoices", open, edit).await
    }

    async fn archive(&self) -> Result<bool> {
        self.on("invoices", self.open(), json!({"action": "archive"}))
            .await
    }

    /// Invoices that can be paid.
    fn open(&self) -> Vec<Value> {
        let mut open = self.platform("invoices");
        open.retain(|one| one["status"] == "open" || one["status"] == "overdue");
        open.retain(|one| positive(&one["balance"]));
        open
    }

    /// A customer pays up to so many of its invoices: mostly what began in the ledger.
    async fn pay(&self, most: usize, body: Value) -> Result<bool> {
        let mut open = self.open();
        if self.dice.chance(0.8) && !Manner::of(self.world.plan.seed).payments_only {
            open.retain(|one| records::mark(one).is_some());
        }
        self.pay_of(&open, most, body).await
    }

    async fn pay_foreign(&self) -> Result<bool> {
        let mut open = self.open();
        open.retain(|one| records::mark(one).is_none());
        self.pay_of(&open, 1, json!({})).await
    }

    async fn pay_of(&self, open: &[Value], most: usize, mut body: Value) -> Result<bool> {
        let Some(first) = self.dice.pick(open) else {
            return Ok(false);
        };
        let same =
            |one: &&Value| one["customer_id"] == first["customer_id"] && one["id"] != first["id"];
        let invoices: Vec<&Value> = std::iter::once(first)
            .chain(open.iter().filter(same))
            .take(most)
            .map(|one| &one["id"])
            .collect();
        body["invoices"] = json!(invoices);
        self.act(&["pay"], body).await
    }

    /// Payments that went through the service and stand so.
    fn payments(&self, statuses: &[&str]) -> Vec<Value> {
        let mut payments = self.platform("payments");
        payments.retain(|one| records::told_of(one).is_none());
        payments.retain(|one| statuses.contains(&text(one, "status")));
        payments
    }

    async fn turn(&self, from: &[&str], to: &str) -> Result<bool> {
        self.on("payments", self.payments(from), json!({"status": to}))
            .await
    }

    async fn refund(&self) -> Result<bool> {
        let payments = ids(self.payments(&["succeeded"]).into_iter());
        let Some(payment) = self.dice.pick(&payments) else {
            return Ok(false);
        };
        self.act(&["refunds"], json!({"payment": payment})).await
    }

    /// The service pays out what waits, and now and then corrects something.
    async fn pay_out(&self) -> Result<bool> {
        let corrects = self.dice.chance(0.2);
        self.adjusted(if corrects {
            self.correction()
        } else {
            json!([])
        })
        .await
    }

    fn correction(&self) -> Value {
        let amount = if self.dice.chance(0.5) {
            "-1.25"
        } else {
            "2.50"
        };
        json!([{"amount": amount, "description": "Correction"}])
    }

    async fn adjusted(&self, transactions: Value) -> Result<bool> {
        let records = self.world.records(PLATFORM);
        let waiting: Decimal = list(&records, "waiting")
            .map(|one| amount(one, "amount"))
            .sum();
        if waiting <= Decimal::ZERO {
            return Ok(false);
        }
        self.act(&["payouts"], json!({"transactions": transactions}))
            .await
    }

    async fn arrive(&self, status: &str) -> Result<bool> {
        let mut payouts = self.platform("payouts");
        payouts.retain(|one| one["status"] == "processing");
        self.on("payouts", payouts, json!({"status": status})).await
    }
}

fn line(amount: &str) -> Value {
    // A JSON number with cents; a person's hand is no wire of ours.
    let amount: f64 = amount.parse().unwrap_or(1.0);
    json!({"description": "Work", "quantity": 1, "amount": amount})
}

fn invoice(customer: &str, number: &str, amount: &str) -> Value {
    json!({
        "customer_id": customer, "currency": "USD", "due_date": "2026-08-01",
        "invoice_number": number, "line_items": [line(amount)],
    })
}
