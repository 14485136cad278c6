//! The viewer's side: reading segments, looking into another process from outside, and bringing the
//! agent into it.

pub mod inject;
pub mod outside;
pub mod reader;
