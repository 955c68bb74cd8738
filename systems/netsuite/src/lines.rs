//! Lines of transactions with the account they are booked to, and who pays what.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use tieout_domain::code::Code;
use tieout_domain::document::{Line, LineKind};
use tieout_domain::{Amount, Document, Fault, RemoteId};

use crate::call::Client;
use crate::reader::Reading;
use crate::suiteql::{Columns, Row, Unreadable, column, id_list, optional};

/// Transactions asked about at once: as many as usually fit one page of lines.
const AT_ONCE: usize = 200;

pub(crate) const LINES: Columns = Columns {
    family: "lines",
    columns: &[
        column("l.transaction", "doc"),
        column("l.id", "line"),
        column("l.mainline", "mainline"),
        optional("l.taxline", "taxline", "taxline"),
        optional("l.item", "item", "item"),
        optional("l.expenseaccount", "expenseaccount", "expenseaccount"),
        column("l.foreignamount", "amount"),
        column("l.memo", "memo"),
        optional("l.department", "department", "department"),
        optional("l.class", "class", "class"),
        optional("l.location", "location", "location"),
        optional("l.entity", "entity", "entity"),
        optional("l.createdfrom", "createdfrom", "createdfrom"),
        optional("l.iscogs", "iscogs", "iscogs"),
        optional("l.donotdisplayline", "donotdisplayline", "donotdisplayline"),
        column("a.account", "account"),
    ],
};

/// What lines of sales tell beside: items, and the name of the account.
pub(crate) const SALES_LINES: Columns = Columns {
    family: "sales lines",
    columns: &[
        column("l.transaction", "doc"),
        column("l.id", "line"),
        column("l.mainline", "mainline"),
        optional("l.taxline", "taxline", "taxline"),
        optional("l.item", "item", "item"),
        optional("BUILTIN.DF(l.item)", "itemname", "item"),
        optional("l.itemtype", "itemtype", "itemtype"),
        column("l.quantity", "quantity"),
        column("l.rate", "rate"),
        column("l.foreignamount", "amount"),
        column("l.memo", "memo"),
        optional("l.department", "department", "department"),
        optional("l.class", "class", "class"),
        optional("l.location", "location", "location"),
        optional("l.entity", "entity", "entity"),
        optional("l.iscogs", "iscogs", "iscogs"),
        optional("l.donotdisplayline", "donotdisplayline", "donotdisplayline"),
        column("a.account", "account"),
        column("BUILTIN.DF(a.account)", "accountname"),
    ],
};

const LINKS: Columns = Columns {
    family: "links",
    columns: &[
        column("k.nextdoc", "next"),
        column("k.previousdoc", "previous"),
        column("k.previousline", "previousline"),
        column("b.type", "type"),
        column("b.entity", "entity"),
        column("SUM(k.foreignamount)", "amount"),
    ],
};

/// The same from the other end: what settles these transactions.
const LINKS_BACK: Columns = Columns {
    family: "links back",
    columns: &[
        column("k.previousdoc", "next"),
        column("k.nextdoc", "previous"),
        column("k.nextline", "previousline"),
        column("b.type", "type"),
        column("b.entity", "entity"),
        column("SUM(k.foreignamount)", "amount"),
    ],
};

/// Which end of a link is asked for.
#[derive(Debug, Clone, Copy)]
enum End {
    Payer,
    Paid,
}

/// The lines of one transaction.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<Row>);

impl Lines {
    #[cfg(test)]
    pub(crate) fn of(rows: Vec<Row>) -> Self {
        Self(rows)
    }

    /// The account of the main line: payables for a bill, cash for a payment.
    pub(crate) fn main_account(&self) -> Option<RemoteId> {
        self.0
            .iter()
            .find(|row| row.flag("mainline"))
            .and_then(|row| row.id("account"))
    }

    /// What the account of the main line is called, its number in front where numbers are on.
    pub(crate) fn main_account_name(&self) -> &str {
        self.0
            .iter()
            .find(|row| row.flag("mainline"))
            .map_or("", |row| row.text("accountname"))
    }

    /// The first account beside the main line: payables for a payment.
    pub(crate) fn other_account(&self) -> Option<RemoteId> {
        self.0
            .iter()
            .filter(|row| !row.flag("mainline"))
            .find_map(|row| row.id("account"))
    }

    /// The discount that a payment took: what it credits beside cash and payables. Exchange gained or lost is in
    /// base currency alone.
    pub(crate) fn discount(&self) -> Amount {
        let payables = self.other_account();
        let beside = self.body().filter(|row| row.id("account") != payables);
        let amounts = beside.filter_map(|row| row.amount("amount").ok().flatten());
        let credited: Amount = amounts.map(|amount| -amount).sum();
        credited.max(Amount::ZERO)
    }

    /// The transaction that these lines were made from.
    pub(crate) fn created_from(&self) -> Option<RemoteId> {
        self.0.iter().find_map(|row| row.id("createdfrom"))
    }

    /// Rows other than the main line's.
    pub(crate) fn body(&self) -> impl Iterator<Item = &Row> {
        self.0.iter().filter(|row| !row.flag("mainline"))
    }

    /// All rows.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Row> {
        self.0.iter()
    }

    /// The rows that people entered. Amounts that a feature adds for the general ledger alone are no part of
    /// what is owed.
    pub(crate) fn entered(&self) -> impl Iterator<Item = &Row> {
        self.body().filter(|row| {
            let tax = row.flag("taxline");
            !row.flag("iscogs") && (tax || !row.flag("donotdisplayline"))
        })
    }

    /// The lines as people entered them, debits positive; for a credit the other way round.
    ///
    /// A dimension of the head is the default of the lines (scenario 164): the platform has none on its heads.
    pub(crate) fn document_lines(&self, credit: bool) -> Result<Vec<Line>, Unreadable> {
        let head = self.0.iter().find(|row| row.flag("mainline"));
        let line = |row: &Row, amount| line(row, head, amount);
        self.entered()
            .filter_map(|row| match row.amount("amount") {
                // A line of words only.
                Ok(None) => None,
                Ok(Some(amount)) => Some(Ok(line(row, if credit { -amount } else { amount }))),
                Err(unreadable) => Some(Err(unreadable)),
            })
            .collect()
    }
}

fn line(row: &Row, head: Option<&Row>, amount: Amount) -> Line {
    let dimension = |name: &str| row.id(name).or_else(|| head.and_then(|head| head.id(name)));
    let line_kind = if row.flag("taxline") {
        LineKind::Tax
    } else if row.id("item").is_some() {
        LineKind::Item
    } else {
        LineKind::Expense
    };
    Line {
        id: row.id("line"),
        line_kind,
        account: row.id("account").or_else(|| row.id("expenseaccount")),
        amount,
        memo: row.string("memo"),
        department: dimension("department"),
        class: dimension("class"),
        location: dimension("location"),
    }
}

/// What one transaction pays of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) previous: RemoteId,
    pub(crate) line: Option<u32>,
    /// The type code of what is paid: `VendBill`, `Journal`, `VendCred`.
    pub(crate) paid_type: String,
    pub(crate) vendor: Option<RemoteId>,
    pub(crate) amount: Amount,
}

impl Client {
    /// The lines of these transactions.
    pub(crate) async fn lines(&self, ids: &[RemoteId]) -> Result<BTreeMap<RemoteId, Lines>, Fault> {
        self.lines_with(LINES, ids).await
    }

    async fn lines_with(
        &self,
        columns: Columns,
        ids: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Lines>, Fault> {
        let rows = self
            .in_chunks(ids, columns, |list, last| {
                let after = last
                    .map(|row| {
                        let (doc, line) = (row.text("doc"), row.text("line"));
                        format!(
                            " AND (l.transaction > {doc} OR (l.transaction = {doc} AND l.id > {line}))"
                        )
                    })
                    .unwrap_or_default();
                // The primary book has the id 1; other books repeat every line.
                format!(
                    "FROM transactionline l LEFT JOIN transactionaccountingline a \
                     ON a.transaction = l.transaction AND a.transactionline = l.id \
                     AND a.accountingbook = 1 \
                     WHERE l.transaction IN ({list}){after} \
                     ORDER BY l.transaction, l.id FETCH FIRST 1000 ROWS ONLY"
                )
            })
            .await?;
        let mut all: BTreeMap<RemoteId, Lines> = BTreeMap::new();
        for row in rows {
            if let Some(id) = row.id("doc") {
                all.entry(id).or_default().0.push(row);
            }
        }
        Ok(all)
    }

    /// Makes each row's document of the row and its lines.
    pub(crate) async fn with_lines(
        &self,
        columns: Columns,
        rows: &[Row],
        make: impl Fn(&Row, &Lines) -> Result<Document, Unreadable> + Send,
    ) -> Result<Vec<Reading>, Fault> {
        let lines = self.lines_with(columns, &ids(rows)).await?;
        let none = Lines::default();
        let made = rows.iter().map(|row| {
            let lines = lines.get(&row.need_id("id")?).unwrap_or(&none);
            make(row, lines).map(Some)
        });
        Ok(made.collect())
    }

    /// The same with what the transaction pays.
    pub(crate) async fn with_links(
        &self,
        columns: Columns,
        rows: &[Row],
        make: impl Fn(&Row, &Lines, &[Link]) -> Result<Document, Unreadable> + Send,
    ) -> Result<Vec<Reading>, Fault> {
        let ids = ids(rows);
        let (lines, links) = futures::try_join!(self.lines_with(columns, &ids), self.links(&ids))?;
        let none = Lines::default();
        let made = rows.iter().map(|row| {
            let id = row.need_id("id")?;
            let lines = lines.get(&id).unwrap_or(&none);
            let links = links.get(&id).map(Vec::as_slice).unwrap_or_default();
            make(row, lines, links).map(Some)
        });
        Ok(made.collect())
    }

    /// What these transactions (payments, credits, journals) pay.
    pub(crate) async fn links(
        &self,
        ids: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Vec<Link>>, Fault> {
        self.links_from(End::Payer, ids).await
    }

    /// What settles these transactions (refunds).
    pub(crate) async fn links_back(
        &self,
        ids: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Vec<Link>>, Fault> {
        self.links_from(End::Paid, ids).await
    }

    async fn links_from(
        &self,
        end: End,
        ids: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Vec<Link>>, Fault> {
        let (columns, own, other, line_of) = match end {
            End::Payer => (LINKS, "k.nextdoc", "k.previousdoc", "k.previousline"),
            End::Paid => (LINKS_BACK, "k.previousdoc", "k.nextdoc", "k.nextline"),
        };
        let rows = self
            .in_chunks(ids, columns, |list, last| {
                let after = last
                    .map(|row| {
                        let next = row.text("next");
                        let previous = row.text("previous");
                        let line = row.number("previousline").unwrap_or(-1);
                        format!(
                            " AND ({own} > {next} OR ({own} = {next} \
                             AND ({other} > {previous} OR ({other} = {previous} \
                             AND {line_of} > {line}))))"
                        )
                    })
                    .unwrap_or_default();
                format!(
                    "FROM nexttransactionlinelink k JOIN transaction b ON b.id = {other} \
                     WHERE k.linktype = 'Payment' AND {own} IN ({list}){after} \
                     GROUP BY {own}, {other}, {line_of}, b.type, b.entity \
                     ORDER BY {own}, {other}, {line_of} \
                     FETCH FIRST 1000 ROWS ONLY"
                )
            })
            .await?;
        let mut all: BTreeMap<RemoteId, Vec<Link>> = BTreeMap::new();
        for row in &rows {
            let Some(next) = row.id("next") else { continue };
            // What is paid of a document is never guessed: an amount that can't be read is no nothing.
            let unreadable = |why: String| Fault::Drift {
                code: Code::new("drift"),
                cause: format!("what transaction `{next}` pays can't be read: {why}"),
            };
            let Some(link) = link(row).map_err(|why| unreadable(why.0))? else {
                continue;
            };
            let of = all.entry(next.clone()).or_default();
            match of
                .iter_mut()
                .find(|l| l.previous == link.previous && l.line == link.line)
            {
                Some(same) => {
                    let sum = same.amount.plus(link.amount);
                    same.amount = sum.map_err(|error| unreadable(error.to_string()))?;
                }
                None => of.push(link),
            }
        }
        Ok(all)
    }

    /// All rows about these transactions: as many of them in one query as usually fit a page.
    pub(crate) async fn in_chunks(
        &self,
        ids: &[RemoteId],
        columns: Columns,
        rest: impl Fn(&str, Option<&Row>) -> String + Copy,
    ) -> Result<Vec<Row>, Fault> {
        let lists: Vec<String> = ids.chunks(AT_ONCE).map(id_list).collect();
        let reads: Vec<_> = lists
            .iter()
            .map(|list| self.select_all(columns, move |last| rest(list, last)))
            .collect();
        let mut reads = futures::stream::iter(reads).buffered(self.settings.concurrency);
        let mut all = Vec::new();
        while let Some(rows) = reads.next().await {
            all.extend(rows?);
        }
        Ok(all)
    }
}

/// The ids of rows.
pub(crate) fn ids(rows: &[Row]) -> Vec<RemoteId> {
    rows.iter().filter_map(|row| row.id("id")).collect()
}

/// What a row says that one transaction pays of another; nothing if that is nothing.
fn link(row: &Row) -> Result<Option<Link>, Unreadable> {
    let paid_type = row.string("type");
    // A bill is paid as a whole; an open item of a journal entry is one of its lines.
    let line = (paid_type == "Journal")
        .then(|| row.number("previousline"))
        .flatten();
    let (Some(amount), Some(previous)) = (row.amount("amount")?, row.id("previous")) else {
        return Ok(None);
    };
    let link = Link {
        previous,
        line: line.and_then(|line| u32::try_from(line).ok()),
        paid_type,
        vendor: row.id("entity"),
        amount: amount.abs(),
    };
    Ok(Some(link).filter(|link| !link.amount.is_zero()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    fn lines() -> Lines {
        Lines(vec![
            row(&[
                ("line", "0"),
                ("mainline", "T"),
                ("amount", "-107.5"),
                ("account", "111"),
            ]),
            row(&[
                ("line", "1"),
                ("mainline", "F"),
                ("amount", "110"),
                ("account", "58"),
                ("item", "9"),
            ]),
            row(&[
                ("line", "2"),
                ("mainline", "F"),
                ("amount", "-10"),
                ("expenseaccount", "59"),
            ]),
            row(&[
                ("line", "3"),
                ("mainline", "F"),
                ("amount", "7.5"),
                ("taxline", "T"),
                ("account", "70"),
            ]),
            row(&[("line", "4"), ("mainline", "F"), ("memo", "words only")]),
            row(&[
                ("line", "5"),
                ("mainline", "F"),
                ("amount", "3"),
                ("iscogs", "T"),
            ]),
        ])
    }

    #[test]
    fn s039_s041_s043_every_payable_line_counts_with_its_sign() {
        let lines = lines();
        let found = lines.document_lines(false).unwrap();
        let kinds: Vec<LineKind> = found.iter().map(|line| line.line_kind).collect();
        assert_eq!(kinds, [LineKind::Item, LineKind::Expense, LineKind::Tax]);
        let total = Amount::total(found.iter().map(|line| line.amount)).unwrap();
        assert_eq!(total.to_string(), "107.5");
        assert_eq!(found[1].account, Some("59".into()));
        assert_eq!(lines.main_account(), Some("111".into()));
    }

    #[test]
    fn s164_a_dimension_of_the_head_is_the_default_of_the_lines() {
        let head = row(&[("line", "0"), ("mainline", "T"), ("department", "7")]);
        let own = row(&[("line", "1"), ("amount", "10"), ("department", "9")]);
        let none = row(&[("line", "2"), ("amount", "5"), ("class", "4")]);
        let found = Lines(vec![head, own, none]).document_lines(false).unwrap();
        let departments: Vec<_> = found.iter().map(|line| line.department.clone()).collect();
        assert_eq!(departments, [Some("9".into()), Some("7".into())]);
        assert_eq!(
            (found[0].class.clone(), found[1].class.clone()),
            (None, Some("4".into()))
        );
    }

    #[test]
    fn the_lines_of_a_credit_are_positive() {
        let credit = Lines(vec![row(&[
            ("line", "1"),
            ("mainline", "F"),
            ("amount", "-50"),
        ])]);
        assert_eq!(
            credit.document_lines(true).unwrap()[0].amount.to_string(),
            "50"
        );
    }
}
