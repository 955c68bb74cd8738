//! The cookie that holds a session's secret.

use http::{HeaderMap, HeaderValue, header};
use secrecy::{ExposeSecret as _, SecretString};

use crate::app::Outside;

/// The name over HTTPS. Browsers take a cookie of this prefix only from this very host, over HTTPS and for all
/// paths, so that no sister site can put one in its place.
const SECURE: &str = "__Host-tieout";
/// The name over plain HTTP, which is for loopback alone.
const PLAIN: &str = "tieout";

/// The secret that a request brings along.
pub(super) fn read(headers: &HeaderMap, outside: &Outside) -> Option<SecretString> {
    let name = name(outside);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| SecretString::from(value))
}

/// Gives the secret to a browser, until it is closed: how long it opens anything is decided here, not there.
pub(super) fn give(secret: &SecretString, outside: &Outside) -> Option<HeaderValue> {
    let text = format!(
        "{}={}{}",
        name(outside),
        secret.expose_secret(),
        attributes(outside)
    );
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Takes it back.
pub(super) fn take(outside: &Outside) -> Option<HeaderValue> {
    let text = format!("{}=; Max-Age=0{}", name(outside), attributes(outside));
    HeaderValue::try_from(text).ok()
}

fn name(outside: &Outside) -> &'static str {
    if outside.is_https() { SECURE } else { PLAIN }
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
        let given = give(&"abc".into(), &https).unwrap();
        assert_eq!(
            given.to_str().unwrap(),
            "__Host-tieout=abc; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        let plain = Outside::default();
        let given = give(&"abc".into(), &plain).unwrap();
        assert_eq!(
            given.to_str().unwrap(),
            "tieout=abc; Path=/; HttpOnly; SameSite=Lax"
        );

        let mut headers = HeaderMap::new();
        let cookies = HeaderValue::from_static("a=1; tieout=weak; __Host-tieout=strong");
        headers.insert(header::COOKIE, cookies);
        let read = |outside| read(&headers, outside).unwrap().expose_secret().to_owned();
        assert_eq!(
            (read(&https).as_str(), read(&plain).as_str()),
            ("strong", "weak")
        );
    }
}
