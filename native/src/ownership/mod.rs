//! How objects are owned across the boundary. One strategy a file; `arc` is the default.

mod arc;
mod traced;

pub use arc::{borrow, clone_handle, closable, is_same, lower, plain, strong_and_weak, with_raw, Borrowed, Object};
pub use traced::Traced;
