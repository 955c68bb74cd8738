//! What the benches share: the program as a process of its own, beside a sandbox that is one too.

// Each bench uses its own part of it.
#![allow(dead_code)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tieout::home::{Home, KEY, Place};

/// A process of the program. Killed when it is dropped.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts it with these arguments, and gives the first line that it prints, which is JSON.
    pub(crate) fn start(program: &Path, home: &Path, arguments: &[&str]) -> Result<(Self, Value)> {
        let mut child = Command::new(program)
            .args(arguments)
            .env("TIEOUT_HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} can't be started", program.display()))?;
        let output = child.stdout.take().context("it has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let process = Self { child };
        let said = serde_json::from_str(&line).with_context(|| format!("it said: {line}"))?;
        Ok((process, said))
    }

    /// Kills it as an outage would: it has no say in it.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// The most memory that it has had, in MB; where the system tells.
    pub(crate) fn memory(&self) -> Option<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).ok()?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = peak.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes / 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.kill();
    }
}

/// The program, and numbers in the place of these where they are given.
pub(crate) fn arguments<const N: usize>(otherwise: [u64; N]) -> Result<(PathBuf, [u64; N])> {
    let mut arguments = std::env::args().skip(1);
    let program = arguments
        .next()
        .context("the program's path is missing: run the bench by `cargo xtask`")?;
    let mut numbers = otherwise;
    for (number, text) in numbers.iter_mut().zip(arguments) {
        *number = text.parse()?;
    }
    Ok((program.into(), numbers))
}

/// The home in this folder, as another process would open it.
pub(crate) async fn open(folder: &Path) -> Result<Home> {
    let place = Place {
        home: Some(folder.to_owned()),
        key_file: Some(folder.join(KEY)),
    };
    Ok(Home::open(&place).await?)
}

/// So many of a thousand lie at or below this; the values are in order.
pub(crate) fn share<T: Copy + Default>(values: &[T], per_mille: usize) -> T {
    let at = values.len() * per_mille / 1000;
    values
        .get(at.min(values.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}
