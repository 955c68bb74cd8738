//! Whose work a record is: the keys and marks that tieout leaves on both sides lead back to the record on
//! account of which it was made (decision 0007).

use tieout_domain::{Document, Key, Kind, RecordRef, RemoteId, Side};

use crate::Connection;

/// The records on account of one of which this one was made, judged by the key or mark of this connection that
/// it bears; none if it bears none. A mark doesn't tell whether it is of a bill or of a credit.
///
/// Such a key is journaled before it is sent. So one that the history has never intended tells that the history
/// lacks a part, or that somebody else writes to the same accounts (scenario 225). A copy that a person made of
/// a bill, mark and all, leads to a record that the history knows.
#[must_use]
pub fn origins(connection: &Connection, side: Side, document: &Document) -> Vec<RecordRef> {
    let of = |kind, id: &RemoteId| RecordRef::new(side.other(), kind, id.clone());
    match (side, document) {
        (Side::Platform, Document::Bill(_) | Document::VendorCredit(_)) => {
            let marker = match document {
                Document::Bill(bill) => bill.marker.as_ref(),
                Document::VendorCredit(credit) => credit.marker.as_ref(),
                _ => None,
            };
            let ours = marker.filter(|marker| marker.account == connection.ledger_account);
            ours.into_iter()
                .flat_map(|marker| {
                    [Kind::Bill, Kind::VendorCredit].map(|kind| of(kind, &marker.id))
                })
                .collect()
        }
        (Side::Platform, Document::Payment(payment)) if payment.outside => {
            let none = RemoteId::new("");
            let id = of_key(payment.reference.trim(), &connection.ledger_key(&none));
            id.map(|id| of(Kind::Payment, &id)).into_iter().collect()
        }
        (Side::Platform, Document::CustomerPayment(payment)) if payment.external_id.is_some() => {
            let key = payment.external_id.as_ref();
            key.and_then(|key| connection.told_by(key))
                .into_iter()
                .collect()
        }
        (Side::Platform, _) => {
            let marker = document.marker();
            let ours = marker.filter(|marker| marker.account == connection.ledger_account);
            ours.map(|marker| of(document.kind(), &marker.id))
                .into_iter()
                .collect()
        }
        (Side::Ledger, Document::Payment(payment)) => {
            let none = RemoteId::new("");
            let key = payment.external_id.as_ref().map_or("", Key::as_str);
            let id = of_key(key, &connection.platform_key(&none));
            id.map(|id| of(Kind::Payment, &id)).into_iter().collect()
        }
        (Side::Ledger, _) => {
            let key = document.external_id().map_or("", Key::as_str);
            let made_for = MADE_FOR.into_iter().find_map(|kind| {
                let none = RecordRef::new(Side::Platform, kind, "");
                let ids = ids_of_key(key, &connection.origin_key(&none))?;
                Some(ids.iter().map(|id| of(kind, id)).collect())
            });
            made_for.unwrap_or_default()
        }
    }
}

/// On account of what records of a platform something of receivables is made in the ledger.
const MADE_FOR: [Kind; 5] = [
    Kind::Payout,
    Kind::CustomerPayment,
    Kind::Customer,
    Kind::Invoice,
    Kind::CreditMemo,
];

/// The id in a key that begins so: up to the suffix, if it has one.
fn of_key(key: &str, beginning: &Key) -> Option<RemoteId> {
    let id = key.strip_prefix(beginning.as_str())?;
    let id = id.split('_').next().unwrap_or_default();
    (!id.is_empty()).then(|| RemoteId::from(id))
}

/// The ids that may be in a key that begins so, the longest first: an id may hold what separates the parts of a key.
fn ids_of_key(key: &str, beginning: &Key) -> Option<Vec<RemoteId>> {
    let rest = key.strip_prefix(beginning.as_str())?;
    let ends = rest.match_indices('_').map(|(at, _)| at);
    let mut ids: Vec<RemoteId> = ends
        .chain([rest.len()])
        .map(|end| RemoteId::from(&rest[..end]))
        .filter(|id| !id.as_str().is_empty())
        .collect();
    ids.reverse();
    Some(ids)
}
