//! Invoices as PDF: what a customer looks at beside the figures (scenario 196).

use serde::{Deserialize, Serialize};

use crate::{Fingerprint, RemoteId};

/// The PDF of an invoice. Its bytes are never kept: only what they show is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicePdf {
    /// The invoice that it belongs to, on the side where the PDF is.
    pub invoice: RemoteId,
    /// The ledger's invoice that is printed.
    pub printed: RemoteId,
    /// Name of the file.
    pub name: String,
    /// What it shows: as long as it is the same, the PDF need not be sent again.
    pub shows: Fingerprint,
}
