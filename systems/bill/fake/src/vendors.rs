//! Vendors (README §Vendors).

use rust_decimal::Decimal;

use crate::ids::Kind;
use crate::json::Json;
use crate::list::{Cell, Listing, Of, page};
use crate::money::number;
use crate::organization::{Organization, time_text};
use crate::problem::Problem;
use crate::route::{Answer, Call, Reply};
use crate::shape::{Field, Rule, entries, may, need, pick};

/// A vendor.
#[derive(Debug, Clone)]
pub(crate) struct Vendor {
    /// What was written, by the names of the fields.
    pub(crate) fields: Json,
    /// Its bills.
    pub(crate) bills: Vec<u32>,
    /// Its payments.
    pub(crate) payments: Vec<u32>,
    /// What changed, by whom, when.
    pub(crate) changes: Vec<Change>,
}

/// A change of a field.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    stamp: i64,
    field: String,
    old: Json,
    new: Json,
}

impl Vendor {
    /// A vendor without bills.
    pub(crate) fn new(fields: Json) -> Self {
        Self {
            fields,
            bills: Vec::new(),
            payments: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.fields.text("name").unwrap_or_default()
    }

    /// The currency of all its bills.
    pub(crate) fn currency(&self) -> &str {
        self.fields.text("billCurrency").unwrap_or("USD")
    }
}

const PAY_BY: &[&str] = &[
    "ACH",
    "CHECK",
    "INTERNATIONAL_E_PAYMENT",
    "OFFLINE",
    "RPPS",
    "UNDEFINED",
    "VIRTUAL_CARD",
    "WALLET",
];
const PAY_BY_SUB: &[&str] = &[
    "ACH",
    "IACH",
    "LOCAL",
    "MULTIPLE",
    "NONE",
    "UNDEFINED",
    "WIRE",
];

// What of an address must be there is documented for being paid by check, not for being created.
static ADDRESS: &[Field] = &[
    may("line1", Rule::Text(500)),
    may("line2", Rule::Text(500)),
    may("city", Rule::Text(255)),
    may("stateOrProvince", Rule::Text(255)),
    may("zipOrPostalCode", Rule::Text(20)),
    may("country", Rule::Text(2)),
];
static BANK: &[Field] = &[
    need("nameOnAccount", Rule::Text(100)),
    need("accountNumber", Rule::Text(40)),
    may("routingNumber", Rule::Text(40)),
    may("type", Rule::Choice(&["CHECKING", "SAVINGS"])),
    may("ownerType", Rule::Choice(&["BUSINESS", "PERSONAL"])),
    may("paymentCurrency", Rule::Text(3)),
    may("bankCountry", Rule::Text(2)),
    may("regulatoryFields", Rule::Any),
];
static PAYMENT: &[Field] = &[
    may("payeeName", Rule::Text(250)),
    may("email", Rule::Text(255)),
    may("payByType", Rule::Choice(PAY_BY)),
    may("payBySubType", Rule::Choice(PAY_BY_SUB)),
    may("bankAccount", Rule::Part(BANK)),
    may("paymentPurpose", Rule::Any),
];
static INFO: &[Field] = &[
    may("taxId", Rule::Text(16)),
    may("taxIdType", Rule::Choice(&["EIN", "SSN", "UNDEFINED"])),
    may("track1099", Rule::Flag),
    may("leadTimeInDays", Rule::Number),
    may("combinePayments", Rule::Flag),
    may("paymentTermId", Rule::Text(20)),
    may("companyName", Rule::Text(100)),
];
static AUTO_PAY: &[Field] = &[
    may("enabled", Rule::Flag),
    may("bankAccountId", Rule::Text(20)),
    may("maxAmount", Rule::Number),
    may("daysBeforeDueDate", Rule::Number),
];
static VENDOR: &[Field] = &[
    need("name", Rule::Text(100)),
    may("shortName", Rule::Text(40)),
    may("accountNumber", Rule::Text(100)),
    may(
        "accountType",
        Rule::Choice(&["BUSINESS", "PERSON", "NONE", "UNDEFINED"]),
    ),
    may("email", Rule::Text(255)),
    may("phone", Rule::Text(40)),
    need("address", Rule::Part(ADDRESS)),
    may("paymentInformation", Rule::Part(PAYMENT)),
    may("additionalInfo", Rule::Part(INFO)),
    may("billCurrency", Rule::Text(3)),
    may("autoPay", Rule::Part(AUTO_PAY)),
    may("transferMethod", Rule::Choice(&["LOCAL", "WIRE"])),
    may("rppsId", Rule::Text(40)),
    may("paymentNetworkId", Rule::Text(40)),
];

const LISTING: Listing = Listing {
    kind: Kind::Vendor,
    filters: &[
        ("name", "eq sw", Of::Text),
        ("accountType", "eq ne in nin", Of::Text),
        ("address.country", "eq ne", Of::Text),
        ("billCurrency", "eq ne in nin", Of::Text),
        ("paymentStatus", "eq ne in nin", Of::Text),
    ],
    sorts: &["name", "shortName", "email", "phone", "billCurrency"],
};

/// `/v3/vendors/…`
pub(crate) fn answer(org: &mut Organization, call: &Call, path: &[&str]) -> Answer {
    match (&*call.method, path) {
        ("GET", []) => list(org, call),
        ("POST", []) => {
            let fields = draft(org, call, &call.json()?)?;
            let place = create(org, fields);
            Ok(Reply::created(render(org, place)))
        }
        ("POST", ["bulk"]) => bulk(org, call),
        ("GET", ["configuration", "international-payments"]) => {
            let country = call.query.get("country").unwrap_or("US");
            Ok(Reply::ok(Json::object([
                ("country", country.into()),
                ("billCurrency", call.query.get("billCurrency").into()),
                ("fields", Json::List(Vec::new())),
            ])))
        }
        (method, [id, rest @ ..]) => {
            let place = org.place(Kind::Vendor, id, org.vendors.len())?;
            one(org, call, (method, rest), place)
        }
        _ => Err(Problem::path()),
    }
}

fn list(org: &Organization, call: &Call) -> Answer {
    let cell = |place: u32, field: &str| {
        let vendor = &org.vendors.at(place).body;
        match field {
            "billCurrency" => Cell::Text(vendor.currency().to_owned()),
            "paymentStatus" => {
                let owed = balance(org, place) > Decimal::ZERO;
                Cell::Text(if owed { "UNPAID" } else { "PAID" }.to_owned())
            }
            other => vendor.fields.text(other).into(),
        }
    };
    let scope = (&org.ids, &call.query, org.options.archived_in_lists);
    page(
        &org.vendors,
        &LISTING,
        scope,
        |_| None,
        cell,
        |place| render(org, place),
    )
    .map(Reply::ok)
}

fn bulk(org: &mut Organization, call: &Call) -> Answer {
    let body = call.json()?;
    let mut drafts = Vec::new();
    for (index, entry) in entries(&body, 20)?.iter().enumerate() {
        drafts.push(draft(org, call, entry).map_err(|problem| problem.in_entry(index))?);
    }
    let places: Vec<u32> = drafts
        .into_iter()
        .map(|fields| create(org, fields))
        .collect();
    let vendors: Vec<Json> = places.into_iter().map(|place| render(org, place)).collect();
    Ok(Reply::created(Json::object([("vendors", vendors.into())])))
}

fn one(org: &mut Organization, call: &Call, (method, path): (&str, &[&str]), place: u32) -> Answer {
    match (method, path) {
        ("GET", []) => {}
        ("PATCH", []) => {
            let mut change = pick(VENDOR, &call.json()?, true)?;
            if let Json::Object(fields) = &mut change {
                for (name, value) in fields {
                    // The bank account has its own calls: a PATCH doesn't reach it.
                    if name == "paymentInformation" && value.get("bankAccount").is_some() {
                        value.set("bankAccount", Json::Null);
                    }
                }
            }
            trusted_auto_pay(org, call, &change)?;
            edit(org, place, &change)?;
        }
        ("POST", ["archive"]) => archive(org, place, true),
        ("POST", ["restore"]) => archive(org, place, false),
        ("GET", ["configuration"]) => {
            let currency = org.vendors.at(place).body.currency();
            return Ok(Reply::ok(Json::object([("billCurrency", currency.into())])));
        }
        ("GET", ["bank-account"]) => {
            let account = render(org, place);
            let account = account.at("paymentInformation.bankAccount").cloned();
            return account
                .map(Reply::ok)
                .ok_or_else(|| Problem::missing("bank-account"));
        }
        ("POST", ["bank-account"]) => {
            let account = pick(BANK, &call.json()?, false)?;
            if bank(org, place).is_some() {
                return Err(Problem::forbidden(
                    "The vendor has a bank account; delete it first",
                ));
            }
            set_bank(org, place, account);
            let account = render(org, place)
                .at("paymentInformation.bankAccount")
                .cloned();
            return Ok(Reply::created(account.unwrap_or(Json::Null)));
        }
        ("DELETE", ["bank-account"]) => {
            bank(org, place).ok_or_else(|| Problem::missing("bank-account"))?;
            set_bank(org, place, Json::Null);
            return Ok(Reply::nothing());
        }
        _ => return Err(Problem::path()),
    }
    Ok(Reply::ok(render(org, place)))
}

fn bank(org: &Organization, place: u32) -> Option<&Json> {
    org.vendors
        .at(place)
        .body
        .fields
        .at("paymentInformation.bankAccount")
}

fn set_bank(org: &mut Organization, place: u32, account: Json) {
    let payment = Json::object([("bankAccount", account)]);
    let mut payment = payment;
    if payment.get("bankAccount").is_none() {
        payment = Json::Object(vec![("bankAccount".into(), Json::Null)]);
    }
    apply(org, place, &Json::object([("paymentInformation", payment)]));
}

fn trusted_auto_pay(org: &Organization, call: &Call, fields: &Json) -> Result<(), Problem> {
    let enables = fields.flag("autoPay.enabled") == Some(true);
    if enables && org.options.production && !call.session.trusted {
        return Err(Problem::new(
            403,
            "BDC_1150",
            "Enabling autoPay needs a trusted session",
        ));
    }
    Ok(())
}

fn draft(org: &Organization, call: &Call, body: &Json) -> Result<Json, Problem> {
    let mut fields = pick(VENDOR, body, false)?;
    trusted_auto_pay(org, call, &fields)?;
    if fields.text("accountType").is_none() {
        fields.set("accountType", "UNDEFINED".into());
    }
    if fields.text("billCurrency").is_none() {
        fields.set("billCurrency", "USD".into());
    }
    Ok(fields)
}

/// Adds a vendor whose fields have been looked at.
pub(crate) fn create(org: &mut Organization, fields: Json) -> u32 {
    let stamp = org.stamp();
    let place = org.vendors.push(Vendor::new(fields), stamp);
    notify(org, "vendor.created", place);
    place
}

/// Changes a vendor, as far as it may be changed.
pub(crate) fn edit(org: &mut Organization, place: u32, change: &Json) -> Result<(), Problem> {
    let vendor = &org.vendors.at(place).body;
    if vendor.fields.text("networkStatus") == Some("CONNECTED") {
        let message = "The vendor is in the BILL Network and manages its own information";
        return Err(Problem::new(422, "BDC_1172", message));
    }
    for required in ["name", "address"] {
        if let Json::Object(fields) = change
            && fields
                .iter()
                .any(|(name, value)| name == required && *value == Json::Null)
        {
            return Err(Problem::must(format!("{required}: must not be null")));
        }
    }
    if let Some(currency) = change.text("billCurrency")
        && currency != vendor.currency()
        && !vendor.bills.is_empty()
    {
        let message = "billCurrency can't be changed once the vendor has a bill";
        return Err(Problem::forbidden(message));
    }
    apply(org, place, change);
    Ok(())
}

/// Changes a vendor's fields, whatever they are.
pub(crate) fn apply(org: &mut Organization, place: u32, change: &Json) {
    let stamp = org.stamp();
    let vendor = &mut org.vendors.at_mut(place).body;
    let before = vendor.fields.clone();
    vendor.fields.merge(change);
    if let Json::Object(fields) = change {
        for (field, _) in fields {
            let (old, new) = (before.get(field), vendor.fields.get(field));
            if old != new {
                let (old, new) = (old.cloned().unwrap_or(Json::Null), new.cloned());
                let new = new.unwrap_or(Json::Null);
                vendor.changes.push(Change {
                    stamp,
                    field: field.to_string(),
                    old,
                    new,
                });
            }
        }
    }
    org.vendors.touch(place, stamp);
    notify(org, "vendor.updated", place);
}

/// Archives or restores a vendor; doing it twice changes nothing.
pub(crate) fn archive(org: &mut Organization, place: u32, archived: bool) {
    if org.vendors.at(place).archived == archived {
        return;
    }
    let stamp = org.stamp();
    let row = org.vendors.at_mut(place);
    row.archived = archived;
    let (old, new) = (Json::from(!archived), Json::from(archived));
    row.body.changes.push(Change {
        stamp,
        field: "archived".to_owned(),
        old,
        new,
    });
    org.vendors.touch(place, stamp);
    notify(
        org,
        if archived {
            "vendor.archived"
        } else {
            "vendor.restored"
        },
        place,
    );
}

fn notify(org: &mut Organization, event: &'static str, place: u32) {
    if org.webhooks.wants(event) {
        let vendor = render(org, place);
        crate::webhooks::emit(org, event, "vendor", vendor);
    }
}

fn balance(org: &Organization, place: u32) -> Decimal {
    let bills = &org.vendors.at(place).body.bills;
    let open = bills.iter().filter(|bill| !org.bills.at(**bill).archived);
    open.map(|bill| crate::bills::figures(org, *bill).due).sum()
}

/// A vendor as answers show it.
pub(crate) fn render(org: &Organization, place: u32) -> Json {
    let row = org.vendors.at(place);
    let mut vendor = row.body.fields.clone();
    vendor.set(
        "networkStatus",
        vendor
            .text("networkStatus")
            .unwrap_or("NOT_CONNECTED")
            .into(),
    );
    let has_bank = vendor.at("paymentInformation.bankAccount").is_some();
    let status = if has_bank {
        "NET_LINKED_ACCOUNT"
    } else {
        "NO_ACCOUNT"
    };
    mask(&mut vendor);
    let balance = Json::object([
        ("amount", number(balance(org, place))),
        ("lastUpdatedDate", time_text(row.updated).into()),
    ]);
    for (name, value) in [
        ("bankAccountStatus", status.into()),
        ("recurringPayments", false.into()),
        ("balance", balance),
        ("archived", row.archived.into()),
        ("createdTime", time_text(row.created).into()),
        ("updatedTime", time_text(row.updated).into()),
    ] {
        vendor.set(name, value);
    }
    if let Json::Object(fields) = &mut vendor {
        fields.insert(0, ("id".into(), org.ids.text(Kind::Vendor, place).into()));
    }
    vendor
}

fn mask(vendor: &mut Json) {
    let Some(number) = vendor.text("paymentInformation.bankAccount.accountNumber") else {
        return;
    };
    let start = number.len().saturating_sub(4);
    let masked = format!("****{}", number.get(start..).unwrap_or_default());
    let account = Json::object([("accountNumber", masked.into())]);
    let payment = Json::object([("bankAccount", account)]);
    vendor.merge(&Json::object([("paymentInformation", payment)]));
}

/// `GET /v3/reports/audit-trail/vendor/{id}`: newest first, from `start` on.
pub(crate) fn audit_trail(org: &Organization, call: &Call, id: &str) -> Answer {
    let place = org.place(Kind::Vendor, id, org.vendors.len())?;
    let start = call
        .query
        .get("start")
        .and_then(|start| start.parse().ok())
        .unwrap_or(0usize);
    let max = call
        .query
        .get("max")
        .and_then(|max| max.parse().ok())
        .unwrap_or(20usize);
    let changes = org
        .vendors
        .at(place)
        .body
        .changes
        .iter()
        .rev()
        .skip(start)
        .take(max);
    let changes: Vec<Json> = changes
        .map(|change| {
            Json::object([
                ("fieldName", (&*change.field).into()),
                ("oldValue", change.old.clone()),
                ("newValue", change.new.clone()),
                ("modifiedBy", org.user().into()),
                ("modifiedTime", time_text(change.stamp).into()),
            ])
        })
        .collect();
    Ok(Reply::ok(Json::object([("results", changes.into())])))
}
