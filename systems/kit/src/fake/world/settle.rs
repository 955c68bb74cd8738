//! What was settled in the ledger before the start, and what the payment platform already holds.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::{Date, Weekday};

use super::company::{BANK, days_after};
use super::documents::{Feature, cents, feature, role};
use super::draw::{Dice, money};
use super::generate::Shape;
use super::{Approval, Bill, Credit, Currency, Line, LineKind, Payment, World};

/// The most bills that one payment covers.
const BILLS_PER_PAYMENT: usize = 35;

/// Of a thousand bills a year old, how many are paid; of younger ones in proportion. A first load has
/// something to do: nine bills of ten are open.
const PAID_AFTER_A_YEAR: i64 = 200;

/// What remains to be paid of each bill, in cents; below zero for bills that are credits.
struct Open(Vec<i64>);

/// Pays bills, writes credits and applies some of them, and tells what the platform holds.
pub(super) fn settle(world: &mut World, shape: &Shape) {
    let mut dice = Dice::new(shape.seed, 3);
    let mut open = Open(world.bills.iter().map(|bill| cents(bill.total())).collect());
    pay(world, &mut open, &mut dice);
    credit(world, &mut open, &mut dice);
    type_in(world, &open, &mut dice);
}

fn pay(world: &mut World, open: &mut Open, dice: &mut Dice) {
    let Some(account) = world.account(BANK) else {
        return;
    };
    let count = world.bills.len();
    let mut runs: HashMap<(usize, usize, Currency, Date), usize> = HashMap::new();
    let mut payments: Vec<Payment> = Vec::new();
    for (index, bill) in world.bills.iter().enumerate() {
        let inactive = world.vendors[bill.vendor].inactive;
        let paid = paid_cents(
            bill,
            open.0[index],
            feature(index, count),
            inactive,
            world.today,
            dice,
        );
        if paid == 0 {
            continue;
        }
        open.0[index] -= paid;
        let date = pay_day(bill, world.today);
        let run = runs.entry((bill.vendor, bill.subsidiary, bill.currency, date));
        let at = *run
            .and_modify(|at| {
                if payments[*at].applied.len() >= BILLS_PER_PAYMENT {
                    *at = payments.len();
                }
            })
            .or_insert(payments.len());
        if at == payments.len() {
            payments.push(Payment {
                vendor: bill.vendor,
                subsidiary: bill.subsidiary,
                number: String::new(),
                date,
                account,
                currency: bill.currency,
                applied: Vec::new(),
            });
        }
        payments[at].applied.push((index, money(paid)));
    }
    payments.sort_by_key(|payment| payment.date);
    for (payment, number) in payments.iter_mut().zip(10_001..) {
        payment.number = number.to_string();
    }
    world.payments = payments;
}

/// How much of a bill was paid in the ledger. Bills that are particular stay as they are, so that what is
/// particular about them can be met.
fn paid_cents(
    bill: &Bill,
    open: i64,
    feature: Option<Feature>,
    inactive: bool,
    today: Date,
    dice: &mut Dice,
) -> i64 {
    if bill.approval != Approval::Approved || open <= 1 || bill.payment_hold {
        return 0;
    }
    let part = 1 + (open - 1) / 3;
    match feature {
        Some(Feature::Paid) => open,
        Some(Feature::PartlyPaid) => part,
        Some(_) => 0,
        None if inactive => open,
        None => {
            let age = i64::from(bill.date.until(today).map_or(0, |age| age.get_days()));
            let share = u32::try_from(PAID_AFTER_A_YEAR * age / 365).unwrap_or(0);
            if dice.per_mille(share) {
                open
            } else if dice.per_mille(15) {
                part
            } else {
                0
            }
        }
    }
}

/// Bills are paid on the Friday on or after they are due, or else on the last Friday before `today`.
fn pay_day(bill: &Bill, today: Date) -> Date {
    let due = days_after(
        bill.due,
        i64::from(bill.due.weekday().until(Weekday::Friday)),
    );
    let friday = days_after(today, -i64::from(today.weekday().since(Weekday::Friday)));
    due.min(friday).max(bill.date)
}

/// Credits: one in a hundred and fifty bills, three at least. In turn unapplied, applied in part, and
/// applied to the last cent.
fn credit(world: &mut World, open: &mut Open, dice: &mut Dice) {
    let wanted = (world.bills.len() / 150).max(3);
    let mut credits = Vec::with_capacity(wanted);
    for number in 0..wanted {
        let Some(index) = open_bill(world, open, dice) else {
            break;
        };
        let bill = &world.bills[index];
        let drawn = dice.log_normal_cents(5.5, 1.2).max(2);
        let (total, applied) = match number % 3 {
            0 => (drawn, 0),
            1 => (drawn, (drawn / 2).min(open.0[index] / 2).max(1)),
            _ => (drawn.min(open.0[index] - 1), drawn.min(open.0[index] - 1)),
        };
        open.0[index] -= applied;
        let age = bill.date.until(world.today).map_or(0, |age| age.get_days());
        let later = dice.below(usize::try_from(age).unwrap_or(0) + 1);
        let like = &bill.lines[0];
        credits.push(Credit {
            vendor: bill.vendor,
            subsidiary: bill.subsidiary,
            number: format!("CM-{}", 2001 + number),
            date: days_after(bill.date, i64::try_from(later).unwrap_or(0)),
            currency: bill.currency,
            lines: vec![Line {
                kind: LineKind::Expense,
                amount: money(total),
                ..like.clone()
            }],
            applied: if applied > 0 {
                vec![(index, money(applied))]
            } else {
                Vec::new()
            },
        });
    }
    credits.sort_by_key(|credit| credit.date);
    world.credits = credits;
}

/// An ordinary bill of an active vendor that is open for more than a cent.
fn open_bill(world: &World, open: &Open, dice: &mut Dice) -> Option<usize> {
    let count = world.bills.len();
    let start = dice.below(count);
    (0..count).map(|step| (start + step) % count).find(|index| {
        let bill = &world.bills[*index];
        open.0[*index] > 2
            && bill.approval == Approval::Approved
            && !bill.payment_hold
            && !world.vendors[bill.vendor].inactive
            && feature(*index, count).is_none()
    })
}

/// What the platform holds: most accounts and dimensions, one vendor in three, a few bills that someone
/// typed in from the ledger's, and two that only it knows.
fn type_in(world: &mut World, open: &Open, dice: &mut Dice) {
    let mut accounts = Vec::new();
    for (index, account) in world.accounts.iter().enumerate() {
        let missing = account.kind == "Expense" && index % 6 == 4;
        if !account.summary && !account.inactive && !missing {
            accounts.push(index);
        }
    }
    let mut dimensions: Vec<usize> = Vec::new();
    for (index, dimension) in world.dimensions.iter().enumerate() {
        let parent_there = dimension
            .parent
            .is_none_or(|parent| dimensions.contains(&parent));
        if !dimension.inactive && parent_there && index % 4 != 3 {
            dimensions.push(index);
        }
    }
    let mut vendors: BTreeSet<usize> = BTreeSet::new();
    let suppliers = world.vendors.iter().enumerate().filter(|(index, vendor)| {
        *index != role::NAMESAKE
            && !vendor.inactive
            && vendor.category == "Supplier"
            && vendor.currency == Currency::USD
            && vendor.subsidiaries.contains(&world.platform.subsidiary)
    });
    let suppliers: Vec<usize> = suppliers.map(|(index, _)| index).collect();
    vendors.extend(suppliers.iter().step_by(3));
    let bills = typed_by_hand(world, open, dice);
    vendors.extend(bills.iter().map(|index| world.bills[*index].vendor));
    let mut own_bills = Vec::new();
    let expense = accounts
        .iter()
        .copied()
        .find(|at| world.accounts[*at].kind == "Expense");
    if let (Some(account), false) = (expense, world.bills.is_empty()) {
        for (vendor, (number, age)) in suppliers
            .iter()
            .step_by(3)
            .zip([("HAND-1001", 12), ("HAND-1002", 40)])
        {
            let amount = money(dice.log_normal_cents(6.2, 1.5));
            let date = days_after(world.today, -age);
            own_bills.push((*vendor, number.to_owned(), date, amount, account));
        }
    }
    let own_account = ("6999", "Ask My Accountant", "Expense");
    let platform = &mut world.platform;
    platform.accounts = accounts;
    platform.own_accounts = vec![(
        own_account.0.to_owned(),
        own_account.1.to_owned(),
        own_account.2.to_owned(),
    )];
    platform.dimensions = dimensions;
    platform.vendors = vendors.into_iter().collect();
    platform.bills = bills;
    platform.own_bills = own_bills;
}

/// One bill in a hundred, two at least and 25 at most, each untouched and the only one of its number.
fn typed_by_hand(world: &World, open: &Open, dice: &mut Dice) -> Vec<usize> {
    let wanted = (world.bills.len() / 100).clamp(2, 25);
    let mut bills = BTreeSet::new();
    for _ in 0..wanted * 20 {
        if bills.len() == wanted {
            break;
        }
        let Some(index) = open_bill(world, open, dice) else {
            break;
        };
        let bill = &world.bills[index];
        let same = |other: &&Bill| other.vendor == bill.vendor && other.number == bill.number;
        let known_there = bill.subsidiary == world.platform.subsidiary
            && bill.currency == Currency::USD
            && world.vendors[bill.vendor].category == "Supplier";
        let untouched = open.0[index] == cents(bill.total());
        let only = || !bill.number.is_empty() && world.bills.iter().filter(same).count() == 1;
        if known_there && untouched && only() {
            bills.insert(index);
        }
    }
    bills.into_iter().collect()
}
