//! Native threads that release handles given by the program, at times of their own, as a foreign
//! library may.

use std::cell::RefCell;
use std::time::Duration;

use objects::ownership;
use platform::threads::FOREIGN_STACK_BYTES;
use recorder::runtime::runtime;
use recorder::threads;
use segment::status::{Error, Result};

/// When a thread of [`release_elsewhere`] releases its handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// While it runs.
    Running,
    /// At its end, when the runtime's own thread state has been freed already.
    Ended,
}

/// Handles that are released by the thread's end.
struct Left(RefCell<Vec<u64>>);

impl Drop for Left {
    fn drop(&mut self) {
        release_all(&self.0.take());
    }
}

thread_local! {
    static LEFT: Left = const { Left(RefCell::new(Vec::new())) };
}

/// Releases handles on a new native thread after `pause`; no thread waits for it. The handles are
/// given away.
pub fn release_elsewhere(handles: Vec<u64>, pause: Duration, moment: Moment) -> Result<()> {
    let thread = platform::threads::spawn("releaser", FOREIGN_STACK_BYTES, move || {
        if moment == Moment::Ended {
            // before the runtime's own: destructors run in the opposite order
            LEFT.with(|left| left.0.replace(handles.clone()));
        }
        threads::here();
        std::thread::sleep(pause);
        if moment == Moment::Running {
            release_all(&handles);
        }
    });
    thread.map(drop).map_err(|error| Error::io("a thread that releases handles", &error))
}

fn release_all(handles: &[u64]) {
    for &handle in handles {
        // a stale handle was counted as such
        let _ = ownership::release(runtime(), handle);
    }
}
