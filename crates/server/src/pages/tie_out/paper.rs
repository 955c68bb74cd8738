//! The report on the page: legs, waterfall, differences, aging, and why it is known to be whole.

use axum::response::Response;
use maud::{Markup, html};
use tieout_desk::tie_out::Made;
use tieout_domain::{Amount, Money};
use tieout_flows::tie_out::{LegReport, Report};
use tieout_report::picture_of;

use super::super::parts::badge::{Tone, badge};
use super::super::parts::{Address, Cell, Column, Table, amount, csv_asked};
use super::{base, items};
use crate::people::Person;
use crate::program::ConnectionInfo;

/// A report with its tables.
pub(super) struct Paper<'a> {
    connection: &'a ConnectionInfo,
    month: String,
    report: &'a Report,
    frozen: bool,
    legs: Table,
    items: Table,
    aging: Table,
    advisories: Table,
    basis: Table,
    base: Table,
    read: Table,
    checks: Table,
}

impl<'a> Paper<'a> {
    /// The tables of a report. What is frozen takes no boxes.
    pub(super) fn of(connection: &'a ConnectionInfo, made: &'a Made, frozen: bool) -> Self {
        let report = &made.report;
        Self {
            connection,
            month: made.month(),
            report,
            frozen,
            legs: legs(report),
            items: items::table(connection, report, frozen),
            aging: aging(report),
            advisories: advisories(connection, report),
            basis: basis(connection, report),
            base: base::table(connection, report),
            read: read(report),
            checks: checks(report),
        }
    }

    /// One of the tables as CSV.
    pub(super) fn csv(&self, asked: &str) -> Option<Response> {
        let tables = [
            &self.legs,
            &self.items,
            &self.aging,
            &self.advisories,
            &self.basis,
            &self.base,
            &self.read,
            &self.checks,
        ];
        csv_asked(Some(asked), &tables)
    }

    pub(super) fn show(&self, person: &Person, here: &Address) -> Markup {
        html! {
            (self.legs.show(here))
            @for leg in &self.report.legs {
                @if let Some(picture) = picture_of(self.report, leg) {
                    section.waterfall { h3 { (leg.title) } (picture) }
                }
            }
            (self.items.show(here))
            @if !self.frozen { (items::own(person, self.connection, &self.month, self.report)) }
            (ages(self.report))
            (self.aging.show(here))
            @if !self.advisories.is_empty() { (self.advisories.show(here)) }
            @if !self.basis.is_empty() { (self.basis.show(here)) }
            @if !self.base.is_empty() { (self.base.show(here)) }
            details {
                summary { "Why what was read is known to be all" }
                (self.checks.show(here))
                (self.read.show(here))
            }
        }
    }
}

fn money(report: &Report, amount: Amount) -> Option<Money> {
    Some(amount.of(report.currency))
}

fn legs(report: &Report) -> Table {
    let mut table = Table::new(
        "legs",
        "Legs",
        [
            Column::text("Leg"),
            Column::text("Compared"),
            Column::money("Left"),
            Column::text("With"),
            Column::money("Right"),
            Column::money("Difference"),
            Column::money("Explained"),
            Column::money("Residual"),
            Column::text(""),
        ],
    );
    for leg in &report.legs {
        let closed = leg.residual.is_zero();
        let word = if closed { "closed" } else { "open" };
        let tone = if closed { Tone::Good } else { Tone::Bad };
        let LegReport { left, right, .. } = leg;
        table.row([
            Cell::text(format!("{}. {}", leg.leg.number(), leg.title)),
            Cell::text(left.label.as_str()),
            Cell::money(money(report, left.amount)),
            Cell::text(right.label.as_str()),
            Cell::money(money(report, right.amount)),
            Cell::money(money(report, leg.difference)),
            Cell::money(money(report, leg.explained)),
            Cell::money(money(report, leg.residual)),
            Cell::shown(badge(tone, word), word),
        ]);
    }
    table
}

fn aging(report: &Report) -> Table {
    let mut table = Table::new(
        "aging",
        format!("Open by age at the end of {}", report.day),
        [
            Column::text("Due"),
            Column::money("Ledger"),
            Column::money("Platform"),
            Column::money("Difference"),
        ],
    );
    for aging in &report.aging {
        let difference = [aging.ledger, -aging.platform].into_iter().sum();
        table.row([
            Cell::text(aging.bucket.as_str()),
            Cell::money(money(report, aging.ledger)),
            Cell::money(money(report, aging.platform)),
            Cell::money(money(report, difference)),
        ]);
    }
    table
}

const LABEL: i64 = 120;
const PLOT: i64 = 460;
const BAR: i64 = 14;
const ROW: i64 = 42;

/// Both sides' aging as bars, one pair for each age. The same is in the table below.
fn ages(report: &Report) -> Markup {
    let sizes = report
        .aging
        .iter()
        .flat_map(|aging| [aging.ledger.abs(), aging.platform.abs()]);
    let most = sizes.max().unwrap_or_default();
    let height = ROW * i64::try_from(report.aging.len()).unwrap_or_default();
    html! {
        @if !most.is_zero() {
            figure.chart {
                figcaption { "Open by age: the ledger above, the platform below" }
                svg viewBox={ "0 0 " (LABEL + PLOT + 170) " " (height) } role="img" aria-label="Open by age on both sides, as in the table below" {
                    @for (at, aging) in (0..).zip(&report.aging) {
                        @let top = ROW * at + 4;
                        text x=(LABEL - 8) y=(top + BAR + 4) text-anchor="end" { (aging.bucket) }
                        @for (class, amount, top) in [("one", aging.ledger, top), ("two", aging.platform, top + BAR + 3)] {
                            rect class=(class) x=(LABEL) y=(top) width=(width(amount, most)) height=(BAR) {}
                            text x=(LABEL + width(amount, most) + 6) y=(top + BAR - 2) { (amount.of(report.currency)) }
                        }
                    }
                }
            }
        }
    }
}

/// How long a bar is: its share of the longest, exact until it is a place in the picture.
fn width(amount: Amount, most: Amount) -> i64 {
    let share = amount.abs().decimal().checked_div(most.decimal());
    let places = share.and_then(|share| share.checked_mul(PLOT.into()));
    places
        .and_then(|places| i64::try_from(places.trunc()).ok())
        .unwrap_or_default()
}

fn advisories(connection: &ConnectionInfo, report: &Report) -> Table {
    let mut table = Table::new(
        "advisories",
        "Payments worth a look",
        [
            Column::text("Signal"),
            Column::text(report.book.party_title()),
            Column::text("Paid"),
            Column::text("Why"),
            Column::money("Amount"),
        ],
    )
    .note("No difference depends on them");
    for advisory in &report.advisories {
        let payment = advisory.ledger.as_ref().or(advisory.platform.as_ref());
        let paid = advisory.date.to_string();
        table.row([
            Cell::text(advisory.signal.code()),
            Cell::text(advisory.vendor.as_str()),
            match payment {
                Some(payment) => {
                    Cell::link(&Address::record(&connection.name, &payment.record), paid)
                }
                None => Cell::text(paid),
            },
            Cell::text(advisory.words.as_str()),
            Cell::money(payment.and_then(|payment| money(report, payment.amount))),
        ]);
    }
    table
}

fn basis(connection: &ConnectionInfo, report: &Report) -> Table {
    let mut table = Table::new(
        "basis",
        "What an aging report by transaction date shows otherwise",
        [
            Column::text("Document"),
            Column::text(report.book.party_title()),
            Column::text("Dated"),
            Column::text("Period to"),
            Column::money("Amount"),
        ],
    );
    for line in &report.basis {
        table.row([
            Cell::link(
                &Address::record(&connection.name, &line.document.record),
                line.document.label.as_str(),
            ),
            Cell::text(line.vendor.as_str()),
            Cell::text(line.date.to_string()),
            Cell::text(line.posted.to_string()),
            Cell::money(money(report, line.amount)),
        ]);
    }
    table
}

fn read(report: &Report) -> Table {
    let mut table = Table::new(
        "read",
        "What was read",
        [
            Column::text("What"),
            Column::text("Query"),
            Column::text("Read until (UTC)"),
            Column::number("Rows"),
            Column::number("Total"),
            Column::text("To the last page"),
            Column::text("SHA-256"),
        ],
    );
    for one in &report.completeness.extracts {
        let total = one.total.of(report.currency);
        table.row([
            Cell::text(one.what.as_str()),
            Cell::shown(html! { code { (one.query) } }, one.query.as_str()),
            Cell::text(format!("{:.0}", one.ended)),
            Cell::number(one.rows),
            Cell::shown(amount::money(total), total.to_string()),
            Cell::text(if one.last_page_seen { "yes" } else { "no" }),
            Cell::shown(html! { code { (one.sha256) } }, one.sha256.as_str()),
        ]);
    }
    table
}

fn checks(report: &Report) -> Table {
    let mut table = Table::new(
        "checks",
        "Checks",
        [
            Column::text("What"),
            Column::text("Expected"),
            Column::text("Found"),
            Column::text("Holds"),
        ],
    );
    for check in &report.completeness.checks {
        let (tone, word) = if check.holds {
            (Tone::Good, "holds")
        } else {
            (Tone::Bad, "fails")
        };
        table.row([
            Cell::text(check.what.as_str()),
            Cell::text(check.expected.as_str()),
            Cell::text(check.found.as_str()),
            Cell::shown(badge(tone, word), word),
        ]);
    }
    table
}
