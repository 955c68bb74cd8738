//! Token-based authentication: OAuth 1.0a with HMAC-SHA256 (RFC 5849), every query parameter signed.

use std::collections::HashMap;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::role::SIGN_IN_TBA;
use super::{Caller, FAILURES, Failure, Incoming, LOCK, Standing, TBA, Token};
use crate::account::AccountName;
use crate::auth::role::Level;
use crate::limits::invalid_login;

/// How far a timestamp may be from the wall clock, in seconds.
const WINDOW: i64 = 300;
/// The shortest nonce.
const SHORTEST_NONCE: usize = 6;

/// RFC 3986: only the unreserved characters stay.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encodes as RFC 5849 asks for.
fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Verifies a signed request against the account's tokens.
pub(super) fn verify(
    account: &AccountName,
    tokens: &mut [Token],
    nonces: &mut HashMap<(String, String), i64>,
    incoming: Incoming<'_>,
    parameters: &str,
    now: Timestamp,
    wall: Timestamp,
) -> Result<Caller, Failure> {
    let fail = |reason| Failure {
        problem: invalid_login(),
        reason,
    };
    let parameters = parse(parameters).ok_or_else(|| fail("parameter_rejected"))?;
    let field = |name: &str| {
        parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let required = |name| field(name).ok_or_else(|| fail("MissingTokenPassportRequiredFields"));

    let consumer = required("oauth_consumer_key")?;
    let token_id = required("oauth_token")?;
    if !tokens.iter().any(|token| token.consumer_key == consumer) {
        return Err(fail("consumer_key_unknown"));
    }
    let token = tokens
        .iter_mut()
        .find(|token| token.consumer_key == consumer && token.token_id == token_id)
        .ok_or_else(|| fail("token_rejected"))?;
    match token.standing {
        Standing::Good => {}
        Standing::Revoked | Standing::Expired | Standing::Unmapped => {
            return Err(fail("token_rejected"));
        }
        Standing::Blocked => return Err(fail("consumer_key_refused")),
        Standing::Locked(until) if until > now => return Err(fail("temporary_locked")),
        Standing::Locked(_) => {
            token.standing = Standing::Good;
            token.failures = 0;
        }
    }
    match judge(account, token, nonces, incoming, &parameters, wall) {
        Ok(()) => {
            token.failures = 0;
            if !token.role.may(SIGN_IN_TBA, Level::Full) {
                return Err(fail("permission_denied"));
            }
            Ok(Caller {
                role: token.role.clone(),
                kind: TBA,
                integration: consumer.to_owned(),
            })
        }
        Err(reason) => {
            token.failures += 1;
            if token.failures >= FAILURES {
                token.standing = Standing::Locked(now + LOCK);
            }
            Err(fail(reason))
        }
    }
}

/// The checks that count towards a lock, in the service's order: the name of the first that fails.
fn judge(
    account: &AccountName,
    token: &Token,
    nonces: &mut HashMap<(String, String), i64>,
    incoming: Incoming<'_>,
    parameters: &[(String, String)],
    wall: Timestamp,
) -> Result<(), &'static str> {
    let field = |name: &str| {
        parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let required = |name| field(name).ok_or("MissingTokenPassportRequiredFields");
    if field("realm") != Some(account.realm()) {
        return Err("parameter_rejected");
    }
    if field("oauth_version").is_some_and(|version| version != "1.0") {
        return Err("VersionRejected");
    }
    if required("oauth_signature_method")? != "HMAC-SHA256" {
        return Err("UnknownAlgorithm");
    }
    let stamp: i64 = required("oauth_timestamp")?
        .parse()
        .map_err(|_| "InvalidTimestamp")?;
    if (stamp.saturating_sub(wall.as_second())).abs() > WINDOW {
        return Err("InvalidTimestamp");
    }
    let nonce = required("oauth_nonce")?;
    if nonce.len() < SHORTEST_NONCE {
        return Err("nonce_rejected");
    }
    let seen = (token.token_id.clone(), nonce.to_owned());
    if nonces.contains_key(&seen) {
        return Err("nonce_used");
    }
    let signature = STANDARD
        .decode(required("oauth_signature")?)
        .map_err(|_| "InvalidSignature")?;
    let genuine = is_genuine(
        account,
        incoming,
        parameters,
        (&token.consumer_secret, &token.token_secret),
        &signature,
    );
    if !genuine {
        return Err("InvalidSignature");
    }
    // A nonce outside the window can't come back: its timestamp would be refused first.
    if nonces.len() > 10_000 {
        nonces.retain(|_, stamp| (*stamp - wall.as_second()).abs() <= WINDOW);
    }
    nonces.insert(seen, stamp);
    Ok(())
}

/// Verifies a request that the integration has signed alone: the name of what fails.
pub(super) fn verify_integration(
    account: &AccountName,
    tokens: &[Token],
    incoming: Incoming<'_>,
    wall: Timestamp,
) -> Result<(), &'static str> {
    let authorization = incoming
        .authorization
        .and_then(|text| text.strip_prefix("OAuth "))
        .ok_or("MissingTokenPassportRequiredFields")?;
    let parameters = parse(authorization).ok_or("parameter_rejected")?;
    let field = |name: &str| {
        parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .ok_or("MissingTokenPassportRequiredFields")
    };
    let consumer = field("oauth_consumer_key")?;
    let token = tokens
        .iter()
        .find(|token| token.consumer_key == consumer)
        .ok_or("consumer_key_unknown")?;
    if token.standing == Standing::Blocked {
        return Err("consumer_key_refused");
    }
    if field("oauth_signature_method")? != "HMAC-SHA256" {
        return Err("UnknownAlgorithm");
    }
    field("oauth_callback")?;
    let stamp: i64 = field("oauth_timestamp")?
        .parse()
        .map_err(|_| "InvalidTimestamp")?;
    if (stamp.saturating_sub(wall.as_second())).abs() > WINDOW {
        return Err("InvalidTimestamp");
    }
    let signature = STANDARD
        .decode(field("oauth_signature")?)
        .map_err(|_| "InvalidSignature")?;
    let secrets = (token.consumer_secret.as_str(), "");
    is_genuine(account, incoming, &parameters, secrets, &signature)
        .then_some(())
        .ok_or("InvalidSignature")
}

/// Whether the signature holds for one of the addresses that the request may have been made for.
fn is_genuine(
    account: &AccountName,
    incoming: Incoming<'_>,
    parameters: &[(String, String)],
    (consumer, token): (&str, &str),
    signature: &[u8],
) -> bool {
    let secret = format!("{}&{}", encode(consumer), encode(token));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = signed_parameters(incoming.query, parameters);
    origins(account, incoming.host).iter().any(|origin| {
        let base = format!(
            "{}&{}&{}",
            incoming.method.as_str(),
            encode(&format!("{origin}{}", incoming.path)),
            encode(&signed)
        );
        hmac::verify(&key, base.as_bytes(), signature).is_ok()
    })
}

/// The addresses a signature may have been made for: the one the client was given, and the real hosts.
fn origins(account: &AccountName, host: &str) -> [String; 4] {
    [
        format!("http://{host}"),
        format!("https://{host}"),
        account.suitetalk_origin(),
        account.restlets_origin(),
    ]
}

/// The normalised parameters: query and protocol parameters, encoded, sorted, joined.
fn signed_parameters(query: &[(String, String)], parameters: &[(String, String)]) -> String {
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .chain(
            parameters
                .iter()
                .filter(|(key, _)| key != "realm" && key != "oauth_signature"),
        )
        .map(|(key, value)| (encode(key), encode(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join("&")
}

/// `key="value", …` with percent-decoded values.
fn parse(text: &str) -> Option<Vec<(String, String)>> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=')?;
            let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
            let value = percent_decode_str(value).decode_utf8().ok()?;
            Some((key.trim().to_owned(), value.into_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vendor's own example of a signature (public documentation of token-based authentication).
    #[test]
    fn the_documented_examples_verify() {
        let header = |signature: &str| {
            format!(
                "realm=\"123456\", oauth_token=\"2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc\", \
                 oauth_consumer_key=\"ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4\", \
                 oauth_nonce=\"fjaLirsIcCGVZWzBX0pg\", oauth_timestamp=\"1508242306\", \
                 oauth_signature_method=\"HMAC-SHA256\", oauth_version=\"1.0\", oauth_signature=\"{}\"",
                encode(signature)
            )
        };
        let account = AccountName::parse("123456").unwrap();
        let wall = Timestamp::from_second(1_508_242_310).unwrap();
        let query: Vec<(String, String)> = [
            ("script", "6"),
            ("deploy", "1"),
            ("customParam", "someValue"),
            ("testParam", "someOtherValue"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        let cases = [
            (
                http::Method::GET,
                "/services/rest/record/v1/employee/40",
                &[][..],
                "B5OIWznZ2YP0OB7VrJrGkYsTh+8H+5T9Hag+o92q0zY=",
            ),
            (
                http::Method::POST,
                "/app/site/hosting/restlet.nl",
                &query[..],
                "+KK4SKNgz4ZiILGLwOMtfYlgcXSy1eis8ldE9X90azQ=",
            ),
        ];
        for (method, path, query, signature) in cases {
            let mut tokens = [documented_token()];
            let mut nonces = HashMap::new();
            let incoming = Incoming {
                method: &method,
                host: "127.0.0.1:1",
                path,
                query,
                authorization: None,
            };
            let mut verify = |header: &str| {
                verify(
                    &account,
                    &mut tokens,
                    &mut nonces,
                    incoming,
                    header,
                    wall,
                    wall,
                )
                .map_err(|failure| failure.reason)
                .map(|caller| caller.kind)
            };
            assert_eq!(verify(&header(signature)), Ok(TBA));
            assert_eq!(verify(&header(signature)), Err("nonce_used"));
        }
    }

    fn documented_token() -> Token {
        Token {
            consumer_key: "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4".into(),
            consumer_secret: "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5"
                .into(),
            token_id: "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc".into(),
            token_secret: "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295".into(),
            standing: Standing::Good,
            failures: 0,
            role: super::super::role::Role::integration(),
        }
    }
}
