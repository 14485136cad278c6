//! The native half of arc-inspector: an `Arc` runtime with introspection hooks, the recorder that
//! publishes its rows in a shared segment, and the reader of such segments.

pub mod agent;
pub mod clock;
pub mod control;
pub mod cpu;
pub mod descriptors;
pub mod edges;
pub mod extension;
pub mod ffi;
pub mod follow;
pub mod foreign;
pub mod fork;
pub mod hooks;
pub mod inject;
pub mod layout;
pub mod lifecycle;
pub mod moving;
pub mod outside;
pub mod ownership;
pub mod platform;
mod primitive;
pub mod reader;
pub mod registry;
pub mod rescue;
pub mod ring;
pub mod rows;
pub mod runtime;
pub mod sampler;
pub mod samples;
pub mod segment;
pub mod sites;
pub mod stacks;
pub mod status;
pub mod sync;
pub mod threads;
pub mod types;
pub mod wire;
