//! The report: what a controller signs. Its JSON is a contract (`tieout tie-out --format json`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tieout_domain::code::Code;
use tieout_domain::subledger::Book;
use tieout_domain::{Amount, Currency, Date, RecordRef, RemoteId};

use super::{Advisory, BasePage, Category, Leg};

/// Whether the books agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// All residuals are 0.00 and nothing waits for a person.
    #[serde(rename = "TIED")]
    Tied,
    /// All residuals are 0.00, and every error has an owner and a comment.
    #[serde(rename = "TIED WITH EXCEPTIONS")]
    TiedWithExceptions,
    /// Something is not explained, or an error is nobody's.
    #[serde(rename = "NOT TIED")]
    NotTied,
    /// What was read is not known to be all: no figure may be signed.
    #[serde(rename = "INCOMPLETE")]
    Incomplete,
}

impl Status {
    /// As printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tied => "TIED",
            Self::TiedWithExceptions => "TIED WITH EXCEPTIONS",
            Self::NotTied => "NOT TIED",
            Self::Incomplete => "INCOMPLETE",
        }
    }
}

/// How the figures of the day were had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The day has not ended, or ended just now: what is there is as of now.
    AsOfNow,
    /// Today's figures, with what happened since taken back.
    RollBack,
}

/// A side, by its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The system: `netsuite`, `bill`.
    pub system: String,
    /// The account or organization.
    pub account: String,
    /// What narrows the account to this connection: the subsidiary.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
}

/// An account of the general ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountName {
    /// Its id.
    pub id: RemoteId,
    /// `2000 Accounts Payable`.
    pub label: String,
}

/// The period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodName {
    /// The ledger's id.
    pub id: RemoteId,
    /// `Jun 2026`.
    pub name: String,
    /// First day.
    pub start: Date,
    /// Last day.
    pub end: Date,
    /// `open`, `locked` or `closed` for the book when it was read.
    pub state: String,
}

fn is_payables(book: &Book) -> bool {
    *book == Book::Payables
}

/// See [`Report::is_by_day`].
pub(super) fn by_day(method: Method, period: &PeriodName, day: Date) -> bool {
    method == Method::RollBack && day < period.end
}

/// A record that takes part in a difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Document {
    /// The record.
    pub record: RecordRef,
    /// What people call it: `INV-77`.
    pub label: String,
    /// What it comes to on its side.
    pub amount: Amount,
}

/// One difference and its one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its cause.
    pub category: Category,
    /// The ledger's record.
    pub ledger: Option<Document>,
    /// The platform's record.
    pub platform: Option<Document>,
    /// The vendor by name; of receivables, the customer.
    pub vendor: String,
    /// The signed difference: left less right of the leg.
    pub amount: Amount,
    /// The day of the document.
    pub date: Date,
    /// Its age at the end of the day reported on, in days.
    pub age_days: i64,
    /// What happened, in a sentence.
    pub cause: String,
    /// The code of the state it comes from, for `tieout explain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// When a timing difference is expected to be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clears_by: Option<Date>,
    /// Who looks after it; empty if nobody does.
    #[serde(default)]
    pub owner: String,
    /// What was said of it.
    #[serde(default)]
    pub comment: String,
}

impl Item {
    /// Whether somebody has taken it on and said something.
    #[must_use]
    pub fn is_owned(&self) -> bool {
        !self.owner.is_empty() && !self.comment.is_empty()
    }
}

/// A figure with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// `G`, `A`, `B`, `C`, `K`; of receivables `G`, `A`, `I`, `U`, `Ku`, `P`, `D`.
    pub symbol: String,
    /// `general ledger 2000 Accounts Payable`.
    pub label: String,
    /// The amount.
    pub amount: Amount,
}

/// A line of the roll-forward.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// `bills`, `credits`, `payments`, `voids`, `journals`.
    pub label: String,
    /// How many in the ledger.
    pub ledger_count: u64,
    /// What they come to there, signed.
    pub ledger_amount: Amount,
    /// How many on the platform.
    pub platform_count: u64,
    /// What they come to there, signed.
    pub platform_amount: Amount,
}

/// One leg, closed or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegReport {
    /// Which.
    pub leg: Leg,
    /// What it says.
    pub title: String,
    /// What is compared.
    pub left: Figure,
    /// What it is compared with.
    pub right: Figure,
    /// Left less right.
    pub difference: Amount,
    /// What the items explain of it.
    pub explained: Amount,
    /// What nothing explains.
    pub residual: Amount,
    /// The flows of the period, of the roll-forward; of the fifth leg, each payout with what it is made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<Flow>,
}

/// A document that the aging by transaction date and the sub-ledger by posting period don't count alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasisLine {
    /// The ledger's record.
    pub document: Document,
    /// The vendor by name; of receivables, the customer.
    pub vendor: String,
    /// Its day.
    pub date: Date,
    /// The last day of the period it is posted in.
    pub posted: Date,
    /// By transaction date less by period.
    pub amount: Amount,
}

/// What each side has open, by how long it is overdue at the end of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aging {
    /// `not due`, `1 to 30 days`, …
    pub bucket: String,
    /// Open in the ledger.
    pub ledger: Amount,
    /// Open on the platform.
    pub platform: Amount,
}

/// A set that was read, and how it is known to be whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extract {
    /// What was read: `general ledger balances`.
    pub what: String,
    /// The query or the list, exactly.
    pub query: String,
    /// When reading began, by our clock.
    pub started: Timestamp,
    /// When it had ended.
    pub ended: Timestamp,
    /// The service's own time when it answered, as it said it.
    pub server_time: String,
    /// How many rows came.
    pub rows: u64,
    /// What they add up to.
    pub total: Amount,
    /// Whether the service said that there is no more.
    pub last_page_seen: bool,
    /// SHA-256 of the rows, in hexadecimal digits.
    pub sha256: String,
}

/// A check of what was read against something else that says the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What is checked.
    pub what: String,
    /// What must be.
    pub expected: String,
    /// What is.
    pub found: String,
    /// Whether they agree.
    pub holds: bool,
}

/// Why what was read is known to be all there was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completeness {
    /// The sets.
    pub extracts: Vec<Extract>,
    /// The checks. One that fails makes the report INCOMPLETE.
    pub checks: Vec<Check>,
    /// How many records of each flow are in which state; they add up to the population.
    pub states: BTreeMap<String, BTreeMap<String, u64>>,
    /// How long the reading took, in seconds: both sides within one window.
    pub window_seconds: i64,
    /// tieout's version.
    pub version: String,
    /// The fingerprint of configuration and mappings.
    pub rules: String,
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// `preparer` or `reviewer`.
    pub role: String,
    /// Who.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// What was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// The SHA-256 of what was signed.
    pub sha256: String,
}

/// What one document has open on its side at the end of the day: what a report is made of, kept with it so that
/// a later change is found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenDocument {
    /// The record.
    pub record: RecordRef,
    /// What people call it.
    pub label: String,
    /// The vendor by name; of receivables, the customer.
    pub vendor: String,
    /// Its day.
    pub date: Date,
    /// What of it is open; what is owed is positive.
    pub open: Amount,
}

/// The report of one connection, control account set, currency and period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether the books agree.
    pub status: Status,
    /// Why it is no better, in sentences.
    pub reasons: Vec<String>,
    /// Which of the ledger's books; payables where it isn't said.
    #[serde(default, skip_serializing_if = "is_payables")]
    pub book: Book,
    /// The connection.
    pub connection: String,
    /// The ledger.
    pub ledger: Party,
    /// The platform.
    pub platform: Party,
    /// The control accounts.
    pub accounts: Vec<AccountName>,
    /// The clearing accounts; of receivables, undeposited funds.
    pub clearing: Vec<AccountName>,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The period.
    pub period: PeriodName,
    /// The day whose end is reported on.
    pub day: Date,
    /// How its figures were had.
    pub method: Method,
    /// When the report was made.
    pub made_at: Timestamp,
    /// What is left of each leg, by its number.
    pub residuals: BTreeMap<Leg, Amount>,
    /// The legs: four, and a fifth where the platform pays out.
    pub legs: Vec<LegReport>,
    /// Every difference, the graver and larger ones first.
    pub items: Vec<Item>,
    /// Documents whose day and posting period lie on different sides of the day: what the usual aging report
    /// shows more or less than the sub-ledger by period.
    pub basis: Vec<BasisLine>,
    /// What an aging report by transaction date shows, less the sub-ledger by period.
    pub basis_difference: Amount,
    /// Payments that are worth a look. They are no differences: no status or residual depends on them.
    #[serde(default)]
    pub advisories: Vec<Advisory>,
    /// What each side has open, by age.
    pub aging: Vec<Aging>,
    /// What both sides have open, in base currency; of a report in another one. No status or residual depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BasePage>,
    /// Why what was read is known to be all.
    pub completeness: Completeness,
    /// Who signed it; empty in what is signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<Signature>,
    /// What is not as the controls want it, for example "segregation of duties waived".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

impl Report {
    /// The items of a leg, in their order.
    pub fn items_of(&self, leg: Leg) -> impl Iterator<Item = &Item> {
        self.items
            .iter()
            .filter(move |item| item.category.leg() == leg)
    }

    /// Whether the ledger's figures go by the days of transactions: those of a day within its posting period,
    /// rolled back. All others go by posting period.
    #[must_use]
    pub fn is_by_day(&self) -> bool {
        by_day(self.method, &self.period, self.day)
    }

    /// What of this leg is not explained; 0.00 is what a controller wants.
    #[must_use]
    pub fn residual(&self, leg: Leg) -> Amount {
        self.residuals.get(&leg).copied().unwrap_or(Amount::ZERO)
    }
}
