//! Vendor credits, with what they are applied to. Their amounts are positive.

use async_trait::async_trait;
use tieout_domain::document::{Application, VendorCredit};
use tieout_domain::{Amount, Document, Fault, Kind, RemoteId};

use crate::bills::{approval, currency, exchange_rate, external_id, status, transactions_from};
use crate::call::Client;
use crate::lines::{LINES, Lines, Link};
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, Unreadable, column, optional};

const COLUMNS: Columns = Columns {
    family: "vendor credits",
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
        column("t.status", "status"),
        optional("t.approvalstatus", "approvalstatus", "approvalstatus"),
        optional("t.currency", "currency", "currency"),
        optional("t.exchangerate", "exchangerate", "exchangerate"),
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
pub(crate) struct VendorCredits;

#[async_trait]
impl Source for VendorCredits {
    fn kind(&self) -> Kind {
        Kind::VendorCredit
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, client: &Client, _shape: &Shape) -> String {
        transactions_from(client, "VendCred")
    }

    fn version(&self, row: &Row) -> String {
        format!(
            "{}/{}/{}",
            row.text("modified"),
            row.text("status"),
            row.text("unused")
        )
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let subsidiary = client.settings.subsidiary.as_ref();
        let credit = |row: &Row, lines: &Lines, links: &[Link]| {
            credit(row, lines, links, shape, subsidiary).map(Document::VendorCredit)
        };
        client.with_links(LINES, rows, credit).await
    }
}

/// A link as an application.
pub(crate) fn application(link: &Link) -> Application {
    Application {
        document: link.previous.clone(),
        line: link.line,
        amount: link.amount,
        discount: Amount::ZERO,
        credits: Vec::new(),
    }
}

/// What of a credit or payment is left: as the service shows it, or else what its links leave of the total.
pub(crate) fn unused(row: &Row, total: Amount, links: &[Link]) -> Result<Amount, Unreadable> {
    if let Some(unused) = row.amount("unused")? {
        return Ok(unused.abs());
    }
    let unreadable = |error: tieout_domain::MoneyError| Unreadable(error.to_string());
    let applied = Amount::total(links.iter().map(|link| link.amount)).map_err(unreadable)?;
    total.minus(applied).map_err(unreadable)
}

fn credit(
    row: &Row,
    lines: &Lines,
    links: &[Link],
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<VendorCredit, Unreadable> {
    let total = row.need_amount("total")?.abs();
    Ok(VendorCredit {
        vendor: row.need_id("entity")?,
        number: row.string("tranid"),
        transaction_number: row.string("transactionnumber"),
        date: row.need_date("trandate")?,
        currency: currency(row, shape, subsidiary)?,
        exchange_rate: exchange_rate(row, shape, subsidiary),
        payables_account: lines.main_account(),
        subsidiary: subsidiary.cloned(),
        period: row.id("period"),
        lines: lines.document_lines(true)?,
        total,
        open: unused(row, total, links)?,
        applications: links.iter().map(application).collect(),
        status: status(row),
        approval: approval(row),
        memo: row.string("memo"),
        marker: None,
        external_id: external_id(row),
    })
}
