//! The end of a reference.

use crate::hooks;
use crate::layout::{EventKind, Kind, ReferenceState, ResourceState};
use crate::ownership::thin;
use crate::registry::{generation_of, is_current, Slot};
use crate::rows;
use crate::runtime::Runtime;
use crate::status::{Error, Result, Status};
use crate::threads::{is_mine_alone, is_only_user, is_pinned, mutate, mutate_on, this, Local};
use crate::types::{self, TypeSpec};

/// Gives up the reference that `handle` names. Calls in flight on it run on, and the last of them
/// releases it; while a close of the object is pending, the close does. Any thread.
pub fn release(runtime: &Runtime, handle: u64) -> Result<()> {
    let Some((slot, spec)) = live(runtime, handle) else { return Err(refuse(runtime, handle)) };
    if spec.kind == Kind::Thin && !thin::release_one(runtime, handle)? {
        return Ok(());
    }
    end(runtime, handle, &slot, spec)
}

/// Ends the row. For rows that count references themselves: called by the thread that took the
/// count to 0.
pub fn release_last(runtime: &Runtime, handle: u64) -> Result<()> {
    let Some((slot, spec)) = live(runtime, handle) else { return Err(refuse(runtime, handle)) };
    end(runtime, handle, &slot, spec)
}

#[cold]
#[inline(never)]
fn refuse(runtime: &Runtime, handle: u64) -> Error {
    let error = super::refusal(runtime, handle, 0);
    hooks::misuse(runtime, error.status, handle);
    error
}

#[inline]
fn end(runtime: &Runtime, handle: u64, slot: &Slot<'_>, spec: &TypeSpec) -> Result<()> {
    let (local, type_id) = (this(), slot.word0().type_id());
    let alone = if spec.close.is_none() { release_alone(runtime, &local, handle, slot, type_id) } else { Alone::No };
    match alone {
        Alone::Ended(data) => let_go(runtime, &local, handle, slot, spec, data),
        Alone::Joined => finish_if_idle(runtime, handle),
        Alone::No => return end_shared(runtime, handle, slot, spec),
    }
    Ok(())
}

/// The end of rows that several threads use, and of rows of closing types.
#[inline(never)]
fn end_shared(runtime: &Runtime, handle: u64, slot: &Slot<'_>, spec: &TypeSpec) -> Result<()> {
    let is_asked = if spec.close.is_some() { ask_closable(runtime, handle, slot) } else { ask(runtime, handle, slot).is_some() };
    if !is_asked {
        // another thread was first
        hooks::misuse(runtime, Status::StaleHandle, handle);
        return Err(super::refusal(runtime, handle, 0));
    }
    finish_if_idle(runtime, handle);
    Ok(())
}

#[inline]
fn live(runtime: &Runtime, handle: u64) -> Option<(Slot<'_>, &'static TypeSpec)> {
    let slot = runtime.table.slot_of(handle)?;
    let word = slot.word0();
    let spec = runtime.types.spec(word.type_id())?;
    (is_current(word, handle) && word.is_live()).then_some((slot, spec))
}

/// Marks the row; None when it is not live any more.
fn ask(runtime: &Runtime, handle: u64, slot: &Slot<'_>) -> Option<()> {
    let type_id = slot.word0().type_id();
    let change = hooks::change(runtime, type_id, true);
    mutate(runtime, || {
        let word = slot.begin_change(generation_of(handle), ReferenceState::Live, ReferenceState::ReleaseRequested)?;
        slot.note(&change);
        slot.end(word);
        Some(())
    })
}

/// How far [`release_alone`] came.
enum Alone {
    /// The row is not this thread's alone, or not live any more: nothing was done.
    No,
    /// Another thread joined just then: the release is asked for.
    Joined,
    /// The row has ended; the reference at this data pointer has to be released.
    Ended(u64),
}

/// The whole way at once, for a row that only this thread has used and uses no more: one locked instruction.
///
/// The note of the row's user is read once more after word 0 has changed (SeqCst both), so a newcomer is seen here or sees that it is too late.
#[inline(always)]
fn release_alone(runtime: &Runtime, local: &Local, handle: u64, slot: &Slot<'_>, type_id: u16) -> Alone {
    if !is_mine_alone(runtime, local, handle) {
        return Alone::No;
    }
    let change = hooks::change(runtime, type_id, true);
    mutate_on(runtime, local, || {
        let Some(word) = slot.begin_change(generation_of(handle), ReferenceState::Live, ReferenceState::ReleaseRequested) else {
            return Alone::No;
        };
        slot.note(&change);
        if !is_only_user(runtime, local, handle) {
            slot.end(word);
            return Alone::Joined;
        }
        slot.end_for_good(word.with(ReferenceState::Released as u8, word.resource()));
        Alone::Ended(slot.data())
    })
}

/// `ask` under the lock of `Lives`, where the row's other changes happen.
fn ask_closable(runtime: &Runtime, handle: u64, slot: &Slot<'_>) -> bool {
    let _inner = runtime.lives.inner.lock();
    ask(runtime, handle, slot).is_some()
}

/// Releases a reference whose release was requested, unless a call uses it or a pending close needs
/// the object: the call or the close then releases it later.
///
/// `ReleaseRequested` was stored before the pins are looked at (SeqCst both, see `threads::Pin`), and no new call gets past it, so a pin that is
/// not seen now will never come.
pub(super) fn finish_if_idle(runtime: &Runtime, handle: u64) {
    let Some(slot) = runtime.table.slot_of(handle) else { return };
    if is_pinned(runtime, handle) {
        return;
    }
    let word = slot.word0();
    if word.generation() != generation_of(handle) {
        return;
    }
    let claimed =
        if types::closes(runtime, word.type_id()) { claim_closable(runtime, handle, &slot) } else { claim(runtime, handle, &slot) };
    if let (Some(data), Some(spec)) = (claimed, runtime.types.spec(word.type_id())) {
        let_go(runtime, &this(), handle, &slot, spec, data);
    }
}

/// Turns the row into a tombstone; only one thread gets the data pointer.
fn claim(runtime: &Runtime, handle: u64, slot: &Slot<'_>) -> Option<u64> {
    mutate(runtime, || {
        let word = slot.begin_change(generation_of(handle), ReferenceState::ReleaseRequested, ReferenceState::Released)?;
        let data = slot.data();
        slot.end(word);
        Some(data)
    })
}

fn claim_closable(runtime: &Runtime, handle: u64, slot: &Slot<'_>) -> Option<u64> {
    let mut inner = runtime.lives.inner.lock();
    let address = slot.address();
    let entry = inner.get_mut(&address)?;
    if entry.is_pending() {
        return None;
    }
    let data = claim(runtime, handle, slot)?;
    entry.handles.retain(|&other| other != handle);
    if entry.handles.is_empty() {
        inner.remove(&address);
    }
    Some(data)
}

/// Counts the reference down; the row shows the result and becomes free.
#[inline]
fn let_go(runtime: &Runtime, local: &Local, handle: u64, slot: &Slot<'_>, spec: &TypeSpec, data: u64) {
    let type_id = slot.word0().type_id();
    hooks::count_live(runtime, local, type_id, -1);
    if hooks::counts(runtime, type_id) {
        record(runtime, handle, slot, spec, data);
    }
    // SAFETY: `claim` gave the row's reference to this thread alone, and no call uses it.
    let is_dropped = unsafe { (spec.operations.release)(data) };
    if is_dropped {
        // no other thread changes a released row (see `Slot::begin_change`); a single store, which
        // no fork can split
        let word = slot.word0();
        slot.end_for_good(word.with(ReferenceState::Dropped as u8, after_drop(word.resource())));
    }
    runtime.table.give_back(handle, &local.magazine);
}

/// The last state of the resource, now that the destructor ran.
fn after_drop(resource: u8) -> u8 {
    let open = [ResourceState::Open as u8, ResourceState::CloseFailed as u8];
    if open.contains(&resource) {
        ResourceState::NeverClosed as u8
    } else {
        resource
    }
}

#[inline(never)]
fn record(runtime: &Runtime, handle: u64, slot: &Slot<'_>, spec: &TypeSpec, data: u64) {
    let type_id = slot.word0().type_id();
    rows::count_released(runtime, type_id);
    if hooks::has_history(runtime, type_id) {
        // SAFETY: the reference is still ours.
        let (strong, _) = unsafe { (spec.operations.counts)(data) };
        hooks::event(runtime, EventKind::Release, type_id, handle, slot.address(), strong.saturating_sub(1) as u32);
    }
}
