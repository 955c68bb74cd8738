//! A partner's account: all objects, and the clock they live by.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use tieout_kit::fake::FakeClock;

use crate::auth::Keys;
use crate::customers::{Customer, User};
use crate::held::Held;
use crate::invoices::Invoice;
use crate::payments::Payment;
use crate::payouts::Payout;
use crate::pdf::Pdfs;
use crate::problem::Problem;
use crate::random::Random;
use crate::refunds::Refund;
use crate::requests::PaymentRequest;
use crate::switches::Switches;
use crate::table::{Record, Stamp, Table};
use crate::webhooks::Webhooks;

/// An account.
#[derive(Clone)]
pub(crate) struct Account {
    clock: Arc<FakeClock>,
    /// While it is loaded, or catches up with its clock: the moment that it has come to.
    pub(crate) as_of: Option<Timestamp>,
    /// The address of the service, for links and callers that name none.
    pub(crate) base: String,
    /// Makes identifiers, keys and tokens.
    pub(crate) random: Random,
    /// Who may call.
    pub(crate) keys: Keys,
    /// How it behaves.
    pub(crate) switches: Switches,
    pub(crate) customers: Table<Customer>,
    pub(crate) users: Table<User>,
    pub(crate) invoices: Table<Invoice>,
    pub(crate) payments: Table<Payment>,
    pub(crate) refunds: Table<Refund>,
    pub(crate) payouts: Table<Payout>,
    pub(crate) requests: Table<PaymentRequest>,
    /// What is held for the partner until a payout.
    pub(crate) held: Held,
    /// Invoices as PDF.
    pub(crate) pdfs: Pdfs,
    /// Subscriptions, and what has to go to them.
    pub(crate) webhooks: Webhooks,
    /// How many numbers of invoices were generated.
    pub(crate) numbered: u32,
    /// Grows with every change.
    pub(crate) changes: u64,
}

impl Account {
    /// An account without objects.
    pub(crate) fn new(clock: Arc<FakeClock>, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let keys = Keys::new(&mut random);
        let webhooks = Webhooks::new(random.identifier("ptn"));
        Self {
            clock,
            as_of: None,
            base: String::new(),
            random,
            keys,
            switches: Switches::default(),
            customers: Table::default(),
            users: Table::default(),
            invoices: Table::default(),
            payments: Table::default(),
            refunds: Table::default(),
            payouts: Table::default(),
            requests: Table::default(),
            held: Held::default(),
            pdfs: Pdfs::default(),
            webhooks,
            numbered: 0,
            changes: 0,
        }
    }

    /// The present moment, to the millisecond: no answer tells it finer.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.as_of.unwrap_or_else(|| self.clock.now());
        let whole = jiff::TimestampRound::new()
            .smallest(Unit::Millisecond)
            .mode(jiff::RoundMode::Floor);
        now.round(whole).unwrap_or(now)
    }

    /// The moment that is so long from now; the end of time where there is none.
    pub(crate) fn later(&self, by: SignedDuration) -> Timestamp {
        later(self.now(), by)
    }

    /// The present day.
    pub(crate) fn today(&self) -> Date {
        self.now().to_zoned(TimeZone::UTC).date()
    }

    /// The stamp of an object that is made now.
    pub(crate) fn stamp<T: Record>(&mut self) -> Stamp {
        self.changes += 1;
        let now = self.now();
        Stamp {
            id: self.random.identifier(T::PREFIX),
            created_at: now,
            updated_at: now,
        }
    }

    /// The customer that a call names.
    pub(crate) fn customer(&self, id: &str) -> Result<&Customer, Problem> {
        self.customers.get(id).ok_or_else(Problem::missing)
    }

    /// The invoice that a call names.
    pub(crate) fn invoice(&self, id: &str) -> Result<&Invoice, Problem> {
        self.invoices.get(id).ok_or_else(Problem::missing)
    }

    /// The payment that a call names.
    pub(crate) fn payment(&self, id: &str) -> Result<&Payment, Problem> {
        self.payments.get(id).ok_or_else(Problem::missing)
    }

    /// Changes an object of a table and stamps it.
    pub(crate) fn change<T: Record>(
        &mut self,
        table: fn(&mut Self) -> &mut Table<T>,
        id: &str,
        work: impl FnOnce(&mut T),
    ) {
        let now = self.now();
        self.changes += 1;
        if let Some(object) = table(self).get_mut(id) {
            work(object);
            object.stamp_mut().updated_at = now;
        }
    }
}

/// The moment that is so long after another; the end of time where there is none.
pub(crate) fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}
