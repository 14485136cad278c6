//! The end of a reference.

use super::lives::lives;
use crate::object::{spec_of, TypeSpec};
use recorder::events;
use recorder::levels;
use recorder::rows;
use recorder::runtime::Runtime;
use recorder::threads::{is_mine_alone, is_only_user, is_pinned, mutate, mutate_on, this, Local};
use recorder::types;
use segment::layout::{EventKind, ReferenceState, ResourceState};
use segment::registry::{generation_of, is_current, Slot};
use segment::status::{Error, Result, Status};

/// Ends the row of `handle`: its object is released once. Calls in flight on it go on, and the last
/// of them releases; while a close of the object is pending, that does. Any thread.
pub fn release_row(runtime: &Runtime, handle: u64) -> Result<()> {
    let (slot, spec) = live(runtime, handle)?;
    end_row(runtime, handle, &slot, spec)
}

/// The row and the type of a live handle of our own runtime.
#[inline]
pub fn live(runtime: &Runtime, handle: u64) -> Result<(Slot<'_>, &'static TypeSpec)> {
    find(runtime, handle).ok_or_else(|| refuse(runtime, handle))
}

#[cold]
#[inline(never)]
fn refuse(runtime: &Runtime, handle: u64) -> Error {
    let error = super::refusal(runtime, handle, 0);
    events::misuse(runtime, error.status, handle);
    error
}

/// As [`release_row`], of a row that [`live`] found.
#[inline]
pub fn end_row(runtime: &Runtime, handle: u64, slot: &Slot<'_>, spec: &TypeSpec) -> Result<()> {
    let (local, type_id) = (this(), slot.word0().type_id());
    let alone = if spec.close.is_none() {
        release_alone(runtime, &local, handle, slot, type_id)
    } else {
        Alone::No
    };
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
    let is_asked = if spec.close.is_some() {
        ask_closable(runtime, handle, slot)
    } else {
        ask(runtime, handle, slot).is_some()
    };
    if !is_asked {
        // another thread was first
        events::misuse(runtime, Status::StaleHandle, handle);
        return Err(super::refusal(runtime, handle, 0));
    }
    finish_if_idle(runtime, handle);
    Ok(())
}

#[inline]
fn find(runtime: &Runtime, handle: u64) -> Option<(Slot<'_>, &'static TypeSpec)> {
    let slot = runtime.table.slot_of(handle)?;
    let word = slot.word0();
    let spec = spec_of(runtime, word.type_id())?;
    (is_current(word, handle) && word.is_live()).then_some((slot, spec))
}

/// Marks the row; None when it is not live any more.
fn ask(runtime: &Runtime, handle: u64, slot: &Slot<'_>) -> Option<()> {
    let type_id = slot.word0().type_id();
    let change = events::change(runtime, type_id, true);
    mutate(|| {
        let word = slot.begin_change(
            generation_of(handle),
            ReferenceState::Live,
            ReferenceState::ReleaseRequested,
        )?;
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

/// The whole way at once, for a row that only this thread has used and uses no more: one locked
/// instruction.
///
/// The note of the row's user is read once more after word 0 has changed (SeqCst both), so a
/// newcomer is seen here or sees that it is too late.
#[inline(always)]
fn release_alone(
    runtime: &Runtime,
    local: &Local,
    handle: u64,
    slot: &Slot<'_>,
    type_id: u16,
) -> Alone {
    if !is_mine_alone(runtime, local, handle) {
        return Alone::No;
    }
    let change = events::change(runtime, type_id, true);
    mutate_on(local, || {
        let Some(word) = slot.begin_change(
            generation_of(handle),
            ReferenceState::Live,
            ReferenceState::ReleaseRequested,
        ) else {
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
    let _inner = lives().inner.lock();
    ask(runtime, handle, slot).is_some()
}

/// Releases a reference whose release was requested, unless a call uses it or a pending close needs
/// the object: the call or the close then releases it later.
///
/// `ReleaseRequested` was stored before the pins are looked at (SeqCst both, see `threads::Pin`),
/// and no new call gets past it, so a pin that is not seen now will never come.
pub(super) fn finish_if_idle(runtime: &Runtime, handle: u64) {
    let Some(slot) = runtime.table.slot_of(handle) else { return };
    if is_pinned(runtime, handle) {
        return;
    }
    let word = slot.word0();
    if word.generation() != generation_of(handle) {
        return;
    }
    let claimed = if types::closes(runtime, word.type_id()) {
        claim_closable(runtime, handle, &slot)
    } else {
        claim(runtime, handle, &slot)
    };
    if let (Some(data), Some(spec)) = (claimed, spec_of(runtime, word.type_id())) {
        let_go(runtime, &this(), handle, &slot, spec, data);
    }
}

/// Turns the row into a tombstone; only one thread gets the data pointer.
fn claim(_runtime: &Runtime, handle: u64, slot: &Slot<'_>) -> Option<u64> {
    mutate(|| {
        let word = slot.begin_change(
            generation_of(handle),
            ReferenceState::ReleaseRequested,
            ReferenceState::Released,
        )?;
        let data = slot.data();
        slot.end(word);
        Some(data)
    })
}

fn claim_closable(runtime: &Runtime, handle: u64, slot: &Slot<'_>) -> Option<u64> {
    let mut inner = lives().inner.lock();
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
fn let_go(
    runtime: &Runtime,
    local: &Local,
    handle: u64,
    slot: &Slot<'_>,
    spec: &TypeSpec,
    data: u64,
) {
    let type_id = slot.word0().type_id();
    events::count_live(runtime, local, type_id, -1);
    if levels::counts(runtime, type_id) {
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
    if levels::has_history(runtime, type_id) {
        // SAFETY: the reference is still ours.
        let (strong, _) = unsafe { (spec.operations.counts)(data) };
        events::event(
            runtime,
            EventKind::Release,
            type_id,
            handle,
            slot.address(),
            strong.saturating_sub(1) as u32,
        );
    }
}
