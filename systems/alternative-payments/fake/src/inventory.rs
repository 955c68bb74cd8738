//! What the panel shows of the account: counts and totals, and every record that money hangs on.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::account::Account;
use crate::capability::Capabilities;
use crate::held::{self, Cause};
use crate::json::Json;
use crate::payments::{Payment, Status};
use crate::payouts::{self, Payout};
use crate::table::{Record, Table};
use crate::{customers, fees, invoices, payments, pdf, refunds, webhooks};

/// `GET /control/state`.
pub(crate) fn state(account: &Account) -> Value {
    let open = account.invoices.rows().filter(|one| !one.is_archived());
    let balance: Decimal = open
        .map(|one| invoices::standing(account, one).balance)
        .sum();
    json!({
        "customers": account.customers.len(),
        "invoices": {
            "count": account.invoices.len(),
            "balance": text(balance),
            "by_status": by_status(&account.invoices, |one| invoices::show(account, one, Capabilities::ALL)),
        },
        "payments": {
            "count": account.payments.len(),
            "by_status": by_status(&account.payments, |one| payments::show(one, Capabilities::ALL)),
        },
        "refunds": account.refunds.len(),
        "payouts": {
            "count": account.payouts.len(),
            "by_status": by_status(&account.payouts, |one| payouts::show(one, Capabilities::ALL)),
        },
        "money": money(account),
        "pdfs": pdf::show(&account.pdfs).to_panel().as_array().map_or(0, Vec::len),
        "webhooks": webhooks::subscriptions(account).to_panel(),
    })
}

fn by_status<T: Record>(table: &Table<T>, show: impl Fn(&T) -> Json) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for one in table.rows() {
        let shown = show(one);
        let status = shown.text("status").unwrap_or_default().to_owned();
        *counts.entry(status).or_default() += 1;
    }
    counts
}

fn text(amount: Decimal) -> String {
    amount.normalize().to_string()
}

/// Where the money is: what came, less what went, is what is held. Each figure is counted by itself, from payments,
/// from refunds, or from payouts. What customers pay on top as fees never reaches the partner and is in none of them.
fn money(account: &Account) -> Value {
    let payments = |counts: &dyn Fn(&Payment) -> bool| -> Decimal {
        let all = account.payments.rows();
        let counted = all.filter(|one| !one.is_external() && one.succeeded_at.is_some());
        counted
            .filter(|one| counts(one))
            .map(|one| one.sub_total)
            .sum()
    };
    let succeeded = account
        .payments
        .rows()
        .filter(|one| one.succeeded_at.is_some());
    let fees: Decimal = succeeded.map(|one| fees::sum(&one.fees, false)).sum();
    let moved = |cause: Cause| -> Decimal {
        let all = account.held.transactions.rows();
        let moved = all.filter(|one| one.cause == cause);
        moved.map(|one| one.amount).sum()
    };
    let payouts = |counts: &dyn Fn(&Payout) -> bool| -> Decimal {
        let all = account.payouts.rows().filter(|one| counts(one));
        all.map(|one| one.total).sum()
    };
    let is_paid = |one: &Payout| one.status == payouts::Status::Succeeded;
    let on_the_way = payouts(&|one| !is_paid(one) && !one.status.is_void());
    let waiting = held::net(account.held.of(&account.held.waiting));
    json!({
        "received": text(payments(&|_| true)),
        "refunded": text(account.refunds.rows().map(|one| one.amount).sum()),
        "failed": text(payments(&|one| one.status == Status::Failed)),
        "charged_back": text(payments(&|one| one.status == Status::Chargeback)),
        "fees": text(fees),
        "dispute_fees": text(-moved(Cause::DisputeFee)),
        "adjusted": text(moved(Cause::Adjustment)),
        "paid_out": text(payouts(&is_paid)),
        "on_the_way": text(on_the_way),
        "waiting": text(waiting),
        "held": text(waiting + on_the_way),
    })
}

/// `GET /control/records`. Everything is there, whatever the switches leave out of answers.
pub(crate) fn records(account: &Account) -> Value {
    let all = Capabilities::ALL;
    json!({
        "customers": rows(&account.customers, |one| customers::show(one, all)),
        "invoices": rows(&account.invoices, |one| {
            let mut shown = invoices::show(account, one, all);
            let payments = one.payments.iter().filter(|id| account.payments.get(id).is_some());
            let payments: Vec<Json> = payments.map(|id| id.as_str().into()).collect();
            shown.put("payments", payments.into());
            shown
        }),
        "payments": rows(&account.payments, |one| payments::show(one, all)),
        "refunds": rows(&account.refunds, |one| refunds::show(one, all)),
        "payouts": rows(&account.payouts, |one| {
            let mut shown = payouts::show(one, all);
            let transactions = account.held.of(&one.transactions);
            let transactions: Vec<Json> = transactions.map(held::Transaction::show).collect();
            shown.put("transactions", transactions.into());
            shown
        }),
        "waiting": account.held.of(&account.held.waiting).map(|one| one.show().to_panel()).collect::<Value>(),
        "pdfs": pdf::show(&account.pdfs).to_panel(),
        "webhooks": webhooks::subscriptions(account).to_panel(),
        "money": money(account),
    })
}

fn rows<T: Record>(table: &Table<T>, show: impl Fn(&T) -> Json) -> Value {
    table.rows().map(|one| show(one).to_panel()).collect()
}
