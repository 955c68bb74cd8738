//! The parameters of an address.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::problem::Problem;

/// The parameters, decoded, in their order.
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
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is absent, or has this value.
    pub(crate) fn allows(&self, name: &str, value: &str) -> bool {
        self.get(name).is_none_or(|wanted| wanted == value)
    }

    /// A parameter that is a time (RFC 3339).
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        self.parsed(name, "is not a time in RFC 3339")
    }

    /// A parameter that is a day.
    pub(crate) fn day(&self, name: &str) -> Result<Option<Date>, Problem> {
        self.parsed(name, "is not a day, YYYY-MM-DD")
    }

    /// A parameter that is a whole number.
    pub(crate) fn whole(&self, name: &str) -> Result<Option<usize>, Problem> {
        self.parsed(name, "is not a whole number")
    }

    fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let wrong = |_| Problem::bad(format!("{name} {what}"));
        text.parse().map(Some).map_err(wrong)
    }
}
