//! The sign-in itself, tried once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde::Deserialize;
use tieout_domain::Fault;
use tieout_domain::check::{Check, Status};
use tieout_domain::code::Code;
use url::Url;

use super::failed;
use crate::auth::{Auth, NoToken};
use crate::call::{Call, Client};
use crate::permissions;
use crate::problem::Aim;

/// The administrator's role has this id in every account.
const ADMINISTRATOR: &str = "3";

/// Who was let in.
pub(super) struct SignedIn {
    way: &'static str,
    role: Option<String>,
    role_name: Option<String>,
}

/// Answered as a number or as text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenInfo {
    role_id: Option<serde_json::Value>,
    role_name: Option<String>,
}

impl SignedIn {
    pub(super) fn checks(&self, receivables: bool) -> Vec<Check> {
        let role = match (&self.role_name, &self.role) {
            (Some(name), Some(id)) => format!(" with the role {name} ({id})"),
            (None, Some(id)) => format!(" with the role {id}"),
            _ => String::new(),
        };
        let cause = format!(
            "signed in by {}{role}; two-factor authentication doesn't concern it and can stay on",
            self.way
        );
        let mut checks = vec![Check::ok(Code::new("sign-in"), cause)];
        if self.role.as_deref() == Some(ADMINISTRATOR) {
            let fitting = permissions::role(receivables);
            let cause = format!("the role is Administrator; the role {fitting} would do");
            checks.push(Check::found(
                Status::Note,
                Code::new("administrator"),
                cause,
            ));
        }
        checks
    }
}

impl Client {
    /// Signs in anew, once. `None` where it was refused; why is among the checks.
    pub(super) async fn prove_sign_in(&self, checks: &mut Vec<Check>) -> Option<SignedIn> {
        let proved = match &self.auth {
            Auth::ClientCredentials(auth) => match auth.prove(&self.wire).await {
                Ok(token) => Ok(role_of(&token)),
                Err(none) => {
                    let has_worked = auth.has_worked(&self.wire).await;
                    self.seen(|evidence| evidence.has_worked = has_worked);
                    Err(self.no_token(none).await)
                }
            },
            Auth::TokenBased(_) => self.token_info().await,
        };
        match proved {
            Ok((role, role_name)) => {
                self.refusals.forget(&self.wire.kit).await;
                Some(SignedIn {
                    way: self.auth.title(),
                    role,
                    role_name,
                })
            }
            Err(check) => {
                checks.push(check);
                None
            }
        }
    }

    /// A refusal of the token endpoint, as far as its own word tells.
    async fn no_token(&self, none: NoToken) -> Check {
        if !matches!(none.fault, Fault::Denied { .. }) {
            return failed(&none.fault);
        }
        self.seen(|evidence| evidence.refused = true);
        self.refusals.note(&self.wire.kit).await;
        let meaning = match none.error.as_str() {
            "invalid_client" => {
                "Either the integration record is blocked (its State; the trail says consumer_key_refused), or \
                 the client id is of no integration of this account (consumer_key_unknown)"
            }
            "unauthorized_client" => {
                "Either the feature OAuth 2.0 is off (the trail says FeatureDisabled), or the integration record \
                 doesn't allow Client Credentials (Machine to Machine) Grant"
            }
            "invalid_scope" => "The integration record doesn't allow the scope REST Web Services",
            _ => {
                "The certificate is not mapped, was revoked or has expired, the private key isn't the \
                 certificate's, or the mapped user or role may not sign in; a sandbox refresh wipes all mappings"
            }
        };
        let said = if none.error.is_empty() {
            "no reason".to_owned()
        } else {
            none.error
        };
        let cause = format!("NetSuite gives no token and says {said}. {meaning}");
        Check::found(Status::Failed, Code::new("invalid-login"), cause)
    }

    /// Asks who the token is, the one call that tells.
    async fn token_info(&self) -> Result<(Option<String>, Option<String>), Check> {
        let call = Call {
            method: Method::GET,
            path: "/rest/tokeninfo".to_owned(),
            query: Vec::new(),
            body: None,
            aim: Aim::Read,
        };
        match self.send(&call).await {
            Ok(reply) => {
                let info: Option<TokenInfo> = serde_json::from_slice(&reply.body).ok();
                let id = info.as_ref().and_then(|info| info.role_id.as_ref());
                let id = id.map(|id| id.to_string().trim_matches('"').to_owned());
                Ok((id, info.and_then(|info| info.role_name)))
            }
            Err(fault) if fault.code() == Code::new("invalid-login") => {
                self.seen(|evidence| evidence.refused = true);
                Err(self.token_refused().await)
            }
            Err(fault) => Err(failed(&fault)),
        }
    }

    /// One answer stands for many causes. The first step of asking for a token is signed by the integration alone:
    /// if that is accepted, the fault lies with the token.
    async fn token_refused(&self) -> Check {
        let accepted = self.integration_accepted().await;
        self.seen(|evidence| evidence.integration_accepted = accepted);
        let (code, cause) = if accepted == Some(true) {
            (
                Code::new("token-refused"),
                "the integration is accepted (consumer key and secret are right), its token is not: it was \
                 revoked or is of another integration (the trail says token_rejected), its secret is another \
                 (InvalidSignature), five refusals have locked it for half an hour (temporary_locked), or its \
                 role or user may not sign in (permission_denied)",
            )
        } else {
            (
                Code::new("invalid-login"),
                "NetSuite gives one answer for all of these, and its Login Audit Trail tells them apart by a word: \
                 the integration is blocked (consumer_key_refused), the consumer key is of no integration \
                 (consumer_key_unknown), a secret is another (InvalidSignature), the token was revoked \
                 (token_rejected), five refusals have locked it for half an hour (temporary_locked), the feature \
                 Token-based Authentication is off (FeatureDisabled), the role or user may not sign in \
                 (permission_denied)",
            )
        };
        Check::found(
            Status::Failed,
            code,
            format!("the sign-in is refused: {cause}"),
        )
    }

    /// `None` where the answer says nothing: an integration whose box *TBA: Authorization Flow* is off is refused
    /// here whatever its secret.
    async fn integration_accepted(&self) -> Option<bool> {
        let Auth::TokenBased(auth) = &self.auth else {
            return None;
        };
        let address = format!("{}/rest/requesttoken", self.settings.token_services());
        let url = Url::parse(&address).ok()?;
        let (nonce, time) = (self.wire.nonce(), self.wire.signing_time());
        let header = auth.sign_as_integration(&Method::POST, &url, &nonce, time);
        let mut header = http::HeaderValue::from_str(&header).ok()?;
        header.set_sensitive(true);
        let request = http::Request::post(url.as_str())
            .header(http::header::AUTHORIZATION, header)
            .body(bytes::Bytes::new())
            .ok()?;
        let deadline = std::time::Duration::from_secs(10);
        let answer = self.wire.kit.transport.send(request, deadline).await.ok()?;
        let text = String::from_utf8_lossy(answer.body());
        (answer.status().is_success() && text.contains("oauth_token")).then_some(true)
    }

    /// The first call to a service. A sign-in that was accepted a moment ago and is refused here is overload
    /// that looks like a wrong credential.
    pub(super) async fn check_service(&self, checks: &mut Vec<Check>) -> bool {
        let Err(fault) = self.clock().await else {
            return true;
        };
        let check = match (&fault, fault.code().as_str()) {
            (Fault::Denied { cause, .. }, "permission-missing") => {
                super::role::denied(cause, self.settings.receivables)
            }
            (_, "invalid-login") => {
                self.refusals.forget(&self.wire.kit).await;
                let cause = "NetSuite accepted this sign-in a moment ago and refuses a call with it as if it were \
                             wrong: the account has too many calls under way, from all of its integrations \
                             together. The credential is right";
                Check::found(Status::Failed, Code::new("concurrency-limit"), cause)
                    .with_fix(OVERLOAD_FIX)
            }
            (_, "concurrency-limit") => failed(&fault).with_fix(OVERLOAD_FIX),
            _ => failed(&fault),
        };
        checks.push(check);
        false
    }
}

const OVERLOAD_FIX: &str = "Try again in a while. If it lasts: Setup > Integration > Integration Governance shows who \
                            uses the account's limit; let the others run at another time, lower `concurrency` in \
                            tieout.toml, or have the limit raised (SuiteCloud Plus). Don't change the credential.";

/// The third part of the access token's subject is the role's id (README §Signing in).
fn role_of(token: &str) -> (Option<String>, Option<String>) {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
    }
    let claims = token
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
        .and_then(|json| serde_json::from_slice::<Claims>(&json).ok());
    let role = claims.and_then(|claims| claims.sub.split(';').nth(2).map(str::to_owned));
    (role, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_is_read_from_the_token() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"4030059;0;3;7;N"}"#);
        assert_eq!(role_of(&format!("h.{claims}.s")).0.as_deref(), Some("3"));
        assert_eq!(role_of("opaque").0, None);
    }
}
