//! Reading the state: links, items, maps, decisions, open writes, and what is due.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use futures::TryStreamExt as _;
use sqlx::any::AnyRow;
use tieout_domain::code::Code;
use tieout_domain::{
    Amount, ConnectionName, Key, Kind, Money, Outcome, RemoteId, Side, State, WaitsFor,
};

use crate::chain::moment;
use crate::commit::limit;
use crate::facts::RecordRef;
use crate::fold::WriteRow;
use crate::mirror::of_kind;
use crate::sql::{self, Cell, cells, count, int, json, maybe_text, parse, text, with};
use crate::store::{ConnectionStore, Store};
use crate::{
    Decision, ExceptionGroup, Item, ItemFilter, Link, MapEntry, OpenWrite, SAMPLE_MAX, StoreError,
    WriteStatus,
};

impl ConnectionStore {
    /// Of these records, those whose last write by a flow was refused over there: looking at them again sends it again.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn refused(
        &self,
        records: &[RecordRef],
    ) -> Result<BTreeSet<(String, RecordRef)>, StoreError> {
        let names: Vec<Cell> = records
            .iter()
            .map(|record| Cell::from(record.to_string()))
            .collect();
        let mut reader = self.store.reader().await?;
        let rows = sql::WRITES_BY_RECORD
            .fetch(&mut reader, cells![&*self.chain], &names)
            .await?;
        drop(reader);
        let mut last: BTreeMap<(String, String, String), (u64, bool)> = BTreeMap::new();
        for row in &rows {
            let write = WriteRow::read(row)?;
            let (id, refused) = (write.id, write.status == "refused");
            let newest = last
                .entry((write.flow, write.record, write.role))
                .or_insert((id, refused));
            if id >= newest.0 {
                *newest = (id, refused);
            }
        }
        let refused = last.into_iter().filter(|(_, (_, refused))| *refused);
        refused
            .map(|((flow, record, _), _)| Ok((flow, sql::parse(&record)?)))
            .collect()
    }

    /// The links of these records in a flow.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn links(&self, flow: &str, records: &[RecordRef]) -> Result<Vec<Link>, StoreError> {
        let mut reader = self.store.reader().await?;
        let fixed = cells![&*self.chain, flow];
        let rows = sql::LINKS_BY_RECORD
            .fetch(&mut reader, &fixed, &names(records))
            .await?;
        rows.iter().map(link).collect()
    }

    /// The links of any flow that lead to these records.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn links_to(&self, targets: &[RecordRef]) -> Result<Vec<Link>, StoreError> {
        let mut reader = self.store.reader().await?;
        let fixed = cells![&*self.chain];
        let rows = sql::LINKS_BY_TARGET
            .fetch(&mut reader, &fixed, &names(targets))
            .await?;
        rows.iter().map(link).collect()
    }

    /// A flow's links in the order of record and role, after those of the last one seen.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn links_page(
        &self,
        flow: &str,
        after: Option<(&RecordRef, &str)>,
        rows: u32,
    ) -> Result<Vec<Link>, StoreError> {
        let mut reader = self.store.reader().await?;
        let (record, role) = after
            .map(|(record, role)| (record.to_string(), role))
            .unwrap_or_default();
        let cells = cells![&*self.chain, flow, record, role, limit(rows)];
        let rows = with(sql::LINKS_PAGE, cells).fetch_all(&mut reader).await?;
        rows.iter().map(link).collect()
    }

    /// The states of these records in a flow; those that are no part of it are absent.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn items(
        &self,
        flow: &str,
        records: &[RecordRef],
    ) -> Result<HashMap<RecordRef, Item>, StoreError> {
        let mut reader = self.store.reader().await?;
        let fixed = cells![&*self.chain, flow];
        let rows = sql::ITEMS_BY_RECORD
            .fetch(&mut reader, &fixed, &names(records))
            .await?;
        rows.iter()
            .map(|row| item(row).map(|item| (item.record.clone(), item)))
            .collect()
    }

    /// Items in the order of flow and record, after those of the last one seen.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn items_page(
        &self,
        filter: &ItemFilter,
        after: Option<(&str, &RecordRef)>,
        rows: u32,
    ) -> Result<Vec<Item>, StoreError> {
        let mut reader = self.store.reader().await?;
        let (text, cells) = items_statement(&self.chain, filter, after, rows);
        let rows = sql::with_built(text, cells).fetch_all(&mut reader).await?;
        rows.iter().map(item).collect()
    }

    /// Each flow's population by state, in the order of [`State::ALL`].
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn counts(&self) -> Result<BTreeMap<String, [u64; 8]>, StoreError> {
        let mut reader = self.store.reader().await?;
        let rows = with(sql::ITEM_COUNTS, cells![&*self.chain])
            .fetch_all(&mut reader)
            .await?;
        let mut counts: BTreeMap<String, [u64; 8]> = BTreeMap::new();
        for row in &rows {
            let state: State = parse(&text(row, 1)?)?;
            let at = State::ALL
                .iter()
                .position(|other| *other == state)
                .unwrap_or_default();
            counts.entry(text(row, 0)?).or_default()[at] = count(row, 2)?;
        }
        Ok(counts)
    }

    /// What waits for a person, by cause: BLOCKED, CONFLICT and ORPHAN, and on request HOLD.
    ///
    /// # Errors
    /// What a database can answer; [`StoreError::Corrupt`] if a sum has more than 28 digits.
    pub async fn exceptions(&self, holds: bool) -> Result<Vec<ExceptionGroup>, StoreError> {
        let mut reader = self.store.reader().await?;
        let mut groups: Vec<ExceptionGroup> = Vec::new();
        let statements: &[&'static str] = if holds {
            &[sql::EXCEPTIONS, sql::HOLDS]
        } else {
            &[sql::EXCEPTIONS]
        };
        for statement in statements {
            // The rows come in the order of their groups, the oldest of each first.
            let mut rows = with(statement, cells![&*self.chain]).fetch(&mut reader);
            while let Some(row) = rows.try_next().await? {
                gather(&mut groups, item(&row)?)?;
            }
        }
        Ok(groups)
    }

    /// All mappings, removed ones included.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn maps(&self) -> Result<Vec<MapEntry>, StoreError> {
        let mut reader = self.store.reader().await?;
        let rows = with(sql::MAPS, cells![&*self.chain])
            .fetch_all(&mut reader)
            .await?;
        rows.iter().map(map_entry).collect()
    }

    /// What people have decided about these records in a flow.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn decisions(
        &self,
        flow: &str,
        records: &[RecordRef],
    ) -> Result<HashMap<RecordRef, Decision>, StoreError> {
        let mut reader = self.store.reader().await?;
        let fixed = cells![&*self.chain, flow];
        let rows = sql::DECISIONS_BY_RECORD
            .fetch(&mut reader, &fixed, &names(records))
            .await?;
        rows.iter()
            .map(|row| decision(row).map(|found| (found.record.clone(), found)))
            .collect()
    }

    /// All that people have decided in a flow, in the order of the records.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn decisions_in(&self, flow: &str) -> Result<Vec<Decision>, StoreError> {
        let mut reader = self.store.reader().await?;
        let rows = with(sql::DECISIONS_IN, cells![&*self.chain, flow])
            .fetch_all(&mut reader)
            .await?;
        rows.iter().map(decision).collect()
    }

    /// How often the writes on account of these records were sent; those that have none are absent.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn attempts(
        &self,
        records: &[RecordRef],
    ) -> Result<HashMap<RecordRef, u64>, StoreError> {
        let mut reader = self.store.reader().await?;
        let rows = sql::WRITES_BY_RECORD
            .fetch(&mut reader, &cells![&*self.chain], &names(records))
            .await?;
        let mut found = HashMap::new();
        for row in &rows {
            let write = WriteRow::read(row)?;
            let sent = u64::try_from(write.attempts).unwrap_or_default();
            *found.entry(parse(&write.record)?).or_insert(0) += sent;
        }
        Ok(found)
    }

    /// Which of these waits (`link:vendors:ledger/vendor/12`, `map:account:58`) any item is waiting for.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn waiting(&self, waits: &[String]) -> Result<HashSet<String>, StoreError> {
        let mut reader = self.store.reader().await?;
        let waits: Vec<_> = waits.iter().map(|wait| Cell::from(wait.as_str())).collect();
        let rows = sql::WAITED_FOR
            .fetch(&mut reader, cells![&*self.chain], &waits)
            .await?;
        rows.iter().map(|row| text(row, 0)).collect()
    }

    /// The writes whose outcome is open, in the order in which they were decided.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn open_writes(&self) -> Result<Vec<OpenWrite>, StoreError> {
        let mut reader = self.store.reader().await?;
        let rows = with(sql::OPEN_WRITES, cells![&*self.chain])
            .fetch_all(&mut reader)
            .await?;
        rows.iter().map(open_write).collect()
    }

    /// Records that a flow must look at, in the order of their names, after the last one seen; each with the
    /// stamp that says how often it was made due.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn due_page(
        &self,
        flow: &str,
        after: Option<&RecordRef>,
        rows: u32,
    ) -> Result<Vec<(RecordRef, u64)>, StoreError> {
        let mut reader = self.store.reader().await?;
        let after = after.map(ToString::to_string).unwrap_or_default();
        let cells = cells![&*self.chain, flow, after, limit(rows)];
        let rows = with(sql::DUE_PAGE, cells).fetch_all(&mut reader).await?;
        rows.iter()
            .map(|row| Ok((parse(&text(row, 0)?)?, count(row, 1)?)))
            .collect()
    }

    /// Which of these records a flow must look at.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn due_among(
        &self,
        flow: &str,
        records: &[RecordRef],
    ) -> Result<HashSet<RecordRef>, StoreError> {
        let mut reader = self.store.reader().await?;
        let rows = sql::DUE_AMONG
            .fetch(&mut reader, cells![&*self.chain, flow], &names(records))
            .await?;
        rows.iter().map(|row| parse(&text(row, 0)?)).collect()
    }

    /// How many records a flow must look at.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn due_count(&self, flow: &str) -> Result<u64, StoreError> {
        let mut reader = self.store.reader().await?;
        let row = with(sql::DUE_COUNT, cells![&*self.chain, flow])
            .fetch_one(&mut reader)
            .await?;
        count(&row, 0)
    }

    /// Makes every item of a flow due, and says how many there are.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn mark_all_due(&self, flow: &str) -> Result<u64, StoreError> {
        self.mark_items(sql::DUE_ITEMS, flow).await
    }

    /// Makes every item of a flow due that is on HOLD for something that no fact tells of (a date, a posting
    /// period, an approval), and says how many there are. Those on HOLD under one of the codes `but` are left alone.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn mark_holds_due(&self, flow: &str, but: &[&str]) -> Result<u64, StoreError> {
        let mut transaction = self.store.begin().await?;
        let codes = with(sql::HOLD_CODES, cells![&*self.chain, flow])
            .fetch_all(&mut transaction)
            .await?;
        let mut made = 0;
        for row in codes {
            let code = text(&row, 0)?;
            if !but.contains(&code.as_str()) {
                let due = with(sql::DUE_HOLDS, cells![&*self.chain, flow, code]);
                made += due.execute(&mut transaction).await?.rows_affected();
            }
        }
        transaction.commit().await?;
        Ok(made)
    }

    /// What was last remembered under a name ([`Commit::remember`](crate::Commit::remember)).
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn remembered(&self, name: &str) -> Result<Option<String>, StoreError> {
        remembered(&self.store, &self.chain, name).await
    }

    async fn mark_items(&self, statement: &'static str, flow: &str) -> Result<u64, StoreError> {
        let mut transaction = self.store.begin_on(&self.chain).await?;
        let cells = cells![&*self.chain, flow];
        let made = with(statement, cells)
            .execute(&mut transaction)
            .await?
            .rows_affected();
        transaction.commit().await?;
        Ok(made)
    }

    /// Makes due what is on HOLD for another record, and says how much it is: for a plan, in which nothing
    /// that is only pretended wakes what waits for it.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn mark_waits_due(&self, flow: &str) -> Result<u64, StoreError> {
        self.mark_items(sql::DUE_WAITS, flow).await
    }

    /// Makes every record of a kind that exists due in a flow, and says how many there are.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn mark_records_due(
        &self,
        flow: &str,
        side: Side,
        kind: Kind,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.store.begin_on(&self.chain).await?;
        let (first, end) = of_kind(side, kind);
        let cells = cells![flow, &*self.chain, first, end];
        let made = with(sql::DUE_RECORDS, cells)
            .execute(&mut transaction)
            .await?
            .rows_affected();
        transaction.commit().await?;
        Ok(made)
    }
}

pub(crate) fn names(records: &[RecordRef]) -> Vec<Cell> {
    records
        .iter()
        .map(|record| record.to_string().into())
        .collect()
}

/// The statement for a filter, put together from fixed pieces: so that the database can choose an index for
/// what is asked, and no more.
fn items_statement(
    connection: &str,
    filter: &ItemFilter,
    after: Option<(&str, &RecordRef)>,
    rows: u32,
) -> (Arc<str>, Vec<Cell>) {
    let mut text = sql::ITEMS_HEAD.to_owned();
    let mut cells = cells![connection];
    let mut narrow = |piece: &str, values: Vec<Cell>| {
        text.push_str(piece);
        for (at, value) in values.into_iter().enumerate() {
            text = text.replace(["$a", "$b"][at], &format!("${}", cells.len() + 1));
            cells.push(value);
        }
    };
    if let Some(flow) = &filter.flow {
        narrow(" AND flow = $a", cells![flow.as_str()]);
    }
    if !filter.states.is_empty() {
        let states: Vec<_> = filter
            .states
            .iter()
            .map(|state| format!("'{}'", state.as_str()))
            .collect();
        narrow(
            &format!(" AND state IN ({})", states.join(", ")),
            Vec::new(),
        );
    }
    if let Some(code) = &filter.code {
        narrow(" AND code = $a", cells![code.as_str()]);
    }
    if let Some(group) = &filter.group {
        narrow(" AND cause_group = $a", cells![group.as_str()]);
    }
    if let Some((flow, record)) = after {
        narrow(
            " AND (flow, record) > ($a, $b)",
            cells![flow, record.to_string()],
        );
    }
    narrow(" ORDER BY flow, record LIMIT $a", cells![limit(rows)]);
    (text.into(), cells)
}

/// Adds an item to the last group, or begins the next one.
pub(crate) fn gather(groups: &mut Vec<ExceptionGroup>, item: Item) -> Result<(), StoreError> {
    let same = groups.last().is_some_and(|last| {
        last.flow == item.flow
            && last.state == item.outcome.state
            && last.code == item.outcome.code
            && last.group == item.outcome.group
    });
    if !same {
        groups.push(ExceptionGroup {
            flow: item.flow.clone(),
            state: item.outcome.state,
            code: item.outcome.code.clone(),
            group: item.outcome.group.clone(),
            cause: item.outcome.cause.clone(),
            count: 0,
            amounts: Vec::new(),
            oldest: item.since,
            labels: Vec::new(),
            records: Vec::new(),
        });
    }
    let Some(group) = groups.last_mut() else {
        return Ok(());
    };
    group.count += 1;
    if group.records.len() < SAMPLE_MAX {
        group.labels.push(item.label);
        group.records.push(item.record);
    }
    if let Some(money) = item.amount {
        match group
            .amounts
            .iter_mut()
            .find(|sum| sum.currency == money.currency)
        {
            Some(sum) => {
                *sum = sum
                    .plus(money)
                    .map_err(|error| StoreError::corrupt(error.to_string()))?;
            }
            None => group.amounts.push(money),
        }
    }
    Ok(())
}

pub(crate) fn link(row: &AnyRow) -> Result<Link, StoreError> {
    Ok(Link {
        flow: text(row, 0)?,
        record: parse(&text(row, 1)?)?,
        role: text(row, 2)?,
        target: parse(&text(row, 3)?)?,
        key: maybe_text(row, 4)?.map(|key| Key::of([key.as_str()])),
        how: text(row, 5)?,
        applied: (maybe_text(row, 6)?.as_deref())
            .map(sql::document)
            .transpose()?,
        confirmed: int(row, 7)? != 0,
        drift: maybe_text(row, 8)?,
        seq: count(row, 9)?,
    })
}

pub(crate) fn item(row: &AnyRow) -> Result<Item, StoreError> {
    let code = text(row, 3)?;
    let amount: Option<Amount> = maybe_text(row, 8)?.as_deref().map(parse).transpose()?;
    let amount: Option<Money> = match (amount, maybe_text(row, 9)?) {
        (Some(amount), Some(currency)) => Some(amount.of(parse(&currency)?)),
        _ => None,
    };
    Ok(Item {
        flow: text(row, 0)?,
        record: parse(&text(row, 1)?)?,
        outcome: Outcome {
            state: parse(&text(row, 2)?)?,
            code: (!code.is_empty()).then(|| Code::from_text(code)),
            cause: text(row, 4)?,
            group: text(row, 5)?,
            waits_for: maybe_text(row, 6)?.as_deref().map(waits_for).transpose()?,
        },
        label: text(row, 7)?,
        amount,
        since: moment(int(row, 10)?)?,
        at: moment(int(row, 11)?)?,
        seq: count(row, 12)?,
    })
}

/// Reads the form in which what an item waits for is indexed.
fn waits_for(text: &str) -> Result<WaitsFor, StoreError> {
    let mut parts = text.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("link"), Some(flow), Some(record)) => {
            Ok(WaitsFor::Link(flow.to_owned(), parse(record)?))
        }
        (Some("map"), Some(kind), Some(id)) => Ok(WaitsFor::Map(kind.to_owned(), id.into())),
        _ => Err(StoreError::corrupt(format!(
            "nothing can be waited for as `{text}`"
        ))),
    }
}

fn map_entry(row: &AnyRow) -> Result<MapEntry, StoreError> {
    Ok(MapEntry {
        kind: text(row, 0)?,
        from: RemoteId::new(text(row, 1)?),
        to: maybe_text(row, 2)?.map(RemoteId::new),
        status: parse(&text(row, 3)?)?,
        label_from: text(row, 4)?,
        label_to: text(row, 5)?,
        why: text(row, 6)?,
        actor: text(row, 7)?,
        at: moment(int(row, 8)?)?,
        seq: count(row, 9)?,
    })
}

pub(crate) fn decision(row: &AnyRow) -> Result<Decision, StoreError> {
    Ok(Decision {
        flow: text(row, 0)?,
        record: parse(&text(row, 1)?)?,
        decision: text(row, 2)?,
        reason: text(row, 3)?,
        actor: text(row, 4)?,
        at: moment(int(row, 5)?)?,
        seq: count(row, 6)?,
    })
}

fn open_write(row: &AnyRow) -> Result<OpenWrite, StoreError> {
    let write = WriteRow::read(row)?;
    Ok(OpenWrite {
        write: write.id,
        record: parse(&write.record)?,
        order: json(&write.order)?,
        status: match write.status.as_str() {
            "intended" => WriteStatus::Intended,
            "attempted" => WriteStatus::Attempted,
            // Whatever else is open may have been applied.
            _ => WriteStatus::Unknown,
        },
        attempted_at: write.attempted_us.map(moment).transpose()?,
        attempts: u32::try_from(write.attempts).unwrap_or(u32::MAX),
        first_attempt: write.first_attempt()?,
        flow: write.flow,
        role: write.role,
    })
}

impl Store {
    /// What connections remember under a name, by their names; nothing of those that remember nothing.
    ///
    /// # Errors
    /// What a database can answer.
    pub async fn remembered_by_all(
        &self,
        name: &str,
    ) -> Result<Vec<(ConnectionName, String)>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = with(sql::REMEMBERED_BY_ALL, cells![name])
            .fetch_all(&mut reader)
            .await?;
        let row = |row: &AnyRow| Ok((sql::parse(&text(row, 0)?)?, text(row, 1)?));
        rows.iter().map(row).collect()
    }
}

/// What was last remembered under a name, of one chain.
pub(crate) async fn remembered(
    store: &crate::Store,
    chain: &str,
    name: &str,
) -> Result<Option<String>, StoreError> {
    let mut reader = store.reader().await?;
    let row = with(sql::REMEMBERED, cells![chain, name])
        .fetch_optional(&mut reader)
        .await?;
    row.map(|row| text(&row, 0)).transpose()
}
