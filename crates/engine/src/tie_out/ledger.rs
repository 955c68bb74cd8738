//! The ledger's sets, read whole, each with the evidence of how it was read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use tieout_domain::subledger::{Balance, Basis, Book, Movement, Posting, Subledger, Told};
use tieout_domain::{Amount, Currency, Date, Fault, RemoteId, Side};
use tieout_flows::tie_out::{AccountName, Check, Extract};

use super::evidence::{Reading, same};
use crate::{Connection, EngineError};

/// What was read of the ledger.
pub(super) struct Ledger {
    pub(super) accounts: Vec<AccountName>,
    pub(super) balances: Vec<Balance>,
    /// Open at the end.
    pub(super) open: Vec<Posting>,
    /// The same by day.
    pub(super) open_by_day: Vec<Posting>,
    pub(super) loose: Vec<Posting>,
    pub(super) movements: Vec<Movement>,
    /// What the sub-ledger had open at the end of the period before, by currency.
    pub(super) opening: Vec<Movement>,
    pub(super) clearing_balances: Vec<Balance>,
    pub(super) cleared: Vec<Posting>,
    pub(super) extracts: Vec<Extract>,
    pub(super) checks: Vec<Check>,
}

/// A set that comes in pages.
#[derive(Clone, Copy)]
enum Paged {
    Open,
    OpenByDay,
    Loose,
    Clearing,
}

/// Reads one connection's control accounts.
pub(super) struct LedgerReader<'a> {
    pub(super) connection: &'a Connection,
    pub(super) subledger: Arc<dyn Subledger>,
    /// First day of the period.
    pub(super) start: Date,
    /// The day reported on.
    pub(super) day: Date,
    /// The last day that counts: by period, the last one of it.
    pub(super) until: Date,
    /// By what a transaction counts.
    pub(super) basis: Basis,
}

impl LedgerReader<'_> {
    /// Reads everything.
    pub(super) async fn read(&self, clearing: &[RemoteId]) -> Result<Ledger, EngineError> {
        let accounts = self.subledger.control_accounts().await;
        let accounts: Vec<AccountName> = accounts
            .map_err(|fault| self.failed(fault))?
            .into_iter()
            .map(|(id, label)| AccountName { id, label })
            .collect();
        let ids: Vec<RemoteId> = accounts.iter().map(|one| one.id.clone()).collect();
        let before = self.start.yesterday().unwrap_or(self.start);
        let ledger = &self.subledger;
        let (balances, open_totals, movements, opening, clearing_balances) = futures::try_join!(
            self.once(
                "control accounts",
                ledger.balances(&ids, self.until, self.basis)
            ),
            self.once(
                "open items, added up",
                ledger.open_totals(&ids, self.until, self.basis)
            ),
            self.once(
                "movements",
                ledger.movements(&ids, self.start, self.until, self.basis)
            ),
            self.once(
                "opening balance",
                ledger.open_totals(&ids, before, self.basis)
            ),
            self.once(
                "clearing accounts",
                ledger.balances(clearing, self.until, self.basis)
            ),
        )?;
        let (open, open_by_day, loose, cleared) = futures::try_join!(
            self.pages(Paged::Open, &ids),
            self.bridge(&ids),
            self.pages(Paged::Loose, &ids),
            self.pages(Paged::Clearing, clearing),
        )?;
        let mut extracts = Vec::new();
        let balances = finished(balances, &mut extracts);
        let open = finished(open, &mut extracts);
        let open_totals = finished(open_totals, &mut extracts);
        // By day, what is open is what an aging by day shows.
        let open_by_day = match open_by_day {
            Some(reading) => finished(reading, &mut extracts),
            None => open.clone(),
        };
        let loose = finished(loose, &mut extracts);
        let opening = finished(opening, &mut extracts);
        let movements = finished(movements, &mut extracts);
        let clearing_balances = finished(clearing_balances, &mut extracts);
        let cleared = finished(cleared, &mut extracts);
        let mut checks = totals(&open, &open_totals);
        checks.extend(accounts_come_to(&cleared, &clearing_balances));
        Ok(Ledger {
            accounts,
            balances,
            open,
            open_by_day,
            loose,
            movements,
            opening,
            clearing_balances,
            cleared,
            extracts,
            checks,
        })
    }

    fn failed(&self, fault: Fault) -> EngineError {
        self.connection.sides.failed(Side::Ledger, fault)
    }

    async fn once<T: Serialize + Worth>(
        &self,
        what: &str,
        read: impl Future<Output = Result<Told<T>, Fault>>,
    ) -> Result<Reading<T>, EngineError> {
        let mut reading = Reading::begin(what, self.connection.timer.now());
        let told = read.await.map_err(|fault| self.failed(fault))?;
        reading.take(told, Worth::worth, self.connection.timer.now());
        Ok(reading)
    }

    /// What is open by day, where the rest goes by period.
    async fn bridge(&self, accounts: &[RemoteId]) -> Result<Option<Reading<Posting>>, EngineError> {
        match self.basis {
            Basis::Period => self.pages(Paged::OpenByDay, accounts).await.map(Some),
            Basis::Day => Ok(None),
        }
    }

    async fn pages(
        &self,
        set: Paged,
        accounts: &[RemoteId],
    ) -> Result<Reading<Posting>, EngineError> {
        let (what, ledger) = (
            set.title(self.basis, self.subledger.book()),
            &self.subledger,
        );
        let mut reading = Reading::begin(what, self.connection.timer.now());
        let mut token = None;
        loop {
            let token_ref = token.as_ref();
            let told = match set {
                Paged::Open => {
                    ledger
                        .open_items(accounts, self.until, self.basis, token_ref)
                        .await
                }
                Paged::OpenByDay => {
                    ledger
                        .open_items(accounts, self.day, Basis::Day, token_ref)
                        .await
                }
                Paged::Loose => {
                    ledger
                        .loose_lines(accounts, self.until, self.basis, token_ref)
                        .await
                }
                Paged::Clearing => {
                    ledger
                        .postings(accounts, self.until, self.basis, token_ref)
                        .await
                }
            };
            let told = told.map_err(|fault| self.failed(fault))?;
            token.clone_from(&told.next);
            reading.take(told, |row| row.open, self.connection.timer.now());
            if token.is_none() {
                return Ok(reading);
            }
        }
    }
}

impl Paged {
    fn title(self, basis: Basis, book: Book) -> &'static str {
        match self {
            Self::Open if basis == Basis::Period => "open items by posting period",
            Self::Open | Self::OpenByDay => "open items by day",
            Self::Loose if book == Book::Payables => "lines without a vendor",
            Self::Loose => "lines without a customer",
            Self::Clearing => "postings on clearing accounts",
        }
    }
}

/// What a row adds to the control total of its set.
trait Worth {
    fn worth(&self) -> Amount;
}

impl Worth for Balance {
    fn worth(&self) -> Amount {
        self.amount
    }
}

impl Worth for Movement {
    fn worth(&self) -> Amount {
        self.amount
    }
}

fn finished<T: Serialize>(reading: Reading<T>, extracts: &mut Vec<Extract>) -> Vec<T> {
    let (rows, extract) = reading.end();
    extracts.push(extract);
    rows
}

/// The rows of open items against the ledger's own count and sum of them.
fn totals(open: &[Posting], totals: &[Movement]) -> Vec<Check> {
    let mut rows: BTreeMap<Currency, (u64, Amount)> = BTreeMap::new();
    for posting in open {
        let (count, sum) = rows.entry(posting.currency).or_default();
        *count += 1;
        *sum = [*sum, posting.open].into_iter().sum();
    }
    let mut expected: BTreeMap<Currency, (u64, Amount)> = BTreeMap::new();
    for total in totals {
        let (count, sum) = expected.entry(total.currency).or_default();
        *count += total.count;
        *sum = [*sum, total.amount].into_iter().sum();
    }
    let currencies: BTreeSet<Currency> = rows.keys().chain(expected.keys()).copied().collect();
    let said = |of: &BTreeMap<Currency, (u64, Amount)>, currency: Currency| {
        let (count, sum) = of.get(&currency).copied().unwrap_or_default();
        format!("{count} rows, {}", sum.of(currency))
    };
    currencies
        .into_iter()
        .map(|currency| {
            same(
                format!("open items in {currency}, as added up by the ledger"),
                said(&expected, currency),
                said(&rows, currency),
            )
        })
        .collect()
}

/// The postings on clearing accounts against the balances of these.
fn accounts_come_to(postings: &[Posting], balances: &[Balance]) -> Vec<Check> {
    let mut sums: BTreeMap<(RemoteId, Currency), Amount> = BTreeMap::new();
    for posting in postings {
        let sum = sums
            .entry((posting.account.clone(), posting.currency))
            .or_default();
        *sum = [*sum, posting.amount].into_iter().sum();
    }
    balances
        .iter()
        .map(|balance| {
            let key = (balance.account.clone(), balance.currency);
            let sum = sums.get(&key).copied().unwrap_or_default();
            same(
                format!("postings on account {} in {}", key.0, key.1),
                balance.amount.of(balance.currency),
                sum.of(balance.currency),
            )
        })
        .collect()
}
