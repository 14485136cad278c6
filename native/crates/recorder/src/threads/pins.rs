//! Pins: a call shows which handle it uses by writing it into its thread's slot, which is also how
//! the viewer sees calls in flight.
//!
//! A call stores its pin and then loads word 0 of the row; a thread that releases or closes changes
//! word 0 and then reads the pins. At least one side must see the other: the call finds the handle
//! dead, or the releaser finds the call and leaves the release to it. That takes a full barrier on
//! both sides, and calls are a thousand times more frequent, so the releaser pays for both: it has
//! every thread pass a barrier ([`super::heavy_barrier`]) before it looks. A call's store is either
//! before that barrier, and seen, or its load of word 0 is after it, and sees the change. The same
//! holds at a call's end, which removes the pin and reads word 0 for work that was left to it.
//! Without `membarrier` calls have a fence of their own, and releasers too.
//!
//! Most handles are used by one thread alone, and there even that is not needed: a thread sees its
//! own writes. So each row notes its only user ([`segment::registry::Table::user`]). Another
//! thread's pin first changes the note to `SHARED` and then loads word 0; a releaser that is the
//! only user changes word 0 and then loads the note. These four are SeqCst and rare: once a row,
//! and once a release. So the releaser sees that it has company and takes the way of the first
//! paragraph, or the newcomer finds the handle dead. A thread's number may be given to another
//! after its end; the pins of the first have ended by then, so the second may take its place.

use std::marker::PhantomData;
use std::sync::atomic::{compiler_fence, AtomicU16, AtomicU64, Ordering};

use super::barriers::{heavy_barrier, light_barrier};
use super::local::{known, UNUSUAL};
use super::{fast_path, local, Local};
use crate::events::{self, Entry};
use crate::levels;
use crate::runtime::{existing_unchecked, runtime, Runtime};
use crate::upward::upward;
use segment::atomic;
use segment::clock;
use segment::layout::{EventKind, Level, ThreadSlot, CALL_DEPTH};
use segment::registry::{generation_of, index_of, Slot, SHARED};
use segment::Part;

/// A call's use of a handle; ends with it. Stays on its thread.
pub struct Pin {
    handle: u64,
    on_this_thread: PhantomData<*const ()>,
}

impl Pin {
    /// Shows that this thread uses `handle`, valid or not; the caller validates it afterwards, in
    /// that order.
    #[inline]
    pub fn new(runtime: &Runtime, handle: u64) -> Self {
        push(handle);
        if let Some(user) = runtime.table.user(index_of(handle)) {
            join(&known(), user);
        }
        // keeps the load of word 0 that follows behind the pin, as far as `heavy_barrier` can see
        light_barrier();
        Self { handle, on_this_thread: PhantomData }
    }

    /// As `new`, in the plain case: the thread's only call, nothing to record, a handle that names
    /// a row of the segment. None: it is not, and nothing was done. The runtime was made before; a
    /// thread that has shown a pin knows.
    ///
    /// It stores constants, so that a call need not wait for the last call's `depth` to come back
    /// from memory: the branch on it is guessed.
    #[inline(always)]
    pub fn plain(handle: u64) -> Option<(Self, Slot<'static>)> {
        let local = known();
        if !fast_path::is_plain() || local.calls.get() != 0 {
            return None;
        }
        // SAFETY: a thread whose calls are not `UNUSUAL` has a slot, which it got from the runtime.
        let runtime = unsafe { existing_unchecked() };
        let (row, user) = runtime.table.plain_row(handle)?;
        local.calls.set(1);
        show(local.slot.get(), 0, handle);
        join(&local, user);
        // as in `new`; the plain way is not taken where barriers take more than that
        compiler_fence(Ordering::SeqCst);
        Some((Self { handle, on_this_thread: PhantomData }, row))
    }

    /// The handle.
    #[inline]
    pub fn handle(&self) -> u64 {
        self.handle
    }

    /// The effect of dropping it, where speed counts: the row is at hand, and no unwinding is under
    /// way.
    #[inline(always)]
    pub fn end(self, row: &Slot<'_>) {
        let handle = self.handle;
        std::mem::forget(self);
        if !pop_plain(&known()) {
            return unpin(handle);
        }
        if !row.word0().is_quiet() {
            look_back(runtime(), handle);
        }
    }
}

impl Drop for Pin {
    #[inline(always)]
    fn drop(&mut self) {
        unpin(self.handle);
    }
}

/// The end of any call; with the handle in a register, so that a pin needs no memory.
#[inline(never)]
fn unpin(handle: u64) {
    let runtime = runtime();
    if !pop_plain(&known()) {
        return leave(runtime, handle);
    }
    if runtime.table.slot_of(handle).is_some_and(|slot| !slot.word0().is_quiet()) {
        look_back(runtime, handle);
    }
}

/// Takes away the only pin of a thread, unless something about it is unusual; false: it is, or
/// there are more, and nothing was done.
///
/// Whichever pin ends, at depth 1 the first place is its: pins of one handle are alike, and each
/// has a place, or is a deep one above a full array.
#[inline(always)]
fn pop_plain(local: &Local) -> bool {
    let is_plain = local.calls.get() == 1;
    if is_plain {
        local.calls.set(0);
        // Release: the call is over before its pin is removed
        atomic!(AtomicU64, local.slot.get(), depth).store(0, Ordering::Release);
        // keeps the check of word 0 that follows behind it, as far as `heavy_barrier` can see: pins
        // that need more than that are unusual
        compiler_fence(Ordering::SeqCst);
    }
    is_plain
}

/// Makes sure that the row's note names this thread as its only user, or `SHARED`. SeqCst: before
/// the load of word 0.
#[inline(always)]
fn join(local: &Local, user: &AtomicU16) {
    let only = user.load(Ordering::Relaxed);
    if only != local.index.get() && only != SHARED {
        share(user);
    }
}

#[cold]
fn share(user: &AtomicU16) {
    user.store(SHARED, Ordering::SeqCst);
}

/// Any pin: the first of a thread, an inner or a deep pin, or a pin whose time is recorded.
#[inline(never)]
fn push(handle: u64) {
    local(|local| {
        let (slot, place) = (local.slot.get(), local.depth());
        local.set_depth(place + 1);
        if !fast_path::is_plain() {
            local.calls.set(local.calls.get() | UNUSUAL);
        }
        if slot.is_null() || place >= CALL_DEPTH {
            return push_deep(local, slot, place, handle);
        }
        let began = if levels::hottest() >= Level::History as u8 { clock::ticks() } else { 0 };
        local.began.set(began);
        // plain pins leave the times as they are: `show_depth` takes them away with the pins that
        // brought them
        atomic!(AtomicU64, slot, call_ticks[place]).store(began, Ordering::Relaxed);
        show(slot, place, handle);
    });
}

#[inline(always)]
fn show(slot: *mut ThreadSlot, place: usize, handle: u64) {
    atomic!(AtomicU64, slot, calls[place]).store(handle, Ordering::Relaxed);
    // Release: a reader that sees the depth sees the pin
    atomic!(AtomicU64, slot, depth).store(place as u64 + 1, Ordering::Release);
}

#[cold]
fn push_deep(local: &Local, slot: *mut ThreadSlot, place: usize, handle: u64) {
    let runtime = runtime();
    runtime.deep.push(runtime.segment(), local.index.get(), handle);
    if !slot.is_null() {
        atomic!(AtomicU64, slot, depth).store(place as u64 + 1, Ordering::SeqCst);
    }
}

/// The end of a call that is not its thread's only call, or whose time is recorded.
#[cold]
#[inline(never)]
fn leave(runtime: &Runtime, handle: u64) {
    if local(|local| local.take_recorded(place_of(local, handle)))
        && levels::hottest() >= Level::History as u8
    {
        record_return(runtime, handle);
    }
    local(|local| pop(runtime, local, handle));
    look_back(runtime, handle);
}

/// Does the work that was left to a call that has ended.
#[cold]
#[inline(never)]
fn look_back(runtime: &Runtime, handle: u64) {
    let Some(slot) = runtime.table.slot_of(handle) else { return };
    let word = slot.word0();
    let is_left = !word.is_live() || word.is_close_pending();
    if is_left && word.generation() == generation_of(handle) {
        if let Some(upward) = upward() {
            (upward.after_call)(runtime, handle);
        }
    }
}

/// Index of a handle's newest pin; the end of the array and beyond it for deep pins.
fn place_of(local: &Local, handle: u64) -> usize {
    let (slot, depth) = (local.slot.get(), local.depth());
    let is_in = |&place: &usize| {
        !slot.is_null() && atomic!(AtomicU64, slot, calls[place]).load(Ordering::Relaxed) == handle
    };
    let shown = if depth > CALL_DEPTH { None } else { (0..depth).rev().find(is_in) };
    shown.unwrap_or(depth.saturating_sub(1))
}

/// The end of a call that the history has the begin of; the pin still holds the row.
#[cold]
#[inline(never)]
fn record_return(runtime: &Runtime, handle: u64) {
    let Some(slot) = runtime.table.slot_of(handle) else { return };
    let word = slot.word0();
    let is_its = word.generation() == generation_of(handle) && runtime.types.is_own(word.type_id());
    if is_its && levels::has_history(runtime, word.type_id()) {
        let entry = Entry {
            kind: EventKind::Return as u8,
            type_id: word.type_id(),
            handle,
            address: slot.address(),
            count: 0,
        };
        events::write(runtime, &entry);
    }
}

/// Takes the newest pin of a handle away.
fn pop(runtime: &Runtime, local: &Local, handle: u64) {
    let (slot, depth) = (local.slot.get(), local.depth());
    let is_newest = !slot.is_null()
        && (1..=CALL_DEPTH).contains(&depth)
        && atomic!(AtomicU64, slot, calls[depth - 1]).load(Ordering::Relaxed) == handle;
    if !is_newest {
        return pop_other(runtime, local, handle);
    }
    show_depth(local, slot, depth - 1);
}

/// Removes a pin that is not the newest, or is among the deep pins. It leaves a hole, which
/// disappears when the pins above it have been removed.
#[cold]
fn pop_other(runtime: &Runtime, local: &Local, handle: u64) {
    let (slot, mut depth) = (local.slot.get(), local.depth());
    let place = (0..depth.min(CALL_DEPTH)).rev().find(|&place| {
        !slot.is_null() && atomic!(AtomicU64, slot, calls[place]).load(Ordering::Relaxed) == handle
    });
    match place {
        Some(place) if !runtime.deep.has(local.index.get(), handle) => {
            // Release, like the store of `depth`: the call is over before its pin is removed
            atomic!(AtomicU64, slot, calls[place]).store(0, Ordering::Release);
        }
        _ => {
            runtime.deep.remove(local.index.get(), handle);
            depth = depth.saturating_sub(1);
        }
    }
    show_depth(local, slot, depth);
}

/// Sets the depth, less the holes at its end.
fn show_depth(local: &Local, slot: *mut ThreadSlot, mut depth: usize) {
    if slot.is_null() {
        return local.set_depth(depth);
    }
    while (1..=CALL_DEPTH).contains(&depth)
        && atomic!(AtomicU64, slot, calls[depth - 1]).load(Ordering::Relaxed) == 0
    {
        depth -= 1;
    }
    if depth == 0 {
        // plain pins come without a time, and leave that of the first place alone
        local.began.set(0);
        atomic!(AtomicU64, slot, call_ticks[0]).store(0, Ordering::Relaxed);
    }
    local.set_depth(depth);
    atomic!(AtomicU64, slot, depth).store(depth as u64, Ordering::Release);
    // keeps the load of word 0 that follows behind this store, as far as `heavy_barrier` can see
    light_barrier();
}

/// Whether this thread is the only user of a row so far. SeqCst: after the change of word 0 that
/// the caller made.
#[inline]
pub fn is_only_user(runtime: &Runtime, local: &Local, handle: u64) -> bool {
    let only =
        runtime.table.user(index_of(handle)).map_or(SHARED, |user| user.load(Ordering::SeqCst));
    only != SHARED && local.index.get() == only
}

/// Whether only this thread has used a row, and no call of it uses it now.
#[inline]
pub fn is_mine_alone(runtime: &Runtime, local: &Local, handle: u64) -> bool {
    is_only_user(runtime, local, handle) && !is_pinned_here(runtime, local, handle)
}

/// Whether a call uses a handle whose word 0 says that it ends (stored SeqCst by this thread
/// before). A no is for good.
pub fn is_pinned(runtime: &Runtime, handle: u64) -> bool {
    if local(|local| is_only_user(runtime, local, handle)) {
        return local(|local| is_pinned_here(runtime, local, handle));
    }
    let mut found = false;
    pins_of(runtime, |_, pinned| found |= pinned == handle);
    found
}

#[inline]
fn is_pinned_here(runtime: &Runtime, local: &Local, handle: u64) -> bool {
    local.depth() > 0 && is_among_pins(runtime, local, handle)
}

fn is_among_pins(runtime: &Runtime, local: &Local, handle: u64) -> bool {
    let (slot, depth) = (local.slot.get(), local.depth().min(CALL_DEPTH));
    let is_shown = (0..depth).any(|place| {
        !slot.is_null() && atomic!(AtomicU64, slot, calls[place]).load(Ordering::Relaxed) == handle
    });
    is_shown || runtime.deep.has(local.index.get(), handle)
}

/// Calls `body` with the thread and the handle of every call in flight: of all calls that began
/// before this, and were not refused.
pub fn pins_of(runtime: &Runtime, mut body: impl FnMut(u16, u64)) {
    heavy_barrier();
    for index in 1..runtime.segment().used(Part::Threads) {
        let slot = runtime.segment().thread(index);
        let depth = atomic!(AtomicU64, slot, depth).load(Ordering::SeqCst).min(CALL_DEPTH as u64);
        for place in 0..depth as usize {
            // this pin, a later pin of the thread, or 0: removed
            match atomic!(AtomicU64, slot, calls[place]).load(Ordering::SeqCst) {
                0 => {}
                handle => body(index as u16, handle),
            }
        }
    }
    runtime.deep.each(body);
}
