//! What processes share: slots for calls, an hour's calls, who serves, and who does what is due.

use std::sync::Arc;
use std::time::Duration;

use tieout_domain::{Clock as _, Timestamp};
use tieout_store::{Beat, Claim, Seams, SlotsAsked, Store, StoreError, Taken};

use crate::{Bed, TestClock, name};

const HELD: Duration = Duration::from_secs(45);

fn ask(in_use: u64, wanted: u64) -> SlotsAsked {
    SlotsAsked {
        most: 3,
        in_use,
        wanted,
    }
}

async fn held(store: &Store, in_use: u64, wanted: u64) -> u64 {
    let held = store.hold_slots("org", ask(in_use, wanted), HELD).await;
    held.unwrap().held
}

pub(crate) async fn s215_slots_are_shared_out_and_never_more_than_there_are(
    bed: &Bed,
    store: &Store,
) {
    let other = bed.store().await;
    assert_eq!(held(store, 0, 3).await, 3);
    assert_eq!(held(&other, 0, 3).await, 0);
    assert!(store.others_wait_for_slots("org").await.unwrap());
    assert!(!store.others_wait_for_slots("another").await.unwrap());
    // Who has more than its share gives back what it isn't using.
    assert_eq!(held(store, 3, 3).await, 3);
    assert_eq!(held(store, 1, 3).await, 2);
    assert_eq!(held(&other, 0, 3).await, 1);
    store.give_back_slots("org").await.unwrap();
    assert_eq!(held(&other, 1, 3).await, 3);
    // Not renewed in time, they are anybody's: whoever had them gets none, also for what it is using.
    bed.clock.advance(Duration::from_secs(46));
    assert_eq!(held(store, 0, 3).await, 3);
    assert_eq!(held(&other, 2, 3).await, 0);
    other.close().await;
}

pub(crate) async fn slots_of_a_process_that_died_are_free(bed: &Bed, store: &Store) {
    let other = bed.store().await;
    assert_eq!(held(&other, 0, 3).await, 3);
    other.close().await;
    drop(other);
    if bed.server.is_some() {
        // Nothing tells but time.
        assert_eq!(held(store, 0, 1).await, 0);
        bed.clock.advance(Duration::from_secs(46));
    }
    assert_eq!(held(store, 0, 1).await, 1);
}

pub(crate) async fn an_hour_s_calls_are_taken_in_portions(bed: &Bed, store: &Store) {
    let other = bed.store().await;
    let now: Timestamp = "2026-06-12T10:59:59Z".parse().unwrap();
    let take = async |store: &Store, some| store.take_allowances("key", now, some, 10).await;
    let first = take(store, 4).await.unwrap();
    assert_eq!(first.some, 4);
    assert_eq!(take(&other, 50).await.unwrap().some, 6);
    assert_eq!(take(store, 1).await.unwrap().some, 0);
    let unused = Taken { some: 3, ..first };
    store.give_back_allowances("key", unused).await.unwrap();
    assert_eq!(take(&other, 50).await.unwrap().some, 3);
    // What is left of an hour that is over goes nowhere.
    let later = now + Duration::from_secs(1);
    let next = store.take_allowances("key", later, 10, 10).await.unwrap();
    store.give_back_allowances("key", unused).await.unwrap();
    assert_eq!((next.some, next.hour), (10, first.hour + 1));
    assert_eq!(
        store
            .take_allowances("key", later, 1, 10)
            .await
            .unwrap()
            .some,
        0
    );
    // A clock that was a month ahead has taken some. Once it is set, the hour that is counts again.
    let wrong = now + Duration::from_secs(30 * 24 * 3600);
    store.take_allowances("set", wrong, 10, 10).await.unwrap();
    let right = store.take_allowances("set", later, 4, 10).await.unwrap();
    assert_eq!((right.some, right.hour), (4, next.hour));
    other.close().await;
}

fn beat(name: &str) -> Beat<'_> {
    Beat {
        name,
        version: "1.2.3",
        runs: 2,
        time: Duration::from_secs(20),
    }
}

pub(crate) async fn what_is_due_is_done_by_one_node(bed: &Bed, store: &Store) {
    let other = bed.store().await;
    store.beat(beat("one")).await.unwrap();
    other.beat(beat("two")).await.unwrap();
    let tick = Some(bed.clock.now());
    let claim = async |store: &Store, due| store.claim("run/acme", &[], due).await.unwrap();
    assert_eq!(claim(store, tick).await, Claim::Ours);
    assert_eq!(claim(&other, tick).await, Claim::Elsewhere);
    assert_eq!(claim(&other, None).await, Claim::Elsewhere);
    store.end_claim("run/acme", &[]).await.unwrap();
    assert_eq!(claim(&other, tick).await, Claim::Done);
    // The next tick of a node whose clock is behind is the same for one that is ahead.
    let next = tick.map(|tick| tick + Duration::from_secs(900));
    assert_eq!(claim(&other, next).await, Claim::Ours);
    other.end_claim("run/acme", &[]).await.unwrap();
    assert_eq!(claim(store, next).await, Claim::Done);
    assert_eq!(claim(&other, None).await, Claim::Ours);
    // A claim that isn't one's own is not ended.
    store.end_claim("run/acme", &[]).await.unwrap();
    assert_eq!(claim(store, None).await, Claim::Elsewhere);
    assert_eq!(store.left_undone().await.unwrap(), Vec::<String>::new());
    // The other is silent: what it had begun is anybody's.
    bed.clock.advance(Duration::from_secs(21));
    store.beat(beat("one")).await.unwrap();
    assert_eq!(store.left_undone().await.unwrap(), ["run/acme"]);
    assert_eq!(claim(store, next).await, Claim::Ours);
    assert_eq!(claim(&other, None).await, Claim::Elsewhere);
    store.leave().await.unwrap();
    assert_eq!(claim(&other, None).await, Claim::Ours);
    other.close().await;
}

pub(crate) async fn nodes_are_known_by_name_and_drained(bed: &Bed, store: &Store) {
    let other = bed.store().await;
    assert_eq!(store.beat(beat("one")).await.unwrap(), None);
    other.beat(beat("two")).await.unwrap();
    assert!(store.drain("two", "user:ann").await.unwrap());
    assert!(!store.drain("two", "user:bob").await.unwrap());
    assert_eq!(store.beat(beat("one")).await.unwrap(), None);
    assert_eq!(
        other.beat(beat("two")).await.unwrap().unwrap().by,
        "user:ann"
    );
    let nodes = store.nodes().await.unwrap();
    let told: Vec<_> = nodes
        .iter()
        .map(|node| {
            (
                node.name.as_str(),
                node.alive,
                node.this,
                node.drain.is_some(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [("one", true, true, false), ("two", true, false, true)]
    );
    assert_eq!((nodes[0].version.as_str(), nodes[0].runs), ("1.2.3", 2));
    assert!(nodes[0].schema > 0 && nodes[0].beat >= nodes[0].since);
    assert!(store.undrain("two").await.unwrap());
    assert!(!store.undrain("two").await.unwrap());
    // One that has started again takes the place of its life before, once that is certainly over.
    bed.clock.advance(Duration::from_secs(21));
    let again = bed.store().await;
    again.beat(beat("two")).await.unwrap();
    let nodes = store.nodes().await.unwrap();
    let told: Vec<_> = nodes
        .iter()
        .map(|node| (node.name.as_str(), node.alive))
        .collect();
    assert_eq!(told, [("one", false), ("two", true)]);
    other.close().await;
    again.close().await;
}

/// A store beside PostgreSQL whose process has a clock of its own.
async fn on_its_own_clock(bed: &Bed, clock: &Arc<TestClock>) -> Store {
    Store::open_among(&bed.url, Seams::of(Arc::clone(clock) as Arc<_>))
        .await
        .unwrap()
}

pub(crate) async fn s224_of_many_who_ask_for_the_first_lease_at_once_one_has_it(
    _: &Bed,
    store: &Store,
) {
    for number in 0..20 {
        let connection = store.connection(&format!("new-{number}").parse().unwrap());
        let asked = (0..6).map(|_| connection.lease("a node", Duration::from_secs(60)));
        let answers = futures::future::join_all(asked).await;
        let had = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(had, 1, "{answers:?}");
    }
}

pub(crate) async fn s221_a_lease_goes_by_the_database_s_clock(bed: &Bed, _: &Store) {
    if bed.server.is_none() {
        return;
    }
    let clock = crate::clock();
    let (one, two) = (
        on_its_own_clock(bed, &clock).await,
        on_its_own_clock(bed, &crate::clock()).await,
    );
    let minute = Duration::from_secs(60);
    let (mine, theirs) = (one.connection(&name()), two.connection(&name()));
    let lease = mine.lease("one", minute).await.unwrap();
    // Its holder's clock is set an hour ahead: it believes less than is true, and nobody takes over for that.
    clock.advance(minute * 60);
    assert!(lease.until() < clock.now());
    let error = theirs.lease("two", minute).await.unwrap_err();
    assert!(matches!(error, StoreError::Held { .. }), "{error}");
    assert!(theirs.lease_holder().await.unwrap().is_some());
    lease.release().await.unwrap();
    let next = theirs.lease("two", Duration::ZERO).await.unwrap();
    assert_eq!(next.fence, 2);
    // The hour turns by the database's clock, and turns are waited for by one's own.
    let (here, there) = (clock.now(), Timestamp::from_second(0).unwrap());
    let hour = one.take_allowances("key", here, 1, 9).await.unwrap().hour;
    let same = two.take_allowances("key", there, 1, 9).await.unwrap().hour;
    assert!(same == hour || same == hour + 1);
    let every = Duration::from_secs(60);
    assert_eq!(one.take_turn("key", here, every).await.unwrap(), here);
    let next = two.take_turn("key", there, every).await.unwrap();
    assert!(next > there && next <= there + every);
    one.close().await;
    two.close().await;
}

pub(crate) async fn a_tick_was_kept_only_by_a_run_that_included_its_work(bed: &Bed, store: &Store) {
    let parts = |of: &[&str]| {
        let named = of.iter().map(|part| format!("run/acme/{part}"));
        named.collect::<Vec<_>>()
    };
    let (all, whole) = (parts(&["all"]), parts(&["whole"]));
    let claim = async |parts: &[String], due| store.claim("run/acme", parts, due).await.unwrap();
    let first = Some(bed.clock.now());
    bed.clock.advance(Duration::from_secs(120));
    let night = Some(bed.clock.now());
    // It begins late, after the whole read has become due.
    bed.clock.advance(Duration::from_secs(60));
    assert_eq!(claim(&all, first).await, Claim::Ours);
    store.end_claim("run/acme", &all).await.unwrap();
    assert_eq!(claim(&all, first).await, Claim::Done);
    assert_eq!(claim(&whole, night).await, Claim::Ours);
    bed.clock.advance(Duration::from_secs(60));
    let next = Some(bed.clock.now());
    store
        .end_claim("run/acme", &parts(&["whole", "all"]))
        .await
        .unwrap();
    assert_eq!(claim(&whole, night).await, Claim::Done);
    assert_eq!(claim(&all, next).await, Claim::Ours);
    // What was only begun has kept nothing.
    assert_eq!(claim(&all, next).await, Claim::Ours);
    store.end_claim("run/acme", &all).await.unwrap();
    assert_eq!(claim(&parts(&["all", "whole"]), next).await, Claim::Ours);
    store.end_claim("run/acme", &[]).await.unwrap();
}
