//! The only control socket of this process, and its end in a forked child.

use std::cell::UnsafeCell;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::target::Target;
use super::Control;
use platform::descriptors::{self, Table};
use segment::status::Result;
use segment::sync::lock;

/// A place that a forked child can empty although another thread of its parent may have held the
/// lock.
struct Place(UnsafeCell<Mutex<Option<Arc<Control>>>>);

// SAFETY: all access takes the mutex, except `after_fork`, whose caller promises to be the only
// thread.
unsafe impl Sync for Place {}

static RUNNING: Place = Place(UnsafeCell::new(Mutex::new(None)));

fn place() -> &'static Mutex<Option<Arc<Control>>> {
    // SAFETY: replaced only by `after_fork`, while there is no other thread.
    unsafe { &*RUNNING.0.get() }
}

/// Listen at `path` with a socket in `table` and serve `target`; ends an earlier control socket.
///
/// # Errors
/// See `Control::start`.
pub fn start(path: &Path, target: Arc<dyn Target>, table: Arc<Table>) -> Result<()> {
    stop();
    let control = Arc::new(Control::start(path, target, table)?);
    *lock(place()) = Some(control);
    Ok(())
}

/// The running control socket, if any.
pub fn running() -> Option<Arc<Control>> {
    lock(place()).clone()
}

/// Stop the running control socket. Does nothing without one. Not from a thread of the control
/// socket itself.
pub fn stop() {
    // Taken out first: stopping waits, and the interpreter's worker must be able to ask meanwhile.
    let control = lock(place()).take();
    if let Some(control) = control {
        control.stop();
    }
}

/// Forget the parent's control socket in a forked child: no threads, no descriptors, no socket file
/// removed.
///
/// # Safety
/// This is a forked child, and its only thread calls.
pub unsafe fn after_fork() {
    // SAFETY: no other thread exists. The old value is not dropped: its threads do not exist here
    // and its socket is the parent's.
    unsafe { RUNNING.0.get().write(Mutex::new(None)) };
    // SAFETY: nothing here uses them any more, and their owners were just forgotten.
    unsafe { descriptors::after_fork() };
}
