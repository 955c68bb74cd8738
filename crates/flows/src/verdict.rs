//! Short ways to say a verdict.

use tieout_domain::code::Code;
use tieout_domain::{Fingerprint, Key, Outcome, RecordRef, State, WaitsFor};

use crate::{Books, Decided, Verdict};

/// Both sides agree.
pub(crate) fn done() -> Verdict {
    Verdict::Rest(Outcome::done())
}

/// Both sides agree, and there is something to know.
pub(crate) fn done_with(code: Code, cause: impl Into<String>) -> Verdict {
    rest(State::Done, code, cause)
}

/// A state with its reason.
pub(crate) fn rest(state: State, code: Code, cause: impl Into<String>) -> Verdict {
    Verdict::Rest(Outcome::because(state, code, cause))
}

/// Nothing to do.
pub(crate) fn noop(code: Code, cause: impl Into<String>) -> Verdict {
    rest(State::Noop, code, cause)
}

/// Out of scope.
pub(crate) fn skipped(code: Code, cause: impl Into<String>) -> Verdict {
    rest(State::Skipped, code, cause)
}

/// Waits.
pub(crate) fn hold(code: Code, cause: impl Into<String>) -> Verdict {
    rest(State::Hold, code, cause)
}

/// Needs a person.
pub(crate) fn blocked(code: Code, cause: impl Into<String>) -> Verdict {
    rest(State::Blocked, code, cause)
}

/// Both sides changed.
pub(crate) fn conflict(code: Code, cause: impl Into<String>) -> Verdict {
    rest(State::Conflict, code, cause)
}

/// The outcome of a record that waits for the link of another one, together with all that do.
pub(crate) fn until_linked(outcome: Outcome, flow: &str, record: &RecordRef) -> Outcome {
    let code = outcome.code.as_ref().map_or("", Code::as_str);
    let group = format!("{code}:{}", record.id);
    outcome
        .grouped(group)
        .until(WaitsFor::Link(flow.to_owned(), record.clone()))
}

/// Both sides agree for as long as another record stands for the same one: it is looked at again when that is made anew, which
/// may be long after its own record changed.
pub(crate) fn done_beside(flow: &str, record: &RecordRef) -> Verdict {
    let link = WaitsFor::Link(flow.to_owned(), record.clone());
    Verdict::Rest(Outcome::done().until(link))
}

/// What a person's wish to leave the record alone makes of it.
pub(crate) fn ignored(books: &Books, flow: &str, record: &RecordRef) -> Option<Verdict> {
    (books.decided(flow, record) == Some(&Decided::Ignore))
        .then(|| skipped(Code::new("ignored"), "a person decided to leave it alone"))
}

/// Why a counterpart that a person has named is not taken: it is gone, or another record's by now. What was free when it
/// was named may have been taken since. `None` where it can be taken.
pub(crate) fn refused_link(
    books: &Books,
    label: &str,
    record: &RecordRef,
    target: &RecordRef,
) -> Option<Verdict> {
    let there = books.record(target).is_some_and(|seen| !seen.gone);
    let mut links = books.links_to(target).iter();
    let free = links.all(|link| link.record == *record);
    (!there || !free).then(|| {
        let cause =
            format!("{label} can't be linked to {target}: it is gone, or stands for another");
        blocked(Code::new("link-refused"), cause)
    })
}

/// Whether a person has understood the warning of this code and wants to go on.
pub(crate) fn accepted(books: &Books, flow: &str, record: &RecordRef, code: &Code) -> bool {
    let decided = books.decided(flow, record);
    decided.is_some_and(|decided| decided.accepts(code))
}

/// The key of an amendment: the event's key and what it amends to, so that two amendments differ.
pub(crate) fn amendment_key<T: serde::Serialize>(base: &Key, content: &T) -> Key {
    base.with(&Fingerprint::of(content).as_str()[..12])
}
