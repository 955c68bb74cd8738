//! What a payment is applied to (README §Payments).

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::account::Account;
use crate::json::Json;
use crate::kind::Kind;
use crate::life;
use crate::money::{amount, is_too_fine, number};
use crate::problem::Problem;
use crate::shape::{decimal, id};

/// What a share of a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Invoice,
    Estimate,
    CreditNote,
    ConvenienceFee,
    Credit,
    AppliedCredit,
}

impl Type {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "invoice" => Self::Invoice,
            "estimate" => Self::Estimate,
            "credit_note" => Self::CreditNote,
            "convenience_fee" => Self::ConvenienceFee,
            "credit" => Self::Credit,
            "applied_credit" => Self::AppliedCredit,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Estimate => "estimate",
            Self::CreditNote => "credit_note",
            Self::ConvenienceFee => "convenience_fee",
            Self::Credit => "credit",
            Self::AppliedCredit => "applied_credit",
        }
    }

    /// Whether money of the payment goes into it.
    fn is_cash(self) -> bool {
        !matches!(self, Self::CreditNote | Self::AppliedCredit)
    }
}

/// A share of a payment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Share {
    kind: Type,
    pub(crate) amount: Decimal,
    /// The invoice or estimate that it pays.
    pub(crate) document: Option<(Kind, i64)>,
    /// The credit note that it takes from.
    credit_note: Option<i64>,
}

impl Share {
    /// The documents that it changes: what it pays, and the credit note that it takes from.
    fn documents(&self) -> impl Iterator<Item = (Kind, i64)> + use<> {
        let note = self.credit_note.map(|note| (Kind::CreditNote, note));
        self.document.into_iter().chain(note)
    }
}

/// The share of a payment that pays one document in cash.
pub(crate) fn onto(document: (Kind, i64), amount: Decimal) -> Share {
    let kind = if document.0 == Kind::Estimate {
        Type::Estimate
    } else {
        Type::Invoice
    };
    Share {
        kind,
        amount,
        document: Some(document),
        credit_note: None,
    }
}

/// A share without a document: a fee, or credit that is kept.
pub(crate) fn aside(fee: bool, amount: Decimal) -> Share {
    let kind = if fee {
        Type::ConvenienceFee
    } else {
        Type::Credit
    };
    Share {
        kind,
        amount,
        document: None,
        credit_note: None,
    }
}

/// Credit that a customer has, spent on an invoice.
pub(crate) fn spent(invoice: i64, amount: Decimal) -> Share {
    Share {
        kind: Type::AppliedCredit,
        amount,
        document: Some((Kind::Invoice, invoice)),
        credit_note: None,
    }
}

/// A credit note applied to an invoice.
pub(crate) fn noted(credit_note: i64, invoice: i64, amount: Decimal) -> Share {
    Share {
        kind: Type::CreditNote,
        amount,
        document: Some((Kind::Invoice, invoice)),
        credit_note: Some(credit_note),
    }
}

/// Reads `applied_to`.
pub(crate) fn read(entries: &[Json]) -> Result<Vec<Share>, Problem> {
    entries.iter().map(share).collect()
}

fn share(entry: &Json) -> Result<Share, Problem> {
    let wrong = |what: String| Problem::param("applied_to", what);
    let text = entry.text("type").unwrap_or_default();
    let kind = Type::read(text).ok_or_else(|| wrong(format!("type is not valid: {text}")))?;
    let amount = entry.get("amount").and_then(decimal);
    let amount = amount.filter(|amount| *amount > Decimal::ZERO);
    let amount = amount.ok_or_else(|| wrong("amount must be greater than 0".to_owned()))?;
    let onto = match kind {
        Type::Invoice => Some(Kind::Invoice),
        Type::Estimate => Some(Kind::Estimate),
        Type::ConvenienceFee | Type::Credit => None,
        Type::CreditNote | Type::AppliedCredit => match entry.text("document_type") {
            Some("estimate") => Some(Kind::Estimate),
            Some("invoice") => Some(Kind::Invoice),
            _ => {
                return Err(wrong(
                    "document_type must be invoice or estimate".to_owned(),
                ));
            }
        },
    };
    let document = match onto {
        None => None,
        Some(kind) => {
            let place = id(entry, kind.object());
            let missing = || wrong(format!("{} is missing", kind.object()));
            Some((kind, place.ok_or_else(missing)?))
        }
    };
    let credit_note = match kind {
        Type::CreditNote => {
            let missing = || wrong("credit_note is missing".to_owned());
            Some(id(entry, "credit_note").ok_or_else(missing)?)
        }
        _ => None,
    };
    Ok(Share {
        kind,
        amount,
        document,
        credit_note,
    })
}

/// `applied_to` as it is shown.
pub(crate) fn shown(shares: &[Share]) -> Json {
    let shown = shares.iter().map(|share| {
        let mut shown = Json::object([
            ("type", share.kind.name().into()),
            ("amount", number(share.amount)),
        ]);
        if let Some((kind, place)) = share.document {
            shown.put(kind.object(), place.into());
            if !share.kind.is_cash() {
                shown.put("document_type", kind.object().into());
            }
        }
        if let Some(note) = share.credit_note {
            shown.put("credit_note", note.into());
        }
        shown
    });
    shown.collect::<Vec<_>>().into()
}

/// How much of a payment's money the shares take.
pub(crate) fn cash(shares: &[Share]) -> Decimal {
    let cash = shares.iter().filter(|share| share.kind.is_cash());
    cash.map(|share| share.amount).sum()
}

/// The customer that the shares' documents name.
pub(crate) fn customer(account: &Account, shares: &[Share]) -> Option<i64> {
    let mut documents = shares.iter().filter_map(|share| share.document);
    documents.find_map(|(kind, place)| id(account.table(kind).get(place)?, "customer"))
}

/// Whether all shares can be applied: documents of this customer and currency that take so much. What the shares
/// in `released` take now is free by then.
pub(crate) fn check(
    account: &Account,
    shares: &[Share],
    released: &[Share],
    customer: Option<i64>,
    currency: &str,
) -> Result<(), Problem> {
    let wrong = |what: String| Problem::param("applied_to", what);
    let mut left: BTreeMap<(Kind, i64), Decimal> = BTreeMap::new();
    let mut freed: BTreeMap<(Kind, i64), Decimal> = BTreeMap::new();
    let mut credit = customer.map_or(Decimal::ZERO, |one| account.credit(one, currency));
    for share in released {
        for document in share.documents() {
            *freed.entry(document).or_default() += share.amount;
        }
        match share.kind {
            Type::AppliedCredit => credit += share.amount,
            Type::Credit => credit -= share.amount,
            _ => {}
        }
    }
    for share in shares {
        if is_too_fine(share.amount, currency) {
            return Err(wrong(format!(
                "amount has too many decimals: {}",
                share.amount
            )));
        }
        for (kind, place) in share.documents() {
            let free = freed.get(&(kind, place)).copied().unwrap_or_default();
            let open = free + takes(account, kind, place, customer, currency)?;
            let left = left.entry((kind, place)).or_insert(open);
            *left -= share.amount;
            if *left < Decimal::ZERO {
                let object = kind.object().replace('_', " ");
                return Err(wrong(format!(
                    "The amount is more than the balance of {object} {place}"
                )));
            }
        }
        match share.kind {
            Type::AppliedCredit => credit -= share.amount,
            Type::Credit if customer.is_none() => {
                return Err(wrong("Credit needs a customer".to_owned()));
            }
            _ => {}
        }
        if share.kind == Type::AppliedCredit && credit < Decimal::ZERO {
            return Err(wrong("The customer doesn't have enough credit".to_owned()));
        }
    }
    Ok(())
}

/// How much a document still takes.
fn takes(
    account: &Account,
    kind: Kind,
    place: i64,
    customer: Option<i64>,
    currency: &str,
) -> Result<Decimal, Problem> {
    let object = kind.object().replace('_', " ");
    let wrong = |what: &str| Problem::param("applied_to", format!("{object} {place} {what}"));
    let document = account
        .table(kind)
        .get(place)
        .ok_or_else(|| wrong("does not exist"))?;
    if id(document, "customer") != customer {
        return Err(wrong("belongs to another customer"));
    }
    if document.text("currency") != Some(currency) {
        return Err(wrong("has another currency"));
    }
    match document.text("status") {
        Some("draft") => Err(wrong("is a draft")),
        Some("voided") => Err(wrong("is voided")),
        _ if document.flag("closed") == Some(true) => Err(wrong("is closed")),
        _ => Ok(amount(document, "total") - life::applied(account, kind, place)),
    }
}

/// Whether what the shares gave can be taken back: credit may have been spent since.
pub(crate) fn check_back(
    account: &Account,
    shares: &[Share],
    customer: Option<i64>,
    currency: &str,
) -> Result<(), Problem> {
    let given = shares.iter().filter(|share| share.kind == Type::Credit);
    let given: Decimal = given.map(|share| share.amount).sum();
    let has = customer.map_or(Decimal::ZERO, |one| account.credit(one, currency));
    if given > has {
        return Err(Problem::request(
            "The credit of this payment has already been spent",
        ));
    }
    Ok(())
}

/// Applies the shares, or takes them back.
pub(crate) fn apply(
    account: &mut Account,
    shares: &[Share],
    customer: Option<i64>,
    currency: &str,
    back: bool,
) {
    for share in shares {
        let by = if back { -share.amount } else { share.amount };
        if let (Some(customer), Type::Credit) = (customer, share.kind) {
            account.add_credit(customer, currency, by);
        }
        if let (Some(customer), Type::AppliedCredit) = (customer, share.kind) {
            account.add_credit(customer, currency, -by);
        }
        for (kind, place) in share.documents() {
            life::apply(account, kind, place, by);
        }
    }
}
