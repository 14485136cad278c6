//! How objects are owned across the boundary. One strategy a file; `arc` is the default.
//!
//! All of them use the segment's rows as their table, the same pins for calls, the same hooks, and
//! refuse a wrong handle with the same words.

mod arc;
mod arc_map;
mod checked;
mod closing;
pub mod compound;
mod count;
pub mod foreign;
pub mod foreign_close;
pub mod in_flight;
mod mutex_map;
mod release;
mod thin;
mod traced;

pub use arc::{
    borrow, call, clone_handle, closable, close, is_same, lower, plain, reporting, strong_and_weak,
    with_raw, Borrowed,
};
pub use arc_map::{ArcMap, Shared};
pub use closing::{CloseAlone, CloseShared};
pub use compound::{Compound, Lifting, Lowering};
pub use foreign::ForeignMap;
pub use mutex_map::{Held, Locked, MutexMap};
pub use release::release;
pub use thin::{Thin, ThinMap};
pub use traced::Traced;
