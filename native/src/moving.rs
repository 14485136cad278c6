//! The segment's memory moves while the process runs: out of its file when the agent leaves, and
//! into a new file when an agent comes again.
//!
//! The address stays, so every pointer into the segment stays good and a thread that is still
//! inside a hook finds memory there. This is done only while our own runtime has no type in the
//! process: then no call pins a handle, and the rows are those of adapters, whose writers are held
//! up as for a fork. From the first type on the memory stays in its place, since a pin that is
//! stored during a move would be lost.

use std::path::Path;

use crate::fork;
use crate::platform;
use crate::runtime::Runtime;
use crate::status::{Error, Result, Status};
use crate::sync::Lock;
use crate::threads;

struct Place {
    /// Our own runtime has a type.
    has_own: bool,
    /// The memory is private because an agent left.
    is_left: bool,
}

/// Held while memory moves.
static PLACE: Lock<Place> = Lock::new(Place { has_own: false, is_left: false });

/// Our own runtime gets a type. Its handles lie in a file from the first handle on, if a file can
/// be made, so that they can be published later.
pub fn own_begins(runtime: &Runtime) {
    let mut place = PLACE.lock();
    if !place.has_own && place.is_left {
        // without one handles work all the same, and starting an agent says why it cannot
        let _ = into_file(runtime, &mut place, None);
    }
    place.has_own = true;
}

/// Gives the file up and continues in private memory. False: handles of our own runtime keep it, or
/// there is no address space for the move.
pub fn leave_file(runtime: &Runtime) -> bool {
    let mut place = PLACE.lock();
    if !place.has_own && runtime.segment().has_file() {
        // SAFETY: as described at `while_held`.
        place.is_left = while_held(runtime, || unsafe { runtime.segment().leave_file() }).is_ok();
    }
    place.is_left
}

/// After `leave_file`: continues in a new file in `directory`, or in the default directory. In
/// other processes it does nothing.
pub fn take_file(runtime: &Runtime, directory: Option<&Path>) -> Result<()> {
    let mut place = PLACE.lock();
    if place.is_left && !place.has_own {
        into_file(runtime, &mut place, directory)?;
    }
    Ok(())
}

/// Whether the memory is private because an agent left.
pub fn is_left() -> bool {
    PLACE.lock().is_left
}

fn into_file(runtime: &Runtime, place: &mut Place, directory: Option<&Path>) -> Result<()> {
    let failed = |error: std::io::Error| Error::new(Status::Unavailable, error.to_string());
    let directory = platform::segment_directory(directory).map_err(failed)?;
    let file = platform::unnamed_file(&directory).map_err(failed)?;
    // SAFETY: as described at `while_held`.
    let moved = while_held(runtime, || unsafe { runtime.segment().take_file(file) });
    moved.map_err(|error| Error::new(Status::Unavailable, format!("{error}: no room for a segment: {}", directory.display())))?;
    place.is_left = false;
    Ok(())
}

/// Writers of rows are held up meanwhile, and a thread that writes anything else in use holds one
/// of the tables.
fn while_held<T>(runtime: &Runtime, body: impl FnOnce() -> T) -> T {
    // a thread without a slot must not be enrolled half-way through
    threads::here();
    fork::hold_tables(runtime);
    threads::hold_writers(runtime);
    let done = body();
    threads::let_writers_go();
    // SAFETY: held above, by this thread.
    unsafe { fork::let_tables_go(runtime) };
    done
}

/// Locks the record of the memory's place across a fork.
pub(crate) fn hold() {
    PLACE.hold();
}

/// Unlocks it.
///
/// # Safety
/// Held by `hold` before.
pub(crate) unsafe fn let_go() {
    // SAFETY: the caller's promise.
    unsafe { PLACE.let_go() };
}
