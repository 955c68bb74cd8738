//! Makes a world from a file of real payables lines, as a city publishes them.
//!
//! The file is CSV with a header line; these columns are read, by name, in any order:
//!
//! | column | becomes |
//! |---|---|
//! | `payment_date` | the bill's date, shifted by whole weeks so that the last falls into the week before today |
//! | `vendor` | the vendor, as printed |
//! | `amount` | the line's amount, in dollars |
//! | `account`, `account_name` | the expense account |
//! | `center`, `center_name` | the department (may be blank) |
//! | `fund`, `fund_name` | the class (may be blank) |
//!
//! One vendor's lines of one day and sign are one bill. Such files have no invoice numbers, terms or
//! addresses: they are made, the same ones each time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::{Position, Reader, ReaderBuilder, StringRecord, Trim};
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::company::{days_after, periods};
use super::draw::Dice;
use super::generate::Shape;
use super::{
    Account, Approval, Axis, Bill, Currency, Dimension, Line, LineKind, World, documents, names,
};

/// Why a file could not be made a world of.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The file can't be opened.
    #[error("{} can't be opened: {source}; check the path and that it may be read", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A column is missing in the header line.
    #[error("line 1: there is no column `{column}`; the header line must name {needed}")]
    Header {
        /// The column.
        column: &'static str,
        /// All columns that are needed.
        needed: String,
    },
    /// A line can't be read as CSV at all.
    #[error("line {line}: {problem}; write UTF-8 CSV with as many fields as the header line has")]
    Unreadable {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// A field is not what it must be.
    #[error("line {line}, column `{column}`: {problem}; {fix}")]
    Field {
        /// The line, counted from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What is wrong.
        problem: String,
        /// What to write there.
        fix: String,
    },
    /// There is no line after the header.
    #[error("the file has no lines after its header line; a world needs at least one")]
    Empty,
}

impl DatasetError {
    /// A code that names the kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "DATASET_UNREADABLE",
            Self::Header { .. } => "DATASET_COLUMN_MISSING",
            Self::Unreadable { .. } | Self::Field { .. } => "DATASET_LINE_MALFORMED",
            Self::Empty => "DATASET_EMPTY",
        }
    }
}

const COLUMNS: [&str; 9] = [
    "payment_date",
    "vendor",
    "amount",
    "fund",
    "fund_name",
    "center",
    "center_name",
    "account",
    "account_name",
];

/// Reads a file. Of the shape its seed, day, time zone and whether it is OneWorld are heeded: how many
/// vendors and bills there are is the file's to say.
///
/// # Errors
/// If the file can't be read or a line is malformed; the message names line, column and fix.
pub fn load(path: impl AsRef<Path>, shape: &Shape) -> Result<World, DatasetError> {
    let path = path.as_ref();
    let open = |source| DatasetError::Open {
        path: path.to_owned(),
        source,
    };
    read(File::open(path).map_err(open)?, shape)
}

/// Reads the same from anywhere.
///
/// # Errors
/// As [`load`].
pub fn read(from: impl Read, shape: &Shape) -> Result<World, DatasetError> {
    let mut reader = ReaderBuilder::new().trim(Trim::Headers).from_reader(from);
    let columns = columns(&mut reader)?;
    let mut import = Import::new(shape);
    let mut record = StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => import.take(&Row {
                record: &record,
                columns: &columns,
            })?,
            Ok(false) => break,
            Err(error) => return Err(unreadable(&error)),
        }
    }
    import.finish(shape)
}

fn columns(reader: &mut Reader<impl Read>) -> Result<[usize; 9], DatasetError> {
    let header = reader.headers().map_err(|error| unreadable(&error))?;
    let mut columns = [0; 9];
    for (index, column) in columns.iter_mut().zip(COLUMNS) {
        let found = header
            .iter()
            .position(|name| name.trim_start_matches('\u{feff}') == column);
        let missing = || DatasetError::Header {
            column,
            needed: COLUMNS.join(", "),
        };
        *index = found.ok_or_else(missing)?;
    }
    Ok(columns)
}

fn unreadable(error: &csv::Error) -> DatasetError {
    let line = error.position().map_or(1, Position::line);
    DatasetError::Unreadable {
        line,
        problem: error.to_string(),
    }
}

/// A line of the file.
struct Row<'a> {
    record: &'a StringRecord,
    columns: &'a [usize; 9],
}

impl Row<'_> {
    fn field(&self, column: &'static str) -> &str {
        let at = COLUMNS.iter().position(|known| *known == column);
        at.and_then(|at| self.record.get(self.columns[at]))
            .unwrap_or_default()
    }

    fn needed(&self, column: &'static str, fix: &str) -> Result<&str, DatasetError> {
        let field = self.field(column);
        if field.trim().is_empty() {
            return Err(self.wrong(column, "it is blank".to_owned(), fix));
        }
        Ok(field)
    }

    fn wrong(&self, column: &'static str, problem: String, fix: &str) -> DatasetError {
        let line = self.record.position().map_or(0, Position::line);
        DatasetError::Field {
            line,
            column,
            problem,
            fix: fix.to_owned(),
        }
    }

    fn date(&self) -> Result<Date, DatasetError> {
        let text = self.field("payment_date");
        text.trim().parse().map_err(|_| {
            let problem = format!("`{text}` is no date");
            self.wrong(
                "payment_date",
                problem,
                "write it as year-month-day, such as 2017-08-14",
            )
        })
    }

    fn amount(&self) -> Result<Decimal, DatasetError> {
        let text = self.field("amount");
        let fix = "write dollars and cents without thousands separators, such as -1021.38";
        let mut amount = Decimal::from_str_exact(text.trim())
            .map_err(|_| self.wrong("amount", format!("`{text}` is no amount"), fix))?;
        if amount.normalize().scale() > 2 {
            return Err(self.wrong("amount", format!("`{text}` has parts of a cent"), fix));
        }
        amount.rescale(2);
        Ok(amount)
    }
}

/// The most that the sandbox's books hold of one bill, in whole dollars.
const TOTAL_MAX: i64 = 900_000_000_000;

/// One vendor's lines of one day and sign are one bill.
type BillKey = (usize, Date, std::cmp::Ordering);

/// The world while the file is being read.
struct Import {
    world: World,
    dice: Dice,
    own_accounts: usize,
    accounts: HashMap<String, usize>,
    dimensions: HashMap<(Axis, String), usize>,
    vendors: HashMap<String, usize>,
    bills: HashMap<BillKey, usize>,
}

impl Import {
    fn new(shape: &Shape) -> Self {
        let mut world = World::empty(shape.today, shape.one_world, &shape.time_zone);
        world.add_terms();
        Self {
            own_accounts: world.accounts.len(),
            world,
            dice: Dice::new(shape.seed, 4),
            accounts: HashMap::new(),
            dimensions: HashMap::new(),
            vendors: HashMap::new(),
            bills: HashMap::new(),
        }
    }

    fn take(&mut self, row: &Row<'_>) -> Result<(), DatasetError> {
        let date = row.date()?;
        let amount = row.amount()?;
        let account = self.account(row)?;
        let vendor = self.vendor(row.needed("vendor", "write the payee's name")?);
        let line = Line {
            kind: LineKind::Expense,
            account,
            amount,
            memo: None,
            department: self.dimension(
                Axis::Department,
                row.field("center"),
                row.field("center_name"),
            ),
            class: self.dimension(Axis::Class, row.field("fund"), row.field("fund_name")),
            location: None,
        };
        let bills = &mut self.world.bills;
        let beyond = |total: Option<Decimal>| {
            total.is_none_or(|total| total.abs() > Decimal::from(TOTAL_MAX))
        };
        let too_large = || {
            let problem = format!("the bill of `{amount}` is larger than {TOTAL_MAX}");
            row.wrong(
                "amount",
                problem,
                "one vendor's lines of one day are one bill",
            )
        };
        match self.bills.entry((vendor, date, amount.cmp(&Decimal::ZERO))) {
            Entry::Occupied(known) => {
                let bill = &mut bills[*known.get()];
                if beyond(bill.total().checked_add(amount)) {
                    return Err(too_large());
                }
                bill.lines.push(line);
            }
            Entry::Vacant(_) if beyond(Some(amount)) => return Err(too_large()),
            Entry::Vacant(new) => {
                new.insert(bills.len());
                bills.push(Bill {
                    vendor,
                    subsidiary: self.world.platform.subsidiary,
                    number: String::new(),
                    date,
                    due: date,
                    currency: Currency::USD,
                    rate: Decimal::ONE,
                    approval: Approval::Approved,
                    memo: None,
                    purchase_order: None,
                    payment_hold: false,
                    lines: vec![line],
                });
            }
        }
        Ok(())
    }

    fn account(&mut self, row: &Row<'_>) -> Result<usize, DatasetError> {
        let number = row
            .needed("account", "write the number of the account that is charged")?
            .trim();
        if let Some(known) = self.accounts.get(number) {
            return Ok(*known);
        }
        if let Some(own) = self.world.accounts[..self.own_accounts]
            .iter()
            .find(|a| a.number == number)
        {
            let problem = format!("`{number}` is the sandbox's own account {}", own.name);
            return Err(row.wrong("account", problem, "give the expense another number"));
        }
        let name = match row.field("account_name").trim() {
            "" => number,
            name => name,
        };
        let index = self.world.accounts.len();
        self.world.accounts.push(Account {
            number: number.to_owned(),
            name: name.to_owned(),
            kind: "Expense".to_owned(),
            parent: None,
            summary: false,
            inactive: false,
        });
        self.accounts.insert(number.to_owned(), index);
        Ok(index)
    }

    /// Codes are unique and names are not, so that a dimension's name has both.
    fn dimension(&mut self, axis: Axis, code: &str, name: &str) -> Option<usize> {
        let (code, name) = (code.trim(), name.trim());
        if code.is_empty() && name.is_empty() {
            return None;
        }
        let dimensions = &mut self.world.dimensions;
        let key = if code.is_empty() { name } else { code };
        Some(
            *self
                .dimensions
                .entry((axis, key.to_owned()))
                .or_insert_with(|| {
                    let name = format!("{code} {name}").trim().to_owned();
                    dimensions.push(Dimension {
                        axis,
                        name,
                        parent: None,
                        inactive: false,
                    });
                    dimensions.len() - 1
                }),
        )
    }

    fn vendor(&mut self, name: &str) -> usize {
        if let Some(known) = self.vendors.get(name) {
            return *known;
        }
        let index = self.world.vendors.len();
        let vendor =
            documents::furnished(index, name.to_owned(), self.world.one_world, &mut self.dice);
        self.world.vendors.push(vendor);
        self.vendors.insert(name.to_owned(), index);
        index
    }

    /// Shifts the dates, and gives each bill its number and due date.
    fn finish(mut self, shape: &Shape) -> Result<World, DatasetError> {
        let last = self.world.bills.iter().map(|bill| bill.date).max();
        let last = last.ok_or(DatasetError::Empty)?;
        let shift = weeks_before(shape.today, last);
        let world = &mut self.world;
        world.bills.sort_by_key(|bill| bill.date);
        let mut sequence = vec![0_u64; world.vendors.len()];
        for bill in &mut world.bills {
            let terms = world.vendors[bill.vendor].terms;
            let days = terms
                .and_then(|terms| world.terms.get(terms))
                .map_or(30, |term| term.days);
            bill.date = days_after(bill.date, shift);
            bill.due = days_after(bill.date, i64::from(days));
            bill.number = names::invoice_number(bill.vendor as u64, sequence[bill.vendor]);
            sequence[bill.vendor] += 1;
        }
        world.periods = periods(world.bills[0].date, shape.today);
        Ok(self.world)
    }
}

/// By how many days, in whole weeks, `last` moves to fall into the seven days before `today`.
fn weeks_before(today: Date, last: Date) -> i64 {
    let days = last
        .until(days_after(today, -1))
        .map_or(0, |span| i64::from(span.get_days()));
    days.div_euclid(7) * 7
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::civil::date;

    use super::super::PeriodState;
    use super::*;

    const TODAY: Date = date(2026, 7, 1);
    const HEADER: &str = "payment_date,vendor,amount,fund,fund_name,center,center_name,account,\
                          account_name,fiscal_year,period\n";
    const LINES: &str = "\
        2017-08-14,QUILLMERE PUMPS & VALVES,1021.38,200,ROADS,20860,SIGNALS,53790,\"PARTS, PUMPS\",2018,2\n\
        2017-08-14,QUILLMERE PUMPS & VALVES,380,100,GENERAL,25411,PARKS,52360,REPAIRS,2018,2\n\
        2017-08-14,QUILLMERE PUMPS & VALVES,-20.10,100,GENERAL,25411,PARKS,52360,REPAIRS,2018,2\n\
        2017-08-14,Torvale Books,0.00,100,GENERAL,25412,PARKS,52360,REPAIRS,2018,2\n\
        2018-08-10,QUILLMERE PUMPS & VALVES,5.05,100,GENERAL,,,52360,REPAIRS,2019,2\n";

    fn small() -> World {
        read(format!("{HEADER}{LINES}").as_bytes(), &Shape::new(TODAY)).unwrap()
    }

    fn error(lines: &str) -> String {
        let read = read(format!("{HEADER}{lines}").as_bytes(), &Shape::new(TODAY));
        read.unwrap_err().to_string()
    }

    #[test]
    fn one_vendors_lines_of_one_day_and_sign_are_one_bill() {
        let world = small();
        let bills: Vec<(usize, String, usize)> = world
            .bills
            .iter()
            .map(|b| (b.vendor, b.total().to_string(), b.lines.len()))
            .collect();
        let expected = [
            (0, "1401.38", 2),
            (0, "-20.10", 1),
            (1, "0.00", 1),
            (0, "5.05", 1),
        ];
        assert_eq!(
            bills,
            expected.map(|(vendor, total, lines)| (vendor, total.to_owned(), lines))
        );
        assert!(
            world
                .bills
                .iter()
                .all(|bill| bill.approval == Approval::Approved)
        );
        let numbers: Vec<&str> = world
            .bills
            .iter()
            .map(|bill| bill.number.as_str())
            .collect();
        assert_ne!(numbers[0], numbers[1]);
        assert_eq!(world.bills, small().bills);
    }

    #[test]
    fn accounts_departments_and_classes_come_from_the_file() {
        let world = small();
        let account = &world.accounts[world.account("53790").unwrap()];
        assert_eq!(
            (account.name.as_str(), account.kind.as_str()),
            ("PARTS, PUMPS", "Expense")
        );
        let names: Vec<(Axis, &str)> = world
            .dimensions
            .iter()
            .map(|d| (d.axis, d.name.as_str()))
            .collect();
        let expected = [
            (Axis::Department, "20860 SIGNALS"),
            (Axis::Class, "200 ROADS"),
            (Axis::Department, "25411 PARKS"),
            (Axis::Class, "100 GENERAL"),
            (Axis::Department, "25412 PARKS"),
        ];
        assert_eq!(names, expected);
        assert_eq!(world.bills[3].lines[0].department, None);
        assert!(world.platform.vendors.is_empty() && world.platform.bills.is_empty());
    }

    #[test]
    fn dates_move_by_whole_weeks_into_the_year_before_today() {
        let world = small();
        let last = world.bills.last().unwrap().date;
        assert!(last < TODAY && last >= days_after(TODAY, -7), "{last}");
        assert_eq!(last.weekday(), date(2018, 8, 10).weekday());
        assert_eq!(days_after(world.bills[0].date, 361), last);
        let inside = |bill: &Bill| {
            world
                .periods
                .iter()
                .any(|p| p.start <= bill.date && bill.date <= p.end)
        };
        assert!(world.bills.iter().all(inside));
        assert!(
            world
                .periods
                .iter()
                .all(|period| period.state == PeriodState::Open)
        );
        for day in 1..=14 {
            let today = date(2026, 7, day);
            let moved = days_after(date(2030, 1, 3), weeks_before(today, date(2030, 1, 3)));
            assert!(
                moved < today && moved >= days_after(today, -7),
                "{today}: {moved}"
            );
        }
    }

    #[test]
    fn a_single_company_has_no_subsidiary_but_the_root() {
        let shape = Shape {
            one_world: false,
            ..Shape::new(TODAY)
        };
        let world = read(format!("{HEADER}{LINES}").as_bytes(), &shape).unwrap();
        assert!(world.bills.iter().all(|bill| bill.subsidiary == 0));
        assert!(
            world
                .vendors
                .iter()
                .all(|vendor| vendor.subsidiaries == [0])
        );
    }

    #[test]
    fn what_is_wrong_with_a_line_is_named_with_line_column_and_fix() {
        let first = "2017-08-14,A Co,1.00,1,F,2,C,500,X,2018,2\n";
        for (line, parts) in [
            (
                "14/08/2017,A Co,1.00,1,F,2,C,500,X,2018,2",
                ["line 3", "payment_date", "2017-08-14"],
            ),
            (
                "2017-08-14,,1.00,1,F,2,C,500,X,2018,2",
                ["line 3", "vendor", "payee"],
            ),
            (
                "2017-08-14,A Co,\"1,000.00\",1,F,2,C,500,X,2018,2",
                ["line 3", "amount", "separators"],
            ),
            (
                "2017-08-14,A Co,1.005,1,F,2,C,500,X,2018,2",
                ["line 3", "amount", "cent"],
            ),
            (
                "2017-08-14,A Co,1.00,1,F,2,C,,X,2018,2",
                ["line 3", "account", "number"],
            ),
            (
                "2017-08-14,A Co,1.00,1,F,2,C,2000,X,2018,2",
                ["line 3", "account", "Payable"],
            ),
            ("2017-08-14,A Co,1.00", ["line 3", "fields", "header"]),
        ] {
            let message = error(&format!("{first}{line}\n"));
            for part in parts {
                assert!(message.contains(part), "{line}: {message}");
            }
        }
    }

    #[test]
    fn a_bill_that_the_books_can_not_hold_is_refused_with_its_line() {
        let line = "2026-01-15,BIRCH,899999999999.99,1,F,2,C,6100,Books\n";
        let file = format!("{}\n{line}{line}", COLUMNS.join(","));
        let shape = Shape::new(jiff::civil::date(2026, 6, 20));
        let refused = read(file.as_bytes(), &shape).unwrap_err().to_string();
        assert!(refused.starts_with("line 3, column `amount`"), "{refused}");
        let one = format!("{}\n{line}", COLUMNS.join(","));
        assert!(read(one.as_bytes(), &shape).is_ok());
    }

    #[test]
    fn a_file_without_lines_columns_or_existence_is_refused() {
        assert!(error("").contains("no lines"));
        let shape = Shape::new(TODAY);
        let missing = read("payment_date,amount\n".as_bytes(), &shape).unwrap_err();
        assert_eq!(missing.code(), "DATASET_COLUMN_MISSING");
        assert!(missing.to_string().contains("`vendor`"));
        let nowhere = load(Path::new("no-such-file.csv"), &shape).unwrap_err();
        assert!(nowhere.to_string().contains("no-such-file.csv"));
    }

    #[test]
    fn a_file_on_disk_is_read_too() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{HEADER}{LINES}")).unwrap();
        assert_eq!(load(file.path(), &Shape::new(TODAY)).unwrap(), small());
    }

    /// The city's file is no part of the repository; who has it names it in `TIEOUT_TEST_DATASET`.
    #[test]
    fn the_citys_file_gives_its_bills_to_the_cent() {
        let Some(path) = std::env::var_os("TIEOUT_TEST_DATASET") else {
            println!("skipped: TIEOUT_TEST_DATASET names no file");
            return;
        };
        let world = load(path, &Shape::new(TODAY)).unwrap();
        let count = |sign| {
            world
                .bills
                .iter()
                .filter(|bill| bill.total().cmp(&Decimal::ZERO) == sign)
                .count()
        };
        use std::cmp::Ordering::{Equal, Greater, Less};
        assert_eq!((count(Greater), count(Less), count(Equal)), (16_014, 57, 6));
        let lines: usize = world.bills.iter().map(|bill| bill.lines.len()).sum();
        assert_eq!((lines, world.vendors.len()), (22_753, 1_777));
        let net: Decimal = world.bills.iter().map(Bill::total).sum();
        assert_eq!(net.to_string(), "286200431.29");
        let departments = world
            .dimensions
            .iter()
            .filter(|d| d.axis == Axis::Department)
            .count();
        assert_eq!((world.accounts.len() - 4, departments), (230, 620));
    }
}
