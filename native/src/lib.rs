//! The native half of arc-inspector: an `Arc` runtime with introspection hooks, the recorder that publishes what it sees
//! in a shared segment, and the reader of such segments.

pub mod clock;
pub mod control;
pub mod cpu;
pub mod ffi;
pub mod layout;
pub mod platform;
pub mod reader;
pub mod registry;
pub mod runtime;
pub mod sampler;
pub mod segment;
pub mod status;
pub mod sync;
pub mod wire;
