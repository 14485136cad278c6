//! Classes of extensions whose births and ends are seen in their type's slots `tp_alloc` and
//! `tp_dealloc`.
//!
//! One pair of functions serves all classes; this table has the functions that were in a class's
//! slots before. A class that inherited the pair is not in the table, and its nearest base is. An
//! entry outlives the pair's removal from the slots, since another library may have copied them.
//!
//! Like everything here it is used with the interpreter's lock held. `native/python/classes.c` is
//! the other half.

use std::cell::UnsafeCell;
use std::hash::BuildHasherDefault;

use crate::places::Places;

/// The entry of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Slots {
    /// The function that was in `tp_alloc`; 0: that slot was left alone.
    pub alloc: usize,
    /// The function that was in `tp_dealloc`; 0: that slot was left alone.
    pub dealloc: usize,
    /// The rows of its instances; 0: it is not followed now.
    pub rows: usize,
}

/// The state behind the interpreter's lock.
struct Guarded(UnsafeCell<Places<usize, Slots>>);

// SAFETY: reached through `table` alone, whose callers hold the interpreter's lock.
unsafe impl Sync for Guarded {}

static TABLE: Guarded = Guarded(UnsafeCell::new(Places::with_hasher(BuildHasherDefault::new())));

/// # Safety
/// The interpreter's lock is held, and `body` calls nothing of the interpreter.
unsafe fn table<R>(body: impl FnOnce(&mut Places<usize, Slots>) -> R) -> R {
    // SAFETY: the caller's promise.
    body(unsafe { &mut *TABLE.0.get() })
}

/// The entry of exactly this class.
///
/// # Safety
/// The interpreter's lock is held.
pub unsafe fn get(class: usize) -> Option<Slots> {
    // SAFETY: the caller's promise.
    unsafe { table(|table| table.get(&class).copied()) }
}

/// Makes or replaces the entry of a class.
///
/// # Safety
/// The interpreter's lock is held.
pub unsafe fn set(class: usize, slots: Slots) {
    // SAFETY: the caller's promise.
    unsafe { table(|table| table.insert(class, slots)) };
}

/// Takes the entry of a class away: its memory is about to be given back, or none of its slots was
/// replaced. The rows that it had, 0: none.
///
/// # Safety
/// The interpreter's lock is held.
pub unsafe fn forget(class: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { table(|table| table.remove(&class).map_or(0, |slots| slots.rows)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_of_one_class_until_it_is_forgotten() {
        let slots = Slots { alloc: 1, dealloc: 2, rows: 3 };
        // SAFETY: this test alone uses the table.
        unsafe {
            set(64, slots);
            set(64, Slots { rows: 4, ..slots });
            assert_eq!((get(64).map(|slots| slots.rows), get(128)), (Some(4), None));
            assert_eq!((forget(64), forget(64), get(64)), (4, 0, None));
        }
    }
}
