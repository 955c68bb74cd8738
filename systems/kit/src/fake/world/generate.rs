//! Makes a world from a seed, after what was measured on public ledgers: amounts are log-normal, lines
//! geometric, vendors Zipfian, invoice numbers in the styles and names with the oddities that ledgers have.

use jiff::civil::Date;

use super::{World, collector, documents, pay_page, receivables, settle};

/// What a world is to be like. The same shape makes the same world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// What chance starts from.
    pub seed: u64,
    /// The day the world ends on. Documents are dated in the year before it.
    pub today: Date,
    /// How many vendors. From ten on every kind is among them.
    pub vendors: usize,
    /// How many vendor bills in the whole year. From fifty on every kind is among them.
    pub bills: usize,
    /// How many customers. From ten on every kind is among them.
    pub customers: usize,
    /// How many invoices in the whole year. From fifty on every kind is among them. With none of both, the
    /// world is without receivables.
    pub invoices: usize,
    /// Whether the account has subsidiaries and a second currency (OneWorld).
    pub one_world: bool,
    /// The company's time zone, an IANA name.
    pub time_zone: String,
    /// A bare account: nothing but what can't be missing.
    pub empty: bool,
}

impl Shape {
    /// A small company that ends on `today`: 60 vendors, 150 bills, no receivables, OneWorld, in New York.
    #[must_use]
    pub fn new(today: Date) -> Self {
        Self {
            seed: 1,
            today,
            vendors: 60,
            bills: 150,
            customers: 0,
            invoices: 0,
            one_world: true,
            time_zone: "America/New_York".to_owned(),
            empty: false,
        }
    }
}

/// Makes the world of a shape.
#[must_use]
pub fn generate(shape: &Shape) -> World {
    if shape.empty {
        return World::empty(shape.today, shape.one_world, &shape.time_zone);
    }
    let mut world = World::furnished(shape.today, shape.one_world, &shape.time_zone);
    documents::add_vendors(&mut world, shape);
    documents::add_bills(&mut world, shape);
    settle::settle(&mut world, shape);
    receivables::add(&mut world, shape);
    collector::add(&mut world, shape);
    pay_page::add(&mut world, shape);
    world
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use jiff::civil::date;
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::super::names::HARD;
    use super::super::{Approval, Bill, Currency, LineKind, PeriodState};
    use super::*;

    const TODAY: Date = date(2026, 7, 1);

    fn small() -> World {
        generate(&Shape::new(TODAY))
    }

    /// What is open of each bill, after payments and credits.
    fn open(world: &World) -> Vec<Decimal> {
        let mut open: Vec<Decimal> = world.bills.iter().map(Bill::total).collect();
        let credits = world.credits.iter().flat_map(|credit| &credit.applied);
        for (bill, amount) in world
            .payments
            .iter()
            .flat_map(|paid| &paid.applied)
            .chain(credits)
        {
            open[*bill] -= amount;
        }
        open
    }

    /// All that must hold of any world.
    fn check(world: &World) -> Result<(), TestCaseError> {
        let year = world.periods[0].start;
        for (index, bill) in world.bills.iter().enumerate() {
            prop_assert!(!bill.lines.is_empty(), "bill {index} has no lines");
            prop_assert!(bill.date >= year && bill.date <= world.today && bill.due >= bill.date);
            prop_assert!(bill.vendor < world.vendors.len());
            prop_assert!(
                world.vendors[bill.vendor]
                    .subsidiaries
                    .contains(&bill.subsidiary)
            );
            for line in &bill.lines {
                prop_assert_eq!(line.amount.scale(), 2);
                let account = &world.accounts[line.account];
                prop_assert!(!account.summary && !account.inactive);
            }
        }
        prop_assert!(
            world
                .bills
                .windows(2)
                .all(|pair| pair[0].date <= pair[1].date)
        );
        for (payment, number) in world.payments.iter().zip(10_001..) {
            prop_assert_eq!(&payment.number, &number.to_string());
            prop_assert!(payment.date <= world.today && !payment.applied.is_empty());
            prop_assert!(payment.applied.len() <= 35);
            for (bill, amount) in &payment.applied {
                let bill = &world.bills[*bill];
                prop_assert!(*amount > Decimal::ZERO && amount.scale() == 2);
                prop_assert!(bill.approval == Approval::Approved && bill.date <= payment.date);
                prop_assert_eq!(
                    (bill.vendor, bill.subsidiary, bill.currency),
                    (payment.vendor, payment.subsidiary, payment.currency)
                );
            }
        }
        for credit in &world.credits {
            let applied: Decimal = credit.applied.iter().map(|(_, amount)| amount).sum();
            prop_assert!(credit.total() > Decimal::ZERO && applied <= credit.total());
            prop_assert!(credit.date <= world.today);
            for (bill, amount) in &credit.applied {
                prop_assert_eq!(world.bills[*bill].vendor, credit.vendor);
                prop_assert!(*amount > Decimal::ZERO);
            }
        }
        for (bill, open) in world.bills.iter().zip(open(world)) {
            prop_assert!(open >= Decimal::ZERO || open == bill.total());
        }
        let platform = &world.platform;
        for bill in &platform.bills {
            prop_assert!(platform.vendors.contains(&world.bills[*bill].vendor));
        }
        prop_assert!(
            platform
                .own_bills
                .iter()
                .all(|bill| platform.vendors.contains(&bill.0))
        );
        prop_assert!(
            platform
                .own_bills
                .iter()
                .all(|bill| platform.accounts.contains(&bill.4))
        );
        prop_assert!(world.subsidiaries.len() > platform.subsidiary);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn any_shape_makes_a_sound_world_and_always_the_same(
            seed: u64, vendors in 0_usize..80, bills in 0_usize..300, one_world: bool, day in 0_i32..800,
        ) {
            let today = TODAY.saturating_add(jiff::Span::new().days(day));
            let shape = Shape { seed, vendors, bills, one_world, ..Shape::new(today) };
            let world = generate(&shape);
            prop_assert_eq!(world.bills.len(), bills);
            check(&world)?;
            prop_assert_eq!(generate(&shape), world);
        }
    }

    #[test]
    fn another_seed_makes_another_world() {
        assert_ne!(
            generate(&Shape {
                seed: 2,
                ..Shape::new(TODAY)
            })
            .bills,
            small().bills
        );
    }

    #[test]
    fn branches_lie_below_the_root_and_hold_nothing() {
        let mut world = small();
        let before = world.clone();
        world.found_branches(2);
        assert_eq!(world.subsidiaries.len(), before.subsidiaries.len() + 2);
        let branch = &world.subsidiaries[4];
        assert_eq!((branch.parent, branch.currency), (Some(0), Currency::USD));
        assert_eq!(world.bills, before.bills);
        let mut single = generate(&Shape {
            one_world: false,
            ..Shape::new(TODAY)
        });
        single.found_branches(2);
        assert_eq!(
            single.subsidiaries.len(),
            1,
            "an account without subsidiaries stays so"
        );
    }

    #[test]
    fn a_small_world_has_what_a_real_account_has() {
        let world = small();
        assert_eq!((world.subsidiaries.len(), world.currencies.len()), (3, 2));
        for state in [PeriodState::Closed, PeriodState::Locked, PeriodState::Open] {
            assert!(world.periods.iter().any(|period| period.state == state));
        }
        let current = world
            .periods
            .iter()
            .find(|p| p.start <= TODAY && TODAY <= p.end)
            .unwrap();
        assert_eq!(current.state, PeriodState::Open);
        for number in ["1000", "1090", "1100", "2000"] {
            assert!(world.account(number).is_some());
        }
        for approval in [Approval::Approved, Approval::Pending, Approval::Rejected] {
            assert!(world.bills.iter().any(|bill| bill.approval == approval));
        }
        assert!(world.bills.iter().any(|bill| bill.total().is_zero()));
        assert!(world.bills.iter().any(|bill| bill.total() < Decimal::ZERO));
        assert!(world.bills.iter().any(|bill| bill.number.is_empty()));
        assert!(world.bills.iter().any(|bill| bill.payment_hold));
        assert!(world.bills.iter().any(|bill| bill.purchase_order.is_some()));
        assert!(world.bills.iter().any(|bill| bill.lines.len() >= 30));
        let foreign = |bill: &Bill| bill.currency != Currency::USD && bill.rate != Decimal::ONE;
        assert!(world.bills.iter().any(foreign));
        let lines = || world.bills.iter().flat_map(|bill| &bill.lines);
        assert!(lines().any(|line| line.kind == LineKind::Tax));
        assert!(lines().any(|line| matches!(line.kind, LineKind::Item(..))));
        assert!(lines().any(|line| line.amount.abs() == Decimal::new(1, 2)));
        assert!(lines().any(|line| line.amount < Decimal::ZERO));
        for category in ["Supplier", "Employee", "Tax agency", "Intercompany"] {
            assert!(
                world
                    .vendors
                    .iter()
                    .any(|vendor| vendor.category == category)
            );
        }
        let hard = world
            .vendors
            .iter()
            .filter(|vendor| HARD.contains(&vendor.name.as_str()));
        assert!(hard.count() >= 15);
    }

    #[test]
    fn a_small_world_has_paid_partly_paid_and_open_bills_and_credits_in_every_state() {
        let world = small();
        let open = open(&world);
        let both = || world.bills.iter().zip(&open);
        assert!(both().any(|(bill, open)| bill.total() > Decimal::ZERO && open.is_zero()));
        assert!(both().any(|(bill, open)| *open > Decimal::ZERO && *open < bill.total()));
        let untouched = both().filter(|(b, open)| **open == b.total() && **open > Decimal::ZERO);
        assert!(untouched.count() > world.bills.len() / 2);
        let inactive =
            both().any(|(b, open)| world.vendors[b.vendor].inactive && *open > Decimal::ZERO);
        assert!(inactive, "no inactive vendor has an open bill");
        let applied = |wanted: fn(Decimal, Decimal) -> bool| {
            world.credits.iter().any(|credit| {
                wanted(
                    credit.applied.iter().map(|(_, amount)| amount).sum(),
                    credit.total(),
                )
            })
        };
        assert!(applied(|applied, _| applied.is_zero()));
        assert!(applied(
            |applied, total| applied > Decimal::ZERO && applied < total
        ));
        assert!(applied(|applied, total| applied == total));
    }

    #[test]
    fn a_small_world_repeats_numbers_and_names() {
        let world = small();
        let mut numbers: HashMap<(usize, &str), Vec<Decimal>> = HashMap::new();
        for bill in &world.bills {
            numbers
                .entry((bill.vendor, &bill.number))
                .or_default()
                .push(bill.total());
        }
        let doubles: Vec<_> = numbers.values().filter(|totals| totals.len() > 1).collect();
        assert!(doubles.iter().any(|totals| totals[0] == totals[1]));
        assert!(doubles.iter().any(|totals| totals[0] != totals[1]));
        let names: HashSet<&str> = world.vendors.iter().map(|v| v.name.as_str()).collect();
        assert!(names.len() < world.vendors.len());
        let ids: HashSet<&str> = world.vendors.iter().map(|v| v.number.as_str()).collect();
        assert_eq!(ids.len(), world.vendors.len());
    }

    #[test]
    fn the_platform_has_some_of_it_and_something_of_its_own() {
        let World {
            platform,
            vendors,
            accounts,
            bills,
            ..
        } = small();
        assert!(platform.bills.len() >= 2 && platform.own_bills.len() == 2);
        assert!(
            platform
                .bills
                .iter()
                .all(|bill| bills[*bill].subsidiary == platform.subsidiary)
        );
        assert!(!platform.vendors.is_empty() && platform.vendors.len() < vendors.len());
        assert!(!platform.accounts.is_empty() && platform.accounts.len() < accounts.len());
        assert_eq!(
            platform
                .bank_account
                .map(|bank| accounts[bank].number.as_str()),
            Some("1000")
        );
        assert_eq!(platform.own_accounts.len(), 1);
    }

    #[test]
    fn no_address_or_number_is_anyones() {
        let world = generate(&Shape {
            vendors: 500,
            ..Shape::new(TODAY)
        });
        for vendor in &world.vendors {
            if let Some(email) = &vendor.email {
                let domain = email.split_once('@').unwrap().1;
                assert!(["example.com", "example.net", "example.org"].contains(&domain));
            }
            assert!(
                vendor
                    .phone
                    .as_ref()
                    .is_none_or(|phone| phone.contains(") 555-01"))
            );
        }
        assert!(world.vendors.iter().any(|vendor| vendor.address.is_none()));
        assert!(world.vendors.iter().any(|vendor| vendor.person.is_some()));
    }

    #[test]
    fn a_large_world_is_sound_and_skewed() {
        let shape = Shape {
            vendors: 2_000,
            bills: 10_000,
            ..Shape::new(TODAY)
        };
        let world = generate(&shape);
        check(&world).unwrap();
        let mut per_vendor = vec![0_usize; 2_000];
        world
            .bills
            .iter()
            .for_each(|bill| per_vendor[bill.vendor] += 1);
        assert!(per_vendor.iter().filter(|bills| **bills > 0).count() > 1_950);
        per_vendor.sort_unstable_by(|a, b| b.cmp(a));
        assert!(per_vendor[..200].iter().sum::<usize>() > 6_000);
        assert!(world.bills.iter().any(|bill| bill.lines.len() == 156));
        let share =
            |wanted: fn(&Bill) -> bool| world.bills.iter().filter(|bill| wanted(bill)).count();
        assert!((20..150).contains(&share(|bill| bill.total() < Decimal::ZERO)));
        assert!((100..600).contains(&share(|bill| bill.approval == Approval::Pending)));
    }

    #[test]
    fn an_empty_shape_is_a_bare_account() {
        let world = generate(&Shape {
            empty: true,
            ..Shape::new(TODAY)
        });
        assert_eq!(world, World::empty(TODAY, true, "America/New_York"));
    }
}
