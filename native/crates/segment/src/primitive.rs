//! The atomics of the protocols between threads, and the way these wait: std's. `verify` compiles
//! the same protocols over loom's.

pub use std::sync::atomic::{fence, AtomicU64, Ordering};

use std::time::Duration;

/// Turns that only spin, and turns that also offer the processor to other threads.
const SPINS: u32 = 64;
const YIELDS: u32 = 128;
/// Longer than a thread needs for a section, once it has a processor.
const NAP: Duration = Duration::from_micros(50);

/// Waits for another thread that is in a short section; `turn` counts the calls of one wait, from 0
/// on.
///
/// It sleeps in the end: a thread of a real-time class that only yields would keep a thread of a
/// lower class from the processor for ever.
pub fn wait_a_turn(turn: u32) {
    match turn {
        ..SPINS => std::hint::spin_loop(),
        SPINS..YIELDS => std::thread::yield_now(),
        _ => std::thread::sleep(NAP),
    }
}
