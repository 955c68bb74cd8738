//! What a payment's status means for the books.

use tieout_domain::document::{Payment, PaymentStatus, VoidKind};

use crate::preferences::PostAt;

/// A status, told apart by what it asks of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not far enough to be posted; in words.
    NotYet(&'static str),
    /// To be posted.
    Paid,
    /// A hold, a cancellation or a void is under way; in words.
    Stopping(&'static str),
    /// Cancelled, voided, or its funding failed: to be reversed.
    Undone,
    /// Voided, and another payment takes its place (scenario 109).
    Reissued,
    /// Came back; undecided.
    Returned,
    /// The vendor was paid, the funding failed.
    Owed,
    /// A check about to expire.
    Expiring,
    /// Turned over to the state.
    Escheated,
    /// A word that isn't known: never paid (scenario 118).
    Unknown(String),
}

/// The stage of a payment, under the preference for when to post.
pub(super) fn of(payment: &Payment, post_at: PostAt) -> Stage {
    match &payment.status {
        PaymentStatus::Approving => Stage::NotYet("waiting for approval on the platform"),
        PaymentStatus::Scheduled if post_at == PostAt::Scheduled => Stage::Paid,
        PaymentStatus::Scheduled => Stage::NotYet("scheduled"),
        PaymentStatus::Funding if post_at == PostAt::Scheduled => Stage::Paid,
        PaymentStatus::Funding => Stage::NotYet("being funded"),
        PaymentStatus::Processed if post_at == PostAt::Cleared => {
            Stage::NotYet("sent, not yet cleared")
        }
        PaymentStatus::Processed | PaymentStatus::Cleared => Stage::Paid,
        PaymentStatus::OnHold => Stage::Stopping("on hold"),
        PaymentStatus::VoidPending => Stage::Stopping("being cancelled or voided"),
        PaymentStatus::Canceled | PaymentStatus::FundingFailedVoided => Stage::Undone,
        PaymentStatus::Voided => match payment.void.as_ref().map(|void| &void.void_kind) {
            None | Some(VoidKind::Credit) => Stage::Undone,
            Some(VoidKind::Reissue) => Stage::Reissued,
            Some(VoidKind::Other(word)) => Stage::Unknown(format!("void {word}")),
        },
        PaymentStatus::FundingFailedOwed => Stage::Owed,
        PaymentStatus::Returned => Stage::Returned,
        PaymentStatus::Expiring => Stage::Expiring,
        PaymentStatus::Escheated => Stage::Escheated,
        PaymentStatus::LedgerVoided => Stage::Unknown("voided in a ledger".into()),
        PaymentStatus::Other(word) => Stage::Unknown(word.clone()),
    }
}
