//! What the report is made of: the ledger's open items held against the mirror of the platform, page by page.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::tz::TimeZone;
use tieout_domain::subledger::{Basis, Book, Posting, PostingKind};
use tieout_domain::{
    Amount, Currency, Date, Document as AnyDocument, RecordRef, RemoteId, Side, Timestamp,
};
use tieout_flows::bills;
use tieout_flows::receivables::payments::FEE;
use tieout_flows::tie_out::input::{Effect, Held, Pair, Presence, Settlement, Spent, Standing};
use tieout_flows::tie_out::{Extract, Flow};
use tieout_store::{Item, Mirrored, StoreError};

use super::books::{
    Booked, Documents, Twin, booked, documents_of, due, has_ended, offered, party_of, payments_of,
    posting_kind, worth,
};
use super::credits::Both;
use super::evidence::Counting;
use super::payments::{Payments, shown_of};
use super::payouts::Addresses;
use crate::{Connection, EngineError};

/// How many records are looked at together.
pub(super) const PAGE: u32 = 1000;

/// Gathers for one currency.
pub(super) struct Gatherer<'a> {
    pub(super) connection: &'a Connection,
    /// Which of the ledger's books.
    pub(super) book: Book,
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
    /// Names of vendors or customers, by side and id.
    pub(super) parties: HashMap<(Side, RemoteId), String>,
    /// Which of the ledger's vendors share an address.
    pub(super) addresses: Addresses,
    pub(super) extracts: Vec<Extract>,
}

/// What was gathered.
pub(super) struct Gathered {
    pub(super) pairs: Vec<Pair>,
    pub(super) effects: Vec<Effect>,
    /// What advisories look at.
    pub(super) payouts: Vec<Spent>,
    /// The platform's payouts with their deposits; `None` where it pays nothing out.
    pub(super) settlements: Option<Vec<Settlement>>,
    /// Postings of the ledger that stand for a payment of the platform, and whether it is owed the money.
    pub(super) ours: HashMap<RemoteId, bool>,
    /// The platform's flows of the period: bills or invoices, credits, payments.
    pub(super) platform_flows: [Flow; 3],
}

/// What is open in the ledger, by transaction.
pub(super) type OpenItems<'a> = BTreeMap<&'a RemoteId, Vec<&'a Posting>>;

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
        self.name_parties().await?;
        let documents = documents_of(self.book);
        let mut open = self.by_transaction(open);
        let mut payments = match self.book {
            Book::Payables => self.payments().await?,
            Book::Receivables => self.receipts(&mut open).await?,
        };
        let payouts = std::mem::take(&mut payments.payouts);
        let mut gathered = Gathered {
            pairs: std::mem::take(&mut payments.pairs),
            effects: Vec::new(),
            payouts: self.payouts(payouts).await?,
            settlements: self.settlements().await?,
            ours: HashMap::new(),
            platform_flows: [
                flow(documents[0].label),
                flow(documents[1].label),
                payments.paid.clone(),
            ],
        };
        for documents in &documents {
            self.platform_documents(documents, &mut open, &payments, &mut gathered)
                .await?;
        }
        if self.book == Book::Payables {
            self.credits_apart(&mut gathered).await?;
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

    pub(super) fn party_name(&self, side: Side, id: &RemoteId) -> String {
        let known = self.parties.get(&(side, id.clone()));
        known.cloned().unwrap_or_else(|| id.to_string())
    }

    async fn name_parties(&mut self) -> Result<(), EngineError> {
        for side in [Side::Ledger, Side::Platform] {
            let mut after: Option<RemoteId> = None;
            loop {
                let store = &self.connection.store;
                let page = store
                    .records_page(side, party_of(self.book), after.as_ref(), PAGE)
                    .await?;
                let Some(last) = page.last() else { break };
                after = Some(last.observed.id.clone());
                if side == Side::Ledger {
                    for mirrored in page.iter().filter(|mirrored| !mirrored.gone) {
                        let observed = &mirrored.observed;
                        self.addresses.add(&observed.id, &observed.document);
                    }
                }
                self.parties.extend(page.into_iter().map(|mirrored| {
                    let name = mirrored.observed.document.label();
                    ((side, mirrored.observed.id), name)
                }));
            }
        }
        Ok(())
    }

    fn by_transaction<'a>(&self, open: &'a [Posting]) -> OpenItems<'a> {
        let mut by_id = OpenItems::new();
        for posting in open.iter().filter(|one| one.currency == self.currency) {
            by_id.entry(&posting.id).or_default().push(posting);
        }
        by_id
    }

    /// What postings have open, as the book counts it.
    pub(super) fn open_of(&self, postings: &[&Posting]) -> Result<Amount, EngineError> {
        postings.iter().try_fold(Amount::ZERO, |sum, posting| {
            plus(sum, self.book.owed(posting.open))
        })
    }

    /// The documents of the platform that stand for these of either side, each with the ledger's.
    pub(super) async fn twins(
        &self,
        flow: &str,
        records: &[RecordRef],
    ) -> Result<HashMap<RecordRef, Twin>, EngineError> {
        let store = &self.connection.store;
        let mut links = store.links_to(records).await?;
        links.extend(store.links(flow, records).await?);
        Ok(links.into_iter().filter_map(Twin::of).collect())
    }

    /// What stands for these documents of the ledger on the platform.
    pub(super) async fn platform_twins(
        &self,
        flow: &str,
        records: &[RecordRef],
    ) -> Result<HashMap<RecordRef, RecordRef>, EngineError> {
        let twins = self.twins(flow, records).await?.into_iter();
        Ok(twins
            .map(|(platform, twin)| (twin.ledger, platform))
            .collect())
    }

    /// Goes through the platform's documents of one kind; what of the ledger's open items belongs to one is taken
    /// out of `open`.
    async fn platform_documents(
        &mut self,
        documents: &Documents,
        open: &mut OpenItems<'_>,
        payments: &Payments,
        gathered: &mut Gathered,
    ) -> Result<(), EngineError> {
        let query = "every record, archived ones too, read page by page to the end";
        let mut counting = Counting::begin(documents.title, query, self.now());
        let touched = touched(&payments.effects);
        let mut after: Option<RemoteId> = None;
        loop {
            let store = &self.connection.store;
            let page = store
                .records_page(Side::Platform, documents.kind, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.observed.id.clone());
            let records: Vec<RecordRef> = page.iter().map(Mirrored::record).collect();
            let twins = self.twins(documents.flow, &records).await?;
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
                let twin = twins.get(record);
                let counts = held.presence == Presence::There && !held.open.is_zero();
                let open_there = twin.is_some_and(|twin| open.contains_key(&twin.ledger.id));
                if counts || open_there || touched.contains(record) {
                    wanted.push((held, twin, mirrored));
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
        let not_yet = match document {
            // As much more is left of it.
            AnyDocument::VendorCredit(credit) => {
                let (uses, id) = (&payments.uses_not_yet, &mirrored.observed.id);
                let uses = shown_of(uses, id, &credit.applications);
                Some(-uses.map(|(_, amount)| amount).sum::<Amount>())
            }
            _ => payments.not_yet.get(&mirrored.record()).copied(),
        };
        // An invoice that doesn't tell what of it is open shows all of its total until it is paid.
        let told = self.connection.sides.platform.ways.tells_open || still_open.is_zero();
        let untold = match payments.taken_off.get(&mirrored.record()) {
            Some(taken) if !told => -*taken,
            _ => Amount::ZERO,
        };
        let later = mirrored
            .observed
            .created
            .is_some_and(|created| self.day_of(created) > self.day);
        let date = document.date().unwrap_or(self.day);
        Ok(Held {
            record: mirrored.record(),
            kind: posting_kind(document.kind()),
            label: document.label(),
            date,
            due: due(document),
            total,
            open: plus(plus(still_open, untold)?, not_yet.unwrap_or_default())?,
            presence: if mirrored.gone || has_ended(document) {
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
            let is_credit = matches!(
                held.kind,
                PostingKind::VendorCredit | PostingKind::CreditMemo
            );
            let flow = &mut flows[usize::from(is_credit)];
            flow.platform_count += 1;
            flow.platform_amount = plus(flow.platform_amount, held.total)?;
        }
        Ok(())
    }

    /// Puts the platform's documents together with the ledger's.
    async fn pair(
        &self,
        wanted: Vec<(Held, Option<&Twin>, &Mirrored)>,
        open: &mut OpenItems<'_>,
        payments: &Payments,
        gathered: &mut Gathered,
    ) -> Result<(), EngineError> {
        let store = &self.connection.store;
        let mut documents: HashMap<RecordRef, Mirrored> = HashMap::new();
        let mut items: HashMap<RecordRef, Item> = HashMap::new();
        for Documents { kind, flow, .. } in documents_of(self.book) {
            let twins = wanted.iter().filter_map(|(_, twin, _)| *twin);
            let ids: Vec<RemoteId> = twins
                .clone()
                .filter(|twin| twin.ledger.kind == kind)
                .map(|twin| twin.ledger.id.clone())
                .collect();
            for (id, mirrored) in store.records(Side::Ledger, kind, &ids).await? {
                documents.insert(RecordRef::new(Side::Ledger, kind, id), mirrored);
            }
            let mut records: Vec<RecordRef> = twins
                .map(|twin| twin.link.record.clone())
                .filter(|record| record.kind == kind)
                .collect();
            records.extend(
                wanted
                    .iter()
                    .filter(|(held, twin, _)| twin.is_none() && held.record.kind == kind)
                    .map(|(held, _, _)| held.record.clone()),
            );
            items.extend(store.items(flow, &records).await?);
        }
        for (held, twin, mirrored) in wanted {
            let of = twin.map_or(&held.record, |twin| &twin.link.record);
            let standing = items
                .get(of)
                .map(|item| standing(item, &self.connection.time_zone));
            let document = twin.and_then(|twin| documents.get(&twin.ledger));
            let ledger = match twin {
                None => None,
                Some(twin) => {
                    let postings = open.remove(&twin.ledger.id);
                    self.ledger_held(twin, postings.as_deref(), document, &held)?
                }
            };
            if let (Some(ledger), Some(twin)) = (&ledger, twin)
                && let Some(document) = document
                && held.kind == PostingKind::VendorCredit
                && ledger.open != held.open
            {
                let both = Both {
                    link: &twin.link,
                    ledger: document,
                    platform: mirrored,
                    standing: standing.as_ref(),
                };
                self.credit_uses(&both, payments, gathered).await?;
            }
            gathered.pairs.push(Pair {
                ledger,
                vendor: self.whose(mirrored).unwrap_or_default(),
                customer: mirrored.observed.document.customer().cloned(),
                platform: Some(held),
                standing,
                posted_by_us: false,
                discount: document.map_or(Amount::ZERO, offered),
            });
        }
        Ok(())
    }

    /// Whose document it is, by name.
    pub(super) fn whose(&self, mirrored: &Mirrored) -> Option<String> {
        let document = &mirrored.observed.document;
        let party = document.vendor().or(document.customer())?;
        Some(self.party_name(mirrored.side, party))
    }

    /// The ledger's document of a pair: with what is open by the ledger's own account, or closed.
    fn ledger_held(
        &self,
        twin: &Twin,
        postings: Option<&[&Posting]>,
        document: Option<&Mirrored>,
        there: &Held,
    ) -> Result<Option<Held>, EngineError> {
        let open = self.open_of(postings.unwrap_or_default())?;
        let Some(mirrored) = document else {
            return Ok(postings
                .and_then(|postings| postings.first())
                .map(|posting| self.held(posting, open)));
        };
        let (_, total, _) =
            worth(&mirrored.observed.document).unwrap_or((self.currency, open, open));
        let Booked {
            period,
            voided,
            waits,
        } = booked(&mirrored.observed.document);
        let date = mirrored.observed.document.date().unwrap_or(there.date);
        let presence = if open.is_zero() && (mirrored.gone || voided) {
            Presence::Gone
        } else if open.is_zero() && (waits || self.is_later(date, period)) {
            Presence::Later
        } else {
            Presence::There
        };
        // What was partly paid before go-live came over with its balance.
        let total = if twin.link.role == bills::OPENING {
            let written = twin.link.applied.as_ref().and_then(worth);
            written.map_or(there.total, |(_, total, _)| total)
        } else {
            total
        };
        Ok(Some(Held {
            record: twin.ledger.clone(),
            kind: there.kind.clone(),
            label: mirrored.observed.document.label(),
            date,
            due: due(&mirrored.observed.document),
            total,
            open,
            presence,
        }))
    }

    /// The ledger's open items that nothing on the platform stands for.
    async fn only_in_ledger(
        &self,
        open: OpenItems<'_>,
        payments: &Payments,
        gathered: &mut Gathered,
    ) -> Result<(), EngineError> {
        let store = &self.connection.store;
        let open: Vec<(&RemoteId, Vec<&Posting>)> = open.into_iter().collect();
        for chunk in open.chunks(PAGE as usize) {
            let mut items: HashMap<RecordRef, Item> = HashMap::new();
            let records = |wanted: &dyn Fn(&Posting) -> bool| -> Vec<RecordRef> {
                let firsts = chunk.iter().filter_map(|(_, postings)| postings.first());
                firsts
                    .filter(|first| wanted(first))
                    .map(|first| record(first))
                    .collect()
            };
            for Documents { kind, flow, .. } in documents_of(self.book) {
                let records = records(&|one| one.kind.record() == kind);
                items.extend(store.items(flow, &records).await?);
            }
            let (flow, _) = payments_of(self.book);
            // Where a platform has no credit notes, credit memos are a matter of payments.
            let receipts = records(&|one| {
                matches!(
                    one.kind,
                    PostingKind::CustomerPayment | PostingKind::CreditMemo
                )
            });
            items.extend(store.items(flow, &receipts).await?);
            let ours = |id: &RemoteId| payments.ours.contains_key(id);
            let made = records(&|one| ours(&one.id) || one.kind == PostingKind::Invoice);
            let mut origins: HashMap<RecordRef, RecordRef> = HashMap::new();
            for link in store.links_to(&made).await? {
                if ours(&link.target.id) || link.role == FEE {
                    origins.insert(link.target, link.record);
                }
            }
            let sources: Vec<RecordRef> = origins.values().cloned().collect();
            items.extend(store.items(flow, &sources).await?);
            for (id, postings) in chunk {
                let Some(first) = postings.first() else {
                    continue;
                };
                let open = self.open_of(postings)?;
                let record = record(first);
                let item = items
                    .get(&record)
                    .or_else(|| origins.get(&record).and_then(|of| items.get(of)));
                gathered.pairs.push(Pair {
                    vendor: first.party_name.clone(),
                    customer: None,
                    standing: item.map(|item| standing(item, &self.connection.time_zone)),
                    posted_by_us: ours(id) || origins.contains_key(&record),
                    discount: Amount::ZERO,
                    ledger: Some(self.held(first, open)),
                    platform: None,
                });
            }
        }
        Ok(())
    }

    /// A document as its posting shows it.
    pub(super) fn held(&self, posting: &Posting, open: Amount) -> Held {
        Held {
            record: record(posting),
            kind: posting.kind.clone(),
            label: posting.number.clone(),
            date: posting.date,
            due: posting.due,
            total: self.book.owed(posting.amount),
            open,
            presence: Presence::There,
        }
    }
}

/// The record behind a posting.
pub(super) fn record(posting: &Posting) -> RecordRef {
    RecordRef::new(Side::Ledger, posting.kind.record(), posting.id.clone())
}

pub(super) fn flow(label: &str) -> Flow {
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
