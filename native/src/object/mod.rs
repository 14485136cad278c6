//! Objects of our own runtime: what their types are, what each knows of itself, and what it holds.

mod edges;
mod life;
mod spec;

pub use edges::{Edge, Edges, Found, Held, Reports};
pub use life::Life;
pub use spec::{index_of, spec_of, CloseSpec, Object, Operations, Report, TypeSpec};
