//! The SuiteQL engine: a query is parsed as Oracle SQL, checked, given types, translated to SQLite, run.
//!
//! | step | file |
//! |---|---|
//! | text to syntax | `parse` |
//! | names to tables and columns, as role and features show them | `scope` |
//! | queries, joins, row limits | `query`, `join` |
//! | expressions and their types | `expression`, `types` |
//! | Oracle's functions | `call`, and what SQLite lacks in `functions` and `datetime` |

mod call;
mod datetime;
mod expression;
mod functions;
mod join;
mod parse;
mod query;
mod rows;
mod scope;
mod text;
mod types;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use types::Ty;

pub(crate) use functions::install;

/// Which page of the answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// How many rows at most: 1 to 1000.
    pub(crate) limit: usize,
    /// How many rows to skip: a multiple of `limit`.
    pub(crate) offset: usize,
}

/// How the account's users see dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum DateFormat {
    /// `6/30/2026`
    #[default]
    MonthDayYear,
    /// `30/6/2026`
    DayMonthYear,
    /// `30.06.2026`
    DotDayMonthYear,
    /// `2026-06-30`
    YearMonthDay,
}

/// Who asks, and what they may see.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// The session's time zone.
    pub(crate) time_zone: jiff::tz::TimeZone,
    /// The session's date format.
    pub(crate) date_format: DateFormat,
    /// The sandbox clock.
    pub(crate) now: jiff::Timestamp,
    /// The account has subsidiaries.
    pub(crate) one_world: bool,
    /// Tables (lower-case) the role may not see: `Record 'x' was not found`.
    pub(crate) hidden_tables: BTreeSet<String>,
    /// Columns (table, column; lower-case) the role or features hide: `Unknown identifier`.
    pub(crate) hidden_columns: BTreeSet<(String, String)>,
    /// `WITH` is accepted (sources disagree: a switch).
    pub(crate) allow_with: bool,
}

/// One page of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QueryPage {
    /// Rows: an empty `links`, then the columns that aren't null, as strings under lower-case names.
    pub(crate) items: Vec<Map<String, Value>>,
    /// There are rows after this page.
    pub(crate) has_more: bool,
    /// How many rows the query has in all.
    pub(crate) total: usize,
}

/// Why a query was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct SuiteQlError {
    /// 400, or 500 for an internal failure.
    pub(crate) status: u16,
    /// `INVALID_PARAMETER` or `UNEXPECTED_ERROR`.
    pub(crate) code: &'static str,
    /// The whole text of `o:errorDetails[0].detail`, prefix included.
    pub(crate) detail: String,
}

/// A refusal on its way out of the engine.
type Refusal = SuiteQlError;

impl SuiteQlError {
    fn plain(detail: impl std::fmt::Display) -> Self {
        Self {
            status: 400,
            code: "INVALID_PARAMETER",
            detail: format!(
                "Invalid search query. Detailed unprocessed description follows. {detail}"
            ),
        }
    }

    fn search(detail: impl std::fmt::Display) -> Self {
        Self::plain(format_args!("Search error occurred: {detail}"))
    }

    /// Syntax or a function that SuiteQL doesn't have.
    fn unsupported(what: &str) -> Self {
        if what.is_empty() {
            Self::plain("Invalid or unsupported search")
        } else {
            Self::plain(format_args!("Invalid or unsupported search: {what}"))
        }
    }

    /// A value that can't be read as what it is compared with.
    fn value(text: &str) -> Self {
        Self::search(format_args!("Invalid value '{text}'."))
    }

    fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a query could not be run");
        Self {
            status: 500,
            code: "UNEXPECTED_ERROR",
            detail: "An unexpected error occurred. Error ID: fake-suiteql".to_owned(),
        }
    }

    fn from_sqlite(error: &rusqlite::Error) -> Self {
        if let rusqlite::Error::SqliteFailure(_, Some(message)) = error {
            // Functions report bad values by message: SQLite hands it through.
            if !message.contains("ns_") && !message.contains("no such") {
                return Self::search(message);
            }
        }
        if let rusqlite::Error::SqlInputError { msg, .. } = error
            && msg.contains("misuse of")
        {
            // An aggregate or a window (or ROWNUM within an OR) where none can stand.
            return Self::unsupported("group function is not allowed here");
        }
        Self::internal(error)
    }
}

/// How far paging reaches, whatever the limit: more needs SuiteAnalytics Connect.
const REACH: usize = 100_000;

/// How many answers are kept for paging.
const KEPT: usize = 4;

/// A translated query.
struct Translated {
    /// SQLite's text.
    sql: String,
    /// Names and types of the columns.
    columns: Vec<(String, Ty)>,
}

/// The rows of a query whose pages were asked for, as they were when first asked.
struct Answer {
    sql: String,
    params: Vec<String>,
    changes: u64,
    rows: Vec<Vec<Option<String>>>,
    total: usize,
}

/// The engine. It keeps the answers of the last queries, so that paging through one is quick; a write to
/// the tables makes them void.
#[derive(Default)]
pub(crate) struct Engine {
    kept: Mutex<Vec<Arc<Answer>>>,
}

impl Engine {
    /// Runs a query and returns one page of its answer.
    ///
    /// # Errors
    /// When NetSuite would refuse the query; see [`SuiteQlError`].
    pub(crate) fn run(
        &self,
        connection: &Connection,
        query: &str,
        params: &[String],
        page: Page,
        session: &Session,
    ) -> Result<QueryPage, SuiteQlError> {
        functions::enter(session);
        let (syntax, placeholders) = parse::parse(query)?;
        if placeholders != params.len() {
            return Err(Refusal::plain(format_args!(
                "The query has {placeholders} parameters, and {} values were given.",
                params.len()
            )));
        }
        let translated = query::translate(connection, session, &syntax)?;
        tracing::debug!(sql = %translated.sql, "translated");
        let answer = self.answer(connection, &translated, params, page, session)?;
        let rows = answer.rows.iter().skip(page.offset).take(page.limit);
        let items = rows.map(|row| item(&translated.columns, row)).collect();
        let has_more = answer.total > page.offset.saturating_add(page.limit);
        Ok(QueryPage {
            items,
            has_more,
            total: answer.total,
        })
    }

    fn answer(
        &self,
        connection: &Connection,
        translated: &Translated,
        params: &[String],
        page: Page,
        session: &Session,
    ) -> Result<Arc<Answer>, SuiteQlError> {
        let changes = connection.total_changes();
        let key = format!(
            "{}\u{0}{:?}",
            translated.sql,
            (&session.time_zone, session.date_format)
        );
        {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let found = kept.iter().find(|answer| {
                answer.changes == changes && answer.sql == key && answer.params == params
            });
            if let Some(found) = found {
                return Ok(Arc::clone(found));
            }
        }
        // A first page is often the only one: the rest is counted, not kept.
        let wanted = if page.offset == 0 { page.limit } else { REACH };
        let (rows, total) = read(connection, translated, params, wanted)?;
        let answer = Arc::new(Answer {
            sql: key,
            params: params.to_vec(),
            changes,
            rows,
            total,
        });
        if wanted == REACH {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.retain(|answer| answer.changes == changes);
            if kept.len() >= KEPT {
                kept.remove(0);
            }
            kept.push(Arc::clone(&answer));
        }
        Ok(answer)
    }
}

type Rows = Vec<Vec<Option<String>>>;

fn read(
    connection: &Connection,
    translated: &Translated,
    params: &[String],
    wanted: usize,
) -> Result<(Rows, usize), SuiteQlError> {
    let refused = |error: rusqlite::Error| SuiteQlError::from_sqlite(&error);
    let mut statement = connection
        .prepare_cached(&translated.sql)
        .map_err(refused)?;
    for (position, value) in params.iter().enumerate() {
        // A parameter that the translation dropped has no slot.
        if position < statement.parameter_count() {
            statement
                .raw_bind_parameter(position + 1, value)
                .map_err(refused)?;
        }
    }
    let mut cursor = statement.raw_query();
    let mut rows = Vec::new();
    let mut total = 0;
    while let Some(row) = cursor.next().map_err(refused)? {
        if total < wanted {
            let values = translated
                .columns
                .iter()
                .enumerate()
                .map(|(position, (_, ty))| {
                    row.get_ref(position)
                        .map(|value| shown(value, *ty))
                        .map_err(refused)
                })
                .collect::<Result<_, _>>()?;
            rows.push(values);
        }
        total += 1;
    }
    Ok((rows, total))
}

/// A value as SuiteQL prints it.
fn shown(value: ValueRef<'_>, ty: Ty) -> Option<String> {
    let text = match value {
        ValueRef::Null => return None,
        ValueRef::Integer(units) if ty == Ty::Dec => crate::schema::from_units(units).to_string(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            match ty {
                Ty::Date => functions::show_date(&text)?,
                Ty::Stamp => functions::show_stamp(&text)?,
                _ => text.into_owned(),
            }
        }
    };
    if text.is_empty() { None } else { Some(text) }
}

fn item(columns: &[(String, Ty)], row: &[Option<String>]) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert("links".to_owned(), Value::Array(Vec::new()));
    for ((name, _), value) in columns.iter().zip(row) {
        if let Some(value) = value {
            item.insert(name.clone(), Value::String(value.clone()));
        }
    }
    item
}

#[cfg(test)]
mod tests;
