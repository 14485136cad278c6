//! Instances of declared classes whose initialiser runs now. Such an instance is not whole yet, so
//! no look adopts it: the hook that waits for the initialiser gives it a row, with its birthplace.
//!
//! Every function needs the interpreter's lock.

use std::cell::UnsafeCell;

/// The instances, each as often as one of its initialisers runs; seldom more than a few.
struct Guarded(UnsafeCell<Vec<usize>>);

// SAFETY: reached through `list` alone, whose callers hold the interpreter's lock.
unsafe impl Sync for Guarded {}

static LIST: Guarded = Guarded(UnsafeCell::new(Vec::new()));

/// # Safety
/// The interpreter's lock is held, and `body` calls nothing of the interpreter.
unsafe fn list<R>(body: impl FnOnce(&mut Vec<usize>) -> R) -> R {
    // SAFETY: the caller's promise.
    body(unsafe { &mut *LIST.0.get() })
}

/// The initialiser of an instance begins.
///
/// # Safety
/// The interpreter's lock is held.
pub unsafe fn begin(key: usize) {
    // SAFETY: the caller's promise.
    unsafe { list(|list| list.push(key)) };
}

/// The initialiser of an instance has ended, with or without an exception.
///
/// # Safety
/// The interpreter's lock is held.
pub unsafe fn end(key: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        list(|list| {
            if let Some(place) = list.iter().rposition(|&begun| begun == key) {
                list.swap_remove(place);
            }
        });
    }
}

/// Whether an initialiser of an instance runs.
///
/// # Safety
/// The interpreter's lock is held.
pub unsafe fn is_begun(key: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { list(|list| list.contains(&key)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_under_way_until_its_last_initialiser_has_ended() {
        // SAFETY: this test alone uses the list.
        unsafe {
            begin(64);
            begin(128);
            begin(64);
            end(64);
            assert!(is_begun(64) && is_begun(128));
            end(64);
            end(192);
            assert!(!is_begun(64) && is_begun(128));
            end(128);
            assert!(!is_begun(128));
        }
    }
}
