//! Links: a path, and what is asked there.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tieout_domain::{ConnectionName, RecordRef};

/// What needs no escape in a part of a path or in a value.
const SAFE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A link within the pages. Whatever it is given is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    asks: bool,
}

impl Address {
    /// The page at these parts of a path: `["runs", id]` is `/runs/ID`; none is the overview.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        for part in parts {
            text.push('/');
            text.extend(utf8_percent_encode(part, SAFE));
        }
        if text.is_empty() {
            text.push('/');
        }
        Self { text, asks: false }
    }

    /// A connection's page.
    #[must_use]
    pub fn connection(name: &ConnectionName) -> Self {
        Self::of(["connections", name.as_str()])
    }

    /// A record's page.
    #[must_use]
    pub fn record(connection: &ConnectionName, record: &RecordRef) -> Self {
        Self::of([
            "records",
            connection.as_str(),
            record.side.as_str(),
            record.kind.as_str(),
            record.id.as_str(),
        ])
    }

    /// With a value that it asks for; without it where the value is empty.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if value.is_empty() {
            return self;
        }
        self.text.push(if self.asks { '&' } else { '?' });
        self.asks = true;
        self.text.extend(utf8_percent_encode(name, SAFE));
        self.text.push('=');
        self.text.extend(utf8_percent_encode(value, SAFE));
        self
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl maud::Render for Address {
    fn render_to(&self, buffer: &mut String) {
        self.text.as_str().render_to(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_is_given_can_not_leave_its_place() {
        let address = Address::of(["records", "../a?b#c/d"])
            .with("q", "x&y=<z>")
            .with("none", "")
            .with("page", "2");
        assert_eq!(
            address.to_string(),
            "/records/..%2Fa%3Fb%23c%2Fd?q=x%26y%3D%3Cz%3E&page=2"
        );
        assert_eq!(Address::of([]).to_string(), "/");
    }
}
