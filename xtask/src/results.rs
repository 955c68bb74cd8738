//! What was measured, kept as JSON under `target`, so that a page can be made from the last measurement of each thing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::workspace::Workspace;

/// A file of results, each under a name.
pub(crate) struct Results {
    path: PathBuf,
    all: Map<String, Value>,
}

impl Results {
    /// Those of this name that are there already.
    pub(crate) fn of(workspace: &Workspace, name: &str) -> Result<Self> {
        let folder = workspace.root().join("target").join(name);
        std::fs::create_dir_all(&folder)?;
        let path = folder.join("results.json");
        let all = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .with_context(|| format!("reading {}", path.display()))?,
            Err(_) => Map::new(),
        };
        Ok(Self { path, all })
    }

    /// The last result of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.all.get(name)
    }

    /// All of them.
    pub(crate) fn all(&self) -> &Map<String, Value> {
        &self.all
    }

    /// Keeps a result in the place of the last one of its name, with the day and what it was measured with.
    pub(crate) fn keep(
        &mut self,
        name: &str,
        surroundings: &Value,
        mut result: Value,
    ) -> Result<()> {
        result["surroundings"] = surroundings.clone();
        self.all.insert(name.to_owned(), result);
        let text = serde_json::to_string_pretty(&self.all)?;
        std::fs::write(&self.path, text).with_context(|| format!("writing {}", self.path.display()))
    }
}

/// The day, the machine, and the program, as far as they can be told.
pub(crate) fn surroundings(workspace: &Workspace, program: &Path) -> Value {
    let processor = line_of("/proc/cpuinfo", "model name");
    let memory = line_of("/proc/meminfo", "MemTotal").and_then(|text| {
        let kib: u64 = text.split_whitespace().next()?.parse().ok()?;
        Some(kib / 1024 / 1024)
    });
    let mut commit = Command::new("git");
    commit
        .args(["rev-parse", "--short", "HEAD"])
        .current_dir(workspace.root());
    let mut version = Command::new(program);
    version.arg("--version");
    json!({
        "day": jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
        "processors": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "processor": processor,
        "memory_gib": memory,
        "system": system(),
        "program": first_line(&mut version),
        "sources": first_line(&mut commit),
    })
}

/// The system with the first two numbers of its version: what comes after them is the machine's own.
fn system() -> Option<String> {
    let name = first_line(Command::new("uname").arg("-s"))?;
    let release = first_line(Command::new("uname").arg("-r"))?;
    let numbers: Vec<&str> = release.split('.').take(2).collect();
    Some(format!("{name} {}", numbers.join(".")))
}

/// What follows a name and a colon in a file of such lines.
fn line_of(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The first line that a command prints.
pub(crate) fn first_line(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.lines().next()?.trim().to_owned())
}
