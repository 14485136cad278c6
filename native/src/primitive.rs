//! The atomics that protocols between threads are made of, and how they wait: those of std. `verify` compiles the same protocols over loom's.

pub use std::hint::spin_loop;
pub use std::sync::atomic::{fence, AtomicU64, Ordering};
pub use std::thread::yield_now;
