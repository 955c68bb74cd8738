//! The account Undeposited Funds: where customers' money lies until a deposit takes it to the bank.

use rusqlite::{Connection, OptionalExtension, params};

use super::{LedgerError, next_id};

/// Its name, as every account has it until somebody renames it.
pub(crate) const NAME: &str = "Undeposited Funds";
/// Its number.
const NUMBER: &str = "1099";
/// What marks it among the accounts: the books know it under whatever name.
const MARK: &str = "undeposited-funds";

/// The account, if it is there.
pub(crate) fn known(connection: &Connection) -> Result<Option<i64>, LedgerError> {
    Ok(connection
        .prepare_cached("SELECT id FROM account WHERE externalid = ?1")?
        .query_row([MARK], |row| row.get(0))
        .optional()?)
}

/// The account: NetSuite makes it, as its other accounts of its own, when it is first needed. `at` is a stamp.
pub(crate) fn account(connection: &Connection, at: &str) -> Result<i64, LedgerError> {
    if let Some(known) = known(connection)? {
        return Ok(known);
    }
    let id = next_id(connection, "account")?;
    insert(connection, id, at)?;
    Ok(id)
}

/// Makes the account under this id.
pub(crate) fn insert(connection: &Connection, id: i64, at: &str) -> Result<(), LedgerError> {
    connection.execute(
        "INSERT INTO account (id, acctnumber, acctname, accttype, fullname, accountsearchdisplayname,
         accountsearchdisplaynamecopy, displaynamewithhierarchy, issummary, isinactive, subsidiary, eliminate,
         includechildren, externalid, lastmodifieddate)
         VALUES (?1,?2,?3,'OthCurrAsset',?3,?2 || ' ' || ?3,?3,?2 || ' ' || ?3,'F','F',
         (SELECT group_concat(id, ', ') FROM subsidiary),'F','T',?4,?5)",
        params![id, NUMBER, NAME, MARK, at],
    )?;
    connection.execute(
        "INSERT INTO accountsubsidiarymap (account, subsidiary) SELECT ?1, id FROM subsidiary",
        [id],
    )?;
    Ok(())
}
