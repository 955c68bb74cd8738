//! The mirror of both sides: each record as it was last seen. A cache without history.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures::TryStreamExt as _;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use tieout_domain::document::Payment;
use tieout_domain::port::{Mark, Observed};
use tieout_domain::{
    Amount, Currency, Document, Fingerprint, Key, Kind, Marker, MoneyError, RemoteId, Side,
};

use crate::chain::moment;
use crate::commit::limit;
use crate::facts::{RecordChange, RecordRef};
use crate::sql::{self, Cell, cells, int, maybe_int, maybe_text, parse, text, with};
use crate::store::ConnectionStore;
use crate::{CurrencyTotal, Known, MarkedBill, Mirrored, StoreError, Totals};

/// Writes what a pull saw.
pub(crate) async fn write(
    database: &mut AnyConnection,
    connection: &str,
    changes: &[RecordChange],
) -> Result<(), StoreError> {
    // A statement may not touch a row twice: what is said last of a record counts.
    let (mut seen, mut gone) = (BTreeMap::new(), BTreeSet::new());
    for change in changes {
        match change {
            RecordChange::Seen {
                side,
                observed,
                match_key,
            } => {
                let kind = observed.document.kind();
                let record = RecordRef::new(*side, kind, observed.id.clone()).to_string();
                gone.remove(&record);
                seen.insert(record, (*side, observed, match_key));
            }
            RecordChange::Gone { side, kind, id } => {
                gone.insert(RecordRef::new(*side, *kind, id.clone()).to_string());
            }
        }
    }
    let seen = seen
        .into_iter()
        .map(|(record, (side, observed, match_key))| {
            row(connection, record, side, observed, match_key)
        })
        .collect();
    let gone: Vec<Cell> = gone.into_iter().map(Cell::from).collect();
    sql::RECORD_ROWS.write(database, seen).await?;
    sql::RECORDS_GONE
        .execute(database, cells![connection], &gone)
        .await?;
    Ok(())
}

fn row(
    connection: &str,
    record: String,
    side: Side,
    observed: &Observed,
    match_key: &str,
) -> Vec<Cell> {
    let document = &observed.document;
    let label = document.label();
    let folded = label.to_lowercase();
    let money = document.amount();
    let other = Others::of(document);
    cells![
        connection,
        record,
        side.as_str(),
        document.kind().as_str(),
        observed.version.as_str(),
        observed.created.map(|at| at.as_microsecond()),
        observed.fingerprint().as_str(),
        match_key,
        label,
        folded,
        other.alias.map(str::to_lowercase),
        document.vendor().map(|vendor| vendor.as_str().to_owned()),
        money.map(|money| money.amount.to_string()),
        other.open.map(|open| open.to_string()),
        money.map(|money| money.currency.code().to_owned()),
        document.date().map(|date| date.to_string()),
        other.external_id.map(str::to_owned),
        other.marker.map(ToString::to_string),
        0_i64,
        // Nothing compares this text, so that its keys needn't be sorted.
        serde_json::to_string(document).expect("documents serialise to JSON")
    ]
}

/// What some documents have besides what all have.
struct Others<'a> {
    /// What people also call it: the ledger's transaction number, a vendor's or an account's number.
    alias: Option<&'a str>,
    open: Option<Amount>,
    /// The key under which it was made.
    external_id: Option<&'a str>,
    marker: Option<&'a Marker>,
}

impl<'a> Others<'a> {
    fn of(document: &'a Document) -> Self {
        let (alias, open) = match document {
            Document::Bill(bill) => (Some(&bill.transaction_number), Some(bill.open)),
            Document::VendorCredit(credit) => (Some(&credit.transaction_number), Some(credit.open)),
            Document::Payment(payment) => (Some(&payment.number), None),
            Document::Vendor(vendor) => (Some(&vendor.number), None),
            Document::Account(account) => (Some(&account.number), None),
            Document::Customer(customer) => (Some(&customer.number), None),
            Document::Invoice(invoice) => (None, Some(invoice.open)),
            Document::CreditMemo(memo) => (None, Some(memo.open)),
            Document::CustomerPayment(payment) => (Some(&payment.number), Some(payment.unapplied)),
            Document::Journal(_)
            | Document::Dimension(_)
            | Document::FundingAccount(_)
            | Document::CustomerRefund(_)
            | Document::Item(_)
            | Document::Terms(_)
            | Document::Payout(_)
            | Document::Deposit(_)
            | Document::InvoicePdf(_)
            | Document::Attachment(_) => (None, None),
        };
        let recorded = match document {
            Document::Payment(payment) => recorded(payment),
            _ => None,
        };
        Self {
            alias: alias.map(String::as_str).filter(|alias| !alias.is_empty()),
            open,
            external_id: document.external_id().map(Key::as_str).or(recorded),
            marker: document.marker(),
        }
    }
}

/// The key of a payment that was made in the ledger is its record's reference on the platform.
fn recorded(payment: &Payment) -> Option<&str> {
    Some(payment.reference.trim()).filter(|key| payment.outside && !key.is_empty())
}

fn read(row: &AnyRow) -> Result<(RecordRef, Mirrored), StoreError> {
    let record: RecordRef = parse(&text(row, 0)?)?;
    let mirrored = Mirrored {
        side: record.side,
        observed: Observed {
            id: record.id.clone(),
            version: text(row, 1)?,
            created: maybe_int(row, 2)?.map(moment).transpose()?,
            document: sql::document(&text(row, 6)?)?,
        },
        fingerprint: Fingerprint::from_stored(text(row, 3)?),
        match_key: text(row, 4)?,
        gone: int(row, 5)? != 0,
    };
    Ok((record, mirrored))
}

fn names(side: Side, kind: Kind, ids: &[RemoteId]) -> Vec<Cell> {
    ids.iter()
        .map(|id| RecordRef::new(side, kind, id.clone()).to_string().into())
        .collect()
}

/// The records of these rows in the order of their names.
fn in_order(rows: &[AnyRow]) -> Result<Vec<Mirrored>, StoreError> {
    let mut found: Vec<(RecordRef, Mirrored)> = rows.iter().map(read).collect::<Result<_, _>>()?;
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found.into_iter().map(|(_, mirrored)| mirrored).collect())
}

/// A text that is named twice must not bring its rows twice.
fn unique<T: ToString>(texts: &[T]) -> Vec<Cell> {
    let texts: BTreeSet<String> = texts.iter().map(ToString::to_string).collect();
    texts.into_iter().map(Cell::from).collect()
}

/// Between which two names the names of all records of a kind lie: the mirror is paged by them, without an index of its
/// own.
pub(crate) fn of_kind(side: Side, kind: Kind) -> (String, String) {
    // A nought is what comes after a slash.
    (
        format!("{}/{kind}/", side.as_str()),
        format!("{}/{kind}0", side.as_str()),
    )
}

impl ConnectionStore {
    /// In which version these records were last seen; those never seen are absent.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn known(
        &self,
        side: Side,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<HashMap<RemoteId, Known>, StoreError> {
        let mut reader = self.store.reader().await?;
        let fixed = cells![&*self.chain];
        let rows = sql::RECORDS_KNOWN
            .fetch(&mut reader, &fixed, &names(side, kind, ids))
            .await?;
        let known = rows.iter().map(|row| {
            let record: RecordRef = parse(&text(row, 0)?)?;
            let known = Known {
                version: text(row, 1)?,
                fingerprint: Fingerprint::from_stored(text(row, 2)?),
                gone: int(row, 3)? != 0,
            };
            Ok((record.id, known))
        });
        known.collect()
    }

    /// These records as they were last seen; those never seen are absent.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn records(
        &self,
        side: Side,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<HashMap<RemoteId, Mirrored>, StoreError> {
        let mut reader = self.store.reader().await?;
        let fixed = cells![&*self.chain];
        let rows = sql::RECORDS_BY_NAME
            .fetch(&mut reader, &fixed, &names(side, kind, ids))
            .await?;
        rows.iter()
            .map(|row| read(row).map(|(record, mirrored)| (record.id, mirrored)))
            .collect()
    }

    /// The records that exist and have one of these match keys.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn records_matching(
        &self,
        side: Side,
        kind: Kind,
        match_keys: &[String],
    ) -> Result<Vec<Mirrored>, StoreError> {
        let mut reader = self.store.reader().await?;
        let fixed = cells![&*self.chain, side.as_str(), kind.as_str()];
        // A key that is named twice must not bring its records twice.
        let unique: HashSet<&String> = match_keys.iter().filter(|key| !key.is_empty()).collect();
        let keys: Vec<Cell> = unique
            .into_iter()
            .map(|key| Cell::from(key.as_str()))
            .collect();
        let rows = sql::RECORDS_BY_MATCH
            .fetch(&mut reader, &fixed, &keys)
            .await?;
        let mut found: Vec<Mirrored> = rows
            .iter()
            .map(|row| read(row).map(|(_, mirrored)| mirrored))
            .collect::<Result<_, _>>()?;
        found.sort_by_cached_key(|mirrored| mirrored.record().to_string());
        Ok(found)
    }

    /// The records that exist and bear one of these marks.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn records_marked(&self, markers: &[Marker]) -> Result<Vec<Mirrored>, StoreError> {
        let mut reader = self.store.reader().await?;
        let rows = sql::RECORDS_BY_MARKER
            .fetch(&mut reader, cells![&*self.chain], &unique(markers))
            .await?;
        in_order(&rows)
    }

    /// The records that exist and were made under one of these keys.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn records_keyed(
        &self,
        side: Side,
        kind: Kind,
        keys: &[Key],
    ) -> Result<Vec<Mirrored>, StoreError> {
        let mut reader = self.store.reader().await?;
        let rows = sql::RECORDS_BY_KEY
            .fetch(&mut reader, cells![&*self.chain], &unique(keys))
            .await?;
        let mut found = in_order(&rows)?;
        found.retain(|mirrored| (mirrored.side, mirrored.observed.document.kind()) == (side, kind));
        Ok(found)
    }

    /// The bills and credits of these vendors of one side that are marked: those of the ledger whose mark is
    /// on the platform, with what bears it.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn marked_bills(
        &self,
        side: Side,
        ledger_account: &str,
        vendors: &[RemoteId],
    ) -> Result<Vec<MarkedBill>, StoreError> {
        let marker = Marker {
            account: ledger_account.to_owned(),
            id: RemoteId::new(""),
        };
        let lookup = match side {
            Side::Ledger => &sql::MARKED_BY_LEDGER_VENDOR,
            Side::Platform => &sql::MARKED_BY_PLATFORM_VENDOR,
        };
        let mut reader = self.store.reader().await?;
        let fixed = cells![&*self.chain, marker.to_string()];
        let rows = lookup.fetch(&mut reader, fixed, &unique(vendors)).await?;
        let marked: Result<Vec<_>, StoreError> = rows
            .iter()
            .map(|row| {
                Ok(MarkedBill {
                    ledger_vendor: text(row, 0)?.into(),
                    ledger: parse(&text(row, 1)?)?,
                    platform_vendor: text(row, 2)?.into(),
                    platform: parse(&text(row, 3)?)?,
                    currency: maybe_text(row, 4)?.as_deref().map(parse).transpose()?,
                })
            })
            .collect();
        let mut marked = marked?;
        marked.retain(|bill| {
            let kinds = [Kind::Bill, Kind::VendorCredit];
            (bill.ledger.side, bill.platform.side) == (Side::Ledger, Side::Platform)
                && kinds.contains(&bill.ledger.kind)
        });
        marked.sort_by(|a, b| (&a.ledger, &a.platform).cmp(&(&b.ledger, &b.platform)));
        Ok(marked)
    }

    /// Those of these records for which the history tells of a write or a link.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn traced(&self, records: &[RecordRef]) -> Result<HashSet<RecordRef>, StoreError> {
        let mut reader = self.store.reader().await?;
        let mut traced = HashSet::new();
        for lookup in [&sql::WRITES_TRACED, &sql::LINKS_TRACED] {
            for row in lookup
                .fetch(&mut reader, cells![&*self.chain], &unique(records))
                .await?
            {
                traced.insert(parse(&text(&row, 0)?)?);
            }
        }
        Ok(traced)
    }

    /// Records in the order of their ids, those that are gone included.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn records_page(
        &self,
        side: Side,
        kind: Kind,
        after: Option<&RemoteId>,
        rows: u32,
    ) -> Result<Vec<Mirrored>, StoreError> {
        let mut reader = self.store.reader().await?;
        let (first, end) = of_kind(side, kind);
        let after = after.map(|id| RecordRef::new(side, kind, id.clone()).to_string());
        let cells = cells![&*self.chain, after.unwrap_or(first), end, limit(rows)];
        let rows = with(sql::RECORDS_PAGE, cells)
            .fetch_all(&mut reader)
            .await?;
        rows.iter()
            .map(|row| read(row).map(|(_, mirrored)| mirrored))
            .collect()
    }

    /// The records that a person may mean by this text, best first: by `side/kind/id`, by id, by what they
    /// are called (whatever the case), by external id or marker, then by the beginning of what they are
    /// called.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn find(
        &self,
        wanted: &str,
        most: u32,
    ) -> Result<Vec<(RecordRef, Mirrored)>, StoreError> {
        let wanted = wanted.trim();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut reader = self.store.reader().await?;
        let folded = wanted.to_lowercase();
        let mut rows = sql::RECORDS_BY_NAME
            .fetch(&mut reader, cells![&*self.chain], &possible_names(wanted))
            .await?;
        for (text, value) in [
            (sql::RECORDS_LABELLED, folded.as_str()),
            (sql::RECORDS_ALIASED, folded.as_str()),
            (sql::RECORDS_EXTERNAL, wanted),
            (sql::RECORDS_MARKED, wanted),
        ] {
            let cells = cells![&*self.chain, value, limit(most)];
            rows.extend(with(text, cells).fetch_all(&mut reader).await?);
        }
        let end = format!("{folded}\u{10FFFF}");
        let cells = cells![&*self.chain, folded, end, limit(most)];
        rows.extend(
            with(sql::RECORDS_PREFIXED, cells)
                .fetch_all(&mut reader)
                .await?,
        );
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for row in &rows {
            let (record, mirrored) = read(row)?;
            if found.len() < most as usize && seen.insert(record.clone()) {
                found.push((record, mirrored));
            }
        }
        Ok(found)
    }

    /// How many records of this kind exist, and what they are worth: exact, and in one pass.
    ///
    /// # Errors
    /// What a database can answer; [`StoreError::Corrupt`] if a sum has more than 28 digits.
    pub async fn totals(&self, side: Side, kind: Kind) -> Result<Totals, StoreError> {
        let mut reader = self.store.reader().await?;
        let mut sums: BTreeMap<Option<Currency>, CurrencyTotal> = BTreeMap::new();
        let mut count = 0;
        let (first, end) = of_kind(side, kind);
        let cells = cells![&*self.chain, first, end];
        let mut rows = with(sql::RECORD_TOTALS, cells).fetch(&mut reader);
        while let Some(row) = rows.try_next().await? {
            let currency: Option<Currency> =
                maybe_text(&row, 0)?.as_deref().map(parse).transpose()?;
            let none = CurrencyTotal {
                currency,
                count: 0,
                amount: Amount::ZERO,
                open: Amount::ZERO,
            };
            let sum = sums.entry(currency).or_insert(none);
            sum.count += 1;
            sum.amount = plus(sum.amount, maybe_text(&row, 1)?)?;
            sum.open = plus(sum.open, maybe_text(&row, 2)?)?;
            count += 1;
        }
        Ok(Totals {
            count,
            by_currency: sums.into_values().collect(),
        })
    }

    /// Up to where the last finished read of this kind had seen everything.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn mark(&self, side: Side, kind: Kind) -> Result<Option<Mark>, StoreError> {
        let mut reader = self.store.reader().await?;
        let cells = cells![&*self.chain, side.as_str(), kind.as_str()];
        let row = with(sql::MARK, cells).fetch_optional(&mut reader).await?;
        row.map(|row| text(&row, 0).map(Mark)).transpose()
    }
}

fn plus(sum: Amount, text: Option<String>) -> Result<Amount, StoreError> {
    let Some(text) = text else { return Ok(sum) };
    let amount: Amount = parse(&text)?;
    sum.plus(amount)
        .map_err(|error: MoneyError| StoreError::corrupt(error.to_string()))
}

/// Every record that this text can name by its id.
fn possible_names(text: &str) -> Vec<Cell> {
    let mut names: Vec<Cell> = Vec::new();
    if let Ok(record) = text.parse::<RecordRef>() {
        names.push(record.to_string().into());
    }
    for side in [Side::Ledger, Side::Platform] {
        if let Ok(record) = format!("{}/{text}", side.as_str()).parse::<RecordRef>() {
            names.push(record.to_string().into());
        }
        for kind in Kind::ALL {
            names.push(RecordRef::new(side, kind, text).to_string().into());
        }
    }
    names
}
