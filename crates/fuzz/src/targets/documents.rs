//! Documents to be written: three of each kind, which differ in everything by which they are told apart.

use std::sync::Arc;

use jiff::civil::{Date, date};
use tieout_domain::document::{
    Account, AccountKind, Address, Application, Approval, Attachment, Bill, BillStatus, CreditUse,
    Dimension, InvoicePdf, Journal, JournalLine, Line, LineKind, Method, Payment, PaymentStatus,
    Vendor, VendorCredit,
};
use tieout_domain::port::{Action, File, Order};
use tieout_domain::{Amount, Currency, Document, Fingerprint, Key, Kind, Marker, RemoteId};

use super::receivables;

pub(super) const DAY: Date = date(2026, 6, 12);

/// The order of this kind and action, first, second or third.
pub(super) fn order(kind: Kind, action: Action, nth: u8) -> Order {
    let document = document(kind, nth);
    Order {
        file: file(kind),
        key: Key::of(["ns", "1234567-SB1", &nth.to_string()]),
        action,
        target: (action != Action::Create)
            .then(|| RemoteId::from(format!("{}", 400 + u32::from(nth)))),
        expect: (action == Action::Amend).then(|| document.clone()),
        document: if action == Action::Amend {
            amended(document)
        } else {
            document
        },
    }
}

/// What is sent of a kind that is a file.
fn file(kind: Kind) -> Option<Arc<File>> {
    matches!(kind, Kind::InvoicePdf | Kind::Attachment).then(|| {
        Arc::new(File {
            name: "scan.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            bytes: b"%PDF-1.4".to_vec(),
        })
    })
}

pub(super) fn amount(nth: u8) -> Amount {
    Amount::new(rust_decimal::Decimal::new(10_010 + i64::from(nth), 2))
}

fn amended(document: Document) -> Document {
    match document {
        Document::Bill(bill) => Document::Bill(Bill {
            memo: "Tables".to_owned(),
            ..bill
        }),
        Document::VendorCredit(credit) => Document::VendorCredit(VendorCredit {
            memo: "Tables".to_owned(),
            applications: vec![application(amount(0))],
            ..credit
        }),
        Document::Vendor(vendor) => Document::Vendor(Vendor {
            phone: "555-0199".to_owned(),
            ..vendor
        }),
        Document::Payment(payment) => Document::Payment(Payment {
            memo: "moved".to_owned(),
            ..payment
        }),
        Document::Account(account) => Document::Account(Account {
            name: "Travel abroad".to_owned(),
            ..account
        }),
        Document::Dimension(dimension) => Document::Dimension(Dimension {
            name: "West".to_owned(),
            path: "West".to_owned(),
            ..dimension
        }),
        Document::Journal(journal) => Document::Journal(Journal {
            memo: "moved".to_owned(),
            ..journal
        }),
        other => receivables::amended(other),
    }
}

pub(super) fn application(amount: Amount) -> Application {
    Application {
        document: "4001".into(),
        line: None,
        amount,
        discount: Amount::ZERO,
        credits: Vec::new(),
    }
}

/// A document of this kind.
pub(super) fn document(kind: Kind, nth: u8) -> Document {
    let number = format!("INV-{nth}");
    let external_id = Some(Key::of(["bill", "008", &format!("stp{nth}")]));
    match kind {
        Kind::Account => Document::Account(Account {
            number: format!("60{nth}0"),
            name: format!("Travel {nth}"),
            path: format!("Travel {nth}"),
            account_kind: AccountKind::Expense,
            parent: None,
            summary: false,
            inactive: false,
            subsidiaries: Vec::new(),
            description: String::new(),
        }),
        Kind::Department | Kind::Class | Kind::Location => Document::Dimension(Dimension {
            axis: kind,
            name: format!("East {nth}"),
            path: format!("East {nth}"),
            parent: None,
            inactive: false,
            subsidiaries: Vec::new(),
        }),
        Kind::Vendor => Document::Vendor(vendor(nth)),
        Kind::InvoicePdf => Document::InvoicePdf(InvoicePdf {
            invoice: format!("{}", 400 + u32::from(nth)).as_str().into(),
            printed: "77".into(),
            name: format!("{number}.pdf"),
            shows: Fingerprint::of(&nth),
        }),
        Kind::Attachment => Document::Attachment(Attachment {
            bill: "00n1".into(),
            file: Some("901".into()),
            name: format!("scan {nth}.pdf"),
            media_type: "application/pdf".to_owned(),
            size: 8,
            sha256: format!("a{nth}"),
        }),
        Kind::VendorCredit => Document::VendorCredit(VendorCredit {
            vendor: "12".into(),
            number,
            transaction_number: String::new(),
            date: DAY,
            currency: Currency::USD,
            exchange_rate: None,
            payables_account: None,
            subsidiary: None,
            period: None,
            lines: vec![line(nth)],
            total: amount(nth),
            open: amount(nth),
            applications: Vec::new(),
            status: BillStatus::Open,
            approval: Approval::Approved,
            memo: "Returned chair".to_owned(),
            marker: Marker::find_in(&format!("ns:1234567_SB1:{nth}")),
            external_id: None,
        }),
        Kind::Payment => Document::Payment(payment(nth, external_id)),
        Kind::Customer => Document::Customer(receivables::customer(nth)),
        Kind::Invoice => Document::Invoice(receivables::invoice(nth)),
        Kind::CreditMemo => Document::CreditMemo(receivables::credit_memo(nth)),
        Kind::CustomerPayment => Document::CustomerPayment(receivables::payment(nth)),
        Kind::CustomerRefund => Document::CustomerRefund(receivables::refund(nth)),
        Kind::Deposit => Document::Deposit(receivables::deposit(nth)),
        Kind::Journal => Document::Journal(Journal {
            number: String::new(),
            date: DAY,
            currency: Currency::USD,
            funded: None,
            subsidiary: Some("3".into()),
            department: None,
            class: None,
            location: None,
            memo: "returned".to_owned(),
            lines: vec![
                journal_line("1", amount(nth), Amount::ZERO),
                journal_line("111", Amount::ZERO, amount(nth)),
            ],
            external_id,
        }),
        Kind::Bill => Document::Bill(Bill {
            vendor: "12".into(),
            number,
            transaction_number: String::new(),
            date: DAY,
            due: Some(date(2026, 7, 12)),
            discount: None,
            currency: Currency::USD,
            exchange_rate: None,
            payables_account: None,
            subsidiary: None,
            period: None,
            lines: vec![line(nth)],
            total: amount(nth),
            open: amount(nth),
            scheduled: Amount::ZERO,
            status: BillStatus::Open,
            approval: Approval::Approved,
            memo: "Chairs".to_owned(),
            purchase_order: String::new(),
            payment_hold: false,
            marker: Marker::find_in(&format!("ns:1234567_SB1:{nth}")),
            external_id: None,
        }),
        // Whoever adds a writer gives it a document here: it would be fuzzed with nothing.
        Kind::FundingAccount | Kind::Item | Kind::Terms | Kind::Payout => {
            panic!("no system had a writer of the kind `{kind}`")
        }
    }
}

fn line(nth: u8) -> Line {
    Line {
        id: None,
        line_kind: LineKind::Expense,
        account: Some("601".into()),
        amount: amount(nth),
        memo: String::new(),
        department: None,
        class: None,
        location: None,
    }
}

fn journal_line(account: &str, debit: Amount, credit: Amount) -> JournalLine {
    JournalLine {
        account: account.into(),
        debit,
        credit,
        vendor: (!credit.is_zero()).then(|| "12".into()),
        memo: String::new(),
        line: None,
    }
}

fn vendor(nth: u8) -> Vendor {
    Vendor {
        name: format!("Birch {nth}"),
        number: String::new(),
        person: None,
        payee: None,
        email: "ar@birch.example".to_owned(),
        phone: "555-0100".to_owned(),
        address: Some(Address {
            line1: "1 Main St".to_owned(),
            line2: String::new(),
            city: "Springfield".to_owned(),
            state: "IL".to_owned(),
            zip: "62701".to_owned(),
            country: "US".to_owned(),
        }),
        account_number: String::new(),
        currency: Some(Currency::USD),
        tax_id_last4: String::new(),
        form_1099: false,
        subsidiaries: Vec::new(),
        category: String::new(),
        inactive: false,
        login_access: false,
        self_managed: false,
        payable_electronically: false,
    }
}

fn payment(nth: u8, external_id: Option<Key>) -> Payment {
    let mut application = application(amount(nth));
    if nth == 2 {
        application.credits = vec![CreditUse {
            credit: "4002".into(),
            amount: amount(0),
        }];
    }
    Payment {
        vendor: "12".into(),
        number: format!("P-{nth}"),
        date: DAY,
        currency: Currency::USD,
        total: amount(nth),
        funded: None,
        applications: vec![application],
        method: Method::Ach,
        status: PaymentStatus::Processed,
        outside: true,
        reference: String::new(),
        funding: None,
        check_number: String::new(),
        confirmation: String::new(),
        card_last4: String::new(),
        cleared: None,
        void: None,
        account: Some("1".into()),
        payables_account: Some("111".into()),
        subsidiary: Some("3".into()),
        period: None,
        department: None,
        class: None,
        location: None,
        memo: "paid".to_owned(),
        posted: true,
        external_id,
    }
}
