//! The listener for pending closes, so that no event loop has to poll for them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::lives::Entry;
use crate::host_gate;

/// The kind of news for a listener.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseNews {
    /// A close waits for its owner, the thread in `thread`.
    WaitsForOwner = 1,
    /// A close request is over: closed, failed, cancelled or withdrawn.
    Ended = 2,
}

/// Called on any thread and without any lock: the kind of news, a handle of the object, and a
/// thread's index or 0.
pub type Listener = unsafe extern "C" fn(news: u32, handle: u64, thread: u32);

/// The listener as a number, 0: none. It is never unset while the process lives, so it can be
/// called after it was read.
static LISTENER: AtomicUsize = AtomicUsize::new(0);

/// Informs `listener` of pending closes from now on.
///
/// # Safety
/// It stays callable until the host language has ended (`host_gate::close`).
pub unsafe fn listen(listener: Option<Listener>) {
    LISTENER.store(listener.map_or(0, |listener| listener as usize), Ordering::Release);
}

/// Informs the listener of each handle. No lock is held.
pub(super) fn tell(news: CloseNews, handles: &[u64], thread: u16) {
    // Acquire pairs with the Release in `listen`.
    let listener = LISTENER.load(Ordering::Acquire);
    if listener == 0 {
        return;
    }
    // SAFETY: only `listen` writes it, and only with such functions.
    let listener: Listener = unsafe { std::mem::transmute(listener) };
    for &handle in handles {
        host_gate::call(|| {
            // SAFETY: the promise made to `listen`; the gate is open.
            unsafe { listener(news as u32, handle, u32::from(thread)) };
        });
    }
}

/// The handles of an entry to report, if there is a listener.
pub(super) fn told_of(entry: &Entry) -> Vec<u64> {
    if LISTENER.load(Ordering::Relaxed) == 0 {
        return Vec::new();
    }
    entry.handles.clone()
}
