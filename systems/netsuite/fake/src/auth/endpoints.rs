//! The services around signing in: the token endpoint, who am I, issuing and revoking tokens, and the
//! discovery of hosts (README, section *Signing in*).

use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, header};

use super::{Credentials, Failure, Incoming, Standing, TBA, Token, keys};
use crate::NetSuiteFake;
use crate::auth::role::Role;
use crate::http_surface::{Call, json_response, parse_form};
use crate::json::Json;
use crate::limits::invalid_login;
use crate::problem::Problem;

/// The one person of the sandbox's account.
pub(crate) const PERSON: &str = "integration@example.com";

/// `POST /services/rest/auth/oauth2/v1/token`
pub(crate) fn token(fake: &NetSuiteFake, call: &Call) -> Response {
    if call.method != Method::POST {
        return Problem::method(&call.method).into_response();
    }
    let form = parse_form(&String::from_utf8_lossy(&call.body));
    match fake.credentials.grant(&form, fake.now(), fake.wall()) {
        Ok((token, life)) => json_response(
            StatusCode::OK,
            "application/json;charset=UTF-8",
            &Json::object([
                ("access_token", Json::text(token)),
                ("expires_in", Json::integer(life)),
                ("token_type", Json::text("Bearer")),
            ]),
        ),
        Err(refused) => {
            fake.audit_login(refused.reason, call);
            let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let body = Json::object([("error", Json::text(refused.error))]);
            let mut response = json_response(status, "application/json;charset=UTF-8", &body);
            if let Some((name, value)) = refused.challenge(fake.account.realm())
                && let Ok(value) = value.parse()
            {
                response.headers_mut().insert(name, value);
            }
            response
        }
    }
}

/// `GET /rest/datacenterurls?account=…`: no sign-in needed.
pub(crate) fn data_center_urls(fake: &NetSuiteFake, call: &Call) -> Response {
    let known = call.parameter("account").is_none_or(|account| {
        account
            .replace('-', "_")
            .eq_ignore_ascii_case(fake.account.realm())
    });
    if !known {
        return Problem::new(400, "INVALID_PARAMETER", "Unknown account.").into_response();
    }
    let body = Json::object([
        ("restDomain", Json::text(fake.account.restlets_origin())),
        ("systemDomain", Json::text(fake.account.app_origin())),
        (
            "webservicesDomain",
            Json::text(fake.account.suitetalk_origin()),
        ),
    ]);
    json_response(StatusCode::OK, "application/json;charset=UTF-8", &body)
}

/// `GET /rest/tokeninfo`: who a signed request is.
pub(crate) fn token_info(fake: &NetSuiteFake, call: &Call) -> Response {
    let caller = match fake.sign_in(call) {
        Ok(caller) if caller.kind == TBA => caller,
        Ok(_) => return invalid_login().into_response(),
        Err(problem) => return problem.into_response(),
    };
    let body = Json::object([
        ("companyName", Json::text(fake.company_name())),
        ("companyId", Json::text(fake.account.realm())),
        ("roleName", Json::text(caller.role.name())),
        (
            "roleId",
            Json::integer(caller.role.id().to_string().parse().unwrap_or(0)),
        ),
        ("entityId", Json::integer(7)),
        ("name", Json::text("Tieout Integration")),
        ("email", Json::text(PERSON)),
        ("consumerKey", Json::text(caller.integration)),
    ]);
    json_response(StatusCode::OK, "application/json;charset=UTF-8", &body)
}

/// `POST /rest/requesttoken`: the first step of the three-legged flow.
pub(crate) fn request_token(fake: &NetSuiteFake, call: &Call) -> Response {
    let incoming = incoming(call);
    match fake.credentials.request_token(incoming, fake.wall()) {
        Ok((token, secret)) => {
            let body = format!(
                "oauth_token={token}&oauth_token_secret={secret}&oauth_callback_confirmed=true"
            );
            let form = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            (StatusCode::OK, [form], body).into_response()
        }
        Err(failure) => {
            fake.audit_login(failure.reason, call);
            failure.problem.into_response()
        }
    }
}

/// The parts of a call that signing in looks at.
fn incoming(call: &Call) -> Incoming<'_> {
    Incoming {
        method: &call.method,
        host: &call.host,
        path: &call.raw_path,
        query: &call.query,
        authorization: call.header(header::AUTHORIZATION.as_str()),
    }
}

/// `GET /rest/issuetoken` and `GET /rest/revoketoken`, signed with a person's name and password.
pub(crate) fn person_tokens(fake: &NetSuiteFake, call: &Call, revoke: bool) -> Response {
    match fake.credentials.by_person(call, revoke) {
        Ok(Some((id, secret))) => json_response(
            StatusCode::OK,
            "application/json;charset=UTF-8",
            &Json::object([
                ("tokenId", Json::text(id)),
                ("tokenSecret", Json::text(secret)),
            ]),
        ),
        Ok(None) => json_response(
            StatusCode::OK,
            "application/json;charset=UTF-8",
            &Json::Object(vec![]),
        ),
        Err(failure) => {
            fake.audit_login(failure.reason, call);
            failure.problem.into_response()
        }
    }
}

impl Credentials {
    /// The password of [`PERSON`].
    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    fn by_person(&self, call: &Call, revoke: bool) -> Result<Option<(String, String)>, Failure> {
        let fail = |reason| Failure {
            problem: invalid_login(),
            reason,
        };
        let authorization = call
            .header(header::AUTHORIZATION.as_str())
            .unwrap_or_default();
        let parameters = authorization
            .strip_prefix("NLAuth ")
            .ok_or_else(|| fail("parameter_rejected"))?;
        let field = |name: &str| {
            parameters
                .split(',')
                .filter_map(|part| part.trim().split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.trim_matches('"').to_owned())
        };
        let account = field("nlauth_account").unwrap_or_default();
        let known = account.eq_ignore_ascii_case(self.account.realm())
            && field("nlauth_email").as_deref() == Some(PERSON)
            && field("nlauth_signature").as_deref() == Some(self.password.as_str());
        if !known {
            return Err(fail("permission_denied"));
        }
        let consumer = call.parameter("consumerKey").unwrap_or_default();
        let mut state = self.state();
        let secret = state
            .tokens
            .iter()
            .find(|token| token.consumer_key == consumer)
            .map(|token| token.consumer_secret.clone())
            .ok_or_else(|| fail("consumer_key_unknown"))?;
        if revoke {
            let id = call.parameter("token").unwrap_or_default();
            let token = state
                .tokens
                .iter_mut()
                .find(|token| token.token_id == id)
                .ok_or_else(|| fail("token_rejected"))?;
            token.standing = Standing::Revoked;
            return Ok(None);
        }
        state.issued += 1;
        let serial = state.issued;
        let token = Token {
            consumer_key: consumer.to_owned(),
            consumer_secret: secret,
            token_id: keys::derived(serial, "issued token id"),
            token_secret: keys::derived(
                serial,
                &format!("issued secret {:?}", keys::random_bytes()),
            ),
            standing: Standing::Good,
            failures: 0,
            role: Role::integration(),
        };
        let answer = (token.token_id.clone(), token.token_secret.clone());
        state.tokens.push(token);
        Ok(Some(answer))
    }
}

impl NetSuiteFake {
    /// Signs a call in, and writes failures to the login audit trail.
    pub(crate) fn sign_in(&self, call: &Call) -> Result<super::Caller, Problem> {
        self.credentials
            .authenticate(incoming(call), self.now(), self.wall())
            .map_err(|failure| {
                self.audit_login(failure.reason, call);
                failure.problem
            })
    }
}
