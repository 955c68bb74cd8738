//! Signing in and out.
//!
//! Whether a user exists is never told: an unknown one takes the same work, the same answers, and the same
//! waits after failures.

use axum::extract::{DefaultBodyLimit, Extension, Form, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, http::HeaderMap};
use http::{StatusCode, header};
use maud::{Markup, html};
use secrecy::SecretString;
use serde::Deserialize;
use tieout_desk::within::Within;
use tieout_domain::Timestamp;
use tieout_domain::code::Code;
use tieout_store::{Attempt, PasswordHash, Session, SessionLimits, StoreError, User};
use tokio::sync::Semaphore;

use super::source::Source;
use super::{cookie, origin};
use crate::app::App;
use crate::pages::parts::{Address, badge::Tone, notice};
use crate::pages::{PageError, plain_page};

/// How often a user's sign-in may fail before it has to wait.
const FREE_BY_USER: u32 = 5;
/// The same for a source, from which many people may come.
pub(super) const FREE_BY_SOURCE: u32 = 20;
/// The most that the form holds.
const FORM_MAX: usize = 16 * 1024;
/// The longest name that is looked for.
const NAME_MAX: usize = 64;

/// What is told to somebody whose name and password are not those of a user.
const WRONG: &str = "That name and password don't belong together.";

/// How many passwords are hashed at once: each takes 19 MiB, and a processor.
static HASHING: Semaphore = Semaphore::const_new(2);

/// What is open to all.
pub(super) fn open_routes() -> Router<App> {
    Router::new()
        .route("/sign-in", get(ask).post(sign_in))
        .layer(DefaultBodyLimit::max(FORM_MAX))
}

/// What is for people who have signed in.
pub(super) fn closed_routes() -> Router<App> {
    Router::new().route("/sign-out", post(sign_out))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct Given {
    name: String,
    password: SecretString,
    #[serde(default)]
    next: String,
}

async fn ask(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Markup, PageError> {
    let nobody = app.store.people().users().await?.is_empty();
    Ok(form(&app, &asked.next, None, nobody))
}

async fn sign_in(
    State(app): State<App>,
    source: Source,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Result<Response, PageError> {
    if !origin::is_ours(&headers, &app.outside) {
        app.counts.sign_in_refused(&Code::new("form-refused"));
        let wrong = "This form was sent from another site. Sign in here.";
        return Ok(answer(&app, StatusCode::FORBIDDEN, &given.next, wrong));
    }
    if !app.takes_passwords() {
        let code = Code::new("passwords-off");
        app.counts.sign_in_refused(&code);
        return Ok(answer(
            &app,
            StatusCode::FORBIDDEN,
            &given.next,
            &code.fix(),
        ));
    }
    let name: String = given.name.trim().chars().take(NAME_MAX).collect();
    let name = name.to_ascii_lowercase();
    let user = match check(&app, &name, &given.password, source).await? {
        Proof::Right(user) => user,
        Proof::Wrong => {
            app.counts.sign_in_refused(&Code::new("password-wrong"));
            tracing::warn!(user = ?name, %source, "a sign-in was refused");
            return Ok(answer(&app, StatusCode::UNAUTHORIZED, &given.next, WRONG));
        }
        Proof::Wait(until) => {
            app.counts.sign_in_refused(&Code::new("sign-in-barred"));
            tracing::warn!(user = ?name, %source, "a sign-in has to wait");
            return Ok(wait(&app, until, &given.next));
        }
    };
    match open(&app, &user.name, source, &headers, &given.next).await? {
        Some(response) => Ok(response),
        // Disabled or removed since the password was looked at.
        None => Ok(answer(&app, StatusCode::UNAUTHORIZED, &given.next, WRONG)),
    }
}

/// Opens a session for somebody who has proven who they are, and goes on; `None` for one who is no user any more.
pub(super) async fn open(
    app: &App,
    user: &str,
    source: Source,
    headers: &HeaderMap,
    next: &str,
) -> Result<Option<Response>, StoreError> {
    let people = app.store.people();
    let limits = SessionLimits::default();
    // The session that the browser had is not taken over, so nobody can have prepared it.
    if let Some(before) = cookie::SESSION.read(headers, &app.outside)
        && let Some((session, _)) = people.session(&before, limits).await?
    {
        people.end_session(&session.id).await?;
    }
    let agent = headers.get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or("");
    let opened = people
        .open_session(user, limits, &source.to_string(), agent)
        .await;
    let secret = match opened {
        Ok(secret) => secret,
        Err(StoreError::UserMissing { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut response = Redirect::to(local(next)).into_response();
    if let Some(given) = cookie::SESSION.give(&secret, &app.outside, None) {
        response.headers_mut().append(header::SET_COOKIE, given);
    }
    Ok(Some(response))
}

async fn sign_out(
    State(app): State<App>,
    session: Option<Extension<Session>>,
) -> Result<Response, PageError> {
    if let Some(Extension(session)) = session {
        app.store.people().end_session(&session.id).await?;
    }
    let mut response = Redirect::to("/sign-in").into_response();
    if let Some(taken) = cookie::SESSION.take(&app.outside) {
        response.headers_mut().insert(header::SET_COOKIE, taken);
    }
    Ok(response)
}

/// What became of a password.
enum Proof {
    Right(User),
    Wrong,
    Wait(Timestamp),
}

async fn check(
    app: &App,
    name: &str,
    password: &SecretString,
    source: Source,
) -> Result<Proof, PageError> {
    let people = app.store.people();
    let (by_user, by_source) = (format!("user:{name}"), source.counted_as());
    for (counted, free) in [(&by_source, FREE_BY_SOURCE), (&by_user, FREE_BY_USER)] {
        if let Attempt::Wait(until) = people.attempt(counted, free).await? {
            return Ok(Proof::Wait(until));
        }
    }
    let kept = people.password(name).await?;
    let known = kept.is_some();
    let kept = kept.unwrap_or_else(PasswordHash::nobody);
    if !opens(&kept, password).await? || !known {
        return Ok(Proof::Wrong);
    }
    let Some(user) = people.user(name).await? else {
        return Ok(Proof::Wrong);
    };
    people.clear_attempts(&by_user).await?;
    people.forgive_attempt(&by_source).await?;
    if kept.is_outdated()
        && let Ok(anew) = hash(&Within::all(app.store.clone()), name, password).await
    {
        people.rehash(name, &kept, &anew).await?;
    }
    Ok(Proof::Right(user))
}

/// Whether the password opens what is kept, computed where nobody else waits for it.
pub(crate) async fn opens(kept: &PasswordHash, password: &SecretString) -> Result<bool, PageError> {
    let (kept, password) = (kept.clone(), password.clone());
    computed(move || kept.opens(&password)).await
}

/// The hash of a new password, computed where nobody else waits for it.
pub(crate) async fn hash(
    store: &Within,
    user: &str,
    password: &SecretString,
) -> Result<PasswordHash, PageError> {
    let (store, user, password) = (store.clone(), user.to_owned(), password.clone());
    Ok(computed(move || store.hash_password(&user, &password)).await??)
}

async fn computed<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PageError> {
    let failed = || {
        let cause = "the program is ending".to_owned();
        PageError::from(StoreError::Busy { cause })
    };
    let _turn = HASHING.acquire().await.map_err(|_| failed())?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| failed())
}

fn wait(app: &App, until: Timestamp, next: &str) -> Response {
    let seconds = until.duration_since(app.clock.now()).as_secs().max(0) + 1;
    let wrong = format!("Too many sign-ins have failed. Try again in {seconds} seconds.");
    let mut response = answer(app, StatusCode::TOO_MANY_REQUESTS, next, &wrong);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, seconds.into());
    response
}

fn answer(app: &App, status: StatusCode, next: &str, wrong: &str) -> Response {
    (status, form(app, next, Some(wrong), false)).into_response()
}

fn form(app: &App, next: &str, wrong: Option<&str>, nobody: bool) -> Markup {
    let openid = app.program.openid();
    let passwords = openid.as_ref().is_none_or(|openid| openid.passwords);
    let content = html! {
        @if let Some(wrong) = wrong {
            div.notice.bad role="alert" { p { (wrong) } }
        }
        @if nobody {
            (notice::notice(Tone::Wait, &html! {
                p { "Nobody is a user yet. On the machine where tieout runs: " code { "tieout users add NAME --role admin" } }
            }))
        }
        @if let Some(openid) = &openid {
            p { a.button.main href=(Address::of(["sign-in", "openid"]).with("next", local(next))) { (openid.label) } }
        }
        @if passwords { (password_form(next, openid.is_none())) }
    };
    plain_page("Sign in", &content)
}

fn password_form(next: &str, only: bool) -> Markup {
    html! {
        form method="post" action="/sign-in" {
            input type="hidden" name="next" value=(local(next));
            div.field {
                label for="name" { "Name" }
                input type="text" id="name" name="name" required autocomplete="username" autocapitalize="none" spellcheck="false" autofocus[only];
            }
            div.field {
                label for="password" { "Password" }
                input type="password" id="password" name="password" required autocomplete="current-password";
            }
            button.main[only] type="submit" { "Sign in" }
        }
        p.soft { "Forgotten it? An administrator can give you a new one." }
    }
}

/// Where to go on after signing in: a page of ours, whatever was asked for.
pub(super) fn local(next: &str) -> &str {
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(['\\', '\r', '\n', '\t'])
        && next.chars().all(|c| c.is_ascii_graphic());
    if ours { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        assert_eq!(local("/records?q=a%20b"), "/records?q=a%20b");
        for next in [
            "",
            "https://evil.example.com",
            "//evil.example.com",
            "/\\evil.example.com",
            "/a\r\nSet-Cookie: x=1",
            "/\tx",
            "javascript:alert(1)",
        ] {
            assert_eq!(local(next), "/", "{next:?}");
        }
    }
}
