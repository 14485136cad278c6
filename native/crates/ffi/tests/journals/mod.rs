//! Journals for tests of closing, and what their handles show.

#![allow(dead_code, reason = "each test program uses a part")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use objects::lifecycle::close_with_defaults;
use objects::ownership::{self, lower};
use recorder::levels;
use recorder::runtime::runtime;
use samples::Journal;
use segment::atomic;
use segment::layout::Level;
use segment::status::{Error, Status};

/// The count of pending closes is the process's, so tests that read it take turns.
static TURN: Mutex<()> = Mutex::new(());

pub struct Journals {
    pub path: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Journals {
    pub fn new(name: &str) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        levels::set_level(runtime(), Level::Count as u8);
        let path =
            std::env::temp_dir().join(format!("arc-inspector-{}-{name}", std::process::id()));
        Self { path, _turn: turn }
    }

    pub fn open(&self) -> u64 {
        lower(Arc::new(Journal::open(&self.path).unwrap())).unwrap()
    }
}

impl Drop for Journals {
    fn drop(&mut self) {
        assert_eq!(pending(), 0, "a test leaves no close pending");
        std::fs::remove_file(&self.path).unwrap();
    }
}

pub fn pending() -> u64 {
    atomic!(AtomicU64, runtime().segment().header(), pending_closes).load(Ordering::SeqCst)
}

pub fn resource(handle: u64) -> u8 {
    runtime().table.slot_of(handle).unwrap().word0().resource()
}

pub fn reference(handle: u64) -> u8 {
    runtime().table.slot_of(handle).unwrap().word0().reference()
}

pub fn status(result: Result<(), Error>) -> Status {
    result.err().map_or(Status::Ok, |error| error.status)
}

pub fn close(handle: u64) -> Status {
    status(close_with_defaults(runtime(), handle))
}

pub fn release(handle: u64) {
    ownership::release(runtime(), handle).unwrap();
}

pub fn release_all<const N: usize>(handles: [u64; N]) {
    handles.into_iter().for_each(release);
}
