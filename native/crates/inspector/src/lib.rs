#![doc = include_str!("../README.md")]

#[cfg(feature = "agent")]
pub mod agent;
mod traced_arc;

#[cfg(feature = "derive")]
pub use arc_inspector_derive::Traceable;
pub use objects::ownership::{ArcMap, ForeignMap, MutexMap as HandleMap};
pub use segment::layout::Level;
pub use segment::status::{Error, Status};
pub use traced_arc::{Traceable, TracedArc};

/// The names that most programs need.
pub mod prelude {
    #[cfg(feature = "agent")]
    pub use crate::agent;
    #[cfg(feature = "derive")]
    pub use crate::Traceable;
    pub use crate::{Level, TracedArc};
}
