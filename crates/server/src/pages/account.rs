//! One's own account: the password, where one is signed in, and one's tokens.

use axum::Router;
use axum::extract::{Extension, Form, Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use jiff::SignedDuration;
use maud::{Markup, html};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tieout_domain::code::Code;
use tieout_store::{Attempt, NewToken, Scope, Session};

use super::parts::form::{self, Act};
use super::parts::{Address, Table, csv_asked, facts, notice};
use super::users::{new_password, session_row, session_table};
use super::{Layout, PageError, page, tenants, tokens};
use crate::app::App;
use crate::people::{Person, hash, opens};
use crate::view::View;

/// The routes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/account", get(show))
        .route("/account/password", post(password))
        .route("/account/sessions/{id}/end", post(end))
        .route("/account/tokens", post(make))
        .route("/account/tokens/{name}/revoke", post(revoke))
}

const DONE: [(&str, &str); 3] = [
    (
        "password",
        "The password was changed, and you are signed out everywhere else.",
    ),
    ("ended", "That session has ended."),
    ("revoked", "The token is good for nothing any more."),
];

/// How often one's own password may be wrong before it has to wait.
const FREE: u32 = 5;
/// The longest that a token lasts that lasts not for ever.
const DAYS_MAX: u32 = 3650;

#[derive(Deserialize)]
struct Asked {
    done: Option<String>,
    csv: Option<String>,
}

async fn show(
    view: View,
    person: Person,
    session: Option<Extension<Session>>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let here = Address::of(["account"]);
    let open = open_sessions(&view, &person, session.as_deref()).await?;
    let keys = view.store.own(&person.name).tokens().await?;
    let keys = tokens::table(&keys, false, |token| {
        let revoke = Address::of(["account", "tokens", token, "revoke"]);
        form::button(&person, &revoke, &html! {}, "Revoke")
    });
    if let Some(csv) = csv_asked(asked.csv.as_deref(), &[&open, &keys]) {
        return Ok(csv);
    }
    let content = html! {
        (notice::done(asked.done.as_deref(), None, &DONE))
        (facts([
            ("Name", html! { (person.name) }),
            ("Role", html! { (person.role) }),
            ("Sees", html! { (tenants::of(&person.reach)) }),
        ]))
        div.acts {
            @if view.takes_passwords() { (form::act(&person, &Act {
                name: "Change the password",
                means: "You are signed out everywhere else.",
                action: Address::of(["account", "password"]),
                fields: html! {
                    div.field {
                        label for="current" { "Present password" }
                        input type="password" id="current" name="current" required autocomplete="current-password";
                    }
                    (new_password("password", Some(&person.name)))
                },
                danger: false,
            })) }
            (form::act(&person, &Act {
                name: "Make a token",
                means: "For programs that use the API in your name. It is shown once.",
                action: Address::of(["account", "tokens"]),
                fields: token_fields(&view, &person),
                danger: false,
            }))
        }
        (open.show(&here))
        (keys.show(&here))
    };
    Ok(framed(&person, &content).into_response())
}

fn framed(person: &Person, content: &Markup) -> Markup {
    let layout = Layout {
        title: "Your account",
        person,
        place: "/account",
    };
    page(&layout, content)
}

fn token_fields(view: &View, person: &Person) -> Markup {
    html! {
        (form::text("token-name", "name", "Name, as the history will call it", "", true))
        div.field {
            label for="scope" { "May" }
            select id="scope" name="scope" {
                @for scope in Scope::ALL.into_iter().filter(|scope| person.may(scope.role())) {
                    option value=(scope) { (scope) }
                }
            }
        }
        div.field {
            label for="days" { "Good for so many days" }
            input type="number" id="days" name="days" min="1" max=(DAYS_MAX) value="365" required;
        }
        (tenants::field("token-tenants", &[], &view.tenants()))
    }
}

async fn open_sessions(
    view: &View,
    person: &Person,
    this: Option<&Session>,
) -> Result<Table, PageError> {
    let mut table = session_table("sessions", "Where you are signed in");
    for session in &view.store.own(&person.name).sessions().await? {
        let act = if this.is_some_and(|this| this.id == session.id) {
            html! { span.soft { "this one" } }
        } else {
            let end = Address::of(["account", "sessions", &session.id, "end"]);
            form::button(person, &end, &html! {}, "End")
        };
        table.row(session_row(session, act));
    }
    Ok(table)
}

#[derive(Deserialize)]
struct Password {
    current: SecretString,
    password: SecretString,
}

async fn password(
    view: View,
    person: Person,
    session: Option<Extension<Session>>,
    Form(given): Form<Password>,
) -> Result<Redirect, PageError> {
    let own = view.store.own(&person.name);
    // A browser that was left open must not be a place to guess the password at.
    if let Attempt::Wait(until) = own.attempt(FREE).await? {
        let cause = format!("too often the present password was wrong; try again after {until:.0}");
        return Err(PageError::usage(Code::new("password-wrong"), cause));
    }
    let right = match own.password().await? {
        Some(kept) => opens(&kept, &given.current).await?,
        None => false,
    };
    if !right {
        let cause = "the present password is another one";
        return Err(PageError::usage(Code::new("password-wrong"), cause));
    }
    own.clear_attempts().await?;
    let password = hash(&view.store, &person.name, &given.password).await?;
    let this = session.as_ref().map(|session| session.id.as_str());
    own.set_password(&password, this, &person.actor()).await?;
    Ok(back("password"))
}

async fn end(view: View, person: Person, Path(id): Path<String>) -> Result<Redirect, PageError> {
    if !view.store.own(&person.name).end_session(&id).await? {
        return Err(PageError::Missing);
    }
    Ok(back("ended"))
}

#[derive(Deserialize)]
struct New {
    name: String,
    scope: Scope,
    days: u32,
    #[serde(default)]
    tenants: String,
}

async fn make(view: View, person: Person, Form(new): Form<New>) -> Result<Markup, PageError> {
    person.must(new.scope.role())?;
    let days = i64::from(new.days.clamp(1, DAYS_MAX));
    let new = NewToken {
        name: new.name.trim().to_owned(),
        user: person.name.clone(),
        scope: new.scope,
        expires: Some(view.clock.now() + SignedDuration::from_hours(24 * days)),
        tenants: tenants::named(&new.tenants)?,
    };
    let name = new.name.clone();
    let own = view.store.own(&person.name);
    let token = own.make_token(new, &person.actor()).await?;
    // Shown here and never again, so this page is no redirect.
    let content = html! {
        div.notice.good role="status" {
            p { "This is the token " strong { (name) } ". It is shown only now: keep it where secrets are kept." }
            p { code { (token.expose_secret()) } }
        }
        p { a href="/account" { "Back to your account" } }
    };
    Ok(framed(&person, &content))
}

async fn revoke(
    view: View,
    person: Person,
    Path(name): Path<String>,
) -> Result<Redirect, PageError> {
    let own = view.store.own(&person.name);
    own.revoke_token(&name, &person.actor()).await?;
    Ok(back("revoked"))
}

fn back(done: &str) -> Redirect {
    let address = Address::of(["account"]).with("done", done);
    Redirect::to(&address.to_string())
}
