//! The recorder: the runtime of this process, its threads, pins, levels and events, and the rows
//! that it publishes in the segment.

pub mod events;
pub mod fork;
pub mod levels;
pub mod moving;
pub mod rescue;
pub mod rings;
pub mod rows;
pub mod runtime;
pub mod sites;
pub mod stacks;
pub mod threads;
pub mod type_table;
pub mod types;
pub mod upward;
