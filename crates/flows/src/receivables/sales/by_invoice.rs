//! An invoice and its copy on a platform without credit notes, which is told by invoice what was settled in the ledger
//! (scenarios 175–178, 193).
//!
//! The copy follows while nobody has paid through the platform; from then on a difference is shown (scenario 177). Where
//! the platform changes no invoices, or not this of them, the copy is archived and made anew; where it takes no payments from
//! elsewhere, the copy bears the balance alone, and is archived once that is nothing, so that nobody pays twice.

use tieout_domain::code::Code;
use tieout_domain::document::{InvoiceStatus, SalesLine, SalesLineKind};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Kind, Outcome};

use super::linked::{At, is_closed};
use super::{Paper, This, wanted};
use crate::projection::{Difference, sale_differences};
use crate::receivables::customers;
use crate::receivables::on_copy::OnCopy;
use crate::receivables::origin::RETIRED;
use crate::verdict::{amendment_key, blocked, conflict, done, done_with, hold, noop};
use crate::{Link, Step, Verdict};

pub(super) fn decide(this: &This<'_>, link: &Link) -> Verdict {
    let label = this.label();
    let there = this.books.record(&link.target).filter(|seen| !seen.gone);
    let there = there.and_then(|seen| Some((&seen.document, Paper::of(&seen.document)?)));
    let on_copy = OnCopy::of(this.books, &link.target);
    let Some((document, copy)) = there else {
        return match (is_closed(this), was_put_away(link)) {
            (true, _) => noop(
                Code::new("closed-on-both-sides"),
                format!("{label} is gone from both sides"),
            ),
            (false, true) => anew(this, link, &on_copy),
            (false, false) => {
                let cause = format!(
                    "{label} leads to {} on the platform, which is no longer there",
                    link.target.id
                );
                blocked(Code::new("counterpart-gone"), cause)
            }
        };
    };
    let at = At {
        this,
        link,
        document,
        copy,
    };
    let copy = Copy { at, on_copy };
    copy.decide()
}

/// Whether tieout archived the copy itself, to make it anew once something is owed again.
pub(super) fn was_put_away(link: &Link) -> bool {
    matches!(&link.applied, Some(Document::Invoice(applied)) if applied.status == InvoiceStatus::Voided)
}

/// Whether the platform takes payments from elsewhere.
fn takes_payments(this: &This<'_>) -> bool {
    let connection = &this.books.connection;
    connection.takes(Kind::CustomerPayment, Action::Create)
}

/// The invoice over what is to be collected there, or what it waits for: as it is, or where a part of it was settled and the
/// platform can't be told so, as one line over the balance.
pub(super) fn document(
    this: &This<'_>,
    owed: Amount,
    there: Option<&Paper<'_>>,
) -> Result<Document, Outcome> {
    let customer = this.customer();
    let Some(payer) = customers::counterpart(this.books, &customer) else {
        return Err(customers::awaited(&this.label(), &customer));
    };
    let mut document = wanted::document(this, payer.id.clone(), there)?;
    if let Document::Invoice(invoice) = &mut document
        && owed != invoice.total
    {
        invoice.lines = vec![balance_line(&invoice.number, owed)];
        (invoice.total, invoice.open) = (owed, owed);
    }
    Ok(document)
}

fn balance_line(number: &str, owed: Amount) -> SalesLine {
    SalesLine {
        id: None,
        line_kind: SalesLineKind::Item,
        item: None,
        name: format!("Balance of invoice {number}"),
        description: String::new(),
        quantity: Amount::ONE,
        rate: owed,
        amount: owed,
        department: None,
        class: None,
        location: None,
    }
}

/// What a copy that is made now is to come to.
pub(super) fn owed(this: &This<'_>) -> Amount {
    if takes_payments(this) {
        this.paper.total
    } else {
        this.paper.open
    }
}

/// An archived copy of what is owed again: kept in mind by a link of its own, so that money for it still finds the
/// invoice, and made anew.
fn anew(this: &This<'_>, link: &Link, on_copy: &OnCopy<'_>) -> Verdict {
    let label = this.label();
    if this.paper.open.is_zero() {
        let cause = format!("{label} is settled in the ledger, and its copy is archived");
        return noop(Code::new("archived-as-settled"), cause);
    }
    if on_copy.unposted().is_positive() {
        return under_way(this);
    }
    if let Some(verdict) = read_first(this) {
        return verdict;
    }
    let role = format!("{RETIRED}{}", link.target.id);
    if this.books.link(this.flow, this.record, &role).is_none() {
        return Verdict::Adopt {
            target: link.target.clone(),
            role,
            how: "it is made anew",
            key: None,
        };
    }
    // It may have been made anew before the store was put back.
    let mut standing = this.standing_copies();
    standing.retain(|copy| **copy != link.target);
    match standing.as_slice() {
        [] => {}
        [one] => return this.adopt((*one).clone(), "its mark"),
        several => return this.several(several),
    }
    match document(this, owed(this), None) {
        Ok(document) => {
            let key = this.key().with(link.target.id.as_str());
            this.create(
                document,
                key,
                "its copy was archived to be made anew".into(),
            )
        }
        Err(outcome) => Verdict::Rest(outcome),
    }
}

/// What is open of it was read before a payment of it was posted, un-applied or undone. Whether a copy is archived or made
/// must not depend on which was read first.
fn read_first(this: &This<'_>) -> Option<Verdict> {
    let cause = || {
        format!(
            "a payment of {} was posted or undone a moment ago: what is open of it is read again first",
            this.label()
        )
    };
    let outdated = this.books.is_outdated(this.record);
    outdated.then(|| hold(Code::new("read-first"), cause()))
}

fn under_way(this: &This<'_>) -> Verdict {
    let cause = format!(
        "{} changed in the ledger while a payment of it is under way on the platform",
        this.label()
    );
    hold(Code::new("payment-under-way"), cause)
}

/// A copy that is there.
struct Copy<'a> {
    at: At<'a>,
    on_copy: OnCopy<'a>,
}

impl Copy<'_> {
    fn decide(&self) -> Verdict {
        let (this, copy) = (self.at.this, &self.at.copy);
        let label = this.label();
        if is_closed(this) {
            return self.close();
        }
        match this.paper.status {
            InvoiceStatus::PendingApproval => {
                let cause = format!("{label} waits for approval again in the ledger");
                return hold(Code::new("back-to-pending"), cause);
            }
            InvoiceStatus::WrittenOff => return self.at.write_off(),
            _ => {}
        }
        if let InvoiceStatus::Other(word) = copy.status {
            let cause = format!(
                "{label} has the status `{word}` on the platform, which tieout doesn't know"
            );
            return blocked(Code::new("unknown-status"), cause);
        }
        if copy.is_voided() {
            return self.archived();
        }
        let collects = self.on_copy.left(copy).is_positive();
        if this.paper.open.is_zero() && (collects || self.on_copy.unposted().is_positive()) {
            return self.settled_in_ledger();
        }
        self.follow()
    }

    fn close(&self) -> Verdict {
        if self.at.copy.is_voided() {
            let cause = format!("{} is closed on both sides", self.at.this.label());
            return noop(Code::new("closed-on-both-sides"), cause);
        }
        if self.is_paid_through() {
            return self.at.paid_and_closed();
        }
        self.at.put_away()
    }

    fn archived(&self) -> Verdict {
        let this = self.at.this;
        if was_put_away(self.at.link) {
            return anew(this, self.at.link, &self.on_copy);
        }
        let label = this.label();
        if this.paper.open.is_zero() {
            let cause = format!("{label} is closed on both sides");
            return noop(Code::new("closed-on-both-sides"), cause);
        }
        let cause = format!(
            "{label} was archived on the platform, but {} of it is open in the ledger",
            this.paper.open.of(this.paper.currency)
        );
        blocked(Code::new("copy-voided"), cause)
    }

    /// Whether a customer has paid it over there, or is about to: nothing is sent from then on.
    fn is_paid_through(&self) -> bool {
        self.on_copy
            .is_paid_through(&self.at.copy, self.at.this.record)
    }

    /// Nobody owes it any more in the ledger, by what the platform wasn't or can't be told.
    fn settled_in_ledger(&self) -> Verdict {
        let this = self.at.this;
        let label = this.label();
        if self.on_copy.has_failed(this.record) {
            let cause = format!(
                "a payment of {label} failed on the platform and still stands in the ledger"
            );
            return hold(Code::new("payment-failed"), cause);
        }
        if self.at.copy.status == &InvoiceStatus::PaymentPending
            || self.on_copy.unposted().is_positive()
        {
            return under_way(this);
        }
        if self.is_paid_through() {
            let cause = format!(
                "{label} is settled in the ledger, and {} of it is open on the platform, where a part was paid",
                self.on_copy.left(&self.at.copy).of(self.at.copy.currency)
            );
            return blocked(Code::new("open-on-platform-only"), cause);
        }
        if let Some(verdict) = read_first(this) {
            return verdict;
        }
        self.archive("it is settled in the ledger: so nobody pays twice")
    }

    fn archive(&self, because: &str) -> Verdict {
        let mut document = self.at.document.clone();
        if let Document::Invoice(invoice) = &mut document {
            invoice.status = InvoiceStatus::Voided;
        }
        let base = self.at.this.key();
        let target = self.at.link.target.id.clone();
        Verdict::Write(Box::new(Step {
            side: self.at.link.target.side,
            action: Action::Archive,
            role: String::new(),
            key: amendment_key(&base.with(target.as_str()), &document),
            target: Some(target),
            document,
            expect: Some(self.at.document.clone()),
            because: because.to_owned(),
        }))
    }

    /// What the copy is to come to: what is owed, and what of it was paid through this copy.
    fn owed(&self) -> Amount {
        let this = self.at.this;
        if takes_payments(this) {
            return this.paper.total;
        }
        let posted = self.on_copy.posted(this.record);
        this.paper.open.plus(posted).unwrap_or(this.paper.total)
    }

    fn follow(&self) -> Verdict {
        let this = self.at.this;
        let owed = self.owed();
        // It is paid on both sides. Which payment of the platform did it isn't always told.
        if this.paper.open.is_zero()
            && *self.at.copy.status == InvoiceStatus::Paid
            && owed.is_zero()
        {
            return done();
        }
        let document = match document(this, owed, Some(&self.at.copy)) {
            Ok(document) => document,
            Err(outcome) => return Verdict::Rest(outcome),
        };
        let changed = self.changed(&document);
        if changed.is_empty() {
            return self.same(&document);
        }
        if self.is_paid_through() {
            return self.too_late(&changed, owed);
        }
        let anew = changed.iter().any(|it| {
            matches!(it, Difference::Customer | Difference::Number)
                || !this.books.connection.takes(Kind::Invoice, Action::Amend)
        });
        if anew {
            return self.archive("it changed where it began: it is made anew");
        }
        self.amend(document)
    }

    /// What the original changed since it was last sent, as far as the platform has a place for it. A copy that was never
    /// written is compared by what matters.
    fn changed(&self, wanted: &Document) -> Vec<Difference> {
        let this = self.at.this;
        let applied = self.at.link.applied.as_ref();
        let amends = this.books.connection.takes(Kind::Invoice, Action::Amend);
        let (against, written) = match applied {
            Some(applied) => (applied, true),
            None => (self.at.document, false),
        };
        let differences = sale_differences(wanted, against).into_iter();
        differences
            .filter(|it| match it {
                Difference::Customer | Difference::Total | Difference::Due => true,
                Difference::Number | Difference::Coding => written,
                Difference::Text => written && amends,
                Difference::Vendor | Difference::Date => false,
            })
            .collect()
    }

    /// The original is as it was sent: what the copy shows otherwise was edited there.
    fn same(&self, wanted: &Document) -> Verdict {
        let this = self.at.this;
        let differences: Vec<_> = sale_differences(wanted, self.at.document)
            .into_iter()
            .filter(|it| {
                matches!(
                    it,
                    Difference::Customer | Difference::Total | Difference::Due
                )
            })
            .collect();
        if !differences.is_empty() {
            return self.at.copy_edited(&differences);
        }
        if self.at.copy.total == this.paper.total {
            return done();
        }
        let cause = format!(
            "{} of {}: the platform takes no payments from elsewhere, and bills the balance of {}",
            this.label(),
            this.paper.total.of(this.paper.currency),
            self.at.copy.total
        );
        done_with(Code::new("balance-only"), cause)
    }

    /// It changed after a customer paid it over there, or a part of it (scenario 177): the difference is shown.
    fn too_late(&self, changed: &[Difference], owed: Amount) -> Verdict {
        let this = self.at.this;
        let words: Vec<&str> = changed.iter().map(|it| it.word()).collect();
        let cause = format!(
            "{} changed in the ledger ({}) after it was paid on the platform: {} is to be collected by the ledger, {} there",
            this.label(),
            words.join(", "),
            owed.of(this.paper.currency),
            self.at.copy.total.of(self.at.copy.currency)
        );
        let code = Code::new("changed-after-payment");
        let money = owed != self.at.copy.total || changed.contains(&Difference::Customer);
        if money && !this.accepted(&code) {
            conflict(code, cause)
        } else {
            noop(code, cause)
        }
    }

    fn amend(&self, document: Document) -> Verdict {
        let base = self.at.this.key();
        Verdict::Write(Box::new(Step {
            side: self.at.link.target.side,
            action: Action::Amend,
            role: String::new(),
            target: Some(self.at.link.target.id.clone()),
            key: amendment_key(&base, &document),
            document,
            expect: Some(self.at.document.clone()),
            because: "it changed where it began".to_owned(),
        }))
    }
}
