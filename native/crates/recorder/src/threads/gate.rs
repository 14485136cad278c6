//! Holding up all writers of rows for the moment of a fork.
//!
//! A writer says "I write" with a plain store and then looks whether a fork is under way; the fork
//! says so and then has every thread pass a barrier (`membarrier`), after which each writer either
//! is seen writing or has seen the fork. So the writer pays two plain stores, and the rare side all
//! of the rest. Without `membarrier` both sides use a fence.

use std::sync::atomic::{compiler_fence, AtomicU32, Ordering};

use super::barriers::{heavy_barrier, light_barrier};
use super::{fast_path, Local};
use segment::layout::MAX_THREADS;
use segment::primitive::wait_a_turn;

/// Whether each thread writes rows now: not on the heap, so that there is always room for it.
static WRITING: [Writing; MAX_THREADS as usize] = [const { Writing::new() }; MAX_THREADS as usize];

/// A thread's "I write", on a cache line of its own. Threads without a slot share the first and
/// count.
#[repr(align(64))]
struct Writing(AtomicU32);

impl Writing {
    /// The word of a thread that does not write.
    const fn new() -> Self {
        Self(AtomicU32::new(0))
    }
}

/// As [`super::mutate`], where the thread's own is at hand.
#[inline(always)]
pub fn mutate_on<T>(local: &Local, body: impl FnOnce() -> T) -> T {
    let index = local.index.get();
    let writing = &WRITING[usize::from(index)].0;
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
        if fast_path::may_write() {
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
        if !fast_path::is_forking() {
            return;
        }
        if index == 0 {
            writing.fetch_sub(1, Ordering::Release);
        } else {
            writing.store(0, Ordering::Release);
        }
        let mut turn = 0;
        while fast_path::is_forking() {
            wait_a_turn(turn);
            turn += 1;
        }
    }
}

/// Waits until no thread writes, and keeps it so. All locks are held by then: a writer inside takes
/// none, so it comes to its end.
pub fn hold_writers() {
    fast_path::set_forking(true);
    heavy_barrier();
    for writing in &WRITING {
        let mut turn = 0;
        while writing.0.load(Ordering::Acquire) != 0 {
            wait_a_turn(turn);
            turn += 1;
        }
    }
}

/// After the fork, on both sides.
pub fn let_writers_go() {
    fast_path::set_forking(false);
}
