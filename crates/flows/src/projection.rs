//! What of a document is written, and so what must be equal for nothing to be left to write.
//!
//! A document read back holds more than was written (balances, statuses, ids), and some fields in another
//! order. Comparing whole documents would never come to rest.

mod receivables;

use tieout_domain::document::{Address, Application, Bill, Line, Payment, Vendor, VendorCredit};
use tieout_domain::{Amount, Document, Marker, RemoteId};

pub use receivables::sale_differences;
pub(crate) use receivables::same_uses;

/// Whether what `wanted` would write is already there.
#[must_use]
pub fn same_writable(wanted: &Document, there: &Document) -> bool {
    match (wanted, there) {
        (Document::Account(a), Document::Account(b)) => {
            (text(&a.number), text(&a.name), &a.parent)
                == (text(&b.number), text(&b.name), &b.parent)
        }
        (Document::Dimension(a), Document::Dimension(b)) => {
            (a.axis, text(&a.name), &a.parent) == (b.axis, text(&b.name), &b.parent)
        }
        (Document::Vendor(a), Document::Vendor(b)) => same_vendor(a, b),
        (Document::Bill(a), Document::Bill(b)) => bill_differences(a, b).is_empty(),
        (Document::VendorCredit(a), Document::VendorCredit(b)) => {
            credit_differences(a, b).is_empty()
        }
        (Document::Payment(a), Document::Payment(b)) => same_payment(a, b),
        (Document::Journal(a), Document::Journal(b)) => a.external_id == b.external_id,
        (Document::Invoice(_), Document::Invoice(_))
        | (Document::CreditMemo(_), Document::CreditMemo(_)) => {
            sale_differences(wanted, there).is_empty()
        }
        (Document::Customer(a), Document::Customer(b)) => receivables::same_customer(a, b),
        (Document::CustomerPayment(a), Document::CustomerPayment(b)) => {
            receivables::same_receipt(a, b)
        }
        (Document::CustomerRefund(a), Document::CustomerRefund(b)) => {
            receivables::same_refund(a, b)
        }
        (Document::Deposit(a), Document::Deposit(b)) => receivables::same_deposit(a, b),
        (Document::InvoicePdf(a), Document::InvoicePdf(b)) => {
            a.invoice == b.invoice && a.shows == b.shows
        }
        (Document::Attachment(a), Document::Attachment(b)) => {
            let told = !a.sha256.is_empty() && !b.sha256.is_empty();
            (&a.bill, &a.name) == (&b.bill, &b.name) && (!told || a.sha256 == b.sha256)
        }
        _ => false,
    }
}

fn text(text: &str) -> &str {
    text.trim()
}

/// A memo without tieout's mark and without white space at its ends: where the mark stands in it is the
/// platform's business.
#[must_use]
pub fn plain_memo(memo: &str) -> String {
    let bare = match Marker::find_in(memo) {
        Some(marker) => memo.replacen(&marker.to_string(), "", 1),
        None => memo.to_owned(),
    };
    let bare = bare.replace("()", " ").replace("[]", " ");
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn same_vendor(a: &Vendor, b: &Vendor) -> bool {
    text(&a.name) == text(&b.name) && same_profile(a, b)
}

/// Whether a vendor's profile is the same: what a network vendor owns itself (scenario 14).
#[must_use]
pub fn same_profile(a: &Vendor, b: &Vendor) -> bool {
    text(&a.email) == text(&b.email)
        && text(&a.phone) == text(&b.phone)
        && text(&a.account_number) == text(&b.account_number)
        && same_address(a.address.as_ref(), b.address.as_ref())
}

fn same_address(a: Option<&Address>, b: Option<&Address>) -> bool {
    let empty = Address::default();
    let (a, b) = (a.unwrap_or(&empty), b.unwrap_or(&empty));
    let fields = |x: &Address| {
        [&x.line1, &x.line2, &x.city, &x.state, &x.zip, &x.country]
            .map(|field| field.trim().to_owned())
    };
    fields(a) == fields(b)
}

/// What a document's write would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The vendor.
    Vendor,
    /// The customer.
    Customer,
    /// The total.
    Total,
    /// The due date.
    Due,
    /// The number.
    Number,
    /// The date.
    Date,
    /// Accounts, dimensions, or how the total is split among lines.
    Coding,
    /// Memos, purchase order or mark.
    Text,
}

impl Difference {
    /// What people call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Customer => "customer",
            Self::Total => "total",
            Self::Due => "due date",
            Self::Number => "number",
            Self::Date => "date",
            Self::Coding => "lines",
            Self::Text => "text",
        }
    }
}

/// What of a bill differs.
#[must_use]
pub fn bill_differences(a: &Bill, b: &Bill) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut note = |same: bool, difference| {
        if !same && !differences.contains(&difference) {
            differences.push(difference);
        }
    };
    note(a.vendor == b.vendor, Difference::Vendor);
    note(a.total == b.total, Difference::Total);
    note(a.due == b.due, Difference::Due);
    note(a.number == b.number, Difference::Number);
    note(a.date == b.date, Difference::Date);
    note(coding(&a.lines) == coding(&b.lines), Difference::Coding);
    note(memos(&a.lines) == memos(&b.lines), Difference::Text);
    note(plain_memo(&a.memo) == plain_memo(&b.memo), Difference::Text);
    note(
        text(&a.purchase_order) == text(&b.purchase_order),
        Difference::Text,
    );
    note(a.marker.is_none() || a.marker == b.marker, Difference::Text);
    differences
}

/// What of a credit differs.
#[must_use]
pub fn credit_differences(a: &VendorCredit, b: &VendorCredit) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut note = |same: bool, difference| {
        if !same && !differences.contains(&difference) {
            differences.push(difference);
        }
    };
    note(a.vendor == b.vendor, Difference::Vendor);
    note(a.total == b.total, Difference::Total);
    note(a.number == b.number, Difference::Number);
    note(a.date == b.date, Difference::Date);
    note(coding(&a.lines) == coding(&b.lines), Difference::Coding);
    note(memos(&a.lines) == memos(&b.lines), Difference::Text);
    note(plain_memo(&a.memo) == plain_memo(&b.memo), Difference::Text);
    note(a.marker.is_none() || a.marker == b.marker, Difference::Text);
    differences
}

type Coding<'a> = (
    Amount,
    Option<&'a RemoteId>,
    Option<&'a RemoteId>,
    Option<&'a RemoteId>,
    Option<&'a RemoteId>,
);

fn coding(lines: &[Line]) -> Vec<Coding<'_>> {
    let mut coding: Vec<_> = lines
        .iter()
        .map(|line| {
            let (department, class) = (line.department.as_ref(), line.class.as_ref());
            (
                line.amount,
                line.account.as_ref(),
                department,
                class,
                line.location.as_ref(),
            )
        })
        .collect();
    coding.sort();
    coding
}

fn memos(lines: &[Line]) -> Vec<String> {
    let mut memos: Vec<_> = lines.iter().map(|line| plain_memo(&line.memo)).collect();
    memos.sort();
    memos
}

fn same_payment(a: &Payment, b: &Payment) -> bool {
    same_money(a, b) && text(&a.number) == text(&b.number) && text(&a.memo) == text(&b.memo)
}

/// Whether two payments move the same money: what a person must not have changed by hand (scenario 144).
#[must_use]
pub fn same_money(a: &Payment, b: &Payment) -> bool {
    a.vendor == b.vendor
        && a.total == b.total
        && a.date == b.date
        && a.currency == b.currency
        && (a.account.is_none() || b.account.is_none() || a.account == b.account)
        && same_cash(&a.applications, &b.applications)
}

/// Whether the same cash is applied to the same documents. A payment read back doesn't show the credits used
/// with it, nor a bill that credits alone have settled; which of its bills a credit goes to is the ledger's
/// choice. So where credits were used, no bill has more than it was to have, and the cash in all is the same.
fn same_cash(a: &[Application], b: &[Application]) -> bool {
    let credits = |list: &[Application]| list.iter().any(|a| !a.credits.is_empty());
    match (credits(a), credits(b)) {
        (false, false) => same_applications(a, b),
        (true, false) => within(b, a),
        (false, true) => within(a, b),
        (true, true) => within(a, b) && within(b, a),
    }
}

/// Whether each application stays within what another list has for its document, credits included.
fn within(these: &[Application], those: &[Application]) -> bool {
    let gross = |application: &Application| {
        let credits = application.credits.iter().map(|used| used.amount);
        std::iter::once(application.amount)
            .chain(credits)
            .sum::<Amount>()
    };
    these.iter().all(|x| {
        let mut those = those.iter().filter(|y| y.document == x.document);
        x.amount.is_zero() || those.any(|y| x.amount <= gross(y))
    })
}

/// Whether the same is applied to the same documents, whatever the order. A whole document's line may be
/// named or not.
#[must_use]
pub fn same_applications(a: &[Application], b: &[Application]) -> bool {
    let list = |applications: &[Application]| {
        let mut list: Vec<_> = applications
            .iter()
            .filter(|application| !application.amount.is_zero() || !application.credits.is_empty())
            .map(|application| {
                let mut credits: Vec<_> = application
                    .credits
                    .iter()
                    .map(|use_of| (use_of.credit.clone(), use_of.amount))
                    .collect();
                credits.sort();
                // Which of its documents a discount went to is not told; what each is relieved of is.
                let relieved: Amount = [application.amount, application.discount].into_iter().sum();
                (application.document.clone(), relieved, credits)
            })
            .collect();
        list.sort();
        list
    };
    list(a) == list(b)
}
