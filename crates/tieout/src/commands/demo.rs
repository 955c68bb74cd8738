//! `tieout demo`: everything at work on the sandbox, in a temporary home.

mod payouts;
mod receivables;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tieout_domain::code::Code;
use tieout_domain::{Amount, Clock as _, Document, RecordRef, RemoteId, State};
use tieout_engine::compare::{Comparison, compare};
use tieout_engine::tie_out::{AsOf, TieOutOptions, tie_out};
use tieout_engine::{Connection, RunOptions, RunReport, RunStatus, mapping};
use tieout_flows::tie_out::{Report, Status};
use tieout_store::{KeySource, NewUser, Role};

use payouts::Paying;
use receivables::Selling;

use super::serve::{self, ServeArgs};
use super::{credentials, init, sync};
use crate::assemble::actor;
use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::home::{CONFIG, Home, KEY, Place};
use crate::output;
use crate::sandbox::{Panel, Sandbox, SandboxOptions};
use crate::seams::WallClock;

/// What `demo` takes.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Exit after the tie-out instead of keeping the sandbox and the pages running.
    #[arg(long)]
    pub once: bool,
    /// A CSV file of real payables lines to start from.
    #[arg(long, value_name = "FILE")]
    pub dataset: Option<PathBuf>,
    /// What chance starts from.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many vendors.
    #[arg(long)]
    pub vendors: Option<usize>,
    /// How many vendor bills.
    #[arg(long)]
    pub bills: Option<usize>,
    /// How many customers.
    #[arg(long, default_value_t = 40)]
    pub customers: usize,
    /// How many invoices.
    #[arg(long, default_value_t = 120)]
    pub invoices: usize,
}

/// The connection's name in the demo's home.
const NAME: &str = "acme-us";

/// How many of the linked open bills a person pays: one in so many.
const PAID_SHARE: usize = 3;

/// Shows everything at work.
pub async fn run(global: &Global, args: &DemoArgs) -> Result<Exit, Failure> {
    let folder = tempfile::Builder::new()
        .prefix("tieout-demo-")
        .tempdir()
        .map_err(|error| Failure::file("can't make a folder in", &std::env::temp_dir(), &error))?;
    let tell = Teller {
        quiet: global.quiet || global.json,
    };
    tell.step("starting the sandbox");
    let sandbox = Sandbox::start(&SandboxOptions {
        seed: args.seed,
        vendors: args.vendors,
        bills: args.bills,
        customers: Some(args.customers),
        invoices: Some(args.invoices),
        dataset: args.dataset.clone(),
        ..SandboxOptions::default()
    })
    .await?;
    // Payables lines of a file are of a company that sells nothing.
    let sells = args.dataset.is_none() && args.customers > 0 && args.invoices > 0;
    let home = if sells {
        set_up_all(folder.path(), &sandbox.description).await?
    } else {
        set_up(folder.path(), &sandbox.description).await?
    };
    let connection = one_connection(global, &home, NAME).await?;
    let demo = Demo {
        connection,
        panel: Panel::new(&sandbox.description)?,
        tell,
    };
    let shown = demo.show().await?;
    let mut all = shown.json();
    let mut exit = shown.exit();
    if sells {
        let selling = Selling {
            connection: one_connection(global, &home, receivables::NAME).await?,
            home: &home,
            panel: &demo.panel,
            tell: &demo.tell,
        };
        let sold = selling.show().await?;
        demo.tie_outs(&sold.reports);
        all["receivables"] = sold.json();
        if exit == Exit::Done {
            exit = sold.exit();
        }
        let paying = Paying {
            connection: one_connection(global, &home, payouts::NAME).await?,
            panel: &demo.panel,
            tell: &demo.tell,
        };
        let paid_out = paying.show().await?;
        demo.tie_outs(&paid_out.reports);
        all["payouts"] = paid_out.json();
        if exit == Exit::Done {
            exit = paid_out.exit();
        }
    }
    if global.json {
        output::json(&all);
    }
    if args.once {
        return Ok(exit);
    }
    output::line("");
    output::line(&format!("the sandbox goes on: {}", demo.panel.base));
    output::line(&format!(
        "look around with `tieout --home {} …`",
        folder.path().display()
    ));
    open_to_a_visitor(folder.path(), &home).await?;
    output::line("stop it with Ctrl-C");
    let service = Global {
        home: Some(folder.path().to_owned()),
        key_file: Some(folder.path().join(KEY)),
        json: false,
        quiet: true,
        verbose: global.verbose,
    };
    serve::run(&service, &ServeArgs { node: None }).await?;
    Ok(exit)
}

/// Makes a user for whoever looks around, and lets the pages listen on a free port.
async fn open_to_a_visitor(folder: &Path, home: &Home) -> Result<(), Failure> {
    let path = folder.join(CONFIG);
    let listens = "\n[server]\nlisten = \"127.0.0.1:0\"\n";
    OpenOptions::new()
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(listens.as_bytes()))
        .map_err(|error| Failure::file("can't write", &path, &error))?;
    let password = uuid::Uuid::new_v4().simple().to_string();
    let visitor = NewUser {
        name: "demo".to_owned(),
        display: "Visitor".to_owned(),
        mail: String::new(),
        role: Role::Admin,
        subject: None,
        until: None,
        tenants: Vec::new(),
    };
    let hash = home
        .store
        .hash_password(&visitor.name, &password.as_str().into())?;
    let people = home.store.people();
    people.add(&visitor, Some(&hash), &actor()).await?;
    output::line(&format!(
        "sign in as `{}` with `{password}`, which opens this demonstration and nothing else",
        visitor.name
    ));
    Ok(())
}

/// Makes the home with all connections, of payables and of receivables, on one account of the ledger.
async fn set_up_all(folder: &Path, sandbox: &Value) -> Result<Home, Failure> {
    let today = WallClock.now().to_zoned(TimeZone::UTC).date();
    let all = OWN_STORE.to_owned()
        + &configuration(sandbox)
        + &receivables::configuration(sandbox)
        + &payouts::configuration(sandbox, today);
    let sealed = [
        ("netsuite", "demo-netsuite", "netsuite-m2m"),
        ("bill", "demo-bill", "bill"),
        ("invoiced", "demo-invoiced", "invoiced"),
        (
            "alternative-payments",
            "demo-alternative-payments",
            "alternative-payments",
        ),
    ];
    set_up_with(folder, sandbox, &all, &sealed).await
}

/// What is shown never goes into the store that the environment names.
const OWN_STORE: &str = "[store]\nurl = \"sqlite:tieout.db\"\n";

/// Makes the home with the connection of payables: configuration, key, sealed credentials.
///
/// # Errors
/// What can't be written, read or sealed.
pub async fn set_up(folder: &Path, sandbox: &Value) -> Result<Home, Failure> {
    let sealed = [
        ("netsuite", "demo-netsuite", "netsuite-m2m"),
        ("bill", "demo-bill", "bill"),
    ];
    let all = OWN_STORE.to_owned() + &configuration(sandbox);
    set_up_with(folder, sandbox, &all, &sealed).await
}

/// The same with a configuration of the caller's, and the credentials that it names: of which service of the sandbox,
/// by what name, of which kind.
///
/// # Errors
/// What can't be written, read or sealed.
pub async fn set_up_with(
    folder: &Path,
    sandbox: &Value,
    configuration: &str,
    sealed: &[(&str, &str, &str)],
) -> Result<Home, Failure> {
    let path = folder.join(CONFIG);
    std::fs::write(&path, configuration)
        .map_err(|error| Failure::file("can't write", &path, &error))?;
    let key = folder.join(KEY);
    init::create(folder, &KeySource::File(key.clone())).await?;
    let place = Place {
        home: Some(folder.to_owned()),
        key_file: Some(key),
    };
    let home = Home::open(&place).await?;
    for (system, name, kind) in sealed {
        let fields = sandbox[system][kind].to_string();
        let known = credentials::known_kind(kind)?;
        credentials::seal(&home, name, known, fields.into(), &actor()).await?;
    }
    Ok(home)
}

/// What the sandbox says of a service under a key.
fn told(sandbox: &Value, system: &str, key: &str) -> String {
    sandbox[system][key].as_str().unwrap_or_default().to_owned()
}

/// The company's time zone: on no other does a day end on both sides at once.
fn zone(sandbox: &Value) -> &str {
    sandbox["time_zone"].as_str().unwrap_or("UTC")
}

/// The ledger's table of a connection: both are on one account.
fn ledger(sandbox: &Value, connection: &str) -> String {
    let text = |key| told(sandbox, "netsuite", key);
    let subsidiary = match text("subsidiary") {
        none if none.is_empty() => String::new(),
        id => format!("subsidiary = \"{id}\"\n"),
    };
    format!(
        r#"[connections.{connection}.netsuite]
account = "{account}"
{subsidiary}credential = "demo-netsuite"
base_url = "{address}"
settle = "1 second"
"#,
        account = text("account"),
        address = text("base_url"),
    )
}

/// What is written into `tieout.toml` for the connection of payables.
#[must_use]
pub fn configuration(sandbox: &Value) -> String {
    let text = |key| told(sandbox, "bill", key);
    format!(
        r#"[connections.{NAME}]
pair = "netsuite-bill"
time_zone = "{zone}"
{ledger}[connections.{NAME}.bill]
organization = "{organization}"
environment = "sandbox"
credential = "demo-bill"
base_url = "{bill}"
events_url = "{events}"
settle = "1 second"
[connections.{NAME}.preferences.lists]
create_missing = true
[connections.{NAME}.preferences.transactions]
payment_account = "1090"
"#,
        zone = zone(sandbox),
        ledger = ledger(sandbox, NAME),
        organization = text("organization"),
        bill = text("base_url"),
        events = text("events_url"),
    )
}

async fn one_connection(global: &Global, home: &Home, name: &str) -> Result<Connection, Failure> {
    sync::connections(global, home, &[name.to_owned()])
        .await?
        .pop()
        .ok_or_else(|| {
            Failure::failed(
                Code::new("no-connection"),
                "the demo's home lacks a connection",
            )
        })
}

/// Says what is being done.
struct Teller {
    quiet: bool,
}

impl Teller {
    fn step(&self, text: &str) {
        if !self.quiet {
            output::line(&format!("› {text}"));
        }
    }

    fn more(&self, text: &str) {
        if !self.quiet {
            output::line(&format!("  {text}"));
        }
    }
}

struct Demo {
    connection: Connection,
    panel: Panel,
    tell: Teller,
}

/// What the demo came to.
struct Shown {
    first: RunReport,
    posted: RunReport,
    reversed: RunReport,
    paid: Paid,
    comparison: Comparison,
    reports: Vec<Report>,
    waiting: Vec<tieout_store::ExceptionGroup>,
    quiet_at_last: bool,
}

/// What was paid.
#[derive(Debug, Default, serde::Serialize)]
struct Paid {
    payments: usize,
    bills: usize,
    voided: usize,
    /// Payments to be voided once they are posted.
    to_void: Vec<String>,
}

impl Demo {
    async fn show(&self) -> Result<Shown, Failure> {
        self.tell.step("signing in on both sides");
        for ports in [
            &self.connection.sides.ledger,
            &self.connection.sides.platform,
        ] {
            let identity = ports.whole.ping().await.map_err(|fault| Failure {
                code: fault.code(),
                cause: format!("{}: {fault}", ports.system),
                exit: Exit::Side,
            })?;
            self.tell.more(&format!(
                "{}: {} ({})",
                ports.system, identity.name, identity.id
            ));
        }
        self.tell.step("mapping accounts and dimensions");
        let suggestions = mapping::propose(&self.connection, true, &sync::run_id()).await?;
        self.tell.more(&format!(
            "{} accounts and dimensions looked at",
            suggestions.len()
        ));
        self.tell
            .step("first sync: vendors and approved bills to BILL");
        let first = self.sync().await?;
        self.tell.step("paying a third of the bills in BILL");
        let paid = self.pay().await?;
        self.tell.more(&format!(
            "{} payments over {} bills, {} voided at once",
            paid.payments, paid.bills, paid.voided
        ));
        self.tell
            .step("second sync: payments back onto the vendor bills");
        let posted = self.sync().await?;
        self.tell
            .step("voiding some of the posted payments in BILL");
        for payment in &paid.to_void {
            self.void(payment).await?;
        }
        self.tell.more(&format!("{} voided", paid.to_void.len()));
        self.tell
            .step("third sync: their postings are reversed and the bills are open again");
        let reversed = self.sync().await?;
        self.tell
            .step("fourth sync: nothing should be left to write");
        let quiet =
            tieout_engine::sync(&self.connection, RunOptions::new(sync::run_id(), "demo")).await?;
        let comparison = compare(&self.connection.store).await?;
        let reports = tied_out(&self.connection).await?;
        let waiting = self.connection.store.exceptions(false).await?;
        let shown = Shown {
            first,
            posted,
            reversed,
            paid,
            comparison,
            reports,
            waiting,
            quiet_at_last: quiet.written == 0,
        };
        self.print(&shown);
        Ok(shown)
    }

    async fn sync(&self) -> Result<RunReport, Failure> {
        let options = RunOptions::new(sync::run_id(), "demo");
        let report = tieout_engine::sync(&self.connection, options).await?;
        if !self.tell.quiet {
            sync::print_report(&report, false);
        }
        Ok(report)
    }

    /// Pays a third of the bills as people in BILL would: most alone and in full, some partly, some many in
    /// one payment, and a few are voided afterwards.
    async fn pay(&self) -> Result<Paid, Failure> {
        let mut by_vendor: BTreeMap<RemoteId, Vec<(RemoteId, Amount)>> = BTreeMap::new();
        for (at, (vendor, bill, open)) in self.open_bills().await?.into_iter().enumerate() {
            if at % PAID_SHARE == 0 {
                by_vendor.entry(vendor).or_default().push((bill, open));
            }
        }
        let mut paid = Paid::default();
        let methods = ["ACH", "CHECK", "VIRTUAL_CARD", "ACH"];
        for (turn, bills) in by_vendor.into_values().enumerate() {
            let method = methods[turn % methods.len()];
            // Up to five in one payment for every second vendor, one by one for the others.
            let together = if turn % 2 == 0 { 5 } else { 1 };
            for chunk in bills.chunks(together) {
                let partly = chunk.len() == 1 && turn % 5 == 1;
                let amount = partly.then(|| half(chunk[0].1)).flatten();
                let ids: Vec<_> = chunk.iter().map(|(id, _)| id).collect();
                let body = format!(
                    r#"{{"bills":{},"amount":{},"method":"{method}","status":"PROCESSED"}}"#,
                    json!(ids),
                    amount.map_or_else(|| "null".to_owned(), |amount| amount.to_string()),
                );
                let answer = self.panel.post("/control/bill/pay", &body).await?;
                paid.payments += 1;
                paid.bills += chunk.len();
                match paid.payments % 20 {
                    7 => {
                        for id in payment_ids(&answer) {
                            self.void(&id).await?;
                        }
                        paid.voided += 1;
                    }
                    13 => paid.to_void.extend(payment_ids(&answer)),
                    _ => {}
                }
            }
        }
        Ok(paid)
    }

    async fn void(&self, payment: &str) -> Result<(), Failure> {
        let path = format!("/control/bill/payments/{payment}");
        self.panel.post(&path, r#"{"status":"VOIDED"}"#).await?;
        Ok(())
    }

    /// The platform's open bills that are linked: vendor, id, open amount.
    async fn open_bills(&self) -> Result<Vec<(RemoteId, RemoteId, Amount)>, Failure> {
        let store = &self.connection.store;
        let mut open = Vec::new();
        let mut after: Option<(RecordRef, String)> = None;
        loop {
            let from = after.as_ref().map(|(record, role)| (record, role.as_str()));
            let page = store.links_page("bills", from, 1000).await?;
            let Some(last) = page.last() else {
                return Ok(open);
            };
            after = Some((last.record.clone(), last.role.clone()));
            for link in page {
                let (side, kind) = (link.target.side, link.target.kind);
                let ids = [link.target.id];
                for (id, mirrored) in store.records(side, kind, &ids).await? {
                    if let Document::Bill(bill) = mirrored.observed.document
                        && bill.open.is_positive()
                    {
                        open.push((bill.vendor, id, bill.open));
                    }
                }
            }
        }
    }

    fn tie_outs(&self, reports: &[Report]) {
        if self.tell.quiet {
            return;
        }
        for report in reports {
            let title = format!(
                "the tie-out of {} in {}",
                report.book.as_str(),
                report.currency
            );
            self.tell.step(&title);
            output::line(tieout_report::text(report, output::width()).trim_end());
        }
    }

    fn print(&self, shown: &Shown) {
        if self.tell.quiet {
            return;
        }
        self.tell.step("how the two sides compare");
        let rows = shown
            .comparison
            .totals
            .iter()
            .flat_map(|(currency, sums)| {
                let row = |what: &str, ledger: Amount, platform: Amount| {
                    let difference = [ledger, -platform].into_iter().sum::<Amount>();
                    vec![
                        what.to_owned(),
                        ledger.of(*currency).to_string(),
                        platform.of(*currency).to_string(),
                        difference.of(*currency).to_string(),
                    ]
                };
                [
                    row("bills and credits", sums.ledger_total, sums.platform_total),
                    row("open balance", sums.ledger_open, sums.platform_open),
                ]
            })
            .collect();
        let header = ["", "NetSuite", "BILL", "difference"];
        output::line(&output::table(&header, rows, &[1, 2, 3]));
        self.tell.more(&format!(
            "{} linked documents, {} differ; {} accounts, {} differ",
            shown.comparison.pairs,
            shown.comparison.differing,
            shown.comparison.accounts,
            shown.comparison.accounts_differing.len()
        ));
        for difference in &shown.comparison.named {
            self.tell.more(&format!(
                "{} ({} and {}): total and open {:?} and {:?}",
                difference.label,
                difference.ledger,
                difference.platform,
                difference.ledger_amounts,
                difference.platform_amounts
            ));
        }
        self.tie_outs(&shown.reports);
        if !shown.waiting.is_empty() {
            self.tell.step("what waits for a person");
        }
        for group in &shown.waiting {
            let code = group
                .code
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            self.tell.more(&format!(
                "{} × {}({code}): {}",
                group.count, group.state, group.cause
            ));
        }
    }
}

/// The tie-outs of the present month.
async fn tied_out(connection: &Connection) -> Result<Vec<Report>, Failure> {
    let now = connection.timer.now();
    let options = TieOutOptions {
        as_of: AsOf::PeriodEnd(now.to_zoned(connection.time_zone.clone()).date()),
        id: sync::run_id(),
        notes: BTreeMap::new(),
        notices: Vec::new(),
    };
    let made = tie_out(connection, &options).await?;
    Ok(made.into_iter().map(|made| made.report).collect())
}

/// Half of an amount, to the cent; nothing if that is nothing.
fn half(amount: Amount) -> Option<Amount> {
    let half = (amount.decimal() / rust_decimal::Decimal::TWO)
        .round_dp_with_strategy(2, rust_decimal::RoundingStrategy::ToZero);
    Some(Amount::new(half)).filter(|half| half.is_positive())
}

fn payment_ids(answer: &Value) -> Vec<String> {
    let payments = answer
        .get("payments")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    payments
        .iter()
        .filter_map(|payment| {
            payment
                .get("id")
                .unwrap_or(payment)
                .as_str()
                .map(str::to_owned)
        })
        .collect()
}

impl Shown {
    /// Whether the end is what was foretold: every run finished, nothing is left to write, all pairs agree, and
    /// the legs of every tie-out close.
    fn exit(&self) -> Exit {
        let runs = [&self.first, &self.posted, &self.reversed];
        let ran = runs.iter().all(|run| run.status != RunStatus::Failed);
        let reversed = self.reversed.flows["bill-payments"].of_state(State::Reversed);
        let all_reversed = reversed == self.paid.to_void.len() as u64;
        if ran
            && all_reversed
            && self.quiet_at_last
            && self.comparison.agrees()
            && self.comparison.pairs > 0
            && self.reports.iter().all(closes)
        {
            Exit::Done
        } else {
            Exit::Failed
        }
    }

    fn json(&self) -> Value {
        json!({
            "runs": [self.first, self.posted, self.reversed],
            "paid": self.paid,
            "comparison": self.comparison,
            "tie_out": self.reports,
            "waiting": self.waiting,
            "nothing_left_to_write": self.quiet_at_last,
        })
    }
}

/// Whether nothing is left unexplained, and all is known to have been read.
fn closes(report: &Report) -> bool {
    report.status != Status::Incomplete && report.residuals.values().all(|left| left.is_zero())
}
