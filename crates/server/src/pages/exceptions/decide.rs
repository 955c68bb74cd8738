//! What a person decides about records, and who may.

use axum::extract::Path;
use axum::response::Redirect;
use tieout_desk::approval;
use tieout_desk::exceptions::{self, Chosen, Named, Ruling};
use tieout_domain::code::Code;
use tieout_domain::{Kind, RecordRef};
use tieout_store::ConnectionStore;

use super::super::approvals::ASKED;
use super::super::fields::Fields;
use super::super::{PageError, named};
use super::cause;
use crate::people::{Person, Role};
use crate::view::View;

/// A decision as people choose it.
pub(super) struct Choice {
    /// Its word, in forms and addresses.
    pub(super) word: &'static str,
    /// What its button says.
    pub(super) label: &'static str,
    /// What it does.
    pub(super) means: &'static str,
    /// Who may.
    pub(super) role: Role,
}

/// All that can be decided in bulk. What overrides a warning that money may be paid twice takes an approver.
pub(super) const RULINGS: [Choice; 4] = [
    Choice {
        word: "retry",
        label: "Look again",
        means: "The next run looks at it again, and what was decided about it is taken back.",
        role: Role::Operator,
    },
    Choice {
        word: "ignore",
        label: "Leave alone",
        means: "It is SKIPPED from now on, and stays in the counts and the tie-out.",
        role: Role::Operator,
    },
    Choice {
        word: "create",
        label: "Create it",
        means: "It has no counterpart, whatever resembles it: the next run creates it.",
        role: Role::Approver,
    },
    Choice {
        word: "accept",
        label: "Accept it",
        means: "This warning is understood: the next run goes on as if it were not there. Another one asks again.",
        role: Role::Approver,
    },
];

impl Choice {
    /// Whether a flow heeds it.
    pub(super) fn fits(&self, flow: &str) -> bool {
        match self.word {
            "create" => CREATE.contains(&flow),
            "accept" => ACCEPT.contains(&flow),
            _ => true,
        }
    }
}

/// Whether a flow heeds a person who names the counterpart of a record.
pub(super) fn can_be_linked(flow: &str) -> bool {
    LINK.contains(&flow)
}

/// The flows in which a person may name a counterpart, say that there is none, or go on in spite of a warning.
const LINK: [&str; 6] = [
    "vendors",
    "bills",
    "vendor-credits",
    "customers",
    "invoices",
    "credit-memos",
];
const CREATE: [&str; 4] = ["vendors", "bills", "vendor-credits", "customers"];
const ACCEPT: [&str; 7] = [
    "vendors",
    "bills",
    "vendor-credits",
    "bill-payments",
    "invoices",
    "credit-memos",
    "payments",
];

pub(super) async fn decide(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    let (connection, store) = named(&view, &connection)?;
    let word = fields.get("ruling");
    let (ruling, role) = match word {
        "link" => (Ruling::Link(target(&store, &fields).await?), Role::Operator),
        word => {
            let choice = RULINGS.iter().find(|choice| choice.word == word);
            let choice = choice.ok_or_else(|| nothing_said("say what is to be done"))?;
            (plain(choice.word), choice.role)
        }
    };
    person.must(role)?;
    let reason = fields.reason()?;
    let cause = Named {
        code: fields.given("code").map(Code::from_text),
        group: fields.get("group").to_owned(),
        holds: false,
    };
    let chosen = if fields.get("all") == "yes" {
        if cause.code.is_none() {
            return Err(nothing_said(
                "records without a code are decided one by one",
            ));
        }
        Chosen {
            records: Vec::new(),
            group: Some(cause.group.clone()),
            code: cause.code.clone(),
            seen: None,
        }
    } else {
        Chosen {
            records: fields.all("record").map(str::to_owned).collect(),
            seen: cause.code.clone(),
            ..Chosen::default()
        }
    };
    let actor = person.actor();
    if ruling == Ruling::Retry
        && view.takes_two_people(store.name()).await?
        && let Some(proposal) = exceptions::replays(&store, &chosen, reason).await?
    {
        let subject = match &cause.code {
            Some(code) if chosen.code.is_some() => code.to_string(),
            _ => chosen.records.join(", "),
        };
        let what = ("replay", subject.as_str());
        approval::request(&store, what, &proposal, reason, person.by(&actor)).await?;
        return Ok(Redirect::to(ASKED));
    }
    let decided = exceptions::decide(&store, &chosen, &ruling, reason, &actor).await?;
    if decided.is_empty() {
        return Err(nothing_said("no record was chosen, or none waits any more"));
    }
    let back = cause::address(&connection, &cause)
        .with("done", word)
        .with("n", &decided.len().to_string());
    Ok(Redirect::to(&back.to_string()))
}

fn plain(word: &str) -> Ruling {
    match word {
        "ignore" => Ruling::Ignore,
        "create" => Ruling::Create,
        "accept" => Ruling::Accept,
        _ => Ruling::Retry,
    }
}

fn nothing_said(cause: &str) -> PageError {
    PageError::usage(Code::new("form-incomplete"), cause)
}

/// The record that a person names as the counterpart. It must be there, on the other side, and of the same kind.
async fn target(store: &ConnectionStore, fields: &Fields) -> Result<RecordRef, PageError> {
    let unknown = |cause: String| PageError::usage(Code::new("unknown-record"), cause);
    let parsed = |text: &str| -> Result<RecordRef, PageError> {
        text.parse().map_err(|_| {
            unknown(format!(
                "`{text}` is no record: it is written as SIDE/KIND/ID"
            ))
        })
    };
    let from = parsed(fields.get("record"))?;
    let to = parsed(fields.get("target").trim())?;
    if to.side != from.side.other() || to.kind != from.kind {
        let cause = format!(
            "{from} can't be linked to {to}: it takes a {} of the {}",
            from.kind,
            from.side.other().as_str()
        );
        return Err(unknown(cause));
    }
    if !is_there(store, &to).await? {
        return Err(unknown(format!(
            "{to} is not there, or no run has seen it yet"
        )));
    }
    Ok(to)
}

async fn is_there(store: &ConnectionStore, record: &RecordRef) -> Result<bool, PageError> {
    let RecordRef { side, kind, id } = record;
    let kind: Kind = *kind;
    let known = store.known(*side, kind, std::slice::from_ref(id)).await?;
    Ok(known.get(id).is_some_and(|known| !known.gone))
}
