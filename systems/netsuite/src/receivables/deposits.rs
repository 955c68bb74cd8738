//! Deposits: customers' payments out of Undeposited Funds to the bank, with what else came or was kept back.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tieout_domain::document::{Deposit, DepositLine, Deposited};
use tieout_domain::{Amount, Document, Fault, Kind, RemoteId};

use super::payments::is_undeposited_funds;
use crate::bills::{currency, external_id, letter, transactions_from};
use crate::call::Client;
use crate::lines::{Lines, SALES_LINES, ids};
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, Unreadable, column, optional};

const COLUMNS: Columns = Columns {
    family: "deposits",
    columns: &[
        column("t.id", "id"),
        column("t.tranid", "tranid"),
        column("TO_CHAR(t.trandate, 'YYYY-MM-DD')", "trandate"),
        column("t.status", "status"),
        optional("t.currency", "currency", "currency"),
        column("t.foreigntotal", "total"),
        column("t.memo", "memo"),
        column("t.postingperiod", "period"),
        column("t.voided", "voided"),
        optional("t.externalid", "externalid", "externalid"),
        column(
            "TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')",
            "modified",
        ),
        ASKED,
    ],
};

/// What deposits have taken. A payment is taken whole, so its own total is the amount.
const TAKEN: Columns = Columns {
    family: "deposited",
    columns: &[
        column("k.nextdoc", "deposit"),
        column("k.previousdoc", "payment"),
        column("b.type", "type"),
        column("b.foreigntotal", "amount"),
    ],
};

#[derive(Clone, Copy)]
pub(crate) struct Deposits;

#[async_trait]
impl Source for Deposits {
    fn kind(&self) -> Kind {
        Kind::Deposit
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, client: &Client, _shape: &Shape) -> String {
        transactions_from(client, "Deposit")
    }

    fn version(&self, row: &Row) -> String {
        let words = ["modified", "status", "voided"].map(|name| row.text(name));
        words.join("/")
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let taken = client.deposited(&ids(rows)).await?;
        let subsidiary = client.settings.subsidiary.as_ref();
        let read = |row: &Row, lines: &Lines| {
            let taken = taken.get(&row.need_id("id")?);
            let taken = taken.map(Vec::as_slice).unwrap_or_default();
            deposit(row, lines, taken, shape, subsidiary).map(Document::Deposit)
        };
        let readings = client.with_lines(SALES_LINES, rows, read).await?;
        let standing = rows.iter().zip(readings).map(|(row, reading)| {
            // What was voided has brought nothing to the bank.
            if is_voided(row) { Ok(None) } else { reading }
        });
        Ok(standing.collect())
    }
}

fn is_voided(row: &Row) -> bool {
    row.flag("voided") || letter(row) == "V"
}

fn deposit(
    row: &Row,
    lines: &Lines,
    taken: &[Row],
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<Deposit, Unreadable> {
    let payments: Vec<Deposited> = taken.iter().map(deposited).collect::<Result<_, _>>()?;
    let account = lines.main_account().ok_or_else(|| {
        Unreadable("no line of it has the `account` that the money reached".to_owned())
    })?;
    let lines = other_lines(lines, &payments)?;
    let total = row.need_amount("total")?;
    let parts = payments.iter().map(|one| one.amount);
    let parts = Amount::total(parts.chain(lines.iter().map(|line| line.amount)))
        .map_err(|error| Unreadable(error.to_string()))?;
    if parts != total {
        return Err(Unreadable(format!(
            "its payments and lines come to {parts} and its `total` is {total}"
        )));
    }
    Ok(Deposit {
        number: row.string("tranid"),
        date: row.need_date("trandate")?,
        currency: currency(row, shape, subsidiary)?,
        account,
        payments,
        lines,
        total,
        memo: row.string("memo"),
        subsidiary: subsidiary.cloned(),
        period: row.id("period"),
        external_id: external_id(row),
    })
}

/// A payment's total is negative over there, a cash sale's isn't (README §Statuses): what lowers a deposit is told by
/// its type.
fn deposited(row: &Row) -> Result<Deposited, Unreadable> {
    let amount = row.need_amount("amount")?.abs();
    let paid_back = matches!(row.text("type"), "CustRfnd" | "CashRfnd");
    Ok(Deposited {
        payment: row.need_id("payment")?,
        amount: if paid_back { -amount } else { amount },
    })
}

/// The lines that are no payments. A payment's own line is one on Undeposited Funds of just its amount.
fn other_lines(lines: &Lines, payments: &[Deposited]) -> Result<Vec<DepositLine>, Unreadable> {
    let mut unmatched: Vec<Amount> = payments.iter().map(|one| one.amount).collect();
    let mut others = Vec::new();
    for row in lines.body() {
        let Some(amount) = row.amount("amount")? else {
            continue;
        };
        // Debits are positive over there, and what comes in is a credit.
        let amount = -amount;
        let own = unmatched.iter().position(|payment| *payment == amount);
        if let Some(at) = own.filter(|_| is_undeposited_funds(row.text("accountname"))) {
            unmatched.swap_remove(at);
            continue;
        }
        others.push(DepositLine {
            account: row.need_id("account")?,
            amount,
            party: row.id("entity"),
            memo: row.string("memo"),
        });
    }
    Ok(others)
}

impl Client {
    /// What these deposits have taken out of Undeposited Funds. What such links are called was not found stated and is
    /// not asked (README §Control accounts).
    async fn deposited(&self, ids: &[RemoteId]) -> Result<BTreeMap<RemoteId, Vec<Row>>, Fault> {
        let rows = self
            .in_chunks(ids, TAKEN, |list, last| {
                let after = last
                    .map(|row| {
                        let (deposit, payment) = (row.text("deposit"), row.text("payment"));
                        format!(
                            " AND (k.nextdoc > {deposit} OR (k.nextdoc = {deposit} \
                             AND k.previousdoc > {payment}))"
                        )
                    })
                    .unwrap_or_default();
                format!(
                    "FROM nexttransactionlinelink k JOIN transaction b ON b.id = k.previousdoc \
                     WHERE k.nextdoc IN ({list}){after} \
                     GROUP BY k.nextdoc, k.previousdoc, b.type, b.foreigntotal \
                     ORDER BY k.nextdoc, k.previousdoc FETCH FIRST 1000 ROWS ONLY"
                )
            })
            .await?;
        let mut all: BTreeMap<RemoteId, Vec<Row>> = BTreeMap::new();
        for row in rows {
            if let Some(id) = row.id("deposit") {
                all.entry(id).or_default().push(row);
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    fn line(account: &str, name: &str, amount: &str) -> Row {
        row(&[
            ("mainline", "F"),
            ("account", account),
            ("accountname", name),
            ("amount", amount),
        ])
    }

    #[test]
    fn a_payments_own_line_is_no_other_money_and_anything_else_is() {
        let payments = [("7", "60"), ("8", "40")].map(|(id, amount)| Deposited {
            payment: id.into(),
            amount: amount.parse().unwrap(),
        });
        let lines = Lines::of(vec![
            line("116", "1099 Undeposited Funds", "-40"),
            line("116", "1099 Undeposited Funds", "-60"),
            line("116", "1099 Undeposited Funds", "-5"),
            line("60", "Bank Fees", "3.2"),
            line("61", "Sales", "-60"),
        ]);
        let read = other_lines(&lines, &payments).unwrap();
        let told: Vec<_> = read
            .iter()
            .map(|line| (line.account.as_str(), line.amount.to_string()))
            .collect();
        let expected = [("116", "5"), ("60", "-3.2"), ("61", "60")];
        assert_eq!(told, expected.map(|(id, amount)| (id, amount.to_owned())));
    }

    #[test]
    fn what_was_paid_back_lowers_a_deposit() {
        let taken = |kind: &str, amount: &str| {
            let row = row(&[("payment", "7"), ("type", kind), ("amount", amount)]);
            deposited(&row).unwrap().amount.to_string()
        };
        assert_eq!(taken("CustPymt", "-60"), "60");
        assert_eq!(taken("CashSale", "60"), "60");
        assert_eq!(taken("CustRfnd", "60"), "-60");
    }
}
