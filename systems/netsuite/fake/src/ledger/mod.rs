//! Typed writes to the books: what the record API and the control panel use instead of SQL.
//!
//! Each write is atomic (a savepoint) and keeps everything derived in step: status letters, unpaid
//! amounts, accounting lines (balanced, debit-positive, in the subsidiary's currency), the rows of
//! `nexttransactionlinelink`, and `deletedrecord`. Updates take the whole document: read it with
//! [`read_bill`] and its siblings, change it, write it back.

pub(crate) mod apply;
pub(crate) mod bill;
mod check;
pub(crate) mod deposit;
pub(crate) mod entity;
mod journal;
pub(crate) mod payment;
pub(crate) mod post;
mod refund;
pub(crate) mod undeposited;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;

pub(crate) use apply::{Applicable, applicable};
pub(crate) use bill::{insert_bill, read_bill, update_bill};
pub(crate) use deposit::{DepositIn, DepositLineIn, insert_deposit, read_deposit, update_deposit};
pub(crate) use entity::{delete_entity, insert_entity, merge_entities, read_entity, update_entity};
pub(crate) use journal::{book_as, insert_journal, read_journal, update_journal};
pub(crate) use payment::{insert_payment, read_payment, update_payment};
pub(crate) use post::{account_balance, delete, set_approval, void};
pub(crate) use refund::refundable;

use crate::schema::stamp;

/// The circumstances of a write.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The sandbox clock: becomes `lastmodifieddate`.
    pub(crate) now: Timestamp,
    /// The day it is for the company: the date of documents without one.
    pub(crate) today: Date,
    /// The account has subsidiaries.
    pub(crate) one_world: bool,
    /// Applying a payment bumps `lastmodifieddate` of the bill (not documented: a switch).
    pub(crate) payment_touches_bill: bool,
    /// Voids post a reversing journal instead of zeroing the original (a preference of the account).
    pub(crate) void_by_journal: bool,
    /// The role may post into locked periods (never into closed ones).
    pub(crate) override_locked: bool,
}

/// Why a write was refused. The record API turns it into NetSuite's own words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LedgerError {
    /// A reference names nothing. `record` is the SuiteQL table.
    #[error("no {record} has the id {id} (field {field})")]
    NoSuch {
        /// The field that refers.
        field: &'static str,
        /// What it refers to: a table's name.
        record: &'static str,
        /// The id.
        id: i64,
    },
    /// A field is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field's value can't be.
    #[error("{field}: {message}")]
    Invalid {
        /// The field, in the record API's spelling.
        field: &'static str,
        /// What is wrong.
        message: String,
    },
    /// No posting period covers the date.
    #[error("no posting period covers {0}")]
    NoPeriod(Date),
    /// The period is closed.
    #[error("the period {0} is closed")]
    PeriodClosed(String),
    /// The period is locked for this kind of transaction.
    #[error("the period {0} is locked")]
    PeriodLocked(String),
    /// Another record has that external id.
    #[error("the external id {0} is taken")]
    DuplicateExternalId(String),
    /// Another entity has that name.
    #[error("the entity name {0} is taken")]
    DuplicateName(String),
    /// The document isn't in the list of what this payment or credit can be applied to: other vendor,
    /// account, currency or subsidiary; paid already; not approved; on hold; or it doesn't exist.
    #[error("no matching line to apply to: [{doc},{line}]")]
    NotApplicable {
        /// The document.
        doc: i64,
        /// Its line.
        line: i64,
    },
    /// More was applied to a document than is due on it.
    #[error("{amount} applied to [{doc},{line}], of which {due} is due")]
    OverApplied {
        /// The document.
        doc: i64,
        /// Its line.
        line: i64,
        /// What is due.
        due: Decimal,
        /// What was to be applied.
        amount: Decimal,
    },
    /// More was applied than the credit or payment has.
    #[error("{applied} applied of {available}")]
    OverUsed {
        /// What it has.
        available: Decimal,
        /// What was to be applied.
        applied: Decimal,
    },
    /// The entity, account or dimension doesn't belong to the subsidiary.
    #[error("the {record} {id} can't be used with the subsidiary {subsidiary}")]
    NotInSubsidiary {
        /// The table.
        record: &'static str,
        /// The id.
        id: i64,
        /// The subsidiary.
        subsidiary: i64,
    },
    /// Debits and credits differ.
    #[error("debits {debits} and credits {credits} differ")]
    Unbalanced {
        /// Sum of debits.
        debits: Decimal,
        /// Sum of credits.
        credits: Decimal,
    },
    /// Something depends on the record: a bill with payments, a vendor with transactions.
    #[error("{record} {id} is in use")]
    InUse {
        /// The table.
        record: &'static str,
        /// The id.
        id: i64,
    },
    /// There is no such record of the kind addressed.
    #[error("there is no {record} {id}")]
    NotFound {
        /// What was addressed.
        record: &'static str,
        /// The id.
        id: i64,
    },
    /// SQLite failed: an internal error.
    #[error(transparent)]
    Store(#[from] rusqlite::Error),
}

/// What kind of document with lines of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum BillKind {
    /// `VendBill`.
    VendorBill,
    /// `VendCred`.
    VendorCredit,
    /// `CustInvc`.
    Invoice,
    /// `CustCred`.
    CreditMemo,
}

/// What kind of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PaymentKind {
    /// `VendPymt`.
    VendorPayment,
    /// `CustPymt`.
    CustomerPayment,
    /// `CustRfnd`: its applications are the credit memos and payments that it pays back.
    CustomerRefund,
    /// `DepAppl`: invoices settled with what the customer paid beforehand.
    DepositApplication,
}

/// `approvalstatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Approval {
    /// 1.
    Pending,
    /// 2.
    Approved,
    /// 3.
    Rejected,
}

impl Approval {
    /// The id NetSuite uses.
    pub(crate) fn id(self) -> i64 {
        match self {
            Self::Pending => 1,
            Self::Approved => 2,
            Self::Rejected => 3,
        }
    }

    /// The state of an id; `None` for one NetSuite doesn't have.
    pub(crate) fn from_id(id: i64) -> Option<Self> {
        match id {
            1 => Some(Self::Pending),
            2 => Some(Self::Approved),
            3 => Some(Self::Rejected),
            _ => None,
        }
    }
}

/// What kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// The account is named.
    Expense,
    /// An item and its quantity; the account is the item's.
    Item {
        /// The item.
        item: i64,
        /// How many.
        quantity: Decimal,
    },
    /// Tax.
    Tax,
}

/// A body line of a bill, credit or invoice. Positive raises the document's total.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LineIn {
    /// What kind of line.
    pub(crate) kind: LineKind,
    /// Account; `None` takes the item's, or the account's tax account.
    pub(crate) account: Option<i64>,
    /// Amount in the document's currency.
    pub(crate) amount: Decimal,
    /// Memo.
    pub(crate) memo: Option<String>,
    /// Department.
    pub(crate) department: Option<i64>,
    /// Class.
    pub(crate) class: Option<i64>,
    /// Location.
    pub(crate) location: Option<i64>,
    /// JSON the record API keeps with the line (custom fields); not shown by SuiteQL.
    pub(crate) extra: Option<String>,
}

/// A vendor bill, vendor credit, invoice or credit memo, whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BillIn {
    /// What kind of document.
    pub(crate) kind: BillKind,
    /// Vendor or customer.
    pub(crate) entity: i64,
    /// Subsidiary; `None` takes the entity's primary one.
    pub(crate) subsidiary: Option<i64>,
    /// A/P or A/R account; `None` takes the default.
    pub(crate) account: Option<i64>,
    /// `tranid`: the invoice number as the other party wrote it.
    pub(crate) number: Option<String>,
    /// Date; `None` takes today.
    pub(crate) date: Option<Date>,
    /// Due date; `None` derives it from the terms, or takes the date.
    pub(crate) due: Option<Date>,
    /// Terms; `None` takes the entity's.
    pub(crate) terms: Option<i64>,
    /// Currency; `None` takes the entity's.
    pub(crate) currency: Option<i64>,
    /// Units of the subsidiary's currency for one of the document's; `None` takes the list's.
    pub(crate) rate: Option<Decimal>,
    /// Memo.
    pub(crate) memo: Option<String>,
    /// External id.
    pub(crate) external_id: Option<String>,
    /// `otherrefnum`: the purchase order's number.
    pub(crate) other_reference: Option<String>,
    /// Approval.
    pub(crate) approval: Approval,
    /// On payment hold.
    pub(crate) payment_hold: bool,
    /// Posting period; `None` takes the date's.
    pub(crate) period: Option<i64>,
    /// Lines, in order.
    pub(crate) lines: Vec<LineIn>,
    /// A credit's applications.
    pub(crate) applications: Vec<Application>,
    /// JSON the record API keeps with the document (custom fields); not shown by SuiteQL.
    pub(crate) extra: Option<String>,
}

/// So much of a payment or credit settles so much of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Application {
    /// The bill, invoice or journal entry.
    pub(crate) doc: i64,
    /// Its line: 0 for a bill or invoice, the line's id for a journal entry.
    pub(crate) line: i64,
    /// Amount in the document's currency; `None` is all that is due.
    pub(crate) amount: Option<Decimal>,
    /// The discount taken: it settles the document beside the amount.
    pub(crate) discount: Decimal,
}

/// A vendor payment or customer payment, whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PaymentIn {
    /// What kind of payment.
    pub(crate) kind: PaymentKind,
    /// Vendor or customer.
    pub(crate) entity: i64,
    /// Subsidiary; `None` takes the first applied document's, or the entity's primary one.
    pub(crate) subsidiary: Option<i64>,
    /// Bank account; `None` is Undeposited Funds for a customer payment.
    pub(crate) account: Option<i64>,
    /// A/P or A/R account; `None` takes the first applied document's, or the default.
    pub(crate) ledger_account: Option<i64>,
    /// `tranid`: a vendor payment's check number.
    pub(crate) number: Option<String>,
    /// `otherrefnum`: a customer payment's check number.
    pub(crate) check_number: Option<String>,
    /// Date; `None` takes today.
    pub(crate) date: Option<Date>,
    /// Currency; `None` takes the entity's.
    pub(crate) currency: Option<i64>,
    /// Units of the subsidiary's currency for one of the payment's.
    pub(crate) rate: Option<Decimal>,
    /// Memo.
    pub(crate) memo: Option<String>,
    /// External id.
    pub(crate) external_id: Option<String>,
    /// Posting period; `None` takes the date's.
    pub(crate) period: Option<i64>,
    /// A customer payment's amount. A vendor payment's is the sum of its applications less credits.
    pub(crate) amount: Option<Decimal>,
    /// What it pays.
    pub(crate) applications: Vec<Application>,
    /// Credits used in the same go: (credit, bill it is applied to with line 0, amount). They become
    /// applications of the credits, not of the payment.
    pub(crate) credits: Vec<CreditUse>,
    /// Department on the header.
    pub(crate) department: Option<i64>,
    /// Class on the header.
    pub(crate) class: Option<i64>,
    /// Location on the header.
    pub(crate) location: Option<i64>,
    /// JSON the record API keeps with the document; not shown by SuiteQL.
    pub(crate) extra: Option<String>,
}

/// A vendor credit used while paying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CreditUse {
    /// The credit.
    pub(crate) credit: i64,
    /// The bill it settles.
    pub(crate) bill: i64,
    /// How much.
    pub(crate) amount: Decimal,
}

/// A line of a journal entry: a debit or a credit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JournalLineIn {
    /// Account.
    pub(crate) account: i64,
    /// Debit, or zero.
    pub(crate) debit: Decimal,
    /// Credit, or zero.
    pub(crate) credit: Decimal,
    /// Vendor or customer: on an A/P or A/R line it makes the line something a payment can settle.
    pub(crate) entity: Option<i64>,
    /// Memo.
    pub(crate) memo: Option<String>,
    /// Department.
    pub(crate) department: Option<i64>,
    /// Class.
    pub(crate) class: Option<i64>,
    /// Location.
    pub(crate) location: Option<i64>,
    /// JSON the record API keeps with the line.
    pub(crate) extra: Option<String>,
}

/// A journal entry, whole. Its lines' ids are 1, 2, 3… in order (0 being reserved for main lines).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JournalIn {
    /// Subsidiary: required on OneWorld.
    pub(crate) subsidiary: Option<i64>,
    /// `tranid`.
    pub(crate) number: Option<String>,
    /// Date; `None` takes today.
    pub(crate) date: Option<Date>,
    /// Currency; `None` takes the subsidiary's.
    pub(crate) currency: Option<i64>,
    /// Units of the subsidiary's currency for one of the entry's.
    pub(crate) rate: Option<Decimal>,
    /// Memo.
    pub(crate) memo: Option<String>,
    /// External id.
    pub(crate) external_id: Option<String>,
    /// Posting period; `None` takes the date's.
    pub(crate) period: Option<i64>,
    /// Approved for posting.
    pub(crate) approved: bool,
    /// Lines, at least two.
    pub(crate) lines: Vec<JournalLineIn>,
    /// JSON the record API keeps with the document.
    pub(crate) extra: Option<String>,
}

/// What kind of entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum EntityKind {
    /// Table `vendor`.
    Vendor,
    /// Table `customer`.
    Customer,
}

/// A vendor or customer, whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EntityIn {
    /// What kind of entity.
    pub(crate) kind: EntityKind,
    /// Its name or number in the list, unique among entities; `None` takes company or person name.
    pub(crate) entity_id: Option<String>,
    /// Company name.
    pub(crate) company_name: Option<String>,
    /// Legal name.
    pub(crate) legal_name: Option<String>,
    /// A person: first and last name count instead of the company name.
    pub(crate) is_person: bool,
    /// First name.
    pub(crate) first_name: Option<String>,
    /// Last name.
    pub(crate) last_name: Option<String>,
    /// E-mail.
    pub(crate) email: Option<String>,
    /// Telephone.
    pub(crate) phone: Option<String>,
    /// Account number.
    pub(crate) account_number: Option<String>,
    /// Terms.
    pub(crate) terms: Option<i64>,
    /// Currency; `None` takes the primary subsidiary's.
    pub(crate) currency: Option<i64>,
    /// Category.
    pub(crate) category: Option<i64>,
    /// Payables (vendor) or receivables (customer) account.
    pub(crate) ledger_account: Option<i64>,
    /// A vendor's default expense account.
    pub(crate) expense_account: Option<i64>,
    /// Subsidiaries, the primary one first. Required on OneWorld.
    pub(crate) subsidiaries: Vec<i64>,
    /// Inactive.
    pub(crate) inactive: bool,
    /// Has login access.
    pub(crate) give_access: bool,
    /// 1099 vendor.
    pub(crate) is_1099: bool,
    /// Tax number (not shown by SuiteQL).
    pub(crate) tax_id: Option<String>,
    /// Name on checks.
    pub(crate) print_on_check_as: Option<String>,
    /// Comments.
    pub(crate) comments: Option<String>,
    /// A customer's parent.
    pub(crate) parent: Option<i64>,
    /// External id.
    pub(crate) external_id: Option<String>,
    /// Addresses, in order.
    pub(crate) addresses: Vec<AddressIn>,
    /// JSON the record API keeps with the entity.
    pub(crate) extra: Option<String>,
}

/// An entry of an address book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AddressIn {
    /// The entry's id: `None` for a new one.
    pub(crate) id: Option<i64>,
    /// Label.
    pub(crate) label: Option<String>,
    /// Default billing address.
    pub(crate) default_billing: bool,
    /// Default shipping address.
    pub(crate) default_shipping: bool,
    /// Addressee.
    pub(crate) addressee: Option<String>,
    /// Attention.
    pub(crate) attention: Option<String>,
    /// First line.
    pub(crate) line1: Option<String>,
    /// Second line.
    pub(crate) line2: Option<String>,
    /// Third line.
    pub(crate) line3: Option<String>,
    /// City.
    pub(crate) city: Option<String>,
    /// State.
    pub(crate) state: Option<String>,
    /// Postal code.
    pub(crate) zip: Option<String>,
    /// ISO 3166 alpha-2.
    pub(crate) country: Option<String>,
}

/// Whether a posting period accepts postings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PeriodState {
    /// Accepts postings.
    Open,
    /// Locked: A/P, A/R and all.
    Locked,
    /// Closed.
    Closed,
}

/// Sets the state of a posting period.
///
/// # Errors
/// When there is no such posting period.
pub(crate) fn set_period(
    connection: &Connection,
    context: &Context,
    period: i64,
    state: PeriodState,
) -> Result<(), LedgerError> {
    let closed = state == PeriodState::Closed;
    let locked = state != PeriodState::Open;
    let changed = connection.execute(
        "UPDATE accountingperiod SET closed = ?2, closedondate = ?3, aplocked = ?4, arlocked = ?4,
         alllocked = ?4, lastmodifieddate = ?5 WHERE id = ?1 AND isposting = 'T'",
        params![
            period,
            flag(closed),
            closed.then(|| context.today.to_string()),
            flag(locked),
            stamp(context.now)
        ],
    )?;
    if changed == 0 {
        return Err(LedgerError::NotFound {
            record: "accountingperiod",
            id: period,
        });
    }
    Ok(())
}

/// The id of the record of `table` with that external id, compared case-insensitively as NetSuite does.
/// Transactions share one namespace; `kind` (a `type` code) narrows the answer to one kind.
///
/// # Errors
/// When SQLite fails.
pub(crate) fn by_external_id(
    connection: &Connection,
    table: &'static str,
    kind: Option<&str>,
    external_id: &str,
) -> rusqlite::Result<Option<i64>> {
    let narrowed = if kind.is_some() {
        " AND type = ?2"
    } else {
        " AND ?2 IS NULL"
    };
    connection
        .prepare_cached(&format!(
            "SELECT id FROM \"{table}\" WHERE externalid = ?1 COLLATE NOCASE{narrowed} LIMIT 1"
        ))?
        .query_row(params![external_id, kind], |row| row.get(0))
        .optional()
}

/// The next id of a family of records (`transaction`, `entity`, or a table's name).
///
/// # Errors
/// When SQLite fails.
pub(crate) fn next_id(connection: &Connection, family: &str) -> rusqlite::Result<i64> {
    let taken = connection
        .prepare_cached("UPDATE x_counter SET value = value + 1 WHERE name = ?1 RETURNING value")?
        .query_row(params![family], |row| row.get(0))
        .optional()?;
    match taken {
        Some(value) => Ok(value),
        None => {
            connection.execute(
                "INSERT INTO x_counter (name, value) VALUES (?1, 1)",
                [family],
            )?;
            Ok(1)
        }
    }
}

/// `T` or `F`.
pub(crate) fn flag(value: bool) -> &'static str {
    if value { "T" } else { "F" }
}

/// Runs `write` in a savepoint: all of it happens or nothing.
pub(crate) fn atomically<T>(
    connection: &Connection,
    write: impl FnOnce() -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    connection.execute_batch("SAVEPOINT ledger")?;
    match write() {
        Ok(value) => {
            connection.execute_batch("RELEASE ledger")?;
            Ok(value)
        }
        Err(error) => {
            connection.execute_batch("ROLLBACK TO ledger; RELEASE ledger")?;
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests;
