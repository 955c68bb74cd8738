//! Receivables: customers, invoices, credit memos, payments and refunds, read and written.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde_json::json;
use tieout_domain::document::{
    Application, CreditMemo, Customer, CustomerPayment, CustomerRefund, Invoice, InvoiceStatus,
    KeptIn, PaymentUse, ReceiptMethod, ReceiptStatus, SalesLine, SalesLineKind, UseOf,
};
use tieout_domain::port::{Action, Answer, Depth, Mark, Observed, Order, Receipt};
use tieout_domain::{Amount, Currency, Document, Fault, Key, Kind, RemoteId};
use tieout_kit::fake::world::World;
use tieout_kit::fake::world::generate::{Shape, generate};

use crate::stage::{Stage, TODAY};

/// A company that sells, where nothing was changed in the very seconds in which it is read: such a change would be
/// read twice.
pub(crate) fn sold(one_world: bool) -> World {
    let mut world = generate(&Shape {
        one_world,
        vendors: 10,
        bills: 50,
        customers: 30,
        invoices: 120,
        ..Shape::new(TODAY)
    });
    let yesterday = "2026-06-30".parse().unwrap();
    let sold = &mut world.receivables;
    let dates = sold.invoices.iter_mut().map(|one| &mut one.date);
    let dates = dates.chain(sold.credit_memos.iter_mut().map(|one| &mut one.date));
    let dates = dates.chain(sold.payments.iter_mut().map(|one| &mut one.date));
    dates.for_each(|date| *date = (*date).min(yesterday));
    world
}

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

impl Stage {
    /// Everything of a kind, or what changed since a mark.
    pub(crate) async fn read(
        &self,
        kind: Kind,
        mark: Option<&Mark>,
    ) -> (Vec<Observed>, Vec<RemoteId>, Mark) {
        let depth = if mark.is_some() {
            Depth::Changes
        } else {
            Depth::Whole
        };
        let (mut all, mut gone, mut token) = (Vec::new(), Vec::new(), None);
        loop {
            let page = self.ports.read[&kind]
                .page(depth, mark, token.as_ref())
                .await
                .unwrap();
            assert!(page.unreadable.is_empty(), "{:?}", page.unreadable);
            all.extend(page.records);
            gone.extend(page.gone);
            match page.next {
                Some(next) => token = Some(next),
                None => return (all, gone, page.mark.unwrap()),
            }
        }
    }

    pub(crate) async fn one(&self, kind: Kind, id: &RemoteId) -> Document {
        let found = self.ports.read[&kind]
            .fetch(std::slice::from_ref(id))
            .await
            .unwrap();
        found.into_iter().next().unwrap().document
    }

    pub(crate) async fn order(
        &self,
        action: Action,
        target: Option<&RemoteId>,
        expect: Option<Document>,
        document: Document,
    ) -> Answer {
        let kind = document.kind();
        let order = Order {
            key: Key::of(["inv", kind.as_str(), "1"]),
            action,
            target: target.cloned(),
            document,
            expect,
            file: None,
        };
        self.ports.write[&kind].write(&[order]).await.remove(0)
    }

    pub(crate) async fn make(&self, document: Document) -> Receipt {
        match self.order(Action::Create, None, None, document).await {
            Answer::Applied(receipt) => receipt,
            Answer::Failed(fault) => panic!("{fault}"),
        }
    }

    fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

fn invoices(read: &[Observed]) -> impl Iterator<Item = &Invoice> {
    read.iter().map(|one| match &one.document {
        Document::Invoice(invoice) => invoice,
        other => panic!("{other:?}"),
    })
}

fn payments(read: &[Observed]) -> impl Iterator<Item = &CustomerPayment> {
    read.iter().map(|one| match &one.document {
        Document::CustomerPayment(payment) => payment,
        other => panic!("{other:?}"),
    })
}

#[tokio::test]
async fn what_a_company_sells_is_read_to_the_cent_and_by_the_page() {
    for one_world in [true, false] {
        let world = sold(one_world);
        let stage = Stage::new(&world).await;
        let before = stage.sent();
        let (read, _, _) = stage.read(Kind::Invoice, None).await;
        // One query of invoices, one of their lines; what the account is like is asked for once, at the start.
        assert!(stage.sent() - before <= 5, "{}", stage.sent() - before);
        assert_eq!(read.len(), world.receivables.invoices.len());
        for invoice in invoices(&read) {
            let lines = Amount::total(invoice.lines.iter().map(|line| line.amount)).unwrap();
            if invoice.status != InvoiceStatus::Voided {
                assert_eq!(lines, invoice.total, "{}", invoice.number);
            }
            for line in &invoice.lines {
                assert!(line.item.is_some() && !line.quantity.is_zero());
            }
        }
        let has = |status: &InvoiceStatus| invoices(&read).any(|one| one.status == *status);
        for status in [
            InvoiceStatus::Open,
            InvoiceStatus::Paid,
            InvoiceStatus::PendingApproval,
            InvoiceStatus::Rejected,
            InvoiceStatus::Voided,
        ] {
            assert!(has(&status), "{status:?}");
        }

        let (memos, _, _) = stage.read(Kind::CreditMemo, None).await;
        let (paid, _, _) = stage.read(Kind::CustomerPayment, None).await;
        let mut open: BTreeMap<RemoteId, Amount> = read
            .iter()
            .zip(invoices(&read))
            .map(|(one, invoice)| (one.id.clone(), invoice.total))
            .collect();
        let mut lower = |id: &RemoteId, amount: Amount| {
            let left = open.get_mut(id).unwrap();
            *left = left.minus(amount).unwrap();
        };
        for payment in payments(&paid) {
            for part in &payment.uses {
                lower(part.of.invoice().unwrap(), part.amount);
            }
            let used = Amount::total(payment.uses.iter().map(|part| part.amount)).unwrap();
            assert_eq!(used.plus(payment.unapplied).unwrap(), payment.total);
        }
        for memo in &memos {
            let Document::CreditMemo(memo) = &memo.document else {
                panic!("{memo:?}")
            };
            for one in &memo.applications {
                lower(&one.document, one.amount);
            }
            let used = Amount::total(memo.applications.iter().map(|one| one.amount)).unwrap();
            assert_eq!(used.plus(memo.open).unwrap(), memo.total);
        }
        for (one, invoice) in read.iter().zip(invoices(&read)) {
            assert_eq!(open[&one.id], invoice.open, "{}", invoice.number);
        }
        let funds = |payment: &&CustomerPayment| payment.kept_in == Some(KeptIn::UndepositedFunds);
        assert!(payments(&paid).any(|paid| funds(&paid) && paid.status == ReceiptStatus::Received));
        assert!(
            payments(&paid).any(|paid| !funds(&paid) && paid.status == ReceiptStatus::Deposited)
        );
    }
}

#[tokio::test]
async fn a_quiet_run_asks_once_for_each_kind() {
    let world = sold(true);
    let stage = Stage::new(&world).await;
    let kinds = [
        Kind::Customer,
        Kind::Invoice,
        Kind::CreditMemo,
        Kind::CustomerPayment,
        Kind::CustomerRefund,
        Kind::Item,
        Kind::Terms,
    ];
    let mut marks = Vec::new();
    for kind in kinds {
        let (_, _, mark) = stage.read(kind, None).await;
        marks.push((kind, mark));
    }
    let before = stage.sent();
    for (kind, mark) in &marks {
        let (read, gone, _) = stage.read(*kind, Some(mark)).await;
        assert!(gone.is_empty());
        assert!(read.is_empty() || *kind == Kind::Terms, "{kind}: {read:?}");
    }
    // Deletions are asked for once for all.
    assert_eq!(stage.sent() - before, kinds.len() + 1);
}

#[tokio::test]
async fn what_is_paid_and_deleted_over_there_is_read_as_a_change() {
    let stage = Stage::new(&sold(true)).await;
    let (read, _, mark) = stage.read(Kind::Invoice, None).await;
    let (payments_read, _, paid_mark) = stage.read(Kind::CustomerPayment, None).await;
    let open = |one: &&Observed| match &one.document {
        Document::Invoice(invoice) => {
            invoice.status == InvoiceStatus::Open
                && invoice.open == invoice.total
                && invoice.date > "2026-01-01".parse().unwrap()
        }
        _ => false,
    };
    let mut untouched = read.iter().filter(open).map(|one| one.id.clone());
    let (paid, deleted) = (untouched.next().unwrap(), untouched.next().unwrap());
    let payment = stage
        .person("customerpayment", json!({"invoices": [paid.as_str()]}))
        .await;
    let path = format!("invoice/{deleted}");
    stage.person(&path, json!({"action": "delete"})).await;
    stage.ports.whole.run_begins();
    let (changed, gone, _) = stage.read(Kind::Invoice, Some(&mark)).await;
    let ids: Vec<&RemoteId> = changed.iter().map(|one| &one.id).collect();
    assert_eq!(ids, [&paid]);
    assert_eq!(gone, [deleted]);
    let (changed, _, mark) = stage.read(Kind::CustomerPayment, Some(&paid_mark)).await;
    let ids: Vec<&str> = changed.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, [payment.as_str()]);
    assert!(!payments_read.iter().any(|one| one.id.as_str() == payment));
    // A deposit takes it: it is another state of the payment.
    let bank = stage.account("1000").await;
    let id: i64 = payment.parse().unwrap();
    let fields =
        json!({"account": bank, "date": "2026-07-01", "payment": [{"id": id, "deposit": true}]});
    stage.person("deposit", fields).await;
    let (changed, _, _) = stage.read(Kind::CustomerPayment, Some(&mark)).await;
    let states: Vec<&ReceiptStatus> = payments(&changed).map(|paid| &paid.status).collect();
    assert_eq!(states, [&ReceiptStatus::Deposited]);
}

/// What a platform has made: a customer, and an invoice of two lines, a discount and a tax.
pub(crate) async fn sale(stage: &Stage) -> (RemoteId, Invoice) {
    let items = stage.read(Kind::Item, None).await.0;
    let item = |name: &str| {
        let found = items.iter().find(|one| one.document.label() == name);
        Some(found.unwrap().id.clone())
    };
    let customer = Customer {
        name: "Example Buyer Co".to_owned(),
        number: "CUST-1".to_owned(),
        person: None,
        email: "buyer@example.com".to_owned(),
        phone: String::new(),
        address: Some(tieout_domain::document::Address {
            line1: "1 Example Street".to_owned(),
            city: "Springfield".to_owned(),
            state: "IL".to_owned(),
            zip: "62701".to_owned(),
            country: "US".to_owned(),
            ..Default::default()
        }),
        currency: Some(Currency::USD),
        terms: Some("1".into()),
        parent: None,
        subsidiaries: Vec::new(),
        inactive: false,
        automatic_payment: false,
        reminders: false,
        marker: None,
        external_id: Some(Key::of(["inv", "customer", "77"])),
    };
    let made = stage.make(Document::Customer(customer)).await;
    let line = |kind, name: &str, amount_: &str| SalesLine {
        id: None,
        line_kind: kind,
        item: item(name),
        name: name.to_owned(),
        description: String::new(),
        quantity: amount("1"),
        rate: amount(amount_),
        amount: amount(amount_),
        department: None,
        class: None,
        location: None,
    };
    let mut first = line(SalesLineKind::Item, "Consulting hour", "31.5");
    (first.quantity, first.rate) = (amount("3"), amount("10.5"));
    let invoice = Invoice {
        customer: made.id.clone(),
        number: "INV-0001".to_owned(),
        date: "2026-06-10".parse().unwrap(),
        due: Some("2026-07-10".parse().unwrap()),
        terms: Some("1".into()),
        currency: Currency::USD,
        receivables_account: None,
        subsidiary: None,
        period: None,
        lines: vec![
            first,
            line(SalesLineKind::Item, "Widget, green", "80"),
            line(SalesLineKind::Discount, "Discount", "-11.15"),
            line(SalesLineKind::Tax, "Sales tax", "8.91"),
        ],
        total: amount("109.26"),
        open: amount("109.26"),
        status: InvoiceStatus::Open,
        memo: "made on the platform".to_owned(),
        purchase_order: "PO-7".to_owned(),
        marker: None,
        external_id: Some(Key::of(["inv", "invoice", "1"])),
    };
    (made.id, invoice)
}

#[tokio::test]
async fn a_customer_and_an_invoice_are_made_once_and_changed_line_by_line() {
    let stage = Stage::new(&sold(true)).await;
    let (customer, invoice) = sale(&stage).await;
    let Document::Customer(read) = stage.one(Kind::Customer, &customer).await else {
        panic!("a customer")
    };
    assert_eq!(
        (read.name.as_str(), read.number.as_str()),
        ("Example Buyer Co", "CUST-1")
    );
    assert_eq!(read.address.unwrap().city, "Springfield");

    let made = stage.make(Document::Invoice(invoice.clone())).await;
    let Document::Invoice(read) = stage.one(Kind::Invoice, &made.id).await else {
        panic!("an invoice")
    };
    assert_eq!((read.total, read.open), (invoice.total, invoice.total));
    assert_eq!(read.purchase_order, "PO-7");
    let told: Vec<(Amount, Amount, Amount)> = read
        .lines
        .iter()
        .map(|line| (line.quantity, line.rate, line.amount))
        .collect();
    assert_eq!(told[0], (amount("3"), amount("10.5"), amount("31.5")));
    assert_eq!(told[2], (amount("1"), amount("-11.15"), amount("-11.15")));
    assert_eq!(read.lines[2].line_kind, SalesLineKind::Discount);
    let again = stage.make(Document::Invoice(invoice.clone())).await;
    assert_eq!((again.id, again.adopted), (made.id.clone(), true));

    let mut wanted = read.clone();
    wanted.lines.remove(1);
    wanted.total = amount("29.26");
    wanted.due = Some("2026-07-20".parse().unwrap());
    let expect = Some(Document::Invoice(read.clone()));
    let changed = stage
        .order(
            Action::Amend,
            Some(&made.id),
            expect.clone(),
            Document::Invoice(wanted.clone()),
        )
        .await;
    assert!(
        matches!(&changed, Answer::Applied(receipt) if !receipt.adopted),
        "{changed:?}"
    );
    let Document::Invoice(after) = stage.one(Kind::Invoice, &made.id).await else {
        panic!("an invoice")
    };
    assert_eq!((after.total, after.lines.len()), (wanted.total, 3));
    assert_eq!(after.due, wanted.due);
    // Somebody edited it meanwhile: what they did is not overwritten.
    wanted.total = amount("20.35");
    wanted.lines.pop();
    let refused = stage
        .order(
            Action::Amend,
            Some(&made.id),
            expect,
            Document::Invoice(wanted),
        )
        .await;
    let Answer::Failed(fault) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(fault.code().as_str(), "edited-there");
}

#[tokio::test]
async fn a_customer_whose_name_is_taken_is_refused_and_never_sent_again_blindly() {
    let stage = Stage::new(&sold(true)).await;
    let (id, _) = sale(&stage).await;
    let Document::Customer(mut other) = stage.one(Kind::Customer, &id).await else {
        panic!("a customer")
    };
    other.external_id = Some(Key::of(["inv", "customer", "78"]));
    let answer = stage
        .order(Action::Create, None, None, Document::Customer(other))
        .await;
    let Answer::Failed(Fault::Refused { code, .. }) = &answer else {
        panic!("{answer:?}")
    };
    assert_eq!(code.as_str(), "exists-there");
}

#[tokio::test]
async fn a_customer_is_changed_and_keeps_what_a_person_has_added() {
    let stage = Stage::new(&sold(true)).await;
    let (id, _) = sale(&stage).await;
    let there = stage.one(Kind::Customer, &id).await;
    let Document::Customer(mut wanted) = there.clone() else {
        panic!("{there:?}")
    };
    wanted.name = "Example Buyer Company".to_owned();
    wanted.email = String::new();
    wanted.address.as_mut().unwrap().line1 = "2 Example Street".to_owned();
    let wanted = Document::Customer(wanted);
    let answer = stage
        .order(
            Action::Amend,
            Some(&id),
            Some(there.clone()),
            wanted.clone(),
        )
        .await;
    assert!(
        matches!(&answer, Answer::Applied(receipt) if !receipt.adopted),
        "{answer:?}"
    );
    let Document::Customer(read) = stage.one(Kind::Customer, &id).await else {
        panic!("a customer")
    };
    assert_eq!(read.name, "Example Buyer Company");
    assert!(read.email.is_empty());
    assert_eq!(read.address.unwrap().line1, "2 Example Street");
    let addresses = stage
        .value(&format!(
            "SELECT COUNT(*) AS n FROM customeraddressbook b WHERE b.entity = {id}"
        ))
        .await;
    assert_eq!(addresses, "2");
    let again = stage
        .order(Action::Amend, Some(&id), Some(there), wanted)
        .await;
    assert!(
        matches!(&again, Answer::Applied(receipt) if receipt.adopted),
        "{again:?}"
    );
}

pub(crate) fn receipt(customer: &RemoteId, total: &str, uses: Vec<PaymentUse>) -> CustomerPayment {
    CustomerPayment {
        customer: Some(customer.clone()),
        number: "CHK-9".to_owned(),
        date: "2026-06-20".parse().unwrap(),
        currency: Currency::USD,
        total: amount(total),
        unapplied: Amount::ZERO,
        uses,
        method: ReceiptMethod::Check,
        status: ReceiptStatus::Received,
        charge: None,
        kept_in: Some(KeptIn::UndepositedFunds),
        receivables_account: None,
        subsidiary: None,
        period: None,
        memo: "platform payment 5".to_owned(),
        marker: None,
        external_id: Some(Key::of(["inv", "payment", "5"])),
    }
}

#[tokio::test]
async fn a_payment_goes_to_undeposited_funds_with_its_credit_and_its_overpayment() {
    let stage = Stage::new(&sold(true)).await;
    let (customer, invoice) = sale(&stage).await;
    let invoice = stage.make(Document::Invoice(invoice)).await.id;
    let Document::Invoice(there) = stage.one(Kind::Invoice, &invoice).await else {
        panic!("an invoice")
    };
    let memo = CreditMemo {
        customer: customer.clone(),
        number: "CN-1".to_owned(),
        date: "2026-06-15".parse().unwrap(),
        currency: Currency::USD,
        receivables_account: None,
        subsidiary: None,
        period: None,
        lines: vec![SalesLine {
            amount: amount("30"),
            rate: amount("10"),
            ..there.lines[0].clone()
        }],
        total: amount("30"),
        open: amount("30"),
        applications: Vec::new(),
        status: InvoiceStatus::Open,
        memo: String::new(),
        marker: None,
        external_id: Some(Key::of(["inv", "memo", "1"])),
    };
    let memo = stage.make(Document::CreditMemo(memo)).await.id;
    let uses = vec![
        PaymentUse {
            of: UseOf::Invoice(invoice.clone()),
            amount: amount("89.26"),
        },
        PaymentUse {
            of: UseOf::CreditMemo {
                credit: memo.clone(),
                invoice: invoice.clone(),
            },
            amount: amount("20"),
        },
        PaymentUse {
            of: UseOf::Credit,
            amount: amount("10.74"),
        },
    ];
    let wanted = receipt(&customer, "100", uses);
    let made = stage.make(Document::CustomerPayment(wanted.clone())).await;
    let read = stage.one(Kind::CustomerPayment, &made.id).await;
    let Document::CustomerPayment(paid) = &read else {
        panic!("{read:?}")
    };
    assert_eq!(
        (paid.total, paid.unapplied),
        (amount("100"), amount("10.74"))
    );
    assert_eq!(paid.kept_in, Some(KeptIn::UndepositedFunds));
    assert_eq!(
        (paid.number.as_str(), &paid.status),
        ("CHK-9", &ReceiptStatus::Received)
    );
    let Document::Invoice(settled) = stage.one(Kind::Invoice, &invoice).await else {
        panic!("an invoice")
    };
    assert_eq!(
        (settled.status, settled.open),
        (InvoiceStatus::Paid, Amount::ZERO)
    );
    let Document::CreditMemo(used) = stage.one(Kind::CreditMemo, &memo).await else {
        panic!("a credit memo")
    };
    assert_eq!(used.open, amount("10"));

    // What was kept goes back, and so does the rest of the credit.
    let refund = CustomerRefund {
        customer,
        number: String::new(),
        date: "2026-06-25".parse().unwrap(),
        currency: Currency::USD,
        total: amount("20.74"),
        applications: vec![
            Application {
                document: made.id.clone(),
                line: None,
                amount: amount("10.74"),
                discount: Amount::ZERO,
                credits: Vec::new(),
            },
            Application {
                document: memo.clone(),
                line: None,
                amount: amount("10"),
                discount: Amount::ZERO,
                credits: Vec::new(),
            },
        ],
        method: ReceiptMethod::Ach,
        account: Some(stage.account("1000").await.as_str().into()),
        receivables_account: None,
        subsidiary: None,
        period: None,
        memo: String::new(),
        voided: false,
        external_id: Some(Key::of(["inv", "refund", "1"])),
    };
    let back = stage.make(Document::CustomerRefund(refund.clone())).await;
    let Document::CustomerRefund(told) = stage.one(Kind::CustomerRefund, &back.id).await else {
        panic!("a refund")
    };
    assert_eq!(told.total, amount("20.74"));
    let mut parts: Vec<(RemoteId, Amount)> = told
        .applications
        .iter()
        .map(|one| (one.document.clone(), one.amount))
        .collect();
    parts.sort();
    let mut expected = vec![(made.id.clone(), amount("10.74")), (memo, amount("10"))];
    expected.sort();
    assert_eq!(parts, expected);
    let again = stage.make(Document::CustomerRefund(refund)).await;
    assert!(again.adopted);
    let Document::CustomerPayment(left) = stage.one(Kind::CustomerPayment, &made.id).await else {
        panic!("a payment")
    };
    assert_eq!(left.unapplied, Amount::ZERO);
    assert_eq!(left.uses.len(), 1);
}

#[tokio::test]
async fn a_payment_that_came_back_is_moved_from_its_invoice_to_a_journal_entry() {
    let stage = Stage::new(&sold(true)).await;
    let (customer, invoice) = sale(&stage).await;
    let invoice = stage.make(Document::Invoice(invoice)).await.id;
    let uses = vec![PaymentUse {
        of: UseOf::Invoice(invoice.clone()),
        amount: amount("109.26"),
    }];
    let made = stage
        .make(Document::CustomerPayment(receipt(
            &customer, "109.26", uses,
        )))
        .await;
    let receivable = stage.account("1100").await;
    let bank = stage.account("1000").await;
    let entry = stage
        .journal(
            "2026-06-28",
            &[
                (&receivable, "109.26", Some(customer.as_str())),
                (&bank, "-109.26", None),
            ],
        )
        .await;
    let there = stage.one(Kind::CustomerPayment, &made.id).await;
    let Document::CustomerPayment(mut wanted) = there.clone() else {
        panic!("{there:?}")
    };
    wanted.uses = vec![PaymentUse {
        of: UseOf::JournalEntry {
            entry: entry.as_str().into(),
            line: Some(1),
        },
        amount: amount("109.26"),
    }];
    let wanted = Document::CustomerPayment(wanted);
    let answer = stage
        .order(
            Action::Amend,
            Some(&made.id),
            Some(there.clone()),
            wanted.clone(),
        )
        .await;
    assert!(
        matches!(&answer, Answer::Applied(receipt) if !receipt.adopted),
        "{answer:?}"
    );
    let Document::Invoice(read) = stage.one(Kind::Invoice, &invoice).await else {
        panic!("an invoice")
    };
    assert_eq!(
        (read.status, read.open),
        (InvoiceStatus::Open, amount("109.26"))
    );
    assert_eq!(stage.one(Kind::CustomerPayment, &made.id).await, wanted);
    let again = stage
        .order(Action::Amend, Some(&made.id), Some(there), wanted)
        .await;
    assert!(
        matches!(&again, Answer::Applied(receipt) if receipt.adopted),
        "{again:?}"
    );
}
