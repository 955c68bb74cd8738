//! Customers, invoices, credit memos, received payments (README §Receivables): created, changed, listed.

use rust_decimal::Decimal;

use crate::ids::Kind;
use crate::json::Json;
use crate::list::{Cell, Listing, Of, page};
use crate::money::{cents, number};
use crate::organization::Organization;
use crate::problem::Problem;
use crate::route::{Answer, Call, Reply, reference};
use crate::settings::with_times;
use crate::shape::{Field, Rule, entries, may, need, pick};
use crate::table::Table;

/// All receivables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Receivables {
    pub(crate) customers: Table<Json>,
    pub(crate) invoices: Table<Json>,
    credit_memos: Table<Json>,
    payments: Table<Json>,
    lines: u32,
}

static CUSTOMER: &[Field] = &[
    need("name", Rule::Text(100)),
    need("email", Rule::Text(255)),
    may("companyName", Rule::Text(100)),
    may("contact", Rule::Any),
    may("phone", Rule::Text(40)),
    may("fax", Rule::Text(40)),
    may("description", Rule::Text(4000)),
    may("invoiceCurrency", Rule::Text(3)),
    may(
        "accountType",
        Rule::Choice(&["BUSINESS", "PERSON", "NONE", "UNDEFINED"]),
    ),
    may("paymentTermId", Rule::Text(20)),
    may("accountNumber", Rule::Text(100)),
    may("billingAddress", Rule::Any),
    may("shippingAddress", Rule::Any),
];
static LINE: &[Field] = &[
    may("id", Rule::Text(20)),
    may("quantity", Rule::Number),
    may("price", Rule::Number),
    may("amount", Rule::Number),
    may("description", Rule::Text(4000)),
    may("classifications", Rule::Any),
];
static CUSTOMER_ID: &[Field] = &[need("id", Rule::Text(20))];
static INVOICE: &[Field] = &[
    need("customer", Rule::Part(CUSTOMER_ID)),
    may("invoiceNumber", Rule::Text(100)),
    may("invoiceDate", Rule::Day),
    may("dueDate", Rule::Day),
    need("invoiceLineItems", Rule::Parts(LINE)),
    may("payToChartOfAccountId", Rule::Text(20)),
    may("salesTaxItemId", Rule::Text(20)),
];
static MEMO: &[Field] = &[
    need("customerId", Rule::Text(20)),
    may("referenceNumber", Rule::Text(100)),
    may("creditDate", Rule::Day),
    may("description", Rule::Text(4000)),
    need("creditMemoLineItems", Rule::Parts(LINE)),
];
static RECEIVED_PART: &[Field] = &[need("id", Rule::Text(20)), need("amount", Rule::Number)];
static RECEIVED: &[Field] = &[
    need("customerId", Rule::Text(20)),
    need("paymentDate", Rule::Day),
    may("paymentType", Rule::Text(40)),
    need("amount", Rule::Number),
    need("invoices", Rule::Parts(RECEIVED_PART)),
    may("description", Rule::Text(4000)),
];

const TEXTS: &[(&str, &str, Of)] = &[
    ("name", "eq sw", Of::Text),
    ("accountType", "eq ne in nin", Of::Text),
    ("invoiceCurrency", "eq ne in nin", Of::Text),
    ("customerId", "eq in", Of::Text),
    ("dueDate", "gt gte lt lte", Of::Text),
    ("payToChartOfAccountId", "eq ne in", Of::Text),
];
const SORTS: &[&str] = &[
    "name",
    "email",
    "phone",
    "invoiceNumber",
    "invoiceDate",
    "dueDate",
    "totalAmount",
    "creditDate",
    "amount",
    "appliedAmount",
];

fn table(org: &Organization, kind: Kind) -> &Table<Json> {
    match kind {
        Kind::Customer => &org.receivables.customers,
        Kind::Invoice => &org.receivables.invoices,
        Kind::CreditMemo => &org.receivables.credit_memos,
        _ => &org.receivables.payments,
    }
}

fn table_mut(org: &mut Organization, kind: Kind) -> &mut Table<Json> {
    match kind {
        Kind::Customer => &mut org.receivables.customers,
        Kind::Invoice => &mut org.receivables.invoices,
        Kind::CreditMemo => &mut org.receivables.credit_memos,
        _ => &mut org.receivables.payments,
    }
}

fn list(org: &Organization, call: &Call, kind: Kind) -> Answer {
    let listing = Listing {
        kind,
        filters: TEXTS,
        sorts: SORTS,
    };
    let cell = |place: u32, field: &str| {
        let body = &table(org, kind).at(place).body;
        body.number(field)
            .map_or_else(|| body.text(field).into(), Cell::Number)
    };
    let scope = (&org.ids, &call.query, org.options.archived_in_lists);
    page(
        table(org, kind),
        &listing,
        scope,
        |_| None,
        cell,
        |place| render(org, kind, place),
    )
    .map(Reply::ok)
}

fn render(org: &Organization, kind: Kind, place: u32) -> Json {
    let row = table(org, kind).at(place);
    let id = org.ids.text(kind, place);
    let mut shown = with_times(&row.body, id, (row.archived, row.created, row.updated));
    if kind == Kind::Invoice {
        // Archived says it twice; `status` says nothing about it.
        let word = if row.archived { "INACTIVE" } else { "ACTIVE" };
        shown.set("recordStatus", Json::Text(word.into()));
    }
    shown
}

fn push(org: &mut Organization, kind: Kind, body: Json) -> u32 {
    let stamp = org.stamp();
    let place = table_mut(org, kind).push(body, stamp);
    notify(org, kind, "invoice.created", place);
    place
}

fn notify(org: &mut Organization, kind: Kind, event: &'static str, place: u32) {
    if kind == Kind::Invoice && org.webhooks.wants(event) {
        let invoice = render(org, kind, place);
        crate::webhooks::emit(org, event, "invoice", invoice);
    }
}

/// What all of them can: be shown, archived, restored.
fn one(org: &mut Organization, kind: Kind, (method, path): (&str, &[&str]), place: u32) -> Answer {
    match (method, path) {
        ("GET", []) => {}
        ("POST", [action @ ("archive" | "restore")]) => {
            let archived = *action == "archive";
            if table(org, kind).at(place).archived != archived {
                let stamp = org.stamp();
                table_mut(org, kind).at_mut(place).archived = archived;
                table_mut(org, kind).touch(place, stamp);
                let event = if archived {
                    "invoice.archived"
                } else {
                    "invoice.restored"
                };
                notify(org, kind, event, place);
            }
        }
        _ => return Err(Problem::path()),
    }
    Ok(Reply::ok(render(org, kind, place)))
}

fn store(org: &mut Organization, kind: Kind, place: u32, body: Json) -> Answer {
    let stamp = org.stamp();
    table_mut(org, kind).at_mut(place).body = body;
    table_mut(org, kind).touch(place, stamp);
    notify(org, kind, "invoice.updated", place);
    Ok(Reply::ok(render(org, kind, place)))
}

/// `/v3/customers/…`
pub(crate) fn customers(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    let kind = Kind::Customer;
    match (&*call.method, path) {
        ("GET", []) => list(org, call, kind),
        ("POST", []) => {
            let fields = pick(CUSTOMER, &call.json()?, false)?;
            let place = push(org, kind, customer(fields));
            Ok(Reply::created(render(org, kind, place)))
        }
        ("POST", ["bulk"]) => {
            let body = call.json()?;
            let drafts = entries(&body, 20)?
                .iter()
                .map(|entry| pick(CUSTOMER, entry, false));
            let drafts = drafts.collect::<Result<Vec<_>, _>>()?;
            let places: Vec<u32> = drafts
                .into_iter()
                .map(|fields| push(org, kind, customer(fields)))
                .collect();
            let made: Vec<Json> = places
                .into_iter()
                .map(|place| render(org, kind, place))
                .collect();
            Ok(Reply::created(Json::object([("customers", made.into())])))
        }
        (method, [id, rest @ ..]) => {
            let place = org.place(kind, id, table(org, kind).len())?;
            if (method, rest) == ("PATCH", &[]) {
                let change = pick(CUSTOMER, &call.json()?, true)?;
                let mut body = table(org, kind).at(place).body.clone();
                body.merge(&change);
                return store(org, kind, place, body);
            }
            one(org, kind, (method, rest), place)
        }
        _ => Err(Problem::path()),
    }
}

fn customer(mut fields: Json) -> Json {
    if fields.text("invoiceCurrency").is_none() {
        fields.set("invoiceCurrency", "USD".into());
    }
    fields.set("hasBankAccount", false.into());
    fields.set("authorizedToCharge", false.into());
    fields
}

fn lines(
    org: &mut Organization,
    body: &Json,
    field: &str,
) -> Result<(Vec<Json>, Decimal), Problem> {
    let mut total = Decimal::ZERO;
    let mut lines = Vec::new();
    for entry in body.list(field) {
        let quantity = entry.number("quantity").unwrap_or(Decimal::ONE);
        let price = entry.number("price");
        let amount = entry
            .number("amount")
            .or(price.and_then(|price| price.checked_mul(quantity)));
        total +=
            cents(amount.ok_or_else(|| Problem::must(format!("{field}: price must not be null")))?);
        let mut line = entry.clone();
        if line.text("id").is_none() {
            line.set(
                "id",
                org.ids
                    .text(Kind::InvoiceLine, org.receivables.lines)
                    .into(),
            );
            org.receivables.lines += 1;
        }
        lines.push(line);
    }
    if lines.is_empty() {
        return Err(Problem::must(format!("{field}: must not be empty")));
    }
    Ok((lines, total))
}

/// An invoice is written with `customer.id` and read with `customerId`.
fn invoice(org: &mut Organization, body: &Json, before: Option<u32>) -> Result<Json, Problem> {
    let fields = pick(INVOICE, body, false)?;
    let id = fields.text("customer.id").unwrap_or_default().to_owned();
    reference(
        org,
        Kind::Customer,
        "customer.id",
        &id,
        org.receivables.customers.len(),
    )?;
    let count = org.receivables.invoices.len();
    let number = fields
        .text("invoiceNumber")
        .map_or(format!("INV{:05}", count + 1), str::to_owned);
    let taken = org.receivables.invoices.rows().any(|(place, row)| {
        Some(place) != before && row.body.text("invoiceNumber") == Some(&number)
    });
    if taken {
        return Err(Problem::new(
            422,
            "BDC_1171",
            "Invoice number already exists",
        ));
    }
    let (lines, total) = lines(org, &fields, "invoiceLineItems")?;
    let today = org.today();
    let mut invoice = fields;
    for (name, value) in [
        ("customer", Json::Null),
        ("customerId", id.into()),
        ("invoiceNumber", number.into()),
        (
            "invoiceDate",
            invoice.day("invoiceDate").unwrap_or(today).into(),
        ),
        ("dueDate", invoice.day("dueDate").unwrap_or(today).into()),
        ("invoiceLineItems", lines.into()),
    ] {
        invoice.set(name, value);
    }
    settle(&mut invoice, total, Decimal::ZERO);
    Ok(invoice)
}

fn settle(invoice: &mut Json, total: Decimal, paid: Decimal) {
    let due = total - paid;
    let status = match (paid.is_zero(), due.is_zero()) {
        (true, _) => "OPEN",
        (false, false) => "PARTIAL_PAYMENT",
        (false, true) => "PAID_IN_FULL",
    };
    invoice.set("totalAmount", number(total));
    invoice.set("dueAmount", number(due));
    invoice.set("status", status.into());
}

/// `/v3/invoices/…`
pub(crate) fn invoices(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    let kind = Kind::Invoice;
    match (&*call.method, path) {
        ("GET", []) => list(org, call, kind),
        ("POST", []) => {
            let body = invoice(org, &call.json()?, None)?;
            let place = push(org, kind, body);
            Ok(Reply::created(render(org, kind, place)))
        }
        ("POST", ["record-payment"]) => receive(org, &call.json()?),
        (method, [id, rest @ ..]) => {
            let place = org.place(kind, id, table(org, kind).len())?;
            match (method, rest) {
                ("PUT", []) => {
                    let body = invoice(org, &call.json()?, Some(place))?;
                    store(org, kind, place, body)
                }
                ("PATCH", []) => {
                    let change = pick(INVOICE, &call.json()?, true)?;
                    let mut body = table(org, kind).at(place).body.clone();
                    for name in ["invoiceNumber", "invoiceDate", "dueDate"] {
                        if let Some(value) = change.get(name) {
                            body.set(name, value.clone());
                        }
                    }
                    store(org, kind, place, body)
                }
                ("POST", ["email"]) => Ok(Reply::ok(Json::object([]))),
                _ => one(org, kind, (method, rest), place),
            }
        }
        _ => Err(Problem::path()),
    }
}

fn receive(org: &mut Organization, body: &Json) -> Answer {
    let body = pick(RECEIVED, body, false)?;
    let id = body.text("customerId").unwrap_or_default();
    reference(
        org,
        Kind::Customer,
        "customerId",
        id,
        org.receivables.customers.len(),
    )?;
    let mut changes = Vec::new();
    for part in body.list("invoices") {
        let id = part.text("id").unwrap_or_default();
        let length = org.receivables.invoices.len();
        let place = reference(org, Kind::Invoice, "invoices", id, length)?;
        let mut invoice = org.receivables.invoices.at(place).body.clone();
        let amount = part.number("amount").unwrap_or_default();
        let due = invoice.number("dueAmount").unwrap_or_default();
        if amount <= Decimal::ZERO || amount > due {
            return Err(Problem::value(format!("invoices: {id} has {due} due")));
        }
        let total = invoice.number("totalAmount").unwrap_or_default();
        settle(&mut invoice, total, total - due + amount);
        changes.push((place, invoice));
    }
    for (place, invoice) in changes {
        store(org, Kind::Invoice, place, invoice)?;
    }
    let mut received = body;
    received.set("status", "PAID".into());
    let place = push(org, Kind::ReceivedPayment, received);
    Ok(Reply::ok(render(org, Kind::ReceivedPayment, place)))
}

fn memo(org: &mut Organization, body: &Json) -> Result<Json, Problem> {
    let mut memo = pick(MEMO, body, false)?;
    let id = memo.text("customerId").unwrap_or_default();
    reference(
        org,
        Kind::Customer,
        "customerId",
        id,
        org.receivables.customers.len(),
    )?;
    let (lines, total) = lines(org, &memo, "creditMemoLineItems")?;
    memo.set("creditMemoLineItems", lines.into());
    memo.set("amount", number(total));
    memo.set("appliedAmount", number(Decimal::ZERO));
    memo.set("status", "NOT_APPLIED".into());
    Ok(memo)
}

/// `/v3/credit-memos/…`
pub(crate) fn credit_memos(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    let kind = Kind::CreditMemo;
    match (&*call.method, path) {
        ("GET", []) => list(org, call, kind),
        ("POST", []) => {
            let body = memo(org, &call.json()?)?;
            let place = push(org, kind, body);
            Ok(Reply::created(render(org, kind, place)))
        }
        ("POST", ["bulk"]) => {
            let body = call.json()?;
            let mut drafts = Vec::new();
            for (index, entry) in entries(&body, 50)?.iter().enumerate() {
                drafts.push(memo(org, entry).map_err(|fault| fault.in_entry(index))?);
            }
            let places: Vec<u32> = drafts
                .into_iter()
                .map(|body| push(org, kind, body))
                .collect();
            let made: Vec<Json> = places
                .into_iter()
                .map(|place| render(org, kind, place))
                .collect();
            Ok(Reply::created(Json::object([("creditMemos", made.into())])))
        }
        (method, [id, rest @ ..]) => {
            let place = org.place(kind, id, table(org, kind).len())?;
            if (method, rest) == ("PUT", &[]) {
                let body = memo(org, &call.json()?)?;
                return store(org, kind, place, body);
            }
            one(org, kind, (method, rest), place)
        }
        _ => Err(Problem::path()),
    }
}

/// `/v3/receivable-payments/…`: listed and shown; charging a customer is not offered here.
pub(crate) fn payments(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    let kind = Kind::ReceivedPayment;
    match (&*call.method, path) {
        ("GET", []) => list(org, call, kind),
        ("GET", [id]) => {
            let place = org.place(kind, id, table(org, kind).len())?;
            Ok(Reply::ok(render(org, kind, place)))
        }
        _ => Err(Problem::path()),
    }
}
