//! Journal entries, as far as reversals need them: written, and read back with the numbers of their lines.

use async_trait::async_trait;
use serde_json::json;
use tieout_domain::document::{Journal, JournalLine};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Fault, Kind};

use crate::bills::{currency, external_id};
use crate::call::Client;
use crate::form::Form;
use crate::lines::{LINES, Lines};
use crate::probe::Shape;
use crate::reader::{ASKED, Reading, Source};
use crate::records::{Body, reference};
use crate::suiteql::{Columns, Row, column, optional};
use crate::vendor_payments::rate;

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

#[derive(Clone, Copy)]
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
        let subsidiary = client.settings.subsidiary.as_ref();
        let journal = |row: &Row, lines: &Lines| {
            Ok(Document::Journal(Journal {
                number: row.string("tranid"),
                date: row.need_date("trandate")?,
                currency: currency(row, shape, subsidiary)?,
                funded: None,
                subsidiary: subsidiary.cloned(),
                department: None,
                class: None,
                location: None,
                memo: row.string("memo"),
                // Every line of a journal entry counts, whatever is taken for its main line.
                lines: lines.all().filter_map(journal_line).collect(),
                external_id: external_id(row),
            }))
        };
        client.with_lines(LINES, rows, journal).await
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

/// Journal entries, as they are written.
pub(crate) struct JournalForm;

impl Form for JournalForm {
    type Document = Journal;
    type Source = Journals;

    const SOURCE: Journals = Journals;
    const RECORD: &'static str = "journalEntry";
    const ACTIONS: &'static [Action] = &[Action::Create];
    /// Lines have no lasting key when they are made (fact F32, scenario 251).
    const REPLACES: Option<&'static str> = Some("line");
    /// What names a line in an application is known only once the entry is there.
    const SHOWS_WHAT_WAS_MADE: bool = true;

    fn of(document: &Document) -> Option<&Journal> {
        match document {
            Document::Journal(found) => Some(found),
            _ => None,
        }
    }

    fn body(client: &Client, shape: &Shape, journal: &Journal) -> Result<Body, Fault> {
        let mut body = Body::default();
        body.set("tranDate", json!(journal.date.to_string()));
        body.reference("subsidiary", journal.subsidiary.as_ref());
        let currency = shape.need_currency(journal.currency)?;
        body.set("currency", reference(currency));
        let subsidiary = journal.subsidiary.as_ref();
        let base = shape.currency(None, subsidiary.or(client.settings.subsidiary.as_ref()));
        let debits: Amount = journal.lines.iter().map(|line| line.debit).sum();
        if let Some(rate) = rate(journal.funded, debits.of(journal.currency), base) {
            body.amount("exchangeRate", rate);
        }
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

    /// Whether the entry over there is the one that was to be written.
    fn same(there: &Journal, wanted: &Journal) -> bool {
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
}
