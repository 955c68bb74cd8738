//! From the clock on the wall to moments, with a decision for the two nights on which clocks are set.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// The moments at which the clock on a wall shows a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moments {
    /// It does so once.
    Once(Timestamp),
    /// It never does: the clock was set forward over it, at this moment.
    Skipped(Timestamp),
    /// It does so twice: the clock was set back.
    Twice(Timestamp, Timestamp),
}

/// When the clock on a wall in this zone shows this time. `None` outside the years that can be told.
pub(super) fn moments(zone: &TimeZone, shown: DateTime) -> Option<Moments> {
    match zone.to_ambiguous_timestamp(shown).offset() {
        AmbiguousOffset::Unambiguous { offset } => {
            Some(Moments::Once(offset.to_timestamp(shown).ok()?))
        }
        AmbiguousOffset::Fold { before, after } => Some(Moments::Twice(
            before.to_timestamp(shown).ok()?,
            after.to_timestamp(shown).ok()?,
        )),
        AmbiguousOffset::Gap { after, .. } => {
            // By the new offset the time lies before the clock was set.
            let before = after.to_timestamp(shown).ok()?;
            let set = zone.following(before).next()?.timestamp();
            Some(Moments::Skipped(set))
        }
    }
}

/// The first moment at which the clock shows this time, or at which it was set past it.
pub(super) fn first(zone: &TimeZone, shown: DateTime) -> Option<Timestamp> {
    match moments(zone, shown)? {
        Moments::Once(at) | Moments::Skipped(at) | Moments::Twice(at, _) => Some(at),
    }
}
