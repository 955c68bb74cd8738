//! PDF: the report in print, with its font inside. The same report gives the same bytes: its only time is the time at
//! which it was made.

mod base;
mod evidence;
mod font;
mod items;
mod paper;
mod pen;
mod picture;
mod table;

use paper::{Ink, MARGIN, Mark, POINT, Paper, Style};
use table::{Cell, Column, captioned, table};
use tieout_domain::Amount;
use tieout_flows::tie_out::{Flow, Leg, LegReport, Report};

use crate::format::{Format, clean};
use crate::sums::{self, less};
use crate::{waterfall, words};

/// Why there is no PDF. Neither is a matter of the report: both mean that the program was built wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// The font can't be read.
    #[error("the font that belongs to the program can't be read")]
    Font,
    /// The document can't be written, in the library's words.
    #[error("the PDF can't be written: {0}")]
    Write(String),
}

/// The size of running text and of tables.
const TEXT: Style = Style::plain(9 * POINT);

/// The report as a PDF.
///
/// # Errors
/// [`PdfError`], if font and library don't fit each other.
pub fn pdf(report: &Report) -> Result<Vec<u8>, PdfError> {
    let format = Format::of(report.currency);
    let title = format!(
        "{}: {}, {}, {}",
        words::TITLE,
        clean(&report.connection),
        clean(&report.period.name),
        report.currency
    );
    let head = format!("{title}: {}", report.status.as_str());
    let mut paper = Paper::new(report.currency, head)?;
    cover(&mut paper, report, format);
    for leg in &report.legs {
        section(&mut paper, report, format, leg);
    }
    for leg in sums::legs_aside(report) {
        paper.next_section(&words::leg_aside(leg));
        items::items(&mut paper, report, format, leg);
    }
    advisories(&mut paper, report, format);
    basis(&mut paper, report, format);
    aging(&mut paper, report, format);
    base::section(&mut paper, report);
    evidence::section(&mut paper, report, format);
    paper.finish(&format!("{title}, made {}", report.made_at));
    pen::draw(&paper, &title, report.made_at)
}

fn cover(paper: &mut Paper, report: &Report, format: Format) {
    paper.places.push(("Cover".to_owned(), 0, 0));
    paper.paragraph(Style::plain(20 * POINT).bold(), words::TITLE);
    let connection = clean(&report.connection);
    paper.paragraph(Style::plain(12 * POINT).grey(), &connection);
    paper.gap(10 * POINT);
    status(paper, report);
    let mut rows: Vec<_> = [
        ("Ledger", words::party(&report.ledger)),
        ("Platform", words::party(&report.platform)),
        ("Control accounts", words::accounts(&report.accounts)),
        ("Clearing accounts", words::accounts(&report.clearing)),
        ("Period", words::period(report)),
        ("Day reported on", format!("the end of {}", report.day)),
        ("Figures", words::as_of(report)),
        ("Ledger counts", words::basis(report).to_owned()),
        ("Currency of all amounts", report.currency.to_string()),
        ("Made", report.made_at.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| vec![cell(TEXT.grey(), name), cell(TEXT, &value)])
    .collect();
    rows.extend(report.notices.iter().map(|notice| {
        vec![
            cell(TEXT.grey(), "Notice"),
            cell(TEXT.bold(), &clean(notice)),
        ]
    }));
    let columns = [Column::short(""), Column::words("", 1)];
    table(paper, TEXT.size, &columns, &rows);
    paper.gap(8 * POINT);
    summary(paper, report, format);
    if let Some(warning) = words::not_to_be_signed(report.status) {
        paper.gap(8 * POINT);
        paper.paragraph(TEXT.bold(), warning);
    }
    signatures(paper, report);
}

fn status(paper: &mut Paper, report: &Report) {
    let style = Style::plain(16 * POINT).bold();
    let text = format!("{}{}", words::sign(report.status), report.status.as_str());
    paper.put(Mark::Box {
        x: MARGIN,
        y: paper.y,
        width: paper.body(),
        height: 30 * POINT,
        fill: None,
        dashed: false,
    });
    paper.gap(6 * POINT);
    paper.line_of(MARGIN + 10 * POINT, style, &text);
    paper.gap(30 * POINT);
    for reason in &report.reasons {
        let text = format!("- {}", clean(reason));
        paper.block(MARGIN + 10 * POINT, paper.body() - 10 * POINT, TEXT, &text);
    }
    paper.gap(8 * POINT);
}

fn summary(paper: &mut Paper, report: &Report, format: Format) {
    let columns = [
        Column::words("Leg", 1),
        Column::figures("Left"),
        Column::figures("Right"),
        Column::figures("Difference"),
        Column::figures("Explained"),
        Column::figures("Residual"),
    ];
    let rows: Vec<_> = report
        .legs
        .iter()
        .map(|leg| {
            let style = Style::plain(8_500);
            let mut row = vec![cell(style, &words::leg(leg))];
            let amounts = [
                leg.left.amount,
                leg.right.amount,
                leg.difference,
                leg.explained,
            ];
            row.extend(amounts.map(|amount| cell(style, &format.amount(amount))));
            row.push(residual(style, format, leg));
            row
        })
        .collect();
    table(paper, 8_500, &columns, &rows);
}

/// A residual, with words above it if there is one.
fn residual(style: Style, format: Format, leg: &LegReport) -> Cell {
    let amount = format.amount(leg.residual);
    if leg.residual.is_zero() {
        return cell(style, &amount);
    }
    vec![
        (style.bold(), words::NOT_EXPLAINED.to_owned()),
        (style.bold(), amount),
    ]
}

fn signatures(paper: &mut Paper, report: &Report) {
    paper.need(140 * POINT);
    paper.gap(24 * POINT);
    let between = 30 * POINT;
    let width = (paper.body() - between) / 2;
    let top = paper.y;
    for ((title, role), x) in words::ROLES
        .into_iter()
        .zip([MARGIN, MARGIN + width + between])
    {
        paper.y = top;
        paper.line_of(x, TEXT.bold(), title);
        paper.gap(14 * POINT);
        for (name, said) in words::SIGNATURE
            .into_iter()
            .zip(words::signed(report, role))
        {
            paper.gap(18 * POINT);
            paper.line_of(x, Style::plain(7 * POINT).grey(), name);
            paper.line_of(x + 52 * POINT, TEXT, &said);
            paper.gap(11 * POINT);
            let line = Mark::Line {
                from: (x, paper.y),
                to: (x + width, paper.y),
                thick: 600,
                ink: Ink::Black,
            };
            paper.put(line);
        }
    }
}

fn section(paper: &mut Paper, report: &Report, format: Format, leg: &LegReport) {
    paper.next_section(&words::leg(leg));
    let part = TEXT.grey();
    let line = |style: Style, text: String, amount: Amount| {
        vec![cell(style, &text), cell(style, &format.amount(amount))]
    };
    let mut rows = vec![
        line(TEXT, words::figure(&leg.left), leg.left.amount),
        line(TEXT, words::figure(&leg.right), leg.right.amount),
        line(TEXT.bold(), words::difference(leg), leg.difference),
    ];
    rows.extend(sums::by_category(report, leg.leg).into_iter().map(|sum| {
        let (code, count) = (sum.category.code(), words::items(sum.count));
        let text = format!("    {code}  {}, {count}", sum.category.title());
        line(part, text, sum.amount)
    }));
    rows.push(line(
        TEXT,
        words::explained(leg.leg).to_owned(),
        leg.explained,
    ));
    rows.push(vec![
        cell(TEXT.bold(), "Residual"),
        residual(TEXT.bold(), format, leg),
    ]);
    let columns = [Column::words("", 1), Column::figures("")];
    table(paper, TEXT.size, &columns, &rows);
    if let Some(note) = sums::beside_the_difference(report, leg) {
        paper.paragraph(TEXT, note);
    }
    flows(paper, format, &leg.flows);
    if leg.leg == Leg::Platform
        && let Some(waterfall) = waterfall::of(report, leg)
    {
        picture::picture(paper, format, &waterfall);
    }
    items::items(paper, report, format, leg.leg);
}

fn flows(paper: &mut Paper, format: Format, flows: &[Flow]) {
    if flows.is_empty() {
        return;
    }
    let columns = [
        Column::words("Flow", 1),
        Column::figures("Ledger, number"),
        Column::figures("Ledger, amount"),
        Column::figures("Platform, number"),
        Column::figures("Platform, amount"),
    ];
    let rows: Vec<_> = flows
        .iter()
        .map(|flow| {
            vec![
                cell(TEXT, &clean(&flow.label)),
                cell(TEXT, &flow.ledger_count.to_string()),
                cell(TEXT, &format.amount(flow.ledger_amount)),
                cell(TEXT, &flow.platform_count.to_string()),
                cell(TEXT, &format.amount(flow.platform_amount)),
            ]
        })
        .collect();
    captioned(
        paper,
        "What happened in the period",
        TEXT.size,
        &columns,
        &rows,
    );
}

fn advisories(paper: &mut Paper, report: &Report, format: Format) {
    if report.advisories.is_empty() {
        return;
    }
    paper.next_section(words::ADVISORIES);
    paper.paragraph(TEXT, words::ADVISORY);
    paper.gap(4 * POINT);
    let small = Style::plain(8 * POINT);
    let columns = [
        Column::short("Advisory"),
        Column::words("Vendor", 2),
        Column::short("Paid"),
        Column::words("Why, and which payment", 5),
        Column::figures("Amount"),
    ];
    let rows: Vec<_> = report
        .advisories
        .iter()
        .map(|advisory| {
            vec![
                cell(small.bold(), advisory.signal.code()),
                cell(small, &clean(&advisory.vendor)),
                cell(small, &advisory.date.to_string()),
                vec![
                    (small, clean(&advisory.words)),
                    (small.grey(), words::payment(advisory)),
                ],
                cell(small, &format.amount(words::went(advisory))),
            ]
        })
        .collect();
    table(paper, small.size, &columns, &rows);
}

fn basis(paper: &mut Paper, report: &Report, format: Format) {
    paper.next_section("Memo: what an aging report by transaction date shows");
    paper.paragraph(TEXT, &words::memo(report));
    paper.gap(4 * POINT);
    let columns = [
        Column::words("Record", 2),
        Column::words("Document", 2),
        Column::words("Vendor", 3),
        Column::short("Dated"),
        Column::short("Period to"),
        Column::figures("Amount"),
    ];
    let small = Style::plain(8 * POINT);
    let rows: Vec<_> = report
        .basis
        .iter()
        .map(|line| {
            vec![
                cell(small, &words::record(&line.document)),
                cell(small, &clean(&line.document.label)),
                cell(small, &clean(&line.vendor)),
                cell(small, &line.date.to_string()),
                cell(small, &line.posted.to_string()),
                cell(small, &format.amount(line.amount)),
            ]
        })
        .collect();
    if !rows.is_empty() {
        table(paper, small.size, &columns, &rows);
    }
    let sum = vec![
        cell(
            TEXT.bold(),
            "Aging by transaction date, less sub-ledger by period",
        ),
        cell(TEXT.bold(), &format.amount(report.basis_difference)),
    ];
    let columns = [Column::words("", 1), Column::figures("")];
    table(paper, TEXT.size, &columns, &[sum]);
    paper.gap(16 * POINT);
}

fn aging(paper: &mut Paper, report: &Report, format: Format) {
    if report.aging.is_empty() {
        return;
    }
    paper.heading(&format!("Open by age at the end of {}", report.day));
    let columns = [
        Column::words("Due", 1),
        Column::figures("Ledger"),
        Column::figures("Platform"),
        Column::figures("Difference"),
    ];
    let row = |style: Style, name: &str, ledger: Amount, platform: Amount| {
        let mut row = vec![cell(style, name)];
        let amounts = [ledger, platform, less(ledger, platform)];
        row.extend(amounts.map(|amount| cell(style, &format.amount(amount))));
        row
    };
    let mut rows: Vec<_> = report
        .aging
        .iter()
        .map(|aging| row(TEXT, &clean(&aging.bucket), aging.ledger, aging.platform))
        .collect();
    rows.push(row(
        TEXT.bold(),
        "Total",
        report.aging.iter().map(|aging| aging.ledger).sum(),
        report.aging.iter().map(|aging| aging.platform).sum(),
    ));
    table(paper, TEXT.size, &columns, &rows);
}

/// A cell of one text.
fn cell(style: Style, text: &str) -> Cell {
    vec![(style, text.to_owned())]
}
