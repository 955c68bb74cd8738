//! A record and its counterpart, field by field, in the words that people use.
//!
//! A reference to another record is shown by what that record is called, and differs where what it stands for
//! over there is another record than the one that is named there.

mod receivables;

use std::collections::HashMap;

use tieout_domain::document::{Address, Approval, BillStatus, Line, PaymentStatus};
use tieout_domain::{Amount, Currency, Document, Kind, RecordRef, RemoteId, Side};
use tieout_store::ConnectionStore;

use crate::error::DeskError;

/// A field of a record, on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// In the ledger; empty where it has none.
    pub ledger: String,
    /// On the platform; empty where it has none.
    pub platform: String,
    /// Whether the two are not the same. Where only one side knows of a field, they don't differ.
    pub differs: bool,
}

/// What a record says, ready to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Its fields, by name.
    pub fields: Vec<(&'static str, Value)>,
    /// Its lines.
    pub lines: Vec<ToldLine>,
    /// What it pays, or is applied to.
    pub pays: Vec<Paid>,
}

/// The value of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Value {
    /// As people read it.
    pub text: String,
    /// By what it is compared; empty where it isn't.
    pub means: String,
}

/// A line of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldLine {
    /// The account.
    pub account: String,
    /// Department, class and location, where there are any.
    pub dimensions: String,
    /// Memo.
    pub memo: String,
    /// Amount.
    pub amount: tieout_domain::Money,
}

/// A part of a payment or a credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// What it goes to.
    pub record: RecordRef,
    /// What people call that.
    pub label: String,
    /// How much of it.
    pub amount: tieout_domain::Money,
}

/// Tells a document of one side, with the names of what it refers to.
///
/// # Errors
/// The store's.
pub async fn told(
    store: &ConnectionStore,
    side: Side,
    document: &Document,
) -> Result<Told, DeskError> {
    let mut names = Names::new(store, side);
    names.load(document).await?;
    Ok(tell(&names, document))
}

/// Both sides beside each other. A field that only one of them has is shown and doesn't differ.
#[must_use]
pub fn beside(ledger: Option<&Told>, platform: Option<&Told>) -> Vec<Field> {
    let both = ledger.is_some() && platform.is_some();
    let empty = Told::default();
    let (ledger, platform) = (ledger.unwrap_or(&empty), platform.unwrap_or(&empty));
    let mut fields = Vec::new();
    for (name, value) in &ledger.fields {
        let other = value_of(platform, name);
        fields.push(field(
            name,
            value,
            other.unwrap_or(&Value::default()),
            both && other.is_some(),
        ));
    }
    for (name, value) in &platform.fields {
        if value_of(ledger, name).is_none() {
            fields.push(field(name, &Value::default(), value, false));
        }
    }
    fields.retain(|field| !(field.ledger.is_empty() && field.platform.is_empty()));
    fields
}

fn value_of<'a>(told: &'a Told, name: &str) -> Option<&'a Value> {
    let found = told.fields.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value)
}

fn field(name: &'static str, ledger: &Value, platform: &Value, compared: bool) -> Field {
    Field {
        name,
        ledger: ledger.text.clone(),
        platform: platform.text.clone(),
        differs: compared && ledger.means != platform.means,
    }
}

/// What the records are called that a document of one side refers to, and what stands for them.
struct Names<'a> {
    store: &'a ConnectionStore,
    side: Side,
    labels: HashMap<RecordRef, String>,
    means: HashMap<RecordRef, String>,
}

impl<'a> Names<'a> {
    fn new(store: &'a ConnectionStore, side: Side) -> Self {
        Self {
            store,
            side,
            labels: HashMap::new(),
            means: HashMap::new(),
        }
    }

    /// Finds the names of everything that a document refers to.
    async fn load(&mut self, document: &Document) -> Result<(), DeskError> {
        for (kind, ids) in references(document) {
            let found = self.store.records(self.side, kind, &ids).await?;
            for (id, mirrored) in found {
                let record = RecordRef::new(self.side, kind, id);
                self.labels
                    .insert(record, mirrored.observed.document.label());
            }
            if !matches!(kind, Kind::Vendor | Kind::Customer) {
                continue;
            }
            // A vendor or customer is the same on both sides by its link.
            let records: Vec<_> = ids
                .iter()
                .map(|id| RecordRef::new(self.side, kind, id.clone()))
                .collect();
            for link in self.store.links_to(&records).await? {
                self.means.insert(link.target, link.record.to_string());
            }
        }
        Ok(())
    }

    fn label(&self, kind: Kind, id: &RemoteId) -> String {
        let record = RecordRef::new(self.side, kind, id.clone());
        self.labels
            .get(&record)
            .cloned()
            .unwrap_or_else(|| format!("{kind} {id}"))
    }

    /// A reference, by what it is called and what it stands for.
    fn reference(&self, kind: Kind, id: &RemoteId) -> Value {
        let record = RecordRef::new(self.side, kind, id.clone());
        let means = self.means.get(&record).cloned();
        Value {
            text: self.label(kind, id),
            means: means.unwrap_or_else(|| record.to_string()),
        }
    }
}

/// What a document refers to, by kind.
fn references(document: &Document) -> Vec<(Kind, Vec<RemoteId>)> {
    let mut found: Vec<(Kind, Vec<RemoteId>)> = Vec::new();
    let mut add = |kind, id: Option<&RemoteId>| {
        if let Some(id) = id {
            match found.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, ids)) => ids.push(id.clone()),
                None => found.push((kind, vec![id.clone()])),
            }
        }
    };
    add(Kind::Vendor, document.vendor());
    let (lines, applications, accounts) = match document {
        Document::Bill(bill) => (
            &bill.lines[..],
            &[][..],
            [bill.payables_account.as_ref(), None],
        ),
        Document::VendorCredit(credit) => (
            &credit.lines[..],
            &credit.applications[..],
            [credit.payables_account.as_ref(), None],
        ),
        Document::Payment(payment) => (
            &[][..],
            &payment.applications[..],
            [payment.payables_account.as_ref(), payment.account.as_ref()],
        ),
        _ => (&[][..], &[][..], [None, None]),
    };
    for line in lines {
        add(Kind::Account, line.account.as_ref());
        add(Kind::Department, line.department.as_ref());
        add(Kind::Class, line.class.as_ref());
        add(Kind::Location, line.location.as_ref());
    }
    for application in applications {
        add(Kind::Bill, Some(&application.document));
    }
    accounts.into_iter().for_each(|id| add(Kind::Account, id));
    if let Document::Payment(payment) = document {
        add(
            Kind::FundingAccount,
            payment.funding.as_ref().map(|it| &it.id),
        );
    }
    for (kind, id) in receivables::references(document) {
        add(kind, Some(id));
    }
    found
}

fn plain(text: impl Into<String>) -> Value {
    let text = text.into();
    Value {
        means: text.clone(),
        text,
    }
}

/// What each side words for itself: shown, and not compared.
fn aside(text: impl Into<String>) -> Value {
    Value {
        text: text.into(),
        means: String::new(),
    }
}

fn money(amount: Amount, currency: Currency) -> Value {
    plain(amount.of(currency).to_string())
}

fn yes(flag: bool) -> Value {
    plain(if flag { "yes" } else { "no" })
}

fn day(date: Option<tieout_domain::Date>) -> Value {
    plain(date.map(|date| date.to_string()).unwrap_or_default())
}

fn tell(names: &Names<'_>, document: &Document) -> Told {
    match document {
        Document::Bill(bill) => tell_bill(names, bill),
        Document::VendorCredit(credit) => tell_credit(names, credit),
        Document::Payment(payment) => tell_payment(names, payment),
        Document::Vendor(vendor) => tell_vendor(names.side, vendor),
        Document::Account(account) => only(vec![
            ("Name", plain(account.name.clone())),
            ("Number", plain(account.number.clone())),
            ("Inactive", yes(account.inactive)),
        ]),
        Document::Dimension(dimension) => only(vec![
            ("Name", plain(dimension.path.clone())),
            ("Inactive", yes(dimension.inactive)),
        ]),
        Document::FundingAccount(account) => only(vec![("Name", plain(account.name.clone()))]),
        Document::Journal(journal) => only(vec![
            ("Number", plain(journal.number.clone())),
            ("Date", day(Some(journal.date))),
            ("Memo", plain(journal.memo.clone())),
        ]),
        Document::Attachment(file) => only(vec![
            ("File", plain(file.name.clone())),
            ("Fingerprint", aside(file.sha256.clone())),
        ]),
        Document::Customer(_)
        | Document::Invoice(_)
        | Document::CreditMemo(_)
        | Document::CustomerPayment(_)
        | Document::CustomerRefund(_)
        | Document::Item(_)
        | Document::Terms(_)
        | Document::Payout(_)
        | Document::Deposit(_)
        | Document::InvoicePdf(_) => receivables::tell(names, document),
    }
}

fn only(fields: Vec<(&'static str, Value)>) -> Told {
    Told {
        fields,
        ..Told::default()
    }
}

fn tell_bill(names: &Names<'_>, bill: &tieout_domain::document::Bill) -> Told {
    let mut fields = vec![
        ("Number", plain(bill.number.clone())),
        ("Vendor", names.reference(Kind::Vendor, &bill.vendor)),
        ("Date", day(Some(bill.date))),
        ("Due", day(bill.due)),
        ("Total", money(bill.total, bill.currency)),
        ("Open", money(bill.open, bill.currency)),
        ("Status", plain(status(&bill.status))),
        ("Memo", aside(bill.memo.clone())),
    ];
    // Each side has an approval of its own; they are told apart, and not compared.
    match names.side {
        Side::Ledger => {
            fields.push(("Approval in the ledger", plain(approval(&bill.approval))));
            fields.push(("Document number", plain(bill.transaction_number.clone())));
            fields.push(("Purchase order", plain(bill.purchase_order.clone())));
            if let Some(account) = &bill.payables_account {
                fields.push((
                    "Payables account",
                    plain(names.label(Kind::Account, account)),
                ));
            }
            if bill.payment_hold {
                fields.push(("Payment hold", yes(true)));
            }
        }
        Side::Platform => {
            fields.push(("Approval on the platform", plain(approval(&bill.approval))));
            if bill.scheduled.is_positive() {
                fields.push(("Payments under way", money(bill.scheduled, bill.currency)));
            }
        }
    }
    Told {
        fields,
        lines: lines(names, &bill.lines, bill.currency),
        pays: Vec::new(),
    }
}

fn tell_credit(names: &Names<'_>, credit: &tieout_domain::document::VendorCredit) -> Told {
    Told {
        fields: vec![
            ("Number", plain(credit.number.clone())),
            ("Vendor", names.reference(Kind::Vendor, &credit.vendor)),
            ("Date", day(Some(credit.date))),
            ("Total", money(credit.total, credit.currency)),
            ("Open", money(credit.open, credit.currency)),
            ("Status", plain(status(&credit.status))),
            ("Memo", aside(credit.memo.clone())),
        ],
        lines: lines(names, &credit.lines, credit.currency),
        pays: pays(names, &credit.applications, credit.currency),
    }
}

fn tell_payment(names: &Names<'_>, payment: &tieout_domain::document::Payment) -> Told {
    let mut fields = vec![
        ("Vendor", names.reference(Kind::Vendor, &payment.vendor)),
        ("Date", day(Some(payment.date))),
        ("Total", money(payment.total, payment.currency)),
    ];
    match names.side {
        Side::Ledger => {
            fields.push(("Number in the ledger", plain(payment.number.clone())));
            if let Some(account) = &payment.account {
                fields.push(("Cash account", plain(names.label(Kind::Account, account))));
            }
            fields.push(("Posted", yes(payment.posted)));
        }
        Side::Platform => {
            fields.push(("Number on the platform", plain(payment.number.clone())));
            fields.push(("Method", plain(payment.method.as_str())));
            fields.push((
                "Status on the platform",
                plain(payment_status(&payment.status)),
            ));
            fields.push(("Check number", plain(payment.check_number.clone())));
            fields.push(("Confirmation", plain(payment.confirmation.clone())));
            fields.push(("Cleared", day(payment.cleared)));
            if let Some(funding) = &payment.funding {
                let from = names.label(Kind::FundingAccount, &funding.id);
                fields.push(("Paid from", plain(from)));
            }
            if payment.outside {
                fields.push(("Made outside the platform", yes(true)));
            }
        }
    }
    fields.push(("Memo", aside(payment.memo.clone())));
    Told {
        fields,
        lines: Vec::new(),
        pays: pays(names, &payment.applications, payment.currency),
    }
}

fn tell_vendor(side: Side, vendor: &tieout_domain::document::Vendor) -> Told {
    let mut fields = vec![
        ("Name", plain(vendor.name.clone())),
        ("E-mail", plain(vendor.email.clone())),
        ("Phone", plain(vendor.phone.clone())),
        ("Address", plain(address(vendor.address.as_ref()))),
        ("Account number", plain(vendor.account_number.clone())),
        ("Inactive", yes(vendor.inactive)),
    ];
    if let Some(payee) = &vendor.payee {
        fields.push(("Name on checks", plain(payee.clone())));
    }
    match side {
        Side::Ledger => {
            fields.push(("Number", plain(vendor.number.clone())));
            fields.push(("Category", plain(vendor.category.clone())));
        }
        Side::Platform => {
            fields.push(("Bank account on file", yes(vendor.payable_electronically)));
            fields.push(("Keeps its own data", yes(vendor.self_managed)));
        }
    }
    only(fields)
}

/// An address on one line.
fn address(address: Option<&Address>) -> String {
    let Some(address) = address else {
        return String::new();
    };
    let parts = [
        &address.line1,
        &address.line2,
        &address.city,
        &address.state,
        &address.zip,
        &address.country,
    ];
    let parts: Vec<&str> = parts
        .into_iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(", ")
}

/// A line's dimensions by their names.
fn dimensions<const N: usize>(names: &Names<'_>, of: [(Kind, &Option<RemoteId>); N]) -> String {
    let named: Vec<String> = of
        .into_iter()
        .filter_map(|(kind, id)| Some(names.label(kind, id.as_ref()?)))
        .collect();
    named.join(", ")
}

fn lines(names: &Names<'_>, lines: &[Line], currency: Currency) -> Vec<ToldLine> {
    lines
        .iter()
        .map(|line| ToldLine {
            account: line
                .account
                .as_ref()
                .map(|id| names.label(Kind::Account, id))
                .unwrap_or_default(),
            dimensions: dimensions(
                names,
                [
                    (Kind::Department, &line.department),
                    (Kind::Class, &line.class),
                    (Kind::Location, &line.location),
                ],
            ),
            memo: line.memo.clone(),
            amount: line.amount.of(currency),
        })
        .collect()
}

fn pays(
    names: &Names<'_>,
    applications: &[tieout_domain::document::Application],
    currency: Currency,
) -> Vec<Paid> {
    applications
        .iter()
        .map(|application| Paid {
            record: RecordRef::new(names.side, Kind::Bill, application.document.clone()),
            label: names.label(Kind::Bill, &application.document),
            amount: application.amount.of(currency),
        })
        .collect()
}

fn status(status: &BillStatus) -> &str {
    match status {
        BillStatus::Open => "open",
        BillStatus::Paid => "paid",
        BillStatus::PendingApproval => "waits for approval",
        BillStatus::Rejected => "rejected",
        BillStatus::Cancelled => "cancelled",
        BillStatus::Voided => "voided",
        BillStatus::Archived => "archived",
        BillStatus::Other(word) => word,
    }
}

fn approval(approval: &Approval) -> &str {
    match approval {
        Approval::Unassigned => "nobody assigned",
        Approval::Pending => "waits for approvers",
        Approval::Approved => "approved",
        Approval::Denied => "denied",
        Approval::Other(word) => word,
    }
}

fn payment_status(status: &PaymentStatus) -> &str {
    match status {
        PaymentStatus::Approving => "waits for approval",
        PaymentStatus::Scheduled => "scheduled",
        PaymentStatus::Funding => "the money is being taken",
        PaymentStatus::Processed => "processed",
        PaymentStatus::Cleared => "cleared",
        PaymentStatus::OnHold => "on hold",
        PaymentStatus::VoidPending => "void under way",
        PaymentStatus::Canceled => "canceled",
        PaymentStatus::Voided => "voided",
        PaymentStatus::FundingFailedVoided => "funding failed, voided",
        PaymentStatus::FundingFailedOwed => "funding failed, and the vendor was paid",
        PaymentStatus::Returned => "returned",
        PaymentStatus::Expiring => "check about to expire",
        PaymentStatus::Escheated => "turned over to the state",
        PaymentStatus::LedgerVoided => "voided in the ledger",
        PaymentStatus::Other(word) => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(fields: Vec<(&'static str, Value)>) -> Told {
        only(fields)
    }

    #[test]
    fn only_what_both_sides_know_can_differ() {
        let ledger = told(vec![
            ("Total", plain("500.00 USD")),
            ("Date", plain("2026-02-27")),
            ("Memo", aside("rent")),
            ("Purchase order", plain("PO-1")),
            ("Approval", plain("")),
        ]);
        let platform = told(vec![
            ("Total", plain("50.00 USD")),
            ("Date", plain("2026-02-27")),
            ("Memo", aside("rent (ns:1:2)")),
            ("Method", plain("ACH")),
        ]);
        let fields = beside(Some(&ledger), Some(&platform));
        let differing: Vec<_> = fields.iter().filter(|field| field.differs).collect();
        assert_eq!(differing.len(), 1);
        assert_eq!(differing[0].name, "Total");
        let names: Vec<_> = fields.iter().map(|field| field.name).collect();
        assert_eq!(names, ["Total", "Date", "Memo", "Purchase order", "Method"]);
        // A record that is on one side only differs from nothing.
        assert!(
            beside(Some(&ledger), None)
                .iter()
                .all(|field| !field.differs)
        );
    }

    #[test]
    fn a_vendor_is_the_same_by_its_link_whatever_it_is_called() {
        let vendor = |text: &str, means: &str| Value {
            text: text.to_owned(),
            means: means.to_owned(),
        };
        let ledger = told(vec![("Vendor", vendor("Acme", "ledger/vendor/1"))]);
        let platform = told(vec![("Vendor", vendor("ACME Inc.", "ledger/vendor/1"))]);
        assert!(!beside(Some(&ledger), Some(&platform))[0].differs);
        let other = told(vec![("Vendor", vendor("Acme", "ledger/vendor/2"))]);
        assert!(beside(Some(&ledger), Some(&other))[0].differs);
    }
}
