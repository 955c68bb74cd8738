//! What payments of the platform use a credit memo of the ledger for (scenarios 179, 192).
//!
//! A saved payment of the ledger doesn't show which credits were used with it: an application is the credit memo's own, and
//! doesn't tell whose it is. So each payment is judged together with all others that are linked to the memo: what the
//! ledger applies beyond what those use is its own.

use std::collections::{BTreeMap, BTreeSet};

use tieout_domain::document::{
    Application, CreditMemo, CustomerPayment, InvoiceStatus, ReceiptStatus, UseOf,
};
use tieout_domain::{Amount, Document, Kind, RecordRef, RemoteId, Side};

use super::{NAME, This};
use crate::receivables::origin;
use crate::receivables::sales::CREDIT_MEMOS;
use crate::{Books, Flow, Link, Need, Seen};

/// The beginning of the role of a link to a credit memo that a payment of cash uses.
pub(super) const USES: &str = "credit-";

/// What one payment uses a memo for, by invoices of the ledger.
#[derive(Debug, Clone, Default)]
pub(super) struct Claim {
    parts: BTreeMap<RemoteId, Amount>,
    /// Where there is cash too, all invoices of the payment: which of them the credit goes to is the ledger's choice.
    among: BTreeSet<RemoteId>,
}

impl Claim {
    /// What a payment of nothing uses of it: exactly so much on each invoice.
    fn exact(parts: BTreeMap<RemoteId, Amount>) -> Self {
        Self {
            parts,
            among: BTreeSet::new(),
        }
    }

    /// All of it.
    pub(super) fn total(&self) -> Amount {
        self.parts.values().copied().sum()
    }

    fn on(&self, pool: &BTreeSet<RemoteId>) -> Amount {
        if self.among.is_empty() {
            let here = self.parts.iter();
            here.filter(|(invoice, _)| pool.contains(*invoice))
                .map(|(_, amount)| *amount)
                .sum()
        } else if self.among.is_disjoint(pool) {
            Amount::ZERO
        } else {
            self.total()
        }
    }

    /// On which invoices it is looked for.
    fn places(&self) -> BTreeSet<RemoteId> {
        self.parts.keys().chain(&self.among).cloned().collect()
    }
}

/// A credit memo of the ledger, with what other payments of the platform use it for.
pub(super) struct Memo<'a> {
    pub(super) memo: &'a CreditMemo,
    pub(super) document: &'a Document,
    others: Vec<Claim>,
}

/// Which memos a payment uses: as the platform shows it, as it was written, and as its links tell. A voided payment of
/// the platform may show none any more.
pub(super) fn used_by(this: &This<'_>) -> BTreeSet<RecordRef> {
    let links = this.links().iter();
    let targets = links.map(|link| &link.target);
    let linked = targets.filter(|target| target.kind == Kind::CreditMemo);
    let written = this.link().into_iter().flat_map(written);
    shown_by(this)
        .into_iter()
        .chain(linked.cloned())
        .chain(written.map(|(memo, _)| memo))
        .collect()
}

/// The memos that the platform's payment shows.
pub(super) fn shown_by(this: &This<'_>) -> BTreeSet<RecordRef> {
    let uses = this.payment.uses.iter();
    uses.filter_map(|part| memo_of(this.books, &part.of))
        .collect()
}

/// The ledger's memo that a part of a payment uses, if it is linked.
fn memo_of(books: &Books, of: &UseOf) -> Option<RecordRef> {
    let UseOf::CreditMemo { credit, .. } = of else {
        return None;
    };
    let credit = RecordRef::new(Side::Platform, Kind::CreditMemo, credit.clone());
    origin::counterpart(books, CREDIT_MEMOS.name(), &credit).cloned()
}

/// The ledger's invoice of a part of a payment.
fn invoice_of(books: &Books, of: &UseOf) -> Option<RemoteId> {
    let invoice = RecordRef::new(Side::Platform, Kind::Invoice, of.invoice()?.clone());
    origin::ledger_invoice(books, &invoice).map(|there| there.id)
}

/// What must be loaded to know how much of the memos is whose.
pub(super) fn needs(this: &This<'_>) -> Vec<Need> {
    let books = this.books;
    let mut needs = Vec::new();
    for memo in used_by(this) {
        needs.push(Need::Record(memo.clone()));
        needs.push(Need::Outdated(memo.clone()));
        for other in others_of(this, &memo) {
            needs.push(Need::Record(other.clone()));
            let seen = books.record(other).map(|seen| &seen.document);
            let Some(Document::CustomerPayment(payment)) = seen else {
                continue;
            };
            for part in &payment.uses {
                if let Some(invoice) = part.of.invoice() {
                    let invoice = RecordRef::new(Side::Platform, Kind::Invoice, invoice.clone());
                    needs.extend(origin::ledger_invoice_needs(books, &invoice));
                }
                if let UseOf::CreditMemo { credit, .. } = &part.of {
                    let credit = RecordRef::new(Side::Platform, Kind::CreditMemo, credit.clone());
                    needs.extend(origin::needs(CREDIT_MEMOS.name(), &credit));
                }
            }
        }
        needs.push(Need::LinkedTo(memo));
    }
    needs
}

/// The other payments of the platform that are linked to a memo, each once.
fn others_of<'a>(this: &This<'a>, memo: &RecordRef) -> BTreeSet<&'a RecordRef> {
    let links = this.books.links_to(memo).iter();
    links
        .filter(|link| link.flow == NAME && link.record.side == Side::Platform)
        .map(|link| &link.record)
        .filter(|record| *record != this.record)
        .collect()
}

/// What a payment of the platform shows that it uses a memo for.
pub(super) fn shown(books: &Books, payment: &CustomerPayment, memo: &RecordRef) -> Claim {
    let mut parts: BTreeMap<RemoteId, Amount> = BTreeMap::new();
    for part in &payment.uses {
        if memo_of(books, &part.of).as_ref() != Some(memo) {
            continue;
        }
        if let Some(invoice) = invoice_of(books, &part.of) {
            add(&mut parts, invoice, part.amount);
        }
    }
    if payment.total.is_zero() {
        return Claim::exact(parts);
    }
    let uses = payment.uses.iter();
    Claim {
        parts,
        among: uses
            .filter_map(|part| invoice_of(books, &part.of))
            .collect(),
    }
}

/// What a posting was written with, by memo. Nothing for one that was adopted, or that was changed since: a change is of
/// its cash alone.
pub(super) fn written(link: &Link) -> BTreeMap<RecordRef, Claim> {
    let mut all: BTreeMap<RecordRef, Claim> = BTreeMap::new();
    let Some(Document::CustomerPayment(applied)) = &link.applied else {
        return all;
    };
    let among: BTreeSet<RemoteId> = applied
        .uses
        .iter()
        .filter_map(|part| part.of.invoice().cloned())
        .collect();
    for part in &applied.uses {
        if let UseOf::CreditMemo { credit, invoice } = &part.of {
            let memo = RecordRef::new(Side::Ledger, Kind::CreditMemo, credit.clone());
            let claim = all.entry(memo).or_insert_with(|| Claim {
                parts: BTreeMap::new(),
                among: among.clone(),
            });
            add(&mut claim.parts, invoice.clone(), part.amount);
        }
    }
    all
}

fn add(parts: &mut BTreeMap<RemoteId, Amount>, invoice: RemoteId, amount: Amount) {
    let sum = parts.entry(invoice).or_default();
    *sum = sum.plus(amount).unwrap_or(*sum);
}

/// Whether what a payment of the platform uses is used.
fn stands(seen: &Seen) -> Option<&CustomerPayment> {
    match &seen.document {
        Document::CustomerPayment(payment) if !seen.gone => {
            let undone = matches!(
                payment.status,
                ReceiptStatus::Voided | ReceiptStatus::Failed
            );
            (!undone).then_some(payment)
        }
        _ => None,
    }
}

/// What the memos that a payment shows have put on one of its invoices for it.
pub(super) fn credited(this: &This<'_>, invoice: &RemoteId) -> Amount {
    let used = shown_by(this).into_iter();
    used.filter_map(|record| {
        let most = shown(this.books, this.payment, &record).total();
        let left = Memo::of(this, &record)?.left_on(invoice);
        Some(left.max(Amount::ZERO).min(most))
    })
    .sum()
}

impl<'a> Memo<'a> {
    /// One that stands in the ledger: what is gone or void is applied to nothing.
    pub(super) fn of(this: &This<'a>, record: &RecordRef) -> Option<Self> {
        let seen = this.books.record(record).filter(|seen| !seen.gone)?;
        let Document::CreditMemo(memo) = &seen.document else {
            return None;
        };
        if memo.status == InvoiceStatus::Voided {
            return None;
        }
        let others = others_of(this, record).into_iter();
        let others = others.filter_map(|other| stands(this.books.record(other)?));
        Some(Self {
            memo,
            document: &seen.document,
            others: others
                .map(|payment| shown(this.books, payment, record))
                .collect(),
        })
    }

    /// How much it gives to these invoices.
    fn given(&self, pool: &BTreeSet<RemoteId>) -> Amount {
        let here = self.memo.applications.iter();
        here.filter(|it| pool.contains(&it.document))
            .map(|it| it.amount)
            .sum()
    }

    /// These invoices, and all on which others' credit may have gone to them instead.
    fn pool(&self, mut pool: BTreeSet<RemoteId>) -> BTreeSet<RemoteId> {
        loop {
            let before = pool.len();
            for other in &self.others {
                if !other.among.is_disjoint(&pool) {
                    pool.extend(other.among.iter().cloned());
                }
            }
            if pool.len() == before {
                return pool;
            }
        }
    }

    /// What it gives to these invoices beyond what other payments use of it; less than zero where somebody took of theirs.
    fn left_in(&self, pool: &BTreeSet<RemoteId>) -> Amount {
        let others = self.others.iter().map(|other| other.on(pool)).sum();
        self.given(pool).minus(others).unwrap_or_default()
    }

    /// What it gives to one invoice beyond what other payments name for it.
    pub(super) fn left_on(&self, invoice: &RemoteId) -> Amount {
        let pool = BTreeSet::from([invoice.clone()]);
        let named = self.others.iter();
        let named = named.filter_map(|other| other.parts.get(invoice)).copied();
        self.given(&pool).minus(named.sum()).unwrap_or_default()
    }

    /// What it gives where this is looked for, beyond what other payments use of it.
    pub(super) fn left_for(&self, claim: &Claim) -> Amount {
        self.left_in(&self.pool(claim.places()))
    }

    /// What it gives in all, beyond what other payments use of it.
    pub(super) fn unclaimed(&self) -> Amount {
        let given: Amount = self.memo.applications.iter().map(|it| it.amount).sum();
        let others = self.others.iter().map(Claim::total).sum();
        given.minus(others).unwrap_or_default()
    }

    /// What is still to be applied for a payment of nothing, invoice by invoice: nothing of what the ledger already
    /// applies beyond what the others use.
    pub(super) fn missing(&self, parts: &[(RemoteId, Amount)]) -> Vec<(RemoteId, Amount)> {
        let mut before = Claim::default();
        let mut missing = Vec::new();
        for (invoice, amount) in parts {
            let own = BTreeSet::from([invoice.clone()]);
            let pool = self.pool(own.clone());
            let left = self.left_in(&pool).minus(before.on(&pool));
            let there = left.unwrap_or_default().min(self.given(&own));
            let there = there.max(Amount::ZERO).min(*amount);
            let short = amount.minus(there).unwrap_or_default();
            if short.is_positive() {
                missing.push((invoice.clone(), short));
            }
            add(&mut before.parts, invoice.clone(), *amount);
        }
        missing
    }

    /// Whether each credit is on the invoice for which the platform names it.
    pub(super) fn is_as_named(&self, claim: &Claim) -> bool {
        let mut parts = claim.parts.iter();
        parts.all(|(invoice, amount)| self.left_on(invoice) >= *amount)
    }

    /// Its applications without so much of what a payment used: off the invoice that was named first, then off the others
    /// that it may have gone to.
    pub(super) fn without(&self, claim: &Claim, amount: Amount) -> Vec<Application> {
        let mut left = amount;
        let mut taken: BTreeMap<RemoteId, Amount> = BTreeMap::new();
        let named = claim.parts.iter();
        let named = named.map(|(invoice, part)| (invoice, Some(*part)));
        let others = claim.among.iter().map(|invoice| (invoice, None));
        for (invoice, most) in named.chain(others) {
            let so_far = taken.get(invoice).copied().unwrap_or_default();
            let free = self.left_on(invoice).minus(so_far).unwrap_or_default();
            let part = most.map_or(free, |most| free.min(most));
            let part = part.min(left).max(Amount::ZERO);
            left = left.minus(part).unwrap_or(left);
            add(&mut taken, invoice.clone(), part);
        }
        let applications = self.memo.applications.iter();
        let kept = applications.map(|it| {
            let taken = taken.get_mut(&it.document);
            let part = taken.map_or(Amount::ZERO, |taken| {
                let part = it.amount.min(*taken);
                *taken = taken.minus(part).unwrap_or_default();
                part
            });
            Application {
                amount: it.amount.minus(part).unwrap_or(it.amount),
                ..it.clone()
            }
        });
        kept.filter(|it| !it.amount.is_zero()).collect()
    }
}
