//! Records, enums, maps, sequences and optional values with objects in them, across the boundary in
//! one buffer.
//!
//! The bytes are those of UniFFI's `RustBuffer`: big-endian numbers; a length before a text, a
//! sequence and a map; one byte before an optional value; the number of the variant, from 1, before
//! an enum's fields; fields in their order. An object is the number of a reference [`in_flight`].
//!
//! A call moves its value: lowering takes the references of the value, lifting gives them back.
//! When either fails half-way, the part of the value that was made is dropped, and the buffer gives
//! up the rest.
//!
//! [`in_flight`]: super::in_flight

use std::collections::BTreeMap;

use super::in_flight::{Buffer, Reference};
use super::Traced;
use crate::object::Object;
use segment::status::{Error, Result, Status};

/// A type whose values cross the boundary in a buffer.
pub trait Compound: Sized {
    /// Appends the value. Its references move into the buffer.
    fn write(self, to: &mut Lowering) -> Result<()>;

    /// Reads a value that `write` appended. Its references move out of the buffer.
    fn read(from: &mut Lifting<'_>) -> Result<Self>;
}

/// The bytes of a value, and the buffer that holds its references. On failure no reference is left.
pub fn lower<T: Compound>(value: T) -> Result<(Vec<u8>, Buffer)> {
    let mut to = Lowering { bytes: Vec::new(), buffer: Buffer::new() };
    value.write(&mut to)?;
    Ok((to.bytes, to.buffer))
}

/// The value of these bytes, whose references are in `buffer`. The buffer ends, also on failure.
pub fn lift<T: Compound>(bytes: &[u8], buffer: Buffer) -> Result<T> {
    let mut from = Lifting { rest: bytes, buffer };
    let value = T::read(&mut from)?;
    if from.rest.is_empty() {
        return Ok(value);
    }
    Err(Error::new(
        Status::BadArgument,
        format!("{} bytes are left after the value", from.rest.len()),
    ))
}

/// A value on its way into a buffer.
pub struct Lowering {
    bytes: Vec<u8>,
    buffer: Buffer,
}

impl Lowering {
    /// Appends the number of an enum's variant, from 1, or a length.
    pub fn number(&mut self, number: usize) -> Result<()> {
        let number = i32::try_from(number).map_err(|_| {
            Error::new(Status::BadArgument, format!("too many for a buffer: {number}"))
        })?;
        self.bytes.extend_from_slice(&number.to_be_bytes());
        Ok(())
    }
}

/// A value on its way out of a buffer.
pub struct Lifting<'a> {
    rest: &'a [u8],
    buffer: Buffer,
}

impl<'a> Lifting<'a> {
    /// Reads the number of an enum's variant, or a length.
    pub fn number(&mut self) -> Result<usize> {
        let number = i32::from_be_bytes(self.array()?);
        usize::try_from(number)
            .map_err(|_| Error::new(Status::BadArgument, format!("no length or variant: {number}")))
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(|| {
            Error::new(
                Status::BadArgument,
                format!("the buffer ends {} bytes too early", count - self.rest.len()),
            )
        })?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }
}

impl<T: Object> Compound for Traced<T> {
    fn write(self, to: &mut Lowering) -> Result<()> {
        let number = to.buffer.lower(Reference::from(self))?;
        to.bytes.extend_from_slice(&number.to_be_bytes());
        Ok(())
    }

    fn read(from: &mut Lifting<'_>) -> Result<Self> {
        let number = u64::from_be_bytes(from.array()?);
        from.buffer.lift(number)?.into_traced()
    }
}

impl Compound for String {
    fn write(self, to: &mut Lowering) -> Result<()> {
        to.number(self.len())?;
        to.bytes.extend_from_slice(self.as_bytes());
        Ok(())
    }

    fn read(from: &mut Lifting<'_>) -> Result<Self> {
        let length = from.number()?;
        let text = std::str::from_utf8(from.bytes(length)?);
        text.map(str::to_owned).map_err(|error| {
            Error::new(Status::BadArgument, format!("{error}: the text is not UTF-8"))
        })
    }
}

impl<T: Compound> Compound for Option<T> {
    fn write(self, to: &mut Lowering) -> Result<()> {
        to.bytes.push(u8::from(self.is_some()));
        self.map_or(Ok(()), |value| value.write(to))
    }

    fn read(from: &mut Lifting<'_>) -> Result<Self> {
        match from.array()? {
            [0] => Ok(None),
            [1] => T::read(from).map(Some),
            [flag] => {
                Err(Error::new(Status::BadArgument, format!("neither a value nor none: {flag}")))
            }
        }
    }
}

impl<T: Compound> Compound for Vec<T> {
    fn write(self, to: &mut Lowering) -> Result<()> {
        to.number(self.len())?;
        self.into_iter().try_for_each(|value| value.write(to))
    }

    fn read(from: &mut Lifting<'_>) -> Result<Self> {
        // not reserved at once: the length is as the sender wrote it
        (0..from.number()?).map(|_| T::read(from)).collect()
    }
}

impl<T: Compound> Compound for BTreeMap<String, T> {
    fn write(self, to: &mut Lowering) -> Result<()> {
        to.number(self.len())?;
        self.into_iter().try_for_each(|(key, value)| {
            key.write(to)?;
            value.write(to)
        })
    }

    fn read(from: &mut Lifting<'_>) -> Result<Self> {
        (0..from.number()?).map(|_| Ok((String::read(from)?, T::read(from)?))).collect()
    }
}
