//! Reports of the objects that an object holds.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;

use super::Object;

/// So deep a chain of objects without handles is followed.
const DEPTH_LIMIT: usize = 64;
/// So many edges are named; more are counted.
const EDGE_LIMIT: usize = 100_000;

/// The object at the end of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Held {
    /// Another object, by the address of its allocation.
    Address(u64),
    /// An object of the host language, by its row.
    Foreign(u64),
}

/// One reference that an object holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// Allocation of the object that holds.
    pub from: u64,
    /// Its type.
    pub from_type: &'static str,
    /// Name of the field that holds the reference.
    pub label: &'static str,
    /// The object held.
    pub to: Held,
    /// Type of the object held.
    pub to_type: &'static str,
}

/// The result of a walk.
#[derive(Debug, Default)]
pub struct Found {
    /// Edges, object by object.
    pub edges: Vec<Edge>,
    /// Objects, or parts of them, that another thread was changing.
    pub skipped: u64,
    /// Edges beyond the limit.
    pub cut: u64,
}

/// A type whose objects can report the objects they hold. Name it with
/// [`crate::ownership::reporting`].
pub trait Reports: Object {
    /// Reports each reference that this object owns. Called from the tool's thread while other
    /// threads use the object: take locks with `try_lock`, and say [`Edges::skip`] where that
    /// fails.
    fn report(&self, edges: &mut Edges<'_>);
}

/// Collects the objects that one object holds, and in turn the objects without handles that these
/// hold.
pub struct Edges<'a> {
    found: &'a mut Found,
    seen: &'a mut HashSet<u64>,
    from: u64,
    from_type: &'static str,
    depth: usize,
}

impl<'a> Edges<'a> {
    /// Collects the objects that the object at an address holds.
    pub fn of(
        from: u64,
        from_type: &'static str,
        found: &'a mut Found,
        seen: &'a mut HashSet<u64>,
    ) -> Self {
        Self { found, seen, from, from_type, depth: 0 }
    }

    /// A strong reference on an object, kept in the field `label`.
    pub fn object<T: Object>(&mut self, label: &'static str, object: &Arc<T>) {
        let (data, spec) = (Arc::as_ptr(object) as u64, T::spec());
        let address = data - spec.data_offset;
        self.add(label, Held::Address(address), spec.name);
        let Some(report) = spec.report else { return };
        if self.depth < DEPTH_LIMIT && self.seen.insert(address) {
            let (found, seen) = (&mut *self.found, &mut *self.seen);
            let mut inner =
                Edges { found, seen, from: address, from_type: spec.name, depth: self.depth + 1 };
            // SAFETY: the reference keeps the object through the call, and the specification is its
            // type's.
            unsafe { report(data, &mut inner) };
        }
    }

    /// A foreign object, by the row that stands for it.
    pub fn foreign(&mut self, label: &'static str, row: u64) {
        if row != 0 {
            self.add(label, Held::Foreign(row), "a foreign object");
        }
    }

    /// Something could not be read now, because another thread changes it.
    pub fn skip(&mut self) {
        self.found.skipped += 1;
    }

    fn add(&mut self, label: &'static str, to: Held, to_type: &'static str) {
        if self.found.edges.len() < EDGE_LIMIT {
            self.found.edges.push(Edge {
                from: self.from,
                from_type: self.from_type,
                label,
                to,
                to_type,
            });
        } else {
            self.found.cut += 1;
        }
    }
}
