//! An object that a call left half changed by panicking inside: all its rows say so, and every
//! later call is refused by name.

use std::sync::atomic::{fence, Ordering};

use super::lives::{lives, show};
use crate::object::index_of;
use crate::object::Life;
use recorder::events;
use recorder::runtime::{existing, Runtime};
use recorder::threads::mutate;
use segment::layout::{ReferenceState, ResourceState};
use segment::registry::{generation_of, handle_of, Change, Moment};
use segment::Part;

/// A call panics inside the object. Runs while it unwinds; searches the table: a bug may cost that
/// much.
#[cold]
pub fn poison(life: &Life) {
    let Some(runtime) = existing() else { return };
    let Ok(type_id) = index_of(runtime, life.spec()) else { return };
    let change = events::change(runtime, type_id, false);
    if life.closes() {
        return poison_closable(runtime, life, &change);
    }
    life.set_state(ResourceState::Poisoned);
    // SeqCst, as in `show_poison`: a row that is published now is found below, or finds the value
    // just stored
    fence(Ordering::SeqCst);
    for index in 1..runtime.segment().used(Part::Handles) {
        let Some(slot) = runtime.table.slot(index) else { continue };
        let word = slot.word0();
        if word.type_id() == type_id && slot.address() == life.address() {
            mark(runtime, handle_of(word.generation(), index, false), life.address(), &change);
        }
    }
}

/// A close that pends finds the poison itself when it runs.
fn poison_closable(runtime: &Runtime, life: &Life, change: &Change) {
    let inner = lives().inner.lock();
    match inner.get(&life.address()) {
        Some(entry) if entry.is_pending() => {}
        Some(entry) => show(runtime, entry, ResourceState::Poisoned, Some(*change)),
        None => life.set_state(ResourceState::Poisoned),
    }
}

/// Has a row that was just published show a poison that came meanwhile.
pub fn show_poison(runtime: &Runtime, life: &Life, handle: u64) {
    fence(Ordering::SeqCst);
    if life.state() == ResourceState::Poisoned {
        let change = Change { moment: Moment::UNRECORDED, is_request: false };
        mark(runtime, handle, life.address(), &change);
    }
}

/// A row that has ended is left alone.
fn mark(runtime: &Runtime, handle: u64, address: u64, change: &Change) {
    let Some(slot) = runtime.table.slot_of(handle) else { return };
    mutate(|| {
        let begun =
            slot.begin_change(generation_of(handle), ReferenceState::Live, ReferenceState::Live);
        let Some(word) = begun else { return };
        if slot.address() != address || word.resource() == ResourceState::Poisoned as u8 {
            return slot.end(word);
        }
        slot.note(change);
        slot.end(word.with(word.reference(), ResourceState::Poisoned as u8));
    });
}
