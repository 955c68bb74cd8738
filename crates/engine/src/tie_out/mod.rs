//! The tie-out of one connection: both sides are read within one window and under the lease, so that nothing
//! of ours is written meanwhile; then the flows' arithmetic makes the report.

mod books;
mod credits;
mod evidence;
mod gather;
mod ledger;
mod memos;
mod payments;
mod payouts;
mod rates;
mod receipts;
mod settlements;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use tieout_domain::code::Code;
use tieout_domain::port::Depth;
use tieout_domain::subledger::{Balance, Basis, Book, Movement, Posting, PostingKind, Subledger};
use tieout_domain::{
    Amount, Currency, Date, Fault, Kind, Period, PeriodState, RecordRef, RemoteId, Side, State,
    Timestamp,
};
use tieout_flows::matching::account_number_key;
use tieout_flows::tie_out::input::{Cleared, Input, Note, Presence, RollForward, Scope};
use tieout_flows::tie_out::{
    AccountName, BasisLine, Check, Completeness, Document, Flow, Method, OpenDocument, Party,
    PeriodName, Report, report,
};
use tieout_store::StoreError;

use crate::join::{Meanwhile, Taken, take};
use crate::keep::{lease_time, while_held};
use crate::pull::pull;
use crate::run::Run;
use crate::{Connection, EngineError, RunOptions};
use books::{documents_of, party_of, payments_of};
use evidence::same;
use gather::{Gathered, Gatherer, plus, record};
use ledger::{Ledger, LedgerReader};
use payouts::Addresses;

/// How long the reading of both sides may take for the figures to be of one moment, in seconds.
const WINDOW_SECONDS: i64 = 15 * 60;

/// For how many days a difference of timing is no error.
const GRACE_DAYS: i64 = 5;

/// The day whose end is reported on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// The last day of the posting period that this day is in, or today where that has not come yet.
    PeriodEnd(Date),
    /// This very day, or today where it has not come yet. One within its posting period goes by the days of
    /// transactions, because the general ledger by period has figures for the period's end alone.
    Day(Date),
}

impl AsOf {
    /// A day of the period.
    fn within(self) -> Date {
        match self {
            Self::PeriodEnd(day) | Self::Day(day) => day,
        }
    }

    /// The day, as it is known today.
    fn day(self, period: &Period, today: Date) -> Date {
        match self {
            Self::PeriodEnd(_) => period.end.min(today),
            Self::Day(day) => day.min(today),
        }
    }
}

/// What to report on.
#[derive(Debug, Clone)]
pub struct TieOutOptions {
    /// As of when.
    pub as_of: AsOf,
    /// The run's id: unique, chosen by the caller.
    pub id: String,
    /// What was said of differences before, by record.
    pub notes: BTreeMap<RecordRef, Note>,
    /// What else must be printed.
    pub notices: Vec<String>,
}

/// A report, and the documents that it is made of.
#[derive(Debug, Clone)]
pub struct TiedOut {
    /// The report.
    pub report: Report,
    /// What is open on either side, document by document.
    pub documents: Vec<OpenDocument>,
}

/// Makes the reports of a period: one for each currency that either side has anything in, the home currency's
/// first. Writes nothing to either side.
///
/// # Errors
/// [`EngineError`] when a side can't be read: figures that would lack a part are not made.
pub async fn tie_out(
    connection: &Connection,
    options: &TieOutOptions,
) -> Result<Vec<TiedOut>, EngineError> {
    let lease = match take(
        connection,
        &[],
        Meanwhile::Wait,
        lease_time(&connection.store),
    )
    .await?
    {
        Taken::Lease(lease) => lease,
        Taken::Joined(_) => return Err(EngineError::Busy("a run is under way".to_owned())),
    };
    let run_options = RunOptions::new(options.id.clone(), "tie-out");
    let run = Run::new(connection, &run_options, lease);
    let result = while_held(run.lease(), connection, Box::pin(work(&run, options))).await;
    let released = run.release().await;
    let reports = result?;
    released?;
    Ok(reports)
}

async fn work(run: &Run<'_>, options: &TieOutOptions) -> Result<Vec<TiedOut>, EngineError> {
    let connection = run.connection;
    connection.sides.run_begins();
    let started = connection.timer.now();
    connection.progress.begin("reading", None);
    let ledger_failed = |fault| connection.sides.failed(Side::Ledger, fault);
    let periods = connection.sides.ledger.whole.periods().await;
    let periods = periods.map_err(ledger_failed)?;
    let within = options.as_of.within();
    let period = periods
        .iter()
        .find(|period| period.contains(within))
        .ok_or_else(|| {
            let month = within.strftime("%Y-%m");
            EngineError::UnknownPeriod(format!("the ledger has no posting period for {month}"))
        })?;
    let subledger = connection.sides.ledger.subledger.as_ref();
    let subledger = Arc::clone(subledger.ok_or_else(|| {
        ledger_failed(Fault::Drift {
            code: Code::new("drift"),
            cause: "this ledger can't tell of its control accounts".to_owned(),
        })
    })?);
    let book = subledger.book();
    read_records(run, book).await?;
    let unreadable: Vec<String> = run.problems().iter().map(|it| it.cause.clone()).collect();
    let today = started.to_zoned(connection.time_zone.clone()).date();
    let day = options.as_of.day(period, today);
    let (until, basis) = if day < today && day < period.end {
        (day, Basis::Day)
    } else {
        (period.end, Basis::Period)
    };
    let clearing = match book {
        Book::Payables => clearing_account(connection).await?,
        Book::Receivables => undeposited_funds(connection, &*subledger).await?,
    };
    let reader = LedgerReader {
        connection,
        subledger,
        start: period.start,
        day,
        until,
        basis,
    };
    let clearing_ids: Vec<RemoteId> = clearing.iter().map(|one| one.id.clone()).collect();
    let ledger = reader.read(&clearing_ids).await?;
    connection.progress.end();
    let mut reports = Vec::new();
    for currency in currencies(connection, book, &ledger).await? {
        let input = Composer {
            connection,
            book,
            options,
            period,
            periods: &periods,
            day,
            until,
            basis,
            today,
            started,
            ledger: &ledger,
            clearing: &clearing,
            unreadable: &unreadable,
            currency,
        };
        let input = input.compose().await?;
        let documents = documents(&input);
        let report = report(input).map_err(|error| StoreError::Corrupt {
            cause: error.to_string(),
        })?;
        reports.push(TiedOut { report, documents });
    }
    Ok(reports)
}

fn documents(input: &Input) -> Vec<OpenDocument> {
    let mut documents: Vec<OpenDocument> = input
        .pairs
        .iter()
        .flat_map(|pair| {
            let sides = [&pair.ledger, &pair.platform].into_iter().flatten();
            sides
                .filter(|held| held.presence == Presence::There && !held.open.is_zero())
                .map(|held| OpenDocument {
                    record: held.record.clone(),
                    label: held.label.clone(),
                    vendor: pair.vendor.clone(),
                    date: held.date,
                    open: held.open,
                })
        })
        .collect();
    documents.sort_by(|a, b| a.record.cmp(&b.record));
    documents
}

/// Brings the mirror up to date: the platform's side from the first record to the last, the ledger's by what
/// changed, since its figures are read from its own books.
async fn read_records(run: &Run<'_>, book: Book) -> Result<(), EngineError> {
    let [documents, credits] = documents_of(book).map(|documents| documents.kind);
    let (_, payments) = payments_of(book);
    let both = [party_of(book), documents, credits, payments];
    let pays_out = run.connection.sides.platform.ways.pays_out;
    let payouts = (book == Book::Receivables && pays_out).then_some(Kind::Payout);
    let platform = both.into_iter().chain(payouts);
    let platform: Vec<(Side, Kind)> = platform.map(|kind| (Side::Platform, kind)).collect();
    let deposits = payouts.map(|_| Kind::Deposit);
    let refunds = match book {
        Book::Payables => None,
        Book::Receivables => Some(Kind::CustomerRefund),
    };
    let ledger = [Kind::Account].into_iter().chain(both);
    let ledger = ledger.chain(refunds).chain(deposits);
    let ledger: Vec<(Side, Kind)> = ledger.map(|kind| (Side::Ledger, kind)).collect();
    let (platform, ledger) = futures::try_join!(
        pull(run, &platform, Depth::Whole),
        pull(run, &ledger, Depth::Changes),
    )?;
    match platform.into_iter().chain(ledger).next() {
        Some(((side, _), fault)) => Err(run.connection.sides.failed(side, fault)),
        None => Ok(()),
    }
}

/// The preference's clearing account, by number or id.
async fn clearing_account(connection: &Connection) -> Result<Vec<AccountName>, EngineError> {
    let named = connection
        .preferences
        .transactions
        .payment_account
        .as_deref();
    let Some(text) = named.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    let store = &connection.store;
    let mut found = Vec::new();
    if let Some(key) = account_number_key(text) {
        found = store
            .records_matching(Side::Ledger, Kind::Account, &[key])
            .await?;
    }
    if found.len() != 1 {
        let by_id = store
            .records(Side::Ledger, Kind::Account, &[RemoteId::from(text)])
            .await?;
        found = by_id.into_values().collect();
    }
    Ok(found
        .into_iter()
        .map(|mirrored| AccountName {
            label: mirrored.observed.document.label(),
            id: mirrored.observed.id,
        })
        .collect())
}

/// Where customers' money waits for a deposit.
async fn undeposited_funds(
    connection: &Connection,
    subledger: &dyn Subledger,
) -> Result<Vec<AccountName>, EngineError> {
    let found = subledger.undeposited_funds().await;
    let found = found.map_err(|fault| connection.sides.failed(Side::Ledger, fault))?;
    Ok(found
        .into_iter()
        .map(|(id, label)| AccountName { id, label })
        .collect())
}

/// The currencies that either side has anything in.
async fn currencies(
    connection: &Connection,
    book: Book,
    ledger: &Ledger,
) -> Result<Vec<Currency>, EngineError> {
    let home = connection.home_currency;
    let mut found = vec![home];
    let of_ledger = ledger
        .balances
        .iter()
        .filter(|balance| !balance.amount.is_zero() || balance.lines > 0)
        .map(|balance| balance.currency);
    let mut others: Vec<Currency> = of_ledger.collect();
    for kind in documents_of(book).map(|documents| documents.kind) {
        let totals = connection.store.totals(Side::Platform, kind).await?;
        others.extend(totals.by_currency.iter().filter_map(|one| one.currency));
    }
    others.retain(|currency| *currency != home);
    others.sort_unstable();
    others.dedup();
    found.extend(others);
    Ok(found)
}

/// Puts the input of one currency's report together.
struct Composer<'a> {
    connection: &'a Connection,
    book: Book,
    options: &'a TieOutOptions,
    period: &'a Period,
    periods: &'a [Period],
    day: Date,
    until: Date,
    basis: Basis,
    today: Date,
    started: Timestamp,
    ledger: &'a Ledger,
    clearing: &'a [AccountName],
    unreadable: &'a [String],
    currency: Currency,
}

impl Composer<'_> {
    async fn compose(&self) -> Result<Input, EngineError> {
        let later_periods: HashSet<RemoteId> = self
            .periods
            .iter()
            .filter(|period| period.end > self.period.end)
            .map(|period| period.id.clone())
            .collect();
        let mut gatherer = Gatherer {
            connection: self.connection,
            book: self.book,
            currency: self.currency,
            start: self.period.start,
            day: self.day,
            until: self.until,
            basis: self.basis,
            later_periods,
            parties: HashMap::new(),
            addresses: Addresses::default(),
            extracts: Vec::new(),
        };
        let gathered = gatherer.gather(&self.ledger.open).await?;
        let cleared = self.cleared(&gathered);
        let roll_forward = self.roll_forward(&gathered)?;
        let basis = self.bridge()?;
        Ok(Input {
            scope: self.scope(),
            control: self.book.owed(self.balance(&self.ledger.balances)?),
            loose: self.of_currency(&self.ledger.loose),
            clearing: self.balance(&self.ledger.clearing_balances)?,
            cleared,
            roll_forward,
            basis,
            notes: self.options.notes.clone(),
            completeness: self.completeness(gatherer.extracts).await?,
            valuation: rates::valuation(self.connection, self.currency, &gathered.pairs).await?,
            notices: self.options.notices.clone(),
            pairs: gathered.pairs,
            effects: gathered.effects,
            payouts: gathered.payouts,
            settlements: gathered.settlements,
        })
    }

    fn scope(&self) -> Scope {
        let Connection { sides, store, .. } = self.connection;
        let subsidiary = sides.ledger.subsidiary.as_ref();
        Scope {
            book: self.book,
            connection: store.name().to_string(),
            ledger: Party {
                system: sides.ledger.system.as_str().to_owned(),
                account: sides.ledger.account.clone(),
                part: subsidiary
                    .map(|id| format!("subsidiary {id}"))
                    .unwrap_or_default(),
            },
            platform: Party {
                system: sides.platform.system.as_str().to_owned(),
                account: sides.platform.account.clone(),
                part: String::new(),
            },
            accounts: self.ledger.accounts.clone(),
            clearing: self.clearing.to_vec(),
            currency: self.currency,
            period: PeriodName {
                id: self.period.id.clone(),
                name: self.period.name.clone(),
                start: self.period.start,
                end: self.period.end,
                state: match self.period.state_of(self.book) {
                    PeriodState::Open => "open",
                    PeriodState::Locked => "locked",
                    PeriodState::Closed => "closed",
                }
                .to_owned(),
            },
            day: self.day,
            method: if self.day < self.today {
                Method::RollBack
            } else {
                Method::AsOfNow
            },
            made_at: self.started,
            grace_days: GRACE_DAYS,
        }
    }

    fn balance(&self, balances: &[Balance]) -> Result<Amount, EngineError> {
        balances
            .iter()
            .filter(|balance| balance.currency == self.currency)
            .try_fold(Amount::ZERO, |sum, balance| plus(sum, balance.amount))
    }

    fn of_currency(&self, postings: &[Posting]) -> Vec<Posting> {
        postings
            .iter()
            .filter(|posting| posting.currency == self.currency)
            .cloned()
            .collect()
    }

    fn cleared(&self, gathered: &Gathered) -> Vec<Cleared> {
        let keys = format!(
            "{}_{}_",
            self.connection.sides.platform.key_prefix, self.connection.sides.platform.account
        );
        self.of_currency(&self.ledger.cleared)
            .into_iter()
            .map(|posting| {
                let owed = gathered.ours.get(&posting.id).copied();
                let keyed = posting
                    .external_id
                    .as_ref()
                    .is_some_and(|key| key.as_str().starts_with(&keys));
                Cleared {
                    ours: owed.is_some() || keyed,
                    owed: owed.unwrap_or(false),
                    posting,
                }
            })
            .collect()
    }

    /// What happened in the period, on both sides.
    fn roll_forward(&self, gathered: &Gathered) -> Result<RollForward, EngineError> {
        let sum = |movements: &[Movement]| {
            movements
                .iter()
                .filter(|movement| movement.currency == self.currency)
                .try_fold(Amount::ZERO, |sum, movement| {
                    plus(sum, self.book.owed(movement.amount))
                })
        };
        let mut flows = gathered.platform_flows.to_vec();
        let movements = self.ledger.movements.iter();
        for movement in movements.filter(|movement| movement.currency == self.currency) {
            let label = match &movement.kind {
                PostingKind::Bill => "bills",
                PostingKind::VendorCredit => "credits",
                PostingKind::Invoice => "invoices",
                PostingKind::CreditMemo => "credits",
                PostingKind::Payment | PostingKind::CustomerPayment => "payments",
                PostingKind::CustomerRefund => "refunds",
                PostingKind::Deposit => "deposits",
                PostingKind::Journal => "journals",
                PostingKind::Revaluation => "revaluation",
                PostingKind::Other(word) => word,
            };
            let at = flows.iter().position(|flow| flow.label == label);
            let at = at.unwrap_or_else(|| {
                flows.push(Flow {
                    label: label.to_owned(),
                    ..Flow::default()
                });
                flows.len() - 1
            });
            flows[at].ledger_count += movement.count;
            flows[at].ledger_amount =
                plus(flows[at].ledger_amount, self.book.owed(movement.amount))?;
        }
        Ok(RollForward {
            opening: sum(&self.ledger.opening)?,
            flows,
        })
    }

    /// The bridge between the usual aging by day and the sub-ledger by period.
    fn bridge(&self) -> Result<Vec<BasisLine>, EngineError> {
        let mut lines: BTreeMap<RecordRef, BasisLine> = BTreeMap::new();
        let by_day = self
            .ledger
            .open_by_day
            .iter()
            .map(|posting| (posting, true));
        let by_period = self.ledger.open.iter().map(|posting| (posting, false));
        for (posting, is_by_day) in by_day.chain(by_period) {
            if posting.currency != self.currency {
                continue;
            }
            let open = self.book.owed(posting.open);
            let amount = if is_by_day { open } else { -open };
            let line = lines.entry(record(posting)).or_insert_with(|| BasisLine {
                document: Document {
                    record: record(posting),
                    label: posting.number.clone(),
                    amount: self.book.owed(posting.amount),
                },
                vendor: posting.party_name.clone(),
                date: posting.date,
                posted: posting.period_end,
                amount: Amount::ZERO,
            });
            line.amount = plus(line.amount, amount)?;
        }
        lines.retain(|_, line| !line.amount.is_zero());
        Ok(lines.into_values().collect())
    }

    async fn completeness(
        &self,
        of_platform: Vec<tieout_flows::tie_out::Extract>,
    ) -> Result<Completeness, EngineError> {
        let mut extracts = self.ledger.extracts.clone();
        extracts.extend(of_platform);
        let ended = extracts.iter().map(|extract| extract.ended).max();
        let ended = ended.unwrap_or(self.started);
        let window_seconds = ended.duration_since(self.started).as_secs();
        let mut checks = self.ledger.checks.clone();
        checks.extend(extracts.iter().map(|extract| {
            same(
                format!("{}: read to the last page", extract.what),
                true,
                extract.last_page_seen,
            )
        }));
        // What can't be read is not among the figures, or is as it was last seen.
        let unreadable = match self.unreadable {
            [] => "none".to_owned(),
            some => some.join("; "),
        };
        checks.push(same("records that can't be read", "none", unreadable));
        checks.push(Check {
            what: "both sides were read within one window".to_owned(),
            expected: format!("at most {WINDOW_SECONDS} seconds"),
            found: format!("{window_seconds} seconds"),
            holds: window_seconds <= WINDOW_SECONDS,
        });
        let counts = self.connection.store.counts().await?;
        let states = counts
            .into_iter()
            .map(|(flow, counts)| {
                let states = State::ALL.iter().zip(counts);
                let states = states.map(|(state, count)| (state.to_string(), count));
                (flow, states.collect())
            })
            .collect();
        Ok(Completeness {
            extracts,
            checks,
            states,
            window_seconds,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules: self.connection.rules().to_string(),
        })
    }
}
