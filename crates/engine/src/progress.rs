//! Progress, for whoever watches.

/// Is told how far a run is. Never part of the result.
pub trait Progress: Send + Sync {
    /// A stretch of work begins. `total` where it is known how much it is.
    fn begin(&self, what: &str, total: Option<u64>);

    /// So much more of it is done.
    fn advance(&self, by: u64);

    /// The stretch has ended.
    fn end(&self);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _what: &str, _total: Option<u64>) {}
    fn advance(&self, _by: u64) {}
    fn end(&self) {}
}
