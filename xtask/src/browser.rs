//! What the tests of the pages need beside the workspace: a Chromium with its driver from the system's packages, and
//! axe-core, the auditor of accessibility, from npm. Neither is part of the program, and neither is committed.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// The auditor, in the version that the pages are held to.
const AXE: &str = "axe-core@4.14.1";

/// Sees that a browser and its driver are there, and installs them from the system's packages if that is
/// possible and they aren't.
///
/// # Errors
/// The reason why there is none, in words.
pub(crate) fn install() -> Result<()> {
    if there("chromium") && there("chromedriver") {
        return Ok(());
    }
    if !is_root() || !Path::new("/usr/bin/apt-get").exists() {
        bail!("no Chromium with its driver is installed");
    }
    println!("installing chromium and its driver from the system's packages");
    let install = "apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium chromium-driver";
    let status = Command::new("sh")
        .args(["-c", install])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if !status.success() || !there("chromedriver") {
        bail!("no Chromium is installed, and the system's packages can't be reached");
    }
    Ok(())
}

/// Brings the auditor into `target/axe`, where the tests look for it.
///
/// # Errors
/// The reason why it isn't there, in words.
pub(crate) fn auditor(workspace: &Workspace) -> Result<()> {
    let folder = workspace.root().join("target/axe");
    if folder.join("node_modules/axe-core/axe.min.js").exists() {
        return Ok(());
    }
    if !there("npm") {
        bail!("no npm is installed");
    }
    println!("bringing {AXE} into target/axe");
    let status = Command::new("npm")
        .args([
            "install",
            "--no-save",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ])
        .arg("--prefix")
        .arg(&folder)
        .arg(AXE)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("npm can't bring {AXE}");
    }
    Ok(())
}

/// Whether a program is on the search path.
pub(crate) fn there(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).exists())
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n")
}
