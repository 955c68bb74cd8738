//! A connection: how it is, its recent syncs with what went wrong and the remedy, and what may be done.

use axum::Form;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use tieout_desk::exceptions::{self, Cause};
use tieout_desk::first_sync::words;
use tieout_desk::health::{Health, health};
use tieout_desk::{pause, payable, run, story};
use tieout_domain::ConnectionName;
use tieout_domain::code::Code;
use tieout_engine::Extent;
use tieout_store::ConnectionStore;

use super::parts::badge::Tone;
use super::parts::form::{self, Act};
use super::parts::{Address, Cell, Column, Table, badge, crumbs, csv_asked, facts, notice, time};
use super::{
    Layout, PageError, accounts, allowed, bare_page, connect, days, imports, named, overview, plan,
    preferences, runs, standing,
};
use crate::people::{Person, Role};
use crate::program::{ConnectionInfo, SyncAsked};
use crate::view::View;

/// The flow of a pair that pays bills.
const BILLS: &str = "bills";

/// How many runs are recent.
const RECENT: usize = 20;

/// How many of a run's newest entries are shown while it is on.
const LIVE: u32 = 8;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    done: Option<String>,
    csv: Option<String>,
}

/// The words of what was done.
const DONE: [(&str, &str); 3] = [
    (
        "sync",
        "A sync was asked for. It shows below as soon as it is on.",
    ),
    ("paused", "Remote writes of this connection are paused."),
    ("resumed", "Remote writes of this connection go on."),
];

/// The page.
pub(super) async fn show(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (info, store) = named(&view, &name)?;
    let here = Address::connection(&info.name);
    let health = health(&store).await?;
    let causes = exceptions::causes(&store, false).await?;
    let recent = recent(&info, &store, &health).await?;
    let waiting = waiting(&causes);
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&recent, &waiting]) {
        return Ok(csv);
    }
    let now = view.clock.now();
    let charts = days::of_connection(&store, &info, now).await?;
    let payable = Address::of(["connections", &name, "payable"]);
    let watched = info.running || health.running || asked.done.as_deref() == Some("sync");
    let is_new = view.is_new(&health.stops);
    let content = html! {
        (crumbs(&[(Address::of([]), "Overview")]))
        (notice::done(asked.done.as_deref(), None, &DONE))
        // While a sync is on, or was just asked for, this part brings itself up to date.
        div #live data-refresh=[watched.then_some("2")] {
            div.lead { h1 { (info.name) } (standing::mark(&info, &health)) }
            @for stop in &health.stops { (notice::notice(Tone::Bad, &html! { p { (overview::sentence(&stop.to_string())) } (notice::remedy(&stop.code())) })) }
            @if is_new && person.may(Role::Admin) && view.program.connects().is_some() {
                (notice::notice(Tone::Wait, &html! { p { "It has not gone live yet. " a href=(connect::address(&info.name)) { "See what is left, and let it go live" } } }))
            }
            div.sides {
                div {
                    section.panel { h2 { "Now" } (standing::counts(&health)) (facts(state(&info, &health, now))) }
                    @if let Some(accounts) = accounts::panel(&view, &info).await? { section.panel { h2 { "Accounts" } (accounts) } }
                }
                div {
                    (progress(&info, &store, &health).await?)
                    section.panel { h2 { "Last success" } (facts(successes(&info, &health, now))) }
                }
            }
        }
        (first_sync(&person, &info, &causes))
        (acts(&person, &info, &health, is_new))
        @if info.enabled && person.may(Role::Operator) { p { a href=(plan::address(&info)) { "What a sync would do" } ", record by record: reads both sides, writes nothing" } }
        @if info.flows.iter().any(|flow| flow == BILLS) { p { a href=(payable) { "Open bills that can't be paid yet" } ", by what their vendors lack" } }
        (imports::panel(&person, &info, &store).await?)
        (waiting.show(&here))
        (recent.show(&here))
        div.sides { @for chart in charts { (chart) } }
    };
    let layout = Layout {
        title: &name,
        person: &person,
        place: "/",
    };
    Ok(bare_page(&layout, &content).into_response())
}

/// What began on the platform waits for a yes: how much it is, and the yes.
fn first_sync(person: &Person, info: &ConnectionInfo, causes: &[Cause]) -> Markup {
    let waits = |cause: &&Cause| cause.code.as_ref().map(Code::as_str) == Some("first-sync");
    let Some(cause) = causes.iter().find(waits) else {
        return html! {};
    };
    let extents = cause.groups.iter().map(|group| Extent {
        flow: group.flow.clone(),
        count: group.count,
        amounts: group.amounts.clone(),
    });
    let extents: Vec<Extent> = extents.collect();
    notice::notice(
        Tone::Wait,
        &html! {
            p { "The first sync to " (info.ledger) " waits for a yes: " (words(&extents)) " began on " (info.platform) "." }
            @if person.may(Role::Admin) {
                (form::button(person, &preferences::address(info), &preferences::yes(), "Take all of it"))
            } @else { p { "An admin says yes to it." } }
        },
    )
}

fn state<'a>(
    info: &'a ConnectionInfo,
    health: &Health,
    now: tieout_domain::Timestamp,
) -> Vec<(&'a str, Markup)> {
    let mut told = vec![
        ("Between", html! { (info.ledger) " and " (info.platform) }),
        ("Waiting", standing::stuck(info, health)),
        ("Next sync", overview::next(info, now)),
    ];
    if let Some(initial) = &health.initial {
        told.push(("Initial sync", standing::initial(initial)));
    }
    if let Some(schedule) = &info.schedule {
        told.push(("Schedule", html! { (schedule) }));
    }
    let name = info.time_zone.iana_name().unwrap_or("UTC").to_owned();
    told.push(("Time zone", html! { (name) }));
    if let Some(signed) = &health.signed {
        told.push(("Tie-out", standing::signed(signed)));
    }
    told
}

/// When each flow was last gone through to its end.
fn successes<'a>(
    info: &'a ConnectionInfo,
    health: &Health,
    now: tieout_domain::Timestamp,
) -> Vec<(&'a str, Markup)> {
    let flows = info.flows.iter().map(|flow| {
        let last = match health.last_successes.get(flow) {
            Some(at) => html! { (time::ago(*at, now)) ", " (time::moment(*at, &info.time_zone)) },
            None => html! { span.soft { "not yet" } },
        };
        (flow.as_str(), last)
    });
    flows.collect()
}

/// What a run that is on is at.
async fn progress(
    info: &ConnectionInfo,
    store: &ConnectionStore,
    health: &Health,
) -> Result<Markup, PageError> {
    let first = health.runs.first();
    let on = first.filter(|run| health.running && run.ended.is_none());
    let Some(current) = on else {
        let about = info.running || health.running;
        return Ok(html! {
            section.panel {
                h2 { "Progress" }
                p.soft { @if about { "A sync is starting or ending." } @else { "No sync is on." } }
            }
        });
    };
    let mut due = Vec::new();
    for flow in &current.flows {
        due.push((flow, store.due_count(flow).await?));
    }
    let newest = run::newest(store, &current.id, LIVE).await?;
    let address = Address::of(["runs", current.id.as_str()]);
    Ok(html! {
        section.panel {
            div.head { h2 { "Progress" } (badge::run("running")) }
            p { a href=(address) { "Set off by " (current.trigger) } ", since " (time::precise(current.started, &info.time_zone)) }
            @if due.iter().any(|(_, count)| *count > 0) {
                p { "Still to look at:" }
                ul.counts { @for (flow, count) in due.iter().filter(|(_, count)| *count > 0) { li { (flow) " " span.number { (count) } } } }
            }
            ol.timeline { @for entry in &newest { li { (story::words(entry)) } } }
        }
    })
}

fn acts(person: &Person, info: &ConnectionInfo, health: &Health, is_new: bool) -> Markup {
    if !info.enabled || !person.may(Role::Operator) {
        return html! {};
    }
    let action = Address::of(["connections", info.name.as_str(), "sync"]);
    let chosen = Act {
        name: "Sync chosen flows",
        means: "One run, now, of these flows and what they depend on.",
        action: action.clone(),
        fields: html! {
            fieldset {
                legend { "Flows" }
                @for flow in &info.flows { (form::check("flow", flow, flow, false)) }
            }
            (form::check("whole", "yes", "Read everything again, and not only what has changed", false))
        },
        danger: false,
    };
    let few = Act {
        name: "Sync chosen records first",
        means: "A first few, before all others: these records and what they depend on, and nothing else.",
        action,
        fields: html! {
            div.field {
                label for="only" { "Records, one a line" }
                textarea id="only" name="only" required placeholder="INV-1001" {}
                span.hint { "By number, name or id, of either side. Five are a good beginning." }
            }
        },
        danger: false,
    };
    html! {
        div.acts {
            (standing::acts(person, info, health, is_new))
            (form::act(person, &chosen))
            (form::act(person, &few))
        }
    }
}

/// The recent syncs, each with what went wrong and what to do about it.
async fn recent(
    info: &ConnectionInfo,
    store: &ConnectionStore,
    health: &Health,
) -> Result<Table, PageError> {
    let mut table = runs::table("recent", "Recent syncs", false).or_empty(
        "No sync yet",
        "Ask for one above, or wait for the schedule.",
    );
    for row in health.runs.iter().take(RECENT) {
        let codes = if row.cause.is_empty() {
            Vec::new()
        } else {
            run::codes(store, &row.id).await?
        };
        table.row(runs::row(info, row, &codes, false));
    }
    Ok(table)
}

/// What waits for a person, by cause.
fn waiting(causes: &[Cause]) -> Table {
    let columns = [
        Column::text("Cause"),
        Column::number("Records"),
        Column::number("At stake"),
        Column::text("For example"),
        Column::text("What to do"),
        Column::text("Who"),
    ];
    let mut table = Table::new("waiting", "Waiting for a person", columns).or_empty(
        "Nothing waits for a person",
        "Every record is in agreement, out of scope by a rule, or resolves by itself.",
    );
    for cause in causes {
        let page = cause.code.as_ref().and_then(Code::page);
        let title = page.map_or("", |page| page.title());
        let fix = page.map(|page| page.fix()).unwrap_or_default();
        let first = cause.first();
        let labels = first
            .map(|group| group.labels.join(", "))
            .unwrap_or_default();
        let code = cause
            .code
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        table.row([
            Cell::shown(
                html! { (badge::state(cause.state)) " " (title) @if title.is_empty() { (code) } },
                format!("{} {code}: {title}", cause.state),
            ),
            Cell::number(cause.count()),
            Cell::sums(&cause.amounts()),
            Cell::text(labels),
            Cell::shown(notice::prose(&fix), fix.as_str()),
            Cell::text(page.map_or("", |page| page.who())),
        ]);
    }
    table
}

/// Open bills that can't be paid yet.
pub(super) async fn unpayable(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let (info, store) = named(&view, &name)?;
    let here = Address::of(["connections", &name, "payable"]);
    let columns = [
        Column::text("Vendor"),
        Column::text("Lacks"),
        Column::number("Open bills"),
        Column::number("Waiting for approval"),
        Column::number("At stake"),
        Column::text("First due"),
    ];
    let why = format!(
        "Every vendor with an open bill has a bank account in {0} or a whole address for a check.",
        info.platform
    );
    let mut table = Table::new("unpayable", "Vendors with open bills", columns)
        .or_empty("Every open bill can be paid", why);
    for one in payable::unpayable(&store).await? {
        table.row([
            Cell::link(&Address::record(&info.name, &one.vendor), one.name),
            Cell::text(one.lacks.join(", ")),
            Cell::number(one.bills),
            Cell::number(one.unapproved),
            Cell::sums(&one.open),
            Cell::text(one.first_due.map(|day| day.to_string()).unwrap_or_default()),
        ]);
    }
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&table]) {
        return Ok(csv);
    }
    let content = html! {
        (crumbs(&[(Address::of([]), "Overview"), (Address::connection(&info.name), &name)]))
        h1 { "Bills that can't be paid yet" }
        p { "These vendors have open bills in " (info.platform) ", and neither a bank account on file there nor an address that a check could be sent to. Complete the address in " (info.ledger) ", or ask the vendor to connect its account." }
        (table.show(&here))
    };
    let layout = Layout {
        title: "Bills that can't be paid yet",
        person: &person,
        place: "/",
    };
    Ok(bare_page(&layout, &content).into_response())
}

/// The fields of a form, in their order; a name may come more than once.
type Fields = Form<Vec<(String, String)>>;

fn value<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    let found = fields.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, value)| value.trim())
}

/// Asks for a run.
pub(super) async fn sync(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Form(fields): Fields,
) -> Result<Redirect, PageError> {
    let (info, _) = allowed(&view, &person, &name, Role::Operator)?;
    let all = |wanted: &str| {
        let found = fields.iter().filter(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
    };
    let asked = SyncAsked {
        flows: all("flow").into_iter().map(str::to_owned).collect(),
        only: all("only")
            .into_iter()
            .flat_map(str::lines)
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect(),
        whole: value(&fields, "whole") == "yes",
        by: person.actor(),
    };
    view.program.sync(&info.name, asked).await?;
    Ok(back(&info.name, "sync"))
}

/// Pauses the connection.
pub(super) async fn stop(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Form(fields): Fields,
) -> Result<Redirect, PageError> {
    let (info, store) = allowed(&view, &person, &name, Role::Operator)?;
    pause::pause(&store, value(&fields, "reason"), &person.actor()).await?;
    let by = person.actor();
    view.program.stays_paused(&info.name, &by).await?;
    Ok(back(&info.name, "paused"))
}

/// Lets the connection go on.
pub(super) async fn go_on(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Form(fields): Fields,
) -> Result<Redirect, PageError> {
    let (info, store) = allowed(&view, &person, &name, Role::Operator)?;
    person.must(view.role_to_go_on(&store).await?)?;
    let reason = reason(&fields)?;
    view.may_go_on(Some(&info.name)).await?;
    pause::resume(&store, reason, &person.actor()).await?;
    Ok(back(&info.name, "resumed"))
}

/// Pauses all connections by one switch.
pub(super) async fn stop_all(
    view: View,
    person: Person,
    Form(fields): Fields,
) -> Result<Redirect, PageError> {
    person.must(Role::Operator)?;
    let store = view.whole()?.installation();
    pause::pause_all(&store, value(&fields, "reason"), &person.actor()).await?;
    Ok(Redirect::to("/?done=paused"))
}

/// Puts that switch back.
pub(super) async fn go_on_all(
    view: View,
    person: Person,
    Form(fields): Fields,
) -> Result<Redirect, PageError> {
    person.must(Role::Operator)?;
    let store = view.whole()?.installation();
    let reason = reason(&fields)?;
    view.may_go_on(None).await?;
    pause::resume_all(&store, reason, &person.actor()).await?;
    Ok(Redirect::to("/?done=resumed"))
}

/// To go on wants a reason; to stop must not be held up by one.
fn reason(fields: &[(String, String)]) -> Result<&str, PageError> {
    match value(fields, "reason") {
        "" => Err(PageError::usage(
            Code::new("usage"),
            "a reason is missing: why may remote writes go on?",
        )),
        reason => Ok(reason),
    }
}

fn back(name: &ConnectionName, done: &str) -> Redirect {
    Redirect::to(&Address::connection(name).with("done", done).to_string())
}
