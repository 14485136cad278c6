//! One word that says whether calls and writes may be plain: no fences of their own, no fork under
//! way, no history, no close that waits for an owner thread.
//!
//! For calls it only chooses between two ways that are both right, so these accesses are Relaxed. A
//! fork is announced SeqCst: see `gate`.

use std::sync::atomic::{AtomicU64, Ordering};

const FENCES: u64 = 1;
const HISTORY: u64 = 2;
const FORKING: u64 = 4;
/// The closes that wait for their owner thread are counted in the upper half.
const ONE_WAITING: u64 = 1 << 32;

/// 0: nothing. Until the runtime is made, nothing is known of the kernel's barriers.
static UNUSUAL: AtomicU64 = AtomicU64::new(FENCES);

/// Whether a call may be plain.
#[inline(always)]
pub fn is_plain() -> bool {
    UNUSUAL.load(Ordering::Relaxed) & !FORKING == 0
}

/// Whether a row may be written after no more than a fence for the compiler, for now. Acquire: the
/// copy that the last fork made is over.
#[inline(always)]
pub(super) fn may_write() -> bool {
    UNUSUAL.load(Ordering::Acquire) & (FENCES | FORKING) == 0
}

/// Whether a fork is under way. Acquire, as in `may_write`.
pub(super) fn is_forking() -> bool {
    UNUSUAL.load(Ordering::Acquire) & FORKING != 0
}

/// A fork begins, or is over.
pub(super) fn set_forking(is_on: bool) {
    if is_on {
        UNUSUAL.fetch_or(FORKING, Ordering::SeqCst);
    } else {
        UNUSUAL.fetch_and(!FORKING, Ordering::SeqCst);
    }
}

/// Whether calls need fences of their own, because the kernel has no barriers for all threads.
pub fn set_fences(is_on: bool) {
    set(FENCES, is_on);
}

/// Whether some type has a history.
pub fn set_history(is_on: bool) {
    set(HISTORY, is_on);
}

/// A close waits for its owner thread from now on.
pub fn add_waiting() {
    UNUSUAL.fetch_add(ONE_WAITING, Ordering::Relaxed);
}

/// One waits no more.
pub fn remove_waiting() {
    UNUSUAL.fetch_sub(ONE_WAITING, Ordering::Relaxed);
}

/// Whether some close waits for its owner thread.
#[inline]
pub fn has_waiting() -> bool {
    UNUSUAL.load(Ordering::Relaxed) >= ONE_WAITING
}

fn set(bit: u64, is_on: bool) {
    if is_on {
        UNUSUAL.fetch_or(bit, Ordering::Relaxed);
    } else {
        UNUSUAL.fetch_and(!bit, Ordering::Relaxed);
    }
}
