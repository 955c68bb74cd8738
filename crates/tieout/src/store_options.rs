//! From what `[store]` and the environment say to what the store is opened with.

use std::path::Path;

use secrecy::SecretString;
use tieout_domain::code::Code;
use tieout_store::StoreOptions;

use crate::config::StoreConfig;
use crate::failure::Failure;

/// The address of the store where the file names none.
const URL: &str = "TIEOUT_STORE_URL";
/// The address where nobody names one.
const USUAL: &str = "sqlite:tieout.db";
/// The password of the store, in the place of any other.
const PASSWORD: &str = "TIEOUT_STORE_PASSWORD";

/// What the store of this home is opened with. Relative paths are relative to the home.
///
/// # Errors
/// A password file that can't be read, or that others may read, too.
pub fn store_options(config: &StoreConfig, folder: &Path) -> Result<StoreOptions, Failure> {
    let named = config.url.clone().or_else(url_of_environment);
    let mut options = at(named.as_deref().unwrap_or(USUAL), folder);
    options.readers = config.readers;
    options.writers = config.writers;
    options.statement_timeout = config.statement_timeout;
    options.connect_timeout = config.connect_timeout;
    options.password = match (std::env::var(PASSWORD), &config.password_file) {
        (Ok(password), _) => Some(SecretString::from(password)),
        (Err(_), Some(file)) => Some(password_in(&folder.join(file))?),
        (Err(_), None) => None,
    };
    Ok(options)
}

/// The address that the environment names.
#[must_use]
pub fn url_of_environment() -> Option<String> {
    std::env::var(URL).ok()
}

/// What a store at this address is opened with, as usual.
#[must_use]
pub fn at(url: &str, folder: &Path) -> StoreOptions {
    let mut options = StoreOptions::at(url);
    if let Some(path) = url.strip_prefix("sqlite:")
        && !path.is_empty()
        && Path::new(path).is_relative()
    {
        options.url = format!("sqlite:{}", folder.join(path).display());
    }
    folder.clone_into(&mut options.folder);
    options
}

/// The password in a file that its owner alone may read: its first line.
///
/// # Errors
/// Where it can't be read, is empty, or others may read it, too.
pub fn password_in(path: &Path) -> Result<SecretString, Failure> {
    let wrong = |why: &str| {
        let cause = format!("the store's password in {}: {why}", path.display());
        Failure::usage(Code::new("config-value"), cause)
    };
    let unreadable = |error: std::io::Error| wrong(&error.to_string());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = std::fs::metadata(path).map_err(unreadable)?;
        if file.permissions().mode() & 0o077 != 0 {
            return Err(wrong("others may read it; make it 0600"));
        }
    }
    let text = zeroize::Zeroizing::new(std::fs::read_to_string(path).map_err(unreadable)?);
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(SecretString::from(password.to_owned())),
        _ => Err(wrong("it is empty")),
    }
}
