//! ELF files: symbols, build ids, and lines of source code.
//!
//! The files belong to a target, so any bytes may come. A file is read in bounded pieces and never
//! mapped: a file that is cut short meanwhile is an error, not a crash. See [`budget`] for the
//! bounds.

pub mod budget;
pub mod bytes;
pub mod debug_files;
pub mod file;
pub mod lines;
mod machine;

pub use budget::Budget;
pub use debug_files::DebugFiles;
pub use file::{build_id_of_notes, ElfFile};
pub use lines::{Lines, Place};
pub use machine::machine_of;
