//! Tenants: whose books a connection keeps, where one installation serves several companies that must not know of
//! each other.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::IdError;

/// The name of a tenant: letters, digits, `-` and `_`, at most 64.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantName(String);

impl TenantName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(known) {
            return Ok(Self(text.to_owned()));
        }
        Err(IdError {
            what: "the name of a tenant",
            text: text.to_owned(),
            rule: "use 1 to 64 letters, digits, `-` and `_`",
        })
    }
}

impl TryFrom<String> for TenantName {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<TenantName> for String {
    fn from(name: TenantName) -> Self {
        name.0
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whose connections somebody sees and touches. A connection of no tenant is the installation's own: only who reaches
/// everything reaches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everything, the installation itself included.
    All,
    /// The connections of these tenants, and nothing else.
    Tenants(BTreeSet<TenantName>),
}

impl Reach {
    /// The reach of somebody who is limited to these tenants; of somebody who is limited to none, everything.
    #[must_use]
    pub fn of(tenants: &[TenantName]) -> Self {
        if tenants.is_empty() {
            return Self::All;
        }
        Self::Tenants(tenants.iter().cloned().collect())
    }

    /// What both reach. Two that have nothing in common reach nothing.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, reach) | (reach, Self::All) => reach,
            (Self::Tenants(one), Self::Tenants(other)) => {
                Self::Tenants(one.intersection(&other).cloned().collect())
            }
        }
    }

    /// Whether it is limited at all.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        matches!(self, Self::Tenants(_))
    }

    /// Whether a connection of this tenant is within it.
    #[must_use]
    pub fn includes(&self, tenant: Option<&TenantName>) -> bool {
        match self {
            Self::All => true,
            Self::Tenants(tenants) => tenant.is_some_and(|tenant| tenants.contains(tenant)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<TenantName> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn who_is_limited_reaches_neither_others_nor_the_installations_own() {
        let [a, b] = ["a", "b"].map(|name| name.parse::<TenantName>().unwrap());
        let reach = Reach::of(&names(&["a"]));
        assert!(reach.is_limited() && reach.includes(Some(&a)));
        assert!(!reach.includes(Some(&b)) && !reach.includes(None));
        assert!(Reach::All.includes(Some(&b)) && Reach::All.includes(None));
        assert_eq!(Reach::of(&[]), Reach::All);
    }

    #[test]
    fn a_token_reaches_no_more_than_its_owner_and_nothing_is_not_everything() {
        let (a, b) = (Reach::of(&names(&["a"])), Reach::of(&names(&["b"])));
        assert_eq!(Reach::All.and(a.clone()), a);
        assert_eq!(a.clone().and(Reach::All), a);
        let both = Reach::of(&names(&["a", "b"]));
        assert_eq!(both.and(a.clone()), a);
        let nothing = a.and(b.clone());
        assert!(nothing.is_limited() && !nothing.includes(names(&["b"]).first()));
    }

    #[test]
    fn a_name_is_safe_wherever_it_is_written() {
        for text in ["", "a b", "a,b", "ä", "a/b", &"x".repeat(65)] {
            assert!(text.parse::<TenantName>().is_err(), "{text}");
        }
    }
}
