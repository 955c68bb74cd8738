//! Reading records: JSON with numbers and booleans, references with names, sublists as links unless they
//! are expanded.

mod applying;

use std::collections::BTreeMap;

use axum::response::Response;
use http::StatusCode;
use rusqlite::types::Value;
use rust_decimal::Decimal;

use super::catalog::{Family, Field, RecordType, record_of_table};
use super::{Desk, failure, wrong_transaction};
use crate::http_surface::{COLLECTION, SINGULAR, json_response};
use crate::json::Json;
use crate::ledger::{
    self, AddressIn, BillIn, JournalIn, LedgerError, LineIn, LineKind, PaymentKind,
};
use crate::problem::Problem;
use crate::query::count;
use crate::schema::{self, Display, Kind};
use applying::{credit_applications, payment_applications};

/// One row, by column.
pub(crate) type Row = BTreeMap<String, Value>;

/// The condition that tells a record type's rows from others of its table, as `AND …`.
pub(crate) fn filter_sql(record: &RecordType) -> String {
    record
        .filter
        .iter()
        .map(|(column, value)| format!(" AND \"{column}\" = '{value}'"))
        .collect()
}

/// `GET /{type}/{id}`
pub(crate) fn record(
    desk: &Desk<'_>,
    record: &'static RecordType,
    id: i64,
) -> Result<Response, Problem> {
    Ok(json_response(
        StatusCode::OK,
        SINGULAR,
        &whole(desk, record, id)?,
    ))
}

/// `GET /{type}/{id}/{sublist}`
pub(crate) fn sublist(
    desk: &Desk<'_>,
    record: &'static RecordType,
    id: i64,
    name: &str,
) -> Result<Response, Problem> {
    let known = record
        .sublists
        .iter()
        .find(|sublist| sublist.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| Problem::missing(format!("The sub-resource '{name}' does not exist.")))?;
    let body = elements(desk, record, id, known.name)?;
    Ok(json_response(StatusCode::OK, COLLECTION, &body))
}

/// A record as JSON, with the sublists and fields the call asks for.
pub(crate) fn whole(
    desk: &Desk<'_>,
    record: &'static RecordType,
    id: i64,
) -> Result<Json, Problem> {
    let row = row(desk, record.table, id).map_err(|error| failure::store(&error))?;
    let chosen: Option<Vec<&str>> = desk
        .call
        .parameter("fields")
        .map(|list| list.split(',').map(str::trim).collect());
    let wanted = |name: &str| {
        chosen
            .as_ref()
            .is_none_or(|fields| fields.contains(&name) || name == "id")
    };
    let expanded: Vec<&str> = desk
        .call
        .parameter("expand")
        .map(|list| list.split(',').collect())
        .unwrap_or_default();
    let all = desk.call.is_set("expandSubResources");

    let mut fields = vec![("links".to_owned(), links(&desk.location(record, id)))];
    for field in record.fields().filter(|field| wanted(field.name)) {
        let hidden =
            !desk.fake.one_world && matches!(field.column, Some("subsidiary" | "x_subsidiary"));
        if !hidden && let Some(value) = shown(desk, record, field, &row)? {
            fields.push((field.name.to_owned(), value));
        }
    }
    fields.extend(
        derived(desk, record, id)?
            .into_iter()
            .filter(|(name, _)| wanted(name)),
    );
    if let Some(Value::Text(extra)) = row.get("x_extra")
        && let Ok(Json::Object(extra)) = Json::parse(extra)
    {
        fields.extend(extra.into_iter().filter(|(name, _)| wanted(name)));
    }
    for sublist in record
        .sublists
        .iter()
        .filter(|sublist| wanted(sublist.name))
    {
        let value = if all || expanded.contains(&sublist.name) {
            elements(desk, record, id, sublist.name)?
        } else {
            let address = format!("{}/{}", desk.location(record, id), sublist.name);
            Json::object([("links", links(&address))])
        };
        fields.push((sublist.name.to_owned(), value));
    }
    Ok(Json::Object(fields))
}

fn row(desk: &Desk<'_>, table: &str, id: i64) -> rusqlite::Result<Row> {
    let mut statement = desk
        .books
        .prepare_cached(&format!("SELECT * FROM \"{table}\" WHERE id = ?1"))?;
    let names: Vec<String> = statement
        .column_names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    statement.query_row([id], |row| {
        names
            .iter()
            .enumerate()
            .map(|(position, name)| Ok((name.clone(), row.get::<_, Value>(position)?)))
            .collect()
    })
}

fn links(address: &str) -> Json {
    Json::Array(vec![Json::object([
        ("rel", Json::text("self")),
        ("href", Json::text(address)),
    ])])
}

/// A header field's value; `None` when it is null.
fn shown(
    desk: &Desk<'_>,
    record: &RecordType,
    field: &Field,
    row: &Row,
) -> Result<Option<Json>, Problem> {
    let Some(column) = record.column(field) else {
        return Ok(None);
    };
    let value = match row.get(column.name) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let json = match (value, column.kind) {
        (Value::Integer(id), Kind::Int) => {
            let table = field.refers.or(match column.display {
                Display::Of(table, _) => Some(table),
                _ => None,
            });
            match (table, column.display) {
                (Some(table), _) => reference(desk, record, table, *id)?,
                (None, Display::Approval) => enumeration(
                    desk,
                    &id.to_string(),
                    match id {
                        1 => "Pending Approval",
                        2 => "Approved",
                        3 => "Rejected",
                        _ => "",
                    },
                ),
                _ if field.name == "id" => Json::text(id.to_string()),
                _ => Json::integer(*id),
            }
        }
        (Value::Integer(units), Kind::Amount) => {
            let amount = schema::from_units(*units);
            let credit = field.name == "total" && !matches!(record.name, "vendorBill" | "invoice");
            Json::decimal(if credit { amount.abs() } else { amount })
        }
        (Value::Text(text), Kind::Flag) => Json::Bool(text == "T"),
        (Value::Text(text), Kind::Stamp) => Json::text(format!("{}Z", text.replace(' ', "T"))),
        (Value::Text(text), _) if column.display == Display::Status => enumeration(
            desk,
            text,
            status_name(record.code().unwrap_or_default(), text),
        ),
        (Value::Text(text), _) if matches!(field.name, "acctType" | "country") => {
            enumeration(desk, text, text)
        }
        (Value::Text(text), _) => Json::text(text),
        (Value::Integer(number), _) => Json::integer(*number),
        _ => return Ok(None),
    };
    Ok(Some(json))
}

/// The name of a status letter, as the record service shows it.
fn status_name(code: &str, letter: &str) -> &'static str {
    match (code, letter) {
        ("VendBill" | "CustInvc" | "VendCred" | "CustCred", "A") => "Open",
        ("VendBill" | "CustInvc", "B") => "Paid In Full",
        ("VendCred" | "CustCred", "B") => "Fully Applied",
        ("VendBill" | "VendCred", "C") => "Cancelled",
        (_, "D") => "Pending Approval",
        (_, "E") => "Rejected",
        (_, "V") => "Voided",
        ("Journal", "A") => "Pending Approval",
        ("Journal", "B") => "Approved for Posting",
        ("CustPymt", "A") => "Unapplied",
        ("CustPymt", "B") => "Not Deposited",
        ("CustPymt", "C") => "Deposited",
        _ => "",
    }
}

fn enumeration(desk: &Desk<'_>, id: &str, name: &str) -> Json {
    if desk.call.is_set("simpleEnumFormat") {
        return Json::text(id);
    }
    chosen(id, name)
}

/// A value of a list that has no records of its own: it comes with links, and there are none.
fn chosen(id: &str, name: &str) -> Json {
    let mut fields = vec![
        ("links".to_owned(), Json::Array(Vec::new())),
        ("id".to_owned(), Json::text(id)),
    ];
    if !name.is_empty() {
        fields.push(("refName".to_owned(), Json::text(name)));
    }
    Json::Object(fields)
}

/// Records whose other party is a customer.
const SALES: [&str; 4] = ["invoice", "creditMemo", "customerPayment", "customerRefund"];

/// A reference with its name.
pub(super) fn reference(
    desk: &Desk<'_>,
    record: &RecordType,
    table: &str,
    id: i64,
) -> Result<Json, Problem> {
    let kind = match table {
        "entity" if SALES.contains(&record.name) => "customer",
        "entity" => "vendor",
        other => record_of_table(other),
    };
    let address = format!("{}/services/rest/record/v1/{kind}/{id}", desk.call.origin());
    let mut fields = vec![
        ("links".to_owned(), links(&address)),
        ("id".to_owned(), Json::text(id.to_string())),
    ];
    if let Some(name) = name_of(desk, table, id).map_err(|error| failure::store(&error))? {
        fields.push(("refName".to_owned(), Json::text(name)));
    }
    Ok(Json::Object(fields))
}

fn name_of(desk: &Desk<'_>, table: &str, id: i64) -> rusqlite::Result<Option<String>> {
    let column = match table {
        "account" => "accountsearchdisplayname",
        "entity" | "vendor" | "customer" | "employee" => "entityid",
        "accountingperiod" => "periodname",
        "item" => "fullname",
        "transaction" => "COALESCE(tranid, transactionnumber)",
        _ => "name",
    };
    use rusqlite::OptionalExtension as _;
    Ok(desk
        .books
        .prepare_cached(&format!("SELECT {column} FROM \"{table}\" WHERE id = ?1"))?
        .query_row([id], |row| row.get::<_, Option<String>>(0))
        .optional()?
        .flatten())
}

/// A reference that may be absent, as a field.
fn optional(
    desk: &Desk<'_>,
    record: &RecordType,
    name: &str,
    table: &str,
    id: Option<i64>,
) -> Result<Option<(String, Json)>, Problem> {
    id.map(|id| Ok((name.to_owned(), reference(desk, record, table, id)?)))
        .transpose()
}

fn told(desk: &Desk<'_>, record: &RecordType, error: LedgerError) -> Problem {
    super::Refusal::from(error).told(desk.fake, record)
}

/// Header fields that aren't columns: what a payment's main line carries.
fn derived(
    desk: &Desk<'_>,
    record: &'static RecordType,
    id: i64,
) -> Result<Vec<(String, Json)>, Problem> {
    let Family::Payment(kind) = record.family else {
        return Ok(Vec::new());
    };
    let Some(payment) =
        ledger::read_payment(desk.books, id).map_err(|error| told(desk, record, error))?
    else {
        return Ok(Vec::new());
    };
    let ledger_account = match kind {
        PaymentKind::VendorPayment => "apAcct",
        PaymentKind::CustomerPayment
        | PaymentKind::CustomerRefund
        | PaymentKind::DepositApplication => "arAcct",
    };
    let fields = [
        optional(
            desk,
            record,
            ledger_account,
            "account",
            payment.ledger_account,
        )?,
        optional(desk, record, "department", "department", payment.department)?,
        optional(desk, record, "class", "classification", payment.class)?,
        optional(desk, record, "location", "location", payment.location)?,
        payment
            .amount
            .map(|amount| ("payment".to_owned(), Json::decimal(amount))),
        undeposited(desk, record, kind, payment.account)?,
    ];
    Ok(fields.into_iter().flatten().collect())
}

/// Where a customer payment lies, as the pages choose it: Undeposited Funds, or an account.
fn undeposited(
    desk: &Desk<'_>,
    record: &RecordType,
    kind: PaymentKind,
    account: Option<i64>,
) -> Result<Option<(String, Json)>, Problem> {
    if kind != PaymentKind::CustomerPayment {
        return Ok(None);
    }
    let known =
        ledger::undeposited::known(desk.books).map_err(|error| told(desk, record, error))?;
    let (id, name) = if account.is_some() && account == known {
        ("T", ledger::undeposited::NAME)
    } else {
        ("F", "Account")
    };
    Ok(Some(("undepFunds".to_owned(), enumeration(desk, id, name))))
}

/// A sublist's elements with their frame.
fn elements(
    desk: &Desk<'_>,
    record: &'static RecordType,
    id: i64,
    name: &str,
) -> Result<Json, Problem> {
    let refused = |error| told(desk, record, error);
    let address = format!("{}/{name}", desk.location(record, id));
    let items: Vec<Vec<(String, Json)>> = match record.family {
        Family::Bill(_) => {
            let bill = ledger::read_bill(desk.books, id)
                .map_err(refused)?
                .ok_or_else(wrong_transaction)?;
            match name {
                "apply" => credit_applications(desk, record, id, &bill)?,
                _ => bill_lines(desk, record, &bill, name)?,
            }
        }
        Family::Payment(_) if name == "apply" => {
            let payment = ledger::read_payment(desk.books, id)
                .map_err(refused)?
                .ok_or_else(wrong_transaction)?;
            payment_applications(desk, record, id, &payment)?
        }
        Family::Deposit => {
            let deposit = ledger::read_deposit(desk.books, id)
                .map_err(refused)?
                .ok_or_else(wrong_transaction)?;
            super::deposits::elements(desk, record, &deposit, name)?
        }
        Family::Journal => {
            let journal = ledger::read_journal(desk.books, id)
                .map_err(refused)?
                .ok_or_else(wrong_transaction)?;
            journal_lines(desk, record, &journal)?
        }
        Family::Entity(_) => {
            let entity = ledger::read_entity(desk.books, id)
                .map_err(refused)?
                .ok_or(LedgerError::NotFound {
                    record: record.table,
                    id,
                })
                .map_err(refused)?;
            entity.addresses.iter().map(address_entry).collect()
        }
        _ => Vec::new(),
    };
    let total = items.len();
    let items: Vec<Json> = items
        .into_iter()
        .enumerate()
        .map(|(index, mut fields)| {
            fields.insert(
                0,
                (
                    "links".to_owned(),
                    links(&format!("{address}/{}", index + 1)),
                ),
            );
            Json::Object(fields)
        })
        .collect();
    let mut frame = vec![("links".to_owned(), links(&address))];
    if total == 0 {
        frame.push(("count".to_owned(), count(0)));
        frame.push(("hasMore".to_owned(), Json::Bool(false)));
        frame.push(("offset".to_owned(), count(0)));
    }
    frame.push(("items".to_owned(), Json::Array(items)));
    frame.push(("totalResults".to_owned(), count(total)));
    Ok(Json::Object(frame))
}

fn bill_lines(
    desk: &Desk<'_>,
    record: &RecordType,
    bill: &BillIn,
    sublist: &str,
) -> Result<Vec<Vec<(String, Json)>>, Problem> {
    let kin = bill.lines.iter().filter(|line| match line.kind {
        LineKind::Expense => sublist == "expense",
        LineKind::Item { .. } => sublist == "item",
        LineKind::Tax => false,
    });
    kin.enumerate()
        .map(|(index, line)| {
            let mut fields = vec![("line".to_owned(), count(index + 1))];
            if let LineKind::Item { item, quantity } = line.kind {
                fields.push(("item".to_owned(), reference(desk, record, "item", item)?));
                fields.push(("quantity".to_owned(), Json::decimal(quantity)));
                if !quantity.is_zero() {
                    let rate = (line.amount / quantity).round_dp(4);
                    fields.push(("rate".to_owned(), Json::decimal(rate)));
                }
            } else {
                fields.extend(optional(desk, record, "account", "account", line.account)?);
            }
            fields.push(("amount".to_owned(), Json::decimal(line.amount)));
            let memo = if sublist == "item" {
                "description"
            } else {
                "memo"
            };
            fields.extend(
                line.memo
                    .clone()
                    .map(|text| (memo.to_owned(), Json::Text(text))),
            );
            fields.extend(line_dimensions(desk, record, line)?);
            fields.extend(kept(line.extra.as_deref()));
            Ok(fields)
        })
        .collect()
}

fn line_dimensions(
    desk: &Desk<'_>,
    record: &RecordType,
    line: &LineIn,
) -> Result<Vec<(String, Json)>, Problem> {
    dimensions(desk, record, [line.department, line.class, line.location])
}

/// Department, class and location, as far as they are there.
pub(super) fn dimensions(
    desk: &Desk<'_>,
    record: &RecordType,
    [department, class, location]: [Option<i64>; 3],
) -> Result<Vec<(String, Json)>, Problem> {
    let fields = [
        optional(desk, record, "department", "department", department)?,
        optional(desk, record, "class", "classification", class)?,
        optional(desk, record, "location", "location", location)?,
    ];
    Ok(fields.into_iter().flatten().collect())
}

fn journal_lines(
    desk: &Desk<'_>,
    record: &RecordType,
    journal: &JournalIn,
) -> Result<Vec<Vec<(String, Json)>>, Problem> {
    journal
        .lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let mut fields = vec![
                ("line".to_owned(), count(index + 1)),
                (
                    "account".to_owned(),
                    reference(desk, record, "account", line.account)?,
                ),
            ];
            for (name, amount) in [("debit", line.debit), ("credit", line.credit)] {
                if amount != Decimal::ZERO {
                    fields.push((name.to_owned(), Json::decimal(amount)));
                }
            }
            fields.extend(
                line.memo
                    .clone()
                    .map(|text| ("memo".to_owned(), Json::Text(text))),
            );
            fields.extend(optional(desk, record, "entity", "entity", line.entity)?);
            fields.extend(optional(
                desk,
                record,
                "department",
                "department",
                line.department,
            )?);
            fields.extend(optional(
                desk,
                record,
                "class",
                "classification",
                line.class,
            )?);
            fields.extend(optional(
                desk,
                record,
                "location",
                "location",
                line.location,
            )?);
            fields.extend(kept(line.extra.as_deref()));
            Ok(fields)
        })
        .collect()
}

fn kept(extra: Option<&str>) -> Vec<(String, Json)> {
    match extra.map(Json::parse) {
        Some(Ok(Json::Object(fields))) => fields,
        _ => Vec::new(),
    }
}

/// The name of a country that the sandbox's vendors come from; any other keeps its code.
fn country_name(code: &str) -> &str {
    match code {
        "AU" => "Australia",
        "CA" => "Canada",
        "DE" => "Germany",
        "FR" => "France",
        "GB" => "United Kingdom",
        "IE" => "Ireland",
        "IN" => "India",
        "JP" => "Japan",
        "MX" => "Mexico",
        "NL" => "Netherlands",
        "US" => "United States",
        other => other,
    }
}

fn address_entry(address: &AddressIn) -> Vec<(String, Json)> {
    let lines = [
        ("addressee", &address.addressee),
        ("attention", &address.attention),
        ("addr1", &address.line1),
        ("addr2", &address.line2),
        ("addr3", &address.line3),
        ("city", &address.city),
        ("state", &address.state),
        ("zip", &address.zip),
    ];
    let mut inner: Vec<(String, Json)> = lines
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), Json::text(text.as_deref()?))))
        .collect();
    if let Some(country) = &address.country {
        let country = chosen(country, country_name(country));
        inner.push(("country".to_owned(), country));
    }
    let mut fields = Vec::new();
    if let Some(id) = address.id {
        // A number here, a string there: as the service has it.
        fields.push(("id".to_owned(), Json::integer(id)));
        fields.push(("internalId".to_owned(), Json::integer(id)));
        fields.push(("addressId".to_owned(), Json::text(id.to_string())));
    }
    fields.extend(
        address
            .label
            .clone()
            .map(|label| ("label".to_owned(), Json::Text(label))),
    );
    fields.push((
        "defaultBilling".to_owned(),
        Json::Bool(address.default_billing),
    ));
    fields.push((
        "defaultShipping".to_owned(),
        Json::Bool(address.default_shipping),
    ));
    fields.push(("addressBookAddress".to_owned(), Json::Object(inner)));
    fields
}
