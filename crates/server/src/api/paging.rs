//! Page by page: a cursor says where to go on, and means nothing to whoever carries it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::problem::Problem;
use super::taking::readable;

/// How many a page has where nothing is said.
pub(super) const LIMIT: u32 = 100;
/// How many it has at most.
pub(super) const LIMIT_MAX: u32 = 500;

/// Which page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    limit: Option<u32>,
    cursor: Option<String>,
}

impl Paging {
    /// How many.
    pub(super) fn limit(&self) -> Result<u32, Problem> {
        limit(self.limit)
    }

    /// After what.
    pub(super) fn after<T: for<'de> Deserialize<'de>>(&self) -> Result<Option<T>, Problem> {
        after(self.cursor.as_deref())
    }
}

/// How many, within what is allowed.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(LIMIT),
        Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        Some(limit) => {
            let cause = format!("`limit` is {limit}; it is between 1 and {LIMIT_MAX}");
            Err(Problem::malformed(cause))
        }
    }
}

/// What a cursor stands for.
pub(super) fn after<T: for<'de> Deserialize<'de>>(
    cursor: Option<&str>,
) -> Result<Option<T>, Problem> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
    let place: Option<Value> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let place = place.filter(|place| readable(place).is_ok());
    place
        .and_then(|place| serde_json::from_value(place).ok())
        .map(Some)
        .ok_or_else(|| Problem::malformed("`cursor` is none that this list has given"))
}

/// A page of a list. One that is full says where to go on.
pub(super) fn page<T: Serialize, C: Serialize>(
    items: &[T],
    limit: u32,
    place: impl Fn(&T) -> C,
) -> Value {
    let full = items.len() >= limit as usize;
    let next = items.last().filter(|_| full).map(|last| {
        let place = serde_json::to_vec(&place(last)).unwrap_or_default();
        BASE64_URL_SAFE_NO_PAD.encode(place)
    });
    json!({"items": items, "next": next})
}
