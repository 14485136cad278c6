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
use crate::layout::{Level, ThreadSlot, CALL_DEPTH};
use crate::registry::generation_of;
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

    fn remove(&self, thread: u16, handle: u64) {
        let mut pins = self.pins.lock();
        if let Some(at) = pins.iter().rposition(|&pin| pin == (thread, handle)) {
            pins.remove(at);
        }
        drop(pins);
        self.count.fetch_sub(1, Ordering::SeqCst);
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

/// A call's use of a handle; ends with it. Stays on its thread.
pub struct Pin {
    handle: u64,
    /// Place in the thread's slot; `CALL_DEPTH` and above: among the deep ones.
    place: u32,
    on_this_thread: PhantomData<*const ()>,
}

impl Pin {
    /// Shows that this thread uses `handle`, whatever that is; the caller validates it afterwards, in that order.
    #[inline]
    pub fn new(handle: u64) -> Self {
        local(|local| {
            let (slot, place) = (local.slot.get(), local.depth.get());
            local.depth.set(place + 1);
            if slot.is_null() || place as usize >= CALL_DEPTH {
                push_deep(local, slot, place, handle);
                return Self { handle, place: CALL_DEPTH as u32 + place, on_this_thread: PhantomData };
            }
            atomic!(AtomicU64, slot, calls[place as usize]).store(handle, Ordering::Relaxed);
            let began = if hooks::hottest() >= Level::History as u8 { clock::ticks() } else { 0 };
            atomic!(AtomicU64, slot, call_ticks[place as usize]).store(began, Ordering::Relaxed);
            // SeqCst: releases the two stores above, and comes before the load of word 0 that follows
            atomic!(AtomicU64, slot, depth).store(u64::from(place) + 1, Ordering::SeqCst);
            Self { handle, place, on_this_thread: PhantomData }
        })
    }

    /// The handle.
    pub fn handle(&self) -> u64 {
        self.handle
    }
}

#[cold]
fn push_deep(local: &Local, slot: *mut ThreadSlot, place: u32, handle: u64) {
    runtime().deep.push(local.index.get(), handle);
    if !slot.is_null() {
        atomic!(AtomicU64, slot, depth).store(u64::from(place) + 1, Ordering::SeqCst);
    }
}

impl Drop for Pin {
    #[inline]
    fn drop(&mut self) {
        let runtime = runtime();
        local(|local| unpin(runtime, local, self.place, self.handle));
        let Some(slot) = runtime.table.slot_of(self.handle) else { return };
        let word = slot.word0();
        if word.generation() == generation_of(self.handle) && !(word.is_live() && !word.is_close_pending()) {
            crate::lifecycle::after_call(runtime, self.handle);
        }
    }
}

/// Takes a pin away. One that is not the newest leaves a hole, which goes when those above it have gone.
#[inline]
fn unpin(runtime: &Runtime, local: &Local, place: u32, handle: u64) {
    let slot = local.slot.get();
    let mut depth = local.depth.get();
    if place >= CALL_DEPTH as u32 {
        runtime.deep.remove(local.index.get(), handle);
        depth = depth.saturating_sub(1);
    } else if !slot.is_null() {
        // Release, like the store of `depth`: the call is over before its pin goes; for a hole, this is the store that takes it away
        atomic!(AtomicU64, slot, calls[place as usize]).store(0, Ordering::Release);
    }
    if slot.is_null() {
        local.depth.set(depth);
        return;
    }
    while (1..=CALL_DEPTH as u32).contains(&depth) && atomic!(AtomicU64, slot, calls[depth as usize - 1]).load(Ordering::Relaxed) == 0 {
        depth -= 1;
    }
    local.depth.set(depth);
    atomic!(AtomicU64, slot, depth).store(u64::from(depth), Ordering::Release);
    // keeps the load of word 0 that follows behind these stores, as far as `heavy_barrier` can tell
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
