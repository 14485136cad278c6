//! Maps of every strategy, and how tests use them.

#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(clippy::unwrap_used, reason = "in a test it is the failure")]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use arc_inspector_native::quick::ai_live_handles;
use objects::ownership;
use objects::ownership::{ArcMap, ForeignMap, MutexMap, ThinMap};
use recorder::runtime::runtime;
use segment::registry::generation_of;
use segment::status::{Result, Status};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// An object that counts its end.
pub struct Counted(pub &'static AtomicUsize);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub static SERIAL: MutexMap<Vec<u32>> = MutexMap::new("Serial", "test");
pub static ARCS: ArcMap<AtomicU64> = ArcMap::new("Arcs", "test");
pub static THIN: ThinMap<AtomicU64> = ThinMap::new("Thin", "test");
pub static FOREIGN: ForeignMap = ForeignMap::new("Foreign", "test");
pub static OTHER_FOREIGN: ForeignMap = ForeignMap::new("Other", "test");

/// Runs a test alone, and demands that it leaves no live handle behind.
pub fn leaving_nothing(body: impl FnOnce()) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let before = ai_live_handles();
    body();
    assert_eq!(ai_live_handles(), before, "live handles are left");
}

pub fn release(handle: u64) {
    ownership::release(runtime(), handle).unwrap();
}

pub fn state(handle: u64) -> u8 {
    let word = runtime().table.slot_of(handle).unwrap().word0();
    assert_eq!(word.generation(), generation_of(handle));
    word.reference()
}

pub fn status<T>(result: Result<T>) -> Status {
    result.err().map_or(Status::Ok, |error| error.status)
}

/// The status of each use of a handle, by strategy.
pub fn uses(handle: u64) -> [(&'static str, Status); 4] {
    [
        ("mutex_map", status(SERIAL.with(handle, |_| ()))),
        ("arc_map", status(ARCS.with(handle, |_| ()))),
        ("thin", status(THIN.with(handle, |_| ()))),
        ("foreign", status(FOREIGN.value(handle))),
    ]
}

/// A handle of each.
pub fn made() -> [u64; 4] {
    let thin = THIN.insert(AtomicU64::new(3)).unwrap().lower();
    [
        SERIAL.insert(vec![1]).unwrap(),
        ARCS.insert(AtomicU64::new(2)).unwrap(),
        thin,
        FOREIGN.insert(4).unwrap(),
    ]
}

pub fn end(handles: [u64; 4]) {
    handles[..3].iter().copied().for_each(release);
    assert_eq!(FOREIGN.delete(handles[3]).unwrap(), 4);
}
