//! The segment's memory moves while the process runs: out of its file when the agent leaves, and
//! into a new file when an agent comes again.
//!
//! The address stays, so every pointer into the segment stays good and a thread that is still
//! inside a hook finds memory there. This is done only while our own runtime has no type in the
//! process: then no call pins a handle, and the rows are those of adapters, whose writers are held
//! up as for a fork. From the first type on the memory stays in its place, since a pin that is
//! stored during a move would be lost.

use std::path::Path;
use std::sync::atomic::Ordering;

use crate::fork::{Rank, Section};
use crate::runtime::Runtime;
use crate::threads;
use segment::status::{Error, Result, Status};
use segment::sync::{Guard, Lock};

/// Held while memory moves: whether our own runtime has a type.
static HAS_OWN: Lock<bool> = Lock::new(false);

static SECTION: Section = Section::new(Rank::Moving, || HAS_OWN.hold(), release, |_| {});

/// # Safety
/// After `HAS_OWN.hold`, by the same thread or its copy in the child.
unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe { HAS_OWN.let_go() };
}

/// Nothing moves meanwhile.
fn still() -> Guard<'static, bool> {
    SECTION.join();
    HAS_OWN.lock()
}

// Relaxed, here and below: written with the lock held
fn has_left(runtime: &Runtime) -> bool {
    runtime.has_left_file.load(Ordering::Relaxed)
}

/// Our own runtime gets a type. Its handles lie in a file from the first handle on, if a file can
/// be made, so that they can be published later.
pub fn own_begins(runtime: &Runtime) {
    let mut has_own = still();
    if !*has_own && has_left(runtime) {
        // without one handles work all the same, and starting an agent says why it cannot
        let _ = into_file(runtime, None);
    }
    *has_own = true;
}

/// Gives the file up and continues in private memory. False: handles of our own runtime keep it, or
/// there is no address space for the move.
pub fn leave_file(runtime: &Runtime) -> bool {
    let has_own = still();
    if !*has_own && runtime.segment().has_file() {
        // SAFETY: as described at `while_held`.
        let has_left = while_held(runtime, || unsafe { runtime.segment().leave_file() }).is_ok();
        runtime.has_left_file.store(has_left, Ordering::Relaxed);
    }
    has_left(runtime)
}

/// After `leave_file`: continues in a new file in `directory`, or in the default directory. In
/// other processes it does nothing.
pub fn take_file(runtime: &Runtime, directory: Option<&Path>) -> Result<()> {
    let has_own = still();
    if has_left(runtime) && !*has_own {
        into_file(runtime, directory)?;
    }
    Ok(())
}

/// With the lock held.
fn into_file(runtime: &Runtime, directory: Option<&Path>) -> Result<()> {
    let failed = |error: std::io::Error| Error::new(Status::Unavailable, error.to_string());
    let directory = platform::segment_directory(directory).map_err(failed)?;
    let file = platform::unnamed_file(&directory).map_err(failed)?;
    // SAFETY: as described at `while_held`.
    let moved = while_held(runtime, || unsafe { runtime.segment().take_file(file) });
    moved.map_err(|error| {
        Error::new(
            Status::Unavailable,
            format!("{error}: no room for a segment: {}", directory.display()),
        )
    })?;
    runtime.has_left_file.store(false, Ordering::Relaxed);
    Ok(())
}

/// Writers of rows are held up meanwhile, and a thread that writes anything else in use holds one
/// of the tables.
fn while_held<T>(runtime: &Runtime, body: impl FnOnce() -> T) -> T {
    // a thread without a slot must not be enrolled half-way through
    threads::here();
    runtime.hold_tables();
    threads::hold_writers();
    let done = body();
    threads::let_writers_go();
    // SAFETY: held above, by this thread.
    unsafe { runtime.release_tables() };
    done
}
