//! A small world of receivables: a customer, an item, and both switches on.

use tieout_domain::document::*;
use tieout_domain::port::{Action, Ways};
use tieout_domain::{Amount, Currency, Document, Kind, RecordRef, RemoteId, Side};
use tieout_flows::preferences::FirstSync;
use tieout_flows::{Seen, receivables};

use crate::world::*;

/// A platform like Invoiced: sales begin there too, it has credit notes and pays nothing out.
pub(crate) const INVOICED: Ways = Ways {
    originates: true,
    credit_notes: true,
    ..Ways::NONE
};

impl World {
    /// A customer 7 in the ledger, undeposited funds chosen, items for lines, taxes and discounts, and writing to
    /// the ledger confirmed.
    pub(crate) fn receivables() -> Self {
        let mut world = Self::empty(receivables(INVOICED), "invoiced", "acme");
        world.connection.ways = INVOICED;
        let preferences = &mut world.preferences.receivables;
        preferences.reconcile = true;
        preferences.first_sync = FirstSync::All;
        preferences.default_item = "500".into();
        preferences.tax_item = "501".into();
        preferences.discount_item = "502".into();
        preferences.fee_item = "503".into();
        preferences.bank_account = "10".into();
        preferences.deposit_accounts = vec!["undeposited".into()];
        world.put(ledger(Kind::Customer, "7"), customer("Acme Ltd", "C-7"));
        world
    }

    /// What is open on each side, by the payments and credits that are there.
    pub(crate) fn settle_receivables(&mut self) {
        for side in [Side::Ledger, Side::Platform] {
            let live = |seen: &&Seen| !seen.gone;
            let here = self
                .records
                .iter()
                .filter(|(record, _)| record.side == side);
            let documents: Vec<Document> = here
                .map(|(_, seen)| seen)
                .filter(live)
                .map(|seen| seen.document.clone())
                .collect();
            for (record, seen) in &mut self.records {
                if record.side == side {
                    settle(record, &mut seen.document, &documents);
                }
                if let Document::Invoice(it) = &mut seen.document
                    && record.side == Side::Platform
                    && it.status == InvoiceStatus::Open
                    && !self.tells_balances
                {
                    it.open = it.total;
                }
            }
        }
    }

    /// Books the credits of a payment as NetSuite does: they pay its invoices in turn, whichever was meant, each
    /// application is the credit memo's own, and the saved payment shows its cash alone. Named again in a change, they
    /// would be used again.
    pub(crate) fn use_credits(&mut self, payment: &mut CustomerPayment, action: Action) {
        let is_credit = |part: &PaymentUse| matches!(part.of, UseOf::CreditMemo { .. });
        if !payment.uses.iter().any(is_credit) {
            return;
        }
        assert_eq!(action, Action::Create, "the credits are used twice");
        let mut gross: Vec<(RemoteId, Amount)> = Vec::new();
        for part in &payment.uses {
            let invoice = part.of.invoice().unwrap();
            match gross.iter_mut().find(|(known, _)| known == invoice) {
                Some((_, sum)) => *sum = sum.plus(part.amount).unwrap(),
                None => gross.push((invoice.clone(), part.amount)),
            }
        }
        for part in &payment.uses {
            let UseOf::CreditMemo { credit, .. } = &part.of else {
                continue;
            };
            let mut left = part.amount;
            for (invoice, open) in &mut gross {
                let taken = left.min(*open);
                left = left.minus(taken).unwrap();
                *open = open.minus(taken).unwrap();
                let memo = ledger(Kind::CreditMemo, credit.as_str());
                if taken.is_positive() {
                    self.memo(&memo, |memo| applied(memo, invoice.as_str(), taken));
                }
            }
        }
        payment.uses = gross
            .into_iter()
            .filter(|(_, amount)| amount.is_positive())
            .map(|(invoice, amount)| PaymentUse {
                of: UseOf::Invoice(invoice),
                amount,
            })
            .collect();
    }

    pub(crate) fn memo(&mut self, record: &RecordRef, change: impl FnOnce(&mut CreditMemo)) {
        let Document::CreditMemo(it) = &mut self.records.get_mut(record).unwrap().document else {
            panic!("{record} is no credit memo")
        };
        change(it);
    }

    pub(crate) fn memo_at(&self, record: &RecordRef) -> &CreditMemo {
        let Document::CreditMemo(it) = self.at(record) else {
            panic!("{record} is no credit memo")
        };
        it
    }

    /// A credit memo of the ledger, sent, with its credit note.
    pub(crate) fn credited(&mut self, id: &str, total: &str) -> (RecordRef, RecordRef) {
        let record = ledger(Kind::CreditMemo, id);
        self.put(record.clone(), credit_memo("7", &format!("CM-{id}"), total));
        self.sync();
        let note = self.target("credit-memos", &record);
        (
            record,
            note.unwrap_or_else(|| panic!("{:#?}", self.outcomes)),
        )
    }

    /// An invoice of the ledger, sent, with its copy.
    pub(crate) fn invoiced(&mut self, id: &str, total: &str) -> (RecordRef, RecordRef) {
        let record = ledger(Kind::Invoice, id);
        self.put(record.clone(), invoice("7", &format!("INV-{id}"), total));
        self.sync();
        let there = self.target("invoices", &record);
        let there = there.unwrap_or_else(|| panic!("{:#?}", self.outcomes));
        (record, there)
    }

    /// Somebody pays on the platform.
    pub(crate) fn receives(&mut self, id: &str, payment: CustomerPayment) -> RecordRef {
        let record = platform(Kind::CustomerPayment, id);
        self.put(record.clone(), Document::CustomerPayment(payment));
        self.settle_receivables();
        self.sync();
        record
    }

    pub(crate) fn invoice(&mut self, record: &RecordRef, change: impl FnOnce(&mut Invoice)) {
        let Document::Invoice(it) = &mut self.records.get_mut(record).unwrap().document else {
            panic!("{record} is no invoice")
        };
        change(it);
        self.settle_receivables();
    }

    pub(crate) fn invoice_at(&self, record: &RecordRef) -> &Invoice {
        let Document::Invoice(it) = self.at(record) else {
            panic!("{record} is no invoice")
        };
        it
    }

    pub(crate) fn receipt(
        &mut self,
        record: &RecordRef,
        change: impl FnOnce(&mut CustomerPayment),
    ) {
        let Document::CustomerPayment(it) = &mut self.records.get_mut(record).unwrap().document
        else {
            panic!("{record} is no payment")
        };
        change(it);
        self.settle_receivables();
    }

    pub(crate) fn receipt_at(&self, record: &RecordRef) -> &CustomerPayment {
        let Document::CustomerPayment(it) = self.at(record) else {
            panic!("{record} is no payment")
        };
        it
    }
}

/// Applies so much more of a credit memo to an invoice.
pub(crate) fn applied(memo: &mut CreditMemo, invoice: &str, amount: Amount) {
    let known = memo
        .applications
        .iter_mut()
        .find(|it| it.document.as_str() == invoice);
    match known {
        Some(it) => it.amount = it.amount.plus(amount).unwrap(),
        None => memo.applications.push(Application {
            document: invoice.into(),
            line: None,
            amount,
            discount: Amount::ZERO,
            credits: Vec::new(),
        }),
    }
}

/// What a document's open amount and status follow from.
fn settle(record: &RecordRef, document: &mut Document, all: &[Document]) {
    let payments = || {
        all.iter().filter_map(|document| match document {
            Document::CustomerPayment(it)
                if !matches!(it.status, ReceiptStatus::Voided | ReceiptStatus::Failed) =>
            {
                Some(it)
            }
            _ => None,
        })
    };
    match document {
        Document::Invoice(it) if matches!(it.status, InvoiceStatus::Open | InvoiceStatus::Paid) => {
            let paid: Amount = payments()
                .flat_map(|payment| &payment.uses)
                .filter(|part| part.of.invoice() == Some(&record.id))
                .map(|part| part.amount)
                .sum();
            let credited: Amount = all
                .iter()
                .filter_map(|document| match document {
                    Document::CreditMemo(memo) => Some(&memo.applications),
                    _ => None,
                })
                .flatten()
                .filter(|application| application.document == record.id)
                .map(|application| application.amount)
                .sum();
            it.open = it.total.minus(paid).unwrap().minus(credited).unwrap();
            assert!(
                !it.open.is_negative(),
                "{record} is paid above what is owed"
            );
            it.status = if it.open.is_zero() {
                InvoiceStatus::Paid
            } else {
                InvoiceStatus::Open
            };
        }
        Document::CreditMemo(it) if it.status == InvoiceStatus::Open => {
            let used: Amount = payments()
                .flat_map(|payment| &payment.uses)
                .filter(|part| {
                    matches!(&part.of, UseOf::CreditMemo { credit, .. } if *credit == record.id)
                })
                .map(|part| part.amount)
                .sum();
            let applied: Amount = it.applications.iter().map(|it| it.amount).sum();
            it.open = it.total.minus(used).unwrap().minus(applied).unwrap();
        }
        _ => {}
    }
}

pub(crate) fn customer(name: &str, number: &str) -> Document {
    Document::Customer(Customer {
        name: name.into(),
        number: number.into(),
        person: None,
        email: "billing@acme.example".into(),
        phone: String::new(),
        address: None,
        currency: Some(Currency::USD),
        terms: None,
        parent: None,
        subsidiaries: Vec::new(),
        inactive: false,
        automatic_payment: false,
        reminders: false,
        marker: None,
        external_id: None,
    })
}

pub(crate) fn sold(text: &str) -> SalesLine {
    SalesLine {
        id: None,
        line_kind: SalesLineKind::Item,
        item: None,
        name: "Consulting".into(),
        description: String::new(),
        quantity: Amount::ONE,
        rate: amount(text),
        amount: amount(text),
        department: None,
        class: None,
        location: None,
    }
}

pub(crate) fn invoice(customer: &str, number: &str, total: &str) -> Document {
    Document::Invoice(Invoice {
        customer: customer.into(),
        number: number.into(),
        date: day("2026-06-01"),
        due: Some(day("2026-07-01")),
        terms: None,
        currency: Currency::USD,
        receivables_account: None,
        subsidiary: None,
        period: None,
        lines: vec![sold(total)],
        total: amount(total),
        open: amount(total),
        status: InvoiceStatus::Open,
        memo: String::new(),
        purchase_order: String::new(),
        marker: None,
        external_id: None,
    })
}

pub(crate) fn credit_memo(customer: &str, number: &str, total: &str) -> Document {
    Document::CreditMemo(CreditMemo {
        customer: customer.into(),
        number: number.into(),
        date: day("2026-06-03"),
        currency: Currency::USD,
        receivables_account: None,
        subsidiary: None,
        period: None,
        lines: vec![sold(total)],
        total: amount(total),
        open: amount(total),
        applications: Vec::new(),
        status: InvoiceStatus::Open,
        memo: String::new(),
        marker: None,
        external_id: None,
    })
}

/// A card payment of a platform's customer, of as much as these uses come to.
pub(crate) fn receipt(customer: &RecordRef, uses: &[(UseOf, &str)]) -> CustomerPayment {
    let uses: Vec<_> = uses
        .iter()
        .map(|(of, text)| PaymentUse {
            of: of.clone(),
            amount: amount(text),
        })
        .collect();
    let cash = uses.iter().filter(|part| part.of.is_cash());
    CustomerPayment {
        customer: Some(customer.id.clone()),
        number: "ch_1".into(),
        date: day("2026-06-10"),
        currency: Currency::USD,
        total: cash.map(|part| part.amount).sum(),
        unapplied: Amount::ZERO,
        uses,
        method: ReceiptMethod::Card,
        status: ReceiptStatus::Received,
        charge: None,
        kept_in: None,
        receivables_account: None,
        subsidiary: None,
        period: None,
        memo: String::new(),
        marker: None,
        external_id: None,
    }
}

/// What applies a credit note of the platform to an invoice.
pub(crate) fn uses(note: &RecordRef, invoice: &RecordRef) -> UseOf {
    UseOf::CreditMemo {
        credit: note.id.clone(),
        invoice: invoice.id.clone(),
    }
}

/// What pays a platform's invoice.
pub(crate) fn pays(invoice: &RecordRef) -> UseOf {
    UseOf::Invoice(invoice.id.clone())
}
