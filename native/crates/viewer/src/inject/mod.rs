//! Guarded injection: have one thread of another process start a thread that runs a line of Python.
//!
//! Runs in an injector process of its own, never in a viewer or a target. One thread of the target
//! is stopped, for a fraction of a millisecond, at a point that is known to be harmless; all other
//! threads run on. It is sent through a stub (`stub.rs`) that calls `pthread_create` and then
//! restores every register itself, so that the target runs on even if the injector dies. See ADR
//! 0010.

#[cfg(target_arch = "x86_64")]
mod borrowed;
#[cfg(not(target_arch = "x86_64"))]
mod elsewhere;
#[cfg(target_arch = "x86_64")]
mod region;
mod request;
#[cfg(target_arch = "x86_64")]
mod stub;

#[cfg(target_arch = "x86_64")]
pub use borrowed::{inject, nudge};
#[cfg(not(target_arch = "x86_64"))]
pub use elsewhere::{inject, nudge, wait_of, Wait};
#[cfg(target_arch = "x86_64")]
pub use platform::tracing::{wait_of, Wait};
pub use request::{Functions, Injected, Injection, Place, Range};
pub use segment::injected::{CODE_BYTES, REGION_BYTES, REGION_MAGIC, TEXT_BYTES};
