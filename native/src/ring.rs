//! Event rings: one a thread, made with its first event, written without waiting, overwriting the oldest.

use std::sync::atomic::{fence, AtomicU16, AtomicU32, AtomicU64, Ordering};

use crate::atomic;
use crate::clock;
use crate::layout::{Event, RingHeader, ThreadSlot, RING_EVENTS};
use crate::runtime::{lost, Runtime};
use crate::segment::Part;
use crate::sync::Lock;
use crate::threads::{local, Local};

const COUNT_LIMIT: u32 = 0x00FF_FFFF;

/// Rings that were given out.
#[derive(Default)]
pub struct Rings {
    inner: Lock<Inner>,
}

#[derive(Default)]
struct Inner {
    fresh: u32,
    /// Of ended threads, longest ended first: kept readable as long as there are fresh ones.
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

    fn take(&self, runtime: &Runtime) -> Option<u32> {
        let mut inner = self.inner.lock();
        if runtime.segment().reserve(Part::Rings, inner.fresh, 1) {
            inner.fresh += 1;
            return Some(inner.fresh - 1);
        }
        let index = inner.ended.pop_front()?;
        blank(runtime.segment().ring(index));
        Some(index)
    }
}

/// Empties a ring that changes hands: its events go (a reader takes kind 0 for none), its number goes on so that no reader sees it jump back.
fn blank(ring: *mut RingHeader) {
    for at in 0..u64::from(RING_EVENTS) {
        let event = event_at(ring, at);
        atomic!(AtomicU32, event, count_kind).store(0, Ordering::Relaxed);
        atomic!(AtomicU64, event, at_ticks).store(0, Ordering::Relaxed);
    }
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

/// Writes an event of the calling thread, now.
pub fn write(runtime: &Runtime, kind: u8, handle: u64, address: u64, count: u32) {
    write_at(runtime, clock::ticks(), kind, handle, address, count);
}

/// Writes an event of the calling thread, for which the clock was read already: that is most of what an event costs.
///
/// The count of written events is stored last, with Release: a reader who sees it sees the event, unless it was overwritten since, which the
/// count tells as well. The event numbered `written - RING_EVENTS` may be half overwritten at any time.
pub fn write_at(runtime: &Runtime, at_ticks: u64, kind: u8, handle: u64, address: u64, count: u32) {
    write_from(runtime, at_ticks, kind, handle, address, count, local(|local| local.site.get()));
}

/// As `write_at`, from a site of its own.
pub fn write_from(runtime: &Runtime, at_ticks: u64, kind: u8, handle: u64, address: u64, count: u32, site: u32) {
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
        // Release: who sees a word of this event sees that the one before it was counted, and so that the event it overwrites is gone
        fence(Ordering::Release);
        let event = event_at(ring, number);
        atomic!(AtomicU64, event, at_ticks).store(at_ticks, Ordering::Relaxed);
        atomic!(AtomicU64, event, handle).store(handle, Ordering::Relaxed);
        atomic!(AtomicU64, event, address).store(address, Ordering::Relaxed);
        atomic!(AtomicU32, event, count_kind).store(count.min(COUNT_LIMIT) << 8 | u32::from(kind), Ordering::Relaxed);
        atomic!(AtomicU32, event, site).store(site, Ordering::Relaxed);
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
