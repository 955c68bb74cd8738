//! What an invoice, credit note or estimate comes to (README §Invoices).
//!
//! Discounts and taxes lie on the document and on its lines; the totals are over both.

use rust_decimal::Decimal;

use crate::account::Account;
use crate::json::Json;
use crate::kind::Kind;
use crate::money::{amount, is_sane, number, rounded};
use crate::problem::Problem;
use crate::shape::{Field, Rule, decimal, id, lay, take};
use crate::table::plain;

static LINE: &[Field] = &[
    ("catalog_item", Rule::Text),
    ("type", Rule::Text),
    ("name", Rule::Text),
    ("description", Rule::Text),
    ("quantity", Rule::Number),
    ("unit_cost", Rule::Number),
    ("discountable", Rule::Flag),
    ("taxable", Rule::Flag),
    ("plan", Rule::Text),
    ("metadata", Rule::Metadata),
];

/// The lines of a request, with amounts. Lines that name the identifier of one of `old` change that one; all
/// others of `old` go.
pub(crate) fn lines(
    account: &mut Account,
    given: &[Json],
    old: &[Json],
    currency: &str,
) -> Result<Json, Problem> {
    let mut lines = Vec::new();
    for entry in given {
        let known = id(entry, "id")
            .and_then(|number| old.iter().find(|line| id(line, "id") == Some(number)));
        lines.push(line(account, entry, known, currency)?);
    }
    Ok(lines.into())
}

fn line(
    account: &mut Account,
    entry: &Json,
    known: Option<&Json>,
    currency: &str,
) -> Result<Json, Problem> {
    let mut line = match known {
        Some(known) => known.clone(),
        None => blank(account.outbound.next_line()),
    };
    if let Some(item) = entry.text("catalog_item") {
        let place = account.table(Kind::Item).find(item);
        let place =
            place.ok_or_else(|| Problem::param("items", format!("No such item: {item}")))?;
        let item = account.get(Kind::Item, place)?;
        for name in [
            "name",
            "description",
            "unit_cost",
            "discountable",
            "taxable",
        ] {
            if let Some(value) = item.get(name) {
                line.put(name, value.clone());
            }
        }
    }
    lay(&mut line, take(LINE, entry)?);
    let quantity = line.number("quantity").unwrap_or(Decimal::ONE);
    let unit_cost = amount(&line, "unit_cost");
    let cost = rounded(quantity * unit_cost, currency);
    if !is_sane(cost) {
        return Err(Problem::param("items", "The amount of a line is too large"));
    }
    line.put("quantity", number(quantity));
    line.put("unit_cost", number(unit_cost));
    line.put("amount", number(cost));
    for (name, kind) in [("discounts", Kind::Coupon), ("taxes", Kind::TaxRate)] {
        if let Some(Json::List(given)) = entry.get(name) {
            let given = given.clone();
            let base = cost
                - if kind == Kind::TaxRate {
                    sum(&line, "discounts")
                } else {
                    Decimal::ZERO
                };
            let rates = rates(account, kind, &given, base, currency)?;
            line.put(name, rates);
        }
    }
    Ok(line)
}

fn blank(id: i64) -> Json {
    Json::whole([
        ("id", id.into()),
        ("object", "line_item".into()),
        ("catalog_item", Json::Null),
        ("type", Json::Null),
        ("name", Json::Null),
        ("description", Json::Null),
        ("quantity", Json::Null),
        ("unit_cost", Json::Null),
        ("amount", Json::Null),
        ("discountable", true.into()),
        ("discounts", Vec::new().into()),
        ("taxable", true.into()),
        ("taxes", Vec::new().into()),
        ("plan", Json::Null),
        ("metadata", Json::Object(Vec::new())),
    ])
}

/// Discounts or taxes of a request over a base: each an amount, or a coupon or tax rate by its identifier.
pub(crate) fn rates(
    account: &mut Account,
    kind: Kind,
    given: &[Json],
    base: Decimal,
    currency: &str,
) -> Result<Json, Problem> {
    let rate_field = rate_field(kind);
    let mut rates = Vec::new();
    for entry in given {
        let rate = match entry {
            Json::Text(id) => Some(&**id),
            entry => match entry.get(rate_field) {
                Some(Json::Object(_)) => entry.text(&format!("{rate_field}.id")),
                Some(named) => plain(named),
                None => None,
            },
        };
        let (value, rate) = match rate {
            Some(id) => by_rate(account, kind, id, base)?,
            None => {
                let value = entry.get("amount").and_then(decimal);
                let wrong = || Problem::param(list_field(kind), "amount is missing");
                (value.ok_or_else(wrong)?, Json::Null)
            }
        };
        let object = if kind == Kind::TaxRate {
            "tax"
        } else {
            "discount"
        };
        let mut shown = Json::whole([
            ("id", account.outbound.next_line().into()),
            ("object", object.into()),
            ("amount", number(rounded(value, currency))),
            (rate_field, rate),
        ]);
        if kind == Kind::Coupon {
            shown.put("expires", Json::Null);
        }
        rates.push(shown);
    }
    Ok(rates.into())
}

fn rate_field(kind: Kind) -> &'static str {
    if kind == Kind::TaxRate {
        "tax_rate"
    } else {
        "coupon"
    }
}

fn list_field(kind: Kind) -> &'static str {
    if kind == Kind::TaxRate {
        "taxes"
    } else {
        "discounts"
    }
}

fn by_rate(
    account: &Account,
    kind: Kind,
    id: &str,
    base: Decimal,
) -> Result<(Decimal, Json), Problem> {
    let place = account.table(kind).find(id).ok_or_else(|| {
        let message = format!("No such {}: {id}", kind.object().replace('_', " "));
        Problem::param(list_field(kind), message)
    })?;
    let rate = account.get(kind, place)?;
    if rate.flag("inclusive") == Some(true) {
        let message = "The sandbox doesn't compute inclusive tax rates: how is not documented";
        return Err(Problem::param("taxes", message));
    }
    let value = amount(rate, "value");
    let value = if rate.flag("is_percent") == Some(true) {
        base.checked_mul(value / Decimal::ONE_HUNDRED)
    } else {
        Some(value)
    };
    let value = value.filter(|value| is_sane(*value));
    let value = value.ok_or_else(|| Problem::param(list_field(kind), "The amount is too large"))?;
    Ok((value, rate.clone()))
}

/// The sum of the amounts in a list of an object.
pub(crate) fn sum(object: &Json, list: &str) -> Decimal {
    let entries = object.list(list).iter();
    entries.map(|entry| amount(entry, "amount")).sum()
}

/// What a document's lines come to, before all discounts and taxes.
pub(crate) fn subtotal(document: &Json) -> Decimal {
    sum(document, "items")
}

/// What is taxed: the taxable lines, less all discounts.
fn taxed(document: &Json) -> Decimal {
    let lines = document.list("items").iter();
    let taxable = lines.filter(|line| line.flag("taxable") != Some(false));
    let lines: Decimal = taxable
        .map(|line| amount(line, "amount") - sum(line, "discounts"))
        .sum();
    lines - sum(document, "discounts")
}

/// Discounts and taxes of the document itself: those of the request, and with `calculate` the customer's own
/// taxes where the request names none.
pub(crate) fn settle(
    account: &mut Account,
    document: &mut Json,
    given: &Json,
    calculate: bool,
) -> Result<(), Problem> {
    let currency = document.text("currency").unwrap_or_default().to_owned();
    if let Some(Json::List(entries)) = given.get("discounts") {
        let base = subtotal(document);
        let discounts = rates(account, Kind::Coupon, entries, base, &currency)?;
        document.put("discounts", discounts);
    }
    let own = match given.get("taxes") {
        Some(Json::List(entries)) => Some(entries.clone()),
        _ if calculate => automatic(account, document),
        _ => None,
    };
    if let Some(entries) = own {
        let taxes = rates(account, Kind::TaxRate, &entries, taxed(document), &currency)?;
        document.put("taxes", taxes);
    }
    let over = |list: &str| {
        let lines = document.list("items").iter();
        sum(document, list) + lines.map(|line| sum(line, list)).sum::<Decimal>()
    };
    let total = subtotal(document) - over("discounts") + over("taxes");
    document.put("subtotal", number(subtotal(document)));
    document.put("total", number(total));
    Ok(())
}

/// The taxes of a document's customer.
fn automatic(account: &Account, document: &Json) -> Option<Vec<Json>> {
    let customer = account
        .get(Kind::Customer, id(document, "customer")?)
        .ok()?;
    if customer.flag("taxable") == Some(false) {
        return Some(Vec::new());
    }
    let rates = customer.list("taxes").iter();
    Some(
        rates
            .filter_map(|rate| rate.text("id"))
            .map(Json::from)
            .collect(),
    )
}
