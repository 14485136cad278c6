//! Objects in the serialised values that cross the boundary in UniFFI's buffers: big-endian, lengths
//! of four bytes.

use crate::types::{Implementation, Name, Type, Types};

/// Nested values that are looked into.
const MOST_DEPTH: usize = 64;
/// Handles of one buffer that are looked for.
const MOST_HANDLES: usize = 1 << 20;

/// A handle in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Class.
    pub class: &'a Name,
    /// Its implementation.
    pub implementation: Implementation,
    /// Handle.
    pub handle: u64,
}

/// The handles in a value of a type. `None`: the bytes are of another form than the type has.
pub fn handles<'a>(types: &'a Types, of: &'a Type, bytes: &[u8]) -> Option<Vec<Found<'a>>> {
    let mut reader = Reader { types, rest: bytes, found: Vec::new(), depth: 0 };
    reader.value(of)?;
    reader.rest.is_empty().then_some(reader.found)
}

struct Reader<'a, 'b> {
    types: &'a Types,
    rest: &'b [u8],
    found: Vec<Found<'a>>,
    depth: usize,
}

impl<'a> Reader<'a, '_> {
    fn value(&mut self, of: &'a Type) -> Option<()> {
        if self.depth == MOST_DEPTH {
            return None;
        }
        self.depth += 1;
        let done = self.value_within(of);
        self.depth -= 1;
        done
    }

    fn value_within(&mut self, of: &'a Type) -> Option<()> {
        match of {
            Type::Whole(bytes) | Type::Floating(bytes) => self.skip(*bytes),
            Type::Text => {
                let length = self.length()?;
                self.skip(length)
            }
            Type::Time => self.skip(12),
            Type::Callback(_) => self.skip(8),
            Type::Object(class, implementation) => self.object(class, *implementation),
            Type::Optional(inner) => match self.number::<1>()? {
                0 => Some(()),
                1 => self.value(inner),
                _ => None,
            },
            Type::Sequence(inner) => {
                let count = self.length()?;
                (0..count).try_for_each(|_| self.value(inner))
            }
            Type::Map(key, value) => {
                let count = self.length()?;
                (0..count).try_for_each(|_| {
                    self.value(key)?;
                    self.value(value)
                })
            }
            Type::Record(name) => {
                let fields = self.types.records.get(name)?;
                fields.iter().try_for_each(|field| self.value(field))
            }
            Type::Enum(name) => self.variant(name),
        }
    }

    fn variant(&mut self, name: &Name) -> Option<()> {
        let variants = self.types.enums.get(name)?;
        let at = usize::try_from(self.number::<4>()?).ok()?.checked_sub(1)?;
        if variants.is_flat_error {
            return self.value(&Type::Text);
        }
        variants.fields.get(at)?.iter().try_for_each(|field| self.value(field))
    }

    fn object(&mut self, class: &'a Name, implementation: Implementation) -> Option<()> {
        let handle = self.number::<8>()?;
        if self.found.len() == MOST_HANDLES {
            return None;
        }
        self.found.push(Found { class, implementation, handle });
        Some(())
    }

    fn length(&mut self) -> Option<usize> {
        let length = usize::try_from(self.number::<4>()?).ok()?;
        // each element has at least a byte; a count beyond that is no count
        (length <= self.rest.len()).then_some(length)
    }

    fn number<const BYTES: usize>(&mut self) -> Option<u64> {
        let (number, rest) = self.rest.split_at_checked(BYTES)?;
        self.rest = rest;
        Some(number.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.rest = self.rest.get(bytes..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::samples::{name, object};
    use crate::types::Variants;

    fn read(types: &Types, of: &Type, bytes: &[u8]) -> Option<Vec<u64>> {
        handles(types, of, bytes).map(|found| found.iter().map(|each| each.handle).collect())
    }

    #[test]
    fn handles_are_found_in_sequences_maps_options_records_and_variants() {
        let mut types = Types::default();
        types.records.insert(name("Pair"), vec![Type::Text, object("Node")]);
        let fields = vec![vec![], vec![Type::Record(name("Pair"))]];
        types.enums.insert(name("Either"), Variants { fields, is_flat_error: false });
        let either = Type::Enum(name("Either"));
        let map = Type::Map(Box::new(Type::Whole(2)), Box::new(either));
        let many = Type::Sequence(Box::new(Type::Optional(Box::new(map))));
        let mut bytes = vec![0, 0, 0, 2, 0, 1, 0, 0, 0, 2];
        bytes.extend([7, 7, 0, 0, 0, 1]);
        bytes.extend([7, 8, 0, 0, 0, 2, 0, 0, 0, 1, b'x', 0, 0, 0, 0, 0, 0, 1, 16]);
        assert_eq!(read(&types, &many, &bytes), Some(vec![0x110]));
        bytes.push(0);
        assert_eq!(read(&types, &many, &bytes), None, "more bytes than the value has");
    }

    #[test]
    fn values_that_are_cut_or_deeper_than_any_end() {
        let mut types = Types::default();
        let tree = Type::Record(name("Tree"));
        types.records.insert(name("Tree"), vec![Type::Optional(Box::new(tree.clone()))]);
        assert_eq!(read(&types, &tree, &[1, 1, 0]), Some(vec![]));
        assert_eq!(read(&types, &tree, &[1; 1000]), None);
        assert_eq!(read(&types, &object("Node"), &[0; 7]), None);
        assert_eq!(read(&types, &Type::Sequence(Box::new(tree)), &[0xff; 4]), None);
    }
}
