//! A person at NetSuite's pages: makes, edits, approves, voids and deletes records.
//!
//! Edits go through the record service's own reading of a body, with a person's shorthands: names in any
//! case, a bare id for a reference, an array for a sublist.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use tieout_kit::fake::ControlError;

use super::{refused, told};
use crate::NetSuiteFake;
use crate::auth::role::Role;
use crate::auth::{Caller, M2M};
use crate::http_surface::Call;
use crate::json::Json;
use crate::ledger::{self, Application, Approval, PaymentIn, PaymentKind};
use crate::records::{Desk, RecordType, Target, payments};
use crate::schema::{Display, stamp};

const ACTIONS: &str = "approve, reject, edit (with \"fields\"), void, delete, inactivate, activate, \
                       rename (with \"fields\": {\"name\"}), merge (with \"into\"), \
                       attach (with \"name\" and \"content\"), or conflict (with \"times\")";

/// Transactions of lines that people make on NetSuite's pages and integrations only read, with their type codes.
/// Their fields are those of a journal entry.
const OF_PAGES: &[(&str, &str)] = &[("check", "Check"), ("fxreval", "FxReval")];

/// `POST /control/netsuite/{record}`: makes one.
pub(super) fn make(fake: &NetSuiteFake, record: &str, body: &Value) -> Result<Value, ControlError> {
    let of_pages = OF_PAGES.iter().find(|(name, _)| *name == record);
    let record = find(of_pages.map_or(record, |_| "journalentry"))?;
    let fields = body.get("fields").unwrap_or(body);
    let fields = fields
        .as_object()
        .ok_or_else(|| ControlError::bad("needs \"fields\": an object"))?;
    if let Some(way) = WAYS
        .iter()
        .find(|way| way.record == record.name && fields.contains_key(way.documents))
    {
        return pay(fake, way, fields);
    }
    let desk_call = call(Method::POST);
    let caller = person();
    let id = fake.with_books(|books| {
        let desk = Desk {
            fake,
            call: &desk_call,
            caller: &caller,
            books,
        };
        let body = spelled_out(fake, books, record, fields, true)?;
        let id = desk
            .write_as_person(record, body, Target::New(None))
            .map_err(told)?;
        if let Some((_, kind)) = of_pages {
            ledger::book_as(books, id, kind).map_err(|error| refused(&error))?;
        }
        Ok::<_, ControlError>(id)
    })?;
    let name = of_pages.map_or(record.name, |(name, _)| name);
    Ok(json!({"id": id.to_string(), "record": name}))
}

/// `POST /control/netsuite/{record}/{id}`: acts on one.
pub(super) fn act(
    fake: &NetSuiteFake,
    record: &str,
    address: &str,
    body: &Value,
) -> Result<Value, ControlError> {
    let record = find(record)?;
    let action = body.get("action").and_then(Value::as_str).ok_or_else(|| {
        ControlError::bad(format!(
            "{}/{address}: needs \"action\": {ACTIONS}",
            record.name
        ))
    })?;
    let context = fake.context(None);
    let desk_call = call(Method::PATCH);
    let caller = person();
    let mut answer = json!({"record": record.name, "action": action});
    fake.with_books(|books| {
        let desk = Desk {
            fake,
            call: &desk_call,
            caller: &caller,
            books,
        };
        let id = desk.existing(record, address).map_err(told)?;
        answer["id"] = json!(id.to_string());
        let sink = |error: ledger::LedgerError| refused(&error);
        let edit = |fields: &Map<String, Value>| -> Result<(), ControlError> {
            let body = spelled_out(fake, books, record, fields, false)?;
            desk.write_as_person(record, body, Target::Existing(id))
                .map_err(told)?;
            Ok(())
        };
        match action {
            "approve" => {
                ledger::set_approval(books, &context, id, Approval::Approved).map_err(sink)?;
            }
            "reject" => {
                ledger::set_approval(books, &context, id, Approval::Rejected).map_err(sink)?;
            }
            "edit" => {
                let fields = body
                    .get("fields")
                    .and_then(Value::as_object)
                    .ok_or_else(|| {
                        ControlError::bad(format!(
                            "{}/{address}: edit needs \"fields\"",
                            record.name
                        ))
                    })?;
                edit(fields)?;
            }
            "void" => {
                let reversal = ledger::void(books, &context, id).map_err(sink)?;
                answer["reversal"] = json!(reversal.map(|id| id.to_string()));
            }
            "delete" => desk.delete(record, id).map_err(told)?,
            "inactivate" | "activate" => {
                set_inactive(fake, books, record, id, action == "inactivate")?;
            }
            "rename" => rename(fake, books, record, id, body, edit)?,
            "merge" => {
                let into = identifier(body.get("into")).ok_or_else(|| {
                    ControlError::bad(format!("{}/{address}: merge needs \"into\"", record.name))
                })?;
                let into = desk.existing(record, &into).map_err(told)?;
                ledger::merge_entities(books, &context, id, into).map_err(sink)?;
            }
            "attach" => {
                answer["file"] = {
                    let now = fake.now().as_second();
                    fake.scripts.attachments.attach(id, body, now)?
                }
            }
            "conflict" => {
                let times = body.get("times").and_then(Value::as_u64).unwrap_or(1);
                let times = u32::try_from(times).unwrap_or(1).max(1);
                crate::lock(&fake.contended).push((record.table.to_owned(), id, times));
            }
            other => {
                return Err(ControlError::bad(format!(
                    "{}/{address}: action \"{other}\" is unknown; use {ACTIONS}",
                    record.name
                )));
            }
        }
        Ok(answer)
    })
}

fn find(name: &str) -> Result<&'static RecordType, ControlError> {
    let name = if name.eq_ignore_ascii_case("class") {
        "classification"
    } else {
        name
    };
    RecordType::find(name).ok_or_else(|| {
        ControlError::missing(format!(
            "netsuite: record \"{name}\" is unknown; use vendorbill, vendorpayment, vendorcredit, \
             journalentry, vendor, invoice, creditmemo, customerpayment, customerrefund, depositapplication, deposit, customer, \
             account, department, classification, location, …"
        ))
    })
}

/// A person may everything.
pub(super) fn person() -> Caller {
    Caller {
        role: Role::administrator(),
        kind: M2M,
        integration: String::new(),
    }
}

/// The call a person's edit stands for: strict names, and lines replaced rather than appended.
fn call(method: Method) -> Call {
    let mut headers = HeaderMap::new();
    headers.insert(
        "x-netsuite-propertynamevalidation",
        HeaderValue::from_static("Error"),
    );
    Call {
        method,
        host: "localhost".to_owned(),
        raw_path: String::new(),
        segments: Vec::new(),
        query: vec![(
            "replace".to_owned(),
            "expense,item,line,other,cashback".to_owned(),
        )],
        headers,
        body: Bytes::new(),
    }
}

fn identifier(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A person's shorthands spelled out as the record service wants them.
fn spelled_out(
    fake: &NetSuiteFake,
    books: &Connection,
    record: &'static RecordType,
    fields: &Map<String, Value>,
    new: bool,
) -> Result<Json, ControlError> {
    let mut body: Vec<(String, Json)> = Vec::new();
    for (given, value) in fields {
        let name = full_name(record, given);
        let json = Json::parse(&value.to_string()).map_err(ControlError::bad)?;
        if record.sublist(&name).is_some() {
            body.push((name.clone(), sublist(record, &name, json)));
        } else if refers(record, &name) {
            body.push((name, reference(json)));
        } else {
            body.push((name, json));
        }
    }
    if let Some(at) = body.iter().position(|(name, _)| name == "amount") {
        let (_, amount) = body.remove(at);
        one_line(books, record, &mut body, amount, new)?;
    }
    let has = |body: &[(String, Json)], name: &str| body.iter().any(|(field, _)| field == name);
    if new && fake.one_world && record.field("subsidiary").is_some() && !has(&body, "subsidiary") {
        let derived = has(&body, "entity") || has(&body, "customer");
        if !derived {
            let own = Json::text(fake.platform_subsidiary.to_string());
            body.push(("subsidiary".to_owned(), reference(own)));
        }
    }
    Ok(Json::Object(body))
}

/// A field's name from what a person calls it.
fn full_name(record: &RecordType, given: &str) -> String {
    let alias = match given.to_ascii_lowercase().as_str() {
        "number" | "invoice_number" => "tranId",
        "date" => "tranDate",
        "due" | "due_date" => "dueDate",
        "vendor" => "entity",
        "customer" if record.field("customer").is_none() => "entity",
        "lines" if record.name == "journalEntry" => "line",
        "lines" if record.sublist("expense").is_none() => "item",
        "lines" => "expense",
        "name" if record.field("companyName").is_some() => "companyName",
        "inactive" => "isInactive",
        "hold" | "payment_hold" => "paymentHold",
        _ => given,
    };
    record
        .fields()
        .map(|field| field.name)
        .chain(record.sublists.iter().map(|sublist| sublist.name))
        .find(|name| name.eq_ignore_ascii_case(alias))
        .unwrap_or(alias)
        .to_owned()
}

fn refers(record: &RecordType, name: &str) -> bool {
    const KEPT_REFERENCES: [&str; 5] = ["apAcct", "arAcct", "department", "class", "location"];
    record.field(name).is_some_and(|field| {
        field.refers.is_some()
            || KEPT_REFERENCES.contains(&name)
            || record
                .column(field)
                .is_some_and(|column| matches!(column.display, Display::Of(..)))
    })
}

fn reference(json: Json) -> Json {
    match json {
        Json::Text(_) | Json::Number(_) => Json::object([("id", json)]),
        other => other,
    }
}

fn sublist(record: &RecordType, name: &str, json: Json) -> Json {
    const REFERENCES: [&str; 7] = [
        "account",
        "item",
        "doc",
        "entity",
        "department",
        "class",
        "location",
    ];
    let items = match &json {
        Json::Array(items) => items.clone(),
        other => match other.get("items").and_then(Json::as_array) {
            Some(items) => items.to_vec(),
            None => return json,
        },
    };
    let known = record
        .sublist(name)
        .map(|sublist| sublist.fields)
        .unwrap_or_default();
    let items = items
        .into_iter()
        .map(|item| match item {
            Json::Object(fields) => Json::Object(
                fields
                    .into_iter()
                    .map(|(given, value)| {
                        let name = known
                            .iter()
                            .find(|name| name.eq_ignore_ascii_case(&given))
                            .map_or(given, |name| (*name).to_owned());
                        let value = if REFERENCES.contains(&name.as_str()) {
                            reference(value)
                        } else {
                            value
                        };
                        (name, value)
                    })
                    .collect(),
            ),
            other => other,
        })
        .collect();
    Json::object([("items", Json::Array(items))])
}

/// `amount` alone: a bill of one expense line, an invoice of one item.
fn one_line(
    books: &Connection,
    record: &RecordType,
    body: &mut Vec<(String, Json)>,
    amount: Json,
    new: bool,
) -> Result<(), ControlError> {
    let (sublist, refers, first) = if record.sublist("expense").is_some() {
        (
            "expense",
            "account",
            "SELECT id FROM account WHERE accttype = 'Expense' AND COALESCE(issummary, 'F') = 'F'
             AND COALESCE(isinactive, 'F') = 'F' ORDER BY id LIMIT 1",
        )
    } else if record.sublist("item").is_some() {
        (
            "item",
            "item",
            "SELECT id FROM item WHERE incomeaccount IS NOT NULL AND itemtype IN ('NonInvtPart', 'Service')
             AND isinactive = 'F' ORDER BY id LIMIT 1",
        )
    } else {
        return Err(ControlError::bad(format!(
            "{}: has no \"amount\"",
            record.name
        )));
    };
    if body.iter().any(|(name, _)| name == sublist) {
        return Err(ControlError::bad(format!(
            "give \"amount\" or \"{sublist}\", not both"
        )));
    }
    let found: Option<i64> = books
        .query_row(first, [], |row| row.get(0))
        .optional()
        .map_err(|error| refused(&error.into()))?;
    let found = found.ok_or_else(|| {
        ControlError::bad(format!("there is no {refers} that \"amount\" could go to"))
    })?;
    let line = Json::object([
        (refers, reference(Json::integer(found))),
        ("amount", amount),
    ]);
    body.push((
        sublist.to_owned(),
        Json::object([("items", Json::Array(vec![line]))]),
    ));
    if !new && sublist == "expense" {
        body.push(("item".to_owned(), Json::Null));
    }
    Ok(())
}

/// A way in which a person pays documents by their ids alone.
struct Way {
    record: &'static str,
    kind: PaymentKind,
    /// The field with the ids of what is paid, and the type code of that.
    documents: &'static str,
    paid: &'static str,
}

const WAYS: [Way; 3] = [
    Way {
        record: "vendorPayment",
        kind: PaymentKind::VendorPayment,
        documents: "bills",
        paid: "VendBill",
    },
    Way {
        record: "customerPayment",
        kind: PaymentKind::CustomerPayment,
        documents: "invoices",
        paid: "CustInvc",
    },
    Way {
        record: "depositApplication",
        kind: PaymentKind::DepositApplication,
        documents: "invoices",
        paid: "CustInvc",
    },
];

/// `vendorpayment` with `{"bills": […], "amount", "discount", "account", "date"}`: pays bills of one vendor; the
/// discount is taken on the first of them. `customerpayment` with `{"invoices": […], …}` likewise; without an account it
/// goes to Undeposited Funds, and what is beyond the invoices stays unapplied. `depositapplication` settles them with
/// what the customer paid beforehand.
fn pay(fake: &NetSuiteFake, way: &Way, fields: &Map<String, Value>) -> Result<Value, ControlError> {
    let documents = way.documents;
    let bills: Vec<i64> = fields
        .get(documents)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|bill| identifier(Some(bill)).and_then(|id| id.parse().ok()))
        .collect::<Option<_>>()
        .filter(|bills: &Vec<i64>| !bills.is_empty())
        .ok_or_else(|| ControlError::bad(format!("{documents}: must be an array of ids")))?;
    let mut left: Option<Decimal> = match fields.get("amount") {
        None | Some(Value::Null) => None,
        some => Some(
            identifier(some)
                .and_then(|amount| amount.parse().ok())
                .filter(|amount: &Decimal| *amount > Decimal::ZERO)
                .ok_or_else(|| ControlError::bad("amount: must be a number above zero"))?,
        ),
    };
    let mut discount: Decimal = identifier(fields.get("discount"))
        .map_or(Ok(Decimal::ZERO), |discount| discount.parse())
        .map_err(|_| ControlError::bad("discount: must be a number"))?;
    let cash = left;
    let context = fake.context(None);
    fake.with_books(|books| {
        let sink = |error: ledger::LedgerError| refused(&error);
        let missing = |id: i64| ControlError::missing(format!("{documents}: there is no {id}"));
        let first = ledger::read_bill(books, bills[0])
            .map_err(sink)?
            .ok_or_else(|| missing(bills[0]))?;
        let mut applications = Vec::new();
        for bill in bills {
            let due = due(books, bill, way.paid).map_err(|error| refused(&error.into()))?;
            let due = due.ok_or_else(|| missing(bill))?;
            let taken = std::mem::take(&mut discount);
            let due = due - taken;
            let amount = left.map_or(due, |left| left.min(due));
            left = left.map(|left| left - amount);
            if amount > Decimal::ZERO {
                applications.push(Application {
                    doc: bill,
                    line: 0,
                    amount: Some(amount),
                    discount: taken,
                });
            }
        }
        let sale = way.kind == PaymentKind::CustomerPayment;
        let settles = way.kind == PaymentKind::DepositApplication;
        let named = fields.get("account");
        let payment = PaymentIn {
            subsidiary: first.subsidiary,
            account: if settles || sale && named.is_none() {
                None
            } else {
                Some(bank(books, named)?)
            },
            amount: cash.filter(|_| sale),
            check_number: identifier(fields.get("checkNumber")),
            ledger_account: first.account,
            currency: first.currency,
            number: identifier(fields.get("number").or(fields.get("tranId"))),
            memo: identifier(fields.get("memo")),
            date: identifier(fields.get("date").or(fields.get("tranDate")))
                .and_then(|date| date.parse().ok()),
            applications,
            ..payments::blank(way.kind, first.entity)
        };
        let id = ledger::insert_payment(books, &context, &payment).map_err(sink)?;
        Ok(json!({"id": id.to_string(), "record": way.record}))
    })
}

fn due(books: &Connection, bill: i64, kind: &str) -> rusqlite::Result<Option<Decimal>> {
    books
        .query_row(
            "SELECT COALESCE(foreignamountunpaid, 0) FROM \"transaction\"
             WHERE id = ?1 AND type = ?2",
            params![bill, kind],
            |row| row.get::<_, i64>(0),
        )
        .optional()
        .map(|units| units.map(crate::schema::from_units))
}

/// The account paid from: the one named by id or number, or else the first bank account.
fn bank(books: &Connection, named: Option<&Value>) -> Result<i64, ControlError> {
    let named = identifier(named);
    let sql = match named {
        Some(_) => {
            "SELECT id FROM account WHERE acctnumber = ?1 OR id = CAST(?1 AS INTEGER)
                    ORDER BY acctnumber = ?1 DESC LIMIT 1"
        }
        None => {
            "SELECT id FROM account WHERE accttype = 'Bank' AND ?1 IS NULL
                 AND COALESCE(isinactive, 'F') = 'F' ORDER BY id LIMIT 1"
        }
    };
    books
        .query_row(sql, params![named], |row| row.get(0))
        .map_err(|_| ControlError::bad("account: no such bank account"))
}

fn set_inactive(
    fake: &NetSuiteFake,
    books: &Connection,
    record: &RecordType,
    id: i64,
    inactive: bool,
) -> Result<(), ControlError> {
    if record.is_transaction() {
        return Err(ControlError::bad(format!(
            "{}: a transaction can't be inactive",
            record.name
        )));
    }
    let written = books.execute(
        &format!(
            "UPDATE \"{}\" SET isinactive = ?2, lastmodifieddate = ?3 WHERE id = ?1",
            record.table
        ),
        params![id, ledger::flag(inactive), stamp(fake.now())],
    );
    if matches!(record.table, "vendor" | "customer") {
        books
            .execute(
                "UPDATE entity SET isinactive = ?2 WHERE id = ?1",
                params![id, ledger::flag(inactive)],
            )
            .map_err(|error| refused(&error.into()))?;
    }
    written.map(|_| ()).map_err(|error| refused(&error.into()))
}

fn rename(
    fake: &NetSuiteFake,
    books: &Connection,
    record: &RecordType,
    id: i64,
    body: &Value,
    edit: impl Fn(&Map<String, Value>) -> Result<(), ControlError>,
) -> Result<(), ControlError> {
    let name = body
        .pointer("/fields/name")
        .or(body.get("name"))
        .and_then(Value::as_str)
        .ok_or_else(|| ControlError::bad("rename needs \"fields\": {\"name\"}"))?;
    let fields = |names: &[&str]| -> Map<String, Value> {
        names
            .iter()
            .map(|field| ((*field).to_owned(), json!(name)))
            .collect()
    };
    match record.table {
        "vendor" | "customer" => edit(&fields(&["companyName"])),
        "account" => edit(&fields(&["acctName"])),
        "item" => edit(&fields(&["itemId"])),
        "transaction" => Err(ControlError::bad("a transaction has no name")),
        "subsidiary" | "currency" => books
            .execute(
                &format!(
                    "UPDATE \"{}\" SET name = ?2, lastmodifieddate = ?3 WHERE id = ?1",
                    record.table
                ),
                params![id, name, stamp(fake.now())],
            )
            .map(|_| ())
            .map_err(|error| refused(&error.into())),
        _ => edit(&fields(&["name"])),
    }
}
