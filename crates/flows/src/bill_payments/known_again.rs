//! Postings that another sync made, before this one took over: known by what they pay while it does, or by a person's word
//! (scenario 249).
//!
//! After a store was lost, tieout's own postings are known by their external ids. What pays the same under no such id may be
//! that other sync's, or somebody's own payment of what is paid on the platform too: a person says which.

use tieout_domain::code::Code;
use tieout_domain::document::{Application, Payment, PaymentStatus};
use tieout_domain::{Document, Kind, RecordRef, Side};

use super::posting::{grouped, ledger_payments};
use super::stage::{self, Stage};
use super::{NAME, This};
use crate::matching::payment_key;
use crate::projection::same_applications;
use crate::verdict::blocked;
use crate::{Decided, Need, Seen, Verdict};

/// What must be loaded beside what posting needs.
pub(super) fn needs(this: &This<'_>) -> Vec<Need> {
    let books = this.books;
    let mut needs = Vec::new();
    if let Some(Decided::Link(target)) = books.decided(NAME, this.record) {
        needs.push(Need::Record(target.clone()));
        needs.push(Need::LinkedTo(target.clone()));
    }
    if books.recovering {
        let (side, kind, key) = twin_key(this);
        for twin in books
            .matching
            .get(&(side, kind, key.clone()))
            .into_iter()
            .flatten()
        {
            needs.push(Need::Record(twin.clone()));
            needs.push(Need::Links(NAME, twin.clone()));
        }
        needs.push(Need::Matching(side, kind, key));
    }
    needs
}

/// The posting that this payment has already, if it is known.
pub(super) fn decide(this: &This<'_>) -> Option<Verdict> {
    if let Some(Decided::Link(target)) = this.books.decided(NAME, this.record) {
        return Some(chosen(this, target));
    }
    let stands = !matches!(
        this.stage(),
        Stage::Undone | Stage::Reissued | Stage::Unknown(_)
    );
    if !this.books.recovering || !stands || this.payment.total.is_zero() {
        return None;
    }
    let found = same(this)?;
    let dated = |payment: &Payment| payment.date == this.payment.date;
    let twins = twins(this);
    let one = match found.as_slice() {
        [] => return None,
        [one] if twins.is_empty() => Some(one),
        several => {
            let mut of_the_day = several.iter().filter(|(_, payment)| dated(payment));
            match (of_the_day.next(), of_the_day.next()) {
                (Some(one), None) if !twins.into_iter().any(dated) => Some(one),
                _ => None,
            }
        }
    };
    Some(match one {
        Some((record, _)) if this.books.taking_over => {
            adopt(this, record, "vendor, amount and bills")
        }
        _ => ambiguous(this, &found),
    })
}

fn adopt(this: &This<'_>, target: &RecordRef, how: &'static str) -> Verdict {
    Verdict::Adopt {
        target: target.clone(),
        role: String::new(),
        how,
        key: Some(this.key()),
    }
}

/// A person's choice.
fn chosen(this: &This<'_>, target: &RecordRef) -> Verdict {
    let there = this.books.record(target).is_some_and(|seen| !seen.gone);
    let is_payment = target.side == Side::Ledger && target.kind == Kind::Payment;
    if there && is_payment && this.books.links_to(target).is_empty() {
        return adopt(this, target, "a person's choice");
    }
    let cause = format!(
        "{} can't be linked to {target}: it is no payment of the ledger, gone, or another payment's",
        this.label()
    );
    blocked(Code::new("link-refused"), cause)
}

/// The ledger's payments, nobody's counterpart yet, that pay the same bills the same amounts.
fn same<'a>(this: &This<'a>) -> Option<Vec<(&'a RecordRef, &'a Payment)>> {
    let (groups, vendor) = grouped(this).ok()?;
    let [(_, paid)] = groups.as_slice() else {
        return None;
    };
    let wanted: Vec<Application> = paid.iter().map(super::posting::Paid::application).collect();
    let connection = &this.books.connection;
    let is_anothers = |payment: &Payment| {
        let key = payment.external_id.as_ref();
        key.is_some_and(|key| *key != this.key() && connection.is_of_platform(key))
    };
    let fits = |(record, payment): &(&RecordRef, &Payment)| {
        payment.status != PaymentStatus::LedgerVoided
            && !is_anothers(payment)
            && payment.currency == this.payment.currency
            && this.books.links_to(record).is_empty()
            && same_applications(&payment.applications, &wanted)
    };
    Some(ledger_payments(this, &vendor).filter(fits).collect())
}

fn twin_key(this: &This<'_>) -> (Side, Kind, String) {
    let key = payment_key(&this.payment.vendor, this.payment.total);
    (Side::Platform, Kind::Payment, key)
}

/// Other payments of the platform that pay the same, and could have made the same posting.
fn twins<'a>(this: &This<'a>) -> Vec<&'a Payment> {
    let books = this.books;
    let found = books.matching.get(&twin_key(this));
    found
        .into_iter()
        .flatten()
        .filter(|twin| *twin != this.record && books.links_of(NAME, twin).is_empty())
        .filter_map(|twin| match books.record(twin) {
            Some(Seen {
                document: Document::Payment(payment),
                gone: false,
                ..
            }) => Some(payment),
            _ => None,
        })
        .filter(|twin| {
            let stage = stage::of(twin, books.preferences.transactions.post_payments_at);
            !matches!(stage, Stage::Undone | Stage::Reissued)
                && same_applications(&twin.applications, &this.payment.applications)
        })
        .collect()
}

fn ambiguous(this: &This<'_>, several: &[(&RecordRef, &Payment)]) -> Verdict {
    let list: Vec<_> = several
        .iter()
        .map(|(record, payment)| format!("{} ({})", payment.label(), record.id))
        .collect();
    let cause = match list.as_slice() {
        [one] => format!(
            "{} pays the same as {one} of the ledger, under no external id of tieout's: that may be its posting, or the \
             same paid twice; link it, or leave it as it is",
            this.label()
        ),
        several => format!(
            "{} could be each of these payments of the ledger: {}",
            this.label(),
            several.join(", ")
        ),
    };
    blocked(Code::new("ambiguous-match"), cause)
}
