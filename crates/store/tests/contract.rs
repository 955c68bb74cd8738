//! What the store promises, told against [`Store`] alone and run on SQLite and, where `TIEOUT_TEST_POSTGRES`
//! names a server (`postgres://user@host/postgres`), on PostgreSQL.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tieout_domain::code::Code;
use tieout_domain::document::{Account, AccountKind, Approval, Bill, BillStatus, Vendor};
use tieout_domain::port::{Action, Mark, Observed, Order};
use tieout_domain::{
    Amount, Clock, ConnectionName, Currency, Document, Key, Kind, Money, Outcome, RemoteId, Side,
    State, Timestamp, WaitsFor,
};
use tieout_store::{
    Answered, ApprovalDecision, Commit, ConnectionStore, Due, Earlier, EntryFilter, Fact, Heard,
    HintsSeen, ItemFilter, KeySource, Letter, MapStatus, NewHint, RecordChange, RecordRef, Role,
    RunId, Seams, Settled, StopKind, Store, StoreError, UserChange, Vault, WriteStatus,
};

#[path = "contract/across.rs"]
mod across;
#[path = "contract/database.rs"]
mod database;
#[path = "contract/delete.rs"]
mod delete;
#[path = "contract/nodes.rs"]
mod nodes;
#[path = "contract/people.rs"]
mod people;

use across::{
    many_connections_answer_as_each_of_them, of_many_connections_those_asked_for_answer,
    what_is_new_is_told_of_all_chains_at_once,
};
use database::{
    a_copy_has_all_of_it_and_is_one_only_at_its_end,
    two_that_open_a_new_store_with_other_keys_don_t_both_have_it,
    writers_of_all_sorts_at_once_wait_for_each_other_and_never_in_a_circle,
};
use delete::{
    a_connection_that_is_deleted_leaves_nothing_but_the_proof,
    every_table_that_names_a_connection_is_deleted_from,
    nothing_is_deleted_under_the_hands_of_a_run, who_is_limited_to_tenants_is_told_by_the_history,
};
use nodes::{
    a_tick_was_kept_only_by_a_run_that_included_its_work, an_hour_s_calls_are_taken_in_portions,
    nodes_are_known_by_name_and_drained, s215_slots_are_shared_out_and_never_more_than_there_are,
    s221_a_lease_goes_by_the_database_s_clock,
    s224_of_many_who_ask_for_the_first_lease_at_once_one_has_it,
    slots_of_a_process_that_died_are_free, what_is_due_is_done_by_one_node,
};

use people::{
    a_password_is_kept_as_a_hash_alone, a_session_ends_by_itself,
    a_session_ends_with_what_it_rests_on, a_sign_in_that_was_begun_elsewhere_ends_once,
    a_token_is_good_while_its_owner_is, failed_sign_ins_wait_longer_each_time,
    s247_who_was_removed_is_erased_and_the_chain_holds,
    somebody_with_a_last_day_is_a_user_until_then, the_last_admin_stays,
    users_are_told_by_the_history, what_leaves_no_entry_is_remembered_by_its_moment,
    who_asks_does_not_approve,
};

/// A clock that the test moves.
struct TestClock(AtomicI64);

impl TestClock {
    fn advance(&self, by: Duration) {
        self.0
            .fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        // Each look at it is a little later than the one before.
        Timestamp::from_microsecond(self.0.fetch_add(7, Ordering::Relaxed)).unwrap()
    }
}

/// A fresh database of one kind.
struct Bed {
    url: String,
    clock: Arc<TestClock>,
    /// PostgreSQL: the server's own database, and the name of ours.
    server: Option<(String, String)>,
    folder: tempfile::TempDir,
}

impl Bed {
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("a store.db").display());
        Self {
            url,
            clock: clock(),
            server: None,
            folder,
        }
    }

    async fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var("TIEOUT_TEST_POSTGRES") else {
            eprintln!("skipped: TIEOUT_TEST_POSTGRES is not set");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tieout_test_{}_{number}", std::process::id());
        run(&server, &format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        let url = format!("{base}/{name}");
        let folder = tempfile::tempdir().unwrap();
        Some(Self {
            url,
            clock: clock(),
            server: Some((server, name)),
            folder,
        })
    }

    async fn store(&self) -> Store {
        let seams = Seams {
            own_time: true,
            ..Seams::of(Arc::clone(&self.clock) as Arc<dyn Clock>)
        };
        Store::open_among(&self.url, seams).await.unwrap()
    }

    /// Behind the store's back.
    async fn run(&self, text: &str) -> Result<u64, sqlx::Error> {
        run(&self.url, text).await
    }

    /// The first column of what a question finds, behind the store's back.
    async fn texts(&self, question: &str) -> Vec<String> {
        let url = self.url.replace("sqlite:", "sqlite://").replace(' ', "%20");
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        let rows = sqlx::query(AssertSqlSafe(question.to_owned()))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        rows.iter().map(|row| sqlx::Row::get(row, 0)).collect()
    }

    /// Lets the history be changed, as whoever owns the file can.
    async fn lift_guard(&self) {
        self.lift_guard_of("entries").await;
    }

    async fn lift_guard_of(&self, table: &str) {
        let text = if self.server.is_some() {
            format!(
                "DROP TRIGGER {table}_append_only ON {table}; DROP TRIGGER {table}_no_removal ON {table}"
            )
        } else {
            format!("DROP TRIGGER {table}_no_UPDATE; DROP TRIGGER {table}_no_DELETE")
        };
        self.run(&text).await.unwrap();
    }

    async fn end(self, store: Store) {
        store.close().await;
        if let Some((server, name)) = &self.server {
            run(server, &format!("DROP DATABASE {name} WITH (FORCE)"))
                .await
                .unwrap();
        }
    }
}

async fn run(url: &str, text: &str) -> Result<u64, sqlx::Error> {
    sqlx::any::install_default_drivers();
    let url = url.replace("sqlite:", "sqlite://").replace(' ', "%20");
    let mut connection = AnyConnection::connect(&url).await?;
    let done = sqlx::raw_sql(AssertSqlSafe(text.to_owned()))
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(done.rows_affected())
}

fn clock() -> Arc<TestClock> {
    Arc::new(TestClock(AtomicI64::new(1_780_000_000_000_000)))
}

macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let bed = super::Bed::sqlite().await;
                let store = bed.store().await;
                super::$name(&bed, &store).await;
                bed.end(store).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                let Some(bed) = super::Bed::postgres().await else { return };
                let store = bed.store().await;
                super::$name(&bed, &store).await;
                bed.end(store).await;
            })*
        }
    };
}

contract! {
    every_statement_is_understood,
    users_are_told_by_the_history,
    the_last_admin_stays,
    a_password_is_kept_as_a_hash_alone,
    a_session_ends_by_itself,
    a_session_ends_with_what_it_rests_on,
    a_token_is_good_while_its_owner_is,
    failed_sign_ins_wait_longer_each_time,
    who_asks_does_not_approve,
    entries_are_numbered_without_gaps_and_read_back,
    commits_at_the_same_time_take_turns,
    a_write_goes_from_intent_to_link,
    the_outcome_of_a_closed_write_is_refused_as_a_whole,
    s224_a_commit_under_an_old_fence_is_refused,
    a_lease_is_held_until_it_is_given_back,
    links_and_maps_wake_what_waits_for_them,
    what_is_settled_stays_settled_unless_it_is_due_again,
    what_was_made_due_while_it_was_looked_at_stays_due,
    what_is_held_for_nothing_in_particular_is_looked_at_again,
    a_change_wakes_what_waits_for_it,
    what_is_remembered_is_the_last_that_was_said,
    a_hint_is_kept_once_and_waits_until_a_run_has_looked,
    the_mirror_shows_each_record_as_last_seen,
    records_are_found_by_what_people_call_them,
    totals_are_exact,
    items_are_filtered_and_paged,
    exceptions_are_grouped_by_cause,
    many_connections_answer_as_each_of_them,
    of_many_connections_those_asked_for_answer,
    what_is_new_is_told_of_all_chains_at_once,
    decisions_are_kept_and_taken_back,
    runs_are_told_with_their_facts,
    the_history_is_looked_through_from_its_newest_end,
    a_record_s_history_has_its_links_and_attempts,
    the_history_can_be_neither_changed_nor_deleted,
    one_flipped_byte_is_named,
    a_missing_entry_is_named,
    a_chain_is_exported_page_by_page_as_it_was_hashed,
    a_changed_state_is_named,
    a_changed_personal_value_is_named,
    s247_personal_values_are_erased_and_the_chain_holds,
    s239_no_attempt_is_journaled_while_remote_writes_are_stopped,
    the_first_reason_to_stop_counts_until_it_is_lifted,
    a_stop_that_was_lifted_behind_the_history_is_named,
    s225_a_history_that_is_shorter_than_its_witness_tells_is_noticed,
    a_backup_is_a_whole_store_of_its_own,
    marks_and_keys_lead_to_their_records,
    what_was_signed_is_kept_word_for_word,
    a_newer_schema_is_refused,
    credentials_open_with_their_key_alone,
    what_is_kept_expires,
    the_key_is_rotated_as_a_whole,
    an_allowance_is_counted_over_all_processes,
    turns_are_spaced_over_all_processes,
    s215_slots_are_shared_out_and_never_more_than_there_are,
    slots_of_a_process_that_died_are_free,
    an_hour_s_calls_are_taken_in_portions,
    what_is_due_is_done_by_one_node,
    a_tick_was_kept_only_by_a_run_that_included_its_work,
    nodes_are_known_by_name_and_drained,
    s221_a_lease_goes_by_the_database_s_clock,
    s224_of_many_who_ask_for_the_first_lease_at_once_one_has_it,
    a_letter_is_put_in_once_and_taken_by_one,
    a_key_is_taken_once_and_its_answer_given_again,
    somebody_with_a_last_day_is_a_user_until_then,
    s247_who_was_removed_is_erased_and_the_chain_holds,
    a_sign_in_that_was_begun_elsewhere_ends_once,
    what_leaves_no_entry_is_remembered_by_its_moment,
    a_connection_that_is_deleted_leaves_nothing_but_the_proof,
    every_table_that_names_a_connection_is_deleted_from,
    nothing_is_deleted_under_the_hands_of_a_run,
    who_is_limited_to_tenants_is_told_by_the_history,
    any_sequence_of_facts_folds_alike_again,
    writers_of_all_sorts_at_once_wait_for_each_other_and_never_in_a_circle,
    two_that_open_a_new_store_with_other_keys_don_t_both_have_it,
    a_copy_has_all_of_it_and_is_one_only_at_its_end,
}

async fn a_letter_is_put_in_once_and_taken_by_one(bed: &Bed, store: &Store) {
    let letter = |name: &str| Letter {
        name: name.to_owned(),
        way: "mail".to_owned(),
        target: "ap@example.com".to_owned(),
        body: "robin".to_owned(),
    };
    let heard = |seq, open: &[&str]| Heard {
        seq,
        open: open.iter().map(|one| (*one).to_owned()).collect(),
    };
    let (first, second) = (heard(0, &[]), heard(7, &["a"]));
    assert_eq!(store.heard("acme-us").await.unwrap(), None);
    assert!(store.hear("acme-us", None, &first, &[]).await.unwrap());
    assert!(
        !store
            .hear("acme-us", None, &second, &[letter("lost")])
            .await
            .unwrap()
    );
    let both = [letter("one"), letter("two")];
    assert!(
        store
            .hear("acme-us", Some(&first), &second, &both)
            .await
            .unwrap()
    );
    assert!(
        !store
            .hear("acme-us", Some(&first), &second, &[letter("lost")])
            .await
            .unwrap()
    );
    assert_eq!(store.heard("acme-us").await.unwrap(), Some(second));
    store
        .put_letters(&[letter("one"), letter("three")])
        .await
        .unwrap();

    let until = || bed.clock.now() + Duration::from_secs(60);
    let taken = store.take_letters(2, until()).await.unwrap();
    assert_eq!(taken.len(), 2);
    assert_eq!((taken[0].letter.name.as_str(), taken[0].tries), ("one", 1));
    let rest = store.take_letters(9, until()).await.unwrap();
    assert_eq!(rest.len(), 1, "nobody takes what is in another's hands");
    store.letter_sent("one").await.unwrap();
    store
        .letter_failed("two", None, "no such mailbox")
        .await
        .unwrap();
    let counts = store.letters().await.unwrap();
    assert_eq!((counts.waiting, counts.given_up), (1, 1));
    // Who took the third one died with it, and the first was put in once and for all.
    bed.clock.advance(Duration::from_secs(61));
    store.put_letters(&[letter("one")]).await.unwrap();
    let again = store.take_letters(9, until()).await.unwrap();
    assert_eq!(
        (again[0].letter.name.as_str(), again[0].tries),
        ("three", 2)
    );
    assert_eq!(again.len(), 1);
    assert!(store.bytes().await.unwrap() > 0);
}

async fn a_key_is_taken_once_and_its_answer_given_again(bed: &Bed, store: &Store) {
    let begun =
        async |who: &str, request: &str| store.answer_begun(who, "k", request).await.unwrap();
    assert_eq!(begun("ann", "one").await, Earlier::None);
    assert_eq!(begun("ann", "one").await, Earlier::Running);
    assert_eq!(begun("bob", "one").await, Earlier::None);
    let answer = Answered {
        status: 201,
        kind: "application/json".to_owned(),
        body: "{}".to_owned(),
    };
    store.answer_given("ann", "k", &answer).await.unwrap();
    assert_eq!(begun("ann", "one").await, Earlier::Answered(answer));
    assert_eq!(begun("ann", "two").await, Earlier::Other);
    store.answer_failed("bob", "k").await.unwrap();
    assert_eq!(begun("bob", "two").await, Earlier::None);
    // Who died at work gives the key up after a while, and a day later no answer is kept.
    bed.clock.0.fetch_add(601_000_000, Ordering::Relaxed);
    assert_eq!(begun("bob", "three").await, Earlier::None);
    bed.clock.0.fetch_add(86_400_000_000, Ordering::Relaxed);
    assert_eq!(begun("ann", "two").await, Earlier::None);
}

fn name() -> ConnectionName {
    "acme-us".parse().unwrap()
}

fn record(kind: Kind, id: &str) -> RecordRef {
    RecordRef::new(Side::Ledger, kind, id)
}

fn vendor_ref(id: &str) -> RecordRef {
    record(Kind::Vendor, id)
}

fn bill_ref(id: &str) -> RecordRef {
    record(Kind::Bill, id)
}

fn usd(text: &str) -> Money {
    text.parse::<Amount>().unwrap().of(Currency::USD)
}

fn vendor(name: &str) -> Document {
    Document::Vendor(Vendor {
        name: name.to_owned(),
        number: "V-17".to_owned(),
        person: Some(("Robin".to_owned(), "Sparrow".to_owned())),
        payee: None,
        email: "robin@example.com".to_owned(),
        phone: "555-0100".to_owned(),
        address: None,
        account_number: "4711".to_owned(),
        currency: Some(Currency::USD),
        tax_id_last4: "1234".to_owned(),
        form_1099: true,
        subsidiaries: Vec::new(),
        category: String::new(),
        inactive: false,
        login_access: false,
        self_managed: false,
        payable_electronically: false,
    })
}

fn bill(number: &str, total: &str, open: &str) -> Document {
    Document::Bill(Bill {
        vendor: "7".into(),
        number: number.to_owned(),
        transaction_number: format!("VENDBILL{number}"),
        date: "2026-06-01".parse().unwrap(),
        due: None,
        discount: None,
        currency: Currency::USD,
        exchange_rate: None,
        payables_account: None,
        subsidiary: None,
        period: None,
        lines: Vec::new(),
        total: total.parse().unwrap(),
        open: open.parse().unwrap(),
        scheduled: Amount::ZERO,
        status: BillStatus::Open,
        approval: Approval::Approved,
        memo: "for June".to_owned(),
        purchase_order: String::new(),
        payment_hold: false,
        marker: None,
        external_id: Some(Key::of(["bill", number])),
    })
}

fn order(document: Document) -> Order {
    let key = Key::of(["ns", "1", "2"]);
    Order {
        key,
        action: Action::Create,
        target: None,
        document,
        expect: None,
        file: None,
    }
}

fn intended(id: &str) -> Fact {
    Fact::Intended {
        flow: "bills".to_owned(),
        record: bill_ref(id),
        role: "bill".to_owned(),
        order: order(bill(id, "10.00", "10.00")),
        because: format!("bill {id} is approved"),
    }
}

fn stated(id: &str, outcome: Outcome) -> Fact {
    Fact::Stated {
        flow: "bills".to_owned(),
        record: bill_ref(id),
        outcome,
        label: format!("INV-{id}"),
        amount: Some(usd("10.10")),
    }
}

fn linked(flow: &str, from: RecordRef, to: RecordRef) -> Fact {
    Fact::Linked {
        flow: flow.to_owned(),
        record: from,
        role: "main".to_owned(),
        target: to,
        key: None,
        how: "match".to_owned(),
        applied: Some(vendor("Sparrow Plumbing")),
    }
}

fn looked_at(id: &str, stamp: u64) -> Settled {
    Settled {
        due: Due {
            flow: "bills".to_owned(),
            record: bill_ref(id),
        },
        stamp,
    }
}

fn facts(facts: Vec<Fact>) -> Commit {
    Commit {
        actor: "engine".to_owned(),
        facts,
        ..Commit::default()
    }
}

fn seen(side: Side, id: &str, document: Document, match_key: &str) -> RecordChange {
    RecordChange::Seen {
        side,
        observed: Observed {
            id: id.into(),
            version: format!("v-{id}"),
            created: Some("2026-06-01T10:00:00Z".parse().unwrap()),
            document,
        },
        match_key: match_key.to_owned(),
    }
}

async fn assert_holds(store: &Store) {
    let verification = store.verify().await.unwrap();
    assert!(verification.holds(), "{:?}", verification.faults);
}

async fn every_statement_is_understood(_: &Bed, store: &Store) {
    assert!(store.prepare_all().await.unwrap() > 90);
}

async fn entries_are_numbered_without_gaps_and_read_back(bed: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let first = connection
        .commit(facts(vec![intended("1"), intended("2")]))
        .await
        .unwrap();
    let many: Vec<Fact> = (0..150)
        .map(|n| stated(&n.to_string(), Outcome::done()))
        .collect();
    let second = connection.commit(facts(many.clone())).await.unwrap();
    assert_eq!(first, [1, 2]);
    assert_eq!(second, (3..153).collect::<Vec<u64>>());
    let read = connection.entries_after(2, 1000).await.unwrap();
    let told: Vec<Fact> = read.iter().map(|entry| entry.fact.clone()).collect();
    assert_eq!(told, many);
    assert_eq!(read[0].record, Some(bill_ref("0")));
    assert_eq!(store.connections().await.unwrap(), [name()]);
    assert_holds(store).await;

    // The same after the store was closed and opened again.
    let again = bed.store().await;
    assert_eq!(
        again.connection(&name()).entries_after(0, 1).await.unwrap()[0].fact,
        intended("1")
    );
    again.close().await;
}

async fn commits_at_the_same_time_take_turns(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let commits = (0..20).map(|n| {
        let connection = connection.clone();
        async move {
            let note = |part| Fact::Note {
                text: format!("{n} {part}"),
            };
            connection
                .commit(facts(vec![note("a"), note("b")]))
                .await
                .unwrap()
        }
    });
    let mut seqs: Vec<u64> = futures::future::join_all(commits)
        .await
        .into_iter()
        .flatten()
        .collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=40).collect::<Vec<u64>>());
    assert_holds(store).await;
}

async fn a_write_goes_from_intent_to_link(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let seqs = connection
        .commit(facts(vec![intended("1"), intended("2")]))
        .await
        .unwrap();
    let open = connection.open_writes().await.unwrap();
    assert_eq!(
        open.iter().map(|write| write.write).collect::<Vec<_>>(),
        seqs
    );
    assert_eq!(open[0].status, WriteStatus::Intended);
    assert_eq!(open[0].order, order(bill("1", "10.00", "10.00")));

    connection
        .commit(facts(vec![Fact::Attempted {
            writes: seqs.clone(),
            there: None,
        }]))
        .await
        .unwrap();
    let unknown = Fact::Unknown {
        write: 1,
        cause: "no answer came".to_owned(),
    };
    connection.commit(facts(vec![unknown])).await.unwrap();
    let open = connection.open_writes().await.unwrap();
    assert_eq!(open[0].status, WriteStatus::Unknown);
    assert_eq!(open[1].status, WriteStatus::Attempted);
    assert_eq!(
        (open[0].attempts, open[0].attempted_at.is_some()),
        (1, true)
    );

    let target = RecordRef::new(Side::Platform, Kind::Bill, "00n1");
    let applied = Fact::Applied {
        write: 1,
        target: target.clone(),
        adopted: true,
    };
    let refused = Fact::Refused {
        write: 2,
        code: Code::from_text("refused"),
        field: Some("dueDate".to_owned()),
        cause: "no".to_owned(),
    };
    connection
        .commit(facts(vec![applied, refused]))
        .await
        .unwrap();
    assert_eq!(connection.open_writes().await.unwrap(), []);
    let links = connection
        .links("bills", &[bill_ref("1"), bill_ref("2")])
        .await
        .unwrap();
    assert_eq!(links.len(), 1);
    assert_eq!(
        (links[0].how.as_str(), &links[0].target),
        ("adopted", &target)
    );
    assert_eq!(links[0].applied, Some(bill("1", "10.00", "10.00")));
    assert_eq!(links[0].key, Some(Key::of(["ns", "1", "2"])));
    assert_eq!(connection.links_to(&[target]).await.unwrap(), links);

    let (flow, record, role) = ("bills".to_owned(), bill_ref("1"), "bill".to_owned());
    let drifted = Fact::Drifted {
        flow,
        record,
        role,
        cause: "10 is 11".to_owned(),
    };
    connection.commit(facts(vec![drifted])).await.unwrap();
    let links = connection.links_page("bills", None, 10).await.unwrap();
    assert_eq!(links[0].drift.as_deref(), Some("10 is 11"));
    let after = Some((&links[0].record, links[0].role.as_str()));
    assert_eq!(connection.links_page("bills", after, 10).await.unwrap(), []);
    assert_holds(store).await;
}

async fn the_outcome_of_a_closed_write_is_refused_as_a_whole(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let gone = Fact::Abandoned {
        write: 1,
        cause: "not wanted".to_owned(),
    };
    connection
        .commit(facts(vec![intended("1"), gone.clone()]))
        .await
        .unwrap();
    let never = Fact::Later {
        write: 99,
        code: Code::from_text("busy"),
        cause: String::new(),
    };
    for fact in [
        gone,
        never,
        Fact::Attempted {
            writes: vec![1],
            there: None,
        },
    ] {
        let commit = facts(vec![
            Fact::Note {
                text: "first".to_owned(),
            },
            fact,
        ]);
        let error = connection.commit(commit).await.unwrap_err();
        assert_eq!(error.code().as_str(), "store-contradiction", "{error}");
    }
    assert_eq!(connection.entries_after(0, 10).await.unwrap().len(), 2);
    assert_holds(store).await;
}

async fn s224_a_commit_under_an_old_fence_is_refused(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let ttl = Duration::from_secs(60);
    let first = connection.lease("one", ttl).await.unwrap();
    let old = first.fence;
    first.release().await.unwrap();
    let second = connection.lease("two", ttl).await.unwrap();
    assert!(second.fence > old);
    let commit = |fence| Commit {
        fence: Some(fence),
        ..facts(vec![intended("1")])
    };
    let error = connection.commit(commit(old)).await.unwrap_err();
    let connection_name = name().to_string();
    let current = second.fence;
    assert_eq!(
        error,
        StoreError::Fenced {
            connection: connection_name,
            given: old,
            current
        }
    );
    assert_eq!(connection.entries_after(0, 10).await.unwrap(), []);
    connection.commit(commit(second.fence)).await.unwrap();
}

async fn a_lease_is_held_until_it_is_given_back(bed: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let ttl = Duration::from_secs(60);
    let lease = connection.lease("one", ttl).await.unwrap();
    lease.set_run(&RunId::new("run-1")).await.unwrap();
    let error = connection.lease("two", ttl).await.unwrap_err();
    let StoreError::Held { by, run, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((by.as_str(), run), ("one", &Some(RunId::new("run-1"))));
    assert!(connection.lease_holder().await.unwrap().is_some());
    let before = lease.until();
    bed.clock.advance(Duration::from_secs(30));
    lease.renew().await.unwrap();
    assert!(lease.until() > before);
    if bed.server.is_some() {
        // Where no lock tells whether the holder is alive, time does.
        bed.clock.advance(Duration::from_secs(90));
    } else {
        drop(lease);
    }
    let next = connection.lease("two", ttl).await.unwrap();
    assert_eq!(next.fence, 2);
    next.release().await.unwrap();
    assert!(connection.lease_holder().await.unwrap().is_none());
    let other: ConnectionName = "other".parse().unwrap();
    let _one = connection.lease("one", ttl).await.unwrap();
    store.connection(&other).lease("one", ttl).await.unwrap();
}

async fn links_and_maps_wake_what_waits_for_them(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let waiting = |waits_for| Outcome::done().until(waits_for);
    let mapped = |status| Fact::Mapped {
        kind: "account".to_owned(),
        from: "55".into(),
        to: Some("00a".into()),
        status,
        label_from: "6000 Rent".to_owned(),
        label_to: "Rent".to_owned(),
        why: "same name".to_owned(),
    };
    let commit = facts(vec![
        stated(
            "1",
            waiting(WaitsFor::Link("vendors".to_owned(), vendor_ref("7"))),
        ),
        stated(
            "2",
            waiting(WaitsFor::Map("account".to_owned(), "55".into())),
        ),
        stated("3", Outcome::done()),
        mapped(MapStatus::Suggested),
    ]);
    connection.commit(commit).await.unwrap();
    assert_eq!(connection.due_count("bills").await.unwrap(), 0);
    let to = RecordRef::new(Side::Platform, Kind::Vendor, "009");
    let link = linked("vendors", record(Kind::Vendor, "7"), to);
    let settled = vec![looked_at("1", 1)];
    connection
        .commit(Commit {
            settled,
            ..facts(vec![link])
        })
        .await
        .unwrap();
    assert_eq!(
        connection.due_page("bills", None, 10).await.unwrap(),
        [(bill_ref("1"), 1)]
    );
    let asked = [bill_ref("1"), bill_ref("2")];
    let due = connection.due_among("bills", &asked).await.unwrap();
    assert_eq!(due.into_iter().collect::<Vec<_>>(), [bill_ref("1")]);
    connection
        .commit(facts(vec![mapped(MapStatus::Confirmed)]))
        .await
        .unwrap();
    let due = connection
        .due_page("bills", Some(&bill_ref("1")), 10)
        .await
        .unwrap();
    assert_eq!(due, [(bill_ref("2"), 1)]);
    let maps = connection.maps().await.unwrap();
    assert_eq!((maps.len(), maps[0].status), (1, MapStatus::Confirmed));
    assert_holds(store).await;
}

async fn what_is_settled_stays_settled_unless_it_is_due_again(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let dues = |ids: &[&str]| -> Vec<Due> {
        ids.iter()
            .map(|id| Due {
                flow: "bills".to_owned(),
                record: bill_ref(id),
            })
            .collect()
    };
    connection
        .commit(Commit {
            due: dues(&["1", "2", "3"]),
            ..Commit::default()
        })
        .await
        .unwrap();
    let commit = Commit {
        settled: vec![looked_at("1", 1), looked_at("2", 1)],
        due: dues(&["2"]),
        ..Commit::default()
    };
    connection.commit(commit).await.unwrap();
    let due = connection.due_page("bills", None, 10).await.unwrap();
    assert_eq!(due, [(bill_ref("2"), 1), (bill_ref("3"), 1)]);
    connection
        .commit(facts(vec![stated("9", Outcome::done())]))
        .await
        .unwrap();
    assert_eq!(connection.mark_all_due("bills").await.unwrap(), 1);
    assert_eq!(connection.due_count("bills").await.unwrap(), 3);
}

async fn what_was_made_due_while_it_was_looked_at_stays_due(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let due = || Commit {
        due: vec![Due {
            flow: "bills".to_owned(),
            record: bill_ref("1"),
        }],
        ..Commit::default()
    };
    let page = || connection.due_page("bills", None, 10);
    connection.commit(due()).await.unwrap();
    let (_, stamp) = page().await.unwrap().remove(0);
    // A person decides while the run looks at the record.
    connection.commit(due()).await.unwrap();
    let settled = |stamp| Commit {
        settled: vec![looked_at("1", stamp)],
        ..Commit::default()
    };
    connection.commit(settled(stamp)).await.unwrap();
    let (record, again) = page().await.unwrap().remove(0);
    assert_eq!(record, bill_ref("1"));
    connection.commit(settled(again)).await.unwrap();
    assert!(page().await.unwrap().is_empty());
}

async fn what_is_held_for_nothing_in_particular_is_looked_at_again(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let hold = || Outcome::because(State::Hold, Code::new("settling"), "not yet");
    let wait = WaitsFor::Link("vendors".to_owned(), vendor_ref("7"));
    let commit = facts(vec![
        stated("1", hold()),
        stated("2", hold().until(wait)),
        stated("3", Outcome::done()),
    ]);
    connection.commit(commit).await.unwrap();
    assert_eq!(connection.mark_holds_due("vendors", &[]).await.unwrap(), 0);
    assert_eq!(connection.mark_holds_due("bills", &[]).await.unwrap(), 1);
    let due = connection.due_page("bills", None, 10).await.unwrap();
    assert_eq!(due, [(bill_ref("1"), 1)]);
}

async fn a_change_wakes_what_waits_for_it(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let waiting =
        |flow: &str, record| Outcome::done().until(WaitsFor::Link(flow.to_owned(), record));
    let credit = RecordRef::new(Side::Platform, Kind::VendorCredit, "0cr");
    let commit = facts(vec![
        stated("1", waiting("vendors", vendor_ref("7"))),
        stated("2", waiting("vendor-credits", credit.clone())),
        stated("3", waiting("bills", credit.clone())),
    ]);
    connection.commit(commit).await.unwrap();
    let wakes = vec!["link:vendors:ledger/vendor/7".to_owned(); 2];
    connection
        .commit(Commit {
            wakes,
            ..Commit::default()
        })
        .await
        .unwrap();
    let due = connection.due_page("bills", None, 10).await.unwrap();
    assert_eq!(due, [(bill_ref("1"), 1)]);
    // A bill below zero is a credit over there.
    let commit = facts(vec![linked("bills", bill_ref("9"), credit)]);
    connection.commit(commit).await.unwrap();
    assert_eq!(connection.due_count("bills").await.unwrap(), 3);
}

async fn what_is_remembered_is_the_last_that_was_said(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    assert_eq!(connection.remembered("rules").await.unwrap(), None);
    for value in ["one", "two"] {
        let remember = vec![("rules".to_owned(), value.to_owned())];
        connection
            .commit(Commit {
                remember,
                ..Commit::default()
            })
            .await
            .unwrap();
    }
    assert_eq!(
        connection.remembered("rules").await.unwrap().as_deref(),
        Some("two")
    );
}

async fn a_hint_is_kept_once_and_waits_until_a_run_has_looked(bed: &Bed, store: &Store) {
    let told = bed.clock.now();
    let hint_at = |event: &str, at| NewHint {
        connection: name(),
        system: "bill".to_owned(),
        event: event.to_owned(),
        record: "bill 00n1".to_owned(),
        at,
    };
    let hint = |event: &str| hint_at(event, told);
    let connection = store.connection(&name());
    assert!(store.hinted().await.unwrap().is_empty());
    assert!(store.keep_hints(&[]).await.unwrap().is_empty());
    // Twice in one commit, and again later.
    let kept = store
        .keep_hints(&[hint("a"), hint("b"), hint("a")])
        .await
        .unwrap();
    assert_eq!(kept, [true, true, false]);
    assert_eq!(store.keep_hints(&[hint("b")]).await.unwrap(), [false]);
    assert_eq!(store.hinted().await.unwrap(), [name()]);
    let seen = connection.hints_seen("bill").await.unwrap();
    assert!(
        seen.last.is_some() && seen.last == seen.waiting_since,
        "{seen:?}"
    );
    assert_eq!(
        connection.hints_seen("netsuite").await.unwrap(),
        HintsSeen::default()
    );
    // A run begins, one more comes, and the run ends.
    let began = bed.clock.now();
    let later = hint_at("c", bed.clock.now());
    store.keep_hints(&[later]).await.unwrap();
    assert_eq!(connection.heed_hints(began).await.unwrap(), 2);
    assert_eq!(store.hinted().await.unwrap(), [name()]);
    assert_eq!(connection.heed_hints(bed.clock.now()).await.unwrap(), 1);
    assert!(store.hinted().await.unwrap().is_empty());
    // What was heeded is still known, until it is forgotten.
    assert_eq!(store.keep_hints(&[hint("a")]).await.unwrap(), [false]);
    let asked = ["a", "x"].map(str::to_owned);
    let known = connection.hints_known("bill", &asked).await.unwrap();
    assert_eq!(known, std::iter::once("a".to_owned()).collect());
    assert_eq!(store.forget_hints(bed.clock.now()).await.unwrap(), 3);
    assert_eq!(store.keep_hints(&[hint("a")]).await.unwrap(), [true]);
}

async fn the_mirror_shows_each_record_as_last_seen(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let mut records: Vec<RecordChange> = (100..300)
        .map(|n: u32| {
            let id = n.to_string();
            seen(
                Side::Ledger,
                &id,
                bill(&id, "1.00", "1.00"),
                &format!("key {}", n % 100),
            )
        })
        .collect();
    records.push(seen(
        Side::Ledger,
        "100",
        bill("100", "2.00", "2.00"),
        "key 0",
    ));
    records.push(RecordChange::Gone {
        side: Side::Ledger,
        kind: Kind::Bill,
        id: "101".into(),
    });
    let mark = Mark("2026-06-01".to_owned());
    let marks = vec![(Side::Ledger, Kind::Bill, mark.clone())];
    connection
        .commit(Commit {
            records,
            marks,
            ..Commit::default()
        })
        .await
        .unwrap();
    assert_eq!(
        connection.mark(Side::Ledger, Kind::Bill).await.unwrap(),
        Some(mark)
    );
    assert_eq!(
        connection.mark(Side::Platform, Kind::Bill).await.unwrap(),
        None
    );

    let ids: Vec<RemoteId> = (100..=300).map(|n: u32| n.to_string().into()).collect();
    let known = connection
        .known(Side::Ledger, Kind::Bill, &ids)
        .await
        .unwrap();
    assert_eq!(known.len(), 200);
    assert!(known[&"101".into()].gone);
    let records = connection
        .records(Side::Ledger, Kind::Bill, &ids[..1])
        .await
        .unwrap();
    let first = &records[&"100".into()];
    assert_eq!(first.observed.document, bill("100", "2.00", "2.00"));
    assert_eq!(first.fingerprint, first.observed.fingerprint());
    assert_eq!(known[&"100".into()].fingerprint, first.fingerprint);

    let keys = [
        "key 1".to_owned(),
        "key 2".to_owned(),
        "key 1".to_owned(),
        String::new(),
    ];
    let matching = connection
        .records_matching(Side::Ledger, Kind::Bill, &keys)
        .await
        .unwrap();
    let mut ids: Vec<_> = matching
        .iter()
        .map(|one| one.observed.id.as_str())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["102", "201", "202"]);

    let (mut after, mut paged) = (None, 0);
    loop {
        let page = connection
            .records_page(Side::Ledger, Kind::Bill, after.as_ref(), 64)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.observed.id.clone());
        paged += page.len();
    }
    assert_eq!(paged, 200);
    let made = connection
        .mark_records_due("bills", Side::Ledger, Kind::Bill)
        .await
        .unwrap();
    assert_eq!(made, 199);
}

async fn records_are_found_by_what_people_call_them(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let records = vec![
        seen(Side::Ledger, "41", bill("INV-1", "1", "1"), ""),
        seen(Side::Ledger, "42", bill("inv-12", "1", "1"), ""),
        seen(Side::Platform, "INV-12", vendor("Ärger & Söhne"), ""),
    ];
    connection
        .commit(Commit {
            records,
            ..Commit::default()
        })
        .await
        .unwrap();
    let find = |text: &'static str| {
        let connection = connection.clone();
        async move {
            let found = connection.find(text, 10).await.unwrap();
            found
                .into_iter()
                .map(|(record, _)| record.to_string())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(
        find("INV-12").await,
        ["platform/vendor/INV-12", "ledger/bill/42"]
    );
    assert_eq!(find("inv-1").await, ["ledger/bill/41", "ledger/bill/42"]);
    assert_eq!(find("vendbillinv-1").await, ["ledger/bill/41"]);
    assert_eq!(find("bill_INV-1").await, ["ledger/bill/41"]);
    assert_eq!(find("bill/42").await, ["ledger/bill/42"]);
    assert_eq!(find("ledger/bill/42").await, ["ledger/bill/42"]);
    assert_eq!(find("ärger").await, ["platform/vendor/INV-12"]);
    assert_eq!(find("v-17").await, ["platform/vendor/INV-12"]);
    assert_eq!(find("nothing").await, Vec::<String>::new());
}

async fn totals_are_exact(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let mut records: Vec<RecordChange> = (0..1000)
        .map(|n: u32| seen(Side::Ledger, &n.to_string(), bill("x", "0.10", "0.01"), ""))
        .collect();
    records.push(RecordChange::Gone {
        side: Side::Ledger,
        kind: Kind::Bill,
        id: "0".into(),
    });
    connection
        .commit(Commit {
            records,
            ..Commit::default()
        })
        .await
        .unwrap();
    let totals = connection.totals(Side::Ledger, Kind::Bill).await.unwrap();
    assert_eq!((totals.count, totals.by_currency.len()), (999, 1));
    assert_eq!(totals.by_currency[0].amount.of(Currency::USD), usd("99.90"));
    assert_eq!(totals.by_currency[0].open.of(Currency::USD), usd("9.99"));
}

fn blocked(code: &'static str, group: &str) -> Outcome {
    Outcome::because(
        State::Blocked,
        Code::from_text(code),
        "an account is unmapped",
    )
    .grouped(group)
}

async fn items_are_filtered_and_paged(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let mut all: Vec<Fact> = (100..180)
        .map(|n: u32| stated(&n.to_string(), Outcome::done()))
        .collect();
    all.push(stated("200", blocked("unmapped", "account:1")));
    all.push(stated("201", blocked("other", "")));
    all.push(Fact::Forgotten {
        flow: "bills".to_owned(),
        record: bill_ref("100"),
    });
    connection.commit(facts(all)).await.unwrap();
    let counts = connection.counts().await.unwrap();
    assert_eq!(
        counts,
        BTreeMap::from([("bills".to_owned(), [79, 0, 0, 0, 2, 0, 0, 0])])
    );

    let filter = ItemFilter::default();
    let first = connection.items_page(&filter, None, 50).await.unwrap();
    let after = Some(("bills", &first[49].record));
    assert_eq!(
        connection
            .items_page(&filter, after, 50)
            .await
            .unwrap()
            .len(),
        31
    );
    let narrow = ItemFilter {
        flow: Some("bills".to_owned()),
        states: vec![State::Blocked, State::Conflict],
        code: Some(Code::from_text("unmapped")),
        group: Some("account:1".to_owned()),
    };
    let found = connection.items_page(&narrow, None, 50).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].label.as_str(), found[0].amount),
        ("INV-200", Some(usd("10.1")))
    );
    let after = Some(("bills", &found[0].record));
    assert_eq!(connection.items_page(&narrow, after, 50).await.unwrap(), []);

    // Since when is told by the state and its code, not by how often it was said.
    connection
        .commit(facts(vec![stated("200", blocked("unmapped", "account:1"))]))
        .await
        .unwrap();
    let again = connection.items("bills", &[bill_ref("200")]).await.unwrap();
    assert_eq!(again[&bill_ref("200")].since, found[0].since);
    assert!(again[&bill_ref("200")].at > found[0].at);
    connection
        .commit(facts(vec![stated("200", Outcome::done())]))
        .await
        .unwrap();
    let again = connection.items("bills", &[bill_ref("200")]).await.unwrap();
    assert!(again[&bill_ref("200")].since > found[0].since);
    assert_holds(store).await;
}

async fn exceptions_are_grouped_by_cause(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let mut all: Vec<Fact> = (0..10)
        .map(|n| stated(&n.to_string(), blocked("unmapped", "account:1")))
        .collect();
    all.push(stated("20", blocked("unmapped", "account:2")));
    let hold = Outcome::because(State::Hold, Code::from_text("settling"), "until 10:00");
    all.push(stated("21", hold));
    connection.commit(facts(all)).await.unwrap();
    let groups = connection.exceptions(false).await.unwrap();
    let counts: Vec<_> = groups
        .iter()
        .map(|group| (group.group.as_str(), group.count))
        .collect();
    assert_eq!(counts, [("account:1", 10), ("account:2", 1)]);
    assert_eq!(groups[0].amounts, [usd("101")]);
    assert_eq!(groups[0].labels.len(), 5);
    assert_eq!(connection.exceptions(true).await.unwrap().len(), 3);
}

async fn decisions_are_kept_and_taken_back(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let decided = |decision: &str| Fact::Decided {
        flow: "bills".to_owned(),
        record: bill_ref("1"),
        decision: decision.to_owned(),
        reason: "a test bill".to_owned(),
    };
    connection
        .commit(facts(vec![decided("ignore")]))
        .await
        .unwrap();
    let found = connection
        .decisions("bills", &[bill_ref("1"), bill_ref("2")])
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[&bill_ref("1")].decision, "ignore");
    connection.commit(facts(vec![decided("")])).await.unwrap();
    assert!(
        connection
            .decisions("bills", &[bill_ref("1")])
            .await
            .unwrap()
            .is_empty()
    );
    assert_holds(store).await;
}

async fn runs_are_told_with_their_facts(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let run = Some(RunId::new("run-1"));
    let started = Fact::RunStarted {
        trigger: "command".to_owned(),
        flows: vec!["bills".to_owned()],
        limited: false,
    };
    let commit = Commit {
        run: run.clone(),
        ..facts(vec![started.clone(), intended("1")])
    };
    connection.commit(commit).await.unwrap();
    assert_eq!(connection.runs(10).await.unwrap()[0].status, "running");
    let counts = BTreeMap::from([("DONE".to_owned(), 3)]);
    let ended = Fact::RunEnded {
        status: "done".to_owned(),
        flows: BTreeMap::from([("bills".to_owned(), counts)]),
        calls: BTreeMap::from([("bill".to_owned(), 4)]),
        cause: String::new(),
        codes: Vec::new(),
    };
    connection
        .commit(Commit {
            run: run.clone(),
            ..facts(vec![ended.clone()])
        })
        .await
        .unwrap();
    let row = connection.run(&RunId::new("run-1")).await.unwrap().unwrap();
    assert_eq!(
        (row.status.as_str(), row.trigger.as_str()),
        ("done", "command")
    );
    assert_eq!((row.calls["bill"], row.counts["bills"]["DONE"]), (4, 3));
    assert!(row.ended.unwrap() > row.started);
    let told = connection
        .run_facts(&RunId::new("run-1"), 1, 10)
        .await
        .unwrap();
    assert_eq!(told.len(), 2);
    assert_eq!(told[1].fact, ended);
    assert!(connection.commit(facts(vec![started])).await.is_err());
    assert_holds(store).await;
}

async fn the_history_is_looked_through_from_its_newest_end(bed: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let note = |text: &str| Fact::Note {
        text: text.to_owned(),
    };
    let said = async |actor: &str, fact: Fact| {
        let commit = Commit {
            actor: actor.to_owned(),
            run: Some(RunId::new("run-1")),
            ..facts(vec![fact])
        };
        connection.commit(commit).await.unwrap();
    };
    let started = Fact::RunStarted {
        trigger: "command".to_owned(),
        flows: Vec::new(),
        limited: false,
    };
    said("user:casey", started).await;
    said("user:casey", note("one")).await;
    bed.clock.advance(Duration::from_secs(3600));
    let hour = bed.clock.now();
    said("user:robin", note("two")).await;
    said("user:casey", note("three")).await;

    let seqs = async |filter: EntryFilter, before, rows| -> Vec<u64> {
        let found = connection.newest(&filter, before, rows).await.unwrap();
        found.iter().map(|entry| entry.seq).collect()
    };
    let all = EntryFilter::default;
    assert_eq!(seqs(all(), None, 10).await, [4, 3, 2, 1]);
    assert_eq!(seqs(all(), Some(4), 2).await, [3, 2]);
    let casey = EntryFilter {
        actor: Some("user:casey".to_owned()),
        word: Some("note".to_owned()),
        run: Some(RunId::new("run-1")),
        ..all()
    };
    assert_eq!(seqs(casey, None, 10).await, [4, 2]);
    let since = EntryFilter {
        from: Some(hour),
        ..all()
    };
    assert_eq!(seqs(since, None, 10).await, [4, 3]);
    let until = EntryFilter {
        until: Some(hour),
        ..all()
    };
    assert_eq!(seqs(until, None, 10).await, [2, 1]);
    assert!(
        store
            .installation()
            .newest(&all(), None, 10)
            .await
            .unwrap()
            .is_empty()
    );

    let runs = connection.run_tally(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!((runs.len(), runs[0].count), (1, 1));
    assert_eq!(runs[0].status, "running");
    assert!(connection.run_tally(hour).await.unwrap().is_empty());
}

async fn a_record_s_history_has_its_links_and_attempts(_: &Bed, store: &Store) {
    let connection = store.connection(&name());
    connection
        .commit(facts(vec![intended("1"), intended("2")]))
        .await
        .unwrap();
    connection
        .commit(facts(vec![Fact::Attempted {
            writes: vec![1, 2],
            there: None,
        }]))
        .await
        .unwrap();
    let target = RecordRef::new(Side::Platform, Kind::Bill, "00n1");
    let applied = Fact::Applied {
        write: 1,
        target: target.clone(),
        adopted: false,
    };
    let refused = Fact::Refused {
        write: 2,
        code: Code::from_text("x"),
        field: None,
        cause: "no".to_owned(),
    };
    connection
        .commit(facts(vec![applied, refused, stated("1", Outcome::done())]))
        .await
        .unwrap();
    for asked in [bill_ref("1"), target] {
        let words: Vec<_> = connection.history(&asked).await.unwrap();
        let words: Vec<_> = words.iter().map(|entry| entry.fact.word()).collect();
        assert_eq!(
            words,
            ["intended", "attempted", "applied", "stated"],
            "{asked}"
        );
    }
}

async fn sample(store: &Store) -> ConnectionStore {
    let connection = store.connection(&name());
    let all = vec![
        intended("1"),
        intended("2"),
        stated("1", blocked("unmapped", "")),
    ];
    connection.commit(facts(all)).await.unwrap();
    connection
}

async fn the_history_can_be_neither_changed_nor_deleted(bed: &Bed, store: &Store) {
    sample(store).await;
    for text in ["UPDATE entries SET actor = 'me'", "DELETE FROM entries"] {
        let error = bed.run(text).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    assert_holds(store).await;
}

async fn one_flipped_byte_is_named(bed: &Bed, store: &Store) {
    sample(store).await;
    bed.lift_guard().await;
    let text = "UPDATE entries SET body = replace(body, '10', '11') WHERE seq = 2";
    assert_eq!(bed.run(text).await.unwrap(), 1);
    let faults = store.verify().await.unwrap().faults;
    assert_eq!(faults.len(), 1);
    assert_eq!(
        (faults[0].chain.as_str(), faults[0].seq),
        ("acme-us", Some(2))
    );
}

async fn a_missing_entry_is_named(bed: &Bed, store: &Store) {
    sample(store).await;
    bed.lift_guard().await;
    bed.run("DELETE FROM entries WHERE seq = 3").await.unwrap();
    let faults = store.verify().await.unwrap().faults;
    assert!(faults[0].cause.contains("ends with 2"), "{faults:?}");
    bed.run("DELETE FROM entries WHERE seq = 1").await.unwrap();
    let faults = store.verify().await.unwrap().faults;
    assert!(faults[0].cause.contains("entry 1 is missing"), "{faults:?}");
}

async fn a_chain_is_exported_page_by_page_as_it_was_hashed(bed: &Bed, store: &Store) {
    sample(store).await;
    let middle = bed.clock.now();
    let connection = store.connection(&name());
    let more = vec![stated("2", blocked("unmapped", ""))];
    connection.commit(facts(more)).await.unwrap();
    let export = store.export(Some(&name()));
    assert_eq!(export.chain(), "acme-us");
    assert_eq!(export.last_before(middle).await.unwrap(), 3);
    assert_eq!(export.last_before(bed.clock.now()).await.unwrap(), 4);
    assert_eq!(export.last_before(Timestamp::UNIX_EPOCH).await.unwrap(), 0);
    let mut all = export.page(0, 3).await.unwrap();
    assert_eq!(all.len(), 3);
    all.extend(export.page(3, 3).await.unwrap());
    let told: Vec<_> = all.iter().map(|one| one.entry.clone()).collect();
    assert_eq!(told, connection.entries_after(0, 10).await.unwrap());
    let mut before = String::new();
    for (one, seq) in all.iter().zip(1..) {
        let sealed = &one.sealed;
        assert_eq!((sealed.seq, &sealed.before), (seq, &before));
        // The form, told once more and in other words than the store's own.
        let part = |text: &str| format!("{}:{text}", text.len());
        let maybe = |text: &Option<String>| text.as_deref().map_or("-".to_owned(), part);
        let form = [
            part(sealed.version),
            part(&sealed.before),
            part(&sealed.chain),
            part(&sealed.seq.to_string()),
            part(&sealed.at_us.to_string()),
            part(&sealed.actor),
            maybe(&sealed.run),
            part(&sealed.fact),
            maybe(&sealed.flow),
            maybe(&sealed.record),
            part(&sealed.body),
        ];
        let sum = Sha256::digest(form.concat()).into_iter();
        let hash: String = sum.map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sealed.hash, hash);
        assert!(
            !sealed.body.contains("INV-"),
            "a label is a digest: {}",
            sealed.body
        );
        before = hash;
    }
    let empty = store.export(None).page(0, 10).await.unwrap();
    assert!(empty.is_empty(), "the installation has no history yet");

    bed.lift_guard().await;
    bed.run("UPDATE entries SET actor = 'me' WHERE seq = 2")
        .await
        .unwrap();
    let error = export.page(1, 10).await.unwrap_err();
    assert!(error.to_string().contains("entry 2 of acme-us"), "{error}");
}

async fn a_changed_state_is_named(bed: &Bed, store: &Store) {
    sample(store).await;
    bed.run("UPDATE items SET state = 'DONE'").await.unwrap();
    let faults = store.verify().await.unwrap().faults;
    assert_eq!(faults.len(), 1);
    let cause = &faults[0].cause;
    assert!(
        cause.contains("ledger/bill/1") && cause.contains("BLOCKED"),
        "{cause}"
    );
}

async fn a_changed_personal_value_is_named(bed: &Bed, store: &Store) {
    sample(store).await;
    let hidden = "UPDATE private_values SET salt = NULL, body = NULL WHERE seq = 1";
    bed.run(hidden).await.unwrap();
    let faults = store.verify().await.unwrap().faults;
    assert!(faults[0].cause.contains("erased"), "{faults:?}");
    bed.run("UPDATE private_values SET body = replace(body, 'INV-1', 'INV-9')")
        .await
        .unwrap();
    let faults = store.verify().await.unwrap().faults;
    assert_eq!(faults[0].seq, Some(3));
    bed.run("DELETE FROM private_values WHERE seq = 2")
        .await
        .unwrap();
    let faults = store.verify().await.unwrap().faults;
    assert_eq!(faults[0].seq, Some(2));
}

async fn s247_personal_values_are_erased_and_the_chain_holds(bed: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let from = record(Kind::Vendor, "7");
    let to = RecordRef::new(Side::Platform, Kind::Vendor, "009");
    let write = Fact::Intended {
        flow: "vendors".to_owned(),
        record: from.clone(),
        role: "main".to_owned(),
        order: order(vendor("Robin Sparrow")),
        because: "Robin Sparrow has bills".to_owned(),
    };
    let outcome = Outcome::because(
        State::Blocked,
        Code::from_text("x"),
        "Robin Sparrow is unclear",
    );
    let item = Fact::Stated {
        flow: "vendors".to_owned(),
        record: from.clone(),
        outcome,
        label: "Robin Sparrow".to_owned(),
        amount: Some(usd("12.34")),
    };
    let decision = Fact::Decided {
        flow: "vendors".to_owned(),
        record: from.clone(),
        decision: "ignore".to_owned(),
        reason: "Robin Sparrow asked".to_owned(),
    };
    let link = linked("vendors", from.clone(), to.clone());
    let mut commit = facts(vec![write, item, decision, link, intended("1")]);
    commit.records = vec![seen(
        Side::Platform,
        "009",
        vendor("Robin Sparrow"),
        "robin sparrow",
    )];
    connection.commit(commit).await.unwrap();
    assert_holds(store).await;

    assert_eq!(
        connection.erase(&[to], "dpo", "request 17").await.unwrap(),
        4
    );
    let verification = store.verify().await.unwrap();
    assert!(verification.holds(), "{:?}", verification.faults);
    assert_eq!(verification.chains[0].erased, 4);
    let mut everything = format!("{:?}", connection.entries_after(0, 100).await.unwrap());
    everything += &format!(
        "{:?}",
        connection.items_page(&ItemFilter::default(), None, 9).await
    );
    everything += &format!("{:?}", connection.links_page("vendors", None, 9).await);
    everything += &format!("{:?}", connection.open_writes().await);
    everything += &format!(
        "{:?}",
        connection
            .decisions("vendors", std::slice::from_ref(&from))
            .await
    );
    everything += &format!(
        "{:?}",
        connection
            .records_page(Side::Platform, Kind::Vendor, None, 9)
            .await
    );
    for word in ["Robin", "Sparrow", "robin", "555-0100"] {
        assert!(!everything.contains(word), "{word} in {everything}");
    }
    // Amounts and ids stay, and so does what belongs to others.
    assert!(everything.contains("12.34") && everything.contains("bill 1 is approved"));
    let erased = connection.history(&from).await.unwrap();
    assert!(
        erased
            .iter()
            .any(|entry| entry.erased && entry.fact.word() == "stated")
    );
    assert_eq!(connection.find("sparrow", 9).await.unwrap(), []);

    // Nor is anything left in the files.
    for entry in std::fs::read_dir(bed.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for word in ["Sparrow", "sparrow", "555-0100"] {
            let found = bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes());
            assert!(!found, "{word} in {}", path.display());
        }
    }
}

async fn what_was_signed_is_kept_word_for_word(bed: &Bed, store: &Store) {
    let connection = store.connection(&name());
    let bodies = [r#"{"status":"TIED"}"#, "12 rows"].map(str::to_owned);
    let [sha256, extract] = [&bodies[0], &bodies[1]].map(|body| tieout_store::frozen_name(body));
    let signed = Fact::Signed {
        report: "tie-out".to_owned(),
        period: "2026-06".to_owned(),
        currency: "USD".to_owned(),
        role: "preparer".to_owned(),
        status: "TIED".to_owned(),
        sha256: sha256.clone(),
        extract: extract.clone(),
        comment: String::new(),
    };
    let commit = Commit {
        frozen: bodies.to_vec(),
        ..facts(vec![signed.clone(), intended("1")])
    };
    connection.commit(commit.clone()).await.unwrap();
    // The same again, as the reviewer does: it is there once.
    connection.commit(commit).await.unwrap();
    let signatures = connection.signatures().await.unwrap();
    assert_eq!(signatures.len(), 2);
    assert_eq!((signatures[0].seq, &signatures[0].fact), (1, &signed));
    let kept = connection.frozen(&sha256).await.unwrap();
    assert_eq!(kept.as_ref(), Some(&bodies[0]));
    assert_eq!(connection.frozen("0").await.unwrap(), None);
    assert_holds(store).await;
    bed.run("UPDATE frozen SET body = 'other'")
        .await
        .unwrap_err();
    bed.lift_guard_of("frozen").await;
    let text = format!("UPDATE frozen SET body = '13 rows' WHERE sha256 = '{extract}'");
    assert_eq!(bed.run(&text).await.unwrap(), 1);
    let faults = store.verify().await.unwrap().faults;
    assert_eq!(faults[0].seq, Some(1), "{faults:?}");
    assert!(connection.frozen(&extract).await.is_err());
    bed.run("DELETE FROM frozen").await.unwrap();
    let faults = store.verify().await.unwrap().faults;
    assert!(faults[0].cause.contains("is not there"), "{faults:?}");
}

async fn a_newer_schema_is_refused(bed: &Bed, store: &Store) {
    sample(store).await;
    bed.run("INSERT INTO store_schema (number, hash, applied_us) VALUES (999, 'x', 0)")
        .await
        .unwrap();
    // What only adds says that programs before may go on.
    bed.store().await.close().await;
    bed.run("UPDATE store_state SET value = '998' WHERE name = 'oldest'")
        .await
        .unwrap();
    let clock = Arc::clone(&bed.clock) as Arc<dyn Clock>;
    let error = Store::open(&bed.url, clock).await.unwrap_err();
    let StoreError::Newer { found: 999, known } = error else {
        panic!("{error}")
    };
    assert!(known < 998);
    assert!(!error.fix().is_empty());
}

async fn credentials_open_with_their_key_alone(_: &Bed, store: &Store) {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    Vault::create_key_file(&one).unwrap();
    Vault::create_key_file(&two).unwrap();
    let (one, two) = (KeySource::File(one), KeySource::File(two));
    let vault = store.vault(&one).await.unwrap();
    let credentials = store.credentials();
    let secret = || SecretString::from(r#"{"api_key":"hush"}"#.to_owned());
    assert_eq!(
        credentials
            .set(&vault, "acme", "bill", secret(), "sam")
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        credentials
            .set(&vault, "acme", "bill", secret(), "sam")
            .await
            .unwrap(),
        2
    );
    let (row, opened) = credentials.get(&vault, "acme").await.unwrap();
    assert_eq!((row.version, row.kind.as_str()), (2, "bill"));
    assert_eq!(opened.expose_secret(), secret().expose_secret());
    assert_eq!(credentials.list().await.unwrap(), [row]);
    let error = credentials.get(&vault, "none").await.unwrap_err();
    assert_eq!(error.code().as_str(), "credential-missing");
    assert_eq!(
        store.vault(&two).await.unwrap_err().code().as_str(),
        "vault-key-wrong"
    );
    let none = KeySource::File(folder.path().join("none"));
    assert_eq!(
        store.vault(&none).await.unwrap_err().code().as_str(),
        "vault-key-missing"
    );

    credentials.remove("acme", "sam").await.unwrap();
    assert!(credentials.list().await.unwrap().is_empty());
    let told = store.installation().entries_after(0, 10).await.unwrap();
    let words: Vec<_> = told.iter().map(|entry| entry.fact.word()).collect();
    assert_eq!(words, ["credential"; 3]);
    assert_holds(store).await;
}

/// From a passphrase to a file and back; what is kept stays, and an old key does nothing any more.
async fn the_key_is_rotated_as_a_whole(bed: &Bed, store: &Store) {
    let passphrase = KeySource::Passphrase(SecretString::from("open sesame".to_owned()));
    let file = bed.folder.path().join("new key");
    Vault::create_key_file(&file).unwrap();
    let file = KeySource::File(file);
    let old = store.vault(&passphrase).await.unwrap();
    let (credentials, value) = (store.credentials(), SecretString::from("hush".to_owned()));
    credentials
        .set(&old, "acme", "bill", value.clone(), "sam")
        .await
        .unwrap();
    store.kept(&old).put("session", &value, None).await.unwrap();

    let none = KeySource::File(bed.folder.path().join("none"));
    let refused = store.rotate_key(&old, &none, "sam").await.unwrap_err();
    assert_eq!(refused.code().as_str(), "vault-key-missing");
    credentials.get(&old, "acme").await.unwrap();

    let new = store.rotate_key(&old, &file, "sam").await.unwrap();
    let wrong = |error: tieout_store::StoreError| error.code().as_str() == "vault-key-wrong";
    assert!(wrong(credentials.get(&old, "acme").await.unwrap_err()));
    let set = credentials.set(&old, "acme", "bill", value.clone(), "sam");
    assert!(wrong(set.await.unwrap_err()));
    let old_kept = store.kept(&old);
    assert!(wrong(
        old_kept.put("session", &value, None).await.unwrap_err()
    ));
    assert!(wrong(
        store
            .rotate_key(&old, &passphrase, "sam")
            .await
            .unwrap_err()
    ));
    assert!(wrong(store.vault(&passphrase).await.unwrap_err()));
    let (_, opened) = credentials.get(&new, "acme").await.unwrap();
    assert_eq!(opened.expose_secret(), "hush");
    let kept = store.kept(&new).get("session").await.unwrap().unwrap();
    assert_eq!(kept.expose_secret(), "hush");

    store.rotate_key(&new, &passphrase, "sam").await.unwrap();
    let again = store.vault(&passphrase).await.unwrap();
    credentials.get(&again, "acme").await.unwrap();
    assert!(wrong(credentials.get(&old, "acme").await.unwrap_err()));
    let told = store.installation().entries_after(0, 10).await.unwrap();
    assert_eq!(told.len(), 3);
    assert_holds(store).await;
}

async fn an_allowance_is_counted_over_all_processes(bed: &Bed, store: &Store) {
    let other = bed.store().await;
    let hour = |text: &str| text.parse::<Timestamp>().unwrap();
    let (ten, eleven) = (hour("2026-06-12T10:59:59Z"), hour("2026-06-12T11:00:00Z"));
    assert!(store.take_allowance("key", ten, 2).await.unwrap());
    assert!(other.take_allowance("key", ten, 2).await.unwrap());
    assert!(!store.take_allowance("key", ten, 2).await.unwrap());
    assert!(store.take_allowance("another", ten, 2).await.unwrap());
    assert!(store.take_allowance("key", eleven, 2).await.unwrap());
    // A clock that is behind brings nothing back.
    assert!(other.take_allowance("key", ten, 2).await.unwrap());
    assert!(!other.take_allowance("key", ten, 2).await.unwrap());
    assert!(!store.take_allowance("key", eleven, 2).await.unwrap());
    other.close().await;
}

async fn turns_are_spaced_over_all_processes(bed: &Bed, store: &Store) {
    let other = bed.store().await;
    let every = Duration::from_millis(210);
    let at = |millis: i64| Timestamp::from_millisecond(1_781_260_800_000 + millis).unwrap();
    let take = async |store: &Store, name: &str, millis| {
        let turn = store.take_turn(name, at(millis), every).await.unwrap();
        turn.as_millisecond() - at(0).as_millisecond()
    };
    assert_eq!(take(store, "key", 0).await, 0);
    assert_eq!(take(&other, "key", 5).await, 210);
    assert_eq!(take(store, "another", 5).await, 5);
    assert_eq!(take(store, "key", 10).await, 420);
    // After a rest the next is at once.
    assert_eq!(take(&other, "key", 5000).await, 5000);
    // A clock that is a little ahead is waited for, one that is far ahead is not.
    assert_eq!(take(store, "key", 4000).await, 5210);
    assert_eq!(take(&other, "key", 7_200_000).await, 7_200_000);
    assert_eq!(take(store, "key", 6000).await, 6000);
    let (one, two) = futures::join!(take(store, "key", 6000), take(&other, "key", 6000));
    assert_eq!([one.min(two), one.max(two)], [6210, 6420]);
    other.close().await;
}

async fn what_is_kept_expires(bed: &Bed, store: &Store) {
    let passphrase = |text: &str| KeySource::Passphrase(SecretString::from(text.to_owned()));
    let vault = store.vault(&passphrase("open sesame")).await.unwrap();
    let error = store.vault(&passphrase("open barley")).await.unwrap_err();
    assert_eq!(error.code().as_str(), "vault-key-wrong");
    let kept = store.kept(&vault);
    let value = SecretString::from("token".to_owned());
    let expires = bed.clock.now() + Duration::from_secs(60);
    kept.put("session", &value, Some(expires)).await.unwrap();
    kept.put("probe", &value, None).await.unwrap();
    assert_eq!(
        kept.get("session").await.unwrap().unwrap().expose_secret(),
        "token"
    );
    bed.clock.advance(Duration::from_secs(61));
    assert!(kept.get("session").await.unwrap().is_none());
    assert!(kept.get("probe").await.unwrap().is_some());
    kept.remove("probe").await.unwrap();
    assert!(kept.get("probe").await.unwrap().is_none());
}

/// A fact about a small world, so that facts meet: which one, about which record, and how.
type Choice = (u8, u8, u8);

/// The fact of a choice, possible or not.
fn chosen((what, id, how): Choice, newest: u64) -> Fact {
    let (flow, record, role) = (
        "bills".to_owned(),
        bill_ref(&id.to_string()),
        "bill".to_owned(),
    );
    let target = RecordRef::new(Side::Platform, Kind::Bill, format!("t{how}"));
    // One of the last few entries, which may be a write that is open, closed, or none.
    let write = newest.saturating_sub(u64::from(how)).max(1);
    let cause = format!("cause {how}");
    match what {
        0 | 1 => intended(&id.to_string()),
        2 | 3 => Fact::Attempted {
            writes: vec![write],
            there: None,
        },
        4 => Fact::Applied {
            write,
            target,
            adopted: how % 2 == 0,
        },
        5 => Fact::Unknown { write, cause },
        6 => Fact::Later {
            write,
            code: Code::from_text("later"),
            cause,
        },
        7 => Fact::Abandoned { write, cause },
        8 => linked("bills", record, target),
        9 => Fact::Unlinked {
            flow,
            record,
            role,
            cause,
        },
        10 => Fact::Confirmed { flow, record, role },
        11 => Fact::Drifted {
            flow,
            record,
            role,
            cause,
        },
        12 => Fact::Forgotten { flow, record },
        13 => Fact::Decided {
            flow,
            record,
            decision: "x".repeat(usize::from(how % 2)),
            reason: cause,
        },
        14 => Fact::Mapped {
            kind: "account".to_owned(),
            from: id.to_string().into(),
            to: None,
            status: MapStatus::Suggested,
            label_from: cause.clone(),
            label_to: String::new(),
            why: cause,
        },
        15 => Fact::User {
            user: id.to_string(),
            change: [UserChange::Added, UserChange::Changed, UserChange::Removed]
                [usize::from(how % 3)],
            name: cause,
            email: String::new(),
            role: Role::ALL[usize::from(how % 4)],
            subject: None,
            disabled: how == 4,
            until: None,
            tenants: (how > 1)
                .then(|| "acme".parse().unwrap())
                .into_iter()
                .collect(),
        },
        16 => Fact::ApprovalAsked {
            what: "mapping".to_owned(),
            subject: id.to_string(),
            proposal: serde_json::json!({"how": how}),
            user: (how % 2).to_string(),
            reason: cause,
        },
        17 => Fact::ApprovalDecided {
            request: write,
            decision: if how % 2 == 0 {
                ApprovalDecision::Approved
            } else {
                ApprovalDecision::Declined
            },
            user: (id % 2).to_string(),
            reason: cause,
        },
        _ => {
            let outcome = if how % 2 == 0 {
                Outcome::done()
            } else {
                blocked("unmapped", "a")
            };
            stated(&id.to_string(), outcome)
        }
    }
}

async fn any_sequence_of_facts_folds_alike_again(_: &Bed, store: &Store) {
    let choice = (0_u8..21, 0_u8..3, 0_u8..5);
    let commits = prop::collection::vec(prop::collection::vec(choice, 1..8), 1..30);
    let mut runner = TestRunner::deterministic();
    let cases = if std::env::var("TIEOUT_TEST_POSTGRES").is_ok() {
        8
    } else {
        24
    };
    for case in 0..cases {
        let connection = store.connection(&format!("case-{case}").parse().unwrap());
        let commits = commits.new_tree(&mut runner).unwrap().current();
        let mut newest = 0;
        for commit in &commits {
            let told = commit
                .iter()
                .zip(newest..)
                .map(|(one, at)| chosen(*one, at + 1))
                .collect();
            match connection.commit(facts(told)).await {
                Ok(seqs) => newest = seqs.last().copied().unwrap_or(newest),
                Err(StoreError::Contradiction { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert_holds(store).await;
}

/// Not a test of its own: the second process of [`a_killed_holder_s_lease_is_taken_over`].
#[tokio::test]
async fn second_process() {
    let Ok(url) = std::env::var("TIEOUT_TEST_SECOND_PROCESS") else {
        return;
    };
    let store = Store::open(&url, clock()).await.unwrap();
    let connection = store.connection(&name());
    let lease = connection
        .lease("the other process", Duration::from_secs(3600))
        .await
        .unwrap();
    writeln!(std::io::stdout(), "\nholding {}", lease.fence).unwrap();
    loop {
        connection
            .commit(facts(vec![Fact::Note {
                text: "theirs".to_owned(),
            }]))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_killed_holder_s_lease_is_taken_over() {
    let bed = Bed::sqlite().await;
    let store = bed.store().await;
    let connection = store.connection(&name());
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "second_process", "--nocapture"])
        .env("TIEOUT_TEST_SECOND_PROCESS", &bed.url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(other.stdout.take().unwrap()).lines();
    let line = lines
        .map_while(Result::ok)
        .find(|line| line.starts_with("holding"))
        .unwrap();
    assert_eq!(line, "holding 1");

    let ttl = Duration::from_secs(60);
    let error = connection.lease("us", ttl).await.unwrap_err();
    assert_eq!(error.code().as_str(), "lease-held", "{error}");
    for _ in 0..50 {
        let note = Fact::Note {
            text: "ours".to_owned(),
        };
        connection.commit(facts(vec![note])).await.unwrap();
    }
    other.kill().unwrap();
    other.wait().unwrap();
    let lease = connection.lease("us", ttl).await.unwrap();
    assert_eq!(lease.fence, 2);
    let verification = store.verify().await.unwrap();
    assert!(verification.holds(), "{:?}", verification.faults);
    assert!(verification.chains[0].entries >= 50);
}

#[test]
fn every_failure_has_a_page() {
    let text = || String::from("x");
    let at = Timestamp::UNIX_EPOCH;
    let failures = [
        StoreError::Unreachable { cause: text() },
        StoreError::Newer { found: 2, known: 1 },
        StoreError::Older { found: 1, known: 2 },
        StoreError::ServerOld {
            found: 14,
            known: 16,
        },
        StoreError::AddressUnfit { cause: text() },
        StoreError::Incomplete { since: text() },
        StoreError::NotEmpty {
            place: text(),
            table: text(),
        },
        StoreError::InUse { cause: text() },
        StoreError::CopyDiffers { cause: text() },
        StoreError::Denied { cause: text() },
        StoreError::Corrupt { cause: text() },
        StoreError::Full { cause: text() },
        StoreError::Busy { cause: text() },
        StoreError::Fenced {
            connection: text(),
            given: 1,
            current: 2,
        },
        StoreError::Held {
            connection: text(),
            by: text(),
            until: at,
            run: None,
        },
        StoreError::Contradiction { cause: text() },
        StoreError::VaultKeyMissing { cause: text() },
        StoreError::VaultKeyWrong { cause: text() },
        StoreError::CredentialMissing { name: text() },
        StoreError::NameUnfit {
            name: text(),
            cause: text(),
        },
        StoreError::UserExists { name: text() },
        StoreError::UserMissing { name: text() },
        StoreError::LastAdmin { name: text() },
        StoreError::PasswordUnfit { cause: text() },
        StoreError::TokenExists { name: text() },
        StoreError::TokenMissing { name: text() },
        StoreError::ApprovalOpen { by: text() },
        StoreError::ApprovalClosed {
            request: 1,
            cause: text(),
        },
        StoreError::ApprovalByAsker { user: text() },
    ];
    for failure in failures {
        assert!(
            !failure.fix().is_empty(),
            "{} has no page with a fix",
            failure.code()
        );
    }
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_told() {
    for (url, code) in [
        ("mysql://x", "store-address"),
        ("sqlite:", "store-address"),
        ("sqlite::memory:", "store-address"),
        ("sqlite:/no/such/folder/a.db", "store-unreachable"),
        (
            "postgres://127.0.0.1:1/x?connect_timeout=5",
            "store-address",
        ),
        ("postgres://127.0.0.1:1,127.0.0.1:2/x", "store-unreachable"),
    ] {
        let error = Store::open(url, clock()).await.unwrap_err();
        assert_eq!(error.code().as_str(), code, "{url}: {error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no.db");
    std::fs::write(
        &path,
        "this is no database, and long enough to be seen to be none ".repeat(40),
    )
    .unwrap();
    let error = Store::open(&format!("sqlite:{}", path.display()), clock())
        .await
        .unwrap_err();
    assert!(
        matches!(error.code().as_str(), "store-corrupt" | "store-unreachable"),
        "{error}"
    );
}

#[tokio::test]
async fn an_account_is_found_by_its_number() {
    let bed = Bed::sqlite().await;
    let store = bed.store().await;
    let connection = store.connection(&name());
    let account = Document::Account(Account {
        number: "6000".to_owned(),
        name: "Rent".to_owned(),
        path: "Rent".to_owned(),
        account_kind: AccountKind::Expense,
        parent: None,
        summary: false,
        inactive: false,
        subsidiaries: Vec::new(),
        description: String::new(),
    });
    let records = vec![seen(Side::Ledger, "55", account, "6000")];
    connection
        .commit(Commit {
            records,
            ..Commit::default()
        })
        .await
        .unwrap();
    let found = connection.find("6000", 5).await.unwrap();
    assert_eq!(found[0].0, record(Kind::Account, "55"));
}

#[tokio::test]
async fn many_open_an_empty_database_at_once() {
    let bed = Bed::sqlite().await;
    let stores = futures::future::join_all((0..8).map(|_| bed.store())).await;
    for store in &stores {
        sample(store).await;
    }
    assert_holds(&stores[0]).await;
}

fn pause(reason: &str) -> Fact {
    Fact::Paused {
        reason: reason.to_owned(),
    }
}

fn resume() -> Fact {
    Fact::Resumed {
        reason: "it is over".to_owned(),
    }
}

async fn s239_no_attempt_is_journaled_while_remote_writes_are_stopped(_: &Bed, store: &Store) {
    let mine = store.connection(&name());
    let write = mine.commit(facts(vec![intended("1")])).await.unwrap()[0];
    let attempt = || {
        facts(vec![Fact::Attempted {
            writes: vec![write],
            there: None,
        }])
    };
    let refused = |error: StoreError| match error {
        StoreError::Stopped(stop) => stop,
        other => panic!("{other}"),
    };
    mine.commit(facts(vec![pause("a doubt")])).await.unwrap();
    let stop = refused(mine.commit(attempt()).await.unwrap_err());
    assert_eq!(stop.connection, Some(name()));
    assert_eq!(
        (stop.kind, stop.reason.as_str()),
        (StopKind::Paused, "a doubt")
    );
    assert_eq!(
        mine.open_writes().await.unwrap()[0].status,
        WriteStatus::Intended
    );
    // Another connection goes on, until all are stopped.
    let other = store.connection(&"acme-uk".parse().unwrap());
    let theirs = other.commit(facts(vec![intended("1")])).await.unwrap()[0];
    let their_attempt = || {
        facts(vec![Fact::Attempted {
            writes: vec![theirs],
            there: None,
        }])
    };
    other.commit(their_attempt()).await.unwrap();
    store
        .installation()
        .commit("ann", vec![pause("all of it")])
        .await
        .unwrap();
    let stop = refused(other.commit(their_attempt()).await.unwrap_err());
    assert_eq!((stop.connection, stop.actor.as_str()), (None, "ann"));
    // Neither lifts the other; what was sent before is still answered, and states are still said.
    mine.commit(facts(vec![resume()])).await.unwrap();
    assert_eq!(
        refused(mine.commit(attempt()).await.unwrap_err()).connection,
        None
    );
    let unknown = Fact::Unknown {
        write: theirs,
        cause: "no answer".to_owned(),
    };
    other
        .commit(facts(vec![unknown, stated("1", Outcome::done())]))
        .await
        .unwrap();
    store
        .installation()
        .commit("ann", vec![resume()])
        .await
        .unwrap();
    mine.commit(attempt()).await.unwrap();
    let needed = Fact::RecoveryNeeded {
        cause: "an old store".to_owned(),
    };
    mine.commit(facts(vec![needed])).await.unwrap();
    let stop = refused(mine.commit(attempt()).await.unwrap_err());
    assert_eq!(
        (stop.kind, stop.code().as_str()),
        (StopKind::Recovering, "recovering")
    );
    let released = Fact::Released {
        reason: "looked at it".to_owned(),
    };
    mine.commit(facts(vec![resume()])).await.unwrap();
    assert_eq!(
        mine.stops().await.unwrap().len(),
        1,
        "a pause is lifted apart from a recovery"
    );
    mine.commit(facts(vec![released])).await.unwrap();
    mine.commit(attempt()).await.unwrap();
    let verification = store.verify().await.unwrap();
    assert!(verification.holds(), "{:?}", verification.faults);
}

async fn the_first_reason_to_stop_counts_until_it_is_lifted(_: &Bed, store: &Store) {
    let mine = store.connection(&name());
    for reason in ["one", "two"] {
        mine.commit(facts(vec![pause(reason)])).await.unwrap();
    }
    mine.commit(facts(vec![
        pause("three"),
        resume(),
        pause("four"),
        pause("five"),
    ]))
    .await
    .unwrap();
    let stops = mine.stops().await.unwrap();
    assert_eq!(
        (stops.len(), stops[0].reason.as_str(), stops[0].seq),
        (1, "four", 5)
    );
    assert!(store.verify().await.unwrap().holds());
}

async fn a_stop_that_was_lifted_behind_the_history_is_named(bed: &Bed, store: &Store) {
    store
        .installation()
        .commit("ann", vec![pause("all of it")])
        .await
        .unwrap();
    assert!(store.verify().await.unwrap().holds());
    bed.run("DELETE FROM stops").await.unwrap();
    let faults = store.verify().await.unwrap().faults;
    assert!(
        faults[0].cause.contains("the stop paused is missing"),
        "{faults:?}"
    );
}

fn run_started() -> Commit {
    Commit {
        run: Some(RunId::new("r")),
        ..facts(vec![Fact::RunStarted {
            trigger: "test".to_owned(),
            flows: Vec::new(),
            limited: false,
        }])
    }
}

async fn s225_a_history_that_is_shorter_than_its_witness_tells_is_noticed(
    bed: &Bed,
    store: &Store,
) {
    if bed.server.is_some() {
        return;
    }
    let mine = store.connection(&name());
    mine.commit(facts(vec![intended("1")])).await.unwrap();
    let old = bed.folder.path().join("old.db");
    store.backup(&old).await.unwrap();
    let ttl = Duration::from_secs(60);
    mine.lease("me", ttl)
        .await
        .unwrap()
        .release()
        .await
        .unwrap();
    mine.commit(run_started()).await.unwrap();
    mine.lease("me", ttl)
        .await
        .unwrap()
        .release()
        .await
        .unwrap();
    assert!(mine.stops().await.unwrap().is_empty(), "nothing is missing");
    // Longer than the witness tells is as it must be: not every commit is told to it.
    mine.commit(facts(vec![intended("2")])).await.unwrap();
    mine.lease("me", ttl)
        .await
        .unwrap()
        .release()
        .await
        .unwrap();
    assert!(mine.stops().await.unwrap().is_empty());
    store.close().await;

    // The old copy in its place, then the old copy gone on with in another way, then none at all.
    let place = bed.folder.path().join("a store.db");
    let witness = bed.folder.path().join("a store.db.acme-us.witness");
    let told = std::fs::read(&witness).unwrap();
    for (copied, gone_on, cause) in [
        (true, 0, "had 2 entries and has 1"),
        (true, 3, "another one"),
        (false, 0, "is gone"),
    ] {
        for suffix in ["", "-wal", "-shm"] {
            let mut path = place.clone().into_os_string();
            path.push(suffix);
            let _ = std::fs::remove_file(path);
        }
        if copied {
            std::fs::copy(&old, &place).unwrap();
        }
        std::fs::write(&witness, &told).unwrap();
        let store = bed.store().await;
        let mine = store.connection(&name());
        for _ in 0..gone_on {
            mine.commit(facts(vec![intended("9")])).await.unwrap();
        }
        let lease = mine.lease("me", ttl).await.unwrap();
        let stops = mine.stops().await.unwrap();
        assert_eq!(stops.len(), 1, "{cause}");
        assert_eq!(stops[0].kind, StopKind::Recovering);
        assert!(stops[0].reason.contains(cause), "{}", stops[0].reason);
        lease.release().await.unwrap();
        mine.lease("me", ttl)
            .await
            .unwrap()
            .release()
            .await
            .unwrap();
        let head = store.verify().await.unwrap().chains[0].entries;
        let said = u64::from(copied) + gone_on + 1;
        assert_eq!(head, said, "it is said once");
        // A backup that was made during a recovery, put back after it: that recovery's runs don't count.
        let began = mine.stops().await.unwrap()[0].seq;
        let entries = said + 5;
        let hash = "0".repeat(64);
        std::fs::write(
            &witness,
            serde_json::json!({"entries": entries, "hash": hash}).to_string(),
        )
        .unwrap();
        mine.lease("me", ttl)
            .await
            .unwrap()
            .release()
            .await
            .unwrap();
        let stops = mine.stops().await.unwrap();
        assert_eq!(stops.len(), 1);
        assert!(stops[0].seq > began, "it begins anew");
        store.close().await;
    }
}

async fn a_backup_is_a_whole_store_of_its_own(bed: &Bed, store: &Store) {
    let mine = store.connection(&name());
    mine.commit(facts(vec![intended("1"), stated("1", Outcome::done())]))
        .await
        .unwrap();
    let path = bed.folder.path().join("copy.db");
    if bed.server.is_some() {
        let refused = store.backup(&path).await.unwrap_err();
        assert_eq!(refused.code().as_str(), "backup-elsewhere");
        assert!(!path.exists());
        return;
    }
    let copy = store.backup(&path).await.unwrap();
    assert_eq!(copy.chains, store.verify().await.unwrap().chains);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let taken = std::fs::read(&path).unwrap();
    let refused = store.backup(&path).await.unwrap_err();
    assert_eq!(refused.code().as_str(), "backup-exists");
    assert_eq!(
        std::fs::read(&path).unwrap(),
        taken,
        "nothing is overwritten"
    );
    // What does not hold is not kept.
    bed.lift_guard().await;
    bed.run("UPDATE entries SET actor = 'mallory' WHERE seq = 1")
        .await
        .unwrap();
    let other = bed.folder.path().join("other.db");
    let broken = store.backup(&other).await.unwrap_err();
    assert_eq!(broken.code().as_str(), "backup-broken");
    let left = std::fs::read_dir(bed.folder.path()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_str().unwrap().starts_with("other")),
        "{left:?}"
    );
}

async fn marks_and_keys_lead_to_their_records(_: &Bed, store: &Store) {
    let mine = store.connection(&name());
    let marked = |number: &str, vendor: &str, id: &str| {
        let Document::Bill(it) = bill(number, "10.00", "10.00") else {
            panic!()
        };
        Document::Bill(Bill {
            vendor: vendor.into(),
            marker: Some(tieout_domain::Marker {
                account: "1234567".to_owned(),
                id: id.into(),
            }),
            ..it
        })
    };
    let commit = Commit {
        records: vec![
            seen(Side::Ledger, "4711", bill("A", "10.00", "10.00"), ""),
            seen(Side::Ledger, "4712", bill("B", "10.00", "10.00"), ""),
            seen(Side::Platform, "00n1", marked("A", "009x", "4711"), ""),
            seen(Side::Platform, "00n2", marked("A", "009y", "4711"), ""),
            seen(Side::Platform, "00n3", marked("Z", "009x", "9999"), ""),
        ],
        ..facts(vec![intended("4711")])
    };
    mine.commit(commit).await.unwrap();
    let ids = |found: Vec<tieout_store::Mirrored>| -> Vec<String> {
        found.iter().map(|it| it.observed.id.to_string()).collect()
    };
    let mark = |id: &str| tieout_domain::Marker {
        account: "1234567".to_owned(),
        id: id.into(),
    };
    let found = mine
        .records_marked(&[mark("4711"), mark("4712"), mark("4711")])
        .await
        .unwrap();
    assert_eq!(ids(found), ["00n1", "00n2"]);
    let keys = [Key::of(["bill", "B"])];
    let found = mine
        .records_keyed(Side::Ledger, Kind::Bill, &keys)
        .await
        .unwrap();
    assert_eq!(ids(found), ["4712"]);
    assert!(
        mine.records_keyed(Side::Platform, Kind::Bill, &keys)
            .await
            .unwrap()
            .is_empty()
    );
    let of = |side, vendor: &str| {
        let (mine, vendor) = (mine.clone(), RemoteId::from(vendor));
        async move { mine.marked_bills(side, "1234567", &[vendor]).await.unwrap() }
    };
    let payees: Vec<String> = of(Side::Ledger, "7")
        .await
        .iter()
        .map(|it| it.platform_vendor.to_string())
        .collect();
    assert_eq!(payees, ["009x", "009y"]);
    let owners = of(Side::Platform, "009x").await;
    assert_eq!(
        owners.len(),
        1,
        "what the ledger doesn't have proves nothing"
    );
    assert_eq!(owners[0].ledger, bill_ref("4711"));
    let traced = mine
        .traced(&[bill_ref("4711"), bill_ref("4712")])
        .await
        .unwrap();
    assert_eq!(traced.into_iter().collect::<Vec<_>>(), [bill_ref("4711")]);
}
