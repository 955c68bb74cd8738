//! Who sends what isn't proven: beyond so many a minute from one address, no more words are lost on it. What is proven is
//! taken all the same, since behind a proxy everybody comes from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use tieout_domain::Timestamp;

/// So many a minute are answered with what is wrong.
const A_MINUTE: u32 = 60;
/// So many addresses are remembered within a minute.
const ADDRESSES_MAX: usize = 10_000;

/// How many were turned away in this minute, by their address.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    counts: HashMap<Option<IpAddr>, u32>,
}

impl Strangers {
    /// One more was turned away. Tells whether there have been too many from there.
    pub(super) fn turned_away(&self, source: Option<IpAddr>, now: Timestamp) -> bool {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.as_second().div_euclid(60);
        if minute.number != number {
            minute.number = number;
            minute.counts.clear();
        }
        if minute.counts.len() >= ADDRESSES_MAX && !minute.counts.contains_key(&source) {
            return true;
        }
        let count = minute.counts.entry(source).or_default();
        *count = count.saturating_add(1);
        *count > A_MINUTE
    }
}
