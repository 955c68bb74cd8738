//! A new value for a credential. What is typed is held only until it is sealed, and never sent back to the page.

use axum::extract::Query;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;
use tieout_domain::code::Code;

use super::super::fields::Fields;
use super::super::parts::{self, Address, form};
use super::super::{Layout, PageError, page_under};
use super::{entry, guide};
use crate::people::{Person, Role};
use crate::program::CredentialKindInfo;
use crate::view::View;

/// Which kind, and under which name.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
}

fn kind(view: &View, name: &str) -> Result<CredentialKindInfo, PageError> {
    let mut kinds = view.program.credential_kinds().into_iter();
    kinds.find(|kind| kind.name == name).ok_or_else(|| {
        let cause = format!("`{name}` is no kind of credential");
        PageError::usage(Code::new("credential-kind"), cause)
    })
}

pub(super) async fn show(
    view: View,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Markup, PageError> {
    person.must(Role::Admin)?;
    let kind = kind(&view, &asked.kind)?;
    let content = html! {
        @if !kind.guides.is_empty() {
            p { a href=(guide::address(kind.name)) { "How to come by a new one, step by step" } }
        }
        form method="post" action="/credentials/set" autocomplete="off" {
            (form::token(&person))
            input type="hidden" name="kind" value=(kind.name);
            (form::text("credential-name", "name", "Name by which connections refer to it", &asked.name, true))
            @for field in &kind.fields { (entry::input("field", field)) }
            p.soft { "Where connections use this name already, the new value signs in for each of them first. If one refuses it, the old value stays." }
            button.main type="submit" { "Sign in and seal" }
        }
    };
    let layout = Layout {
        title: &format!("{}: a new {}", kind.system, kind.name),
        person: &person,
        place: "/credentials",
    };
    Ok(page_under(
        &parts::crumbs(&[(Address::of(["credentials"]), "Credentials")]),
        &layout,
        &content,
    ))
}

pub(super) async fn set(view: View, person: Person, fields: Fields) -> Result<Redirect, PageError> {
    person.must(Role::Admin)?;
    let kind = kind(&view, fields.get("kind"))?;
    let name = fields.given("name").ok_or_else(|| {
        let cause = "a credential needs a name, by which connections refer to it";
        PageError::usage(Code::new("credential-malformed"), cause)
    })?;
    let by = person.actor();
    let set = view
        .program
        .set_credential(name, kind.name, entry::sent(&kind.fields, &fields), &by)
        .await?;
    let back = Address::of(["credentials"])
        .with("done", "set")
        .with("n", &set.proven.len().to_string());
    Ok(Redirect::to(&back.to_string()))
}
