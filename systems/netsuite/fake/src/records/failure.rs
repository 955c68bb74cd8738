//! The ledger's refusals in NetSuite's own words (README, section *Errors*).

use super::RecordType;
use crate::NetSuiteFake;
use crate::ledger::LedgerError;
use crate::problem::Problem;

/// Why a write was refused: by the body's form, or by the books.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The body can't be meant.
    Form(Problem),
    /// The books refuse it.
    Books(LedgerError),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Form(problem)
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        Self::Books(error)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Books(LedgerError::Store(error))
    }
}

/// An internal failure of the store.
pub(crate) fn store(error: &rusqlite::Error) -> Problem {
    Problem::unexpected(&error.to_string())
}

impl Refusal {
    /// The answer.
    pub(crate) fn told(self, fake: &NetSuiteFake, record: &RecordType) -> Problem {
        match self {
            Self::Form(problem) => problem,
            Self::Books(error) => books(&error, fake, record),
        }
    }
}

fn books(error: &LedgerError, fake: &NetSuiteFake, record: &RecordType) -> Problem {
    let quirks = fake.quirks();
    match error {
        LedgerError::NoSuch { field, record, id } => match *record {
            "vendor" | "customer" | "entity" => {
                Problem::content(*field, format!("Invalid entity reference key {id}."))
            }
            _ => Problem::content(
                *field,
                format!("Invalid Field Value {id} for the following field: {field}"),
            ),
        },
        LedgerError::Missing(field) => {
            Problem::user(format!("Please enter value(s) for: {}", label(field)))
        }
        LedgerError::Invalid { field, message } => Problem::content(
            *field,
            format!("Invalid Field Value for the following field: {field}. {message}"),
        ),
        LedgerError::NoPeriod(_) | LedgerError::PeriodClosed(_) => {
            Problem::user(quirks.closed_period)
        }
        LedgerError::PeriodLocked(_) => Problem::user(quirks.locked_period),
        LedgerError::DuplicateExternalId(_) => Problem::user(if record.is_transaction() {
            quirks.duplicate_external_id
        } else {
            "This entity already exists.".to_owned()
        }),
        LedgerError::DuplicateName(_) => Problem::user("This entity already exists."),
        LedgerError::NotApplicable { doc, line } => Problem::user(format!(
            "Unable to find a matching line for sub-list apply with key [doc,line] and value [{doc},{line}]."
        )),
        LedgerError::OverApplied { due, amount, .. } => Problem::user(format!(
            "You cannot apply more than the amount due. Amount due: {due}, amount applied: {amount}."
        )),
        LedgerError::OverUsed { available, applied } => Problem::user(format!(
            "The amount applied ({applied}) exceeds the amount available ({available})."
        )),
        LedgerError::NotInSubsidiary {
            record,
            id,
            subsidiary,
        } => Problem::user(match *record {
            "vendor" | "customer" | "entity" => {
                format!("Invalid entity reference key {id} for subsidiary {subsidiary}.")
            }
            name => format!("Invalid {name} reference key {id} for subsidiary {subsidiary}."),
        }),
        LedgerError::Unbalanced { debits, credits } => Problem::user(format!(
            "The amounts of debits ({debits}) and credits ({credits}) in your journal entry do not balance."
        )),
        LedgerError::InUse { .. } => {
            Problem::user("This record cannot be deleted because it has dependent records.")
        }
        LedgerError::NotFound { .. } if record.is_transaction() => super::wrong_transaction(),
        LedgerError::NotFound { .. } => Problem::missing(
            "The record instance does not exist. Provide a valid record instance ID.",
        ),
        LedgerError::Store(error) => store(error),
    }
}

/// A field's name as the pages show it: `tranDate` → `Tran Date`, `subsidiary` → `Subsidiary`.
fn label(field: &str) -> String {
    let mut label = String::with_capacity(field.len() + 4);
    for (position, letter) in field.chars().enumerate() {
        if position == 0 {
            label.extend(letter.to_uppercase());
        } else {
            if letter.is_uppercase() {
                label.push(' ');
            }
            label.push(letter);
        }
    }
    label
}
