//! The token endpoint of OAuth 2.0 client credentials: a signed assertion for an access token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header;
use jiff::Timestamp;
use serde_json::Value;

use super::role::{Level, SIGN_IN_M2M};
use super::{Access, Credentials, M2M, Standing, TOKEN_LIFE, access_token_text};

/// The longest life of an assertion, in seconds.
const LONGEST_LIFE: i64 = 3600;
/// How far an assertion's issue time may lie ahead of the wall clock, in seconds.
const SKEW: i64 = 300;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const SCOPES: [&str; 3] = ["restlets", "rest_webservices", "suite_analytics"];
const ALGORITHMS: [&str; 6] = ["PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

/// The OAuth error an assertion meets, and what the login audit trail says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// `invalid_grant`, `invalid_client`, …
    pub(crate) error: &'static str,
    /// The audit trail's *Detail*.
    pub(crate) reason: &'static str,
}

impl Refused {
    fn new(error: &'static str, reason: &'static str) -> Self {
        Self { error, reason }
    }

    fn grant(reason: &'static str) -> Self {
        Self::new("invalid_grant", reason)
    }

    /// The HTTP status of the answer.
    pub(crate) fn status(&self) -> u16 {
        if self.error == "invalid_client" {
            401
        } else {
            400
        }
    }

    /// The header that goes with `invalid_client`.
    pub(crate) fn challenge(&self, realm: &str) -> Option<(http::HeaderName, String)> {
        (self.error == "invalid_client")
            .then(|| (header::WWW_AUTHENTICATE, format!("Basic realm=\"{realm}\"")))
    }
}

/// What an assertion says, before anything is believed.
struct Assertion<'a> {
    algorithm: String,
    certificate: String,
    claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Assertion<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
        Some(Self {
            algorithm: header.get("alg")?.as_str()?.to_owned(),
            certificate: header.get("kid")?.as_str()?.to_owned(),
            claims: serde_json::from_slice(&decode(claims)?).ok()?,
            signed,
            signature: decode(signature)?,
        })
    }

    fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    fn seconds(&self, claim: &str) -> Option<i64> {
        self.claims.get(claim)?.as_i64()
    }

    /// The audience: a string, or any one of an array.
    fn is_for(&self, endpoints: &[String]) -> bool {
        let accepted = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| endpoints.iter().any(|endpoint| endpoint == text))
        };
        match self.claims.get("aud") {
            Some(Value::Array(list)) => list.iter().any(accepted),
            Some(value) => accepted(value),
            None => false,
        }
    }

    /// The scopes: an array, or text with commas or spaces.
    fn scopes(&self) -> Option<Vec<String>> {
        let scopes: Vec<String> = match self.claims.get("scope")? {
            Value::Array(list) => list
                .iter()
                .map(|scope| scope.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            Value::String(text) => text
                .split([',', ' '])
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned)
                .collect(),
            _ => return None,
        };
        let known =
            !scopes.is_empty() && scopes.iter().all(|scope| SCOPES.contains(&scope.as_str()));
        known.then_some(scopes)
    }
}

impl Credentials {
    /// Answers a token request whose form fields are `form`: the access token and its life in seconds.
    pub(crate) fn grant(
        &self,
        form: &[(String, String)],
        now: Timestamp,
        wall: Timestamp,
    ) -> Result<(String, i64), Refused> {
        let field = |name: &str| {
            form.iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        match field("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(Refused::new("unsupported_grant_type", "parameter_rejected")),
            None => return Err(Refused::new("invalid_request", "parameter_rejected")),
        }
        if field("client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(Refused::new("invalid_request", "parameter_rejected"));
        }
        let text = field("client_assertion")
            .ok_or_else(|| Refused::new("invalid_request", "parameter_rejected"))?;
        let assertion = Assertion::parse(text).ok_or_else(|| Refused::grant("InvalidSignature"))?;
        self.judge(&assertion, now, wall)
    }

    fn judge(
        &self,
        assertion: &Assertion<'_>,
        now: Timestamp,
        wall: Timestamp,
    ) -> Result<(String, i64), Refused> {
        let mut state = self.state();
        if state.oauth2_off {
            return Err(Refused::new("unauthorized_client", "FeatureDisabled"));
        }
        let issuer = assertion.text("iss").unwrap_or_default();
        if !state
            .mappings
            .iter()
            .any(|mapping| mapping.client_id == issuer)
        {
            return Err(Refused::new("invalid_client", "consumer_key_unknown"));
        }
        if !ALGORITHMS.contains(&assertion.algorithm.as_str()) {
            return Err(Refused::grant("UnknownAlgorithm"));
        }
        let (index, mapping) = state
            .mappings
            .iter()
            .enumerate()
            .find(|(_, mapping)| {
                mapping.client_id == issuer && mapping.certificate_id == assertion.certificate
            })
            .ok_or_else(|| Refused::grant("certificate_unknown"))?;
        match mapping.standing {
            Standing::Good => {}
            Standing::Revoked => return Err(Refused::grant("certificate_revoked")),
            Standing::Expired => return Err(Refused::grant("certificate_expired")),
            Standing::Unmapped => return Err(Refused::grant("certificate_unknown")),
            Standing::Blocked => {
                return Err(Refused::new("invalid_client", "consumer_key_refused"));
            }
            Standing::Locked(until) if until > now => {
                return Err(Refused::grant("temporary_locked"));
            }
            Standing::Locked(_) => {}
        }
        if !mapping.key.verifies(
            &assertion.algorithm,
            assertion.signed.as_bytes(),
            &assertion.signature,
        ) {
            return Err(Refused::grant("InvalidSignature"));
        }
        if !assertion.is_for(&self.account.token_endpoints()) {
            return Err(Refused::grant("audience_rejected"));
        }
        check_life(assertion, wall)?;
        let scopes = assertion
            .scopes()
            .filter(|scopes| !(state.restlets_off && scopes.iter().any(|it| it == "restlets")))
            .ok_or_else(|| Refused::new("invalid_scope", "scope_rejected"))?;
        if !mapping.role.may(SIGN_IN_M2M, Level::Full) {
            return Err(Refused::grant("permission_denied"));
        }
        let (client_id, role) = (mapping.client_id.clone(), mapping.role.id());
        state.issued += 1;
        let token = access_token_text(&self.account, &client_id, role, &scopes, wall, state.issued);
        state.access.retain(|_, access| access.expires > now);
        let access = Access {
            mapping: index,
            scopes,
            expires: now + TOKEN_LIFE,
        };
        state.access.insert(token.clone(), access);
        tracing::debug!(kind = M2M, "access token handed out");
        Ok((token, TOKEN_LIFE.as_secs()))
    }
}

fn check_life(assertion: &Assertion<'_>, wall: Timestamp) -> Result<(), Refused> {
    let (Some(issued), Some(expires)) = (assertion.seconds("iat"), assertion.seconds("exp")) else {
        return Err(Refused::grant("InvalidTimestamp"));
    };
    let now = wall.as_second();
    let sound = expires > now
        && expires.saturating_sub(issued) <= LONGEST_LIFE
        && issued <= now.saturating_add(SKEW);
    sound
        .then_some(())
        .ok_or_else(|| Refused::grant("InvalidTimestamp"))
}
