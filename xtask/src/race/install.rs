//! What the race needs of others: installed by name with pip and npm, kept under `target/race` until another version is
//! wanted. Nothing of it is in the repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::peers::{answers, quietly};
use crate::workspace::Workspace;

/// The file that names the packages, with their versions.
const PACKAGES: &str = "xtask/race/packages.toml";

/// Says in a folder what was installed into it.
const STAMP: &str = "installed.txt";

/// Where everything is installed, and what.
pub(crate) struct Shelf {
    folder: PathBuf,
    packages: toml::Table,
}

impl Shelf {
    /// The shelf of this repository.
    pub(crate) fn of(workspace: &Workspace) -> Result<Self> {
        Ok(Self {
            folder: workspace.root().join("target").join("race"),
            packages: workspace
                .read(PACKAGES)?
                .parse()
                .context("reading the packages")?,
        })
    }

    /// The packages of a kind (`python`, `npm`) that a runner needs.
    pub(crate) fn packages(&self, kind: &str, runner: &str) -> Vec<String> {
        let list = self
            .packages
            .get(kind)
            .and_then(|kind| kind.get(runner)?.as_array());
        list.into_iter()
            .flatten()
            .filter_map(|package| Some(package.as_str()?.to_owned()))
            .collect()
    }

    /// The python of an environment with a runner's packages; or why there is none, in words.
    pub(crate) fn python(&self, runner: &str) -> Result<Result<PathBuf, String>> {
        if !answers("python3") {
            return Ok(Err("there is no python3 here".to_owned()));
        }
        let (folder, packages) = (self.folder.join(runner), self.packages("python", runner));
        let python = folder.join("bin").join("python");
        let installing = || -> Result<Result<(), String>> {
            let mut environment = Command::new("python3");
            environment.args(["-m", "venv", "--clear"]).arg(&folder);
            if let Err(word) = quietly(environment)? {
                return Ok(Err(format!("python3 can't make an environment: {word}")));
            }
            let mut install = Command::new(&python);
            install
                .args(["-m", "pip", "install", "--quiet"])
                .arg("--disable-pip-version-check")
                .args(&packages);
            Ok(quietly(install)?.map_err(|word| format!("pip can't install it: {word}")))
        };
        Ok(once(&folder, &packages, installing)?.map(|()| python.clone()))
    }

    /// A program of a runner's npm packages; or why there is none, in words.
    pub(crate) fn npm(&self, runner: &str, program: &str) -> Result<Result<PathBuf, String>> {
        if !answers("npm") {
            return Ok(Err("there is no npm here".to_owned()));
        }
        let folder = self.folder.join(format!("{runner}-npm"));
        let packages = self.packages("npm", runner);
        let installing = || -> Result<Result<(), String>> {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join("package.json"), "{\"private\":true}\n")?;
            let mut install = Command::new("npm");
            install
                .current_dir(&folder)
                .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
                .args(["--loglevel", "error"])
                .args(&packages);
            Ok(quietly(install)?.map_err(|word| format!("npm can't install it: {word}")))
        };
        if let Err(word) = once(&folder, &packages, installing)? {
            return Ok(Err(word));
        }
        // What npm puts on the path is a script that starts the program, and would stand between it and a signal.
        let found = find(&folder.join("node_modules"), program)?;
        Ok(found.ok_or_else(|| format!("the packages brought no {program} for this machine")))
    }
}

/// Installs, unless exactly that was installed before.
fn once(
    folder: &Path,
    packages: &[String],
    install: impl FnOnce() -> Result<Result<(), String>>,
) -> Result<Result<(), String>> {
    let wanted = packages.join("\n");
    let stamp = folder.join(STAMP);
    if std::fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(Ok(()));
    }
    println!("installing {}", packages.join(", "));
    let installed = install()?;
    if installed.is_ok() {
        std::fs::write(stamp, wanted)?;
    }
    Ok(installed)
}

/// The program of this name in a `bin` folder below, not counting npm's own links.
fn find(folder: &Path, program: &str) -> Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name == ".bin") || !path.is_dir() {
            continue;
        }
        let here = path.join("bin").join(program);
        if here.is_file() && !is_script(&here) {
            return Ok(Some(here));
        }
        if let Some(found) = find(&path, program)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn is_script(path: &Path) -> bool {
    use std::io::Read as _;
    let mut start = [0; 2];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"#!"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::runner::PEERS;

    #[test]
    fn every_peer_has_pinned_packages_and_a_script() {
        let workspace = Workspace::here().unwrap();
        let shelf = Shelf::of(&workspace).unwrap();
        for peer in &PEERS {
            let packages = shelf.packages("python", peer.name);
            assert!(!packages.is_empty(), "{}", peer.name);
            assert!(packages.iter().all(|package| package.contains("==")));
            let script = workspace.root().join("xtask/race").join(peer.script);
            assert!(script.is_file(), "{}", peer.script);
        }
        let server = shelf.packages("npm", "restate");
        assert!(
            server
                .iter()
                .all(|package| package.rsplit('@').count() == 3)
        );
    }

    #[test]
    fn what_is_there_is_not_installed_again() {
        let folder = tempfile::tempdir().unwrap();
        let packages = ["a==1".to_owned()];
        let mut times = 0;
        for _ in 0..2 {
            let installed = once(folder.path(), &packages, || {
                times += 1;
                Ok(Ok(()))
            });
            assert_eq!(installed.unwrap(), Ok(()));
        }
        let newer = ["a==2".to_owned()];
        let refused = once(folder.path(), &newer, || Ok(Err("no".to_owned())));
        assert_eq!(refused.unwrap(), Err("no".to_owned()));
        assert_eq!(times, 1);
    }
}
