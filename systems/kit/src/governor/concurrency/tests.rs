use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use secrecy::SecretString;
use tieout_domain::{Clock, Lost, Timestamp};

use super::*;
use crate::governor::Governors;
use crate::seams::SystemEntropy;
use crate::{KeptError, Transport};

/// A clock that sleeping moves.
#[derive(Default)]
struct Sleepless(AtomicU64);

impl Clock for Sleepless {
    fn now(&self) -> Timestamp {
        let millis = i64::try_from(self.0.load(Ordering::SeqCst)).unwrap();
        Timestamp::from_millisecond(millis).unwrap()
    }
}

#[async_trait]
impl Timer for Sleepless {
    async fn sleep(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

/// A keeper that gives what it is told to give, and counts how often it is asked.
#[derive(Default)]
struct Keeper {
    gives: Mutex<Option<Result<Share, KeptError>>>,
    asked: AtomicUsize,
    looked: AtomicUsize,
    others_wait: Mutex<bool>,
}

impl Keeper {
    fn gives(&self, held: u64) {
        *self.gives.lock().unwrap() = Some(Ok(Share {
            held,
            others_wait: false,
        }));
    }

    fn fails(&self) {
        *self.gives.lock().unwrap() = Some(Err(KeptError("gone".to_owned())));
    }
}

#[async_trait]
impl Kept for Keeper {
    async fn get(&self, _: &str) -> Result<Option<SecretString>, KeptError> {
        Ok(None)
    }

    async fn put(&self, _: &str, _: &SecretString, _: Timestamp) -> Result<(), KeptError> {
        Ok(())
    }

    async fn remove(&self, _: &str) -> Result<(), KeptError> {
        Ok(())
    }

    async fn hold(&self, _: &str, _: Wish, _: Duration) -> Result<Option<Share>, KeptError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.gives.lock().unwrap().clone().transpose()
    }

    async fn others_wait(&self, _: &str) -> Result<bool, KeptError> {
        self.looked.fetch_add(1, Ordering::SeqCst);
        Ok(*self.others_wait.lock().unwrap())
    }
}

struct Nowhere;

#[async_trait]
impl Transport for Nowhere {
    async fn send(
        &self,
        _: http::Request<Bytes>,
        _: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        Err(Lost::NeverLeft("nowhere".to_owned()))
    }
}

fn bench() -> (Kit, Arc<Sleepless>, Arc<Keeper>) {
    let (timer, kept) = (Arc::<Sleepless>::default(), Arc::<Keeper>::default());
    let kit = Kit {
        transport: Arc::new(Nowhere),
        timer: Arc::clone(&timer) as Arc<dyn Timer>,
        entropy: Arc::new(SystemEntropy),
        kept: Arc::clone(&kept) as Arc<dyn Kept>,
        governors: Arc::new(Governors::default()),
        far_clock: Arc::default(),
    };
    (kit, timer, kept)
}

/// Whether nobody gets in, however often it is tried for a while.
async fn nobody_enters(limit: &Arc<Concurrency>, kit: &Kit) -> bool {
    let mut entering = pin!(limit.enter(kit));
    for _ in 0..20 {
        if futures::poll!(entering.as_mut()).is_ready() {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

#[tokio::test]
async fn s215_never_more_calls_at_once_than_the_limit() {
    let (kit, ..) = bench();
    let one = kit.governors.concurrency("org", 3);
    let same = kit.governors.concurrency("org", 3);
    let permits = vec![
        one.enter(&kit).await,
        same.enter(&kit).await,
        one.enter(&kit).await,
    ];
    assert!(nobody_enters(&same, &kit).await);
    drop(permits);
    let _fourth = same.enter(&kit).await;
}

#[tokio::test]
async fn the_limit_halves_when_the_service_complains_and_grows_back() {
    let (kit, ..) = bench();
    let limit = kit.governors.concurrency("org", 4);
    limit.too_many();
    let _two = (limit.enter(&kit).await, limit.enter(&kit).await);
    assert!(nobody_enters(&limit, &kit).await);
    for _ in 0..20 {
        limit.went_well();
    }
    let _third = limit.enter(&kit).await;
}

#[tokio::test]
async fn s215_never_more_than_what_is_held_of_what_all_share() {
    let (kit, _, keeper) = bench();
    let limit = kit.governors.concurrency("org", 3);
    keeper.gives(2);
    let two = (limit.enter(&kit).await, limit.enter(&kit).await);
    assert!(nobody_enters(&limit, &kit).await);
    drop(two);
    let _again = limit.enter(&kit).await;
}

#[tokio::test]
async fn s224_who_was_paused_past_its_slots_begins_no_call() {
    let (kit, timer, keeper) = bench();
    let limit = kit.governors.concurrency("org", 3);
    keeper.gives(3);
    drop(limit.enter(&kit).await);
    // Meanwhile the others have taken all of them.
    timer.0.fetch_add(20_000, Ordering::SeqCst);
    keeper.gives(0);
    assert!(nobody_enters(&limit, &kit).await);
    keeper.gives(1);
    let _one = limit.enter(&kit).await;
}

#[tokio::test]
async fn the_keeper_is_not_asked_for_each_call() {
    let (kit, timer, keeper) = bench();
    let limit = kit.governors.concurrency("org", 3);
    keeper.gives(3);
    for _ in 0..500 {
        drop(limit.enter(&kit).await);
        timer.0.fetch_add(10, Ordering::SeqCst);
    }
    // Five seconds.
    assert_eq!(keeper.asked.load(Ordering::SeqCst), 1);
    assert!(keeper.looked.load(Ordering::SeqCst) <= 5);
}

#[tokio::test]
async fn a_call_that_takes_long_keeps_its_slot() {
    let (kit, _, keeper) = bench();
    let limit = kit.governors.concurrency("org", 1);
    keeper.gives(1);
    let permit = limit.enter(&kit).await;
    let asked = keeper.asked.load(Ordering::SeqCst);
    let call = async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    };
    permit.during(&kit, call).await;
    assert!(keeper.asked.load(Ordering::SeqCst) > asked + 5);
}

#[tokio::test]
async fn while_the_keeper_does_not_answer_only_what_is_in_use_is_certain() {
    let (kit, timer, keeper) = bench();
    let limit = kit.governors.concurrency("org", 3);
    keeper.gives(3);
    let _one = limit.enter(&kit).await;
    timer.0.fetch_add(9000, Ordering::SeqCst);
    keeper.fails();
    assert!(nobody_enters(&limit, &kit).await);
    keeper.gives(3);
    let _two = limit.enter(&kit).await;
}
