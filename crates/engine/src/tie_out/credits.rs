//! Uses of vendors' credits: which of them one side counts and the other doesn't.

use std::collections::BTreeMap;

use tieout_domain::document::VendorCredit;
use tieout_domain::{Amount, Document as AnyDocument, Kind, RecordRef, RemoteId, Side, State};
use tieout_flows::tie_out::Document;
use tieout_flows::tie_out::input::{Effect, EffectKind, Standing};
use tieout_flows::{bills, vendor_credits};
use tieout_store::{Item, ItemFilter, Link, Mirrored};

use super::books::{Booked, booked};
use super::gather::{Gathered, Gatherer, PAGE, plus, standing};
use super::payments::{Payments, shown_of};
use crate::EngineError;

/// A credit that both sides have.
pub(super) struct Both<'a> {
    pub(super) link: &'a Link,
    pub(super) ledger: &'a Mirrored,
    pub(super) platform: &'a Mirrored,
    /// What the flow decided.
    pub(super) standing: Option<&'a Standing>,
}

impl Both<'_> {
    /// Whether less of it is left in the ledger than on the platform.
    fn less_here(&self) -> bool {
        let left = |mirrored: &Mirrored| match &mirrored.observed.document {
            AnyDocument::VendorCredit(credit) => Some(credit.open),
            _ => None,
        };
        left(self.ledger) < left(self.platform)
    }
}

/// What of a credit goes to a bill.
#[derive(Default)]
struct OfBill {
    ledger: Amount,
    platform: Amount,
    /// What the platform counts only after the day.
    later: Amount,
}

impl Gatherer<'_> {
    /// Where the two sides use a credit differently: bill by bill.
    pub(super) async fn credit_uses(
        &self,
        both: &Both<'_>,
        payments: &Payments,
        gathered: &mut Gathered,
    ) -> Result<(), EngineError> {
        let (AnyDocument::VendorCredit(here), AnyDocument::VendorCredit(there)) = (
            &both.ledger.observed.document,
            &both.platform.observed.document,
        ) else {
            return Ok(());
        };
        let mut uses: BTreeMap<RemoteId, OfBill> = BTreeMap::new();
        let bills: Vec<RecordRef> = here
            .applications
            .iter()
            .map(|part| RecordRef::new(Side::Ledger, Kind::Bill, part.document.clone()))
            .collect();
        let store = &self.connection.store;
        let links = store.links("bills", &bills).await?;
        // What came over partly applied was less by that already.
        let mut elsewhere = if both.link.role == bills::OPENING {
            plus(there.total, -here.total)?
        } else {
            Amount::ZERO
        };
        for part in &here.applications {
            let link = links
                .iter()
                .find(|link| link.record.id == part.document && link.target.kind == Kind::Bill);
            let Some(link) = link else {
                elsewhere = plus(elsewhere, part.amount)?;
                continue;
            };
            let used = uses.entry(link.target.id.clone()).or_default();
            used.ledger = plus(used.ledger, part.amount)?;
        }
        for part in &there.applications {
            let used = uses.entry(part.document.clone()).or_default();
            used.platform = plus(used.platform, part.amount)?;
        }
        let credit = &both.platform.observed.id;
        // Told with their payments.
        for (bill, amount) in shown_of(&payments.spoken_for, credit, &there.applications) {
            let used = uses.entry(bill.clone()).or_default();
            used.platform = plus(used.platform, -amount)?;
        }
        for (bill, amount) in shown_of(&payments.uses_not_yet, credit, &there.applications) {
            let used = uses.entry(bill.clone()).or_default();
            used.platform = plus(used.platform, -amount)?;
            used.later = plus(used.later, amount)?;
        }
        for (bill, used) in uses {
            let more_there = plus(used.platform, -used.ledger)?;
            let later = -used.later.min(-more_there).max(Amount::ZERO);
            let more_there = plus(more_there, -later)?;
            let kind = if more_there.is_positive() {
                EffectKind::CreditOnPlatform
            } else {
                EffectKind::CreditInLedger
            };
            let bill = RecordRef::new(Side::Platform, Kind::Bill, bill);
            for (kind, more) in [(EffectKind::PaidLaterOnPlatform, later), (kind, more_there)] {
                if !more.is_zero() {
                    let parts = vec![(bill.clone(), more), (both.platform.record(), -more)];
                    gathered
                        .effects
                        .push(self.credit_use(both, kind, more, parts));
                }
            }
        }
        // By a refund that the vendor paid (scenario 148), or by a bill that isn't on the platform.
        if elsewhere.is_positive() {
            let parts = vec![(both.platform.record(), elsewhere)];
            let kind = EffectKind::CreditInLedger;
            gathered
                .effects
                .push(self.credit_use(both, kind, -elsewhere, parts));
        }
        Ok(())
    }

    /// Credits that are not on the platform, and of which the flow says that a bill is open there for too much by them.
    pub(super) async fn credits_apart(&self, gathered: &mut Gathered) -> Result<(), EngineError> {
        let store = &self.connection.store;
        let filter = ItemFilter {
            flow: Some(vendor_credits::NAME.to_owned()),
            code: Some(vendor_credits::APPLIED_IN_LEDGER),
            ..ItemFilter::default()
        };
        let mut after: Option<(String, RecordRef)> = None;
        loop {
            let from = after.as_ref().map(|(flow, record)| (flow.as_str(), record));
            let page = store.items_page(&filter, from, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some((last.flow.clone(), last.record.clone()));
            let records: Vec<RecordRef> = page.iter().map(|item| item.record.clone()).collect();
            let ids: Vec<RemoteId> = records.iter().map(|record| record.id.clone()).collect();
            let known = store
                .records(Side::Ledger, Kind::VendorCredit, &ids)
                .await?;
            // Where both sides have a credit, its uses are held against each other.
            let linked = store.links(vendor_credits::NAME, &records).await?;
            for item in &page {
                let apart = linked.iter().all(|link| link.record != item.record);
                if let Some(mirrored) = known.get(&item.record.id).filter(|_| apart) {
                    gathered.effects.extend(self.credit_apart(item, mirrored));
                }
            }
        }
    }

    fn credit_apart(&self, item: &Item, mirrored: &Mirrored) -> Option<Effect> {
        let document = &mirrored.observed.document;
        let AnyDocument::VendorCredit(credit) = document else {
            return None;
        };
        let Booked { period, .. } = booked(document);
        if credit.currency != self.currency || self.is_later(credit.date, period) {
            return None;
        }
        Some(Effect {
            kind: EffectKind::CreditInLedger,
            ledger: Some(Document {
                record: mirrored.record(),
                label: document.label(),
                amount: credit.total,
            }),
            platform: None,
            vendor: self.whose(mirrored).unwrap_or_default(),
            date: credit.date,
            parts: Vec::new(),
            unplaced: None,
            supposed: on_bills(credit),
            standing: Some(standing(item, &self.connection.time_zone)),
        })
    }

    /// A use of a credit that one side counts: by so much more on the platform, or less. The parts are the
    /// platform's documents, with what the platform takes off them more.
    fn credit_use(
        &self,
        both: &Both<'_>,
        kind: EffectKind,
        more_there: Amount,
        mut parts: Vec<(RecordRef, Amount)>,
    ) -> Effect {
        if !kind.is_of_platform() {
            for (_, amount) in &mut parts {
                *amount = -*amount;
            }
        }
        let document = |of: &Mirrored| Document {
            record: of.record(),
            label: of.observed.document.label(),
            amount: more_there.abs(),
        };
        let in_ledger = kind == EffectKind::CreditInLedger;
        let standing = both.standing.filter(|_| in_ledger);
        // An application has no day of its own. One that the flow has not looked at yet is of today.
        let is_new = standing.is_some_and(|it| it.state == State::Done) && both.less_here();
        let observed = &both.ledger.observed.document;
        let own = observed.date().unwrap_or(self.day);
        Effect {
            kind,
            ledger: Some(document(both.ledger)),
            platform: Some(document(both.platform)),
            vendor: self.whose(both.ledger).unwrap_or_default(),
            date: if is_new { self.day } else { own },
            parts,
            unplaced: None,
            supposed: Vec::new(),
            standing: standing.cloned(),
        }
    }
}

/// What of a credit of the ledger goes to which of its bills.
fn on_bills(credit: &VendorCredit) -> Vec<(RecordRef, Amount)> {
    let parts = credit.applications.iter();
    // What is applied to a line is applied to a journal entry.
    parts
        .filter(|part| part.line.is_none())
        .map(|part| {
            let bill = RecordRef::new(Side::Ledger, Kind::Bill, part.document.clone());
            (bill, part.amount)
        })
        .collect()
}
