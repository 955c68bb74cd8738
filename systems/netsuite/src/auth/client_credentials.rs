//! OAuth 2.0 client credentials with a certificate, machine to machine (README §Signing in).
//!
//! A short-lived assertion is signed with the private key and exchanged for an access token of an hour.
//! There is no refresh token: the next hour needs the next assertion. One token serves every call of the
//! process and, sealed, those of the next (scenario 241: one that ends in the middle of a paged read is
//! replaced once, and the read goes on).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use tieout_domain::code::Code;
use tieout_domain::{Fault, Lost, Timestamp};
use tokio::sync::Mutex;

use super::key::SigningKey;
use crate::call::Wire;
use crate::problem::{Problem, cut};
use crate::settings::{Settings, TOKEN_PATH};

/// How long an assertion is good for. The service allows an hour; a short life needs no more trust.
const ASSERTION_SECONDS: i64 = 300;

/// A token is not used in its last minute.
const MARGIN_SECONDS: i64 = 60;

const TRIES: u32 = 4;

pub(crate) struct ClientCredentials {
    client_id: String,
    certificate_id: String,
    key: SigningKey,
    audience: String,
    endpoint: String,
    /// Under this name it is kept that this credential was accepted once.
    worked_as: String,
    services: Session,
    scripts: Session,
}

/// What a token opens. Each scope has tokens of its own: an integration that may not call scripts keeps the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Records and queries.
    Services,
    /// RESTlets.
    Scripts,
}

impl Scope {
    /// The scope's name over there.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Services => "rest_webservices",
            Self::Scripts => "restlets",
        }
    }
}

/// The tokens of one scope.
struct Session {
    kept_as: String,
    /// Held while a token is fetched, so that many calls at once cause one sign-in.
    token: Mutex<Option<Token>>,
}

impl Session {
    fn new(kept_as: String) -> Self {
        Self {
            kept_as,
            token: Mutex::new(None),
        }
    }

    async fn kept(&self, wire: &Wire) -> Option<Token> {
        let value = wire.kit.kept.get(&self.kept_as).await.ok().flatten()?;
        let (ends, text) = value.expose_secret().split_once(' ')?;
        let ends = Timestamp::from_second(ends.parse().ok()?).ok()?;
        Some(Token {
            text: text.to_owned().into(),
            ends,
        })
    }
}

#[derive(Clone)]
struct Token {
    text: SecretString,
    ends: Timestamp,
}

impl Token {
    fn is_good(&self, now: Timestamp) -> bool {
        now.as_second() < self.ends.as_second() - MARGIN_SECONDS
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Seconds,
}

/// Documented as a number, seen as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(i64),
    Text(String),
}

impl Seconds {
    fn get(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.trim().parse().unwrap_or(0),
        }
    }
}

/// What came of one attempt to get a token.
enum Attempt {
    Granted(Token),
    Again(Fault),
    Refused { error: String, words: String },
}

/// Why there is no token: the fault, and the endpoint's word for it where it gave one.
pub(crate) struct NoToken {
    pub(crate) fault: Fault,
    pub(crate) error: String,
}

impl From<Fault> for NoToken {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            error: String::new(),
        }
    }
}

impl ClientCredentials {
    pub(crate) fn new(
        client_id: String,
        certificate_id: String,
        key: SigningKey,
        settings: &Settings,
        fingerprint: &str,
    ) -> Self {
        let kept_as = |what: &str| {
            let account = settings.account.as_str();
            format!("netsuite/{account}/{what}/{fingerprint}")
        };
        Self {
            client_id,
            certificate_id,
            key,
            audience: settings.account.token_endpoint(),
            endpoint: format!("{}{TOKEN_PATH}", settings.services()),
            worked_as: kept_as("worked"),
            services: Session::new(kept_as("token")),
            scripts: Session::new(kept_as("script-token")),
        }
    }

    fn session(&self, scope: Scope) -> &Session {
        match scope {
            Scope::Services => &self.services,
            Scope::Scripts => &self.scripts,
        }
    }

    /// A token that is still good.
    pub(crate) async fn token(&self, wire: &Wire, scope: Scope) -> Result<String, Fault> {
        let session = self.session(scope);
        let mut held = session.token.lock().await;
        let now = wire.kit.timer.now();
        if held.is_none() {
            *held = session.kept(wire).await;
        }
        if let Some(token) = held.as_ref()
            && token.is_good(now)
        {
            return Ok(token.text.expose_secret().to_owned());
        }
        *held = None;
        let turn = wire.signing_in.enter(&wire.kit).await;
        let token = turn.during(&wire.kit, self.fetched(wire, scope)).await;
        turn.end().await;
        let token = held.insert(token?);
        Ok(token.text.expose_secret().to_owned())
    }

    /// Whoever has the turn: takes the token that somebody else has fetched meanwhile, or fetches one.
    async fn fetched(&self, wire: &Wire, scope: Scope) -> Result<Token, Fault> {
        let session = self.session(scope);
        let now = wire.kit.timer.now();
        if let Some(token) = session.kept(wire).await.filter(|token| token.is_good(now)) {
            return Ok(token);
        }
        let token = self.sign_in(wire, scope).await;
        let token = token.map_err(|none| none.fault)?;
        self.keep(wire, session, &token).await;
        Ok(token)
    }

    /// A token fetched now, whatever is kept: whether this credential is still accepted.
    pub(crate) async fn prove(&self, wire: &Wire) -> Result<String, NoToken> {
        let mut held = self.services.token.lock().await;
        let token = self.sign_in(wire, Scope::Services).await?;
        let text = token.text.expose_secret().to_owned();
        self.keep(wire, &self.services, &token).await;
        *held = Some(token);
        Ok(text)
    }

    /// Whether this credential has ever been accepted.
    pub(crate) async fn has_worked(&self, wire: &Wire) -> bool {
        matches!(wire.kit.kept.get(&self.worked_as).await, Ok(Some(_)))
    }

    /// Throws this token away, unless another call has already replaced it.
    pub(crate) async fn discard(&self, wire: &Wire, scope: Scope, refused: &str) {
        let session = self.session(scope);
        let mut held = session.token.lock().await;
        if held
            .as_ref()
            .is_some_and(|token| token.text.expose_secret() == refused)
        {
            *held = None;
            let kept = session.kept(wire).await;
            if kept.is_some_and(|kept| kept.text.expose_secret() != refused) {
                // Another node has a new one already.
                return;
            }
            if let Err(error) = wire.kit.kept.remove(&session.kept_as).await {
                tracing::debug!(%error, "a refused token could not be forgotten");
            }
        }
    }

    async fn keep(&self, wire: &Wire, session: &Session, token: &Token) {
        let value: SecretString =
            format!("{} {}", token.ends.as_second(), token.text.expose_secret()).into();
        let kept = wire.kit.kept.put(&session.kept_as, &value, token.ends);
        if let Err(error) = kept.await {
            tracing::debug!(%error, "the token could not be kept; the next process signs in anew");
        }
        let (yes, always) = ("yes".into(), Timestamp::MAX);
        if let Err(error) = wire.kit.kept.put(&self.worked_as, &yes, always).await {
            tracing::debug!(%error, "that this credential was accepted could not be kept");
        }
    }

    async fn sign_in(&self, wire: &Wire, scope: Scope) -> Result<Token, NoToken> {
        let mut tries = 0;
        let mut clock_tried = false;
        loop {
            let before = wire.clock_offset();
            match self.attempt(wire, scope).await {
                Attempt::Granted(token) => return Ok(token),
                Attempt::Again(fault) => {
                    tries += 1;
                    if tries >= TRIES {
                        return Err(fault.into());
                    }
                    wire.pause(tries).await;
                }
                Attempt::Refused { error, words } => {
                    // Scenario 221: a clock that is off makes every assertion look expired or early.
                    if !clock_tried && wire.set_clock_right(before) {
                        clock_tried = true;
                        continue;
                    }
                    let fault = denied(scope, &error, &words, wire.clock_offset());
                    return Err(NoToken { fault, error });
                }
            }
        }
    }

    async fn attempt(&self, wire: &Wire, scope: Scope) -> Attempt {
        let assertion = match self.assertion(wire, scope) {
            Ok(assertion) => assertion,
            Err(fault) => return Attempt::Again(fault),
        };
        let body = format!(
            "grant_type=client_credentials&client_assertion_type=\
             urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion={assertion}"
        );
        let request = http::Request::post(&self.endpoint)
            .header(
                http::header::CONTENT_TYPE,
                "application/x-www-form-urlencoded",
            )
            .header(http::header::ACCEPT, "application/json")
            .body(Bytes::from(body));
        let Ok(request) = request else {
            return Attempt::Again(later(
                "the token endpoint's address is malformed".to_owned(),
            ));
        };
        let asked = wire.kit.timer.now();
        let permit = wire.gate.enter(&wire.kit).await;
        let sent = wire.kit.transport.send(request, Duration::from_secs(60));
        let sent = permit.during(&wire.kit, sent).await;
        drop(permit);
        match sent {
            Err(Lost::NeverLeft(cause)) => Attempt::Again(Fault::Later {
                code: Code::new("unreachable"),
                cause: format!("the token endpoint can't be reached: {cause}"),
                after: None,
            }),
            Err(Lost::Unknown(cause)) => {
                Attempt::Again(later(format!("the token endpoint didn't answer: {cause}")))
            }
            Ok(answer) => {
                wire.note_date(answer.headers());
                read_answer(answer.status(), answer.body(), asked)
            }
        }
    }

    fn assertion(&self, wire: &Wire, scope: Scope) -> Result<String, Fault> {
        let now = wire.signing_time();
        let header = json!({"typ": "JWT", "alg": self.key.algorithm(), "kid": self.certificate_id});
        let claims = json!({
            "iss": self.client_id,
            "scope": [scope.as_str()],
            "aud": self.audience,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": wire.nonce(),
        });
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = self
            .key
            .sign(message.as_bytes())
            .ok_or_else(|| later("the assertion could not be signed".to_owned()))?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn read_answer(status: StatusCode, body: &[u8], asked: Timestamp) -> Attempt {
    if status.is_success() {
        let Ok(granted) = serde_json::from_slice::<Granted>(body) else {
            return Attempt::Again(Fault::Later {
                code: Code::new("not-json"),
                cause: "the token endpoint's answer holds no token".to_owned(),
                after: None,
            });
        };
        let seconds = match granted.expires_in.get() {
            seconds @ 1..=86_400 => seconds,
            _ => 3600,
        };
        let ends = Timestamp::from_second(asked.as_second() + seconds).unwrap_or(asked);
        return Attempt::Granted(Token {
            text: granted.access_token.into(),
            ends,
        });
    }
    let problem = Problem::read(body);
    let words = problem.as_ref().map_or_else(
        || {
            format!(
                "HTTP {}: {}",
                status.as_u16(),
                cut(&String::from_utf8_lossy(body))
            )
        },
        Problem::words,
    );
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || problem.is_none() {
        return Attempt::Again(later(format!("the token endpoint failed: {words}")));
    }
    let error = serde_json::from_slice::<serde_json::Value>(body)
        .ok()
        .and_then(|body| body.get("error")?.as_str().map(str::to_owned))
        .unwrap_or_default();
    Attempt::Refused { error, words }
}

fn later(cause: String) -> Fault {
    Fault::Later {
        code: Code::new("server-error"),
        cause,
        after: None,
    }
}

/// Says which of a sign-in's parts is wrong, as far as the endpoint tells (scenario 201).
fn denied(scope: Scope, error: &str, words: &str, offset: i64) -> Fault {
    if (scope, error) == (Scope::Scripts, "invalid_scope") {
        return scope_missing(words);
    }
    let cause = match error {
        "invalid_client" => {
            "the client id isn't known in this account, or the integration record is blocked: compare \
             it with Setup > Integration > Manage Integrations, and the account id with Company \
             Information"
        }
        "invalid_grant" => {
            "the certificate id or its private key doesn't fit, the certificate was revoked or has \
             expired, the account id is another account's, or the mapped user or role is inactive; a \
             sandbox refresh wipes the mappings. Setup > Integration > OAuth 2.0 Client Credentials \
             (M2M) Setup shows them"
        }
        "invalid_scope" | "unauthorized_client" => {
            "the integration record must allow Client Credentials (Machine to Machine) Grant with the \
             scope REST Web Services"
        }
        _ => "Setup > Users/Roles > View Login Audit Trail says why",
    };
    let clock = if offset.abs() > 60 {
        format!(" This machine's clock is {offset} seconds off the service's.")
    } else {
        String::new()
    };
    Fault::Denied {
        code: Code::new("invalid-login"),
        cause: format!("NetSuite gave no token ({words}): {cause}.{clock}"),
    }
}

/// The integration may not call scripts. The rest of the connection works without.
pub(super) fn scope_missing(words: &str) -> Fault {
    Fault::Denied {
        code: Code::new("scope-missing"),
        cause: format!(
            "NetSuite lets this integration call no RESTlet ({words}): its record must have the scope RESTlets, \
             beside REST Web Services. Setup > Integration > Manage Integrations shows it"
        ),
    }
}
