//! Accounts of the general ledger.

use serde::{Deserialize, Serialize};

use crate::RemoteId;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number, as text: letters, dots and leading zeros count (scenario 161). May be empty.
    pub number: String,
    /// Its name without its parents.
    pub name: String,
    /// Names from the root to itself, joined by ` : `.
    pub path: String,
    /// What it is for.
    pub account_kind: AccountKind,
    /// Its parent.
    pub parent: Option<RemoteId>,
    /// A heading that can't be posted to (scenario 159).
    pub summary: bool,
    /// Inactive or archived.
    pub inactive: bool,
    /// Subsidiaries it may be used in; empty means all (scenario 160).
    pub subsidiaries: Vec<RemoteId>,
    /// A description.
    pub description: String,
}

impl Account {
    /// `6010 Air`.
    #[must_use]
    pub fn label(&self) -> String {
        if self.number.is_empty() {
            self.name.clone()
        } else {
            format!("{} {}", self.number, self.name)
        }
    }
}

/// The type of an account. Each system spells them differently; its README has the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKind {
    /// Bank.
    Bank,
    /// Accounts receivable: a control account.
    AccountsReceivable,
    /// Accounts payable: a control account, never on a line (scenario 162).
    AccountsPayable,
    /// Credit card.
    CreditCard,
    /// Other current asset.
    OtherCurrentAsset,
    /// Fixed asset.
    FixedAsset,
    /// Other asset.
    OtherAsset,
    /// Other current liability.
    OtherCurrentLiability,
    /// Long-term liability.
    LongTermLiability,
    /// Equity.
    Equity,
    /// Income.
    Income,
    /// Other income.
    OtherIncome,
    /// Cost of goods sold.
    CostOfGoodsSold,
    /// Expense.
    Expense,
    /// Other expense.
    OtherExpense,
    /// Deferred expense.
    DeferredExpense,
    /// Deferred revenue.
    DeferredRevenue,
    /// Non-posting.
    NonPosting,
    /// A type this program doesn't know, in the system's own spelling.
    Other(String),
}
