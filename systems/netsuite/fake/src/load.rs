//! Loads a [`World`] into the tables.
//!
//! Lists get ids from 1 in the world's order (subsidiary 1 is the root), entities from 1001, transactions
//! from 4001; receivables come after the payables. A net-negative bill becomes a vendor credit: NetSuite takes no negative bills.

mod documents;
mod lists;
mod receivables;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, params};
use rust_decimal::Decimal;
use tieout_kit::fake::world::{self, World};

use crate::ledger::{AddressIn, BillKind, EntityIn, EntityKind, LedgerError, entity};
use crate::schema::stamp;

/// The first id of an entity, less one.
const BEFORE_ENTITIES: i64 = 1000;
/// The first id of a transaction, less one.
const BEFORE_TRANSACTIONS: i64 = 4000;

/// Fills the empty tables made by [`schema::create`](crate::schema::create). A seeded record was last
/// modified on its own date, so that a year of history isn't all "modified now".
///
/// # Errors
/// When SQLite fails, or an amount is too large to be stored.
pub(crate) fn load(
    connection: &mut Connection,
    world: &World,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let transaction = connection.transaction()?;
    let zone = TimeZone::get(&world.time_zone).unwrap_or(TimeZone::UTC);
    let mut loader = Loader {
        connection: &transaction,
        world,
        now,
        zone,
        periods: Vec::new(),
        dimensions: Vec::new(),
        loaded: Vec::new(),
        last_transaction: BEFORE_TRANSACTIONS,
    };
    loader.lists()?;
    loader.vendors()?;
    loader.bills()?;
    loader.credits()?;
    loader.payments()?;
    loader.receivables()?;
    loader.finish()?;
    transaction.commit()?;
    Ok(())
}

/// A bill of the world as it was booked.
#[derive(Clone, Copy)]
struct Loaded {
    id: i64,
    kind: BillKind,
    date: Date,
    rate: Decimal,
}

struct Loader<'a> {
    connection: &'a Connection,
    world: &'a World,
    now: Timestamp,
    zone: TimeZone,
    /// First day, last day, id.
    periods: Vec<(Date, Date, i64)>,
    /// Ids of the world's dimensions, each in its own table.
    dimensions: Vec<i64>,
    loaded: Vec<Loaded>,
    last_transaction: i64,
}

/// The id of the world's nth record of a list.
fn id(position: usize) -> i64 {
    i64::try_from(position + 1).unwrap_or(i64::MAX)
}

fn vendor_id(position: usize) -> i64 {
    BEFORE_ENTITIES + id(position)
}

impl Loader<'_> {
    /// A time on that day, never after now.
    fn at(&self, date: Date, spread: usize) -> String {
        let minutes = i64::try_from(spread * 7 % 480).unwrap_or(0);
        let morning = date.at(9, 0, 0, 0);
        let moment = morning
            .checked_add(jiff::SignedDuration::from_mins(minutes))
            .unwrap_or(morning);
        let zoned = self.zone.to_ambiguous_zoned(moment).compatible();
        stamp(
            zoned
                .map_or(self.now, |zoned| zoned.timestamp())
                .min(self.now),
        )
    }

    /// When the lists were made: before everything else.
    fn beginning(&self) -> Date {
        self.world.today.saturating_sub(jiff::Span::new().days(400))
    }

    fn currency(&self, currency: world::Currency) -> i64 {
        self.world
            .currencies
            .iter()
            .position(|known| *known == currency)
            .map_or(1, id)
    }

    fn subsidiary(&self, position: usize) -> Option<i64> {
        self.world.one_world.then(|| id(position))
    }

    fn lists(&mut self) -> Result<(), LedgerError> {
        self.currencies()?;
        self.subsidiaries()?;
        self.periods()?;
        self.accounts()?;
        self.dimensions()?;
        self.terms_and_items()?;
        self.setup()
    }

    fn vendors(&self) -> Result<(), LedgerError> {
        let mut categories: Vec<&str> = Vec::new();
        for (position, vendor) in self.world.vendors.iter().enumerate() {
            let category = match categories
                .iter()
                .position(|known| *known == vendor.category)
            {
                Some(found) => id(found),
                None => {
                    categories.push(&vendor.category);
                    let new = id(categories.len() - 1);
                    self.connection.execute(
                        "INSERT INTO vendorcategory (id, name, isinactive) VALUES (?1, ?2, 'F')",
                        params![new, vendor.category],
                    )?;
                    new
                }
            };
            let made = self.at(self.beginning(), position);
            let vendor = self.vendor(vendor, category);
            entity::write(self.connection, vendor_id(position), &vendor, &made, &made)?;
        }
        Ok(())
    }

    fn vendor(&self, vendor: &world::Vendor, category: i64) -> EntityIn {
        EntityIn {
            entity_id: Some(vendor.number.clone()),
            company_name: vendor.person.is_none().then(|| vendor.name.clone()),
            legal_name: vendor.person.is_none().then(|| vendor.name.clone()),
            is_person: vendor.person.is_some(),
            first_name: vendor.person.as_ref().map(|(first, _)| first.clone()),
            last_name: vendor.person.as_ref().map(|(_, last)| last.clone()),
            email: vendor.email.clone(),
            phone: vendor.phone.clone(),
            account_number: vendor.account_number.clone(),
            terms: vendor.terms.map(id),
            currency: Some(self.currency(vendor.currency)),
            category: Some(category),
            subsidiaries: self.subsidiaries_of(&vendor.subsidiaries),
            inactive: vendor.inactive,
            give_access: vendor.login_access,
            addresses: addresses(&vendor.name, vendor.address.as_ref()),
            ..EntityIn::blank(EntityKind::Vendor)
        }
    }

    fn subsidiaries_of(&self, positions: &[usize]) -> Vec<i64> {
        if self.world.one_world {
            positions.iter().copied().map(id).collect()
        } else {
            Vec::new()
        }
    }
}

/// An address book of one address, or none.
fn addresses(addressee: &str, address: Option<&world::Address>) -> Vec<AddressIn> {
    let entry = |address: &world::Address| AddressIn {
        default_billing: true,
        default_shipping: true,
        addressee: Some(addressee.to_owned()),
        line1: Some(address.line1.clone()),
        line2: address.line2.clone(),
        city: Some(address.city.clone()),
        state: Some(address.state.clone()),
        zip: Some(address.zip.clone()),
        country: Some(address.country.clone()),
        label: Some(address.line1.clone()),
        ..AddressIn::default()
    };
    address.map(entry).into_iter().collect()
}

/// `Parent : Child`, up to the top.
fn full_name<'w>(position: usize, record: impl Fn(usize) -> (&'w str, Option<usize>)) -> String {
    let mut names = Vec::new();
    let mut next = Some(position);
    while let Some(at) = next {
        let (name, parent) = record(at);
        names.push(name);
        // A parent comes before its children: anything else would run in circles.
        next = parent.filter(|parent| *parent < at);
    }
    names.reverse();
    names.join(" : ")
}

fn currency_name(code: &str) -> &str {
    match code {
        "USD" => "US Dollar",
        "CAD" => "Canadian Dollar",
        "EUR" => "Euro",
        "GBP" => "British Pound",
        other => other,
    }
}
