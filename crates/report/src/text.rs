//! Text for a terminal. Nothing in it needs colour, and nothing that others wrote can command the terminal.

mod base;
mod column;

use column::{Column, pad};
use tieout_domain::Amount;
use tieout_flows::tie_out::{Completeness, Extract, Flow, Item, LegReport, Report};

use crate::format::{Format, clean};
use crate::sums::{self, less};
use crate::words;

/// Narrower than this, figures and words don't fit beside each other.
const NARROWEST: usize = 60;

/// Wider than this, an eye doesn't find the figure of its line.
const WIDEST: usize = 120;

/// How far the values of the head stand from the left.
const HEAD: usize = 12;

/// How far an item's own lines stand from the left: a category's code and two spaces.
const ITEM: usize = 14;

/// The report as text in lines of at most `width` cells, between 60 and 120. A figure that doesn't fit goes
/// beyond the edge rather than being cut.
#[must_use]
pub fn text(report: &Report, width: usize) -> String {
    let mut paper = Paper {
        report,
        format: Format::of(report.currency),
        column: Column::new(width.clamp(NARROWEST, WIDEST)),
    };
    paper.head();
    for leg in &report.legs {
        paper.leg(leg);
    }
    paper.items();
    paper.advisories();
    paper.basis();
    paper.aging();
    paper.base();
    paper.completeness(&report.completeness);
    paper.column.finish()
}

struct Paper<'a> {
    report: &'a Report,
    format: Format,
    column: Column,
}

impl Paper<'_> {
    fn section(&mut self, title: &str) {
        self.column.blank();
        self.column.wrapped("", 0, title);
        self.column.rule('-');
    }

    fn head(&mut self) {
        let report = self.report;
        let title = format!("{}  {}", words::TITLE, clean(&report.connection));
        self.column.wrapped("", 0, &title);
        self.column.rule('=');
        let status = format!("{}{}", words::sign(report.status), report.status.as_str());
        self.column.wrapped("Status", HEAD, &status);
        for reason in &report.reasons {
            self.column
                .wrapped("", HEAD, &format!("- {}", clean(reason)));
        }
        for (name, value) in [
            ("Ledger", words::party(&report.ledger)),
            ("Platform", words::party(&report.platform)),
            ("Accounts", words::accounts(&report.accounts)),
            ("Clearing", words::accounts(&report.clearing)),
            ("Period", words::period(report)),
            ("Day", format!("the end of {}", report.day)),
            ("Figures", words::as_of(report)),
            ("Basis", words::basis(report).to_owned()),
            ("Currency", report.currency.to_string()),
            ("Made", report.made_at.to_string()),
        ] {
            self.column.wrapped(name, HEAD, &value);
        }
        for notice in &report.notices {
            self.column.wrapped("Notice", HEAD, &clean(notice));
        }
    }

    fn leg(&mut self, leg: &LegReport) {
        self.section(&words::leg(leg));
        self.figure(2, &words::figure(&leg.left), leg.left.amount);
        self.figure(2, &words::figure(&leg.right), leg.right.amount);
        self.flows(&leg.flows);
        self.figure(2, &words::difference(leg), leg.difference);
        for sum in sums::by_category(self.report, leg.leg) {
            let text = format!(
                "{}{}{}",
                pad(sum.category.code(), 13),
                pad(&words::items(sum.count), 11),
                sum.category.title()
            );
            self.figure(4, &text, sum.amount);
        }
        self.figure(2, words::explained(leg.leg), leg.explained);
        let residual = words::residual(self.format, leg);
        self.column.figure(2, "Residual", &residual);
        if let Some(note) = sums::beside_the_difference(self.report, leg) {
            self.column.wrapped("", 2, note);
        }
    }

    fn flows(&mut self, flows: &[Flow]) {
        if flows.is_empty() {
            return;
        }
        let mut rows = vec![row(&["Flow", "ledger", "amount", "platform", "amount"])];
        rows.extend(flows.iter().map(|flow| {
            vec![
                clean(&flow.label),
                flow.ledger_count.to_string(),
                self.format.amount(flow.ledger_amount),
                flow.platform_count.to_string(),
                self.format.amount(flow.platform_amount),
            ]
        }));
        self.column.table(4, &rows);
    }

    fn items(&mut self) {
        let count = words::items(self.report.items.len() as u64);
        self.section(&format!("Differences: {count}"));
        for (at, item) in self.report.items.iter().enumerate() {
            if at > 0 {
                self.column.blank();
            }
            self.item(item);
        }
    }

    fn item(&mut self, item: &Item) {
        let mut head = pad(item.category.code(), ITEM);
        let names = [clean(&item.vendor), words::documents(item)];
        let names: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
        head.push_str(&names.join(", "));
        self.head_of_item(&head, item.amount);
        let gravity = words::gravity(item.category.gravity());
        let when = format!("{gravity}; {}, {}", item.date, words::days(item.age_days));
        self.column.wrapped("", ITEM, &when);
        for (side, document) in [("ledger", &item.ledger), ("platform", &item.platform)] {
            let text = match document {
                None => format!("{side}: none"),
                Some(document) => {
                    let amount = self.format.amount(document.amount);
                    format!("{side}: {}, {amount}", words::record(document))
                }
            };
            self.column.wrapped("", ITEM, &text);
        }
        self.column.wrapped("", ITEM, &words::cause(item));
        self.column.wrapped("", ITEM, &words::owner(item));
    }

    /// Code, vendor and documents with the amount at the edge; what is too long goes on beside the code.
    fn head_of_item(&mut self, head: &str, amount: Amount) {
        let figure = self.format.amount(amount);
        let room = self.column.width.saturating_sub(ITEM + figure.len() + 2);
        let (code, rest) = head.split_at(ITEM);
        for (at, line) in column::wrap(rest, room.max(12)).iter().enumerate() {
            if at == 0 {
                let left = format!("{code}{}", pad(line, room.max(12)));
                self.column.line(&format!("{left}  {figure}"));
            } else {
                self.column.wrapped("", ITEM, line);
            }
        }
    }

    fn advisories(&mut self) {
        if self.report.advisories.is_empty() {
            return;
        }
        self.section(words::ADVISORIES);
        self.column.wrapped("", 2, words::ADVISORY);
        for advisory in &self.report.advisories {
            let head = pad(advisory.signal.code(), ITEM);
            let head = format!("{head}{}, {}", clean(&advisory.vendor), advisory.date);
            self.head_of_item(&head, words::went(advisory));
            self.column.wrapped("", ITEM, &clean(&advisory.words));
            self.column.wrapped("", ITEM, &words::payment(advisory));
        }
    }

    fn basis(&mut self) {
        self.section("Memo: what an aging report by transaction date shows");
        for line in &self.report.basis {
            let text = format!(
                "{} {}, {}: dated {}, posted in the period to {}",
                words::record(&line.document),
                clean(&line.document.label),
                clean(&line.vendor),
                line.date,
                line.posted
            );
            self.figure(2, &text, line.amount);
        }
        self.figure(
            2,
            "Aging by transaction date, less sub-ledger by period",
            self.report.basis_difference,
        );
    }

    fn aging(&mut self) {
        if self.report.aging.is_empty() {
            return;
        }
        self.section("Open by age at the end of the day");
        let cells = |bucket: String, ledger: Amount, platform: Amount| {
            let difference = less(ledger, platform);
            let figures = [ledger, platform, difference].map(|amount| self.format.amount(amount));
            std::iter::once(bucket).chain(figures).collect::<Vec<_>>()
        };
        let mut rows = vec![row(&["Due", "ledger", "platform", "difference"])];
        for aging in &self.report.aging {
            rows.push(cells(clean(&aging.bucket), aging.ledger, aging.platform));
        }
        rows.push(cells(
            "total".to_owned(),
            self.report.aging.iter().map(|aging| aging.ledger).sum(),
            self.report.aging.iter().map(|aging| aging.platform).sum(),
        ));
        self.column.table(2, &rows);
    }

    fn completeness(&mut self, completeness: &Completeness) {
        self.section("Completeness: why this is known to be all");
        for extract in &completeness.extracts {
            self.extract(extract);
        }
        for check in &completeness.checks {
            let holds = if check.holds { "holds" } else { "!! FAILS" };
            let text = format!(
                "{}: expected {}, found {}",
                clean(&check.what),
                clean(&check.expected),
                clean(&check.found)
            );
            self.column.wrapped(&format!("  {holds}"), ITEM, &text);
        }
        for (flow, states) in &completeness.states {
            let parts: Vec<_> = states
                .iter()
                .map(|(state, count)| format!("{} {count}", clean(state)))
                .collect();
            let total: u64 = states.values().sum();
            let text = format!("{}: {} = {total}", clean(flow), parts.join(" + "));
            self.column.wrapped("  states", ITEM, &text);
        }
        let read = format!("both sides within {} seconds", completeness.window_seconds);
        self.column.wrapped("  read", ITEM, &read);
        let by = format!(
            "tieout {}, rules {}",
            clean(&completeness.version),
            clean(&completeness.rules)
        );
        self.column.wrapped("  by", ITEM, &by);
    }

    fn extract(&mut self, extract: &Extract) {
        let end = if extract.last_page_seen {
            "to the last page"
        } else {
            "!! WITHOUT THE LAST PAGE"
        };
        let rows = words::rows(extract.rows);
        let text = format!("{}: {rows}, {end}", clean(&extract.what));
        self.figure(2, &text, extract.total);
    }

    fn figure(&mut self, indent: usize, text: &str, amount: Amount) {
        let figure = self.format.amount(amount);
        self.column.figure(indent, text, &figure);
    }
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}
