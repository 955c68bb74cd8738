//! Invoices' PDFs (scenario 196): sent to the platform beside the figures, again when what they show has changed, and never
//! in an invoice's way.

use tieout_domain::code::Code;
use tieout_domain::document::{Invoice, InvoicePdf, InvoiceStatus};
use tieout_domain::port::Action;
use tieout_domain::{Document, Fingerprint, Key, Kind, Outcome, RecordRef, Side, State};

use super::origin;
use super::sales::INVOICES;
use crate::preferences::Mode;
use crate::verdict::{amendment_key, done_beside, ignored, skipped, until_linked};
use crate::{Books, Flow, Link, Need, Step, Subject, Verdict};

/// The flow's name.
pub const NAME: &str = "documents";

/// Sends the PDF of each open invoice that has a copy.
#[derive(Debug, Clone, Copy)]
pub struct Documents;

impl Flow for Documents {
    fn name(&self) -> &'static str {
        NAME
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[(Side::Ledger, Kind::Invoice)]
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        &[(Side::Platform, Kind::InvoicePdf)]
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        let record = subject.record;
        let mut needs = origin::needs(INVOICES.name(), record).to_vec();
        needs.push(Need::Links(NAME, record.clone()));
        needs.push(Need::Decisions(NAME, record.clone()));
        let link = books.link(NAME, record, "");
        needs.extend(link.map(|link| Need::Record(link.target.clone())));
        let copy = origin::counterpart(books, INVOICES.name(), record);
        needs.extend(copy.cloned().map(Need::Record));
        needs
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        match &subject.observed.document {
            Document::Invoice(invoice) if is_outstanding(invoice) && !subject.gone => {
                decide(&This {
                    record: subject.record,
                    document: &subject.observed.document,
                    invoice,
                    books,
                })
            }
            _ => Verdict::Elsewhere,
        }
    }
}

/// Nobody looks at the PDF of what nobody owes.
fn is_outstanding(invoice: &Invoice) -> bool {
    let open = matches!(
        invoice.status,
        InvoiceStatus::Open | InvoiceStatus::PaymentPending
    );
    open && invoice.open.is_positive()
}

/// An invoice of the ledger that is owed.
struct This<'a> {
    record: &'a RecordRef,
    document: &'a Document,
    invoice: &'a Invoice,
    books: &'a Books,
}

fn decide(this: &This<'_>) -> Verdict {
    let (books, label) = (this.books, format!("invoice {}", this.invoice.number));
    if origin::is_copy(books, this.record, this.document) {
        return Verdict::Elsewhere;
    }
    if let Some(verdict) = ignored(books, NAME, this.record) {
        return verdict;
    }
    if let Some(verdict) = switched_off(books, &label) {
        return verdict;
    }
    let copy = origin::counterpart(books, INVOICES.name(), this.record);
    let live = |copy: &&RecordRef| {
        let seen = books.record(copy).filter(|seen| !seen.gone);
        let invoice = seen.and_then(|seen| match &seen.document {
            Document::Invoice(invoice) => Some(invoice),
            _ => None,
        });
        invoice.is_some_and(|invoice| invoice.status != InvoiceStatus::Voided)
    };
    let Some(copy) = copy.filter(live) else {
        let cause = format!("{label} has no copy on the platform that a PDF could go with");
        let outcome = Outcome::because(State::Skipped, Code::new("waits-for-invoice"), cause);
        return Verdict::Rest(until_linked(outcome, INVOICES.name(), this.record));
    };
    this.send(copy)
}

fn switched_off(books: &Books, label: &str) -> Option<Verdict> {
    let preferences = &books.preferences.receivables;
    if preferences.mode == Mode::PaymentsOnly {
        let cause = format!("{label} is carried by another system, and its PDF too");
        return Some(skipped(Code::new("payments-only"), cause));
    }
    if !preferences.documents {
        let cause = format!("{label}: sending PDFs is switched off");
        return Some(skipped(Code::new("documents-off"), cause));
    }
    if !books.connection.takes(Kind::InvoicePdf, Action::Create) {
        let cause = format!("{label}: the platform takes no PDFs");
        return Some(skipped(Code::new("pdf-not-taken"), cause));
    }
    None
}

impl This<'_> {
    /// What the printed invoice shows.
    fn shows(&self) -> Fingerprint {
        let it = self.invoice;
        let lines: Vec<_> = it
            .lines
            .iter()
            .map(|line| (&line.name, &line.description, line.quantity, line.amount))
            .collect();
        Fingerprint::of(&(
            (&it.number, it.date, it.due, &it.customer),
            (lines, it.total, &it.memo, &it.purchase_order),
        ))
    }

    fn key(&self, copy: &RecordRef) -> Key {
        let key = self.books.connection.origin_key(self.record);
        key.with("pdf").with(copy.id.as_str())
    }

    fn send(&self, copy: &RecordRef) -> Verdict {
        let number = self.invoice.number.trim();
        let name = if number.is_empty() {
            self.record.id.as_str()
        } else {
            number
        };
        let wanted = InvoicePdf {
            invoice: copy.id.clone(),
            printed: self.record.id.clone(),
            name: format!("{name}.pdf"),
            shows: self.shows(),
        };
        let sent = self.books.link(NAME, self.record, "");
        let sent = sent.and_then(|link| match &link.applied {
            Some(Document::InvoicePdf(pdf)) if pdf.invoice == copy.id => Some((link, pdf)),
            _ => None,
        });
        match sent {
            Some((_, pdf)) if pdf.shows == wanted.shows => {
                done_beside(INVOICES.name(), self.record)
            }
            Some((link, _)) => self.step(copy, wanted, Some(link)),
            None => self.step(copy, wanted, None),
        }
    }

    fn step(&self, copy: &RecordRef, wanted: InvoicePdf, before: Option<&Link>) -> Verdict {
        let document = Document::InvoicePdf(wanted);
        let key = self.key(copy);
        let there = before.and_then(|link| self.books.record(&link.target));
        Verdict::Write(Box::new(Step {
            side: Side::Platform,
            action: if before.is_some() {
                Action::Amend
            } else {
                Action::Create
            },
            role: String::new(),
            target: before.map(|link| link.target.id.clone()),
            key: match before {
                Some(_) => amendment_key(&key, &document),
                None => key,
            },
            document,
            expect: there.map(|seen| seen.document.clone()),
            because: "it is shown to the customer beside the figures".to_owned(),
        }))
    }
}
