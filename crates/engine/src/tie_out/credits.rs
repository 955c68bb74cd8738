//! Uses of vendors' credits: which of them one side counts and the other doesn't.

use std::collections::BTreeMap;

use tieout_domain::document::VendorCredit;
use tieout_domain::{Amount, Document as AnyDocument, Kind, RecordRef, RemoteId, Side};
use tieout_flows::bills;
use tieout_flows::tie_out::Document;
use tieout_flows::tie_out::input::{Effect, EffectKind};
use tieout_store::{Link, Mirrored};

use super::gather::{Gathered, Gatherer, plus};
use super::payments::Payments;
use crate::EngineError;

impl Gatherer<'_> {
    /// Where the two sides use a credit differently: bill by bill.
    pub(super) async fn credit_uses(
        &self,
        link: &Link,
        ledger: &Mirrored,
        platform: &Mirrored,
        payments: &Payments,
        gathered: &mut Gathered,
    ) -> Result<(), EngineError> {
        let (AnyDocument::VendorCredit(here), AnyDocument::VendorCredit(there)) =
            (&ledger.observed.document, &platform.observed.document)
        else {
            return Ok(());
        };
        let mut uses: BTreeMap<RemoteId, (Amount, Amount)> = BTreeMap::new();
        let bills: Vec<RecordRef> = here
            .applications
            .iter()
            .map(|part| RecordRef::new(Side::Ledger, Kind::Bill, part.document.clone()))
            .collect();
        let store = &self.connection.store;
        let links = store.links("bills", &bills).await?;
        // What came over partly applied was less by that already.
        let mut elsewhere = if link.role == bills::OPENING {
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
            used.0 = plus(used.0, part.amount)?;
        }
        for part in &there.applications {
            let spoken_for = (platform.observed.id.clone(), part.document.clone());
            if !payments.credits_spoken_for.contains(&spoken_for) {
                let used = uses.entry(part.document.clone()).or_default();
                used.1 = plus(used.1, part.amount)?;
            }
        }
        for (bill, (in_ledger, on_platform)) in uses {
            let more_there = plus(on_platform, -in_ledger)?;
            if more_there.is_zero() {
                continue;
            }
            let bill = RecordRef::new(Side::Platform, Kind::Bill, bill);
            let parts = vec![(bill, more_there), (platform.record(), -more_there)];
            gathered
                .effects
                .push(self.credit_use(ledger, platform, here, more_there, parts));
        }
        // By a refund that the vendor paid (scenario 148), or by a bill that isn't on the platform.
        if elsewhere.is_positive() {
            let parts = vec![(platform.record(), elsewhere)];
            gathered
                .effects
                .push(self.credit_use(ledger, platform, here, -elsewhere, parts));
        }
        Ok(())
    }

    /// A use of a credit that one side counts: by so much more on the platform, or less. The parts are the
    /// platform's documents, with what the platform takes off them more.
    fn credit_use(
        &self,
        ledger: &Mirrored,
        platform: &Mirrored,
        credit: &VendorCredit,
        more_there: Amount,
        mut parts: Vec<(RecordRef, Amount)>,
    ) -> Effect {
        let kind = if more_there.is_positive() {
            EffectKind::CreditOnPlatform
        } else {
            EffectKind::CreditInLedger
        };
        if kind == EffectKind::CreditInLedger {
            for (_, amount) in &mut parts {
                *amount = -*amount;
            }
        }
        let document = |of: &Mirrored| Document {
            record: of.record(),
            label: credit.number.clone(),
            amount: more_there.abs(),
        };
        Effect {
            kind,
            ledger: Some(document(ledger)),
            platform: Some(document(platform)),
            vendor: self.party_name(Side::Ledger, &credit.vendor),
            date: credit.date,
            parts,
            unplaced: None,
            standing: None,
        }
    }
}
