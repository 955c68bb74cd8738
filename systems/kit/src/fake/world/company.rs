//! What a company has before its first document: subsidiaries, periods, a chart of accounts, lists.

use jiff::Span;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{
    Account, Axis, Collector, Currency, Dimension, Item, PayPage, Period, PeriodState, Platform,
    Subsidiary, Term, World,
};

/// Number of the bank account that bills are paid from.
pub(super) const BANK: &str = "1000";
/// Number of the clearing account of the payment platform.
pub(super) const CLEARING: &str = "1090";
/// Number of accounts payable.
pub(super) const PAYABLE: &str = "2000";
/// Number of the account that tax lines are booked to.
pub(super) const SALES_TAX: &str = "2200";

/// Number, name, NetSuite type, parent's number, mark: `+` a heading, `-` inactive.
type Entry = (&'static str, &'static str, &'static str, &'static str, char);

/// What even a bare account has.
/// The ledger's account id, unless somebody wants another.
const ACCOUNT_ID: &str = "1234567_SB1";

const BARE_CHART: [Entry; 4] = [
    (BANK, "Operating Checking", "Bank", "", ' '),
    (CLEARING, "Bill Payment Clearing", "Bank", "", ' '),
    ("1100", "Accounts Receivable", "AcctRec", "", ' '),
    (PAYABLE, "Accounts Payable", "AcctPay", "", ' '),
];

/// The rest of the chart. Two accounts share a name under different parents, one number has a letter and
/// one a leading zero.
const CHART: [Entry; 52] = [
    ("1010", "Payroll Checking", "Bank", "", ' '),
    ("1200", "Prepaid Expenses", "OthCurrAsset", "", ' '),
    ("1500", "Equipment", "FixedAsset", "", ' '),
    ("2100", "Accrued Liabilities", "OthCurrLiab", "", ' '),
    (SALES_TAX, "Sales Tax Payable", "OthCurrLiab", "", ' '),
    ("3000", "Common Stock", "Equity", "", ' '),
    ("4000", "Sales", "Income", "", ' '),
    ("5000", "Cost of Goods Sold", "COGS", "", ' '),
    ("5010", "Materials", "COGS", "5000", ' '),
    ("5020", "Freight In", "COGS", "5000", ' '),
    ("5030", "Subcontractors", "COGS", "5000", ' '),
    ("6000", "Operating Expenses", "Expense", "", '+'),
    ("6100", "Office", "Expense", "6000", ' '),
    ("6110", "Office Supplies", "Expense", "6100", ' '),
    ("6120", "Postage & Courier", "Expense", "6100", ' '),
    ("6130", "Printing", "Expense", "6100", ' '),
    ("6140", "Other", "Expense", "6100", ' '),
    ("6150A", "Small Furniture", "Expense", "6100", ' '),
    ("6200", "Occupancy", "Expense", "6000", ' '),
    ("6210", "Rent", "Expense", "6200", ' '),
    ("6220", "Utilities", "Expense", "6200", ' '),
    ("6230", "Repairs & Maintenance", "Expense", "6200", ' '),
    ("6240", "Janitorial", "Expense", "6200", ' '),
    ("6250", "Property Insurance", "Expense", "6200", ' '),
    ("6300", "Travel", "Expense", "6000", ' '),
    ("6310", "Airfare", "Expense", "6300", ' '),
    ("6320", "Lodging", "Expense", "6300", ' '),
    ("6330", "Meals", "Expense", "6300", ' '),
    ("6340", "Other", "Expense", "6300", ' '),
    ("6400", "Technology", "Expense", "6000", ' '),
    ("6410", "Software Subscriptions", "Expense", "6400", ' '),
    ("6420", "Hosting", "Expense", "6400", ' '),
    ("6430", "Telephone & Internet", "Expense", "6400", ' '),
    ("6440", "Hardware under $2,500", "Expense", "6400", ' '),
    ("6500", "Professional Fees", "Expense", "6000", ' '),
    ("6510", "Legal", "Expense", "6500", ' '),
    ("6520", "Audit & Tax", "Expense", "6500", ' '),
    ("6530", "Consulting", "Expense", "6500", ' '),
    ("6540", "Recruiting", "Expense", "6500", ' '),
    ("6600", "Marketing", "Expense", "6000", ' '),
    ("6610", "Advertising", "Expense", "6600", ' '),
    ("6620", "Trade Shows", "Expense", "6600", ' '),
    ("6630", "Sponsorship", "Expense", "6600", ' '),
    ("6690", "Print Media (old)", "Expense", "6600", '-'),
    ("06700", "Staff Welfare", "Expense", "6000", ' '),
    ("6710", "Training", "Expense", "06700", ' '),
    ("6720", "Benefits", "Expense", "06700", ' '),
    ("6800", "Vehicles", "Expense", "6000", ' '),
    ("6810", "Fuel", "Expense", "6800", ' '),
    ("6820", "Vehicle Repairs", "Expense", "6800", ' '),
    ("6900", "Bank Charges", "Expense", "6000", ' '),
    ("7000", "Exchange Gain or Loss", "OthExpense", "", ' '),
];

/// Axis, name, parent's name, whether inactive.
const DIMENSIONS: [(Axis, &str, &str, bool); 22] = [
    (Axis::Department, "Administration", "", false),
    (Axis::Department, "Finance", "Administration", false),
    (Axis::Department, "People", "Administration", false),
    (Axis::Department, "Engineering", "", false),
    (Axis::Department, "Platform", "Engineering", false),
    (Axis::Department, "Research", "Engineering", false),
    (Axis::Department, "Sales", "", false),
    (Axis::Department, "Marketing", "Sales", false),
    (Axis::Department, "Operations", "", false),
    (Axis::Department, "Field Services", "Operations", true),
    (Axis::Class, "Products", "", false),
    (Axis::Class, "Hardware", "Products", false),
    (Axis::Class, "Software", "Products", false),
    (Axis::Class, "Services", "", false),
    (Axis::Class, "Training", "Services", false),
    (Axis::Class, "Discontinued", "", true),
    (Axis::Location, "Headquarters", "", false),
    (Axis::Location, "Second Floor", "Headquarters", false),
    (Axis::Location, "Warehouse", "", false),
    (Axis::Location, "Bay 1", "Warehouse", false),
    (Axis::Location, "Remote", "", false),
    (Axis::Location, "Old Annex", "", true),
];

type Terms = (&'static str, u32, Option<(i64, u32)>, u32);

/// The terms in use: name, days, discount in per cent and its days, and how many of a hundred vendors
/// have them.
pub(super) const TERMS: [Terms; 7] = [
    ("Net 30", 30, None, 56),
    ("Due on receipt", 0, None, 15),
    ("Net 15", 15, None, 12),
    ("Net 45", 45, None, 6),
    ("Net 60", 60, None, 6),
    ("Net 10", 10, None, 3),
    ("2% 10 Net 30", 30, Some((2, 10)), 2),
];

/// Items and the numbers of the accounts that their purchases are booked to.
const ITEMS: [(&str, &str); 6] = [
    ("Widget, blue", "5010"),
    ("Bracket 40 mm", "5010"),
    ("Inbound freight", "5020"),
    ("Contract labour (hour)", "5030"),
    ("Laptop", "6440"),
    ("Seat licence", "6410"),
];

/// The subsidiary whose payables the platform's organization pays.
fn paying_subsidiary(one_world: bool) -> usize {
    if one_world { 2 } else { 0 }
}

impl World {
    /// A bare account: subsidiaries, currencies, periods (all open) and the four accounts without which
    /// nothing can be booked; no lists, vendors or documents, and an empty platform with a bank account.
    #[must_use]
    pub fn empty(today: Date, one_world: bool, time_zone: &str) -> Self {
        let mut world = Self {
            today,
            time_zone: time_zone.to_owned(),
            account_id: ACCOUNT_ID.to_owned(),
            one_world,
            subsidiaries: subsidiaries(one_world),
            currencies: currencies(one_world),
            periods: periods(a_year_before(today), today),
            accounts: Vec::new(),
            dimensions: Vec::new(),
            terms: Vec::new(),
            items: Vec::new(),
            vendors: Vec::new(),
            bills: Vec::new(),
            credits: Vec::new(),
            payments: Vec::new(),
            receivables: super::Receivables::default(),
            platform: Platform {
                subsidiary: paying_subsidiary(one_world),
                ..Platform::default()
            },
            collector: Collector::default(),
            pay_page: PayPage::default(),
        };
        world.add_accounts(&BARE_CHART);
        world.platform.bank_account = world.account(BANK);
        world.platform.accounts = [BANK, CLEARING, PAYABLE]
            .iter()
            .filter_map(|n| world.account(n))
            .collect();
        world
    }

    /// A company that is set up and has done nothing yet: the whole chart, lists, terms and items, the
    /// oldest two periods closed and the third locked.
    pub(super) fn furnished(today: Date, one_world: bool, time_zone: &str) -> Self {
        let mut world = Self::empty(today, one_world, time_zone);
        world.add_accounts(&CHART);
        world.add_terms();
        for (axis, name, parent, inactive) in DIMENSIONS {
            let parent = world
                .dimensions
                .iter()
                .position(|d| d.axis == axis && d.name == parent);
            world.dimensions.push(Dimension {
                axis,
                name: name.to_owned(),
                parent,
                inactive,
            });
        }
        for (name, number) in ITEMS {
            if let Some(account) = world.account(number) {
                world.items.push(Item {
                    name: name.to_owned(),
                    account,
                });
            }
        }
        let states = [
            PeriodState::Closed,
            PeriodState::Closed,
            PeriodState::Locked,
        ];
        for (period, state) in world.periods.iter_mut().zip(states) {
            period.state = state;
        }
        world
    }

    /// Founds so many more subsidiaries below the root, in its currency: a group's branches, which have done
    /// nothing yet. An account without subsidiaries stays so.
    pub fn found_branches(&mut self, count: usize) {
        let Some(root) = self.subsidiaries.first().filter(|_| self.one_world) else {
            return;
        };
        let (currency, country) = (root.currency, root.country.clone());
        for number in 1..=count {
            self.subsidiaries.push(Subsidiary {
                name: format!("Larkmere Branch {number}"),
                parent: Some(0),
                currency,
                country: country.clone(),
            });
        }
    }

    pub(super) fn add_terms(&mut self) {
        self.terms
            .extend(TERMS.iter().map(|(name, days, discount, _)| Term {
                name: (*name).to_owned(),
                days: *days,
                discount: discount.map(|(per_cent, within)| (Decimal::from(per_cent), within)),
            }));
    }

    fn add_accounts(&mut self, chart: &[Entry]) {
        for (number, name, kind, parent, mark) in chart {
            self.accounts.push(Account {
                number: (*number).to_owned(),
                name: (*name).to_owned(),
                kind: (*kind).to_owned(),
                parent: self.account(parent),
                summary: *mark == '+',
                inactive: *mark == '-',
            });
        }
    }
}

fn subsidiaries(one_world: bool) -> Vec<Subsidiary> {
    let make = |name: &str, parent, currency, country: &str| Subsidiary {
        name: name.to_owned(),
        parent,
        currency,
        country: country.to_owned(),
    };
    if one_world {
        vec![
            make("Larkmere Holdings Inc.", None, Currency::USD, "US"),
            make("Larkmere Canada Ltd.", Some(0), canadian(), "CA"),
            make("Larkmere Works LLC", Some(0), Currency::USD, "US"),
        ]
    } else {
        vec![make("Larkmere Works LLC", None, Currency::USD, "US")]
    }
}

fn currencies(one_world: bool) -> Vec<Currency> {
    if one_world {
        vec![Currency::USD, canadian()]
    } else {
        vec![Currency::USD]
    }
}

/// The Canadian dollar.
pub(super) fn canadian() -> Currency {
    "CAD".parse().expect("CAD is a code of ISO 4217")
}

/// The first day of the year that ends on a day.
pub(super) fn a_year_before(today: Date) -> Date {
    days_after(today, -364)
}

/// A day so many days later, or earlier.
pub(super) fn days_after(date: Date, days: i64) -> Date {
    date.saturating_add(Span::new().days(days))
}

/// The months from that of `first` to the December of `today`'s year, all open. Next year's are not
/// created yet.
pub(super) fn periods(first: Date, today: Date) -> Vec<Period> {
    let mut periods = Vec::new();
    let mut start = first.first_of_month();
    while start.year() <= today.year() {
        let name = start.strftime("%b %Y").to_string();
        let end = start.last_of_month();
        periods.push(Period {
            name,
            start,
            end,
            state: PeriodState::Open,
        });
        let next = days_after(end, 1);
        if next <= start {
            break;
        }
        start = next;
    }
    periods
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_bare_account_can_be_booked_to_and_holds_nothing() {
        let world = World::empty(date(2026, 7, 1), true, "America/New_York");
        assert_eq!((world.subsidiaries.len(), world.currencies.len()), (3, 2));
        let numbers: Vec<&str> = world.accounts.iter().map(|a| a.number.as_str()).collect();
        assert_eq!(numbers, ["1000", "1090", "1100", "2000"]);
        assert!(world.vendors.is_empty() && world.bills.is_empty() && world.terms.is_empty());
        assert_eq!(world.platform.bank_account, Some(0));
        let single = World::empty(date(2026, 7, 1), false, "UTC");
        assert_eq!((single.subsidiaries.len(), single.currencies.len()), (1, 1));
        assert_eq!(single.platform.subsidiary, 0);
    }

    #[test]
    fn periods_are_whole_months_up_to_the_end_of_the_year() {
        let periods = periods(date(2025, 7, 2), date(2026, 7, 1));
        assert_eq!(periods.len(), 18);
        assert_eq!(
            (periods[0].name.as_str(), periods[0].start),
            ("Jul 2025", date(2025, 7, 1))
        );
        assert_eq!(periods[17].end, date(2026, 12, 31));
        for pair in periods.windows(2) {
            assert_eq!(days_after(pair[0].end, 1), pair[1].start);
        }
    }

    #[test]
    fn a_furnished_company_has_parents_before_children() {
        let world = World::furnished(date(2026, 7, 1), true, "UTC");
        for (index, account) in world.accounts.iter().enumerate() {
            assert!(
                account.parent.is_none_or(|parent| parent < index),
                "{}",
                account.number
            );
        }
        for (index, dimension) in world.dimensions.iter().enumerate() {
            let axis = |parent: usize| world.dimensions[parent].axis;
            assert!(
                dimension
                    .parent
                    .is_none_or(|p| p < index && axis(p) == dimension.axis)
            );
        }
        assert!(
            world.accounts.iter().any(|a| a.summary) && world.accounts.iter().any(|a| a.inactive)
        );
        assert_eq!(world.items.len(), ITEMS.len());
        assert_eq!(TERMS.iter().map(|t| t.3).sum::<u32>(), 100);
        let states = |state| world.periods.iter().filter(|p| p.state == state).count();
        assert_eq!(
            (states(PeriodState::Closed), states(PeriodState::Locked)),
            (2, 1)
        );
    }
}
