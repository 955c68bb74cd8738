//! `cargo xtask release`: a folder to give away. The program, the licences of all that is in it, a bill of materials,
//! how it was built, the sums of all files, and their signature where a key is given.

mod licences;
mod materials;
mod signing;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::workspace::Workspace;
use materials::Materials;

/// The file with the sums of all others, in the format of `sha256sum`.
const SUMS: &str = "SHA256SUMS";

/// What `release` takes.
#[derive(Debug, Args)]
pub(crate) struct ReleaseArguments {
    /// Where to: a folder that isn't there yet, or is empty.
    #[arg(long, value_name = "DIR", default_value = "target/release-files")]
    out: PathBuf,
    /// Signs the sums: a private key of ssh-keygen's, or of minisign's. Unsigned without.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    /// This program, built already, instead of building one.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Makes the folder; true if all of it was made.
pub(crate) fn run(workspace: &Workspace, arguments: &ReleaseArguments) -> Result<bool> {
    let out = &arguments.out;
    if fs::read_dir(out).is_ok_and(|mut inside| inside.next().is_some()) {
        bail!("{} is not empty", out.display());
    }
    fs::create_dir_all(out)?;
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => build(workspace)?,
    };
    let materials = Materials::of(workspace)?;
    fs::copy(&program, out.join("tieout"))
        .with_context(|| format!("copying {}", program.display()))?;
    for (name, from) in [
        ("LICENSE", "LICENSE"),
        ("CHANGELOG.md", "CHANGELOG.md"),
        ("tieout.service", "packaging/tieout.service"),
    ] {
        fs::write(out.join(name), workspace.read(from)?)?;
    }
    fs::write(out.join("tieout.cdx.json"), pretty(&materials.cyclonedx()))?;
    fs::write(out.join("LICENCES.txt"), licences::text(&materials)?)?;
    let built = arguments.program.is_none();
    fs::write(out.join("BUILD.json"), pretty(&how(workspace, built)?))?;
    fs::write(out.join(SUMS), sums(out)?)?;
    println!(
        "{}: tieout {} with {} packages",
        out.display(),
        materials.version(),
        materials.packages.len()
    );
    match &arguments.sign_key {
        Some(key) => println!("signed: {}", signing::sign(key, &out.join(SUMS))?.display()),
        None => println!("not signed: no key was given with --sign-key"),
    }
    Ok(true)
}

/// Builds the program so that somebody else who does the same gets the same bytes: no path of this machine in it, and
/// nothing left from an earlier build.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let target = workspace.root().join("target/release-build");
    let root = workspace.root().display().to_string();
    let cargo_home = std::env::var("CARGO_HOME").or_else(|_| {
        std::env::var("HOME").map(|home| Path::new(&home).join(".cargo").display().to_string())
    })?;
    let flags = [
        format!("--remap-path-prefix={root}=tieout"),
        format!("--remap-path-prefix={cargo_home}=cargo"),
    ];
    let status = workspace
        .cargo()
        .args(["build", "--release", "--locked", "--package", "tieout"])
        .arg("--target-dir")
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env("CARGO_INCREMENTAL", "0")
        .env("SOURCE_DATE_EPOCH", "0")
        .status()?;
    if !status.success() {
        bail!("tieout doesn't build");
    }
    Ok(target.join("release/tieout"))
}

/// How it was built: what somebody needs who wants to build the same.
fn how(workspace: &Workspace, built: bool) -> Result<serde_json::Value> {
    let lock = workspace.read("Cargo.lock")?;
    Ok(json!({
        "commit": said(workspace, "git", &["rev-parse", "HEAD"]),
        "changed_since": said(workspace, "git", &["status", "--porcelain", "--untracked-files=no"])
            .map(|text| !text.is_empty()),
        "rustc": said(workspace, "rustc", &["-vV"]),
        "cargo_lock_sha256": sum(lock.as_bytes()),
        "built_by_this_command": built,
    }))
}

/// What a tool says; nothing where it isn't there.
fn said(workspace: &Workspace, tool: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(tool);
    let output = command
        .args(arguments)
        .current_dir(workspace.root())
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The sum of every file in the folder, by name.
fn sums(folder: &Path) -> Result<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        names.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    let mut text = String::new();
    for name in names {
        let bytes = fs::read(folder.join(&name))?;
        text.push_str(&format!("{}  {name}\n", sum(&bytes)));
    }
    Ok(text)
}

fn sum(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pretty(value: &serde_json::Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_are_those_that_sha256sum_makes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b"), "abc").unwrap();
        fs::write(folder.path().join("a"), "").unwrap();
        assert_eq!(
            sums(folder.path()).unwrap(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n\
             ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n"
        );
    }
}
