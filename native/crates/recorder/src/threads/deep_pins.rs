//! Pins without a place in their thread's slot.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use segment::atomic;
use segment::sync::Lock;
use segment::Segment;

/// Pins that found no place in a thread's slot: calls nested too deeply, and threads without a
/// slot.
#[derive(Default)]
pub struct DeepPins {
    /// How many; looked at before the lock is taken.
    count: AtomicU32,
    pins: Lock<Vec<(u16, u64)>>,
}

impl DeepPins {
    pub(super) fn push(&self, segment: &Segment, thread: u16, handle: u64) {
        self.pins.lock().push((thread, handle));
        self.count.fetch_add(1, Ordering::SeqCst);
        atomic!(AtomicU64, segment.lost(), deep_calls).fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn has(&self, thread: u16, handle: u64) -> bool {
        self.count.load(Ordering::SeqCst) > 0 && self.pins.lock().contains(&(thread, handle))
    }

    pub(super) fn remove(&self, thread: u16, handle: u64) {
        let mut pins = self.pins.lock();
        if let Some(at) = pins.iter().rposition(|&pin| pin == (thread, handle)) {
            pins.remove(at);
            self.count.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Holds the list across a fork.
    pub fn hold(&self) {
        self.pins.hold();
    }

    /// Lets it go.
    ///
    /// # Safety
    /// Held by `hold` before.
    pub unsafe fn let_go(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.pins.let_go() };
    }

    /// In a forked child: only this thread's calls run on.
    pub fn keep_only(&self, thread: u16) {
        let mut pins = self.pins.lock();
        pins.retain(|pin| pin.0 == thread);
        self.count.store(pins.len() as u32, Ordering::SeqCst);
    }

    /// Calls `body` with each, if there are any.
    pub(super) fn each(&self, mut body: impl FnMut(u16, u64)) {
        if self.count.load(Ordering::SeqCst) > 0 {
            self.pins.lock().iter().for_each(|&(thread, handle)| body(thread, handle));
        }
    }
}
