//! Documents: the records that exist on both sides, in the field's words.
//!
//! One noun serves both sides. Which side's identifiers it holds is said by where it was read; a flow
//! translates it from one side's terms to the other's. What only one side knows is an `Option` or has a
//! neutral value on the other.

mod account;
mod bill;
mod credit;
mod dimension;
mod funding;
mod journal;
mod payment;
mod vendor;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::RemoteId;

pub use account::{Account, AccountKind};
pub use bill::{Approval, Bill, BillStatus, Discount, Line, LineKind};
pub use credit::VendorCredit;
pub use dimension::Dimension;
pub use funding::FundingAccount;
pub use journal::{Journal, JournalLine};
pub use payment::{
    Application, CreditUse, Funding, Method, Payment, PaymentStatus, Void, VoidKind,
};
pub use vendor::{Address, Vendor};

/// What kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An account of the general ledger.
    Account,
    /// A department.
    Department,
    /// A class.
    Class,
    /// A location.
    Location,
    /// A vendor.
    Vendor,
    /// A vendor bill.
    Bill,
    /// A vendor credit.
    VendorCredit,
    /// A payment of vendor bills.
    Payment,
    /// An account that the platform takes money from.
    FundingAccount,
    /// A journal entry.
    Journal,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Account,
        Self::Department,
        Self::Class,
        Self::Location,
        Self::Vendor,
        Self::Bill,
        Self::VendorCredit,
        Self::Payment,
        Self::FundingAccount,
        Self::Journal,
    ];

    /// The three dimensions.
    pub const DIMENSIONS: [Self; 3] = [Self::Department, Self::Class, Self::Location];

    /// The name in the store and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Department => "department",
            Self::Class => "class",
            Self::Location => "location",
            Self::Vendor => "vendor",
            Self::Bill => "bill",
            Self::VendorCredit => "vendor-credit",
            Self::Payment => "payment",
            Self::FundingAccount => "funding",
            Self::Journal => "journal",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no kind of record"))
    }
}

/// A record of any kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "is", rename_all = "kebab-case")]
pub enum Document {
    /// An account.
    Account(Account),
    /// A department, class or location.
    Dimension(Dimension),
    /// A vendor.
    Vendor(Vendor),
    /// A vendor bill.
    Bill(Bill),
    /// A vendor credit.
    VendorCredit(VendorCredit),
    /// A payment.
    Payment(Payment),
    /// A funding account.
    FundingAccount(FundingAccount),
    /// A journal entry.
    Journal(Journal),
}

impl Document {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Account(_) => Kind::Account,
            Self::Dimension(dimension) => dimension.axis,
            Self::Vendor(_) => Kind::Vendor,
            Self::Bill(_) => Kind::Bill,
            Self::VendorCredit(_) => Kind::VendorCredit,
            Self::Payment(_) => Kind::Payment,
            Self::FundingAccount(_) => Kind::FundingAccount,
            Self::Journal(_) => Kind::Journal,
        }
    }

    /// What people call it: a bill's invoice number, a vendor's or an account's name. Never an id.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Account(account) => account.label(),
            Self::Dimension(dimension) => dimension.path.clone(),
            Self::Vendor(vendor) => vendor.name.clone(),
            Self::Bill(bill) => bill.number.clone(),
            Self::VendorCredit(credit) => credit.number.clone(),
            Self::Payment(payment) => payment.label(),
            Self::FundingAccount(account) => account.name.clone(),
            Self::Journal(journal) => journal.number.clone(),
        }
    }

    /// The vendor it belongs to, where it belongs to one.
    #[must_use]
    pub fn vendor(&self) -> Option<&RemoteId> {
        match self {
            Self::Bill(bill) => Some(&bill.vendor),
            Self::VendorCredit(credit) => Some(&credit.vendor),
            Self::Payment(payment) => Some(&payment.vendor),
            _ => None,
        }
    }

    /// What it is worth, where it is worth something: a bill's total, a payment's cash.
    #[must_use]
    pub fn amount(&self) -> Option<crate::Money> {
        match self {
            Self::Bill(bill) => Some(bill.total.of(bill.currency)),
            Self::VendorCredit(credit) => Some(credit.total.of(credit.currency)),
            Self::Payment(payment) => Some(payment.total.of(payment.currency)),
            _ => None,
        }
    }

    /// The day it is dated, where it has one.
    #[must_use]
    pub fn date(&self) -> Option<crate::Date> {
        match self {
            Self::Bill(bill) => Some(bill.date),
            Self::VendorCredit(credit) => Some(credit.date),
            Self::Payment(payment) => Some(payment.date),
            Self::Journal(journal) => Some(journal.date),
            _ => None,
        }
    }
}
