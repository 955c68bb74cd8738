//! Tables, on the page and as CSV.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use tieout_domain::{Money, State, Timestamp};
use tieout_report::{Format, harmless};

use super::{Address, amount, badge, notice, time};

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    name: Cow<'static, str>,
    end: bool,
    room: Room,
    csv: Csv,
}

/// How much room it needs, where there is some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Word,
    Person,
    Sentence,
}

/// How many columns of a CSV file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Csv {
    None,
    One,
    WithCurrency,
}

impl Column {
    /// Words.
    #[must_use]
    pub fn text(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, false, Csv::One)
    }

    /// Sentences.
    #[must_use]
    pub fn sentence(name: impl Into<Cow<'static, str>>) -> Self {
        let room = Room::Sentence;
        Self {
            room,
            ..Self::text(name)
        }
    }

    /// Who did it.
    #[must_use]
    pub fn person(name: impl Into<Cow<'static, str>>) -> Self {
        let room = Room::Person;
        Self {
            room,
            ..Self::text(name)
        }
    }

    /// Numbers, aligned at their ends.
    #[must_use]
    pub fn number(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, true, Csv::One)
    }

    /// An amount in each row; as CSV its currency has a column of its own.
    #[must_use]
    pub fn money(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, true, Csv::WithCurrency)
    }

    /// What is there to act with: buttons, boxes. No part of the CSV.
    #[must_use]
    pub fn act(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, false, Csv::None)
    }

    fn new(name: impl Into<Cow<'static, str>>, end: bool, csv: Csv) -> Self {
        let name = name.into();
        Self {
            name,
            end,
            room: Room::Word,
            csv,
        }
    }
}

/// What stands in a column of a row: on the page, and as CSV.
#[derive(Debug, Clone)]
pub struct Cell {
    shown: Markup,
    plain: [String; 2],
    differs: bool,
}

impl Cell {
    /// Anything: what is shown, and its plain words.
    pub fn shown(shown: Markup, plain: impl Into<String>) -> Self {
        Self {
            shown,
            plain: [plain.into(), String::new()],
            differs: false,
        }
    }

    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::shown(html! { (text) }, text)
    }

    /// Words that lead somewhere.
    pub fn link(address: &Address, text: impl Into<String>) -> Self {
        let text = text.into();
        Self::shown(html! { a href=(address) { (text) } }, text)
    }

    /// A count.
    #[must_use]
    pub fn number(number: u64) -> Self {
        Self::shown(
            html! { span.number.none[number == 0] { (amount::grouped(number)) } },
            number.to_string(),
        )
    }

    /// An amount, for a [`Column::money`]; nothing where there is none.
    #[must_use]
    pub fn money(money: Option<Money>) -> Self {
        let Some(money) = money else {
            return Self::text("");
        };
        Self {
            shown: amount::money(money),
            plain: [
                Format::of(money.currency).plain(money.amount),
                money.currency.to_string(),
            ],
            differs: false,
        }
    }

    /// Sums by currency, for a [`Column::number`].
    #[must_use]
    pub fn sums(sums: &[Money]) -> Self {
        let plain: Vec<_> = sums.iter().map(Money::to_string).collect();
        Self::shown(amount::sums(sums), plain.join("; "))
    }

    /// A moment in the company's zone.
    #[must_use]
    pub fn moment(at: Timestamp, zone: &TimeZone) -> Self {
        Self::shown(time::moment(at, zone), time::plain(at, zone))
    }

    /// A state.
    #[must_use]
    pub fn state(state: State) -> Self {
        Self::shown(badge::state(state), state.as_str())
    }

    /// Marked as differing from its neighbour. It says so in words too.
    #[must_use]
    pub fn differing(mut self) -> Self {
        self.differs = true;
        self
    }
}

/// Rows under columns.
pub struct Table {
    id: &'static str,
    title: String,
    note: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    empty: Option<(String, String)>,
}

impl Table {
    /// A table. The id names it on the page and in its CSV's address.
    pub fn new(
        id: &'static str,
        title: impl Into<String>,
        columns: impl IntoIterator<Item = Column>,
    ) -> Self {
        Self {
            id,
            title: title.into(),
            note: String::new(),
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
            empty: None,
        }
    }

    /// With a few words beside the title.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// What is said where there are no rows: that there is nothing, and why.
    #[must_use]
    pub fn or_empty(mut self, what: impl Into<String>, why: impl Into<String>) -> Self {
        self.empty = Some((what.into(), why.into()));
        self
    }

    /// One more row, a cell for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table on its page, whose own address leads to the CSV.
    #[must_use]
    pub fn show(&self, page: &Address) -> Markup {
        let id = format!("{}-title", self.id);
        html! {
            figure.table id=(self.id) {
                figcaption {
                    span {
                        strong id=(id) { (self.title) }
                        @if !self.note.is_empty() { span.soft { (self.note) } }
                    }
                    @if !self.is_empty() {
                        a.csv href=(page.clone().with("csv", self.id)) download aria-label={ (self.title) " as CSV" } { "CSV" }
                    }
                }
                @if self.is_empty() {
                    @match &self.empty {
                        Some((what, why)) => { (notice::empty(what, why)) },
                        None => { (notice::empty("Nothing here", "")) },
                    }
                } @else { (self.body(&id)) }
            }
        }
    }

    /// The roles are said once more, because on a phone the rows are no rows of a table to a browser.
    fn body(&self, title: &str) -> Markup {
        html! {
            table.stacks role="table" aria-labelledby=(title) {
                thead role="rowgroup" {
                    tr role="row" {
                        @for column in &self.columns {
                            th.end[column.end] scope="col" role="columnheader" {
                                @if column.name.is_empty() { span.visually-hidden { "Actions" } } @else { (column.name) }
                            }
                        }
                    }
                }
                tbody role="rowgroup" {
                    @for row in &self.rows {
                        tr role="row" {
                            @for (column, cell) in self.columns.iter().zip(row) { (self.cell(column, cell)) }
                        }
                    }
                }
            }
        }
    }

    fn cell(&self, column: &Column, cell: &Cell) -> Markup {
        let bare = cell.shown.0.is_empty();
        html! {
            td.end[column.end]
                .tool[column.csv == Csv::None]
                .prose[column.room == Room::Sentence]
                .person[column.room == Room::Person]
                .differs[cell.differs]
                .bare[bare] role="cell" data-label=(column.name) {
                // One piece, so that on a phone it stays in one place beside the column's name.
                div { (cell.shown) @if cell.differs { span.visually-hidden { " (differs)" } } }
            }
        }
    }

    /// The table as CSV, to be kept under the table's name. A text that a spreadsheet would take for a formula
    /// begins with an apostrophe.
    #[must_use]
    pub fn csv(&self) -> Response {
        let name = format!("attachment; filename=\"tieout-{}.csv\"", self.id);
        let headers = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ];
        (headers, self.csv_text()).into_response()
    }

    fn csv_text(&self) -> String {
        let mut text = String::new();
        let mut header = Vec::new();
        for column in self.columns.iter().filter(|it| it.csv != Csv::None) {
            header.push(column.name.to_string());
            if column.csv == Csv::WithCurrency {
                header.push(format!("{} currency", column.name));
            }
        }
        line(&mut text, &header);
        for row in &self.rows {
            let mut cells = Vec::new();
            for (column, cell) in self.columns.iter().zip(row) {
                let [first, second] = &cell.plain;
                match column.csv {
                    Csv::None => {}
                    Csv::One => cells.push(harmless(first)),
                    Csv::WithCurrency => cells.extend([harmless(first), harmless(second)]),
                }
            }
            line(&mut text, &cells);
        }
        text
    }
}

/// A record after RFC 4180: every cell quoted, its quotes doubled.
fn line(text: &mut String, cells: &[String]) {
    let quoted: Vec<String> = cells
        .iter()
        .map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")))
        .collect();
    text.push_str(&quoted.join(","));
    text.push_str("\r\n");
}

/// The CSV that an address asks for, if it asks for one of these tables.
pub fn csv_asked(asked: Option<&str>, tables: &[&Table]) -> Option<Response> {
    let asked = asked?;
    let table = tables.iter().find(|table| table.id == asked)?;
    Some(table.csv())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_the_same_on_the_page_and_as_csv() {
        let mut table = Table::new(
            "bills",
            "Bills",
            [
                Column::text("Vendor"),
                Column::money("Open"),
                Column::number("Sums"),
                Column::act(""),
            ],
        );
        let money: Money = Money {
            amount: "-1234.5".parse().unwrap(),
            currency: "USD".parse().unwrap(),
        };
        table.row([
            Cell::text("=HYPERLINK(\"x\")<b>"),
            Cell::money(Some(money)),
            Cell::sums(&[money, money]),
            Cell::shown(html! { "button" }, ""),
        ]);
        assert_eq!(
            table.csv_text(),
            "\"Vendor\",\"Open\",\"Open currency\",\"Sums\"\r\n\
             \"'=HYPERLINK(\"\"x\"\")<b>\",\"-1234.50\",\"USD\",\"-1,234.50 USD; -1,234.50 USD\"\r\n"
                .replace("\"-1,234.50 USD; -1,234.50 USD\"", "\"'-1,234.50 USD; -1,234.50 USD\"")
        );
        let page = table.show(&Address::of(["bills"])).into_string();
        assert!(page.contains("=HYPERLINK(&quot;x&quot;)&lt;b&gt;"));
        assert!(page.contains("href=\"/bills?csv=bills\""));
    }

    #[test]
    fn an_empty_table_says_why() {
        let table = Table::new("runs", "Runs", [Column::text("Run")])
            .or_empty("No runs yet", "The first one starts within 15 minutes.");
        let page = table.show(&Address::of(["runs"])).into_string();
        assert!(page.contains("The first one starts within 15 minutes."));
        assert!(!page.contains("csv="));
    }
}
