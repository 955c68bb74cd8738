//! The log of hints: what services told, durable before the database has it.
//!
//! Whoever tells something waits for one short write of the disk, and not for a turn at the database, which a run may
//! hold meanwhile. Two files lie beside a SQLite database: one is written to while what is in the other goes over into
//! the database. What a killed process leaves in them is taken over by the next one. A hint that is taken over twice is
//! one hint: the database knows its event.
//!
//! A file is written over from its beginning each time it is its turn, so that it stays as long as it was and the disk
//! has little to write. Each frame in it says which turn it is of: what an earlier turn left behind is none of this one.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::hints::NewHint;
use crate::store::{Store, make_private_file};

/// The head of a frame: its turn, its length, and the beginning of the SHA-256 over both and its content.
const HEAD: usize = 24;
/// No more is written to a file than this: whoever comes then is told to come again.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The log beside a database.
#[derive(Debug)]
pub struct HintLog {
    files: [Turns; 2],
    /// Which of them is written to.
    now: usize,
}

/// A file that is written over turn by turn.
#[derive(Debug)]
struct Turns {
    file: File,
    turn: u64,
    at: u64,
}

impl Store {
    /// Opens the log beside this database, with what an earlier process left in it. `None` where there is none to be
    /// had: beside a PostgreSQL database, which other machines share, and while another process has it.
    ///
    /// # Errors
    /// What the disk answers.
    pub fn hint_log(&self) -> io::Result<Option<(HintLog, Vec<NewHint>)>> {
        match &self.inner.path {
            Some(path) => HintLog::open(path),
            None => Ok(None),
        }
    }
}

impl HintLog {
    fn open(database: &Path) -> io::Result<Option<(Self, Vec<NewHint>)>> {
        let mut left = Vec::new();
        let mut files = Vec::new();
        for suffix in ["-hints-a", "-hints-b"] {
            let path = beside(database, suffix);
            make_private_file(&path).map_err(io::Error::other)?;
            let mut file = File::options().read(true).write(true).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            let turn = read_turn(&mut file, &mut left)?;
            files.push(Turns { file, turn, at: 0 });
        }
        keep_names(database)?;
        let [a, b] = <[Turns; 2]>::try_from(files)
            .map_err(|_| io::Error::other("the log of hints has two files"))?;
        let mut log = Self {
            files: [a, b],
            now: 0,
        };
        // A turn is never used again, not even one that nothing was written in.
        let newest = log.files[0].turn.max(log.files[1].turn);
        log.files[0].turn = newest + 1;
        log.files[1].turn = newest;
        Ok(Some((log, left)))
    }

    /// Writes hints. Once this has returned they are durable.
    ///
    /// # Errors
    /// What the disk answers, and when the log is full: then none of them counts as kept.
    pub fn append(&mut self, hints: &[NewHint]) -> io::Result<()> {
        let content = serde_json::to_vec(hints)?;
        let turns = &mut self.files[self.now];
        let frame = frame(turns.turn, &content);
        let length = frame.len() as u64;
        if turns.at.saturating_add(length) > BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "the log of hints is full",
            ));
        }
        turns.file.seek(SeekFrom::Start(turns.at))?;
        turns.file.write_all(&frame)?;
        turns.file.sync_data()?;
        turns.at += length;
        Ok(())
    }

    /// The other file's turn: what was written up to now is to go over into the database before this is called again.
    pub fn turn(&mut self) {
        let newest = self.files[self.now].turn;
        self.now = 1 - self.now;
        let turns = &mut self.files[self.now];
        turns.turn = newest + 1;
        turns.at = 0;
    }
}

/// Makes the files' names as durable as what will be in them: they may have been made just now.
fn keep_names(database: &Path) -> io::Result<()> {
    // Other systems keep a name as soon as it is there, and open no folder.
    if cfg!(unix) {
        let folder = database.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn frame(turn: u64, content: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEAD + content.len());
    frame.extend(turn.to_le_bytes());
    frame.extend((content.len() as u64).to_le_bytes());
    frame.extend(seal(turn, content));
    frame.extend(content);
    frame
}

fn seal(turn: u64, content: &[u8]) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(turn.to_le_bytes());
    hash.update((content.len() as u64).to_le_bytes());
    hash.update(content);
    let digest = hash.finalize();
    let mut seal = [0; 8];
    seal.copy_from_slice(&digest[..8]);
    seal
}

/// Reads the frames of the file's last turn, and tells which turn that was. A frame that was broken off was never
/// answered for.
fn read_turn(file: &mut File, hints: &mut Vec<NewHint>) -> io::Result<u64> {
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    let mut last = None;
    while let Some((turn, content, after)) = next_frame(rest) {
        if last.is_some_and(|last| last != turn) {
            break;
        }
        let Ok(more) = serde_json::from_slice::<Vec<NewHint>>(content) else {
            break;
        };
        hints.extend(more);
        last = Some(turn);
        rest = after;
    }
    Ok(last.unwrap_or_default())
}

/// The turn and the content of the frame at the beginning, and what comes after it; nothing where there is no whole one.
fn next_frame(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (turn, bytes) = bytes.split_first_chunk::<8>()?;
    let (length, bytes) = bytes.split_first_chunk::<8>()?;
    let (sealed, bytes) = bytes.split_first_chunk::<8>()?;
    let turn = u64::from_le_bytes(*turn);
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (content, after) = bytes.split_at_checked(length)?;
    (seal(turn, content) == *sealed).then_some((turn, content, after))
}

#[cfg(test)]
mod tests {
    use tieout_domain::Timestamp;

    use super::*;

    fn hint(event: &str) -> NewHint {
        NewHint {
            connection: "acme-us".parse().unwrap(),
            system: "bill".to_owned(),
            event: event.to_owned(),
            record: "bill 00n1".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn events(hints: &[NewHint]) -> Vec<&str> {
        hints.iter().map(|hint| hint.event.as_str()).collect()
    }

    fn open(database: &Path) -> (HintLog, Vec<NewHint>) {
        HintLog::open(database).unwrap().unwrap()
    }

    #[test]
    fn what_was_written_is_left_to_the_next_process_in_any_turn() {
        let home = tempfile::tempdir().unwrap();
        let database = home.path().join("tieout.db");
        let (mut log, left) = open(&database);
        assert!(left.is_empty());
        log.append(&[hint("1"), hint("2")]).unwrap();
        log.append(&[hint("3")]).unwrap();
        log.turn();
        log.append(&[hint("4")]).unwrap();
        drop(log);

        let (mut log, left) = open(&database);
        let mut found = events(&left);
        found.sort_unstable();
        assert_eq!(found, ["1", "2", "3", "4"]);
        // A shorter turn over a longer one: what is behind it is none of it.
        log.append(&[hint("5")]).unwrap();
        log.turn();
        log.append(&[hint("6")]).unwrap();
        drop(log);
        let (_, left) = open(&database);
        assert_eq!(events(&left), ["5", "6"]);
    }

    #[test]
    fn what_was_broken_off_is_not_taken_for_a_hint() {
        let home = tempfile::tempdir().unwrap();
        let database = home.path().join("tieout.db");
        let (mut log, _) = open(&database);
        log.append(&[hint("1")]).unwrap();
        let whole = log.files[0].at;
        log.append(&[hint("2")]).unwrap();
        log.files[0].file.set_len(whole + 30).unwrap();
        drop(log);
        assert_eq!(events(&open(&database).1), ["1"]);

        let path = beside(&database, "-hints-a");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[HEAD + 4] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(events(&open(&database).1), [] as [&str; 0]);
    }

    #[test]
    fn one_process_has_it() {
        let home = tempfile::tempdir().unwrap();
        let database = home.path().join("tieout.db");
        let first = open(&database);
        assert!(HintLog::open(&database).unwrap().is_none());
        drop(first);
        assert!(HintLog::open(&database).unwrap().is_some());
    }
}
