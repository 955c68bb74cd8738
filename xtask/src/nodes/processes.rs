//! Signals to processes that were started here, and to their children.

use std::fs;
use std::process::{Child, Command};

use anyhow::{Result, bail};

/// What a process is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// It stands still, as a machine that is suspended does.
    Stop,
    /// It goes on.
    Continue,
    /// It is to end in good order.
    Terminate,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Stop => "STOP",
            Self::Continue => "CONT",
            Self::Terminate => "TERM",
        }
    }
}

/// Sends a signal.
pub(crate) fn signal(process: &Child, signal: Signal) -> Result<()> {
    send(process.id(), signal.name())
}

/// Kills it and its children, none of which may clean up after itself.
pub(crate) fn kill_with_children(process: &mut Child) -> Result<()> {
    kill_tree(process.id())?;
    process.wait()?;
    Ok(())
}

/// The same for a process that somebody else waits for.
pub(crate) fn kill_tree(process: u32) -> Result<()> {
    // Standing still, it makes no more of them.
    send(process, "STOP")?;
    for child in children(process)? {
        // Some may have ended meanwhile.
        let _ = send(child, "KILL");
    }
    send(process, "KILL")
}

/// How much of a processor's time it and its children have used, in seconds; those that have ended, too.
pub(crate) fn spent(process: u32) -> Result<f64> {
    let mut sum = times(process).map_or(0.0, |times| times.iter().sum());
    for child in children(process)? {
        sum += times(child).map_or(0.0, |times| times.iter().sum());
    }
    Ok(sum)
}

/// Its own time on the processor, that of the kernel for it, and both of its children that have ended, in seconds.
pub(crate) fn times(process: u32) -> Option<[f64; 4]> {
    /// Linux counts in hundredths of a second.
    const TICKS: f64 = 100.0;
    /// The place of the first of them after the name.
    const FIRST: usize = 11;
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before may hold blanks.
    let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
    let mut times = [0.0; 4];
    for (time, field) in times.iter_mut().zip(fields.get(FIRST..)?) {
        *time = field.parse::<f64>().ok()? / TICKS;
    }
    Some(times)
}

fn send(process: u32, name: &str) -> Result<()> {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .output()?;
    if !sent.status.success() {
        bail!("process {process} can't be sent {name}");
    }
    Ok(())
}

/// The processes that it has started, where the operating system tells (Linux).
fn children(parent: u32) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let of = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        if of.and_then(|of| of.trim().parse().ok()) == Some(parent) {
            found.push(process);
        }
    }
    Ok(found)
}
