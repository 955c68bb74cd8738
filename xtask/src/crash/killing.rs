//! Starting syncs and killing them in the middle of their work.

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::home::Home;
use crate::panel::Caller;
use crate::sandbox::Sandbox;

/// A sync that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often the sandbox is asked how far a sync has come.
const BETWEEN_LOOKS: Duration = Duration::from_micros(500);

/// The longest that a kill is put off after its moment has come, so that it falls before a call, into it, or
/// behind it.
const AFTER_MICROSECONDS: u64 = 6_000;

/// A small generator (SplitMix64): the same seed gives the same choices on every machine.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `most`, which counts as one at least.
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % most.max(1)
    }
}

/// Calls that both services were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// All of them.
    pub(super) all: u64,
    /// Those that change something: neither queries nor sign-ins.
    pub(super) writes: u64,
}

impl Sent {
    /// As the panel tells it.
    pub(super) fn so_far(sandbox: &Sandbox, caller: &Caller) -> Result<Self> {
        Ok(Self::of(&sandbox.calls(caller)?))
    }

    fn of(calls: &Value) -> Self {
        let mut sent = Self::default();
        for service in calls
            .as_object()
            .into_iter()
            .flat_map(|services| services.values())
        {
            let by_path = service.get("by_path").and_then(Value::as_object);
            for (route, count) in by_path.into_iter().flatten() {
                let count = count.as_u64().unwrap_or_default();
                sent.all += count;
                if is_write(route) {
                    sent.writes += count;
                }
            }
        }
        sent
    }

    /// What was sent since then.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            all: self.all - before.all,
            writes: self.writes - before.writes,
        }
    }
}

fn is_write(route: &str) -> bool {
    let reads = ["GET ", "HEAD "]
        .iter()
        .any(|method| route.starts_with(method));
    let asks = ["/suiteql", "/token", "/login"]
        .iter()
        .any(|end| route.ends_with(end));
    !reads && !asks
}

/// Kills the syncs of one phase.
pub(super) struct Killing<'a> {
    pub(super) home: &'a Home,
    pub(super) sandbox: &'a Sandbox,
    pub(super) caller: &'a Caller,
    pub(super) dice: &'a mut Dice,
    /// What an undisturbed sync of this phase sends.
    pub(super) undisturbed: Sent,
}

/// When a sync is to be killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// After so many calls of any kind.
    Calls(u64),
    /// After so many writes.
    Writes(u64),
}

impl Killing<'_> {
    /// Kills so many syncs at most, one after the other, and sometimes two that are under way at once. Ends when
    /// one gets through. Gives the number of kills.
    pub(super) fn kill(&mut self, planned: u32) -> Result<u32> {
        let mut kills = 0;
        let mut waiting: Option<Child> = None;
        while kills < planned {
            let mut sync = match waiting.take() {
                Some(sync) => sync,
                None => self.home.start_sync()?,
            };
            let moment = self.moment(planned);
            let before = Sent::so_far(self.sandbox, self.caller)?;
            if self.dice.below(3) == 0 {
                // A second worker, which waits for the first one and takes over.
                waiting = Some(self.home.start_sync()?);
            }
            if !self.reached(&mut sync, moment, before)? {
                break;
            }
            let after = self.dice.below(AFTER_MICROSECONDS);
            std::thread::sleep(Duration::from_micros(after));
            if sync.try_wait()?.is_some() {
                break;
            }
            sync.kill()?;
            sync.wait()?;
            kills += 1;
        }
        if let Some(mut sync) = waiting {
            // The last one ends by itself: it has joined a run that got through, or takes over one that was killed.
            finish(&mut sync)?;
        }
        Ok(kills)
    }

    fn moment(&mut self, planned: u32) -> Moment {
        if self.dice.below(4) == 0 {
            return Moment::Calls(1 + self.dice.below(self.undisturbed.all.min(40)));
        }
        // Evenly over the sync: what is killed once is killed anywhere, but seldom after its end.
        let most = self.undisturbed.writes * 2 / (u64::from(planned) + 1);
        Moment::Writes(1 + self.dice.below(most.max(3)))
    }

    /// Waits until the moment has come; false if the sync ended before.
    fn reached(&self, sync: &mut Child, moment: Moment, before: Sent) -> Result<bool> {
        let start = Instant::now();
        loop {
            let sent = Sent::so_far(self.sandbox, self.caller)?.since(before);
            let has_come = match moment {
                Moment::Calls(calls) => sent.all >= calls,
                Moment::Writes(writes) => sent.writes >= writes,
            };
            if has_come {
                return Ok(true);
            }
            if sync.try_wait()?.is_some() {
                return Ok(false);
            }
            if start.elapsed() > PATIENCE {
                sync.kill()?;
                sync.wait()?;
                bail!("a sync hangs: {moment:?} has not come within {PATIENCE:?}");
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }
}

fn finish(sync: &mut Child) -> Result<()> {
    let start = Instant::now();
    while sync.try_wait()?.is_none() {
        if start.elapsed() > PATIENCE {
            sync.kill()?;
            sync.wait()?;
            bail!("a second sync has not ended within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_seed_decides_the_choices() {
        let draw = |seed| {
            let mut dice = Dice(seed);
            (0..5).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn writes_are_told_from_queries_and_sign_ins() {
        let sent = Sent::of(&json!({
            "bill": {"total": 6, "by_path": {"POST /v3/login": 1, "GET /v3/bills": 2, "POST /v3/bills/bulk": 3}},
            "netsuite": {"total": 5, "by_path": {"POST /services/rest/query/v1/suiteql": 4,
                "PUT /services/rest/record/v1/vendorpayment/{id}": 1}},
        }));
        assert_eq!(sent, Sent { all: 11, writes: 4 });
    }
}
