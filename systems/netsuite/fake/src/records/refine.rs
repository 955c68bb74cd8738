//! The `q` parameter of lists: `field OPERATOR value`, joined by AND and OR.
//!
//! Dates are in the account's format, not ISO; a field that can't be filtered is refused as if it didn't
//! exist, also when the catalogue lists it.

use jiff::civil::Date;
use rusqlite::types::Value;

use super::{Desk, RecordType};
use crate::ledger;
use crate::problem::{Place, Problem};
use crate::schema::{self, Column, Kind};

/// A condition as SQL with its values.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    /// ` AND (…)`, or nothing.
    pub(crate) sql: String,
    /// Values in the order of its question marks.
    pub(crate) values: Vec<Value>,
}

/// The condition of a `q`.
pub(crate) fn condition(
    desk: &Desk<'_>,
    record: &RecordType,
    q: Option<&str>,
) -> Result<Condition, Problem> {
    let Some(q) = q.map(str::trim).filter(|q| !q.is_empty()) else {
        return Ok(Condition::default());
    };
    let mut tokens = tokens(q)?.into_iter().peekable();
    let mut condition = Condition::default();
    let mut sql = String::new();
    while let Some(field) = tokens.next() {
        let column = filterable(record, &field)?;
        let operator = tokens
            .next()
            .ok_or_else(|| malformed("an operator is missing"))?;
        let operand = if operator.to_ascii_uppercase().starts_with("EMPTY") {
            None
        } else {
            Some(
                tokens
                    .next()
                    .ok_or_else(|| malformed("a value is missing"))?,
            )
        };
        sql.push_str(&comparison(
            desk,
            column,
            &operator,
            operand.as_deref(),
            &mut condition.values,
        )?);
        match tokens
            .next()
            .map(|word| word.to_ascii_uppercase())
            .as_deref()
        {
            None => break,
            Some("AND") => sql.push_str(" AND "),
            Some("OR") => sql.push_str(" OR "),
            Some(other) => return Err(malformed(&format!("'{other}' instead of AND or OR"))),
        }
        if tokens.peek().is_none() {
            return Err(malformed("it ends with AND or OR"));
        }
    }
    condition.sql = format!(" AND ({sql})");
    Ok(condition)
}

fn filterable(record: &RecordType, name: &str) -> Result<&'static Column, Problem> {
    record
        .fields()
        .find(|field| field.name == name)
        .and_then(|field| record.column(field))
        // Listed in the catalogue, yet not filterable on any record.
        .filter(|column| column.name != "lastmodifieddate" || record.is_transaction())
        .ok_or_else(|| {
            Problem::new(
                400,
                "NONEXISTENT_FIELD",
                format!(
                    "Unknown field name '{name}' in the search query. Provide a valid field name."
                ),
            )
            .at(Place::Query("q".to_owned()))
        })
}

fn malformed(what: &str) -> Problem {
    Problem::parameter("q", format!("Invalid search query: {what}."))
}

/// Words, quoted texts and bracketed lists.
fn tokens(q: &str) -> Result<Vec<String>, Problem> {
    let mut tokens = Vec::new();
    let mut letters = q.chars().peekable();
    while let Some(&letter) = letters.peek() {
        match letter {
            ' ' => {
                letters.next();
            }
            '"' => {
                letters.next();
                let mut text = String::new();
                loop {
                    match letters.next() {
                        Some('"') => break,
                        Some(letter) => text.push(letter),
                        None => return Err(malformed("a quotation mark is missing")),
                    }
                }
                tokens.push(text);
            }
            '[' => {
                let list: String = letters
                    .by_ref()
                    .take_while(|letter| *letter != ']')
                    .collect();
                tokens.push(list.trim_start_matches('[').replace('"', ""));
            }
            _ => {
                let mut word = String::new();
                while let Some(letter) = letters.next_if(|letter| *letter != ' ') {
                    word.push(letter);
                }
                tokens.push(word);
            }
        }
    }
    Ok(tokens)
}

fn comparison(
    desk: &Desk<'_>,
    column: &Column,
    operator: &str,
    operand: Option<&str>,
    values: &mut Vec<Value>,
) -> Result<String, Problem> {
    let name = format!("\"{}\"", column.name);
    let text = operand.unwrap_or_default();
    let operator = operator.to_ascii_uppercase();
    let (operator, negated) = match operator.strip_suffix("_NOT") {
        Some(positive) => (positive.to_owned(), true),
        None => (operator, false),
    };
    let sql = match operator.as_str() {
        "EMPTY" => format!("({name} IS NULL)"),
        "ANY_OF" | "BETWEEN" => {
            let list: Vec<Value> = text
                .split(',')
                .map(|part| value(desk, column, part.trim()))
                .collect::<Result<_, _>>()?;
            if operator == "BETWEEN" && list.len() != 2 {
                return Err(malformed("BETWEEN needs two values"));
            }
            let marks = vec!["?"; list.len()];
            values.extend(list);
            if operator == "BETWEEN" {
                format!("({name} BETWEEN ? AND ?)")
            } else {
                format!("({name} IN ({}))", marks.join(", "))
            }
        }
        "CONTAIN" | "START_WITH" | "END_WITH" => {
            let pattern = match operator.as_str() {
                "CONTAIN" => format!("%{text}%"),
                "START_WITH" => format!("{text}%"),
                _ => format!("%{text}"),
            };
            values.push(Value::Text(pattern));
            format!("({name} LIKE ?)")
        }
        _ => {
            let sign = match operator.as_str() {
                "IS" | "EQUAL" | "ON" => "=",
                "GREATER" | "AFTER" => ">",
                "GREATER_OR_EQUAL" | "ON_OR_AFTER" => ">=",
                "LESS" | "BEFORE" => "<",
                "LESS_OR_EQUAL" | "ON_OR_BEFORE" => "<=",
                _ => return Err(malformed(&format!("the operator {operator} is unknown"))),
            };
            values.push(value(desk, column, text)?);
            let folded = if column.kind == Kind::Text {
                " COLLATE NOCASE"
            } else {
                ""
            };
            format!("({name} {sign} ?{folded})")
        }
    };
    Ok(if negated { format!("(NOT {sql})") } else { sql })
}

fn value(desk: &Desk<'_>, column: &Column, text: &str) -> Result<Value, Problem> {
    let wrong = || malformed(&format!("'{text}' is no value for {}", column.name));
    Ok(match column.kind {
        Kind::Int => Value::Integer(text.parse().map_err(|_| wrong())?),
        Kind::Amount => {
            let amount = text.parse().map_err(|_| wrong())?;
            Value::Integer(schema::to_units(amount).ok_or_else(wrong)?)
        }
        Kind::Flag => Value::Text(
            ledger::flag(matches!(text.to_ascii_lowercase().as_str(), "true" | "t")).to_owned(),
        ),
        Kind::Text => Value::Text(text.to_owned()),
        Kind::Date | Kind::Stamp => {
            let format = match desk.fake.options.date_format.as_str() {
                "D/M/YYYY" => "%d/%m/%Y",
                "DD.MM.YYYY" => "%d.%m.%Y",
                "YYYY-MM-DD" => "%Y-%m-%d",
                _ => "%m/%d/%Y",
            };
            Value::Text(
                Date::strptime(format, text)
                    .map_err(|_| wrong())?
                    .to_string(),
            )
        }
    })
}
