//! The tables of the sandbox: what SuiteQL shows, under its own names.
//!
//! There is one store, an in-memory SQLite whose tables *are* the SuiteQL tables. The types are:
//!
//! | [`Kind`] | stored as | printed by SuiteQL as |
//! |---|---|---|
//! | `Int` | INTEGER | digits |
//! | `Amount` | INTEGER, in units of 10⁻⁷ (see [`to_units`]) | a decimal without trailing zeros |
//! | `Flag` | TEXT `T` or `F` | the same |
//! | `Text` | TEXT | the same |
//! | `Date` | TEXT `2026-01-31` | the account's date format |
//! | `Stamp` | TEXT `2026-01-31 23:59:59`, UTC | the account's date format, in the session's zone |
//!
//! Amounts are whole numbers so that sums and comparisons are exact; no binary float is involved.

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::Connection;
use rust_decimal::Decimal;

/// How many decimal places an amount, rate or quantity keeps.
pub(crate) const PLACES: u32 = 7;

/// Units per one: 10^[`PLACES`].
pub(crate) const UNIT: i64 = 10_000_000;

/// An exact amount in storage units. `None` if it has more than seven decimal places' worth of size
/// (over ±922 billion); digits beyond the seventh place are rounded half to even.
pub(crate) fn to_units(amount: Decimal) -> Option<i64> {
    let scaled = amount.round_dp(PLACES).checked_mul(Decimal::from(UNIT))?;
    i64::try_from(scaled.trunc().mantissa() / 10_i128.pow(scaled.trunc().scale())).ok()
}

/// The exact amount of storage units, without trailing zeros.
pub(crate) fn from_units(units: i64) -> Decimal {
    Decimal::from_i128_with_scale(i128::from(units), PLACES).normalize()
}

/// A point in time as it is stored: UTC, whole seconds.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The point in time of a stored stamp; `None` if the text isn't one.
pub(crate) fn parse_stamp(text: &str) -> Option<Timestamp> {
    let civil = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    civil
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}

/// The date of a stored date; `None` if the text isn't one.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    Date::strptime("%Y-%m-%d", text).ok()
}

/// What a column holds; see the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number: ids, counters.
    Int,
    /// An exact decimal: amounts, rates, quantities.
    Amount,
    /// `T` or `F`.
    Flag,
    /// Free text.
    Text,
    /// A day.
    Date,
    /// A point in time.
    Stamp,
}

/// What `BUILTIN.DF` shows for a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Display {
    /// The value itself.
    Plain,
    /// The named column of the row of another table that has this id.
    Of(&'static str, &'static str),
    /// A transaction's status letter: `Bill : Open`. Needs the row's `type`.
    Status,
    /// A transaction's type code: `Bill`.
    Type,
    /// An approval status id: `Approved`.
    Approval,
    /// `Yes` or `No`.
    YesNo,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its name, lower-case.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// What `BUILTIN.DF` shows for it.
    pub(crate) display: Display,
    /// Exists only in accounts with subsidiaries.
    pub(crate) one_world: bool,
    /// Kept for the record API; SuiteQL doesn't know it.
    pub(crate) internal: bool,
}

impl Column {
    const fn of(self, table: &'static str, column: &'static str) -> Self {
        Self {
            display: Display::Of(table, column),
            ..self
        }
    }
    const fn shown(self, display: Display) -> Self {
        Self { display, ..self }
    }
    const fn one_world(self) -> Self {
        Self {
            one_world: true,
            ..self
        }
    }
    const fn internal(self) -> Self {
        Self {
            internal: true,
            ..self
        }
    }
}

/// A table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    /// Its name, lower-case.
    pub(crate) name: &'static str,
    /// Its columns. If the first is named `id` it is the primary key.
    pub(crate) columns: &'static [Column],
    /// Exists only in accounts with subsidiaries.
    pub(crate) one_world: bool,
    /// Kept for the record API; SuiteQL doesn't know it.
    pub(crate) internal: bool,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        display: Display::Plain,
        one_world: false,
        internal: false,
    }
}
const fn int(name: &'static str) -> Column {
    column(name, Kind::Int)
}
const fn amount(name: &'static str) -> Column {
    column(name, Kind::Amount)
}
const fn flag(name: &'static str) -> Column {
    column(name, Kind::Flag).shown(Display::YesNo)
}
const fn text(name: &'static str) -> Column {
    column(name, Kind::Text)
}
const fn date(name: &'static str) -> Column {
    column(name, Kind::Date)
}
const fn moment(name: &'static str) -> Column {
    column(name, Kind::Stamp)
}
const fn table(name: &'static str, columns: &'static [Column]) -> Table {
    Table {
        name,
        columns,
        one_world: false,
        internal: false,
    }
}
const fn one_world_table(name: &'static str, columns: &'static [Column]) -> Table {
    Table {
        name,
        columns,
        one_world: true,
        internal: false,
    }
}

/// The table of that name, in any case.
pub(crate) fn find(name: &str) -> Option<&'static Table> {
    TABLES
        .iter()
        .find(|table| table.name.eq_ignore_ascii_case(name))
}

const LINK: &[Column] = &[
    int("id").internal(),
    int("previousdoc").of("transaction", "tranid"),
    int("previousline"),
    text("previoustype").shown(Display::Type),
    date("previousdate"),
    int("nextdoc").of("transaction", "tranid"),
    int("nextline"),
    text("nexttype").shown(Display::Type),
    date("nextdate"),
    text("linktype"),
    amount("foreignamount"),
    moment("lastmodifieddate"),
];

const RELATIONSHIP: &[Column] = &[
    int("id"),
    int("entity").of("entity", "entityid"),
    int("subsidiary").of("subsidiary", "name"),
    flag("isprimarysub"),
];

const DIMENSION: &[Column] = &[
    int("id"),
    text("name"),
    text("fullname"),
    int("parent"),
    flag("includechildren"),
    flag("isinactive"),
    text("subsidiary").one_world(),
    text("externalid"),
    moment("lastmodifieddate"),
];

const ADDRESS_BOOK: &[Column] = &[
    int("internalid"),
    int("entity").of("entity", "entityid"),
    int("addressbookaddress"),
    text("label"),
    flag("defaultbilling"),
    flag("defaultshipping"),
];

const ADDRESS: &[Column] = &[
    int("nkey"),
    text("addressee"),
    text("attention"),
    text("addrphone"),
    text("addr1"),
    text("addr2"),
    text("addr3"),
    text("addrtext"),
    text("city"),
    text("state"),
    text("dropdownstate"),
    text("zip"),
    text("country"),
    int("recordowner"),
];

/// Every table. Transactions first: they are what most queries read.
pub(crate) const TABLES: &[Table] = &[
    table(
        "transaction",
        &[
            int("id"),
            text("tranid"),
            text("transactionnumber"),
            text("type").shown(Display::Type),
            text("recordtype"),
            text("abbrevtype"),
            int("entity").of("entity", "entityid"),
            date("trandate"),
            date("duedate"),
            text("status").shown(Display::Status),
            int("approvalstatus").shown(Display::Approval),
            int("currency").of("currency", "name"),
            amount("exchangerate"),
            amount("foreigntotal"),
            amount("foreignamountpaid"),
            amount("foreignamountunpaid"),
            amount("foreignpaymentamountused"),
            amount("foreignpaymentamountunused"),
            text("memo"),
            int("terms").of("term", "name"),
            int("postingperiod").of("accountingperiod", "periodname"),
            flag("posting"),
            flag("voided"),
            flag("void"),
            flag("paymenthold"),
            text("externalid"),
            text("otherrefnum"),
            moment("createddate"),
            moment("lastmodifieddate"),
            date("closedate"),
            int("account").of("account", "accountsearchdisplayname"),
            int("subsidiary").of("subsidiary", "name").one_world(),
            int("billingaddress"),
            flag("reversal"),
            text("x_extra").internal(),
        ],
    ),
    table(
        "transactionline",
        &[
            int("transaction").of("transaction", "tranid"),
            int("id"),
            int("linesequencenumber"),
            int("uniquekey"),
            flag("mainline"),
            flag("taxline"),
            int("item").of("item", "fullname"),
            text("itemtype"),
            int("expenseaccount").of("account", "accountsearchdisplayname"),
            amount("foreignamount"),
            amount("netamount"),
            amount("creditforeignamount"),
            amount("debitforeignamount"),
            amount("foreignamountpaid"),
            amount("foreignamountunpaid"),
            amount("foreignpaymentamountused"),
            amount("foreignpaymentamountunused"),
            amount("rate"),
            amount("quantity"),
            int("department").of("department", "name"),
            int("class").of("classification", "name"),
            int("location").of("location", "name"),
            int("subsidiary").of("subsidiary", "name").one_world(),
            text("memo"),
            int("entity").of("entity", "entityid"),
            text("accountinglinetype"),
            flag("hascostline"),
            flag("iscogs"),
            flag("donotdisplayline"),
            flag("isclosed"),
            flag("cleared"),
            int("createdfrom").of("transaction", "tranid"),
            moment("linelastmodifieddate"),
            text("x_extra").internal(),
        ],
    ),
    table(
        "transactionaccountingline",
        &[
            int("transaction").of("transaction", "tranid"),
            int("transactionline"),
            int("account").of("account", "accountsearchdisplayname"),
            int("accountingbook").of("accountingbook", "name"),
            amount("amount"),
            amount("debit"),
            amount("credit"),
            amount("netamount"),
            amount("amountpaid"),
            amount("amountunpaid"),
            amount("paymentamountused"),
            amount("paymentamountunused"),
            amount("exchangerate"),
            flag("posting"),
            text("accounttype"),
        ],
    ),
    table("nexttransactionlinelink", LINK),
    table("previoustransactionlinelink", LINK),
    table(
        "account",
        &[
            int("id"),
            text("acctnumber"),
            text("acctname").internal(),
            text("accttype"),
            text("fullname"),
            text("accountsearchdisplayname"),
            text("accountsearchdisplaynamecopy"),
            text("displaynamewithhierarchy"),
            text("description"),
            int("parent").of("account", "accountsearchdisplayname"),
            flag("issummary"),
            flag("isinactive"),
            int("currency").of("currency", "name"),
            text("subsidiary").one_world(),
            flag("eliminate"),
            flag("includechildren"),
            text("externalid"),
            moment("lastmodifieddate"),
        ],
    ),
    one_world_table(
        "accountsubsidiarymap",
        &[
            int("account").of("account", "accountsearchdisplayname"),
            int("subsidiary").of("subsidiary", "name"),
        ],
    ),
    table(
        "entity",
        &[
            int("id"),
            text("entityid"),
            text("altname"),
            text("type"),
            text("email"),
            flag("isinactive"),
            text("externalid"),
        ],
    ),
    table(
        "vendor",
        &[
            int("id"),
            text("entityid"),
            text("companyname"),
            text("legalname"),
            text("altname"),
            text("firstname"),
            text("lastname"),
            flag("isperson"),
            text("email"),
            text("phone"),
            text("accountnumber"),
            int("terms").of("term", "name"),
            int("currency").of("currency", "name"),
            int("category").of("vendorcategory", "name"),
            int("payablesaccount").of("account", "accountsearchdisplayname"),
            int("expenseaccount").of("account", "accountsearchdisplayname"),
            int("defaultbillingaddress"),
            amount("balance"),
            flag("isinactive"),
            flag("giveaccess"),
            flag("is1099eligible"),
            text("comments"),
            text("printoncheckas"),
            moment("datecreated"),
            moment("lastmodifieddate"),
            text("externalid"),
            int("x_subsidiary").internal(),
            text("x_taxidnum").internal(),
            text("x_extra").internal(),
        ],
    ),
    one_world_table("vendorsubsidiaryrelationship", RELATIONSHIP),
    table("vendoraddressbook", ADDRESS_BOOK),
    table("vendoraddressbookentityaddress", ADDRESS),
    table(
        "vendorcategory",
        &[int("id"), text("name"), flag("isinactive")],
    ),
    table(
        "customer",
        &[
            int("id"),
            text("entityid"),
            text("companyname"),
            text("legalname"),
            text("altname"),
            text("firstname"),
            text("lastname"),
            flag("isperson"),
            text("email"),
            text("phone"),
            text("accountnumber"),
            int("terms").of("term", "name"),
            int("currency").of("currency", "name"),
            int("category"),
            int("receivablesaccount").of("account", "accountsearchdisplayname"),
            int("parent").of("entity", "entityid"),
            amount("balancesearch"),
            amount("overduebalancesearch"),
            amount("creditlimit"),
            text("oncredithold"),
            text("emailpreference"),
            int("salesrep"),
            int("defaultbillingaddress"),
            flag("isinactive"),
            flag("giveaccess"),
            moment("datecreated"),
            moment("lastmodifieddate"),
            text("externalid"),
            int("x_subsidiary").internal(),
            text("x_extra").internal(),
        ],
    ),
    one_world_table("customersubsidiaryrelationship", RELATIONSHIP),
    table("customeraddressbook", ADDRESS_BOOK),
    table("customeraddressbookentityaddress", ADDRESS),
    table(
        "employee",
        &[
            int("id"),
            text("entityid"),
            text("firstname"),
            text("lastname"),
            text("email"),
            flag("isinactive"),
            moment("lastmodifieddate"),
        ],
    ),
    one_world_table(
        "subsidiary",
        &[
            int("id"),
            text("name"),
            text("fullname"),
            int("parent").of("subsidiary", "name"),
            int("currency").of("currency", "name"),
            text("country"),
            flag("iselimination"),
            flag("isinactive"),
            text("externalid"),
            moment("lastmodifieddate"),
        ],
    ),
    table("department", DIMENSION),
    table("location", DIMENSION),
    table("classification", DIMENSION),
    table(
        "currency",
        &[
            int("id"),
            text("symbol"),
            text("name"),
            text("displaysymbol"),
            amount("exchangerate"),
            flag("isbasecurrency"),
            int("currencyprecision"),
            flag("isinactive"),
            text("externalid"),
            moment("lastmodifieddate"),
        ],
    ),
    table(
        "term",
        &[
            int("id"),
            text("name"),
            int("daysuntilnetdue"),
            amount("discountpercent"),
            int("daysuntilexpiry"),
            flag("datedriven"),
            flag("preferred"),
            flag("isinactive"),
            text("externalid"),
            moment("lastmodifieddate"),
        ],
    ),
    table(
        "item",
        &[
            int("id"),
            text("itemid"),
            text("displayname"),
            text("fullname"),
            text("itemtype"),
            text("subtype"),
            int("expenseaccount").of("account", "accountsearchdisplayname"),
            int("incomeaccount").of("account", "accountsearchdisplayname"),
            text("description"),
            flag("isinactive"),
            text("externalid"),
            moment("createddate"),
            moment("lastmodifieddate"),
        ],
    ),
    table(
        "accountingperiod",
        &[
            int("id"),
            text("periodname"),
            date("startdate"),
            date("enddate"),
            flag("closed"),
            date("closedondate"),
            flag("aplocked"),
            flag("arlocked"),
            flag("alllocked"),
            flag("allownonglchanges"),
            flag("isposting"),
            flag("isadjust"),
            flag("isquarter"),
            flag("isyear"),
            flag("isinactive"),
            int("parent").of("accountingperiod", "periodname"),
            moment("lastmodifieddate"),
        ],
    ),
    table(
        "accountingbook",
        &[int("id"), text("name"), flag("isprimary")],
    ),
    table(
        "deletedrecord",
        &[
            text("name"),
            int("recordid"),
            int("recordtypeid"),
            text("scriptid"),
            text("type"),
            text("context"),
            text("deletedby"),
            moment("deleteddate"),
            flag("iscustomrecord"),
        ],
    ),
    table(
        "customfield",
        &[
            int("internalid"),
            text("scriptid"),
            text("name"),
            text("fieldtype"),
            text("fieldvaluetype"),
            int("recordtype"),
            flag("isinactive"),
        ],
    ),
    table(
        "customrecordtype",
        &[
            int("internalid"),
            text("name"),
            text("scriptid"),
            text("description"),
            flag("isinactive"),
        ],
    ),
    table(
        "companyfeaturesetup",
        &[text("id"), text("name"), flag("isactive")],
    ),
    table(
        "role",
        &[
            int("id"),
            text("name"),
            text("scriptid"),
            flag("isinactive"),
        ],
    ),
    table(
        "rolepermissions",
        &[
            int("role").of("role", "name"),
            text("name"),
            text("permkey"),
            int("permlevel"),
        ],
    ),
    table(
        "loginaudit",
        &[
            moment("date"),
            text("status"),
            text("detail"),
            int("user").of("entity", "entityid"),
            text("emailaddress"),
            int("role").of("role", "name"),
            text("ipaddress"),
            text("requesturi"),
            text("oauthaccesstokenname"),
            text("oauthappname"),
        ],
    ),
    Table {
        name: "x_counter",
        columns: &[text("name"), int("value")],
        one_world: false,
        internal: true,
    },
];

const INDICES: &[(&str, &str)] = &[
    ("transaction", "type, lastmodifieddate"),
    ("transaction", "type, trandate"),
    ("transaction", "lastmodifieddate"),
    ("transaction", "entity"),
    ("transaction", "externalid COLLATE NOCASE"),
    ("transactionline", "\"transaction\", id"),
    (
        "transactionaccountingline",
        "\"transaction\", transactionline",
    ),
    ("transactionaccountingline", "account"),
    ("nexttransactionlinelink", "previousdoc"),
    ("nexttransactionlinelink", "nextdoc"),
    ("previoustransactionlinelink", "previousdoc"),
    ("previoustransactionlinelink", "nextdoc"),
    ("vendor", "entityid COLLATE NOCASE"),
    ("vendor", "externalid COLLATE NOCASE"),
    ("vendorsubsidiaryrelationship", "entity"),
    ("customersubsidiaryrelationship", "entity"),
    ("vendoraddressbook", "entity"),
    ("vendoraddressbookentityaddress", "nkey"),
    ("customeraddressbook", "entity"),
    ("customeraddressbookentityaddress", "nkey"),
    ("accountsubsidiarymap", "account"),
];

/// Creates every table, empty, and its indices, and gives the connection SuiteQL's functions.
///
/// # Errors
/// When SQLite refuses, for example because the tables exist.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    let mut script = String::new();
    for table in TABLES {
        let columns: Vec<String> = table
            .columns
            .iter()
            .enumerate()
            .map(|(position, column)| {
                let kind = match column.kind {
                    Kind::Int | Kind::Amount => "INTEGER",
                    Kind::Flag | Kind::Text | Kind::Date | Kind::Stamp => "TEXT",
                };
                let key = if position == 0 && column.name == "id" {
                    " PRIMARY KEY"
                } else {
                    ""
                };
                format!("\"{}\" {kind}{key}", column.name)
            })
            .collect();
        script.push_str(&format!(
            "CREATE TABLE \"{}\" ({});\n",
            table.name,
            columns.join(", ")
        ));
    }
    for (position, (table, columns)) in INDICES.iter().enumerate() {
        script.push_str(&format!(
            "CREATE INDEX \"x_{table}_{position}\" ON \"{table}\" ({columns});\n"
        ));
    }
    connection.execute_batch(&script)?;
    crate::suiteql::install(connection)
}
