//! The ledger's accounts that preferences name, by number or by id.

use tieout_domain::code::Code;
use tieout_domain::{Kind, Outcome, RemoteId, Side, State};

use crate::matching::account_number_key;
use crate::{Books, Need};

/// What must be loaded to find it.
pub(super) fn needs(text: &str) -> Option<Need> {
    let key = account_number_key(text)?;
    Some(Need::Matching(Side::Ledger, Kind::Account, key))
}

/// The account of this number, else of this id; `None` where the preference is empty.
pub(super) fn named(books: &Books, text: &str) -> Option<RemoteId> {
    let text = text.trim();
    let key = account_number_key(text)?;
    let found = books.matching.get(&(Side::Ledger, Kind::Account, key));
    let by_number = found.and_then(|found| found.first());
    Some(by_number.map_or_else(|| RemoteId::from(text), |it| it.id.clone()))
}

/// The account that payouts arrive in.
pub(super) fn bank(books: &Books, label: &str) -> Result<RemoteId, Outcome> {
    let named = &books.preferences.receivables.bank_account;
    let code = Code::new("bank-account-missing");
    chosen(books, named, code, label, "that payouts arrive in")
}

/// The account through which passes what a platform nets off its payouts.
pub(super) fn clearing(books: &Books, label: &str) -> Result<RemoteId, Outcome> {
    let named = &books.preferences.receivables.clearing_account;
    let code = Code::new("clearing-account-missing");
    chosen(books, named, code, label, "for what is netted off payouts")
}

/// The account that a preference names, or the choice that is missing.
pub(super) fn chosen(
    books: &Books,
    named: &str,
    code: Code,
    label: &str,
    what: &str,
) -> Result<RemoteId, Outcome> {
    self::named(books, named).ok_or_else(|| {
        let cause = format!("{label}: nobody has chosen the account {what}");
        let group = code.as_str().to_owned();
        Outcome::because(State::Blocked, code, cause).grouped(group)
    })
}
