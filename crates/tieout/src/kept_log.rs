//! The log's last lines, kept in the home for whoever helps: what standard error has shown, of all processes, and no more
//! than fits on a few screens.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use crate::home::CONFIG;

/// The file in the home.
const NAME: &str = "tieout.log";

/// A file of this size becomes the one before, and a new one is begun.
const BYTES_MAX: u64 = 256 * 1024;

/// Writes one message to the file; where there is no home, or no room, it is not kept.
pub struct Appender(Option<File>);

impl Appender {
    /// Opens the file of this home.
    #[must_use]
    pub fn of(home: &Path) -> Self {
        Self(opened(home).ok().flatten())
    }
}

fn opened(home: &Path) -> io::Result<Option<File>> {
    if !home.join(CONFIG).exists() {
        return Ok(None);
    }
    let path = home.join(NAME);
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    if file.metadata()?.len() < BYTES_MAX {
        return Ok(Some(file));
    }
    std::fs::rename(&path, home.join(format!("{NAME}.before")))?;
    options.open(&path).map(Some)
}

impl Write for Appender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A message that can't be kept has been shown, and is nobody's failure.
        if let Some(file) = &mut self.0 {
            let _ = file.write_all(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The last lines, at most so many; none where there is no log.
#[must_use]
pub fn last_lines(home: &Path, most: usize) -> Vec<String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(home.join(NAME))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(BYTES_MAX)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(most)..]
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_no_more_than_fit() {
        let home = tempfile::tempdir().unwrap();
        let say = |text: &str| {
            let line = format!("{text}\n");
            Appender::of(home.path())
                .write_all(line.as_bytes())
                .unwrap();
        };
        say("there is no home yet");
        assert!(last_lines(home.path(), 5).is_empty());
        std::fs::write(home.path().join(CONFIG), "").unwrap();
        for number in 0..20 {
            say(&format!("{number} {}", "x".repeat(30_000)));
        }
        say("the last one");
        let lines = last_lines(home.path(), 2);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], "the last one");
        let kept: u64 = std::fs::read_dir(home.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum();
        assert!(kept < 3 * BYTES_MAX, "{kept}");
    }
}
