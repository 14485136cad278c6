//! Which threads have to check whether a close waits for them. So all other threads pass their safe
//! points without the lock of `Lives`.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use recorder::threads::{self, fast_path};

/// Owners share a place when their indices are so many apart; then one looks in vain.
const PLACES: usize = 256;

/// How often a close began to wait for an owner. Relaxed: writers hold the lock of `Lives`, and a
/// reader that sees a new value takes that lock next.
static ASKED: [AtomicU32; PLACES] = [const { AtomicU32::new(0) }; PLACES];

thread_local! {
    /// The count that this thread read at its last check.
    static SEEN: Cell<u32> = const { Cell::new(0) };
}

/// A close waits for `owner` from now on. The lock is held.
pub(super) fn ask(owner: u16) {
    ASKED[usize::from(owner) % PLACES].fetch_add(1, Ordering::Relaxed);
}

/// In a forked child the owners of waiting closes may be gone: makes every thread check at its next
/// safe point.
pub(super) fn ask_all() {
    for place in &ASKED {
        place.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether a close may wait for the calling thread that did not when it asked last.
#[inline]
pub(super) fn is_asked() -> bool {
    fast_path::has_waiting() && is_here_asked()
}

#[inline(never)]
fn is_here_asked() -> bool {
    let asked = ASKED[usize::from(threads::here()) % PLACES].load(Ordering::Relaxed);
    // before the check itself: a later request is seen at the next safe point
    SEEN.with(|seen| seen.replace(asked) != asked)
}
