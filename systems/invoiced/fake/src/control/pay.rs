//! A customer pays: `POST /control/invoiced/pay`.

use rust_decimal::Decimal;
use tieout_kit::fake::ControlError;

use super::refused;
use crate::account::{Account, CURRENCY};
use crate::applications::{self, Share};
use crate::charges;
use crate::json::Json;
use crate::kind::Kind;
use crate::money::amount;
use crate::outbound;
use crate::payments::{self, METHODS, New};
use crate::shape::{decimal, id};
use crate::table::plain;

/// One payment over the invoices, oldest first as given. Without an amount it pays all of them; with less, the
/// last ones in part or not at all; with more, the rest stays unapplied, or becomes credit with `credit`.
/// `convenience_fee` comes on top. `processed` makes it a charge. Without invoices it is a receipt that nobody has
/// matched, of a `customer` or of nobody.
pub(super) fn pay(account: &mut Account, body: &Json) -> Result<i64, ControlError> {
    let method = body.text("method").unwrap_or("credit_card");
    if !METHODS.contains(&method) {
        return Err(ControlError::bad(format!(
            "`method` is one of {}",
            METHODS.join(", ")
        )));
    }
    let open = invoices(account, body)?;
    let fee = figure(body, "convenience_fee")?.unwrap_or_default();
    let owed: Decimal = open.iter().map(|(_, balance)| balance).sum();
    let paid = match figure(body, "amount")? {
        Some(amount) => amount,
        None if open.is_empty() => {
            return Err(ControlError::bad("`amount` or `invoices` is missing"));
        }
        None => owed,
    };
    let first = open
        .first()
        .and_then(|(place, _)| account.table(Kind::Invoice).get(*place));
    let customer = first
        .and_then(|invoice| id(invoice, "customer"))
        .or(id(body, "customer"));
    let currency = first.and_then(|invoice| invoice.text("currency"));
    let currency = currency
        .or(body.text("currency"))
        .unwrap_or(CURRENCY)
        .to_owned();
    let shares = shares(&open, paid, fee, body.flag("credit") == Some(true));
    applications::check(account, &shares, &[], customer, &currency).map_err(refused)?;
    let new = New {
        customer,
        currency,
        amount: paid + fee,
        shares,
        method: method.to_owned(),
        source: body.text("source").unwrap_or("customer_portal").to_owned(),
        charge: Json::Null,
        arrives: None,
    };
    if body
        .flag("processed")
        .unwrap_or(matches!(method, "credit_card" | "ach"))
    {
        return Ok(charges::process(account, new, "customer", None));
    }
    let mut fields = Vec::new();
    if let Some(reference) = body.get("reference") {
        fields.push(("reference", reference.clone()));
    }
    let place = payments::make(account, new, fields);
    outbound::mail_receipt(account, place);
    Ok(place)
}

fn figure(body: &Json, name: &str) -> Result<Option<Decimal>, ControlError> {
    let Some(value) = body.get(name) else {
        return Ok(None);
    };
    let figure = decimal(value).filter(|figure| *figure > Decimal::ZERO);
    let wrong = || {
        ControlError::bad(format!(
            "`{name}` is no amount above zero, such as \"12.50\""
        ))
    };
    figure.map(Some).ok_or_else(wrong)
}

fn invoices(account: &Account, body: &Json) -> Result<Vec<(i64, Decimal)>, ControlError> {
    let mut open = Vec::new();
    for entry in body.list("invoices") {
        let text = plain(entry).unwrap_or_default();
        let place = account.find(Kind::Invoice, text).map_err(refused)?;
        let invoice = account.get(Kind::Invoice, place).map_err(refused)?;
        open.push((place, amount(invoice, "balance")));
    }
    Ok(open)
}

fn shares(open: &[(i64, Decimal)], paid: Decimal, fee: Decimal, credit: bool) -> Vec<Share> {
    let mut left = paid;
    let mut shares = Vec::new();
    for (place, balance) in open {
        let part = left.min(*balance);
        if part > Decimal::ZERO {
            shares.push(applications::onto((Kind::Invoice, *place), part));
            left -= part;
        }
    }
    if credit && left > Decimal::ZERO {
        shares.push(applications::aside(false, left));
    }
    if fee > Decimal::ZERO {
        shares.push(applications::aside(true, fee));
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_fills_the_invoices_in_their_order() {
        let open = [(1, Decimal::from(10)), (2, Decimal::from(20))];
        let shares = shares(&open, Decimal::from(15), Decimal::ONE, true);
        let amounts: Vec<String> = shares
            .iter()
            .map(|share| share.amount.to_string())
            .collect();
        assert_eq!(amounts, ["10", "5", "1"]);
        assert_eq!(applications::cash(&shares), Decimal::from(16));
    }
}
