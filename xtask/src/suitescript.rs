//! The tests of the scripts that are installed in NetSuite, over Oracle's published stubs. They need node and packages
//! from npm; where these can't be had they are skipped, and that is said.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::browser::there;
use crate::steps::End;
use crate::workspace::Workspace;

/// The project.
const PROJECT: &str = "suitescript/scripts";
/// Where its packages and a copy of it are kept: nothing of either is part of the repository.
const COPY: &str = "target/suitescript";
/// The packages, in the versions that are pinned.
const LOCK: &str = "package-lock.json";

/// Runs the tests and says how they ended; true if none failed.
pub(crate) fn run(workspace: &Workspace) -> Result<bool> {
    match tests(workspace)? {
        End::Passed { passed, .. } => {
            println!("{passed} tests of the scripts passed");
            Ok(true)
        }
        End::Failed { failed, why, .. } => {
            println!("{failed} tests of the scripts failed: {why}");
            Ok(false)
        }
        End::Skipped(why) => {
            println!("the tests of the scripts were skipped: {why}");
            Ok(true)
        }
    }
}

/// Runs the tests.
pub(crate) fn tests(workspace: &Workspace) -> Result<End> {
    if !there("node") || !there("npm") {
        return Ok(End::Skipped("no node with npm is installed".to_owned()));
    }
    let copy = workspace.root().join(COPY);
    lay_out(workspace, &copy)?;
    if let Err(why) = bring_packages(&copy) {
        return Ok(End::Skipped(why.to_string()));
    }
    let output = Command::new("node")
        .args(["node_modules/jest/bin/jest.js", "--ci", "--json"])
        .current_dir(&copy)
        .stdin(Stdio::null())
        .output()
        .context("starting node")?;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let count = |name: &str| told[name].as_u64().and_then(|count| count.try_into().ok());
    let passed = count("numPassedTests").unwrap_or(0);
    if output.status.success() && passed > 0 {
        return Ok(End::Passed { passed, skipped: 0 });
    }
    println!("{}", String::from_utf8_lossy(&output.stderr));
    Ok(End::Failed {
        passed,
        failed: count("numFailedTests").unwrap_or(1).max(1),
        skipped: 0,
        why: "see above; `cargo xtask suitescript` runs them alone".to_owned(),
    })
}

/// Copies the project beside its packages. What the repository no longer has is gone there, too.
fn lay_out(workspace: &Workspace, copy: &Path) -> Result<()> {
    let project = Path::new(PROJECT);
    let files: Vec<PathBuf> = workspace.files()?;
    let own: Vec<&Path> = files
        .iter()
        .filter_map(|path| path.strip_prefix(project).ok())
        .collect();
    for folder in ["src", "tests"] {
        let folder = copy.join(folder);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
    }
    for path in own.into_iter().filter(|path| *path != Path::new(LOCK)) {
        let (from, to) = (workspace.root().join(project).join(path), copy.join(path));
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::copy(&from, &to).with_context(|| format!("copying {}", from.display()))?;
    }
    let lock = std::fs::read(workspace.root().join(project).join(LOCK))?;
    if std::fs::read(copy.join(LOCK)).ok().as_ref() != Some(&lock) {
        let packages = copy.join("node_modules");
        if packages.exists() {
            std::fs::remove_dir_all(&packages)?;
        }
        std::fs::write(copy.join(LOCK), lock)?;
    }
    Ok(())
}

/// Brings the packages, unless they are there.
fn bring_packages(copy: &Path) -> Result<()> {
    if copy.join("node_modules/jest/bin/jest.js").exists() {
        return Ok(());
    }
    println!("bringing Oracle's stubs and jest into {COPY}");
    let status = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(copy)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("npm can't bring Oracle's stubs and jest");
    }
    Ok(())
}
