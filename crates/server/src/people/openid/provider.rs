//! The identity provider: what it says of itself, its keys, and what it gives for a code.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use jsonwebtoken::jwk::Jwk;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tieout_domain::Timestamp;
use tokio::sync::Mutex;

use super::begun::Begun;
use super::refused::Refused;
use super::token::{Identity, Told};
use crate::app::App;
use crate::hooks::{Place, place};
use crate::program::OpenId;

/// What a provider says of itself holds for so long.
const HOLDS_SECONDS: i64 = 3600;
/// A key that nobody knows has the keys read anew, and no sooner than so long after the last time.
const KEYS_AGAIN_SECONDS: i64 = 60;

/// What a provider says of itself (OpenID Connect Discovery §3).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    /// Where people are sent.
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether its answers name it (RFC 9207).
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

/// What is known of the provider.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// What it says of itself.
    pub(super) metadata: Arc<Metadata>,
    /// Its keys.
    pub(super) keys: Arc<Vec<Jwk>>,
    read: Timestamp,
    keys_read: Timestamp,
}

/// The provider, as far as it is known. Shared by all sign-ins: one asks, the others wait.
#[derive(Debug, Default)]
pub(super) struct Provider(Mutex<Option<Known>>);

/// What it gives for a code.
#[derive(Deserialize)]
pub(super) struct Given {
    /// Who it is.
    pub(super) id_token: SecretString,
    access_token: Option<SecretString>,
}

impl Provider {
    /// What is known of it, asked anew once an hour and after a change of the configuration.
    pub(super) async fn known(&self, app: &App, openid: &OpenId) -> Result<Known, Refused> {
        let mut kept = self.0.lock().await;
        let now = app.clock.now();
        if let Some(known) = kept.as_ref()
            && known.metadata.issuer == openid.issuer
            && age(known.read, now) < HOLDS_SECONDS
        {
            return Ok(known.clone());
        }
        let url = format!(
            "{}/.well-known/openid-configuration",
            openid.issuer.trim_end_matches('/')
        );
        let metadata: Metadata = read(app, Request::get(url), Bytes::new()).await?;
        if metadata.issuer != openid.issuer {
            let cause = "it calls itself by another name than `server.openid.issuer`";
            return Err(Refused::Provider(cause.to_owned()));
        }
        if !may_be_asked(&metadata.authorization_endpoint) {
            return Err(unfit_address());
        }
        let known = Known {
            keys: Arc::new(keys(app, &metadata).await?),
            metadata: Arc::new(metadata),
            read: now,
            keys_read: now,
        };
        *kept = Some(known.clone());
        Ok(known)
    }

    /// Its keys, read anew unless that was just done: it may have a new one.
    pub(super) async fn keys_again(
        &self,
        app: &App,
        openid: &OpenId,
    ) -> Result<Arc<Vec<Jwk>>, Refused> {
        let mut known = self.known(app, openid).await?;
        let now = app.clock.now();
        if age(known.keys_read, now) >= KEYS_AGAIN_SECONDS {
            known.keys = Arc::new(keys(app, &known.metadata).await?);
            known.keys_read = now;
            *self.0.lock().await = Some(known.clone());
        }
        Ok(known.keys)
    }
}

fn age(then: Timestamp, now: Timestamp) -> i64 {
    now.as_second() - then.as_second()
}

/// The keys that are of a known sort.
async fn keys(app: &App, metadata: &Metadata) -> Result<Vec<Jwk>, Refused> {
    #[derive(Deserialize)]
    struct Keys {
        keys: Vec<Value>,
    }
    let found: Keys = read(app, Request::get(&metadata.jwks_uri), Bytes::new()).await?;
    let keys = found.keys.into_iter();
    Ok(keys
        .filter_map(|key| serde_json::from_value(key).ok())
        .collect())
}

/// What it gives for a code.
pub(super) async fn exchanged(
    app: &App,
    openid: &OpenId,
    metadata: &Metadata,
    (code, begun, redirect_uri): (&str, &Begun, &str),
) -> Result<Given, Refused> {
    let secret = app.program.openid_secret().await.map_err(Refused::of)?;
    let verifier = begun.verifier();
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", &verifier),
    ];
    let mut request = Request::post(&metadata.token_endpoint)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    // In the head unless the provider says that it takes it in the form alone (RFC 6749 §2.3.1).
    let methods = metadata.token_endpoint_auth_methods_supported.as_deref();
    let in_head = methods.is_none_or(|known| known.iter().any(|one| one == "client_secret_basic"));
    if in_head {
        let pair = format!(
            "{}:{}",
            encoded(&openid.client_id),
            encoded(secret.expose_secret())
        );
        let basic = format!("Basic {}", BASE64_STANDARD.encode(pair));
        request = request.header(header::AUTHORIZATION, basic);
    } else {
        fields.push(("client_id", &openid.client_id));
        fields.push(("client_secret", secret.expose_secret()));
    }
    read(app, request, form(&fields)).await
}

fn form(fields: &[(&str, &str)]) -> Bytes {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).finish().into()
}

/// What it tells of somebody beyond the token. `known` is what the token told: both must speak of the same.
pub(super) async fn asked_more(
    app: &App,
    metadata: &Metadata,
    given: &Given,
    known: Identity,
) -> Result<Identity, Refused> {
    #[derive(Deserialize)]
    struct Answer {
        sub: String,
        #[serde(flatten)]
        told: Told,
    }
    let (Some(url), Some(access)) = (&metadata.userinfo_endpoint, &given.access_token) else {
        return Ok(known);
    };
    let bearer = format!("Bearer {}", access.expose_secret());
    let request = Request::get(url).header(header::AUTHORIZATION, bearer);
    let answer: Answer = read(app, request, Bytes::new()).await?;
    if answer.sub != known.subject {
        let cause = "the provider was asked about one and told of another";
        return Err(Refused::Unproven(cause.to_owned()));
    }
    Ok(answer.told.of(known.subject))
}

/// Sends a request to the provider and reads its answer. Nothing of what it answers is told: it may hold a token.
async fn read<T: DeserializeOwned>(
    app: &App,
    request: http::request::Builder,
    body: Bytes,
) -> Result<T, Refused> {
    let request = request
        .header(header::ACCEPT, "application/json")
        .body(body)
        .map_err(|_| unfit_address())?;
    let url = request.uri().to_string();
    if !may_be_asked(&url) {
        return Err(unfit_address());
    }
    let answer = app
        .program
        .ask_provider(request)
        .await
        .map_err(Refused::of)?;
    match answer.status() {
        StatusCode::OK => serde_json::from_slice(answer.body())
            .map_err(|_| Refused::Provider(format!("what {url} answers is not what it should be"))),
        status => Err(Refused::Provider(format!("{url} answers with {status}"))),
    }
}

fn unfit_address() -> Refused {
    let cause = "an address that it names is not https, nor http on this machine";
    Refused::Provider(cause.to_owned())
}

/// Whether secrets may be sent there: over TLS, or to this very machine.
fn may_be_asked(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else {
        return false;
    };
    let host = url.host().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse();
    let is_here =
        host == "localhost" || address.is_ok_and(|address| place(address) == Place::Loopback);
    match url.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => is_here,
        _ => false,
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_over_tls_or_stay_on_this_machine() {
        for good in [
            "https://login.example.com/token",
            "http://127.0.0.1:9/token",
            "http://localhost/token",
            "http://[::1]:9/token",
        ] {
            assert!(may_be_asked(good), "{good}");
        }
        for bad in [
            "http://login.example.com/token",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "/token",
            "",
        ] {
            assert!(!may_be_asked(bad), "{bad}");
        }
    }
}
