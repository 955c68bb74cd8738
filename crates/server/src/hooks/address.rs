//! Where a hook may go: over HTTPS, and to no address that only this machine's network can reach.
//!
//! Whoever may write the configuration may have the service call any address, and what answers inside a network
//! often trusts whoever is in it. So private and local addresses are refused unless they are listed by name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a hook may be sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Anybody's.
    Public,
    /// This machine's own.
    Loopback,
    /// Of this machine's network, of a cloud's own services, or nobody's.
    Private,
}

/// What sort of place an address is. One that is not known to be public is none.
#[must_use]
pub fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(v4) => place_v4(v4),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => place_v4(v4),
            None if v6.is_loopback() => Place::Loopback,
            // Global unicast is 2000::/3 (RFC 4291), less documentation (RFC 3849).
            None if v6.segments()[0] & 0xe000 == 0x2000 && !is_documentation(v6) => Place::Public,
            None => Place::Private,
        },
    }
}

/// The IPv4 address inside an IPv6 one: mapped (RFC 4291), translated (RFC 6052), 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = address.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => address.to_ipv4_mapped(),
    }
}

fn is_documentation(address: Ipv6Addr) -> bool {
    address.segments()[..2] == [0x2001, 0xdb8]
}

fn place_v4(address: Ipv4Addr) -> Place {
    let [a, b, c, _] = address.octets();
    if address.is_loopback() {
        return Place::Loopback;
    }
    let closed = address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        // Shared by carriers (RFC 6598), for protocols (RFC 6890), for measurements (RFC 2544).
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    if closed {
        Place::Private
    } else {
        Place::Public
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        let public = [
            "93.184.216.34",
            "8.8.8.8",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ];
        let private = [
            "10.0.0.1",
            "172.16.3.4",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:a00:1::",
            "2001:db8::1",
        ];
        let loopback = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"];
        let all = |texts: &[&str], sort: Place| {
            for text in texts {
                assert_eq!(place(text.parse().unwrap()), sort, "{text}");
            }
        };
        all(&public, Place::Public);
        all(&private, Place::Private);
        all(&loopback, Place::Loopback);
    }
}
