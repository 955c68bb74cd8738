//! What stands between a client and the network: it keeps back what the lease no longer covers, and reads the
//! far side's clock from every answer.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::{Either, select};
use http::HeaderMap;
use jiff::SignedDuration;
use tieout_domain::{Holding, Lost, Timer, Timestamp};

use crate::transport::Transport;

/// The far side's clock, as its answers tell it (RFC 9110 §6.6.1), carried on by a clock of ours that nobody
/// sets. A step of this machine's time changes nothing about it.
///
/// How long a write is waited for goes by it, so one answer alone doesn't set it anew: a page out of a cache bears the time
/// at which it was made, and a gateway's own clock is another one.
#[derive(Debug, Default)]
pub struct FarClock {
    told: Mutex<Told>,
}

/// A time over there, and how long our clock had been running then.
type Moment = (Timestamp, Duration);

#[derive(Debug, Default)]
struct Told {
    /// What the last answer said that can be believed.
    last: Option<Moment>,
    /// What the last one said that can't: the next may bear it out.
    doubtful: Option<Moment>,
}

/// How far an answer's time may be from what is known of the clock: its seconds are whole ones, and it takes a while to come.
const STRAYS_SECONDS: i64 = 60;

impl FarClock {
    /// The far side's time at a moment of our [`uptime`](tieout_domain::Clock::uptime), past or present; to the
    /// second. `None` before the first answer.
    #[must_use]
    pub fn at(&self, uptime: Duration) -> Option<Timestamp> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        carried_on(told.last?, uptime)
    }

    /// The service has answered. What a cache on the way has kept says nothing of the time now.
    fn note(&self, headers: &HeaderMap, uptime: Duration) {
        if headers.contains_key(http::header::AGE) {
            return;
        }
        let date = headers
            .get(http::header::DATE)
            .and_then(|value| value.to_str().ok());
        if let Some(date) = date.and_then(|text| jiff::fmt::rfc2822::parse(text).ok()) {
            let said = (date.timestamp(), uptime);
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let fits = |known: Moment| {
                let known = carried_on(known, uptime);
                known.is_some_and(|known| {
                    (known.as_second() - said.0.as_second()).abs() <= STRAYS_SECONDS
                })
            };
            if told.last.is_none_or(fits) || told.doubtful.is_some_and(fits) {
                told.last = Some(said);
                told.doubtful = None;
            } else {
                told.doubtful = Some(said);
            }
        }
    }
}

/// What a clock over there shows at a moment of ours.
fn carried_on((date, seen): Moment, uptime: Duration) -> Option<Timestamp> {
    let since = signed(uptime).checked_sub(signed(seen))?;
    date.checked_add(since).ok()
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// A transport that sends nothing once the connection is held no longer.
pub struct Guarded {
    inner: Arc<dyn Transport>,
    holding: Arc<Holding>,
    far: Arc<FarClock>,
    timer: Arc<dyn Timer>,
}

impl Guarded {
    /// Sends through `inner` for as long as the connection is held, and sets the far clock.
    pub fn new(
        inner: Arc<dyn Transport>,
        holding: Arc<Holding>,
        far: Arc<FarClock>,
        timer: Arc<dyn Timer>,
    ) -> Self {
        Self {
            inner,
            holding,
            far,
            timer,
        }
    }
}

#[async_trait]
impl Transport for Guarded {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        deadline: Duration,
    ) -> Result<http::Response<Bytes>, Lost> {
        let left = self.holding.left(&*self.timer);
        if left.is_zero() {
            let why = if self.holding.is_cut() {
                "tieout is stopping"
            } else {
                "the lease on this connection has ended"
            };
            return Err(Lost::NeverLeft(why.to_owned()));
        }
        let answer = self.while_held(left, self.inner.send(request, deadline));
        let answer = answer.await?;
        if answer.status().is_success() {
            self.far.note(answer.headers(), self.timer.uptime());
        }
        Ok(answer)
    }
}

impl Guarded {
    /// Waits for an answer for as long as the connection is held, which is renewed meanwhile.
    async fn while_held<T>(
        &self,
        mut left: Duration,
        answer: impl Future<Output = Result<T, Lost>>,
    ) -> Result<T, Lost> {
        let mut answer = pin!(answer);
        loop {
            if left == Duration::MAX {
                return answer.await;
            }
            match select(answer, self.timer.sleep(left)).await {
                Either::Left((answer, _)) => return answer,
                Either::Right(((), waiting)) => answer = waiting,
            }
            left = self.holding.left(&*self.timer);
            if left.is_zero() {
                let why = "the lease on this connection ended before the answer came";
                return Err(Lost::Unknown(why.to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use tieout_domain::Clock;

    use super::*;

    /// Its wall time is set by hand, apart from its uptime.
    #[derive(Default)]
    struct Clocks {
        wall_seconds: AtomicU64,
        uptime_seconds: AtomicU64,
    }

    impl Clock for Clocks {
        fn now(&self) -> Timestamp {
            let seconds = self.wall_seconds.load(Ordering::Relaxed);
            Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap()
        }

        fn uptime(&self) -> Duration {
            Duration::from_secs(self.uptime_seconds.load(Ordering::Relaxed))
        }
    }

    #[async_trait]
    impl Timer for Clocks {
        async fn sleep(&self, duration: Duration) {
            let seconds = duration.as_secs();
            self.wall_seconds.fetch_add(seconds, Ordering::Relaxed);
            self.uptime_seconds.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    /// Answers with a date, and remembers the deadline it was given.
    #[derive(Default)]
    struct Far {
        deadlines: Mutex<Vec<Duration>>,
        silent: AtomicBool,
    }

    #[async_trait]
    impl Transport for Far {
        async fn send(
            &self,
            _request: http::Request<Bytes>,
            deadline: Duration,
        ) -> Result<http::Response<Bytes>, Lost> {
            self.deadlines.lock().unwrap().push(deadline);
            if self.silent.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            let answer = http::Response::builder().header("date", "Fri, 12 Jun 2026 10:20:00 GMT");
            Ok(answer.body(Bytes::new()).unwrap())
        }
    }

    #[test]
    fn an_answer_that_a_cache_has_kept_says_nothing_of_the_far_clock() {
        let far = FarClock::default();
        let mut headers = HeaderMap::new();
        let date = http::HeaderValue::from_static("Fri, 12 Jun 2026 10:20:00 GMT");
        headers.insert(http::header::DATE, date);
        headers.insert(http::header::AGE, http::HeaderValue::from_static("0"));
        far.note(&headers, Duration::ZERO);
        assert_eq!(far.at(Duration::ZERO), None);
        headers.remove(http::header::AGE);
        far.note(&headers, Duration::ZERO);
        assert!(far.at(Duration::ZERO).is_some());
    }

    #[test]
    fn one_answer_that_is_out_of_time_does_not_set_the_far_clock() {
        let far = FarClock::default();
        let note = |date: &'static str, second| {
            let mut headers = HeaderMap::new();
            let date = http::HeaderValue::from_static(date);
            headers.insert(http::header::DATE, date);
            far.note(&headers, Duration::from_secs(second));
            far.at(Duration::from_secs(second)).unwrap().to_string()
        };
        note("Fri, 12 Jun 2026 10:20:00 GMT", 0);
        // Out of a cache.
        let stale = note("Fri, 12 Jun 2026 10:00:00 GMT", 10);
        assert_eq!(stale, "2026-06-12T10:20:10Z");
        let right = note("Fri, 12 Jun 2026 10:20:21 GMT", 20);
        assert_eq!(right, "2026-06-12T10:20:21Z");
        let stale = note("Fri, 12 Jun 2026 10:00:10 GMT", 30);
        assert_eq!(stale, "2026-06-12T10:20:31Z");
        // The clock over there is set: the second answer bears it out.
        let doubtful = note("Fri, 12 Jun 2026 11:20:40 GMT", 40);
        assert_eq!(doubtful, "2026-06-12T10:20:41Z");
        let set = note("Fri, 12 Jun 2026 11:20:50 GMT", 50);
        assert_eq!(set, "2026-06-12T11:20:50Z");
    }

    struct Bench {
        clocks: Arc<Clocks>,
        holding: Arc<Holding>,
        far: Arc<FarClock>,
        peer: Arc<Far>,
        guarded: Guarded,
    }

    fn bench() -> Bench {
        let clocks = Arc::new(Clocks::default());
        let (holding, far, peer) = (Arc::default(), Arc::default(), Arc::<Far>::default());
        let guarded = Guarded::new(
            Arc::clone(&peer) as Arc<dyn Transport>,
            Arc::clone(&holding),
            Arc::clone(&far),
            Arc::clone(&clocks) as Arc<dyn Timer>,
        );
        Bench {
            clocks,
            holding,
            far,
            peer,
            guarded,
        }
    }

    fn request() -> http::Request<Bytes> {
        http::Request::new(Bytes::new())
    }

    #[tokio::test]
    async fn s224_nothing_is_sent_after_the_lease_and_no_answer_awaited_beyond_it() {
        let bench = bench();
        let minute = Duration::from_secs(60);
        bench.guarded.send(request(), minute).await.unwrap();
        let until = Timestamp::from_second(20).unwrap();
        bench.holding.extend(until, Duration::from_secs(20));
        bench.guarded.send(request(), minute).await.unwrap();
        bench.clocks.wall_seconds.store(20, Ordering::Relaxed);
        let lost = bench.guarded.send(request(), minute).await.unwrap_err();
        assert!(matches!(lost, Lost::NeverLeft(_)), "{lost:?}");
        // One that was sent in time is waited for until then: it may be renewed meanwhile.
        bench.clocks.wall_seconds.store(0, Ordering::Relaxed);
        bench.peer.silent.store(true, Ordering::Relaxed);
        let lost = bench.guarded.send(request(), minute).await.unwrap_err();
        assert!(matches!(lost, Lost::Unknown(_)), "{lost:?}");
        assert_eq!(bench.clocks.uptime(), Duration::from_secs(20));
        assert_eq!(*bench.peer.deadlines.lock().unwrap(), [minute; 3]);
    }

    #[tokio::test]
    async fn the_far_clock_goes_on_by_uptime_and_not_by_a_clock_that_people_set() {
        let bench = bench();
        assert_eq!(bench.far.at(Duration::ZERO), None);
        bench.clocks.uptime_seconds.store(100, Ordering::Relaxed);
        bench
            .guarded
            .send(request(), Duration::from_secs(60))
            .await
            .unwrap();
        bench.clocks.wall_seconds.store(999_999, Ordering::Relaxed);
        for (uptime, expected) in [
            (100, "2026-06-12T10:20:00Z"),
            (130, "2026-06-12T10:20:30Z"),
            (95, "2026-06-12T10:19:55Z"),
        ] {
            let at = bench.far.at(Duration::from_secs(uptime)).unwrap();
            assert_eq!(at, expected.parse().unwrap());
        }
    }
}
