//! Files that are attached to bills: what whoever approves a bill looks at (scenarios 76 and 77).

use serde::{Deserialize, Serialize};

use crate::RemoteId;

/// A file of a bill. Its bytes are never kept: only what identifies them is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The bill that it belongs to, on the side where it is.
    pub bill: RemoteId,
    /// The ledger's file; `None` for what a platform shows of it.
    pub file: Option<RemoteId>,
    /// Its name.
    pub name: String,
    /// What it is: `application/pdf`. Empty where the side doesn't tell.
    pub media_type: String,
    /// How many bytes it has; 0 where the side doesn't tell.
    pub size: u64,
    /// SHA-256 of its bytes in hexadecimal; empty where the side doesn't tell.
    pub sha256: String,
}
