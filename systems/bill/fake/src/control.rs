//! What a person does in the vendor's own screens (`POST /control/bill/…`).

use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan as _};
use rust_decimal::Decimal;
use tieout_kit::fake::ControlError;

use crate::bills::{self, Coding, figures};
use crate::credits;
use crate::ids::Kind;
use crate::json::Json;
use crate::load::{plain_line, typed};
use crate::money::has_fractions_of_a_cent;
use crate::organization::{Organization, business_days_after};
use crate::payments::{self, Order, Share};
use crate::problem::Problem;
use crate::{approvals, life, vendors};

type Answer = Result<Json, ControlError>;

/// Carries out a control call.
pub(crate) fn control(org: &mut Organization, path: &[&str], body: &Json) -> Answer {
    match path {
        ["pay"] => pay(org, body),
        ["type-in"] => type_in(org, body),
        ["payments", id] => payment(org, id, body),
        ["bills", id] => bill(org, id, body),
        ["vendors", id] => vendor(org, id, body),
        ["switches"] => switch(org, body),
        ["rates"] => rate(org, body),
        ["organization"] => {
            org.books_closed = body.day("books_closed");
            let closed = org.books_closed.map(|day| day.to_string());
            Ok(Json::object([("books_closed", closed.into())]))
        }
        _ => Err(ControlError::missing(
            "bill has pay, type-in, payments/{id}, bills/{id}, vendors/{id}, organization, rates and switches",
        )),
    }
}

/// `{"lists_lag_seconds": 30}`: for so long lists show a record as it was before its last change.
fn switch(org: &mut Organization, body: &Json) -> Answer {
    let seconds = decimal(body, "lists_lag_seconds")?;
    let seconds = seconds.and_then(|seconds| i64::try_from(seconds).ok());
    let Some(seconds) = seconds.filter(|seconds| *seconds >= 0) else {
        let message = "switches: needs \"lists_lag_seconds\": a whole number, zero or more";
        return Err(ControlError::bad(message));
    };
    org.lists_lag = SignedDuration::from_secs(seconds);
    Ok(Json::object([(
        "lists_lag_seconds",
        Decimal::from(seconds).into(),
    )]))
}

/// `{"currency": "CAD", "dollars": "0.71"}`: what one unit is worth from now on, in bills and in
/// payments that are made.
fn rate(org: &mut Organization, body: &Json) -> Answer {
    let dollars = match body.get("dollars") {
        Some(Json::Text(text)) => text.parse().ok(),
        Some(value) => value.as_decimal(),
        None => None,
    };
    let dollars = dollars.filter(|dollars| *dollars > Decimal::ZERO);
    let currency = body.text("currency").filter(|code| *code != "USD");
    let Some((currency, dollars)) = currency.zip(dollars) else {
        let message =
            "rates: needs \"currency\", another one than USD, and \"dollars\", above zero";
        return Err(ControlError::bad(message));
    };
    org.rates.insert(currency.to_owned(), dollars);
    Ok(Json::object([
        ("currency", currency.into()),
        ("dollars", dollars.into()),
    ]))
}

fn refused(problem: Problem) -> ControlError {
    let messages: Vec<&str> = problem
        .entries
        .iter()
        .map(|entry| &*entry.message)
        .collect();
    ControlError {
        status: if problem.status == 404 { 404 } else { 409 },
        message: messages.join("; "),
    }
}

fn decimal(body: &Json, field: &str) -> Result<Option<Decimal>, ControlError> {
    let amount = match body.get(field) {
        None => return Ok(None),
        Some(Json::Text(text)) => text.parse().ok(),
        Some(value) => value.as_decimal(),
    };
    let amount = amount.filter(|amount| !has_fractions_of_a_cent(*amount));
    amount
        .map(Some)
        .ok_or_else(|| ControlError::bad(format!("{field}: an amount in cents")))
}

fn day(body: &Json, field: &str) -> Result<Option<Date>, ControlError> {
    match body.text(field) {
        None => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|_| ControlError::bad(format!("{field}: a date (yyyy-MM-dd)"))),
    }
}

/// Vendor credits that a payment is to use: `"credits":[{"id","amount"}]`. They go to the bills of their vendor
/// in the bills' order, before any cash does.
fn credits_named(
    org: &Organization,
    body: &Json,
) -> Result<Vec<(u32, u32, Decimal)>, ControlError> {
    let mut named = Vec::new();
    for entry in body.list("credits") {
        let id = entry.text("id").unwrap_or_default();
        let place = org
            .place(Kind::Credit, id, org.credits.len())
            .map_err(refused)?;
        let vendor = org.credits.at(place).body.vendor;
        let (place, amount) = credits::usable(org, entry, vendor, None).map_err(refused)?;
        named.push((vendor, place, amount));
    }
    Ok(named)
}

/// Takes what a bill can take of the credits named.
fn take(credits: &mut [(u32, u32, Decimal)], vendor: u32, mut due: Decimal) -> Vec<(u32, Decimal)> {
    let mut taken = Vec::new();
    for (_, credit, left) in credits.iter_mut().filter(|(of, ..)| *of == vendor) {
        let part = due.min(*left);
        if part > Decimal::ZERO {
            *left -= part;
            due -= part;
            taken.push((*credit, part));
        }
    }
    taken
}

/// One payment for each vendor of the bills named. An amount goes to the bills in their order, after the
/// credits named.
fn pay(org: &mut Organization, body: &Json) -> Answer {
    let named = body.list("bills");
    if named.is_empty() {
        return Err(ControlError::bad("bills: at least one bill's id"));
    }
    let mut left = decimal(body, "amount")?;
    let mut credits = credits_named(org, body)?;
    let mut by_vendor: Vec<(u32, Vec<Share>)> = Vec::new();
    for entry in named {
        let Json::Text(id) = entry else {
            return Err(ControlError::bad("bills: ids, as text"));
        };
        let place = org
            .place(Kind::Bill, id, org.bills.len())
            .map_err(refused)?;
        let vendor = org.bills.at(place).body.vendor;
        let due = figures(org, place).due;
        let used = take(&mut credits, vendor, due);
        let due = due - used.iter().map(|(_, amount)| amount).sum::<Decimal>();
        let amount = left.map_or(due, |left| left.min(due));
        if let Some(left) = &mut left {
            *left -= amount;
        }
        if amount <= Decimal::ZERO && used.is_empty() {
            continue;
        }
        match by_vendor.iter_mut().find(|(other, _)| *other == vendor) {
            Some((_, parts)) if parts.iter().any(|(bill, ..)| *bill == place) => {}
            Some((_, parts)) => parts.push((place, amount, used)),
            None => by_vendor.push((vendor, vec![(place, amount, used)])),
        }
    }
    let unused = credits.iter().any(|(.., left)| *left > Decimal::ZERO);
    if by_vendor.is_empty() || unused || left.is_some_and(|left| left > Decimal::ZERO) {
        let message = "nothing, or less than the amount, is due on these bills".to_owned();
        return Err(ControlError {
            status: 409,
            message,
        });
    }
    let mut made = Vec::new();
    for (vendor, parts) in by_vendor {
        for parts in parts.chunks(payments::COMBINED) {
            let order = order(org, body, vendor)?;
            let place = payments::place(org, vendor, parts.to_vec(), order);
            made.push(payments::render(org, place));
        }
    }
    let id = made
        .first()
        .and_then(|payment| payment.text("id"))
        .map(str::to_owned);
    Ok(Json::object([("id", id.into()), ("payments", made.into())]))
}

fn order(org: &Organization, body: &Json, vendor: u32) -> Result<Order, ControlError> {
    let status = single_status(body.text("status").unwrap_or("SCHEDULED"));
    let today = org.today();
    let planned = if payments::stage(&status) == payments::Stage::Scheduled {
        business_days_after(today, 1)
    } else {
        today
    };
    let method = body
        .text("method")
        .unwrap_or_else(|| payments::method_of(org, vendor));
    let bank = (org.funding.banks.len() > 0 && method != "OFFLINE")
        .then(|| ("BANK_ACCOUNT".to_owned(), org.ids.text(Kind::Bank, 0)));
    Ok(Order {
        process_date: day(body, "process_date")?.unwrap_or(planned),
        funding: bank,
        method: method.to_owned(),
        status,
        description: body.text("description").map(str::to_owned),
        transaction_number: body.text("transaction_number").map(str::to_owned),
        options: Json::Null,
        recorded: None,
    })
}

/// The coarse words stand for the fine ones; any other word is taken as it is.
fn single_status(status: &str) -> String {
    match status {
        "CANCELLED" => "CANCELED",
        "VOID" => "VOIDED",
        "PAID" => "PROCESSED",
        other => other,
    }
    .to_owned()
}

fn payment(org: &mut Organization, id: &str, body: &Json) -> Answer {
    let place = org
        .place(Kind::Payment, id, org.payments.len())
        .map_err(refused)?;
    let status = body.text("status").ok_or_else(|| {
        ControlError::bad("status: a singleStatus, for example CLEARED or VOIDED")
    })?;
    let status = single_status(status);
    match (&*status, body.text("type")) {
        ("VOIDED", kind) => life::void_now(org, place, kind.unwrap_or("VOID_ONLY")),
        ("VOID_PENDING", Some(kind)) => {
            let reason = body
                .text("reason")
                .unwrap_or("Voided by a person")
                .to_owned();
            life::request_void(org, place, kind.to_owned(), reason).map_err(refused)?;
        }
        _ => life::set_status(org, place, &status),
    }
    Ok(payments::render(org, place))
}

fn bill(org: &mut Organization, id: &str, body: &Json) -> Answer {
    let place = org
        .place(Kind::Bill, id, org.bills.len())
        .map_err(refused)?;
    match body.text("action").unwrap_or_default() {
        "archive" => bills::archive(org, place, true).map_err(refused)?,
        "restore" => bills::archive(org, place, false).map_err(refused)?,
        "approve" => approvals::set_approval(org, place, "APPROVED"),
        "deny" => approvals::set_approval(org, place, "DENIED"),
        "edit" => edit_bill(org, place, body)?,
        _ => {
            return Err(ControlError::bad(
                "action: archive, restore, edit, approve or deny",
            ));
        }
    }
    Ok(bills::render(org, place, true, true))
}

/// `fields` are those of `PATCH`; `amount` beside them changes the first line so that the total fits.
fn edit_bill(org: &mut Organization, place: u32, body: &Json) -> Result<(), ControlError> {
    let mut fields = body.get("fields").cloned().unwrap_or(Json::object([]));
    if let Some(total) = decimal(&fields, "amount")? {
        let bill = &org.bills.at(place).body;
        let line = &bill.lines[0];
        let amount = line.amount + total - bills::total(bill);
        let id = org.ids.text(Kind::BillLine, line.id);
        let line = Json::object([("id", id.into()), ("amount", amount.into())]);
        fields.set("billLineItems", vec![line].into());
    }
    bills::patch(org, place, &fields).map_err(refused)
}

fn vendor(org: &mut Organization, id: &str, body: &Json) -> Answer {
    let place = org
        .place(Kind::Vendor, id, org.vendors.len())
        .map_err(refused)?;
    match body.text("action").unwrap_or_default() {
        "archive" => vendors::archive(org, place, true),
        "restore" => vendors::archive(org, place, false),
        "edit" => {
            let fields = body.get("fields").ok_or_else(|| {
                ControlError::bad("fields: what to change, by the names of the API")
            })?;
            vendors::apply(org, place, fields);
        }
        _ => return Err(ControlError::bad("action: archive, restore or edit")),
    }
    Ok(vendors::render(org, place))
}

/// Bills typed in by hand: `{"bills":[{"vendor","number","amount","date","due","account"}]}`, or one.
fn type_in(org: &mut Organization, body: &Json) -> Answer {
    let one = std::slice::from_ref(body);
    let entries = if body.list("bills").is_empty() {
        one
    } else {
        body.list("bills")
    };
    let mut drafts = Vec::new();
    for entry in entries {
        let named = entry
            .text("vendor")
            .or(entry.text("vendorId"))
            .unwrap_or_default();
        let vendor = org
            .ids
            .place(Kind::Vendor, named)
            .filter(|place| *place < org.vendors.len());
        let vendor = vendor.or_else(|| {
            let mut rows = org.vendors.rows();
            rows.find(|(_, row)| row.body.name() == named)
                .map(|(place, _)| place)
        });
        let vendor = vendor.ok_or_else(|| {
            ControlError::bad(format!("vendor: {named} is no vendor's id or name"))
        })?;
        let date = day(entry, "date")?.unwrap_or_else(|| org.today());
        let due = day(entry, "due")?.unwrap_or_else(|| date.saturating_add(30.days()));
        let amount = decimal(entry, "amount")?
            .filter(|amount| *amount >= Decimal::ZERO)
            .ok_or_else(|| ControlError::bad("amount: an amount of zero or more"))?;
        let account = entry
            .text("account")
            .and_then(|id| org.ids.place(Kind::Account, id));
        let coding = account.map_or(Coding::default(), Coding::account);
        let lines = vec![plain_line(amount, coding)];
        let mut bill = typed(
            vendor,
            entry.text("number").unwrap_or_default(),
            (date, due),
            lines,
        );
        bill.description = entry.text("description").map(Into::into);
        drafts.push(bill);
    }
    let places: Vec<u32> = drafts
        .into_iter()
        .map(|bill| bills::create(org, bill))
        .collect();
    let made: Vec<Json> = places
        .into_iter()
        .map(|place| bills::render(org, place, true, false))
        .collect();
    Ok(Json::object([("bills", made.into())]))
}
