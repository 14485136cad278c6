//! Objects of our own runtime: their types, how they are owned across the boundary, how they close,
//! and what holds them.

pub mod edges;
pub mod host_gate;
pub mod lifecycle;
pub mod object;
pub mod ownership;

/// The atomics of protocols between threads. `verify` compiles the same protocols over loom's.
mod primitive {
    pub use segment::primitive::{fence, AtomicU64, Ordering};
}
