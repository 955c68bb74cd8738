//! What is to be done in the race: so many bills, by so many in a call, at so long a call.

use std::fmt;
use std::str::FromStr;

/// BILL takes no more calls at once.
const AT_ONCE: f64 = 3.0;

/// BILL takes 20,000 calls an hour. A job that needs more would be a race for the end of the hour.
const SINGLE_MAX: u32 = 19_000;

/// A job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    /// How many bills there are.
    pub(crate) bills: u32,
    /// Whether many are made by one call.
    pub(crate) bulk: bool,
    /// How long each call takes at least, in milliseconds.
    pub(crate) latency: u32,
}

/// The jobs of a whole race.
pub(crate) const ALL: [Job; 11] = [
    job(3_000, false, 0),
    job(3_000, false, 20),
    job(3_000, false, 150),
    job(3_000, true, 0),
    job(3_000, true, 20),
    job(3_000, true, 150),
    job(15_000, false, 0),
    job(15_000, false, 20),
    job(30_000, true, 0),
    job(30_000, true, 20),
    job(30_000, true, 150),
];

/// Those of a quick one.
pub(crate) const QUICK: [Job; 4] = [
    job(300, false, 0),
    job(300, false, 20),
    job(300, true, 0),
    job(300, true, 20),
];

/// A job of these.
pub(crate) const fn job(bills: u32, bulk: bool, latency: u32) -> Job {
    Job {
        bills,
        bulk,
        latency,
    }
}

impl Job {
    /// How many vendors the bills are from: no more than fit on one page of BILL's.
    pub(crate) fn vendors(self) -> u32 {
        if self.bills > 3_000 { 100 } else { 20 }
    }

    /// How many bills are made by one call.
    pub(crate) fn bills_a_call(self) -> u32 {
        if self.bulk { 100 } else { 1 }
    }

    /// How many vendors are made by one call.
    pub(crate) fn vendors_a_call(self) -> u32 {
        if self.bulk { 20 } else { 1 }
    }

    /// The calls that make something.
    pub(crate) fn calls(self) -> u32 {
        self.bills.div_ceil(self.bills_a_call()) + self.vendors().div_ceil(self.vendors_a_call())
    }

    /// How many seconds these take at least: three of them at once.
    pub(crate) fn bound(self) -> f64 {
        f64::from(self.calls()) * f64::from(self.latency) / 1000.0 / AT_ONCE
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.bulk { "bulk" } else { "single" };
        write!(f, "{}-{how}-{}ms", self.bills, self.latency)
    }
}

impl FromStr for Job {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form =
            || format!("`{text}` is no job; write one such as 3000-single-20ms or 30000-bulk-0ms");
        let parts: Vec<&str> = text.split('-').collect();
        let [bills, how, latency] = parts[..] else {
            return Err(form());
        };
        let bulk = match how {
            "bulk" => true,
            "single" => false,
            _ => return Err(form()),
        };
        let latency = latency.strip_suffix("ms").unwrap_or(latency);
        let read = |text: &str| text.parse().map_err(|_| form());
        let job = job(read(bills)?, bulk, read(latency)?);
        if job.bills == 0 || !bulk && job.bills > SINGLE_MAX {
            return Err(format!(
                "one by one, up to {SINGLE_MAX} bills: BILL takes 20,000 calls an hour"
            ));
        }
        Ok(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_read_as_it_is_written() {
        for job in ALL.into_iter().chain(QUICK) {
            assert_eq!(job.to_string().parse(), Ok(job));
        }
        for wrong in [
            "3000",
            "3000-many-0ms",
            "x-bulk-0ms",
            "20000-single-0ms",
            "0-bulk-0ms",
        ] {
            assert!(wrong.parse::<Job>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn three_calls_at_once_are_the_bound() {
        let seconds = job(3_000, false, 20).bound();
        assert!((seconds - 20.133).abs() < 0.001, "{seconds}");
        assert_eq!(job(30_000, true, 20).calls(), 305);
    }
}
