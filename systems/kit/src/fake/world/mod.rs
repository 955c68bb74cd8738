//! The neutral description of a company from which every fake loads its own records.
//!
//! A world is plain data in the words of the domain; it knows no system. [`generate`] makes one from a
//! seed, [`dataset`] from a file of real payables lines. Each fake turns it into its own tables, so that
//! two fakes agree on the company without knowing each other.

pub mod collector;
mod company;
pub mod dataset;
mod documents;
mod draw;
pub mod generate;
mod names;
pub mod pay_page;
pub mod receivables;
mod settle;

use jiff::civil::Date;
use rust_decimal::Decimal;

pub use collector::Collector;
pub use pay_page::PayPage;
pub use receivables::Receivables;
pub use tieout_domain::Currency;

/// A company and a year of its payables, and of its receivables where it was asked for them.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The day the world ends on: documents are dated in the year before it.
    pub today: Date,
    /// The company's time zone, an IANA name.
    pub time_zone: String,
    /// The ledger's account id.
    pub account_id: String,
    /// Whether the account has subsidiaries (OneWorld).
    pub one_world: bool,
    /// Subsidiaries, root first. One entry when `one_world` is false.
    pub subsidiaries: Vec<Subsidiary>,
    /// Currencies; the first is the root subsidiary's.
    pub currencies: Vec<Currency>,
    /// Posting periods: months, oldest first.
    pub periods: Vec<Period>,
    /// The chart of accounts, parents before children.
    pub accounts: Vec<Account>,
    /// Departments, classes and locations, parents before children.
    pub dimensions: Vec<Dimension>,
    /// Payment terms.
    pub terms: Vec<Term>,
    /// Items that bill lines may name.
    pub items: Vec<Item>,
    /// Vendors.
    pub vendors: Vec<Vendor>,
    /// Vendor bills, in the order of their dates.
    pub bills: Vec<Bill>,
    /// Vendor credits.
    pub credits: Vec<Credit>,
    /// Payments made in the ledger before tieout came (they make bills paid or partly paid).
    pub payments: Vec<Payment>,
    /// What it sells.
    pub receivables: Receivables,
    /// What the payment platform already holds, typed in by hand.
    pub platform: Platform,
    /// What the platform that collects receivables already holds.
    pub collector: Collector,
    /// What the platform where customers pay already holds.
    pub pay_page: PayPage,
}

/// A subsidiary. References to it are indices into [`World::subsidiaries`].
#[derive(Debug, Clone, PartialEq)]
pub struct Subsidiary {
    /// Its name.
    pub name: String,
    /// Its parent's index; `None` for the root.
    pub parent: Option<usize>,
    /// Its base currency.
    pub currency: Currency,
    /// ISO 3166 alpha-2.
    pub country: String,
}

/// Whether a posting period accepts postings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodState {
    /// Accepts postings.
    Open,
    /// Locked for payables.
    Locked,
    /// Closed for all.
    Closed,
}

/// A posting period of one month.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// For example `Jun 2026`.
    pub name: String,
    /// First day.
    pub start: Date,
    /// Last day.
    pub end: Date,
    /// Whether it accepts postings.
    pub state: PeriodState,
}

/// An account of the general ledger. References to it are indices into [`World::accounts`].
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its number, as text: leading zeros and letters count.
    pub number: String,
    /// Its name without its parents.
    pub name: String,
    /// NetSuite's type code: `Bank`, `AcctPay`, `AcctRec`, `Expense`, `COGS`, `OthCurrLiab`, …
    pub kind: String,
    /// Its parent.
    pub parent: Option<usize>,
    /// A heading that can't be posted to.
    pub summary: bool,
    /// Inactive.
    pub inactive: bool,
}

/// Which dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Axis {
    /// Department.
    Department,
    /// Class (BILL: accounting class).
    Class,
    /// Location.
    Location,
}

/// A department, class or location. References to it are indices into [`World::dimensions`].
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// Which dimension.
    pub axis: Axis,
    /// Its name without its parents.
    pub name: String,
    /// Its parent, of the same axis.
    pub parent: Option<usize>,
    /// Inactive.
    pub inactive: bool,
}

/// Payment terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// For example `Net 30`.
    pub name: String,
    /// Days until the net amount is due.
    pub days: u32,
    /// Early-payment discount in per cent, and the days within which it holds.
    pub discount: Option<(Decimal, u32)>,
}

/// An item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// The account its purchases are booked to.
    pub account: usize,
}

/// A vendor. References to it are indices into [`World::vendors`].
#[derive(Debug, Clone, PartialEq)]
pub struct Vendor {
    /// Its number in the ledger (entity id), unique.
    pub number: String,
    /// Its name. Not unique: branches share names.
    pub name: String,
    /// First and last name, for a person.
    pub person: Option<(String, String)>,
    /// E-mail address (always under example.com, .net or .org).
    pub email: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Address; without one a vendor can't be paid by check.
    pub address: Option<Address>,
    /// Our account number with the vendor.
    pub account_number: Option<String>,
    /// Index into [`World::terms`].
    pub terms: Option<usize>,
    /// Currency.
    pub currency: Currency,
    /// Subsidiaries it may be used in; the first is its primary one.
    pub subsidiaries: Vec<usize>,
    /// Category: `Supplier`, `Employee`, `Tax agency`, `Intercompany`.
    pub category: String,
    /// Inactive.
    pub inactive: bool,
    /// Has NetSuite login access.
    pub login_access: bool,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// First line.
    pub line1: String,
    /// Second line.
    pub line2: Option<String>,
    /// City.
    pub city: String,
    /// State or province.
    pub state: String,
    /// Postal code.
    pub zip: String,
    /// ISO 3166 alpha-2.
    pub country: String,
}

/// Where a bill stands in the ledger's approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Waits for approval: not in accounts payable.
    Pending,
    /// Approved: in accounts payable.
    Approved,
    /// Rejected.
    Rejected,
}

/// A vendor bill. References to it are indices into [`World::bills`].
#[derive(Debug, Clone, PartialEq)]
pub struct Bill {
    /// Vendor.
    pub vendor: usize,
    /// Subsidiary.
    pub subsidiary: usize,
    /// The vendor's invoice number, as printed.
    pub number: String,
    /// Its date.
    pub date: Date,
    /// When it is due.
    pub due: Date,
    /// Currency.
    pub currency: Currency,
    /// Units of the subsidiary's currency for one unit of the bill's.
    pub rate: Decimal,
    /// Approval.
    pub approval: Approval,
    /// Memo.
    pub memo: Option<String>,
    /// Purchase order it was made from.
    pub purchase_order: Option<String>,
    /// On payment hold.
    pub payment_hold: bool,
    /// Lines: at least one. Their sum is the bill's total and may be negative or zero: a ledger that
    /// doesn't take negative bills books those as vendor credits.
    pub lines: Vec<Line>,
}

/// A line of a bill or credit. Positive raises what is owed on a bill, or the credit of a credit.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What kind of line.
    pub kind: LineKind,
    /// Account (for an item line: the item's).
    pub account: usize,
    /// Amount.
    pub amount: Decimal,
    /// Memo.
    pub memo: Option<String>,
    /// Index into [`World::dimensions`] for each axis.
    pub department: Option<usize>,
    /// See `department`.
    pub class: Option<usize>,
    /// See `department`.
    pub location: Option<usize>,
}

/// What kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Booked to an account directly.
    Expense,
    /// An item and a quantity; the index points into [`World::items`].
    Item(usize, u32),
    /// Tax.
    Tax,
}

/// A vendor credit.
#[derive(Debug, Clone, PartialEq)]
pub struct Credit {
    /// Vendor.
    pub vendor: usize,
    /// Subsidiary.
    pub subsidiary: usize,
    /// Number.
    pub number: String,
    /// Date.
    pub date: Date,
    /// Currency.
    pub currency: Currency,
    /// Lines; their sum is the credit and positive.
    pub lines: Vec<Line>,
    /// What of it is applied already: bill and amount.
    pub applied: Vec<(usize, Decimal)>,
}

/// A payment made in the ledger before the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Payment {
    /// Vendor.
    pub vendor: usize,
    /// Subsidiary.
    pub subsidiary: usize,
    /// Check number.
    pub number: String,
    /// Date.
    pub date: Date,
    /// Account it was paid from.
    pub account: usize,
    /// Currency.
    pub currency: Currency,
    /// Bills and amounts.
    pub applied: Vec<(usize, Decimal)>,
}

/// What the payment platform holds at the start, typed in by hand or left from before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Platform {
    /// Which accounts it has.
    pub accounts: Vec<usize>,
    /// Accounts that only it has: number, name, NetSuite type code.
    pub own_accounts: Vec<(String, String, String)>,
    /// Which dimensions it has.
    pub dimensions: Vec<usize>,
    /// Which vendors it has.
    pub vendors: Vec<usize>,
    /// Which bills it has, typed in by hand (same vendor, number and lines).
    pub bills: Vec<usize>,
    /// Bills that only it has: vendor (an index also in `vendors`), number, date, amount, account.
    pub own_bills: Vec<(usize, String, Date, Decimal, usize)>,
    /// The subsidiary whose payables this organization pays.
    pub subsidiary: usize,
    /// The bank account it pays from.
    pub bank_account: Option<usize>,
}

impl World {
    /// The index of the account with this number.
    #[must_use]
    pub fn account(&self, number: &str) -> Option<usize> {
        self.accounts
            .iter()
            .position(|account| account.number == number)
    }
}

impl Bill {
    /// The sum of its lines: below zero where a ledger books a credit.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.lines.iter().map(|line| line.amount).sum()
    }
}

impl Credit {
    /// The sum of its lines.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.lines.iter().map(|line| line.amount).sum()
    }
}

impl Payment {
    /// The sum of what it pays.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.applied.iter().map(|(_, amount)| amount).sum()
    }
}
