//! What a line, or a bill's head, is coded with (README §Classifications).

use crate::ids::Kind;
use crate::json::Json;
use crate::list::Cell;
use crate::organization::Organization;
use crate::problem::Problem;
use crate::route::reference;
use crate::shape::{Field, Rule, may};

/// What a line, or a bill's head, is coded with: a place in each list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coding([u32; 8]);

pub(crate) const UNSET: u32 = u32::MAX;
const CODES: [(&str, Kind); 8] = [
    ("chartOfAccountId", Kind::Account),
    ("accountingClassId", Kind::Class),
    ("departmentId", Kind::Department),
    ("locationId", Kind::Location),
    ("itemId", Kind::Item),
    ("employeeId", Kind::Employee),
    ("jobId", Kind::Job),
    ("customerId", Kind::Customer),
];
/// A bill's head has the first five only.
const HEAD_CODES: usize = 5;

impl Default for Coding {
    fn default() -> Self {
        Self([UNSET; 8])
    }
}

impl Coding {
    /// A coding of an account alone.
    pub(crate) fn account(place: u32) -> Self {
        Self::default().with(Kind::Account, place)
    }

    /// The coding with a place in the list of a kind.
    pub(crate) fn with(mut self, kind: Kind, place: u32) -> Self {
        if let Some(index) = CODES.iter().position(|(_, code)| *code == kind) {
            self.0[index] = place;
        }
        self
    }

    /// Reads the `classifications` of a body. What an archived entry coded before may stay.
    pub(crate) fn read(
        org: &Organization,
        body: &Json,
        head: bool,
        before: &[&Coding],
    ) -> Result<Self, Problem> {
        let mut coding = Self::default();
        for (index, (field, kind)) in CODES.iter().enumerate() {
            let Some(id) = body.text(&format!("classifications.{field}")) else {
                continue;
            };
            if id.is_empty() || (head && index >= HEAD_CODES) {
                continue;
            }
            let (length, archived) = match kind {
                Kind::Customer => (org.receivables.customers.len(), false),
                kind => {
                    let list = org.lists.of(*kind);
                    let row = org.ids.place(*kind, id).and_then(|place| list.get(place));
                    (list.len(), row.is_some_and(|row| row.archived))
                }
            };
            let place = reference(org, *kind, field, id, length)?;
            if archived && !before.iter().any(|before| before.0[index] == place) {
                return Err(Problem::value(format!("{field}: {id} is archived")));
            }
            coding.0[index] = place;
        }
        Ok(coding)
    }

    /// As answers show it.
    pub(crate) fn render(&self, org: &Organization) -> Json {
        let set = CODES
            .iter()
            .zip(self.0)
            .filter(|(_, place)| *place != UNSET);
        let set: Vec<_> = set
            .map(|((field, kind), place)| ((*field).into(), org.ids.text(*kind, place).into()))
            .collect();
        if set.is_empty() {
            Json::Null
        } else {
            Json::Object(set)
        }
    }

    pub(crate) fn cell(&self, field: &str) -> Cell {
        let index = CODES.iter().position(|(code, _)| *code == field);
        index
            .map(|index| self.0[index])
            .filter(|place| *place != UNSET)
            .into()
    }
}

pub(crate) static CODING: &[Field] = &[
    may("chartOfAccountId", Rule::Text(20)),
    may("accountingClassId", Rule::Text(20)),
    may("departmentId", Rule::Text(20)),
    may("locationId", Rule::Text(20)),
    may("itemId", Rule::Text(20)),
    may("employeeId", Rule::Text(20)),
    may("jobId", Rule::Text(20)),
    may("customerId", Rule::Text(20)),
];
