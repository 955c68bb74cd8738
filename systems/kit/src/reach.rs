//! Why no connection was made, or why what answered is not the service: told apart by the words of the
//! resolver, of the TLS library, and by the body.

use tieout_domain::code::Code;

/// The code for a request that never got through, by the words of what failed.
#[must_use]
pub fn lost_code(words: &str) -> Code {
    let words = words.to_lowercase();
    let any = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if any(&["dns error", "failed to lookup address"]) {
        Code::new("dns")
    } else if any(&["not valid for name", "notvalidforname"]) {
        Code::new("tls-wrong-name")
    } else if any(&["certificate expired", "certificate not valid yet"]) {
        Code::new("tls-expired")
    } else if any(&["invalid peer certificate"]) {
        Code::new("tls-untrusted")
    } else if any(&["corrupt message", "invalidcontenttype"]) {
        Code::new("tls-not-spoken")
    } else if any(&["proxy", "tunnel"]) {
        Code::new("proxy")
    } else {
        Code::new("unreachable")
    }
}

/// Whether a body is a web page: what a proxy, a gateway or a sign-in portal answers in the place of an API.
#[must_use]
pub fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_of_a_missing_connection_are_told_apart() {
        for (words, code) in [
            (
                "error sending request: client error (Connect): dns error: failed to lookup address \
                 information: Name or service not known",
                "dns",
            ),
            (
                "client error (Connect): tcp connect error: Connection refused (os error 111)",
                "unreachable",
            ),
            (
                "client error (Connect): invalid peer certificate: UnknownIssuer",
                "tls-untrusted",
            ),
            (
                "client error (Connect): invalid peer certificate: certificate not valid for name \
                 \"1234567.suitetalk.api.netsuite.com\"; certificate is only valid for proxy.example.com",
                "tls-wrong-name",
            ),
            (
                "client error (Connect): invalid peer certificate: certificate expired: verification time 1764417000 \
                 (UNIX), but certificate is not valid after 1609459200 (154957800 seconds ago)",
                "tls-expired",
            ),
            (
                "client error (Connect): received corrupt message of type InvalidContentType",
                "tls-not-spoken",
            ),
            (
                "client error (Connect): tunnel error: unsuccessful: proxy authorization required",
                "proxy",
            ),
        ] {
            assert_eq!(lost_code(words).as_str(), code, "{words}");
        }
        assert!(is_page(b"\n <!DOCTYPE html>") && !is_page(b"{}"));
    }
}
