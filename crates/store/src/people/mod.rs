//! The people of an installation: users and their roles, sessions, tokens of the API, sign-ins that failed, and
//! what one of them asks for and another must approve.
//!
//! Who may do what follows from the history, like everything else. What proves who somebody is (the hash of a
//! password, of a session's secret, of a token) lies beside it, and goes with the user.

mod approvals;
mod attempts;
mod fold;
mod password;
mod sessions;
mod tokens;
mod users;
mod words;

use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use crate::StoreError;
use crate::store::Store;
use tieout_domain::hexadecimal;

pub use approvals::{Approval, ApprovalDecision, ApprovalStatus, Asked};
pub use attempts::Attempt;
pub use password::{PASSWORD_MIN, PasswordHash};
pub use words::{
    ApiToken, NewToken, NewUser, Role, Scope, Session, SessionLimits, TokenChange, User,
    UserChange, UserEdit,
};

pub(crate) use fold::fold;

/// The users, sessions and tokens. Every change of a user or a token is in the installation's history.
#[derive(Debug, Clone)]
pub struct People {
    store: Store,
}

impl Store {
    /// The users, sessions and tokens of the installation.
    #[must_use]
    pub fn people(&self) -> People {
        People {
            store: self.clone(),
        }
    }
}

impl People {
    /// 256 random bits as text, that nothing else knows: for what is begun before anybody has signed in.
    ///
    /// # Errors
    /// Where the operating system gives no random bits.
    pub fn new_secret(&self) -> Result<SecretString, StoreError> {
        new_secret(&self.store).map(SecretString::from)
    }
}

/// The longest name of a user or a token.
const NAME_MAX: usize = 64;

/// Refuses what can't be a name: names go into the history, into headers of mails and into addresses.
fn check_name(name: &str) -> Result<(), StoreError> {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-@+".contains(c);
    let cause = if name.is_empty() || name.len() > NAME_MAX {
        "it must have 1 to 64 characters"
    } else if !name.chars().all(known) {
        "only lower-case letters, digits and `.`, `_`, `-`, `@`, `+` are in it"
    } else {
        return Ok(());
    };
    Err(StoreError::NameUnfit {
        name: name.chars().take(NAME_MAX).collect(),
        cause: cause.to_owned(),
    })
}

/// 256 random bits as text: what opens a session or is a token.
fn new_secret(store: &Store) -> Result<String, StoreError> {
    let mut bytes = [0; 32];
    store.inner.seams.salts.fill(&mut bytes)?;
    Ok(tieout_domain::hexadecimal(&bytes))
}

/// What is kept of a secret. It is random, so one pass of a hash is enough, and a look-up by the hash tells
/// nothing of the secret, whatever time it takes.
fn secret_hash(secret: &str) -> String {
    hexadecimal(&Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe_wherever_it_is_written() {
        for name in ["jo", "jo.doe@example.com", "ci-bot_2", "a+b@x.io"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "x".repeat(65);
        for name in [
            "",
            "Jo",
            "jo doe",
            "jo\r\nBcc: x",
            "jö",
            "<b>",
            "a/b",
            &long,
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
