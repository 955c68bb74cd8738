//! The account of the ledger that a payment's money leaves (scenarios 125, 127, 129, 162).

use tieout_domain::code::Code;
use tieout_domain::document::{AccountKind, Payment};
use tieout_domain::{Document, Kind, Outcome, RecordRef, RemoteId, Side, State, WaitsFor};

use super::This;
use super::posting::{platform, stop};
use crate::matching::account_number_key;
use crate::{Books, Need};

/// What must be loaded to know the account.
pub(super) fn needs(this: &This<'_>) -> Vec<Need> {
    let books = this.books;
    let mut needs = Vec::new();
    if let Some(funding) = &this.payment.funding {
        needs.push(Need::Record(platform(Kind::FundingAccount, &funding.id)));
    }
    let id = funding_id(this.payment);
    if let Some(account) = books.maps.confirmed(Kind::FundingAccount, &id) {
        needs.push(Need::Record(RecordRef::new(
            Side::Ledger,
            Kind::Account,
            account.clone(),
        )));
    }
    if let Some(text) = &books.preferences.transactions.payment_account {
        needs.push(Need::Record(RecordRef::new(
            Side::Ledger,
            Kind::Account,
            text.trim(),
        )));
        if let Some(key) = account_number_key(text) {
            let place = (Side::Ledger, Kind::Account, key);
            needs.extend(
                books
                    .matching
                    .get(&place)
                    .into_iter()
                    .flatten()
                    .cloned()
                    .map(Need::Record),
            );
            needs.push(Need::Matching(place.0, place.1, place.2));
        }
    }
    needs
}

/// The id under which a payment's source of money is mapped: `offline` for what never went through the
/// platform (scenario 125).
fn funding_id(payment: &Payment) -> RemoteId {
    match &payment.funding {
        _ if payment.outside => RemoteId::from("offline"),
        Some(funding) => funding.id.clone(),
        None => RemoteId::from("unknown"),
    }
}

/// The account of the ledger that the money leaves (scenarios 127, 129, 162).
pub(super) fn account(this: &This<'_>) -> Result<RemoteId, Outcome> {
    let (label, payment, books) = (this.label(), this.payment, this.books);
    let id = funding_id(payment);
    let bank = payment
        .funding
        .as_ref()
        .is_none_or(|funding| funding.funding_kind == "BANK_ACCOUNT");
    let account = match books.maps.confirmed(Kind::FundingAccount, &id) {
        Some(account) => Some(account.clone()),
        None if payment.outside || !bank => None,
        None => preferred_account(books),
    };
    let record = account
        .as_ref()
        .map(|id| RecordRef::new(Side::Ledger, Kind::Account, id.clone()));
    let seen = record
        .as_ref()
        .and_then(|record| books.record(record))
        .filter(|seen| !seen.gone);
    let Some((account_id, Some(Document::Account(account)))) =
        account.map(|id| (id, seen.map(|seen| &seen.document)))
    else {
        let name = payment.funding.as_ref().and_then(|funding| {
            let record = platform(Kind::FundingAccount, &funding.id);
            books.record(&record).map(|seen| seen.document.label())
        });
        let cause = format!(
            "{label} comes from {}, for which no account of the ledger is named",
            name.unwrap_or_else(|| format!("funding account {id}"))
        );
        return Err(
            stop(State::Blocked, Code::new("payment-account-missing"), cause)
                .grouped(format!("payment-account-missing:{id}"))
                .until(WaitsFor::Map(Kind::FundingAccount.as_str().into(), id)),
        );
    };
    let fits = matches!(
        account.account_kind,
        AccountKind::Bank | AccountKind::CreditCard
    );
    if !fits || account.inactive || account.summary {
        let cause = format!(
            "{label} would be posted from {}, which is {}no bank or card account that can be posted to",
            account.label(),
            if account.inactive { "inactive or " } else { "" }
        );
        return Err(stop(State::Blocked, Code::new("wrong-account-type"), cause)
            .grouped(format!("wrong-account-type:{account_id}")));
    }
    Ok(account_id)
}

/// The preference's account: by its number, else by its id.
fn preferred_account(books: &Books) -> Option<RemoteId> {
    let text = books
        .preferences
        .transactions
        .payment_account
        .as_deref()?
        .trim();
    let key = (Side::Ledger, Kind::Account, account_number_key(text)?);
    let numbered: Vec<_> = books
        .matching
        .get(&key)
        .into_iter()
        .flatten()
        .filter(|record| books.record(record).is_some_and(|seen| !seen.gone))
        .collect();
    match numbered.as_slice() {
        [one] => Some(one.id.clone()),
        _ => Some(RemoteId::from(text)),
    }
}
