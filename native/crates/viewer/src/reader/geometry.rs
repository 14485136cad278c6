//! The offsets of a segment's parts, after the header's entries were checked.

use std::mem::size_of;

use super::file::{SegmentFile, HEADER_BYTES};
use super::{ReadError, Result};
use segment::layout::{
    Event, FrameSlot, HandleSlot, Header, RingHeader, Section, SiteSlot, ThreadSlot, TypeSlot,
    LAYOUT_VERSION, MAGIC, MAX_FRAMES, MAX_HANDLES, MAX_RINGS, MAX_SITES, MAX_STRING_BYTES,
    MAX_THREADS, MAX_TYPES, RING_EVENTS,
};
pub use segment::Part;

/// Bytes of a ring and its events.
pub const RING_BYTES: usize = size_of::<RingHeader>() + RING_EVENTS as usize * size_of::<Event>();

const PARTS: [(Part, &str, usize, u32); 7] = [
    (Part::Threads, "threads", size_of::<ThreadSlot>(), MAX_THREADS),
    (Part::Types, "types", size_of::<TypeSlot>(), MAX_TYPES),
    (Part::Sites, "sites", size_of::<SiteSlot>(), MAX_SITES),
    (Part::Frames, "frames", size_of::<FrameSlot>(), MAX_FRAMES),
    (Part::Strings, "strings", 1, MAX_STRING_BYTES),
    (Part::Handles, "handles", size_of::<HandleSlot>(), MAX_HANDLES),
    (Part::Rings, "rings", RING_BYTES, MAX_RINGS),
];

/// Checked sections, in the order of `Part`.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    sections: [Section; 7],
}

impl Geometry {
    /// Check the header of `file`: magic, version, sizes, and that no section leaves the file or
    /// overlaps another.
    pub fn check(file: &SegmentFile) -> Result<Self> {
        let length = file.length()?;
        check_version(file, length)?;
        let header: Header = file.read_one(0)?;
        if header.header_bytes as usize != size_of::<Header>() {
            return Err(ReadError::Damaged(format!(
                "its header says that it has {} bytes, not {HEADER_BYTES}",
                header.header_bytes
            )));
        }
        if header.ticks_per_sec == 0 {
            return Err(ReadError::Damaged("its clock does not tick".into()));
        }
        let sections = sections_of(&header);
        for (section, (_, name, record, maximum)) in sections.iter().zip(PARTS) {
            check_section(section, name, record, maximum, length)?;
        }
        check_overlap(&sections)?;
        Ok(Self { sections })
    }

    /// The section of `part`; its `used` is of the time of the check.
    pub fn section(&self, part: Part) -> &Section {
        &self.sections[part as usize]
    }

    /// Check a header read later: marks within capacities, and nothing moved.
    pub fn check_later(&self, header: &Header) -> Result<()> {
        for ((now, then), (_, name, ..)) in
            sections_of(header).iter().zip(&self.sections).zip(PARTS)
        {
            if (now.offset, now.record_bytes, now.capacity)
                != (then.offset, then.record_bytes, then.capacity)
            {
                return Err(ReadError::Damaged(format!("its section of {name} moved")));
            }
            check_used(now, name)?;
        }
        Ok(())
    }

    /// Byte offset of record `index`, which must be below the capacity.
    pub fn offset(&self, part: Part, index: u32) -> u64 {
        let section = self.section(part);
        section.offset + u64::from(section.record_bytes) * u64::from(index)
    }

    /// Records of `part` that were used until now.
    pub fn used(&self, file: &SegmentFile, part: Part) -> Result<u32> {
        let used: u32 = file.read_one(used_offset(part))?;
        let section = Section { used, ..*self.section(part) };
        check_used(&section, PARTS[part as usize].1)?;
        Ok(used)
    }
}

/// Byte offset of the mark `used` of a section in the header.
fn used_offset(part: Part) -> u64 {
    use std::mem::offset_of;
    let section = match part {
        Part::Threads => offset_of!(Header, threads),
        Part::Types => offset_of!(Header, types),
        Part::Sites => offset_of!(Header, sites),
        Part::Frames => offset_of!(Header, frames),
        Part::Strings => offset_of!(Header, strings),
        Part::Handles => offset_of!(Header, handles),
        Part::Rings => offset_of!(Header, rings),
    };
    (section + offset_of!(Section, used)) as u64
}

fn check_version(file: &SegmentFile, length: u64) -> Result<()> {
    if length < 16 {
        return Err(ReadError::Damaged(format!("it has {length} bytes, too few for a header")));
    }
    let magic: u64 = file.read_one(0)?;
    if magic != MAGIC {
        return Err(ReadError::Damaged("it does not begin as a segment does".into()));
    }
    let version: u32 = file.read_one(8)?;
    if version != LAYOUT_VERSION {
        return Err(ReadError::Version { theirs: version, ours: LAYOUT_VERSION });
    }
    if length < HEADER_BYTES {
        return Err(ReadError::Damaged(format!(
            "it has {length} bytes, its header alone needs {HEADER_BYTES}"
        )));
    }
    Ok(())
}

fn sections_of(header: &Header) -> [Section; 7] {
    [
        header.threads,
        header.types,
        header.sites,
        header.frames,
        header.strings,
        header.handles,
        header.rings,
    ]
}

fn check_section(
    section: &Section,
    name: &str,
    record: usize,
    maximum: u32,
    length: u64,
) -> Result<()> {
    let damaged = |what: String| Err(ReadError::Damaged(format!("its section of {name} {what}")));
    if section.record_bytes as usize != record {
        return damaged(format!("has records of {} bytes, not {record}", section.record_bytes));
    }
    if section.capacity == 0 || section.capacity > maximum {
        return damaged(format!(
            "has room for {} records, at most {maximum} make sense",
            section.capacity
        ));
    }
    if section.offset < HEADER_BYTES || section.offset % 8 != 0 {
        return damaged(format!("begins at byte {}", section.offset));
    }
    let bytes = u64::from(section.record_bytes) * u64::from(section.capacity);
    match section.offset.checked_add(bytes) {
        Some(end) if end <= length => check_used(section, name),
        Some(end) => Err(ReadError::Truncated { wanted: end, got: length }),
        None => damaged(format!("begins at byte {}", section.offset)),
    }
}

fn check_used(section: &Section, name: &str) -> Result<()> {
    if section.used > section.capacity {
        return Err(ReadError::Damaged(format!(
            "its section of {name} uses {} records of {}",
            section.used, section.capacity
        )));
    }
    Ok(())
}

fn check_overlap(sections: &[Section; 7]) -> Result<()> {
    let mut order: Vec<usize> = (0..sections.len()).collect();
    order.sort_by_key(|&index| sections[index].offset);
    for pair in order.windows(2) {
        let (first, second) = (&sections[pair[0]], &sections[pair[1]]);
        let end = first.offset + u64::from(first.record_bytes) * u64::from(first.capacity);
        if end > second.offset {
            let (one, other) = (PARTS[pair[0]].1, PARTS[pair[1]].1);
            return Err(ReadError::Damaged(format!("its sections of {one} and {other} overlap")));
        }
    }
    Ok(())
}
