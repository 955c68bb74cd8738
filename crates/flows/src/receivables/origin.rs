//! Where a record began, and what stands for it on the other side.

use tieout_domain::{Document, Key, Kind, Marker, Outcome, RecordRef, Side, State};

use super::sales::INVOICES;
use crate::preferences::FirstSync;
use crate::verdict::{blocked, refused_link as refused_link_to, skipped};
use crate::{Books, Connection, Flow, Link, Need, Verdict};
use tieout_domain::code::Code;

impl Connection {
    /// The key of a receivables event that began with this record. Platforms number each kind by itself, so the
    /// kind is part of it.
    pub(crate) fn origin_key(&self, record: &RecordRef) -> Key {
        let (prefix, account) = match record.side {
            Side::Ledger => (self.ledger_prefix, &self.ledger_account),
            Side::Platform => (self.platform_prefix, &self.platform_account),
        };
        Key::of([prefix, account, record.kind.as_str(), record.id.as_str()])
    }
}

/// What must be loaded to know a record's counterpart.
pub(super) fn needs(flow: &'static str, record: &RecordRef) -> [Need; 2] {
    [
        Need::Links(flow, record.clone()),
        Need::LinkedTo(record.clone()),
    ]
}

/// The link that makes a record the copy of another.
pub(super) fn copied_from<'a>(books: &'a Books, flow: &str, copy: &RecordRef) -> Option<&'a Link> {
    let links = books.links_to(copy).iter();
    links
        .filter(|link| link.flow == flow && link.role.is_empty())
        .find(|link| link.record.side != copy.side)
}

/// The beginning of the role of a link to a copy that was put away, to be made anew.
pub(super) const RETIRED: &str = "retired-";

/// Whether the platform is told by invoice what was settled elsewhere: it has no credit notes.
pub(super) fn by_invoice(books: &Books) -> bool {
    !books.connection.ways.credit_notes
}

/// What must be loaded to know which invoice of the ledger a platform's stands for.
pub(super) fn ledger_invoice_needs(books: &Books, invoice: &RecordRef) -> Vec<Need> {
    let mut needs = needs(INVOICES.name(), invoice).to_vec();
    needs.push(Need::Record(invoice.clone()));
    needs.extend(ledger_invoice(books, invoice).map(Need::Record));
    needs.extend(marked_invoice(books, invoice).map(Need::Record));
    needs
}

/// The ledger's invoice that a platform's stands for: by its link, by that of a copy which was put away, or by its mark
/// where no link leads there any more.
pub(super) fn ledger_invoice(books: &Books, invoice: &RecordRef) -> Option<RecordRef> {
    let flow = INVOICES.name();
    if let Some(there) = counterpart(books, flow, invoice) {
        return Some(there.clone());
    }
    let mut links = books.links_to(invoice).iter();
    let retired = links.find(|link| {
        link.flow == flow && link.role.starts_with(RETIRED) && link.record.side != invoice.side
    });
    retired.map(|link| link.record.clone()).or_else(|| {
        let marked = marked_invoice(books, invoice)?;
        let there = books.record(&marked)?;
        (by_invoice(books) && !there.gone).then_some(marked)
    })
}

fn marked_invoice(books: &Books, invoice: &RecordRef) -> Option<RecordRef> {
    let seen = books.record(invoice)?;
    marked_for(books, Kind::Invoice, &seen.document)
}

/// Whether a record is only what tieout wrote for one of the other side, by its link or, in the ledger, by its key.
pub(super) fn is_copy(books: &Books, record: &RecordRef, document: &Document) -> bool {
    // A payment that uses a credit memo is linked to it, and has not made it.
    let uses =
        |link: &Link| record.kind == Kind::CreditMemo && link.record.kind == Kind::CustomerPayment;
    let links = books.links_to(record).iter();
    let mut others = links.filter(|link| link.record.side != record.side);
    if others.any(|link| !uses(link)) {
        return true;
    }
    let connection = &books.connection;
    let ours = Key::of([
        connection.platform_prefix,
        connection.platform_account.as_str(),
        "",
    ]);
    record.side == Side::Ledger
        && document
            .external_id()
            .is_some_and(|key| key.as_str().starts_with(ours.as_str()))
}

/// What stands for a record on the other side, wherever it began.
pub(super) fn counterpart<'a>(
    books: &'a Books,
    flow: &str,
    record: &RecordRef,
) -> Option<&'a RecordRef> {
    match books.link(flow, record, "") {
        Some(link) => Some(&link.target),
        None => copied_from(books, flow, record).map(|link| &link.record),
    }
}

/// What must be loaded to know whether a counterpart that a person has named can still be taken.
pub(super) fn chosen_needs(flow: &'static str, target: &RecordRef) -> [Need; 3] {
    let [links, linked_to] = needs(flow, target);
    [Need::Record(target.clone()), links, linked_to]
}

/// Why a counterpart that a person has named is not taken: it is gone, or another record's, whichever of the two began.
/// `None` where it can be taken.
pub(super) fn refused_link(
    books: &Books,
    flow: &str,
    label: &str,
    (record, target): (&RecordRef, &RecordRef),
) -> Option<Verdict> {
    if let Some(link) = books
        .link(flow, target, "")
        .filter(|it| it.target != *record)
    {
        let cause = format!(
            "{label} can't be linked to {target}: that one's copy is {}",
            link.target
        );
        return Some(blocked(Code::new("link-refused"), cause));
    }
    refused_link_to(books, label, record, target)
}

/// The mark that a platform's record bears, if it is of this connection's ledger.
pub(super) fn our_mark<'a>(books: &Books, document: &'a Document) -> Option<&'a Marker> {
    let marker = document.marker()?;
    (marker.account == books.connection.ledger_account).then_some(marker)
}

/// The live records of the platform of one kind that bear the mark of a ledger's record.
pub(super) fn marked<'a>(books: &'a Books, record: &RecordRef) -> Vec<&'a RecordRef> {
    let marker = books.connection.marker(&record.id);
    let found = books.marked.get(&marker).into_iter().flatten();
    found
        .filter(|it| it.kind == record.kind)
        .filter(|it| books.record(it).is_some_and(|seen| !seen.gone))
        .collect()
}

/// The ledger's record that a platform's record was made for, by its mark.
pub(super) fn marked_for(books: &Books, kind: Kind, document: &Document) -> Option<RecordRef> {
    let marker = our_mark(books, document)?;
    Some(RecordRef::new(Side::Ledger, kind, marker.id.clone()))
}

/// What keeps tieout from writing to the ledger what began on the platform, if something does: a platform whose customers
/// and invoices stay there (scenario 174), the switch, and the first sync that nobody has said yes to (scenario 171).
pub(super) fn not_to_ledger(books: &Books, label: &str) -> Option<Verdict> {
    if !books.connection.ways.originates {
        let cause = format!("{label} began on the platform, and does not go to the ledger");
        return Some(skipped(Code::new("platform-only"), cause));
    }
    let preferences = &books.preferences.receivables;
    if !preferences.reconcile {
        let cause = format!("{label} began on the platform, and nothing is written to the ledger");
        return Some(skipped(Code::new("reconcile-off"), cause));
    }
    if preferences.first_sync == FirstSync::Ask {
        let cause = format!(
            "{label} began on the platform; how much the first sync takes to the ledger was not confirmed"
        );
        let outcome = Outcome::because(State::Blocked, Code::new("first-sync"), cause);
        return Some(Verdict::Rest(outcome.grouped("first-sync")));
    }
    None
}
