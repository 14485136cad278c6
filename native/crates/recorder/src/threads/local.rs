//! A thread's own state, found through one thread-local word.

use std::cell::Cell;

use segment::layout::{RingHeader, ThreadSlot};
use segment::registry::{Magazine, SHARED};

/// A thread's own state.
pub struct Local {
    /// Its slot; NULL for a thread that found none.
    pub slot: Cell<*mut ThreadSlot>,
    /// Index of the slot, 0: none.
    pub index: Cell<u16>,
    /// Whether it was given a slot or was refused.
    pub(super) known: Cell<bool>,
    /// Calls in flight, with `UNUSUAL` when the next begin or end of a call is not plain: one check
    /// for both.
    pub(super) calls: Cell<u32>,
    /// When its newest call began, ticks; 0 below level *history*.
    pub began: Cell<u64>,
    /// Places of the calls whose begin is in the history, a bit each; calls beyond the 32nd are not
    /// remembered.
    recorded: Cell<u32>,
    /// Stack for its next recorded operations.
    pub site: Cell<u32>,
    /// Its ring; NULL: none yet.
    pub ring: Cell<*mut RingHeader>,
    /// Whether it may still get a ring.
    pub ring_refused: Cell<bool>,
    /// The shard of the types' counters that it alone writes, 0: none.
    pub own_shard: Cell<u8>,
    /// Its free rows.
    pub magazine: Magazine,
}

/// The thread has no slot, or its calls are recorded or need fences.
pub(super) const UNUSUAL: u32 = 1 << 31;

impl Local {
    /// Calls in flight.
    #[inline]
    pub(super) fn depth(&self) -> usize {
        (self.calls.get() & !UNUSUAL) as usize
    }

    /// Without calls in flight, the next is usual again if there is a slot to show it in.
    pub(super) fn set_depth(&self, depth: usize) {
        let is_unusual =
            if depth == 0 { self.slot.get().is_null() } else { self.calls.get() & UNUSUAL != 0 };
        self.calls.set(depth as u32 | if is_unusual { UNUSUAL } else { 0 });
    }

    /// The begin of the newest call is in the history. Its end is not plain, because the plain end
    /// leaves no record.
    pub fn end_with_record(&self) {
        self.calls.set(self.calls.get() | UNUSUAL);
        self.recorded.set(self.recorded.get() | bit_of(self.depth().saturating_sub(1)));
    }

    /// Whether the history has the begin of the call in `place`; asked once, when the call ends.
    pub(super) fn take_recorded(&self, place: usize) -> bool {
        let recorded = self.recorded.get();
        self.recorded.set(recorded & !bit_of(place));
        recorded & bit_of(place) != 0
    }

    /// How this thread is noted as the user of a row: one without a slot shows no pins there, so
    /// its rows count as shared.
    #[inline]
    pub fn user(&self) -> u16 {
        match self.index.get() {
            0 => SHARED,
            index => index,
        }
    }
}

/// The bit of a call's place in `Local::recorded`.
fn bit_of(place: usize) -> u32 {
    1_u32.checked_shl(place as u32).unwrap_or(0)
}

thread_local! {
    /// Without a destructor, so that reaching it is one instruction and works until the very end of
    /// the thread.
    pub(super) static LOCAL: Local = const {
        Local {
            slot: Cell::new(std::ptr::null_mut()),
            index: Cell::new(0),
            known: Cell::new(false),
            calls: Cell::new(UNUSUAL),
            began: Cell::new(0),
            recorded: Cell::new(0),
            site: Cell::new(0),
            ring: Cell::new(std::ptr::null_mut()),
            ring_refused: Cell::new(false),
            own_shard: Cell::new(0),
            magazine: Magazine::new(),
        }
    };
}

/// The calling thread's own. Stays on its thread, and cannot be stored where it would outlive it.
#[derive(Clone, Copy)]
pub struct This(*const Local);

impl std::ops::Deref for This {
    type Target = Local;

    #[inline(always)]
    fn deref(&self) -> &Local {
        // SAFETY: it has no destructor, so it lives as long as its thread, which this value, being
        // neither `Send` nor `Sync`, does not leave.
        unsafe { &*self.0 }
    }
}

/// The calling thread's own as it is, with a slot or without.
#[inline(always)]
pub(super) fn known() -> This {
    // only a pointer comes out of `with`, which would not inline a body of some size
    This(LOCAL.with(std::ptr::from_ref))
}
