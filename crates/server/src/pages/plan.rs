//! A plan: what a sync would do now, record by record. Both sides are read for it, and nothing is written to either.

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::{cost, first_sync};
use tieout_domain::RecordRef;
use tieout_engine::{Plan, PlannedChoice, PlannedStep};

use super::parts::badge::{Tone, badge};
use super::parts::{self, Address, Cell, Column, Table, amount, csv_asked, notice};
use super::{Layout, PageError, allowed, page_under};
use crate::app::App;
use crate::people::{Person, Role};
use crate::program::{ConnectionInfo, SyncAsked};
use crate::view::View;

/// So many of a long plan are on the page; all are in the CSV.
const SHOWN: usize = 200;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/connections/{name}/plan", get(show))
}

/// A connection's plan.
pub(super) fn address(connection: &ConnectionInfo) -> Address {
    Address::of(["connections", connection.name.as_str(), "plan"])
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    csv: Option<String>,
}

async fn show(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (connection, _) = allowed(&view, &person, &name, Role::Operator)?;
    let by = SyncAsked {
        by: person.actor(),
        ..SyncAsked::default()
    };
    let plan = view.program.plan(&connection.name, by).await?;
    let tables = [
        &steps(&connection, &plan.steps),
        &choices(&connection, &plan.choices),
    ];
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &tables) {
        return Ok(csv);
    }
    let content = html! {
        p.soft { "Both sides were read just now, and nothing was written. Load the page again for a new plan." }
        (shown(&connection, &plan))
    };
    let layout = Layout {
        title: &format!("{}: plan", connection.name),
        person: &person,
        place: "/",
    };
    Ok(page_under(
        &parts::crumbs(&[(
            Address::connection(&connection.name),
            connection.name.as_str(),
        )]),
        &layout,
        &content,
    )
    .into_response())
}

/// What a sync would do: sums, what a person may decide first, and each step.
pub(super) fn shown(connection: &ConnectionInfo, plan: &Plan) -> Markup {
    let first = plan.steps.get(..SHOWN).unwrap_or(&plan.steps);
    let here = address(connection);
    html! {
        (sums(plan))
        @if let Some(cost) = &plan.cost { p.soft { "A sync of it: " (cost::words(cost)) "." } }
        @if !plan.first_sync.is_empty() {
            (notice::notice(Tone::Wait, &html! { p { "The first sync would also take to " (connection.ledger) ": " (first_sync::words(&plan.first_sync)) ". It waits for a yes." } }))
        }
        @for stop in &plan.stops { (notice::notice(Tone::Wait, &html! { p { "Nothing of it is written at the moment: " (stop) } })) }
        @if !plan.choices.is_empty() { (choices(connection, &plan.choices).show(&here)) }
        (steps(connection, first).show(&here))
        @if plan.steps.len() > SHOWN {
            p.soft { "The first " (SHOWN) " of " (amount::grouped(plan.steps.len() as u64)) "; all are in the CSV." }
        }
    }
}

/// How many of each, by flow.
fn sums(plan: &Plan) -> Markup {
    let of = |flow: &str, action: &str| {
        let steps = plan.steps.iter();
        steps
            .filter(|step| step.flow == flow && step.action == action)
            .count()
    };
    let mut actions: Vec<&str> = plan.steps.iter().map(|step| &*step.action).collect();
    actions.sort_unstable();
    actions.dedup();
    html! {
        ul {
            @for flow in &plan.flows {
                @let waits: u64 = plan.states.get(flow).map_or(0, waiting);
                @let does: Vec<_> = actions.iter().map(|action| (*action, of(flow, action))).filter(|(_, count)| *count > 0).collect();
                @if !does.is_empty() || waits > 0 {
                    li {
                        strong { (flow) } ": "
                        @for (at, (action, count)) in does.iter().enumerate() { @if at > 0 { ", " } (amount::grouped(*count as u64)) " to " (action) }
                        @if waits > 0 { @if !does.is_empty() { ", " } (badge(Tone::Bad, &format!("{waits} wait for a person"))) }
                    }
                }
            }
        }
    }
}

/// How many of these states are for a person.
fn waiting(states: &std::collections::BTreeMap<String, u64>) -> u64 {
    let waits = ["BLOCKED", "CONFLICT", "ORPHAN"];
    // With its code: `BLOCKED(choose-vendor)`.
    let is_one = |said: &str| waits.iter().any(|state| said.starts_with(state));
    let all = states.iter().filter(|(said, _)| is_one(said));
    all.map(|(_, count)| count).sum()
}

/// What people call a record; itself where it has no name or number.
fn called(label: &str, record: &RecordRef) -> String {
    if label.is_empty() {
        record.to_string()
    } else {
        label.to_owned()
    }
}

fn choices(connection: &ConnectionInfo, choices: &[PlannedChoice]) -> Table {
    let columns = ["Record", "Flow", "What it resembles"].map(Column::text);
    let mut table = Table::new("choices", "For a person to decide first", columns);
    for choice in choices {
        let there = Address::record(&connection.name, &choice.record);
        table.row([
            Cell::link(&there, called(&choice.label, &choice.record)),
            Cell::text(choice.flow.as_str()),
            Cell::text(choice.cause.as_str()),
        ]);
    }
    table
}

fn steps(connection: &ConnectionInfo, steps: &[PlannedStep]) -> Table {
    let columns = [
        Column::text("Flow"),
        Column::text("Does"),
        Column::text("Record"),
        Column::number("Amount"),
        Column::text("Where"),
        Column::text("Because"),
    ];
    let mut table = Table::new("plan", "What a sync would do", columns).or_empty(
        "Nothing.",
        " Both sides agree, or what differs waits for a person.",
    );
    for step in steps {
        let there = Address::record(&connection.name, &step.record);
        let place = match step.side {
            tieout_domain::Side::Ledger => &connection.ledger,
            tieout_domain::Side::Platform => &connection.platform,
        };
        table.row([
            Cell::text(step.flow.as_str()),
            Cell::text(format!("{} {}", step.action, step.kind)),
            Cell::link(&there, called(&step.label, &step.record)),
            Cell::text(step.amount.as_str()),
            Cell::text(place.as_str()),
            Cell::text(step.because.as_str()),
        ]);
    }
    table
}
