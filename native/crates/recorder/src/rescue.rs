//! The rescue from a truncated file: when another process truncates the segment's file while it is
//! mapped, the next access raises SIGBUS, which would end the program.
//!
//! While the agent runs, a handler replaces the mapping with private memory instead. The old
//! content is lost: earlier handles are stale, new handles work, and viewers see a damaged segment.
//! Every other SIGBUS is passed to the earlier handler.

use std::sync::atomic::{AtomicU32, AtomicU8, Ordering};

use crate::fork::{Rank, Section};
use crate::runtime::existing;
use platform::signals::{unwatch_bus_errors, watch_bus_errors};
use segment::primitive::wait_a_turn;
use segment::sync::Lock;

const WHOLE: u8 = 0;
const LOSING: u8 = 1;
const LOST: u8 = 2;

/// The state of the mapping.
static STATE: AtomicU8 = AtomicU8::new(WHOLE);
/// Signals that came after the loss: of threads whose access failed before it.
static LATE: AtomicU32 = AtomicU32::new(0);
const MOST_LATE: u32 = 10_000;
/// Whether the handler is set.
static IS_SET: Lock<bool> = Lock::new(false);

static SECTION: Section = Section::new(Rank::Rescue, || IS_SET.hold(), release, |_| begin_whole());

/// # Safety
/// After `IS_SET.hold`, by the same thread or its copy in the child.
unsafe fn release() {
    // SAFETY: the caller's promise.
    unsafe { IS_SET.let_go() };
}

/// Sets the handler; does nothing when it is set.
pub fn watch() {
    SECTION.join();
    let mut is_set = IS_SET.lock();
    if !*is_set {
        // SAFETY: under the lock; `rescue` is async-signal-safe.
        *is_set = unsafe { watch_bus_errors(rescue) };
    }
}

/// Takes the handler off, unless the program has set another since, which may call ours.
pub fn unwatch() {
    SECTION.join();
    let mut is_set = IS_SET.lock();
    // SAFETY: under the lock.
    if *is_set && unsafe { unwatch_bus_errors() } {
        *is_set = false;
    }
}

/// In a forked child, which has a mapping of its own.
fn begin_whole() {
    // Relaxed: there is no other thread
    STATE.store(WHOLE, Ordering::Relaxed);
    LATE.store(0, Ordering::Relaxed);
}

/// Whether the access that failed can be tried again.
fn rescue(address: usize) -> bool {
    let Some(segment) =
        existing().map(|runtime| runtime.segment()).filter(|segment| segment.holds(address))
    else {
        return false;
    };
    // AcqRel, Acquire and Release: a later thread sees the memory that the first thread made
    match STATE.compare_exchange(WHOLE, LOSING, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {
            segment.lose();
            STATE.store(LOST, Ordering::Release);
            true
        }
        Err(LOSING) => {
            let mut turn = 0;
            while STATE.load(Ordering::Acquire) == LOSING {
                wait_a_turn(turn);
                turn += 1;
            }
            true
        }
        // Relaxed: it is only a count. The access failed before that, and the signal came only now;
        // not for ever, should it have another cause
        Err(_) => LATE.fetch_add(1, Ordering::Relaxed) < MOST_LATE,
    }
}
