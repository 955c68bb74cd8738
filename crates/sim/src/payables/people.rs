//! What people do with bills, vendors and payments.

use anyhow::Result;
use serde_json::{Value, json};

use crate::people::{Act, People, ids, positive};

/// What people do, and how often each is chosen.
pub(super) const ACTS: [Act; 24] = [
    ("enter a bill", 6),
    ("approve a bill", 4),
    ("reject a bill", 1),
    ("edit a bill's amount", 2),
    ("edit a bill's memo", 1),
    ("void a bill", 1),
    ("delete a bill", 1),
    ("pay in the ledger", 3),
    ("void a payment in the ledger", 1),
    ("delete a payment in the ledger", 1),
    ("enter a credit", 2),
    ("rename a vendor", 1),
    ("inactivate a vendor", 1),
    ("enter a vendor with a bill", 2),
    ("pay on the platform", 8),
    ("pay in part on the platform", 3),
    ("move a payment on", 4),
    ("void a payment on the platform", 3),
    ("type in a bill", 1),
    ("edit a bill on the platform", 1),
    ("archive a bill on the platform", 1),
    ("pay with a credit", 2),
    ("attach a file", 4),
    ("replace a file", 1),
];

/// What people do before each sync.
pub(super) const CHAPTERS: [&[&str]; 4] = [
    &[
        "enter a bill",
        "enter a bill",
        "enter a credit",
        "enter a vendor with a bill",
        "attach a file",
        "attach a file",
    ],
    &[
        "pay on the platform",
        "pay on the platform",
        "pay in part on the platform",
        "pay with a credit",
        "pay in the ledger",
        "enter a bill",
        "edit a bill's amount",
        "attach a file",
        "replace a file",
    ],
    &[
        "void a payment on the platform",
        "void a payment on the platform",
        "void a payment in the ledger",
        "move a payment on",
        "edit a bill's memo",
        "delete a bill",
        "rename a vendor",
    ],
    &[
        "pay on the platform",
        "void a payment on the platform",
        "void a bill",
    ],
];

/// People among bills.
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
            "enter a bill" => self.enter_bill(None).await,
            "enter a vendor with a bill" => self.enter_vendor().await,
            "approve a bill" => {
                self.in_ledger(
                    "vendorbill",
                    &self.bills(pending),
                    json!({"action": "approve"}),
                )
                .await
            }
            "reject a bill" => {
                self.in_ledger(
                    "vendorbill",
                    &self.bills(pending),
                    json!({"action": "reject"}),
                )
                .await
            }
            "edit a bill's amount" => {
                let fields = json!({"action": "edit", "fields": {"amount": self.amount()}});
                self.in_ledger("vendorbill", &self.bills(open), fields)
                    .await
            }
            "edit a bill's memo" => {
                let memo = format!("memo {}", self.dice.between(0, 1000));
                let fields = json!({"action": "edit", "fields": {"memo": memo}});
                self.in_ledger("vendorbill", &self.bills(open), fields)
                    .await
            }
            "void a bill" => {
                self.in_ledger("vendorbill", &self.bills(open), json!({"action": "void"}))
                    .await
            }
            "delete a bill" => {
                self.in_ledger("vendorbill", &self.bills(open), json!({"action": "delete"}))
                    .await
            }
            "attach a file" => self.attach().await,
            "replace a file" => self.replace().await,
            "pay in the ledger" => self.pay_in_ledger().await,
            "void a payment in the ledger" => {
                self.in_ledger(
                    "vendorpayment",
                    &self.ledger_payments(),
                    json!({"action": "void"}),
                )
                .await
            }
            "delete a payment in the ledger" => {
                self.in_ledger(
                    "vendorpayment",
                    &self.ledger_payments(),
                    json!({"action": "delete"}),
                )
                .await
            }
            "enter a credit" => self.enter_credit().await,
            "rename a vendor" => {
                let fields =
                    json!({"companyName": format!("Renamed {}", self.dice.between(0, 10_000))});
                let edit = json!({"action": "edit", "fields": fields});
                self.in_ledger("vendor", &self.vendors(), edit).await
            }
            "inactivate a vendor" => {
                self.in_ledger("vendor", &self.vendors(), json!({"action": "inactivate"}))
                    .await
            }
            "pay on the platform" => self.pay_on_platform(false).await,
            "pay in part on the platform" => self.pay_on_platform(true).await,
            "pay with a credit" => self.pay_with_credit().await,
            "move a payment on" => {
                let statuses = ["PROCESSED", "SENT", "CLEARED", "DELIVERED"];
                let status = self.dice.pick(&statuses).copied().unwrap_or("PROCESSED");
                self.move_payment(&["Scheduled", "Moving", "Paid"], status)
                    .await
            }
            "void a payment on the platform" => {
                let statuses = ["VOIDED", "VOIDED", "CANCELED"];
                let status = self.dice.pick(&statuses).copied().unwrap_or("VOIDED");
                self.move_payment(&["Scheduled", "Moving", "Paid"], status)
                    .await
            }
            "type in a bill" => self.type_in().await,
            "edit a bill on the platform" => {
                let edit = json!({"action": "edit", "fields": {"amount": self.amount()}});
                self.on_platform_bill(edit).await
            }
            "archive a bill on the platform" => {
                self.on_platform_bill(json!({"action": "archive"})).await
            }
            _ => Ok(false),
        }
    }

    /// Ids of the ledger's bills for which this holds.
    fn bills(&self, fits: fn(&Value) -> bool) -> Vec<String> {
        let all = self.ledger("transactions").into_iter();
        ids(all.filter(|one| one["type"] == "VendBill" && fits(one)))
    }

    fn vendors(&self) -> Vec<String> {
        ids(self
            .ledger("vendors")
            .into_iter()
            .filter(|one| one["inactive"] != "T"))
    }

    /// Payments that people made in the ledger, and now and then one of tieout's.
    fn ledger_payments(&self) -> Vec<String> {
        let also_ours = self.dice.chance(0.2);
        let all = self.ledger("transactions").into_iter();
        ids(all
            .filter(|one| one["type"] == "VendPymt" && (also_ours || one["external_id"].is_null())))
    }

    async fn enter_bill(&self, vendor: Option<String>) -> Result<bool> {
        let Some(vendor) = vendor.or_else(|| self.dice.pick(&self.vendors()).cloned()) else {
            return Ok(false);
        };
        let number = format!("P-{}", self.dice.between(0, 1_000_000));
        let fields = json!({"entity": vendor, "tranId": number, "amount": self.amount()});
        let made = self.world.act("netsuite", &["vendorbill"], fields).await?;
        if let (Some(id), true) = (made["id"].as_str(), self.dice.chance(0.8)) {
            let approve = json!({"action": "approve"});
            self.world
                .act("netsuite", &["vendorbill", id], approve)
                .await?;
        }
        Ok(true)
    }

    async fn enter_vendor(&self) -> Result<bool> {
        let name = format!("Newcomer {} LLC", self.dice.between(0, 1_000_000));
        let fields = json!({"companyName": name});
        let made = self.world.act("netsuite", &["vendor"], fields).await?;
        let id = made["id"].as_str().map(str::to_owned);
        self.enter_bill(id).await
    }

    async fn enter_credit(&self) -> Result<bool> {
        let Some(vendor) = self.dice.pick(&self.vendors()).cloned() else {
            return Ok(false);
        };
        let number = format!("C-{}", self.dice.between(0, 1_000_000));
        let amount = self.amount() / 10.0;
        let amount = (amount * 100.0).round() / 100.0;
        let fields = json!({"entity": vendor, "tranId": number, "amount": amount});
        self.world
            .act("netsuite", &["vendorcredit"], fields)
            .await?;
        Ok(true)
    }

    /// A file of a few names, so that a bill may have two of one.
    async fn attach(&self) -> Result<bool> {
        let name = format!("scan {}.pdf", self.dice.between(0, 3));
        let content = format!("%PDF-1.4 {}", self.dice.between(0, 1_000_000));
        let body = json!({"action": "attach", "name": name, "content": content});
        self.in_ledger("vendorbill", &self.bills(open), body).await
    }

    async fn replace(&self) -> Result<bool> {
        let files = self.ledger("files");
        let Some(file) = self.dice.pick(&files) else {
            return Ok(false);
        };
        let content = format!("%PDF-1.4 {}", self.dice.between(0, 1_000_000));
        let body = json!({"action": "attach", "file": file["id"], "name": file["name"],
            "content": content});
        let bill = file["transaction"].as_str().unwrap_or_default().to_owned();
        self.in_ledger("vendorbill", &[bill], body).await
    }

    async fn pay_in_ledger(&self) -> Result<bool> {
        let Some(bill) = self.dice.pick(&self.bills(open)).cloned() else {
            return Ok(false);
        };
        let fields = json!({"bills": [bill]});
        self.world
            .act("netsuite", &["vendorpayment"], fields)
            .await?;
        Ok(true)
    }

    /// Bills on the platform that somebody could pay: mostly those that came from the ledger.
    fn payable(&self) -> Vec<Value> {
        let came = self.dice.chance(0.8);
        let of = |bill: &Value| {
            !came
                || bill["description"]
                    .as_str()
                    .is_some_and(|text| text.contains("ns:"))
        };
        let all = self.platform("bills").into_iter().filter(of);
        all.filter(|bill| {
            bill["archived"] == false && bill["status"] != "PAID" && positive(&bill["due"])
        })
        .collect()
    }

    async fn pay_on_platform(&self, in_part: bool) -> Result<bool> {
        let payable = self.payable();
        let Some(first) = self.dice.pick(&payable) else {
            return Ok(false);
        };
        let mut bills = vec![first["id"].clone()];
        if !in_part && self.dice.chance(0.4) {
            let same =
                |bill: &&Value| bill["vendor"] == first["vendor"] && bill["id"] != first["id"];
            bills.extend(
                payable
                    .iter()
                    .filter(same)
                    .take(2)
                    .map(|bill| bill["id"].clone()),
            );
        }
        let mut body = self.payment(&bills);
        if in_part {
            let part = (decimal(&first["due"]) / rust_decimal::Decimal::from(3)).round_dp(2);
            body["amount"] = json!(part.to_string());
        }
        self.world.act("bill", &["pay"], body).await?;
        Ok(true)
    }

    /// A bill is paid, as far as a credit of its vendor reaches, with that.
    async fn pay_with_credit(&self) -> Result<bool> {
        let payable = self.payable();
        let credits = self.platform("vendor_credits").into_iter();
        let usable = credits.filter(|one| one["archived"] == false && positive(&one["left"]));
        let usable: Vec<Value> = usable.collect();
        let mut of_one_vendor = Vec::new();
        for credit in &usable {
            let bills = payable.iter();
            let bills = bills.filter(|bill| bill["vendor"] == credit["vendor"]);
            of_one_vendor.extend(bills.map(|bill| (bill, credit)));
        }
        let Some((bill, credit)) = self.dice.pick(&of_one_vendor) else {
            return Ok(false);
        };
        let (due, left) = (decimal(&bill["due"]), decimal(&credit["left"]));
        // A JSON number: the service takes no text for an amount.
        let amount: Value = serde_json::from_str(&due.min(left).to_string())?;
        let mut body = self.payment(&[bill["id"].clone()]);
        body["credits"] = json!([{"id": credit["id"], "amount": amount}]);
        self.world.act("bill", &["pay"], body).await?;
        Ok(true)
    }

    /// A payment of these bills, by whatever way and as far along as it happens to be.
    fn payment(&self, bills: &[Value]) -> Value {
        let status = if self.dice.chance(0.5) {
            "PROCESSED"
        } else {
            "SCHEDULED"
        };
        let method = if self.dice.chance(0.7) {
            "ACH"
        } else {
            "CHECK"
        };
        json!({"bills": bills, "method": method, "status": status})
    }

    async fn move_payment(&self, stages: &[&str], status: &str) -> Result<bool> {
        let fits = |payment: &Value| {
            payment["recorded"] == false && stages.iter().any(|stage| payment["stage"] == *stage)
        };
        let payments = ids(self.platform("payments").into_iter().filter(fits));
        let Some(id) = self.dice.pick(&payments) else {
            return Ok(false);
        };
        self.world
            .act("bill", &["payments", id], json!({"status": status}))
            .await?;
        Ok(true)
    }

    async fn type_in(&self) -> Result<bool> {
        let vendors = ids(self.platform("vendors").into_iter());
        let Some(vendor) = self.dice.pick(&vendors) else {
            return Ok(false);
        };
        let number = format!("T-{}", self.dice.between(0, 1_000_000));
        let amount = format!("{}.00", self.dice.between(10, 900));
        let body = json!({"vendor": vendor, "number": number, "amount": amount});
        self.world.act("bill", &["type-in"], body).await?;
        Ok(true)
    }

    async fn on_platform_bill(&self, body: Value) -> Result<bool> {
        let bills = ids(self.payable().into_iter());
        let Some(id) = self.dice.pick(&bills) else {
            return Ok(false);
        };
        self.world.act("bill", &["bills", id], body).await?;
        Ok(true)
    }
}

fn decimal(amount: &Value) -> rust_decimal::Decimal {
    let amount = amount.as_str().and_then(|text| text.parse().ok());
    amount.unwrap_or_default()
}

fn pending(bill: &Value) -> bool {
    bill["approval"] == "1"
}

fn open(bill: &Value) -> bool {
    bill["approval"] == "2" && bill["voided"] != "T" && positive(&bill["unpaid"])
}
