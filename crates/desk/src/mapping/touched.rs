//! What a mapping is in use by: the ledger's open bills and credits that code to it, and what is open of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use tieout_domain::document::Line;
use tieout_domain::{Amount, Currency, Document, Kind, Money, RecordRef, RemoteId, Side};
use tieout_store::ConnectionStore;

use crate::error::DeskError;

/// How many records are read at once.
const PAGE: u32 = 1000;

/// How many bills a preview names.
const NAMED_MAX: usize = 50;

/// How much rests on one mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Use {
    /// How many open bills and credits.
    pub count: u64,
    sums: BTreeMap<Currency, Amount>,
}

impl Use {
    fn add(&mut self, money: Money) {
        let sum = self.sums.entry(money.currency).or_insert(Amount::ZERO);
        *sum = [*sum, money.amount].into_iter().sum();
        self.count += 1;
    }

    /// What is open of them, by currency; credits count against bills.
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
    /// What is open of it; a credit's is negative.
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

/// What is in use by open bills and credits, by the id that the mapping leads from. A funding account is in use by
/// payments, not by bills: of those it says nothing.
///
/// # Errors
/// The store's.
pub async fn uses(
    store: &ConnectionStore,
    kind: Kind,
) -> Result<HashMap<RemoteId, Use>, DeskError> {
    let mut found: HashMap<RemoteId, Use> = HashMap::new();
    each_open(store, |bill, lines| {
        for id in coded_to(kind, lines) {
            found.entry(id.clone()).or_default().add(bill.open);
        }
    })
    .await?;
    Ok(found)
}

/// What a change of these mappings would touch.
///
/// # Errors
/// The store's.
pub async fn touched(
    store: &ConnectionStore,
    kind: Kind,
    from: &[RemoteId],
) -> Result<Touched, DeskError> {
    let mut found = Touched::default();
    each_open(store, |bill, lines| {
        if coded_to(kind, lines).iter().any(|id| from.contains(id)) {
            found.all.add(bill.open);
            if found.bills.len() < NAMED_MAX {
                found.bills.push(bill);
            }
        }
    })
    .await?;
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

/// Goes through the ledger's open bills and credits.
async fn each_open(
    store: &ConnectionStore,
    mut take: impl FnMut(TouchedBill, &[Line]),
) -> Result<(), DeskError> {
    for kind in [Kind::Bill, Kind::VendorCredit] {
        let mut after: Option<RemoteId> = None;
        loop {
            let page = store
                .records_page(Side::Ledger, kind, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.observed.id.clone());
            for mirrored in page.iter().filter(|mirrored| !mirrored.gone) {
                let document = &mirrored.observed.document;
                let (open, lines) = match document {
                    Document::Bill(bill) => (bill.open.of(bill.currency), &bill.lines),
                    Document::VendorCredit(credit) => {
                        ((-credit.open).of(credit.currency), &credit.lines)
                    }
                    _ => continue,
                };
                if open.amount.is_zero() {
                    continue;
                }
                let bill = TouchedBill {
                    record: mirrored.record(),
                    label: document.label(),
                    open,
                };
                take(bill, lines);
            }
        }
    }
    Ok(())
}
