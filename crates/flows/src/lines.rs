//! Lines of bills and credits, carried to the platform's accounts and dimensions.

use tieout_domain::code::Code;
use tieout_domain::document::{AccountKind, Line, LineKind};
use tieout_domain::{Document, Kind, Outcome, RecordRef, RemoteId, Side, State};

use crate::lists::{self, waited};
use crate::text::{MEMO_MAX, cut};
use crate::{Books, Need, accounts, dimensions};

fn flow_of(kind: Kind) -> &'static str {
    if kind == Kind::Account {
        accounts::NAME
    } else {
        dimensions::NAME
    }
}

fn references(line: &Line) -> impl Iterator<Item = (Kind, &RemoteId)> {
    [
        (Kind::Account, &line.account),
        (Kind::Department, &line.department),
        (Kind::Class, &line.class),
        (Kind::Location, &line.location),
    ]
    .into_iter()
    .filter_map(|(kind, id)| Some((kind, id.as_ref()?)))
}

/// What must be loaded to translate these lines.
pub(crate) fn needs(lines: &[Line], books: &Books) -> Vec<Need> {
    let mut needs = Vec::new();
    for (kind, id) in lines.iter().flat_map(references) {
        let here = RecordRef::new(Side::Ledger, kind, id.clone());
        if let Some(to) = lists::target(books, flow_of(kind), kind, &here) {
            needs.push(Need::Record(RecordRef::new(
                Side::Platform,
                kind,
                to.clone(),
            )));
        } else {
            needs.push(Need::Links(flow_of(kind), here.clone()));
        }
        needs.push(Need::Record(here));
    }
    needs.sort();
    needs.dedup();
    needs
}

/// The lines in the platform's terms, or why they can't be put so. Nothing is guessed: an account or
/// dimension that nobody confirmed stops the document (scenario 152), and all documents that it stops are one
/// exception (scenarios 91 and 153).
pub(crate) fn translate(label: &str, lines: &[Line], books: &Books) -> Result<Vec<Line>, Outcome> {
    lines
        .iter()
        .map(|line| {
            if line.account.is_none() && line.line_kind != LineKind::Tax {
                let cause = format!("{label} has a line of {} without an account", line.amount);
                return Err(Outcome::because(
                    State::Blocked,
                    Code::new("line-without-account"),
                    cause,
                ));
            }
            let to = |kind, id: &Option<RemoteId>| {
                id.as_ref()
                    .map(|id| target(label, kind, id, books))
                    .transpose()
            };
            Ok(Line {
                id: None,
                line_kind: LineKind::Expense,
                account: to(Kind::Account, &line.account)?,
                amount: line.amount,
                memo: cut(&line.memo, MEMO_MAX),
                department: to(Kind::Department, &line.department)?,
                class: to(Kind::Class, &line.class)?,
                location: to(Kind::Location, &line.location)?,
            })
        })
        .collect()
}

fn target(label: &str, kind: Kind, id: &RemoteId, books: &Books) -> Result<RemoteId, Outcome> {
    let here = RecordRef::new(Side::Ledger, kind, id.clone());
    let record = books.record(&here).map(|seen| &seen.document);
    let name = record.map_or_else(|| format!("with id {id}"), Document::label);
    if let Some(Document::Account(account)) = record
        && account.account_kind == AccountKind::AccountsPayable
    {
        let cause =
            format!("{label} has a line on {name}, which is the control account of payables");
        return Err(Outcome::because(
            State::Blocked,
            Code::new("control-account-on-line"),
            cause,
        ));
    }
    let code = if kind == Kind::Account {
        Code::new("unmapped-account")
    } else {
        Code::new("unmapped-dimension")
    };
    let Some(to) = lists::target(books, flow_of(kind), kind, &here) else {
        let cause = format!("{label} uses {kind} {name}, which has no counterpart on the platform");
        let group = lists::cause_of(&code, kind, id);
        let outcome = Outcome::because(State::Blocked, code, cause);
        return Err(outcome.grouped(group).until(waited(kind, id)));
    };
    let there = books.record(&RecordRef::new(Side::Platform, kind, to.clone()));
    if there.is_some_and(|there| there.gone || lists::inactive(&there.document)) {
        let cause = format!(
            "{label} uses {kind} {name}, which leads to {to} on the platform, and that is archived there"
        );
        return Err(
            Outcome::because(State::Blocked, Code::new("mapped-to-archived"), cause)
                .grouped(lists::cause_of(&Code::new("mapped-to-archived"), kind, id))
                .until(waited(kind, id)),
        );
    }
    Ok(to.clone())
}

/// Gives the lines to be written the ids of the lines they replace: the same line where there is one, else
/// the one in the same place (fact F13: a line whose id is left out is removed).
pub(crate) fn keep_ids(mut wanted: Vec<Line>, there: &[Line]) -> Vec<Line> {
    let coding = |line: &Line| {
        (
            line.amount,
            line.account.clone(),
            line.department.clone(),
            line.class.clone(),
            line.location.clone(),
        )
    };
    let mut free: Vec<&Line> = there.iter().filter(|line| line.id.is_some()).collect();
    for line in &mut wanted {
        if let Some(at) = free.iter().position(|other| coding(other) == coding(line)) {
            line.id = free.remove(at).id.clone();
        }
    }
    for line in wanted.iter_mut().filter(|line| line.id.is_none()) {
        if !free.is_empty() {
            line.id = free.remove(0).id.clone();
        }
    }
    wanted
}
