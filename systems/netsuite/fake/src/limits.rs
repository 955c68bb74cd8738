//! How many calls may run at once (README, section *Limits*): the account's limit covers all services
//! together, and a call beyond it is refused at once, never queued.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::problem::Problem;

/// The account's concurrency allowance.
#[derive(Debug)]
pub(crate) struct Limits {
    limit: AtomicUsize,
    running: Arc<AtomicUsize>,
}

/// A running call; dropping it ends the call.
#[derive(Debug)]
pub(crate) struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Limits {
    /// An allowance of `limit` calls at once.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit: AtomicUsize::new(limit),
            running: Arc::default(),
        }
    }

    /// The allowance.
    pub(crate) fn limit(&self) -> usize {
        self.limit.load(Ordering::Acquire)
    }

    /// Changes the allowance; calls that run keep running.
    pub(crate) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Release);
    }

    /// Begins a call, or refuses it. `disguised` answers as some accounts do under load: with a 401 that
    /// looks like a failed sign-in.
    pub(crate) fn begin(&self, disguised: bool) -> Result<Running, Problem> {
        let limit = self.limit();
        self.running
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |running| {
                (running < limit).then_some(running + 1)
            })
            .map(|_| Running(Arc::clone(&self.running)))
            .map_err(|_| {
                if disguised {
                    invalid_login()
                } else {
                    overloaded()
                }
            })
    }
}

/// 429, as documented.
fn overloaded() -> Problem {
    Problem::new(
        429,
        "CONCURRENCY_LIMIT_EXCEEDED",
        "Concurrent request limit exceeded. Request blocked.",
    )
}

/// The one answer for every failed sign-in: the reason is in the login audit trail alone.
pub(crate) fn invalid_login() -> Problem {
    Problem::new(
        401,
        "INVALID_LOGIN",
        "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at \
         Setup > Users/Roles > User Management > View Login Audit Trail.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_call_is_refused_until_one_ends() {
        let limits = Limits::new(5);
        let mut running: Vec<_> = (0..5).map(|_| limits.begin(false).unwrap()).collect();
        assert_eq!(limits.begin(false).unwrap_err().status, 429);
        assert_eq!(limits.begin(true).unwrap_err().status, 401);
        running.pop();
        assert!(limits.begin(false).is_ok());
    }
}
