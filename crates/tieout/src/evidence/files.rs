//! The files of a pack, each with the sum by which it is checked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tieout_domain::hexadecimal;

use crate::beside::{Beside, private_file};
use crate::failure::Failure;

/// The file with the sums of all others, in the format of `sha256sum`.
pub const SUMS: &str = "manifest.sha256";

/// A pack in the making.
#[derive(Debug)]
pub struct Pack {
    folder: Beside,
    sums: BTreeMap<String, String>,
}

impl Pack {
    /// Begins a pack that will be in this place.
    pub fn begin(goal: &Path) -> Result<Self, Failure> {
        Ok(Self {
            folder: Beside::of(goal)?,
            sums: BTreeMap::new(),
        })
    }

    /// Makes a folder in it.
    pub fn folder(&self, name: &str) -> Result<(), Failure> {
        let path = self.folder.path().join(name);
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&path)
            .map_err(|error| Failure::file("can't make", &path, &error))
    }

    /// Begins a file of it; the name's folders are separated by `/`.
    pub fn file(&self, name: &str) -> Result<PackFile, Failure> {
        let path = self.folder.path().join(name);
        Ok(PackFile {
            out: BufWriter::new(private_file(&path)?),
            hash: Sha256::new(),
            name: name.to_owned(),
            path,
        })
    }

    /// Ends a file and keeps its sum.
    pub fn end(&mut self, file: PackFile) -> Result<(), Failure> {
        let PackFile {
            mut out,
            hash,
            name,
            path,
        } = file;
        out.flush()
            .and_then(|()| out.get_ref().sync_all())
            .map_err(|error| Failure::file("can't write", &path, &error))?;
        self.sums.insert(name, hexadecimal(&hash.finalize()));
        Ok(())
    }

    /// A whole file.
    pub fn text(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        let mut file = self.file(name)?;
        file.put(text.as_bytes())?;
        self.end(file)
    }

    /// Writes the sums and puts the pack in its place.
    pub fn finish(self) -> Result<(), Failure> {
        let mut sums = self.file(SUMS)?;
        for (name, sum) in &self.sums {
            sums.put(format!("{sum}  {name}\n").as_bytes())?;
        }
        let mut this = self;
        this.end(sums)?;
        this.folder.finish()
    }
}

/// A file in the making.
#[derive(Debug)]
pub struct PackFile {
    out: BufWriter<File>,
    hash: Sha256,
    name: String,
    path: PathBuf,
}

impl PackFile {
    /// Writes all of it.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.write_all(bytes)
            .map_err(|error| Failure::file("can't write", &self.path, &error))
    }

    /// Where it is while it is made.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Write for PackFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
