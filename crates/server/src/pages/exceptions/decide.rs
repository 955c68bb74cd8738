//! What a person decides about records, and who may.

use axum::extract::Path;
use axum::response::Redirect;
use tieout_desk::approval;
use tieout_desk::exceptions::{self, Chosen, Named, Ruling};
use tieout_domain::RecordRef;
use tieout_domain::code::Code;

use super::super::approvals::ASKED;
use super::super::fields::Fields;
use super::super::{PageError, named};
use super::cause;
use crate::people::Person;
use crate::view::View;

/// A decision as people choose it.
pub(super) struct Choice {
    /// Its word, in forms and addresses.
    pub(super) word: &'static str,
    /// What its button says.
    pub(super) label: &'static str,
    /// What it does.
    pub(super) means: &'static str,
    /// What is decided. It says who may.
    pub(super) ruling: Ruling,
}

/// All that can be decided in bulk.
pub(super) const RULINGS: [Choice; 4] = [
    Choice {
        word: "retry",
        label: "Look again",
        means: "The next run looks at it again, and what was decided about it is taken back.",
        ruling: Ruling::Retry,
    },
    Choice {
        word: "ignore",
        label: "Leave alone",
        means: "It is SKIPPED from now on, and stays in the counts and the tie-out.",
        ruling: Ruling::Ignore,
    },
    Choice {
        word: "create",
        label: "Create it",
        means: "It has no counterpart, whatever resembles it: the next run creates it.",
        ruling: Ruling::Create,
    },
    Choice {
        word: "accept",
        label: "Accept it",
        means: "This warning is understood: the next run goes on as if it were not there. Another one asks again.",
        ruling: Ruling::Accept,
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
    let ruling = match word {
        "link" => Ruling::Link(target(&fields)?),
        word => {
            let choice = RULINGS.into_iter().find(|choice| choice.word == word);
            let choice = choice.ok_or_else(|| nothing_said("say what is to be done"))?;
            choice.ruling
        }
    };
    person.must(ruling.role())?;
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
    if view.takes_two_people(store.name()).await?
        && let Some(proposal) = exceptions::replays(&store, &chosen, &ruling, reason).await?
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

fn nothing_said(cause: &str) -> PageError {
    PageError::usage(Code::new("form-incomplete"), cause)
}

/// The record that a person names as the counterpart.
fn target(fields: &Fields) -> Result<RecordRef, PageError> {
    let text = fields.get("target").trim();
    text.parse().map_err(|_| {
        let cause = format!("`{text}` is no record: it is written as SIDE/KIND/ID");
        PageError::usage(Code::new("unknown-record"), cause)
    })
}
