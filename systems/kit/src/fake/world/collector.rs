//! What began on the platform that collects receivables: customers, and invoices that the ledger doesn't know.
//!
//! Some of the customers are in the ledger too, under the same name and no other tie.

use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::draw::{Dice, money};
use super::generate::Shape;
use super::names::{self, HARD};
use super::{Address, Currency, World};

/// One invoice in so many began on the platform that collects, beside those that began in the ledger.
const ON_COLLECTOR: usize = 5;
/// The ledger's first customers are particular: those after them may be on the platform too.
const PARTICULAR: usize = 8;

/// What is sold: name, and the price of one.
const GOODS: [(&str, i64); 6] = [
    ("Consulting hour", 18_500),
    ("Support plan", 49_900),
    ("Sensor", 8_995),
    ("Cable, 5 m", 1_249),
    ("Installation", 120_000),
    ("Training day", 95_000),
];

/// A customer. References to it are indices into [`Collector::customers`].
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Its name. Not unique.
    pub name: String,
    /// Whether it is a person.
    pub person: bool,
    /// E-mail address (always under example.com, .net or .org).
    pub email: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Address.
    pub address: Option<Address>,
    /// Index into [`World::terms`].
    pub terms: Option<usize>,
    /// Currency.
    pub currency: Currency,
}

/// An invoice to a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Invoice {
    /// Customer.
    pub customer: usize,
    /// Its number.
    pub number: String,
    /// Its date.
    pub date: Date,
    /// When it is due.
    pub due: Date,
    /// Not issued yet: not in accounts receivable.
    pub draft: bool,
    /// Lines: at least one.
    pub lines: Vec<SaleLine>,
    /// Tax, over the sum of its lines.
    pub tax: Decimal,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct SaleLine {
    /// What is sold.
    pub name: String,
    /// How much of it.
    pub quantity: Decimal,
    /// The price of one.
    pub unit_price: Decimal,
}

/// What the platform that collects receivables holds at the start, because it began there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collector {
    /// Customers. The ledger may know them too.
    pub customers: Vec<Customer>,
    /// Invoices, in the order of their dates. The ledger doesn't know them.
    pub invoices: Vec<Invoice>,
}

/// Adds what began on the platform. Draws nothing that anything else draws.
pub(super) fn add(world: &mut World, shape: &Shape) {
    let mut dice = Dice::new(shape.seed, 31);
    let (customers, invoices) = (shape.customers, shape.invoices);
    let mut collector = Collector::default();
    for index in 0..customers.div_ceil(ON_COLLECTOR) {
        let customer = customer(world, index, &mut dice);
        collector.customers.push(customer);
    }
    if collector.customers.is_empty() {
        return;
    }
    let mut ages: Vec<i64> = (0..invoices / ON_COLLECTOR)
        .map(|_| i64::try_from(dice.below(180)).unwrap_or(0))
        .collect();
    ages.sort_unstable_by(|a, b| b.cmp(a));
    for (index, age) in ages.into_iter().enumerate() {
        let date = world.today.saturating_sub(age.days());
        let invoice = invoice(world, &collector.customers, (index, date), &mut dice);
        collector.invoices.push(invoice);
    }
    world.collector = collector;
}

fn customer(world: &World, index: usize, dice: &mut Dice) -> Customer {
    let person = dice.per_mille(60);
    let known = world.receivables.customers.get(PARTICULAR + index);
    // Every other one is the ledger's too; names from real ledgers, as among the vendors.
    let name = match known.filter(|_| index.is_multiple_of(2)) {
        Some(known) => known.name.clone(),
        None if index % 7 == 5 => HARD[(index / 7) % HARD.len()].to_owned(),
        None if person => {
            let (first, last) = names::person(dice);
            format!("{first} {last}")
        }
        None => names::company(dice),
    };
    let (address, phone) = names::place(dice);
    Customer {
        name,
        person,
        email: (!dice.per_mille(80)).then(|| format!("ap.c{index:05}@example.com")),
        phone: (!dice.per_mille(300)).then_some(phone),
        address: (!dice.per_mille(50)).then_some(address),
        terms: (!world.terms.is_empty()).then(|| dice.below(world.terms.len())),
        currency: Currency::USD,
    }
}

fn invoice(
    world: &World,
    customers: &[Customer],
    (index, date): (usize, Date),
    dice: &mut Dice,
) -> Invoice {
    let customer = dice.below(customers.len());
    let terms = customers[customer].terms;
    let days = terms.map_or(30, |index| world.terms[index].days);
    let count = dice.one_and_more(500, 8);
    let lines: Vec<SaleLine> = (0..count).map(|_| line(dice)).collect();
    let cents: Decimal = lines.iter().map(|one| one.quantity * one.unit_price).sum();
    let taxed = dice.per_mille(400);
    let tax = if taxed {
        (cents * Decimal::new(8, 2)).round_dp(2)
    } else {
        Decimal::ZERO
    };
    Invoice {
        customer,
        number: format!("SI-{:06}", 1000 + index),
        date,
        due: date.saturating_add(i64::from(days).days()),
        draft: index % 8 == 7,
        lines,
        tax,
    }
}

fn line(dice: &mut Dice) -> SaleLine {
    let (name, price) = GOODS[dice.below(GOODS.len())];
    SaleLine {
        name: name.to_owned(),
        quantity: Decimal::from(1 + dice.below(12)),
        unit_price: money(price),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::generate::generate;
    use super::*;

    fn sold(customers: usize, invoices: usize) -> World {
        generate(&Shape {
            customers,
            invoices,
            ..Shape::new(date(2026, 7, 1))
        })
    }

    #[test]
    fn one_invoice_in_five_began_on_the_collector_beside_the_ledger_s() {
        let world = sold(40, 120);
        let collector = &world.collector;
        assert_eq!(
            (collector.customers.len(), collector.invoices.len()),
            (8, 24)
        );
        let known = &world.receivables.customers;
        let same = |one: &&Customer| known.iter().any(|known| known.name == one.name);
        let same = collector.customers.iter().filter(same).count();
        assert!((4..8).contains(&same));
        assert!(collector.invoices.iter().any(|one| one.draft));
        assert!(collector.invoices.iter().any(|one| !one.draft));
        let mut dates = collector.invoices.windows(2);
        assert!(dates.all(|pair| pair[0].date <= pair[1].date));
        assert!(collector.invoices.iter().all(|one| one.due >= one.date));
    }

    #[test]
    fn nothing_begins_there_where_nothing_is_sold_and_the_payables_stay_the_same() {
        let (none, some) = (sold(0, 0), sold(10, 7));
        assert_eq!(none.collector, Collector::default());
        assert_eq!(none.bills, some.bills);
    }
}
