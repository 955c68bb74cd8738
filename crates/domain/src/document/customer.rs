//! Customers.

use serde::{Deserialize, Serialize};

use super::Address;
use crate::{Currency, Key, Marker, RemoteId};

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Its name; not unique, and only how it is first proposed (scenario 173).
    pub name: String,
    /// What external systems call it: the ledger's entity id, the platform's number. Unique on its side.
    pub number: String,
    /// First and last name, for a person.
    pub person: Option<(String, String)>,
    /// E-mail address for invoices.
    pub email: String,
    /// Telephone.
    pub phone: String,
    /// Billing address.
    pub address: Option<Address>,
    /// Currency of its invoices, where the side names one. A ledger's customer may have several; this is its
    /// primary one.
    pub currency: Option<Currency>,
    /// Its payment terms, by the side's own id: a number in the ledger, `NET 30` on a platform.
    pub terms: Option<RemoteId>,
    /// The customer it belongs to: a sub-customer keeps its path (scenario 173).
    pub parent: Option<RemoteId>,
    /// Subsidiaries it is assigned to, primary first; empty without OneWorld.
    pub subsidiaries: Vec<RemoteId>,
    /// Inactive or archived.
    pub inactive: bool,
    /// Whether the platform charges a saved payment method of its own accord. tieout neither sets nor uses it
    /// (scenario 200).
    pub automatic_payment: bool,
    /// Whether the platform reminds the customer of what is past due, of its own accord. tieout doesn't set it
    /// (scenario 171).
    pub reminders: bool,
    /// tieout's mark on the platform's copy.
    pub marker: Option<Marker>,
    /// The external id on the ledger's copy.
    pub external_id: Option<Key>,
}
