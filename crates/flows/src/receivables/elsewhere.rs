//! What was settled in the ledger, told by invoice to a platform without credit notes (scenarios 178, 179, 195): one
//! payment from elsewhere for each invoice that a customer payment or a credit memo of the ledger is applied to.
//!
//! Such a payment is never changed: another amount takes it back and makes the next. The links' roles count them,
//! `12.1`, `12.2`.

use std::collections::{BTreeMap, BTreeSet};

use tieout_domain::code::Code;
use tieout_domain::document::{
    CreditMemo, CustomerPayment, InvoiceStatus, PaymentUse, ReceiptMethod, ReceiptStatus, UseOf,
};
use tieout_domain::port::Action;
use tieout_domain::{
    Amount, Currency, Date, Document, Key, Kind, Outcome, RecordRef, RemoteId, Side, State,
    WaitsFor,
};

use super::on_copy::{self, EXTERNAL, OnCopy};
use super::payments::NAME;
use super::sales::{INVOICES, Paper};
use super::{customers, origin};
use crate::preferences::Mode;
use crate::verdict::{amendment_key, blocked, done, hold, ignored, noop, skipped};
use crate::{Books, Connection, Flow, Link, Need, Step, Subject, Verdict};

/// A customer payment or a credit memo of the ledger.
struct This<'a> {
    record: &'a RecordRef,
    document: &'a Document,
    gone: bool,
    books: &'a Books,
}

/// What the two have in common.
struct Settling<'a> {
    label: String,
    customer: Option<&'a RemoteId>,
    date: Date,
    currency: Currency,
    /// By the ledger's invoice.
    amounts: BTreeMap<RemoteId, Amount>,
}

/// What must be loaded to decide on what the ledger settled.
pub(super) fn needs(subject: &Subject<'_>, books: &Books) -> Vec<Need> {
    let this = This::new(subject, books);
    let Some(settling) = this.settling() else {
        return Vec::new();
    };
    let mut needs = origin::needs(NAME, this.record).to_vec();
    needs.push(Need::Decisions(NAME, this.record.clone()));
    needs.extend(
        this.links()
            .iter()
            .map(|link| Need::Record(link.target.clone())),
    );
    if let Some(customer) = settling.customer {
        needs.extend(customers::counterpart_needs(
            books,
            &ledger(Kind::Customer, customer),
        ));
    }
    for invoice in this.invoices(&settling) {
        let invoice = ledger(Kind::Invoice, &invoice);
        needs.extend(origin::needs(INVOICES.name(), &invoice));
        needs.push(Need::Record(invoice.clone()));
        if let Some(copy) = origin::counterpart(books, INVOICES.name(), &invoice) {
            needs.push(Need::Record(copy.clone()));
            needs.extend(on_copy::needs(books, copy));
        }
    }
    needs
}

/// Decides on what the ledger settled.
pub(super) fn decide(subject: &Subject<'_>, books: &Books) -> Verdict {
    let this = This::new(subject, books);
    let Some(settling) = this.settling() else {
        return noop(Code::new("other-kind"), "neither a payment nor a credit");
    };
    if origin::is_copy(books, this.record, this.document) {
        return Verdict::Elsewhere;
    }
    if let Some(verdict) = ignored(books, NAME, this.record) {
        return verdict;
    }
    if books.preferences.receivables.mode == Mode::PaymentsOnly {
        let cause = format!(
            "{} is told to the platform by another system",
            settling.label
        );
        return skipped(Code::new("payments-only"), cause);
    }
    if this.is_pending() {
        let cause = format!("{} waits for approval in the ledger", settling.label);
        return hold(Code::new("pending-approval"), cause);
    }
    let mut invoices = this.invoices(&settling).into_iter();
    let first = invoices.find_map(|invoice| this.settle(&settling, &invoice));
    first.unwrap_or_else(|| this.at_rest(&settling))
}

impl Connection {
    /// The ledger's record that a payment from elsewhere tells of, by its key.
    pub(crate) fn told_by(&self, key: &Key) -> Option<RecordRef> {
        [Kind::CustomerPayment, Kind::CreditMemo]
            .into_iter()
            .find_map(|kind| {
                let none = RecordRef::new(Side::Ledger, kind, "");
                let rest = key.as_str().strip_prefix(self.origin_key(&none).as_str())?;
                let mut parts = rest.rsplitn(3, '_');
                let (_number, _invoice) = (parts.next()?, parts.next()?);
                Some(RecordRef::new(Side::Ledger, kind, parts.next()?))
            })
    }
}

fn ledger(kind: Kind, id: &RemoteId) -> RecordRef {
    RecordRef::new(Side::Ledger, kind, id.clone())
}

/// The invoice and the number in a link's role.
fn read_role(role: &str) -> Option<(&str, u32)> {
    let (invoice, number) = role.rsplit_once('.')?;
    Some((invoice, number.parse().ok()?))
}

/// A payment from elsewhere that stands on the platform.
struct Standing<'a> {
    link: &'a Link,
    document: &'a Document,
    payment: &'a CustomerPayment,
}

impl<'a> This<'a> {
    fn new(subject: &Subject<'a>, books: &'a Books) -> Self {
        Self {
            record: subject.record,
            document: &subject.observed.document,
            gone: subject.gone,
            books,
        }
    }

    fn links(&self) -> &'a [Link] {
        self.books.links_of(NAME, self.record)
    }

    fn settling(&self) -> Option<Settling<'a>> {
        let mut settling = match self.document {
            Document::CustomerPayment(payment) => self.of_payment(payment),
            Document::CreditMemo(memo) => self.of_credit(memo),
            _ => return None,
        };
        settling.amounts.retain(|_, amount| amount.is_positive());
        if self.is_undone() {
            settling.amounts.clear();
        }
        Some(settling)
    }

    /// Its cash: credits that were applied in the same act are told with their credit memo.
    fn of_payment(&self, payment: &'a CustomerPayment) -> Settling<'a> {
        let cash = payment.uses.iter().filter(|part| part.of.is_cash());
        let parts = cash.filter_map(|part| Some((part.of.invoice()?, part.amount)));
        Settling {
            label: format!("payment {} ({})", payment.label(), self.record.id),
            customer: payment.customer.as_ref(),
            date: payment.date,
            currency: payment.currency,
            amounts: by_invoice(parts),
        }
    }

    fn of_credit(&self, memo: &'a CreditMemo) -> Settling<'a> {
        let parts = memo.applications.iter().map(|it| (&it.document, it.amount));
        Settling {
            label: format!("credit memo {} ({})", memo.number, self.record.id),
            customer: Some(&memo.customer),
            date: memo.date,
            currency: memo.currency,
            amounts: by_invoice(parts),
        }
    }

    fn is_undone(&self) -> bool {
        let undone = match self.document {
            Document::CustomerPayment(payment) => matches!(
                payment.status,
                ReceiptStatus::Voided | ReceiptStatus::Failed
            ),
            Document::CreditMemo(memo) => {
                matches!(memo.status, InvoiceStatus::Voided | InvoiceStatus::Rejected)
            }
            _ => false,
        };
        self.gone || undone
    }

    fn is_pending(&self) -> bool {
        !self.gone
            && match self.document {
                Document::CustomerPayment(payment) => {
                    payment.status == ReceiptStatus::PendingApproval
                }
                Document::CreditMemo(memo) => memo.status == InvoiceStatus::PendingApproval,
                _ => false,
            }
    }

    /// The invoices that it settles, and those that it settled before.
    fn invoices(&self, settling: &Settling<'_>) -> BTreeSet<RemoteId> {
        let before = self
            .links()
            .iter()
            .filter_map(|link| read_role(&link.role))
            .map(|(invoice, _)| RemoteId::from(invoice));
        settling.amounts.keys().cloned().chain(before).collect()
    }

    fn copy(&self, invoice: &RemoteId) -> Option<&'a RecordRef> {
        let invoice = ledger(Kind::Invoice, invoice);
        origin::counterpart(self.books, INVOICES.name(), &invoice)
    }

    /// The key of what it settles on one invoice, without the number.
    fn key(&self, invoice: &RemoteId) -> Key {
        let key = self.books.connection.origin_key(self.record);
        key.with(invoice.as_str())
    }

    fn takes(&self, action: Action) -> bool {
        self.books.connection.takes(Kind::CustomerPayment, action)
    }

    /// The links for one invoice with their numbers.
    fn numbered(&self, invoice: &RemoteId) -> Vec<(u32, &'a Link)> {
        let links = self.links().iter();
        let mut numbered: Vec<_> = links
            .filter_map(|link| {
                let (of, number) = read_role(&link.role)?;
                (of == invoice.as_str()).then_some((number, link))
            })
            .collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered
    }

    fn standing(&self, link: &'a Link) -> Option<Standing<'a>> {
        let seen = self.books.record(&link.target).filter(|seen| !seen.gone)?;
        match &seen.document {
            Document::CustomerPayment(payment) if payment.status != ReceiptStatus::Voided => {
                Some(Standing {
                    link,
                    document: &seen.document,
                    payment,
                })
            }
            _ => None,
        }
    }

    /// What is to be done for one invoice, if something is.
    fn settle(&self, settling: &Settling<'_>, invoice: &RemoteId) -> Option<Verdict> {
        let wanted = settling.amounts.get(invoice).copied().unwrap_or_default();
        let copy = self.copy(invoice);
        let numbered = self.numbered(invoice);
        if let Some(verdict) = copy.and_then(|copy| self.known_again(invoice, copy, &numbered)) {
            return Some(verdict);
        }
        let mut right = false;
        for standing in numbered.iter().filter_map(|(_, link)| self.standing(link)) {
            if !right && is_right(&standing, copy, wanted) {
                right = true;
            } else if self.takes(Action::Void) {
                return Some(self.take_back(&standing));
            }
        }
        if right || !wanted.is_positive() || !self.takes(Action::Create) {
            return None;
        }
        let copy = copy?;
        let seen = self.books.record(copy).filter(|seen| !seen.gone)?;
        let paper = Paper::of(&seen.document).filter(|paper| !paper.is_voided())?;
        if let Some((_, last)) = numbered.last()
            && was_voided_there(last, wanted)
        {
            let cause = format!(
                "{} was told to the platform as paying {wanted} of {}, and somebody took it back there",
                settling.label,
                paper.label(copy)
            );
            return Some(blocked(Code::new("recorded-payment-voided"), cause));
        }
        let left = OnCopy::of(self.books, copy).left(&paper);
        if wanted > left {
            return Some(overpaid(settling, wanted, left, copy, &paper));
        }
        let number = numbered.last().map_or(1, |(number, _)| number + 1);
        Some(self.record(settling, invoice, copy, &paper, wanted, number))
    }

    /// One that stands over there under our key, though no link tells of it any more.
    fn known_again(
        &self,
        invoice: &RemoteId,
        copy: &'a RecordRef,
        numbered: &[(u32, &Link)],
    ) -> Option<Verdict> {
        let beginning = format!("{}_", self.key(invoice));
        let on_copy = OnCopy::of(self.books, copy);
        let lost = on_copy.recorded().find_map(|(record, payment, _)| {
            let key = payment.external_id.as_ref()?;
            let number: u32 = key.as_str().strip_prefix(&beginning)?.parse().ok()?;
            let linked = numbered.iter().any(|(_, link)| link.target == *record);
            (!linked).then_some((record, key, number))
        });
        lost.map(|(record, key, number)| Verdict::Adopt {
            target: record.clone(),
            role: format!("{invoice}.{number}"),
            how: "its key",
            key: Some(key.clone()),
        })
    }

    fn take_back(&self, standing: &Standing<'_>) -> Verdict {
        let link = standing.link;
        let document = Document::CustomerPayment(CustomerPayment {
            status: ReceiptStatus::Voided,
            ..standing.payment.clone()
        });
        let own = self.books.connection.origin_key(self.record);
        let base = link.key.clone().unwrap_or_else(|| own.with(&link.role));
        Verdict::Write(Box::new(Step {
            side: Side::Platform,
            action: Action::Void,
            role: link.role.clone(),
            target: Some(link.target.id.clone()),
            document,
            expect: Some(standing.document.clone()),
            key: amendment_key(&base, &"void"),
            because: "it no longer settles that much in the ledger".to_owned(),
        }))
    }

    fn record(
        &self,
        settling: &Settling<'_>,
        invoice: &RemoteId,
        copy: &RecordRef,
        paper: &Paper<'_>,
        amount: Amount,
        number: u32,
    ) -> Verdict {
        let key = self.key(invoice).with(&number.to_string());
        Verdict::Write(Box::new(Step {
            side: Side::Platform,
            action: Action::Create,
            role: format!("{invoice}.{number}"),
            target: None,
            document: Document::CustomerPayment(CustomerPayment {
                customer: Some(paper.customer.clone()),
                number: String::new(),
                date: settling.date,
                currency: settling.currency,
                total: amount,
                unapplied: Amount::ZERO,
                uses: vec![PaymentUse {
                    of: UseOf::Invoice(copy.id.clone()),
                    amount,
                }],
                method: ReceiptMethod::Other(EXTERNAL.to_owned()),
                status: ReceiptStatus::Received,
                charge: None,
                kept_in: None,
                receivables_account: None,
                subsidiary: None,
                period: None,
                memo: format!("Settled in the ledger by {}", settling.label),
                marker: None,
                external_id: Some(key.clone()),
            }),
            expect: None,
            key,
            because: "it settles the invoice in the ledger".to_owned(),
        }))
    }

    /// Nothing is left to do for any invoice.
    fn at_rest(&self, settling: &Settling<'_>) -> Verdict {
        let label = &settling.label;
        if self.is_undone() {
            let cause = format!("{label} is undone, and nothing of it is on the platform");
            return noop(Code::new("closed-on-both-sides"), cause);
        }
        let (linked, unlinked): (Vec<_>, Vec<_>) = settling
            .amounts
            .keys()
            .partition(|invoice| self.copy(invoice).is_some());
        if linked.is_empty() {
            return self.no_invoices(settling);
        }
        let verdict = if self.takes(Action::Create) {
            done()
        } else {
            let cause = format!(
                "{label}: the platform takes no payments from elsewhere; what it settles is taken off the invoices there"
            );
            noop(Code::new("not-recorded-there"), cause)
        };
        // One of its invoices may be on its way still: what it settles of that one is told once it is there. And a copy that
        // is made anew has to be told again.
        let next = self.next_to_come(unlinked);
        match (verdict, next.or_else(|| linked.first().copied())) {
            (Verdict::Rest(outcome), Some(invoice)) => Verdict::Rest(until_there(outcome, invoice)),
            (verdict, _) => verdict,
        }
    }

    /// Which of these invoices is the likeliest to go over: one that is open goes, one that is settled stays.
    fn next_to_come<'b>(&self, unlinked: Vec<&'b RemoteId>) -> Option<&'b RemoteId> {
        let is_open = |invoice: &&&RemoteId| {
            let seen = self.books.record(&ledger(Kind::Invoice, invoice));
            seen.is_some_and(|seen| match &seen.document {
                Document::Invoice(invoice) => !seen.gone && invoice.open.is_positive(),
                _ => false,
            })
        };
        let open = unlinked.iter().find(is_open).copied();
        open.or_else(|| unlinked.first().copied())
    }

    fn no_invoices(&self, settling: &Settling<'_>) -> Verdict {
        let cause = format!(
            "{} settles no invoice that is on the platform",
            settling.label
        );
        let outcome = Outcome::because(State::Skipped, Code::new("no-linked-invoices"), cause);
        Verdict::Rest(match self.next_to_come(settling.amounts.keys().collect()) {
            Some(invoice) => until_there(outcome, invoice),
            None => outcome,
        })
    }
}

/// Looks again once this invoice is on the platform.
fn until_there(outcome: Outcome, invoice: &RemoteId) -> Outcome {
    let invoice = ledger(Kind::Invoice, invoice);
    outcome.until(WaitsFor::Link(INVOICES.name().to_owned(), invoice))
}

fn by_invoice<'a>(
    parts: impl Iterator<Item = (&'a RemoteId, Amount)>,
) -> BTreeMap<RemoteId, Amount> {
    let mut amounts: BTreeMap<RemoteId, Amount> = BTreeMap::new();
    for (invoice, amount) in parts {
        let sum = amounts.entry(invoice.clone()).or_default();
        *sum = sum.plus(amount).unwrap_or(*sum);
    }
    amounts
}

/// Whether it says what is to be said: this much, on the invoice's present copy.
fn is_right(standing: &Standing<'_>, copy: Option<&RecordRef>, wanted: Amount) -> bool {
    let pays = |copy: &RecordRef| {
        let mut uses = standing.payment.uses.iter();
        uses.any(|part| part.of.invoice() == Some(&copy.id))
    };
    standing.payment.total == wanted && copy.is_some_and(pays)
}

/// Whether somebody took back over there what was told last. What tieout took back itself was last written as voided.
fn was_voided_there(last: &Link, wanted: Amount) -> bool {
    match &last.applied {
        Some(Document::CustomerPayment(applied)) => {
            applied.status != ReceiptStatus::Voided && applied.total == wanted
        }
        _ => false,
    }
}

/// More than is left to be collected over there: then it may have been paid twice (scenario 195).
fn overpaid(
    settling: &Settling<'_>,
    wanted: Amount,
    left: Amount,
    copy: &RecordRef,
    paper: &Paper<'_>,
) -> Verdict {
    let cause = format!(
        "{} settles {wanted} of {}, of which {left} is open on the platform: it may be paid twice",
        settling.label,
        paper.label(copy)
    );
    let outcome = Outcome::because(State::Blocked, Code::new("already-paid-on-platform"), cause);
    let waits = WaitsFor::Link(INVOICES.name().to_owned(), copy.clone());
    Verdict::Rest(outcome.until(waits))
}
