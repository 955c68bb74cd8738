//! Tie-outs: whether the two sides agree at a month's end, item by item; who says so; and what has changed since.

mod act;
mod base;
mod files;
mod items;
mod paper;
mod signatures;

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::tie_out::sign_off::{self, Signed};
use tieout_desk::tie_out::{self, Made, Scope};
use tieout_domain::ConnectionName;
use tieout_flows::tie_out::Status;

use super::parts::badge::{Tone, badge};
use super::parts::{self, Address, Cell, Column, Table, csv_asked, form, notice, time};
use super::{Layout, PageError, named, page, page_under};
use crate::app::App;
use crate::people::{Person, Role};
use crate::program::ConnectionInfo;
use crate::view::View;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/tie-out", get(index))
        .route("/tie-out/{connection}", get(show))
        .route("/tie-out/{connection}/file", get(files::file))
        .route("/tie-out/{connection}/make", post(act::make))
        .route("/tie-out/{connection}/own", post(act::own))
        .route("/tie-out/{connection}/sign", post(act::sign))
        .route("/tie-out/{connection}/drift", post(act::drift))
}

/// Which report, and what of it.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    period: String,
    #[serde(default)]
    currency: String,
    /// `yes` for the one that was signed, word for word.
    #[serde(default)]
    signed: String,
    csv: Option<String>,
    done: Option<String>,
    n: Option<u64>,
}

/// What was done, after an act.
const DONE: [(&str, &str); 7] = [
    ("made", "Both sides were read, and the report is made."),
    (
        "owned",
        "{n} differences are taken on. Make the report again to see them in it.",
    ),
    (
        "changed",
        "Not signed: the books have changed since you looked. This is the report as it is now; look at it again.",
    ),
    (
        "prepared-anew",
        "Not signed: another report was prepared since you read this page. Read what was signed now, and sign then.",
    ),
    ("prepared", "Signed as preparer. Somebody else reviews it."),
    ("reviewed", "Signed as reviewer."),
    (
        "drift",
        "Both sides were read and held against what was signed.",
    ),
];

/// A connection's report.
fn address(connection: &ConnectionName, period: &str, currency: &str) -> Address {
    Address::of(["tie-out", connection.as_str()])
        .with("period", period)
        .with("currency", currency)
}

fn scope(period: &str, currency: &str) -> Scope {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    Scope {
        period: given(period),
        currency: given(currency),
    }
}

/// The company's month, now.
fn this_month(view: &View, connection: &ConnectionInfo) -> String {
    let now = view.clock.now().to_zoned(connection.time_zone.clone());
    tie_out::month(now.date())
}

/// How a status is shown.
fn tone(status: Status) -> Tone {
    match status {
        Status::Tied => Tone::Good,
        Status::TiedWithExceptions => Tone::Wait,
        Status::NotTied | Status::Incomplete => Tone::Bad,
    }
}

/// All connections with what was signed last.
async fn index(
    view: View,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let columns = ["Connection", "Month", "Currency", "Signed by", "When", "As"];
    let mut table = Table::new("signed", "Signed last", columns.map(Column::text)).or_empty(
        "Nothing is signed yet.",
        " A month is signed when its report is tied: open a connection's report and sign it.",
    );
    let connections = view.program.connections();
    for connection in &connections {
        let store = view.store.connection(&connection.name)?;
        for ((period, currency), signed) in sign_off::latest(&store).await?.into_iter().rev() {
            table.row([
                Cell::text(connection.name.as_str()),
                Cell::link(
                    &address(&connection.name, &period, &currency).with("signed", "yes"),
                    period.as_str(),
                ),
                Cell::text(currency),
                Cell::text(signed.signature.who.as_str()),
                Cell::moment(signed.signature.at, &connection.time_zone),
                Cell::text(signed.signature.role.as_str()),
            ]);
        }
    }
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&table]) {
        return Ok(csv);
    }
    let content = html! {
        @if connections.is_empty() {
            (notice::empty("No connection yet.", " An administrator makes the first one with `tieout connect`."))
        }
        ul {
            @for connection in &connections {
                li {
                    a href=(address(&connection.name, &this_month(&view, connection), "")) {
                        (connection.name) ", " (connection.ledger) " and " (connection.platform)
                    }
                }
            }
        }
        (table.show(&Address::of(["tie-out"])))
    };
    let layout = Layout {
        title: "Tie-out",
        person: &person,
        place: "/tie-out",
    };
    Ok(page(&layout, &content).into_response())
}

/// A report that was kept or signed.
async fn find(
    view: &View,
    connection: &ConnectionInfo,
    asked: &Asked,
) -> Result<Option<Made>, PageError> {
    let store = view.store.connection(&connection.name)?;
    if asked.signed == "yes" {
        let scope = scope(&asked.period, &asked.currency);
        return Ok(Some(sign_off::as_signed(&store, &scope).await?));
    }
    let currency = Some(asked.currency.as_str()).filter(|currency| !currency.is_empty());
    Ok(tie_out::kept(&store, &asked.period, currency).await?)
}

async fn show(
    view: View,
    person: Person,
    Path(connection): Path<String>,
    Query(mut asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (connection, store) = named(&view, &connection)?;
    if asked.period.is_empty() {
        asked.period = this_month(&view, &connection);
    }
    let month = tie_out::named_month(&asked.period)?;
    let made = find(&view, &connection, &asked).await?;
    let mut signed: Vec<Signed> = sign_off::signatures(&store).await?;
    signed.retain(|one| one.period == asked.period);
    let here =
        address(&connection.name, &asked.period, &asked.currency).with("signed", &asked.signed);
    let paper = made
        .as_ref()
        .map(|made| paper::Paper::of(&connection, made, asked.signed == "yes"));
    if let (Some(paper), Some(asked)) = (&paper, asked.csv.as_deref()) {
        return paper.csv(asked).ok_or(PageError::Missing);
    }
    let drift = signatures::drift(&view, &person, &connection, &signed).await?;
    let content = html! {
        (notice::done(asked.done.as_deref(), asked.n, &DONE))
        (months(&connection, &asked))
        @match (&made, &paper) {
            (Some(made), Some(paper)) => {
                (banner(&connection, made, &asked))
                (files::links(&connection, made, &asked))
                @if asked.signed != "yes" { (make(&person, &connection, &asked, "Make it again")) }
                (signatures::show(&person, &connection, made, &signed))
                (paper.show(&person, &here))
            },
            _ => {
                (notice::empty(
                    &format!("No report of {} has been made yet.", month.strftime("%B %Y")),
                    " Making one reads both sides within one window; on a large account that takes a minute.",
                ))
                (make(&person, &connection, &asked, "Make the report"))
            },
        }
        (drift)
    };
    let layout = Layout {
        title: &format!("Tie-out: {}, {}", connection.name, month.strftime("%B %Y")),
        person: &person,
        place: "/tie-out",
    };
    Ok(page_under(
        &parts::crumbs(&[(Address::of(["tie-out"]), "Tie-out")]),
        &layout,
        &content,
    )
    .into_response())
}

fn months(connection: &ConnectionInfo, asked: &Asked) -> Markup {
    html! {
        form.filter method="get" action=(Address::of(["tie-out", connection.name.as_str()])) {
            div.field {
                label for="filter-period" { "Month" }
                input type="month" id="filter-period" name="period" value=(asked.period) pattern="[0-9]{4}-[0-9]{2}" required;
            }
            div.field {
                label for="filter-currency" { "Currency" }
                input type="text" id="filter-currency" name="currency" value=(asked.currency) placeholder="the company's own" maxlength="3" autocomplete="off";
            }
            button type="submit" { "Show" }
        }
    }
}

fn banner(connection: &ConnectionInfo, made: &Made, asked: &Asked) -> Markup {
    let report = &made.report;
    let zone = &connection.time_zone;
    let content = html! {
        p {
            strong { (badge(tone(report.status), report.status.as_str())) }
            " " (report.period.name) " in " (report.currency) ", at the end of " (report.day)
            ", made " (time::moment(report.made_at, zone))
            @if asked.signed == "yes" { ", as it was signed" }
        }
        @if !report.reasons.is_empty() { ul { @for reason in &report.reasons { li { (reason) } } } }
        @for text in &report.notices { p { strong { (text) } } }
        @if !made.others.is_empty() {
            p {
                "Other currencies: "
                @for (currency, status) in &made.others {
                    a href=(address(&connection.name, &asked.period, &currency.to_string())) { (currency) }
                    " " (badge(tone(*status), status.as_str())) " "
                }
            }
        }
    };
    notice::notice(tone(report.status), &content)
}

fn make(person: &Person, connection: &ConnectionInfo, asked: &Asked, label: &str) -> Markup {
    let action = Address::of(["tie-out", connection.name.as_str(), "make"]);
    let fields = html! {
        input type="hidden" name="period" value=(asked.period);
        input type="hidden" name="currency" value=(asked.currency);
    };
    html! {
        @if person.may(Role::Operator) { (form::button(person, &action, &fields, label)) }
        @else { p.soft { "Making a report takes the role of an operator." } }
    }
}
