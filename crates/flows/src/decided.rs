//! What people decided about records, and how the store keeps it.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tieout_domain::RecordRef;
use tieout_domain::code::Code;

/// What a person decided about a record.
///
/// As text: `ignore`, `create`, `link SIDE/KIND/ID`, `accept CODE…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decided {
    /// Leave it alone: its state is `SKIPPED(ignored)`.
    Ignore,
    /// It is this record over there.
    Link(RecordRef),
    /// It has no counterpart: create it.
    Create,
    /// The warnings of these codes are understood; go on as if they were not there (a second instalment of the same
    /// number). A warning of another code asks again.
    Accept(Vec<Code>),
    /// A word that a later version may know. Nothing is decided by it.
    Other(String),
}

impl Decided {
    /// Whether the warning of this code is understood.
    #[must_use]
    pub fn accepts(&self, code: &Code) -> bool {
        matches!(self, Self::Accept(codes) if codes.contains(code))
    }
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ignore => f.write_str("ignore"),
            Self::Link(target) => write!(f, "link {target}"),
            Self::Create => f.write_str("create"),
            Self::Accept(codes) => {
                f.write_str("accept")?;
                codes.iter().try_for_each(|code| write!(f, " {code}"))
            }
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl FromStr for Decided {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        Ok(match (word, rest) {
            ("ignore", "") => Self::Ignore,
            ("create", "") => Self::Create,
            ("accept", codes) => {
                Self::Accept(codes.split_whitespace().map(Code::from_text).collect())
            }
            ("link", target) => match target.parse() {
                Ok(target) => Self::Link(target),
                Err(_) => Self::Other(text.to_owned()),
            },
            _ => Self::Other(text.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Decided {
        let Ok(decided) = text.parse();
        decided
    }

    #[test]
    fn what_was_decided_is_read_back_as_it_was() {
        for text in [
            "ignore",
            "create",
            "link platform/bill/00n1",
            "accept",
            "accept possible-duplicate",
            "accept refund-applied payment-failed",
            "postpone until spring",
            "link nowhere",
        ] {
            assert_eq!(read(text).to_string(), text);
        }
        assert_eq!(
            read("link nowhere"),
            Decided::Other("link nowhere".to_owned())
        );
    }

    #[test]
    fn a_warning_is_understood_by_its_code_alone() {
        let decided = read("accept paid-both-ways");
        assert!(decided.accepts(&Code::new("paid-both-ways")));
        assert!(!decided.accepts(&Code::new("payment-failed")));
        assert!(!read("accept").accepts(&Code::new("paid-both-ways")));
        assert!(!read("create").accepts(&Code::new("paid-both-ways")));
    }
}
