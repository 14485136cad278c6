//! The shared segment: its layout, its file and mapping, the table of handles in it, and the
//! platform below.

pub mod clock;
pub mod cpu;
pub mod descriptors;
pub mod injected;
pub mod layout;
pub mod platform;
pub mod primitive;
pub mod registry;
mod segment;
pub mod status;
pub mod sweep;
pub mod sync;

pub use segment::*;
