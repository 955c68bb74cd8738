//! Lists that are a table and no more: accounts, departments, classes, locations, terms, items.

use rusqlite::params;
use rusqlite::types::Value;

use super::body::{Patch, Writing};
use super::{Desk, RecordType, Refusal, Target};
use crate::ledger::{self, LedgerError};
use crate::problem::Problem;
use crate::schema::{self, Display, Kind};

/// Creates or changes an entry of a list.
pub(crate) fn write(
    desk: &Desk<'_>,
    writing: &Writing<'_>,
    target: Target<'_>,
) -> Result<i64, Refusal> {
    let record = writing.record;
    let written = record.fields().filter(|field| field.writable).count();
    if written <= 1
        || record
            .fields()
            .all(|field| !field.writable || field.name == "externalId")
    {
        return Err(Problem::forbidden(record.permission).into());
    }
    let mut columns = sent(writing)?;
    let external = match target {
        Target::New(external) => external,
        Target::Existing(_) => None,
    };
    if let Some(external) = external {
        columns.retain(|(column, _)| *column != "externalid");
        columns.push(("externalid", Value::Text(external.to_owned())));
    }
    if let Some((_, Value::Text(wanted))) =
        columns.iter().find(|(column, _)| *column == "externalid")
        && let Some(other) = ledger::by_external_id(desk.books, record.table, None, wanted)?
        && target != Target::Existing(other)
    {
        return Err(LedgerError::DuplicateExternalId(wanted.clone()).into());
    }
    columns.push((
        "lastmodifieddate",
        Value::Text(schema::stamp(desk.fake.now())),
    ));
    let id = match target {
        Target::Existing(id) => id,
        Target::New(_) => insert(desk, record, &columns)?,
    };
    for (column, value) in &columns {
        desk.books.execute(
            &format!(
                "UPDATE \"{}\" SET \"{column}\" = ?2 WHERE id = ?1",
                record.table
            ),
            params![id, value],
        )?;
    }
    name_in_full(desk, record, id)?;
    Ok(id)
}

/// The columns a body sets.
fn sent(writing: &Writing<'_>) -> Result<Vec<(&'static str, Value)>, Refusal> {
    let record = writing.record;
    let head = writing.head();
    let mut columns = Vec::new();
    for field in record.fields().filter(|field| field.writable) {
        let Some(column) = record.column(field) else {
            continue;
        };
        let table = field.refers.or(match column.display {
            Display::Of(table, _) => Some(table),
            _ => None,
        });
        let value = if let Some(table) = table {
            value_of(head.reference(field.name, &[table])?, Value::Integer)
        } else if field.name == "acctType" {
            value_of(head.choice(field.name)?, Value::Text)
        } else {
            match column.kind {
                Kind::Flag => value_of(head.boolean(field.name)?, |flag| {
                    Value::Text(ledger::flag(flag).to_owned())
                }),
                Kind::Int => value_of(head.integer(field.name)?, Value::Integer),
                Kind::Amount => match head.decimal(field.name)? {
                    Patch::Set(amount) => Some(Value::Integer(
                        schema::to_units(amount)
                            .ok_or_else(|| head.invalid(field.name, "a smaller number"))?,
                    )),
                    other => value_of(other, |_| Value::Null),
                },
                Kind::Date => {
                    value_of(head.date(field.name)?, |date| Value::Text(date.to_string()))
                }
                Kind::Text | Kind::Stamp => value_of(head.text(field.name)?, Value::Text),
            }
        };
        if let Some(value) = value {
            columns.push((column.name, value));
        }
    }
    Ok(columns)
}

fn value_of<T>(patch: Patch<T>, value: impl Fn(T) -> Value) -> Option<Value> {
    match patch {
        Patch::Absent => None,
        Patch::Clear => Some(Value::Null),
        Patch::Set(set) => Some(value(set)),
    }
}

fn insert(
    desk: &Desk<'_>,
    record: &RecordType,
    columns: &[(&'static str, Value)],
) -> Result<i64, Refusal> {
    let name_column = match record.table {
        "account" => "acctname",
        "item" => "itemid",
        _ => "name",
    };
    let named = columns
        .iter()
        .any(|(column, value)| *column == name_column && *value != Value::Null);
    if !named {
        return Err(LedgerError::Missing("name").into());
    }
    let id: i64 = desk.books.query_row(
        &format!("SELECT COALESCE(MAX(id), 0) + 1 FROM \"{}\"", record.table),
        [],
        |row| row.get(0),
    )?;
    desk.books.execute(
        &format!(
            "INSERT INTO \"{}\" (id, isinactive) VALUES (?1, 'F')",
            record.table
        ),
        [id],
    )?;
    for (column, value) in record.filter {
        desk.books.execute(
            &format!(
                "UPDATE \"{}\" SET \"{column}\" = ?2 WHERE id = ?1",
                record.table
            ),
            params![id, value],
        )?;
    }
    if record.table == "account" && desk.fake.one_world {
        desk.books.execute(
            "INSERT INTO accountsubsidiarymap (account, subsidiary) SELECT ?1, id FROM subsidiary",
            [id],
        )?;
        desk.books.execute(
            "UPDATE account SET issummary = COALESCE(issummary, 'F'), subsidiary =
             (SELECT group_concat(id, ', ') FROM subsidiary) WHERE id = ?1",
            [id],
        )?;
    }
    Ok(id)
}

/// Keeps the names that are made of others in step.
fn name_in_full(desk: &Desk<'_>, record: &RecordType, id: i64) -> Result<(), Refusal> {
    let sql = match record.table {
        "department" | "classification" | "location" => format!(
            "UPDATE \"{0}\" SET fullname = COALESCE((SELECT p.fullname || ' : ' FROM \"{0}\" p
             WHERE p.id = \"{0}\".parent), '') || name WHERE id = ?1",
            record.table
        ),
        "item" => "UPDATE item SET fullname = itemid WHERE id = ?1".to_owned(),
        "account" => "UPDATE account SET
              fullname = COALESCE((SELECT p.fullname || ' : ' FROM account p
                WHERE p.id = account.parent), '') || acctname,
              accountsearchdisplayname = COALESCE(acctnumber || ' ', '') || acctname,
              accountsearchdisplaynamecopy = acctname,
              displaynamewithhierarchy = COALESCE(acctnumber || ' ', '') ||
                COALESCE((SELECT p.fullname || ' : ' FROM account p
                WHERE p.id = account.parent), '') || acctname
              WHERE id = ?1"
            .to_owned(),
        _ => return Ok(()),
    };
    desk.books.execute(&sql, [id])?;
    Ok(())
}

/// Deletes an entry and leaves a row in `deletedrecord`.
pub(crate) fn delete(
    desk: &Desk<'_>,
    record: &'static RecordType,
    id: i64,
) -> Result<(), LedgerError> {
    desk.books.execute(
        &format!("DELETE FROM \"{}\" WHERE id = ?1", record.table),
        [id],
    )?;
    desk.books.execute(
        "INSERT INTO deletedrecord (name, recordid, type, scriptid, context, deletedby, deleteddate,
         iscustomrecord) VALUES (?1, ?2, ?3, ?3, 'RESTWEBSERVICES', ?4, ?5, 'F')",
        params![
            format!("{} {id}", record.name),
            id,
            record.name,
            crate::auth::endpoints::PERSON,
            schema::stamp(desk.fake.now())
        ],
    )?;
    Ok(())
}
