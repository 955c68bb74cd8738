//! How the differences of one of the two books are told apart. The arithmetic around it is the same for both.

use tieout_domain::subledger::Book;
use tieout_domain::{Amount, Date, MoneyError};

use super::clearing::ClearingLeg;
use super::input::{Effect, Input, Pair, Scope};
use super::payables::Payables;
use super::receivables::Receivables;
use super::{Category, Leg};

/// The rules of a book.
pub(super) trait Rules {
    /// What the report calls the platform's open items, and where money waits: the figures `B`, `C` and `K` of
    /// payables.
    fn symbols(&self) -> Symbols;

    /// What a leg holds against what, where the book has its own word for it.
    fn title(&self, leg: Leg) -> &'static str {
        leg.title()
    }

    /// Why a document is open in the ledger and not there on the platform.
    fn only_in_ledger(&self, pair: &Pair, day: Date, grace: i64) -> Category;

    /// Why a document is open on the platform and not in the ledger.
    fn only_on_platform(&self, pair: &Pair, day: Date, grace: i64) -> Category;

    /// Why a linked pair comes to different totals: by so much the ledger's is more.
    fn differing_totals(&self, pair: &Pair, more: Amount, day: Date, grace: i64) -> Category;

    /// Why one side counts a payment or an application and the other doesn't.
    fn effect(&self, effect: &Effect, day: Date, grace: i64) -> Category;

    /// Since when such a difference waits.
    fn waits_since(&self, effect: &Effect) -> Date {
        effect.date
    }

    /// Leg 3: where money waits, against what is known to be under way.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] if a sum has more than 28 digits.
    fn clearing(&self, input: &Input) -> Result<ClearingLeg, MoneyError>;

    /// What the report must say of itself.
    fn notice(&self, scope: &Scope) -> Option<String>;
}

/// The names of a book's figures.
pub(super) struct Symbols {
    pub(super) platform: &'static str,
    pub(super) clearing: &'static str,
    pub(super) expected: &'static str,
    /// What `expected` is.
    pub(super) under_way: &'static str,
}

/// The rules of this book.
pub(super) fn rules(book: Book) -> &'static dyn Rules {
    match book {
        Book::Payables => &Payables,
        Book::Receivables => &Receivables,
    }
}

/// How many days ago, at the end of the day reported on.
pub(super) fn age(date: Date, day: Date) -> i64 {
    date.until(day)
        .map_or(0, |span| i64::from(span.get_days()))
        .max(0)
}
