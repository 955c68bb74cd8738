//! Credits that a payment used, free again once it is undone (scenarios 49 and 51).
//!
//! A credit's application to a bill is the credit's own: a saved payment of the ledger doesn't show it. So
//! each credit is changed by itself, once. That it was done is a link in a role of its own: what somebody
//! applies anew later is theirs.

use std::collections::{BTreeMap, BTreeSet};

use tieout_domain::code::Code;
use tieout_domain::document::{Application, BillStatus, VendorCredit};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Kind, RecordRef, RemoteId, Side};

use super::posting::{BILLS, CREDITS, origin, platform};
use super::{NAME, REVERSAL, This};
use crate::period::{self, Book};
use crate::verdict::{amendment_key, blocked, conflict};
use crate::{Link, Need, Seen, Step, Verdict};

/// What of a credit went to which bill of the ledger; `None` where only the bill is known.
type Uses = Vec<(RemoteId, Option<Amount>)>;

/// What must be loaded to free the credits of a posting.
pub(super) fn needs(link: &Link) -> Vec<Need> {
    let credits = written(link).into_keys();
    credits
        .map(|credit| Need::Record(ledger_credit(credit)))
        .collect()
}

fn ledger_credit(id: RemoteId) -> RecordRef {
    RecordRef::new(Side::Ledger, Kind::VendorCredit, id)
}

/// The uses that a posting was written with.
fn written(link: &Link) -> BTreeMap<RemoteId, Uses> {
    let mut all: BTreeMap<RemoteId, Uses> = BTreeMap::new();
    if let Some(Document::Payment(applied)) = &link.applied {
        for application in &applied.applications {
            for used in &application.credits {
                let use_of = (application.document.clone(), Some(used.amount));
                all.entry(used.credit.clone()).or_default().push(use_of);
            }
        }
    }
    all
}

/// The uses that the platform's payment shows, in the ledger's ids.
fn shown(this: &This<'_>) -> BTreeMap<RemoteId, Uses> {
    let mut all: BTreeMap<RemoteId, Uses> = BTreeMap::new();
    for application in &this.payment.applications {
        let there = platform(Kind::Bill, &application.document);
        let Some(bill) = origin(this.books, BILLS, &there) else {
            continue;
        };
        for used in &application.credits {
            let there = platform(Kind::VendorCredit, &used.credit);
            if let Some(credit) = origin(this.books, CREDITS, &there) {
                let use_of = (bill.id.clone(), Some(used.amount));
                all.entry(credit.id.clone()).or_default().push(use_of);
            }
        }
    }
    all
}

/// All bills of the ledger that a posting pays.
fn bills(this: &This<'_>, link: &Link) -> BTreeSet<RemoteId> {
    if let Some(Document::Payment(applied)) = &link.applied {
        return applied
            .applications
            .iter()
            .map(|a| a.document.clone())
            .collect();
    }
    let of_platform = this.payment.applications.iter();
    of_platform
        .filter_map(|application| {
            let there = platform(Kind::Bill, &application.document);
            Some(origin(this.books, BILLS, &there)?.id.clone())
        })
        .collect()
}

/// What a posting used: as it was written, or, where the memory of that was lost, as the platform shows it.
fn uses(this: &This<'_>, link: &Link) -> BTreeMap<RemoteId, Uses> {
    let written = written(link);
    if written.is_empty() {
        shown(this)
    } else {
        written
    }
}

/// What is still to be done to free the credits of a posting that is not moved yet.
pub(super) fn decide(this: &This<'_>, link: &Link) -> Option<Verdict> {
    let all = uses(this, link);
    all.iter()
        .find_map(|(credit, uses)| one(this, link, credit, uses))
}

/// The same for a payment without cash, whose link leads to the credit itself (scenario 50).
pub(super) fn decide_without_cash(this: &This<'_>, link: &Link) -> Option<Verdict> {
    if link.target.kind != Kind::VendorCredit {
        return None;
    }
    let uses = shown(this).remove(&link.target.id).unwrap_or_else(|| {
        let bills = this.payment.applications.iter().filter_map(|application| {
            let there = platform(Kind::Bill, &application.document);
            Some((origin(this.books, BILLS, &there)?.id.clone(), None))
        });
        bills.collect()
    });
    one(this, link, &link.target.id, &uses)
}

/// Whether nothing forbids to free them.
pub(super) fn may_be(this: &This<'_>, link: &Link) -> Result<(), String> {
    for credit in uses(this, link).into_keys() {
        if let Some(credit) = standing(this, &credit) {
            period::applications_may_move(Book::Payables, credit.date, this.books)?;
        }
    }
    Ok(())
}

fn role(link: &Link, credit: &RemoteId) -> String {
    let base = format!("{REVERSAL}-credit-{credit}");
    if link.role.is_empty() || link.target.kind == Kind::VendorCredit {
        base
    } else {
        format!("{base}-{}", link.role)
    }
}

fn standing<'a>(this: &This<'a>, id: &RemoteId) -> Option<&'a VendorCredit> {
    match this.books.record(&ledger_credit(id.clone())) {
        Some(Seen {
            document: Document::VendorCredit(credit),
            gone: false,
            ..
        }) if credit.status != BillStatus::Voided => Some(credit),
        _ => None,
    }
}

fn one(this: &This<'_>, link: &Link, id: &RemoteId, uses: &Uses) -> Option<Verdict> {
    let role = role(link, id);
    if this.books.link(NAME, this.record, &role).is_some() {
        return None;
    }
    // One that is gone or void is applied to nothing any more.
    let credit = standing(this, id)?;
    let label = this.label();
    let Some(kept) = without(&credit.applications, uses, &bills(this, link)) else {
        let cause = format!(
            "{label} used vendor credit {} (id {id}), of which somebody has changed what it is applied to",
            credit.number
        );
        return Some(conflict(Code::new("edited-by-hand"), cause));
    };
    if kept == credit.applications {
        return Some(Verdict::Adopt {
            target: ledger_credit(id.clone()),
            role,
            how: "the credit is free already",
            key: Some(this.key()),
        });
    }
    if let Err(why) = period::applications_may_move(Book::Payables, credit.date, this.books) {
        let cause = format!(
            "{label} was undone on the platform, but vendor credit {} can't be taken off its bills: {why}",
            credit.number
        );
        return Some(blocked(Code::new("reversal-forbidden"), cause));
    }
    let applied = |all: &[Application]| Amount::total(all.iter().map(|a| a.amount));
    let freed = applied(&credit.applications)
        .ok()?
        .minus(applied(&kept).ok()?)
        .ok()?;
    let document = Document::VendorCredit(VendorCredit {
        applications: kept,
        open: credit.open.plus(freed).ok()?,
        ..credit.clone()
    });
    Some(Verdict::Write(Box::new(Step {
        side: Side::Ledger,
        action: Action::Amend,
        role,
        target: Some(id.clone()),
        key: amendment_key(&this.key(), &document),
        document,
        expect: Some(Document::VendorCredit(credit.clone())),
        because: "the platform took the credit back".into(),
    })))
}

/// The applications without these uses; `None` where less is applied than was used. Which of a payment's bills
/// a credit goes to is the ledger's choice: if it isn't the one that was named, it is another one of them.
fn without(
    applications: &[Application],
    uses: &Uses,
    bills: &BTreeSet<RemoteId>,
) -> Option<Vec<Application>> {
    let wanted: BTreeMap<&RemoteId, Option<Amount>> =
        uses.iter().map(|(bill, amount)| (bill, *amount)).collect();
    let named = |application: &Application| {
        let used = wanted.get(&application.document)?;
        Some(used.unwrap_or(application.amount))
    };
    let exact = uses.iter().all(|(bill, amount)| {
        let here = applications
            .iter()
            .find(|application| application.document == *bill);
        amount.is_none_or(|amount| here.is_some_and(|here| here.amount >= amount))
    });
    if exact {
        return Some(reduced(applications, |application| {
            named(application).unwrap_or(Amount::ZERO)
        }));
    }
    let of_payment = |application: &Application| bills.contains(&application.document);
    if !applications.iter().any(of_payment) {
        return Some(applications.to_vec());
    }
    let mut left: Amount = uses.iter().filter_map(|(_, amount)| *amount).sum();
    let kept = reduced(applications, |application| {
        let taken = if of_payment(application) {
            left.min(application.amount)
        } else {
            Amount::ZERO
        };
        left = left.minus(taken).unwrap_or(left);
        taken
    });
    left.is_zero().then_some(kept)
}

/// The applications less what is taken of each.
fn reduced(
    applications: &[Application],
    mut taken: impl FnMut(&Application) -> Amount,
) -> Vec<Application> {
    let less = |application: &Application| Application {
        amount: application
            .amount
            .minus(taken(application))
            .unwrap_or(application.amount),
        ..application.clone()
    };
    let all = applications.iter().map(less);
    all.filter(|application| !application.amount.is_zero())
        .collect()
}
