//! The descriptions that UniFFI's macros leave in a library: a static of bytes for each function and
//! type, with a symbol that begins with `UNIFFI_META_`.
//!
//! The form changed a little between versions. A description is read in each known form; the right
//! form is the one that uses up all bytes.

use crate::types::{Implementation, Name, Type, Variants};

/// The beginning of the symbols.
pub const PREFIX: &str = "UNIFFI_META_";

/// A description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A function, constructor or method.
    Function(Function),
    /// A class of objects.
    Object(Name, Implementation),
    /// A record.
    Record(Name, Vec<Type>),
    /// An enum.
    Enum(Name, Variants),
    /// A description that tells nothing about handles.
    Other,
}

/// A function of a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its symbol.
    pub symbol: String,
    /// Its first argument is the handle of an object of this class.
    pub receiver: Option<Name>,
    /// Arguments after that.
    pub inputs: Vec<Type>,
    /// Result.
    pub returns: Option<Type>,
    /// It returns a future of its result.
    pub is_async: bool,
}

/// A form of descriptions.
#[derive(Clone, Copy, Debug)]
struct Form {
    /// A default begins with a byte for its kind.
    has_default_kinds: bool,
    /// Constructors say whether they are asynchronous.
    has_async_constructors: bool,
    /// Descriptions end with documentation.
    has_docs: bool,
    /// Enums have a type for their numbers, and say whether more variants may come.
    has_enum_shapes: bool,
}

const FORMS: [Form; 6] = [
    form(true, true, true, true),
    form(false, true, true, true),
    form(false, true, true, false),
    form(false, false, true, true),
    form(false, false, true, false),
    form(false, false, false, false),
];

const fn form(defaults: bool, constructors: bool, docs: bool, enums: bool) -> Form {
    Form {
        has_default_kinds: defaults,
        has_async_constructors: constructors,
        has_docs: docs,
        has_enum_shapes: enums,
    }
}

/// Reads a description; `None`: it is of no known form.
pub fn read(bytes: &[u8]) -> Option<Item> {
    FORMS.iter().find_map(|&form| {
        let mut reader = Reader { rest: bytes, form };
        reader.item().filter(|item| *item == Item::Other || reader.rest.is_empty())
    })
}

struct Reader<'a> {
    rest: &'a [u8],
    form: Form,
}

impl<'a> Reader<'a> {
    fn item(&mut self) -> Option<Item> {
        Some(match self.byte()? {
            0 => Item::Function(self.function()?),
            1 => Item::Function(self.method()?),
            2 => self.record()?,
            3 => self.enumeration()?,
            4 => self.object(Implementation::Struct)?,
            7 => Item::Function(self.constructor()?),
            10 => Item::Function(self.trait_method()?),
            12 => self.object(Implementation::Trait)?,
            13 => self.object(Implementation::SharedTrait)?,
            _ => Item::Other,
        })
    }

    fn function(&mut self) -> Option<Function> {
        let namespace = self.namespace()?;
        let symbol = format!("uniffi_{namespace}_fn_func_{}", self.lower()?);
        self.signature(symbol, None, true)
    }

    fn method(&mut self) -> Option<Function> {
        let name = self.name()?;
        let symbol = self.method_symbol(&name, "method")?;
        self.signature(symbol, Some(name), true)
    }

    fn trait_method(&mut self) -> Option<Function> {
        let name = self.name()?;
        self.take(4)?;
        let symbol = self.method_symbol(&name, "method")?;
        self.signature(symbol, Some(name), true)
    }

    fn constructor(&mut self) -> Option<Function> {
        let name = self.name()?;
        let symbol = self.method_symbol(&name, "constructor")?;
        let has_async = self.form.has_async_constructors;
        let made = self.signature(symbol, None, has_async)?;
        let is_own = matches!(&made.returns, Some(Type::Object(of, _)) if *of == name);
        is_own.then_some(made)
    }

    fn method_symbol(&mut self, of: &Name, kind: &str) -> Option<String> {
        let (namespace, object) = (&of.namespace, of.name.to_ascii_lowercase());
        Some(format!("uniffi_{namespace}_fn_{kind}_{object}_{}", self.lower()?))
    }

    fn signature(
        &mut self,
        symbol: String,
        receiver: Option<Name>,
        has_async: bool,
    ) -> Option<Function> {
        let is_async = has_async && self.truth()?;
        let count = self.byte()?;
        let inputs = (0..count).map(|_| self.input()).collect::<Option<_>>()?;
        let returns = self.returned()?;
        self.docs()?;
        Some(Function { symbol, receiver, inputs, returns, is_async })
    }

    fn input(&mut self) -> Option<Type> {
        self.text()?;
        let input = self.kind()?;
        self.default()?;
        Some(input)
    }

    fn returned(&mut self) -> Option<Option<Type>> {
        match *self.rest.first()? {
            255 => self.byte().map(|_| None),
            23 => {
                self.byte()?;
                let returns = self.optional_kind()?;
                self.optional_kind()?;
                Some(returns)
            }
            _ => self.kind().map(Some),
        }
    }

    fn optional_kind(&mut self) -> Option<Option<Type>> {
        if *self.rest.first()? == 255 {
            return self.byte().map(|_| None);
        }
        self.kind().map(Some)
    }

    fn kind(&mut self) -> Option<Type> {
        Some(match self.byte()? {
            0 | 4 | 10 => Type::Whole(1),
            1 | 5 => Type::Whole(2),
            2 | 6 => Type::Whole(4),
            3 | 7 => Type::Whole(8),
            8 => Type::Floating(4),
            9 => Type::Floating(8),
            11 => Type::Text,
            12 => Type::Optional(Box::new(self.kind()?)),
            13 => Type::Record(self.name()?),
            14 => Type::Enum(self.name()?),
            16 => Type::Object(self.name()?, Implementation::Struct),
            17 => self.sequence()?,
            18 => Type::Map(Box::new(self.kind()?), Box::new(self.kind()?)),
            19 | 20 => Type::Time,
            21 => Type::Callback(self.name()?),
            22 => {
                self.name()?;
                self.kind()?
            }
            24 => Type::Object(self.name()?, Implementation::Trait),
            25 => Type::Object(self.name()?, Implementation::SharedTrait),
            _ => return None,
        })
    }

    fn sequence(&mut self) -> Option<Type> {
        // a sequence of `u8` is bytes
        let is_bytes = *self.rest.first()? == 0;
        let inner = self.kind()?;
        Some(if is_bytes { Type::Text } else { Type::Sequence(Box::new(inner)) })
    }

    fn record(&mut self) -> Option<Item> {
        let name = self.name()?;
        let fields = self.fields()?;
        self.docs()?;
        Some(Item::Record(name, fields))
    }

    fn fields(&mut self) -> Option<Vec<Type>> {
        let count = self.byte()?;
        let field = |reader: &mut Self| {
            let field = reader.input()?;
            reader.docs()?;
            Some(field)
        };
        (0..count).map(|_| field(self)).collect()
    }

    fn enumeration(&mut self) -> Option<Item> {
        let name = self.name()?;
        // 0: no error, 1: an error with fields, 2: an error as text
        let shape = if self.form.has_enum_shapes { self.byte()? } else { 0 };
        let is_flat_error = shape == 2;
        if self.truth()? {
            self.kind()?;
        }
        let count = self.byte()?;
        let fields = (0..count).map(|_| self.variant(is_flat_error)).collect::<Option<Vec<_>>>()?;
        self.truth()?;
        self.docs()?;
        Some(Item::Enum(name, Variants { fields, is_flat_error }))
    }

    fn variant(&mut self, is_flat_error: bool) -> Option<Vec<Type>> {
        self.text()?;
        if is_flat_error {
            self.docs()?;
            return Some(Vec::new());
        }
        if self.truth()? {
            self.literal()?;
        }
        let fields = self.fields()?;
        self.docs()?;
        Some(fields)
    }

    fn object(&mut self, implementation: Implementation) -> Option<Item> {
        let name = self.name()?;
        self.docs()?;
        Some(Item::Object(name, implementation))
    }

    fn default(&mut self) -> Option<()> {
        if !self.truth()? {
            return Some(());
        }
        self.default_value()
    }

    fn default_value(&mut self) -> Option<()> {
        // 0: the default of the type, 1: a literal
        if self.form.has_default_kinds && self.byte()? == 0 {
            return Some(());
        }
        self.literal()
    }

    fn literal(&mut self) -> Option<()> {
        match self.byte()? {
            0..=2 => self.text().map(drop),
            3 => self.byte().map(drop),
            4 | 6 | 7 => Some(()),
            5 => self.default_value(),
            _ => None,
        }
    }

    fn docs(&mut self) -> Option<()> {
        if !self.form.has_docs {
            return Some(());
        }
        let length = self.take(2)?;
        self.take(usize::from(u16::from_le_bytes([length[0], length[1]]))).map(drop)
    }

    fn name(&mut self) -> Option<Name> {
        Some(Name { namespace: self.namespace()?, name: self.text()?.to_owned() })
    }

    fn namespace(&mut self) -> Option<String> {
        let path = self.text()?;
        Some(path.split("::").next().unwrap_or(path).to_owned())
    }

    fn lower(&mut self) -> Option<String> {
        self.text().map(str::to_ascii_lowercase)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.byte()?;
        std::str::from_utf8(self.take(usize::from(length))?).ok()
    }

    fn truth(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests;
