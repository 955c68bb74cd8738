//! Lists that lag: while it is switched on, they show the organization as it was a while ago.
//!
//! A record that was just made isn't listed yet, one that was just changed is listed as it was. Records that are
//! asked for by id are shown as they are.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::organization::Organization;

/// The organization as it was after each change, as far back as lists may lag.
#[derive(Default)]
pub(crate) struct Views(VecDeque<(Timestamp, Organization)>);

impl Views {
    /// Takes note of the organization after a call.
    pub(crate) fn remember(&mut self, org: &Organization) {
        if org.lists_lag.is_zero() {
            self.0.clear();
            return;
        }
        let now = org.now();
        let changed =
            |(_, last): &(Timestamp, Organization)| last.last_change() != org.last_change();
        if self.0.back().is_none_or(changed) {
            // What was there when the switch was turned has long been shown.
            let since = if self.0.is_empty() {
                Timestamp::MIN
            } else {
                now
            };
            self.0.push_back((since, org.clone()));
        }
        // The latest view that is old enough is shown, those before it never again.
        while self
            .0
            .get(1)
            .is_some_and(|(since, _)| is_shown(org, *since))
        {
            self.0.pop_front();
        }
    }

    /// What lists show now.
    pub(crate) fn shown(&mut self, org: &Organization) -> Option<&mut Organization> {
        let shown = |(since, _): &&mut (Timestamp, Organization)| is_shown(org, *since);
        let newest = self.0.iter_mut().rev().find(shown);
        newest.map(|(_, view)| view)
    }
}

fn is_shown(org: &Organization, since: Timestamp) -> bool {
    let ago = org.now().checked_sub(org.lists_lag);
    ago.is_ok_and(|ago| since <= ago)
}

/// Whether a call lists a collection.
pub(crate) fn lists(method: &str, path: &[&str]) -> bool {
    let collection = match path {
        ["v3", "classifications" | "funding-accounts", _] => true,
        ["v3", one] => !["health", "login", "logout"].contains(one),
        _ => false,
    };
    method == "GET" && collection
}
