//! What a tie-out is made of: what was read of both sides, held against each other, and what is known of
//! each record. The caller gathers it; nothing here is computed yet.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tieout_domain::code::Code;
use tieout_domain::document::Payout;
use tieout_domain::subledger::{Book, Posting, PostingKind};
use tieout_domain::{Amount, Currency, Date, ExchangeRate, RecordRef, RemoteId, State};

use super::{AccountName, BasisLine, Completeness, Method, Party, PeriodName};

/// Which books, which period, and how they were read.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Which of the ledger's books.
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
    /// The currency.
    pub currency: Currency,
    /// The period.
    pub period: PeriodName,
    /// The day whose end is reported on.
    pub day: Date,
    /// How its figures were had.
    pub method: Method,
    /// When the report is made.
    pub made_at: Timestamp,
    /// For how many days a timing difference is no error.
    pub grace_days: i64,
}

/// A document as one side has it.
#[derive(Debug, Clone)]
pub struct Held {
    /// The record.
    pub record: RecordRef,
    /// What kind of posting it is.
    pub kind: PostingKind,
    /// What people call it.
    pub label: String,
    /// Its day.
    pub date: Date,
    /// When it is due.
    pub due: Option<Date>,
    /// What it came to when it began to count for both sides; what is owed is positive. For a bill that was
    /// partly paid before go-live, its balance then.
    pub total: Amount,
    /// What of it is open at the end of the day; what is owed is positive.
    pub open: Amount,
    /// Where it stands as a record of its side.
    pub presence: Presence,
}

/// Whether a document counts on its side at the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It counts.
    There,
    /// It is recorded only after the day.
    Later,
    /// It was deleted, voided or archived.
    Gone,
}

/// What the flow decided about a record when it last looked.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// Why.
    pub code: Option<Code>,
    /// The cause in a sentence.
    pub cause: String,
    /// Since which day.
    pub since: Date,
}

impl Standing {
    /// Whether its code is one of these.
    pub(super) fn is(&self, codes: &[&str]) -> bool {
        self.code
            .as_ref()
            .is_some_and(|code| codes.contains(&code.as_str()))
    }
}

/// A document of either side with its counterpart, if it has one. Every document that is open on a side, or
/// that an [`Effect`] touches, is in exactly one of them.
#[derive(Debug, Clone)]
pub struct Pair {
    /// In the ledger.
    pub ledger: Option<Held>,
    /// On the platform.
    pub platform: Option<Held>,
    /// The vendor or customer, by name.
    pub vendor: String,
    /// The platform's customer whose document it is, if it is one's.
    pub customer: Option<RemoteId>,
    /// What the flow decided.
    pub standing: Option<Standing>,
    /// Whether the ledger's document was made by tieout from something of the platform.
    pub posted_by_us: bool,
    /// The early-payment discount that the ledger's document offers; 0 if none.
    pub discount: Amount,
}

/// What one side counts and the other doesn't, though both know the documents that it touches: a payment, or
/// the application of a credit.
#[derive(Debug, Clone)]
pub struct Effect {
    /// What it is.
    pub kind: EffectKind,
    /// The ledger's record, if there is one.
    pub ledger: Option<super::Document>,
    /// The platform's record, if there is one.
    pub platform: Option<super::Document>,
    /// The vendor or customer, by name.
    pub vendor: String,
    /// Its day.
    pub date: Date,
    /// What it takes off which document's open amount; the documents are the ledger's where the ledger counts
    /// it, else the platform's. What it adds, as to a credit that is used up, is negative. What a customer's payment
    /// has left on account is a part on the payment itself.
    pub parts: Vec<(RecordRef, Amount)>,
    /// What of it a platform that doesn't tell which invoices a payment pays has taken off invoices, and whose.
    pub unplaced: Option<(RemoteId, Amount)>,
    /// What of it may have been taken off which document besides: of that as much counts as nothing else explains. A
    /// document that came over with its balance may have been less by it already.
    pub supposed: Vec<(RecordRef, Amount)>,
    /// What the flow decided.
    pub standing: Option<Standing>,
}

/// Which side counts an effect, and what is known of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectKind {
    /// A payment that the platform counts, and the ledger doesn't: nothing is posted.
    PaidOnPlatform,
    /// The same, and it is posted after the day.
    PostedLater,
    /// A payment that the ledger counts; the platform knows nothing of it.
    PaidInLedger,
    /// The same, and the platform counts it only after the day.
    PaidLaterOnPlatform,
    /// A payment that the ledger counts, and that is undone on the platform.
    UndoneOnPlatform,
    /// The same, and the ledger undoes it after the day.
    UndoneLater,
    /// The application of a credit that the ledger counts.
    CreditInLedger,
    /// The same, on a platform that is not told what credits of the ledger are applied to: nothing carries it over.
    CreditKeptInLedger,
    /// The application of a credit that the platform counts.
    CreditOnPlatform,
    /// An early-payment discount that was taken in the ledger, with a payment that both sides count.
    DiscountInLedger,
    /// A payment that the ledger counts, and that failed on the platform after it had succeeded.
    FailedOnPlatform,
    /// A payment that both sides count, of which money went back to the customer: by so much the platform counts
    /// more. Nothing where both still count all of it, which must be seen nevertheless.
    ReturnedToCustomer,
    /// A payment that both sides count and apply otherwise: by so much the platform applies more.
    AppliedOtherwise,
}

impl EffectKind {
    /// Whether it is told even where both sides still count the same.
    pub(super) fn must_be_seen(self) -> bool {
        self == Self::ReturnedToCustomer
    }

    /// Whether it is the platform that counts it.
    #[must_use]
    pub fn is_of_platform(self) -> bool {
        matches!(
            self,
            Self::PaidOnPlatform
                | Self::PostedLater
                | Self::CreditOnPlatform
                | Self::ReturnedToCustomer
                | Self::AppliedOtherwise
        )
    }
}

/// A posting on a clearing account, with what is known of the payment behind it.
#[derive(Debug, Clone)]
pub struct Cleared {
    /// The posting; debit is positive.
    pub posting: Posting,
    /// Whether it stands for a payment of the platform, or for the undoing of one.
    pub ours: bool,
    /// The platform was not funded for it, and says that it is owed the money.
    pub owed: bool,
}

/// A payment that the platform counts, of the period or of the weeks before: what advisories are made of.
#[derive(Debug, Clone)]
pub struct Spent {
    /// The ledger's posting, if there is one.
    pub ledger: Option<super::Document>,
    /// The platform's payment; its amount is the money that went.
    pub platform: super::Document,
    /// The platform's vendor.
    pub vendor: RemoteId,
    /// The vendor, by name.
    pub vendor_name: String,
    /// The process date.
    pub date: Date,
    /// Whether the platform counts none to this vendor before it.
    pub is_first: bool,
    /// The numbers of the bills it pays that came to the platform on its day.
    pub bills_of_the_day: Vec<String>,
    /// Other vendors of the ledger at the vendor's address, by name.
    pub shares_address_with: Vec<String>,
}

/// A payout of the platform that has arrived, and the ledger's deposits of it.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// The record.
    pub record: RecordRef,
    /// What arrived, and what it is made of.
    pub payout: Payout,
    /// Its deposits: one of the whole, and one for each payment of an invoice that the ledger doesn't know.
    pub deposits: Vec<Deposited>,
    /// What the flow decided.
    pub standing: Option<Standing>,
}

/// A deposit of the ledger.
#[derive(Debug, Clone)]
pub struct Deposited {
    /// The deposit; its amount is what of the payout it brings to the bank.
    pub document: super::Document,
    /// Whether it counts only after the day reported on.
    pub later: bool,
}

/// The roll-forward of both sides.
#[derive(Debug, Clone, Default)]
pub struct RollForward {
    /// What the sub-ledger had open at the end of the period before.
    pub opening: Amount,
    /// What happened, by name, in the order in which it is shown: counts and signed amounts.
    pub flows: Vec<super::Flow>,
}

/// What a person said of a difference.
#[derive(Debug, Clone, Default)]
pub struct Note {
    /// Who looks after it.
    pub owner: String,
    /// What was said.
    pub comment: String,
}

/// At which rates either side values its documents.
#[derive(Debug, Clone)]
pub struct Valuation {
    /// The base currency, which is another one than the report's.
    pub base: Currency,
    /// The rates that are told.
    pub rates: BTreeMap<RecordRef, ExchangeRate>,
}

/// Everything.
#[derive(Debug, Clone)]
pub struct Input {
    /// Which books.
    pub scope: Scope,
    /// The balance of the control accounts; what is owed is positive.
    pub control: Amount,
    /// Lines on the control accounts without a vendor or customer; as the ledger counts, debit is positive.
    pub loose: Vec<Posting>,
    /// The documents of both sides.
    pub pairs: Vec<Pair>,
    /// What only one side counts.
    pub effects: Vec<Effect>,
    /// The balance of the clearing accounts; debit is positive.
    pub clearing: Amount,
    /// The postings on them.
    pub cleared: Vec<Cleared>,
    /// The platform's payments of the period, and of the weeks before that advisories look back on.
    pub payouts: Vec<Spent>,
    /// The payouts of the period, and those before it that were not deposited as they arrived; `None` where the platform
    /// pays nothing out.
    pub settlements: Option<Vec<Settlement>>,
    /// The roll-forward.
    pub roll_forward: RollForward,
    /// Documents that count by day and not by period, or the other way round.
    pub basis: Vec<BasisLine>,
    /// What the documents are worth in base currency; `None` in base currency.
    pub valuation: Option<Valuation>,
    /// What was said of a difference, by the record that it names first: the ledger's, else the platform's.
    pub notes: BTreeMap<RecordRef, Note>,
    /// Why what was read is known to be all.
    pub completeness: Completeness,
    /// What else must be printed.
    pub notices: Vec<String>,
}
