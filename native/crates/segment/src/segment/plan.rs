//! The sections of a segment: their order, their sizes, and the steps by which they grow.

use crate::layout::{
    self, Event, FrameSlot, HandleSlot, RingHeader, SiteSlot, ThreadSlot, TypeSlot,
};

pub(super) const PAGE: u64 = 4096;
/// The part of the handles grows by this much at a time: 1,024 rows.
const GROWTH: u64 = 64 * 1024;
/// The part of the types by this much: whole pages of whole records, so that a type is in the file
/// or is not.
const TYPES_GROWTH: u64 = 32 * size_of::<TypeSlot>() as u64;
const _: () = assert!(TYPES_GROWTH % PAGE == 0);
/// The remaining parts, of which a process needs few records, by this much.
const SMALL_GROWTH: u64 = 8 * 1024;
/// A ring and its events.
const RING_BYTES: u32 =
    (size_of::<RingHeader>() + layout::RING_EVENTS as usize * size_of::<Event>()) as u32;

/// A section of the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `ThreadSlot`.
    Threads,
    /// `TypeSlot`.
    Types,
    /// `SiteSlot`.
    Sites,
    /// `FrameSlot`.
    Frames,
    /// Bytes.
    Strings,
    /// `HandleSlot`.
    Handles,
    /// `RingHeader` and its events.
    Rings,
}

pub(super) const PARTS: [Part; 7] = [
    Part::Threads,
    Part::Types,
    Part::Sites,
    Part::Frames,
    Part::Strings,
    Part::Handles,
    Part::Rings,
];

/// Most records of each section; tests take small numbers to meet the rare paths.
#[derive(Clone, Copy, Debug)]
pub struct Capacities {
    /// In the order of [`Part`].
    pub records: [u32; 7],
}

impl Default for Capacities {
    fn default() -> Self {
        let strings = layout::MAX_STRING_BYTES;
        let (sites, frames) = (layout::MAX_SITES, layout::MAX_FRAMES);
        Self {
            records: [
                layout::MAX_THREADS,
                layout::MAX_TYPES,
                sites,
                frames,
                strings,
                layout::MAX_HANDLES,
                layout::MAX_RINGS,
            ],
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub offset: u64,
    pub record_bytes: u32,
    pub capacity: u32,
}

/// Offset and size of every section.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub(super) parts: [Extent; 7],
    pub(super) bytes: u64,
}

impl Plan {
    pub(super) fn new(capacities: Capacities) -> Self {
        let sizes = [
            size_of::<ThreadSlot>(),
            size_of::<TypeSlot>(),
            size_of::<SiteSlot>(),
            size_of::<FrameSlot>(),
            1,
            size_of::<HandleSlot>(),
        ];
        let mut offset = PAGE;
        let parts = PARTS.map(|part| {
            let record_bytes = sizes.get(part as usize).map_or(RING_BYTES, |&size| size as u32);
            let capacity = capacities.records[part as usize];
            let extent = Extent { offset, record_bytes, capacity };
            // sections start on pages, so that reserving one never reaches into the next
            offset += (u64::from(record_bytes) * u64::from(capacity)).next_multiple_of(PAGE);
            extent
        });
        Self { parts, bytes: offset }
    }
}

pub(super) fn growth(part: Part) -> u64 {
    match part {
        Part::Handles => GROWTH,
        Part::Types => TYPES_GROWTH,
        _ => SMALL_GROWTH,
    }
}
