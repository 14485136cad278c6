//! The viewer's half of the segment: consistent copies of the records that a target, alive, hung or
//! dead, left in its file.
//!
//! Whether the file is sound or damaged, reading gives records or one clear `ReadError`; it never
//! maps the file, never trusts an offset, and never allocates by the file's word. A `Reader` does
//! not change and may be used from several threads.

mod events;
mod file;
mod geometry;
mod rows;

use std::fmt;
use std::io;
use std::path::Path;

use segment::layout::{Event, HandleSlot, Header, ThreadSlot, TypeSlot, CALL_DEPTH};
use segment::status;

pub use events::{EventsRead, Rings};
pub use file::{zeroed, Record, SegmentFile};
pub use geometry::{Geometry, Part, RING_BYTES};
pub use rows::{Rows, RowsRead};

/// Longest text of the string arena that is handed out, bytes.
const MAX_TEXT_BYTES: u32 = 1 << 16;

/// Why a segment cannot be read.
#[derive(Debug)]
pub enum ReadError {
    /// The system refused.
    Io(io::Error),
    /// It is not a file of ours.
    NotOurs(String),
    /// It is not a segment, or its header contradicts itself.
    Damaged(String),
    /// The file is shorter than its header promises. Both are byte offsets.
    Truncated {
        /// End of the requested bytes.
        wanted: u64,
        /// End of the file.
        got: u64,
    },
    /// Another version of the schema.
    Version {
        /// The segment's.
        theirs: u32,
        /// This library's.
        ours: u32,
    },
    /// The caller's argument is impossible.
    Argument(String),
}

impl From<ReadError> for status::Error {
    fn from(error: ReadError) -> Self {
        let status = match error {
            ReadError::Io(_) => status::Status::Io,
            ReadError::NotOurs(_) | ReadError::Damaged(_) | ReadError::Truncated { .. } => {
                status::Status::BadSegment
            }
            ReadError::Version { .. } => status::Status::VersionMismatch,
            ReadError::Argument(_) => status::Status::BadArgument,
        };
        Self::new(status, error.to_string())
    }
}

/// Result of reading.
pub type Result<T> = std::result::Result<T, ReadError>;

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(formatter, "the segment cannot be read: {error}"),
            Self::NotOurs(why) => write!(formatter, "this is not a segment to read: {why}"),
            Self::Damaged(why) => write!(formatter, "the segment is damaged: {why}"),
            Self::Truncated { wanted, got } => write!(
                formatter,
                "the segment is truncated: byte {wanted} was asked for, it ends at {got}"
            ),
            Self::Version { theirs, ours } => {
                write!(
                    formatter,
                    "the segment has layout version {theirs}, this inspector reads version {ours}"
                )
            }
            Self::Argument(why) => formatter.write_str(why),
        }
    }
}

impl std::error::Error for ReadError {}

/// An open segment.
pub struct Reader {
    file: SegmentFile,
    geometry: Geometry,
}

impl Reader {
    /// Open and check the segment at `path`.
    pub fn open(path: &Path) -> Result<Self> {
        let file = SegmentFile::open(path)?;
        let geometry = Geometry::check(&file)?;
        Ok(Self { file, geometry })
    }

    /// The header as it is now, its marks checked.
    pub fn header(&self) -> Result<Header> {
        let mut header: Header = self.file.read_one(0)?;
        self.geometry.check_later(&header)?;
        header.live_handles = header.live_handles.wrapping_add(self.live_by_type()?);
        Ok(header)
    }

    /// Handles that the types' shards count. Read at several moments: births and deaths meanwhile
    /// may make it wrong, but never below 0.
    fn live_by_type(&self) -> Result<u64> {
        const SOME: usize = 16;
        // SAFETY: a type is plain numbers, for which zeros are values.
        let mut types: [TypeSlot; SOME] = unsafe { std::mem::zeroed() };
        let (mut live, mut from) = (0_u64, 1);
        loop {
            let count = self.records(Part::Types, from, &mut types)?;
            let shards = types[..count].iter().flat_map(|slot| &slot.shards);
            live = shards.fold(live, |live, shard| live.wrapping_add(shard.live));
            if count < SOME {
                return Ok(if (live as i64) < 0 { 0 } else { live });
            }
            from += count;
        }
    }

    /// All rows up to the high-water mark, see `Rows::all`.
    pub fn handles(&self, out: &mut [HandleSlot]) -> Result<RowsRead> {
        self.rows().all(out)
    }

    /// Rows that are not free, see `Rows::live`.
    pub fn live(&self, out: &mut [HandleSlot], indices: &mut [u32]) -> Result<RowsRead> {
        self.rows().live(out, indices)
    }

    /// Rows that differ from an earlier copy, see `Rows::changes`.
    pub fn changes(
        &self,
        known: &[HandleSlot],
        is_given_up: &dyn Fn() -> bool,
        tell: impl FnMut(u32, &HandleSlot),
    ) -> Result<RowsRead> {
        self.rows().changes(known, is_given_up, tell)
    }

    /// Records of `part` from index `from` on, as many as are used and `out` has room for. Returns
    /// how many.
    ///
    /// `T` must be the record of `part`. Records that change meanwhile may be of two moments;
    /// records of types, sites, frames and strings do not change once they are ready.
    pub fn records<T: Record>(&self, part: Part, from: usize, out: &mut [T]) -> Result<usize> {
        if std::mem::size_of::<T>() != self.geometry.section(part).record_bytes as usize {
            return Err(ReadError::Argument("the record asked for is not the section's".into()));
        }
        let used = self.geometry.used(&self.file, part)? as usize;
        let count = used.saturating_sub(from).min(out.len());
        if count > 0 {
            self.file.read(self.geometry.offset(part, from as u32), &mut out[..count])?;
        }
        Ok(count)
    }

    /// Threads from index `from` on, see `records`. Only calls in flight are kept: a thread that
    /// ends a call lowers its depth and leaves the old entries above.
    pub fn threads(&self, from: usize, out: &mut [ThreadSlot]) -> Result<usize> {
        let count = self.records(Part::Threads, from, out)?;
        for slot in &mut out[..count] {
            let in_flight =
                usize::try_from(slot.depth).map_or(CALL_DEPTH, |depth| depth.min(CALL_DEPTH));
            slot.calls[in_flight..].fill(0);
            slot.call_ticks[in_flight..].fill(0);
        }
        Ok(count)
    }

    /// The text at `offset` of the string arena, cut to `out`. Returns its whole length in bytes.
    pub fn text(&self, offset: u32, out: &mut [u8]) -> Result<usize> {
        let used = self.geometry.used(&self.file, Part::Strings)?;
        let damaged =
            || ReadError::Damaged(format!("no text stands at byte {offset} of its strings"));
        let start = offset.checked_add(4).filter(|start| *start <= used).ok_or_else(damaged)?;
        let mut prefix = [0_u8; 4];
        self.file.read(self.geometry.offset(Part::Strings, offset), &mut prefix)?;
        let length = u32::from_le_bytes(prefix);
        if length > MAX_TEXT_BYTES || start.checked_add(length).is_none_or(|end| end > used) {
            return Err(damaged());
        }
        let wanted = out.len().min(length as usize);
        self.file.read(self.geometry.offset(Part::Strings, start), &mut out[..wanted])?;
        Ok(length as usize)
    }

    /// Events of a ring, see `Rings::events`.
    pub fn events(&self, ring: u32, from: u64, out: &mut [Event]) -> Result<EventsRead> {
        Rings { file: &self.file, geometry: &self.geometry }.events(ring, from, out)
    }

    /// Events of each ring that are lost, see `Rings::gone`.
    pub fn events_gone(&self, out: &mut [u64]) -> Result<usize> {
        Rings { file: &self.file, geometry: &self.geometry }.gone(out)
    }

    /// Whether a process holds the lifetime lock: the proof that the target lives.
    pub fn is_locked(&self) -> Result<bool> {
        self.file.is_locked()
    }

    /// Bytes really allocated for the segment.
    pub fn allocated(&self) -> u64 {
        self.file.allocated()
    }

    fn rows(&self) -> Rows<'_> {
        Rows { file: &self.file, geometry: &self.geometry }
    }
}
