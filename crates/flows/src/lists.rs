//! What accounts and dimensions have in common: each is mapped, or created where that is allowed.

use tieout_domain::code::Code;
use tieout_domain::port::Action;
use tieout_domain::{Document, Key, Kind, Outcome, RecordRef, RemoteId, Side, State, WaitsFor};

use crate::matching::match_key;
use crate::projection::same_writable;
use crate::verdict::{amendment_key, blocked, done, ignored, noop, skipped};
use crate::{Books, Link, MapStatus, Need, Step, Subject, Verdict};

/// One entry of a list, as its flow sees it.
pub(crate) struct Entry<'a> {
    /// The flow's name.
    pub flow: &'static str,
    /// Account or the dimension's axis.
    pub kind: Kind,
    /// The code of the refusal where it has no counterpart.
    pub unmapped: Code,
    /// Its parent over here.
    pub parent: Option<&'a RemoteId>,
    /// The rule that keeps it out while nobody has mapped it, if one does.
    pub out: Option<(Code, String)>,
    /// A heading: made only where an entry below it needs it.
    pub heading: bool,
}

/// The reference under which records wait for this entry's mapping.
pub(crate) fn waited(kind: Kind, id: &RemoteId) -> WaitsFor {
    WaitsFor::Map(kind.as_str().to_owned(), id.clone())
}

/// Where an entry leads, by its confirmed mapping or by the link of its creation.
pub(crate) fn target<'a>(
    books: &'a Books,
    flow: &str,
    kind: Kind,
    record: &RecordRef,
) -> Option<&'a RemoteId> {
    let link = || books.link(flow, record, "").map(|link| &link.target.id);
    books.maps.confirmed(kind, &record.id).or_else(link)
}

pub(crate) fn needs(entry: &Entry<'_>, subject: &Subject<'_>, books: &Books) -> Vec<Need> {
    let record = subject.record;
    let mut needs = vec![
        Need::Links(entry.flow, record.clone()),
        Need::Decisions(entry.flow, record.clone()),
        Need::Waiting(waited(entry.kind, &record.id).to_string()),
    ];
    if let Some(to) = target(books, entry.flow, entry.kind, record) {
        needs.push(Need::Record(RecordRef::new(
            Side::Platform,
            entry.kind,
            to.clone(),
        )));
    } else if may_create(entry, books, record) {
        let key = match_key(&subject.observed.document);
        needs.push(Need::Matching(Side::Platform, entry.kind, key));
    }
    if let Some(parent) = entry.parent {
        let parent = RecordRef::new(Side::Ledger, entry.kind, parent.clone());
        needs.push(Need::Links(entry.flow, parent));
    }
    needs
}

fn may_create(entry: &Entry<'_>, books: &Books, record: &RecordRef) -> bool {
    match books.maps.get(entry.kind, &record.id) {
        Some(map) => map.status == MapStatus::Create,
        None => books.preferences.lists.create_missing,
    }
}

/// Decides; `translate` makes the platform's document of it, given its parent over there.
pub(crate) fn decide(
    entry: &Entry<'_>,
    subject: &Subject<'_>,
    books: &Books,
    translate: impl Fn(Option<RemoteId>) -> Document,
) -> Verdict {
    let record = subject.record;
    if let Some(verdict) = ignored(books, entry.flow, record) {
        return verdict;
    }
    let wanted_by = waited(entry.kind, &record.id);
    let waiting = books.waiting.contains(&wanted_by.to_string());
    let label = subject.observed.document.label();
    if let Some(to) = target(books, entry.flow, entry.kind, record) {
        return mapped(entry, subject, books, to, waiting, translate);
    }
    let not_used = || skipped(Code::new("not-used"), format!("nothing needs {label} yet"));
    if subject.gone {
        return not_used();
    }
    let asked = books.maps.get(entry.kind, &record.id).map(|map| map.status);
    if let (Some((code, cause)), false, false) =
        (&entry.out, waiting, asked == Some(MapStatus::Create))
    {
        return skipped(code.clone(), cause.clone());
    }
    let wanted = !entry.heading || waiting || asked == Some(MapStatus::Create);
    if may_create(entry, books, record)
        && wanted
        && let Some(verdict) = create(entry, subject, books, translate)
    {
        return verdict;
    }
    if !waiting {
        return not_used();
    }
    let cause = format!(
        "{} {label} has no counterpart on the platform, and something needs it",
        entry.kind
    );
    Verdict::Rest(
        Outcome::because(State::Blocked, entry.unmapped.clone(), cause).grouped(cause_of(
            &entry.unmapped,
            entry.kind,
            &record.id,
        )),
    )
}

/// Creates it, unless something over there already resembles it: that is for a person to confirm.
fn create(
    entry: &Entry<'_>,
    subject: &Subject<'_>,
    books: &Books,
    translate: impl Fn(Option<RemoteId>) -> Document,
) -> Option<Verdict> {
    let record = subject.record;
    let document = &subject.observed.document;
    let key = (Side::Platform, entry.kind, match_key(document));
    let alike = books.matching.get(&key).is_some_and(|there| {
        there
            .iter()
            .any(|found| books.maps.back(entry.kind, &found.id).is_none())
    });
    if alike {
        return None;
    }
    let parent = match entry.parent {
        None => None,
        Some(parent) => {
            let there = RecordRef::new(Side::Ledger, entry.kind, parent.clone());
            match target(books, entry.flow, entry.kind, &there) {
                Some(to) => Some(to.clone()),
                None => {
                    let cause = format!(
                        "{} {} waits for its parent {parent} to be made or mapped",
                        entry.kind,
                        document.label()
                    );
                    let code = Code::new("waits-for-parent");
                    return Some(Verdict::Rest(
                        Outcome::because(State::Hold, code.clone(), cause)
                            .grouped(cause_of(&code, entry.kind, parent))
                            .until(waited(entry.kind, parent)),
                    ));
                }
            }
        }
    };
    Some(Verdict::Write(Box::new(Step {
        side: Side::Platform,
        action: Action::Create,
        role: String::new(),
        target: None,
        document: translate(parent),
        expect: None,
        key: key_of(books, entry.kind, &record.id),
        because: "the platform lacks it".into(),
    })))
}

fn key_of(books: &Books, kind: Kind, id: &RemoteId) -> Key {
    let connection = &books.connection;
    Key::of([
        connection.ledger_prefix,
        &connection.ledger_account,
        kind.as_str(),
        id.as_str(),
    ])
}

fn mapped(
    entry: &Entry<'_>,
    subject: &Subject<'_>,
    books: &Books,
    to: &RemoteId,
    waiting: bool,
    translate: impl Fn(Option<RemoteId>) -> Document,
) -> Verdict {
    let record = subject.record;
    let there_ref = RecordRef::new(Side::Platform, entry.kind, to.clone());
    let there = books.record(&there_ref);
    let label = subject.observed.document.label();
    let unusable = there.is_some_and(|there| there.gone || inactive(&there.document));
    if unusable && waiting {
        let cause = format!(
            "{} {label} leads to {to} on the platform, which is archived there: restore it or map {label} to another",
            entry.kind
        );
        let Verdict::Rest(outcome) = blocked(Code::new("mapped-to-archived"), cause) else {
            return done();
        };
        let group = cause_of(&Code::new("mapped-to-archived"), entry.kind, &record.id);
        return Verdict::Rest(outcome.grouped(group));
    }
    // Only what tieout itself made follows a new name: what a person mapped is the platform's own.
    let Some(Link {
        applied: Some(applied),
        ..
    }) = books.link(entry.flow, record, "")
    else {
        return done();
    };
    let parent = entry.parent.and_then(|parent| {
        let parent = RecordRef::new(Side::Ledger, entry.kind, parent.clone());
        target(books, entry.flow, entry.kind, &parent).cloned()
    });
    let wanted = translate(parent);
    let Some(there) = there.filter(|_| !unusable && !subject.gone) else {
        return done();
    };
    if same_writable(&wanted, &there.document) {
        return done();
    }
    if same_writable(&wanted, applied) {
        let cause = format!(
            "{label} was changed on the platform to {}",
            there.document.label()
        );
        return noop(Code::new("platform-drift"), cause);
    }
    Verdict::Write(Box::new(Step {
        side: Side::Platform,
        action: Action::Amend,
        role: String::new(),
        target: Some(to.clone()),
        key: amendment_key(&key_of(books, entry.kind, &record.id), &wanted),
        document: wanted,
        expect: Some(there.document.clone()),
        because: "its name or number changed in the ledger".into(),
    }))
}

/// Whether an account or dimension is inactive or archived.
pub(crate) fn inactive(document: &Document) -> bool {
    match document {
        Document::Account(account) => account.inactive,
        Document::Dimension(dimension) => dimension.inactive,
        Document::Vendor(vendor) => vendor.inactive,
        _ => false,
    }
}

/// The name of a cause that all share who need this account or dimension. Departments, classes and
/// locations each count their ids on their own.
pub(crate) fn cause_of(code: &Code, kind: Kind, id: &RemoteId) -> String {
    if kind == Kind::Account {
        format!("{code}:{id}")
    } else {
        format!("{code}:{kind}:{id}")
    }
}
