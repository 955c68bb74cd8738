//! The form token: what a form of ours brings along, and no other site can know.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The field of a form.
const FIELD: &str = "form_token";
/// The header of a script's call.
const HEADER: &str = "x-form-token";
/// The most that a form may hold.
const FORM_MAX: usize = 2 * 1024 * 1024;

/// The token of a session: it follows from the session's secret, and the secret doesn't follow from it.
pub(super) fn token(secret: &SecretString) -> String {
    let mut hash = Sha256::new();
    hash.update("tieout-form-1\n");
    hash.update(secret.expose_secret());
    BASE64_URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// Why a form is refused.
pub(super) enum Unfit {
    /// It brings no token along, or another session's.
    Token,
    /// It is too large, or did not come through.
    Body,
}

/// Gives the request back if it brings this token along, in a header or in the form that is its body.
pub(super) async fn checked(request: Request, token: &str) -> Result<Request, Unfit> {
    if let Some(given) = request.headers().get(HEADER) {
        return match same(given.as_bytes(), token) {
            true => Ok(request),
            false => Err(Unfit::Token),
        };
    }
    if !is_form(request.headers()) {
        return Err(Unfit::Token);
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, FORM_MAX).await.map_err(|_| Unfit::Body)?;
    let mut given = form_urlencoded::parse(&body).filter(|(name, _)| name == FIELD);
    match (given.next(), given.next()) {
        (Some((_, given)), None) if same(given.as_bytes(), token) => {
            drop(given);
            Ok(Request::from_parts(parts, Body::from(body)))
        }
        _ => Err(Unfit::Token),
    }
}

fn same(given: &[u8], token: &str) -> bool {
    given.ct_eq(token.as_bytes()).into()
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split(';').next())
        .is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
}
