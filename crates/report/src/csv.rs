//! CSV, for a spreadsheet or a program: one table after RFC 4180, and what a row is stands in its first column.

use ::csv::{Terminator, WriterBuilder};
use tieout_domain::{Amount, RecordRef};
use tieout_flows::tie_out::{Advisory, BasePage, Document, Flow, Item, Leg, LegReport, Report};

use crate::base;
use crate::format::Format;
use crate::sums::less;
use crate::words;

/// The column of the vendor; a report of receivables calls it the customer's.
const PARTY: &str = "vendor";

/// The columns. Each row fills those that it has a value for.
const COLUMNS: [&str; 34] = [
    "row",
    "leg",
    "category",
    "gravity",
    "ledger_id",
    "ledger_document",
    "ledger_amount",
    "platform_id",
    "platform_document",
    "platform_amount",
    PARTY,
    "difference",
    "date",
    "age_days",
    "cause",
    "code",
    "clears_by",
    "owner",
    "comment",
    "label",
    "ledger_count",
    "platform_count",
    "explained",
    "residual",
    "posted",
    "expected",
    "found",
    "holds",
    "connection",
    "period",
    "day",
    "currency",
    "status",
    "as_of",
];

/// The report as CSV, with a row for each leg, flow, item, advisory, line of the memo, age, document of the base page and
/// check, and a header.
///
/// Amounts are plain numbers. A text that a spreadsheet would take for a formula begins with an apostrophe.
#[must_use]
pub fn csv(report: &Report) -> String {
    let mut table = Table::new(report);
    for leg in &report.legs {
        table.leg(leg);
        for flow in &leg.flows {
            table.flow(leg.leg, flow);
        }
    }
    for item in &report.items {
        table.item(item);
    }
    for advisory in &report.advisories {
        table.advisory(advisory);
    }
    for line in &report.basis {
        let mut row = table.row("basis");
        row.document("ledger", Some(&line.document));
        row.text(PARTY, &line.vendor);
        row.amount("difference", line.amount);
        row.put("date", line.date);
        row.put("posted", line.posted);
        table.end(row);
    }
    for aging in &report.aging {
        let mut row = table.row("aging");
        row.text("label", &aging.bucket);
        row.amount("ledger_amount", aging.ledger);
        row.amount("platform_amount", aging.platform);
        row.amount("difference", less(aging.ledger, aging.platform));
        table.end(row);
    }
    if let Some(page) = &report.base {
        table.base(page);
    }
    for check in &report.completeness.checks {
        let mut row = table.row("check");
        row.text("label", &check.what);
        row.text("expected", &check.expected);
        row.text("found", &check.found);
        row.put("holds", if check.holds { "yes" } else { "no" });
        table.end(row);
    }
    table.finish()
}

struct Table<'a> {
    report: &'a Report,
    format: Format,
    writer: ::csv::Writer<Vec<u8>>,
}

impl<'a> Table<'a> {
    fn new(report: &'a Report) -> Self {
        let mut writer = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(Vec::new());
        writer
            .write_record(COLUMNS.map(|column| match column {
                PARTY => report.book.party(),
                other => other,
            }))
            .expect("memory takes every record");
        Self {
            report,
            format: Format::of(report.currency),
            writer,
        }
    }

    fn row(&self, kind: &str) -> Row {
        let mut row = Row {
            format: self.format,
            cells: vec![String::new(); COLUMNS.len()],
        };
        let report = self.report;
        row.put("row", kind);
        row.text("connection", &report.connection);
        row.text("period", &report.period.name);
        row.put("day", report.day);
        row.put("currency", report.currency);
        row.put("status", report.status.as_str());
        row.put("as_of", words::as_of(report));
        row
    }

    fn leg(&mut self, leg: &LegReport) {
        let mut row = self.row("leg");
        row.put("leg", leg.leg.number());
        row.text("label", &leg.title);
        row.text("ledger_id", &leg.left.symbol);
        row.text("ledger_document", &leg.left.label);
        row.amount("ledger_amount", leg.left.amount);
        row.text("platform_id", &leg.right.symbol);
        row.text("platform_document", &leg.right.label);
        row.amount("platform_amount", leg.right.amount);
        row.amount("difference", leg.difference);
        row.amount("explained", leg.explained);
        row.amount("residual", leg.residual);
        self.end(row);
    }

    fn flow(&mut self, leg: Leg, flow: &Flow) {
        let mut row = self.row("flow");
        row.put("leg", leg.number());
        row.text("label", &flow.label);
        row.put("ledger_count", flow.ledger_count);
        row.amount("ledger_amount", flow.ledger_amount);
        row.put("platform_count", flow.platform_count);
        row.amount("platform_amount", flow.platform_amount);
        row.amount("difference", less(flow.ledger_amount, flow.platform_amount));
        self.end(row);
    }

    fn item(&mut self, item: &Item) {
        let mut row = self.row("item");
        row.put("leg", item.category.leg().number());
        row.put("category", item.category.code());
        row.put("gravity", item.category.gravity().as_str());
        row.document("ledger", item.ledger.as_ref());
        row.document("platform", item.platform.as_ref());
        row.text(PARTY, &item.vendor);
        row.amount("difference", item.amount);
        row.put("date", item.date);
        row.put("age_days", item.age_days);
        row.text("cause", &item.cause);
        if let Some(code) = &item.code {
            row.text("code", code.as_str());
        }
        if let Some(day) = item.clears_by {
            row.put("clears_by", day);
        }
        row.text("owner", &item.owner);
        row.text("comment", &item.comment);
        self.end(row);
    }

    /// Its signal stands as its category, its words as the cause; there is no difference.
    fn advisory(&mut self, advisory: &Advisory) {
        let mut row = self.row("advisory");
        row.put("category", advisory.signal.code());
        row.document("ledger", advisory.ledger.as_ref());
        row.document("platform", advisory.platform.as_ref());
        row.text(PARTY, &advisory.vendor);
        row.put("date", advisory.date);
        row.text("cause", &advisory.words);
        self.end(row);
    }

    /// Amounts are in base currency; how a document comes to its own is the cause.
    fn base(&mut self, page: &BasePage) {
        let row = |table: &Self, kind| {
            let mut row = table.row(kind);
            row.format = Format::of(page.currency);
            row.put("currency", page.currency);
            row
        };
        let mut total = row(self, "base-total");
        total.amount("ledger_amount", page.ledger);
        total.amount("platform_amount", page.platform);
        total.amount("difference", page.difference);
        self.end(total);
        for line in &page.lines {
            let mut row = row(self, "base");
            row.put("category", base::code(line));
            for (side, of) in [("ledger", &line.ledger), ("platform", &line.platform)] {
                row.text(&format!("{side}_id"), &id(&of.record));
                row.text(&format!("{side}_document"), &of.label);
                row.amount(&format!("{side}_amount"), of.base);
            }
            row.text("vendor", &line.vendor);
            row.amount("difference", line.amount);
            row.put("date", line.date);
            let valued =
                [&line.ledger, &line.platform].map(|of| base::valued(self.report, page, of));
            row.text("cause", &valued.join("; "));
            self.end(row);
        }
        for untold in &page.untold {
            let mut row = self.row("base-untold");
            row.document("ledger", Some(&untold.ledger));
            row.document("platform", Some(&untold.platform));
            row.text("vendor", &untold.vendor);
            row.text("cause", &untold.cause);
            self.end(row);
        }
    }

    fn end(&mut self, row: Row) {
        self.writer
            .write_record(row.cells)
            .expect("memory takes every record");
    }

    fn finish(self) -> String {
        let bytes = self.writer.into_inner().expect("memory takes every record");
        String::from_utf8(bytes).expect("all cells are UTF-8")
    }
}

struct Row {
    format: Format,
    cells: Vec<String>,
}

impl Row {
    /// A value of ours.
    fn put(&mut self, column: &str, value: impl ToString) {
        let at = COLUMNS.iter().position(|name| *name == column);
        self.cells[at.expect("a column of the table")] = value.to_string();
    }

    /// A text of others'.
    fn text(&mut self, column: &str, text: &str) {
        self.put(column, harmless(text));
    }

    fn amount(&mut self, column: &str, amount: Amount) {
        self.put(column, self.format.plain(amount));
    }

    fn document(&mut self, side: &str, document: Option<&Document>) {
        let Some(document) = document else { return };
        self.text(&format!("{side}_id"), &id(&document.record));
        self.text(&format!("{side}_document"), &document.label);
        self.amount(&format!("{side}_amount"), document.amount);
    }
}

/// `bill/7201`: ids are unique within a kind only.
fn id(record: &RecordRef) -> String {
    format!("{}/{}", record.kind, record.id)
}

/// Keeps a spreadsheet from reckoning what somebody wrote: an apostrophe goes before what looks like a formula.
/// A plain number stays one.
#[must_use]
pub fn harmless(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let number = text.strip_prefix(['-', '+']).is_some_and(is_number);
    if risky && !number {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_made_text_and_numbers_stay_numbers() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+SUM(A1)", "'+SUM(A1)"),
            ("-2+3", "'-2+3"),
            ("@x", "'@x"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("-", "'-"),
            ("-12.50", "-12.50"),
            ("+7", "+7"),
            ("-1.2.3", "'-1.2.3"),
            ("Acme", "Acme"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), expected, "{text:?}");
        }
    }
}
