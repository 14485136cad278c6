//! Barriers for all threads of the process at once (`membarrier`), so that the frequent side of a
//! pair pays nothing.

use std::sync::atomic::{compiler_fence, fence, AtomicBool, Ordering};

use super::fast_path;

static HAS_BARRIERS: AtomicBool = AtomicBool::new(false);

/// Registers for `membarrier`; before the first row is written.
pub fn set_barriers() {
    let has_barriers = platform::prepare_barriers().is_ok();
    HAS_BARRIERS.store(has_barriers, Ordering::Relaxed);
    fast_path::set_fences(!has_barriers);
}

/// The frequent side of a pair of barriers: orders for the compiler the accesses that
/// [`heavy_barrier`] orders for the processor.
#[inline]
pub(super) fn light_barrier() {
    if HAS_BARRIERS.load(Ordering::Relaxed) {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// The rare side: every thread that is between two instructions of ours passes a full barrier
/// before this returns.
pub fn heavy_barrier() {
    if !HAS_BARRIERS.load(Ordering::Relaxed) || platform::barrier_everywhere().is_err() {
        fence(Ordering::SeqCst);
    }
}
