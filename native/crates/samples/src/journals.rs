//! The journal of `journal` over the other strategies: the same resource, owned in other ways,
//! closed by the same method.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use super::pages::Pages;
use super::{Lists, ORIGIN};
use objects::object::CloseSpec;
use objects::ownership::{ArcMap, CloseAlone, CloseShared, MutexMap, Thin, ThinMap};
use segment::status::Result;
use segment::sync::lock;

const CLOSING: CloseSpec = CloseSpec { signature: "close(flush)", is_thread_affine: false };

/// Journals that one call at a time is inside of.
pub static SERIAL_JOURNALS: MutexMap<Pages> = MutexMap::closable("SerialJournal", ORIGIN, CLOSING);
/// Journals that guard themselves, counted by `Arc`.
pub static SHARED_JOURNALS: ArcMap<Guarded> = ArcMap::closable("SharedJournal", ORIGIN, CLOSING);
/// Journals that guard themselves, counted in their rows.
pub static THIN_JOURNALS: ThinMap<Guarded> = ThinMap::closable("ThinJournal", ORIGIN, CLOSING);

/// Pages that several calls may use at a time.
pub struct Guarded(Mutex<Pages>);

impl Guarded {
    /// Appends a line.
    pub fn append(&self, line: &str) -> Result<()> {
        lock(&self.0).append(line)
    }

    /// Lines appended so far.
    pub fn lines(&self) -> u64 {
        lock(&self.0).lines()
    }
}

impl CloseAlone for Pages {
    fn close_with_defaults(&mut self) -> Result<()> {
        self.close(true)
    }
}

impl CloseShared for Guarded {
    fn close_with_defaults(&self) -> Result<()> {
        lock(&self.0).close(true)
    }
}

/// The journals of one strategy, by that of the sample lists. A handle of another's journal is of
/// the wrong type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journals(pub Lists);

impl Journals {
    /// Opens the file, made if it is not there.
    pub fn open(self, path: &Path) -> Result<u64> {
        let pages = Pages::open(path)?;
        match self.0 {
            Lists::Serial => SERIAL_JOURNALS.insert(pages),
            Lists::Shared => SHARED_JOURNALS.insert(Guarded(Mutex::new(pages))),
            Lists::Thin => THIN_JOURNALS.insert(Guarded(Mutex::new(pages))).map(Thin::lower),
        }
    }

    /// Appends a line after a while, during which the call is in flight and so holds up a close.
    pub fn append(self, journal: u64, line: &str, pause: Duration) -> Result<()> {
        let wait = || {
            if !pause.is_zero() {
                std::thread::sleep(pause);
            }
        };
        match self.0 {
            Lists::Serial => SERIAL_JOURNALS.with(journal, |pages| {
                wait();
                pages.append(line)
            }),
            Lists::Shared => SHARED_JOURNALS.with(journal, |pages| {
                wait();
                pages.append(line)
            }),
            Lists::Thin => THIN_JOURNALS.with(journal, |pages| {
                wait();
                pages.append(line)
            }),
        }?
    }

    /// Lines appended so far.
    pub fn lines(self, journal: u64) -> Result<u64> {
        match self.0 {
            Lists::Serial => SERIAL_JOURNALS.with(journal, |pages| pages.lines()),
            Lists::Shared => SHARED_JOURNALS.with(journal, Guarded::lines),
            Lists::Thin => THIN_JOURNALS.with(journal, Guarded::lines),
        }
    }

    /// Closes a journal, after its bytes have reached the disk if `flush` asks for it.
    pub fn close(self, journal: u64, flush: bool) -> Result<()> {
        match self.0 {
            Lists::Serial => SERIAL_JOURNALS.close(journal, move |pages| pages.close(flush)),
            Lists::Shared => {
                SHARED_JOURNALS.close(journal, move |pages| lock(&pages.0).close(flush))
            }
            Lists::Thin => THIN_JOURNALS.close(journal, move |pages| lock(&pages.0).close(flush)),
        }
    }
}
