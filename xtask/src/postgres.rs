//! A private PostgreSQL for the store's tests: on a free port of loopback, in a folder that vanishes.

mod authority;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// The name under which the store's tests look for a database.
const VARIABLE: &str = "TIEOUT_TEST_POSTGRES";

/// The name under which they look for one whose line is encrypted.
const ENCRYPTED: &str = "TIEOUT_TEST_POSTGRES_TLS";

/// The programs of PostgreSQL's that are used here.
const NEEDED: [&str; 5] = ["initdb", "postgres", "pg_ctl", "pg_basebackup", "psql"];

/// The settings of a server whose data nobody needs.
const IN_A_HURRY: [&str; 3] = ["fsync=off", "full_page_writes=off", "autovacuum=off"];

/// How long the server may take to answer.
const START_MAX: Duration = Duration::from_secs(60);

/// A running server. Stops when it is dropped.
pub(crate) struct Server {
    process: Child,
    /// The address to connect to.
    pub(crate) address: String,
    // Dropped last: the server's files.
    _folder: TempDir,
}

/// An unprivileged user: PostgreSQL refuses to run as root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    user: u32,
    group: u32,
}

/// Where PostgreSQL's programs are; installed from the system's packages if that is possible and they
/// aren't there.
///
/// # Errors
/// The reason why there are none, in words.
pub(crate) fn programs() -> Result<PathBuf> {
    if let Some(folder) = look() {
        return Ok(folder);
    }
    if !is_root() || !Path::new("/usr/bin/apt-get").exists() {
        bail!("no PostgreSQL is installed");
    }
    println!("installing postgresql from the system's packages");
    let install = "apt-get -qq update && apt-get -qq install -y --no-install-recommends postgresql";
    let status = Command::new("sh")
        .args(["-c", install])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("no PostgreSQL is installed, and the system's packages can't be reached");
    }
    look().context("the system's packages brought no PostgreSQL")
}

/// The newest PostgreSQL on the search path or in the folder where Debian keeps it.
pub(crate) fn look() -> Option<PathBuf> {
    let all = |folder: &PathBuf| NEEDED.iter().all(|name| folder.join(name).exists());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    versions.sort_by_key(|folder| {
        let version = folder
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str());
        version.and_then(|version| version.parse::<u32>().ok())
    });
    folders.extend(versions.into_iter().rev());
    folders.into_iter().find(all)
}

impl Server {
    /// Starts one with these programs, for tests: nothing here outlives them.
    pub(crate) fn start(programs: &Path) -> Result<Self> {
        Self::start_in(TempDir::new()?, programs, &IN_A_HURRY)
    }

    /// The same, with a certificate and the authority that it is from, which the address names.
    pub(crate) fn encrypted(programs: &Path) -> Result<Self> {
        let folder = TempDir::new()?;
        let papers = authority::papers(folder.path(), unprivileged_if_root()?)?;
        let settings = papers.settings.iter().map(String::as_str);
        let settings: Vec<&str> = settings.chain(IN_A_HURRY).collect();
        let mut server = Self::start_in(folder, programs, &settings)?;
        let root = papers.root.display();
        server.address += &format!("?sslmode=verify-full&sslrootcert={root}");
        Ok(server)
    }

    /// Starts one that gives its word as one in earnest does: what is committed is on the disk.
    pub(crate) fn durable(programs: &Path) -> Result<Self> {
        Self::start_in(TempDir::new()?, programs, &[])
    }

    /// Tells a program of tests where it is.
    pub(crate) fn name_to(&self, command: &mut Command) {
        let encrypted = self.address.contains("sslmode");
        let variable = if encrypted { ENCRYPTED } else { VARIABLE };
        command.env(variable, &self.address);
    }

    fn start_in(folder: TempDir, programs: &Path, settings: &[&str]) -> Result<Self> {
        let account = unprivileged_if_root()?;
        own(folder.path(), account)?;
        let data = folder.path().join("data");
        let mut initdb = command(&programs.join("initdb"), folder.path(), account);
        let made = initdb
            .arg("--pgdata")
            .arg(&data)
            .args([
                "--username=tieout",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .arg("--no-sync")
            .output()
            .context("starting initdb")?;
        if !made.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&made.stderr));
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut process = command(&programs.join("postgres"), folder.path(), account)
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""])
            .args(["-c", "max_connections=300"])
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("log"))?)
            .spawn()
            .context("starting postgres")?;
        let start = Instant::now();
        while !answers(programs, port) {
            let ended = process.try_wait()?;
            if ended.is_some() || start.elapsed() > START_MAX {
                let _ = process.kill();
                let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
                bail!("PostgreSQL did not start: {log}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let address = format!("postgres://tieout@127.0.0.1:{port}/postgres");
        Ok(Self {
            process,
            address,
            _folder: folder,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown: it ends its children and frees its memory.
        let asked = Command::new("kill")
            .args(["-INT", &self.process.id().to_string()])
            .status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// Whether the server takes connections: `pg_isready` where it is there, else an open port.
pub(crate) fn answers(programs: &Path, port: u16) -> bool {
    let ready = Command::new(programs.join("pg_isready"))
        .args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()])
        .status();
    match ready {
        Ok(status) => status.success(),
        Err(_) => TcpStream::connect(("127.0.0.1", port)).is_ok(),
    }
}

/// A program of PostgreSQL's in a folder of its own, as somebody who may run it.
pub(crate) fn command(program: &Path, folder: &Path, account: Option<Account>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    if let Some(account) = account {
        command.uid(account.user).gid(account.group);
    }
    command
}

/// As whom PostgreSQL has to run, if not as who runs this.
pub(crate) fn unprivileged_if_root() -> Result<Option<Account>> {
    is_root().then(unprivileged).transpose()
}

/// Gives a folder to them.
pub(crate) fn own(folder: &Path, account: Option<Account>) -> Result<()> {
    if let Some(account) = account {
        chown(folder, Some(account.user), Some(account.group))?;
    }
    Ok(())
}

pub(crate) fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n")
}

/// The user `postgres`, or `nobody`.
fn unprivileged() -> Result<Account> {
    let passwd = fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        let line = passwd
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some(Account {
            user: fields.next()?.parse().ok()?,
            group: fields.next()?.parse().ok()?,
        })
    };
    find("postgres")
        .or_else(|| find("nobody"))
        .context("there is no unprivileged user")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_server_starts_and_stops() {
        let Some(programs) = look() else {
            println!("skipped: no PostgreSQL is installed");
            return;
        };
        for start in [Server::start, Server::encrypted] {
            let server = start(&programs).unwrap();
            let (address, _) = server
                .address
                .split_once('?')
                .unwrap_or((&server.address, ""));
            let port = address.rsplit(&[':', '/'][..]).nth(1).unwrap();
            let port = port.parse::<u16>().unwrap();
            assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
            drop(server);
            assert!(
                TcpStream::connect(("127.0.0.1", port)).is_err(),
                "the server outlived its owner"
            );
        }
    }
}
