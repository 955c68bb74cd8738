//! The organization: every record the sandbox holds, and the time they live by.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use rust_decimal::Decimal;
use tieout_kit::fake::FakeClock;

use crate::Options;
use crate::auth::Auth;
use crate::bills::Bill;
use crate::classifications::Lists;
use crate::credits::Credit;
use crate::documents::File;
use crate::funding::Funding;
use crate::ids::{Ids, Kind, Random};
use crate::json::Json;
use crate::limits::Limits;
use crate::money::usual_dollars_for_one;
use crate::payments::Payment;
use crate::problem::Problem;
use crate::receivables::Receivables;
use crate::table::Table;
use crate::vendors::Vendor;
use crate::webhooks::Webhooks;

/// All of one organization. Every call works on it alone, under one lock.
#[derive(Clone)]
pub(crate) struct Organization {
    pub(crate) ids: Ids,
    pub(crate) options: Options,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) random: Random,
    pub(crate) name: String,
    pub(crate) zone: TimeZone,
    /// Bills dated on or before this day can't be edited any more.
    pub(crate) books_closed: Option<Date>,
    pub(crate) auth: Auth,
    pub(crate) limits: Limits,
    pub(crate) lists: Lists,
    pub(crate) vendors: Table<Vendor>,
    pub(crate) bills: Table<Bill>,
    pub(crate) lines: u32,
    pub(crate) payments: Table<Payment>,
    pub(crate) applications: u32,
    /// When payments move next: the time in microseconds, and the payment.
    pub(crate) due: BTreeSet<(i64, u32)>,
    pub(crate) credits: Table<Credit>,
    pub(crate) credit_lines: u32,
    pub(crate) funding: Funding,
    pub(crate) receivables: Receivables,
    pub(crate) terms: Table<Json>,
    pub(crate) policies: Vec<(u32, Json)>,
    pub(crate) recurring: Table<Json>,
    pub(crate) files: Table<File>,
    pub(crate) webhooks: Webhooks,
    /// While the records of the start are made, the time they are said to be from.
    pub(crate) loading: Option<Timestamp>,
    last_stamp: i64,
    /// For how long lists show a record as it was before its last change.
    pub(crate) lists_lag: SignedDuration,
    /// Rates that were set from the control panel: US dollars for one unit of a currency.
    pub(crate) rates: BTreeMap<String, Decimal>,
    /// Identifiers and names of all organizations that the user reaches; empty where it is this one alone.
    pub(crate) reached: Vec<(String, String)>,
}

impl Organization {
    /// An organization without records.
    pub(crate) fn new(clock: Arc<FakeClock>, zone: TimeZone, options: Options) -> Self {
        let mut random = Random::new(options.seed);
        let auth = Auth::new(&mut random);
        let ids = Ids::new(options.seed);
        Self {
            ids,
            clock,
            random,
            name: "Acme Industries".to_owned(),
            zone,
            books_closed: None,
            auth,
            limits: Limits::default(),
            lists: Lists::default(),
            vendors: Table::default(),
            bills: Table::default(),
            lines: 0,
            payments: Table::default(),
            applications: 0,
            due: BTreeSet::new(),
            credits: Table::default(),
            credit_lines: 0,
            funding: Funding::default(),
            receivables: Receivables::default(),
            terms: Table::default(),
            policies: Vec::new(),
            recurring: Table::default(),
            files: Table::default(),
            webhooks: Webhooks::default(),
            loading: None,
            last_stamp: 0,
            lists_lag: SignedDuration::ZERO,
            rates: BTreeMap::new(),
            reached: Vec::new(),
            options,
        }
    }

    /// US dollars for one unit of a currency.
    pub(crate) fn dollars_for_one(&self, currency: &str) -> Decimal {
        let set = self.rates.get(currency).copied();
        set.unwrap_or_else(|| usual_dollars_for_one(currency))
    }

    /// The organization's identifier.
    pub(crate) fn id(&self) -> String {
        self.ids.text(Kind::Organization, 0)
    }

    /// The identifier of the user everyone signs in as.
    pub(crate) fn user(&self) -> String {
        self.ids.text(Kind::User, 0)
    }

    /// The sandbox's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Today, where the organization is.
    pub(crate) fn today(&self) -> Date {
        self.now().to_zoned(self.zone.clone()).date()
    }

    /// The time of a change, in microseconds: later than every one before, so that orders by it are
    /// total. Answers show milliseconds, so that two changes may well look simultaneous.
    pub(crate) fn stamp(&mut self) -> i64 {
        let now = self.loading.unwrap_or_else(|| self.now());
        self.last_stamp = now.as_microsecond().max(self.last_stamp + 1);
        self.last_stamp
    }

    /// The time of the latest change of all.
    pub(crate) fn last_change(&self) -> i64 {
        self.last_stamp
    }

    /// The place of a record of a kind that an identifier names, or the answer that there is none.
    pub(crate) fn place(&self, kind: Kind, id: &str, length: u32) -> Result<u32, Problem> {
        let place = self.ids.place(kind, id).filter(|place| *place < length);
        place.ok_or_else(|| Problem::missing(id))
    }
}

/// A time as answers show it.
pub(crate) fn time_text(stamp: i64) -> String {
    Timestamp::from_microsecond(stamp)
        .map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
        .unwrap_or_default()
}

/// The first day from `day` on that banks work (weekends are all the sandbox knows of holidays).
pub(crate) fn business_day(day: Date) -> Date {
    let mut day = day;
    while matches!(
        day.weekday(),
        jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday
    ) {
        day = day.saturating_add(1.day());
    }
    day
}

/// The business day that is so many business days after `day`.
pub(crate) fn business_days_after(day: Date, days: u32) -> Date {
    let mut day = business_day(day);
    for _ in 0..days {
        day = business_day(day.saturating_add(1.day()));
    }
    day
}
