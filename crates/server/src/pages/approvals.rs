//! What one person asked for and another must approve, over all connections.

use axum::Router;
use axum::extract::{Form, Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::approval::{self, Request};
use tieout_domain::{ConnectionName, Timestamp};
use tieout_store::ConnectionStore;

use super::parts::form::{self, Act};
use super::parts::{Address, Cell, Column, Table, csv_asked, notice, time};
use super::{Layout, PageError, mappings, page};
use crate::app::App;
use crate::people::{Person, Role};
use crate::view::View;

/// The routes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/approvals", get(list))
        .route("/approvals/{connection}/{id}/approve", post(approve))
        .route("/approvals/{connection}/{id}/decline", post(decline))
}

/// Where a person goes who has asked for what takes two.
pub(super) const ASKED: &str = "/approvals?done=asked";

/// The same as an address.
pub(super) fn asked_address() -> Address {
    Address::of(["approvals"]).with("done", "asked")
}

const DONE: [(&str, &str); 3] = [
    (
        "asked",
        "Asked for. It is done when another approver agrees.",
    ),
    ("approved", "Approved, and done."),
    ("declined", "Declined. Nothing was done."),
];

/// How many decided requests of a connection are shown.
const DECIDED: u32 = 50;

#[derive(Deserialize)]
struct Asked {
    done: Option<String>,
    csv: Option<String>,
    /// How many mappings were left out of what was asked for.
    left: Option<u64>,
}

async fn list(
    view: View,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let mut open = table("open", "Waiting for a second person")
        .or_empty("Nothing waits", "Whatever was asked for is decided.");
    let mut decided = table("decided", "Decided").or_empty("Nothing yet", "");
    for connection in view.program.connections() {
        let store = view.store.connection(&connection.name)?;
        for request in approval::open(&store).await? {
            let acts = acts(&person, &connection.name, &request);
            open.row(row(&connection.name, &connection.time_zone, &request, acts));
        }
        for request in approval::decided(&store, DECIDED).await? {
            let outcome = outcome(&request);
            decided.row(row(
                &connection.name,
                &connection.time_zone,
                &request,
                outcome,
            ));
        }
    }
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&open, &decided]) {
        return Ok(csv);
    }
    let here = Address::of(["approvals"]);
    let content = html! {
        (notice::done(asked.done.as_deref(), None, &DONE))
        (mappings::left_out(asked.left))
        (open.show(&here))
        (decided.show(&here))
    };
    let layout = Layout {
        title: "Approvals",
        person: &person,
        place: "/approvals",
    };
    Ok(page(&layout, &content).into_response())
}

fn table(id: &'static str, title: &str) -> Table {
    let columns = [
        Column::text("Connection"),
        Column::text("What"),
        Column::text("It means"),
        Column::text("Asked by, when"),
        Column::text("Reason"),
        Column::text("Decision"),
    ];
    Table::new(id, title, columns)
}

fn row(
    connection: &ConnectionName,
    zone: &TimeZone,
    request: &Request,
    (shown, plain): (Markup, String),
) -> [Cell; 6] {
    let approval = &request.approval;
    [
        Cell::link(&Address::connection(connection), connection.as_str()),
        Cell::text(format!("{} {}", approval.what, approval.subject)),
        Cell::text(&request.proposal.text),
        asked(&approval.asked_by, approval.asked_at, zone),
        Cell::text(&approval.reason),
        Cell::shown(shown, plain),
    ]
}

fn asked(by: &str, at: Timestamp, zone: &TimeZone) -> Cell {
    let shown = html! { (by) ", " (time::moment(at, zone)) };
    Cell::shown(shown, format!("{by}, {}", time::plain(at, zone)))
}

/// What this person can do about it.
fn acts(person: &Person, connection: &ConnectionName, request: &Request) -> (Markup, String) {
    let asker = request.approval.asked_by == person.name;
    let id = request.approval.id.to_string();
    let address = |act| Address::of(["approvals", connection.as_str(), &id, act]);
    let act = |name, word, danger| {
        form::act(
            person,
            &Act {
                name,
                means: "",
                action: address(word),
                fields: form::reason(&format!("{connection}-{id}-{word}"), false),
                danger,
            },
        )
    };
    let approver = person.may(Role::Approver);
    let shown = html! {
        @if approver && !asker { (act("Approve", "approve", false)) }
        @if asker { (act("Take back", "decline", true)) }
        @else if approver { (act("Decline", "decline", true)) }
        @else { span.soft { "an approver decides" } }
    };
    (shown, "open".to_owned())
}

fn outcome(request: &Request) -> (Markup, String) {
    let approval = &request.approval;
    let by = approval.decided_by.as_deref().unwrap_or_default();
    let why = approval.decision_reason.as_deref().unwrap_or_default();
    let said = format!("{} by {by}", approval.status.as_str());
    let plain = if why.is_empty() {
        said
    } else {
        format!("{said}: {why}")
    };
    (html! { (plain) }, plain)
}

#[derive(Deserialize)]
struct Decided {
    #[serde(default)]
    reason: String,
}

async fn approve(
    view: View,
    person: Person,
    Path((connection, id)): Path<(String, u64)>,
    Form(decided): Form<Decided>,
) -> Result<Redirect, PageError> {
    person.must(Role::Approver)?;
    let store = view.connection(&connection).ok_or(PageError::Missing)?;
    let actor = person.actor();
    let by = person.by(&actor);
    let preferences = approval::approvable(&store, id, by).await?.preferences;
    if !preferences.is_empty() {
        view.program
            .change_preferences(store.name(), preferences, &actor)
            .await?;
    }
    approval::approve(&store, id, decided.reason.trim(), by).await?;
    Ok(back("approved"))
}

async fn decline(
    view: View,
    person: Person,
    Path((connection, id)): Path<(String, u64)>,
    Form(decided): Form<Decided>,
) -> Result<Redirect, PageError> {
    let store = view.connection(&connection).ok_or(PageError::Missing)?;
    if !asked_by(&store, id, &person).await? {
        person.must(Role::Approver)?;
    }
    let actor = person.actor();
    approval::decline(&store, id, decided.reason.trim(), person.by(&actor)).await?;
    Ok(back("declined"))
}

async fn asked_by(store: &ConnectionStore, id: u64, person: &Person) -> Result<bool, PageError> {
    let approval = store.approval(id).await?;
    Ok(approval.is_some_and(|approval| approval.asked_by == person.name))
}

fn back(done: &str) -> Redirect {
    let address = Address::of(["approvals"]).with("done", done);
    Redirect::to(&address.to_string())
}
