//! Passwords: what one must be, and how it is kept.
//!
//! Length is what counts, and nothing is asked of its letters (NIST SP 800-63B §3.1.1.2). Kept is an Argon2id
//! hash in PHC form with the parameters that OWASP's Password Storage Cheat Sheet names first.

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use secrecy::{ExposeSecret as _, SecretString};

use crate::StoreError;
use crate::store::Store;

/// The fewest characters a password has.
pub const PASSWORD_MIN: usize = 12;
/// The most bytes: longer ones cost time, and nobody types them.
const PASSWORD_MAX: usize = 1024;

/// Memory in KiB, passes and lanes: 19 MiB, 2, 1.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A password that nobody has, with the parameters above: what is compared for a user who isn't there, so that
/// the answer takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$dGllb3V0LW5vYm9keSEh$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

impl PasswordHash {
    /// The hash that nothing opens, for a user who isn't there.
    #[must_use]
    pub fn nobody() -> Self {
        Self(NOBODY.to_owned())
    }

    pub(super) fn from_store(text: String) -> Self {
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the password, in constant time. Takes some milliseconds of computing: not a thing to do
    /// on a thread that serves others.
    #[must_use]
    pub fn opens(&self, password: &SecretString) -> bool {
        let password = password.expose_secret().as_bytes();
        // The hash names its own parameters, which may be older ones.
        password.len() <= PASSWORD_MAX
            && Argon2::default()
                .verify_password(password, &*self.0)
                .is_ok()
    }

    /// Whether it was made with other parameters than are used now: to be made anew at the next sign-in.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        let Ok(hash) = Phc::new(&self.0) else {
            return true;
        };
        let params = Params::try_from(&hash).ok();
        let today = params.is_some_and(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY, PASSES, LANES)
        });
        hash.algorithm != Algorithm::Argon2id.ident() || !today
    }
}

impl Store {
    /// The hash of a password, with a salt of its own. Takes some milliseconds of computing.
    ///
    /// # Errors
    /// [`StoreError::PasswordUnfit`] for one that is too short, too long, or the user's own name. Also where
    /// there is no randomness to be had.
    pub fn hash_password(
        &self,
        user: &str,
        password: &SecretString,
    ) -> Result<PasswordHash, StoreError> {
        check(user, password.expose_secret())?;
        let mut salt = [0; 16];
        self.inner.seams.salts.fill(&mut salt)?;
        let unfit = |_| unfit("it can't be hashed");
        let params = Params::new(MEMORY, PASSES, LANES, None)
            .map_err(|error| StoreError::corrupt(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash: Phc = argon2
            .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
            .map_err(unfit)?;
        Ok(PasswordHash(hash.to_string()))
    }
}

fn check(user: &str, password: &str) -> Result<(), StoreError> {
    if password.chars().count() < PASSWORD_MIN {
        return Err(unfit("it has fewer than 12 characters"));
    }
    if password.len() > PASSWORD_MAX {
        return Err(unfit("it is longer than 1024 bytes"));
    }
    let same = |text: &str| text.to_lowercase() == password.to_lowercase();
    if same(user) || user.split('@').next().is_some_and(same) {
        return Err(unfit("it is the user's own name"));
    }
    Ok(())
}

fn unfit(cause: &str) -> StoreError {
    StoreError::PasswordUnfit {
        cause: cause.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_what_counts() {
        for (password, fit) in [
            ("eleven chars", true),
            ("elevenchars", false),
            ("ééééééééééé", false),
            ("aaaaaaaaaaaa", true),
            ("Jo.Doe@Example.com", false),
        ] {
            let checked = check("jo.doe@example.com", password);
            assert_eq!(checked.is_ok(), fit, "{password}");
        }
        assert!(check("jo.doe.of.sales@example.com", "Jo.Doe.of.Sales").is_err());
        assert!(check("jo", &"x".repeat(1025)).is_err());
    }

    #[test]
    fn nobody_s_hash_is_one_of_today_s_and_opens_to_nothing() {
        let nobody = PasswordHash::nobody();
        assert!(!nobody.is_outdated());
        assert!(!nobody.opens(&"".into()));
        assert!(!nobody.opens(&"correct horse battery".into()));
        let older = NOBODY.replace("m=19456", "m=4096");
        assert!(PasswordHash(older).is_outdated());
        assert!(!format!("{nobody:?}").contains("argon2"));
    }
}
