//! What people and customers do on both sides between two syncs: they bill, pay, edit and void, and the service pays out.
//! The same in every world.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{PLATFORM, Records, act, edit, mark};
use crate::crash::books::{rows, text};
use crate::panel::Caller;
use crate::sandbox::Sandbox;

/// How many documents people make each time.
const NEW: usize = 6;

/// How many payments are undone in one way.
const IN_ONE_WAY: usize = 3;

/// Both sides, in the hands of people.
pub(crate) struct Payers<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) caller: &'a Caller,
}

/// An open invoice of the platform that came from the ledger.
struct OpenCopy {
    id: String,
    ledger: String,
    number: String,
    /// Whether the ledger lets people edit and void it: its period is open, and nothing is applied to it.
    editable: bool,
}

impl Payers<'_> {
    fn act(&self, path: &str, body: &Value) -> Result<Value> {
        act(self.sandbox, self.caller, path, body)
    }

    fn there(&self, path: &str, body: &Value) -> Result<Value> {
        self.act(&format!("{PLATFORM}/{path}"), body)
    }

    fn records(&self) -> Result<Records> {
        Records::read(self.sandbox, self.caller)
    }

    /// What can be paid on the platform and came from the ledger, in the order of numbers.
    fn open(&self) -> Result<Vec<OpenCopy>> {
        let sql = "SELECT t.id AS id FROM transaction t JOIN accountingperiod p ON p.id = t.postingperiod \
                   WHERE t.type = 'CustInvc' AND p.closed = 'F' AND p.arlocked = 'F' AND p.alllocked = 'F' \
                   AND t.id NOT IN (SELECT k.previousdoc FROM nexttransactionlinelink k)";
        let editable = rows(self.sandbox, self.caller, sql)?;
        let editable: Vec<String> = editable.iter().map(|row| text(row, "/id")).collect();
        let records = self.records()?;
        let mut open: Vec<OpenCopy> = records
            .of(PLATFORM, "invoices")
            .filter(|one| one["status"] == "open" || one["status"] == "overdue")
            // What is less than a dollar can't be paid in parts.
            .filter(|one| !text(one, "/balance").starts_with("0."))
            .filter_map(|one| {
                let ledger = mark(one)?;
                Some(OpenCopy {
                    id: text(one, "/id"),
                    editable: editable.contains(&ledger),
                    number: text(one, "/invoice_number"),
                    ledger,
                })
            })
            .collect();
        open.sort_by(|a, b| a.number.cmp(&b.number));
        if open.is_empty() {
            bail!("no invoice of the ledger is open on the platform: use more");
        }
        Ok(open)
    }

    /// Before the first sync: both sides have invoices of their own.
    pub(crate) fn begin(&self) -> Result<()> {
        self.new_invoices("begin")?;
        let made = self.there("customers", &json!({"name": "Walk-in"}))?;
        for nth in 0..IN_ONE_WAY {
            let line = json!({"description": "Work", "quantity": 1, "amount": 20 + nth});
            let body = json!({"customer_id": made["id"], "currency": "USD", "due_date": "2030-01-01",
                "invoice_number": format!("THERE-{nth}"), "line_items": [line]});
            let invoice = self.there("invoices", &body)?;
            self.there("pay", &json!({"invoice": invoice["id"]}))?;
        }
        Ok(())
    }

    /// After the first sync: invoices are paid in five ways and edited, and what was paid is paid out.
    pub(crate) fn pay(&self) -> Result<()> {
        for (nth, copy) in self.open()?.iter().enumerate() {
            let invoice = &copy.id;
            let paid = match nth % 6 {
                0 => json!({"invoice": invoice}),
                1 => json!({"invoice": invoice, "method": "standard_ach"}),
                2 => json!({"invoice": invoice, "amount": "0.05"}),
                3 => json!({"invoice": invoice, "covers_fees": true}),
                4 => {
                    let body = json!({"invoices": [copy.ledger], "amount": "0.02"});
                    self.act("netsuite/customerpayment", &body)?;
                    continue;
                }
                _ if copy.editable => {
                    let fields = json!({"amount": 100 + nth});
                    self.act(&format!("netsuite/invoice/{}", copy.ledger), &edit(&fields))?;
                    continue;
                }
                _ => continue,
            };
            self.there("pay", &paid)?;
        }
        self.pay_out()?;
        self.new_invoices("first")
    }

    /// All that waits is paid out, and arrives.
    fn pay_out(&self) -> Result<()> {
        let payout = self.there("payouts", &json!({}))?;
        let path = format!("payouts/{}", text(&payout, "/id"));
        self.there(&path, &json!({"status": "succeeded"}))?;
        Ok(())
    }

    /// Payments of what came from the ledger in this status, in the order of the invoices' numbers.
    fn payments(&self, method: &str, status: &str) -> Result<Vec<String>> {
        let records = self.records()?;
        let copies: Vec<(String, String)> = records
            .of(PLATFORM, "invoices")
            .filter(|one| mark(one).is_some())
            .map(|one| (text(one, "/id"), text(one, "/invoice_number")))
            .collect();
        let mut payments: Vec<(String, String)> = records
            .of(PLATFORM, "payments")
            .filter(|one| one["payment_method"] == *method && one["status"] == *status)
            .filter_map(|one| {
                let invoice = text(one, "/allocations/0/invoice_id");
                let (_, number) = copies.iter().find(|(id, _)| *id == invoice)?;
                let called = format!("{number} {}", text(one, "/sub_total"));
                Some((called, text(one, "/id")))
            })
            .collect();
        payments.sort();
        Ok(payments.into_iter().map(|(_, id)| id).collect())
    }

    /// After the second sync: payments fail, are refunded and charged back, and bank debits arrive.
    pub(crate) fn undo(&self) -> Result<()> {
        let turn = |ids: &[String], status: &str| -> Result<()> {
            for id in ids {
                self.there(&format!("payments/{id}"), &json!({"status": status}))?;
            }
            Ok(())
        };
        turn(&self.payments("standard_ach", "processing")?, "succeeded")?;
        let by_card = self.payments("card", "succeeded")?;
        let mut thirds = by_card.chunks(IN_ONE_WAY);
        turn(thirds.next().unwrap_or_default(), "failed")?;
        for id in thirds.next().unwrap_or_default() {
            self.there("refunds", &json!({"payment": id}))?;
        }
        turn(thirds.next().unwrap_or_default(), "chargeback")?;
        self.new_invoices("second")
    }

    /// After the third sync: what is open is paid, some of it in the ledger, and invoices are voided there.
    pub(crate) fn pay_again(&self) -> Result<()> {
        for (nth, copy) in self.open()?.iter().enumerate() {
            match nth % 3 {
                0 => {
                    self.there("pay", &json!({"invoice": copy.id}))?;
                }
                1 => {
                    let body = json!({"invoices": [copy.ledger]});
                    self.act("netsuite/customerpayment", &body)?;
                }
                _ if copy.editable => {
                    let path = format!("netsuite/invoice/{}", copy.ledger);
                    self.act(&path, &json!({"action": "void"}))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// New invoices of customers of the ledger.
    fn new_invoices(&self, round: &str) -> Result<()> {
        let records = self.records()?;
        let mut customers: Vec<&Value> = records
            .of("netsuite", "customers")
            .filter(|one| one["inactive"] != "T")
            .collect();
        customers.sort_by_key(|one| text(one, "/name"));
        for (nth, customer) in customers.iter().step_by(2).take(NEW).enumerate() {
            let fields = json!({"entity": text(customer, "/id"), "amount": 40 + nth,
                "tranId": format!("NEW-{round}-{nth}")});
            self.act("netsuite/invoice", &fields)?;
        }
        Ok(())
    }
}
