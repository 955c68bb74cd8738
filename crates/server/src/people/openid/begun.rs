//! A sign-in that was begun: what binds it to the browser that began it.
//!
//! The browser keeps one secret, in a cookie, for ten minutes. State, nonce and code verifier follow from it, so that
//! nothing is kept here for visitors who never come back, and an answer that was made for another browser fits none.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tieout_domain::Timestamp;

use crate::app::Outside;
use crate::people::cookie;

/// So long a person may take at the provider.
const SECONDS_MAX: i64 = 600;
/// The longest address that is gone on to.
const NEXT_MAX: usize = 2000;

/// A sign-in that was begun.
pub(super) struct Begun {
    secret: SecretString,
    at: i64,
    /// Where the person wanted to go.
    pub(super) next: String,
}

impl Begun {
    /// Begins one, with a secret that nobody else knows.
    pub(super) fn new(secret: SecretString, now: Timestamp, next: &str) -> Self {
        let next = if next.len() > NEXT_MAX { "/" } else { next };
        Self {
            secret,
            at: now.as_second(),
            next: next.to_owned(),
        }
    }

    /// The one that this browser began.
    pub(super) fn of(headers: &HeaderMap, outside: &Outside) -> Option<Self> {
        let value = cookie::OPENID.read(headers, outside)?;
        let mut parts = value.expose_secret().splitn(3, '.');
        let (secret, at, next) = (parts.next()?, parts.next()?, parts.next()?);
        let next = BASE64_URL_SAFE_NO_PAD.decode(next).ok()?;
        Some(Self {
            secret: secret.into(),
            at: at.parse().ok()?,
            next: String::from_utf8(next).ok()?,
        })
    }

    /// The cookie that the browser keeps.
    pub(super) fn cookie(&self, outside: &Outside) -> Option<HeaderValue> {
        let next = BASE64_URL_SAFE_NO_PAD.encode(&self.next);
        let value = format!("{}.{}.{next}", self.secret.expose_secret(), self.at);
        cookie::OPENID.give(&value.into(), outside, Some(SECONDS_MAX))
    }

    /// What the provider must give back: proves that the answer belongs to this sign-in.
    pub(super) fn state(&self) -> String {
        format!("{}.{}", self.at, self.derived("state"))
    }

    /// What the token must hold: proves that it was made for this sign-in.
    pub(super) fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// What opens the code (RFC 7636): whoever catches the code has not got it.
    pub(super) fn verifier(&self) -> String {
        self.derived("verifier")
    }

    /// What the provider is shown of the [`verifier`](Self::verifier).
    pub(super) fn challenge(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier()))
    }

    /// Whether an answer with this state is one to this sign-in, and none that comes too late.
    pub(super) fn is_answered_by(&self, state: &str, now: Timestamp) -> bool {
        let same: bool = self.state().as_bytes().ct_eq(state.as_bytes()).into();
        same && (0..=SECONDS_MAX).contains(&(now.as_second() - self.at))
    }

    /// Its moment is in what is derived: a browser can't make it younger.
    fn derived(&self, what: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("tieout-openid-1\n{what}\n{}\n", self.at));
        hash.update(self.secret.expose_secret());
        BASE64_URL_SAFE_NO_PAD.encode(hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_answer_fits_the_browser_that_began_and_only_for_a_while() {
        let outside = Outside::default();
        let begun = Begun::new("abc".into(), at(1000), "/runs?q=1");
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, begun.cookie(&outside).unwrap());
        let same = Begun::of(&headers, &outside).unwrap();
        assert_eq!(same.next, "/runs?q=1");
        let state = begun.state();
        assert!(same.is_answered_by(&state, at(1600)));
        assert!(!same.is_answered_by(&state, at(1601)));
        assert!(!same.is_answered_by(&state, at(999)));
        let other = Begun::new("abd".into(), at(1000), "/");
        assert!(!other.is_answered_by(&state, at(1000)));
        let younger = Begun::new("abc".into(), at(1500), "/");
        assert!(!younger.is_answered_by(&state, at(1700)));
        assert_eq!(begun.verifier().len(), 43);
        let all = [state, begun.nonce(), begun.verifier(), begun.challenge()];
        assert!(all.iter().all(|one| !one.contains("abc")));
    }
}
