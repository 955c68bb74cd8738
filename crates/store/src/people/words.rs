//! The words for people: roles, users, sessions, tokens.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tieout_domain::{Reach, TenantName, Timestamp};

/// What a user may do. Each role may do all that those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees everything but secrets, and changes nothing: also an auditor's role.
    Viewer,
    /// Retries, links, ignores, syncs, pauses.
    Operator,
    /// Confirms mappings, replays, reviews and signs.
    Approver,
    /// Keeps credentials, preferences, connections and users.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Approver, Self::Admin];

    /// The word in the store, on pages and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| {
                format!("`{text}` is no role; there are viewer, operator, approver and admin")
            })
    }
}

/// What an API token may do: never more than its owner's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// What a viewer may.
    Read,
    /// What an operator may.
    Operate,
    /// What an approver may.
    Approve,
    /// What an admin may.
    Admin,
}

impl Scope {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Operate, Self::Approve, Self::Admin];

    /// The word in the store, on pages and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Approve => "approve",
            Self::Admin => "admin",
        }
    }

    /// The most that it lets its owner do.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Operate => Role::Operator,
            Self::Approve => Role::Approver,
            Self::Admin => Role::Admin,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| {
                format!("`{text}` is no scope; there are read, operate, approve and admin")
            })
    }
}

/// What happened to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserChange {
    /// May use this installation from now on.
    Added,
    /// Has another name, mail, role, subject, or was disabled or enabled.
    Changed,
    /// Has another password.
    Password,
    /// All of their sessions were ended by somebody.
    SignedOut,
    /// May not use this installation any more.
    Removed,
}

impl UserChange {
    /// The word on pages and in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Password => "password",
            Self::SignedOut => "signed-out",
            Self::Removed => "removed",
        }
    }
}

/// What happened to an API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenChange {
    /// It was made.
    Made,
    /// It is good for nothing any more.
    Revoked,
}

impl TokenChange {
    /// The word on pages and in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Revoked => "revoked",
        }
    }
}

/// A user, without what proves who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// What they sign in with; the history calls them `user:NAME`.
    pub name: String,
    /// What people call them.
    pub display: String,
    /// Their mail address; empty for none.
    pub mail: String,
    /// What they may do.
    pub role: Role,
    /// Who they are for the identity provider, where they sign in by one.
    pub subject: Option<String>,
    /// Whether they are kept from signing in.
    pub disabled: bool,
    /// Until when they are a user at all; for ever if nothing is said.
    pub until: Option<Timestamp>,
    /// Since when they are a user.
    pub created: Timestamp,
    /// Whether they can sign in by a password.
    pub has_password: bool,
    /// When they last signed in.
    pub signed_in: Option<Timestamp>,
    /// The tenants whose connections alone they see and touch; everything if none is named.
    pub tenants: Vec<TenantName>,
}

impl User {
    /// As the history names them.
    #[must_use]
    pub fn actor(&self) -> String {
        format!("user:{}", self.name)
    }

    /// Whose connections they see and touch.
    #[must_use]
    pub fn reach(&self) -> Reach {
        Reach::of(&self.tenants)
    }

    /// Whether they may do what this role may, as long as their [time](Self::until) is not over.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        !self.disabled && self.role >= role
    }

    /// Whether they are kept from signing in at this moment.
    #[must_use]
    pub fn is_kept_out(&self, now: Timestamp) -> bool {
        self.disabled || self.until.is_some_and(|until| until <= now)
    }
}

/// A user who is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// See [`User::name`].
    pub name: String,
    /// See [`User::display`].
    pub display: String,
    /// See [`User::mail`].
    pub mail: String,
    /// See [`User::role`].
    pub role: Role,
    /// See [`User::subject`].
    pub subject: Option<String>,
    /// See [`User::until`].
    pub until: Option<Timestamp>,
    /// See [`User::tenants`].
    pub tenants: Vec<TenantName>,
}

/// What is to be changed of a user; the rest stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserEdit {
    /// See [`User::display`].
    pub display: Option<String>,
    /// See [`User::mail`].
    pub mail: Option<String>,
    /// See [`User::role`].
    pub role: Option<Role>,
    /// See [`User::subject`]; empty for none any more.
    pub subject: Option<String>,
    /// See [`User::disabled`].
    pub disabled: Option<bool>,
    /// See [`User::until`]; the outer one says whether it is changed at all.
    pub until: Option<Option<Timestamp>>,
    /// See [`User::tenants`]; none for everything.
    pub tenants: Option<Vec<TenantName>>,
}

/// A browser in which somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Names it without opening it: the hash of its secret.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// When it began.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub seen: Timestamp,
    /// From which address it began.
    pub source: String,
    /// What the browser says it is.
    pub agent: String,
}

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without being used.
    pub idle: std::time::Duration,
    /// In any case.
    pub whole: std::time::Duration,
}

impl Default for SessionLimits {
    /// Half an hour, and half a day.
    fn default() -> Self {
        Self {
            idle: std::time::Duration::from_secs(30 * 60),
            whole: std::time::Duration::from_secs(12 * 3600),
        }
    }
}

/// A token of the API, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiToken {
    /// What people call it; the history calls it `token:NAME`.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it is good; for ever if nothing is said.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub used: Option<Timestamp>,
    /// The tenants whose connections alone it is good for, of those that its owner reaches; all of them if none is
    /// named.
    pub tenants: Vec<TenantName>,
}

impl ApiToken {
    /// Whose connections it is good for, by itself: never more than its owner's reach.
    #[must_use]
    pub fn reach(&self) -> Reach {
        Reach::of(&self.tenants)
    }

    /// As the history names it.
    #[must_use]
    pub fn actor(&self) -> String {
        format!("token:{}", self.name)
    }
}

/// A token that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// See [`ApiToken::name`].
    pub name: String,
    /// See [`ApiToken::user`].
    pub user: String,
    /// See [`ApiToken::scope`].
    pub scope: Scope,
    /// See [`ApiToken::expires`].
    pub expires: Option<Timestamp>,
    /// See [`ApiToken::tenants`].
    pub tenants: Vec<TenantName>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_ones_before_it_may() {
        assert!(Role::ALL.is_sorted());
        assert!(Role::Admin > Role::Approver && Role::Approver > Role::Operator);
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
        for (scope, role) in Scope::ALL.into_iter().zip(Role::ALL) {
            assert_eq!(scope.role(), role);
            assert_eq!(scope.as_str().parse::<Scope>(), Ok(scope));
        }
    }
}
