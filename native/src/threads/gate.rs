//! Holding up all writers of rows for the moment of a fork.
//!
//! A writer says "I write" with a plain store and then looks whether a fork is under way; the fork says so and then has every thread pass
//! a barrier (`membarrier`), after which each writer either is seen writing or has seen the fork. So the writer pays two plain stores, and the
//! rare side all of the rest. Without `membarrier` both sides use a fence.

use std::sync::atomic::{compiler_fence, fence, AtomicBool, AtomicU32, Ordering};

use super::{local, plain, Local};
use crate::platform;
use crate::primitive::wait_a_turn;
use crate::runtime::Runtime;

static HAS_BARRIERS: AtomicBool = AtomicBool::new(false);

/// A thread's "I write", on a cache line of its own. Threads without a slot share the first and count.
#[repr(align(64))]
#[derive(Default)]
pub struct Writing(AtomicU32);

impl Writing {
    /// The word of a thread that does not write.
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }
}

/// Registers for `membarrier`; before the first row is written.
pub fn set_barriers() {
    let has_barriers = platform::prepare_barriers().is_ok();
    HAS_BARRIERS.store(has_barriers, Ordering::Relaxed);
    plain::set_fences(!has_barriers);
}

/// The frequent side of a pair of barriers: orders for the compiler the accesses that
/// [`heavy_barrier`] orders for the processor.
#[inline]
pub(crate) fn light_barrier() {
    if HAS_BARRIERS.load(Ordering::Relaxed) {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// The rare side: every thread that is between two instructions of ours passes a full barrier before this returns.
pub fn heavy_barrier() {
    if !HAS_BARRIERS.load(Ordering::Relaxed) || platform::barrier_everywhere().is_err() {
        fence(Ordering::SeqCst);
    }
}

/// Runs a few stores to rows so that no fork falls between them. `body` takes no lock, calls nothing foreign and does not nest.
#[inline]
pub fn mutate<T>(runtime: &Runtime, body: impl FnOnce() -> T) -> T {
    local(|local| mutate_on(runtime, local, body))
}

/// As `mutate`, where the thread's own is at hand.
#[inline(always)]
pub fn mutate_on<T>(runtime: &Runtime, local: &Local, body: impl FnOnce() -> T) -> T {
    let index = local.index.get();
    let writing = &runtime.writing[usize::from(index)].0;
    enter(writing, index);
    let result = body();
    // Release pairs with the Acquire in `hold_writers`: our stores are in the copy
    if index == 0 {
        writing.fetch_sub(1, Ordering::Release);
    } else {
        writing.store(0, Ordering::Release);
    }
    result
}

#[inline(always)]
fn enter(writing: &AtomicU32, index: u16) {
    if index != 0 {
        writing.store(1, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        if plain::may_write() {
            return;
        }
    }
    enter_slowly(writing, index);
}

/// During a fork, without barriers of the kernel's, or for a thread that shares its "I write" with
/// other threads.
#[cold]
#[inline(never)]
fn enter_slowly(writing: &AtomicU32, index: u16) {
    loop {
        if index == 0 {
            writing.fetch_add(1, Ordering::SeqCst);
        } else {
            writing.store(1, Ordering::Relaxed);
        }
        light_barrier();
        if !plain::is_forking() {
            return;
        }
        if index == 0 {
            writing.fetch_sub(1, Ordering::Release);
        } else {
            writing.store(0, Ordering::Release);
        }
        let mut turn = 0;
        while plain::is_forking() {
            wait_a_turn(turn);
            turn += 1;
        }
    }
}

/// Waits until no thread writes, and keeps it so. All locks are held by then: a writer inside takes
/// none, so it comes to its end.
pub fn hold_writers(runtime: &Runtime) {
    plain::set_forking(true);
    heavy_barrier();
    for writing in runtime.writing {
        let mut turn = 0;
        while writing.0.load(Ordering::Acquire) != 0 {
            wait_a_turn(turn);
            turn += 1;
        }
    }
}

/// After the fork, on both sides.
pub fn let_writers_go() {
    plain::set_forking(false);
}
