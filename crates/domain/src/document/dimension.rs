//! Departments, classes and locations.

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::RemoteId;

/// A department, class or location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    /// Which: [`Kind::Department`], [`Kind::Class`] or [`Kind::Location`].
    pub axis: Kind,
    /// Its name without its parents.
    pub name: String,
    /// Names from the root to itself, joined by ` : `.
    pub path: String,
    /// Its parent, of the same axis.
    pub parent: Option<RemoteId>,
    /// Inactive or archived.
    pub inactive: bool,
    /// Subsidiaries it may be used in; empty means all.
    pub subsidiaries: Vec<RemoteId>,
}
