//! Payments without cash: the platform settled bills with credits alone (scenario 50).

use std::collections::BTreeMap;

use tieout_domain::code::Code;
use tieout_domain::document::{Application, VendorCredit};
use tieout_domain::port::Action;
use tieout_domain::{Amount, Document, Kind, Outcome, RecordRef, RemoteId, Side, State};

use super::posting::{Group, stop};
use super::{NAME, This};
use crate::verdict::amendment_key;
use crate::{Step, Verdict};

/// The role of the link to a credit that a payment without cash applied.
pub(super) fn role(credit: &RemoteId) -> String {
    format!("credit-{credit}")
}

/// A payment without cash: only the credits' applications are posted, never a payment of 0.00 (scenario 50).
pub(super) fn decide(this: &This<'_>, groups: &[Group<'_>]) -> Result<Verdict, Outcome> {
    let mut uses: BTreeMap<&RemoteId, Vec<Application>> = BTreeMap::new();
    for paid in groups.iter().flat_map(|(_, paid)| paid) {
        for credit in &paid.credits {
            uses.entry(&credit.credit).or_default().push(Application {
                document: paid.record.id.clone(),
                line: None,
                amount: credit.amount,
                discount: Amount::ZERO,
                credits: Vec::new(),
            });
        }
    }
    for (id, mut applications) in uses {
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
        // The same applications are there already: an earlier attempt did it.
        if applications.iter().all(|a| {
            credit
                .applications
                .iter()
                .any(|b| a.document == b.document && a.amount == b.amount)
        }) {
            return Ok(Verdict::Adopt {
                target,
                role,
                how: "the credit is applied so",
                key: Some(this.key()),
            });
        }
        let needed: Amount = applications
            .iter()
            .map(|application| application.amount)
            .sum();
        if credit.open < needed {
            let cause = format!(
                "{} uses {needed} of vendor credit {}, of which {} is left in the ledger",
                this.label(),
                credit.number,
                credit.open
            );
            return Err(stop(State::Blocked, Code::new("over-applied"), cause));
        }
        let mut all = credit.applications.clone();
        all.append(&mut applications);
        let open = credit.open.minus(needed).unwrap_or(credit.open);
        let wanted = VendorCredit {
            applications: all,
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
