//! Journal entries, as far as reversals need them: written, and read back with the numbers of their lines.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tieout_domain::code::Code;
use tieout_domain::document::{Journal, JournalLine};
use tieout_domain::port::{Action, Answer, Observed, Order, Write};
use tieout_domain::{Amount, Document, Fault, Kind, RemoteId, Timestamp};

use crate::bills::{currency, external_id};
use crate::call::Client;
use crate::lines::Lines;
use crate::probe::Shape;
use crate::reader::{ASKED, Reader, Reading, Source};
use crate::records::{Body, reference};
use crate::suiteql::{Columns, Row, column, optional};
use crate::upsert::{Upsert, create};

const COLUMNS: Columns = Columns {
    family: "journals",
    columns: &[
        column("t.id", "id"),
        column("t.tranid", "tranid"),
        column("TO_CHAR(t.trandate, 'YYYY-MM-DD')", "trandate"),
        optional("t.currency", "currency", "currency"),
        column("t.memo", "memo"),
        optional("t.externalid", "externalid", "externalid"),
        column(
            "TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')",
            "modified",
        ),
        ASKED,
    ],
};

pub(crate) struct Journals;

#[async_trait]
impl Source for Journals {
    fn kind(&self) -> Kind {
        Kind::Journal
    }

    fn columns(&self) -> Columns {
        COLUMNS
    }

    fn from(&self, _client: &Client, _shape: &Shape) -> String {
        "FROM transaction t WHERE t.type = 'Journal'".to_owned()
    }

    async fn documents(
        &self,
        client: &Client,
        shape: &Shape,
        rows: &[Row],
    ) -> Result<Vec<Reading>, Fault> {
        let ids: Vec<RemoteId> = rows.iter().filter_map(|row| row.id("id")).collect();
        let lines = client.lines(&ids).await?;
        let none = Lines::default();
        let subsidiary = client.settings.subsidiary.as_ref();
        Ok(rows
            .iter()
            .map(|row| {
                let lines = row.id("id").and_then(|id| lines.get(&id)).unwrap_or(&none);
                Ok(Some(Document::Journal(Journal {
                    number: row.string("tranid"),
                    date: row.need_date("trandate")?,
                    currency: currency(row, shape, subsidiary)?,
                    subsidiary: subsidiary.cloned(),
                    department: None,
                    class: None,
                    location: None,
                    memo: row.string("memo"),
                    // Every line of a journal entry counts, whatever is taken for its main line.
                    lines: lines.all().filter_map(journal_line).collect(),
                    external_id: external_id(row),
                })))
            })
            .collect())
    }
}

fn journal_line(row: &Row) -> Option<JournalLine> {
    let amount = row.amount("amount").ok()??;
    Some(JournalLine {
        account: row.id("account")?,
        debit: if amount.is_positive() {
            amount
        } else {
            Amount::ZERO
        },
        credit: if amount.is_negative() {
            amount.abs()
        } else {
            Amount::ZERO
        },
        vendor: row.id("entity"),
        memo: row.string("memo"),
        line: row.number("line").and_then(|line| u32::try_from(line).ok()),
    })
}

/// Writes journal entries.
pub(crate) struct JournalWriter {
    pub(crate) client: Arc<Client>,
}

impl JournalWriter {
    fn reader(&self) -> Reader<Journals> {
        Reader {
            client: Arc::clone(&self.client),
            source: Journals,
        }
    }
}

#[async_trait]
impl Upsert for JournalWriter {
    fn client(&self) -> &Client {
        &self.client
    }

    fn record(&self) -> &'static str {
        "journalEntry"
    }

    fn kind(&self) -> Kind {
        Kind::Journal
    }

    /// Lines have no lasting key when they are made: a repeated write must not append them once more
    /// (fact F32, scenario 251).
    fn replaces(&self) -> Option<&'static str> {
        Some("line")
    }

    fn body(&self, shape: &Shape, document: &Document) -> Result<Body, Fault> {
        let Document::Journal(journal) = document else {
            return Err(wrong_kind(document));
        };
        let mut body = Body::default();
        body.set("tranDate", json!(journal.date.to_string()));
        body.reference("subsidiary", journal.subsidiary.as_ref());
        body.reference("currency", shape.currency_id(journal.currency));
        body.text("memo", &journal.memo);
        let lines: Vec<Body> = journal
            .lines
            .iter()
            .map(|line| {
                let mut item = Body::default();
                item.set("account", reference(&line.account));
                if line.debit.is_zero() {
                    item.amount("credit", line.credit);
                } else {
                    item.amount("debit", line.debit);
                }
                item.reference("entity", line.vendor.as_ref());
                item.reference("department", journal.department.as_ref());
                item.reference("class", journal.class.as_ref());
                item.reference("location", journal.location.as_ref());
                item.text("memo", &line.memo);
                item
            })
            .collect();
        body.items("line", lines);
        Ok(body)
    }

    async fn found(&self, condition: &str, parameters: &[String]) -> Result<Vec<Observed>, Fault> {
        self.reader().matching(condition, parameters).await
    }

    /// Whether the entry over there is the one that was to be written.
    fn same(&self, there: &Document, wanted: &Document) -> bool {
        let (Document::Journal(there), Document::Journal(wanted)) = (there, wanted) else {
            return false;
        };
        let lines = |journal: &Journal| {
            let mut lines: Vec<_> = journal
                .lines
                .iter()
                .map(|line| {
                    (
                        line.account.clone(),
                        line.debit,
                        line.credit,
                        line.vendor.clone(),
                    )
                })
                .collect();
            lines.sort();
            lines
        };
        there.date == wanted.date
            && there.currency == wanted.currency
            && lines(there) == lines(wanted)
    }

    /// What names a line in an application is known only once the entry is there.
    fn shows_what_was_made(&self) -> bool {
        true
    }
}

pub(crate) fn wrong_kind(document: &Document) -> Fault {
    Fault::Refused {
        code: Code::new("not-supported"),
        field: None,
        cause: format!("a {} can't be written this way", document.kind()),
    }
}

#[async_trait]
impl Write for JournalWriter {
    fn bulk_max(&self, _action: Action) -> usize {
        crate::upsert::BULK
    }

    fn repeatable(&self, action: Action) -> bool {
        action == Action::Create
    }

    fn settle(&self) -> Duration {
        self.client.settings.settle
    }

    async fn write(&self, orders: &[Order]) -> Vec<Answer> {
        match orders.first().map(|order| order.action) {
            Some(Action::Create) => create(self, orders).await,
            _ => crate::upsert::not_supported(orders),
        }
    }

    async fn candidates(
        &self,
        orders: &[Order],
        _since: Timestamp,
    ) -> Result<Vec<Observed>, Fault> {
        crate::upsert::candidates(self, orders).await
    }
}
