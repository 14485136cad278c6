//! Instances that cannot be referred to weakly, by address, with their rows. All calls come with the interpreter's lock, so an object
//! that is listed lives, and its destructor has not begun.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Rows by the address of their object. The lock is never contended, the interpreter's stands before it, and is free in a forked child
/// for the same reason.
fn listed() -> MutexGuard<'static, HashMap<usize, u64>> {
    static LISTED: OnceLock<Mutex<HashMap<usize, u64>>> = OnceLock::new();
    LISTED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many are listed: most destructors need no more than this.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Lists an object that lives, unless it is listed already. The row that ends with it.
pub fn watch_object(object: usize, row: u64) -> u64 {
    let mut listed = listed();
    let its_row = *listed.entry(object).or_insert(row);
    COUNT.store(listed.len(), Ordering::Relaxed);
    its_row
}

/// Lists it no more. Its row, if it was listed.
pub fn forget(object: usize) -> Option<u64> {
    if COUNT.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let mut listed = listed();
    let row = listed.remove(&object);
    COUNT.store(listed.len(), Ordering::Relaxed);
    row
}

/// Adds a reference to an object that is listed with this row. False: it is gone.
///
/// # Safety
/// The interpreter's lock is held.
pub unsafe fn hold(object: usize, row: u64) -> bool {
    let is_listed = listed().get(&object) == Some(&row);
    if is_listed {
        // SAFETY: listed objects live. The low half of the first word counts, in every CPython; it is far from its end.
        unsafe { &*(object as *const AtomicU32) }.fetch_add(1, Ordering::Relaxed);
    }
    is_listed
}

/// Takes back a reference that [`hold`] added, which is not the last.
///
/// # Safety
/// The interpreter's lock is held, and the caller has another reference.
pub unsafe fn let_go(object: usize) {
    // SAFETY: the caller's promise.
    unsafe { &*(object as *const AtomicU32) }.fetch_sub(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_held_only_while_it_is_listed_with_that_row() {
        let object = Box::new(1_u64);
        let at = std::ptr::from_ref(&*object) as usize;
        assert_eq!(watch_object(at, 7), 7);
        assert_eq!(watch_object(at, 8), 7);
        // SAFETY: a box is an object for this purpose.
        unsafe {
            assert!(!hold(at, 8));
            assert!(hold(at, 7));
            assert_eq!(*(at as *const u32), 2);
            let_go(at);
        }
        assert_eq!(forget(at), Some(7));
        assert_eq!(forget(at), None);
        // SAFETY: as above.
        assert!(!unsafe { hold(at, 7) });
        drop(object);
    }
}
