//! From a world to the organization's first records.

use std::collections::HashMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use tieout_kit::fake::world::{self, Axis, World};

use crate::bills::{self, Bill, Coding, Line};
use crate::classifications;
use crate::ids::Kind;
use crate::json::Json;
use crate::organization::Organization;
use crate::vendors;

/// Which place each of the world's records got.
#[derive(Default)]
struct Places {
    accounts: HashMap<usize, u32>,
    dimensions: HashMap<usize, u32>,
    vendors: HashMap<usize, u32>,
}

/// Loads what the platform holds at the start: lists from a year before, bills of their own day.
pub(crate) fn load(org: &mut Organization, world: &World) {
    let start = world.today.saturating_sub(400.days());
    let mut places = Places::default();
    if let Some(root) = world.subsidiaries.get(world.platform.subsidiary) {
        org.name = root.name.clone();
    }
    from(org, start);
    accounts(org, world, &mut places);
    dimensions(org, world, &mut places);
    bank(org, world, &places);
    for term in &world.terms {
        let stamp = org.stamp();
        let fields = Json::object([
            ("name", term.name.as_str().into()),
            ("daysDue", term.days.into()),
        ]);
        org.terms.push(fields, stamp);
    }
    for index in &world.platform.vendors {
        let place = vendors::create(org, vendor(&world.vendors[*index]));
        places.vendors.insert(*index, place);
        if world.vendors[*index].inactive {
            vendors::archive(org, place, true);
        }
    }
    load_bills(org, world, &places);
    org.loading = None;
}

fn from(org: &mut Organization, day: Date) {
    let at = day
        .to_datetime(jiff::civil::time(12, 0, 0, 0))
        .to_zoned(TimeZone::UTC);
    let now = org.now();
    org.loading = Some(at.map_or(now, |at| at.timestamp()).min(now));
}

fn accounts(org: &mut Organization, world: &World, places: &mut Places) {
    for index in &world.platform.accounts {
        let account = &world.accounts[*index];
        let parent = account
            .parent
            .and_then(|parent| places.accounts.get(&parent));
        let parent = parent.map(|place| org.ids.text(Kind::Account, *place));
        let fields = account_fields(&account.number, &account.name, &account.kind, parent);
        let place = classifications::create(org, Kind::Account, fields);
        places.accounts.insert(*index, place);
        if account.inactive {
            classifications::archive(org, Kind::Account, place, true);
        }
    }
    for (number, name, kind) in &world.platform.own_accounts {
        classifications::create(org, Kind::Account, account_fields(number, name, kind, None));
    }
}

fn account_fields(number: &str, name: &str, kind: &str, parent: Option<String>) -> Json {
    let account = Json::object([
        ("type", account_type(kind).into()),
        (
            "number",
            Some(number).filter(|number| !number.is_empty()).into(),
        ),
    ]);
    Json::object([
        ("name", name.into()),
        ("parentId", parent.into()),
        ("account", account),
    ])
}

/// The platform's word for a ledger's account type.
fn account_type(kind: &str) -> &'static str {
    match kind {
        "Bank" => "BANK",
        "AcctPay" => "ACCOUNTS_PAYABLE",
        "AcctRec" => "ACCOUNTS_RECEIVABLE",
        "COGS" => "COST_OF_GOODS_SOLD",
        "CredCard" => "CREDIT_CARD",
        "Equity" => "EQUITY",
        "Expense" => "EXPENSE",
        "FixedAsset" => "FIXED_ASSET",
        "Income" => "INCOME",
        "LongTermLiab" => "LONG_TERM_LIABILITY",
        "OthAsset" => "OTHER_ASSET",
        "OthCurrAsset" | "DeferExpense" => "OTHER_CURRENT_ASSET",
        "OthCurrLiab" | "DeferRevenue" => "OTHER_CURRENT_LIABILITY",
        "OthExpense" => "OTHER_EXPENSE",
        "OthIncome" => "OTHER_INCOME",
        "NonPosting" | "Stat" => "NON_POSTING",
        _ => "UNSPECIFIED",
    }
}

fn dimension_kind(axis: Axis) -> Kind {
    match axis {
        Axis::Department => Kind::Department,
        Axis::Class => Kind::Class,
        Axis::Location => Kind::Location,
    }
}

fn dimensions(org: &mut Organization, world: &World, places: &mut Places) {
    for index in &world.platform.dimensions {
        let dimension = &world.dimensions[*index];
        let kind = dimension_kind(dimension.axis);
        let parent = dimension
            .parent
            .and_then(|parent| places.dimensions.get(&parent));
        let parent = parent.map(|place| org.ids.text(kind, *place));
        let fields = Json::object([
            ("name", dimension.name.as_str().into()),
            ("parentId", parent.into()),
        ]);
        let place = classifications::create(org, kind, fields);
        places.dimensions.insert(*index, place);
        if dimension.inactive {
            classifications::archive(org, kind, place, true);
        }
    }
}

/// One verified bank account, tied to its account of the ledger where the platform has that.
fn bank(org: &mut Organization, world: &World, places: &Places) {
    let account = world
        .platform
        .bank_account
        .and_then(|index| places.accounts.get(&index));
    let account = account.map(|place| org.ids.text(Kind::Account, *place));
    let stamp = org.stamp();
    let fields = Json::object([
        ("bankName", "Sandbox Bank".into()),
        ("nameOnAccount", org.name.as_str().into()),
        ("accountNumber", "000000004321".into()),
        ("routingNumber", "000000000".into()),
        ("type", "CHECKING".into()),
        ("ownerType", "BUSINESS".into()),
        ("status", "VERIFIED".into()),
        ("chartOfAccountId", account.into()),
    ]);
    org.funding.banks.push(fields, stamp);
}

fn vendor(vendor: &world::Vendor) -> Json {
    let address = vendor.address.as_ref().map(|address| {
        Json::object([
            ("line1", address.line1.as_str().into()),
            ("line2", address.line2.as_deref().into()),
            ("city", address.city.as_str().into()),
            ("stateOrProvince", address.state.as_str().into()),
            ("zipOrPostalCode", address.zip.as_str().into()),
            ("country", address.country.as_str().into()),
        ])
    });
    let kind = if vendor.person.is_some() {
        "PERSON"
    } else {
        "BUSINESS"
    };
    Json::object([
        (
            "name",
            vendor.name.chars().take(100).collect::<String>().into(),
        ),
        ("accountType", kind.into()),
        ("accountNumber", vendor.account_number.as_deref().into()),
        ("email", vendor.email.as_deref().into()),
        ("phone", vendor.phone.as_deref().into()),
        ("address", address.into()),
        ("billCurrency", vendor.currency.code().into()),
    ])
}

fn load_bills(org: &mut Organization, world: &World, places: &Places) {
    let mut dated: Vec<(Date, Bill)> = Vec::new();
    for index in &world.platform.bills {
        let bill = &world.bills[*index];
        let Some(vendor) = places.vendors.get(&bill.vendor) else {
            continue;
        };
        let lines: Vec<Line> = bill
            .lines
            .iter()
            .map(|line| known_line(line, places, world))
            .collect();
        let total: Decimal = lines.iter().map(|line| line.amount).sum();
        // A bill of the platform is never negative: the ledger's is a vendor credit there.
        if total >= Decimal::ZERO {
            let number = bill.number.as_str();
            dated.push((
                bill.date,
                typed(*vendor, number, (bill.date, bill.due), lines),
            ));
        }
    }
    for (vendor, number, date, amount, account) in &world.platform.own_bills {
        let Some(vendor) = places.vendors.get(vendor) else {
            continue;
        };
        let coding = places
            .accounts
            .get(account)
            .map_or(Coding::default(), |p| Coding::account(*p));
        let due = date.saturating_add(30.days());
        let lines = vec![plain_line(*amount, coding)];
        dated.push((*date, typed(*vendor, number, (*date, due), lines)));
    }
    dated.sort_by_key(|(date, _)| *date);
    for (date, bill) in dated {
        from(org, date);
        bills::create(org, bill);
    }
}

fn known_line(line: &world::Line, places: &Places, world: &World) -> Line {
    let mut coding = places
        .accounts
        .get(&line.account)
        .map_or(Coding::default(), |p| Coding::account(*p));
    for index in [line.department, line.class, line.location]
        .into_iter()
        .flatten()
    {
        if let Some(place) = places.dimensions.get(&index) {
            coding = coding.with(dimension_kind(world.dimensions[index].axis), *place);
        }
    }
    let description = line.memo.as_deref().map(Into::into);
    Line {
        description,
        ..plain_line(line.amount, coding)
    }
}

/// A line of nothing but an amount and its coding.
pub(crate) fn plain_line(amount: Decimal, coding: Coding) -> Line {
    Line {
        id: u32::MAX,
        amount,
        quantity: None,
        price: None,
        description: None,
        coding,
    }
}

/// A bill as a person types it in.
pub(crate) fn typed(
    vendor: u32,
    number: &str,
    (date, due): (Date, Date),
    lines: Vec<Line>,
) -> Bill {
    Bill {
        vendor,
        number: number.into(),
        invoice_date: date,
        due_date: due,
        lines,
        description: None,
        purchase_order: None,
        pay_from: None,
        coding: Coding::default(),
        credits: Vec::new(),
        payments: Vec::new(),
        approval: "UNASSIGNED",
    }
}
