//! What a store takes from outside besides its database. A simulation brings its own.

use std::any::Any;
use std::sync::Arc;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use futures::future::BoxFuture;
use tieout_domain::Clock;

use crate::StoreError;

/// Time, chance, and who watches.
#[derive(Clone)]
pub struct Seams {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Whether leases, slots and turns go by this clock beside PostgreSQL, too, and not by the database's own: for tests
    /// that move it.
    pub own_time: bool,
    /// Where the salts of digests come from.
    pub salts: Arc<dyn Salts>,
    /// Who is told of every call; nobody in a program that works for people.
    pub watch: Option<Arc<dyn Watch>>,
}

impl Seams {
    /// The operating system's randomness, and nobody watching.
    #[must_use]
    pub fn of(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            own_time: false,
            salts: Arc::new(SystemSalts),
            watch: None,
        }
    }
}

/// Where the salts of digests come from.
pub trait Salts: Send + Sync {
    /// Fills the bytes.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] where there is no randomness to be had.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError>;
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy)]
struct SystemSalts;

impl Salts for SystemSalts {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
        SystemRandom::new()
            .fill(bytes)
            .map_err(|_| StoreError::Unreachable {
                cause: "the operating system gives no random bytes".to_owned(),
            })
    }
}

/// Kept for as long as a call to the database lasts.
pub type Turn = Box<dyn Any + Send + Sync>;

/// Is told of every call to the database, and may hold it up, refuse it, or never let it go on: a process
/// that ends.
pub trait Watch: Send + Sync {
    /// A call begins. Calls that read and calls that write both wait for their turn.
    fn turn(&self) -> BoxFuture<'_, Turn>;

    /// A transaction is about to become durable. An error is given back in the place of the commit, and
    /// nothing of the transaction is kept.
    fn before_commit(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// A transaction has become durable, and nobody has been told yet. Its turn is over.
    fn after_commit(&self) -> BoxFuture<'_, ()>;
}
