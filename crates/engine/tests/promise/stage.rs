//! Two sides in memory that do as they are told, a clock that stands still, and a rule or two.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use tieout_domain::code::Code;
use tieout_domain::document::{Application, Approval, Bill, BillStatus, VendorCredit};
use tieout_domain::port::{
    Action, Answer, Depth, Identity, Mark, Observed, Order, Page, PageToken, Ports, Read, Receipt,
    Ways, Whole, Write,
};
use tieout_domain::{
    Amount, Clock, ConnectionName, Currency, Document, Fault, Kind, Outcome, Period, RecordRef,
    RemoteId, Side, State, SystemId, Timer, Timestamp, WaitsFor,
};
use tieout_engine::{Connection, Quiet, RunOptions, RunReport, Sides};
use tieout_flows::{Books, Flow, Need, Preferences, Step, Subject, Verdict};
use tieout_store::{Commit, ConnectionStore, Fact, Item, Link, Store};

/// Stands still; short waits move it, long ones wait for it.
pub(crate) struct HandClock {
    now: tokio::sync::watch::Sender<Timestamp>,
}

impl HandClock {
    fn new() -> Self {
        Self {
            now: tokio::sync::watch::Sender::new("2026-06-12T10:00:00Z".parse().unwrap()),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.now
            .send_modify(|now| *now = now.checked_add(time).unwrap());
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }
}

#[async_trait]
impl Timer for HandClock {
    async fn sleep(&self, duration: Duration) {
        if duration <= Duration::from_secs(60) {
            return self.pass(duration);
        }
        let until = Clock::now(self).checked_add(duration).unwrap();
        let mut now = self.now.subscribe();
        now.wait_for(|now| *now >= until).await.unwrap();
    }
}

/// What becomes of one call.
#[derive(Clone, Copy)]
pub(crate) enum Effect {
    /// Carried out; no answer.
    LostAfter,
    /// Carried out, and somebody makes the very same by hand; no answer.
    LostAfterTwice,
    /// Carried out; no answer, and from then on lists and look-ups show again what was made.
    LostAfterAndShown,
    /// Not carried out, or not yet; no answer.
    LostBefore,
    /// Carried out, after a while.
    Slow(Duration),
    /// Only the last of the batch is carried out; no answer.
    LostAfterLast,
    /// Carried out; only the first record is in the answer.
    Short,
    Refused,
    Denied,
    Later,
}

/// One side.
pub(crate) struct Memory {
    clock: Arc<HandClock>,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    records: BTreeMap<(Kind, String), (Observed, u64)>,
    changes: u64,
    effects: VecDeque<Effect>,
    calls: BTreeMap<Action, usize>,
    delayed: Vec<Order>,
    settle: Duration,
    bulk: usize,
    repeatable: bool,
    hidden: bool,
    unreadable: BTreeSet<String>,
    odd: BTreeSet<String>,
    breaks_off: bool,
    refused_fetches: u32,
    fetches: u32,
    lease: Option<ConnectionStore>,
    lease_lost: u32,
    thief: Option<(PathBuf, ConnectionStore)>,
    pauser: Option<ConnectionStore>,
}

impl Memory {
    fn new(clock: &Arc<HandClock>) -> Arc<Self> {
        let shelf = Shelf {
            bulk: 1,
            ..Shelf::default()
        };
        Arc::new(Self {
            clock: Arc::clone(clock),
            shelf: Mutex::new(shelf),
        })
    }

    fn shelf(&self) -> std::sync::MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap()
    }

    pub(crate) fn put(&self, (id, document): (String, Document)) {
        let mut shelf = self.shelf();
        shelf.changes += 1;
        let change = shelf.changes;
        shelf.unreadable.remove(&id);
        let observed = Observed {
            id: id.as_str().into(),
            version: change.to_string(),
            created: None,
            document,
        };
        shelf
            .records
            .insert((observed.document.kind(), id), (observed, change));
    }

    /// Changes it so that no list of changes shows it.
    pub(crate) fn put_silently(&self, record: (String, Document)) {
        self.put(record.clone());
        let mut shelf = self.shelf();
        let key = (record.1.kind(), record.0);
        shelf.records.get_mut(&key).unwrap().1 = 0;
    }

    pub(crate) fn put_made(&self, record: (String, Document), at: Timestamp) {
        self.put(record.clone());
        let key = (record.1.kind(), record.0);
        self.shelf().records.get_mut(&key).unwrap().0.created = Some(at);
    }

    pub(crate) fn unreadable(&self, id: &str) {
        self.shelf().unreadable.insert(id.to_owned());
    }

    /// A list shows it in a way that can't be read, and it can be fetched.
    pub(crate) fn odd_in_lists(&self, id: &str) {
        self.shelf().odd.insert(id.to_owned());
    }

    /// Deletes it so that no list tells.
    pub(crate) fn take_away(&self, kind: Kind, id: &str) {
        self.shelf().records.remove(&(kind, id.to_owned()));
    }

    /// Lists have a second page, which can't be had.
    pub(crate) fn break_off(&self, breaks_off: bool) {
        self.shelf().breaks_off = breaks_off;
    }

    pub(crate) fn refuse_fetches(&self, times: u32) {
        self.shelf().refused_fetches = times;
    }

    /// How often records were asked for by id.
    pub(crate) fn fetches(&self) -> u32 {
        self.shelf().fetches
    }

    pub(crate) fn next(&self, effect: Effect) {
        self.shelf().effects.push_back(effect);
    }

    pub(crate) fn settles_after(&self, window: Duration) {
        self.shelf().settle = window;
    }

    pub(crate) fn takes(&self, bulk: usize) {
        self.shelf().bulk = bulk;
    }

    pub(crate) fn upserts(&self) {
        self.shelf().repeatable = true;
    }

    /// Lists and look-ups show nothing of what was made.
    pub(crate) fn hide(&self, hidden: bool) {
        self.shelf().hidden = hidden;
    }

    pub(crate) fn watch_lease(&self, store: ConnectionStore) {
        self.shelf().lease = Some(store);
    }

    pub(crate) fn lease_lost(&self) -> u32 {
        self.shelf().lease_lost
    }

    pub(crate) fn steal_lease(&self, lock: PathBuf, store: ConnectionStore) {
        self.shelf().thief = Some((lock, store));
    }

    /// Somebody pauses the connection while the next call is under way.
    pub(crate) fn pause_meanwhile(&self, store: ConnectionStore) {
        self.shelf().pauser = Some(store);
    }

    pub(crate) fn calls(&self, action: Action) -> usize {
        self.shelf().calls.get(&action).copied().unwrap_or_default()
    }

    pub(crate) fn totals(&self) -> Vec<String> {
        let mut totals: Vec<_> = self
            .shelf()
            .records
            .values()
            .map(|(o, _)| total(&o.document))
            .collect();
        totals.sort();
        totals
    }

    pub(crate) fn memo(&self, id: &RemoteId) -> String {
        let found = self.observed(|observed, _| observed.id == *id).remove(0);
        let Document::Bill(bill) = found.document else {
            panic!()
        };
        bill.memo
    }

    pub(crate) fn ids(&self) -> Vec<RemoteId> {
        self.shelf()
            .records
            .values()
            .map(|(observed, _)| observed.id.clone())
            .collect()
    }

    /// What was not answered is carried out after all.
    pub(crate) fn arrive_late(&self) {
        let delayed = std::mem::take(&mut self.shelf().delayed);
        for order in delayed {
            self.carry_out(&order);
        }
    }

    fn carry_out(&self, order: &Order) -> Observed {
        let now = self.clock.now();
        let mut shelf = self.shelf();
        let Document::Bill(mut bill) = order.document.clone() else {
            panic!()
        };
        let of_key = shelf
            .records
            .values()
            .find_map(|(observed, _)| match &observed.document {
                Document::Bill(bill) if bill.external_id.as_ref() == Some(&order.key) => {
                    Some(observed.id.to_string())
                }
                _ => None,
            });
        let id = match (&order.target, of_key) {
            (Some(target), _) => target.to_string(),
            (None, Some(id)) if shelf.repeatable => id,
            (None, _) => format!("p{}", shelf.records.len() + 1),
        };
        bill.external_id = shelf.repeatable.then(|| order.key.clone());
        shelf.changes += 1;
        let change = shelf.changes;
        let observed = Observed {
            id: id.as_str().into(),
            version: change.to_string(),
            created: Some(now),
            document: Document::Bill(bill),
        };
        shelf
            .records
            .insert((Kind::Bill, id), (observed.clone(), change));
        observed
    }

    fn observed(&self, shown: impl Fn(&Observed, u64) -> bool) -> Vec<Observed> {
        let shelf = self.shelf();
        let hidden = shelf.hidden;
        let all = shelf
            .records
            .values()
            .filter(|(observed, change)| shown(observed, *change));
        all.filter(|_| !hidden)
            .map(|(observed, _)| observed.clone())
            .collect()
    }
}

struct Reader(Arc<Memory>, Kind);

#[async_trait]
impl Read for Reader {
    async fn page(
        &self,
        depth: Depth,
        mark: Option<&Mark>,
        token: Option<&PageToken>,
    ) -> Result<Page, Fault> {
        if token.is_some() {
            return Err(Fault::Drift {
                code: Code::new("drift"),
                cause: "no second page".to_owned(),
            });
        }
        let since: u64 = match (depth, mark) {
            (Depth::Changes, Some(mark)) => mark.0.parse().unwrap(),
            _ => 0,
        };
        let mut records = self
            .0
            .observed(|o, change| o.document.kind() == self.1 && change > since);
        let shelf = self.0.shelf();
        records.retain(|record| !shelf.odd.contains(record.id.as_str()));
        let unreadable = match (since, self.1) {
            (0, Kind::Bill) => shelf
                .unreadable
                .union(&shelf.odd)
                .map(|id| (id.as_str().into(), "odd".to_owned()))
                .collect(),
            _ => Vec::new(),
        };
        let next = shelf.breaks_off.then(|| PageToken("2".to_owned()));
        let mark = Mark(shelf.changes.to_string());
        Ok(Page {
            records,
            unreadable,
            mark: next.is_none().then_some(mark),
            next,
            ..Page::default()
        })
    }

    async fn fetch(&self, ids: &[RemoteId]) -> Result<Vec<Observed>, Fault> {
        {
            let mut shelf = self.0.shelf();
            shelf.fetches += 1;
            if shelf.refused_fetches > 0 {
                shelf.refused_fetches -= 1;
                return Err(later());
            }
            if ids.iter().any(|id| shelf.unreadable.contains(id.as_str())) {
                return Err(Fault::Drift {
                    code: Code::new("drift"),
                    cause: "odd".to_owned(),
                });
            }
        }
        Ok(self
            .0
            .observed(|o, _| o.document.kind() == self.1 && ids.contains(&o.id)))
    }
}

fn later() -> Fault {
    Fault::Later {
        code: Code::new("timeout"),
        cause: "not now".to_owned(),
        after: None,
    }
}

struct Writer(Arc<Memory>);

#[async_trait]
impl Write for Writer {
    fn bulk_max(&self, _action: Action) -> usize {
        self.0.shelf().bulk
    }

    fn repeatable(&self, action: Action) -> bool {
        action == Action::Create && self.0.shelf().repeatable
    }

    fn settle(&self) -> Duration {
        self.0.shelf().settle
    }

    async fn write(&self, orders: &[Order]) -> Vec<Answer> {
        let pauser = self.0.shelf().pauser.take();
        if let Some(store) = pauser {
            let reason = "the bank called".to_owned();
            let pause = Commit {
                actor: "user:ann".to_owned(),
                facts: vec![Fact::Paused { reason }],
                ..Commit::default()
            };
            store.commit(pause).await.unwrap();
        }
        let (effect, lease, thief) = {
            let mut shelf = self.0.shelf();
            *shelf.calls.entry(orders[0].action).or_default() += 1;
            (
                shelf.effects.pop_front(),
                shelf.lease.clone(),
                shelf.thief.take(),
            )
        };
        if let Some(thief) = thief {
            steal(thief).await;
        }
        let unknown = || {
            Answer::Failed(Fault::Unknown {
                cause: "no answer".to_owned(),
            })
        };
        let failed = |fault: Fault| vec![Answer::Failed(fault); orders.len()];
        let code = || Code::new("refused-there");
        match effect {
            Some(Effect::LostBefore) => {
                self.0.shelf().delayed.extend(orders.iter().cloned());
                return orders.iter().map(|_| unknown()).collect();
            }
            Some(Effect::Refused) => {
                let cause = "no".to_owned();
                return failed(Fault::Refused {
                    code: code(),
                    field: None,
                    cause,
                });
            }
            Some(Effect::Denied) => {
                return failed(Fault::Denied {
                    code: code(),
                    cause: "out".to_owned(),
                });
            }
            Some(Effect::Later) => return failed(later()),
            Some(Effect::LostAfterLast) => {
                self.0.carry_out(orders.last().unwrap());
                return orders.iter().map(|_| unknown()).collect();
            }
            Some(Effect::Slow(time)) => self.wait(time, lease).await,
            Some(Effect::LostAfterAndShown) => self.0.hide(false),
            _ => {}
        }
        let mut answers = Vec::new();
        for order in orders {
            let observed = self.0.carry_out(order);
            let id = observed.id.clone();
            answers.push(match effect {
                Some(Effect::LostAfter | Effect::LostAfterAndShown) => unknown(),
                Some(Effect::LostAfterTwice) => {
                    self.0.carry_out(order);
                    unknown()
                }
                _ => Answer::Applied(Receipt {
                    id,
                    observed: Some(observed),
                    adopted: false,
                }),
            });
        }
        if let Some(Effect::Short) = effect {
            answers.truncate(1);
        }
        answers
    }

    async fn candidates(
        &self,
        orders: &[Order],
        _since: Timestamp,
    ) -> Result<Vec<Observed>, Fault> {
        let keys: Vec<_> = orders.iter().map(|order| &order.key).collect();
        let found = self.0.observed(|o, _| match &o.document {
            Document::Bill(bill) => bill
                .external_id
                .as_ref()
                .is_none_or(|id| keys.contains(&id)),
            _ => false,
        });
        let shelf = self.0.shelf();
        if found
            .iter()
            .any(|one| shelf.unreadable.contains(one.id.as_str()))
        {
            return Err(Fault::Drift {
                code: Code::new("drift"),
                cause: "odd".to_owned(),
            });
        }
        Ok(found)
    }
}

impl Writer {
    /// Lets time pass, bit by bit, and looks whether the lease is still good.
    async fn wait(&self, time: Duration, lease: Option<ConnectionStore>) {
        let steps = 20;
        for _ in 0..steps {
            self.0.clock.pass(time / steps);
            for _ in 0..50 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            if let Some(store) = &lease
                && store.lease_holder().await.unwrap().is_none()
            {
                self.0.shelf().lease_lost += 1;
            }
        }
    }
}

/// As another process could that doesn't see our lock: takes the lease, and gives it back.
async fn steal((lock, store): (PathBuf, ConnectionStore)) {
    std::fs::remove_file(lock).unwrap();
    store
        .lease("thief", Duration::from_secs(1))
        .await
        .unwrap()
        .release()
        .await
        .unwrap();
}

struct NoQuestions;

#[async_trait]
impl Whole for NoQuestions {
    async fn ping(&self) -> Result<Identity, Fault> {
        Err(later())
    }

    async fn periods(&self) -> Result<Vec<Period>, Fault> {
        Ok(Vec::new())
    }
}

/// A bill of the platform that bills named `alike…` are taken for, unless it is linked already.
pub(crate) fn typed_in() -> RecordRef {
    RecordRef::new(Side::Platform, Kind::Bill, "typed in")
}

/// Copies bills, and has a rule for some names.
struct Copy;

impl Flow for Copy {
    fn name(&self) -> &'static str {
        "bills"
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[(Side::Ledger, Kind::Bill)]
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        &[(Side::Platform, Kind::Bill)]
    }

    fn needs(&self, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
        let mut needs = vec![
            Need::Links("bills", subject.record.clone()),
            Need::Record(credit()),
            Need::Record(typed_in()),
            Need::LinkedTo(typed_in()),
        ];
        let links = books.links_of("bills", subject.record);
        needs.extend(links.iter().map(|link| Need::Record(link.target.clone())));
        needs
    }

    fn decide(&self, subject: &Subject<'_>, books: &Books) -> Verdict {
        let rest = |state, code, cause: &str| Outcome::because(state, code, cause);
        let Document::Bill(bill) = &subject.observed.document else {
            panic!()
        };
        let id = subject.record.id.as_str();
        if id.starts_with("not before") && books.connection.today.year() < 2031 {
            return Verdict::Rest(rest(State::Hold, Code::new("closed-period"), "not yet"));
        }
        if id == "marked" && books.preferences.transactions.outside_payments {
            return Verdict::Rest(rest(State::Skipped, Code::new("zero"), "by preference"));
        }
        if id.starts_with("after")
            && books
                .record(&credit())
                .is_some_and(|credit| total(&credit.document) == "3")
        {
            let outcome = rest(State::Blocked, Code::new("vendor-archived"), "waits");
            return Verdict::Rest(outcome.until(WaitsFor::Link("notes".into(), credit())));
        }
        let key = books.connection.ledger_key(&subject.record.id);
        let step = |action, target, document, key| {
            Verdict::Write(Box::new(Step {
                side: Side::Platform,
                action,
                role: String::new(),
                target,
                document,
                expect: None,
                key,
                because: "it differs".to_owned(),
            }))
        };
        let wanted = Document::Bill(bill.clone());
        let Some(link) = books.link("bills", subject.record, "") else {
            if id.starts_with("alike")
                && books.record(&typed_in()).is_some()
                && books.links_to(&typed_in()).is_empty()
            {
                return Verdict::Adopt {
                    target: typed_in(),
                    role: String::new(),
                    how: "it looks the same",
                    key: None,
                };
            }
            if bill.total.is_zero() {
                return Verdict::Rest(rest(State::Skipped, Code::new("zero"), "nothing to pay"));
            }
            return step(Action::Create, None, wanted, key);
        };
        let there = books.record(&link.target).map(|seen| total(&seen.document));
        if there.as_deref() == Some(total(&wanted).as_str()) {
            return Verdict::Rest(Outcome::done());
        }
        let key = key.with(&total(&wanted).replace('.', ""));
        step(Action::Amend, Some(link.target.id.clone()), wanted, key)
    }
}

/// Looks at credits, and never does anything.
struct Notes;

impl Flow for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[(Side::Ledger, Kind::VendorCredit)]
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        &[]
    }

    fn needs(&self, _subject: &Subject<'_>, _books: &Books) -> Vec<Need> {
        Vec::new()
    }

    fn decide(&self, _subject: &Subject<'_>, _books: &Books) -> Verdict {
        Verdict::Rest(Outcome::done())
    }
}

/// Carries nothing; with it a connection begins in stages, as those of receivables do.
struct Invoices;

impl Flow for Invoices {
    fn name(&self) -> &'static str {
        "invoices"
    }

    fn population(&self) -> &'static [(Side, Kind)] {
        &[]
    }

    fn writes(&self) -> &'static [(Side, Kind)] {
        &[]
    }

    fn needs(&self, _subject: &Subject<'_>, _books: &Books) -> Vec<Need> {
        Vec::new()
    }

    fn decide(&self, _subject: &Subject<'_>, _books: &Books) -> Verdict {
        Verdict::Elsewhere
    }
}

pub(crate) struct Stage {
    pub(crate) connection: Connection,
    pub(crate) ledger: Arc<Memory>,
    pub(crate) platform: Arc<Memory>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) lock: PathBuf,
    runs: std::sync::atomic::AtomicU32,
    _folder: tempfile::TempDir,
}

fn ports(name: &'static str, memory: &Arc<Memory>, kinds: &[Kind]) -> Ports {
    let read = kinds.iter().map(|kind| {
        (
            *kind,
            Arc::new(Reader(Arc::clone(memory), *kind)) as Arc<dyn Read>,
        )
    });
    let writer: Arc<dyn Write> = Arc::new(Writer(Arc::clone(memory)));
    Ports {
        system: SystemId::new(name),
        whole: Arc::new(NoQuestions),
        read: read.collect(),
        write: BTreeMap::from([(Kind::Bill, writer)]),
        subledger: None,
        files: None,
        ways: Ways::NONE,
        in_flight_max: if name == "there" { 1 } else { 0 },
        key_prefix: name,
        account: "A".to_owned(),
        subsidiary: None,
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock::new());
        let database = folder.path().join("store.db");
        let url = format!("sqlite:{}", database.display());
        let store = Store::open(&url, Arc::clone(&clock) as Arc<dyn Clock>)
            .await
            .unwrap();
        let name: ConnectionName = "acme".parse().unwrap();
        let (ledger, platform) = (Memory::new(&clock), Memory::new(&clock));
        let connection = Connection {
            sides: Sides {
                ledger: ports("here", &ledger, &[Kind::Bill, Kind::VendorCredit]),
                platform: ports("there", &platform, &[Kind::Bill]),
            },
            flows: vec![Arc::new(Copy), Arc::new(Notes)],
            preferences: Preferences::default(),
            home_currency: Currency::USD,
            time_zone: TimeZone::UTC,
            store: store.connection(&name),
            holding: Arc::default(),
            timer: Arc::clone(&clock) as Arc<dyn Timer>,
            progress: Arc::new(Quiet),
            sent: Arc::new(BTreeMap::new),
            allowances: BTreeMap::new(),
            at_rest: Arc::new(|| Box::pin(std::future::ready(()))),
            actor: "test".to_owned(),
            holder: "test".to_owned(),
        };
        Self {
            connection,
            ledger,
            platform,
            clock,
            lock: folder.path().join("store.db.acme.lock"),
            runs: std::sync::atomic::AtomicU32::new(0),
            _folder: folder,
        }
    }

    /// One whose connection begins in stages.
    pub(crate) async fn in_stages() -> Self {
        let mut stage = Self::new().await;
        stage.connection.flows.push(Arc::new(Invoices));
        stage
    }

    pub(crate) async fn try_sync(&self) -> RunReport {
        self.try_sync_in_pages(600).await
    }

    /// A run that decides on so many records together.
    pub(crate) async fn try_sync_in_pages(&self, page: u32) -> RunReport {
        let number = self.runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let options = RunOptions {
            page,
            ..RunOptions::new(format!("run {number}"), "test")
        };
        tieout_engine::sync(&self.connection, options)
            .await
            .unwrap()
    }

    pub(crate) async fn sync(&self) {
        let report = self.try_sync().await;
        assert!(report.problems.is_empty(), "{:?}", report.problems);
    }

    /// The ledger's bills that the mirror shows as being there.
    pub(crate) async fn mirrored(&self) -> Vec<String> {
        let store = &self.connection.store;
        let page = store.records_page(Side::Ledger, Kind::Bill, None, 100);
        let there = page
            .await
            .unwrap()
            .into_iter()
            .filter(|record| !record.gone);
        there.map(|record| record.observed.id.to_string()).collect()
    }

    pub(crate) async fn item(&self, record: &RecordRef) -> Item {
        let one = std::slice::from_ref(record);
        self.connection
            .store
            .items("bills", one)
            .await
            .unwrap()
            .remove(record)
            .unwrap()
    }

    pub(crate) async fn state(&self, id: &str) -> String {
        self.item(&here(id)).await.outcome.to_string()
    }

    pub(crate) async fn link(&self, id: &str) -> Option<Link> {
        self.connection
            .store
            .links("bills", &[here(id)])
            .await
            .unwrap()
            .pop()
    }

    /// How many entries the history has.
    pub(crate) async fn history(&self) -> usize {
        self.connection
            .store
            .entries_after(0, 10_000)
            .await
            .unwrap()
            .len()
    }

    pub(crate) async fn intents(&self) -> usize {
        let entries = self
            .connection
            .store
            .entries_after(0, 10_000)
            .await
            .unwrap();
        entries
            .iter()
            .filter(|entry| matches!(entry.fact, Fact::Intended { .. }))
            .count()
    }
}

pub(crate) fn here(id: &str) -> RecordRef {
    RecordRef::new(Side::Ledger, Kind::Bill, id)
}

fn credit() -> RecordRef {
    RecordRef::new(Side::Ledger, Kind::VendorCredit, "c1")
}

pub(crate) fn total(document: &Document) -> String {
    document.amount().unwrap().amount.to_string()
}

pub(crate) fn bill(id: &str, total: &str) -> (String, Document) {
    bill_of(id, id, total)
}

/// A bill with a number that is not its id.
pub(crate) fn bill_of(id: &str, number: &str, total: &str) -> (String, Document) {
    let total: Amount = total.parse().unwrap();
    let bill = Bill {
        vendor: "7".into(),
        number: number.to_owned(),
        transaction_number: String::new(),
        date: "2026-06-01".parse().unwrap(),
        due: None,
        discount: None,
        currency: Currency::USD,
        exchange_rate: None,
        payables_account: None,
        subsidiary: None,
        period: None,
        lines: Vec::new(),
        total,
        open: total,
        scheduled: Amount::ZERO,
        status: BillStatus::Open,
        approval: Approval::Approved,
        memo: format!("for {id}"),
        purchase_order: String::new(),
        payment_hold: false,
        marker: None,
        external_id: None,
    };
    (id.to_owned(), Document::Bill(bill))
}

/// A credit that is applied to a bill.
pub(crate) fn credit_on(id: &str, bill: &str, amount: &str) -> (String, Document) {
    let amount: Amount = amount.parse().unwrap();
    let credit = VendorCredit {
        vendor: "7".into(),
        number: id.to_owned(),
        transaction_number: String::new(),
        date: "2026-06-02".parse().unwrap(),
        currency: Currency::USD,
        exchange_rate: None,
        payables_account: None,
        subsidiary: None,
        period: None,
        lines: Vec::new(),
        total: amount,
        open: Amount::ZERO,
        applications: vec![Application {
            document: bill.into(),
            line: None,
            amount,
            discount: Amount::ZERO,
            credits: Vec::new(),
        }],
        status: BillStatus::Open,
        approval: Approval::Approved,
        memo: String::new(),
        marker: None,
        external_id: None,
    };
    (id.to_owned(), Document::VendorCredit(credit))
}
