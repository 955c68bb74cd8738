//! What a mapping is in use by: the ledger's open bills and credits that code to it, and what is open of them; of a
//! funding account, the payments that are drawn on it; of items and terms, the ledger's open invoices and credit memos
//! that name them.

use std::collections::{BTreeMap, HashMap, HashSet};

use tieout_domain::document::{Line, SalesLine};
use tieout_domain::{Amount, Currency, Document, Kind, Money, RecordRef, RemoteId, Side, State};
use tieout_store::ConnectionStore;

use crate::error::DeskError;

/// How many records are read at once.
const PAGE: u32 = 1000;

/// The flow that posts payments.
const PAYMENTS: &str = "bill-payments";

/// How many bills a preview names.
const NAMED_MAX: usize = 50;

/// How much rests on one mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Use {
    /// How many open bills and credits; how many payments.
    pub count: u64,
    sums: BTreeMap<Currency, Amount>,
}

impl Use {
    fn add(&mut self, money: Money) {
        let sum = self.sums.entry(money.currency).or_insert(Amount::ZERO);
        *sum = [*sum, money.amount].into_iter().sum();
        self.count += 1;
    }

    /// What is open of them, by currency; credits count against bills. What is paid, of payments.
    #[must_use]
    pub fn amounts(&self) -> Vec<Money> {
        let sums = self.sums.iter();
        sums.map(|(currency, amount)| amount.of(*currency))
            .collect()
    }
}

/// An open document that a change of a mapping would touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedBill {
    /// The ledger's record.
    pub record: RecordRef,
    /// What people call it.
    pub label: String,
    /// What is open of it; a credit's is negative, and a payment's is what was paid.
    pub open: Money,
}

/// What a change would touch.
#[derive(Debug, Clone, Default)]
pub struct Touched {
    /// All of it.
    pub all: Use,
    /// The first documents, fifty at most.
    pub bills: Vec<TouchedBill>,
}

/// What is in use by open bills and credits, by the id that the mapping leads from; of funding accounts, by payments.
///
/// # Errors
/// The store's.
pub async fn uses(
    store: &ConnectionStore,
    kind: Kind,
) -> Result<HashMap<RemoteId, Use>, DeskError> {
    let mut found: HashMap<RemoteId, Use> = HashMap::new();
    if kind == Kind::FundingAccount {
        let mut after = None;
        while let Some(payments) = drawn(store, &mut after).await? {
            for (payment, from) in payments {
                found.entry(from).or_default().add(payment.open);
            }
        }
        return Ok(found);
    }
    each_open(store, kind, |bill, named| {
        for id in named {
            found.entry((*id).clone()).or_default().add(bill.open);
        }
    })
    .await?;
    Ok(found)
}

/// What a change of these mappings would touch: of funding accounts, the payments that are not posted yet.
///
/// # Errors
/// The store's.
pub async fn touched(
    store: &ConnectionStore,
    kind: Kind,
    from: &[RemoteId],
) -> Result<Touched, DeskError> {
    if kind == Kind::FundingAccount {
        return unposted(store, from).await;
    }
    let mut found = Touched::default();
    each_open(store, kind, |bill, named| {
        if named.iter().any(|id| from.contains(id)) {
            found.add(bill);
        }
    })
    .await?;
    Ok(found)
}

impl Touched {
    fn add(&mut self, bill: TouchedBill) {
        self.all.add(bill.open);
        if self.bills.len() < NAMED_MAX {
            self.bills.push(bill);
        }
    }
}

/// A payment, and the funding account that it is drawn on.
type Drawn = (TouchedBill, RemoteId);

/// The next page of the platform's payments that are drawn on a funding account; `None` after the last one.
async fn drawn(
    store: &ConnectionStore,
    after: &mut Option<RemoteId>,
) -> Result<Option<Vec<Drawn>>, DeskError> {
    let page = store
        .records_page(Side::Platform, Kind::Payment, after.as_ref(), PAGE)
        .await?;
    let Some(last) = page.last() else {
        return Ok(None);
    };
    *after = Some(last.observed.id.clone());
    let there = page.iter().filter(|mirrored| !mirrored.gone);
    let drawn = there.filter_map(|mirrored| {
        let document = &mirrored.observed.document;
        let Document::Payment(payment) = document else {
            return None;
        };
        let touched = TouchedBill {
            record: mirrored.record(),
            label: document.label(),
            open: payment.total.of(payment.currency),
        };
        Some((touched, payment.funding.as_ref()?.id.clone()))
    });
    Ok(Some(drawn.collect()))
}

/// The payments on these funding accounts that are not posted yet.
async fn unposted(store: &ConnectionStore, from: &[RemoteId]) -> Result<Touched, DeskError> {
    let mut found = Touched::default();
    let mut after = None;
    while let Some(mut payments) = drawn(store, &mut after).await? {
        payments.retain(|(_, account)| from.contains(account));
        let records = payments.iter().map(|(payment, _)| payment.record.clone());
        let records: Vec<_> = records.collect();
        let items = store.items(PAYMENTS, &records).await?;
        for (payment, _) in payments {
            let item = items.get(&payment.record);
            if item.is_none_or(|item| item.outcome.state != State::Done) {
                found.add(payment);
            }
        }
    }
    Ok(found)
}

/// What the lines code to, each id once.
fn coded_to(kind: Kind, lines: &[Line]) -> HashSet<&RemoteId> {
    let of = |line| -> Option<&RemoteId> {
        let line: &Line = line;
        match kind {
            Kind::Account => line.account.as_ref(),
            Kind::Department => line.department.as_ref(),
            Kind::Class => line.class.as_ref(),
            Kind::Location => line.location.as_ref(),
            _ => None,
        }
    };
    lines.iter().filter_map(of).collect()
}

/// What an open document of receivables names, each id once.
fn named_in<'a>(
    kind: Kind,
    lines: &'a [SalesLine],
    terms: Option<&'a RemoteId>,
) -> HashSet<&'a RemoteId> {
    match kind {
        Kind::Item => lines.iter().filter_map(|line| line.item.as_ref()).collect(),
        Kind::Terms => terms.into_iter().collect(),
        _ => HashSet::new(),
    }
}

/// What is open of a document of the ledger, and what of a kind it names. Credits count against what they lower.
fn open_and_named(kind: Kind, document: &Document) -> Option<(Money, HashSet<&RemoteId>)> {
    Some(match document {
        Document::Bill(bill) => (bill.open.of(bill.currency), coded_to(kind, &bill.lines)),
        Document::VendorCredit(credit) => {
            let open = (-credit.open).of(credit.currency);
            (open, coded_to(kind, &credit.lines))
        }
        Document::Invoice(invoice) => {
            let open = invoice.open.of(invoice.currency);
            (open, named_in(kind, &invoice.lines, invoice.terms.as_ref()))
        }
        Document::CreditMemo(memo) => {
            let open = (-memo.open).of(memo.currency);
            (open, named_in(kind, &memo.lines, None))
        }
        _ => return None,
    })
}

/// The documents of the ledger in which records of a kind are named.
fn documents(kind: Kind) -> [Kind; 2] {
    match kind {
        Kind::Item | Kind::Terms => [Kind::Invoice, Kind::CreditMemo],
        _ => [Kind::Bill, Kind::VendorCredit],
    }
}

/// Goes through the ledger's open documents in which records of this kind are named, with those that are.
async fn each_open(
    store: &ConnectionStore,
    kind: Kind,
    mut take: impl FnMut(TouchedBill, &HashSet<&RemoteId>),
) -> Result<(), DeskError> {
    for of in documents(kind) {
        let mut after: Option<RemoteId> = None;
        loop {
            let page = store
                .records_page(Side::Ledger, of, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.observed.id.clone());
            for mirrored in page.iter().filter(|mirrored| !mirrored.gone) {
                let document = &mirrored.observed.document;
                let Some((open, named)) = open_and_named(kind, document) else {
                    continue;
                };
                if open.amount.is_zero() {
                    continue;
                }
                let bill = TouchedBill {
                    record: mirrored.record(),
                    label: document.label(),
                    open,
                };
                take(bill, &named);
            }
        }
    }
    Ok(())
}
