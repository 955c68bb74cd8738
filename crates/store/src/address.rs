//! Addresses of stores: a file, or the servers of one PostgreSQL database.
//!
//! The form is PostgreSQL's own (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>), with
//! several hosts. The library knows one host only, so each gets an address of its own here, with the same rest.
//!
//! What the library would do silently is refused: to fall back to plain text, and to pass over a parameter that it
//! doesn't know.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::any::AnyConnectOptions;
use url::Url;

use crate::StoreError;

/// Where a store lies.
pub(crate) enum Address {
    /// A SQLite file.
    File { path: PathBuf, server: Server },
    /// The servers of a PostgreSQL database, in the order in which they are tried.
    Servers(Vec<Server>),
}

/// One place to connect to.
#[derive(Clone)]
pub(crate) struct Server {
    /// Its name for people: `db1:5432`, or a path.
    pub(crate) name: String,
    /// What the library takes.
    pub(crate) options: AnyConnectOptions,
}

/// Parameters that the library takes as they are.
const PASSED_ON: [&str; 3] = ["application_name", "options", "sslcert"];
/// Parameters whose value is the path of a file.
const FILES: [&str; 3] = ["sslrootcert", "sslcert", "sslkey"];
/// Every parameter that an address may have.
const KNOWN: &str =
    "application_name, host, options, sslcert, sslkey, sslmode, sslrootcert, target_session_attrs";

impl Address {
    /// Reads an address.
    pub(crate) fn read(
        url: &str,
        password: Option<&SecretString>,
        folder: &Path,
    ) -> Result<Self, StoreError> {
        if is_server(url) {
            return servers(url, password, folder).map(Self::Servers);
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            return Err(unfit("it must begin with `sqlite:` or `postgres://`"));
        };
        file(path)
    }
}

/// Whether an address is a server's.
pub(crate) fn is_server(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Whether an address has a password in it.
pub(crate) fn has_password(url: &str) -> bool {
    is_server(url) && split(url).user.contains(':')
}

/// An address without its password and its parameters.
pub(crate) fn shown(url: &str) -> String {
    if !is_server(url) {
        return url.to_owned();
    }
    let parts = split(url);
    let user = parts.user.split(':').next().unwrap_or_default();
    let at = if user.is_empty() { "" } else { "@" };
    format!("postgres://{user}{at}{}/{}", parts.hosts, parts.database)
}

fn file(path: &str) -> Result<Address, StoreError> {
    if path.is_empty() || path.contains(":memory:") {
        return Err(unfit("a store is a file: write `sqlite:PATH`"));
    }
    let path = PathBuf::from(path);
    let Some(text) = path.to_str() else {
        return Err(unfit("its path is no Unicode text"));
    };
    // The library reads the address as a URL, where these four characters mean something else.
    let escaped = text
        .replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23")
        .replace(' ', "%20");
    let options = AnyConnectOptions::from_str(&format!("sqlite://{escaped}?mode=rwc"));
    let server = Server {
        name: text.to_owned(),
        options: options.map_err(|error| unfit(error.to_string()))?,
    };
    Ok(Address::File { path, server })
}

/// The parts of a server's address, as they are written.
struct Parts<'a> {
    /// User and password.
    user: &'a str,
    hosts: &'a str,
    database: &'a str,
    parameters: &'a str,
}

fn split(url: &str) -> Parts<'_> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    Parts {
        user,
        hosts,
        database,
        parameters,
    }
}

fn servers(
    url: &str,
    password: Option<&SecretString>,
    folder: &Path,
) -> Result<Vec<Server>, StoreError> {
    let parts = split(url);
    let asked = Parameters::read(parts.parameters, folder)?;
    let hosts = match (&asked.socket, parts.hosts) {
        (Some(socket), "") => vec![socket.as_str()],
        (None, "") => return Err(unfit("it names no host")),
        (Some(_), _) => {
            return Err(unfit(
                "`host` is for the folder of a socket, without other hosts",
            ));
        }
        (None, hosts) => hosts.split(',').collect(),
    };
    let server = |host: &str| {
        let is_socket = asked.socket.is_some();
        let place = if is_socket { "localhost" } else { host };
        let text = format!("postgres://{}@{place}/{}", parts.user, parts.database);
        let mut url = Url::parse(&text).map_err(|_| unfit(format!("`{host}` is no host")))?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(unfit("one of its hosts has no name"));
        }
        if let Some(password) = password {
            let set = url.set_password(Some(password.expose_secret()));
            set.map_err(|()| unfit("it takes no password"))?;
        }
        let is_near = is_socket || is_loopback(&url);
        let port = url.port().unwrap_or(5432);
        let name = if is_socket {
            host.to_owned()
        } else {
            format!("{}:{port}", url.host_str().unwrap_or_default())
        };
        let pairs = asked.for_server(is_near, &name)?;
        url.query_pairs_mut().clear().extend_pairs(pairs);
        if is_socket {
            url.query_pairs_mut().append_pair("host", host);
        }
        let options = AnyConnectOptions::from_str(url.as_str());
        let options = options.map_err(|_| unfit("the library can't read it"))?;
        Ok(Server { name, options })
    };
    hosts.into_iter().map(server).collect()
}

/// What the parameters of an address say.
#[derive(Default)]
struct Parameters {
    mode: Option<String>,
    /// The folder of a socket.
    socket: Option<String>,
    others: Vec<(String, String)>,
}

impl Parameters {
    fn read(text: &str, folder: &Path) -> Result<Self, StoreError> {
        let mut read = Self::default();
        for (key, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let value = value.into_owned();
            match &*key {
                "sslmode" => read.mode = Some(value),
                // We write, so it could be nothing else.
                "target_session_attrs" if matches!(&*value, "read-write" | "primary") => {}
                "target_session_attrs" => {
                    return Err(unfit("`target_session_attrs` can only be `read-write`"));
                }
                "host" if value.starts_with('/') => read.socket = Some(value),
                file if FILES.contains(&file) => {
                    let path = folder.join(&value);
                    let Some(path) = path.to_str() else {
                        return Err(unfit(format!("the path of `{file}` is no Unicode text")));
                    };
                    read.others.push((file.to_owned(), path.to_owned()));
                }
                passed if PASSED_ON.contains(&passed) => {
                    read.others.push((key.into_owned(), value))
                }
                "password" => {
                    return Err(unfit(
                        "`password` is no parameter: keep it in `password_file`",
                    ));
                }
                other => {
                    return Err(unfit(format!(
                        "`{other}` is no known parameter; known here: {KNOWN}"
                    )));
                }
            }
        }
        Ok(read)
    }

    fn has(&self, key: &str) -> bool {
        self.others.iter().any(|(known, _)| known == key)
    }

    /// What goes to one server.
    fn for_server(&self, is_near: bool, name: &str) -> Result<Vec<(String, String)>, StoreError> {
        let mode = self.mode(is_near, name)?;
        let mut pairs = self.others.clone();
        pairs.push(("sslmode".to_owned(), mode.to_owned()));
        if !self.has("application_name") {
            pairs.push(("application_name".to_owned(), "tieout".to_owned()));
        }
        Ok(pairs)
    }

    /// How the line to a server is encrypted. Nobody falls back to plain text without having said so: the library's
    /// own default would.
    fn mode(&self, is_near: bool, name: &str) -> Result<&'static str, StoreError> {
        let roots = self.has("sslrootcert");
        match self.mode.as_deref() {
            None if is_near && !roots => Ok("prefer"),
            Some("prefer") if is_near => Ok("prefer"),
            Some("disable") => Ok("disable"),
            Some("allow" | "prefer") => Err(unfit(format!(
                "to {name} it could fall back to plain text: write sslmode=verify-full, or sslmode=disable if plain \
                 text is meant"
            ))),
            // As PostgreSQL's own library takes it: whoever names authorities wants them looked at.
            Some("require") => Ok(if roots { "verify-ca" } else { "require" }),
            Some("verify-ca") if roots => Ok("verify-ca"),
            None | Some("verify-full") if roots => Ok("verify-full"),
            None | Some("verify-ca" | "verify-full") => Err(unfit(format!(
                "who answers as {name} can't be told: name the authority's certificate in sslrootcert, or write \
                 sslmode=require to encrypt without knowing for whom, or sslmode=disable for plain text"
            ))),
            Some(other) => Err(unfit(format!("`{other}` is no sslmode"))),
        }
    }
}

/// Whether a server is on this machine: nothing of the line to it leaves it.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn unfit(cause: impl Into<String>) -> StoreError {
    StoreError::AddressUnfit {
        cause: cause.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, password: Option<&str>) -> Result<Vec<(String, String)>, String> {
        let password = password.map(|text| SecretString::from(text.to_owned()));
        match Address::read(url, password.as_ref(), Path::new("/srv/books")) {
            Ok(Address::Servers(servers)) => Ok(servers
                .into_iter()
                .map(|server| (server.name, server.options.database_url.to_string()))
                .collect()),
            Ok(Address::File { path, .. }) => Ok(vec![(path.display().to_string(), String::new())]),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn each_host_gets_an_address_with_the_same_rest_in_the_order_given() {
        let url = "postgres://t:o%40d@db1,[::1]:5433,db3:6000/books?sslmode=verify-full&sslrootcert=ca.pem\
                   &target_session_attrs=read-write";
        let servers = read(url, None).unwrap();
        let names: Vec<_> = servers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["db1:5432", "[::1]:5433", "db3:6000"]);
        assert_eq!(
            servers[2].1,
            "postgres://t:o%40d@db3:6000/books?sslrootcert=%2Fsrv%2Fbooks%2Fca.pem&sslmode=verify-full\
             &application_name=tieout"
        );
    }

    #[test]
    fn a_password_from_elsewhere_takes_the_place_of_the_one_in_the_address_and_neither_is_shown() {
        let url = "postgres://t:old@127.0.0.1/books";
        let servers = read(url, Some("n/w@:?#%")).unwrap();
        let parsed = Url::parse(&servers[0].1).unwrap();
        let back = parsed.password().unwrap();
        assert_eq!(back, "n%2Fw%40%3A%3F%23%");
        assert_eq!(shown(url), "postgres://t@127.0.0.1/books");
        assert!(has_password(url) && !has_password("postgres://t@h/b"));
        assert_eq!(
            shown("postgres://h1,h2:1/b?sslmode=disable"),
            "postgres://h1,h2:1/b"
        );
    }

    #[test]
    fn plain_text_to_another_machine_is_only_spoken_if_it_was_asked_for() {
        let mode = |url: &str| {
            let servers = read(url, None)?;
            let parsed = Url::parse(&servers[0].1).unwrap();
            let mode = parsed.query_pairs().find(|(key, _)| key == "sslmode");
            Ok::<_, String>(mode.unwrap().1.into_owned())
        };
        for (url, expected) in [
            ("postgres://127.0.0.1/b", Some("prefer")),
            ("postgres://localhost/b?sslmode=prefer", Some("prefer")),
            ("postgres:///b?host=/run/postgresql", Some("prefer")),
            ("postgres://db/b?sslmode=disable", Some("disable")),
            ("postgres://db/b?sslmode=require", Some("require")),
            (
                "postgres://db/b?sslmode=require&sslrootcert=/ca",
                Some("verify-ca"),
            ),
            ("postgres://db/b?sslrootcert=/ca", Some("verify-full")),
            (
                "postgres://db/b?sslmode=verify-ca&sslrootcert=/ca",
                Some("verify-ca"),
            ),
            ("postgres://db/b", None),
            ("postgres://db/b?sslmode=prefer", None),
            ("postgres://db/b?sslmode=allow", None),
            ("postgres://db/b?sslmode=verify-full", None),
            ("postgres://db/b?sslmode=maybe", None),
        ] {
            assert_eq!(mode(url).ok().as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn what_would_be_passed_over_silently_is_refused() {
        for url in [
            "mysql://x",
            "sqlite:",
            "sqlite::memory:",
            "postgres://",
            "postgres:///b",
            "postgres://a,,b/c",
            "postgres://localhost/b?target_session_attrs=any",
            "postgres://localhost/b?sslrotcert=ca.pem",
            "postgres://localhost/b?password=hush",
            "postgres://db/b?host=/run/postgresql",
        ] {
            let told = read(url, None).unwrap_err();
            assert!(!told.contains("hush"), "{told}");
        }
    }
}
