//! Credit memos, with what they are applied to. Their amounts are positive.

use async_trait::async_trait;
use tieout_domain::document::CreditMemo;
use tieout_domain::{Document, Fault, Kind, RemoteId};

use super::invoices::status;
use super::sales_lines::sales_lines;
use crate::bills::{currency, external_id, transactions_from};
use crate::call::Client;
use crate::lines::{Lines, Link, SALES_LINES};
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, Unreadable, column, optional};
use crate::vendor_credits::{application, unused};

const COLUMNS: Columns = Columns {
    family: "credit memos",
    columns: &[
        column("t.id", "id"),
        column("t.tranid", "tranid"),
        column("t.entity", "entity"),
        column("TO_CHAR(t.trandate, 'YYYY-MM-DD')", "trandate"),
        column("t.status", "status"),
        optional("t.approvalstatus", "approvalstatus", "approvalstatus"),
        optional("t.currency", "currency", "currency"),
        column("t.foreigntotal", "total"),
        optional(
            "t.foreignpaymentamountunused",
            "unused",
            "foreignpaymentamountunused",
        ),
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
pub(crate) struct CreditMemos;

/// The condition of having changed, or of settling a document that has: a refund uses a credit up, and whether that
/// changes the credit's own time is not documented.
pub(super) fn changed_or_refunded(since: &str) -> String {
    format!(
        "(t.lastmodifieddate >= {since} OR t.id IN (SELECT k.nextdoc \
         FROM nexttransactionlinelink k JOIN transaction r ON r.id = k.previousdoc \
         WHERE k.linktype = 'Payment' AND r.type = 'CustRfnd' AND r.lastmodifieddate >= {since}))"
    )
}

#[async_trait]
impl Source for CreditMemos {
    fn kind(&self) -> Kind {
        Kind::CreditMemo
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, client: &Client, _shape: &Shape) -> String {
        transactions_from(client, "CustCred")
    }

    fn changed(&self, since: &str) -> String {
        changed_or_refunded(since)
    }

    fn version(&self, row: &Row) -> String {
        let words = ["modified", "status", "unused"].map(|name| row.text(name));
        words.join("/")
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let subsidiary = client.settings.subsidiary.as_ref();
        let memo = |row: &Row, lines: &Lines, links: &[Link]| {
            memo(row, lines, links, shape, subsidiary).map(Document::CreditMemo)
        };
        client.with_links(SALES_LINES, rows, memo).await
    }
}

fn memo(
    row: &Row,
    lines: &Lines,
    links: &[Link],
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<CreditMemo, Unreadable> {
    let total = row.need_amount("total")?.abs();
    // What is paid back is told by the refund.
    let applied = links.iter().filter(|link| link.paid_type != "CustRfnd");
    Ok(CreditMemo {
        customer: row.need_id("entity")?,
        number: row.string("tranid"),
        date: row.need_date("trandate")?,
        currency: currency(row, shape, subsidiary)?,
        receivables_account: lines.main_account(),
        subsidiary: subsidiary.cloned(),
        period: row.id("period"),
        lines: sales_lines(lines, false)?,
        total,
        open: unused(row, total, links)?,
        applications: applied.map(application).collect(),
        status: status(row),
        memo: row.string("memo"),
        marker: None,
        external_id: external_id(row),
    })
}
