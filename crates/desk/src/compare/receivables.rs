//! What receivables say: customers, invoices, credit memos, payments by customers and refunds to them.

mod payouts;

use tieout_domain::document::{
    CreditMemo, Customer, CustomerPayment, CustomerRefund, Invoice, InvoiceStatus, KeptIn,
    PaymentUse, ReceiptStatus, SalesLine, UseOf,
};
use tieout_domain::{Currency, Document, Kind, RecordRef, RemoteId, Side};

use super::{
    Names, Paid, Told, ToldLine, Value, address, aside, day, dimensions, money, only, plain, yes,
};

/// Tells a document of receivables; any other kind says nothing here.
pub(super) fn tell(names: &Names<'_>, document: &Document) -> Told {
    match document {
        Document::Customer(customer) => tell_customer(names.side, customer),
        Document::Invoice(invoice) => tell_invoice(names, invoice),
        Document::CreditMemo(memo) => tell_credit(names, memo),
        Document::CustomerPayment(payment) => tell_payment(names, payment),
        Document::CustomerRefund(refund) => tell_refund(names, refund),
        Document::Item(item) => only(vec![
            ("Name", plain(item.name.clone())),
            ("Description", aside(item.description.clone())),
            ("Type", aside(item.item_type.clone())),
            ("Inactive", yes(item.inactive)),
        ]),
        Document::Terms(terms) => only(vec![
            ("Name", plain(terms.name.clone())),
            (
                "Days",
                plain(terms.days.map(|days| days.to_string()).unwrap_or_default()),
            ),
            ("Inactive", yes(terms.inactive)),
        ]),
        Document::Payout(payout) => payouts::tell_payout(names, payout),
        Document::Deposit(deposit) => payouts::tell_deposit(names, deposit),
        Document::InvoicePdf(pdf) => only(vec![("File", plain(pdf.name.clone()))]),
        _ => Told::default(),
    }
}

/// What a document of receivables refers to, by kind; payments refer to invoices and credit memos alike.
pub(super) fn references(document: &Document) -> Vec<(Kind, &RemoteId)> {
    let mut found: Vec<(Kind, &RemoteId)> = Vec::new();
    found.extend(document.customer().map(|id| (Kind::Customer, id)));
    let (lines, account, terms) = match document {
        Document::Invoice(it) => (
            &it.lines[..],
            it.receivables_account.as_ref(),
            it.terms.as_ref(),
        ),
        Document::CreditMemo(it) => (&it.lines[..], it.receivables_account.as_ref(), None),
        Document::CustomerPayment(it) => (&[][..], it.receivables_account.as_ref(), None),
        Document::CustomerRefund(it) => (&[][..], it.account.as_ref(), None),
        Document::Customer(it) => (&[][..], None, it.terms.as_ref()),
        Document::Deposit(it) => (&[][..], Some(&it.account), None),
        _ => (&[][..], None, None),
    };
    found.extend(account.map(|id| (Kind::Account, id)));
    found.extend(terms.map(|id| (Kind::Terms, id)));
    for line in lines {
        let parts = [
            (Kind::Item, &line.item),
            (Kind::Department, &line.department),
            (Kind::Class, &line.class),
            (Kind::Location, &line.location),
        ];
        found.extend(
            parts
                .into_iter()
                .filter_map(|(kind, id)| Some((kind, id.as_ref()?))),
        );
    }
    match document {
        Document::CreditMemo(memo) => found.extend(
            memo.applications
                .iter()
                .map(|application| (Kind::Invoice, &application.document)),
        ),
        Document::CustomerPayment(payment) => {
            for part in &payment.uses {
                found.extend(part.of.invoice().map(|id| (Kind::Invoice, id)));
                if let UseOf::CreditMemo { credit, .. } = &part.of {
                    found.push((Kind::CreditMemo, credit));
                }
            }
        }
        Document::Payout(payout) => {
            let paid = payout.payments();
            found.extend(paid.map(|(payment, _)| (Kind::CustomerPayment, payment)));
        }
        Document::Deposit(deposit) => {
            for taken in &deposit.payments {
                found.push((Kind::CustomerPayment, &taken.payment));
            }
            for line in &deposit.lines {
                found.push((Kind::Account, &line.account));
            }
        }
        _ => {}
    }
    found
}

fn tell_customer(side: Side, customer: &Customer) -> Told {
    let mut fields = vec![
        ("Name", plain(customer.name.clone())),
        ("Number", plain(customer.number.clone())),
        ("E-mail", plain(customer.email.clone())),
        ("Phone", plain(customer.phone.clone())),
        ("Address", plain(address(customer.address.as_ref()))),
        ("Inactive", yes(customer.inactive)),
    ];
    if side == Side::Platform {
        fields.push((
            "Charged without being asked",
            yes(customer.automatic_payment),
        ));
        fields.push(("Reminded without being asked", yes(customer.reminders)));
    }
    only(fields)
}

fn tell_invoice(names: &Names<'_>, invoice: &Invoice) -> Told {
    let mut fields = vec![
        ("Number", plain(invoice.number.clone())),
        (
            "Customer",
            names.reference(Kind::Customer, &invoice.customer),
        ),
        ("Date", day(Some(invoice.date))),
        ("Due", day(invoice.due)),
        ("Total", money(invoice.total, invoice.currency)),
        ("Open", money(invoice.open, invoice.currency)),
        ("Status", plain(status(&invoice.status))),
        ("Purchase order", plain(invoice.purchase_order.clone())),
        ("Memo", aside(invoice.memo.clone())),
    ];
    if let Some(account) = &invoice.receivables_account {
        fields.push((
            "Receivables account",
            plain(names.label(Kind::Account, account)),
        ));
    }
    Told {
        fields,
        lines: lines(names, &invoice.lines, invoice.currency),
        pays: Vec::new(),
    }
}

fn tell_credit(names: &Names<'_>, memo: &CreditMemo) -> Told {
    let pays = memo.applications.iter().map(|application| Paid {
        record: RecordRef::new(names.side, Kind::Invoice, application.document.clone()),
        label: names.label(Kind::Invoice, &application.document),
        amount: application.amount.of(memo.currency),
    });
    Told {
        fields: vec![
            ("Number", plain(memo.number.clone())),
            ("Customer", names.reference(Kind::Customer, &memo.customer)),
            ("Date", day(Some(memo.date))),
            ("Total", money(memo.total, memo.currency)),
            ("Open", money(memo.open, memo.currency)),
            ("Status", plain(status(&memo.status))),
            ("Memo", aside(memo.memo.clone())),
        ],
        lines: lines(names, &memo.lines, memo.currency),
        pays: pays.collect(),
    }
}

fn tell_payment(names: &Names<'_>, payment: &CustomerPayment) -> Told {
    let customer = match &payment.customer {
        Some(customer) => names.reference(Kind::Customer, customer),
        None => plain("nobody known"),
    };
    let mut fields = vec![
        ("Customer", customer),
        ("Reference", plain(payment.number.clone())),
        ("Date", day(Some(payment.date))),
        ("Total", money(payment.total, payment.currency)),
        ("Not applied", money(payment.unapplied, payment.currency)),
    ];
    match names.side {
        Side::Ledger => fields.push(("Kept in", kept_in(names, payment.kept_in.as_ref()))),
        Side::Platform => {
            fields.push(("Method", plain(payment.method.as_str())));
            fields.push((
                "Status on the platform",
                plain(receipt_status(&payment.status)),
            ));
            if let Some(charge) = &payment.charge {
                fields.push(("Charged by", plain(charge.gateway.clone())));
                fields.push(("Disputed", yes(charge.disputed)));
            }
        }
    }
    fields.push(("Memo", aside(payment.memo.clone())));
    Told {
        fields,
        lines: Vec::new(),
        pays: uses(names, &payment.uses, payment.currency),
    }
}

fn tell_refund(names: &Names<'_>, refund: &CustomerRefund) -> Told {
    only(vec![
        ("Number", plain(refund.number.clone())),
        (
            "Customer",
            names.reference(Kind::Customer, &refund.customer),
        ),
        ("Date", day(Some(refund.date))),
        ("Total", money(refund.total, refund.currency)),
        ("Method", plain(refund.method.as_str())),
        ("Voided", yes(refund.voided)),
        ("Memo", aside(refund.memo.clone())),
    ])
}

fn kept_in(names: &Names<'_>, kept_in: Option<&KeptIn>) -> Value {
    match kept_in {
        Some(KeptIn::UndepositedFunds) => plain("undeposited funds"),
        Some(KeptIn::Account(account)) => plain(names.label(Kind::Account, account)),
        None => Value::default(),
    }
}

fn lines(names: &Names<'_>, lines: &[SalesLine], currency: Currency) -> Vec<ToldLine> {
    let called = |line: &SalesLine| match &line.item {
        Some(item) => names.label(Kind::Item, item),
        None => line.name.clone(),
    };
    lines
        .iter()
        .map(|line| ToldLine {
            account: called(line),
            dimensions: dimensions(
                names,
                [
                    (Kind::Department, &line.department),
                    (Kind::Class, &line.class),
                    (Kind::Location, &line.location),
                ],
            ),
            memo: line.description.clone(),
            amount: line.amount.of(currency),
        })
        .collect()
}

/// What of a payment goes to invoices. What a credit memo pays is shown with its invoice.
fn uses(names: &Names<'_>, uses: &[PaymentUse], currency: Currency) -> Vec<Paid> {
    uses.iter()
        .filter_map(|part| {
            let invoice = part.of.invoice()?;
            Some(Paid {
                record: RecordRef::new(names.side, Kind::Invoice, invoice.clone()),
                label: names.label(Kind::Invoice, invoice),
                amount: part.amount.of(currency),
            })
        })
        .collect()
}

fn status(status: &InvoiceStatus) -> &str {
    match status {
        InvoiceStatus::Draft => "draft",
        InvoiceStatus::PendingApproval => "waits for approval",
        InvoiceStatus::Rejected => "rejected",
        InvoiceStatus::Open => "open",
        InvoiceStatus::PaymentPending => "a payment is under way",
        InvoiceStatus::Paid => "paid",
        InvoiceStatus::WrittenOff => "written off",
        InvoiceStatus::Voided => "voided",
        InvoiceStatus::Other(word) => word,
    }
}

fn receipt_status(status: &ReceiptStatus) -> &str {
    match status {
        ReceiptStatus::Pending => "pending",
        ReceiptStatus::Received => "received",
        ReceiptStatus::Deposited => "deposited",
        ReceiptStatus::PendingApproval => "waits for approval",
        ReceiptStatus::Failed => "failed",
        ReceiptStatus::Voided => "voided",
        ReceiptStatus::Other(word) => word,
    }
}
