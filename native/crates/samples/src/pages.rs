//! A file that lines are appended to: the resource of every journal, for each kind of ownership.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use segment::status::{Error, Result, Status};

/// The file, as long as it is open.
pub struct Pages {
    path: PathBuf,
    file: Option<File>,
    lines: u64,
}

impl Pages {
    /// Opens the file, made if it is not there.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|error| Error::io(path.display(), &error))?;
        Ok(Self { path: path.to_owned(), file: Some(file), lines: 0 })
    }

    /// Appends a line.
    pub fn append(&mut self, line: &str) -> Result<()> {
        let Some(file) = &mut self.file else {
            return Err(Error::new(
                Status::Closed,
                format!("the journal is closed: {}", self.path.display()),
            ));
        };
        file.write_all(format!("{line}\n").as_bytes())
            .map_err(|error| Error::io(self.path.display(), &error))?;
        self.lines += 1;
        Ok(())
    }

    /// Lines appended so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Closes the file, after its bytes have reached the disk if `flush` asks for it. When they do
    /// not, it stays open.
    pub fn close(&mut self, flush: bool) -> Result<()> {
        if let (Some(open), true) = (&self.file, flush) {
            open.sync_all().map_err(|error| Error::io(self.path.display(), &error))?;
        }
        self.file = None;
        Ok(())
    }
}
