//! Why what was read is known to be all: for the auditor.

use tieout_flows::tie_out::{Extract, Report};

use super::paper::{MARGIN, POINT, Paper, Style};
use super::table::{Column, captioned, table};
use super::{TEXT, cell};
use crate::format::{Format, clean, clean_lines};

/// Queries, hashes and other small things.
const SMALL: Style = Style::plain(7_500);

/// What was read, how it was checked, and how every record stands.
pub(super) fn section(paper: &mut Paper, report: &Report, format: Format) {
    let completeness = &report.completeness;
    paper.next_section("Completeness: why this is known to be all");
    let words = format!(
        "Both sides were read within {} seconds by tieout {}, under the rules {}.",
        completeness.window_seconds,
        clean(&completeness.version),
        clean(&completeness.rules)
    );
    paper.paragraph(TEXT, &words);
    checks(paper, report);
    for extract in &completeness.extracts {
        read(paper, format, extract);
    }
    states(paper, report);
}

fn checks(paper: &mut Paper, report: &Report) {
    let checks = &report.completeness.checks;
    if checks.is_empty() {
        return;
    }
    paper.gap(6 * POINT);
    let columns = [
        Column::words("Check", 3),
        Column::words("Expected", 2),
        Column::words("Found", 2),
        Column::short("Result"),
    ];
    let rows: Vec<_> = checks
        .iter()
        .map(|check| {
            let (style, result) = if check.holds {
                (SMALL, "holds")
            } else {
                (SMALL.bold(), "!! FAILS")
            };
            vec![
                cell(style, &clean(&check.what)),
                cell(style, &clean(&check.expected)),
                cell(style, &clean(&check.found)),
                cell(style, result),
            ]
        })
        .collect();
    table(paper, SMALL.size, &columns, &rows);
}

fn read(paper: &mut Paper, format: Format, extract: &Extract) {
    paper.need(110 * POINT);
    paper.subheading(&format!("Read: {}", clean(&extract.what)));
    let indent = 10 * POINT;
    for line in clean_lines(&extract.query) {
        paper.block(MARGIN + indent, paper.body() - indent, SMALL, &line);
    }
    paper.gap(3 * POINT);
    let (style, last) = if extract.last_page_seen {
        (SMALL, "seen")
    } else {
        (SMALL.bold(), "!! NOT SEEN")
    };
    let times = format!("{} to {}", extract.started, extract.ended);
    let rows = [
        ("Rows", SMALL, extract.rows.to_string()),
        ("Total", SMALL, format.amount(extract.total)),
        ("Read", SMALL, times),
        ("The service's own time", SMALL, clean(&extract.server_time)),
        ("Last page", style, last.to_owned()),
        ("SHA-256 of the rows", SMALL, clean(&extract.sha256)),
    ];
    let rows: Vec<_> = rows
        .into_iter()
        .filter(|(_, _, value)| !value.is_empty())
        .map(|(name, style, value)| vec![cell(SMALL.grey(), name), cell(style, &value)])
        .collect();
    let columns = [Column::short(""), Column::words("", 1)];
    table(paper, SMALL.size, &columns, &rows);
}

fn states(paper: &mut Paper, report: &Report) {
    let states = &report.completeness.states;
    if states.is_empty() {
        return;
    }
    let mut rows = Vec::new();
    for (flow, states) in states {
        let flow = clean(flow);
        for (state, count) in states {
            rows.push(vec![
                cell(SMALL, &flow),
                cell(SMALL, &clean(state)),
                cell(SMALL, &count.to_string()),
            ]);
        }
        let all: u64 = states.values().sum();
        rows.push(vec![
            cell(SMALL.bold(), &flow),
            cell(SMALL.bold(), "all"),
            cell(SMALL.bold(), &all.to_string()),
        ]);
    }
    let columns = [
        Column::words("Flow", 1),
        Column::words("State", 2),
        Column::figures("Records"),
    ];
    captioned(
        paper,
        "How every record stands",
        SMALL.size,
        &columns,
        &rows,
    );
}
