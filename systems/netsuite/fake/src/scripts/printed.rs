//! What stands on a printed invoice.

use rusqlite::{Connection, OptionalExtension as _};

use crate::ledger::LedgerError;
use crate::schema::from_units;

/// An invoice, in the words that are printed.
pub(super) struct Invoice {
    number: String,
    customer: String,
    date: String,
    due: String,
    total: String,
    currency: String,
    memo: String,
    items: Vec<String>,
}

impl Invoice {
    /// The name of the file, as NetSuite would save it.
    pub(super) fn file_name(&self) -> String {
        format!("Invoice_{}.pdf", self.number)
    }

    /// The lines of the page.
    pub(super) fn lines(&self, company: &str) -> Vec<String> {
        let mut lines = vec![
            company.to_owned(),
            format!("Invoice {}", self.number),
            format!("To: {}", self.customer),
            format!("Date: {}", self.date),
        ];
        lines.extend((!self.due.is_empty()).then(|| format!("Due: {}", self.due)));
        lines.extend((!self.memo.is_empty()).then(|| self.memo.clone()));
        lines.push(String::new());
        lines.extend(self.items.iter().cloned());
        lines.push(String::new());
        lines.push(format!("Total: {} {}", self.total, self.currency));
        lines
    }
}

/// Reads an invoice; `None` where there is none of this id.
pub(super) fn invoice(books: &Connection, id: i64) -> Result<Option<Invoice>, LedgerError> {
    let amount = |units: Option<i64>| from_units(units.unwrap_or(0)).normalize().to_string();
    let text = |text: Option<String>| text.unwrap_or_default();
    let found = books
        .query_row(
            "SELECT t.tranid, c.companyname, c.entityid, t.trandate, t.duedate, t.foreigntotal, y.symbol, t.memo
             FROM \"transaction\" t LEFT JOIN customer c ON c.id = t.entity
             LEFT JOIN currency y ON y.id = t.currency WHERE t.id = ?1 AND t.type = 'CustInvc'",
            [id],
            |row| {
                let name: Option<String> = row.get(1)?;
                Ok(Invoice {
                    number: text(row.get(0)?),
                    customer: text(name.or(row.get(2)?)),
                    date: text(row.get(3)?),
                    due: text(row.get(4)?),
                    total: amount(row.get(5)?),
                    currency: text(row.get(6)?),
                    memo: text(row.get(7)?),
                    items: Vec::new(),
                })
            },
        )
        .optional()?;
    let Some(mut invoice) = found else {
        return Ok(None);
    };
    let mut items = books.prepare_cached(
        "SELECT l.memo, i.itemid, l.foreignamount FROM transactionline l LEFT JOIN item i ON i.id = l.item
         WHERE l.\"transaction\" = ?1 AND l.mainline = 'F' ORDER BY l.id",
    )?;
    let rows = items.query_map([id], |row| {
        let (memo, item): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
        let units: Option<i64> = row.get(2)?;
        // Credits over there, and what is owed on paper.
        let owed = amount(units.map(|units| -units));
        Ok(format!("{}  {owed}", text(memo.or(item))))
    })?;
    invoice.items = rows.collect::<Result<_, _>>()?;
    Ok(Some(invoice))
}
