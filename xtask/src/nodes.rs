//! Several nodes on one database, a thousand connections, and one misfortune every few seconds: nodes are killed, stand
//! still past their leases, and lose the database; its primary is killed. Then both sides are held against what people
//! did, and the history against what the nodes were promised.

mod books;
pub(crate) mod cluster;
mod misfortunes;
pub(crate) mod node;
mod people;
pub(crate) mod processes;
mod promised;
pub(crate) mod relay;
mod served;
pub(crate) mod tenants;
mod trial;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

pub(crate) use trial::{Conditions, Database, Trial, WORKERS};

use crate::crash::killing::Dice;
use crate::nodes::cluster::Cluster;
use crate::workspace::Workspace;
use crate::{crash, postgres};

/// What is tried.
#[derive(Debug, Clone, Args)]
pub(crate) struct NodesArguments {
    /// How many nodes.
    #[arg(long, default_value_t = 3)]
    pub(crate) nodes: usize,
    /// How many connections, each with an organization and a subsidiary of its own.
    #[arg(long, default_value_t = 1000)]
    pub(crate) connections: usize,
    /// For how long something goes wrong.
    #[arg(long, default_value_t = 300)]
    pub(crate) seconds: u64,
    /// Every how many seconds.
    #[arg(long, default_value_t = 5)]
    pub(crate) every: u64,
    /// How often the database is struck.
    #[arg(long, default_value_t = 2)]
    pub(crate) strikes: u64,
    /// For how many seconds a node stands still: longer than a lease.
    #[arg(long, default_value_t = 50)]
    pub(crate) pause: u64,
    /// Every how many seconds a connection is due; if not given, as often as two processors allow.
    #[arg(long)]
    pub(crate) pace: Option<u64>,
    /// How long each call takes at least, in milliseconds.
    #[arg(long, default_value_t = 20)]
    pub(crate) latency: u64,
    /// Decides what goes wrong when; chosen by the clock, and printed, if not given.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Reach the database by one address that follows the primary, in the place of one that names all servers.
    #[arg(long)]
    pub(crate) one_address: bool,
    /// Use the development build.
    #[arg(long)]
    pub(crate) debug: bool,
    /// Use this program, and build none.
    #[arg(long, value_name = "FILE")]
    pub(crate) program: Option<PathBuf>,
}

impl NodesArguments {
    /// The program that is tried.
    pub(crate) fn program(&self, workspace: &Workspace) -> Result<PathBuf> {
        match &self.program {
            Some(program) => Ok(program.clone()),
            None => workspace.tieout(!self.debug),
        }
    }

    /// What the trial goes by.
    pub(crate) fn conditions(&self) -> Conditions {
        let seed = crash::seed(self.seed);
        println!("seed {seed} (repeat with --seed {seed})");
        Conditions {
            nodes: self.nodes,
            connections: self.connections,
            seconds: self.seconds,
            every: self.every,
            strikes: self.strikes,
            pause: self.pause,
            pace: self
                .pace
                .unwrap_or_else(|| (self.connections as u64 / 4).max(15)),
            latency: self.latency,
            seed,
            one_address: self.one_address,
        }
    }
}

/// Builds, and tries; true if nothing was doubled, lost, forgotten or overrun.
pub(crate) fn run(workspace: &Workspace, arguments: &NodesArguments) -> Result<bool> {
    let programs = postgres::programs()?;
    let program = arguments.program(workspace)?;
    let mut pair = Pair(Cluster::start(&programs, true)?);
    Trial::set_up(&program, &arguments.conditions(), &mut pair)?.live()
}

/// A primary and its standby, if it has one.
pub(crate) struct Pair(pub(crate) Cluster);

impl Database for Pair {
    fn ports(&self) -> Vec<u16> {
        self.0.ports()
    }

    fn primary_port(&self) -> Result<u16> {
        Ok(self.0.primary_port())
    }

    fn ask(&self, sql: &str) -> Result<String> {
        self.0.ask(sql)
    }

    fn processor(&self) -> Result<f64> {
        self.0.processor()
    }

    fn strike(&mut self, nth: u64, dice: &mut Dice) -> Result<String> {
        // The first two times both ways, and then by chance.
        if nth == 0 || nth > 1 && dice.below(2) == 0 {
            self.0.fail_over()?;
            return Ok("the primary is killed, and the standby takes its place".to_owned());
        }
        self.0.restart()?;
        Ok("the primary is killed, and started again".to_owned())
    }
}
