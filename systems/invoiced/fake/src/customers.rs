//! Customers and their contacts (README §Customers).

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::account::{Account, CURRENCY};
use crate::call::{Answer, Call, Reply};
use crate::json::Json;
use crate::kind::Kind;
use crate::life::is_open;
use crate::list;
use crate::money::{amount, number};
use crate::problem::Problem;
use crate::shape::{Field, Rule, id, lay, take};
use crate::show::plain_object;

static FIELDS: &[Field] = &[
    ("name", Rule::Text),
    ("email", Rule::Text),
    ("type", Rule::Text),
    ("autopay", Rule::Flag),
    ("autopay_delay_days", Rule::Id),
    ("payment_terms", Rule::Text),
    ("attention_to", Rule::Text),
    ("address1", Rule::Text),
    ("address2", Rule::Text),
    ("city", Rule::Text),
    ("state", Rule::Text),
    ("postal_code", Rule::Text),
    ("country", Rule::Text),
    ("language", Rule::Text),
    ("currency", Rule::Currency),
    ("phone", Rule::Text),
    ("credit_hold", Rule::Flag),
    ("credit_limit", Rule::Number),
    ("owner", Rule::Id),
    ("taxable", Rule::Flag),
    ("tax_id", Rule::Text),
    ("parent_customer", Rule::Id),
    ("chase", Rule::Flag),
    ("chasing_cadence", Rule::Id),
    ("next_chase_step", Rule::Id),
    ("notes", Rule::Text),
    ("sign_up_page", Rule::Id),
    ("ach_gateway", Rule::Id),
    ("cc_gateway", Rule::Id),
    ("avalara_entity_use_code", Rule::Text),
    ("avalara_exemption_number", Rule::Text),
    ("bill_to_parent", Rule::Flag),
    ("consolidated", Rule::Flag),
    ("metadata", Rule::Metadata),
];
static OTHERS: &[Field] = &[("number", Rule::Text), ("taxes", Rule::List)];
static CONTACT: &[Field] = &[
    ("name", Rule::Text),
    ("email", Rule::Text),
    ("phone", Rule::Text),
    ("title", Rule::Text),
    ("department", Rule::Text),
    ("primary", Rule::Flag),
    ("sms_enabled", Rule::Flag),
    ("address1", Rule::Text),
    ("address2", Rule::Text),
    ("city", Rule::Text),
    ("state", Rule::Text),
    ("postal_code", Rule::Text),
    ("country", Rule::Text),
];

/// Makes one and gives its place. The number is generated where none is given; names may come twice.
pub(crate) fn create(account: &mut Account, body: &Json) -> Result<i64, Problem> {
    let others = crate::documents::object(take(OTHERS, body)?);
    let fields = take(FIELDS, body)?;
    let mut customer = blank(account);
    lay(&mut customer, fields);
    check(account, &customer)?;
    let number = account.number(Kind::Customer, others.text("number"), None)?;
    customer.put("number", number.into());
    put_taxes(account, &mut customer, &others)?;
    Ok(account.insert(Kind::Customer, customer))
}

/// Changes one.
pub(crate) fn update(account: &mut Account, place: i64, body: &Json) -> Result<(), Problem> {
    let mut customer = account.get(Kind::Customer, place)?.clone();
    let others = crate::documents::object(take(OTHERS, body)?);
    lay(&mut customer, take(FIELDS, body)?);
    check(account, &customer)?;
    if let Some(given) = others.text("number") {
        let number = account.number(Kind::Customer, Some(given), Some(place))?;
        customer.put("number", number.into());
    }
    put_taxes(account, &mut customer, &others)?;
    account.change(Kind::Customer, place, |fields| *fields = customer);
    Ok(())
}

/// Deletes one without documents.
pub(crate) fn delete(account: &mut Account, place: i64) -> Result<(), Problem> {
    let own = place.to_string();
    for kind in [
        Kind::Invoice,
        Kind::Payment,
        Kind::CreditNote,
        Kind::Estimate,
    ] {
        if !account.table(kind).having("customer", &own).is_empty() {
            let message = "The customer can't be deleted: it has invoices or payments";
            return Err(Problem::request(message));
        }
    }
    account.remove(Kind::Customer, place);
    Ok(())
}

/// Merges one into another, for ever: its documents are the other's, and it is gone.
pub(crate) fn merge(account: &mut Account, gone: i64, into: i64) -> Result<(), Problem> {
    account.get(Kind::Customer, gone)?;
    account.get(Kind::Customer, into)?;
    if gone == into {
        return Err(Problem::request("A customer can't be merged into itself"));
    }
    for kind in [
        Kind::Contact,
        Kind::Invoice,
        Kind::Payment,
        Kind::CreditNote,
        Kind::Estimate,
        Kind::Subscription,
        Kind::Adjustment,
        Kind::Note,
    ] {
        for place in account.table(kind).having("customer", &gone.to_string()) {
            account.change(kind, place, |fields| fields.put("customer", into.into()));
        }
    }
    let credits: BTreeMap<String, Decimal> = account
        .credits
        .iter()
        .filter(|((customer, _), _)| *customer == gone)
        .map(|((_, currency), amount)| (currency.clone(), *amount))
        .collect();
    for (currency, amount) in credits {
        account.add_credit(gone, &currency, -amount);
        account.add_credit(into, &currency, amount);
    }
    let lost = account.table_mut(Kind::Customer).remove(gone);
    let previous = Json::object([("customer", lost.unwrap_or(Json::Null))]);
    account.tell(Kind::Customer, into, "merged", previous);
    Ok(())
}

fn blank(account: &mut Account) -> Json {
    let mut customer = Json::Object(Vec::new());
    for (name, _) in FIELDS {
        customer.put(name, Json::Null);
        if *name == "name" {
            customer.put("number", Json::Null);
        }
    }
    let token = account.random.token(24);
    for (name, value) in [
        ("type", "company".into()),
        ("autopay", false.into()),
        ("credit_hold", false.into()),
        ("taxable", true.into()),
        ("chase", true.into()),
        ("bill_to_parent", false.into()),
        ("consolidated", false.into()),
        ("taxes", Vec::new().into()),
        ("payment_source", Json::Null),
        ("sign_up_url", Json::Null),
        (
            "statement_pdf_url",
            format!("/statements/{token}/pdf").into(),
        ),
        ("metadata", Json::Object(Vec::new())),
    ] {
        customer.put(name, value);
    }
    customer
}

fn check(account: &Account, customer: &Json) -> Result<(), Problem> {
    if customer.text("name").is_none() {
        return Err(Problem::param("name", "Name is missing"));
    }
    if !matches!(customer.text("type"), Some("company" | "person")) {
        return Err(Problem::param("type", "Type must be company or person"));
    }
    if customer
        .text("country")
        .is_some_and(|country| country.len() != 2)
    {
        return Err(Problem::param(
            "country",
            "Country must be a two-letter code",
        ));
    }
    if let Some(parent) = id(customer, "parent_customer") {
        account.reference(Kind::Customer, "parent_customer", parent)?;
    }
    Ok(())
}

/// Taxes are named by their tax rates' identifiers.
fn put_taxes(account: &Account, customer: &mut Json, others: &Json) -> Result<(), Problem> {
    let Some(Json::List(given)) = others.get("taxes") else {
        return Ok(());
    };
    let mut rates = Vec::new();
    for entry in given {
        let name = match entry {
            Json::Text(name) => &**name,
            entry => entry.text("id").unwrap_or_default(),
        };
        let place = account.table(Kind::TaxRate).find(name);
        let missing = || Problem::param("taxes", format!("No such tax rate: {name}"));
        let rate = account.get(Kind::TaxRate, place.ok_or_else(missing)?)?;
        rates.push(rate.clone());
    }
    customer.put("taxes", rates.into());
    Ok(())
}

/// `GET /customers/:id/balance`.
pub(crate) fn balance(account: &Account, place: i64, call: &Call<'_>) -> Answer {
    let customer = account.get(Kind::Customer, place)?;
    let own = customer.text("currency").unwrap_or(CURRENCY);
    let currency = call
        .query
        .get("currency")
        .unwrap_or(own)
        .to_ascii_lowercase();
    let invoices = account.table(Kind::Invoice);
    let open: Vec<&Json> = invoices
        .having("customer", &place.to_string())
        .into_iter()
        .filter_map(|invoice| invoices.get(invoice))
        .filter(|invoice| is_open(invoice) && invoice.text("currency") == Some(&currency))
        .collect();
    let total: Decimal = open.iter().map(|invoice| amount(invoice, "balance")).sum();
    let late = open
        .iter()
        .filter(|one| one.text("status") == Some("past_due"));
    let due_now: Decimal = late.map(|invoice| amount(invoice, "balance")).sum();
    let credit = account.credit(place, &currency);
    let now = Json::object([
        ("timestamp", account.now().into()),
        ("currency", currency.as_str().into()),
        ("balance", number(credit)),
    ]);
    let history = if credit.is_zero() {
        Vec::new()
    } else {
        vec![now]
    };
    Ok(Reply::ok(Json::whole([
        ("available_credits", number(credit)),
        ("currency", currency.into()),
        ("history", history.into()),
        ("past_due", (!due_now.is_zero()).into()),
        ("total_outstanding", number(total)),
        ("due_now", number(due_now)),
    ])))
}

/// `/customers/:id/contacts[/:id]`.
pub(crate) fn contacts(
    account: &mut Account,
    customer: i64,
    call: &Call<'_>,
    rest: &[&str],
) -> Answer {
    let is_own = move |fields: &Json| id(fields, "customer") == Some(customer);
    let place = match rest {
        [] => None,
        [number] => {
            let place = account.find(Kind::Contact, number)?;
            if !is_own(account.get(Kind::Contact, place)?) {
                return Err(Problem::missing(Kind::Contact, number));
            }
            Some(place)
        }
        _ => return Err(Problem::path()),
    };
    let (status, place) = match (call.method, place) {
        ("GET", None) => return list::within(account, Kind::Contact, call, is_own),
        ("POST", None) => {
            let mut contact = Json::Object(Vec::new());
            contact.put("customer", customer.into());
            for (name, _) in CONTACT {
                contact.put(name, Json::Null);
            }
            lay(&mut contact, take(CONTACT, &call.body)?);
            if contact.text("name").is_none() {
                return Err(Problem::param("name", "Name is missing"));
            }
            (201, account.insert(Kind::Contact, contact))
        }
        ("GET", Some(place)) => (200, place),
        ("PATCH", Some(place)) => {
            let fields = take(CONTACT, &call.body)?;
            account.change(Kind::Contact, place, |contact| lay(contact, fields));
            (200, place)
        }
        ("DELETE", Some(place)) => {
            account.remove(Kind::Contact, place);
            return Ok(Reply::nothing());
        }
        _ => return Err(Problem::path()),
    };
    let shown = plain_object(
        Kind::Contact,
        account.get(Kind::Contact, place)?,
        &call.base,
    );
    Ok(Reply {
        status,
        ..Reply::ok(shown)
    })
}
