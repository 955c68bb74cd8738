//! The home: a folder with `tieout.toml`, the store and the key.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use tieout_domain::Clock as _;
use tieout_domain::code::Code;
use tieout_store::{KeySource, Seams, Store, StoreError, Vault};

use crate::config::Config;
use crate::failure::Failure;
use crate::preference_versions;
use crate::seams::WallClock;
use crate::store_options::store_options;

/// The name of the configuration in the home.
pub const CONFIG: &str = "tieout.toml";

/// The name of the key in the home, where `init` made one.
pub const KEY: &str = "tieout.key";

/// The key that is about to take the place of the home's own: see `credentials rotate-key`.
const NEXT_KEY: &str = "tieout.key.next";

/// Where the home is and where its key comes from, as the command line and the environment say.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// `--home` or `TIEOUT_HOME`.
    pub home: Option<PathBuf>,
    /// `--key-file` or `TIEOUT_KEY_FILE`.
    pub key_file: Option<PathBuf>,
}

impl Place {
    /// The folder: the one named; else this one, if it has a `tieout.toml`; else `.tieout` in the user's own.
    pub fn folder(&self) -> PathBuf {
        if let Some(home) = &self.home {
            return home.clone();
        }
        let here = PathBuf::from(".");
        if here.join(CONFIG).exists() {
            return here;
        }
        std::env::var_os("HOME").map_or(here, |user| PathBuf::from(user).join(".tieout"))
    }

    /// Where the key comes from: the passphrase, the key file named, the service manager, the home's own.
    pub fn key_source(&self) -> KeySource {
        if let Ok(passphrase) = std::env::var("TIEOUT_PASSPHRASE") {
            return KeySource::Passphrase(SecretString::from(passphrase));
        }
        if let Some(file) = &self.key_file {
            return KeySource::File(file.clone());
        }
        if let Some(directory) = std::env::var_os("CREDENTIALS_DIRECTORY") {
            let directory = PathBuf::from(directory);
            if directory.join("tieout-key").exists() {
                return KeySource::CredentialsDirectory(directory);
            }
        }
        KeySource::File(self.folder().join(KEY))
    }
}

/// An opened home: configuration and store. The vault is opened when a secret is needed.
pub struct Home {
    /// The folder.
    pub folder: PathBuf,
    /// The configuration.
    pub config: Config,
    /// The store.
    pub store: Store,
    place: Place,
}

impl Home {
    /// Opens the home, and tells the history of preferences that somebody has changed in the file by hand.
    pub async fn open(place: &Place) -> Result<Self, Failure> {
        let home = Self::open_among(place, Seams::of(Arc::new(WallClock))).await?;
        if let Err(failure) = preference_versions::notice_edits(&home).await {
            tracing::warn!(
                "what was changed in the file by hand is not in the history yet: {failure}"
            );
        }
        Ok(home)
    }

    /// Opens the home with the caller's own seams for its store.
    pub async fn open_among(place: &Place, seams: Seams) -> Result<Self, Failure> {
        let folder = place.folder();
        let config = Config::read(&folder.join(CONFIG))?;
        let options = store_options(&config.store, &folder)?;
        let store = Store::open_with(&options, seams).await?;
        Ok(Self {
            folder,
            config,
            store,
            place: place.clone(),
        })
    }

    /// The same home under another reading of its configuration.
    #[must_use]
    pub fn under(&self, config: Config) -> Self {
        Self {
            folder: self.folder.clone(),
            config,
            store: self.store.clone(),
            place: self.place.clone(),
        }
    }

    /// Opens the vault. Finishes a rotation that was killed after the store had taken the new key.
    pub async fn vault(&self) -> Result<Vault, Failure> {
        let opened = self.store.vault(&self.place.key_source()).await;
        let Err(StoreError::VaultKeyWrong { .. } | StoreError::VaultKeyMissing { .. }) = opened
        else {
            return Ok(opened?);
        };
        let Some(next) = self.next_key().filter(|next| next.exists()) else {
            return Ok(opened?);
        };
        match self.store.vault(&KeySource::File(next)).await {
            Ok(vault) => {
                self.take_next_key()?;
                Ok(vault)
            }
            Err(_) => Ok(opened?),
        }
    }

    /// Where the next key lies, if the key is the home's own file.
    pub fn next_key(&self) -> Option<PathBuf> {
        let KeySource::File(file) = self.place.key_source() else {
            return None;
        };
        (file == self.folder.join(KEY)).then(|| self.folder.join(NEXT_KEY))
    }

    /// Puts the next key in the place of the home's own, and the old one beside it; says where. There is no moment
    /// without a key, and where another process has done it already nothing is left to do.
    pub fn take_next_key(&self) -> Result<PathBuf, Failure> {
        let (key, next) = (self.folder.join(KEY), self.folder.join(NEXT_KEY));
        let moment = format!("{:.0}", WallClock.now()).replace(':', "");
        let before = self.folder.join(format!("{KEY}.before-{moment}"));
        let linked = std::fs::hard_link(&key, &before);
        match &linked {
            // Without an own key, a rotation was cut short; with a copy of this second, another process is at it.
            Ok(()) => {}
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => {}
            Err(error) => return Err(Failure::file("can't keep", &key, error)),
        }
        match std::fs::rename(&next, &key) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // What was linked is the new key, which another process has put there.
                if linked.is_ok() {
                    let _ = std::fs::remove_file(&before);
                }
            }
            renamed => renamed.map_err(|error| Failure::file("can't rename", &next, &error))?,
        }
        Ok(before)
    }
}

/// Nothing is there yet.
pub fn missing(path: &Path) -> Failure {
    Failure::usage(
        Code::new("config-missing"),
        format!("there is no {}", path.display()),
    )
}
