//! A customer pays.

use rust_decimal::Decimal;
use tieout_kit::fake::ControlError;

use super::{amount, refused};
use crate::account::Account;
use crate::fees::Method;
use crate::invoices;
use crate::json::Json;
use crate::payments::{self, Pays};

/// `pay {invoice | invoices, amount?, method?, covers_fees?, fees?}`: all that is open of each invoice, in their order,
/// or as much of it as `amount` says.
pub(super) fn pay(account: &mut Account, body: &Json) -> Result<String, ControlError> {
    let shares = shares(account, body)?;
    let method = Method::of(body.text("method").unwrap_or("card"));
    let wrong = || ControlError::bad("`method` is card or standard_ach");
    let pays = Pays {
        shares,
        method: method.ok_or_else(wrong)?,
        fee: amount(body, "fees")?,
        covers_fees: body.flag("covers_fees") == Some(true),
    };
    payments::pay(account, pays).map_err(refused)
}

fn shares(account: &Account, body: &Json) -> Result<Vec<(String, Decimal)>, ControlError> {
    let one = body.get("invoice").into_iter();
    let named: Vec<&str> = one
        .chain(body.list("invoices"))
        .filter_map(|id| match id {
            Json::Text(id) => Some(&**id),
            _ => None,
        })
        .collect();
    if named.is_empty() {
        return Err(ControlError::bad("`invoice`, or `invoices`, is missing"));
    }
    let mut left = amount(body, "amount")?;
    let mut shares = Vec::new();
    for (index, id) in named.iter().enumerate() {
        let invoice = account.invoice(id).map_err(refused)?;
        let open = invoices::standing(account, invoice).open();
        let is_last = index + 1 == named.len();
        let share = match left {
            None => open,
            // What is too much for all of them stays with the last, which is refused.
            Some(left) if is_last => left,
            Some(left) => left.min(open),
        };
        left = left.map(|left| left - share);
        shares.push(((*id).to_owned(), share));
    }
    shares.retain(|(_, share)| !share.is_zero());
    Ok(shares)
}
