//! Credit without a payment: `/credit_balance_adjustments` (README §Credit notes).

use rust_decimal::Decimal;

use crate::account::{Account, CURRENCY};
use crate::documents::object;
use crate::json::Json;
use crate::kind::Kind;
use crate::money::{amount, is_too_fine, number};
use crate::problem::Problem;
use crate::shape::{Field, Rule, id, lay, take};

static FIELDS: &[Field] = &[
    ("customer", Rule::Id),
    ("currency", Rule::Currency),
    ("amount", Rule::Number),
];
static CHANGEABLE: &[Field] = &[("date", Rule::Time), ("notes", Rule::Text)];

/// Makes one and gives its place; above zero it gives credit, below it takes some.
pub(crate) fn create(account: &mut Account, body: &Json) -> Result<i64, Problem> {
    let given = object(take(FIELDS, body)?);
    let customer = id(&given, "customer");
    let customer = customer.ok_or_else(|| Problem::param("customer", "Customer is missing"))?;
    account.reference(Kind::Customer, "customer", customer)?;
    let currency = given.text("currency").unwrap_or(CURRENCY).to_owned();
    let value = given.number("amount").unwrap_or_default();
    if value.is_zero() || is_too_fine(value, &currency) {
        return Err(Problem::param("amount", "Amount is not valid"));
    }
    give(account, customer, &currency, value)?;
    let mut adjustment = Json::whole([
        ("customer", customer.into()),
        ("date", account.now().into()),
        ("currency", currency.into()),
        ("amount", number(value)),
        ("notes", Json::Null),
    ]);
    lay(&mut adjustment, take(CHANGEABLE, body)?);
    Ok(account.insert(Kind::Adjustment, adjustment))
}

/// Changes its date and its notes.
pub(crate) fn update(account: &mut Account, place: i64, body: &Json) -> Result<(), Problem> {
    let fields = take(CHANGEABLE, body)?;
    account.get(Kind::Adjustment, place)?;
    account.change(Kind::Adjustment, place, |one| lay(one, fields));
    Ok(())
}

/// Takes one back.
pub(crate) fn delete(account: &mut Account, place: i64) -> Result<(), Problem> {
    let one = account.get(Kind::Adjustment, place)?.clone();
    let currency = one.text("currency").unwrap_or(CURRENCY);
    let customer = id(&one, "customer").unwrap_or_default();
    give(account, customer, currency, -amount(&one, "amount"))?;
    account.remove(Kind::Adjustment, place);
    Ok(())
}

fn give(
    account: &mut Account,
    customer: i64,
    currency: &str,
    amount: Decimal,
) -> Result<(), Problem> {
    if account.credit(customer, currency) + amount < Decimal::ZERO {
        return Err(Problem::param(
            "amount",
            "The customer doesn't have enough credit",
        ));
    }
    account.add_credit(customer, currency, amount);
    Ok(())
}
