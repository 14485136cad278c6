//! The socket's open descriptors, listed without a lock so that a forked child can close its copies.
//!
//! A child that kept them would keep connections open that its parent has ended, and viewers would wait for a process that
//! never heard of them.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::platform::ipc;

/// Room for the listener, the waker and all connections, those among them that still have requests running.
const PLACES: usize = 32;
/// A place that nobody uses.
const EMPTY: RawFd = -1;

static OPEN: [AtomicI32; PLACES] = [const { AtomicI32::new(EMPTY) }; PLACES];

/// A descriptor that stands in the list while this value lives. Declare it before the descriptor's owner: it must go first, or a
/// child could close what got the number next.
pub struct Listed {
    place: Option<usize>,
}

impl Listed {
    /// List `fd`. Without a free place it is not listed, and a forked child keeps a copy.
    pub fn new(fd: RawFd) -> Self {
        // Relaxed throughout: a child sees its own copy of memory as it was at the fork, on the thread that forked.
        let place = OPEN.iter().position(|place| place.compare_exchange(EMPTY, fd, Ordering::Relaxed, Ordering::Relaxed).is_ok());
        Self { place }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            OPEN[place].store(EMPTY, Ordering::Relaxed);
        }
    }
}

/// Close all listed descriptors in a forked child.
///
/// # Safety
/// This is a forked child in which the threads that used them do not exist, and their owners are never dropped.
pub unsafe fn close_all_in_child() {
    for place in &OPEN {
        let fd = place.swap(EMPTY, Ordering::Relaxed);
        if fd != EMPTY {
            // SAFETY: the caller's promise.
            unsafe { ipc::close_inherited(fd) };
        }
    }
}
