//! The demo's second connection: what customers owe, between NetSuite and Invoiced.

use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_domain::{Amount, Document, Kind, RecordRef, Side};
use tieout_engine::{Connection, RunOptions, RunReport, RunStatus};
use tieout_flows::tie_out::Report;

use super::{Teller, closes, half, ledger, tied_out, told, zone};
use crate::assemble::actor;
use crate::commands::{preferences, sync};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::sandbox::Panel;

/// The connection's name in the demo's home.
pub(super) const NAME: &str = "acme-ar";

/// The connection in the configuration. What stands for what comes from Invoiced is chosen once the items were read.
pub(super) fn configuration(sandbox: &Value) -> String {
    format!(
        r#"[connections.{NAME}]
pair = "netsuite-invoiced"
time_zone = "{zone}"
{ledger}[connections.{NAME}.invoiced]
environment = "sandbox"
time_zone = "America/New_York"
credential = "demo-invoiced"
base_url = "{invoiced}"
settle = "1 second"
[connections.{NAME}.preferences.receivables]
deposit_accounts = ["undeposited"]
"#,
        zone = zone(sandbox),
        ledger = ledger(sandbox, NAME),
        invoiced = told(sandbox, "invoiced", "base_url"),
    )
}

/// The second connection at work.
pub(super) struct Selling<'a> {
    pub(super) connection: Connection,
    pub(super) home: &'a Home,
    pub(super) panel: &'a Panel,
    pub(super) tell: &'a Teller,
}

/// What it came to.
pub(super) struct Sold {
    runs: Vec<RunReport>,
    paid_there: usize,
    paid_here: usize,
    pub(super) reports: Vec<Report>,
    quiet_at_last: bool,
}

impl Selling<'_> {
    pub(super) async fn show(mut self) -> Result<Sold, Failure> {
        self.tell
            .step("receivables: open invoices and their customers to Invoiced");
        let mut runs = vec![self.sync().await?];
        self.tell
            .step("what began on Invoiced may be written to NetSuite from now on");
        self.reconcile().await?;
        runs.push(self.sync().await?);
        self.tell
            .step("customers pay: some on Invoiced, some by a check to the company");
        let (paid_there, paid_here) = self.pay().await?;
        self.tell.more(&format!(
            "{paid_there} payments on Invoiced, {paid_here} in NetSuite"
        ));
        runs.push(self.sync().await?);
        self.tell.step("nothing should be left to write");
        let options = RunOptions::new(sync::run_id(), "demo");
        let quiet = tieout_engine::sync(&self.connection, options).await?;
        let reports = tied_out(&self.connection).await?;
        Ok(Sold {
            runs,
            paid_there,
            paid_here,
            reports,
            quiet_at_last: quiet.written == 0,
        })
    }

    async fn sync(&self) -> Result<RunReport, Failure> {
        let options = RunOptions::new(sync::run_id(), "demo");
        let report = tieout_engine::sync(&self.connection, options).await?;
        if !self.tell.quiet {
            sync::print_report(&report, false);
        }
        Ok(report)
    }

    /// Chooses the ledger's items for what comes from Invoiced, and lets it be written.
    async fn reconcile(&mut self) -> Result<(), Failure> {
        let before = self.connection.preferences.clone();
        let receivables = &mut self.connection.preferences.receivables;
        for (name, chosen) in [
            ("Consulting hour", &mut receivables.default_item),
            ("Sales tax", &mut receivables.tax_item),
            ("Discount", &mut receivables.discount_item),
            ("Freight to customer", &mut receivables.fee_item),
        ] {
            let store = &self.connection.store;
            let items = store.records_page(Side::Ledger, Kind::Item, None, 1000);
            let items = items.await?;
            let item = items
                .iter()
                .find(|item| item.observed.document.label() == name);
            let item = item.ok_or_else(|| {
                let cause = format!("the sandbox has no item {name}");
                Failure::failed(Code::new("drift"), cause)
            })?;
            *chosen = item.observed.id.to_string();
        }
        receivables.reconcile = true;
        receivables.first_sync = tieout_flows::preferences::FirstSync::All;
        let after = &self.connection.preferences;
        preferences::change(self.home, NAME, &before, after, &actor()).await
    }

    /// Every third invoice that is on both sides is paid, and of those every third in NetSuite.
    async fn pay(&self) -> Result<(usize, usize), Failure> {
        let (mut there, mut here) = (0, 0);
        let open = open_invoices(&self.connection).await?;
        let chosen = open.into_iter().step_by(3);
        for (turn, (ledger, platform, open)) in chosen.enumerate() {
            if turn % 3 == 2 {
                let body = json!({"invoices": [ledger.id.as_str()]}).to_string();
                let path = "/control/netsuite/customerpayment";
                self.panel.post(path, &body).await?;
                here += 1;
                continue;
            }
            let partly = (turn % 3 == 1).then(|| half(open)).flatten();
            let method = ["check", "wire_transfer", "credit_card"][turn % 3];
            let body = json!({
                "invoices": [platform.id.as_str().parse::<i64>().unwrap_or_default()],
                "amount": partly.map(|amount| amount.to_string()),
                "method": method,
                "processed": method == "credit_card",
            });
            let path = "/control/invoiced/pay";
            self.panel.post(path, &body.to_string()).await?;
            there += 1;
        }
        Ok((there, here))
    }
}

/// Linked invoices that are open, those of the ledger first: here, there, and how much.
pub(super) async fn open_invoices(
    connection: &Connection,
) -> Result<Vec<(RecordRef, RecordRef, Amount)>, Failure> {
    let store = &connection.store;
    let mut open = Vec::new();
    let mut after: Option<(RecordRef, String)> = None;
    loop {
        let from = after.as_ref().map(|(record, role)| (record, role.as_str()));
        let page = store.links_page("invoices", from, 1000).await?;
        let Some(last) = page.last() else {
            return Ok(open);
        };
        after = Some((last.record.clone(), last.role.clone()));
        for link in page {
            let (ledger, platform) = match link.record.side {
                Side::Ledger => (link.record, link.target),
                Side::Platform => (link.target, link.record),
            };
            let ids = [platform.id.clone()];
            let found = store.records(Side::Platform, Kind::Invoice, &ids).await?;
            if let Some(mirrored) = found.get(&platform.id)
                && let Document::Invoice(invoice) = &mirrored.observed.document
                && invoice.open.is_positive()
            {
                open.push((ledger, platform, invoice.open));
            }
        }
    }
}

impl Sold {
    /// As for payables: every run finished, nothing is left to write, and the legs close.
    pub(super) fn exit(&self) -> Exit {
        let ran = self.runs.iter().all(|run| run.status != RunStatus::Failed);
        if ran && self.quiet_at_last && self.paid_there > 0 && self.reports.iter().all(closes) {
            Exit::Done
        } else {
            Exit::Failed
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "runs": self.runs,
            "paid": {"there": self.paid_there, "here": self.paid_here},
            "tie_out": self.reports,
            "nothing_left_to_write": self.quiet_at_last,
        })
    }
}
