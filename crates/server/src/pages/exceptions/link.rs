//! Naming the counterpart of a record: candidates, found by what they are called.

use axum::extract::{Path, Query};
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::exceptions::{self, Seen};
use tieout_domain::RecordRef;
use tieout_domain::code::Code;
use tieout_store::Item;

use super::super::parts::{self, Address, amount, form, notice};
use super::super::{Layout, PageError, named, page_under};
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

/// Which record, and what to look for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    flow: String,
    #[serde(default)]
    record: String,
    /// The words; what the record is called, where there are none.
    #[serde(default)]
    q: String,
}

/// The page on which a record's counterpart is named.
pub(super) fn address(connection: &ConnectionInfo, item: &Item) -> Address {
    Address::of(["exceptions", connection.name.as_str(), "link"])
        .with("flow", &item.flow)
        .with("record", &item.record.to_string())
}

pub(super) async fn show(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Markup, PageError> {
    let (connection, store) = named(&view, &connection)?;
    let record: RecordRef = asked.record.parse().map_err(|_| PageError::Missing)?;
    let items = store
        .items(&asked.flow, std::slice::from_ref(&record))
        .await?;
    let item = items.get(&record).ok_or(PageError::Missing)?;
    let words = if asked.q.trim().is_empty() {
        item.label.as_str()
    } else {
        asked.q.trim()
    };
    let found = exceptions::candidates(&store, &record, words).await?;
    let there = match record.side {
        tieout_domain::Side::Ledger => &connection.platform,
        tieout_domain::Side::Platform => &connection.ledger,
    };
    let content = html! {
        p {
            "Which " (record.kind) " of " (there) " is "
            a href=(Address::record(&connection.name, &record)) { (item.label) }
            @if let Some(money) = item.amount { ", " (amount::money(money)) }
            "?"
        }
        p.soft { (item.outcome.cause) }
        (search(&address(&connection, item), &asked, words))
        @if !person.may(Role::Operator) { p.soft { "Linking takes the role of an operator." } }
        @else if found.is_empty() {
            (notice::empty(
                &format!("No {} of {there} that is free is called “{words}”.", record.kind),
                " Look by its number, its name or its id. One that another record is linked with already can't be linked again.",
            ))
        } @else { (choice(&person, &connection, item, &found)) }
    };
    let layout = Layout {
        title: &format!("{}: link {}", connection.name, item.label),
        person: &person,
        place: "/exceptions",
    };
    Ok(page_under(
        &parts::crumbs(&[(Address::of(["exceptions"]), "Exceptions")]),
        &layout,
        &content,
    ))
}

fn search(here: &Address, asked: &Asked, words: &str) -> Markup {
    html! {
        form.filter method="get" action=(here) role="search" {
            input type="hidden" name="flow" value=(asked.flow);
            input type="hidden" name="record" value=(asked.record);
            div.field {
                label for="filter-q" { "Number, name or id" }
                input type="search" id="filter-q" name="q" value=(words);
            }
            button type="submit" { "Search" }
        }
    }
}

fn choice(person: &Person, connection: &ConnectionInfo, item: &Item, found: &[Seen]) -> Markup {
    let action = Address::of(["exceptions", connection.name.as_str(), "decide"]);
    let code = item.outcome.code.as_ref().map_or("", Code::as_str);
    html! {
        form.decide method="post" action=(action) {
            (form::token(person))
            input type="hidden" name="ruling" value="link";
            input type="hidden" name="record" value=(item.record);
            input type="hidden" name="code" value=(code);
            input type="hidden" name="group" value=(item.outcome.group);
            fieldset {
                legend { "It is this one" }
                @for seen in found {
                    label.check {
                        input type="radio" name="target" value=(seen.record) required;
                        strong { (seen.label) }
                        @if let Some(money) = seen.amount { ", " (amount::money(money)) }
                        @if let Some(open) = seen.open { ", " (amount::money(open)) " open" }
                        " " span.soft { (seen.record.id) }
                    }
                }
            }
            (form::reason("link-reason", true))
            button.main type="submit" { "Link" }
        }
    }
}
