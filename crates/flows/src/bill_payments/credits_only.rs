//! Payments without cash: the platform settled bills with credits alone (scenario 50).

use std::collections::BTreeMap;

use tieout_domain::code::Code;
use tieout_domain::document::{Application, Payment, VendorCredit};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Kind, Outcome, RecordRef, RemoteId, Side, State, WaitsFor};

use super::posting::{BILLS, CREDITS, Group, origin, platform, stop};
use super::{NAME, REVERSAL, This};
use crate::verdict::amendment_key;
use crate::{Link, Need, Step, Verdict, vendor_credits};

/// The role of the link to a credit that a payment without cash applied.
pub(super) fn role(credit: &RemoteId) -> String {
    format!("credit-{credit}")
}

/// What must be loaded to tell this payment's uses of credits from those of others.
pub(super) fn needs(this: &This<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    if !this.payment.total.is_zero() {
        return needs;
    }
    for there in credits_there(this.payment) {
        if let Some(credit) = origin(this.books, CREDITS, &there) {
            needs.push(Need::LinkedTo(credit.clone()));
            for link in users(this, credit) {
                needs.push(Need::Record(link.record.clone()));
                needs.push(Need::Links(NAME, link.record.clone()));
            }
        }
        needs.push(Need::Record(there));
    }
    needs
}

/// The platform's credits that a payment uses.
fn credits_there(payment: &Payment) -> impl Iterator<Item = RecordRef> {
    let uses = payment.applications.iter().flat_map(|part| &part.credits);
    uses.map(|used| platform(Kind::VendorCredit, &used.credit))
}

/// The links by which other payments without cash have applied a credit of the ledger.
fn users<'a>(this: &This<'a>, credit: &RecordRef) -> impl Iterator<Item = &'a Link> {
    let own = this.record;
    let links = this.books.links_to(credit).iter();
    links.filter(move |link| {
        link.flow == NAME && link.record != *own && !link.role.starts_with(REVERSAL)
    })
}

/// A payment without cash: only the credits' applications are posted, never a payment of 0.00 (scenario 50).
pub(super) fn decide(this: &This<'_>, groups: &[Group<'_>]) -> Result<Verdict, Outcome> {
    let mut uses: BTreeMap<&RemoteId, BTreeMap<&RemoteId, Amount>> = BTreeMap::new();
    for paid in groups.iter().flat_map(|(_, paid)| paid) {
        for credit in &paid.credits {
            let of_credit = uses.entry(&credit.credit).or_default();
            let used = of_credit.entry(&paid.record.id).or_default();
            *used = [*used, credit.amount].into_iter().sum();
        }
    }
    for (id, bills) in uses {
        let role = role(id);
        if this.books.link(NAME, this.record, &role).is_some() {
            continue;
        }
        let target = RecordRef::new(Side::Ledger, Kind::VendorCredit, id.clone());
        let Some(Document::VendorCredit(credit)) =
            this.books.record(&target).map(|seen| &seen.document)
        else {
            let cause = format!(
                "{} uses vendor credit {id}, which the ledger doesn't show",
                this.label()
            );
            return Err(stop(State::Blocked, Code::new("credit-not-linked"), cause));
        };
        // It is applied so already: an earlier attempt did it.
        if bills
            .iter()
            .all(|(bill, amount)| stands(this, &target, credit, bill, *amount))
        {
            return Ok(Verdict::Adopt {
                target,
                role,
                how: "the credit is applied so",
                key: Some(this.key()),
            });
        }
        let needed: Amount = bills.values().copied().sum();
        if credit.open < needed {
            let cause = format!(
                "{} uses {needed} of vendor credit {}, of which {} is left in the ledger",
                this.label(),
                credit.number,
                credit.open
            );
            let outcome = stop(State::Blocked, Code::new("over-applied"), cause);
            // Another payment's use of it may be about to be freed.
            return Err(outcome.until(WaitsFor::Link(vendor_credits::NAME.into(), target)));
        }
        let open = credit.open.minus(needed).unwrap_or(credit.open);
        let wanted = VendorCredit {
            applications: with(&credit.applications, &bills),
            open,
            ..credit.clone()
        };
        let document = Document::VendorCredit(wanted);
        return Ok(Verdict::Write(Box::new(Step {
            side: Side::Ledger,
            action: Action::Amend,
            role,
            target: Some(id.clone()),
            key: amendment_key(&this.key(), &document),
            document,
            expect: Some(Document::VendorCredit(credit.clone())),
            because: "the platform settled the bills with this credit".into(),
        })));
    }
    Ok(crate::verdict::done())
}

/// Whether the ledger has so much of a credit on a bill beside what other payments account for. Those that paid with cash as
/// well are not linked to the credit; but while the platform has more of it on the bill than the ledger, this use is missing.
fn stands(
    this: &This<'_>,
    target: &RecordRef,
    credit: &VendorCredit,
    bill: &RemoteId,
    amount: Amount,
) -> bool {
    let here = on_bill(&credit.applications, |document| document == bill);
    let is_bill = |document: &RemoteId| is_of(this, BILLS, Kind::Bill, document, bill);
    let there: Amount = credits_there(this.payment)
        .filter(|there| is_of(this, CREDITS, Kind::VendorCredit, &there.id, &target.id))
        .filter_map(|there| match &this.books.record(&there)?.document {
            Document::VendorCredit(there) => Some(on_bill(&there.applications, is_bill)),
            _ => None,
        })
        .max()
        .unwrap_or(Amount::ZERO);
    let others: Amount = users(this, target)
        .filter(|link| !is_freed(this, link))
        .filter_map(|link| match &this.books.record(&link.record)?.document {
            Document::Payment(other) => Some(used(this, other, target, bill)),
            _ => None,
        })
        .sum();
    let free = here.minus(others).unwrap_or(here);
    free >= amount && here >= there
}

/// Whether a document of the platform stands for this one of the ledger.
fn is_of(this: &This<'_>, flows: &[&str], kind: Kind, there: &RemoteId, here: &RemoteId) -> bool {
    origin(this.books, flows, &platform(kind, there)).is_some_and(|record| record.id == *here)
}

fn on_bill(applications: &[Application], is_bill: impl Fn(&RemoteId) -> bool) -> Amount {
    let on_it = applications.iter().filter(|one| is_bill(&one.document));
    on_it.map(|one| one.amount).sum()
}

/// Whether a payment that was undone has given the credit back already.
fn is_freed(this: &This<'_>, link: &Link) -> bool {
    let mut links = this.books.links_of(NAME, &link.record).iter();
    links.any(|other| other.role.starts_with(REVERSAL) && other.target == link.target)
}

/// What a payment of the platform uses of a credit on a bill, both by the ledger's ids.
fn used(this: &This<'_>, payment: &Payment, credit: &RecordRef, bill: &RemoteId) -> Amount {
    let parts = payment.applications.iter();
    parts
        .filter(|part| is_of(this, BILLS, Kind::Bill, &part.document, bill))
        .flat_map(|part| &part.credits)
        .filter(|used| is_of(this, CREDITS, Kind::VendorCredit, &used.credit, &credit.id))
        .map(|used| used.amount)
        .sum()
}

/// The applications with these beside them. The ledger keeps one for each bill: what comes to a bill that the credit is
/// applied to already is added to that.
fn with(applications: &[Application], bills: &BTreeMap<&RemoteId, Amount>) -> Vec<Application> {
    let mut all = applications.to_vec();
    for (bill, more) in bills {
        match all.iter_mut().find(|one| one.document == **bill) {
            Some(one) => one.amount = [one.amount, *more].into_iter().sum(),
            None => all.push(Application {
                document: (*bill).clone(),
                line: None,
                amount: *more,
                discount: Amount::ZERO,
                credits: Vec::new(),
            }),
        }
    }
    all
}
