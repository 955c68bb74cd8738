//! The beginning: which name, which pair, and what was begun and not ended.

use axum::extract::Query;
use axum::response::Redirect;
use maud::{Markup, html};
use tieout_domain::code::Code;

use super::super::fields::Fields;
use super::super::parts::{self, Address, form, notice};
use super::super::{Layout, PageError, page_under};
use super::{Asked, address, connects, start_address};
use crate::people::{Person, Role};
use crate::view::View;

pub(super) async fn show(
    view: View,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Markup, PageError> {
    person.must(Role::Admin)?;
    let known = connects(&view)?.connectable()?;
    let texts = [("given-up", "What was given is forgotten.")];
    let content = html! {
        (notice::done(asked.done.as_deref(), asked.n, &texts))
        @if !known.under_way.is_empty() {
            h2 { "Go on with one" }
            ul { @for name in &known.under_way { li { a href=(address(name)) { (name) } } } }
            h2 { "Begin another" }
        }
        form method="post" action=(start_address()) {
            (form::token(&person))
            (form::text("connection-name", "name", "A name for it, in small letters, such as acme-us", "", true))
            div.field {
                label for="pair" { "Which two systems" }
                select id="pair" name="pair" { @for pair in &known.pairs { option value=(pair) { (pair) } } }
            }
            @if !known.templates.is_empty() {
                div.field {
                    label for="template" { "Template of tieout.toml that it rests on" }
                    select id="template" name="template" {
                        option value="" { "none" }
                        @for template in &known.templates { option value=(template) { (template) } }
                    }
                }
            }
            p.soft { "A connection that was disconnected goes on under its old name, with its links and history." }
            button.main type="submit" { "Begin" }
        }
    };
    let layout = Layout {
        title: "Connect two systems",
        person: &person,
        place: "/",
    };
    Ok(page_under(
        &parts::crumbs(&[(Address::of([]), "Overview")]),
        &layout,
        &content,
    ))
}

pub(super) async fn begin(
    view: View,
    person: Person,
    fields: Fields,
) -> Result<Redirect, PageError> {
    person.must(Role::Admin)?;
    let name = fields.get("name").trim();
    let name = name.parse().map_err(|error: tieout_domain::IdError| {
        PageError::usage(Code::new("config-value"), error.to_string())
    })?;
    let (pair, template) = (fields.get("pair"), fields.get("template"));
    connects(&view)?
        .begin(&name, pair, template, &person.actor())
        .await?;
    Ok(Redirect::to(&address(&name).to_string()))
}
