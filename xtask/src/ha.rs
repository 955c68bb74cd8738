//! Nodes on a PostgreSQL that Patroni and etcd keep alive: its leader is killed and switched over while connections sync,
//! and nodes are killed and cut off as ever. Then everything is judged as `nodes` does.

mod patroni;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::ha::patroni::Patroni;
use crate::nodes::{NodesArguments, Trial};
use crate::postgres;
use crate::workspace::Workspace;

/// What is tried.
#[derive(Debug, Args)]
pub(crate) struct HaArguments {
    /// How many connections, each with an organization and a subsidiary of its own.
    #[arg(long, default_value_t = 60)]
    connections: usize,
    /// For how long something goes wrong.
    #[arg(long, default_value_t = 240)]
    seconds: u64,
    /// How often the leader is struck: killed and switched over in turn.
    #[arg(long, default_value_t = 3)]
    strikes: u64,
    /// Decides what goes wrong when; chosen by the clock, and printed, if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Use the development build.
    #[arg(long)]
    debug: bool,
    /// Use this program, and build none.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Builds, and tries; true if nothing was doubled, lost, forgotten or overrun. Where Patroni or etcd can't be had, it says
/// so and leaves it at that.
pub(crate) fn run(workspace: &Workspace, arguments: &HaArguments) -> Result<bool> {
    let programs = postgres::programs()?;
    if let Err(why) = patroni::install() {
        println!("skipped: {why:#}");
        return Ok(true);
    }
    let like = NodesArguments {
        nodes: 3,
        connections: arguments.connections,
        seconds: arguments.seconds,
        every: 8,
        strikes: arguments.strikes,
        pause: 50,
        pace: None,
        latency: 20,
        seed: arguments.seed,
        one_address: false,
        debug: arguments.debug,
        program: arguments.program.clone(),
    };
    let program = like.program(workspace)?;
    let mut patroni = Patroni::start(&programs)?;
    Trial::set_up(&program, &like.conditions(), &mut patroni)?.live()
}
