//! Further organizations on the same developer key: as a group has them, or an accountant with many clients. One user
//! reaches all of them; each has records, sessions and a place of its own, and the key's caps hold for all together.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;
use serde_json::{Value, json};
use tieout_kit::fake::ControlError;

use crate::ids::{Ids, Random};
use crate::inventory;
use crate::life;
use crate::organization::Organization;

/// More than anybody needs.
const COUNT_MAX: u64 = 1000;

/// Those beside the first.
#[derive(Default)]
pub(crate) struct Others(Mutex<Vec<Organization>>);

impl Others {
    fn all(&self) -> MutexGuard<'_, Vec<Organization>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the organization with this identifier is.
    pub(crate) fn named(&self, id: &str) -> Option<usize> {
        self.all().iter().position(|org| org.id() == id)
    }

    /// Where the organization is that a session belongs to.
    pub(crate) fn with_session(&self, session: &str) -> Option<usize> {
        self.all().iter().position(|org| org.auth.knows(session))
    }

    /// Works on one of them, as of now; `None` where there is none.
    pub(crate) fn at<T>(&self, at: usize, work: impl FnOnce(&mut Organization) -> T) -> Option<T> {
        let mut all = self.all();
        let org = all.get_mut(at)?;
        life::catch_up(org);
        Some(work(org))
    }

    /// Every record of each of them, by identifier, for the panel.
    pub(crate) fn records(&self) -> Value {
        let mut all = serde_json::Map::new();
        for org in self.all().iter_mut() {
            life::catch_up(org);
            all.insert(org.id(), inventory::records(org));
        }
        all.into()
    }

    /// What each of them holds, for the panel.
    pub(crate) fn state(&self) -> Vec<Value> {
        let held = |org: &Organization| json!({"id": org.id(), "bills": org.bills.len(), "vendors": org.vendors.len()});
        self.all().iter().map(held).collect()
    }

    /// `POST /control/bill/organizations`, `{"count": 99}`: so many more, each with what the first one holds now.
    pub(crate) fn control(
        &self,
        first: &mut Organization,
        body: &Value,
    ) -> Result<Value, ControlError> {
        let count = body.get("count").and_then(Value::as_u64);
        let Some(count) = count.filter(|count| (1..=COUNT_MAX).contains(count)) else {
            return Err(ControlError::bad(format!(
                "organizations: needs \"count\": 1 to {COUNT_MAX}"
            )));
        };
        let mut all = self.all();
        let from = all.len() as u64 + 1;
        for number in from..from + count {
            all.push(another(first, number));
        }
        let names: Vec<_> = std::iter::once(&*first)
            .chain(all.iter())
            .map(|org| (org.id(), org.name.clone()))
            .collect();
        for org in std::iter::once(first).chain(all.iter_mut()) {
            org.reached.clone_from(&names);
        }
        let ids: Vec<_> = all.iter().map(Organization::id).collect();
        Ok(json!({ "organizations": ids }))
    }
}

fn another(first: &Organization, number: u64) -> Organization {
    // Far enough apart that no two share an identifier.
    let seed = first
        .options
        .seed
        .wrapping_add(number.wrapping_mul(0x0001_0000_01B3));
    let mut org = first.clone();
    org.ids = Ids::new(seed);
    org.random = Random::new(seed);
    org.name = format!("{} {}", first.name, number + 1);
    org.auth.forget_sessions();
    org.lists_lag = SignedDuration::ZERO;
    org
}
