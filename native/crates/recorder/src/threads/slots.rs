//! The slots of threads in the segment: which were given out, and which can be used again.

use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, AtomicU8, Ordering};

use segment::atomic;
use segment::clock;
use segment::layout::{ThreadSlot, ThreadState};
use segment::registry::Table;
use segment::sync::Lock;
use segment::{write_text, Part, Segment};

/// Ended threads that make it worth looking for slots that nothing refers to any more.
const ENDED_WORTH_A_SEARCH: u32 = 64;

/// Slots that were given out.
pub struct Threads {
    inner: Lock<Inner>,
}

struct Inner {
    fresh: u32,
    /// Bit *n*: a living thread has shard *n* of the types' counters for itself.
    own_shards: u8,
    ended_since_search: u32,
    unreferenced: Vec<u16>,
}

impl Default for Threads {
    fn default() -> Self {
        Self {
            inner: Lock::new(Inner {
                fresh: 1,
                own_shards: 0,
                ended_since_search: 0,
                unreferenced: Vec::new(),
            }),
        }
    }
}

impl Threads {
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

    pub(super) fn take(&self, table: &Table) -> Option<u16> {
        let mut inner = self.inner.lock();
        if inner.ended_since_search >= ENDED_WORTH_A_SEARCH {
            inner.ended_since_search = 0;
            inner.unreferenced = unreferenced(table, inner.fresh);
        }
        if let Some(index) = inner.unreferenced.pop() {
            return Some(index);
        }
        if !table.segment().reserve(Part::Threads, inner.fresh, 1) {
            inner.unreferenced = unreferenced(table, inner.fresh);
            return inner.unreferenced.pop();
        }
        inner.fresh += 1;
        Some((inner.fresh - 1) as u16)
    }

    /// A shard of the types' counters for a new thread, 0: none is free.
    pub(super) fn take_shard(&self) -> u8 {
        self.inner.lock().take_shard()
    }

    /// A thread has ended, and gives its shard back.
    pub(super) fn note_end(&self, shard: u8) {
        let mut inner = self.inner.lock();
        inner.ended_since_search += 1;
        inner.give_shard_back(shard);
    }

    /// In a forked child: only the shard of the calling thread is in use.
    pub(super) fn keep_shard(&self, shard: u8) {
        self.inner.lock().own_shards = (1 << shard) & !1;
    }
}

/// The shards that one thread at a time has for itself.
const OWN_SHARDS: std::ops::RangeInclusive<u8> = 1..=4;

impl Inner {
    /// A shard that no living thread has, 0: none. The last owner's counts are in it: it gave the
    /// shard back under the same lock.
    fn take_shard(&mut self) -> u8 {
        let found =
            OWN_SHARDS.into_iter().find(|shard| self.own_shards & 1 << shard == 0).unwrap_or(0);
        self.own_shards |= (1 << found) & !1;
        found
    }

    fn give_shard_back(&mut self, shard: u8) {
        self.own_shards &= !(1 << shard);
    }
}

/// Ended threads that no row names, neither a living nor a dead row.
fn unreferenced(table: &Table, fresh: u32) -> Vec<u16> {
    let mut is_named = vec![false; fresh as usize];
    for index in 1..table.segment().used(Part::Handles) {
        let Some(slot) = table.slot(index) else { continue };
        for thread in [slot.created_thread(), slot.last_thread(), slot.owner(), slot.requester()] {
            if let Some(named) = is_named.get_mut(usize::from(thread)) {
                *named = true;
            }
        }
    }
    (1..fresh as u16)
        .filter(|&index| {
            !is_named[usize::from(index)]
                && state(table.segment(), index) == ThreadState::Ended as u8
        })
        .collect()
}

/// The state of a thread, as the segment shows it.
pub(super) fn state(segment: &Segment, index: u16) -> u8 {
    atomic!(AtomicU8, segment.thread(u32::from(index)), state).load(Ordering::Acquire)
}

/// Fills the slot of a thread that begins now.
pub(super) fn write_slot(slot: *mut ThreadSlot, tid: u32, name: &str) {
    let zero = Ordering::Relaxed;
    atomic!(AtomicU8, slot, state).store(ThreadState::Free as u8, zero);
    atomic!(AtomicU8, slot, named).store(0, zero);
    atomic!(AtomicU16, slot, ring).store(0, zero);
    atomic!(AtomicU32, slot, tid).store(tid, zero);
    atomic!(AtomicU64, slot, started_at_ticks).store(clock::ticks(), zero);
    atomic!(AtomicU64, slot, ended_at_ticks).store(0, zero);
    atomic!(AtomicU64, slot, created).store(0, zero);
    atomic!(AtomicU64, slot, released).store(0, zero);
    atomic!(AtomicU64, slot, depth).store(0, zero);
    // SAFETY: the slot lies in the mapping; only the field's address is taken.
    write_text(unsafe { std::ptr::addr_of_mut!((*slot).name) }, name);
    // Release: a reader that sees the thread alive sees the rest
    atomic!(AtomicU8, slot, state).store(ThreadState::Live as u8, Ordering::Release);
}
