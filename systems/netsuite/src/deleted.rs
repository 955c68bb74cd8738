//! Deleted records: nothing else tells that a record is gone (scenarios 11, 64).
//!
//! One query serves all kinds of a run: what it found is shared for half a minute.

use std::collections::HashSet;

use tieout_domain::code::Code;
use tieout_domain::{Fault, Kind, RemoteId, Timestamp};

use crate::call::Client;
use crate::suiteql::{Columns, Row, column, optional};
use crate::time::{minutes_before, second_after, timestamp_literal};

/// For so long one query's result serves all kinds.
const SHARED_SECONDS: i64 = 30;
/// The query reaches further back than the asking kind needs, so that it serves the others, too.
const REACH_MINUTES: i64 = 25 * 60;

const COLUMNS: Columns = Columns {
    family: "deleted records",
    columns: &[
        column("d.recordid", "id"),
        column("d.name", "name"),
        optional("d.type", "type", "type"),
        optional("d.scriptid", "scriptid", "scriptid"),
        column("TO_CHAR(d.deleteddate, 'YYYY-MM-DD HH24:MI:SS')", "deleted"),
    ],
};

/// A record that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Deleted {
    pub(crate) id: RemoteId,
    pub(crate) name: String,
    pub(crate) deleted: String,
    /// Its type in the words that were given, letters only.
    words: Vec<String>,
}

impl Deleted {
    fn of(row: &Row) -> Option<Self> {
        let letters = |text: &str| -> String {
            text.chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_ascii_lowercase()
        };
        Some(Self {
            id: row.id("id")?,
            name: row.string("name"),
            deleted: row.string("deleted"),
            words: ["type", "scriptid"]
                .into_iter()
                .map(|name| letters(row.text(name)))
                .filter(|word| !word.is_empty())
                .collect(),
        })
    }

    /// Whether it may have been a record of this kind. Transactions share one row of ids, so that one whose
    /// type isn't told exactly is no other kind's record by mistake.
    pub(crate) fn may_be(&self, kind: Kind) -> bool {
        let names: &[&str] = match kind {
            Kind::Account => &["account"],
            Kind::Department => &["department"],
            Kind::Class => &["class", "classification"],
            Kind::Location => &["location"],
            Kind::Vendor => &["vendor", "entity"],
            Kind::Bill => &["vendbill", "vendorbill", "bill", "transaction"],
            Kind::VendorCredit => &[
                "vendcred",
                "vendorcredit",
                "billcredit",
                "vendorbillcredit",
                "transaction",
            ],
            Kind::Payment => &[
                "vendpymt",
                "vendorpayment",
                "billpayment",
                "vendorbillpayment",
                "journal",
                "journalentry",
                "transaction",
            ],
            Kind::Journal => &["journal", "journalentry", "transaction"],
            Kind::Customer => &["custjob", "customer", "entity"],
            Kind::Invoice => &["custinvc", "invoice", "transaction"],
            Kind::CreditMemo => &["custcred", "creditmemo", "transaction"],
            // What voids a payment may be a journal entry.
            Kind::CustomerPayment => &[
                "custpymt",
                "customerpayment",
                "depappl",
                "depositapplication",
                "payment",
                "journal",
                "journalentry",
                "transaction",
            ],
            Kind::CustomerRefund => &["custrfnd", "customerrefund", "transaction"],
            Kind::Item => &["item"],
            Kind::Terms => &["term"],
            Kind::Deposit => &["deposit", "transaction"],
            Kind::FundingAccount | Kind::Payout | Kind::InvoicePdf | Kind::Attachment => &[],
        };
        self.words.iter().any(|word| names.contains(&word.as_str()))
    }
}

/// What the last query found.
#[derive(Default)]
pub(crate) struct Deletions(tokio::sync::Mutex<Option<Found>>);

struct Found {
    since: String,
    at: Timestamp,
    records: Vec<Deleted>,
}

impl Client {
    /// Lets the next reader ask anew. A query that is under way belongs to a run that has begun already.
    pub(crate) fn forget_deletions(&self) {
        if let Ok(mut found) = self.deletions.0.try_lock() {
            *found = None;
        }
    }

    /// Records of this kind that were deleted since then, and the moment of the latest deletion of any.
    pub(crate) async fn gone(
        &self,
        kind: Kind,
        since: &str,
    ) -> Result<(Vec<RemoteId>, String), Fault> {
        let mut found = self.deletions.0.lock().await;
        let now = self.wire.kit.timer.now();
        let fresh = found.as_ref().is_some_and(|found| {
            found.since.as_str() <= since && now.as_second() - found.at.as_second() < SHARED_SECONDS
        });
        if !fresh {
            let from = minutes_before(since, REACH_MINUTES).unwrap_or_else(|| since.to_owned());
            let records = self.deleted_since(&from).await?;
            *found = Some(Found {
                since: from,
                at: now,
                records,
            });
        }
        let records = found
            .as_ref()
            .map(|found| found.records.as_slice())
            .unwrap_or_default();
        let latest = records
            .iter()
            .map(|record| record.deleted.as_str())
            .max()
            .unwrap_or_default();
        let gone = records
            .iter()
            .filter(|record| record.deleted.as_str() >= since && record.may_be(kind))
            .map(|record| record.id.clone())
            .collect();
        Ok((gone, latest.to_owned()))
    }

    async fn deleted_since(&self, since: &str) -> Result<Vec<Deleted>, Fault> {
        let mut all = Seen::default();
        let mut from = since.to_owned();
        loop {
            let rest = format!(
                "FROM deletedrecord d WHERE d.deleteddate >= {} ORDER BY d.deleteddate, d.recordid \
                 FETCH FIRST 1000 ROWS ONLY",
                timestamp_literal(&from)
            );
            let page = self.select(COLUMNS, &rest, &[]).await?;
            let more = page.more;
            all.take(page.rows.iter().filter_map(Deleted::of));
            let Some(last) = all.list.last().filter(|_| more) else {
                return Ok(all.list);
            };
            if last.deleted > from {
                // The next page starts in the second where this one ended.
                from.clone_from(&last.deleted);
            } else {
                // One second fills a page: the removal of a bundle deletes thousands at once.
                let after = second_after(&from).ok_or_else(|| endless(&from))?;
                self.deleted_within(&from, &after, &mut all).await?;
                from = after;
            }
        }
    }

    /// All that was deleted in a second, by their ids.
    async fn deleted_within(&self, second: &str, after: &str, all: &mut Seen) -> Result<(), Fault> {
        let mut from: Option<i64> = None;
        loop {
            // Records of several types may bear one id: the next page starts with the one where this one ended.
            let onwards = from.map_or_else(String::new, |id| format!(" AND d.recordid >= {id}"));
            let rest = format!(
                "FROM deletedrecord d WHERE d.deleteddate >= {} AND d.deleteddate < {}{onwards} \
                 ORDER BY d.recordid FETCH FIRST 1000 ROWS ONLY",
                timestamp_literal(second),
                timestamp_literal(after)
            );
            let page = self.select(COLUMNS, &rest, &[]).await?;
            let more = page.more;
            let last = page
                .rows
                .iter()
                .rev()
                .find_map(|row| row.id("id")?.as_str().parse::<i64>().ok());
            all.take(page.rows.iter().filter_map(Deleted::of));
            if !more {
                return Ok(());
            }
            if last <= from {
                return Err(endless(second));
            }
            from = last;
        }
    }

    /// Deleted records with one of these names: whether a person deleted what is about to be made. Of a name that
    /// hundreds have had, the latest.
    pub(crate) async fn deleted_by_name(&self, names: &[String]) -> Result<Vec<Deleted>, Fault> {
        let mut all = Vec::new();
        let mut waiting: Vec<&[String]> = names.chunks(500).collect();
        while let Some(names) = waiting.pop() {
            let rest = format!(
                "FROM deletedrecord d WHERE d.name IN ({}) ORDER BY d.deleteddate DESC, d.recordid",
                crate::suiteql::placeholders(names.len())
            );
            let page = self.select(COLUMNS, &rest, names).await?;
            if page.more && names.len() > 1 {
                let (one, other) = names.split_at(names.len() / 2);
                waiting.extend([one, other]);
            } else {
                all.extend(page.rows.iter().filter_map(Deleted::of));
            }
        }
        Ok(all)
    }
}

/// What pages have shown so far, each record once.
#[derive(Default)]
struct Seen {
    list: Vec<Deleted>,
    known: HashSet<Deleted>,
}

impl Seen {
    fn take(&mut self, shown: impl Iterator<Item = Deleted>) {
        for record in shown {
            if self.known.insert(record.clone()) {
                self.list.push(record);
            }
        }
    }
}

fn endless(second: &str) -> Fault {
    Fault::Drift {
        code: Code::new("drift"),
        cause: format!("the list of deleted records doesn't go on after {second}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    #[test]
    fn a_deleted_bill_is_told_to_the_bills_alone() {
        let bill = |kind: &str| {
            Deleted::of(&row(&[
                ("id", "7"),
                ("type", kind),
                ("deleted", "2026-06-12 10:00:00"),
            ]))
            .unwrap()
        };
        for word in ["VendBill", "Vendor Bill", "vendorbill", "Bill"] {
            assert!(bill(word).may_be(Kind::Bill), "{word}");
            assert!(!bill(word).may_be(Kind::Payment), "{word}");
            assert!(!bill(word).may_be(Kind::Vendor), "{word}");
        }
        assert!(bill("Vendor").may_be(Kind::Vendor));
        assert!(bill("Bill Payment").may_be(Kind::Payment));
    }
}
