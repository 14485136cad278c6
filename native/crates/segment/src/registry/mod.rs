//! The handle table: which row a handle names, how a row is born, changed and given back.
//!
//! A row's word 0 is its lock and its truth. A thread that changes a living row sets `BUSY` by
//! compare-exchange, writes the other words and stores word 0 without it; a call only loads word 0.
//! Sections between the two are a few stores long and run inside `recorder::threads::mutate`, so a
//! fork finds no row half written.

mod slot;
mod table;
mod thread_cache;

pub use slot::{Birth, Change, Moment, Slot, Word0, COUNTS_UNKNOWN};
pub use table::{Table, SHARED};
pub use thread_cache::Magazine;

use crate::layout::FOREIGN_BIT;

/// The index in a handle's number.
#[inline]
pub fn index_of(handle: u64) -> u32 {
    (handle as u32) >> 1
}

/// The generation in a handle's number.
#[inline]
pub fn generation_of(handle: u64) -> u32 {
    (handle >> 32) as u32
}

/// The number of a handle.
#[inline]
pub fn handle_of(generation: u32, index: u32, is_foreign: bool) -> u64 {
    u64::from(generation) << 32 | u64::from(index) << 1 | if is_foreign { FOREIGN_BIT } else { 0 }
}

/// Whether word 0 is of the generation that a handle of our own runtime names.
#[inline]
pub fn is_current(word: Word0, handle: u64) -> bool {
    word.generation() == generation_of(handle) && handle & FOREIGN_BIT == 0
}

/// A handle for people: `#index.generation`.
pub fn shown(handle: u64) -> String {
    format!("#{}.{}", index_of(handle), generation_of(handle))
}
