//! No check that can't fail: a sound world is broken in one place, and the check that is there for it complains.
//! Here those of whichever pair; those of the services' records lie in a module of the pair's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod history;
mod payables;
mod payouts;
mod receivables;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tieout_domain::code::Code;
use tieout_domain::document::{Account, AccountKind};
use tieout_domain::port::{Action, Order};
use tieout_domain::{
    Amount, Book, Clock, ConnectionName, Currency, Document, Key, Kind, Outcome, RecordRef, Side,
    State, Timestamp,
};
use tieout_engine::{Plan, PlannedStep, Problem, RunReport, RunStatus};
use tieout_flows::tie_out::{Check, Completeness, Leg, Method, Party, PeriodName, Report, Status};
use tieout_sim::check::{self, Items, Violation};
use tieout_sim::process::Lost;
use tieout_sim::walk::{self, Mishap};
use tieout_store::{Commit, Fact, Item, Stop, StopKind, Store};

/// What the store says of records that all came out so.
fn items<const N: usize>(of: [(&str, Side, Kind, &str); N], outcome: &Outcome) -> Items {
    of.into_iter()
        .map(|(flow, side, kind, id)| {
            let record = RecordRef::new(side, kind, id);
            let item = Item {
                flow: flow.to_owned(),
                record: record.clone(),
                outcome: outcome.clone(),
                label: String::new(),
                amount: None,
                since: jiff::Timestamp::UNIX_EPOCH,
                at: jiff::Timestamp::UNIX_EPOCH,
                seq: 1,
            };
            ((flow.to_owned(), record), item)
        })
        .collect()
}

/// The checks that complained, each once.
fn names(found: Vec<Violation>) -> Vec<&'static str> {
    let mut names: Vec<_> = found.into_iter().map(|it| it.check).collect();
    names.dedup();
    names
}

fn push(records: &mut Value, table: &str, record: Value) {
    records[table].as_array_mut().unwrap().push(record);
}

fn report() -> RunReport {
    RunReport {
        id: "01".to_owned(),
        connection: "acme".to_owned(),
        status: RunStatus::Done,
        flows: BTreeMap::new(),
        calls: BTreeMap::new(),
        allowances: BTreeMap::new(),
        seconds: 0.0,
        written: 0,
        joined: false,
        hindered: Vec::new(),
        problems: Vec::new(),
        initial: None,
        stopped: None,
    }
}

fn plan() -> Plan {
    Plan {
        connection: "acme".to_owned(),
        flows: vec!["bills".to_owned()],
        steps: Vec::new(),
        states: BTreeMap::new(),
        choices: Vec::new(),
        first_sync: Vec::new(),
        later: None,
        stops: Vec::new(),
        cost: None,
    }
}

#[test]
fn more_calls_at_once_than_may_be_are_found() {
    assert_eq!(check::at_once(3, 3), None);
    assert_eq!(check::at_once(4, 3).unwrap().check, "at-once");
}

#[test]
fn a_last_sync_that_writes_and_does_not_say_so_is_found() {
    let before = BTreeMap::from([("POST /v3/bills".to_owned(), 2)]);
    let mut after = before.clone();
    assert_eq!(
        names(check::wrote_nothing(&check::more(&before, &after))),
        Vec::<&str>::new()
    );
    after.insert("POST /v3/bills".to_owned(), 3);
    after.insert("PATCH /v3/bills/{id}".to_owned(), 1);
    let more = check::more(&before, &after);
    assert_eq!(more.len(), 2);
    assert_eq!(names(check::wrote_nothing(&more)), ["rest"]);
}

#[test]
fn what_is_still_declined_after_it_was_done_again_is_found() {
    let bill = [("bills", Side::Ledger, Kind::Bill, "1")];
    let blocked = |cause: &str| {
        let code = Code::new("refused-there");
        items(bill, &Outcome::because(State::Blocked, code, cause))
    };
    assert_eq!(check::replayed(&blocked("the vendor is inactive")), []);
    let declined = blocked("bill 1 was refused: BILL: creating a bill: Declined. (HTTP 400)");
    assert_eq!(names(check::replayed(&declined)), ["rest"]);
}

#[test]
fn what_a_walk_never_writes_is_found() {
    let of = |written| {
        let kind = |kind: &str| ("bill-payments".to_owned(), kind.to_owned());
        [(kind("payment"), true), (kind("vendor-credit"), written)].into()
    };
    assert_eq!(walk::unwritten(&of(true)), []);
    assert_eq!(names(walk::unwritten(&of(false))), ["walk"]);
}

#[test]
fn a_short_walk_has_mishaps_all_over_its_story() {
    let lengths = [(400, 30), (200, 5), (3, 0)];
    let whole = walk::mishaps(&lengths, 1);
    assert_eq!(whole.len(), 603 + 70);
    let short = walk::mishaps(&lengths, 120);
    let deaths = short.iter().filter_map(|it| match it {
        Mishap::Death(chapter, at, _) => Some((*chapter, *at)),
        _ => None,
    });
    assert_eq!(
        deaths.collect::<Vec<_>>(),
        [(0, 61), (0, 181), (0, 301), (1, 21), (1, 141)]
    );
    let lost = |how| {
        short
            .iter()
            .any(|it| matches!(it, Mishap::Lost(_, _, lost) if *lost == how))
    };
    assert!(lost(Lost::Before) && lost(Lost::After), "{short:?}");
}

#[test]
fn what_the_history_contradicts_is_seen() {
    assert_eq!(check::heard(0), None);
    let told = check::heard(1).unwrap();
    assert_eq!(told.check, "history");
}

#[test]
fn a_world_that_does_not_come_to_rest_is_found() {
    assert_eq!(check::quiet(&report(), &plan()), []);
    let mut writing = report();
    writing.written = 1;
    assert_eq!(check::quiet(&writing, &plan())[0].check, "rest");
    let mut problem = report();
    problem.problems.push(Problem {
        code: Code::new("maintenance"),
        cause: "closed".to_owned(),
        side_failed: true,
    });
    assert_eq!(check::quiet(&problem, &plan())[0].check, "rest");
    let stop = Stop {
        connection: None,
        kind: StopKind::Paused,
        reason: "look first".to_owned(),
        actor: "user:robin".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        seq: 1,
    };
    let mut stopped = plan();
    stopped.stops.push(stop);
    assert_eq!(check::quiet(&report(), &stopped)[0].check, "rest");
    let mut due = plan();
    due.steps.push(PlannedStep {
        flow: "bills".to_owned(),
        record: RecordRef::new(Side::Ledger, Kind::Bill, "2"),
        label: "INV-2".to_owned(),
        amount: String::new(),
        action: "create".to_owned(),
        side: Side::Platform,
        kind: Kind::Bill,
        target: String::new(),
        role: String::new(),
        key: "ns_1_2".to_owned(),
        because: "it is approved".to_owned(),
        fingerprint: String::new(),
    });
    assert_eq!(check::quiet(&report(), &due)[0].check, "rest");
}

fn tied() -> Report {
    let party = || Party {
        system: "netsuite".to_owned(),
        account: "1".to_owned(),
        part: String::new(),
    };
    let day = Timestamp::UNIX_EPOCH
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    Report {
        status: Status::Tied,
        reasons: Vec::new(),
        book: Book::Payables,
        connection: "acme".to_owned(),
        ledger: party(),
        platform: party(),
        accounts: Vec::new(),
        clearing: Vec::new(),
        currency: Currency::USD,
        period: PeriodName {
            id: "1".into(),
            name: "Jan 1970".to_owned(),
            start: day,
            end: day,
            state: "open".to_owned(),
        },
        day,
        method: Method::AsOfNow,
        made_at: Timestamp::UNIX_EPOCH,
        residuals: Leg::ALL.map(|leg| (leg, Amount::ZERO)).into(),
        legs: Vec::new(),
        items: Vec::new(),
        basis: Vec::new(),
        basis_difference: Amount::ZERO,
        advisories: Vec::new(),
        aging: Vec::new(),
        base: None,
        completeness: Completeness::default(),
        signatures: Vec::new(),
        notices: Vec::new(),
    }
}

#[test]
fn a_tie_out_that_does_not_close_or_is_not_whole_is_found() {
    assert_eq!(check::closes(&[tied(), tied()]), []);
    for leg in Leg::ALL {
        let mut off = tied();
        off.residuals.insert(leg, "0.01".parse().unwrap());
        assert_eq!(check::closes(&[tied(), off])[0].check, "tie-out");
    }
    let mut part = tied();
    part.completeness.checks.push(Check {
        what: "rows".to_owned(),
        expected: "2".to_owned(),
        found: "1".to_owned(),
        holds: false,
    });
    assert_eq!(check::closes(&[part])[0].check, "tie-out");
}

/// The machine's clock.
struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// What the checks of a store say, once these facts are in it and its file was changed by `break_file`.
async fn store_checks(
    facts: Vec<Fact>,
    break_file: impl FnOnce(&mut Vec<u8>),
) -> Vec<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tieout.db");
    let url = format!("sqlite:{}", path.display());
    let name: ConnectionName = "acme".parse().unwrap();
    let store = Store::open(&url, Arc::new(Wall)).await.unwrap();
    let commit = Commit {
        actor: "engine".to_owned(),
        facts,
        ..Commit::default()
    };
    store.connection(&name).commit(commit).await.unwrap();
    store.close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    break_file(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    let store = Store::open(&url, Arc::new(Wall)).await.unwrap();
    let connection = store.connection(&name);
    let items = check::items(&connection).await.unwrap();
    let found = check::store(&store, &connection, &items).await.unwrap();
    found.into_iter().map(|violation| violation.check).collect()
}

fn stated(outcome: Outcome) -> Fact {
    Fact::Stated {
        flow: "bills".to_owned(),
        record: RecordRef::new(Side::Ledger, Kind::Bill, "1"),
        outcome,
        label: "INV-1-as-it-was".to_owned(),
        amount: None,
    }
}

fn intended() -> Fact {
    Fact::Intended {
        flow: "bills".to_owned(),
        record: RecordRef::new(Side::Ledger, Kind::Bill, "1"),
        role: String::new(),
        order: Order {
            file: None,
            key: Key::of(["ns", "1", "1"]),
            action: Action::Create,
            target: None,
            document: Document::Account(Account {
                number: "6100".to_owned(),
                name: "Rent".to_owned(),
                path: "Rent".to_owned(),
                account_kind: AccountKind::Expense,
                parent: None,
                summary: false,
                inactive: false,
                subsidiaries: Vec::new(),
                description: String::new(),
            }),
            expect: None,
        },
        because: "it is approved".to_owned(),
    }
}

#[tokio::test]
async fn a_sound_store_gives_nothing_to_complain_of() {
    let found = store_checks(vec![stated(Outcome::done())], |_| ()).await;
    assert_eq!(found, Vec::<&str>::new());
}

#[tokio::test]
async fn a_write_that_is_left_open_is_found() {
    assert_eq!(store_checks(vec![intended()], |_| ()).await, ["open"]);
    let attempted = Fact::Attempted {
        writes: vec![1],
        there: None,
    };
    let unknown = Fact::Unknown {
        write: 1,
        cause: "no answer came".to_owned(),
    };
    let facts = vec![intended(), attempted, unknown];
    assert_eq!(store_checks(facts, |_| ()).await, ["open"]);
}

#[tokio::test]
async fn a_record_that_settles_for_ever_is_found() {
    let outcome = Outcome::because(State::Hold, Code::new("settling"), "not yet known");
    assert_eq!(store_checks(vec![stated(outcome)], |_| ()).await, ["open"]);
}

#[tokio::test]
async fn a_history_with_a_changed_byte_is_found() {
    let found = store_checks(vec![stated(Outcome::done())], |bytes| {
        let was = b"INV-1-as-it-was";
        let places: Vec<usize> = (0..bytes.len() - was.len())
            .filter(|place| bytes[*place..].starts_with(was))
            .collect();
        assert!(!places.is_empty());
        for place in places {
            bytes[place] = b'J';
        }
    })
    .await;
    assert!(found.contains(&"history"), "{found:?}");
}
