//! Vendors and their bills.

use jiff::civil::{Date, Weekday};
use rust_decimal::Decimal;

use super::company::{SALES_TAX, TERMS, a_year_before, canadian, days_after};
use super::draw::{Dice, mixed_below, money};
use super::generate::Shape;
use super::names::{self, HARD, ODD_NUMBERS};
use super::{Approval, Axis, Bill, Currency, Line, LineKind, Vendor, World};

/// The vendors that every world of a dozen has, by index: each has its bill, and its trouble.
pub(super) mod role {
    /// Bills in the second currency, in the paying subsidiary.
    pub(crate) const FOREIGN: usize = 1;
    /// Inactive, with an open bill.
    pub(crate) const INACTIVE: usize = 2;
    /// An employee.
    pub(crate) const EMPLOYEE: usize = 3;
    /// A tax agency.
    pub(crate) const TAX_AGENCY: usize = 4;
    /// Another subsidiary of the company.
    pub(crate) const INTERCOMPANY: usize = 5;
    /// Used in every subsidiary.
    pub(crate) const SHARED: usize = 6;
    /// Has login access.
    pub(crate) const LOGIN: usize = 7;
    /// A person.
    pub(crate) const PERSON: usize = 8;
    /// Has the first vendor's name.
    pub(crate) const NAMESAKE: usize = 9;
    /// How many there are, the first vendor included.
    pub(crate) const COUNT: usize = 10;
}

/// What is particular about a bill. The most recent fifty of a world have each of these; older bills have
/// them now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feature {
    Pending,
    NetZero,
    Rejected,
    NetNegative,
    Items,
    Tax,
    Cent,
    SameNumber,
    Blank,
    Hold,
    OddNumber,
    Foreign,
    InactiveVendor,
    PartlyPaid,
    Paid,
    MixedSigns,
    Employee,
    TaxAgency,
    Intercompany,
    Long,
    PurchaseOrder,
    TrueDuplicate,
    NearNumber,
}

const FEATURES: [Feature; 23] = [
    Feature::Pending,
    Feature::NetZero,
    Feature::Rejected,
    Feature::NetNegative,
    Feature::Items,
    Feature::Tax,
    Feature::Cent,
    Feature::SameNumber,
    Feature::Blank,
    Feature::Hold,
    Feature::OddNumber,
    Feature::Foreign,
    Feature::InactiveVendor,
    Feature::PartlyPaid,
    Feature::Paid,
    Feature::MixedSigns,
    Feature::Employee,
    Feature::TaxAgency,
    Feature::Intercompany,
    Feature::Long,
    Feature::PurchaseOrder,
    Feature::TrueDuplicate,
    Feature::NearNumber,
];

/// How often the features return among bills older than the most recent: once in so many bills.
const FEATURE_CYCLE: usize = 300;

/// What is particular about the bill at `index` of so many, in the order of their dates.
pub(super) fn feature(index: usize, bills: usize) -> Option<Feature> {
    let rank = bills.checked_sub(1 + index)? % FEATURE_CYCLE;
    if rank % 2 == 1 {
        FEATURES.get(rank / 2).copied()
    } else {
        None
    }
}

pub(super) fn add_vendors(world: &mut World, shape: &Shape) {
    let mut dice = Dice::new(shape.seed, 1);
    let mut hard = HARD.iter();
    let count = if shape.bills > 0 {
        shape.vendors.max(1)
    } else {
        shape.vendors
    };
    world.vendors.reserve_exact(count);
    for index in 0..count {
        let name = if index >= role::COUNT && index % 3 == 0 {
            hard.next()
        } else {
            None
        };
        let name = name.map(|name| (*name).to_owned());
        let name = name.unwrap_or_else(|| a_name(&world.vendors, index, &mut dice));
        let mut vendor = furnished(index, name, shape.one_world, &mut dice);
        cast(&mut vendor, index, world, &mut dice);
        world.vendors.push(vendor);
    }
}

/// A name, now and then that of an earlier vendor or nearly so: ledgers have both (1.3 % and 8 %).
fn a_name(vendors: &[Vendor], index: usize, dice: &mut Dice) -> String {
    if index == role::NAMESAKE {
        return vendors[0].name.clone();
    }
    if index > role::COUNT {
        let earlier = &vendors[dice.below(vendors.len())].name;
        if dice.per_mille(13) {
            return earlier.clone();
        }
        if dice.per_mille(40) {
            let respelt = names::respelt(earlier, dice);
            return if respelt == *earlier {
                format!("{earlier} (US)")
            } else {
                respelt
            };
        }
    }
    names::company(dice)
}

/// A supplier with all that a vendor record has, in the paying subsidiary.
pub(super) fn furnished(index: usize, name: String, one_world: bool, dice: &mut Dice) -> Vendor {
    let (address, phone) = names::place(dice);
    let mut left = u32::try_from(dice.below(100)).unwrap_or(0);
    let terms = TERMS.iter().position(|(_, _, _, share)| {
        let found = left < *share;
        left = left.saturating_sub(*share);
        found
    });
    Vendor {
        number: format!("V{:05}", index + 1),
        name,
        person: None,
        email: (!dice.per_mille(100)).then(|| names::email(index)),
        phone: (!dice.per_mille(200)).then_some(phone),
        address: (!dice.per_mille(50)).then_some(address),
        account_number: dice
            .per_mille(400)
            .then(|| format!("ACCT-{:06}", dice.below(1_000_000))),
        terms: terms.filter(|_| !dice.per_mille(30)),
        currency: Currency::USD,
        subsidiaries: vec![if one_world { 2 } else { 0 }],
        category: "Supplier".to_owned(),
        inactive: false,
        login_access: false,
    }
}

/// Gives a vendor its role, or draws one.
fn cast(vendor: &mut Vendor, index: usize, world: &World, dice: &mut Dice) {
    let fixed = index < role::COUNT;
    let drawn = dice.below(1000);
    let employee = index == role::EMPLOYEE || (!fixed && drawn < 20);
    if employee || index == role::PERSON || (!fixed && (20..60).contains(&drawn)) {
        let (first, last) = names::person(dice);
        vendor.name = format!("{first} {last}");
        vendor.person = Some((first, last));
    }
    if employee {
        vendor.category = "Employee".to_owned();
    } else if index == role::TAX_AGENCY || (!fixed && (60..70).contains(&drawn)) {
        vendor.category = "Tax agency".to_owned();
        let state = vendor
            .address
            .as_ref()
            .map_or("NY", |address| &address.state);
        vendor.name = format!("{state} Department of Revenue, Office {}", 1 + index);
    } else if index == role::INTERCOMPANY || (!fixed && (70..74).contains(&drawn)) {
        vendor.category = "Intercompany".to_owned();
        vendor.name = format!("{} (intercompany)", world.subsidiaries[0].name);
    }
    vendor.inactive = index == role::INACTIVE || (!fixed && (980..1000).contains(&drawn));
    vendor.login_access = index == role::LOGIN || (!fixed && dice.per_mille(20));
    if !world.one_world {
        return;
    }
    match index {
        role::FOREIGN => vendor.currency = canadian(),
        role::SHARED => vendor.subsidiaries = vec![2, 0, 1],
        _ if fixed => {}
        _ => match dice.below(100) {
            0..=81 => {}
            82..=88 => vendor.subsidiaries = vec![2, 0],
            89..=92 => vendor.subsidiaries = vec![0],
            93..=94 => vendor.currency = canadian(),
            _ => {
                vendor.subsidiaries = vec![1];
                vendor.currency = canadian();
            }
        },
    }
}

pub(super) fn add_bills(world: &mut World, shape: &Shape) {
    let mut clerk = Clerk::new(world, shape);
    let vendors = clerk.shares(shape.bills);
    let days = days(shape, &mut clerk.dice);
    let mut bills: Vec<Bill> = Vec::with_capacity(shape.bills);
    for (vendor, date) in vendors.into_iter().zip(days) {
        let bill = clerk.bill(vendor, date, &bills);
        clerk.last[bill.vendor] = Some(bills.len());
        bills.push(bill);
    }
    world.bills = bills;
}

/// The days of all bills, oldest first: more at the ends of months and quarters and around the new year,
/// few on Mondays, next to none at weekends.
fn days(shape: &Shape, dice: &mut Dice) -> Vec<Date> {
    let first = a_year_before(shape.today);
    let mut upto = 0.0;
    let weights: Vec<f64> = (0..365)
        .map(|day| {
            upto += busyness(days_after(first, day));
            upto
        })
        .collect();
    let mut counts = [0_usize; 365];
    for _ in 0..shape.bills {
        counts[dice.weighted(&weights)] += 1;
    }
    let mut days = Vec::with_capacity(shape.bills);
    for (day, count) in (0_i64..).zip(counts) {
        days.extend(std::iter::repeat_n(days_after(first, day), count));
    }
    days
}

fn busyness(date: Date) -> f64 {
    let quarter_end = date.month() % 3 == 0;
    let end = match date.last_of_month().day() - date.day() {
        0..=1 if quarter_end => 3.0,
        0..=1 => 2.5,
        _ => 1.0,
    };
    let season = if matches!(date.month(), 1 | 12) {
        1.5
    } else {
        1.0
    };
    let weekday = match date.weekday() {
        Weekday::Saturday | Weekday::Sunday => 0.05,
        Weekday::Monday => 0.7,
        _ => 1.0,
    };
    end * season * weekday
}

/// Writes the bills of a company.
struct Clerk<'a> {
    vendors: &'a [Vendor],
    /// Accounts that a line may be booked to.
    expenses: Vec<usize>,
    dimensions: [Vec<usize>; 3],
    items: Vec<(usize, usize)>,
    terms: Vec<u32>,
    tax: usize,
    currencies: Vec<Currency>,
    today: Date,
    bills: usize,
    /// How many bills each vendor has sent.
    sequence: Vec<u64>,
    /// Each vendor's latest bill.
    last: Vec<Option<usize>>,
    dice: Dice,
}

const MEMOS: [&str; 6] = [
    "Monthly service",
    "Per attached statement",
    "Freight included",
    "First line\nSecond line",
    "50% deposit; balance on delivery",
    "R\u{e9}f. 7/B \u{2013} \u{a7}4",
];

impl<'a> Clerk<'a> {
    fn new(world: &'a World, shape: &Shape) -> Self {
        let usable = |index: &usize| {
            let account = &world.accounts[*index];
            matches!(account.kind.as_str(), "Expense" | "COGS")
                && !account.summary
                && !account.inactive
        };
        let active = |axis: Axis| -> Vec<usize> {
            let of_axis = |index: &usize| {
                let dimension = &world.dimensions[*index];
                dimension.axis == axis && !dimension.inactive
            };
            (0..world.dimensions.len()).filter(of_axis).collect()
        };
        let expenses: Vec<usize> = (0..world.accounts.len()).filter(usable).collect();
        Self {
            vendors: &world.vendors,
            tax: world.account(SALES_TAX).unwrap_or(expenses[0]),
            expenses,
            dimensions: [Axis::Department, Axis::Class, Axis::Location].map(active),
            items: world
                .items
                .iter()
                .map(|item| item.account)
                .enumerate()
                .collect(),
            terms: world.terms.iter().map(|term| term.days).collect(),
            currencies: world
                .subsidiaries
                .iter()
                .map(|subsidiary| subsidiary.currency)
                .collect(),
            today: shape.today,
            bills: shape.bills,
            sequence: vec![0; world.vendors.len()],
            last: vec![None; world.vendors.len()],
            dice: Dice::new(shape.seed, 2),
        }
    }

    /// Whose each bill is. Every vendor has one, if there are twice as many bills as vendors; the others
    /// follow Zipf's law (s = 1.05), which gives a tenth of the vendors most of the bills.
    fn shares(&mut self, bills: usize) -> Vec<usize> {
        let vendors = self.vendors.len();
        let mut upto = 0.0;
        let weights: Vec<f64> = (0..vendors)
            .map(|index| {
                let rank = match index {
                    0 => 1,
                    1..role::COUNT => 1 + vendors / 2,
                    _ => 2 + index - role::COUNT,
                };
                // Ranks are small enough for a float, and no money.
                #[allow(clippy::cast_precision_loss)]
                let weight = (rank as f64).powf(-1.05);
                upto += if self.vendors[index].inactive {
                    0.0
                } else {
                    weight
                };
                upto
            })
            .collect();
        let each = if bills >= 2 * vendors { vendors } else { 0 };
        let mut shares: Vec<usize> = (0..each).collect();
        shares.extend((each..bills).map(|_| self.dice.weighted(&weights)));
        for index in (1..shares.len()).rev() {
            let other = self.dice.below(index + 1);
            shares.swap(index, other);
        }
        shares
    }

    fn bill(&mut self, vendor: usize, date: Date, earlier: &[Bill]) -> Bill {
        let feature = feature(earlier.len(), self.bills);
        let vendor = self.vendor_for(feature, vendor, earlier);
        let record = &self.vendors[vendor];
        let other = self.dice.per_mille(300);
        let subsidiary = match record.subsidiaries.as_slice() {
            [_, second, ..] if other => *second,
            all => all.first().copied().unwrap_or(0),
        };
        let lines = match (feature, self.last[vendor]) {
            (Some(Feature::TrueDuplicate), Some(last)) => earlier[last].lines.clone(),
            _ => self.lines(vendor, feature),
        };
        let days = record
            .terms
            .and_then(|terms| self.terms.get(terms))
            .copied()
            .unwrap_or(30);
        let order = self.dice.per_mille(50) || feature == Some(Feature::PurchaseOrder);
        Bill {
            vendor,
            subsidiary,
            number: self.number(vendor, feature, earlier),
            date,
            due: days_after(date, i64::from(days)),
            currency: record.currency,
            rate: rate(record.currency, self.currencies[subsidiary], date),
            approval: self.approval(date, feature),
            memo: if self.dice.per_mille(300) {
                self.dice.pick(&MEMOS).map(str::to_owned)
            } else {
                None
            },
            purchase_order: order.then(|| format!("PO{:05}", self.dice.below(100_000))),
            payment_hold: feature == Some(Feature::Hold)
                || (feature.is_none() && self.dice.per_mille(5)),
            lines,
        }
    }

    /// The vendor that a feature demands, or the one that was drawn.
    fn vendor_for(&self, feature: Option<Feature>, drawn: usize, earlier: &[Bill]) -> usize {
        let vendor = match feature {
            Some(Feature::Foreign) => role::FOREIGN,
            Some(Feature::InactiveVendor) => role::INACTIVE,
            Some(Feature::Employee) => role::EMPLOYEE,
            Some(Feature::TaxAgency) => role::TAX_AGENCY,
            Some(Feature::Intercompany) => role::INTERCOMPANY,
            // A vendor that has just sent an ordinary bill is sure to have one to repeat.
            Some(Feature::SameNumber | Feature::TrueDuplicate | Feature::NearNumber) => {
                earlier.last().map_or(drawn, |bill| bill.vendor)
            }
            _ => drawn,
        };
        vendor.min(self.vendors.len() - 1)
    }

    fn approval(&mut self, date: Date, feature: Option<Feature>) -> Approval {
        let recent = date > days_after(self.today, -30);
        match feature {
            Some(Feature::Pending) => Approval::Pending,
            Some(Feature::Rejected) => Approval::Rejected,
            Some(_) => Approval::Approved,
            None => match self.dice.below(1000) {
                0..80 if recent => Approval::Pending,
                0..8 => Approval::Pending,
                990..1000 if recent => Approval::Rejected,
                997..1000 => Approval::Rejected,
                _ => Approval::Approved,
            },
        }
    }

    fn number(&mut self, vendor: usize, feature: Option<Feature>, earlier: &[Bill]) -> String {
        let sequence = self.sequence[vendor];
        self.sequence[vendor] += 1;
        let own = names::invoice_number(vendor as u64, sequence);
        let last = self.last[vendor].map(|last| earlier[last].number.as_str());
        let last = last.filter(|number| !number.is_empty());
        match feature {
            Some(Feature::Blank) => String::new(),
            Some(Feature::OddNumber) => {
                let odd = ODD_NUMBERS[mixed_below(vendor as u64 ^ sequence, ODD_NUMBERS.len())];
                odd.to_owned()
            }
            Some(Feature::SameNumber | Feature::TrueDuplicate) => last.map_or(own, str::to_owned),
            Some(Feature::NearNumber) => last.map_or(own, near),
            Some(_) => own,
            None => match self.dice.below(1000) {
                0..6 => last.map_or(own, str::to_owned),
                6 => last.map_or(own, near),
                _ => own,
            },
        }
    }

    fn lines(&mut self, vendor: usize, feature: Option<Feature>) -> Vec<Line> {
        // Small, middling and large companies, by the size of what is asked for.
        let (mu, sigma, more) = match self.bills {
            0..5_000 => (6.2, 1.5, 375),
            5_000..50_000 => (6.9, 1.6, 565),
            _ => (7.3, 1.9, 565),
        };
        let mut total = self.dice.log_normal_cents(mu, sigma);
        if self.dice.per_mille(180) {
            total = (total / 100).max(1) * 100;
        }
        let count = match feature {
            Some(Feature::Long) if self.bills >= 1_000 => 156,
            Some(Feature::Long) => 30,
            _ => self.dice.one_and_more(more, 156),
        };
        let count_items = feature == Some(Feature::Items);
        let mut lines: Vec<Line> = Vec::with_capacity(count);
        for (at, part) in self.dice.split(total, count).into_iter().enumerate() {
            let item = (count_items && at == 0) || self.dice.per_mille(60);
            lines.push(self.line(vendor, part, item));
        }
        if feature == Some(Feature::Cent) || (lines.len() > 1 && self.dice.per_mille(100)) {
            let cent = if total > 1 && self.dice.per_mille(500) {
                -1
            } else {
                1
            };
            lines.push(self.line(vendor, cent, false));
        }
        if feature == Some(Feature::Tax) || (feature.is_none() && self.dice.per_mille(30)) {
            let tax = Line {
                kind: LineKind::Tax,
                account: self.tax,
                ..self.line(vendor, 1, false)
            };
            lines.push(Line {
                amount: money((total * 825 / 10_000).max(1)),
                ..tax
            });
        }
        self.turn(vendor, feature, &mut lines);
        lines
    }

    /// Negative lines: a return within a bill, a bill of zero, a bill below zero.
    fn turn(&mut self, vendor: usize, feature: Option<Feature>, lines: &mut Vec<Line>) {
        let sum: i64 = lines.iter().map(|line| cents(line.amount)).sum();
        let drawn = if feature.is_none() {
            self.dice.below(1000)
        } else {
            1000
        };
        let less = match (feature, drawn) {
            (Some(Feature::MixedSigns), _) | (None, 0..6) if sum > 1 => sum / 2,
            (Some(Feature::NetZero), _) | (None, 6) => sum,
            (Some(Feature::NetNegative), _) | (None, 7..10) => sum + sum / 3 + 1,
            _ => return,
        };
        lines.push(self.line(vendor, -less, false));
    }

    fn line(&mut self, vendor: usize, cents: i64, item: bool) -> Line {
        // Most vendors have one account; one line in six goes to another.
        let usual = self.expenses[mixed_below(vendor as u64, self.expenses.len())];
        let other = if self.dice.per_mille(160) {
            self.dice.pick(&self.expenses)
        } else {
            None
        };
        let item = if item {
            self.dice.pick(&self.items)
        } else {
            None
        };
        let (kind, account) = match item {
            Some((item, account)) => {
                let quantity = u32::try_from(1 + self.dice.below(12)).unwrap_or(1);
                (LineKind::Item(item, quantity), account)
            }
            None => (LineKind::Expense, other.unwrap_or(usual)),
        };
        let memo = self
            .dice
            .per_mille(120)
            .then(|| format!("Order line {}", 1 + self.dice.below(90)));
        let [departments, classes, locations] = &self.dimensions;
        let dice = &mut self.dice;
        let mut one_of = |share, from: &[usize]| {
            if dice.per_mille(share) {
                dice.pick(from)
            } else {
                None
            }
        };
        Line {
            kind,
            account,
            amount: money(cents),
            memo,
            department: one_of(700, departments),
            class: one_of(400, classes),
            location: one_of(300, locations),
        }
    }
}

/// Cents of an amount with two decimals.
pub(super) fn cents(amount: Decimal) -> i64 {
    let mut amount = amount;
    amount.rescale(2);
    i64::try_from(amount.mantissa()).unwrap_or(i64::MAX)
}

/// The same number as another clerk would have typed it.
fn near(number: &str) -> String {
    match number.split_once(' ') {
        Some((start, end)) => format!("{start}{end}"),
        None if number.starts_with('0') => number.trim_start_matches('0').to_owned(),
        None => format!("0{number}"),
    }
}

/// Units of the base currency for one unit of the bill's. It wavers from day to day.
fn rate(bill: Currency, base: Currency, date: Date) -> Decimal {
    let day = u64::from(date.day_of_year().unsigned_abs());
    let waver = i64::try_from(mixed_below(day, 200)).unwrap_or(0) - 100;
    match (bill == base, base == Currency::USD) {
        (true, _) => Decimal::ONE,
        (false, true) => Decimal::new(7_300 + waver, 4),
        (false, false) => Decimal::new(13_700 + waver, 4),
    }
}
