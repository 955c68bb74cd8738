//! The repository as it lies on disk: its files, manifests and programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The repository.
pub(crate) struct Workspace {
    root: PathBuf,
}

/// A package's manifest.
pub(crate) struct Manifest {
    /// Its path from the root.
    pub(crate) path: PathBuf,
    /// The package's name.
    pub(crate) name: String,
    /// What it says.
    pub(crate) table: toml::Table,
}

impl Workspace {
    /// The repository that this program was built in.
    pub(crate) fn here() -> Result<Self> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = own.parent().context("xtask has no folder above it")?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Its folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Runs cargo (the one that runs this program) in the root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }

    /// All files that are kept in version control or are about to be, as paths from the root, sorted.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let listed = Command::new("git")
            .args([
                "ls-files",
                "--cached",
                "--others",
                "--exclude-standard",
                "-z",
            ])
            .current_dir(&self.root)
            .output();
        let mut files = match listed {
            Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
                .split('\0')
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
                .collect(),
            // Unpacked from an archive: everything but what is built.
            _ => {
                let mut found = Vec::new();
                walk(&self.root, Path::new(""), &mut found)?;
                found
            }
        };
        files.retain(|path| self.root.join(path).is_file());
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// The files whose name ends so, with their text. Files that aren't text are left out.
    pub(crate) fn texts(&self, ending: &str) -> Result<Vec<(PathBuf, String)>> {
        let mut texts = Vec::new();
        for path in self.files()? {
            if !path.to_string_lossy().ends_with(ending) {
                continue;
            }
            if let Ok(text) = std::fs::read_to_string(self.root.join(&path)) {
                texts.push((path, text));
            }
        }
        Ok(texts)
    }

    /// A file's text.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Result<String> {
        let path = self.root.join(path);
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: impl AsRef<Path>, text: &str) -> Result<()> {
        let path = self.root.join(path);
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }

    /// The root's manifest.
    pub(crate) fn root_manifest(&self) -> Result<toml::Table> {
        self.read("Cargo.toml")?
            .parse()
            .context("reading Cargo.toml")
    }

    /// The manifests of all packages.
    pub(crate) fn manifests(&self) -> Result<Vec<Manifest>> {
        let mut manifests = Vec::new();
        for (path, text) in self.texts("Cargo.toml")? {
            let table: toml::Table = text
                .parse()
                .with_context(|| format!("reading {}", path.display()))?;
            let name = table
                .get("package")
                .and_then(|package| package.get("name"))
                .and_then(toml::Value::as_str)
                .map(str::to_owned);
            if let Some(name) = name {
                manifests.push(Manifest { path, name, table });
            }
        }
        Ok(manifests)
    }

    /// Builds the program and says where it is.
    pub(crate) fn tieout(&self, release: bool) -> Result<PathBuf> {
        let mut command = self.cargo();
        command.args([
            "build",
            "--locked",
            "--package",
            "tieout",
            "--message-format=json",
        ]);
        if release {
            command.arg("--release");
        }
        let output = command.stderr(std::process::Stdio::inherit()).output()?;
        if !output.status.success() {
            bail!("tieout doesn't build");
        }
        named(&programs(&output.stdout, "bin"), "tieout")
    }

    /// Builds a package's example for measuring, and says where it is: with the features that the program has of the
    /// libraries, so that they aren't compiled again.
    pub(crate) fn example(&self, package: &str, name: &str) -> Result<PathBuf> {
        let mut command = self.cargo();
        command.args(["build", "--locked", "--release", "--package", "tieout"]);
        command.args(["--package", package, "--example", name]);
        command.arg("--message-format=json");
        let output = command.stderr(std::process::Stdio::inherit()).output()?;
        if !output.status.success() {
            bail!("{name} doesn't build");
        }
        named(&programs(&output.stdout, "example"), name)
    }

    /// Builds a program as the tests have it, and says where it is: with the features that all packages together
    /// want of the libraries, so that after the tests nothing is compiled again.
    pub(crate) fn beside_the_tests(&self, name: &str) -> Result<PathBuf> {
        let mut command = self.cargo();
        command.args(["build", "--locked", "--workspace", "--bins", "--tests"]);
        command.arg("--message-format=json");
        let output = command.stderr(std::process::Stdio::inherit()).output()?;
        if !output.status.success() {
            bail!("{name} doesn't build");
        }
        named(&programs(&output.stdout, "bin"), name)
    }
}

/// The programs of this kind in what cargo tells of a build.
fn programs(told: &[u8], kind: &str) -> Vec<PathBuf> {
    let is_program = |message: &Value| {
        message["target"]["kind"][0] == kind && message["profile"]["test"] == false
    };
    String::from_utf8_lossy(told)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(is_program)
        .filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)))
        .collect()
}

fn named(programs: &[PathBuf], name: &str) -> Result<PathBuf> {
    let found = programs
        .iter()
        .find(|path| path.file_stem().is_some_and(|stem| stem == name));
    found
        .cloned()
        .with_context(|| format!("cargo built no program called {name}"))
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if path != Path::new("target") && path != Path::new(".git") {
                walk(root, &path, found)?;
            }
        } else {
            found.push(path);
        }
    }
    Ok(())
}
