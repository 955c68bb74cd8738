//! Vendor credits.

use serde::{Deserialize, Serialize};

use super::{Application, Approval, BillStatus, Line};
use crate::{Amount, Currency, Date, ExchangeRate, Key, Marker, RemoteId};

/// A vendor credit. Its amounts are positive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VendorCredit {
    /// Vendor.
    pub vendor: RemoteId,
    /// Its number.
    pub number: String,
    /// The ledger's own document number; empty on a platform.
    pub transaction_number: String,
    /// Date.
    pub date: Date,
    /// Currency.
    pub currency: Currency,
    /// What its currency is worth in base currency on this side. `None` in base currency, in what is written, and
    /// where the side doesn't tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange_rate: Option<ExchangeRate>,
    /// The payables account it is booked to.
    pub payables_account: Option<RemoteId>,
    /// Subsidiary; `None` without OneWorld.
    pub subsidiary: Option<RemoteId>,
    /// Posting period.
    pub period: Option<RemoteId>,
    /// Lines; their sum is the total.
    pub lines: Vec<Line>,
    /// The credit.
    pub total: Amount,
    /// What is not applied yet.
    pub open: Amount,
    /// What is applied, and to which bills.
    pub applications: Vec<Application>,
    /// Where it stands.
    pub status: BillStatus,
    /// Where its approval stands.
    pub approval: Approval,
    /// Memo.
    pub memo: String,
    /// tieout's mark on the platform's copy.
    pub marker: Option<Marker>,
    /// The external id on the ledger's copy.
    pub external_id: Option<Key>,
}
