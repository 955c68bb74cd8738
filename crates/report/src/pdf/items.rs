//! The differences of a leg.

use tieout_flows::tie_out::{Document, Item, Leg, Report};

use super::paper::{POINT, Paper, Style};
use super::table::{Cell, Column, captioned};
use crate::format::{Format, clean};
use crate::words;

const SMALL: Style = Style::plain(7 * POINT);

/// All items of the leg; nothing if it has none.
pub(super) fn items(paper: &mut Paper, report: &Report, format: Format, leg: Leg) {
    let rows: Vec<_> = report.items_of(leg).map(|item| row(format, item)).collect();
    if rows.is_empty() {
        return;
    }
    let columns = [
        Column::short("Category"),
        Column::words(report.book.party_title(), 20),
        Column::words("Ledger", 17),
        Column::words("Platform", 24),
        Column::short("Date, age"),
        Column::words("Cause and owner", 39),
        Column::figures("Difference"),
    ];
    captioned(paper, "Item by item", SMALL.size, &columns, &rows);
}

fn row(format: Format, item: &Item) -> Vec<Cell> {
    let owner = if item.is_owned() { SMALL } else { SMALL.grey() };
    vec![
        vec![
            (SMALL.bold(), item.category.code().to_owned()),
            (
                SMALL.grey(),
                words::gravity(item.category.gravity()).to_owned(),
            ),
        ],
        vec![(SMALL, clean(&item.vendor))],
        document(format, item.ledger.as_ref()),
        document(format, item.platform.as_ref()),
        vec![
            (SMALL, item.date.to_string()),
            (SMALL, words::days(item.age_days)),
        ],
        vec![(SMALL, words::cause(item)), (owner, words::owner(item))],
        vec![(SMALL, format.amount(item.amount))],
    ]
}

fn document(format: Format, document: Option<&Document>) -> Cell {
    let Some(document) = document else {
        return vec![(SMALL.grey(), "none".to_owned())];
    };
    vec![
        (SMALL, words::record(document)),
        (SMALL, clean(&document.label)),
        (SMALL.grey(), format.amount(document.amount)),
    ]
}
