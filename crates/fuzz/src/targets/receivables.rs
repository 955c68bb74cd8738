//! Documents of receivables to be written, as the others are.

use tieout_domain::document::{
    CreditMemo, Customer, CustomerPayment, Invoice, InvoiceStatus, PaymentUse, ReceiptMethod,
    ReceiptStatus, SalesLine, SalesLineKind, UseOf,
};
use tieout_domain::{Amount, Currency, Document, Kind, Marker};

use super::documents::{DAY, amount};

/// The document of this kind, first, second or third.
pub(super) fn document(kind: Kind, nth: u8) -> Document {
    match kind {
        Kind::Customer => Document::Customer(customer(nth)),
        Kind::CreditMemo => Document::CreditMemo(credit_memo(nth)),
        Kind::CustomerPayment => Document::CustomerPayment(payment(nth)),
        _ => Document::Invoice(invoice(nth)),
    }
}

/// The document with a change of it.
pub(super) fn amended(document: Document) -> Document {
    let memo = "Tables".to_owned();
    match document {
        Document::Customer(customer) => Document::Customer(Customer {
            phone: "555-0199".to_owned(),
            ..customer
        }),
        Document::Invoice(invoice) => Document::Invoice(Invoice { memo, ..invoice }),
        Document::CreditMemo(credit) => Document::CreditMemo(CreditMemo { memo, ..credit }),
        Document::CustomerPayment(payment) => {
            Document::CustomerPayment(CustomerPayment { memo, ..payment })
        }
        other => other,
    }
}

fn marker(nth: u8) -> Option<Marker> {
    Marker::find_in(&format!("ns:1234567_SB1:{nth}"))
}

fn customer(nth: u8) -> Customer {
    Customer {
        name: format!("Birch {nth}"),
        number: format!("C-{nth}"),
        person: None,
        email: "ap@birch.example".to_owned(),
        phone: "555-0100".to_owned(),
        address: None,
        currency: Some(Currency::USD),
        terms: Some("NET 30".into()),
        parent: None,
        subsidiaries: Vec::new(),
        inactive: false,
        automatic_payment: false,
        reminders: false,
        marker: marker(nth),
        external_id: None,
    }
}

fn line(nth: u8) -> SalesLine {
    SalesLine {
        id: None,
        line_kind: SalesLineKind::Item,
        item: None,
        name: "Chairs".to_owned(),
        description: String::new(),
        quantity: Amount::new(1.into()),
        rate: amount(nth),
        amount: amount(nth),
        department: None,
        class: None,
        location: None,
    }
}

fn invoice(nth: u8) -> Invoice {
    Invoice {
        customer: "12".into(),
        number: format!("INV-{nth}"),
        date: DAY,
        due: None,
        terms: None,
        currency: Currency::USD,
        receivables_account: None,
        subsidiary: None,
        period: None,
        lines: vec![line(nth)],
        total: amount(nth),
        open: amount(nth),
        status: InvoiceStatus::Open,
        memo: "Chairs".to_owned(),
        purchase_order: String::new(),
        marker: marker(nth),
        external_id: None,
    }
}

fn credit_memo(nth: u8) -> CreditMemo {
    CreditMemo {
        customer: "12".into(),
        number: format!("CN-{nth}"),
        date: DAY,
        currency: Currency::USD,
        receivables_account: None,
        subsidiary: None,
        period: None,
        lines: vec![line(nth)],
        total: amount(nth),
        open: amount(nth),
        applications: Vec::new(),
        status: InvoiceStatus::Open,
        memo: "Returned chair".to_owned(),
        marker: marker(nth),
        external_id: None,
    }
}

fn payment(nth: u8) -> CustomerPayment {
    CustomerPayment {
        customer: Some("12".into()),
        number: format!("P-{nth}"),
        date: DAY,
        currency: Currency::USD,
        total: amount(nth),
        unapplied: Amount::ZERO,
        uses: vec![PaymentUse {
            of: UseOf::Invoice("4001".into()),
            amount: amount(nth),
        }],
        method: ReceiptMethod::Check,
        status: ReceiptStatus::Received,
        charge: None,
        kept_in: None,
        receivables_account: None,
        subsidiary: None,
        period: None,
        memo: "paid".to_owned(),
        marker: marker(nth),
        external_id: None,
    }
}
