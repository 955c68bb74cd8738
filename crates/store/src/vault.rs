//! The vault: seals secrets with a key that the store never holds.

use std::path::PathBuf;

use secrecy::SecretString;

/// Where the key comes from.
pub enum KeySource {
    /// Derived from a passphrase (Argon2id, with a salt that lies in the store).
    Passphrase(SecretString),
    /// A file of 32 random bytes in Base64, readable by its owner alone.
    File(PathBuf),
    /// The service manager's credentials directory; the key lies in it under `tieout-key`.
    CredentialsDirectory(PathBuf),
}

/// An opened vault.
#[derive(Clone)]
pub struct Vault {
    _key: (),
}
