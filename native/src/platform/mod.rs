//! Code that depends on the operating system, one file per system. Another platform adds a file
//! with the same functions.

mod calls;
pub mod ipc;
pub mod limits;
mod linux;

pub use calls::*;
pub use linux::*;
