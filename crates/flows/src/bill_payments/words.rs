//! What stands on a posted payment: its number and its memo (scenarios 99–101, 110).

use tieout_domain::document::{Method, Payment};
use tieout_domain::{Date, RemoteId};

use crate::text::{LEDGER_MEMO_MAX, LEDGER_NUMBER_MAX, cut, shorten};

/// The check's number, else the confirmation or trace number, else the platform's own.
pub(super) fn number(payment: &Payment) -> String {
    let words = [
        &payment.check_number,
        &payment.confirmation,
        &payment.number,
    ];
    let number = words
        .into_iter()
        .map(|word| word.trim())
        .find(|word| !word.is_empty());
    shorten(number.unwrap_or_default(), LEDGER_NUMBER_MAX)
}

/// What a memo of ours says of whence the payment comes: this or, before a reissue, another one.
const WHENCE: &str = "platform payment";

/// Whether a memo was written by [`memo`], as far as can be told.
pub(super) fn is_ours(memo: &str) -> bool {
    memo.contains(WHENCE)
}

/// How it was paid, with at most four digits of a card.
pub(super) fn memo(payment: &Payment, id: &RemoteId, moved_from: Option<Date>) -> String {
    let mut parts = vec![format!(
        "Paid by {}, {WHENCE} {id}",
        payment.method.as_str()
    )];
    if !payment.confirmation.trim().is_empty() {
        parts.push(format!("confirmation {}", payment.confirmation.trim()));
    }
    if payment.method == Method::VirtualCard {
        let digits: Vec<char> = payment
            .card_last4
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        if !digits.is_empty() {
            let last: String = digits[digits.len().saturating_sub(4)..].iter().collect();
            parts.push(format!("card ending {last}"));
        }
    }
    if let Some(date) = moved_from {
        parts.push(format!("dated {date} there, its period being closed"));
    }
    if let Some(day) = payment.cleared {
        parts.push(format!("cleared {day}"));
    }
    cut(&parts.join("; "), LEDGER_MEMO_MAX)
}
