//! The native half of arc-inspector: an `Arc` runtime with introspection hooks, the recorder that publishes what it sees
//! in a shared segment, and the reader of such segments.

pub mod layout;
pub mod ffi;
