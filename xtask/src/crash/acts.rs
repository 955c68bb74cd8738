//! What people do on both sides between two syncs: pays, voids, edits, new documents. The same in every world.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use http::Method;
use serde_json::{Value, json};

use super::books::{rows, text};
use crate::panel::{Caller, Platform, marker};
use crate::sandbox::Sandbox;

/// How many bills are paid one by one, each in part.
const PAID_IN_PART: usize = 12;

/// How many documents people make each time.
const NEW: usize = 12;

/// Both sides, in the hands of people.
pub(crate) struct People<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) caller: &'a Caller,
}

/// A bill that came from the ledger, as BILL has it.
struct Bill {
    id: String,
    /// Its id in the ledger.
    ledger: String,
    vendor: String,
    due: f64,
    /// Whether the ledger lets people edit it.
    editable: bool,
}

impl People<'_> {
    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.sandbox
            .panel(self.caller, Method::POST, path, Some(body))
    }

    fn service(&self) -> Result<Platform<'_>> {
        Platform::sign_in(self.caller, &self.sandbox.described["bill"])
    }

    /// The ledger's bills of periods that are open.
    fn editable(&self) -> Result<BTreeSet<String>> {
        let sql = "SELECT t.id AS id FROM transaction t JOIN accountingperiod p ON p.id = t.postingperiod \
                   WHERE t.type = 'VendBill' AND p.closed = 'F' AND p.aplocked = 'F' AND p.alllocked = 'F'";
        let found = rows(self.sandbox, self.caller, sql)?;
        Ok(found.iter().map(|row| text(row, "/id")).collect())
    }

    /// What is open in BILL, in the order of the ledger's ids: BILL's own differ from world to world.
    fn open_bills(&self) -> Result<Vec<Bill>> {
        let editable = self.editable()?;
        let mut bills: Vec<Bill> = self
            .service()?
            .list("bills")?
            .iter()
            .filter(|bill| text(bill, "/archived") != "true")
            .filter_map(|bill| {
                let mark = marker(&text(bill, "/description"))?;
                Some(Bill {
                    id: text(bill, "/id"),
                    editable: editable.contains(mark.rsplit(':').next()?),
                    ledger: mark.rsplit(':').next()?.to_owned(),
                    vendor: text(bill, "/vendorId"),
                    due: text(bill, "/dueAmount").parse().ok()?,
                })
            })
            .filter(|bill| bill.due > 1.0)
            .collect();
        bills.sort_by(|a, b| (a.ledger.len(), &a.ledger).cmp(&(b.ledger.len(), &b.ledger)));
        if bills.len() < PAID_IN_PART * 4 {
            bail!(
                "only {} bills are open in BILL: use more bills",
                bills.len()
            );
        }
        Ok(bills)
    }

    /// After the first sync: bills are paid in BILL and in the ledger, edited, and new ones come.
    pub(crate) fn pay(&self) -> Result<()> {
        let bills = self.open_bills()?;
        let of = |rest: usize| bills.iter().skip(rest).step_by(6);
        // One payment for each vendor, over all of its bills that are named.
        let whole: Vec<_> = of(0).map(|bill| &bill.id).collect();
        let body = json!({"bills": whole, "method": "ACH", "status": "PROCESSED"});
        self.post("bill/pay", &body)?;
        for (nth, bill) in of(1).take(PAID_IN_PART).enumerate() {
            // Every third is only scheduled, and goes out later.
            let status = if nth % 3 == 0 {
                "SCHEDULED"
            } else {
                "PROCESSED"
            };
            let amount = format!("{}.01", nth % 2 + 1).parse::<f64>()?.min(bill.due);
            let body =
                json!({"bills": [bill.id], "amount": amount, "method": "CHECK", "status": status});
            self.post("bill/pay", &body)?;
        }
        for bill in of(2).take(PAID_IN_PART) {
            self.post("netsuite/vendorpayment", &json!({"bills": [bill.ledger]}))?;
        }
        for (nth, bill) in of(3).filter(|bill| bill.editable).enumerate() {
            let fields = if nth % 2 == 0 {
                json!({"memo": format!("checked by Ada, {nth}")})
            } else {
                json!({"amount": 100 + nth, "memo": "corrected"})
            };
            self.edit("vendorbill", &bill.ledger, &fields)?;
        }
        self.new_documents("first", of(4))
    }

    /// After the second sync: payments are voided on both sides, credits are used, scheduled ones go out.
    pub(crate) fn undo(&self) -> Result<()> {
        let payments = self.service()?.list("payments")?;
        let mut online: Vec<&Value> = payments
            .iter()
            .filter(|payment| text(payment, "/onlinePayment") == "true")
            .collect();
        let bills = self.ledger_ids()?;
        let pays = |payment: &Value| {
            let parts = payment.get("billPayments").and_then(Value::as_array);
            let mut parts: Vec<String> = parts
                .into_iter()
                .flatten()
                .map(|part| {
                    let bill = text(part, "/billId");
                    format!(
                        "{} {}",
                        bills.get(&bill).unwrap_or(&bill),
                        text(part, "/amount")
                    )
                })
                .collect();
            parts.sort();
            parts.join(" ")
        };
        online.sort_by_key(|payment| pays(payment));
        for (nth, payment) in online.iter().filter(|p| made_here(&pays(p))).enumerate() {
            let path = format!("bill/payments/{}", text(payment, "/id"));
            match (text(payment, "/singleStatus").as_str(), nth % 2) {
                ("SCHEDULED", _) => self.post(&path, &json!({"status": "PROCESSED"}))?,
                ("PROCESSED", 0) => self.post(&path, &json!({"status": "VOIDED"}))?,
                _ => continue,
            };
        }
        let sql = "SELECT t.id AS id FROM transaction t WHERE t.type = 'VendPymt' AND t.externalid IS NULL \
                   AND t.createddate >= (SELECT MAX(o.createddate) - 1 FROM transaction o) ORDER BY t.id";
        let by_hand = rows(self.sandbox, self.caller, sql)?;
        for row in by_hand.iter().rev().take(PAID_IN_PART).step_by(2) {
            let path = format!("netsuite/vendorpayment/{}", text(row, "/id"));
            self.post(&path, &json!({"action": "void"}))?;
        }
        self.use_credits()?;
        let open = self.open_bills()?;
        let edited = open.iter().skip(5).step_by(3).filter(|bill| bill.editable);
        for (nth, bill) in edited.enumerate() {
            let fields = json!({"memo": format!("checked again, {nth}")});
            self.edit("vendorbill", &bill.ledger, &fields)?;
        }
        self.new_documents("second", open.iter().skip(4).step_by(6))
    }

    /// After the third sync: what is open again is paid again.
    pub(crate) fn pay_again(&self) -> Result<()> {
        let bills = self.open_bills()?;
        let again: Vec<_> = bills.iter().step_by(5).map(|bill| &bill.id).collect();
        let body = json!({"bills": again, "method": "ACH", "status": "PROCESSED"});
        self.post("bill/pay", &body)?;
        for bill in bills.iter().skip(1).step_by(5).take(PAID_IN_PART) {
            self.post("netsuite/vendorpayment", &json!({"bills": [bill.ledger]}))?;
        }
        let voided = bills.iter().skip(2).step_by(5);
        let voided = voided.filter(|bill| bill.editable).take(PAID_IN_PART / 2);
        for bill in voided {
            let action = json!({"action": "void"});
            self.post(&format!("netsuite/vendorbill/{}", bill.ledger), &action)?;
        }
        self.new_documents("third", bills.iter().skip(3).step_by(6))
    }

    fn edit(&self, record: &str, id: &str, fields: &Value) -> Result<()> {
        let body = json!({"action": "edit", "fields": fields});
        self.post(&format!("netsuite/{record}/{id}"), &body)?;
        Ok(())
    }

    /// New bills and credits of the vendors of these bills.
    fn new_documents<'b>(&self, round: &str, of: impl Iterator<Item = &'b Bill>) -> Result<()> {
        for (nth, bill) in of.take(NEW).enumerate() {
            let sql = format!(
                "SELECT t.entity AS entity, t.currency AS currency FROM transaction t WHERE t.id = {}",
                bill.ledger
            );
            let found = rows(self.sandbox, self.caller, &sql)?;
            let row = found
                .first()
                .context("a bill of BILL is not in the ledger")?;
            let (vendor, currency) = (text(row, "/entity"), text(row, "/currency"));
            let fields = json!({"entity": vendor, "currency": currency,
                "tranId": format!("NEW-{round}-{nth}"), "amount": 40 + nth});
            let made = self.post("netsuite/vendorbill", &fields)?;
            let path = format!("netsuite/vendorbill/{}", text(&made, "/id"));
            self.post(&path, &json!({"action": "approve"}))?;
            let fields = json!({"entity": vendor, "currency": currency,
                "tranId": format!("CREDIT-{round}-{nth}"), "amount": 3 + nth});
            self.post("netsuite/vendorcredit", &fields)?;
        }
        Ok(())
    }

    /// Pays bills in BILL with the credits of the same vendors beside cash.
    fn use_credits(&self) -> Result<()> {
        let bills = self.open_bills()?;
        let mut credits = self.service()?.list("vendor-credits")?;
        credits.retain(|credit| text(credit, "/referenceNumber").starts_with("CREDIT-"));
        credits.sort_by_key(|credit| text(credit, "/referenceNumber"));
        let mut paid = Vec::new();
        for credit in &credits {
            let (vendor, amount) = (text(credit, "/vendorId"), text(credit, "/amount"));
            let amount: f64 = amount.parse()?;
            let bill = bills.iter().find(|bill| {
                bill.vendor == vendor && bill.due > amount && !paid.contains(&bill.ledger)
            });
            let Some(bill) = bill else { continue };
            paid.push(bill.ledger.clone());
            let body = json!({"bills": [bill.id], "method": "ACH", "status": "PROCESSED",
                "credits": [{"id": text(credit, "/id"), "amount": amount}]});
            self.post("bill/pay", &body)?;
        }
        Ok(())
    }

    /// The ledger's ids of what is marked in BILL, by BILL's.
    fn ledger_ids(&self) -> Result<BTreeMap<String, String>> {
        let bills = self.service()?.list("bills")?;
        Ok(bills
            .iter()
            .filter_map(|bill| {
                let mark = marker(&text(bill, "/description"))?;
                Some((text(bill, "/id"), format!("own {mark}")))
            })
            .collect())
    }
}

/// Whether a payment pays bills that came from the ledger.
fn made_here(pays: &str) -> bool {
    pays.starts_with("own ")
}
