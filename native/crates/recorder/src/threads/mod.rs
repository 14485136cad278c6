//! Threads that touch handles: each has a slot in the segment, found through one thread-local word,
//! and ended by the thread's own end.

mod barriers;
mod deep_pins;
pub mod fast_path;
mod gate;
mod local;
mod pins;
mod slots;

pub use barriers::{heavy_barrier, set_barriers};
pub use deep_pins::DeepPins;
pub use gate::{hold_writers, let_writers_go, mutate_on};
pub use local::{Local, This};
pub use pins::{is_mine_alone, is_only_user, is_pinned, pins_of, Pin};
pub use slots::Threads;

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicU8, Ordering};

use crate::runtime::{existing, lost, runtime, Runtime};
use crate::upward::upward;
use local::{known, LOCAL, UNUSUAL};
use segment::atomic;
use segment::clock;
use segment::layout::ThreadState;
use segment::{write_text, Part};
use slots::{state, write_slot};

thread_local! {
    static END: End = const { End };
}

struct End;

impl Drop for End {
    fn drop(&mut self) {
        if let Some(runtime) = existing() {
            if let Some(upward) = upward() {
                (upward.drain_here)();
            }
            LOCAL.with(|local| end(runtime, local));
        }
    }
}

/// Whether that thread has not ended. Index 0, a thread unknown, counts as ended.
pub fn is_alive(runtime: &Runtime, index: u16) -> bool {
    index != 0
        && u32::from(index) < runtime.segment().used(Part::Threads)
        && state(runtime.segment(), index) == ThreadState::Live as u8
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
    let Some(index) = runtime.threads.take(&runtime.table) else {
        atomic!(AtomicU64, lost(), threads).fetch_add(1, Ordering::Relaxed);
        return;
    };
    local.own_shard.set(runtime.threads.take_shard());
    let slot = runtime.segment().thread(u32::from(index));
    let tid = platform::thread_id();
    let name = platform::thread_name();
    // as a writer of rows: it must not fall into a move of the segment
    mutate_on(local, || write_slot(slot, tid, &name));
    local.index.set(index);
    local.slot.set(slot);
    local.set_depth(local.depth());
}

/// Runs a few stores to rows so that no fork falls between them. `body` takes no lock, calls
/// nothing foreign and does not nest.
#[inline]
pub fn mutate<T>(body: impl FnOnce() -> T) -> T {
    local(|local| mutate_on(local, body))
}

fn end(runtime: &Runtime, local: &Local) {
    runtime.table.empty(&local.magazine);
    let slot = local.slot.replace(std::ptr::null_mut());
    let index = local.index.replace(0);
    local.calls.set(local.calls.get() | UNUSUAL);
    if slot.is_null() {
        return;
    }
    runtime.rings.give_back(local, slot);
    // keeps a name that the thread was given after its first use of a handle
    if atomic!(AtomicU8, slot, named).load(Ordering::Relaxed) == 0 {
        let name = platform::thread_name();
        // SAFETY: the slot lies in the mapping; only the field's address is taken.
        write_text(unsafe { std::ptr::addr_of_mut!((*slot).name) }, &name);
    }
    // as in `enrol`; the thread has no index any more
    mutate_on(local, || {
        atomic!(AtomicU64, slot, ended_at_ticks).store(clock::ticks(), Ordering::Relaxed);
        atomic!(AtomicU8, slot, state).store(ThreadState::Ended as u8, Ordering::Release);
    });
    runtime.threads.note_end(local.own_shard.replace(0));
    if let Some(upward) = upward() {
        (upward.owner_ended)(runtime, index);
    }
}

/// The calling thread's index, 0: it found no slot.
#[inline]
pub fn here() -> u16 {
    local(|local| local.index.get())
}

/// Names a live thread as the host language calls it; false when no slot has that kernel id.
pub fn set_name(runtime: &Runtime, tid: u32, name: &str) -> bool {
    let found = (1..runtime.segment().used(Part::Threads)).find(|&index| {
        let slot = runtime.segment().thread(index);
        state(runtime.segment(), index as u16) == ThreadState::Live as u8
            && atomic!(AtomicU32, slot, tid).load(Ordering::Relaxed) == tid
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
            } else if state(runtime.segment(), index as u16) == ThreadState::Live as u8 {
                atomic!(AtomicU64, slot, depth).store(0, Ordering::Relaxed);
                atomic!(AtomicU64, slot, ended_at_ticks).store(clock::ticks(), Ordering::Relaxed);
                atomic!(AtomicU8, slot, state).store(ThreadState::Ended as u8, Ordering::Relaxed);
            }
        }
        runtime.threads.keep_shard(local.own_shard.get());
        // a call that runs on ends with a fence, in case the child has no barriers
        local.calls.set(
            local.calls.get()
                | if fast_path::is_plain() || local.depth() == 0 { 0 } else { UNUSUAL },
        );
        local.magazine.forget();
    });
    runtime.table.find_free();
}
