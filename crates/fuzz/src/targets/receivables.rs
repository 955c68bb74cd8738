//! Documents of receivables to be written, as the others are.

use tieout_domain::document::{
    CreditMemo, Customer, CustomerPayment, CustomerRefund, Deposit, DepositLine, Deposited,
    Invoice, InvoiceStatus, PaymentUse, ReceiptMethod, ReceiptStatus, SalesLine, SalesLineKind,
    UseOf,
};
use tieout_domain::{Amount, Currency, Document, Marker};

use super::documents::{DAY, amount, application};

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
        Document::CustomerRefund(refund) => {
            Document::CustomerRefund(CustomerRefund { memo, ..refund })
        }
        Document::Deposit(deposit) => Document::Deposit(Deposit { memo, ..deposit }),
        other => other,
    }
}

fn marker(nth: u8) -> Option<Marker> {
    Marker::find_in(&format!("ns:1234567_SB1:{nth}"))
}

pub(super) fn customer(nth: u8) -> Customer {
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
        item: Some("31".into()),
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

pub(super) fn invoice(nth: u8) -> Invoice {
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

pub(super) fn credit_memo(nth: u8) -> CreditMemo {
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

pub(super) fn payment(nth: u8) -> CustomerPayment {
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

pub(super) fn refund(nth: u8) -> CustomerRefund {
    CustomerRefund {
        customer: "12".into(),
        number: format!("R-{nth}"),
        date: DAY,
        currency: Currency::USD,
        total: amount(nth),
        applications: vec![application(amount(nth))],
        method: ReceiptMethod::Card,
        account: Some("1".into()),
        receivables_account: None,
        subsidiary: Some("3".into()),
        period: None,
        memo: "paid back".to_owned(),
        voided: false,
        external_id: None,
    }
}

/// A payment less a fee of one.
pub(super) fn deposit(nth: u8) -> Deposit {
    let payment = [amount(nth), Amount::ONE].into_iter().sum();
    Deposit {
        number: format!("D-{nth}"),
        date: DAY,
        currency: Currency::USD,
        account: "1".into(),
        payments: vec![Deposited {
            payment: "4001".into(),
            amount: payment,
        }],
        lines: vec![DepositLine {
            account: "66".into(),
            amount: -Amount::ONE,
            party: None,
            memo: "fee".to_owned(),
        }],
        total: amount(nth),
        memo: "paid out".to_owned(),
        subsidiary: Some("3".into()),
        period: None,
        external_id: None,
    }
}
