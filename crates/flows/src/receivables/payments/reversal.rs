//! Taking a payment out of the books again, with a link and never by deleting it (scenarios 188, 190, 192).
//!
//! What has reached a bank account is un-applied first, so that the invoices are open again, and then paid back by a
//! customer refund out of the same account. What is still among undeposited funds no refund can be paid from: a person
//! voids it, and it then counts as reversed.

use tieout_domain::code::Code;
use tieout_domain::document::{
    Application, ChargeRefund, CustomerRefund, KeptIn, PaymentUse, ReceiptStatus,
};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Kind, Outcome, RecordRef, RemoteId, Side, State};

use super::posted::Posted;
use super::{NAME, REVERSAL, credited};
use crate::period::{self, Book};
use crate::receivables::account;
use crate::verdict::{blocked, rest};
use crate::{Step, Verdict};

/// A reversal that was made stands, whatever the platform says of the payment since.
pub(super) fn standing(at: &Posted<'_>) -> Option<Verdict> {
    let link = at.this.books.link(NAME, at.this.record, REVERSAL)?;
    let label = at.this.label();
    let there = at.this.books.record(&link.target).filter(|seen| !seen.gone);
    Some(if there.is_some() {
        rest(
            State::Reversed,
            Code::new("reversed"),
            format!("{label} was taken out of the books by {}", link.target.id),
        )
    } else {
        let cause = format!("the reversal of {label} was deleted in the ledger");
        blocked(Code::new("reversal-deleted"), cause)
    })
}

/// Takes the whole payment out of the books.
pub(super) fn decide(at: &Posted<'_>) -> Verdict {
    let label = at.this.label();
    if let Err(why) = period::applications_may_move(Book::Receivables, at.there.date, at.this.books)
    {
        let cause = format!("{label} is to be reversed: {why}");
        return blocked(Code::new("reversal-forbidden"), cause);
    }
    let undeposited = at.there.kept_in == Some(KeptIn::UndepositedFunds);
    if undeposited && at.there.status == ReceiptStatus::Received {
        let cause = format!(
            "{label} of {} was undone on the platform and is among undeposited funds: void it in the ledger",
            at.there.total.of(at.there.currency)
        );
        return blocked(Code::new("reverse-by-hand"), cause);
    }
    // While the memory of what was written still tells which they are.
    if let Some(verdict) = credited::freed(at.this, at.link) {
        return verdict;
    }
    // What was refunded has gone back already, and must not go back twice.
    let left = at.there.total.minus(paid_back(at)).unwrap_or_default();
    if !at.there.uses.is_empty() {
        let mut free = at.there.clone();
        free.uses.clear();
        free.unapplied = free.total;
        return at.amend(
            free,
            "it was undone on the platform: its invoices are open again",
        );
    }
    if !left.is_positive() {
        let cause =
            format!("{label} was undone on the platform, and all of it was refunded before");
        return rest(State::Reversed, Code::new("reversed"), cause);
    }
    pay_back(at, REVERSAL, left, &at.this.key().with("rev"))
}

/// The refunds of a charge (scenario 190), each once.
pub(super) fn refunds(at: &Posted<'_>) -> Option<Verdict> {
    let charge = at.this.payment.charge.as_ref()?;
    let succeeded = charge.refunds.iter().filter(|refund| refund.succeeded);
    succeeded
        .filter(|refund| {
            let role = role(refund);
            at.this.books.link(NAME, at.this.record, &role).is_none()
        })
        .map(|refund| refund_of(at, refund))
        .next()
}

fn role(refund: &ChargeRefund) -> String {
    format!("refund-{}", refund.id)
}

/// What was paid back must be free first: which invoice is open again, or which credit memo it is, is a person's
/// choice where nothing is on account.
fn refund_of(at: &Posted<'_>, refund: &ChargeRefund) -> Verdict {
    let free_now = on_account(at);
    if free_now < refund.amount {
        let code = Code::new("refund-applied");
        if !at.this.accepted(&code) {
            let cause = format!(
                "{} of {} was refunded on {}, and {} of it is on account: un-apply it or issue a credit memo",
                refund.amount.of(at.this.payment.currency),
                at.this.label(),
                refund.date,
                free_now
            );
            return blocked(code, cause);
        }
        return free(at, refund.amount.minus(free_now).unwrap_or_default());
    }
    let key = at.this.key().with("refund").with(refund.id.as_str());
    pay_back(at, &role(refund), refund.amount, &key)
}

/// What of it is on account, less refunds that were made and that the ledger's payment doesn't show yet.
fn on_account(at: &Posted<'_>) -> Amount {
    let cash = at.there.uses.iter().filter(|part| part.of.is_cash());
    let used: Amount = cash.map(|part| part.amount).sum();
    let kept = used.plus(at.there.unapplied).unwrap_or_default();
    let shown = at.there.total.minus(kept).unwrap_or_default();
    let unseen = paid_back(at).minus(shown).unwrap_or_default();
    let left = at.there.unapplied.minus(unseen.max(Amount::ZERO));
    left.unwrap_or_default().max(Amount::ZERO)
}

/// Un-applies what is short of what is to be paid back, the last invoice first.
fn free(at: &Posted<'_>, short: Amount) -> Verdict {
    let mut wanted = at.there.clone();
    take_off(&mut wanted.uses, short);
    wanted.unapplied = wanted.unapplied.plus(short).unwrap_or(wanted.unapplied);
    at.amend(wanted, "a part of it was refunded")
}

/// Takes this much cash off what a payment is used for, the last invoice first.
pub(super) fn take_off(uses: &mut Vec<PaymentUse>, amount: Amount) {
    let mut short = amount;
    for part in uses.iter_mut().rev().filter(|part| part.of.is_cash()) {
        let taken = part.amount.min(short);
        part.amount = part.amount.minus(taken).unwrap_or_default();
        short = short.minus(taken).unwrap_or_default();
    }
    uses.retain(|part| !part.amount.is_zero());
}

/// How much of a payment was paid back in the ledger.
pub(super) fn paid_back(at: &Posted<'_>) -> Amount {
    let charge = at.this.payment.charge.iter();
    let refunds = charge.flat_map(|charge| &charge.refunds);
    refunds
        .filter(|refund| {
            let role = role(refund);
            at.this.books.link(NAME, at.this.record, &role).is_some()
        })
        .map(|refund| refund.amount)
        .sum()
}

/// The account that pays it back: where it is kept, or where it went from undeposited funds. A platform that pays out takes
/// it off a payout, by way of the clearing account.
fn paid_from(at: &Posted<'_>) -> Result<RemoteId, Outcome> {
    let books = at.this.books;
    if let Some(KeptIn::Account(account)) = &at.there.kept_in {
        return Ok(account.clone());
    }
    if books.connection.ways.pays_out {
        return account::clearing(books, &at.this.label());
    }
    let bank = &books.preferences.receivables.bank_account;
    account::named(books, bank).ok_or_else(|| {
        let cause = format!(
            "{} has left undeposited funds: the account that pays it back isn't chosen",
            at.this.label()
        );
        Outcome::because(State::Blocked, Code::new("bank-account-missing"), cause)
    })
}

fn pay_back(at: &Posted<'_>, role: &str, amount: Amount, key: &tieout_domain::Key) -> Verdict {
    let this = at.this;
    let (Some(customer), Some(posting)) = (
        at.there.customer.clone(),
        period::of_reversal(Book::Receivables, at.there.date, this.books),
    ) else {
        let cause = format!("{}: no period is open for paying it back", this.label());
        return blocked(Code::new("reversal-forbidden"), cause);
    };
    let account = match paid_from(at) {
        Ok(account) => account,
        Err(outcome) => return Verdict::Rest(outcome),
    };
    let payment = RecordRef::new(
        Side::Ledger,
        Kind::CustomerPayment,
        at.link.target.id.clone(),
    );
    Verdict::Write(Box::new(Step {
        side: Side::Ledger,
        action: Action::Create,
        role: role.to_owned(),
        target: None,
        document: Document::CustomerRefund(CustomerRefund {
            customer,
            number: String::new(),
            date: posting.date,
            currency: at.there.currency,
            total: amount,
            applications: vec![Application {
                document: payment.id,
                line: None,
                amount,
                discount: Amount::ZERO,
                credits: Vec::new(),
            }],
            method: at.there.method.clone(),
            account: Some(account),
            receivables_account: at.there.receivables_account.clone(),
            subsidiary: at.there.subsidiary.clone(),
            period: posting.period,
            memo: format!("Pays back platform payment {}", this.record.id),
            voided: false,
            external_id: Some(key.clone()),
        }),
        expect: None,
        key: key.clone(),
        because: "the money went back to the customer".to_owned(),
    }))
}
