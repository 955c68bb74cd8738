//! What the report is made of: the ledger's open items held against the mirror of the platform, page by page.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::tz::TimeZone;
use tieout_domain::document::{BillStatus, VendorCredit};
use tieout_domain::subledger::{Basis, Posting, PostingKind};
use tieout_domain::{
    Amount, Currency, Date, Document as AnyDocument, Kind, RecordRef, RemoteId, Side, Timestamp,
};
use tieout_flows::bills;
use tieout_flows::tie_out::input::{Effect, EffectKind, Held, Pair, Payout, Presence, Standing};
use tieout_flows::tie_out::{Document, Extract, Flow};
use tieout_store::{Item, Link, Mirrored, StoreError};

use super::evidence::Counting;
use super::payments::Payments;
use super::payouts::Addresses;
use crate::{Connection, EngineError};

/// How many records are looked at together.
pub(super) const PAGE: u32 = 1000;

/// Gathers for one currency.
pub(super) struct Gatherer<'a> {
    pub(super) connection: &'a Connection,
    pub(super) currency: Currency,
    /// First day of the period.
    pub(super) start: Date,
    /// The day reported on.
    pub(super) day: Date,
    /// The last day that counts in the ledger: by period, the last one of it.
    pub(super) until: Date,
    /// By what a transaction of the ledger counts.
    pub(super) basis: Basis,
    /// Posting periods that end after the period.
    pub(super) later_periods: HashSet<RemoteId>,
    /// Names of vendors, by side and id.
    pub(super) vendors: HashMap<(Side, RemoteId), String>,
    /// Which of the ledger's vendors share an address.
    pub(super) addresses: Addresses,
    pub(super) extracts: Vec<Extract>,
}

/// What was gathered.
pub(super) struct Gathered {
    pub(super) pairs: Vec<Pair>,
    pub(super) effects: Vec<Effect>,
    /// What advisories look at.
    pub(super) payouts: Vec<Payout>,
    /// Postings of the ledger that stand for a payment of the platform, and whether it is owed the money.
    pub(super) ours: HashMap<RemoteId, bool>,
    /// The platform's flows of the period: bills, credits, payments.
    pub(super) platform_flows: [Flow; 3],
}

/// Adds, or says that the sum can't be held.
pub(super) fn plus(a: Amount, b: Amount) -> Result<Amount, EngineError> {
    a.plus(b).map_err(|error| {
        StoreError::Corrupt {
            cause: error.to_string(),
        }
        .into()
    })
}

/// What a flow decided, as the report shows it.
pub(super) fn standing(item: &Item, zone: &TimeZone) -> Standing {
    Standing {
        state: item.outcome.state,
        code: item.outcome.code.clone(),
        cause: item.outcome.cause.clone(),
        since: item.since.to_zoned(zone.clone()).date(),
    }
}

impl Gatherer<'_> {
    /// Goes through everything.
    pub(super) async fn gather(&mut self, open: &[Posting]) -> Result<Gathered, EngineError> {
        self.name_vendors().await?;
        let mut payments = self.payments().await?;
        let payouts = std::mem::take(&mut payments.payouts);
        let mut open: BTreeMap<&RemoteId, Vec<&Posting>> = {
            let mut by_id: BTreeMap<&RemoteId, Vec<&Posting>> = BTreeMap::new();
            for posting in open.iter().filter(|one| one.currency == self.currency) {
                by_id.entry(&posting.id).or_default().push(posting);
            }
            by_id
        };
        let mut gathered = Gathered {
            pairs: Vec::new(),
            effects: Vec::new(),
            payouts: self.payouts(payouts).await?,
            ours: HashMap::new(),
            platform_flows: [flow("bills"), flow("credits"), payments.paid.clone()],
        };
        for kind in [Kind::Bill, Kind::VendorCredit] {
            self.platform_documents(kind, &mut open, &payments, &mut gathered)
                .await?;
        }
        self.only_in_ledger(open, &payments, &mut gathered).await?;
        gathered.effects.extend(payments.effects);
        gathered.ours = payments.ours;
        Ok(gathered)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.connection.timer.now()
    }

    pub(super) fn platform_time(&self) -> Option<Timestamp> {
        let uptime = self.connection.timer.uptime();
        self.connection.sides.platform.whole.time_at(uptime)
    }

    pub(super) fn vendor_name(&self, side: Side, id: &RemoteId) -> String {
        let known = self.vendors.get(&(side, id.clone()));
        known.cloned().unwrap_or_else(|| id.to_string())
    }

    async fn name_vendors(&mut self) -> Result<(), EngineError> {
        for side in [Side::Ledger, Side::Platform] {
            let mut after: Option<RemoteId> = None;
            loop {
                let store = &self.connection.store;
                let page = store
                    .records_page(side, Kind::Vendor, after.as_ref(), PAGE)
                    .await?;
                let Some(last) = page.last() else { break };
                after = Some(last.observed.id.clone());
                if side == Side::Ledger {
                    for mirrored in page.iter().filter(|mirrored| !mirrored.gone) {
                        let observed = &mirrored.observed;
                        self.addresses.add(&observed.id, &observed.document);
                    }
                }
                self.vendors.extend(page.into_iter().map(|mirrored| {
                    let name = mirrored.observed.document.label();
                    ((side, mirrored.observed.id), name)
                }));
            }
        }
        Ok(())
    }

    /// Goes through the platform's bills or credits; what of the ledger's open items belongs to one is taken
    /// out of `open`.
    async fn platform_documents(
        &mut self,
        kind: Kind,
        open: &mut BTreeMap<&RemoteId, Vec<&Posting>>,
        payments: &Payments,
        gathered: &mut Gathered,
    ) -> Result<(), EngineError> {
        let title = if kind == Kind::Bill {
            "bills of the platform"
        } else {
            "vendor credits of the platform"
        };
        let query = "every record, archived ones too, read page by page to the end";
        let mut counting = Counting::begin(title, query, self.now());
        let touched = touched(&payments.effects);
        let mut after: Option<RemoteId> = None;
        loop {
            let store = &self.connection.store;
            let page = store
                .records_page(Side::Platform, kind, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.observed.id.clone());
            let records: Vec<RecordRef> = page.iter().map(Mirrored::record).collect();
            let links = store.links_to(&records).await?;
            let links: HashMap<&RecordRef, &Link> = links
                .iter()
                .filter(|link| {
                    link.record.side == Side::Ledger
                        && matches!(link.record.kind, Kind::Bill | Kind::VendorCredit)
                        && (link.role.is_empty() || link.role == bills::OPENING)
                })
                .map(|link| (&link.target, link))
                .collect();
            let mut wanted = Vec::new();
            for (record, mirrored) in records.iter().zip(&page) {
                let Some((currency, total, still_open)) = worth(&mirrored.observed.document) else {
                    continue;
                };
                if currency != self.currency {
                    continue;
                }
                if !mirrored.gone {
                    counting.add(&mirrored.observed, total);
                }
                let held = self.platform_held(mirrored, total, still_open, payments)?;
                self.count_flow(&held, mirrored, &mut gathered.platform_flows)?;
                let link = links.get(record).copied();
                let counts = held.presence == Presence::There && !held.open.is_zero();
                let open_there = link.is_some_and(|link| open.contains_key(&link.record.id));
                if counts || open_there || touched.contains(record) {
                    wanted.push((held, link, mirrored));
                }
            }
            self.pair(wanted, open, payments, gathered).await?;
        }
        let extract = counting.end(self.now(), self.platform_time());
        self.extracts.push(extract);
        Ok(())
    }

    fn platform_held(
        &self,
        mirrored: &Mirrored,
        total: Amount,
        still_open: Amount,
        payments: &Payments,
    ) -> Result<Held, EngineError> {
        let document = &mirrored.observed.document;
        let not_yet = payments.not_yet.get(&mirrored.observed.id).copied();
        let later = mirrored
            .observed
            .created
            .is_some_and(|created| self.day_of(created) > self.day);
        let date = document.date().unwrap_or(self.day);
        Ok(Held {
            record: mirrored.record(),
            kind: if document.kind() == Kind::Bill {
                PostingKind::Bill
            } else {
                PostingKind::VendorCredit
            },
            label: document.label(),
            date,
            due: match document {
                AnyDocument::Bill(bill) => bill.due,
                _ => None,
            },
            total,
            open: plus(still_open, not_yet.unwrap_or_default())?,
            presence: if mirrored.gone || is_archived(document) {
                Presence::Gone
            } else if later {
                Presence::Later
            } else {
                Presence::There
            },
        })
    }

    /// What was made on the platform in the period.
    fn count_flow(
        &self,
        held: &Held,
        mirrored: &Mirrored,
        flows: &mut [Flow; 3],
    ) -> Result<(), EngineError> {
        let made = mirrored
            .observed
            .created
            .map_or(held.date, |created| self.day_of(created));
        if held.presence == Presence::There && self.start <= made && made <= self.day {
            let flow = &mut flows[usize::from(held.kind == PostingKind::VendorCredit)];
            flow.platform_count += 1;
            flow.platform_amount = plus(flow.platform_amount, held.total)?;
        }
        Ok(())
    }

    /// Puts the platform's documents together with the ledger's.
    async fn pair(
        &self,
        wanted: Vec<(Held, Option<&Link>, &Mirrored)>,
        open: &mut BTreeMap<&RemoteId, Vec<&Posting>>,
        payments: &Payments,
        gathered: &mut Gathered,
    ) -> Result<(), EngineError> {
        let store = &self.connection.store;
        let mut documents: HashMap<RecordRef, Mirrored> = HashMap::new();
        let mut items: HashMap<RecordRef, Item> = HashMap::new();
        for (kind, flow) in [
            (Kind::Bill, "bills"),
            (Kind::VendorCredit, "vendor-credits"),
        ] {
            let mut records: Vec<RecordRef> = wanted
                .iter()
                .filter_map(|(_, link, _)| link.map(|link| link.record.clone()))
                .filter(|record| record.kind == kind)
                .collect();
            let ids: Vec<RemoteId> = records.iter().map(|record| record.id.clone()).collect();
            for (id, mirrored) in store.records(Side::Ledger, kind, &ids).await? {
                documents.insert(RecordRef::new(Side::Ledger, kind, id), mirrored);
            }
            records.extend(
                wanted
                    .iter()
                    .filter(|(held, link, _)| link.is_none() && held.record.kind == kind)
                    .map(|(held, _, _)| held.record.clone()),
            );
            items.extend(store.items(flow, &records).await?);
        }
        for (held, link, mirrored) in wanted {
            let vendor = mirrored.observed.document.vendor();
            let vendor = vendor.map(|id| self.vendor_name(Side::Platform, id));
            let of = link.map_or(&held.record, |link| &link.record);
            let standing = items
                .get(of)
                .map(|item| standing(item, &self.connection.time_zone));
            let ledger = match link {
                None => None,
                Some(link) => {
                    let postings = open.remove(&link.record.id);
                    let document = documents.get(&link.record);
                    self.ledger_held(link, postings.as_deref(), document, &held)?
                }
            };
            if let (Some(ledger), Some(link)) = (&ledger, link)
                && let Some(document) = documents.get(&link.record)
                && held.kind == PostingKind::VendorCredit
                && ledger.open != held.open
            {
                self.credit_uses(link, document, mirrored, payments, gathered)
                    .await?;
            }
            gathered.pairs.push(Pair {
                ledger,
                platform: Some(held),
                vendor: vendor.unwrap_or_default(),
                standing,
                posted_by_us: false,
                discount: link
                    .and_then(|link| documents.get(&link.record))
                    .map_or(Amount::ZERO, offered),
            });
        }
        Ok(())
    }

    /// The ledger's document of a pair: with what is open by the ledger's own account, or closed.
    fn ledger_held(
        &self,
        link: &Link,
        postings: Option<&[&Posting]>,
        document: Option<&Mirrored>,
        there: &Held,
    ) -> Result<Option<Held>, EngineError> {
        let open = postings
            .into_iter()
            .flatten()
            .try_fold(Amount::ZERO, |sum, posting| plus(sum, -posting.open))?;
        let Some(mirrored) = document else {
            return Ok(postings
                .and_then(|postings| postings.first())
                .map(|posting| held(posting, open)));
        };
        let (_, total, _) =
            worth(&mirrored.observed.document).unwrap_or((self.currency, open, open));
        let (period, voided, due) = match &mirrored.observed.document {
            AnyDocument::Bill(bill) => (bill.period.as_ref(), is_void(&bill.status), bill.due),
            AnyDocument::VendorCredit(credit) => {
                (credit.period.as_ref(), is_void(&credit.status), None)
            }
            _ => (None, false, None),
        };
        let date = mirrored.observed.document.date().unwrap_or(there.date);
        let presence = if open.is_zero() && (mirrored.gone || voided) {
            Presence::Gone
        } else if open.is_zero() && self.is_later(date, period) {
            Presence::Later
        } else {
            Presence::There
        };
        // What was partly paid before go-live came over with its balance.
        let total = if link.role == bills::OPENING {
            let written = link.applied.as_ref().and_then(worth);
            written.map_or(there.total, |(_, total, _)| total)
        } else {
            total
        };
        Ok(Some(Held {
            record: link.record.clone(),
            kind: there.kind.clone(),
            label: mirrored.observed.document.label(),
            date,
            due,
            total,
            open,
            presence,
        }))
    }

    /// The ledger's open items that nothing on the platform stands for.
    async fn only_in_ledger(
        &self,
        open: BTreeMap<&RemoteId, Vec<&Posting>>,
        payments: &Payments,
        gathered: &mut Gathered,
    ) -> Result<(), EngineError> {
        let store = &self.connection.store;
        let open: Vec<(&RemoteId, Vec<&Posting>)> = open.into_iter().collect();
        for chunk in open.chunks(PAGE as usize) {
            let mut items: HashMap<RecordRef, Item> = HashMap::new();
            for (kind, flow) in [
                (PostingKind::Bill, "bills"),
                (PostingKind::VendorCredit, "vendor-credits"),
            ] {
                let records: Vec<RecordRef> = chunk
                    .iter()
                    .filter(|(_, postings)| postings.iter().any(|one| one.kind == kind))
                    .filter_map(|(_, postings)| postings.first().map(|one| record(one)))
                    .collect();
                items.extend(store.items(flow, &records).await?);
            }
            let postings: Vec<RecordRef> = chunk
                .iter()
                .filter(|(id, _)| payments.ours.contains_key(id))
                .filter_map(|(_, postings)| postings.first().map(|one| record(one)))
                .collect();
            let mut origins: HashMap<RecordRef, RecordRef> = HashMap::new();
            for link in store.links_to(&postings).await? {
                origins.insert(link.target, link.record);
            }
            let sources: Vec<RecordRef> = origins.values().cloned().collect();
            items.extend(
                store
                    .items(tieout_flows::bill_payments::NAME, &sources)
                    .await?,
            );
            for (id, postings) in chunk {
                let Some(first) = postings.first() else {
                    continue;
                };
                let sum = postings
                    .iter()
                    .try_fold(Amount::ZERO, |sum, posting| plus(sum, -posting.open))?;
                let record = record(first);
                let item = items
                    .get(&record)
                    .or_else(|| origins.get(&record).and_then(|of| items.get(of)));
                gathered.pairs.push(Pair {
                    vendor: first.vendor_name.clone(),
                    standing: item.map(|item| standing(item, &self.connection.time_zone)),
                    posted_by_us: payments.ours.contains_key(*id),
                    discount: Amount::ZERO,
                    ledger: Some(held(first, sum)),
                    platform: None,
                });
            }
        }
        Ok(())
    }

    /// Where the two sides use a credit differently: bill by bill.
    async fn credit_uses(
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
            vendor: self.vendor_name(Side::Ledger, &credit.vendor),
            date: credit.date,
            parts,
            standing: None,
        }
    }
}

fn flow(label: &str) -> Flow {
    Flow {
        label: label.to_owned(),
        ..Flow::default()
    }
}

fn touched(effects: &[Effect]) -> HashSet<RecordRef> {
    effects
        .iter()
        .flat_map(|effect| effect.parts.iter().map(|(record, _)| record.clone()))
        .collect()
}

/// Currency, total and open amount of a bill or credit, as payables.
fn worth(document: &AnyDocument) -> Option<(Currency, Amount, Amount)> {
    match document {
        AnyDocument::Bill(bill) => Some((bill.currency, bill.total, bill.open)),
        AnyDocument::VendorCredit(credit) => Some((credit.currency, -credit.total, -credit.open)),
        _ => None,
    }
}

/// The early-payment discount that a bill offers.
fn offered(mirrored: &Mirrored) -> Amount {
    match &mirrored.observed.document {
        AnyDocument::Bill(bill) => bill
            .discount
            .as_ref()
            .map_or(Amount::ZERO, |one| one.amount),
        _ => Amount::ZERO,
    }
}

fn is_archived(document: &AnyDocument) -> bool {
    let status = match document {
        AnyDocument::Bill(bill) => &bill.status,
        AnyDocument::VendorCredit(credit) => &credit.status,
        _ => return false,
    };
    *status == BillStatus::Archived
}

fn is_void(status: &BillStatus) -> bool {
    matches!(
        status,
        BillStatus::Voided | BillStatus::Cancelled | BillStatus::Rejected
    )
}

/// The record behind a posting.
pub(super) fn record(posting: &Posting) -> RecordRef {
    let kind = match posting.kind {
        PostingKind::Bill => Kind::Bill,
        PostingKind::VendorCredit => Kind::VendorCredit,
        PostingKind::Payment => Kind::Payment,
        PostingKind::Journal | PostingKind::Revaluation | PostingKind::Other(_) => Kind::Journal,
    };
    RecordRef::new(Side::Ledger, kind, posting.id.clone())
}

fn held(posting: &Posting, open: Amount) -> Held {
    Held {
        record: record(posting),
        kind: posting.kind.clone(),
        label: posting.number.clone(),
        date: posting.date,
        due: posting.due,
        total: -posting.amount,
        open,
        presence: Presence::There,
    }
}
