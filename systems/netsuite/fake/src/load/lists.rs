//! The lists of a world: what documents refer to.

use jiff::civil::Date;
use rusqlite::params;
use rust_decimal::Decimal;
use tieout_kit::fake::world::{self, Axis, PeriodState};

use super::{Loader, currency_name, full_name, id};
use crate::ledger::{LedgerError, flag};
use crate::schema::to_units;

impl Loader<'_> {
    pub(super) fn currencies(&self) -> Result<(), LedgerError> {
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
    pub(super) fn listed_rate(&self, currency: world::Currency) -> Decimal {
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

    pub(super) fn subsidiaries(&self) -> Result<(), LedgerError> {
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
    pub(super) fn periods(&mut self) -> Result<(), LedgerError> {
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

    pub(super) fn accounts(&self) -> Result<(), LedgerError> {
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

    pub(super) fn dimensions(&mut self) -> Result<(), LedgerError> {
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

    pub(super) fn terms_and_items(&self) -> Result<(), LedgerError> {
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

    pub(super) fn setup(&self) -> Result<(), LedgerError> {
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
            ("WEBSERVICESEXTERNAL", "SuiteTalk (Web Services)", true),
            ("CUSTOMCODE", "Client SuiteScript", true),
            ("SERVERSIDESCRIPTING", "Server SuiteScript", true),
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
    pub(super) fn roles(&self) -> Result<(), LedgerError> {
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
            ("Deleted Records", "ADMI_DELETEDRECORD"),
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
}
