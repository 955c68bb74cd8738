//! Signing in by an identity provider: OpenID Connect, the authorization code flow with PKCE and a nonce.
//!
//! The person goes to the provider and comes back with a code; the code is exchanged for a token, and the token says
//! who they are. Nothing that comes back is believed before it is proven: the state belongs to this browser's sign-in,
//! the token was signed by the provider, for us, for this sign-in, now. One sign-in opens one session.

mod begun;
mod provider;
mod refused;
mod token;
mod who;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use http::{HeaderMap, header};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tieout_domain::hexadecimal;
use tieout_store::{Attempt, User};

use self::begun::Begun;
use self::provider::{Known, Provider, asked_more, exchanged};
use self::refused::Refused;
use self::token::{Expected, Identity, Unproven, proven};
use super::cookie;
use super::sign_in::{FREE_BY_SOURCE, local, open};
use super::source::{Source, peer};
use crate::app::App;
use crate::program::OpenId;

/// Where a person comes back to; the provider must know it.
const BACK: &str = "/sign-in/openid/back";

/// What the handlers share, made once.
#[derive(Clone)]
struct Door {
    app: App,
    provider: Arc<Provider>,
}

/// The routes. They are open: whoever is not in yet must be able to come in.
pub(super) fn routes(app: &App) -> Router<App> {
    let door = Door {
        app: app.clone(),
        provider: Arc::default(),
    };
    Router::new()
        .route("/sign-in/openid", get(begin))
        .route(BACK, get(back))
        .with_state(door)
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    next: String,
}

/// What the provider sends a person back with.
#[derive(Default, Deserialize)]
struct Answered {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    iss: Option<String>,
    error: Option<String>,
}

async fn begin(State(door): State<Door>, Query(wanted): Query<Wanted>) -> Response {
    match door.begun(&wanted.next).await {
        Ok(response) => response,
        Err(refused) => refused.answer(&door.app),
    }
}

async fn back(
    State(door): State<Door>,
    Query(answered): Query<Answered>,
    request: Request,
) -> Response {
    let app = &door.app;
    let source = Source::of(request.headers(), peer(request.extensions()), &app.outside);
    let (parts, _) = request.into_parts();
    match door.ended(&answered, source, &parts.headers).await {
        Ok(response) => response,
        Err(refused) => refused.answer(app),
    }
}

impl Door {
    /// The provider that is configured, and the address to come back to.
    fn configured(&self) -> Result<(OpenId, String), Refused> {
        let openid = self.app.program.openid().ok_or(Refused::None)?;
        let public_url = self.app.outside.public_url.as_ref().ok_or(Refused::None)?;
        Ok((openid, format!("{public_url}{BACK}")))
    }

    /// Sends a person to the provider.
    async fn begun(&self, next: &str) -> Result<Response, Refused> {
        let app = &self.app;
        let (openid, redirect_uri) = self.configured()?;
        let known = self.provider.known(app, &openid).await?;
        let secret = app.store.people().new_secret()?;
        let begun = Begun::new(secret, app.clock.now(), local(next));
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &openid.client_id)
            .append_pair("redirect_uri", &redirect_uri)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &begun.state())
            .append_pair("nonce", &begun.nonce())
            .append_pair("code_challenge", &begun.challenge())
            .append_pair("code_challenge_method", "S256")
            .finish();
        let place = &known.metadata.authorization_endpoint;
        let joint = if place.contains('?') { '&' } else { '?' };
        let mut response = Redirect::to(&format!("{place}{joint}{query}")).into_response();
        if let Some(cookie) = begun.cookie(&app.outside) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    /// Lets a person in who comes back from the provider.
    async fn ended(
        &self,
        answered: &Answered,
        source: Source,
        headers: &HeaderMap,
    ) -> Result<Response, Refused> {
        let app = &self.app;
        let (openid, redirect_uri) = self.configured()?;
        let begun = Begun::of(headers, &app.outside).ok_or(Refused::BeginAgain)?;
        if !begun.is_answered_by(&answered.state, app.clock.now()) {
            return Err(Refused::BeginAgain);
        }
        let people = app.store.people();
        let counted = source.counted_as();
        if let Attempt::Wait(_) = people.attempt(&counted, FREE_BY_SOURCE).await? {
            return Err(Refused::Wait);
        }
        let known = self.provider.known(app, &openid).await?;
        let named = known
            .metadata
            .authorization_response_iss_parameter_supported;
        match &answered.iss {
            Some(iss) if *iss != openid.issuer => {
                return Err(Refused::Unproven("another provider answered".to_owned()));
            }
            None if named => {
                let cause = "the answer doesn't name the provider, which always does";
                return Err(Refused::Unproven(cause.to_owned()));
            }
            _ => {}
        }
        if let Some(error) = &answered.error {
            let error = error.chars().filter(char::is_ascii_graphic).take(60);
            return Err(Refused::Denied(error.collect()));
        }
        let identity = self
            .identity(&openid, &known, (&answered.code, &begun, &redirect_uri))
            .await?;
        // One sign-in opens one session, also where a provider takes a code twice.
        let state = hash(&answered.state);
        if !people.finish_sign_in(&state).await? {
            return Err(Refused::BeginAgain);
        }
        let user = who::found(app, &openid, &identity).await?;
        people.forgive_attempt(&counted).await?;
        self.let_in(&user, source, headers, &begun).await
    }

    /// Who it is, proven.
    async fn identity(
        &self,
        openid: &OpenId,
        known: &Known,
        came: (&str, &Begun, &str),
    ) -> Result<Identity, Refused> {
        let app = &self.app;
        let given = exchanged(app, openid, &known.metadata, came).await?;
        let nonce = came.1.nonce();
        let expected = Expected {
            issuer: &openid.issuer,
            client_id: &openid.client_id,
            nonce: &nonce,
            now: app.clock.now(),
        };
        let token = given.id_token.expose_secret();
        let mut proof = proven(token, &known.keys, &expected);
        if proof == Err(Unproven::UnknownKey) {
            let keys = self.provider.keys_again(app, openid).await?;
            proof = proven(token, &keys, &expected);
        }
        let identity = proof.map_err(|why| {
            Refused::Unproven(match why {
                Unproven::UnknownKey => {
                    "the token names a key that the provider has not".to_owned()
                }
                Unproven::Wrong(what) => format!("the token is not good: {what}"),
            })
        })?;
        match identity.mail {
            Some(_) => Ok(identity),
            None => asked_more(app, &known.metadata, &given, identity).await,
        }
    }

    async fn let_in(
        &self,
        user: &User,
        source: Source,
        headers: &HeaderMap,
        begun: &Begun,
    ) -> Result<Response, Refused> {
        let app = &self.app;
        let Some(mut response) = open(app, &user.name, source, headers, &begun.next).await? else {
            return Err(Refused::Unknown(format!(
                "{} is no user any more",
                user.name
            )));
        };
        if let Some(taken) = cookie::OPENID.take(&app.outside) {
            response.headers_mut().append(header::SET_COOKIE, taken);
        }
        Ok(response)
    }
}

/// Under which a sign-in is remembered: nothing of it can be used again.
fn hash(state: &str) -> String {
    hexadecimal(&Sha256::digest(state))
}
