//! A resource that has to be closed: a file that lines are appended to.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use super::pages::Pages;
use super::ORIGIN;
use objects::object::Life;
use objects::object::Object;
use objects::object::{CloseSpec, TypeSpec};
use objects::ownership::closable;
use segment::status::Result;
use segment::sync::lock;

static JOURNAL: TypeSpec = closable::<Journal>(
    "Journal",
    ORIGIN,
    CloseSpec { signature: "close(flush)", is_thread_affine: false },
);

/// A file that lines are appended to.
pub struct Journal {
    life: Life,
    path: PathBuf,
    pages: Mutex<Pages>,
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
        let pages = Mutex::new(Pages::open(path)?);
        Ok(Self { life: Life::new(&JOURNAL), path: path.to_owned(), pages })
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line.
    pub fn append(&self, line: &str) -> Result<()> {
        lock(&self.pages).append(line)
    }

    /// Appends a line after a while, during which the call is in flight and so holds up a close.
    pub fn append_slowly(&self, line: &str, pause: Duration) -> Result<()> {
        std::thread::sleep(pause);
        self.append(line)
    }

    /// Lines appended through this object.
    pub fn lines(&self) -> u64 {
        lock(&self.pages).lines()
    }

    /// Closes the file, after its bytes have reached the disk if `flush` asks for it.
    pub fn close(&self, flush: bool) -> Result<()> {
        lock(&self.pages).close(flush)
    }
}
