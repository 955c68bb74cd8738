//! Where a customer's payment is kept in the ledger: chosen by method and currency before the first one is
//! written.

use tieout_domain::code::Code;
use tieout_domain::document::{KeptIn, ReceiptMethod};
use tieout_domain::{Outcome, RemoteId, State};

use super::This;
use crate::Need;
use crate::receivables::account;

/// The word for undeposited funds.
const UNDEPOSITED: &str = "undeposited";

/// The place that the first fitting rule names: `ach:USD=1000` before `ach=…`, that before `*:USD=…`, and what
/// names neither last.
fn rule<'a>(this: &'a This<'_>) -> Option<&'a str> {
    let rules = &this.books.preferences.receivables.deposit_accounts;
    let method = word(&this.payment.method);
    let currency = this.payment.currency.code();
    let wanted = [
        format!("{method}:{currency}"),
        method.to_owned(),
        format!("*:{currency}"),
        "*".to_owned(),
    ];
    let split = |rule: &'a String| match rule.split_once('=') {
        Some((when, place)) => (when.trim(), place.trim()),
        None => ("*", rule.trim()),
    };
    wanted.iter().find_map(|wanted| {
        let fits =
            |(when, place): &(&str, &str)| when.eq_ignore_ascii_case(wanted) && !place.is_empty();
        rules.iter().map(split).find(fits).map(|(_, place)| place)
    })
}

/// The word for a method in a rule.
fn word(method: &ReceiptMethod) -> &str {
    match method {
        ReceiptMethod::Ach => "ach",
        ReceiptMethod::Check => "check",
        ReceiptMethod::Card => "card",
        ReceiptMethod::Cash => "cash",
        ReceiptMethod::Wire => "wire",
        ReceiptMethod::DirectDebit => "direct-debit",
        ReceiptMethod::PayPal => "paypal",
        ReceiptMethod::Other(word) => word,
    }
}

pub(super) fn needs(this: &This<'_>) -> Vec<Need> {
    let place = rule(this).filter(|place| !place.eq_ignore_ascii_case(UNDEPOSITED));
    place.and_then(account::needs).into_iter().collect()
}

/// Where the money is kept, once all accounts that it will pass are chosen: where the platform pays out, the one that
/// payouts arrive in too.
pub(super) fn chosen(this: &This<'_>) -> Result<KeptIn, Outcome> {
    let place = place(this)?;
    let books = this.books;
    if books.connection.ways.pays_out {
        account::bank(books, &this.label())?;
    }
    Ok(place)
}

/// Where the money is kept, or the choice that is missing.
fn place(this: &This<'_>) -> Result<KeptIn, Outcome> {
    let Some(place) = rule(this) else {
        let cause = format!(
            "{} came by {} in {}: nobody has chosen where the ledger keeps such payments",
            this.label(),
            this.payment.method.as_str(),
            this.payment.currency
        );
        let code = Code::new("deposit-account-missing");
        return Err(
            Outcome::because(State::Blocked, code, cause).grouped("deposit-account-missing")
        );
    };
    if place.eq_ignore_ascii_case(UNDEPOSITED) {
        return Ok(KeptIn::UndepositedFunds);
    }
    let account = account::named(this.books, place);
    Ok(KeptIn::Account(
        account.unwrap_or_else(|| RemoteId::from(place)),
    ))
}
