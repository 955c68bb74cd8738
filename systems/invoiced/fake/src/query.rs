//! The parameters of an address.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::problem::Problem;

/// The parameters, decoded, in their order. Brackets may come raw or encoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what follows the question mark.
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// All parameters.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// The parameters `OUTER[inner]`, by what is inside.
    pub(crate) fn within<'a>(&'a self, outer: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs().filter_map(move |(key, value)| {
            let inner = key.strip_prefix(outer)?.strip_prefix('[')?;
            Some((inner.strip_suffix(']')?, value))
        })
    }

    /// The words of a parameter that is a list with commas.
    pub(crate) fn words(&self, name: &str) -> impl Iterator<Item = &str> {
        let text = self.get(name).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
    }

    /// A parameter that is a time in seconds since 1970.
    pub(crate) fn time(&self, name: &'static str) -> Result<Option<i64>, Problem> {
        self.whole(name, "is not a UNIX timestamp")
    }

    /// A parameter that is a whole number.
    pub(crate) fn whole(&self, name: &'static str, what: &str) -> Result<Option<i64>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number = text.parse().ok();
        let wrong = || Problem::param(name, format!("{name} {what}"));
        number.map(Some).ok_or_else(wrong)
    }

    /// The parameters other than the page's, written anew: everything but letters and digits is encoded, because
    /// clients take the `Link` header apart at its commas and semicolons.
    pub(crate) fn without_page(&self) -> String {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let rest = self
            .pairs()
            .filter(|(key, _)| !matches!(*key, "page" | "per_page"));
        let rest: Vec<String> = rest
            .map(|(key, value)| format!("{}={}", encoded(key), encoded(value)))
            .collect();
        rest.join("&")
    }
}

/// A flag in any of the spellings that the official clients use.
pub(crate) fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "true" | "True" | "TRUE" => Some(true),
        "0" | "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}
