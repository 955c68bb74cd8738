//! What people do on the platform with customers, invoices, credit notes and payments.

use anyhow::Result;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::people::{People, ids, positive};

/// People among the platform's invoices.
pub(super) struct At<'a>(pub(super) &'a People<'a>);

impl<'a> std::ops::Deref for At<'a> {
    type Target = People<'a>;

    fn deref(&self) -> &People<'a> {
        self.0
    }
}

/// Whether tieout made it for a record of the ledger.
fn is_copy(record: &Value) -> bool {
    record["metadata"]["netsuite_id"].is_string()
}

fn decimal(record: &Value, field: &str) -> Decimal {
    let text = record[field].as_str().unwrap_or_default();
    text.parse().unwrap_or_default()
}

/// An id as the service's own calls write it.
fn number(record: &Value) -> Option<i64> {
    record["id"].as_str()?.parse().ok()
}

impl At<'_> {
    /// Somebody does this.
    pub(super) async fn done(&self, name: &str) -> Result<bool> {
        match name {
            "make a customer there" => {
                let name = format!("Made there {}", self.dice.between(0, 1_000_000));
                self.made("customers", json!({"name": name})).await
            }
            "remind a customer there" => {
                let edit = json!({"action": "edit", "fields": {"chase": true}});
                self.on("customers", self.platform("customers"), edit).await
            }
            "issue an invoice there" => self.issue("invoices", self.dice.chance(0.2)).await,
            "issue a draft there" => {
                let mut drafts = self.platform("invoices");
                drafts.retain(|one| one["status"] == "draft");
                self.on("invoices", drafts, json!({"action": "issue"}))
                    .await
            }
            "edit an invoice there" => self.edit(|one| !is_copy(one)).await,
            "edit a copy there" => self.edit(is_copy).await,
            "void an invoice there" => self.on_open("void").await,
            "delete an invoice there" => self.on_open("delete").await,
            "write off an invoice there" => self.on_open("close").await,
            "pay there" => self.pay(1, json!({})).await,
            "pay several there" => self.pay(3, json!({})).await,
            "pay in part there" => self.pay(1, json!({"amount": "0.02"})).await,
            "overpay there" => {
                let kept = self.dice.chance(0.5);
                self.pay(1, json!({"amount": "50000", "credit": kept}))
                    .await
            }
            "pay with a fee there" => self.pay(1, json!({"convenience_fee": "2.50"})).await,
            "pay for nothing there" => {
                let body = json!({"amount": "75.00", "method": "wire_transfer"});
                self.made("pay", body).await
            }
            "move a payment there" => self.move_payment().await,
            "void a payment there" => self.on_payment(json!({"action": "void"})).await,
            "refund there" => {
                let amount = self.dice.chance(0.5).then_some("0.01");
                let mut refund = json!({"action": "refund"});
                if let Some(amount) = amount {
                    refund["amount"] = json!(amount);
                }
                self.on_payment(refund).await
            }
            "fail a payment there" => self.on_payment(json!({"action": "fail"})).await,
            "clear a payment there" => self.on_payment(json!({"action": "clear"})).await,
            "dispute a payment there" => self.on_payment(json!({"action": "dispute"})).await,
            "issue a credit note there" => self.issue("credit_notes", false).await,
            "apply a credit note there" => self.apply_credit().await,
            "rename a customer there" => {
                let name = format!("Renamed there {}", self.dice.between(0, 1_000_000));
                let edit = json!({"action": "edit", "fields": {"name": name}});
                self.on("customers", self.platform("customers"), edit).await
            }
            "merge customers there" => {
                let all = self.platform("customers");
                // Whom somebody reminds by hand isn't to be reminded of another's invoices.
                let quiet: Vec<&Value> = all.iter().filter(|one| one["chase"] != true).collect();
                let into = self.dice.pick(&quiet).and_then(|one| number(one));
                self.on("customers", all, json!({"action": "merge", "into": into}))
                    .await
            }
            "delete a customer there" => {
                let all = self.platform("customers");
                self.on("customers", all, json!({"action": "delete"})).await
            }
            _ => Ok(false),
        }
    }

    async fn made(&self, path: &str, body: Value) -> Result<bool> {
        self.world.act("invoiced", &[path], body).await?;
        Ok(true)
    }

    /// Somebody acts on one of these.
    async fn on(&self, path: &str, of: Vec<Value>, body: Value) -> Result<bool> {
        let of = ids(of.into_iter());
        let Some(id) = self.dice.pick(&of) else {
            return Ok(false);
        };
        self.world.act("invoiced", &[path, id], body).await?;
        Ok(true)
    }

    /// Invoices that are issued and open.
    fn open(&self) -> Vec<Value> {
        let mut open = self.platform("invoices");
        let status = |one: &Value, not: &str| one["status"] != not;
        open.retain(|one| status(one, "draft") && status(one, "voided") && one["closed"] != true);
        open.retain(|one| positive(&one["balance"]));
        open
    }

    async fn on_open(&self, action: &str) -> Result<bool> {
        self.on("invoices", self.open(), json!({"action": action}))
            .await
    }

    fn line(&self) -> Value {
        let quantity = self.dice.between(1, 4);
        json!({"name": "Work", "quantity": quantity, "unit_cost": self.amount()})
    }

    async fn issue(&self, path: &str, draft: bool) -> Result<bool> {
        let customers = self.platform("customers");
        let Some(customer) = self.dice.pick(&customers).and_then(number) else {
            return Ok(false);
        };
        let mut body =
            json!({"customer": customer, "items": [self.line()], "calculate_taxes": false});
        if draft {
            body["draft"] = json!(true);
        }
        if self.dice.chance(0.4) {
            body["taxes"] = json!([{"amount": 1.23}]);
        }
        if self.dice.chance(0.3) {
            body["discounts"] = json!([{"amount": 0.5}]);
        }
        // One that names an invoice is applied to it at once.
        if path == "credit_notes" && self.dice.chance(0.4) {
            let id = customer.to_string();
            let mut theirs = self.open().into_iter().filter(|one| one["customer"] == id);
            body["invoice"] = json!(theirs.next().as_ref().and_then(number));
        }
        self.made(path, body).await
    }

    async fn edit(&self, fits: impl Fn(&Value) -> bool) -> Result<bool> {
        let mut open = self.open();
        open.retain(|one| fits(one));
        let edit = json!({"action": "edit", "fields": {"items": [self.line()]}});
        self.on("invoices", open, edit).await
    }

    /// Pays up to so many invoices of one customer.
    async fn pay(&self, most: usize, mut body: Value) -> Result<bool> {
        let mut open = self.open();
        if self.dice.chance(0.7) {
            open.retain(is_copy);
        }
        let Some(first) = self.dice.pick(&open) else {
            return Ok(false);
        };
        let same = |one: &&Value| {
            one["customer"] == first["customer"] && one["currency"] == first["currency"]
        };
        let others = open.iter().filter(same);
        let others = others.filter(|one| one["id"] != first["id"]);
        let invoices: Vec<i64> = std::iter::once(first)
            .chain(others)
            .take(most)
            .filter_map(number)
            .collect();
        let methods = ["check", "wire_transfer", "credit_card", "ach"];
        body["invoices"] = json!(invoices);
        body["method"] = json!(self.dice.pick(&methods));
        self.made("pay", body).await
    }

    /// Payments that customers made here, and now and then one that tieout recorded.
    fn payments(&self) -> Vec<Value> {
        let also_ours = self.dice.chance(0.2);
        let mut payments = self.platform("payments");
        payments.retain(|one| one["voided"] != true && (also_ours || !is_copy(one)));
        payments
    }

    async fn on_payment(&self, body: Value) -> Result<bool> {
        self.on("payments", self.payments(), body).await
    }

    /// A payment is applied to another invoice of its customer.
    async fn move_payment(&self) -> Result<bool> {
        let open = self.open();
        let payments = self.payments();
        let Some(payment) = self.dice.pick(&payments) else {
            return Ok(false);
        };
        let to = open
            .iter()
            .find(|one| one["customer"] == payment["customer"]);
        let (Some(to), Some(id)) = (to, payment["id"].as_str()) else {
            return Ok(false);
        };
        let amount = decimal(payment, "amount").min(decimal(to, "balance"));
        let part = json!({"type": "invoice", "invoice": number(to), "amount": amount.to_string()});
        self.apply(id, json!([part])).await
    }

    async fn apply(&self, payment: &str, parts: Value) -> Result<bool> {
        let edit = json!({"action": "edit", "fields": {"applied_to": parts}});
        self.world
            .act("invoiced", &["payments", payment], edit)
            .await?;
        Ok(true)
    }

    /// A credit note pays a part of an invoice, along with a payment.
    async fn apply_credit(&self) -> Result<bool> {
        let mut notes = self.platform("credit_notes");
        notes.retain(|one| one["status"] == "open" && positive(&one["balance"]));
        let (open, payments) = (self.open(), self.payments());
        let of = |list: &[Value], note: &Value| {
            let mut all = list.iter();
            all.find(|one| one["customer"] == note["customer"]).cloned()
        };
        let fits = notes.iter().find_map(|note| {
            let (invoice, payment) = (of(&open, note)?, of(&payments, note)?);
            Some((note, invoice, payment))
        });
        let Some((note, invoice, payment)) = fits else {
            return Ok(false);
        };
        let mut parts = payment["applied_to"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let amount = decimal(note, "balance").min(decimal(&invoice, "balance"));
        parts.push(
            json!({"type": "credit_note", "credit_note": number(note), "document_type": "invoice",
            "invoice": number(&invoice), "amount": amount.to_string()}),
        );
        let id = payment["id"].as_str().unwrap_or_default();
        self.apply(id, json!(parts)).await
    }
}
