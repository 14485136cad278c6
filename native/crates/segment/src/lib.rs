//! The shared segment: its layout, its file and mapping, and the table of handles in it.

pub mod clock;
pub mod cpu;
pub mod injected;
pub mod layout;
pub mod primitive;
pub mod registry;
mod segment;
pub mod status;
pub mod sweep;
pub mod sync;

pub use segment::*;
