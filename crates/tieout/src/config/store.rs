//! Where the store lies and how it is reached: `[store]`.

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use tieout_store::{STATEMENT_MAX, StoreOptions};

use super::Reader;
use crate::failure::Failure;

const AT: &str = "store";
/// More connections would only wait for the server's processors.
const POOL_MAX: i64 = 100;
/// No server takes longer to let somebody in.
const CONNECT_MAX: Duration = Duration::from_secs(60);

/// What `[store]` says.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// The address, if the file names one. It may hold a password.
    pub url: Option<String>,
    /// The file with the password, so that it need not stand in the address. A relative path is relative to the home.
    pub password_file: Option<PathBuf>,
    /// How many connections to the database read at once.
    pub readers: u32,
    /// How many connections to a server write at once.
    pub writers: u32,
    /// After how long the server gives a statement up.
    pub statement_timeout: Duration,
    /// How long a server may take to let us in.
    pub connect_timeout: Duration,
}

impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = self.url.as_ref().map(|url| StoreOptions::at(url).place());
        f.debug_struct("StoreConfig")
            .field("place", &place)
            .finish_non_exhaustive()
    }
}

impl Reader<'_> {
    /// `[store]`.
    pub(super) fn store(&self, root: &toml::Table) -> Result<StoreConfig, Failure> {
        let store = self.table(root, "", AT)?;
        let known = [
            "url",
            "password_file",
            "pool",
            "statement_timeout",
            "connect_timeout",
        ];
        self.only_known(AT, &store, &known)?;
        let pool = self.table(&store, AT, "pool")?;
        self.only_known("store.pool", &pool, &["readers", "writers"])?;
        let url = self.optional_text(&store, AT, "url")?;
        let usual = StoreOptions::at(url.clone().unwrap_or_default());
        let password_file = self.optional_text(&store, AT, "password_file")?;
        if password_file.is_some() && usual.has_password_in_url() {
            let why = "there is a password in `url`, too; keep one of them";
            return Err(self.wrong("store.password_file", why));
        }
        Ok(StoreConfig {
            password_file: password_file.map(PathBuf::from),
            readers: self.connections_at_once(&pool, "readers", usual.readers)?,
            writers: self.connections_at_once(&pool, "writers", usual.writers)?,
            statement_timeout: self.within(
                &store,
                "statement_timeout",
                usual.statement_timeout,
                STATEMENT_MAX,
            )?,
            connect_timeout: self.within(
                &store,
                "connect_timeout",
                usual.connect_timeout,
                CONNECT_MAX,
            )?,
            url,
        })
    }

    fn connections_at_once(
        &self,
        pool: &toml::Table,
        key: &str,
        usual: u32,
    ) -> Result<u32, Failure> {
        let number = match pool.get(key) {
            None => return Ok(usual),
            Some(toml::Value::Integer(number @ 1..=POOL_MAX)) => u32::try_from(*number).ok(),
            Some(_) => None,
        };
        number.ok_or_else(|| {
            let why = format!("it must be a whole number from 1 to {POOL_MAX}");
            self.wrong(&format!("store.pool.{key}"), &why)
        })
    }

    /// A duration from a second up.
    fn within(
        &self,
        store: &toml::Table,
        key: &str,
        usual: Duration,
        most: Duration,
    ) -> Result<Duration, Failure> {
        let Some(text) = self.optional_text(store, AT, key)? else {
            return Ok(usual);
        };
        let given = text.parse::<SignedDuration>().ok();
        let given = given.and_then(|given| Duration::try_from(given).ok());
        let fits = given.filter(|given| (Duration::from_secs(1)..=most).contains(given));
        fits.ok_or_else(|| {
            let most = most.as_secs();
            let why = format!("write a duration from 1 to {most} seconds, such as \"10 seconds\"");
            self.wrong(&format!("store.{key}"), &why)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<StoreConfig, Failure> {
        Config::parse(text, Path::new("tieout.toml")).map(|config| config.store)
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        let store = read("").unwrap();
        assert_eq!(store.url, None);
        assert_eq!((store.readers, store.writers), (4, 4));
        let said = "[store]\nurl = \"postgres://t@db1,db2/books\"\npassword_file = \"pw\"\n\
                    pool = { readers = 8, writers = 2 }\nstatement_timeout = \"10 seconds\"\nconnect_timeout = \"2s\"\n";
        let store = read(said).unwrap();
        assert_eq!(store.password_file.as_deref(), Some(Path::new("pw")));
        assert_eq!((store.readers, store.writers), (8, 2));
        assert_eq!(store.statement_timeout, Duration::from_secs(10));
        assert_eq!(store.connect_timeout, Duration::from_secs(2));
    }

    #[test]
    fn what_can_t_be_is_refused_with_its_place() {
        for (text, place) in [
            ("[store]\nuri = \"x\"\n", "store.uri"),
            ("[store.pool]\nreaders = 0\n", "store.pool.readers"),
            ("[store.pool]\nwriter = 1\n", "store.pool.writer"),
            (
                "[store]\nstatement_timeout = \"5 minutes\"\n",
                "store.statement_timeout",
            ),
            ("[store]\nconnect_timeout = 5\n", "store.connect_timeout"),
            (
                "[store]\nurl = \"postgres://t:hush@db/b\"\npassword_file = \"pw\"\n",
                "store.password_file",
            ),
        ] {
            let failure = read(text).unwrap_err();
            assert!(failure.cause.contains(place), "{}", failure.cause);
            assert!(!failure.cause.contains("hush"), "{}", failure.cause);
        }
    }

    #[test]
    fn a_password_in_the_address_is_not_shown() {
        let store = read("[store]\nurl = \"postgres://t:hush@db/b?sslmode=require\"\n").unwrap();
        let shown = format!("{store:?}");
        assert!(
            shown.contains("postgres://t@db/b") && !shown.contains("hush"),
            "{shown}"
        );
    }
}
