//! A private PostgreSQL with a standby that every commit waits for. The primary can be killed; then the standby takes its
//! place and a new one is made, or it starts again.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::processes::{kill_with_children, spent};
use crate::postgres::{Account, answers, command, own, unprivileged_if_root};

/// How long a server may take to answer, and a standby to catch up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// The pair. Both stop when it is dropped.
pub(crate) struct Cluster {
    programs: PathBuf,
    account: Option<Account>,
    members: Vec<Member>,
    primary: usize,
    folder: TempDir,
}

struct Member {
    data: PathBuf,
    port: u16,
    process: Option<Child>,
}

impl Cluster {
    /// Starts a primary, and a standby unless one server is enough.
    pub(crate) fn start(programs: &Path, with_standby: bool) -> Result<Self> {
        let folder = TempDir::new()?;
        let account = unprivileged_if_root()?;
        own(folder.path(), account)?;
        let mut cluster = Self {
            programs: programs.to_owned(),
            account,
            members: Vec::new(),
            primary: 0,
            folder,
        };
        for number in 0..if with_standby { 2 } else { 1 } {
            cluster.members.push(Member {
                data: cluster.folder.path().join(format!("data{number}")),
                port: TcpListener::bind("127.0.0.1:0")?.local_addr()?.port(),
                process: None,
            });
        }
        cluster.initdb()?;
        cluster.run(0)?;
        if with_standby {
            cluster.join(1)?;
        }
        Ok(cluster)
    }

    /// The servers' ports, whoever leads.
    pub(crate) fn ports(&self) -> Vec<u16> {
        self.members.iter().map(|member| member.port).collect()
    }

    /// The port of the one that takes writes.
    pub(crate) fn primary_port(&self) -> u16 {
        self.members[self.primary].port
    }

    /// Kills the primary, promotes the standby, and makes a new standby of what is left of the old primary. No commit is
    /// acknowledged before it is there.
    pub(crate) fn fail_over(&mut self) -> Result<()> {
        let old = self.primary;
        self.kill_primary()?;
        self.primary = 1 - old;
        let data = self.members[self.primary].data.clone();
        let mut promote = self.command("pg_ctl");
        promote.arg("promote").arg("-D").arg(data);
        done(&mut promote, "pg_ctl promote")?;
        fs::remove_dir_all(&self.members[old].data)?;
        self.join(old)
    }

    /// Kills the primary and starts it again.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.kill_primary()?;
        self.run(self.primary)
    }

    fn kill_primary(&mut self) -> Result<()> {
        let process = self.members[self.primary].process.take();
        // With its children: a machine that dies takes all of them.
        kill_with_children(&mut process.context("the primary doesn't run")?)
    }

    fn initdb(&self) -> Result<()> {
        let mut initdb = self.command("initdb");
        initdb
            .arg("--pgdata")
            .arg(&self.members[0].data)
            .args(["--username=tieout", "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync"]);
        done(&mut initdb, "initdb")
    }

    /// Copies the primary and follows it.
    fn join(&mut self, number: usize) -> Result<()> {
        let start = Instant::now();
        let from = self.primary_port().to_string();
        loop {
            let mut copy = self.command("pg_basebackup");
            copy.arg("-D").arg(&self.members[number].data);
            copy.args(["-R", "-X", "stream", "--checkpoint=fast", "--no-sync"]);
            copy.args(["-h", "127.0.0.1", "-U", "tieout", "-p", &from]);
            match done(&mut copy, "pg_basebackup") {
                Ok(()) => break,
                Err(error) if start.elapsed() > PATIENCE => return Err(error),
                // A primary that was promoted a moment ago may not give copies yet.
                Err(_) => {
                    let _ = fs::remove_dir_all(&self.members[number].data);
                    std::thread::sleep(LOOK);
                }
            }
        }
        self.run(number)?;
        let follows = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while self.ask(follows)?.trim() != "1" {
            if start.elapsed() > PATIENCE {
                bail!("the standby doesn't follow");
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    fn run(&mut self, number: usize) -> Result<()> {
        let member = &self.members[number];
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join(format!("log{number}")))?;
        let standby = match self.members.len() {
            1 => "",
            _ => "*",
        };
        let names = format!("synchronous_standby_names={standby}");
        let mut postgres = self.command("postgres");
        postgres.arg("-D").arg(&member.data);
        postgres.args(["-p", &member.port.to_string(), "-h", "127.0.0.1", "-k", ""]);
        // What a process that is killed has written is the kernel's: only a machine that dies needs it forced to disk.
        for setting in [
            "fsync=off",
            "max_connections=300",
            "synchronous_commit=on",
            &names,
        ] {
            postgres.args(["-c", setting]);
        }
        let process = postgres.stdout(Stdio::null()).stderr(log).spawn()?;
        let port = member.port;
        self.members[number].process = Some(process);
        let start = Instant::now();
        while !answers(&self.programs, port) {
            if start.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.path().join(format!("log{number}")));
                bail!("PostgreSQL did not start: {}", log.unwrap_or_default());
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Asks the primary; a line a row, columns parted by tabs.
    pub(crate) fn ask(&self, sql: &str) -> Result<String> {
        ask(&self.programs, self.primary_port(), sql)
    }

    /// How much of a processor's time the servers have used, in seconds, where the operating system tells (Linux).
    pub(crate) fn processor(&self) -> Result<f64> {
        let mut sum = 0.0;
        for process in self
            .members
            .iter()
            .filter_map(|member| member.process.as_ref())
        {
            sum += spent(process.id())?;
        }
        Ok(sum)
    }

    fn command(&self, program: &str) -> Command {
        command(
            &self.programs.join(program),
            self.folder.path(),
            self.account,
        )
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for member in &mut self.members {
            if let Some(mut process) = member.process.take() {
                let _ = kill_with_children(&mut process);
            }
        }
    }
}

/// Asks a server; a line a row, columns parted by tabs.
pub(crate) fn ask(programs: &Path, port: u16, sql: &str) -> Result<String> {
    let output = Command::new(programs.join("psql"))
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "tieout"])
        .args(["-d", "postgres", "-X", "-A", "-t", "-F", "\t", "-c", sql])
        .stdin(Stdio::null())
        .output()
        .context("starting psql")?;
    if !output.status.success() {
        bail!("psql: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn done(command: &mut Command, name: &str) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("starting {name}"))?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres;

    #[test]
    fn what_was_committed_is_there_after_the_standby_took_over_and_after_a_restart() {
        let Some(programs) = postgres::look() else {
            println!("skipped: no PostgreSQL is installed");
            return;
        };
        let mut cluster = Cluster::start(&programs, true).unwrap();
        let before = cluster.primary_port();
        cluster.ask("CREATE TABLE t AS SELECT 1 AS n").unwrap();
        cluster.fail_over().unwrap();
        assert_ne!(cluster.primary_port(), before);
        cluster.ask("INSERT INTO t VALUES (2)").unwrap();
        cluster.restart().unwrap();
        cluster.ask("INSERT INTO t VALUES (3)").unwrap();
        assert_eq!(cluster.ask("SELECT sum(n) FROM t").unwrap().trim(), "6");
    }
}
