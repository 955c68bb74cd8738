//! From a world to the account's first objects: what began on this service.

use std::collections::HashMap;

use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use tieout_kit::fake::world::World;
use tieout_kit::fake::world::collector::{Customer, Invoice};

use crate::account::Account;
use crate::json::Json;
use crate::{customers, invoices};

/// Loads what the service holds at the start.
pub(crate) fn load(account: &mut Account, world: &World) {
    let now = account.now();
    let mut made = HashMap::new();
    let first = world.pay_page.invoices.first().map(|invoice| invoice.date);
    // What the generator makes is always accepted.
    for (index, customer) in world.pay_page.customers.iter().enumerate() {
        account.as_of = first.map(|day| noon(day).min(now));
        if let Ok(id) = customers::create(account, &fields(customer)) {
            made.insert(index, id);
        }
    }
    for invoice in &world.pay_page.invoices {
        if let Some(customer) = made.get(&invoice.customer) {
            account.as_of = Some(noon(invoice.date).min(now));
            drop(invoices::create(account, &document(invoice, customer)));
        }
    }
    account.as_of = None;
}

fn fields(customer: &Customer) -> Json {
    let address = customer.address.as_ref();
    let line2 = address.and_then(|one| one.line2.as_deref());
    Json::object([
        ("name", customer.name.as_str().into()),
        ("email", customer.email.as_deref().into()),
        (
            "street_address",
            address.map(|one| one.line1.as_str()).into(),
        ),
        ("sub_premise", line2.into()),
        ("city", address.map(|one| one.city.as_str()).into()),
        ("state", address.map(|one| one.state.as_str()).into()),
        ("postal_code", address.map(|one| one.zip.as_str()).into()),
        ("country", address.map(|one| one.country.as_str()).into()),
    ])
}

fn document(invoice: &Invoice, customer: &str) -> Json {
    let lines = invoice.lines.iter().map(|line| {
        let amount: Decimal = line.quantity * line.unit_price;
        Json::object([
            ("description", line.name.as_str().into()),
            ("quantity", line.quantity.into()),
            ("amount", amount.into()),
        ])
    });
    Json::object([
        ("customer_id", customer.into()),
        ("currency", "USD".into()),
        ("due_date", invoice.due.into()),
        ("invoice_number", invoice.number.as_str().into()),
        ("line_items", lines.collect::<Vec<_>>().into()),
    ])
}

/// Noon of a day.
fn noon(day: Date) -> jiff::Timestamp {
    let noon = day.to_datetime(time(12, 0, 0, 0)).to_zoned(TimeZone::UTC);
    noon.map_or(jiff::Timestamp::UNIX_EPOCH, |at| at.timestamp())
}
