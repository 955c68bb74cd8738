//! Proposals for the mapping of accounts, dimensions, funding accounts, items and terms (scenario 152).

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use tieout_domain::document::{Item, Terms};
use tieout_domain::port::Observed;
use tieout_domain::{Document, Kind, RemoteId};

use super::key::{account_number_key, normalised_name};
use crate::Maps;

/// How much a suggestion is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Matches one to one in everything that counts: may be confirmed without looking.
    Exact,
    /// The number alone.
    Number,
    /// The name alone.
    Name,
    /// Nothing over there resembles it.
    Missing,
}

/// A proposal: where one record could lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// What kind of mapping.
    pub kind: Kind,
    /// From which record: the ledger's, or the platform's for funding accounts.
    pub from: RemoteId,
    /// Its label.
    pub from_label: String,
    /// To which record; `None` where nothing resembles it.
    pub to: Option<RemoteId>,
    /// Its label; empty where there is none.
    pub to_label: String,
    /// How much this is worth.
    pub confidence: Confidence,
    /// Why, in words.
    pub why: String,
}

/// Proposes a mapping for each record of a kind that has none confirmed.
///
/// For all kinds but one `ledger` and `platform` hold the records of that kind; for
/// [`Kind::FundingAccount`] `platform` holds the funding accounts and `ledger` the accounts. Accounts are
/// compared by number and name, dimensions by their full path, items and terms by their name, funding accounts by the
/// account of the chart they are tied to. A target that is taken is never proposed; headings, inactive and archived records
/// neither. The order of the answer is that of what is mapped.
#[must_use]
pub fn suggest(
    kind: Kind,
    ledger: &[Observed],
    platform: &[Observed],
    maps: &Maps,
) -> Vec<Suggestion> {
    if kind == Kind::FundingAccount {
        return suggest_funding(ledger, platform, maps);
    }
    let taken: HashSet<&RemoteId> = maps
        .of(kind)
        .filter(|(from, _)| maps.confirmed(kind, from).is_some())
        .filter_map(|(_, m)| m.to.as_ref())
        .collect();
    let open: Vec<&Observed> = ledger
        .iter()
        .filter(|record| {
            usable(kind, &record.document) && maps.confirmed(kind, &record.id).is_none()
        })
        .collect();
    let free: Vec<&Observed> = platform
        .iter()
        .filter(|record| usable(kind, &record.document) && !taken.contains(&record.id))
        .collect();
    let mut proposed: HashMap<&RemoteId, (&Observed, Confidence, &'static str)> = HashMap::new();
    let mut used: HashSet<&RemoteId> = HashSet::new();
    for (confidence, why, key) in tiers(kind) {
        let left: Vec<_> = open
            .iter()
            .copied()
            .filter(|r| !proposed.contains_key(&r.id))
            .collect();
        let right: Vec<_> = free
            .iter()
            .copied()
            .filter(|r| !used.contains(&r.id))
            .collect();
        for (from, to) in one_to_one(&left, &right, key) {
            proposed.insert(&from.id, (to, confidence, why));
            used.insert(&to.id);
        }
    }
    open.iter()
        .map(|from| match proposed.get(&from.id) {
            Some((to, confidence, why)) => suggestion(kind, from, Some(to), *confidence, why),
            None => suggestion(
                kind,
                from,
                None,
                Confidence::Missing,
                "nothing there resembles it alone",
            ),
        })
        .collect()
}

type KeyOf = fn(&Document) -> Option<String>;

fn tiers(kind: Kind) -> Vec<(Confidence, &'static str, KeyOf)> {
    if kind == Kind::Account {
        vec![
            (
                Confidence::Exact,
                "number and name are the same",
                |document| match document {
                    Document::Account(a) => Some(format!(
                        "{}|{}",
                        account_number_key(&a.number)?,
                        normalised_name(&a.name)
                    )),
                    _ => None,
                },
            ),
            (
                Confidence::Number,
                "the number is the same, the name differs",
                |document| match document {
                    Document::Account(a) => account_number_key(&a.number),
                    _ => None,
                },
            ),
            (
                Confidence::Name,
                "the full name is the same, the number differs",
                |document| match document {
                    Document::Account(a) => Some(normalised_name(&a.path)),
                    _ => None,
                },
            ),
        ]
    } else if matches!(kind, Kind::Item | Kind::Terms) {
        vec![(
            Confidence::Exact,
            "the name is the same",
            |document| match document {
                Document::Item(Item { name, .. }) | Document::Terms(Terms { name, .. }) => {
                    Some(normalised_name(name))
                }
                _ => None,
            },
        )]
    } else {
        vec![
            (
                Confidence::Exact,
                "the full path is the same",
                |document| match document {
                    Document::Dimension(d) => Some(normalised_name(&d.path)),
                    _ => None,
                },
            ),
            (
                Confidence::Name,
                "the name is the same, the path differs",
                |document| match document {
                    Document::Dimension(d) => Some(normalised_name(&d.name)),
                    _ => None,
                },
            ),
        ]
    }
}

fn usable(kind: Kind, document: &Document) -> bool {
    match document {
        Document::Account(account) => {
            kind == Kind::Account && !account.summary && !account.inactive
        }
        Document::Dimension(dimension) => dimension.axis == kind && !dimension.inactive,
        Document::Item(item) => kind == Kind::Item && !item.inactive,
        Document::Terms(terms) => kind == Kind::Terms && !terms.inactive,
        _ => false,
    }
}

/// The pairs whose key is found exactly once on each side.
fn one_to_one<'a>(
    left: &[&'a Observed],
    right: &[&'a Observed],
    key: KeyOf,
) -> Vec<(&'a Observed, &'a Observed)> {
    let group = |records: &[&'a Observed]| {
        let mut groups: HashMap<String, Vec<&'a Observed>> = HashMap::new();
        for record in records {
            if let Some(key) = key(&record.document) {
                groups.entry(key).or_default().push(record);
            }
        }
        groups
    };
    let right = group(right);
    group(left)
        .into_iter()
        .filter_map(
            |(key, from)| match (from.as_slice(), right.get(&key)?.as_slice()) {
                ([from], [to]) => Some((*from, *to)),
                _ => None,
            },
        )
        .collect()
}

fn suggest_funding(ledger: &[Observed], platform: &[Observed], maps: &Maps) -> Vec<Suggestion> {
    let kind = Kind::FundingAccount;
    platform
        .iter()
        .filter(|record| maps.confirmed(kind, &record.id).is_none())
        .filter_map(|record| {
            let Document::FundingAccount(funding) = &record.document else {
                return None;
            };
            let tied = funding
                .account
                .as_ref()
                .and_then(|account| maps.back(Kind::Account, account));
            let to = tied.and_then(|id| ledger.iter().find(|account| account.id == *id));
            Some(match to {
                Some(to) => suggestion(
                    kind,
                    record,
                    Some(to),
                    Confidence::Exact,
                    "the platform ties it to this account",
                ),
                None => suggestion(
                    kind,
                    record,
                    None,
                    Confidence::Missing,
                    "the platform ties it to no mapped account",
                ),
            })
        })
        .collect()
}

fn suggestion(
    kind: Kind,
    from: &Observed,
    to: Option<&Observed>,
    confidence: Confidence,
    why: &str,
) -> Suggestion {
    Suggestion {
        kind,
        from: from.id.clone(),
        from_label: from.document.label(),
        to: to.map(|to| to.id.clone()),
        to_label: to.map(|to| to.document.label()).unwrap_or_default(),
        confidence,
        why: why.to_owned(),
    }
}
