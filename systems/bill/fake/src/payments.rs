//! Payments to vendors (README §Payments).

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::bills::{self, Coding};
use crate::credits::{self, Use};
use crate::ids::Kind;
use crate::json::Json;
use crate::life;
use crate::list::{Cell, Listing, Of, page};
use crate::money::{cents, has_fractions_of_a_cent, number};
use crate::organization::{Organization, business_day, business_days_after, time_text};
use crate::payment_status::{coarse, disbursement};
use crate::problem::Problem;
use crate::route::{Answer, Call, Reply, reference};
use crate::shape::{Field, Rule, entries, may, need, pick};

pub(crate) use crate::payment_status::{Stage, stage};

/// How many bills one payment of a vendor with `combinePayments` covers at most.
pub(crate) const COMBINED: usize = 35;

/// A payment.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) vendor: u32,
    pub(crate) parts: Vec<Part>,
    pub(crate) process_date: Date,
    pub(crate) funding: Option<(String, String)>,
    pub(crate) single_status: String,
    /// `disbursementType`: ACH, CHECK, OFFLINE, …
    pub(crate) method: String,
    pub(crate) online: bool,
    pub(crate) description: Option<String>,
    pub(crate) transaction_number: String,
    pub(crate) options: Json,
    pub(crate) voids: Vec<Void>,
    pub(crate) recorded: Option<Recorded>,
    pub(crate) cancel_requested: bool,
    /// When it moves next, in microseconds.
    pub(crate) next: Option<i64>,
    /// The day it left, from which arrival is reckoned.
    pub(crate) sent: Option<Date>,
    /// US dollars for one unit of its currency, as settled when it was made.
    pub(crate) rate: Decimal,
}

/// What is to go to a bill: its place, the amount, and the vendor credits used beside it.
pub(crate) type Share = (u32, Decimal, Vec<(u32, Decimal)>);

/// What of a payment goes to a bill.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) id: u32,
    pub(crate) bill: u32,
    pub(crate) amount: Decimal,
    pub(crate) credits: Vec<(u32, Decimal)>,
}

/// A request to void a payment.
#[derive(Debug, Clone)]
pub(crate) struct Void {
    pub(crate) kind: String,
    pub(crate) status: &'static str,
    pub(crate) reason: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    /// What the payment was before.
    pub(crate) before: String,
}

/// What a payment made elsewhere says beside.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) to_print_check: bool,
    pub(crate) sync_reference: Option<String>,
    pub(crate) allow_export: Option<bool>,
    pub(crate) coding: Coding,
}

/// Whether a payment never was, or is undone.
pub(crate) fn is_dead(org: &Organization, place: u32) -> bool {
    stage(&org.payments.at(place).body.single_status) == Stage::Dead
}

const FUNDING: &[&str] = &["BANK_ACCOUNT", "CARD_ACCOUNT", "WALLET", "AP_CARD"];
const DELIVERY: &[&str] = &["STANDARD", "UPS_1DAY", "UPS_2DAY", "RTP_DELIVERY"];
static ACCOUNT: &[Field] = &[
    need("type", Rule::Choice(FUNDING)),
    may("id", Rule::Text(20)),
];
static OPTIONS: &[Field] = &[
    may("requestPayFaster", Rule::Flag),
    may("createBill", Rule::Flag),
    may("requestCheckDeliveryType", Rule::Choice(DELIVERY)),
];
static PAYMENT: &[Field] = &[
    may("vendorId", Rule::Text(20)),
    may("billId", Rule::Text(20)),
    may("processDate", Rule::Day),
    need("fundingAccount", Rule::Part(ACCOUNT)),
    need("amount", Rule::Number),
    need("processingOptions", Rule::Part(OPTIONS)),
    may("description", Rule::Text(70)),
    may("transactionNumber", Rule::Text(50)),
    may("cardFundingPurpose", Rule::Text(255)),
    may("exchangeRateBatchId", Rule::Text(64)),
];
static BULK_PART: &[Field] = &[need("billId", Rule::Text(20)), need("amount", Rule::Number)];
static BULK: &[Field] = &[
    may("vendorId", Rule::Text(20)),
    may("processDate", Rule::Day),
    need("fundingAccount", Rule::Part(ACCOUNT)),
    may("processingOptions", Rule::Part(OPTIONS)),
    need("payments", Rule::Any),
];
static VOID: &[Field] = &[
    need(
        "type",
        Rule::Choice(&[
            "VOID_ONLY",
            "VOID_AND_CREDIT",
            "VOID_AND_REISSUE",
            "VOID_AND_REISSUE_VCARD",
        ]),
    ),
    need("reason", Rule::Text(4000)),
];

const LISTING: Listing = Listing {
    kind: Kind::Payment,
    filters: &[
        ("vendorId", "eq in", Of::Id(Kind::Vendor)),
        ("status", "eq ne in nin", Of::Text),
    ],
    sorts: &[
        "description",
        "processDate",
        "amount",
        "confirmationNumber",
        "onlinePayment",
        "disbursementStatus",
    ],
};

/// `/v3/payments/…`
pub(crate) fn answer(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    match (&*call.method, path) {
        ("GET", []) => list(org, call),
        ("POST", []) => pay(org, call),
        ("POST", ["bulk"]) => pay_bulk(org, call),
        ("GET", ["options"]) => options(org, call),
        ("GET" | "POST", ["exchange-rate"]) => {
            let currency = call.query.get("currency").unwrap_or("EUR").to_owned();
            let batch = org.random.uuid();
            Ok(Reply::ok(Json::object([
                ("exchangeRateBatchId", batch.into()),
                ("exchangeRate", org.dollars_for_one(&currency).into()),
            ])))
        }
        (method, [id, rest @ ..]) => {
            let place = org.place(Kind::Payment, id, org.payments.len())?;
            match (method, rest) {
                ("GET", []) => {}
                ("POST", ["cancel"]) => cancel(org, place)?,
                ("POST", ["void"]) => {
                    let body = pick(VOID, &call.json()?, false)?;
                    let field = |name| body.text(name).unwrap_or_default().to_owned();
                    life::request_void(org, place, field("type"), field("reason"))?;
                }
                ("GET", ["check-image"]) => return check_image(org, place),
                _ => return Err(Problem::path()),
            }
            Ok(Reply::ok(render(org, place)))
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
                .flat_map(|row| row.body.payments.iter().copied())
                .collect(),
        )
    };
    let cell = |place: u32, field: &str| {
        let payment = &org.payments.at(place).body;
        match field {
            "vendorId" => Cell::Id(payment.vendor),
            "status" => Cell::Text(coarse(&payment.single_status).to_owned()),
            "processDate" => Cell::Day(payment.process_date),
            "description" => Cell::from(payment.description.as_deref()),
            "amount" => Cell::Number(amount(payment)),
            "onlinePayment" => Cell::Flag(payment.online),
            "disbursementStatus" => Cell::from(disbursement(&payment.single_status)),
            _ => Cell::Unset,
        }
    };
    let scope = (&org.ids, &call.query, org.options.archived_in_lists);
    page(&org.payments, &LISTING, scope, narrow, cell, |place| {
        render(org, place)
    })
    .map(Reply::ok)
}

fn may_pay(org: &Organization, call: &Call) -> Result<(), Problem> {
    if call.session.sync {
        return Err(Problem::new(
            403,
            "BDC_1150",
            "A sync token's session can't make payments",
        ));
    }
    if org.options.production && !call.session.trusted {
        return Err(Problem::new(
            403,
            "BDC_1150",
            "Payments need a trusted session (MFA)",
        ));
    }
    Ok(())
}

fn pay(org: &mut Organization, call: &Call) -> Answer {
    may_pay(org, call)?;
    let body = pick(PAYMENT, &call.json()?, false)?;
    let amount = positive(&body)?;
    let creates = body.flag("processingOptions.createBill") == Some(true);
    let bill = match (body.text("billId"), creates) {
        (Some(id), _) => reference(org, Kind::Bill, "billId", id, org.bills.len())?,
        (None, true) => bill_for(org, &body, amount)?,
        (None, false) => return Err(Problem::must("billId: must not be null")),
    };
    let vendor = org.bills.at(bill).body.vendor;
    if let Some(id) = body.text("vendorId")
        && org.ids.place(Kind::Vendor, id) != Some(vendor)
    {
        return Err(Problem::new(
            422,
            "BDC_1118",
            "vendorId: the bill is another vendor's",
        ));
    }
    owed(org, bill, amount)?;
    let order = order(org, &body, vendor)?;
    let place = place(org, vendor, vec![(bill, amount, Vec::new())], order);
    Ok(Reply::created(render(org, place)))
}

fn positive(body: &Json) -> Result<Decimal, Problem> {
    let amount = body.number("amount").unwrap_or_default();
    if amount <= Decimal::ZERO || has_fractions_of_a_cent(amount) {
        return Err(Problem::must(
            "amount: must be greater than 0, with two decimals at most",
        ));
    }
    Ok(amount)
}

/// `createBill`: the bill is made together with its payment.
fn bill_for(org: &mut Organization, body: &Json, amount: Decimal) -> Result<u32, Problem> {
    let id = body
        .text("vendorId")
        .ok_or_else(|| Problem::must("vendorId: must not be null"))?;
    let vendor = reference(org, Kind::Vendor, "vendorId", id, org.vendors.len())?;
    if org.vendors.at(vendor).archived {
        return Err(Problem::value(format!("vendorId: vendor {id} is archived")));
    }
    order(org, body, vendor)?;
    let today = org.today();
    let number = org.bills.len() + 1;
    let line = bills::Line {
        id: u32::MAX,
        amount,
        quantity: None,
        price: None,
        description: None,
        coding: Coding::default(),
    };
    Ok(bills::create(
        org,
        bills::Bill {
            vendor,
            number: format!("AUTO-{number}").into(),
            invoice_date: today,
            due_date: body.day("processDate").unwrap_or(today),
            lines: vec![line],
            description: body.text("description").map(Into::into),
            purchase_order: None,
            pay_from: None,
            coding: Coding::default(),
            credits: Vec::new(),
            payments: Vec::new(),
            approval: "APPROVED",
        },
    ))
}

fn owed(org: &Organization, bill: u32, amount: Decimal) -> Result<(), Problem> {
    let id = org.ids.text(Kind::Bill, bill);
    if org.bills.at(bill).archived {
        return Err(Problem::value(format!("billId: {id} is archived")));
    }
    let due = bills::figures(org, bill).due;
    if amount > due {
        return Err(Problem::value(format!(
            "amount: {amount} is more than the {due} due on {id}"
        )));
    }
    Ok(())
}

/// How a payment is to be made.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) process_date: Date,
    pub(crate) funding: Option<(String, String)>,
    pub(crate) method: String,
    pub(crate) status: String,
    pub(crate) description: Option<String>,
    pub(crate) transaction_number: Option<String>,
    pub(crate) options: Json,
    pub(crate) recorded: Option<Recorded>,
}

fn order(org: &Organization, body: &Json, vendor: u32) -> Result<Order, Problem> {
    let kind = body.text("fundingAccount.type").unwrap_or_default();
    let id = body.text("fundingAccount.id");
    match (kind, id) {
        ("BANK_ACCOUNT", None) => return Err(Problem::must("fundingAccount.id: must not be null")),
        ("BANK_ACCOUNT", Some(id)) => {
            let banks = org.funding.banks.len();
            let place = reference(org, Kind::Bank, "fundingAccount.id", id, banks)?;
            if org.funding.banks.at(place).body.text("status") != Some("VERIFIED") {
                let message = "Account may not make online payments";
                return Err(Problem::new(422, "BDC_1151", message));
            }
        }
        _ => {}
    }
    let today = org.today();
    let process_date = match body.day("processDate") {
        Some(day) if day < today => {
            let message = "Choose a process date that is not in the past";
            return Err(Problem::new(422, "BDC_1402", message));
        }
        Some(day) => day,
        None if matches!(kind, "WALLET" | "AP_CARD") => {
            return Err(Problem::must("processDate: must not be null"));
        }
        None => business_days_after(today, 1),
    };
    let options = body
        .get("processingOptions")
        .cloned()
        .unwrap_or(Json::object([]));
    Ok(Order {
        process_date,
        funding: Some((kind.to_owned(), id.unwrap_or_default().to_owned())),
        method: method_of(org, vendor).to_owned(),
        status: "SCHEDULED".to_owned(),
        description: body.text("description").map(str::to_owned),
        transaction_number: body.text("transactionNumber").map(str::to_owned),
        options,
        recorded: None,
    })
}

/// How a vendor is paid.
pub(crate) fn method_of(org: &Organization, vendor: u32) -> &str {
    let fields = &org.vendors.at(vendor).body.fields;
    match fields.text("paymentInformation.payByType") {
        Some(method) if !matches!(method, "UNDEFINED" | "OFFLINE") => method,
        _ if fields.at("paymentInformation.bankAccount").is_some() => "ACH",
        _ => "CHECK",
    }
}

fn pay_bulk(org: &mut Organization, call: &Call) -> Answer {
    may_pay(org, call)?;
    let body = pick(BULK, &call.json()?, false)?;
    let parts = body.get("payments").unwrap_or(&Json::Null);
    let mut by_vendor: Vec<(u32, Vec<Share>)> = Vec::new();
    for (index, entry) in entries(parts, 50)?.iter().enumerate() {
        let entry = pick(BULK_PART, entry, false).map_err(|fault| fault.in_entry(index))?;
        let id = entry.text("billId").unwrap_or_default();
        let bill = reference(org, Kind::Bill, "billId", id, org.bills.len())?;
        let amount = positive(&entry).map_err(|fault| fault.in_entry(index))?;
        let twice = by_vendor
            .iter()
            .any(|(_, parts)| parts.iter().any(|(other, ..)| *other == bill));
        if twice {
            return Err(Problem::value(format!("billId: {id} is given twice")));
        }
        owed(org, bill, amount).map_err(|fault| fault.in_entry(index))?;
        let vendor = org.bills.at(bill).body.vendor;
        let given = body.text("vendorId");
        if given.is_some_and(|id| org.ids.place(Kind::Vendor, id) != Some(vendor)) {
            return Err(Problem::new(
                422,
                "BDC_1118",
                "vendorId: a bill is another vendor's",
            ));
        }
        match by_vendor.iter_mut().find(|(other, _)| *other == vendor) {
            Some((_, parts)) => parts.push((bill, amount, Vec::new())),
            None => by_vendor.push((vendor, vec![(bill, amount, Vec::new())])),
        }
    }
    let mut orders = Vec::new();
    for (vendor, parts) in by_vendor {
        orders.push((vendor, parts, order(org, &body, vendor)?));
    }
    let mut payments = Vec::new();
    for (vendor, parts, order) in orders {
        let fields = &org.vendors.at(vendor).body.fields;
        let combines = fields.flag("additionalInfo.combinePayments") == Some(true);
        let most = if combines { COMBINED } else { 1 };
        for parts in parts.chunks(most) {
            let place = place(org, vendor, parts.to_vec(), order.clone());
            payments.push(render(org, place));
        }
    }
    Ok(Reply::created(Json::object([(
        "payments",
        payments.into(),
    )])))
}

/// Makes a payment over bills of one vendor. What may be paid has been looked at.
pub(crate) fn place(org: &mut Organization, vendor: u32, bills: Vec<Share>, order: Order) -> u32 {
    let place = org.payments.len();
    let mut parts = Vec::new();
    for (bill, amount, credits) in bills {
        parts.push(Part {
            id: org.applications,
            bill,
            amount,
            credits,
        });
        org.applications += 1;
    }
    let online = order.recorded.is_none() && order.method != "OFFLINE";
    let number = order
        .transaction_number
        .unwrap_or_else(|| format!("P{:09}", place + 1));
    let sent = order.process_date;
    let payment = Payment {
        vendor,
        parts: parts.clone(),
        process_date: order.process_date,
        funding: order.funding,
        single_status: order.status,
        method: order.method,
        online,
        description: order.description,
        transaction_number: number,
        options: order.options,
        voids: Vec::new(),
        recorded: order.recorded,
        cancel_requested: false,
        next: None,
        sent: Some(business_day(sent)),
        rate: org.dollars_for_one(org.vendors.at(vendor).body.currency()),
    };
    let stamp = org.stamp();
    org.payments.push(payment, stamp);
    org.vendors.at_mut(vendor).body.payments.push(place);
    for part in &parts {
        org.bills.at_mut(part.bill).body.payments.push(place);
        for (credit, amount) in &part.credits {
            let used = Use {
                bill: part.bill,
                payment: Some(place),
                amount: *amount,
            };
            credits::apply(org, *credit, used);
        }
    }
    life::bills_follow(org, place);
    life::schedule(org, place, stamp);
    place
}

fn cancel(org: &mut Organization, place: u32) -> Result<(), Problem> {
    if org.payments.at(place).body.single_status != "SCHEDULED" {
        return Err(Problem::forbidden(
            "Only a scheduled payment can be canceled",
        ));
    }
    org.payments.at_mut(place).body.cancel_requested = true;
    life::set_status(org, place, "CANCELED");
    Ok(())
}

fn check_image(org: &Organization, place: u32) -> Answer {
    let payment = &org.payments.at(place).body;
    if payment.method != "CHECK" || payment.single_status != "CLEARED" {
        return Err(Problem::missing("check-image"));
    }
    let id = org.ids.text(Kind::Payment, place);
    let link = format!("/connect/v3/payments/{id}/check-image");
    Ok(Reply::ok(Json::object([
        ("frontImageUrl", link.clone().into()),
        ("backImageUrl", link.into()),
    ])))
}

fn options(org: &Organization, call: &Call) -> Answer {
    let id = call.query.get("vendorId");
    let id = id.ok_or_else(|| Problem::parameter("vendorId is required"))?;
    let vendor = reference(org, Kind::Vendor, "vendorId", id, org.vendors.len())?;
    let day = business_days_after(org.today(), 1);
    let option = Json::object([
        ("type", method_of(org, vendor).into()),
        ("processDate", day.into()),
        ("arrivesByDate", business_days_after(day, 3).into()),
        ("fee", number(Decimal::ZERO)),
    ]);
    let banks = org.funding.banks.rows().map(|(place, _)| {
        Json::object([
            ("type", "BANK_ACCOUNT".into()),
            ("id", org.ids.text(Kind::Bank, place).into()),
            ("disbursementOptions", vec![option.clone()].into()),
        ])
    });
    let funding: Vec<Json> = banks.collect();
    Ok(Reply::ok(Json::object([(
        "fundingOptions",
        funding.into(),
    )])))
}

/// What a payment pays.
pub(crate) fn amount(payment: &Payment) -> Decimal {
    payment.parts.iter().map(|part| part.amount).sum()
}

/// A payment as answers show it.
pub(crate) fn render(org: &Organization, place: u32) -> Json {
    let row = org.payments.at(place);
    let payment = &row.body;
    let vendor = &org.vendors.at(payment.vendor).body;
    let status = &*payment.single_status;
    let single = match &*payment.parts {
        [part] => Some(org.ids.text(Kind::Bill, part.bill)),
        _ => None,
    };
    let funding = payment.funding.as_ref().map(|(kind, id)| {
        let id = Some(id.as_str()).filter(|id| !id.is_empty());
        Json::object([("type", kind.as_str().into()), ("id", id.into())])
    });
    let recorded = payment.recorded.as_ref();
    let confirmation = (payment.online && stage(status) == Stage::Paid)
        .then(|| format!("C{:010}", u64::from(place) * 7919 + 1_000_003));
    let parts: Vec<Json> = payment
        .parts
        .iter()
        .map(|part| part_json(org, part))
        .collect();
    let voids: Vec<Json> = payment
        .voids
        .iter()
        .enumerate()
        .map(|(index, void)| void_json(org, place, index, void))
        .collect();
    Json::object([
        ("id", org.ids.text(Kind::Payment, place).into()),
        (
            "vendorId",
            org.ids.text(Kind::Vendor, payment.vendor).into(),
        ),
        ("vendorName", vendor.name().into()),
        ("billId", single.into()),
        ("billPayments", parts.into()),
        ("amount", number(amount(payment))),
        (
            "fundingAmount",
            number(cents(amount(payment) * payment.rate)),
        ),
        ("exchangeRate", payment.rate.into()),
        ("description", payment.description.as_deref().into()),
        ("processDate", payment.process_date.into()),
        ("fundingAccount", funding.into()),
        ("processingOptions", payment.options.clone()),
        (
            "transactionNumber",
            payment.transaction_number.as_str().into(),
        ),
        ("confirmationNumber", confirmation.into()),
        ("status", coarse(status).into()),
        ("singleStatus", status.into()),
        ("disbursementStatus", disbursement(status).into()),
        ("disbursementType", payment.method.as_str().into()),
        ("disbursementInfo", life::disbursement_info(org, place)),
        ("onlinePayment", payment.online.into()),
        ("cancelRequestSubmitted", payment.cancel_requested.into()),
        ("voidInfo", voids.into()),
        (
            "toPrintCheck",
            recorded.map(|recorded| recorded.to_print_check).into(),
        ),
        (
            "syncReference",
            recorded
                .and_then(|recorded| recorded.sync_reference.as_deref())
                .into(),
        ),
        (
            "allowExport",
            recorded.and_then(|recorded| recorded.allow_export).into(),
        ),
        (
            "classifications",
            recorded.map(|recorded| recorded.coding.render(org)).into(),
        ),
        ("createdBy", org.user().into()),
        ("createdTime", time_text(row.created).into()),
        ("updatedTime", time_text(row.updated).into()),
    ])
}

fn part_json(org: &Organization, part: &Part) -> Json {
    let credits: Vec<Json> = part
        .credits
        .iter()
        .map(|(credit, amount)| {
            let id = org.ids.text(Kind::Credit, *credit);
            Json::object([("id", id.into()), ("amount", number(*amount))])
        })
        .collect();
    Json::object([
        ("id", org.ids.text(Kind::BillPayment, part.id).into()),
        ("billId", org.ids.text(Kind::Bill, part.bill).into()),
        ("amount", number(part.amount)),
        ("vendorCredits", credits.into()),
    ])
}

fn void_json(org: &Organization, place: u32, index: usize, void: &Void) -> Json {
    let index = u32::try_from(index).unwrap_or_default();
    Json::object([
        (
            "id",
            org.ids
                .text(Kind::Void, place.wrapping_mul(16) + index)
                .into(),
        ),
        ("requestedBy", org.user().into()),
        ("type", void.kind.as_str().into()),
        ("status", void.status.into()),
        ("reason", void.reason.as_str().into()),
        ("createdTime", time_text(void.created).into()),
        ("updatedTime", time_text(void.updated).into()),
    ])
}
