//! Objects of our own runtime: their types, their own state, and the objects they hold.

mod edges;
mod life;
mod spec;

pub use edges::{Edge, Edges, Found, Held, Reports};
pub use life::Life;
pub use spec::{index_of, spec_of, CloseSpec, Object, Operations, Report, TypeSpec};
