//! Threads that touch handles: each has a slot in the segment, found through one thread-local word, and ended by the thread's own end.

mod gate;
mod pins;
pub mod plain;

pub use gate::{heavy_barrier, hold_writers, let_writers_go, mutate, mutate_on, set_barriers, Writing};
pub use pins::{is_mine_alone, is_only_user, is_pinned, pins_of, DeepPins, Pin};

use std::cell::Cell;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, AtomicU8, Ordering};

use crate::atomic;
use crate::clock;
use crate::layout::{RingHeader, ThreadSlot, ThreadState};
use crate::platform;
use crate::registry::{Magazine, SHARED};
use crate::runtime::{existing, lost, runtime, Runtime};
use crate::segment::{write_text, Part};
use crate::sync::Lock;

/// Ended threads that make it worth looking for slots that nothing refers to any more.
const ENDED_WORTH_A_SEARCH: u32 = 64;

/// A thread's own state.
pub struct Local {
    /// Its slot; NULL for a thread that found none.
    pub slot: Cell<*mut ThreadSlot>,
    /// Index of the slot, 0: none.
    pub index: Cell<u16>,
    /// Whether it was given a slot or was refused.
    known: Cell<bool>,
    /// Calls in flight, with `UNUSUAL` when the next begin or end of a call is not plain: one check
    /// for both.
    calls: Cell<u32>,
    /// When its newest call began, ticks; 0 below level *history*.
    pub began: Cell<u64>,
    /// Places of the calls whose begin is in the history, a bit each; calls beyond the 32nd are not remembered.
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
const UNUSUAL: u32 = 1 << 31;

impl Local {
    /// Calls in flight.
    #[inline]
    fn depth(&self) -> usize {
        (self.calls.get() & !UNUSUAL) as usize
    }

    /// Without calls in flight, the next is usual again if there is a slot to show it in.
    fn set_depth(&self, depth: usize) {
        let is_unusual = if depth == 0 { self.slot.get().is_null() } else { self.calls.get() & UNUSUAL != 0 };
        self.calls.set(depth as u32 | if is_unusual { UNUSUAL } else { 0 });
    }

    /// The begin of the newest call is in the history. Its end is not plain, because the plain end
    /// leaves no record.
    pub fn end_with_record(&self) {
        self.calls.set(self.calls.get() | UNUSUAL);
        self.recorded.set(self.recorded.get() | bit_of(self.depth().saturating_sub(1)));
    }

    /// Whether the history has the begin of the call in `place`; asked once, when the call ends.
    fn take_recorded(&self, place: usize) -> bool {
        let recorded = self.recorded.get();
        self.recorded.set(recorded & !bit_of(place));
        recorded & bit_of(place) != 0
    }

    /// How this thread is noted as the user of a row: one without a slot shows no pins there, so its rows count as shared.
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
    /// Without a destructor, so that reaching it is one instruction and works until the very end of the thread.
    static LOCAL: Local = const {
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
    static END: End = const { End };
}

struct End;

impl Drop for End {
    fn drop(&mut self) {
        if let Some(runtime) = existing() {
            crate::lifecycle::drain_here();
            LOCAL.with(|local| end(runtime, local));
        }
    }
}

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
        Self { inner: Lock::new(Inner { fresh: 1, own_shards: 0, ended_since_search: 0, unreferenced: Vec::new() }) }
    }
}

impl Threads {
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

    fn take(&self, runtime: &Runtime) -> Option<u16> {
        let mut inner = self.inner.lock();
        if inner.ended_since_search >= ENDED_WORTH_A_SEARCH {
            inner.ended_since_search = 0;
            inner.unreferenced = unreferenced(runtime, inner.fresh);
        }
        if let Some(index) = inner.unreferenced.pop() {
            return Some(index);
        }
        if !runtime.segment().reserve(Part::Threads, inner.fresh, 1) {
            inner.unreferenced = unreferenced(runtime, inner.fresh);
            return inner.unreferenced.pop();
        }
        inner.fresh += 1;
        Some((inner.fresh - 1) as u16)
    }
}

/// The shards that one thread at a time has for itself.
const OWN_SHARDS: std::ops::RangeInclusive<u8> = 1..=4;

impl Inner {
    /// A shard that no living thread has, 0: none. The last owner's counts are in it: it gave the shard back under the same lock.
    fn take_shard(&mut self) -> u8 {
        let found = OWN_SHARDS.into_iter().find(|shard| self.own_shards & 1 << shard == 0).unwrap_or(0);
        self.own_shards |= (1 << found) & !1;
        found
    }

    fn give_shard_back(&mut self, shard: u8) {
        self.own_shards &= !(1 << shard);
    }
}

/// Ended threads that no row names, neither a living nor a dead row.
fn unreferenced(runtime: &Runtime, fresh: u32) -> Vec<u16> {
    let mut is_named = vec![false; fresh as usize];
    for index in 1..runtime.segment().used(Part::Handles) {
        let Some(slot) = runtime.table.slot(index) else { continue };
        for thread in [slot.created_thread(), slot.last_thread(), slot.owner(), slot.requester()] {
            if let Some(named) = is_named.get_mut(usize::from(thread)) {
                *named = true;
            }
        }
    }
    (1..fresh as u16).filter(|&index| !is_named[usize::from(index)] && state(runtime, index) == ThreadState::Ended as u8).collect()
}

fn state(runtime: &Runtime, index: u16) -> u8 {
    atomic!(AtomicU8, runtime.segment().thread(u32::from(index)), state).load(Ordering::Acquire)
}

/// Whether that thread has not ended. Index 0, a thread unknown, counts as ended.
pub fn is_alive(runtime: &Runtime, index: u16) -> bool {
    index != 0 && u32::from(index) < runtime.segment().used(Part::Threads) && state(runtime, index) == ThreadState::Live as u8
}

/// The calling thread's own. Stays on its thread, and cannot be stored where it would outlive it.
#[derive(Clone, Copy)]
pub struct This(*const Local);

impl std::ops::Deref for This {
    type Target = Local;

    #[inline(always)]
    fn deref(&self) -> &Local {
        // SAFETY: it has no destructor, so it lives as long as its thread, which this value, being neither `Send` nor `Sync`, does not leave.
        unsafe { &*self.0 }
    }
}

/// The calling thread's own as it is, with a slot or without.
#[inline(always)]
fn known() -> This {
    // only a pointer comes out of `with`, which would not inline a body of some size
    This(LOCAL.with(std::ptr::from_ref))
}

/// The calling thread's own; it gets a slot now if it has none.
#[inline(always)]
pub fn this() -> This {
    let this = known();
    if !this.known.get() {
        enrol(&this);
    }
    this
}

/// Calls `body` with the calling thread's own.
#[inline(always)]
pub fn local<T>(body: impl FnOnce(&Local) -> T) -> T {
    body(&this())
}

#[cold]
#[inline(never)]
fn enrol(local: &Local) {
    local.known.set(true);
    // registers the destructor; a thread that is already past its destructors stays without a slot
    let runtime = runtime();
    if END.try_with(|_| ()).is_err() {
        runtime.table.empty(&local.magazine);
        return;
    }
    let Some(index) = runtime.threads.take(runtime) else {
        atomic!(AtomicU64, lost(), threads).fetch_add(1, Ordering::Relaxed);
        return;
    };
    local.own_shard.set(runtime.threads.inner.lock().take_shard());
    let slot = runtime.segment().thread(u32::from(index));
    let tid = platform::thread_id();
    let name = platform::thread_name();
    // as a writer of rows: it must not fall into a move of the segment
    mutate_on(runtime, local, || write_slot(slot, tid, &name));
    local.index.set(index);
    local.slot.set(slot);
    local.set_depth(local.depth());
}

fn write_slot(slot: *mut ThreadSlot, tid: u32, name: &str) {
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

fn end(runtime: &Runtime, local: &Local) {
    runtime.table.empty(&local.magazine);
    let slot = local.slot.replace(std::ptr::null_mut());
    let index = local.index.replace(0);
    local.calls.set(local.calls.get() | UNUSUAL);
    if slot.is_null() {
        return;
    }
    crate::ring::give_back(runtime, local, slot);
    // keeps a name that the thread was given after its first use of a handle
    if atomic!(AtomicU8, slot, named).load(Ordering::Relaxed) == 0 {
        let name = platform::thread_name();
        // SAFETY: the slot lies in the mapping; only the field's address is taken.
        write_text(unsafe { std::ptr::addr_of_mut!((*slot).name) }, &name);
    }
    // as in `enrol`; the thread has no index any more
    mutate_on(runtime, local, || {
        atomic!(AtomicU64, slot, ended_at_ticks).store(clock::ticks(), Ordering::Relaxed);
        atomic!(AtomicU8, slot, state).store(ThreadState::Ended as u8, Ordering::Release);
    });
    let mut inner = runtime.threads.inner.lock();
    inner.ended_since_search += 1;
    inner.give_shard_back(local.own_shard.replace(0));
    drop(inner);
    crate::lifecycle::owner_ended(runtime, index);
}

/// The calling thread's index, 0: it found no slot.
pub fn here() -> u16 {
    local(|local| local.index.get())
}

/// Names a live thread as the host language calls it; false when no slot has that kernel id.
pub fn set_name(runtime: &Runtime, tid: u32, name: &str) -> bool {
    let found = (1..runtime.segment().used(Part::Threads)).find(|&index| {
        let slot = runtime.segment().thread(index);
        state(runtime, index as u16) == ThreadState::Live as u8 && atomic!(AtomicU32, slot, tid).load(Ordering::Relaxed) == tid
    });
    let Some(index) = found else { return false };
    let slot = runtime.segment().thread(index);
    // SAFETY: the slot lies in the mapping; only the field's address is taken.
    write_text(unsafe { std::ptr::addr_of_mut!((*slot).name) }, name);
    atomic!(AtomicU8, slot, named).store(1, Ordering::Release);
    true
}

/// A thread's name, for people.
pub fn name_of(runtime: &Runtime, index: u16) -> String {
    if index == 0 || u32::from(index) >= runtime.segment().used(Part::Threads) {
        return "an unknown thread".to_owned();
    }
    let slot = runtime.segment().thread(u32::from(index));
    let mut name = Vec::new();
    for at in 0..80 {
        match atomic!(AtomicU8, slot, name[at]).load(Ordering::Relaxed) {
            0 => break,
            byte => name.push(byte),
        }
    }
    format!("thread \"{}\"", String::from_utf8_lossy(&name))
}

/// In a forked child: the calling thread lives on under its new kernel id, all other threads have
/// ended.
pub fn keep_only_this(runtime: &Runtime) {
    LOCAL.with(|local| {
        for index in 1..runtime.segment().used(Part::Threads) {
            let slot = runtime.segment().thread(index);
            if index == u32::from(local.index.get()) {
                atomic!(AtomicU32, slot, tid).store(platform::thread_id(), Ordering::Relaxed);
            } else if state(runtime, index as u16) == ThreadState::Live as u8 {
                atomic!(AtomicU64, slot, depth).store(0, Ordering::Relaxed);
                atomic!(AtomicU64, slot, ended_at_ticks).store(clock::ticks(), Ordering::Relaxed);
                atomic!(AtomicU8, slot, state).store(ThreadState::Ended as u8, Ordering::Relaxed);
            }
        }
        runtime.threads.inner.lock().own_shards = (1 << local.own_shard.get()) & !1;
        // a call that runs on ends with a fence, in case the child has no barriers
        local.calls.set(local.calls.get() | if plain::is_plain() || local.depth() == 0 { 0 } else { UNUSUAL });
        local.magazine.forget();
    });
    runtime.table.find_free();
}
