//! Loads a [`World`] into the tables.
//!
//! Lists get ids from 1 in the world's order (subsidiary 1 is the root), entities from 1001, transactions
//! from 4001. A net-negative bill becomes a vendor credit: NetSuite takes no negative bills.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, params};
use rust_decimal::Decimal;
use tieout_kit::fake::world::{self, Axis, PeriodState, World};

use crate::ledger::apply::{link_seeded, settle};
use crate::ledger::post::{self, Header, Row};
use crate::ledger::{
    AddressIn, Approval, BillKind, EntityIn, EntityKind, LedgerError, LineIn, LineKind, PaymentIn,
    PaymentKind, entity, flag, payment,
};
use crate::schema::{stamp, to_units};

/// The first id of an entity, less one.
const BEFORE_ENTITIES: i64 = 1000;
/// The first id of a transaction, less one.
const BEFORE_TRANSACTIONS: i64 = 4000;

/// Fills the empty tables made by [`schema::create`](crate::schema::create). A seeded record was last
/// modified on its own date, so that a year of history isn't all "modified now".
///
/// # Errors
/// When SQLite fails, or an amount is too large to be stored.
pub(crate) fn load(
    connection: &mut Connection,
    world: &World,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let transaction = connection.transaction()?;
    let zone = TimeZone::get(&world.time_zone).unwrap_or(TimeZone::UTC);
    let mut loader = Loader {
        connection: &transaction,
        world,
        now,
        zone,
        periods: Vec::new(),
        dimensions: Vec::new(),
        loaded: Vec::new(),
        last_transaction: BEFORE_TRANSACTIONS,
    };
    loader.lists()?;
    loader.vendors()?;
    loader.bills()?;
    loader.credits()?;
    loader.payments()?;
    loader.finish()?;
    transaction.commit()?;
    Ok(())
}

/// A bill of the world as it was booked.
#[derive(Clone, Copy)]
struct Loaded {
    id: i64,
    kind: BillKind,
    date: Date,
    rate: Decimal,
}

struct Loader<'a> {
    connection: &'a Connection,
    world: &'a World,
    now: Timestamp,
    zone: TimeZone,
    /// First day, last day, id.
    periods: Vec<(Date, Date, i64)>,
    /// Ids of the world's dimensions, each in its own table.
    dimensions: Vec<i64>,
    loaded: Vec<Loaded>,
    last_transaction: i64,
}

/// The id of the world's nth record of a list.
fn id(position: usize) -> i64 {
    i64::try_from(position + 1).unwrap_or(i64::MAX)
}

fn vendor_id(position: usize) -> i64 {
    BEFORE_ENTITIES + id(position)
}

impl Loader<'_> {
    /// A time on that day, never after now.
    fn at(&self, date: Date, spread: usize) -> String {
        let minutes = i64::try_from(spread * 7 % 480).unwrap_or(0);
        let morning = date.at(9, 0, 0, 0);
        let moment = morning
            .checked_add(jiff::SignedDuration::from_mins(minutes))
            .unwrap_or(morning);
        let zoned = self.zone.to_ambiguous_zoned(moment).compatible();
        stamp(
            zoned
                .map_or(self.now, |zoned| zoned.timestamp())
                .min(self.now),
        )
    }

    /// When the lists were made: before everything else.
    fn beginning(&self) -> Date {
        self.world.today.saturating_sub(jiff::Span::new().days(400))
    }

    fn currency(&self, currency: world::Currency) -> i64 {
        self.world
            .currencies
            .iter()
            .position(|known| *known == currency)
            .map_or(1, id)
    }

    fn subsidiary(&self, position: usize) -> Option<i64> {
        self.world.one_world.then(|| id(position))
    }

    fn lists(&mut self) -> Result<(), LedgerError> {
        self.currencies()?;
        self.subsidiaries()?;
        self.periods()?;
        self.accounts()?;
        self.dimensions()?;
        self.terms_and_items()?;
        self.setup()
    }

    fn currencies(&self) -> Result<(), LedgerError> {
        for (position, currency) in self.world.currencies.iter().enumerate() {
            self.connection.execute(
                "INSERT INTO currency (id, symbol, name, displaysymbol, exchangerate, isbasecurrency,
                 currencyprecision, isinactive, lastmodifieddate) VALUES (?1,?2,?3,?2,?4,?5,?6,'F',?7)",
                params![
                    id(position),
                    currency.code(),
                    currency_name(currency.code()),
                    to_units(self.listed_rate(*currency)),
                    flag(position == 0),
                    currency.digits(),
                    self.at(self.beginning(), position)
                ],
            )?;
        }
        Ok(())
    }

    /// Units of the root's currency for one of this: that of the last bill that tells.
    fn listed_rate(&self, currency: world::Currency) -> Decimal {
        let Some(root) = self.world.currencies.first() else {
            return Decimal::ONE;
        };
        if currency == *root {
            return Decimal::ONE;
        }
        let base = |bill: &world::Bill| {
            self.world
                .subsidiaries
                .get(bill.subsidiary)
                .map(|s| s.currency)
        };
        let told = self
            .world
            .bills
            .iter()
            .rev()
            .find_map(|bill| match base(bill) {
                Some(base) if base == *root && bill.currency == currency => Some(bill.rate),
                Some(base) if base == currency && bill.currency == *root => Decimal::ONE
                    .checked_div(bill.rate)
                    .map(|rate| rate.round_dp(6)),
                _ => None,
            });
        told.unwrap_or_else(|| Decimal::new(73, 2))
    }

    fn subsidiaries(&self) -> Result<(), LedgerError> {
        if !self.world.one_world {
            return Ok(());
        }
        let list = &self.world.subsidiaries;
        for (position, subsidiary) in list.iter().enumerate() {
            let full = full_name(position, |at| (list[at].name.as_str(), list[at].parent));
            self.connection.execute(
                "INSERT INTO subsidiary (id, name, fullname, parent, currency, country, iselimination,
                 isinactive, lastmodifieddate) VALUES (?1,?2,?3,?4,?5,?6,'F','F',?7)",
                params![
                    id(position),
                    subsidiary.name,
                    full,
                    subsidiary.parent.map(id),
                    self.currency(subsidiary.currency),
                    subsidiary.country,
                    self.at(self.beginning(), position)
                ],
            )?;
        }
        Ok(())
    }

    /// Months as the world has them, under quarters and years, which don't take postings.
    fn periods(&mut self) -> Result<(), LedgerError> {
        let mut last = 0;
        let mut year: Option<(i16, i64)> = None;
        let mut quarter: Option<(i16, i8, i64)> = None;
        for period in &self.world.periods {
            let start = period.start;
            let number = (start.month() - 1) / 3 + 1;
            let year_id = match year {
                Some((known, id)) if known == start.year() => id,
                _ => {
                    last += 1;
                    let first = start.first_of_year();
                    self.period(
                        last,
                        &format!("FY {}", start.year()),
                        first,
                        first.last_of_year(),
                        (None, "year"),
                        PeriodState::Open,
                    )?;
                    year = Some((start.year(), last));
                    last
                }
            };
            let quarter_id = match quarter {
                Some((known, same, id)) if (known, same) == (start.year(), number) => id,
                _ => {
                    last += 1;
                    let month = (number - 1) * 3 + 1;
                    let first = Date::new(start.year(), month, 1).unwrap_or(start);
                    let end = first
                        .saturating_add(jiff::Span::new().months(2))
                        .last_of_month();
                    let name = format!("Q{number} {}", start.year());
                    self.period(
                        last,
                        &name,
                        first,
                        end,
                        (Some(year_id), "quarter"),
                        PeriodState::Open,
                    )?;
                    quarter = Some((start.year(), number, last));
                    last
                }
            };
            last += 1;
            self.period(
                last,
                &period.name,
                start,
                period.end,
                (Some(quarter_id), "month"),
                period.state,
            )?;
            self.periods.push((start, period.end, last));
        }
        Ok(())
    }

    fn period(
        &self,
        id: i64,
        name: &str,
        start: Date,
        end: Date,
        (parent, size): (Option<i64>, &str),
        state: PeriodState,
    ) -> Result<(), LedgerError> {
        let closed = state == PeriodState::Closed;
        self.connection.execute(
            "INSERT INTO accountingperiod (id, periodname, startdate, enddate, closed, closedondate,
             aplocked, arlocked, alllocked, allownonglchanges, isposting, isadjust, isquarter, isyear,
             isinactive, parent, lastmodifieddate)
             VALUES (?1,?2,?3,?4,?5,?6,?7,?7,?7,'F',?8,'F',?9,?10,'F',?11,?12)",
            params![
                id,
                name,
                start.to_string(),
                end.to_string(),
                flag(closed),
                closed.then(|| end.saturating_add(jiff::Span::new().days(10)).to_string()),
                flag(state != PeriodState::Open),
                flag(size == "month"),
                flag(size == "quarter"),
                flag(size == "year"),
                parent,
                self.at(self.beginning(), 0)
            ],
        )?;
        Ok(())
    }

    fn accounts(&self) -> Result<(), LedgerError> {
        let list = &self.world.accounts;
        for (position, account) in list.iter().enumerate() {
            let full = full_name(position, |at| (list[at].name.as_str(), list[at].parent));
            self.account(id(position), account, &full, None)?;
        }
        if self.world.currencies.len() > 1 {
            let gains = world::Account {
                number: "8010".to_owned(),
                name: "Realized Gains and Losses".to_owned(),
                kind: "OthExpense".to_owned(),
                parent: None,
                summary: false,
                inactive: false,
            };
            self.account(
                id(list.len()),
                &gains,
                &gains.name.clone(),
                Some("realized-gain-loss"),
            )?;
        }
        Ok(())
    }

    fn account(
        &self,
        id_: i64,
        account: &world::Account,
        full: &str,
        external: Option<&str>,
    ) -> Result<(), LedgerError> {
        let subsidiaries: Vec<i64> = (0..self.world.subsidiaries.len()).map(id).collect();
        let listed: Vec<String> = subsidiaries.iter().map(i64::to_string).collect();
        let number = &account.number;
        let shown = format!("{number} {}", account.name);
        self.connection.execute(
            "INSERT INTO account (id, acctnumber, acctname, accttype, fullname,
             accountsearchdisplayname, accountsearchdisplaynamecopy, displaynamewithhierarchy, parent,
             issummary, isinactive, subsidiary, eliminate, includechildren, externalid, lastmodifieddate)
             VALUES (?1,?2,?3,?4,?5,?6,?3,?7,?8,?9,?10,?11,'F','T',?12,?13)",
            params![
                id_,
                number,
                account.name,
                account.kind,
                full,
                shown,
                format!("{number} {full}"),
                account.parent.map(id),
                flag(account.summary),
                flag(account.inactive),
                self.world.one_world.then(|| listed.join(", ")),
                external,
                self.at(self.beginning(), usize::try_from(id_).unwrap_or(0))
            ],
        )?;
        if self.world.one_world {
            for subsidiary in subsidiaries {
                self.connection.execute(
                    "INSERT INTO accountsubsidiarymap (account, subsidiary) VALUES (?1, ?2)",
                    [id_, subsidiary],
                )?;
            }
        }
        Ok(())
    }

    fn dimensions(&mut self) -> Result<(), LedgerError> {
        let list = &self.world.dimensions;
        let mut counts = [0_i64; 3];
        let all: Vec<String> = (0..self.world.subsidiaries.len())
            .map(|at| id(at).to_string())
            .collect();
        for (position, dimension) in list.iter().enumerate() {
            let (slot, table) = match dimension.axis {
                Axis::Department => (0, "department"),
                Axis::Class => (1, "classification"),
                Axis::Location => (2, "location"),
            };
            counts[slot] += 1;
            self.dimensions.push(counts[slot]);
            let full = full_name(position, |at| (list[at].name.as_str(), list[at].parent));
            self.connection.execute(
                &format!(
                    "INSERT INTO {table} (id, name, fullname, parent, includechildren, isinactive,
                     subsidiary, lastmodifieddate) VALUES (?1,?2,?3,?4,'T',?5,?6,?7)"
                ),
                params![
                    counts[slot],
                    dimension.name,
                    full,
                    dimension
                        .parent
                        .and_then(|parent| self.dimensions.get(parent)),
                    flag(dimension.inactive),
                    self.world.one_world.then(|| all.join(", ")),
                    self.at(self.beginning(), position)
                ],
            )?;
        }
        Ok(())
    }

    fn terms_and_items(&self) -> Result<(), LedgerError> {
        for (position, term) in self.world.terms.iter().enumerate() {
            self.connection.execute(
                "INSERT INTO term (id, name, daysuntilnetdue, discountpercent, daysuntilexpiry,
                 datedriven, preferred, isinactive, lastmodifieddate)
                 VALUES (?1,?2,?3,?4,?5,'F','F','F',?6)",
                params![
                    id(position),
                    term.name,
                    term.days,
                    term.discount.and_then(|(percent, _)| to_units(percent)),
                    term.discount.map(|(_, days)| days),
                    self.at(self.beginning(), position)
                ],
            )?;
        }
        for (position, item) in self.world.items.iter().enumerate() {
            let made = self.at(self.beginning(), position);
            self.connection.execute(
                "INSERT INTO item (id, itemid, displayname, fullname, itemtype, subtype, expenseaccount,
                 isinactive, createddate, lastmodifieddate)
                 VALUES (?1,?2,?2,?2,'NonInvtPart','Purchase',?3,'F',?4,?4)",
                params![id(position), item.name, id(item.account), made],
            )?;
        }
        Ok(())
    }

    fn setup(&self) -> Result<(), LedgerError> {
        self.connection.execute(
            "INSERT INTO accountingbook (id, name, isprimary) VALUES (1, 'Primary Accounting Book', 'T')",
            [],
        )?;
        let one_world = self.world.one_world;
        let several = self.world.currencies.len() > 1;
        let features = [
            ("ACCOUNTING", "Accounting", true),
            ("ACCOUNTINGPERIODS", "Accounting Periods", true),
            ("PAYABLES", "A/P", true),
            ("RECEIVABLES", "A/R", true),
            ("DEPARTMENTS", "Departments", true),
            ("CLASSES", "Classes", true),
            ("LOCATIONS", "Locations", true),
            ("MULTICURRENCY", "Multiple Currencies", several),
            ("SUBSIDIARIES", "Subsidiaries", one_world),
            ("RESTWEBSERVICES", "REST Web Services", true),
            ("TBA", "Token-based Authentication", true),
            ("OAUTH2", "OAuth 2.0", true),
            ("MULTIBOOK", "Multi-Book Accounting", false),
        ];
        for (feature, name, active) in features {
            self.connection.execute(
                "INSERT INTO companyfeaturesetup (id, name, isactive) VALUES (?1, ?2, ?3)",
                params![feature, name, flag(active)],
            )?;
        }
        self.roles()
    }

    /// The roles that a query can see: the administrator's, and the one integrations sign in with.
    fn roles(&self) -> Result<(), LedgerError> {
        for (role, name) in [(3, "Administrator"), (1042, "Accounting Integration")] {
            self.connection.execute(
                "INSERT INTO role (id, name, scriptid, isinactive) VALUES (?1, ?2, ?3, 'F')",
                params![role, name, format!("customrole{role}")],
            )?;
        }
        let permissions = [
            ("Bills", "TRAN_VENDBILL"),
            ("Pay Bills", "TRAN_VENDPYMT"),
            ("Vendor Credits", "TRAN_VENDCRED"),
            ("Make Journal Entry", "TRAN_JOURNAL"),
            ("Vendors", "LIST_VENDOR"),
            ("Accounts", "LIST_ACCOUNT"),
            ("Subsidiaries", "LIST_SUBSIDIARY"),
            ("Deleted Records", "ADMI_DELETEDRECORDS"),
            ("REST Web Services", "ADMI_RESTWEBSERVICES"),
        ];
        for (name, key) in permissions {
            self.connection.execute(
                "INSERT INTO rolepermissions (role, name, permkey, permlevel) VALUES (1042, ?1, ?2, 4)",
                [name, key],
            )?;
        }
        Ok(())
    }

    fn vendors(&self) -> Result<(), LedgerError> {
        let mut categories: Vec<&str> = Vec::new();
        for (position, vendor) in self.world.vendors.iter().enumerate() {
            let category = match categories
                .iter()
                .position(|known| *known == vendor.category)
            {
                Some(found) => id(found),
                None => {
                    categories.push(&vendor.category);
                    let new = id(categories.len() - 1);
                    self.connection.execute(
                        "INSERT INTO vendorcategory (id, name, isinactive) VALUES (?1, ?2, 'F')",
                        params![new, vendor.category],
                    )?;
                    new
                }
            };
            let made = self.at(self.beginning(), position);
            let vendor = self.vendor(vendor, category);
            entity::write(self.connection, vendor_id(position), &vendor, &made, &made)?;
        }
        Ok(())
    }

    fn vendor(&self, vendor: &world::Vendor, category: i64) -> EntityIn {
        let addresses = vendor.address.iter().map(|address| AddressIn {
            default_billing: true,
            default_shipping: true,
            addressee: Some(vendor.name.clone()),
            line1: Some(address.line1.clone()),
            line2: address.line2.clone(),
            city: Some(address.city.clone()),
            state: Some(address.state.clone()),
            zip: Some(address.zip.clone()),
            country: Some(address.country.clone()),
            label: Some(address.line1.clone()),
            ..AddressIn::default()
        });
        EntityIn {
            kind: EntityKind::Vendor,
            entity_id: Some(vendor.number.clone()),
            company_name: vendor.person.is_none().then(|| vendor.name.clone()),
            legal_name: vendor.person.is_none().then(|| vendor.name.clone()),
            is_person: vendor.person.is_some(),
            first_name: vendor.person.as_ref().map(|(first, _)| first.clone()),
            last_name: vendor.person.as_ref().map(|(_, last)| last.clone()),
            email: vendor.email.clone(),
            phone: vendor.phone.clone(),
            account_number: vendor.account_number.clone(),
            terms: vendor.terms.map(id),
            currency: Some(self.currency(vendor.currency)),
            category: Some(category),
            ledger_account: None,
            expense_account: None,
            subsidiaries: if self.world.one_world {
                vendor.subsidiaries.iter().copied().map(id).collect()
            } else {
                Vec::new()
            },
            inactive: vendor.inactive,
            give_access: vendor.login_access,
            is_1099: false,
            tax_id: None,
            print_on_check_as: None,
            comments: None,
            parent: None,
            external_id: None,
            addresses: addresses.collect(),
            extra: None,
        }
    }

    fn next(&mut self) -> i64 {
        self.last_transaction += 1;
        self.last_transaction
    }

    fn period_of(&self, date: Date) -> Result<i64, LedgerError> {
        self.periods
            .iter()
            .find(|(start, end, _)| *start <= date && date <= *end)
            .map(|(_, _, id)| *id)
            .ok_or(LedgerError::NoPeriod(date))
    }

    fn payables(&self) -> i64 {
        let found =
            self.world.accounts.iter().position(|account| {
                account.kind == "AcctPay" && !account.summary && !account.inactive
            });
        found.map_or(1, id)
    }

    /// What all documents have in common.
    fn header(
        &self,
        new: i64,
        kind: &'static str,
        vendor: usize,
        subsidiary: usize,
        date: Date,
        currency: world::Currency,
    ) -> Result<Header, LedgerError> {
        let at = self.at(date, usize::try_from(new).unwrap_or(0));
        Ok(Header {
            id: new,
            kind,
            number: None,
            entity: Some(vendor_id(vendor)),
            date,
            due: None,
            approval: None,
            currency: self.currency(currency),
            rate: Decimal::ONE,
            total: Decimal::ZERO,
            memo: None,
            terms: None,
            period: self.period_of(date)?,
            posting: true,
            external_id: None,
            other_reference: None,
            account: Some(self.payables()),
            subsidiary: self.subsidiary(subsidiary),
            payment_hold: false,
            extra: None,
            created: at.clone(),
            modified: at,
        })
    }

    fn body(&self, kind: BillKind, lines: &[world::Line], sign: Decimal) -> Vec<Row> {
        let dimension = |position: Option<usize>| {
            position.and_then(|position| self.dimensions.get(position).copied())
        };
        lines
            .iter()
            .enumerate()
            .map(|(position, line)| {
                let account = id(line.account);
                let read = LineIn {
                    kind: match line.kind {
                        world::LineKind::Expense => LineKind::Expense,
                        world::LineKind::Item(item, quantity) => LineKind::Item {
                            item: id(item),
                            quantity: Decimal::from(quantity),
                        },
                        world::LineKind::Tax => LineKind::Tax,
                    },
                    account: Some(account),
                    amount: line.amount * sign,
                    memo: line.memo.clone().filter(|memo| !memo.is_empty()),
                    department: dimension(line.department),
                    class: dimension(line.class),
                    location: dimension(line.location),
                    extra: None,
                };
                crate::ledger::bill::seeded_row(kind, &read, id(position), account)
            })
            .collect()
    }

    fn bills(&mut self) -> Result<(), LedgerError> {
        let world = self.world;
        for bill in &world.bills {
            let new = self.next();
            let signed = bill.total();
            let credit = signed.is_sign_negative() && !signed.is_zero();
            let kind = if credit {
                BillKind::VendorCredit
            } else {
                BillKind::VendorBill
            };
            let total = signed.abs();
            let approval = match bill.approval {
                world::Approval::Pending => Approval::Pending,
                world::Approval::Approved => Approval::Approved,
                world::Approval::Rejected => Approval::Rejected,
            };
            let sign = if credit {
                Decimal::NEGATIVE_ONE
            } else {
                Decimal::ONE
            };
            let header = Header {
                number: Some(bill.number.clone()).filter(|number| !number.is_empty()),
                due: (!credit).then_some(bill.due),
                approval: (!credit).then(|| approval.id()),
                rate: bill.rate,
                total: signed,
                memo: bill.memo.clone().filter(|memo| !memo.is_empty()),
                terms: world
                    .vendors
                    .get(bill.vendor)
                    .and_then(|vendor| vendor.terms)
                    .map(id),
                posting: credit || approval == Approval::Approved,
                other_reference: bill.purchase_order.clone(),
                payment_hold: bill.payment_hold,
                ..self.header(
                    new,
                    kind.code(),
                    bill.vendor,
                    bill.subsidiary,
                    bill.date,
                    bill.currency,
                )?
            };
            self.write(&header, kind, &bill.lines, sign, total)?;
            self.loaded.push(Loaded {
                id: new,
                kind,
                date: bill.date,
                rate: bill.rate,
            });
        }
        Ok(())
    }

    fn write(
        &self,
        header: &Header,
        kind: BillKind,
        lines: &[world::Line],
        sign: Decimal,
        total: Decimal,
    ) -> Result<(), LedgerError> {
        let payables = self.payables();
        let mut rows = vec![Row {
            line: 0,
            main: true,
            account: payables,
            amount: if kind == BillKind::VendorBill {
                -total
            } else {
                total
            },
            memo: header.memo.clone(),
            ..Row::default()
        }];
        rows.extend(self.body(kind, lines, sign));
        post::write(self.connection, header, &rows)
    }

    /// The rate of the first bill settled, or the list's.
    fn rate(
        &self,
        applied: &[(usize, Decimal)],
        currency: world::Currency,
        subsidiary: usize,
    ) -> Decimal {
        let base = self
            .world
            .subsidiaries
            .get(subsidiary)
            .map(|subsidiary| subsidiary.currency);
        if base == Some(currency) {
            return Decimal::ONE;
        }
        if let Some(loaded) = applied.first().and_then(|(bill, _)| self.loaded.get(*bill)) {
            return loaded.rate;
        }
        let own = self.listed_rate(currency);
        let base = base.map_or(Decimal::ONE, |base| self.listed_rate(base));
        own.checked_div(base).unwrap_or(Decimal::ONE).round_dp(6)
    }

    fn link(
        &self,
        payer: (i64, &'static str, Date),
        applied: &[(usize, Decimal)],
    ) -> Result<(), LedgerError> {
        let date = payer.2.to_string();
        let at = self.at(payer.2, usize::try_from(payer.0).unwrap_or(0));
        for (bill, amount) in applied {
            let Some(loaded) = self.loaded.get(*bill) else {
                continue;
            };
            if loaded.kind != BillKind::VendorBill || amount.is_zero() {
                continue;
            }
            let doc = (loaded.id, loaded.kind.code(), loaded.date.to_string());
            link_seeded(
                self.connection,
                (payer.0, payer.1, &date),
                (doc.0, doc.1, &doc.2),
                *amount,
                &at,
            )?;
        }
        Ok(())
    }

    fn credits(&mut self) -> Result<(), LedgerError> {
        let world = self.world;
        for credit in &world.credits {
            let new = self.next();
            let kind = BillKind::VendorCredit;
            let total = credit.total();
            let header = Header {
                number: Some(credit.number.clone()).filter(|number| !number.is_empty()),
                rate: self.rate(&credit.applied, credit.currency, credit.subsidiary),
                total: -total,
                ..self.header(
                    new,
                    kind.code(),
                    credit.vendor,
                    credit.subsidiary,
                    credit.date,
                    credit.currency,
                )?
            };
            self.write(&header, kind, &credit.lines, Decimal::ONE, total)?;
            self.link((new, kind.code(), credit.date), &credit.applied)?;
        }
        Ok(())
    }

    fn payments(&mut self) -> Result<(), LedgerError> {
        let world = self.world;
        for paid in &world.payments {
            let new = self.next();
            let kind = PaymentKind::VendorPayment;
            let bank = id(paid.account);
            let header = Header {
                number: Some(paid.number.clone()).filter(|number| !number.is_empty()),
                rate: self.rate(&paid.applied, paid.currency, paid.subsidiary),
                total: -paid.total(),
                account: Some(bank),
                ..self.header(
                    new,
                    kind.code(),
                    paid.vendor,
                    paid.subsidiary,
                    paid.date,
                    paid.currency,
                )?
            };
            self.link((new, kind.code(), paid.date), &paid.applied)?;
            let described = PaymentIn {
                kind,
                entity: vendor_id(paid.vendor),
                subsidiary: None,
                account: Some(bank),
                ledger_account: None,
                number: None,
                date: None,
                currency: None,
                rate: None,
                memo: None,
                external_id: None,
                period: None,
                amount: None,
                applications: Vec::new(),
                credits: Vec::new(),
                department: None,
                class: None,
                location: None,
                extra: None,
            };
            let rows = payment::rows(
                self.connection,
                &header,
                &described,
                bank,
                self.payables(),
                paid.total(),
            )?;
            post::write(self.connection, &header, &rows)?;
        }
        Ok(())
    }

    /// What follows from all the rest: paid and unpaid, balances, the next ids.
    fn finish(&self) -> Result<(), LedgerError> {
        for transaction in BEFORE_TRANSACTIONS + 1..=self.last_transaction {
            settle(self.connection, transaction)?;
        }
        for position in 0..self.world.vendors.len() {
            entity::rebalance(self.connection, Some(vendor_id(position)))?;
        }
        let entities = BEFORE_ENTITIES + i64::try_from(self.world.vendors.len()).unwrap_or(0);
        let families = [("transaction", self.last_transaction), ("entity", entities)];
        for (family, last) in families {
            self.connection.execute(
                "INSERT INTO x_counter (name, value) VALUES (?1, ?2)",
                params![family, last],
            )?;
        }
        let lists = [
            "account",
            "subsidiary",
            "department",
            "classification",
            "location",
            "currency",
            "term",
            "item",
            "accountingperiod",
            "vendorcategory",
        ];
        for table in lists {
            self.connection.execute(
                &format!(
                    "INSERT INTO x_counter (name, value)
                     SELECT '{table}', COALESCE(MAX(id), 0) FROM {table}"
                ),
                [],
            )?;
        }
        Ok(())
    }
}

/// `Parent : Child`, up to the top.
fn full_name<'w>(position: usize, record: impl Fn(usize) -> (&'w str, Option<usize>)) -> String {
    let mut names = Vec::new();
    let mut next = Some(position);
    while let Some(at) = next {
        let (name, parent) = record(at);
        names.push(name);
        // A parent comes before its children: anything else would run in circles.
        next = parent.filter(|parent| *parent < at);
    }
    names.reverse();
    names.join(" : ")
}

fn currency_name(code: &str) -> &str {
    match code {
        "USD" => "US Dollar",
        "CAD" => "Canadian Dollar",
        "EUR" => "Euro",
        "GBP" => "British Pound",
        other => other,
    }
}
