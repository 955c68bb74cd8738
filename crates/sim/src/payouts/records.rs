//! The services' records, read as whoever looks for tieout's traces in them.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;
use tieout_domain::{Key, Kind, Marker, Outcome, RecordRef, RemoteId, Side, State};

use crate::check::{Seen, Snapshot, amount, list, text};

/// The ledger's record that a customer or an invoice of the platform was made for.
pub(crate) fn mark(record: &Value) -> Option<String> {
    let marks = ["external_id", "memo"].map(|field| Marker::find_in(text(record, field)));
    marks
        .into_iter()
        .flatten()
        .next()
        .map(|it| it.id.to_string())
}

/// What a payment from elsewhere tells of: a customer payment or a credit memo of the ledger, and the invoice there that it
/// is applied to. A payment that went through the platform tells of nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Told {
    pub(super) record: RecordRef,
    pub(super) invoice: String,
}

/// See [`Told`].
pub(super) fn told_of(payment: &Value) -> Option<Told> {
    let mut parts = text(payment, "external_id").rsplitn(5, '_');
    let (_number, invoice) = (parts.next()?, parts.next()?);
    let (id, kind) = (parts.next()?, parts.next()?);
    let kinds = [Kind::CustomerPayment, Kind::CreditMemo];
    let kind = kinds.into_iter().find(|it| it.as_str() == kind)?;
    Some(Told {
        record: RecordRef::new(Side::Ledger, kind, RemoteId::from(id)),
        invoice: invoice.to_owned(),
    })
}

/// Whether a payment's money never passed through the platform.
pub(super) fn is_external(payment: &Value) -> bool {
    payment["payment_method"] == "external"
}

/// The key of what stands in the ledger for a record of the platform.
pub(super) fn key(after: &Snapshot, kind: Kind, id: &str) -> String {
    let key = Key::of(["ap", after.account.as_str(), kind.as_str(), id]);
    key.as_str().to_lowercase()
}

/// Whether a record of the ledger was made by tieout.
pub(super) fn is_ours(after: &Snapshot, record: &Value) -> bool {
    let prefix = Key::of(["ap", after.account.as_str(), ""]);
    external(record).starts_with(&prefix.as_str().to_lowercase())
}

/// A ledger's record's external id, as keys are compared.
pub(super) fn external(record: &Value) -> String {
    text(record, "external_id").to_lowercase()
}

/// Whether a record of the ledger stands.
pub(super) fn stands(record: &Value) -> bool {
    record["voided"] != "T"
}

/// The transactions of the ledger of one type, whatever became of them.
pub(super) fn transactions<'a>(
    after: &'a Snapshot,
    sort: &'a str,
) -> impl Iterator<Item = &'a Value> {
    list(&after.ledger, "transactions").filter(move |one| one["type"] == sort)
}

/// The record of this id in a table of the platform's.
pub(super) fn there<'a>(after: &'a Snapshot, table: &str, id: &str) -> Option<&'a Value> {
    list(&after.platform, table).find(|one| text(one, "id") == id)
}

/// The deposit that a payment has of its own.
pub(super) fn alone<'a>(after: &'a Snapshot, payment: &str) -> Option<&'a Value> {
    let wanted = format!("{}_stand-alone", key(after, Kind::CustomerPayment, payment));
    transactions(after, "Deposit").find(|one| stands(one) && external(one) == wanted)
}

/// What of a payment is for an invoice.
pub(super) fn share(payment: &Value, invoice: &str) -> Decimal {
    let shares = list(payment, "allocations");
    let own = shares.filter(|one| text(one, "invoice_id") == invoice);
    own.map(|one| amount(one, "amount")).sum()
}

/// What tieout says became of a record.
pub(super) fn outcome<'a>(
    seen: &'a Seen<'_>,
    flow: &str,
    record: &RecordRef,
) -> Option<&'a Outcome> {
    let item = seen.items.get(&(flow.to_owned(), record.clone()))?;
    Some(&item.outcome)
}

/// Whether a person was told of it, or it waits for something.
pub(super) fn is_told(outcome: &Outcome) -> bool {
    matches!(
        outcome.state,
        State::Blocked | State::Conflict | State::Hold | State::Orphan
    )
}

/// Whether somebody changed a copy on the platform, which is shown and never written over.
pub(super) fn is_edited(outcome: &Outcome) -> bool {
    let code = outcome.code.as_ref().map(|code| code.as_str());
    code == Some("copy-edited")
}

/// What a flow's records without a role lead to, from the ledger to the platform.
pub(super) fn copies<'a>(seen: &'a Seen<'_>, flow: &str) -> BTreeMap<&'a str, &'a str> {
    let links = seen.links.iter();
    let links = links.filter(|((of, _, role), _)| of == flow && role.is_empty());
    links
        .map(|((_, record, _), target)| match record.side {
            Side::Ledger => (record.id.as_str(), target.id.as_str()),
            Side::Platform => (target.id.as_str(), record.id.as_str()),
        })
        .collect()
}
