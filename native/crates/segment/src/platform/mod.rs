//! Code that depends on the operating system, one file per system. Another platform adds a file
//! with the same functions.

mod calls;
pub mod ipc;
pub mod limits;
mod linux;
pub mod maps;
mod symbols;

pub use calls::*;
pub use linux::*;
pub use symbols::{function, has_python};
