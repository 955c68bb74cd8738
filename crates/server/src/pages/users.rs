//! Users, for administrators: who may do what, who is signed in, which tokens there are; as CSV, what an access
//! review asks for.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Form, Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tieout_desk::users;
use tieout_domain::Timestamp;
use tieout_store::{ApiToken, NewUser, PASSWORD_MIN, Session, SessionLimits, User, UserEdit};

use super::parts::form::{self, Act};
use super::parts::{Address, Cell, Column, Table, badge, crumbs, csv_asked, facts, notice};
use super::{Layout, PageError, bare_page, page, tenants, tokens};
use crate::app::App;
use crate::people::{Person, Role, hash};
use crate::view::View;

/// The routes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/users", get(list).post(add))
        .route("/users/{name}", get(one).post(change))
        .route("/users/{name}/password", post(password))
        .route("/users/{name}/disable", post(disable))
        .route("/users/{name}/enable", post(enable))
        .route("/users/{name}/sign-out", post(sign_out))
        .route("/users/{name}/remove", post(remove))
        .route("/users/{name}/tokens/{token}/revoke", post(revoke))
}

const DONE: [(&str, &str); 6] = [
    ("added", "The user can sign in now."),
    ("changed", "Changed."),
    (
        "password",
        "The password was set, and the user's sessions have ended.",
    ),
    ("signed-out", "The user's sessions have ended."),
    ("removed", "Removed. What they did stays in the history."),
    ("revoked", "The token is good for nothing any more."),
];

/// What a page of users is asked for.
#[derive(Deserialize)]
pub(super) struct Asked {
    done: Option<String>,
    csv: Option<String>,
}

async fn list(
    view: View,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    person.must(Role::Admin)?;
    let people = view.whole()?.people();
    let (all, sessions, kept) = (
        people.users().await?,
        people.sessions(SessionLimits::default()).await?,
        people.tokens().await?,
    );
    let known = table(&all, &sessions, &kept, view.clock.now());
    let keys = tokens::table(&kept, true, |_| html! {});
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&known, &keys]) {
        return Ok(csv);
    }
    let here = Address::of(["users"]);
    let content = html! {
        (notice::done(asked.done.as_deref(), None, &DONE))
        (known.show(&here))
        (form::act(&person, &Act {
            name: "Add a user",
            means: "They sign in with the name and the password, and can change the password themselves.",
            action: here.clone(),
            fields: new_user(&view),
            danger: false,
        }))
        (keys.show(&here))
    };
    let layout = Layout {
        title: "Users",
        person: &person,
        place: "/users",
    };
    Ok(page(&layout, &content).into_response())
}

fn table(users: &[User], sessions: &[Session], tokens: &[ApiToken], now: Timestamp) -> Table {
    let mut open: BTreeMap<&str, u64> = BTreeMap::new();
    for session in sessions {
        *open.entry(&session.user).or_default() += 1;
    }
    let mut owned: BTreeMap<&str, u64> = BTreeMap::new();
    for token in tokens {
        *owned.entry(&token.user).or_default() += 1;
    }
    // Where nobody is limited, all see everything, and the table has no room to say so of each.
    let limited = users.iter().any(|user| !user.tenants.is_empty());
    let sees = limited.then(|| Column::text("Sees"));
    let columns = [
        Column::text("Name"),
        Column::text("Called"),
        Column::text("Mail"),
        Column::text("Role"),
    ];
    let columns = columns.into_iter().chain(sees).chain([
        Column::text("State"),
        Column::text("Signs in by"),
        Column::text("User since"),
        Column::text("Last signed in"),
        Column::number("Sessions"),
        Column::number("Tokens"),
    ]);
    let mut table = Table::new("users", "Users", columns)
        .note("what each role may do is in the book, under users")
        .or_empty("Nobody", "The first user is made on the command line.");
    for user in users {
        let name = user.name.as_str();
        let sees = limited.then(|| Cell::text(tenants::seen(&user.tenants)));
        let row = [
            Cell::link(&Address::of(["users", name]), name),
            Cell::text(&user.display),
            Cell::text(&user.mail),
            Cell::text(user.role.as_str()),
        ];
        table.row(row.into_iter().chain(sees).chain([
            state(user, now),
            Cell::text(proof(user)),
            moment(Some(user.created)),
            moment(user.signed_in),
            Cell::number(open.get(name).copied().unwrap_or_default()),
            Cell::number(owned.get(name).copied().unwrap_or_default()),
        ]));
    }
    table
}

fn state(user: &User, now: Timestamp) -> Cell {
    let word = users::standing(user, now);
    let tone = match user.is_kept_out(now) {
        false => badge::Tone::Good,
        true => badge::Tone::Quiet,
    };
    Cell::shown(badge::badge(tone, &word), &word)
}

fn proof(user: &User) -> &'static str {
    match (user.has_password, user.subject.is_some()) {
        (true, true) => "password, identity provider",
        (true, false) => "password",
        (false, true) => "identity provider",
        (false, false) => "nothing yet",
    }
}

/// A moment of the installation's: it has no company, so it is told in UTC.
pub(super) fn moment(at: Option<Timestamp>) -> Cell {
    at.map_or_else(|| Cell::text(""), |at| Cell::moment(at, &TimeZone::UTC))
}

fn new_user(view: &View) -> Markup {
    let takes_none = view.program.openid().is_some();
    html! {
        (form::text("new-name", "name", "Name to sign in with", "", true))
        (form::text("new-display", "display", "What people call them", "", false))
        (form::text("new-mail", "mail", "Mail address", "", false))
        (roles("new-role", Role::Viewer))
        (until("new-until", None))
        (tenants::field("new-tenants", &[], &view.tenants()))
        (if takes_none { optional_password("new-password") } else { new_password("new-password", None) })
    }
}

/// The last day, for somebody who is here for a while: support, an auditor.
fn until(id: &str, set: Option<Timestamp>) -> Markup {
    let day = set
        .map(|at| users::last_day(at).to_string())
        .unwrap_or_default();
    html! {
        div.field {
            label for=(id) { "Last day" }
            input type="date" id=(id) name="until" value=(day);
            span.hint { "For support or an auditor: after this day (UTC) they can't sign in. Empty for somebody who stays." }
        }
    }
}

/// When somebody's time is over; nothing for one who stays.
fn end_of(day: &str) -> Result<Option<Timestamp>, PageError> {
    match day.trim() {
        "" => Ok(None),
        day => Ok(Some(users::until(day)?)),
    }
}

/// The field for a password that need not be there: the identity provider may let them in.
fn optional_password(id: &str) -> Markup {
    html! {
        div.field {
            label for=(id) { "Password" }
            input type="password" id=(id) name="password" minlength=(PASSWORD_MIN) autocomplete="new-password";
            span.hint { "Empty for somebody who signs in by the identity provider, which knows them by the mail address." }
        }
    }
}

fn roles(id: &str, chosen: Role) -> Markup {
    html! {
        div.field {
            label for=(id) { "Role" }
            select id=(id) name="role" {
                @for role in Role::ALL {
                    option value=(role) selected[role == chosen] { (role) ": " (means(role)) }
                }
            }
        }
    }
}

fn means(role: Role) -> &'static str {
    match role {
        Role::Viewer => "sees everything, changes nothing",
        Role::Operator => "also retries, links, ignores, syncs, pauses",
        Role::Approver => "also confirms mappings, replays, reviews and signs",
        Role::Admin => "also keeps credentials, preferences, connections and users",
    }
}

/// The field for a new password, and for password managers whose it is, where the form has no field for that.
pub(super) fn new_password(id: &str, of: Option<&str>) -> Markup {
    html! {
        @if let Some(of) = of { input type="text" value=(of) autocomplete="username" readonly hidden; }
        div.field {
            label for=(id) { "New password" }
            input type="password" id=(id) name="password" required minlength=(PASSWORD_MIN) autocomplete="new-password";
            span.hint { "At least " (PASSWORD_MIN) " characters; several words that don't belong together are good." }
        }
    }
}

#[derive(Deserialize)]
struct Added {
    name: String,
    #[serde(default)]
    display: String,
    #[serde(default)]
    mail: String,
    role: Role,
    #[serde(default)]
    until: String,
    #[serde(default)]
    tenants: String,
    password: SecretString,
}

async fn add(view: View, person: Person, Form(added): Form<Added>) -> Result<Redirect, PageError> {
    person.must(Role::Admin)?;
    let name = added.name.trim().to_owned();
    let has_none = added.password.expose_secret().is_empty() && view.program.openid().is_some();
    let password = match has_none {
        true => None,
        false => Some(hash(&view.store, &name, &added.password).await?),
    };
    let display = match added.display.trim() {
        "" => name.clone(),
        display => display.to_owned(),
    };
    let new = NewUser {
        name,
        display,
        mail: added.mail.trim().to_owned(),
        role: added.role,
        subject: None,
        until: end_of(&added.until)?,
        tenants: tenants::named(&added.tenants)?,
    };
    let people = view.whole()?.people();
    people.add(&new, password.as_ref(), &person.actor()).await?;
    Ok(to_list("added"))
}

async fn one(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    person.must(Role::Admin)?;
    let people = view.whole()?.people();
    let user = people.user(&name).await?.ok_or(PageError::Missing)?;
    let sessions = people.sessions(SessionLimits::default()).await?;
    let all = people.tokens().await?;
    let own = |token: &&ApiToken| token.user == user.name;
    let own: Vec<_> = all.iter().filter(own).cloned().collect();
    let address = |act| Address::of(["users", user.name.as_str(), act]);
    let mut open = session_table("sessions", "Sessions");
    for session in sessions.iter().filter(|session| session.user == user.name) {
        open.row(session_row(session, html! {}));
    }
    let keys = tokens::table(&own, false, |token| {
        let revoke = Address::of(["users", &user.name, "tokens", token, "revoke"]);
        form::button(&person, &revoke, &html! {}, "Revoke")
    });
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&open, &keys]) {
        return Ok(csv);
    }
    let here = Address::of(["users", user.name.as_str()]);
    let act = |name, means, action, fields, danger| {
        form::act(
            &person,
            &Act {
                name,
                means,
                action,
                fields,
                danger,
            },
        )
    };
    let content = html! {
        (crumbs(&[(Address::of(["users"]), "Users")]))
        h1 { (user.name) }
        (notice::done(asked.done.as_deref(), None, &DONE))
        (facts([
            ("Called", html! { (user.display) }),
            ("Mail", html! { (user.mail) }),
            ("Role", html! { (user.role) ": " (means(user.role)) }),
            ("Sees", html! { (tenants::seen(&user.tenants)) }),
            ("Signs in by", html! { (proof(&user)) }),
            ("State", html! { (users::standing(&user, view.clock.now())) }),
        ]))
        div.acts {
            (act("Change", "Another role, or other tenants, end the user's sessions.", here.clone(), html! {
                (form::text("display", "display", "What people call them", &user.display, false))
                (form::text("mail", "mail", "Mail address", &user.mail, false))
                (roles("role", user.role))
                (until("until", user.until))
                (tenants::field("tenants", &user.tenants, &view.tenants()))
            }, false))
            (act("Set a password", "Tell it them by another way than mail. Their sessions end.", address("password"), new_password("password", Some(&user.name)), false))
            @if user.disabled {
                (act("Enable", "They can sign in again.", address("enable"), html! {}, false))
            } @else {
                (act("Disable", "They can't sign in, and their sessions and tokens are good for nothing, until they are enabled again.", address("disable"), html! {}, true))
            }
            (act("End all sessions", "They have to sign in again everywhere.", address("sign-out"), html! {}, false))
            (act("Remove", "The user, their sessions and tokens go; what they did stays in the history.", address("remove"), html! {}, true))
        }
        (open.show(&here))
        (keys.show(&here))
    };
    let layout = Layout {
        title: &user.name,
        person: &person,
        place: "/users",
    };
    Ok(bare_page(&layout, &content).into_response())
}

/// A table for sessions.
pub(super) fn session_table(id: &'static str, title: &str) -> Table {
    let columns = [
        Column::text("Browser"),
        Column::text("From"),
        Column::text("Since"),
        Column::text("Last used"),
        Column::act(""),
    ];
    Table::new(id, title, columns).or_empty("Nowhere signed in", "")
}

/// Its row for a session.
pub(super) fn session_row(session: &Session, act: Markup) -> [Cell; 5] {
    [
        Cell::text(&session.agent),
        Cell::text(&session.source),
        moment(Some(session.created)),
        moment(Some(session.seen)),
        Cell::shown(act, ""),
    ]
}

#[derive(Deserialize)]
struct Changed {
    display: String,
    mail: String,
    role: Role,
    #[serde(default)]
    until: String,
    #[serde(default)]
    tenants: String,
}

async fn change(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Form(changed): Form<Changed>,
) -> Result<Redirect, PageError> {
    let edit = UserEdit {
        display: Some(changed.display.trim().to_owned()),
        mail: Some(changed.mail.trim().to_owned()),
        role: Some(changed.role),
        until: Some(end_of(&changed.until)?),
        tenants: Some(tenants::named(&changed.tenants)?),
        ..UserEdit::default()
    };
    edited(&view, &person, &name, &edit).await
}

async fn disable(
    view: View,
    person: Person,
    Path(name): Path<String>,
) -> Result<Redirect, PageError> {
    let edit = UserEdit {
        disabled: Some(true),
        ..UserEdit::default()
    };
    edited(&view, &person, &name, &edit).await
}

async fn enable(
    view: View,
    person: Person,
    Path(name): Path<String>,
) -> Result<Redirect, PageError> {
    let edit = UserEdit {
        disabled: Some(false),
        ..UserEdit::default()
    };
    edited(&view, &person, &name, &edit).await
}

async fn edited(
    view: &View,
    person: &Person,
    name: &str,
    edit: &UserEdit,
) -> Result<Redirect, PageError> {
    person.must(Role::Admin)?;
    let people = view.whole()?.people();
    people.change(name, edit, &person.actor()).await?;
    Ok(to_one(name, "changed"))
}

#[derive(Deserialize)]
struct Password {
    password: SecretString,
}

async fn password(
    view: View,
    person: Person,
    Path(name): Path<String>,
    Form(given): Form<Password>,
) -> Result<Redirect, PageError> {
    person.must(Role::Admin)?;
    let people = view.whole()?.people();
    let password = hash(&view.store, &name, &given.password).await?;
    people
        .set_password(&name, &password, None, &person.actor())
        .await?;
    // Whoever has forgotten it need not wait with the new one.
    people.clear_attempts(&format!("user:{name}")).await?;
    Ok(to_one(&name, "password"))
}

async fn sign_out(
    view: View,
    person: Person,
    Path(name): Path<String>,
) -> Result<Redirect, PageError> {
    person.must(Role::Admin)?;
    view.whole()?
        .people()
        .sign_out(&name, &person.actor())
        .await?;
    Ok(to_one(&name, "signed-out"))
}

async fn remove(
    view: View,
    person: Person,
    Path(name): Path<String>,
) -> Result<Redirect, PageError> {
    person.must(Role::Admin)?;
    view.whole()?
        .people()
        .remove(&name, &person.actor())
        .await?;
    Ok(to_list("removed"))
}

async fn revoke(
    view: View,
    person: Person,
    Path((name, token)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    person.must(Role::Admin)?;
    let people = view.whole()?.people();
    people.revoke_token(&token, &person.actor()).await?;
    Ok(to_one(&name, "revoked"))
}

fn to_list(done: &str) -> Redirect {
    let address = Address::of(["users"]).with("done", done);
    Redirect::to(&address.to_string())
}

fn to_one(name: &str, done: &str) -> Redirect {
    let address = Address::of(["users", name]).with("done", done);
    Redirect::to(&address.to_string())
}
