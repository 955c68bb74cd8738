//! A renewal: step by step in the one safe order, each verified before the next. Any step may be the last for today:
//! whoever opens the page again goes on from there.

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::header;
use maud::{Markup, html};
use tieout_desk::DeskError;
use tieout_domain::code::Code;

use super::super::fields::Fields;
use super::super::parts::badge::{Tone, badge};
use super::super::parts::form::{self, Act};
use super::super::parts::{self, Address, Cell, Column, Table, notice, time};
use super::super::plan;
use super::super::{Layout, PageError, page_under};
use super::{entry, guide};
use crate::app::App;
use crate::people::{Person, Role};
use crate::program::{
    Differs, RenewalAsks, RenewalReached, RenewalSent, RenewalStanding, RenewalState, RenewalStep,
    Renews,
};
use crate::view::View;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/credentials/renewals/{name}", get(show).post(begin))
        .route("/credentials/renewals/{name}/step", post(step))
        .route("/credentials/renewals/{name}/abandon", post(abandon))
        .route("/credentials/renewals/{name}/certificate", get(certificate))
}

/// The renewal of a credential.
pub(super) fn address(name: &str) -> Address {
    Address::of(["credentials", "renewals", name])
}

fn renews(view: &View) -> Result<&dyn Renews, PageError> {
    view.program.renews().ok_or(PageError::Missing)
}

async fn show(view: View, person: Person, Path(name): Path<String>) -> Result<Markup, PageError> {
    person.must(Role::Admin)?;
    match renews(&view)?.renewal(&name).await? {
        Some(renewal) => Ok(under_way(&view, &person, &name, &renewal, None)),
        None => beginning(&view, &person, &name).await,
    }
}

/// Nothing is under way: what a renewal is, and to which kinds there is a way.
async fn beginning(view: &View, person: &Person, name: &str) -> Result<Markup, PageError> {
    let credentials = view.program.credentials().await?;
    let known = credentials.iter().find(|one| one.row.name == name);
    let known = known.ok_or(PageError::Missing)?;
    let ways = renews(view)?.ways(&known.row.kind);
    let used: Vec<_> = known.used_by.iter().map(ToString::to_string).collect();
    let content = html! {
        @if ways.is_empty() {
            (notice::empty("There is no guided way from this kind.", " Enter a new value in its place."))
        } @else {
            p { "Remote writes of " strong { (used.join(", ")) } " are paused until the renewal ends. Links and history stay. Each step is verified before the next, and any may be the last for today." }
            (notice::notice(Tone::Wait, &html! { p { "Other integrations that use the same key or token break with it: make new ones over there, and never reset old ones." } }))
            form method="post" action=(address(name)) {
                (form::token(person))
                div.field {
                    label for="to" { "To which kind of credential" }
                    select id="to" name="to" {
                        @for kind in &ways { option value=(kind) selected[*kind == known.row.kind] { (kind) } }
                    }
                }
                (form::check("moving-over", "yes", "BILL's own sync is uninstalled for good on the way", false))
                button.main type="submit" { "Begin the renewal" }
            }
        }
    };
    let title = format!("Renew {name}");
    let layout = Layout {
        title: &title,
        person,
        place: "/credentials",
    };
    Ok(page_under(&crumbs(), &layout, &content))
}

fn crumbs() -> Markup {
    parts::crumbs(&[(Address::of(["credentials"]), "Credentials")])
}

/// The steps, with what the last one came to.
fn under_way(
    view: &View,
    person: &Person,
    name: &str,
    renewal: &RenewalStanding,
    reached: Option<&RenewalReached>,
) -> Markup {
    let connections: Vec<_> = renewal
        .connections
        .iter()
        .map(ToString::to_string)
        .collect();
    let content = html! {
        p { "From " code { (renewal.from) } " to " code { (renewal.to) } ", for " (connections.join(", ")) ". Their remote writes are paused." }
        ol.steps {
            @for one in &renewal.steps {
                li.done[matches!(one.state, RenewalState::Done { .. })] {
                    strong { (one.guide.title) } " "
                    @match &one.state {
                        RenewalState::Done { at, by, evidence } => {
                            (badge(Tone::Good, "done"))
                            p.soft { (evidence) ". " (time::moment(*at, &jiff::tz::TimeZone::UTC)) ", " (by) }
                        },
                        RenewalState::Next => {
                            (badge(Tone::Wait, "next"))
                            (guide::what(&one.guide))
                            (next(view, person, name, renewal, one, reached))
                        },
                        RenewalState::Later => {},
                    }
                }
            }
        }
        (form::act(person, &Act {
            name: "Give it up",
            means: "The credential in use stays, and writes go on. What was done over there stays done.",
            action: Address::of(["credentials", "renewals", name, "abandon"]),
            fields: html! {},
            danger: true,
        }))
    };
    let title = format!("Renew {name}");
    let layout = Layout {
        title: &title,
        person,
        place: "/credentials",
    };
    page_under(&crumbs(), &layout, &content)
}

/// The form of the step that comes next.
fn next(
    view: &View,
    person: &Person,
    name: &str,
    renewal: &RenewalStanding,
    step: &RenewalStep,
    reached: Option<&RenewalReached>,
) -> Markup {
    let action = Address::of(["credentials", "renewals", name, "step"]);
    let looked = reached.is_some_and(|reached| match step.asks {
        RenewalAsks::Preferences => !reached.differs.is_empty(),
        RenewalAsks::Plan => !reached.plans.is_empty(),
        _ => false,
    });
    let button = match (step.asks, looked) {
        (RenewalAsks::Word, _) => "This is done",
        (RenewalAsks::Fields, _) => "Seal and prove it",
        (RenewalAsks::Preferences, true) => "Put ours back; the others may differ",
        (RenewalAsks::Plan, true) => "Sync now",
        (RenewalAsks::Preferences, false) => "See what differs",
        (RenewalAsks::Plan, false) => "See what a sync would do",
        (RenewalAsks::Nothing, _) => "Go on",
    };
    html! {
        @if let (RenewalAsks::Fields, Some(text)) = (step.asks, &renewal.certificate) {
            (pem(text, &Address::of(["credentials", "renewals", name, "certificate"])))
        }
        @if let Some(reached) = reached.filter(|_| looked) { (seen(view, reached)) }
        form method="post" action=(action) autocomplete="off" {
            (form::token(person))
            input type="hidden" name="step" value=(step.id);
            @if looked { input type="hidden" name="yes" value="yes"; }
            @if step.asks == RenewalAsks::Fields { @for field in &step.yields { (entry::input("field", field)) } }
            button.main type="submit" { (button) }
        }
    }
}

/// A certificate to upload: to copy, or as a file.
pub(in crate::pages) fn pem(text: &str, file: &Address) -> Markup {
    html! {
        div.field {
            label for="certificate" { "The certificate to upload" }
            textarea id="certificate" rows="6" readonly spellcheck="false" { (text) }
            span.hint { a href=(file) { "Download it as a file" } ". The private key is sealed, and in no file." }
        }
    }
}

/// A certificate as a file.
pub(in crate::pages) fn pem_file(name: &str, text: String) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            "application/x-pem-file; charset=utf-8".to_owned(),
        ),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.pem\""),
        ),
    ];
    (headers, text).into_response()
}

/// What a person looks at before they say yes.
fn seen(view: &View, reached: &RenewalReached) -> Markup {
    html! {
        @if !reached.differs.is_empty() { (differs(&reached.differs).show(&Address::of(["credentials"]))) }
        @for plan in &reached.plans {
            @if let Some(connection) = view.known(&plan.connection) {
                h3 { (plan.connection) }
                (plan::shown(&connection, plan))
            }
        }
    }
}

fn differs(all: &[Differs]) -> Table {
    let columns = ["Connection", "Whose", "Preference", "Noted", "Now"].map(Column::text);
    let mut table = Table::new("differs", "Not as it was", columns);
    for one in all {
        let whose = if one.ours {
            "tieout's"
        } else {
            "the other sync's"
        };
        table.row([
            Cell::text(one.connection.as_str()),
            Cell::text(whose),
            Cell::text(one.name.as_str()),
            Cell::text(one.before.as_str()),
            Cell::text(one.now.as_str()),
        ]);
    }
    table
}

async fn begin(
    view: View,
    person: Person,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Redirect, PageError> {
    person.must(Role::Admin)?;
    let moving_over = fields.get("moving-over") == "yes";
    renews(&view)?
        .begin(&name, fields.get("to"), moving_over, &person.actor())
        .await?;
    Ok(Redirect::to(&address(&name).to_string()))
}

async fn step(
    view: View,
    person: Person,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    person.must(Role::Admin)?;
    let renews = renews(&view)?;
    let here = address(&name).to_string();
    let renewal = renews.renewal(&name).await?.ok_or_else(|| missing(&name))?;
    let next = renewal
        .steps
        .iter()
        .find(|step| step.state == RenewalState::Next);
    let Some(next) = next.filter(|step| step.id == fields.get("step")) else {
        // The page was an old one: here is how it stands now.
        return Ok(Redirect::to(&here).into_response());
    };
    let sent = RenewalSent {
        step: next.id.to_owned(),
        fields: entry::sent(&next.yields, &fields),
        yes: fields.get("yes") == "yes",
    };
    let reached = renews.go_on(&name, sent, &person.actor()).await?;
    let Some(renewal) = renews.renewal(&name).await? else {
        let back = Address::of(["credentials"]).with("done", "renewed");
        return Ok(Redirect::to(&back.to_string()).into_response());
    };
    if reached.differs.is_empty() && reached.plans.is_empty() {
        return Ok(Redirect::to(&here).into_response());
    }
    Ok(under_way(&view, &person, &name, &renewal, Some(&reached)).into_response())
}

fn missing(name: &str) -> DeskError {
    let cause = format!("no renewal of `{name}` is under way; somebody may have ended it");
    DeskError::usage(Code::new("usage"), cause)
}

async fn abandon(
    view: View,
    person: Person,
    Path(name): Path<String>,
    _: Fields,
) -> Result<Redirect, PageError> {
    person.must(Role::Admin)?;
    renews(&view)?.abandon(&name, &person.actor()).await?;
    let back = Address::of(["credentials"]).with("done", "given-up");
    Ok(Redirect::to(&back.to_string()))
}

async fn certificate(
    view: View,
    person: Person,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    person.must(Role::Admin)?;
    let renewal = renews(&view)?.renewal(&name).await?;
    let text = renewal.and_then(|renewal| renewal.certificate);
    Ok(pem_file("certificate", text.ok_or(PageError::Missing)?))
}
