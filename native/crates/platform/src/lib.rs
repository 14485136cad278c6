//! The operating system. No other crate calls Linux, reads `/proc` or names `libc`: another system
//! adds another form of these functions.
//!
//! A target links all of it, and runs nothing of `tracing`.

mod barriers;
mod clocks;
pub mod descriptors;
mod errors;
mod files;
mod futex;
pub mod limits;
pub mod loaded;
mod mappings;
pub mod maps;
pub mod memory;
mod processes;
pub mod signals;
pub mod sockets;
mod symbols;
#[cfg(feature = "testing")]
pub mod testing;
pub mod threads;
#[cfg(target_arch = "x86_64")]
pub mod tracing;

pub use barriers::{barrier_everywhere, prepare_barriers};
pub use clocks::{monotonic_nanos, thread_cpu_nanos, unix_nanos};
pub use errors::{is_ended, is_without_descriptors, is_without_memory, keep_errno, out_of_memory};
pub use files::*;
pub use mappings::*;
pub use processes::*;
pub use symbols::{function, has_python};
pub use threads::{thread_id, thread_name};
