//! Vendor bills.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tieout_domain::document::{Approval, Bill, BillStatus};
use tieout_domain::{Amount, Document, ExchangeRate, Fault, Key, Kind, RemoteId};

use crate::call::Client;
use crate::lines::Lines;
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, Unreadable, column, id_list, optional};
use crate::terms::Terms;

const COLUMNS: Columns = Columns {
    family: "bills",
    columns: &[
        column("t.id", "id"),
        column("t.tranid", "tranid"),
        optional(
            "t.transactionnumber",
            "transactionnumber",
            "transactionnumber",
        ),
        column("t.entity", "entity"),
        column("TO_CHAR(t.trandate, 'YYYY-MM-DD')", "trandate"),
        column("TO_CHAR(t.duedate, 'YYYY-MM-DD')", "duedate"),
        column("t.status", "status"),
        optional("t.approvalstatus", "approvalstatus", "approvalstatus"),
        optional("t.currency", "currency", "currency"),
        optional("t.exchangerate", "exchangerate", "exchangerate"),
        column("t.foreigntotal", "total"),
        column("t.foreignamountunpaid", "open"),
        column("t.memo", "memo"),
        column("t.postingperiod", "period"),
        column("t.voided", "voided"),
        optional("t.externalid", "externalid", "externalid"),
        optional("t.paymenthold", "paymenthold", "paymenthold"),
        optional("t.terms", "terms", "terms"),
        column(
            "TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')",
            "modified",
        ),
        ASKED,
    ],
};

pub(crate) struct Bills;

/// `FROM` and `WHERE` of one type of transaction in the connection's subsidiary, which stands on the main
/// line.
pub(crate) fn transactions_from(client: &Client, type_code: &str) -> String {
    match &client.settings.subsidiary {
        None => format!("FROM transaction t WHERE t.type = '{type_code}'"),
        Some(subsidiary) => format!(
            "FROM transaction t JOIN transactionline ml ON ml.transaction = t.id \
             AND ml.mainline = 'T' WHERE t.type = '{type_code}' AND ml.subsidiary = {subsidiary}"
        ),
    }
}

/// Whether paying a document changes its own time of last change is not documented: documents that a changed
/// payment, credit or journal pays are read, too.
pub(crate) fn changed_or_paid(since: &str) -> String {
    changed_or_followed(since, "k.linktype = 'Payment' AND ")
}

/// Changed themselves, or followed by a transaction that has changed; `links` narrows by which links.
pub(crate) fn changed_or_followed(since: &str, links: &str) -> String {
    format!(
        "(t.lastmodifieddate >= {since} OR t.id IN (SELECT k.previousdoc \
         FROM nexttransactionlinelink k JOIN transaction p ON p.id = k.nextdoc \
         WHERE {links}p.lastmodifieddate >= {since}))"
    )
}

#[async_trait]
impl Source for Bills {
    fn kind(&self) -> Kind {
        Kind::Bill
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, client: &Client, _shape: &Shape) -> String {
        transactions_from(client, "VendBill")
    }

    fn changed(&self, since: &str) -> String {
        changed_or_paid(since)
    }

    fn version(&self, row: &Row) -> String {
        format!(
            "{}/{}/{}",
            row.text("modified"),
            row.text("status"),
            row.text("open")
        )
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let ids: Vec<RemoteId> = rows.iter().filter_map(|row| row.id("id")).collect();
        let lines = async {
            let lines = client.lines(&ids).await?;
            let orders = purchase_orders(client, &lines).await?;
            Ok((lines, orders))
        };
        let ((lines, orders), terms) = futures::try_join!(lines, Terms::of(client, rows))?;
        let none = Lines::default();
        let wanted = &client.settings.payables_accounts;
        Ok(rows
            .iter()
            .map(|row| {
                let lines = row.id("id").and_then(|id| lines.get(&id)).unwrap_or(&none);
                let account = lines.main_account();
                if !wanted.is_empty() && account.as_ref().is_some_and(|id| !wanted.contains(id)) {
                    return Ok(None);
                }
                let subsidiary = client.settings.subsidiary.as_ref();
                let mut bill = bill(row, lines, shape, subsidiary)?;
                bill.discount = terms.discount(row.id("terms"), &bill);
                if let Some(order) = lines.created_from() {
                    bill.purchase_order = orders
                        .get(&order)
                        .cloned()
                        .unwrap_or_else(|| order.to_string());
                }
                Ok(Some(Document::Bill(bill)))
            })
            .collect())
    }
}

/// The numbers of the purchase orders that lines were made from.
async fn purchase_orders(
    client: &Client,
    lines: &BTreeMap<RemoteId, Lines>,
) -> Result<BTreeMap<RemoteId, String>, Fault> {
    let mut ids: Vec<RemoteId> = lines.values().filter_map(Lines::created_from).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut all = BTreeMap::new();
    for ids in ids.chunks(crate::suiteql::PAGE) {
        let sql = format!(
            "SELECT t.id AS id, t.tranid AS tranid FROM transaction t WHERE t.id IN ({}) ORDER BY t.id",
            id_list(ids)
        );
        let rows = client.query(&sql, &[]).await?.rows;
        all.extend(
            rows.iter()
                .filter_map(|row| Some((row.id("id")?, row.string("tranid")))),
        );
    }
    Ok(all)
}

fn bill(
    row: &Row,
    lines: &Lines,
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<Bill, Unreadable> {
    Ok(Bill {
        vendor: row.need_id("entity")?,
        number: row.string("tranid"),
        transaction_number: row.string("transactionnumber"),
        date: row.need_date("trandate")?,
        due: row.date("duedate")?,
        discount: None,
        currency: currency(row, shape, subsidiary)?,
        exchange_rate: exchange_rate(row, shape, subsidiary),
        payables_account: lines.main_account(),
        subsidiary: subsidiary.cloned(),
        period: row.id("period"),
        lines: lines.document_lines(false)?,
        total: row.need_amount("total")?,
        open: row.amount("open")?.unwrap_or(Amount::ZERO),
        scheduled: Amount::ZERO,
        status: status(row),
        approval: approval(row),
        memo: row.string("memo"),
        purchase_order: String::new(),
        payment_hold: row.flag("paymenthold"),
        marker: None,
        external_id: external_id(row),
    })
}

/// The currency of a transaction.
pub(crate) fn currency(
    row: &Row,
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<tieout_domain::Currency, Unreadable> {
    let id = row.id("currency");
    shape.currency(id.as_ref(), subsidiary).ok_or_else(|| {
        Unreadable(format!(
            "its currency `{}` is unknown",
            row.text("currency")
        ))
    })
}

/// What a transaction's currency is worth in the subsidiary's. It is there to be shown: one that can't be read
/// keeps no document back.
pub(crate) fn exchange_rate(
    row: &Row,
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Option<ExchangeRate> {
    let base = shape.currency(None, subsidiary)?;
    let foreign = currency(row, shape, subsidiary).is_ok_and(|own| own != base);
    let rate = row.amount("exchangerate").ok()??;
    foreign.then(|| ExchangeRate::new(rate, base))?
}

/// The external id, if it is one that a key can be.
pub(crate) fn external_id(row: &Row) -> Option<Key> {
    let text = row.text("externalid");
    (!text.is_empty()).then(|| Key::of([text]))
}

/// The status letter alone, also where it comes as `VendBill:A`.
pub(crate) fn letter(row: &Row) -> &str {
    let text = row.text("status");
    text.rsplit(':').next().unwrap_or(text).trim()
}

/// README §Statuses has the letters.
pub(crate) fn status(row: &Row) -> BillStatus {
    if row.flag("voided") {
        return BillStatus::Voided;
    }
    match letter(row) {
        "A" => BillStatus::Open,
        "B" => BillStatus::Paid,
        "C" => BillStatus::Cancelled,
        "D" => BillStatus::PendingApproval,
        "E" => BillStatus::Rejected,
        other => BillStatus::Other(other.to_owned()),
    }
}

/// Where an account doesn't route bills for approval, what isn't pending is approved.
pub(crate) fn approval(row: &Row) -> Approval {
    match (row.text("approvalstatus"), letter(row)) {
        ("1", _) | ("", "D") => Approval::Pending,
        ("2", _) | ("", "A" | "B") => Approval::Approved,
        ("3", _) | ("", "E") => Approval::Denied,
        ("", _) => Approval::Unassigned,
        (other, _) => Approval::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    #[test]
    fn states_of_a_bill_are_told_apart() {
        for (letter, approval_id, voided, expected) in [
            ("A", "2", "F", (BillStatus::Open, Approval::Approved)),
            (
                "VendBill:B",
                "2",
                "F",
                (BillStatus::Paid, Approval::Approved),
            ),
            ("C", "2", "F", (BillStatus::Cancelled, Approval::Approved)),
            (
                "D",
                "1",
                "F",
                (BillStatus::PendingApproval, Approval::Pending),
            ),
            ("E", "3", "F", (BillStatus::Rejected, Approval::Denied)),
            ("B", "2", "T", (BillStatus::Voided, Approval::Approved)),
            ("A", "", "F", (BillStatus::Open, Approval::Approved)),
            (
                "Q",
                "11",
                "F",
                (
                    BillStatus::Other("Q".to_owned()),
                    Approval::Other("11".to_owned()),
                ),
            ),
        ] {
            let row = row(&[
                ("status", letter),
                ("approvalstatus", approval_id),
                ("voided", voided),
            ]);
            assert_eq!((status(&row), approval(&row)), expected, "{letter}");
        }
    }
}
