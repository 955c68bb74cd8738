//! The gate: who it is, and whether what they send is from our own pages.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, header};
use secrecy::SecretString;
use tieout_store::{SessionLimits, StoreError};

use super::forms::{self, Unfit};
use super::person::Person;
use super::refusal::{Refusal, is_api};
use super::source::{Source, peer};
use super::{cookie, origin};
use crate::app::App;
use crate::pages::PageError;

/// Lets through who has signed in, and no form that is not from here.
///
/// Whoever puts the router together may vouch for a person by an extension of the request, which nothing that
/// comes over the network can be.
pub(super) async fn signed_in(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.extensions().get::<Person>().is_some() {
        return next.run(request).await;
    }
    let (method, uri) = (request.method().clone(), request.uri().clone());
    match admit(&app, request).await {
        Ok(Ok(request)) => next.run(request).await,
        Ok(Err(refusal)) => refusal.answer(&method, &uri),
        Err(error) => PageError::from(error).into_response(),
    }
}

/// Lets programs on this machine, and whoever shows a token, through.
pub(super) async fn watcher(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let source = Source::of(request.headers(), peer(request.extensions()), &app.outside);
    if source.is_this_machine() {
        return next.run(request).await;
    }
    match by_token(&app, request.headers()).await {
        Ok(Some(person)) => {
            request.extensions_mut().insert(person);
            next.run(request).await
        }
        Ok(None) => Refusal::NotSignedIn.answer(&Method::POST, request.uri()),
        Err(error) => PageError::from(error).into_response(),
    }
}

/// The request with its person, or why it is refused.
async fn admit(app: &App, mut request: Request) -> Result<Result<Request, Refusal>, StoreError> {
    if is_api(request.uri())
        && let Some(person) = by_token(app, request.headers()).await?
    {
        request.extensions_mut().insert(person);
        return Ok(Ok(request));
    }
    let Some(secret) = cookie::SESSION.read(request.headers(), &app.outside) else {
        return Ok(Err(Refusal::NotSignedIn));
    };
    let people = app.store.people();
    let Some((session, user)) = people.session(&secret, SessionLimits::default()).await? else {
        return Ok(Err(Refusal::NotSignedIn));
    };
    let person = Person {
        reach: user.reach(),
        name: user.name,
        role: user.role,
        form_token: forms::token(&secret),
        token: None,
    };
    if !is_safe(request.method()) {
        if !origin::is_ours(request.headers(), &app.outside) {
            return Ok(Err(Refusal::Form));
        }
        request = match forms::checked(request, &person.form_token).await {
            Ok(request) => request,
            Err(Unfit::Token) => return Ok(Err(Refusal::Form)),
            Err(Unfit::Body) => return Ok(Err(Refusal::TooLarge)),
        };
    }
    request.extensions_mut().insert(session);
    request.extensions_mut().insert(person);
    Ok(Ok(request))
}

/// Whether a method changes nothing (RFC 9110 §9.2.1).
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whose token a request shows: `Authorization: Bearer …`.
async fn by_token(app: &App, headers: &HeaderMap) -> Result<Option<Person>, StoreError> {
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, secret)) = shown else {
        return Ok(None);
    };
    let found = app
        .store
        .people()
        .token(&SecretString::from(secret.trim()))
        .await?;
    Ok(found.map(|(token, user)| Person {
        reach: user.reach().and(token.reach()),
        name: user.name,
        role: user.role.min(token.scope.role()),
        form_token: String::new(),
        token: Some(token.name),
    }))
}
