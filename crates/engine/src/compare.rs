//! How the two sides compare, pair by pair: a first look before the tie-out, which explains differences too.

use std::collections::BTreeMap;

use serde::Serialize;
use tieout_domain::document::Line;
use tieout_domain::{Amount, Currency, Document, Kind, RecordRef, RemoteId};
use tieout_store::{ConnectionStore, Link, StoreError};

use crate::decide::maps;

/// How many pairs are compared at once.
const PAGE: u32 = 1000;

/// How many differing pairs are named.
const NAMED_MAX: usize = 20;

/// The linked bills and credits of both sides, added up.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Comparison {
    /// Linked pairs.
    pub pairs: u64,
    /// Sums by currency.
    pub totals: BTreeMap<Currency, SideSums>,
    /// Line sums of what tieout wrote, by the ledger's account, the platform's translated back: only
    /// accounts that differ.
    pub accounts_differing: Vec<AccountSums>,
    /// How many accounts were compared.
    pub accounts: u64,
    /// How many pairs differ in total or in what is open.
    pub differing: u64,
    /// The first of them.
    pub named: Vec<Difference>,
}

/// Sums of both sides.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SideSums {
    /// Totals in the ledger.
    pub ledger_total: Amount,
    /// Totals on the platform.
    pub platform_total: Amount,
    /// Open in the ledger.
    pub ledger_open: Amount,
    /// Open on the platform.
    pub platform_open: Amount,
}

/// An account whose lines don't add up to the same.
#[derive(Debug, Clone, Serialize)]
pub struct AccountSums {
    /// The ledger's account.
    pub account: RemoteId,
    /// Sum of the ledger's lines.
    pub ledger: Amount,
    /// Sum of the platform's lines.
    pub platform: Amount,
}

/// A pair that differs.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The ledger's record.
    pub ledger: RecordRef,
    /// The platform's.
    pub platform: RecordRef,
    /// What people call it.
    pub label: String,
    /// Total and open in the ledger.
    pub ledger_amounts: (Amount, Amount),
    /// Total and open on the platform.
    pub platform_amounts: (Amount, Amount),
}

/// What counts of a document: currency, signed total and open amount, lines with their sign.
struct Worth<'a> {
    currency: Currency,
    total: Amount,
    open: Amount,
    lines: &'a [Line],
    negative: bool,
}

impl Comparison {
    /// Whether nothing differs.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.differing == 0 && self.accounts_differing.is_empty()
    }
}

/// Compares every linked bill and credit as last seen.
///
/// # Errors
/// [`StoreError`] of the reads.
pub async fn compare(store: &ConnectionStore) -> Result<Comparison, StoreError> {
    let mut result = Comparison::default();
    let maps = maps(store).await?;
    let mut accounts: BTreeMap<RemoteId, (Amount, Amount)> = BTreeMap::new();
    for flow in ["bills", "vendor-credits"] {
        let mut after: Option<(RecordRef, String)> = None;
        loop {
            let from = after.as_ref().map(|(record, role)| (record, role.as_str()));
            let page = store.links_page(flow, from, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.record.clone(), last.role.clone()));
            for (link, ledger, platform) in pairs(store, page).await? {
                let (Some(l), Some(p)) = (worth(&ledger), worth(&platform)) else {
                    continue;
                };
                result.take(&link, &ledger, &l, &p);
                if link.applied.is_none() {
                    // Typed there by hand and adopted: its coding is people's own.
                    continue;
                }
                for line in l.lines {
                    add(
                        &mut accounts,
                        line.account.clone(),
                        l.signed(line.amount),
                        true,
                    );
                }
                for line in p.lines {
                    let account = line
                        .account
                        .as_ref()
                        .map(|id| maps.back(Kind::Account, id).unwrap_or(id).clone());
                    add(&mut accounts, account, p.signed(line.amount), false);
                }
            }
        }
    }
    result.accounts = accounts.len() as u64;
    result.accounts_differing = accounts
        .into_iter()
        .filter(|(_, (ledger, platform))| ledger != platform)
        .map(|(account, (ledger, platform))| AccountSums {
            account,
            ledger,
            platform,
        })
        .collect();
    Ok(result)
}

/// Both documents of each link; pairs of which one is gone are left to the tie-out.
async fn pairs(
    store: &ConnectionStore,
    links: Vec<Link>,
) -> Result<Vec<(Link, Document, Document)>, StoreError> {
    let mut documents = BTreeMap::new();
    let mut wanted: BTreeMap<_, Vec<RemoteId>> = BTreeMap::new();
    for record in links.iter().flat_map(|link| [&link.record, &link.target]) {
        wanted
            .entry((record.side, record.kind))
            .or_default()
            .push(record.id.clone());
    }
    for ((side, kind), ids) in wanted {
        for (id, mirrored) in store.records(side, kind, &ids).await? {
            if !mirrored.gone {
                documents.insert(RecordRef { side, kind, id }, mirrored.observed.document);
            }
        }
    }
    Ok(links
        .into_iter()
        .filter_map(|link| {
            let ledger = documents.get(&link.record)?.clone();
            let platform = documents.get(&link.target)?.clone();
            Some((link, ledger, platform))
        })
        .collect())
}

impl Comparison {
    fn take(&mut self, link: &Link, ledger: &Document, l: &Worth<'_>, p: &Worth<'_>) {
        self.pairs += 1;
        let sums = self.totals.entry(l.currency).or_default();
        let add = |sum: &mut Amount, amount: Amount| *sum = [*sum, amount].into_iter().sum();
        add(&mut sums.ledger_total, l.total);
        add(&mut sums.ledger_open, l.open);
        add(&mut sums.platform_total, p.total);
        add(&mut sums.platform_open, p.open);
        if (l.currency, l.total, l.open) == (p.currency, p.total, p.open) {
            return;
        }
        self.differing += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(Difference {
                ledger: link.record.clone(),
                platform: link.target.clone(),
                label: ledger.label(),
                ledger_amounts: (l.total, l.open),
                platform_amounts: (p.total, p.open),
            });
        }
    }
}

impl Worth<'_> {
    fn signed(&self, amount: Amount) -> Amount {
        if self.negative { -amount } else { amount }
    }
}

/// A credit is a negative bill.
fn worth(document: &Document) -> Option<Worth<'_>> {
    match document {
        Document::Bill(bill) => Some(Worth {
            currency: bill.currency,
            total: bill.total,
            open: bill.open,
            lines: &bill.lines,
            negative: false,
        }),
        Document::VendorCredit(credit) => Some(Worth {
            currency: credit.currency,
            total: -credit.total,
            open: -credit.open,
            lines: &credit.lines,
            negative: true,
        }),
        _ => None,
    }
}

fn add(
    accounts: &mut BTreeMap<RemoteId, (Amount, Amount)>,
    account: Option<RemoteId>,
    amount: Amount,
    ledger: bool,
) {
    let sums = accounts
        .entry(account.unwrap_or_else(|| RemoteId::new("none")))
        .or_default();
    let sum = if ledger { &mut sums.0 } else { &mut sums.1 };
    *sum = [*sum, amount].into_iter().sum();
}
