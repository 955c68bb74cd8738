//! Invoices, credit notes and estimates: what they have in common (README §Invoices, §Credit notes).

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::account::{Account, CURRENCY};
use crate::json::Json;
use crate::kind::Kind;
use crate::life::{self, DAY};
use crate::money::{amount, number};
use crate::problem::Problem;
use crate::shape::{Field, Rule, id, lay, take};
use crate::totals;

static FIELDS: &[Field] = &[
    ("name", Rule::Text),
    ("autopay", Rule::Flag),
    ("draft", Rule::Flag),
    ("closed", Rule::Flag),
    ("date", Rule::Time),
    ("due_date", Rule::Time),
    ("payment_terms", Rule::Text),
    ("purchase_order", Rule::Text),
    ("notes", Rule::Text),
    ("ship_to", Rule::Map),
    ("metadata", Rule::Metadata),
];
static REFERENCES: &[Field] = &[
    ("customer", Rule::Id),
    ("number", Rule::Text),
    ("currency", Rule::Currency),
    ("invoice", Rule::Id),
];
static REQUEST: &[Field] = &[
    ("calculate_taxes", Rule::Flag),
    ("sent", Rule::Flag),
    ("attachments", Rule::List),
];

/// Makes one and gives its place.
pub(crate) fn create(account: &mut Account, kind: Kind, body: &Json) -> Result<i64, Problem> {
    let named = object(take(REFERENCES, body)?);
    let customer =
        id(&named, "customer").ok_or_else(|| Problem::param("customer", "Customer is missing"))?;
    account.reference(Kind::Customer, "customer", customer)?;
    let number = account.number(kind, named.text("number"), None)?;
    let mut document = blank(account, kind, customer, number);
    if let Some(currency) = named.text("currency") {
        document.put("currency", currency.into());
    }
    if kind == Kind::CreditNote
        && let Some(invoice) = id(&named, "invoice")
    {
        account.reference(Kind::Invoice, "invoice", invoice)?;
        document.put("invoice", invoice.into());
    }
    lay(&mut document, take(FIELDS, body)?);
    if document.get("date").is_none() {
        document.put("date", account.now().into());
    }
    if kind == Kind::Invoice {
        set_due_date(&mut document);
    }
    let request = object(take(REQUEST, body)?);
    attach(account, &mut document, &request)?;
    put_lines(account, &mut document, body)?;
    let calculate = request.flag("calculate_taxes").unwrap_or(true);
    totals::settle(account, &mut document, body, calculate)?;
    refuse_negative(&document)?;
    if request.flag("sent") == Some(true) {
        document.put("_sent", true.into());
    }
    let total = amount(&document, "total");
    document.put("balance", crate::money::number(total));
    let status = life::status(account, kind, 0, &document);
    life::put_status(&mut document, status, total);
    let place = account.insert(kind, document);
    life::watch(account, kind, place);
    Ok(place)
}

/// Changes one.
pub(crate) fn update(
    account: &mut Account,
    kind: Kind,
    place: i64,
    body: &Json,
) -> Result<(), Problem> {
    let mut document = account.get(kind, place)?.clone();
    if document.text("status") == Some("voided") {
        let message = format!(
            "A voided {} can't be changed",
            kind.object().replace('_', " ")
        );
        return Err(Problem::request(message));
    }
    let named = object(take(REFERENCES, body)?);
    if let Some(given) = named.text("number") {
        let number = account.number(kind, Some(given), Some(place))?;
        document.put("number", number.into());
    }
    let customer = id(&named, "customer");
    if customer.is_some() && customer != id(&document, "customer") {
        return Err(Problem::param("customer", "The customer can't be changed"));
    }
    let terms = document.text("payment_terms").map(str::to_owned);
    lay(&mut document, take(FIELDS, body)?);
    let new_terms = document.text("payment_terms") != terms.as_deref();
    if kind == Kind::Invoice && new_terms && body.get("due_date").is_none() {
        document.put("due_date", Json::Null);
        set_due_date(&mut document);
    }
    let request = object(take(REQUEST, body)?);
    attach(account, &mut document, &request)?;
    if body.get("items").is_some() {
        put_lines(account, &mut document, body)?;
    }
    let calculate = request.flag("calculate_taxes").unwrap_or(false);
    totals::settle(account, &mut document, body, calculate)?;
    refuse_negative(&document)?;
    if let Some(sent) = request.flag("sent") {
        document.put("_sent", sent.into());
    }
    let balance = amount(&document, "total") - life::applied(account, kind, place);
    if balance < Decimal::ZERO {
        let message = "The total can't be less than what was already applied";
        return Err(Problem::param("items", message));
    }
    document.put("balance", number(balance));
    let status = life::status(account, kind, place, &document);
    life::put_status(&mut document, status, balance);
    let was_paid = account.get(kind, place)?.flag("paid") == Some(true);
    account.change(kind, place, |fields| *fields = document);
    life::tell_if_paid(account, kind, place, was_paid);
    life::watch(account, kind, place);
    Ok(())
}

/// Deletes one that nothing was applied to.
pub(crate) fn delete(account: &mut Account, kind: Kind, place: i64) -> Result<(), Problem> {
    refuse_applied(account, kind, place, "deleted")?;
    account.remove(kind, place);
    Ok(())
}

/// Voids one that nothing was applied to. Its balance stays: the service's own habit.
pub(crate) fn void(account: &mut Account, kind: Kind, place: i64) -> Result<(), Problem> {
    let document = account.get(kind, place)?;
    if document.text("status") == Some("voided") {
        let message = format!(
            "This {} has already been voided",
            kind.object().replace('_', " ")
        );
        return Err(Problem::request(message));
    }
    refuse_applied(account, kind, place, "voided")?;
    account.change(kind, place, |document| {
        document.put("status", "voided".into());
        document.put("paid", false.into());
    });
    Ok(())
}

fn refuse_applied(account: &Account, kind: Kind, place: i64, what: &str) -> Result<(), Problem> {
    account.get(kind, place)?;
    if life::applied(account, kind, place).is_zero() && !life::is_pending(account, kind, place) {
        return Ok(());
    }
    let object = kind.object().replace('_', " ");
    Err(Problem::request(format!(
        "This {object} can't be {what}: payments or credits are applied to it"
    )))
}

fn blank(account: &mut Account, kind: Kind, customer: i64, number: String) -> Json {
    let of = account.table(Kind::Customer).get(customer);
    let inherited = |name: &str| {
        of.and_then(|of| of.get(name))
            .cloned()
            .unwrap_or(Json::Null)
    };
    let currency = inherited("currency");
    let currency = if currency == Json::Null {
        CURRENCY.into()
    } else {
        currency
    };
    let autopay = of.and_then(|of| of.flag("autopay")).unwrap_or(false);
    let terms = inherited("payment_terms");
    let token = account.random.token(24);
    let link = format!("/{}/{token}", kind.path());
    let mut document = Json::whole([
        ("customer", customer.into()),
        ("name", Json::Null),
        ("number", number.into()),
        ("currency", currency),
        ("draft", false.into()),
        ("closed", false.into()),
        ("paid", false.into()),
        ("status", Json::Null),
        ("date", Json::Null),
        ("purchase_order", Json::Null),
        ("items", Vec::new().into()),
        ("notes", Json::Null),
        ("subtotal", Decimal::ZERO.into()),
        ("discounts", Vec::new().into()),
        ("taxes", Vec::new().into()),
        ("total", Decimal::ZERO.into()),
        ("balance", Decimal::ZERO.into()),
        ("url", link.as_str().into()),
        ("pdf_url", format!("{link}/pdf").into()),
        ("metadata", Json::Object(Vec::new())),
    ]);
    if kind == Kind::Invoice {
        for (name, value) in [
            ("autopay", autopay.into()),
            ("attempt_count", 0u32.into()),
            ("next_payment_attempt", Json::Null),
            ("subscription", Json::Null),
            ("due_date", Json::Null),
            ("payment_terms", terms),
            ("ship_to", Json::Null),
            ("payment_plan", Json::Null),
            ("payment_url", format!("{link}/payment").into()),
        ] {
            document.put(name, value);
        }
    }
    document
}

/// `NET 30` is thirty days after the date; terms that say no days leave it open.
fn set_due_date(document: &mut Json) {
    if document.get("due_date").is_some() {
        return;
    }
    let terms = document
        .text("payment_terms")
        .unwrap_or_default()
        .to_ascii_uppercase();
    let digits: String = terms.chars().filter(char::is_ascii_digit).collect();
    let days: Option<i64> = if terms.starts_with("NET") {
        digits.parse().ok()
    } else {
        None
    };
    if let (Some(days), Some(date)) = (days, id(document, "date")) {
        let due = date.saturating_add(days.saturating_mul(DAY));
        if Timestamp::from_second(due).is_ok() {
            document.put("due_date", due.into());
        }
    }
}

fn put_lines(account: &mut Account, document: &mut Json, body: &Json) -> Result<(), Problem> {
    let given = match body.get("items") {
        Some(Json::List(given)) => given.clone(),
        None => Vec::new(),
        Some(_) => return Err(Problem::param("items", "items is not a list")),
    };
    let old = document.list("items").to_vec();
    let currency = document.text("currency").unwrap_or_default().to_owned();
    let lines = totals::lines(account, &given, &old, &currency)?;
    document.put("items", lines);
    Ok(())
}

/// The attachments of a request replace those there were; without any in the request they stay.
fn attach(account: &Account, document: &mut Json, request: &Json) -> Result<(), Problem> {
    let Some(Json::List(given)) = request.get("attachments") else {
        return Ok(());
    };
    let mut files = Vec::new();
    for entry in given {
        let text = crate::table::plain(entry).unwrap_or_default();
        let place = account.table(Kind::File).find(text);
        let missing = || Problem::param("attachments", format!("No such file: {text}"));
        files.push(Json::from(place.ok_or_else(missing)?));
    }
    document.put("_attachments", files.into());
    Ok(())
}

fn refuse_negative(document: &Json) -> Result<(), Problem> {
    if amount(document, "total") < Decimal::ZERO {
        return Err(Problem::param("total", "The total can't be negative"));
    }
    Ok(())
}

/// What was taken, as an object.
pub(crate) fn object(taken: Vec<(&'static str, Json)>) -> Json {
    let mut object = Json::Object(Vec::new());
    lay(&mut object, taken);
    object
}
