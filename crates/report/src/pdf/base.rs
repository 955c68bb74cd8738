//! The base page.

use tieout_flows::tie_out::{BasePage, Document, Report, Valued};

use super::paper::{POINT, Paper, Style};
use super::table::{Column, captioned, table};
use super::{TEXT, cell};
use crate::base;
use crate::format::{Format, clean};
use crate::words;

const SMALL: Style = Style::plain(7 * POINT);

/// The page; nothing where the report is in base currency.
pub(super) fn section(paper: &mut Paper, report: &Report) {
    let Some(page) = &report.base else { return };
    let format = Format::of(page.currency);
    paper.next_section(&base::heading(page));
    paper.paragraph(TEXT, base::NOTE);
    paper.gap(4 * POINT);
    let rows: Vec<_> = base::sums(report, page)
        .iter()
        .map(|(text, amount)| vec![cell(TEXT, text), cell(TEXT, &format.amount(*amount))])
        .collect();
    let columns = [Column::words("", 1), Column::figures("")];
    table(paper, TEXT.size, &columns, &rows);
    lines(paper, report, page, format);
    untold(paper, page);
}

fn lines(paper: &mut Paper, report: &Report, page: &BasePage, format: Format) {
    if page.lines.is_empty() {
        return;
    }
    let columns = [
        Column::short("Category"),
        Column::words("Vendor", 20),
        Column::words("Ledger", 30),
        Column::words("Platform", 34),
        Column::short("Date"),
        Column::figures("Difference"),
    ];
    let rows: Vec<_> = page
        .lines
        .iter()
        .map(|line| {
            let side = |of: &Valued| {
                vec![
                    (SMALL, clean(&of.label)),
                    (SMALL.grey(), base::valued(report, page, of)),
                ]
            };
            vec![
                cell(SMALL.bold(), base::code(line)),
                cell(SMALL, &clean(&line.vendor)),
                side(&line.ledger),
                side(&line.platform),
                cell(SMALL, &line.date.to_string()),
                cell(SMALL, &format.amount(line.amount)),
            ]
        })
        .collect();
    captioned(paper, "Document by document", SMALL.size, &columns, &rows);
}

fn untold(paper: &mut Paper, page: &BasePage) {
    if page.untold.is_empty() {
        return;
    }
    let columns = [
        Column::words("Ledger", 3),
        Column::words("Platform", 4),
        Column::words("Vendor", 3),
        Column::words("Why", 5),
    ];
    let rows: Vec<_> = page
        .untold
        .iter()
        .map(|untold| {
            let side = |of: &Document| vec![(SMALL, words::record(of)), (SMALL, clean(&of.label))];
            vec![
                side(&untold.ledger),
                side(&untold.platform),
                cell(SMALL, &clean(&untold.vendor)),
                cell(SMALL, &clean(&untold.cause)),
            ]
        })
        .collect();
    let title = base::UNTOLD.trim_end_matches(':');
    captioned(paper, title, SMALL.size, &columns, &rows);
}
