//! The cookies: one holds a session's secret, one a sign-in that was begun at the identity provider.

use http::{HeaderMap, HeaderValue, header};
use secrecy::{ExposeSecret as _, SecretString};

use crate::app::Outside;

/// A cookie under its two names.
pub(super) struct Cookie {
    /// The name over HTTPS. Browsers take a cookie of this prefix only from this very host, over HTTPS and for all
    /// paths, so that no sister site can put one in its place.
    secure: &'static str,
    /// The name over plain HTTP, which is for loopback alone.
    plain: &'static str,
}

/// A session's secret.
pub(super) const SESSION: Cookie = Cookie {
    secure: "__Host-tieout",
    plain: "tieout",
};

/// A sign-in that was begun at the identity provider.
pub(super) const OPENID: Cookie = Cookie {
    secure: "__Host-tieout-openid",
    plain: "tieout-openid",
};

impl Cookie {
    /// What a request brings along.
    pub(super) fn read(&self, headers: &HeaderMap, outside: &Outside) -> Option<SecretString> {
        let name = self.name(outside);
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| SecretString::from(value))
    }

    /// Gives it to a browser, for so many seconds or until it is closed: how long it opens anything is decided here,
    /// not there.
    pub(super) fn give(
        &self,
        secret: &SecretString,
        outside: &Outside,
        seconds: Option<i64>,
    ) -> Option<HeaderValue> {
        let (name, secret) = (self.name(outside), secret.expose_secret());
        let age = seconds.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
        let text = format!("{name}={secret}{age}{}", attributes(outside));
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Takes it back.
    pub(super) fn take(&self, outside: &Outside) -> Option<HeaderValue> {
        let text = format!("{}=; Max-Age=0{}", self.name(outside), attributes(outside));
        HeaderValue::try_from(text).ok()
    }

    fn name(&self, outside: &Outside) -> &'static str {
        if outside.is_https() {
            self.secure
        } else {
            self.plain
        }
    }
}

fn attributes(outside: &Outside) -> &'static str {
    if outside.is_https() {
        "; Path=/; HttpOnly; SameSite=Lax; Secure"
    } else {
        "; Path=/; HttpOnly; SameSite=Lax"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outside(url: &str) -> Outside {
        Outside {
            public_url: Some(url.to_owned()),
            ..Outside::default()
        }
    }

    #[test]
    fn over_https_the_cookie_is_this_host_s_alone() {
        let https = outside("https://tieout.example.com");
        let given = SESSION.give(&"abc".into(), &https, None).unwrap();
        assert_eq!(
            given.to_str().unwrap(),
            "__Host-tieout=abc; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        let plain = Outside::default();
        let given = SESSION.give(&"abc".into(), &plain, None).unwrap();
        assert_eq!(
            given.to_str().unwrap(),
            "tieout=abc; Path=/; HttpOnly; SameSite=Lax"
        );

        let mut headers = HeaderMap::new();
        let cookies = HeaderValue::from_static("a=1; tieout=weak; __Host-tieout=strong");
        headers.insert(header::COOKIE, cookies);
        let read = |outside| {
            SESSION
                .read(&headers, outside)
                .unwrap()
                .expose_secret()
                .to_owned()
        };
        assert_eq!(
            (read(&https).as_str(), read(&plain).as_str()),
            ("strong", "weak")
        );
    }
}
