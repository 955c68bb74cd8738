//! The base page of a report: what both sides have open, in base currency.

use tieout_domain::{Amount, RecordRef};
use tieout_flows::tie_out::{BasePage, Category, Report, Valued};

use super::super::parts::{Address, Cell, Column, Table};
use crate::program::ConnectionInfo;

/// Document by document; those that can't be compared say why. Without rows where the report is in base currency.
pub(super) fn table(connection: &ConnectionInfo, report: &Report) -> Table {
    let table = Table::new(
        "base",
        "In base currency",
        [
            Column::text("Category"),
            Column::text("Document"),
            Column::text("Vendor"),
            Column::text("Rates"),
            Column::money("Ledger"),
            Column::money("Platform"),
            Column::money("Difference"),
        ],
    );
    let Some(page) = &report.base else {
        return table;
    };
    let mut table = table.note(note(page));
    let link = |record: &RecordRef, label: &str| {
        Cell::link(&Address::record(&connection.name, record), label)
    };
    let money = |amount: Amount| Cell::money(Some(amount.of(page.currency)));
    for line in &page.lines {
        let Valued { record, label, .. } = &line.ledger;
        table.row([
            Cell::text(line.category.map_or("", Category::code)),
            link(record, label),
            Cell::text(line.vendor.as_str()),
            Cell::text(format!("{} / {}", line.ledger.rate, line.platform.rate)),
            money(line.ledger.base),
            money(line.platform.base),
            money(line.amount),
        ]);
    }
    for untold in &page.untold {
        table.row([
            Cell::text(""),
            link(&untold.ledger.record, &untold.ledger.label),
            Cell::text(untold.vendor.as_str()),
            Cell::text(untold.cause.as_str()),
            Cell::money(None),
            Cell::money(None),
            Cell::money(None),
        ]);
    }
    table
}

fn note(page: &BasePage) -> String {
    let money = |amount: Amount| amount.of(page.currency).to_string();
    format!(
        "A matter of valuation: no status and no leg depends on it. {} in the ledger, {} on the platform: {} by the \
         rates and {} by what one side alone has open",
        money(page.ledger),
        money(page.platform),
        money(page.exchange),
        money(page.in_currency),
    )
}
