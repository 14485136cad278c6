//! Numbers of the words of a row, and the places of its fields within them, taken from the
//! declaration of `HandleSlot`.

use std::mem::offset_of;

use super::HandleSlot;

/// Words of a row.
pub const COUNT: usize = size_of::<HandleSlot>() / size_of::<u64>();
/// Both states, type and generation: word 0.
pub const STATE: usize = number(offset_of!(HandleSlot, reference_state));
/// Heap address of the object.
pub const ADDRESS: usize = number(offset_of!(HandleSlot, address));
/// Sampled counts: strong, weak, in flight.
pub const COUNTS: usize = number(offset_of!(HandleSlot, strong));
/// Birth, ticks.
pub const CREATED_AT: usize = number(offset_of!(HandleSlot, created_at_ticks));
/// Last change of a state, ticks.
pub const CHANGED_AT: usize = number(offset_of!(HandleSlot, changed_at_ticks));
/// Threads: creator, last, owner, requester.
pub const THREADS: usize = number(offset_of!(HandleSlot, created_thread));
/// Stacks of creation and last change, and the outer count of a trait.
pub const SITES: usize = number(offset_of!(HandleSlot, created_site));
/// Value of the handle.
pub const DATA: usize = number(offset_of!(HandleSlot, data));

/// The word that begins at this byte.
const fn number(offset: usize) -> usize {
    assert!(offset % size_of::<u64>() == 0, "the field does not begin a word");
    offset / size_of::<u64>()
}

/// Whether a field lies in this word, `bits` above its lowest bit.
const fn lies(offset: usize, word: usize, bits: usize) -> bool {
    offset * 8 == word * 64 + bits
}

// the shifts that this module writes as numbers
const _: () = {
    assert!(
        COUNT == 8 && STATE == 0,
        "a row takes one line of the cache and begins with its state"
    );
    assert!(lies(offset_of!(HandleSlot, resource_state), STATE, 8), "resource_state");
    assert!(lies(offset_of!(HandleSlot, type_id), STATE, 16), "type_id");
    assert!(lies(offset_of!(HandleSlot, generation), STATE, 32), "generation");
    assert!(lies(offset_of!(HandleSlot, weak), COUNTS, 32), "weak");
    assert!(lies(offset_of!(HandleSlot, in_flight), COUNTS, 48), "in_flight");
    assert!(lies(offset_of!(HandleSlot, last_thread), THREADS, 16), "last_thread");
    assert!(lies(offset_of!(HandleSlot, owner_thread), THREADS, 32), "owner_thread");
    assert!(lies(offset_of!(HandleSlot, requester_thread), THREADS, 48), "requester_thread");
    assert!(lies(offset_of!(HandleSlot, last_site), SITES, 16), "last_site");
    assert!(lies(offset_of!(HandleSlot, outer_strong), SITES, 32), "outer_strong");
};
