//! Deposits of the ledger: money that reached a bank account.

use serde::{Deserialize, Serialize};

use crate::{Amount, Currency, Date, Key, RemoteId};

/// A deposit: customers' payments out of undeposited funds, and what else came or was kept back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposit {
    /// Its number.
    pub number: String,
    /// Date.
    pub date: Date,
    /// Currency.
    pub currency: Currency,
    /// The bank account.
    pub account: RemoteId,
    /// The payments that it takes out of undeposited funds.
    pub payments: Vec<Deposited>,
    /// Other lines: negative for what was kept back.
    pub lines: Vec<DepositLine>,
    /// What reaches the bank account: the sum of payments and lines.
    pub total: Amount,
    /// Memo.
    pub memo: String,
    /// Subsidiary; `None` without OneWorld.
    pub subsidiary: Option<RemoteId>,
    /// Posting period.
    pub period: Option<RemoteId>,
    /// The external id.
    pub external_id: Option<Key>,
}

/// A payment in a deposit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Deposited {
    /// The customer's payment.
    pub payment: RemoteId,
    /// Its cash.
    pub amount: Amount,
}

/// A line of a deposit that is no payment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DepositLine {
    /// The account that it is booked to.
    pub account: RemoteId,
    /// What it adds to the deposit; negative for a fee.
    pub amount: Amount,
    /// The customer, where one stands behind it.
    pub party: Option<RemoteId>,
    /// Memo.
    pub memo: String,
}
