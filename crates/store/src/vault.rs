//! The vault: seals secrets with a key that the store never holds.
//!
//! Each secret has a random data key of its own. The secret is sealed by its data key, the data key by the
//! vault's key, both with AES-256-GCM-SIV: a nonce that were drawn twice would tell no more than that two
//! texts are equal. Name, kind and version are bound in, so that no sealed text passes for another.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::AnyConnection;
use zeroize::Zeroizing;

use crate::StoreError;
use crate::credentials::CredentialRow;
use crate::sql::{self, cells, text, with};
use crate::store::Store;
use tieout_domain::hexadecimal;

const KEY_BYTES: usize = 32;
/// The name of the key in the service manager's credentials directory.
const CREDENTIAL: &str = "tieout-key";
/// What a sealed text begins with.
const VERSION: &str = "v1";
/// What is sealed under the vault's key, so that a wrong one is known at once.
const CHECK: &[u8] = b"tieout";
/// Memory in KiB, passes and lanes for Argon2id: the second choice of RFC 9106, for 64 MiB of memory.
const ARGON2: (u32, u32, u32) = (65_536, 3, 4);

type Bytes = Zeroizing<Vec<u8>>;

/// Where the vault's key comes from.
pub enum KeySource {
    /// Derived from a passphrase by Argon2id; the salt lies in the store.
    Passphrase(SecretString),
    /// A file of 32 random bytes in Base64, readable by its owner alone: see [`Vault::create_key_file`].
    File(PathBuf),
    /// The service manager's credentials directory, where the key lies under `tieout-key`.
    CredentialsDirectory(PathBuf),
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Passphrase(_) => f.write_str("Passphrase([redacted])"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::CredentialsDirectory(path) => {
                f.debug_tuple("CredentialsDirectory").field(path).finish()
            }
        }
    }
}

/// A vault that is open: holds the key, and shows it to nobody.
#[derive(Clone)]
pub struct Vault {
    key: Arc<Zeroizing<[u8; KEY_BYTES]>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault([redacted])")
    }
}

impl Vault {
    /// The vault of this key. The salt counts for a passphrase alone. Deriving takes a good part of a second.
    ///
    /// # Errors
    /// [`StoreError::VaultKeyMissing`] where the key can't be read, or others may read it too.
    pub fn from_key(source: &KeySource, salt: &[u8]) -> Result<Self, StoreError> {
        let key = match source {
            KeySource::Passphrase(passphrase) => derive(passphrase, salt)?,
            KeySource::File(path) => read_key(path, true)?,
            // The service manager makes it readable for this service alone, in its own way.
            KeySource::CredentialsDirectory(folder) => read_key(&folder.join(CREDENTIAL), false)?,
        };
        Ok(Self { key: Arc::new(key) })
    }

    /// Makes a key file that nobody but its owner may read. Never overwrites one.
    ///
    /// # Errors
    /// [`StoreError::VaultKeyMissing`] where it can't be made, or is there already.
    pub fn create_key_file(path: &Path) -> Result<(), StoreError> {
        use std::io::Write as _;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let text = Zeroizing::new(BASE64_STANDARD.encode(random::<KEY_BYTES>()?.as_slice()) + "\n");
        let written = options.open(path).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        let written = written.and_then(|()| keep_name(path));
        written.map_err(|error| missing(format!("{} can't be made: {error}", path.display())))
    }

    /// Seals a secret for this context; only the same context opens it again.
    pub(crate) fn seal(&self, context: &str, secret: &[u8]) -> Result<String, StoreError> {
        let data_key = random::<KEY_BYTES>()?;
        let sealed_key = seal_with(&self.key, &format!("key\n{context}"), data_key.as_slice())?;
        let sealed = seal_with(&data_key, &format!("secret\n{context}"), secret)?;
        Ok(format!("{VERSION}.{sealed_key}.{sealed}"))
    }

    /// Opens what was sealed for this context.
    pub(crate) fn open(&self, context: &str, sealed: &str) -> Result<Bytes, StoreError> {
        let (sealed_key, sealed) = parts(context, sealed)?;
        let data_key = open_with(&self.key, &format!("key\n{context}"), sealed_key)
            .ok_or_else(|| wrong(context))?;
        let data_key: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(
            data_key
                .as_slice()
                .try_into()
                .map_err(|_| damaged(context))?,
        );
        open_with(&data_key, &format!("secret\n{context}"), sealed).ok_or_else(|| wrong(context))
    }
}

impl Vault {
    /// What is sealed, under another vault's key: its data key is sealed anew, the secret itself is not
    /// touched and never in the clear.
    fn resealed(&self, context: &str, sealed: &str, new: &Self) -> Result<String, StoreError> {
        let (sealed_key, secret) = parts(context, sealed)?;
        let context = format!("key\n{context}");
        let data_key = open_with(&self.key, &context, sealed_key).ok_or_else(|| wrong(&context))?;
        let sealed_key = seal_with(&new.key, &context, &data_key)?;
        Ok(format!("{VERSION}.{sealed_key}.{secret}"))
    }

    /// Holds the store's key as it is until the transaction ends, and makes sure that it is this one: what
    /// is sealed now must open after a rotation by another process.
    pub(crate) async fn hold(&self, transaction: &mut AnyConnection) -> Result<(), StoreError> {
        let row = with(sql::VAULT_HOLD, cells!["key"])
            .fetch_one(transaction)
            .await?;
        let opened = self.open("check", &text(&row, 1)?);
        opened.map(drop).map_err(|_| StoreError::VaultKeyWrong {
            cause: "the store's key was changed by another process".to_owned(),
        })
    }
}

impl Store {
    /// Puts another key in the place of the vault's, in one transaction: each data key is sealed anew, what
    /// they seal stays as it is. What is kept for a while stays, too. Whoever holds the old key opens and
    /// seals nothing from then on, and is told so by [`StoreError::VaultKeyWrong`].
    ///
    /// # Errors
    /// [`StoreError::VaultKeyWrong`] if the old key isn't the one, [`StoreError::VaultKeyMissing`] for the
    /// new one. Also what a database can answer. Whatever goes wrong, the old key is still the store's.
    pub async fn rotate_key(
        &self,
        old: &Vault,
        new: &KeySource,
        actor: &str,
    ) -> Result<Vault, StoreError> {
        // A salt of its own for each passphrase; made a key of before anybody has to wait for us.
        let salt = hexadecimal(random::<16>()?.as_slice());
        let new = Vault::from_key(new, salt.as_bytes())?;
        let mut transaction = self.begin().await?;
        old.hold(&mut transaction).await?;
        self.reseal_credentials(&mut transaction, old, &new).await?;
        for row in with(sql::KEPT_ALL, cells![])
            .fetch_all(&mut transaction)
            .await?
        {
            let name = text(&row, 0)?;
            let sealed = old.resealed(&format!("kept\n{name}"), &text(&row, 1)?, &new)?;
            with(sql::KEPT_RESEAL, cells![sealed, name])
                .execute(&mut transaction)
                .await?;
        }
        let cells = cells![salt, new.seal("check", CHECK)?, "key"];
        with(sql::VAULT_SET, cells)
            .execute(&mut transaction)
            .await?;
        self.record_credential(&mut transaction, "vault key", "vault", "rotated", actor)
            .await?;
        transaction.commit().await?;
        Ok(new)
    }

    async fn reseal_credentials(
        &self,
        transaction: &mut AnyConnection,
        old: &Vault,
        new: &Vault,
    ) -> Result<(), StoreError> {
        for row in with(sql::CREDENTIALS, cells![])
            .fetch_all(&mut *transaction)
            .await?
        {
            let credential = CredentialRow::read(&row)?;
            let sealed = old.resealed(&credential.context(), &text(&row, 5)?, new)?;
            with(sql::CREDENTIAL_RESEAL, cells![sealed, credential.name])
                .execute(&mut *transaction)
                .await?;
        }
        Ok(())
    }

    /// Opens the vault: holds the key against what is sealed already. On a new store, the first key that
    /// comes is the one from then on.
    ///
    /// # Errors
    /// [`StoreError::VaultKeyMissing`] and [`StoreError::VaultKeyWrong`]. Also what a database can answer.
    pub async fn vault(&self, source: &KeySource) -> Result<Vault, StoreError> {
        let mut transaction = self.begin().await?;
        let row = with(sql::VAULT, cells!["key"])
            .fetch_optional(&mut transaction)
            .await?;
        let vault = if let Some(row) = row {
            let (salt, sealed) = (text(&row, 0)?, text(&row, 1)?);
            let vault = Vault::from_key(source, salt.as_bytes())?;
            vault
                .open("check", &sealed)
                .map_err(|_| StoreError::VaultKeyWrong {
                    cause: "it is not the key of this store".to_owned(),
                })?;
            vault
        } else {
            let salt = hexadecimal(random::<16>()?.as_slice());
            let vault = Vault::from_key(source, salt.as_bytes())?;
            let sealed = vault.seal("check", CHECK)?;
            let cells = cells!["key", salt, sealed];
            with(sql::VAULT_START, cells)
                .execute(&mut transaction)
                .await?;
            // Another process may have been first, with another key.
            vault.hold(&mut transaction).await?;
            vault
        };
        transaction.commit().await?;
        Ok(vault)
    }
}

/// The sealed data key and the sealed secret.
fn parts<'a>(context: &str, sealed: &'a str) -> Result<(&'a str, &'a str), StoreError> {
    let mut parts = sealed.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(VERSION), Some(sealed_key), Some(sealed), None) => Ok((sealed_key, sealed)),
        _ => Err(damaged(context)),
    }
}

fn damaged(context: &str) -> StoreError {
    StoreError::corrupt(format!("what is sealed for {context:?} has not its form"))
}

fn wrong(context: &str) -> StoreError {
    StoreError::VaultKeyWrong {
        cause: format!(
            "{} was sealed with another key, or was changed",
            context.replace('\n', " ")
        ),
    }
}

fn derive(
    passphrase: &SecretString,
    salt: &[u8],
) -> Result<Zeroizing<[u8; KEY_BYTES]>, StoreError> {
    let passphrase = passphrase.expose_secret();
    if passphrase.is_empty() {
        return Err(missing("the passphrase is empty"));
    }
    let (memory, passes, lanes) = ARGON2;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    Params::new(memory, passes, lanes, Some(KEY_BYTES))
        .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
        .and_then(|argon2| argon2.hash_password_into(passphrase.as_bytes(), salt, &mut *key))
        .map_err(|error| missing(format!("no key can be derived: {error}")))?;
    Ok(key)
}

fn read_key(path: &Path, private: bool) -> Result<Zeroizing<[u8; KEY_BYTES]>, StoreError> {
    let unreadable = |error: std::io::Error| missing(format!("{}: {error}", path.display()));
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(unreadable)?);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path)
            .map_err(unreadable)?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            let shown = path.display();
            return Err(missing(format!("others may read {shown}; make it 0600")));
        }
    }
    let bytes = BASE64_STANDARD.decode(text.trim()).map(Zeroizing::new).ok();
    let key = bytes
        .and_then(|bytes| bytes.as_slice().try_into().ok())
        .map(Zeroizing::new);
    key.ok_or_else(|| {
        missing(format!(
            "{} holds no key: 32 bytes in Base64",
            path.display()
        ))
    })
}

/// Waits until the file's name, too, is on the disk: nothing may be sealed before.
fn keep_name(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if cfg!(unix) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn missing(cause: impl Into<String>) -> StoreError {
    StoreError::VaultKeyMissing {
        cause: cause.into(),
    }
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, StoreError> {
    let mut bytes = Zeroizing::new([0; N]);
    SystemRandom::new()
        .fill(&mut *bytes)
        .map_err(|_| StoreError::Unreachable {
            cause: "the operating system gives no random bytes".to_owned(),
        })?;
    Ok(bytes)
}

fn cipher(key: &[u8; KEY_BYTES]) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM_SIV, key).expect("the key has the cipher's length");
    LessSafeKey::new(key)
}

fn seal_with(key: &[u8; KEY_BYTES], context: &str, plain: &[u8]) -> Result<String, StoreError> {
    let nonce = random::<NONCE_LEN>()?;
    let mut bytes = Zeroizing::new(plain.to_vec());
    // The tag goes to the end; room for it now, so that no half-sealed copy is left behind by growing.
    bytes.reserve_exact(AES_256_GCM_SIV.tag_len());
    cipher(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(context.as_bytes()),
            &mut *bytes,
        )
        .map_err(|_| StoreError::corrupt("a secret is too long to be sealed"))?;
    let mut sealed = nonce.to_vec();
    sealed.extend_from_slice(&bytes);
    Ok(BASE64_STANDARD.encode(sealed))
}

fn open_with(key: &[u8; KEY_BYTES], context: &str, sealed: &str) -> Option<Bytes> {
    let mut bytes = Zeroizing::new(BASE64_STANDARD.decode(sealed).ok()?);
    let (nonce, rest) = bytes.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let plain = cipher(key)
        .open_in_place(nonce, Aad::from(context.as_bytes()), rest)
        .ok()?;
    Some(Zeroizing::new(plain.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(byte: u8) -> Vault {
        Vault {
            key: Arc::new(Zeroizing::new([byte; KEY_BYTES])),
        }
    }

    #[test]
    fn only_the_same_key_and_context_open_what_is_sealed() {
        let sealed = vault(1).seal("a\nbill\n1", b"hush").unwrap();
        assert!(!sealed.contains("hush"));
        assert_eq!(
            vault(1).open("a\nbill\n1", &sealed).unwrap().as_slice(),
            b"hush"
        );
        for (key, context) in [(2, "a\nbill\n1"), (1, "b\nbill\n1"), (1, "a\nbill\n2")] {
            let error = vault(key).open(context, &sealed).unwrap_err();
            assert!(matches!(error, StoreError::VaultKeyWrong { .. }), "{error}");
        }
    }

    #[test]
    fn another_key_takes_over_what_is_sealed_without_opening_it() {
        let sealed = vault(1).seal("a", b"hush").unwrap();
        let resealed = vault(1).resealed("a", &sealed, &vault(2)).unwrap();
        assert_eq!(vault(2).open("a", &resealed).unwrap().as_slice(), b"hush");
        assert!(vault(1).open("a", &resealed).is_err());
        assert!(vault(1).resealed("b", &sealed, &vault(2)).is_err());
        let secret = |text: &str| text.rsplit('.').next().unwrap().to_owned();
        assert_eq!(secret(&sealed), secret(&resealed));
    }

    #[test]
    fn nothing_of_the_key_is_shown() {
        assert_eq!(format!("{:?}", vault(7)), "Vault([redacted])");
        let source = KeySource::Passphrase("open sesame".into());
        assert!(!format!("{source:?}").contains("sesame"));
    }

    #[test]
    fn a_key_file_is_private_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Vault::create_key_file(&path).unwrap();
        assert!(Vault::create_key_file(&path).is_err());
        Vault::from_key(&KeySource::File(path.clone()), b"").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
            let error = Vault::from_key(&KeySource::File(path), b"").unwrap_err();
            assert_eq!(error.code().as_str(), "vault-key-missing");
        }
    }
}
