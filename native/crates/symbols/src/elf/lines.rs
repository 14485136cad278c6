//! Source lines of the code in a file, out of its debug information.

use std::fmt;
use std::rc::Rc;

use addr2line::Context;
use gimli::{Dwarf, SectionId};
use object::elf::ELFCOMPRESS_ZLIB;

use super::budget::LINE_WEIGHT;
use super::bytes::Bytes;
use super::{Budget, ElfFile};

/// A larger section is not unpacked.
const MOST_UNPACKED_BYTES: u64 = 128 << 20;
/// Functions that are inlined into each other; more is damage.
const MOST_PLACES: usize = 64;

/// The reason why debug information tells no lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLines {
    /// It makes no sense.
    Damaged,
    /// It takes more bytes than are read of one library.
    TooLarge,
    /// It is compressed, but not by zlib.
    Packed,
}

impl fmt::Display for NoLines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Damaged => "its debug information is damaged",
            Self::TooLarge => "its debug information is larger than is read",
            Self::Packed => "its debug information is compressed in a way that is not read",
        })
    }
}

/// A place in source code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// As the linker names it; empty: not known.
    pub function: String,
    /// Path of the source file; empty: not known.
    pub file: String,
    /// 0: not known.
    pub line: u32,
}

/// The lines of one file.
pub struct Lines {
    context: Context<Bytes>,
    budget: Rc<Budget>,
}

impl Lines {
    /// Whether a file has debug information.
    pub fn are_in(file: &ElfFile) -> bool {
        file.section(".debug_info").is_some_and(|section| section.bytes > 0)
    }

    /// Reads which parts of the debug information describe which code. `common` holds parts that
    /// several files share.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(
        file: &ElfFile,
        common: Option<&ElfFile>,
        budget: Rc<Budget>,
    ) -> Result<Self, NoLines> {
        let mut dwarf = Dwarf::load(|id| section(file, id, &budget))?;
        if let Some(common) = common {
            dwarf.load_sup(|id| section(common, id, &budget))?;
        }
        let context = budget.measured(|| Context::from_dwarf(dwarf));
        let context = context.map_err(|_| reason(&budget))?;
        Ok(Self { context, budget })
    }

    /// The place of the code at an address before relocation, and around it the places into which
    /// it was inlined, innermost first. Empty: it is not described.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn at(&self, address: u64) -> Result<Vec<Place>, NoLines> {
        if address == u64::MAX {
            // `addr2line` asks for the next address
            return Ok(Vec::new());
        }
        let found = self.budget.measured(|| self.places(address));
        if self.budget.is_exceeded() {
            return Err(NoLines::TooLarge);
        }
        found.map_err(|_| NoLines::Damaged)
    }

    fn places(&self, address: u64) -> Result<Vec<Place>, gimli::Error> {
        let mut frames = self.context.find_frames(address).skip_all_loads()?;
        let mut places = Vec::new();
        while let Some(frame) = frames.next()? {
            let function = match &frame.function {
                Some(name) => name.raw_name()?.into_owned(),
                None => String::new(),
            };
            let location = frame.location.as_ref();
            let file = location.and_then(|found| found.file).unwrap_or("").to_owned();
            let line = location.and_then(|found| found.line).unwrap_or(0);
            places.push(Place { function, file, line });
            if places.len() == MOST_PLACES {
                break;
            }
        }
        Ok(places)
    }
}

fn reason(budget: &Budget) -> NoLines {
    if budget.is_exceeded() {
        NoLines::TooLarge
    } else {
        NoLines::Damaged
    }
}

/// A section of the debug information; sections that tell nothing of lines are taken for absent.
fn section(file: &ElfFile, id: SectionId, budget: &Rc<Budget>) -> Result<Bytes, NoLines> {
    let is_wanted = matches!(
        id,
        SectionId::DebugAbbrev
            | SectionId::DebugAddr
            | SectionId::DebugAranges
            | SectionId::DebugInfo
            | SectionId::DebugLine
            | SectionId::DebugLineStr
            | SectionId::DebugRanges
            | SectionId::DebugRngLists
            | SectionId::DebugStr
            | SectionId::DebugStrOffsets
    );
    let Some(found) = file.section(id.name()).filter(|_| is_wanted) else {
        return Ok(Bytes::none());
    };
    let weight = if id == SectionId::DebugLine { LINE_WEIGHT } else { 1 };
    match found.packed {
        None => Bytes::of_file(file.file(), found.offset, found.bytes, budget.clone(), weight)
            .ok_or(NoLines::TooLarge),
        Some((ELFCOMPRESS_ZLIB, bytes)) if bytes > MOST_UNPACKED_BYTES || !budget.take(bytes) => {
            Err(NoLines::TooLarge)
        }
        Some((ELFCOMPRESS_ZLIB, bytes)) => {
            let packed = file.read(found.offset, found.bytes).map_err(|_| NoLines::Damaged)?;
            let bytes = unpacked(&packed, bytes as usize).ok_or(NoLines::Damaged)?;
            Ok(Bytes::of_memory(bytes, budget.clone(), weight))
        }
        Some(_) => Err(NoLines::Packed),
    }
}

fn unpacked(packed: &[u8], bytes: usize) -> Option<Vec<u8>> {
    let found = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, bytes).ok()?;
    (found.len() == bytes).then_some(found)
}
