//! Events of a ring, by sequence number, with the gap counted where the writer lapped the reader.

use std::mem::size_of;

use super::file::SegmentFile;
use super::geometry::{Geometry, Part};
use super::{ReadError, Result};
use segment::layout::{Event, RingHeader, RING_EVENTS};

/// The result of reading a ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventsRead {
    /// Events written to the caller's memory.
    pub count: usize,
    /// Sequence number of the next event.
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
    /// Events of `ring` from sequence number `from` on, oldest first, as many as `out` has room
    /// for.
    ///
    /// A number from the future (the ring was started again) reads nothing and continues with the
    /// ring's own number.
    pub fn events(&self, ring: u32, from: u64, out: &mut [Event]) -> Result<EventsRead> {
        let capacity = self.geometry.section(Part::Rings).capacity;
        if ring >= capacity {
            return Err(ReadError::Argument(format!(
                "there are {capacity} rings, none has index {ring}"
            )));
        }
        let start = self.geometry.offset(Part::Rings, ring);
        let head = self.head(start)?;
        if from >= head.written {
            return Ok(EventsRead { count: 0, next: head.written, lost: 0 });
        }
        let first = from.max(gone(&head, head.written));
        let count =
            usize::try_from(head.written - first).map_or(out.len(), |events| events.min(out.len()));
        self.copy(start, first, &mut out[..count])?;
        let overwritten = self.overwritten(start, first, count)?;
        out.copy_within(overwritten..count, 0);
        Ok(EventsRead {
            count: count - overwritten,
            next: first + count as u64,
            lost: first - from + overwritten as u64,
        })
    }

    /// For each used ring as far as `out` has room, how many of its events are lost: overwritten,
    /// or of a thread that had the ring before.
    pub fn gone(&self, out: &mut [u64]) -> Result<usize> {
        let used = (self.geometry.used(self.file, Part::Rings)? as usize).min(out.len());
        for (ring, place) in out[..used].iter_mut().enumerate() {
            let head = self.head(self.geometry.offset(Part::Rings, ring as u32))?;
            *place = gone(&head, head.written);
        }
        Ok(used)
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

    /// How many of the events just copied the writer may have overwritten meanwhile, or another
    /// thread that has the ring now.
    ///
    /// The writer counts an event after it wrote it, so with `written` counted, number
    /// `written - RING_EVENTS` may be half overwritten.
    fn overwritten(&self, start: u64, first: u64, count: usize) -> Result<usize> {
        let head = self.head(start)?;
        let oldest = gone(&head, head.written + 1);
        Ok(usize::try_from(oldest.saturating_sub(first)).map_or(count, |gone| gone.min(count)))
    }

    /// A ring's header. A thread that has just got the ring may show its first number before the
    /// reader sees all of the last thread's events, so `written` is at least `since`.
    fn head(&self, start: u64) -> Result<RingHeader> {
        let mut header: RingHeader = self.file.read_one(start)?;
        header.written = header.written.max(header.since);
        if header.written > u64::MAX / 2 {
            return Err(ReadError::Damaged(format!("a ring counts {} events", header.written)));
        }
        Ok(header)
    }
}

/// Number of the oldest event that is there when `written` were written.
fn gone(head: &RingHeader, written: u64) -> u64 {
    written.saturating_sub(u64::from(RING_EVENTS)).max(head.since)
}
