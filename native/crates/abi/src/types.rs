//! Types of a UniFFI library, as far as objects can be in their values.

use std::collections::HashMap;

/// Name of a type: the crate that defines it, and the type's own name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// Crate, as its symbols have it.
    pub namespace: String,
    /// Type.
    pub name: String,
}

/// The implementation of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Implementation {
    /// A struct.
    Struct,
    /// A trait that Rust implements.
    Trait,
    /// A trait that Rust or the host implements.
    SharedTrait,
}

/// A type of arguments and results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A whole number or truth value of so many bytes.
    Whole(usize),
    /// A floating-point number of so many bytes.
    Floating(usize),
    /// Text, or bytes.
    Text,
    /// A time or a duration: 12 bytes.
    Time,
    /// A reference to an object.
    Object(Name, Implementation),
    /// An object of the host.
    Callback(Name),
    /// Fields.
    Record(Name),
    /// Variants with fields.
    Enum(Name),
    /// A value or none.
    Optional(Box<Type>),
    /// Any number of values.
    Sequence(Box<Type>),
    /// Pairs.
    Map(Box<Type>, Box<Type>),
}

/// The variants of an enum: fields of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variants {
    /// Fields by variant.
    pub fields: Vec<Vec<Type>>,
    /// An error that crosses as its number and a text.
    pub is_flat_error: bool,
}

/// The types that a library describes.
#[derive(Clone, Debug, Default)]
pub struct Types {
    /// Records.
    pub records: HashMap<Name, Vec<Type>>,
    /// Enums.
    pub enums: HashMap<Name, Variants>,
    /// Objects.
    pub objects: HashMap<Name, Implementation>,
}

/// A record may contain itself; deeper values have no objects that are looked for.
const MOST_DEPTH: usize = 16;

impl Types {
    /// Whether values of a type may contain objects of Rust; `None`: a part of it is not described.
    pub fn has_objects(&self, of: &Type) -> Option<bool> {
        self.has_objects_within(of, &mut Vec::new())
    }

    fn has_objects_within<'a>(&'a self, of: &'a Type, open: &mut Vec<&'a Name>) -> Option<bool> {
        match of {
            Type::Object(..) => Some(true),
            Type::Optional(inner) | Type::Sequence(inner) => self.has_objects_within(inner, open),
            Type::Map(key, value) => self.any_has([&**key, &**value], open),
            Type::Record(name) | Type::Enum(name) if open.contains(&name) => Some(false),
            Type::Record(name) => {
                let fields = self.records.get(name)?;
                self.within(name, fields.iter(), open)
            }
            Type::Enum(name) => {
                let variants = self.enums.get(name)?;
                self.within(name, variants.fields.iter().flatten(), open)
            }
            _ => Some(false),
        }
    }

    fn within<'a>(
        &'a self,
        name: &'a Name,
        parts: impl IntoIterator<Item = &'a Type>,
        open: &mut Vec<&'a Name>,
    ) -> Option<bool> {
        if open.len() == MOST_DEPTH {
            return None;
        }
        open.push(name);
        let found = self.any_has(parts, open);
        open.pop();
        found
    }

    fn any_has<'a>(
        &'a self,
        parts: impl IntoIterator<Item = &'a Type>,
        open: &mut Vec<&'a Name>,
    ) -> Option<bool> {
        let mut found = Some(false);
        for part in parts {
            match self.has_objects_within(part, open) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => found = None,
            }
        }
        found
    }
}

/// Types for tests.
#[cfg(test)]
pub mod samples {
    use super::*;

    /// A name in the crate `shapes`.
    pub fn name(of: &str) -> Name {
        Name { namespace: "shapes".to_owned(), name: of.to_owned() }
    }

    /// An object of a struct.
    pub fn object(of: &str) -> Type {
        Type::Object(name(of), Implementation::Struct)
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{name, object};
    use super::*;

    #[test]
    fn objects_are_found_in_parts_and_a_type_that_contains_itself_ends() {
        let mut types = Types::default();
        let tree = Type::Record(name("Tree"));
        types.records.insert(name("Tree"), vec![Type::Sequence(Box::new(tree.clone()))]);
        assert_eq!(types.has_objects(&tree), Some(false));
        types.records.insert(name("Tree"), vec![tree.clone(), object("Node")]);
        assert_eq!(types.has_objects(&Type::Optional(Box::new(tree))), Some(true));
        assert_eq!(types.has_objects(&Type::Enum(name("Other"))), None);
    }
}
