//! Documents: the records that exist on both sides, in the field's words.
//!
//! One noun serves both sides. Which side's identifiers it holds is said by where it was read; a flow
//! translates it from one side's terms to the other's. What only one side knows is an `Option` or has a
//! neutral value on the other.

mod account;
mod attachment;
mod bill;
mod catalog;
mod credit;
mod customer;
mod deposit;
mod dimension;
mod funding;
mod invoice;
mod journal;
mod payment;
mod payout;
mod pdf;
mod receipt;
mod vendor;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::RemoteId;

pub use account::{Account, AccountKind};
pub use attachment::Attachment;
pub use bill::{Approval, Bill, BillStatus, Discount, Line, LineKind};
pub use catalog::{Item, Terms};
pub use credit::VendorCredit;
pub use customer::Customer;
pub use deposit::{Deposit, DepositLine, Deposited};
pub use dimension::Dimension;
pub use funding::FundingAccount;
pub use invoice::{CreditMemo, Invoice, InvoiceStatus, SalesLine, SalesLineKind};
pub use journal::{Journal, JournalLine};
pub use payment::{
    Application, CreditUse, Funding, Method, Payment, PaymentStatus, Void, VoidKind,
};
pub use payout::{PartOf, Payout, PayoutPart, PayoutStatus};
pub use pdf::InvoicePdf;
pub use receipt::{
    Charge, ChargeRefund, CustomerPayment, CustomerRefund, KeptIn, PaymentUse, ReceiptMethod,
    ReceiptStatus, UseOf,
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
    /// A customer.
    Customer,
    /// An invoice to a customer.
    Invoice,
    /// A credit memo to a customer.
    CreditMemo,
    /// A payment by a customer.
    CustomerPayment,
    /// Money paid back to a customer.
    CustomerRefund,
    /// An item that is sold.
    Item,
    /// Payment terms.
    Terms,
    /// What a platform pays out.
    Payout,
    /// A deposit at the bank.
    Deposit,
    /// An invoice as PDF.
    InvoicePdf,
    /// A file of a bill.
    Attachment,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 21] = [
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
        Self::Customer,
        Self::Invoice,
        Self::CreditMemo,
        Self::CustomerPayment,
        Self::CustomerRefund,
        Self::Item,
        Self::Terms,
        Self::Payout,
        Self::Deposit,
        Self::InvoicePdf,
        Self::Attachment,
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
            Self::Customer => "customer",
            Self::Invoice => "invoice",
            Self::CreditMemo => "credit-memo",
            Self::CustomerPayment => "customer-payment",
            Self::CustomerRefund => "customer-refund",
            Self::Item => "item",
            Self::Terms => "terms",
            Self::Payout => "payout",
            Self::Deposit => "deposit",
            Self::InvoicePdf => "invoice-pdf",
            Self::Attachment => "attachment",
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
    /// A customer.
    Customer(Customer),
    /// An invoice to a customer.
    Invoice(Invoice),
    /// A credit memo to a customer.
    CreditMemo(CreditMemo),
    /// A payment by a customer.
    CustomerPayment(CustomerPayment),
    /// Money paid back to a customer.
    CustomerRefund(CustomerRefund),
    /// An item that is sold.
    Item(Item),
    /// Payment terms.
    Terms(Terms),
    /// What a platform pays out.
    Payout(Payout),
    /// A deposit at the bank.
    Deposit(Deposit),
    /// An invoice as PDF.
    InvoicePdf(InvoicePdf),
    /// A file of a bill.
    Attachment(Attachment),
}

impl Document {
    /// Reads a document from its JSON, whose fields may stand in any order.
    ///
    /// # Errors
    /// Where the text is no document's.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        /// Where the kind stands last, as in sorted JSON, what it is of would have to be kept aside piece by piece.
        #[derive(Deserialize)]
        struct Parts<'a> {
            #[serde(borrow)]
            kind: &'a RawValue,
            #[serde(borrow)]
            is: &'a RawValue,
        }
        if text.starts_with("{\"kind\"") {
            return serde_json::from_str(text);
        }
        let Parts { kind, is } = serde_json::from_str(text)?;
        serde_json::from_str(&format!("{{\"kind\":{kind},\"is\":{is}}}"))
    }

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
            Self::Customer(_) => Kind::Customer,
            Self::Invoice(_) => Kind::Invoice,
            Self::CreditMemo(_) => Kind::CreditMemo,
            Self::CustomerPayment(_) => Kind::CustomerPayment,
            Self::CustomerRefund(_) => Kind::CustomerRefund,
            Self::Item(_) => Kind::Item,
            Self::Terms(_) => Kind::Terms,
            Self::Payout(_) => Kind::Payout,
            Self::Deposit(_) => Kind::Deposit,
            Self::InvoicePdf(_) => Kind::InvoicePdf,
            Self::Attachment(_) => Kind::Attachment,
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
            Self::Customer(customer) => customer.name.clone(),
            Self::Invoice(invoice) => invoice.number.clone(),
            Self::CreditMemo(memo) => memo.number.clone(),
            Self::CustomerPayment(payment) => payment.label(),
            Self::CustomerRefund(refund) => refund.number.clone(),
            Self::Item(item) => item.name.clone(),
            Self::Terms(terms) => terms.name.clone(),
            Self::Payout(payout) if payout.number.is_empty() => format!("payout {}", payout.date),
            Self::Payout(payout) => payout.number.clone(),
            Self::Deposit(deposit) => deposit.number.clone(),
            Self::InvoicePdf(pdf) => pdf.name.clone(),
            Self::Attachment(file) => file.name.clone(),
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

    /// The customer it belongs to, where it belongs to one.
    #[must_use]
    pub fn customer(&self) -> Option<&RemoteId> {
        match self {
            Self::Invoice(invoice) => Some(&invoice.customer),
            Self::CreditMemo(memo) => Some(&memo.customer),
            Self::CustomerPayment(payment) => payment.customer.as_ref(),
            Self::CustomerRefund(refund) => Some(&refund.customer),
            _ => None,
        }
    }

    /// The key under which it was made in the ledger, where it shows one.
    #[must_use]
    pub fn external_id(&self) -> Option<&crate::Key> {
        match self {
            Self::Bill(bill) => bill.external_id.as_ref(),
            Self::VendorCredit(credit) => credit.external_id.as_ref(),
            Self::Payment(payment) => payment.external_id.as_ref(),
            Self::Journal(journal) => journal.external_id.as_ref(),
            Self::Customer(customer) => customer.external_id.as_ref(),
            Self::Invoice(invoice) => invoice.external_id.as_ref(),
            Self::CreditMemo(memo) => memo.external_id.as_ref(),
            Self::CustomerPayment(payment) => payment.external_id.as_ref(),
            Self::CustomerRefund(refund) => refund.external_id.as_ref(),
            Self::Deposit(deposit) => deposit.external_id.as_ref(),
            _ => None,
        }
    }

    /// What its currency is worth in base currency on its side, where that is told.
    #[must_use]
    pub fn exchange_rate(&self) -> Option<crate::ExchangeRate> {
        match self {
            Self::Bill(bill) => bill.exchange_rate,
            Self::VendorCredit(credit) => credit.exchange_rate,
            _ => None,
        }
    }

    /// tieout's mark on a platform's copy of it.
    #[must_use]
    pub fn marker(&self) -> Option<&crate::Marker> {
        match self {
            Self::Bill(bill) => bill.marker.as_ref(),
            Self::VendorCredit(credit) => credit.marker.as_ref(),
            Self::Customer(customer) => customer.marker.as_ref(),
            Self::Invoice(invoice) => invoice.marker.as_ref(),
            Self::CreditMemo(memo) => memo.marker.as_ref(),
            Self::CustomerPayment(payment) => payment.marker.as_ref(),
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
            Self::Invoice(invoice) => Some(invoice.total.of(invoice.currency)),
            Self::CreditMemo(memo) => Some(memo.total.of(memo.currency)),
            Self::CustomerPayment(payment) => Some(payment.total.of(payment.currency)),
            Self::CustomerRefund(refund) => Some(refund.total.of(refund.currency)),
            Self::Payout(payout) => Some(payout.total.of(payout.currency)),
            Self::Deposit(deposit) => Some(deposit.total.of(deposit.currency)),
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
            Self::Invoice(invoice) => Some(invoice.date),
            Self::CreditMemo(memo) => Some(memo.date),
            Self::CustomerPayment(payment) => Some(payment.date),
            Self::CustomerRefund(refund) => Some(refund.date),
            Self::Payout(payout) => Some(payout.date),
            Self::Deposit(deposit) => Some(deposit.date),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_whichever_of_its_fields_stands_first() {
        let document = Document::Terms(Terms {
            name: "Net 30".to_owned(),
            days: Some(30),
            inactive: false,
        });
        let told = serde_json::to_string(&document).unwrap();
        assert!(told.starts_with("{\"kind\""));
        let sorted = serde_json::to_value(&document).unwrap().to_string();
        assert!(sorted.starts_with("{\"is\""));
        for text in [told, sorted] {
            assert_eq!(Document::from_json(&text).unwrap(), document);
        }
        assert!(Document::from_json("{\"is\":{}}").is_err());
    }
}
