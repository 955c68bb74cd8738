//! What a company sells: items, customers, and a year of invoices with what was paid and credited of them.
//!
//! All of it is drawn from chance of its own, after the payables: a world's payables are the same with
//! receivables and without.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::company::{BANK, SALES_TAX, a_year_before, canadian, days_after};
use super::draw::{Dice, money};
use super::generate::Shape;
use super::names::{self, HARD};
use super::{Address, Approval, Currency, World};

/// Number of the account that sales are booked to.
const SALES: &str = "4000";

/// What a company sells, to whom, and what of it is settled. References are indices into these lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Receivables {
    /// Items that are sold, and those that stand for discounts and taxes.
    pub items: Vec<SaleItem>,
    /// Customers, parents before children.
    pub customers: Vec<Customer>,
    /// Invoices, in the order of their dates.
    pub invoices: Vec<Invoice>,
    /// Credit memos.
    pub credit_memos: Vec<CreditMemo>,
    /// Payments by customers.
    pub payments: Vec<CustomerPayment>,
}

/// What sort of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaleItemKind {
    /// A thing that isn't kept in stock.
    NonInventory,
    /// A service.
    Service,
    /// A discount: its amounts are below zero.
    Discount,
    /// Another charge: a tax, freight.
    OtherCharge,
}

/// An item that is sold.
#[derive(Debug, Clone, PartialEq)]
pub struct SaleItem {
    /// Its name.
    pub name: String,
    /// What sort.
    pub kind: SaleItemKind,
    /// The account its sales are booked to: an index into [`World::accounts`].
    pub account: usize,
}

/// A customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Its number in the ledger (entity id), unique.
    pub number: String,
    /// Its name. Not unique.
    pub name: String,
    /// First and last name, for a person.
    pub person: Option<(String, String)>,
    /// E-mail address (always under example.com).
    pub email: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Billing address.
    pub address: Option<Address>,
    /// Index into [`World::terms`].
    pub terms: Option<usize>,
    /// Currency.
    pub currency: Currency,
    /// Subsidiaries it may be used in; the first is its primary one.
    pub subsidiaries: Vec<usize>,
    /// The customer it belongs to.
    pub parent: Option<usize>,
    /// Inactive.
    pub inactive: bool,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct Invoice {
    /// Customer.
    pub customer: usize,
    /// Subsidiary: an index into [`World::subsidiaries`].
    pub subsidiary: usize,
    /// Its number.
    pub number: String,
    /// Its date.
    pub date: Date,
    /// When it is due.
    pub due: Date,
    /// Currency.
    pub currency: Currency,
    /// Units of the subsidiary's currency for one unit of the invoice's.
    pub rate: Decimal,
    /// Approval.
    pub approval: Approval,
    /// Voided after it was booked.
    pub voided: bool,
    /// The customer's purchase order.
    pub purchase_order: Option<String>,
    /// Memo.
    pub memo: Option<String>,
    /// Lines: at least one. Their sum is the total, zero or more.
    pub lines: Vec<SaleLine>,
}

/// A line of an invoice or credit memo.
#[derive(Debug, Clone, PartialEq)]
pub struct SaleLine {
    /// Item.
    pub item: usize,
    /// How many.
    pub quantity: Decimal,
    /// What the line adds to the total: below zero for a discount.
    pub amount: Decimal,
    /// Description.
    pub description: Option<String>,
}

/// A credit memo.
#[derive(Debug, Clone, PartialEq)]
pub struct CreditMemo {
    /// Customer.
    pub customer: usize,
    /// Subsidiary.
    pub subsidiary: usize,
    /// Its number.
    pub number: String,
    /// Its date.
    pub date: Date,
    /// Currency.
    pub currency: Currency,
    /// Units of the subsidiary's currency for one unit of the credit's.
    pub rate: Decimal,
    /// Lines; their sum is the credit and positive.
    pub lines: Vec<SaleLine>,
    /// What of it is applied: invoice and amount.
    pub applied: Vec<(usize, Decimal)>,
}

/// A payment by a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerPayment {
    /// Customer.
    pub customer: usize,
    /// Subsidiary.
    pub subsidiary: usize,
    /// Check number, if it was a check.
    pub check_number: Option<String>,
    /// Its date.
    pub date: Date,
    /// Currency.
    pub currency: Currency,
    /// Units of the subsidiary's currency for one unit of the payment's.
    pub rate: Decimal,
    /// The account it went to; `None` while it lies in undeposited funds.
    pub account: Option<usize>,
    /// Cash: what is applied, and what of it is kept on account.
    pub total: Decimal,
    /// Invoices and amounts.
    pub applied: Vec<(usize, Decimal)>,
}

/// The sum of lines.
#[must_use]
pub fn total(lines: &[SaleLine]) -> Decimal {
    lines.iter().map(|line| line.amount).sum()
}

/// Items and their sorts.
const ITEMS: [(&str, SaleItemKind); 8] = [
    ("Widget, green", SaleItemKind::NonInventory),
    ("Bracket kit", SaleItemKind::NonInventory),
    ("Consulting hour", SaleItemKind::Service),
    ("Maintenance, monthly", SaleItemKind::Service),
    ("Freight to customer", SaleItemKind::OtherCharge),
    ("Sales tax", SaleItemKind::OtherCharge),
    ("Discount", SaleItemKind::Discount),
    (
        "Support plan & \u{201c}extras\u{201d}",
        SaleItemKind::Service,
    ),
];
/// How many of the items are sold as they are.
const PLAIN: usize = 4;
const TAX: usize = 5;
const DISCOUNT: usize = 6;

/// The customers that every world of ten has, by index.
mod role {
    /// Pays in the second currency, in the paying subsidiary.
    pub(super) const FOREIGN: usize = 1;
    /// Inactive, with an open invoice.
    pub(super) const INACTIVE: usize = 2;
    /// A person.
    pub(super) const PERSON: usize = 3;
    /// Has the first customer's name.
    pub(super) const NAMESAKE: usize = 4;
    /// Belongs to the first customer.
    pub(super) const CHILD: usize = 5;
    /// Used in every subsidiary.
    pub(super) const SHARED: usize = 6;
    /// Has no invoices.
    pub(super) const IDLE: usize = 7;
    /// How many there are, the first included.
    pub(super) const COUNT: usize = 8;
}

/// What is particular about an invoice; the most recent ones of a world have each of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feature {
    Pending,
    Rejected,
    Voided,
    PartlyPaid,
    Paid,
    Undeposited,
    OverPaid,
    Credited,
    PartlyCredited,
    Discount,
    Tax,
    Cent,
    Long,
    Zero,
    PurchaseOrder,
    Foreign,
    InactiveCustomer,
    Child,
}

const FEATURES: [Feature; 18] = [
    Feature::Pending,
    Feature::Rejected,
    Feature::Voided,
    Feature::PartlyPaid,
    Feature::Paid,
    Feature::Undeposited,
    Feature::OverPaid,
    Feature::Credited,
    Feature::PartlyCredited,
    Feature::Discount,
    Feature::Tax,
    Feature::Cent,
    Feature::Long,
    Feature::Zero,
    Feature::PurchaseOrder,
    Feature::Foreign,
    Feature::InactiveCustomer,
    Feature::Child,
];
/// How often the features return among older invoices.
const FEATURE_CYCLE: usize = 250;

fn feature(index: usize, invoices: usize) -> Option<Feature> {
    let rank = invoices.checked_sub(1 + index)? % FEATURE_CYCLE;
    (rank % 2 == 1)
        .then(|| FEATURES.get(rank / 2).copied())
        .flatten()
}

/// Adds receivables to a furnished world.
pub(super) fn add(world: &mut World, shape: &Shape) {
    if shape.customers == 0 && shape.invoices == 0 {
        return;
    }
    let mut seller = Seller {
        dice: Dice::new(shape.seed, 5),
        sold: Receivables::default(),
        world,
        numbers: 0,
    };
    seller.items();
    seller.customers(shape.customers.max(1));
    seller.invoices(shape);
    seller.settle();
    world.receivables = seller.sold;
}

/// Draws what is sold.
struct Seller<'a> {
    dice: Dice,
    world: &'a World,
    sold: Receivables,
    /// Check numbers given out.
    numbers: u32,
}

impl Seller<'_> {
    fn items(&mut self) {
        let account = |number: &str| self.world.account(number).unwrap_or(0);
        let (sales, tax) = (account(SALES), account(SALES_TAX));
        self.sold.items = ITEMS
            .iter()
            .enumerate()
            .map(|(position, (name, kind))| SaleItem {
                name: (*name).to_owned(),
                kind: *kind,
                account: if position == TAX { tax } else { sales },
            })
            .collect();
    }

    fn customers(&mut self, count: usize) {
        let mut hard = HARD.iter().rev();
        for index in 0..count {
            let given = if index >= role::COUNT && index % 4 == 0 {
                hard.next().map(|name| (*name).to_owned())
            } else {
                None
            };
            let customer = self.customer(index, given);
            self.sold.customers.push(customer);
        }
    }

    fn customer(&mut self, index: usize, given: Option<String>) -> Customer {
        let dice = &mut self.dice;
        let one_world = self.world.one_world;
        let paying = self.world.platform.subsidiary;
        let drawn = names::company(dice);
        let person = (index == role::PERSON || (index >= role::COUNT && dice.per_mille(60)))
            .then(|| names::person(dice));
        let name = match (&person, index) {
            (_, role::NAMESAKE) => self.sold.customers[0].name.clone(),
            (Some((first, last)), _) => format!("{first} {last}"),
            (None, _) => given.unwrap_or(drawn),
        };
        let (address, phone) = names::place(dice);
        let earlier = self.sold.customers.len();
        let parent = if index == role::CHILD {
            Some(0)
        } else if index >= role::COUNT && dice.per_mille(40) {
            Some(dice.below(earlier)).filter(|at| self.sold.customers[*at].parent.is_none())
        } else {
            None
        };
        let foreign =
            one_world && (index == role::FOREIGN || (index >= role::COUNT && dice.per_mille(30)));
        let terms = dice.pick(&[Some(0), Some(0), Some(0), Some(2), Some(1), None]);
        Customer {
            number: format!("C{:05}", index + 1),
            name,
            person,
            email: (!dice.per_mille(80)).then(|| format!("ar{}@example.com", index + 1)),
            phone: (!dice.per_mille(200)).then_some(phone),
            address: (!dice.per_mille(50)).then_some(address),
            terms: terms
                .flatten()
                .filter(|terms| *terms < self.world.terms.len()),
            currency: if foreign { canadian() } else { Currency::USD },
            subsidiaries: if index == role::SHARED && one_world {
                vec![paying, 0, 1]
            } else {
                vec![paying]
            },
            parent,
            inactive: index == role::INACTIVE || (index >= role::COUNT && dice.per_mille(15)),
        }
    }

    fn invoices(&mut self, shape: &Shape) {
        let first = a_year_before(shape.today);
        let mut days: Vec<Date> = (0..shape.invoices)
            .map(|_| {
                let day = i64::try_from(self.dice.below(365)).unwrap_or(0);
                days_after(first, day)
            })
            .collect();
        days.sort_unstable();
        for (index, date) in days.into_iter().enumerate() {
            let feature = feature(index, shape.invoices);
            let invoice = self.invoice(index, date, feature);
            self.sold.invoices.push(invoice);
        }
    }

    /// Whose invoice it is: few customers have many.
    fn buyer(&mut self, feature: Option<Feature>) -> usize {
        let count = self.sold.customers.len();
        let fixed = match feature {
            Some(Feature::Foreign) => Some(role::FOREIGN),
            Some(Feature::InactiveCustomer) => Some(role::INACTIVE),
            Some(Feature::Child) => Some(role::CHILD),
            _ => None,
        };
        if let Some(fixed) = fixed.filter(|at| *at < count) {
            return fixed;
        }
        let upper = 1 + self.dice.below(count);
        let drawn = self.dice.below(upper);
        let idle = drawn == role::IDLE || self.sold.customers[drawn].inactive;
        if idle { 0 } else { drawn }
    }

    fn invoice(&mut self, index: usize, date: Date, feature: Option<Feature>) -> Invoice {
        let customer = self.buyer(feature);
        let (currency, subsidiary, terms) = {
            let buyer = &self.sold.customers[customer];
            (buyer.currency, buyer.subsidiaries[0], buyer.terms)
        };
        let days = terms.map_or(0, |terms| self.world.terms[terms].days);
        Invoice {
            customer,
            subsidiary,
            number: format!("INV{}", 10_001 + index),
            date,
            due: days_after(date, i64::from(days)),
            currency,
            rate: self.rate(currency, subsidiary),
            approval: match feature {
                Some(Feature::Pending) => Approval::Pending,
                Some(Feature::Rejected) => Approval::Rejected,
                _ => Approval::Approved,
            },
            voided: feature == Some(Feature::Voided),
            purchase_order: (feature == Some(Feature::PurchaseOrder) || self.dice.per_mille(100))
                .then(|| format!("PO-{}", 7000 + index)),
            memo: self
                .dice
                .per_mille(100)
                .then(|| format!("Order {}", 500 + index)),
            lines: self.lines(feature),
        }
    }

    fn rate(&self, currency: Currency, subsidiary: usize) -> Decimal {
        if self.world.subsidiaries[subsidiary].currency == currency {
            Decimal::ONE
        } else {
            Decimal::new(73, 2)
        }
    }

    fn lines(&mut self, feature: Option<Feature>) -> Vec<SaleLine> {
        let dice = &mut self.dice;
        let most = if feature == Some(Feature::Long) {
            40
        } else {
            8
        };
        let count = if feature == Some(Feature::Long) {
            most
        } else {
            dice.one_and_more(450, most)
        };
        let mut lines: Vec<SaleLine> = (0..count)
            .map(|_| {
                let item = dice.below(PLAIN);
                let quantity = 1 + dice.below(9);
                let price = match feature {
                    Some(Feature::Zero) => 0,
                    Some(Feature::Cent) => 1,
                    _ => dice.log_normal_cents(4.6, 1.1),
                };
                let quantity = Decimal::from(quantity);
                SaleLine {
                    item,
                    quantity,
                    amount: money(price) * quantity,
                    description: dice.per_mille(300).then(|| "As agreed".to_owned()),
                }
            })
            .collect();
        let sum = total(&lines);
        let mut more = |item, amount: Decimal| {
            lines.push(SaleLine {
                item,
                quantity: Decimal::ONE,
                amount: amount.round_dp(2),
                description: None,
            });
        };
        if feature == Some(Feature::Discount) {
            more(DISCOUNT, sum * Decimal::new(-10, 2));
        }
        if feature == Some(Feature::Tax) || (feature.is_none() && self.dice.per_mille(200)) {
            more(TAX, sum * Decimal::new(8875, 5));
        }
        lines
    }

    /// Pays and credits what is old enough, or particular.
    fn settle(&mut self) {
        let count = self.sold.invoices.len();
        for index in 0..count {
            let invoice = self.sold.invoices[index].clone();
            let due = total(&invoice.lines);
            if invoice.voided || invoice.approval != Approval::Approved || due <= Decimal::ZERO {
                continue;
            }
            let part = (due / Decimal::from(3)).round_dp(2).max(Decimal::new(1, 2));
            match feature(index, count) {
                Some(Feature::PartlyPaid) => self.pay(index, &invoice, part, Decimal::ZERO),
                Some(Feature::Paid | Feature::Undeposited) => {
                    self.pay(index, &invoice, due, Decimal::ZERO);
                }
                Some(Feature::OverPaid) => self.pay(index, &invoice, due, Decimal::from(25)),
                Some(Feature::Credited) => self.credit(index, &invoice, due, due),
                Some(Feature::PartlyCredited) => {
                    self.credit(index, &invoice, part + part, part.min(due));
                }
                Some(_) => {}
                None => {
                    let age = i64::from(
                        invoice
                            .date
                            .until(self.world.today)
                            .map_or(0, |age| age.get_days()),
                    );
                    let share = u32::try_from(600 * age / 365).unwrap_or(0);
                    if self.dice.per_mille(share) {
                        self.pay(index, &invoice, due, Decimal::ZERO);
                    } else if self.dice.per_mille(20) {
                        // A credit that nobody has used yet.
                        self.credit(index, &invoice, part, Decimal::ZERO);
                    }
                }
            }
        }
    }

    fn pay(&mut self, index: usize, invoice: &Invoice, amount: Decimal, more: Decimal) {
        let wait = i64::try_from(1 + self.dice.below(30)).unwrap_or(1);
        let date = days_after(invoice.date, wait).min(self.world.today);
        let check = self.dice.per_mille(500);
        let recent = days_after(date, 21) >= self.world.today;
        let undeposited =
            recent || feature(index, self.sold.invoices.len()) == Some(Feature::Undeposited);
        self.numbers += 1;
        self.sold.payments.push(CustomerPayment {
            customer: invoice.customer,
            subsidiary: invoice.subsidiary,
            check_number: check.then(|| (5000 + self.numbers).to_string()),
            date,
            currency: invoice.currency,
            rate: invoice.rate,
            account: self.world.account(BANK).filter(|_| !undeposited),
            total: amount + more,
            applied: vec![(index, amount)],
        });
    }

    fn credit(&mut self, index: usize, invoice: &Invoice, amount: Decimal, applied: Decimal) {
        let number = format!("CM{}", 501 + self.sold.credit_memos.len());
        self.sold.credit_memos.push(CreditMemo {
            customer: invoice.customer,
            subsidiary: invoice.subsidiary,
            number,
            date: days_after(invoice.date, 3).min(self.world.today),
            currency: invoice.currency,
            rate: invoice.rate,
            lines: vec![SaleLine {
                item: 0,
                quantity: Decimal::ONE,
                amount,
                description: Some(format!("For {}", invoice.number)),
            }],
            applied: if applied.is_zero() {
                Vec::new()
            } else {
                vec![(index, applied)]
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::super::generate::generate;
    use super::*;

    const TODAY: Date = date(2026, 7, 1);

    fn shape(customers: usize, invoices: usize) -> Shape {
        Shape {
            customers,
            invoices,
            ..Shape::new(TODAY)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]

        #[test]
        fn any_shape_sells_soundly_and_leaves_the_payables_as_they_are(
            seed: u64, customers in 0_usize..60, invoices in 0_usize..200, one_world: bool,
        ) {
            let shape = Shape { seed, one_world, ..shape(customers, invoices) };
            let world = generate(&shape);
            let sold = &world.receivables;
            prop_assert_eq!(sold.invoices.len(), invoices);
            for invoice in &sold.invoices {
                let buyer = &sold.customers[invoice.customer];
                prop_assert!(buyer.subsidiaries.contains(&invoice.subsidiary));
                prop_assert!(invoice.date <= world.today && invoice.due >= invoice.date);
                prop_assert!(total(&invoice.lines) >= Decimal::ZERO);
                prop_assert!(invoice.lines.iter().all(|line| line.amount.scale() <= 2));
            }
            let mut open: Vec<Decimal> =
                sold.invoices.iter().map(|invoice| total(&invoice.lines)).collect();
            for (invoice, amount) in sold
                .payments
                .iter()
                .flat_map(|payment| &payment.applied)
                .chain(sold.credit_memos.iter().flat_map(|memo| &memo.applied))
            {
                open[*invoice] -= *amount;
            }
            prop_assert!(open.iter().all(|open| *open >= Decimal::ZERO));
            for memo in &sold.credit_memos {
                let applied: Decimal = memo.applied.iter().map(|(_, amount)| amount).sum();
                prop_assert!(applied <= total(&memo.lines) && memo.date <= world.today);
            }
            prop_assert_eq!(generate(&shape), world.clone());
            let mut without = generate(&Shape { customers: 0, invoices: 0, ..shape });
            prop_assert_eq!(&without.receivables, &Receivables::default());
            without.receivables = world.receivables.clone();
            without.collector = world.collector.clone();
            without.pay_page = world.pay_page.clone();
            prop_assert_eq!(without, world);
        }
    }

    #[test]
    fn a_small_world_has_invoices_in_every_state() {
        let world = generate(&shape(40, 120));
        let sold = &world.receivables;
        let invoices = || sold.invoices.iter();
        assert!(invoices().any(|one| one.approval == Approval::Pending));
        assert!(invoices().any(|one| one.approval == Approval::Rejected));
        assert!(invoices().any(|one| one.voided));
        assert!(invoices().any(|one| one.currency != Currency::USD));
        assert!(invoices().any(|one| one.lines.iter().any(|line| line.item == DISCOUNT)));
        assert!(invoices().any(|one| one.lines.iter().any(|line| line.item == TAX)));
        assert!(sold.payments.iter().any(|paid| paid.account.is_none()));
        assert!(sold.payments.iter().any(|paid| paid.account.is_some()));
        let over = |paid: &&CustomerPayment| {
            paid.total > paid.applied.iter().map(|(_, amount)| *amount).sum()
        };
        assert_eq!(sold.payments.iter().filter(over).count(), 1);
        assert!(sold.credit_memos.iter().any(|memo| memo.applied.is_empty()));
        assert!(
            sold.credit_memos
                .iter()
                .any(|memo| !memo.applied.is_empty())
        );
        let customers = &sold.customers;
        assert!(
            customers
                .iter()
                .any(|one| one.parent.is_some() && one.person.is_none())
        );
        assert!(customers.iter().any(|one| one.person.is_some()));
        let names: HashSet<&str> = customers.iter().map(|one| one.name.as_str()).collect();
        assert!(names.len() < customers.len());
        let numbers: HashSet<&str> = customers.iter().map(|one| one.number.as_str()).collect();
        assert_eq!(numbers.len(), customers.len());
        assert!(invoices().all(|one| one.customer != role::IDLE));
    }
}
