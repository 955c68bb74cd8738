//! Invoices.

use async_trait::async_trait;
use tieout_domain::document::{Invoice, InvoiceStatus};
use tieout_domain::{Amount, Document, Fault, Kind, RemoteId};

use super::sales_lines::sales_lines;
use crate::bills::{changed_or_paid, currency, external_id, letter, transactions_from};
use crate::call::Client;
use crate::lines::{Lines, SALES_LINES};
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, Unreadable, column, optional};

const COLUMNS: Columns = Columns {
    family: "invoices",
    columns: &[
        column("t.id", "id"),
        column("t.tranid", "tranid"),
        column("t.entity", "entity"),
        column("TO_CHAR(t.trandate, 'YYYY-MM-DD')", "trandate"),
        column("TO_CHAR(t.duedate, 'YYYY-MM-DD')", "duedate"),
        column("t.status", "status"),
        optional("t.approvalstatus", "approvalstatus", "approvalstatus"),
        optional("t.currency", "currency", "currency"),
        optional("t.terms", "terms", "terms"),
        optional("t.otherrefnum", "purchaseorder", "otherrefnum"),
        column("t.foreigntotal", "total"),
        column("t.foreignamountunpaid", "open"),
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

#[derive(Clone, Copy)]
pub(crate) struct Invoices;

#[async_trait]
impl Source for Invoices {
    fn kind(&self) -> Kind {
        Kind::Invoice
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, client: &Client, _shape: &Shape) -> String {
        transactions_from(client, "CustInvc")
    }

    fn changed(&self, since: &str) -> String {
        changed_or_paid(since)
    }

    fn version(&self, row: &Row) -> String {
        let words = ["modified", "status", "open"].map(|name| row.text(name));
        words.join("/")
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let subsidiary = client.settings.subsidiary.as_ref();
        let invoice = |row: &Row, lines: &Lines| {
            invoice(row, lines, shape, subsidiary).map(Document::Invoice)
        };
        client.with_lines(SALES_LINES, rows, invoice).await
    }
}

fn invoice(
    row: &Row,
    lines: &Lines,
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<Invoice, Unreadable> {
    Ok(Invoice {
        customer: row.need_id("entity")?,
        number: row.string("tranid"),
        date: row.need_date("trandate")?,
        due: row.date("duedate")?,
        terms: row.id("terms"),
        currency: currency(row, shape, subsidiary)?,
        receivables_account: lines.main_account(),
        subsidiary: subsidiary.cloned(),
        period: row.id("period"),
        lines: sales_lines(lines, true)?,
        total: row.need_amount("total")?,
        open: row.amount("open")?.unwrap_or(Amount::ZERO),
        status: status(row),
        memo: row.string("memo"),
        purchase_order: row.string("purchaseorder"),
        marker: None,
        external_id: external_id(row),
    })
}

/// README §Receivables has the letters. What waits for approval is not owed yet (scenario 197).
pub(super) fn status(row: &Row) -> InvoiceStatus {
    if row.flag("voided") {
        return InvoiceStatus::Voided;
    }
    match (row.text("approvalstatus"), letter(row)) {
        (_, "V") => InvoiceStatus::Voided,
        ("1", _) | (_, "D") => InvoiceStatus::PendingApproval,
        ("3", _) | (_, "E") => InvoiceStatus::Rejected,
        (_, "A") => InvoiceStatus::Open,
        (_, "B") => InvoiceStatus::Paid,
        (_, other) => InvoiceStatus::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    #[test]
    fn what_waits_for_approval_is_told_apart_from_what_is_open() {
        for (letter, approval, voided, expected) in [
            ("A", "2", "F", InvoiceStatus::Open),
            ("CustInvc:B", "", "F", InvoiceStatus::Paid),
            ("D", "1", "F", InvoiceStatus::PendingApproval),
            ("A", "1", "F", InvoiceStatus::PendingApproval),
            ("E", "3", "F", InvoiceStatus::Rejected),
            ("V", "2", "F", InvoiceStatus::Voided),
            ("B", "2", "T", InvoiceStatus::Voided),
            ("Q", "2", "F", InvoiceStatus::Other("Q".to_owned())),
        ] {
            let row = row(&[
                ("status", letter),
                ("approvalstatus", approval),
                ("voided", voided),
            ]);
            assert_eq!(status(&row), expected, "{letter}");
        }
    }
}
