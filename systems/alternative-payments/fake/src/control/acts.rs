//! What happens to one customer, invoice or payment.

use tieout_kit::fake::ControlError;

use super::{amount, refused};
use crate::account::Account;
use crate::json::Json;
use crate::{customers, held, invoices, payments};

/// `customers/{id} {action, fields?}`.
pub(super) fn customer(account: &mut Account, id: &str, body: &Json) -> Result<(), ControlError> {
    match body.text("action") {
        Some("archive") => customers::archive(account, id).map_err(refused),
        Some("edit") => customers::amend(account, id, &fields(body)).map_err(refused),
        _ => Err(ControlError::bad("`action` is archive or edit")),
    }
}

/// `invoices/{id} {action, fields?}`.
pub(super) fn invoice(account: &mut Account, id: &str, body: &Json) -> Result<(), ControlError> {
    match body.text("action") {
        Some("archive") => invoices::archive(account, id).map_err(refused),
        Some("edit") => invoices::amend(account, id, &fields(body)).map_err(refused),
        _ => Err(ControlError::bad("`action` is archive or edit")),
    }
}

fn fields(body: &Json) -> Json {
    body.get("fields")
        .cloned()
        .unwrap_or(Json::Object(Vec::new()))
}

/// `payments/{id} {status}`.
pub(super) fn payment(account: &mut Account, id: &str, body: &Json) -> Result<(), ControlError> {
    let moved = match body.text("status") {
        Some("succeeded") => payments::succeed(account, id),
        Some("failed") => payments::fail(account, id),
        Some("chargeback") => payments::charge_back(account, id),
        Some("chargeback_won") => payments::win(account, id),
        _ => {
            let message = "`status` is succeeded, failed, chargeback or chargeback_won";
            return Err(ControlError::bad(message));
        }
    };
    moved.map_err(refused)
}

/// The adjustments that come with a payout: `transactions: [{amount, description?}]`.
pub(super) fn adjust(account: &mut Account, body: &Json) -> Result<(), ControlError> {
    for given in body.list("transactions") {
        let missing = || ControlError::bad("`amount` of a transaction is missing");
        let amount = amount(given, "amount")?.ok_or_else(missing)?;
        held::adjust(account, amount, given.text("description"));
    }
    Ok(())
}
