//! Pins: a call shows which handle it uses by writing it into its thread's slot, which is also how the viewer sees calls in flight.
//!
//! The order that makes it safe is Dekker's. A call stores its pin and then loads word 0 of the row; a releaser, or who closes, changes word 0 and
//! then loads the pins. All four are SeqCst, so at least one of them sees the other: the call finds the handle dead, or the
//! releaser finds the call and leaves the release to it.
//!
//! At its end the call takes the pin away and looks at word 0 once more, to see what was left to it. Here the two sides are not equally frequent,
//! so only the rare one pays: the call stores plainly, and a releaser who found a pin has every thread pass a barrier before it
//! believes that ([`pins_of`] twice, [`super::heavy_barrier`] between). After that, either the pin is seen gone, or the call will see word 0.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::gate::light_barrier;
use super::{local, Local};
use crate::atomic;
use crate::clock;
use crate::hooks;
use crate::layout::{EventKind, Level, ThreadSlot, CALL_DEPTH};
use crate::registry::generation_of;
use crate::ring;
use crate::runtime::{lost, runtime, Runtime};
use crate::segment::Part;
use crate::sync::Lock;

/// Pins that found no place in a thread's slot: calls nested too deeply, and threads without a slot.
#[derive(Default)]
pub struct DeepPins {
    /// How many; looked at before the lock is taken.
    count: AtomicU32,
    pins: Lock<Vec<(u16, u64)>>,
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl DeepPins {
    fn push(&self, thread: u16, handle: u64) {
        self.pins.lock().push((thread, handle));
        self.count.fetch_add(1, Ordering::SeqCst);
        atomic!(AtomicU64, lost(), deep_calls).fetch_add(1, Ordering::Relaxed);
    }

    fn has(&self, thread: u16, handle: u64) -> bool {
        self.count.load(Ordering::SeqCst) > 0 && self.pins.lock().contains(&(thread, handle))
    }

    fn remove(&self, thread: u16, handle: u64) {
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

    /// In a forked child: only this thread's calls go on.
    pub fn keep_only(&self, thread: u16) {
        let mut pins = self.pins.lock();
        pins.retain(|pin| pin.0 == thread);
        self.count.store(pins.len() as u32, Ordering::SeqCst);
    }
}

/// A call's use of a handle; ends with it. Stays on its thread. One word, so that it travels in a register: the pins of one handle
/// are alike, and the newest of them is as good as its own.
pub struct Pin {
    handle: u64,
    on_this_thread: PhantomData<*const ()>,
}

impl Pin {
    /// Shows that this thread uses `handle`, whatever that is but 0; the caller validates it afterwards, in that order.
    #[inline]
    pub fn new(handle: u64) -> Self {
        local(|local| push(local, handle));
        Self { handle, on_this_thread: PhantomData }
    }

    /// The handle.
    #[inline]
    pub fn handle(&self) -> u64 {
        self.handle
    }
}

#[inline]
fn push(local: &Local, handle: u64) {
    let (slot, place) = (local.slot.get(), local.depth.get() as usize);
    local.depth.set(place as u32 + 1);
    if slot.is_null() || place >= CALL_DEPTH {
        return push_deep(local, slot, place, handle);
    }
    atomic!(AtomicU64, slot, calls[place]).store(handle, Ordering::Relaxed);
    let began = if hooks::hottest() >= Level::History as u8 { clock::ticks() } else { 0 };
    local.began.set(began);
    atomic!(AtomicU64, slot, call_ticks[place]).store(began, Ordering::Relaxed);
    // SeqCst: releases the two stores above, and comes before the load of word 0 that follows
    atomic!(AtomicU64, slot, depth).store(place as u64 + 1, Ordering::SeqCst);
}

#[cold]
fn push_deep(local: &Local, slot: *mut ThreadSlot, place: usize, handle: u64) {
    runtime().deep.push(local.index.get(), handle);
    if !slot.is_null() {
        atomic!(AtomicU64, slot, depth).store(place as u64 + 1, Ordering::SeqCst);
    }
}

impl Drop for Pin {
    #[inline]
    fn drop(&mut self) {
        let runtime = runtime();
        if hooks::hottest() >= Level::History as u8 {
            record_return(runtime, self.handle);
        }
        local(|local| pop(runtime, local, self.handle));
        let Some(slot) = runtime.table.slot_of(self.handle) else { return };
        let word = slot.word0();
        let is_left = !word.is_live() || word.is_close_pending();
        if is_left && word.generation() == generation_of(self.handle) {
            crate::lifecycle::after_call(runtime, self.handle);
        }
    }
}

/// The end of a call that the history has the begin of; the pin still holds the row.
#[cold]
#[inline(never)]
fn record_return(runtime: &Runtime, handle: u64) {
    let Some(slot) = runtime.table.slot_of(handle) else { return };
    let word = slot.word0();
    let is_its = word.generation() == generation_of(handle) && runtime.types.spec(word.type_id()).is_some();
    if is_its && hooks::has_history(runtime, word.type_id()) {
        ring::write(runtime, EventKind::Return as u8, handle, slot.address(), 0);
    }
}

/// Takes the newest pin of a handle away.
#[inline]
fn pop(runtime: &Runtime, local: &Local, handle: u64) {
    let (slot, depth) = (local.slot.get(), local.depth.get() as usize);
    let is_newest = !slot.is_null()
        && (1..=CALL_DEPTH).contains(&depth)
        && atomic!(AtomicU64, slot, calls[depth - 1]).load(Ordering::Relaxed) == handle;
    if !is_newest {
        return pop_other(runtime, local, handle);
    }
    show_depth(local, slot, depth - 1);
}

/// One that is not the newest, or among the deep ones. It leaves a hole, which goes when those above it have gone.
#[cold]
fn pop_other(runtime: &Runtime, local: &Local, handle: u64) {
    let (slot, mut depth) = (local.slot.get(), local.depth.get() as usize);
    let place = (0..depth.min(CALL_DEPTH))
        .rev()
        .find(|&place| !slot.is_null() && atomic!(AtomicU64, slot, calls[place]).load(Ordering::Relaxed) == handle);
    match place {
        Some(place) if !runtime.deep.has(local.index.get(), handle) => {
            // Release, like the store of `depth`: the call is over before its pin goes
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
#[inline]
fn show_depth(local: &Local, slot: *mut ThreadSlot, mut depth: usize) {
    if slot.is_null() {
        return local.depth.set(depth as u32);
    }
    while (1..=CALL_DEPTH).contains(&depth) && atomic!(AtomicU64, slot, calls[depth - 1]).load(Ordering::Relaxed) == 0 {
        depth -= 1;
    }
    local.depth.set(depth as u32);
    atomic!(AtomicU64, slot, depth).store(depth as u64, Ordering::Release);
    // keeps the load of word 0 that follows behind this store, as far as `heavy_barrier` can tell
    light_barrier();
}

/// Calls `body` with the thread and the handle of every call in flight.
pub fn pins_of(runtime: &Runtime, mut body: impl FnMut(u16, u64)) {
    for index in 1..runtime.segment().used(Part::Threads) {
        let slot = runtime.segment().thread(index);
        let depth = atomic!(AtomicU64, slot, depth).load(Ordering::SeqCst).min(CALL_DEPTH as u64);
        for place in 0..depth as usize {
            // this pin, one that the thread made later, or 0: gone
            match atomic!(AtomicU64, slot, calls[place]).load(Ordering::SeqCst) {
                0 => {}
                handle => body(index as u16, handle),
            }
        }
    }
    if runtime.deep.count.load(Ordering::SeqCst) > 0 {
        runtime.deep.pins.lock().iter().for_each(|&(thread, handle)| body(thread, handle));
    }
}
