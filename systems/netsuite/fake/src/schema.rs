//! The tables of the sandbox: what SuiteQL shows, under its own names.
//!
//! There is one store, an in-memory SQLite whose tables *are* the SuiteQL tables. The types are:
//!
//! | [`Kind`] | stored as | printed by SuiteQL as |
//! |---|---|---|
//! | `Int` | INTEGER | digits |
//! | `Amount` | INTEGER, in units of 10⁻⁷ (see [`to_units`]) | a decimal without trailing zeros |
//! | `Flag` | TEXT `T` or `F` | the same |
//! | `Text` | TEXT | the same |
//! | `Date` | TEXT `2026-01-31` | the account's date format |
//! | `Stamp` | TEXT `2026-01-31 23:59:59`, UTC | the account's date format, in the session's zone |
//!
//! Amounts are whole numbers so that sums and comparisons are exact; no binary float is involved.

mod tables;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::Connection;
use rust_decimal::Decimal;

pub(crate) use tables::TABLES;

/// How many decimal places an amount, rate or quantity keeps.
pub(crate) const PLACES: u32 = 7;

/// Units per one: 10^[`PLACES`].
pub(crate) const UNIT: i64 = 10_000_000;

/// An exact amount in storage units. `None` if it has more than seven decimal places' worth of size
/// (over ±922 billion); digits beyond the seventh place are rounded half to even.
pub(crate) fn to_units(amount: Decimal) -> Option<i64> {
    let scaled = amount.round_dp(PLACES).checked_mul(Decimal::from(UNIT))?;
    i64::try_from(scaled.trunc().mantissa() / 10_i128.pow(scaled.trunc().scale())).ok()
}

/// The exact amount of storage units, without trailing zeros.
pub(crate) fn from_units(units: i64) -> Decimal {
    Decimal::from_i128_with_scale(i128::from(units), PLACES).normalize()
}

/// A point in time as it is stored: UTC, whole seconds.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The point in time of a stored stamp; `None` if the text isn't one.
pub(crate) fn parse_stamp(text: &str) -> Option<Timestamp> {
    let civil = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    civil
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}

/// The date of a stored date; `None` if the text isn't one.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    Date::strptime("%Y-%m-%d", text).ok()
}

/// What a column holds; see the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number: ids, counters.
    Int,
    /// An exact decimal: amounts, rates, quantities.
    Amount,
    /// `T` or `F`.
    Flag,
    /// Free text.
    Text,
    /// A day.
    Date,
    /// A point in time.
    Stamp,
}

/// What `BUILTIN.DF` shows for a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Display {
    /// The value itself.
    Plain,
    /// The named column of the row of another table that has this id.
    Of(&'static str, &'static str),
    /// A transaction's status letter: `Bill : Open`. Needs the row's `type`.
    Status,
    /// A transaction's type code: `Bill`.
    Type,
    /// An approval status id: `Approved`.
    Approval,
    /// `Yes` or `No`.
    YesNo,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its name, lower-case.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// What `BUILTIN.DF` shows for it.
    pub(crate) display: Display,
    /// Exists only in accounts with subsidiaries.
    pub(crate) one_world: bool,
    /// Kept for the record API; SuiteQL doesn't know it.
    pub(crate) internal: bool,
}

impl Column {
    const fn of(self, table: &'static str, column: &'static str) -> Self {
        Self {
            display: Display::Of(table, column),
            ..self
        }
    }
    const fn shown(self, display: Display) -> Self {
        Self { display, ..self }
    }
    const fn one_world(self) -> Self {
        Self {
            one_world: true,
            ..self
        }
    }
    const fn internal(self) -> Self {
        Self {
            internal: true,
            ..self
        }
    }
}

/// A table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    /// Its name, lower-case.
    pub(crate) name: &'static str,
    /// Its columns. If the first is named `id` it is the primary key.
    pub(crate) columns: &'static [Column],
    /// Exists only in accounts with subsidiaries.
    pub(crate) one_world: bool,
    /// Kept for the record API; SuiteQL doesn't know it.
    pub(crate) internal: bool,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        display: Display::Plain,
        one_world: false,
        internal: false,
    }
}
const fn int(name: &'static str) -> Column {
    column(name, Kind::Int)
}
const fn amount(name: &'static str) -> Column {
    column(name, Kind::Amount)
}
const fn flag(name: &'static str) -> Column {
    column(name, Kind::Flag).shown(Display::YesNo)
}
const fn text(name: &'static str) -> Column {
    column(name, Kind::Text)
}
const fn date(name: &'static str) -> Column {
    column(name, Kind::Date)
}
const fn moment(name: &'static str) -> Column {
    column(name, Kind::Stamp)
}
const fn table(name: &'static str, columns: &'static [Column]) -> Table {
    Table {
        name,
        columns,
        one_world: false,
        internal: false,
    }
}
const fn one_world_table(name: &'static str, columns: &'static [Column]) -> Table {
    Table {
        name,
        columns,
        one_world: true,
        internal: false,
    }
}

/// The table of that name, in any case.
pub(crate) fn find(name: &str) -> Option<&'static Table> {
    TABLES
        .iter()
        .find(|table| table.name.eq_ignore_ascii_case(name))
}

const INDICES: &[(&str, &str)] = &[
    ("transaction", "type, lastmodifieddate"),
    ("transaction", "type, trandate"),
    ("transaction", "lastmodifieddate"),
    ("transaction", "entity"),
    ("transaction", "externalid COLLATE NOCASE"),
    ("transactionline", "\"transaction\", id"),
    (
        "transactionaccountingline",
        "\"transaction\", transactionline",
    ),
    ("transactionaccountingline", "account, \"transaction\""),
    ("nexttransactionlinelink", "previousdoc"),
    ("nexttransactionlinelink", "nextdoc"),
    ("previoustransactionlinelink", "previousdoc"),
    ("previoustransactionlinelink", "nextdoc"),
    ("vendor", "entityid COLLATE NOCASE"),
    ("vendor", "externalid COLLATE NOCASE"),
    ("customer", "entityid COLLATE NOCASE"),
    ("customer", "externalid COLLATE NOCASE"),
    ("vendorsubsidiaryrelationship", "entity"),
    ("customersubsidiaryrelationship", "entity"),
    ("vendoraddressbook", "entity"),
    ("vendoraddressbookentityaddress", "nkey"),
    ("customeraddressbook", "entity"),
    ("customeraddressbookentityaddress", "nkey"),
    ("accountsubsidiarymap", "account"),
];

/// Creates every table, empty, and its indices, and gives the connection SuiteQL's functions.
///
/// # Errors
/// When SQLite refuses, for example because the tables exist.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    let mut script = String::new();
    for table in TABLES {
        let columns: Vec<String> = table
            .columns
            .iter()
            .enumerate()
            .map(|(position, column)| {
                let kind = match column.kind {
                    Kind::Int | Kind::Amount => "INTEGER",
                    Kind::Flag | Kind::Text | Kind::Date | Kind::Stamp => "TEXT",
                };
                let key = if position == 0 && column.name == "id" {
                    " PRIMARY KEY"
                } else {
                    ""
                };
                format!("\"{}\" {kind}{key}", column.name)
            })
            .collect();
        script.push_str(&format!(
            "CREATE TABLE \"{}\" ({});\n",
            table.name,
            columns.join(", ")
        ));
    }
    for (position, (table, columns)) in INDICES.iter().enumerate() {
        script.push_str(&format!(
            "CREATE INDEX \"x_{table}_{position}\" ON \"{table}\" ({columns});\n"
        ));
    }
    connection.execute_batch(&script)?;
    crate::suiteql::install(connection)
}
