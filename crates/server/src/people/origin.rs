//! Whether a request that changes something comes from our own pages, as far as the browser says so.
//!
//! `Sec-Fetch-Site` is written by the browser and can't be set by a page; `Origin` names the page's own site. A
//! program that is no browser sends neither, and rides on nobody's session.

use http::{HeaderMap, header};

use crate::app::Outside;

/// Whether nothing says that it comes from elsewhere.
pub(super) fn is_ours(headers: &HeaderMap, outside: &Outside) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site")
        && !matches!(site, "same-origin" | "none")
    {
        return false;
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else {
        return true;
    };
    let public = outside.public_url.as_deref();
    if public.is_some_and(|public| origin.eq_ignore_ascii_case(public)) {
        return true;
    }
    // A page that was opened by the address that is listened on, and not by the public one.
    let host = text(header::HOST.as_str());
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some() && authority == host
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn another_site_is_known_by_what_the_browser_says() {
        let outside = Outside {
            public_url: Some("https://tieout.example.com".to_owned()),
            ..Outside::default()
        };
        let cases: [(&[(&'static str, &'static str)], bool); 9] = [
            (&[], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (
                &[("origin", "https://tieout.example.com"), ("host", "x")],
                true,
            ),
            (
                &[
                    ("origin", "http://127.0.0.1:8700"),
                    ("host", "127.0.0.1:8700"),
                ],
                true,
            ),
            (
                &[
                    ("origin", "https://evil.example.com"),
                    ("host", "tieout.example.com"),
                ],
                false,
            ),
            (&[("origin", "null"), ("host", "tieout.example.com")], false),
        ];
        for (given, ours) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_ours(&headers, &outside), ours, "{given:?}");
        }
    }
}
