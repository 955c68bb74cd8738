//! What a program takes, with all that it starts: seconds, processor time, memory at its most.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::walks::peak;

/// How often the memory is looked at, at most.
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

/// How often a process that was killed is looked at until it is given up.
const LOOKS_MAX: usize = 400;

/// The kernel's ticks in a second, as `/proc` counts them on every Linux of today.
const TICKS: f64 = 100.0;

/// What a program took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    /// From its start to its end.
    pub(crate) seconds: f64,
    /// Processor time, of all processes together.
    pub(crate) cpu: f64,
    /// The most memory, of all processes that lived at once.
    pub(crate) peak_kib: u64,
    /// How it ended.
    pub(crate) status: ExitStatus,
}

/// A program and all that it starts, in a process group of its own. Killed when it is dropped.
pub(crate) struct Group {
    child: Child,
    started: Instant,
    cpu_before: f64,
    looked: Option<Instant>,
    peak_kib: u64,
    ended: bool,
}

impl Group {
    /// Starts it; nobody reads what it prints.
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let cpu_before = of_children();
        let started = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().display()))?;
        Ok(Self {
            child,
            started,
            cpu_before,
            looked: None,
            peak_kib: 0,
            ended: false,
        })
    }

    /// The process that was started first.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Since its start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// What it took, once it has ended; looks at its memory until then.
    pub(crate) fn look(&mut self) -> Result<Option<Taken>> {
        if self.looked.is_none_or(|at| at.elapsed() >= BETWEEN_LOOKS) {
            self.looked = Some(Instant::now());
            let now = tree(self.child.id()).into_iter().filter_map(peak).sum();
            self.peak_kib = self.peak_kib.max(now);
        }
        let Some(status) = self.child.try_wait()? else {
            return Ok(None);
        };
        self.ended = true;
        let taken = Taken {
            seconds: self.started.elapsed().as_secs_f64(),
            // Those that it waited for are in its own count, and its own is in ours once it has been waited for.
            cpu: of_children() - self.cpu_before,
            peak_kib: self.peak_kib,
            status,
        };
        self.kill_all()?;
        Ok(Some(taken))
    }

    /// Runs it to its end.
    pub(crate) fn finish(mut self) -> Result<Taken> {
        loop {
            if let Some(taken) = self.look()? {
                return Ok(taken);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills all of it as an outage would: it has no say in it.
    pub(crate) fn kill(&mut self) -> Result<()> {
        if !self.ended {
            let all = tree(self.child.id());
            self.kill_all()?;
            self.child.wait()?;
            self.ended = true;
            // What it started belongs to nobody who would wait for it, and may hold a port or a lock until it is gone.
            for process in all {
                for _ in 0..LOOKS_MAX {
                    if !lives(process) {
                        break;
                    }
                    std::thread::sleep(BETWEEN_LOOKS);
                }
            }
        }
        Ok(())
    }

    /// Kills whoever is in the group: also those whose starter is gone.
    fn kill_all(&self) -> Result<()> {
        Command::new("kill")
            .args(["-KILL", "--", &format!("-{}", self.child.id())])
            // That nobody is left is no news.
            .stderr(Stdio::null())
            .status()?;
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Nobody is left to tell that it had gone already.
        let _ = self.kill();
    }
}

/// The processor time of a process so far, in seconds, without what it waited for.
pub(crate) fn cpu_of(process: u32) -> Option<f64> {
    ticks(&format!("/proc/{process}/stat"), [13, 14])
}

/// The processor time of the processes that this one has waited for, and of those that they waited for.
fn of_children() -> f64 {
    ticks("/proc/self/stat", [15, 16]).unwrap_or_default()
}

/// Two fields of a process's `stat`, counted from 0, as seconds.
fn ticks(path: &str, fields: [usize; 2]) -> Option<f64> {
    let text = std::fs::read_to_string(path).ok()?;
    // The name of the program may hold anything, and ends with the last bracket.
    let (_, rest) = text.rsplit_once(") ")?;
    let rest: Vec<&str> = rest.split_ascii_whitespace().collect();
    let of = |field: usize| rest.get(field - 2)?.parse::<f64>().ok();
    Some((of(fields[0])? + of(fields[1])?) / TICKS)
}

/// Whether a process is there, and not only remembered for who started it.
fn lives(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"));
    status.is_ok_and(|status| !status.contains("State:\tZ") && !status.contains("State:\tX"))
}

/// A process and what came of it.
fn tree(process: u32) -> Vec<u32> {
    let mut found = vec![process];
    let mut at = 0;
    while let Some(parent) = found.get(at) {
        let tasks = std::fs::read_dir(format!("/proc/{parent}/task"));
        let children: Vec<u32> = tasks
            .into_iter()
            .flatten()
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok())
            .flat_map(|text| {
                let ids = text.split_ascii_whitespace();
                ids.filter_map(|id| id.parse().ok()).collect::<Vec<_>>()
            })
            .collect();
        found.extend(children);
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_measured_and_killed_with_all_that_it_started() {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 3",
        ]);
        let taken = Group::start(command).unwrap().finish().unwrap();
        assert_eq!(taken.status.code(), Some(3));

        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & sleep 600"]);
        let mut group = Group::start(command).unwrap();
        let mut all = Vec::new();
        while all.len() < 3 {
            all = tree(group.child.id());
        }
        group.look().unwrap();
        assert!(group.peak_kib > 0);
        group.kill().unwrap();
        for process in all {
            assert!(!lives(process), "{process} outlived its group");
        }
    }

    #[test]
    fn a_process_has_a_processor_time() {
        assert!(cpu_of(std::process::id()).is_some());
        assert_eq!(cpu_of(u32::MAX), None);
    }
}
