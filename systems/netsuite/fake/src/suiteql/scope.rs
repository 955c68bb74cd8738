//! Names: which tables and columns a query sees.

use rusqlite::Connection;

use crate::schema::{self, Display, Kind};

use super::types::{Origin, Ty, Typed, named};
use super::{Refusal, Session};

/// A column of a source.
#[derive(Debug, Clone)]
pub(super) struct Visible {
    /// Its name, lower-case.
    pub(super) name: String,
    /// What it is.
    pub(super) ty: Ty,
    /// What `BUILTIN.DF` needs.
    pub(super) origin: Origin,
}

/// A table or subquery in a `FROM`.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The name it is called by, lower-case.
    pub(super) alias: String,
    /// The table's name, for messages.
    pub(super) label: String,
    /// SQLite's text for it, alias included.
    pub(super) sql: String,
    /// Its columns.
    pub(super) columns: Vec<Visible>,
    /// It is a table (and so has a row id).
    pub(super) table: bool,
}

impl Source {
    /// The column of that name, ready for use.
    pub(super) fn column(&self, name: &str) -> Option<Typed> {
        let column = self.columns.iter().find(|column| column.name == name)?;
        Some(Typed {
            origin: Some(column.origin.clone()),
            ..Typed::new(
                format!("{}.{}", named(&self.alias), named(&column.name)),
                column.ty,
            )
        })
    }
}

/// The sources of a query, and those of the queries around it.
pub(super) struct Scope<'a> {
    /// Sources in order.
    pub(super) sources: Vec<Source>,
    /// The query around.
    pub(super) outer: Option<&'a Scope<'a>>,
}

impl Scope<'_> {
    /// What an unqualified name means, and whether it is this query's own.
    pub(super) fn find(&self, name: &str) -> Result<(Typed, bool), Refusal> {
        let mut found = self.sources.iter().filter_map(|source| source.column(name));
        if let Some(first) = found.next() {
            if found.next().is_some() {
                return Err(Refusal::search(format!("Ambiguous identifier '{name}'.")));
            }
            return Ok((first, true));
        }
        match self.outer {
            Some(outer) => outer
                .find(name)
                .map(|(typed, _)| (typed, false))
                .map_err(|_| self.unknown(name)),
            None => Err(self.unknown(name)),
        }
    }

    /// What `alias.name` means.
    pub(super) fn qualified(&self, alias: &str, name: &str) -> Result<(Typed, bool), Refusal> {
        if let Some(source) = self.sources.iter().find(|source| source.alias == alias) {
            return source.column(name).map(|typed| (typed, true)).ok_or_else(|| {
                Refusal::search(format!(
                    "Field '{name}' for record '{}' was not found. Reason: NOT_EXPOSED - Not available \
                     for channel SEARCH",
                    source.label
                ))
            });
        }
        match self.outer {
            Some(outer) => outer
                .qualified(alias, name)
                .map(|(typed, _)| (typed, false)),
            None => Err(self.unknown(alias)),
        }
    }

    fn unknown(&self, name: &str) -> Refusal {
        let mut names: Vec<String> = self
            .sources
            .iter()
            .map(|source| format!("{}={}", source.alias, source.label))
            .collect();
        names.sort();
        Refusal::search(format!(
            "Unknown identifier '{name}'. Available identifiers are: {{{}}}.",
            names.join(", ")
        ))
    }
}

/// The table of that name as this session sees it.
pub(super) fn table(
    connection: &Connection,
    session: &Session,
    name: &str,
    alias: &str,
) -> Result<Source, Refusal> {
    let lower = name.to_ascii_lowercase();
    if session.hidden_tables.contains(&lower) {
        return Err(Refusal::search(format!("Record '{lower}' was not found.")));
    }
    let unknown = || Refusal::plain(format!("Invalid search type: {lower}"));
    let sql_alias = named(alias);
    let columns = match schema::find(&lower) {
        Some(table) if table.internal || (table.one_world && !session.one_world) => {
            return Err(unknown());
        }
        Some(table) => table
            .columns
            .iter()
            .filter(|column| !column.internal && (session.one_world || !column.one_world))
            .filter(|column| {
                !session
                    .hidden_columns
                    .contains(&(lower.clone(), column.name.to_owned()))
            })
            .map(|column| Visible {
                name: column.name.to_owned(),
                ty: column.kind.into(),
                origin: Origin::of(column, table.name, sql_alias.clone()),
            })
            .collect(),
        None => custom(connection, &lower)?.ok_or_else(unknown)?,
    };
    Ok(Source {
        alias: alias.to_owned(),
        sql: format!("{} AS {sql_alias}", named(&lower)),
        label: lower,
        columns,
        table: true,
    })
}

/// A custom record's table, which the control panel or a test has made: `customrecord_…`.
fn custom(connection: &Connection, name: &str) -> Result<Option<Vec<Visible>>, Refusal> {
    if !name.starts_with("customrecord_") {
        return Ok(None);
    }
    let mut statement = connection
        .prepare("SELECT lower(name), upper(type) FROM pragma_table_info(?1)")
        .map_err(|error| Refusal::internal(&error))?;
    let columns = statement
        .query_map([name], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| Refusal::internal(&error))?;
    if columns.is_empty() {
        return Ok(None);
    }
    let visible = columns
        .into_iter()
        .filter(|(column, _)| !column.starts_with("x_"))
        .map(|(column, kind)| Visible {
            name: column,
            ty: if kind == "INTEGER" {
                Ty::from(Kind::Int)
            } else {
                Ty::Text
            },
            origin: Origin {
                display: Display::Plain,
                alias: None,
                solid: false,
            },
        });
    Ok(Some(visible.collect()))
}
