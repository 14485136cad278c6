//! Foreign objects that close, in the table of `Lives`. Their entry has the handle's own number as
//! its key, which is odd as no address is.

use std::sync::atomic::{AtomicU64, Ordering};

use super::close::{settle, uncount_waiting};
use super::deadline::hide_deadline;
use super::lives::type_of;
use super::lives::{lives, show, Entry};
use recorder::events;
use recorder::runtime::Runtime;
use recorder::threads;
use segment::atomic;
use segment::layout::{ResourceState, COUNT_UNKNOWN};
use segment::registry::{Slot, COUNTS_UNKNOWN};

/// A handle was made of an object that closes.
pub fn enter_new(handle: u64, value: u64) {
    let entry = Entry { handles: vec![handle], data: value, ..Entry::default() };
    lives().inner.lock().insert(handle, entry);
}

/// Begins a use; returns the object's value, unless it has ended or its close was asked for.
pub fn enter_foreign(runtime: &Runtime, handle: u64) -> Option<u64> {
    let here = threads::here();
    let mut inner = lives().inner.lock();
    let entry = inner.get_mut(&handle)?;
    let slot = runtime.table.slot_of(handle)?;
    let resource = slot.word0().resource();
    if entry.is_pending()
        || ![ResourceState::Open as u8, ResourceState::CloseFailed as u8].contains(&resource)
    {
        return None;
    }
    entry.callers.push(here);
    show_callers(&slot, entry.callers.len());
    Some(entry.data)
}

/// A use ends.
pub fn leave_foreign(runtime: &Runtime, handle: u64) {
    let here = threads::here();
    let mut inner = lives().inner.lock();
    let (Some(entry), Some(slot)) = (inner.get_mut(&handle), runtime.table.slot_of(handle)) else {
        return;
    };
    let position = entry.callers.iter().rposition(|&caller| caller == here);
    // a call that began on another thread
    let Some(position) = position.or(entry.callers.len().checked_sub(1)) else { return };
    entry.callers.swap_remove(position);
    show_callers(&slot, entry.callers.len());
    let is_asked = entry.request.is_some() && entry.callers.is_empty();
    drop(inner);
    if is_asked {
        // the row shows the outcome; no caller here asked
        let _ = settle(runtime, handle);
    }
}

/// Word 2 of such a row is written under the lock of `Lives` alone: calls in flight, and no counts.
/// Relaxed: a number for people.
fn show_callers(slot: &Slot<'_>, callers: usize) {
    let in_flight = u16::try_from(callers).unwrap_or(u16::MAX).min(COUNT_UNKNOWN - 1);
    slot.counts().store(
        COUNTS_UNKNOWN & !(u64::from(COUNT_UNKNOWN) << 48) | u64::from(in_flight) << 48,
        Ordering::Relaxed,
    );
}

/// Threads that are inside the object of a handle.
pub fn callers(handle: u64) -> Vec<u16> {
    lives().inner.lock().get(&handle).map_or_else(Vec::new, |entry| entry.callers.clone())
}

/// The handle is being deleted, and its object is its host's alone again: a close that was asked
/// for and does not run yet is taken back.
pub fn forget_foreign(runtime: &Runtime, handle: u64) {
    let mut inner = lives().inner.lock();
    let Some(entry) = inner.get_mut(&handle) else { return };
    if entry.is_closing {
        // `end` finds no rows to write and removes the entry
        entry.handles.clear();
        return;
    }
    let request = entry.request.take();
    if request.is_some() {
        uncount_waiting(runtime, entry);
        hide_deadline(runtime, entry);
        show(
            runtime,
            entry,
            ResourceState::Open,
            Some(events::change(runtime, type_of(runtime, entry), false)),
        );
        atomic!(AtomicU64, runtime.segment().header(), pending_closes)
            .fetch_sub(1, Ordering::Relaxed);
    }
    inner.remove(&handle);
    drop(inner);
    // only now: the request's arguments run foreign code when they are dropped
    drop(request);
}
