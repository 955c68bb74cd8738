//! Bills (README §Bills).

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::coding::{CODING, UNSET};
use crate::ids::Kind;
use crate::json::Json;
use crate::list::{Cell, Listing, Of, page};
use crate::money::{cents, has_fractions_of_a_cent, number};
use crate::organization::{Organization, time_text};
use crate::payments;
use crate::problem::Problem;
use crate::route::{Answer, Call, Reply, reference};
use crate::shape::{Field, Rule, entries, may, need, pick};

pub(crate) use crate::coding::Coding;
pub(crate) use crate::figures::{figures, total};

/// A bill.
#[derive(Debug, Clone)]
pub(crate) struct Bill {
    pub(crate) vendor: u32,
    pub(crate) number: Box<str>,
    pub(crate) invoice_date: Date,
    pub(crate) due_date: Date,
    pub(crate) lines: Vec<Line>,
    pub(crate) description: Option<Box<str>>,
    pub(crate) purchase_order: Option<Box<str>>,
    pub(crate) pay_from: Option<u32>,
    pub(crate) coding: Coding,
    /// Vendor credits set aside for it.
    pub(crate) credits: Vec<(u32, Decimal)>,
    /// Its payments, dead ones included.
    pub(crate) payments: Vec<u32>,
    pub(crate) approval: &'static str,
}

/// A line of a bill.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) id: u32,
    pub(crate) amount: Decimal,
    pub(crate) quantity: Option<Decimal>,
    pub(crate) price: Option<Decimal>,
    pub(crate) description: Option<Box<str>>,
    pub(crate) coding: Coding,
}

static LINE: &[Field] = &[
    may("id", Rule::Text(20)),
    may("amount", Rule::Number),
    may("quantity", Rule::Number),
    may("price", Rule::Number),
    may("description", Rule::Text(4000)),
    may("classifications", Rule::Part(CODING)),
];
static INVOICE: &[Field] = &[
    need("invoiceNumber", Rule::Text(100)),
    need("invoiceDate", Rule::Day),
];
/// What names a vendor credit and the part of it that is used.
pub(crate) static CREDIT_USE: &[Field] =
    &[need("id", Rule::Text(20)), need("amount", Rule::Number)];
static BILL: &[Field] = &[
    need("vendorId", Rule::Text(20)),
    need("dueDate", Rule::Day),
    need("invoice", Rule::Part(INVOICE)),
    need("billLineItems", Rule::Parts(LINE)),
    may("description", Rule::Text(4000)),
    may("purchaseOrderNumber", Rule::Text(40)),
    may("payFromChartOfAccountId", Rule::Text(20)),
    may("classifications", Rule::Part(CODING)),
    may("vendorCredits", Rule::Parts(CREDIT_USE)),
    may("billApprovals", Rule::Flag),
];

const LISTING: Listing = Listing {
    kind: Kind::Bill,
    filters: &[
        ("vendorId", "eq in", Of::Id(Kind::Vendor)),
        ("dueDate", "gt gte lt lte", Of::Day),
        ("paymentStatus", "eq ne in", Of::Text),
        ("payFromChartOfAccountId", "eq ne in", Of::Id(Kind::Account)),
        (
            "classifications.chartOfAccountId",
            "eq ne in",
            Of::Id(Kind::Account),
        ),
        (
            "classifications.accountingClassId",
            "eq ne in",
            Of::Id(Kind::Class),
        ),
        (
            "classifications.departmentId",
            "eq ne in",
            Of::Id(Kind::Department),
        ),
        (
            "classifications.locationId",
            "eq ne in",
            Of::Id(Kind::Location),
        ),
        ("classifications.itemId", "eq ne in", Of::Id(Kind::Item)),
    ],
    sorts: &["fundingAmount", "exchangeRate", "description", "dueDate"],
};

/// `/v3/bills/…`
pub(crate) fn answer(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    match (&*call.method, path) {
        ("GET", []) => list(org, call),
        ("POST", []) => {
            let body = call.json()?;
            let bill = draft(org, &body, None, &[])?;
            let place = create(org, bill);
            let approvers = body.flag("billApprovals") == Some(true);
            Ok(Reply::created(render(org, place, false, approvers)))
        }
        ("POST", ["bulk"]) => bulk(org, &call.json()?),
        ("POST", ["record-payment"]) => crate::record::record(org, &call.json()?),
        (method, [id, rest @ ..]) => {
            let place = org.place(Kind::Bill, id, org.bills.len())?;
            one(org, call, (method, rest), place)
        }
        _ => Err(Problem::path()),
    }
}

fn list(org: &Organization, call: &Call) -> Answer {
    let narrow = |conditions: &crate::list::Conditions| {
        let vendors = conditions.ids("vendorId")?;
        let vendors = vendors
            .into_iter()
            .filter_map(|place| org.vendors.get(place));
        Some(
            vendors
                .flat_map(|row| row.body.bills.iter().copied())
                .collect(),
        )
    };
    let cell = |place: u32, field: &str| {
        let bill = &org.bills.at(place).body;
        match field {
            "vendorId" => Cell::Id(bill.vendor),
            "dueDate" => Cell::Day(bill.due_date),
            "paymentStatus" => Cell::Text(figures(org, place).status.to_owned()),
            "payFromChartOfAccountId" => bill.pay_from.into(),
            "description" => Cell::from(bill.description.as_deref()),
            "fundingAmount" => Cell::Number(exchanged(org, bill)),
            "exchangeRate" => Cell::Number(org.dollars_for_one(currency(org, bill))),
            other => bill
                .coding
                .cell(other.trim_start_matches("classifications.")),
        }
    };
    let scope = (&org.ids, &call.query, org.options.archived_in_lists);
    let approvers = call.query.get("billApprovals") == Some("true");
    let render = |place| render(org, place, true, approvers);
    page(&org.bills, &LISTING, scope, narrow, cell, render).map(Reply::ok)
}

fn bulk(org: &mut Organization, body: &Json) -> Answer {
    let mut drafts: Vec<Bill> = Vec::new();
    for (index, entry) in entries(body, 100)?.iter().enumerate() {
        let bill = draft(org, entry, None, &drafts).map_err(|fault| fault.in_entry(index))?;
        drafts.push(bill);
    }
    let places: Vec<u32> = drafts.into_iter().map(|bill| create(org, bill)).collect();
    let bills = places
        .into_iter()
        .map(|place| render(org, place, false, false));
    Ok(Reply::created(Json::List(bills.collect())))
}

fn one(org: &mut Organization, call: &Call, (method, path): (&str, &[&str]), place: u32) -> Answer {
    let approvers = call.query.get("billApprovals") == Some("true");
    match (method, path) {
        ("GET", []) => {}
        ("PUT", []) => replace(org, place, &call.json()?)?,
        ("PATCH", []) => patch(org, place, &call.json()?)?,
        ("POST", ["archive"]) => archive(org, place, true)?,
        ("POST", ["restore"]) => archive(org, place, false)?,
        _ => return Err(Problem::path()),
    }
    Ok(Reply::ok(render(org, place, method == "GET", approvers)))
}

/// Reads a whole bill. `before` is the bill it replaces; `beside` are new bills of the same call.
fn draft(
    org: &Organization,
    body: &Json,
    before: Option<u32>,
    beside: &[Bill],
) -> Result<Bill, Problem> {
    let body = pick(BILL, body, false)?;
    let old = before.map(|place| &org.bills.at(place).body);
    let id = body.text("vendorId").unwrap_or_default();
    let vendor = reference(org, Kind::Vendor, "vendorId", id, org.vendors.len())?;
    let same_vendor = old.is_some_and(|old| old.vendor == vendor);
    if org.vendors.at(vendor).archived && !same_vendor {
        return Err(Problem::value(format!("vendorId: vendor {id} is archived")));
    }
    let (number, date) = invoice(&body)?;
    if body.list("billLineItems").is_empty() {
        return Err(Problem::must("billLineItems: must not be empty"));
    }
    let mut codings: Vec<&Coding> = old
        .iter()
        .flat_map(|old| &old.lines)
        .map(|line| &line.coding)
        .collect();
    codings.extend(old.map(|old| &old.coding));
    let mut lines = Vec::new();
    for (index, entry) in body.list("billLineItems").iter().enumerate() {
        let id = match entry.text("id") {
            None => UNSET,
            Some(id) => known_line(org, old, id)?,
        };
        let coding = Coding::read(org, entry, false, &codings)?;
        lines.push(line(entry, index, id, coding)?);
    }
    let pay_from = pay_from(org, &body)?;
    let bill = Bill {
        vendor,
        number,
        invoice_date: date,
        due_date: body
            .day("dueDate")
            .ok_or_else(|| Problem::must("dueDate: must not be null"))?,
        lines,
        description: body.text("description").map(Into::into),
        purchase_order: body.text("purchaseOrderNumber").map(Into::into),
        pay_from,
        coding: Coding::read(org, &body, true, &codings)?,
        credits: credits(org, &body, vendor, before)?,
        payments: old.map(|old| old.payments.clone()).unwrap_or_default(),
        approval: old.map_or(initial_approval(org), |old| old.approval),
    };
    check(org, &bill, before, beside)?;
    Ok(bill)
}

fn invoice(body: &Json) -> Result<(Box<str>, Date), Problem> {
    let number = body
        .text("invoice.invoiceNumber")
        .unwrap_or_default()
        .into();
    let date = body.day("invoice.invoiceDate");
    Ok((
        number,
        date.ok_or_else(|| Problem::must("invoice.invoiceDate: must not be null"))?,
    ))
}

fn pay_from(org: &Organization, body: &Json) -> Result<Option<u32>, Problem> {
    let id = body
        .text("payFromChartOfAccountId")
        .filter(|id| !id.is_empty());
    let length = org.lists.of(Kind::Account).len();
    id.map(|id| reference(org, Kind::Account, "payFromChartOfAccountId", id, length))
        .transpose()
}

fn known_line(org: &Organization, old: Option<&Bill>, id: &str) -> Result<u32, Problem> {
    let place = org.ids.place(Kind::BillLine, id);
    let known = |place: &u32| old.is_some_and(|old| old.lines.iter().any(|line| line.id == *place));
    place.filter(known).ok_or_else(|| {
        Problem::new(
            400,
            "BDC_1128",
            format!("billLineItems: {id} is no line of this bill"),
        )
    })
}

fn line(entry: &Json, index: usize, id: u32, coding: Coding) -> Result<Line, Problem> {
    let (quantity, price) = (entry.number("quantity"), entry.number("price"));
    // The amount wins over quantity × price.
    let product = quantity
        .zip(price)
        .and_then(|(quantity, price)| quantity.checked_mul(price));
    let amount = entry
        .number("amount")
        .or(product.map(cents))
        .ok_or_else(|| Problem::must(format!("billLineItems[{index}].amount: must not be null")))?;
    if has_fractions_of_a_cent(amount) {
        return Err(Problem::must(format!(
            "billLineItems[{index}].amount: numeric value out of bounds (<2 decimals> expected)"
        )));
    }
    let description = entry.text("description").map(Into::into);
    Ok(Line {
        id,
        amount,
        quantity,
        price,
        description,
        coding,
    })
}

fn credits(
    org: &Organization,
    body: &Json,
    vendor: u32,
    bill: Option<u32>,
) -> Result<Vec<(u32, Decimal)>, Problem> {
    let entries = body.list("vendorCredits").iter();
    entries
        .map(|entry| crate::credits::usable(org, entry, vendor, bill))
        .collect()
}

/// The rules of a whole bill, new or changed.
fn check(
    org: &Organization,
    bill: &Bill,
    before: Option<u32>,
    beside: &[Bill],
) -> Result<(), Problem> {
    let total = total(bill);
    if total < Decimal::ZERO {
        return Err(Problem::value(
            "The total of a bill can't be less than zero",
        ));
    }
    if let Some(place) = before {
        let old = &org.bills.at(place).body;
        let paid = old
            .payments
            .iter()
            .any(|payment| !payments::is_dead(org, *payment));
        if paid && (old.vendor != bill.vendor || total != self::total(old)) {
            let message = "Vendor and total can't be changed once a payment is scheduled or made";
            return Err(Problem::forbidden(message));
        }
        if org
            .books_closed
            .is_some_and(|closed| old.invoice_date <= closed)
        {
            return Err(Problem::forbidden(
                "The bill is dated on or before the books closed date",
            ));
        }
    }
    let credits: Decimal = bill.credits.iter().map(|(_, amount)| amount).sum();
    if credits > total {
        return Err(Problem::value(
            "vendorCredits: more than the amount of the bill",
        ));
    }
    if org.options.unique_invoice_numbers {
        let same = |other: &Bill| other.vendor == bill.vendor && other.number == bill.number;
        let others = org.vendors.at(bill.vendor).body.bills.iter();
        let mut others = others.filter(|place| Some(**place) != before);
        if others.any(|place| same(&org.bills.at(*place).body)) || beside.iter().any(same) {
            return Err(Problem::new(
                422,
                "BDC_1171",
                "Invoice number already exists",
            ));
        }
    }
    Ok(())
}

fn initial_approval(org: &Organization) -> &'static str {
    if org.policies.is_empty() {
        "UNASSIGNED"
    } else {
        "ASSIGNED"
    }
}

/// Adds a bill that has been looked at.
pub(crate) fn create(org: &mut Organization, mut bill: Bill) -> u32 {
    number_lines(org, &mut bill);
    let (vendor, credits) = (bill.vendor, bill.credits.clone());
    let stamp = org.stamp();
    let place = org.bills.push(bill, stamp);
    org.vendors.at_mut(vendor).body.bills.push(place);
    if !credits.is_empty() {
        crate::credits::set_aside(org, place, &credits);
    }
    notify(org, "bill.created", place);
    place
}

fn number_lines(org: &mut Organization, bill: &mut Bill) {
    for line in &mut bill.lines {
        if line.id == UNSET {
            line.id = org.lines;
            org.lines += 1;
        }
    }
}

/// Puts a changed bill in the place of the old one.
fn store(org: &mut Organization, place: u32, mut bill: Bill) {
    number_lines(org, &mut bill);
    let old = org.bills.at(place).body.vendor;
    if old != bill.vendor {
        org.vendors
            .at_mut(old)
            .body
            .bills
            .retain(|other| *other != place);
        org.vendors.at_mut(bill.vendor).body.bills.push(place);
    }
    let credits = bill.credits.clone();
    org.bills.at_mut(place).body = bill;
    crate::credits::set_aside(org, place, &credits);
    touch(org, place);
}

/// The bill changed.
pub(crate) fn touch(org: &mut Organization, place: u32) {
    let stamp = org.stamp();
    org.bills.touch(place, stamp);
    notify(org, "bill.updated", place);
}

/// `PUT`: lines whose `id` is left out go, lines without one come.
fn replace(org: &mut Organization, place: u32, body: &Json) -> Result<(), Problem> {
    let bill = draft(org, body, Some(place), &[])?;
    store(org, place, bill);
    Ok(())
}

/// `PATCH`: what is given changes; lines are named by `id`, and none comes or goes.
pub(crate) fn patch(org: &mut Organization, place: u32, body: &Json) -> Result<(), Problem> {
    let change = pick(BILL, body, true)?;
    let mut bill = org.bills.at(place).body.clone();
    if let Some(id) = change.text("vendorId") {
        bill.vendor = reference(org, Kind::Vendor, "vendorId", id, org.vendors.len())?;
        if org.vendors.at(bill.vendor).archived && bill.vendor != org.bills.at(place).body.vendor {
            return Err(Problem::value(format!("vendorId: vendor {id} is archived")));
        }
    }
    if let Some(day) = change.day("dueDate") {
        bill.due_date = day;
    }
    if let Some(day) = change.day("invoice.invoiceDate") {
        bill.invoice_date = day;
    }
    if let Some(number) = change.text("invoice.invoiceNumber") {
        bill.number = number.into();
    }
    for (field, part) in [
        ("description", &mut bill.description),
        ("purchaseOrderNumber", &mut bill.purchase_order),
    ] {
        if given(&change, field) {
            *part = change.text(field).map(Into::into);
        }
    }
    if given(&change, "payFromChartOfAccountId") {
        bill.pay_from = pay_from(org, &change)?;
    }
    if given(&change, "classifications") {
        bill.coding = Coding::read(org, &change, true, &[&bill.coding])?;
    }
    if given(&change, "vendorCredits") {
        bill.credits = credits(org, &change, bill.vendor, Some(place))?;
    }
    for (index, entry) in change.list("billLineItems").iter().enumerate() {
        let id = entry
            .text("id")
            .ok_or_else(|| Problem::must(format!("billLineItems[{index}].id: must not be null")))?;
        let id = known_line(org, Some(&org.bills.at(place).body), id)?;
        let at = bill.lines.iter().position(|line| line.id == id);
        let Some(at) = at else { continue };
        patch_line(org, &mut bill.lines[at], entry, index)?;
    }
    check(org, &bill, Some(place), &[])?;
    store(org, place, bill);
    Ok(())
}

fn patch_line(
    org: &Organization,
    line: &mut Line,
    entry: &Json,
    index: usize,
) -> Result<(), Problem> {
    if let Some(quantity) = entry.number("quantity") {
        line.quantity = Some(quantity);
    }
    if let Some(price) = entry.number("price") {
        line.price = Some(price);
    }
    let repriced = given(entry, "quantity") || given(entry, "price");
    let product = line.quantity.zip(line.price).filter(|_| repriced);
    let product = product
        .and_then(|(quantity, price)| quantity.checked_mul(price))
        .map(cents);
    line.amount = entry.number("amount").or(product).unwrap_or(line.amount);
    if has_fractions_of_a_cent(line.amount) {
        return Err(Problem::must(format!(
            "billLineItems[{index}].amount: numeric value out of bounds (<2 decimals> expected)"
        )));
    }
    if given(entry, "description") {
        line.description = entry.text("description").map(Into::into);
    }
    if given(entry, "classifications") {
        line.coding = Coding::read(org, entry, false, &[&line.coding])?;
    }
    Ok(())
}

/// Whether a field is in a body, also as `null`.
fn given(body: &Json, field: &str) -> bool {
    matches!(body, Json::Object(fields) if fields.iter().any(|(name, _)| name == field))
}

/// Archives or restores a bill; doing it twice changes nothing. A bill with a payment stays.
pub(crate) fn archive(org: &mut Organization, place: u32, archived: bool) -> Result<(), Problem> {
    if org.bills.at(place).archived == archived {
        return Ok(());
    }
    let bill = &org.bills.at(place).body;
    if archived
        && bill
            .payments
            .iter()
            .any(|payment| !payments::is_dead(org, *payment))
    {
        let message = "A bill with a scheduled or made payment can't be archived";
        return Err(Problem::forbidden(message));
    }
    let stamp = org.stamp();
    org.bills.at_mut(place).archived = archived;
    org.bills.touch(place, stamp);
    notify(
        org,
        if archived {
            "bill.archived"
        } else {
            "bill.restored"
        },
        place,
    );
    Ok(())
}

fn currency<'a>(org: &'a Organization, bill: &Bill) -> &'a str {
    org.vendors.at(bill.vendor).body.currency()
}

fn exchanged(org: &Organization, bill: &Bill) -> Decimal {
    cents(total(bill) * org.dollars_for_one(currency(org, bill)))
}

/// A bill as answers show it. Only `GET` and lists name the vendor.
pub(crate) fn render(org: &Organization, place: u32, name: bool, approvers: bool) -> Json {
    let row = org.bills.at(place);
    let bill = &row.body;
    let figures = figures(org, place);
    let rate = org.dollars_for_one(currency(org, bill));
    let credits: Vec<Json> = bill
        .credits
        .iter()
        .map(|(credit, amount)| {
            let id = org.ids.text(Kind::Credit, *credit);
            Json::object([("id", id.into()), ("amount", number(*amount))])
        })
        .collect();
    let vendor = &org.vendors.at(bill.vendor).body;
    Json::object([
        ("id", org.ids.text(Kind::Bill, place).into()),
        ("archived", row.archived.into()),
        ("vendorId", org.ids.text(Kind::Vendor, bill.vendor).into()),
        ("vendorName", name.then(|| vendor.name()).into()),
        ("amount", number(figures.amount)),
        ("fundingAmount", number(cents(figures.amount * rate))),
        ("paidAmount", number(figures.paid)),
        ("scheduledAmount", number(figures.scheduled)),
        ("creditAmount", number(figures.credit)),
        ("dueAmount", number(figures.due)),
        ("exchangeRate", rate.into()),
        ("dueDate", bill.due_date.into()),
        (
            "invoice",
            Json::object([
                ("invoiceNumber", (&*bill.number).into()),
                ("invoiceDate", bill.invoice_date.into()),
            ]),
        ),
        ("description", bill.description.as_deref().into()),
        ("purchaseOrderNumber", bill.purchase_order.as_deref().into()),
        ("payFromChartOfAccountId", {
            bill.pay_from
                .map(|place| org.ids.text(Kind::Account, place))
                .into()
        }),
        ("classifications", bill.coding.render(org)),
        (
            "billLineItems",
            bill.lines
                .iter()
                .map(|line| line_json(org, line))
                .collect::<Vec<_>>()
                .into(),
        ),
        (
            "vendorCredits",
            if credits.is_empty() {
                Json::Null
            } else {
                credits.into()
            },
        ),
        ("paymentStatus", figures.status.into()),
        ("approvalStatus", bill.approval.into()),
        (
            "approvers",
            approvers.then(|| approvers_of(org, place)).into(),
        ),
        ("createdTime", time_text(row.created).into()),
        ("updatedTime", time_text(row.updated).into()),
    ])
}

fn line_json(org: &Organization, line: &Line) -> Json {
    Json::object([
        ("id", org.ids.text(Kind::BillLine, line.id).into()),
        ("amount", number(line.amount)),
        ("quantity", line.quantity.into()),
        ("price", line.price.into()),
        ("description", line.description.as_deref().into()),
        ("classifications", line.coding.render(org)),
    ])
}

fn approvers_of(org: &Organization, place: u32) -> Json {
    let row = org.bills.at(place);
    let status = match row.body.approval {
        "UNASSIGNED" => return Json::List(Vec::new()),
        status @ ("APPROVED" | "DENIED") => status,
        _ => "WAITING",
    };
    Json::List(vec![Json::object([
        ("userId", org.user().into()),
        ("status", status.into()),
        ("approverOrder", 1u32.into()),
        ("statusChangedTime", time_text(row.updated).into()),
    ])])
}

fn notify(org: &mut Organization, event: &'static str, place: u32) {
    if org.webhooks.wants(event) {
        let bill = render(org, place, true, false);
        crate::webhooks::emit(org, event, "bill", bill);
    }
}
