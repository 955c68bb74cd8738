//! Vendor credits, with what they are applied to. Their amounts are positive.

use async_trait::async_trait;
use tieout_domain::document::{Application, VendorCredit};
use tieout_domain::{Amount, Document, Fault, Kind, RemoteId};

use crate::bills::{approval, currency, external_id, status, transactions_from};
use crate::call::Client;
use crate::lines::{Lines, Link};
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
        let ids: Vec<RemoteId> = rows.iter().filter_map(|row| row.id("id")).collect();
        let (lines, links) = futures::try_join!(client.lines(&ids), client.links(&ids))?;
        let no_lines = Lines::default();
        Ok(rows
            .iter()
            .map(|row| {
                let id = row.need_id("id")?;
                let lines = lines.get(&id).unwrap_or(&no_lines);
                let links = links.get(&id).map(Vec::as_slice).unwrap_or_default();
                let subsidiary = client.settings.subsidiary.as_ref();
                credit(row, lines, links, shape, subsidiary)
                    .map(|credit| Some(Document::VendorCredit(credit)))
            })
            .collect())
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

fn credit(
    row: &Row,
    lines: &Lines,
    links: &[Link],
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<VendorCredit, Unreadable> {
    let total = row.need_amount("total")?.abs();
    let applied = Amount::total(links.iter().map(|link| link.amount))
        .map_err(|error| Unreadable(error.to_string()))?;
    let open = match row.amount("unused")? {
        Some(unused) => unused.abs(),
        None => total
            .minus(applied)
            .map_err(|error| Unreadable(error.to_string()))?,
    };
    Ok(VendorCredit {
        vendor: row.need_id("entity")?,
        number: row.string("tranid"),
        transaction_number: row.string("transactionnumber"),
        date: row.need_date("trandate")?,
        currency: currency(row, shape, subsidiary)?,
        payables_account: lines.main_account(),
        subsidiary: subsidiary.cloned(),
        period: row.id("period"),
        lines: lines.document_lines(true)?,
        total,
        open,
        applications: links.iter().map(application).collect(),
        status: status(row),
        approval: approval(row),
        memo: row.string("memo"),
        marker: None,
        external_id: external_id(row),
    })
}
