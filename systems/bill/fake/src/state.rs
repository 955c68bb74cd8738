//! Counts and totals, for the control panel. Amounts are strings there.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::bills::figures;
use crate::organization::Organization;
use crate::{credits, payments};

/// Everything there is. Totals are of records that are not archived.
pub(crate) fn state(org: &Organization) -> Value {
    let (mut total, mut due, mut paid) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    let mut by_status: BTreeMap<&str, u32> = BTreeMap::new();
    let mut open = 0u32;
    for (place, _) in org.bills.rows().filter(|(_, row)| !row.archived) {
        let figures = figures(org, place);
        open += 1;
        total += figures.amount;
        due += figures.due;
        paid += figures.paid;
        *by_status.entry(figures.status).or_default() += 1;
    }
    let mut by_single: BTreeMap<&str, u32> = BTreeMap::new();
    let mut amount = Decimal::ZERO;
    for (_, row) in org.payments.rows() {
        *by_single.entry(&row.body.single_status).or_default() += 1;
        amount += payments::amount(&row.body);
    }
    let (credit, applied) = credits::totals(org);
    let archived = org.vendors.rows().filter(|(_, row)| row.archived).count();
    let lists: BTreeMap<&str, u32> = org.lists.counts().collect();
    let (subscriptions, enabled, events) = org.webhooks.counts();
    json!({
        "vendors": {"count": org.vendors.len(), "archived": archived},
        "bills": {
            "count": open,
            "archived": org.bills.len() - open,
            "total": total.to_string(),
            "paid": paid.to_string(),
            "due": due.to_string(),
            "by_payment_status": by_status,
        },
        "payments": {
            "count": org.payments.len(),
            "total": amount.to_string(),
            "by_single_status": by_single,
        },
        "vendor_credits": {
            "count": org.credits.len(),
            "total": credit.to_string(),
            "applied": applied.to_string(),
        },
        "classifications": lists,
        "funding_accounts": {"banks": org.funding.banks.len()},
        "customers": org.receivables.customers.len(),
        "invoices": org.receivables.invoices.len(),
        "files": org.files.len(),
        "webhooks": {"subscriptions": subscriptions, "enabled": enabled, "events": events},
    })
}
