//! What the clients of a sandbox have cost: the count of calls behind `GET /control/calls`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// The longest path segment that is taken for a word even if it holds a digit.
const LONGEST_WORD: usize = 12;

/// The prefixes under which a service's address may lie; they are no part of a counted path.
const BASES: [&str; 2] = ["/connect-events", "/connect"];

/// The calls of every service of a sandbox.
#[derive(Debug, Default)]
pub struct Calls {
    services: Mutex<BTreeMap<String, Count>>,
}

/// The calls of one service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// All of them, answered or not.
    pub total: u64,
    /// Those being answered now.
    #[serde(skip)]
    pub in_flight: u64,
    /// The most that were being answered at once.
    pub max_in_flight: u64,
    /// Those that a limit of the service turned away.
    pub refused: u64,
    /// By method and path. Identifiers in a path read `{id}`; base prefix and query are left out.
    pub by_path: BTreeMap<String, u64>,
}

/// Put by a fake on a response's extensions: this answer is a limit's refusal, though its status is not
/// 429 (BILL refuses with 422).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl Calls {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a service appear, with zeros, before its first call.
    pub fn expect(&self, service: &str) {
        self.lock().entry(service.to_owned()).or_default();
    }

    /// Counts a call, which is in flight until the guard is dropped.
    #[must_use]
    pub fn begin(self: &Arc<Self>, service: &str, method: &str, path: &str) -> InFlight {
        let route = format!("{method} {}", route(path));
        {
            let mut services = self.lock();
            let count = services.entry(service.to_owned()).or_default();
            count.total += 1;
            count.in_flight += 1;
            count.max_in_flight = count.max_in_flight.max(count.in_flight);
            *count.by_path.entry(route).or_default() += 1;
        }
        InFlight {
            calls: Arc::clone(self),
            service: service.to_owned(),
        }
    }

    /// Counts one call of the service as turned away by a limit. The chassis does it for answers with
    /// status 429 and for those marked [`Refused`].
    pub fn refused(&self, service: &str) {
        self.lock().entry(service.to_owned()).or_default().refused += 1;
    }

    /// The count of one service so far.
    #[must_use]
    pub fn of(&self, service: &str) -> Count {
        self.lock().get(service).cloned().unwrap_or_default()
    }

    /// The counts of all services.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Count> {
        self.lock().clone()
    }

    /// Starts the count anew. What is in flight stays so.
    pub fn reset(&self) {
        for count in self.lock().values_mut() {
            let in_flight = count.in_flight;
            *count = Count {
                in_flight,
                max_in_flight: in_flight,
                ..Count::default()
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Count>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is being answered; dropped when it no longer is, also because its client went away.
#[derive(Debug)]
pub struct InFlight {
    calls: Arc<Calls>,
    service: String,
}

impl InFlight {
    /// A limit turned this call away.
    pub fn refused(&self) {
        self.calls.refused(&self.service);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(count) = self.calls.lock().get_mut(&self.service) {
            count.in_flight = count.in_flight.saturating_sub(1);
        }
    }
}

/// The path without the prefix under which the service's address lies.
pub(super) fn without_base(path: &str) -> &str {
    BASES
        .iter()
        .filter_map(|base| path.strip_prefix(base))
        .find(|rest| rest.is_empty() || rest.starts_with('/'))
        .unwrap_or(path)
}

/// The path as it is counted: no base prefix, no query, identifiers as `{id}`.
pub(super) fn route(path: &str) -> String {
    let path = path.split('?').next().unwrap_or(path);
    let segments: Vec<&str> = without_base(path)
        .split('/')
        .map(|segment| {
            if is_identifier(segment) {
                "{id}"
            } else {
                segment
            }
        })
        .collect();
    segments.join("/")
}

fn is_identifier(segment: &str) -> bool {
    let mut characters = segment.chars();
    let digits = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    (!segment.is_empty() && characters.all(|c| c.is_ascii_digit()))
        || segment.starts_with("eid:")
        || segment
            .get(..6)
            .is_some_and(|start| start.eq_ignore_ascii_case("eid%3a"))
        || (segment.chars().count() > LONGEST_WORD && digits(segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_base_and_query_are_no_part_of_a_route() {
        for (path, expected) in [
            ("/connect/v3/bills/bulk", "/v3/bills/bulk"),
            ("/connect/v3/bills?max=100", "/v3/bills"),
            ("/connect-events/v3/subscriptions", "/v3/subscriptions"),
            ("/connect/v3/bills/00n01ABCDEFGHIJKLMNO", "/v3/bills/{id}"),
            (
                "/services/rest/record/v1/vendorBill/123",
                "/services/rest/record/v1/vendorBill/{id}",
            ),
            (
                "/services/rest/record/v1/vendorPayment/eid:bill_1_2",
                "/services/rest/record/v1/vendorPayment/{id}",
            ),
            ("/v1/x/eid%3Aabc", "/v1/x/{id}"),
            (
                "/services/rest/query/v1/suiteql",
                "/services/rest/query/v1/suiteql",
            ),
            ("/connected/v3", "/connected/v3"),
            ("/connect", ""),
            ("/", "/"),
        ] {
            assert_eq!(route(path), expected, "{path}");
        }
    }

    #[test]
    fn calls_in_flight_are_counted_until_they_end() {
        let calls = Arc::new(Calls::new());
        let first = calls.begin("bill", "POST", "/connect/v3/bills/bulk");
        let second = calls.begin("bill", "POST", "/connect/v3/bills/bulk");
        second.refused();
        drop(second);
        let count = calls.of("bill");
        assert_eq!(
            (count.total, count.in_flight, count.max_in_flight),
            (2, 1, 2)
        );
        assert_eq!(count.refused, 1);
        assert_eq!(count.by_path["POST /v3/bills/bulk"], 2);
        calls.reset();
        let count = calls.of("bill");
        assert_eq!(
            (count.total, count.in_flight, count.max_in_flight),
            (0, 1, 1)
        );
        assert!(count.by_path.is_empty());
        drop(first);
        assert_eq!(calls.of("bill").in_flight, 0);
    }

    #[test]
    fn the_count_reads_as_the_panel_shows_it() {
        let calls = Arc::new(Calls::new());
        calls.expect("netsuite");
        drop(calls.begin("bill", "POST", "/connect/v3/bills/bulk"));
        assert_eq!(
            serde_json::to_value(calls.all()).unwrap(),
            serde_json::json!({
                "bill": {"total": 1, "max_in_flight": 1, "refused": 0,
                         "by_path": {"POST /v3/bills/bulk": 1}},
                "netsuite": {"total": 0, "max_in_flight": 0, "refused": 0, "by_path": {}},
            })
        );
    }
}
