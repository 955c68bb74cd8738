//! What the company sells: customers and their invoices, and which of both began on the platform that collects.

use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::draw::{Dice, money};
use super::generate::Shape;
use super::names::{self, HARD};
use super::{Address, Currency, World};

/// The first invoice in so many began on the platform that collects; the others began in the ledger.
const ON_COLLECTOR: usize = 5;

/// What is sold: name, and the price of one.
const GOODS: [(&str, i64); 6] = [
    ("Consulting hour", 18_500),
    ("Support plan", 49_900),
    ("Sensor", 8_995),
    ("Cable, 5 m", 1_249),
    ("Installation", 120_000),
    ("Training day", 95_000),
];

/// A customer. References to it are indices into [`World::customers`].
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Its number in the ledger (entity id), unique.
    pub number: String,
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

/// An invoice to a customer. References to it are indices into [`World::invoices`].
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collector {
    /// Customers. The ledger may know them too.
    pub customers: Vec<usize>,
    /// Invoices. The ledger doesn't know them.
    pub invoices: Vec<usize>,
}

/// Adds the customers and invoices of a shape. Draws nothing that anything else draws.
pub(super) fn add(world: &mut World, shape: &Shape) {
    let mut dice = Dice::new(shape.seed, 31);
    for index in 0..shape.customers {
        let customer = customer(world, index, &mut dice);
        world.customers.push(customer);
    }
    if world.customers.is_empty() {
        return;
    }
    let mut ages: Vec<i64> = (0..shape.invoices)
        .map(|_| i64::try_from(dice.below(180)).unwrap_or(0))
        .collect();
    ages.sort_unstable_by(|a, b| b.cmp(a));
    for (index, age) in ages.into_iter().enumerate() {
        let date = world.today.saturating_sub(age.days());
        let invoice = invoice(world, index, date, &mut dice);
        if index.is_multiple_of(ON_COLLECTOR) {
            world.collector.invoices.push(index);
            world.collector.customers.push(invoice.customer);
        }
        world.invoices.push(invoice);
    }
    world.collector.customers.sort_unstable();
    world.collector.customers.dedup();
}

fn customer(world: &World, index: usize, dice: &mut Dice) -> Customer {
    let person = dice.per_mille(60);
    // A namesake early on, and names from real ledgers, as among the vendors.
    let name = match index {
        3 => world.customers[0].name.clone(),
        _ if index % 7 == 5 => HARD[(index / 7) % HARD.len()].to_owned(),
        _ if person => {
            let (first, last) = names::person(dice);
            format!("{first} {last}")
        }
        _ => names::company(dice),
    };
    let (address, phone) = names::place(dice);
    Customer {
        number: format!("C{:05}", index + 1),
        name,
        person,
        email: (!dice.per_mille(80)).then(|| format!("ap.c{index:05}@example.com")),
        phone: (!dice.per_mille(300)).then_some(phone),
        address: (!dice.per_mille(50)).then_some(address),
        terms: (!world.terms.is_empty()).then(|| dice.below(world.terms.len())),
        currency: Currency::USD,
    }
}

fn invoice(world: &World, index: usize, date: Date, dice: &mut Dice) -> Invoice {
    let customer = dice.below(world.customers.len());
    let terms = world.customers[customer].terms;
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
        draft: index > 0 && index.is_multiple_of(ON_COLLECTOR * 8),
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

    #[test]
    fn one_invoice_in_five_began_on_the_collector_with_its_customer() {
        let shape = Shape::new(date(2026, 7, 1));
        let world = generate(&shape);
        assert_eq!((world.customers.len(), world.invoices.len()), (40, 120));
        assert_eq!(world.collector.invoices.len(), 24);
        for index in &world.collector.invoices {
            let customer = world.invoices[*index].customer;
            assert!(world.collector.customers.contains(&customer));
        }
        let drafts = (0..120).filter(|index| world.invoices[*index].draft);
        assert!(
            drafts
                .into_iter()
                .all(|index| world.collector.invoices.contains(&index))
        );
        assert_eq!(world.customers[3].name, world.customers[0].name);
    }

    #[test]
    fn invoices_are_in_the_order_of_their_dates_and_the_payables_don_t_change_with_them() {
        let mut shape = Shape::new(date(2026, 7, 1));
        let world = generate(&shape);
        let dates = world.invoices.windows(2);
        assert!(dates.into_iter().all(|pair| pair[0].date <= pair[1].date));
        assert!(world.invoices.iter().all(|one| one.due >= one.date));
        shape.invoices = 7;
        assert_eq!(generate(&shape).bills, world.bills);
        shape.customers = 0;
        assert!(generate(&shape).invoices.is_empty());
    }
}
