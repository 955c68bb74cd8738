//! A small world: two sides, links, maps and decisions, and a loop that looks and writes as a run does.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tieout_domain::code::Code;
use tieout_domain::document::*;
use tieout_domain::port::{Action, Observed, Ways};
use tieout_domain::{
    Amount, Currency, Date, Document, Kind, Outcome, Period, PeriodState, RecordRef, RemoteId,
    Side, State,
};
use tieout_flows::{
    Books, Connection, Decided, Flow, Link, Map, MapStatus, Maps, MarkedBill, Need, Preferences,
    Seen, Step, Subject, Verdict, matching, payables,
};

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn ledger(kind: Kind, id: &str) -> RecordRef {
    RecordRef::new(Side::Ledger, kind, id)
}

pub(crate) fn platform(kind: Kind, id: &str) -> RecordRef {
    RecordRef::new(Side::Platform, kind, id)
}

/// A person has understood the warning of this code.
pub(crate) fn accept(code: &str) -> Decided {
    Decided::Accept(vec![Code::from_text(code)])
}

pub(crate) struct World {
    pub(crate) connection: Connection,
    pub(crate) preferences: Preferences,
    pub(crate) maps: Maps,
    pub(crate) periods: Vec<Period>,
    pub(crate) records: BTreeMap<RecordRef, Seen>,
    pub(crate) links: Vec<Link>,
    pub(crate) decisions: HashMap<(String, RecordRef), Decided>,
    pub(crate) outcomes: BTreeMap<(String, RecordRef), Outcome>,
    pub(crate) writes: Vec<Step>,
    /// Whether the platform tells what of an invoice is paid, before all of it is.
    pub(crate) tells_balances: bool,
    /// What waits to be read again.
    pub(crate) outdated: BTreeSet<RecordRef>,
    /// Whether the links are being rebuilt, and whether another sync was at work before.
    pub(crate) recovering: bool,
    pub(crate) taking_over: bool,
    flows: Vec<Box<dyn Flow>>,
    last_id: u32,
}

impl World {
    /// A vendor, an expense account (mapped), a clearing account, open periods for 2026.
    pub(crate) fn new() -> Self {
        let mut world = Self::empty(payables(), "bill", "008org");
        world.preferences.transactions.payment_account = Some("1090".into());
        world.put(
            ledger(Kind::Account, "58"),
            account("6010", "Air", AccountKind::Expense),
        );
        world.put(
            platform(Kind::Account, "0ca58"),
            account("6010", "Air", AccountKind::Expense),
        );
        world.map(Kind::Account, "58", "0ca58");
        world.put(
            ledger(Kind::Account, "90"),
            account("1090", "Clearing", AccountKind::Bank),
        );
        world.put(
            ledger(Kind::Account, "20"),
            account("2000", "Payables", AccountKind::AccountsPayable),
        );
        world.put(ledger(Kind::Vendor, "12"), vendor("Acme Ltd"));
        world
    }

    /// Open periods for 2026, and nothing else.
    pub(crate) fn empty(
        flows: Vec<Box<dyn Flow>>,
        platform_prefix: &'static str,
        platform_account: &str,
    ) -> Self {
        Self {
            connection: Connection {
                ledger_prefix: "ns",
                ledger_account: "1234567_SB1".into(),
                platform_prefix,
                platform_account: platform_account.into(),
                subsidiary: Some("3".into()),
                home_currency: Currency::USD,
                today: day("2026-06-20"),
                ways: Ways::NONE,
                lacks: BTreeSet::new(),
            },
            preferences: Preferences::default(),
            maps: Maps::default(),
            periods: (1..=12).map(period).collect(),
            records: BTreeMap::new(),
            links: Vec::new(),
            decisions: HashMap::new(),
            outcomes: BTreeMap::new(),
            writes: Vec::new(),
            tells_balances: true,
            outdated: BTreeSet::new(),
            recovering: false,
            taking_over: false,
            flows,
            last_id: 900,
        }
    }

    pub(crate) fn put(&mut self, record: RecordRef, document: Document) {
        let seen = Seen {
            document,
            created: None,
            gone: false,
        };
        self.records.insert(record, seen);
    }

    pub(crate) fn delete(&mut self, record: &RecordRef) {
        self.records.get_mut(record).unwrap().gone = true;
    }

    pub(crate) fn map(&mut self, kind: Kind, from: &str, to: &str) {
        let map = Map {
            to: Some(to.into()),
            status: MapStatus::Confirmed,
        };
        self.maps.put(kind, from.into(), map);
    }

    pub(crate) fn link(&mut self, flow: &str, record: RecordRef, target: RecordRef) {
        self.links.push(Link {
            flow: flow.into(),
            record,
            role: String::new(),
            target,
            key: None,
            applied: None,
        });
    }

    pub(crate) fn decide(&mut self, flow: &str, record: RecordRef, decided: Decided) {
        self.decisions.insert((flow.into(), record), decided);
    }

    pub(crate) fn bill(&mut self, record: &RecordRef, change: impl FnOnce(&mut Bill)) {
        let Document::Bill(bill) = &mut self.records.get_mut(record).unwrap().document else {
            panic!()
        };
        change(bill);
    }

    pub(crate) fn vendor(&mut self, record: &RecordRef, change: impl FnOnce(&mut Vendor)) {
        let Document::Vendor(it) = &mut self.records.get_mut(record).unwrap().document else {
            panic!()
        };
        change(it);
    }

    pub(crate) fn account(&mut self, record: &RecordRef, change: impl FnOnce(&mut Account)) {
        let Document::Account(it) = &mut self.records.get_mut(record).unwrap().document else {
            panic!()
        };
        change(it);
    }

    pub(crate) fn credit(&mut self, record: &RecordRef, change: impl FnOnce(&mut VendorCredit)) {
        let Document::VendorCredit(it) = &mut self.records.get_mut(record).unwrap().document else {
            panic!()
        };
        change(it);
    }

    pub(crate) fn payment(&mut self, record: &RecordRef, change: impl FnOnce(&mut Payment)) {
        let Document::Payment(it) = &mut self.records.get_mut(record).unwrap().document else {
            panic!()
        };
        change(it);
    }

    pub(crate) fn at(&self, record: &RecordRef) -> &Document {
        &self.records[record].document
    }

    pub(crate) fn bill_at(&self, record: &RecordRef) -> &Bill {
        let Document::Bill(bill) = self.at(record) else {
            panic!("{record} is no bill")
        };
        bill
    }

    pub(crate) fn payment_at(&self, record: &RecordRef) -> &Payment {
        let Document::Payment(payment) = self.at(record) else {
            panic!("{record} is no payment")
        };
        payment
    }

    /// Where a flow has linked a record to.
    pub(crate) fn target(&self, flow: &str, record: &RecordRef) -> Option<RecordRef> {
        self.links
            .iter()
            .find(|l| l.flow == flow && l.record == *record)
            .map(|l| l.target.clone())
    }

    pub(crate) fn of(&self, side: Side, kind: Kind) -> Vec<RecordRef> {
        let here = |record: &&RecordRef| record.side == side && record.kind == kind;
        self.records.keys().filter(here).cloned().collect()
    }

    fn load(&self, flow: &dyn Flow, subject: &Subject<'_>) -> Books {
        let mut books = Books::new(
            self.connection.clone(),
            self.preferences.clone(),
            self.maps.clone(),
            self.periods.clone(),
        );
        books.recovering = self.recovering;
        books.taking_over = self.taking_over;
        for round in 0.. {
            assert!(round < 20, "needs never come to an end");
            let missing = books.missing(flow.needs(subject, &books));
            if missing.is_empty() {
                break;
            }
            for need in missing {
                self.answer(&need, &mut books);
                books.loaded.insert(need);
            }
        }
        books
    }

    fn answer(&self, need: &Need, books: &mut Books) {
        match need {
            Need::Record(record) => {
                if let Some(seen) = self.records.get(record) {
                    books.records.insert(record.clone(), seen.clone());
                }
            }
            Need::Links(flow, record) => {
                let links = self
                    .links
                    .iter()
                    .filter(|l| l.flow == *flow && l.record == *record);
                books
                    .links
                    .insert(((*flow).into(), record.clone()), links.cloned().collect());
            }
            Need::LinkedTo(target) => {
                let links = self.links.iter().filter(|link| link.target == *target);
                books
                    .linked_to
                    .insert(target.clone(), links.cloned().collect());
            }
            Need::Matching(side, kind, key) => {
                let found = self.records.iter().filter(|(record, seen)| {
                    record.side == *side
                        && record.kind == *kind
                        && matching::match_key(&seen.document) == *key
                });
                let found = found.map(|(record, _)| record.clone()).collect();
                books.matching.insert((*side, *kind, key.clone()), found);
            }
            Need::Marked(marker) => {
                let bears = |seen: &Seen| seen.document.marker() == Some(marker);
                let found = self.records.iter().filter(|(record, seen)| {
                    record.side == Side::Platform && !seen.gone && bears(seen)
                });
                for (record, seen) in found {
                    let marked = books.marked.entry(marker.clone()).or_default();
                    marked.push(record.clone());
                    books.records.insert(record.clone(), seen.clone());
                }
            }
            Need::Keyed(side, kind, key) => {
                let under = |seen: &Seen| match &seen.document {
                    Document::Payment(payment) => {
                        payment.external_id.as_ref() == Some(key)
                            || payment.outside && payment.reference == key.as_str()
                    }
                    other => other.external_id() == Some(key),
                };
                let found = self.records.iter().filter(|(record, seen)| {
                    record.side == *side && record.kind == *kind && !seen.gone && under(seen)
                });
                for (record, seen) in found {
                    let keyed = books.keyed.entry((*side, *kind, key.clone())).or_default();
                    keyed.push(record.clone());
                    books.records.insert(record.clone(), seen.clone());
                }
            }
            Need::MarkedBills(vendor) => {
                let bills = self.marked_bills().into_iter().filter(|bill| {
                    let of = match vendor.side {
                        Side::Ledger => &bill.ledger_vendor,
                        Side::Platform => &bill.platform_vendor,
                    };
                    *of == vendor.id
                });
                books.marked_bills.insert(vendor.clone(), bills.collect());
            }
            Need::Waiting(text) => {
                let waits = |outcome: &Outcome| {
                    outcome
                        .waits_for
                        .as_ref()
                        .is_some_and(|waits| waits.to_string() == *text)
                };
                if self.outcomes.values().any(waits) {
                    books.waiting.insert(text.clone());
                }
            }
            Need::Outdated(record) => {
                let outdated = self.outdated.get(record);
                books.outdated.extend(outdated.cloned());
            }
            Need::Decisions(flow, record) => {
                let key = ((*flow).to_owned(), record.clone());
                if let Some(decided) = self.decisions.get(&key) {
                    books.decisions.insert(key, decided.clone());
                }
            }
        }
    }

    /// Every document of the ledger whose mark is on the platform.
    fn marked_bills(&self) -> Vec<MarkedBill> {
        let mark = |document: &Document| match document {
            Document::Bill(bill) => bill.marker.clone(),
            Document::VendorCredit(credit) => credit.marker.clone(),
            _ => None,
        };
        let marked = self.records.iter().filter_map(|(record, seen)| {
            let marker = mark(&seen.document).filter(|_| record.side == Side::Platform)?;
            let kinds = [Kind::Bill, Kind::VendorCredit];
            let (origin, here) = kinds.into_iter().find_map(|kind| {
                let origin = ledger(kind, marker.id.as_str());
                Some((origin.clone(), self.records.get(&origin)?))
            })?;
            Some(MarkedBill {
                ledger_vendor: here.document.vendor()?.clone(),
                ledger: origin,
                platform_vendor: seen.document.vendor()?.clone(),
                platform: record.clone(),
                currency: seen.document.amount().map(|money| money.currency),
            })
        });
        marked.collect()
    }

    /// What a flow thinks of a record now.
    pub(crate) fn look(&self, flow: &str, record: &RecordRef) -> Verdict {
        let flow = self.flows.iter().find(|it| it.name() == flow).unwrap();
        let seen = &self.records[record];
        let observed = Observed {
            id: record.id.clone(),
            version: String::new(),
            created: None,
            document: seen.document.clone(),
        };
        let subject = Subject {
            record,
            observed: &observed,
            gone: seen.gone,
        };
        let books = self.load(flow.as_ref(), &subject);
        let verdict = flow.decide(&subject, &books);
        assert_eq!(
            verdict,
            flow.decide(&subject, &books),
            "a decision must be the same each time"
        );
        verdict
    }

    /// The outcome a flow gives a record, which must be at rest.
    pub(crate) fn rest(&self, flow: &str, record: &RecordRef) -> Outcome {
        match self.look(flow, record) {
            Verdict::Rest(outcome) => outcome,
            other => panic!("{record} is not at rest in {flow}: {other:?}"),
        }
    }

    /// The state and code, as people see it: `SKIPPED(zero)`.
    pub(crate) fn state(&self, flow: &str, record: &RecordRef) -> String {
        self.rest(flow, record).to_string()
    }

    /// Runs all flows over their populations until nothing is left to write.
    pub(crate) fn sync(&mut self) {
        for round in 0.. {
            assert!(
                round < 12,
                "it never comes to rest: {:#?}",
                self.writes.iter().rev().take(3).collect::<Vec<_>>()
            );
            if !self.round() {
                return;
            }
        }
    }

    fn round(&mut self) -> bool {
        let before = (self.writes.len(), self.links.len(), self.outcomes.clone());
        for at in 0..self.flows.len() {
            let name = self.flows[at].name();
            let population: BTreeSet<_> = self.flows[at].population().iter().copied().collect();
            let records: Vec<RecordRef> = self
                .records
                .keys()
                .filter(|r| population.contains(&(r.side, r.kind)))
                .cloned()
                .collect();
            for record in records {
                self.settle(name, &record);
            }
        }
        before != (self.writes.len(), self.links.len(), self.outcomes.clone())
    }

    fn settle(&mut self, flow: &str, record: &RecordRef) {
        for _ in 0..8 {
            let place = (flow.to_owned(), record.clone());
            match self.look(flow, record) {
                Verdict::Elsewhere => {
                    self.outcomes.remove(&place);
                    return;
                }
                Verdict::Rest(outcome) => {
                    if let Some(code) = &outcome.code {
                        assert!(code.page().is_some(), "{code} has no page");
                        assert!(!outcome.cause.is_empty(), "{code} has no cause");
                    }
                    self.outcomes.insert(place, outcome);
                    return;
                }
                Verdict::Adopt {
                    target, role, key, ..
                } => {
                    self.relink(Link {
                        flow: flow.into(),
                        record: record.clone(),
                        role,
                        target,
                        key,
                        applied: None,
                    });
                }
                Verdict::Write(step) => self.apply(flow, record, *step),
            }
        }
        panic!(
            "{record} never comes to rest in {flow}: {:?}",
            self.writes.last()
        );
    }

    fn relink(&mut self, link: Link) {
        self.links
            .retain(|l| (&l.flow, &l.record, &l.role) != (&link.flow, &link.record, &link.role));
        self.links.push(link);
    }

    /// Carries out a step as the two systems would.
    pub(crate) fn apply(&mut self, flow: &str, record: &RecordRef, step: Step) {
        let kind = step.document.kind();
        let target = RecordRef {
            side: step.side,
            kind,
            id: step.target.clone().unwrap_or_else(|| {
                self.last_id += 1;
                RemoteId::new(self.last_id.to_string())
            }),
        };
        balanced(&step.document);
        if step.action != Action::Create {
            assert_eq!(
                step.expect.as_ref(),
                Some(self.at(&target)),
                "an amendment tells what it saw"
            );
        } else {
            assert!(
                self.writes.iter().all(|it| it.key != step.key),
                "{} is made twice",
                step.key
            );
        }
        let before = self.records.get(&target).map(|seen| seen.document.clone());
        let mut document = step.document.clone();
        match (&mut document, step.action) {
            (Document::Vendor(it), Action::Archive | Action::Restore) => {
                it.inactive = step.action == Action::Archive;
            }
            (Document::Bill(it), Action::Archive) => it.status = BillStatus::Archived,
            (Document::Bill(it), Action::Amend) => {
                if let Some(Document::Bill(old)) = &before {
                    it.open = [old.open, it.total, -old.total].into_iter().sum();
                }
            }
            (Document::Bill(it), Action::Restore) => it.status = BillStatus::Open,
            (Document::VendorCredit(it), Action::Archive) => it.status = BillStatus::Archived,
            (Document::Payment(it), Action::Void) => it.status = PaymentStatus::Voided,
            (Document::Invoice(it), Action::Void) => it.status = InvoiceStatus::Voided,
            // Archiving is the only way there.
            (Document::Invoice(it), Action::Archive) if !self.connection.ways.credit_notes => {
                it.status = InvoiceStatus::Voided;
            }
            (Document::Invoice(it), Action::Archive) => it.status = InvoiceStatus::WrittenOff,
            (Document::CreditMemo(it), Action::Void) => it.status = InvoiceStatus::Voided,
            (Document::CustomerPayment(it), Action::Void) => it.status = ReceiptStatus::Voided,
            (Document::Journal(it), _) => {
                (0..)
                    .zip(&mut it.lines)
                    .for_each(|(at, line)| line.line = Some(at));
            }
            _ => {}
        }
        if let Some(Document::Payment(old)) = &before {
            self.pay(step.side, old, false);
        }
        if let Document::Payment(new) = &document
            && step.action != Action::Void
        {
            self.pay(step.side, &new.clone(), true);
        }
        if step.side == Side::Ledger
            && let Document::CustomerPayment(payment) = &mut document
        {
            self.use_credits(payment, step.action);
        }
        let deposited = match &document {
            Document::Deposit(deposit) => deposit.payments.clone(),
            _ => Vec::new(),
        };
        for it in deposited {
            let payment = ledger(Kind::CustomerPayment, it.payment.as_str());
            self.receipt(&payment, |payment| {
                assert_eq!(payment.status, ReceiptStatus::Received, "deposited twice");
                payment.status = ReceiptStatus::Deposited;
            });
        }
        self.put(target.clone(), document);
        let ways = self.connection.ways;
        if step.action == Action::Void && kind == Kind::CustomerPayment && !ways.credit_notes {
            self.delete(&target);
        }
        self.settle_receivables();
        if flow == "accounts" || flow == "dimensions" {
            self.map(kind, record.id.as_str(), target.id.as_str());
        }
        self.relink(Link {
            flow: flow.into(),
            record: record.clone(),
            role: step.role.clone(),
            target,
            key: Some(step.key.clone()),
            applied: Some(step.document.clone()),
        });
        self.writes.push(step);
    }

    /// Takes what a payment applies off its bills and credits, or gives it back.
    pub(crate) fn pay(&mut self, side: Side, payment: &Payment, on: bool) {
        for application in &payment.applications {
            let used: Amount = application.credits.iter().map(|it| it.amount).sum();
            let all: Amount = [application.amount, application.discount, used]
                .into_iter()
                .sum();
            let bill = RecordRef::new(side, Kind::Bill, application.document.clone());
            if let Some(Seen {
                document: Document::Bill(bill),
                ..
            }) = self.records.get_mut(&bill)
            {
                bill.open = bill.open.plus(if on { -all } else { all }).unwrap();
                bill.status = if bill.open.is_zero() {
                    BillStatus::Paid
                } else {
                    BillStatus::Open
                };
            }
            for it in &application.credits {
                let credit = RecordRef::new(side, Kind::VendorCredit, it.credit.clone());
                if let Some(Seen {
                    document: Document::VendorCredit(credit),
                    ..
                }) = self.records.get_mut(&credit)
                {
                    credit.open = credit
                        .open
                        .plus(if on { -it.amount } else { it.amount })
                        .unwrap();
                }
            }
        }
    }

    /// Somebody pays on the platform: the bills there are paid, and the payment is there to be read.
    pub(crate) fn pays(&mut self, id: &str, payment: Payment) -> RecordRef {
        self.pay(Side::Platform, &payment, true);
        let record = platform(Kind::Payment, id);
        self.put(record.clone(), Document::Payment(payment));
        record
    }

    /// Books a bill, sends it, and returns it with its counterpart.
    pub(crate) fn sent(&mut self, id: &str, number: &str, total: &str) -> (RecordRef, RecordRef) {
        let record = ledger(Kind::Bill, id);
        self.put(record.clone(), bill(number, total));
        self.sync();
        let there = self
            .target("bills", &record)
            .unwrap_or_else(|| panic!("{:?}", self.outcomes));
        (record, there)
    }

    /// How many records were made on a side.
    pub(crate) fn made(&self, side: Side, kind: Kind) -> usize {
        let made = |step: &&Step| {
            step.side == side && step.action == Action::Create && step.document.kind() == kind
        };
        self.writes.iter().filter(made).count()
    }

    pub(crate) fn count(&self, state: State) -> usize {
        self.outcomes
            .values()
            .filter(|outcome| outcome.state == state)
            .count()
    }
}

/// Nothing that doesn't add up is ever written.
fn balanced(document: &Document) {
    match document {
        Document::Bill(bill) => {
            assert_eq!(
                Amount::total(bill.lines.iter().map(|l| l.amount)).unwrap(),
                bill.total
            );
            assert!(!bill.total.is_negative());
        }
        Document::VendorCredit(it) => {
            assert_eq!(
                Amount::total(it.lines.iter().map(|l| l.amount)).unwrap(),
                it.total
            );
        }
        Document::Payment(it) => {
            assert_eq!(
                Amount::total(it.applications.iter().map(|a| a.amount)).unwrap(),
                it.total
            );
        }
        Document::Journal(it) => {
            let debit = Amount::total(it.lines.iter().map(|l| l.debit)).unwrap();
            assert_eq!(
                debit,
                Amount::total(it.lines.iter().map(|l| l.credit)).unwrap()
            );
        }
        Document::Invoice(it) => {
            let lines = Amount::total(it.lines.iter().map(|l| l.amount));
            assert_eq!(lines.unwrap(), it.total);
        }
        Document::Deposit(it) => {
            let payments = it.payments.iter().map(|payment| payment.amount);
            let lines = it.lines.iter().map(|line| line.amount);
            assert_eq!(Amount::total(payments.chain(lines)).unwrap(), it.total);
            assert!(!it.total.is_negative());
        }
        Document::CustomerPayment(it) => {
            let cash = it.uses.iter().filter(|part| part.of.is_cash());
            let cash: Amount = cash.map(|part| part.amount).sum();
            assert!(!it.unapplied.is_negative());
            assert_eq!(cash.plus(it.unapplied).unwrap(), it.total);
        }
        _ => {}
    }
}

fn period(month: i8) -> Period {
    let start = Date::new(2026, month, 1).unwrap();
    Period {
        id: RemoteId::new(format!("p{month}")),
        name: format!("2026-{month:02}"),
        start,
        end: start.last_of_month(),
        payables: PeriodState::Open,
        receivables: PeriodState::Open,
        non_ledger_changes: false,
    }
}

pub(crate) fn account(number: &str, name: &str, account_kind: AccountKind) -> Document {
    Document::Account(Account {
        number: number.into(),
        name: name.into(),
        path: name.into(),
        account_kind,
        parent: None,
        summary: false,
        inactive: false,
        subsidiaries: Vec::new(),
        description: String::new(),
    })
}

pub(crate) fn vendor(name: &str) -> Document {
    Document::Vendor(Vendor {
        name: name.into(),
        number: "V-12".into(),
        person: None,
        payee: None,
        email: "ap@acme.example".into(),
        phone: String::new(),
        address: Some(Address {
            line1: "1 Main St".into(),
            city: "Springfield".into(),
            zip: "01101".into(),
            country: "US".into(),
            ..Address::default()
        }),
        account_number: "A-77".into(),
        currency: Some(Currency::USD),
        tax_id_last4: "1234".into(),
        form_1099: false,
        subsidiaries: vec!["3".into()],
        category: String::new(),
        inactive: false,
        login_access: false,
        self_managed: false,
        payable_electronically: false,
    })
}

pub(crate) fn line(amount_text: &str) -> Line {
    Line {
        id: None,
        line_kind: LineKind::Expense,
        account: Some("58".into()),
        amount: amount(amount_text),
        memo: String::new(),
        department: None,
        class: None,
        location: None,
    }
}

/// An approved bill of vendor 12 in the ledger.
pub(crate) fn bill(number: &str, total: &str) -> Document {
    Document::Bill(Bill {
        vendor: "12".into(),
        number: number.into(),
        transaction_number: "VB1".into(),
        date: day("2026-06-01"),
        due: Some(day("2026-07-01")),
        discount: None,
        currency: Currency::USD,
        exchange_rate: None,
        payables_account: Some("20".into()),
        subsidiary: Some("3".into()),
        period: Some("p6".into()),
        lines: vec![line(total)],
        total: amount(total),
        open: amount(total),
        scheduled: Amount::ZERO,
        status: BillStatus::Open,
        approval: Approval::Approved,
        memo: "Office".into(),
        purchase_order: String::new(),
        payment_hold: false,
        marker: None,
        external_id: None,
    })
}

/// A bill as somebody typed it on the platform.
pub(crate) fn typed(vendor: &str, number: &str, total: &str) -> Document {
    let Document::Bill(it) = bill(number, total) else {
        unreachable!()
    };
    Document::Bill(Bill {
        vendor: vendor.into(),
        lines: vec![Line {
            account: Some("0ca58".into()),
            ..line(total)
        }],
        exchange_rate: None,
        payables_account: None,
        subsidiary: None,
        period: None,
        approval: Approval::Unassigned,
        ..it
    })
}

pub(crate) fn vendor_credit(number: &str, total: &str) -> Document {
    Document::VendorCredit(VendorCredit {
        vendor: "12".into(),
        number: number.into(),
        transaction_number: String::new(),
        date: day("2026-06-02"),
        currency: Currency::USD,
        exchange_rate: None,
        payables_account: Some("20".into()),
        subsidiary: Some("3".into()),
        period: None,
        lines: vec![line(total)],
        total: amount(total),
        open: amount(total),
        applications: Vec::new(),
        status: BillStatus::Open,
        approval: Approval::Approved,
        memo: String::new(),
        marker: None,
        external_id: None,
    })
}

/// A processed ACH payment of the platform for these bills.
pub(crate) fn payment(paid: &[(&RecordRef, &str)]) -> Payment {
    let applications: Vec<_> = paid
        .iter()
        .map(|(bill, text)| Application {
            document: bill.id.clone(),
            line: None,
            amount: amount(text),
            discount: Amount::ZERO,
            credits: Vec::new(),
        })
        .collect();
    Payment {
        vendor: "009".into(),
        number: String::new(),
        date: day("2026-06-10"),
        currency: Currency::USD,
        total: applications.iter().map(|a| a.amount).sum(),
        funded: None,
        applications,
        method: Method::Ach,
        status: PaymentStatus::Processed,
        outside: false,
        reference: String::new(),
        funding: Some(Funding {
            funding_kind: "BANK_ACCOUNT".into(),
            id: "bac1".into(),
        }),
        check_number: String::new(),
        confirmation: "C-1".into(),
        card_last4: String::new(),
        cleared: None,
        void: None,
        account: None,
        payables_account: None,
        subsidiary: None,
        period: None,
        department: None,
        class: None,
        location: None,
        memo: String::new(),
        posted: true,
        external_id: None,
    }
}

/// A check that somebody entered in the ledger by hand.
pub(crate) fn ledger_check(paid: &[(&RecordRef, &str)]) -> Payment {
    Payment {
        vendor: "12".into(),
        number: "1001".into(),
        check_number: "1001".into(),
        method: Method::Check,
        funding: None,
        confirmation: String::new(),
        account: Some("90".into()),
        payables_account: Some("20".into()),
        subsidiary: Some("3".into()),
        ..payment(paid)
    }
}
