//! The one lock of the recorder, and std's mutex for threads that may wait long.
//!
//! [`Lock`] can be held across a fork and be released on both sides, needs no memory of its own and
//! knows no poison: nothing that can panic runs under it. Sections are a few hundred nanoseconds;
//! waiters spin shortly, then yield, then sleep.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::primitive::wait_a_turn;

/// A value behind a lock.
pub struct Lock<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by one thread at a time, and may be sent there.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// An open lock.
    pub const fn new(value: T) -> Self {
        Self { taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Waits for the lock.
    pub fn lock(&self) -> Guard<'_, T> {
        self.hold();
        Guard { lock: self }
    }

    /// Takes the lock without a guard, before a fork.
    pub fn hold(&self) {
        let mut turn = 0;
        // Acquire pairs with the Release in `let_go`: the writes of the last holder are seen.
        while self
            .taken
            .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            wait_a_turn(turn);
            turn += 1;
        }
    }

    /// Releases the lock that `hold` took; after a fork the child does it for its copy as well.
    ///
    /// # Safety
    /// The lock is held by the caller and no guard of it is alive.
    pub unsafe fn let_go(&self) {
        self.taken.store(false, Ordering::Release);
    }
}

impl<T> Lock<T> {
    /// The value, for a caller that took the lock with `hold`.
    ///
    /// # Safety
    /// The caller holds the lock for as long as it uses the reference.
    pub unsafe fn held(&self) -> &T {
        // SAFETY: the caller's promise.
        unsafe { &*self.value.get() }
    }
}

/// The lock while it is held.
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard is proof that this thread alone is inside.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the guard is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this guard held it, and ends here.
        unsafe { self.lock.let_go() };
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// Locks a mutex and ignores poison: the protected value is sound between any two statements.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_threads_add_without_losing_a_count() {
        let lock = Lock::new(0_u32);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| *lock.lock() += 1));
            }
        });
        assert_eq!(*lock.lock(), 4000);
    }
}
