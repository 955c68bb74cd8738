//! Payments of 0.00 on the platform: there, applying a credit is a payment (scenario 179). In the ledger the credit
//! memo itself says what it is applied to.

use tieout_domain::code::Code;
use tieout_domain::document::{Application, CreditMemo, ReceiptStatus, UseOf};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, RecordRef, RemoteId, Side};

use super::memo::{self, Memo};
use super::{This, posting};
use crate::period::{self, Book};
use crate::verdict::{amendment_key, blocked, conflict, done, noop};
use crate::{Link, Step, Verdict};

/// What a payment of nothing applies: one credit memo, to one invoice or several.
struct Applied<'a> {
    record: &'a RecordRef,
    memo: Memo<'a>,
    /// By the ledger's invoice, each once.
    parts: Vec<(RemoteId, Amount)>,
}

fn read<'a>(this: &'a This<'_>) -> Result<Applied<'a>, Verdict> {
    let mut found: Option<&RecordRef> = None;
    let mut parts: Vec<(RemoteId, Amount)> = Vec::new();
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
        match parts.iter_mut().find(|(known, _)| *known == invoice.id) {
            Some((_, amount)) => *amount = amount.plus(part.amount).unwrap_or(*amount),
            None => parts.push((invoice.id.clone(), part.amount)),
        }
    }
    let Some(record) = found else {
        let cause = format!("{} moves nothing", this.label());
        return Err(noop(Code::new("no-linked-invoices"), cause));
    };
    match Memo::of(this, record) {
        Some(memo) => Ok(Applied {
            record,
            memo,
            parts,
        }),
        None => Err(counterpart_gone(this)),
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
    /// What the ledger doesn't apply of it yet. What it applies for other payments is theirs.
    fn missing(&self) -> Vec<(RemoteId, Amount)> {
        self.memo.missing(&self.parts)
    }
}

/// Applies the credit in the ledger.
pub(super) fn apply(this: &This<'_>) -> Verdict {
    let applied = match read(this) {
        Ok(applied) => applied,
        Err(verdict) => return verdict,
    };
    let missing = applied.missing();
    if missing.is_empty() {
        return Verdict::Adopt {
            target: applied.record.clone(),
            role: String::new(),
            how: "already applied in the ledger",
            key: Some(this.key()),
        };
    }
    let memo: &CreditMemo = applied.memo.memo;
    let more: Amount = missing.iter().map(|(_, amount)| *amount).sum();
    if more > memo.open {
        let cause = format!(
            "{} applies {more} of credit memo {}, of which {} is left in the ledger",
            this.label(),
            memo.number,
            memo.open
        );
        return blocked(Code::new("cannot-apply"), cause);
    }
    if let Err(why) = period::applications_may_move(Book::Receivables, memo.date, this.books) {
        let cause = format!(
            "{} applies credit memo {}: {why}",
            this.label(),
            memo.number
        );
        return blocked(Code::new("cannot-apply"), cause);
    }
    let mut memo = memo.clone();
    for (invoice, amount) in &missing {
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
                discount: Amount::ZERO,
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
        expect: Some(applied.memo.document.clone()),
        because: "the credit was applied on the platform".to_owned(),
    }))
}

/// A credit that was applied: whether it still is, on both sides.
pub(super) fn applied(this: &This<'_>, link: &Link) -> Verdict {
    let label = this.label();
    if this.gone || this.payment.status == ReceiptStatus::Voided {
        if !still_applied(this, link) {
            let cause = format!("{label} is undone on both sides");
            return noop(Code::new("closed-on-both-sides"), cause);
        }
        let code = Code::new("credit-freed");
        if this.accepted(&code) {
            let cause =
                format!("{label} is undone, and what its credit memo is applied to is right");
            return noop(Code::new("closed-on-both-sides"), cause);
        }
        let cause =
            format!("{label} was voided on the platform: un-apply the credit memo in the ledger");
        return blocked(code, cause);
    }
    if read(this).is_ok_and(|applied| applied.missing().is_empty()) {
        return done();
    }
    let cause = format!("{label} applies a credit, which is no longer applied in the ledger");
    conflict(Code::new("edited-by-hand"), cause)
}

/// Whether the ledger still applies anything of it. A voided payment may no longer show what it was for: then all counts that
/// no other payment uses.
fn still_applied(this: &This<'_>, link: &Link) -> bool {
    let Some(memo) = Memo::of(this, &link.target) else {
        return false;
    };
    let claim = memo::shown(this.books, this.payment, &link.target);
    let left = if claim.total().is_zero() {
        memo.unclaimed()
    } else {
        memo.left_for(&claim)
    };
    left.is_positive()
}
