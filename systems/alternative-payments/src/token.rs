//! Signing in: one token for everything that uses the same key, kept sealed from run to run, renewed by one caller while
//! the others wait (README §Signing in).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tieout_domain::code::Code;
use tieout_domain::{Fault, Timestamp};
use zeroize::Zeroizing;

use crate::call::{Client, Hitch, drift, parse};
use crate::problem::Effect;

/// The token's endpoint.
const PATH: &str = "/oauth/token";
/// A token that ends sooner than this is not used: a call takes a while.
const MARGIN: Duration = Duration::from_secs(60);
/// How long a refused sign-in is remembered, so that waiting callers don't try it again one by one.
const DENIAL: Duration = Duration::from_secs(60);
/// How long a token lives where its answer doesn't say.
const LIFE: u64 = 3600;
const REPEATS: u32 = 3;

/// What is known about the token.
#[derive(Debug, Default)]
pub(crate) struct State {
    current: Option<Current>,
    denied: Option<(Fault, Timestamp)>,
}

#[derive(Debug)]
struct Current {
    token: SecretString,
    /// From when on it is not used; `None` for one that was kept, and is as good as the keeper says.
    until: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Client {
    /// A token that works, as far as is known. `stale` is one that was just refused.
    pub(crate) async fn token(&self, stale: Option<&SecretString>) -> Result<SecretString, Fault> {
        let mut state = self.token.lock().await;
        let now = self.kit.timer.now();
        let is_stale = |token: &SecretString| stale.is_some_and(|stale| same(token, stale));
        let ended = |current: &Current| {
            is_stale(&current.token) || current.until.is_some_and(|until| until <= now)
        };
        if state.current.as_ref().is_some_and(ended) {
            state.current = None;
        }
        if state.current.is_none() {
            // Another process may have signed in meanwhile.
            let kept = self.kept_token().await.filter(|kept| !is_stale(kept));
            state.current = kept.map(|token| Current { token, until: None });
        }
        if let Some(current) = &state.current {
            return Ok(current.token.clone());
        }
        if let Some((fault, at)) = &state.denied
            && now.duration_since(*at) < jiff::SignedDuration::try_from(DENIAL).unwrap_or_default()
        {
            return Err(fault.clone());
        }
        let turn = self.signing_in.enter(&self.kit).await;
        let signed_in = turn
            .during(&self.kit, self.sign_in_once(&mut state, stale))
            .await;
        turn.end().await;
        signed_in
    }

    /// Whoever has the turn: takes the token that somebody else has got meanwhile, or signs in.
    async fn sign_in_once(
        &self,
        state: &mut State,
        stale: Option<&SecretString>,
    ) -> Result<SecretString, Fault> {
        let now = self.kit.timer.now();
        let is_stale = |token: &SecretString| stale.is_some_and(|stale| same(token, stale));
        if let Some(token) = self.kept_token().await.filter(|kept| !is_stale(kept)) {
            state.current = Some(Current {
                token: token.clone(),
                until: None,
            });
            return Ok(token);
        }
        match self.sign_in(&self.settings.base_url).await {
            Ok(issued) => {
                let life = Duration::from_secs(issued.expires_in.unwrap_or(LIFE));
                let until = now.checked_add(life.saturating_sub(MARGIN)).unwrap_or(now);
                let token = SecretString::from(issued.access_token);
                self.keep_token(&token, until).await;
                state.denied = None;
                state.current = Some(Current {
                    token: token.clone(),
                    until: Some(until),
                });
                Ok(token)
            }
            Err(fault) => {
                if matches!(fault, Fault::Denied { .. }) {
                    self.kit.governors.note_refusal(crate::settings::NAME);
                    state.denied = Some((fault.clone(), now));
                }
                Err(fault)
            }
        }
    }

    async fn kept_token(&self) -> Option<SecretString> {
        self.kit
            .kept
            .get(&self.token_name)
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(%error, "the kept token of Alternative Payments can't be read; signing in anew");
                None
            })
    }

    async fn keep_token(&self, token: &SecretString, until: Timestamp) {
        if let Err(error) = self.kit.kept.put(&self.token_name, token, until).await {
            tracing::warn!(%error, "the token of Alternative Payments can't be kept; the next run signs in anew");
        }
    }

    /// Whether the key is taken at another host. Asked once, for finding a cause.
    pub(crate) async fn signs_in_at(&self, host: &str) -> bool {
        let Ok(request) = self.token_request(host) else {
            return false;
        };
        self.exchange(
            request,
            Effect::Read,
            "trying the key in the other environment",
        )
        .await
        .is_ok()
    }

    /// Signs in. It changes nothing over there, so an unanswered one is simply tried again.
    async fn sign_in(&self, base: &str) -> Result<Issued, Fault> {
        let what = "signing in";
        let mut tries = 0;
        loop {
            let request = self.token_request(base)?;
            let fault = match self.exchange(request, Effect::Read, what).await {
                Ok(answered) => return parse(&answered.body, Effect::Read, what),
                // Its words say `invalid_client`, with 400 or 401 (RFC 6749 §5.2).
                Err(Hitch::Other(Fault::Refused { cause, .. })) => {
                    return Err(Fault::Denied {
                        code: Code::new("api-key-refused"),
                        cause,
                    });
                }
                Err(Hitch::Crowded { fault, .. } | Hitch::Other(fault)) => fault,
            };
            if !matches!(fault, Fault::Later { .. }) || tries >= REPEATS {
                return Err(fault);
            }
            self.back_off(tries).await;
            tries += 1;
        }
    }

    fn token_request(&self, base: &str) -> Result<http::Request<Bytes>, Fault> {
        let pair = Zeroizing::new(format!(
            "{}:{}",
            self.keys.client_id,
            self.keys.client_secret.expose_secret()
        ));
        let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        http::Request::builder()
            .method(Method::POST)
            .uri(format!("{base}{PATH}"))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(AUTHORIZATION, secret_header(&text)?)
            .body(Bytes::from_static(b"grant_type=client_credentials"))
            .map_err(|error| {
                drift(format!(
                    "Alternative Payments: the sign-in can't be asked for: {error}"
                ))
            })
    }
}

/// A header that is never shown.
pub(crate) fn secret_header(text: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        drift("Alternative Payments: its credential holds characters that can't be sent".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn same(a: &SecretString, b: &SecretString) -> bool {
    a.expose_secret() == b.expose_secret()
}
