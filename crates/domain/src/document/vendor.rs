//! Vendors. Bank details are neither read nor written (ground rule 9).

use serde::{Deserialize, Serialize};

use crate::{Currency, RemoteId};

/// A vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendor {
    /// Its name; not unique, not a key (scenario 3).
    pub name: String,
    /// The ledger's number for it (entity id); empty on a platform that has none.
    pub number: String,
    /// First and last name, for a person (scenario 25).
    pub person: Option<(String, String)>,
    /// The name printed on a check, where it differs.
    pub payee: Option<String>,
    /// E-mail address.
    pub email: String,
    /// Telephone.
    pub phone: String,
    /// Postal address for remittances.
    pub address: Option<Address>,
    /// Our account number with the vendor.
    pub account_number: String,
    /// Currency of its bills. A ledger's vendor may have several; this is its primary one.
    pub currency: Option<Currency>,
    /// The last four characters of its tax id, and no more (scenario 26).
    pub tax_id_last4: String,
    /// Whether it gets a 1099.
    pub form_1099: bool,
    /// Subsidiaries it is assigned to, primary first; empty without OneWorld.
    pub subsidiaries: Vec<RemoteId>,
    /// The ledger's category name: scope rules go by it (scenario 28).
    pub category: String,
    /// Inactive or archived.
    pub inactive: bool,
    /// Has login access to the ledger (scenario 15).
    pub login_access: bool,
    /// Owns its own data in the platform's network: edits are refused (scenario 14).
    pub self_managed: bool,
    /// Whether the platform holds a bank account for it. Never which.
    pub payable_electronically: bool,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// First line.
    pub line1: String,
    /// Second line.
    pub line2: String,
    /// City.
    pub city: String,
    /// State or province.
    pub state: String,
    /// Postal code.
    pub zip: String,
    /// ISO 3166 alpha-2.
    pub country: String,
}
