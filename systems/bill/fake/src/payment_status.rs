//! What a payment's fine status means: its coarse one, and what its bills make of it (README §Payments).

/// What a payment's status means for its bills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It will be made.
    Scheduled,
    /// The money is on its way to the service.
    Moving,
    /// It counts as paid.
    Paid,
    /// It never was, or is undone.
    Dead,
}

/// What a status means for the bills. One that isn't known holds its money.
pub(crate) fn stage(single_status: &str) -> Stage {
    match single_status {
        "SCHEDULED" | "APPROVING" => Stage::Scheduled,
        "READY_TO_FUND"
        | "FUNDING_STARTED"
        | "DISBURSEMENT_ON_HOLD"
        | "CANCELLATION_IN_PROGRESS" => Stage::Moving,
        "VOIDED" | "CANCELED" | "FUNDING_FAILED_VOIDED" => Stage::Dead,
        _ => Stage::Paid,
    }
}

/// The coarse `status` of a payment.
pub(crate) fn coarse(single_status: &str) -> &'static str {
    match single_status {
        "APPROVING" => "APPROVING",
        "CANCELED" => "CANCELLED",
        "VOIDED" | "FUNDING_FAILED_VOIDED" => "VOID",
        "PROCESSED"
        | "SENT"
        | "DELIVERED"
        | "CLEARED"
        | "EXPIRING"
        | "VOID_PENDING"
        | "PARTIALLY_CLAIMED"
        | "FUNDING_FAILED_ACTION_NEEDED"
        | "FUNDS_ESCHEATED"
        | "DISBURSEMENT_FAILED_ACTION_NEEDED"
        | "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED" => "PAID",
        status if matches!(stage(status), Stage::Scheduled | Stage::Moving) => "SCHEDULED",
        _ => "UNDEFINED",
    }
}

/// The `disbursementStatus` of a payment.
pub(crate) fn disbursement(single_status: &str) -> Option<&'static str> {
    match single_status {
        "SENT" | "DELIVERED" | "CLEARED" => Some("DONE"),
        "DISBURSEMENT_ON_HOLD" => Some("HOLD"),
        status if status.starts_with("DISBURSEMENT_FAILED") => Some("FAILED"),
        _ => None,
    }
}
