//! Events of a ring, by sequence number, with the gap counted where the writer lapped the reader.

use std::mem::size_of;

use super::file::SegmentFile;
use super::geometry::{Geometry, Part};
use super::{ReadError, Result};
use crate::layout::{Event, RingHeader, RING_EVENTS};

/// What a reading of a ring found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventsRead {
    /// Events written to the caller's memory.
    pub count: usize,
    /// Sequence number to go on from.
    pub next: u64,
    /// Events after the caller's number that were overwritten before they could be read.
    pub lost: u64,
}

/// The rings of one file.
pub struct Rings<'a> {
    /// File to read.
    pub file: &'a SegmentFile,
    /// Its checked header.
    pub geometry: &'a Geometry,
}

impl Rings<'_> {
    /// Events of `ring` from sequence number `from` on, oldest first, as many as `out` has room for.
    ///
    /// A number from the future (the ring was begun anew) reads nothing and goes on from the ring's own number.
    pub fn events(&self, ring: u32, from: u64, out: &mut [Event]) -> Result<EventsRead> {
        let capacity = self.geometry.section(Part::Rings).capacity;
        if ring >= capacity {
            return Err(ReadError::Argument(format!("there are {capacity} rings, none has index {ring}")));
        }
        let start = self.geometry.offset(Part::Rings, ring);
        let written = self.written(start)?;
        if from >= written {
            return Ok(EventsRead { count: 0, next: written, lost: 0 });
        }
        let first = from.max(written.saturating_sub(u64::from(RING_EVENTS)));
        let count = usize::try_from(written - first).map_or(out.len(), |events| events.min(out.len()));
        self.copy(start, first, &mut out[..count])?;
        let overwritten = self.overwritten(start, first, count)?;
        out.copy_within(overwritten..count, 0);
        Ok(EventsRead { count: count - overwritten, next: first + count as u64, lost: first - from + overwritten as u64 })
    }

    /// Copy events with numbers `first` and following; they may wrap around the ring's end.
    fn copy(&self, start: u64, first: u64, out: &mut [Event]) -> Result<()> {
        let position = first % u64::from(RING_EVENTS);
        let before_end = out.len().min((u64::from(RING_EVENTS) - position) as usize);
        let base = start + size_of::<RingHeader>() as u64;
        let (tail, head) = out.split_at_mut(before_end);
        self.file.read(base + position * size_of::<Event>() as u64, tail)?;
        self.file.read(base, head)
    }

    /// How many of the events just copied the writer may have overwritten meanwhile.
    ///
    /// The writer counts an event after it wrote it, so with `written` counted, number `written - RING_EVENTS` may be half gone.
    fn overwritten(&self, start: u64, first: u64, count: usize) -> Result<usize> {
        let written = self.written(start)?;
        let oldest = (written + 1).saturating_sub(u64::from(RING_EVENTS));
        Ok(usize::try_from(oldest.saturating_sub(first)).map_or(count, |gone| gone.min(count)))
    }

    fn written(&self, start: u64) -> Result<u64> {
        let header: RingHeader = self.file.read_one(start)?;
        if header.written > u64::MAX / 2 {
            return Err(ReadError::Damaged(format!("a ring counts {} events", header.written)));
        }
        Ok(header.written)
    }
}
