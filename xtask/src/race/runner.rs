//! Who races, and how each is started: the program itself, and peers whose part of the job lies in `xtask/race`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::home::{CONNECTION, Home, Manner};
use crate::postgres;
use crate::race::install::Shelf;
use crate::race::job::Job;
use crate::sandbox::Sandbox;
use crate::workspace::Workspace;

/// The program's own name in tables.
pub(crate) const TIEOUT: &str = "tieout";

/// Without it a peer takes more than one to do the job.
const PORTS: usize = 4;

/// A peer.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Its name, also that of its environment and packages.
    pub(crate) name: &'static str,
    /// Its part of the job.
    pub(crate) script: &'static str,
    /// What of its work outlives a kill, in a few words.
    pub(crate) keeps: &'static str,
    /// What it needs beside Python.
    needs: Needs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Postgres,
    RestateServer,
}

/// The one that all are held against.
pub(crate) const REFERENCE: &str = "reference";

/// All of them.
pub(crate) const PEERS: [Peer; 5] = [
    Peer {
        name: REFERENCE,
        script: "reference.py",
        keeps: "nothing",
        needs: Needs::Nothing,
    },
    Peer {
        name: "singer",
        script: "singer_job.py",
        keeps: "how far the target has come",
        needs: Needs::Nothing,
    },
    Peer {
        name: "dlt",
        script: "dlt_job.py",
        keeps: "load packages",
        needs: Needs::Nothing,
    },
    Peer {
        name: "restate",
        script: "restate_job.py",
        keeps: "each step",
        needs: Needs::RestateServer,
    },
    Peer {
        name: "dbos",
        script: "dbos_job.py",
        keeps: "each step",
        needs: Needs::Postgres,
    },
];

/// One who races, ready to be started.
pub(crate) enum Runner {
    /// This project.
    Tieout {
        /// Its program.
        program: PathBuf,
    },
    /// Somebody else.
    Peer {
        /// Who.
        peer: &'static Peer,
        /// The python of its environment.
        python: PathBuf,
        /// Its part of the job.
        script: PathBuf,
        /// What it needs beside them.
        beside: Beside,
    },
}

/// What a peer needs beside Python.
pub(crate) enum Beside {
    /// Nothing.
    Nothing,
    /// The programs of PostgreSQL; each job has a database of its own.
    Postgres(PathBuf),
    /// Restate's server.
    Restate(PathBuf),
}

impl Runner {
    /// Installs what a peer needs; or says why it can't be had.
    pub(crate) fn of(
        workspace: &Workspace,
        shelf: &Shelf,
        peer: &'static Peer,
    ) -> Result<Result<Self, String>> {
        let python = match shelf.python(peer.name)? {
            Ok(python) => python,
            Err(word) => return Ok(Err(word)),
        };
        let beside = match peer.needs {
            Needs::Nothing => Beside::Nothing,
            Needs::Postgres => match postgres::programs() {
                Ok(programs) => Beside::Postgres(programs),
                Err(error) => return Ok(Err(format!("{error:#}"))),
            },
            Needs::RestateServer => match shelf.npm(peer.name, "restate-server")? {
                Ok(server) => Beside::Restate(server),
                Err(word) => return Ok(Err(word)),
            },
        };
        let script = workspace.root().join("xtask/race").join(peer.script);
        Ok(Ok(Self::Peer {
            peer,
            python,
            script,
            beside,
        }))
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Tieout { .. } => TIEOUT,
            Self::Peer { peer, .. } => peer.name,
        }
    }

    /// What of its work outlives a kill.
    pub(crate) fn keeps(&self) -> &'static str {
        match self {
            Self::Tieout { .. } => "each write",
            Self::Peer { peer, .. } => peer.keeps,
        }
    }

    /// Makes everything ready that isn't part of the job.
    pub(crate) fn ready(&self, sandbox: &Sandbox, job: Job) -> Result<Start> {
        match self {
            Self::Tieout { program } => {
                let manner = Manner {
                    bulk: job.bills_a_call(),
                    ..Manner::default()
                };
                Ok(Start::Tieout(Home::connected_in(program, sandbox, manner)?))
            }
            Self::Peer {
                python,
                script,
                beside,
                ..
            } => {
                let folder = TempDir::new()?;
                let server = match beside {
                    Beside::Postgres(programs) => Some(postgres::Server::durable(programs)?),
                    Beside::Nothing | Beside::Restate(_) => None,
                };
                let mut told = described(&sandbox.described, job, folder.path())?;
                if let Some(server) = &server {
                    told["postgres"] = server
                        .address
                        .replacen("postgres:", "postgresql:", 1)
                        .into();
                }
                if let Beside::Restate(program) = beside {
                    told["restate"] = program.display().to_string().into();
                }
                let job = folder.path().join("job.json");
                std::fs::write(&job, told.to_string())?;
                Ok(Start::Peer {
                    python: python.clone(),
                    script: script.clone(),
                    job,
                    _folder: folder,
                    _server: server,
                })
            }
        }
    }
}

/// A runner at the start of a job: it can be started again and again, and goes on where it was killed if it knows how to.
pub(crate) enum Start {
    /// This project, in a home of its own.
    Tieout(Home),
    /// A peer, with a folder of its own.
    Peer {
        /// Its python.
        python: PathBuf,
        /// Its part of the job.
        script: PathBuf,
        /// What it is told.
        job: PathBuf,
        /// What it keeps.
        _folder: TempDir,
        /// Where it keeps the rest.
        _server: Option<postgres::Server>,
    },
}

impl Start {
    /// What starts it.
    pub(crate) fn command(&self) -> Command {
        match self {
            Self::Tieout(home) => {
                let mut command = home.command(&["sync", CONNECTION, "--json"]);
                command.stderr(Stdio::null());
                command
            }
            Self::Peer {
                python,
                script,
                job,
                ..
            } => {
                let mut command = Command::new(python);
                command
                    .arg(script)
                    .env("RACE_JOB", job)
                    // Nothing is left beside the scripts.
                    .env("PYTHONDONTWRITEBYTECODE", "1")
                    .stderr(Stdio::null());
                command
            }
        }
    }

    /// Whether this is how it ends when it is done: the program says with 3 that something waits for a person.
    pub(crate) fn done(&self, status: Option<i32>) -> bool {
        match self {
            Self::Tieout(_) => matches!(status, Some(0 | 3)),
            Self::Peer { .. } => status == Some(0),
        }
    }
}

/// What a peer is told: where, as whom, how much at once, and what it may use.
fn described(sandbox: &Value, job: Job, folder: &Path) -> Result<Value> {
    let ports: Vec<TcpListener> = (0..PORTS)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<Result<_, _>>()?;
    let ports: Vec<u16> = ports
        .iter()
        .map(|port| Ok(port.local_addr()?.port()))
        .collect::<Result<_>>()?;
    let side = |name: &str| {
        sandbox
            .get(name)
            .cloned()
            .with_context(|| format!("the sandbox has no {name}"))
    };
    Ok(json!({
        "netsuite": side("netsuite")?,
        "bill": side("bill")?,
        "bills_a_call": job.bills_a_call(),
        "vendors_a_call": job.vendors_a_call(),
        "folder": folder,
        "ports": ports,
    }))
}
