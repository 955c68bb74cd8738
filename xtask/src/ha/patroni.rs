//! Two PostgreSQL servers under Patroni, one etcd beside them: as an operator sets them up, with shorter times.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crash::killing::Dice;
use crate::nodes::Database;
use crate::nodes::cluster::ask;
use crate::nodes::processes::{Signal, kill_tree, kill_with_children, signal};
use crate::panel::Caller;
use crate::postgres::{Account, command, is_root, own, unprivileged_if_root};

/// How long the pair may take to be whole.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long it may take to end in good order.
const ENDING: Duration = Duration::from_secs(20);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// What is installed where it is missing: Patroni, etcd, and what Patroni needs to speak to both.
const PACKAGES: &str = "patroni etcd-server python3-etcd python3-psycopg2";

/// Installs Patroni and etcd from the system's packages if that is possible and they aren't there.
///
/// # Errors
/// The reason why there are none, in words.
pub(crate) fn install() -> Result<()> {
    let are_there = || ["patroni", "etcd"].iter().all(|name| find(name).is_some());
    if are_there() {
        return Ok(());
    }
    if !is_root() || !Path::new("/usr/bin/apt-get").exists() {
        bail!("neither Patroni nor etcd is installed");
    }
    println!("installing {PACKAGES} from the system's packages");
    let install =
        format!("apt-get -qq update && apt-get -qq install -y --no-install-recommends {PACKAGES}");
    let status = Command::new("sh")
        .args(["-c", &install])
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Nothing of it is to be started as a service.
        .env("RUNLEVEL", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if !status.success() || !are_there() {
        bail!("the system's packages bring no Patroni and etcd");
    }
    Ok(())
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|place| place.exists())
}

/// The pair and its etcd. All of it stops when it is dropped.
pub(crate) struct Patroni {
    programs: PathBuf,
    account: Option<Account>,
    caller: Caller,
    etcd: Child,
    members: Vec<Member>,
    folder: TempDir,
}

struct Member {
    name: String,
    data: PathBuf,
    port: u16,
    /// Where Patroni answers.
    rest: u16,
    process: Option<Child>,
}

impl Patroni {
    /// Starts etcd and both members, and waits until one follows the other.
    pub(crate) fn start(programs: &Path) -> Result<Self> {
        let folder = TempDir::new()?;
        let account = unprivileged_if_root()?;
        own(folder.path(), account)?;
        let (clients, peers) = (free_port()?, free_port()?);
        let etcd = etcd(folder.path(), account, (clients, peers))?;
        let mut patroni = Self {
            programs: programs.to_owned(),
            account,
            caller: Caller::new()?,
            etcd,
            members: Vec::new(),
            folder,
        };
        for number in 0..2 {
            let member = Member {
                name: format!("db{number}"),
                data: patroni.folder.path().join(format!("data{number}")),
                port: free_port()?,
                rest: free_port()?,
                process: None,
            };
            let text = configuration(&member, programs, clients);
            fs::write(patroni.configuration_of(&member.name), text)?;
            patroni.members.push(member);
            patroni.run(number)?;
            // The first one makes the database, the second copies it.
            patroni.until(|patroni| patroni.leader().is_some())?;
        }
        patroni.until(Self::is_whole)?;
        Ok(patroni)
    }

    fn configuration_of(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.yml"))
    }

    fn run(&mut self, number: usize) -> Result<()> {
        let name = self.members[number].name.clone();
        let program = find("patroni").context("patroni is gone")?;
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join(format!("{name}.log")))?;
        let process = command(&program, self.folder.path(), self.account)
            .arg(self.configuration_of(&name))
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting patroni")?;
        self.members[number].process = Some(process);
        Ok(())
    }

    /// Which member takes writes, by what Patroni says and the server itself.
    fn leader(&self) -> Option<usize> {
        self.members.iter().position(|member| {
            let address = format!("http://127.0.0.1:{}/primary", member.rest);
            let leads = member.process.is_some()
                && self.caller.call(Method::GET, &address, &[], None).is_ok();
            let sql = "SELECT pg_is_in_recovery()";
            leads && ask(&self.programs, member.port, sql).is_ok_and(|told| told.trim() == "f")
        })
    }

    /// Whether one member takes writes, and every commit waits for the other.
    fn is_whole(&self) -> bool {
        let sql = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        self.ask(sql).is_ok_and(|told| told.trim() == "1")
    }

    fn until(&self, holds: impl Fn(&Self) -> bool) -> Result<()> {
        let start = Instant::now();
        while !holds(self) {
            if start.elapsed() > PATIENCE {
                let logs = self.members.iter().map(|member| {
                    let log = self.folder.path().join(format!("{}.log", member.name));
                    let text = fs::read_to_string(log).unwrap_or_default();
                    let lines: Vec<&str> = text.lines().rev().take(15).collect();
                    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
                });
                let logs = logs.collect::<Vec<_>>().join("\n--\n");
                bail!("the database isn't whole after {PATIENCE:?}:\n{logs}");
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Kills the leader's server and Patroni, waits for another leader, and starts them again.
    fn kill_leader(&mut self) -> Result<String> {
        let old = self.leader().context("nobody leads")?;
        let start = Instant::now();
        let member = &mut self.members[old];
        let mut process = member.process.take().context("patroni doesn't run")?;
        kill_with_children(&mut process)?;
        kill_tree(postmaster(&member.data)?)?;
        self.until(|patroni| patroni.leader().is_some_and(|leader| leader != old))?;
        let took = start.elapsed().as_secs_f64();
        self.run(old)?;
        self.until(Self::is_whole)?;
        Ok(format!(
            "the leader is killed; another one leads after {took:.1} s"
        ))
    }

    fn switch_over(&mut self) -> Result<String> {
        let old = self.leader().context("nobody leads")?;
        let start = Instant::now();
        let member = &self.members[old];
        let address = format!("http://127.0.0.1:{}/switchover", member.rest);
        let body = json!({"leader": member.name});
        // It answers in words.
        let asked = self.caller.call(Method::POST, &address, &[], Some(&body));
        self.until(|patroni| patroni.leader().is_some_and(|leader| leader != old))
            .with_context(|| format!("the switch-over: {asked:?}"))?;
        let took = start.elapsed().as_secs_f64();
        self.until(Self::is_whole)?;
        Ok(format!("the leader is switched over within {took:.1} s"))
    }
}

impl Database for Patroni {
    fn ports(&self) -> Vec<u16> {
        self.members.iter().map(|member| member.port).collect()
    }

    fn primary_port(&self) -> Result<u16> {
        let leader = self.leader().context("nobody leads")?;
        Ok(self.members[leader].port)
    }

    fn ask(&self, sql: &str) -> Result<String> {
        ask(&self.programs, self.primary_port()?, sql)
    }

    fn strike(&mut self, nth: u64, _dice: &mut Dice) -> Result<String> {
        match nth % 2 {
            0 => self.kill_leader(),
            _ => self.switch_over(),
        }
    }
}

impl Drop for Patroni {
    fn drop(&mut self) {
        for member in &mut self.members {
            let Some(mut process) = member.process.take() else {
                continue;
            };
            let server = postmaster(&member.data);
            // It takes its server down with it.
            let _ = signal(&process, Signal::Terminate);
            let start = Instant::now();
            while matches!(process.try_wait(), Ok(None)) && start.elapsed() < ENDING {
                std::thread::sleep(LOOK);
            }
            if matches!(process.try_wait(), Ok(None)) {
                let _ = kill_with_children(&mut process);
                let _ = server.and_then(kill_tree);
            }
        }
        let _ = self.etcd.kill();
        let _ = self.etcd.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The server that lies there: the first line of its file.
fn postmaster(data: &Path) -> Result<u32> {
    let text = fs::read_to_string(data.join("postmaster.pid"))?;
    let first = text.lines().next().unwrap_or_default();
    first.trim().parse().context("postmaster.pid has no number")
}

fn etcd(folder: &Path, account: Option<Account>, (clients, peers): (u16, u16)) -> Result<Child> {
    let program = find("etcd").context("etcd is gone")?;
    let (clients, peers) = (
        format!("http://127.0.0.1:{clients}"),
        format!("http://127.0.0.1:{peers}"),
    );
    let log = fs::File::create(folder.join("etcd.log"))?;
    command(&program, folder, account)
        .arg("--data-dir")
        .arg(folder.join("etcd"))
        .args(["--name", "etcd0"])
        .args([
            "--listen-client-urls",
            &clients,
            "--advertise-client-urls",
            &clients,
        ])
        .args([
            "--listen-peer-urls",
            &peers,
            "--initial-advertise-peer-urls",
            &peers,
        ])
        .args(["--initial-cluster", &format!("etcd0={peers}")])
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("starting etcd")
}

/// JSON is YAML, too.
fn configuration(member: &Member, programs: &Path, etcd: u16) -> String {
    let at = |port: u16| format!("127.0.0.1:{port}");
    let configuration: Value = json!({
        "scope": "tieout",
        "name": member.name,
        "restapi": {"listen": at(member.rest), "connect_address": at(member.rest)},
        "etcd3": {"host": at(etcd)},
        "bootstrap": {
            "dcs": {
                "ttl": 20, "loop_wait": 5, "retry_timeout": 5,
                "synchronous_mode": true,
                "postgresql": {"use_pg_rewind": true, "parameters": {"max_connections": 300}},
            },
            "initdb": [{"encoding": "UTF8"}, {"locale": "C"}],
        },
        "postgresql": {
            "listen": at(member.port),
            "connect_address": at(member.port),
            "data_dir": member.data,
            "bin_dir": programs,
            "pgpass": member.data.with_extension("pgpass"),
            "pg_hba": [
                "host all all 127.0.0.1/32 trust",
                "host replication all 127.0.0.1/32 trust",
            ],
            "authentication": {
                "superuser": {"username": "tieout"},
                "replication": {"username": "replicator"},
                "rewind": {"username": "rewinder"},
            },
            "parameters": {"unix_socket_directories": "", "wal_log_hints": "on"},
        },
    });
    configuration.to_string()
}
