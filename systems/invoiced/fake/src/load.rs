//! From a world to the account's first objects: what began on this service.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tieout_kit::fake::world::World;
use tieout_kit::fake::world::collector::{Customer, Invoice, SaleLine};

use crate::account::Account;
use crate::json::Json;
use crate::kind::Kind;
use crate::{catalog, customers, issuing, life};

/// Loads what the service holds at the start. Nothing is told of it, mailed or charged.
pub(crate) fn load(account: &mut Account, world: &World) {
    let zone = TimeZone::get(&world.time_zone).unwrap_or(TimeZone::UTC);
    let now = account.time();
    account.loading = Some(now);
    items(account, world);
    let mut places = HashMap::new();
    for (index, customer) in world.collector.customers.iter().enumerate() {
        // What the generator makes is always accepted.
        if let Ok(place) = customers::create(account, &fields(world, customer)) {
            places.insert(index, place);
        }
    }
    for invoice in &world.collector.invoices {
        if let Some(customer) = places.get(&invoice.customer) {
            let date = noon(invoice.date, &zone).min(now);
            account.loading = Some(date);
            let body = document(invoice, *customer, &zone);
            drop(issuing::invoice(account, &body));
        }
    }
    account.loading = Some(now);
    life::catch_up(account);
    account.loading = None;
}

fn items(account: &mut Account, world: &World) {
    let mut names: Vec<&SaleLine> = Vec::new();
    for line in world
        .collector
        .invoices
        .iter()
        .flat_map(|invoice| &invoice.lines)
    {
        if names.iter().all(|known| known.name != line.name) {
            names.push(line);
        }
    }
    for line in names {
        let item = Json::object([
            ("id", slug(&line.name).into()),
            ("name", line.name.as_str().into()),
            ("unit_cost", line.unit_price.into()),
        ]);
        drop(catalog::create(account, Kind::Item, &item));
    }
}

/// An item's identifier from its name.
fn slug(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    name.chars().map(plain).collect()
}

fn fields(world: &World, customer: &Customer) -> Json {
    let address = customer.address.as_ref();
    let terms = customer.terms.and_then(|index| world.terms.get(index));
    Json::object([
        ("name", customer.name.as_str().into()),
        (
            "type",
            if customer.person { "person" } else { "company" }.into(),
        ),
        ("email", customer.email.as_deref().into()),
        ("phone", customer.phone.as_deref().into()),
        ("address1", address.map(|one| one.line1.as_str()).into()),
        (
            "address2",
            address.and_then(|one| one.line2.as_deref()).into(),
        ),
        ("city", address.map(|one| one.city.as_str()).into()),
        ("state", address.map(|one| one.state.as_str()).into()),
        ("postal_code", address.map(|one| one.zip.as_str()).into()),
        ("country", address.map(|one| one.country.as_str()).into()),
        (
            "payment_terms",
            terms.map(|one| format!("NET {}", one.days)).into(),
        ),
        (
            "currency",
            customer.currency.code().to_ascii_lowercase().into(),
        ),
    ])
}

fn document(invoice: &Invoice, customer: i64, zone: &TimeZone) -> Json {
    let lines = invoice.lines.iter().map(|line| {
        Json::object([
            ("catalog_item", slug(&line.name).into()),
            ("quantity", line.quantity.into()),
            ("unit_cost", line.unit_price.into()),
        ])
    });
    let tax = Json::object([("amount", invoice.tax.into())]);
    let taxes = if invoice.tax.is_zero() {
        Vec::new()
    } else {
        vec![tax]
    };
    Json::object([
        ("customer", customer.into()),
        ("date", noon(invoice.date, zone).as_second().into()),
        ("due_date", noon(invoice.due, zone).as_second().into()),
        ("draft", invoice.draft.into()),
        ("items", lines.collect::<Vec<_>>().into()),
        ("taxes", taxes.into()),
        ("calculate_taxes", false.into()),
    ])
}

/// Noon of a day of the company's.
fn noon(day: Date, zone: &TimeZone) -> Timestamp {
    let noon = day.to_datetime(jiff::civil::time(12, 0, 0, 0));
    let at = noon.to_zoned(zone.clone());
    at.map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp())
}
