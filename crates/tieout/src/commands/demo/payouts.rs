//! The demo's third connection: customers pay on Alternative Payments, which pays out in sums of its own.

use jiff::ToSpan as _;
use serde_json::{Value, json};
use tieout_domain::Date;
use tieout_engine::{Connection, RunOptions, RunReport, RunStatus};
use tieout_flows::tie_out::{Leg, Report};

use super::receivables::open_invoices;
use super::{Teller, closes, ledger, tied_out, told};
use crate::commands::sync;
use crate::failure::{Exit, Failure};
use crate::sandbox::Panel;

/// The connection's name in the demo's home.
pub(super) const NAME: &str = "acme-pay";

/// The service, as the sandbox and the configuration name it.
const SERVICE: &str = "alternative-payments";

/// Only invoices of so many days: the service takes five calls a second.
const DAYS: i64 = 21;

/// How many of them are paid there.
const PAID: usize = 6;

/// The connection in the configuration, every account set up.
pub(super) fn configuration(sandbox: &Value, today: Date) -> String {
    format!(
        r#"[connections.{NAME}]
pair = "netsuite-{SERVICE}"
time_zone = "UTC"
{ledger}[connections.{NAME}.{SERVICE}]
environment = "demo"
capabilities = "all"
credential = "demo-{SERVICE}"
base_url = "{address}"
settle = "1 second"
[connections.{NAME}.preferences.receivables]
reconcile = true
first_sync = "all"
go_live = "{from}"
deposit_accounts = ["undeposited"]
bank_account = "1000"
fee_account = "6900"
clearing_account = "2100"
standalone_account = "2100"
"#,
        ledger = ledger(sandbox, NAME),
        address = told(sandbox, SERVICE, "base_url"),
        from = today.saturating_sub(DAYS.days()),
    )
}

/// The third connection at work.
pub(super) struct Paying<'a> {
    pub(super) connection: Connection,
    pub(super) panel: &'a Panel,
    pub(super) tell: &'a Teller,
}

/// What it came to.
pub(super) struct PaidOut {
    runs: Vec<RunReport>,
    paid: usize,
    payout: Value,
    pub(super) reports: Vec<Report>,
    quiet_at_last: bool,
}

impl Paying<'_> {
    pub(super) async fn show(self) -> Result<PaidOut, Failure> {
        self.tell
            .step("payouts: open invoices to Alternative Payments, at five calls a second");
        let mut runs = vec![self.sync().await?];
        self.tell
            .step("customers pay there, and one gets its money back");
        let payments = self.pay().await?;
        runs.push(self.sync().await?);
        if let Some(first) = payments.first() {
            self.on_service("refunds", &json!({"payment": first}))
                .await?;
        }
        self.tell
            .step("the platform pays out: one line on the bank statement, one deposit");
        let payout = self.on_service("payouts", &json!({})).await?;
        let path = format!("payouts/{}", payout["id"].as_str().unwrap_or_default());
        self.on_service(&path, &json!({"status": "succeeded"}))
            .await?;
        self.tell
            .more(&format!("{} arrives at the bank", payout["total"]));
        runs.push(self.sync().await?);
        let quiet = self.sync().await?;
        let reports = tied_out(&self.connection).await?;
        Ok(PaidOut {
            runs,
            paid: payments.len(),
            payout,
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

    async fn on_service(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let path = format!("/control/{SERVICE}/{path}");
        self.panel.post(&path, &body.to_string()).await
    }

    /// Some pay what they owe, every other one with the fees on top. Gives the payments' ids.
    async fn pay(&self) -> Result<Vec<String>, Failure> {
        let mut paid = Vec::new();
        let open = open_invoices(&self.connection).await?;
        for (turn, (_, platform, _)) in open.iter().take(PAID).enumerate() {
            let body = json!({"invoice": platform.id, "covers_fees": turn % 2 == 1});
            let payment = self.on_service("pay", &body).await?;
            paid.extend(payment["id"].as_str().map(str::to_owned));
        }
        self.tell.more(&format!("{} payments", paid.len()));
        Ok(paid)
    }
}

impl PaidOut {
    /// Every run finished, nothing is left to write, and the legs close, that of payouts among them.
    pub(super) fn exit(&self) -> Exit {
        let ran = self.runs.iter().all(|run| run.status != RunStatus::Failed);
        let fifth = |report: &Report| report.legs.iter().any(|leg| leg.leg == Leg::Payouts);
        let ties = self.reports.iter().all(|it| closes(it) && fifth(it));
        if ran && self.quiet_at_last && self.paid > 0 && ties {
            Exit::Done
        } else {
            Exit::Failed
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "runs": self.runs,
            "paid": self.paid,
            "payout": self.payout,
            "tie_out": self.reports,
            "nothing_left_to_write": self.quiet_at_last,
        })
    }
}
