//! The types of expressions, and how a value of one becomes a value of another.

use crate::schema::{Column, Display, Kind, UNIT};

use super::functions::units;
use super::{DateFormat, Refusal, datetime};

/// What an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ty {
    /// A whole number.
    Int,
    /// An exact decimal, in units.
    Dec,
    /// A text.
    Text,
    /// A local date-time; see [`datetime`].
    Date,
    /// A point in time: UTC text.
    Stamp,
    /// A condition.
    Condition,
    /// `NULL`, which fits everywhere.
    Null,
    /// A bound parameter: a text that becomes what its surroundings want.
    Param,
}

impl From<Kind> for Ty {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Int => Self::Int,
            Kind::Amount => Self::Dec,
            Kind::Flag | Kind::Text => Self::Text,
            Kind::Date => Self::Date,
            Kind::Stamp => Self::Stamp,
        }
    }
}

/// Where a plain column comes from: what `BUILTIN.DF` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// What it shows.
    pub(super) display: Display,
    /// The quoted alias of its table, where the table itself is at hand.
    pub(super) alias: Option<String>,
    /// The column never is null and has an index: its order needs no rule for nulls.
    pub(super) solid: bool,
}

impl Origin {
    pub(super) fn of(column: &Column, table: &str, alias: String) -> Self {
        let display = match (table, column.name) {
            ("department", "parent") => Display::Of("department", "fullname"),
            ("classification", "parent") => Display::Of("classification", "fullname"),
            ("location", "parent") => Display::Of("location", "fullname"),
            _ => column.display,
        };
        let solid = column.name == "id" && table != "companyfeaturesetup"
            || (table == "transaction" && column.name == "lastmodifieddate");
        Self {
            display,
            alias: Some(alias),
            solid,
        }
    }
}

/// A translated expression.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    /// SQLite's text for it.
    pub(super) sql: String,
    /// What it is.
    pub(super) ty: Ty,
    /// Where it comes from, if it is a column.
    pub(super) origin: Option<Origin>,
    /// The text, if it is a literal.
    pub(super) literal: Option<String>,
}

impl Typed {
    pub(super) fn new(sql: impl Into<String>, ty: Ty) -> Self {
        Self {
            sql: sql.into(),
            ty,
            origin: None,
            literal: None,
        }
    }

    pub(super) fn null() -> Self {
        Self::new("NULL", Ty::Null)
    }

    /// A text literal; Oracle holds an empty one for `NULL`.
    pub(super) fn text(value: &str) -> Self {
        if value.is_empty() {
            return Self {
                ty: Ty::Text,
                ..Self::null()
            };
        }
        Self {
            literal: Some(value.to_owned()),
            ..Self::new(quoted(value), Ty::Text)
        }
    }

    /// A number literal.
    pub(super) fn number(digits: &str) -> Result<Self, Refusal> {
        let sql_and_type = if let Ok(whole) = digits.parse::<i64>() {
            (whole.to_string(), Ty::Int)
        } else {
            let value = units(digits).ok_or_else(|| Refusal::value(digits))?;
            (value.to_string(), Ty::Dec)
        };
        Ok(Self {
            literal: Some(digits.to_owned()),
            ..Self::new(sql_and_type.0, sql_and_type.1)
        })
    }

    /// This value as a value of `ty`.
    pub(super) fn to(&self, ty: Ty, format: DateFormat) -> Result<String, Refusal> {
        let sql = &self.sql;
        if self.ty == ty || self.ty == Ty::Null || (self.ty == Ty::Text && sql == "NULL") {
            return Ok(sql.clone());
        }
        Ok(match (self.ty, ty) {
            (Ty::Param, Ty::Text) => format!("ns_null({sql})"),
            (Ty::Text | Ty::Param, Ty::Int) => match &self.literal {
                Some(text) => text
                    .trim()
                    .parse::<i64>()
                    .map_err(|_| Refusal::value(text))?
                    .to_string(),
                None => format!("ns_int({sql})"),
            },
            (Ty::Text | Ty::Param, Ty::Dec) => match &self.literal {
                Some(text) => units(text).ok_or_else(|| Refusal::value(text))?.to_string(),
                None => format!("ns_dec({sql})"),
            },
            (Ty::Text | Ty::Param, Ty::Date) => match &self.literal {
                Some(text) => quoted(
                    &datetime::from_display(text, format).ok_or_else(|| Refusal::value(text))?,
                ),
                None => format!("ns_date_in({sql})"),
            },
            (Ty::Text | Ty::Param, Ty::Stamp) => {
                format!("ns_utc({})", self.to(Ty::Date, format)?)
            }
            (Ty::Int, Ty::Dec) => match sql.parse::<i64>() {
                Ok(whole) => whole
                    .checked_mul(UNIT)
                    .ok_or_else(|| Refusal::value(sql))?
                    .to_string(),
                Err(_) => format!("({sql} * {UNIT})"),
            },
            (Ty::Dec, Ty::Int) => format!("({sql} / {UNIT})"),
            (Ty::Int, Ty::Text) => format!("CAST({sql} AS TEXT)"),
            (Ty::Dec, Ty::Text) => format!("ns_num({sql})"),
            (Ty::Date, Ty::Text) => format!("ns_show({sql})"),
            (Ty::Stamp, Ty::Text) => format!("ns_show(ns_local({sql}))"),
            (Ty::Stamp, Ty::Date) => format!("ns_local({sql})"),
            (Ty::Date, Ty::Stamp) => format!("ns_utc({sql})"),
            _ => return Err(Refusal::unsupported("operands of different types")),
        })
    }
}

/// The type that values of both types can become.
pub(super) fn common(left: Ty, right: Ty) -> Ty {
    match (left, right) {
        (same, other) if same == other => same,
        (Ty::Null, other) | (other, Ty::Null) => other,
        (Ty::Param, other) | (other, Ty::Param) => other,
        (Ty::Int, Ty::Dec) | (Ty::Dec, Ty::Int) => Ty::Dec,
        (Ty::Date, Ty::Stamp) | (Ty::Stamp, Ty::Date) => Ty::Date,
        _ => Ty::Text,
    }
}

/// The type in which two values are compared: as [`common`], but a text gives way to a number or date.
pub(super) fn compared(left: Ty, right: Ty) -> Ty {
    match (left, right) {
        (Ty::Text, Ty::Text | Ty::Param | Ty::Null) | (Ty::Param | Ty::Null, Ty::Text) => Ty::Text,
        (Ty::Param, Ty::Param | Ty::Null) | (Ty::Null, Ty::Param) => Ty::Text,
        (Ty::Text, other) | (other, Ty::Text) => other,
        _ => common(left, right),
    }
}

/// A text as an SQLite literal.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name as an SQLite identifier.
pub(super) fn named(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
