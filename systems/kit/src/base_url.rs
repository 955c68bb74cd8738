//! The address of an API that a person gives in the place of the service's own.

use url::Url;

/// The address without a slash at its end.
///
/// # Errors
/// What is wrong with it, and what to write.
pub fn read(given: &str) -> Result<String, String> {
    let url = Url::parse(given).map_err(|error| format!("no address ({error}); leave it out"))?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let secure = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if secure && plain && url.password().is_none() {
        return Ok(url.as_str().trim_end_matches('/').to_owned());
    }
    Err(
        "write an https address without user, query or fragment; http is accepted for loopback only"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_safe_and_plain_address_is_taken() {
        assert_eq!(
            read("https://api.example.com/v1/").as_deref(),
            Ok("https://api.example.com/v1")
        );
        for loopback in [
            "http://127.0.0.1:9104",
            "http://localhost:1",
            "http://[::1]:1",
        ] {
            assert_eq!(read(loopback).as_deref(), Ok(loopback));
        }
        for wrong in [
            "",
            "api.example.com",
            "http://example.com",
            "ftp://127.0.0.1",
            "https://user@example.com",
            "https://user:word@example.com",
            "https://example.com/?a=b",
            "https://example.com/#a",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
