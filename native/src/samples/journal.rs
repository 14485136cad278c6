//! A resource that has to be closed: a file that lines are appended to.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::Duration;

use super::{locked, ORIGIN};
use crate::lifecycle::Life;
use crate::ownership::{closable, Object};
use crate::status::{Error, Result, Status};
use crate::types::{CloseSpec, TypeSpec};

static JOURNAL: TypeSpec = closable::<Journal>("Journal", ORIGIN, CloseSpec { signature: "close(flush)", is_thread_affine: false });

/// A file that lines are appended to.
pub struct Journal {
    life: Life,
    path: PathBuf,
    file: Mutex<Option<File>>,
    lines: AtomicU64,
}

// SAFETY: the static was made for this type and is returned here alone.
unsafe impl Object for Journal {
    fn spec() -> &'static TypeSpec {
        &JOURNAL
    }

    fn life(&self) -> &Life {
        &self.life
    }

    fn close_with_defaults(&self) -> Result<()> {
        self.close(true)
    }
}

impl Journal {
    /// Opens the file, made if it is not there.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| Error::io(path.display(), &error))?;
        let lines = AtomicU64::new(0);
        Ok(Self { life: Life::new(&JOURNAL), path: path.to_owned(), file: Mutex::new(Some(file)), lines })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line.
    pub fn append(&self, line: &str) -> Result<()> {
        let mut file = locked(&self.file);
        let file = file.as_mut().ok_or_else(|| Error::new(Status::Closed, format!("the journal is closed: {}", self.path.display())))?;
        file.write_all(format!("{line}\n").as_bytes()).map_err(|error| Error::io(self.path.display(), &error))?;
        self.lines.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Appends a line after a while, during which the call is in flight and so holds up a close.
    pub fn append_slowly(&self, line: &str, pause: Duration) -> Result<()> {
        std::thread::sleep(pause);
        self.append(line)
    }

    /// Lines appended through this object.
    pub fn lines(&self) -> u64 {
        self.lines.load(Ordering::Relaxed)
    }

    /// Closes the file, after its bytes have reached the disk if `flush` asks for it.
    pub fn close(&self, flush: bool) -> Result<()> {
        let mut file = locked(&self.file);
        if let (Some(open), true) = (file.as_ref(), flush) {
            open.sync_all().map_err(|error| Error::io(self.path.display(), &error))?;
        }
        *file = None;
        Ok(())
    }
}
