//! Clients of the services that others wrote, walked against the sandbox: what works against the real
//! service must work here. Nothing of them is kept in the repository; they are installed by name.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::sandbox::Sandbox;
use crate::workspace::Workspace;

/// The world that the walks are written for: more than a page of everything.
const WORLD: [&str; 6] = ["--seed", "1", "--vendors", "40", "--bills", "300"];

/// What all walks in JavaScript share.
const REPORT: &str = "report.mjs";

/// Where a client comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A package of npm, run by node.
    Npm,
    /// A package of Python's index, run by python3.
    Python,
}

/// A client, and the walk that drives it.
struct Peer {
    /// The service that it was written for.
    service: &'static str,
    source: Source,
    /// The packages it needs, with the versions that were tried.
    packages: &'static [&'static str],
    /// The walk's file in `xtask/peers`.
    walk: &'static str,
}

/// All of them.
const PEERS: [Peer; 5] = [
    Peer {
        service: "BILL",
        source: Source::Npm,
        packages: &["@memberjunction/connector-bill-com@0.3.2"],
        walk: "bill_memberjunction.mjs",
    },
    Peer {
        service: "NetSuite",
        source: Source::Npm,
        packages: &["netsuite-rest@1.0.9"],
        walk: "netsuite_rest.mjs",
    },
    Peer {
        service: "NetSuite",
        source: Source::Npm,
        packages: &["@memberjunction/connector-netsuite@1.4.3"],
        walk: "netsuite_memberjunction.mjs",
    },
    Peer {
        service: "NetSuite",
        source: Source::Python,
        packages: &["netsuite==0.12.0"],
        walk: "netsuite_python.py",
    },
    Peer {
        service: "Invoiced",
        source: Source::Python,
        packages: &["invoiced==3.0.0"],
        walk: "invoiced_python.py",
    },
];

/// Installs each client, starts a sandbox of its own for it, and walks it. A client that can't be had is
/// skipped with a word.
pub(crate) fn run(workspace: &Workspace, release: bool) -> Result<bool> {
    let program = workspace.tieout(release)?;
    let folder = workspace.root().join("target").join("peers");
    std::fs::create_dir_all(&folder)?;
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for peer in &PEERS {
        println!("{}: {}", peer.service, peer.packages.join(", "));
        let script = workspace.root().join("xtask/peers").join(peer.walk);
        match peer.install(&folder, &script)? {
            Err(word) => {
                skipped += 1;
                println!("  skipped: {word}");
            }
            Ok(command) => match walk(command, &program)? {
                true => passed += 1,
                false => failed += 1,
            },
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    Ok(failed == 0)
}

impl Peer {
    /// Makes the client and its walk ready to run; or says why it can't be had.
    fn install(&self, folder: &Path, script: &Path) -> Result<Result<Command, String>> {
        match self.source {
            Source::Npm => self.install_from_npm(folder, script),
            Source::Python => self.install_from_python(folder, script),
        }
    }

    fn install_from_npm(&self, folder: &Path, script: &Path) -> Result<Result<Command, String>> {
        if !answers("node") || !answers("npm") {
            return Ok(Err("there is no node and npm here".to_owned()));
        }
        // A folder for each: what one client needs must not decide what another gets.
        let folder = folder.join(self.walk.trim_end_matches(".mjs"));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("package.json"), "{\"private\":true}\n")?;
        let mut install = Command::new("npm");
        install
            .current_dir(&folder)
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
            .args(["--loglevel", "error"])
            .args(self.packages);
        if let Err(word) = quietly(install)? {
            return Ok(Err(format!("npm can't install it: {word}")));
        }
        // Modules are found from where a script lies, so the walk is run next to them.
        let name = script.file_name().context("a walk has no name")?;
        let report = script.with_file_name(REPORT);
        std::fs::copy(script, folder.join(name))?;
        std::fs::copy(report, folder.join(REPORT))?;
        let mut command = Command::new("node");
        command.current_dir(&folder).arg(name);
        Ok(Ok(command))
    }

    fn install_from_python(&self, folder: &Path, script: &Path) -> Result<Result<Command, String>> {
        if !answers("python3") {
            return Ok(Err("there is no python3 here".to_owned()));
        }
        let folder = folder.join(self.walk.trim_end_matches(".py"));
        let programs = if cfg!(windows) { "Scripts" } else { "bin" };
        let python: PathBuf = folder.join(programs).join("python");
        let mut environment = Command::new("python3");
        environment.args(["-m", "venv"]).arg(&folder);
        if let Err(word) = quietly(environment)? {
            return Ok(Err(format!("python3 can't make an environment: {word}")));
        }
        let mut install = Command::new(&python);
        install
            .args(["-m", "pip", "install", "--quiet"])
            .arg("--disable-pip-version-check")
            .args(self.packages);
        if let Err(word) = quietly(install)? {
            return Ok(Err(format!("pip can't install it: {word}")));
        }
        let mut command = Command::new(&python);
        command.args(["-W", "ignore"]).arg(script);
        Ok(Ok(command))
    }
}

/// Runs a walk against a new sandbox; the sandbox's description goes in by standard input.
fn walk(mut command: Command, program: &Path) -> Result<bool> {
    let world = WORLD.map(str::to_owned);
    let sandbox = Sandbox::start(program, &world)?;
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .context("starting a walk")?;
    let mut input = child.stdin.take().context("a walk has no input")?;
    input.write_all(sandbox.described.to_string().as_bytes())?;
    drop(input);
    Ok(child.wait()?.success())
}

/// Whether a program is here.
pub(crate) fn answers(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a command whose words matter only when it fails: then its first complaint is given.
pub(crate) fn quietly(mut command: Command) -> Result<Result<(), String>> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting an installer")?;
    let mut complaint = String::new();
    if let Some(mut words) = child.stderr.take() {
        words.read_to_string(&mut complaint)?;
    }
    if child.wait()?.success() {
        return Ok(Ok(()));
    }
    Ok(Err(first_error(&complaint)))
}

/// The first line that speaks of an error, or the last one.
fn first_error(complaint: &str) -> String {
    let lines: Vec<&str> = complaint
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines
        .iter()
        .find(|line| line.to_ascii_lowercase().contains("err"))
        .or(lines.last())
        .map_or_else(|| "it doesn't say why".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_walk_is_there_and_driven() {
        let workspace = Workspace::here().unwrap();
        let folder = workspace.root().join("xtask/peers");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != REPORT)
            .collect();
        let driven = PEERS.iter().map(|peer| peer.walk.to_owned()).collect();
        assert_eq!(there, driven);
    }

    #[test]
    fn the_installers_error_is_found_among_its_words() {
        let words = "warn Unknown user config\n\nERROR: No matching distribution\nnotice\n";
        assert_eq!(first_error(words), "ERROR: No matching distribution");
        assert_eq!(first_error("only\nwords\n"), "words");
        assert_eq!(first_error(""), "it doesn't say why");
    }
}
