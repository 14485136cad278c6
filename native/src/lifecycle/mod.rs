//! The two lives of an object side by side: of each reference (`live ─ release requested ─ released ─ dropped`) and of its resource
//! (`open ─ close requested ─ draining or waiting for its owner ─ closed`).
//!
//! Types that do not close need no lock here: a release is decided by word 0 of its row and the
//! pins. For closing types, one table holds all handles of an object and its close request, and
//! every change of their rows happens under its lock.

mod by_proxy;
mod close;
mod deadline;
mod foreign;
mod life;
mod method;
mod plan;
mod poison;
mod release;
mod states;
mod waiting;
mod watch;
mod words;

pub use by_proxy::{close_by_proxies, has_method};
pub use close::{cancel, close_by_proxy, close_with_defaults, drain_here, owner_ended, preview, request, Run};
pub use deadline::{keep_inherited_deadlines, set_deadline};
pub use foreign::{callers, enter_foreign, enter_new, forget_foreign, leave_foreign};
pub use life::Life;
pub use plan::{children, handover, Child};
pub use poison::{poison, show_poison};
pub use release::{release, release_last};
pub use watch::{close_result, listen, CloseNews, Listener};
pub use words::{age, refusal, tombstone};

use std::collections::HashMap;

use crate::layout::{ReferenceState, ResourceState, FOREIGN_BIT};
use crate::registry::{generation_of, Change, Slot, Word0};
use crate::rows;
use crate::runtime::Runtime;
use crate::sync::Lock;
use crate::threads::{self, mutate};

/// Objects of closing types, as long as a handle names them: native objects by heap address,
/// foreign objects by the number of their handle.
#[derive(Default)]
pub struct Lives {
    inner: Lock<HashMap<u64, Entry>>,
    /// The thread that keeps the deadlines; locked before `inner` when both are locked.
    keeper: deadline::Keeper,
}

/// An object that can be closed.
#[derive(Default)]
struct Entry {
    /// Its handles: live, or released but kept because a close is pending.
    handles: Vec<u64>,
    /// The data pointer all of them hold.
    data: u64,
    /// The requested close that no thread runs yet.
    request: Option<Run>,
    /// The handle whose proxy is to close it by a method of its own.
    proxy: Option<u64>,
    /// When that is withdrawn.
    deadline: Option<deadline::Deadline>,
    /// The reason why the last request was withdrawn; until the next request.
    withdrawn: Option<String>,
    /// Whether a thread runs the close method now.
    is_closing: bool,
    /// Threads that are inside a foreign object; calls of native objects are pins.
    callers: Vec<u16>,
}

impl Entry {
    fn is_pending(&self) -> bool {
        self.request.is_some() || self.is_closing
    }
}

impl Lives {
    /// Holds the table across a fork.
    pub fn hold(&self) {
        self.keeper.hold();
        self.inner.hold();
    }

    /// Unlocks it.
    ///
    /// # Safety
    /// Held by `hold` before.
    pub unsafe fn let_go(&self) {
        // SAFETY: the caller's promise.
        unsafe {
            self.inner.let_go();
            self.keeper.let_go();
        }
    }

    /// Enters a new handle, whose row `publish` makes with the resource's present state, so that no change of it is missed.
    pub fn enter(&self, life: &Life, address: u64, data: u64, publish: impl FnOnce(ResourceState) -> u64) -> u64 {
        let mut inner = self.inner.lock();
        let handle = publish(life.state());
        let entry = inner.entry(address).or_default();
        entry.data = data;
        entry.handles.push(handle);
        handle
    }

    /// In a forked child: a close that another thread was running will not end there, and counts as failed.
    pub fn keep_only_this(&self, runtime: &Runtime) {
        *self.keeper.lock() = None;
        waiting::ask_all();
        let mut inner = self.inner.lock();
        for entry in inner.values_mut().filter(|entry| entry.is_closing) {
            entry.is_closing = false;
            show(runtime, entry, ResourceState::CloseFailed, None);
        }
        inner.values_mut().for_each(|entry| entry.callers.retain(|&caller| caller == threads::here()));
    }
}

/// Has every row of an object show another state of its resource. The lock is held.
fn show(runtime: &Runtime, entry: &Entry, state: ResourceState, change: Option<Change>) {
    if let Some(life) = life_of(runtime, entry) {
        life.set_state(state);
    }
    for &handle in &entry.handles {
        let Some(slot) = runtime.table.slot_of(handle) else { continue };
        mutate(runtime, || {
            let Some(word) = slot.begin(generation_of(handle)) else { return };
            if let Some(change) = &change {
                slot.note(change);
            }
            slot.end(word.with(word.reference(), state as u8));
        });
    }
}

/// The life within the object of an entry; a foreign object has none.
fn life_of<'a>(runtime: &Runtime, entry: &'a Entry) -> Option<&'a Life> {
    let word = runtime.table.slot_of(*entry.handles.first()?)?.word0();
    let spec = runtime.types.spec(word.type_id())?;
    // SAFETY: a handle in the entry owns a reference to the object, and the lock that guards the entry keeps it there.
    Some(unsafe { &*(spec.operations.life)(entry.data) })
}

/// The thread that alone may close an entry's object, 0: any.
fn owner_of(runtime: &Runtime, entry: &Entry) -> u16 {
    let slot = entry.handles.first().and_then(|&handle| runtime.table.slot_of(handle));
    slot.map_or(0, |slot| slot.owner())
}

/// Whether word 0 is of the row that a handle names, native or foreign.
fn names(runtime: &Runtime, word: Word0, handle: u64) -> bool {
    word.generation() == generation_of(handle) && (handle & FOREIGN_BIT != 0) == rows::is_foreign(runtime, word.type_id())
}

/// Key of a handle's object in the table.
fn key_of(slot: &Slot<'_>, handle: u64) -> u64 {
    if handle & FOREIGN_BIT == 0 {
        slot.address()
    } else {
        handle
    }
}

/// The type of an entry's object, 0: unknown.
fn type_of(runtime: &Runtime, entry: &Entry) -> u16 {
    let slot = entry.handles.first().and_then(|&handle| runtime.table.slot_of(handle));
    slot.map_or(0, |slot| slot.word0().type_id())
}

/// A call on `handle` has ended and found that something was left to the last of them.
#[cold]
pub fn after_call(runtime: &Runtime, handle: u64) {
    let Some(slot) = runtime.table.slot_of(handle) else { return };
    let word = slot.word0();
    if word.is_close_pending() {
        // if the row now belongs to another object, this settles that object, which does no harm
        let _ = close::settle(runtime, slot.address());
    }
    if word.reference() == ReferenceState::ReleaseRequested as u8 {
        release::finish_if_idle(runtime, handle);
    }
}
