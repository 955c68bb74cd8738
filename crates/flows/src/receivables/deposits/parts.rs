//! What a payout is made of, in the ledger's terms.

use tieout_domain::code::Code;
use tieout_domain::document::{
    CustomerPayment, Deposited, KeptIn, PartOf, PayoutPart, ReceiptStatus,
};
use tieout_domain::{Amount, Document, Kind, Outcome, RecordRef, RemoteId, Side, State, WaitsFor};

use super::{This, is_alone, posting, posting_needs};
use crate::Need;
use crate::receivables::payments;

/// A payout's parts, sorted by where they go.
#[derive(Default)]
pub(super) struct Parts<'a> {
    /// What the deposit takes out of undeposited funds.
    pub(super) payments: Vec<Deposited>,
    /// Those of them that another deposit has already, by what people call them.
    pub(super) taken: Vec<String>,
    /// What is booked to the account for fees.
    pub(super) fees: Vec<Line>,
    /// What passes through the clearing account.
    pub(super) cleared: Vec<Line>,
    /// Payments that have a deposit of their own.
    pub(super) alone: Vec<&'a RemoteId>,
}

/// A line of the deposit before its account is known.
pub(super) struct Line {
    pub(super) amount: Amount,
    pub(super) memo: String,
}

fn payment_of(id: &RemoteId) -> RecordRef {
    RecordRef::new(Side::Platform, Kind::CustomerPayment, id.clone())
}

pub(super) fn needs(this: &This<'_>) -> Vec<Need> {
    let payments = this.payout.payments();
    payments
        .flat_map(|(id, _)| posting_needs(this.books, &payment_of(id)))
        .collect()
}

/// What of it was deposited payment by payment.
pub(super) fn stand_alone(this: &This<'_>) -> Amount {
    let payments = this.payout.payments();
    payments
        .filter(|(id, _)| is_alone(this.books, &payment_of(id)))
        .map(|(_, amount)| amount)
        .sum()
}

/// Sorts the parts, or tells what is in the way.
pub(super) fn read<'a>(this: &'a This<'_>) -> Result<Parts<'a>, Outcome> {
    adds_up(this)?;
    let mut parts = Parts::default();
    for part in &this.payout.parts {
        place(this, part, &mut parts)?;
    }
    Ok(parts)
}

/// The platform's own sum must be right before anything is made of it.
fn adds_up(this: &This<'_>) -> Result<(), Outcome> {
    let (label, payout) = (this.label(), this.payout);
    let sum = Amount::total(payout.parts.iter().map(|part| part.amount));
    if sum.as_ref().ok() != Some(&payout.total) {
        let sum = sum.map_or_else(|_| "too much".to_owned(), |sum| sum.to_string());
        let cause = format!(
            "{label}: its parts come to {sum}, its total is {}",
            payout.total
        );
        return Err(does_not_add_up(cause));
    }
    if payout.total.is_negative() {
        return Err(below_zero(&label, payout.total.of(payout.currency)));
    }
    Ok(())
}

pub(super) fn does_not_add_up(cause: String) -> Outcome {
    Outcome::because(State::Blocked, Code::new("payout-does-not-add-up"), cause)
}

pub(super) fn below_zero(label: &str, total: tieout_domain::Money) -> Outcome {
    let cause = format!(
        "{label} comes to {total}: more was taken off than came in, and a deposit can't be below zero"
    );
    Outcome::because(State::Blocked, Code::new("payout-below-zero"), cause)
}

fn place<'a>(
    this: &'a This<'_>,
    part: &'a PayoutPart,
    parts: &mut Parts<'a>,
) -> Result<(), Outcome> {
    let cleared = |word: &str, payment: Option<&RemoteId>| Line {
        amount: part.amount,
        memo: memo(part, word, payment),
    };
    match &part.of {
        PartOf::Payment(id) => return payment(this, id, part, parts),
        PartOf::Fee => parts.fees.push(cleared("fee", None)),
        PartOf::DisputeFee => parts.fees.push(cleared("fee for a dispute", None)),
        PartOf::Refund { payment } => parts.cleared.push(cleared("refund", payment.as_ref())),
        PartOf::Failure { payment } => {
            parts
                .cleared
                .push(cleared("failed payment", payment.as_ref()));
        }
        PartOf::Chargeback { payment } => {
            parts.cleared.push(cleared("chargeback", payment.as_ref()));
        }
        PartOf::ChargebackWon { payment } => {
            parts
                .cleared
                .push(cleared("dispute that was won", payment.as_ref()));
        }
        PartOf::Adjustment => parts.cleared.push(cleared("adjustment", None)),
        PartOf::Other(word) => {
            let cause = format!(
                "{} holds `{word}` of {}, which tieout doesn't know",
                this.label(),
                part.amount
            );
            let code = Code::new("unknown-payout-part");
            return Err(Outcome::because(State::Blocked, code, cause));
        }
    }
    Ok(())
}

/// What the deposit says of a line: what it is, which payment it is of, and the platform's own words.
fn memo(part: &PayoutPart, word: &str, payment: Option<&RemoteId>) -> String {
    let mut memo = word.to_owned();
    if let Some(payment) = payment {
        memo.push_str(&format!(" of platform payment {payment}"));
    }
    match part.memo.trim() {
        "" => memo,
        words => format!("{memo}: {words}"),
    }
}

fn payment<'a>(
    this: &'a This<'_>,
    id: &'a RemoteId,
    part: &PayoutPart,
    parts: &mut Parts<'a>,
) -> Result<(), Outcome> {
    let record = payment_of(id);
    if is_alone(this.books, &record) {
        parts.alone.push(id);
        return Ok(());
    }
    let seen = this.books.record(&record);
    let Some(Document::CustomerPayment(payment)) = seen.map(|seen| &seen.document) else {
        return Err(awaited(this, &record, "was not read yet"));
    };
    if payment.currency != this.payout.currency {
        let cause = format!(
            "{} is in {}, its payment {id} in {}: book the deposit with the bank's rate",
            this.label(),
            this.payout.currency,
            payment.currency
        );
        let code = Code::new("currency-mismatch");
        return Err(Outcome::because(State::Blocked, code, cause));
    }
    let link = posting(this.books, &record);
    let go_live = this.books.preferences.receivables.go_live;
    if link.is_none() && go_live.is_some_and(|from| payment.date < from) {
        parts.cleared.push(Line {
            amount: part.amount,
            memo: format!("before go-live: platform payment {id} of {}", payment.date),
        });
        return Ok(());
    }
    let there = link.and_then(|link| Some((link, this.books.record(&link.target)?)));
    match there.filter(|(_, seen)| !seen.gone) {
        Some((link, seen)) => match &seen.document {
            Document::CustomerPayment(there) => {
                posted(this, id, part, (&link.target, there), parts)
            }
            _ => Err(awaited(this, &record, "is no payment in the ledger")),
        },
        None => Err(awaited(this, &record, "is not posted")),
    }
}

fn awaited(this: &This<'_>, payment: &RecordRef, why: &str) -> Outcome {
    let cause = format!(
        "{} holds the payment {}, which {why}",
        this.label(),
        payment.id
    );
    let outcome = Outcome::because(State::Hold, Code::new("waits-for-payment"), cause);
    outcome.until(WaitsFor::Link(payments::NAME.to_owned(), payment.clone()))
}

/// A payment that is posted: taken out of undeposited funds, unless it was taken out of the books before.
fn posted(
    this: &This<'_>,
    id: &RemoteId,
    part: &PayoutPart,
    (target, there): (&RecordRef, &CustomerPayment),
    parts: &mut Parts<'_>,
) -> Result<(), Outcome> {
    if there.status == ReceiptStatus::Voided {
        parts.cleared.push(Line {
            amount: part.amount,
            memo: format!("platform payment {id}, voided before it was deposited"),
        });
        return Ok(());
    }
    if there.total != part.amount {
        let cause = format!(
            "{} holds {} for the payment {id}, which is {} in the ledger",
            this.label(),
            part.amount,
            there.total.of(there.currency)
        );
        return Err(does_not_add_up(cause));
    }
    // It lies among undeposited funds once: tried again after it failed, it comes and goes by way of the clearing account.
    if parts.payments.iter().any(|it| it.payment == target.id) {
        let net = net_of(this, id);
        if net != Some(there.total) {
            let cause = format!(
                "{} holds the payment {id} more than once, and its parts don't come to {} in all",
                this.label(),
                there.total.of(there.currency)
            );
            return Err(does_not_add_up(cause));
        }
        parts.cleared.push(Line {
            amount: part.amount,
            memo: format!("platform payment {id}, once more"),
        });
        return Ok(());
    }
    let waits = there.status == ReceiptStatus::Received
        && !matches!(there.kept_in, Some(KeptIn::Account(_)));
    if !waits {
        parts.taken.push(there.label());
    }
    parts.payments.push(Deposited {
        payment: target.id.clone(),
        amount: there.total,
    });
    Ok(())
}

/// How often a payment arrives with a payout, as money, without the times it failed. What of it is refunded or disputed
/// goes by way of the clearing account in any case.
fn net_of(this: &This<'_>, id: &RemoteId) -> Option<Amount> {
    let parts = this.payout.parts.iter().filter(|part| match &part.of {
        PartOf::Payment(payment) => payment == id,
        PartOf::Failure { payment } => payment.as_ref() == Some(id),
        _ => false,
    });
    Amount::total(parts.map(|part| part.amount)).ok()
}
