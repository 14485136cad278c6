//! The viewer's reader of ELF files: functions, files and lines of native code, by address.
//!
//! A crate of its own because it is compiled for size: the library is brought into targets, which
//! run nothing of it.

pub mod demangle;
pub mod elf;
pub mod process;

pub use process::{Found, Symbols};
