//! UniFFI's objects at their C functions, whatever language calls these: a row for each handle that a
//! host has, from the function that gave it to its release.
//!
//! A host finds the functions of a library by name. [`stand_in`] gives it a function of ours in
//! their place. Names, classes and types come from the library's own descriptions, so functions that
//! the linker folded into one are told apart by the name that the host asked for.

mod acts;
mod buffers;
mod classes;
mod forks;
mod futures;
mod holding;
mod library;
mod metadata;
mod rows;
mod signature;
mod stubs;
mod types;

pub use library::{summaries, Summary};

/// The function that a host gets in place of the function of this name at this address: another
/// address, or the same where it is not followed.
pub fn stand_in(name: &str, address: usize) -> usize {
    forks::join();
    library::stand_in(name, address).unwrap_or(address)
}

/// Whether functions can be replaced on this processor.
pub fn is_supported() -> bool {
    stubs::are_there()
}

/// Stubs in use, of [`MOST_STUBS`].
pub fn stubs_used() -> usize {
    stubs::used()
}

/// Functions that can be followed.
pub const MOST_STUBS: usize = stubs::STUBS;

/// Follows nothing any more: each stub leads straight to its function, and the rows disappear.
pub fn leave() {
    stubs::leave();
    rows::clear();
    futures::clear();
}
