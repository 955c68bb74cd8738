//! Every statement, written once for both databases, and the few shapes in which they are sent.
//!
//! The portable subset: `$1` placeholders, columns of TEXT and BIGINT, upserts with `excluded`. Statements
//! over many rows or many ids have fixed sizes, so that each is prepared once and a batch is few statements.

mod statements;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::any::{AnyArguments, AnyQueryResult, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row};
use tieout_domain::Document;

use crate::StoreError;
use crate::dialect::Dialect;

pub(crate) use statements::*;

/// A value on its way into the database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    Text(String),
    MaybeText(Option<String>),
    Int(i64),
    MaybeInt(Option<i64>),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        Self::MaybeText(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<Option<i64>> for Cell {
    fn from(number: Option<i64>) -> Self {
        Self::MaybeInt(number)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Int(signed(number))
    }
}

/// Counts and numbers of entries never come near 2⁶³.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Several cells at once.
macro_rules! cells {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Cell::from($value)),*] };
}
pub(crate) use cells;

type Prepared<'q> = Query<'q, Any, AnyArguments>;

/// No server takes longer over a statement ([`STATEMENT_MAX`](crate::STATEMENT_MAX)): whoever has heard nothing until
/// then hears nothing any more. The line is dead, which the operating system would notice a quarter of an hour later.
const ANSWER_MAX: Duration = Duration::from_secs(75);

/// A statement with its values.
pub(crate) struct Statement(Prepared<'static>);

impl Statement {
    /// Does it.
    pub(crate) async fn execute(
        self,
        connection: &mut AnyConnection,
    ) -> Result<AnyQueryResult, StoreError> {
        answered(Dialect::of(connection), self.0.execute(connection)).await
    }

    /// All of its rows.
    pub(crate) async fn fetch_all(
        self,
        connection: &mut AnyConnection,
    ) -> Result<Vec<AnyRow>, StoreError> {
        answered(Dialect::of(connection), self.0.fetch_all(connection)).await
    }

    /// The row that there must be.
    pub(crate) async fn fetch_one(
        self,
        connection: &mut AnyConnection,
    ) -> Result<AnyRow, StoreError> {
        answered(Dialect::of(connection), self.0.fetch_one(connection)).await
    }

    /// The row, if there is one.
    pub(crate) async fn fetch_optional(
        self,
        connection: &mut AnyConnection,
    ) -> Result<Option<AnyRow>, StoreError> {
        answered(Dialect::of(connection), self.0.fetch_optional(connection)).await
    }

    /// Its rows, one after the other: for what may be more than the memory holds.
    pub(crate) fn fetch(
        self,
        connection: &mut AnyConnection,
    ) -> BoxStream<'_, Result<AnyRow, StoreError>> {
        self.0.fetch(connection).map_err(StoreError::from).boxed()
    }
}

/// Waits for a server's answer as long as one can come.
pub(crate) async fn answered<T>(
    dialect: Dialect,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    if dialect == Dialect::Sqlite {
        return Ok(asked.await?);
    }
    match tokio::time::timeout(ANSWER_MAX, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(StoreError::Unreachable {
            cause: format!("no answer within {} s", ANSWER_MAX.as_secs()),
        }),
    }
}

fn bind<'q>(query: Prepared<'q>, cell: Cell) -> Prepared<'q> {
    match cell {
        Cell::Text(text) => query.bind(text),
        Cell::MaybeText(text) => query.bind(text),
        Cell::Int(number) => query.bind(number),
        Cell::MaybeInt(number) => query.bind(number),
    }
}

/// A statement of fixed text with its values.
pub(crate) fn with(text: &'static str, cells: Vec<Cell>) -> Statement {
    Statement(cells.into_iter().fold(sqlx::query(text), bind))
}

/// A statement whose text was put together from fixed pieces.
pub(crate) fn with_built(text: impl Into<Arc<str>>, cells: Vec<Cell>) -> Statement {
    let query = sqlx::query(AssertSqlSafe(text.into()));
    Statement(cells.into_iter().fold(query, bind))
}

/// A `SELECT` that keeps its rows from being changed until the transaction ends.
pub(crate) fn locking(dialect: Dialect, text: &'static str, cells: Vec<Cell>) -> Statement {
    with_built(&*dialect.locking(text), cells)
}

/// How many rows one statement takes.
const ROWS: [usize; 4] = [64, 16, 4, 1];
/// How many ids one statement looks for.
const IDS: [usize; 3] = [256, 32, 1];

/// Inserts or upserts many rows.
pub(crate) struct Rows {
    head: &'static str,
    width: usize,
    tail: &'static str,
    texts: [[OnceLock<Arc<str>>; ROWS.len()]; Dialect::COUNT],
}

impl Rows {
    const fn new(head: &'static str, width: usize, tail: &'static str) -> Self {
        Self {
            head,
            width,
            tail,
            texts: [const { [const { OnceLock::new() }; ROWS.len()] }; Dialect::COUNT],
        }
    }

    fn text(&self, dialect: Dialect, size: usize) -> Arc<str> {
        Arc::clone(self.texts[dialect as usize][size].get_or_init(|| {
            let mut text = format!("{} VALUES ", self.head);
            for row in 0..ROWS[size] {
                text.push_str(if row == 0 { "(" } else { ",(" });
                for column in 0..self.width {
                    let comma = if column == 0 { "" } else { "," };
                    let placeholder = dialect.placeholder(row * self.width + column + 1);
                    text.push_str(comma);
                    text.push_str(&placeholder);
                }
                text.push(')');
            }
            text.push(' ');
            text.push_str(self.tail);
            text.into()
        }))
    }

    /// Writes the rows, in as few statements as there can be.
    pub(crate) async fn write(
        &self,
        connection: &mut AnyConnection,
        rows: Vec<Vec<Cell>>,
    ) -> Result<(), StoreError> {
        let dialect = Dialect::of(connection);
        let mut left = rows.len();
        let mut rows = rows.into_iter();
        while left > 0 {
            let size = ROWS
                .iter()
                .position(|size| *size <= left)
                .unwrap_or(ROWS.len() - 1);
            let mut query = sqlx::query(AssertSqlSafe(self.text(dialect, size)));
            for row in rows.by_ref().take(ROWS[size]) {
                assert_eq!(row.len(), self.width, "{}", self.head);
                query = row.into_iter().fold(query, bind);
            }
            Statement(query).execute(&mut *connection).await?;
            left -= ROWS[size];
        }
        Ok(())
    }
}

/// Looks for, changes or deletes many rows by id.
pub(crate) struct In {
    head: &'static str,
    fixed: usize,
    tail: &'static str,
    texts: [[OnceLock<Arc<str>>; IDS.len()]; Dialect::COUNT],
}

impl In {
    const fn new(head: &'static str, fixed: usize, tail: &'static str) -> Self {
        Self {
            head,
            fixed,
            tail,
            texts: [const { [const { OnceLock::new() }; IDS.len()] }; Dialect::COUNT],
        }
    }

    fn text(&self, dialect: Dialect, size: usize) -> Arc<str> {
        Arc::clone(self.texts[dialect as usize][size].get_or_init(|| {
            // Where placeholders have no numbers, their order tells which is which.
            let head = (dialect == Dialect::Sqlite)
                .then(|| without_numbers(self.head, self.fixed))
                .flatten()
                .filter(|_| !self.tail.contains('$'));
            let numbered = head.is_none();
            let mut text = head.unwrap_or_else(|| self.head.to_owned());
            text.push_str(" IN (");
            for at in 0..IDS[size] {
                text.push_str(if at == 0 { "" } else { "," });
                if numbered {
                    text.push_str(&format!("${}", self.fixed + at + 1));
                } else {
                    text.push('?');
                }
            }
            text.push(')');
            text.push_str(self.tail);
            text.into()
        }))
    }

    fn queries(&self, dialect: Dialect, fixed: &[Cell], ids: &[Cell]) -> Vec<Statement> {
        debug_assert_eq!(fixed.len(), self.fixed, "{}", self.head);
        let chunk = |ids: &[Cell]| {
            // The smallest that takes them all.
            let size = IDS.iter().rposition(|size| *size >= ids.len());
            let size = size.unwrap_or_default();
            let mut query = sqlx::query(AssertSqlSafe(self.text(dialect, size)));
            query = fixed.iter().cloned().fold(query, bind);
            // Short chunks are padded with their last id: a repeated id finds nothing twice.
            let padding = ids.last().into_iter().cycle();
            let ids = ids.iter().chain(padding).take(IDS[size]).cloned();
            Statement(ids.fold(query, bind))
        };
        ids.chunks(IDS[0]).map(chunk).collect()
    }

    /// The rows with one of these ids.
    pub(crate) async fn fetch(
        &self,
        connection: &mut AnyConnection,
        fixed: impl AsRef<[Cell]>,
        ids: &[Cell],
    ) -> Result<Vec<AnyRow>, StoreError> {
        let mut rows = Vec::new();
        for query in self.queries(Dialect::of(connection), fixed.as_ref(), ids) {
            rows.extend(query.fetch_all(&mut *connection).await?);
        }
        Ok(rows)
    }

    /// How many rows were changed.
    pub(crate) async fn execute(
        &self,
        connection: &mut AnyConnection,
        fixed: impl AsRef<[Cell]>,
        ids: &[Cell],
    ) -> Result<u64, StoreError> {
        let mut changed = 0;
        for query in self.queries(Dialect::of(connection), fixed.as_ref(), ids) {
            changed += query.execute(&mut *connection).await?.rows_affected();
        }
        Ok(changed)
    }
}

/// A statement's text with its placeholders, of which there are so many, told by their order alone. `None` where they
/// don't stand in that order, each once.
fn without_numbers(text: &str, count: usize) -> Option<String> {
    let mut parts = text.split('$');
    let mut plain = parts.next()?.to_owned();
    let mut told = 0;
    for part in parts {
        let after = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let number: usize = part[..part.len() - after.len()].parse().ok()?;
        told += 1;
        if number != told {
            return None;
        }
        plain.push('?');
        plain.push_str(after);
    }
    (told == count).then_some(plain)
}

/// The text in a column that is never NULL.
pub(crate) fn text(row: &AnyRow, at: usize) -> Result<String, StoreError> {
    Ok(row.try_get(at)?)
}

/// The text in a column, if it has one.
pub(crate) fn maybe_text(row: &AnyRow, at: usize) -> Result<Option<String>, StoreError> {
    Ok(row.try_get(at)?)
}

/// The number in a column that is never NULL.
pub(crate) fn int(row: &AnyRow, at: usize) -> Result<i64, StoreError> {
    Ok(row.try_get(at)?)
}

/// The number in a column, if it has one.
pub(crate) fn maybe_int(row: &AnyRow, at: usize) -> Result<Option<i64>, StoreError> {
    Ok(row.try_get(at)?)
}

/// The number in a column that is never negative.
pub(crate) fn count(row: &AnyRow, at: usize) -> Result<u64, StoreError> {
    u64::try_from(int(row, at)?).map_err(|_| StoreError::corrupt("a count is below zero"))
}

/// What a text in the database stands for.
pub(crate) fn parse<T>(text: &str) -> Result<T, StoreError>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error: T::Err| StoreError::corrupt(error.to_string()))
}

/// What a JSON text in the database stands for.
pub(crate) fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::corrupt(format!("{error} in {text:.200}")))
}

/// The document that a JSON text in the database stands for.
pub(crate) fn document(text: &str) -> Result<Document, StoreError> {
    Document::from_json(text)
        .map_err(|error| StoreError::corrupt(format!("{error} in {text:.200}")))
}

/// The JSON text of a value, its keys sorted.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> String {
    // `serde_json::Value` keeps object keys in a sorted map, which makes the text canonical.
    serde_json::to_value(value)
        .expect("the store's nouns serialise to JSON")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_lose_their_numbers_only_where_their_order_tells_the_same() {
        let plain = |text: &str, count| without_numbers(text, count);
        assert_eq!(
            plain("a = $1 AND b = $2 AND c", 2).as_deref(),
            Some("a = ? AND b = ? AND c")
        );
        assert_eq!(plain("c", 0).as_deref(), Some("c"));
        assert_eq!(plain("a = $2 AND b = $1 AND c", 2), None);
        assert_eq!(plain("a = $1 OR b = $1 AND c", 1), None);
        assert_eq!(plain("a = '$.x' AND b = $1 AND c", 1), None);
        // One that stands behind the ids is missing here.
        assert_eq!(plain("a = $1 AND c", 2), None);
    }
}
