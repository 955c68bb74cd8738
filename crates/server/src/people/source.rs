//! Where a request comes from: sign-ins that fail are counted by it, and sessions name it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::HeaderMap;
use http::request::Parts;

use crate::app::{App, Outside};

/// The address that a request comes from, where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source(Option<IpAddr>);

impl Source {
    /// Of a request's headers and the peer of its connection.
    ///
    /// Behind a proxy on this machine every peer is the proxy; then it is the last address in `X-Forwarded-For`,
    /// the one that the proxy itself has written. Those before it are anybody's words.
    pub(super) fn of(headers: &HeaderMap, peer: Option<SocketAddr>, outside: &Outside) -> Self {
        let Some(peer) = peer.map(|peer| peer.ip().to_canonical()) else {
            return Self(None);
        };
        if !peer.is_loopback() || outside.public_url.is_none() {
            return Self(Some(peer));
        }
        let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
        let last = forwarded
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.rsplit(',').next())
            .and_then(|text| text.trim().parse::<IpAddr>().ok());
        Self(Some(last.map_or(peer, |last| last.to_canonical())))
    }

    /// Whether it is this machine.
    pub(super) fn is_this_machine(self) -> bool {
        self.0.is_some_and(|address| address.is_loopback())
    }

    /// The name under which its failed sign-ins are counted: an IPv6 network as a whole, since whoever has one
    /// address of it has all.
    pub(super) fn counted_as(self) -> String {
        match self.0 {
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("from:{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            Some(address) => format!("from:{address}"),
            None => "from:unknown".to_owned(),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.pad("unknown"),
        }
    }
}

/// The peer of a request's connection, where the server has told it.
pub(super) fn peer(extensions: &http::Extensions) -> Option<SocketAddr> {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| *peer)
}

impl FromRequestParts<App> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self::of(
            &parts.headers,
            peer(&parts.extensions),
            &app.outside,
        ))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_proxy_on_this_machine_is_believed_and_only_its_own_word() {
        let proxied = Outside {
            public_url: Some("https://tieout.example.com".to_owned()),
            ..Outside::default()
        };
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-forwarded-for",
            HeaderValue::from_static("10.0.0.1, 203.0.113.7"),
        );
        let of = |peer: &str, outside| {
            let peer = Some(peer.parse().unwrap());
            Source::of(&headers, peer, outside).to_string()
        };
        assert_eq!(of("127.0.0.1:5000", &proxied), "203.0.113.7");
        assert_eq!(of("198.51.100.2:5000", &proxied), "198.51.100.2");
        assert_eq!(of("127.0.0.1:5000", &Outside::default()), "127.0.0.1");
        let none = Source::of(&HeaderMap::new(), None, &proxied);
        assert!(!none.is_this_machine());
        assert_eq!(none.counted_as(), "from:unknown");
        let six = Source(Some("2001:db8:1:2:3:4:5:6".parse().unwrap()));
        assert_eq!(six.counted_as(), "from:2001:db8:1:2::/64");
    }
}
