//! What must be true once everything has come to rest, of whichever pair: of the store, of the last sync, and of what
//! the services hold. Nothing here believes what tieout says of itself where the services can be asked.

use std::collections::BTreeMap;

use anyhow::Result;
use rust_decimal::Decimal;
use serde_json::Value;
use tieout_domain::{RecordRef, State};
use tieout_engine::{Plan, RunReport};
use tieout_flows::tie_out::Report;
use tieout_store::{ConnectionStore, Item, ItemFilter, Store};

use crate::weather::DECLINED;

/// The services' records at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The ledger's.
    pub ledger: Value,
    /// The platform's.
    pub platform: Value,
    /// The platform's account: part of the keys that come from its ids.
    pub account: String,
    /// The ledger's subsidiary that the connection is for, if the account has subsidiaries.
    pub subsidiary: Option<String>,
    /// The ledger's routes that records were written by so far.
    pub ledger_writes: Vec<String>,
    /// The most requests that left for the platform in any second so far.
    pub most_a_second: usize,
}

/// What the store says became of each record, by flow.
pub type Items = BTreeMap<(String, RecordRef), Item>;

/// What stands for which record, as the store says: by flow, record and role.
pub type Links = BTreeMap<(String, RecordRef, String), RecordRef>;

/// All that is looked at when a world has come to rest.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// How the services were when tieout had done nothing yet.
    pub before: &'a Snapshot,
    /// How they are.
    pub after: &'a Snapshot,
    /// What became of each record.
    pub items: &'a Items,
    /// What stands for which.
    pub links: &'a Links,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which check found it.
    pub check: &'static str,
    /// What it found.
    pub what: String,
}

pub(crate) fn violation(check: &'static str, what: impl Into<String>) -> Violation {
    Violation {
        check,
        what: what.into(),
    }
}

pub(crate) fn list<'a>(
    records: &'a Value,
    table: &str,
) -> impl Iterator<Item = &'a Value> + use<'a> {
    records[table].as_array().into_iter().flatten()
}

pub(crate) fn text<'a>(record: &'a Value, field: &str) -> &'a str {
    record[field].as_str().unwrap_or_default()
}

pub(crate) fn amount(record: &Value, field: &str) -> Decimal {
    text(record, field).parse().unwrap_or_default()
}

/// Records of which two bear the same key, whatever its case.
pub(crate) fn same_twice<'a>(
    records: impl Iterator<Item = &'a Value>,
    field: &str,
    what: &str,
) -> Vec<Violation> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for record in records.filter(|record| !text(record, field).is_empty()) {
        let key = text(record, field).to_lowercase();
        if let Some(other) = seen.insert(key.clone(), text(record, "id")) {
            let id = text(record, "id");
            found.push(violation("once", format!("{what} {key}: {other} and {id}")));
        }
    }
    found
}

/// While nothing is to be written to the ledger, nothing is.
pub(crate) fn untouched(after: &Snapshot, is_ours: impl Fn(&Value) -> bool) -> Vec<Violation> {
    let written = after.ledger_writes.iter();
    let mut found: Vec<Violation> = written
        .map(|route| {
            let what = format!("the ledger was written to: {route}");
            violation("switched-off", what)
        })
        .collect();
    for table in ["transactions", "customers"] {
        let ours = list(&after.ledger, table).filter(|one| is_ours(one));
        found.extend(ours.map(|one| {
            let external = text(one, "external_id");
            violation("switched-off", format!("{external} is in the ledger"))
        }));
    }
    found
}

/// Whatever runs at once, the platform never has more calls to answer than it takes.
#[must_use]
pub fn at_once(seen: usize, most: usize) -> Option<Violation> {
    let what = || format!("{seen} calls were under way at once, of {most} that may be");
    (seen > most).then(|| violation("at-once", what()))
}

/// Every entry of the ledger balances.
#[must_use]
pub fn balanced(after: &Snapshot) -> Vec<Violation> {
    let sum: Decimal = list(&after.ledger, "balances")
        .map(|one| amount(one, "amount"))
        .sum();
    if sum.is_zero() {
        return Vec::new();
    }
    vec![violation(
        "balanced",
        format!("the ledger's accounts add up to {sum}"),
    )]
}

/// Nobody says what the history contradicts: whose lease has passed on is told so before it is heard.
#[must_use]
pub fn heard(contradictions: u64) -> Option<Violation> {
    (contradictions > 0).then(|| {
        let what = format!("{contradictions} runs said what the history contradicts");
        violation("history", what)
    })
}

/// All items of a connection.
///
/// # Errors
/// What the store can answer.
pub async fn items(store: &ConnectionStore) -> Result<Items> {
    let mut items = Items::new();
    let mut after: Option<(String, RecordRef)> = None;
    loop {
        let from = after.as_ref().map(|(flow, record)| (flow.as_str(), record));
        let page = store.items_page(&ItemFilter::default(), from, 1000).await?;
        let Some(last) = page.last() else {
            return Ok(items);
        };
        after = Some((last.flow.clone(), last.record.clone()));
        items.extend(
            page.into_iter()
                .map(|item| ((item.flow.clone(), item.record.clone()), item)),
        );
    }
}

/// What stands for which record in these flows.
///
/// # Errors
/// What the store can answer.
pub async fn links(store: &ConnectionStore, flows: &[&str]) -> Result<Links> {
    let mut links = Links::new();
    for flow in flows {
        let mut after: Option<(RecordRef, String)> = None;
        loop {
            let from = after.as_ref().map(|(record, role)| (record, role.as_str()));
            let page = store.links_page(flow, from, 1000).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.record.clone(), last.role.clone()));
            links.extend(
                page.into_iter()
                    .map(|link| (((*flow).to_owned(), link.record, link.role), link.target)),
            );
        }
    }
    Ok(links)
}

/// What a service declined for no reason that is known.
pub(crate) fn declined(items: &Items) -> Vec<(String, RecordRef)> {
    let of_it = items.iter().filter(|(_, item)| {
        item.outcome.state == State::Blocked && item.outcome.cause.contains(DECLINED)
    });
    of_it.map(|(place, _)| place.clone()).collect()
}

/// What was declined once goes over when somebody has it done again.
#[must_use]
pub fn replayed(items: &Items) -> Vec<Violation> {
    let left = declined(items).into_iter();
    left.map(|(flow, record)| violation("rest", format!("{flow} {record} is declined for ever")))
        .collect()
}

/// When nothing goes wrong any more, a sync writes nothing and has no problem, and nothing is left to do.
#[must_use]
pub fn quiet(last: &RunReport, plan: &Plan) -> Vec<Violation> {
    let mut found = Vec::new();
    if last.written > 0 {
        found.push(violation("rest", "it goes on writing for ever"));
    }
    let problems = last.problems.iter();
    found.extend(
        problems.map(|problem| violation("rest", format!("{}: {}", problem.code, problem.cause))),
    );
    let stops = last.stopped.iter().chain(&plan.stops);
    found.extend(stops.map(|stop| violation("rest", format!("writes are stopped: {stop:?}"))));
    found.extend(plan.steps.iter().map(|step| {
        let what = format!(
            "left to do: {} {} {}: {}",
            step.flow, step.action, step.record, step.because
        );
        violation("rest", what)
    }));
    found
}

/// What was written between two counts.
#[must_use]
pub fn more(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<String> {
    let more = after.iter().filter(|(route, count)| {
        let had = before.get(*route).copied().unwrap_or_default();
        **count > had
    });
    more.map(|(route, _)| route.clone()).collect()
}

/// Whatever the last sync says of itself, the services count no write by it.
#[must_use]
pub fn wrote_nothing(written: &[String]) -> Vec<Violation> {
    let routes = written.iter();
    routes
        .map(|route| violation("rest", format!("the last sync wrote all the same: {route}")))
        .collect()
}

/// A table that a check reads is there: without it, the check would see nothing to complain of.
pub(crate) fn tables(of: &str, records: &Value, names: &[&str]) -> Vec<Violation> {
    let missing = names.iter().filter(|name| !records[**name].is_array());
    missing
        .map(|name| violation("shape", format!("{of} shows no `{name}`")))
        .collect()
}

/// Whatever happened, the four legs of the tie-out close to 0.00, and what was read is known to be whole.
#[must_use]
pub fn closes(reports: &[Report]) -> Vec<Violation> {
    let mut found = Vec::new();
    for report in reports {
        let currency = report.currency;
        let residuals = report.residuals.iter().filter(|(_, left)| !left.is_zero());
        found.extend(residuals.map(|(leg, left)| {
            let left = left.of(currency);
            let told: Vec<String> = report
                .items
                .iter()
                .filter(|item| item.category.leg() == *leg)
                .map(|item| format!("{} {} ({})", item.category.code(), item.amount, item.cause))
                .collect();
            violation(
                "tie-out",
                format!(
                    "leg {}: {left} is unexplained beside {}",
                    leg.number(),
                    told.join("; ")
                ),
            )
        }));
        let failed = report
            .completeness
            .checks
            .iter()
            .filter(|check| !check.holds);
        found.extend(failed.map(|check| {
            let (what, expected, found) = (&check.what, &check.expected, &check.found);
            violation("tie-out", format!("{what}: {expected}, not {found}"))
        }));
    }
    found
}

/// What must be true of the store: its history verifies, no write is open, nothing waits for a window.
///
/// # Errors
/// What the store can answer.
pub async fn store(
    store: &Store,
    connection: &ConnectionStore,
    items: &Items,
) -> Result<Vec<Violation>> {
    let mut found = Vec::new();
    let verification = store.verify().await?;
    found.extend(verification.faults.iter().map(|fault| {
        violation(
            "history",
            format!("{} {:?}: {}", fault.chain, fault.seq, fault.cause),
        )
    }));
    for write in connection.open_writes().await? {
        let what = format!(
            "write {} of {} {} is open",
            write.write, write.flow, write.record
        );
        found.push(violation("open", what));
    }
    for ((flow, record), item) in items {
        if item
            .outcome
            .code
            .as_ref()
            .is_some_and(|code| code.as_str() == "settling")
        {
            found.push(violation(
                "open",
                format!("{flow} {record} is settling for ever"),
            ));
        }
    }
    Ok(found)
}
