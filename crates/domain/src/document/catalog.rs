//! What invoices refer to: items and payment terms.

use serde::{Deserialize, Serialize};

use crate::RemoteId;

/// An item that is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// Description.
    pub description: String,
    /// What sort of item, in the system's own word: `NonInvtPart`, `Service`, `Discount`, `OthCharge`.
    pub item_type: String,
    /// Subsidiaries it may be sold by; empty where the system doesn't narrow it.
    pub subsidiaries: Vec<RemoteId>,
    /// Inactive.
    pub inactive: bool,
}

/// Payment terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Their name: `Net 30`, `NET 30`.
    pub name: String,
    /// Days until an invoice is due, where the system tells them.
    pub days: Option<u32>,
    /// Inactive.
    pub inactive: bool,
}
