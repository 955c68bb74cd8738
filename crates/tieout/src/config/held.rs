//! One change of `tieout.toml` at a time. A change reads the whole file and puts another in its place: two that did so at
//! once, in one process or in several, would undo one of them without a word.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

use crate::failure::Failure;

/// Whoever changes a configuration in this process.
static HERE: Mutex<()> = Mutex::const_new(());

/// How long to wait before it is asked again whether another process is done.
const AGAIN: Duration = Duration::from_millis(20);

/// The right to change the file: it ends when this is dropped.
pub(crate) struct Held {
    _file: File,
    _here: MutexGuard<'static, ()>,
}

/// Waits until nobody else changes this file. What is written then must have been read after it.
///
/// # Errors
/// `file` where nothing can be written beside it.
pub(crate) async fn held(path: &Path) -> Result<Held, Failure> {
    let here = HERE.lock().await;
    let lock = beside(path);
    let wrong = |error: &std::io::Error| Failure::file("can't lock", &lock, error);
    let file = opened(&lock).map_err(|error| wrong(&error))?;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => tokio::time::sleep(AGAIN).await,
            // Some shared folders know no locks: then this process alone is kept from itself.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => break,
            Err(TryLockError::Error(error)) => return Err(wrong(&error)),
        }
    }
    Ok(Held {
        _file: file,
        _here: here,
    })
}

/// The file is replaced by each change, so that the lock is another one beside it: `.tieout.toml.lock`.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".lock");
    path.with_file_name(name)
}

fn opened(lock: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    let made = options.create(true).truncate(false).write(true).open(lock);
    match made {
        // Somebody else's, which is enough to wait for.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => File::open(lock),
        made => made,
    }
}
