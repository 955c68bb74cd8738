//! Customer refunds: money that went back, and of which payments and credits.

use async_trait::async_trait;
use tieout_domain::document::{CustomerRefund, ReceiptMethod};
use tieout_domain::{Document, Fault, Kind, RemoteId};

use crate::bills::{changed_or_followed, currency, external_id, letter, transactions_from};
use crate::call::Client;
use crate::lines::{Lines, Link, SALES_LINES, ids};
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::suiteql::{Columns, Row, Unreadable, column, optional};
use crate::vendor_credits::application;

const COLUMNS: Columns = Columns {
    family: "customer refunds",
    columns: &[
        column("t.id", "id"),
        column("t.tranid", "tranid"),
        column("t.entity", "entity"),
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

#[derive(Clone, Copy)]
pub(crate) struct Refunds;

#[async_trait]
impl Source for Refunds {
    fn kind(&self) -> Kind {
        Kind::CustomerRefund
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, client: &Client, _shape: &Shape) -> String {
        transactions_from(client, "CustRfnd")
    }

    fn changed(&self, since: &str) -> String {
        changed_or_followed(since, "k.linktype = 'Payment' AND ")
    }

    fn version(&self, row: &Row) -> String {
        let words = ["modified", "status", "voided"].map(|name| row.text(name));
        words.join("/")
    }

    /// A refund is a debit in receivables that credits settle; which end of a link the service gives it was not
    /// found stated, so both are asked for.
    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let settled = client.links_back(&ids(rows)).await?;
        let subsidiary = client.settings.subsidiary.as_ref();
        let refund = |row: &Row, lines: &Lines, links: &[Link]| {
            let back = settled.get(&row.need_id("id")?);
            let back = back.map(Vec::as_slice).unwrap_or_default();
            let links = [back, links].concat();
            refund(row, lines, &links, shape, subsidiary).map(Document::CustomerRefund)
        };
        client.with_links(SALES_LINES, rows, refund).await
    }
}

fn refund(
    row: &Row,
    lines: &Lines,
    links: &[Link],
    shape: &Shape,
    subsidiary: Option<&RemoteId>,
) -> Result<CustomerRefund, Unreadable> {
    Ok(CustomerRefund {
        customer: row.need_id("entity")?,
        number: row.string("tranid"),
        date: row.need_date("trandate")?,
        currency: currency(row, shape, subsidiary)?,
        // Its sign over there was not found stated.
        total: row.need_amount("total")?.abs(),
        applications: links.iter().map(application).collect(),
        method: ReceiptMethod::Other("customer refund".to_owned()),
        account: lines.main_account(),
        receivables_account: lines.other_account(),
        subsidiary: subsidiary.cloned(),
        period: row.id("period"),
        memo: row.string("memo"),
        voided: row.flag("voided") || letter(row) == "V",
        external_id: external_id(row),
    })
}
