//! One mapping: what it leads to, what else it could lead to, what rests on it, and who said what.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tieout_desk::mapping::{self, Party, Row, Touched};
use tieout_desk::story::words;
use tieout_domain::{Kind, RemoteId};
use tieout_store::{ConnectionStore, Entry};

use super::super::parts::badge::badge;
use super::super::parts::{self, Address, Cell, Column, Table, amount, csv_asked, notice};
use super::super::{Layout, PageError, named, page_under};
use super::{Asked, DONE, address, inactive, row_address, sides, status, title};
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

/// One row, and what it could lead to.
async fn find(
    store: &ConnectionStore,
    kind: Kind,
    from: &RemoteId,
) -> Result<(Row, Vec<Party>), PageError> {
    let (rows, targets) = mapping::table(store, kind).await?;
    let row = rows.into_iter().find(|row| row.from.id == *from);
    Ok((row.ok_or(PageError::Missing)?, targets))
}

pub(super) async fn show(
    view: View,
    person: Person,
    Path((connection, kind, from)): Path<(String, String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (connection, store) = named(&view, &connection)?;
    let kind = mapping::known_kind(&connection.flows, &kind).map_err(|_| PageError::Missing)?;
    let from = RemoteId::new(from);
    let (row, targets) = find(&store, kind, &from).await?;
    let history = mapping::history(&store, kind, &from).await?;
    let touched = mapping::touched(&store, kind, std::slice::from_ref(&from)).await?;
    let (bills, told) = (
        bills(&connection, kind, &touched),
        told(&connection, &history),
    );
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&bills, &told]) {
        return Ok(csv);
    }
    let here = row_address(&connection.name, kind, &from);
    let content = html! {
        (notice::done(asked.done.as_deref(), asked.n, &DONE))
        (facts(&connection, kind, &row))
        @if person.may(Role::Approver) { (change(&connection, kind, &row, &targets)) }
        @else { p.soft { "Changing a mapping takes the role of an approver." } }
        (weight(kind, &touched))
        (bills.show(&here))
        (told.show(&here))
    };
    let layout = Layout {
        title: &format!("{}: {}", connection.name, row.from.label()),
        person: &person,
        place: "/mappings",
    };
    Ok(page_under(
        &parts::crumbs(&[
            (Address::of(["mappings"]), "Mappings"),
            (address(&connection.name, kind), title(kind)),
        ]),
        &layout,
        &content,
    )
    .into_response())
}

fn facts(connection: &ConnectionInfo, kind: Kind, row: &Row) -> Markup {
    let (from, to) = sides(connection, kind);
    let party =
        |party: &Party| html! { (party.label()) " " span.soft { (party.id) } (inactive(party)) };
    let target = match &row.to {
        Some(to) => party(to),
        None => html! { span.soft { "nothing" } },
    };
    let why = row.entry.as_ref().map_or("", |entry| entry.why.as_str());
    let (tone, word) = status(row);
    let mut rows = vec![
        (from, party(&row.from)),
        (to, target),
        ("Status", badge(tone, word)),
    ];
    if !why.is_empty() {
        rows.push(("Why", html! { (why) }));
    }
    parts::facts(rows)
}

/// A change goes by way of what it touches.
fn change(connection: &ConnectionInfo, kind: Kind, row: &Row, targets: &[Party]) -> Markup {
    let action = Address::of(["mappings", connection.name.as_str(), "preview"]);
    let now = row.to.as_ref().map(|to| &to.id);
    let (_, to) = sides(connection, kind);
    html! {
        form method="get" action=(action) {
            h2 { "Change" }
            input type="hidden" name="kind" value=(kind);
            input type="hidden" name="from" value=(row.from.id);
            div.field {
                label for="to" { "In " (to) " it is" }
                select id="to" name="to" required {
                    option value="" { "choose…" }
                    @for target in targets {
                        option value=(target.id) selected[Some(&target.id) == now] { (target.label()) }
                    }
                    @if row.entry.is_some() { option value="none" { "nothing: take the mapping back" } }
                }
            }
            button.main type="submit" { "See what it touches" }
        }
    }
}

/// The open bills that rest on a mapping.
pub(super) fn bills(connection: &ConnectionInfo, kind: Kind, touched: &Touched) -> Table {
    let (title, column, nothing) = match kind {
        Kind::FundingAccount => (
            "Payments from it that are not posted",
            "Paid",
            "No payment from it waits to be posted.",
        ),
        Kind::Item | Kind::Terms => (
            "Open invoices and credit memos that name it",
            "Open",
            "No open invoice or credit memo names it.",
        ),
        _ => (
            "Open bills and credits that it touches",
            "Open",
            "No open bill or credit codes to it.",
        ),
    };
    let all = touched.all.count;
    let shown = touched.bills.len() as u64;
    let note = if all > shown {
        format!("the first {shown} of {}", amount::grouped(all))
    } else {
        String::new()
    };
    let mut table = Table::new(
        "bills",
        title,
        [Column::text("Document"), Column::money(column)],
    )
    .note(note)
    .or_empty(nothing, " A change touches only what comes later.");
    for bill in &touched.bills {
        table.row([
            Cell::link(
                &Address::record(&connection.name, &bill.record),
                bill.label.as_str(),
            ),
            Cell::money(Some(bill.open)),
        ]);
    }
    table
}

/// How much rests on a mapping.
pub(super) fn weight(kind: Kind, touched: &Touched) -> Markup {
    if kind == Kind::FundingAccount {
        return html! { p { "Payments from it that are not posted yet will be posted to the account that it leads to." } };
    }
    if matches!(kind, Kind::Item | Kind::Terms) {
        return html! { p { "What goes over from now on names it so. What went over before does when it changes next." } };
    }
    html! {
        @if touched.all.count > 0 {
            p {
                (amount::count(touched.all.count, "open document")) " " (if touched.all.count == 1 { "codes" } else { "code" }) " to it"
                @for money in touched.all.amounts() { ", " (amount::money(money)) }
                ". A change codes them anew on the platform with the next run; what is paid stays as it is."
            }
        }
    }
}

fn told(connection: &ConnectionInfo, history: &[Entry]) -> Table {
    let mut table = Table::new(
        "history",
        "History",
        [
            Column::text("When"),
            Column::person("Who"),
            Column::text("What"),
        ],
    )
    .or_empty("Nothing was said of it yet.", "");
    for entry in history {
        table.row([
            Cell::moment(entry.at, &connection.time_zone),
            Cell::text(entry.actor.as_str()),
            Cell::text(words(entry)),
        ]);
    }
    table
}
