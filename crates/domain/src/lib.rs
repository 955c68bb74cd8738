//! The nouns of tieout.
//!
//! Money, plain dates, documents, identifiers, fingerprints, states, faults, and the [`port`]s: what a
//! system can read and write. There is no I/O here, no runtime and no clock: everything else in the
//! workspace may depend on this crate, and it depends on nothing of ours.

pub mod check;
pub mod code;
pub mod document;
mod exchange;
mod fault;
mod fingerprint;
mod hexadecimal;
pub mod hint;
mod holding;
mod id;
mod money;
pub mod other_sync;
mod period;
pub mod port;
mod state;
pub mod subledger;
mod tenant;

pub use document::{Document, Kind};
pub use exchange::ExchangeRate;
pub use fault::{Fault, Lost};
pub use fingerprint::{Fingerprint, RowsHash};
pub use hexadecimal::hexadecimal;
pub use holding::Holding;
pub use id::{ConnectionName, IdError, Key, Marker, RecordRef, RemoteId, SystemId};
pub use money::{Amount, Currency, Money, MoneyError};
pub use period::{Period, PeriodState};
pub use state::{Outcome, Side, State, WaitsFor};
pub use subledger::Book;
pub use tenant::{Reach, TenantName};

/// A moment of an event, in UTC.
pub use jiff::Timestamp;
/// A date of a document: a plain day, never an instant (scenario 135).
pub use jiff::civil::Date;

/// Tells the time. Nothing in tieout reads a clock of its own: the caller passes one in.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// How long this clock has been running, by a count that nobody sets: it never steps, and means nothing
    /// outside this process. A clock whose time nobody sets need not say more than that.
    fn uptime(&self) -> std::time::Duration {
        std::time::Duration::try_from(self.now().duration_since(Timestamp::UNIX_EPOCH))
            .unwrap_or_default()
    }
}

/// A clock that can also be waited on. Virtual in simulations, where nothing really sleeps.
#[async_trait::async_trait]
pub trait Timer: Clock {
    /// Returns once this long has passed.
    async fn sleep(&self, duration: std::time::Duration);
}
