//! Accounts that NetSuite makes of its own: Undeposited Funds, where customers' money lies until a deposit takes it to
//! the bank, and Customer Deposits, which holds what they paid beforehand.

use rusqlite::{Connection, OptionalExtension, params};

use super::{LedgerError, next_id};

/// The name of Undeposited Funds, as every account has it until somebody renames it.
pub(crate) const NAME: &str = "Undeposited Funds";

/// An account of NetSuite's own.
struct Own {
    number: &'static str,
    name: &'static str,
    kind: &'static str,
    /// What marks it among the accounts: the books know it under whatever name.
    mark: &'static str,
}

const UNDEPOSITED: Own = Own {
    number: "1099",
    name: NAME,
    kind: "OthCurrAsset",
    mark: "undeposited-funds",
};

const CUSTOMER_DEPOSITS: Own = Own {
    number: "2350",
    name: "Customer Deposits",
    kind: "OthCurrLiab",
    mark: "customer-deposits",
};

/// The account Undeposited Funds, if it is there.
pub(crate) fn known(connection: &Connection) -> Result<Option<i64>, LedgerError> {
    UNDEPOSITED.known(connection)
}

/// The account Undeposited Funds: it is made when it is first needed. `at` is a stamp.
pub(crate) fn account(connection: &Connection, at: &str) -> Result<i64, LedgerError> {
    UNDEPOSITED.account(connection, at)
}

/// The account Customer Deposits, likewise.
pub(crate) fn customer_deposits(connection: &Connection, at: &str) -> Result<i64, LedgerError> {
    CUSTOMER_DEPOSITS.account(connection, at)
}

/// Makes Undeposited Funds under this id.
pub(crate) fn insert(connection: &Connection, id: i64, at: &str) -> Result<(), LedgerError> {
    UNDEPOSITED.insert(connection, id, at)
}

impl Own {
    fn known(&self, connection: &Connection) -> Result<Option<i64>, LedgerError> {
        Ok(connection
            .prepare_cached("SELECT id FROM account WHERE externalid = ?1")?
            .query_row([self.mark], |row| row.get(0))
            .optional()?)
    }

    fn account(&self, connection: &Connection, at: &str) -> Result<i64, LedgerError> {
        if let Some(known) = self.known(connection)? {
            return Ok(known);
        }
        let id = next_id(connection, "account")?;
        self.insert(connection, id, at)?;
        Ok(id)
    }

    fn insert(&self, connection: &Connection, id: i64, at: &str) -> Result<(), LedgerError> {
        connection.execute(
            "INSERT INTO account (id, acctnumber, acctname, accttype, fullname, accountsearchdisplayname,
             accountsearchdisplaynamecopy, displaynamewithhierarchy, issummary, isinactive, subsidiary, eliminate,
             includechildren, externalid, lastmodifieddate)
             VALUES (?1,?2,?3,?6,?3,?2 || ' ' || ?3,?3,?2 || ' ' || ?3,'F','F',
             (SELECT group_concat(id, ', ') FROM subsidiary),'F','T',?4,?5)",
            params![id, self.number, self.name, self.mark, at, self.kind],
        )?;
        connection.execute(
            "INSERT INTO accountsubsidiarymap (account, subsidiary) SELECT ?1, id FROM subsidiary",
            [id],
        )?;
        Ok(())
    }
}
