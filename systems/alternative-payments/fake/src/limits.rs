//! How many calls a key may make in any second (README §Connecting).
//!
//! A sandbox's clock may stand still while its callers wait by the wall, or leap while they wait by it: a second is
//! over as soon as either clock says so.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::problem::Problem;

/// The moment of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// By the sandbox's clock.
    pub(crate) sandbox: Timestamp,
    /// By the wall.
    pub(crate) wall: Timestamp,
}

impl Moment {
    /// Whether this was a second ago, or longer; a clock that was set back says so too.
    fn is_over(self, now: Self) -> bool {
        let second = |then: Timestamp, now: Timestamp| {
            now.duration_since(then).abs() >= SignedDuration::from_secs(1)
        };
        second(self.sandbox, now.sandbox) || second(self.wall, now.wall)
    }
}

/// The calls of the second that ends now. Those that were refused don't count.
#[derive(Debug, Default)]
pub(crate) struct Window(VecDeque<Moment>);

impl Window {
    /// Counts a call, or refuses it where there were `most` within the second; none is refused where `most` is 0.
    pub(crate) fn enter(&mut self, now: Moment, most: u32) -> Result<(), Problem> {
        if most == 0 {
            return Ok(());
        }
        self.0.retain(|then| !then.is_over(now));
        if self.0.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(Problem::too_many());
        }
        self.0.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sandbox: i64, wall: i64) -> Moment {
        let moment = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
        Moment {
            sandbox: moment(sandbox),
            wall: moment(wall),
        }
    }

    #[test]
    fn the_sixth_call_within_any_second_is_refused_by_either_clock() {
        let mut window = Window::default();
        for call in 0..5 {
            window.enter(at(0, call * 100), 5).unwrap();
        }
        assert_eq!(window.enter(at(0, 999), 5).unwrap_err().status, 429);
        window.enter(at(0, 1000), 5).unwrap();
        assert!(window.enter(at(0, 1050), 5).is_err());
        for _ in 0..5 {
            window.enter(at(5000, 1050), 5).unwrap();
        }
        assert!(window.enter(at(5999, 1050), 5).is_err());
        window.enter(at(6000, 1050), 5).unwrap();
        window.enter(at(0, 1050), 5).unwrap();
    }

    #[test]
    fn a_limit_of_none_refuses_nothing() {
        let mut window = Window::default();
        assert!((0..100).all(|_| window.enter(at(0, 0), 0).is_ok()));
    }
}
