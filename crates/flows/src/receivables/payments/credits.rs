//! Payments of 0.00 on the platform: there, applying a credit is a payment (scenario 179). In the ledger the credit
//! memo itself says what it is applied to.

use tieout_domain::code::Code;
use tieout_domain::document::{Application, CreditMemo, UseOf};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, RecordRef, RemoteId, Side};

use super::{This, posting};
use crate::period::{self, Book};
use crate::verdict::{amendment_key, blocked, conflict, done, noop};
use crate::{Link, Step, Verdict};
use tieout_domain::document::ReceiptStatus;

/// What a payment of nothing applies: one credit memo, to one invoice or several.
struct Applied<'a> {
    record: &'a RecordRef,
    memo: &'a CreditMemo,
    document: &'a Document,
    parts: Vec<(RemoteId, Amount)>,
}

fn read<'a>(this: &'a This<'_>) -> Result<Applied<'a>, Verdict> {
    let mut found: Option<&RecordRef> = None;
    let mut parts = Vec::new();
    for part in &this.payment.uses {
        let UseOf::CreditMemo { credit, invoice } = &part.of else {
            return Err(Verdict::Rest(posting::kept_credit(this)));
        };
        let record = posting::credit_memo(this, credit).map_err(Verdict::Rest)?;
        if found.is_some_and(|other| other != record) {
            let cause = format!("{} applies several credit notes at once", this.label());
            return Err(blocked(Code::new("kept-credit"), cause));
        }
        found = Some(record);
        let invoice = posting::invoice(this, invoice).map_err(Verdict::Rest)?;
        parts.push((invoice.id.clone(), part.amount));
    }
    let seen = found.and_then(|record| Some((record, this.books.record(record)?)));
    match seen {
        Some((record, seen)) if !seen.gone => match &seen.document {
            Document::CreditMemo(memo) => Ok(Applied {
                record,
                memo,
                document: &seen.document,
                parts,
            }),
            _ => Err(counterpart_gone(this)),
        },
        Some(_) => Err(counterpart_gone(this)),
        None => Err(noop(
            Code::new("no-linked-invoices"),
            format!("{} moves nothing", this.label()),
        )),
    }
}

fn counterpart_gone(this: &This<'_>) -> Verdict {
    let cause = format!(
        "{} applies a credit memo that is no longer in the ledger",
        this.label()
    );
    blocked(Code::new("counterpart-gone"), cause)
}

impl Applied<'_> {
    /// How much the memo already gives to an invoice.
    fn given(&self, invoice: &RemoteId) -> Amount {
        let here = self.memo.applications.iter();
        here.filter(|it| it.document == *invoice)
            .map(|it| it.amount)
            .sum()
    }

    fn is_done(&self) -> bool {
        self.parts
            .iter()
            .all(|(invoice, amount)| self.given(invoice) >= *amount)
    }
}

/// Applies the credit in the ledger.
pub(super) fn apply(this: &This<'_>) -> Verdict {
    let applied = match read(this) {
        Ok(applied) => applied,
        Err(verdict) => return verdict,
    };
    if applied.is_done() {
        return Verdict::Adopt {
            target: applied.record.clone(),
            role: String::new(),
            how: "already applied in the ledger",
            key: Some(this.key()),
        };
    }
    let more: Amount = applied.parts.iter().map(|(_, amount)| *amount).sum();
    if more > applied.memo.open {
        let cause = format!(
            "{} applies {more} of credit memo {}, of which {} is left in the ledger",
            this.label(),
            applied.memo.number,
            applied.memo.open
        );
        return blocked(Code::new("cannot-apply"), cause);
    }
    if let Err(why) =
        period::applications_may_move(Book::Receivables, applied.memo.date, this.books)
    {
        let cause = format!(
            "{} applies credit memo {}: {why}",
            this.label(),
            applied.memo.number
        );
        return blocked(Code::new("cannot-apply"), cause);
    }
    let mut memo = applied.memo.clone();
    for (invoice, amount) in &applied.parts {
        match memo
            .applications
            .iter_mut()
            .find(|it| it.document == *invoice)
        {
            Some(it) => it.amount = it.amount.plus(*amount).unwrap_or(it.amount),
            None => memo.applications.push(Application {
                document: invoice.clone(),
                line: None,
                amount: *amount,
                credits: Vec::new(),
            }),
        }
    }
    memo.open = memo.open.minus(more).unwrap_or_default();
    let document = Document::CreditMemo(memo);
    Verdict::Write(Box::new(Step {
        side: Side::Ledger,
        action: Action::Amend,
        role: String::new(),
        target: Some(applied.record.id.clone()),
        key: amendment_key(&this.key(), &document),
        document,
        expect: Some(applied.document.clone()),
        because: "the credit was applied on the platform".to_owned(),
    }))
}

/// A credit that was applied: whether it still is, on both sides.
pub(super) fn applied(this: &This<'_>, _: &Link) -> Verdict {
    let label = this.label();
    let undone = this.gone || this.payment.status == ReceiptStatus::Voided;
    let still = read(this).is_ok_and(|applied| applied.is_done());
    match (undone, still) {
        (false, true) => done(),
        (true, false) => noop(
            Code::new("closed-on-both-sides"),
            format!("{label} is undone on both sides"),
        ),
        (true, true) => blocked(
            Code::new("credit-freed"),
            format!("{label} was voided on the platform: un-apply the credit memo in the ledger"),
        ),
        (false, false) => conflict(
            Code::new("edited-by-hand"),
            format!("{label} applies a credit, which is no longer applied in the ledger"),
        ),
    }
}
