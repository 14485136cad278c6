//! Reading the memory of another process, for the viewer: facts about a target into which nothing
//! may be loaded.
//!
//! Copies with `process_vm_readv`: an address that cannot be read is an answer, never a fault.
//! Stops nothing, writes nothing, and asks for no page that is not in memory, so that the target
//! grows by none.

mod memory;
mod references;
mod search;

pub use memory::{gather, read};
pub use references::{references, Bounds};
pub use search::{search, Hit, Searched};
