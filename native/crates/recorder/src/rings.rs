//! Event rings: one a thread, made with its first event, written without waiting, overwriting the
//! oldest.

use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};

use crate::threads::Local;
use segment::atomic;
use segment::layout::{RingHeader, ThreadSlot};
use segment::sync::Lock;
use segment::{Part, Segment};

/// Rings that were given out.
#[derive(Default)]
pub struct Rings {
    inner: Lock<Inner>,
}

#[derive(Default)]
struct Inner {
    fresh: u32,
    /// Rings of ended threads, longest ended first: kept readable as long as there are fresh rings.
    ended: std::collections::VecDeque<u32>,
}

impl Rings {
    /// Holds the table across a fork.
    pub fn hold(&self) {
        self.inner.hold();
    }

    /// Lets it go.
    ///
    /// # Safety
    /// Held by `hold` before.
    pub unsafe fn let_go(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.inner.let_go() };
    }

    fn take(&self, segment: &Segment) -> Option<u32> {
        let mut inner = self.inner.lock();
        if segment.reserve(Part::Rings, inner.fresh, 1) {
            inner.fresh += 1;
            return Some(inner.fresh - 1);
        }
        let index = inner.ended.pop_front()?;
        hand_on(segment.ring(index));
        Some(index)
    }

    /// A ring for the calling thread; NULL: there is none for it.
    #[cold]
    pub fn find(&self, segment: &Segment, local: &Local) -> *mut RingHeader {
        let slot = local.slot.get();
        if local.ring_refused.get() || slot.is_null() {
            return std::ptr::null_mut();
        }
        let Some(index) = self.take(segment) else {
            local.ring_refused.set(true);
            return std::ptr::null_mut();
        };
        let ring = segment.ring(index);
        atomic!(AtomicU32, ring, thread).store(u32::from(local.index.get()), Ordering::Relaxed);
        atomic!(AtomicU16, slot, ring).store(index as u16 + 1, Ordering::Release);
        local.ring.set(ring);
        ring
    }

    /// The thread ends: its ring stays readable until another thread needs it.
    pub fn give_back(&self, local: &Local, slot: *mut ThreadSlot) {
        local.ring.set(std::ptr::null_mut());
        local.ring_refused.set(true);
        let ring = atomic!(AtomicU16, slot, ring).load(Ordering::Relaxed);
        if ring != 0 {
            self.inner.lock().ended.push_back(u32::from(ring) - 1);
        }
    }
}

/// A ring changes hands. Its numbers continue, and `since` tells readers that the events so far are
/// lost.
fn hand_on(ring: *mut RingHeader) {
    let written = atomic!(AtomicU64, ring, written).load(Ordering::Relaxed);
    // Release: a reader that copied an event of the new thread sees this number when it looks at
    // the header afterwards; pairs with the fence in `write_from`
    atomic!(AtomicU64, ring, since).store(written, Ordering::Release);
}
