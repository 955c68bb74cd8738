//! A folder that is there as a whole or not at all: made beside its goal, and renamed once it is finished.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::failure::Failure;

/// A folder in the making, its owner's alone. Unless it is finished, nothing of it stays.
#[derive(Debug)]
pub struct Beside {
    folder: TempDir,
    goal: PathBuf,
}

impl Beside {
    /// Makes the folder beside its goal, and what the goal lies in if that isn't there.
    pub fn of(goal: &Path) -> Result<Self, Failure> {
        let parent = match goal.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(parent)
            .map_err(|error| Failure::file("can't make", parent, &error))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".tieout-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder
            .tempdir_in(parent)
            .map_err(|error| Failure::file("can't make a folder in", parent, &error))?;
        Ok(Self {
            folder,
            goal: goal.to_owned(),
        })
    }

    /// Where it is while it is made.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts the folder in the place of its goal, which must not be there, or be an empty folder.
    pub fn finish(self) -> Result<(), Failure> {
        let beside = self.folder.keep();
        // Not everywhere does a folder take the place of an empty one by itself.
        let cleared = if self.goal.is_dir() {
            std::fs::remove_dir(&self.goal)
        } else {
            Ok(())
        };
        cleared
            .and_then(|()| std::fs::rename(&beside, &self.goal))
            .map_err(|error| {
                // What can't be removed either is named by what follows.
                let _ = std::fs::remove_dir_all(&beside);
                Failure::file("can't make", &self.goal, &error)
            })
    }
}

/// Makes a file that is its owner's alone; never one that is there already.
pub fn private_file(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map_err(|error| Failure::file("can't make", path, &error))
}

/// Writes a whole file and waits until it is on the disk.
pub fn write(path: &Path, text: &[u8]) -> Result<(), Failure> {
    let mut file = private_file(path)?;
    file.write_all(text)
        .and_then(|()| file.sync_all())
        .map_err(|error| Failure::file("can't write", path, &error))
}
