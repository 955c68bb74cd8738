//! What people and customers do on both sides between two syncs: they pay, void, refund, edit, and make new documents.
//! The same in every world.

use anyhow::{Result, bail};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Records, act, edit, mark};
use crate::crash::books::{rows, text};
use crate::panel::Caller;
use crate::sandbox::Sandbox;

/// How many documents are paid, edited or undone in one way.
const IN_ONE_WAY: usize = 8;

/// How many documents people make on each side each time.
const NEW: usize = 8;

/// Both sides, in the hands of people.
pub(crate) struct Traders<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) caller: &'a Caller,
}

/// An open invoice of Invoiced that came from the ledger.
struct OpenCopy {
    /// Invoiced's id.
    id: i64,
    /// The ledger's id.
    ledger: String,
    number: String,
    balance: Decimal,
    /// Whether the ledger lets people edit and void it: its period is open, and nothing is applied to it.
    editable: bool,
}

fn decimal(record: &Value, field: &str) -> Decimal {
    text(record, field).parse().unwrap_or_default()
}

impl Traders<'_> {
    fn act(&self, path: &str, body: &Value) -> Result<Value> {
        act(self.sandbox, self.caller, path, body)
    }

    fn records(&self) -> Result<Records> {
        Records::read(self.sandbox, self.caller)
    }

    /// The ledger's invoices of periods that are open, to which nothing is applied.
    fn editable(&self) -> Result<Vec<String>> {
        let sql = "SELECT t.id AS id FROM transaction t JOIN accountingperiod p ON p.id = t.postingperiod \
                   WHERE t.type = 'CustInvc' AND p.closed = 'F' AND p.arlocked = 'F' AND p.alllocked = 'F' \
                   AND t.id NOT IN (SELECT k.previousdoc FROM nexttransactionlinelink k)";
        let found = rows(self.sandbox, self.caller, sql)?;
        Ok(found.iter().map(|row| text(row, "/id")).collect())
    }

    /// What is open on Invoiced and came from the ledger, in the order of numbers: ids differ from world to world.
    fn open(&self) -> Result<Vec<OpenCopy>> {
        let editable = self.editable()?;
        let records = self.records()?;
        let mut open: Vec<OpenCopy> = records
            .of("invoiced", "invoices")
            .filter(|one| one["closed"] != true && text(one, "/status") != "voided")
            .filter_map(|one| {
                let ledger = mark(one)?.to_owned();
                Some(OpenCopy {
                    id: text(one, "/id").parse().ok()?,
                    editable: editable.contains(&ledger),
                    ledger,
                    number: text(one, "/number"),
                    balance: decimal(one, "/balance"),
                })
            })
            .filter(|copy| copy.balance > Decimal::ONE)
            .collect();
        open.sort_by(|a, b| a.number.cmp(&b.number));
        if open.len() < IN_ONE_WAY * 2 {
            bail!(
                "only {} invoices of the ledger are open on Invoiced: use more",
                open.len()
            );
        }
        Ok(open)
    }

    /// Before the first sync: both sides have documents of their own. The platform uses no kept credit by itself: on
    /// which invoice it would depends on the moment at which the invoice is issued.
    pub(crate) fn begin(&self) -> Result<()> {
        self.act("invoiced/switches", &json!({"auto_apply_credits": false}))?;
        self.new_documents("begin")
    }

    /// After the first sync: invoices are paid in five ways, edited, and new ones come.
    pub(crate) fn pay(&self) -> Result<()> {
        let open = self.open()?;
        for (nth, copy) in open.iter().enumerate() {
            let mut paid = json!({"invoices": [copy.id], "method": "check",
                "reference": format!("paid {}", copy.number)});
            match nth % 7 {
                0 => {}
                1 => {
                    paid["amount"] = json!("0.02");
                    paid["method"] = json!("wire_transfer");
                }
                2 => {
                    let body = json!({"invoices": [copy.ledger]});
                    self.act("netsuite/customerpayment", &body)?;
                    continue;
                }
                3 => paid["convenience_fee"] = json!("2.50"),
                4 => {
                    paid["amount"] = json!((copy.balance + Decimal::TEN).to_string());
                    paid["credit"] = json!(nth % 2 == 0);
                }
                5 => paid["method"] = json!("credit_card"),
                _ if copy.editable => {
                    let fields =
                        json!({"memo": format!("checked by Ada, {nth}"), "amount": 100 + nth});
                    self.act(&format!("netsuite/invoice/{}", copy.ledger), &edit(&fields))?;
                    continue;
                }
                _ => continue,
            }
            self.act("invoiced/pay", &paid)?;
        }
        self.new_documents("first")
    }

    /// Payments that customers made on Invoiced and that stand, in an order that is the same in every world.
    fn payments(&self, methods: &[&str]) -> Result<Vec<(String, String)>> {
        let records = self.records()?;
        let numbers: Vec<(String, String)> = records
            .of("invoiced", "invoices")
            .map(|one| (text(one, "/id"), text(one, "/number")))
            .collect();
        let mut payments: Vec<(String, String)> = records
            .of("invoiced", "payments")
            .filter(|one| mark(one).is_none() && one["voided"] != true)
            .filter(|one| methods.contains(&text(one, "/method").as_str()))
            .filter_map(|one| {
                let first = one["applied_to"].as_array()?.first()?;
                let invoice = text(first, "/invoice");
                let (_, number) = numbers.iter().find(|(id, _)| *id == invoice)?;
                Some((
                    format!("{number} {}", text(one, "/amount")),
                    text(one, "/id"),
                ))
            })
            .collect();
        payments.sort();
        Ok(payments)
    }

    /// After the second sync: payments are voided on both sides and refunded, and credits are used.
    pub(crate) fn undo(&self) -> Result<()> {
        let by_check = self.payments(&["check", "wire_transfer"])?;
        for (_, id) in by_check.iter().step_by(2).take(IN_ONE_WAY) {
            let body = json!({"action": "void"});
            self.act(&format!("invoiced/payments/{id}"), &body)?;
        }
        let by_card = self.payments(&["credit_card"])?;
        for (_, id) in by_card.iter().step_by(2).take(IN_ONE_WAY) {
            let body = json!({"action": "refund", "amount": "0.01"});
            self.act(&format!("invoiced/payments/{id}"), &body)?;
        }
        let sql = "SELECT t.id AS id FROM transaction t WHERE t.type = 'CustPymt' AND t.externalid IS NULL \
                   AND t.createddate >= (SELECT MAX(o.createddate) - 1 FROM transaction o) ORDER BY t.id";
        let by_hand = rows(self.sandbox, self.caller, sql)?;
        for row in by_hand.iter().rev().take(IN_ONE_WAY).step_by(2) {
            let path = format!("netsuite/customerpayment/{}", text(row, "/id"));
            self.act(&path, &json!({"action": "void"}))?;
        }
        self.use_credits()?;
        self.new_documents("second")
    }

    /// After the third sync: what is open again is paid again, and invoices are voided in the ledger.
    pub(crate) fn pay_again(&self) -> Result<()> {
        let open = self.open()?;
        for (nth, copy) in open.iter().enumerate() {
            match nth % 5 {
                0 => {
                    let body = json!({"invoices": [copy.id], "method": "check",
                        "reference": format!("again {}", copy.number)});
                    self.act("invoiced/pay", &body)?;
                }
                1 => {
                    let body = json!({"invoices": [copy.ledger]});
                    self.act("netsuite/customerpayment", &body)?;
                }
                2 if copy.editable => {
                    let path = format!("netsuite/invoice/{}", copy.ledger);
                    self.act(&path, &json!({"action": "void"}))?;
                }
                _ => {}
            }
        }
        self.new_documents("third")
    }

    /// New invoices and credits of customers whom both sides know.
    fn new_documents(&self, round: &str) -> Result<()> {
        let records = self.records()?;
        let name = |one: &&Value| text(one, "/name");
        let mut customers: Vec<&Value> = records
            .of("netsuite", "customers")
            .filter(|one| one["inactive"] != "T")
            .collect();
        customers.sort_by_key(name);
        for (nth, customer) in customers.iter().step_by(3).take(NEW).enumerate() {
            let entity = text(customer, "/id");
            for (record, word, amount) in [
                ("invoice", "NEW", 40 + nth),
                ("creditmemo", "CREDIT", 3 + nth),
            ] {
                let fields = json!({"entity": entity, "amount": amount,
                    "tranId": format!("{word}-{round}-{nth}")});
                self.act(&format!("netsuite/{record}"), &fields)?;
            }
        }
        let mut customers: Vec<&Value> = records.of("invoiced", "customers").collect();
        customers.sort_by_key(name);
        for (nth, customer) in customers.iter().step_by(2).take(NEW).enumerate() {
            let id: i64 = text(customer, "/id").parse()?;
            for (table, word, cost) in [
                ("invoices", "THERE", 60 + nth),
                ("credit_notes", "NOTE", 5 + nth),
            ] {
                let line = json!({"name": "Work", "quantity": 1, "unit_cost": cost});
                let body = json!({"customer": id, "number": format!("{word}-{round}-{nth}"),
                    "items": [line], "taxes": [{"amount": 1.23}], "calculate_taxes": false});
                self.act(&format!("invoiced/{table}"), &body)?;
            }
        }
        Ok(())
    }

    /// Applies credit memos in the ledger to invoices of the same customers.
    fn use_credits(&self) -> Result<()> {
        let records = self.records()?;
        let of = |sort: &str| -> Vec<&Value> {
            let all = records.of("netsuite", "transactions");
            all.filter(|one| one["type"] == *sort && one["voided"] != "T")
                .collect()
        };
        let invoices = of("CustInvc");
        let made = |one: &&Value| text(one, "/number").starts_with("CREDIT-");
        for credit in of("CustCred").into_iter().filter(made) {
            let fits = |one: &&&Value| {
                one["entity"] == credit["entity"]
                    && one["currency"] == credit["currency"]
                    && text(one, "/number").starts_with("NEW-")
                    && decimal(one, "/unpaid") > Decimal::ONE
            };
            let Some(invoice) = invoices.iter().find(fits) else {
                continue;
            };
            let part = json!({"doc": invoice["id"], "apply": true, "amount": 0.05});
            let path = format!("netsuite/creditmemo/{}", text(credit, "/id"));
            self.act(&path, &edit(&json!({"apply": [part]})))?;
        }
        Ok(())
    }
}
