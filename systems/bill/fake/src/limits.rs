//! The caps of a developer key (README §Limits): 3 calls at a time, 20,000 calls and 200 sign-ins an hour.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::Options;
use crate::problem::Problem;

/// Calls of the current clock hour.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    hour: i64,
    calls: u32,
    logins: u32,
}

impl Limits {
    /// Counts a call; refuses it when the hour's allowance is used up.
    pub(crate) fn call(&mut self, now: Timestamp, options: &Options) -> Result<(), Problem> {
        self.turn(now);
        self.calls += 1;
        if self.calls > options.calls_per_hour {
            return Err(Problem::limit(
                "BDC_1144",
                "Maximum number of requests per hour reached",
            ));
        }
        Ok(())
    }

    /// Counts a sign-in likewise.
    pub(crate) fn login(&mut self, now: Timestamp, options: &Options) -> Result<(), Problem> {
        self.turn(now);
        self.logins += 1;
        if self.logins > options.logins_per_hour {
            return Err(Problem::limit(
                "BDC_1144",
                "Maximum number of logins per hour reached",
            ));
        }
        Ok(())
    }

    fn turn(&mut self, now: Timestamp) {
        let hour = now.as_second().div_euclid(3600);
        if hour != self.hour {
            *self = Self {
                hour,
                calls: 0,
                logins: 0,
            };
        }
    }
}

/// Who is being served right now, by developer key.
#[derive(Debug, Default, Clone)]
pub(crate) struct InFlight(Arc<Mutex<HashMap<String, u32>>>);

/// A place among the calls in flight; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    all: InFlight,
    key: String,
}

impl InFlight {
    /// Takes a place, if there is one.
    pub(crate) fn enter(&self, key: &str, most: u32) -> Result<Place, Problem> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(key.to_owned()).or_default();
        if *count >= most {
            let message = "Maximum number of concurrent requests per organization reached";
            return Err(Problem::limit("BDC_1322", message));
        }
        *count += 1;
        Ok(Place {
            all: self.clone(),
            key: key.to_owned(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.key) {
            *count -= 1;
        }
    }
}
