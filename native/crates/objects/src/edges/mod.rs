//! Native holders of an object: labelled references, and the edges that objects report.
//!
//! Nothing is recorded in advance. The holders of an object are found by asking every live object
//! of the types that report ([`crate::object::Reports`]), as a garbage collector traces; a
//! reference that no object holds (a cache, a thread's current work) can be given a name
//! ([`Label`]), which costs a lock when it is made and when it ends.

mod holders;
mod labels;
mod scan;
mod walk;

pub use holders::{edges_of, foreign_key, holders};
pub use labels::{drop_label, label_handle, Label};
pub use scan::{leads_to, scan, word_at, Maps, ScannedHandle};
pub use walk::{all, of_handle};
