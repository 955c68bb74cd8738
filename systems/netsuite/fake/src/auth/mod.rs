//! Who is calling: access tokens (OAuth 2.0, machine to machine) and signed requests (token-based
//! authentication), as the README's section *Signing in* has them.
//!
//! Signatures, nonces and assertions are judged by the wall clock; access tokens and locks live by the
//! sandbox's clock, so that moving it ends sessions.

pub(crate) mod assertion;
pub(crate) mod endpoints;
mod integrations;
pub(crate) mod keys;
pub(crate) mod role;
pub(crate) mod signature;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Method, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tieout_kit::fake::ControlError;

use crate::account::AccountName;
use crate::limits::invalid_login;
use crate::problem::Problem;
use keys::PublicKey;
use role::{Role, RoleId};

/// How long an access token lives.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(60);
/// How long five failures lock a token.
const LOCK: SignedDuration = SignedDuration::from_mins(30);
/// How many failures in a row lock a token.
const FAILURES: u32 = 5;

/// The kind names the design gives the two ways of signing in.
pub(crate) const M2M: &str = "netsuite-m2m";
/// See [`M2M`].
pub(crate) const TBA: &str = "netsuite-tba";

/// The parts of a request that signing in looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming<'a> {
    /// The verb.
    pub(crate) method: &'a Method,
    /// The address the client was given: the `Host` header.
    pub(crate) host: &'a str,
    /// The path as it was sent, still encoded.
    pub(crate) path: &'a str,
    /// The decoded query, in order.
    pub(crate) query: &'a [(String, String)],
    /// The `Authorization` header.
    pub(crate) authorization: Option<&'a str>,
}

/// A caller that has signed in.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Its role.
    pub(crate) role: Role,
    /// Which way it signed in: [`M2M`] or [`TBA`].
    pub(crate) kind: &'static str,
    /// The integration record (client id or consumer key).
    pub(crate) integration: String,
}

/// A failed sign-in: what the caller is told, and what the login audit trail says.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The answer.
    pub(crate) problem: Problem,
    /// The audit trail's *Detail*.
    pub(crate) reason: &'static str,
}

/// How a credential stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It works.
    Good,
    /// The token or certificate has been revoked.
    Revoked,
    /// The integration record is blocked.
    Blocked,
    /// The certificate (or token) has expired.
    Expired,
    /// The certificate's mapping is gone, as after a refresh of a sandbox.
    Unmapped,
    /// Locked until then, by the sandbox's clock.
    Locked(Timestamp),
}

/// A certificate mapping: entity, role, integration and certificate.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) client_id: String,
    pub(crate) certificate_id: String,
    pub(crate) key: PublicKey,
    pub(crate) standing: Standing,
    pub(crate) role: Role,
}

/// A token of token-based authentication with its integration.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) consumer_key: String,
    pub(crate) consumer_secret: String,
    pub(crate) token_id: String,
    pub(crate) token_secret: String,
    pub(crate) standing: Standing,
    pub(crate) failures: u32,
    pub(crate) role: Role,
}

/// An access token handed out.
#[derive(Debug)]
struct Access {
    mapping: usize,
    scopes: Vec<String>,
    expires: Timestamp,
}

/// All credentials of the account.
#[derive(Debug)]
pub(crate) struct Credentials {
    account: AccountName,
    private_key_pem: String,
    /// The password of the account's one person, for `issuetoken`.
    password: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    mappings: Vec<Mapping>,
    tokens: Vec<Token>,
    /// Integration records that a person has made since.
    integrations: Vec<integrations::Integration>,
    access: HashMap<String, Access>,
    /// Nonces seen, with the second they were stamped with.
    nonces: HashMap<(String, String), i64>,
    issued: u64,
    /// Features that sign-ins need and that are switched off.
    oauth2_off: bool,
    tba_off: bool,
    /// The integration record's box *TBA: Authorization Flow*, off as guides for integrations have it.
    authorization_flow: bool,
    /// The integration record's box *RESTlets* is off.
    restlets_off: bool,
}

impl Credentials {
    /// One certificate mapping and one token, with identifiers that follow from the seed. The key pair is
    /// new each time.
    pub(crate) fn new(account: AccountName, seed: u64) -> Self {
        let secret = |name: &str| keys::derived(seed, name);
        let (private_key_pem, public_key) = keys::generate();
        let mapping = Mapping {
            client_id: secret("client id"),
            certificate_id: secret("certificate id")[..43].to_owned(),
            key: public_key,
            standing: Standing::Good,
            role: Role::integration(),
        };
        let token = Token {
            consumer_key: secret("consumer key"),
            consumer_secret: secret("consumer secret"),
            token_id: secret("token id"),
            token_secret: secret("token secret"),
            standing: Standing::Good,
            failures: 0,
            role: Role::integration(),
        };
        Self {
            account,
            private_key_pem,
            password: secret("password"),
            state: Mutex::new(State {
                mappings: vec![mapping],
                tokens: vec![token],
                ..State::default()
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secrets, under the names of their kinds.
    pub(crate) fn describe(&self) -> (Value, Value) {
        let state = self.state();
        let m2m = state.mappings.first().map(|mapping| {
            json!({
                "client_id": mapping.client_id,
                "certificate_id": mapping.certificate_id,
                "private_key_pem": self.private_key_pem,
            })
        });
        let tba = state.tokens.first().map(|token| {
            json!({
                "consumer_key": token.consumer_key,
                "consumer_secret": token.consumer_secret,
                "token_id": token.token_id,
                "token_secret": token.token_secret,
            })
        });
        (m2m.unwrap_or_default(), tba.unwrap_or_default())
    }

    /// One more certificate for the first integration.
    pub(crate) fn register(
        &self,
        certificate_id: &str,
        public_key_der: &[u8],
    ) -> Result<(), &'static str> {
        let key = PublicKey::from_der(public_key_der)?;
        let mut state = self.state();
        if state.mappings.len() >= 5 {
            return Err("an integration record holds at most five active certificates");
        }
        if state
            .mappings
            .iter()
            .any(|mapping| mapping.certificate_id == certificate_id)
        {
            return Err("this certificate has been uploaded before");
        }
        let Some(client_id) = state.mappings.first().map(|first| first.client_id.clone()) else {
            return Err("there is no integration record");
        };
        state.mappings.push(Mapping {
            client_id,
            certificate_id: certificate_id.to_owned(),
            key,
            standing: Standing::Good,
            role: Role::integration(),
        });
        Ok(())
    }

    /// Signs a request in. `now` is the sandbox's time, `wall` the wall clock's.
    pub(crate) fn authenticate(
        &self,
        incoming: Incoming<'_>,
        now: Timestamp,
        wall: Timestamp,
    ) -> Result<Caller, Failure> {
        let Some(authorization) = incoming.authorization else {
            return Err(Failure {
                problem: invalid_login(),
                reason: "MissingTokenPassportRequiredFields",
            });
        };
        let (scheme, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
        if scheme.eq_ignore_ascii_case("bearer") {
            self.bearer(rest.trim(), incoming.path, now)
        } else if scheme.eq_ignore_ascii_case("oauth") {
            let mut state = self.state();
            let state = &mut *state;
            if state.tba_off {
                return Err(Failure {
                    problem: invalid_login(),
                    reason: "FeatureDisabled",
                });
            }
            signature::verify(
                &self.account,
                &mut state.tokens,
                &mut state.nonces,
                incoming,
                rest,
                now,
                wall,
            )
        } else {
            Err(Failure {
                problem: invalid_login(),
                reason: "parameter_rejected",
            })
        }
    }

    /// The first step of the three-legged flow: signed by the integration alone. An integration whose box for it
    /// is off is refused whatever its secret (assumed: the words are the same for all refusals).
    pub(crate) fn request_token(
        &self,
        incoming: Incoming<'_>,
        wall: Timestamp,
    ) -> Result<(String, String), Failure> {
        let state = self.state();
        let fail = |reason| Failure {
            problem: invalid_login(),
            reason,
        };
        if state.tba_off {
            return Err(fail("FeatureDisabled"));
        }
        if !state.authorization_flow {
            return Err(fail("permission_denied"));
        }
        signature::verify_integration(&self.account, &state.tokens, incoming, wall)
            .map_err(fail)?;
        Ok((
            keys::derived(state.issued, "request token"),
            keys::derived(state.issued, &format!("{:?}", keys::random_bytes())),
        ))
    }

    fn bearer(&self, token: &str, path: &str, now: Timestamp) -> Result<Caller, Failure> {
        let refused = |reason| Failure {
            problem: invalid_login().with_header(
                header::WWW_AUTHENTICATE,
                format!(
                    "Bearer realm=\"{}\", error=\"invalid_token\", \
                     error_description=\"Invalid login attempt.\"",
                    self.account.realm()
                ),
            ),
            reason,
        };
        let mut state = self.state();
        let Some(access) = state.access.get(token) else {
            return Err(refused("token_rejected"));
        };
        if access.expires <= now {
            state.access.remove(token);
            return Err(refused("token_expired"));
        }
        let needed = if path.starts_with("/app/site/hosting/") {
            "restlets"
        } else {
            "rest_webservices"
        };
        if !access.scopes.iter().any(|scope| scope == needed) {
            return Err(refused("scope_mismatch"));
        }
        let Some(mapping) = state.mappings.get(access.mapping) else {
            return Err(refused("token_rejected"));
        };
        let reason = match mapping.standing {
            Standing::Good => None,
            Standing::Revoked | Standing::Expired | Standing::Unmapped => Some("token_rejected"),
            Standing::Blocked => Some("consumer_key_refused"),
            Standing::Locked(until) => (until > now).then_some("temporary_locked"),
        };
        if let Some(reason) = reason {
            return Err(refused(reason));
        }
        Ok(Caller {
            role: mapping.role.clone(),
            kind: M2M,
            integration: mapping.client_id.clone(),
        })
    }

    /// Ends every session: access tokens handed out so far are no longer known.
    pub(crate) fn end_sessions(&self) {
        self.state().access.clear();
    }

    /// Switches a feature that sign-ins need.
    pub(crate) fn set_feature(&self, feature: &str, on: bool) {
        let mut state = self.state();
        match feature {
            "OAUTH2" => state.oauth2_off = !on,
            "TBA" => state.tba_off = !on,
            _ => {}
        }
    }

    /// Changes the role of every credential.
    pub(crate) fn change_roles(&self, change: impl Fn(&mut Role)) {
        let mut state = self.state();
        let state = &mut *state;
        state
            .mappings
            .iter_mut()
            .for_each(|mapping| change(&mut mapping.role));
        state
            .tokens
            .iter_mut()
            .for_each(|token| change(&mut token.role));
    }

    /// The role of the first mapping: what the panel shows.
    pub(crate) fn role(&self) -> Role {
        self.state()
            .mappings
            .first()
            .map_or_else(Role::integration, |mapping| mapping.role.clone())
    }

    /// The panel's `credentials/{kind}`.
    pub(crate) fn control(
        &self,
        kind: &str,
        body: &Value,
        now: Timestamp,
    ) -> Result<Value, ControlError> {
        let action = body.get("action").and_then(Value::as_str).ok_or_else(|| {
            ControlError::bad(format!("credentials/{kind}: needs \"action\": {ACTIONS}"))
        })?;
        let standing = match action {
            "revoke" => Standing::Revoked,
            "block" => Standing::Blocked,
            "expire" => Standing::Expired,
            "lock" => Standing::Locked(now + LOCK),
            "unmap" if kind == M2M => Standing::Unmapped,
            "restore" => Standing::Good,
            "authorization-flow" => {
                let on = body.get("on").and_then(Value::as_bool).unwrap_or(true);
                self.state().authorization_flow = on;
                return Ok(json!({"kind": kind, "authorization_flow": on}));
            }
            "restlets" => {
                let on = body.get("on").and_then(Value::as_bool).unwrap_or(true);
                self.state().restlets_off = !on;
                return Ok(json!({"kind": kind, "restlets": on}));
            }
            "role" => return self.set_role(kind, body),
            other => {
                return Err(ControlError::bad(format!(
                    "credentials/{kind}: action \"{other}\" is unknown; use {ACTIONS}"
                )));
            }
        };
        let mut state = self.state();
        if kind == M2M {
            for mapping in &mut state.mappings {
                mapping.standing = standing;
                if standing == Standing::Good {
                    mapping.role = Role::integration();
                }
            }
            if standing != Standing::Good {
                state.access.clear();
            }
        } else {
            for token in &mut state.tokens {
                token.standing = standing;
                token.failures = 0;
                if standing == Standing::Good {
                    token.role = Role::integration();
                }
            }
        }
        Ok(json!({"kind": kind, "action": action}))
    }

    fn set_role(&self, kind: &str, body: &Value) -> Result<Value, ControlError> {
        let role = body
            .get("role")
            .ok_or_else(|| ControlError::bad(format!("credentials/{kind}: role needs \"role\"")))
            .and_then(Role::from_control)?;
        let answer = json!({"kind": kind, "role": role.name(), "role_id": role.id().to_string()});
        let mut state = self.state();
        if kind == M2M {
            state
                .mappings
                .iter_mut()
                .for_each(|mapping| mapping.role = role.clone());
        } else {
            state
                .tokens
                .iter_mut()
                .for_each(|token| token.role = role.clone());
        }
        Ok(answer)
    }
}

const ACTIONS: &str = "revoke, block, expire, lock, unmap (netsuite-m2m), role (with \"role\"), \
                       authorization-flow (with \"on\"), restlets (with \"on\"), or restore";

/// The claims-like text of an access token: a JWT whose third part of `sub` is the role.
fn access_token_text(
    account: &AccountName,
    client_id: &str,
    role: RoleId,
    scopes: &[String],
    wall: Timestamp,
    serial: u64,
) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header =
        json!({"kid": format!("{}.2026", account.host_label()), "typ": "JWT", "alg": "PS256"});
    let issued = wall.as_second();
    let claims = json!({
        "sub": format!("4030059;0;{role};7;N"),
        "aud": [client_id, format!("app:{}", account.realm())],
        "scope": scopes,
        "iss": "https://system.netsuite.com",
        "oit": issued,
        "exp": issued + TOKEN_LIFE.as_secs(),
        "iat": issued,
        "jti": format!("{}.{serial}", account.host_label()),
    });
    let head = URL_SAFE_NO_PAD.encode(header.to_string());
    let body = URL_SAFE_NO_PAD.encode(claims.to_string());
    let seal = URL_SAFE_NO_PAD.encode(keys::random_bytes());
    format!("{head}.{body}.{seal}")
}
