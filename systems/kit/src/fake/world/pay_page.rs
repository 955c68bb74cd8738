//! What began on the platform where customers pay: customers, and invoices that the ledger doesn't know.
//!
//! Some of the customers are in the ledger too, under the same name and no other tie. None of the invoices is.

use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::collector::{Customer, Invoice, SaleLine};
use super::draw::{Dice, money};
use super::generate::Shape;
use super::{Currency, World, names};

/// One customer and one invoice in so many began there, beside those that began in the ledger.
const ON_PAY_PAGE: usize = 10;
/// The ledger's first customers are particular, and those after them are the collector's: later ones may be here too.
const ELSEWHERE: usize = 16;
/// Days until an invoice is due.
const DAYS_TO_PAY: i64 = 30;

/// What is billed there: name, and the price of one in cents.
const FEES: [(&str, i64); 4] = [
    ("Call-out", 12_000),
    ("Remote support, hour", 9_500),
    ("Rush handling", 4_550),
    ("Replacement part", 6_725),
];

/// What the platform where customers pay holds at the start, because it began there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PayPage {
    /// Customers. The ledger may know them too.
    pub customers: Vec<Customer>,
    /// Invoices, in the order of their dates, in whole quantities and without tax. The ledger doesn't know them.
    pub invoices: Vec<Invoice>,
}

/// Adds what began on the platform. Draws nothing that anything else draws.
pub(super) fn add(world: &mut World, shape: &Shape) {
    let mut dice = Dice::new(shape.seed, 32);
    let count = shape.customers.div_ceil(ON_PAY_PAGE);
    let customers: Vec<Customer> = (0..count)
        .map(|index| customer(world, index, &mut dice))
        .collect();
    if customers.is_empty() {
        return;
    }
    let mut ages: Vec<i64> = (0..shape.invoices / ON_PAY_PAGE)
        .map(|_| i64::try_from(dice.below(90)).unwrap_or(0))
        .collect();
    ages.sort_unstable_by(|a, b| b.cmp(a));
    let mut invoices = Vec::new();
    for (index, age) in ages.into_iter().enumerate() {
        let date = world.today.saturating_sub(age.days());
        let customer = dice.below(customers.len());
        invoices.push(invoice(customer, (index, date), &mut dice));
    }
    world.pay_page = PayPage {
        customers,
        invoices,
    };
}

fn customer(world: &World, index: usize, dice: &mut Dice) -> Customer {
    let known = world.receivables.customers.get(ELSEWHERE + index);
    let drawn = names::company(dice);
    // Every other one is the ledger's too.
    let known = known.filter(|_| index.is_multiple_of(2));
    let (address, phone) = names::place(dice);
    Customer {
        name: known.map_or(drawn, |known| known.name.clone()),
        person: false,
        email: Some(format!("pay.c{index:05}@example.com")),
        phone: Some(phone),
        address: (!dice.per_mille(200)).then_some(address),
        terms: None,
        currency: Currency::USD,
    }
}

fn invoice(customer: usize, (index, date): (usize, Date), dice: &mut Dice) -> Invoice {
    let count = dice.one_and_more(300, 4);
    Invoice {
        customer,
        number: format!("AP-{:05}", 100 + index),
        date,
        due: date.saturating_add(DAYS_TO_PAY.days()),
        draft: false,
        lines: (0..count).map(|_| line(dice)).collect(),
        tax: Decimal::ZERO,
    }
}

fn line(dice: &mut Dice) -> SaleLine {
    let (name, price) = FEES[dice.below(FEES.len())];
    SaleLine {
        name: name.to_owned(),
        quantity: Decimal::from(1 + dice.below(5)),
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
    fn one_invoice_in_ten_began_on_the_pay_page_and_none_is_the_ledger_s() {
        let world = sold(40, 120);
        let page = &world.pay_page;
        assert_eq!((page.customers.len(), page.invoices.len()), (4, 12));
        let known = &world.receivables.customers;
        let same = |one: &&Customer| known.iter().any(|known| known.name == one.name);
        let same = page.customers.iter().filter(same).count();
        assert!((2..4).contains(&same));
        let theirs = &world.receivables.invoices;
        let is_theirs = |one: &Invoice| theirs.iter().any(|known| known.number == one.number);
        assert!(!page.invoices.iter().any(is_theirs));
        let mut dates = page.invoices.windows(2);
        assert!(dates.all(|pair| pair[0].date <= pair[1].date));
    }

    #[test]
    fn nothing_begins_there_where_nothing_is_sold() {
        assert_eq!(sold(0, 0).pay_page, PayPage::default());
    }
}
