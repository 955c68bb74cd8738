//! Whether a process that this store knows is still there.
//!
//! Each process that holds something for a while has a name of its own, made anew with each start. Beside a SQLite
//! database it also locks a file of that name: the operating system gives the lock back when the process dies, so that
//! whatever it held is free at once. Beside PostgreSQL nothing tells but time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::StoreError;
use crate::lease::lock;

/// This process among those that share a database.
#[derive(Debug)]
pub(crate) struct Holder {
    id: String,
    /// Beside a SQLite database: where the locks lie.
    beside: Option<PathBuf>,
    alive: OnceLock<Alive>,
}

/// Locked for as long as the process lives. The file goes with it.
#[derive(Debug)]
struct Alive {
    path: PathBuf,
    _lock: File,
}

impl Drop for Alive {
    fn drop(&mut self) {
        // Left behind it would only be found unlocked, and be removed by whoever finds it.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Holder {
    /// A process with this name, drawn by chance.
    pub(crate) fn new(id: String, database: Option<&Path>) -> Self {
        Self {
            id,
            beside: database.map(Path::to_owned),
            alive: OnceLock::new(),
        }
    }

    /// Its name, and from now on the lock that says that it lives.
    pub(crate) fn id(&self) -> Result<&str, StoreError> {
        if let Some(path) = self.path_of(&self.id)
            && self.alive.get().is_none()
            && let Some(file) = lock(&path)?
        {
            let _ = self.alive.set(Alive { path, _lock: file });
        }
        Ok(&self.id)
    }

    /// Whether this is its name.
    pub(crate) fn is(&self, holder: &str) -> bool {
        self.id == holder
    }

    /// Whether it has certainly died. What can't be told from here is for time to tell.
    pub(crate) fn is_dead(&self, other: &str) -> bool {
        if other == self.id {
            return false;
        }
        let Some(path) = self.path_of(other) else {
            return false;
        };
        if !path.exists() {
            return true;
        }
        let is_free = matches!(lock(&path), Ok(Some(_)));
        if is_free {
            let _ = std::fs::remove_file(&path);
        }
        is_free
    }

    fn path_of(&self, id: &str) -> Option<PathBuf> {
        let mut name = self.beside.clone()?.into_os_string();
        name.push(format!(".{id}.alive"));
        Some(name.into())
    }
}
