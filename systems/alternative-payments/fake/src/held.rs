//! What the service holds for the partner: every movement of money, and those that wait for a payout.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::account::Account;
use crate::fees::{self, Fee};
use crate::json::Json;
use crate::money::number;
use crate::pages;
use crate::table::{Record as _, Stamp, Table, record};

/// Why money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Payment,
    Refund,
    /// A payment failed after it had succeeded.
    Failure,
    Chargeback,
    ChargebackReversal,
    DisputeFee,
    Adjustment,
}

impl Cause {
    fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Failure => "failure",
            Self::Chargeback => "chargeback",
            Self::ChargebackReversal => "chargeback_reversal",
            Self::DisputeFee => "dispute_fee",
            Self::Adjustment => "adjustment",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Payment => "Payment",
            Self::Refund => "Refund",
            Self::Failure => "Returned payment",
            Self::Chargeback => "Chargeback",
            Self::ChargebackReversal => "Chargeback won",
            Self::DisputeFee => "Dispute fee",
            Self::Adjustment => "Adjustment",
        }
    }
}

/// One movement of money.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(crate) stamp: Stamp,
    pub(crate) cause: Cause,
    payment: Option<String>,
    refund: Option<String>,
    /// With its sign, as it adds to a payout.
    pub(crate) amount: Decimal,
    /// What the service keeps of it.
    pub(crate) fees: Vec<Fee>,
    description: String,
}

record!(Transaction, "txn");

/// Everything that moved, and what happens next by itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    pub(crate) transactions: Table<Transaction>,
    /// Transactions that no payout has, or only one that came to nothing.
    pub(crate) waiting: Vec<String>,
    /// When which payment under way succeeds.
    pub(crate) under_way: BTreeSet<(Timestamp, String)>,
    /// When which payout arrives.
    pub(crate) arriving: BTreeSet<(Timestamp, String)>,
    /// When something last began to wait: the next payout is made after that.
    pub(crate) since: Option<Timestamp>,
}

impl Held {
    /// These transactions, without those that are not there.
    pub(crate) fn of<'a>(&'a self, ids: &'a [String]) -> impl Iterator<Item = &'a Transaction> {
        ids.iter().filter_map(|id| self.transactions.get(id))
    }
}

/// What transactions come to once the service has kept its fees.
pub(crate) fn net<'a>(transactions: impl Iterator<Item = &'a Transaction>) -> Decimal {
    let net = |one: &Transaction| one.amount - fees::sum(&one.fees, false);
    transactions.map(net).sum()
}

/// Takes note that the money of a payment moved.
pub(crate) fn add(account: &mut Account, cause: Cause, payment: &str, refund: Option<&str>) {
    let Some(there) = account.payments.get(payment) else {
        return;
    };
    let amount = match cause {
        Cause::Payment | Cause::ChargebackReversal | Cause::Adjustment => there.sub_total,
        Cause::Refund | Cause::Failure | Cause::Chargeback => -there.sub_total,
        Cause::DisputeFee => -fees::DISPUTE,
    };
    let fees = match cause {
        Cause::Payment => there.fees.clone(),
        _ => Vec::new(),
    };
    let transaction = Transaction {
        stamp: account.stamp::<Transaction>(),
        cause,
        payment: Some(payment.to_owned()),
        refund: refund.map(str::to_owned),
        amount,
        fees,
        description: cause.description().to_owned(),
    };
    enter(account, transaction);
}

/// Takes note of a movement without a payment.
pub(crate) fn adjust(account: &mut Account, amount: Decimal, description: Option<&str>) {
    let transaction = Transaction {
        stamp: account.stamp::<Transaction>(),
        cause: Cause::Adjustment,
        payment: None,
        refund: None,
        amount,
        fees: Vec::new(),
        description: description
            .unwrap_or(Cause::Adjustment.description())
            .to_owned(),
    };
    enter(account, transaction);
}

fn enter(account: &mut Account, transaction: Transaction) {
    account.held.since = Some(transaction.stamp.created_at);
    account.held.waiting.push(transaction.stamp.id.clone());
    account.held.transactions.insert(transaction);
}

impl Transaction {
    /// The payment that it is about.
    pub(crate) fn payment(&self) -> Option<&str> {
        self.payment.as_deref()
    }

    /// As a payout's list has it.
    pub(crate) fn show(&self) -> Json {
        Json::whole([
            ("id", self.id().into()),
            ("type", self.cause.name().into()),
            ("payment_id", self.payment.as_deref().into()),
            ("refund_id", self.refund.as_deref().into()),
            ("amount", number(self.amount)),
            ("description", self.description.as_str().into()),
            ("created_at", pages::time(self.stamp.created_at)),
        ])
    }
}
