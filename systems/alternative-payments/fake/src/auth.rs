//! Who may call: a client's secret for tokens, tokens for everything else (README §Connecting).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};
use tieout_kit::fake::ControlError;

use crate::account::later;
use crate::call::{Answer, Call, Reply};
use crate::json::Json;
use crate::problem::Problem;
use crate::random::Random;

/// How long a token is good for.
const TOKEN_SECONDS: u32 = 3600;
/// What scopes are for; each is to read or to write.
const AREAS: [&str; 7] = [
    "invoices",
    "payments",
    "customers",
    "refunds",
    "payouts",
    "webhooks",
    "checkout",
];

/// How a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Good,
    /// It exists no more, nor do its tokens.
    Revoked,
    /// It may nothing.
    Blocked,
}

/// The key of an account, and the tokens that were given for it.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// Who.
    pub(crate) client_id: String,
    /// The secret.
    pub(crate) client_secret: String,
    standing: Standing,
    scopes: Vec<String>,
    /// Tokens, and when each is over.
    tokens: BTreeMap<String, Timestamp>,
}

impl Keys {
    /// A new key with full access.
    pub(crate) fn new(random: &mut Random) -> Self {
        Self {
            client_id: format!("client_{}", random.token(20)),
            client_secret: random.token(40),
            standing: Standing::Good,
            scopes: every_scope(),
            tokens: BTreeMap::new(),
        }
    }

    /// Whether these headers carry the client's secret.
    pub(crate) fn is_client(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let (id, secret) = basic(headers).ok_or_else(Problem::unknown_client)?;
        let is_known = id == self.client_id && secret == self.client_secret;
        if !is_known || self.standing == Standing::Revoked {
            return Err(Problem::unknown_client());
        }
        Ok(())
    }

    /// `POST /oauth/token` of a client that is known.
    pub(crate) fn issue(&mut self, call: &Call<'_>, now: Timestamp, token: String) -> Answer {
        if grant(call).as_deref() != Some("client_credentials") {
            return Err(Problem::bad("grant_type must be client_credentials"));
        }
        if self.standing == Standing::Blocked {
            return Err(Problem::forbidden());
        }
        let over = later(now, SignedDuration::from_secs(TOKEN_SECONDS.into()));
        self.tokens.retain(|_, over| *over > now);
        self.tokens.insert(token.clone(), over);
        Ok(Reply::ok(Json::whole([
            ("access_token", token.into()),
            ("token_type", "Bearer".into()),
            ("expires_in", TOKEN_SECONDS.into()),
            ("scope", self.scopes.join(" ").into()),
        ])))
    }

    /// Whether these headers carry a token that is good.
    pub(crate) fn is_signed_in(&self, headers: &HeaderMap, now: Timestamp) -> Result<(), Problem> {
        let token = bearer(headers).ok_or_else(Problem::unauthorized)?;
        let is_good = self.tokens.get(token).is_some_and(|over| *over > now);
        if !is_good || self.standing == Standing::Revoked {
            return Err(Problem::unauthorized());
        }
        Ok(())
    }

    /// Whether the key's scopes reach this path.
    pub(crate) fn reaches(&self, path: &[&str], writes: bool) -> Result<(), Problem> {
        if self.standing == Standing::Blocked {
            return Err(Problem::forbidden());
        }
        let area = match path.first() {
            Some(&"checkout-auth") => "checkout",
            Some(area) => area,
            None => return Ok(()),
        };
        let scope = format!("{area}:{}", if writes { "write" } else { "read" });
        if AREAS.contains(&area) && !self.scopes.contains(&scope) {
            return Err(Problem::forbidden());
        }
        Ok(())
    }

    /// Ends the token that these headers carry.
    pub(crate) fn expire(&mut self, headers: &HeaderMap) {
        if let Some(token) = bearer(headers) {
            self.tokens.remove(token);
        }
    }

    /// `POST /control/credentials/alternative-payments`.
    pub(crate) fn control(&mut self, body: &Json) -> Result<Json, ControlError> {
        match body.text("action") {
            Some("revoke") => self.standing = Standing::Revoked,
            Some("block" | "lock") => self.standing = Standing::Blocked,
            Some("expire") => self.tokens.clear(),
            Some("role") => self.scopes = scopes(body.text("role").unwrap_or_default())?,
            Some("restore") => {
                self.standing = Standing::Good;
                self.scopes = every_scope();
            }
            _ => {
                let message =
                    "`action` is revoke, block, lock, expire (the tokens alone), role or restore";
                return Err(ControlError::bad(message));
            }
        }
        Ok(Json::object([("done", true.into())]))
    }
}

fn every_scope() -> Vec<String> {
    let both = |area: &str| [format!("{area}:read"), format!("{area}:write")];
    AREAS.into_iter().flat_map(both).collect()
}

/// The scopes of a role: names separated by commas, or `full`.
fn scopes(role: &str) -> Result<Vec<String>, ControlError> {
    let every = every_scope();
    if role == "full" {
        return Ok(every);
    }
    let words = role
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    let scopes: Vec<String> = words.map(str::to_owned).collect();
    if scopes.iter().any(|scope| !every.contains(scope)) {
        let message = format!("`role` is full, or some of {}", every.join(","));
        return Err(ControlError::bad(message));
    }
    Ok(scopes)
}

/// What the body of a token's request asks for: as a form, or as JSON.
fn grant(call: &Call<'_>) -> Option<String> {
    if call.kind.starts_with("application/json") {
        let fields = call.fields().ok()?;
        return fields.text("grant_type").map(str::to_owned);
    }
    let mut pairs = form_urlencoded::parse(&call.content);
    let found = pairs.find(|(name, _)| name == "grant_type");
    found.map(|(_, value)| value.into_owned())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    credentials(headers, "bearer")
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let given = credentials(headers, "basic")?;
    let decoded = String::from_utf8(STANDARD.decode(given).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn credentials<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| rest.trim())
}
