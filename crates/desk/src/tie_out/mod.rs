//! Tie-outs: what people say of a report. Who looks after a difference, who signs ([`sign_off`]), and what has
//! changed since ([`drift`]). The report that was made last is kept, to be looked at again.

pub mod drift;
pub mod sign_off;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::{Currency, Date, RecordRef};
use tieout_engine::Connection;
use tieout_engine::tie_out::{AsOf, TieOutOptions, TiedOut, tie_out};
use tieout_flows::tie_out::input::Note;
use tieout_flows::tie_out::{OpenDocument, Report, Status};
use tieout_store::{Commit, ConnectionStore, Fact};

use crate::error::DeskError;

/// Under this name the store keeps what people say of differences, among their other decisions.
pub const NOTES: &str = "tie-out";

/// What stands before the owner's name in such a decision.
const OWNED_BY: &str = "owned by ";

/// Which report of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Which month, as 2026-06; the present one if none is named.
    pub period: Option<String>,
    /// Which currency; the organization's own if none is named.
    pub currency: Option<String>,
}

/// A report, and how the connection's other currencies stand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Made {
    /// The one asked for.
    pub report: Report,
    /// What it is made of.
    pub documents: Vec<OpenDocument>,
    /// Status by currency.
    pub others: BTreeMap<Currency, Status>,
}

impl Made {
    /// The month that it is of, as 2026-06.
    #[must_use]
    pub fn month(&self) -> String {
        month(self.report.period.start)
    }
}

/// Makes the report of one connection, month and currency; as of the end of a day instead, if one is named. `id` names
/// the reading.
///
/// # Errors
/// `usage` if the day is yet to come, or neither side has anything in the currency; the engine's.
pub async fn make(
    connection: &Connection,
    scope: &Scope,
    day: Option<Date>,
    id: String,
) -> Result<Made, DeskError> {
    let today = today(connection);
    let options = TieOutOptions {
        as_of: as_of(today, scope.period.as_deref(), day)?,
        id,
        notes: notes(&connection.store).await?,
        notices: Vec::new(),
    };
    let wanted = match &scope.currency {
        Some(code) => named_currency(code)?,
        None => connection.home_currency,
    };
    let mut made = tie_out(connection, &options).await?;
    let at = made.iter().position(|one| one.report.currency == wanted);
    let Some(at) = at else {
        let cause = format!("neither side has anything in {wanted}");
        return Err(DeskError::usage(Code::new("usage"), cause));
    };
    let TiedOut { report, documents } = made.swap_remove(at);
    let others = made.iter().map(|other| &other.report);
    Ok(Made {
        report,
        documents,
        others: others.map(|other| (other.currency, other.status)).collect(),
    })
}

/// The company's day.
#[must_use]
pub fn today(connection: &Connection) -> Date {
    let now = connection.timer.now();
    now.to_zoned(connection.time_zone.clone()).date()
}

/// As of when: a day, else the end of a month, of the present one if none is named.
fn as_of(today: Date, month: Option<&str>, day: Option<Date>) -> Result<AsOf, DeskError> {
    match (day, month) {
        (Some(day), _) if day > today => {
            let cause = format!("{day} is yet to come: today is {today}");
            Err(DeskError::usage(Code::new("usage"), cause))
        }
        (Some(day), _) => Ok(AsOf::Day(day)),
        (None, Some(month)) => named_month(month).map(AsOf::PeriodEnd),
        (None, None) => Ok(AsOf::PeriodEnd(today)),
    }
}

/// Whether two reports say the same, whenever they were made: what a person has seen of the one is true of the other.
#[must_use]
pub fn say_the_same(one: &Made, other: &Made) -> bool {
    let told = |made: &Made| {
        let report = &made.report;
        (report.status, report.reasons.clone(), report.legs.clone())
    };
    told(one) == told(other)
        && one.report.items == other.report.items
        && one.documents == other.documents
}

/// The month of a day, as 2026-06.
#[must_use]
pub fn month(day: Date) -> String {
    day.strftime("%Y-%m").to_string()
}

/// The first day of the month that a text names.
///
/// # Errors
/// `usage` if it names none.
pub fn named_month(text: &str) -> Result<Date, DeskError> {
    format!("{}-01", text.trim()).parse().map_err(|_| {
        let cause = format!("`{text}` is no month; a month is written as 2026-06");
        DeskError::usage(Code::new("usage"), cause)
    })
}

/// The currency that a text names.
///
/// # Errors
/// `usage` if it names none.
pub fn named_currency(text: &str) -> Result<Currency, DeskError> {
    text.parse().map_err(|error| {
        let cause = format!("`{text}`: {error}");
        DeskError::usage(Code::new("usage"), cause)
    })
}

/// What was said of differences, by record.
///
/// # Errors
/// The store's.
pub async fn notes(store: &ConnectionStore) -> Result<BTreeMap<RecordRef, Note>, DeskError> {
    let decisions = store.decisions_in(NOTES).await?;
    Ok(decisions
        .into_iter()
        .filter_map(|decision| {
            let owner = decision.decision.strip_prefix(OWNED_BY)?.to_owned();
            let note = Note {
                owner,
                comment: decision.reason,
            };
            Some((decision.record, note))
        })
        .collect())
}

/// Somebody takes differences on: who it is, and what there is to say.
///
/// # Errors
/// The store's.
pub async fn own(
    store: &ConnectionStore,
    records: &[RecordRef],
    note: &Note,
    actor: &str,
) -> Result<(), DeskError> {
    let facts = records
        .iter()
        .map(|record| Fact::Decided {
            flow: NOTES.to_owned(),
            record: record.clone(),
            decision: format!("{OWNED_BY}{}", note.owner.trim()),
            reason: note.comment.trim().to_owned(),
        })
        .collect();
    let commit = Commit {
        actor: actor.to_owned(),
        facts,
        ..Commit::default()
    };
    store.commit(commit).await?;
    Ok(())
}

/// Keeps a report in the place of the last one of its month and currency, to be looked at again. It is no evidence:
/// that is what is signed.
///
/// # Errors
/// The store's.
pub async fn keep(store: &ConnectionStore, made: &Made) -> Result<(), DeskError> {
    let body = serde_json::to_string(made).map_err(|error| corrupt(error.to_string()))?;
    let name = kept_as(&made.month(), &made.report.currency.to_string());
    let commit = Commit {
        actor: "engine".to_owned(),
        remember: vec![(name.clone(), body), (kept_as(&made.month(), ""), name)],
        ..Commit::default()
    };
    store.commit(commit).await?;
    Ok(())
}

/// The report of a month that was kept last; without a currency, the one that was made last. One that an older
/// version kept in another form is as good as none.
///
/// # Errors
/// The store's.
pub async fn kept(
    store: &ConnectionStore,
    month: &str,
    currency: Option<&str>,
) -> Result<Option<Made>, DeskError> {
    let name = match currency {
        Some(currency) => Some(kept_as(month, currency)),
        None => store.remembered(&kept_as(month, "")).await?,
    };
    let Some(name) = name else { return Ok(None) };
    let body = store.remembered(&name).await?;
    Ok(body.and_then(|body| serde_json::from_str(&body).ok()))
}

fn kept_as(month: &str, currency: &str) -> String {
    format!("tie-out/{month}/{currency}")
}

fn corrupt(cause: String) -> DeskError {
    DeskError::failed(Code::new("store-corrupt"), cause)
}
