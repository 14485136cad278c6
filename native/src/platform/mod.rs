//! What depends on the operating system, in one file a system. Another platform adds a file with the same functions.

pub mod ipc;
mod linux;

pub use linux::*;
