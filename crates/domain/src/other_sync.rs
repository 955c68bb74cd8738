//! What another sync between the same two systems keeps in the ledger: its preferences, read and never
//! written.

use serde::{Deserialize, Serialize};

use crate::RemoteId;

/// One record of another sync's preferences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherSync {
    /// What the ledger calls this kind of record, and where it is: `Bill.com Preferences
    /// (customrecord_…)`.
    pub title: String,
    /// The record's id.
    pub id: RemoteId,
    /// The subsidiary that it is for; `None` for an account without subsidiaries, or where it names none.
    pub subsidiary: Option<RemoteId>,
    /// Whether that sync is on: `None` where the record doesn't say, which is no proof that it is off.
    pub active: Option<bool>,
    /// Its fields. None is left out because nobody knows what it means.
    pub fields: Vec<OtherField>,
}

/// A field of such a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherField {
    /// Its id in the ledger.
    pub name: String,
    /// Its value, as people read it.
    pub value: String,
    /// What it amounts to here.
    pub meaning: Meaning,
}

/// What a field of another sync's preferences amounts to here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// A preference of ours, and its value as a person would type it.
    Preference(String, String),
    /// Nothing needs to be set, and why.
    Settled(String),
    /// Nobody knows; shown, so that a person can decide.
    Unknown,
}

impl OtherSync {
    /// Whether it is to be taken as working: unless the record says that it is off, it is (scenario 249).
    #[must_use]
    pub fn may_be_active(&self) -> bool {
        self.active != Some(false)
    }
}
