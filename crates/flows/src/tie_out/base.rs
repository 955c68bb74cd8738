//! The base page: what the documents that both sides have open come to in base currency, at each side's own rate
//! (scenario 53). A report compares in the currency of its documents; what is different here is a matter of
//! valuation, and no leg, residual or status depends on it.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use tieout_domain::{Amount, Currency, Date, ExchangeRate, MoneyError, RecordRef};

use super::input::{Held, Input, Pair, Presence, Valuation};
use super::{Category, Document};

/// What both sides have open, in base currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasePage {
    /// The base currency: of all amounts here that aren't said to be in another one.
    pub currency: Currency,
    /// The documents that are compared; those that differ first, the larger before the smaller.
    pub lines: Vec<BaseLine>,
    /// What they come to at the ledger's rates.
    pub ledger: Amount,
    /// What they come to at the platform's.
    pub platform: Amount,
    /// The ledger's less the platform's: the two that follow, which are told apart document by document.
    pub difference: Amount,
    /// What of it is open on one side alone: the legs have that, in the documents' currency.
    pub in_currency: Amount,
    /// What of it is a difference of rates: the sum of `V-FX`.
    pub exchange: Amount,
    /// Documents that can't be compared, and why.
    pub untold: Vec<Untold>,
}

/// A document in base currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseLine {
    /// [`Category::Exchange`] where the two rates value it differently.
    pub category: Option<Category>,
    /// In the ledger.
    pub ledger: Valued,
    /// On the platform.
    pub platform: Valued,
    /// The vendor, by name.
    pub vendor: String,
    /// The day of the document.
    pub date: Date,
    /// What is open on one side alone, at that side's rate; the ledger's is positive.
    pub in_currency: Amount,
    /// What both have open, at the ledger's rate less at the platform's.
    pub amount: Amount,
}

/// What one side has open of a document, and what that is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Valued {
    /// The record.
    pub record: RecordRef,
    /// What people call it.
    pub label: String,
    /// What is open, in the document's currency.
    pub open: Amount,
    /// Units of the base currency for one.
    pub rate: Amount,
    /// What is open, in base currency.
    pub base: Amount,
}

/// A document that both sides have open and that can't be compared in base currency. Nothing is guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untold {
    /// In the ledger, with what is open there in the document's currency.
    pub ledger: Document,
    /// On the platform, likewise.
    pub platform: Document,
    /// The vendor, by name.
    pub vendor: String,
    /// Why.
    pub cause: String,
}

/// The base page; `None` where the documents are in base currency, or none is open on both sides.
pub(super) fn page(input: &Input) -> Result<Option<BasePage>, MoneyError> {
    let Some(valuation) = &input.valuation else {
        return Ok(None);
    };
    let mut lines = Vec::new();
    let mut untold = Vec::new();
    for pair in &input.pairs {
        let Some((ledger, platform)) = open_on_both(pair) else {
            continue;
        };
        match rates(valuation, ledger, platform) {
            Ok(rates) => lines.push(line(pair, (ledger, platform), rates)?),
            Err(cause) => untold.push(Untold {
                ledger: document(ledger),
                platform: document(platform),
                vendor: pair.vendor.clone(),
                cause,
            }),
        }
    }
    if lines.is_empty() && untold.is_empty() {
        return Ok(None);
    }
    lines.sort_by(|a, b| order(a).cmp(&order(b)));
    let sum = |of: fn(&BaseLine) -> Amount| Amount::total(lines.iter().map(of));
    let ledger = sum(|line| line.ledger.base)?;
    let platform = sum(|line| line.platform.base)?;
    let (in_currency, exchange) = (sum(|line| line.in_currency)?, sum(|line| line.amount)?);
    Ok(Some(BasePage {
        currency: valuation.base,
        ledger,
        platform,
        difference: ledger.minus(platform)?,
        in_currency,
        exchange,
        lines,
        untold,
    }))
}

fn order(line: &BaseLine) -> (Reverse<Amount>, &RecordRef) {
    (Reverse(line.amount.abs()), &line.ledger.record)
}

/// Both documents of a pair, if something of both is open.
fn open_on_both(pair: &Pair) -> Option<(&Held, &Held)> {
    let open = |held: &&Held| held.presence == Presence::There && !held.open.is_zero();
    let ledger = pair.ledger.as_ref().filter(open)?;
    Some((ledger, pair.platform.as_ref().filter(open)?))
}

/// The rates of both sides, into the same base currency; else why there are none.
fn rates(
    valuation: &Valuation,
    ledger: &Held,
    platform: &Held,
) -> Result<(ExchangeRate, ExchangeRate), String> {
    let base = valuation.base;
    let told = |held: &Held, side: &str| match valuation.rates.get(&held.record) {
        None => Err(format!("{side} tells no rate")),
        Some(rate) if rate.base() != base => Err(format!(
            "{side} values it in {}, not in {base}",
            rate.base()
        )),
        Some(rate) => Ok(*rate),
    };
    match (told(ledger, "the ledger"), told(platform, "the platform")) {
        (Ok(ledger), Ok(platform)) => Ok((ledger, platform)),
        (Err(one), Err(other)) => Err(format!("{one}, and {other}")),
        (Err(cause), Ok(_)) | (Ok(_), Err(cause)) => Err(cause),
    }
}

fn line(
    pair: &Pair,
    (ledger, platform): (&Held, &Held),
    (here, there): (ExchangeRate, ExchangeRate),
) -> Result<BaseLine, MoneyError> {
    let both = in_common(ledger.open, platform.open);
    let (both_here, both_there) = (here.worth(both)?, there.worth(both)?);
    let valued_here = valued(ledger, here)?;
    let valued_there = valued(platform, there)?;
    let alone_here = valued_here.base.minus(both_here)?;
    let alone_there = valued_there.base.minus(both_there)?;
    let amount = both_here.minus(both_there)?;
    Ok(BaseLine {
        category: (!amount.is_zero()).then_some(Category::Exchange),
        vendor: pair.vendor.clone(),
        date: ledger.date,
        in_currency: alone_here.minus(alone_there)?,
        amount,
        ledger: valued_here,
        platform: valued_there,
    })
}

/// What both amounts have in common: the smaller one, or nothing where they are of opposite signs.
fn in_common(a: Amount, b: Amount) -> Amount {
    if a.is_negative() != b.is_negative() {
        Amount::ZERO
    } else if a.abs() <= b.abs() {
        a
    } else {
        b
    }
}

fn valued(held: &Held, rate: ExchangeRate) -> Result<Valued, MoneyError> {
    Ok(Valued {
        record: held.record.clone(),
        label: held.label.clone(),
        open: held.open,
        rate: rate.rate(),
        base: rate.worth(held.open)?,
    })
}

fn document(held: &Held) -> Document {
    Document {
        record: held.record.clone(),
        label: held.label.clone(),
        amount: held.open,
    }
}
