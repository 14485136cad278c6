//! Stopping a thread of another process and borrowing it for a moment. Linux on x86-64.
//!
//! Used by an injector process alone, never by a viewer or a target.

mod attributes;
mod registers;
mod tracee;
mod waits;

pub use attributes::{thread_attributes, ATTRIBUTES_BYTES};
pub use registers::{harmless, Code, Point, Registers};
pub use tracee::{Refusal, Tracee};
pub use waits::{wait_of, Wait};
