//! The deposit of a payout, and one that somebody made of it by hand.

use tieout_domain::code::Code;
use tieout_domain::document::{Deposit, DepositLine, Deposited};
use tieout_domain::{Amount, Document, Money, Outcome, RecordRef, State};

use super::parts::{Line, Parts, below_zero, does_not_add_up, stand_alone};
use super::{NAME, This};
use crate::period::{self, Book};
use crate::receivables::account;
use crate::text::{LEDGER_MEMO_MAX, cut};

/// The deposit, `None` where nothing is left for one, or what is in the way.
pub(super) fn document(this: &This<'_>, parts: Parts<'_>) -> Result<Option<Deposit>, Outcome> {
    let (label, books) = (this.label(), this.books);
    if let Some(payment) = parts.taken.first() {
        let cause = format!(
            "{label} holds {} that are deposited otherwise, {payment} first",
            match parts.taken.len() {
                1 => "a payment".to_owned(),
                several => format!("{several} payments"),
            }
        );
        let code = Code::new("payment-already-deposited");
        return Err(Outcome::because(State::Blocked, code, cause));
    }
    let account = account::bank(books, &label)?;
    let posting = period::of_posting(Book::Receivables, &label, this.payout.date, books)?;
    let lines = lines(this, &parts)?;
    if parts.payments.is_empty() && lines.is_empty() {
        return Ok(None);
    }
    let total = total(this, &parts.payments, &lines)?;
    let memo = memo(this, &parts, posting.moved_from.is_some());
    Ok(Some(Deposit {
        number: String::new(),
        date: posting.date,
        currency: this.payout.currency,
        account,
        payments: parts.payments,
        lines,
        total,
        memo,
        subsidiary: books.connection.subsidiary.clone(),
        period: posting.period,
        external_id: Some(this.key()),
    }))
}

fn lines(this: &This<'_>, parts: &Parts<'_>) -> Result<Vec<DepositLine>, Outcome> {
    let (label, books) = (this.label(), this.books);
    let there = |lines: &[Line]| lines.iter().any(|line| !line.amount.is_zero());
    let mut found = Vec::new();
    if there(&parts.fees) {
        let named = &books.preferences.receivables.fee_account;
        let code = Code::new("fee-account-missing");
        let account = account::chosen(books, named, code, &label, "for the platform's fees")?;
        found.extend(parts.fees.iter().map(|line| (account.clone(), line)));
    }
    if there(&parts.cleared) {
        let account = account::clearing(books, &label)?;
        found.extend(parts.cleared.iter().map(|line| (account.clone(), line)));
    }
    let lines = found.into_iter().filter(|(_, line)| !line.amount.is_zero());
    Ok(lines
        .map(|(account, line)| DepositLine {
            account,
            amount: line.amount,
            party: None,
            memo: cut(&line.memo, LEDGER_MEMO_MAX),
        })
        .collect())
}

/// What the deposit comes to, which must be what arrived, less what was deposited before.
fn total(
    this: &This<'_>,
    payments: &[Deposited],
    lines: &[DepositLine],
) -> Result<Amount, Outcome> {
    let alone = stand_alone(this);
    let payments = payments.iter().map(|payment| payment.amount);
    let sum = Amount::total(payments.chain(lines.iter().map(|line| line.amount)));
    let sum = sum.ok().filter(|sum| Some(*sum) == this.net());
    let Some(total) = sum else {
        let cause = format!(
            "{}: its deposit would not come to what arrived, {}",
            this.label(),
            this.payout.total.of(this.payout.currency)
        );
        return Err(does_not_add_up(cause));
    };
    if total.is_negative() {
        let currency = this.payout.currency;
        return Err(if alone.is_zero() {
            below_zero(&this.label(), total.of(currency))
        } else {
            left_below_zero(this, alone.of(currency), total.of(currency))
        });
    }
    Ok(total)
}

/// What is left beside payments that were deposited by themselves is fees, or what went back: the bank account holds more
/// than arrived, and a deposit takes nothing out of it.
fn left_below_zero(this: &This<'_>, alone: Money, left: Money) -> Outcome {
    let cause = format!(
        "{} of {}: {alone} were deposited payment by payment, so that {left} is left, and a deposit can't be below zero: \
         take it out of the bank account by hand",
        this.label(),
        this.payout.total.of(this.payout.currency)
    );
    Outcome::because(State::Blocked, Code::new("payout-below-zero"), cause)
}

fn memo(this: &This<'_>, parts: &Parts<'_>, moved: bool) -> String {
    let mut memo = format!("Platform payout {}", this.record.id);
    if moved {
        memo.push_str(&format!(", arrived on {}", this.payout.date));
    }
    if !parts.alone.is_empty() {
        let alone: Vec<_> = parts.alone.iter().map(|id| id.as_str()).collect();
        memo.push_str(&format!(
            "; {} of {} deposited by itself: {}",
            super::parts::stand_alone(this),
            this.payout.total,
            alone.join(", ")
        ));
    }
    cut(&memo, LEDGER_MEMO_MAX)
}

/// A deposit of exactly these payments and this total that nobody else has.
pub(super) fn made_by_hand<'a>(this: &'a This<'_>, parts: &Parts<'_>) -> Option<&'a RecordRef> {
    let wanted = sorted(&parts.payments);
    if wanted.is_empty() {
        return None;
    }
    let found = this.books.matching.get(&this.same_total());
    found.into_iter().flatten().find(|record| {
        let seen = this.books.record(record).filter(|seen| !seen.gone);
        let Some(Document::Deposit(deposit)) = seen.map(|seen| &seen.document) else {
            return false;
        };
        let mut links = this.books.links_to(record).iter();
        let free = !links.any(|link| link.flow == NAME);
        free && Some(deposit.total) == this.net()
            && deposit.currency == this.payout.currency
            && sorted(&deposit.payments) == wanted
    })
}

fn sorted(payments: &[Deposited]) -> Vec<Deposited> {
    let mut payments = payments.to_vec();
    payments.sort();
    payments
}
