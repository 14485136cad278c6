//! A section as a parser of debug information reads it: page by page, when it is needed.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use gimli::{Error, LittleEndian, Reader, ReaderOffsetId, Result};

use super::Budget;

/// Bytes that are read of the file at once.
const PAGE: usize = 4 << 10;
/// A larger section is refused.
pub(crate) const MOST_SECTION_BYTES: u64 = 4 << 30;

struct Section {
    content: Content,
    budget: Rc<Budget>,
    /// Each byte takes so many from the budget.
    weight: u64,
}

enum Content {
    /// It was compressed.
    Memory(Box<[u8]>),
    File {
        file: Rc<File>,
        /// The place in the file where the section begins.
        from: u64,
        length: usize,
        pages: Box<[OnceCell<Box<[u8]>>]>,
    },
}

impl Section {
    /// The bytes from `at` on to the end of their page.
    fn from(&self, at: usize) -> Result<&[u8]> {
        match &self.content {
            Content::Memory(bytes) => Ok(bytes.get(at..).unwrap_or(&[])),
            Content::File { file, from, length, pages } => {
                let Some(page) = pages.get(at / PAGE) else { return Ok(&[]) };
                let start = at - at % PAGE;
                let bytes = match page.get() {
                    Some(bytes) => bytes,
                    None => {
                        let size = PAGE.min(length - start);
                        let read = self.read(file, from + start as u64, size)?;
                        page.get_or_init(|| read)
                    }
                };
                Ok(bytes.get(at - start..).unwrap_or(&[]))
            }
        }
    }

    fn read(&self, file: &File, from: u64, size: usize) -> Result<Box<[u8]>> {
        if !self.budget.take(size as u64) {
            return Err(Error::Io);
        }
        let mut bytes = vec![0_u8; size];
        file.read_exact_at(&mut bytes, from).map_err(|_| Error::Io)?;
        Ok(bytes.into_boxed_slice())
    }
}

/// A part of a section.
#[derive(Clone)]
pub struct Bytes {
    /// `None`: the file has no such section.
    section: Option<Rc<Section>>,
    at: usize,
    end: usize,
}

impl fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}..{}", self.at, self.end)
    }
}

impl Bytes {
    /// A section that is not there.
    pub fn none() -> Self {
        Self { section: None, at: 0, end: 0 }
    }

    /// A section that was unpacked.
    pub fn of_memory(bytes: Vec<u8>, budget: Rc<Budget>, weight: u64) -> Self {
        let end = bytes.len();
        Self::of(Content::Memory(bytes.into_boxed_slice()), end, budget, weight)
    }

    /// A section that lies in a file. `None`: it is too large.
    pub fn of_file(
        file: Rc<File>,
        from: u64,
        length: u64,
        budget: Rc<Budget>,
        weight: u64,
    ) -> Option<Self> {
        from.checked_add(length)?;
        let length = usize::try_from(length).ok().filter(|_| length <= MOST_SECTION_BYTES)?;
        let pages = (0..length.div_ceil(PAGE)).map(|_| OnceCell::new()).collect();
        Some(Self::of(Content::File { file, from, length, pages }, length, budget, weight))
    }

    fn of(content: Content, end: usize, budget: Rc<Budget>, weight: u64) -> Self {
        Self { section: Some(Rc::new(Section { content, budget, weight })), at: 0, end }
    }

    /// The bytes at the beginning, as far as they lie together; at least one. They are not counted.
    fn first(&self, most: usize) -> Result<&[u8]> {
        let end = || Error::UnexpectedEof(self.offset_id());
        let bytes = self.section.as_ref().ok_or_else(end)?.from(self.at)?;
        let count = bytes.len().min(self.end - self.at).min(most);
        if count == 0 {
            return Err(end());
        }
        Ok(&bytes[..count])
    }

    fn count(&self, bytes: usize) -> Result<()> {
        match &self.section {
            Some(section) if !section.budget.take(bytes as u64 * section.weight) => Err(Error::Io),
            _ => Ok(()),
        }
    }

    fn ensure(&self, length: usize) -> Result<()> {
        if length > self.end - self.at {
            return Err(Error::UnexpectedEof(self.offset_id()));
        }
        Ok(())
    }
}

impl Reader for Bytes {
    type Endian = LittleEndian;
    type Offset = usize;

    fn endian(&self) -> LittleEndian {
        LittleEndian
    }

    fn len(&self) -> usize {
        self.end - self.at
    }

    fn empty(&mut self) {
        self.end = self.at;
    }

    fn truncate(&mut self, length: usize) -> Result<()> {
        self.ensure(length)?;
        self.end = self.at + length;
        Ok(())
    }

    fn offset_from(&self, base: &Self) -> usize {
        self.at.saturating_sub(base.at)
    }

    fn offset_id(&self) -> ReaderOffsetId {
        ReaderOffsetId(self.at as u64)
    }

    fn lookup_offset_id(&self, id: ReaderOffsetId) -> Option<usize> {
        let at = usize::try_from(id.0).ok()?;
        (self.at..=self.end).contains(&at).then(|| at - self.at)
    }

    fn find(&self, byte: u8) -> Result<usize> {
        let mut rest = self.clone();
        while !rest.is_empty() {
            let bytes = rest.first(PAGE)?;
            let found = bytes.iter().position(|&each| each == byte);
            let count = found.unwrap_or(bytes.len());
            rest.count(count + 1)?;
            rest.at += count;
            if found.is_some() {
                return Ok(rest.at - self.at);
            }
        }
        Err(Error::UnexpectedEof(self.offset_id()))
    }

    fn skip(&mut self, length: usize) -> Result<()> {
        self.ensure(length)?;
        self.at += length;
        Ok(())
    }

    fn split(&mut self, length: usize) -> Result<Self> {
        let mut first = self.clone();
        first.truncate(length)?;
        self.at += length;
        Ok(first)
    }

    fn to_slice(&self) -> Result<Cow<'_, [u8]>> {
        if self.is_empty() {
            return Ok(Cow::Borrowed(&[]));
        }
        self.count(self.len())?;
        let bytes = self.first(self.len())?;
        if bytes.len() == self.len() {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut rest = self.clone();
        let mut whole = Vec::new();
        while !rest.is_empty() {
            let bytes = rest.first(rest.len())?;
            whole.extend_from_slice(bytes);
            let count = bytes.len();
            rest.at += count;
        }
        Ok(Cow::Owned(whole))
    }

    fn to_string(&self) -> Result<Cow<'_, str>> {
        match self.to_slice()? {
            Cow::Borrowed(bytes) => {
                std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| Error::BadUtf8)
            }
            Cow::Owned(bytes) => {
                String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Error::BadUtf8)
            }
        }
    }

    fn to_string_lossy(&self) -> Result<Cow<'_, str>> {
        Ok(match self.to_slice()? {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        })
    }

    fn read_slice(&mut self, into: &mut [u8]) -> Result<()> {
        self.ensure(into.len())?;
        self.count(into.len())?;
        let mut filled = 0;
        while filled < into.len() {
            let bytes = self.first(into.len() - filled)?;
            let count = bytes.len();
            into[filled..filled + count].copy_from_slice(bytes);
            filled += count;
            self.at += count;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
