//! Payments of bills on both sides: which of them one side counts and the other doesn't.

use std::collections::{BTreeMap, HashMap, HashSet};

use tieout_domain::document::{
    Application, BillStatus, CreditUse, Payment, PaymentStatus, VendorCredit,
};
use tieout_domain::subledger::Basis;
use tieout_domain::{
    Amount, Date, Document as AnyDocument, Kind, RecordRef, RemoteId, Side, State,
};
use tieout_flows::bill_payments::{self, REVERSAL, Reached, reached};
use tieout_flows::tie_out::input::{Effect, EffectKind, Pair, Standing};
use tieout_flows::tie_out::{Document, Flow};
use tieout_store::{Item, Link, Mirrored};

use super::evidence::Counting;
use super::gather::{Gatherer, PAGE, plus, standing};
use super::payouts::Payouts;
use crate::EngineError;

/// What the payments come to.
#[derive(Default)]
pub(super) struct Payments {
    /// What only one side counts.
    pub(super) effects: Vec<Effect>,
    /// What stands by itself: payments of customers with money on account.
    pub(super) pairs: Vec<Pair>,
    /// What the platform takes off a document's open amount already, though it doesn't count at the end of the day;
    /// by document.
    pub(super) not_yet: HashMap<RecordRef, Amount>,
    /// What the platform's payments take off its documents by now; by document.
    pub(super) taken_off: HashMap<RecordRef, Amount>,
    /// Postings of the ledger that stand for a payment of the platform, and whether the platform is owed the
    /// money.
    pub(super) ours: HashMap<RemoteId, bool>,
    /// Uses of credits that an effect speaks of already.
    pub(super) spoken_for: Uses,
    /// Uses of credits that the platform shows, though they don't count at the end of the day; below zero what it shows no
    /// more, though it counted.
    pub(super) uses_not_yet: Uses,
    /// Payments of the platform that only record one of the ledger's, each with that.
    pub(super) recorded: HashMap<RemoteId, RemoteId>,
    /// What the platform paid in the period.
    pub(super) paid: Flow,
    /// What it paid, for advisories.
    pub(super) payouts: Payouts,
}

/// How much of the platform's credits goes to its bills: by credit, then by bill.
pub(super) type Uses = HashMap<RemoteId, BTreeMap<RemoteId, Amount>>;

fn add_use(
    uses: &mut Uses,
    used: &CreditUse,
    bill: &RemoteId,
    amount: Amount,
) -> Result<(), EngineError> {
    let of_credit = uses.entry(used.credit.clone()).or_default();
    let so_far = of_credit.entry(bill.clone()).or_default();
    *so_far = plus(*so_far, amount)?;
    Ok(())
}

/// What of these uses of a credit is among those that the platform shows: by bill. What is below zero is shown no more.
pub(super) fn shown_of<'a>(
    uses: &'a Uses,
    credit: &RemoteId,
    shown: &'a [Application],
) -> impl Iterator<Item = (&'a RemoteId, Amount)> {
    let uses = uses.get(credit).into_iter().flatten();
    uses.map(move |(bill, amount)| {
        let on_bill = shown.iter().filter(|part| part.document == *bill);
        (
            bill,
            on_bill.map(|part| part.amount).sum::<Amount>().min(*amount),
        )
    })
}

/// What the links of payments lead to in the ledger.
type Postings = HashMap<RecordRef, Mirrored>;

/// Where a posting stands at the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Posted {
    /// It isn't there.
    No,
    /// It counts.
    Counts,
    /// It is there, in a later period.
    Later,
    /// It was reversed, and the reversal counts.
    Reversed,
    /// It was reversed, in a later period.
    ReversedLater,
}

impl Gatherer<'_> {
    /// Goes through the payments of both sides.
    pub(super) async fn payments(&mut self) -> Result<Payments, EngineError> {
        let mut found = Payments {
            paid: Flow {
                label: "payments".to_owned(),
                ..Flow::default()
            },
            ..Payments::default()
        };
        self.platform_payments(&mut found).await?;
        self.ledger_payments(&mut found).await?;
        Ok(found)
    }

    async fn platform_payments(&mut self, found: &mut Payments) -> Result<(), EngineError> {
        let store = &self.connection.store;
        let mut counting = Counting::begin(
            "payments of the platform",
            "every payment, read page by page to the end",
            self.now(),
        );
        let mut after: Option<RemoteId> = None;
        loop {
            let page = store
                .records_page(Side::Platform, Kind::Payment, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.observed.id.clone());
            let records: Vec<RecordRef> = page.iter().map(Mirrored::record).collect();
            let items = store.items(bill_payments::NAME, &records).await?;
            let mut links: HashMap<RecordRef, Vec<Link>> = HashMap::new();
            for link in store.links(bill_payments::NAME, &records).await? {
                links.entry(link.record.clone()).or_default().push(link);
            }
            let postings = self.postings_of(links.values().flatten()).await?;
            let recorded = self.records_of_the_ledgers(&page).await?;
            for (record, mirrored) in records.iter().zip(&page) {
                let AnyDocument::Payment(payment) = &mirrored.observed.document else {
                    continue;
                };
                if mirrored.gone || payment.currency != self.currency {
                    continue;
                }
                counting.add(&mirrored.observed, payment.total);
                let none = Vec::new();
                let links = links.get(record).unwrap_or(&none);
                if let Some(of) = recorded.get(record) {
                    found.recorded.insert(record.id.clone(), of.clone());
                }
                self.platform_payment(record, payment, items.get(record), links, &postings, found)?;
            }
        }
        let extract = counting.end(self.now(), self.platform_time());
        self.extracts.push(extract);
        Ok(())
    }

    /// What these links lead to in the ledger: payments, and the credits of payments without cash.
    async fn postings_of(
        &self,
        links: impl Iterator<Item = &Link>,
    ) -> Result<Postings, EngineError> {
        let targets = links.map(|link| &link.target);
        let targets: Vec<&RecordRef> = targets.filter(|it| it.side == Side::Ledger).collect();
        let mut postings = Postings::new();
        for kind in [Kind::Payment, Kind::VendorCredit] {
            let of_kind = targets.iter().filter(|target| target.kind == kind);
            let ids: Vec<RemoteId> = of_kind.map(|target| target.id.clone()).collect();
            let found = self.connection.store.records(Side::Ledger, kind, &ids);
            let found = found.await?.into_values();
            postings.extend(found.map(|mirrored| (mirrored.record(), mirrored)));
        }
        Ok(postings)
    }

    /// Which of these payments of the platform only record one of the ledger's: by link, or by the reference that a record
    /// bears.
    async fn records_of_the_ledgers(
        &self,
        page: &[Mirrored],
    ) -> Result<HashMap<RecordRef, RemoteId>, EngineError> {
        let facts = self.connection.facts();
        let mut outside = Vec::new();
        let mut named: HashMap<RemoteId, RecordRef> = HashMap::new();
        for mirrored in page {
            let AnyDocument::Payment(payment) = &mirrored.observed.document else {
                continue;
            };
            if !payment.outside {
                continue;
            }
            outside.push(mirrored.record());
            let reference = payment.reference.trim();
            let last = reference.rsplit('_').next().map(RemoteId::from);
            if let Some(id) = last.filter(|id| facts.ledger_key(id).as_str() == reference) {
                named.insert(id, mirrored.record());
            }
        }
        let store = &self.connection.store;
        let ids: Vec<RemoteId> = named.keys().cloned().collect();
        let there = store.records(Side::Ledger, Kind::Payment, &ids).await?;
        named.retain(|id, _| there.contains_key(id));
        let mut recorded: HashMap<RecordRef, RemoteId> =
            named.into_iter().map(|(id, record)| (record, id)).collect();
        for link in store.links_to(&outside).await? {
            if link.flow == bill_payments::NAME && link.record.side == Side::Ledger {
                recorded.insert(link.target, link.record.id);
            }
        }
        Ok(recorded)
    }

    fn platform_payment(
        &self,
        record: &RecordRef,
        payment: &Payment,
        item: Option<&Item>,
        links: &[Link],
        postings: &Postings,
        found: &mut Payments,
    ) -> Result<(), EngineError> {
        let post_at = self.connection.preferences.transactions.post_payments_at;
        let how = reached(payment, post_at);
        let posted = self.posted(links, postings);
        for link in links.iter().filter(|link| link.target.side == Side::Ledger) {
            let owed = how == Reached::Owed;
            found.ours.insert(link.target.id.clone(), owed);
        }
        let was_posted = posted != Posted::No;
        let state = item.map(|item| item.outcome.state);
        // Undone after the day that is reported on: it counted then.
        let undone_since = item
            .filter(|item| item.outcome.state == State::Reversed)
            .map(|item| self.day_of(item.since));
        let counts = payment.date <= self.day
            && match how {
                Reached::Counts | Reached::Owed => true,
                Reached::Undecided => was_posted,
                Reached::NotYet => false,
                Reached::Undone => undone_since.is_some_and(|day| day > self.day),
                Reached::Replaced => return Ok(()),
            };
        let deducted = !matches!(how, Reached::Undone);
        for part in &payment.applications {
            let mut amount = part.amount;
            for used in &part.credits {
                amount = plus(amount, used.amount)?;
            }
            // The platform deducts what is scheduled, and no longer what is undone.
            let add_back = match (deducted, counts) {
                (true, false) => amount,
                (false, true) => -amount,
                _ => continue,
            };
            let bill = RecordRef::new(Side::Platform, Kind::Bill, part.document.clone());
            let so_far = found.not_yet.entry(bill).or_default();
            *so_far = plus(*so_far, add_back)?;
            for used in &part.credits {
                let back = if counts { -used.amount } else { used.amount };
                add_use(&mut found.uses_not_yet, used, &part.document, back)?;
            }
        }
        if found.recorded.contains_key(&record.id) {
            // Told with the ledger's payment that it records.
            return Ok(());
        }
        let posting = ledger_postings(links, postings).next();
        if counts {
            let (posting, from) = (posting.map(document), self.payouts_from());
            found.payouts.add(record, payment, posting, from);
        }
        if counts && payment.date >= self.start {
            found.paid.platform_count += 1;
            for part in &payment.applications {
                found.paid.platform_amount = plus(found.paid.platform_amount, -part.amount)?;
            }
        }
        let kind = match (counts, posted) {
            (true, Posted::No) => EffectKind::PaidOnPlatform,
            (true, Posted::Later) => EffectKind::PostedLater,
            // Its application has left the bill, in a later period: by period the bill is open.
            (true, Posted::ReversedLater) => EffectKind::PostedLater,
            (true, Posted::Counts) => {
                let of_platform = Document {
                    record: record.clone(),
                    label: payment.label(),
                    amount: payment.total,
                };
                let ours = ledger_postings(links, postings);
                let taken = ours.filter_map(|posting| self.discount(posting, &of_platform, item));
                found.effects.extend(taken);
                return Ok(());
            }
            (true, Posted::Reversed) => return Ok(()),
            (false, Posted::Counts) if payment.date > self.day => EffectKind::PaidLaterOnPlatform,
            (false, Posted::Counts) if state == Some(State::Noop) => return Ok(()),
            (false, Posted::Counts) => EffectKind::UndoneOnPlatform,
            (false, _) => return Ok(()),
        };
        let of_platform = counts;
        let parts = if of_platform {
            let mut parts = Vec::new();
            for part in &payment.applications {
                let bill = RecordRef::new(Side::Platform, Kind::Bill, part.document.clone());
                let mut amount = part.amount;
                for used in &part.credits {
                    amount = plus(amount, used.amount)?;
                    let credit =
                        RecordRef::new(Side::Platform, Kind::VendorCredit, used.credit.clone());
                    parts.push((credit, -used.amount));
                    add_use(&mut found.spoken_for, used, &part.document, used.amount)?;
                }
                parts.push((bill, amount));
            }
            parts
        } else {
            ledger_parts(links, postings)
        };
        found.effects.push(Effect {
            kind,
            ledger: posting.map(document),
            platform: Some(Document {
                record: record.clone(),
                label: payment.label(),
                amount: payment.total,
            }),
            vendor: self.party_name(Side::Platform, &payment.vendor),
            date: payment.date,
            parts,
            unplaced: None,
            supposed: Vec::new(),
            standing: item.map(|item| standing(item, &self.connection.time_zone)),
        });
        Ok(())
    }

    fn posted(&self, links: &[Link], postings: &Postings) -> Posted {
        let mut best = Posted::No;
        for link in links.iter().filter(|link| !link.role.starts_with(REVERSAL)) {
            let Some(mirrored) = postings.get(&link.target) else {
                continue;
            };
            let (date, period, stands) = match &mirrored.observed.document {
                AnyDocument::Payment(payment) => {
                    let voided = payment.status == PaymentStatus::LedgerVoided;
                    (payment.date, &payment.period, payment.posted && !voided)
                }
                // A payment without cash is posted as the use of a credit (scenario 50).
                AnyDocument::VendorCredit(credit) => {
                    let voided = credit.status == BillStatus::Voided;
                    let used = is_used(credit, link, links);
                    (credit.date, &credit.period, used && !voided)
                }
                _ => continue,
            };
            if mirrored.gone || !stands {
                continue;
            }
            best = if self.is_later(date, period.as_ref()) {
                Posted::Later
            } else {
                Posted::Counts
            };
        }
        if best != Posted::Counts {
            return best;
        }
        let reversal = links.iter().find(|link| link.role.starts_with(REVERSAL));
        if ledger_postings(links, postings).any(|posting| settles_more(posting, links)) {
            return Posted::Counts;
        }
        match reversal.and_then(|link| link.applied.as_ref()) {
            Some(AnyDocument::Journal(journal)) if journal.date > self.until => {
                Posted::ReversedLater
            }
            Some(_) => Posted::Reversed,
            None if reversal.is_some() => Posted::Reversed,
            None => Posted::Counts,
        }
    }

    async fn ledger_payments(&mut self, found: &mut Payments) -> Result<(), EngineError> {
        let store = &self.connection.store;
        let named: HashMap<RemoteId, RemoteId> = found
            .recorded
            .iter()
            .map(|(there, here)| (here.clone(), there.clone()))
            .collect();
        let mut after: Option<RemoteId> = None;
        loop {
            let page = store
                .records_page(Side::Ledger, Kind::Payment, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.observed.id.clone());
            let page: Vec<Mirrored> = page
                .into_iter()
                .filter(|mirrored| !found.ours.contains_key(&mirrored.observed.id))
                .collect();
            let records: Vec<RecordRef> = page.iter().map(Mirrored::record).collect();
            let items = store.items(bill_payments::NAME, &records).await?;
            let links = store.links(bill_payments::NAME, &records).await?;
            let linked: HashMap<&RecordRef, &RemoteId> = links
                .iter()
                .filter(|link| link.target.side == Side::Platform)
                .map(|link| (&link.record, &link.target.id))
                .collect();
            let record_of = |record: &RecordRef| {
                let linked = linked.get(record).copied();
                linked.or_else(|| named.get(&record.id))
            };
            let ids: Vec<RemoteId> = records.iter().filter_map(record_of).cloned().collect();
            let there = store.records(Side::Platform, Kind::Payment, &ids).await?;
            for (record, mirrored) in records.iter().zip(&page) {
                let recorded = record_of(record).and_then(|id| there.get(id));
                if let Some(effect) = self.paid_in_ledger(mirrored, items.get(record), recorded) {
                    found.effects.push(effect);
                }
            }
        }
        Ok(())
    }

    /// A payment that a person made in the ledger, if the two sides don't count it alike.
    fn paid_in_ledger(
        &self,
        mirrored: &Mirrored,
        item: Option<&Item>,
        recorded: Option<&Mirrored>,
    ) -> Option<Effect> {
        let AnyDocument::Payment(payment) = &mirrored.observed.document else {
            return None;
        };
        if payment.currency != self.currency {
            return None;
        }
        let counts = !mirrored.gone
            && payment.posted
            && payment.status != PaymentStatus::LedgerVoided
            && !self.is_later(payment.date, payment.period.as_ref());
        let record = recorded.and_then(|recorded| match &recorded.observed.document {
            AnyDocument::Payment(payment) if !recorded.gone => Some((recorded, payment)),
            _ => None,
        });
        let post_at = self.connection.preferences.transactions.post_payments_at;
        let is_there = record.is_some_and(|(_, payment)| {
            !matches!(
                reached(payment, post_at),
                Reached::Undone | Reached::Replaced
            )
        });
        let counts_there = record.is_some_and(|(_, payment)| payment.date <= self.day) && is_there;
        let (kind, side) = match (counts, counts_there) {
            (true, false) if is_there => (EffectKind::PaidLaterOnPlatform, Side::Ledger),
            (true, false) => (EffectKind::PaidInLedger, Side::Ledger),
            (false, true) if self.is_later(payment.date, payment.period.as_ref()) => {
                (EffectKind::PostedLater, Side::Platform)
            }
            (false, true) => (EffectKind::PaidOnPlatform, Side::Platform),
            (true, true) => {
                let recorded = record.map(|(recorded, _)| document(recorded))?;
                return self.discount(mirrored, &recorded, item);
            }
            _ => return None,
        };
        let of = if side == Side::Ledger {
            payment
        } else {
            record.map(|(_, payment)| payment)?
        };
        let parts = of
            .applications
            .iter()
            .map(|part| {
                let bill = RecordRef::new(side, Kind::Bill, part.document.clone());
                (bill, relieved(part))
            })
            .collect();
        Some(Effect {
            kind,
            ledger: Some(document(mirrored)),
            platform: record.map(|(recorded, _)| document(recorded)),
            vendor: self.party_name(Side::Ledger, &payment.vendor),
            date: payment.date,
            parts,
            unplaced: None,
            supposed: Vec::new(),
            standing: item.map(|item| standing(item, &self.connection.time_zone)),
        })
    }

    /// The discount that a payment took which both sides count: on the platform it is open still.
    fn discount(
        &self,
        posting: &Mirrored,
        on_platform: &Document,
        item: Option<&Item>,
    ) -> Option<Effect> {
        let AnyDocument::Payment(payment) = &posting.observed.document else {
            return None;
        };
        let parts: Vec<(RecordRef, Amount)> = payment
            .applications
            .iter()
            .filter(|part| !part.discount.is_zero())
            .map(|part| {
                let bill = RecordRef::new(Side::Ledger, Kind::Bill, part.document.clone());
                (bill, part.discount)
            })
            .collect();
        (!parts.is_empty()).then(|| Effect {
            kind: EffectKind::DiscountInLedger,
            ledger: Some(document(posting)),
            platform: Some(on_platform.clone()),
            vendor: self.party_name(Side::Ledger, &payment.vendor),
            date: payment.date,
            parts,
            unplaced: None,
            supposed: Vec::new(),
            standing: item.map(|item| Standing {
                // That it was posted explains nothing here; the category does.
                cause: String::new(),
                ..standing(item, &self.connection.time_zone)
            }),
        })
    }

    /// Whether a transaction of the ledger counts only after what is reported on.
    pub(super) fn is_later(&self, date: Date, period: Option<&RemoteId>) -> bool {
        match self.basis {
            Basis::Period => period.is_some_and(|id| self.later_periods.contains(id)),
            Basis::Day => date > self.until,
        }
    }

    /// The company's day of a moment.
    pub(super) fn day_of(&self, moment: tieout_domain::Timestamp) -> Date {
        moment.to_zoned(self.connection.time_zone.clone()).date()
    }
}

/// The ledger's payments that a payment of the platform was posted as.
fn ledger_postings<'a>(
    links: &'a [Link],
    postings: &'a Postings,
) -> impl Iterator<Item = &'a Mirrored> {
    links
        .iter()
        .filter(|link| link.target.kind == Kind::Payment && !link.role.starts_with(REVERSAL))
        .filter_map(|link| postings.get(&link.target))
}

/// Whether a credit is still used as a payment without cash has used it, or was until the payment was undone. What somebody
/// has taken off all of its bills in the ledger is not.
fn is_used(credit: &VendorCredit, link: &Link, links: &[Link]) -> bool {
    let freed = |other: &Link| other.role.starts_with(REVERSAL) && other.target == link.target;
    let mut uses = credit.applications.iter();
    let still = match &link.applied {
        Some(AnyDocument::VendorCredit(written)) => {
            let written = &written.applications;
            uses.any(|part| written.iter().any(|was| was.document == part.document))
        }
        _ => uses.next().is_some(),
    };
    still || links.iter().any(freed)
}

/// Whether a posting settles something beside what reverses it: somebody has put it back after it was reversed, or its
/// application has not moved to the reversal yet.
fn settles_more(posting: &Mirrored, links: &[Link]) -> bool {
    let reversals = links.iter().filter(|link| link.role.starts_with(REVERSAL));
    let reversals: HashSet<&RemoteId> = reversals.map(|link| &link.target.id).collect();
    let AnyDocument::Payment(payment) = &posting.observed.document else {
        return false;
    };
    let mut settled = payment.applications.iter().map(|part| &part.document);
    settled.any(|document| !reversals.contains(document))
}

/// What the postings of a payment settle in the ledger.
fn ledger_parts(links: &[Link], postings: &Postings) -> Vec<(RecordRef, Amount)> {
    let mut parts = Vec::new();
    for mirrored in ledger_postings(links, postings) {
        if let AnyDocument::Payment(payment) = &mirrored.observed.document {
            parts.extend(payment.applications.iter().map(|part| {
                let bill = RecordRef::new(Side::Ledger, Kind::Bill, part.document.clone());
                (bill, relieved(part))
            }));
        }
    }
    parts
}

/// What a payment relieves a document of: cash, and the discount that was taken with it.
fn relieved(part: &Application) -> Amount {
    [part.amount, part.discount].into_iter().sum()
}

pub(super) fn document(mirrored: &Mirrored) -> Document {
    let amount = mirrored.observed.document.amount();
    Document {
        record: mirrored.record(),
        label: mirrored.observed.document.label(),
        amount: amount.map(|money| money.amount).unwrap_or_default(),
    }
}
