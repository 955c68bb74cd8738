//! A node: `tieout serve` as a process of its own, in a home of its own, with lines of its own to the database.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::processes::{Signal, signal, times};
use super::relay::{Line, Relay};
use crate::home::Home;

/// Commits are told of by the store at this level: what a node was promised by the database.
const LOG: &str = "warn,tieout_store::commit=trace";

/// After so long a service manager starts again what has ended.
const AGAIN: Duration = Duration::from_secs(2);

/// A node.
pub(crate) struct Node {
    pub(crate) name: String,
    home: Home,
    /// One to each server.
    relays: Vec<Relay>,
    process: Option<Child>,
    listening: Arc<Mutex<Option<String>>>,
    /// When it is to be started again.
    again: Option<Instant>,
    paused: bool,
    log: PathBuf,
    /// How often it ended by itself.
    pub(crate) ended: u32,
}

impl Node {
    pub(crate) fn new(name: String, home: Home, relays: Vec<Relay>) -> Self {
        Self {
            log: home.path().join("node.log"),
            name,
            home,
            relays,
            process: None,
            listening: Arc::default(),
            again: None,
            paused: false,
            ended: 0,
        }
    }

    /// Starts it.
    pub(crate) fn start(&mut self) -> Result<()> {
        let log: File = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)?;
        let serve = ["serve", "--json", "--node", &self.name];
        let mut process = self
            .home
            .command(&serve)
            .env("TIEOUT_LOG", LOG)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("starting a node")?;
        let said = process.stdout.take().context("a node has no output")?;
        let listening = Arc::clone(&self.listening);
        *listening.lock().unwrap_or_else(PoisonError::into_inner) = None;
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(said).read_line(&mut line);
            let told: Option<serde_json::Value> = serde_json::from_str(&line).ok();
            let address = told.and_then(|told| Some(told["listening"].as_str()?.to_owned()));
            *listening.lock().unwrap_or_else(PoisonError::into_inner) = address;
        });
        self.process = Some(process);
        self.again = None;
        Ok(())
    }

    /// Where it listens, once it does.
    pub(crate) fn listening(&self) -> Option<String> {
        let listening = self.listening.lock();
        listening.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it runs and isn't paused.
    pub(crate) fn is_up(&self) -> bool {
        self.process.is_some() && !self.paused
    }

    /// Kills it; it is started again after so long.
    pub(crate) fn kill(&mut self, down: Duration) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
            process.wait()?;
        }
        self.paused = false;
        self.again = Some(Instant::now() + down);
        Ok(())
    }

    /// Lets it stand still.
    pub(crate) fn pause(&mut self) -> Result<()> {
        self.paused = true;
        self.tell(Signal::Stop)
    }

    /// Lets it go on.
    pub(crate) fn go_on(&mut self) -> Result<()> {
        if std::mem::take(&mut self.paused) {
            self.tell(Signal::Continue)?;
        }
        Ok(())
    }

    /// Cuts, stalls or mends its lines to the database.
    pub(crate) fn lines(&self, line: Line) {
        self.relays.iter().for_each(|relay| relay.be(line));
    }

    /// Leads its lines to another server.
    pub(crate) fn lead_to(&self, port: u16) {
        self.relays.iter().for_each(|relay| relay.lead_to(port));
    }

    /// Starts it if it is time to. What ends by itself is started again, as a service manager does.
    pub(crate) fn look_after(&mut self) -> Result<()> {
        if let Some(process) = &mut self.process
            && process.try_wait()?.is_some()
        {
            self.process = None;
            self.ended += 1;
            self.again = Some(Instant::now() + AGAIN);
        }
        if self.again.is_some_and(|again| again <= Instant::now()) {
            self.start()?;
        }
        Ok(())
    }

    /// Tells it to end, and waits. False if it had to be killed.
    pub(crate) fn stop(&mut self, patience: Duration) -> Result<bool> {
        self.again = None;
        self.go_on()?;
        let Some(mut process) = self.process.take() else {
            return Ok(true);
        };
        signal(&process, Signal::Terminate)?;
        let start = Instant::now();
        while process.try_wait()?.is_none() {
            if start.elapsed() > patience {
                process.kill()?;
                process.wait()?;
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(true)
    }

    /// How much of a processor's time it has used, in seconds, and how many megabytes it holds, where the operating
    /// system tells (Linux).
    pub(crate) fn used(&self) -> Option<(f64, u64)> {
        let process = self.process.as_ref()?.id();
        let [user, system, ..] = times(process)?;
        Some((user + system, held(process)?))
    }

    /// What it has written.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    fn tell(&self, what: Signal) -> Result<()> {
        match &self.process {
            Some(process) => signal(process, what),
            None => Ok(()),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// How many megabytes a process holds.
fn held(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let held = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = held.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1000)
}
