//! Accounts of the general ledger.

use async_trait::async_trait;
use tieout_domain::document::{Account, AccountKind};
use tieout_domain::{Document, Fault, Kind};

use crate::call::Client;
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, Unreadable, column, optional};

/// What is read of an account.
pub(crate) const COLUMNS: Columns = Columns {
    family: "accounts",
    columns: &[
        column("t.id", "id"),
        column("t.acctnumber", "acctnumber"),
        column("t.fullname", "fullname"),
        optional(
            "t.accountsearchdisplaynamecopy",
            "name",
            "accountsearchdisplaynamecopy",
        ),
        column("t.accttype", "accttype"),
        column("t.parent", "parent"),
        column("t.issummary", "issummary"),
        column("t.isinactive", "isinactive"),
        optional("t.description", "description", "description"),
        optional("t.subsidiary", "subsidiary", "subsidiary"),
        optional("t.includechildren", "includechildren", "includechildren"),
        column(
            "TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')",
            "modified",
        ),
        ASKED,
    ],
};

pub(crate) struct Accounts;

#[async_trait]
impl Source for Accounts {
    fn kind(&self) -> Kind {
        Kind::Account
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, _client: &Client, _shape: &Shape) -> String {
        "FROM account t WHERE t.id IS NOT NULL".to_owned()
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let subsidiary = client.settings.subsidiary.as_ref();
        Ok(rows
            .iter()
            .map(|row| {
                let list = row.ids("subsidiary");
                if !shape.shared_with(&list, row.flag("includechildren"), subsidiary) {
                    return Ok(None);
                }
                account(row).map(|account| Some(Document::Account(account)))
            })
            .collect())
    }
}

/// The account that a row shows.
pub(crate) fn account(row: &Row) -> Result<Account, Unreadable> {
    row.need_id("id")?;
    let number = row.string("acctnumber");
    let path = without_numbers(row.text("fullname"), &number);
    let last = path.rsplit(" : ").next().unwrap_or_default();
    let name = match row.text("name") {
        "" => last.to_owned(),
        name => without_numbers(name.rsplit(" : ").next().unwrap_or(name), &number),
    };
    Ok(Account {
        number,
        name,
        path,
        account_kind: account_kind(row.text("accttype")),
        parent: row.id("parent"),
        summary: row.flag("issummary"),
        inactive: row.flag("isinactive"),
        subsidiaries: row.ids("subsidiary"),
        description: row.string("description"),
    })
}

/// Where account numbers are on, names may carry them in front.
fn without_numbers(path: &str, number: &str) -> String {
    if number.is_empty() {
        return path.to_owned();
    }
    path.split(" : ")
        .map(|part| {
            part.strip_prefix(number)
                .map_or(part, |rest| rest.trim_start_matches([' ', '-']))
        })
        .map(|part| if part.is_empty() { number } else { part })
        .collect::<Vec<_>>()
        .join(" : ")
}

/// README §Accounts of the ledger has the table.
fn account_kind(word: &str) -> AccountKind {
    match word {
        "Bank" => AccountKind::Bank,
        "AcctRec" | "UnbilledRec" => AccountKind::AccountsReceivable,
        "AcctPay" => AccountKind::AccountsPayable,
        "CredCard" => AccountKind::CreditCard,
        "OthCurrAsset" => AccountKind::OtherCurrentAsset,
        "FixedAsset" => AccountKind::FixedAsset,
        "OthAsset" => AccountKind::OtherAsset,
        "OthCurrLiab" => AccountKind::OtherCurrentLiability,
        "LongTermLiab" => AccountKind::LongTermLiability,
        "Equity" => AccountKind::Equity,
        "Income" => AccountKind::Income,
        "OthIncome" => AccountKind::OtherIncome,
        "COGS" => AccountKind::CostOfGoodsSold,
        "Expense" => AccountKind::Expense,
        "OthExpense" => AccountKind::OtherExpense,
        "DeferExpense" => AccountKind::DeferredExpense,
        "DeferRevenue" => AccountKind::DeferredRevenue,
        "NonPosting" | "Stat" => AccountKind::NonPosting,
        other => AccountKind::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    #[test]
    fn an_account_is_read_with_its_number_as_text() {
        let account = account(&row(&[
            ("id", "58"),
            ("acctnumber", "06010"),
            ("fullname", "Travel : 06010 Air"),
            ("accttype", "Expense"),
            ("isinactive", "F"),
        ]))
        .unwrap();
        assert_eq!(account.label(), "06010 Air");
        assert_eq!(account.path, "Travel : Air");
        assert_eq!(account.account_kind, AccountKind::Expense);
    }

    #[test]
    fn an_unknown_type_keeps_its_word() {
        assert_eq!(
            account_kind("Crypto"),
            AccountKind::Other("Crypto".to_owned())
        );
    }
}
