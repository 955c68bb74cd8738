//! A platform's payment in the ledger's terms (scenarios 180–183, 195).

use tieout_domain::code::Code;
use tieout_domain::document::{CustomerPayment, PaymentUse, ReceiptStatus, UseOf};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Kind, Outcome, RecordRef, RemoteId, Side, State, WaitsFor};

use super::{This, fee, kept, memo};
use crate::period::{self, Book};
use crate::preferences::Mode;
use crate::receivables::sales::{CREDIT_MEMOS, INVOICES, Paper};
use crate::receivables::{account, customers, origin};
use crate::text::{LEDGER_NUMBER_MAX, shorten};
use crate::{Flow, Need, Step, Verdict};

fn platform(kind: Kind, id: &RemoteId) -> RecordRef {
    RecordRef::new(Side::Platform, kind, id.clone())
}

fn customer(this: &This<'_>) -> Option<RecordRef> {
    let customer = this.payment.customer.as_ref()?;
    Some(RecordRef::new(
        this.record.side,
        Kind::Customer,
        customer.clone(),
    ))
}

pub(super) fn needs(this: &This<'_>) -> Vec<Need> {
    let mut needs = kept::needs(this);
    let preferences = &this.books.preferences.receivables;
    let named = [
        &preferences.receivables_account,
        &preferences.bank_account,
        &preferences.clearing_account,
    ];
    needs.extend(named.into_iter().filter_map(|name| account::needs(name)));
    if let Some(customer) = customer(this) {
        needs.extend(customers::counterpart_needs(this.books, &customer));
    }
    for part in &this.payment.uses {
        if let Some(invoice) = part.of.invoice() {
            let invoice = platform(Kind::Invoice, invoice);
            needs.extend(origin::ledger_invoice_needs(this.books, &invoice));
        }
        if let UseOf::CreditMemo { credit, .. } = &part.of {
            let credit = platform(Kind::CreditMemo, credit);
            needs.extend(origin::needs(CREDIT_MEMOS.name(), &credit));
            let there = origin::counterpart(this.books, CREDIT_MEMOS.name(), &credit);
            needs.extend(there.cloned().map(Need::Record));
        }
    }
    needs
}

pub(super) fn decide(this: &This<'_>) -> Verdict {
    if let Some(verdict) = fee::billed(this) {
        return verdict;
    }
    match document(this, None) {
        Ok(document) => Verdict::Write(Box::new(Step {
            side: Side::Ledger,
            action: Action::Create,
            role: String::new(),
            target: None,
            document: Document::CustomerPayment(document),
            expect: None,
            key: this.key(),
            because: "the customer paid on the platform".to_owned(),
        })),
        Err(outcome) => Verdict::Rest(outcome),
    }
}

/// The ledger's customer who paid.
pub(super) fn payer(this: &This<'_>) -> Result<RemoteId, Outcome> {
    let Some(customer) = customer(this) else {
        let cause = format!("{} has lost its customer on the platform", this.label());
        let code = Code::new("unidentified-payment");
        return Err(Outcome::because(State::Hold, code, cause));
    };
    if let Some(payer) = customers::counterpart(this.books, &customer) {
        return Ok(payer.id.clone());
    }
    // Another system carries the customers then: whose the invoice is has paid it.
    let carried = this.books.preferences.receivables.mode == Mode::PaymentsOnly;
    let billed = carried.then(|| billed(this)).flatten();
    billed.ok_or_else(|| customers::awaited(&this.label(), &customer))
}

/// The ledger's customer of the first invoice that it pays.
fn billed(this: &This<'_>) -> Option<RemoteId> {
    let mut invoices = this
        .payment
        .uses
        .iter()
        .filter_map(|part| part.of.invoice());
    let there = origin::ledger_invoice(this.books, &platform(Kind::Invoice, invoices.next()?))?;
    Some(
        Paper::of(&this.books.record(&there)?.document)?
            .customer
            .clone(),
    )
}

/// The payment as the ledger is to hold it, or what it waits for. What `there` applies already is room for what is
/// wanted.
pub(super) fn document(
    this: &This<'_>,
    there: Option<&CustomerPayment>,
) -> Result<CustomerPayment, Outcome> {
    let payment = this.payment;
    let uses = uses(this, there)?;
    let payer = payer(this)?;
    let used: Amount = uses
        .iter()
        .filter(|part| part.of.is_cash())
        .map(|part| part.amount)
        .sum();
    let posting = match there {
        None => {
            let label = this.label();
            Some(period::of_posting(
                Book::Receivables,
                &label,
                payment.date,
                this.books,
            )?)
        }
        Some(_) => None,
    };
    Ok(CustomerPayment {
        customer: Some(payer),
        number: match there {
            Some(there) => there.number.clone(),
            None => shorten(payment.number.trim(), LEDGER_NUMBER_MAX),
        },
        date: match (&posting, there) {
            (Some(posting), _) => posting.date,
            (None, Some(there)) => there.date,
            (None, None) => payment.date,
        },
        currency: payment.currency,
        total: payment.total,
        unapplied: payment.total.minus(used).unwrap_or_default(),
        uses,
        method: payment.method.clone(),
        status: ReceiptStatus::Received,
        charge: None,
        kept_in: match there {
            Some(there) => there.kept_in.clone(),
            None => Some(kept::chosen(this)?),
        },
        receivables_account: match there {
            Some(there) => there.receivables_account.clone(),
            None => {
                let named = &this.books.preferences.receivables.receivables_account;
                account::named(this.books, named)
            }
        },
        subsidiary: this.books.connection.subsidiary.clone(),
        period: match there {
            Some(there) => there.period.clone(),
            None => posting.and_then(|posting| posting.period),
        },
        memo: match there {
            Some(there) => there.memo.clone(),
            None => format!(
                "Paid by {}, platform payment {}",
                payment.method.as_str(),
                this.record.id
            ),
        },
        marker: None,
        external_id: Some(this.key()),
    })
}

/// What it is used for, in the ledger's ids: as the platform says, as far as the ledger's invoice takes it. What is
/// over stays on account.
fn uses(this: &This<'_>, there: Option<&CustomerPayment>) -> Result<Vec<PaymentUse>, Outcome> {
    let mut uses: Vec<PaymentUse> = Vec::new();
    for part in &this.payment.uses {
        let of = match &part.of {
            UseOf::Invoice(id) => UseOf::Invoice(invoice(this, id)?.id.clone()),
            UseOf::CreditMemo {
                credit,
                invoice: id,
            } => UseOf::CreditMemo {
                credit: credit_memo(this, credit)?.id.clone(),
                invoice: invoice(this, id)?.id.clone(),
            },
            UseOf::ConvenienceFee => match fee::invoice(this) {
                Some(invoice) => UseOf::Invoice(invoice.clone()),
                None => continue,
            },
            // Kept on account in the ledger too.
            UseOf::Credit | UseOf::Estimate(_) => continue,
            UseOf::KeptCredit { .. } => return Err(kept_credit(this)),
            UseOf::JournalEntry { .. } => return Err(unknown_use(this, "journal entry")),
            UseOf::Other(word) => return Err(unknown_use(this, word)),
        };
        let already: Amount = uses
            .iter()
            .filter(|used| used.of.invoice() == of.invoice())
            .map(|used| used.amount)
            .sum();
        let room = room(this, &of, there).map(|room| room.minus(already).unwrap_or_default());
        let amount = room.map_or(part.amount, |room| part.amount.min(room));
        if amount.is_positive() {
            match uses.iter_mut().find(|used| used.of == of) {
                Some(used) => used.amount = used.amount.plus(amount).unwrap_or(used.amount),
                None => uses.push(PaymentUse { of, amount }),
            }
        }
    }
    uses.sort();
    Ok(uses)
}

fn unknown_use(this: &This<'_>, word: &str) -> Outcome {
    let cause = format!(
        "{} is used for `{word}`, which tieout doesn't know",
        this.label()
    );
    Outcome::because(State::Blocked, Code::new("unknown-use"), cause)
}

/// How much the ledger's invoice still takes: what is open, and what this payment has put on it already, its credits
/// included. `None` for an invoice of our own making, which is as large as the fee.
fn room(this: &This<'_>, of: &UseOf, there: Option<&CustomerPayment>) -> Option<Amount> {
    let id = of.invoice()?;
    let record = RecordRef::new(Side::Ledger, Kind::Invoice, id.clone());
    let seen = this.books.record(&record)?;
    let open = Paper::of(&seen.document)?.open;
    let ours: Amount = there
        .into_iter()
        .flat_map(|there| &there.uses)
        .filter(|used| used.of.invoice() == Some(id))
        .filter(|used| used.of.is_cash())
        .map(|used| used.amount)
        .sum();
    let credited = there.map_or(Amount::ZERO, |_| memo::credited(this, id));
    open.plus(ours).ok()?.plus(credited).ok()
}

/// The ledger's invoice that stands for a platform's.
pub(super) fn invoice(this: &This<'_>, id: &RemoteId) -> Result<RecordRef, Outcome> {
    let here = platform(Kind::Invoice, id);
    let flow = INVOICES.name();
    let waits = || WaitsFor::Link(flow.to_owned(), here.clone());
    let Some(there) = origin::ledger_invoice(this.books, &here) else {
        let seen = this.books.record(&here);
        let coming = seen.is_none_or(|seen| origin::our_mark(this.books, &seen.document).is_some());
        let number = seen.map_or_else(|| id.to_string(), |seen| seen.document.label());
        let cause = format!(
            "{} pays invoice {number}, which is not linked to the ledger",
            this.label()
        );
        // What bears our mark or wasn't read yet is about to be linked.
        let outcome = if coming {
            Outcome::because(State::Hold, Code::new("waits-for-invoice"), cause)
        } else {
            Outcome::because(State::Blocked, Code::new("invoices-not-linked"), cause)
        };
        return Err(outcome.until(waits()));
    };
    let seen = this.books.record(&there).filter(|seen| !seen.gone);
    let paper = seen.and_then(|seen| Paper::of(&seen.document));
    match paper {
        Some(paper) if paper.currency != this.payment.currency => {
            let cause = format!(
                "{} is in {}, {} in {}",
                this.label(),
                this.payment.currency,
                paper.label(&there),
                paper.currency
            );
            let code = Code::new("currency-mismatch");
            Err(Outcome::because(State::Blocked, code, cause).until(waits()))
        }
        Some(paper) if !paper.is_voided() => Ok(there),
        _ => {
            let cause = format!(
                "{} pays invoice {}, which is voided or deleted in the ledger",
                this.label(),
                there.id
            );
            let code = Code::new("invoice-voided");
            Err(Outcome::because(State::Blocked, code, cause).until(waits()))
        }
    }
}

/// The ledger's credit memo that stands for a platform's credit note.
pub(super) fn credit_memo<'a>(this: &'a This<'_>, id: &RemoteId) -> Result<&'a RecordRef, Outcome> {
    let here = platform(Kind::CreditMemo, id);
    let flow = CREDIT_MEMOS.name();
    origin::counterpart(this.books, flow, &here).ok_or_else(|| {
        let cause = format!(
            "{} uses credit note {id}, which is not linked to the ledger",
            this.label()
        );
        Outcome::because(State::Blocked, Code::new("credit-not-linked"), cause)
            .until(WaitsFor::Link(flow.to_owned(), here.clone()))
    })
}

/// Credit that the platform keeps without a document has nothing in the ledger to be taken from.
pub(super) fn kept_credit(this: &This<'_>) -> Outcome {
    let cause = format!(
        "{} uses credit that the platform keeps for the customer: apply the ledger's open payment or credit memo to the invoice",
        this.label()
    );
    Outcome::because(State::Blocked, Code::new("kept-credit"), cause)
}
