//! Event rings: one a thread, made with its first event, written without waiting, overwriting the oldest.

use std::sync::atomic::{fence, AtomicU16, AtomicU32, AtomicU64, Ordering};

use crate::atomic;
use crate::clock;
use crate::layout::{self, Event, RingHeader, ThreadSlot, EVENT_COUNT_UNKNOWN, RING_EVENTS};
use crate::runtime::{lost, Runtime};
use crate::segment::Part;
use crate::sync::Lock;
use crate::threads::{local, Local};

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

    /// Unlocks it.
    ///
    /// # Safety
    /// Held by `hold` before.
    pub unsafe fn let_go(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.inner.let_go() };
    }

    fn take(&self, runtime: &Runtime) -> Option<u32> {
        let mut inner = self.inner.lock();
        if runtime.segment().reserve(Part::Rings, inner.fresh, 1) {
            inner.fresh += 1;
            return Some(inner.fresh - 1);
        }
        let index = inner.ended.pop_front()?;
        hand_on(runtime.segment().ring(index));
        Some(index)
    }
}

/// A ring changes hands. Its numbers continue, and `since` tells readers that the events so far are
/// lost.
fn hand_on(ring: *mut RingHeader) {
    let written = atomic!(AtomicU64, ring, written).load(Ordering::Relaxed);
    // Release: a reader that copied an event of the new thread sees this number when it looks at the header afterwards; pairs with the
    // fence in `write_from`
    atomic!(AtomicU64, ring, since).store(written, Ordering::Release);
}

fn event_at(ring: *mut RingHeader, number: u64) -> *mut Event {
    // SAFETY: a ring's record has room for RING_EVENTS events behind its header.
    unsafe { ring.add(1).cast::<Event>().add((number % u64::from(RING_EVENTS)) as usize) }
}

#[cold]
fn find_ring(runtime: &Runtime, local: &Local) -> *mut RingHeader {
    let slot = local.slot.get();
    if local.ring_refused.get() || slot.is_null() {
        return std::ptr::null_mut();
    }
    let Some(index) = runtime.rings.take(runtime) else {
        local.ring_refused.set(true);
        return std::ptr::null_mut();
    };
    let ring = runtime.segment().ring(index);
    atomic!(AtomicU32, ring, thread).store(u32::from(local.index.get()), Ordering::Relaxed);
    atomic!(AtomicU16, slot, ring).store(index as u16 + 1, Ordering::Release);
    local.ring.set(ring);
    ring
}

/// An event without time and thread.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// `EventKind`.
    pub kind: u8,
    /// Type of the object, 0: not known.
    pub type_id: u16,
    /// Handle, 0: none.
    pub handle: u64,
    /// Heap address of the object, 0: not known.
    pub address: u64,
    /// Strong count afterwards; `EVENT_COUNT_UNKNOWN`.
    pub count: u32,
}

impl Entry {
    fn count_kind(&self) -> u32 {
        let count = if self.count == EVENT_COUNT_UNKNOWN { self.count } else { self.count.min(EVENT_COUNT_UNKNOWN - 1) };
        count << 8 | u32::from(self.kind)
    }
}

/// Writes an event of the calling thread, now.
pub fn write(runtime: &Runtime, entry: &Entry) {
    write_at(runtime, clock::ticks(), entry);
}

/// Writes an event of the calling thread with a time that was read before: reading the clock is
/// most of an event's cost.
///
/// The count of written events is stored last, with Release: a reader that sees it sees the event,
/// unless it was overwritten since, which the count shows as well. The event numbered
/// `written - RING_EVENTS` may be half overwritten at any time.
pub fn write_at(runtime: &Runtime, at_ticks: u64, entry: &Entry) {
    write_from(runtime, at_ticks, entry, local(|local| local.site.get()));
}

// an event holds the index of its site in 16 bits
const _: () = assert!(layout::MAX_SITES <= 1 << u16::BITS && layout::MAX_TYPES <= 1 << u16::BITS);

/// As `write_at`, from a site of its own.
pub fn write_from(runtime: &Runtime, at_ticks: u64, entry: &Entry, site: u32) {
    local(|local| {
        let mut ring = local.ring.get();
        if ring.is_null() {
            ring = find_ring(runtime, local);
        }
        if ring.is_null() {
            atomic!(AtomicU64, lost(), events).fetch_add(1, Ordering::Relaxed);
            return;
        }
        let written = atomic!(AtomicU64, ring, written);
        let number = written.load(Ordering::Relaxed);
        // Release: a reader that sees a word of this event sees that the event before it was
        // counted, and so that the event it overwrites is lost
        fence(Ordering::Release);
        let event = event_at(ring, number);
        atomic!(AtomicU64, event, at_ticks).store(at_ticks, Ordering::Relaxed);
        atomic!(AtomicU64, event, handle).store(entry.handle, Ordering::Relaxed);
        atomic!(AtomicU64, event, address).store(entry.address, Ordering::Relaxed);
        atomic!(AtomicU32, event, count_kind).store(entry.count_kind(), Ordering::Relaxed);
        atomic!(AtomicU16, event, site).store(site as u16, Ordering::Relaxed);
        atomic!(AtomicU16, event, type_id).store(entry.type_id, Ordering::Relaxed);
        written.store(number + 1, Ordering::Release);
    });
}

/// The thread ends: its ring stays readable until another thread needs it.
pub fn give_back(runtime: &Runtime, local: &Local, slot: *mut ThreadSlot) {
    local.ring.set(std::ptr::null_mut());
    local.ring_refused.set(true);
    let ring = atomic!(AtomicU16, slot, ring).load(Ordering::Relaxed);
    if ring != 0 {
        runtime.rings.inner.lock().ended.push_back(u32::from(ring) - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_does_not_fit_into_an_event_is_the_largest_and_not_unknown() {
        let packed = |count| Entry { kind: 3, type_id: 1, handle: 1, address: 8, count }.count_kind();
        let most = EVENT_COUNT_UNKNOWN - 1;
        for (count, shown) in [(0, 0), (7, 7), (most - 1, most - 1), (most, most), (EVENT_COUNT_UNKNOWN, EVENT_COUNT_UNKNOWN)] {
            assert_eq!((packed(count) >> 8, packed(count) & 0xFF), (shown, 3));
        }
        for count in [EVENT_COUNT_UNKNOWN + 1, u32::MAX] {
            assert_eq!((packed(count) >> 8, packed(count) & 0xFF), (most, 3));
        }
    }
}
