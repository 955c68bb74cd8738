//! Holds both sides against what people did, item by item, without asking tieout.

use std::collections::BTreeMap;

use anyhow::Result;
use http::Method;
use rust_decimal::Decimal;
use serde_json::Value;

use super::people::{BillId, Done};
use super::tenants::Tenant;
use crate::crash::check::Findings;
use crate::panel::{Caller, marker};

/// What one side holds, by what it is known by there and here.
#[derive(Debug, Default)]
struct Held {
    /// Bills in BILL by their marks, with organization, amount and what is due.
    bills: BTreeMap<BillId, Vec<There>>,
    /// What pays them in BILL, by the bill's mark.
    payments: BTreeMap<BillId, Vec<Decimal>>,
    /// Payments that were posted to the ledger, by their external ids.
    posted: BTreeMap<(usize, String), Vec<Decimal>>,
    /// What is open of the ledger's bills.
    open: BTreeMap<BillId, Decimal>,
    /// Vendors in BILL, by organization and name.
    vendors: BTreeMap<(String, String), usize>,
}

#[derive(Debug)]
struct There {
    organization: String,
    amount: Decimal,
    due: Decimal,
}

/// Compares.
pub(crate) fn compare(tenants: &[Tenant], caller: &Caller, done: &Done) -> Result<Findings> {
    let mut held = Held::default();
    for (place, tenant) in tenants.iter().enumerate() {
        let records = tenant.sandbox.panel(caller, Method::GET, "records", None)?;
        held.ledger(place, &records["netsuite"]);
        let organizations = records["bill"]["organizations"].as_object();
        for (organization, of_it) in organizations.into_iter().flatten() {
            held.platform(place, organization, of_it);
        }
    }
    Ok(judge(&held, done))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn amount(value: &Value) -> Decimal {
    text(value).parse().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

impl Held {
    fn ledger(&mut self, place: usize, records: &Value) {
        for row in list(&records["transactions"]) {
            let external = text(&row["external_id"]).to_ascii_lowercase();
            match row["type"].as_str() {
                Some("VendBill") => {
                    let id = (place, text(&row["id"]));
                    self.open.insert(id, amount(&row["unpaid"]));
                }
                Some("VendPymt") if !external.is_empty() => {
                    let total = amount(&row["total"]).abs();
                    self.posted
                        .entry((place, external))
                        .or_default()
                        .push(total);
                }
                _ => {}
            }
        }
    }

    fn platform(&mut self, place: usize, organization: &str, records: &Value) {
        for vendor in list(&records["vendors"]) {
            let known = (organization.to_owned(), text(&vendor["name"]));
            *self.vendors.entry(known).or_default() += 1;
        }
        let mut marks = BTreeMap::new();
        for bill in list(&records["bills"]).filter(|bill| bill["archived"] != true) {
            let mark = bill["description"].as_str().and_then(marker);
            let Some(ledger) = mark.and_then(|mark| Some(mark.rsplit(':').next()?.to_owned()))
            else {
                continue;
            };
            marks.insert(text(&bill["id"]), ledger.clone());
            self.bills.entry((place, ledger)).or_default().push(There {
                organization: organization.to_owned(),
                amount: amount(&bill["total"]),
                due: amount(&bill["due"]),
            });
        }
        for payment in list(&records["payments"]) {
            for part in list(&payment["parts"]) {
                if let Some(mark) = marks.get(&text(&part["bill"])) {
                    let paid = amount(&part["amount"]);
                    let bill = (place, mark.clone());
                    self.payments.entry(bill).or_default().push(paid);
                }
            }
        }
    }
}

fn judge(held: &Held, done: &Done) -> Findings {
    let mut findings = Findings::default();
    let mut times = |what: String, count: usize| match count {
        1 => true,
        0 => {
            findings.lost.push(what);
            false
        }
        _ => {
            findings.duplicates.push(format!("{what}, {count} times"));
            false
        }
    };
    let mut differences = Vec::new();
    for (id, bill) in &done.bills {
        let what = format!("bill {} of client {} in BILL", id.1, id.0 + 1);
        let copies = held.bills.get(id).map(Vec::as_slice).unwrap_or_default();
        if let ([copy], true) = (copies, times(what.clone(), copies.len())) {
            if (copy.amount, &copy.organization) != (bill.amount, &bill.organization) {
                differences.push(format!("{what}: {copy:?}, and it is {bill:?}"));
            }
            let open = held.open.get(id).copied().unwrap_or_default();
            if copy.due != open {
                let due = copy.due;
                differences.push(format!(
                    "{what}: {due} is due, in the ledger {open} is open"
                ));
            }
        }
    }
    for payment in &done.there {
        let key = format!("bill_{}_{}", payment.organization, payment.id).to_ascii_lowercase();
        let what = format!("payment {key} in the ledger");
        let posted = held.posted.get(&(payment.bill.0, key));
        let posted = posted.map(Vec::as_slice).unwrap_or_default();
        if let ([total], true) = (posted, times(what.clone(), posted.len()))
            && *total != payment.amount
        {
            differences.push(format!("{what}: {total}, and it is {}", payment.amount));
        }
    }
    for id in &done.here {
        let what = format!(
            "the payment of bill {} of client {} in BILL",
            id.1,
            id.0 + 1
        );
        let paid = held.payments.get(id).map_or(0, Vec::len);
        times(what, paid);
    }
    for ((organization, name), count) in &held.vendors {
        times(format!("vendor {name} of {organization}"), *count);
    }
    let posted: usize = held.posted.values().map(Vec::len).sum();
    if posted != done.there.len() {
        let made = done.there.len();
        differences.push(format!(
            "{posted} payments were posted, and {made} were made"
        ));
    }
    for id in held.bills.keys().filter(|id| !done.bills.contains_key(id)) {
        differences.push(format!("bill {} in BILL is nobody's", id.1));
    }
    findings.differences = differences;
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::people::{Bill, Payment};
    use super::*;

    /// One bill of 12.50 that was paid in BILL, and one of 3 that was paid in the ledger.
    fn done() -> Done {
        let bill = |amount: &str| Bill {
            organization: "0081".to_owned(),
            amount: amount.parse().unwrap(),
        };
        let mut done = Done::default();
        done.bills.insert((0, "7".to_owned()), bill("12.50"));
        done.bills.insert((0, "8".to_owned()), bill("3"));
        done.there.push(Payment {
            organization: "0081".to_owned(),
            id: "stp1".to_owned(),
            bill: (0, "7".to_owned()),
            amount: "12.50".parse().unwrap(),
        });
        done.here.insert((0, "8".to_owned()));
        done
    }

    fn ledger() -> Value {
        json!({"transactions": [
            {"id": "7", "type": "VendBill", "unpaid": "0", "external_id": null},
            {"id": "8", "type": "VendBill", "unpaid": "0", "external_id": null},
            {"id": "9", "type": "VendPymt", "total": "-12.5", "external_id": "BILL_0081_stp1"},
            {"id": "10", "type": "VendPymt", "total": "-3", "external_id": null},
        ]})
    }

    fn platform() -> Value {
        json!({
            "vendors": [{"name": "Ada"}],
            "bills": [
                {"id": "00na", "archived": false, "description": "[ns:1_SB1:7]", "total": "12.5", "due": "0"},
                {"id": "00nb", "archived": false, "description": "[ns:1_SB1:8]", "total": "3", "due": "0"},
            ],
            "payments": [
                {"id": "stp1", "parts": [{"bill": "00na", "amount": "12.5"}]},
                {"id": "stp2", "parts": [{"bill": "00nb", "amount": "3"}]},
            ],
        })
    }

    fn found(ledger: &Value, platform: &Value) -> Findings {
        let mut held = Held::default();
        held.ledger(0, ledger);
        held.platform(0, "0081", platform);
        judge(&held, &done())
    }

    #[test]
    fn books_that_agree_have_no_findings() {
        assert!(found(&ledger(), &platform()).none());
    }

    #[test]
    fn what_is_there_twice_is_found() {
        let mut twice = platform();
        for (table, count) in [("vendors", 1), ("bills", 1), ("payments", 1)] {
            let mut broken = platform();
            let last = broken[table].as_array().unwrap().last().unwrap().clone();
            broken[table].as_array_mut().unwrap().push(last.clone());
            twice[table].as_array_mut().unwrap().push(last);
            assert_eq!(found(&ledger(), &broken).duplicates.len(), count, "{table}");
        }
        let mut posted = ledger();
        let payment = posted["transactions"][2].clone();
        posted["transactions"].as_array_mut().unwrap().push(payment);
        assert_eq!(found(&posted, &platform()).duplicates.len(), 1);
        assert_eq!(found(&posted, &twice).duplicates.len(), 4);
    }

    #[test]
    fn what_is_missing_is_lost() {
        for (table, left) in [("bills", 2), ("payments", 2)] {
            let mut broken = platform();
            broken[table] = json!([]);
            let lost = found(&ledger(), &broken).lost.len();
            assert!((1..=left + 1).contains(&lost), "{table}: {lost}");
        }
        let mut unposted = ledger();
        unposted["transactions"].as_array_mut().unwrap().remove(2);
        assert_eq!(found(&unposted, &platform()).lost.len(), 1);
    }

    #[test]
    fn amounts_that_differ_are_found() {
        let mut broken = platform();
        broken["bills"][0]["total"] = json!("12.49");
        broken["bills"][1]["due"] = json!("3");
        assert_eq!(found(&ledger(), &broken).differences.len(), 2);
    }
}
